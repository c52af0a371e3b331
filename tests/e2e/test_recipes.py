# SPDX-License-Identifier: Apache-2.0
"""What scripts of packages would have done: recipes, alternatives, the CA bundle, and --strict."""

import json
import unittest

from base import Case, deb, run, world

AMD64 = world.MACHINES["amd64"]

POSTINST = """#!/bin/sh
set -e
# adduser nobody-reads-this
case "$1" in
configure)
    adduser --quiet --system --group --home /var/lib/served served
    mkdir -p /var/lib/served/db
    echo "now run: setcap cap_net_raw+ep /usr/sbin/served"
    ;;
esac
"""

RECIPE = """\
for: [served]
when: deb
files:
  - {path: /usr/share/tool/words, package: tool}
users:
  - {name: served, uid: 150, home: /var/lib/served}
directories:
  - {path: /run/served, mode: "0750", owner: served, group: served}
  - {path: /var/lib/served/db, mode: "0700", owner: served}
create:
  - {path: /etc/served/made, content: "by the recipe"}
env: {SERVED_HOME: /var/lib/served, LEVEL: recipe}
"""

MANIFEST = """\
binaries: [/usr/sbin/served]
config:
  entrypoint: [/usr/sbin/served]
  user: served:served
"""


def tool():
    return deb.Package("tool", files=[deb.File("/usr/share/tool/words", "one\n")])


