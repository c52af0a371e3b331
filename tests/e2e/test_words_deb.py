# SPDX-License-Identifier: Apache-2.0
"""Every spelling of packages under `packages: install` that apt-get install takes, with apt-get as judge."""

import json
import unittest

import base  # noqa: F401  (finds the kit)

from kit import deb, world
from kit.case import Case
from kit.deb_case import DebCase
from kit.debmd import stanza


class Words(DebCase):
    def select(self, requests, more="", options=()):
        return super().select([[json.dumps(word) for word in request] for request in requests], more, options)

    def describe_world(self):
        self.describe([stanza("tool", "1.0-1", Depends="lib"), stanza("tool", "1:1.2-1", Depends="lib"), stanza("lib", "1"),
                       stanza("tool-1", "3"), stanza("lib2.0-0", "1", Depends="lib"), stanza("lib2x0-0", "1"),
                       stanza("c++", "1"), stanza("mail-a", Provides="mail"), stanza("mail-b", Provides="mail (= 2)"),
                       stanza("new", "2", Provides="old (= 2), perl-api-5"), stanza("was", "1", Provides="gone"),
                       stanza("was", "2"), stanza("every", arch="all"), stanza("foreign", arch="arm64"),
                       stanza("wants", Depends="tool (>= 1:1)"), stanza("mix", "1"), stanza("mix-doc", Provides="mix")])
        self.describe([stanza("tool", "1:2.0-1~x", Depends="lib"), stanza("fresh", "9", Depends="tool (>= 1:2)")],
                      "backports", Suite="kit-backports", Codename="kit-bp", NotAutomatic="yes", ButAutomaticUpgrades="yes")

    def test_words_that_apt_takes(self):
        self.describe_world()
        requests = [["tool"], ["tool=1.0-1"], ["tool=1:1.2-1"], ["tool=1.0*"], ["tool=1:*"], ["tool=7"], ["tool-1"], ["tool:amd64"],
                    ["tool:any"], ["every:amd64"], ["tool=1:2.0-1~x"], ["fresh"], ["old"], ["perl-api-5"], ["mail"], ["gone"],
                    ["mail-a", "mail-b"], ["c++"], ["lib*"], ["lib?x*"], ["lib2.0-0"], ["lib2.0"], ["^lib$"], ["mix"], ["ol*"], ["nothing"],
                    ["nothing*"], ["tool/kit-backports"], ["tool/kit-bp"], ["tool/kit"], ["tool/nowhere"], ["mail*"], ["tool+"], ["old:amd64"],
                    ["to?l", "lib"], ["wants", "tool=1.0-1"], ["[lm]ix*"], ["lib.*0"]]
        answers = self.assert_as_apt(requests)
        told = dict(zip(("/".join(request) for request in requests), zip(answers, self.errors)))
        self.assertEqual(told["tool=1.0-1"][0], {"tool": "1.0-1", "lib": "1"})
        self.assertEqual(told["tool/kit-backports"][0], {"tool": "1:2.0-1~x", "lib": "1"})
        self.assertEqual(told["old"][0], {"new": "2"})
        self.assertEqual(told["c++"][0], {"c++": "1"})
        self.assertIn("mail-a 1, mail-b 1", told["mail"][1])
        self.assertIn("there is 1.0-1, 1:1.2-1, 1:2.0-1~x", told["tool=7"][1])

    def test_relations_choose_a_version(self):
        """As apt-get satisfy; where the candidate will not do, the best version that does."""
        self.describe_world()
        words = ["tool (>= 1:1)", "tool >= 1:1", "tool>=1:1", "tool (<< 1:0)", "tool < 1:0", "tool (= 1.0-1)", "tool == 1.0-1",
                 "tool (>= 9:1)", "old (>= 1)", "old (>= 3)", "mail (>= 2)", "mail >= 1", "tool (>> 1:1.2-1)"]
        answers = self.select([[word] for word in words])
        tool = [answer and answer.get("tool") for answer in answers]
        self.assertEqual(tool[:8], ["1:1.2-1"] * 3 + ["1.0-1"] * 4 + [None])
        self.assertEqual(answers[8:12], [{"new": "2"}, None, {"mail-b": "1"}, {"mail-b": "1"}])
        self.assertEqual(tool[12], "1:2.0-1~x")

    def test_what_is_no_package_of_this_image_is_refused_in_words(self):
        self.describe_world()
        # apt of Debian 13 takes "foreign", which is of another architecture, where 2.6 does not
        words = {"foreign": "foreign", "tool:arm64": "no packages of other architectures", "tool-": "packages: never", "tool^": "tasks", "/usr/bin/x": "binaries"}
        self.assertEqual(self.select([[word] for word in words]), [None] * len(words))
        for error, text in zip(self.errors, words.values()):
            self.assertIn(text, error)

    def test_one_that_is_never_to_be_used_is_no_provider(self):
        self.describe_world()
        self.assertEqual(self.select([["mail"]], more="  never: [mail-a]\n"), [{"mail-b": "1"}])

    def test_words_on_a_base(self):
        self.describe_world()
        self.describe([stanza("postman", Provides="post"), stanza("post-too", Provides="letters")], "post")
        self.status = "".join(text.replace("\n", "\nStatus: install ok installed\n", 1).rstrip("\n") + "\n\n"
                              for text in (stanza("lib", "1"), stanza("postman", "2", Provides="post, letters"), stanza("tool", "1.0-1", Depends="lib")))
        answers = self.assert_as_apt([["post"], ["letters"], ["old"], ["to?l"], ["tool=1:1.2-1"], ["tool:amd64"], ["mail"], ["lib*"]])
        self.assertEqual(answers[:4], [{}, None, {"new": "2"}, {"tool": "1:1.2-1"}])


class InImages(Case):
    def test_the_package_that_stands_for_a_word_is_in_the_image(self):
        machine = world.MACHINES["amd64"]
        made = [deb.Package("new", version="2", arch="amd64", Provides="old", files=[deb.File("/usr/share/new/data", "1")]),
                deb.Package("tool-x", version="1:3-1", arch="amd64", files=[deb.File("/usr/share/tool/x", "1")]),
                deb.Package("tool-y", version="2", arch="amd64", files=[deb.File("/usr/share/tool/y", "1")])]
        self.make_repository([world.base_files(machine)] + made, architectures=("amd64",))
        self.use(self.write_source())
        for words, path in (("old", "/usr/share/new/data"), ("tool-?", "/usr/share/tool/y"), ("tool-x=1:3-1", "/usr/share/tool/x"),
                            ("tool-x (>= 2), tool-y:amd64", "/usr/share/tool/y")):
            with self.subTest(words=words):
                self.write_manifest("pick", f'packages:\n  install: [{", ".join(json.dumps(word) for word in words.split(", "))}]\n')
                layout = self.build("--arch", "x86_64", "pick", name="pick")
                self.assertIn(path, next(iter(layout.images["latest"].values())))


if __name__ == "__main__":
    unittest.main()
