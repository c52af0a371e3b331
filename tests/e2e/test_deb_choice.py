# SPDX-License-Identifier: Apache-2.0
"""What apt chooses where several packages would do, and how versions compare: generated cases, with apt-get and dpkg as judges."""

import os
import random
import re
import subprocess
import sys
import unittest

import base  # noqa: F401  (finds the kit)

from kit.deb_case import DebCase
from kit.debmd import stanza

PRIORITIES = [None, "required", "important", "standard", "optional", "extra", "Optional", "strange"]


class Providers(DebCase):
    """Purely virtual names, alternatives, versions of what is provided, architecture qualifiers."""

    def relation(self, dice, names):
        name, kind = dice.choice(names), dice.random()
        if kind < 0.15:
            return f"{name} ({dice.choice(['>=', '<<', '=', '<=', '>>'])} {dice.randint(1, 3)})"
        return name + ":any" if kind < 0.2 else name

    def fields(self, dice, real, virtual):
        provides = [name if dice.random() < 0.6 else f"{name} (= {dice.randint(1, 3)})"
                    for name in dice.sample(virtual, dice.choice((0, 0, 1, 1, 2, 3)))]
        depends = [" | ".join(self.relation(dice, virtual + real) for _ in range(dice.choice((1, 1, 1, 2, 3))))
                   for _ in range(dice.choice((0, 0, 0, 1, 2)))]
        fields = {"Provides": ", ".join(provides) or None, "Depends": ", ".join(depends) or None,
                  "Priority": dice.choice(PRIORITIES) if dice.random() < 0.5 else "optional",
                  "Multi_Arch": dice.choice([None, None, None, "foreign", "allowed", "same"])}
        for name, share in (("Suggests", 0.2), ("Enhances", 0.1), ("Replaces", 0.1), ("Recommends", 0.1)):
            fields[name] = self.relation(dice, real) if dice.random() < share else None
        for name in ("Essential", "Important", "Protected"):
            fields[name] = "yes" if dice.random() < 0.03 else None
        return {name: value for name, value in fields.items() if value}

    def requests(self, dice, seed):
        real, virtual = [f"p{number}" for number in range(24)], [f"v{number}" for number in range(6)]
        stanzas = [stanza(name, str(version), **self.fields(dice, real, virtual)) for name in dice.sample(real, len(real))
                   for version in sorted(dice.sample(range(1, 4), dice.choice((1, 1, 1, 2))))]
        cut = dice.randint(1, len(stanzas) - 1)
        self.describe(stanzas[:cut], f"first{seed}")
        self.describe(stanzas[cut:], f"second{seed}")
        self.describe([stanza(f"x{number}", Depends=name) for number, name in enumerate(virtual)] +
                      [stanza(f"w{number}", Depends=" | ".join(dice.sample(virtual + real, 3))) for number in range(4)], f"third{seed}")
        return ([[f"x{number}"] for number in range(6)] + [[f"w{number}"] for number in range(4)] + [[name] for name in virtual] +
                [[f"x{dice.randint(0, 5)}", dice.choice(real)] for _ in range(5)] + [[dice.choice(real)] for _ in range(6)])

    def test_generated_repositories_of_providers(self):
        first, count = int(os.environ.get("IMGFACTORY_CHOICE_SEED", 0)), int(os.environ.get("IMGFACTORY_CHOICE_SEEDS", 3))
        asked = 0
        for seed in range(first, first + count):
            with self.subTest(seed=seed):
                self.repos = []
                asked += len(self.assert_as_apt(self.requests(random.Random(seed), seed)))
        sys.stderr.write(f"[{asked} requests] ")

    def test_the_one_that_is_mentioned_later_is_taken(self):
        """In whatever field, also of another repository, and of what stands in one stanza in apt's order of fields."""
        self.describe([stanza("x", Depends="mta"), stanza("hint", Suggests="late"), stanza("early", Provides="mta"), stanza("late", Provides="mta"),
                       stanza("y", Depends="two"), stanza("both", Enhances="e2", Depends="e1"), stanza("e1", Provides="two"), stanza("e2", Provides="two"),
                       stanza("z", Depends="three"), stanza("w", Depends="three2", Suggests="t1:any, xt2, t2x, none (= t2)"),
                       stanza("t1", Provides="three"), stanza("t2", Provides="three"), stanza("three2")])
        answers = self.assert_as_apt([["x"], ["y"], ["z"]])
        self.assertEqual(answers, [{"x": "1", "early": "1"}, {"y": "1", "e2": "1"}, {"z": "1", "t2": "1"}])

    def test_all_that_is_asked_for_is_taken_before_what_that_needs(self):
        self.describe([stanza("x", Depends="mta"), stanza("a", Provides="mta"), stanza("b", Provides="mta"), stanza("or", Depends="one | two"),
                       stanza("one"), stanza("two")])
        self.assertEqual(self.assert_as_apt([["x", "a"], ["or", "two"]]), [{"x": "1", "a": "1"}, {"or": "1", "two": "1"}])

    def test_a_provider_that_cannot_be_had_is_passed_over(self):
        self.describe([stanza("x", Depends="mta"), stanza("good", Provides="mta"), stanza("bad", Provides="mta", Depends="never-there"),
                       stanza("deep", Provides="mta", Depends="bad"), stanza("odd", Provides="mta (>= 1)"), stanza("y", Depends="mta (= 1)")])
        self.assertEqual(self.assert_as_apt([["x"], ["y"]]), [{"x": "1", "good": "1"}, None])

    def test_versions_of_a_package_for_any_architecture(self):
        self.describe([stanza("a", Multi_Arch="allowed", Provides="v (= 3)"), stanza("f", Multi_Arch="foreign"), stanza("s", Multi_Arch="same"),
                       stanza("x", Depends="a:any"), stanza("y", Depends="f:any"), stanza("z", Depends="s:any"), stanza("w", Depends="v:any (>= 2)"),
                       stanza("n", Depends="a:amd64"), stanza("other", Depends="a:arm64")])
        self.assertEqual([answer is None for answer in self.assert_as_apt([["x"], ["y"], ["z"], ["w"], ["n"], ["other"]])],
                         [False, True, True, False, False, True])


