# SPDX-License-Identifier: Apache-2.0
"""Repositories as apt reads them, in forms that are rare: flat ones without Release, SHA-512 alone, every compression, odd names."""

import bz2
import gzip
import hashlib
import lzma
import os
import shutil
import subprocess
import unittest

import base  # noqa: F401  (finds the kit)

from kit import deb, run, world
from kit.case import Case

MACHINE = world.MACHINES["amd64"]
COMPRESSIONS = {"": lambda data: data, ".gz": gzip.compress, ".xz": lzma.compress, ".bz2": bz2.compress,
                ".lzma": lambda data: lzma.compress(data, format=lzma.FORMAT_ALONE)}


def command(*words):
    """A compression by a program of the host, when it is there."""
    return (lambda data: subprocess.run(words, input=data, stdout=subprocess.PIPE, check=True).stdout) if shutil.which(words[0]) else None


PROGRAMS = {".zst": command("zstd", "-qc"), ".lz4": command("lz4", "-qc")}


class Flat(Case):
    def put(self, name, file_name="one.deb", digest="sha256", version="1", listed=None):
        """A folder with a package, and its Packages."""
        folder = self.path(name)
        os.makedirs(os.path.dirname(os.path.join(folder, file_name)), exist_ok=True)
        text = b""
        for package, place in ((deb.Package("one", version=version, arch="amd64", files=[deb.File("/usr/share/one", version)]), file_name),
                               (world.base_files(MACHINE), "base.deb")):
            data = package.build()
            with open(os.path.join(folder, place), "wb") as stream:
                stream.write(data)
            shown = listed if listed and place == file_name else "./" + place
            text += (package.control() + f"Filename: {shown}\nSize: {len(data)}\n{digest.upper()}: {hashlib.new(digest, data).hexdigest()}\n\n").encode()
        return folder, text

    def write_index(self, folder, text, ending="", release=None):
        pack = {**COMPRESSIONS, **PROGRAMS}[ending]
        data = pack(text)
        with open(os.path.join(folder, "Packages" + ending), "wb") as stream:
            stream.write(data)
        if release:
            with open(os.path.join(folder, "Release"), "w", encoding="utf-8") as stream:
                stream.write(f"Date: Mon, 02 Nov 2026 08:00:00 {release.get('zone', 'UTC')}\nArchitectures: amd64\n{release['digest'].upper()}:\n"
                             f" {hashlib.new(release['digest'], data).hexdigest()} {len(data)} Packages{ending}\n")

    def built(self, folder, *more):
        self.use(self.write("source.yaml", f"kind: deb\nuris: [file://{folder}]\nsuites: ./\ntrusted: true\ncheck-valid-until: false\n"))
        self.write_manifest("pick", "packages:\n  install: [one]\n")
        layout = self.build("--arch", "x86_64", *more, "pick", name="pick")
        return next(iter(layout.images["latest"].values()))["/usr/share/one"].data

    def test_packages_alone_in_every_compression(self):
        for number, ending in enumerate([*COMPRESSIONS, *(ending for ending, program in PROGRAMS.items() if program)]):
            with self.subTest(ending=ending):
                folder, text = self.put(f"flat{number}")
                self.write_index(folder, text, ending)
                self.assertEqual(self.built(folder), b"1")

    def test_packages_alone_may_change(self):
        folder, text = self.put("flat")
        self.write_index(folder, text, ".gz")
        self.assertEqual(self.built(folder), b"1")
        self.assertEqual(self.built(folder, "--cache-only"), b"1")
        folder, text = self.put("flat", version="2")
        self.write_index(folder, text, ".gz")
        self.assertEqual(self.built(folder), b"2")

    def test_packages_alone_are_not_taken_unless_they_are_trusted(self):
        folder, text = self.put("flat")
        self.write_index(folder, text)
        self.use(self.write("source.yaml", f"kind: deb\nuris: [file://{folder}]\nsuites: ./\nkeys: [{self.ring.get('main').keyring}]\n"))
        self.write_manifest("pick", "packages:\n  install: [one]\n")
        self.refuse(run.NETWORK, "neither an InRelease nor a Release", arguments=("--arch", "x86_64", "pick"))

    def test_sha512_alone(self):
        """In the Release, in Packages, in both; a wrong one is refused."""
        for number, (release, packages) in enumerate((("sha512", "sha256"), ("sha256", "sha512"), ("sha512", "sha512"))):
            with self.subTest(release=release, packages=packages):
                folder, text = self.put(f"flat{number}", digest=packages)
                self.write_index(folder, text, ".gz", {"digest": release})
                self.assertEqual(self.built(folder), b"1")
        with open(os.path.join(folder, "one.deb"), "r+b") as stream:
            stream.seek(100)
            stream.write(b"x")
        result = self.run_factory("--arch", "x86_64", "--rebuild", "--cache", self.path("fresh"), "pick")
        self.assertEqual(result.code, run.TRUST, result)
        self.assertIn("expected sha512:", result.stderr)

    def test_time_zones(self):
        for number, zone in enumerate(("+0200", "-0730", "EST", "GMT", "UT")):
            with self.subTest(zone=zone):
                folder, text = self.put(f"flat{number}")
                self.write_index(folder, text, ".gz", {"digest": "sha256", "zone": zone})
                self.assertEqual(self.built(folder), b"1")

    def test_odd_names_of_files(self):
        for number, (name, listed) in enumerate((("a b+c~d.deb", None), ("pool/x#1?.deb", None), ("pool/p%20q.deb", None), ("pool/x.deb", "pool//x.deb"),
                                                 ("pool/y.deb", "/pool/y.deb"), ("pool/z.deb", "./pool/./z.deb"), ("a:b.deb", None), ("\u00e9.deb", None))):
            with self.subTest(name=name):
                folder, text = self.put(f"flat{number}", file_name=name, listed=listed)
                self.write_index(folder, text)
                self.assertEqual(self.built(folder), b"1")

    def test_names_that_leave_the_repository(self):
        for number, listed in enumerate(("../one.deb", "pool/../../one.deb", "http://127.0.0.1/one.deb")):
            with self.subTest(listed=listed):
                folder, text = self.put(f"flat{number}", listed=listed)
                self.write_index(folder, text)
                self.use(self.write("source.yaml", f"kind: deb\nuris: [file://{folder}]\nsuites: ./\ntrusted: true\n"))
                self.write_manifest("pick", "packages:\n  install: [one]\n")
                self.refuse(run.MALFORMED, "no path below the repository", arguments=("--arch", "x86_64", "pick"))


if __name__ == "__main__":
    unittest.main()
