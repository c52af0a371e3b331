# SPDX-License-Identifier: Apache-2.0
"""Pruning on go-containerregistry's registry, which has the referrers API, and where tags stay at digests that were deleted. It is
built with go and its module proxy where these are at hand."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))

from base import PushCase, run  # noqa: E402  pylint: disable=wrong-import-position
from kit import published  # noqa: E402  pylint: disable=wrong-import-position

VERSION = "v0.22.1"
PROGRAM = """package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"

	"github.com/google/go-containerregistry/pkg/registry"
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr().String())
	log.Fatal(http.Serve(listener, registry.New(registry.WithReferrersSupport(true), registry.Logger(log.New(io.Discard, "", 0)))))
}
"""


def build(top):
    """The registry's program; None where it cannot be had."""
    ready = os.environ.get("IMGFACTORY_GO_REGISTRY")
    if ready:
        return ready
    go = shutil.which("go")
    if not go:
        return None
    with open(os.path.join(top, "main.go"), "w", encoding="utf-8") as stream:
        stream.write(PROGRAM)
    for command in (["mod", "init", "registry"], ["get", f"github.com/google/go-containerregistry@{VERSION}"], ["build", "-o", "registry", "."]):
        done = subprocess.run([go, *command], cwd=top, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=900, check=False,
                              env={**os.environ, "GOFLAGS": "-mod=mod"})
        if done.returncode:
            return None
    return os.path.join(top, "registry")


class ReferrersApi(PushCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.go_top = tempfile.mkdtemp(prefix="imgfactory-go-")
        cls.addClassCleanup(shutil.rmtree, cls.go_top, ignore_errors=True)
        cls.program = build(cls.go_top)
        if not cls.program:
            raise unittest.SkipTest("go, or its module proxy, is not at hand")

    def setUp(self):
        super().setUp()
        child = subprocess.Popen([self.program], stdout=subprocess.PIPE)
        self.addCleanup(child.stdout.close)
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        self.there = published.Repository(child.stdout.readline().decode().strip(), "me/one")

    def test_what_goes_takes_its_referrers_and_tags_along(self):
        old, new, now = self.there.night(1, 90, amd64="a"), self.there.night(2, 80), self.there.night(3, 50, ["latest"], amd64="a")
        self.there.tag(new, "prod")
        gone = [self.there.attach(old.digest, "bill", has_api=True), self.there.attach(old.children[1], "sbom", has_api=True)]
        gone.append(self.there.attach(gone[0], "signature", has_api=True))
        stays = [self.there.attach(one, "bill", has_api=True) for one in (new.digest, now.digest, now.children[0])]
        result = self.call("prune", "--yes", "--tls-verify=false", "--keep", "10d", self.there.reference)
        self.assertEqual(result.code, run.OK, result)
        for name in (old.digest, old.children[1], old.stamp, *gone):
            self.assertFalse(self.there.has(name), name)
        for name in (new.digest, now.digest, *new.children, *now.children, new.stamp, now.stamp, "prod", "latest", *stays):
            self.assertTrue(self.there.has(name), name)
        self.assertEqual(self.there.incomplete(), [])


if __name__ == "__main__":
    unittest.main()
