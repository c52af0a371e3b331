# SPDX-License-Identifier: Apache-2.0
"""`imgfactory diff`: what differs between two images, by bills and by layers, and why."""

import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import unittest

from base import Case, PushCase, deb, image, rpm, run, server, world
from kit import base_image
from kit.rpm_case import BuildCase, Shared
from kit.schema import REPORT as SCHEMA

ARCH = "x86_64"
DIFFERS = 1


class DiffCase(Case):
    def setUp(self):
        super().setUp()
        self.machine = world.MACHINES["amd64"]

    @staticmethod
    def packages(change=None):
        """The small distribution for one architecture, some of it changed."""
        named = {package.name: package for package in world.packages(("amd64",))}
        if change:
            change(named)
        return list(named.values())

    def night(self, number, packages, manifest=None, name="served"):
        """Builds from a repository of these packages, and keeps the output as a folder of its own."""
        self.make_repository(packages, name=f"repo{number}", architectures=("amd64",))
        self.use(self.write_source())
        self.write_manifest(name, text=manifest)
        self.factory.output = self.path(f"night{number}")
        self.build("--arch", ARCH, name, name=name)
        return os.path.join(self.factory.output, name)

    def diff(self, before, after, *options, code=run.OK):
        result = self.factory.run_plain("diff", before, after, *options)
        self.assertEqual(result.code, code, result)
        return result

    def told(self, before, after, *options):
        """What --json says of the one platform of the one image."""
        report = json.loads(self.diff(before, after, "--json", *options).stdout)
        self.assertEqual(SCHEMA.faults(report, "diff"), [])
        return report["compared"][0]["platforms"][0]


