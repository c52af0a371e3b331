# SPDX-License-Identifier: Apache-2.0
"""`imgfactory --watch`: nights without end, made exactly when signed metadata say so."""

import os
import re
import signal
import socket
import subprocess
import threading
import time
import unittest

from base import FaultProxy, deb, elf, image, layout, run, world
from test_site import SiteCase


class WatchCase(SiteCase):
    def setUp(self):
        super().setUp()
        options = self.factory.options
        self.ready(manifest=world.MANIFEST, packages=self.packages("2.10-3"))
        self.factory.options = options
        self.server.versions = "ETag"
        self.child = None
        self.addCleanup(lambda: self.child and self.end())
        self.registry = self.make_registry()
        self.proxy = self.serve(FaultProxy(self.registry.url))
        self.images("  - one\n  - ./own.yaml\n")

    @staticmethod
    def packages(version):
        return world.packages() + [deb.Package(f"hello{number}", arch=name, version=version, files=[
            deb.program(f"/usr/bin/hello{number}", elf.hello(name, layout.HELLO))])
                                   for name in ("amd64", "arm64") for number in (1, 2)]

    def images(self, images):
        self.site(images, f"source: source.yaml\narch: all\nregistry: {self.proxy.host}\nnamespace: ns\n"
                          f"tls-verify: false\nstatus: {self.proxy.host}/ns/status\n")

    def publish(self, version):
        self.repository.packages = self.packages(version)
        self.repository.publish(self.key)

    def watch(self, *options, interval="50ms", env=None, verbose=True):
        """Starts it, in place of one that ended; `lines` is what it says, as it comes."""
        if self.child:
            self.end()
        self.child = self.factory.start(*(["--verbose"] if verbose else []), "--config", self.config, f"--watch={interval}", *options,
                                        env={**self.env, **(env or {})})
        self.lines = []
        def read():
            for line in self.child.stderr:
                self.lines.append(line.decode(errors="replace"))
        self.reader = threading.Thread(target=read, daemon=True)
        self.reader.start()
        self.writer = threading.Thread(target=self.child.stdout.read, daemon=True)
        self.writer.start()

    def end(self):
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()
        for thread, stream in ((self.reader, self.child.stderr), (self.writer, self.child.stdout)):
            thread.join()
            stream.close()

    def said(self, pattern):
        return [line for line in list(self.lines) if re.search(pattern, line)]

    def wait_for(self, condition, seconds=60, what=""):
        end = time.monotonic() + seconds
        while not condition():
            self.assertIsNone(self.child.poll(), "".join(self.lines))
            self.assertLess(time.monotonic(), end, f"{what}\n" + "".join(self.lines))
            time.sleep(0.02)

    def polls(self):
        return len(self.said("metadata are the same"))

    def wait_for_polls(self, count):
        least = self.polls() + count
        self.wait_for(lambda: self.polls() >= least, what=f"{count} polls")

    def stop(self, number=signal.SIGTERM):
        begun = time.monotonic()
        self.child.send_signal(number)
        code = self.child.wait(timeout=30)
        self.assertLess(time.monotonic() - begun, 3.0 if not run.sanitizer() else 10.0)
        self.assertEqual(code, -number)

    def releases(self):
        return self.server.asked("*/InRelease")

    def tag(self, name="one"):
        return self.registry.tags(f"ns/{name}").get("latest")


