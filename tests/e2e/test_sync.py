# SPDX-License-Identifier: Apache-2.0
"""Mirrors in the middle of an update: an image is of one generation or there is none (class 6) and the last one stays; never class 3."""

import itertools
import os
import shutil
import sys
import threading
import time
import unittest

from base import Case, run, server, world

from kit import deb, image, repo, report

MACHINE = world.MACHINES["amd64"]
FILES = ("dists/stable/Release", "dists/stable/main/binary-amd64/Packages.gz", "dists/stable/main/Contents-amd64.gz", "pool")
PROGRAM = "/usr/bin/thing"
MANIFEST = f"binaries: [{PROGRAM}]\n"  # which package has it only Contents tells


class Generations(Case):
    """Repositories of one package, whose file says which generation it is."""

    def setUp(self):
        super().setUp()
        self.server = server.Server(self.path("mirrors")).start()
        self.addCleanup(self.server.stop)
        self.base_files = world.base_files(MACHINE)
        self.program = world.executable(MACHINE, [], interp=None)

    def generation(self, name, number, sign="none", by_hash=False):
        """A folder with all of one generation. No two images share a byte, so that what one fetches helps no other."""
        one = deb.Package("one", version=str(number), arch="amd64", Description=f"of {name}",
                          files=[deb.program(PROGRAM, ""), deb.File(f"/usr/bin/{name}-{number}")])
        folders = [(folder, {"type": b"5", "mode": 0o755}) for folder in ("./usr/", "./usr/bin/")]
        one.raw = deb.hand_made(one, deb.tar([*folders, ("." + PROGRAM, {"data": self.program + str(number).encode(), "mode": 0o755})]))
        made = repo.Repository(self.path(f"{name}.{number}"), architectures=("amd64",), packages=[one, self.base_files])
        made.publish(self.key, date=-1000 + number, endings=(".gz",), sign=sign, by_hash=by_hash)
        return made

    def mirror(self, name, folder, numbers):
        """A mirror that has each of FILES of that generation (0: not at all)."""
        top = self.path(f"mirrors/{name}/{folder}")
        shutil.rmtree(top, ignore_errors=True)
        base = f"pool/main/base-files/{self.base_files.file_name}"
        wanted = [(1, base)] + [(number, f"pool/main/one/one_{number}_amd64.deb" if file == "pool" else file)
                                for file, number in zip(FILES, numbers) if number]
        for number, file in wanted:
            os.makedirs(os.path.dirname(f"{top}/{file}"), exist_ok=True)
            os.link(self.path(f"{name}.{number}/{file}"), f"{top}/{file}")

    def source(self, *places, more="trusted: true"):
        uris = ", ".join(f"{self.server.url}/{place}" for place in places)
        return f"kind: deb\nuris: [{uris}]\nsuites: [stable]\ncomponents: [main]\n{more}\n"

    def pair(self, name, first, second):
        """An image of its own of two mirrors."""
        self.mirror(name, "a", first)
        self.mirror(name, "b", second)
        source = self.write(f"sources/{name}.yaml", self.source(f"{name}/a", f"{name}/b"))
        self.write_manifest(name, f"source: {source}\n{MANIFEST}")

    def run_all(self, names, *options):
        """{name: generation that was built, or exit class + 100}. One run."""
        self.factory.options = ["--manifests", self.path("manifests"), "--retries", "0"]
        self.last = self.run_factory("--arch", "x86_64", "--json", "--quiet", *options, *names)
        out, found = report.Report(self.last.stdout), {}
        for name in names:
            error = out.order(name, "x86_64").get("error")
            found[name] = error["exit"] + 100 if error else int(self.built(name))
        return found

    def built(self, name):
        layout = image.Layout(os.path.join(self.factory.output, name))
        return next(iter(layout.images["latest"].values()))[PROGRAM].data[-1:]


def expected(first, second, cached=()):
    """The generation of the first Release of which everything is somewhere."""
    for release in (first[0], second[0]):
        if release in cached or all(release in (first[at], second[at]) for at in (1, 2, 3)):
            return release
    return run.NETWORK + 100


