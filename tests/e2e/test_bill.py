# SPDX-License-Identifier: Apache-2.0
"""The bill of an image: in its layout, equal to the report, and named by a key that all that changes bytes changes."""

import hashlib
import json
import os
import shutil
import unittest

from base import Case, image, run, server, world

ARCH = "x86_64"


class Bills(Case):
    def setUp(self):
        super().setUp()
        self.ready()

    def order(self, *arguments, name="served"):
        """What the report says of one image for one architecture."""
        result = self.run_factory("--json", "--allow-fewer-platforms", "--arch", ARCH, *arguments, name)
        self.assertEqual(result.code, run.OK, result)
        return json.loads(result.stdout)["images"][0]["architectures"][0]

    def bill_path(self, arch=ARCH, tag="latest"):
        """Named by the platform's manifest."""
        layout = os.path.join(self.factory.output, "served")
        built = image.Layout(layout).images[tag][{"x86_64": "amd64", "aarch64": "arm64/v8"}[arch]]
        return os.path.join(layout, "imgfactory", built.digest.replace(":", "-") + ".json")

    def bill(self, **which):
        with open(self.bill_path(**which), encoding="utf-8") as stream:
            return json.load(stream)

    def test_the_layout_has_what_the_report_says(self):
        order = self.order()
        bill = self.bill()
        order["source"]["name"] = os.path.basename(order["source"]["name"])
        self.assertEqual({key: order.get(key) for key in bill}, bill)
        self.assertEqual(bill["format"], 11)
        files = {file["path"]: file for file in bill["files"] + bill["directories"]}
        self.assertEqual((files["/usr/sbin/served"]["kind"], files["/usr/sbin/served"]["mode"]), ("file", "0755"))
        self.assertEqual((files["/run/served"]["mode"], files["/run/served"]["uid"]), ("0750", 101))
        self.assertEqual(files["/etc/served.conf"]["target"], "served/served.conf")
        packages = {package["name"]: package for package in bill["selection"]}
        self.assertEqual(packages["served"]["source_package"], "served")

    def test_digests_and_sizes_are_those_of_the_layer(self):
        layout = self.build("--arch", ARCH, "served")
        told = {file["path"]: file for file in self.bill()["files"] if file["kind"] == "file"}
        entries = {path: entry for path, entry in layout.images["latest"]["amd64"].entries.items() if entry.kind == "file"}
        self.assertEqual(sorted(told), sorted(entries))
        for path, entry in entries.items():
            self.assertEqual(told[path]["digest"], "sha256:" + hashlib.sha256(entry.data).hexdigest(), path)
            self.assertEqual(told[path]["size"], len(entry.data), path)

    def test_it_is_written_again_only_when_it_says_something_else(self):
        self.order()
        first = os.stat(self.bill_path())
        self.order()
        self.assertEqual(os.stat(self.bill_path()).st_ino, first.st_ino)
        os.unlink(self.bill_path())  # as in a layout of an older version: the image is unchanged, the bill comes
        result = self.run_factory("--json", "--arch", ARCH, "served")
        self.assertEqual(json.loads(result.stdout)["images"][0]["status"], "unchanged")
        self.bill()

    def test_inspect_tells_where_it_is_unless_it_is_of_another_image_or_no_bill(self):
        self.build()
        self.assertEqual(self.inspect(), [self.bill_path("x86_64"), self.bill_path("aarch64")])
        for other in ({"extra": 1}, {"digest": self.bill()["config"]}, {"format": 1}):
            changed = {**self.bill(), **other}
            with open(self.bill_path("aarch64"), "w", encoding="utf-8") as stream:
                json.dump(changed, stream)
            self.assertEqual(self.inspect(), [self.bill_path("x86_64"), None], other)

    def inspect(self, tag="latest"):
        """Where inspect says that the bills of a tag's platforms are."""
        answer = self.factory.run_plain("inspect", os.path.join(self.factory.output, "served") + f":{tag}", "--json")
        self.assertEqual(answer.code, run.OK, answer)
        return [platform.get("bill") for platform in json.loads(answer.stdout)["platforms"]]

    def test_each_image_of_a_layout_has_its_own_until_no_tag_has_it_any_more(self):
        self.build()
        first = [self.bill_path("x86_64"), self.bill_path("aarch64")]
        self.write_manifest(text=world.MANIFEST.replace("tags: [latest,", "tags: [other,").replace("-d]", "-x]"))
        self.order()
        other = self.bill_path(tag="other")
        self.assertEqual((self.inspect("latest"), self.inspect("other")), (first, [other]))
        self.assertNotIn(other, first)
        self.write_manifest(text=world.MANIFEST)
        self.order("--compression", "zstd")  # and for one architecture less
        folder = os.path.dirname(other)
        self.assertEqual({os.path.join(folder, name) for name in os.listdir(folder)}, {other, *self.inspect()})
        self.assertNotIn(self.inspect()[0], [None, *first])

    def test_all_that_an_order_is_made_of_changes_its_key(self):
        keys = {"as it is": self.order()["key"]}
        self.assertEqual(self.order("--rebuild", "--jobs", "1", "--cache-only")["key"], keys["as it is"])
        keys["--compression"] = self.order("--compression", "zstd")["key"]
        keys["--no-check"] = self.order("--no-check")["key"]
        keys["--strict"] = self.order("--strict")["key"]
        keys["--allow-older"] = self.order("--allow-older")["key"]
        keys["--arch"] = self.order("--arch", "aarch64")["key"]
        arches = self.path("arches")
        shutil.copytree(os.path.join(os.path.dirname(__file__), "..", "..", "arches"), arches)
        with open(os.path.join(arches, f"{ARCH}.yaml"), "a", encoding="utf-8") as stream:
            stream.write("# another\n")
        keys["--arches"] = self.order("--arches", arches)["key"]
        self.write("manifests/recipes/served-big.yaml", "for: [served-big]\nenv: {A: b}\n")
        keys["a recipe"] = self.order()["key"]
        self.write_manifest(text=world.MANIFEST + "# another\n")
        keys["the manifest"] = self.order()["key"]
        self.make_repository(world.packages(("amd64",))[:-1] + [world.base_files(world.MACHINES["amd64"])],
                             name="other", architectures=("amd64",))
        keys["--source"] = self.order("--source", self.write_source("other.yaml"))["key"]
        self.assertEqual(len(set(keys.values())), len(keys), keys)

    def test_what_it_says_of_repositories_is_of_this_run(self):
        second = server.Server(self.path("repo")).start()
        self.addCleanup(second.stop)
        dead = "http://127.0.0.1:1/"

        def repositories(name, url):
            """The order's status, once its packages are said to be of the mirror at that URL, which is the one that answers."""
            self.use(self.write("source.yaml", f"kind: deb\nname: {name}\nuris: ['{dead}', '{url}']\nsuites: [stable]\n"
                                               f"components: [main]\nkeys: [{self.key.keyring}]\n"))
            order = self.order()
            self.assertEqual({package["repository"] for package in order["selection"]}, {f"{name} (stable)"})
            shown = url.replace("somebody:secret@", "")
            self.assertEqual([p["url"] for p in order["selection"] if not p["url"].startswith(shown)], [])
            return order["status"]

        first = self.server.url
        self.assertEqual(repositories("ours", first), "built")
        self.assertEqual(repositories("ours", first), "reused")
        self.assertEqual(repositories("ours", first.replace("//", "//somebody:secret@")), "reused")
        self.assertEqual(repositories("theirs", first), "built")
        self.assertEqual(repositories("theirs", second.url), "built")

    def test_folders_of_this_machine_are_not_in_it(self):
        order = self.order()
        self.assertRegex(order["proof"]["notes"][0], "^served.yaml:[0-9]+:[0-9]+: config.volumes: ")
        self.assertRegex(order["source"]["name"], "^/.*/source.yaml$")  # the report is this machine's own
        with open(self.bill_path(), encoding="utf-8") as stream:
            self.assertNotIn(self.top, stream.read())


if __name__ == "__main__":
    unittest.main()
