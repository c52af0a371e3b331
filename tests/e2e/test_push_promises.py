# SPDX-License-Identifier: Apache-2.0
"""What a tag promises: all of the image is there, no platform got lost, quay will not end it; and what the promises
cost in requests."""

import collections
import hashlib
import json
import os
import platform
import re
import shutil
import time
import unittest

from base import FaultProxy, PushCase, Report, deb, elf, image, layout, run, world

HOST_ARCH = "x86_64" if platform.machine() == "x86_64" else "aarch64"
OTHER_ARCH = "aarch64" if HOST_ARCH == "x86_64" else "x86_64"
WEEK = 7 * 24 * 3600
MONTH = 30 * 24 * 3600


class Case(PushCase):
    def blob_path(self, target, digest):
        return os.path.join(target.root, "docker/registry/v2/blobs/sha256", digest[7:9], digest[7:], "data")

    def restart(self, target):
        """It forgets what it had in memory."""
        target.stop()
        target.start()

    def lose(self, target, *digests):
        for digest in digests:
            os.remove(self.blob_path(target, digest))
        self.restart(target)

    def lose_manifest(self, target, repository, digest):
        shutil.rmtree(os.path.join(target.root, "docker/registry/v2/repositories", repository, "_manifests/revisions",
                                   *digest.split(":")))
        self.restart(target)

    @staticmethod
    def layers(made):
        return sorted(made.blobs, key=made.blobs.get)[-2:]

    def receipts(self):
        folder = os.path.join(self.factory.state, "v1/pushed")
        return [os.path.join(folder, name) for name in sorted(os.listdir(folder))] if os.path.isdir(folder) else []

    def age_receipts(self, seconds):
        for path in self.receipts():
            with open(path, encoding="utf-8") as stream:
                text = stream.read()
            with open(path, "w", encoding="utf-8") as stream:
                stream.write(re.sub(r"time \d+", f"time {int(time.time()) - seconds}", text))

    def tag(self, reference, name, *options, **settings):
        return self.call("tag", "--tls-verify=false", *options, reference, name, **settings)

    def pulls(self, reference):
        """skopeo gets every blob of every platform."""
        into = self.path(f"pulled-{len(os.listdir(self.top))}")
        self.tool("skopeo", "copy", "-q", "--all", "--src-tls-verify=false", f"docker://{reference}", f"oci:{into}:v1")


