# SPDX-License-Identifier: Apache-2.0
"""A registry on loopback with faults and quirks on request, for test_registry.c and test_push.c. It prints two ports,
the registry's and that of a second origin which records what it is sent, and serves until its input closes.

POST /_set       JSON: starts over with these settings (see DEFAULTS)
GET /_log        one line per request: METHOD path-without-query "+auth"|"" status
GET /_count/WORD how many lines of the log contain WORD
GET /_canary     1 when the second origin was ever sent an Authorization or a body with "canary", else 0
GET /_tag/NAME   the digest under a tag of any repository, or "-"
GET /_body       the digests of all blobs, sorted, one per line

A fault: {"method", "path" (regular expression), "at" (the nth such request, from 1; 0: all), "do": "status" with "code",
"body", "headers" | "reset" (nothing is done) | "lose" (all is done, no answer comes) | "cut" (half of the answer) |
"digest" with "value" (all is done; Docker-Content-Digest is that, or none when it is null) | "forget" (all is done, then
what was put is gone) | "pretend" (201, nothing is done)}.
"""
import base64
import hashlib
import json
import re
import threading
import urllib.parse

import loopback

DEFAULTS = {
    "faults": [],
    "auth": "none",          # basic, bearer
    "user": "user", "password": "canary-secret",
    "realm": None,           # of the bearer challenge; None: /token here
    "expires": 300,          # expires_in of tokens; None: only the exp of a JWT
    "jwt": False,
    "given_token": None,     # a token that is good for all without the service
    "token_uses": 0,         # a token is good for so many requests; 0: for ever
    "challenge": True,       # False: 401 without WWW-Authenticate, but for /v2/
    "quay": False,           # MANIFEST_INVALID, off-by-one status, no referrers' OCI-Subject, one scope per parameter
    "put": True,             # False: 404 BLOB_UNKNOWN for a PUT with a body
    "max_body": 0,           # 413 above
    "location": "relative",  # absolute, other (the second origin), http-other-host
    "referrers": False,
    "conditions": False,     # If-Match and If-None-Match of a manifest's PUT count
    "mount": True,
    "short_chunks": 0,       # take only so many bytes of a chunk
    "redirect": None,        # "blobs": GET of a blob leads to the second origin
    "read_only": False,
}

lock = threading.RLock()
state = {}


def reset(settings):
    state.update(settings=dict(DEFAULTS, **settings), log=[], blobs={}, manifests={}, tags={}, uploads={}, tokens={},
                 token_requests=0, hits={}, canary=0, sessions=0)


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def parts_of(manifest):
    document = json.loads(manifest)
    blobs = [layer["digest"] for layer in document.get("layers", [])]
    if "config" in document:
        blobs.append(document["config"]["digest"])
    return blobs, [child["digest"] for child in document.get("manifests", [])]


