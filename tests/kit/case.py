# SPDX-License-Identifier: Apache-2.0
"""The base of the whole-program tests: a temporary folder, keys, a repository on loopback, and the program."""

import os
import shutil
import tempfile
import time
import unittest

from . import gpg, image, repo, run, server, world


def need(*programs):
    """Names the first program that is not there; a test without its tools fails, it is not passed over."""
    for name in programs:
        if not shutil.which(name):
            raise RuntimeError(f"{name} is missing: scripts/test installs what the tests need")


def wait_for(what, condition, seconds=300):
    """Waits until it holds; what does not in time is an error that says what it was."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.2)


class Case(unittest.TestCase):
    maxDiff = 4000
    ring = None

    @classmethod
    def setUpClass(cls):
        run.program()
        need("gpg", "gpgv", "dpkg-deb", "zstd")
        cls.ring = gpg.Ring()

    @classmethod
    def tearDownClass(cls):
        cls.ring.close()

    def setUp(self):
        self.top = tempfile.mkdtemp(prefix="imgfactory-test-")
        self.addCleanup(shutil.rmtree, self.top, ignore_errors=True)
        self.factory = run.Factory(self.top)
        self.server = None

    @property
    def key(self):
        return self.ring.get("main")

    def path(self, name):
        return os.path.join(self.top, name)

    def write(self, name, text):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as stream:
            stream.write(text.encode() if isinstance(text, str) else text)
        return path

    def make_repository(self, packages=None, name="repo", publish=True, **settings):
        """A repository (of the small distribution unless told otherwise), signed by the main key and served."""
        architectures = settings.pop("architectures", ("amd64", "arm64"))
        if packages is None:
            packages = world.packages(architectures)
        self.repository = repo.Repository(self.path(name), packages, architectures=architectures)
        if publish:
            self.repository.publish(self.key, **settings)
        self.server = server.Server(self.path(name)).start()
        self.addCleanup(self.server.stop)
        return self.repository

    def write_source(self, name="source.yaml", uris=None, keys=None, trusted=False):
        lines = ["kind: deb", f"uris: [{', '.join(uris or [self.server.url])}]", "suites: [stable]",
                 "components: [main]"]
        if trusted:
            lines.append("trusted: true")
        else:
            lines.append(f"keys: [{', '.join(keys or [self.key.keyring])}]")
        return self.write(name, "\n".join(lines) + "\n")

    def write_manifest(self, name="served", text=None):
        return self.write(f"manifests/{name}.yaml", text if text is not None else world.MANIFEST)

    def ready(self, manifest=None, **settings):
        """Repository, source file and manifest, and the options to use them: the ordinary start of a test."""
        repository = self.make_repository(**settings)
        self.use(self.write_source())
        self.write_manifest(text=manifest)
        return repository

    def use(self, source, retries=1):
        self.factory.options = ["--source", source, "--manifests", self.path("manifests"), "--retries", str(retries)]

    def run_factory(self, *arguments, **settings):
        return self.factory.run(*arguments, **settings)

    def build(self, *arguments, **settings):
        """Runs it, wants success, and returns the verified layout of `served` (or of name=)."""
        name = settings.pop("name", "served")
        result = self.run_factory(*(arguments or ("--arch", "all", name)), **settings)
        self.assertEqual(result.code, run.OK, result)
        self.last = result
        return image.Layout(os.path.join(self.factory.output, name))

    def refuse(self, code, *parts, arguments=("--arch", "all", "served"), **settings):
        """Runs it, wants that exit class, all `parts` in its messages, and nothing left in the output."""
        result = self.run_factory(*arguments, **settings)
        self.assertEqual(result.code, code, result)
        for part in parts:
            self.assertIn(part, result.stderr, result)
        self.assert_nothing_left(result)
        return result

    def assert_nothing_left(self, result=None):
        self.assertEqual(self.files_below(self.factory.output), [], result)

    @staticmethod
    def files_below(path):
        """Files below a folder; lock files are not counted."""
        return sorted(os.path.relpath(os.path.join(folder, name), path)
                      for folder, _, names in os.walk(path) for name in names if not name.endswith(".lock"))
