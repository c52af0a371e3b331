# SPDX-License-Identifier: Apache-2.0
"""What a push signs and attaches, as cosign 3 and skopeo (containers/image, as podman and CRI-O have it) judge it.

    IMGFACTORY_COSIGN=PATH             cosign 3 (Debian sid: its .deb unpacked is enough); else the one of PATH
    IMGFACTORY_REFERRERS_REGISTRY=PATH a program that serves go-containerregistry's registry with the referrers API, takes
                                       -listen HOST:PORT, and prints where it listens; else docker-registry alone is asked
    IMGFACTORY_ORAS=PATH               oras (sid); else the one of PATH
    IMGFACTORY_SKOPEO=PATH             skopeo 1.18 or newer (Debian 13's; Debian 12's cannot verify)

A judge that is not there leaves its tests out, which they say.
"""

import base64
import json
import os
import shutil
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from kit import run  # noqa: E402  pylint: disable=wrong-import-position
from kit.image import INDEX, MANIFEST, Layout  # noqa: E402  pylint: disable=wrong-import-position
from kit.published import Repository, descriptor  # noqa: E402  pylint: disable=wrong-import-position
from kit.push_case import PushCase  # noqa: E402  pylint: disable=wrong-import-position

COSIGN = os.environ.get("IMGFACTORY_COSIGN") or shutil.which("cosign")
ORAS = os.environ.get("IMGFACTORY_ORAS") or shutil.which("oras")
SKOPEO = os.environ.get("IMGFACTORY_SKOPEO")
REFERRERS = os.environ.get("IMGFACTORY_REFERRERS_REGISTRY")
SIGNED = "https://sigstore.dev/cosign/sign/v1"
TYPES = {"spdxjson": "https://spdx.dev/Document", "slsaprovenance1": "https://slsa.dev/provenance/v1", "openvex": "https://openvex.dev/ns",
         "cyclonedx": "https://cyclonedx.org/bom"}
RESULT = "https://in-toto.io/attestation/svr/v0.2"  # a rebuild's
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
CLAIM = "description: x\nclaims:\n  - {cve: CVE-2099-0001, package: libc6, paths: /nowhere, from: y}\n"


