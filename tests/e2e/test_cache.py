# SPDX-License-Identifier: Apache-2.0
"""The cache stays within bounds, whoever else uses it, and whatever kills whom; `imgfactory clean`."""

import fcntl
import json
import os
import random
import shutil
import subprocess
import time
import unittest

from base import Case, deb, image, run, world
from kit.faultproxy import FaultProxy

DAY = 24 * 60 * 60


class CacheCase(Case):
    def setUp(self):
        super().setUp()
        self.ready(date=-7200)

    def files(self):
        return [os.path.join(folder, name) for kind in ("blob", "derived")
                for folder, _, names in os.walk(f"{self.factory.cache}/v1/{kind}") for name in names]

    def size(self):
        """In blocks, as the program counts."""
        return sum((os.path.getsize(path) + 4095) // 4096 * 4096 for path in self.files())

    def age(self, days, paths=None):
        for path in self.files() if paths is None else paths:
            then = time.time() - days * DAY
            os.utime(path, (then, then))

    def clean(self, *arguments):
        command = [run.program(), "clean", "--json", "--cache", self.factory.cache, *arguments]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
                              env=self.factory.environment())
        result = run.Result(command, done.returncode, done.stdout.decode(), done.stderr.decode())
        self.assertEqual(result.code, run.OK, result)
        return json.loads(result.stdout)

    def new_version(self, number, noise=20000):
        """Another night: one package is new."""
        packages = [package for package in self.repository.packages if package.name != "served"]
        for machine in (world.MACHINES["amd64"], world.MACHINES["arm64"]):
            served = world.served(machine, version=f"4.4.1-{number + 3}")
            served.files.append(deb.File("/usr/share/served/noise", random.Random(number).randbytes(noise)))
            packages.append(served)
        self.repository.packages = packages
        self.repository.publish(self.key, date=-7000 + number)

    def hold_as_user(self):
        """Uses the cache, as a run of another process does."""
        held = os.open(f"{self.factory.cache}/v1/users", os.O_RDWR)
        self.addCleanup(os.close, held)
        fcntl.flock(held, fcntl.LOCK_SH)
        return held


