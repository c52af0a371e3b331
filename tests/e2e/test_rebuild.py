# SPDX-License-Identifier: Apache-2.0
"""`imgfactory verify --rebuild`: an image is made again out of what its lock names, and is the same, or the first difference is named."""

import gzip
import hashlib
import json
import os
import shutil
import unittest

from base import run, world
from kit.schema import REPORT as SCHEMA
from lock_case import reseal
from test_attest import AttestCase


class RebuildCase(AttestCase):
    def setUp(self):
        super().setUp()
        self.ours = self.new_key("k")
        self.env["TMPDIR"] = self.path("tmp")
        os.mkdir(self.env["TMPDIR"])

    def attested(self, *options):
        self.attest("--attest", "sbom,provenance", "--sign", self.ours, *options)

    def again(self, *options, what=None, code=run.OK, key=True, source="source.yaml", manifests="manifests"):
        options = ("--json", "--rebuild", "--tls-verify=false", *options)
        options = (*options, "--manifests", self.path(manifests)) if manifests else options
        options = (*options, "--source", self.path(source)) if source else options
        options = (*options, "--key", self.ours.replace(".key", ".pub")) if key else options
        result = self.call("verify", *options, what or f"{self.reference}:v1", retries=0)
        self.assertEqual(result.code, code, result)
        self.assertEqual(os.listdir(self.env["TMPDIR"]), [], "the folder of the build is left")
        result.json = json.loads(result.stdout) if result.stdout else None
        if result.json:
            self.assertEqual(SCHEMA.faults(result.json, "verify"), [])
            self.assertEqual(result.json["exit"], code)
        return result

    def elsewhere(self):
        """Another account: its own cache and state, both empty."""
        shutil.rmtree(self.factory.cache)
        shutil.rmtree(self.factory.state)

    def forget(self, package):
        """The mirror has no longer what is of a package, nor the index that named it."""
        self.repository.packages = [one for one in world.packages() if one.name != package]
        for one in world.packages():
            if one.name == package:
                self.repository.remove(self.repository.pool_name(one))


