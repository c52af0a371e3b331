# SPDX-License-Identifier: Apache-2.0
"""A site that says how long its tags are kept: stamps, tags that never move, images at their end, and nights that prune."""

import json
import os
import re
import shutil
import time
import unittest

from base import PASSWORD, USER, deb, elf, layout, registry, run, world
from kit import published
from kit.faultproxy import FaultProxy
from kit.schema import REPORT as SCHEMA
from test_site import SiteCase

STAMP = r"\d{8}T\d{6}Z-[0-9a-f]{12}"


class KeepCase(SiteCase):
    def setUp(self):
        super().setUp()
        self.options = self.factory.options
        self.ready_with(1)
        self.target, self.proxy = self.make_proxied()
        self.head = f"registry: {self.proxy.host}\nnamespace: me\ntls-verify: false\nsource: source.yaml\narch: all\n"

    def ready_with(self, number):
        """Programs that are others with each number, of one version and date."""
        programs = [deb.Package(f"hello{one}", arch=name, version="1:2.10-3", files=[
            deb.program(f"/usr/bin/hello{one}", elf.hello(name, f"{layout.HELLO}{number}"))])
                    for name in ("amd64", "arm64") for one in (1, 2, 3)]
        self.ready(manifest=world.MANIFEST, packages=world.packages() + programs)
        self.factory.options = self.options

    def tags(self, name="one"):
        return self.target.tags(f"me/{name}")

    def stamps(self, name="one"):
        return {tag: digest for tag, digest in self.tags(name).items() if re.fullmatch(STAMP, tag)}


class Stamps(KeepCase):
    def test_each_digest_has_a_tag_that_no_other_gets(self):
        """Also two of one day; a night without a change makes none."""
        self.site("  - {image: one, tags: [latest, {tag: '{version}-{date}', keep: 30d}]}\n", self.head)
        seen = {}
        for number in (1, 2, 3):
            self.ready_with(number)
            self.night()
            digest = self.tags()["latest"]
            own = [tag for tag, at in self.tags().items() if at == digest and tag.endswith(digest[7:19])]
            self.assertEqual(len(own), 2, self.tags())
            self.assertRegex(" ".join(own), r"\b2\.10-\d{8}-[0-9a-f]{12}\b")
            seen[digest] = own
        for digest, own in seen.items():
            for tag in own:
                self.assertEqual(self.tags()[tag], digest)
        before = self.tags()
        self.proxy.forget()
        report = self.night()
        self.assertEqual(report.images()["one"]["push"]["status"], "unchanged")
        self.assertEqual(self.tags(), before)
        self.assertEqual(len(self.proxy.asked(pattern="/me/one/")), 2, self.proxy.requests)

    def test_a_digest_from_before_gets_its_stamp(self):
        self.site("  - one\n", self.head)
        self.night()
        self.assertEqual(self.stamps(), {})
        self.site("  - one\n", self.head + "keep: 30d\n")
        self.night()
        self.assertEqual(list(self.stamps().values()), [self.tags()["latest"]])
        shutil.rmtree(self.factory.state)
        self.night()
        self.assertEqual(len(self.stamps()), 1, "another one without need")

    def test_the_stamp_is_there_before_any_other_tag_moves(self):
        self.site("  - one\n", self.head + "keep: 30d\n")
        self.night()
        self.ready_with(2)
        self.proxy.forget()
        self.night()
        puts = [request.path.rsplit("/", 1)[1] for request in self.proxy.asked("PUT", "manifests/") if "sha256:" not in request.path]
        self.assertEqual(puts[-1], "latest")
        self.assertTrue(any(re.fullmatch(STAMP, tag) for tag in puts[:-1]), puts)

    def test_what_somebody_went_back_to_was_current_until_the_next_push(self):
        self.site("  - one\n", self.head + "keep: 30d\n")
        there = published.Repository(self.target.host, "me/one")
        first = there.night(1, 90)
        there.night(2, 80, ["latest"])
        back = self.call("tag", "--tls-verify=false", "--allow-fewer-platforms", f"{self.proxy.host}/me/one@{first.digest}", "latest")
        self.assertEqual(back.code, run.OK, back)
        self.night()
        stamps = sorted(self.stamps())
        self.assertEqual([self.stamps()[stamp] for stamp in stamps[-2:]], [first.digest, self.tags()["latest"]])
        result = self.call("prune", "--yes", "--tls-verify=false", "--keep=10d", self.proxy.host + "/me/one")
        self.assertTrue(there.has(first.digest), result)

    def test_what_the_first_night_with_a_keep_replaces_gets_its_stamp(self):
        """And one that imgfactory push had put there meanwhile; not what another program made."""
        self.site("  - {image: one, tags: [latest, '{version}']}\n", self.head)
        self.night()
        first = self.tags()["latest"]
        self.ready_with(2)
        self.site("  - {image: one, tags: [latest, '{version}']}\n", self.head + "keep: 30d\n")
        self.night()
        second = self.tags()["latest"]
        stamps = self.stamps()
        self.assertEqual([stamps[stamp] for stamp in sorted(stamps)], [first, second])
        there = published.Repository(self.target.host, "me/one")
        there.documents = {}
        alone = there.read(there.read(second)["manifests"][0]["digest"])
        for tag in ("latest", "2.10"):
            there.manifest(alone, published.MANIFEST, tag)
        self.ready_with(3)
        self.night("--allow-fewer-platforms")
        third = self.tags()["latest"]
        self.assertEqual([digest for _, digest in sorted(self.stamps().items())], [first, second, third])

    def test_the_newest_stamp_is_what_is_current_whatever_clocks_say(self):
        """Another machine's clock was three days ahead."""
        self.site("  - one\n", self.head + "keep: 30d\n")
        there = published.Repository(self.target.host, "me/one")
        there.night(1, -3, ["latest"])
        self.night()
        stamps = self.stamps()
        self.assertEqual(stamps[max(stamps)], self.tags()["latest"])
        self.assertLess(max(stamps), published.stamp(there.now + 4 * published.DAY, self.tags()["latest"]))

    def test_a_stamp_of_another_year_is_not_followed(self):
        """Else nothing would be pruned until then."""
        self.site("  - one\n", self.head + "keep: 30d\n")
        there = published.Repository(self.target.host, "me/one")
        there.night(1, -300, ["latest"])
        self.night()
        (stamp,) = (stamp for stamp, digest in self.stamps().items() if digest == self.tags()["latest"])
        self.assertLess(stamp, published.stamp(there.now + published.DAY, ""))

    def test_what_another_program_had_put_there_is_not_ours_to_stamp(self):
        self.site("  - one\n", self.head + "keep: 30d\n")
        there = published.Repository(self.target.host, "me/one")
        theirs = there.image("theirs")
        document = json.dumps(there.documents[theirs.digest], indent=2).encode()
        there.ask("PUT", "manifests/latest", document, **{"Content-Type": published.INDEX})
        self.night()
        self.assertEqual(list(self.stamps().values()), [self.tags()["latest"]])

    def test_a_tag_that_is_immutable_never_moves(self):
        self.site("  - {image: one, tags: [latest, {tag: '{version}', immutable: true}, {tag: stable, immutable: true}]}\n", self.head)
        self.night()
        first = self.tags()["latest"]
        self.ready_with(2)
        report = self.night()
        self.assertEqual((self.tags()["2.10"], self.tags()["stable"]), (first, first))
        self.assertNotEqual(self.tags()["latest"], first)
        kept = {tag["name"] for tag in report.images()["one"]["push"]["tags"] if tag.get("kept")}
        self.assertEqual(kept, {"2.10", "stable"})
        self.assertIn("kept at", self.night(json_too=False).stdout)


