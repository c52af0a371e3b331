# SPDX-License-Identifier: Apache-2.0
"""Questions over all published images, and the history of one: `find --in-images` and `history`."""

import fnmatch
import json
import os
import shutil
import time
import unittest

from base import Case, PushCase, image, run, world
from kit import base_image, many
from test_report_schema import SCHEMA

ARCHES = {"amd64": "x86_64", "arm64/v8": "aarch64"}


class Asking:
    def ask(self, *options, code=run.OK):
        result = self.factory.run_plain("find", "--in-images", "--json", "--state", self.factory.state, *options)
        self.assertEqual(result.code, code, result)
        self.last = result
        if code != run.OK:
            return None
        answer = json.loads(result.stdout)
        self.assertEqual(SCHEMA.faults(answer, "found_in_images"), [], result)
        return answer

    def places(self, *options):
        """(image, architecture) of all that has it."""
        return {(found["image"], platform["arch"]) for found in self.ask(*options)["images"]
                for platform in found["architectures"]}


class ByChance(Asking, Case):
    """Images made by chance, asked by the program and by hand."""

    count = int(os.environ.get("IMGFACTORY_FIND_IMAGES", "40"))

    def test_the_answer_is_that_of_the_layers(self):
        chance = many.World(int(os.environ.get("IMGFACTORY_FIND_SEED", "1")), self.count)
        self.make_repository(chance.packages())
        self.use(self.write_source())
        for name in chance.names:
            self.write_manifest(name, chance.manifest(name))
        result = self.run_factory("--quiet", "--arch", "x86_64,aarch64", *chance.names, timeout=1200)
        self.assertEqual(result.code, run.OK, result)
        contents = {}
        for name in chance.names:
            for oci, made in image.Layout(os.path.join(self.factory.output, name)).images["latest"].items():
                contents[name, ARCHES[oci]] = many.Contents(made.entries)
        has = lambda question: {place for place, what in contents.items() if question(what)}
        sizes = set()
        for number in range(24):
            soname = f"lib{number:02}.so.1"
            wanted = has(lambda what, soname=soname: soname in what.sonames)
            self.assertEqual(self.places("--soname", soname), wanted, soname)
            sizes.add(len(wanted))
        for name, version in [*chance.libraries.items(), *chance.data.items()]:
            for question in ((name,), (name, "<", "2.9-4"), (name, ">=", version), (f"source-{name}", "=", f"{version}.s"),
                             (f"source-{name}", "<=", "1.0-1.s")):
                wanted = has(lambda what, question=question: what.has_package(*question))
                self.assertEqual(self.places("--package", " ".join(question)), wanted, question)
                sizes.add(len(wanted))
        for path in ("/usr/share/data01/one.txt", "/usr/share/data0*/two.txt", "/usr/bin", "/usr/bin/prog1?",
                     f"/usr/lib/*/{'lib02.so'}", "/lib/x86_64-linux-gnu/libc.so.6", "/nowhere"):
            whole = path.replace("/lib/x86", "/usr/lib/x86", 1) if path.startswith("/lib/") else path
            wanted = has(lambda what, whole=whole: any(
                fnmatch.fnmatchcase(one, whole) and one.count("/") == whole.count("/") for one in what.paths))
            self.assertEqual(self.places("--file", path), wanted, path)
            sizes.add(len(wanted))
        self.assertGreater(len(sizes), 5)  # the questions tell images from each other
        both = has(lambda what: "lib03.so.1" in what.sonames and what.has_package("data05"))
        self.assertEqual(self.places("--soname", "lib03.so.1", "--package", "data05"), both)
        began = time.monotonic()
        self.ask("--file", "/usr/share/**")
        self.assertLess(time.monotonic() - began, 10)