class Handler(loopback.Handler):
    wbufsize = 65536

    def answer(self, code, body=b"", **headers):
        self.answered = (code, body, {name.replace("_", "-"): value for name, value in headers.items()})

    def error(self, code, name, detail=None, **headers):
        body = {"errors": [{"code": name, "message": name.lower().replace("_", " "), "detail": detail or {}}]}
        self.answer(code, json.dumps(body).encode(), Content_Type="application/json", **headers)

    def fault(self, path):
        for i, fault in enumerate(self.settings["faults"]):
            if fault.get("method", self.command) == self.command and re.search(fault["path"], path):
                hits = state["hits"][i] = state["hits"].get(i, 0) + 1
                if fault.get("at", 1) in (0, hits):
                    return fault
        return None

    def serve(self):
        length = int(self.headers.get("Content-Length") or 0)
        self.data = self.rfile.read(length)
        self.path_only, _, query = self.path.partition("?")
        self.query = urllib.parse.parse_qs(query, keep_blank_values=True)
        if self.path_only.startswith("/_"):
            return self.control()
        with lock:
            self.settings = state["settings"]
            self.handle_one()

    def handle_one(self):
        fault = self.fault(self.path_only) or {"do": ""}
        kind = fault["do"]
        self.answered = (500, b"", {})
        if kind == "status":
            body = fault.get("body", "")
            self.answer(fault["code"], body.encode(), **dict({"Content-Type": "application/json"} if body[:1] == "{"
                                                            else {}, **fault.get("headers", {})))
        elif kind == "pretend":
            self.answer(201, Docker_Content_Digest=digest_of(self.data))
        elif kind != "reset":
            self.route()
        if kind == "forget":
            digest = digest_of(self.data)
            state["manifests"].pop(digest, None)
            state["tags"] = {tag: held for tag, held in state["tags"].items() if held != digest}
        code, body, headers = self.answered
        if kind == "digest":
            headers.pop("Docker-Content-Digest", None)
            if fault["value"]:
                headers["Docker-Content-Digest"] = fault["value"]
        note = " +auth" if self.headers.get("Authorization") else ""
        state["log"].append("%s %s%s %s" % (self.command, self.path_only, note, kind or code))
        if kind in ("reset", "lose"):
            return self.drop(True)
        self.send(code, body, headers, kind == "cut")

    def send(self, code, body, headers, is_cut=False):
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        if "Content-Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[:len(body) // 2] if is_cut else body)
        if is_cut:
            self.close_connection = True

    def control(self):
        with lock:
            what, _, rest = self.path_only[2:].partition("/")
            text = ""
            if what == "set":
                reset(json.loads(self.data or b"{}"))
            elif what == "log":
                text = "\n".join(state["log"])
            elif what == "count":
                text = str(sum(1 for line in state["log"] if re.search(urllib.parse.unquote(rest), line)))
            elif what == "canary":
                text = str(state["canary"])
            elif what == "tag":
                text = state["tags"].get(rest, "-")
            elif what == "manifest":
                text = state["manifests"].get(rest, ("", b""))[1].decode()
            elif what == "body":
                text = "\n".join(sorted(state["blobs"]))
            elif what == "drop":
                state["blobs"].pop(rest, None)
                state["manifests"].pop(rest, None)
        self.send(200, text.encode(), {})

    # authentication

    def may(self, actions):
        kind, given = self.settings["auth"], self.headers.get("Authorization", "")
        if kind == "none":
            return True
        if kind == "basic":
            pair = "%(user)s:%(password)s" % self.settings
            if given == "Basic " + base64.b64encode(pair.encode()).decode():
                return True
            header = 'Basic realm="lab"'
        else:
            if self.settings["given_token"] and given == "Bearer " + self.settings["given_token"]:
                return True
            token = state["tokens"].get(given[7:]) if given.startswith("Bearer ") else None
            if token:
                token["uses"] += 1
                is_spent = self.settings["token_uses"] and token["uses"] > self.settings["token_uses"]
                if not is_spent and (self.path_only == "/v2/" or actions <= token["actions"]):
                    return True
            realm = self.settings["realm"] or "http://127.0.0.1:%d/token" % self.server.server_port
            name = re.match(r"/v2/(.*?)/(blobs|manifests|referrers)/", self.path_only)
            scope = ',scope="repository:%s:%s"' % (name[1], ",".join(sorted(actions))) if name else ""
            header = 'Bearer realm="%s",service="lab"%s' % (realm, scope)
        headers = {"WWW_Authenticate": header}
        if not self.settings["challenge"] and self.path_only != "/v2/":
            headers = {}
        self.error(401, "UNAUTHORIZED", **headers)
        return False

    def token(self):
        state["token_requests"] += 1
        pair = "%(user)s:%(password)s" % self.settings
        is_known = self.headers.get("Authorization") == "Basic " + base64.b64encode(pair.encode()).decode()
        scopes = self.query.get("scope", [])
        if self.command == "POST":
            form = urllib.parse.parse_qs(self.data.decode())
            is_known = form.get("refresh_token") == [self.settings["password"]]
            scopes = form.get("scope", [""])[0].split()
        if self.headers.get("Authorization") and not is_known:
            return self.error(401, "UNAUTHORIZED")
        if self.settings["quay"] and any(" " in scope or "delete" in scope for scope in scopes):
            return self.error(400, "INVALID_REQUEST")
        actions = set()
        for scope in scopes:
            actions |= set(scope.rsplit(":", 1)[-1].split(","))
        if not is_known:
            actions &= {"pull"}
        name = "t%d" % state["token_requests"]
        if self.settings["jwt"]:
            claims = json.dumps({"iat": 1000, "exp": 1000 + self.settings["jwt"]}).encode()
            name = "e30." + base64.urlsafe_b64encode(claims).decode().rstrip("=") + "." + name
        state["tokens"][name] = {"actions": actions, "uses": 0}
        answer = {"token": name}
        if self.settings["expires"] is not None:
            answer["expires_in"] = self.settings["expires"]
        self.answer(200, json.dumps(answer).encode(), Content_Type="application/json")

    # the API

    def route(self):
        if self.path_only == "/token":
            return self.token()
        is_writing = self.command in ("POST", "PUT", "PATCH", "DELETE")
        if not self.may({"pull", "push"} if is_writing else {"pull"}):
            return
        if self.settings["read_only"] and is_writing:
            return self.error(405, "UNSUPPORTED")
        if self.path_only == "/v2/":
            return self.answer(200)
        match = re.fullmatch(r"/v2/(.+?)/(blobs/uploads|blobs|manifests|referrers)/([^/]*)", self.path_only)
        if not match:
            return self.error(404, "NAME_UNKNOWN")
        self.repository, kind, self.name = match[1], match[2], match[3]
        {"blobs/uploads": self.upload, "blobs": self.blob, "manifests": self.manifest,
         "referrers": self.referrers}[kind]()

    def blob(self):
        data = state["blobs"].get(self.name)
        if data is None:
            return self.error(404, "BLOB_UNKNOWN")
        if self.settings["redirect"] == "blobs" and self.command == "GET":
            return self.answer(307, Location="http://127.0.0.1:%d/data/%s" % (second_port, self.name))
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if wanted:
            start = int(wanted[1])
            return self.answer(206, data[start:],
                               Content_Range="bytes %d-%d/%d" % (start, len(data) - 1, len(data)))
        headers = {"Content_Length": str(len(data))} if self.command == "HEAD" else {}
        self.answer(200, b"" if self.command == "HEAD" else data, Docker_Content_Digest=self.name, **headers)

    def location(self, session):
        path = "/v2/%s/blobs/uploads/%s?_state=a%%2Fb" % (self.repository, session)
        kind = self.settings["location"]
        if kind == "absolute":
            return "http://127.0.0.1:%d%s" % (registry_port, path)
        if kind == "other":
            return "http://127.0.0.1:%d%s" % (second_port, path)
        return "ftp://127.0.0.1/x" if kind == "bad" else path

    def accepted(self, session):
        size = len(state["uploads"][session])
        self.answer(202, Location=self.location(session), Range="0-%d" % (size - 1), Docker_Upload_UUID=session)

    def upload(self):
        if self.command == "POST":
            mounted = self.query.get("mount", [None])[0]
            if mounted and not self.settings["mount"]:
                return self.error(405, "UNSUPPORTED")
            if mounted and mounted in state["blobs"]:
                return self.answer(201, Location="/v2/x/blobs/" + mounted)
            state["sessions"] += 1
            session = "s%d" % state["sessions"]
            state["uploads"][session] = b""
            return self.accepted(session)
        held = state["uploads"].get(self.name)
        if held is None:
            return self.error(404, "BLOB_UPLOAD_UNKNOWN")
        if self.settings["max_body"] and len(self.data) > self.settings["max_body"]:
            return self.answer(413, b"<html>too large</html>")
        if self.command == "GET":
            extra = 0 if self.settings["quay"] else 1
            return self.answer(204, Range="0-%d" % (len(held) - extra), Location=self.location(self.name))
        if self.command == "DELETE":
            del state["uploads"][self.name]
            return self.answer(204)
        if self.command == "PATCH":
            wanted = self.headers.get("Content-Range")
            if wanted and int(wanted.split("-")[0]) != len(held):
                return self.answer(416, Range="0-%d" % (len(held) - 1), Location=self.location(self.name))
            taken = self.settings["short_chunks"] or len(self.data)
            state["uploads"][self.name] = held + self.data[:taken]
            return self.accepted(self.name)
        if self.data and not self.settings["put"]:
            return self.error(404, "BLOB_UNKNOWN")
        data = held + self.data
        del state["uploads"][self.name]
        if digest_of(data) != self.query["digest"][0]:
            return self.error(400, "DIGEST_INVALID")
        state["blobs"][digest_of(data)] = data
        self.answer(201, Docker_Content_Digest=digest_of(data))

    def is_condition_met(self):
        wanted, known = self.headers.get("If-Match"), state["tags"].get(self.name)
        return wanted == f'"{known}"' if wanted else not (self.headers.get("If-None-Match") and known)

    def put_manifest(self):
        digest = digest_of(self.data)
        if self.settings["conditions"] and not self.is_condition_met():
            return self.error(412, "PRECONDITION_FAILED")
        blobs, children = parts_of(self.data)
        missing = [blob for blob in blobs if blob not in state["blobs"]]
        lost = [child for child in children if child not in state["manifests"]]
        if (missing or lost) and self.settings["quay"]:
            is_tag = not self.name.startswith("sha256:")
            return self.error(400, "MANIFEST_INVALID", {"message": "Unknown blob"} if is_tag else None)
        if missing or lost:
            return self.error(400, "MANIFEST_BLOB_UNKNOWN", {"digest": (missing + lost)[0]})
        state["manifests"][digest] = (self.headers["Content-Type"], self.data)
        if not self.name.startswith("sha256:"):
            state["tags"][self.name] = digest
        self.answer(201, Docker_Content_Digest=digest)

    def manifest(self):
        if self.command == "PUT":
            return self.put_manifest()
        digest = self.name if self.name.startswith("sha256:") else state["tags"].get(self.name)
        media_type, data = state["manifests"].get(digest, (None, None))
        if data is None or media_type not in self.headers.get("Accept", ""):
            return self.error(404, "MANIFEST_UNKNOWN")
        headers = {"Content_Length": str(len(data))} if self.command == "HEAD" else {}
        self.answer(200, b"" if self.command == "HEAD" else data, Content_Type=media_type + "; charset=utf-8",
                    Docker_Content_Digest=digest, **headers)

    def referrers(self):
        if not self.settings["referrers"]:
            return self.answer(404, b"404 page not found")
        about = []
        for digest, (media_type, data) in state["manifests"].items():
            manifest = json.loads(data)
            if manifest.get("subject", {}).get("digest") == self.name:
                about.append({"mediaType": media_type, "digest": digest, "size": len(data),
                              "artifactType": manifest.get("artifactType", ""),
                              "annotations": manifest.get("annotations", {})})
        index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": about}
        self.answer(200, json.dumps(index).encode(), Content_Type=index["mediaType"])


class Second(Handler):
    """The other origin: takes uploads for the registry, and tokens are to be had here, too."""

    def may(self, actions):
        return True

    def serve(self):
        with lock:
            length = int(self.headers.get("Content-Length") or 0)
            self.data = self.rfile.read(length)
            self.path_only, _, query = self.path.partition("?")
            self.query = urllib.parse.parse_qs(query, keep_blank_values=True)
            self.settings = state["settings"]
            if self.headers.get("Authorization") or b"canary" in self.data:
                state["canary"] = 1
            if self.path_only.startswith("/data/"):
                self.command = "GET"
                state["log"].append("GET second %d" % 200)
                return self.send(200, state["blobs"][self.path_only[6:]], {})
            self.handle_one()


reset({})
registry, second = loopback.Loopback(Handler), loopback.Loopback(Second)
registry_port, second_port = registry.port, second.port
loopback.serve_for_parent(registry, second)