class Bills(DiffCase):
    def upgrade(self):
        before = self.packages()
        after = self.packages(self.change)
        return self.night(1, before), self.night(2, after, world.MANIFEST.replace("[-d]", "[-d, -v]").replace(
            "  user: served\n", "  user: served\n  env: {MODE: fast}\n"))

    def change(self, named):
        foo = deb.Package("libfoo1", arch="amd64", version="1:1.2-4", Section="libs", Depends="libbar2, libc6, nothing",
                          files=[deb.File(self.machine.lib("libfoo.so.1.3"),
                                          world.library(self.machine, "libfoo.so.1", ["libbar.so.2", "libc.so.6"]) + b"x"),
                                 deb.link(self.machine.lib("libfoo.so.1"), "libfoo.so.1.3")])
        named["libfoo1"] = foo
        named["nothing"] = deb.Package("nothing", files=[deb.File("/usr/share/nothing", "")])

    def test_packages_files_and_configuration(self):
        before, after = self.upgrade()
        told = self.told(before, after)
        packages = {package["name"]: package for package in told["packages"]}
        self.assertEqual(sorted(packages), ["libfoo1", "nothing"])
        foo = packages["libfoo1"]
        self.assertEqual((foo["change"], foo["before"], foo["after"], foo["gave_files"]),
                         ("changed", "1:1.2-3", "1:1.2-4", True))
        nothing = packages["nothing"]
        self.assertEqual((nothing["change"], nothing["before"], nothing["after"], nothing["gave_files"]),
                         ("came", None, "1.0-1", False))
        files = {file["path"]: file for file in told["files"]}
        self.assertEqual(files[self.machine.lib("libfoo.so.1.2")]["change"], "went")
        self.assertEqual(files[self.machine.lib("libfoo.so.1.3")]["change"], "came")
        self.assertEqual((told["libraries"], told["notes"]), ([], []))  # the same soname, no symbols
        link = files[self.machine.lib("libfoo.so.1")]
        self.assertEqual((link["before"]["target"], link["after"]["target"]), ("libfoo.so.1.2", "libfoo.so.1.3"))
        values = {(value["key"], value["name"]): (value["before"], value["after"]) for value in told["configuration"]}
        self.assertEqual(values["cmd", None], (["-d"], ["-d", "-v"]))
        self.assertEqual(values["env", "MODE"], (None, "fast"))

    def test_it_agrees_with_the_layers(self):
        before, after = self.upgrade()
        told = {file["path"]: file["change"] for file in self.told(before, after)["files"]}
        old, new = (image.Layout(layout).images["latest"]["amd64"].entries for layout in (before, after))
        wanted = {}
        for path in set(old) | set(new):
            if path not in old or path not in new:
                wanted[path] = "came" if path in new else "went"
            elif old[path].facts() != new[path].facts() or old[path].data != new[path].data:
                wanted[path] = "changed"
        self.assertEqual(told, wanted)

    def test_libraries_come_and_go_by_their_sonames(self):
        before = self.night(1, self.packages())
        machine = self.machine
        foo = deb.Package("libfoo1", arch="amd64", version="1:2", Section="libs", Depends="libbar2, libc6", files=[
            deb.File(machine.lib("libfoo.so.2.0"), world.library(machine, "libfoo.so.2", ["libbar.so.2", "libc.so.6"])),
            deb.link(machine.lib("libfoo.so.2"), "libfoo.so.2.0")])
        served = world.served(machine)
        served.files[0] = deb.program(world.SERVED, world.executable(machine, ["libfoo.so.2", "libc.so.6"]))
        after = self.night(2, self.packages(lambda named: named.update(libfoo1=foo, served=served)))
        for options in ((), ("--layers",)):
            told = {library["soname"]: (library["change"], library["before"], library["after"])
                    for library in self.told(before, after, *options)["libraries"]}
            self.assertEqual(told, {"libfoo.so.1": ("went", machine.lib("libfoo.so.1.2"), None),
                                    "libfoo.so.2": ("came", None, machine.lib("libfoo.so.2.0"))}, options)
        self.assertRegex(self.diff(before, after).stdout, r"(?m)^  library +\+ libfoo\.so\.2$")
        shutil.rmtree(self.factory.cache)
        self.assertIn("sonames and symbols were not read of libfoo1",
                      self.told(before, after, "--cache-only")["notes"][0])

    def test_text_and_markdown_say_the_same(self):
        before, after = self.upgrade()
        text = self.diff(before, after).stdout
        self.assertRegex(text, r"(?m)^  package +~ libfoo1  1:1\.2-3 → 1:1\.2-4$")
        self.assertRegex(text, r"(?m)^  selected +\+ nothing  1\.0-1$")
        self.assertRegex(text, r'(?m)^  config +~ cmd  \["-d"\] → \["-d","-v"\]$')
        self.assertRegex(text, r"(?m)^  file +- .*/libfoo\.so\.1\.2  ")
        markdown = self.diff(before, after, "--format=markdown").stdout
        self.assertIn("- package ~ `libfoo1`  `1:1.2-3` → `1:1.2-4`\n", markdown)
        self.assertIn("### `linux/amd64`\n", markdown)

    def test_exit_status(self):
        before, after = self.upgrade()
        self.diff(before, after)
        self.diff(before, after, "--exit-code", code=DIFFERS)
        same = self.diff(after, after, "--exit-code")
        self.assertIn("nothing changed", same.stdout)
        self.assertEqual(self.diff(after, after, "--quiet").stdout, "")
        self.diff(before, after, "--format=xml", code=run.USAGE)
        self.diff(before, self.path("nowhere"), code=run.USAGE)

    def test_two_folders_are_compared_by_name(self):
        before, after = map(os.path.dirname, self.upgrade())
        shutil.copytree(os.path.join(before, "served"), os.path.join(before, "gone"))
        for folder in (before, after):
            shutil.copytree(os.path.join(before, "served"), os.path.join(folder, "same"))
        told = {one["image"]: one["change"] for one in json.loads(self.diff(before, after, "--json").stdout)["compared"]}
        self.assertEqual(told, {"gone": "went", "same": "none", "served": "changed"})
        text = self.diff(before, after).stdout
        self.assertIn("2 images differ, 1 are the same\n", text)
        self.assertNotIn("same\nbefore", text)

    def test_archives_are_compared_as_well(self):
        before, after = self.upgrade()
        for layout in (before, after):
            shutil.make_archive(layout, "tar", layout)
        told = self.told(before + ".tar", after + ".tar")
        self.assertIn(("cmd", ["-d", "-v"]), [(value["key"], value["after"]) for value in told["configuration"]])

    def test_images_are_named_by_digest_too_also_those_that_no_layout_has_any_more(self):
        before, after = self.upgrade()
        old, new = (image.Layout(layout).images["latest"]["amd64"].digest for layout in (before, after))
        wanted = self.told(before, after)["packages"]
        options = ("--output", os.path.dirname(after))
        self.assertEqual(self.told(before, new, *options)["packages"], wanted)
        self.assertEqual(self.told(before, image.Layout(after).digest(), *options)["packages"], wanted)
        self.assertIn("nothing in the cache has", self.diff(old, new, *options, code=run.RESOLVE).stderr)
        shutil.rmtree(os.path.join(before, "imgfactory"))
        told = self.told(before, after)
        self.assertEqual((told["packages"], told["before"]["from"]), (wanted, "bill"))

    def test_a_hostile_bill_is_one_line_of_clean_text(self):
        before, after = self.upgrade()
        folder = os.path.join(after, "imgfactory")
        path = os.path.join(folder, os.listdir(folder)[0])
        with open(path, encoding="utf-8") as stream:
            bill = json.load(stream)
        bill["selection"][0]["version"] = "1\n  note        \x1b[31mred\u202e`"
        with open(path, "w", encoding="utf-8") as stream:
            json.dump(bill, stream)
        for form in ("text", "markdown"):
            text = self.diff(before, after, f"--format={form}").stdout
            self.assertNotIn("\x1b", text)
            self.assertNotIn("\u202e", text)
            self.assertNotRegex(text, r"(?m)^ *(- )?note ")


