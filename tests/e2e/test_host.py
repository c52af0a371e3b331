# SPDX-License-Identifier: Apache-2.0
"""A host that is odd or short of things: closed and few descriptors, folders that cannot be written, small disks, signals
and kills at every system call, many runs at once. Nothing half-written is ever seen, and a plain run mends all."""

import os
import random
import re
import resource
import shutil
import signal
import subprocess
import time
import unittest

from base import Case, image, need, run, world

LAYOUT_TEMPORARY = (".tmp-", ".imgfactory-")


class HostCase(Case):
    def setUp(self):
        super().setUp()
        self.ready(by_hash=True)

    def fresh(self, name):
        """New folders for everything, and the options to use the same repository."""
        self.factory = run.Factory(self.path(name))
        self.use(self.path("source.yaml"))

    def start(self, *arguments, **settings):
        """Starts the program with Popen's settings; its streams are pipes unless told otherwise."""
        return subprocess.Popen(self.factory.command(*(arguments or ("--arch", "all", "served"))),
                                **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
                                   "env": self.factory.environment(), **settings})

    def end(self, child, timeout=120):
        stdout, stderr = child.communicate(timeout=timeout)
        return run.Result(child.args, child.returncode, (stdout or b"").decode(), (stderr or b"").decode())

    def layout_path(self):
        return os.path.join(self.factory.output, "served")

    def assert_whole_or_absent(self, wanted, note=None):
        """The layout is not there (no index.json), or it is verified and has the wanted digest."""
        if os.path.exists(os.path.join(self.layout_path(), "index.json")):
            self.assertEqual(image.Layout(self.layout_path()).digest(), wanted, note)

    def assert_no_litter(self, result=None):
        """No temporary file in the layout or in the cache."""
        left = [name for name in self.files_below(self.factory.output)
                if os.path.basename(name).startswith(LAYOUT_TEMPORARY)]
        self.assertEqual(left, [], result)
        self.assertEqual(self.files_below(os.path.join(self.factory.cache, "v1/tmp")), [], result)


class Streams(HostCase):
    def closed(self, *numbers):
        """Runs with these descriptors closed (the others are pipes or /dev/null)."""
        def close():
            for number in numbers:
                os.close(number)
        return self.end(self.start("--arch", "all", "--json", "served", preexec_fn=close))

    def test_closed_descriptors_never_become_files_of_ours(self):
        wanted = self.build().digest()
        for number, numbers in enumerate(((0,), (2,), (0, 2), (1,), (0, 1, 2))):
            with self.subTest(closed=numbers):
                self.fresh(f"closed{number}")
                result = self.closed(*numbers)
                # a report that nobody can have is told, but the image is there
                self.assertEqual(result.code, run.LOCAL if 1 in numbers else run.OK, result)
                self.assertEqual(image.Layout(self.layout_path()).digest(), wanted)

    def test_full_standard_output_is_told(self):
        wanted = self.build().digest()
        self.fresh("full")
        with open("/dev/full", "wb") as full:
            result = self.end(self.start("--arch", "all", "--json", "served", stdout=full))
        self.assertEqual(result.code, run.LOCAL, result)
        self.assertIn("standard output", result.stderr)
        self.assertEqual(image.Layout(self.layout_path()).digest(), wanted)

    def test_readers_that_went_away_do_not_kill_it(self):
        wanted = self.build().digest()
        self.fresh("gone")
        read_end, write_end = os.pipe()
        os.close(read_end)
        child = self.start(stdout=write_end, stderr=write_end)
        os.close(write_end)
        child.communicate(timeout=120)
        self.assertEqual(child.returncode, run.LOCAL)
        self.assertEqual(image.Layout(self.layout_path()).digest(), wanted)


class Limits(HostCase):
    def test_few_descriptors_are_enough_or_told(self):
        wanted = self.build().digest()
        for count in (8, 16, 24, 32, 48, 64):
            with self.subTest(count):
                self.fresh(f"few{count}")
                result = self.end(self.start(preexec_fn=lambda: resource.setrlimit(
                    resource.RLIMIT_NOFILE, (count, count))))  # pylint: disable=cell-var-from-loop
                self.assertIn(result.code, (run.OK, run.LOCAL), result)
                if result.code == run.OK:
                    self.assertEqual(image.Layout(self.layout_path()).digest(), wanted)
                else:
                    self.assertIn("Too many open files", result.stderr)
                    self.assert_nothing_left(result)
                self.assertTrue(count < 32 or result.code == run.OK, result)
                self.assertEqual(self.build().digest(), wanted)

    def test_a_file_size_limit_is_like_a_full_disk(self):
        self.fresh("limited")
        result = self.end(self.start(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2048, 2048))))
        self.assertEqual(result.code, run.LOCAL, result)
        self.assertIn("File too large", result.stderr)
        self.assert_nothing_left(result)
        self.assert_no_litter(result)
        self.build()

    @unittest.skipIf("thread" in run.sanitizer() or "address" in run.sanitizer(), "sanitizers need the address space")
    def test_little_memory_leaves_nothing_half_written(self):
        """The libraries have exit codes of their own for this; what counts is what is left."""
        wanted = self.build().digest()
        for megabytes in (100, 120, 140, 180, 240):
            self.fresh(f"memory{megabytes}")
            result = self.end(self.start(preexec_fn=lambda: resource.setrlimit(
                resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))))  # pylint: disable=cell-var-from-loop
            self.assertNotIn(result.code, (-signal.SIGSEGV, -signal.SIGBUS), result)
            self.assert_whole_or_absent(wanted, result)
            self.assertEqual(self.build().digest(), wanted)
            self.assert_no_litter(self.last)


