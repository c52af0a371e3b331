# SPDX-License-Identifier: Apache-2.0
"""The proof of a build: what it finds missing fails the image, with the package that could provide it."""

import json
import unittest

from base import Case, deb, run, world

M = world.MACHINES["amd64"]


class Prove(Case):
    def broken(self, text, *parts, packages=()):
        """A build with this put before the manifest's own `create` or `symlinks`."""
        key = text.split(":")[0] + ":\n"
        self.assertIn(key, world.MANIFEST)
        self.ready(manifest=world.MANIFEST.replace(key, text), packages=[*world.packages(("amd64",)), *packages],
                   architectures=("amd64",))
        self.refuse(run.RESOLVE, "the image could not work", *parts, arguments=("--arch", "x86_64", "served"))

    def test_a_library_that_the_manifest_covers_is_in_a_package_of_the_selection(self):
        link = M.lib("libfoo.so.1")
        self.broken(f"symlinks:\n  - path: {link}\n    target: gone\n",
                    "/usr/sbin/served needs libfoo.so.1, which is not found "
                    "(libfoo.so.1 is in package libfoo1 of the selection)")

    def test_an_interpreter_that_no_package_of_the_selection_has_is_in_one_of_the_repository(self):
        tools = deb.Package("tools", arch="amd64",
                            files=[deb.program("/usr/bin/tool", world.executable(M, ["libc.so.6"]))])
        self.broken('create:\n  - path: /usr/sbin/served\n    mode: "0755"\n    content: "#!/usr/bin/tool\\n"\n',
                    "/usr/sbin/served: its interpreter /usr/bin/tool: it is not there "
                    "(/usr/bin/tool is in package tools)", packages=[tools])

    def test_what_nobody_has_is_named_without_a_package(self):
        self.broken('create:\n  - path: /usr/sbin/served\n    mode: "0755"\n    content: "#!/usr/bin/tool\\n"\n',
                    "/usr/sbin/served: its interpreter /usr/bin/tool: it is not there\n")

    def test_an_entry_point_that_cannot_be_started_is_told_with_its_line_and_what_is_near(self):
        place = r"served.yaml:\d+:\d+: config.%s: "
        for config, parts in (
                ("entrypoint: [/usr/sbin/srved]", [place % "entrypoint" + "/usr/sbin/srved: it is not there",
                                                   r"did you mean /usr/sbin/served\?"]),
                ("cmd: [srved]", [place % "cmd" + "srved: it is in no directory of PATH", "/usr/sbin/served"]),
                ("entrypoint: [served]\n  env: {PATH: /opt/bin}", [place % "entrypoint" + "served: .*PATH"]),
                ("entrypoint: [sbin/served]\n  working-dir: /var", [place % "entrypoint" + "/var/sbin/served"]),
                ("entrypoint: [/usr/sbin]", ["it is a directory"]),
                ("entrypoint: [/etc/served.conf]", ["it is not executable"])):
            with self.subTest(config):
                manifest = ("binaries: [/usr/sbin/served]\ncreate:\n  - path: /etc/served.conf\n    content: x\n"
                            f"config:\n  {config}\n")
                self.ready(manifest=manifest, architectures=("amd64",), packages=world.packages(("amd64",)))
                result = self.run_factory("--arch", "x86_64", "served")
                self.assertEqual(result.code, run.RESOLVE, result)
                for part in parts:
                    self.assertRegex(result.stderr, part)

    def test_a_command_that_starts_and_directories_that_are_not_there_build_with_notes(self):
        for config, note in (("entrypoint: [served, -f]", None), ("cmd: [../usr/sbin/served]\n  working-dir: /var", None),
                             ("volumes: [/nowhere]\n  user: '4711'\n  cmd: [served]", "config.volumes: /nowhere is not there")):
            with self.subTest(config):
                self.ready(manifest=f"binaries: [/usr/sbin/served]\nconfig:\n  {config}\n", architectures=("amd64",),
                           packages=world.packages(("amd64",)))
                result = self.run_factory("--json", "--arch", "x86_64", "--rebuild", "served")
                self.assertEqual(result.code, run.OK, result)
                notes = json.loads(result.stdout)["images"][0]["architectures"][0]["proof"]["notes"]
                if note:
                    self.assertRegex("\n".join(notes), note)

    def test_nothing_is_proved_when_that_is_not_wanted(self):
        link = M.lib("libfoo.so.1")
        self.ready(manifest=world.MANIFEST.replace("symlinks:\n", f"symlinks:\n  - path: {link}\n    target: gone\n"))
        self.build("--no-check", "--arch", "x86_64", "served")


if __name__ == "__main__":
    unittest.main()
