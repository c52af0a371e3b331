# SPDX-License-Identifier: Apache-2.0
"""The pages of --report as HTML validators read them: the Nu Html Checker ($IMGFACTORY_VNU, its vnu.jar, with java) and tidy."""

import os
import shutil
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))

from base import Case, deb, run, world  # noqa: E402  pylint: disable=wrong-import-position

VNU = os.environ.get("IMGFACTORY_VNU")


class Valid(Case):
    def setUp(self):
        super().setUp()
        self.ready()

    def pages(self):
        """Those of a run in which an image changed and another failed; a package has a name that could be markup."""
        options = ("--arch", "all", "--report", self.path("pages"), "served", "broken")
        self.write_manifest("broken", "name: broken\nbinaries: [/usr/bin/absent]\nconfig: {entrypoint: [/x]}\n")
        self.assertEqual(self.run_factory(*options).code, run.PARTLY)
        packages = world.packages()
        next(one for one in packages if one.name == "libbar2").version = "2.1-1"
        next(one for one in packages if one.name == "served-common").files.append(
            deb.File("/usr/share/served/words.txt.<b>&\"'", "x" * 90000))
        self.repository.packages = packages
        self.repository.publish(self.key)
        self.assertEqual(self.run_factory(*options).code, run.PARTLY)
        return [self.path("pages/index.html"), self.path("pages/image/served.html"), self.path("pages/image/broken.html")]

    @unittest.skipUnless(VNU and shutil.which("java"), "the Nu Html Checker is not here")
    def test_the_nu_html_checker_has_nothing_to_say(self):
        done = subprocess.run(["java", "-jar", VNU, *self.pages()], stderr=subprocess.PIPE, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, b""))

    @unittest.skipUnless(shutil.which("tidy"), "tidy is not here")
    def test_tidy_has_nothing_to_say(self):
        for page in self.pages():
            done = subprocess.run(["tidy", "-q", "-e", page], stderr=subprocess.PIPE, check=False)
            self.assertEqual((done.returncode, done.stderr), (0, b""), page)


if __name__ == "__main__":
    unittest.main()
