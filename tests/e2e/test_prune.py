# SPDX-License-Identifier: Apache-2.0
"""Pruning: what no keep has any more goes from a registry, with all that is its alone, and nothing else, whatever happens."""

import json
import os
import random
import shutil
import tempfile
import time
import unittest

from base import PushCase, need, run
from kit import published
from nights import pruned


class PruneCase(PushCase):
    """A repository with images of former nights, behind a proxy."""

    def setUp(self):
        super().setUp()
        self.target, self.proxy = self.make_proxied()
        self.there = published.Repository(self.target.host, "me/one")
        self.reference = f"{self.proxy.host}/me/one"

    def prune(self, *options, code=run.OK, keep="30d", reference=None):
        self.proxy.forget()
        result = self.call("prune", "--tls-verify=false", "--json", *(["--keep", keep] if keep else []), *options,
                           reference or self.reference, retries=1)
        self.assertEqual(result.code, code, result)
        if code == run.OK:
            (result.told,) = json.loads(result.stdout)["repositories"]
        return result

    def assert_there(self, *images, message=None):
        for made in images:
            self.target.check(self.there.name, made.digest)
            self.assertTrue(self.there.has(made.stamp), message)

    def assert_gone(self, *digests):
        for digest in digests:
            self.assertFalse(self.there.has(digest), digest)

    def deletions(self):
        return self.proxy.asked("DELETE")


