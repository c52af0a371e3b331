"""What packages that are taken whole register: the links of update-alternatives and of Fedora's alternatives."""

import unittest

import base  # noqa: F401  (finds the kit)

from kit import deb, world
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
        image = self.built("packages:\n  install: [mawk]\n", "--strict")
        for path, target in (("/usr/bin/awk", "/etc/alternatives/awk"), ("/etc/alternatives/awk", "/usr/bin/mawk"), ("/usr/bin/nawk", "/etc/alternatives/nawk")):
            self.assertEqual((image[path].kind, image[path].target), ("link", target))
        self.assertNotIn("/usr/share/man/man1/awk.1.gz", image)

    def test_of_several_the_highest_priority_wins(self):
        image = self.built("packages:\n  install: [mawk, gawk]\n")
        self.assertEqual(image["/etc/alternatives/awk"].target, "/usr/bin/gawk")

    def test_what_is_not_whole_registers_only_what_is_wanted(self):
        image = self.built("packages:\n  install: [data]\nfiles: [{path: /usr/share/man/man1/mawk.1.gz, package: mawk}]\n")
        self.assertNotIn("/usr/bin/awk", image)


if __name__ == "__main__":
    unittest.main()