def changelog(*entries, package="libfoo1"):
    """The text of a Debian changelog of (version, lines) pairs, newest first."""
    return "\n".join(f"{package} ({version}) unstable; urgency=medium\n\n" +
                     "".join(f"  {line}\n" for line in lines) +
                     "\n -- Kit <kit@example.org>  Sat, 11 Jul 2026 10:16:37 +0000\n" for version, lines in entries)


class FooCase(DiffCase):
    """libfoo1 goes from 1:1.2-3 to 1:1.2-5."""

    ENTRIES = [("1:1.2-5", ["* Fix CVE-2026-0005 and cve-2026-12345. (Closes: #1000001, #1000002)"]),
               ("1:1.2-4", ["* DSA-5001-1: nothing of note. LP: #42"]),
               ("1:1.2-3", ["* CVE-2020-0001 is old."])]

    def foo(self, version, text=None, name="changelog.Debian.gz", data=None, more=(), **fields):
        files = [deb.File(self.machine.lib("libfoo.so.1.2"),
                          world.library(self.machine, "libfoo.so.1", ["libbar.so.2", "libc.so.6"])),
                 deb.link(self.machine.lib("libfoo.so.1"), "libfoo.so.1.2"), *more]
        if text is not None or data is not None:
            data = data if data is not None else gzip.compress(text.encode(), mtime=0)
            files.append(deb.File(f"/usr/share/doc/libfoo1/{name}", data))
        return deb.Package("libfoo1", arch="amd64", version=version, Section="libs", compression="gzip",
                           Depends="libbar2, libc6", files=files, **fields)

    def upgrade(self, new, old=None, more=()):
        before = self.night(1, self.packages(lambda named: named.update(libfoo1=old or self.foo("1:1.2-3"))))
        named = {package.name: package for package in [new, *more]}
        return before, self.night(2, self.packages(lambda packages: packages.update(named)))


