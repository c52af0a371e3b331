# SPDX-License-Identifier: Apache-2.0
"""What a push signs, as cosign 3 and skopeo (containers/image, as podman and CRI-O have it) judge it.

    IMGFACTORY_COSIGN=PATH             cosign 3 (Debian sid: its .deb unpacked is enough); else the one of PATH
    IMGFACTORY_REFERRERS_REGISTRY=PATH a program that serves go-containerregistry's registry with the referrers API, takes
                                       -listen HOST:PORT, and prints where it listens; else docker-registry alone is asked

    IMGFACTORY_SKOPEO=PATH             skopeo 1.18 or newer (Debian 13's; Debian 12's cannot verify)

A judge that is not there leaves its tests out, which they say.
"""

import json
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
SKOPEO = os.environ.get("IMGFACTORY_SKOPEO")
REFERRERS = os.environ.get("IMGFACTORY_REFERRERS_REGISTRY")


class Judged(PushCase):
    def setUp(self):
        super().setUp()
        self.env.update(IMGFACTORY_KEY_PASSPHRASE="kit", COSIGN_PASSWORD="kit")

    def new_key(self, name, *options):
        subprocess.run([run.program(), "key", "generate", *options, self.path(f"{name}.key")], check=True, stderr=subprocess.DEVNULL,
                       env=run.Factory.environment(self.env))
        return self.path(f"{name}.key")


@unittest.skipUnless(COSIGN, "left out: no cosign (IMGFACTORY_COSIGN)")
class Cosign(Judged):
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


@unittest.skipUnless(SKOPEO, "left out: no skopeo of 1.18 or newer (IMGFACTORY_SKOPEO)")
class Skopeo(Judged):
    def copy(self, what, key, code, **more):
        """Copies one platform by a policy that wants its signature; ours must say the same."""
        folder = self.path("registries.d")
        os.makedirs(folder, exist_ok=True)
        self.write("registries.d/kit.yaml", f"docker:\n  {self.host}:\n    use-sigstore-attachments: true\n")
        requirement = {"type": "sigstoreSigned", "keyPath": key.replace(".key", ".pub"), **more}
        policy = self.write("policy.json", json.dumps({"default": [{"type": "reject"}], "transports": {
            "docker": {f"{self.host}/ns": [requirement]}}}))
        shutil.rmtree(self.path("copied"), ignore_errors=True)
        done = self.tool(SKOPEO, "--policy", policy, "--registries.d", folder, "--override-arch", "amd64", "--override-os", "linux", "copy",
                         "--src-tls-verify=false", f"docker://{self.host}/ns/image{what}", f"dir:{self.path('copied')}", code=None)
        self.assertEqual(done.returncode == 0, code == run.OK, done.stderr.decode())
        ours = self.call("verify", "--tls-verify=false", "--policy", policy, f"{self.host}/ns/image{what}")
        self.assertEqual(ours.code, code, ours)

    def test_tag_digest_and_child_are_accepted_and_other_tags_keys_and_unsigned_children_refused(self):
        target, image = self.make_registry(), self.make_layout()
        self.host = target.host
        for kind in ("ed25519", "p256"):
            key = self.new_key(kind, "--type", kind)
            self.pushed(image, f"{self.host}/ns/image:{kind}", "--sign", key)
            for what in (f":{kind}", f"@{image.digest}", f"@{image.children[0]}"):
                self.copy(what, key, run.OK)
            self.copy(f":{kind}", self.new_key(f"other-{kind}"), run.TRUST)
        self.pushed(self.make_layout("second", seed=2), f"{self.host}/ns/image:second", "--sign", key)
        target.set_tag("ns/image", "second", image.digest)
        self.copy(":second", key, run.TRUST)
        self.copy(":second", key, run.OK, signedIdentity={"type": "matchRepository"})
        target.forget_tag("ns/image", image.children[0].replace(":", "-") + ".sig")
        self.copy(":p256", key, run.TRUST)


if __name__ == "__main__":
    unittest.main()