class LostBlobs(Case):
    def setUp(self):
        super().setUp()
        self.target, self.proxy = self.make_proxied()
        self.made = self.make_layout(layers=2)
        self.reference = f"{self.proxy.host}/ns/image"
        self.pushed(self.made, self.reference + ":v1")

    def lose_one(self, digest):
        self.lose(self.target, digest)
        self.proxy.upstream = self.target.url
        self.proxy.forget()

    def test_a_second_tag_is_set_only_when_every_blob_is_there(self):
        for digest in [d for d in self.made.blobs if d not in (*self.made.children, self.made.digest)]:
            with self.subTest(digest):
                self.lose_one(digest)
                result = self.pushed(self.made, self.reference, "--tag", "v1", "--tag", "t" + digest[7:12])
                self.assertEqual(result.push.status, "pushed")
                self.target.check("ns/image", self.made.digest)
                self.pulls(f"{self.target.host}/ns/image:t{digest[7:12]}")

    def test_only_what_is_lost_is_sent(self):
        lost = self.layers(self.made)[0]
        self.lose_one(lost)
        result = self.pushed(self.made, self.reference, "--tag", "v1", "--tag", "v2")
        self.assertEqual(result.push.sent, self.made.blobs[lost])
        self.assertEqual(len(self.proxy.asked("PUT", "/blobs/")), 1)
        self.assertIn("had lost 1", result.stderr)

    def test_an_unchanged_push_finds_it_when_told_to_look(self):
        self.lose_one(self.layers(self.made)[0])
        result = self.pushed(self.made, self.reference + ":v1")
        self.assertEqual((result.push.status, len(self.proxy.requests)), ("unchanged", 1))
        result = self.pushed(self.made, self.reference + ":v1", "--verify-remote")
        self.assertEqual(result.push.status, "pushed")
        self.pulls(f"{self.target.host}/ns/image:v1")

    def test_and_when_the_last_look_is_a_week_old(self):
        for seconds, status in ((WEEK - 3600, "unchanged"), (WEEK + 10, "pushed"), (-3600, "pushed")):
            self.lose_one(self.layers(self.made)[0])
            self.age_receipts(seconds)
            result = self.pushed(self.made, self.reference + ":v1")
            self.assertEqual(result.push.status, status, f"{seconds}\n{result}")
            self.pushed(self.made, self.reference + ":v1", "--verify-remote")

    def test_damaged_receipts_mean_a_look_and_no_error(self):
        def cut(path):
            with open(path, "r+b") as stream:
                stream.truncate(20)

        def garble(path):
            with open(path, "wb") as stream:
                stream.write(os.urandom(300))

        def of_another(path):
            with open(path, encoding="utf-8") as stream:
                text = stream.read()
            with open(path, "w", encoding="utf-8") as stream:
                stream.write(re.sub(r"digest \w+", "digest " + "0" * 64, text))

        def folder(path):
            os.remove(path)
            os.mkdir(path)
            os.mkdir(path + "/in it")

        def empty(path):
            with open(path, "wb"):
                pass

        def far(path):
            with open(path, encoding="utf-8") as stream:
                text = stream.read()
            with open(path, "w", encoding="utf-8") as stream:
                stream.write(re.sub(r"time \d+", "time 99999999999999999999", text))
        def backdate(path):
            os.utime(path, (time.time() - WEEK - 10,) * 2)
        for damage in (cut, garble, of_another, empty, far, backdate, os.remove, folder):
            with self.subTest(damage.__name__):
                for path in self.receipts():
                    damage(path)
                self.proxy.forget()
                result = self.pushed(self.made, self.reference + ":v1")
                self.assertEqual(result.push.status, "unchanged")
                self.assertEqual(len(self.proxy.asked("HEAD", "/blobs/")), len(self.made.blobs) - 3)

    def test_a_state_directory_that_cannot_be_written_is_no_error(self):
        folders = run.Factory(self.path("other"))
        self.write("other/state", "a file")
        for _ in range(2):
            self.proxy.forget()
            self.assertEqual(self.pushed(self.made, self.reference + ":v1", folders=folders).push.status, "unchanged")
            self.assertEqual(len(self.proxy.asked("HEAD", "/blobs/")), len(self.made.blobs) - 3)

    def test_receipts_stay_few(self):
        folder = os.path.join(self.factory.state, "v1/pushed")
        for number in range(200):
            path = os.path.join(folder, hashlib.sha256(b"%d" % number).hexdigest())
            with open(path, "w", encoding="utf-8") as stream:
                stream.write("version 1\n")
            os.utime(path, (time.time() - MONTH - 100,) * 2)
        self.pushed(self.made, self.reference + ":v1", "--verify-remote")
        self.assertEqual(len(self.receipts()), 1)
        self.assertLess(os.path.getsize(self.receipts()[0]), 1000)

    def test_a_receipt_is_for_one_repository_and_registry(self):
        other = self.make_registry("other-registry")
        self.pushed(self.made, f"{other.host}/ns/image:v1")
        self.pushed(self.made, f"{self.proxy.host}/ns/second:v1")
        self.assertEqual(len(self.receipts()), 3)

    def test_a_lost_child_manifest_is_put_again(self):
        for number, child in enumerate(self.made.children):
            self.lose_manifest(self.target, "ns/image", child)
            self.proxy.upstream = self.target.url
            result = self.pushed(self.made, self.reference, "--tag", "v1", "--tag", f"new{number}")
            self.assertIn("had lost 1", result.stderr)
            self.assert_tag(self.target, "ns/image", f"new{number}", self.made.digest)

    def test_a_blob_of_another_size_is_not_taken_for_whole(self):
        """docker-registry keeps what it has under a digest: then no tag may move, and it is said."""
        path = self.blob_path(self.target, self.layers(self.made)[0])
        with open(path, "r+b") as stream:
            stream.truncate(100)
        self.restart(self.target)
        self.proxy.upstream = self.target.url
        result = self.push(self.made, self.reference, "--tag", "v1", "--tag", "v2")
        self.refused(run.PUBLISH, result, self.layers(self.made)[0])
        self.assertNotIn("v2", self.target.tags("ns/image"))

    def test_the_tag_command_refuses_what_is_not_whole(self):
        reference = f"{self.reference}@{self.made.digest}"
        kinds = {"layer": self.layers(self.made)[0], "config": min(
            (d for d in self.made.blobs if d not in self.made.children), key=self.made.blobs.get)}
        self.assertEqual(self.tag(reference, "whole").code, run.OK)
        for name, digest in kinds.items():
            with self.subTest(name):
                self.lose_one(digest)
                result = self.tag(reference, "new-" + name)
                self.refused(run.PUBLISH, result, digest, "push")
                self.assertNotIn("new-" + name, self.target.tags("ns/image"))
                self.assertEqual(self.proxy.asked("PUT"), [])
                self.pushed(self.made, self.reference + ":v1", "--verify-remote")
                self.assertEqual(self.tag(reference, "new-" + name).code, run.OK)
        self.lose_manifest(self.target, "ns/image", self.made.children[1])
        self.proxy.upstream = self.target.url
        self.refused(run.PUBLISH, self.tag(reference, "child"), self.made.children[1])
        self.assertNotIn("child", self.target.tags("ns/image"))

    def test_the_tag_command_on_a_tag_that_is_there_looks_when_told_to(self):
        reference = f"{self.reference}@{self.made.digest}"
        self.lose_one(self.layers(self.made)[0])
        self.assertEqual(self.tag(reference, "v1").code, run.OK)
        self.refused(run.PUBLISH, self.tag(reference, "v1", "--verify-remote"), self.layers(self.made)[0])

    def test_the_tag_command_follows_other_shapes_than_images(self):
        """An index in an index, with a child that is none: what they need must be there, no more is asked."""
        repository = f"{self.target.url}/v2/ns/image"
        inner = layout.compact({"schemaVersion": 2, "mediaType": image.INDEX, "manifests": [
            {"mediaType": image.INDEX, "digest": self.made.digest, "size": self.made.blobs[self.made.digest]}]})
        digest = "sha256:" + hashlib.sha256(inner).hexdigest()
        self.tool("curl", "-sSf", "-X", "PUT", "-H", f"Content-Type: {image.INDEX}", "--data-binary", "@-",
                  f"{repository}/manifests/{digest}", data=inner)
        self.assertEqual(self.tag(f"{self.reference}@{digest}", "nested").code, run.OK)
        self.lose_one(self.layers(self.made)[0])
        self.refused(run.PUBLISH, self.tag(f"{self.reference}@{digest}", "nested2"), self.layers(self.made)[0])