class Rebuilds(RebuildCase):
    def test_an_image_of_a_registry_is_made_again_by_the_lock_in_its_provenance(self):
        self.attested()
        self.elsewhere()
        result = self.again()
        self.assertEqual(result.json["rebuild"], {"verdict": "identical", "lock": "the lock in its provenance", "architectures": ["x86_64", "aarch64"],
                                                  "differences": []})
        shown = self.call("verify", "--rebuild", "--tls-verify=false", "--manifests", self.path("manifests"), "--source", self.path("source.yaml"),
                          f"{self.reference}:v1").stdout
        self.assertIn("made again: served for x86_64, aarch64, by the lock in its provenance: the very same", shown)

    def test_a_layout_is_made_again_by_its_bills_whatever_is_newer(self):
        self.repository.packages = world.packages()
        for package in self.repository.packages:
            package.version = "9.9" if package.name == "libbar2" else package.version
        self.repository.publish(self.key)
        self.elsewhere()
        result = self.again(what=self.layout, key=False)
        self.assertEqual(result.json["rebuild"]["verdict"], "identical")
        self.assertEqual(result.json["rebuild"]["lock"], "its bills")
        self.assertIn("--lock-vouches", result.stderr)

    def test_options_of_then_are_taken_again(self):
        shutil.rmtree(self.layout)
        self.build("--arch", "all", "--compression", "zstd", "--no-check", "served", env={"SOURCE_DATE_EPOCH": "1700000000"})
        self.assertEqual(self.again(what=self.layout, key=False).json["rebuild"]["verdict"], "identical")

    def test_a_site_with_a_status_record_is_named_by_the_index_again(self):
        site = self.write("site.yaml", "status: 127.0.0.1:1/ns/status\n")
        self.build("--config", site, "--no-push", "--arch", "all", "served")
        result = self.again(what=self.layout, key=False)
        self.assertNotEqual(result.json["digest"], self.index, "the index says nothing of the record")
        self.assertEqual(result.json["rebuild"]["verdict"], "identical")

    def test_packages_that_are_gone_are_named_with_what_to_do(self):
        self.attested()
        self.forget("libbar2")
        self.elsewhere()
        result = self.again(code=run.NETWORK)
        for words in ("served cannot be made again by the lock in its provenance", "libbar2 2.0", "snapshot:"):
            self.assertIn(words, result.stderr)
        self.assertEqual(result.json["rebuild"]["verdict"], "failed")

    def test_a_folder_of_lock_vendor_has_them_still(self):
        self.attested()
        lock = self.run_factory("lock", "--arch", "all", "--lock-file", self.path("imgfactory.lock"), "--vendor", self.path("vendor"), "served")
        self.assertEqual(lock.code, run.OK, lock)
        self.forget("libbar2")
        self.elsewhere()
        self.assertEqual(self.again("--vendor", self.path("vendor")).json["rebuild"]["verdict"], "identical")

    def test_another_manifest_is_told(self):
        self.attested()
        self.write_manifest(text=world.MANIFEST + "\n# other bytes\n")
        self.assertIn("served for aarch64: manifest sha256:", self.again(code=run.TRUST).stderr)

    def test_an_image_of_a_name_is_made_of_that_name_again(self):
        for word in ("served-big", "package:served-big", "/usr/sbin/served"):
            self.build("--arch", "all", word)
            result = self.again(what=self.layout, key=False)
            self.assertEqual((result.json["rebuild"]["verdict"], f"{word} is the " in result.stderr), ("identical", True))

    def test_an_image_of_a_manifest_of_ones_own_is_made_again_by_its_file(self):
        os.mkdir(self.path("mine"))
        shutil.move(self.path("manifests/served.yaml"), self.path("mine/own.yaml"))
        self.refused(run.USAGE, self.again(what=self.layout, key=False, code=run.USAGE), "has no manifest served.yaml", "--manifests names")
        shutil.rmtree(self.layout)
        at = self.factory.options.index("--manifests")
        del self.factory.options[at:at + 2]  # recipes as installed, as for `imgfactory ./own.yaml`
        self.build("--arch", "all", self.path("mine/own.yaml"))
        self.assertEqual(self.again(what=self.layout, key=False, manifests="mine/own.yaml").json["rebuild"]["verdict"], "identical")
        os.rename(self.path("mine/own.yaml"), self.path("mine/served.yaml"))
        result = self.again(what=self.layout, key=False, manifests="mine", code=run.TRUST)
        for words in ("recipes: sha256:", "or the manifest's file"):
            self.assertIn(words, result.stderr)

    def test_an_image_on_another_of_its_run_wants_the_lock_of_both(self):
        self.write_manifest("above", text="base: manifest:served\npackages:\n  install: [libbar2]\n")
        self.build("--arch", "all", "above")
        self.layout = os.path.join(self.factory.output, "above")
        self.attested()
        self.refused(run.RESOLVE, self.again(code=run.RESOLVE), "above stands on the image served", "--lock-file FILE")
        self.refused(run.RESOLVE, self.again(what=self.layout, key=False, code=run.RESOLVE), "above stands on the image served")
        lock = self.run_factory("lock", "--arch", "all", "--lock-file", self.path("both.lock"), "above")
        self.assertEqual(lock.code, run.OK, lock)
        self.assertEqual(self.again("--lock-file", self.path("both.lock")).json["rebuild"]["verdict"], "identical")

    def test_without_a_lock_it_says_so(self):
        self.attest("--attest", "sbom", "--sign", self.ours)
        self.refused(run.RESOLVE, self.again(code=run.RESOLVE), "nothing says what .* was made of", "--attest provenance")


