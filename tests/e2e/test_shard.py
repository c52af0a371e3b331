# SPDX-License-Identifier: Apache-2.0
"""Machines that share a plan: shards, and putting together what they made, beside one machine that does it all."""

import json
import os
import random
import re
import subprocess
import sys
import threading
import time
import unittest
import urllib.request

from base import deb, elf, layout, run, world
from kit.schema import REPORT as SCHEMA
from test_site import SiteCase

ARCHES = ("x86_64", "aarch64")
PART = re.compile(r"imgfactory-\d{8}T\d{6}Z-[0-9a-f]{12}-(one|two|three)-(x86_64|aarch64)")
MARK = re.compile(r"imgfactory-\d{8}T\d{6}Z-[0-9a-f]{12}-(one|two|three)-index")
FAR = time.time() - 40 * 86400


class ShardCase(SiteCase):
    SMALL = "compression: zstd:chunked\n"  # of the one manifest that says it
    BOTH = "compression: both\n"

    def setUp(self):
        super().setUp()
        self.write_manifest("two", self.manifest("two", "hello1", self.SMALL))
        self.write_manifest("three", self.manifest("three", "hello3"))
        self.options, self.day = self.factory.options, 0
        self.newer()
        self.target, self.proxy = self.make_proxied()
        self.head = f"registry: {self.proxy.host}\nnamespace: me\ntls-verify: false\nsource: source.yaml\narch: all\n"
        self.site("  - one\n  - two\n  - three\n", self.head)
        self.lock()

    def newer(self):
        """Sources of another day, with other programs of the same version."""
        self.day += 1
        programs = [deb.Package(f"hello{one}", arch=name, version="1:2.10-3", files=[
            deb.program(f"/usr/bin/hello{one}", elf.hello(name, f"{layout.HELLO}{self.day}")),
            deb.File(f"/usr/share/{one}", os.urandom(1000 * one))]) for name in ("amd64", "arm64") for one in (1, 2, 3)]
        self.ready(manifest=world.MANIFEST, packages=world.packages() + programs, date=FAR + 86400 * self.day)
        self.factory.options = self.options

    def lock(self, name="imgfactory.lock"):
        result = self.run_factory("lock", "--lock-file", name, "--update", cwd=self.top, env=self.env)
        self.assertEqual(result.code, run.OK, result)

    def machine(self, name):
        """Another one: its own cache, state and output."""
        factory = run.Factory(self.path(name))
        factory.options = self.options
        return factory

    def on(self, name, *words, code=run.OK, json_too=True):
        factory = self.factory if name is None else self.machine(name)
        result = factory.run(*words, *(["--json"] if json_too else []), cwd=self.top, env=self.env)
        self.assertIn(result.code, code if isinstance(code, tuple) else (code,), result)
        self.last = result
        return json.loads(result.stdout) if json_too else result

    def shards(self, count=2, lock="imgfactory.lock", missing=()):
        return [self.on(f"worker{index}", "--shard", f"{index}/{count}", "--lock-file", lock)
                for index in range(count) if index not in missing]

    def assemble(self, *options, lock="imgfactory.lock", name="assembler", **settings):
        return self.on(name, "assemble", "--lock-file", lock, *options, **settings)

    def states(self, code=run.OK):
        result = self.call("status", "--manifests", self.path("manifests"), "--plan", "imgfactory.lock", "--json")
        self.assertEqual(result.code, code, result)
        self.last = result
        return [order["state"] for order in json.loads(result.stdout)["orders"]]

    def tags(self, name="one", namespace="me"):
        return self.target.tags(f"{namespace}/{name}")

    def own(self, name="one"):
        """Tags that a build has, too."""
        return {tag: digest for tag, digest in self.tags(name).items() if not tag.startswith("imgfactory-")}

    def alone(self, more=""):
        """What one machine pushes of the same."""
        self.site("  - one\n  - two\n  - three\n", self.head.replace("namespace: me", "namespace: alone") + more)
        self.on("alone", "--locked")
        return {name: self.tags(name, "alone") for name in ("one", "two", "three")}


