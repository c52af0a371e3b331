# SPDX-License-Identifier: Apache-2.0
"""tests/faults.md: each fault has its row, and each test that a row names is there."""

import ast
import collections
import os
import re
import unittest

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ROWS = 217


def read(*names):
    with open(os.path.join(TESTS, *names), encoding="utf-8") as file:
        return file.read()


def methods(program):
    """Class.method of all tests of a program of e2e."""
    return {f"{kind.name}.{method.name.removeprefix('test_')}"
            for kind in ast.parse(read("e2e", program + ".py")).body if isinstance(kind, ast.ClassDef)
            for method in kind.body if isinstance(method, ast.FunctionDef) and method.name.startswith("test_")}


def functions(program):
    """The functions that a unit test program runs (each is named where it is defined and in the list of tests)."""
    text = read("unit", program + ".c")
    times = collections.Counter(re.findall(r"\w+", text))
    return {name for name in re.findall(r"(?m)^static void (\w+)\(void \*\*", text) if times[name] > 1}


class FaultTable(unittest.TestCase):
    def setUp(self):
        self.rows = [line.strip("| ").split(" | ") for line in read("faults.md").splitlines() if re.match(r"\| \d", line)]

    def test_each_fault_has_one_row(self):
        self.assertEqual([row[0] for row in self.rows], [str(number) for number in range(1, ROWS + 1)])

    def test_each_row_says_what_is_wanted_and_names_a_test_or_why_there_is_none(self):
        for row in self.rows:
            with self.subTest(row=row[0]):
                self.assertEqual(len(row), 3)
                self.assertRegex(row[1], r"^[\w.].{10,}")
                for part in row[2].split("; "):
                    self.assertRegex(part, r"^(`(unit )?test_\w+ [\w.]+`|not: .{20,})$")

    def test_each_test_that_is_named_is_there(self):
        known = {}
        for row in self.rows:
            for unit, program, name in re.findall(r"`(unit )?(test_\w+) ([\w.]+)`", row[2]):
                if (unit, program) not in known:
                    known[unit, program] = functions(program) if unit else methods(program)
                with self.subTest(row=row[0], program=program):
                    self.assertIn(name, known[unit, program])


if __name__ == "__main__":
    unittest.main()
