# SPDX-License-Identifier: Apache-2.0
"""What a former version left behind is read or, of the cache, ignored; nothing of it is refused (tests/old/make.py)."""

import glob
import os
import shutil
import sys
import tarfile
import unittest

from base import PushCase, Report, image, run

OLD = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "old")
sys.path.insert(0, OLD)

from make import Proxy  # noqa: E402  pylint: disable=wrong-import-position


class OldData(PushCase):
    def setUp(self):
        super().setUp()
        with tarfile.open(os.path.join(OLD, "0.1.0.tar.xz")) as archive:
            archive.extractall(self.top)
        self.use(self.path("source.yaml"))
        self.factory.options += ["--config", self.path("site.yaml")]
        self.proxy = self.serve(Proxy(self.top, self.path("repository")))
        self.old = image.Layout(self.path("out/served"))

    def make(self, *arguments):
        return self.run_factory(*arguments, "--json", "served", env={**self.env, "http_proxy": self.proxy.url})

    def test_a_layout_is_rebuilt_over_with_the_old_cache_state_and_site_file(self):
        result = self.make()
        self.assertEqual(result.code, run.OK, result)
        for word in ("cache", "state", "layout", "site.yaml"):  # its Release is old, which may be said
            self.assertNotIn(word, result.stderr)
        layout = image.Layout(self.path("out/served"))
        self.assertEqual(sorted(layout.tags), sorted(self.old.tags))
        self.assertNotEqual(layout.digest(), self.old.digest())
        self.assertEqual(layout.stray_blobs(), [])
        order = Report(result.stdout).order("served", "x86_64")
        self.assertEqual(order["media_type"], "application/vnd.oci.image.layer.v1.tar+zstd")  # as the site file says
        self.assertEqual(order["status"], "built")
        again = self.make()
        self.assertEqual(Report(again.stdout).images()["served"]["status"], "unchanged", again)

    def test_without_the_old_cache_the_bytes_are_the_same(self):
        first = self.make("--output", self.path("first"))
        self.assertEqual(first.code, run.OK, first)
        shutil.rmtree(self.factory.cache)
        second = self.make("--output", self.path("second"))
        self.assertEqual(second.code, run.OK, second)
        self.assertEqual(image.Layout(self.path("first/served")).digest(),
                         image.Layout(self.path("second/served")).digest())

    def test_the_old_state_still_refuses_an_older_release(self):
        for path in glob.glob(self.path("repository/dists/stable/InRelease")):
            shutil.copy(self.path("repository/InRelease.older"), path)
        result = self.make()
        self.assertEqual(result.code, run.TRUST, result)
        self.assertEqual(image.Layout(self.path("out/served")).digest(), self.old.digest())

    def test_an_old_layout_is_inspected_checked_and_pushed_as_it_is(self):
        target = self.make_registry()
        tag = sorted(self.old.tags)[0]
        inspected = self.call("inspect", f"{self.path('out/served')}:{tag}")
        self.assertEqual(inspected.code, run.OK, inspected)
        self.assertIn(self.old.digest(tag), inspected.stdout)
        checked = self.call("check", f"{self.path('out/served')}:{tag}")
        self.assertEqual(checked.code, run.OK, checked)
        pushed = self.push(self.path("out/served"), f"{target.host}/old/served:v1")
        self.assertEqual(pushed.code, run.OK, pushed)
        self.assert_tag(target, "old/served", "v1", self.old.digest(tag))
        pulled = self.call("pull", "--tls-verify=false", "--output", self.path("pulled"), f"{target.host}/old/served:v1")
        self.assertEqual(pulled.code, run.OK, pulled)


if __name__ == "__main__":
    unittest.main()
