#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""systemd as process 1 of an image, in podman as root: packaged units and their aliases, order, one that is started again, a
set-up program that calls systemctl and runs once in the life of a volume, a volume that a second container does not get, and a unit
whose failure ends the container with its status."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from kit import podman_box, run  # noqa: E402  pylint: disable=wrong-import-position

MANIFEST = r"""
packages: {install: [rsyslog]}
binaries: [/usr/bin/dash, /usr/bin/sleep, /usr/bin/systemctl]
create:
  - {path: /etc/systemd/system/hello.service, content: "[Service]\nExecStart=/usr/bin/sleep 1000\n"}
  - {path: /etc/systemd/system/late.service, content: "[Service]\nExecStart=/usr/bin/sleep 1001\n"}
  - {path: /etc/systemd/system/ends.service, content: "[Service]\nExecStart=/usr/bin/dash -c 'until [ -e /data/end ]; do sleep 0.2; done; exit 3'\n"}
  - path: /usr/sbin/make-it
    mode: "0755"
    content: |
      #!/bin/sh
      echo "made for $PLACE"
      systemctl start late.service
data: [{volume: /data, paths: [/var/lib/hello/]}]
configure: {command: [/usr/sbin/make-it], variables: [PLACE]}
services:
  - {unit: rsyslog.service}
  - {unit: hello.service, after: [rsyslog], restart: always}
  - {unit: ends.service, restart: "no"}
"""
UNITS = ["rsyslog", "hello", "late", "ends"]


@unittest.skipUnless(os.geteuid() == 0 and shutil.which("podman"), "podman as root starts systemd")
class Systemd(unittest.TestCase):
    def setUp(self):
        self.top = tempfile.mkdtemp(prefix="imf-")
        self.addCleanup(shutil.rmtree, self.top, ignore_errors=True)
        factory = run.Factory(self.top, **({"cache": os.environ["IMGFACTORY_LIVE_CACHE"]}
                                           if os.environ.get("IMGFACTORY_LIVE_CACHE") else {}))
        path = os.path.join(self.top, "units.yaml")
        with open(path, "w", encoding="ascii") as stream:
            stream.write(MANIFEST)
        proxies = {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
        result = factory.run("--quiet", path, env=proxies, timeout=600)
        self.assertEqual(result.code, run.OK, result)
        self.image = f"oci:{factory.output}/units:latest"
        podman_box.enter(self.top)
        subprocess.run(["umount", "-l", "/sys/fs/cgroup/unified"], stderr=subprocess.DEVNULL, check=False)
        self.engine = podman_box.Engine(self.top)
        self.addCleanup(self.engine.close)

    def start(self, name, *options):
        done = self.engine.run("run", "--detach", f"--name={name}", "--network=none", "--systemd=always", "--volume=d:/data",
                               *options, self.image, code=None)
        if done.returncode and b"cgroup" in done.stderr:
            self.skipTest(f"podman cannot use the cgroups of this machine: {done.stderr.decode()[-300:]}")
        self.assertEqual(done.returncode, 0, done.stderr)

    def refused(self, name):
        """What a container says that ends at once with 1."""
        done = self.engine.run("run", f"--name={name}", "--network=none", "--systemd=always", "--volume=d:/data", self.image, code=1)
        return done.stdout + done.stderr

    def wait(self, name, units, seconds=40):
        """Waits until these units are active."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            done = self.engine.run("exec", name, "/usr/bin/systemctl", "is-active", *units, code=None)
            if done.stdout.decode().split() == ["active"] * len(units):
                return
            time.sleep(0.3)
        told = self.engine.run("exec", name, "/usr/bin/journalctl", "--no-pager", "-n", "40", code=None).stdout.decode()
        self.fail(f"{units} are not all active:\n{done.stdout.decode()}{told}")

    def shown(self, name, unit, key):
        return self.engine.run("exec", name, "/usr/bin/systemctl", "show", "--value", f"--property={key}", unit).stdout.decode().strip()

    def test_units_run_and_a_set_up_program_runs_once_and_a_failure_ends_it(self):
        self.start("first", "--env=PLACE=here")
        self.wait("first", UNITS)
        log = self.engine.run("exec", "first", "/bin/sh", "-c", "read -r line < /data/configure.log && echo $line").stdout
        self.assertEqual(log, b"made for here\n")
        self.assertIn(b"is in use by another container", self.refused("other"))
        self.engine.run("exec", "first", "/usr/bin/systemctl", "kill", "--signal=KILL", "hello")
        deadline = time.monotonic() + 60
        while self.shown("first", "hello", "NRestarts") == "0" and time.monotonic() < deadline:
            time.sleep(0.2)
        self.wait("first", UNITS)
        mounts = self.engine.run("exec", "first", "/bin/sh", "-c", "while read -r line; do echo \"$line\"; done < /proc/mounts").stdout.decode()
        self.assertLessEqual({"/run", "/tmp"}, {line.split()[1] for line in mounts.splitlines() if line.split()[2] == "tmpfs"})
        self.engine.run("stop", "--time=60", "first")
        self.assertNotEqual(self.engine.run("inspect", "--format={{.State.ExitCode}}", "first").stdout, b"137\n")
        self.assertNotIn(b"made", self.engine.run("logs", "first").stdout)
        self.start("second")
        self.wait("second", ["rsyslog", "hello", "ends", "imgfactory-setup"])
        state = self.engine.run("exec", "second", "/usr/bin/systemctl", "is-active", "late", code=None).stdout
        self.assertEqual(state, b"inactive\n")
        self.engine.run("exec", "second", "/bin/sh", "-c", ": > /data/end")
        self.assertEqual(self.engine.run("wait", "second", timeout=60).stdout, b"3\n")


if __name__ == "__main__":
    unittest.main()
