# SPDX-License-Identifier: Apache-2.0
"""Mirrors that lag, lie or answer oddly: one good mirror is enough, a bad answer is never taken, and nothing is left."""

import shutil
import unittest

from base import Case, run, server, world

PAGE = b"<!DOCTYPE html><html><title>Please log in</title></html>\n"


class TwoMirrors(Case):
    """`self.first` is asked first and has an older generation than `self.second`."""

    def setUp(self):
        super().setUp()
        self.make_repository(publish=False)
        self.repository.publish(self.key, date=-3000)
        self.first = self.server
        shutil.copytree(self.repository.root, self.path("second"))
        self.repository.root = self.path("second")
        self.repository.packages = [package for package in self.repository.packages if package.name != "served"]
        self.repository.packages += [world.served(world.MACHINES[arch], version="4.5-1") for arch in ("amd64", "arm64")]
        self.repository.publish(self.key, date=-100)
        self.second = server.Server(self.path("second")).start()
        self.addCleanup(self.second.stop)
        self.write_manifest()
        self.use(self.write_source(uris=[self.first.url, self.second.url]))

    def test_generations_are_not_mixed(self):
        self.assertIn("4.4.1", self.build().tags)
        self.assertEqual(self.second.asked("*"), 0)

    def test_one_that_lags_behind_the_last_run_is_passed_over(self):
        self.first.fault("*", status=503)
        self.assertIn("4.5", self.build().tags)
        self.first.heal()
        self.assertIn("4.5", self.build("--arch", "all", "--rebuild", "served").tags)
        self.assertIn("passed over", self.last.stderr)
        self.assertIn("older than the last accepted", self.last.stderr)

    def test_one_that_lies_about_the_release_is_passed_over(self):
        for number, fault in enumerate(({"body": PAGE}, {"body": b""}, {"extra": b"evil\n"}, {"endless": True},
                                        {"headers": {"Content-Encoding": "gzip"}}, {"redirect": "ftp://127.0.0.1/x"})):
            with self.subTest(fault):
                self.factory.cache, self.factory.state = self.path(f"cache{number}"), self.path(f"state{number}")
                self.first.heal()
                self.first.fault("*/InRelease", **fault)
                self.assertIn("4.5", self.build().tags)

    def test_both_bad_tells_the_gravest(self):
        self.first.fault("*/InRelease", body=PAGE)
        self.second.fault("*", status=503)
        self.refuse(run.TRUST, self.first.url)

    def test_a_lagging_one_alone_is_refused(self):
        self.first.fault("*", status=503)
        self.build()
        self.first.heal()
        self.second.fault("*", status=503)
        self.factory.output = self.path("out2")
        self.refuse(run.TRUST, "older than the last accepted", self.first.url)


class OddAnswers(Case):
    def setUp(self):
        super().setUp()
        self.ready(endings=(".gz",))

    def test_for_a_package(self):
        cases = [
            (run.TRUST, {"body": PAGE}, "HTML"),
            (run.TRUST, {"body": b""}, "got 0"),
            (run.TRUST, {"headers": {"Content-Length": "100"}}, "got 100"),
            (run.NETWORK, {"headers": {"Content-Length": "-5"}}, "Content-Length"),
            (run.MALFORMED, {"headers": {"X-Long": "a" * 90000}}, "headers"),
            (run.MALFORMED, {"headers": {"Content-Encoding": "gzip"}}, "encodes"),
            (run.NETWORK, {"status": 304}, "304"),
            (run.NETWORK, {"status": 206}, "206"),
            (run.NETWORK, {"status": 401}, "401"),
            (run.NETWORK, {"status": 407}, "407"),
            (run.NETWORK, {"status": 429, "retry_after": 99999999}, "asked to wait"),
            (run.NETWORK, {"status": 503, "retry_after": "Fri, 31 Dec 9999 23:59:59 GMT"}, "asked to wait"),
            (run.NETWORK, {"redirect": "ftp://127.0.0.1/x"}, "ftp"),
            (run.NETWORK, {"redirect": "gopher://127.0.0.1:1/x"}, "gopher"),
        ]
        for code, fault, word in cases:
            with self.subTest(fault):
                self.server.heal()
                self.server.fault("*libfoo1*", **fault)
                self.refuse(code, "libfoo1", self.server.url, word)
        self.server.heal()
        self.build()

    def test_for_a_release(self):
        for code, fault, word in ((run.TRUST, {"body": PAGE}, "login page"), (run.NETWORK, {"status": 304}, "304"),
                                  (run.MALFORMED, {"endless": True}, "larger than"),
                                  (run.MALFORMED, {"headers": {f"X-{n}": "a" * 100 for n in range(2000)}}, "headers")):
            with self.subTest(fault):
                self.server.heal()
                self.server.fault("*/InRelease", **fault)
                self.refuse(code, "InRelease", self.server.url, word)