class RefusedHeads(Case):
    STATUSES = (400, 401, 403, 404, 405, 406, 410, 418, 500, 501, 503)

    def test_a_head_of_a_manifest_that_is_refused_is_asked_again(self):
        target, made = self.make_registry(), self.make_layout()
        for status in self.STATUSES:
            with self.subTest(status):
                proxy = self.serve(FaultProxy(target.url))
                proxy.fault("HEAD", "manifests/", times=None, status=status)
                result = self.pushed(made, f"{proxy.host}/head{status}:latest", retries=1)
                self.assertEqual(result.push.tags, {"latest": (None, made.digest)})
                result = self.tag(f"{proxy.host}/head{status}@{made.digest}", "other", retries=1)
                self.assertEqual(result.code, run.OK, result)
                self.assertEqual(set(target.tags(f"head{status}").values()), {made.digest})
                for name in ("inspect", "pull"):
                    result = self.call(name, "--tls-verify=false", f"{proxy.host}/head{status}:latest", retries=1)
                    self.assertEqual(result.code, run.OK, result)

    def test_a_head_that_breaks_is_asked_again(self):
        target, made = self.make_registry(), self.make_layout()
        for number, fault in enumerate(({"reset": True}, {"lost": True}, {"digest": "wrong"}, {"digest": "missing"})):
            proxy = self.serve(FaultProxy(target.url))
            proxy.fault("HEAD", "manifests/", times=None, **fault)
            self.pushed(made, f"{proxy.host}/break{number}:latest", retries=1)

    def test_a_tag_that_is_not_there_is_still_told(self):
        target, made = self.make_registry(), self.make_layout()
        proxy = self.serve(FaultProxy(target.url))
        proxy.fault("HEAD", "manifests/", times=None, status=405)
        proxy.fault("GET", "manifests/latest", nth=2, times=None, status=404)
        result = self.push(made, f"{proxy.host}/ns/image:latest", retries=1)
        self.refused(run.TRUST, result, "not there")

    def test_a_registry_that_refuses_heads_of_blobs_is_asked_for_a_byte(self):
        target, made = self.make_registry(), self.make_layout(size=3 << 20)
        self.pushed(made, f"{target.host}/ns/image:v1")
        lost = self.layers(made)[0]
        for status in (400, 401, 403, 404, 405, 500, 501):
            with self.subTest(status):
                proxy = self.serve(FaultProxy(target.url))
                proxy.fault("HEAD", "blobs/", times=None, status=status)
                result = self.pushed(made, f"{proxy.host}/ns/image", "--tag", "v1", "--tag", f"t{status}", retries=1)
                self.assertFalse(result.push.sent, result)
                self.assertEqual(self.tag(f"{proxy.host}/ns/image@{made.digest}", f"u{status}", retries=1).code, run.OK)
                self.assertEqual(proxy.asked("POST PUT", "/blobs/"), [])
                self.lose(target, lost)
                proxy.upstream = target.url
                self.refused(run.PUBLISH, self.tag(f"{proxy.host}/ns/image@{made.digest}", "gone", retries=1), lost)
                result = self.pushed(made, f"{proxy.host}/ns/image", "--tag", "v1", "--tag", f"w{status}", retries=1)
                self.assertEqual(result.push.sent, made.blobs[lost])
                target.check("ns/image", made.digest)

    def test_also_one_that_knows_no_ranges(self):
        target, made = self.make_registry(), self.make_layout(size=3 << 20)
        self.pushed(made, f"{target.host}/ns/image:v1")
        proxy = self.serve(FaultProxy(target.url))
        proxy.fault("HEAD", "blobs/", times=None, status=405)
        honest = proxy.answer

        def whole(request):
            if request.verb == "GET" and "Range" in request.headers:
                del request.headers["Range"]
            return honest(request)
        proxy.answer = whole
        result = self.pushed(made, f"{proxy.host}/ns/image", "--tag", "v1", "--tag", "v2", retries=1)
        self.assertFalse(result.push.sent, result)

    def test_a_wait_that_the_answer_to_a_mount_asks_for_is_kept(self):
        target, made = self.make_registry(), self.make_layout()
        proxy = self.serve(FaultProxy(target.url))
        proxy.fault("POST", "mount=", status=429, headers={"Retry-After": "2"})
        begun = time.monotonic()
        self.pushed(made, f"{proxy.host}/ns/image:1")
        self.assertGreater(time.monotonic() - begun, 2)


