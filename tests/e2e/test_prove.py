"""The proof of a build: what it finds missing fails the image, with the package that could provide it."""

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

    def test_nothing_is_proved_when_that_is_not_wanted(self):
        link = M.lib("libfoo.so.1")
        self.ready(manifest=world.MANIFEST.replace("symlinks:\n", f"symlinks:\n  - path: {link}\n    target: gone\n"))
        self.build("--no-check", "--arch", "x86_64", "served")


if __name__ == "__main__":
    unittest.main()
