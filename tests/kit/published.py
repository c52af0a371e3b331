# SPDX-License-Identifier: Apache-2.0
"""Puts images, artifacts and tags into a registry by hand, as nights of other days would have: small documents, plain HTTP."""

import hashlib
import http.client
import json
import time

from .image import CONFIG, INDEX, MANIFEST

DAY = 86400
EMPTY = "application/vnd.oci.empty.v1+json"


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def compact(document):
    return json.dumps(document, separators=(",", ":")).encode()


def descriptor(data, media_type, **more):
    return {"mediaType": media_type, "digest": digest_of(data), "size": len(data), **more}


def stamp(seconds, digest):
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(seconds)) + "-" + digest.removeprefix("sha256:")[:12]


class Published:
    """An image: its index, and its platforms' manifests (digests)."""

    def __init__(self, digest, children, size):
        self.digest, self.children, self.size = digest, children, size


class Repository:
    """A repository of a registry without authentication: registry is HOST:PORT."""

    def __init__(self, host, name):
        self.host, self.name, self.reference = host, name, f"{host}/{name}"
        self.now = int(time.time())

    def ask(self, verb, path, body=None, **headers):
        """(status, body)"""
        connection = http.client.HTTPConnection(self.host, timeout=60)
        try:
            connection.request(verb, path if path.startswith("/") else f"/v2/{self.name}/{path}", body=body, headers=headers)
            answer = connection.getresponse()
            data = answer.read()
            self.location = answer.getheader("Location", "")
            return answer.status, data
        finally:
            connection.close()

    def _want(self, verb, path, body=None, **headers):
        status, data = self.ask(verb, path, body, **headers)
        if status not in (200, 201, 202):
            raise AssertionError(f"{verb} {path}: {status} {data!r}")
        return data

    def blob(self, data, media_type):
        self._want("POST", "blobs/uploads/")
        where = self.location.split(self.host, 1)[-1]
        self._want("PUT", f"{where}{'&' if '?' in where else '?'}digest={digest_of(data)}", data,
                   **{"Content-Type": "application/octet-stream"})
        return descriptor(data, media_type)

    def manifest(self, document, media_type, tag=None):
        data = compact(document)
        self._want("PUT", f"manifests/{tag or digest_of(data)}", data, **{"Content-Type": media_type})
        return descriptor(data, media_type)

    def platform(self, architecture, seed, packing=""):
        """One platform's manifest; equal seeds are one manifest, and with another packing one of the same configuration."""
        plain = f"layer {architecture} {seed}".encode() * 40
        layer = self.blob(plain + packing.encode(), "application/vnd.oci.image.layer.v1.tar")
        config = self.blob(compact({"architecture": architecture, "os": "linux", "config": {}, "rootfs": {
            "type": "layers", "diff_ids": [digest_of(plain)]}}), CONFIG)
        return {**self.manifest({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]}, MANIFEST),
                "platform": {"architecture": architecture, "os": "linux"}}

    def image(self, seed, tags=(), amd64=None, version="1.0-1", packings=("",)):
        """An image of two platforms under tags, in each packing."""
        children = [self.platform(name, amd64 or seed if name == "amd64" else seed, packing)
                    for packing in packings for name in ("amd64", "arm64")]
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": children, "annotations": {
            "org.opencontainers.image.version": version, "org.opencontainers.image.created": "2026-01-02T03:04:05Z",
            "seed": str(seed)}}
        found = self.manifest(index, INDEX)
        for tag in tags:
            self.manifest(index, INDEX, tag)
        self.documents = getattr(self, "documents", {})
        self.documents[found["digest"]] = index
        return Published(found["digest"], [child["digest"] for child in children], found["size"])

    def tag(self, published, tag):
        self.manifest(self.documents[published.digest], INDEX, tag)

    def night(self, seed, days_ago, tags=(), **settings):
        """What a night that many days ago published: with its stamp."""
        made = self.image(seed, tags, **settings)
        made.stamp = stamp(self.now - days_ago * DAY, made.digest)
        self.tag(made, made.stamp)
        return made

    def attach(self, subject, text, media_type=INDEX, size=None, has_api=False, tag=None):
        """Something about a manifest; returns its descriptor. Without the referrers API the tag of the subject names it."""
        config = self.blob(b"{}", EMPTY)
        layer = self.blob(text.encode(), "text/plain")
        document = {"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": "text/plain", "config": config, "layers": [layer],
                    "subject": {"mediaType": media_type, "digest": subject, "size": size or 1}}
        made = self.manifest(document, MANIFEST)
        if tag:
            self.manifest(document, MANIFEST, tag)
        if not has_api:
            fallback = subject.replace(":", "-")
            status, data = self.ask("GET", f"manifests/{fallback}", Accept=INDEX)
            index = json.loads(data) if status == 200 else {"schemaVersion": 2, "mediaType": INDEX, "manifests": []}
            index["manifests"].append({**made, "artifactType": "text/plain"})
            self.manifest(index, INDEX, fallback)
        return made["digest"]

    def read(self, name):
        return json.loads(self._want("GET", f"manifests/{name}", Accept=f"{INDEX}, {MANIFEST}"))

    def has(self, name):
        return self.ask("GET", f"manifests/{name}", Accept=f"{INDEX}, {MANIFEST}")[0] == 200

    def tags(self):
        """All of them, page by page."""
        found, path = [], "tags/list?n=1000"
        while True:
            status, data = self.ask("GET", path)
            page = (json.loads(data)["tags"] or []) if status == 200 else []
            found += page
            if len(page) < 1000:
                return sorted(found)
            path = f"tags/list?n=1000&last={page[-1]}"

    def incomplete(self):
        """The tags that are at something of which a part is missing, by what the registry answers."""
        wrong = []
        for tag in self.tags():
            status, data = self.ask("GET", f"manifests/{tag}", Accept=f"{INDEX}, {MANIFEST}")
            document = json.loads(data) if status == 200 else {}
            if status != 200:
                wrong.append((tag, status))
            if tag.startswith("sha256-"):
                continue  # its entries may be gone, as it goes last
            for child in document.get("manifests", ()):
                status, data = self.ask("GET", f"manifests/{child['digest']}", Accept=MANIFEST)
                if status != 200:
                    wrong.append((tag, child["digest"]))
                    continue
                inner = json.loads(data)
                wrong += [(tag, part["digest"]) for part in (inner["config"], *inner["layers"])
                          if self.ask("HEAD", f"blobs/{part['digest']}")[0] != 200]
        return wrong
