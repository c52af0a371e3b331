# SPDX-License-Identifier: Apache-2.0
"""What a push signs, and what was tampered with, as cosign 3 judges it.

    IMGFACTORY_COSIGN=PATH             cosign 3 (Debian sid: its .deb unpacked is enough); else the one of PATH
    IMGFACTORY_REFERRERS_REGISTRY=PATH a program that serves go-containerregistry's registry with the referrers API, takes
                                       -listen HOST:PORT, and prints where it listens; else docker-registry alone is asked

A judge that is not there leaves its tests out, which they say.
"""

import os
import shutil
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from kit import run  # noqa: E402  pylint: disable=wrong-import-position
from kit.push_case import PushCase  # noqa: E402  pylint: disable=wrong-import-position

COSIGN = os.environ.get("IMGFACTORY_COSIGN") or shutil.which("cosign")
REFERRERS = os.environ.get("IMGFACTORY_REFERRERS_REGISTRY")


@unittest.skipUnless(COSIGN, "left out: no cosign (IMGFACTORY_COSIGN)")
class Cosign(PushCase):
    def setUp(self):
        super().setUp()
        self.env.update(IMGFACTORY_KEY_PASSPHRASE="kit", COSIGN_PASSWORD="kit")

    def new_key(self, name, *options):
        subprocess.run([run.program(), "key", "generate", *options, self.path(f"{name}.key")], check=True, stderr=subprocess.DEVNULL,
                       env=run.Factory.environment(self.env))
        return self.path(f"{name}.key")

    def verify(self, reference, key, code=0, bundle=True):
        return self.tool(COSIGN, "verify", "--key", key.replace(".key", ".pub"), "--insecure-ignore-tlog=true", "--allow-http-registry",
                         f"--new-bundle-format={'true' if bundle else 'false'}", reference, code=code)

    def hosts(self):
        yield self.make_registry().host
        if REFERRERS:
            child = subprocess.Popen([REFERRERS, "-listen", "127.0.0.1:0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            self.addCleanup(child.wait)
            self.addCleanup(child.kill)
            self.addCleanup(child.stdout.close)
            yield child.stdout.readline().decode().strip()

    def test_index_and_children_verify_in_both_forms_by_either_kind_of_key(self):
        image = self.make_layout()
        keys = [self.new_key("ed25519"), self.new_key("p256", "--type", "p256", "--format", "cosign")]
        for host in self.hosts():
            for key in keys:
                repository = f"{host}/ns/{os.path.basename(key)[:-4]}"
                self.pushed(image, repository, "--sign", key, "--tag", "v1", "--tag", "latest")
                for what in (":v1", ":latest", *("@" + digest for digest in (image.digest, *image.children))):
                    for bundle in (True, False):
                        self.verify(repository + what, key, bundle=bundle)
                    self.assertNotEqual(self.verify(repository + what, keys[key == keys[0]], code=None).returncode, 0)

    def test_keys_of_cosign_sign_and_ours_are_read_by_it(self):
        self.tool(COSIGN, "generate-key-pair")
        image, host = self.make_layout(), self.make_registry().host
        self.pushed(image, f"{host}/ns/image:v1", "--sign", self.path("cosign.key"))
        self.verify(f"{host}/ns/image:v1", self.path("cosign.key"))
        ours = self.new_key("ours", "--format", "cosign", "--type", "p256")
        self.tool(COSIGN, "sign", "--key", ours, "--tlog-upload=false", "--use-signing-config=false", "--new-bundle-format=false",
                  "--allow-http-registry", "--yes", f"{host}/ns/image@{image.digest}")
        self.verify(f"{host}/ns/image:v1", ours, bundle=False)
        self.verify(f"{host}/ns/image:v1", self.path("cosign.key"), bundle=False)


if __name__ == "__main__":
    unittest.main()
