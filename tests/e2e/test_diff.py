"""`imgfactory diff`: what differs between two images, by bills and by layers, and why."""

import json
import os
import shutil
import unittest

from base import Case, deb, image, run, world
from kit.schema import Schema

SCHEMA = Schema(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "factory", "bill",
                             "report.schema.json"))
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


if __name__ == "__main__":
    unittest.main(verbosity=2)
