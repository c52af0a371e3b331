# SPDX-License-Identifier: Apache-2.0
"""`imgfactory diff` against dpkg-parsechangelog: versions, CVE numbers and bugs of real upgrades of the host's Debian: its main
repository alone against all of its repositories, and against the next release.

The packages' files are those that the build kept in its cache, by their digest; they are read by dpkg-deb.
"""

import gzip
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from kit import run  # noqa: E402  pylint: disable=wrong-import-position
from kit.case import need  # noqa: E402  pylint: disable=wrong-import-position

IMAGES = ["dhcpd", "nginx", "unbound", "apache2"]
ARCH = "x86_64"
WANTED = 30  # upgrades that are compared
DOC = "usr/share/doc/"
CVE = re.compile(r"CVE-\d{4}-\d{4,}", re.IGNORECASE)


class World:
    top = factory = None
    nights = {}


def setUpModule():
    need("dpkg-deb")
    if not shutil.which("dpkg-parsechangelog"):
        raise unittest.SkipTest("dpkg-parsechangelog is missing (package dpkg-dev): nobody judges the changelogs")
    with open("/etc/os-release", encoding="utf-8") as stream:
        release = stream.read()
    if 'VERSION_ID="12"' not in release:
        raise unittest.SkipTest("the host is not Debian 12, whose main repository and next release are compared")
    World.top = tempfile.mkdtemp(prefix="imgfactory-changelogs-")
    cache = os.environ.get("IMGFACTORY_LIVE_CACHE") or os.path.join(World.top, "cache")
    World.factory = run.Factory(World.top, cache=cache)
    for name, options in (("main", ["--suite", "bookworm"]), ("all", []), ("next", ["--suite", "trixie"])):
        World.factory.output = os.path.join(World.top, name)
        result = World.factory.run("--quiet", "--arch", ARCH, *options, *IMAGES, timeout=1200)
        World.nights[name] = World.factory.output
        built = os.listdir(World.factory.output) if os.path.isdir(World.factory.output) else []
        if not built:
            raise AssertionError(f"no image was built of {name}: {result}")


def tearDownModule():
    shutil.rmtree(World.top, ignore_errors=True)


class Deb:
    """A .deb of the cache, as dpkg-deb reads it."""

    def __init__(self, digest):
        name = digest.removeprefix("sha256:")
        path = os.path.join(World.factory.cache, "v1", "blob", "sha256", name[:2], name)
        self.is_there = os.path.exists(path)
        data = subprocess.run(["dpkg-deb", "--fsys-tarfile", path], stdout=subprocess.PIPE, check=True).stdout \
            if self.is_there else b""
        self.members = {}
        if data:
            with tarfile.open(fileobj=io.BytesIO(data)) as archive:
                for member in archive:
                    path = member.name.removeprefix("./").rstrip("/")
                    if path.startswith(DOC):
                        self.members[path] = member.linkname if member.issym() else \
                            archive.extractfile(member).read() if member.isreg() else None

    def changelog(self, name, arch):
        """The text, or the name of the package whose changelog it is (a str)."""
        link = self.members.get(DOC + name)
        if isinstance(link, str):
            return os.path.basename(link)
        parts = []
        for ending in (f"Debian.{arch}.gz", "Debian.gz", "gz"):
            data = self.members.get(f"{DOC}{name}/changelog.{ending}")
            if isinstance(data, str):
                return os.path.normpath(f"{DOC}{name}/{data}").split("/")[3]
            if data is not None:
                parts.append(gzip.decompress(data))
                if not ending.endswith(f"{arch}.gz"):
                    break
        return b"\n".join(parts)


