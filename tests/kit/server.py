# SPDX-License-Identifier: Apache-2.0
"""An HTTP server on loopback that serves a folder and misbehaves by rule, and counts what it is asked for."""

import fnmatch
import hashlib
import os
import threading
import time

from . import loopback


class Fault:
    """What happens to requests whose path matches; `times` is how often (None: for ever). `after` lets that many matching
    requests through first."""

    def __init__(self, pattern, times=None, after=0, status=None, cut=None, delay=0, redirect=None, retry_after=None,
                 endless=False, extra=b"", body=None, hang=False, headers=None, rate=None):
        self.pattern, self.left, self.after = pattern, times, after
        self.status = status            # answer with this status
        self.cut = cut                  # close after so many bytes of the body
        self.delay = delay              # seconds before the answer
        self.redirect = redirect        # Location
        self.retry_after = retry_after  # with status
        self.endless = endless          # a chunked body that does not end
        self.extra = extra              # bytes behind the true body (Content-Length includes them)
        self.body = body                # other bytes than the file's
        self.rate = rate                # bytes of the body a second
        self.hang = hang                # accept, then say nothing until the server stops
        self.headers = headers or {}    # of the answer; they replace the server's own


class _Handler(loopback.Handler):
    def serve(self):
        fault = self.server.owner.take(self.path)
        if fault and fault.delay:
            time.sleep(fault.delay)
        if fault and fault.hang:
            self.server.owner.stopping.wait(60)
            self.close_connection = True
            return
        if fault and fault.redirect:
            return self._send(fault.status or 302, b"", {"Location": fault.redirect})
        if fault and fault.status:
            headers = {"Retry-After": str(fault.retry_after)} if fault.retry_after is not None else {}
            return self._send(fault.status, b"no\n" if fault.body is None else fault.body, {**headers, **fault.headers})
        if fault and fault.endless:
            return self._send_endless()
        body = fault.body if fault and fault.body is not None else self._file()
        if body is None:
            return self._send(404, b"not found\n", {})
        if fault and fault.cut is not None:
            self._send(200, body, {}, cut=fault.cut)
            self.close_connection = True
            return None
        if fault and fault.rate:
            return self._send_slowly(body, fault.rate)
        if self.server.owner.versions and not fault:
            return self._send_version(body)
        return self._send(200, body + (fault.extra if fault else b""), fault.headers if fault else {})

    def _file(self):
        path = os.path.normpath(self.server.owner.root + "/" + self.path.split("?")[0])
        if not path.startswith(self.server.owner.root) or not os.path.isfile(path):
            return None
        with open(path, "rb") as stream:
            return stream.read()

    def _send(self, status, body, headers, cut=None):
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body if cut is None else body[:cut])

    def _send_version(self, body):
        """The file with its version, or that the client has it. `versions` names the header that tells."""
        kind = self.server.owner.versions
        mark = hashlib.sha256(body).hexdigest()
        value = f'"{mark}"' if kind == "ETag" else f"Thu, 01 Jan 1970 00:00:00 GMT; {mark[:20]}"
        asked = self.headers.get("If-None-Match" if kind == "ETag" else "If-Modified-Since")
        if asked == value:
            self.server.owner.not_modified.append(self.path)
            return self._send(304, b"", {kind: value})
        return self._send(200, body, {kind: value})

    def _send_slowly(self, body, rate):
        self._send(200, body, {}, cut=0)
        piece = max(1, rate // 20)
        for at in range(0, len(body), piece):
            if self.server.owner.stopping.wait(piece / rate):
                break
            self.wfile.write(body[at:at + piece])

    def _send_endless(self):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        block = b"10000\r\n" + bytes(0x10000) + b"\r\n"
        while not self.server.owner.stopping.is_set():
            self.server.owner.endless_bytes += 0x10000
            self.wfile.write(block)


class Server(loopback.Loopback):
    """Serves `root`."""

    def __init__(self, root):
        super().__init__(_Handler)
        self.root = os.path.realpath(root)
        self.faults = []
        self.requests = []
        self.versions = None  # "ETag" or "Last-Modified": answers have it, and requests are answered by it
        self.not_modified = []
        self.endless_bytes = 0
        self._lock = threading.Lock()

    def fault(self, pattern, **settings):
        """Adds a rule; the first rule that matches and is not used up applies."""
        self.faults.append(Fault(pattern, **settings))

    def heal(self):
        self.faults.clear()

    def asked(self, pattern="*"):
        """How many requests matched."""
        with self._lock:
            return sum(fnmatch.fnmatch(path, pattern) for path in self.requests)

    def take(self, path):
        with self._lock:
            self.requests.append(path)
            for fault in self.faults:
                if fault.left == 0 or not fnmatch.fnmatch(path, fault.pattern):
                    continue
                if fault.after > 0:
                    fault.after -= 1
                    continue
                if fault.left is not None:
                    fault.left -= 1
                return fault
        return None