class Nights(FooCase):
    """What a night tells of itself: each image against the one that the output had."""

    def run_night(self, number, *packages):
        """The report of one image, and what --changes wrote."""
        named = {package.name: package for package in packages}
        self.make_repository(self.packages(lambda all_of_them: all_of_them.update(named)), name=f"repo{number}",
                             architectures=("amd64",))
        self.use(self.write_source())
        self.write_manifest()
        result = self.run_factory("--json", "--changes", self.path("changes.md"), "--arch", ARCH, "served")
        self.assertEqual(result.code, run.OK, result)
        report = json.loads(result.stdout)
        self.assertEqual(SCHEMA.faults(report, "report"), [])
        with open(self.path("changes.md"), encoding="utf-8") as stream:
            return report["images"][0], stream.read()

    def test_the_first_night_and_one_without_news_say_nothing(self):
        first, text = self.run_night(1)
        self.assertEqual((first["status"], first.get("changes"), text), ("built", None, ""))
        again, text = self.run_night(2)
        self.assertEqual((again["status"], again.get("changes"), text), ("unchanged", None, ""))

    def test_a_night_tells_what_changed_and_why(self):
        first, _ = self.run_night(1)
        second, text = self.run_night(2, self.foo("1:1.2-5", changelog(*self.ENTRIES)))
        self.assertEqual(second["changes"]["before"], first["digest"])
        platform, = second["changes"]["platforms"]
        self.assertEqual((platform["platform"], platform["before"]["digest"], platform["after"]["digest"]),
                         ("linux/amd64", first["architectures"][0]["digest"], second["architectures"][0]["digest"]))
        self.assertEqual([package["name"] for package in platform["packages"]], ["libfoo1"])
        self.assertEqual(platform["changelogs"][0]["cves"], ["CVE-2026-0005", "CVE-2026-12345"])
        self.assertIn(f"## served\n- before: {first['digest']}\n- after: {second['digest']}\n", text)
        self.assertIn("- package ~ `libfoo1`  `1:1.2-3` → `1:1.2-5`\n", text)
        self.assertIn("CVE `CVE-2026-0005 CVE-2026-12345`", text)

    def test_the_table_and_the_summary_tell_it_in_a_line(self):
        """And say nothing when nothing changed."""
        line = "libfoo1 1:1.2-3 → 1:1.2-5  CVE-2026-0005 CVE-2026-12345"
        self.run_night(1)
        again = self.run_factory("--summary", "--arch", ARCH, "served").stdout
        self.assertEqual(re.findall(r"(?m)^  changed |^        ", again), [], again)
        for number, (options, wanted) in enumerate((((), f"  changed {line}\n"), (("--summary", "--quiet"), f"\n        {line}\n"))):
            shutil.rmtree(self.factory.state)
            self.run_night(1)
            self.make_repository(self.packages(lambda named: named.update(libfoo1=self.foo("1:1.2-5", changelog(*self.ENTRIES)))),
                                 name=f"brief{number}", architectures=("amd64",))
            self.use(self.write_source())
            shutil.rmtree(self.factory.state)
            text = self.run_factory(*options, "--arch", ARCH, "served")
            self.assertIn(wanted, text.stdout, text)

    def test_a_night_asks_for_nothing_because_of_it(self):
        self.run_night(1)
        self.make_repository(self.packages(lambda named: named.update(
            libfoo1=self.foo("1:1.2-5", changelog(*self.ENTRIES)))), name="repo2", architectures=("amd64",))
        self.use(self.write_source())
        self.build("--arch", ARCH, "served")
        self.assertEqual([line for line in self.server.requests if "libfoo1" in line],
                         ["/pool/main/libfoo1/libfoo1_1.2-5_amd64.deb"])

    def test_changes_that_cannot_be_written_are_refused_before_anything_begins(self):
        self.ready()
        self.refuse(run.USAGE, "--changes", arguments=("--changes", self.path("nowhere/changes.md"), "served"))


