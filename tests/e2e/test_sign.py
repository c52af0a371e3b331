# SPDX-License-Identifier: Apache-2.0
"""Keys, and signatures that a push leaves. What is signed is judged by openssl, byte by byte; cosign's and skopeo's judgement is
in judges/test_cosign.py."""

import json
import os
import stat
import subprocess
import unittest

from base import Case, run, world
from sign_case import SECRET, SignCase, openssl

class Keys(Case):
    def key(self, *arguments, env=None, data=b"", code=run.OK):
        done = subprocess.run([run.program(), "key", *arguments], input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              cwd=self.top, env={**run.Factory.environment({}), **(env or {})}, check=False)
        self.assertEqual(done.returncode, code, done.stderr.decode())
        self.assertNotIn(SECRET, done.stdout.decode() + done.stderr.decode())
        return done

    def test_a_key_lies_in_a_file_of_its_owner_encrypted_and_openssl_reads_it(self):
        for kind in ("ed25519", "p256"):
            path = self.path(f"{kind}.key")
            self.key("generate", "--type", kind, path, env={"IMGFACTORY_KEY_PASSPHRASE": SECRET})
            self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
            with open(path, encoding="utf-8") as stream:
                self.assertIn("ENCRYPTED PRIVATE KEY", stream.read())
            public = openssl("pkey", "-in", path, "-passin", f"pass:{SECRET}", "-pubout")
            with open(self.path(f"{kind}.pub"), "rb") as stream:
                self.assertEqual(stream.read(), public)
            self.assertEqual(self.key("show", path, env={"COSIGN_PASSWORD": SECRET}).stdout, public)
            self.assertEqual(self.key("show", self.path(f"{kind}.pub")).stdout, public)

    def test_passphrases_come_from_a_descriptor_the_environment_or_a_credential(self):
        self.key("generate", "--passphrase-fd", "0", "k.key", data=f"{SECRET}\n".encode())
        public = self.key("show", "k.key", env={"IMGFACTORY_KEY_PASSPHRASE": SECRET}).stdout
        os.mkdir(self.path("credentials"))
        self.write("credentials/imgfactory.key-passphrase", SECRET + "\n")
        self.assertEqual(self.key("show", "k.key", env={"CREDENTIALS_DIRECTORY": self.path("credentials")}).stdout, public)
        self.key("import", "--format", "cosign", "--passphrase-fd", "0", "k.key", "c.key", data=f"{SECRET}\nother\n".encode())
        self.assertEqual(self.key("show", "c.key", env={"COSIGN_PASSWORD": "other"}).stdout, public)
        refused = self.key("show", "c.key", env={"COSIGN_PASSWORD": SECRET}, code=run.USAGE)
        self.assertIn("c.key: the passphrase is not that of the key", refused.stderr.decode())
        shown = subprocess.run([run.program(), "show-config"], stdout=subprocess.PIPE, cwd=self.top, check=True,
                               env=run.Factory.environment({"IMGFACTORY_KEY_PASSPHRASE": SECRET})).stdout.decode()
        self.assertIn("IMGFACTORY_KEY_PASSPHRASE", shown)
        self.assertNotIn(SECRET, shown)

    def test_no_file_is_written_over_and_nothing_else_is_a_key(self):
        self.key("generate", "k.key", env={"IMGFACTORY_KEY_PASSPHRASE": ""})
        with open(self.path("k.key"), "rb") as stream:
            before = stream.read()
        self.assertIn(b"BEGIN PRIVATE KEY", before)
        self.key("generate", "k.key", env={"IMGFACTORY_KEY_PASSPHRASE": ""}, code=run.USAGE)
        with open(self.path("k.key"), "rb") as stream:
            self.assertEqual(stream.read(), before)
        rsa = openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
        for name, content, words in (("rsa", rsa.decode(), "Ed25519 and ECDSA P-256"), ("cut", before[:60].decode(), "no private key"),
                                     ("public", openssl("pkey", "-in", self.path("k.key"), "-pubout").decode(), "public key")):
            self.write(name, content)
            self.assertIn(words, self.key("import", name, "new.key", env={"COSIGN_PASSWORD": ""}, code=run.USAGE).stderr.decode())
            self.assertFalse(os.path.exists(self.path("new.key")))
        for descriptor in ("0", "9"):  # an empty one, and one that is closed
            refused = self.key("generate", "--passphrase-fd", descriptor, "z.key", code=run.USAGE)
            self.assertIn("no passphrase on the descriptor", refused.stderr.decode())
            self.assertFalse(os.path.exists(self.path("z.key")))
        os.mkdir(self.path("credentials"))
        self.write("credentials/imgfactory.key-passphrase", "\n")
        refused = self.key("generate", "z.key", env={"CREDENTIALS_DIRECTORY": self.path("credentials")}, code=run.USAGE)
        self.assertIn("imgfactory.key-passphrase is empty", refused.stderr.decode())
        self.assertFalse(os.path.exists(self.path("z.key")))
        self.key("generate", "--type", "rsa", "z.key", env={"COSIGN_PASSWORD": ""}, code=run.USAGE)

    def test_a_key_that_others_can_read_is_taken_over_with_a_warning(self):
        self.write("open.pem", openssl("genpkey", "-algorithm", "ed25519").decode())
        for mode, words in ((0o644, "can be read by others (mode 0644)"), (0o600, None)):
            os.chmod(self.path("open.pem"), mode)
            shown = self.key("import", "open.pem", f"{mode:o}.key", env={"IMGFACTORY_KEY_PASSPHRASE": SECRET}).stderr.decode()
            self.assertEqual(words in shown if words else "can be read" not in shown, True, shown)