class Rules(PruneCase):
    def test_what_was_superseded_longer_ago_than_its_keep_goes(self):
        """Counted from when the next one was published, not from its own publication."""
        old, long, new, now = (self.there.night(seed, days) for seed, days in ((1, 90), (2, 60), (3, 20), (4, 1)))
        self.there.tag(now, "latest")
        result = self.prune()
        self.assertEqual([item["digest"] for item in result.told["items"] if item["kind"] == "image"], [old.digest])
        self.assertEqual(self.deletions(), [], "a dry run deletes")
        self.assert_there(old, long, new, now)
        result = self.prune("--yes")
        self.assert_there(long, new, now)
        self.assert_gone(old.digest, *old.children, old.stamp)
        self.assertEqual(len(self.deletions()), 3)
        self.assertEqual(len(self.proxy.asked("GET", "manifests/")), 2, "what the dry run read is read again")
        self.assertEqual(self.prune("--yes").told["items"], [])
        self.assertEqual(len(self.proxy.requests), 1, "nothing goes: the list is all that is asked for")

    def test_a_number_keeps_the_newest(self):
        made = [self.there.night(seed, 100 - seed) for seed in range(6)]
        self.prune("--yes", keep="2")
        self.assert_there(*made[-2:])
        self.assert_gone(*(one.digest for one in made[:-2]))

    def test_always_keeps_all(self):
        made = [self.there.night(seed, 1000 - seed) for seed in range(3)]
        self.assertEqual(self.prune("--yes", keep="always").told["items"], [])
        self.assert_there(*made)

    def test_what_came_back_counts_from_when_it_was_last_current(self):
        first, second = self.there.night(1, 90), self.there.night(2, 80)
        self.there.tag(first, published.stamp(self.there.now - 20 * published.DAY, first.digest))
        self.there.night(3, 10)
        self.prune("--yes")
        self.assert_there(first)
        self.prune("--yes", keep="1")
        self.assert_gone(first.digest, second.digest)

    def test_a_tag_that_is_not_ours_keeps_what_it_is_at(self):
        """Also one that looks like ours, one of a platform, and an index of somebody else's with our manifests."""
        made = [self.there.night(seed, 90 - seed) for seed in range(5)]
        now = self.there.night("now", 1, ["latest"])
        self.there.tag(made[0], "prod")
        self.there.tag(made[1], published.stamp(self.there.now - 70 * published.DAY, "sha256:" + "0" * 64))
        child = self.there.read(made[2].children[0])
        self.there.manifest(child, "application/vnd.oci.image.manifest.v1+json", "prod-amd64")
        index = self.there.documents[made[3].digest]
        self.there.manifest({**index, "annotations": {"whose": "theirs"}}, index["mediaType"], "theirs")
        before = self.target.tags("me/one")
        self.prune("--yes")
        after = self.target.tags("me/one")
        for tag in set(before) - {one.stamp for one in made}:
            self.assertEqual(after.get(tag), before[tag], tag)
        self.assert_there(made[0], made[1], now)
        self.assertTrue(self.there.has(made[2].children[0]))
        self.assert_gone(made[2].digest, made[2].children[1], made[3].digest, made[4].digest, *made[4].children)
        self.assertEqual(self.there.incomplete(), [])

    def test_an_index_with_both_compressions_goes_whole_but_for_what_another_image_has(self):
        both = self.there.night(1, 90, packings=("", "zstd"))
        other = self.there.night(2, 80, packings=("", "zstd"))
        alone = self.there.night(1, 50, version="2")
        now = self.there.night(3, 1, ["latest"], packings=("", "zstd"))
        self.assertEqual(alone.children, both.children[:2])
        self.prune("--yes")
        self.assert_there(alone, now)
        self.assertEqual(len(now.children), 4)
        self.assert_gone(both.digest, *both.children[2:], other.digest, *other.children)
        self.assertEqual(self.there.incomplete(), [])

    def test_a_manifest_that_an_image_needs_which_stays_stays(self):
        old = self.there.night(1, 90, amd64="same")
        new = self.there.night(2, 50, amd64="same")
        self.there.night(3, 40)
        self.there.tag(new, "prod")
        self.prune("--yes")
        self.assert_gone(old.digest, old.children[1])
        self.assert_there(new)

    def test_what_is_about_an_image_goes_with_it_and_keeps_nothing(self):
        old, new = self.there.night(1, 90, ["sha256-notone"]), self.there.night(2, 50, ["latest"])
        other = self.there.night(3, 80)
        gone = [self.there.attach(old.digest, "bill"), self.there.attach(old.children[0], "sbom")]
        gone.append(self.there.attach(gone[0], "signature of the bill"))
        child = self.there.read(gone[0])
        self.there.manifest({**child, "annotations": {"by": "cosign"}}, "application/vnd.oci.image.manifest.v1+json",
                            old.digest.replace(":", "-") + ".sig")
        stays = self.there.attach(new.digest, "bill"), self.there.attach(other.digest, "bill", tag="approved")
        self.there.ask("DELETE", f"manifests/{old.digest}")
        old = self.there.night(1, 90)
        self.prune("--yes")
        self.assert_gone(old.digest, *old.children, *gone, old.digest.replace(":", "-"), old.digest.replace(":", "-") + ".sig",
                         old.children[0].replace(":", "-"), gone[0].replace(":", "-"))
        self.assert_there(new, other)
        for digest in stays:
            self.assertTrue(self.there.has(digest))
        self.assertTrue(self.there.has(new.digest.replace(":", "-")))

    def test_tags_that_the_command_line_names_keep_nothing(self):
        old, kept = self.there.night(1, 90, ["1.0-9"]), self.there.night(2, 80, ["1.1-9", "prod"])
        self.there.night(3, 70, ["latest"])
        self.assertEqual(self.prune("--yes").told["items"], [])
        self.prune("--yes", "--tags", "1.*")
        self.assert_gone(old.digest, "1.0-9")
        self.assert_there(kept)

    def test_without_a_rule_nothing_is_told_to_go(self):
        self.there.night(1, 90)
        self.refused(run.USAGE, self.call("prune", self.reference), "--keep")
        self.refused(run.USAGE, self.call("prune", "--keep=soon", self.reference), "--keep")
        self.refused(run.USAGE, self.call("prune", "--keep=30d", self.reference + ":latest"), "repository")
        self.refused(run.USAGE, self.call("prune", "--config", self.write("x.yaml", "prune: true\n")), "keep")

    def test_a_clock_that_is_ahead_deletes_nothing_that_is_current(self):
        made = [self.there.night(seed, -100 - seed) for seed in range(3)]
        self.prune("--yes", keep="1")
        self.assert_there(*made)


