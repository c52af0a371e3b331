# SPDX-License-Identifier: Apache-2.0
"""A small HTTP/1.1 server on loopback that remembers every request and misbehaves by rule. The kit's proxies, token
services and made-up registries are made of it: they say what the honest answer() is."""

import re
import threading
import time
import urllib.parse

from . import loopback

WRONG_DIGEST = "sha256:" + "0" * 64


class Request:
    """What a client asked. `status` is what it got, None when it got no whole answer."""

    def __init__(self, verb, target, headers, body, connection):
        self.verb, self.target, self.headers, self.body, self.connection = verb, target, headers, body, connection
        self.path, _, query = target.partition("?")
        self.query = urllib.parse.parse_qs(query, keep_blank_values=True)
        self.status = None

    def __repr__(self):
        return f"{self.verb} {self.target} → {self.status}"


class Answer:
    """`headers` are named as Go names them: "Www-Authenticate"."""

    def __init__(self, status, body=b"", headers=None):
        self.status, self.body = status, body
        self.headers = {name.title(): value for name, value in (headers or {}).items()}


class Fault:
    """What happens to the nth request (and the `times` - 1 after it; None: for ever) of these verbs ("PUT HEAD", "*")
    whose target fits the pattern."""

    def __init__(self, verbs, pattern, nth=1, times=1, status=None, headers=None, body=b"", reset=False, lost=False,
                 truncated=False, cut=False, delay=0, digest=None, change=None, hold=None):
        self.verbs, self.pattern = None if verbs == "*" else verbs.split(), re.compile(pattern)
        self.skip, self.left = nth - 1, times
        self.status, self.headers, self.body = status, headers, body  # answer so, without doing anything
        self.reset = reset          # close the connection before doing anything
        self.lost = lost            # do it, but close the connection instead of answering
        self.truncated = truncated  # do it, send half of the answer
        self.cut = cut              # close in the middle of the request's body
        self.delay = delay          # seconds before doing anything
        self.digest = digest        # Docker-Content-Digest: "wrong" or "missing"
        self.change = change        # change(request, answer) edits the answer
        self.hold = hold            # "before" or "after" doing it: set `reached` and say nothing until the server stops
        self.reached = threading.Event()
        self.hits = 0

    def matches(self, request):
        return (self.verbs is None or request.verb in self.verbs) and self.pattern.search(request.target)


class _Handler(loopback.Handler):
    def serve(self):
        self.server.owner.serve(self)

    def read_body(self, share=1.0):
        """The request's body, or the given share of it."""
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(int(int(self.headers.get("Content-Length") or 0) * share))

    def send(self, answer, truncated=False):
        headers = dict(answer.headers)
        if self.command != "HEAD" and answer.status != 204:
            headers["Content-Length"] = str(len(answer.body))
        if headers.get("Connection") == "close":
            self.close_connection = True
        reason = self.responses.get(answer.status, ("Other",))[0]
        head = f"HTTP/1.1 {answer.status} {reason}\r\n" + "".join(f"{k}: {v}\r\n" for k, v in headers.items()) + "\r\n"
        head, body = head.encode("latin-1"), b"" if self.command == "HEAD" else answer.body
        if truncated:
            self.close_connection = True
            self.wfile.write(head + body[:len(body) // 2] if body else head[:len(head) // 2])
            return
        self.wfile.write(head + body)


class Service(loopback.Loopback):
    """Start with start(), end with stop(). `tls` is (certificate file, key file)."""

    def __init__(self, address="127.0.0.1", tls=None):
        super().__init__(_Handler, address, tls)
        self.requests, self.faults = [], []
        self.every = None  # every(request, answer) edits each honest answer
        self.lock = threading.RLock()

    def answer(self, request):
        """What an honest server says: an Answer. Subclasses know."""
        raise NotImplementedError

    def partly(self, request, handler, body):
        """The client is about to lose the connection after this much of its body."""

    def fault(self, verbs, pattern, **settings):
        """Adds a rule and returns it; the first rule that matches and is not used up applies."""
        fault = Fault(verbs, pattern, **settings)
        with self.lock:
            self.faults.append(fault)
        return fault

    def heal(self):
        with self.lock:
            self.faults.clear()

    def forget(self):
        with self.lock:
            self.requests.clear()

    def asked(self, verbs="*", pattern=""):
        """The requests that match, in order."""
        probe = Fault(verbs, pattern)
        with self.lock:
            return [request for request in self.requests if probe.matches(request)]

    def authorizations(self):
        """All values of Authorization headers that arrived."""
        with self.lock:
            return [request.headers["Authorization"] for request in self.requests if "Authorization" in request.headers]

    def _take(self, request):
        with self.lock:
            self.requests.append(request)
            for fault in self.faults:
                if fault.left == 0 or not fault.matches(request):
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                if fault.left is not None:
                    fault.left -= 1
                fault.hits += 1
                return fault
        return Fault("*", "")

    def serve(self, handler):
        request = Request(handler.command, handler.path, handler.headers, b"", handler.client_address)
        fault = self._take(request)
        if fault.cut:
            self.partly(request, handler, handler.read_body(0.5))
            return handler.reset()
        if fault.reset:
            return handler.reset()
        request.body = handler.read_body()
        time.sleep(fault.delay)
        if fault.hold == "before":
            return self._hold(fault, handler)
        if fault.status:
            answer = Answer(fault.status, fault.body, fault.headers)
        else:
            answer = self.answer(request)
            if self.every:
                self.every(request, answer)
        if fault.hold == "after":
            return self._hold(fault, handler)
        if fault.lost:
            return handler.reset()
        if fault.digest and "Docker-Content-Digest" in answer.headers:
            del answer.headers["Docker-Content-Digest"]
            if fault.digest == "wrong":
                answer.headers["Docker-Content-Digest"] = WRONG_DIGEST
        if fault.change:
            fault.change(request, answer)
        handler.send(answer, fault.truncated)
        if not fault.truncated:
            request.status = answer.status
        return None

    def _hold(self, fault, handler):
        fault.reached.set()
        self.stopping.wait(60)
        handler.close_connection = True