class Places(HostCase):
    def test_without_home_and_from_a_deleted_directory(self):
        wanted = self.build().digest()
        self.fresh("nowhere")
        gone = self.path("gone")
        os.mkdir(gone)
        environment = self.factory.environment({"HOME": None, "XDG_CACHE_HOME": None, "XDG_STATE_HOME": None})
        child = self.start(cwd=gone, env=environment, preexec_fn=lambda: os.rmdir(gone))
        result = self.end(child)
        self.assertEqual(result.code, run.OK, result)
        self.assertEqual(image.Layout(self.layout_path()).digest(), wanted)

    def test_a_relative_output_in_a_deleted_directory_is_told(self):
        gone = self.path("gone")
        os.mkdir(gone)
        self.factory.output = "out"
        result = self.end(self.start(cwd=gone, preexec_fn=lambda: os.rmdir(gone)))
        self.assertEqual(result.code, run.LOCAL, result)

    def mount(self, name, options):
        if os.geteuid() != 0:
            self.skipTest("mounting needs root")
        path = self.path(name)
        os.makedirs(path, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", path], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", path], check=False)
        return path

    def test_folders_that_are_read_only_are_told(self):
        for name in ("cache", "state", "output"):
            with self.subTest(name):
                self.fresh("ro-" + name)
                path = self.mount(f"ro-{name}/mounted", "ro")
                setattr(self.factory, name, path)
                result = self.run_factory("--arch", "all", "served")
                self.assertEqual(result.code, run.LOCAL, result)
                self.assertIn(path, result.stderr)
                self.assertIn("Read-only file system", result.stderr)

    def test_a_cache_that_became_read_only_is_told_and_mended(self):
        path = self.mount("cache-ro", "size=100m")
        self.factory.cache = path
        wanted = self.build().digest()
        shutil.rmtree(self.factory.output)
        subprocess.run(["mount", "-o", "remount,ro", path], check=True)
        result = self.run_factory("--arch", "all", "--rebuild", "served")
        self.assertEqual(result.code, run.LOCAL, result)
        self.assertIn("Read-only file system", result.stderr)
        self.assert_nothing_left(result)
        subprocess.run(["mount", "-o", "remount,rw", path], check=True)
        self.assertEqual(self.build().digest(), wanted)

    def test_a_full_disk_at_any_point(self):
        """A tmpfs for everything, of growing size: the disk is full at another point each time."""
        wanted = self.build().digest()
        path = self.mount("small", "size=200m")
        outcomes = set()
        for pages in list(range(8, 64, 4)) + [80, 120, 160, 240]:
            for name in os.listdir(path):
                shutil.rmtree(os.path.join(path, name))
            subprocess.run(["mount", "-o", f"remount,size={pages * 4}k", path], check=True)
            self.fresh("unused")
            self.factory.cache, self.factory.state = path + "/cache", path + "/state"
            self.factory.output = path + "/out"
            result = self.run_factory("--arch", "all", "served")
            outcomes.add(result.code)
            with self.subTest(kilobytes=pages * 4):
                self.assertIn(result.code, (run.OK, run.LOCAL), result)
                if result.code == run.LOCAL:
                    self.assertIn("No space left", result.stderr)
                self.assert_whole_or_absent(wanted)
                self.assert_no_litter(result)
                subprocess.run(["mount", "-o", "remount,size=200m", path], check=True)
                self.assertEqual(self.build().digest(), wanted)
        self.assertEqual(outcomes, {run.OK, run.LOCAL})


class Signals(HostCase):
    def test_at_many_moments(self):
        begun = time.monotonic()
        wanted = self.build().digest()
        whole = time.monotonic() - begun
        moments = 16 if not run.sanitizer() else 6
        for number in range(moments):
            which = signal.SIGINT if number % 2 else signal.SIGTERM
            self.fresh(f"signal{number}")
            child = self.start()
            time.sleep(whole * (number + 0.3) / moments)
            child.send_signal(which)
            result = self.end(child, timeout=30)
            with self.subTest(moment=number):
                self.assertIn(result.code, (-which, 128 + which, run.OK), result)
                if result.code == run.OK:
                    self.assertEqual(image.Layout(self.layout_path()).digest(), wanted)
                self.assert_whole_or_absent(wanted)
                self.assert_no_litter(result)
                self.assertEqual(self.build().digest(), wanted)

    def test_the_second_one_ends_it_at_once(self):
        self.server.fault("*/InRelease", delay=8)
        self.fresh("twice")
        child = self.start()
        deadline = time.monotonic() + 30
        while not self.server.asked("*/InRelease") and time.monotonic() < deadline:
            time.sleep(0.01)
        child.send_signal(signal.SIGINT)
        child.send_signal(signal.SIGTERM)
        begun = time.monotonic()
        result = self.end(child, timeout=30)
        self.assertIn(result.code, (-signal.SIGINT, -signal.SIGTERM, 130, 143), result)
        self.assertLess(time.monotonic() - begun, 15)


