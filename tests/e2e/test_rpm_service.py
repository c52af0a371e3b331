# SPDX-License-Identifier: Apache-2.0
"""Services of RPM repositories in Fedora's shape, with no manifest: what their packages say is enough for them to serve. Each
is built by `automatic`, started as a container engine would start it, by the image's own command, and asked."""

import os
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from kit import asks, box, emulators, namespaces, rpm_case, rpm_services  # noqa: E402  pylint: disable=wrong-import-position

ARCHES = ("x86_64", "aarch64")
SHARED = rpm_case.Shared()
EMULATORS = {}


def setUpModule():
    if os.geteuid() != 0:
        raise unittest.SkipTest("services are started in namespaces and chroots, which needs root")
    emulators.need("aarch64")
    for arch in ARCHES:
        if namespaces.foreign(arch) and not namespaces.register(arch):
            EMULATORS[arch] = emulators.find(arch)


def tearDownModule():
    SHARED.close()


class Services(rpm_case.BuildCase):
    shared = SHARED

    def setUp(self):
        super().setUp()
        self.use_folder(SHARED.get("services", lambda: rpm_services.packages(ARCHES)))

    def serve(self, name, user, wanted):
        """Builds it, holds the configuration against `wanted`, and asks it on every architecture. The report."""
        self.write_manifest(name, f"automatic: true\nbinaries: [{rpm_services.BINARIES[name]}]\n")
        images, report = self.built(name=name)
        for arch, image in images.items():
            config = image.config["config"]
            config = {**config, "Entrypoint": [*config["Entrypoint"], *(config.get("Cmd") or [])], "Cmd": None}
            self.assertEqual({key: config.get(key) for key in wanted}, wanted)
            root = box.unpack(image, self.path(f"root-{arch}"))
            service = box.Box(root, config, name, EMULATORS.get(arch))
            try:
                service.start()
                asks.enter(service)
                service.wait_for(lambda: asks.ask(service, ["tcp", str(rpm_services.PORTS[name]), f"serves as {user}\n"]), 60)
            except AssertionError as error:
                raise AssertionError(f"{name} on {arch}: {error}\n{service.tail()}\n{report.order(name, arch)['notes']}") from error
            finally:
                service.close()
        return report

    def test_accounts_of_sysusers_and_directories_and_options_of_the_unit(self):
        self.serve("parlour", "parlour", {
            "Entrypoint": ["/usr/sbin/parlour", "-c", "/etc/parlour/parlour.conf", "-d", "/run/parlour", "-d",
                           "/var/lib/parlour"],
            "User": "parlour", "StopSignal": "SIGINT", "Volumes": {"/var/lib/parlour": {}}})

    def test_an_account_of_pre_and_directories_of_the_package_and_of_tmpfiles(self):
        self.serve("counter", "counter", {"User": None})

    def test_a_sibling_that_depends_on_it_holds_the_service(self):
        self.serve("porch", "porch", {"User": None})

    def test_what_post_does_at_the_first_installation(self):
        self.serve("window", "window", {"User": "window"})

    def test_accounts_and_directories_that_a_script_in_lua_makes(self):
        report = self.serve("attic", "attic", {"User": "attic"})
        for arch in ARCHES:
            wanted = {(wish["kind"], wish["name"]): wish["by"] for wish in report.order("attic", arch)["wanted"]}
            self.assertEqual(wanted[("user", "attic")], "the prein of attic, line 8")
            self.assertIn(("group", "pipe"), wanted)
            self.assertFalse([name for _, name in wanted if name.startswith("/var/log/")], wanted)


if __name__ == "__main__":
    if os.geteuid() == 0:
        namespaces.enter_user_namespace()
    unittest.main()
