# SPDX-License-Identifier: Apache-2.0
"""Packages installed on a base, or from nothing: dpkg itself makes the base, installs the same packages on a copy of it, and
judges what was written."""

import json
import os
import shutil
import subprocess
import unittest

from base import Case, deb, need, run, world
from kit.base_image import Base, OnBase

MANIFEST = "base: ../base:1\npackages:\n  install: [app]\n"
DPKG = ["dpkg", "--force-not-root", "--force-script-chrootless", "--force-bad-path"]
ADMIN = "/var/lib/dpkg"


def package(name, files, conffiles=(), **fields):
    made = deb.Package(name, files=files, arch=fields.pop("arch", "amd64"), **fields)
    if conffiles:
        made.scripts["conffiles"] = "".join(path + "\n" for path in conffiles)
    return made


def base_packages():
    tool = package("tool", [deb.File("/etc/tool.conf", "one\n"), deb.File("/usr/share/tool/words", "w\n")],
                   conffiles=["/etc/tool.conf"])
    tool.scripts["triggers"] = "interest-noawait /usr/share/words\ninterest tool-named\n"
    tool.scripts["postinst"] = "#!/bin/sh\nif [ \"$1\" = triggered ]; then true; fi\n"
    old = package("libold", [deb.File("/usr/lib/libold/a", "1\n"), deb.File("/usr/lib/libold/gone", "1\n")], version="1",
                  Multi_Arch="same")
    old.scripts["triggers"] = "interest-noawait /usr/share/old\ninterest-noawait libold-former\ninterest-noawait tool-named\n"
    return [old, tool]


def app_packages(**app):
    postinst = app.pop("postinst", None)
    made = package("app", [deb.File("/etc/app.conf", "app\n"), deb.File("/usr/share/app/data", "d\n"),
                           deb.File("/usr/share/doc/app/copyright", "free\n"), deb.link("/usr/share/app/link", "data")],
                   conffiles=["/etc/app.conf"], version="0:2-1", Depends=app.pop("depends", "libold (>=1), newlib"),
                   Homepage="https://a.example", **app)
    made.scripts["triggers"] = "interest app-named\nactivate-noawait tool-named\n"
    if postinst:
        made.scripts["postinst"] = postinst
    newlib = package("newlib", [deb.File("/usr/lib/newlib/n", "n\n")], Multi_Arch="same")
    return [made, newlib]


