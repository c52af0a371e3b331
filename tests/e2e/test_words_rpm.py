# SPDX-License-Identifier: Apache-2.0
"""Every spelling of packages under `packages: install` that dnf install takes, with dnf as judge."""

import json
import unittest

import base  # noqa: F401  (finds the kit)

from kit import rpm
from kit.rpm_case import RpmCase, publish
from kit.rpmmd import Stanza


class Words(RpmCase):
    def describe_world(self):
        self.describe([Stanza("tool", "1-1", arch="x86_64", requires="lib"), Stanza("tool", "1:2-3", arch="x86_64", requires="lib"),
                       Stanza("tool", "1:3-1.el9", arch="x86_64", requires="lib"), Stanza("tool", "1:3-1.el9", arch="i686"),
                       Stanza("lib"), Stanza("tool-1", "7-1"), Stanza("tool-1-2", "8-1"), Stanza("tool-doc", "1-1"), Stanza("tool-doc", "2-1"),
                       Stanza("py3.9", "1-1"), Stanza("py3.9-libs", "2-1"), Stanza("b", "1-1", provides=["oldb = 2", "virt"], obsoletes="oldb < 2"),
                       Stanza("c", "1-1", provides=["virt", "perl(Foo::Bar) = 1.5", "libz.so.1()(64bit)", "pkgconfig(z) = 3"]),
                       Stanza("longer-c", "1-1", provides=["virt", "perl(Foo::Bar) = 2"], files=["/usr/bin/cc"]),
                       Stanza("gone", "1-1"), Stanza("heir", "1-1", obsoletes="gone < 5"), Stanza("files", files=["/usr/bin/ff", "/usr/share/ff/data"]),
                       Stanza("pre", "1.0~rc1-1"), Stanza("post", "1.0^git1-1"), Stanza("x264", arch="x86_64"), Stanza("g++"), Stanza("name-2", "2-2")])

    REQUESTS = ["tool", "tool.x86_64", "tool-3", "tool-1:3", "tool-2", "tool-1", "tool-1-1", "tool-1-2", "tool-1-1.x86_64", "tool-2-3", "tool-1:2-3",
                "tool-1:2-3.x86_64", "tool-0:1-1.x86_64", "tool-2:2-3", "tool-1:3-1.el9", "tool-9", "lib.noarch", "lib-1", "lib-1-1.noarch", "tool-1.noarch", "tool-1-7",
                "tool-1-7-1", "py3.9", "py3.9.noarch", "py3.9-1", "py3.9-libs", "oldb", "oldb = 2", "oldb >= 1", "oldb > 2", "virt",
                "perl(Foo::Bar)", "perl(Foo::Bar) >= 1.8", "perl(Foo::Bar) = 1.5", "perl(Foo::Bar) < 1", "libz.so.1()(64bit)", "pkgconfig(z)", "pkgconfig(z) >= 4",
                "gone", "gone-1", "tool >= 1:2", "tool < 1:3", "tool = 1-1", "tool = 1", "tool > 1:9", "tool-*", "tool*", "to?l", "[lp]*", "tool-*-1", "tool-doc-*",
                "*.noarch", "py*.noarch", "tool-1:*", "*.src", "nothing*", "perl(*)", "pkgconfig(*)", "lib*so*", "virt*", "old*", "/usr/bin/ff", "/usr/share/ff/data", "/usr/bin/cc",
                "/usr/nothing", "pre-1.0~rc1", "post-1.0^git1-1", "pre = 1.0~rc1-1", "x264", "g++", "g++-1", "name-2", "name-2-2", "name-2-2-2", "name", "nothing"]

    def select(self, requests, arch, more=""):
        return super().select([[json.dumps(word) for word in request] for request in requests], arch, more)

    def test_words_that_dnf_takes(self):
        self.describe_world()
        answers = dict(zip(self.REQUESTS, self.assert_as_dnf([[word] for word in self.REQUESTS], arches=("x86_64",))))
        self.assertEqual(answers["tool-1"], ["tool-1-7-1.noarch"])
        self.assertEqual(answers["oldb"], ["b-1-1.noarch"])
        self.assertEqual(answers["tool-2-3"], ["lib-1-1.noarch", "tool-1:2-3.x86_64"])
        self.assertEqual(answers["gone"], ["heir-1-1.noarch"])

    def test_words_that_yum_and_apt_take_are_taken_too(self):
        """The epoch before the name; "NAME=VERSION", and brackets around a relation."""
        self.describe_world()
        words = {"1:tool-2-3": "tool-1:2-3", "1:tool-2-3.x86_64": "tool-1:2-3", "0:tool-1-1.x86_64": "tool-1-1", "1:tool": "tool-1:3-1.el9",
                 "2:tool-2-3": None, "tool=2": "tool-1:2-3", "tool=1:2-3": "tool-1:2-3", "tool=2-3": "tool-1:2-3", "tool (>= 1:2)": "tool-1:3-1.el9",
                 "tool (< 1:3)": "tool-1:2-3", "tool (<< 1:2)": "tool-1-1", "oldb (= 2)": "b-1-1", "perl(Foo::Bar) (>= 1.8)": "longer-c-1-1", "tool=9": None}
        for word, answer in zip(words, self.select([[word] for word in words], "x86_64")):
            self.assertEqual(answer and [name for name in answer if name != "lib-1-1"], words[word] and [words[word]], word)

    def test_a_word_that_means_nothing_says_what_there_is(self):
        self.describe([Stanza("tool", "1-1", arch="x86_64"), Stanza("tool", "2-1", arch="x86_64"), Stanza("tool", "2-1", arch="i686"), Stanza("out")], excludepkgs=["out"])
        for word, parts in {"tool-9": ["no such version of tool", "1-1.x86_64, 2-1.x86_64"], "tool=3": ["no such version of tool"], "tool-2-1.i686": ["multilib"],
                            "out": ["leaves out-1-1.noarch out"], "tool.ppc64le": ["tool.ppc64le"]}.items():
            with self.subTest(word=word):
                self.assertEqual(self.select([[word]], "x86_64"), [None])
                for part in parts:
                    self.assertIn(part, self.last.stdout)


class InImages(RpmCase):
    def test_the_package_that_stands_for_a_word_is_in_the_image(self):
        """Provided and obsoleted names, architectures, versions, globs."""
        made = [rpm.Package("b", [rpm.File("/usr/share/b/data", b"1")], arch="x86_64", provides=["oldb = 2"], obsoletes=["oldb < 2"]),
                rpm.Package("tool-x", [rpm.File("/usr/share/tool/x", b"1")], version="3")]
        publish(self.path("repo"), made, self.ring.get("main"))
        self.use(self.write("source.yaml", f"kind: rpm\nname: kit\nbaseurl: file://{self.path('repo')}/$basearch\n"
                                           f"gpgkey: [{self.ring.get('main').armoured}]\n"))
        for word, path in {"oldb": "/usr/share/b/data", "b.x86_64": "/usr/share/b/data", "oldb >= 1": "/usr/share/b/data", "tool-?": "/usr/share/tool/x",
                           "tool-x-3": "/usr/share/tool/x", "/usr/share/b/data": "/usr/share/b/data"}.items():
            with self.subTest(word=word):
                self.write_manifest("pick", f"packages:\n  install: [{json.dumps(word)}]\n")
                layout = self.build("--arch", "x86_64", "pick", name="pick")
                self.assertIn(path, next(iter(layout.images["latest"].values())))
        self.assertIn("packages: install: /usr/share/b/data is b 1.0-1", self.last.stderr)


if __name__ == "__main__":
    unittest.main()
