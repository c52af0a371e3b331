# SPDX-License-Identifier: Apache-2.0
"""An image of several layers: the plan of them is a file that `imgfactory lock` makes, images that hold the same share layers, what
comes of unpacking them is what one layer has, and whoever reads an image knows several."""

import gzip
import hashlib
import json
import os
import random
import shutil
import unittest

from base import run, world
from kit import chunked, deb, image
from test_rebuild import RebuildCase

PLAN = "imgfactory.layers"
NOISE = {"libbar2": 300, "libfoo1": 200, "libc6": 600, "served": 150}  # kB of what cannot be compressed


def packages(**versions):
    """The small distribution, of which some packages have files that are worth a layer."""
    made = world.packages()
    for package in made:
        package.version = versions.get(package.name, package.version)
        if package.name in NOISE:
            noise = random.Random(package.name + package.version).randbytes(NOISE[package.name] << 10)
            package.files.append(deb.File(f"/usr/share/noise/{package.name}", noise))
    return made


MANIFEST = world.MANIFEST.replace("files:\n", "files:\n  - /usr/share/noise/*\n")
OTHER = MANIFEST.replace("name: served\n", "name: other\n", 1).replace("cmd: [-d]", "cmd: [-x]")


class Base(RebuildCase):
    def ready(self, **settings):
        super().ready(packages=packages(), manifest=MANIFEST, **settings)
        self.write_manifest("other", OTHER)

    def setUp(self):
        super().setUp()
        self.factory.options += ["--lock-file", self.path("imgfactory.lock"), "--arch", "all"]

    def run_well(self, *arguments, **settings):
        result = self.run_factory(*arguments, **settings)
        self.assertEqual(result.code, run.OK, result)
        return result

    def lock(self, *arguments):
        self.run_well("lock", "--layers", "auto", *arguments)
        with open(self.path(PLAN), encoding="utf-8") as stream:
            return [line.split() for line in stream if not line.startswith("#")]

    def layers(self, name="served", arch="amd64"):
        """[(descriptor, plain tar)] of an image, the lowest first."""
        folder = os.path.join(self.factory.output, name)

        def read(digest):
            with open(os.path.join(folder, "blobs", *digest.split(":")), "rb") as stream:
                return stream.read()

        with open(os.path.join(folder, "index.json"), encoding="utf-8") as stream:
            index = json.loads(read(json.load(stream)["manifests"][0]["digest"]))
        child = next(one for one in index["manifests"] if one["platform"]["architecture"] == arch)
        manifest = json.loads(read(child["digest"]))
        config = json.loads(read(manifest["config"]["digest"]))
        found = [(one, gzip.decompress(read(one["digest"]))) for one in manifest["layers"]]
        self.assertEqual(config["rootfs"]["diff_ids"], ["sha256:" + hashlib.sha256(tar).hexdigest() for _, tar in found])
        self.assertEqual(len(config["history"]), len(found))
        return found

    def digests(self, name="served"):
        return [one["digest"] for one, _ in self.layers(name)]

    def whole(self, name="served"):
        """What all layers amount to: {path: (facts, time)}; each path but directories is in one layer."""
        merged = {}
        for _, tar in self.layers(name):
            for path, entry in image.read_tar(tar).items():
                self.assertTrue(path not in merged or entry.kind == "dir", path)
                merged[path] = (entry.facts(), entry.mtime)
        return merged

    def index_of(self, name="served"):
        return self.layout_index(os.path.join(self.factory.output, name))

    @staticmethod
    def layout_index(folder):
        with open(os.path.join(folder, "index.json"), encoding="utf-8") as stream:
            return json.load(stream)["manifests"][0]["digest"]


