# SPDX-License-Identifier: Apache-2.0
"""SBOM, provenance and VEX attached by the push: on index and platforms, signed and not, before tags move, once."""

import base64
import json
import os
import shutil
import subprocess
import sys
import unittest
import urllib.request

from base import registry, run
from sign_case import ACCEPT, SignCase

SPDX, SLSA, VEX = "https://spdx.dev/Document", "https://slsa.dev/provenance/v1", "https://openvex.dev/ns"
PLAIN = {"application/spdx+json": SPDX}
KINDS = ("--attest", "sbom,provenance", "--attest", "vex")
CLAIM = "description: x\nclaims:\n  - {cve: CVE-2099-0001, package: libc6, paths: /nowhere, from: y}\n"


class AttestCase(SignCase):
    def setUp(self):
        super().setUp()
        self.ready()
        self.build()
        self.layout = os.path.join(self.factory.output, "served")
        with open(os.path.join(self.layout, "index.json"), encoding="utf-8") as stream:
            self.index = json.load(stream)["manifests"][0]["digest"]
        with open(os.path.join(self.layout, "blobs", *self.index.split(":")), encoding="utf-8") as stream:
            self.children = [child["digest"] for child in json.load(stream)["manifests"]]
        os.makedirs(self.path("manifests/vex"), exist_ok=True)
        self.write("manifests/vex/own.yaml", CLAIM)

    def referrers(self, digest):
        """[(artifactType, annotations, document)] of what hangs on a manifest."""
        found = []
        for entry in json.loads(self.get("manifests", digest.replace(":", "-")))["manifests"]:
            manifest = json.loads(self.get("manifests", entry["digest"]))
            self.assertEqual(manifest["subject"]["digest"], digest)
            self.assertEqual(entry.get("annotations", {}), manifest.get("annotations", {}))
            found.append((entry["artifactType"], manifest.get("annotations", {}), json.loads(self.get("blobs", manifest["layers"][0]["digest"]))))
        return found

    def predicates(self, digest):
        """{predicate type: (subjects, predicate)}, of plain documents."""
        found = {}
        for kind, notes, document in self.referrers(digest):
            if kind in PLAIN:
                found[PLAIN[kind]] = ({digest}, document)
                continue
            self.assertEqual(kind, "application/vnd.in-toto+json")
            self.assertEqual(notes, {"in-toto.io/predicate-type": document["predicateType"]})
            found[document["predicateType"]] = ({"sha256:" + one["digest"]["sha256"] for one in document["subject"]}, document["predicate"])
        return found

    def attest(self, *options, code=run.OK, tag="v1"):
        result = self.push(self.layout, f"{self.reference}:{tag}", *options)
        self.assertEqual(result.code, code, result)
        return result


