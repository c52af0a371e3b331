# SPDX-License-Identifier: Apache-2.0
"""Lock files: `imgfactory lock` writes down what is taken, --locked takes exactly that, and `lock --update` moves it."""

import json
import os
import re
import shutil
import subprocess
import time
import unittest

from base import run, world
from kit.schema import REPORT as SCHEMA
from lock_case import FAR, LOCK, LockCase, reseal

SECOND = "name: second\nbinaries: [/usr/sbin/served]\n"


class Locks(LockCase):
    def test_a_lock_says_the_same_wherever_and_whenever_it_is_written(self):
        first = self.lock()
        os.unlink(self.lock_path)
        self.options = self.factory.options
        self.elsewhere()
        self.assertEqual(self.lock("--jobs", "1"), first)
        self.assertEqual(self.lock(), first)  # over itself
        document = json.loads(first)
        self.assertEqual({item["arch"] for item in document["images"]}, {"x86_64", "aarch64"})
        for key in ("data", "images", "indices", "packages", "paths", "sources"):
            lines = first.split(f'"{key}":[\n')[1].split("\n],")[0].rstrip(",").split(",\n")
            self.assertEqual(lines, sorted(lines))
            self.assertEqual([json.loads(line) for line in lines], document[key])
        self.assertEqual(reseal(first), first)

    def test_a_lock_of_the_first_format_is_still_taken(self):
        before = self.of(self.build())
        lines = []
        for line in self.lock().replace('"imgfactory_lock":2', '"imgfactory_lock":1').splitlines(keepends=True):
            if line.startswith('{"'):
                item = json.loads(line.rstrip(",\n"))
                for key in {"generation", "extra", "distribution", "codename"} | ({"suite"} if "digest" in item and "url" in item else set()) | (
                        {"version"} if "from" in item else set()):
                    item.pop(key, None)
                line = json.dumps(item, separators=(",", ":"), ensure_ascii=False) + line[line.rindex("}") + 1:]
            lines.append(line)
        first = reseal("".join(lines))
        self.assertNotIn("generation", first)
        self.put(first)
        self.options = self.factory.options
        self.elsewhere()
        self.assertEqual(self.digests(), before)
        self.lock("--check")
        self.assertEqual(self.text(), first)
        self.go_on({"libfoo1": "1:9.9", "libbar2": "9.9"})
        self.lock("--update=libfoo1")
        self.assertEqual(self.versions("libfoo1", "libbar2"), {("libfoo1", "1:9.9"), ("libbar2", "2.0+dfsg-1")})
        self.digests("--rebuild")

    def test_a_locked_build_is_the_build_of_then_whatever_is_newer(self):
        before = self.of(self.build())
        self.lock()
        self.options = self.factory.options
        self.newer(remove=False)
        self.assertEqual(self.digests(), before)
        self.elsewhere("other")
        self.assertNotEqual(self.of(self.build("--arch", "all", "served")), before)

    def test_another_account_builds_the_same(self):
        before = self.of(self.build("--jobs", "4", "--arch", "all", "served"))
        self.lock()
        self.options = self.factory.options
        for number, settings in enumerate(({"umask": 0o077, "env": {"LC_ALL": "tr_TR.UTF-8", "TZ": "Asia/Tokyo"}},
                                           {"umask": 0, "env": {"LANG": "C", "HOME": "/nonexistent", "USER": "other"}})):
            self.elsewhere(f"account-{number}")
            self.assertEqual(self.digests("--jobs", str(1 + 7 * number), **settings), before)

    @unittest.skipUnless(os.geteuid() == 0, "only root can be another user")
    def test_another_user_builds_the_same(self):
        before = self.of(self.build("--jobs", "4", "--arch", "all", "served"))
        self.lock()
        keyring = shutil.copy(self.key.keyring, self.path("public.gpg"))
        with open(self.path("source.yaml"), "r+", encoding="utf-8") as stream:
            text = stream.read().replace(self.key.keyring, keyring)
            stream.seek(0)
            stream.write(text)
            stream.truncate()
        os.chmod(keyring, 0o644)
        os.chmod(self.top, 0o755)
        home = self.path("home")
        os.mkdir(home)
        os.chown(home, 65534, 65534)
        where = {"cwd": home, "user": 65534, "group": 65534, "extra_groups": [], "umask": 0o077,
                 "env": {"HOME": home, "LC_ALL": "tr_TR.UTF-8", "TZ": "Asia/Tokyo", "PATH": os.environ["PATH"]}}
        folders = [home, os.path.abspath(run.program())]
        while set(map(os.path.dirname, folders)) - set(folders):
            folders += set(map(os.path.dirname, folders)) - set(folders)
        if not all(os.stat(folder).st_mode & 0o001 for folder in folders):  # $TMPDIR may be root's alone
            self.skipTest("another user may not run the program, or not come here")
        for jobs in ("1", "8"):
            result = subprocess.run([run.program(), "--locked", "--cache", f"cache-{jobs}", "--state", f"state-{jobs}", "--output", f"out-{jobs}", "--jobs", jobs,
                                     "--arch", "all", *self.factory.options, "served"], capture_output=True, text=True, check=False, **where)
            self.assertEqual(result.returncode, run.OK, result)
            with open(os.path.join(home, f"out-{jobs}", "served", "index.json"), encoding="utf-8") as stream:
                self.assertIn(before, {item["digest"] for item in json.load(stream)["manifests"]})

    def test_packages_that_left_the_mirror_come_from_the_cache_or_are_named(self):
        before = self.of(self.build())
        self.lock()
        self.options = self.factory.options
        self.newer()
        self.assertEqual(self.digests("--rebuild"), before)
        self.elsewhere("with-its-indices")
        shutil.copytree(self.path("cache"), self.factory.cache)
        for file in os.listdir(self.path("repo/pool/main/libfoo1")):
            os.unlink(self.path(f"repo/pool/main/libfoo1/{file}"))
        for package in self.document()["packages"]:
            if package["name"] == "libfoo1":
                digest = package["digest"].split(":")[1]
                os.unlink(os.path.join(self.factory.cache, "v1/blob/sha256", digest[:2], digest))
        for kind in ("package", "product", "settled"):
            shutil.rmtree(os.path.join(self.factory.cache, "v1/derived", kind), ignore_errors=True)
        self.refuse(run.NETWORK, "package libfoo1 1:1.2-3", LOCK, "snapshot:", arguments=("--locked", "--rebuild", "--arch", "all", "served"))
        self.elsewhere("other")
        self.refuse(run.NETWORK, "libfoo1 1:1.2-3", LOCK, "snapshot:", arguments=("--locked", "--arch", "all", "served"))

    def hide_contents(self, is_hidden=True):
        """Takes the indices of paths away from the mirror, or brings them back; all else stays."""
        folder = self.path("repo/dists/stable/main")
        for name in os.listdir(folder):
            if name.startswith("Contents-" if is_hidden else "hidden-Contents-"):
                os.rename(f"{folder}/{name}", f"{folder}/hidden-{name}" if is_hidden else f"{folder}/{name[len('hidden-'):]}")

    def test_what_an_index_of_paths_says_may_be_guessed_if_it_is_the_same(self):
        before = self.of(self.build())
        self.lock()
        self.options = self.factory.options
        self.hide_contents()
        self.elsewhere("guessed")
        self.assertEqual(self.digests(), before)
        self.assertIn("no index of paths can be asked", self.last.stderr)
        self.put(reseal(self.text().replace('"package":"served"', '"package":"served-big"')))
        self.elsewhere("otherwise")
        self.refuse(run.NETWORK, "/usr/sbin/served had to be guessed", "--vendor", arguments=("--locked", "--arch", "all", "served"))

    def test_a_lock_of_guesses_is_taken_where_the_index_of_paths_is_there(self):
        self.hide_contents()
        self.lock()
        before = self.digests()
        self.options = self.factory.options
        self.hide_contents(False)
        self.elsewhere("looked-up")
        self.assertEqual(self.digests(), before)
        self.put(reseal(self.text().replace('"package":"served"', '"package":"served-big"')))
        self.elsewhere("refused")
        self.refuse(run.TRUST, "served-big is served", arguments=("--locked", "--arch", "all", "served"))

    def test_a_former_state_comes_from_the_snapshot(self):
        before = self.of(self.build())
        self.lock()
        moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(self.document()["sources"][0]["date"]))
        shutil.copytree(self.path("repo"), self.path(f"repo/snapshot/{moment}"))
        self.newer()
        with open(self.path("source.yaml"), "a", encoding="utf-8") as stream:
            stream.write(f"snapshot: '{self.server.url}/snapshot/{{time}}'\n")
        self.options = self.factory.options
        self.elsewhere()
        self.assertEqual(self.digests(), before)

    def test_a_trusted_repository_needs_no_signature_and_has_to_be_the_same(self):
        self.repository.publish(None, sign="none", date=FAR)
        self.use(self.write_source(trusted=True))
        self.factory.options += ["--lock-file", self.lock_path]
        before = self.of(self.build("--arch", "all", "served"))
        good = self.lock()
        self.options = self.factory.options
        self.elsewhere()
        self.assertEqual(self.digests(), before)
        self.put(reseal(re.sub(r'("digest":"sha256:[0-9a-f]{60})[0-9a-f]{4}', r"\g<1>0000", good)))
        self.elsewhere("other")
        self.refuse(run.TRUST, LOCK, arguments=("--locked", "--arch", "all", "served"))

    def test_what_is_not_in_the_lock_is_not_built(self):
        self.refuse(run.USAGE, "imgfactory lock", arguments=("--locked", "served"))
        self.lock("--arch", "x86_64")
        self.refuse(run.TRUST, "served for aarch64", arguments=("--locked", "--arch", "all", "served"))
        self.write_manifest(text=world.MANIFEST.replace("description: ", "description: Not "))
        self.refuse(run.TRUST, "manifest sha256:", arguments=("--locked", "--arch", "x86_64", "served"))


