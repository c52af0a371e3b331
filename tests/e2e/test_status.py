# SPDX-License-Identifier: Apache-2.0
"""The status record of a site: what nights write into a registry, and what `imgfactory status` makes of it."""

import base64
import hashlib
import json
import os
import shutil
import time
import unittest
import urllib.request

from base import FaultProxy, deb, elf, layout, run, world
from kit.schema import REPORT as SCHEMA
from test_site import SiteCase

TYPE = "application/vnd.imgfactory.status.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
ANNOTATION = "vnd.imgfactory.status"


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class StatusCase(SiteCase):
    def setUp(self):
        super().setUp()
        options = self.factory.options
        self.ready(manifest=world.MANIFEST, packages=world.packages() + self.programs("2.10-3"))
        self.factory.options = options
        self.registry = self.make_registry()
        self.place = f"{self.registry.host}/ns/status"

    @staticmethod
    def programs(version):
        return [deb.Package(f"hello{number}", arch=name, version=version, files=[
            deb.program(f"/usr/bin/hello{number}", elf.hello(name, layout.HELLO))])
                for name in ("amd64", "arm64") for number in (1, 2, 3)]

    def site(self, images="  - one\n  - ./own.yaml\n", more="", status=None, host=None):
        status = f"status: {status or self.place}\n" if status != "" else ""
        super().site(images, f"source: source.yaml\narch: all\nregistry: {host or self.registry.host}\nnamespace: ns\n"
                             f"tls-verify: false\n{status}{more}")

    def fetch(self, name, repository="ns/status"):
        request = urllib.request.Request(f"{self.registry.url}/v2/{repository}/manifests/{name}",
                                         headers={"Accept": f"{MANIFEST}, application/vnd.oci.image.index.v1+json"})
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def record(self, repository="ns/status", tag="latest"):
        """The record, read without the program, from both places where it stands."""
        manifest = self.fetch(tag, repository)
        self.assertEqual((manifest["artifactType"], manifest["mediaType"]), (TYPE, MANIFEST))
        layer, = manifest["layers"]
        inside = base64.b64decode(layer["data"], validate=True)
        self.assertEqual((layer["mediaType"], layer["digest"], layer["size"]), (TYPE, digest_of(inside), len(inside)))
        self.assertEqual(manifest["config"], {key: layer[key] for key in ("mediaType", "digest", "size")})
        self.assertEqual(self.registry.blob(layer["digest"]), inside)
        return json.loads(inside)

    def images(self, **settings):
        return {image["image"]: image for image in self.record(**settings)["images"]}

    def put(self, document, artifact=TYPE, tag="latest", inside=True):
        """A record by another hand."""
        data = document if isinstance(document, bytes) else json.dumps(document).encode()
        opened = urllib.request.urlopen(urllib.request.Request(f"{self.registry.url}/v2/ns/status/blobs/uploads/",
                                                               method="POST", data=b""))
        where = opened.headers["Location"]
        where += ("&" if "?" in where else "?") + "digest=" + digest_of(data)
        urllib.request.urlopen(urllib.request.Request(where, method="PUT", data=data, headers={
            "Content-Type": "application/octet-stream"})).close()
        told = {"mediaType": artifact, "digest": digest_of(data), "size": len(data)}
        layer = {**told, "data": base64.b64encode(data).decode()} if inside else told
        manifest = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": artifact, "config": told,
                               "layers": [layer]}).encode()
        urllib.request.urlopen(urllib.request.Request(f"{self.registry.url}/v2/ns/status/manifests/{tag}", method="PUT",
                                                      data=manifest, headers={"Content-Type": MANIFEST})).close()
        return digest_of(manifest)

    def status(self, *words, code=run.OK, json_too=True):
        """Asked from a machine that has nothing of the nights: other folders."""
        other = run.Factory(self.path("elsewhere"))
        options = ("--tls-verify=false", *(["--json"] if json_too else []))
        result = self.call("status", *options, *words, folders=other)
        self.assertEqual(result.code, code, result)
        self.last = result
        if not json_too or not result.stdout:
            return result
        told = json.loads(result.stdout)
        self.assertEqual(SCHEMA.faults(told, "status"), [])
        return told

    def states(self, *words, **settings):
        return {image["image"]: image["state"] for image in self.status(*words, **settings)["images"]}