class Whole(ShardCase):
    def test_what_is_put_together_is_what_one_machine_pushes(self):
        def states(code):
            result = self.call("status", "--manifests", self.path("manifests"), "--plan", "imgfactory.lock", "--shard", "3", "--json")
            self.assertEqual(result.code, code, result)
            report = json.loads(result.stdout)
            self.assertEqual(SCHEMA.faults(report, "plan"), [])
            self.assertEqual(len(report["orders"]), 6)
            return {(order["shard"], order["state"]) for order in report["orders"]}

        self.assertEqual(states(run.PARTLY), {(shard, "missing") for shard in range(3)})
        reports = self.shards(3, missing={1, 2})
        self.assertEqual(states(run.PARTLY), {(0, "pushed"), (1, "missing"), (2, "missing")})
        reports += self.shards(3, missing={0})
        self.assertEqual(states(run.OK), {(shard, "pushed") for shard in range(3)})
        orders = [(image["image"], arch["arch"]) for report in reports for image in report["images"]
                  for arch in image["architectures"]]
        self.assertEqual(sorted(orders), sorted((image, arch) for image in ("one", "two", "three") for arch in ARCHES))
        for name in ("one", "two", "three"):
            self.assertEqual(len(self.tags(name)), 2)
            for tag in self.tags(name):
                self.assertRegex(tag, rf"^{PART.pattern}$")
        layers = {arch["layer"] for report in reports for image in report["images"] for arch in image["architectures"]}
        self.proxy.forget()
        self.assemble()
        asked, count = self.proxy.asked("*", "/blobs/sha256:"), len(self.proxy.requests)
        self.assertEqual([request.target for request in asked if request.verb != "HEAD" and request.target[-71:] in layers], [])
        self.assertEqual({request.target[-71:] for request in asked if request.verb == "HEAD"} & layers, layers)
        print(f"6 parts of 3 images were put together with {count} requests", file=sys.stderr)
        self.assertEqual(states(run.OK), {(shard, "assembled") for shard in range(3)})
        told = self.call("status", "--manifests", self.path("manifests"), "--plan", "imgfactory.lock")
        self.assertRegex(told.stdout, "of 6 6 assembled, 0 pushed, 0 missing")
        alone = self.alone()
        for name in ("one", "two", "three"):
            self.assertEqual(self.own(name), alone[name])
            rest = [tag for tag in self.tags(name) if tag not in self.own(name)]
            self.assertEqual(len(rest), 1)
            self.assertRegex(rest[0], rf"^{MARK.pattern}$")
            self.target.check(f"me/{name}", self.tags(name)["latest"])

    def test_put_together_by_two_at_once_and_twice_it_is_the_same(self):
        self.site("  - one\n  - two\n  - three\n", f"{self.head}status: {self.proxy.host}/me/status\n")
        self.shards()
        threads, codes = [], []
        for name in ("left", "right"):
            thread = threading.Thread(target=lambda name=name: codes.append(
                self.machine(name).run("assemble", "--keep-plan", "--json", cwd=self.top, env=self.env)))
            thread.start()
            threads.append(thread)
        for thread in threads:
            thread.join()
        self.assertEqual([result.code for result in codes], [run.OK, run.OK], codes)
        before = {name: self.tags(name) for name in ("one", "two", "three")}
        self.assertEqual(sum(bool(PART.fullmatch(tag)) for tag in before["one"]), 2)
        self.assemble("--keep-plan")
        self.assertEqual({name: self.tags(name) for name in before}, before)
        self.assemble()
        self.assertEqual(self.own(), {tag: at for tag, at in before["one"].items() if not tag.startswith("imgfactory-")})
        after = {name: self.tags(name) for name in before}
        report = self.assemble()
        self.assertNotIn("error", self.last.stderr)
        told = json.loads(self.call("status", "--manifests", self.path("manifests"), "--json").stdout)
        self.assertEqual({(image["image"], image["state"], image["digest"]) for image in told["images"]},
                         {(name, "current", self.tags(name)["latest"]) for name in before})
        self.assertEqual({image["push"]["status"] for image in report["images"]}, {"unchanged"})
        self.assertEqual(report["images"][0]["push"]["digest"], after["one"]["latest"])
        self.assertEqual({name: self.tags(name) for name in before}, after)
        alone = self.alone(f"status: {self.proxy.host}/me/status\n")
        self.assertEqual({name: self.own(name) for name in before}, alone)

    def test_an_image_is_put_together_before_its_base_and_when_its_base_was_before(self):
        for name, hello, base, more in ("three", "hello3", "one", ""), ("two", "hello2", "three", self.SMALL):
            self.write_manifest(name, self.manifest(name, hello, more).replace(f"name: {name}\n", f"name: {name}\nbase: manifest:{base}\n"))
        self.lock()
        self.shards()
        self.assemble("two")  # whose base another call pushes
        self.assemble("one")
        self.assertEqual(self.own("three"), {})
        self.assemble()
        report = self.on("alone", "--locked")
        self.assertEqual({image["push"]["status"] for image in report["images"]}, {"unchanged"})


    def a_part_without_the_second_image_is_refused(self, name):
        tag, digest = next((tag, digest) for tag, digest in self.tags(name).items() if tag.endswith(f"-{name}-x86_64"))
        whole = self.target.blob(digest)
        index = json.loads(whole)
        self.assertEqual(len(index["manifests"]), 3)
        del index["manifests"][1]
        self.put_index(name, tag, json.dumps(index, separators=(",", ":")).encode())
        self.assemble(name, code=run.TRUST)
        self.assertIn("its bill tells of other layers", self.last.stderr)
        self.assertEqual(self.own(name), {})
        self.put_index(name, tag, whole)

    def a_base_that_is_being_taken_away_at_one_place_is_taken_from_another(self, part):
        """As by another machine that has put one together, and whose registry deletes what no tag reaches."""
        bill = json.loads(self.target.blob(json.loads(self.target.blob(part))["manifests"][-1]["digest"]))["layers"][0]["digest"]
        fault = self.proxy.fault("*", f"/v2/me/one/blobs/{bill}", times=None, status=404)
        self.proxy.forget()
        self.assemble("--keep-plan", name="behind")
        self.assertTrue(self.proxy.asked("*", f"/v2/me/one/blobs/{bill}"))
        fault.left = 0

    def put_index(self, name, tag, document):
        request = urllib.request.Request(f"{self.target.url}/v2/me/{name}/manifests/{tag}", method="PUT", data=document,
                                         headers={"Content-Type": "application/vnd.oci.image.index.v1+json"})
        with urllib.request.urlopen(request, timeout=60):
            pass

    def test_both_compressions_and_bases_that_are_published_nowhere_are_as_one_machine_has_them(self):
        """Of three images that stand on each other only two are pushed; the lowest is also made for what nothing that stands on it is."""
        self.proxy.fault("*", "/v2/me/(mid|under)/", times=None, status=403)  # nobody may, or needs to, ask what is pushed nowhere
        self.write_manifest("under", self.manifest("under", "hello3").replace("name: under\n", "name: under\n" + self.BOTH))
        self.write_manifest("mid", self.manifest("mid", "hello2").replace("name: mid\n", "name: mid\nbase: manifest:under\n"))
        for name, base in ("one", "mid"), ("two", "under"):
            self.write_manifest(name, self.manifest(name, "hello1", self.BOTH).replace(f"name: {name}\n", f"name: {name}\nbase: manifest:{base}\n"))
        images = "  - one\n  - {image: two, architectures: [x86_64]}\n"
        self.site(images, self.head)
        self.lock()
        self.shards(3)
        for name, count in ("one", 6), ("two", 3):
            self.assertEqual(len(self.tags(name)), count)
        self.a_part_without_the_second_image_is_refused("two")
        self.assertEqual(self.states(), ["pushed"] * 3)
        fault = self.proxy.fault("GET", "/v2/me/one/tags", times=None, status=403)  # as of what nobody pushed to yet
        self.assertEqual(sorted(self.states(run.PARTLY)), ["missing", "missing", "pushed"])
        self.assertIn("/me/one does not let its tags be seen, and counts as empty: ", self.last.stderr)
        fault.left = 0
        base, digest = next((tag, digest) for tag, digest in self.tags("one").items() if tag.endswith("-x86_64.2"))
        self.target.forget_tag("me/one", base)
        self.assertEqual(self.states(run.PARTLY), ["missing", "pushed", "pushed"])
        report = self.assemble("one", code=run.PUBLISH)
        self.assertEqual({image["image"]: image["status"] for image in report["images"]}, {"one": "failed", "mid": "unchanged", "under": "unchanged"})
        self.assertRegex(self.last.stderr, "image one: its base failed: .*image under for x86_64: .*/me/under, .*/me/one have no part of the plan for it: .* HTTP status 403")
        self.assertEqual(self.own("one"), {})
        self.put_index("one", base, self.target.blob(digest))
        self.a_base_that_is_being_taken_away_at_one_place_is_taken_from_another(digest)
        self.assemble("two", "--keep-plan")
        for tag in [tag for tag in self.tags("two") if tag.endswith(".1")]:  # as if it was ended while it took them away
            self.target.forget_tag("me/two", tag)
        before = self.own("two")
        self.assemble("two")
        self.assertEqual(self.own("two"), before)
        self.assertIn("was put together", self.last.stderr)
        report = self.assemble("--attest", "sbom")
        self.assertEqual({image["image"] for image in report["images"]}, {"one", "mid", "two", "under"})
        for name in ("one", "two"):
            self.assertEqual([tag for tag in self.tags(name) if PART.match(tag)], [])
        self.site(images, self.head.replace("namespace: me", "namespace: alone"))
        self.on("alone", "--locked", "--attest", "sbom")
        for name, platforms in ("one", 4), ("two", 2):
            self.assertEqual(self.own(name)["latest"], self.tags(name, "alone")["latest"])
            index = json.loads(self.target.blob(self.own(name)["latest"]))
            self.assertEqual(len(index["manifests"]), platforms)
            self.assertIn("org.opencontainers.image.base.digest", index["annotations"])
            self.target.check(f"me/{name}", self.own(name)["latest"])
        self.site(images, self.head)
        report = self.assemble()
        self.assertNotIn("error", self.last.stdout + self.last.stderr)
        self.assertEqual({image["push"]["status"] for image in report["images"] if "push" in image}, {"unchanged"})


