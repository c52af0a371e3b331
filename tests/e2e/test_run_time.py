# SPDX-License-Identifier: Apache-2.0
"""What a program opens at run time: dlopen notes, features, and what the report says; and why a file is in an image."""

import json
import os
import shutil
import subprocess
import unittest

from base import Case, deb, run, world

AMD64 = world.MACHINES["amd64"]

MANIFEST = "binaries: [/usr/sbin/served]\nfiles: [{path: /etc/served/served.conf, optional: true}]\nconfig: {cmd: [served]}\n"


def note(soname, priority, feature="speech"):
    return {"soname": soname if isinstance(soname, list) else [soname], "feature": feature, "priority": priority}


def library(name, soname, **settings):
    """A package with one library."""
    return deb.Package(name, arch="amd64", version="1", Section="libs", Depends="libc6",
                       files=[deb.File(AMD64.lib(soname), world.library(AMD64, soname, ["libc.so.6"], **settings))])


class RunTime(Case):
    def start(self, manifest=MANIFEST, notes=None, packages=(), files=(), depends="", recommends=""):
        """The small distribution on amd64, with dlopen notes in `served`."""
        distribution = [package for package in world.packages(("amd64",)) if package.name not in ("served", "served-big")]
        dlopen = json.dumps(notes) if notes is not None else None
        served = deb.Package("served", arch="amd64", version="1", Section="net",
                             Depends="libfoo1, libc6" + (", " + depends if depends else ""), files=[
                                 deb.program(world.SERVED, world.executable(AMD64, ["libfoo.so.1", "libc.so.6"],
                                                                            dlopen=dlopen)), *files])
        self.ready(manifest=manifest, packages=distribution + [served, *packages], architectures=("amd64",))

    def make(self, *arguments):
        layout = self.build("--arch", "x86_64", "--json", "served", *arguments)
        self.report = json.loads(self.last.stdout)["images"][0]["architectures"][0]
        return layout.images["latest"]["amd64"].entries

    def reason(self, path):
        return next(file for file in self.report["files"] if file["path"] == path)