class Nights(StatusCase):
    def test_a_night_writes_what_became_of_every_image(self):
        self.site("  - one\n  - ./own.yaml\n  - gone\n")
        begun = int(time.time())
        report = self.night(code=run.PARTLY)
        self.assertEqual(SCHEMA.faults(report.json, "report"), [])
        self.assertEqual((report.json["status_record"]["reference"], report.json["status_record"]["status"]),
                         (self.place + ":latest", "written"))
        images = self.images()
        self.assertEqual(sorted(images), ["gone", "one", "own"])
        repository = report.order("one", "x86_64")["source"]["repositories"][0]
        for name in ("one", "own"):
            told = images[name]
            self.assertEqual((told["outcome"], told["digest"], told["tags"], told["proven"]),
                             ("built", report.images()[name]["digest"], report.images()[name]["tags"], True))
            self.assertEqual(told["destination"], f"{self.registry.host}/ns/{name}")
            self.assertEqual(told["repositories"], [{"name": repository["name"], "date": repository["date"]}])
            self.assertEqual(told["architectures"], ["x86_64", "aarch64"])
            self.assertLessEqual(begun, told["good"])
            self.assertLessEqual(told["good"], time.time())
        self.assertEqual((images["gone"]["outcome"], images["gone"]["error"]["kind"], images["gone"]["good"]),
                         ("failed", "usage", 0))
        self.night(code=run.PARTLY)
        self.assertEqual(self.images()["one"]["outcome"], "unchanged")

    def test_a_night_costs_five_requests_of_it_whatever_the_number_of_images(self):
        proxy = self.serve(FaultProxy(self.registry.url))
        for images in ("  - one\n", "  - one\n  - two\n  - ./own.yaml\n  - command:hello3\n"):
            self.site(images, status=f"{proxy.host}/ns/status")
            for _ in range(2):
                proxy.forget()
                self.night()
                asked = [(request.verb, request.status) for request in proxy.asked() if request.target != "/v2/"]
                self.assertLessEqual(len(asked), 5, asked)
                self.assertEqual(asked[-1], ("HEAD", 200))

    def test_only_the_index_has_an_annotation_and_only_with_status_in_the_site_file(self):
        self.site(status="")
        plain = self.night()
        children = self.fetch("latest", "ns/one")["manifests"]
        self.site()
        told = self.night()
        index = self.fetch("latest", "ns/one")
        self.assertEqual(index["annotations"][ANNOTATION], self.place + ":latest")
        self.assertEqual(index["manifests"], children)
        self.assertNotEqual(plain.images()["one"]["digest"], told.images()["one"]["digest"])
        alone = self.night("one")
        self.assertEqual((alone.images()["one"]["status"], alone.images()["one"]["digest"]),
                         ("unchanged", told.images()["one"]["digest"]))
        self.assertNotIn("status_record", alone.json)
        self.site(status="")
        self.assertEqual(self.night().images()["one"]["digest"], plain.images()["one"]["digest"])
        self.assertNotIn("status_record", json.loads(self.last.stdout))

    def test_what_is_no_night_or_pushes_nothing_writes_nothing(self):
        self.site()
        for options in (("one",), ("--dry-run",), ("--no-push",)):
            self.night(*options)
            self.assertNotIn("latest", self.registry.tags("ns/status"))

    def test_what_a_failed_image_was_before_stays_known(self):
        self.site()
        self.night()
        before = self.images()["own"]
        self.write("own.yaml", "name: own\nnonsense: 1\n")
        self.night(code=run.PARTLY)
        failed = self.images()["own"]
        self.assertEqual((failed["outcome"], failed["error"]["kind"], failed["failing_since"]),
                         ("failed", "usage", failed["night"]))
        for key in ("destination", "digest", "tags", "good", "architectures", "repositories"):
            self.assertEqual(failed[key], before[key], key)
        self.night(code=run.PARTLY)
        self.assertEqual(self.images()["own"]["failing_since"], failed["night"])
        self.write("own.yaml", self.manifest("own", "hello2"))
        self.night()
        self.assertEqual((self.images()["own"]["failing_since"], self.images()["own"]["error"]), (0, None))

    def test_an_image_that_the_site_does_not_have_any_more_goes(self):
        self.site()
        self.night()
        self.site("  - one\n")
        self.night()
        self.assertEqual(list(self.images()), ["one"])

    def test_two_sites_write_one_record_and_none_loses_the_other(self):
        self.site("  - one\n")
        self.night()
        first = self.images()["one"]
        self.factory.state = self.path("state2")
        self.site("  - two\n")
        self.night()
        self.assertEqual(sorted(self.images()), ["one", "two"])
        self.assertEqual(self.images()["one"], first)

    def test_what_another_machine_writes_at_the_same_time_is_not_lost(self):
        """The other one writes after this one has read, whatever the order of the answers."""
        self.site("  - two\n")
        self.night()
        other = self.record()
        self.factory.state = self.path("state2")
        proxy = self.serve(FaultProxy(self.registry.url))
        self.site("  - one\n", status=f"{proxy.host}/ns/status")
        self.night()
        other["images"] = [{**image, "outcome": "unchanged", "night": image["night"] + 1, "good": image["good"] + 1}
                           for image in other["images"]]
        for verb, path in (("POST", "uploads"), ("PUT", "manifests/latest")):  # before its manifest, after it
            written = []

            def meanwhile(_request, _answer):
                if not written:
                    written.append(self.put(other))
            fault = proxy.fault(verb, path, change=meanwhile)
            self.night()
            self.assertEqual((fault.hits, len(written)), (1, 1))
            images = self.images()
            self.assertEqual(sorted(images), ["one", "two"])
            if verb == "PUT":
                self.assertEqual(images["two"]["night"], other["images"][0]["night"])
            proxy.heal()

    def test_a_newer_night_is_not_overwritten_by_an_older_one(self):
        self.site("  - one\n")
        self.night()
        record = self.record()
        newer = {**record["images"][0], "night": record["night"] + 600, "good": record["night"] + 600, "writer": "f" * 16}
        self.put({**record, "images": [newer]})
        self.night()
        self.assertEqual(self.images()["one"], newer)
        ahead = {**newer, "night": record["night"] + 90000}
        self.put({**record, "images": [ahead]})
        self.assertEqual(self.states(self.place, code=run.PARTLY), {"one": "ahead"})
        self.night()  # no clock is that far ahead
        self.assertLessEqual(self.images()["one"]["night"], time.time())

    def test_a_lost_or_broken_record_begins_anew(self):
        self.site("  - one\n")
        self.night()
        good = self.record()
        self.registry.forget_tag("ns/status", "latest")
        self.night()
        self.assertEqual(sorted(self.images()), ["one"])
        hostile = ({**good, "night": 1 << 62}, {**good, "images": [{**good["images"][0], "night": -1}]}, {**good, "more": 1},
                   {**good, "images": {}}, [], b"", b"{", b"\0" * 100, b"[" * 100000, {**good, "program": None})
        for document in hostile:
            for inside in (True, False):
                self.put(document, inside=inside)
                self.assertIn("not whole", self.status(self.place, code=run.MALFORMED).stderr)
        for document in (hostile[0], hostile[-2]):
            self.put(document)
            self.night()
            self.assertIn("begins anew", self.last.stderr)
            self.assertEqual(sorted(self.images()), ["one"])

    def test_what_is_no_record_or_a_newer_one_is_left_as_it_is(self):
        self.site("  - one\n")
        self.night()
        record = self.record()
        for document, artifact, told in (({**record, "format": 2, "more": 1}, TYPE, "newer imgfactory"),
                                         (record, "application/vnd.other+json", "no status record")):
            put = self.put(document, artifact)
            report = self.night(code=run.PUBLISH)
            self.assertEqual((report.json["exit"], report.images()["one"]["status"]), (run.PUBLISH, "unchanged"))
            self.assertIn(told, report.json["status_record"]["error"]["text"])
            self.assertEqual(SCHEMA.faults(report.json, "report"), [])
            self.assertEqual(self.registry.tags("ns/status")["latest"], put)
        self.site("  - one\n", status=f"{self.registry.host}/ns/one:latest")  # an image's tag
        self.night(code=run.PUBLISH)
        self.assertIn("manifests", self.fetch("latest", "ns/one"))

    def test_a_registry_that_takes_no_record_spoils_the_night_but_no_image(self):
        proxy = self.serve(FaultProxy(self.registry.url))
        self.site(status=f"{proxy.host}/ns/status")
        for number, (verb, status, code) in enumerate((("POST", 403, run.PUBLISH), ("PUT", 500, run.NETWORK),
                                                       ("GET", 503, run.NETWORK))):
            self.write("own.yaml", self.manifest("own", f"hello{number % 2 + 1}"))
            proxy.fault(verb, "ns/status", status=status, times=None)
            report = self.night("--summary", code=code)
            self.assertEqual(report.json["status_record"]["status"], "failed")
            self.assertIn(f"FAILED  {proxy.host}/ns/status:latest  ", self.last.stderr)
            self.assertEqual(self.registry.tags("ns/own")["latest"], report.images()["own"]["digest"])
            self.registry.check("ns/own", report.images()["own"]["digest"])
            proxy.heal()

    def test_a_place_that_is_none_begins_nothing(self):
        for status in ("nowhere", "q.io/x@sha256:" + "0" * 64, "q.io/X", "''"):
            self.site("  - one\n", status=status)
            self.assertRegex(self.night(code=run.USAGE, json_too=False).stderr, "imgfactory.yaml.*status")
            self.assertFalse(os.path.exists(os.path.join(self.factory.output, "one")))


