# SPDX-License-Identifier: Apache-2.0
"""A name is enough: images of programs, packages and units that no manifest describes."""

import json
import os
import shutil
import unittest

from base import Case, deb, image, run, world

UNIT = "[Service]\nType=notify\nExecStartPre=/usr/bin/dmonctl check\nExecStart=@/usr/sbin/dmond dmond --no-fork \\\n  --quiet\n"
JOB = "[Service]\nType=oneshot\nExecStart=/usr/bin/dmonctl rotate\n"


def program(machine, path):
    return deb.program(path, world.executable(machine, ["libc.so.6"]))


def more_packages(name):
    """What the small distribution has besides: a service over three packages, names that several have, and odd ones."""
    machine = world.MACHINES[name]
    make = lambda package, files, **fields: deb.Package(package, files, arch=name, **{"Depends": "libc6", **fields})
    own = f"/usr/{'bin' if name == 'amd64' else 'sbin'}/pair"
    return [
        make("dmon-core", [program(machine, "/usr/sbin/dmond"), program(machine, "/usr/sbin/dmon-helper")], Source="dmon"),
        make("dmon", [deb.File("/lib/systemd/system/dmond.service", UNIT), deb.File("/lib/systemd/system/a-dmon.service", JOB),
                      program(machine, "/usr/bin/dmonctl")], Source="dmon (2)", Depends="dmon-core, libc6"),
        make("dmon-all", [deb.File("/usr/share/doc/dmon-all/x", "x")], Source="dmon", Depends="dmon"),
        make("dmon-part", [program(machine, "/usr/lib/dmon/part"), deb.File("/usr/share/dmon/part.conf", "x")], Source="dmon",
             Depends="dmon-core"),
        make("tool-a", [program(machine, "/usr/bin/tool")]), make("tool-b", [program(machine, "/usr/bin/tool")]),
        make("pair", [program(machine, own)]),
        make("lone", [program(machine, "/usr/sbin/Lone_Rider+2"), program(machine, "/usr/bin/lonectl")]),
        make("inner", [program(machine, "/usr/libexec/inner/deep"), program(machine, "/usr/bin/inner-a"),
                       program(machine, "/usr/bin/inner-b")]),
        make("twin", [deb.program("/usr/bin/twin", world.executable(machine, ["libc.so.6"])), deb.link("/usr/sbin/twin", "../bin/twin"),
                      deb.File("/usr/lib/twin/words", "x"), program(machine, "/usr/lib/twin/hidden"), deb.File("/usr/lib/twin/dull", "x")]),
        make("couple", [program(machine, f"/usr/sbin/{who}") for who in ("one", "two")] +
             [deb.File(f"/usr/lib/systemd/system/{who}.service", f"[Service]\nExecStart=/usr/sbin/{who}\n") for who in ("one", "two")]),
        make("leader", [program(machine, f"/usr/sbin/{who}") for who in ("leader", "led")]),
        make("aa", [program(machine, "/usr/sbin/whatd")]),
        make("zz", [program(machine, "/usr/sbin/whatd")], Depends="libc6, libfoo1"),
        make("what", [deb.File("/usr/share/what", "x")], Depends="zz | aa"),
        make("meta-served", [], Source="metas", Depends="meta-led"), make("meta-led", [], Source="other", Depends="served"),
        make("meta-helper", [], Source="metas", Depends="dmon-helper"), make("dmon-helper", [], Source="lone2", Depends="lone, pair"),
        make("meta-two", [], Source="metas", Depends="lone, pair", Provides="two-things"),
        make("empty", [deb.File("/usr/share/empty", "x")]),
    ]


