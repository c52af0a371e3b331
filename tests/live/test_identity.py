#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""manifests/identity.yaml: built from the host's repositories, started with an empty volume, asked over LDAP, Kerberos, DNS, NTP
and HTTP, stopped, and started again from an image of another build with the same volume. Its programs start others, so an
emulator is not enough: this machine's architecture alone."""

import os
import shutil
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from kit import clients, image, namespaces, run  # noqa: E402  pylint: disable=wrong-import-position
from kit.box import SERVER, Box, unpack  # noqa: E402  pylint: disable=wrong-import-position
from kit.case import need  # noqa: E402  pylint: disable=wrong-import-position

MANIFESTS = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "manifests"))
ARCHES = {"x86_64": "amd64", "aarch64": "arm64/v8"}
VARIABLES = {"DOMAIN": "Example.org", "HOST_ADDRESS": SERVER}
CAPABILITIES = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "NET_BIND_SERVICE", "SETGID", "SETUID"]
PASSED_OVER = ("data", "run", "tmp", "var/tmp", "dev", "proc", "sys", "etc/hosts", "etc/hostname", "etc/resolv.conf")
ADMIN = "cn=admin,dc=example,dc=org"
PATIENCE = 60


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

    def build(self, name):
        """The folder that the image is unpacked to, and its configuration."""
        proxies = {key: value for key, value in os.environ.items() if key.lower().endswith("_proxy")}
        machine = os.uname().machine
        result = self.factory.run("--manifests", self.manifests, "--arch", machine, "--quiet", "identity", env=proxies, timeout=600)
        self.assertEqual(result.code, run.OK, result)
        layout = image.Layout(os.path.join(self.factory.output, "identity"))
        built = layout.images["latest"][ARCHES[machine]]
        return unpack(built, os.path.join(self.top, name)), built.config["config"]

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

    # Both are built first: a box moves its thread into a network of its own.
    def test_it_answers_and_keeps_its_data_over_a_restart_and_an_upgrade(self):
        root, config = self.build("first")
        with open(os.path.join(self.manifests, "identity.yaml"), "a", encoding="utf-8") as stream:
            stream.write("groups: [{name: newer, gid: 4711}]\n")
        other, _ = self.build("second")
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
        os.rmdir(os.path.join(other, "data"))
        os.rename(os.path.join(root, "data"), os.path.join(other, "data"))
        box = self.start(other, config, {})
        self.ask(box)
        self.assertIn("from build", box.log)
        status, principals = self.sh(box, "kadmin.local -q listprincs")
        self.assertEqual(status, 0)
        self.assertIn("kept@EXAMPLE.ORG", principals)
        self.stop(box)


if __name__ == "__main__":
    if os.geteuid() == 0:
        namespaces.enter_user_namespace()
    unittest.main()
