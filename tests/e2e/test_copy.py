# SPDX-License-Identifier: Apache-2.0
"""`imgfactory copy`: images with all that hangs on them, from registry or layout to registry, as they are; killed, refused, lied to."""

import json
import os
import shutil
import unittest

from base import run
from kit.faultproxy import FaultProxy
from kit.image import INDEX, MANIFEST
from kit.published import EMPTY, Repository, compact, descriptor, digest_of
from sign_case import SignCase

NOTE = "application/vnd.example.note+json"


class CopyCase(SignCase):
    def setUp(self):
        super().setUp()
        self.image = self.make_layout()
        self.ours = self.new_key("ours")
        self.source = Repository(self.registry.host, "ns/image")
        self.pushed(self.image, self.reference + ":v1", "--sign", self.ours)

    def artifact(self, subject, words, listed=True, **more):
        """Makes a note about a manifest, and lists it under the fallback tag; returns its descriptor."""
        layer = self.source.blob(words.encode(), "text/plain")
        config = self.source.blob(b"{}", EMPTY)
        document = {"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": NOTE, "config": config, "layers": [layer],
                    "subject": {key: subject[key] for key in ("mediaType", "digest", "size")}, "annotations": {"said": words}, **more}
        made = self.source.manifest(document, MANIFEST)
        if listed:
            self.list_under(subject["digest"], {**made, "artifactType": NOTE, "annotations": document["annotations"]})
        return made

    def list_under(self, digest, *entries):
        tag = digest.replace(":", "-")
        before = json.loads(self.get("manifests", tag))["manifests"] if tag in self.tags() else []
        self.source.manifest({"schemaVersion": 2, "mediaType": INDEX, "manifests": [*before, *entries]}, INDEX, tag)

    def root(self):
        return descriptor(self.get("manifests", self.image.digest), INDEX)

    def copy(self, source, target, *options, code=run.OK, **settings):
        result = self.call("copy", "--json", "--tls-verify=false", *options, source, target, **settings)
        self.assertEqual(result.code, code, result)
        result.json = json.loads(result.stdout) if result.stdout else None
        return result

    def hanging(self, registry, repository, digest, level=0):
        """All that the fallback tags of a registry list about a digest, and what hangs on that: {digest: entry}."""
        tag = digest.replace(":", "-")
        found = {}
        if tag in registry.tags(repository):
            for entry in json.loads(registry.blob(registry.tags(repository)[tag]))["manifests"]:
                self.assertNotIn(entry["digest"], found, "listed twice")
                registry.check(repository, entry["digest"])
                found[entry["digest"]] = entry
                found.update(self.hanging(registry, repository, entry["digest"], level + 1))
        return found

    def assert_same(self, target, repository="ns/image"):
        """The target has what the source has about the image, each once."""
        for digest in (self.image.digest, *self.image.children):
            self.assertEqual(self.hanging(target, repository, digest), self.hanging(self.registry, "ns/image", digest))
            signatures = digest.replace(":", "-") + ".sig"
            self.assertEqual(target.tags(repository).get(signatures), self.tags().get(signatures))


