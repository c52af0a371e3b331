#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Several services in one image: built from the host's repositories with runit, tini and systemd, unpacked, and started as an
engine starts it on a read-only root, natively and under qemu-user."""

import concurrent.futures
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from kit import image, namespaces, run  # noqa: E402  pylint: disable=wrong-import-position
from kit.box import Box, unpack  # noqa: E402  pylint: disable=wrong-import-position
from kit.case import need  # noqa: E402  pylint: disable=wrong-import-position

ARCHES = {"x86_64": "amd64", "aarch64": "arm64/v8"}
PATIENCE = 60
SCRIPTS = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "factory", "plan", "start"))
SERVICES = """
services:
  - {name: first, command: [/bin/dash, -c, "echo first starts; exec sleep 1000"], ready: [/usr/bin/test, -e, /run/go]}
  - {name: again, command: [/bin/dash, -c, "echo again; exit 3"]}
  - name: second
    command: [/bin/dash, -c, "echo second starts as $(id -u); trap 'echo second ends; exit 0' TERM; while :; do sleep 0.1; done"]
    user: nobody
    after: [first]
"""
MANIFESTS = {
    "runit": "binaries: [/usr/bin/id]\n" + SERVICES,
    "busybox": "shell: busybox\nbinaries: [/usr/bin/id]\n" + SERVICES,
    "failing": """
services:
  - {name: stays, command: [/bin/dash, -c, "trap 'echo stays ends; exit 0' TERM; echo stays; while :; do sleep 0.1; done"]}
  - {name: task, command: [/bin/dash, -c, "echo task; exit 0"], restart: "no"}
  - {name: fails, command: [/bin/dash, -c, "sleep 1; exit 7"], restart: "no", after: [task, stays]}
