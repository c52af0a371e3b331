#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""manifests/identity.yaml on both architectures: built from the packages that the host's release had first, started with an empty
volume, asked over LDAP, Kerberos, DNS, NTP and HTTP, stopped, and started again from images of newer packages (updates, and the
next release) with the same volume. Its programs start others, so of a foreign architecture the kernel has to start them by
binfmt_misc in a user namespace; where it cannot, only this machine's is run, which is said."""

import os
import platform
import shutil
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from kit import clients, image, midway, namespaces, report, run  # noqa: E402  pylint: disable=wrong-import-position
from kit.box import SERVER, Box, unpack  # noqa: E402  pylint: disable=wrong-import-position
from kit.case import need  # noqa: E402  pylint: disable=wrong-import-position

MANIFESTS = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "manifests"))
ARCHES = {"x86_64": "amd64", "aarch64": "arm64/v8"}
VARIABLES = {"DOMAIN": "Example.org", "HOST_ADDRESS": SERVER}
CAPABILITIES = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "NET_BIND_SERVICE", "SETGID", "SETUID"]
PASSED_OVER = ("data", "run", "tmp", "var/tmp", "dev", "proc", "sys", "etc/hosts", "etc/hostname", "etc/resolv.conf")
ADMIN = "cn=admin,dc=example,dc=org"
PATIENCE = 180
RELEASE = platform.freedesktop_os_release()["VERSION_CODENAME"]
NEXT = {"bookworm": "trixie"}.get(RELEASE)
SERVERS = ("slapd", "krb5-kdc", "krb5-admin-server", "bind9", "chrony", "apache2-bin")


def state(root):
    """What stands outside of volumes and of what is in memory."""
    found = {}
    for folder, names, files in os.walk(root):
        inside = os.path.relpath(folder, root)
        names[:] = [name for name in names if os.path.normpath(os.path.join(inside, name)) not in PASSED_OVER]
        for name in names + files:
            path = os.path.normpath(os.path.join(inside, name))
            what = os.lstat(os.path.join(folder, name))
            if path not in PASSED_OVER:
                found[path] = (what.st_mode, what.st_uid, what.st_size, what.st_mtime_ns if name in files else 0)
    return found