class Recipes(Case):
    def start(self, manifest=MANIFEST, recipes=None, packages=(), scripts=None, tool_scripts=None):
        """The small distribution on amd64, with scripts in `served`, `tool` beside it, and these recipes."""
        distribution = [package for package in world.packages(("amd64",)) if package.name not in ("served", "served-big")]
        served = world.served(AMD64)
        served.scripts = scripts if scripts is not None else {"postinst": POSTINST}
        helper = tool()
        helper.scripts = tool_scripts or {}
        self.ready(manifest=manifest, packages=distribution + [served, helper, *packages], architectures=("amd64",))
        for name, text in ({"served": RECIPE} if recipes is None else recipes).items():
            self.write(f"manifests/recipes/{name}.yaml", text)

    def make(self, *arguments):
        layout = self.build("--arch", "x86_64", "--json", "served", *arguments)
        self.report = json.loads(self.last.stdout)["images"][0]["architectures"][0]
        image = layout.images["latest"]["amd64"]
        self.config = image.config["config"]
        return image.entries

    def test_a_recipe_of_a_package_that_gives_files_applies(self):
        self.start()
        files = self.make()
        self.assertEqual(files["/run/served"].mode, 0o750)
        self.assertEqual((files["/run/served"].uid, files["/run/served"].gid), (150, 150))
        self.assertEqual(files["/var/lib/served/db"].mode, 0o700)
        self.assertEqual(files["/etc/served/made"].data, b"by the recipe")
        self.assertIn(b"served:x:150:150::/var/lib/served:", files["/etc/passwd"].data)
        why = {file["path"]: file["why"] for file in self.report["files"]}
        self.assertEqual(why["/etc/passwd"], "users and groups of manifest, recipes and sysusers.d")
        self.assertEqual(why["/etc/group"], why["/etc/passwd"])
        self.assertEqual(files["/usr/share/tool/words"].data, b"one\n")  # of a package that the recipe brings
        self.assertIn("SERVED_HOME=/var/lib/served", self.config["Env"])
        self.assertEqual(self.config["User"], "served:served")
        self.assertEqual(self.report["recipes"], ["served"])
        self.assertEqual(self.report["notes"], ["packages of the service (served) ship what is not in the image: "
                                                "1 configuration file in /etc/served"])
        why = {file["path"]: file["why"] for file in self.report["files"]}
        self.assertEqual(why["/etc/served/made"], "created by the recipe served")
        self.assertEqual(why["/usr/share/tool/words"], "file of the recipe served")

    def test_the_report_says_who_wants_what(self):
        self.start(manifest=MANIFEST + "files: [/etc/served/served.conf]\nusers: [{name: other, uid: 160}]\n")
        for _ in ("made", "reused"):
            self.make()
            wanted = {(wish["kind"], wish["name"]): wish["by"] for wish in self.report["wanted"]}
            self.assertEqual(wanted, {
                ("binary", "/usr/sbin/served"): "the manifest",
                ("file", "/etc/served/served.conf"): "the manifest",
                ("file", "/usr/share/tool/words"): "the recipe served",
                ("made directory", "/run/served"): "the recipe served",
                ("made directory", "/var/lib/served/db"): "the recipe served",
                ("made file", "/etc/served/made"): "the recipe served",
                ("user", "other"): "the manifest",
                ("user", "served"): "the recipe served",
                ("group", "other"): "the manifest",
                ("group", "served"): "the recipe served",
                ("variable", "SERVED_HOME"): "the recipe served",
                ("variable", "LEVEL"): "the recipe served"})
            words = [wish for wish in self.report["wanted"] if wish["name"] == "/usr/share/tool/words"]
            self.assertEqual(words[0]["from"], ["tool"])
        dry = self.run_factory("--arch", "x86_64", "--json", "--dry-run", "served")
        wanted = json.loads(dry.stdout)["images"][0]["architectures"][0]["wanted"]
        self.assertIn({"kind": "binary", "name": "/usr/sbin/served", "from": [], "by": "the manifest"}, wanted)

    def test_the_same_image_comes_out_of_the_cache(self):
        self.start()
        self.make()
        first = self.report["digest"]
        self.make()
        self.assertEqual((self.report["digest"], self.report["status"]), (first, "reused"))
        self.write("manifests/recipes/served.yaml", RECIPE.replace("by the recipe", "by another"))
        self.assertEqual(self.make()["/etc/served/made"].data, b"by another")

    def test_the_manifest_wins(self):
        self.start(manifest=MANIFEST + """\
  env: {LEVEL: manifest}
users:
  - {name: served, uid: 77}
directories:
  - {path: /run/served, mode: "0711"}
create:
  - {path: /etc/served/made, content: "by the manifest"}
""")
        files = self.make()
        self.assertEqual((files["/run/served"].mode, files["/run/served"].uid), (0o711, 0))
        self.assertEqual(files["/var/lib/served/db"].uid, 77)
        self.assertEqual(files["/etc/served/made"].data, b"by the manifest")
        self.assertIn("LEVEL=manifest", self.config["Env"])
        self.assertIn("SERVED_HOME=/var/lib/served", self.config["Env"])

    def test_recipes_can_be_turned_off(self):
        self.start(manifest="binaries: [/usr/sbin/served]\nrecipes: false\n")
        files = self.make()
        self.assertNotIn("/run/served", files)
        self.assertNotIn("/usr/share/tool/words", files)
        self.assertEqual(self.report["recipes"], [])

    def test_a_package_that_gives_nothing_has_no_say(self):
        self.start(recipes={"served-common": "create: [/never]\n", "nowhere": "create: [/never]\n",
                            "rpm": "for: [served]\nwhen: rpm\ncreate: [/never]\n"}, manifest="binaries: [/usr/sbin/served]\n")
        self.assertNotIn("/never", self.make())
        self.assertIn("served-common", [package["name"] for package in self.report["selection"]])
        self.assertEqual(self.report["recipes"], [])

    def test_recipes_of_brought_packages_apply_too(self):
        self.start(recipes={"served": RECIPE, "tool": "create: [{path: /etc/tool, content: deep}]\ninstall: [libbaz3]\n"})
        files = self.make()
        self.assertEqual(files["/etc/tool"].data, b"deep")
        self.assertIn(AMD64.lib("libbaz.so.3"), files)
        self.assertEqual(self.report["recipes"], ["served", "tool"])

    def test_what_nobody_does_is_noted_for_each_package(self):
        self.start(recipes={}, manifest="binaries: [/usr/sbin/served]\n")
        self.make()
        note, = [note for note in self.report["notes"] if note.startswith("package ")]
        self.assertEqual(note, "package served: its scripts are not run, and nothing does instead: adduser served (postinst), "
                               "mkdir /var/lib/served/db (postinst)")
        self.assertIn(note, self.last.stderr)

    def test_strict_makes_it_an_error(self):
        self.start(recipes={}, manifest="binaries: [/usr/sbin/served]\n")
        self.refuse(run.RESOLVE, "strict: package served:", "adduser served", "manifests/recipes/PACKAGE.yaml",
                    arguments=("--arch", "x86_64", "--strict", "served"))
        self.write_manifest(text="binaries: [/usr/sbin/served]\nstrict: true\n")
        self.refuse(run.RESOLVE, "strict: package served:", arguments=("--arch", "x86_64", "served"))
        self.write("imgfactory.yaml", "strict: true\n")
        self.write_manifest(text="binaries: [/usr/sbin/served]\n")
        self.refuse(run.RESOLVE, "strict: package served:",
                    arguments=("--arch", "x86_64", "--config", self.path("imgfactory.yaml"), "served"))
        self.write("manifests/recipes/x.yaml", "for: [served]\ncovers: [adduser, mkdir]\n")
        self.make("--strict")

    def test_a_manifest_covers_what_scripts_do(self):
        self.start(recipes={}, manifest="binaries: [/usr/sbin/served]\ncovers: [adduser, mkdir]\n"
                                        "files: [/etc/served/served.conf]\nconfig: {cmd: [served]}\n")
        self.make("--strict")
        self.assertEqual(self.report["notes"], [])

    def test_questions_to_the_administrator_come_last(self):
        script = "#!/bin/sh\ndb_get served/mode\nadduser served\n"
        self.start(recipes={}, manifest="binaries: [/usr/sbin/served]\n", scripts={"postinst": script})
        self.make()
        note, = [note for note in self.report["notes"] if note.startswith("package ")]
        self.assertRegex(note, r"adduser served \(postinst\), db_get served/mode \(postinst\)$")

    def test_strict_is_content_with_a_complete_recipe_or_manifest(self):
        self.start()
        self.make("--strict")
        self.write_manifest(text="binaries: [/usr/sbin/served]\nrecipes: false\nusers: [{name: served, uid: 9}]\n"
                                 "directories: [/var/lib/served/db]\n")
        self.make("--strict")

    def test_a_user_that_nobody_brings_is_refused(self):
        self.start(recipes={})
        self.refuse(run.USAGE, "served.yaml: user 'served' is not root, one of 'users' or of a recipe, or a number",
                    arguments=("--arch", "x86_64", "served"))

    def test_broken_recipes_are_refused_with_their_place(self):
        self.start(recipes={"bad": "directories:\n  - /a/../../etc\n"})
        self.refuse(run.USAGE, "recipes/bad.yaml:2:5: '/a/../../etc' must not have a '..' component",
                    arguments=("--arch", "x86_64", "served"))

    def test_recipes_that_want_what_is_not_there_say_whose_wish_it_is(self):
        self.start(recipes={"served": RECIPE.replace("/usr/share/tool/words", "/usr/share/tool/x*")})
        self.refuse(run.RESOLVE, "no file matches /usr/share/tool/x* (the recipe served) in the packages tool",
                    arguments=("--arch", "x86_64", "served"))

    def test_the_alternative_of_highest_priority_is_linked(self):
        def giver(name, priority):
            path = AMD64.lib(f"{name}/libalt.so.3")
            package = deb.Package(name, arch="amd64", Depends="libc6",
                                  files=[deb.File(path, world.library(AMD64, "libalt.so.3", ["libc.so.6"]))])
            package.scripts = {"postinst": f"#!/bin/sh\nupdate-alternatives --install {AMD64.lib('libalt.so.3')} \\\n"
                                           f"  libalt.so.3-x {path} {priority}\n"}
            return package
        needy = deb.Package("needy", arch="amd64", Depends="libc6, alt-a, alt-b",
                            files=[deb.program("/usr/sbin/needy", world.executable(AMD64, ["libalt.so.3", "libc.so.6"]))])
        self.start(manifest="name: served\nbinaries: [/usr/sbin/needy]\n", recipes={},
                   packages=[giver("alt-a", 10), giver("alt-b", 20), needy])
        files = self.make("--strict")
        self.assertEqual(files[AMD64.lib("libalt.so.3")].target, "/etc/alternatives/libalt.so.3-x")
        self.assertEqual(files["/etc/alternatives/libalt.so.3-x"].target, AMD64.lib("alt-b/libalt.so.3"))
        self.assertNotIn(AMD64.lib("alt-a/libalt.so.3"), files)


if __name__ == "__main__":
    unittest.main()