class Plans(Base):
    def test_a_plan_is_wanted_and_lock_makes_it(self):
        one = self.index_of()
        self.refused(run.USAGE, self.run_factory("--layers", "auto", "--arch", "amd64", "served"), f"there is no .*{PLAN}; `imgfactory lock` makes it, with the same `--layers` or `layers:`")
        self.assertEqual([line[:2] for line in self.lock("served", "other")],
                         [["libc6", "2"], ["libbar2", "2"], ["libfoo1", "2"], ["served", "2"]])
        self.run_well("served")  # a plan changes nothing of what has one layer
        self.assertEqual((self.index_of(), len(self.layers())), (one, 1))
        for word, count in (("1", 1), ("2", 2), ("3", 3), ("4", 4), ("auto", 5)):
            self.run_well("--layers", word, "served")
            self.assertEqual(len(self.layers()), count)
        self.write_manifest("other", OTHER + "layers: 3\n")
        self.write("site.yaml", "layers: auto\n")
        self.run_well("--config", self.path("site.yaml"), "other", "served")
        self.assertEqual((len(self.layers("other")), len(self.layers())), (3, 5))
        self.run_well("--layers", "2", "--config", self.path("site.yaml"), "other")
        self.assertEqual(len(self.layers("other")), 2)

    def test_words_and_plans_that_are_none_are_refused(self):
        self.refused(run.USAGE, self.run_factory("--layers", "0", "served"), "--layers is 1, auto, or a number up to 100")
        self.write_manifest("bad", OTHER + "layers: many\n")
        self.refused(run.USAGE, self.run_factory("bad"), "bad.yaml:.*'layers' must be 1, auto")
        self.write("site.yaml", "layers: 101\n")
        self.refused(run.USAGE, self.run_factory("--config", self.path("site.yaml"), "served"), "site.yaml:1.*is not 1, auto")
        self.write(PLAN, "libc6 1\n")
        self.refused(run.USAGE, self.run_factory("--layers", "auto", "served"), f"{PLAN}:1: the line is not a source package")
        self.write(PLAN, b"\0" * (300 << 10))
        self.refused(run.USAGE, self.run_factory("--layers", "auto", "served"), f"{PLAN}:1: the line is not a source package")
        self.write(PLAN, "#" * (1 << 20) + "\n")
        self.refused(run.MALFORMED, self.run_factory("--layers", "auto", "served"), f"{PLAN} is larger than the 1048576 bytes")
        self.assertEqual(self.call("diff", "--layers", self.layout, self.layout).code, run.OK)  # an older option of that name

    def test_the_plan_is_followed_whatever_else_is_in_the_call(self):
        self.lock("served", "other")
        self.run_well("--layers", "auto", "served", "other")
        digests = self.index_of(), self.index_of("other")
        self.assertEqual(self.digests()[:-1], self.digests("other")[:-1])
        for jobs, names in ("1", ["other"]), ("5", ["served"]):
            self.elsewhere()
            shutil.rmtree(self.factory.output)
            self.run_well("--layers", "auto", "--jobs", jobs, *names)
            self.assertIn(self.index_of(names[0]), digests)
        self.assertIn("nothing changed", self.run_well("--layers", "auto", "served").stderr)

    def test_a_night_changes_the_layer_of_what_is_new_and_the_top_and_the_plan_stays(self):
        before_plan = self.lock("served", "other")
        self.run_well("--layers", "auto", "served", "other")
        before = self.digests()
        self.repository.packages = packages(libbar2="2.0+dfsg-2")
        self.repository.publish(self.key)
        self.assertEqual(self.lock("--update", "served", "other"), before_plan)
        self.run_well("--layers", "auto", "served", "other")
        after = self.digests()
        self.assertEqual([a == b for a, b in zip(before, after)], [True, False, True, True, False])
        self.assertEqual(self.digests("other")[:-1], after[:-1])

    def test_images_with_different_parts_of_a_source_package_share_the_part_that_both_have(self):
        self.repository.packages = packages()
        for package in self.repository.packages:
            if package.name == "libbar2":
                package.files.append(deb.File("/usr/share/noise/libpart.so.9", random.Random("part").randbytes(140 << 10)))
        self.repository.publish(self.key)
        self.write_manifest("other", OTHER.replace("/noise/*", "/noise/*[126d]"))
        lines = self.lock("served", "other")
        self.assertEqual([line[1:2] + line[3:] for line in lines if line[0] == "libbar2"], [["2", "libbar.so*", "libbar2"], ["1"]])
        self.run_well("--layers", "auto", "served", "other")
        mine, others = self.digests(), self.digests("other")
        self.assertEqual(len(mine), len(others) + 1)
        self.assertLess(set(others), set(mine))

    def test_several_layers_amount_to_the_one(self):
        self.lock("served")
        one = self.whole()
        for layers in "2", "4", "auto":
            self.run_well("--layers", layers, "served")
            self.assertEqual(self.whole(), one)
            self.assertEqual(self.call("check", os.path.join(self.factory.output, "served")).code, run.OK)
        documents = [self.call("sbom", "--arch", "x86_64", os.path.join(self.factory.output, "served")).stdout]
        shutil.rmtree(self.factory.cache)  # now out of the layers, not of what was remembered
        documents.append(self.call("sbom", "--arch", "x86_64", os.path.join(self.factory.output, "served")).stdout)
        self.assertEqual(*documents)
        files = {one["fileName"] for one in json.loads(documents[0])["files"]}
        self.assertIn("./usr/share/noise/libbar2", files)


class Elsewhere(Base):
    """Registries, archives, other programs."""

    def setUp(self):
        super().setUp()
        self.lock("served", "other")
        self.run_well("--layers", "auto", "served", "other")
        self.layout = os.path.join(self.factory.output, "served")

    def test_what_is_in_the_registry_already_is_not_sent_again(self):
        self.pushed(self.layout, f"{self.reference}:v1")
        self.pushed(os.path.join(self.factory.output, "other"), self.reference.rsplit("/", 1)[0] + "/other:v1")
        self.assertEqual(self.pushed(self.layout, f"{self.reference}:v1").push.status, "unchanged")
        pulled = self.path("pulled")
        result = self.call("pull", "--tls-verify=false", "--output", pulled, f"{self.reference}:v1")
        self.assertEqual(result.code, run.OK, result)
        self.podman("pull", "-q", "--tls-verify=false", f"{self.reference}:v1")

    def test_it_is_made_again_by_its_provenance_and_by_its_bills(self):
        self.attested()
        os.remove(self.path(PLAN))
        self.elsewhere()
        self.assertEqual(self.again().json["rebuild"]["verdict"], "identical")
        result = self.again(what=self.layout, key=False)
        self.assertEqual(result.json["rebuild"]["verdict"], "identical")
        statement = json.loads(self.call("provenance", self.layout).stdout)
        definition = statement["predicate"]["buildDefinition"]
        self.assertEqual(definition["externalParameters"]["layers"], "24")
        self.assertIn(PLAN, [one.get("name") for one in definition["resolvedDependencies"]])

    def test_other_compressions_and_archives_have_all_layers(self):
        self.run_well("--layers", "auto", "--compression", "both", "served")
        found = list(chunked.layers(self.layout))
        self.assertEqual(len(found), 10)
        for _, descriptor, blob, diff_id in found:
            chunked.check(blob, descriptor["annotations"], diff_id)
        archive = self.path("served.tar")
        self.run_well("--layers", "auto", "--arch", "amd64", "--output", f"docker-archive:{archive}:served:v1", "served")
        told = json.loads(self.tool("skopeo", "inspect", f"docker-archive:{archive}").stdout)
        self.assertEqual(len(told["Layers"]), 5)


if __name__ == "__main__":
    unittest.main(verbosity=2)