class Machines(StatusCase):
    """Two machines make one site's nights; the mirror of one of them is behind."""

    def setUp(self):
        super().setUp()
        self.now = int(time.time())

    def mirror(self, version, age):
        """What the mirror has from now on."""
        self.repository.packages = world.packages() + self.programs(version)
        self.repository.publish(self.key, date=self.now - age)

    def machine(self, name):
        options, self.factory = self.factory.options, run.Factory(self.path(name))
        self.factory.options = options

    def newer(self):
        """One machine's night of newer repositories; then the other's machine has older ones."""
        self.machine("ahead")
        self.mirror("2.10-4", 600)
        report = self.night()
        self.mirror("2.10-3", 7200)
        self.machine("behind")
        return report.images()

    def test_a_machine_with_older_repositories_leaves_tags_at_what_another_one_made(self):
        self.site()
        ahead = self.newer()
        before = self.images()
        report = self.night("--summary")
        self.assertEqual(SCHEMA.faults(report.json, "report"), [])
        for name, image in report.images().items():
            self.assertNotEqual(image["digest"], ahead[name]["digest"])
            self.assertEqual((image["status"], image["push"]["status"]), ("built", "unchanged"))
            self.assertEqual({tag["name"]: (tag["new"], tag["moved"], tag["kept"]) for tag in image["push"]["tags"]},
                             {tag: (ahead[name]["digest"], False, True) for tag in ("latest", "2.10")})
            self.assertEqual((image["newer"]["digest"], image["newer"]["there"], image["newer"]["here"]),
                             (ahead[name]["digest"], self.now - 600, self.now - 7200))
            self.assertIn(image["newer"]["repository"], [there["name"] for there in before[name]["repositories"]])
            self.assertEqual(set(self.registry.tags(f"ns/{name}").values()), {ahead[name]["digest"]})
        self.assertRegex(self.last.stderr, r"(?m)warning: one: the tags in .* stay at sha256:.*newer repositories.*imgfactory push")
        self.assertRegex(self.last.stderr, r"(?m)^ok +one .*, left as it is, which is newer, in ")
        self.assertEqual(self.images(), before)  # the other machine's night stands for them
        self.assertEqual(set(self.states(self.place).values()), {"current"})
        text = self.night("--rebuild", json_too=False).stdout
        self.assertRegex(text, r"(?m)^  newer   .* UTC there, of .* UTC here$")
        self.mirror("2.10-5", 60)
        made = self.night().images()
        for name in made:
            self.assertEqual(set(self.registry.tags(f"ns/{name}").values()), {made[name]["digest"]})

    def test_a_call_that_names_an_image_leaves_them_too_and_push_moves_them(self):
        self.site("  - one\n")
        self.newer()
        image = self.night("one").images()["one"]
        self.assertEqual((image["push"]["status"], "newer" in image), ("unchanged", True))
        result = self.call("push", "--tls-verify=false", os.path.join(self.factory.output, "one"), f"{self.registry.host}/ns/one:latest")
        self.assertEqual(result.code, run.OK, result)
        self.assertEqual(self.registry.tags("ns/one")["latest"], image["digest"])

    def test_without_a_record_that_knows_tags_move(self):
        """No record, one of other digests, other repositories, a clock that is ahead, older dates in it: nothing is known."""
        self.site("  - one\n")
        ahead = self.newer()["one"]["digest"]
        record = self.record()
        told = record["images"][0]
        repository = told["repositories"][0]
        for number, change in enumerate((
                {"digest": "sha256:" + "0" * 64}, {"repositories": [{**repository, "name": "elsewhere"}]},
                {"repositories": [{**repository, "date": self.now + 90000}]}, {"architectures": ["x86_64"]},
                {"repositories": [repository, {**repository, "name": "one more"}]},
                {"repositories": [{**repository, "date": self.now - 7200}]}, {"destination": "q.io/x"}, None)):
            self.factory.state = self.path(f"state{number}")
            self.call("tag", "--tls-verify=false", f"{self.registry.host}/ns/one@{ahead}", "latest")
            self.factory.state = self.path(f"other-state{number}")
            if change:
                self.put({**record, "images": [{**told, **change}]})
            else:
                self.registry.forget_tag("ns/status", "latest")
            image = self.night().images()["one"]
            self.assertNotIn("newer", image, change)
            self.assertEqual(self.registry.tags("ns/one")["latest"], image["digest"], change)

    def test_what_it_costs(self):
        """Of a machine that published what is there: five, as ever. Of another: six."""
        proxy = self.serve(FaultProxy(self.registry.url))
        self.site("  - one\n  - two\n", status=f"{proxy.host}/ns/status")
        asked = lambda: len([request for request in proxy.asked() if request.target != "/v2/"])
        for age, version in ((9000, "2.10-2"), (8000, "2.10-4"), (7900, "2.10-5")):
            self.mirror(version, age)
            proxy.forget()
            self.night()
            self.assertLessEqual(asked(), 5)
        folder = os.path.join(self.factory.state, "v1/pushed")
        for name in os.listdir(folder):  # what it pushed stays its own also when it was long ago
            os.utime(os.path.join(folder, name), (self.now - 20 * 86400,) * 2)
        self.mirror("2.10-6", 7800)
        proxy.forget()
        self.night()
        self.assertLessEqual(asked(), 5)
        self.machine("behind")
        self.mirror("2.10-3", 8500)
        proxy.forget()
        self.night()
        self.assertEqual(asked(), 6)

    def test_a_tag_that_never_moves_holds_up_no_other(self):
        """It is no reason to ask the record, and none to leave the other tags."""
        proxy = self.serve(FaultProxy(self.registry.url))
        self.site("  - {image: one, tags: [latest, {tag: '{version}', immutable: true}]}\n", status=f"{proxy.host}/ns/status")
        self.machine("ahead")
        self.mirror("2.10-4", 600)
        fixed = self.night().images()["one"]["digest"]
        self.mirror("2.10-3", 7200)
        self.machine("behind")
        first = self.night().images()["one"]
        self.assertEqual((first["newer"]["digest"], self.registry.tags("ns/one")["latest"]), (fixed, fixed))
        pushed = self.call("push", "--tls-verify=false", os.path.join(self.factory.output, "one"), f"{self.registry.host}/ns/one:latest")
        self.assertEqual(pushed.code, run.OK, pushed)  # somebody wants the older one; what follows it is not older than that
        self.mirror("2.10-5", 7000)
        proxy.forget()
        image = self.night().images()["one"]
        self.assertEqual(self.registry.tags("ns/one"), {"latest": image["digest"], "2.10": fixed})
        self.assertNotEqual(image["digest"], first["digest"])
        self.assertLessEqual(len([request for request in proxy.asked() if request.target != "/v2/"]), 5)

    def test_a_night_that_did_not_know_in_time_sets_tags_back(self):
        """The newer night's record comes when the older one has published, before it writes."""
        proxy = self.serve(FaultProxy(self.registry.url))
        self.site("  - one\n")
        ahead = self.newer()["one"]["digest"]
        record = self.record()
        self.registry.forget_tag("ns/status", "latest")
        moved = []

        def meanwhile(_request, _answer):
            if not moved:
                moved.append(self.registry.tags("ns/one")["latest"])
                self.put(record)
        self.site("  - one\n", host=proxy.host, status=f"{self.registry.host}/ns/status")
        record["images"][0]["destination"] = f"{proxy.host}/ns/one"
        proxy.fault("PUT", "ns/one/manifests/latest", change=meanwhile)
        report = self.night()
        self.assertEqual(self.registry.tags("ns/one"), {"latest": ahead, "2.10": ahead})
        image = report.images()["one"]
        self.assertEqual({tag["new"] for tag in image["push"]["tags"]}, {ahead})
        self.assertEqual((image["newer"]["digest"], self.images()["one"]["digest"]), (ahead, ahead))

    def test_images_that_share_a_repository_are_settled_each_for_itself(self):
        """As above; the record has two images of that repository, each with a tag of its own."""
        proxy = self.serve(FaultProxy(self.registry.url))
        place = "  - {{image: one, push: {0}/ns/both, tags: [one]}}\n  - {{image: two, push: {0}/ns/both, tags: [two]}}\n"
        self.site(place.format(proxy.host))
        ahead = {name: image["digest"] for name, image in self.newer().items()}
        record = self.record()
        self.registry.forget_tag("ns/status", "latest")
        self.site(place.format(proxy.host), status=f"{proxy.host}/ns/status")
        moved = []

        def meanwhile(_request, _answer):
            moved.append(None)
            if len(moved) == 2:
                self.put(record)
        proxy.fault("PUT", "ns/both/manifests/(one|two)", times=None, change=meanwhile)
        self.night()
        self.assertEqual(len(moved), 4)  # there, and back
        self.assertEqual(self.registry.tags("ns/both"), ahead)

    def test_a_newer_night_looks_whether_an_older_one_was_there_meanwhile(self):
        self.site("  - one\n")
        self.mirror("2.10-3", 7200)
        self.machine("behind")
        behind = self.night().images()["one"]["digest"]
        record = self.record()
        proxy = self.serve(FaultProxy(self.registry.url))
        self.site("  - one\n", status=f"{proxy.host}/ns/status")
        self.machine("ahead")
        self.mirror("2.10-4", 600)
        for name in ("one",):
            record["images"][0]["night"] = record["images"][0]["good"] = int(time.time()) + 30
        tags = []

        def meanwhile(_request, _answer):
            """The older night sets its tags, and ends."""
            if len(tags) < 2:
                tags.append(self.registry.tags("ns/one")["latest"])
            if len(tags) == 2:
                for tag in ("2.10", "latest"):
                    self.registry.set_tag("ns/one", tag, behind)
                self.put(record)
                tags.append(None)
        proxy.fault("GET", "ns/status/manifests/latest", times=None, change=meanwhile)
        ahead = self.night().images()["one"]["digest"]
        self.assertEqual(tags[:2], [behind, ahead])
        self.assertEqual(set(self.registry.tags("ns/one").values()), {ahead})
        self.assertEqual(self.images()["one"]["digest"], ahead)

    def test_changes_without_a_layout_are_those_to_what_was_published(self):
        """The cache knows what this machine built; of another's image it is said that nothing is known. Nothing more is asked."""
        proxy = self.serve(FaultProxy(self.registry.url))
        self.site("  - one\n", host=proxy.host)
        self.machine("ahead")
        asked = {}
        for version, lost in (("3", ()), ("4", ()), ("5", ("output",)), ("6", ("output", "cache", "state"))):
            self.mirror(f"2.10-{version}", 900 - int(version))
            for name in lost:
                shutil.rmtree(getattr(self.factory, name))
            proxy.forget()
            before = self.registry.tags("ns/one").get("latest")
            report = self.night()
            asked[version] = len(proxy.asked(pattern="/ns/one/"))
            self.assertEqual(SCHEMA.faults(report.json, "report"), [])
            changes = report.images()["one"].get("changes")
            if version == "3":
                self.assertIsNone(changes)
                continue
            self.assertEqual(changes["before"], before)
            self.assertEqual([platform["platform"] for platform in changes["platforms"]], ["linux/amd64", "linux/arm64/v8"])
            for platform in changes["platforms"]:
                packages = [(package["name"], package["after"]) for package in platform["packages"]]
                self.assertEqual(packages, [] if version == "6" else [("hello1", f"2.10-{version}")])
                self.assertEqual([f"imgfactory diff {proxy.host}/ns/one@{before} " in note for note in platform["notes"]],
                                 [True] if version == "6" else [])
                self.assertEqual(platform["configuration"] if lost else [], [])
        self.assertEqual(asked["4"], asked["5"])

    def test_a_record_as_big_as_one_may_be_is_no_dead_end(self):
        """Another writer's: well-formed, of 3 to 4 MiB. With our images it has no room."""
        self.site("  - one\n")
        self.night()
        record = self.record()
        image = record["images"][0]
        for count, text in ((3000, "x" * 700), (9990, "y")):
            others = [{**image, "image": f"other{number}", "asked": f"other{number}", "destination": None,
                       "writer": "f" * 16, "night": image["night"] - number, "tags": [text]} for number in range(count)]
            data = json.dumps({**record, "images": others}).encode()
            while len(data) > (4 << 20) - 20:
                others.pop()
                data = json.dumps({**record, "images": others}, separators=(",", ":")).encode()
            self.assertGreater(len(data), 3 << 20)
            self.put(data, inside=False)
            self.night()
            self.assertNotIn("begins anew", self.last.stderr)
            document = self.fetch("latest")["layers"][0]
            written = json.loads(self.registry.blob(document["digest"]))
            self.assertLessEqual(document["size"], 4 << 20)
            names = {image["image"] for image in written["images"]}
            self.assertLessEqual({"one", "other0"}, names)
            if len(names) < len(others) + 1:
                self.assertIn(f"no room for {len(others) + 1 - len(names)} images of other nights", self.last.stderr)
        self.put(b"[" + b" " * (5 << 20) + b"]", inside=False)  # bigger than any
        self.night()
        self.assertIn("begins anew", self.last.stderr)
        self.assertEqual(sorted(self.images()), ["one"])


