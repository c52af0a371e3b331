# SPDX-License-Identifier: Apache-2.0
"""Locks that say what is not so, and locks whose signed indices are gone: nothing is taken that nothing vouches for."""

import hashlib
import json
import os
import re
import shutil
import unittest

from base import Case, deb, image, run, world
from lock_case import FAR, LOCK, SUM, LockCase, reseal


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

    def by_name(self, word, name="served"):
        """Locks the image of a name, and builds it when the index is gone."""
        self.repository.packages = world.packages() + [
            deb.Package("served-all", arch=name, version="4.4.1-2+deb12u1", Source="served", Depends="served",
                        files=[deb.File("/usr/share/doc/served-all/x", "x")]) for name in ("amd64", "arm64")]
        for package, arch in (("twin", "amd64"), ("twin", "arm64"), ("twin-big", "amd64"), ("twin-big", "arm64")):
            made = world.executable(world.MACHINES[arch], ["libc.so.6"])
            self.repository.packages.append(deb.Package(package, arch=arch, Depends="libc6", files=[deb.program("/usr/sbin/twin", made)]))
        self.repository.publish(None, sign="none", date=FAR)
        self.elsewhere("then-" + word.replace("/", "-"))
        before = self.build("--arch", "all", word, name=name).tags["latest"]
        self.lock("--update", names=(word,))
        self.moved()
        self.elsewhere("now-" + word.replace("/", "-"))
        return before, self.run_factory("--locked", "--arch", "all", word)

    def test_what_a_name_meant_is_found_in_the_packages_alone(self):
        """Others ship the program, too: the manifest of then names the package. That these are not there now changes nothing."""
        for word, name in (("package:served", "served"), ("/usr/sbin/served", "served"), ("twin", "twin")):
            with self.subTest(word=word):
                before, result = self.by_name(word, name)
                self.assertEqual(result.code, run.OK, result)
                self.assertIn("(trusted: true)", result.stderr)
                self.assertEqual(image.Layout(os.path.join(self.factory.output, name)).tags["latest"], before)
                good = self.text()
                for old, new in ((" is the ", " is no "), ("of the package served", "of the package served-big"),
                                 ("is the package twin, whose program is", "is the command twin, whose program is")):
                    if old in good:
                        self.put(reseal(good.replace(old, new)))
                        self.elsewhere(f"changed-{len(old)}" + word.replace("/", "-"))
                        self.refuse(run.TRUST, LOCK, arguments=("--locked", "--arch", "all", word))
                os.unlink(self.lock_path)

    def test_what_a_name_meant_is_gone_with_a_package_that_gave_no_file(self):
        _, result = self.by_name("served-all")
        self.assertEqual(result.code, run.NETWORK, result)
        self.assertIn("served-all is the package served-all, whose program is /usr/sbin/served of the package served", result.stderr)
        self.assertIn("imgfactory new", result.stderr)

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


class Flat(Case):
    """The same of a flat repository that is trusted, which is often nothing but packages and what dpkg-scanpackages says of them."""

    def publish(self, version, release):
        """One Packages for all architectures. The files of other versions stay."""
        folder, text = self.path("flat"), b""
        os.makedirs(folder, exist_ok=True)
        for package in world.packages():
            if package.name == "libfoo1":
                package.version = version
            data = package.build()
            self.write(f"flat/{package.file_name}", data)
            text += (package.control() + f"Filename: ./{package.file_name}\nSize: {len(data)}\n"
                     f"SHA256: {hashlib.sha256(data).hexdigest()}\n\n").encode()
        self.write("flat/Packages", text)
        if release:
            self.write("flat/Release", f"Date: {release}\nSHA256:\n {hashlib.sha256(text).hexdigest()} {len(text)} Packages\n")

    def test_a_flat_repository_is_built_from_its_lock_when_its_index_is_gone(self):
        dates = ("Mon, 02 Nov 2026 08:00:00 UTC", "Tue, 03 Nov 2026 08:00:00 UTC"), (None, None)
        for number, (first, second) in enumerate(dates):
            with self.subTest(release=first):
                if os.path.exists(self.path("flat")):
                    shutil.rmtree(self.path("flat"))
                self.publish("1:1.2-3", first)
                self.write_manifest()
                self.factory = run.Factory(self.path(f"first-{number}"))
                self.use(self.write("source.yaml", f"kind: deb\nuris: [file://{self.path('flat')}]\nsuites: ./\ntrusted: true\n"))
                self.factory.options += ["--lock-file", self.path(f"{number}.lock")]
                before = self.build("--arch", "all", "served").tags["latest"]
                self.assertEqual(self.run_factory("lock", "--arch", "all", "served").code, run.OK)
                self.publish("1:9.9", second)
                options = self.factory.options
                self.factory = run.Factory(self.path(f"other-{number}"))
                self.factory.options = options
                self.assertEqual(self.build("--locked", "--arch", "all", "served").tags["latest"], before)
                self.assertIn("(trusted: true)", self.last.stderr)


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
            self.refuse(run.TRUST, "no lock file", arguments=("--locked", "--arch", "all", "served"))


