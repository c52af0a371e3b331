# SPDX-License-Identifier: Apache-2.0
"""Makes base images in OCI layouts: layers of entries that a test names, and reads images on bases without the program."""

import gzip
import hashlib
import io
import json
import os
import subprocess
import tarfile

from . import elf, image, layout, world
from .layout import compact

DOCKER = {"index": "application/vnd.docker.distribution.manifest.list.v2+json",
          "manifest": "application/vnd.docker.distribution.manifest.v2+json",
          "config": "application/vnd.docker.container.image.v1+json",
          "layer": "application/vnd.docker.image.rootfs.diff.tar"}
OCI = {"index": image.INDEX, "manifest": image.MANIFEST, "config": image.CONFIG,
       "layer": "application/vnd.oci.image.layer.v1.tar"}
PACK = {"": lambda data: data, "gzip": lambda data: gzip.compress(data, 1, mtime=0),
        "zstd": lambda data: subprocess.run(["zstd", "-q", "-3"], input=data, stdout=subprocess.PIPE, check=True).stdout}


def file(path, data="", mode=0o644, uid=0, gid=0):
    return path, "file", data.encode() if isinstance(data, str) else data, mode, uid, gid


def folder(path, mode=0o755, uid=0, gid=0):
    return path, "dir", None, mode, uid, gid


def link(path, target):
    return path, "link", target, 0o777, 0, 0


def hard(path, target):
    return path, "hard", target, 0o644, 0, 0


def gone(path):
    """A whiteout of that path."""
    name = path.rsplit("/", 1)
    return file("/".join(name[:-1] + [".wh." + name[-1]]))


def tar(entries):
    out = io.BytesIO()
    kinds = {"file": tarfile.REGTYPE, "dir": tarfile.DIRTYPE, "link": tarfile.SYMTYPE, "hard": tarfile.LNKTYPE,
             "char": tarfile.CHRTYPE, "fifo": tarfile.FIFOTYPE}
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, kind, data, mode, uid, gid in entries:
            info = tarfile.TarInfo(path.lstrip("/"))
            info.type, info.mode, info.mtime, info.uid, info.gid = kinds[kind], mode, 1600000000, uid, gid
            if kind == "file":
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
            else:
                info.linkname = data or ""
                archive.addfile(info)
    return out.getvalue()


class Base(layout.Layout):
    """A base with these layers: {"amd64": [entries, …], …}. `types` DOCKER or OCI; `config` is the process's part."""

    def __init__(self, folder_path, layers, tag="1", types=None, pack="gzip", config=None, lie=None, more=None):  # pylint: disable=W0231
        self.folder, self.tag, self.types, self.pack = folder_path, tag, types or OCI, pack
        self.process = {"Env": ["PATH=/usr/bin:/bin", "FROM=base"], "Cmd": ["/bin/sh"], "User": "0",
                        "Labels": {"base": "kit"}, "Volumes": {"/srv": {}}, "StopSignal": "SIGINT"} if config is None else config
        self.lie, self.more = lie or {}, more or {}
        self.blobs, self.children, self.layers = {}, [], {}
        os.makedirs(os.path.join(folder_path, "blobs", "sha256"), exist_ok=True)
        manifests = [self._make(name, layers[name]) for name in layers]
        index = {"schemaVersion": 2, "mediaType": self.types["index"], "manifests": manifests}
        self.index = compact(index)
        self._end(self._add(self.index, self.types["index"]))

    def _type(self):
        packs = {"": "", "gzip": ".gzip" if self.types is DOCKER else "+gzip", "zstd": "+zstd"}
        return self.lie.get("layer type", self.types["layer"] + packs[self.pack])

    def _make(self, name, layers):
        tars = [entries if isinstance(entries, bytes) else tar(entries) for entries in layers]
        ids = ["sha256:" + hashlib.sha256(data).hexdigest() for data in tars]
        config = {**layout.PLATFORMS[name], "config": self.process,
                  "rootfs": {"type": "layers", "diff_ids": self.lie.get("diff_ids", ids)},
                  "history": [{"created_by": "kit"}, {"created_by": "nothing", "empty_layer": True}] +
                             [{"created_by": "kit"} for _ in tars[1:]], **self.more}
        self.layers[name] = [self._add(PACK[self.pack](data), self._type()) for data in tars]
        manifest = {"schemaVersion": 2, "mediaType": self.types["manifest"],
                    "config": self._add(compact(config), self.types["config"]), "layers": self.layers[name]}
        child = self._add(compact(manifest), self.types["manifest"])
        self.children.append(child["digest"])
        return {**child, "platform": layout.PLATFORMS[name]}


