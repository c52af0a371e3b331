# SPDX-License-Identifier: Apache-2.0
"""What cannot be resolved says why, in exit class 5; what can be resolved in several ways says how it chose."""

import os
import subprocess
import unittest

from base import Case, Report, deb, run, world

MACHINES = [world.MACHINES[name] for name in ("amd64", "arm64")]


class Resolve(Case):
    def start(self, replace=(), manifest=None, **settings):
        """The small distribution with packages of these names replaced (or added)."""
        names = {package.name for package in replace}
        packages = [package for package in world.packages() if package.name not in names] + list(replace)
        self.ready(packages=packages, manifest=manifest, **settings)

    def test_binary_that_no_package_ships(self):
        self.start(manifest="name: served\nbinaries: [/usr/sbin/nothing]\n")
        self.refuse(run.RESOLVE, "/usr/sbin/nothing")

    def test_binary_in_another_directory_gives_a_hint(self):
        self.start(manifest="name: served\nbinaries: [/usr/bin/served]\n")
        self.refuse(run.RESOLVE, "/usr/bin/served", "/usr/sbin/served")

    def test_package_that_does_not_exist(self):
        self.start(manifest="name: served\nbinaries: [/usr/sbin/served]\npackages:\n  install: [nothing-at-all]\n")
        self.refuse(run.RESOLVE, "nothing-at-all")

    def test_unsatisfiable_dependency_in_the_solvers_words(self):
        self.start([world.served(machine, Depends="libfoo1 (>= 9:9)") for machine in MACHINES],
                   manifest="name: served\nbinaries: [/usr/sbin/served]\npackages:\n  first: [served]\n")
        self.refuse(run.RESOLVE, "served", "libfoo1", "9:9", "nothing provides")

    def test_conflict_is_explained(self):
        self.start(manifest="name: served\nbinaries: [/usr/sbin/served]\npackages:\n  install: [served, served-big]\n")
        self.refuse(run.RESOLVE, "served-big", "conflicts")

    def test_missing_library_names_file_soname_and_packages(self):
        broken = [deb.Package("libfoo1", arch=machine.deb_name, version="1:1.2-3", Section="libs", Depends="libc6",
                              files=[deb.File(machine.lib("libother.so.1"), world.library(machine, "libother.so.1"))])
                  for machine in MACHINES]
        self.start(broken)
        self.refuse(run.RESOLVE, world.SERVED, "libfoo.so.1", "libfoo1")

    def test_architecture_that_the_repository_does_not_offer(self):
        self.start(manifest=world.MANIFEST + "architectures: [x86_64, aarch64, s390x]\n")
        self.refuse(run.RESOLVE, "s390x", "amd64", arguments=("--arch", "s390x", "served"))

    def test_file_of_the_manifest_that_no_package_has(self):
        self.start(manifest="name: served\nbinaries: [/usr/sbin/served]\nfiles: [/etc/served/none.conf]\n")
        self.refuse(run.RESOLVE, "/etc/served/none.conf")

    def test_choice_among_two_owners_is_reported(self):
        self.start()
        self.build("--arch", "all", "--json", "served")
        for machine in MACHINES:
            choice, = Report(self.last.stdout).order("served", machine.name)["choices"]
            self.assertEqual((choice["path"], choice["package"], choice["others"]),
                             (world.SERVED, "served", ["served-big"]))
            self.assertIn("named like", choice["why"])

    def test_first_and_never_decide_among_owners(self):
        self.start(manifest="name: served\nbinaries: [/usr/sbin/served]\npackages:\n  first: [served-big]\n")
        for built in self.build().images["latest"].values():
            self.assertIn("/var/lib/dpkg/status.d/served-big", built)
        self.write_manifest(text="name: served\nbinaries: [/usr/sbin/served]\npackages:\n  never: [served]\n")
        for built in self.build().images["latest"].values():
            self.assertIn("/var/lib/dpkg/status.d/served-big", built)

    def test_newest_version_is_taken(self):
        self.start()
        self.repository.packages += [world.served(machine, version="4.10.0-1") for machine in MACHINES]
        self.repository.packages += [world.served(machine, version="4.9.9~rc1-1") for machine in MACHINES]
        self.repository.publish(self.key, date=-30)
        self.assertIn("4.10.0", self.build().tags)

    def test_conflicting_files_of_two_packages_name_both(self):
        rival = deb.Package("rival", files=[deb.File("/etc/served/served.conf", "other\n")])
        self.start([rival], manifest=world.MANIFEST + "packages:\n  install: [rival]\n")
        self.refuse(run.RESOLVE, "/etc/served/served.conf", "rival", "served")

    def test_first_does_not_hide_who_ships_the_interpreter_of_a_script(self):
        script = deb.Package("scripted", files=[deb.program("/usr/sbin/scripted", "#!/usr/bin/shell\n")])
        shells = [deb.Package("shell", arch=machine.deb_name,
                              files=[deb.program("/usr/bin/shell", world.executable(machine, ["libc.so.6"]))],
                              Depends="libc6") for machine in MACHINES]
        self.start([script, *shells],
                   manifest="name: served\nbinaries: [/usr/sbin/scripted]\npackages:\n  first: [scripted]\n")
        for built in self.build().images["latest"].values():
            self.assertIn("/usr/bin/shell", built)

    def whole(self):
        return deb.Package("whole", Depends="served-common", files=[
            deb.File("/usr/share/whole/data", "data\n"), deb.link("/usr/share/whole/dangling", "/etc/none"),
            deb.link("/usr/share/whole/words", "../served/words.txt"),
            deb.program("/usr/sbin/update-whole", "#!/usr/bin/shell\n"),
            deb.File("/usr/share/doc/whole/copyright", "free\n"), deb.File("/usr/share/man/man8/whole.8", "page\n")])

    def test_whole_package_comes_without_documentation_and_needs_no_shell(self):
        self.start([self.whole()], manifest=world.MANIFEST + "packages:\n  install: [whole]\n")
        for built in self.build().images["latest"].values():
            for path in ("/usr/share/whole/data", "/usr/share/whole/dangling", "/usr/share/served/words.txt",
                         "/usr/sbin/update-whole"):
                self.assertIn(path, built)
            for path in ("/usr/share/doc/whole/copyright", "/usr/share/man/man8/whole.8"):
                self.assertNotIn(path, built)

    def plugins(self):
        """A whole package with a plug-in that can be loaded, one that lacks a library, and one whose library GONE covers."""
        return [deb.Package("plugins", arch=machine.deb_name, Depends="libc6", files=[
            deb.program("/usr/lib/plugins/good.so", world.library(machine, "good.so", ["libc.so.6"])),
            deb.program("/usr/lib/plugins/bad.so", world.library(machine, "bad.so", ["libnone.so.3"])),
            deb.link("/usr/lib/plugins/bad.so.1", "bad.so"),
            deb.program("/usr/lib/plugins/worse.so", world.library(machine, "worse.so", ["libcovered.so.1"])),
            deb.File("/usr/lib/libcovered.so.1", world.library(machine, "libcovered.so.1"))]) for machine in MACHINES]

    NAMED = "name: served\nbinaries: [/usr/sbin/served]\n"
    GONE = "symlinks: [{path: /usr/lib/libcovered.so.1, target: gone}]\n"

    def test_whole_package_is_not_refused_for_what_nobody_named(self):
        named = {"bad.so", "bad.so.1", "worse.so"}
        for optional, there in (("keep", named), ("drop", set())):
            with self.subTest(optional):
                self.start(self.plugins(), manifest=self.NAMED + self.GONE +
                                                    f"packages: {{install: [plugins], optional: {optional}}}\n")
                built = self.build()
                self.assertRegex(self.last.stderr, r"note: package plugins: 2 files that nobody named cannot be loaded"
                                                   r".*: bad\.so, worse\.so \(.*needs libnone\.so\.3")
                self.assertEqual(self.last.stderr.count("served: note: package plugins"), 1)  # for both architectures
                checked = subprocess.run([run.program(), "check", os.path.join(self.factory.output, "served")],
                                         stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
                self.assertEqual(checked.returncode, run.OK, checked)
                self.assertEqual("bad.so needs libnone.so.3" in checked.stdout, optional == "keep", checked)
                for image in built.images["latest"].values():
                    self.assertIn("/usr/lib/plugins/good.so", image)
                    for name in named:
                        self.assertEqual(f"/usr/lib/plugins/{name}" in image, name in there, name)

    def test_an_image_without_a_command_is_told_and_not_said_how_to_run(self):
        for config, is_told in (("", True), ("config: {cmd: [served]}\n", False)):
            with self.subTest(config):
                self.start(manifest=self.NAMED + config)
                self.build()
                self.assertEqual("who runs the image has to name a command" in self.last.stderr, is_told)
                self.assertEqual("podman run" in self.last.stdout, not is_told)

    def test_notes_of_one_architecture_name_it_and_those_of_several_stand_once(self):
        packages = self.plugins()
        packages[1].files = packages[1].files[:1]  # nothing is wrong with that of the second
        self.start(packages, manifest=self.NAMED + "packages: {install: [plugins]}\n")
        self.build()
        self.assertIn("served x86_64: note: package plugins", self.last.stderr)
        self.assertEqual(self.last.stderr.count("served: note: packages of the service (served) ship what is not in the image: "
                                                "1 configuration file in /etc/served"), 1)

    def test_what_is_named_of_a_whole_package_is_refused_all_the_same(self):
        for name, part in (("bad.so", "libnone.so.3"), ("worse.so", "libcovered.so.1")):
            for optional in ("keep", "drop"):
                with self.subTest(name, optional=optional):
                    self.start(self.plugins(), manifest=self.NAMED + self.GONE + f"files: [/usr/lib/plugins/{name}]\n"
                                                        f"packages: {{install: [plugins], optional: {optional}}}\n")
                    self.refuse(run.RESOLVE, part)

    def test_a_glob_of_files_may_drop_what_cannot_be_loaded(self):
        manifest = self.NAMED + self.GONE + "files: [{path: /usr/lib/plugins/*, package: plugins%s}]\n"
        self.start(self.plugins(), manifest=manifest % "")
        self.refuse(run.RESOLVE, "libnone.so.3")
        self.start(self.plugins(), manifest=manifest % ", optional: drop")
        for built in self.build().images["latest"].values():
            self.assertEqual([path for path in built.entries if path.startswith("/usr/lib/plugins/")],
                             ["/usr/lib/plugins/good.so"])

    def java(self):
        """A program with the architecture in its path, a plug-in of it, and a library that it opens before."""
        def files(machine):
            home = f"/usr/lib/kit/java-{machine.deb_name}"
            return [deb.program(f"{home}/bin/java", world.executable(machine, ["libc.so.6"])),
                    deb.File(f"{home}/bin/java.txt", "no program\n"),
                    deb.program(f"{home}/lib/libjava.so", world.library(machine, "libjava.so", ["libjvm.so"])),
                    deb.program(f"{home}/lib/server/libjvm.so", world.library(machine, "libjvm.so", ["libc.so.6"]))]
        return [deb.Package("jre", arch=machine.deb_name, Depends="libc6", files=files(machine)) for machine in MACHINES]

    def test_a_glob_of_binaries_means_the_programs_of_each_architecture(self):
        glob = "/usr/lib/kit/java-*/bin/java*"
        for packages in ("first: [jre]", "install: [jre]"):
            with self.subTest(packages):
                self.start(self.java(), manifest=f"name: served\nbinaries: [{glob}]\npackages: {{{packages}}}\n"
                                                 f"config: {{entrypoint: ['{glob}', -version]}}\n")
                for built in self.build().images["latest"].values():
                    java = next(path for path in built.entries if path.endswith("/bin/java"))
                    self.assertEqual(built.config["config"]["Entrypoint"], [java, "-version"])
                    self.assertEqual(java.replace("bin/java", "lib/server/libjvm.so") in built, "install" in packages)

    def test_a_glob_of_binaries_must_mean_something_in_a_package_that_is_named(self):
        for binary, packages, part in (("/usr/lib/kit/*/bin/javaw", "", "is shipped by no package"),
                                       ("/usr/lib/kit/*/bin/javac", "packages: {first: [jre]}\n", "no program matches"),
                                       ("/usr/lib/kit/*/bin/java.*", "packages: {first: [jre]}\n", "no program matches")):
            with self.subTest(binary):
                self.start(self.java(), manifest=f"name: served\nbinaries: ['{binary}']\n{packages}")
                self.refuse(run.RESOLVE, binary, part)

    def test_a_plugin_brings_the_library_that_is_opened_before_it(self):
        self.start(self.java(), manifest=self.NAMED + "files: [{path: '/usr/lib/kit/*/lib/libjava.so', package: jre}]\n")
        for built in self.build().images["latest"].values():
            self.assertTrue(any(path.endswith("/lib/server/libjvm.so") for path in built.entries))

    def test_a_package_of_nothing_that_depends_on_nothing_is_a_whole_sentence(self):
        meta = deb.Package("meta", files=[deb.File("/usr/share/doc/meta/copyright", "free\n")])
        self.start([meta], manifest=self.NAMED + "packages: {install: [meta]}\n")
        self.build()
        self.assertIn("package meta ships nothing itself, and depends on nothing\n", self.last.stderr)

    def test_a_metapackage_brings_whole_what_is_of_its_own_source(self):
        meta = deb.Package("meta", Depends="meta-real, other", files=[
            deb.File("/usr/share/doc/meta/copyright", "free\n"), deb.link("/usr/share/meta", "meta-1")])
        real = deb.Package("meta-real", Source="meta", files=[deb.File("/usr/share/meta-1/data", "real\n")])
        other = deb.Package("other", files=[deb.File("/usr/share/other/data", "other\n")])
        self.start([meta, real, other], manifest=self.NAMED + "packages: {install: [meta]}\n")
        for built in self.build().images["latest"].values():
            self.assertIn("/usr/share/meta-1/data", built)
            self.assertNotIn("/usr/share/other/data", built)
        self.assertIn("package meta ships nothing itself: whole for it meta-real; only what something needs", self.last.stderr)
        self.assertRegex(self.last.stderr, "packages: install' names them, of other\n")

    def test_a_glob_of_binaries_is_looked_for_in_all_packages_but_must_be_of_one(self):
        tool = [deb.Package("tool", arch=machine.deb_name, Depends="libc6", files=[
            deb.program(f"/opt/{machine.name}/bin/tool", world.executable(machine, ["libc.so.6"]))]) for machine in MACHINES]
        twin = deb.Package("twin", files=[deb.File("/opt/twin/bin/tool", "x\n")])
        manifest = "name: served\nbinaries: [/opt/*/bin/tool]\n"
        self.start([*tool, twin], manifest=manifest)
        self.refuse(run.RESOLVE, "/opt/*/bin/tool is shipped by tool, twin", "packages: first")
        self.start(tool, manifest=manifest)
        for built in self.build().images["latest"].values():
            self.assertTrue(any(path.endswith("/bin/tool") for path in built.entries))

    def test_glob_over_a_dangling_link_keeps_it(self):
        self.start([self.whole()], manifest="name: served\nbinaries: [/usr/sbin/served]\nfiles:\n"
                                            "  - {path: /usr/share/whole/d*, package: whole}\n")
        for built in self.build().images["latest"].values():
            self.assertIn("/usr/share/whole/dangling", built)

    def test_optional_file_of_any_selected_package_is_found(self):
        self.start(manifest="name: served\nbinaries: [/usr/sbin/served]\nfiles:\n"
                            "  - {path: /usr/share/served/words.txt, optional: true}\n"
                            "  - {path: /usr/share/served/none.txt, optional: true}\n")
        for built in self.build().images["latest"].values():
            self.assertIn("/usr/share/served/words.txt", built)

    def test_no_index_for_contents_needs_a_package_hint(self):
        self.start(manifest="name: served\nbinaries: [/usr/sbin/served]\npackages:\n  first: [served]\n", contents=False)
        self.build()

    def test_dry_run_tells_the_choice_in_json(self):
        self.start()
        result = self.run_factory("--arch", "all", "--dry-run", "--json", "served")
        self.assertEqual(result.code, run.OK, result)
        for machine in MACHINES:
            self.assertIn("served", Report(result.stdout).selection("served", machine.name))


if __name__ == "__main__":
    unittest.main()
