# SPDX-License-Identifier: Apache-2.0
"""A site that names its images: `imgfactory` without names makes them all, and none stops another."""

import fcntl
import os
import re
import time
import unittest

from base import FaultProxy, PushCase, Report, deb, elf, image, layout, run, world
from kit.schema import REPORT as SCHEMA

NAMES = ("one", "two")


class SiteCase(PushCase):
    """Two manifests of the catalogue and one of the site's own, and nothing to make them from."""

    def setUp(self):
        super().setUp()
        for name in NAMES:
            self.write_manifest(name, self.manifest(name, "hello1"))
        self.write("own.yaml", self.manifest("own", "hello2"))
        self.factory.options = ["--manifests", self.path("manifests"), "--retries", "1"]
        self.factory.output = self.path("out")

    @staticmethod
    def manifest(name, program, more=""):
        return (f'name: {name}\nbinaries: [/usr/bin/{program}]\ntags: [latest, "{{version}}"]\n'
                f'config:\n  entrypoint: [/usr/bin/{program}]\n{more}')

    def site(self, images, more="source: source.yaml\narch: all\n"):
        self.config = self.write("imgfactory.yaml", f"{more}images:\n{images}")

    def night(self, *options, code=run.OK, json_too=True, **settings):
        settings.setdefault("env", self.env)
        result = self.run_factory(*(["--json"] if json_too else []), *options, cwd=self.top, **settings)
        self.assertEqual(result.code, code, result)
        self.last = result
        return Report(result.stdout) if json_too else result