class Locks(RebuildCase):
    """Without --rebuild: the lock, against the signed metadata that it names."""

    def verify(self, *options, what=None, code=run.OK, source="source.yaml", env=None):
        options = ("--json", "--tls-verify=false", *options)
        options = (*options, "--source", self.path(source)) if source else options
        result = self.call("verify", *options, what or f"{self.reference}:v1", retries=0, env=env)
        self.assertEqual(result.code, code, result)
        self.assertEqual(os.listdir(self.env["TMPDIR"]), [], "the folder that it worked in is left")
        result.json = json.loads(result.stdout)
        self.assertEqual(SCHEMA.faults(result.json, "verify"), [])
        self.assertEqual(result.json["exit"], code)
        result.lock = result.json["lock"]
        return result

    def unverified(self, words, *options, **settings):
        result = self.verify(*options, **settings)
        self.assertEqual((result.lock["good"], result.lock["why"]), (False, None), result)
        self.assertRegex(" | ".join(result.json["unverified"]), words)
        self.assertRegex(result.json["not_verified"], words)

    def lock(self, *options):
        lock = self.run_factory("lock", "--arch", "all", "--lock-file", self.path("imgfactory.lock"), *options, "served")
        self.assertEqual(lock.code, run.OK, lock)
        with open(self.path("imgfactory.lock"), encoding="utf-8") as stream:
            return stream.read()

    def newer(self):
        """The mirror goes on, and forgets the generation of then."""
        self.repository.packages = world.packages()
        for package in self.repository.packages:
            package.version = "9.9" if package.name == "libbar2" else package.version
        self.repository.publish(self.key, date=3600)
        self.elsewhere()

    def test_each_package_stands_in_an_index_that_a_signed_file_lists(self):
        self.attested()
        self.elsewhere()
        lock = self.verify().lock
        self.assertEqual((lock["good"], lock["from"], lock["why"]), (True, "the lock in its provenance", None))
        self.assertRegex(lock["repositories"][0], r"^.* \(20.* UTC\), signed by [0-9A-F]{40}$")
        self.assertGreater(lock["packages"], 4)
        self.assertEqual(self.verify(what=self.layout).lock, {**lock, "from": "its bills"})
        shown = self.call("verify", "--tls-verify=false", "--source", self.path("source.yaml"), f"{self.reference}:v1").stdout
        self.assertIn(f"verified: the lock in its provenance, against signed indices: {lock['packages']} packages\n  ", shown)

    def test_what_cannot_be_had_here_is_told_and_no_lie(self):
        self.attested()
        for what in (None, self.layout):
            self.unverified("nobody that is known says what it names", what=what, source=None)
        self.unverified("its provenance against the signed indices that it names: .*key", "--key", self.ours.replace(".key", ".pub"), source=None)  # that signed it then is none of this machine's
        self.unverified("cannot make a directory", env={"TMPDIR": self.path("nowhere")})
        self.write("another.yaml", "kind: deb\nuris: [http://127.0.0.1:9/]\nsuites: [stable]\ncomponents: [main]\nkeys: [" + self.key.keyring + "]\n")
        self.unverified("none of its 1 repositories", source="another.yaml")
        for folder, _, files in os.walk(self.path("repo/dists")):
            for name in files:
                if "Release" not in name:
                    self.write(os.path.relpath(os.path.join(folder, name), self.top), "<!DOCTYPE html><html><body>Log in first</body></html>\n")
        self.elsewhere()
        self.unverified("an HTML page came instead")
        self.newer()
        self.unverified("its provenance against the signed indices that it names: ")
        self.assertIn("not verified: the lock in its provenance against", self.call("verify", "--tls-verify=false", f"{self.reference}:v1").stdout)

    def test_a_vendor_folder_has_the_indices_still_also_when_it_was_carried(self):
        self.attested()
        self.lock("--vendor", self.path("vendor"))
        carried = self.call("copy", "--tls-verify=false", "--to-dir", self.path("stick"), "--vendor", self.path("vendor"), f"{self.reference}:v1")
        self.assertEqual(carried.code, run.OK, carried)
        self.newer()
        self.assertTrue(self.verify("--vendor", self.path("vendor")).lock["good"])
        self.elsewhere()
        self.assertTrue(self.verify("--lock-file", self.path("imgfactory.lock"), what=f"{self.path('stick')}:{self.reference}:v1").lock["good"])

    def test_a_lock_that_says_what_no_signed_index_lists_is_refused(self):
        text = self.lock()
        package = next(one for one in json.loads(text)["packages"] if one["name"] == "libbar2")
        index = json.loads(text)["indices"][0]
        generation = json.loads(text)["sources"][0]
        for was, now, words in ((package["digest"], "sha256:" + "a" * 64, f"package libbar2 {package['version']} for x86_64 is in none of the indices"),
                                (f'"{package["version"]}"', '"2.0~evil"', "package libbar2 2.0~evil"),
                                (index["checksum"], "sha256:" + "b" * 64, index["path"]),
                                (generation["digest"], "sha256:" + "c" * 64, "imgfactory.lock")):
            with self.subTest(words):
                self.write("imgfactory.lock", reseal(text.replace(was, now)))
                result = self.verify("--lock-file", self.path("imgfactory.lock"), what=self.layout, code=run.TRUST)
                self.assertIn(words, result.lock["why"])
                self.assertIn("against signed indices", result.stderr)
        shown = self.call("verify", "--lock-file", self.path("imgfactory.lock"), "--source", self.path("source.yaml"), self.layout)
        self.assertIn("REFUSED: ", shown.stdout)

    def test_metadata_without_a_signature_are_called_that(self):
        self.write_source(trusted=True)
        shutil.rmtree(self.layout)
        self.build()
        self.unverified("metadata of .*, which have no signature", what=self.layout)
        self.assertIn("agrees, unsigned: its bills", self.call("verify", "--source", self.path("source.yaml"), self.layout).stdout)