class Vendored(LockCase):
    """All that a lock names in a folder: no network is needed, and nothing of the folder is believed."""

    def setUp(self):
        super().setUp()
        self.before = self.of(self.build())
        self.vendor = self.path("vendor")
        self.lock("--vendor", self.vendor)
        self.options = self.factory.options

    def test_a_build_from_the_folder_needs_no_server(self):
        self.server.stop()
        self.elsewhere()
        self.assertEqual(self.digests("--vendor", self.vendor), self.before)
        document = self.document()
        wanted = {item[key].split(":")[1] for list_, key in (("packages", "digest"), ("indices", "checksum"), ("sources", "file"))
                  for item in document[list_]}
        self.assertEqual(set(os.listdir(os.path.join(self.vendor, "sha256"))), wanted)
        self.assertEqual(os.listdir(os.path.join(self.vendor, "keys")), [os.path.basename(self.key.keyring)])

    def test_a_folder_that_lies_is_refused(self):
        for package in self.document()["packages"]:
            path = os.path.join(self.vendor, "sha256", package["digest"].split(":")[1])
            with open(path, "r+b") as stream:
                stream.write(b"!<arch>?")
        self.elsewhere()
        self.refuse(run.TRUST, "its bytes are not what its name says",
                    arguments=("--locked", "--vendor", self.vendor, "--arch", "all", "served"))

    def test_what_the_folder_lacks_comes_from_the_mirror_or_is_named(self):
        package = next(item for item in self.document()["packages"] if item["name"] == "libfoo1")
        os.unlink(os.path.join(self.vendor, "sha256", package["digest"].split(":")[1]))
        self.elsewhere()
        self.assertEqual(self.digests("--vendor", self.vendor), self.before)
        self.server.stop()
        self.elsewhere("third")
        self.refuse(run.NETWORK, "package libfoo1", arguments=("--locked", "--vendor", self.vendor, "--arch", "all", "served"))