class Plans(ShardCase):
    def test_a_late_old_plan_changes_nothing_and_a_newer_one_takes_the_old_away(self):
        self.lock("old.lock")
        self.shards(lock="old.lock")
        self.newer()
        self.lock("new.lock")
        self.shards(lock="new.lock")
        self.assertEqual(len(self.tags()), 4)
        # An old plan's tag at what is in use takes nothing along.
        old, new = sorted(tag for tag in self.tags("two") if tag.endswith("x86_64"))
        self.target.set_tag("me/two", old, self.tags("two")[new])
        self.assemble("--keep-plan", "two", lock="new.lock")
        self.assertIn("1 tags of plans stay", self.last.stderr)
        self.assertEqual(sorted(tag for tag in self.tags("two") if PART.fullmatch(tag)),
                         [old, new.replace("x86_64", "aarch64"), new])
        self.assemble(lock="new.lock")
        before = self.tags()
        self.assertEqual(len([tag for tag in before if tag.startswith("imgfactory-")]), 1)
        self.assemble(lock="old.lock", name="late")
        self.assertIn("which a plan of newer sources made", self.last.stderr)
        self.assertEqual(self.tags(), before)

    def test_where_nothing_can_be_deleted_that_is_told_and_the_next_plan_goes_on(self):
        target, self.proxy = self.make_proxied("kept", can_delete=False)
        self.target, head = target, self.head.split("\n", 1)[1]
        self.site("  - one\n", f"registry: {self.proxy.host}\n{head}")
        for number in (1, 2):
            self.newer()
            self.lock(f"{number}.lock")
            self.shards(lock=f"{number}.lock")
            self.proxy.forget()
            self.assemble(lock=f"{number}.lock")
            self.assertRegex(self.last.stderr, rf"one: {2 if number == 1 else 5} tags of plans stay in .*: .*DELETE: HTTP status 405")
            self.assertEqual(len(self.proxy.asked("DELETE")), 1)
            self.assertEqual(len(self.tags()), 2 + 3 * number)
        before = self.tags()
        self.assemble(lock="1.lock", name="late")
        self.assertIn("which a plan of newer sources made", self.last.stderr)
        self.assertEqual(self.tags(), before)

    def test_an_old_plan_that_comes_between_gives_the_tags_back(self):
        """The newer one is put together while the old one's tags are about to move."""
        self.lock("old.lock")
        self.shards(lock="old.lock")
        self.newer()
        self.lock("new.lock")
        self.shards(lock="new.lock")
        reached, release, result = threading.Event(), threading.Event(), []

        def hold(_request, _answer):
            reached.set()
            release.wait(60)

        self.proxy.fault("GET", "/v2/me/one/tags/list", change=hold)
        late = threading.Thread(target=lambda: result.append(
            self.machine("late").run("assemble", "--lock-file", "old.lock", "one", cwd=self.top, env=self.env)))
        late.start()
        self.assertTrue(reached.wait(60))
        self.assemble("one", lock="new.lock", name="early")
        newest = self.own()
        release.set()
        late.join()
        self.assertEqual(result[0].code, run.OK, result[0])
        self.assertIn("go back to", result[0].stderr)
        self.assertEqual(self.own(), newest)

    def test_a_dry_run_tells_who_makes_what_and_what_cannot_be_is_refused(self):
        told = [self.on("planner", "--shard", f"{index}/4", "--dry-run") for index in range(4)]
        orders = [(image["image"], arch["arch"]) for report in told for image in report["images"]
                  for arch in image["architectures"]]
        self.assertEqual(len(orders), 6)
        self.assertEqual(len(set(orders)), 6)
        self.assertEqual(self.tags(), {})
        self.on("planner", "--shard", "99/100", "--dry-run")
        self.assertIn("shard 99/100 has nothing to make", self.last.stderr)
        whole = self.on("planner", "--shard", "0/1", "--dry-run")
        self.assertEqual(sum(len(image["architectures"]) for image in whole["images"]), 6)
        for report in told:  # orders of one architecture stand side by side
            self.assertLessEqual(len({arch["arch"] for image in report["images"] for arch in image["architectures"]}), 2)
        for words, told in ((["--format", "kube-job"], "--image"), (["--format", "slurm", "--shard", "0"], "how many"),
                            (["--format", "slurm", "--shard", "2%3"], "how many"), (["--format", "slurm", "one"], "takes no names")):
            result = self.call("unit", "--manifests", self.path("manifests"), *words)
            self.assertEqual(result.code, run.USAGE, result)
            self.assertIn(told, result.stderr)
        for words, told in ((["--shard", "4/4"], "from 0 on"), (["--shard", "x"], "from 0 on"),
                            (["--shard", "0/4", "--watch"], "watch"), (["--shard", "0/4", "--sign", "my.key"], "--sign to imgfactory assemble"), (["--shard", "0/2", "--lock-file", "none.lock"], "none.lock"),
                            (["assemble", "--shard", "1/2"], "number of shards"), (["assemble", "--lock-file", "none.lock"], "none.lock")):
            self.assertIn(told, self.on("worker", *words, code=run.USAGE, json_too=False).stderr)
        self.site("  - one\n", "source: source.yaml\narch: all\n")
        self.assertIn("meet in a registry", self.on("worker", "--shard", "0/2", code=run.USAGE, json_too=False).stderr)


