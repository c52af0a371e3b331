# SPDX-License-Identifier: Apache-2.0
"""`imgfactory verify` of what is said of an image: provenance, SBOMs, bills and locks are held against its digests and every file of its layers."""

import json
import os
import shutil
import unittest

from base import run
from kit.image import INDEX, MANIFEST
from kit.published import Repository, descriptor
from kit.schema import REPORT as SCHEMA
from test_attest import SPDX, AttestCase

SIGNED = "application/vnd.in-toto+json"
FILE = "usr/sbin/served"


class DocumentsCase(AttestCase):
    def setUp(self):
        super().setUp()
        self.ours = self.new_key("k")
        self.repository = Repository(self.registry.host, "ns/image")

    def verify(self, *options, what=None, code=run.OK, key=True):
        options = (*options, "--key", self.ours.replace(".key", ".pub")) if key else options
        result = self.call("verify", "--json", "--tls-verify=false", *options, what or f"{self.reference}:v1")
        self.assertEqual(result.code, code, result)
        result.json = json.loads(result.stdout) if result.stdout else None
        if result.json:
            self.assertEqual(SCHEMA.faults(result.json, "verify"), [])
        return result

    def held(self, result, kind):
        return [one for one in result.json["documents"] if one["kind"] == kind]

    def hang(self, digest, content, kind, notes=None):
        """Hangs a document on a manifest, as anybody who may push can."""
        data = self.get("manifests", digest)
        media = INDEX if digest == self.index else MANIFEST
        layer = self.repository.blob(content if isinstance(content, bytes) else json.dumps(content).encode(), kind)
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": kind, "config": self.repository.blob(b"{}", "application/vnd.oci.empty.v1+json"),
                    "layers": [layer], "subject": descriptor(data, media), "annotations": notes or {}}
        made = json.dumps(manifest, separators=(",", ":")).encode()
        self.repository.manifest(manifest, MANIFEST)
        tag = digest.replace(":", "-")
        entries = json.loads(self.get("manifests", tag))["manifests"] if tag in self.tags() else []
        entries.append({**descriptor(made, MANIFEST), "artifactType": kind, "annotations": notes or {}})
        self.repository.manifest({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}, INDEX, tag)

    def statement(self, predicate_type, predicate, *digests):
        return {"_type": "https://in-toto.io/Statement/v1", "subject": [{"digest": {"sha256": one.split(":")[1]}} for one in digests],
                "predicateType": predicate_type, "predicate": predicate}

    def clean(self, *digests):
        """Takes away all that hangs on them."""
        for digest in digests:
            if digest.replace(":", "-") in self.tags():
                self.registry.forget_tag("ns/image", digest.replace(":", "-"))