class SomebodyElse(Case):
    """Another one pushes to the same tag at the same time."""

    def test_a_tag_that_was_moved_while_an_image_was_pushed_stays(self):
        target, proxy = self.make_proxied()
        old, mine, theirs = (self.make_layout(name, seed=seed) for seed, name in enumerate(("old", "mine", "theirs")))
        reference = f"{proxy.host}/ns/image:latest"
        self.pushed(old, reference)
        proxy.fault("PUT", "/manifests/sha256", change=lambda *_: self.pushed(theirs, f"{target.host}/ns/image:latest"))
        result = self.refused(run.PUBLISH, self.push(mine, reference), "somebody else moved the tag", theirs.digest, "run again")
        self.assertEqual(result.push.tags, {"latest": (old.digest, old.digest)}, result)
        self.assert_tag(target, "ns/image", "latest", theirs.digest)
        self.pushed(mine, reference)
        self.assert_tag(target, "ns/image", "latest", mine.digest)

    def test_and_when_the_other_one_pushed_the_same_all_is_well(self):
        target, proxy = self.make_proxied()
        old, mine = (self.make_layout(name, seed=seed) for seed, name in enumerate(("old", "mine")))
        reference = f"{proxy.host}/ns/image:latest"
        self.pushed(old, reference)
        proxy.fault("PUT", "/manifests/sha256", change=lambda *_: self.pushed(mine, f"{target.host}/ns/image:latest"))
        self.pushed(mine, reference)
        self.assert_tag(target, "ns/image", "latest", mine.digest)


