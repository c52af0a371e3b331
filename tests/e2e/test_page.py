# SPDX-License-Identifier: Apache-2.0
"""--report DIR: static pages of a run. Their numbers are the report's, nothing of a package's is markup, and a folder with other
files stays as it is."""

import contextlib
import fcntl
import gzip
import html.parser
import json
import os
import re
import shutil
import subprocess
import unittest

from base import Case, Report, deb, run, world

HOSTILE = "/usr/share/served/<img src=x onerror=alert(1)>&\"'.txt"
VOID = {"meta", "br", "hr", "img", "link", "input", "rect", "path", "circle", "line"}


class Page(html.parser.HTMLParser):
    """A page's elements, read strictly: every element is closed, in order; ids are there once."""

    def __init__(self, path):
        super().__init__(convert_charrefs=True)
        with open(path, encoding="utf-8") as stream:
            self.source = stream.read()
        self.path, self.open, self.all, self.ids, self.text = path, [], [], [], ""
        self.feed(self.source)
        self.close()
        assert not self.open, (path, self.open)
        assert len(self.ids) == len(set(self.ids)), (path, self.ids)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.all.append((tag, attrs))
        self.ids += [attrs["id"]] if "id" in attrs else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.all.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, (self.path, self.open, tag, self.getpos())
        self.open.pop()

    def handle_data(self, data):
        self.text += data if not self.open or self.open[-1] != "style" else ""

    def rows(self):
        """Rows of the first table: {label: (text, value)}."""
        body = re.search(r"<tbody>(.*?)</tbody>", self.source, re.S)[1]
        for row in re.findall(r"<tr>(.*?)</tr>", body, re.S):
            cells = {"Image": (re.sub(r"<[^>]*>", "", re.search(r"<th.*?</th>", row, re.S)[0]).strip(), None)}
            for label, cell in re.findall(r'<td data-label="([^"]*)".*?>(.*?)</td>', row, re.S):
                value = re.search(r'data-value="([^"]*)"', cell)
                cells[label] = (html.unescape(re.sub(r"<[^>]*>", "", cell)).strip(), value and value[1])
            yield cells