class Copied(CopyCase):
    def test_platforms_and_all_that_hangs_on_them_arrive_as_they_are_and_once(self):
        first = self.artifact(self.root(), "about the index")
        second = self.artifact(first, "about the note")
        self.artifact(second, "about that")
        child = json.loads(self.get("manifests", self.image.digest))["manifests"][0]
        self.artifact(child, "about a platform")
        target = self.make_registry("target")
        there = f"{target.host}/other/name"
        done = self.copy(self.reference + ":v1", there).json["images"][0]["push"]
        self.assert_tag(target, "other/name", "v1", self.image.digest)
        self.assert_same(target, "other/name")
        self.assertGreaterEqual(len(self.hanging(target, "other/name", self.image.digest)), 4)
        self.assertEqual((done["status"], done["attached"] > 8), ("pushed", True))
        before = target.tags("other/name")
        for options in ((), ("--verify-remote",)):
            again = self.copy(self.reference + ":v1", there, *options).json["images"][0]["push"]
            self.assertEqual((again["status"], again["attached"]), ("unchanged", 0))
            self.assertEqual(target.tags("other/name"), before)
        self.artifact(child, "news")
        self.assertEqual(self.copy(self.reference + ":v1", there).json["images"][0]["push"]["attached"], 1)
        self.assert_same(target, "other/name")

    def test_a_copy_inside_a_registry_mounts_and_fetches_no_layer(self):
        proxy = self.serve(FaultProxy(self.registry.url))
        self.copy(f"{proxy.host}/ns/image:v1", f"{proxy.host}/ns/second:stable")
        self.assertEqual(self.registry.tags("ns/second")["stable"], self.image.digest)
        self.assertFalse([one for one in proxy.requests if one.verb == "PUT" and "/blobs/" in one.path])
        layers = {layer["digest"] for child in self.image.children for layer in json.loads(self.get("manifests", child))["layers"]}
        self.assertFalse([one for one in proxy.requests if one.verb == "GET" and one.path.rsplit("/", 1)[1] in layers])
        self.assert_same(self.registry, "ns/second")

    def test_signatures_of_others_at_the_target_stay_and_ours_come_beside_them(self):
        target = self.make_registry("target")
        other = self.new_key("other")
        self.pushed(self.image, f"{target.host}/ns/image:v1", "--sign", other)
        self.copy(self.reference + ":v1", f"{target.host}/ns/image:v2")
        tag = self.image.digest.replace(":", "-") + ".sig"
        layers = json.loads(target.blob(target.tags("ns/image")[tag]))["layers"]
        self.assertEqual(len(layers), 2)
        for key in (other, self.ours):
            self.assertEqual(self.call("verify", "--tls-verify=false", "--key", key.replace(".key", ".pub"),
                                       f"{target.host}/ns/image@{self.image.digest}").code,
                             run.OK if key == other else run.TRUST)  # ours says another repository: a policy remaps it
        again = self.copy(self.reference + ":v1", f"{target.host}/ns/image:v2")
        self.assertEqual(again.json["images"][0]["push"]["attached"], 0)
        self.assertEqual(json.loads(target.blob(target.tags("ns/image")[tag]))["layers"], layers)

    def test_layouts_and_archives_are_sources_and_a_damaged_one_moves_nothing(self):
        target = self.make_registry("target")
        self.copy(self.image.folder, f"{target.host}/ns/plain:1")
        self.assertEqual(target.tags("ns/plain")["1"], self.image.digest)
        self.tool("tar", "-C", self.image.folder, "-cf", self.path("image.tar"), "oci-layout", "index.json", "blobs")
        self.copy("oci-archive:" + self.path("image.tar"), f"{target.host}/ns/archive:1")
        self.assertEqual(target.tags("ns/archive")["1"], self.image.digest)
        layer = json.loads(self.get("manifests", self.image.children[1]))["layers"][0]["digest"].split(":")[1]
        path = os.path.join(self.image.folder, "blobs/sha256", layer)
        with open(path, "r+b") as stream:
            stream.write(b"damaged")
        self.refused(run.TRUST, self.copy(self.image.folder, f"{target.host}/ns/bad:1", code=run.TRUST), "other bytes than its name says")
        self.assertEqual(target.tags("ns/bad"), {})

    def test_errors_say_which_side_failed(self):
        target = self.make_registry("target")
        self.refused(run.PUBLISH, self.copy(self.reference + ":absent", f"{target.host}/ns/x", code=run.PUBLISH), "from: .*absent")
        proxy = self.serve(FaultProxy(target.url))
        proxy.fault("PUT", "/manifests/", status=403, times=None)
        self.refused(run.PUBLISH, self.copy(self.reference + ":v1", f"{proxy.host}/ns/x", code=run.PUBLISH), f"to {proxy.host}/ns/x")
        self.assertNotIn("v1", target.tags("ns/x"))
        self.refused(run.USAGE, self.copy(self.reference + "@" + self.image.digest, f"{target.host}/ns/x", code=run.USAGE), "has no tag")
        self.refused(run.USAGE, self.copy(self.reference + ":v1", f"{target.host}/ns/x@{self.image.digest}", code=run.USAGE),
                     "cannot be copied to")

    def test_killed_at_each_request_the_tag_is_whole_or_not_there_and_another_run_completes_it(self):
        self.artifact(self.root(), "about the index")
        target = self.make_registry("target")
        proxy = self.serve(FaultProxy(target.url))
        self.copy(self.reference + ":v1", f"{proxy.host}/ns/whole:1")
        count = len(proxy.requests)
        every = 1 if os.environ.get("IMGFACTORY_COPY_KILLS") == "all" else max(1, count // 5)
        for nth in range(1, count + 1, every):
            repository = f"ns/killed{nth}"
            fault = proxy.fault("*", "/v2/", nth=nth, hold="after" if nth % 2 else "before")
            child = self.start("copy", "--tls-verify=false", self.reference + ":v1", f"{proxy.host}/{repository}:1")
            while not fault.reached.wait(0.05) and child.poll() is None:
                pass
            child.kill()
            child.communicate()
            proxy.heal()
            if "1" in target.tags(repository):
                self.assert_tag(target, repository, "1", self.image.digest)
                self.assert_same(target, repository)
            self.copy(self.reference + ":v1", f"{proxy.host}/{repository}:1")
            self.assert_tag(target, repository, "1", self.image.digest)
            self.assert_same(target, repository)

    def lying(self, *entries, only=False):
        """A source whose list about the index has these entries, too; returns its host."""
        proxy = self.serve(FaultProxy(self.registry.url))

        def change(_, answer):
            document = json.loads(answer.body)
            document["manifests"] = [*([] if only else document["manifests"]), *entries]
            answer.body = compact(document)
            answer.headers.pop("Docker-Content-Digest", None)
        proxy.fault("GET", "/manifests/" + self.image.digest.replace(":", "-") + "$", times=None, change=change)
        return proxy.host

    def test_what_lists_claim_and_is_not_so_is_left_out_and_told(self):
        target = self.make_registry("target")
        other = self.artifact(json.loads(self.get("manifests", self.image.digest))["manifests"][0], "of another", listed=False)
        absent = {"mediaType": MANIFEST, "digest": "sha256:" + "1" * 64, "size": 10}
        host = self.lying(other, absent, self.root(), *self.hanging(self.registry, "ns/image", self.image.digest).values())
        told = self.copy(f"{host}/ns/image:v1", f"{target.host}/ns/image").stderr
        self.assertIn("is about something else", told)
        self.assertIn("is not there", told)
        self.assert_same(target)

    def test_a_blob_with_a_lying_size_and_thousands_of_artifacts_are_refused_and_move_nothing(self):
        target = self.make_registry("target")
        layer = {**self.source.blob(b"longer than it says", "text/plain"), "size": 3}
        self.artifact(self.root(), "lies", layers=[layer])
        self.refused((run.TRUST, run.MALFORMED, run.PUBLISH), self.call("copy", "--tls-verify=false", self.reference + ":v1",
                                                                        f"{target.host}/ns/image"), layer["digest"][7:19])
        self.assertNotIn("v1", target.tags("ns/image"))
        entries = [{"mediaType": MANIFEST, "digest": digest_of(b"%d" % i), "size": 10} for i in range(1001)]
        host = self.lying(*entries, only=True)
        self.refused(run.MALFORMED, self.copy(f"{host}/ns/image:v1", f"{target.host}/ns/image", code=run.MALFORMED), "more than 1000")
        self.assertNotIn("v1", target.tags("ns/image"))

class Carried(CopyCase):
    """Over an air gap."""

    def setUp(self):
        super().setUp()
        self.target = self.make_registry("target")
        self.artifact(self.artifact(self.root(), "about the index"), "about the note")
        os.makedirs(self.path("vendor/sha256"))
        self.write("vendor/sha256/" + "a" * 64, "a package")
        self.write("imgfactory.lock", "a lock")
        self.public = self.ours.replace(".key", ".pub")
        self.folder = self.path("folder")

    def carry(self, *words, folder=None, code=run.OK):
        result = self.call("copy", "--tls-verify=false", "--to-dir", folder or self.folder, "--key", self.public, "--vendor",
                           self.path("vendor"), "--lock-file", self.path("imgfactory.lock"), *(words or (self.reference + ":v1",)))
        self.assertEqual(result.code, code, result)
        return result

    def unload(self, code=run.OK, where="site"):
        result = self.call("copy", "--tls-verify=false", "--from-dir", self.folder, f"{self.target.host}/{where}")
        self.assertEqual(result.code, code, result)
        return result

    def contents(self, folder):
        found = {}
        for place, _, names in os.walk(folder):
            for name in names:
                if not name.endswith(".lock") or name == "imgfactory.lock":
                    with open(os.path.join(place, name), "rb") as stream:
                        found[os.path.relpath(os.path.join(place, name), folder)] = stream.read()
        return found

    def test_a_folder_takes_images_with_all_that_hangs_on_them_and_what_helps_to_the_other_side(self):
        self.carry()
        for path in ("keys/ours.pub", "locks/imgfactory.lock", "vendor/sha256/" + "a" * 64, "carried.json"):
            self.assertTrue(os.path.isfile(os.path.join(self.folder, path)), path)
        self.carry(folder=self.path("second"))
        self.assertEqual(self.contents(self.folder), self.contents(self.path("second")))
        self.carry()
        self.assertEqual(self.contents(self.folder), self.contents(self.path("second")))
        self.registry.stop()
        told = self.unload()
        self.assertIn("keys/ours.pub", told.stdout)
        self.registry.start()
        self.assert_tag(self.target, "site/image", "v1", self.image.digest)
        self.assert_same(self.target, "site/image")
        self.unload()
        there = f"{self.target.host}/site/image:v1"
        self.assertEqual(self.call("verify", "--tls-verify=false", "--key", os.path.join(self.folder, "keys/ours.pub"), "--signed-as",
                                   self.reference, there).code, run.OK)
        for name in (self.reference + ":v2", self.reference + "s"):
            self.assertEqual(self.call("verify", "--tls-verify=false", "--key", self.public, "--signed-as", name, there).code, run.TRUST)
        alone = f"{self.target.host}/site/image@{self.image.digest}"
        for name, code in ((self.reference, run.OK), (self.reference + ":v1", run.OK), (self.reference + ":v2", run.TRUST),
                           (f"{self.reference}@{self.image.digest}", run.USAGE), (f"{self.reference}:v1@{self.image.digest}", run.USAGE)):
            told = self.call("verify", "--tls-verify=false", "--key", self.public, "--signed-as", name, alone)
            self.assertEqual(told.code, code, told)
        one = self.call("copy", "--tls-verify=false", f"{self.folder}:{self.reference}:v1", f"{self.target.host}/by/itself:2")
        self.assertEqual(one.code, run.OK, one)
        self.assert_same(self.target, "by/itself")
        discovered = self.tool("skopeo", "inspect", "--raw", f"oci:{self.folder}:{self.reference}:v1").stdout
        self.assertEqual(digest_of(discovered), self.image.digest)

    def test_what_would_verify_nothing_or_lose_a_key_is_refused(self):
        self.carry()
        for option in ("--key", "--policy", "--signed-as"):
            self.refused(run.USAGE, self.call("copy", "--tls-verify=false", "--from-dir", self.folder, option, self.public,
                                              f"{self.target.host}/site"), "a folder is none")
        self.assertEqual(self.target.tags("site/image"), {})
        self.refused(run.USAGE, self.call("copy", "--tls-verify=false", "--signed-as", self.reference, self.image.folder, f"{self.target.host}/a:1"),
                     "verify images of registries")
        self.refused(run.USAGE, self.call("verify", "--signed-as", self.reference, self.image.folder), "--signed-as is for --key")
        os.makedirs(self.path("other"))
        shutil.copy(self.new_key("second").replace(".key", ".pub"), self.path("other/ours.pub"))
        self.refused(run.USAGE, self.carry("--key", self.path("other/ours.pub"), self.reference + ":v1", code=run.USAGE), "have one name")

    def test_a_link_in_the_folder_leads_no_file_out_of_it(self):
        for name in ("keys", "locks", "vendor"):
            with self.subTest(name):
                shutil.rmtree(self.folder, ignore_errors=True)
                os.makedirs(self.folder)
                os.makedirs(self.path("elsewhere"), exist_ok=True)
                os.symlink(self.path("elsewhere"), os.path.join(self.folder, name))
                self.assertIn("links are not followed", self.carry(code=run.LOCAL).stderr)
                self.assertEqual(os.listdir(self.path("elsewhere")), [])

    def test_an_image_that_is_not_signed_is_not_carried(self):
        self.pushed(self.make_layout("plain", seed=5), self.reference + ":plain")
        self.assertIn("is not signed", self.carry(self.reference + ":plain", code=run.TRUST).stderr)
        self.assertFalse(os.path.exists(os.path.join(self.folder, "carried.json")))
        self.refused(run.USAGE, self.unload(run.USAGE), "has no carried.json")

    def test_what_was_altered_damaged_or_planted_is_refused_and_nothing_is_pushed(self):
        self.carry()
        shutil.copytree(self.folder, self.path("good"))
        layer = json.loads(self.get("manifests", self.image.children[0]))["layers"][0]["digest"].split(":")[1]
        foreign = self.make_layout("foreign", seed=9)

        def entry(index):
            index["manifests"].append({**descriptor(foreign.index, INDEX), "annotations": {"org.opencontainers.image.ref.name": "x/y:1"}})

        def artifact(index):
            empty = descriptor(b"{}", EMPTY)
            data = compact({"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": NOTE, "config": empty, "layers": [empty],
                            "subject": self.root()})
            with open(os.path.join(self.folder, "blobs/sha256", digest_of(data)[7:]), "wb") as stream:
                stream.write(data)
            index["manifests"].append({**descriptor(data, MANIFEST), "artifactType": NOTE})

        def edit(change):
            path = os.path.join(self.folder, "index.json")
            with open(path, "rb") as stream:
                index = json.load(stream)
            change(index)
            with open(path, "wb") as stream:
                stream.write(compact(index))

        def overwrite(path, words=b"other bytes"):
            with open(os.path.join(self.folder, path), "r+b") as stream:
                stream.write(words)

        def plant(path):
            os.makedirs(os.path.dirname(os.path.join(self.folder, path)), exist_ok=True)
            with open(os.path.join(self.folder, path), "wb") as stream:
                stream.write(b"planted")

        def link(path):
            os.unlink(os.path.join(self.folder, path))
            os.symlink(self.public, os.path.join(self.folder, path))

        def link_folder(path):
            os.rename(os.path.join(self.folder, path), self.path("moved"))
            os.symlink(self.path("moved"), os.path.join(self.folder, path))

        def pipe(path):
            os.unlink(os.path.join(self.folder, path))
            os.mkfifo(os.path.join(self.folder, path))

        def link_layer():
            os.unlink(os.path.join(self.folder, "blobs/sha256", layer))
            os.symlink(os.path.join(self.path("good"), "blobs/sha256", layer), os.path.join(self.folder, "blobs/sha256", layer))
        cases = {"linked layer": link_layer, "folder": lambda: link_folder("keys"), "pipe": lambda: pipe("locks/imgfactory.lock"), "pipe of a layer": lambda: pipe("blobs/sha256/" + layer),
                 # so big that nobody can hash it
                 "huge": lambda: os.truncate(os.path.join(self.folder, "keys/ours.pub"), 1 << 43), "layer": lambda: overwrite("blobs/sha256/" + layer), "artifact": lambda: edit(artifact),
                 "went": lambda: edit(lambda index: index["manifests"].pop()), "key": lambda: overwrite("keys/ours.pub"),
                 "package": lambda: plant("vendor/sha256/" + "b" * 64), "lock": lambda: os.unlink(os.path.join(self.folder, "locks/imgfactory.lock")),
                 "top": lambda: plant("run.sh"), "link": lambda: link("keys/ours.pub"),
                 "missing": lambda: os.unlink(os.path.join(self.folder, "blobs/sha256", layer))}
        for number, (name, harm) in enumerate(cases.items()):
            with self.subTest(name):
                shutil.rmtree(self.folder)
                shutil.copytree(self.path("good"), self.folder)
                harm()
                self.unload(run.TRUST, f"site{number}")
                self.assertEqual(self.target.tags(f"site{number}/image"), {})
        shutil.rmtree(self.folder)
        shutil.copytree(self.path("good"), self.folder)
        with open(os.path.join(self.folder, "carried.json"), "r+b") as stream:
            listed = json.load(stream)
            stream.seek(0)
            stream.truncate()
            stream.write(compact({**listed, "images": []}))
        self.refused(run.MALFORMED, self.unload(run.MALFORMED), "is no list of what was carried")
        shutil.rmtree(self.folder)
        shutil.copytree(self.path("good"), self.folder)
        edit(entry)
        self.unload()  # what is not listed is not taken
        self.assertEqual(self.target.tags("site/y"), {})

    def test_killed_at_requests_the_folder_is_refused_or_whole_and_another_run_completes_it(self):
        proxy = self.serve(FaultProxy(self.registry.url))
        self.reference = f"{proxy.host}/ns/image"
        self.pushed(self.image, self.reference + ":v1", "--sign", self.ours)
        proxy.forget()
        self.carry(folder=self.path("whole"))
        count = len(proxy.requests)
        for nth in range(1, count + 1, 1 if os.environ.get("IMGFACTORY_COPY_KILLS") == "all" else max(1, count // 3)):
            shutil.rmtree(self.factory.cache, ignore_errors=True)
            shutil.rmtree(self.folder, ignore_errors=True)
            fault = proxy.fault("*", "/v2/", nth=nth, hold="before")
            child = self.start("copy", "--tls-verify=false", "--to-dir", self.folder, "--key", self.public, self.reference + ":v1")
            while not fault.reached.wait(0.05) and child.poll() is None:
                pass
            child.kill()
            child.communicate()
            proxy.heal()
            # Requests that go side by side may be fewer in another run: then it ended before the last of them.
            self.assertEqual(os.path.exists(os.path.join(self.folder, "carried.json")), not fault.reached.is_set())
            self.carry()
            self.assertEqual(self.contents(self.folder), self.contents(self.path("whole")))


if __name__ == "__main__":
    unittest.main()