class Watch(WatchCase):
    def memory(self):
        with open(f"/proc/{self.child.pid}/status", encoding="ascii") as stream:
            return int(re.search(r"VmRSS:\s+(\d+) kB", stream.read())[1])

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.child.pid}/fd"))

    def test_two_hundred_idle_polls_ask_once_each_for_the_index_and_do_nothing_else(self):
        self.watch(interval="20ms")
        self.wait_for_polls(20)
        memory, descriptors = self.memory(), self.descriptors()
        self.server.requests.clear()
        self.server.not_modified.clear()
        polls = self.polls()
        self.proxy.forget()
        self.wait_for_polls(200)
        asked, polls = list(self.server.requests), self.polls() - polls
        self.assertLessEqual(len(asked), polls + 2)
        self.assertEqual({path.rsplit("/", 1)[1] for path in asked}, {"InRelease"})
        self.assertLessEqual(len(asked) - len(self.server.not_modified), 1)
        self.assertEqual(self.proxy.asked(), [])
        if not run.sanitizer():
            self.assertLess(self.memory(), memory + 2048)
        self.assertLessEqual(self.descriptors(), descriptors + 12)  # a poll may be under way
        self.stop()

    def test_a_night_is_made_exactly_when_the_signed_metadata_are_others(self):
        self.watch()
        self.wait_for_polls(2)
        first, record = self.tag(), self.tag("status")
        self.assertIsNotNone(first)
        self.publish("2.10-4")
        self.wait_for(lambda: self.tag() != first, what="the new version")
        self.wait_for_polls(2)
        self.assertNotEqual(self.tag("status"), record)
        second, record = self.tag(), self.tag("status")
        time.sleep(1.1)
        self.publish("2.10-4")  # another date, the same packages: a night, and no new digest
        self.wait_for(lambda: self.tag("status") != record, what="a night")
        self.wait_for_polls(2)
        self.assertEqual(self.tag(), second)
        self.registry.check("ns/one", second)
        self.stop()
        self.assertEqual(image.Layout(os.path.join(self.factory.output, "one")).digest(), second)

    def test_what_is_not_signed_makes_no_night_and_is_told(self):
        self.watch()
        self.wait_for_polls(2)
        record = self.tag("status")
        path = self.repository.path("dists/stable/InRelease")
        with open(path, "rb") as stream:
            good = stream.read()
        with open(path, "wb") as stream:
            stream.write(good.replace(b"Origin: Kit", b"Origin: Kid"))
        self.wait_for(lambda: self.said("error: .*(signature|BADSIG|verif)"), what="an error")
        self.assertEqual(self.tag("status"), record)
        with open(path, "wb") as stream:
            stream.write(good)
        polls = self.polls()
        self.wait_for(lambda: self.polls() > polls or self.tag("status") != record)
        self.stop()

    def test_errors_are_asked_about_less_and_less_often(self):
        self.watch(interval="100ms")
        self.wait_for_polls(2)
        self.server.fault("*", status=503)
        self.wait_for(lambda: len(self.said("the next look is in .*")) and self.said("last look or night failed"))
        time.sleep(3)
        failed = len(self.said("last look or night failed"))
        self.assertLessEqual(failed, 6, self.lines)
        self.server.heal()
        self.publish("2.10-5")
        before = self.tag()
        self.wait_for(lambda: self.tag() != before)
        self.wait_for_polls(3)
        self.stop()

    def test_a_night_that_failed_is_made_again_without_new_metadata(self):
        self.images("  - one\n  - ./late.yaml\n")
        self.watch(interval="100ms")
        self.wait_for(lambda: self.said("late.yaml"))
        self.write("late.yaml", self.manifest("late", "hello2"))
        self.wait_for(lambda: "latest" in self.registry.tags("ns/late"))
        self.wait_for_polls(2)
        self.stop()

    def test_looks_that_change_nothing_are_silent(self):
        self.images("  - one\n")
        self.repository.publish(self.key, date=-200 * 86400)  # old enough for a warning
        self.watch(verbose=False)
        self.wait_for(lambda: self.said("one aarch64"))
        asked = self.releases()
        self.wait_for(lambda: self.releases() > asked + 5)
        self.assertEqual(len(self.said("warning: .*days old")), 1, self.lines)
        self.stop()

    def test_a_time_limit_is_for_each_night(self):
        self.watch("--timeout", "3s")
        self.wait_for_polls(1)
        time.sleep(3.5)
        self.wait_for_polls(2)
        self.stop()
        self.watch("--timeout", "3s", interval="1h")
        self.wait_for(lambda: self.said("the next look is in"))
        self.server.fault("*/InRelease", hang=True)
        self.child.send_signal(signal.SIGHUP)
        self.assertEqual(self.child.wait(timeout=30), run.NETWORK)
        self.assertTrue(self.said("not done within --timeout"))

    def test_a_signal_ends_it_within_a_second_wherever_it_is(self):
        self.watch(interval="1h")
        self.wait_for(lambda: self.said("the next look is in"))
        self.stop(signal.SIGINT)
        self.server.fault("*/InRelease", hang=True)
        self.watch()  # in a night
        asked = self.releases()
        self.wait_for(lambda: self.releases() > asked)
        self.stop()
        self.server.heal()
        self.watch()
        self.wait_for_polls(1)
        self.server.fault("*/InRelease", hang=True)  # in a poll
        asked = self.releases()
        self.wait_for(lambda: self.releases() > asked)
        self.stop()

    def test_a_hangup_reads_the_site_file_again_and_one_with_a_mistake_changes_nothing(self):
        self.watch(interval="1h")
        self.wait_for(lambda: self.said("the next look is in"))
        with open(self.config, "a", encoding="ascii") as stream:
            stream.write("nonsense: 1\n")
        self.child.send_signal(signal.SIGHUP)
        self.wait_for(lambda: self.said("nonsense.*stays as it was"))
        self.write("imgfactory.yaml", "arch: all\n")
        self.child.send_signal(signal.SIGHUP)
        self.wait_for(lambda: self.said("has no images:; it stays as it was"))
        os.unlink(self.config)
        self.child.send_signal(signal.SIGHUP)
        self.wait_for(lambda: len(self.said("it stays as it was")) >= 3)
        self.assertFalse(self.said("read again"))
        self.images("  - two\n")
        self.child.send_signal(signal.SIGHUP)
        self.wait_for(lambda: "latest" in self.registry.tags("ns/two"))
        self.stop()

    def test_the_manager_is_told_that_it_is_ready_alive_and_stopping(self):
        for abstract in (False, True):
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
                name = f"\0imgfactory-test-{os.getpid()}" if abstract else self.path("notify")
                manager.bind(name)
                manager.settimeout(60)
                self.watch(interval="1h", env={"NOTIFY_SOCKET": name.replace("\0", "@"), "WATCHDOG_USEC": "300000"})
                told, begun = [], time.monotonic()
                while sum("WATCHDOG=1" in lines for lines in told) < 8:
                    told.append(manager.recv(4096).decode().splitlines())
                self.assertLess(time.monotonic() - begun, 30)
                self.assertIn("READY=1", told[0])
                self.assertTrue(any("STATUS=a night is being made" in lines for lines in told))
                self.child.send_signal(signal.SIGHUP)
                self.wait_for(lambda: self.said("read again"))
                while "RELOADING=1" not in told[-1]:
                    told.append(manager.recv(4096).decode().splitlines())
                while "READY=1" not in told[-1]:
                    told.append(manager.recv(4096).decode().splitlines())
                self.stop()
                while "STOPPING=1" not in told[-1]:
                    told.append(manager.recv(4096).decode().splitlines())

    def test_what_cannot_be_watched_is_refused(self):
        for words, told in ((["--watch", "one"], "takes no names"), (["--watch", "--dry-run"], "no --dry-run"),
                            (["--watch=soon"], "not a duration"), (["--watch=0s"], "not a duration"),
                            (["--watch", "--cache-only"], "no --cache-only"),
                            (["--watch", "--locked"], "no --locked")):
            self.assertIn(told, self.night(*words, code=run.USAGE, json_too=False).stderr)
        self.site("[]\n")
        self.night("--watch", code=run.USAGE, json_too=False)

    def test_its_unit_is_a_service_that_is_watched_over(self):
        result = self.call("unit", "--format", "watch", "--units", self.path("units"), "--manifests",
                           self.path("manifests"))
        self.assertEqual(result.code, run.OK, result)
        self.assertEqual(sorted(os.listdir(self.path("units"))), ["imgfactory.conf", "imgfactory.service"])
        with open(self.path("units/imgfactory.service"), encoding="utf-8") as stream:
            text = stream.read()
        for line in ("Type=notify", "WatchdogSec=5min", "Restart=on-failure", "WantedBy=multi-user.target"):
            self.assertIn(f"\n{line}\n", text)
        self.assertRegex(text, r"ExecStart=\S+ --watch --quiet --summary ")
        done = subprocess.run(["systemd-analyze", "verify", self.path("units/imgfactory.service")], check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.assertNotIn("imgfactory.service:", done.stdout)


if __name__ == "__main__":
    unittest.main()