class Pages(Case):
    def setUp(self):
        super().setUp()
        self.ready()
        self.pages = self.path("pages")

    def make(self, *words, code=run.OK, **settings):
        result = self.run_factory("--json", "--arch", "all", "--report", self.pages, *(words or ("served",)), **settings)
        self.assertEqual(result.code, code, result)
        return Report(result.stdout)

    def page(self, name="index.html"):
        return Page(os.path.join(self.pages, name))

    def update(self, version="2.1-1"):
        self.repository.packages = world.packages()
        for package in self.repository.packages:
            if package.name == "libbar2":
                package.version = version
        self.repository.publish(self.key)

    def test_the_numbers_are_those_of_the_report(self):
        self.make()
        self.update()
        report = self.make()
        told = report.images()["served"]
        row, = self.page().rows()
        self.assertEqual(row["Image"][0], f"served {told['status']}")
        self.assertEqual(row["Tags"][0].split(), told["tags"])
        self.assertEqual(row["Architectures"][0].split(), [one["arch"] for one in told["architectures"]])
        self.assertEqual(row["Version"][0], told["architectures"][0]["full_version"])
        self.assertEqual(int(row["Size"][1]), sum(one["compressed_bytes"] for one in told["architectures"]))
        change = sum(one["after"]["layer_bytes"] - one["before"]["layer_bytes"]
                     for one in told["changes"]["platforms"])
        self.assertEqual(int(row["Change"][1]), change)
        self.assertEqual(row["CVEs fixed"][0], "0")
        self.assertEqual(row["Parity"][0], "–")
        self.assertAlmostEqual(float(row["Time"][1]), told["seconds"], places=2)
        page = self.page("image/served.html")
        for one in told["architectures"]:
            for value in (one["compressed_bytes"], one["unpacked_bytes"]):
                self.assertIn(f'data-value="{value}"', page.source)
            self.assertIn(one["digest"], page.text)
        self.assertRegex(page.text, r"libbar2\s*2\.0\+dfsg-1\s*2\.1-1")
        self.assertIn(told["changes"]["before"], page.text)
        # Why each file is there stands in the table.
        self.assertRegex(re.sub(r"\s+", " ", page.text), r"/usr/lib/x86_64-linux-gnu/libbar\.so\.2.*needed by /usr/lib/x86_64-linux-gnu/libfoo")

    def publish_fixing(self, number):
        """libfoo1 and hints, of which no file is in the image, of a version whose changelogs name a CVE each."""
        def doc(name):
            text = f"{name} (1:{number}.0-1) stable; urgency=high\n\n  * Fix CVE-2026-{number}{len(name):03}.\n\n -- A <a@b.c>  Mon, 02 Nov 2026 08:00:00 +0000\n"
            return deb.File(f"/usr/share/doc/{name}/changelog.Debian.gz", gzip.compress(text.encode(), mtime=0))
        self.repository.packages = world.packages() + [deb.Package("hints", arch="all", version=f"1:{number}.0-1", files=[
            doc("hints"), deb.File("/usr/share/hints/x", str(number))])]
        for package in self.repository.packages:
            if package.name == "libfoo1":
                package.version = f"1:{number}.0-1"
                package.fields["Depends"] += ", hints"
                package.files = [*package.files, doc("libfoo1")]
        self.repository.publish(self.key)

    def test_what_a_package_mends_of_which_no_file_is_there_does_not_count(self):
        self.write_manifest("other", "name: other\nbinaries: [/usr/sbin/served]\npackages: {install: [hints]}\n")
        self.publish_fixing(1)
        self.make("served", "other")
        self.publish_fixing(2)
        told = self.make("served", "other").images()["served"]["changes"]["platforms"][0]
        self.assertEqual({one["packages"][0]: one["cves"] for one in told["changelogs"]},
                         {"hints": ["CVE-2026-2005"], "libfoo1": ["CVE-2026-2007"]})
        self.assertEqual({one["packages"][0]: one["gave_files"] for one in told["changelogs"]}, {"hints": False, "libfoo1": True})
        page = self.page()
        self.assertEqual([(row["Image"][0].split()[0], row["CVEs fixed"][0]) for row in page.rows()], [("served", "1"), ("other", "2")])
        self.assertIn("2 CVE numbers are named by what changed", page.text)
        text = re.sub(r"\s+", " ", self.page("image/served.html").text)
        self.assertIn("1 CVE number is named by what changed: CVE-2026-2007", text)
        self.assertRegex(text, r"Changelog of hints, 1:1.0-1 → 1:2.0-1 \(no file of it is in the image\), CVE-2026-2005")
        night = self.factory.run_plain("history", "--json", "--state", self.factory.state, "served")
        self.assertEqual(json.loads(night.stdout)["places"][0]["nights"][0]["cves"], ["CVE-2026-2007"])

    def test_pages_have_no_scripts_and_nothing_from_elsewhere(self):
        self.make()
        for name in ("index.html", "image/served.html"):
            page = self.page(name)
            for tag, attrs in page.all:
                self.assertNotIn(tag, ("script", "iframe", "object", "link", "img"))
                self.assertFalse([key for key in attrs if key.startswith("on")])
                target = attrs.get("href") or attrs.get("src") or ""
                self.assertNotRegex(target, r"^(\w+:|//)")
            self.assertNotRegex(page.source, r"@import|url\(")
            tags = [tag for tag, _ in page.all]
            for landmark in ("header", "main", "footer", "h1", "title"):
                self.assertEqual(tags.count(landmark) - (tags.count("svg") if landmark == "title" else 0)
                                 - (page.source.count("<g><title>") if landmark == "title" else 0), 1, landmark)
            self.assertEqual(tags.count("caption"), tags.count("table"))
            self.assertTrue(all(attrs.get("scope") in ("col", "row") for tag, attrs in page.all if tag == "th"))
            self.assertTrue(all(attrs.get("aria-label") for tag, attrs in page.all if tag == "svg"))

    def test_nothing_of_a_package_is_markup(self):
        packages = world.packages()
        common = next(package for package in packages if package.name == "served-common")
        common.files.append(deb.File(HOSTILE, "x" * 90000))
        common.files.append(deb.File("/usr/share/served/" + "long" * 60, "y" * 80000))
        self.repository.packages = packages
        self.repository.publish(self.key)
        self.write_manifest(text=world.MANIFEST.replace("  - /etc/served/served.conf\n",
                                                        "  - /etc/served/served.conf\n  - /usr/share/served/**\n"))
        self.make()
        page = self.page("image/served.html")
        self.assertIn(HOSTILE, page.text)
        self.assertNotIn("<img", page.source)

    def test_what_failed_comes_first(self):
        self.write_manifest("broken", "name: broken\nbinaries: [/usr/bin/absent]\nconfig: {entrypoint: [/x]}\n")
        self.make("served", "broken", code=run.PARTLY)
        page = self.page()
        self.assertEqual([row["Image"][0] for row in page.rows()], ["broken failed", "served built"])
        self.assertLess(page.text.index("/usr/bin/absent"), page.text.index("Architectures"))
        self.assertIn("/usr/bin/absent", self.page("image/broken.html").text)

    def test_equal_input_gives_equal_bytes(self):
        def shown():
            with open(os.path.join(self.pages, "image/served.html"), encoding="utf-8") as stream:
                text = stream.read()
            text = re.sub(r'<span data-value="[\d.]+">[\d.]+ s</span>|>[\d.]+ s<|\d\d:\d\d:\d\d UTC', "", text)
            return text.replace("built", "").replace("unchanged", "").replace("class=\"badge good\"", "").replace(
                "class=\"badge same\"", "")
        self.make()
        first = shown()
        self.make("--rebuild", "--jobs", "1", "served")
        self.assertEqual(shown(), first)

    def test_a_folder_with_other_files_stays_as_it_is(self):
        os.makedirs(os.path.join(self.pages, "image"))
        mine = {"notes.txt": "mine", "image/mine.html": "<p>mine", "image/served.html.bak": "x"}
        for name, text in mine.items():
            self.write(os.path.join("pages", name), text)
        self.make()
        self.write_manifest("other", "name: other\nbinaries: [/usr/sbin/served]\nconfig: {entrypoint: [/usr/sbin/served]}\n")
        self.make("other")
        left = {name for name in os.listdir(os.path.join(self.pages, "image"))}
        self.assertEqual(left, {"other.html", "mine.html", "served.html.bak"})
        for name, text in mine.items():
            with open(os.path.join(self.pages, name), encoding="utf-8") as stream:
                self.assertEqual(stream.read(), text)
        self.write("pages/index.html", "<h1>my own site</h1>")
        self.refuse_report("index.html is no page of imgfactory")
        os.remove(os.path.join(self.pages, "index.html"))
        os.symlink("/etc/passwd", os.path.join(self.pages, "index.html"))
        self.refuse_report("index.html is no page of imgfactory")
        shutil.rmtree(self.pages)
        os.makedirs(self.pages)
        os.symlink("/etc", os.path.join(self.pages, "image"))
        self.refuse_report("image is no folder")
        shutil.rmtree(self.pages)
        self.write("pages", "a file")
        self.refuse_report("no folder")

    def refuse_report(self, told):
        result = self.run_factory("--arch", "all", "--report", self.pages, "served")
        self.assertEqual(result.code, run.USAGE, result)
        self.assertIn(told, result.stderr)

    def test_runs_that_write_to_one_folder_wait_for_each_other(self):
        self.make()
        held = os.open(self.pages, os.O_RDONLY)
        self.addCleanup(os.close, held)
        fcntl.flock(held, fcntl.LOCK_EX)
        os.remove(os.path.join(self.pages, "index.html"))
        child = self.factory.start("--arch", "all", "--report", self.pages, "served")
        said = child.stderr.readline()
        while said and b"waiting for" not in said:
            said = child.stderr.readline()
        self.assertRegex(said.decode(), rf"waiting for {self.pages}, which process {os.getpid()} ")
        self.assertEqual(os.listdir(self.pages), ["image"])
        fcntl.flock(held, fcntl.LOCK_UN)
        _, stderr = child.communicate(timeout=60)
        self.assertEqual(child.returncode, run.OK, stderr)
        self.assertIn("served", self.page().text)

    def test_what_cannot_be_written_is_told_and_leaves_whole_pages(self):
        if os.geteuid() != 0:
            self.skipTest("mounting a small tmpfs needs root")
        os.makedirs(self.pages)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", self.pages], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", self.pages], check=False)
        self.make()
        before = self.page().source, self.page("image/served.html").source
        with open(os.path.join(self.pages, "full"), "wb", buffering=0) as full:
            with contextlib.suppress(OSError):
                while full.write(b"x" * 4096):
                    pass
        self.update()
        options = ("--arch", "all", "--changes", os.path.join(self.pages, "changes.md"), "--report", self.pages, "served")
        result = self.run_factory(*options)
        self.assertEqual(result.code, run.LOCAL, result)
        self.assertRegex(result.stderr, "error: --report: .*No space left")
        self.assertRegex(result.stderr, "error: --changes: .*No space left")
        self.assertEqual((self.page().source, self.page("image/served.html").source), before)
        os.remove(os.path.join(self.pages, "full"))
        self.assertEqual(self.run_factory(*options).code, run.OK)
        self.assertNotEqual(self.page().source, before[0])
        self.assertEqual(sorted(os.listdir(self.pages)), ["changes.md", "image", "index.html"])

    def test_a_night_writes_where_its_site_says(self):
        site = self.write("site/imgfactory.yaml", f"source: {self.path('source.yaml')}\narch: all\nreport: shown\n"
                          "images:\n  - served\n")
        self.factory.options = ["--manifests", self.path("manifests")]
        result = self.run_factory("--config", site)
        self.assertEqual(result.code, run.OK, result)
        self.pages = self.path("site/shown")
        self.assertIn("Night of", self.page().text)
        self.assertEqual(next(self.page().rows())["Parity"][0], "alike")
        # A call with names is no night, and a dry run neither.
        os.remove(os.path.join(self.pages, "index.html"))
        self.assertEqual(self.run_factory("--config", site, "served").code, run.OK)
        self.assertFalse(os.path.exists(os.path.join(self.pages, "index.html")))
        units = self.factory.run_plain("unit", "--config", site, "--format", "timer", "--json")
        files = {made["name"]: made["text"] for made in json.loads(units.stdout)["files"]}
        self.assertIn(f"ReadWritePaths={self.pages}", files["imgfactory.service"])
        self.assertIn(f"d {self.pages} 0755", files["imgfactory-output.conf"])

    def test_an_image_of_very_many_files_has_a_page_of_bounded_size(self):
        packages = world.packages(("amd64",))
        common = next(package for package in packages if package.name == "served-common")
        common.files += [deb.File(f"/usr/share/served/many/{number:05}", "z" * (number % 7 + 1)) for number in range(20000)]
        self.repository.packages = packages
        self.repository.publish(self.key)
        self.write_manifest(text=world.MANIFEST.replace("  - /etc/served/served.conf\n",
                                                        "  - /etc/served/served.conf\n  - /usr/share/served/**\n"))
        result = self.run_factory("--arch", "x86_64", "--report", self.pages, "served", timeout=300)
        self.assertEqual(result.code, run.OK, result)
        self.assertLess(os.path.getsize(os.path.join(self.pages, "image/served.html")), 100_000)
        self.assertIn("more files", self.page("image/served.html").text)


if __name__ == "__main__":
    unittest.main()
