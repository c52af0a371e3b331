# SPDX-License-Identifier: Apache-2.0
"""`imgfactory provenance`: an in-toto statement with SLSA's predicate, whose digests are those of what was there."""

import hashlib
import json
import os
import re
import shutil
import unittest

from base import Case, PushCase, run
from kit import base_image

HEX = re.compile("[0-9a-f]{64}")
URI = re.compile("[A-Za-z][A-Za-z0-9+.-]*:[^ ]+")


def sha256_of(path):
    with open(path, "rb") as stream:
        return hashlib.sha256(stream.read()).hexdigest()


def signed_sha256_of(path):
    """Of what is signed in a clear-signed file (RFC 4880, 7): the text between its head and its signature."""
    with open(path, "rb") as stream:
        text = stream.read().partition(b"\n\n")[2].partition(b"\n-----BEGIN PGP SIGNATURE")[0]
    return hashlib.sha256(re.sub(rb"(?m)^- ", b"", text) + b"\n").hexdigest()


class ProvenanceCase(Case):
    def setUp(self):
        super().setUp()
        self.ready()
        images = self.build().images["latest"]
        self.images = {name.split("/")[0]: images[name] for name in images}

    def text(self, what="served", *options, code=run.OK):
        where = what if what.startswith("/") else os.path.join(self.factory.output, what)
        result = self.factory.run_plain("provenance", where, *options)
        self.assertEqual(result.code, code, result)
        return result.stdout if code == run.OK else result.stderr

    def check_descriptor(self, descriptor):
        """in-toto/attestation, spec/v1/resource_descriptor.md: one of uri, digest and content; digests are maps of text."""
        self.assertLessEqual(set(descriptor), {"uri", "digest", "name", "downloadLocation", "mediaType", "content", "annotations"})
        self.assertTrue({"uri", "digest", "content"} & set(descriptor), descriptor)
        for key in {"uri", "downloadLocation"} & set(descriptor):
            self.assertRegex(descriptor[key], URI)
        if "digest" in descriptor:
            self.assertEqual(set(descriptor["digest"]), {"sha256"})
            self.assertRegex(descriptor["digest"]["sha256"], HEX)

    def check_statement(self, statement):
        """spec/v1/statement.md, and slsa.dev/spec/v1.0/provenance."""
        self.assertEqual(list(statement), ["_type", "subject", "predicateType", "predicate"])
        self.assertEqual(statement["_type"], "https://in-toto.io/Statement/v1")
        self.assertEqual(statement["predicateType"], "https://slsa.dev/provenance/v1")
        names = [subject["name"] for subject in statement["subject"]]
        self.assertEqual(len(set(names)), len(names))
        predicate = statement["predicate"]
        self.assertEqual(set(predicate), {"buildDefinition", "runDetails"})
        definition, details = predicate["buildDefinition"], predicate["runDetails"]
        self.assertEqual(set(definition), {"buildType", "externalParameters", "internalParameters", "resolvedDependencies"})
        self.assertRegex(definition["buildType"], URI)
        self.assertTrue(all(isinstance(value, str) for value in definition["externalParameters"].values()))
        self.assertLessEqual(set(details), {"builder", "byproducts"})  # no metadata: no clock, no number of the run
        self.assertRegex(details["builder"]["id"], URI)
        for descriptor in (*statement["subject"], *definition["resolvedDependencies"], *details["byproducts"],
                           *details["builder"]["builderDependencies"]):
            self.check_descriptor(descriptor)