class Signed(DocumentsCase):
    def test_what_is_so_is_verified_file_by_file(self):
        self.attest("--attest", "sbom,provenance,vex", "--sign", self.ours)
        result = self.verify()
        self.assertEqual([one["good"] for one in result.json["layers"]], [True, True])
        self.assertEqual([one["good"] for one in self.held(result, "SBOM")], [True, True])
        self.assertIn("all of the layers'", self.held(result, "SBOM")[0]["says"])
        provenance, = self.held(result, "provenance")
        self.assertEqual((provenance["good"], sorted(provenance["about"])), (True, ["index", "linux/amd64", "linux/arm64/v8"]))
        self.assertEqual([one["foreign"] for one in result.json["manifests"]], [0, 0, 0])
        self.assertIn("author's word", result.json["not_verified"])
        shown = self.call("verify", "--tls-verify=false", "--key", self.ours.replace(".key", ".pub"), f"{self.reference}:v1").stdout
        self.assertIn("verified: layers of linux/amd64, by digest and diff_id", shown)
        self.assertNotIn("by others", shown)

    def test_without_a_key_documents_are_held_and_their_author_is_not_verified(self):
        self.attest("--attest", "sbom,provenance")
        result = self.verify(key=False)
        self.assertEqual([one["good"] for one in self.held(result, "SBOM") + self.held(result, "provenance")], [True] * 3)
        self.assertIn("who made it", result.json["not_verified"])
        signed = self.verify(code=run.TRUST)
        self.assertIn("it is not signed", signed.stderr)

    def test_unsigned_documents_beside_signed_ones_count_for_nothing(self):
        self.attest("--attest", "sbom,provenance", "--sign", self.ours)
        self.hang(self.children[0], {"spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "files": [{"fileName": "./absent"}]}, "application/spdx+json")
        self.hang(self.children[0], b"[" * 4000, SIGNED)
        result = self.verify()
        self.assertIn("which no key that counts has signed; it is not so: /absent is in it, and not in the layers", result.json["not_verified"])

    def test_an_sbom_of_other_files_is_refused_and_the_file_named_with_its_package(self):
        self.attest("--attest", "sbom")
        kind, notes, document = self.referrers(self.children[0])[0]
        path = "./" + FILE
        file = next(one for one in document["files"] if one["fileName"] == path)
        for change, words in ((lambda: file["checksums"][1].update(checksumValue="0" * 64), f"/{FILE} of served "),
                              (lambda: file.update(fileName="./usr/sbin/other"), "is in the layers, and not in it"),
                              (lambda: document["packages"][0].update(checksums=[{"algorithm": "SHA256", "checksumValue": "1" * 64}]), "which the image has not")):
            change()
            self.clean(self.children[0], self.index)
            self.hang(self.children[0], document, kind, notes)
            self.refused(run.TRUST, self.verify(key=False, code=run.TRUST), words)

    def test_a_provenance_of_other_digests_or_packages_is_refused(self):
        self.attest("--attest", "provenance,sbom")
        original = next(document for _, _, document in self.referrers(self.index) if "predicateType" in document)
        sbom = next(document for _, _, document in self.referrers(self.children[0]) if "files" in document)
        given = [one for one in original["predicate"]["buildDefinition"]["resolvedDependencies"] if one.get("annotations", {}).get("imgfactory_gaveFiles")]
        package = given[0]["digest"]["sha256"]
        self.assertIn(package, json.dumps(sbom))
        for old, new, words in ((self.children[1].split(":")[1], "2" * 64, "it is about sha256:222222222222…, which the image has not"),
                                (package, "3" * 64, "is in the image, and not in it")):
            self.clean(self.index, *self.children)
            self.hang(self.children[0], sbom, "application/spdx+json")
            self.hang(self.index, json.dumps(original).replace(old, new).encode(), SIGNED)
            self.refused(run.TRUST, self.verify(key=False, code=run.TRUST), words)

    def test_a_flipped_byte_in_a_layer_is_named(self):
        self.attest("--attest", "sbom", "--sign", self.ours)
        layer = json.loads(self.get("manifests", self.children[1]))["layers"][0]["digest"].split(":")[1]
        path = os.path.join(self.registry.root, "docker/registry/v2/blobs/sha256", layer[:2], layer, "data")
        with open(path, "r+b") as stream:
            stream.seek(100)
            byte = stream.read(1)
            stream.seek(100)
            stream.write(bytes([byte[0] ^ 1]))
        shutil.rmtree(self.factory.cache)
        result = self.verify(code=run.TRUST)
        self.refused(run.TRUST, result, "layers of linux/arm64")
        self.assertIn(layer[:12], result.stderr)

    def test_a_flipped_byte_in_a_statement_is_named(self):
        self.attest("--attest", "sbom", "--sign", self.ours)
        entry = next(one for one in json.loads(self.get("manifests", self.children[0].replace(":", "-")))["manifests"]
                     if one["annotations"]["in-toto.io/predicate-type"] == SPDX)
        layer = json.loads(self.get("manifests", entry["digest"]))["layers"][0]["digest"].split(":")[1]
        with open(os.path.join(self.registry.root, "docker/registry/v2/blobs/sha256", layer[:2], layer, "data"), "r+b") as stream:
            stream.write(b" ")
        result = self.verify()
        self.assertIn(entry["digest"], result.json["not_verified"])
        self.assertIn("linux/amd64: there is no SBOM by the key", result.json["not_verified"])


class Layouts(DocumentsCase):
    def test_a_layout_is_held_against_its_bills(self):
        result = self.verify(what=self.layout, key=False)
        self.assertEqual([one["good"] for one in self.held(result, "bill")], [True, True])
        self.assertEqual([one["good"] for one in result.json["layers"]], [True, True])
        self.refused(run.TRUST, self.verify(what=self.layout, code=run.TRUST), "a layout has no signatures")
        self.refused(run.USAGE, self.verify("--policy", self.write("policy.json", "{}"), what=self.layout, key=False, code=run.USAGE), "is none")

    def test_a_changed_bill_of_a_layout_is_refused(self):
        folder = os.path.join(self.layout, "imgfactory")
        name = next(path for path in (os.path.join(base, one) for base, _, names in os.walk(folder) for one in names) if self.children[0].split(":")[1] in path)
        with open(name, encoding="utf-8") as stream:
            text = stream.read()
        told = json.loads(text)
        digest = next(one for one in told["files"] if one["path"] == "/" + FILE)["digest"]
        os.chmod(name, 0o644)
        with open(name, "w", encoding="utf-8") as stream:
            stream.write(text.replace(digest, "sha256:" + "4" * 64))
        self.refused(run.TRUST, self.verify(what=self.layout, key=False, code=run.TRUST), f"/{FILE} of served ")


if __name__ == "__main__":
    unittest.main()
