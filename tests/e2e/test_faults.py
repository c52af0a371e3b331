# SPDX-License-Identifier: Apache-2.0
"""The host fails: full disks, kills, damaged caches, two runs at once, a bad image in a batch."""

import glob
import os
import random
import shutil
import signal
import subprocess
import time
import unittest

from base import Case, image, run, world


class FullDisk(Case):
    def setUp(self):
        super().setUp()
        if os.geteuid() != 0:
            self.skipTest("mounting a small tmpfs needs root")
        machines = [world.MACHINES[name] for name in ("amd64", "arm64")]
        packages = [package for package in world.packages() if package.name != "served"]
        noise = random.Random(1).randbytes(3 << 20)
        packages += [world.served(machine) for machine in machines]
        for package in packages:
            if package.name == "served":
                package.files[0].data += noise
        self.ready(packages=packages)

    def small(self, name, size):
        path = self.path(name)
        os.mkdir(path)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=0755", "tmpfs", path], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", path], check=False)
        return path

    def test_in_the_cache(self):
        self.factory.cache = self.small("cache-small", "1m")
        self.refuse(run.LOCAL, "cache-small")

    def test_in_the_output(self):
        self.factory.output = self.small("out-small", "1m")
        result = self.run_factory("--arch", "all", "served")
        self.assertEqual(result.code, run.LOCAL, result)
        self.assertIn("out-small", result.stderr)
        self.assertEqual(glob.glob(self.path("out-small/*/index.json")), [])

    def test_in_the_state(self):
        self.factory.state = self.small("state-small", "4k")
        self.write("state-small/filler", bytes(4096))
        self.refuse(run.LOCAL)

    def test_then_a_run_with_room_is_fine(self):
        self.factory.cache = self.small("cache-grows", "1m")
        self.refuse(run.LOCAL)
        subprocess.run(["mount", "-o", "remount,size=200m", self.factory.cache], check=True)
        self.build()


class Permissions(Case):
    def test_output_that_is_a_file(self):
        self.ready()
        self.factory.output = self.write("file", "")
        result = self.run_factory("--arch", "all", "served")
        self.assertEqual(result.code, run.USAGE, result)
        self.assertIn(f"--output: {self.factory.output} is not a directory", result.stderr)

    def test_layout_index_that_cannot_be_read_is_left_alone(self):
        self.ready()
        self.write("out/served/index.json", "not json")
        result = self.run_factory("--arch", "all", "served")
        self.assertEqual(result.code, run.MALFORMED, result)
        with open(self.path("out/served/index.json"), encoding="utf-8") as stream:
            self.assertEqual(stream.read(), "not json")


class Killed(Case):
    def test_at_any_moment_a_plain_run_gives_the_same_digest(self):
        self.ready(by_hash=True)
        begun = time.monotonic()
        wanted = self.build().digest()
        whole = time.monotonic() - begun
        moments = 12 if not run.sanitizer() else 6
        self.factory = run.Factory(self.path("killed"))
        self.use(self.path("source.yaml"))
        for number in range(moments):
            if number % 3 == 0:
                shutil.rmtree(self.factory.top, ignore_errors=True)
            else:
                shutil.rmtree(self.factory.output, ignore_errors=True)
            child = self.factory.start("--arch", "all", "served")
            time.sleep(whole * (number + 0.5) / moments)
            child.kill()
            child.communicate()
            layout = os.path.join(self.factory.output, "served")
            if os.path.exists(os.path.join(layout, "index.json")):
                self.assertEqual(image.Layout(layout).digest(), wanted)
            self.assertEqual(self.build().digest(), wanted)

    def test_in_every_fetch(self):
        """The server holds one request back; the program is killed there."""
        self.ready()
        wanted = self.build().digest()
        for pattern in ("*/InRelease", "*Packages*", "*Contents*", "*libfoo1*", "*libc6*"):
            self.factory = run.Factory(self.path("killed" + str(abs(hash(pattern)))))
            self.use(self.path("source.yaml"))
            self.server.heal()
            self.server.fault(pattern, delay=5, times=1)
            before = self.server.asked(pattern)
            child = self.factory.start("--arch", "all", "served")
            deadline = time.monotonic() + 30
            while self.server.asked(pattern) == before and time.monotonic() < deadline:
                time.sleep(0.01)
            child.kill()
            child.communicate()
            self.server.heal()
            self.assert_nothing_left()
            self.assertEqual(self.build().digest(), wanted)

    def test_by_a_polite_signal_it_ends_with_that_signals_code(self):
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            if self.server is None:
                self.ready()
            self.server.heal()
            self.server.fault("*Packages*", delay=8)
            self.factory = run.Factory(self.path(f"signal{code}"))
            self.use(self.path("source.yaml"))
            before = self.server.asked("*Packages*")
            child = self.factory.start("--arch", "all", "served")
            deadline = time.monotonic() + 30
            while self.server.asked("*Packages*") == before and time.monotonic() < deadline:
                time.sleep(0.01)
            begun = time.monotonic()
            child.send_signal(number)
            _, stderr = child.communicate(timeout=60)
            self.assertIn(child.returncode, (code, -number), stderr)
            self.assertLess(time.monotonic() - begun, 15)
            self.assert_nothing_left()


