# SPDX-License-Identifier: Apache-2.0
"""What scripts of packages that are taken whole register: the links of update-alternatives and of Fedora's alternatives, and
diversions."""

import os
import subprocess
import tempfile
import unittest

import base  # noqa: F401  (finds the kit)

from kit import deb, image, run, world
from kit.case import Case

MACHINE = world.MACHINES["amd64"]


class Alternatives(Case):
    def built(self, manifest, *options):
        scripts = {"mawk": "update-alternatives --install /usr/bin/awk awk /usr/bin/mawk 5 --slave /usr/share/man/man1/awk.1.gz awk.1.gz /usr/share/man/man1/mawk.1.gz "
                           "--slave /usr/bin/nawk nawk /usr/bin/mawk",
                   "gawk": "update-alternatives --install /usr/bin/awk awk /usr/bin/gawk 10"}
        packages = [world.base_files(MACHINE), deb.Package("data", arch="amd64", files=[deb.File("/usr/share/data", "1")])]
        for name, script in scripts.items():
            package = deb.Package(name, arch="amd64", files=[deb.program(f"/usr/bin/{name}", "#!/bin/false\n"), deb.File(f"/usr/share/man/man1/{name}.1.gz", "1")])
            package.scripts = {"postinst": f"#!/bin/sh\nset -e\n{script}\n"}
            packages.append(package)
        self.make_repository(packages, architectures=("amd64",))
        self.use(self.write_source())
        self.write_manifest("pick", manifest)
        layout = self.build("--arch", "x86_64", *options, "pick", name="pick")
        return next(iter(layout.images["latest"].values()))

    def test_a_whole_package_has_its_alternatives(self):
        built = self.built("packages:\n  install: [mawk]\n", "--strict")
        for path, target in (("/usr/bin/awk", "/etc/alternatives/awk"), ("/etc/alternatives/awk", "/usr/bin/mawk"), ("/usr/bin/nawk", "/etc/alternatives/nawk")):
            self.assertEqual((built[path].kind, built[path].target), ("link", target))
        self.assertNotIn("/usr/share/man/man1/awk.1.gz", built)

    def test_of_several_the_highest_priority_wins(self):
        built = self.built("packages:\n  install: [mawk, gawk]\n")
        self.assertEqual(built["/etc/alternatives/awk"].target, "/usr/bin/gawk")

    def test_what_is_not_whole_registers_only_what_is_wanted(self):
        built = self.built("packages:\n  install: [data]\nfiles: [{path: /usr/share/man/man1/mawk.1.gz, package: mawk}]\n")
        self.assertNotIn("/usr/bin/awk", built)

    def test_a_name_that_nobody_ships_is_looked_for_in_one_package_of_first_after_the_other(self):
        tool = deb.Package("tool", arch="amd64", Depends="libc6", files=[deb.program("/usr/bin/ww.tool", world.executable(MACHINE, ["libc.so.6"]))])
        tool.scripts = {"postinst": "#!/bin/sh\nupdate-alternatives --install /usr/bin/ww ww /usr/bin/ww.tool 5\n"}
        rest = [package for package in world.packages(("amd64",)) if not package.name.startswith("served")]
        self.make_repository(rest + [tool, deb.Package("data", arch="amd64", files=[deb.File("/usr/share/data", "1")])], architectures=("amd64",))
        self.use(self.write_source())
        for order in ("tool, data", "data, tool"):
            self.write_manifest("pick", f"binaries: [/usr/bin/ww]\npackages:\n  first: [{order}]\n")
            layout = self.build("--arch", "x86_64", "pick", name="pick")
            self.assertEqual(next(iter(layout.images["latest"].values()))["/etc/alternatives/ww"].target, "/usr/bin/ww.tool")


@unittest.skipUnless(os.uname().machine == "x86_64", "the host's objcopy is for another machine")
class DebugFiles(Case):
    def test_a_separate_debug_file_is_data(self):
        with tempfile.TemporaryDirectory(prefix="elf") as top:
            paths = [os.path.join(top, name) for name in ("a.so", "a.debug")]
            subprocess.run(["gcc", "-shared", "-nostdlib", "-o", paths[0], "-x", "c", "/dev/null"], check=True)
            subprocess.run(["objcopy", "--only-keep-debug", *paths], check=True)
            with open(paths[1], "rb") as stream:
                debug = stream.read()
        path = "/usr/lib/debug/.build-id/aa/bb.debug"
        self.make_repository([world.base_files(MACHINE), deb.Package("dbg", arch="amd64", files=[deb.program(path, debug)])], architectures=("amd64",))
        self.use(self.write_source())
        for manifest in ("packages:\n  install: [dbg]\n", f"files: [{{path: {path}, package: dbg}}]\n"):
            self.write_manifest("pick", manifest)
            layout = self.build("--arch", "x86_64", "--strict", "pick", name="pick")
            self.assertEqual(next(iter(layout.images["latest"].values()))[path].data, debug)


class Diversions(Case):
    def selected(self, command, *options):
        """Builds gzip and zutils, whose preinst gives the command; both have /usr/bin/zcat. An image, or the result."""
        packages = [world.base_files(MACHINE)]
        for name in ("gzip", "zutils"):
            packages.append(deb.Package(name, arch="amd64", files=[deb.program("/usr/bin/zcat", f"#!/bin/false {name}\n")]))
        packages[-1].scripts = {"preinst": f"#!/bin/sh\nset -e\n{command}\n"}
        self.make_repository(packages, architectures=("amd64",))
        self.use(self.write_source())
        self.write_manifest("pick", "packages:\n  install: [gzip, zutils]\n")
        self.last = self.run_factory("--arch", "x86_64", *options, "pick")
        return None if self.last.code else next(iter(image.Layout(os.path.join(self.factory.output, "pick")).images["latest"].values()))

    def test_a_diverted_file_lies_beside_the_one_that_diverts_it(self):
        got = self.selected("if [ \"$1\" = install ]; then\n dpkg-divert --package zutils --quiet --rename --divert /bin/zcat.gzip --add /bin/zcat\nfi", "--strict")
        self.assertEqual((got["/usr/bin/zcat"].data, got["/usr/bin/zcat.gzip"].data), (b"#!/bin/false zutils\n", b"#!/bin/false gzip\n"))

    def test_a_guard_of_a_name_that_merged_usr_gives_moves_nothing_and_is_not_told(self):
        command = ("dpkg-divert --package zutils --rename --divert /bin/zcat.gzip --add /bin/zcat\n"
                   "dpkg-divert --package zutils --no-rename --divert /lib64/zcat.usr-is-merged --add /lib64/zcat")
        got = self.selected(command, "--strict")
        self.assertIsNotNone(got, self.last)
        self.assertIn("/usr/bin/zcat.gzip", got)
        self.assertNotIn("dpkg-divert", self.last.stderr)

    def test_what_depends_on_dpkgs_order_is_told(self):
        command = "dpkg-divert --package zutils --no-rename --divert /usr/bin/zcat.gzip --add /usr/bin/zcat"
        self.assertIn("/usr/bin/zcat.gzip", self.selected(command))
        self.assertIn("nothing does instead: dpkg-divert /usr/bin/zcat (preinst)", self.last.stderr)
        self.assertIsNone(self.selected(command, "--strict"))
        self.assertEqual(self.last.code, run.RESOLVE, self.last)


if __name__ == "__main__":
    unittest.main()
