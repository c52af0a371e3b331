# SPDX-License-Identifier: Apache-2.0
"""RPM repositories: the same packages as dnf selects on an empty root."""

import os
import random
import time
import unittest

import base  # noqa: F401  (finds the kit)

from kit import report
from kit.rpm_case import RpmCase
from kit.rpmmd import Stanza


def names(answer):
    return {nevra.rsplit("-", 2)[0] for nevra in answer}


class AsDnf(RpmCase):
    def test_newest_version_of_release_and_updates(self):
        self.describe([Stanza("a", "1-1", requires="b >= 2"), Stanza("b", "1-1"), Stanza("b", "2-1"),
                       Stanza("c", "1:1-1"), Stanza("d", "1~rc1-1")])
        self.describe([Stanza("b", "2-2"), Stanza("c", "2-1"), Stanza("d", "1-1"), Stanza("d", "1^git-1")], "updates")
        answers = self.assert_as_dnf([["a"], ["b"], ["c"], ["d"], ["a", "c", "d"]])
        self.assertEqual(answers[0], ["a-1-1.noarch", "b-2-2.noarch"])
        self.assertEqual(answers[2], ["c-1:1-1.noarch"])

    def test_alternatives_and_virtual_provides(self):
        self.describe([Stanza("app", requires=["mail", "web >= 2"]), Stanza("postfix", provides="mail"),
                       Stanza("exim", provides="mail"), Stanza("a-mail", provides="mail"),
                       Stanza("nginx", "1-1", provides="web = 3"), Stanza("httpd", "2-1", provides="web = 2"),
                       Stanza("small", provides="web = 1"), Stanza("mail-app", requires=["mail", "exim"]),
                       Stanza("longer", requires="mail", recommends="exim"), Stanza("wants", suggests="postfix",
                                                                                   requires="mail")])
        self.assert_as_dnf([["app"], ["mail-app"], ["longer"], ["wants"], ["mail"], ["web"], ["app", "exim"]])

    def test_rich_dependencies(self):
        self.describe([Stanza("cond", requires="(a-extra if a)"), Stanza("a"), Stanza("a-extra"),
                       Stanza("either", requires="(one or two)"), Stanza("one"), Stanza("two", requires="three"),
                       Stanza("three"), Stanza("both", requires="(one and three)"),
                       Stanza("elsewise", requires="(one if a else three)"), Stanza("lib", "2-1", provides="so = 2"),
                       Stanza("with", requires="(so >= 1 with lib < 3)"), Stanza("unless", requires="(two unless a)"),
                       Stanza("without", requires="(so without lib)"), Stanza("other", provides="so = 1"),
                       Stanza("chain", requires="((one or two) and (three if one))"),
                       Stanza("noa", conflicts="(a unless three)")])
        self.assert_as_dnf([["cond"], ["cond", "a"], ["either"], ["either", "two"], ["both"], ["elsewise"],
                            ["elsewise", "a"], ["with"], ["without"], ["unless"], ["unless", "a"], ["chain"],
                            ["noa", "a"], ["noa", "a", "three"]])

    def test_file_dependencies(self):
        self.describe([Stanza("app", requires=["/usr/bin/tool", "/etc/app.conf"]), Stanza("tool", files=["/usr/bin/tool"]),
                       Stanza("conf", files=["/etc/app.conf"]), Stanza("deep", requires="/usr/share/data/words"),
                       Stanza("words", files=["/usr/share/data/words", "/usr/share/data/"]),
                       Stanza("folder", requires="/usr/share/data"), Stanza("lost", requires="/usr/share/nowhere"),
                       Stanza("choice", requires="(/usr/share/data/words or tool)"),
                       Stanza("alt", requires="virtual"), Stanza("v-one", provides="virtual", requires="/opt/v/one"),
                       Stanza("v-other-longer", provides="virtual"), Stanza("opt", files=["/opt/v/one"])])
        self.assert_as_dnf([["app"], ["deep"], ["folder"], ["lost"], ["choice"], ["alt"], ["app", "deep"]])

    def test_obsoletes(self):
        self.describe([Stanza("old", "1-1"), Stanza("needs-old", requires="old"), Stanza("split", "3-1"),
                       Stanza("unrelated", "1-1")])
        self.describe([Stanza("new", "2-1", obsoletes="old < 2", provides="old = 2"),
                       Stanza("split-a", "4-1", obsoletes="split < 4"), Stanza("split-b", "4-1", obsoletes="split < 4"),
                       Stanza("gone", "1-1", obsoletes="unrelated < 1")], "updates")
        self.assert_as_dnf([["old"], ["needs-old"], ["split"], ["unrelated"], ["new"], ["old", "new"], ["split", "old"]])

    def test_an_obsoleter_of_older_versions_only_does_not_count(self):
        self.describe([Stanza("udev", "1-1"), Stanza("udev", "2-1"), Stanza("boot-unsigned", "2-1", obsoletes="udev < 2"),
                       Stanza("gone", "1-1"), Stanza("gone", "2-1"), Stanza("heir", obsoletes="gone < 3"),
                       Stanza("app", requires="udev"), Stanza("dear", "1-1"), Stanza("heir-of-dear", obsoletes="dear < 2")], priority=10)
        self.describe([Stanza("dear", "2-1")], "late", priority=20)
        self.assertEqual(self.select([["udev"], ["gone"], ["app"], ["dear"]], "x86_64"),
                         [["udev-2-1"], ["heir-1-1"], ["app-1-1", "udev-2-1"], ["heir-of-dear-1-1"]])
        self.assert_as_dnf([["udev"], ["gone"], ["app"], ["dear"], ["udev", "gone"], ["boot-unsigned"],
                            ["udev", "boot-unsigned"]])

    def test_priorities(self):
        self.describe([Stanza("a", "2-1"), Stanza("b", "2-1", provides="virtual"), Stanza("app", requires="virtual")],
                      priority=50)
        self.describe([Stanza("a", "1-1"), Stanza("c", "1-1", provides="virtual")], "preferred", priority=10)
        answers = self.assert_as_dnf([["a"], ["app"], ["virtual"], ["b"]])
        self.assertEqual(answers[0], ["a-1-1.noarch"])

    def test_excludes_and_includes(self):
        self.describe([Stanza("a", "1-1", requires="b"), Stanza("b", "1-1"), Stanza("b", "2-1"), Stanza("c", "1-1"),
                       Stanza("d", "1:1-1"), Stanza("kernel-debug"), Stanza("kernel", "1-1"),
                       Stanza("arched", arch="x86_64"), Stanza("arched", arch="aarch64")],
                      excludepkgs=["b-2-1", "c", "d-1:1-1.noarch", "kernel-*", "arched.aarch64"])
        self.describe([Stanza("e"), Stanza("f"), Stanza("e-devel")], "extra", includepkgs=["e*"])
        self.assert_as_dnf([["a"], ["b"], ["c"], ["d"], ["kernel-debug"], ["kernel"], ["arched"], ["e"], ["f"],
                            ["e-devel"]])

    def test_multilib(self):
        """Where dnf has a choice it takes the architecture asked for; i686 never comes by itself."""
        self.describe([Stanza("app", arch="x86_64", requires="libx.so.1()(64bit)"),
                       Stanza("libx", arch="x86_64", provides="libx.so.1()(64bit)"),
                       Stanza("libx", arch="i686", provides="libx.so.1"), Stanza("libx", "2-1", arch="i686"),
                       Stanza("plain", arch="x86_64", requires="libx")])
        self.assert_as_dnf([["app"], ["libx"]], arches=("x86_64",))
        self.assertEqual(self.select([["plain"]], "x86_64"), [["libx-1-1", "plain-1-1"]])

    def test_only_a_foreign_architecture_has_it(self):
        self.describe([Stanza("app", arch="x86_64", requires="only32"), Stanza("only32", arch="i686")])
        self.assertEqual(self.select([["app"], ["only32"]], "x86_64"), [None, None])

    def test_another_architecture_asked_for_by_name_is_refused_in_words(self):
        self.describe([Stanza("libx", arch="x86_64"), Stanza("libx", arch="i686"), Stanza("any")])
        self.assertEqual(self.select([["libx.x86_64"], ["any.noarch"]], "x86_64"), [["libx-1-1"], ["any-1-1"]])
        self.write_manifest("served", "packages:\n  install: [libx.i686]\n")
        self.refuse(5, "libx.i686", "an image for x86_64", "multilib is not supported", arguments=("--arch", "x86_64", "served"))

    def test_conflicts(self):
        self.describe([Stanza("app", requires="mta"), Stanza("a-mta", provides="mta", conflicts="dns"),
                       Stanza("longer-mta", provides="mta"), Stanza("dns"), Stanza("self", provides="x", conflicts="x"),
                       Stanza("range", conflicts="dns < 2"), Stanza("strict", conflicts="dns = 1-1")])
        self.assert_as_dnf([["app"], ["app", "dns"], ["a-mta", "dns"], ["self"], ["range"], ["range", "dns"],
                            ["strict", "dns"]])

    def test_what_is_asked_for_is_the_newest_or_nothing(self):
        """As dnf's `best`: what that depends on may be older, with a note; a key lets older ones in everywhere."""
        self.describe([Stanza("app", requires="lib"), Stanza("lib", "2-1", requires="missing"), Stanza("lib", "1-1"),
                       Stanza("pinned", requires=["lib = 1-1"]), Stanza("pair", requires=["pinned", "lib >= 1"]),
                       Stanza("deep", requires="app"), Stanza("deep", "2-1", requires="lib >= 2")])
        requests = [["app"], ["lib"], ["pinned"], ["pair"], ["missing"], ["deep"], ["lib", "app"]]
        answers = self.assert_as_dnf(requests)
        self.assertEqual([names(answer) if answer else None for answer in answers],
                         [{"app", "lib"}, None, {"pinned", "lib"}, {"pair", "pinned", "lib"}, None, None, None])
        error = self.factory.run("--dry-run", "--arch", "x86_64", "image-1")
        self.assertEqual(error.code, 5, error)
        for words in ("nothing provides missing needed by lib-2-1", "lib 1-1 instead of 2-1", "--allow-older"):
            self.assertIn(words, error.stderr)
        older = self.assert_as_dnf(requests, more="  older: true\n", best=False)
        self.assertEqual(older[1], ["lib-1-1.noarch"])
        note = "lib 1-1 is not the newest version that the sources have (2-1)"
        self.assertEqual([note in report.Report(self.last.stdout).order(f"image-{number}", "aarch64")["notes"]
                          for number in (0, 1, 2)], [True] * 3)
        self.assertIn(f"image-0 x86_64: note: {note}",
                      self.factory.run("--dry-run", "--arch", "x86_64", "--allow-older", "image-0").stderr)

    def test_best_looks_at_priorities_excludes_and_modules_first(self):
        self.describe([Stanza("low", "2-1"), Stanza("out", "1-1"), Stanza("out", "2-1", requires="missing")],
                      priority=50, excludepkgs=["out-2-1"])
        self.describe([Stanza("low", "1-1", requires="missing"), Stanza("high", "1-1")], "preferred", priority=10)
        self.describe([Stanza("high", "2-1", requires="missing")], "last", priority=90)
        answers = self.assert_as_dnf([["low"], ["out"], ["high"]])
        self.assertEqual(answers, [None, ["out-1-1.noarch"], ["high-1-1.noarch"]])

    def test_thousands_of_versions_of_a_package(self):
        """libsolv's work grows with their square; a version that is asked for or needed is found among them."""
        self.describe([Stanza("tool", f"{number}-1", requires=f"tool-data = {number}-1", provides=f"api = {number}")
                       for number in range(1, 4001)] +
                      [Stanza("tool-data", f"{number}-1") for number in range(1, 4001)] +
                      [Stanza("user", requires="tool = 7-1"), Stanza("api-user", requires="api < 40"),
                       Stanza("newest", requires="tool")])
        start = time.monotonic()
        answers = self.select([["tool"], ["user"], ["api-user"], ["newest"]], "x86_64")
        self.assertLess(time.monotonic() - start, 20)
        self.assertEqual(answers, [["tool-4000-1", "tool-data-4000-1"], ["tool-7-1", "tool-data-7-1", "user-1-1"],
                                   ["api-user-1-1", "tool-39-1", "tool-data-39-1"],
                                   ["newest-1-1", "tool-4000-1", "tool-data-4000-1"]])

    def test_weak_dependencies(self):
        stanzas = [Stanza("app", recommends=["nice", "(x if y)", "absent"], suggests="maybe"), Stanza("nice"),
                   Stanza("maybe"), Stanza("x"), Stanza("y"), Stanza("plug", supplements="app"),
                   Stanza("plug-both", supplements="(app and y)"), Stanza("loose", enhances="app"),
                   Stanza("clash", recommends="nice", conflicts="nice")]
        self.describe(stanzas)
        self.assertEqual(names(self.assert_as_dnf([["app"], ["app", "y"], ["clash"]])[0]), {"app"})
        answers = self.assert_as_dnf([["app"], ["app", "y"], ["clash"]], weak=True, more="  weak: true\n")
        self.assertEqual(names(answers[0]), {"app", "nice", "plug"})

    def test_self_reference_and_cycles(self):
        self.describe([Stanza("a", requires=["b", "a"]), Stanza("b", requires="c"), Stanza("c", requires="a"),
                       Stanza("own", requires="own-thing", provides="own-thing")])
        self.assert_as_dnf([["a"], ["b"], ["own"]])

    def test_install_only_packages(self):
        self.describe([Stanza("kernel", "1-1"), Stanza("kernel", "2-1"), Stanza("mod", requires="kernel = 1-1"),
                       Stanza("both", requires=["mod", "kernel >= 2"])])
        self.assert_as_dnf([["kernel"], ["mod"], ["both"]])


