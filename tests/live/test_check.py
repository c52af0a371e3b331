# SPDX-License-Identifier: Apache-2.0
"""The proof on real images: intact ones raise nothing, and of three images every single ELF file, interpreter and link on
the way is removed and swapped, and each time the check must say so.

What cannot matter to it, and is left alone: data files (configuration, os-release, the package database), directories,
plug-ins that are removed (a program opens them by a name of its own), and root links that no path of the image goes through.
"""

import functools
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from kit import midway, run  # noqa: E402  pylint: disable=wrong-import-position
from kit.case import need  # noqa: E402  pylint: disable=wrong-import-position

SHIPPED = ["dhcpd", "dhcpd-ldap", "kea-dhcp4", "nginx", "redis"]
SWEPT = {"dhcpd": "/usr/sbin/dhcpd", "redis": "/usr/bin/redis-server", "kea-dhcp4": "/usr/sbin/kea-dhcp4"}
STARTED = ["/usr/sbin/kea-lfc"]  # by a program, by name
PLUGINS = "/kea/hooks/"  # opened by name: that one is gone can be seen by nobody
ARCHES = ["x86_64", "aarch64"]
POSTGRESQL = "postgresql-15" if platform.freedesktop_os_release().get("VERSION_ID") == "12" else "postgresql-17"
WHOLE = ["apache2", POSTGRESQL, "openssh-server", "rsyslog", "snmpd", "squid", "bind9", "python3", "systemd"]


class World:
    top = tree = output = None
    images = {}    # what was built → what the report says of it
    left_out = {}  # image → why the mirror could not give it
    failed = {}    # image → what the program said


def setUpModule():
    need("apt-get")
    World.top = tempfile.mkdtemp(prefix="imgfactory-check-")
    unittest.addModuleCleanup(shutil.rmtree, World.top, ignore_errors=True)
    World.tree = os.path.join(World.top, "tree")
    images = build("--arch", ",".join(ARCHES), "--tree", World.tree, *SHIPPED)
    images += build("--arch", ",".join(ARCHES), write_whole())
    World.left_out, World.failed = midway.look({"images": images})
    World.images = {image["image"]: image for image in images
                    if image["image"] not in {**World.left_out, **World.failed}}


def write_whole():
    manifest = os.path.join(World.top, "whole.yaml")
    with open(manifest, "w", encoding="utf-8") as stream:
        stream.write("name: whole\nbinaries: [/usr/sbin/apache2]\npackages:\n  first: [apache2-bin]\n  install: ["
                     + ", ".join(WHOLE) + "]\n")
    return manifest