class DlopenNotes(RunTime):
    def test_a_recommended_library_comes_along_with_its_package_and_its_reason(self):
        self.start(notes=[note("libspeak.so.1", "recommended")], packages=[library("libspeak1", "libspeak.so.1")])
        self.assertIn(AMD64.lib("libspeak.so.1"), self.make())
        reason = self.reason(AMD64.lib("libspeak.so.1"))
        self.assertEqual(reason["why"], "/usr/sbin/served recommends it at run time for speech (dlopen note)")
        self.assertEqual((reason["by"], reason["package"]), ("/usr/sbin/served", "libspeak1"))

    def test_the_first_alternative_that_is_there_is_taken(self):
        self.start(notes=[note(["libspeak.so.2", "libspeak.so.1"], "required")], depends="libspeak1",
                   packages=[library("libspeak1", "libspeak.so.1")])
        self.assertIn(AMD64.lib("libspeak.so.1"), self.make())

    def lose_contents(self):
        """The index of paths is that of another generation."""
        self.server.fault("*Contents*", status=404)
        self.server.fault("*/by-hash/*", status=404)

    def test_without_an_index_of_paths_the_package_that_policy_names_is_taken_and_the_image_is_the_same(self):
        packages = [library("libspeak1t64", "libspeak.so.1"), library("libsing4-2", "libsing4.so.2"),
                    deb.Package("dash", arch="amd64", version="1", Section="shells", Depends="libc6",
                                files=[deb.program("/bin/sh", world.executable(AMD64, ["libc.so.6"]))])]
        self.start(notes=[note("libspeak.so.1", "recommended"), note("libsing4.so.2", "required")], packages=packages,
                   manifest=MANIFEST.replace("/served]", "/served, /usr/sbin/run]"), depends="run")
        self.make_repository([*self.repository.packages, deb.Package("run", version="1", files=[
            deb.program("/usr/sbin/run", "#!/bin/sh\n")])], name="more", architectures=("amd64",))
        self.use(self.write_source())
        wanted = self.build("--arch", "x86_64", "served").images["latest"]["amd64"]
        self.lose_contents()
        shutil.rmtree(self.factory.cache)
        found = self.build("--arch", "x86_64", "served").images["latest"]["amd64"]
        self.assertEqual(found.digest, wanted.digest)
        for path in (AMD64.lib("libspeak.so.1"), AMD64.lib("libsing4.so.2"), "/usr/bin/sh"):
            self.assertIn(path, found)
        for name, package in (("libspeak.so.1", "libspeak1t64"), ("libsing4.so.2", "libsing4-2"), ("/bin/sh", "dash")):
            self.assertRegex(self.last.stderr, f"warning: {name} is taken from {package} ")

    def test_without_an_index_of_paths_and_such_a_package_the_image_fails(self):
        self.start(notes=[note("libspeak.so.1", "recommended")], packages=[library("speech", "libspeak.so.1")])
        self.lose_contents()
        self.refuse(run.NETWORK, "libspeak.so.1, which /usr/sbin/served opens", arguments=("--arch", "x86_64", "served"))

    def test_a_suggested_library_is_only_noted(self):
        self.start(notes=[note("libspeak.so.1", "suggested")], packages=[library("libspeak1", "libspeak.so.1")])
        self.assertNotIn(AMD64.lib("libspeak.so.1"), self.make())
        self.assertEqual(self.report["notes"], [
            "/usr/sbin/served can use libspeak.so.1 (for speech) at run time; it is not in the image"])

    def test_the_manifest_says_how_weak_a_note_may_be(self):
        notes = [note("libspeak.so.1", "suggested"), note("libsing.so.1", "recommended")]
        both = [library("libspeak1", "libspeak.so.1"), library("libsing1", "libsing.so.1")]
        for policy, wanted in (("none", []), ("required", []), ("recommended", ["libsing.so.1"]),
                               ("suggested", ["libsing.so.1", "libspeak.so.1"])):
            with self.subTest(policy):
                self.start(manifest=MANIFEST + f"dlopen: {policy}\n", notes=notes, packages=both)
                files = self.make()
                self.assertEqual([name for name in ("libsing.so.1", "libspeak.so.1") if AMD64.lib(name) in files], wanted)

    def test_a_required_library_that_nobody_ships_fails_the_image(self):
        self.start(notes=[note("libnever.so.1", "required")])
        result = self.run_factory("--arch", "x86_64", "served")
        self.assertEqual(result.code, run.RESOLVE)
        self.assertIn("libnever.so.1, needed by /usr/sbin/served", result.stderr)

    def test_a_recommended_library_that_nobody_ships_is_noted(self):
        self.start(notes=[note("libnever.so.1", "recommended")])
        self.make()
        self.assertEqual(self.report["notes"], [
            "/usr/sbin/served recommends libnever.so.1 (for speech) at run time; it is not in the image"])

    def test_a_recommended_library_that_cannot_be_installed_does_not_cost_the_image(self):
        clash = library("libspeak1", "libspeak.so.1")
        clash.fields["Conflicts"] = "served"
        self.start(notes=[note("libspeak.so.1", "recommended")], packages=[clash])
        self.assertNotIn(AMD64.lib("libspeak.so.1"), self.make())
        self.assertEqual(self.report["notes"], [
            "/usr/sbin/served recommends libspeak.so.1 (for speech) at run time; it is not in the image"])

    def test_a_note_that_is_no_json_is_noted(self):
        self.start(notes="nonsense")
        self.make()
        self.assertEqual(self.report["notes"], ["/usr/sbin/served: a dlopen note is no JSON array"])


class Answers(RunTime):
    def why(self, *arguments):
        command = [run.program(), "why", "--cache", self.factory.cache, "--state", self.factory.state, "--arch", "x86_64",
                   "--source", self.path("source.yaml"), "--manifests", self.path("manifests"), *arguments]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=run.Factory.environment({"HOME": self.top}), cwd=self.top, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        return done.stdout.decode()

    def answers(self, *arguments):
        return json.loads(self.why("--json", *arguments))


