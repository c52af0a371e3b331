# SPDX-License-Identifier: Apache-2.0
"""`shell: busybox`: a static shell with links in place of sh and the tools of scripts, from .deb and .rpm packages."""

import os
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from kit import deb, elf, rpm, rpm_case, rpm_world, run, world  # noqa: E402  pylint: disable=wrong-import-position
from kit.case import Case  # noqa: E402  pylint: disable=wrong-import-position

SHARED = rpm_case.Shared()
SCRIPT = "#!/bin/sh\ncat /etc/x | sed s/a/b/\nbusy\n"
MANIFEST = "binaries: [/usr/sbin/scripted]\n"
APPLETS = b"\0[\0[[\0ash\0cat\0sed\0sh\0vi\0\0"


def tearDownModule():
    SHARED.close()


def shell(architecture):
    return elf.hello(architecture, "I am all of them\n") + APPLETS


def tools(kind, program, **dependencies):
    """What every system has, by deb.py or rpm.py: each a program."""
    return [kind.Package("scripted", [kind.program("/usr/sbin/scripted", SCRIPT)], **dependencies),
            kind.Package("coreutils", [kind.program("/usr/bin/cat", program)], arch=dependencies.get("arch", "all")),
            kind.Package("sed", [kind.program("/usr/bin/sed", program)], arch=dependencies.get("arch", "all"))]


class Links:
    """What both kinds of packages have to do."""

    def assert_links(self, image, package):
        self.assertEqual(image["/usr/bin/sh"].target, "/usr/bin/busybox")
        self.assertEqual(image["/usr/bin/cat"].target, "/usr/bin/busybox")
        self.assertEqual(image["/usr/bin/sed"].target, "/usr/bin/busybox")
        self.assertIn(b"I am all of them", image["/usr/bin/busybox"].data)
        self.assertNotIn("/usr/bin/vi", image)  # not a tool of scripts; the shell has it inside itself
        self.assertNotIn("/usr/bin/dash", image)
        out = self.last.stdout
        self.assertIn("the shell busybox, which the manifest wants", out)
        self.assertIn(f'"{package}"', out)


class Debian(Links, Case):
    def packages(self, with_shell=True):
        machine = world.MACHINES["amd64"]
        program = world.executable(machine, ["libc.so.6"])
        made = world.packages(("amd64",)) + tools(deb, program, Depends="libc6")
        made += [deb.Package("dash", [deb.program("/bin/dash", program), deb.link("/bin/sh", "dash")], arch="amd64")]
        for package in made:
            if package.name in ("coreutils", "sed"):
                package.arch = "amd64"
        if with_shell:
            made += [deb.Package("busybox-static", [deb.program("/bin/busybox", shell("amd64"))], arch="amd64")]
        return made

    def ready_with(self, manifest, with_shell=True):
        self.make_repository(self.packages(with_shell), architectures=("amd64",))
        self.use(self.write_source())
        self.write_manifest(text=manifest)

    def image(self, *options):
        return self.build("--arch", "x86_64", "--json", *options, "served").images["latest"]["amd64"]

    def test_sh_and_the_tools_are_links_to_it(self):
        self.ready_with("shell: busybox\n" + MANIFEST)
        self.assert_links(self.image(), "busybox-static")

    def test_with_automatic_scripts_call_it_and_no_package_of_tools_is_asked_for(self):
        self.ready_with("shell: busybox\nautomatic: true\n" + MANIFEST)
        self.assert_links(self.image(), "busybox-static")
        self.assertNotIn('"name": "coreutils"', self.last.stdout)

    def test_without_it_the_shell_and_tools_are_the_packages_own(self):
        self.ready_with("automatic: true\n" + MANIFEST)
        image = self.image()
        self.assertEqual(image["/usr/bin/sh"].target, "dash")
        self.assertNotIn("/usr/bin/busybox", image)
        self.assertIn("/usr/bin/cat", image)

    def test_a_shell_that_env_is_to_find_comes_though_nothing_depends_on_it(self):
        program = world.executable(world.MACHINES["amd64"], ["libc.so.6"])
        more = [deb.Package("bashful", [deb.program("/usr/sbin/bashful", "#!/usr/bin/env bash\n:\n")], arch="amd64", Depends="coreutils"),
                deb.Package("bash", [deb.program("/bin/bash", program)], arch="amd64")]
        packages = self.packages()
        next(package for package in packages if package.name == "coreutils").files.append(deb.program("/usr/bin/env", program))
        self.make_repository(packages + more, architectures=("amd64",))
        self.use(self.write_source())
        self.write_manifest(text="binaries: [/usr/sbin/bashful]\n")
        image = self.image()
        self.assertIn("/usr/bin/bash", image)
        self.assertIn("/usr/bin/env", image)

    def test_what_the_manifest_names_itself_is_not_replaced(self):
        self.ready_with("shell: busybox\nbinaries: [/usr/sbin/scripted, /usr/bin/sed]\n")
        image = self.image()
        self.assertEqual(image["/usr/bin/cat"].target, "/usr/bin/busybox")
        self.assertIn(b"served", image["/usr/bin/sed"].data)

    def test_a_source_without_it_is_an_error_that_names_the_package(self):
        self.ready_with("shell: busybox\n" + MANIFEST, with_shell=False)
        self.refuse(run.RESOLVE, "shell: busybox: the source has no package busybox-static", arguments=("--arch", "x86_64", "served"))

    def test_another_shell_is_an_error_that_says_which_there_is(self):
        self.ready_with("shell: toybox\n" + MANIFEST)
        self.refuse(run.RESOLVE, "shell: toybox: the family debian knows only busybox", arguments=("--arch", "x86_64", "served"))


class Fedora(Links, rpm_case.BuildCase):
    shared = SHARED

    def packages(self):
        made = rpm_world.packages()
        made += [rpm.Package("scripted", [rpm.program("/usr/sbin/scripted", SCRIPT)])]
        made += [rpm.Package("busybox", [rpm.program("/usr/sbin/busybox", shell(machine))], arch=arch)
                 for arch, machine in (("x86_64", "amd64"), ("aarch64", "arm64"))]
        return made

    def test_sh_and_the_tools_are_links_to_it(self):
        self.use_folder(SHARED.get("shell", self.packages))
        self.write_manifest(text="shell: busybox\nautomatic: true\n" + MANIFEST)
        images, _ = self.built()
        for image in images.values():
            self.assertEqual(image["/usr/bin/sh"].target, "/usr/sbin/busybox")
            self.assertEqual(image["/usr/bin/cat"].target, "/usr/sbin/busybox")
            self.assertIn(b"I am all of them", image["/usr/sbin/busybox"].data)


if __name__ == "__main__":
    unittest.main()