class Pruned(KeepCase):
    def publish_three(self):
        """Digests of nights 90, 80 and 70 days ago; the first two are superseded for longer than they are kept."""
        self.site("  - one\n", self.head + "keep: 30d\n")
        made, folder = [], os.path.join(self.target.root, "docker/registry/v2/repositories/me/one/_manifests/tags")
        for number in (1, 2, 3):
            self.ready_with(number)
            self.night()
            made.append(self.tags()["latest"])
        for (tag, digest), days in zip(sorted(self.stamps().items(), key=lambda stamp: made.index(stamp[1])), (90, 80, 70)):
            os.rename(f"{folder}/{tag}", f"{folder}/{published.stamp(time.time() - days * published.DAY, digest)}")
        return made

    def test_a_night_deletes_only_when_the_site_says_so(self):
        there = published.Repository(self.target.host, "me/one")
        old, new, newest = self.publish_three()
        self.night()
        self.assertTrue(there.has(old) and there.has(new))
        told = self.call("prune", "--json", "--manifests", self.path("manifests"))
        self.assertEqual(told.code, run.OK, told)
        self.assertEqual(SCHEMA.faults(json.loads(told.stdout), "prune"), [])
        self.assertTrue(there.has(old) and there.has(new), "a dry run deletes")
        self.assertIn("with --yes", self.call("prune", "--manifests", self.path("manifests")).stdout)
        self.assertIn(old, self.call("prune", "--manifests", self.path("manifests"), self.proxy.host + "/me/one").stdout)
        self.site("  - one\n", self.head + "keep: 30d\nprune: true\n")
        self.call("prune", "--dry-run", "--manifests", self.path("manifests"))
        self.assertTrue(there.has(old) and there.has(new), "a dry run deletes")
        result = self.night("--summary")
        self.assertEqual(SCHEMA.faults(result.json, "report"), [])
        self.assertEqual(result.json["pruned"], [{"repository": self.proxy.host + "/me/one", "status": "pruned", "images": 2, "deleted": 6}])
        self.assertIn("pruned", self.last.stderr)
        self.assertFalse(there.has(old) or there.has(new))
        self.assertTrue(there.has(newest))
        self.assertEqual(there.incomplete(), [])

    def test_what_the_registry_refuses_is_told_and_counts_when_all_else_is_good(self):
        there = published.Repository(self.target.host, "me/one")
        there.night(1, 90)
        there.night(2, 80)
        self.site("  - one\n", self.head + "keep: 30d\nprune: true\n")
        self.proxy.fault("DELETE", "", times=None, status=405)
        result = self.night("--summary", code=run.PUBLISH)
        self.assertEqual(result.push("one").status, "pushed")
        self.assertEqual(result.json["pruned"][0]["status"], "failed")
        self.assertRegex(self.last.stderr, r"error: pruning: .*does not delete")
        self.assertEqual(SCHEMA.faults(result.json, "report"), [])

    def test_an_image_at_its_end_is_built_no_more_and_keeps_its_last_digest(self):
        there = published.Repository(self.target.host, "me/one")
        gone, stays = there.night(1, 90), there.night(2, 80, ["latest"])
        last = there.night(3, 70)
        day = time.strftime("%Y-%m-%d", time.gmtime())
        self.site(f"  - two\n  - {{image: one, end-of-life: {day}}}\n", self.head + "keep: 30d\nprune: true\n")
        report = self.night("--summary")
        self.assertEqual(list(report.images()), ["two"])
        self.assertEqual(report.json["ended"], [{"image": "one", "end_of_life": day}])
        self.assertEqual(SCHEMA.faults(report.json, "report"), [])
        self.assertIn("ended   one", self.last.stderr)
        self.assertFalse(there.has(gone.digest))
        self.assertTrue(there.has(stays.digest) and there.has(last.digest))
        self.assertEqual(self.night("one", json_too=False).stdout.count("sha256"), 0)
        self.assertIn("not built any more", self.last.stderr)

    def test_an_end_is_told_30_days_before(self):
        soon, late = (time.strftime("%Y-%m-%d", time.gmtime(time.time() + days * 86400)) for days in (20, 40))
        self.site(f"  - {{image: one, end-of-life: {soon}}}\n  - {{image: two, end-of-life: {late}}}\n", self.head)
        report = self.night("--quiet", "--summary", "--metrics", self.path("m.prom"))
        self.assertEqual([report.images()[name]["end_of_life"] for name in ("one", "two")], [soon, late])
        self.assertIn(f"image one: its end of life is {soon}", self.last.stderr)
        self.assertNotIn("image two", self.last.stderr)
        self.assertIn(f"not built any more from {soon} on", self.last.stderr)
        with open(self.path("m.prom"), encoding="utf-8") as stream:
            self.assertRegex(stream.read(), r'end_of_life_timestamp_seconds\{image="one"\} [1-9]')

    def test_with_tokens_deleting_is_asked_for_alone(self):
        """And where the service does not know the word, writing."""
        authority = self.authority()
        proxy = self.serve(FaultProxy())
        tokens = self.serve(registry.TokenService(authority, {USER: PASSWORD}))
        target = self.make_registry("second", tokens=registry.Tokens(authority, proxy.url + "/token"))
        proxy.upstream, proxy.routes = target.url, [("/token", tokens.url)]
        authfile = self.write_authfile(hosts=[proxy.host])
        made = [self.make_layout(f"made{number}", seed=number) for number in (1, 2)]
        for number, one in enumerate(made):
            stamp = published.stamp(time.time() - (90 - 10 * number) * published.DAY, one.digest)
            self.pushed(one, f"{proxy.host}/me/one:{stamp}", "--authfile", authfile)
        tokens.forget()
        result = self.call("prune", "--yes", "--tls-verify=false", "--authfile", authfile, "--keep", "30d", proxy.host + "/me/one")
        self.assertEqual(result.code, run.OK, result)
        asked = [scope for request in tokens.requests for scope in tokens.scopes(request)]
        self.assertEqual(asked, ["repository:me/one:pull", "repository:me/one:pull,push,delete"])
        self.assertNotIn(made[0].digest, target.tags("me/one").values())
        tokens.forget()
        tokens.fault("GET", "delete", times=None, status=400)
        self.pushed(made[0], f"{proxy.host}/me/one:{published.stamp(time.time() - 90 * published.DAY, made[0].digest)}",
                    "--authfile", authfile)
        result = self.call("prune", "--yes", "--tls-verify=false", "--authfile", authfile, "--keep", "30d", proxy.host + "/me/one")
        asked = [scope for request in tokens.requests for scope in tokens.scopes(request)]
        self.assertEqual(asked[-1], "repository:me/one:pull,push")
        self.refused(run.PUBLISH, result, "permission to delete")  # of docker-registry; quay lets those who write


if __name__ == "__main__":
    unittest.main()