class Sharing(Case):
    def test_a_cache_between_several_runs_at_once(self):
        self.ready(by_hash=True)
        wanted = self.build().digest()
        for _ in range(3):
            shutil.rmtree(self.factory.cache)
            factories = [run.Factory(self.top, output=self.path(f"out{number}")) for number in range(4)]
            for factory in factories:
                factory.options = self.factory.options
                shutil.rmtree(factory.output, ignore_errors=True)
            children = [factory.start("--arch", "all", "served") for factory in factories]
            for child, factory in zip(children, factories):
                _, stderr = child.communicate(timeout=300)
                self.assertEqual(child.returncode, run.OK, stderr)
                self.assertEqual(image.Layout(os.path.join(factory.output, "served")).digest(), wanted)

    def test_an_output_between_several_runs_at_once(self):
        self.ready()
        wanted = self.build().digest()
        shutil.rmtree(self.factory.output)
        children = [self.factory.start("--arch", "all", "served") for _ in range(4)]
        for child in children:
            _, stderr = child.communicate(timeout=300)
            self.assertEqual(child.returncode, run.OK, stderr)
        self.assertEqual(image.Layout(os.path.join(self.factory.output, "served")).digest(), wanted)


class DamagedCache(Case):
    def cache_files(self):
        return [os.path.join(self.factory.cache, name) for name in self.files_below(self.factory.cache)
                if os.path.getsize(os.path.join(self.factory.cache, name))]

    def heal_from(self, damage):
        """Damages every file of the cache, one run each, with and without --rebuild."""
        self.ready()
        wanted = self.build().digest()
        for path in self.cache_files():
            for options in ((), ("--rebuild",)):
                if not os.path.exists(path):
                    continue
                damage(path)
                shutil.rmtree(self.factory.output)
                with self.subTest(path=os.path.relpath(path, self.factory.cache), options=options):
                    self.assertEqual(self.build("--arch", "all", *options, "served").digest(), wanted)

    def test_changed_byte_in_the_middle_is_healed(self):
        def damage(path):
            os.chmod(path, 0o600)
            with open(path, "r+b") as stream:
                stream.seek(os.path.getsize(path) // 2)
                byte = stream.read(1)
                stream.seek(-1, os.SEEK_CUR)
                stream.write(bytes([byte[0] ^ 0x55]))
        self.heal_from(damage)

    def test_cut_file_is_healed(self):
        def damage(path):
            os.chmod(path, 0o600)
            os.truncate(path, os.path.getsize(path) // 3)
        self.heal_from(damage)

    def test_empty_file_is_healed(self):
        def damage(path):
            os.chmod(path, 0o600)
            os.truncate(path, 0)
        self.heal_from(damage)


class Batch(Case):
    def setUp(self):
        super().setUp()
        self.ready()
        self.write_manifest("good", world.MANIFEST.replace("name: served", "name: good", 1))
        self.write_manifest("bad", "name: bad\nbinaries: [/usr/sbin/nothing]\n")

    def test_one_bad_image_does_not_stop_the_others(self):
        result = self.run_factory("--arch", "all", "bad", "good", "served")
        self.assertEqual(result.code, run.PARTLY, result)
        self.assertIn("/usr/sbin/nothing", result.stderr)
        for name in ("good", "served"):
            self.assertEqual(len(image.Layout(os.path.join(self.factory.output, name)).images["latest"]), 2)
        self.assertFalse(os.path.exists(os.path.join(self.factory.output, "bad")))

    def test_all_bad_gives_the_gravest_class(self):
        result = self.run_factory("--arch", "all", "bad")
        self.assertEqual(result.code, run.RESOLVE, result)

    def test_images_share_what_they_fetch(self):
        self.run_factory("--arch", "all", "good", "served")
        paths = [path for path in self.server.requests if "/pool/" in path or "Packages" in path]
        self.assertEqual(sorted(paths), sorted(set(paths)))

    def test_an_image_of_one_good_and_one_bad_architecture_is_not_written(self):
        self.repository.packages = [package for package in world.packages()
                                    if (package.name, package.arch) not in (("served", "arm64"), ("served-big", "arm64"))]
        self.repository.publish(self.key, date=-30)
        self.refuse(run.RESOLVE, "aarch64", world.SERVED)


if __name__ == "__main__":
    unittest.main()