class Random(RpmCase):
    def make(self, dice, count):
        """Packages with relations by chance, in two repositories."""
        virtual = [f"v{number}" for number in range(count // 3)]
        every = [f"p{number}" for number in range(count)]

        def some(pool, most):
            return dice.sample(pool, dice.randint(0, most))

        def need():
            kind = dice.random()
            one, other = dice.choice(every + virtual), dice.choice(every + virtual)
            if kind < 0.6:
                return one
            if kind < 0.75:
                return f"{dice.choice(every)} {dice.choice(['>=', '<', '=', '<='])} {dice.randint(1, 3)}-1"
            if kind < 0.85:
                return f"({one} {dice.choice(['or', 'and', 'if'])} {other})"
            return dice.choice([f"/usr/bin/{dice.choice(every)}", f"/usr/share/{dice.choice(every)}/data"])

        out = []
        for name in every:
            for version in dice.sample(range(1, 4), dice.randint(1, 2)):
                relations = {"requires": [need() for _ in range(dice.randint(0, 3))], "provides": some(virtual, 2)}
                if dice.random() < 0.1:
                    relations["conflicts"] = [dice.choice(every + virtual)]
                if dice.random() < 0.05:
                    relations["obsoletes"] = [f"{dice.choice(every)} < 2-1"]
                if dice.random() < 0.2:
                    relations["recommends"] = [need()]
                if dice.random() < 0.1:
                    relations["supplements"] = [dice.choice(every)]
                files = [f"/usr/bin/{name}", f"/usr/share/{name}/data"] if dice.random() < 0.7 else []
                out.append(Stanza(name, f"{version}-1", files=files, **relations))
        return out

    def test_random_repositories(self):
        solved = 0
        first, count = int(os.environ.get("IMGFACTORY_SOLVE_SEED", 0)), int(os.environ.get("IMGFACTORY_SOLVE_SEEDS", 12))
        for seed in range(first, first + count):
            with self.subTest(seed=seed):
                dice = random.Random(seed)
                stanzas = self.make(dice, 60)
                half = len(stanzas) * 2 // 3
                self.repos, self.obsoleted = [], set()
                self.versions.clear()
                self.describe(stanzas[:half])
                self.describe(stanzas[half:], "updates")
                requests = [[f"p{number}"] for number in range(0, 60, 2)]
                requests += [[f"p{number}", f"p{number + 1}"] for number in range(0, 60, 6)]
                choices = {"more": "  older: true\n", "best": False} if seed % 3 == 2 else {}
                answers = self.assert_as_dnf(requests, arches=("x86_64",), **choices)
                solved += sum(answer is not None for answer in answers)
        self.assertGreater(solved, count * 8)


class Modules(RpmCase):
    STREAM = ("---\ndocument: modulemd\nversion: 2\ndata:\n  name: {name}\n  stream: '{stream}'\n  version: {version}\n"
              "  context: c0ffee\n  arch: x86_64\n  summary: s\n  description: d\n  license: {{module: [MIT]}}\n{more}"
              "  artifacts:\n    rpms: [{rpms}]\n...\n")
    DEFAULT = ("---\ndocument: modulemd-defaults\nversion: 1\ndata:\n  module: {name}\n  stream: '{stream}'\n...\n")

    def stream(self, name, stream, rpms, version=1, more=""):
        return self.STREAM.format(name=name, stream=stream, version=version, rpms=", ".join(rpms), more=more)

    def make(self, default=True, **options):
        text = self.stream("db", "1", ["db-0:1-1.m.x86_64", "db-libs-0:1-1.m.x86_64"])
        text += self.stream("db", "2", ["db-0:2-1.m.x86_64", "db-libs-0:2-1.m.x86_64"])
        text += self.stream("db", "2", ["db-0:2-2.m.x86_64", "db-libs-0:2-2.m.x86_64"], version=2)
        if default:
            text += self.DEFAULT.format(name="db", stream="1")
        self.describe([Stanza("db", "1-1.m", "x86_64", requires="db-libs = 1-1.m"), Stanza("db-libs", "1-1.m", "x86_64"),
                       Stanza("db", "2-1.m", "x86_64", requires="db-libs = 2-1.m"), Stanza("db-libs", "2-1.m", "x86_64"),
                       Stanza("db", "2-2.m", "x86_64", requires="db-libs = 2-2.m"), Stanza("db-libs", "2-2.m", "x86_64"),
                       Stanza("app", "1-1", "x86_64", requires="db"), Stanza("plain", "1-1", "x86_64")],
                      "modular", modules=text)
        self.describe([Stanza("db", "9-1", "x86_64"), Stanza("fork", "9-1", "x86_64", provides="db = 9")], "other",
                      **options)

    REQUESTS = [["db"], ["app"], ["db-libs"], ["plain"], ["fork"]]

    def test_default_stream(self):
        self.make()
        answers = self.assert_as_dnf(self.REQUESTS, arches=("x86_64",))
        self.assertEqual(answers[0], ["db-1-1.m.x86_64", "db-libs-1-1.m.x86_64"])

    def test_all_versions_of_a_stream_count(self):
        """What only an older one has, and an older build where the newest cannot be installed and may be older."""
        text = (self.stream("srv", "1", ["srv-0:1-1.noarch", "old-tool-0:1-1.noarch"]) + self.stream("srv", "1", ["srv-0:2-1.noarch"], version=2) +
                self.stream("srv", "2", ["srv-0:3-1.noarch", "new-tool-0:1-1.noarch"]) + self.DEFAULT.format(name="srv", stream="1"))
        self.describe([Stanza("srv", "1-1"), Stanza("srv", "2-1", requires="missing"), Stanza("srv", "3-1"), Stanza("old-tool", "1-1"),
                       Stanza("new-tool", "1-1"), Stanza("app", requires="srv")], modules=text)
        requests = [["srv"], ["old-tool"], ["new-tool"], ["app"], ["srv-1"]]
        answers = self.assert_as_dnf(requests, arches=("x86_64",))
        self.assertEqual(answers[:3], [None, ["old-tool-1-1.noarch"], None])
        self.assertEqual(self.assert_as_dnf(requests, arches=("x86_64",), more="  older: true\n", best=False)[0], ["srv-1-1.noarch"])

    def test_no_default_stream(self):
        self.make(default=False)
        answers = self.assert_as_dnf(self.REQUESTS, arches=("x86_64",))
        self.assertEqual(answers[0], ["db-9-1.x86_64"])

    def test_enabled_stream(self):
        self.modules = ["db:2"]
        self.make()
        answers = self.assert_as_dnf(self.REQUESTS, arches=("x86_64",))
        self.assertEqual(answers[0], ["db-2-2.m.x86_64", "db-libs-2-2.m.x86_64"])

    def test_hotfixes_are_not_filtered(self):
        self.make(module_hotfixes=True)
        self.assertEqual(self.assert_as_dnf(self.REQUESTS, arches=("x86_64",))[0], ["db-9-1.x86_64"])

    def test_streams_need_streams(self):
        text = self.stream("base", "7", ["base-0:7-1.x86_64"]) + self.stream("base", "8", ["base-0:8-1.x86_64"])
        text += self.stream("tool", "1", ["tool-0:1-1.x86_64"],
                            more="  dependencies:\n  - requires: {base: ['7']}\n")
        text += self.DEFAULT.format(name="tool", stream="1")
        self.describe([Stanza("base", "7-1", "x86_64"), Stanza("base", "8-1", "x86_64"),
                       Stanza("tool", "1-1", "x86_64", requires="base")], modules=text)
        self.assert_as_dnf([["tool"], ["base"]], arches=("x86_64",))

    def test_unknown_stream(self):
        self.modules = ["db:77"]
        self.make()
        self.use(self.write_rpm_source())
        self.write_manifest("served", "packages:\n  install: [db]\n")
        self.refuse(5, "db:77", arguments=("--arch", "x86_64", "served"))


if __name__ == "__main__":
    unittest.main()