class Differences(RebuildCase):
    """Layouts that somebody else made: the layers of ours, packed otherwise or with other files."""

    def setUp(self):
        super().setUp()
        self.lock_path = self.path("imgfactory.lock")
        result = self.run_factory("lock", "--arch", "all", "--lock-file", self.lock_path, "served")
        self.assertEqual(result.code, run.OK, result)

    def blob(self, digest, content=None):
        path = os.path.join(self.layout, "blobs", *digest.split(":"))
        if content is not None:
            with open(path, "wb") as stream:
                stream.write(content)
        with open(path, "rb") as stream:
            return stream.read()

    def keep(self, descriptor, document):
        """Another document in place of one: its descriptor."""
        content = document if isinstance(document, bytes) else json.dumps(document).encode()
        digest = "sha256:" + hashlib.sha256(content).hexdigest()
        self.blob(digest, content)
        return {**descriptor, "digest": digest, "size": len(content)}

    def remake(self, change=lambda tar: tar):
        """Packs the layers of all platforms anew, by another encoder, with `change` of the tar; all documents follow."""
        with open(os.path.join(self.layout, "index.json"), encoding="utf-8") as stream:
            top = json.load(stream)
        index = json.loads(self.blob(self.index))
        for at, child in enumerate(index["manifests"]):
            manifest = json.loads(self.blob(child["digest"]))
            config = json.loads(self.blob(manifest["config"]["digest"]))
            tar = change(gzip.decompress(self.blob(manifest["layers"][0]["digest"])))
            manifest["layers"][0] = self.keep(manifest["layers"][0], gzip.compress(tar, 1, mtime=0))
            if config["rootfs"]["diff_ids"][0] != "sha256:" + hashlib.sha256(tar).hexdigest():
                config["rootfs"]["diff_ids"] = ["sha256:" + hashlib.sha256(tar).hexdigest()]
                manifest["config"] = self.keep(manifest["config"], config)
            index["manifests"][at] = self.keep(child, manifest)
        top["manifests"] = [{**top["manifests"][0], **self.keep(top["manifests"][0], index)}]
        with open(os.path.join(self.layout, "index.json"), "w", encoding="utf-8") as stream:
            json.dump(top, stream)
        shutil.rmtree(os.path.join(self.layout, "imgfactory"))

    def test_a_file_that_is_not_of_its_package_is_named(self):
        self.remake(lambda tar: tar.replace(b"ELF", b"EFL", 1))
        result = self.again("--lock-file", self.lock_path, what=self.layout, key=False, code=run.TRUST)
        self.refused(run.TRUST, result, "made again, it is not the same: linux/amd64: layers differ: /\\S+ of \\S+ \\S+: it is sha256:")
        self.assertEqual((result.json["rebuild"]["verdict"], len(result.json["rebuild"]["differences"])), ("different", 2))

    def test_another_compression_is_the_same_content_and_never_equal(self):
        self.remake()
        result = self.again("--lock-file", self.lock_path, what=self.layout, key=False)
        self.assertEqual(result.json["rebuild"]["verdict"], "same-content")
        self.assertIn("same content, other compression", result.json["rebuild"]["differences"][0])

    def test_a_changed_lock_is_refused(self):
        with open(self.lock_path, "r+", encoding="utf-8") as stream:
            text = stream.read()
            stream.seek(0)
            stream.write(text.replace('"size":', '"size":1', 1))
        self.refused(run.TRUST, self.again("--lock-file", self.lock_path, what=self.layout, key=False, code=run.TRUST), "imgfactory.lock")


