# SPDX-License-Identifier: Apache-2.0
"""The architectures of an image stay together: what lags behind holds it, what is missing is dealt with as it was asked."""

import json
import os
import re
import shutil
import unittest

from base import FaultProxy, deb, elf, image, layout, repo, rpm, run, server, world
from test_report_schema import SCHEMA
from test_site import SiteCase

ARCHES = {"amd64": "x86_64", "arm64": "aarch64"}
FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"


class ParityCase(SiteCase):
    """A site of images of one repository for all packages and one for security updates, and a registry."""

    def setUp(self):
        super().setUp()
        self.day = 0
        self.server = server.Server(self.path("repo")).start()
        self.addCleanup(self.server.stop)
        self.target = self.make_registry()
        self.write("source.yaml", f"kind: deb\nuris: [{self.server.url}]\nsuites: [stable, stable-security]\n"
                                  f"components: [main]\nkeys: [{self.key.keyring}]\n")
        for name in ("one", "two"):
            self.write_manifest(name, self.manifest(name, "hello"))

    def hello(self, arch, version, name="hello", **fields):
        return deb.Package(name, arch=arch, version=version, files=[
            deb.program(f"/usr/bin/{name}", elf.hello(arch, layout.HELLO)),
            deb.File(f"/usr/share/{name}/version", version)], **fields)

    def offer(self, packages, security=()):
        """Publishes what the repositories have from now on; packages are listed, or versions of hello by architecture."""
        for suite, listed, edit in (("stable", world.packages() + self.listed(packages), None),
                                    ("stable-security", self.listed(security),
                                     lambda text: text.replace("Label: Kit", "Label: Kit-Security"))):
            offered = repo.Repository(self.path("repo"), listed, suite=suite)
            offered.publish(self.key, date=-3600 + 60 * self.day, edit_release=edit)
            self.day += 1

    def listed(self, packages):
        return [self.hello(arch, version) for arch, version in packages.items()] if isinstance(packages, dict) \
            else list(packages)

    def images(self, images="  - one\n", more=""):
        self.site(images, f"source: source.yaml\narch: [amd64, arm64]\nregistry: {self.target.host}\nnamespace: ns\n"
                          f"tls-verify: false\n{more}")

    def after(self, days, *options, **settings):
        """A night so many days from now."""
        if "thread" in run.sanitizer():
            self.skipTest("left out: under libfaketime the thread sanitizer sees mutexes that are locked twice")
        env = {**self.env, "LD_PRELOAD": FAKETIME, "FAKETIME": f"+{days}d", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        if "address" in run.sanitizer():
            env["ASAN_OPTIONS"] = "verify_asan_link_order=0:" + os.environ.get("ASAN_OPTIONS", "")
        return self.night(*options, env=env, **settings)

    def tags(self, name="one"):
        """What the registry has, as skopeo sees it: {tag: digest of what it is at}."""
        tags = self.target.tags(f"ns/{name}")
        for tag in tags:
            seen = self.tool("skopeo", "inspect", "--tls-verify=false", "--format", "{{.Digest}}",
                             f"docker://{self.target.host}/ns/{name}:{tag}").stdout.decode().strip()
            self.assertEqual(seen, tags[tag])
        return tags

    def published(self, name="one", tag="latest", package="hello"):
        """{architecture: version of a package}, of all platforms of a tag: copied by skopeo, read without the program."""
        folder = self.path("pulled")
        shutil.rmtree(folder, ignore_errors=True)
        self.tool("skopeo", "copy", "--all", "--src-tls-verify=false", f"docker://{self.target.host}/ns/{name}:{tag}",
                  f"oci:{folder}:{tag}")
        return {platform.split("/")[0]: re.search(r"(?m)^Version: (.*)$", pulled[f"/var/lib/dpkg/status.d/{package}"].data.decode())[1]
                for platform, pulled in image.Layout(folder).images[tag].items()}

    def together(self, report, name="one"):
        return report.images()[name].get("together")

    def assert_valid(self, report):
        self.assertEqual(SCHEMA.faults(report.json, "report"), [])
        return report

    def differences(self, report, name="one"):
        """{package: {architecture: version}}"""
        return {lag["package"]: {version["arch"]: version["version"] for version in lag["versions"]}
                for lag in self.together(report, name)["differences"]}


class Lag(ParityCase):
    """One architecture is behind."""

    def test_no_tag_moves_while_one_architecture_lags_and_the_night_after_heals(self):
        self.offer({"amd64": "1.0-1", "arm64": "1.0-1"})
        self.images()
        self.assertEqual(self.together(self.assert_valid(self.night()))["held"], False)
        before, layout_before = self.tags(), image.Layout(os.path.join(self.factory.output, "one")).digest()
        self.offer({"amd64": "2.0-1", "arm64": "1.0-1"})
        for nights in (1, 2, 4):
            report = self.assert_valid(self.after(nights - 1))
            self.assertEqual(report.images()["one"]["status"], "held")
            self.assertEqual(self.differences(report), {"hello": {"x86_64": "2.0-1", "aarch64": "1.0-1"}})
            (lag,) = self.together(report)["differences"]
            self.assertEqual((lag["nights"], lag["security"], lag["overdue"]), (nights, False, False))
            dates = {order["arch"]: order["source"]["repositories"][0]["date"]
                     for order in report.images()["one"]["architectures"]}
            self.assertEqual({version["arch"]: version["date"] for version in lag["versions"]}, dates)
            self.assertEqual({version["arch"]: version["behind"] for version in lag["versions"]},
                             {"x86_64": False, "aarch64": True})
            self.assertEqual(self.tags(), before)
            self.assertEqual(image.Layout(os.path.join(self.factory.output, "one")).digest(), layout_before)
        self.assertRegex(self.last.stderr, r"warning: one is held, no tag moves: hello is 2\.0-1 for x86_64, 1\.0-1 for "
                                           r"aarch64, for 4 nights")
        self.offer({"amd64": "2.0-1", "arm64": "2.0-1"})
        report = self.after(4)
        self.assertEqual(report.images()["one"]["status"], "built")
        self.assertEqual(self.published(), {"amd64": "2.0-1", "arm64": "2.0-1"})
        self.assertEqual(sorted(self.tags()), ["1.0", "2.0", "latest"])
        self.offer({"amd64": "2.0-1", "arm64": "3.0-1"})
        (lag,) = self.together(self.after(5))["differences"]
        self.assertEqual(lag["nights"], 1)  # the former one is forgotten

    def test_the_table_and_the_summary_tell_it(self):
        self.offer({"amd64": "2.0-1", "arm64": "1.0-1"})
        self.images("  - one\n  - two\n")
        text = self.night(json_too=False).stdout
        self.assertRegex(text, r"(?m)\AHELD    one  hello \(source hello\), for 1 night\n +x86_64 +hello 2\.0-1 of "
                               r"stable of http://\S+, \d{4}-\d\d-\d\d [\d:]+ UTC\n +aarch64 +hello 1\.0-1 of .* \(behind\)\n")
        lines = self.night("--summary", json_too=False).stdout.splitlines()
        self.assertEqual(lines[:2], [f"held    {name}  its architectures differ in 1 package" for name in ("one", "two")])
        self.night("--metrics", "night.prom")
        with open(self.path("night.prom"), encoding="utf-8") as stream:
            told = stream.read()
        self.assertIn('last_run_images{status="held"} 2\n', told)
        self.assertIn('image_held{image="one"} 1\n', told)

    def test_one_image_that_is_held_holds_no_other(self):
        self.offer([self.hello(arch, "1.0-1", name) for arch in ARCHES for name in ("hello", "other")])
        self.write_manifest("two", self.manifest("two", "other"))
        self.images("  - one\n  - two\n")
        self.night()
        before = self.tags()
        self.offer([self.hello("amd64", "2.0-1"), self.hello("arm64", "1.0-1")] +
                   [self.hello(arch, "2.0-1", "other") for arch in ARCHES])
        report = self.night()
        self.assertEqual({name: made["status"] for name, made in report.images().items()}, {"one": "held", "two": "built"})
        self.assertEqual(self.tags(), before)
        self.assertEqual(self.published("two", package="other"), {"amd64": "2.0-1", "arm64": "2.0-1"})

    def test_nothing_at_all_is_published_first_while_architectures_differ(self):
        self.offer({"amd64": "2.0-1", "arm64": "1.0-1"})
        self.images()
        self.assertEqual(self.night().images()["one"]["status"], "held")
        self.assertEqual(self.target.tags("ns/one"), {})
        self.assertEqual(self.files_below(self.factory.output), [])
        self.assertEqual(self.night("--arch", "amd64").images()["one"]["status"], "built")  # there is nothing to compare
        self.assertEqual(self.published(), {"amd64": "2.0-1"})

    def test_without_a_push_the_layout_stays(self):
        self.offer({"amd64": "1.0-1", "arm64": "1.0-1"})
        self.images(more="push: false\n")
        self.night()
        before = self.files_below(self.factory.output)
        self.offer({"amd64": "2.0-1", "arm64": "1.0-1"})
        self.assertEqual(self.night().images()["one"]["status"], "held")
        self.assertEqual(self.files_below(self.factory.output), before)

    def test_a_dry_run_tells_and_remembers_nothing(self):
        self.offer({"amd64": "2.0-1", "arm64": "1.0-1"})
        self.images()
        report = self.assert_valid(self.night("--dry-run"))
        self.assertEqual(self.differences(report), {"hello": {"x86_64": "2.0-1", "aarch64": "1.0-1"}})
        self.assertEqual(report.images()["one"]["status"], "dry-run")
        self.assertFalse(os.path.exists(self.path("state/v1/lags.json")))

    def test_a_lost_or_damaged_state_is_no_error(self):
        self.offer({"amd64": "2.0-1", "arm64": "1.0-1"})
        self.images()
        self.night()
        for damage in ("", "{", "[1]", '{"format":1,"lags":[{"image":1}]}', '{"format":9,"lags":[]}'):
            self.write("state/v1/lags.json", damage)
            (lag,) = self.together(self.after(1))["differences"]
            self.assertEqual(lag["nights"], 1)
        shutil.rmtree(self.path("state"))
        (lag,) = self.together(self.after(2))["differences"]
        self.assertEqual(lag["nights"], 1)

    def test_tags_of_one_platform_each_stay_too(self):
        self.write_manifest("one", self.manifest("one", "hello").replace('"{version}"', '"{version}-{arch}"'))
        self.offer({"amd64": "1.0-1", "arm64": "1.0-1"})
        self.images()
        self.night()
        before = self.tags()
        self.assertEqual(sorted(before), ["1.0-aarch64", "1.0-x86_64", "latest"])
        self.offer({"amd64": "2.0-1", "arm64": "1.0-1"})
        self.night()
        self.assertEqual(self.tags(), before)

    def test_what_stands_on_an_image_that_is_held_is_held(self):
        self.write_manifest("below", self.manifest("below", "hello"))
        self.write_manifest("one", self.manifest("one", "other", "base: manifest:below\n"))
        other = [self.hello(arch, "1.0-1", "other") for arch in ARCHES]
        self.offer([self.hello(arch, "1.0-1") for arch in ARCHES] + other)
        for images in ("  - one\n", "  - below\n  - one\n"):
            self.images(images)
            self.night()
            before = self.tags()
            self.offer([self.hello("amd64", "2.0-1"), self.hello("arm64", "1.0-1")] + other)
            report = self.assert_valid(self.night())
            self.assertEqual((report.images()["one"]["status"], report.images()["below"]["status"]), ("held", "held"))
            self.assertEqual(self.together(report)["base"], "below")
            self.assertEqual(self.tags(), before)
            self.offer([self.hello(arch, "1.0-1") for arch in ARCHES] + other)

    def test_who_wants_no_parity_goes_out_over_a_base_that_is_held(self):
        self.write_manifest("below", self.manifest("below", "hello"))
        self.write_manifest("one", self.manifest("one", "other", "base: manifest:below\n"))
        self.offer([self.hello("amd64", "2.0-1"), self.hello("arm64", "1.0-1")] +
                   [self.hello(arch, "1.0-1", "other") for arch in ARCHES])
        self.images("  - below\n  - {image: one, parity: off}\n")
        report = self.assert_valid(self.night())
        self.assertEqual({name: made["status"] for name, made in report.images().items()}, {"below": "held", "one": "built"})
        self.assertEqual(sorted(self.tags()), ["1.0", "latest"])


class Asked(ParityCase):
    """What is compared, and who asks for it."""

    def test_rebuilds_of_one_architecture_are_equal_by_source_and_differ_exactly(self):
        self.offer([self.hello("amd64", "1:1.0-1+b1", Source="hello-source (1:1.0-1)"),
                    self.hello("arm64", "1:1.0-1", Source="hello-source")])
        self.images()
        self.assertEqual(self.together(self.night())["differences"], [])
        self.images(more="parity: exact\n")
        report = self.night()
        self.assertEqual(report.images()["one"]["status"], "held")
        self.assertEqual(self.differences(report), {"hello": {"x86_64": "1:1.0-1+b1", "aarch64": "1:1.0-1"}})
        self.assertEqual(report.images()["one"]["together"]["parity"], "exact")
        self.images("  - {image: one, parity: source}\n", more="parity: exact\n")
        self.assertEqual(self.night().images()["one"]["status"], "unchanged")
        self.images("  - {images: [one, two], parity: exact}\n")
        report = self.night()
        self.assertEqual([made["status"] for made in report.json["images"]], ["held", "held"])

    def test_off_tells_and_publishes(self):
        self.offer({"amd64": "2.0-1", "arm64": "1.0-1"})
        self.images(more="parity: off\n")
        report = self.assert_valid(self.night())
        self.assertEqual(self.together(report)["held"], False)
        self.assertEqual(list(self.differences(report)), ["hello"])
        self.assertEqual(self.published(), {"amd64": "2.0-1", "arm64": "1.0-1"})
        self.assertIn("warning: one differs between architectures: hello is", self.last.stderr)
        self.images()
        self.night("--parity", "off")
        self.assertEqual(self.night("--parity", "never", code=run.USAGE, json_too=False).stderr.count("none of exact"), 1)

    def test_outside_of_a_site_it_has_to_be_asked_for(self):
        self.offer({"amd64": "2.0-1", "arm64": "1.0-1"})
        self.images("  - two\n")
        report = self.night("one")
        self.assertEqual(report.images()["one"]["status"], "built")
        self.assertNotIn("together", report.images()["one"])
        self.offer({"amd64": "3.0-1", "arm64": "1.0-1"})
        before = self.tags()
        self.assertEqual(self.night("--parity=source", "one").images()["one"]["status"], "held")
        self.assertEqual(self.tags(), before)
        self.assertEqual(self.night("two").images()["two"]["status"], "held")  # the site's

    def test_a_package_that_only_one_architecture_has_is_no_lag_and_one_with_another_name_is(self):
        def offer(amd64, arm64, extra="1.0-1"):
            self.offer([self.hello("amd64", "1.0-1", Depends=f"libquad0, {amd64[0]}"),
                        self.hello("arm64", "1.0-1", Depends=arm64[0]),
                        deb.Package("libquad0", arch="amd64", version=extra, Source="quad", files=[deb.File("/usr/share/q", "")])] +
                       [deb.Package(name, arch=arch, version=version, Source="foo", files=[deb.File("/usr/share/foo/x", version)])
                        for arch, (name, version) in (("amd64", amd64), ("arm64", arm64))] +
                       [deb.Package("foo-data", version="9-1", Source="foo", files=[deb.File("/usr/share/foo/all", "")])])
        self.images(more="parity: off\n")
        offer(("foo1", "1.0-1"), ("foo1", "1.0-1"))
        self.assertEqual(self.differences(self.night("--dry-run")), {})
        offer(("foo2", "2.0-1"), ("foo1", "1.0-1"))
        self.assertEqual(self.differences(self.night("--dry-run")), {"foo2": {"x86_64": "2.0-1", "aarch64": "1.0-1"}})

    def test_packages_that_give_no_file_hold_nothing(self):
        def offer(version):
            self.offer([self.hello(arch, "1.0-1", Depends="silent") for arch in ARCHES] +
                       [deb.Package("silent", arch=arch, version=number, files=[deb.File("/usr/share/silent/x", number)])
                        for arch, number in (("amd64", version), ("arm64", "1.0-1"))])
        offer("2.0-1")
        self.images()
        self.assertEqual(self.night().images()["one"]["status"], "built")


class Security(ParityCase):
    """A security update that one architecture gets later."""

    def test_one_that_is_held_for_more_than_two_nights_ends_the_night_with_9_and_comes_first(self):
        self.offer({"amd64": "1.0-1", "arm64": "1.0-1"})
        self.images("  - two\n  - one\n")
        self.night()
        before = self.tags()
        self.offer({"amd64": "1.0-1", "arm64": "1.0-1"}, {"amd64": "1.0-1+deb1"})
        for days, code in ((0, run.OK), (1, run.OK), (2, run.PARTLY), (3, run.PARTLY)):
            report = self.assert_valid(self.after(days, code=code))
            (lag,) = self.together(report)["differences"]
            self.assertEqual((lag["security"], lag["nights"], lag["overdue"]), (True, days + 1, code == run.PARTLY))
            self.assertEqual(self.tags(), before)
        self.assertEqual(report.json["exit"], run.PARTLY)
        self.assertEqual([(lag["image"], lag["package"]) for lag in report.json["overdue"]],
                         [("two", "hello"), ("one", "hello")])
        self.assertLess(self.last.stdout.index('"overdue"'), self.last.stdout.index('"images"'))
        self.assertRegex(self.last.stderr, "error: one is held, no tag moves: hello is .*, a security update, for 4 nights; with --parity=off")
        result = self.after(3, code=run.PARTLY, json_too=False)
        self.assertTrue(result.stdout.startswith("OVERDUE two  hello (source hello), a security update, for 4 nights\n"),
                        result)
        self.offer({"amd64": "1.0-1", "arm64": "1.0-1"}, {"amd64": "1.0-1+deb1", "arm64": "1.0-1+deb1"})
        report = self.after(4)
        self.assertNotIn("overdue", report.json)
        self.assertEqual(self.published(), {"amd64": "1.0-1+deb1", "arm64": "1.0-1+deb1"})

    def test_one_that_goes_out_is_not_overdue(self):
        self.offer({"amd64": "1.0-1", "arm64": "1.0-1"}, {"amd64": "1.0-1+deb1"})
        self.images(more="parity: off\n")
        for days in (0, 5):
            (lag,) = self.together(self.after(days))["differences"]
            self.assertEqual((lag["security"], lag["overdue"]), (True, False))


class Missing(ParityCase):
    """One architecture cannot be built."""

    def offer_broken(self, version="2.0-1", broken=("arm64",)):
        self.offer([self.hello(arch, version, **({"Depends": "nowhere"} if arch in broken else {})) for arch in ARCHES])

    def published_first(self, on_missing, tags='[latest, "{version}"]'):
        """A site whose image is there, of which one architecture then fails; returns what its tags were."""
        self.write_manifest("one", self.manifest("one", "hello").replace('[latest, "{version}"]', tags))
        self.offer({"amd64": "1.0-1", "arm64": "1.0-1"})
        self.images(more=f"on-missing: {on_missing}\n" if on_missing else "")
        self.night()
        before = self.tags()
        self.offer_broken()
        return before

    def manifests(self, tag="latest"):
        """{architecture: digest of its manifest} of a tag."""
        raw = json.loads(self.skopeo_raw(f"{self.target.host}/ns/one:{tag}", "--tls-verify=false"))
        return {entry["platform"]["architecture"]: entry["digest"] for entry in raw["manifests"]}

    def test_it_holds_unless_told_otherwise(self):
        for on_missing in (None, "hold"):
            before = self.published_first(on_missing)
            report = self.assert_valid(self.night(code=run.RESOLVE))
            self.assertEqual(report.images()["one"]["status"], "failed")
            self.assertEqual(self.tags(), before)

    def test_what_the_tag_has_for_it_is_kept(self):
        self.published_first("keep-previous")
        previous = self.manifests()["arm64"]
        shutil.rmtree(self.factory.cache)
        shutil.rmtree(self.factory.output)
        report = self.assert_valid(self.night(code=run.PARTLY))
        self.assertEqual(report.images()["one"]["status"], "built")
        self.assertEqual(self.together(report)["missing"], [{"arch": "aarch64", "previous": previous}])
        self.assertEqual(report.order("one", "aarch64")["status"], "failed")
        self.assertEqual(self.manifests()["arm64"], previous)
        self.assertEqual(self.published(), {"amd64": "2.0-1", "arm64": "1.0-1"})
        self.assertEqual(self.published(tag="2.0"), self.published())
        self.assertEqual(self.published(tag="1.0"), {"amd64": "1.0-1", "arm64": "1.0-1"})
        self.assertEqual(sorted(image.Layout(os.path.join(self.factory.output, "one")).images["latest"]), ["amd64", "arm64/v8"])
        self.assertRegex(self.last.stderr, f"warning: one goes out with what .*/ns/one had for aarch64, {previous}")
        result = self.night("--summary", code=run.PARTLY, json_too=False)
        self.assertRegex(result.stdout, "(?m)^PARTLY  one  unchanged .* for x86_64, missing aarch64, unchanged in")
        self.offer({"amd64": "2.0-1", "arm64": "2.0-1"})
        self.night()
        self.assertEqual(self.published(), {"amd64": "2.0-1", "arm64": "2.0-1"})

    def entries(self):
        """[(architecture, whether it is in zstd:chunked, digest)] of the tag latest."""
        raw = json.loads(self.skopeo_raw(f"{self.target.host}/ns/one:latest", "--tls-verify=false"))
        return [(entry["platform"]["architecture"], "annotations" in entry, entry["digest"]) for entry in raw["manifests"]]

    def test_of_an_index_with_both_compressions_both_are_kept(self):
        self.offer({"amd64": "1.0-1", "arm64": "1.0-1"})
        self.images(more="on-missing: keep-previous\ncompression: both\n")
        self.assert_valid(self.night())
        before = self.entries()
        self.assertEqual([entry[:2] for entry in before], [("amd64", False), ("arm64", False), ("amd64", True), ("arm64", True)])
        self.offer_broken()
        shutil.rmtree(self.factory.cache)
        shutil.rmtree(self.factory.output)
        self.assertEqual(self.together(self.night(code=run.PARTLY))["missing"], [{"arch": "aarch64", "previous": before[1][2]}])
        after = self.entries()
        self.assertEqual([entry[:2] for entry in after], [entry[:2] for entry in before])
        self.assertEqual([after[1], after[3]], [before[1], before[3]])
        self.assertFalse({after[0], after[2]} & set(before))
        self.assertEqual(self.call("check", os.path.join(self.factory.output, "one")).code, run.OK)

    def test_without_a_former_one_nothing_goes_out(self):
        self.offer_broken()
        self.images(more="on-missing: keep-previous\n")
        self.night(code=run.RESOLVE)
        self.assertRegex(self.last.stderr, "nothing is kept in its place: .*/ns/one has nothing for aarch64 under its tags")
        self.assertEqual(self.target.tags("ns/one"), {})
        self.assertEqual(self.files_below(self.factory.output), [])
        self.images(more="on-missing: keep-previous\npush: false\n")
        self.night(code=run.RESOLVE)
        self.assertIn("the image has no place in a registry", self.last.stderr)

    def test_a_registry_that_fails_holds_it(self):
        before = self.published_first("keep-previous")
        proxy = self.serve(FaultProxy(self.target.url))
        proxy.fault("GET", "/blobs/", times=None, status=500)
        proxy.fault("GET", "/manifests/sha256:", times=None, status=500)
        self.images(more="on-missing: keep-previous\n")
        with open(self.config, encoding="utf-8") as stream:
            text = stream.read()
        self.write("imgfactory.yaml", text.replace(self.target.host, proxy.host))
        shutil.rmtree(self.factory.cache)
        self.night("--retries", "0", code=run.RESOLVE)
        self.assertIn("nothing is kept in its place", self.last.stderr)
        self.assertEqual(self.tags(), before)

    def test_it_goes_out_without_it_where_that_is_wanted(self):
        self.published_first("publish")
        report = self.assert_valid(self.night(code=run.PARTLY))
        self.assertEqual(self.together(report)["missing"], [{"arch": "aarch64", "previous": None}])
        self.assertEqual(self.published(), {"amd64": "2.0-1"})
        self.assertEqual(list(image.Layout(os.path.join(self.factory.output, "one")).images["latest"]), ["amd64"])
        self.assertEqual(self.night(code=run.PARTLY).images()["one"]["status"], "unchanged")
        self.offer({"amd64": "2.0-1", "arm64": "2.0-1"})
        self.night()
        self.assertEqual(self.published(), {"amd64": "2.0-1", "arm64": "2.0-1"})
        self.offer_broken("3.0-1", ARCHES)
        self.night(code=run.RESOLVE)  # nothing is left to go out
        self.assertEqual(self.published(), {"amd64": "2.0-1", "arm64": "2.0-1"})

    def test_a_name_is_looked_up_where_that_can_be(self):
        """Also when the index of an architecture is not there: a name is no manifest."""
        self.offer({"amd64": "1.0-1", "arm64": "1.0-1"})
        self.images("  - command:hello\n", "on-missing: keep-previous\nsync-wait: 0\n")
        self.night()
        place = f"{self.target.host}/ns/hello:latest"
        manifests = lambda: {entry["platform"]["architecture"]: entry["digest"] for entry in
                             json.loads(self.skopeo_raw(place, "--tls-verify=false"))["manifests"]}
        before = manifests()
        self.offer({"amd64": "2.0-1", "arm64": "2.0-1"})
        self.server.fault("*binary-arm64/*", status=404, times=None)
        for word, missing in (("hold", None), ("keep-previous", before["arm64"]), ("publish", None)):
            report = self.night(f"--on-missing={word}", code=run.NETWORK if word == "hold" else run.PARTLY)
            if word == "hold":
                self.assertEqual(manifests(), before)
                continue
            self.assertEqual([missing_one["previous"] for missing_one in self.together(report, "hello")["missing"]], [missing])
            self.assertNotEqual(manifests()["amd64"], before["amd64"])
            self.assertEqual(manifests().get("arm64"), missing)

    def test_the_status_record_has_it_as_failing_with_what_went_out(self):
        self.published_first("publish")
        record = f"{self.target.host}/ns/status"
        self.images(more=f"on-missing: publish\nstatus: {record}\n")
        self.night(code=run.PARTLY)
        result = self.call("status", "--tls-verify=false", "--json", record)
        self.assertEqual(result.code, run.PARTLY, result)
        (told,) = json.loads(result.stdout)["images"]
        self.assertEqual((told["state"], told["architectures"]), ("failing", ["x86_64"]))
        self.assertEqual(told["digest"], self.tags()["latest"])
        self.assertIn("aarch64", told["error"]["text"])

    def test_a_tag_without_a_version_is_asked_first(self):
        self.published_first("keep-previous", '["{version}", latest]')
        self.offer({"amd64": "2.0-1", "arm64": "2.0-1"})
        self.night()
        self.offer([self.hello("amd64", "1.0-9"), self.hello("arm64", "1.0-9", Depends="nowhere")])
        self.night(code=run.PARTLY)  # the tag 1.0 has an older one
        self.assertEqual(self.published(), {"amd64": "1.0-9", "arm64": "2.0-1"})

    def test_tags_of_one_platform_stay_for_what_is_missing(self):
        before = self.published_first("keep-previous", '[latest, "{arch}"]')
        self.night(code=run.PARTLY)
        after = self.tags()
        self.assertEqual(after["aarch64"], before["aarch64"])
        self.assertNotEqual(after["x86_64"], before["x86_64"])

    def test_a_call_may_say_it_and_each_image_has_its_own(self):
        self.published_first("publish")
        self.night("--on-missing=hold", code=run.RESOLVE)
        self.images("  - {image: one, on-missing: publish}\n  - two\n")
        report = self.night(code=run.PARTLY)
        self.assertEqual([made["status"] for made in report.json["images"]], ["built", "failed"])
        self.assertIn("is none of hold", self.night("--on-missing=x", code=run.USAGE, json_too=False).stderr)

    def test_what_stands_on_an_image_that_is_partly_there_has_the_same_missing(self):
        self.write_manifest("below", self.manifest("below", "hello"))
        self.write_manifest("one", self.manifest("one", "other", "base: manifest:below\n"))
        other = [self.hello(arch, "1.0-1", "other") for arch in ARCHES]
        self.offer([self.hello("amd64", "1.0-1"), self.hello("arm64", "1.0-1", Depends="nowhere")] + other)
        self.images(more="on-missing: publish\n")
        report = self.assert_valid(self.night(code=run.PARTLY))
        self.assertEqual(self.together(report)["missing"], [{"arch": "aarch64", "previous": None}])
        self.assertIn("its base failed", report.order("one", "aarch64")["error"]["text"])
        self.assertEqual(list(self.manifests()), ["amd64"])

    def test_what_differs_holds_what_is_left(self):
        self.write("source.yaml", f"kind: deb\nuris: [{self.server.url}]\nsuites: [stable]\ncomponents: [main]\n"
                                  f"keys: [{self.key.keyring}]\n")
        suite = repo.Repository(self.path("repo"), world.packages(("amd64", "arm64", "s390x")) + [
            self.hello("amd64", "2.0-1"), self.hello("arm64", "1.0-1"), self.hello("s390x", "2.0-1", Depends="nowhere")],
                                architectures=("amd64", "arm64", "s390x"))
        suite.publish(self.key)
        self.images(more="on-missing: publish\n")
        report = self.assert_valid(self.night("--arch", "amd64,arm64,s390x", code=run.PARTLY))
        self.assertEqual(report.images()["one"]["status"], "held")
        self.assertEqual(self.together(report)["differences"][0]["nights"], 1)
        self.assertEqual(self.target.tags("ns/one"), {})


class Rpm(ParityCase):
    """Repositories whose indices list older versions: the newest that all have goes out."""

    def offer_rpm(self, **offered):
        """Publishes versions of hello, or packages, for each architecture."""
        for arch, listed in offered.items():
            made = [package for item in listed for package in
                    (self.hello_rpm(arch, item) if isinstance(item, str) else [item])]
            folder = self.path(f"rpms/{arch}")
            shutil.rmtree(folder, ignore_errors=True)
            rpm.Repository(folder, made).publish()

    def hello_rpm(self, arch, version):
        debian = {name: deb_name for deb_name, name in ARCHES.items()}[arch]
        program = rpm.program("/usr/bin/hello", elf.hello(debian, layout.HELLO))
        return [rpm.Package("hello", [program], version=version, arch=arch, autoreq=False,
                            requires=[f"hello-words = {version}-1"]),
                rpm.Package("hello-words", [rpm.File("/usr/share/hello/words", version)], version=version)]

    def setUp(self):
        super().setUp()
        self.write("source.yaml", f"kind: rpm\nname: kit\nbaseurl: file://{self.path('rpms')}/$basearch\ntrusted: true\n")
        self.write_manifest("one", self.manifest("one", "hello", "files: [/usr/share/hello/words]\n"))
        self.images()

    def words(self, tag="latest"):
        """{architecture: version of the packages} as skopeo copies them: a file's bytes."""
        folder = self.path("pulled")
        shutil.rmtree(folder, ignore_errors=True)
        self.tool("skopeo", "copy", "--all", "--src-tls-verify=false", f"docker://{self.target.host}/ns/one:{tag}",
                  f"oci:{folder}:{tag}")
        return {platform.split("/")[0]: pulled["/usr/share/hello/words"].data.decode()
                for platform, pulled in image.Layout(folder).images[tag].items()}

    def test_the_newest_that_all_have_goes_out(self):
        self.offer_rpm(x86_64=["1.0"], aarch64=["1.0"])
        first = self.night().images()["one"]["digest"]
        self.offer_rpm(x86_64=["1.0", "2.0"], aarch64=["1.0"])
        report = self.assert_valid(self.night())
        self.assertEqual(report.images()["one"]["status"], "unchanged")
        self.assertEqual(report.images()["one"]["digest"], first)
        self.assertEqual((self.together(report)["held"], self.together(report)["common"]), (False, True))
        self.assertEqual(self.differences(report)["hello"], {"x86_64": "2.0-1", "aarch64": "1.0-1"})
        self.assertRegex(self.last.stderr, "warning: one has what all architectures have: hello is 2.0-1 for x86_64, 1.0-1 for")
        self.assertEqual(report.selection("one", "x86_64")["hello"], "1.0-1")
        self.offer_rpm(x86_64=["1.0", "2.0", "3.0"], aarch64=["1.0", "2.0"])
        for cached in (False, True):
            report = self.night()
            self.assertEqual(report.images()["one"]["status"], "unchanged" if cached else "built")
            self.assertEqual(self.words(), {"amd64": "2.0", "arm64": "2.0"})
        self.offer_rpm(x86_64=["1.0", "2.0", "3.0"], aarch64=["3.0"])
        report = self.night()
        self.assertEqual(self.differences(report), {})
        self.assertEqual(self.words(), {"amd64": "3.0", "arm64": "3.0"})

    def test_where_there_is_none_it_is_held(self):
        self.offer_rpm(x86_64=["1.0"], aarch64=["1.0"])
        self.night()
        before = self.tags()
        self.offer_rpm(x86_64=["2.0"], aarch64=["1.0"])
        report = self.assert_valid(self.night())
        self.assertEqual(report.images()["one"]["status"], "held")
        self.assertEqual(sorted(self.differences(report)), ["hello", "hello-words"])
        self.assertEqual({order["status"] for order in report.images()["one"]["architectures"]}, {"built", "reused"})
        self.assertEqual(self.tags(), before)

    def test_each_architecture_may_lag_in_another_package(self):
        def packages(arch, hello, tool):
            return self.hello_rpm(arch, hello) + [
                rpm.Package("tool", [rpm.File("/usr/share/tool", version)], version=version, arch=arch) for version in tool]
        self.write_manifest("one", self.manifest("one", "hello", "files: [/usr/share/hello/words, /usr/share/tool]\n"))
        self.offer_rpm(x86_64=packages("x86_64", "1.0", ["1.0"]) + self.hello_rpm("x86_64", "2.0"),
                       aarch64=packages("aarch64", "1.0", ["1.0", "2.0"]))
        report = self.night()
        self.assertEqual(sorted(self.differences(report)), ["hello", "hello-words", "tool"])
        for arch in ARCHES.values():
            chosen = report.selection("one", arch)
            self.assertEqual((chosen["hello"], chosen["tool"]), ("1.0-1", "1.0-1"))

    def advise(self, arch, kind, version):
        """Adds an advisory to a repository."""
        path = self.write("updateinfo.xml", f'<updates><update type="{kind}" from="kit"><id>K-1</id><title>t</title><pkglist>'
                          f'<collection><name>kit</name><package name="hello" version="{version}" release="1" epoch="0" '
                          f'arch="{arch}"><filename>x.rpm</filename></package></collection></pkglist></update></updates>')
        self.tool("modifyrepo_c", "--mdtype=updateinfo", path, self.path(f"rpms/{arch}/repodata"))

    def test_advisories_tell_which_updates_mend_the_security(self):
        for kind, version, is_security in (("security", "2.0", True), ("bugfix", "3.0", False), ("security", "1.0", False),
                                           ("security", "4.0", False)):
            self.offer_rpm(x86_64=["3.0"], aarch64=["1.0"])
            self.advise("x86_64", kind, version)
            report = self.night()
            told = {lag["package"]: lag["security"] for lag in self.together(report)["differences"]}
            self.assertEqual(told, {"hello": is_security, "hello-words": False}, (kind, version))

    def test_advisories_that_cannot_be_read_are_told(self):
        self.offer_rpm(x86_64=["3.0"], aarch64=["1.0"])
        self.tool("modifyrepo_c", "--mdtype=updateinfo", self.write("updateinfo.xml", "<updates><update"),
                  self.path("rpms/x86_64/repodata"))
        self.assertEqual(self.night().images()["one"]["status"], "held")
        self.assertRegex(self.last.stderr, "warning: one for x86_64: what security updates there are is not known: .*updateinfo")

    def test_a_security_update_that_waits_is_overdue_all_the_same(self):
        self.write("source.yaml", f"kind: rpm\nrepositories:\n  - {{name: kit, baseurl: 'file://{self.path('rpms')}/$basearch', "
                                  f"trusted: true}}\n  - {{name: kit-security, baseurl: 'file://{self.path('urgent')}/$basearch', "
                                  "trusted: true}\n")
        self.offer_rpm(x86_64=["1.0"], aarch64=["1.0"])
        for arch, listed in (("x86_64", self.hello_rpm("x86_64", "2.0")), ("aarch64", [])):
            rpm.Repository(self.path(f"urgent/{arch}"), listed).publish()
        for days, code in ((0, run.OK), (2, run.PARTLY)):
            report = self.after(days, code=code)
            self.assertEqual(self.words(), {"amd64": "1.0", "arm64": "1.0"})
        self.assertEqual({lag["package"] for lag in report.json["overdue"]}, {"hello", "hello-words"})


if __name__ == "__main__":
    unittest.main()