class Requests(Case):
    """What a push costs: with tags that are new, with nothing to do, with a tag that moves. Printed, and compared with
    what the promise needs."""

    def count(self, what, made, reference, *options):
        self.proxy.forget()
        self.pushed(made, reference, *options)
        asked = collections.Counter(f"{r.verb} {re.sub(r'(sha256:|uploads/).*', '', r.path.split('/', 4)[-1])}"
                                    for r in self.proxy.requests)
        print(f"\n  {what}: {len(self.proxy.requests)} requests: "
              + ", ".join(f"{count} x {name}" for name, count in sorted(asked.items())))
        return asked

    def test_the_number_of_requests(self):
        _, self.proxy = self.make_proxied()
        one, two = self.make_layout("one", seed=1, layers=2), self.make_layout("two", seed=2, layers=2)
        reference, manifests, blobs = f"{self.proxy.host}/ns/image", 3, 6
        first = self.count("first push", one, reference + ":latest")
        # tag; per blob POST and PUT; manifests put and read back; the tag put and read back
        self.assertLessEqual(sum(first.values()), 1 + 2 * blobs + 2 * manifests + 2)
        self.assertLessEqual(sum(self.count("unchanged", one, reference + ":latest").values()), 1)
        moved = self.count("another image", two, reference + ":latest")
        # a tag that was there is looked at once more before it moves
        self.assertLessEqual(sum(moved.values()), 1 + 3 * blobs + 2 * manifests + 3)
        added = self.count("a second tag", two, reference, "--tag", "latest", "--tag", "v2")
        self.assertLessEqual(sum(added.values()), 2 + blobs + manifests + 2)  # one for each blob and manifest
        looked = self.count("unchanged, looked at", two, reference + ":latest", "--verify-remote")
        self.assertLessEqual(sum(looked.values()), 1 + blobs + manifests)
        self.proxy.forget()
        self.assertEqual(self.tag(f"{reference}@{one.digest}", "latest").code, run.OK)
        print(f"  tag: {len(self.proxy.requests)} requests")
        self.assertLessEqual(len(self.proxy.requests), 2 + (manifests - 1) + blobs + 3)