class Statements(ProvenanceCase):
    def test_it_keeps_the_rules_of_in_toto_and_of_slsa(self):
        statement = json.loads(self.text())
        self.check_statement(statement)
        self.assertEqual(statement["predicate"]["runDetails"]["builder"]["id"], "urn:imgfactory:builder:local")

    def test_subjects_are_the_index_and_each_platform(self):
        subjects = {subject["name"]: subject["digest"]["sha256"] for subject in json.loads(self.text())["subject"]}
        with open(os.path.join(self.factory.output, "served", "index.json"), encoding="utf-8") as stream:
            index = json.load(stream)["manifests"][0]["digest"]
        self.assertEqual(subjects, {"served": index.removeprefix("sha256:"),
                                    "linux/amd64": self.images["amd64"].digest.removeprefix("sha256:"),
                                    "linux/arm64/v8": self.images["arm64"].digest.removeprefix("sha256:")})

    def test_each_digest_is_that_of_what_was_there(self):
        statement = json.loads(self.text())
        dependencies = statement["predicate"]["buildDefinition"]["resolvedDependencies"]
        named = {one["name"]: one for one in dependencies if "name" in one}
        self.assertEqual(named["served.yaml"]["digest"]["sha256"], sha256_of(os.path.join(self.path("manifests"), "served.yaml")))
        repositories = [one for one in dependencies if "imgfactory_signedBy" in one.get("annotations", {})]
        releases = {signed_sha256_of(os.path.join(folder, name)) for folder, _, names in os.walk(self.repository.root) for name in names
                    if name == "InRelease"}
        self.assertTrue(repositories)
        for one in repositories:
            self.assertIn(one["digest"]["sha256"], releases)
        packages = [one for one in dependencies if one.get("uri", "").startswith("pkg:")]
        pool = {sha256_of(os.path.join(folder, name)): name for folder, _, names in os.walk(self.repository.root) for name in names
                if name.endswith(".deb")}
        self.assertLessEqual({one["digest"]["sha256"] for one in packages}, set(pool))
        self.assertTrue(all(one["downloadLocation"].endswith(pool[one["digest"]["sha256"]]) for one in packages))
        bills = {one["name"]: one["digest"]["sha256"] for one in statement["predicate"]["runDetails"]["byproducts"]}
        for arch, name in (("amd64", "linux/amd64"), ("arm64", "linux/arm64/v8")):
            path = os.path.join(self.factory.output, "served", "imgfactory", self.images[arch].digest.replace(":", "-") + ".json")
            self.assertEqual(bills["bill of " + name], sha256_of(path))

    def test_every_package_of_the_selection_is_a_dependency_once(self):
        statement = json.loads(self.text())
        dependencies = [one for one in statement["predicate"]["buildDefinition"]["resolvedDependencies"] if "uri" in one]
        told = {one["digest"]["sha256"]: one["annotations"].get("imgfactory_gaveFiles") for one in dependencies if one["uri"].startswith("pkg:")}
        wanted = {}
        for arch in ("amd64", "arm64"):
            path = os.path.join(self.factory.output, "served", "imgfactory", self.images[arch].digest.replace(":", "-") + ".json")
            with open(path, encoding="utf-8") as stream:
                for package in json.load(stream)["selection"]:
                    digest = package["digest"].removeprefix("sha256:")
                    wanted[digest] = wanted.get(digest, False) or package["gave_files"]
        self.assertEqual(told, wanted)
        self.assertEqual(len({one["uri"] for one in dependencies if one["uri"].startswith("pkg:")}), len(wanted))

    def test_two_builds_of_one_image_have_one_statement(self):
        first = self.text()
        shutil.rmtree(self.factory.cache)
        shutil.rmtree(self.factory.output)
        self.build()
        self.assertEqual(self.text(), first)

    def test_a_builder_has_a_name_of_its_own_which_is_a_uri(self):
        named = json.loads(self.text("served", "--builder", "https://ci.example.org/imgfactory"))
        self.assertEqual(named["predicate"]["runDetails"]["builder"]["id"], "https://ci.example.org/imgfactory")
        for wrong in ("workstation", "", "https:", "urn:a b", "urn:\x07"):
            self.assertIn("no URI", self.text("served", "--builder", wrong, code=run.USAGE) if wrong else "no URI")

    def test_versions_are_told_by_the_program_that_built(self):
        versions = json.loads(self.text())["predicate"]["runDetails"]["builder"]["version"]
        told = self.factory.run_plain("--version").stdout.split()[1]
        self.assertEqual(versions["imgfactory"], told)
        self.assertIn("libsolv", versions)

    def test_an_image_without_a_bill_is_of_nobody(self):
        shutil.rmtree(os.path.join(self.factory.output, "served", "imgfactory"))
        shutil.rmtree(self.factory.cache)
        self.assertIn("served has no bill for linux/amd64", self.text(code=run.RESOLVE))

    def test_a_bill_of_another_image_is_none(self):
        digests = [self.images[arch].digest.replace(":", "-") + ".json" for arch in ("amd64", "arm64")]
        folder = os.path.join(self.factory.output, "served", "imgfactory")
        os.replace(os.path.join(folder, digests[0]), os.path.join(folder, digests[1]))
        shutil.rmtree(self.factory.cache)
        self.assertIn("no bill", self.text(code=run.RESOLVE))


class Registries(PushCase):
    def test_of_an_image_of_others_nothing_is_known(self):
        target = self.make_registry()
        base = base_image.Base(self.path("base"), {"amd64": [base_image.small("amd64")]})
        self.pushed(base, f"{target.host}/some/where:1")
        result = self.call("provenance", "--tls-verify=false", f"{target.host}/some/where:1")
        self.assertEqual(result.code, run.RESOLVE, result)
        self.assertIn(f"{target.host}/some/where:1 has no bill for linux/amd64", result.stderr)


if __name__ == "__main__":
    unittest.main()
