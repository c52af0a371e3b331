#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What an upgrade of a volume makes of configuration is what rpm and dpkg make of it in a root of their own: each kind of
configuration, changed by the package or not, in each state in which somebody may have left it."""

import os
import subprocess
import unittest

from base import Case, deb, rpm, world
from data_case import Volumes
from kit import rpm_world
from kit.rpm_case import BuildCase, Shared, publish

SHARED = Shared()
FOLDER = "/etc/conf"
MANIFEST = """
packages: {install: [conf]}
config: {entrypoint: [%s]}
data: [{volume: /data, paths: [/etc/conf/, /etc/conf-d/]}]
"""
# What the package's three versions have, and what somebody did to the file of the first one.
BYTES = {"same": ("one\n", "one\n", "one\n"), "changed": ("one\n", "two\n", "two\n"), "new": (None, "two\n", "two\n"),
         "equal": ("", "", ""), "gone": ("one\n", None, None), "back": ("one\n", None, "one\n"), "back-changed": ("one\n", None, "two\n")}
DONE = {"nothing": None, "edited": b"mine\n", "emptied": b"", "foreseen": b"two\n", "removed": "removed", "linked": "linked"}
LATER = {"edited-later": b"mine\n", "removed-later": "removed"}  # done to what the second version left
RPM = {"config": "%config", "noreplace": "%config(noreplace)", "missing": "%config(missingok)",
       "both": "%config(missingok,noreplace)"}
DPKG = ["conffile"]


def tearDownModule():
    SHARED.close()


def names(flags):
    """(path, word of its flags, its bytes in each version, what was done to it)"""
    for flag in flags:
        for kind, texts in BYTES.items():
            for deed, what in {**DONE, **LATER}.items():
                if flag in DPKG and deed == "linked":
                    continue  # dpkg follows such a link, which nothing may here
                if deed in LATER and not kind.startswith("back"):
                    continue
                if texts[0] is not None or deed in ("nothing", "edited"):
                    yield f"{FOLDER}/{flag}-{kind}-{deed}.conf", flag, texts, what


def meddle(root, flags, is_later):
    """What somebody does to the configuration below a root, or in a volume."""
    for path, _, _, deed in names(flags):
        if ("later" in path) != is_later or (is_later and not os.path.exists(root + path)):
            continue  # rpm has removed it
        if deed == "removed":
            os.unlink(root + path)
        elif deed == "linked":
            os.unlink(root + path)
            os.symlink("elsewhere", root + path)
        elif deed is not None:
            with open(root + path, "wb") as stream:
                stream.write(deed)


def found(root):
    """Names and bytes of all configuration; links with their targets."""
    facts, top = {}, root + FOLDER
    for name in os.listdir(top):
        path = os.path.join(top, name)
        if os.path.islink(path):
            facts[name] = os.readlink(path)
            continue
        with open(path, "rb") as stream:
            facts[name] = stream.read()
    return facts


class Rules(Volumes):
    maxDiff = None

    """`install(root, version)` installs a package, or upgrades to it; `image(version)` builds the image with it."""

    def after(self, version):
        pass

    def compare(self, flags):
        judge = self.path("judge")
        os.makedirs(judge)
        for version in (1, 2, 3):
            self.start(self.image(version))
            self.install(judge, version)
            mine, other = found(self.path("volumes/data")), found(judge)
            self.assertGreater(len(other), 15)
            differing = sorted(name for name in {*mine, *other} if mine.get(name) != other.get(name))
            self.assertEqual([(name, mine.get(name)) for name in differing], [(name, other.get(name)) for name in differing], version)
            for root in (judge, self.path("volumes/data")):
                if version < 3:
                    meddle(root, flags, version == 2)
            self.after(version)


@unittest.skipUnless(os.geteuid() == 0, "owners need root")
class Rpm(Rules, BuildCase):
    shared = SHARED
    def package(self, version):
        files = [rpm.File(path, texts[version - 1], flags=RPM[flag])
                 for path, flag, texts, _ in names(RPM) if texts[version - 1] is not None]
        if version == 1:
            files += [rpm.directory("/etc/conf-d/deep"), rpm.File("/etc/conf-d/deep/gone.conf", "one\n", flags=RPM["config"])]
        return rpm.Package("conf", [rpm.directory(FOLDER), *files], version=str(version), time=rpm.EPOCH + version)

    def image(self, version):
        binaries = rpm_world.binaries_of("x86_64")
        tools = rpm.Package("tools", [rpm.program(f"/usr/bin/{name}", binaries.files["bash"]) for name in world.START_TOOLS], arch="x86_64")
        package = self.package(version)
        folder = self.path(f"repo-{version}")
        publish(folder, [*rpm_world.packages(("x86_64",)), tools, package], SHARED.ring.get("main"))
        self.use(self.source(folder, name=f"source-{version}.yaml"))
        self.write_manifest("served", MANIFEST % rpm_world.SERVED)
        layout = self.build("--arch", "x86_64", "served", env={"SOURCE_DATE_EPOCH": str(1700000000 + version)})
        return self.unpack(layout.images["latest"]["amd64"], str(version))

    def install(self, root, version):
        path = self.path(f"conf-{version}.rpm")
        with open(path, "wb") as stream:
            stream.write(self.package(version).build())
        subprocess.run(["rpm", "--root", root, "--dbpath", "/var/lib/rpm", "--upgrade", "--nodeps", "--nosignature", path],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def after(self, version):
        """What an image has no more is removed from the volume, not from where a link leads to."""
        far = self.path("volumes/data/etc/conf-d/deep")
        if version == 1:
            os.rename(far, self.path("outside"))
            os.symlink(self.path("outside"), far)
        self.assertEqual(os.listdir(self.path("outside")), ["gone.conf"])

    def test_configuration_is_as_rpm_leaves_it(self):
        self.compare(RPM)


@unittest.skipUnless(os.geteuid() == 0, "owners need root")
class Dpkg(Rules, Case):
    def package(self, version):
        files = [deb.File(path, texts[version - 1]) for path, _, texts, _ in names(DPKG) if texts[version - 1] is not None]
        package = deb.Package("conf", arch="all", version=str(version), files=files)
        package.scripts["conffiles"] = "".join(file.path + "\n" for file in files)
        return package

    def image(self, version):
        self.make_repository(packages=[*world.packages(("amd64",)), world.start_tools(), self.package(version)], name=f"repo-{version}",
                             architectures=("amd64",))
        self.use(self.write_source(f"source-{version}.yaml"))
        self.write_manifest(text=MANIFEST % "/usr/sbin/served")
        layout = self.build("--arch", "x86_64", "served", env={"SOURCE_DATE_EPOCH": str(1700000000 + version)})
        return self.unpack(layout.images["latest"]["amd64"], str(version))

    def install(self, root, version):
        for name in ("info", "updates"):
            os.makedirs(f"{root}/var/lib/dpkg/{name}", exist_ok=True)
        with open(f"{root}/var/lib/dpkg/status", "ab"):
            pass
        path = self.path(f"conf-{version}.deb")
        with open(path, "wb") as stream:
            stream.write(self.package(version).build())
        done = subprocess.run(["dpkg", f"--root={root}", "--force-confdef", "--force-confold", "--install", path],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              env={**os.environ, "LC_ALL": "C"}, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_configuration_is_as_dpkg_leaves_it(self):
        self.compare(DPKG)


if __name__ == "__main__":
    unittest.main()
