# SPDX-License-Identifier: Apache-2.0
"""imgfactory's own image: made from its .deb, it builds dhcpd without root, without capabilities, on a root that is read-only.

The .deb is $IMGFACTORY_DEB, or what scripts/make-packages left in out/packages, or else is made here, where debhelper and lintian are:
that takes two minutes."""

import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from kit import run  # noqa: E402

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# Without them podman asks for limits that a container's root may not set; journald need not be there.
CONF = '[containers]\ndefault_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]\n[engine]\nevents_logger = "file"\n'


def find_deb():
    there = [os.environ["IMGFACTORY_DEB"]] if os.environ.get("IMGFACTORY_DEB") else glob.glob(f"{TOP}/out/packages/imgfactory_*.deb")
    return there[0] if there else None


def may_make_deb():
    return all(shutil.which(name) for name in ("dh", "lintian", "dpkg-buildpackage"))


@unittest.skipUnless(find_deb() or may_make_deb(), "no package of imgfactory is here, and none can be made: apt-get install debhelper lintian")
class OwnImage(unittest.TestCase):
    def setUp(self):
        self.top = tempfile.mkdtemp(prefix="own-", dir="/tmp")
        self.addCleanup(shutil.rmtree, self.top, ignore_errors=True)
        with open(f"{self.top}/containers.conf", "w", encoding="utf-8") as file:
            file.write(CONF)
        self.environment = {**os.environ, "CONTAINERS_CONF": f"{self.top}/containers.conf", "IMGFACTORY": run.program(),
                            "XDG_CACHE_HOME": f"{self.top}/cache", "XDG_STATE_HOME": f"{self.top}/state"}

    def done(self, *command):
        result = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False, cwd=self.top)
        self.assertEqual(result.returncode, 0, (command, result.stderr))
        return result.stdout

    @unittest.skipUnless(os.geteuid() == 0 and shutil.which("podman"), "needs root, for podman with a network of the host's")
    def test_in_a_container_that_may_nothing_it_makes_the_bytes_that_it_makes_here(self):
        if not find_deb():
            self.done(f"{TOP}/scripts/make-packages", "--output", f"{self.top}/packages", "deb")
        deb = find_deb() or glob.glob(f"{self.top}/packages/imgfactory_*.deb")[0]
        self.done(f"{TOP}/scripts/package/own-image", deb, "--output", "out")
        runtime = "runc" if shutil.which("runc") else "crun"
        inside = self.done("podman", "--root", f"{self.top}/root", "--runroot", f"{self.top}/run", "--runtime", runtime, "run",
                           "--rm", "--network=host", "--cap-drop=all", "--security-opt=no-new-privileges", "--read-only",
                           "--volume=kept:/var/lib/imgfactory", f"oci:{self.top}/out/imgfactory:latest",
                           "--quiet", "--json", "--arch", "all", "dhcpd")
        here = self.done(run.program(), "--quiet", "--json", "--arch", "all", "--output", "here", "dhcpd")
        inside, here = json.loads(inside)["images"][0], json.loads(here)["images"][0]
        self.assertEqual((inside["status"], len(inside["architectures"])), ("built", 2))
        self.assertEqual(inside["digest"], here["digest"])


if __name__ == "__main__":
    unittest.main()
