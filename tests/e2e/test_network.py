# SPDX-License-Identifier: Apache-2.0
"""A network that fails: transient faults are absorbed, lasting ones end in exit class 6 with the URL; nothing is left."""

import socket
import time
import unittest

from base import Case, run, server, world

PACKAGES = "*/binary-amd64/Packages*"


class Network(Case):
    def setUp(self):
        super().setUp()
        self.ready(endings=(".gz",))

    def test_nobody_listens(self):
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            port = unused.getsockname()[1]
        self.use(self.write_source("none.yaml", uris=[f"http://127.0.0.1:{port}"]))
        self.refuse(run.NETWORK, f"127.0.0.1:{port}")

    def test_release_not_found(self):
        self.server.fault("*/InRelease", status=404)
        self.server.fault("*/Release", status=404)
        result = self.run_factory("--arch", "all", "served")
        self.assertIn(result.code, (run.NETWORK, run.TRUST), result)
        self.assertIn("404", result.stderr)
        self.assert_nothing_left(result)

    def test_index_not_found_is_asked_for_once(self):
        self.server.fault(PACKAGES, status=404)
        self.refuse(run.NETWORK, "404", "Packages")
        self.assertEqual(self.server.asked(PACKAGES), 1)

    def test_package_not_found(self):
        self.server.fault("*libfoo1*", status=404)
        self.refuse(run.NETWORK, "404", "libfoo1")

    def test_service_unavailable_for_ever(self):
        for pattern in ("*/InRelease", PACKAGES, "*libfoo1*"):
            with self.subTest(pattern):
                self.server.heal()
                self.server.fault(pattern, status=503)
                before = self.server.asked(pattern)
                self.refuse(run.NETWORK, "503")
                self.assertIn(self.server.asked(pattern) - before, (2, 4))  # once again; libfoo1 for two architectures

    def test_service_unavailable_once(self):
        for pattern in ("*/InRelease", PACKAGES, "*Contents-amd64*", "*libfoo1*"):
            self.server.fault(pattern, status=503, times=1)
        self.build()

    def test_retry_after_is_obeyed(self):
        self.server.fault("*/InRelease", status=429, times=1, retry_after=2)
        begun = time.monotonic()
        self.build()
        self.assertGreaterEqual(time.monotonic() - begun, 1.9)

    def test_cut_in_the_middle_for_ever(self):
        for pattern in (PACKAGES, "*libfoo1*", "*/InRelease"):
            with self.subTest(pattern):
                self.server.heal()
                self.server.fault(pattern, cut=300)
                self.refuse(run.NETWORK)

    def test_cut_in_the_middle_once(self):
        for pattern in ("*/InRelease", PACKAGES, "*Contents-amd64*", "*libfoo1*", "*served_*"):
            self.server.fault(pattern, cut=300, times=1)
        self.build()

    def test_redirect_is_followed(self):
        other = server.Server(self.repository.root).start()
        self.addCleanup(other.stop)
        name = "/" + self.repository.pool_name(self.repository.package("libfoo1", "amd64"))
        self.server.fault(name, redirect=other.url + name)
        self.build()
        self.assertEqual(other.asked(name), 1)

    def test_redirect_to_a_file_is_not_followed(self):
        name = "/" + self.repository.pool_name(self.repository.package("libfoo1", "amd64"))
        self.server.fault(name, redirect="file://" + self.repository.root + name)
        self.refuse(run.NETWORK, "libfoo1")

    def test_redirect_loop_ends(self):
        self.server.fault(PACKAGES, redirect=self.server.url + "/" + self.repository.dists(
            "main/binary-amd64/Packages.gz"))
        self.refuse(run.NETWORK, "Packages")
        self.assertLess(self.server.asked(PACKAGES), 20)

    def test_web_page_instead_of_a_package(self):
        self.server.fault("*libfoo1*", body=b"<html>Please log in</html>\n")
        self.refuse(run.TRUST, "libfoo1")

    def test_second_mirror_is_used_when_the_first_is_down(self):
        other = server.Server(self.repository.root).start()
        self.addCleanup(other.stop)
        self.server.fault("*", status=503)
        self.use(self.write_source("two.yaml", uris=[self.server.url, other.url]))
        self.build()

    def test_by_hash_falls_back_to_the_plain_name(self):
        self.repository.publish(self.key, by_hash=True, endings=(".gz",))
        self.server.fault("*/by-hash/*", status=404)
        self.build()
        self.assertGreater(self.server.asked("*/by-hash/*"), 0)

    def test_by_hash_survives_a_mirror_in_the_middle_of_an_update(self):
        self.repository.publish(self.key, by_hash=True, endings=(".gz",))
        self.server.fault("*/Packages.gz", body=b"the next generation")
        self.build()

    def test_nothing_is_asked_for_with_cache_only(self):
        first = self.build()
        before = self.server.asked()
        self.assertEqual(self.build("--arch", "all", "--cache-only", "served").digest(), first.digest())
        self.assertEqual(self.server.asked(), before)

    def test_cache_only_with_an_empty_cache_says_so(self):
        result = self.run_factory("--arch", "all", "--cache-only", "served")
        self.assertNotEqual(result.code, run.OK, result)
        self.assertEqual(self.server.asked(), 0)
        self.assert_nothing_left(result)

    def test_every_file_is_fetched_once(self):
        self.build()
        paths = [path for path in self.server.requests if "/pool/" in path or "Packages" in path]
        self.assertEqual(sorted(paths), sorted(set(paths)))
        self.assertIn(world.SERVED, self.build().images["latest"]["amd64"])


if __name__ == "__main__":
    unittest.main()
