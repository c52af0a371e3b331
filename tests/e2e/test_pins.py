# SPDX-License-Identifier: Apache-2.0
"""The host's choices: apt's preferences and APT::Default-Release, read below --config-root; generated cases, with apt-cache policy
and apt-get as judges."""

import gzip
import hashlib
import os
import random
import re
import subprocess
import sys
import unittest

import base  # noqa: F401  (finds the kit)

from kit import apt, report, roots, run, server
from kit.case import Case, need
from kit.debmd import stanza

RELEASES = (  # archive, codename, version, origin, label, what it says of itself, below the server
    ("stable", "twelve", "12.5", "Kit", "Kit", {}, False),
    ("testing", "thirteen", None, "Kit", "Kit", {}, True),
    ("stable-backports", "twelve-backports", None, "Kit Backports", "Kit", {"NotAutomatic": "yes", "ButAutomaticUpgrades": "yes"}, False),
    ("experimental", "rc", "12", "Other", "A, b", {"NotAutomatic": "yes"}, False))
COMPONENTS = ("main", "extra")
NAMES = ("alpha", "beta", "beta-doc", "gamma", "delta", "libdelta1", "eps", "zeta+")


class Pinned(Case):
    def setUp(self):
        super().setUp()
        need("apt-get", "apt-cache")
        self.server = server.Server(self.path("repos")).start()
        self.addCleanup(self.server.stop)

    def publish(self, number, components):
        """A repository without signatures; `components` are texts of Packages. Returns its line of sources.list."""
        archive, codename, version, origin, label, says, is_served = RELEASES[number]
        folder = self.path(f"repos/{number}/dists/{codename}")
        sums = ""
        for name, stanzas in components.items():
            text = "\n".join(stanzas).encode()
            data = gzip.compress(text, 1)
            os.makedirs(f"{folder}/{name}/binary-amd64", exist_ok=True)
            with open(f"{folder}/{name}/binary-amd64/Packages.gz", "wb") as stream:
                stream.write(data)
            for listed, ending in ((text, ""), (data, ".gz")):
                sums += f" {hashlib.sha256(listed).hexdigest()} {len(listed)} {name}/binary-amd64/Packages{ending}\n"
        lines = {"Suite": archive, "Codename": codename, "Version": version, "Origin": origin, "Label": label,
                 "Date": "Mon, 02 Nov 2026 08:00:00 UTC", "Architectures": "amd64", "Components": " ".join(components), **says}
        self.write(f"repos/{number}/dists/{codename}/Release",
                   "".join(f"{key}: {value}\n" for key, value in lines.items() if value) + "SHA256:\n" + sums)
        uri = f"{self.server.url.rstrip('/')}/{number}" if is_served else f"file://{self.path('repos')}/{number}"
        return f"deb [trusted=yes check-valid-until=no] {uri} {codename} {' '.join(components)}\n"

    def configure(self, files):
        """A system's configuration: files below etc/apt."""
        subprocess.run(["rm", "-rf", self.path("root")], check=True)
        os.makedirs(self.path("root/etc/apt/preferences.d"))
        os.makedirs(self.path("root/etc/apt/apt.conf.d"))
        for name, text in files.items():
            self.write(f"root/etc/apt/{name}", text)
        self.factory.options = ["--config-root", self.path("root"), "--manifests", self.path("manifests"), "--retries", "0"]

    def select(self, names, *options):
        """{name: version that the program takes, None: none}, of packages that need nothing."""
        images = {name: f"image{number}" for number, name in enumerate(names)}
        for name, image in images.items():
            self.write_manifest(image, f"packages:\n  install: ['{name}']\n")
        result = self.run_factory("--dry-run", "--json", "--arch", "x86_64", *options, *images.values())
        self.assertIn(result.code, (run.OK, run.RESOLVE, run.PARTLY), result)
        self.last, out = result, report.Report(result.stdout)
        orders = {name: out.order(image, "x86_64") for name, image in images.items()}
        return {name: None if order.get("error") else next(package["version"] for package in order["selection"] if package["name"] == name)
                for name, order in orders.items()}


