# SPDX-License-Identifier: Apache-2.0
"""Debian repositories: the same packages as apt-get installs on an empty system, and the same refusals."""

import os
import random
import sys
import unittest

import base  # noqa: F401  (finds the kit)

from kit.deb_case import DebCase
from kit.debmd import stanza


class AsApt(DebCase):
    def test_the_candidate_or_nothing(self):
        """Other versions than the candidate are not there for apt, whatever relations say."""
        self.describe([stanza("lib", "1"), stanza("lib", "2", Depends="never-there"), stanza("app", Depends="lib"),
                       stanza("deep", Depends="mid"), stanza("mid", Depends="app"), stanza("wants-old", Depends="lib (= 1)"),
                       stanza("below", Depends="good (<< 2)"), stanza("good", "1"), stanza("good", "2"),
                       stanza("new", Depends="good (>= 2)"), stanza("strict", "1", Depends="good"),
                       stanza("strict", "2", Depends="good (= 1)"), stanza("self", "1", arch="amd64"),
                       stanza("self", "2", arch="all", Depends="never-there"), stanza("other", "1", arch="amd64"),
                       stanza("other", "2", arch="arm64")])
        requests = [["app"], ["lib"], ["deep"], ["wants-old"], ["below"], ["new"], ["strict"], ["self"], ["other"],
                    ["good", "app"]]
        answers = self.assert_as_apt(requests)
        self.assertEqual(answers, [None] * 5 + [{"new": "1", "good": "2"}, None, None, {"other": "1"}, None])
        self.assertIn("nothing provides never-there needed by lib-2", self.errors[0])
        self.assertIn("lib 1 instead of 2", self.errors[0])
        self.assertIn("--allow-older", self.errors[2])

    def test_older_versions_when_they_are_fine(self):
        self.describe([stanza("lib", str(number), Depends="never-there" if number > 1 else None) for number in (3, 1, 2)] +
                      [stanza("app", Depends="lib"), stanza("twice", Depends="lib, good (<< 2)"), stanza("good", "1"),
                       stanza("good", "2"), stanza("both", Depends="good (<< 2), good (>= 2)")])
        requests = [["app"], ["lib"], ["twice"], ["both"], ["good"]]
        wanted = [{"app": "1", "lib": "1"}, {"lib": "1"}, {"twice": "1", "lib": "1", "good": "1"}, None, {"good": "2"}]
        self.assertEqual(self.select(requests, more="  older: true\n"), wanted)
        self.assertEqual(self.select(requests, options=("--allow-older",)), wanted)
        self.assertEqual(self.notes[2], ["good 1 is not the newest version that the sources have (2)",
                                         "lib 1 is not the newest version that the sources have (3)"])
        self.assertEqual(self.notes[4], [])
        self.write("imgfactory.yaml", "allow-older: true\n")
        self.assertEqual(self.select(requests, options=("--config", self.path("imgfactory.yaml"))), wanted)
        self.assertEqual(self.select(requests)[:3], [None] * 3)

    def test_alternatives_and_virtual_packages_of_which_one_cannot_be_installed(self):
        self.describe([stanza("a", "1"), stanza("a", "2", Depends="never-there"), stanza("b"), stanza("or", Depends="a | b"),
                       stanza("versioned", Depends="a (<< 2) | b"), stanza("gone", Depends="nothing | b | a"),
                       stanza("mta-one", "1", Provides="mta"), stanza("mta-one", "2", Provides="mta", Depends="never-there"),
                       stanza("mta-two", Provides="mta", Priority="extra"), stanza("mail", Depends="mta"),
                       stanza("default", Depends="mta-one | mta"), stanza("was", "1", Provides="virt"), stanza("was", "2"),
                       stanza("virtual", Depends="virt"), stanza("deep", Depends="or, default")])
        answers = self.assert_as_apt([["or"], ["versioned"], ["gone"], ["mail"], ["default"], ["virtual"], ["deep"]])
        self.assertEqual(answers[0], {"or": "1", "b": "1"})
        self.assertEqual(answers[5], None)

    def test_priorities_of_repositories_come_before_versions(self):
        self.describe([stanza("lib", "1"), stanza("app", Depends="lib"), stanza("needs-new", Depends="lib (>= 2)")])
        self.describe([stanza("lib", "2"), stanza("only-here", Depends="lib")], "backports", NotAutomatic="yes",
                      ButAutomaticUpgrades="yes")
        self.describe([stanza("lib", "3"), stanza("only-here", "9", Depends="lib (>= 3)")], "experimental", NotAutomatic="yes")
        answers = self.assert_as_apt([["lib"], ["app"], ["needs-new"], ["only-here"]])
        self.assertEqual(answers, [{"lib": "1"}, {"app": "1", "lib": "1"}, None, {"only-here": "1", "lib": "1"}])
        self.assertEqual(self.select([["needs-new"]], more="  older: true\n"), [{"needs-new": "1", "lib": "2"}])

    def test_a_package_of_another_maker_in_place_of_the_distribution_s_is_told(self):
        self.describe([stanza("base-files"), stanza("lib", "1"), stanza("own", "3"), stanza("app", Depends="lib, own, extra"), stanza("fixed", "1")])
        self.describe([stanza("fixed", "2")], "security", Codename="kit-security")
        self.describe([stanza("lib", "9:9-1"), stanza("own", "2"), stanza("extra", "1")], "third", Origin="Third", Codename="third")
        self.describe([stanza("lib", "8"), stanza("fixed", "1")], "twin")
        self.assertEqual(self.select([["app", "fixed"]]), [{"app": "1", "lib": "9:9-1", "own": "3", "extra": "1", "fixed": "2"}])
        told = [note for note in self.notes[0] if "has it, too" in note]
        self.assertEqual(len(told), 1, told)
        self.assertRegex(told[0], r"^lib 9:9-1 comes from .*/third/; .*/twin/ has it, too \(8\)$")

    def test_a_candidate_that_nobody_can_fetch_is_not_replaced_by_an_older_one(self):
        self.describe([stanza("lib", "1"), stanza("lib", "2", SHA256=None), stanza("app", Depends="lib")])
        self.assertEqual(self.select([["app"]]), [None])
        self.assertIn("lib 2 of", self.errors[0])
        self.assertIn("no SHA256", self.errors[0])
        self.assertEqual(self.select([["app"]], more="  older: true\n"), [{"app": "1", "lib": "1"}])

    def test_thousands_of_versions_of_a_package(self):
        self.describe([stanza("tool", str(number), Depends=f"tool-data (= {number})", Provides="tool-api")
                       for number in range(1, 12001)] + [stanza("tool-data", str(number)) for number in range(1, 12001)] +
                      [stanza("app", Depends="tool"), stanza("api", Depends="tool-api"), stanza("old", Depends="tool (= 77)")])
        newest = {"tool": "12000", "tool-data": "12000"}
        self.assertEqual(self.select([["app"], ["api"], ["old"]]), [{"app": "1", **newest}, {"api": "1", **newest}, None])
        self.assertIn("tool 77 instead of 12000", self.errors[2])
        self.assertEqual(self.select([["old"]], more="  older: true\n"), [{"old": "1", "tool": "77", "tool-data": "77"}])


