# SPDX-License-Identifier: Apache-2.0
"""What a terminal is told of pushes and pulls over a slow way: bytes, and when they will be done."""

import re
import threading
import unittest

from base import PushCase, run
from kit import slow, terminal


class Progress(PushCase):
    """Two platforms of twelve layers each, 10 MB, which take nine seconds or more: an estimate is given after three."""

    def setUp(self):
        super().setUp()
        self.made = self.make_layout(size=5_000_000, layers=12)
        self.number = 0

    def slow_registry(self):
        self.number += 1
        target = self.make_registry(f"registry{self.number}")
        return target, self.serve(slow.SlowWay(target.host, 1_200_000))

    def on_terminal(self, name, *arguments, columns=80, **environment):
        settings = {**self.env, "TERM": "xterm", **environment}
        return terminal.run_there(self.command(name, "--tls-verify=false", *arguments), columns, run.Factory.environment(settings), self.top)

    def side_by_side(self, calls):
        """Runs (arguments, settings) of on_terminal() at the same time; what each of them showed."""
        shown = [None] * len(calls)

        def play(i, arguments, settings):
            shown[i] = self.on_terminal(*arguments, **settings)
        threads = [threading.Thread(target=play, args=(i, *call)) for i, call in enumerate(calls)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return shown

    def judge(self, shown, word, name):
        """The answers of a terminal of 80 columns, one of 40, and one that cannot move its cursor."""
        for text, code in shown:
            self.assertEqual(code, run.OK, text)
        wide, narrow, dumb = (re.sub(r"\x1b\[J", "", text) for text, _ in shown)
        self.assertRegex(wide, rf"  {name} +{word}  \d+\.\d/10\.0 MB\r\n")
        self.assertRegex(wide, rf"  {name} +{word}  \d+\.\d/10\.0 MB, \d+ s left\r\n")
        told = [float(number) for number in re.findall(rf"{word}  (\d+\.\d)/10\.0", wide)]
        self.assertEqual(told, sorted(told))
        self.assertGreater(len(set(told)), 2)
        estimates = [[float(number) for number in each]
                     for each in re.findall(rf"{word}  (\d+\.\d)/10\.0 MB, (\d+) s left", wide)]
        self.assertLessEqual(estimates[-1][1], estimates[0][1])
        for done, left in estimates: # by the rate so far: at least three seconds for what is done
            self.assertGreaterEqual(left + 1, 3 * (10 - done - 0.1) / (done + 0.1))
        self.assertRegex(narrow, rf"(?m)^(?:\r\x1b\[1A)?\S{{1,9}}: {word}  \d+\.\d/10\.0 MB, \d+ s left\r$")
        lines = [re.sub(r"^\r\x1b\[1A", "", line).rstrip("\r") for line in narrow.split("\n")]
        self.assertLess(max(len(line) for line in lines if f": {word}  " in line), 40)
        self.assertNotIn("\x1b", dumb)
        self.assertNotIn("MB,", dumb)

    def test_a_push(self):
        calls = [(("push", self.made.folder, f"{self.slow_registry()[1].host}/a"), settings)
                 for settings in ({}, {"columns": 40, "NO_COLOR": "1"}, {"TERM": "dumb"})]
        calls = [((name, "oci:layout", reference), settings) for (name, _, reference), settings in calls]
        self.judge(self.side_by_side(calls), "push", "oci:layout")

    def test_a_pull(self):
        calls = []
        for settings in ({}, {"columns": 40, "NO_COLOR": "1"}, {"TERM": "dumb"}):
            target, way = self.slow_registry()
            self.pushed(self.made, f"{target.host}/a:v1")
            calls.append((("pull", "--cache", self.path(f"cache{self.number}"), f"{way.host}/a:v1"), settings))
        self.judge(self.side_by_side(calls), "pull", r"127\.0\.0\.1:\d+/a:v1")

    def test_quiet_ones_show_nothing(self):
        target = self.make_registry()
        for arguments in (("push", self.made.folder, f"{target.host}/a:v1"), ("pull", f"{target.host}/a:v1")):
            self.assertEqual(self.on_terminal(*arguments, "--quiet"), ("", run.OK))


if __name__ == "__main__":
    unittest.main()
