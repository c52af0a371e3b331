# SPDX-License-Identifier: Apache-2.0
"""VEX as go-vex matches it, which trivy and grype use: built here with Go from the module proxy. Where either is not there the test is
left out, which it says."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from test_vex import Debian, entry, scanners  # noqa: E402  pylint: disable=wrong-import-position

VERSION = "v0.2.9"
PROGRAM = """package main

import (
	"encoding/json"
	"os"

	"github.com/openvex/go-vex/pkg/vex"
)

// Reads [[cve, product, package], ...] and prints which of them the document matches.
func main() {
	document, err := vex.Open(os.Args[1])
	if err != nil {
		panic(err)
	}
	var asked [][3]string
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		panic(err)
	}
	told := []string{}
	for _, one := range asked {
		status := ""
		for _, statement := range document.Matches(one[0], one[1], []string{one[2]}) {
			status += string(statement.Status) + " "
		}
		told = append(told, status)
	}
	if err := json.NewEncoder(os.Stdout).Encode(told); err != nil {
		panic(err)
	}
}
"""


def build(folder):
    """The judge's program, or None."""
    with open(os.path.join(folder, "main.go"), "w", encoding="utf-8") as stream:
        stream.write(PROGRAM)
    for words in (["mod", "init", "judge"], ["get", "github.com/openvex/go-vex@" + VERSION], ["mod", "tidy"], ["build", "-o", "judge", "."]):
        try:
            subprocess.run(["go", *words], cwd=folder, check=True, capture_output=True, timeout=300)
        except (OSError, subprocess.SubprocessError):
            return None
    return os.path.join(folder, "judge")


class GoVex(Debian):
    folder = program = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = tempfile.mkdtemp(prefix="imgfactory-judge-")
        cls.program = build(cls.folder)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)
        super().tearDownClass()

    def test_it_matches_what_scanners_ask_and_nothing_else(self):
        if not self.program:
            self.skipTest("left out: go-vex cannot be built (Go, the module proxy)")
        document = self.run_vex(self.tracker({"foo": {"CVE-2099-0001": entry("resolved", "1:1.2-2"), "CVE-2099-0002": entry("open")}})).stdout
        path = self.write("vex.json", document)
        asked, wanted = [], []
        for digest in (self.index, self.images["amd64"].digest, self.images["arm64"].digest):
            for product, package in scanners("served", digest, "libfoo1", "1.2-3", "1"):
                asked += [("CVE-2099-0001", product, package), ("CVE-2099-0002", product, package), ("CVE-2099-0003", product, package)]
                wanted += ["fixed ", "affected ", ""]
            for product, package in scanners("served", digest, "libc6", "2.36-9"):
                asked.append(("CVE-2099-0001", product, package))
                wanted.append("")
        for product, package in scanners("served", "sha256:" + "0" * 64, "libfoo1", "1.2-3", "1"):
            asked.append(("CVE-2099-0001", product, package))
            wanted.append("")
        told = subprocess.run([self.program, path], input=json.dumps(asked), capture_output=True, text=True, check=True).stdout
        self.assertEqual(json.loads(told), wanted)


def load_tests(loader, _tests, _pattern):
    """That test alone, not those of the class that it stands on."""
    del loader
    return unittest.TestSuite([GoVex("test_it_matches_what_scanners_ask_and_nothing_else")])


if __name__ == "__main__":
    unittest.main()