class Files(SiteCase):
    """What is told of a site file alone: mistakes, and the units of its nights."""

    def test_without_images_a_call_without_names_is_refused(self):
        self.write("imgfactory.yaml", "arch: all\n")
        self.assertIn("no image named", self.night(code=run.USAGE, json_too=False).stderr)

    def test_a_mistake_in_the_site_file_begins_nothing(self):
        for images, told in (("  - one\n  - one\n", "twice"), ("  - {image: one, nonsense: 1}\n", "nonsense"),
                             ("  - {images: [one, two], push: q.io/me/x}\n", "one repository"),
                             ("  - {image: one, images: [two]}\n", "either"), ("  - {source: x}\n", "either"),
                             ("  - {image: one, tags: ['{nothing}']}\n", "placeholder"),
                             ("  - {image: one, base: 'manifest:A B'}\n", "base")):
            self.site(images)
            result = self.night(code=run.USAGE, json_too=False)
            self.assertRegex(result.stderr, rf"imgfactory.yaml:\d+:\d+: .*{told}")

    def test_an_architecture_of_the_site_file_that_is_none_is_told_by_its_key(self):
        for images, more, told in (("  - {image: one, architectures: [z80]}\n", "", "architectures: unknown"), ("  - one\n", "arch: z80\n", "arch: unknown")):
            self.site(images, more)
            self.assertIn(f"image one: {told} architecture 'z80'", self.night(code=run.USAGE, json_too=False).stderr)

    def unit(self, *words, code=run.OK):
        result = self.call("unit", "--manifests", self.path("manifests"), *words)
        self.assertEqual(result.code, code, result)
        return result

    def test_the_units_of_a_night_run_the_site_that_was_named(self):
        self.site("  - one\n  - ./own.yaml\n", "source: source.yaml\nauthfile: auth.json\noutput: layouts\n")
        os.rename(self.config, self.path("lab.yaml"))
        self.unit("--config", "lab.yaml", "--format", "timer", "--timeout", "2h", "--units", "units")
        self.assertEqual(sorted(os.listdir(self.path("units"))),
                         ["imgfactory-lab-output.conf", "imgfactory-lab.service", "imgfactory-lab.timer", "imgfactory.conf"])
        with open(self.path("units/imgfactory-lab.service"), encoding="utf-8") as stream:
            service = stream.read()
        command = re.search(r"(?m)^ExecStart=((?:.*\\\n)*.*)$", service)[1].replace("\\\n", " ").split()
        self.assertEqual(command[0], os.path.realpath(run.program()))
        self.assertEqual(command[1:], ["--quiet", "--summary", f"--config={self.path('lab.yaml')}", "--cache=%C/imgfactory",
                                       "--state=%S/imgfactory", f"--output={self.path('layouts')}",
                                       "--authfile=${CREDENTIALS_DIRECTORY}/auth.json",
                                       f"--manifests={self.path('manifests')}", "--retries=4", "--timeout=2h"])
        self.assertIn(f"\nLoadCredential=auth.json:{self.path('auth.json')}\n", service)
        self.assertIn(f"\nReadWritePaths={self.path('layouts')}\n", service)

    def test_a_site_file_that_is_a_link_keeps_its_own_folder(self):
        self.site("  - ./own.yaml\n", "authfile: 'a\\b'\n")
        os.makedirs(self.path("far"))
        os.rename(self.config, self.path("far/lab.yaml"))
        os.symlink("far/lab.yaml", self.path("lab.yaml"))
        told = self.unit("--config", "lab.yaml", "--authfile", "auth.json", "--format", "timer").stdout
        self.assertIn(f" --config={self.path('lab.yaml')} ", told)
        self.assertIn("backslash", self.unit("--config", "lab.yaml", "--format", "timer", code=run.USAGE).stderr)

    def test_a_cronjob_wants_all_of_the_site_in_one_folder_and_an_image_that_has_the_program(self):
        self.site("  - one\n  - ./own.yaml\n")
        options = ("--format", "cronjob", "--image", "quay.io/me/imgfactory")
        job = self.call("unit", *options).stdout
        self.assertIn("\nkind: CronJob\n", job)
        self.assertIn(f"--from-file={self.top}\n", job)
        self.assertIn("{name: IMGFACTORY_PRIVATE_DIRS, value: /var/lib/imgfactory}\n", job)  # some claims come with mode 0777
        self.assertIn("wants --image=REF", self.call("unit", "--format", "cronjob").stderr)
        for images in ("  - sub/own.yaml\n", f"  - {self.path('own.yaml')}\n", "  - ../own.yaml\n",
                       "  - {image: one, source: sub/x.yaml}\n", "  - {image: one, base: ./layout}\n"):
            self.site(images)
            result = self.call("unit", *options)
            self.assertEqual(result.code, run.USAGE, result)
            self.assertIn("in the folder of the site file", result.stderr)
        self.assertIn("in the folder of the site file", self.unit(*options, code=run.USAGE).stderr)  # --manifests

    def test_the_unit_of_an_image_runs_it_from_its_own_place(self):
        self.site("  - {images: [one], push: q.io/own/}\n  - {image: two, push: false}\n  - own\n",
                  "registry: q.io\nnamespace: me\n")
        self.write_manifest("own", self.manifest("own", "hello2"))
        self.assertIn("\nImage=q.io/own/one:latest\n", self.unit("one").stdout)
        self.assertIn("\nImage=q.io/me/own:latest\n", self.unit("own").stdout)
        self.assertIn("no registry is known", self.unit("two", code=run.USAGE).stderr)

    def test_units_of_a_night_are_for_a_site_that_names_its_images(self):
        for form in ("timer", "cronjob"):
            self.assertIn("no site file is there", self.unit("--format", form, code=run.USAGE).stderr)
        self.site("  - one\n")
        for words, told in ((["one"], "takes no names"), (["--pin"], "takes no --pin"), (["--image", "q.io/x"], "no --image")):
            self.assertIn(told, self.unit("--format", "timer", *words, code=run.USAGE).stderr)
        self.assertIn("usage: ", self.unit(code=run.USAGE).stderr)