class Changelogs(FooCase):
    def story(self, layouts, *options):
        stories = self.told(*layouts, *options)["changelogs"]
        self.assertEqual([story["packages"] for story in stories], [["libfoo1"]])
        return stories[0]

    def versions(self, story):
        self.assertIsNone(story["not_read"])
        return [entry["version"] for entry in story["entries"]]

    def test_entries_and_numbers_between_the_versions(self):
        layouts = self.upgrade(self.foo("1:1.2-5", changelog(*self.ENTRIES)))
        story = self.story(layouts)
        self.assertEqual(self.versions(story), ["1:1.2-5", "1:1.2-4"])
        self.assertEqual((story["source_package"], story["before"], story["after"]), ("libfoo1", "1:1.2-3", "1:1.2-5"))
        self.assertEqual(story["cves"], ["CVE-2026-0005", "CVE-2026-12345"])
        self.assertEqual((story["advisories"], story["bugs"]), (["DSA-5001-1"], ["#1000001", "#1000002", "LP#42"]))
        self.assertEqual((story["entries"][0]["date"], story["entries"][0]["urgency"]), ("2026-07-11T10:16:37Z", "medium"))
        text = self.diff(*layouts).stdout
        self.assertRegex(text, r"(?m)^    CVE +CVE-2026-0005 CVE-2026-12345$")
        self.assertNotIn("CVE-2020-0001", text)
        self.assertIn("  - CVE `CVE-2026-0005 CVE-2026-12345`\n", self.diff(*layouts, "--format=markdown").stdout)

    def test_where_the_older_version_is_not_told_what_is_older_still_ends_it(self):
        entries = [self.ENTRIES[0], ("1:1.2-4~exp1", ["* x"]), ("1:1.2-2", ["* y"]), ("1:1.2-4", ["* z"])]
        self.assertEqual(self.versions(self.story(self.upgrade(self.foo("1:1.2-5", changelog(*entries))))),
                         ["1:1.2-5", "1:1.2-4~exp1"])

    def test_a_rebuild_has_its_own_file(self):
        old = self.foo("1:1.2-3", changelog(*self.ENTRIES[2:]))
        new = self.foo("1:1.2-3+b1", changelog(*self.ENTRIES[2:]), Source="libfoo1 (1:1.2-3)", more=[deb.File(
            "/usr/share/doc/libfoo1/changelog.Debian.amd64.gz",
            gzip.compress(changelog(("1:1.2-3+b1", ["* Binary-only."])).encode(), mtime=0))])
        self.assertEqual(self.versions(self.story(self.upgrade(new, old))), ["1:1.2-3+b1"])

    def test_the_folder_may_be_that_of_another_package(self):
        other = deb.Package("foo-data", version="1:1.2-5", files=[
            deb.File("/usr/share/doc/foo-data/changelog.gz", gzip.compress(changelog(*self.ENTRIES).encode(), mtime=0))])
        new = self.foo("1:1.2-5", more=[deb.link("/usr/share/doc/libfoo1", "foo-data")], Pre_Depends="foo-data")
        self.assertEqual(self.versions(self.story(self.upgrade(new, more=[other]))), ["1:1.2-5", "1:1.2-4"])

    def test_a_changelog_of_a_package_that_is_not_selected_is_not_read(self):
        new = self.foo("1:1.2-5", more=[deb.link("/usr/share/doc/libfoo1", "../doc/foo-data")])
        story = self.story(self.upgrade(new))
        self.assertIn("is that of foo-data, which is not of the selection", story["not_read"])
        self.assertFalse(story["whole"])

    def test_back_to_an_older_version(self):
        before, after = self.upgrade(self.foo("1:1.2-5", changelog(*self.ENTRIES)))
        story = self.story((after, before))
        self.assertTrue(story["downgrade"])
        self.assertEqual(self.versions(story), ["1:1.2-5", "1:1.2-4"])
        self.assertIn("older: what follows went", self.diff(after, before).stdout)

    def test_packages_that_are_not_in_the_cache_are_fetched_and_verified(self):
        layouts = self.upgrade(self.foo("1:1.2-5", changelog(*self.ENTRIES)))
        shutil.rmtree(self.factory.cache)
        self.assertIn("is not in the cache", self.story(layouts, "--cache-only")["not_read"])
        self.assertEqual(self.versions(self.story(layouts)), ["1:1.2-5", "1:1.2-4"])
        self.assertEqual(self.versions(self.story(layouts, "--cache-only")), ["1:1.2-5", "1:1.2-4"])
        shutil.rmtree(self.factory.cache)
        pool = self.path("repo2/pool/main/libfoo1")
        path = os.path.join(pool, os.listdir(pool)[0])
        with open(path, "r+b") as stream:
            stream.seek(-1, os.SEEK_END)
            stream.write(b"x")
        self.assertIn("expected sha256:", self.story(layouts)["not_read"])

    def test_hostile_changelogs_cost_little_and_print_clean(self):
        lines = ["* \x1b[31mred \u202e right  note        x", "\r- note: x", "<script>`", "x" * 200000]
        many = changelog(*[(f"1:1.2-5.{number}", ["* x"]) for number in range(20000, 0, -1)])
        for name, new in (("clean", self.foo("1:1.2-5", changelog(("1:1.2-5", lines), *self.ENTRIES[2:]))),
                          ("bomb", self.foo("1:1.2-5", data=deb.zeros_gz(256))),
                          ("broken", self.foo("1:1.2-5", data=b"\x1f\x8b\x08junk")),
                          ("many", self.foo("1:1.2-5.20000", many)),
                          ("empty", self.foo("1:1.2-5", ""))):
            with self.subTest(name):
                shutil.rmtree(self.path("night1"), ignore_errors=True)
                shutil.rmtree(self.path("night2"), ignore_errors=True)
                layouts = self.upgrade(new)
                story = self.story(layouts)
                if name == "many":
                    self.assertEqual((len(story["entries"]), story["whole"]), (10000, False))
                elif name == "broken":
                    self.assertIn("changelog.Debian.gz: ", story["not_read"])
                for form in ("text", "markdown"):
                    text = self.diff(*layouts, f"--format={form}").stdout
                    self.assertLess(len(text), 100000)
                    self.assertNotRegex(text, "[\x1b\u202e\r]")
                    self.assertNotRegex(text, r"(?m)^ *(- )?note[: ] ")


