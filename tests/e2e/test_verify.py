# SPDX-License-Identifier: Apache-2.0
"""`imgfactory verify`: what is signed holds, and what was tampered with is refused with status 3, by key and by policy."""

import base64
import json
import os
import shutil
import unittest

from base import run
from kit.image import INDEX, MANIFEST
from kit.published import Repository, descriptor
from sign_case import BUNDLE, SignCase


class Verified(SignCase):
    def setUp(self):
        super().setUp()
        self.image = self.make_layout()
        self.ours = self.new_key("ours")
        self.repository = Repository(self.registry.host, "ns/image")

    def verify(self, what=":v1", *options, code=run.OK, key=None):
        options = options or ("--key", (key or self.ours).replace(".key", ".pub"))
        result = self.call("verify", "--json", "--tls-verify=false", *options, self.reference + what)
        self.assertEqual(result.code, code, result)
        self.assertTrue(result.stdout, result)
        result.json = json.loads(result.stdout)
        self.assertEqual(result.json["exit"], code)
        return result

    def refused_as(self, words, what=":v1", *options, **settings):
        result = self.verify(what, *options, code=run.TRUST, **settings)
        self.assertIn(words, result.stderr)
        return result

    def sign(self, tag="v1", key=None, image=None):
        return self.pushed(image or self.image, f"{self.reference}:{tag}", "--sign", key or self.ours)

    def policy(self, *requirements, scope=None, default="reject"):
        scopes = {scope or f"{self.registry.host}/ns": list(requirements)} if requirements else {}
        return self.write("policy.json", json.dumps({"default": [{"type": default}], "transports": {"docker": scopes}}))

    def sigstore(self, **more):
        return {"type": "sigstoreSigned", "keyPath": self.ours.replace(".key", ".pub"), **more}

    def index(self, entries):
        return {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}

    def test_what_is_signed_holds_by_tag_and_digest_and_by_no_other_key(self):
        self.sign()
        for what in (":v1", "@" + self.image.digest, *("@" + child for child in self.image.children)):
            result = self.verify(what)
            self.assertTrue(all(one["good"] for one in result.json["manifests"]))
            self.assertEqual(len(result.json["manifests"]), 3 if self.image.digest in what or what == ":v1" else 1)
        other = self.new_key("other")
        self.refused_as("is a signature of it by the key", key=other)
        both = self.verify(":v1", "--key", other.replace(".key", ".pub"), "--key", self.ours.replace(".key", ".pub"))
        self.assertEqual(both.json["manifests"][0]["signed_by"][0]["key"], self.ours.replace(".key", ".pub"))

    def test_without_a_key_it_says_that_nothing_was_verified(self):
        self.pushed(self.image, self.reference + ":v0")
        self.refused_as("it is not signed", ":v0")
        self.sign()
        result = self.call("verify", "--tls-verify=false", self.reference + ":v1")
        self.assertEqual(result.code, run.OK, result)
        self.assertIn("not verified: who made it, since neither --key nor --policy was given", result.stdout)
        self.assertIn("layers, which were not fetched", result.stdout)

    def test_a_tag_that_was_set_on_another_signed_image_is_refused(self):
        self.sign("v1")
        self.sign("v2", image=self.make_layout("newer", seed=2))
        self.registry.set_tag("ns/image", "v2", self.image.digest)
        self.refused_as("signed under another name", ":v2")
        self.verify("@" + self.image.digest)

    def test_a_child_without_a_signature_or_in_place_of_another_is_refused(self):
        self.sign()
        other = self.make_layout("other", seed=3)
        self.pushed(other, self.reference + ":unsigned")
        children = [json.loads(self.get("manifests", self.image.digest))["manifests"][0], json.loads(other.index)["manifests"][1]]
        self.repository.manifest(self.index(children), INDEX, "v1")
        self.refused_as("index (sha256:")
        child = self.image.children[1].replace(":", "-")
        self.sign("v3")
        self.registry.forget_tag("ns/image", child)
        self.registry.forget_tag("ns/image", child + ".sig")
        self.refused_as("linux/arm64", ":v3")

    def test_signatures_of_others_beside_ours_and_what_is_no_signature_take_nothing_away(self):
        self.sign()
        self.sign(key=self.new_key("theirs"))
        subject = descriptor(self.get("manifests", self.image.digest), INDEX)
        for content in (b"no bundle", b"{}", b"[" * 5000):
            layer = self.repository.blob(content, BUNDLE)
            self.attach(subject, layer)
        result = self.verify()
        self.assertGreaterEqual(result.json["manifests"][0]["foreign"], 4)

    def test_a_bundle_whose_bytes_were_altered_in_the_registry_is_refused_and_brought_again(self):
        self.sign()
        entry = json.loads(self.get("manifests", self.image.digest.replace(":", "-")))["manifests"][0]
        layer = json.loads(self.get("manifests", entry["digest"]))["layers"][0]["digest"].split(":")[1]
        path = os.path.join(self.registry.root, "docker/registry/v2/blobs/sha256", layer[:2], layer, "data")
        with open(path, "rb") as stream:
            content = stream.read()
        with open(path, "wb") as stream:
            stream.write(content.replace(b'"sig":"', b'"sig":"A', 1)[:len(content)])
        for digest in (self.image.digest, *self.image.children):
            self.registry.forget_tag("ns/image", digest.replace(":", "-") + ".sig")
        self.refused_as("none of its 1 signatures and statements")
        self.pushed(self.image, f"{self.reference}:v1", "--sign", self.ours, "--verify-remote")
        self.verify()

    def attach(self, subject, layer):
        """Makes an artifact of a bundle about a subject, found by the fallback tag."""
        empty = self.repository.blob(b"{}", "application/vnd.oci.empty.v1+json")
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": BUNDLE, "config": empty, "layers": [layer], "subject": subject}
        data = json.dumps(manifest, separators=(",", ":")).encode()
        self.repository.manifest(manifest, MANIFEST)
        tag = subject["digest"].replace(":", "-")
        entries = json.loads(self.get("manifests", tag))["manifests"] if tag in self.tags() else []
        entries.append({**descriptor(data, MANIFEST), "artifactType": BUNDLE})
        self.repository.manifest(self.index(entries), INDEX, tag)

    def test_the_signature_of_another_image_and_altered_statements_are_refused(self):
        self.sign()
        other = self.make_layout("other", seed=3)
        self.pushed(other, self.reference + ":other")
        entry = json.loads(self.get("manifests", self.image.digest.replace(":", "-")))["manifests"][0]
        layer = json.loads(self.get("manifests", entry["digest"]))["layers"][0]
        root = descriptor(other.index, INDEX)
        subjects = [root, *json.loads(other.index)["manifests"]]
        for subject in subjects:
            self.attach({key: subject[key] for key in ("mediaType", "digest", "size")}, layer)
        self.refused_as("is a signature of it by the key", ":other")
        bundle = json.loads(self.get("blobs", layer["digest"]))
        payload = base64.b64decode(bundle["dsseEnvelope"]["payload"]).decode()
        for old, new in zip((self.image.digest, *self.image.children), (other.digest, *other.children)):
            payload = payload.replace(old.split(":")[1], new.split(":")[1])
        bundle["dsseEnvelope"]["payload"] = base64.b64encode(payload.encode()).decode()
        forged = self.repository.blob(json.dumps(bundle).encode(), BUNDLE)
        for subject in subjects:
            self.attach({key: subject[key] for key in ("mediaType", "digest", "size")}, forged)
        self.refused_as("is a signature of it by the key", ":other")

    def test_a_policy_is_held_as_podman_does(self):
        self.sign()
        self.assertEqual(self.verify(":v1", "--policy", self.policy(self.sigstore())).json["scope"], f"{self.registry.host}/ns")
        self.verify("@" + self.image.children[0], "--policy", self.policy(self.sigstore()))
        self.sign("v2", image=self.make_layout("newer", seed=2))
        self.registry.set_tag("ns/image", "v2", self.image.digest)
        self.refused_as("signed under another name", ":v2", "--policy", self.policy(self.sigstore()))
        self.verify(":v2", "--policy", self.policy(self.sigstore(signedIdentity={"type": "matchRepository"})))
        self.verify(":v2", "--policy", self.policy(self.sigstore(signedIdentity={"type": "exactReference", "dockerReference": self.reference + ":v1"})))
        self.refused_as("signed under another name", "@" + self.image.digest, "--policy",
                        self.policy(self.sigstore(signedIdentity={"type": "matchExact"})))
        self.refused_as("rejects it", ":v1", "--policy", self.policy())
        self.refused_as("signedBy, which imgfactory cannot verify", ":v1", "--policy",
                        self.policy({"type": "signedBy", "keyType": "GPGKeys", "keyPath": "/x"}))
        self.verify(":v1", "--policy", self.policy({"type": "insecureAcceptAnything"}))
        self.verify(":v1", "--policy", self.policy(default="insecureAcceptAnything"))
        self.refused_as("rejects it", ":v1", "--policy", self.policy({"type": "reject"}, scope=self.reference + ":v1", default="insecureAcceptAnything"))

    def test_pull_writes_nothing_that_is_not_signed(self):
        self.sign()
        public = self.ours.replace(".key", ".pub")
        good = self.call("pull", "--tls-verify=false", "--key", public, "--output", self.path("good"), self.reference + ":v1")
        self.assertEqual(good.code, run.OK, good)
        self.assertTrue(os.path.exists(self.path("good/image/index.json")))
        self.pushed(self.make_layout("other", seed=3), self.reference + ":other")
        for options in (("--key", public), ("--policy", self.policy(self.sigstore()))):
            bad = self.call("pull", "--tls-verify=false", *options, "--output", self.path("bad"), self.reference + ":other")
            self.refused(run.TRUST, bad, "is not signed")
            self.assertFalse(os.path.exists(self.path("bad/image")))
        self.registry.forget_tag("ns/image", self.image.children[1].replace(":", "-"))
        self.registry.forget_tag("ns/image", self.image.children[1].replace(":", "-") + ".sig")
        self.refused(run.TRUST, self.call("pull", "--tls-verify=false", "--key", public, self.reference + ":v1"), "linux/arm64")
        one = self.call("pull", "--tls-verify=false", "--arch", "amd64", "--key", public, self.reference + ":v1")
        self.assertEqual(one.code, run.OK, one)

    def test_pull_and_copy_go_by_the_policy_that_podman_goes_by(self):
        self.sign()
        self.pushed(self.make_layout("other", seed=3), self.reference + ":other")
        places = {"home": os.path.join(self.home, ".config/containers/policy.json"), "variable": self.path("named.json")}
        os.makedirs(os.path.dirname(places["home"]))

        def pull(tag, *options, code=run.OK):
            for command, words in (("pull", []), ("copy", [f"{self.registry.host}/ns/copied"])):
                result = self.call(command, "--tls-verify=false", *options, self.reference + tag, *words)
                self.assertEqual(result.code, code, result)
            return result.stderr
        for name, place in places.items():
            shutil.copy(self.policy(self.sigstore()), place)
            if name == "variable":
                os.unlink(places["home"])
                self.env["CONTAINERS_POLICY_JSON"] = place
            pull(":v1")
            told = pull(":other", code=run.TRUST)
            for words in ("is not signed", place, f"{self.registry.host}/ns", "--no-policy"):
                self.assertIn(words, told)
            pull(":other", "--no-policy")
            pull(":v1", "--key", self.ours.replace(".key", ".pub"))
        shutil.copy(self.policy({"type": "signedBy", "keyType": "GPGKeys", "keyPath": "/x"}, scope=self.reference,
                                default="insecureAcceptAnything"), places["variable"])
        self.assertIn("signedBy, which imgfactory cannot verify", pull(":v1", code=run.TRUST))
        shutil.copy(self.policy(default="insecureAcceptAnything"), places["variable"])
        pull(":other")
        self.env["CONTAINERS_POLICY_JSON"] = self.path("absent.json")
        self.assertIn("absent.json", pull(":v1", code=run.USAGE))

    def test_scopes_match_as_skopeo_matches_them(self):
        self.pushed(self.image, self.reference + ":v1")
        host, accept, reject = self.registry.host, [{"type": "insecureAcceptAnything"}], [{"type": "reject"}]
        names = [self.reference + ":v1", self.reference, f"{host}/ns", host, "*.0.0.1", "*.0.1", "*.1", ""]
        near = [self.reference + ":v2", self.reference + "s", f"{host}/n", f"{host}/ns/imag", host.split(":")[0], "*.0.0.1:" + host.split(":")[1], "quay.io"]
        for scopes in [{name: reject} for name in (*names, *near)] + [
                {name: accept if at % 2 else reject for at, name in enumerate(names[first:])} for first in range(len(names))]:
            policy = self.write("policy.json", json.dumps({"default": accept, "transports": {"docker": scopes}}))
            shutil.rmtree(self.path("to"), ignore_errors=True)
            theirs = self.tool("skopeo", "--policy", policy, "copy", "--all", "--src-tls-verify=false",
                               f"docker://{self.reference}:v1", f"dir:{self.path('to')}", code=None)
            ours = self.call("pull", "--tls-verify=false", "--policy", policy, self.reference + ":v1")
            self.assertEqual(ours.code, run.OK if theirs.returncode == 0 else run.TRUST, f"{scopes}\n{theirs.stderr.decode()}\n{ours}")

    def test_a_policy_that_cannot_be_read_is_an_error_of_its_own(self):
        for text, words in (("{", "is no policy"), ('{"default": []}', "no requirements"), ('{"default": [{"type": "x"}]}', "unknown type"),
                            ('{"default": [{"type": "sigstoreSigned"}]}', "wants one of keyPath"), ("{}", "no requirements"),
                            ('{"default": [{"type": "reject"}], "more": 1}', "unknown key"),
                            ('{"default": [{"type": "sigstoreSigned", "keyPath": "/absent/k"}]}', "/absent/k")):
            result = self.call("verify", "--tls-verify=false", "--policy", self.write("policy.json", text), self.reference + ":v1")
            self.refused(run.USAGE, result, "policy.json")
            self.assertIn(words, result.stderr)
        result = self.call("verify", "--key", "a", "--policy", "b", self.reference + ":v1")
        self.refused(run.USAGE, result, "give one of them")


if __name__ == "__main__":
    unittest.main()
