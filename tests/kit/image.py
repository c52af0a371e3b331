# SPDX-License-Identifier: Apache-2.0
"""Reads an OCI image layout with no help from the program, and checks all of it: OCI image-spec 1.1."""

import gzip
import hashlib
import io
import json
import os
import re
import subprocess
import tarfile

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYERS = {"application/vnd.oci.image.layer.v1.tar+zstd": "zstd", "application/vnd.oci.image.layer.v1.tar+gzip": "gzip"}
TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")
REF_NAME = "org.opencontainers.image.ref.name"


class Broken(AssertionError):
    """The layout is not what it must be."""


def check(condition, text):
    if not condition:
        raise Broken(text)


class Entry:
    """One entry of a layer."""

    def __init__(self, info, data):
        self.path = "/" + info.name.rstrip("/")
        self.kind = {tarfile.REGTYPE: "file", tarfile.DIRTYPE: "dir", tarfile.SYMTYPE: "link",
                     tarfile.LNKTYPE: "hardlink"}.get(info.type, "other")
        self.mode, self.uid, self.gid, self.mtime = info.mode, info.uid, info.gid, int(info.mtime)
        self.target = info.linkname if self.kind in ("link", "hardlink") else None
        self.data = data
        capability = info.pax_headers.get("SCHILY.xattr.security.capability")
        self.capability = capability.encode("utf-8", "surrogateescape") if capability is not None else None

    def __repr__(self):
        return f"<{self.kind} {self.path} {self.mode:o} {self.uid}:{self.gid} → {self.target}>"

    def facts(self):
        """What two copies of the same file share, time aside."""
        return (self.kind, self.mode, self.uid, self.gid, self.target,
                hashlib.sha256(self.data).hexdigest() if self.data is not None else None)


class Image:
    """One architecture's image: descriptor, manifest, config, and the layer's entries by path."""

    def __init__(self, descriptor, manifest, config, tar_bytes):
        self.descriptor, self.manifest, self.config, self.tar_bytes = descriptor, manifest, config, tar_bytes
        self.entries = read_tar(tar_bytes)

    @property
    def digest(self):
        return self.descriptor["digest"]

    def __getitem__(self, path):
        return self.entries[path]

    def __contains__(self, path):
        return path in self.entries

    def paths(self, *kinds):
        return [path for path, entry in self.entries.items() if not kinds or entry.kind in kinds]

    def resolve(self, path, hops=40):
        """Follows symlinks inside the image; None when it ends nowhere."""
        done, todo = [], [part for part in path.split("/") if part]
        while todo:
            part = todo.pop(0)
            if part == "..":
                done = done[:-1]
                continue
            here = "/" + "/".join(done + [part])
            entry = self.entries.get(here)
            if entry is None:
                return None
            if entry.kind != "link":
                done.append(part)
                continue
            hops -= 1
            if hops < 0:
                return None
            if entry.target.startswith("/"):
                done = []
            todo = [piece for piece in entry.target.split("/") if piece not in ("", ".")] + todo
        return "/" + "/".join(done)


def read_tar(tar_bytes):
    """The entries of a layer, after checking that it is a canonical, deterministic archive."""
    entries = {}
    with tarfile.open(fileobj=io.BytesIO(tar_bytes), mode="r:") as archive:
        for info in archive:
            check(info.uname == "" and info.gname == "", f"{info.name}: owner names in the layer")
            check(not info.name.startswith(("/", "./")) and ".." not in info.name.split("/"), f"{info.name}: bad name")
            check(info.type in (tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE),
                  f"{info.name}: type {info.type!r}")
            data = archive.extractfile(info).read() if info.type == tarfile.REGTYPE else None
            entry = Entry(info, data)
            check(entry.path not in entries, f"{entry.path}: twice in the layer")
            parent = os.path.dirname(entry.path)
            check(parent == "/" or (parent in entries and entries[parent].kind == "dir"),
                  f"{entry.path}: no directory before it")
            check(entry.kind != "hardlink" or "/" + entry.target in entries, f"{entry.path}: hard link to nothing")
            entries[entry.path] = entry
    check(len(tar_bytes) % 512 == 0 and tar_bytes.endswith(bytes(1024)), "the layer does not end as a tar archive does")
    return entries