class Platforms(Case):
    def setUp(self):
        super().setUp()
        self.target, self.proxy = self.make_proxied()
        self.both = self.make_layout("both")
        self.one = self.make_layout("one", seed=2, architectures=("amd64",))
        self.reference = f"{self.proxy.host}/ns/image"

    def refuse_fewer(self, result, *parts):
        self.refused(run.USAGE, result, "linux/arm64", r"--arch (x86_64,aarch64|aarch64,x86_64)",
                     "--allow-fewer-platforms", *parts)
        return result

    def test_a_push_of_fewer_platforms_moves_no_tag(self):
        self.pushed(self.both, self.reference + ":latest")
        self.proxy.forget()
        result = self.refuse_fewer(self.push(self.one, self.reference, "--tag", "latest", "--tag", "v2"), "latest",
                                   "imgfactory push .*--allow-fewer-platforms .*one")
        self.assertEqual(result.push.status, "failed")
        self.assertEqual(self.target.tags("ns/image"), {"latest": self.both.digest})
        self.assertEqual(self.proxy.asked("POST PUT PATCH DELETE"), [])
        self.pushed(self.one, self.reference + ":latest", "--allow-fewer-platforms")
        self.assert_tag(self.target, "ns/image", "latest", self.one.digest)
        self.pushed(self.both, self.reference + ":latest")

    def test_another_platform_instead_is_fewer_too(self):
        self.pushed(self.one, self.reference + ":latest")
        other = self.make_layout("other", architectures=("arm64",))
        self.refused(run.USAGE, self.push(other, self.reference + ":latest"), "linux/amd64")

    def test_a_tag_of_its_own_is_free(self):
        self.pushed(self.both, self.reference + ":latest")
        self.pushed(self.one, self.reference + ":amd64-only")

    def test_the_tag_command_does_not_shrink_either(self):
        self.pushed(self.both, self.reference + ":latest")
        self.pushed(self.one, self.reference + ":v0")
        reference = f"{self.reference}@{self.one.digest}"
        self.refuse_fewer(self.tag(reference, "latest"), "imgfactory tag .*--allow-fewer-platforms ")
        self.assertEqual(self.target.tags("ns/image")["latest"], self.both.digest)
        self.assertEqual(self.tag(reference, "latest", "--allow-fewer-platforms").code, run.OK)
        self.assertEqual(self.tag(f"{self.reference}@{self.both.digest}", "latest").code, run.OK)

    def make_index(self, name, *platforms, entries=(), seed=9):
        """A layout whose index claims these platforms."""
        made = self.make_layout(name, architectures=("amd64",) * len(platforms) or ("amd64",), seed=seed)
        index = json.loads(made.index)
        for child, one in zip(index["manifests"], platforms):
            child["platform"] = one
        index["manifests"] += [{**index["manifests"][0], **entry} for entry in entries]
        made.index = layout.compact(index)
        root = made._add(made.index, image.INDEX)  # pylint: disable=protected-access
        made.digest = root["digest"]
        made._write("index.json", layout.compact({  # pylint: disable=protected-access
            "schemaVersion": 2, "mediaType": image.INDEX,
            "manifests": [{**root, "annotations": {image.REF_NAME: "latest"}}]}))
        return made

    def test_variants(self):
        def arm(variant, architecture="arm"):
            return {"os": "linux", "architecture": architecture, **({"variant": variant} if variant else {})}
        amd64 = {"os": "linux", "architecture": "amd64"}
        cases = [  # before, after, whether that is fine
            ([arm("v7")], [arm("v6")], True), ([arm("v6")], [arm("v7")], False), ([arm("v7")], [arm("v7")], True),
            ([arm(None)], [arm("v7")], True), ([arm("v6"), arm("v7")], [arm("v6")], True),
            ([arm("v6"), arm("v7")], [arm("v7")], False),
            ([arm("v8", "arm64")], [arm(None, "arm64")], True), ([arm(None, "arm64")], [arm("v8", "arm64")], True),
            ([arm("v8", "arm64")], [arm("v9", "arm64")], False), ([amd64, arm("v3", "amd64")], [amd64], True),
            ([amd64], [arm("v3", "amd64")], False), ([amd64, {"os": "windows", "architecture": "amd64"}], [amd64], False)]
        for number, (before, after, is_fine) in enumerate(cases):
            with self.subTest(f"{before} to {after}"):
                reference = f"{self.reference}{number}:latest"
                self.pushed(self.make_index(f"before{number}", *before), reference)
                result = self.push(self.make_index(f"after{number}", *after, seed=10), reference)
                self.assertEqual(result.code, run.OK if is_fine else run.USAGE, result)

    def test_attestations_and_unknown_entries_do_not_count(self):
        amd64 = {"os": "linux", "architecture": "amd64"}
        unknown = {"platform": {"os": "unknown", "architecture": "unknown"}, "annotations": {
            "vnd.docker.reference.type": "attestation-manifest"}}
        self.pushed(self.make_index("before", amd64, entries=[unknown]), self.reference + ":latest")
        self.pushed(self.one, self.reference + ":latest")

    def test_a_foreign_image_at_the_tag(self):
        """skopeo makes a single manifest of it, whose platform only the config tells; an artifact has none."""
        self.tool("skopeo", "copy", "-q", "--override-arch", "arm64", "--override-variant", "v8",
                  "--dest-tls-verify=false", f"oci:{self.both.folder}", f"docker://{self.reference}:latest")
        self.refused(run.USAGE, self.push(self.one, self.reference + ":latest"), "linux/arm64")
        self.pushed(self.both, self.reference + ":latest")
        artifact = layout.compact({"schemaVersion": 2, "mediaType": image.MANIFEST, "config": {
            "mediaType": "application/vnd.example+json", "digest": self.layers(self.both)[0],
            "size": self.both.blobs[self.layers(self.both)[0]]}, "layers": []})
        self.tool("curl", "-sSf", "-X", "PUT", "-H", f"Content-Type: {image.MANIFEST}", "--data-binary", "@-",
                  f"{self.target.url}/v2/ns/image/manifests/chart", data=artifact)
        self.pushed(self.one, self.reference + ":chart")

    def test_an_unchanged_night_asks_for_nothing_more(self):
        self.pushed(self.both, self.reference + ":latest")
        self.proxy.forget()
        self.pushed(self.both, self.reference + ":latest")
        self.assertEqual(len(self.proxy.requests), 1)