class Missing(ShardCase):
    def test_what_is_missing_is_told_with_its_shard_and_the_next_call_heals(self):
        self.shards(4, missing={3})
        self.assemble("--shard", "4", code=(run.PARTLY, run.PUBLISH))
        self.assertIn("which shard 3/4 makes", self.last.stderr)
        missing = set(re.findall(r"image (\w+) for", self.last.stderr))
        self.assertTrue(missing)
        for name in missing:
            self.assertEqual(self.own(name), {})
        before = self.states(run.PARTLY)
        self.assemble("--on-missing", "publish", code=run.PARTLY)
        self.assertTrue(all(self.own(name) for name in missing))
        after = self.states(run.PARTLY)  # what went out without an architecture lacks it still
        self.assertEqual([state == "missing" for state in after], [state == "missing" for state in before])
        self.on("worker3", "--shard", "3/4")
        self.assertNotIn("missing", self.states())
        self.assemble()
        alone = self.alone()
        for name in ("one", "two", "three"):
            self.assertEqual(self.own(name), alone[name])

    def test_a_lost_layer_and_another_machines_lie_are_found(self):
        """A part of another image, and one whose bill is of another, under a tag of the plan."""
        reports = self.shards()
        layer = [arch["layer"] for report in reports for image in report["images"] if image["image"] == "two"
                 for arch in image["architectures"]][0]
        self.proxy.fault("*", f"/me/two/blobs/{layer}", status=404, times=None)
        self.assemble("two", "--shard", "2", code=run.PUBLISH)
        self.assertRegex(self.last.stderr, f"image two for .*which shard ./2 makes, the layer {layer} is not there")
        self.assertEqual(self.own("two"), {})
        self.proxy.heal()
        self.proxy.forget()
        self.assemble("two", "--attest", "sbom", "--keep-plan")
        self.assertTrue(self.proxy.asked("GET", f"/me/two/blobs/{layer}"))
        self.target.check("me/two", self.tags("two")["latest"])
        tags = {name: [tag for tag in self.tags(name) if tag.endswith("x86_64")][0] for name in ("one", "two")}
        self.tool("skopeo", "copy", "--all", "--src-tls-verify=false", "--dest-tls-verify=false",
                  f"docker://{self.target.host}/me/two:{tags['two']}", f"docker://{self.target.host}/me/one:{tags['one']}")
        self.assemble("one", code=run.TRUST)
        self.assertIn("its bill tells of another manifest", self.last.stderr)
        self.assertEqual(self.own(), {})