class Asked(StatusCase):
    def test_status_reads_the_record_of_a_site_of_a_place_and_of_an_image(self):
        self.site()
        self.night()
        told = self.status()
        self.assertEqual((told["current"], told["record"], told["delays"]["count"]), (True, self.place + ":latest", 0))
        os.rename(self.config, self.path("lab.yaml"))
        for words in (("lab.yaml",), ("--config", "lab.yaml"), (self.place,)):
            self.assertEqual(self.states(*words), {"one": "current", "own": "current"})
        self.assertEqual(self.states(f"{self.registry.host}/ns/own"), {"own": "current"})
        text = self.status(self.place, json_too=False).stdout
        self.assertRegex(text, rf"(?m)^one +current +\S+ \S+ ago +{told['images'][0]['digest'][:19]} +latest 2.10$")
        self.assertEqual(self.status("--quiet", self.place, json_too=False).stdout, "")

    def test_an_image_that_is_not_what_was_published_last_is_replaced(self):
        self.site("  - one\n")
        self.repository.packages = world.packages() + self.programs("2.10-3")
        self.repository.publish(self.key, date=-7200)
        first = self.night().images()["one"]["digest"]
        self.repository.packages = world.packages() + self.programs("2.11-1")
        self.repository.publish(self.key, date=-3600)
        last = self.night().images()["one"]["digest"]
        self.assertNotEqual(first, last)
        image = f"{self.registry.host}/ns/one"
        for word, state in ((f"@{first}", "replaced"), (":2.10", "replaced"), (f"@{last}", "current"), ("", "current"), (":2.11", "current")):
            with self.subTest(word=word):
                code = run.OK if state == "current" else run.PARTLY
                self.assertEqual(self.states(image + word, code=code), {"one": state})
        self.assertIn(f"  {first[:19]} is not what was published last\n", self.status(f"{image}@{first}", code=run.PARTLY, json_too=False).stdout)
        # While the record does not tell of the newest yet, a tag of the nights is what they say.
        self.registry.set_tag("ns/one", "latest", first)
        self.assertEqual(self.states(image), {"one": "current"})

    def test_what_is_stale_failing_or_missing_ends_with_9_and_is_named(self):
        self.site()
        self.night()
        self.write("own.yaml", "nonsense: 1\n")
        self.night(code=run.PARTLY)
        self.assertEqual(self.states(code=run.PARTLY), {"one": "current", "own": "failing"})
        self.assertIn("1 of 2 images is not current: own (failing)", self.last.stderr)
        text = self.status(code=run.PARTLY, json_too=False).stdout
        self.assertRegex(text, r"(?m)^own +failing .*\n  failing since .*UTC, usage \(2\): .*nonsense")
        self.site("  - one\n  - two\n")
        told = self.status(code=run.PARTLY)
        self.assertEqual([(image["image"], image["state"], image["judged"]) for image in told["images"]],
                         [("one", "current", True), ("two", "missing", True), ("own", "failing", False)])
        record = self.record()
        record["images"] = [{**image, "outcome": "unchanged", "error": None, "good": image["night"] - 7200}
                            for image in record["images"]]
        self.put(record)
        self.assertEqual(set(self.states(self.place).values()), {"current"})
        self.assertEqual(set(self.states(self.place, "--max-age", "1h", code=run.PARTLY).values()), {"stale"})
        self.assertIn("one (stale), own (stale)", self.last.stderr)
        self.status(self.place, "--max-age", "soon", code=run.USAGE)

    def test_what_has_no_record_says_so(self):
        self.assertIn("no site file", self.status(code=run.USAGE).stderr)
        self.site("  - one\n", status="")
        self.assertIn("has no status:", self.status(code=run.USAGE).stderr)
        self.night()
        self.assertIn("names none", self.status(f"{self.registry.host}/ns/one", code=run.USAGE).stderr)
        self.site("  - one\n")
        self.assertIn("no night has written", self.status(code=run.PUBLISH).stderr)
        self.status(f"{self.registry.host}/ns/absent", code=run.PUBLISH)
        self.site("  - one\n", status="127.0.0.1:1/elsewhere/status")
        self.night(code=run.NETWORK)
        self.assertIn("not in its registry", self.status(f"{self.registry.host}/ns/one", code=run.USAGE).stderr)

    def test_nothing_of_a_hostile_record_reaches_a_terminal(self):
        self.site("  - one\n")
        self.night()
        record = self.record()
        bad = "\x1b[31m\r\nok \u202e\x7f" * 200
        record["images"] = [{**record["images"][0], "image": bad, "asked": bad, "destination": bad, "tags": [bad],
                             "outcome": "failed", "error": {"kind": bad, "exit": 2, "text": bad},
                             "repositories": [{"name": bad, "date": 1}]}]
        self.put({**record, "program": bad})
        for words in ((), (self.place,)):
            result = self.status(*words, code=run.PARTLY, json_too=False)
            for text in (result.stdout, result.stderr):
                self.assertFalse([char for char in text if ord(char) < 32 and char != "\n" or char in "\x7f\u202e"])
            self.assertLess(len(result.stdout), 20000)
        self.status(self.place, code=run.PARTLY)

    def test_moves_after_new_metadata_are_timed(self):
        now = int(time.time())
        self.repository.publish(self.key, date=now - 7200)
        self.site()
        self.night()
        self.assertEqual(self.record()["moves"], [])  # nothing was there before
        for number, age in enumerate((3600, 600, 60)):
            self.repository.packages = world.packages() + self.programs(f"2.10-{number + 4}")
            self.repository.publish(self.key, date=now - age)
            self.night()
        moves = self.record()["moves"]
        self.assertEqual(len(moves), 6)
        self.assertEqual([move["released"] for move in moves], [now - 60] * 2 + [now - 600] * 2 + [now - 3600] * 2)
        self.assertEqual({tuple(move["tags"]) for move in moves}, {("2.10", "latest")})
        delays = self.status()["delays"]
        self.assertEqual(delays["count"], 6)
        self.assertAlmostEqual(delays["median_seconds"], 600, delta=60)
        self.assertAlmostEqual(delays["worst_seconds"], 3600, delta=60)
        self.assertIn("6 moves after new metadata: median ", self.status(json_too=False).stdout)
        self.write("own.yaml", self.manifest("own", "hello1"))  # no metadata changed
        self.night()
        self.assertEqual(self.record()["moves"], moves)


if __name__ == "__main__":
    unittest.main()