""",
    "tini": 'services: [{name: one, command: [/bin/dash, -c, "sleep 1; exit 9"]}]\nfiles: [/usr/bin/sleep]\n',
    "units": 'packages: {install: [cron, rsyslog]}\nservices: [{unit: rsyslog.service},'
             ' {unit: cron.service, after: [rsyslog], restart: "no"}]\n',
}


class World:
    """Made once by setUpModule()."""
    top = factory = None


def setUpModule():
    if os.geteuid() != 0:
        raise unittest.SkipTest("services are started in namespaces and chroots, which needs root")
    need("unshare", "nsenter", "ip", "zstd")
    World.top = tempfile.mkdtemp(prefix="imgfactory-many-")
    unittest.addModuleCleanup(shutil.rmtree, World.top, ignore_errors=True)
    folder = os.path.join(World.top, "manifests")
    os.makedirs(folder)
    for name, text in MANIFESTS.items():
        with open(os.path.join(folder, name + ".yaml"), "w", encoding="utf-8") as stream:
            stream.write(text)
    World.factory = run.Factory(World.top, **({"cache": os.environ["IMGFACTORY_LIVE_CACHE"]}
                                              if os.environ.get("IMGFACTORY_LIVE_CACHE") else {}))
    proxies = {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
    result = World.factory.run("--manifests", folder, "--arch", ",".join(ARCHES), "--quiet", *MANIFESTS, env=proxies,
                               timeout=600)
    if result.code != run.OK:
        raise RuntimeError(str(result))


class Many(unittest.TestCase):
    def unpack(self, name, arch):
        layout = image.Layout(os.path.join(World.factory.output, name))
        built = layout.images["latest"][ARCHES[arch]]
        root = unpack(built, os.path.join(World.top, "roots", name, arch))
        self.addCleanup(shutil.rmtree, root, ignore_errors=True)
        return root, built.config["config"]

    def start(self, name, arch):
        if namespaces.foreign(arch) and not namespaces.register(arch):
            self.skipTest("programs that start others want binfmt_misc in a user namespace (Linux 6.7)")
        root, config = self.unpack(name, arch)
        box = Box(root, config, name)
        self.addCleanup(box.close)
        return box.start()

    def each(self, try_it, *names):
        """Runs it for each manifest and architecture, in threads: a box belongs to the one that made it."""
        with concurrent.futures.ThreadPoolExecutor(len(names) * len(ARCHES)) as pool:
            results = {(name, arch): pool.submit(try_it, name, arch) for name in names for arch in ARCHES}
        for (name, arch), result in results.items():
            with self.subTest(manifest=name, arch=arch):
                result.result()

    def order(self, name, arch):
        box = self.start(name, arch)
        box.wait_for(lambda: "first starts" in box.log and box.log.count("again\n") > 1, PATIENCE)
        self.assertNotIn("second starts", box.log)
        with open(os.path.join(box.root, "run/go"), "w", encoding="ascii"):
            pass
        box.wait_for(lambda: "second starts as 65534\n" in box.log, PATIENCE)
        status = box.stop()
        box.finish_log()
        self.assertEqual(status, 0, box.log)
        self.assertIn("second ends\n", box.log)

    def test_one_starts_when_the_others_are_ready_and_ends_before_them(self):
        self.each(self.order, "runit", "busybox")

    def fails(self, name, arch):
        box = self.start(name, arch)
        box.process.wait(PATIENCE)
        box.finish_log()
        self.assertEqual(box.process.returncode, 7, box.log)
        for words in ("task\n", "stays\n", "services: fails ended with status 7", "stays ends\n"):
            self.assertIn(words, box.log)

    def test_one_that_is_not_started_again_ends_the_container_with_its_status(self):
        self.each(self.fails, "failing")

    def tini(self, name, arch):
        box = self.start(name, arch)
        box.process.wait(PATIENCE)
        self.assertEqual(box.process.returncode, 9, box.log)

    def test_one_alone_is_started_by_tini(self):
        self.each(self.tini, "tini")

    def test_every_script_is_one_of_posix(self):
        need("shellcheck")
        scripts = [os.path.join(SCRIPTS, name) for name in os.listdir(SCRIPTS)]
        for name in ("runit", "failing"):
            root, _ = self.unpack(name, "x86_64")
            scripts += [os.path.join(folder, file) for folder, _, files in os.walk(os.path.join(root, "etc/service"))
                        for file in files if file != "supervise"]
        self.assertGreater(len(scripts), 8)
        result = subprocess.run(["shellcheck", "-s", "sh", "-e", "SC2016", *scripts], stdout=subprocess.PIPE, text=True, check=False)
        self.assertEqual(result.stdout, "")

    def test_units_are_enabled_as_systemctl_knows_it(self):
        if not shutil.which("systemctl"):
            self.skipTest("systemctl, the judge, is not here")
        root, config = self.unpack("units", "x86_64")
        self.assertEqual((config["Entrypoint"], config["StopSignal"]), (["/usr/lib/systemd/systemd"], "SIGRTMIN+3"))
        result = subprocess.run(["systemctl", f"--root={root}", "is-enabled", "rsyslog.service", "cron.service"],
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        self.assertEqual(result.stdout.split(), ["enabled", "enabled"])
        default = subprocess.run(["systemctl", f"--root={root}", "get-default"], stdout=subprocess.PIPE, text=True,
                                 check=False)
        self.assertEqual(default.stdout, "multi-user.target\n")

    def test_a_unit_that_no_package_ships_is_answered_with_the_nearest(self):
        path = os.path.join(World.top, "none.yaml")
        with open(path, "w", encoding="ascii") as stream:
            stream.write("services: [{unit: rsyslogd.service}]\n")
        for options in ([], ["--dry-run"]):
            result = World.factory.run(*options, path, env=dict(os.environ))
            self.assertEqual(result.code, run.RESOLVE, result)
            self.assertIn("did you mean rsyslog.service?", result.stderr)


if __name__ == "__main__":
    if os.geteuid() == 0:
        namespaces.enter_user_namespace()
    unittest.main()