class Engines(ShardCase):
    def test_the_scripts_for_slurm_do_it(self):
        """What sbatch would run, by sh, with the variables that Slurm sets; a shard that cannot reach the registry is queued again."""
        result = self.call("unit", "--manifests", self.path("manifests"), "--format", "slurm", "--shard", "2%1", "--units", "units", "--retries", "0")
        self.assertEqual(result.code, run.OK, result)
        shards, assemble = (self.path(f"units/imgfactory-{name}.sbatch") for name in ("shards", "assemble"))
        with open(shards, encoding="utf-8") as stream:
            text = stream.read()
        for line in ("#SBATCH --array=0-1%1", "and the last bills of 0 of 6", "#SBATCH --requeue", "#SBATCH --mem=", "#SBATCH --time="):
            self.assertIn(line, text)
        for shards_too, is_told in ("1001", False), ("1002", True):  # 0-1000 is what Slurm takes as it comes
            told = self.call("unit", "--manifests", self.path("manifests"), "--format", "slurm", "--shard", shards_too).stdout
            self.assertEqual("Slurm takes no array of more than 1001 jobs" in told, is_told)
        os.makedirs(self.path("bin"))
        self.write("bin/scontrol", f'#!/bin/sh\necho "$@" >> {self.path("requeued")}\nexit 1\n')
        os.chmod(self.path("bin/scontrol"), 0o755)

        def run_script(path, code=0, **variables):
            env = run.Factory.environment({**self.env, **variables, "XDG_CACHE_HOME": self.path("c"), "XDG_STATE_HOME": self.path("s"),
                                           "PATH": f"{self.path('bin')}:{os.environ['PATH']}"})
            done = subprocess.run(["sh", path], env=env, cwd=self.top, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
            self.assertEqual(done.returncode, code, done.stdout.decode())

        for task in "01":
            run_script(shards, SLURM_ARRAY_JOB_ID="7", SLURM_ARRAY_TASK_ID=task)
        run_script(assemble, SLURM_JOB_ID="8")
        self.assertEqual(sorted(self.own()), ["2.10", "latest"])
        told = self.call("unit", "--manifests", self.path("manifests"), "--format", "slurm", "--state", self.path("s/imgfactory"))
        self.assertIn("and the last bills of 6 of 6", told.stdout)
        self.proxy.stop()
        self.newer()
        self.lock()
        run_script(shards, code=run.NETWORK, SLURM_ARRAY_JOB_ID="9", SLURM_ARRAY_TASK_ID="1")
        with open(self.path("requeued"), encoding="utf-8") as stream:
            self.assertEqual(stream.read(), "requeue 9_1\n")
        run_script(shards, code=run.NETWORK, SLURM_ARRAY_JOB_ID="9", SLURM_ARRAY_TASK_ID="1", SLURM_RESTART_COUNT="3")
        with open(self.path("requeued"), encoding="utf-8") as stream:
            self.assertEqual(stream.read(), "requeue 9_1\n")


class Faults(ShardCase):
    """A machine that dies in a request: `IMGFACTORY_SHARD_KILLS=100` for more of them, `IMGFACTORY_SHARD_SEED` for others."""

    CALLS = (["--shard", "0/2"], ["--shard", "1/2"], ["assemble"])

    def begin(self, number):
        """A site of its own, and three machines."""
        self.site("  - one\n  - two\n", self.head.replace("namespace: me", f"namespace: n{number}"))
        return [self.machine(f"m{number}-{index}") for index in range(3)]

    def finish(self, machines):
        for machine, words in zip(machines, self.CALLS):
            result = machine.run(*words, cwd=self.top, env=self.env)
            self.assertEqual(result.code, run.OK, result)

    def check(self, number, right, are_all):
        for name, tags in right.items():
            seen = {tag: at for tag, at in self.tags(name, f"n{number}").items() if not tag.startswith("imgfactory-")}
            self.assertEqual(seen if are_all else {**tags, **seen}, tags)
            for digest in set(seen.values()):
                self.target.check(f"n{number}/{name}", digest)

    def test_whatever_request_a_machine_dies_in_no_tag_is_wrong_and_the_next_calls_heal(self):
        chance = random.Random(int(os.environ.get("IMGFACTORY_SHARD_SEED", "1")))
        self.write_manifest("under", self.manifest("under", "hello3"))  # pushed nowhere
        self.write_manifest("two", self.manifest("two", "hello1", self.BOTH).replace("name: two\n", "name: two\nbase: manifest:under\n"))
        self.lock()
        self.finish(self.begin("whole"))
        right = {name: {tag: at for tag, at in self.tags(name, "nwhole").items() if not tag.startswith("imgfactory-")}
                 for name in ("one", "two")}
        for number in range(int(os.environ.get("IMGFACTORY_SHARD_KILLS", "3"))):
            machines, victim, nth = self.begin(number), number % 3, chance.randint(1, 60)
            for machine, words in list(zip(machines, self.CALLS))[:victim]:
                machine.run(*words, cwd=self.top, env=self.env)
            fault = self.proxy.fault("*", "/v2/", nth=nth, hold=chance.choice(("before", "after")))
            process = subprocess.Popen(machines[victim].command(*self.CALLS[victim]), cwd=self.top, stdin=subprocess.DEVNULL,
                                       env=run.Factory.environment(self.env), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            while process.poll() is None and not fault.reached.wait(0.05):
                pass
            process.kill()
            process.wait()
            fault.left = 0
            with self.subTest(victim=self.CALLS[victim], nth=nth):
                self.check(number, right, False)
                self.finish(machines)
                self.check(number, right, True)


if __name__ == "__main__":
    unittest.main()
