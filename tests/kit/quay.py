# SPDX-License-Identifier: Apache-2.0
"""An imitation of quay.io's registry with its peculiar answers (quay/quay, endpoints/v2 and auth), and nothing more:

- tokens without expires_in; scopes only pull, push and *, one per parameter; a push scope creates the repository
- a missing blob or child is 400 MANIFEST_INVALID, without detail when the manifest was put by digest
- Content-Type with a parameter is 415; read-only mode is 405; 429 has an HTML body and no Retry-After
- upload status and 416 are off by one ("Range: 0-n" for n bytes); POST says "bytes=0--1"; a failed last PUT ends it
- manifests that no tag reaches vanish (`collect_after` requests after they came)
- HTTP/1.1 connections of blobs and tokens are closed after each answer; blobs cannot be deleted
"""

import base64
import hashlib
import json
import re
import time
import uuid

from .service import Answer, Service

_JSON, _CLOSE = {"Content-Type": "application/json"}, {"Connection": "close"}
_SCOPE = re.compile(r"repository:([a-z0-9._/-]+):((pull|push|\*)(,(pull|push|\*))*)")


def _error(status, code, message, detail=None, headers=None):
    body = {"errors": [{"code": code, "message": message, "detail": detail or {}}]}
    return Answer(status, json.dumps(body).encode(), {**_JSON, **(headers or {})})