class Nights(Asking, PushCase):
    """An image over several nights."""

    def setUp(self):
        super().setUp()
        self.repository = self.make_repository()
        self.use(self.write_source())
        self.write_manifest()

    def update(self, version):
        self.repository.packages = world.packages()
        for package in self.repository.packages:
            if package.name == "libbar2":
                package.version = version
        self.repository.publish(self.key)

    def history(self, *words, code=run.OK):
        result = self.call("history", "--json", *words)
        self.assertEqual(result.code, code, result)
        self.last = result
        return json.loads(result.stdout) if code == run.OK else None

    def test_a_night_that_changes_a_package_is_told_with_its_versions(self):
        self.build()
        first = image.Layout(os.path.join(self.factory.output, "served")).digest()
        self.update("2.1-1")
        self.build()
        second = image.Layout(os.path.join(self.factory.output, "served")).digest()
        self.build()  # nothing new
        told = self.history("served")
        self.assertEqual(SCHEMA.faults(told, "history_of_name"), [])
        nights = told["places"][0]["nights"]
        self.assertEqual([night["digest"] for night in nights], [second, first])
        self.assertEqual(nights[0]["changes"], [{"package": "libbar2", "before": "2.0+dfsg-1", "after": "2.1-1"}])
        self.assertEqual(nights[1]["changes"], [])
        everything = self.history()
        self.assertEqual(SCHEMA.faults(everything, "history_of_all"), [])
        self.assertEqual(everything, [told])
        self.assertRegex(self.call("history").stdout, rf"\nserved +2  .*in the output, {second[:19]}\n")
        self.assertEqual(self.history(self.path("manifests/served.yaml"), "--manifests", self.path("manifests")), told)
        plain = self.call("history", "served")
        self.assertIn("~ libbar2  2.0+dfsg-1 → 2.1-1", plain.stdout)
        # Only what is published now counts, unless past nights are asked for.
        self.assertEqual(self.places("--package", "libbar2 < 2.1"), set())
        self.assertEqual(self.places("--package", "libbar2 < 2.1", "--past"), {("served", "x86_64"), ("served", "aarch64")})
        self.assertEqual(self.places("--package", "libbar2 >= 2.1", "--arch", "x86_64"), {("served", "x86_64")})

    def test_a_registry_s_history_tells_what_had_changed(self):
        registry = self.make_registry()
        options = ("--arch", "all", "--tls-verify=false", f"--push={registry.host}/me/served", "served")
        self.assertEqual(self.run_factory(*options).code, run.OK)
        self.update("2.1-1")
        self.assertEqual(self.run_factory(*options).code, run.OK)
        told = self.history(f"{registry.host}/me/served", "--tls-verify=false")
        self.assertEqual(SCHEMA.faults(told, "history"), [])
        self.assertEqual(told["images"][0]["changes"][0]["after"], "2.1-1")
        found = self.ask("--soname", "libbar.so.2")["images"]
        self.assertEqual([one["destination"] for one in found], [f"{registry.host}/me/served"])

    def on_foreign_base(self, *more):
        """An image on a base that was made elsewhere; what its layers have, and what the repository below `more` pushed."""
        layers = [base_image.small("amd64"), [base_image.file("srv/old/a", "1"), base_image.file("srv/kept", "1"),
                                              base_image.file("etc/served/served.conf", "the base's\n")]]
        base_image.Base(self.path("base"), {"amd64": layers})
        self.write_manifest(text="base: ../base:1\n" + world.MANIFEST)
        result = self.run_factory("--arch", "x86_64", *more, "served")
        self.assertEqual(result.code, run.OK, result)

    def assert_foreign_base_is_known(self):
        here = {("served", "x86_64")}
        lib = world.MACHINES["amd64"].lib
        for question in (("--package", "dash"), ("--package", "libc6 = 1"), ("--file", lib("libbar.so.2")), ("--file", "/srv/**/a"),
                         ("--soname", "libbar.so.2"), ("--soname", "libfoo.so.1"), ("--package", "served"), ("--file", "/usr/bin/sh"),
                         ("--file", "/srv/old"), ("--file", "/etc/served/served.conf", "--package", "libfoo1 > 1")):
            answer = self.ask(*question)
            self.assertEqual(answer["unknown"], [], question)
            self.assertEqual(self.places(*question), here, question)
        for question in (("--package", "libc6 > 1"), ("--soname", "libbaz.so.3"), ("--file", "/srv/new")):
            self.assertEqual(self.places(*question), set(), question)

    def test_what_a_base_from_elsewhere_has_is_in_the_answers(self):
        self.on_foreign_base()
        self.assert_foreign_base_is_known()
        self.on_foreign_base()  # nothing new: what is kept stays
        self.assert_foreign_base_is_known()

    def test_and_in_the_bills_that_a_registry_keeps(self):
        registry = self.make_registry()
        site = self.write("imgfactory.yaml", "history: registry\n")
        self.on_foreign_base("--config", site, "--tls-verify=false", f"--push={registry.host}/me/served")
        shutil.rmtree(self.factory.state)
        result = self.call("history", "--tls-verify=false", "--rebuild", f"{registry.host}/me/served")
        self.assertEqual(result.code, run.OK, result)
        self.assert_foreign_base_is_known()

    def test_what_failed_or_was_not_pushed_is_not_published(self):
        result = self.run_factory("--arch", "all", "--push=127.0.0.1:1/me/served", "served")
        self.assertNotEqual(result.code, run.OK)
        self.build("--arch", "all", "--no-push", "served")
        self.ask("--soname", "x", code=run.USAGE)
        self.assertIn("no published image is known", self.last.stderr)

    @staticmethod
    def read(path):
        with open(path, "rb") as stream:
            return stream.read()

    def test_a_damaged_or_foreign_state_is_never_refused(self):
        self.build()
        past = os.path.join(self.factory.state, "v1", "past")
        bills = os.path.join(past, "bills")
        victim = os.path.join(bills, sorted(os.listdir(bills))[0])
        for damage in (b"", b"nonsense", os.urandom(4000), self.read(victim)[:-9]):
            with open(victim, "wb") as stream:
                stream.write(damage)
            answer = self.ask("--soname", "libbar.so.2")
            self.assertEqual((len(answer["images"]), len(answer["unknown"])), (1, 1), damage)
            self.assertIn("is not known", self.last.stderr)
        images = os.path.join(past, "images")
        name = os.path.join(images, os.listdir(images)[0])
        good = self.read(name)
        for damage in (b"{", b"\xff" * 300, b'{"format":2}\n' + good, good.replace(b'"format":1', b'"format":9')):
            with open(name, "wb") as stream:
                stream.write(damage)
            self.call("history", "served")
            self.factory.run_plain("find", "--in-images", "--state", self.factory.state, "--soname", "x")
        os.symlink("/etc/passwd", os.path.join(images, "a" * 32 + ".jsonl"))
        self.build("--arch", "all", "--rebuild", "served")
        self.assertEqual(len(self.ask("--soname", "libbar.so.2")["images"]), 1)

    def test_expressions_that_mean_nothing_are_refused(self):
        self.build()
        for options in (("--package", "< 3"), ("--package", "a <"), ("--package", "a b"), ("--package", "a < 1 < 2"),
                        ("--package", ""), ("--file", "../x"), (), ("--soname", "x", "nobody")):
            self.ask(*options, code=run.USAGE)
        result = self.factory.run_plain("find", "--soname", "libfoo.so.1", "served")
        self.assertIn("--in-images", result.stderr)