def decompress(kind, data):
    if kind == "gzip":
        return gzip.decompress(data)
    done = subprocess.run(["zstd", "-dcq"], input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    check(done.returncode == 0, f"zstd -d: {done.stderr.decode(errors='replace')}")
    return done.stdout


class Layout:
    """An OCI image layout in a folder; the constructor verifies every byte that it refers to."""

    def __init__(self, path):
        self.path = path
        self.used = set()
        with open(os.path.join(path, "oci-layout"), "rb") as stream:
            check(json.load(stream) == {"imageLayoutVersion": "1.0.0"}, "oci-layout")
        with open(os.path.join(path, "index.json"), "rb") as stream:
            self.index_json = json.loads(stream.read())
        check(self.index_json["schemaVersion"] == 2, "index.json: schemaVersion")
        self.tags = {}
        self.images = {}  # tag → {oci architecture (with variant): Image}
        self._cache = {}
        for descriptor in self.index_json["manifests"]:
            tag = descriptor.get("annotations", {}).get(REF_NAME)
            check(tag and TAG.fullmatch(tag), f"index.json: tag {tag!r}")
            check(tag not in self.tags, f"index.json: tag {tag} twice")
            self.tags[tag] = descriptor["digest"]
            if descriptor["mediaType"] == INDEX:
                self.images[tag] = self._index(descriptor)

    def blob(self, descriptor):
        """The bytes of a blob, checked against digest and size."""
        algorithm, _, wanted = descriptor["digest"].partition(":")
        check(algorithm == "sha256" and re.fullmatch("[0-9a-f]{64}", wanted), f"digest {descriptor['digest']}")
        with open(os.path.join(self.path, "blobs", "sha256", wanted), "rb") as stream:
            data = stream.read()
        check(len(data) == descriptor["size"], f"{wanted}: size {len(data)}, descriptor says {descriptor['size']}")
        check(hashlib.sha256(data).hexdigest() == wanted, f"{wanted}: other bytes than its name says")
        self.used.add(wanted)
        return data

    def _index(self, descriptor):
        index = json.loads(self.blob(descriptor))
        check(index["schemaVersion"] == 2 and index["mediaType"] == INDEX, "index: schemaVersion or mediaType")
        images = {}
        for child in index["manifests"]:
            platform = child["platform"]
            name = "/".join(filter(None, (platform["architecture"], platform.get("variant"))))
            check(platform["os"] == "linux" and name not in images, f"index: platform {platform}")
            images[name] = self._image(child)
        check(images, "index: no images")
        return images

    def _image(self, descriptor):
        if descriptor["digest"] in self._cache:
            return self._cache[descriptor["digest"]]
        check(descriptor["mediaType"] == MANIFEST, f"media type {descriptor['mediaType']}")
        manifest = json.loads(self.blob(descriptor))
        check(manifest["schemaVersion"] == 2 and manifest["mediaType"] == MANIFEST, "manifest: mediaType")
        check(manifest["config"]["mediaType"] == CONFIG, "config: mediaType")
        config = json.loads(self.blob(manifest["config"]))
        platform = descriptor["platform"]
        for key in ("os", "architecture", "variant"):
            check(config.get(key) == platform.get(key), f"config: {key} {config.get(key)}, index says {platform.get(key)}")
        check(len(manifest["layers"]) == 1 and config["rootfs"]["type"] == "layers", "layers")
        layer = manifest["layers"][0]
        tar_bytes = decompress(LAYERS[layer["mediaType"]], self.blob(layer))
        diff_id = "sha256:" + hashlib.sha256(tar_bytes).hexdigest()
        check(config["rootfs"]["diff_ids"] == [diff_id], f"diff_ids {config['rootfs']['diff_ids']}, the tar is {diff_id}")
        image = Image(descriptor, manifest, config, tar_bytes)
        self._cache[descriptor["digest"]] = image
        return image

    def stray_blobs(self):
        """Blobs that nothing refers to."""
        return sorted(set(os.listdir(os.path.join(self.path, "blobs", "sha256"))) - self.used)

    def digest(self, tag="latest"):
        return self.tags[tag]