@unittest.skipUnless(os.geteuid() == 0, "services are started in namespaces and chroots, which needs root")
class Identity(unittest.TestCase):
    def setUp(self):
        need("unshare", "nsenter", "ip", "zstd")
        self.top = tempfile.mkdtemp(prefix="imgfactory-identity-")
        self.addCleanup(shutil.rmtree, self.top, ignore_errors=True)
        self.factory = run.Factory(self.top, **({"cache": os.environ["IMGFACTORY_LIVE_CACHE"]}
                                                if os.environ.get("IMGFACTORY_LIVE_CACHE") else {}))
        self.manifests = os.path.join(self.top, "manifests")
        shutil.copytree(MANIFESTS, self.manifests)

    def build(self, name, *options):
        """Builds all architectures; {name: version} of the packages of each, or None where the mirror cannot give them now."""
        proxies = {key: value for key, value in os.environ.items() if key.lower().endswith("_proxy")}
        self.factory.output = os.path.join(self.top, name)
        result = self.factory.run("--manifests", self.manifests, "--arch", ",".join(ARCHES), "--json", *options, "identity", env=proxies,
                                  timeout=600)
        told = report.Report(result.stdout)
        errors = [order["error"] for order in told.images()["identity"]["architectures"] if order.get("error")]
        if errors and all(midway.is_mirrors(error) for error in errors):
            print(f"{name}: left out, the mirror is in the middle of an update", file=sys.stderr)
            return None
        self.assertEqual(result.code, run.OK, result)
        return {arch: told.selection("identity", arch) for arch in ARCHES}

    def created(self, name):
        images = image.Layout(os.path.join(self.top, name, "identity")).images["latest"]
        return min(images[arch].config["created"] for arch in ARCHES.values())

    def unpack(self, name, arch):
        """The folder that the image is unpacked to, and its configuration."""
        built = image.Layout(os.path.join(self.top, name, "identity")).images["latest"][ARCHES[arch]]
        return unpack(built, os.path.join(self.top, f"{name}-{arch}")), built.config["config"]

    def start(self, root, config, env):
        box = Box(root, config, "ident")
        box.env, box.capabilities = env, CAPABILITIES
        self.addCleanup(box.close)
        return box.start()

    def sh(self, box, line):
        """The exit status and output of a line of shell in the container."""
        return box.exec("/bin/sh", "-c", f"cd /tmp && read -r password < /data/admin-password && {line}")

    def ask(self, box):
        bind = f'umask 077 && printf %s "$password" > p && ldapwhoami -x -H ldap://{SERVER} -D {ADMIN} -y p'
        box.wait_for(lambda: self.sh(box, bind) == (0, f"dn:{ADMIN}\n"), PATIENCE)
        kinit = 'echo "$password" | KRB5CCNAME=/tmp/cc kinit admin/admin'
        box.wait_for(lambda: self.sh(box, kinit)[0] == 0, PATIENCE)
        self.assertNotEqual(self.sh(box, "echo wrong | KRB5CCNAME=/tmp/cc kinit admin/admin")[0], 0)
        box.wait_for(lambda: clients.dns(SERVER, "ident.example.org") == [SERVER], PATIENCE)
        box.wait_for(lambda: "This is the identity server" in str(clients.http_get(SERVER, 80)), PATIENCE)
        box.wait_for(lambda: clients.ntp(SERVER), PATIENCE)

    def stop(self, box):
        self.assertEqual(box.stop(60), 0, box.tail())
        box.finish_log()

    # All are built first: a box moves its thread into a network of its own.
    def test_it_answers_and_keeps_its_data_over_a_restart_and_upgrades_of_packages(self):
        builds = [("first", ["--suite", RELEASE]), ("second", []), *([("next", ["--suite", NEXT])] if NEXT else [])]
        built = [(name, packages) for name, packages in ((name, self.build(name, *options)) for name, options in builds) if packages]
        for before, after in zip(built[:], built[1:]):
            if self.created(after[0]) < self.created(before[0]):  # as when the old release had a security update since
                print(f"{after[0]}: left out, its packages are older than those of {before[0]}", file=sys.stderr)
                built.remove(after)
        self.assertGreater(len(built), 1, "the mirror gives only one of the builds")
        for arch in ARCHES:
            if namespaces.foreign(arch) and not namespaces.register(arch):
                print(f"{arch}: built, but not run: this kernel has no binfmt_misc for a user namespace", file=sys.stderr)
                continue
            with self.subTest(arch=arch):
                newer = {name for name in SERVERS if built[0][1][arch][name] != built[-1][1][arch][name]}
                print(f"{arch}: {', '.join(sorted(newer))} are newer in the last build", file=sys.stderr)
                self.assertTrue(newer)
                chosen = built if not namespaces.foreign(arch) else [built[0], built[-1]]
                self.live([name for name, _ in chosen], arch)

    def live(self, names, arch):
        """The life of one volume with images of several builds."""
        root, config = self.unpack(names[0], arch)
        before = state(root)
        box = self.start(root, config, {})
        box.process.wait(PATIENCE)
        box.finish_log()
        self.assertIn("the variable DOMAIN has to be given", box.log)
        box = self.start(root, config, VARIABLES)
        self.ask(box)
        self.assertEqual(self.sh(box, "kadmin.local -q 'addprinc -randkey kept'")[0], 0)
        self.stop(box)
        self.assertEqual({path: what for path, what in state(root).items() if before.get(path) != what}, {})
        with open(os.path.join(root, "data/admin-password"), encoding="ascii") as stream:
            password = stream.read().strip()
        with open(os.path.join(root, "data/configure.log"), encoding="utf-8") as stream:
            self.assertNotIn(password, stream.read() + box.log)
        for name in names[1:]:
            other, config = self.unpack(name, arch)
            before = state(other)
            os.rmdir(os.path.join(other, "data"))
            os.rename(os.path.join(root, "data"), os.path.join(other, "data"))
            root = other
            box = self.start(root, config, {})
            self.ask(box)
            self.assertIn("from build", box.log)
            status, principals = self.sh(box, "kadmin.local -q listprincs")
            self.assertEqual(status, 0)
            self.assertIn("kept@EXAMPLE.ORG", principals)
            self.stop(box)
            self.assertEqual({path: what for path, what in state(root).items() if before.get(path) != what}, {})


if __name__ == "__main__":
    if os.geteuid() == 0:
        namespaces.enter_user_namespace()
    unittest.main()
