# SPDX-License-Identifier: Apache-2.0
"""What the live tests leave out when the host's mirror is in the middle of an update, and what they never leave out."""

import contextlib
import io
import json
import os
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from kit import midway, run, world  # noqa: E402  pylint: disable=wrong-import-position
from kit.case import Case  # noqa: E402  pylint: disable=wrong-import-position

CONTENTS = "*/Contents-*"


class Mirror(Case):
    """`served` names its package; `found` has one that is not called like its binary, so that only it needs Contents."""

    def setUp(self):
        super().setUp()
        self.ready()
        self.repository.publish(self.key, by_hash=True, endings=(".gz",))
        self.write_manifest("found", "name: found\nbinaries: [/usr/sbin/served]\npackages:\n  never: [served]\n")
        self.write_manifest("served", "name: served\nbinaries: [/usr/sbin/served]\npackages:\n  first: [served]\n")

    def look(self, *images, code=run.PARTLY):
        result = self.run_factory("--arch", "amd64", "--json", *(images or ("served", "found")))
        self.assertEqual(result.code, code, result)
        said = io.StringIO()
        with contextlib.redirect_stderr(said):
            found = midway.look(json.loads(result.stdout))
        return (*map(sorted, found), said.getvalue())

    def test_an_intact_one_leaves_out_nothing(self):
        self.assertEqual(self.look(code=run.OK), ([], [], ""))

    def test_an_index_that_is_gone_is_left_out_and_said(self):
        self.server.fault("*/by-hash/*", status=404)
        self.server.fault(CONTENTS, status=404)
        left_out, failed, said = self.look()
        self.assertEqual((left_out, failed), (["found"], []))
        self.assertIn("left out: image found: the mirror is in the middle of an update", said)
        self.assertIn("Contents-amd64.gz", said)

    def test_an_index_of_another_generation_is_left_out_and_said(self):
        self.server.fault("*/by-hash/*", status=404)
        self.server.fault(CONTENTS, body=b"the next generation")
        left_out, failed, said = self.look()
        self.assertEqual((left_out, failed), (["found"], []))
        self.assertIn("[exit class 6]", said)

    def test_wrong_bytes_that_only_the_program_gets_are_a_failure(self):
        self.server.fault("*/main/by-hash/*", status=404, times=1)
        self.server.fault(CONTENTS, body=b"the next generation", times=1)
        self.assertEqual(self.look(), ([], ["found"], ""))

    def test_an_index_that_the_mirror_has_is_a_failure(self):
        """The program could not get it, and the judge can: that is not the mirror."""
        self.server.fault("*/main/by-hash/*", status=404, times=1)
        self.server.fault(CONTENTS, status=404, times=1)
        self.assertEqual(self.look(), ([], ["found"], ""))

    def test_a_package_that_is_gone_is_a_failure(self):
        self.server.fault("*/pool/*served*", status=404)
        with self.assertRaisesRegex(RuntimeError, "not one image was built"):
            self.look(code=run.NETWORK)

    def test_all_images_left_out_is_a_failure(self):
        self.server.fault("*/by-hash/*", status=404)
        self.server.fault(CONTENTS, status=404)
        with self.assertRaisesRegex(RuntimeError, "not one image was built"):
            self.look("found", code=run.NETWORK)


if __name__ == "__main__":
    unittest.main()