class BuiltPlatforms(Case):
    def setUp(self):
        super().setUp()
        self.target = self.make_registry()
        hello = [deb.Package("hello", arch=name, version="1:2.10-3", files=[
            deb.program("/usr/bin/hello", elf.hello(name, layout.HELLO))]) for name in ("amd64", "arm64")]
        self.hello = hello
        self.ready(manifest=world.MANIFEST, packages=world.packages() + hello)
        self.write_hello()

    def write_hello(self, more=""):
        self.write_manifest("hello", 'name: hello\nbinaries: [/usr/bin/hello]\n' + more)

    def factory_run(self, *arguments):
        return self.run_factory("--json", *arguments, env=self.env, cwd=self.top)

    def digest(self):
        return image.Layout(os.path.join(self.factory.output, "hello")).digest()

    def good(self, *arguments):
        result = self.factory_run(*arguments)
        self.assertEqual(result.code, run.OK, result)
        return result

    def test_a_build_for_one_does_not_replace_one_for_all(self):
        self.good("--arch", "all", "hello")
        before = self.digest()
        result = self.refused(run.USAGE, self.factory_run("hello"), "latest", "--allow-fewer-platforms", "out/hello")
        commands = re.findall(r"imgfactory (--.*?)(?:\. To leave|$)", result.stderr, re.MULTILINE)
        self.assertEqual(self.digest(), before)
        self.assertEqual(self.files_below(self.path("out/hello")).count("index.json"), 1)
        self.assertEqual(len(commands), 2, result.stderr)
        self.assertIn("x86_64", commands[0])
        for command in commands:  # both are commands that work
            done = self.tool("sh", "-c", f"exec {run.program()} {command}")
            self.assertEqual(done.returncode, 0)
        self.assertNotEqual(self.digest(), before)
        self.good("--arch", "all", "hello")
        self.assertEqual(self.digest(), before)

    def test_nothing_is_pushed_then(self):
        push = (f"--push={self.target.host}/ns/hello", "--tls-verify=false")
        self.good("--arch", "all", *push, "hello")
        tags = self.target.tags("ns/hello")
        self.refused(run.USAGE, self.factory_run("--arch", HOST_ARCH, *push, "hello"), "--allow-fewer-platforms")
        self.assertEqual(self.target.tags("ns/hello"), tags)
        # From another machine, where there is no layout: the registry tells.
        self.factory.output = self.path("out2")
        result = self.refused(run.USAGE, self.factory_run("--arch", HOST_ARCH, *push, "hello"), "latest", "--arch",
                              "--allow-fewer-platforms")
        self.assertEqual(Report(result.stdout).push("hello").status, "failed")
        self.assertEqual(self.target.tags("ns/hello"), tags)
        self.good("--arch", HOST_ARCH, "--allow-fewer-platforms", *push, "hello")
        self.assertNotEqual(self.target.tags("ns/hello"), tags)

    def test_one_architecture_that_fails_shrinks_nothing(self):
        self.good("--arch", "all", "hello")
        before = self.digest()
        packages = world.packages() + self.hello[:1]
        self.server.stop()
        self.make_repository(packages=packages, name="repo2")
        self.use(self.write_source())
        result = self.factory_run("--arch", "all", "hello")
        self.assertEqual(result.code, run.RESOLVE, result)
        self.assertEqual(self.digest(), before)

    def test_a_dry_run_is_free(self):
        self.good("--arch", "all", "hello")
        self.good("--dry-run", "hello")

    def test_the_site_file_decides_what_is_built(self):
        self.good("--arch", "all", "hello")
        self.write("imgfactory.yaml", "arch: all\n")
        self.good("hello")
        self.write("imgfactory.yaml", f"arch: {HOST_ARCH}\n")
        self.refused(run.USAGE, self.factory_run("hello"), "--allow-fewer-platforms")

    def test_tags_of_one_platform_are_left_alone(self):
        self.write("imgfactory.yaml", f"registry: {self.target.host}\nnamespace: ns\ntls-verify: false\n"
                                      "tags: ['{version}-all', '{version}-{arch}']\n")
        self.good("--arch", "all", "hello")
        self.write_hello("config: {labels: {a: b}}\n")
        self.good("--arch", "all", "hello")
        self.assertEqual(len(self.target.tags("ns/hello")), 3)
        again = Report(self.good("--arch", "all", "hello").stdout).push("hello")
        self.assertEqual(again.status, "unchanged")

    def test_one_image_of_several(self):
        self.good("--arch", "all", "hello", "served")
        result = self.factory_run("--arch", HOST_ARCH, "--allow-fewer-platforms", "hello")
        self.assertEqual(result.code, run.OK, result)
        result = self.factory_run("--arch", HOST_ARCH, "hello", "served")
        self.assertEqual(result.code, run.PARTLY, result)

    def test_a_layout_that_is_damaged_is_written_anew(self):
        self.good("--arch", "all", "hello")
        root = self.digest()
        os.remove(os.path.join(self.factory.output, "hello/blobs/sha256", root.split(":")[1]))
        self.good("--arch", HOST_ARCH, "hello")