class Policy:
    """apt-cache policy of the same configuration."""

    def __init__(self, case, root, sources):
        self.case, self.root = case, root
        self.outside, self.inside = case.enterContext(roots.folder(root))
        if root:
            subprocess.run(["cp", "-r", case.path("repos"), self.outside], check=True)
            sources = sources.replace(f"file://{case.path('repos')}", f"file://{self.inside}/repos")
        self.judge = apt.Apt(self.outside, "amd64", root, self.inside, sources)
        self.judge.update()

    def candidates(self, names):
        """{name: version or None}, or None when apt refuses the configuration."""
        etc = os.path.join(self.outside, "etc")
        subprocess.run(["rm", "-rf", etc], check=True)
        subprocess.run(["cp", "-r", self.case.path("root/etc/apt"), etc], check=True)
        inside = os.path.join(self.inside, "etc")
        options = [part for part in self.judge.options if not part.startswith("Dir::Etc::preferences")]
        options = [part for at, part in enumerate(options) if part != "-o" or (at + 1 < len(options) and options[at + 1] != "-o")]
        with open(self.outside + "/apt.conf", "w", encoding="utf-8") as stream:
            stream.write(f'Dir::Etc::parts "{inside}/apt.conf.d"; Dir::Etc::main "{inside}/apt.conf";\n')
        done = roots.run(self.root, ["apt-cache", "policy", *options, "-o", f"Dir::Etc::preferences={inside}/preferences",
                                     "-o", f"Dir::Etc::preferencesparts={inside}/preferences.d", *names], stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
                         env={**os.environ, "LC_ALL": "C", "APT_CONFIG": self.inside + "/apt.conf"})
        if done.returncode:
            return None
        found = dict(re.findall(r"^(\S+):\n  Installed: .*\n  Candidate: (\S+)", done.stdout.decode(), re.M))
        return {name: None if found.get(name, "(none)") == "(none)" else found[name] for name in names}


class Generated(Pinned):
    def repositories(self, dice):
        """Versions of all names in all releases; some are in several, and some differ though their numbers are the same."""
        versions = {(name, number): stanza(name, str(number), arch=dice.choice(("amd64", "all")),
                                           Source=dice.choice((None, None, "srcone", "srctwo (9)")))
                    for name in NAMES for number in range(1, 6)}
        lines = ""
        for number in range(len(RELEASES)):
            components = {component: [] for component in COMPONENTS}
            for name in NAMES:
                for version in dice.sample(range(1, 6), dice.choice((0, 1, 1, 2))):
                    components[dice.choice(COMPONENTS)].append(versions[name, version])
            lines += self.publish(number, components)
        return lines

    def words(self, dice):
        kind = dice.random()
        if kind < 0.3:
            return "*"
        words = [dice.choice(NAMES), dice.choice(("b*", "*a", "lib?elta1", "[a-b]*", "/^(beta|gamma)/", "/TA/", "EPS", "eps*", "none", "zet*")),
                 dice.choice(("src:srcone", "src:srctwo", "src:src*", "src:/ONE$/", "src:alpha")),
                 dice.choice(NAMES) + dice.choice((":amd64", ":any", ":all", ":arm64", ":linux-any", ":any-amd64"))]
        return " ".join(dice.sample(words, dice.choice((1, 1, 2, 3))))

    def pin(self, dice):
        kind = dice.random()
        if kind < 0.25:
            return "version " + dice.choice(("1", "2", "3", "4*", "*", "[23]", "/[45]/", "5"))
        if kind < 0.35:
            return "origin " + dice.choice(('""', "127.0.0.1", '"127.0.0.1"', "127*", "/^127/", "elsewhere", ""))
        simple = ("stable", "twelve", "12*", "12", "experimental", "*", "test*", "RC", "/^tw/")
        if kind < 0.5:
            return "release " + dice.choice(simple)
        archive, codename, version, origin, label, _, _ = dice.choice(RELEASES)
        words = [f"a={archive}", f"n={codename}", f"v={version or '12*'}", f"o={origin}", f"l={label.split(',', maxsplit=1)[0]}",
                 f"c={dice.choice(COMPONENTS)}", "b=amd64", "b=all", "a=s*", "o=/^kit/", "A=STABLE", "x=y", "a="]
        return "release " + dice.choice((", ", ",", " , ")).join(dice.sample(words, dice.choice((1, 1, 2, 3))))

    def preferences(self, dice):
        heads = ("", "Explanation: because\nExplanation: of that\n", "# no\n")
        priorities = (-10, -1, 1, 50, 100, 400, 500, 501, 900, 990, 991, 1001)
        text = []
        for _ in range(dice.choice((1, 2, 3, 5))):
            words = self.words(dice)
            priority = "never" if words == "*" and dice.random() < 0.1 else dice.choice(priorities)
            text.append(f"{dice.choice(heads)}Package: {words}\nPin: {self.pin(dice)}\nPin-Priority: {priority}\n")
        return "\n".join(text)

    def files(self, dice, sources):
        files = {"sources.list": sources, "preferences": self.preferences(dice) if dice.random() < 0.7 else "",
                 "preferences.d/b.pref": self.preferences(dice) if dice.random() < 0.4 else "",
                 "preferences.d/a": self.preferences(dice) if dice.random() < 0.3 else "",
                 "preferences.d/c.pref.dpkg-old": "Package: *\nPin: release *\nPin-Priority: -1\n", "preferences.d/d~": "junk"}
        default = dice.choice((None, None, "stable", "thirteen", "12.5", "a=experimental", "rc", "TEST*"))
        if default and dice.random() < 0.5:
            files["apt.conf.d/50x"] = f'// a comment\nAPT {{ Get "x"; Default-Release "{default}"; }};\n'
        elif default:
            files["apt.conf"] = f'APT::default-release "{default}"; # that\n'
            files["apt.conf.d/10y.conf"] = 'APT::Default-Release "stable"; /* another */'
            files["apt.conf.d/90clear.conf.bak"] = '#clear APT::Default-Release;'
        return files

    def test_candidates_are_those_of_apt_cache_policy(self):
        first, count = int(os.environ.get("IMGFACTORY_PINS_SEED", 0)), int(os.environ.get("IMGFACTORY_PINS_SEEDS", 20))
        judges, none = [], 0
        for seed in range(first, first + count):
            dice = random.Random(seed)
            if (seed - first) % 10 == 0:
                sources = self.repositories(dice)
                others = [root for root in (roots.find("trixie", "usr/bin/apt-get"),) if root]
                judges = [Policy(self, root, sources) for root in [None, *others]]
            files = self.files(dice, sources)
            self.configure(files)
            found = self.select(NAMES)
            none += sum(version is None for version in found.values())
            for judge in judges:
                with self.subTest(seed=seed, root=judge.root):
                    self.assertEqual(found, judge.candidates(NAMES), files)
        sys.stderr.write(f"[{count} configurations of {len(NAMES)} packages, {none} without candidate] ")


