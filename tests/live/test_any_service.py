# SPDX-License-Identifier: Apache-2.0
"""Services that nobody wrote a manifest for serve: those of services.json beside this, each built by the path of its binary for both
architectures from the host's repositories, started as a container engine would, with what only an administrator can know,
and asked. What `imgfactory new` prints of each gives the same image. any_service.py is the judge, and tells more.

    IMGFACTORY_SERVICES=nsd,tor         only these
    IMGFACTORY_LIVE_CACHE=DIR           the program's cache, kept
"""

import os
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import any_service  # noqa: E402  pylint: disable=wrong-import-position
from kit import emulators, midway  # noqa: E402  pylint: disable=wrong-import-position
from kit.case import need  # noqa: E402  pylint: disable=wrong-import-position

LIST = os.path.join(os.path.dirname(os.path.abspath(__file__)), "services.json")
ONLY = [name for name in os.environ.get("IMGFACTORY_SERVICES", "").split(",") if name]
VERDICTS = {}


def setUpModule():
    if os.geteuid() != 0:
        raise unittest.SkipTest("services are started in namespaces and chroots, which needs root")
    emulators.need("aarch64")
    need("unshare", "nsenter", "ip", "tar")
    words = [LIST, "--no-sizes", "--new", *(["--only", ",".join(ONLY)] if ONLY else [])]
    for verdict in any_service.judge_all(any_service.arguments(words)):
        VERDICTS[verdict.service, verdict.arch] = verdict


class Serves(unittest.TestCase):
    """One test for each service and architecture."""


def is_mirrors(reason):
    """Whether it was not built because the mirror is in the middle of an update."""
    named = midway.INDEX.search(reason)
    return named is not None and not midway.gives(named[3], named[2], named[1])


def add_test(name, arch):
    def test(self):
        verdict = VERDICTS[name, arch]
        if is_mirrors(verdict.reason):
            self.skipTest("the mirror is in the middle of an update: " + verdict.reason)
        self.assertTrue(verdict.serves, f"{verdict.reason}\n{verdict.notes}\n--- its log:\n{verdict.log}")
        self.assertTrue(verdict.same_by_new, "what `new` prints gives another image")
    test.__doc__ = f"{name} serves on {arch}"
    setattr(Serves, f"test_{name.replace('-', '_')}_on_{arch}", test)


for service in any_service.load(LIST, ONLY):
    for machine in any_service.PLATFORMS:
        add_test(service["service"], machine)


if __name__ == "__main__":
    unittest.main()