class Judged(PushCase):
    def setUp(self):
        super().setUp()
        self.env.update(IMGFACTORY_KEY_PASSPHRASE="kit", COSIGN_PASSWORD="kit")

    def new_key(self, name, *options):
        subprocess.run([run.program(), "key", "generate", *options, self.path(f"{name}.key")], check=True, stderr=subprocess.DEVNULL,
                       env=run.Factory.environment(self.env))
        return self.path(f"{name}.key")

    def hosts(self):
        yield self.make_registry().host
        if REFERRERS:
            child = subprocess.Popen([REFERRERS, "-listen", "127.0.0.1:0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            self.addCleanup(child.wait)
            self.addCleanup(child.kill)
            self.addCleanup(child.stdout.close)
            yield child.stdout.readline().decode().strip()


@unittest.skipUnless(COSIGN, "left out: no cosign (IMGFACTORY_COSIGN)")
class Cosign(Judged):
    def verify(self, reference, key, code=0, bundle=True):
        return self.tool(COSIGN, "verify", "--key", key.replace(".key", ".pub"), "--insecure-ignore-tlog=true", "--allow-http-registry",
                         f"--new-bundle-format={'true' if bundle else 'false'}", reference, code=code)

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

    def test_copies_verify_and_show_the_same_wherever_they_go(self):
        image, key = self.make_layout(), self.new_key("ours")
        hosts = list(self.hosts())
        self.pushed(image, f"{hosts[0]}/ns/first:v1", "--sign", key)
        at = f"{hosts[0]}/ns/first:v1"
        folder = self.path("folder")
        for number, host in enumerate([*reversed(hosts), *hosts]):
            there = f"{host}/copy{number}/first"
            for options, source, target in (((), at, there + ":v1"), (("--to-dir", folder), at, None), (("--from-dir", folder), None, f"{host}/folder{number}")):
                done = self.call("copy", "--tls-verify=false", *options, *[word for word in (source, target) if word])
                self.assertEqual(done.code, run.OK, done)
            for repository in (there, f"{host}/folder{number}/first"):
                for what in (":v1", *("@" + digest for digest in (image.digest, *image.children))):
                    for bundle in (True, False):
                        self.verify(repository + what, key, bundle=bundle)
            shutil.rmtree(folder)
            at = there + ":v1"

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


class AttachedCase(Judged):
    """An image of the factory with SBOM, provenance, VEX and signatures, at one registry after the other."""

    def setUp(self):
        super().setUp()
        self.ready()
        self.build()
        self.layout = os.path.join(self.factory.output, "served")
        self.image = Layout(self.layout)
        self.children = [one.digest for one in self.image.images["latest"].values()]
        os.makedirs(self.path("manifests/vex"))
        self.write("manifests/vex/own.yaml", CLAIM)
        self.ours = self.new_key("ours")

    def attached(self):
        """Yields each repository when everything hangs there."""
        for host in self.hosts():
            self.pushed(self.layout, f"{host}/ns/served:v1", "--sign", self.ours, "--attest", "sbom,provenance,vex,cyclonedx")
            yield Repository(host, "ns/served")

    def everything(self):
        return (":v1", *("@" + digest for digest in (self.image.digest(), *self.children)))

    def digest_of(self, what):
        return self.image.digest() if what == ":v1" else what[1:]


@unittest.skipUnless(COSIGN, "left out: no cosign (IMGFACTORY_COSIGN)")
class Attached(AttachedCase):
    def verify(self, where, kind, key=None, code=0):
        words = ["verify"] if kind is None else ["verify-attestation", "--type", kind]
        return self.tool(COSIGN, *words, "--key", (key or self.ours).replace(".key", ".pub"), "--insecure-ignore-tlog=true", "--offline",
                         "--allow-http-registry", where, code=code)

    def refused_by_both(self, where, kinds=(None, *TYPES), ours=run.TRUST, key=None):
        for kind in kinds:
            self.assertNotEqual(self.verify(where, kind, code=None).returncode, 0, (where, kind))
        result = self.call("verify", "--tls-verify=false", "--key", (key or self.ours).replace(".key", ".pub"), where)
        self.assertEqual(result.code, ours, result)

    def test_every_type_verifies_on_tag_index_and_children_and_by_no_other_key(self):
        other = self.new_key("other")
        for repository in self.attached():
            for what in self.everything():
                where = repository.reference + what
                self.verify(where, None)
                for kind, predicate in TYPES.items():
                    told = [json.loads(base64.b64decode(json.loads(line)["payload"])) for line in self.verify(where, kind).stdout.splitlines()]
                    self.assertEqual([one["predicateType"] for one in told], [predicate], where)
                    self.assertIn(self.digest_of(what)[7:], [one["digest"]["sha256"] for one in told[0]["subject"]])
                    self.assertNotEqual(self.verify(where, kind, other, code=None).returncode, 0)
                self.assertNotEqual(self.verify(where, "vuln", code=None).returncode, 0, "which was not attached")

    def test_the_result_of_a_rebuild_verifies_by_the_key_of_who_made_it(self):
        rebuilder = self.new_key("rebuilder")
        for repository in self.attached():
            again = self.call("verify", "--rebuild", "--publish-result", "--sign", rebuilder, "--builder", "https://example.org/rebuilder", "--tls-verify=false",
                              "--manifests", self.path("manifests"), "--source", self.path("source.yaml"), "--key", self.ours.replace(".key", ".pub"),
                              f"{repository.reference}:v1")
            self.assertEqual(again.code, run.OK, again)
            for what in self.everything():
                where = repository.reference + what
                (told,) = [json.loads(base64.b64decode(json.loads(line)["payload"])) for line in self.verify(where, RESULT, rebuilder).stdout.splitlines()]
                self.assertEqual((told["predicateType"], told["predicate"]["properties"]), (RESULT, ["IMGFACTORY_REBUILT_IDENTICAL"]))
                self.assertIn(self.digest_of(what)[7:], [one["digest"]["sha256"] for one in told["subject"]])
                self.assertNotEqual(self.verify(where, RESULT, code=None).returncode, 0, "its key signs images, and made no result")
            # cosign's `verify` takes any statement about the image for a signature; ours does not.
            self.refused_by_both(f"{repository.reference}:v1", kinds=(), key=rebuilder)
            bundle = self.bundle_of(repository, self.children[0], RESULT)
            self.assertEqual(self.alone(bundle, RESULT, self.children[0], rebuilder), 0)
            self.assertNotEqual(self.alone(bundle, RESULT, "sha256:" + "0" * 64, rebuilder), 0)

    def bundle_of(self, repository, digest, predicate):
        """(bytes, descriptor of the layer) of what hangs there of a type, by the fallback tag or by the API."""
        for path in (f"referrers/{digest}", "manifests/" + digest.replace(":", "-")):
            status, data = repository.ask("GET", path, Accept=INDEX)
            entries = json.loads(data).get("manifests", ()) if status == 200 else ()
            for entry in entries:
                manifest = json.loads(repository.ask("GET", "manifests/" + entry["digest"], Accept=MANIFEST)[1])
                if manifest.get("annotations", {}).get("dev.sigstore.bundle.predicateType") == predicate:
                    return repository.ask("GET", "blobs/" + manifest["layers"][0]["digest"])[1]
        raise AssertionError(f"{predicate} of {digest} is not at {repository.host}")

    def hang(self, repository, subject, bundle):
        """Makes a bundle hang on a manifest, as anybody can who may push."""
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": BUNDLE, "subject": subject,
                    "config": repository.blob(b"{}", "application/vnd.oci.empty.v1+json"), "layers": [repository.blob(bundle, BUNDLE)]}
        entry = {**descriptor(json.dumps(manifest, separators=(",", ":")).encode(), MANIFEST), "artifactType": BUNDLE}
        repository.manifest(manifest, MANIFEST)
        if repository.ask("GET", f"referrers/{subject['digest']}")[0] != 200:
            tag = subject["digest"].replace(":", "-")
            status, data = repository.ask("GET", f"manifests/{tag}", Accept=INDEX)
            listed = json.loads(data)["manifests"] if status == 200 else []
            repository.manifest({"schemaVersion": 2, "mediaType": INDEX, "manifests": [*listed, entry]}, INDEX, tag)

    def test_bundles_of_each_type_verify_alone_and_not_with_a_byte_changed_nor_for_another_subject(self):
        repository = next(self.attached())
        for predicate in (SIGNED, *TYPES.values()):
            bundle = self.bundle_of(repository, self.children[0], predicate)
            envelope = json.loads(bundle)["dsseEnvelope"]
            payload = base64.b64decode(envelope["payload"])
            at = payload.index(b'"predicate"') + 3
            changed = base64.b64encode(payload[:at] + bytes([payload[at] ^ 1]) + payload[at + 1:]).decode()
            others = {"payload": bundle.replace(envelope["payload"].encode(), changed.encode()),
                      "signature": bundle.replace(envelope["signatures"][0]["sig"].encode(), base64.b64encode(bytes(64)))}
            self.assertEqual(self.alone(bundle, predicate, self.children[0]), 0)
            self.assertNotEqual(self.alone(bundle, predicate, "sha256:" + "0" * 64), 0)
            for name, other in others.items():
                self.assertNotEqual(other, bundle)
                self.assertNotEqual(self.alone(other, predicate, self.children[0]), 0, name)

    def alone(self, bundle, predicate, digest, key=None):
        path = self.write("bundle.json", bundle.decode())
        return self.tool(COSIGN, "verify-blob-attestation", "--key", (key or self.ours).replace(".key", ".pub"), "--insecure-ignore-tlog=true",
                         "--bundle", path, "--type", predicate, "--digest", digest[7:], "--digestAlg", "sha256", code=None).returncode

    def test_a_bundle_of_others_beside_ours_takes_nothing_away_and_gives_nothing_where_ours_is_not(self):
        theirs = self.new_key("theirs")
        for repository in self.attached():
            image = self.make_layout(f"image-{repository.host}")
            self.pushed(image, f"{repository.host}/ns/theirs:v1", "--sign", theirs)
            foreign = self.bundle_of(Repository(repository.host, "ns/theirs"), image.digest, SIGNED)
            mine = self.bundle_of(repository, self.image.digest(), SIGNED)
            data = repository.ask("GET", "manifests/" + self.image.digest(), Accept=INDEX)[1]
            for bundle in (foreign, b"{}", b"no bundle"):
                self.hang(repository, descriptor(data, INDEX), bundle)
            for kind in (None, *TYPES):
                self.verify(f"{repository.reference}:v1", kind)
            result = self.call("verify", "--tls-verify=false", "--key", self.ours.replace(".key", ".pub"), f"{repository.reference}:v1")
            self.assertEqual(result.code, run.OK, result)
            # Another image with a bundle of ours that is of this one: neither takes it.
            other = self.make_layout(f"other-{repository.host}", seed=7)
            self.pushed(other, f"{repository.reference}:other")
            self.hang(repository, descriptor(other.index, INDEX), mine)
            self.refused_by_both(f"{repository.reference}:other")

    def test_a_child_that_was_swapped_is_refused(self):
        for repository in self.attached():
            other = self.make_layout(f"swapped-{repository.host}", seed=8)
            self.pushed(other, f"{repository.reference}:other")
            index = json.loads(repository.ask("GET", "manifests/" + self.image.digest(), Accept=INDEX)[1])
            index["manifests"][1] = json.loads(other.index)["manifests"][1]
            repository.manifest(index, INDEX, "v1")
            self.refused_by_both(f"{repository.reference}:v1")
            self.refused_by_both(f"{repository.reference}@{other.children[1]}")
            self.verify(f"{repository.reference}@{self.children[0]}", None)


@unittest.skipUnless(ORAS, "left out: no oras (IMGFACTORY_ORAS)")
class Oras(AttachedCase):
    def test_discover_shows_what_inspect_does(self):
        for repository in self.attached():
            for what in self.everything():
                told = json.loads(self.tool(ORAS, "discover", "--plain-http", "--format", "json", "--depth", "1", repository.reference + what).stdout)
                shown = self.call("inspect", "--json", "--tls-verify=false", repository.reference + what)
                self.assertEqual(shown.code, run.OK, shown)
                ours = {one["digest"] for one in json.loads(shown.stdout)["attached"]}
                self.assertEqual({one["digest"] for one in told["referrers"]}, ours)
                self.assertEqual(len(ours), 1 + len(TYPES))
                if "annotations" in told["referrers"][0]:  # go-containerregistry's registry lists none, and other types
                    self.assertEqual({one["artifactType"] for one in told["referrers"]}, {BUNDLE})
                    self.assertEqual(sorted(one["annotations"]["dev.sigstore.bundle.predicateType"] for one in told["referrers"]),
                                     sorted((SIGNED, *TYPES.values())), what)


@unittest.skipUnless(SKOPEO, "left out: no skopeo of 1.18 or newer (IMGFACTORY_SKOPEO)")
class Skopeo(Judged):
    def copy(self, what, key, code, repository="ns/image", **more):
        """Copies one platform by a policy that wants its signature; ours must say the same."""
        folder = self.path("registries.d")
        os.makedirs(folder, exist_ok=True)
        self.write("registries.d/kit.yaml", f"docker:\n  {self.host}:\n    use-sigstore-attachments: true\n")
        requirement = {"type": "sigstoreSigned", "keyPath": key.replace(".key", ".pub"), **more}
        policy = self.write("policy.json", json.dumps({"default": [{"type": "reject"}], "transports": {
            "docker": {f"{self.host}/{os.path.dirname(repository)}": [requirement]}}}))
        shutil.rmtree(self.path("copied"), ignore_errors=True)
        done = self.tool(SKOPEO, "--policy", policy, "--registries.d", folder, "--override-arch", "amd64", "--override-os", "linux", "copy",
                         "--src-tls-verify=false", f"docker://{self.host}/{repository}{what}", f"dir:{self.path('copied')}", code=None)
        self.assertEqual(done.returncode == 0, code == run.OK, done.stderr.decode())
        ours = self.call("verify", "--tls-verify=false", "--policy", policy, f"{self.host}/{repository}{what}")
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
        copied = self.call("copy", "--tls-verify=false", f"{self.host}/ns/image:ed25519", f"{self.host}/site/image")
        self.assertEqual(copied.code, run.OK, copied)
        first = self.path("ed25519.key")
        remap = {"type": "remapIdentity", "prefix": f"{self.host}/site", "signedPrefix": f"{self.host}/ns"}
        for what in (":ed25519", f"@{image.children[0]}"):
            self.copy(what, first, run.TRUST, "site/image")
            self.copy(what, first, run.OK, "site/image", signedIdentity=remap)
        target.forget_tag("ns/image", image.children[0].replace(":", "-") + ".sig")
        self.copy(":p256", key, run.TRUST)


if __name__ == "__main__":
    unittest.main()