class InRegistry(Asking, PushCase):
    """history: registry: the bills lie beside the images, and the state can be made again from there alone."""

    def setUp(self):
        super().setUp()
        self.repository = self.make_repository()
        self.write_source()
        self.write_manifest()
        self.registry, self.proxy = self.make_proxied()
        self.write("imgfactory.yaml", f"registry: {self.proxy.host}\nnamespace: me\ntls-verify: false\nhistory: registry\n"
                   "source: source.yaml\narch: all\nimages: [served]\n")
        self.factory.options = ["--manifests", self.path("manifests"), "--config", self.path("imgfactory.yaml")]

    def night(self, code=run.OK):
        self.proxy.requests.clear()
        result = self.run_factory(env=self.env)
        self.assertEqual(result.code, code, result)
        return list(self.proxy.requests)

    def rebuild(self, *words):
        shutil.rmtree(os.path.join(self.factory.state, "v1", "past"), ignore_errors=True)
        self.proxy.requests.clear()
        result = self.call("history", "--rebuild", "--json", *self.factory.options, *words)
        self.assertEqual(result.code, run.OK, result)
        self.assertEqual(SCHEMA.faults(json.loads(result.stdout), "history_rebuilt"), [], result)
        return json.loads(result.stdout)

    def answers(self):
        return [self.ask(*options) for options in (
            ("--soname", "lib*.so.*"), ("--package", "libbar2"), ("--package", "libc6 < 3"), ("--file", "/usr/**"),
            ("--package", "libbar2 >= 2.1"))]

    def test_the_state_made_from_the_registry_alone_gives_the_same_answers(self):
        first = self.night()
        referrers = [one for one in first if "referrers" in one.target or "sha256-" in one.target]
        self.assertTrue(referrers)
        before = self.answers()
        again = self.night()
        self.assertEqual([one for one in again if one.verb in ("PUT", "POST", "PATCH")], [])
        self.rebuild()
        self.assertLessEqual(len(self.proxy.requests), 8)
        after = self.answers()
        for old, new in zip(before, after):
            for one in [*old["images"], *new["images"]]:
                del one["last"]
            self.assertEqual(new, old)
        self.rebuild(f"{self.proxy.host}/me/served")
        self.assertEqual(len(self.answers()[0]["images"]), 1)

    def test_bills_take_four_requests_each_and_come_before_the_tags(self):
        with_bills = self.night()
        self.write("imgfactory.yaml", self.read("imgfactory.yaml").replace("history: registry\n", "").replace("me\n", "you\n"))
        without = self.night()
        self.assertLessEqual(len(with_bills) - len(without), 4 * 2)
        targets = [one.target for one in with_bills if one.verb == "PUT"]
        tag = next(at for at, target in enumerate(targets) if target.endswith("/latest"))
        attached = max(at for at, target in enumerate(targets) if "manifests/sha256-" in target or "manifests/sha256:" in target)
        self.assertLess(attached, tag)

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as stream:
            return stream.read()

    def update(self, version):
        self.repository.packages = world.packages()
        for package in self.repository.packages:
            if package.name == "libbar2":
                package.version = version
        self.repository.publish(self.key)

    @staticmethod
    def plain(name):
        return f"name: {name}\nbinaries: [/usr/sbin/served]\nconfig: {{entrypoint: [/usr/sbin/served]}}\n"

    def test_a_tag_that_went_back_tells_what_is_published(self):
        site = self.path("imgfactory.yaml")
        self.write("imgfactory.yaml", self.read("imgfactory.yaml") + 'tags: [latest, "{version}-one"]\n')
        repository = f"{self.proxy.host}/me/served"
        new = {("served", "x86_64"), ("served", "aarch64")}
        self.night()
        self.update("2.1-1")
        self.write("imgfactory.yaml", self.read("imgfactory.yaml").replace("-one", "-two"))
        self.night()
        self.assertEqual(self.places("--package", "libbar2 >= 2.1"), new)
        first = self.ask("--past", "--package", "libbar2 < 2.1")["images"][0]["digest"]
        last = self.ask("--package", "libbar2 >= 2.1")["images"][0]["digest"]
        self.call("tag", "--config", site, f"{repository}@{first}", "latest")
        self.assertIn("\n    back to the image of 20", self.call("history", "served").stdout)
        # Once more, and back: what had changed when it was new is not forgotten.
        self.call("tag", "--config", site, f"{repository}@{last}", "latest")
        there = json.loads(self.call("history", "--json", "--config", site, repository).stdout)["images"]
        self.assertEqual([one["changes"][0]["after"] for one in there if one["digest"] == last], ["2.1-1"])
        self.assertEqual(self.places("--package", "libbar2 >= 2.1"), new)
        self.call("tag", "--config", site, f"{repository}@{first}", "latest")

        def assert_is_back():
            self.assertEqual(self.places("--package", "libbar2 >= 2.1"), set())
            found, = self.ask("--package", "libbar2 < 2.1")["images"]
            self.assertEqual((found["digest"], found["current"]), (first, True))
            self.assertIn("latest", found["tags"])
        assert_is_back()
        self.rebuild()  # a machine that was not there then
        assert_is_back()
        again = self.call("history", "--rebuild", "--config", site)
        self.assertEqual(again.code, run.OK, again)
        assert_is_back()
        # Of a state that has nothing of the image that the tag is at now, that is told.
        shutil.rmtree(os.path.join(self.factory.state, "v1", "past"))
        self.night()
        self.assertEqual(self.places("--package", "libbar2 >= 2.1"), new)
        told = self.call("tag", "--config", site, f"{repository}@{first}", "latest")
        self.assertIn("no night of this image is kept", told.stderr)

    def test_repositories_that_cannot_be_read_stop_no_others(self):
        own = f"{self.proxy.host}/elsewhere/own"
        self.write_manifest("own", f"push: {own}\n" + self.plain("own"))
        text = self.read("imgfactory.yaml")
        self.write("imgfactory.yaml", text.replace("[served]", "[served, own]"))
        self.night()
        self.assertEqual([one["repository"] for one in self.rebuild()], [f"{self.proxy.host}/me/served", own])
        self.write("imgfactory.yaml", text.replace("[served]", "[never, served, {image: own, push: false}]"))
        self.write_manifest("never", self.plain("never"))
        result = self.call("history", "--rebuild", "--json", *self.factory.options)
        self.assertEqual(result.code, run.PARTLY, result)
        self.assertEqual(json.loads(result.stdout), [{"repository": f"{self.proxy.host}/me/served", "nights": 1, "without": 0}])
        self.assertIn(f"error: {self.proxy.host}/me/never: ", result.stderr)
        self.assertIn("1 of 2 repositories", result.stderr)

    def test_a_repository_is_named_by_its_reference_and_has_to_be_there(self):
        self.night()
        registry = f"{self.proxy.host}/me/served"
        self.assertEqual(self.rebuild(registry), [{"repository": registry, "nights": 1, "without": 0}])
        result = self.call("history", "--rebuild", "--tls-verify=false", f"{self.proxy.host}/me/nothing")
        self.assertNotEqual(result.code, run.OK)
        self.write("imgfactory.yaml", "history: sometimes\n")
        self.assertIn("neither local nor registry", self.call("history", "--rebuild", "--config", self.path("imgfactory.yaml")).stderr)


if __name__ == "__main__":
    unittest.main()