class Signed(SignCase):
    def check_signed(self, image, keys, tags):
        for digest in (image.digest, *image.children):
            bundles, signatures = self.bundles(digest), self.signatures(digest)
            self.assertEqual(len(bundles), len(keys))
            self.assertEqual(len(signatures), len(keys) * len(tags))
            for statement, _, _ in bundles:
                self.assertEqual({subject["digest"]["sha256"] for subject in statement["subject"]},
                                 {one.split(":")[1] for one in (image.digest, *image.children)})
            for key in keys:
                self.assertEqual(sum(self.is_by(key, signed, signature) for _, signed, signature in bundles), 1)
                ours = [json.loads(payload)["critical"] for payload, signature in signatures if self.is_by(key, payload, signature)]
                self.assertEqual({one["identity"]["docker-reference"] for one in ours}, {f"{self.reference}:{tag}" for tag in tags})
                self.assertEqual({one["image"]["docker-manifest-digest"] for one in ours}, {digest})

    def test_index_and_children_are_signed_in_both_forms_once(self):
        image = self.make_layout()
        for kind, repository in (("ed25519", "ns/image"), ("p256", "ns/image")):
            key = self.new_key(kind, "--type", kind)
            result = self.pushed(image, self.reference, "--sign", key, "--tag", "v1", "--tag", "latest")
            self.assertEqual(result.push.attached, 9, repository)
            before = self.tags()
            for more in ((), ("--verify-remote",)):
                again = self.pushed(image, self.reference, "--sign", key, "--tag", "v1", "--tag", "latest", *more)
                self.assertEqual((again.push.status, again.push.attached), ("unchanged", 0))
                self.assertEqual(self.tags(), before)
            self.assertNotIn(SECRET, result.stdout + result.stderr)
        self.check_signed(image, [self.path("ed25519.key"), self.path("p256.key")], ["v1", "latest"])

    def test_two_keys_sign_at_once_and_ed25519_signs_the_same_each_time(self):
        image, keys = self.make_layout(), [self.new_key("old"), self.new_key("new")]
        self.pushed(image, self.reference + ":v1", "--sign", keys[0], "--sign", keys[1])
        self.check_signed(image, keys, ["v1"])
        other = self.make_registry("other")
        self.pushed(image, f"{other.host}/ns/image:v1", "--sign", keys[0], "--sign", keys[1])
        for tag, digest in self.tags().items():
            if not tag.endswith(".sig"):  # these name the host
                self.assertEqual(other.tags("ns/image")[tag], digest, tag)

    def test_a_command_signs_and_what_it_prints_is_looked_at(self):
        key = self.path("token.key")
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key)
        openssl("pkey", "-in", key, "-pubout", "-out", self.path("token.pub"))
        script = self.write("sign", f"#!/bin/sh\nenv > {self.path('seen')}\nexec openssl dgst -sha256 -sign {key} | base64 -w0\n")
        os.chmod(script, 0o755)
        signer = self.write("signer.yaml", f"command: [{script}]\npublic: token.pub\n")
        image = self.make_layout()
        self.pushed(image, self.reference + ":v1", "--sign", signer)
        self.check_signed(image, [key], ["v1"])
        with open(self.path("seen"), encoding="utf-8") as stream:
            self.assertNotIn(SECRET, stream.read())
        for body, words in (("echo no", "no signature that its public key verifies"), ("exit 3", "exit status 3")):
            self.write("sign", f"#!/bin/sh\n{body}\n")
            self.refused(run.LOCAL, self.push(self.make_layout(f"l{len(body)}", seed=2), self.reference + ":v2", "--sign", signer), words)
            self.assertNotIn("v2", self.tags())

    def test_a_tag_that_is_set_later_is_signed_for_with_the_key(self):
        image, key = self.make_layout(), self.new_key("k")
        self.pushed(image, self.reference + ":v1", "--sign", key)
        for name, options in (("v2", ()), ("v3", ("--sign", key))):
            result = self.call("tag", "--tls-verify=false", *options, f"{self.reference}@{image.digest}", name)
            self.assertEqual(result.code, run.OK, result)
            result = self.call("verify", "--tls-verify=false", "--key", key.replace(".key", ".pub"), f"{self.reference}:{name}")
            self.assertEqual(result.code, run.OK if options else run.TRUST, result)
        for digest in (image.digest, *image.children):
            self.assertEqual({json.loads(payload)["critical"]["identity"]["docker-reference"].rsplit(":", 1)[1] for payload, _ in self.signatures(digest)}, {"v1", "v3"})

    def test_no_tag_moves_when_a_key_is_none_or_something_cannot_be_attached(self):
        image = self.make_layout()
        self.refused(run.USAGE, self.push(image, self.reference + ":v1", "--sign", self.path("absent")), "absent")
        self.refused(run.USAGE, self.push(image, self.reference + ":v1", "--sign", self.write("none", "no key\n")), "none")
        self.assertFalse(os.path.isdir(os.path.join(self.registry.root, "docker")))

    def test_a_night_signs_with_the_keys_of_its_site_file(self):
        self.ready()
        self.new_key("site")
        self.write("imgfactory.yaml", f"registry: {self.registry.host}\nnamespace: ns\ntls-verify: false\nsign: site.key\n"
                                      "tags: [v1]\nkeep: 30d\n")
        attached = []
        for _ in range(2):
            result = self.run_factory("--json", "served", env=self.env, cwd=self.top)
            self.assertEqual(result.code, run.OK, result)
            attached.append(json.loads(result.stdout)["images"][0]["push"]["attached"])
        self.assertGreater(attached[0], 0)
        self.assertEqual(attached[1], 0)
        repository = os.listdir(os.path.join(self.registry.root, "docker/registry/v2/repositories/ns"))[0]
        tags = self.registry.tags(f"ns/{repository}")
        signed = {digest.replace(":", "-") + ".sig" for tag, digest in tags.items() if not tag.startswith("sha256-")}
        self.assertTrue(signed)
        self.assertLessEqual(signed, set(tags))

    def test_a_manifest_has_a_key_of_its_own(self):
        self.ready()
        self.new_key("site")
        own = self.new_key("own")
        path = self.write_manifest("served", world.MANIFEST + "sign: ../own.key\n")
        self.assertTrue(os.path.dirname(path).endswith("manifests"), path)
        self.write("imgfactory.yaml", f"registry: {self.registry.host}\nnamespace: ns\ntls-verify: false\nsign: site.key\n")
        result = self.run_factory("--json", "served", env=self.env, cwd=self.top)
        self.assertEqual(result.code, run.OK, result)
        push = json.loads(result.stdout)["images"][0]["push"]
        found = self.call("verify", "--json", "--tls-verify=false", "--key", own.replace(".key", ".pub"), push["reference"] + "@" + push["digest"])
        self.assertEqual(found.code, run.OK, found)
        self.assertEqual({one["foreign"] for one in json.loads(found.stdout)["manifests"]}, {0})


if __name__ == "__main__":
    unittest.main()
