# SPDX-License-Identifier: Apache-2.0
"""What packages list below a directory that another one has as a link, and names from before the merge of /usr."""

import os
import subprocess
import unittest

import base  # noqa: F401  (finds the kit)

from kit import case, deb, rpm, world
from kit.case import Case
from kit.rpm_case import publish

MACHINE = world.MACHINES["amd64"]


class Debian(Case):
    def built(self, packages, names):
        self.make_repository([world.base_files(MACHINE)] + packages, architectures=("amd64",))
        self.use(self.write_source())
        self.write_manifest("pick", f"packages:\n  install: [{', '.join(names)}]\n")
        return next(iter(self.build("--arch", "x86_64", "pick", name="pick").images["latest"].values()))

    def dpkg(self, packages):
        """What dpkg unpacks: {path: link target or text}."""
        root = self.path("root")
        os.makedirs(os.path.join(root, "var/lib/dpkg/info"), exist_ok=True)
        open(os.path.join(root, "var/lib/dpkg/status"), "w", encoding="utf-8").close()
        for package in packages:
            path = self.path(package.file_name)
            with open(path, "wb") as stream:
                stream.write(package.build())
            subprocess.run(["dpkg", f"--root={root}", "--force-all", "--log=/dev/null", "--unpack", path], check=True, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
        return root

    def test_files_below_another_packages_link_are_where_it_leads(self):
        one = deb.Package("a", arch="amd64", files=[deb.directory("/usr/share/e"), deb.link("/usr/share/d", "e"), deb.File("/usr/share/e/y", "1")])
        two = deb.Package("b", arch="amd64", Depends="a", files=[deb.directory("/usr/share/d"), deb.File("/usr/share/d/x", "2"), deb.File("/usr/share/d/deep/z", "3")])
        image = self.built([one, two], ["a", "b"])
        self.assertEqual((image["/usr/share/d"].kind, image["/usr/share/d"].target), ("link", "e"))
        for path, text in (("/usr/share/e/x", b"2"), ("/usr/share/e/deep/z", b"3"), ("/usr/share/e/y", b"1")):
            self.assertEqual(image[path].data, text)
        if os.geteuid() == 0:
            root = self.dpkg([one, two])
            self.assertTrue(os.path.islink(os.path.join(root, "usr/share/d")))
            self.assertTrue(os.path.exists(os.path.join(root, "usr/share/e/deep/z")))

    def test_a_link_that_nobody_lists_anything_below_stays_a_link_alone(self):
        one = deb.Package("a", arch="amd64", files=[deb.directory("/usr/share/e"), deb.link("/usr/share/d", "e"), deb.File("/usr/share/e/y", "1")])
        two = deb.Package("b", arch="amd64", files=[deb.File("/usr/share/dd/x", "2")])
        image = self.built([one, two], ["a", "b"])
        self.assertEqual(image["/usr/share/d"].kind, "link")
        self.assertIn("/usr/share/dd/x", image)

    def test_a_link_to_a_file_or_to_nowhere_is_not_followed(self):
        one = deb.Package("a", arch="amd64", files=[deb.link("/usr/share/d", "gone")])
        two = deb.Package("b", arch="amd64", files=[deb.File("/usr/share/d/x", "2")])
        self.make_repository([world.base_files(MACHINE), one, two], architectures=("amd64",))
        self.use(self.write_source())
        self.write_manifest("pick", "packages:\n  install: [a, b]\n")
        self.refuse(5, "/usr/share/d", arguments=("--arch", "x86_64", "pick"))


class Rpm(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        case.need("rpmbuild", "rpmsign", "createrepo_c")

    def built(self, packages, names):
        publish(self.path("repo"), packages, self.ring.get("main"))
        self.use(self.write("source.yaml", f"kind: rpm\nname: kit\nbaseurl: file://{self.path('repo')}/$basearch\ngpgkey: [{self.ring.get('main').armoured}]\n"))
        self.write_manifest("pick", f"packages:\n  install: [{', '.join(names)}]\n")
        return next(iter(self.build("--arch", "x86_64", "pick", name="pick").images["latest"].values()))

    def test_var_run(self):
        image = self.built([rpm.Package("filesystem", [rpm.directory("/run"), rpm.link("/var/run", "../run")], arch="x86_64"),
                            rpm.Package("g", [rpm.directory("/var/run/g", 0o750), rpm.File("/var/run/g/x", b"1")], arch="x86_64", requires=["filesystem"])], ["g"])
        self.assertEqual(image["/run/g"].mode, 0o750)
        self.assertEqual(image["/run/g/x"].data, b"1")

    def test_a_link_to_the_name_from_before_usr_was_merged(self):
        image = self.built([rpm.Package("x", [rpm.program("/bin/x", b"#!x\n"), rpm.link("/usr/bin/x", "../../bin/x")], arch="x86_64")], ["x"])
        self.assertEqual(image["/usr/bin/x"].data, b"#!x\n")


if __name__ == "__main__":
    unittest.main()
