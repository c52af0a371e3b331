"""A site that names its images: `imgfactory` without names makes them all, and none stops another."""

import fcntl
import os
import time
import unittest

from base import FaultProxy, PushCase, Report, deb, elf, image, layout, run, world

NAMES = ("one", "two")


class Site(PushCase):
    """Two manifests of the catalogue, one of the site's own, and one named by its command."""

    def setUp(self):
        super().setUp()
        programs = [deb.Package(f"hello{number}", arch=name, version="1:2.10-3", files=[
            deb.program(f"/usr/bin/hello{number}", elf.hello(name, layout.HELLO))])
                    for name in ("amd64", "arm64") for number in (1, 2, 3)]
        self.ready(manifest=world.MANIFEST, packages=world.packages() + programs)
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

    def test_without_images_a_call_without_names_is_refused(self):
        self.write("imgfactory.yaml", "arch: all\n")
        self.assertIn("no image named", self.night(code=run.USAGE, json_too=False).stderr)

    def test_an_image_that_cannot_be_planned_stops_no_other(self):
        self.write("manifests/two.yaml", "name: two\nbinaries: /usr/bin/hello1\nnonsense: 1\n")
        self.write("manifests/three.yaml", self.manifest("three", "hello1", "architectures: [s390x]\n"))
        self.write("manifests/child.yaml", self.manifest("child", "hello2", "base: manifest:two\n"))
        self.site("  - two\n  - ./gone.yaml\n  - command:nothing\n  - {image: three, architectures: amd64}\n"
                  "  - {image: own.yaml, source: nowhere}\n  - child\n  - command:hello3\n  - one\n")
        report = self.night(code=run.PARTLY)
        self.assertEqual({name for name, made in report.images().items() if made["status"] == "built"},
                         {"hello3", "one"})
        self.assertIn("nonsense", self.failure(report, "two")[1])
        self.assertEqual(self.failure(report, "./gone.yaml")[0], run.USAGE)
        self.assertEqual(self.failure(report, "command:nothing (a name)")[0], run.USAGE)
        self.assertIn("allows only", self.failure(report, "three")[1])
        self.assertIn("nowhere", self.failure(report, "own.yaml")[1])
        self.assertIn("its base failed", self.failure(report, "child")[1])
        self.assertEqual(self.last.stderr.count("error: "), 6, self.last)
        table = self.night(code=run.PARTLY, json_too=False).stdout
        self.assertRegex(table, r"(?m)^two +- +failed: ")
        self.assertRegex(table, r"(?m)^one +aarch64 ")

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

    def test_a_mistake_in_the_site_file_begins_nothing(self):
        for images, told in (("  - one\n  - one\n", "twice"), ("  - {image: one, nonsense: 1}\n", "nonsense"),
                             ("  - {images: [one, two], push: q.io/me/x}\n", "one repository"),
                             ("  - {image: one, images: [two]}\n", "either"), ("  - {source: x}\n", "either"),
                             ("  - {image: one, tags: ['{nothing}']}\n", "placeholder"),
                             ("  - {image: one, base: 'manifest:A B'}\n", "base")):
            self.site(images)
            result = self.night(code=run.USAGE, json_too=False)
            self.assertRegex(result.stderr, rf"imgfactory.yaml:\d+:\d+: .*{told}")

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
        deadline = time.monotonic() + 60
        while not self.waits(child.pid) and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(1.5)
        self.assertIsNone(child.poll())
        self.assertFalse(os.path.exists(os.path.join(self.factory.output, "one")))
        fcntl.flock(held, fcntl.LOCK_UN)
        _, stderr = child.communicate(timeout=120)
        self.assertEqual(child.returncode, 0, stderr)
        self.assertRegex(stderr.decode(), rf"waiting for .*another night, which process {os.getpid()} ")

    def waits(self, pid):
        """Whether the process has the lock's file open."""
        folder = f"/proc/{pid}/fd"
        try:
            return any(os.path.realpath(os.path.join(folder, name)).endswith("/night.lock") for name in os.listdir(folder))
        except OSError:
            return False


if __name__ == "__main__":
    unittest.main()
