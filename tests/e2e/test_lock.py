# SPDX-License-Identifier: Apache-2.0
"""Lock files: `imgfactory lock` writes down what is taken, --locked takes exactly that, and nothing that nothing vouches for."""

import copy
import hashlib
import json
import os
import re
import shutil
import time
import unittest

from base import Case, rpm, run, server, world
from kit import rpm_world
from kit.rpm_case import BuildCase, Shared, publish
from kit.schema import Schema

SCHEMA = Schema(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "factory", "bill", "report.schema.json"))

ARCHES = ("x86_64", "aarch64")
SHARED = Shared()
MANIFESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../manifests")
LOCK = "imgfactory.lock"
SECOND = "name: second\nbinaries: [/usr/sbin/served]\n"
SUM = re.compile(r'"sum":"sha256:[0-9a-f]{64}"\n}\n\Z')
FAR = time.time() - 40 * 86400  # the Date of the locked generation: long ago, so that a later one is not from the future


def tearDownModule():
    SHARED.close()


def reseal(text):
    """The text with the checksum that its lines have now: what a forger would write."""
    body = SUM.sub("", text)
    return f'{body}"sum":"sha256:{hashlib.sha256(body.encode()).hexdigest()}"\n}}\n'


class LockCase(Case):
    def setUp(self):
        super().setUp()
        self.ready(date=FAR)
        self.lock_path = self.path(LOCK)
        self.factory.options += ["--lock-file", self.lock_path]

    def lock(self, *options, code=run.OK, names=("served",)):
        result = self.run_factory("lock", "--arch", "all", *options, *names)
        self.assertEqual(result.code, code, result)
        self.last = result
        return self.text() if os.path.exists(self.lock_path) else None

    def text(self):
        with open(self.lock_path, encoding="utf-8") as stream:
            return stream.read()

    def document(self):
        return json.loads(self.text())

    def put(self, text):
        self.write(LOCK, text)

    def digests(self, *options, name="served", **settings):
        result = self.build("--locked", "--arch", "all", *options, name, name=name, **settings)
        return self.of(result)

    @staticmethod
    def of(layout):
        return layout.tags["latest"]

    def elsewhere(self, name="elsewhere"):
        """Another account: its own cache, state and output, all empty."""
        self.factory = run.Factory(self.path(name))
        self.factory.options = self.options
        return self.factory

    def newer(self, name="libfoo1", version="1:9.9", remove=True, **settings):
        """The mirror goes on: a package has a newer version, and the old one is gone."""
        for package in self.repository.packages:
            if remove and package.name == name:
                self.repository.remove(self.repository.pool_name(package))
        self.repository.packages = world.packages()
        for package in self.repository.packages:
            if package.name == name:
                package.version = version
        self.repository.publish(self.key, date=settings.pop("date", -3600), **settings)

    def go_on(self, versions, date=-3600, **fields):
        """The mirror has newer versions of some packages, beside the old files; `fields` (libfoo1={"Depends": …}) are theirs, too."""
        self.repository.packages = world.packages()
        for package in self.repository.packages:
            package.version = versions.get(package.name, package.version)
            package.fields.update(fields.get(package.name, {}))
        self.repository.publish(self.key, date=date)

    def versions(self, *names):
        """{(name, version)} of a lock's packages."""
        return {(item["name"], item["version"]) for item in self.document()["packages"] if not names or item["name"] in names}


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

    def test_what_has_to_move_with_it_is_told(self):
        self.go_on({"libfoo1": "1:9.9", "libbar2": "9.9", "libc6": "2.99-1"}, libfoo1={"Depends": "libbar2 (>= 9), libc6"})
        self.lock("--update=libfoo1")
        self.assertIn("with it had to move libbar2\n", self.last.stdout)
        self.assertEqual(self.versions("libfoo1", "libbar2", "libc6"), {("libfoo1", "1:9.9"), ("libbar2", "9.9"), ("libc6", "2.36-9")})
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


