"""Lock files: `imgfactory lock` writes down what is taken, --locked takes exactly that, and nothing that nothing vouches for."""

import hashlib
import json
import os
import re
import shutil
import time
import unittest

from base import Case, run, world

LOCK = "imgfactory.lock"
SUM = re.compile(r'"sum":"sha256:[0-9a-f]{64}"\n}\n\Z')
FAR = time.time() - 40 * 86400  # the Date of the locked generation: long ago, so that a later one is not from the future


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

    def test_what_is_not_in_the_lock_is_not_built(self):
        self.refuse(run.USAGE, "imgfactory lock", arguments=("--locked", "served"))
        self.lock("--arch", "x86_64")
        self.refuse(run.TRUST, "served for aarch64", arguments=("--locked", "--arch", "all", "served"))
        self.write_manifest(text=world.MANIFEST.replace("description: ", "description: Not "))
        self.refuse(run.TRUST, "manifest sha256:", arguments=("--locked", "--arch", "x86_64", "served"))


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
                self.refuse(run.TRUST, LOCK, arguments=("--locked", "--arch", "all", "served"))
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

    def test_what_is_no_lock_is_refused(self):
        for text in ("", "{}", "[" * 100000, self.good[:-1], self.good[:200], "\0" + self.good[1:]):
            self.put(text)
            self.refuse(run.TRUST, arguments=("--locked", "--arch", "all", "served"))
        for text in ('{\n', '{"imgfactory_lock":1,', self.good.replace('"data":[', '"more":1,\n"data":[')):
            self.put(reseal(text + ('' if SUM.search(text) else '"sum":"sha256:' + "0" * 64 + '"\n}\n')))
            self.refuse(run.MALFORMED, "no lock file", arguments=("--locked", "--arch", "all", "served"))


if __name__ == "__main__":
    unittest.main()