class QuayLabels(Case):
    """`latest` would expire, or never move again."""

    def make(self, name, values, place="label"):
        """A layout whose platforms have these labels (or annotations), one dict each."""
        made = self.make_layout(name)
        index = json.loads(made.index)
        for child, labels in zip(index["manifests"], values):
            with open(made.path(child["digest"]), encoding="utf-8") as stream:
                manifest = json.load(stream)
            if place == "label":
                with open(made.path(manifest["config"]["digest"]), encoding="utf-8") as stream:
                    config = json.load(stream)
                config["config"]["Labels"] = labels
                manifest["config"] = made._add(layout.compact(config), image.CONFIG)  # pylint: disable=protected-access
            else:
                manifest["annotations"] = labels
            child.update(made._add(layout.compact(manifest), image.MANIFEST))  # pylint: disable=protected-access
        made.index = layout.compact(index)
        root = made._add(made.index, image.INDEX)  # pylint: disable=protected-access
        made.digest = root["digest"]
        made._write("index.json", layout.compact({  # pylint: disable=protected-access
            "schemaVersion": 2, "mediaType": image.INDEX,
            "manifests": [{**root, "annotations": {image.REF_NAME: "latest"}}]}))
        return made

    def test_of_a_push_and_a_tag(self):
        target, proxy = self.make_proxied()
        two_weeks, forever = {"quay.expires-after": "2w"}, {"quay.immutable": "true"}
        cases = [  # labels of each platform, what is said (None: fine)
            ([two_weeks] * 2, "expire"), ([forever] * 2, "never move"), ([{"quay.immutable": " True "}] * 2, "never move"),
            ([two_weeks, {}], None), ([two_weeks, {"quay.expires-after": "1w"}], None), ([{"other": "2w"}] * 2, None),
            ([{"quay.immutable": "false"}] * 2, None), ([{"quay.expires-after": "never"}] * 2, None)]
        for number, (values, words) in enumerate(cases):
            for place in ("label", "annotation"):
                with self.subTest(f"{place} {values}"):
                    made = self.make(f"{place}{number}", values, place)
                    reference = f"{proxy.host}/{place}/image{number}"
                    self.pushed(made, reference, "--tag", "4.4.3-1")  # that is what the label is for
                    proxy.forget()
                    result = self.push(made, reference, "--tag", "4.4.3-1", "--tag", "latest")
                    tagged = self.tag(f"{reference}@{made.digest}", "stable")
                    if not words:
                        self.assertEqual((result.code, tagged.code), (run.OK, run.OK), f"{result}\n{tagged}")
                        continue
                    key = next(iter(values[0]))
                    self.refused(run.USAGE, result, "latest", words, key)
                    self.refused(run.USAGE, tagged, "stable", words, key)
                    self.assertEqual(proxy.asked("POST PUT PATCH"), [])
                    self.assertEqual(list(target.tags(f"{place}/image{number}")), ["4.4.3-1"])
                    self.assertEqual(self.tag(f"{reference}@{made.digest}", "4.4.3-2").code, run.OK)
                    self.pushed(made, reference, "--tag", "4.4-x86_64-arm64")
                    self.refused(run.USAGE, self.push(made, reference, "--tag", "stable-arm64v8"), "stable-arm64v8")

    def test_a_build_with_a_destination(self):
        target = self.make_registry()
        self.ready(manifest=world.MANIFEST)

        def build(tags, label="quay.expires-after: 2w"):
            text = re.sub("(?m)^tags:.*\n", "", world.MANIFEST).replace("config:\n", "config:\n  labels: {%s}\n" % label)
            self.write_manifest(text=text + f"tags: [{tags}]\n")
            return self.run_factory("--arch", "all", "--json", "--tls-verify=false",
                                    f"--push={target.host}/ns/served", "served", env=self.env, cwd=self.top)
        self.refused(run.USAGE, build("'{version}', latest"), "latest", "expire")
        self.refused(run.USAGE, build("'{version}', latest", "quay.immutable: 'true'"), "latest", "never move")
        self.refused(run.USAGE, build("'{version}', 'latest-{arch}'"), "latest-", "expire")
        self.assertEqual(target.tags("ns/served"), {})
        self.assertEqual(build("'{version}', '{version}-{arch}'").code, run.OK)
        self.assertEqual(build("latest", "a: b").code, run.OK)


if __name__ == "__main__":
    unittest.main()