class Said(Pinned):
    def ready_with(self, **files):
        sources = self.publish(0, {"main": [stanza("alpha", "1"), stanza("beta", "1", Depends="alpha (>= 2)")]}) + \
            self.publish(3, {"main": [stanza("alpha", "2"), stanza("beta", "2")]})
        self.configure({"sources.list": sources, **{name.replace("_", "."): text for name, text in files.items()}})

    def test_what_apt_refuses_is_refused(self):
        for files, word in (({"preferences": "Pin: version 1\nPin-Priority: 5\n"}, "preferences:1: a pin without Package"),
                            ({"preferences": "Package: a\nPin: release *\nPin-Priority: never\n"}, "alone"),
                            ({"preferences": "\nPackage: a\nPin: version 1\nPin-Priority: 0\n"}, "preferences:2: a pin needs a Pin-Priority"),
                            ({"preferences": "Package: a\nPin: version 1\n"}, "a pin needs a Pin-Priority"),
                            ({"preferences": f"Package: {'a ' * 30000}\nPin: version 1\nPin-Priority: 5\n"}, "more than 20000 pins"),
                            ({"apt.conf": f'#include "{self.path("root/etc/apt/apt.conf")}";' * 40}, "more than 1000 files"),
                            ({"preferences": "Package: a\nPin: version 1\nPin-Priority: 32768\n"}, "not between"),
                            ({"apt_conf": 'APT::Default-Release "gone";'}, "APT::Default-Release \"gone\"")):
            with self.subTest(files):
                self.ready_with(**files)
                self.write_manifest("alpha", "packages:\n  install: [alpha]\n")
                self.refuse(run.USAGE, word, arguments=("--arch", "x86_64", "alpha"))

    def test_what_apt_passes_over_is_passed_over(self):
        self.ready_with(preferences="Package: alpha\nPin: odd 1\nPin-Priority: 5\n\nPackage: alpha\nPin-Priority: x\n\nPackage: *\nPin: version 2\nPin-Priority: 999\n")
        self.assertEqual(self.select(["alpha"]), {"alpha": "1"})

    def test_a_barred_version_is_said_and_is_had_by_its_name(self):
        self.ready_with(preferences="Package: alpha\nPin: release *\nPin-Priority: -1\n")
        self.assertEqual(self.select(["alpha"]), {"alpha": None})
        self.assertIn("a priority below 1 in apt's preferences", self.last.stdout)
        self.assertEqual(self.select(["alpha"], "--allow-older"), {"alpha": None})
        self.write_manifest("with", "packages:\n  install: ['alpha=2']\n")
        result = self.run_factory("--dry-run", "--json", "--arch", "x86_64", "with")
        self.assertEqual(report.Report(result.stdout).selection("with", "x86_64"), {"alpha": "2"})

    def test_pins_lead_dependencies_too(self):
        self.ready_with()
        self.assertEqual(self.select(["beta"]), {"beta": None})
        self.ready_with(preferences="Package: alpha\nPin: release o=Other\nPin-Priority: 501\n")
        self.assertEqual(self.select(["beta"]), {"beta": "1"})

    def test_suites_that_are_asked_for_are_not_held_against_default_release(self):
        self.configure({"sources.list": self.publish(0, {"main": [stanza("alpha", "1")]}), "apt.conf": 'APT::Default-Release "gone";'})
        self.assertEqual(self.select(["alpha"], "--suite", "twelve"), {"alpha": "1"})

    def test_a_source_file_has_no_pins(self):
        self.ready_with(preferences="Package: *\nPin: release *\nPin-Priority: -1\n")
        source = self.write("source.yaml", f"kind: deb\nuris: ['file://{self.path('repos')}/0']\nsuites: twelve\ncomponents: main\n"
                                           "trusted: true\ncheck-valid-until: false\n")
        self.assertEqual(self.select(["alpha"], "--source", source), {"alpha": "1"})


if __name__ == "__main__":
    unittest.main()