class Faults(PruneCase):
    def fill(self):
        """Two that go, with a manifest in common with one that stays, and referrers; three that stay."""
        made = [self.there.night(1, 90, amd64="a"), self.there.night(2, 80), self.there.night(3, 50, ["prod"], amd64="a"),
                self.there.night(4, 20), self.there.night(5, 10, ["latest"])]
        about = [self.there.attach(made[0].digest, "bill"), self.there.attach(made[2].digest, "bill"),
                 self.there.attach(made[1].children[0], "sbom")]
        return made, [made[0].digest, made[0].children[1], made[1].digest, *made[1].children, about[0], about[2]], about[1]

    def test_who_is_killed_at_any_request_leaves_every_tag_whole(self):
        """And the next run ends what it began."""
        made, gone, stays = self.fill()
        self.prune("--yes", "--dry-run")
        copy, state = self.path("copy"), self.path("state-before")
        self.target.stop()
        shutil.copytree(self.target.root, copy)
        os.makedirs(self.factory.state, exist_ok=True)
        shutil.copytree(self.factory.state, state)
        self.target.start()
        self.proxy.upstream = self.target.url
        self.there.host = self.target.host
        self.prune("--yes")
        count = len(self.proxy.requests)
        self.assertGreater(len(self.deletions()), 8)
        step = 1 if os.environ.get("IMGFACTORY_PRUNE_KILLS") == "all" else 5
        for when in ("before", "after"):
            for nth in range(random.randint(1, step), count + 1, step):
                for folder, before in ((self.target.root, copy), (self.factory.state, state)):
                    shutil.rmtree(folder)
                    shutil.copytree(before, folder)
                self.target.stop()  # its cache, too
                self.target.start()
                self.proxy.upstream, self.there.host = self.target.url, self.target.host
                self.killed_at(nth, when)
                self.assert_whole(f"killed {when} request {nth}")
                self.prune("--yes")
                self.assertEqual(self.there.incomplete(), [], f"after a kill {when} request {nth}")
                self.assert_there(*made[2:])
                self.assert_gone(*gone)
                self.assertTrue(self.there.has(stays))
                self.assertEqual([tag for tag in self.there.tags() if tag.startswith("sha256-")],
                                 [made[2].digest.replace(":", "-")], f"killed {when} request {nth}")

    def assert_whole(self, message):
        """A request that was under way when the program was killed is answered a moment later."""
        wrong = self.there.incomplete()
        if wrong and all(part == 404 for _, part in wrong):
            time.sleep(0.5)
            wrong = self.there.incomplete()
        self.assertEqual(wrong, [], message)

    def killed_at(self, nth, when):
        self.proxy.heal()
        self.proxy.forget()
        fault = self.proxy.fault("*", "", nth=nth, hold=when)
        child = self.start("prune", "--tls-verify=false", "--yes", "--keep", "30d", self.reference)
        self.assertTrue(fault.reached.wait(30), f"request {nth} does not come")
        child.kill()
        child.communicate()
        self.proxy.heal()

    def test_a_registry_that_does_not_delete_says_so(self):
        made, _, _ = self.fill()
        self.proxy.fault("DELETE", "", times=None, status=405, body=b'{"errors":[{"code":"UNSUPPORTED","message":"no"}]}')
        self.refused(run.PUBLISH, self.prune("--yes", code=run.PUBLISH), "does not delete manifests", "storage.delete.enabled")
        self.assertEqual(len(self.deletions()), 1, "asked again although it cannot")
        self.assert_there(*made)

    def test_one_that_may_not_go_stops_no_other(self):
        made, _, _ = self.fill()
        self.proxy.fault("DELETE", made[0].digest, times=None, status=403, body=b'{"errors":[{"code":"DENIED","message":"held"}]}')
        self.refused(run.PUBLISH, self.prune("--yes", code=run.PUBLISH), "1 of")
        self.assert_gone(made[1].digest)
        self.proxy.heal()
        self.prune("--yes")
        self.assert_gone(made[0].digest)

    def test_a_tag_that_moves_meanwhile_stops_it(self):
        """What somebody points a tag at while it is at work keeps its manifests."""
        made, _, _ = self.fill()
        self.prune("--yes", "--dry-run")
        self.proxy.every = lambda request, answer: request.verb == "DELETE" and self.there.tag(made[3], "latest")
        self.addCleanup(setattr, self.proxy, "every", None)
        result = self.prune("--yes")
        self.assertIn("latest", result.told["stopped"])
        self.assertIn("moved", result.stderr)
        self.proxy.every = None
        self.assertTrue(self.there.has(made[1].children[0]), "its manifests wait for the next time")
        self.prune("--yes")
        self.assert_gone(*made[1].children)

    def test_transient_faults_are_absorbed(self):
        made, gone, _ = self.fill()
        for pattern in ("tags/list", "manifests/prod", "manifests/sha256:"):
            self.proxy.fault("*", pattern, status=503)
        self.proxy.fault("DELETE", "", nth=2, lost=True)
        self.prune("--yes")
        self.assert_there(*made[2:])
        self.assert_gone(*gone)

    def test_a_list_that_cannot_be_read_deletes_nothing(self):
        self.fill()
        for body in (b"{}", b'{"tags":["latest",7]}', b"<html>"):
            self.proxy.heal()
            self.proxy.fault("GET", "tags/list", times=None, status=200, body=body)
            self.refused(run.MALFORMED, self.prune("--yes", code=run.MALFORMED), "tags/list")
            self.assertEqual(self.deletions(), [])

    def test_what_the_registry_says_of_an_image_is_not_believed_without_its_bytes(self):
        """A tag that cannot be read, or an image, means that nothing goes: what it needs is not known."""
        self.fill()
        self.proxy.fault("*", "manifests/prod", times=None, status=403)
        self.refused(run.PUBLISH, self.prune("--yes", code=run.PUBLISH), "prod")
        self.assertEqual(self.deletions(), [])


