# SPDX-License-Identifier: Apache-2.0
"""What a registry holds and what a repository has, read without the program: the registry's files, its tars, indices, packages.
skopeo has its opinion of each image, too."""

import collections
import gzip
import hashlib
import io
import json
import os
import re
import subprocess
import tarfile
import tempfile
import xml.etree.ElementTree

from kit import rpm

from .upstream import ARCHES, SUITES

# Of each image: the packages that can alter it, and paths that it has to have (with the package that ships each).
IMAGES = {
    "alpha": ("deb", ("alpha", "alpha-data", "libone1"), {"/usr/sbin/alpha": "alpha", "/usr/share/alpha/about": "alpha",
                                                          "/usr/share/alpha-data/about": "alpha-data"}),
    "beta": ("deb", ("beta", "libone1", "libtwo2"), {"/usr/sbin/beta": "beta", "/usr/share/beta/about": "beta"}),
    "gamma": ("deb", ("gamma",), {"/usr/sbin/gamma": "gamma", "/usr/share/gamma/about": "gamma"}),
    "delta": ("deb", ("delta",), {"/usr/sbin/delta": "delta"}),
    "rho": ("rpm", ("rho",), {"/usr/bin/rho": "rho", "/usr/share/rho/about": "rho"}),
    "sigma": ("rpm", ("sigma",), {"/usr/bin/sigma": "sigma", "/usr/share/sigma/about": "sigma"}),
}
LIBRARIES = {"libone1": "libone.so.1", "libtwo2": "libtwo.so.2"}


class Package(collections.namedtuple("Package", "name version digest path is_fix", defaults=[False])):
    """One package as an index lists it; digest is its SHA-256, is_fix says that the suite for security updates has it."""


def _order(version):
    """The kit's versions are numbers with dots and hyphens."""
    return [int(part) for part in re.findall(r"\d+", version)]


class Mirror:
    """A generation's folder, as its indices say it."""

    def __init__(self, folder):
        self.folder = folder
        self._lists, self._newest, self._signatures = {}, {}, {}

    def listed(self, kind, arch):
        """{name: {version: Package}}; arch is Debian's name."""
        if (kind, arch) not in self._lists:
            found = self._lists[kind, arch] = {}
            for package in getattr(self, f"_read_{kind}")(arch):
                found.setdefault(package.name, {})[package.version] = package
        return self._lists[kind, arch]

    def newest(self, kind, arch):
        """{name: Package}: of RPM the newest that all architectures have, if there is one."""
        if (kind, arch) not in self._newest:
            found = self._newest[kind, arch] = {}
            for name, versions in self.listed(kind, arch).items():
                common = [version for version in versions if kind == "rpm" and all(
                    version in self.listed(kind, other).get(name, versions) for other in ARCHES)]
                found[name] = versions[max(common or versions, key=_order)]
        return self._newest[kind, arch]

    def is_common(self, image):
        """Whether an image is made of older packages, since its architectures differ in the newest."""
        kind, names, _ = IMAGES[image]
        newest = [[max(self.listed(kind, arch)[name], key=_order) for name in names] for arch in ARCHES]
        return kind == "rpm" and newest[0] != newest[1] and not self.lagging(image)

    def _read_deb(self, arch):
        for suite in SUITES:
            with gzip.open(f"{self.folder}/deb/dists/{suite}/main/binary-{arch}/Packages.gz", "rt", encoding="utf-8") as stream:
                text = stream.read()
            for stanza in filter(None, text.split("\n\n")):
                fields = dict(re.findall(r"(?m)^([A-Za-z0-9-]+): (.*)$", stanza))
                yield Package(fields["Package"], fields["Version"], fields["SHA256"], f"{self.folder}/deb/{fields['Filename']}",
                              suite == SUITES[1])

    def _read_rpm(self, arch):
        top = f"{self.folder}/rpm/{ARCHES[arch]}"
        (name,) = [name for name in os.listdir(f"{top}/repodata") if name.endswith("primary.xml.gz")]
        with gzip.open(f"{top}/repodata/{name}") as stream:
            root = xml.etree.ElementTree.parse(stream).getroot()
        space = {"c": "http://linux.duke.edu/metadata/common"}
        for node in root.findall("c:package", space):
            version = node.find("c:version", space)
            yield Package(node.findtext("c:name", namespaces=space), f"{version.get('ver')}-{version.get('rel')}",
                          node.findtext("c:checksum", namespaces=space), f"{top}/{node.find('c:location', space).get('href')}")

    def signature(self, image):
        """What an image has to be made of: {architecture: its packages}, as something that can be compared."""
        if image not in self._signatures:
            kind, names, _ = IMAGES[image]
            self._signatures[image] = tuple((arch, tuple(self.newest(kind, arch)[name][:3] for name in names)) for arch in ARCHES)
        return self._signatures[image]

    def lagging(self, image):
        """The packages of an image of which its architectures have several versions: then it is held."""
        (_, first), (_, second) = self.signature(image)
        return [one[0] for one, other in zip(first, second) if one[1] != other[1]]

    def fixes(self):
        """The packages of which the newest version of all architectures is in the security suite."""
        found = {}
        for package in (package for arch in ARCHES for package in self.newest("deb", arch).values()):
            if package.name not in found or _order(package.version) > _order(found[package.name].version):
                found[package.name] = package
        return {name for name, package in found.items() if package.is_fix}