@unittest.skipIf(run.sanitizer(), "strace and sanitizers do not go together")
class KilledAtEverySystemCall(HostCase):
    CALLS = ("openat", "write", "linkat", "renameat", "fsync", "mkdir", "unlinkat", "fchmod")

    def trace(self, *options):
        child = subprocess.run(["strace", "-f", "-qq", *options, *self.factory.command("--arch", "all", "served")],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               env=self.factory.environment(), check=False, timeout=120)
        return child.returncode, child.stderr.decode(errors="replace")

    def count(self):
        """How often each of CALLS is made by a cold run."""
        log = self.path("count.log")
        code, text = self.trace("-o", log, "-e", "trace=" + ",".join(self.CALLS))
        self.assertEqual(code, 0, text)
        with open(log, encoding="utf-8", errors="replace") as stream:
            text = stream.read()
        return {call: len(re.findall(rf"^\d+ +{call}\(", text, re.M)) for call in self.CALLS}

    def test_sigkill(self):
        need("strace")
        wanted = self.build().digest()
        self.fresh("counted")
        counts = self.count()
        self.assertGreater(counts["linkat"], 10)
        self.assertGreater(counts["renameat"], 1)
        points = [(call, number) for call, total in counts.items()
                  for number in sorted(set(random.Random(call).sample(range(1, total + 1), min(total, 7))) | {total})
                  if total]
        died = 0
        for call, number in points:
            self.fresh("killed")
            shutil.rmtree(self.factory.top, ignore_errors=True)
            code, _ = self.trace("-o", "/dev/null", "-e", f"trace={call}",
                                 "-e", f"inject={call}:signal=SIGKILL:when={number}")
            died += code != 0
            with self.subTest(call=call, number=number):
                self.assert_whole_or_absent(wanted, (call, number))
                self.assertEqual(self.build().digest(), wanted)
                self.assert_no_litter(self.last)
                for name in self.files_below(self.factory.state):
                    self.assertNotIn(".imgfactory-", name)
        self.assertGreater(died, len(points) // 2)

    def test_a_call_that_fails(self):
        """ENOSPC and EIO from each of the calls that write: told in class 8, nothing half-written, mended by a plain run."""
        need("strace")
        wanted = self.build().digest()
        self.fresh("counted")
        counts = self.count()
        for call in ("linkat", "renameat", "fsync", "fchmod"):
            for number in sorted({1, (counts[call] + 1) // 2, counts[call]}):
                for error in ("ENOSPC", "EIO"):
                    self.fresh("failed")
                    shutil.rmtree(self.factory.top, ignore_errors=True)
                    code, text = self.trace("-o", "/dev/null", "-e", f"trace={call}",
                                            "-e", f"inject={call}:error={error}:when={number}")
                    with self.subTest(call=call, number=number, error=error):
                        self.assertIn(code, (run.OK, run.LOCAL), text)
                        self.assert_whole_or_absent(wanted, text)
                        self.assert_no_litter(text)
                        self.assertEqual(self.build().digest(), wanted)


class ManyAtOnce(HostCase):
    def test_eight_processes_on_one_cache_and_one_output(self):
        wanted = self.build().digest()
        for _ in range(2):
            self.fresh("many")
            shutil.rmtree(self.factory.top, ignore_errors=True)
            children = [self.start() for _ in range(8)]
            for child in children:
                result = self.end(child)
                self.assertEqual(result.code, run.OK, result)
            layout = image.Layout(self.layout_path())
            self.assertEqual(layout.digest(), wanted)
            self.assertEqual(layout.stray_blobs(), [])
            self.assert_no_litter()

    def test_eight_tags_of_one_image_at_once(self):
        """Everyone sets another tag of the same layout: none is lost."""
        self.build()
        names = [f"tag{number}" for number in range(8)]
        children = []
        for name in names:
            manifests = self.path("manifests-" + name)
            os.mkdir(manifests)
            self.write(f"manifests-{name}/served.yaml",
                       world.MANIFEST.replace('tags: [latest, "{version}"]', f"tags: [{name}]"))
            self.factory.options = ["--source", self.path("source.yaml"), "--manifests", manifests, "--retries", "1"]
            children.append(self.start())
        for child in children:
            result = self.end(child)
            self.assertEqual(result.code, run.OK, result)
        layout = image.Layout(self.layout_path())
        self.assertEqual(sorted(layout.tags), sorted(names + ["latest", "4.4.1"]))


if __name__ == "__main__":
    unittest.main()
