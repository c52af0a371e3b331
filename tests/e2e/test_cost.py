# SPDX-License-Identifier: Apache-2.0
"""What an index can make the program do: every hostile one ends within a gibibyte of address space and 30 seconds of
computing (other programs may use the processors, too), solved or refused with the name of what is wrong; the first signal
ends solving within a second."""

import resource
import signal
import subprocess
import time
import unittest

import base  # noqa: F401  (finds the kit)

from kit import report, rpmmd, run
from kit.deb_case import DebCase
from kit.debmd import stanza
from kit.rpm_case import RpmCase
from kit.rpmmd import Stanza

MEMORY_MAX_BYTES = 1 << 30
SECONDS_MAX = 30
HASH = "a" * 64


class Bounded:
    """Runs under limits; a sanitizer reserves more address space than that."""

    def limited(self, name, *arguments):
        command = self.factory.command("--dry-run", "--json", "--arch", "x86_64", "--jobs", "2", *arguments, name)
        if run.sanitizer():
            self.skipTest("a sanitizer has its own ideas of memory")
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=self.factory.environment(), timeout=SECONDS_MAX * 10, check=False,
                              preexec_fn=self.limit)
        return run.Result(command, done.returncode, done.stdout.decode(), done.stderr.decode(errors="replace"))

    @staticmethod
    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MAX_BYTES, MEMORY_MAX_BYTES))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS_MAX, SECONDS_MAX))

    def ends(self, code, *words, wanted=("a",), more=""):
        """The request ends in this class, with these words."""
        self.use(self.source())
        self.write_manifest("image", f"packages:\n  install: [{', '.join(wanted)}]\n{more}")
        result = self.limited("image")
        self.assertEqual(result.code, code, result.stderr[-2000:])
        for word in words:
            self.assertIn(word, result.stderr)
        if code:
            self.assertLess(len(result.stderr), 5000)
        return code or {package["name"]: package["version"]
                        for package in report.Report(result.stdout).order("image", "x86_64")["selection"]}

    def interrupted(self, wanted="a", number=signal.SIGTERM):
        """A signal while it solves ends it soon: a solve that goes on would take many times these seconds."""
        self.use(self.source())
        self.write_manifest("image", f"packages:\n  install: [{wanted}]\n")
        command = self.factory.command("--dry-run", "--json", "--arch", "x86_64", "image")
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=self.factory.environment()) as child:
            time.sleep(0.7)
            self.assertIsNone(child.poll(), "it was done before the signal came")
            start = time.monotonic()
            child.send_signal(number)
            child.communicate(timeout=60)
            seconds = time.monotonic() - start
        self.assertEqual(child.returncode, -number)
        self.assertLess(seconds, 3)


def pigeonhole(pigeons):
    """Packages that each need one of a row, of which each may be taken once: [(name, alternatives, conflicts)]."""
    out = [("a", [[f"p{i}"] for i in range(pigeons)], [])]
    for i in range(pigeons):
        out.append((f"p{i}", [[f"h{i}x{j}" for j in range(pigeons - 1)]], []))
        out += [(f"h{i}x{j}", [], [f"h{k}x{j}" for k in range(pigeons) if k != i]) for j in range(pigeons - 1)]
    return out


