# SPDX-License-Identifier: Apache-2.0
"""Units of the catalogue as other programs read them: the quadlet generator, systemd, the models of Kubernetes.

    IMGFACTORY_QUADLET=PATH[:PATH]   generators of podman 5 (libexec/podman/quadlet); else those of IMGFACTORY_ROOTS
                                     (kit/roots.py), and the installed one
    PYTHONPATH                       with python3-kubernetes and python3-yaml

A judge that is not there leaves its tests out, which they say.
"""

import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from kit import roots, run  # noqa: E402  pylint: disable=wrong-import-position
from kit.kube_models import Models  # noqa: E402  pylint: disable=wrong-import-position

MANIFESTS = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "manifests"))
NAMES = sorted(os.path.basename(path)[:-5] for path in glob.glob(os.path.join(MANIFESTS, "*.yaml")))
OBJECTS = {"Deployment": "V1Deployment", "DaemonSet": "V1DaemonSet", "Service": "V1Service",
           "PersistentVolumeClaim": "V1PersistentVolumeClaim"}


def generators():
    path, named = "usr/libexec/podman/quadlet", os.environ.get("IMGFACTORY_QUADLET")
    entered = [roots.find(release, path) for release in ("trixie", "sid")]
    found = named.split(":") if named else [f"/{path}", *(f"{root}/{path}" for root in entered if root)]
    return [judge for judge in found if os.access(judge, os.X_OK)]