class Attached(AttestCase):
    def check_kinds(self, told, digest, everything):
        self.assertEqual(set(told), {SPDX, SLSA, VEX})
        for kind in (SLSA, VEX):
            self.assertEqual(told[kind][0], everything)
        image = next(one for one in told[SPDX][1]["packages"] if one["SPDXID"] == "SPDXRef-ContainerImage")
        self.assertEqual(image["versionInfo"], digest if digest != self.index else self.children[0])
        self.assertEqual(told[SLSA][1]["buildDefinition"]["buildType"], "urn:imgfactory:buildtype:image:v1")

    def test_without_a_key_plain_documents_hang_on_index_and_platforms(self):
        result = self.attest(*KINDS)
        everything = {self.index, *self.children}
        self.assertEqual(result.push.attached, 3 * len(everything))
        for digest in everything:
            self.check_kinds(self.predicates(digest), digest, everything)

    def test_with_a_key_each_is_a_signed_statement(self):
        key = self.new_key("k")
        self.attest(*KINDS, "--sign", key)
        everything = {self.index, *self.children}
        for digest in everything:
            bundles = [one for one in self.bundles(digest) if one[0]["predicateType"] != "https://sigstore.dev/cosign/sign/v1"]
            self.assertEqual(sorted(statement["predicateType"] for statement, _, _ in bundles), sorted((SPDX, SLSA, VEX)))
            for statement, signed, signature in bundles:
                self.assertTrue(self.is_by(key, signed, signature))
                self.assertIn(digest, {"sha256:" + one["digest"]["sha256"] for one in statement["subject"]})

    def test_an_index_with_both_compressions_has_all_on_every_entry(self):
        result = self.run_factory("--arch", "all", "--compression", "both", "served")
        self.assertEqual(result.code, run.OK, result)
        with open(os.path.join(self.layout, "index.json"), encoding="utf-8") as stream:
            index = json.load(stream)["manifests"][0]["digest"]
        with open(os.path.join(self.layout, "blobs", *index.split(":")), encoding="utf-8") as stream:
            children = [child["digest"] for child in json.load(stream)["manifests"]]
        self.assertEqual(len(children), 4)
        told = self.attest(*KINDS).push
        self.assertEqual(told.attached, 4 + 1 + 2 * 5)
        for digest in children:
            found = self.predicates(digest)
            self.assertEqual(set(found), {SPDX, SLSA, VEX})
            self.assertTrue(found[SPDX][1]["documentNamespace"].endswith(digest[7:]))
            self.assertEqual(found[SLSA][0], {index, *children})
        (made,) = [document for _, _, document in self.referrers(index) if document.get("predicateType") == SLSA]
        names = [one["name"] for one in made["subject"]]
        self.assertEqual(len(set(names)), 5, names)
        self.assertIn("VEX document of index, linux/amd64, linux/arm64/v8 claims", self.call("verify", "--tls-verify=false", f"{self.reference}:v1").stdout)
        tools = {one["name"].split()[0]: one["digest"]["sha256"] for one in made["predicate"]["runDetails"]["builder"]["builderDependencies"]}
        with open(os.path.join(self.layout, "imgfactory", children[0].replace(":", "-") + ".json"), encoding="utf-8") as stream:
            bill = json.load(stream)
        self.assertEqual({name: tools[name] for name in ("libdeflate", "libzstd")}, {
            one["encoder"].split()[0]: one["encoder_code"][7:] for one in (*bill["layers"], *bill["second_layers"])})

    def test_own_claims_are_those_of_the_folder_that_the_push_names(self):
        os.makedirs(self.path("mine/vex"))
        self.write("mine/vex/own.yaml", CLAIM.replace("0001", "0077"))
        self.attest("--attest", "vex", "--manifests", self.path("mine"))
        said = [one["vulnerability"]["name"] for one in self.predicates(self.index)[VEX][1]["statements"]]
        self.assertEqual([name for name in said if name.startswith("CVE-2099-")], ["CVE-2099-0077"])

    def test_inspect_lists_what_hangs_there(self):
        self.attest(*KINDS, "--sign", self.new_key("k"))
        result = self.call("inspect", "--json", "--tls-verify=false", f"{self.reference}:v1")
        told = json.loads(result.stdout)
        for one in (told, *told["platforms"]):
            self.assertEqual(sorted(each["predicate"] for each in one["attached"]),
                             sorted((SPDX, SLSA, VEX, "https://sigstore.dev/cosign/sign/v1")))
            self.assertEqual({each["digest"] for each in one["attached"]}, {digest for digest in self.listed(one["digest"])})
        shown = self.call("inspect", "--tls-verify=false", f"{self.reference}:v1").stdout
        self.assertEqual(shown.count(SLSA), 3)

    def listed(self, digest):
        return [entry["digest"] for entry in json.loads(self.get("manifests", digest.replace(":", "-")))["manifests"]]

    def test_nothing_is_attached_twice(self):
        key = self.new_key("k")
        for options in ((), ("--sign", key)):
            self.assertGreater(self.attest(*KINDS, *options).push.attached, 0)
            before = self.tags()
            for more in ((), ("--verify-remote",)):
                again = self.attest(*KINDS, *options, *more)
                self.assertEqual((again.push.status, again.push.attached), ("unchanged", 0), again)
                self.assertEqual(self.tags(), before)
            shutil.rmtree(self.factory.state)  # no receipt: what is there is read
            self.assertEqual(self.attest(*KINDS, *options).push.attached, 0)

    def test_what_is_attached_to_a_digest_may_grow(self):
        self.assertEqual(self.attest("--attest", "sbom").push.attached, 3)
        self.assertEqual(self.attest("--attest", "sbom,provenance").push.attached, 3)
        self.assertEqual(self.attest("--attest", "provenance", "--builder", "https://ci.example.org/x").push.attached, 3)

    def test_an_sbom_may_be_of_the_other_form_or_of_both(self):
        result = self.attest("--attest", "sbom,cyclonedx")
        self.assertEqual(result.push.attached, 6)
        for digest in (self.index, *self.children):
            told = {kind: document for kind, _, document in self.referrers(digest)}
            self.assertEqual(set(told), {"application/spdx+json", "application/vnd.cyclonedx+json"})
            self.assertEqual(told["application/vnd.cyclonedx+json"]["metadata"]["component"]["version"], digest if digest != self.index else self.children[0])
        self.assertEqual(self.attest("--attest", "cyclonedx,sbom").push.attached, 0)
        verified = json.loads(self.call("verify", "--json", "--tls-verify=false", f"{self.reference}:v1").stdout)
        self.assertEqual([one["good"] for one in verified["documents"]], [True] * 4)
        key = self.new_key("k")
        self.attest("--attest", "cyclonedx", "--sign", key)
        self.assertIn("https://cyclonedx.org/bom", [statement["predicateType"] for statement, *_ in self.signed(self.index)])

    def signed(self, digest):
        for kind, _, document in self.referrers(digest):
            if "dsseEnvelope" in document:
                yield (json.loads(base64.b64decode(document["dsseEnvelope"]["payload"])), kind)

    def claim(self, cve, key=None):
        """Attaches a VEX document with that claim: (how many artifacts, [(version, @id, CVE)] of what then hangs on the index), the
        same on each platform."""
        self.write("manifests/vex/own.yaml", CLAIM.replace("CVE-2099-0001", cve))
        pushed = self.attest("--attest", "vex", "--manifests", self.path("manifests"), *(("--sign", key) if key else ())).push
        found = []
        for digest in (self.index, *self.children):
            said = [statement["predicate"] for statement, _, _ in self.bundles(digest)] if key else [
                document["predicate"] for _, _, document in self.referrers(digest)]
            found.append([(one["version"], one["@id"], each["vulnerability"]["name"]) for one in said for each in one.get("statements", ())
                          if each["vulnerability"]["name"].startswith("CVE-2099-")])
        self.assertEqual(found, [found[0]] * len(found))
        return pushed.attached, found[0]

    def test_a_vex_document_of_other_data_takes_the_place_of_the_former_with_a_higher_version(self):
        name = f"urn:imgfactory:vex:{self.index[7:]}"
        self.assertEqual(self.claim("CVE-2099-0001"), (3, [(1, name, "CVE-2099-0001")]))
        self.assertEqual(self.claim("CVE-2099-0001"), (0, [(1, name, "CVE-2099-0001")]))
        self.assertEqual(self.claim("CVE-2099-0002"), (3, [(2, name, "CVE-2099-0002")]))
        self.assertEqual(self.claim("CVE-2099-0001"), (3, [(3, name, "CVE-2099-0001")]))
        shutil.rmtree(self.factory.state)
        self.assertEqual(self.claim("CVE-2099-0001"), (0, [(3, name, "CVE-2099-0001")]))

    def test_of_each_key_the_vex_document_is_replaced_by_that_key_alone(self):
        name = f"urn:imgfactory:vex:{self.index[7:]}"
        ours, other = self.new_key("ours"), self.new_key("other")
        self.claim("CVE-2099-0001", ours)
        self.assertEqual(self.claim("CVE-2099-0002", other)[1], [(1, name, "CVE-2099-0001"), (1, name, "CVE-2099-0002")])
        self.assertEqual(self.claim("CVE-2099-0003", ours)[1], [(1, name, "CVE-2099-0002"), (2, name, "CVE-2099-0003")])

    def serve_referrers(self):
        """A registry with the referrers API: its host."""
        server = subprocess.Popen([sys.executable, os.path.join(os.path.dirname(registry.__file__), "registry_server.py")], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE)
        self.addCleanup(server.wait)
        self.addCleanup(server.stdout.close)
        self.addCleanup(server.stdin.close)
        host = f"127.0.0.1:{server.stdout.readline().split()[0].decode()}"
        wanted = json.dumps({"referrers": True}).encode()
        urllib.request.urlopen(urllib.request.Request(f"http://{host}/_set", data=wanted, method="POST")).close()
        return host

    def test_where_the_registry_lists_referrers_itself_the_versions_tell_which_counts(self):
        host, found = self.serve_referrers(), []
        for cve in ("CVE-2099-0001", "CVE-2099-0002"):
            self.write("manifests/vex/own.yaml", CLAIM.replace("CVE-2099-0001", cve))
            result = self.push(self.layout, f"{host}/ns/image:v1", "--attest", "vex", "--manifests", self.path("manifests"))
            self.assertEqual((result.code, result.push.attached), (run.OK, 3), result)

        def get(path):
            with urllib.request.urlopen(urllib.request.Request(f"http://{host}/v2/ns/image/{path}", headers={"Accept": "*/*, " + ACCEPT})) as answer:
                return json.load(answer)
        for entry in get(f"referrers/{self.index}")["manifests"]:
            found.append(get("blobs/" + get("manifests/" + entry["digest"])["layers"][0]["digest"])["predicate"])
        self.assertEqual(sorted((one["version"], one["@id"]) for one in found), [(number, found[0]["@id"]) for number in (1, 2)])

    def test_a_vex_document_that_claims_nothing_is_not_attached(self):
        self.write_manifest("plain", "name: plain\npackages: {install: [base-files]}\n")
        self.build("--arch", "all", "plain", name="plain")
        self.layout = os.path.join(self.factory.output, "plain")
        self.assertEqual(self.attest("--attest", "vex,sbom").push.attached, 3)
        shutil.rmtree(self.factory.state)
        self.assertEqual(self.attest("--attest", "vex,sbom").push.attached, 0)

    def test_other_words_and_what_cannot_be_made_move_no_tag(self):
        self.refused(run.USAGE, self.attest("--attest", "sbom,signature", code=run.USAGE), "'signature' is none of sbom")
        self.refused(run.USAGE, self.attest("--attest", "sbom", "--builder", "me", code=run.USAGE), "no URI")
        self.refused(run.USAGE, self.attest("--attest", "vex", "--tracker", self.path("absent"), code=run.USAGE), "absent")
        shutil.rmtree(os.path.join(self.layout, "imgfactory"))
        shutil.rmtree(self.factory.cache)
        result = self.attest("--attest", "provenance", "--tag", "v2", code=run.RESOLVE)
        self.refused(run.RESOLVE, result, "there is no bill for linux/amd64")
        self.assertFalse({"v1", "v2"} & set(self.tags()))

    def test_a_night_attaches_what_its_site_file_says_and_an_unchanged_one_nothing(self):
        self.write("tracker.json", json.dumps({"served": {"CVE-2099-0001": {"releases": {}}}}))
        self.write("imgfactory.yaml", f"registry: {self.registry.host}\nnamespace: ns\ntls-verify: false\nattest: [sbom, provenance, vex]\n"
                                      "builder: https://ci.example.org/x\ntrackers: [tracker.json]\ntags: [v1]\n")
        attached = []
        for _ in range(2):
            result = self.run_factory("--json", "--arch", "x86_64,aarch64", "served", env=self.env, cwd=self.top)
            self.assertEqual(result.code, run.OK, result)
            attached.append(json.loads(result.stdout)["images"][0]["push"]["attached"])
        self.assertEqual(attached, [9, 0])


if __name__ == "__main__":
    unittest.main()