SHARED = Shared()


def tearDownModule():
    SHARED.close()


class Rpm(BuildCase):
    """Changelogs of RPM packages, which are in their headers, as `rpm -q --changelog` prints them."""

    shared = SHARED
    ENTRIES = ["* Thu Jan 01 2026 A Kit <a@kit.example> - 2.0-1\n- Update; fixes CVE-2026-0001 (rhbz#1234567)\n- RHSA-2026:0042\n",
               "* Mon Dec 01 2025 B Kit <b@kit.example> 1.0-3\n- Resolves: RHEL-4711\n",
               "* Sat Nov 01 2025 A Kit <a@kit.example> - 1.0-2\n- Mend CVE-2025-0002\n",
               "* Wed Oct 01 2025 A Kit <a@kit.example> - 1.0-1\n- First, CVE-2020-0001\n"]

    def night(self, number, version, release, entries, updateinfo=None):
        data = rpm.Package("data", [rpm.File("/usr/share/data", f"{number}\n")], version=version, release=release,
                           changelog="\n".join(entries), source="data-src")
        repository = rpm.Repository(self.path(f"repo{number}/x86_64"), [data])
        repository.publish(SHARED.ring.get("main"))
        where = {}
        if updateinfo is not None:
            path = self.write("updateinfo.xml", updateinfo)
            subprocess.run(["modifyrepo_c", "--mdtype=updateinfo", path, self.path(f"repo{number}/x86_64/repodata")],
                           stdout=subprocess.DEVNULL, check=True)
            self.server = server.Server(self.path(f"repo{number}")).start()
            self.addCleanup(self.server.stop)
            where = {"where": self.server.url}
        self.use_folder(self.path(f"repo{number}"), **where)
        self.write_manifest("data", "packages:\n  install: [data]\n")
        self.factory.output = self.path(f"night{number}")
        self.build("--arch", ARCH, "data", name="data")
        return os.path.join(self.factory.output, "data"), repository.package_path(data)

    def printed(self, path):
        """The entries that rpm prints of a package."""
        text = subprocess.run(["rpm", "-qp", "--nosignature", "--changelog", path], stdout=subprocess.PIPE, check=True,
                              stderr=subprocess.DEVNULL, env={**os.environ, "LC_ALL": "C"}).stdout.decode()
        return [entry.strip() for entry in text.split("\n\n") if entry.strip()]

    def told(self, before, after, *options):
        result = self.factory.run_plain("diff", before, after, "--json", *options)
        self.assertEqual(result.code, run.OK, result)
        report = json.loads(result.stdout)
        self.assertEqual(SCHEMA.faults(report, "diff"), [])
        story, = report["compared"][0]["platforms"][0]["changelogs"]
        return story

    def test_entries_are_those_that_rpm_prints_of_the_newer_package_alone(self):
        (before, old), (after, new) = self.night(1, "1.0", "2.fc41", self.ENTRIES[2:]), self.night(2, "2.0", "1.fc41", self.ENTRIES)
        wanted = [entry for entry in self.printed(new) if entry not in self.printed(old)]
        self.assertEqual(len(wanted), 2)
        cache = self.factory.cache
        for only_newer in (False, True):  # with the older package in the cache, and by its version alone
            story = self.told(before, after, "--cache-only")
            self.assertIsNone(story["not_read"])
            self.assertEqual([entry["text"] for entry in story["entries"]],
                             [entry.split("\n", 1)[1] for entry in wanted], only_newer)
            self.assertEqual([entry["version"] for entry in story["entries"]], ["2.0-1", "1.0-3"])
            self.assertEqual([entry["date"][:10] for entry in story["entries"]], ["2026-01-01", "2025-12-01"])
            self.assertEqual((story["source_package"], story["cves"], story["advisories"], story["bugs"]),
                             ("data-src", ["CVE-2026-0001"], ["RHSA-2026:0042"], ["rhbz#1234567", "RHEL-4711"]))
            with open(old, "rb") as stream:
                name = hashlib.sha256(stream.read()).hexdigest()
            if not only_newer:
                os.unlink(os.path.join(cache, "v1/blob/sha256", name[:2], name))

    UPDATE = """<update from="kit" status="final" type="{kind}" version="1"><id>{id}</id><title>{title}</title>
  <severity>Important</severity><issued date="2026-01-02 03:04:05"/>
  <references><reference href="https://kit.example/1" id="CVE-2026-0001" type="cve" title="x"/>
  <reference href="https://kit.example/2" id="1234567" type="bugzilla"/></references>
  <pkglist><collection short="k"><name>k</name>
  <package name="{name}" version="{version}" release="{release}" epoch="0" arch="noarch"><filename>x.rpm</filename></package>
  </collection></pkglist></update>"""

    def updates(self, *updates):
        return "<updates>" + "".join(self.UPDATE.format(**{
            "kind": "security", "title": "t", "name": "data", "release": "1.fc41", **update}) for update in updates) + "</updates>"

    def advised(self, updateinfo, *options):
        before, after = self.night(1, "1.0", "2.fc41", self.ENTRIES[2:])[0], \
            self.night(2, "2.0", "1.fc41", self.ENTRIES, updateinfo)[0]
        result = self.factory.run_plain("diff", before, after, "--json", *options)
        self.assertEqual(result.code, run.OK, result)
        report = json.loads(result.stdout)
        self.assertEqual(SCHEMA.faults(report, "diff"), [])
        self.layouts = (before, after)
        return report["compared"][0]["platforms"][0]

    def test_advisories_of_the_versions_in_between(self):
        told = self.advised(self.updates({"id": "KIT-1", "version": "2.0"}, {"id": "KIT-2", "version": "1.5", "kind": "bugfix"},
                                         {"id": "KIT-OLD", "version": "1.0"}, {"id": "KIT-NEW", "version": "3.0"},
                                         {"id": "KIT-OTHER", "version": "2.0", "name": "other"}))
        self.assertEqual(told["advisories"][0], {
            "id": "KIT-1", "type": "security", "severity": "Important", "title": "t", "issued": "2026-01-02 03:04:05",
            "packages": ["data"], "references": ["CVE-2026-0001", "1234567"]})
        self.assertEqual([advisory["id"] for advisory in told["advisories"]], ["KIT-1", "KIT-2"])
        self.assertRegex(self.diff(*self.layouts).stdout, r"(?m)^  advisory +\+ KIT-1  security Important: t$")

    def diff(self, *arguments):
        return self.factory.run_plain("diff", *arguments)

    def test_advisories_that_cannot_be_had_are_told(self):
        told = self.advised(self.updates({"id": "KIT-1", "version": "2.0"}), "--cache-only")
        self.assertEqual(told["advisories"], [])
        self.assertRegex(told["notes"][0], "the advisories of kit.* were not read: its updateinfo.xml is not in the cache")

    def test_advisories_that_could_not_be_had_are_asked_for_once(self):
        """However many images have the packages."""
        self.advised(self.updates({"id": "KIT-1", "version": "2.0"}), "--cache-only")
        for layout in self.layouts:
            shutil.copytree(layout, os.path.join(os.path.dirname(layout), "again"))
        self.server.fault("*updateinfo*", status=404, times=None)
        self.server.requests.clear()
        result = self.factory.run_plain("diff", *map(os.path.dirname, self.layouts), "--json")
        told = json.loads(result.stdout)["compared"]
        self.assertEqual([len([note for note in image["platforms"][0]["notes"] if "advisories" in note]) for image in told], [1, 1])
        self.assertEqual(len([request for request in self.server.requests if "updateinfo" in request]), 1)

    def test_hostile_advisories_are_refused_or_clean(self):
        bad = self.updates({"id": "A\nB`\u202e", "version": "2.0", "title": "x" * 60000 + "\n  note: y"})
        for name, updateinfo in (("odd", bad), ("open", "<updates><update>"), ("deep", "<a>" * 50 + "</a>" * 50),
                                 ("root", bad.replace("updates", "html")),
                                 ("entity", '<!DOCTYPE a [<!ENTITY b "c">]><updates/>'),
                                 ("many", self.updates(*[{"id": f"KIT-{i}", "version": "2.0"} for i in range(1500)]))):
            with self.subTest(name):
                for folder in ("night1", "night2", "repo1", "repo2"):
                    shutil.rmtree(self.path(folder), ignore_errors=True)
                told = self.advised(updateinfo)
                self.assertEqual(len(told["advisories"]), 1 if name == "odd" else 0)
                self.assertEqual(len(told["notes"]), 0 if name == "odd" else 1)
                text = self.diff(*self.layouts).stdout
                self.assertNotIn("\u202e", text)
                self.assertLess(len(text), 10000)

    def test_back_to_an_older_package(self):
        (before, _), (after, _) = self.night(1, "2.0", "1", self.ENTRIES), self.night(2, "1.0", "2", self.ENTRIES[2:])
        story = self.told(before, after)
        self.assertEqual((story["downgrade"], story["cves"]), (True, ["CVE-2026-0001"]))