def build(*arguments):
    """What the report says of each image, whether it was built or not."""
    cache = os.environ.get("IMGFACTORY_LIVE_CACHE") or os.path.join(World.top, "cache")
    factory = run.Factory(World.top, cache=cache)
    World.output = factory.output
    proxies = {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
    result = factory.run("--json", *arguments, env=proxies, timeout=1200)
    if not result.stdout:
        raise RuntimeError(str(result))
    return json.loads(result.stdout)["images"]


def only_built(image):
    """Of an image that is not there: left out, when that is the mirror's, else failed."""
    if image in World.left_out:
        raise unittest.SkipTest("the mirror is in the middle of an update: " + World.left_out[image])
    if image not in World.images:
        raise AssertionError(World.failed[image])


def check(*arguments):
    done = subprocess.run([run.program(), "check", "--json", *arguments], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, timeout=120)
    report = json.loads(done.stdout) if done.stdout else {}
    return done.returncode, report, done.stderr.decode()


def is_elf(path):
    if os.path.islink(path) or not os.path.isfile(path):
        return False
    with open(path, "rb") as stream:
        return stream.read(4) == b"\x7fELF"


@functools.lru_cache(maxsize=None)
def readelf(option, path):
    return subprocess.run(["readelf", "-W", option, path], stdout=subprocess.PIPE, check=True).stdout.decode()


@functools.lru_cache(maxsize=None)
def symbols(path):
    """The names of a file's dynamic symbols: those that it must find elsewhere, and those that it has."""
    wanted, given = set(), set()
    for line in readelf("--dyn-syms", path).splitlines():
        words = line.split()
        if len(words) >= 8 and words[0].rstrip(":").isdigit():
            name = words[7].partition("@")[0]
            if words[6] != "UND":
                given.add(name)
            elif words[4] == "GLOBAL":
                wanted.add(name)
    return wanted, given


def names(root):
    return sorted(os.path.join(folder, name) for folder, folders, files in os.walk(root) for name in folders + files)


class Intact(unittest.TestCase):
    def test_every_image_was_built_that_the_mirror_can_give(self):
        self.assertEqual(World.failed, {}, "\n".join(World.failed.values()))

    def test_shipped_images_raise_nothing_as_layouts_and_as_trees(self):
        for image in sorted(World.images.keys() & set(SHIPPED)):
            code, report, errors = check(os.path.join(World.output, image))
            self.assertEqual((code, len(report["architectures"])), (run.OK, len(ARCHES)), errors)
            for arch in ARCHES:
                code, report, errors = check(os.path.join(World.tree, image, arch))
                self.assertEqual(code, run.OK, f"{image} {arch}: {report} {errors}")
                self.assertEqual(report["architectures"][0]["arch"], arch)

    def test_large_sets_of_whole_packages_raise_nothing(self):
        only_built("whole")
        for architecture in World.images["whole"]["architectures"]:
            self.assertGreater(len(architecture["selection"]), 60)
            self.assertGreater(architecture["proof"]["files"], 100)


class Swept(unittest.TestCase):
    """One file at a time; the tree is put back after each."""

    def mentions(self, root, program, path, what):
        """The check says something that it did not say of the intact tree: a violation, or a note that names the file."""
        started = [option for name in STARTED if "kea" in root for option in ("--program", name)]
        _, report, errors = check("--program", program, *started, root)
        self.assertTrue(report, f"{what} {path}: {errors}")
        architecture = report["architectures"][0]
        texts = [finding["text"] for finding in architecture["violations"]]
        if os.path.basename(path) == "libgcc_s.so.1":  # only noted when nothing imports pthread_exit
            texts += [note["text"] for note in architecture["notes"] if "libgcc_s.so.1" in note["text"]]
        if PLUGINS in path:  # of another machine: outside of the loader's directories a note
            texts += [note["text"] for note in architecture["notes"] if os.path.basename(path) in note["text"]]
        self.assertTrue(texts, f"{what} {path}: nothing was said")

    def with_other(self, root, path, other, program, what):
        kept = path + ".kept"
        os.rename(path, os.path.join(World.top, "kept"))
        try:
            if other:
                shutil.copy(other, path)
            self.mentions(root, program, path, what)
        finally:
            if os.path.lexists(path):
                os.unlink(path)
            os.rename(os.path.join(World.top, "kept"), path)
        self.assertFalse(os.path.lexists(kept))

    def sweep(self, image, program):
        root, foreign = (os.path.join(World.tree, image, arch) for arch in ARCHES)
        zlib = next((p for p in names(root) if is_elf(p) and "libz.so" in p), None)
        count = 0
        for path in names(root):
            in_root = "/" + os.path.relpath(path, root)
            if os.path.islink(path) and not self.is_on_the_way(root, path):
                continue
            if not os.path.islink(path) and not is_elf(path):
                continue
            with self.subTest(image=image, path=in_root):
                if PLUGINS not in path:
                    self.with_other(root, path, None, program, "removed")
                    count += 1
                if os.path.islink(path):
                    continue
                other = self.of_other_machine(root, foreign, path)
                if other:
                    self.with_other(root, path, other, program, "of another machine")
                    count += 1
                if zlib and path != zlib and self.is_needed_for_symbols(root, path):
                    self.with_other(root, path, zlib, program, "with another library's content")
                    count += 1
        return count

    @staticmethod
    def is_on_the_way(root, path):
        """Symlinks to ELF files, and those of directories that a loader's or an interpreter's path goes through."""
        target = os.readlink(path)
        real = os.path.normpath(os.path.join(root if target.startswith("/") else os.path.dirname(path),
                                             target.lstrip("/")))
        if os.path.isdir(real):
            return os.path.basename(path) in ("lib64",) or (os.path.basename(path) == "lib"
                                                            and "aarch64" in os.path.basename(root))
        return is_elf(real)

    @staticmethod
    def of_other_machine(root, foreign, path):
        """The same file of the other architecture's tree."""
        name = os.path.basename(path).replace("ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1")
        found = [other for other in names(foreign) if os.path.basename(other) == name and is_elf(other)]
        return found[0] if found else None

    @staticmethod
    def is_needed_for_symbols(root, path):
        """Whether, by readelf, a file that names it in DT_NEEDED would miss it: a version of it, or a symbol that no other
        file has. Else its content is its own affair."""
        soname = readelf("-d", path).partition("Library soname: [")[2].partition("]")[0]
        if not soname or soname == "libgcc_s.so.1":
            return False
        others = [other for other in names(root) if other != path and is_elf(other)]
        if any(f"File: {soname} " in readelf("-V", other) for other in others):
            return True
        only_here = symbols(path)[1].difference(*(symbols(other)[1] for other in others))
        return any(f"Shared library: [{soname}]" in readelf("-d", other) and symbols(other)[0] & only_here
                   for other in others)

    def test_every_file_of_three_images(self):
        need("readelf")
        counts = {image: self.sweep(image, program) for image, program in SWEPT.items() if image in World.images}
        print(f"mutations: {counts}", file=sys.stderr)
        if len(counts) == len(SWEPT):
            self.assertGreater(sum(counts.values()), 150)
        for image in SWEPT:
            only_built(image)

    def test_a_library_of_an_older_release_is_found_out(self):
        """The C library's versions are what every older one lacks: its newest version name is renamed away."""
        only_built("redis")
        root = os.path.join(World.tree, "redis", "x86_64")
        libc = os.path.join(root, "usr/lib/x86_64-linux-gnu/libc.so.6")
        with open(libc, "rb") as stream:
            content = stream.read()
        older = os.path.join(World.top, "older")
        with open(older, "wb") as stream:
            stream.write(content.replace(b"\0GLIBC_2.34\0", b"\0GLIBC_9.34\0"))
        self.assertNotEqual(content.count(b"\0GLIBC_2.34\0"), 0)
        os.rename(libc, libc + ".kept")
        try:
            shutil.copy(older, libc)
            code, report, _ = check("--program", SWEPT["redis"], root)
        finally:
            os.replace(libc + ".kept", libc)
        texts = [finding["text"] for finding in report["architectures"][0]["violations"]]
        self.assertEqual(code, run.RESOLVE)
        self.assertTrue(any("GLIBC_2.34" in text for text in texts), texts)


if __name__ == "__main__":
    unittest.main()