def parsechangelog(text, since):
    """What dpkg-parsechangelog says: versions, changes, bugs."""
    with tempfile.NamedTemporaryFile(suffix=".changelog") as stream:
        stream.write(text)
        stream.flush()
        out = subprocess.run(["dpkg-parsechangelog", "-l", stream.name, "--format", "rfc822", "--since", since],
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout.decode(errors="replace")
    stanzas = [stanza for stanza in out.split("\n\n") if stanza.strip()]
    versions = [re.search(r"(?m)^Version: (.*)$", stanza)[1] for stanza in stanzas]
    closes = {number for stanza in stanzas for line in re.findall(r"(?m)^Closes: (.*)$", stanza) for number in line.split()}
    return versions, {cve.upper() for cve in CVE.findall(out)}, closes


def symbols(data):
    """What a library defines for others, as nm lists it: NAME or NAME@VERSION."""
    with tempfile.NamedTemporaryFile(suffix=".so") as stream:
        stream.write(data)
        stream.flush()
        out = subprocess.run(["nm", "-D", "--defined-only", "--with-symbol-versions", stream.name],
                             stdout=subprocess.PIPE, check=True).stdout.decode()
    return {line.split()[-1].replace("@@", "@") for line in out.splitlines() if line.split()[-2] != "A"}  # A: versions


class Changelogs(unittest.TestCase):
    judged = {}

    def bills(self, night, image):
        folder = os.path.join(World.nights[night], image, "imgfactory")
        (name,) = os.listdir(folder)
        with open(os.path.join(folder, name), encoding="utf-8") as stream:
            return {package["name"]: package for package in json.load(stream)["selection"]}

    def judge(self, story, before, after):
        """Versions, CVEs and bugs as dpkg-parsechangelog reads them, or None when no file of it is there."""
        for name in story["packages"]:
            package = shown = after[name]
            text = Deb(package["digest"]).changelog(name, package["architecture"])
            for _ in range(3):
                if isinstance(text, str) and text in after:
                    shown = after[text]
                    text = Deb(shown["digest"]).changelog(text, shown["architecture"])
            if isinstance(text, str) or not text:
                continue
            old = before[name]
            since = old["version"] if f"({old['version']})".encode() in text else old["source_version"]
            return parsechangelog(text, since)
        return None

    def compare(self, old, new):
        result = World.factory.run_plain("diff", World.nights[old], World.nights[new], "--json", "--cache-only")
        self.assertEqual(result.code, run.OK, result)
        for compared in json.loads(result.stdout)["compared"]:
            for platform in compared["platforms"]:
                if not platform["changelogs"]:
                    continue
                before, after = (self.bills(night, compared["image"]) for night in (old, new))
                for story in platform["changelogs"]:
                    self.compare_story(story, before, after)

    def compare_story(self, story, before, after):
        name = (story["source_package"], story["before"], story["after"])
        wanted = self.judge(story, before, after)
        if name in self.judged or (wanted is None and story["not_read"]):
            return
        with self.subTest(name):
            self.assertIsNone(story["not_read"])
            versions, cves, closes = wanted
            self.assertEqual([entry["version"] for entry in story["entries"]], versions)
            self.assertEqual(set(story["cves"]), cves)
            self.assertLessEqual({f"#{number}" for number in closes}, set(story["bugs"]))
            self.judged[name] = (len(versions), len(cves))

    def file(self, night, image, path):
        """The bytes of a file of an image, out of the .deb that gave it."""
        folder = os.path.join(World.nights[night], image, "imgfactory")
        (name,) = os.listdir(folder)
        with open(os.path.join(folder, name), encoding="utf-8") as stream:
            bill = json.load(stream)
        giver = next(file["package"] for file in bill["files"] if file["path"] == path)
        digest = next(package["digest"] for package in bill["selection"] if package["name"] == giver)
        hexadecimal = digest.removeprefix("sha256:")
        deb = os.path.join(World.factory.cache, "v1", "blob", "sha256", hexadecimal[:2], hexadecimal)
        data = subprocess.run(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE, check=True).stdout
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            for member in archive:
                if member.isreg() and member.name.removeprefix(".") in (path, path.removeprefix("/usr")):
                    return archive.extractfile(member).read()
        raise LookupError(path)

    @unittest.skipUnless(shutil.which("nm"), "nm is missing (binutils): nobody judges the symbols")
    def test_symbols_are_those_of_nm(self):
        result = World.factory.run_plain("diff", World.nights["all"], World.nights["next"], "--json", "--cache-only")
        judged = {}
        for compared in json.loads(result.stdout)["compared"]:
            for library in compared["platforms"][0]["libraries"]:
                if library["change"] != "changed" or library["soname"] in judged:
                    continue
                old, new = (symbols(self.file(night, compared["image"], library[side]))
                            for night, side in (("all", "before"), ("next", "after")))
                with self.subTest(library["soname"]):
                    self.assertEqual(library["symbols_came"], sorted(new - old, key=str.encode)[:500])
                    self.assertEqual(library["symbols_went"], sorted(old - new, key=str.encode)[:500])
                    self.assertEqual((library["symbols_came_count"], library["symbols_went_count"]),
                                     (len(new - old), len(old - new)))
                    judged[library["soname"]] = len(new ^ old)
        sys.stderr.write(f"[{len(judged)} libraries, {sum(judged.values())} symbols] ")
        self.assertGreater(len(judged), 5)

    def test_versions_and_numbers_are_those_of_dpkg_parsechangelog(self):
        self.compare("main", "all")
        self.compare("all", "next")
        entries, cves = (sum(counts[i] for counts in self.judged.values()) for i in (0, 1))
        sys.stderr.write(f"[{len(self.judged)} upgrades, {entries} entries, {cves} CVEs] ")
        self.assertGreaterEqual(len(self.judged), WANTED)


if __name__ == "__main__":
    unittest.main(verbosity=2)
