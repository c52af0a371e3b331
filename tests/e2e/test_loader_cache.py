# SPDX-License-Identifier: Apache-2.0
"""/etc/ld.so.cache in an image: made when a library lies in a configured directory only, with the host's ldconfig and
loader as judges."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest

from base import Case, deb, need, world
from kit.rpm_world import compiler

AMD64 = world.MACHINES["amd64"]
TOOL = "/usr/bin/tool"
CONFIG = "/etc/ld.so.conf.d/conf.conf"
CACHE = "/etc/ld.so.cache"
CONF_DIR = "/opt/conf"
NEWER = CONF_DIR + "/glibc-hwcaps/x86-64-v2"
LIBRARY = '#include <stdio.h>\nvoid conf(void) { puts("%s"); }\n'
PROGRAM = "void conf(void); int main(void) { conf(); return 0; }\n"
MANIFEST = "name: served\nbinaries: [/usr/bin/tool]\n"


def built(source, *options):
    """The bytes of what the compiler makes of a source."""
    with tempfile.TemporaryDirectory(prefix="elf") as top:
        out = os.path.join(top, "out")
        subprocess.run([compiler("x86_64"), "-O1", "-fPIC", "-Wl,--build-id=none", "-x", "c", "-", "-x", "none", "-o",
                        out, *options], input=source.encode(), check=True)
        with open(out, "rb") as stream:
            return stream.read()


def own(name):
    """A library of this machine as a packaged file, where its own loader finds it."""
    listed = subprocess.run(["ldconfig", "-p"], check=True, stdout=subprocess.PIPE).stdout.decode()
    path = os.path.realpath(re.search(rf"^\s{re.escape(name)} \([^)]*x86-64[^)]*\) => (\S+)", listed, re.M)[1])
    with open(path, "rb") as stream:
        return deb.program(os.path.join(os.path.dirname(path), name), stream.read())


class Cache(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        need("ldconfig", "chroot")
        if os.uname().machine != "x86_64":
            raise unittest.SkipTest("starts programs of x86_64")
        cls.library = built(LIBRARY % "all machines", "-shared", "-Wl,-soname,libconf.so.1")
        cls.newer = built(LIBRARY % "newer machine", "-shared", "-Wl,-soname,libconf.so.1")
        with tempfile.NamedTemporaryFile(suffix=".so") as linked:
            linked.write(cls.library)
            linked.flush()
            cls.program = built(PROGRAM, linked.name)
        cls.plain = built("int main(void) { return 0; }\n")

    def start(self, program, manifest=MANIFEST):
        """A distribution with this machine's C library, and `tool`, which depends on a library that is configured."""
        loader = own(os.path.basename(AMD64.interp))
        libc = deb.Package("libc6", arch="amd64", Section="libs", files=[
            loader, deb.link(AMD64.interp, loader.path), own("libc.so.6"), own("libgcc_s.so.1"),
            deb.File("/etc/ld.so.conf.d/own.conf", os.path.dirname(loader.path) + "\n")])
        setup = deb.Package("setup", arch="amd64", files=[  # no library: opened only because a cache is needed
            deb.File("/etc/ld.so.conf", "/opt/first\ninclude /etc/ld.so.conf.d/*.conf\n"),
            deb.File("/opt/first/libfirst.so.1", self.library)])
        conf = deb.Package("libconf1", arch="amd64", Section="libs", Depends="libc6", files=[
            deb.File(CONFIG, f"# its own directory\n{CONF_DIR}/\n"),
            deb.File(CONF_DIR + "/libconf.so.1.0", self.library), deb.File(CONF_DIR + "/libother.so.2", self.library),
            deb.link(CONF_DIR + "/libconf.so.1", "libconf.so.1.0"),
            deb.File(NEWER + "/libconf.so.1", self.newer)])
        tool = deb.Package("tool", arch="amd64", Depends="libconf1, libc6, setup", files=[deb.program(TOOL, program)])
        self.ready(manifest=manifest, packages=[libc, setup, conf, tool, world.base_files(AMD64)], architectures=("amd64",))
        layout = self.build("--arch", "x86_64", "--tree", self.path("tree"), "--rebuild", "served")
        self.root = self.path("tree/served/x86_64")
        return layout.images["latest"]["amd64"]

    def check_cache(self, image):
        """Compares the image's cache with that of ldconfig for the same tree; returns what ldconfig says is in it."""
        def ldconfig(*options):
            command = ["ldconfig", "-X", "-r", self.root, *options]
            return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout.decode()
        shown = ldconfig("-p", "-C", CACHE)
        ldconfig("-C", "/etc/theirs")
        wanted = ldconfig("-p", "-C", "/etc/theirs")
        self.assertEqual(shown.split("\n")[1:], wanted.split("\n")[1:])
        with open(os.path.join(self.root, "etc/theirs"), "rb") as stream:
            self.assertEqual(stream.read(), image[CACHE].data)
        return shown

    def run_tool(self):
        done = subprocess.run([shutil.which("chroot"), self.root, TOOL], stdin=subprocess.DEVNULL, check=False, env={},
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return done.returncode, done.stdout.decode()

    def need_root(self):
        if os.geteuid() != 0:
            self.skipTest("chroot needs root")

    def test_has_the_bytes_of_ldconfigs_and_makes_the_program_start(self):
        self.need_root()
        image = self.start(self.program)
        self.assertIn("libconf.so.1 (libc6,x86-64) => /opt/conf/libconf.so.1\n", self.check_cache(image))
        self.assertEqual(image[CONFIG].data, f"# its own directory\n{CONF_DIR}/\n".encode())
        self.assertIn("/etc/ld.so.conf", image)
        self.assertNotIn(CONF_DIR + "/libother.so.2", image)
        self.assertNotIn(NEWER + "/libconf.so.1", image)
        self.assertEqual((image[CACHE].mode, image[CACHE].uid, image[CACHE].gid), (0o644, 0, 0))
        self.assertEqual(self.run_tool(), (0, "all machines\n"))
        os.unlink(self.root + CACHE)
        code, out = self.run_tool()
        self.assertEqual((code, "libconf.so.1: cannot open" in out), (127, True), out)

    def test_lists_variants_for_newer_machines_when_asked(self):
        self.need_root()
        image = self.start(self.program, MANIFEST + "hwcaps: [x86-64-v2]\n")
        self.assertIn(f"(libc6,x86-64, hwcap: \"x86-64-v2\") => {NEWER}/libconf.so.1\n", self.check_cache(image))
        self.assertEqual(self.run_tool(), (0, "newer machine\n"))

    def test_is_not_there_when_no_library_is_found_through_it(self):
        image = self.start(self.plain)
        for path in (CACHE, CONFIG, "/etc/ld.so.conf", CONF_DIR):
            self.assertNotIn(path, image)


if __name__ == "__main__":
    unittest.main()