class Interleavings(Generations):
    def cases(self):
        states = list(itertools.product((1, 2), repeat=4))
        pairs = [(first, second) for first in states for second in states][::5 if run.sanitizer() else 1]
        cases = {"m" + "".join(map(str, first + second)): (first, second) for first, second in pairs}
        for name in cases:
            self.generation(name, 1)
            self.generation(name, 2)
        return cases

    def test_all_of_two_generations_of_four_files_over_two_mirrors(self):
        """From nothing; then from an image of the first generation, which stays where none is whole."""
        cases = self.cases()
        for name, pair in cases.items():
            self.pair(name, *pair)
        wanted = {name: expected(*pair) for name, pair in cases.items()}
        found = self.run_all(list(cases))
        self.assertEqual({name: number for name, number in found.items() if number != wanted[name]}, {})
        for name, number in wanted.items():
            self.assertEqual(os.path.exists(os.path.join(self.factory.output, name)), number < 100)
        counts = [list(wanted.values()).count(number) for number in (1, 2, run.NETWORK + 100)]
        sys.stderr.write(f"[{len(cases)}: {counts[0]} of the first, {counts[1]} of the second, {counts[2]} of none] ")

        self.factory = run.Factory(self.path("second"))
        cases = dict(list(cases.items())[::3])
        for name in cases:
            self.pair(name, (1,) * 4, (1,) * 4)
        self.assertEqual(set(self.run_all(list(cases)).values()), {1})
        for name, pair in cases.items():
            self.pair(name, *pair)
        found = self.run_all(list(cases))
        wanted = {name: expected(*pair, cached=(1,)) for name, pair in cases.items()}
        self.assertEqual({name: number for name, number in found.items() if number != wanted[name]}, {})
        for name, number in found.items():
            self.assertEqual(int(self.built(name)), 1 if number > 100 else number)

    def test_a_generation_that_was_not_whole_is_not_remembered(self):
        """The second mirror is no replay for having the older generation, in this run and the next."""
        self.generation("one", 1)
        self.generation("one", 2)
        self.pair("one", (2, 1, 1, 1), (1, 1, 1, 1))
        self.assertEqual(self.run_all(["one"]), {"one": 1})
        self.assertEqual(self.run_all(["one"], "--rebuild"), {"one": 1})
        self.pair("one", (2, 2, 2, 2), (1, 1, 1, 1))
        self.assertEqual(self.run_all(["one"]), {"one": 2})
        self.pair("one", (1, 1, 1, 1), (1, 1, 1, 1))
        self.assertEqual(self.run_all(["one"]), {"one": run.TRUST + 100})
        self.assertIn("older than the last accepted", self.last.stdout)


class Waiting(Generations):
    def setUp(self):
        super().setUp()
        self.generation("one", 1)
        self.generation("one", 2)

    def after(self, seconds, *state):
        def change():
            time.sleep(seconds)
            for folder in "ab":
                self.mirror("one", folder, state)
        thread = threading.Thread(target=change)
        thread.start()
        self.addCleanup(thread.join)

    def test_the_end_of_an_update_is_waited_for(self):
        for state in ((2, 1, 2, 2), (2, 2, 1, 2), (2, 2, 2, 1), (1, 2, 2, 2), (2, 0, 0, 0)):
            with self.subTest(state):
                self.factory.cache, self.factory.state = self.path(f"cache{state}"), self.path(f"state{state}")
                self.pair("one", state, state)
                self.after(0.5, 2, 2, 2, 2)
                self.assertEqual(self.run_all(["one"], "--sync-wait", "20s"), {"one": 2})

    def test_waiting_ends(self):
        self.pair("one", (2, 1, 2, 2), (2, 1, 2, 2))
        start = time.monotonic()
        self.assertEqual(self.run_all(["one"], "--sync-wait", "1s"), {"one": run.NETWORK + 100})
        self.assertLess(time.monotonic() - start, 30)
        self.assertGreater(time.monotonic() - start, 0.9)
        self.assertIn("Packages.gz of stable of", self.last.stdout)
        self.assertIn("--sync-wait", self.last.stdout)

    def test_a_site_may_wait_without_being_asked(self):
        self.pair("one", (2, 1, 2, 2), (2, 1, 2, 2))
        for text, waits in (("sync-wait: 20s", True), ("retries: 0", True), ("sync-wait: 0", False)):
            with self.subTest(text):
                self.pair("one", (2, 1, 2, 2), (2, 1, 2, 2))
                self.factory.cache, self.factory.state = self.path(f"cache{text}"), self.path(f"state{text}")
                if waits:
                    self.after(0.5, 2, 2, 2, 2)
                found = self.run_all(["one"], "--config", self.write("site.yaml", text))
                self.assertEqual(found, {"one": 2 if waits else run.NETWORK + 100})

    def test_a_signal_ends_it(self):
        self.pair("one", (2, 1, 2, 2), (2, 1, 2, 2))
        self.factory.options = ["--manifests", self.path("manifests"), "--retries", "0"]
        process = self.factory.start("--arch", "x86_64", "--sync-wait", "1h", "one")
        for line in process.stderr:
            if b"asked again" in line:
                break
        process.terminate()
        start = time.monotonic()
        process.communicate(timeout=60)
        self.assertLess(time.monotonic() - start, 10)
        self.assertNotEqual(process.returncode, 0)


