# SPDX-License-Identifier: Apache-2.0
"""Makes OCI layouts for pushing, without the program: an index of two platforms, each with a config and small layers
that hold a program that says hello."""

import gzip
import hashlib
import io
import json
import os
import random
import tarfile

from . import elf, image

PLATFORMS = {"amd64": {"architecture": "amd64", "os": "linux"},
             "arm64": {"architecture": "arm64", "os": "linux", "variant": "v8"}}
GZIP = "application/vnd.oci.image.layer.v1.tar+gzip"
HELLO = "hello from the kit\n"


def compact(document):
    return json.dumps(document, separators=(",", ":")).encode()


class Layout:
    """An image in an OCI layout: `digest` of its index, `children` [manifest digests], `blobs` {digest: size}."""

    def __init__(self, folder, tag="latest", seed=1, size=20000, layers=1, architectures=("amd64", "arm64")):
        self.folder, self.tag = folder, tag
        self.blobs, self.children = {}, []
        os.makedirs(os.path.join(folder, "blobs", "sha256"))
        index = {"schemaVersion": 2, "mediaType": image.INDEX,
                 "manifests": [self._platform(name, seed, size, layers) for name in architectures]}
        self.index = compact(index)
        self._end(self._add(self.index, image.INDEX))

    def _end(self, root):
        self.digest = root["digest"]
        self._write("oci-layout", compact({"imageLayoutVersion": "1.0.0"}))
        self._write("index.json", compact({"schemaVersion": 2, "mediaType": image.INDEX, "manifests": [
            {**root, "annotations": {image.REF_NAME: self.tag}}]}))

    def _write(self, name, data):
        with open(os.path.join(self.folder, name), "wb") as stream:
            stream.write(data)

    def path(self, digest):
        return os.path.join(self.folder, "blobs", *digest.split(":"))

    def _add(self, data, media_type):
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        self.blobs[digest] = len(data)
        self._write(os.path.join("blobs", *digest.split(":")), data)
        return {"mediaType": media_type, "digest": digest, "size": len(data)}

    def _platform(self, name, seed, size, layers):
        tars = [self._tar(name, f"{seed} {name} {number}", size // layers, number == 0) for number in range(layers)]
        config = {**PLATFORMS[name], "created": "2023-11-14T22:13:20Z", "config": {"Entrypoint": ["/hello"]},
                  "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(t).hexdigest() for t in tars]},
                  "history": [{"created": "2023-11-14T22:13:20Z", "created_by": "kit"} for _ in tars]}
        manifest = {"schemaVersion": 2, "mediaType": image.MANIFEST, "config": self._add(compact(config), image.CONFIG),
                    "layers": [self._add(gzip.compress(t, 1, mtime=0), GZIP) for t in tars]}
        child = self._add(compact(manifest), image.MANIFEST)
        self.children.append(child["digest"])
        return {**child, "platform": PLATFORMS[name]}

    @staticmethod
    def _tar(name, seed, size, with_program):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
            files = [("hello", 0o755, elf.hello(name, HELLO))] if with_program else []
            for path, mode, data in files + [("noise-" + seed.replace(" ", "-"), 0o644,
                                              random.Random(seed).randbytes(size))]:
                info = tarfile.TarInfo(path)
                info.size, info.mode, info.mtime = len(data), mode, 1700000000
                archive.addfile(info, io.BytesIO(data))
        return out.getvalue()


class Nested(Layout):
    """An index of an image, of an index with the other platform's image, and of a document of an unknown type."""

    def __init__(self, folder, tag="latest"):
        super().__init__(folder, tag=tag)
        first, second = json.loads(self.index)["manifests"]
        self.inner = self._index([second])
        self.inner_index = self.index
        self.thing = self._add(b"{}", "application/vnd.example.thing+json")
        self.children.append(self.inner["digest"])
        self._end(self._index([first, self.inner, self.thing]))

    def _index(self, manifests):
        self.index = compact({"schemaVersion": 2, "mediaType": image.INDEX, "manifests": manifests})
        return self._add(self.index, image.INDEX)


class Attested(Layout):
    """An index of an image and of an attestation, as buildkit writes it; children[-1] is the latter."""

    def __init__(self, folder, tag="latest"):
        super().__init__(folder, tag=tag, size=2000, architectures=("amd64",))
        first = json.loads(self.index)["manifests"][0]
        config = self._add(compact({"architecture": "unknown", "os": "unknown", "config": {},
                                    "rootfs": {"type": "layers", "diff_ids": []}}), image.CONFIG)
        manifest = {"schemaVersion": 2, "mediaType": image.MANIFEST, "config": config, "layers": []}
        attestation = {**self._add(compact(manifest), image.MANIFEST),
                       "platform": {"architecture": "unknown", "os": "unknown"},
                       "annotations": {"vnd.docker.reference.digest": first["digest"],
                                       "vnd.docker.reference.type": "attestation-manifest"}}
        self.children.append(attestation["digest"])
        self.index = compact({"schemaVersion": 2, "mediaType": image.INDEX, "manifests": [first, attestation]})
        self._end(self._add(self.index, image.INDEX))


class Artifact(Layout):
    """A text about another image, its subject, in a layout: `descriptor` is what an index of referrers says of it."""

    def __init__(self, folder, subject, text, kind=None, annotations=None, in_index=False):  # pylint: disable=W0231
        self.folder, self.tag = folder, "latest"
        self.blobs, self.children = {}, []
        os.makedirs(os.path.join(folder, "blobs", "sha256"))
        config = self._add(b"{}", "application/vnd.oci.empty.v1+json")
        manifest = {"schemaVersion": 2, "mediaType": image.MANIFEST, **({"artifactType": kind} if kind else {}),
                    "config": config, "layers": [self._add(text.encode(), "text/plain")],
                    "subject": {"mediaType": image.INDEX, "digest": subject.digest, "size": len(subject.index)},
                    **({"annotations": annotations} if annotations else {})}
        added = self._add(compact(manifest), image.MANIFEST)
        self.descriptor = {**added, "artifactType": kind or config["mediaType"],
                           **({"annotations": annotations} if annotations else {})}
        if in_index:
            self.children.append(added["digest"])
            index = {"schemaVersion": 2, "mediaType": image.INDEX, "manifests": [added]}
            added = self._add(compact(index), image.INDEX)
        self._end(added)