class Traps(PruneCase):
    """What the registry, other people, or a wrong clock would have it delete."""

    def answered(self, pattern, body, **settings):
        self.proxy.fault("*", pattern, times=None, status=200, body=body, **settings)

    def test_what_the_registry_refuses_to_delete_keeps_all_that_is_its_own(self):
        """A tag that never moves there: its index stays, and so its manifests do, and what is about them."""
        made = [self.there.night(1, 90), self.there.night(2, 80), self.there.night(3, 50, ["latest"])]
        stays = [*made[0].children, self.there.attach(made[0].digest, "bill"), self.there.attach(made[0].children[0], "sbom")]
        goes = [*made[1].children, self.there.attach(made[1].digest, "bill")]
        self.proxy.fault("DELETE", made[0].digest, times=None, status=412, body=b'{"errors":[{"code":"DENIED","message":"immutable"}]}')
        result = self.prune("--yes", code=run.PUBLISH)
        self.refused(run.PUBLISH, result, "1 of", "immutable")
        (told,) = json.loads(result.stdout)["repositories"]
        self.assertEqual((told["images_deleted"], told["deleted"]), (1, 5))
        self.assert_there(made[0], made[2])
        self.assert_gone(made[1].digest, *goes)
        for digest in stays:
            self.assertTrue(self.there.has(digest), digest)
        self.assertTrue(self.there.has(made[0].digest.replace(":", "-")))
        self.assertEqual(self.there.incomplete(), [])

    def test_a_referrer_that_may_not_go_keeps_its_name(self):
        old = self.there.night(1, 90)
        self.there.night(2, 50, ["latest"])
        bill = self.there.attach(old.digest, "bill")
        self.proxy.fault("DELETE", bill, times=None, status=403)
        self.prune("--yes", code=run.PUBLISH)
        self.assertTrue(self.there.has(bill) and self.there.has(old.digest.replace(":", "-")))

    def test_who_may_not_delete_does_not_try_for_ever(self):
        made = [self.there.night(seed, 90 - seed) for seed in range(30)]
        self.proxy.fault("DELETE", "", times=None, status=403)
        self.prune("--yes", code=run.PUBLISH)
        self.assertLess(len(self.deletions()), 20)
        self.assert_there(*made)

    def test_what_the_site_says_of_its_own_does_not_delete_elsewhere(self):
        made = [self.there.night(1, 90), self.there.night(2, 50, ["latest"])]
        site = self.write("site.yaml", "prune: true\nkeep: 30d\n")
        told = self.prune("--config", site)
        self.assertEqual(len(told.told["items"]), 3)
        self.assert_there(*made)

    def test_a_stamp_of_a_time_to_come_supersedes_nothing(self):
        """One machine's clock was a year ahead: what the others made since is current."""
        old, current, wrong = self.there.night(1, 9), self.there.night(2, 8), self.there.night(3, -400)
        result = self.prune("--yes", keep="1")
        self.assertIn("some clock is wrong", result.stderr)
        self.assert_there(current, wrong)
        self.assert_gone(old.digest)

    def test_a_clock_that_is_ahead_makes_nothing_older(self):
        """The registry has a clock, too."""
        made = [self.there.night(1, 9), self.there.night(2, 8, ["latest"])]
        date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() - 20 * published.DAY))
        self.answered("tags/list", json.dumps({"name": "me/one", "tags": self.there.tags()}).encode(), headers={"Date": date})
        self.prune("--yes", keep="1d")
        self.assert_there(*made)
        self.proxy.heal()
        self.prune("--yes", keep="1d")
        self.assert_gone(made[0].digest)

    def test_a_list_of_which_a_part_is_withheld_deletes_nothing(self):
        """A registry that gives the same page again and again: what it does not list may need anything."""
        old = self.there.night(1, 90)
        self.there.night(2, 50, ["latest"])
        page = self.there.tags()
        self.there.tag(old, "zz-prod")
        self.answered("tags/list", json.dumps({"name": "me/one", "tags": page}).encode(),
                      headers={"Link": '</v2/me/one/tags/list?next_page=abc>; rel="next"'})
        self.refused(run.MALFORMED, self.prune("--yes", code=run.MALFORMED), "does not list them")
        self.assert_there(old)

    def test_pages_that_have_marks_of_their_own_are_all_read(self):
        """As quay's: a tag on the last page keeps what it is at."""
        old, older = self.there.night(1, 90), self.there.night(2, 95)
        self.there.night(3, 50, ["latest"])
        self.there.tag(old, "zz-prod")

        def page(request, answer):
            tags, mark = sorted(json.loads(answer.body)["tags"]), int(request.query.get("next_page", ["0"])[0])
            answer.body = json.dumps({"name": "me/one", "tags": tags[mark:mark + 2]}).encode()
            if tags[mark + 2:]:
                answer.headers["Link"] = f'</v2/me/one/tags/list?n=2&next_page={mark + 2}>; rel="next"'

        self.proxy.fault("GET", "tags/list", times=None, change=page)
        self.prune("--yes")
        self.assertEqual(len(self.proxy.asked("GET", "tags/list")), 3)
        self.assert_there(old)
        self.assert_gone(older.digest)

    def test_what_is_no_manifest_keeps_everything(self):
        """A proxy's page to log in, in the place of what a tag is at."""
        old = self.there.night(1, 90)
        new = self.there.night(2, 50, ["latest"])
        self.there.tag(old, "prod")
        for name in ("prod", old.stamp, new.stamp):
            self.proxy.heal()
            self.answered(f"manifests/{name}", b"<html>log in</html>")
            self.refused(run.MALFORMED, self.prune("--yes", code=run.MALFORMED), "no manifest")
            self.assertEqual(self.deletions(), [])
        self.assert_there(old)

    def test_a_list_of_referrers_that_names_others_deletes_none_of_them(self):
        """Whoever may push can write one."""
        old, new = self.there.night(1, 90), self.there.night(2, 50, ["latest"])
        pinned, bill = self.there.image("pinned"), self.there.attach(new.digest, "bill")
        mine = self.there.attach(old.digest, "bill")
        fallback = old.digest.replace(":", "-")
        index = self.there.read(fallback)
        index["manifests"] += [{"mediaType": index["mediaType"], "digest": digest, "size": 1} for digest in (pinned.digest, bill)]
        self.there.manifest(index, index["mediaType"], fallback)
        self.prune("--yes")
        self.assert_gone(old.digest, mine)
        self.target.check("me/one", pinned.digest)
        self.assertTrue(self.there.has(bill) and self.there.has(fallback))

    def test_a_stamp_that_somebody_moved_leaves_its_digest_whole(self):
        """It came back, and so has another one; what it has in common with one that goes stays."""
        old, back = self.there.night(1, 90, amd64="same"), self.there.night(2, 80, amd64="same")
        self.there.tag(back, published.stamp(self.there.now - 5 * published.DAY, back.digest))
        self.there.night(3, 3)
        self.there.night(4, 1, ["latest"])
        self.there.tag(self.there.image(9), back.stamp)
        for _ in range(2):
            self.prune("--yes")
            self.assertEqual(self.there.incomplete(), [])
        self.assert_gone(old.digest)

    def test_a_tag_that_is_called_like_a_digest_and_is_at_it_keeps_it(self):
        """So imgpkg holds images; and a platform's manifest."""
        old, older, oldest = (self.there.night(seed, 100 - seed) for seed in range(3))
        self.there.night(3, 50, ["latest"])
        self.there.tag(old, old.digest.replace(":", "-") + ".imgpkg")
        self.there.tag(older, older.digest.replace(":", "-"))
        self.there.manifest(self.there.read(oldest.children[0]), published.MANIFEST, oldest.children[0].replace(":", "-"))
        before = self.target.tags("me/one")
        self.prune("--yes")
        self.assertEqual(self.target.tags("me/one"), {tag: at for tag, at in before.items() if tag != oldest.stamp})
        self.assert_there(old, older)
        self.assertEqual(self.there.incomplete(), [])

    def test_a_tag_that_is_called_like_one_digest_and_is_at_another_image_stays(self):
        """Whether that one goes or stays by itself."""
        old, held, new = self.there.night(1, 90), self.there.night(2, 80), self.there.night(3, 50, ["latest"])
        self.there.tag(new, old.digest.replace(":", "-") + ".copy")
        self.there.tag(held, old.digest.replace(":", "-"))
        self.prune("--yes")
        self.assert_gone(old.digest)
        self.assert_there(held, new)
        self.assertEqual(self.target.tags("me/one")[old.digest.replace(":", "-") + ".copy"], new.digest)
        self.assertEqual(self.target.tags("me/one")[old.digest.replace(":", "-")], held.digest)

    def test_what_a_tagged_signature_is_about_in_the_end_stays(self):
        """The tag is at a signature of the bill of the image."""
        old = self.there.night(1, 90)
        self.there.night(2, 50, ["latest"])
        bill = self.there.attach(old.digest, "bill")
        self.there.attach(bill, "signature", media_type=published.MANIFEST, tag="approved")
        self.prune("--yes")
        self.assert_there(old)
        self.assertTrue(self.there.has(bill))