def stanza(name, version, **fields):
    more = "".join(f"{key}: {value}\n" for key, value in fields.items())
    return f"Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: {version}\n{more}Description: x\n\n"


class Layers(PushCase):
    """Images that nobody has a bill of: their files, and the packages of their own database."""

    def setUp(self):
        super().setUp()
        status = [stanza("foo", "1-1") + stanza("same", "1"), stanza("foo", "1-3", Source="foo-src (1-2)") + stanza("same", "1")]
        text = gzip.compress(changelog(("1-2", ["* CVE-2026-0001"]), ("1-1", ["* CVE-2020-0001"]), package="foo").encode())
        self.images, self.bases = [], []
        for number in (0, 1):
            entries = [base_image.file("var/lib/dpkg/status", status[number]),
                       base_image.file("var/lib/dpkg/info/foo.list", "/.\n/usr/bin/foo\n"),
                       base_image.file("var/lib/dpkg/info/same.list", "/.\n"),
                       base_image.file("usr/bin/foo", f"{number}\n", 0o755),
                       base_image.file("usr/share/doc/foo/changelog.gz", text)]
            upper = [[base_image.gone("usr/share/other"), base_image.folder("srv", 0o700)], []][number]
            self.bases.append(base_image.Base(self.path(f"image{number}"), {
                "amd64": [[base_image.file("usr/share/other", "x"), *entries], upper]}))
            self.images.append(self.path(f"image{number}"))

    def told(self, before, after, *options):
        result = self.call("diff", before, after, "--json", *options)
        self.assertEqual(result.code, run.OK, result)
        report = json.loads(result.stdout)
        self.assertEqual(SCHEMA.faults(report, "diff"), [])
        return report["compared"][0]["platforms"][0]

    def check(self, told):
        self.assertEqual((told["before"]["from"], told["after"]["from"], told["notes"]), ("layers", "layers", []))
        self.assertEqual([(package["name"], package["before"], package["after"]) for package in told["packages"]],
                         [("foo", "1-1", "1-3")])
        files = {file["path"]: (file["change"], file["package"]) for file in told["files"]}
        self.assertEqual(files, {"/srv": ("went", None), "/usr/bin/foo": ("changed", "foo"),
                                 "/usr/share/other": ("came", None), "/var/lib/dpkg/status": ("changed", None)})
        story, = told["changelogs"]
        self.assertEqual((story["source_package"], story["cves"], [entry["version"] for entry in story["entries"]]),
                         ("foo-src", ["CVE-2026-0001"], ["1-2"]))

    def test_layouts(self):
        self.check(self.told(*self.images))

    def test_archives(self):
        for path in self.images:
            shutil.make_archive(path, "tar", path)
        self.check(self.told(*[path + ".tar" for path in self.images]))

    def test_references_of_a_registry_and_what_is_in_the_cache_of_them(self):
        registry = self.make_registry()
        references = [f"{registry.host}/x/foo:{number}" for number in (0, 1)]
        for path, reference in zip(self.images, references):
            self.pushed(path, reference)
        options = ("--tls-verify=false",)
        self.check(self.told(*references, *options))
        self.check(self.told(self.images[0], references[1], *options))

    def test_a_layer_that_is_broken_leaves_the_configuration(self):
        digest = self.bases[1].layers["amd64"][0]["digest"]
        path = os.path.join(self.images[1], "blobs/sha256", digest.removeprefix("sha256:"))
        with open(path, "r+b") as stream:
            stream.seek(20)
            stream.write(b"xxxx")
        told = self.told(*self.images)
        self.assertEqual((told["before"]["from"], told["packages"], told["files"]), ("configuration", [], []))
        self.assertIn("packages and files were not compared: ", told["notes"][0])


if __name__ == "__main__":
    unittest.main(verbosity=2)