class Gone(LockCase):
    """The signed index that a lock names is gone from everywhere, its packages are not."""

    def setUp(self):
        super().setUp()
        self.repository.publish(None, sign="none", date=FAR)
        self.trusted(True)
        self.before = self.of(self.build("--arch", "all", "served"))
        self.lock()
        self.moved()
        self.elsewhere()

    def trusted(self, is_trusted, **settings):
        self.use(self.write_source(trusted=is_trusted, **settings))
        self.factory.options += ["--lock-file", self.lock_path]
        self.options = self.factory.options

    def moved(self, **settings):
        self.newer(remove=False, sign="none", **settings)

    def test_of_a_trusted_source_what_the_lock_names_is_built(self):
        self.assertEqual(self.digests(), self.before)
        self.assertIn("its packages are taken as the lock names them (trusted: true)", self.last.stderr)
        self.elsewhere("other")
        self.assertEqual(self.digests("--jobs", "1"), self.before)

    def test_without_trust_nothing_vouches(self):
        self.repository.publish(self.key, date=FAR)  # signed, and locked so
        self.trusted(False)
        self.elsewhere("signed")
        self.lock("--update")
        self.newer(remove=False)
        self.elsewhere("other")
        self.refuse(run.TRUST, "nothing vouches for what it takes of it", "libbar2 2.0+dfsg-1", "trusted: true",
                    arguments=("--locked", "--arch", "all", "served"))

    def test_a_package_that_is_gone_too_is_named(self):
        for file in os.listdir(self.path("repo/pool/main/libbar2")):
            os.unlink(self.path(f"repo/pool/main/libbar2/{file}"))
        self.refuse(run.NETWORK, "package libbar2 2.0+dfsg-1, which it takes, cannot be had either",
                    arguments=("--locked", "--arch", "all", "served"))

    def test_other_bytes_are_refused(self):
        good = self.text()
        package = next(item for item in self.document()["packages"] if item["name"] == "libbar2" and item["arch"] == "x86_64")
        other = next(item for item in self.document()["packages"] if item["name"] == "libfoo1" and item["arch"] == "x86_64")
        changes = {
            "the digest": (package["digest"], package["digest"][:-4] + "0000"),
            "another package's bytes": (f'"digest":"{package["digest"]}","url":"{package["url"]}"',
                                        f'"digest":"{other["digest"]}","url":"{other["url"]}"'),
            "the version": ('"version":"2.0+dfsg-1"', '"version":"2.0+dfsg-2"'),
            "the architecture": (f'"name":"libbar2","version":"2.0+dfsg-1","architecture":"{package["architecture"]}"',
                                 '"name":"libbar2","version":"2.0+dfsg-1","architecture":"all"'),
            "the size": (f'"size":{package["size"]},', f'"size":{package["size"] + 1},'),
            "a place elsewhere": (package["url"], package["url"].replace("/pool/", "/pool/../pool/")),
            "another suite": (f'"{package["digest"]}","url":"{package["url"]}"', f'"{package["digest"]}","url":"http://127.0.0.1:9/x.deb"'),
            "one package less": (next(line for line in good.splitlines() if '"name":"libbar2"' in line) + "\n", ""),
        }
        for number, (what, (old, new)) in enumerate(changes.items()):
            with self.subTest(what=what):
                self.assertIn(old, good)
                text = good.replace(old, new)
                self.put(reseal(text))
                self.elsewhere(f"account-{number}")
                result = self.run_factory("--locked", "--arch", "all", "served")
                self.assertEqual(result.code, run.TRUST, result)
                self.assert_nothing_left(result)