class Nights(unittest.TestCase):
    """The program makes the stamps itself (tests/nights/pruned.py; scripts/pruned-nights plays more of them)."""

    def setUp(self):
        run.program()
        need("gpg", "gpgv", "dpkg-deb", "docker-registry", "skopeo", "rpmbuild", "createrepo_c", "aarch64-linux-gnu-gcc")
        self.top = tempfile.mkdtemp(prefix="imgfactory-pruned-")
        self.addCleanup(shutil.rmtree, self.top, ignore_errors=True)

    def test_after_each_night_what_is_kept_is_whole_and_what_is_older_is_gone(self):
        played = pruned.Pruned(self.top, int(os.environ.get("IMGFACTORY_NIGHTS_SEED", "3")), nights=16, changes=10, keep=4, out=None)
        self.addCleanup(played.close)
        played.play()
        played.pull()
        self.assertLess(played.collect(), 60000 * (2 + 2 * played.keep) * 2)


class Many(PruneCase):
    def test_5000_tags_are_pruned_in_the_requests_of_the_list_and_one_for_each_deletion(self):
        """What images consist of is known from the first time on, also from a dry run. Four more, however many they are: one reads
        latest, one asks for the referrers API, one looks what becomes of the tags at what is deleted, one looks at latest again; and
        so every five seconds."""
        images = [self.there.image(seed) for seed in range(12)]
        folder = os.path.join(self.target.root, "docker/registry/v2/repositories/me/one/_manifests/tags")
        for number in range(5000):
            made = images[min(number // 500, 9)]  # runs of one digest
            self.plant(folder, published.stamp(self.there.now - (5000 - number) * 3600 - 11 * published.DAY, made.digest), made.digest)
        self.there.tag(images[9], "latest")
        self.prune("--dry-run", keep="3")
        begun = time.monotonic()
        self.prune("--yes", keep="3")
        looks = 1 + int((time.monotonic() - begun) / 5)
        self.assertFalse(self.there.has(images[0].digest))
        self.assertEqual([request.verb for request in self.proxy.requests if request.verb == "HEAD"][looks:], [])
        pages, deletions = len(self.proxy.asked("GET", "tags/list")), len(self.deletions())
        self.assertGreaterEqual(deletions, 15)
        more = len(self.proxy.requests) - pages - deletions
        print(f"{pages} pages, {deletions} deletions, {more} other requests", flush=True)
        self.assertLessEqual(more, 3 + looks, self.proxy.requests)

    @staticmethod
    def plant(folder, tag, digest):
        for path in (f"{folder}/{tag}/current", f"{folder}/{tag}/index/sha256/{digest[7:]}"):
            os.makedirs(path)
            with open(f"{path}/link", "w", encoding="ascii") as stream:
                stream.write(digest)


if __name__ == "__main__":
    unittest.main()