class Bounds(CacheCase):
    def test_sixty_nights(self):
        self.build("--arch", "x86_64", "served")
        limit = self.size() * 2
        sizes = []
        for night in range(60 if not run.sanitizer() else 15):
            self.new_version(night)
            self.age(1, None)  # a day goes by for all of them: the order stays
            self.build("--arch", "x86_64", f"--cache-limit={limit}B", "served")
            sizes.append(self.size())
        self.assertLess(max(sizes), limit + 1, sizes)
        self.assertGreater(max(sizes), limit // 2, sizes)

    def test_what_was_used_last_stays(self):
        self.build("--arch", "x86_64", "served")
        first = set(self.files())
        self.age(5)
        self.new_version(1)
        self.build("--arch", "x86_64", "served")
        used = {path for path in self.files() if os.stat(path).st_mtime > time.time() - DAY}
        self.assertTrue(used - first)  # new ones …
        self.assertTrue(used & first)  # … and old ones that were used again
        kept = sum((os.path.getsize(path) + 4095) // 4096 * 4096 for path in used)
        freed = self.clean(f"--cache-limit={kept}B")
        self.assertEqual(set(self.files()), used)
        self.assertEqual(freed["kept_bytes"], kept)

    def test_what_every_night_uses_is_not_fetched_again(self):
        """Nights within one hour: marks are not renewed, but what a run uses goes last all the same."""
        self.build("--arch", "x86_64", "served")
        limit = self.size() * 2
        for night in range(12):
            self.new_version(night)
            before = self.server.asked("*/libfoo1*") + self.server.asked("*/libc6*")
            self.build("--arch", "x86_64", f"--cache-limit={limit}B", "served")
            self.assertEqual(self.server.asked("*/libfoo1*") + self.server.asked("*/libc6*"), before, night)
            self.assertLess(self.size(), limit + 1)
        for folder, folders, names in os.walk(self.factory.cache + "/v1"):
            if len(os.path.basename(folder)) == 2:
                self.assertTrue(folders or names, folder)

    def test_an_unchanged_run_neither_prunes_nor_writes(self):
        self.build()
        before = {path: os.stat(path).st_mtime_ns for path in self.files()}
        sizes = os.stat(self.factory.cache + "/v1/sizes")
        self.build("--arch", "all", "--cache-limit", "8G", "served")
        self.assertEqual({path: os.stat(path).st_mtime_ns for path in self.files()}, before)
        after = os.stat(self.factory.cache + "/v1/sizes")
        self.assertEqual((after.st_size, after.st_mtime_ns), (sizes.st_size, sizes.st_mtime_ns))

    def test_a_limit_of_nothing_still_builds(self):
        wanted = self.build().digest()
        for limit in ("0", "1B", "4K", "64K"):
            shutil.rmtree(self.factory.output)
            self.assertEqual(self.build("--arch", "all", f"--cache-limit={limit}", "served").digest(), wanted)
            self.assertLess(self.size(), 65537)

    def test_the_limit_of_the_site_file(self):
        site = self.write("site.yaml", "cache-limit: 4K\n")
        self.build("--config", site, "--arch", "all", "served")
        self.assertLess(self.size(), 4097)
        shutil.rmtree(self.factory.output)
        self.build("--config", site, "--cache-limit", "none", "--arch", "all", "served")
        self.assertGreater(self.size(), 50000)
        for bad in ("8", "plenty", "-1G", "8X"):
            site = self.write("bad.yaml", f"cache-limit: {bad}\n")
            self.assertEqual(self.run_factory("--config", site, "served").code, run.USAGE)
            self.assertEqual(self.run_factory(f"--cache-limit={bad}", "served").code, run.USAGE)

    def test_a_cache_of_before_is_taken_over(self):
        wanted = self.build().digest()
        for name in ("users", "sizes", "marks"):
            if os.path.exists(f"{self.factory.cache}/v1/{name}"):
                os.unlink(f"{self.factory.cache}/v1/{name}")
        before = self.server.asked("*/pool/*")
        shutil.rmtree(self.factory.output)
        self.assertEqual(self.build("--arch", "all", "--rebuild", "served").digest(), wanted)
        self.assertEqual(self.server.asked("*/pool/*"), before)
        self.new_version(1)
        self.build("--arch", "all", "--cache-limit", "100K", "served")
        self.assertLess(self.size(), 102401)

    def test_records_that_lie_are_put_right(self):
        self.build()
        for record in (b"", b"x", bytes(8), b"\xff" * 8, b"\x7f" * 8000, os.urandom(80000)):
            with self.subTest(record[:8]):
                with open(self.factory.cache + "/v1/sizes", "wb") as stream:
                    stream.write(record)
                self.assertEqual(self.clean("--cache-limit", "1T")["freed_bytes"], 0)
                self.assertEqual(os.path.getsize(self.factory.cache + "/v1/sizes") % 8, 0)
                self.build()

    def test_a_read_only_cache_is_used(self):
        if os.geteuid() != 0:
            self.skipTest("mounting needs root")
        wanted = self.build().digest()
        subprocess.run(["mount", "--bind", self.factory.cache, self.factory.cache], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", self.factory.cache], check=False)
        subprocess.run(["mount", "-o", "remount,ro,bind", self.factory.cache], check=True)
        self.assertEqual(self.build().digest(), wanted)

    def test_a_full_disk_gets_room_from_what_nobody_used_for_long(self):
        if os.geteuid() != 0:
            self.skipTest("mounting needs root")
        small = self.path("small")
        os.mkdir(small)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=5m", "tmpfs", small], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", small], check=False)
        self.factory.cache = small + "/cache"
        self.build()
        self.age(10)
        self.write("small/cache/v1/derived/pack/zz/" + "0" * 64, bytes(4 << 20))
        self.age(20, [small + "/cache/v1/derived/pack/zz/" + "0" * 64])
        self.new_version(1, noise=1 << 20)
        self.build()
        self.new_version(2, noise=4 << 20)  # more than there is
        shutil.rmtree(self.factory.output)
        self.refuse(run.LOCAL, "No space left", "imgfactory clean")


class Clean(CacheCase):
    def test_everything_goes_but_the_state(self):
        wanted = self.build().digest()
        state = sorted(self.files_below(self.factory.state))
        size, count = self.size(), len(self.files())
        told = self.clean("--dry-run")
        self.assertEqual((told["freed_bytes"], told["freed_files"], told["kept_bytes"]), (size, count, 0))
        self.assertEqual(len(self.files()), count)
        told = self.clean()
        self.assertEqual((told["freed_bytes"], told["freed_files"], told["kept_bytes"]), (size, count, 0))
        self.assertEqual(self.files(), [])
        self.assertEqual(sorted(self.files_below(self.factory.state)), state)
        self.assertEqual(self.clean()["freed_files"], 0)
        self.assertEqual(self.build().digest(), wanted)

    def test_what_a_running_process_may_need_stays(self):
        self.build()
        count = len(self.files())
        held = self.hold_as_user()
        told = self.clean()
        self.assertEqual((told["freed_files"], told["kept_files"], told["in_use"]), (0, count, True))
        self.age(1.9)
        self.assertEqual(self.clean()["freed_files"], 0)
        self.age(2.1)
        os.utime(self.files()[0])
        self.assertEqual(self.clean()["freed_files"], count - 1)
        os.close(os.dup(held))
        fcntl.flock(held, fcntl.LOCK_UN)
        self.assertEqual((self.clean()["freed_files"], self.files()), (1, []))

    def test_a_cache_that_is_not_there_is_not_made(self):
        self.assertEqual(self.clean()["freed_bytes"], 0)
        self.assertFalse(os.path.exists(self.factory.cache))

    def test_temporary_files_of_killed_runs_go(self):
        self.build()
        left = self.write("cache/v1/tmp/" + "a" * 32, "half a package")
        self.clean("--cache-limit", "1T")
        self.assertFalse(os.path.exists(left))

    def test_people_are_told_in_words(self):
        self.build()
        done = subprocess.run([run.program(), "clean", "--cache", self.factory.cache], stdout=subprocess.PIPE, check=True)
        self.assertRegex(done.stdout.decode(), r"^removed \d+ files, .*B, from the cache .*; 0 files, 0 B are left\n$")

    def test_in_the_middle_of_a_run(self):
        """A run is held up by its server while the cache is cleaned beneath it."""
        wanted = self.build().digest()
        self.age(30)
        self.server.fault("*/InRelease", delay=1)
        shutil.rmtree(self.factory.output)
        child = self.factory.start("--arch", "all", "--rebuild", "served")
        time.sleep(0.5)
        self.assertTrue(self.clean()["in_use"])
        _, stderr = child.communicate(timeout=60)
        self.assertEqual(child.returncode, 0, stderr)
        self.assertEqual(image.Layout(self.factory.output + "/served").digest(), wanted)


class Together(CacheCase):
    def test_runs_and_cleaning_side_by_side(self):
        """Old marks everywhere, so that all of them mark and prune at once; nobody ever misses a file."""
        wanted = self.build().digest()
        for _ in range(6 if not run.sanitizer() else 2):
            self.age(30)
            factories = [run.Factory(self.top, output=self.path(f"out{number}")) for number in range(4)]
            children = []
            for number, factory in enumerate(factories):
                factory.options = self.factory.options
                shutil.rmtree(factory.output, ignore_errors=True)
                children.append(factory.start("--arch", "all", *(["--rebuild"] if number % 2 else []), "--cache-limit",
                                              "40K" if number < 2 else "8G", "served"))
            cleaners = [subprocess.Popen([run.program(), "clean", "--cache", self.factory.cache],
                                         stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) for _ in range(3)]
            for child in children + cleaners:
                _, stderr = child.communicate(timeout=120)
                self.assertEqual(child.returncode, 0, stderr)
            for factory in factories:
                self.assertEqual(image.Layout(factory.output + "/served").digest(), wanted)

    def test_killed_at_any_moment_while_pruning(self):
        """IMGFACTORY_KILLS (default 60) runs under a limit that makes each prune, killed at random moments."""
        kills = int(os.environ.get("IMGFACTORY_KILLS", "60" if not run.sanitizer() else "10"))
        chance = random.Random(17)
        self.build("--arch", "all", "--cache-limit", "60K", "served")
        begun = time.monotonic()
        self.build("--arch", "all", "--rebuild", "--cache-limit", "60K", "served")
        whole = time.monotonic() - begun
        wanted = {}
        for number in range(kills):
            if number % 10 == 0:
                self.new_version(number, noise=5000)
                wanted[number] = self.build("--arch", "all", "served").digest()
                digests = set(list(wanted.values())[-2:])
            if number % 3 == 0:
                self.age(chance.choice((0.5, 3)))
            options = ["--rebuild"] if chance.random() < 0.5 else []
            child = self.factory.start("--arch", "all", *options, "--cache-limit",
                                       chance.choice(("0", "20K", "60K", "100K")), "served")
            cleaner = subprocess.Popen([run.program(), "clean", "--cache", self.factory.cache], stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL) if chance.random() < 0.3 else None
            time.sleep(chance.random() * whole * 1.2)
            child.kill()
            child.communicate()
            if cleaner:
                cleaner.kill()
                cleaner.wait()
            layout = os.path.join(self.factory.output, "served")
            self.assertIn(image.Layout(layout).digest(), digests)
            self.assertEqual(self.build("--arch", "all", *options, "served").digest(), wanted[number // 10 * 10])
            self.assertEqual(self.files_below(os.path.join(self.factory.cache, "v1/tmp")), [])


class HashedOnce(CacheCase):
    """A file that is still the one that was hashed is not hashed again; whatever else is done to it is noticed."""

    def setUp(self):
        super().setUp()
        self.write_manifest(text=world.MANIFEST.replace("files:\n", "files:\n  - /usr/share/served/noise\n"))
        self.new_version(1, noise=120000)

    def big(self, folder):
        """Files whose verdicts are remembered."""
        paths = [os.path.join(place, name) for place, _, names in os.walk(folder) for name in names]
        return [path for path in paths if os.path.getsize(path) >= 65536]

    def alter(self, path):
        """Other bytes with the old size and time stamps, in place."""
        status = os.stat(path)
        os.chmod(path, 0o600)
        with open(path, "r+b") as stream:
            stream.seek(status.st_size // 2)
            byte = stream.read(1)[0]
            stream.seek(status.st_size // 2)
            stream.write(bytes([byte ^ 1]))
        os.chmod(path, status.st_mode)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))

    def layers(self):
        return self.big(self.factory.output + "/served/blobs")

    def test_files_altered_with_old_time_stamps_are_noticed(self):
        wanted = self.build().digest()
        self.build()
        time.sleep(0.05)
        bytes_of = {}
        for path in self.big(self.factory.cache) + self.layers():
            with open(path, "rb") as stream:
                bytes_of[path] = stream.read()
            self.alter(path)
        self.assertGreater(len(bytes_of), 4)
        self.assertEqual(self.build().digest(), wanted)
        for path in self.layers():
            with open(path, "rb") as stream:
                self.assertEqual(stream.read(), bytes_of[path], path)
        self.factory.output = self.path("out2")
        self.assertEqual(self.build("--arch", "all", "--rebuild", "served").digest(), wanted)

    def test_the_layout_shares_no_file_with_the_cache(self):
        self.build()
        layers = self.layers()
        self.assertEqual(len(layers), 2)
        for path in layers:
            self.assertEqual(os.stat(path).st_nlink, 1)
            blob = f"{self.factory.cache}/v1/blob/sha256/{os.path.basename(path)[:2]}/{os.path.basename(path)}"
            self.assertNotEqual(os.stat(path).st_ino, os.stat(blob).st_ino)
            with open(path, "r+b") as stream:
                stream.write(b"EVIL")
            with open(blob, "rb") as stream:
                self.assertNotEqual(stream.read(4), b"EVIL")

    def test_a_damaged_memory_of_what_was_hashed_is_none(self):
        wanted = self.build().digest()
        table = self.factory.state + "/v1/hashed/table"
        for length in (0, 10, 64, os.path.getsize(table) - 1):
            with open(table, "r+b") as stream:
                stream.truncate(length)
            self.assertEqual(self.build().digest(), wanted)
            self.assertGreater(os.path.getsize(table), 64)
        os.unlink(table)
        os.mkdir(table)
        self.assertEqual(self.build().digest(), wanted)

    def test_two_runs_on_one_state_remember_for_each_other(self):
        self.build()
        os.unlink(self.factory.state + "/v1/hashed/table")
        self.factory.output = self.path("out1")
        first = self.factory.start("--arch", "x86_64", "served")
        self.factory.output = self.path("out2")
        second = self.factory.start("--arch", "aarch64", "served")
        for child in (first, second):
            child.communicate(timeout=60)
            self.assertEqual(child.returncode, 0)
        marks = self.marks()
        for output, arch in (("out1", "x86_64"), ("out2", "aarch64")):
            self.factory.output = self.path(output)
            self.build("--arch", arch, "served")
            self.assertLessEqual(marks, self.marks())
            marks = self.marks()

    def marks(self):
        """Device and inode of all files that are remembered."""
        with open(self.factory.state + "/v1/hashed/table", "rb") as stream:
            table = stream.read()
        return {table[at:at + 16] for at in range(64, len(table), 112)}


class Counting(FaultProxy):
    """A mirror that counts how many requests it answers at a time."""

    now = most = 0

    def answer(self, request):
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        time.sleep(0.05)
        try:
            return super().answer(request)
        finally:
            with self.lock:
                self.now -= 1


class Shared(CacheCase):
    """`--cache-from`: another machine's cache."""

    def other(self, name, *options, code=run.OK):
        machine = run.Factory(self.path(name))
        machine.options = self.factory.options
        result = machine.run("--arch", "all", *options, "served")
        self.assertEqual(result.code, code, result)
        self.last = result
        return image.Layout(f"{machine.output}/served").digest()

    def look(self):
        """All that the folder says of itself."""
        return {path: (os.lstat(path).st_mode, os.lstat(path).st_size, os.lstat(path).st_mtime_ns) for folder, names, files
                in os.walk(self.factory.cache) for path in (os.path.join(folder, name) for name in names + files)}

    def test_what_it_has_is_not_fetched_and_nothing_is_written_there(self):
        wanted, before = self.build().digest(), self.look()
        fetched = [path for path in self.server.requests if not path.endswith("InRelease")]
        self.assertTrue(fetched)
        del self.server.requests[:]
        self.assertEqual(self.other("b", "--cache-from", self.factory.cache), wanted)
        self.assertEqual([path for path in self.server.requests if not path.endswith("InRelease")], [])
        self.assertNotIn("warning", self.last.stderr)
        self.assertEqual(self.look(), before)
        site = self.write("b.yaml", f"cache-from: {self.factory.cache}\nmax-rate: none\nmax-connections: 3\n")
        self.assertEqual(self.other("c", "--config", site), wanted)
        self.assertEqual([path for path in self.server.requests if not path.endswith("InRelease")], [])

    def test_a_hostile_or_damaged_one_is_told_and_changes_nothing(self):
        wanted = self.build().digest()
        blobs = sorted(path for path in self.files() if "/blob/" in path)
        for number, path in enumerate(blobs):
            size = os.path.getsize(path)
            os.remove(path)
            if number % 6 == 0:
                self.write(path, b"x" * size)
            elif number % 6 == 1:
                self.write(path, b"x" * (size - 1))
            elif number % 6 == 2:
                os.symlink("/dev/zero", path)
            elif number % 6 == 3:
                os.mkfifo(path)
            elif number % 6 == 4:
                os.mkdir(path)
            else:
                with open(path, "wb") as stream:
                    stream.truncate(1 << 40)
        before = self.look()
        self.assertEqual(self.other("b", "--cache-from", self.factory.cache), wanted)
        self.assertIn("has other bytes; it is fetched", self.last.stderr)
        self.assertIn("is no file of the right size; it is fetched", self.last.stderr)
        self.assertEqual(self.look(), before)
        self.assertEqual(self.other("c", "--cache-from", self.path("none")), wanted)
        self.assertIn("there is no cache that can be read", self.last.stderr)

    def test_a_mirror_is_asked_gently(self):
        proxy = Counting(self.server.url.rstrip("/")).start()
        self.addCleanup(proxy.stop)
        self.use(self.write_source(uris=[proxy.url + "/"]))
        wanted = self.other("b", "--max-connections", "1", "--jitter", "20ms", "--verbose")
        self.assertEqual(proxy.most, 1)
        self.assertIn("begins in", self.last.stderr)
        self.new_version(1, noise=120000)
        begun = time.monotonic()
        self.assertNotEqual(self.other("c", "--max-rate", "100K"), wanted)
        self.assertGreater(time.monotonic() - begun, 1.5)  # 240 kB that do not compress
        for words in (["--max-rate", "fast"], ["--max-rate", "0"], ["--max-rate", "31K"], ["--max-connections", "0"], ["--jitter", "5"]):
            result = self.run_factory(*words, "served")
            self.assertEqual(result.code, run.USAGE, result)
        for line in ("max-rate: 0", "max-rate: 31K", "max-connections: 65", "jitter: 3"):
            result = self.run_factory("--config", self.write("bad.yaml", line + "\n"), "served")
            self.assertEqual(result.code, run.USAGE, result)
            self.assertIn("bad.yaml:1", result.stderr)


if __name__ == "__main__":
    unittest.main()