class Classes(Generations):
    def use_one(self, **settings):
        """One mirror, of the first generation."""
        made = self.generation("one", 1, **settings)
        shutil.copytree(made.root, self.path("mirrors/one/a"))
        source = self.write("s.yaml", self.source("one/a", more=f"keys: [{self.key.keyring}]"))
        self.write_manifest("one", f"source: {source}\n{MANIFEST}")

    def test_the_index_is_asked_for_again_after_a_package_is_gone(self):
        """By one mirror that goes on in the middle of the run."""
        self.use_one(sign="inline")
        second = self.generation("one", 2, sign="inline")
        os.unlink(self.path("mirrors/one/a/pool/main/one/one_1_amd64.deb"))
        shutil.copy(second.path("pool/main/one/one_2_amd64.deb"), self.path("mirrors/one/a/pool/main/one"))
        for name in ("InRelease", "main/binary-amd64/Packages.gz", "main/Contents-amd64.gz"):
            self.server.fault("*" + name, after=1, body=second.read(second.dists(name)))
        self.assertEqual(self.run_all(["one"]), {"one": 2})
        self.assertEqual(self.server.asked("*InRelease"), 2)

    def test_a_package_that_is_gone_fails_only_the_images_that_need_it(self):
        """Whichever is looked at first: the others are made of the same indices."""
        made = repo.Repository(self.path("mirrors/all"), architectures=("amd64",), packages=[self.base_files])
        names = [f"i{number}" for number in range(60)]
        for name in names:
            made.packages.append(deb.Package(name, arch="amd64", files=[deb.program(f"/usr/bin/{name}", self.program + name.encode())]))
            source = self.write("s.yaml", self.source("all"))
            self.write_manifest(name, f"source: {source}\nbinaries: [/usr/bin/{name}]\n")
        made.publish(self.key, sign="none")
        for gone in ("i0", "i30"):
            with self.subTest(gone):
                os.rename(made.path(f"pool/main/{gone}/{gone}_1.0-1_amd64.deb"), self.path(gone))
                self.factory.cache, self.factory.state = self.path(f"cache-{gone}"), self.path(f"state-{gone}")
                self.factory.options = ["--manifests", self.path("manifests"), "--retries", "0"]
                result = report.Report(self.run_factory("--arch", "x86_64", "--json", "--quiet", "--jobs", "1",
                                                        *names).stdout)
                failed = {name: result.order(name, "x86_64").get("error") for name in names}
                self.assertEqual([name for name, error in failed.items() if error], [gone])
                self.assertEqual(failed[gone]["exit"], run.NETWORK)
                os.rename(self.path(gone), made.path(f"pool/main/{gone}/{gone}_1.0-1_amd64.deb"))

    def test_a_repository_without_any_release_is_not_waited_for(self):
        self.use_one(sign="inline")
        self.server.fault("*Release*", status=404)
        start = time.monotonic()
        self.assertEqual(self.run_all(["one"], "--sync-wait", "1h"), {"one": run.NETWORK + 100})
        self.assertLess(time.monotonic() - start, 60)

    def test_what_cannot_be_a_race_is_class_3(self):
        """Other bytes below by-hash, and of a package; below a name they may be of the next generation."""
        self.use_one(sign="inline", by_hash=True)
        for number, pattern in enumerate(("*by-hash*", "*/one_1*.deb")):
            with self.subTest(pattern):
                self.factory = run.Factory(self.path(f"run{number}"))
                self.server.heal()
                self.server.fault(pattern, body=b"x" * 900)
                self.server.fault("*.gz", status=404 if number == 0 else None)
                self.assertEqual(self.run_all(["one"]), {"one": run.TRUST + 100})
        self.factory = run.Factory(self.path("run2"))
        self.server.heal()
        self.server.fault("*by-hash*", status=404)
        self.server.fault("*Packages.gz", body=b"x" * 900)
        self.assertEqual(self.run_all(["one"]), {"one": run.NETWORK + 100})
        self.assertIn("in the middle of an update", self.last.stdout)


if __name__ == "__main__":
    unittest.main()