class Deb(Bounded, DebCase):
    def source(self):
        return self.write_deb_source()

    @staticmethod
    def short(name, more="", version=1):
        return f"Package: {name}\nVersion: {version}\nArchitecture: all\nFilename: p\nSize: 1\nSHA256: {HASH}\n{more}"

    def test_more_packages_than_an_index_may_have(self):
        self.describe("\n".join(f"Package: p{number}\nVersion: 1\n" for number in range(1_200_000)))
        self.ends(run.MALFORMED, "more packages than an index may have (500,000)")

    def test_six_million_stanzas(self):
        self.describe("Package: p\nVersion: 1\n\n" * 6_000_000)
        self.ends(run.MALFORMED, "500,000")

    def test_half_a_million_versions(self):
        self.describe("\n".join(self.short("a", version=number) for number in range(499_000)))
        self.assertEqual(self.ends(0), {"a": "498999"})
        self.assertEqual(self.ends(0, more="  older: true\n"), {"a": "498999"})

    def test_more_providers_than_a_name_may_have(self):
        many = "\n".join(self.short(f"p{number}", "Provides: v\n") for number in range(490_000))
        self.describe(many + "\n" + self.short("a", "Depends: v\n") + "\n" + self.short("b"))
        self.ends(run.MALFORMED, "more than 10000", "provide v")
        self.assertEqual(self.ends(0, wanted=("b",)), {"b": "1"})

    def test_more_names_than_a_field_may_have(self):
        for field in ("Depends", "Provides", "Conflicts"):
            with self.subTest(field=field):
                self.repos = []
                self.describe(self.short("b") + "\n" + self.short("a", f"{field}: " + ", ".join(["b"] * 10_001) + "\n"))
                self.ends(run.MALFORMED, "package a", f"more than 10000 names in {field}")
        self.repos = []
        self.describe(self.short("b") + "\n" + self.short("a", f"Depends: {', '.join(['b'] * 10_000)}\n"))
        self.assertEqual(self.ends(0), {"a": "1", "b": "1"})

    def test_eight_million_provides(self):
        self.describe("\n".join(self.short(f"p{number}", "Provides: " + ", ".join(f"v{number}-{k}" for k in range(1000)) + "\n")
                                for number in range(8000)) + "\n" + self.short("a"))
        self.assertEqual(self.ends(0), {"a": "1"})

    def test_very_many_packages_are_reached(self):
        for count in (120_000, 300_000):
            self.repos = []
            self.describe("\n".join(self.short(f"p{number}", f"Depends: p{number + 1}, p{number + 7}\n")
                                    for number in range(count)) + "\n" + self.short("a", "Depends: p0\n") + "\n" +
                          "\n".join(self.short(f"p{number}") for number in range(count, count + 10)))
            if count < 150_000:
                self.assertEqual(len(self.ends(0)), count + 8)
            else:
                self.ends(run.MALFORMED, "package p", "more than 150000 packages are reached")

    def test_alternatives_times_providers(self):
        many = [self.short(f"p{number}", "Provides: " + ", ".join(f"v{k}" for k in range(900)) + "\n") for number in range(3000)]
        self.describe("\n".join(many) + "\n" + self.short("a", "Depends: " + " | ".join(f"v{k}" for k in range(900)) + "\n"))
        self.ends(run.MALFORMED, "package a", "to solve")

    def test_conflicts_times_providers(self):
        self.describe("\n".join(self.short(f"p{number}", "Provides: v\nConflicts: v\n") for number in range(9000)) + "\n" +
                      self.short("a", "Depends: v\n"))
        self.ends(run.MALFORMED, "package p", "to solve")

    def test_pigeons(self):
        for count in (8, 10, 12, 20):
            with self.subTest(count=count):
                self.repos = []
                self.describe([stanza(name, Depends=", ".join(" | ".join(row) for row in rows) or None,
                                      Conflicts=", ".join(conflicts) or None) for name, rows, conflicts in pigeonhole(count)])
                self.ends(run.RESOLVE if count == 8 else run.MALFORMED, "a")

    def test_a_signal_while_it_solves(self):
        self.describe([stanza(name, Depends=", ".join(" | ".join(row) for row in rows) or None,
                              Conflicts=", ".join(conflicts) or None) for name, rows, conflicts in pigeonhole(16)])
        self.interrupted()
        self.interrupted(number=signal.SIGINT)