class Several(LockCase):
    """One lock of several images holds for all of them, or for none."""

    def setUp(self):
        super().setUp()
        self.write_manifest("alone", "name: alone\nbinaries: [/usr/bin/alone]\n")
        for name in ("amd64", "arm64"):
            made = world.executable(world.MACHINES[name], ["libc.so.6"])
            self.repository.packages.append(deb.Package("alone", arch=name, Depends="libc6", files=[deb.program("/usr/bin/alone", made)]))
        self.repository.publish(self.key, date=FAR)
        self.good = self.lock("--update", names=("served", "alone"))

    def changed(self, line):
        """The lock with one character of that line's first digest, version or URL changed."""
        for old, new in ((r'"(?=,"url")', 'x"'), (r'"sha256:', '"sha25x:'), (r'"version":"', '"version":"9'),
                         (r'"url":"', '"url":"x'), (r'"manifest":"sha256:.{8}', '"manifest":"sha256:00000000'),
                         (r'"image":"alone"', '"image":"other"')):
            other = re.sub(old, new, line, count=1)
            if other != line:
                yield self.good.replace(line, other, 1)

    def test_a_change_in_what_one_image_takes_lets_none_out(self):
        lines = [line for line in self.good.splitlines()
                 if '"aarch64"' in line and ('"image":"alone"' in line or '"images":["alone"]' in line and '"name"' in line)]
        self.assertTrue(lines)
        for line in lines:
            for text in self.changed(line):
                self.put(reseal(text))
                self.refuse(run.TRUST, arguments=("--locked", "--arch", "all", "served", "alone"))

    def test_what_is_not_there_for_one_image_stops_no_other(self):
        for file in os.listdir(self.path("repo/pool/main/alone")):
            os.unlink(self.path(f"repo/pool/main/alone/{file}"))
        self.options = self.factory.options
        self.elsewhere()
        result = self.run_factory("--locked", "--arch", "all", "served", "alone")
        self.assertEqual(result.code, run.PARTLY, result)
        self.assertEqual(os.listdir(self.factory.output), ["served"])

    def test_what_stands_on_an_image_that_cannot_be_written_does_not_go_out(self):
        self.write_manifest("child", "name: child\nbase: manifest:served\nbinaries: [/usr/bin/alone]\n")
        names = ("served", "alone", "child")
        self.lock("--update", names=names)
        self.write("out/served", "in its way\n")
        result = self.run_factory("--locked", "--arch", "all", *names)
        self.assertEqual(result.code, run.PARTLY, result)
        self.assertIn("image child: its base failed", result.stderr)
        self.assertEqual(sorted(os.listdir(self.factory.output)), ["alone", "served"])

    def test_a_lock_of_several_images_gives_what_a_build_gives(self):
        before = self.build("--arch", "all", "served", "alone").tags["latest"]
        self.options = self.factory.options
        self.elsewhere()
        result = self.run_factory("--locked", "--arch", "all", "--output", self.path("good"), "served", "alone")
        self.assertEqual(result.code, run.OK, result)
        self.assertEqual(sorted(os.listdir(self.path("good"))), ["alone", "served"])
        self.assertEqual(image.Layout(self.path("good/served")).tags["latest"], before)


if __name__ == "__main__":
    unittest.main()