class TheReleaseItself(Case):
    def setUp(self):
        super().setUp()
        self.make_repository(publish=False)
        self.write_manifest()
        self.use(self.write_source())

    def edited(self, change):
        self.repository.publish(self.key, endings=(".gz",), edit_release=change)

    @staticmethod
    def relist(name, size=None, digest=None):
        """Changes what the Release lists for a file."""
        def change(text):
            lines = []
            for line in text.splitlines(True):
                words = line.split()
                if len(words) == 3 and words[2] == name:
                    line = f" {digest or words[0]} {size if size is not None else words[1]} {name}\n"
                lines.append(line)
            return "".join(lines)
        return change

    def test_signed_nonsense(self):
        packages = "main/binary-amd64/Packages"
        cases = [
            (run.TRUST, "no date", lambda text: text.replace("Date:", "Dated:")),
            (run.MALFORMED, "not a date", lambda text: text.replace("Date:", "Date: tomorrow")),
            (run.TRUST, "SHA-256", lambda text: text.replace("SHA256:", "MD5Sum:")),
            (run.MALFORMED, "leaves the repository", lambda text: text.replace(" main/binary-amd", " ../../binary-amd")),
            (run.MALFORMED, "listed twice", lambda text: text + f" {'0' * 64} 5 {packages}.gz\n"),
            (run.MALFORMED, "digest size name", lambda text: text + f" {'0' * 64} 18446744073709551616 x\n"),
            (run.MALFORMED, "more than one stanza", lambda text: text.replace("Architectures", "\nArchitectures")),
            (run.MALFORMED, "given twice", lambda text: text.replace("Label: Kit", "Label: Kit\nLabel: Kit")),
            (run.MALFORMED, "at most", self.relist(packages + ".gz", size=1 << 40)),
            (run.MALFORMED, "at most", self.relist(packages, size=1 << 40)),
            (run.MALFORMED, "expected", self.relist(packages, size=5)),
            (run.TRUST, "when unpacked, expected", self.relist(packages, digest="0" * 64)),
        ]
        for code, word, change in cases:
            with self.subTest(word):
                self.edited(change)
                self.refuse(code, "stable", word)

    def test_odd_but_right_is_fine(self):
        for change in (lambda text: text.replace("\n", "\r\n"),
                       lambda text: text.replace("the test kit's", "the\n -----BEGIN PGP SIGNATURE-----\n kit's"),
                       lambda text: text.replace("the test kit's", "x" * 300000)):
            self.edited(change)
            self.build("--arch", "all", "--rebuild", "served")

    def test_signed_last_night_and_unsigned_now(self):
        self.repository.publish(self.key)
        self.build()
        self.repository.publish(self.key, sign="none", date=-30)
        self.factory.output = self.path("out2")
        self.refuse(run.TRUST, "not signed")

    def test_vanished(self):
        self.repository.publish(self.key)
        self.build()
        self.repository.remove(self.repository.dists("InRelease"))
        self.factory.output = self.path("out2")
        self.refuse(run.NETWORK, "neither an InRelease nor a Release", "404")


if __name__ == "__main__":
    unittest.main()