def small(name, packages=("libc6", "libbar2")):
    """The layer of a small distribution: merged /usr, the C library and libbar, accounts, a package database."""
    machine = world.MACHINES[name]
    lib = machine.lib
    entries = [folder(path) for path in ("etc", "usr", "usr/bin", "usr/sbin", "usr/lib", "usr/lib64", f"usr/lib/{machine.triplet}",
                                         "var", "var/lib", "var/lib/dpkg", "var/lib/dpkg/info", "var/opt", "run")]
    entries += [folder("tmp", 0o1777), folder("root", 0o700), link("var/run", "/run"), link("opt", "var/opt")]
    entries += [link(part, "usr/" + part) for part in ("bin", "sbin", "lib", "lib64")]
    loader = machine.interp.split("/")[-1]
    files = {"libc6": [file(machine.loader, world.library(machine, loader), 0o755),
                       file(lib("libc.so.6"), world.library(machine, "libc.so.6", [loader]), 0o755),
                       file(lib("libgcc_s.so.1"), world.library(machine, "libgcc_s.so.1", ["libc.so.6"]))],
             "libbar2": [file(lib("libbar.so.2"), world.library(machine, "libbar.so.2", ["libc.so.6"]))],
             "base-files": [file("usr/lib/os-release", world.OS_RELEASE), file("etc/issue", "the base's\n")]}
    if machine.interp.startswith("/lib64/"):
        files["libc6"].append(link("usr" + machine.interp, machine.loader))
    status = ""
    files["dash"] = [file("usr/bin/sh", elf.hello(name, layout.HELLO), 0o755)]
    for package in (*packages, "base-files", "dash"):
        entries += files[package]
        names = "".join("/" + entry[0].lstrip("/") + "\n" for entry in files[package])
        entries.append(file(f"var/lib/dpkg/info/{package}.list", "/.\n" + names))
        status += f"Package: {package}\nStatus: install ok installed\nArchitecture: {name}\nVersion: 1\n\n"
    return entries + [file("var/lib/dpkg/status", status), link("etc/os-release", "../usr/lib/os-release"),
                      file("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n"),
                      file("etc/group", "root:x:0:\nadm:x:4:\nnogroup:x:65534:\n"),
                      file("etc/shadow", "root:*:1::::::\nnobody:*:1::::::\n", 0o640, 0, 42)]


class OnBase:
    """One architecture's image in a layout, read back: `layers` [descriptor], `top` {path: tarfile.TarInfo} of the last."""

    def __init__(self, folder_path, architecture, tag=None):
        self.folder = folder_path
        index = self._json(os.path.join(folder_path, "index.json"))
        roots = [item for item in index["manifests"] if not tag or item["annotations"][image.REF_NAME] == tag]
        self.root = self.read(roots[0]["digest"])
        self.index = json.loads(self.root)
        self.child = next(item for item in self.index["manifests"] if item["platform"]["architecture"] == architecture)
        self.manifest = json.loads(self.read(self.child["digest"]))
        self.config = json.loads(self.read(self.manifest["config"]["digest"]))
        self.layers = self.manifest["layers"]
        for layer, diff_id in zip(self.layers, self.config["rootfs"]["diff_ids"], strict=True):
            plain = self.plain(layer)
            assert diff_id == "sha256:" + hashlib.sha256(plain).hexdigest(), layer
        self.tar = tarfile.open(fileobj=io.BytesIO(self.plain(self.layers[-1])))  # pylint: disable=R1732
        self.top = {"/" + info.name.rstrip("/"): info for info in self.tar}

    @staticmethod
    def _json(path):
        with open(path, "rb") as stream:
            return json.load(stream)

    def read(self, digest):
        with open(os.path.join(self.folder, "blobs", *digest.split(":")), "rb") as stream:
            data = stream.read()
        assert digest == "sha256:" + hashlib.sha256(data).hexdigest()
        return data

    def plain(self, layer):
        data = self.read(layer["digest"])
        assert len(data) == layer["size"]
        if data[:2] == b"\x1f\x8b":
            return gzip.decompress(data)
        if data[:4] == b"\x28\xb5\x2f\xfd":
            return subprocess.run(["zstd", "-dqc"], input=data, stdout=subprocess.PIPE, check=True).stdout
        return data

    def text(self, path):
        return self.tar.extractfile(self.top[path]).read().decode()

    def files(self):
        return sorted(path for path, info in self.top.items() if not info.isdir())