class Names(Case):
    def setUp(self):
        super().setUp()
        packages = world.packages() + [package for name in ("amd64", "arm64") for package in more_packages(name)]
        self.ready(packages=packages)

    def order(self, *arguments):
        result = self.run_factory("--dry-run", "--json", "--arch", "all", *arguments)
        self.assertEqual(result.code, run.OK, result)
        self.last = result
        image = json.loads(result.stdout)["images"][0]
        return image["image"], image["architectures"][0]

    def check(self, word, image, path, package, said):
        name, order = self.order(word)
        self.assertEqual(name, image, self.last)
        self.assertEqual([(choice["path"], choice["package"]) for choice in order["choices"]], [(path, package)], self.last)
        self.assertEqual(order["named"], f"{word} is {said}")
        self.assertIn(order["named"], self.last.stderr)

    def test_a_command_that_one_package_ships(self):
        said = "the command /usr/sbin/dmond of the package dmon-core"
        self.check("dmond", "dmond", "/usr/sbin/dmond", "dmon-core", said)
        self.check("command:dmond", "dmond", "/usr/sbin/dmond", "dmon-core", said)
        self.check("/sbin/dmond", "dmond", "/usr/sbin/dmond", "dmon-core",
                   "the program /usr/sbin/dmond of the package dmon-core")

    def test_a_path_that_several_ship_is_of_the_package_that_a_manifest_would_take(self):
        self.check("/usr/bin/tool", "tool", "/usr/bin/tool", "tool-a",
                   "the program /usr/bin/tool of the package tool-a (fewest packages (3; tool-b 3); also shipped by tool-b, "
                   "which a manifest takes with packages: first)")

    def test_a_path_that_several_ship_is_of_the_one_on_which_a_package_of_its_name_depends(self):
        said = ("the program /usr/sbin/whatd of the package zz (the package what depends on it; also shipped by aa, "
                "which a manifest takes with packages: first)")
        self.check("/usr/sbin/whatd", "whatd", "/usr/sbin/whatd", "zz", said)
        for more, package in (("automatic: true\n", "zz"), ("", "aa")):
            self.write_manifest("given", more + "binaries: [/usr/sbin/whatd]\n")
            _, order = self.order("given")
            self.assertEqual([choice["package"] for choice in order["choices"]], [package])

    def test_a_package_stands_for_what_its_service_starts(self):
        self.check("dmon", "dmond", "/usr/sbin/dmond", "dmon-core",
                   "the package dmon, whose dmond.service starts /usr/sbin/dmond of the package dmon-core")
        self.check("package:dmon-core", "dmond", "/usr/sbin/dmond", "dmon-core",
                   "the package dmon-core, whose dmond.service starts /usr/sbin/dmond")
        self.check("dmon-all", "dmond", "/usr/sbin/dmond", "dmon-core",
                   "the package dmon-all, whose dmond.service starts /usr/sbin/dmond of the package dmon-core")

    def test_a_package_that_is_a_part_of_anothers_program_comes_whole_with_it(self):
        self.check("dmon-part", "dmond", "/usr/sbin/dmond", "dmon-core",
                   "the package dmon-part, whose dmond.service starts /usr/sbin/dmond of the package dmon-core, with all of dmon-part")
        manifest = self.path("part.yaml")
        with open(manifest, "w", encoding="utf-8") as stream:
            stream.write(self.new("--arch", "x86_64", "dmon-part"))
        digests = set()
        for name, word in (("named", "dmon-part"), ("written", manifest), ("again", "dmon-part")):
            self.factory.output = self.path(name)
            result = self.run_factory("--arch", "x86_64", word)
            self.assertEqual(result.code, run.OK, result)
            built = image.Layout(os.path.join(self.factory.output, "dmond"))
            digests.add(built.digest())
            paths = set(built.images["latest"]["amd64"].entries)
            self.assertLessEqual({"/usr/lib/dmon/part", "/usr/share/dmon/part.conf", "/usr/sbin/dmond"}, paths)
        self.assertEqual(len(digests), 1)

    def test_a_package_stands_for_its_only_program_for_administrators(self):
        self.check("lone", "lone_rider-2", "/usr/sbin/Lone_Rider+2", "lone",
                   "the package lone, whose program is /usr/sbin/Lone_Rider+2")

    def test_of_several_programs_a_package_stands_for_the_one_of_its_name(self):
        self.check("package:leader", "leader", "/usr/sbin/leader", "leader", "the package leader, whose program is /usr/sbin/leader")

    def test_a_link_is_the_program_that_it_leads_to(self):
        self.check("twin", "twin", "/usr/bin/twin", "twin", "the command /usr/bin/twin of the package twin")

    def test_a_unit(self):
        said = "which starts /usr/sbin/dmond of the package dmon-core"
        self.check("dmond.service", "dmond", "/usr/sbin/dmond", "dmon-core", f"the unit dmond.service, {said}")
        self.check("unit:dmond", "dmond", "/usr/sbin/dmond", "dmon-core", f"the unit dmond, {said}")

    def test_a_program_that_a_package_has_for_itself_comes_last(self):
        self.check("deep", "deep", "/usr/libexec/inner/deep", "inner", "the command /usr/libexec/inner/deep of the package inner")
        self.check("hidden", "hidden", "/usr/lib/twin/hidden", "twin", "the command /usr/lib/twin/hidden of the package twin")
        self.refuse(run.USAGE, "unknown image 'dull'", arguments=("dull",))

    def test_a_manifest_of_the_catalogue_comes_before_all(self):
        name, order = self.order("served")
        self.assertEqual(name, "served")
        self.assertIsNone(order["named"])
        self.refuse(run.USAGE, "command:served", "shipped by served, served-big", "package:NAME", arguments=("command:served",))
        _, order = self.order("package:served")
        self.assertEqual(order["choices"][0]["why"], "first in the manifest")

    def test_a_metapackage_leads_to_a_manifest_of_the_catalogue_or_to_a_command(self):
        name, order = self.order("meta-served")
        self.assertEqual((name, order["named"]), ("served", None))
        self.assertIn("meta-served is the package meta-served, which leads to the manifest served of the catalogue", self.last.stderr)
        self.assertEqual(self.new("meta-served"), world.MANIFEST)
        self.check("meta-helper", "dmon-helper", "/usr/sbin/dmon-helper", "dmon-core",
                   "the package meta-helper, whose program is /usr/sbin/dmon-helper of the package dmon-core")
        self.refuse(run.USAGE, "package meta-two has no program", "it depends on: lone, pair; name the one that is meant",
                    arguments=("meta-two",))
        self.refuse(run.USAGE, "image served is asked for twice", arguments=("served", "meta-served"))
        self.write_manifest("served", world.MANIFEST.replace("description:", "architectures: [x86_64]\ndescription:"))
        self.refuse(run.USAGE, "meta-served leads to the manifest served", "say served", arguments=("meta-served",))
        os.unlink(self.path("manifests/served.yaml"))  # what was found with it is not believed without it
        _, order = self.order("meta-served")
        self.assertEqual(order["named"], "meta-served is the package meta-served, whose program is /usr/sbin/served of the package served")

    def test_what_has_a_name_like_one_that_nothing_has_is_told(self):
        self.refuse(run.USAGE, "there are packages of like names: ", "dmon-helper", "meta-helper", arguments=("helper",))
        self.refuse(run.USAGE, "it is what other packages provide: name one of them", arguments=("two-things",))

    def test_names_that_mean_several_things_or_nothing_are_refused_with_what_could_be_meant(self):
        self.refuse(run.USAGE, "the command tool is shipped by tool-a, tool-b; name one: package:NAME", arguments=("tool",))
        self.refuse(run.USAGE, "package inner has several programs", "/usr/bin/inner-a, /usr/bin/inner-b", arguments=("inner",))
        self.refuse(run.USAGE, "package couple has several services; name the program: /usr/sbin/one (one.service), "
                    "/usr/sbin/two (two.service)", arguments=("couple",))
        self.refuse(run.USAGE, "package empty has no program", "it depends on: libc6", arguments=("empty",))
        self.refuse(run.USAGE, "unknown image 'sreved'", "no program, package or unit of", "did you mean 'served'?",
                    arguments=("sreved",))
        self.refuse(run.USAGE, "unknown image 'unit:nope'", arguments=("unit:nope",))
        self.refuse(run.USAGE, "unknown image '/usr/sbin/nope'", arguments=("/usr/sbin/nope",))

    def test_a_name_that_means_something_else_for_another_architecture_is_refused_with_both(self):
        self.refuse(run.RESOLVE, "pair is the command /usr/bin/pair of the package pair for x86_64",
                    "but the command /usr/sbin/pair of the package pair for aarch64", arguments=("--arch", "all", "pair"))
        self.assertEqual(self.run_factory("--arch", "aarch64", "--dry-run", "pair").code, run.OK)

    def test_odd_words_are_no_names(self):
        for word in ("a'b", 'a"b', "a\nb", "a b", "../x", "a/../b", "/usr/sbin/../x", "-", "x" * 300, "package:", "unit:-x", "a;b", "$x",
                     "\x1b[31m", "command:/usr/sbin/dmond"):
            with self.subTest(word):
                self.refuse(run.USAGE, arguments=("--dry-run", "--", word))

    def test_the_same_image_twice_is_refused(self):
        self.refuse(run.USAGE, "image dmond is asked for twice: dmond (made of its name) and dmon (made of its name)",
                    arguments=("dmond", "dmon"))

    def test_names_and_manifests_are_built_together(self):
        self.build("--arch", "all", "served", "dmond", "lone")
        for name in ("served", "dmond", "lone_rider-2"):
            self.assertTrue(os.path.exists(os.path.join(self.factory.output, name, "index.json")), name)

    def new(self, *arguments):
        """What `imgfactory new` prints."""
        result = self.factory.run_plain("new", *self.factory.options, *arguments)
        self.assertEqual(result.code, run.OK, result)
        return result.stdout

    def test_new_prints_the_manifest_of_a_name_which_gives_the_same_image(self):
        text = self.new("--arch", "aarch64", "dmon")
        self.assertIn("# dmon is the package dmon, whose dmond.service starts /usr/sbin/dmond of the package dmon-core.\n", text)
        self.assertIn("\nname: dmond\ndescription: 'dmon-core of the test kit'\n", text)
        self.assertIn("\nautomatic: true\nbinaries: [/usr/sbin/dmond]\n", text)
        self.assertIn("\n# What was found for aarch64;", text)
        self.assertIn("\n#  entrypoint: [/usr/sbin/dmond]\n", text)
        self.assertEqual(self.files_below(self.factory.output), [])
        digest = self.build("--arch", "all", "dmon", name="dmond").tags["latest"]
        again = self.build("--arch", "all", self.write("mine/x.yaml", text), name="dmond")
        self.assertEqual(again.tags["latest"], digest)
        plain = "".join(line + "\n" for line in text.splitlines() if not line.startswith("#"))
        self.assertEqual(self.build("--arch", "all", self.write("mine/y.yaml", plain), name="dmond").tags["latest"], digest)

    def test_new_of_an_image_of_the_catalogue_prints_its_manifest(self):
        self.assertEqual(self.new("served"), world.MANIFEST)
        self.assertIn("packages:\n  first: [served]\n", self.new("package:served"))

    def why(self, *arguments):
        result = self.factory.run_plain("why", *self.factory.options, "--arch", "x86_64", *arguments)
        self.assertEqual(result.code, run.OK, result)
        return result.stdout

    def test_what_a_name_meant_is_kept_with_the_image(self):
        self.build("--arch", "all", "dmon", name="dmond")
        tables = os.path.join(self.factory.cache, "v1", "derived", "contents")
        shutil.rmtree(tables)
        self.build("--arch", "all", "dmon", name="dmond")
        self.assertIn("dmon is the package dmon, whose dmond.service starts /usr/sbin/dmond", self.last.stderr)
        self.assertIn("nothing changed", self.last.stderr)
        self.assertFalse(os.path.exists(tables))

    def test_why_tells_of_all_that_a_glob_stands_for_also_of_what_was_left_out(self):
        out = self.why("served", "/usr/share/**/*.txt", "/usr/sbin/serv?d", "/usr/no/*")
        words, more, served, none = (out.index(f"served x86_64: {path}\n") for path in (
            "/usr/share/served/more.txt", "/usr/share/served/words.txt", "/usr/sbin/served", "/usr/no/*"))
        self.assertTrue(words < more < served < none, out)
        self.assertIn("not in the image: served-common, which is selected, ships it, but nothing that is kept needs it", out)
        self.assertIn("binary of the manifest", out[served:none])
        self.assertIn("imgfactory find '/usr/no/*'", out[none:])

    def test_why_of_very_many_files_tells_the_first(self):
        files = [deb.File(f"/usr/share/many/{i:05}", "") for i in range(3000)]
        packages = [*world.packages(), deb.Package("many", [deb.program("/usr/bin/many", world.executable(
            world.MACHINES["amd64"], ["libc.so.6"])), *files], arch="amd64", Depends="libc6")]
        self.make_repository(packages=packages, name="more")
        self.use(self.write_source("more.yaml"))
        out = self.why("many", "/usr/share/many/*")
        self.assertEqual(out.count("not in the image"), 2000)
        self.assertIn("many x86_64: and 1000 more, which are not told", out)
        self.assertIn("begin a manifest with imgfactory new", out)

    def find(self, *arguments, code=run.OK):
        result = self.factory.run_plain("find", *self.factory.options, *arguments)
        self.assertEqual(result.code, code, result)
        return result.stdout if code == run.OK else result.stderr

    def test_find_tells_what_a_package_ships_for_which_architectures(self):
        self.assertEqual(self.find("--arch", "all", "dmon").splitlines(), [
            "dmon: /usr/bin/dmonctl", "dmon: /usr/lib/systemd/system/a-dmon.service",
            "dmon: /usr/lib/systemd/system/dmond.service"])
        self.assertEqual(self.find("--arch", "all", "pair").splitlines(), [
            "pair: /usr/bin/pair (x86_64)", "pair: /usr/sbin/pair (aarch64)"])
        self.assertEqual(json.loads(self.find("--json", "--arch", "all", "pair")), [
            {"package": "pair", "path": "/usr/bin/pair", "architectures": ["x86_64"]},
            {"package": "pair", "path": "/usr/sbin/pair", "architectures": ["aarch64"]}])

    def test_find_tells_which_packages_ship_a_path_a_glob_or_a_name(self):
        self.assertEqual(self.find("--arch", "all", "/usr/bin/tool").splitlines(), ["tool-a: /usr/bin/tool", "tool-b: /usr/bin/tool"])
        self.assertEqual(self.find("--arch", "x86_64", "/lib/**/*dmon*").splitlines(), [
            "dmon: /usr/lib/systemd/system/a-dmon.service", "dmon: /usr/lib/systemd/system/dmond.service"])
        self.assertEqual(self.find("--arch", "x86_64", "dmond.service", "deep").splitlines(), [
            "dmon: /usr/lib/systemd/system/dmond.service", "inner: /usr/libexec/inner/deep"])
        self.assertEqual(self.files_below(self.factory.output), [])

    def test_find_of_nothing_is_class_5(self):
        for word in ("nothing", "/usr/nothing", "a'b", "x\ny"):
            self.assertIn("none ships such a path", self.find(word, code=run.RESOLVE))
        self.assertIn("is no path", self.find("/a/../b", code=run.USAGE))
        self.repository.publish(self.key, contents=False)
        self.assertIn("has a Contents file", self.find("/usr/sbin/dmond", code=run.RESOLVE))

    def test_why_takes_a_name(self):
        self.assertIn("from dmon-core", self.why("dmond", "/usr/sbin/dmond"))

    def test_a_suggestion_is_the_answer_only_when_nothing_can_be_asked(self):
        result = self.run_factory("--cache-only", "--dry-run", "serve")
        self.assertEqual(result.code, run.USAGE, result)
        self.assertIn("did you mean 'served'?", result.stderr)
        self.order("dmond")
        result = self.run_factory("--cache-only", "--dry-run", "dmond")
        self.assertEqual(result.code, run.OK, result)

    def test_without_contents_a_package_of_the_name_is_tried(self):
        self.repository.publish(self.key, contents=False)
        self.write_manifest("other", "binaries: [/usr/bin/other]\n")
        name, order = self.order("package:lone")
        self.assertEqual((name, order["choices"][0]["package"]), ("lone_rider-2", "lone"))
        self.refuse(run.USAGE, "unknown image 'nope'", "packages: first", arguments=("nope",))

    def test_without_contents_packages_first_is_looked_through_and_then_the_name_tried(self):
        self.repository.publish(self.key, contents=False)
        text = "name: served\nbinaries: [/usr/sbin/dmond, /usr/bin/lonectl]\npackages:\n  first: [absent, served-common, lone, dmon-core]\n"
        self.write_manifest(text=text)
        for built in self.build("--arch", "all", "served").images["latest"].values():
            self.assertIn("/usr/sbin/dmond", built)
            self.assertIn("/usr/bin/lonectl", built)
        self.write_manifest(text="name: x\nbinaries: [/usr/bin/pair]\n")
        for built in self.build("--arch", "x86_64", "served", name="x").images["latest"].values():
            self.assertIn("/usr/bin/pair", built)
        self.write_manifest(text="name: y\nbinaries: [/usr/bin/lonectl]\n")
        self.refuse_more(run.RESOLVE, "packages: first", arguments=("--arch", "x86_64", "served"))

    def refuse_more(self, code, *parts, arguments):
        """refuse(), when there are images already."""
        result = self.run_factory(*arguments)
        self.assertEqual(result.code, code, result)
        for part in parts:
            self.assertIn(part, result.stderr)


class Many(Case):
    def test_a_package_of_a_million_files_is_cut(self):
        self.ready(architectures=("amd64",))
        class Huge(deb.Package):  # pylint: disable=too-few-public-methods
            files = property(lambda self: (deb.File(f"/usr/share/huge/{i}") for i in range(1000001)), lambda self, value: None)
        self.repository.packages.append(Huge("huge", arch="amd64", raw=b"x"))
        self.repository.publish(self.key)
        result = self.factory.run_plain("find", *self.factory.options, "--arch", "x86_64", "huge")
        self.assertEqual(result.code, run.OK)
        self.assertIn("warning: more than 1000000 paths", result.stderr)
        self.assertEqual(result.stdout.count("\n"), 1000000)

    def test_ten_thousand_candidates_are_no_list_to_read(self):
        packages = [deb.Package(f"c{i}", [deb.program("/usr/bin/many", "x")], arch="amd64", raw=b"x") for i in range(10000)]
        self.ready(packages=packages, architectures=("amd64",))
        result = self.refuse(run.USAGE, "the command many is shipped by c0, c1, c10", "…", arguments=("--arch", "x86_64", "many"))
        self.assertLess(len(result.stderr), 2000)


if __name__ == "__main__":
    unittest.main()