class Hostile(LockCase):
    """A changed lock is class 3, whatever is changed, and whether or not its checksum was made to fit."""

    def setUp(self):
        super().setUp()
        self.good = self.lock()
        self.options = self.factory.options

    def altered(self):
        """(What, text) of locks with one thing changed."""
        document = json.loads(self.good)
        for key in ("data", "images", "indices", "packages", "paths", "sources"):
            for field, value in document[key][0].items():
                other = self.other(value)
                if other is None:
                    continue
                begin, end = self.good.split(f'"{key}":[\n', 1)
                line, rest = end.split("\n", 1)
                old = json.dumps({field: value}, separators=(",", ":"), ensure_ascii=False)[1:-1]
                new = json.dumps({field: other}, separators=(",", ":"), ensure_ascii=False)[1:-1]
                self.assertIn(old, line)
                yield f"{key}: {field}", f'{begin}"{key}":[\n{line.replace(old, new, 1)}\n{rest}'

    @staticmethod
    def other(value):
        if isinstance(value, bool):
            return not value
        if isinstance(value, int):
            return value + 1
        if isinstance(value, list):
            return ["other"]
        if value and re.fullmatch("sha256:[0-9a-f]{64}", value):
            return value[:-1] + ("0" if value[-1] != "0" else "1")
        return value + "x" if value else None

    def test_each_change_alone_is_refused(self):
        for what, text in self.altered():
            with self.subTest(what=what):
                self.put(text)
                self.refuse(run.TRUST, "changed since", arguments=("--locked", "--arch", "all", "served"))
                self.put(reseal(text))
                if what.split(":")[0] in ("indices", "packages", "sources"):
                    self.elsewhere(f"new-{abs(hash(what))}")
                self.refuse(run.TRUST, LOCK, arguments=("--locked", "--arch", "all", "served"))

    def test_all_changes_together_are_refused(self):
        digest = re.compile(r"sha256:[0-9a-f]{63}")
        text = digest.sub("sha256:" + "7" * 63, self.good)
        text = text.replace('"version":"', '"version":"9').replace(".deb", ".rpm").replace('"size":', '"size":1')
        for lock in (text, reseal(text)):
            self.put(lock)
            for account in ("", "all-new"):
                if account:
                    self.elsewhere(account)
                self.refuse(run.TRUST, arguments=("--locked", "--arch", "all", "served"))

    def test_changes_of_a_lock_with_two_generations_are_refused(self):
        self.go_on({"libfoo1": "1:9.9", "libbar2": "9.9"})
        good = self.lock("--update=libfoo1", "--vendor", self.path("vendor"))
        extra = next(item["digest"] for item in self.document()["sources"] if item["extra"])
        first = next(item["digest"] for item in self.document()["sources"] if not item["extra"])
        moved = next(line for line in good.splitlines() if '"name":"libfoo1"' in line and '"arch":"x86_64"' in line)
        stays = next(line for line in good.splitlines() if '"name":"libbar2"' in line and '"arch":"x86_64"' in line)
        newer = json.loads(next(line for line in good.splitlines() if '"name":"libfoo1"' in line).rstrip(","))
        changes = {
            "the moved one is of the first": good.replace(moved, moved.replace(f'"{extra}"', "null")),
            "the moved one is of none": good.replace(moved, moved.replace(extra, extra[:-4] + "0000")),
            "one that stays is of the later": good.replace(stays, stays.replace('"generation":null', f'"generation":"{extra}"')),
            "the later one is the first": good.replace('"extra":true', '"extra":false'),
            "none is the first": good.replace('"extra":false', '"extra":true'),
            "the first one's digest": good.replace(extra, first),
            "all of them": good.replace(f'"generation":"{extra}"', '"generation":null'),
            "the version": good.replace(newer["version"], "1:9.8"),
            "its distribution": good.replace('"codename":"', '"codename":"x'),
        }
        self.options = self.factory.options
        for number, (what, text) in enumerate(changes.items()):
            with self.subTest(what=what):
                self.assertNotEqual(text, good)
                self.put(reseal(text))
                self.refuse(run.TRUST, LOCK, arguments=("--locked", "--arch", "all", "served"))
                self.elsewhere(f"account-{number}")
                self.refuse(run.TRUST, LOCK,
                            arguments=("--locked", "--vendor", self.path("vendor"), "--arch", "all", "served"))

    def test_what_is_no_lock_is_refused(self):
        for text in ("", "{}", "[" * 100000, self.good[:-1], self.good[:200], "\0" + self.good[1:]):
            self.put(text)
            self.refuse(run.TRUST, arguments=("--locked", "--arch", "all", "served"))
        for text in ('{\n', '{"imgfactory_lock":1,', self.good.replace('"data":[', '"more":1,\n"data":[')):
            self.put(reseal(text + ('' if SUM.search(text) else '"sum":"sha256:' + "0" * 64 + '"\n}\n')))
            self.refuse(run.MALFORMED, "no lock file", arguments=("--locked", "--arch", "all", "served"))