class Quay(Service):
    def __init__(self, users, lifetime=3600):
        super().__init__()
        self.users, self.lifetime = users, lifetime
        self.blobs, self.manifests, self.tags_of = {}, {}, {}  # (repository, digest) → bytes; … → (type, bytes, born)
        self.created, self.sessions, self.tokens = set(), {}, {}
        self.is_read_only = False
        self.collect_after = None
        self.count = 0

    def tags(self, repository):
        return dict(self.tags_of.get(repository, {}))

    def check(self, repository, digest):
        """As Registry.check(): raises unless everything is there."""
        if (repository, digest) not in self.manifests:
            raise AssertionError(f"{repository}: manifest {digest} is not there")
        document = json.loads(self.manifests[repository, digest][1])
        if "manifests" in document:
            return 1 + sum(self.check(repository, child["digest"]) for child in document["manifests"])
        for part in [document["config"], *document["layers"]]:
            if (repository, part["digest"]) not in self.blobs:
                raise AssertionError(f"{repository}: blob {part['digest']} is not there")
        return 1

    def answer(self, request):
        with self.lock:
            self.count += 1
            self._collect()
            if request.path == "/v2/auth":
                return self._token(request)
            bearer = request.headers.get("Authorization", "").partition("Bearer ")[2]
            granted = self.tokens.get(bearer)
            if granted is None or granted[1] < time.time():
                return _error(401, "UNAUTHORIZED", "access to the requested resource is not authorized", headers={
                    "WWW-Authenticate": f'Bearer realm="{self.url}/v2/auth",service="{self.host}"'
                                        + self._scope_of(request)})
            return self._serve(request, granted[0])

    @staticmethod
    def _scope_of(request):
        found = re.match(r"/v2/(.+)/(manifests|blobs|referrers)/", request.path)
        if not found:
            return ""
        actions = "pull" if request.verb in ("GET", "HEAD") else "pull,push"
        return f',scope="repository:{found.group(1)}:{actions}"'

    def _token(self, request):
        value = request.headers.get("Authorization")
        user = None
        if value:
            user, _, password = base64.b64decode(value.split()[1]).decode().partition(":")
            if self.users.get(user) != password:
                return _error(401, "UNAUTHORIZED", "Could not find robot with specified username", headers=_CLOSE)
        rights = {}
        for scope in request.query.get("scope", []):
            found = _SCOPE.fullmatch(scope)
            if not found:
                return _error(400, "INVALID_REQUEST", f"Unable to decode repository and actions: {scope}",
                              headers=_CLOSE)
            actions = set(found.group(2).split(",")) if user else set()
            if "push" in actions:
                self.created.add(found.group(1))
            rights[found.group(1)] = actions
        now = int(time.time())
        part = lambda data: base64.urlsafe_b64encode(json.dumps(data).encode()).rstrip(b"=").decode()
        token = ".".join((part({"alg": "RS256", "typ": "JWT"}), part({"iss": "quay", "iat": now, "nbf": now,
                         "exp": now + self.lifetime, "jti": uuid.uuid4().hex}), "c2lnbmF0dXJl"))
        self.tokens[token] = rights, now + self.lifetime
        return Answer(200, json.dumps({"token": token}).encode(), {**_JSON, **_CLOSE})

    def _collect(self):
        if self.collect_after is None:
            return
        kept = set()
        for repository, tags in self.tags_of.items():
            for digest in tags.values():
                document = json.loads(self.manifests[repository, digest][1])
                kept |= {(repository, digest)} | {(repository, c["digest"]) for c in document.get("manifests", [])}
        for key in [k for k, (_, _, born) in self.manifests.items() if born + self.collect_after < self.count]:
            if key not in kept:
                del self.manifests[key]

    def _serve(self, request, rights):
        if request.path == "/v2/":
            return Answer(200, b"true", _JSON)
        found = re.fullmatch(r"/v2/(.+)/(blobs/uploads|blobs|manifests|referrers)/([^/]*)", request.path)
        if not found:
            return _error(404, "NOT_FOUND", "not found")
        repository, kind, name = found.groups()
        reads = request.verb in ("GET", "HEAD") and kind != "blobs/uploads"
        if not rights.get(repository, set()) & ({"pull", "*"} if reads else {"push", "*"}):
            return _error(401, "UNAUTHORIZED", "access to the requested resource is not authorized")
        if self.is_read_only and not reads:
            return _error(405, "DENIED", "System is currently read-only. Pulls will succeed but all write operations "
                          "are currently suspended.", {"is_readonly": True})
        if kind == "blobs/uploads":
            return self._upload(request, repository, name)
        if kind == "blobs":
            return self._blob(request, repository, name)
        if kind == "referrers":
            return self._referrers(repository, name)
        return self._manifest(request, repository, name)

    def _blob(self, request, repository, digest):
        if request.verb == "DELETE":
            return _error(405, "UNSUPPORTED", "The operation is unsupported.")
        data = self.blobs.get((repository, digest))
        if data is None:
            return _error(404, "BLOB_UNKNOWN", "blob unknown to registry", headers=_CLOSE)
        headers = {"Docker-Content-Digest": digest, "Content-Type": "application/octet-stream", **_CLOSE}
        if request.verb == "HEAD":
            headers["Content-Length"] = str(len(data))
        return Answer(200, data, headers)

    def _upload(self, request, repository, name):
        if request.verb == "POST":
            return self._open(request, repository)
        if (repository, name) not in self.sessions:
            return _error(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry", headers=_CLOSE)
        stored = self.sessions[repository, name]
        if request.verb == "DELETE":
            del self.sessions[repository, name]
            return Answer(204)
        if request.verb == "GET":
            return Answer(204, b"", {"Docker-Upload-UUID": name, "Range": f"bytes=0-{len(stored)}", **_CLOSE})
        start = int(re.match(r"(\d+)-", request.headers.get("Content-Range", f"{len(stored)}-")).group(1))
        if start > len(stored):
            return Answer(416, b"", {"Docker-Upload-UUID": name, "Range": f"0-{len(stored)}", **_CLOSE})
        if request.body:
            stored += request.body[len(stored) - start:] if start else request.body
        if request.verb == "PATCH":
            return Answer(202, b"", {"Location": self._location(repository, name), "Docker-Upload-UUID": name,
                                     "Range": f"0-{len(stored) - 1}", **_CLOSE})
        del self.sessions[repository, name]
        digest = request.query.get("digest", [""])[0]
        if digest != "sha256:" + hashlib.sha256(stored).hexdigest():
            return _error(400, "BLOB_UPLOAD_INVALID", "blob upload invalid", headers=_CLOSE)
        self.blobs[repository, digest] = bytes(stored)
        return Answer(201, b"", {"Location": f"{self.url}/v2/{repository}/blobs/{digest}",
                                 "Docker-Content-Digest": digest, **_CLOSE})

    def _open(self, request, repository):
        mount, origin = request.query.get("mount", [None])[0], request.query.get("from", [None])[0]
        if mount and (origin, mount) in self.blobs:
            self.blobs[repository, mount] = self.blobs[origin, mount]
            return Answer(201, b"", {"Location": f"{self.url}/v2/{repository}/blobs/{mount}",
                                     "Docker-Content-Digest": mount})
        name = str(uuid.uuid4())
        self.sessions[repository, name] = bytearray()
        return Answer(202, b"", {"Location": self._location(repository, name), "Docker-Upload-UUID": name,
                                 "Range": "bytes=0--1", **_CLOSE})

    def _location(self, repository, name):
        return f"{self.url}/v2/{repository}/blobs/uploads/{name}"

    def _manifest(self, request, repository, name):
        if request.verb == "PUT":
            return self._put_manifest(request, repository, name)
        digest = name if name.startswith("sha256:") else self.tags_of.get(repository, {}).get(name)
        kept = self.manifests.get((repository, digest))
        if kept is None or kept[0] not in ", ".join(request.headers.get_all("Accept", [])):
            return _error(404, "MANIFEST_UNKNOWN", "manifest unknown")
        headers = {"Content-Type": kept[0], "Docker-Content-Digest": digest}
        if request.verb == "HEAD":
            headers["Content-Length"] = str(len(kept[1]))
        return Answer(200, kept[1], headers)

    def _put_manifest(self, request, repository, name):
        media_type, by_digest = request.headers.get("Content-Type", ""), name.startswith("sha256:")
        if ";" in media_type:
            return _error(415, "UNSUPPORTED", "manifest type unsupported")
        document = json.loads(request.body)
        digest = "sha256:" + hashlib.sha256(request.body).hexdigest()
        if document.get("mediaType") != media_type or (by_digest and name != digest):
            return _error(400, "MANIFEST_INVALID", "manifest invalid", {"message": "media type or digest mismatch"})
        for child in document.get("manifests", []):
            kept = self.manifests.get((repository, child["digest"]))
            if kept is None:
                return self._invalid(by_digest, "Could not find child manifest")
            if len(kept[1]) != child["size"]:
                return self._invalid(by_digest, "Size of manifest does not match")
        for part in [document[key] for key in ("config",) if key in document] + document.get("layers", []):
            if (repository, part["digest"]) not in self.blobs:
                return self._invalid(by_digest, f"Unknown blob `{part['digest']}`")
        if "subject" in document and (repository, document["subject"]["digest"]) not in self.manifests:
            return self._invalid(by_digest, "subject")
        self.manifests[repository, digest] = media_type, request.body, self.count
        if not by_digest:
            self.tags_of.setdefault(repository, {})[name] = digest
        return Answer(201, b"", {"Location": f"{self.url}/v2/{repository}/manifests/{digest}",
                                 "Docker-Content-Digest": digest})

    @staticmethod
    def _invalid(by_digest, text):
        return _error(400, "MANIFEST_INVALID", "manifest invalid", None if by_digest else {"message": text})

    def _referrers(self, repository, digest):
        if (repository, digest) not in self.manifests:
            return _error(400, "MANIFEST_INVALID", "manifest invalid")
        found = [(d, kept[1], json.loads(kept[1])) for (r, d), kept in self.manifests.items() if r == repository]
        descriptors = [{"mediaType": doc["mediaType"], "digest": d, "size": len(data),
                        "artifactType": doc.get("artifactType"), "annotations": doc.get("annotations", {})}
                       for d, data, doc in found if doc.get("subject", {}).get("digest") == digest]
        return Answer(200, json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
                                       "manifests": descriptors}).encode(),
                      {"Content-Type": "application/vnd.oci.image.index.v1+json"})