class Random(DebCase):
    def make(self, dice, count):
        every = [f"p{number}" for number in range(count)]

        def relation():
            name = dice.choice(every) if dice.random() < 0.98 else "never-there"
            return name if dice.random() < 0.8 else f"{name} ({dice.choice(['>=', '<<', '=', '<='])} {dice.randint(1, 3)})"

        def field():
            return ", ".join(relation() for _ in range(dice.choice((0, 0, 1, 1, 2)))) or None

        return [stanza(name, str(version), Depends=field(), Pre_Depends=field() if dice.random() < 0.1 else None)
                for name in every for version in sorted(dice.sample(range(1, 4), dice.randint(1, 2)))]

    def test_random_repositories(self):
        """Without alternatives and conflicts, among which apt gives up sooner than libsolv."""
        first, count = int(os.environ.get("IMGFACTORY_SOLVE_SEED", 0)), int(os.environ.get("IMGFACTORY_SOLVE_SEEDS", 6))
        solved = refused = 0
        for seed in range(first, first + count):
            with self.subTest(seed=seed):
                dice = random.Random(seed)
                self.repos = []
                stanzas = self.make(dice, 60)
                self.describe(stanzas[:80])
                self.describe(stanzas[80:], "more")
                answers = self.assert_as_apt([[f"p{number}"] for number in range(0, 60, 2)])
                solved += sum(answer is not None for answer in answers)
                refused += sum(answer is None for answer in answers)
        sys.stderr.write(f"[{solved} solved, {refused} refused] ")
        self.assertGreater(min(solved, refused), count * 2)


class OnABase(DebCase):
    """What a base has installed is there for apt, too."""

    def has(self, *stanzas):
        self.status = "".join(text.replace("\n", "\nStatus: install ok installed\n", 1).rstrip("\n") + "\n\n" for text in stanzas)

    def test_what_is_installed_stays_unless_something_needs_another(self):
        self.describe([stanza("lib", "2"), stanza("app", Depends="lib"), stanza("new", Depends="lib (>= 2)"),
                       stanza("either", Depends="one | two"), stanza("one"), stanza("two"), stanza("breaker", Breaks="lib (<< 2)"),
                       stanza("old", Depends="lib (<< 2)"), stanza("mta", Conflicts="other-mta"), stanza("other-mta"),
                       stanza("both", Depends="old, new"), stanza("virtual", Depends="mail"), stanza("mailer", Provides="mail"),
                       stanza("lib-dev", "2", Depends="lib (= 2), more"), stanza("more"), stanza("deep", Depends="either, new")])
        self.has(stanza("lib", "1"), stanza("two"), stanza("other-mta"), stanza("lib-dev", "1", Depends="lib (= 1)"),
                 stanza("postman", Provides="mail"))
        requests = [["app"], ["new"], ["either"], ["breaker"], ["old"], ["mta"], ["both"], ["virtual"], ["lib"], ["two"],
                    ["other-mta", "app"], ["deep"], ["mailer"], ["one", "either"]]
        answers = self.assert_as_apt(requests)
        self.assertEqual(answers[0], {"app": "1"})
        self.assertEqual(answers[1], {"new": "1", "lib": "2", "lib-dev": "2", "more": "1"})
        self.assertEqual(answers[5], None)

    def test_other_states_and_architectures(self):
        self.describe([stanza("lib", "1"), stanza("app", Depends="lib"), stanza("same", "1", arch="amd64"),
                       stanza("wants", Depends="same")])
        self.has(stanza("lib", "1").replace("\n", "\n", 1))
        self.status = self.status.replace("install ok installed", "deinstall ok config-files")
        self.assertEqual(self.assert_as_apt([["app"]]), [{"app": "1", "lib": "1"}])


if __name__ == "__main__":
    unittest.main()