class Rpm(BuildCase):
    """The same of RPM repositories, whose packages are signed themselves."""

    def setUp(self):
        super().setUp()
        self.folder = self.copy(SHARED.get("fedora", rpm_world.packages), "repo")
        self.server = server.Server(self.folder).start()
        self.addCleanup(self.server.stop)
        self.lock_path = self.path(LOCK)
        self.use(self.source(self.folder, where=self.server.url.rstrip("/")))

    shared = SHARED

    def use(self, source, retries=1):
        self.factory.options = ["--source", source, "--manifests", MANIFESTS, "--retries", str(retries), "--lock-file",
                                self.path(LOCK)]

    def elsewhere(self, name):
        options = self.factory.options
        self.factory = run.Factory(self.path(name))
        self.factory.options = options

    def locked(self, *options):
        return self.build("--locked", "--arch", ",".join(ARCHES), *options, "dhcpd", name="dhcpd").tags["latest"]

    def lock(self, *options):
        result = self.run_factory("lock", "--arch", ",".join(ARCHES), *options, "dhcpd")
        self.assertEqual(result.code, run.OK, result)
        with open(self.lock_path, encoding="utf-8") as stream:
            return stream.read()

    def test_a_lock_of_rpm_packages_is_built_from_anywhere(self):
        before = self.build("--arch", ",".join(ARCHES), "dhcpd", name="dhcpd").tags["latest"]
        self.lock("--vendor", self.path("vendor"))
        self.elsewhere("by-mirror")
        self.assertEqual(self.locked(), before)
        moment = time.strftime("%Y%m%d", time.gmtime(json.loads(self.lock())["sources"][0]["date"]))
        self.assertTrue(moment)
        shutil.copytree(self.folder, self.path(f"former/{moment}"))
        publish(self.folder, [package for package in rpm_world.packages() if package.name != "dhcp-server"],
                self.shared.ring.get("main"), options=("--revision", str(rpm.EPOCH + 86400)))
        self.elsewhere("gone")
        self.refuse(run.NETWORK, "dhcp-server", LOCK, arguments=("--locked", "--arch", "x86_64", "dhcpd"))
        self.elsewhere("by-folder")
        self.assertEqual(self.locked("--vendor", self.path("vendor")), before)
        self.use(self.source(self.folder, where=self.server.url.rstrip("/"),
                             snapshot=f"'file://{self.path('former')}/{{date}}/$basearch'"))
        self.elsewhere("by-snapshot")
        self.assertEqual(self.locked(), before)

    def test_an_update_of_one_rpm_package_moves_no_other(self):
        self.lock("--vendor", self.path("vendor"))
        former = {(item["name"], item["version"]) for item in self.document()["packages"]}
        newer = [copy.copy(package) for package in rpm_world.packages()]  # those of others stay as they are
        for package in newer:
            if package.name in ("dhcp-server", "glibc", "libgcc"):
                package.release, package._built = "9.kit", {}
        publish(self.folder, newer, self.shared.ring.get("main"), options=("--revision", str(rpm.EPOCH + 86400)))
        text = self.lock("--update=libgcc", "--vendor", self.path("vendor"))
        now = {(item["name"], item["version"]) for item in json.loads(text)["packages"]}
        self.assertEqual({name for name, _ in now - former}, {"libgcc"})
        self.assertEqual(len(now), len(former))
        before = self.locked("--rebuild")
        self.server.stop()
        self.elsewhere("by-folder")
        self.assertEqual(self.locked("--vendor", self.path("vendor")), before)

    def document(self):
        with open(self.lock_path, encoding="utf-8") as stream:
            return json.load(stream)

    def gone(self, **settings):
        """Builds and locks, and the repository has other metadata from then on, of the same packages."""
        before = self.build("--arch", ",".join(ARCHES), "dhcpd", name="dhcpd").tags["latest"]
        self.lock()
        publish(self.folder, rpm_world.packages(), self.shared.ring.get("main"), options=("--revision", str(rpm.EPOCH + 86400)))
        if settings:
            self.use(self.source(self.folder, where=self.server.url.rstrip("/"), **settings))
        self.elsewhere("gone")
        return before

    def test_where_metadata_are_gone_the_packages_own_signatures_vouch(self):
        before = self.gone()
        self.assertEqual(self.locked(), before)
        self.assertIn("each by its own signature", self.last.stderr)
        self.elsewhere("again")
        self.assertEqual(self.locked("--jobs", "1"), before)

    def test_where_metadata_are_gone_a_package_that_another_signed_is_refused(self):
        self.gone(keys=("other",))
        self.refuse(run.TRUST, "package bash", "unknown key", arguments=("--locked", "--arch", "x86_64", "dhcpd"))

    def test_where_metadata_are_gone_unsigned_packages_need_trust(self):
        self.use(self.source(self.folder, keys=(), where=self.server.url.rstrip("/"), trusted="true"))
        before = self.gone(keys=(), trusted="true")
        self.assertEqual(self.locked(), before)
        self.assertIn("(trusted: true)", self.last.stderr)

    def test_where_metadata_are_gone_a_lock_that_was_changed_is_refused(self):
        self.gone()
        with open(self.lock_path, encoding="utf-8") as stream:
            good = stream.read()
        packages = {item["name"]: item for item in self.document()["packages"] if item["arch"] == "x86_64"}
        bytes_of = lambda name: f'"digest":"{packages[name]["digest"]}","url":"{packages[name]["url"]}"'  # noqa: E731
        for number, (what, old, new) in enumerate((
                ("another signed package", bytes_of("libgcc"), bytes_of("bash")),
                ("the version", f'"version":"{packages["libgcc"]["version"]}"', '"version":"99-1"'),
                ("no signed bytes", packages["libgcc"]["url"], packages["libgcc"]["url"].rsplit("/", 2)[0] + "/repodata/repomd.xml"),
                ("the why and the path", '"path":"/usr/sbin/dhcpd"', '"path":"/usr/sbin/dhcpc"'))):
            with self.subTest(what=what):
                self.assertIn(old, good)
                self.write(LOCK, reseal(good.replace(old, new)))
                self.elsewhere(f"account-{number}")
                result = self.run_factory("--locked", "--arch", "x86_64", "dhcpd")
                self.assertEqual(result.code, run.TRUST, result)
                self.assert_nothing_left(result)

    def test_a_changed_lock_of_rpm_packages_is_refused(self):
        good = self.lock()
        self.elsewhere("other")
        for old, new in ((r'"digest":"sha256:([0-9a-f]{60})', r'"digest":"sha256:\g<1>'), (r'"version":"', '"version":"9'),
                         (r'\.rpm"', '.rpx"'), (r'"checksum":"sha256:[0-9a-f]{4}', '"checksum":"sha256:0000')):
            text = re.sub(old, new, good)
            if old.startswith('"digest'):
                text = re.sub(r'("digest":"sha256:[0-9a-f]{60})[0-9a-f]{4}', r"\g<1>0000", good)
            self.write(LOCK, reseal(text))
            self.refuse(run.TRUST, LOCK, arguments=("--locked", "--arch", ",".join(ARCHES), "dhcpd"))

    def test_a_place_of_a_lock_is_never_asked(self):
        good = self.lock()
        asked = server.Server(self.folder).start()
        self.addCleanup(asked.stop)
        self.write(LOCK, reseal(good.replace(self.server.url, asked.url)))
        self.elsewhere("other")
        self.refuse(run.TRUST, LOCK, arguments=("--locked", "--arch", "x86_64", "dhcpd"))
        self.write(LOCK, reseal(re.sub(r'"from":"[^"]*', f'"from":"{asked.url}/x86_64/', good)))
        self.refuse(run.TRUST, "which is no place of it", arguments=("--locked", "--arch", "x86_64", "dhcpd"))
        self.assertEqual(asked.asked(), 0)

    def test_mirrors_of_a_list_may_be_others_than_then(self):
        listed = self.write("mirrors", f"{self.server.url}/x86_64/\n")
        keys = self.shared.ring.get("main").armoured
        self.use(self.write("source.yaml", f"kind: rpm\nname: kit\nmirrorlist: file://{listed}\ngpgkey: [{keys}]\n"))
        build = lambda *options: self.build(*options, "--arch", "x86_64", "dhcpd", name="dhcpd").tags["latest"]  # noqa: E731
        before = build()
        self.run_factory("lock", "--arch", "x86_64", "dhcpd")
        other = server.Server(self.folder).start()
        self.addCleanup(other.stop)
        self.server.stop()
        self.write("mirrors", f"{other.url}/x86_64/\n")
        self.elsewhere("other")
        self.assertEqual(build("--locked"), before)
        os.unlink(listed)
        self.assertEqual(build("--locked", "--rebuild"), before)  # out of the cache

    def test_a_repository_that_was_left_out_is_left_out_again(self):
        key = self.shared.ring.get("main").armoured
        self.use(self.write("source.yaml", "kind: rpm\nrepositories:\n"
                            f"  - {{name: kit, baseurl: '{self.server.url}/$basearch', gpgkey: [{key}]}}\n"
                            f"  - {{name: more, baseurl: 'file://{self.path('more')}/$basearch', trusted: true, "
                            "skip_if_unavailable: true}\n"))
        before = self.build("--arch", ",".join(ARCHES), "dhcpd", name="dhcpd").tags["latest"]
        self.lock()
        shutil.copytree(self.folder, self.path("more"))
        self.elsewhere("other")
        self.assertEqual(self.locked(), before)

    def test_packages_are_still_checked_by_their_own_signature(self):
        self.lock()
        other = self.shared.ring.get("other")
        self.use(self.source(self.folder, keys=("other",), where=self.server.url.rstrip("/")))
        self.assertTrue(other)
        self.elsewhere("other")
        self.refuse(run.TRUST, "dhcp-server", arguments=("--locked", "--arch", "x86_64", "dhcpd"))


if __name__ == "__main__":
    unittest.main()