class Site(SiteCase):
    """And one named by its command."""

    def setUp(self):
        super().setUp()
        options = self.factory.options
        programs = [deb.Package(f"hello{number}", arch=name, version="1:2.10-3", files=[
            deb.program(f"/usr/bin/hello{number}", elf.hello(name, layout.HELLO))])
                    for name in ("amd64", "arm64") for number in (1, 2, 3)]
        self.ready(manifest=world.MANIFEST, packages=world.packages() + programs)
        self.factory.options = options

    def failure(self, report, name):
        made = report.images()[name]
        self.assertEqual(made["status"], "failed")
        return made["error"]["exit"], made["error"]["text"]

    def platforms(self, name):
        return sorted(image.Layout(os.path.join(self.factory.output, name)).platforms())

    def test_a_call_without_names_makes_all_images_of_the_site_in_its_order(self):
        self.site("  - two\n  - ./own.yaml\n  - command:hello3\n  - one\n")
        report = self.night()
        self.assertEqual([made["image"] for made in report.json["images"]], ["two", "own", "hello3", "one"])
        self.assertEqual({made["status"] for made in report.json["images"]}, {"built"})
        self.assertEqual(len(report.images()["hello3"]["architectures"]), 2)
        self.assertEqual({made["status"] for made in self.night().json["images"]}, {"unchanged"})

    def test_a_path_is_relative_to_the_site_file(self):
        self.write("sub/mine.yaml", self.manifest("mine", "hello2"))
        self.write("sub/site.yaml", "images: [./mine.yaml]\nsource: ../source.yaml\narch: all\n")
        report = self.night("--config", "sub/site.yaml")
        self.assertEqual(list(report.images()), ["mine"])

    def test_a_call_with_names_makes_only_those(self):
        self.site("  - one\n  - two\n")
        self.assertEqual(list(self.night("two").images()), ["two"])

    def test_an_image_that_cannot_be_planned_stops_no_other(self):
        self.write("manifests/two.yaml", "name: two\nbinaries: /usr/bin/hello1\nnonsense: 1\n")
        self.write("manifests/three.yaml", self.manifest("three", "hello1", "architectures: [s390x]\n"))
        self.write("manifests/child.yaml", self.manifest("child", "hello2", "base: manifest:two\n"))
        self.site("  - two\n  - ./gone.yaml\n  - command:nothing\n  - {image: three, architectures: amd64}\n"
                  "  - {image: own.yaml, source: nowhere}\n  - child\n  - command:hello3\n  - one\n")
        report = self.night(code=run.PARTLY)
        self.assertEqual(SCHEMA.faults(report.json, "report"), [])
        self.assertEqual({name for name, made in report.images().items() if made["status"] == "built"},
                         {"hello3", "one"})
        self.assertIn("nonsense", self.failure(report, "two")[1])
        self.assertEqual(self.failure(report, "./gone.yaml")[0], run.USAGE)
        self.assertEqual(self.failure(report, "command:nothing")[0], run.USAGE)
        self.assertIn("allows only", self.failure(report, "three")[1])
        self.assertIn("nowhere", self.failure(report, "own.yaml")[1])
        self.assertIn("its base failed", self.failure(report, "child")[1])
        self.assertEqual(self.last.stderr.count("error: "), 6, self.last)
        table = self.night(code=run.PARTLY, json_too=False).stdout
        self.assertRegex(table, r"(?m)^two +- +failed: ")
        self.assertRegex(table, r"(?m)^one +aarch64 ")

    def test_what_fails_all_is_told_once(self):
        self.site("  - one\n  - two\n", "source: absent.yaml\narch: all\n")
        result = self.night(code=run.USAGE, json_too=False)
        self.assertEqual(result.stderr.count("absent.yaml"), 1, result)
        self.assertIn("error: image two: the same\n", result.stderr)

    def test_one_place_for_several_images_begins_nothing(self):
        self.site("  - one\n  - two\n")
        result = self.night("--push=q.io/me/x", code=run.USAGE, json_too=False)
        self.assertEqual(result.stderr.count("error: "), 1, result)
        self.assertIn("--push=q.io/me/x is for one image", result.stderr)

    def test_when_all_fail_the_gravest_is_told(self):
        self.site("  - command:nothing\n  - gone\n")
        self.assertEqual(self.night(code=run.USAGE).json["exit"], run.USAGE)
        self.site("  - gone\n  - ./bad.yaml\n")
        self.write("bad.yaml", "name: bad\nbinaries: [/usr/bin/absent]\n")
        self.night(code=run.RESOLVE)

    def test_the_same_mistakes_on_a_command_line_are_told_before_anything_begins(self):
        self.site("  - one\n")
        self.night("one", "gone", code=run.USAGE, json_too=False)
        self.assertFalse(os.path.exists(os.path.join(self.factory.output, "one")))

    def test_each_or_a_group_has_architectures_and_a_source_of_its_own(self):
        self.write("other.yaml", self.write_source_text(trusted=True))
        self.site("  - {image: one, architectures: [amd64]}\n"
                  "  - {images: [two, ./own.yaml], architectures: [arm64], source: other.yaml}\n")
        report = self.night()
        self.assertEqual({name: [order["arch"] for order in made["architectures"]]
                          for name, made in report.images().items()},
                         {"one": ["x86_64"], "two": ["aarch64"], "own": ["aarch64"]})
        self.assertTrue(report.order("one", "x86_64")["source"]["repositories"][0].get("signed_by"))
        self.assertFalse(report.order("own", "aarch64")["source"]["repositories"][0].get("signed_by"))
        # the same holds when the command line names it, and options come first
        report = self.night("two", "--allow-fewer-platforms")
        self.assertEqual([order["arch"] for order in report.images()["two"]["architectures"]], ["aarch64"])
        report = self.night("two", "--arch", "amd64", "--allow-fewer-platforms")
        self.assertEqual([order["arch"] for order in report.images()["two"]["architectures"]], ["x86_64"])

    def write_source_text(self, **settings):
        with open(self.write_source("written.yaml", **settings), encoding="ascii") as stream:
            return stream.read()

    def test_each_has_a_base_of_its_own(self):
        plain = self.built("  - ./own.yaml\n")
        stacked = self.built("  - {image: ./own.yaml, base: 'manifest:one'}\n  - one\n")
        self.assertNotEqual(stacked, plain)
        self.assertEqual(self.built("  - {image: ./own.yaml, base: ./out/one}\n"), stacked)
        self.assertEqual(self.built("  - ./own.yaml\n"), plain)  # what the site says no more is not remembered

    def built(self, images):
        """The layers of the site's own image."""
        self.site(images)
        order = self.night().order("own", "x86_64")
        return [layer["digest"] for layer in order["layers"]]

    def test_each_has_tags_and_a_place_of_its_own(self):
        target = self.make_registry()
        self.site("  - one\n"
                  "  - {image: two, tags: [night], push: false}\n"
                  f"  - {{images: [./own.yaml, 'command:hello3'], tags: ['v{{version}}', stable], push: {target.host}/group/}}\n",
                  f"source: source.yaml\narch: all\nregistry: {target.host}\nnamespace: ns\ntls-verify: false\n")
        report = self.night()
        self.assertEqual(sorted(target.tags("ns/one")), ["2.10", "latest"])
        self.assertEqual(sorted(target.tags("group/own")), ["stable", "v2.10"])
        self.assertEqual(sorted(target.tags("group/hello3")), ["stable", "v2.10"])
        self.assertNotIn("push", report.images()["two"])
        self.assertEqual(report.images()["two"]["tags"], ["night"])

    def test_two_images_that_would_set_one_tag_of_one_place_are_told(self):
        """Each would take it from the other every night. With other tags one place is fine."""
        place = f"{self.make_registry().host}/ns/both"
        more = "source: source.yaml\narch: all\ntls-verify: false\n"
        self.site(f"  - {{image: one, push: {place}}}\n  - {{image: ./own.yaml, push: {place}}}\n  - {{image: command:hello2, push: {place}}}\n", more)
        report = self.night(code=run.PARTLY)
        self.assertEqual(report.push("one").status, "pushed")
        for name, other in (("own.yaml", "own"), ("command:hello2", "hello2")):
            told = next(image for image in report.json["images"] if image["image"].endswith(name))
            self.assertIn(f"one and {other} would both set the tag latest of {place}", told["error"]["text"])
        self.site(f"  - {{image: one, push: {place}, tags: [a]}}\n  - {{image: ./own.yaml, push: {place}, tags: [b]}}\n", more)
        for _ in range(2):
            self.night()
        self.assertEqual([report.push(name).status for report in (self.night(),) for name in ("one", "own")], ["unchanged"] * 2)

    def test_an_unchanged_night_asks_once_for_each_index_and_each_tag(self):
        target = self.make_registry()
        proxy = self.serve(FaultProxy(target.url))
        self.site("  - one\n  - two\n  - ./own.yaml\n  - command:hello3\n",
                  f"source: source.yaml\narch: all\nregistry: {proxy.host}\nnamespace: ns\ntls-verify: false\n")
        self.night()
        self.server.requests.clear()
        proxy.requests.clear()
        report = self.night()
        self.assertEqual({report.push(name).status for name in report.images()}, {"unchanged"})
        self.assertEqual(len(self.server.requests), 1, self.server.requests)
        tags = sum(len(report.push(name).tags) for name in report.images())
        self.assertEqual(len([request for request in proxy.requests if "/manifests/" in request.target]), tags)
        self.assertLessEqual(len(proxy.requests), tags + 2)

    def test_a_request_that_was_lost_does_not_make_the_registry_one_of_https(self):
        """Two requests find out at the same time that it speaks plain http; the one whose answer is lost tries https next."""
        target, proxy = self.make_proxied()
        self.site("  - one\n", f"source: source.yaml\narch: all\nregistry: {proxy.host}\nnamespace: ns\ntls-verify: false\n"
                               f"status: {proxy.host}/ns/status\n")
        proxy.fault("GET", "/ns/one/manifests/latest", delay=0.5, lost=True)
        self.night()
        self.assertEqual(sorted(target.tags("ns/status")), ["latest"])

    def hold(self):
        os.makedirs(os.path.join(self.factory.state, "v1"), 0o700, exist_ok=True)
        held = os.open(os.path.join(self.factory.state, "v1", "night.lock"), os.O_RDWR | os.O_CREAT, 0o600)
        self.addCleanup(os.close, held)
        fcntl.flock(held, fcntl.LOCK_EX)
        return held

    def test_a_second_night_ends_and_names_the_process_of_the_first(self):
        self.site("  - one\n")
        self.hold()
        result = self.night("--if-running", "end", code=run.LOCAL, json_too=False)
        self.assertRegex(result.stderr, rf"another night.*process {os.getpid()} ")
        self.site("  - one\n", "source: source.yaml\narch: all\nif-running: end\n")
        self.night(code=run.LOCAL, json_too=False)
        self.night("one")  # a call that names its images waits for nobody
        self.night("--dry-run")
        self.night("--if-running", "never", code=run.USAGE, json_too=False)

    def test_or_waits_for_its_end(self):
        self.site("  - one\n")
        held = self.hold()
        child = self.factory.start("--config", self.config, env=self.env)
        said = child.stderr.readline()
        while said and b"waiting for" not in said:
            said = child.stderr.readline()
        self.assertRegex(said.decode(), rf"waiting for .*another night, which process {os.getpid()} ")
        self.assertIsNone(child.poll())
        self.assertFalse(os.path.exists(os.path.join(self.factory.output, "one")))
        fcntl.flock(held, fcntl.LOCK_UN)
        _, stderr = child.communicate(timeout=120)
        self.assertEqual(child.returncode, 0, stderr)

    # What is told of a night.

    def metrics(self, path):
        """{(name, labels): value} of a file in Prometheus' text format, read strictly."""
        told, samples, ended = {}, {}, set()
        with open(path, encoding="utf-8") as stream:
            text = stream.read()
        self.assertTrue(text.endswith("\n"))
        family = None
        for line in text.splitlines():
            head = re.fullmatch(r"# (HELP|TYPE) (imgfactory_[a-z_]+) (.+)", line)
            if head:
                if head[2] != family:
                    self.assertNotIn(head[2], ended, "the samples of one name stand together")
                    ended.add(family)
                    family = head[2]
                told.setdefault(family, []).append(head[1])
                continue
            sample = re.fullmatch(r'([a-z_]+)((?:\{(?:[a-z]+="(?:[^"\\\n]|\\["\\n])*",?)+\})?) (-?[0-9.e+]+)', line)
            self.assertIsNotNone(sample, line)
            self.assertEqual(sample[1], family, line)
            self.assertNotIn((sample[1], sample[2]), samples, line)
            samples[sample[1], sample[2]] = float(sample[3])
        self.assertEqual({tuple(kinds) for kinds in told.values()}, {("HELP", "TYPE")})
        return {f"{name.removeprefix('imgfactory_')}{labels}": value for (name, labels), value in samples.items()}

    def test_metrics_tell_of_each_image_and_of_the_night(self):
        target = self.make_registry()
        self.write("three.yaml", self.manifest("two", "hello2"))  # the name of another one
        self.site("  - one\n  - ./three.yaml\n  - two\n  - gone\n",
                  f"source: source.yaml\narch: all\nregistry: {target.host}\nnamespace: ns\ntls-verify: false\n")
        begun = time.time()
        self.night("--metrics", "night.prom", code=run.PARTLY)
        told = self.metrics(self.path("night.prom"))
        self.assertEqual(os.stat(self.path("night.prom")).st_mode & 0o7777, 0o644)
        self.assertEqual([name for name in os.listdir(self.top) if "night" in name], ["night.prom"])
        self.assertEqual(told["last_run_exit_status"], run.PARTLY)
        self.assertGreaterEqual(told["last_run_timestamp_seconds"], int(begun))
        self.assertLessEqual(told["last_run_timestamp_seconds"], time.time())
        self.assertEqual({name: value for name, value in told.items() if name.startswith("last_run_images")},
                         {'last_run_images{status="built"}': 2, 'last_run_images{status="unchanged"}': 0,
                          'last_run_images{status="held"}': 0, 'last_run_images{status="failed"}': 2})
        self.assertEqual({name: value for name, value in told.items() if name.startswith("image_exit_status")},
                         {'image_exit_status{image="one"}': 0, 'image_exit_status{image="two"}': 0,
                          'image_exit_status{image="two (2)"}': run.USAGE, 'image_exit_status{image="gone"}': run.USAGE})
        self.assertEqual(told['image_moved_tags{image="one"}'], 2)
        self.assertGreater(told['image_sent_bytes{image="one"}'], 0)
        report = Report(self.last.stdout)
        for arch in ("x86_64", "aarch64"):
            order = report.order("one", arch)
            self.assertEqual(told[f'image_layer_bytes{{image="one",arch="{arch}"}}'], order["compressed_bytes"])
            self.assertEqual(told[f'image_files{{image="one",arch="{arch}"}}'], order["file_count"])
        date = {value for name, value in told.items() if name.startswith("repository_timestamp_seconds")}
        self.assertEqual(date, {report.order("one", "x86_64")["source"]["repositories"][0]["date"]})
        self.night("--metrics", "night.prom", "one")
        told = self.metrics(self.path("night.prom"))
        self.assertEqual((told["last_run_exit_status"], told['image_changed{image="one"}']), (0, 0))
        self.assertNotIn('image_success{image="gone"}', told)

    def test_metrics_tell_of_a_run_that_made_nothing_but_not_of_one_that_did_not_begin(self):
        self.site("  - one\n")
        self.night("--metrics", "night.prom")
        before = self.metrics(self.path("night.prom"))
        self.hold()
        self.night("--metrics", "night.prom", "--if-running", "end", code=run.LOCAL, json_too=False)
        self.assertEqual(self.metrics(self.path("night.prom")), before)
        self.site("  - {image: one, nonsense: 1}\n")
        self.night("--metrics", "night.prom", code=run.USAGE, json_too=False)
        told = self.metrics(self.path("night.prom"))
        self.assertEqual(told["last_run_exit_status"], run.USAGE)
        self.assertFalse([name for name in told if name.startswith("image")])
        self.site("  - one\n")
        os.mkfifo(self.path("pipe"))  # no /dev/null: a program that replaced it would spoil the machine
        for path in ("absent/night.prom", "manifests", "manifests/", "pipe"):
            self.night("one", "--metrics", path, code=run.USAGE, json_too=False)

    def test_a_summary_has_a_line_for_each_image_and_one_for_all(self):
        self.site("  - one\n  - gone\n")
        result = self.night("--summary", "--quiet", code=run.PARTLY, json_too=False)
        digest = image.Layout(os.path.join(self.factory.output, "one")).digest()
        lines = result.stdout.splitlines()
        self.assertEqual(lines[0], f"ok      one  built {digest} for x86_64 aarch64")
        self.assertRegex(lines[1], r"^FAILED  gone  usage \(2\): .*gone")
        self.assertRegex(lines[2], r"^FAILED  1 of 2 images, 1 changed, 0 pushed, 0 B sent, [0-9.]+ s: partly \(9\)$")
        self.assertEqual(len(lines), 3)
        report = self.night("--summary", "one")
        self.assertEqual(report.images()["one"]["status"], "unchanged")
        self.assertRegex(self.last.stderr, r"(?m)^ok      1 of 1 images, 0 changed, ")


if __name__ == "__main__":
    unittest.main()
