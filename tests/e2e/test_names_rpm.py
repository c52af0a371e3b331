# SPDX-License-Identifier: Apache-2.0
"""Names of RPM packages, in Fedora's shape: programs, packages and units without a manifest; what a package ships."""

import json
import os
import unittest

from base import need, run
from kit import rpm_services
from kit.rpm_case import BuildCase, Shared

SHARED = Shared()
ARCHES = ("x86_64", "aarch64")


def tearDownModule():
    SHARED.close()


class Names(BuildCase):
    shared = SHARED

    def setUp(self):
        super().setUp()
        need("x86_64-linux-gnu-gcc", "aarch64-linux-gnu-gcc")
        os.makedirs(self.path("manifests"))
        self.use_folder(SHARED.get("services", lambda: rpm_services.packages(ARCHES)))

    def ask(self, *arguments):
        result = self.factory.run_plain(arguments[0], *self.factory.options, *arguments[1:])
        self.assertEqual(result.code, run.OK, result)
        return result.stdout

    def order(self, word):
        result = self.run_factory("--dry-run", "--json", "--arch", "all", word)
        self.assertEqual(result.code, run.OK, result)
        image = json.loads(result.stdout)["images"][0]
        return image["image"], image["architectures"][0]

    def test_programs_packages_and_units(self):
        owner = "of the package porch-server"
        for word, image, said in (
                ("parlour", "parlour", "the command /usr/sbin/parlour of the package parlour"),
                ("/usr/bin/window", "window", "the program /usr/bin/window of the package window"),
                ("package:counter", "counter", "the package counter, whose counter.service starts /usr/sbin/counter"),
                ("porch-common", "porchd", f"the package porch-common, whose porch.service starts /usr/sbin/porchd {owner}"),
                ("package:porch-server", "porchd", "the package porch-server, whose porch.service starts /usr/sbin/porchd"),
                ("porch.service", "porchd", f"the unit porch.service, which starts /usr/sbin/porchd {owner}")):
            with self.subTest(word):
                name, order = self.order(word)
                self.assertEqual((name, order["named"]), (image, f"{word} is {said}"))
                self.assertEqual(len(order["choices"]), 1)
        self.refuse(run.USAGE, "unknown image 'porch'", arguments=("porch",))

    def test_the_manifest_of_a_name_gives_the_same_image(self):
        for word, image in (("parlour", "parlour"), ("porch-common", "porchd")):
            digest = self.build("--arch", "all", word, name=image).tags["latest"]
            again = self.build("--arch", "all", self.write(f"{image}.yaml", self.ask("new", word)), name=image)
            self.assertEqual(again.tags["latest"], digest)

    def test_find_tells_what_a_package_ships_and_who_ships_a_path(self):
        self.assertEqual(self.ask("find", "--arch", "all", "porch-common").splitlines(), [
            f"porch-common: {path}" for path in (
                "/etc/porch/porch.conf", "/usr/lib/systemd/system/porch.service", "/usr/lib/sysusers.d/porch.conf",
                "/usr/lib/tmpfiles.d/porch.conf")])
        self.assertEqual(self.ask("find", "--arch", "all", "/usr/sbin/p*").splitlines(),
                         ["parlour: /usr/sbin/parlour", "porch-server: /usr/sbin/porchd"])
        self.assertEqual(json.loads(self.ask("find", "--json", "--arch", "aarch64", "/usr/bin/window")),
                         [{"package": "window", "path": "/usr/bin/window", "architectures": ["aarch64"]}])


if __name__ == "__main__":
    unittest.main()