class Updates(LockCase):
    def setUp(self):
        super().setUp()
        self.before = self.lock()

    def test_a_lock_stays_until_it_is_updated(self):
        self.newer(remove=False)
        self.assertEqual(self.lock(), self.before)
        after = self.lock("--update")
        versions = {item["version"] for item in json.loads(after)["packages"] if item["name"] == "libfoo1"}
        self.assertEqual(versions, {"1:9.9"})

    def diff(self, *words, code=run.OK):
        result = self.factory.run_plain("diff", *words)
        self.assertEqual(result.code, code, result)
        return result

    def test_diff_compares_two_locks(self):
        former = self.write("former.lock", self.before)
        self.assertEqual(self.diff(former, self.lock_path, "--exit-code", "--quiet").stdout, "")
        self.newer(remove=False)
        self.lock("--update")
        report = json.loads(self.diff(former, self.lock_path, "--json", "--exit-code", code=1).stdout)
        self.assertEqual(SCHEMA.faults(report, "diff"), [])
        self.assertEqual([image["image"] for image in report["compared"]], ["served"])
        self.assertEqual(report["compared"][0]["change"], "changed")
        for platform in report["compared"][0]["platforms"]:
            moved = [(package["name"], package["before"], package["after"]) for package in platform["packages"]]
            self.assertEqual(moved, [("libfoo1", "1:1.2-3", "1:9.9")])
        self.assertIn("libfoo1", self.diff(former, self.lock_path).stdout)
        self.assertIn("with another one only", self.diff(former, self.path("none"), code=run.USAGE).stderr)
        broken = self.write("broken.lock", self.before[:-30])
        self.assertIn("broken.lock", self.diff(former, broken, code=run.TRUST).stderr)

    def test_diff_of_two_locks_tells_all_that_differs(self):
        def altered(name, *pairs):
            text = self.before
            for old, new in pairs:
                self.assertIn(old, text)
                text = text.replace(old, new)
            return self.write(name, reseal(text))
        former = altered("former.lock")
        recipes = next(item["digest"] for item in self.document()["data"] if item["name"] == "recipes")
        path = self.document()["paths"][0]
        cases = {("data", "recipes"): ((recipes, recipes[:-4] + "0000"),),
                 ("base-name", None): (('"base":null', '"base":"quay.io/me/base"'),),
                 ("name", None): (('"named":null', '"named":"nsd: the command /usr/sbin/nsd"'),),
                 ("path", path["path"]): ((f'"why":{json.dumps(path["why"])}', '"why":"another reason"'),)}
        for (key, name), pairs in cases.items():
            with self.subTest(key=key):
                other = altered("other.lock", *pairs)
                report = json.loads(self.diff(former, other, "--json").stdout)
                self.assertEqual(SCHEMA.faults(report, "diff"), [])
                for platform in report["compared"][0]["platforms"]:
                    self.assertEqual([(value["key"], value["name"]) for value in platform["configuration"]], [(key, name)])
                self.assertIn(name or key, self.diff(former, other).stdout)

    def test_check_tells_what_is_new_and_writes_nothing(self):
        self.lock("--check")
        self.newer(remove=False)
        self.lock("--check", code=run.RESOLVE)
        for arch in ("x86_64", "aarch64"):
            self.assertIn(f"served for {arch}: package libfoo1 1:1.2-3 is 1:9.9\n", self.last.stdout)
        self.assertEqual(len(self.last.stdout.splitlines()), 2)
        self.assertEqual(self.text(), self.before)
        self.lock("--update")
        self.lock("--check")

    def test_an_update_of_one_package_moves_no_other(self):
        former = self.versions()
        self.go_on({"libfoo1": "1:9.9", "libbar2": "9.9", "libc6": "2.99-1"})
        self.lock("--update=libfoo1", "--vendor", self.path("vendor"))
        self.assertIn("moved libfoo1\n", self.last.stdout)
        self.assertNotIn("had to move", self.last.stdout)
        self.assertEqual(self.versions(), former - {("libfoo1", "1:1.2-3")} | {("libfoo1", "1:9.9")})
        self.assertEqual([source["extra"] for source in self.document()["sources"]].count(True), 1)
        locked, digest = self.text(), self.digests()
        self.assertEqual(self.lock(), locked)  # what is written again says the same
        self.options = self.factory.options
        self.server.stop()
        self.elsewhere()
        self.assertEqual(self.digests("--vendor", self.path("vendor"), "--jobs", "1"), digest)

    def test_words_behind_update_may_be_packages(self):
        self.go_on({"libfoo1": "1:9.9", "libbar2": "9.9", "libc6": "2.99-1"})
        self.lock("--update", names=("libfoo1", "libbar2"))
        self.assertEqual(self.versions("libfoo1", "libbar2", "libc6"), {("libfoo1", "1:9.9"), ("libbar2", "9.9"), ("libc6", "2.36-9")})
        self.lock("--update=nonsense", code=run.USAGE)
        self.lock("--update=libfoo1,nonsense", code=run.USAGE)
        self.lock("--update=libfoo1", "--arch", "x86_64", code=run.USAGE)

    def test_a_word_behind_update_that_the_lock_does_not_know_is_told_to_be_a_new_image(self):
        self.write_manifest("second", SECOND)
        self.lock("--update", names=("served",))
        self.assertNotIn("new in", self.last.stderr)
        self.lock("--update", names=("served", "second"))
        self.assertIn(f"--update second: it is no package of {self.lock_path}, and is taken for an image, which is new in it", self.last.stderr)

    def test_what_has_to_move_with_it_is_told(self):
        self.go_on({"libfoo1": "1:9.9", "libbar2": "9.9", "libc6": "2.99-1"}, libfoo1={"Depends": "libbar2 (>= 9), libc6"})
        self.lock("--update=libfoo1")
        self.assertIn("with it had to move libbar2\n", self.last.stdout)
        self.assertEqual(self.versions("libfoo1", "libbar2", "libc6"), {("libfoo1", "1:9.9"), ("libbar2", "9.9"), ("libc6", "2.36-9")})
        self.digests("--rebuild")

    def test_a_new_dependency_comes_with_it(self):
        former = self.versions()
        self.go_on({"libfoo1": "1:9.9", "libbar2": "9.9"}, libfoo1={"Depends": "libbar2, libbaz3, libc6"})
        self.lock("--update=libfoo1")
        self.assertIn("with it had to move libbaz3\n", self.last.stdout)
        self.assertEqual(self.versions(), former - {("libfoo1", "1:1.2-3")} | {("libfoo1", "1:9.9"), ("libbaz3", "3-1")})
        self.digests("--rebuild")

    def test_updates_follow_each_other(self):
        self.go_on({"libfoo1": "1:2.0"}, date=-7200)
        self.lock("--update=libfoo1")
        self.go_on({"libfoo1": "1:3.0", "libbar2": "3.0"}, date=-3600)
        self.lock("--update=libbar2")
        self.assertEqual(self.versions("libfoo1", "libbar2"), {("libfoo1", "1:2.0"), ("libbar2", "3.0")})
        self.assertEqual(len(self.document()["sources"]), 3)
        both = self.text()
        self.digests("--rebuild")
        self.lock("--update=libbar2")
        self.assertIn("there is nothing newer of libbar2", self.last.stdout)
        self.assertEqual(self.text(), both)
        self.lock("--update=libfoo1")
        self.assertEqual(len(self.document()["sources"]), 2)  # of the one between nothing is taken any more
        self.digests("--rebuild")
        self.lock("--update")
        self.assertEqual(len(self.document()["sources"]), 1)
        self.digests("--rebuild")

    def test_a_product_of_before_does_not_say_where_a_package_is_from(self):
        self.go_on({"libfoo1": "1:9.9"})
        before = self.of(self.build("--arch", "all", "served"))  # all that is newest, which is what the update takes
        self.lock("--update=libfoo1")
        self.assertEqual({item["generation"] is None for item in self.document()["packages"] if item["name"] == "libfoo1"}, {False})
        self.assertEqual(self.digests("--rebuild"), before)

    def test_an_update_needs_the_generation_that_the_others_stay_at(self):
        self.go_on({"libfoo1": "1:9.9"})
        self.options = self.factory.options
        self.elsewhere()
        self.lock("--update=libfoo1", code=run.NETWORK)
        self.assertIn("is gone from the mirror", self.last.stderr)
        self.assertIn("`imgfactory lock --update` without packages", self.last.stderr)
        self.assertEqual(self.text(), self.before)

    def test_an_update_takes_the_former_generation_from_a_vendor_folder(self):
        self.lock("--vendor", self.path("vendor"))
        self.go_on({"libfoo1": "1:9.9", "libbar2": "9.9"})
        self.options = self.factory.options
        self.elsewhere()
        self.lock("--update=libfoo1", "--vendor", self.path("vendor"))
        self.assertEqual(self.versions("libfoo1", "libbar2"), {("libfoo1", "1:9.9"), ("libbar2", "2.0+dfsg-1")})
        self.server.stop()
        self.elsewhere("other")
        self.digests("--vendor", self.path("vendor"))

    def test_an_update_that_cannot_be_leaves_the_lock(self):
        self.go_on({"libfoo1": "1:9.9"}, libfoo1={"Depends": "libnone9"})
        self.lock("--update=libfoo1", code=run.RESOLVE)
        self.assertIn("libnone9", self.last.stderr)
        self.assertEqual(self.text(), self.before)

    def test_a_lock_of_some_images_keeps_the_others(self):
        self.write_manifest("second", SECOND)
        self.newer(remove=False)
        self.lock(names=("second",))
        images = {(item["image"], item["arch"]) for item in self.document()["images"]}
        self.assertEqual(images, {(name, arch) for name in ("served", "second") for arch in ("x86_64", "aarch64")})
        both = self.text()
        self.assertEqual(self.lock("--arch", "x86_64", names=("served",)), both)
        self.build("--locked", "--arch", "all", "served", "second")
        self.lock("--update", names=("second",), code=run.USAGE)
        self.assertIn("served", self.last.stderr)
        self.lock("--update", names=("second", "served"))
        self.assertNotEqual(self.text(), both)
        self.assertEqual(len(self.document()["images"]), 4)

    def test_a_site_has_one_lock_for_all_of_its_images(self):
        self.write("imgfactory.yaml", f"arch: all\nsource: source.yaml\nimages:\n  - served\n  - {self.path('manifests')}/second.yaml\n")
        self.write_manifest("second", SECOND)
        os.unlink(self.lock_path)
        self.factory.options = ["--manifests", self.path("manifests")]
        for words in (["lock"], ["--locked"]):
            result = self.run_factory(*words, cwd=self.top)
            self.assertEqual(result.code, run.OK, result)
        self.assertEqual({item["image"] for item in self.document()["images"]}, {"served", "second"})
        self.assertEqual(sorted(os.listdir(self.factory.output)), ["second", "served"])

    def test_a_damaged_lock_is_only_written_anew_when_that_is_asked_for(self):
        self.put("damaged")
        self.lock(code=run.TRUST)
        self.assertIn("--update", self.last.stderr)
        self.assertEqual(self.lock("--update"), self.before)

    def test_what_fails_leaves_the_lock_as_it_is(self):
        self.write_manifest(text=world.MANIFEST.replace("/usr/sbin/served", "/usr/sbin/nothing"))
        self.lock(code=run.RESOLVE)
        self.assertIn("is not written", self.last.stderr)
        self.assertEqual(self.text(), self.before)

    def test_what_a_lock_names_stays_in_the_cache(self):
        blobs = os.path.join(self.factory.cache, "v1/blob/sha256")
        named = {item["digest"].split(":")[1] for item in self.document()["packages"]}
        here = lambda: {file for _, _, files in os.walk(blobs) for file in files}  # noqa: E731
        there = named & here()
        self.assertTrue(there)
        self.assertIn("that lock files name", self.factory.run_plain("clean").stdout)
        self.assertEqual(named & here(), there)
        os.unlink(self.lock_path)
        self.factory.run_plain("clean")
        self.assertEqual(here(), set())

if __name__ == "__main__":
    unittest.main()