class Units(unittest.TestCase):
    def setUp(self):
        self.top = tempfile.mkdtemp(prefix="imgfactory-units-")
        self.addCleanup(shutil.rmtree, self.top, ignore_errors=True)

    def make(self, form, *names, folder=None, options=()):
        """The files of one format for images of the catalogue, each by itself, or of one call."""
        folder = os.path.join(self.top, folder or form)
        for name in names:
            subprocess.run([run.program(), "unit", "--manifests", MANIFESTS, "--output", self.top, "--image",
                            f"quay.io/me/{name}", "--format", form, "--units", folder, "--quiet", *options, name],
                           check=True, stdin=subprocess.DEVNULL)
        return folder

    def generate(self, folder):
        """What each generator makes of it: {unit: text} of the last. A warning is a failure."""
        judges = generators()
        if not judges:
            self.skipTest("left out: no quadlet generator of podman 5 (IMGFACTORY_QUADLET)")
        for judge in judges:
            done = subprocess.run([judge, "-dryrun"], env={**os.environ, "QUADLET_UNIT_DIRS": folder},
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
            told = [line for line in done.stderr.decode().splitlines() if ": Loading source " not in line]
            self.assertEqual((done.returncode, told), (0, []), judge)
            units = dict(re.findall(r"(?ms)^---(\S+)---\n(.*?)(?=^---\S+---$|\Z)", done.stdout.decode()))
        return units

    def command(self, units, name):
        return next(line for line in units[f"{name}.service"].splitlines() if line.startswith("ExecStart="))

    def test_the_generator_takes_every_container_of_the_catalogue_without_a_word(self):
        units = self.generate(self.make("quadlet", *NAMES))
        for name in NAMES:
            self.assertIn(f"quay.io/me/{name}:latest", self.command(units, name))
            self.assertIn("--cap-drop all", self.command(units, name))

    def test_and_several_images_of_one_call_with_the_network_that_joins_them(self):
        folder = os.path.join(self.top, "joined")
        config = os.path.join(self.top, "imgfactory.yaml")
        with open(config, "w", encoding="ascii") as stream:
            stream.write("registry: quay.io\nnamespace: me\n")
        subprocess.run([run.program(), "unit", "--config", config, "--manifests", MANIFESTS, "--output", self.top,
                        "--units", folder, "--quiet", "nginx", "redis", "dhcpd"], check=True)
        units = self.generate(folder)
        self.assertIn("nginx-network.service", units)
        self.assertIn("--network nginx", self.command(units, "redis"))
        self.assertIn("--network host", self.command(units, "dhcpd"))

    def test_systemd_verifies_every_service_of_the_catalogue(self):
        if not shutil.which("systemd-analyze") or not os.path.exists("/usr/bin/podman"):
            self.skipTest("left out: systemd-analyze and podman are not here")
        folder = self.make("systemd", *NAMES)
        done = subprocess.run(["systemd-analyze", "verify", "--man=no",
                               *(os.path.join(folder, f"{name}.service") for name in NAMES)], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
        self.assertEqual((done.returncode, done.stdout.decode()), (0, ""))

    def test_the_models_of_kubernetes_have_a_place_for_every_word(self):
        try:
            models = Models(OBJECTS)
        except ImportError as error:
            self.skipTest(f"left out: {error}")
        for path in sorted(glob.glob(os.path.join(self.make("kube", *NAMES), "*.yaml"))):
            for document, modelled in models.pairs(path):
                self.assertEqual(modelled, document, path)

    def test_tmpfiles_makes_the_paths_of_the_host(self):
        if not shutil.which("systemd-tmpfiles"):
            self.skipTest("left out: systemd-tmpfiles is not here")
        folder, root = self.make("quadlet", "dhcpd"), os.path.join(self.top, "root")
        os.makedirs(root)
        subprocess.run(["systemd-tmpfiles", "--create", f"--root={root}", os.path.join(folder, "dhcpd-container.conf")],
                       check=True)
        self.assertEqual(os.path.getsize(os.path.join(root, "var/lib/dhcpd/dhcpd.leases")), 0)
        self.assertTrue(os.path.isdir(os.path.join(root, "etc/dhcp")))

    # What README tells of drop-ins.

    def with_drop_in(self, name, text, image=None):
        folder = self.make("quadlet", image or name)
        drop_ins = os.path.join(folder, f"{image or name}.container.d")
        os.makedirs(drop_ins)
        with open(os.path.join(drop_ins, "10-mine.conf"), "w", encoding="ascii") as stream:
            stream.write(text)
        return self.command(self.generate(folder), image or name)

    def test_a_drop_in_gives_arguments(self):
        self.assertRegex(self.with_drop_in("dhcpd", "[Container]\nExec=-6 eth0\n"), r"dhcpd:latest -6 eth0$")

    def test_a_drop_in_gives_variables_and_another_image(self):
        command = self.with_drop_in("dhcpd", "[Container]\nImage=quay.io/me/dhcpd:4.4.3\nEnvironment=TZ=UTC\n")
        self.assertRegex(command, r"--env \"?TZ=UTC\"? .*quay.io/me/dhcpd:4\.4\.3$")

    def test_the_image_may_be_a_variable_of_the_unit(self):
        command = self.with_drop_in("dhcpd", "[Container]\nImage=quay.io/me/dhcpd:${DHCPD_TAG}\n"
                                             "[Service]\nEnvironmentFile=/etc/sysconfig/dhcpd-container\n")
        self.assertRegex(command, r"quay.io/me/dhcpd:\$\{DHCPD_TAG\}$")

    def test_a_drop_in_opens_omapi_with_its_key_in_a_file_of_the_host(self):
        command = self.with_drop_in("dhcpd", "[Container]\n"
                                             "Volume=/etc/dhcpd-omapi.key:/etc/dhcp-omapi/key:ro,Z\n")
        self.assertIn("-v /etc/dhcpd-omapi.key:/etc/dhcp-omapi/key:ro,Z", command)

    def test_a_drop_in_waits_for_an_external_database(self):
        folder = self.make("quadlet", "dhcpd-ldap")
        os.makedirs(os.path.join(folder, "dhcpd-ldap.container.d"))
        with open(os.path.join(folder, "dhcpd-ldap.container.d/10-ldap.conf"), "w", encoding="ascii") as stream:
            stream.write("[Unit]\nWants=slapd.service\nAfter=slapd.service\n[Container]\n"
                         "Volume=/etc/ssl/ldap-ca.pem:/etc/ssl/certs/ldap-ca.pem:ro\n")
        units = self.generate(folder)
        self.assertIn("After=slapd.service", units["dhcpd-ldap.service"])
        self.assertIn("-v /etc/ssl/ldap-ca.pem:/etc/ssl/certs/ldap-ca.pem:ro", self.command(units, "dhcpd-ldap"))


if __name__ == "__main__":
    unittest.main()
