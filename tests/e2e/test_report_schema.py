# SPDX-License-Identifier: Apache-2.0
"""What --json prints is what factory/bill/report.schema.json says: no field is missing, none is untold."""

import json
import os
import unittest

from base import Case, PushCase, run, world
from kit.schema import REPORT as SCHEMA


class Held:
    def hold(self, result, name="report"):
        """Wants one JSON value as the schema has it, and returns it."""
        value = json.loads(result.stdout)
        self.assertEqual(SCHEMA.faults(value, name), [], result)
        return value


class Answers(Held, Case):
    def setUp(self):
        super().setUp()
        self.ready()

    def report(self, *arguments):
        return self.hold(self.run_factory("--json", "--arch", "all", *arguments, "served"))

    def test_reports_of_builds(self):
        self.assertEqual(self.report("--dry-run")["images"][0]["status"], "dry-run")
        self.assertEqual(self.report()["images"][0]["status"], "built")
        self.assertEqual(self.report("--no-check", "--rebuild")["images"][0]["architectures"][0]["proof"], None)
        again = self.report()["images"][0]
        self.assertEqual({order["status"] for order in again["architectures"]}, {"reused"})

    def test_reports_of_failures(self):
        self.write_manifest(text=world.MANIFEST.replace("/usr/sbin/served", "/usr/sbin/absent"))
        report = self.report()
        self.assertEqual((report["outcome"], report["exit"]), ("resolve", run.RESOLVE))

    def test_answers_of_other_commands(self):
        self.build()
        options, self.factory.options = self.factory.options, []
        layout = os.path.join(self.factory.output, "served")
        self.hold(self.factory.run_plain("check", layout, "--json"), "check")
        self.hold(self.factory.run_plain("inspect", layout, "--json"), "inspect")
        self.hold(self.factory.run_plain("diff", layout, layout, "--json"), "diff")
        self.hold(self.factory.run_plain("why", *options, "--json", "served", "/usr/sbin/served", "/nowhere"), "why")
        self.hold(self.factory.run_plain("clean", "--json", "--dry-run"), "clean")

    def test_words_that_are_no_utf_8_are_told_as_their_bytes(self):
        odd = os.fsdecode(b"caf\xe9")
        options = self.factory.options
        built = self.hold(self.run_factory("--json", "--arch", "x86_64", "--output", self.path(odd), "served"))
        self.assertRegex(built["images"][0]["layout"], r"/caf\\xE9/served$")
        self.factory.options = []
        layout = os.path.join(self.path(odd), "served")
        told = self.hold(self.factory.run_plain("inspect", layout, "--json"), "inspect")
        self.assertRegex(told["name"], r"/caf\\xE9/served$")
        self.assertRegex(told["platforms"][0]["bill"], r"/caf\\xE9/served/imgfactory/")
        told = self.hold(self.factory.run_plain("check", layout, "--json"), "check")
        self.assertRegex(told["checked"] + told["architectures"][0]["name"], r"(/caf\\xE9/served.*){2}$")
        told = self.hold(self.factory.run_plain("why", *options, "--json", "served", "/" + odd), "why")
        self.assertEqual([answer["path"] for answer in told], [r"/caf\xE9"])
        told = self.hold(self.factory.run_plain("clean", "--json", "--cache", self.path(odd)), "clean")
        self.assertRegex(told["cache"], r"/caf\\xE9$")

    def test_a_field_that_is_missing_or_untold_is_found(self):
        report = self.report("--dry-run")
        order = report["images"][0]["architectures"][0]
        order["new_field"] = 1
        del order["platform"]
        self.assertEqual(sorted(SCHEMA.faults(report, "report")),
                         ["report.images[0].architectures[0]: new_field is told nowhere",
                          "report.images[0].architectures[0]: platform is missing"])


class Pushes(Held, PushCase):
    def test_reports_of_pushes_and_tags(self):
        target, made = self.make_registry(), self.make_layout()
        options = ("--json", "--tls-verify=false")
        pushed = self.hold(self.call("push", made.folder, f"{target.host}/ns/image:v1", *options))
        self.assertEqual(pushed["images"][0]["push"]["status"], "pushed")
        self.hold(self.call("tag", f"{target.host}/ns/image@{made.digest}", "v2", *options))
        self.hold(self.call("pull", f"{target.host}/ns/image:v2", *options), "inspect")
        self.hold(self.call("copy", f"{target.host}/ns/image:v2", f"{target.host}/ns/copy", *options))
        self.hold(self.call("copy", f"{target.host}/ns/image:v2", "--to-dir", self.path("folder"), *options), "carried")
        failed = self.hold(self.call("push", made.folder, "127.0.0.1:1/ns/image:v1", *options, retries=0))
        self.assertEqual(failed["outcome"], "network")
        odd = os.path.join(os.path.dirname(made.folder), os.fsdecode(b"caf\xe9"))
        os.rename(made.folder, odd)
        failed = self.hold(self.call("push", odd, "127.0.0.1:1/ns/image:v1", *options, retries=0))
        self.assertRegex(failed["images"][0]["image"], r"/caf\\xE9$")


if __name__ == "__main__":
    unittest.main()