class Results(RebuildCase):
    def quorum(self, number, *keys, code=run.OK):
        options = [word for key in keys for word in ("--rebuilder", key.replace(".key", ".pub"))]
        result = self.call("verify", "--json", "--tls-verify=false", "--key", self.ours.replace(".key", ".pub"), "--quorum", str(number), *options,
                           f"{self.reference}:v1")
        self.assertEqual(result.code, code, result)
        result.json = json.loads(result.stdout)
        self.assertEqual(SCHEMA.faults(result.json, "verify"), [])
        return result

    def test_results_of_several_keys_make_a_quorum_and_each_key_counts_once(self):
        self.attested()
        rebuilders = [self.new_key("first"), self.new_key("second", "--type", "p256")]
        for number, key in enumerate(rebuilders):
            self.refused(run.TRUST, self.quorum(number + 1, *rebuilders, code=run.TRUST), f"{number} of the {number + 1} results")
            told = self.again("--publish-result", "--sign", key, "--builder", f"https://rebuilder-{number}.example.org/").json
            self.assertEqual(told["rebuild"]["published"], 3)
        self.assertEqual(self.again("--publish-result", "--sign", rebuilders[0], "--builder", "https://rebuilder-0.example.org/").json["rebuild"]["published"], 0)
        self.assertEqual(self.quorum(2, *rebuilders).json["quorum"], {"wanted": 2, "results": 2})
        self.quorum(2, rebuilders[0], rebuilders[0], code=run.TRUST)
        self.quorum(1, self.new_key("third"), code=run.TRUST)
        self.quorum(1, code=run.TRUST)  # who signs images has not made this one again
        self.again("--publish-result", "--sign", self.ours)
        self.quorum(2, rebuilders[0], self.ours)  # unless it is named for that, too
        self.quorum(3, *rebuilders, self.ours)
        statements = [one for one in self.bundles(self.index) if "svr" in one[0]["predicateType"]]
        for (statement, signed, signature), key in zip(statements, rebuilders):
            self.assertTrue(self.is_by(key, signed, signature))
            self.assertEqual({"sha256:" + one["digest"]["sha256"] for one in statement["subject"]}, {self.index, *self.children})
            self.assertEqual(statement["predicate"]["properties"], ["IMGFACTORY_REBUILT_IDENTICAL"])

    def test_who_makes_images_again_cannot_sign_them(self):
        self.attest("--attest", "sbom", "--sign", self.new_key("other"))
        result = self.call("verify", "--tls-verify=false", "--key", self.ours.replace(".key", ".pub"), "--rebuilder", self.path("other.pub"),
                           f"{self.reference}:v1")
        self.refused(run.TRUST, result, "is a signature of it by the key")

    def test_options_that_do_not_go_together(self):
        for options, words in ((("--publish-result",), "is for --rebuild"), (("--rebuild", "--publish-result"), "wants a key to sign with"),
                               (("--quorum", "1"), "--rebuilder"), (("--vendor", "x"), "is no directory")):
            self.refused(run.USAGE, self.call("verify", *options, self.layout), words)
        self.refused(run.USAGE, self.call("verify", "--rebuild", "--publish-result", "--sign", self.ours, self.layout), "lies on this machine")


if __name__ == "__main__":
    unittest.main()