_contents = {}


def contents(kind, package):
    """{path: bytes} of the regular files of a package, by dpkg-deb or rpm2cpio."""
    if package.digest not in _contents:
        with open(package.path, "rb") as stream:
            if hashlib.sha256(stream.read()).hexdigest() != package.digest:
                raise AssertionError(f"{package.path}: another digest than its index has")
        if kind == "rpm":
            _contents[package.digest] = rpm.contents(package.path)
        else:
            plain = subprocess.run(["dpkg-deb", "--fsys-tarfile", package.path], stdout=subprocess.PIPE, check=True).stdout
            _contents[package.digest] = read_tar(plain)
    return _contents[package.digest]


def read_tar(plain):
    """{path: bytes} of the regular files of a tar; what is below one of the root links is where they lead."""
    found = {}
    with tarfile.open(fileobj=io.BytesIO(plain)) as archive:
        for info in archive:
            path = "/" + info.name.removeprefix("./").lstrip("/")
            if info.isreg():
                found[re.sub(r"^/(lib|lib64|bin|sbin)/", r"/usr/\1/", path)] = archive.extractfile(info).read()
    return found


class Registry:
    """The registry's own files (kit/registry.py reads them), and skopeo."""

    def __init__(self, registry, host, namespace):
        self.registry, self.host, self.namespace = registry, host, namespace
        self._layers, self._copied, self._whole = {}, set(), set()
        self.may_lack = False  # an architecture

    def tags(self, image):
        return self.registry.tags(f"{self.namespace}/{image}")

    def check_whole(self, image, digest):
        """Raises unless an index is there with all that it refers to, every byte of it right, for both architectures."""
        if (image, digest) in self._whole:
            return
        self.registry.check(f"{self.namespace}/{image}", digest)
        platforms = sorted(child["platform"]["architecture"] for child in json.loads(self.registry.blob(digest))["manifests"])
        if platforms != sorted(ARCHES) and not (self.may_lack and platforms and set(platforms) < set(ARCHES)):
            raise AssertionError(f"{image}@{digest}: its platforms are {platforms}")
        self._whole.add((image, digest))

    def platforms(self, digest):
        """{architecture: digest of its manifest}"""
        return {child["platform"]["architecture"]: child["digest"] for child in json.loads(self.registry.blob(digest))["manifests"]}

    def copy(self, image, tag, digest):
        """skopeo copies what a tag names, all of it, and says the same digest."""
        if (image, digest) in self._copied:
            return
        reference = f"docker://{self.host}/{self.namespace}/{image}:{tag}"
        with tempfile.TemporaryDirectory(prefix="nights") as top:
            subprocess.run(["skopeo", "copy", "--quiet", "--all", "--src-tls-verify=false", "--preserve-digests", reference, f"dir:{top}/x"],
                           check=True, stdout=subprocess.DEVNULL)
            with open(f"{top}/x/manifest.json", "rb") as stream:
                if "sha256:" + hashlib.sha256(stream.read()).hexdigest() != digest:
                    raise AssertionError(f"{reference}: skopeo got another index than {digest}")
        self._copied.add((image, digest))

    def files(self, digest):
        """{architecture: {path: bytes}} of an index."""
        if digest not in self._layers:
            found = {}
            for child in json.loads(self.registry.blob(digest))["manifests"]:
                merged = {}
                for layer in json.loads(self.registry.blob(child["digest"]))["layers"]:
                    merged.update(read_tar(gzip.decompress(self.registry.blob(layer["digest"]))))
                found[child["platform"]["architecture"]] = merged
            self._layers[digest] = found
        return self._layers[digest]

    def unlike(self, image, digest, mirror, arch):
        """What of an image for an architecture is not as in a generation of the repository; None: all is."""
        kind, names, paths = IMAGES[image]
        files, packages = self.files(digest)[arch], mirror.newest(kind, arch)
        wanted = {path: contents(kind, packages[name])[path] for path, name in paths.items()}
        for name in names:
            for path, data in contents(kind, packages[name]).items():
                if os.path.basename(path) == LIBRARIES.get(name):
                    wanted[path] = data
                if path in files:
                    wanted[path] = data
        for path, data in wanted.items():
            if files.get(path) != data:
                return f"{image} for {arch}: {path} is {files.get(path, b'not there')[-40:]!r}, the repository has {data[-40:]!r}"
        return None