class Versions(DebCase):
    ODD = [pair for one, other in (("1", "1-0"), ("1", "1-0~"), ("1", "1-0~1"), ("0:1", "1"), ("1.0", "1.00"), ("1a", "1a0"), ("1~", "1"), ("1+", "1+0"),
                                   ("1-1", "1-1-1"), ("1.", "1.0~1"), ("1:0", "2"), ("1-00", "1"), ("1-0a", "1"), ("1-a", "1"), ("1-~", "1"))
           for pair in [(one, other), (other, one)] for _ in range(5)]
    COUNT = int(os.environ.get("IMGFACTORY_CHOICE_VERSIONS", 1200))

    def version(self, dice):
        """Versions as they occur, and of all characters that Policy allows."""
        def part(letters, most):
            return "".join(dice.choice(letters) for _ in range(dice.randint(0, most)))
        epoch = f"{dice.choice((0, 0, 1, 2, 10))}:" if dice.random() < 0.3 else ""
        upstream = dice.choice(("0", "1", "1.0", "1.2", "10", "2.0~", "01", "1.10")) + part(".+~-0019aZ" if dice.random() < 0.5 else ".+~0a1", 5)
        revision = "-" + dice.choice(("1", "0", "2", "1.1", "01")) + part(".+~019aZ", 3) if dice.random() < 0.5 else ""
        return epoch + upstream.rstrip("-") + revision

    def pair(self, dice):
        one = self.version(dice)
        if dice.random() < 0.5:
            return one, self.version(dice)
        at = dice.randint(1, len(one))  # one that differs little
        other = one[:at] + dice.choice(("", "~", "0", "+", ".", "a", "-1", "1")) + one[at:]
        return one, other if re.fullmatch(r"([0-9]+:)?[0-9][A-Za-z0-9.+~-]*", other) and other[-1] != "-" else self.version(dice)

    def dpkg(self, one, sign, other):
        return subprocess.run(["dpkg", "--compare-versions", one, sign, other], check=False, stderr=subprocess.DEVNULL).returncode == 0

    def test_versions_compare_as_with_dpkg(self):
        """The candidate is the highest, and relations hold where dpkg says so."""
        dice = random.Random(int(os.environ.get("IMGFACTORY_CHOICE_SEED", 0)))
        signs = {"<<": "lt", "<=": "le", "=": "eq", ">=": "ge", ">>": "gt"}
        stanzas, pairs, relations = [], [], []
        for number in range(self.COUNT):
            one, other = self.ODD[number] if number < len(self.ODD) else self.pair(dice)
            pairs.append((one, other))
            stanzas += [stanza(f"p{number}", one), stanza(f"p{number}", other)]
            has, sign, wanted = self.version(dice), list(signs)[number % 5], self.version(dice)
            if dice.random() < 0.5 or number < len(self.ODD):
                has, wanted = one, other
            relations.append((has, sign, wanted))
            stanzas += [stanza(f"q{number}", has), stanza(f"else{number}"), stanza(f"app{number}", Depends=f"q{number} ({sign} {wanted}) | else{number}")]
        self.describe(stanzas)
        chosen, = self.select([[f"p{number}" for number in range(self.COUNT)] + [f"app{number}" for number in range(self.COUNT)]])
        for number, (one, other) in enumerate(pairs):
            best = one if self.dpkg(one, "ge", other) else other
            self.assertTrue(self.dpkg(chosen[f"p{number}"], "eq", best), (one, other, chosen[f"p{number}"]))
        for number, (has, sign, wanted) in enumerate(relations):
            self.assertEqual(f"q{number}" in chosen, self.dpkg(has, signs[sign], wanted), (has, sign, wanted))


if __name__ == "__main__":
    unittest.main()
