# SPDX-License-Identifier: Apache-2.0
"""Every image of the catalogue is run by podman from the line that is printed after its build and from the command of its
generated systemd unit, and answers in its own protocol. What it wrote outside of its contract is nothing; its root is
read-only exactly where nothing is left; a probe fails when the service stands still. Root only, and some minutes:

    IMGFACTORY_DEPLOYED=all          or names: dhcpd,squid; without it these tests are left out, which they say
    IMGFACTORY_LIVE_CACHE=DIR        the program's cache, kept

Where podman does not run here it is said; nothing else judges then.
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from kit import podman_box, run  # noqa: E402  pylint: disable=wrong-import-position
import test_services as services  # noqa: E402  pylint: disable=wrong-import-position

PATIENCE = 30
# made by the engine in every container
ENGINE = {"/etc", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/etc/mtab", "/run/.containerenv", "/run/secrets"}


class World:
    top = engine = factory = None
    lines, contracts = {}, {}


def chosen():
    wanted = os.environ.get("IMGFACTORY_DEPLOYED", "")
    return list(services.CHECKS) if wanted == "all" else [name for name in wanted.split(",") if name]


def build():
    names = sorted({services.CHECKS[name].manifest for name in chosen()})
    options = {"cache": os.environ["IMGFACTORY_LIVE_CACHE"]} if os.environ.get("IMGFACTORY_LIVE_CACHE") else {}
    World.factory = run.Factory(World.top, **options)
    for form in ((), ("--json",)):
        done = World.factory.run("--manifests", services.MANIFESTS, *form, *names, env=services.proxies(), timeout=1200)
        assert done.code == run.OK, done
        if form:
            for image in json.loads(done.stdout)["images"]:
                World.contracts[image["image"]] = image["architectures"][0]["run"]
        else:
            lines = [line.split(None, 1)[1] for line in done.stdout.splitlines() if line.startswith("  run ")]
            World.lines = {os.path.basename(line.rpartition(":")[0]): line for line in lines}


def setUpModule():
    if not chosen():
        raise unittest.SkipTest("left out: IMGFACTORY_DEPLOYED is not set")
    if os.geteuid() != 0 or not shutil.which("podman"):
        raise unittest.SkipTest("left out: podman as root does not run here")
    World.top = services.World.top = tempfile.mkdtemp(prefix="d", dir="/var/tmp")
    build()
    podman_box.enter(World.top)
    World.engine = podman_box.Engine(World.top)
    unittest.addModuleCleanup(shutil.rmtree, World.top, ignore_errors=True)
    unittest.addModuleCleanup(subprocess.run, ["umount", os.path.join(World.top, "memory")], check=False)
    unittest.addModuleCleanup(World.engine.close)


class Deployed(unittest.TestCase):
    """One test for each service."""

    def prepare(self, check, line):
        """Paths of the host as tmpfiles.d makes them, with the test's own files; secrets. Returns what is left to give."""
        given, env = dict(check.files), dict(check.env)
        contract = World.contracts[check.manifest]
        for mount in contract["host"]:
            if mount["optional"] or mount["shared"]:
                continue
            folder = mount["path"] if mount["kind"] == "directory" else os.path.dirname(mount["path"])
            if mount["kind"] == "directory":
                shutil.rmtree(folder, ignore_errors=True)
            os.makedirs(folder, exist_ok=True)
            if mount["kind"] == "file":
                with open(mount["path"], "wb"):
                    pass
            os.chmod(mount["path"], int(mount["mode"], 8))
            os.chown(mount["path"], mount["uid"], mount["gid"])
            for path in [path for path in given if path.startswith(mount["mount"] + "/")]:
                with open(mount["path"] + path[len(mount["mount"]):], "w", encoding="utf-8") as stream:
                    stream.write(given.pop(path))
        for secret in contract["secrets"]:
            World.engine.run("secret", "rm", f"{check.manifest}-{secret}", code=None)
            World.engine.run("secret", "create", f"{check.manifest}-{secret}", "-", typed=env.pop(secret).encode())
        if check.manifest == "openssh-server":
            with open(services.key_pair() + ".pub", encoding="ascii") as stream:
                given["/etc/ssh/authorized_keys/user"] = stream.read()
        self.assertEqual(line.split()[:2], ["podman", "run"])
        return given, env

    def run_line(self, name, line, is_probed=False):
        """Runs it, asks it, and returns what it wrote into its own layer."""
        check = services.CHECKS[name]
        given, env = self.prepare(check, line)
        if check.manifest == "busybox":  # at no terminal the test's own command takes the place of the shell's
            line = line.replace(" --interactive --tty", "")
        box = podman_box.PodmanBox(World.engine, line, f"{name}-{len(os.listdir(World.top))}", given, env)
        try:
            box.start(check.command or ())
            check.ask(box, PATIENCE)
            written = [path for path in box.changed() if path not in ENGINE and path not in given]
            if is_probed:
                self.probe(box)
            if name != "busybox":
                self.assertIsNotNone(box.stop(), f"{name} did not end by its signal")
            return written
        finally:
            box.close()
            World.engine.run("volume", "prune", "--force")

    def probe(self, box):
        self.assertEqual(World.engine.run("healthcheck", "run", box.name, code=None).returncode, 0)
        pid = str(box.state()["Pid"])
        subprocess.run(["kill", "-STOP", pid], check=True)
        try:
            self.assertNotEqual(World.engine.run("healthcheck", "run", box.name, code=None, timeout=60).returncode, 0)
        finally:
            subprocess.run(["kill", "-CONT", pid], check=True)

    def hold_to_contract(self, name):
        manifest = services.CHECKS[name].manifest
        line, contract = World.lines[manifest], World.contracts[manifest]
        self.run_line(name, line, is_probed=bool(contract["health"]["command"]))
        loose = shlex.join(word for word in shlex.split(line) if word != "--read-only")
        allowed = [*contract["tmpfs"], *contract["writes"]]
        left = [path for path in self.run_line(name, loose)
                if not any(path == folder or path.startswith(folder + "/") for folder in allowed)]
        self.assertEqual(left, [], f"{name} wrote to what its contract does not name")
        self.assertEqual(contract["read_only"], not contract["writes"])

    def start_unit(self, name):
        """The command of the generated unit, but for what only systemd can do."""
        manifest = services.CHECKS[name].manifest
        done = subprocess.run([run.program(), "unit", "--manifests", services.MANIFESTS, "--output",
                               World.factory.output, "--format", "systemd", "--json", manifest],
                              stdout=subprocess.PIPE, check=True)
        files = {file["name"]: file["text"] for file in json.loads(done.stdout)["files"]}
        lines = files[f"{manifest}.service"].replace("\\\n", " ").splitlines()
        command = next(line for line in lines if line.startswith("ExecStart="))[len("ExecStart="):]
        words = [word.replace("%%", "%").replace("$$", "$") for word in shlex.split(command)]
        without = ("--cidfile=", "--sdnotify=", "--detach", "--replace", "--name=", "--cgroups=", "--rm",
                   "--health-on-failure=")
        self.run_line(name, shlex.join(["podman", *(word for word in words[1:] if not word.startswith(without))]))


def add_tests(name):
    def by_line(self):
        self.hold_to_contract(name)

    def by_unit(self):
        self.start_unit(name)
    by_line.__doc__ = f"{name} answers from its printed line and keeps its contract"
    by_unit.__doc__ = f"{name} answers from the command of its unit"
    setattr(Deployed, f"test_{name.replace('-', '_')}_by_its_line", by_line)
    setattr(Deployed, f"test_{name.replace('-', '_')}_by_its_unit", by_unit)


for service in chosen():
    add_tests(service)


if __name__ == "__main__":
    unittest.main()
