# SPDX-License-Identifier: Apache-2.0
"""Nothing that is not signed, whole and fresh comes into an image: exit class 3, nothing left."""

import os
import shutil
import time
import unittest

from base import Case, Report, repo, run, server, world


class Signatures(Case):
    def setUp(self):
        super().setUp()
        self.make_repository(publish=False)
        self.write_manifest()
        self.use(self.write_source())

    def test_unsigned(self):
        self.repository.publish(self.key, sign="none")
        self.refuse(run.TRUST, "stable")

    def test_unsigned_is_fine_when_trusted_and_the_report_says_so(self):
        self.repository.publish(self.key, sign="none")
        self.use(self.write_source(trusted=True))
        self.build("--arch", "all", "--json", "served")
        for machine in ("x86_64", "aarch64"):
            self.assertEqual(len(Report(self.last.stdout).order("served", machine)["source"]["trusted"]), 1)

    def test_detached_signature_is_fine(self):
        self.repository.publish(self.key, sign="detached")
        self.build()

    def test_armoured_key_file_is_fine(self):
        self.repository.publish(self.key)
        self.use(self.write_source(keys=[self.key.armoured]))
        self.build()

    def test_a_damaged_key_file_is_named_and_does_not_spoil_the_others(self):
        self.repository.publish(self.key)
        with open(self.key.keyring, "rb") as stream:
            good = stream.read()
        damages = {"cut.gpg": good[:-9], "noise.gpg": b"\x99" + bytes(range(200)), "page.gpg": b"<html>", "empty.gpg": b"",
                   "long.gpg": good + b"\xc6\xff\xff\xff\xff\xff"}
        for name, data in damages.items():
            path = self.write(name, data)
            for keys in ([path, self.key.keyring], [self.key.keyring, path]):
                with self.subTest(keys=keys):
                    self.use(self.write_source(keys=keys))
                    self.build()
                    self.assertIn("passed over as keys: " + path, self.last.stderr)
        shutil.rmtree(self.factory.output)
        self.use(self.write_source(keys=[self.path(name) for name in damages]))
        self.refuse(run.TRUST, "no public key", *damages)

    def test_one_good_signature_of_two_is_fine(self):
        self.repository.publish(self.key)
        self.use(self.write_source(keys=[self.ring.get("other").keyring, self.key.keyring]))
        self.build()

    def test_detached_signature_over_other_bytes(self):
        self.repository.publish(self.key, sign="detached")
        name = self.repository.dists("Release")
        self.repository.write(name, self.repository.read(name) + b"Extra: yes\n")
        self.refuse(run.TRUST, "stable")

    def test_wrong_key_is_named(self):
        self.repository.publish(self.ring.get("other"))
        self.refuse(run.TRUST, "stable")

    def test_expired_key(self):
        key = self.ring.get("expired", created="20200101T000000", expires="1y", now="20200601T000000")
        self.repository.publish(key)
        self.use(self.write_source(keys=[key.keyring]))
        self.refuse(run.TRUST, "expired")

    def test_expired_signature(self):
        key = self.ring.get("old", created="20200101T000000", now="20200601T000000")
        self.repository.publish(key, sign_options=("--default-sig-expire", "1d", "--digest-algo", "SHA256"))
        self.use(self.write_source(keys=[key.keyring]))
        self.refuse(run.TRUST, "expired")

    def test_sha1_signature(self):
        key = self.ring.get("weak", algorithm="rsa2048")
        self.repository.publish(key, sign_options=("--digest-algo", "SHA1"))
        self.use(self.write_source(keys=[key.keyring]))
        self.refuse(run.TRUST, "stable")

    def alter(self, change):
        self.repository.publish(self.key)
        name = self.repository.dists("InRelease")
        self.repository.write(name, change(self.repository.read(name)))
        self.refuse(run.TRUST, "stable")

    def test_altered_body(self):
        self.alter(lambda text: text.replace(b"Origin: Kit", b"Origin: Kid"))

    def test_text_before_the_signed_block(self):
        self.alter(lambda text: b"Origin: Evil\n" + text)

    def test_text_after_the_signed_block(self):
        self.alter(lambda text: text + b"Origin: Evil\n")

    def test_two_signed_blocks(self):
        self.alter(lambda text: text + text)

    def test_text_between_body_and_signature(self):
        self.alter(lambda text: text.replace(b"-----BEGIN PGP SIGNATURE-----",
                                             b"Evil: yes\n-----BEGIN PGP SIGNATURE-----"))

    def test_cut_off_release(self):
        self.alter(lambda text: text[:len(text) // 2])

    def test_a_web_page_instead_of_a_release(self):
        self.alter(lambda text: b"<html>Please log in</html>\n")


class Freshness(Case):
    def setUp(self):
        super().setUp()
        self.make_repository(publish=False)
        self.write_manifest()
        self.use(self.write_source())

    def test_valid_until_is_past(self):
        self.repository.publish(self.key, date=time.time() - 86400, valid_until=time.time() - 3600)
        self.refuse(run.TRUST, "Valid-Until")

    def test_valid_until_to_come_is_fine(self):
        self.repository.publish(self.key, valid_until=time.time() + 86400)
        self.build()

    def test_date_far_ahead(self):
        self.repository.publish(self.key, date=time.time() + 7 * 86400)
        self.refuse(run.TRUST, "in the future")
        self.repository.publish(self.key)
        self.build()  # what was refused is no mark that keeps an honest Release out

    def test_older_than_last_time(self):
        self.repository.publish(self.key, date=-60)
        first = self.build()
        index = os.path.join(first.path, "index.json")
        with open(index, "rb") as stream:
            before = stream.read()
        self.repository.publish(self.key, date=-86400)
        result = self.run_factory("--arch", "all", "served")
        self.assertEqual(result.code, run.TRUST, result)
        self.assertIn("older than the last accepted", result.stderr)
        with open(index, "rb") as stream:
            self.assertEqual(stream.read(), before)

    def test_older_than_last_time_even_with_an_empty_cache(self):
        self.repository.publish(self.key, date=-60)
        self.build()
        self.factory.cache, self.factory.output = self.path("cache2"), self.path("out2")
        self.repository.publish(self.key, date=-86400)
        self.refuse(run.TRUST, "older than the last accepted")


class Suites(Case):
    """Another suite under the URL of the one that was asked for."""

    def setUp(self):
        super().setUp()
        self.make_repository(publish=False)
        self.write_manifest()
        self.use(self.write_source())

    def publish(self, date, suite="stable", codename="stable"):
        self.repository.publish(self.key, date=date, edit_release=lambda text: text.replace(
            "Suite: stable", f"Suite: {suite}").replace("Codename: stable", f"Codename: {codename}"))

    def swap_is_refused(self, *parts):
        result = self.run_factory("--arch", "x86_64", "served")
        self.assertEqual(result.code, run.TRUST, result)
        for part in parts:
            self.assertIn(part, result.stderr)

    def test_another_suite_after_an_honest_run_is_refused_and_does_not_keep_out_the_honest_mirror(self):
        self.publish(-3000)
        self.build("--arch", "x86_64", "served")
        self.publish(-1, "unstable", "sid")
        self.swap_is_refused('Codename was "stable" and is "sid"', "--accept-release-change", self.server.url)
        self.publish(-2000)
        self.build("--arch", "x86_64", "served")

    def test_a_changed_suite_with_the_same_codename_is_refused_too(self):
        self.publish(-3000, "testing", "stable")
        self.build("--arch", "x86_64", "served")
        self.publish(-2000, "stable", "stable")
        self.swap_is_refused('Suite was "testing" and is "stable"')
        self.build("--arch", "x86_64", "--accept-release-change", "served")
        self.build("--arch", "x86_64", "served")

    def test_another_suite_at_first_sight_is_refused_and_the_next_mirror_is_asked(self):
        self.publish(-1, "unstable", "sid")
        self.refuse(run.TRUST, 'the suite "stable" was asked for', "release-names")
        good = repo.Repository(self.path("good"), world.packages())
        good.publish(self.key, date=-3000)
        honest = server.Server(self.path("good")).start()
        self.addCleanup(honest.stop)
        self.use(self.write_source("two.yaml", uris=[self.server.url, honest.url]))
        self.build()
        self.assertIn("a mirror was passed over", self.last.stderr)

    def test_a_source_file_may_name_another_suite(self):
        self.publish(-1, "main", "ours")
        source = self.write_source()
        with open(source, "a", encoding="ascii") as stream:
            stream.write("release-names: ours\n")
        self.build()

    def test_first_use_is_told_once_in_one_line(self):
        self.publish(-60)
        self.build()
        self.assertEqual(self.last.stderr.count("first use of "), 1, self.last)
        self.build()
        self.assertNotIn("first use", self.last.stderr)


class Age(Case):
    def setUp(self):
        super().setUp()
        self.make_repository(publish=False)
        self.write_manifest()

    def use_with(self, more=""):
        source = self.write_source()
        with open(source, "a", encoding="ascii") as stream:
            stream.write(more)
        self.use(source)

    def test_an_old_release_is_told_by_the_kind_of_its_suite(self):
        for days, suite, is_told in ((119, "stable", False), (121, "stable", True), (13, "stable-security", False),
                                     (15, "stable-security", True)):
            with self.subTest(days=days, suite=suite):
                self.factory.state = self.path(f"state-{days}")
                self.use_with()
                self.repository.publish(self.key, date=-86400 * days - 60, edit_release=lambda text, suite=suite: text.replace(
                    "Suite: stable", f"Suite: {suite}"))
                self.build()
                self.assertEqual("this machine's clock" in self.last.stderr, is_told, self.last)
                self.assertEqual(f"{days} days old" in self.last.stderr, is_told, self.last)

    def test_max_age_is_an_error_and_takes_the_place_of_the_warning(self):
        self.repository.publish(self.key, date=-86400 * 200)
        self.use_with("max-age: 199\n")
        self.refuse(run.TRUST, "max-age in", "allows 199", "this machine's clock")
        self.use_with("max-age: 250\n")
        self.build()
        self.assertNotIn("days old", self.last.stderr)

    def test_valid_until_that_is_past_mentions_the_clock(self):
        self.use_with()
        self.repository.publish(self.key, date=time.time() - 86400, valid_until=time.time() - 3600)
        self.refuse(run.TRUST, "this machine's clock")


class TheChain(Case):
    def setUp(self):
        super().setUp()
        self.ready(endings=(".gz",))
        self.index = self.repository.dists("main/binary-amd64/Packages.gz")
        self.deb = self.repository.pool_name(self.repository.package("libfoo1", "amd64"))

    def damage(self, name, change):
        self.repository.write(name, change(self.repository.read(name)))

    def test_index_with_a_wrong_hash(self):
        """Below a name it may be the next generation's (test_sync.py), below its own digest it is a lie."""
        self.damage(self.index, lambda data: data[:-1] + bytes([data[-1] ^ 1]))
        self.refuse(run.NETWORK, "Packages.gz", "sha256", "in the middle of an update")
        self.repository.publish(self.key, by_hash=True)
        self.server.fault("*/by-hash/*", body=b"x")
        self.server.fault("*/Packages*", status=404)
        self.refuse(run.TRUST, "by-hash", "expected")

    def test_index_that_is_truncated(self):
        self.damage(self.index, lambda data: data[:-10])
        self.refuse(run.NETWORK, "Packages.gz")

    def test_index_that_is_longer(self):
        self.damage(self.index, lambda data: data + b"x")
        self.refuse(run.NETWORK, "Packages.gz")

    def test_package_with_a_wrong_hash(self):
        self.damage(self.deb, lambda data: data[:-1] + bytes([data[-1] ^ 1]))
        self.refuse(run.TRUST, "libfoo1", "sha256")

    def test_package_that_is_truncated(self):
        self.damage(self.deb, lambda data: data[:-10])
        self.refuse(run.TRUST, "libfoo1")

    def test_package_that_is_longer(self):
        self.damage(self.deb, lambda data: data + b"x")
        self.refuse(run.TRUST, "libfoo1")

    def test_package_that_never_ends(self):
        self.server.fault("*libfoo1*", endless=True)
        result = self.refuse(run.TRUST, "libfoo1", timeout=60)
        self.assertLess(self.server.endless_bytes, 64 << 20, result)

    def test_contents_with_a_wrong_hash(self):
        """Nothing of it is believed; a package that is called like the binary is taken without, and that is said."""
        self.damage(self.repository.dists("main/Contents-amd64.gz"), lambda data: data[:-1] + bytes([data[-1] ^ 1]))
        result = self.run_factory("--arch", "x86_64", "--quiet", "served")
        self.assertEqual(result.code, run.OK, result)
        self.assertRegex(result.stderr, "warning: /usr/sbin/served is taken from served .named like the .*Contents-amd64.gz")
        self.write_manifest("found", "name: found\nbinaries: [/usr/sbin/served]\npackages: {never: [served]}\n")
        self.assertEqual(self.run_factory("--arch", "x86_64", "found").code, run.NETWORK)
        self.assertNotIn("found", os.listdir(self.factory.output))

    def test_package_without_sha256_in_the_index(self):
        self.repository.publish(self.key, edit_stanza=lambda package, stanza: "".join(
            line for line in stanza.splitlines(True) if package.name != "libfoo1" or not line.startswith("SHA256")))
        result = self.run_factory("--arch", "all", "served")
        self.assertIn(result.code, (run.TRUST, run.MALFORMED, run.RESOLVE), result)
        self.assertIn("libfoo1", result.stderr)
        self.assert_nothing_left(result)

    def test_another_package_under_a_trusted_name(self):
        """The control file inside must say what the index says (the index lists the hash of another package's file)."""
        other = self.repository.package("libbar2", "amd64")

        def edit(package, stanza):
            if package.name != "libfoo1" or package.arch != "amd64":
                return stanza
            data = other.build()
            kept = [line for line in stanza.splitlines(True) if not line.startswith(("Filename", "Size", "SHA256"))]
            return "".join(kept) + (f"Filename: {self.repository.pool_name(other)}\nSize: {len(data)}\n"
                                    f"SHA256: {repo.sha256(data)}\n")
        self.repository.publish(self.key, edit_stanza=edit)
        self.refuse(run.TRUST, "libfoo1", "libbar2")

    def test_second_mirror_is_used_when_the_first_lies(self):
        good = server.Server(self.repository.root).start()
        self.addCleanup(good.stop)
        data = bytearray(self.repository.read(self.deb))
        data[-1] ^= 1
        self.server.fault("*libfoo1*amd64*", body=bytes(data))
        self.use(self.write_source("two.yaml", uris=[self.server.url, good.url]))
        self.build()
        self.assertIn(world.SERVED, self.build().images["latest"]["amd64"])
        self.assertGreater(good.asked("*libfoo1*"), 0)


if __name__ == "__main__":
    unittest.main()