class InstalledCase(Case):
    """`self.root` is what dpkg made of the base's packages."""

    def dpkg(self, root, *arguments, may_fail=False):
        done = subprocess.run([*DPKG, "--root=" + root, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              check=False, env={**os.environ, "LC_ALL": "C"})
        self.assertTrue(may_fail or done.returncode == 0, done.stdout.decode())
        return done.stdout.decode()

    def install(self, root, packages):
        paths = [self.write(f"debs/{made.file_name}", made.build()) for made in packages]
        self.dpkg(root, "--install", *paths)

    def make_root(self):
        self.root = self.path("root")
        for name in ("info", "updates", "triggers", "alternatives", "parts"):
            os.makedirs(self.root + f"{ADMIN}/{name}")
        self.write("root" + ADMIN + "/status", "")
        self.write("root/etc/os-release", world.OS_RELEASE)
        self.write("root/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n")
        self.write("root/etc/group", "root:x:0:\nnogroup:x:65534:\n")
        for name in ("bin", "sbin", "lib", "lib64"):
            os.makedirs(f"{self.root}/usr/{name}")
            os.symlink(f"usr/{name}", f"{self.root}/{name}")
        self.install(self.root, base_packages())

    def ready_on(self, packages, manifest=MANIFEST):
        need("dpkg", "tar")
        self.make_root()
        self.ready(manifest=manifest, packages=packages + base_packages(), architectures=("amd64",))
        tar = subprocess.run(["tar", "-C", self.root, "--sort=name", "--owner=0", "--group=0", "--numeric-owner", "-c", "."],
                             stdout=subprocess.PIPE, check=True).stdout
        Base(self.path("base"), {"amd64": [tar]}, config={})

    def build_on(self):
        result = self.run_factory("--arch", "x86_64", "served")
        self.assertEqual(result.code, run.OK, result)
        self.said = result.stderr
        return OnBase(os.path.join(self.factory.output, "served"), "amd64")

    def put_on(self, got):
        """The base with the layer over it."""
        root = self.path("ours")
        shutil.copytree(self.root, root, symlinks=True)
        self.write("layer.tar", got.plain(got.layers[-1]))
        subprocess.run(["tar", "-C", root, "--no-same-owner", "-xf", self.path("layer.tar")], check=True)
        for folder, _, names in os.walk(root):
            for name in names:
                if name.startswith(".wh."):
                    os.remove(os.path.join(folder, name))
                    os.remove(os.path.join(folder, name[len(".wh."):]))
        return root

    def agree(self, root):
        self.assertEqual(self.dpkg(root, "--audit"), "")
        self.assertEqual(self.dpkg(root, "--verify"), "")

    def same_as_dpkg(self, ours, packages, without=()):
        """Installs them by dpkg on a copy of the base, and compares every file but those below `without`."""
        theirs = self.path("theirs")
        shutil.copytree(self.root, theirs, symlinks=True)
        self.install(theirs, packages)
        left, right = self.tree(ours, without), self.tree(theirs, without)
        self.assertEqual(sorted(left), sorted(right))
        for path in left:
            self.assertEqual(left[path], right[path], path)

    @staticmethod
    def tree(root, without):
        found = {}
        for folder, folders, names in os.walk(root):
            for name in folders + names:
                path = os.path.join(folder, name)
                short = path[len(root):]
                noise = short.endswith("-old") or short.split("/")[-1] in ("lock", "lock-frontend", "Lock", "Unincorp")
                if noise or short.startswith(tuple(without)):
                    continue
                if os.path.islink(path):
                    found[short] = os.readlink(path)
                elif os.path.isdir(path):
                    found[short] = "directory"
                else:
                    with open(path, "rb") as stream:
                        found[short] = stream.read()
        return found


class OnABase(InstalledCase):
    def test_alternatives_that_a_script_registers_in_a_loop_are_those_of_update_alternatives(self):
        packages = app_packages(postinst="#!/bin/sh\nset -e\nfor i in one two; do\n    update-alternatives --install /usr/bin/app-$i app-$i "
                                         "/usr/share/app/data 50\ndone\n")
        self.ready_on(packages, MANIFEST.replace("[app]", "[app]\n  documentation: true"))
        ours = self.put_on(self.build_on())
        self.assertEqual(os.readlink(ours + "/etc/alternatives/app-two"), "/usr/share/app/data")
        self.same_as_dpkg(ours, packages, without=("/var/log",))

    def test_the_layer_is_what_dpkg_adds_and_its_database_byte_for_byte(self):
        self.ready_on(app_packages(), MANIFEST.replace("[app]", "[app]\n  documentation: true"))
        ours = self.put_on(self.build_on())
        self.agree(ours)
        self.same_as_dpkg(ours, app_packages()[::-1])

    def test_documentation_is_left_out_of_the_lists_too(self):
        self.ready_on(app_packages())
        got = self.build_on()
        self.assertNotIn("/usr/share/doc/app/copyright", got.top)
        ours = self.put_on(got)
        self.agree(ours)
        self.assertNotIn("copyright", got.text(ADMIN + "/info/app.list"))
        self.assertIn("/usr/share/app/data\n", got.text(ADMIN + "/info/app.list"))
        self.same_as_dpkg(ours, app_packages()[::-1],
                          without=["/usr/share/doc", ADMIN + "/info/app.list", ADMIN + "/info/app.md5sums"])

    def test_only_what_is_missing_comes(self):
        self.ready_on(app_packages() + [package("libold", [deb.File("/usr/lib/libold/a", "2\n")], version="2",
                                                Multi_Arch="same")])
        got = self.build_on()
        self.assertEqual([path for path in got.files() if not path.startswith(ADMIN)],
                         ["/etc/app.conf", "/usr/lib/newlib/n", "/usr/share/app/data", "/usr/share/app/link"])

    def test_an_upgrade_that_something_needs_is_told_and_takes_the_former_files_away(self):
        newer = package("libold", [deb.File("/usr/lib/libold/a", "2\n")], version="2", Multi_Arch="same")
        newer.scripts["triggers"] = "interest-noawait /usr/share/new\ninterest-noawait tool-named\n"
        packages = app_packages(depends="libold (>= 2), newlib")
        self.ready_on(packages + [newer], MANIFEST.replace("[app]", "[app]\n  documentation: true"))
        got = self.build_on()
        self.assertIn("package libold of the base is upgraded, from 1 to 2", self.said)
        self.assertIn("/usr/lib/libold/.wh.gone", got.top)
        ours = self.put_on(got)
        self.agree(ours)
        self.same_as_dpkg(ours, [newer, *packages[::-1]])

    def test_a_file_of_a_base_package_is_not_another_packages_to_change(self):
        packages = app_packages(depends="newlib, rude") + [package("rude", [deb.File("/usr/share/tool/words", "other\n")])]
        self.ready_on(packages)
        self.refuse(run.RESOLVE, "/usr/share/tool/words of package rude: the base has another file of its package tool there",
                    arguments=("--arch", "x86_64", "served"))

    def test_what_would_be_removed_is_refused(self):
        self.ready_on(app_packages(Conflicts="tool"))
        self.refuse(run.RESOLVE, "tool", arguments=("--arch", "x86_64", "served"))

    def test_what_the_base_has_for_other_architectures_too_is_enough_for_any(self):
        """`Multi-Arch: allowed` of an installed package meets `NAME:any`, as python3 and perl do."""
        self.ready_on(app_packages(depends="libold, newlib, script:any (>= 1)"))
        self.install(self.root, [package("script", [deb.File("/usr/share/script", "s\n")], version="2", Multi_Arch="allowed")])
        tar = subprocess.run(["tar", "-C", self.root, "-c", "."], stdout=subprocess.PIPE, check=True).stdout
        Base(self.path("base"), {"amd64": [tar]}, config={})
        self.agree(self.put_on(self.build_on()))

    def test_a_base_without_a_list_of_packages_is_refused(self):
        self.ready_on(app_packages())
        shutil.rmtree(self.root + ADMIN)
        tar = subprocess.run(["tar", "-C", self.root, "-c", "."], stdout=subprocess.PIPE, check=True).stdout
        Base(self.path("base"), {"amd64": [tar]}, config={})
        self.refuse(run.RESOLVE, "the base has no list of deb packages", arguments=("--arch", "x86_64", "served"))

    def test_a_base_of_status_d_gets_stanzas_there(self):
        self.ready_on(app_packages())
        shutil.rmtree(self.root + ADMIN)
        self.write("root" + ADMIN + "/status.d/libold", "Package: libold\nVersion: 1\nArchitecture: amd64\n")
        tar = subprocess.run(["tar", "-C", self.root, "-c", "."], stdout=subprocess.PIPE, check=True).stdout
        Base(self.path("base"), {"amd64": [tar]}, config={})
        got = self.build_on()
        self.assertEqual([path for path in got.files() if path.startswith(ADMIN)],
                         [ADMIN + "/status.d/" + name for name in ("app", "app.md5sums", "newlib", "newlib.md5sums")])
        self.assertIn("Status: install ok installed\n", got.text(ADMIN + "/status.d/app"))

    def test_the_same_base_is_found_again(self):
        self.ready_on(app_packages())
        first, again = self.build_on(), self.build_on()
        self.assertEqual(first.root, again.root)


class Scripts(InstalledCase):
    STRANGE = "#!/bin/sh\nfrobnicate --all 2>/dev/null || :\n"

    def test_a_script_that_nobody_knows_is_refused(self):
        self.ready_on(app_packages(postinst=self.STRANGE))
        self.refuse(run.RESOLVE, "app cannot be installed without running scripts", "its postinst (configure)", "frobnicate",
                    "allow-unconfigured", arguments=("--arch", "x86_64", "served"))

    def test_the_refusal_names_the_words_to_write_and_what_of_a_known_command_is_meant(self):
        script = ("#!/bin/sh\nadduser --system $NAME\n\"$RET\"\nsed -i s/a/b/ /etc/passwd\nsed s/a/b/ /etc/passwd\n"
                  "tr a b < /etc/passwd > /etc/app.tr\nmv /etc/app.new $RET\necho only said\n")
        self.ready_on(app_packages(postinst=script))
        result = self.refuse(run.RESOLVE, "`covers: [adduser, other]` that the image needs nothing of it, or "
                             "`allow-unconfigured: true`", "with the unknown command $RET, sed -i, tr > /etc/app.tr, mv to $RET",
                             arguments=("--arch", "x86_64", "served"))
        self.write_manifest(text="covers: [adduser, other]\n" + MANIFEST)
        self.assertEqual(self.run_factory("--arch", "x86_64", "served").code, run.OK, result)

    def test_what_a_script_does_for_sure_is_done_also_through_variables_and_for_the_machine(self):
        sure = "#!/bin/sh\nset -e\np=/usr/share/app/data\nchgrp nogroup $p\nmkdir -p /etc/cron.d\necho '#' > /etc/cron.d/app\n"
        self.ready_on(app_packages(postinst=sure))
        got = self.build_on()
        self.assertEqual((got.top["/usr/share/app/data"].gid, got.text("/etc/cron.d/app")), (65534, "#\n"))
        self.agree(self.put_on(got))

    def test_what_a_script_may_do_and_what_nobody_knows_the_path_of_is_not_done(self):
        script = ("#!/bin/sh\nnow=$(date +%s)\nif [ \"$now\" = 0 ]; then chgrp nogroup /etc/app.conf; fi\n"
                  "chown nobody /srv/$now\np=/etc/app\nif [ \"$now\" = 1 ]; then ln -s app.conf $p.link; fi\n")
        self.ready_on(app_packages(postinst=script))
        self.refuse(run.RESOLVE, "package app: its postinst (configure) is not run, and nobody knows what it would do with "
                    "chgrp /etc/app.conf, chown /srv/$now, ln /etc/app.link",
                    "`covers: [chown, install]` that the image needs nothing of it", arguments=("--arch", "x86_64", "served"))
        self.write_manifest(text="covers: [chown, install]\n" + MANIFEST)
        self.build_on()

    def test_a_text_that_nobody_knows_is_not_written_though_its_file_is_there(self):
        self.ready_on(app_packages(postinst="#!/bin/sh\necho head > /etc/app.list\ndate | sort >> /etc/app.list\n"))
        self.refuse(run.RESOLVE, "with sort > /etc/app.list", arguments=("--arch", "x86_64", "served"))

    def test_what_is_enabled_is_noted_with_who_did_it(self):
        packages = app_packages(postinst="#!/bin/sh\nset -e\na2enmod -m -q own\na2ensite -q page\n")
        packages.append(package("pages", [deb.File("/etc/apache2/mods-available/own.load", "o\n"),
                                          deb.File("/etc/apache2/sites-available/page.conf", "p\n")]))
        self.ready_on(packages, MANIFEST.replace("[app]", "[app, pages]"))
        got = self.build_on()
        self.assertEqual(got.top["/etc/apache2/mods-enabled/own.load"].linkname, "../mods-available/own.load")
        self.assertEqual([path for path in got.files() if path.startswith("/var/lib/apache2/")],
                         ["/var/lib/apache2/module/enabled_by_maint/own", "/var/lib/apache2/site/enabled_by_admin/page"])

    def test_a_recipe_that_is_not_for_installed_packages_makes_nothing_there(self):
        text = "for: [app]\ninstalled: false\ndirectories: [{path: /usr/share/app/own, mode: \"0700\"}]\ncovers: [other]\n"
        self.ready_on(app_packages(postinst=self.STRANGE))
        self.write("manifests/recipes/app.yaml", text)
        self.refuse(run.RESOLVE, "frobnicate", arguments=("--arch", "x86_64", "served"))
        self.write("manifests/recipes/app.yaml", text.replace("installed: false\n", ""))
        self.assertTrue(self.build_on().top["/usr/share/app/own"].isdir())

    def test_or_the_package_is_half_configured_and_dpkg_heals_it(self):
        self.ready_on(app_packages(postinst=self.STRANGE), "allow-unconfigured: true\n" + MANIFEST)
        ours = self.put_on(self.build_on())
        self.assertIn("not configured, for `dpkg --configure -a` to do: app (", self.said)
        self.assertIn("app", self.dpkg(ours, "--audit"))
        self.assertEqual(self.status(ours, "app"), "install ok half-configured")
        self.assertEqual(self.status(ours, "newlib"), "install ok installed")
        self.dpkg(ours, "--configure", "-a")
        self.assertEqual(self.status(ours, "app"), "install ok installed")
        self.agree(ours)

    def test_or_the_manifest_covers_it(self):
        self.ready_on(app_packages(postinst=self.STRANGE), "covers: [other]\n" + MANIFEST)
        self.agree(self.put_on(self.build_on()))

    def test_what_a_script_makes_is_made(self):
        self.ready_on(app_packages(postinst="#!/bin/sh\nset -e\nif [ \"$1\" = configure ]; then mkdir -p /var/lib/app\n"
                                            "echo made > /etc/app.made; fi\n"))
        got = self.build_on()
        self.assertTrue(got.top["/var/lib/app"].isdir())
        self.assertEqual(got.text("/etc/app.made"), "made\n")
        self.agree(self.put_on(got))

    def test_an_override_of_a_script_is_in_dpkgs_list(self):
        self.ready_on(app_packages(postinst="#!/bin/sh\nset -e\nfor f in data link; do p=/usr/share/app/$f\n"
                                            "if ! dpkg-statoverride --list $p >/dev/null; then\n"
                                            "dpkg-statoverride --update --add root nogroup 2755 $p; fi; done\n"))
        self.write("root" + ADMIN + "/statoverride", "root root 4755 /usr/bin/own\nroot root 700 /usr/share/app/link\n")
        tar = subprocess.run(["tar", "-C", self.root, "--owner=0", "--group=0", "-c", "."], stdout=subprocess.PIPE, check=True).stdout
        Base(self.path("base"), {"amd64": [tar]}, config={})
        got = self.build_on()
        self.assertEqual((got.top["/usr/share/app/data"].mode, got.top["/usr/share/app/data"].gid), (0o2755, 65534))
        ours = self.put_on(got)
        told = subprocess.run(["dpkg-statoverride", "--admindir=" + ours + ADMIN, "--list"], stdout=subprocess.PIPE, check=True)
        self.assertEqual(sorted(told.stdout.decode().splitlines()),
                         ["root nogroup 2755 /usr/share/app/data", "root root 4755 /usr/bin/own",
                          "root root 700 /usr/share/app/link"])
        self.agree(ours)

    def test_a_path_that_would_write_a_further_line_is_not_taken(self):
        forged = "/usr/share/app/data\nroot root 4755 /bin/sh"
        self.ready_on(app_packages(postinst="#!/bin/sh\nset -e\ndpkg-statoverride --update --add root root 0755 '%s'\n" % forged))
        self.refuse(run.RESOLVE, "package app", "dpkg-statoverride", "data\\x0Aroot", arguments=("--arch", "x86_64", "served"))
        self.write_manifest(text="allow-unconfigured: true\n" + MANIFEST)
        self.assertNotIn(ADMIN + "/statoverride", self.build_on().top)

    def test_triggers_of_the_base_that_nobody_knows_stay_pending(self):
        self.ready_on(app_packages())
        with open(self.root + ADMIN + "/info/tool.postinst", "w", encoding="utf-8") as stream:
            stream.write("#!/bin/sh\nif [ \"$1\" = triggered ]; then frobnicate $2 2>/dev/null || :; fi\n")
        tar = subprocess.run(["tar", "-C", self.root, "-c", "."], stdout=subprocess.PIPE, check=True).stdout
        Base(self.path("base"), {"amd64": [tar]}, config={})
        self.refuse(run.RESOLVE, "package tool: its postinst (triggered)", "frobnicate", arguments=("--arch", "x86_64", "served"))
        self.write_manifest(text="allow-unconfigured: true\n" + MANIFEST)
        ours = self.put_on(self.build_on())
        self.assertEqual(self.status(ours, "tool"), "install ok triggers-pending")
        self.dpkg(ours, "--configure", "-a")
        self.agree(ours)

    def status(self, root, name):
        return self.dpkg(root, "--status", name).split("Status: ")[1].split("\n")[0]


class FromNothing(InstalledCase):
    def test_a_whole_root_with_its_database(self):
        """`complete`: on no base, dpkg's database is that of a root in which dpkg installed the same."""
        self.ready_on(app_packages(), "packages:\n  install: [app, tool]\n  complete: true\n  documentation: true\n")
        got = self.build_on()
        self.assertEqual(len(got.layers), 1)
        ours = self.path("whole")
        os.makedirs(ours)
        self.write("layer.tar", got.plain(got.layers[-1]))
        subprocess.run(["tar", "-C", ours, "--no-same-owner", "-xf", self.path("layer.tar")], check=True)
        os.makedirs(ours + ADMIN + "/updates", exist_ok=True)
        self.agree(ours)
        self.assertEqual(self.dpkg(ours, "--configure", "-a"), "")  # nothing is left to do, no triggers either
        self.install(self.root, app_packages()[::-1])
        for name in ("status", "triggers/File", "triggers/tool-named", "info/app.list", "info/libold:amd64.list", "info/format"):
            with open(ours + ADMIN + "/" + name, "rb") as left, open(self.root + ADMIN + "/" + name, "rb") as right:
                self.assertEqual(left.read(), right.read(), name)

    def test_a_dry_run_tells_what_comes_to_a_base_of_the_same_run_and_leaves_no_image(self):
        self.ready_on(app_packages(), MANIFEST.replace("../base:1", "manifest:middle"))
        self.write_manifest("middle", "name: middle\nbase: manifest:whole\ncreate: [/etc/middle]\n")
        self.write_manifest("whole", "name: whole\npackages:\n  install: [tool, libold]\n  complete: true\n")
        for _ in range(2):  # the second finds the base again
            result = self.run_factory("--arch", "x86_64", "--dry-run", "--json", "served")
            self.assertEqual(result.code, run.OK, result)
            chosen = {image["image"]: [package["name"] for package in image["architectures"][0]["selection"]]
                      for image in json.loads(result.stdout)["images"]}
            self.assertEqual(sorted(chosen["served"]), ["app", "newlib"])
            self.assertNotIn("layout", result.stdout)
            self.assertFalse(os.path.exists(self.factory.output))
        told = self.run_factory("--arch", "x86_64", "--dry-run", "served")
        self.assertIn("served for x86_64: 2 packages", told.stdout)


if __name__ == "__main__":
    unittest.main()
