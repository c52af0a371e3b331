# SPDX-License-Identifier: Apache-2.0
"""Nights of a site with changing repositories and all that goes wrong, judged from outside after each (tests/nights)."""

import os
import shutil
import tempfile
import unittest

from base import need, run

from nights import outside, play, site

SEED = int(os.environ.get("IMGFACTORY_NIGHTS_SEED", "5"))
NIGHTS, CHANGES = 28, 13


class Nights(unittest.TestCase):
    def setUp(self):
        run.program()
        need("gpg", "gpgv", "dpkg-deb", "docker-registry", "skopeo", "rpmbuild", "rpmsign", "createrepo_c", "rpm2cpio", "cpio",
             "aarch64-linux-gnu-gcc")
        self.top = tempfile.mkdtemp(prefix="imgfactory-nights-")
        self.addCleanup(shutil.rmtree, self.top, ignore_errors=True)

    def begin(self, seed, nights):
        played = play.Play(os.path.join(self.top, "site"), seed, nights, out=None)
        self.addCleanup(played.close)
        return played

    def test_every_promise_holds_after_each_night(self):
        """All kinds of changes and of troubles, in an order that a seed gives."""
        planned = play.plan(SEED, NIGHTS, CHANGES)
        self.assertEqual({trouble for _, trouble in planned} - {"none"}, set(play.TROUBLES))
        self.begin(SEED, NIGHTS).all(planned)

    def test_the_checker_sees_what_is_wrong(self):
        """What the program never did is done to the registry by hand."""
        played = self.begin(1, 8)
        played.all([(None, "none"), ("update", "none"), ("several", "none")])
        there, always = played.site, lambda image: True

        def refused(words):
            with self.assertRaisesRegex(AssertionError, words):
                there.look(always)
        image = next(name for name, tag in there.moved if tag == "latest" and len(there.moved[name, tag]) > 1)
        link = os.path.join(there.registry.root, "docker/registry/v2/repositories", site.NAMESPACE, image,
                            "_manifests/tags/latest/current/link")
        digests = there.moved[image, "latest"]

        def point(digest):
            with open(link, "w", encoding="ascii") as stream:
                stream.write(digest)
        there.look(always)
        point(digests[0])
        refused(f"{image}:latest went back to {digests[0]}")
        other = next(there.outside.tags(name)["latest"] for name in outside.IMAGES if name != image)
        point(other)
        refused(f"{image}: manifest {other} is not there")
        os.unlink(link)
        refused(f"{image}:latest is gone")
        point(digests[-1])
        there.look(always)
        there.digests[image, there.mirrors[-1].signature(image)] = other
        refused("a needless digest")
        there.digests.clear()
        there.upstream.bump("rho" if image in ("rho", "sigma") else image)
        there.upstream.bump("sigma")
        there.publish()
        refused("after a good night|not all of")


if __name__ == "__main__":
    unittest.main()