class Features(Answers):
    def test_a_feature_brings_plug_ins_with_their_libraries(self):
        plugin = deb.Package("libsasl2-modules", arch="amd64", version="1", Section="libs", Depends="libspeak1, libc6", files=[
            deb.File(AMD64.lib("sasl2/libplain.so.2"), world.library(AMD64, "libplain.so.2", ["libspeak.so.1", "libc.so.6"]))])
        self.start(manifest=MANIFEST + "features: [sasl]\n", packages=[plugin, library("libspeak1", "libspeak.so.1")])
        files = self.make()
        self.assertIn(AMD64.lib("sasl2/libplain.so.2"), files)
        self.assertIn(AMD64.lib("libspeak.so.1"), files)
        self.assertIn("feature sasl", self.reason(AMD64.lib("sasl2/libplain.so.2"))["why"])

    def test_a_feature_that_no_package_has_fails(self):
        self.start(manifest=MANIFEST + "features: [sasl]\n")
        result = self.run_factory("--arch", "x86_64", "served")
        self.assertEqual(result.code, run.RESOLVE)
        self.assertIn("the feature sasl", result.stderr)

    def test_pam_brings_the_modules_that_service_files_name_and_makes_the_common_ones(self):
        module = lambda name: deb.File(AMD64.lib("security/" + name), world.library(AMD64, name, ["libc.so.6"]))
        modules = deb.Package("libpam-modules", arch="amd64", version="1", Depends="libc6", files=[
            module(name) for name in ("pam_unix.so", "pam_permit.so", "pam_deny.so", "pam_env.so", "pam_time.so")])
        profile = ("Name: Unix\nDefault: yes\nPriority: 256\nAuth-Type: Primary\nAuth:\n"
                   "\t[success=end default=ignore]\tpam_unix.so nullok\n")
        runtime = deb.Package("libpam-runtime", version="1", Depends="libpam-modules", files=[
            deb.File("/usr/share/pam/common-auth", "# common\n$auth_primary\nauth requisite pam_deny.so\n$auth_additional\n"),
            deb.File("/etc/pam.d/other", "@include common-auth\n"), deb.File("/usr/share/pam-configs/unix", profile)])
        self.start(manifest=MANIFEST + "features: [pam]\n", packages=[modules, runtime], depends="libpam-runtime",
                   files=[deb.File("/etc/pam.d/served", "@include common-auth\nsession required pam_env.so\n"
                                                        "-session optional pam_absent.so\n")])
        files = self.make()
        self.assertEqual(files["/etc/pam.d/common-auth"].data,
                         b"# common\nauth\t[success=1 default=ignore]\tpam_unix.so nullok\nauth requisite pam_deny.so\n")
        answer = self.why("served", "/etc/pam.d/common-auth")
        self.assertIn("made of its template, as pam-auth-update does\n", answer)
        self.assertIn("wanted by the feature pam\n", answer)
        for name, is_wanted in (("pam_unix.so", True), ("pam_env.so", True), ("pam_deny.so", True), ("pam_time.so", False)):
            self.assertEqual(AMD64.lib("security/" + name) in files, is_wanted, name)

    def test_a_pam_module_that_nobody_ships_fails(self):
        modules = deb.Package("libpam-modules", arch="amd64", version="1", files=[
            deb.File(AMD64.lib("security/pam_permit.so"), world.library(AMD64, "pam_permit.so")),
            deb.File(AMD64.lib("security/pam_deny.so"), world.library(AMD64, "pam_deny.so"))])
        self.start(manifest=MANIFEST + "features: [pam]\n", packages=[modules],
                   files=[deb.File("/etc/pam.d/served", "auth required pam_gone.so\n")])
        result = self.run_factory("--arch", "x86_64", "served")
        self.assertEqual(result.code, run.RESOLVE)
        self.assertIn("no selected package ships pam_gone.so, which /etc/pam.d/served names", result.stderr)


class Why(Answers):
    def test_the_chain_goes_from_the_manifest_to_the_file(self):
        self.start()
        answer = self.answers("served", AMD64.lib("libbar.so.2"))[0]
        self.assertTrue(answer["shipped"])
        self.assertEqual([(link["path"], link["package"]) for link in answer["chain"]], [
            ("/usr/sbin/served", "served"), (AMD64.lib("libfoo.so.1.2"), "libfoo1"), (AMD64.lib("libbar.so.2"), "libbar2")])
        self.assertEqual(answer["chain"][0]["why"], "binary of the manifest")
        self.assertEqual([link["wanted_by"] for link in answer["chain"]], ["the manifest", None, None])
        self.assertNotIn("wanted by", self.why("served", "/usr/sbin/served"))  # the reason says it
        self.assertEqual(answer["chain"][2]["version"], "2.0+dfsg-1")
        self.assertIn("stable of ", answer["chain"][2]["repository"])
        self.assertIn("needed by /usr/sbin/served as libfoo.so.1", self.why("served", AMD64.lib("libbar.so.2")))

    def test_a_path_may_be_written_as_before_the_merged_usr(self):
        self.start()
        self.assertTrue(self.answers("served", f"/lib/{AMD64.triplet}/libc.so.6")[0]["shipped"])

    def test_what_is_not_shipped_names_the_package_that_has_it(self):
        self.start()
        self.build("--arch", "x86_64", "served")  # the answer is the same when the image comes out of the cache
        answers = self.answers("served", "/usr/share/doc/libc6/copyright", AMD64.lib("libbaz.so.3"), "/no/where")
        self.assertEqual([answer["shipped"] for answer in answers], [False, False, False])
        self.assertEqual(answers[0]["packaged_in"], ["libc6"])
        self.assertEqual(answers[1]["offered_by"], ["libbaz3"])
        self.assertEqual((answers[2]["packaged_in"], answers[2]["offered_by"]), ([], []))
        text = self.why("served", "/no/where")
        self.assertIn("not in the image, and no package of the source ships it", text)

    def test_no_image_is_written(self):
        self.start()
        self.why("served", "/usr/sbin/served")
        self.assertFalse(os.path.exists(self.factory.output) or os.path.exists(self.path("out")))


if __name__ == "__main__":
    unittest.main()
