# SPDX-License-Identifier: Apache-2.0
"""Debian repositories made from descriptions: pool, Packages, Contents, Release, InRelease.

Format: https://wiki.debian.org/DebianRepository/Format.
"""

import email.utils
import gzip
import hashlib
import lzma
import os
import time

PLAIN, GZ, XZ = "", ".gz", ".xz"


def _compressed(ending, data):
    if ending == GZ:
        return gzip.compress(data, 6, mtime=0)
    return lzma.compress(data, preset=1) if ending == XZ else data


def sha256(data):
    return hashlib.sha256(data).hexdigest()


class Repository:
    """A repository in a folder. publish() may be called again, with other packages or settings."""

    def __init__(self, root, packages=(), suite="stable", architectures=("amd64", "arm64")):
        self.root, self.suite = root, suite
        self.architectures = list(architectures)
        self.packages = list(packages)
        self.debs = {}  # file name → bytes
        self.newest = 0  # the date of the newest generation that was published without one

    def path(self, name):
        """The path of a file of the repository on this machine."""
        return os.path.join(self.root, name)

    def dists(self, name):
        return f"dists/{self.suite}/{name}"

    def read(self, name):
        with open(self.path(name), "rb") as stream:
            return stream.read()

    def write(self, name, data):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as stream:
            stream.write(data)

    def remove(self, name):
        os.unlink(self.path(name))

    def pool_name(self, package):
        return f"pool/main/{package.name}/{package.file_name}"

    def package(self, name, arch=None):
        return next(p for p in self.packages if p.name == name and arch in (None, p.arch))

    def publish(self, key=None, *, sign="inline", date=None, valid_until=None, by_hash=False, endings=(PLAIN, GZ, XZ),
                contents=True, edit_release=None, edit_stanza=None, sign_options=()):
        """Writes everything anew. sign: inline (InRelease), detached (Release and Release.gpg) or none (Release alone).

        date and valid_until are seconds since the epoch, date may be relative to now as a negative number. edit_release
        gets and returns the Release text before it is signed, edit_stanza(package, stanza) one stanza of Packages.
        """
        files = {}
        stanzas = {package: self._stanza(package, edit_stanza) for package in self.packages}
        for arch in self.architectures:
            mine = [package for package in self.packages if package.arch in (arch, "all")]
            text = "\n".join(stanzas[package] for package in mine).encode()
            for ending in endings:
                files[f"main/binary-{arch}/Packages{ending}"] = _compressed(ending, text)
            if PLAIN not in endings:  # Release lists the plain form too, as Debian's does
                files[f"main/binary-{arch}/Packages"] = text
            if contents:
                files[f"main/Contents-{arch}.gz"] = _compressed(GZ, self._contents(mine))
        for name, data in files.items():
            self.write(self.dists(name), data)
            if by_hash:
                folder = os.path.dirname(name)
                self.write(self.dists(f"{folder}/by-hash/SHA256/{sha256(data)}"), data)
        if PLAIN not in endings:
            for arch in self.architectures:
                self.remove(self.dists(f"main/binary-{arch}/Packages"))
        text = self._release(files, date, valid_until, by_hash)
        text = (edit_release(text) if edit_release else text).encode()
        self._sign(key, sign, text, sign_options)

    def _sign(self, key, sign, text, options):
        for name in ("InRelease", "Release", "Release.gpg"):
            if os.path.exists(self.path(self.dists(name))):
                self.remove(self.dists(name))
        if sign == "inline":
            self.write(self.dists("InRelease"), key.clearsign(text, *options))
            return
        self.write(self.dists("Release"), text)
        if sign == "detached":
            self.write(self.dists("Release.gpg"), key.detach(text))

    def _stanza(self, package, edit):
        name = self.pool_name(package)
        data = package.build()
        self.debs[package.file_name] = data
        self.write(name, data)
        stanza = package.control() + f"Filename: {name}\nSize: {len(data)}\nSHA256: {sha256(data)}\n"
        return edit(package, stanza) if edit else stanza

    @staticmethod
    def _contents(packages):
        lines = []
        for package in packages:
            for entry in package.files:
                if entry.kind != "dir":
                    lines.append(f"{entry.path[1:]:<60} misc/{package.name}\n")
        return "".join(sorted(lines)).encode()

    def _release(self, files, date, valid_until, by_hash):
        now = time.time()
        if date is None:
            # No archive has two generations of one second, however fast the machine that publishes them.
            date = self.newest = max(int(now) - 60, self.newest + 1)
        elif date < 0:
            date = now + date
        lines = ["Origin: Kit", "Label: Kit", f"Suite: {self.suite}", f"Codename: {self.suite}", "Version: 1",
                 "Date: " + email.utils.formatdate(date, usegmt=True)]
        if valid_until is not None:
            lines.append("Valid-Until: " + email.utils.formatdate(valid_until, usegmt=True))
        if by_hash:
            lines.append("Acquire-By-Hash: yes")
        lines += ["Architectures: " + " ".join(self.architectures), "Components: main", "Description: the test kit's",
                  "SHA256:"]
        lines += [f" {sha256(data)} {len(data):>10} {name}" for name, data in sorted(files.items())]
        return "\n".join(lines) + "\n"