class Rpm(Bounded, RpmCase):
    def source(self):
        return self.write_rpm_source()

    def describe_text(self, packages):
        """packages: (name, version, lists in XML)."""
        text = "".join(
            f'<package type="rpm"><name>{name}</name><arch>noarch</arch><version epoch="0" ver="{version}" rel="1"/>'
            f'<checksum type="sha256" pkgid="YES">{HASH}</checksum><size package="1"/><location href="p.rpm"/>'
            f"<format>{lists}</format></package>\n" for name, version, lists in packages)
        self.describe([], texts={"primary": f"<metadata {rpmmd.COMMON}>\n{text}</metadata>\n", "other": None})

    @staticmethod
    def entries(kind, names):
        return f"<rpm:{kind}>" + "".join(f'<rpm:entry name="{name}"/>' for name in names) + f"</rpm:{kind}>"

    def test_rich_dependencies_of_very_many_clauses(self):
        pairs = [f"(a{i} and b{i})" for i in range(24)]
        nested = "x0"
        for i in range(1, 200):
            nested = f"(({nested} {'and' if i % 2 else 'or'} y{i}) {'or' if i % 2 else 'and'} z{i})" if i < 60 else nested
        wishes = {"or": f"({' or '.join(pairs)})", "if": f"(x if ({' and '.join(p.replace('and', 'or') for p in pairs)}))",
                  "unless": f"(x unless ({' or '.join(pairs)}))",
                  "else": f"(x if y else ({' or '.join(pairs)}))", "nested": nested}
        for name, wish in wishes.items():
            for kind in ("requires", "conflicts", "recommends", "supplements"):
                with self.subTest(wish=name, kind=kind):
                    self.repos = []
                    self.describe([Stanza("a", **{kind: wish}), Stanza("x"), Stanza("x0")] +
                                  [Stanza(f"{c}{i}") for i in range(24) for c in "ab"])
                    self.use(self.source())
                    self.write_manifest("image", "packages:\n  install: [a, x]\n  weak: true\n")
                    result = self.limited("image")
                    self.assertIn(result.code, (run.OK, run.MALFORMED, run.RESOLVE), result.stderr[-1000:])
                    if result.code == run.MALFORMED:
                        self.assertIn("package a: a rich dependency that makes too many clauses", result.stderr)
                    if name == "or" and kind == "requires":
                        self.assertEqual(result.code, run.MALFORMED)

    def test_rich_dependencies_that_are_used_are_taken(self):
        self.describe([Stanza("a", requires=[f"({' or '.join(f'b{i}' for i in range(100))})",
                                             "((b1 and b2) or (b3 and b4) or (b5 and b6) or (b7 and b8))"])] +
                      [Stanza(f"b{i}") for i in range(100)])
        self.assertGreater(len(self.ends(0)), 2)

    def test_more_packages_than_an_index_may_have(self):
        self.describe_text([(f"p{number}", 1, "") for number in range(500_001)])
        self.ends(run.MALFORMED, "more than 500000 packages")

    def test_hundreds_of_thousands_of_versions(self):
        self.describe_text([("a", number, "") for number in range(400_000)])
        self.assertEqual(self.ends(0), {"a": "399999-1"})

    def test_more_providers_than_a_name_may_have(self):
        self.describe_text([(f"p{number}", 1, self.entries("provides", ["v"])) for number in range(300_000)] +
                           [("a", 1, self.entries("requires", ["v"])), ("b", 1, "")])
        self.ends(run.MALFORMED, "package a", "needs v", "more than 10000")
        self.assertEqual(self.ends(0, wanted=("b",)), {"b": "1-1"})

    def test_more_relations_than_a_package_may_have(self):
        self.describe_text([("a", 1, self.entries("requires", ["b"] * 10_001)), ("b", 1, "")])
        self.ends(run.MALFORMED, "package a: too many relations")
        self.repos = []
        self.describe_text([("a", 1, self.entries("provides", [f"ksym(s{k})" for k in range(30_000)]))])
        self.assertEqual(self.ends(0), {"a": "1-1"})

    def test_millions_of_provides_and_files(self):
        """Their number is bounded for the whole index, far above Fedora's."""
        many = [(f"p{number}", 1, self.entries("provides", [f"v{number}-{k}" for k in range(10_000)])) for number in range(300)]
        self.describe_text(many + [("a", 1, "")])
        self.assertEqual(self.ends(0), {"a": "1-1"})
        self.repos = []
        self.describe_text([(f"p{number}", 1, "".join(f"<file>/etc/d{k}/f{number}</file>" for k in range(1000)))
                            for number in range(4000)] + [("a", 1, "")])
        self.assertEqual(self.ends(0), {"a": "1-1"})
        for lists in (self.entries("provides", [f"v{k}" for k in range(10_000)]), "<file>/etc/f</file>" * 10_000):
            self.repos = []
            self.describe_text([(f"p{number}", 1, lists) for number in range(900)])
            self.ends(run.MALFORMED, "package p", "too many")

    def test_with_compares_all_with_all(self):
        both = self.entries("provides", [f"v{k}" for k in range(20)])
        self.describe_text([(f"p{number}", 1, both) for number in range(9_000)] +
                           [("a", 1, self.entries("requires", [f"(v{k} with v{j})" for k in range(20) for j in range(20)]))])
        self.ends(run.MALFORMED, "package a", "to solve")

    def test_conflicts_and_obsoletes_times_providers(self):
        for kind in ("conflicts", "obsoletes"):
            with self.subTest(kind=kind):
                self.repos = []
                self.describe_text([(f"p{number}", 1, self.entries("provides", ["v"]) + self.entries(kind, ["v"]))
                                    for number in range(9000)] + [("a", 1, self.entries("requires", ["v"]))])
                self.ends(run.MALFORMED, "package p", "to solve")

    def test_pigeons(self):
        for count in (8, 10, 12, 20):
            with self.subTest(count=count):
                self.repos = []
                self.describe([Stanza(name, requires=[f"({' or '.join(row)})" if len(row) > 1 else row[0] for row in rows],
                                      conflicts=conflicts) for name, rows, conflicts in pigeonhole(count)])
                self.ends(run.RESOLVE if count == 8 else run.MALFORMED, "a")

    def test_a_signal_while_it_solves(self):
        self.describe([Stanza(name, requires=[f"({' or '.join(row)})" if len(row) > 1 else row[0] for row in rows],
                              conflicts=conflicts) for name, rows, conflicts in pigeonhole(16)])
        self.interrupted()


if __name__ == "__main__":
    unittest.main()
