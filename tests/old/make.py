#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes tests/old/VERSION.tar.xz: what a former imgfactory leaves behind, of the kit's own tiny packages only.

    git worktree add /tmp/old COMMIT && cmake -S /tmp/old --preset release -DIMGFACTORY_TESTS=OFF && ...
    IMGFACTORY=/tmp/old/build/release/imgfactory python3 tests/old/make.py 0.1.0

0.1.0.tar.xz was made by the last commit before 0.2.0 (96d23e4). It holds cache/, state/, out/served (a layout), site.yaml,
manifests/served.yaml and repository/ with its key and, as InRelease.older, a Release from before the accepted one. The
repository's address is http://old.example/debian, which the kit's server answers for as a proxy: so the names of state
files, which are made of it, stay good.
"""

import os
import shutil
import sys
import tarfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from kit import case, repo, run, server, world  # noqa: E402  pylint: disable=wrong-import-position

URI = "http://old.example/debian"
DATE = 1700000000
SITE = """\
registry: quay.io
namespace: me
tags: ["{version}-{release}", "{version}", latest]
arch: all
output: out
compression: zstd
jobs: 2
retries: 1
strict: false
push: false
token-origins: []
"""


class Proxy(server.Server):
    """Serves a folder as http://old.example/debian to clients that take it for their proxy."""

    def __init__(self, top, folder):
        os.makedirs(os.path.join(top, "proxied/http:/old.example"))
        os.symlink(folder, os.path.join(top, "proxied/http:/old.example/debian"))
        super().__init__(os.path.join(top, "proxied"))


class Make(case.Case):
    def test(self):
        folder = self.path("repository")
        made = repo.Repository(folder, world.packages(("amd64",)), architectures=("amd64",))
        key = self.ring.get("old", created="20230101T000000", now="20231115T000000")
        made.publish(key, date=DATE - 1000)
        shutil.copy(os.path.join(folder, "dists/stable/InRelease"), os.path.join(folder, "InRelease.older"))
        made.publish(key, date=DATE)
        shutil.copy(key.keyring, os.path.join(folder, "key.gpg"))
        source = self.write("source.yaml", f"kind: deb\nuris: [{URI}]\nsuites: [stable]\ncomponents: [main]\n"
                                           "keys: [repository/key.gpg]\n")
        site = self.write("site.yaml", SITE)
        self.write_manifest(text=world.MANIFEST + "architectures: [x86_64]\n")
        self.use(source)
        self.factory.options += ["--config", site]
        proxy = Proxy(self.top, folder).start()
        self.addCleanup(proxy.stop)
        result = self.run_factory("served", env={"http_proxy": proxy.url})
        self.assertEqual(result.code, run.OK, result)
        with tarfile.open(os.path.join(os.path.dirname(os.path.abspath(__file__)), VERSION + ".tar.xz"), "w:xz") as out:
            for name in ("cache", "state", "out", "site.yaml", "source.yaml", "manifests", "repository"):
                out.add(self.path(name), name)


if __name__ == "__main__":
    VERSION = sys.argv.pop()
    unittest.main()
