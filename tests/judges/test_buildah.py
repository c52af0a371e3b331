# SPDX-License-Identifier: Apache-2.0
"""buildah, of a root of sid ($IMGFACTORY_ROOTS, kit/roots.py), takes the layouts as they are: also one on a base, one with two tags and
one with layers in zstd. Needs root."""

import os
import shlex
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from base import Case, run, world  # noqa: E402  pylint: disable=wrong-import-position
from kit import base_image, layout, roots  # noqa: E402  pylint: disable=wrong-import-position

MANIFEST = "base: ../base:1\n" + world.MANIFEST  # with the tags latest and 4.4.1
# Its root is a mount point there, and limits are those that it may set anywhere.
ENTER = "mount --bind {root} {root} && mount --rbind /proc {root}/proc && mount --rbind /dev {root}/dev && exec chroot {root} sh -ec {script}"
BUILDAH = """export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
buildah() { command buildah --root {top}/store --runroot {top}/run "$@"; }
container=$(buildah from -q --ulimit nofile=256:256 --ulimit nproc=256:256 oci:{top}/served:{tag})
"""


class Buildah(Case):
    def setUp(self):
        super().setUp()
        self.root = roots.find("sid", "usr/bin/buildah")
        if not self.root:
            self.skipTest("no root of sid with buildah ($IMGFACTORY_ROOTS)")

    def judge(self, script, tag="latest"):
        """What a script prints that goes on with $container."""
        with roots.folder(self.root) as (outside, inside):
            subprocess.run(["cp", "-a", os.path.join(self.factory.output, "served"), outside], check=True)
            text = (BUILDAH + script).replace("{top}", inside).replace("{tag}", tag)
            enter = ENTER.format(root=shlex.quote(self.root), script=shlex.quote(text))
            done = subprocess.run(["unshare", "-m", "sh", "-c", enter], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
            self.assertEqual(done.returncode, 0, done.stderr.decode())
            return done.stdout.decode()

    def make(self, *arguments):
        self.ready(manifest=MANIFEST)
        base_image.Base(self.path("base"), {name: [base_image.small(name)] for name in ("amd64", "arm64")})
        result = self.run_factory("--arch", "all", *arguments, "served")
        self.assertEqual(result.code, run.OK, result)

    def test_a_container_of_an_image_on_a_base_has_both_and_runs(self):
        self.make()
        for tag in ("latest", "4.4.1"):
            told = self.judge("folder=$(buildah mount $container); ls $folder/usr/sbin/served $folder/usr/lib/os-release\n"
                              "buildah inspect --format '{{.OCIv1.Config.Entrypoint}} {{.OCIv1.Config.User}}' $container\n"
                              "buildah run --user 0 $container -- /bin/sh\n", tag)
            self.assertIn("/usr/sbin/served\n", told)
            self.assertIn("/usr/lib/os-release\n", told)
            self.assertIn("[/usr/sbin/served] served", told)
            self.assertIn(layout.HELLO, told)

    def test_layers_in_zstd_are_read(self):
        self.make("--compression", "zstd")
        self.assertIn("/usr/sbin/served", self.judge("ls $(buildah mount $container)/usr/sbin/served\n"))


if __name__ == "__main__":
    unittest.main()
