# SPDX-License-Identifier: Apache-2.0
"""Nothing waits for ever or in silence: signals end every phase soon, locks and slow servers have limits, a prompt survives."""

import fcntl
import json
import lzma
import os
import pty
import select
import shutil
import signal
import subprocess
import termios
import time
import unittest

from base import Case, PushCase, deb, elf, run, server, world

SOON = 3.0 if not run.sanitizer() else 10.0


def wait_until(condition, timeout=60):
    deadline = time.monotonic() + timeout
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)


def end_by(case, child, number, soon=SOON):
    """Sends the signal, wants the process to end by it soon, and returns its Result."""
    begun = time.monotonic()
    child.send_signal(number)
    stdout, stderr = child.communicate(timeout=60)
    took = time.monotonic() - begun
    result = run.Result(child.args, child.returncode, (stdout or b"").decode(), (stderr or b"").decode())
    case.assertIn(child.returncode, (-number, 128 + number), result)
    case.assertLess(took, soon + 0.3, result)
    return result


class Signals(Case):
    """One signal, whatever is going on."""

    def end_soon(self, ready, *arguments, number=signal.SIGINT, after=0.0, **settings):
        child = self.factory.start(*(arguments or ("--arch", "all", "served")), **settings)
        wait_until(lambda: ready() or child.poll() is not None)
        time.sleep(after)
        self.assertIsNone(child.poll(), child.communicate() if child.poll() is not None else "")
        result = end_by(self, child, number)
        self.assert_nothing_left(result)
        return result

    def test_while_a_big_package_unpacks(self):
        size = 512 << 20
        big = b"".join(lzma.compress(deb.raw_tar_header(f"./usr/share/served/big{number}", size)) + deb.zeros_xz(size >> 20)
                       for number in range(5)) + lzma.compress(bytes(1024))
        packages = world.packages()
        for package in packages:
            if package.name == "served":
                package.raw = deb.hand_made(package, b"", members=lambda m: m[:2] + [("data.tar.xz", big)])
        self.ready(packages=packages)
        asked = "*/served_*"
        for number in (signal.SIGTERM, signal.SIGINT):
            shutil.rmtree(self.factory.cache, ignore_errors=True)
            before = self.server.asked(asked)
            self.end_soon(lambda: self.server.asked(asked) > before, number=number, after=0.7)
        shutil.rmtree(self.factory.cache)
        before = self.server.asked(asked)
        result = self.end_soon(lambda: self.server.asked(asked) > before, "--json", "--arch", "all", "served", after=0.7)
        report = json.loads(result.stdout)
        self.assertEqual((report["outcome"], report["exit"]), ("cancelled", 130), result)
        self.assertEqual([arch["status"] for arch in report["images"][0]["architectures"]], ["failed", "failed"])

    def test_while_it_solves(self):
        """Ten packages that each need one of nine others, which exclude one another: it would take hours."""
        self.ready()
        base, count = self.repository, 10
        text = base.read(base.dists("main/binary-amd64/Packages")).decode()
        text = text.replace("Package: served\n", "Package: served\nPre-Depends: " + ", ".join(
            f"p{i}" for i in range(count)) + "\n")
        stanza = "\nPackage: {}\nVersion: 1\nArchitecture: amd64\nFilename: pool/x\nSize: 1\nSHA256: " + "a" * 64 + "\n"
        for i in range(count):
            text += stanza.format(f"p{i}") + "Depends: " + " | ".join(f"h{i}x{j}" for j in range(count - 1)) + "\n"
            for j in range(count - 1):
                text += stanza.format(f"h{i}x{j}") + "Conflicts: " + ", ".join(
                    f"h{k}x{j}" for k in range(count) if k != i) + "\n"
        base.publish(self.key, edit_stanza=None)
        data = text.encode()
        release = base.read(base.dists("InRelease")).decode().split("\n\n", 1)[1].split("-----BEGIN PGP SIG")[0]
        release = "\n".join(line for line in release.split("\n") if "binary-amd64/Packages" not in line).rstrip("\n")
        from kit import repo  # pylint: disable=import-outside-toplevel
        release += f"\n {repo.sha256(data)} {len(data)} main/binary-amd64/Packages\n"
        for ending in (".gz", ".xz"):
            base.remove(base.dists("main/binary-amd64/Packages") + ending)
        base.write(base.dists("main/binary-amd64/Packages"), data)
        base._sign(self.key, "inline", release.encode(), ())  # pylint: disable=protected-access
        child = self.factory.start("--arch", "x86_64", "served")
        wait_until(lambda: self.server.asked("*binary-amd64/Packages*") or child.poll() is not None)
        time.sleep(1)
        if child.poll() is not None:
            child.communicate()
            self.skipTest("the solver is through with it by itself")
        end_by(self, child, signal.SIGTERM)

    def test_while_a_server_says_nothing(self):
        for pattern in ("*/InRelease", "*Packages*", "*libfoo1*"):
            self.ready()
            self.server.fault(pattern, hang=True)
            self.end_soon(lambda: self.server.asked(pattern))  # pylint: disable=cell-var-from-loop
            self.server.stopping.set()

    def test_while_it_waits_for_another_try(self):
        self.ready()
        self.server.fault("*/InRelease", status=503, retry_after=60)
        result = self.end_soon(lambda: self.server.asked("*/InRelease"), after=0.3)
        self.assertIn("trying again in 60 s (1 of 1)", result.stderr)

    def test_while_gpgv_hangs_which_ends_too(self):
        self.ready()
        fake = self.write("bin/gpgv", f"#!/bin/sh\necho $$ >{self.path('pid')}\nexec sleep 60\n")
        os.chmod(fake, 0o755)
        self.factory.options.append("--no-confine")  # it writes where gpgv may not
        self.end_soon(lambda: os.path.exists(self.path("pid")) and os.path.getsize(self.path("pid")),
                      env={"PATH": self.path("bin") + ":" + os.environ["PATH"]})
        with open(self.path("pid"), encoding="utf-8") as stream:
            pid = int(stream.read())
        def is_running():
            try:
                with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
                    return stat.read().rsplit(")", 1)[1].split()[0] not in "ZX"
            except FileNotFoundError:
                return False
        wait_until(lambda: not is_running(), 5)
        self.assertFalse(is_running())

    def test_children_of_the_shell_that_became_it_are_left_alone(self):
        self.ready()
        self.server.fault("*/InRelease", hang=True)
        command = " ".join(f"'{word}'" for word in self.factory.command("--arch", "all", "served"))
        child = subprocess.Popen(["bash", "-c", f"set -m; sleep 60 & echo $!; exec {command}"], stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.factory.environment())
        other = int(child.stdout.readline())
        wait_until(lambda: self.server.asked("*/InRelease"))
        child.send_signal(signal.SIGTERM)
        self.assertEqual(child.wait(timeout=30), -signal.SIGTERM)
        os.kill(other, signal.SIGKILL)  # fails when it is gone

    def test_while_nobody_reads_the_report(self):
        self.ready()
        self.build()
        read_end, write_end = os.pipe()
        os.set_blocking(write_end, False)
        try:
            while True:
                os.write(write_end, bytes(4096))
        except BlockingIOError:
            os.set_blocking(write_end, True)
        child = subprocess.Popen(self.factory.command("--arch", "all", "--json", "served"), stdin=subprocess.DEVNULL,
                                 stdout=write_end, stderr=subprocess.PIPE, env=self.factory.environment())
        time.sleep(1)
        self.assertIsNone(child.poll())
        end_by(self, child, signal.SIGINT)
        os.close(read_end)
        os.close(write_end)

    def test_while_nobody_reads_its_messages(self):
        self.ready()
        read_end, write_end = os.pipe()
        os.set_blocking(write_end, False)
        try:
            while True:
                os.write(write_end, bytes(4096))
        except BlockingIOError:
            os.set_blocking(write_end, True)
        child = subprocess.Popen(self.factory.command("--arch", "all", "-v", "served"), stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=write_end, env=self.factory.environment())
        time.sleep(1)
        self.assertIsNone(child.poll())
        begun = time.monotonic()
        child.send_signal(signal.SIGTERM)
        child.communicate(timeout=30)
        self.assertLess(time.monotonic() - begun, SOON + 0.3)
        self.assertEqual(child.returncode, -signal.SIGTERM)
        os.close(read_end)
        os.close(write_end)

    @unittest.skipIf("thread" in run.sanitizer(), "its memory cannot map 60,000 files")
    def test_while_it_checks_a_big_root(self):
        root = self.path("root")
        os.makedirs(root)
        program = elf.write(needed=["libc.so.6"], payload=bytes(1 << 20), **world.MACHINES["amd64"].elf)
        with open(f"{root}/p", "wb") as stream:
            stream.write(program)
        os.chmod(f"{root}/p", 0o755)
        for number in range(60000):
            os.link(f"{root}/p", f"{root}/p{number}")
        child = subprocess.Popen([run.program(), "check", "--json", root], stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, env=self.factory.environment())
        time.sleep(0.2)
        result = end_by(self, child, signal.SIGINT)
        self.assertEqual(result.stdout, "")

    def test_signals_that_the_parent_ignores_stay_ignored(self):
        self.ready()
        self.server.fault("*/InRelease", delay=1.5)
        child = subprocess.Popen(["nohup", *self.factory.command("--arch", "all", "served")], stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.factory.environment())
        wait_until(lambda: self.server.asked("*/InRelease"))
        child.send_signal(signal.SIGHUP)
        _, stderr = child.communicate(timeout=60)
        self.assertEqual(child.returncode, 0, stderr)

    def test_stray_user_signals_do_not_make_it_deaf(self):
        self.ready()
        self.server.fault("*/InRelease", hang=True)
        child = self.factory.start("--arch", "all", "served")
        wait_until(lambda: self.server.asked("*/InRelease"))
        child.send_signal(signal.SIGUSR1)
        time.sleep(0.2)
        end_by(self, child, signal.SIGINT)

    def test_stopped_and_continued_it_goes_on(self):
        self.ready()
        child = self.factory.start("--arch", "all", "served")
        for _ in range(3):
            child.send_signal(signal.SIGTSTP)
            time.sleep(0.05)
            child.send_signal(signal.SIGCONT)
        _, stderr = child.communicate(timeout=60)
        self.assertEqual(child.returncode, 0, stderr)


class Locks(Case):
    def setUp(self):
        super().setUp()
        self.ready()
        self.digest = self.build().digest()
        self.lock = self.factory.output + "/served/.lock"

    def hold(self, path, how=fcntl.LOCK_EX):
        held = os.open(path, os.O_RDONLY)
        self.addCleanup(os.close, held)
        fcntl.flock(held, how)
        return held

    def test_nobody_else_can_open_a_layouts_lock(self):
        self.assertEqual(os.stat(self.lock).st_mode & 0o7777, 0o600)

    def test_a_lock_of_an_older_version_is_closed_to_others(self):
        os.chmod(self.lock, 0o644)
        self.assertEqual(self.build().digest(), self.digest)
        self.assertEqual(os.stat(self.lock).st_mode & 0o7777, 0o600)

    def test_waiting_is_said_with_the_holder_and_a_signal_ends_it(self):
        self.hold(self.lock)
        for number in (signal.SIGTERM, signal.SIGINT):
            child = self.factory.start("--arch", "all", "served")
            time.sleep(2)
            result = end_by(self, child, number)
            self.assertRegex(result.stderr, rf"waiting for .*/served/\.lock, which process {os.getpid()} \(.*\) holds")

    def test_the_wait_has_a_limit(self):
        self.hold(self.lock)
        result = self.run_factory("--arch", "all", "served", env={"IMGFACTORY_LOCK_WAIT": "1500ms"})
        self.assertEqual(result.code, run.LOCAL, result)
        self.assertRegex(result.stderr, rf"gave up after 1.5 s of waiting for .*\.lock, which process {os.getpid()}")
        result = self.run_factory("--arch", "all", "served", env={"IMGFACTORY_LOCK_WAIT": "soon"})
        self.assertEqual(result.code, run.USAGE, result)

    def test_when_the_lock_is_free_again_it_goes_on(self):
        held = self.hold(self.lock)
        child = self.factory.start("--arch", "all", "served")
        time.sleep(1.5)
        fcntl.flock(held, fcntl.LOCK_UN)
        _, stderr = child.communicate(timeout=30)
        self.assertEqual(child.returncode, 0, stderr)

    def test_readers_wait_in_words_too(self):
        self.hold(self.lock)
        command = [run.program(), "inspect", self.factory.output + "/served"]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.factory.environment())
        time.sleep(2)
        self.assertIn("waiting for", end_by(self, child, signal.SIGTERM).stderr)

    def test_of_the_state(self):
        self.hold(self.factory.state + "/v1/seen")
        self.repository.publish(self.key, date=-5)
        child = self.factory.start("--arch", "all", "served")
        time.sleep(2)
        self.assertIn("waiting for", end_by(self, child, signal.SIGTERM).stderr)

    def test_of_the_cache(self):
        self.hold(self.factory.cache + "/v1/users")
        child = self.factory.start("--arch", "all", "served")
        time.sleep(2)
        self.assertIn("waiting for", end_by(self, child, signal.SIGTERM).stderr)


class SlowServers(Case):
    IMPATIENT = {"IMGFACTORY_SLOW_AFTER": "1s"}

    def setUp(self):
        super().setUp()
        packages = world.packages()
        for package in packages:
            if package.name == "libfoo1":
                package.files.append(deb.File("/usr/share/foo/noise", os.urandom(200000)))
        self.ready(packages=packages)

    def test_another_mirror_is_asked(self):
        other = server.Server(self.repository.root).start()
        self.addCleanup(other.stop)
        self.use(self.write_source("two.yaml", uris=[self.server.url, other.url]))
        for pattern in ("*libfoo1*", "*Packages*", "*/InRelease"):
            with self.subTest(pattern):
                self.server.heal()
                self.server.fault(pattern, rate=1300 if pattern == "*libfoo1*" else 100)
                shutil.rmtree(self.factory.top + "/cache", ignore_errors=True)
                begun = time.monotonic()
                result = self.run_factory("--arch", "all", "served", env=self.IMPATIENT)
                self.assertEqual(result.code, run.OK, result)
                self.assertLess(time.monotonic() - begun, 20)
        self.assertIn("too slow", result.stderr)

    def test_the_only_mirror_has_a_deadline(self):
        self.server.fault("*libfoo1*", rate=1300)
        begun = time.monotonic()
        result = self.refuse(run.NETWORK, "too slow", env={"IMGFACTORY_SLOW_AFTER": "500ms"})
        self.assertLess(time.monotonic() - begun, 20, result)

    def test_the_whole_run_has_a_time_limit(self):
        self.server.fault("*libfoo1*", hang=True)
        begun = time.monotonic()
        result = self.refuse(run.NETWORK, "not done within --timeout 2 s",
                             arguments=("--json", "--timeout", "2s", "--arch", "all", "served"))
        self.assertLess(time.monotonic() - begun, 2 + SOON + 0.5)
        report = json.loads(result.stdout)
        self.assertEqual((report["exit"], report["outcome"]), (6, "network"))
        self.assertEqual(report["images"][0]["error"]["exit"], 6)

    def test_a_time_limit_that_is_not_reached_changes_nothing(self):
        self.build("--timeout", "1h", "--arch", "all", "served")

    def test_a_time_limit_holds_when_nothing_looks_at_it(self):
        fake = self.write("bin/gpgv", "#!/bin/sh\nexec sleep 60\n")
        os.chmod(fake, 0o755)
        begun = time.monotonic()
        result = self.run_factory("--timeout", "1s", "--arch", "all", "served",
                                  env={"PATH": self.path("bin") + ":" + os.environ["PATH"]})
        self.assertEqual(result.code, run.NETWORK, result)
        self.assertIn("--timeout", result.stderr)
        self.assertLess(time.monotonic() - begun, 1 + SOON + 0.5)

    def test_durations_that_are_none(self):
        for value in ("10", "0s", "soon", "-5s", "5x", "s", "1h30"):
            with self.subTest(value):
                self.refuse(run.USAGE, "--timeout", arguments=(f"--timeout={value}", "served"))

    def test_retries_are_told(self):
        self.server.fault("*/InRelease", status=503, times=1)
        result = self.run_factory("--arch", "all", "served")
        self.assertEqual(result.code, run.OK, result)
        self.assertRegex(result.stderr, r"InRelease: HTTP status 503.*trying again in .* \(1 of 1\)")

    def test_without_a_network_a_warm_cache_is_pointed_at(self):
        self.build()
        self.server.stop()
        self.server.stop = lambda: None
        result = self.run_factory("--arch", "all", "served")
        self.assertEqual(result.code, run.NETWORK, result)
        self.assertIn("--cache-only", result.stderr)
        self.build("--arch", "all", "--cache-only", "served")


class SlowRegistries(PushCase):
    def slow_registry(self, pattern, delay):
        """A registry that answers to `pattern` after so many seconds."""
        target, proxy = self.make_proxied()
        self.pushed(self.make_layout(), f"{target.host}/ns/image:v1")
        proxy.fault("GET", pattern, times=None, delay=delay)
        return proxy

    def test_a_pull_that_hangs_ends_with_the_time_limit(self):
        proxy = self.slow_registry("/blobs/", 30)
        begun = time.monotonic()
        result = self.call("pull", "--tls-verify=false", "--timeout", "2s", f"{proxy.host}/ns/image:v1")
        self.assertEqual(result.code, run.NETWORK, result)
        self.assertIn("--timeout", result.stderr)
        self.assertLess(time.monotonic() - begun, 20)

    def drip_registry(self):
        """A registry of files that only reads: the layer comes at 3 kB/s."""
        made = self.make_layout(size=400000)
        root = self.path("files")
        files = {"manifests/v1": made.digest}
        for name in os.listdir(made.folder + "/blobs/sha256"):
            files["blobs/sha256:" + name] = files["manifests/sha256:" + name] = "sha256:" + name
        for name, digest in files.items():
            path = f"{root}/v2/ns/image/{name}"
            os.makedirs(os.path.dirname(path), exist_ok=True)
            shutil.copy(f"{made.folder}/blobs/sha256/{digest[7:]}", path)
        server_ = server.Server(root).start()
        self.addCleanup(server_.stop)
        index = "application/vnd.oci.image.index.v1+json"
        manifest = "application/vnd.oci.image.manifest.v1+json"
        server_.fault("*/manifests/v1", headers={"Content-Type": index})
        server_.fault("*/manifests/*", headers={"Content-Type": manifest})
        server_.fault("*/blobs/*", rate=3000)
        return made, server_.url[len("http://"):]

    def test_a_pull_that_drips_has_a_deadline(self):
        _, host = self.drip_registry()
        begun = time.monotonic()
        result = self.call("pull", "--tls-verify=false", f"{host}/ns/image:v1", env={"IMGFACTORY_SLOW_AFTER": "500ms"})
        self.refused(run.NETWORK, result, "too slow")
        self.assertLess(time.monotonic() - begun, 15)

    def test_a_pull_from_a_mirror_that_drips_goes_on_at_the_next_place(self):
        made, host = self.drip_registry()
        target = self.make_registry()
        self.pushed(made, f"{target.host}/ns/image:v1")
        self.write("home/.config/containers/registries.conf",
                   f'[[registry]]\nprefix = "mirrored.example"\nlocation = "{target.host}"\ninsecure = true\n'
                   f'[[registry.mirror]]\nlocation = "{host}"\ninsecure = true\n')
        result = self.call("pull", "mirrored.example/ns/image:v1", env={"IMGFACTORY_SLOW_AFTER": "1s"})
        self.assertEqual(result.code, run.OK, result)
        self.assertIn("too slow", result.stderr)

    def test_a_pull_ends_soon_by_a_signal(self):
        proxy = self.slow_registry("/blobs/", 30)
        for name in ("pull", "inspect"):
            child = self.start(name, "--tls-verify=false", f"{proxy.host}/ns/image:v1")
            time.sleep(1)
            self.assertEqual(end_by(self, child, signal.SIGINT).stdout, "")

    def test_the_report_of_a_push_is_true_when_a_tag_was_being_set(self):
        """The answer to the tag's PUT comes late: within the moment that it has, or not."""
        made = self.make_layout()
        for number, (delay, known) in enumerate(((0.2, True), (5, False))):
            target, proxy = self.make_proxied(f"registry{number}")
            fault = proxy.fault("PUT", "/manifests/v1", delay=delay)
            child = self.start("push", "--json", "--tls-verify=false", made.folder, f"{proxy.host}/ns/image:v1")
            wait_until(lambda: fault.hits)  # pylint: disable=cell-var-from-loop
            begun = time.monotonic()
            child.send_signal(signal.SIGTERM)
            stdout, stderr = child.communicate(timeout=30)
            took = time.monotonic() - begun
            with self.subTest(delay=delay):
                self.assertLess(took, SOON + 0.3, stderr)
                tag = json.loads(stdout)["images"][0]["push"]["tags"][0]
                if known:
                    self.assertEqual(tag["moved"], target.tags("ns/image").get("v1") == made.digest, stderr)
                    self.assertNotIn("unclear", tag)
                else:
                    self.assertIs(tag["unclear"], True)
                    self.assertEqual(child.returncode, -signal.SIGTERM)
                    self.assertIn("may be the old or the new", stderr.decode())


class Prompt(PushCase):
    """`imgfactory login` on a terminal of its own."""

    def open_login(self, *arguments):
        pid, terminal = pty.fork()
        if pid == 0:
            command = [run.program(), "login", "--authfile", self.path("auth.json"), *arguments]
            os.execve(command[0], command, run.Factory.environment(self.env))
        self.addCleanup(self.close, pid, terminal)
        self.pid, self.terminal, self.shown = pid, terminal, b""

    @staticmethod
    def close(pid, terminal):
        try:
            os.close(terminal)
        except OSError:
            pass
        try:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass

    def read_until(self, text, timeout=10):
        deadline = time.monotonic() + timeout
        while text not in self.shown and time.monotonic() < deadline:
            if select.select([self.terminal], [], [], 0.1)[0]:
                try:
                    self.shown += os.read(self.terminal, 4096)
                except OSError:
                    break
        self.assertIn(text, self.shown)

    def has_echo(self):
        return bool(termios.tcgetattr(self.terminal)[3] & termios.ECHO)

    def wait(self, timeout=SOON + 0.3):
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.01)
        self.fail("it did not end")
        return None

    def at_password(self):
        self.open_login("--username", "me", "quay.example.org")
        self.read_until(b"Password: ")
        wait_until(lambda: not self.has_echo(), 5)
        self.assertFalse(self.has_echo())

    def test_control_c_at_the_password_ends_it_with_the_echo_on(self):
        self.at_password()
        os.write(self.terminal, b"half a secr\x03")
        self.assertIn(self.wait(), (-signal.SIGINT, 130))
        self.assertTrue(self.has_echo())

    def test_other_signals_at_the_password(self):
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            with self.subTest(number):
                self.at_password()
                os.kill(self.pid, number)
                self.assertIn(self.wait(), (-number, 128 + number))
                self.assertTrue(self.has_echo())

    def test_two_signals_at_once(self):
        self.at_password()
        os.kill(self.pid, signal.SIGTERM)
        os.kill(self.pid, signal.SIGINT)
        self.assertLess(self.wait(), 0)
        self.assertTrue(self.has_echo())

    def test_control_c_at_the_user_name(self):
        self.open_login("quay.example.org")
        self.read_until(b"Username: ")
        os.write(self.terminal, b"\x03")
        self.assertIn(self.wait(), (-signal.SIGINT, 130))
        self.assertTrue(self.has_echo())

    def test_control_d_gives_nothing(self):
        self.at_password()
        os.write(self.terminal, b"\x04")
        self.read_until(b"no password was given")
        self.assertEqual(self.wait(), run.USAGE)
        self.assertTrue(self.has_echo())
        self.open_login("quay.example.org")
        self.read_until(b"Username: ")
        os.write(self.terminal, b"\x04")
        self.assertEqual(self.wait(), run.USAGE)

    def test_a_terminal_that_is_closed_ends_it(self):
        self.at_password()
        os.close(self.terminal)
        self.assertIn(self.wait(), (-signal.SIGHUP, 129, run.USAGE))  # what is seen first: the signal or the end

    def test_stopped_the_terminal_echoes_and_continued_it_asks_again(self):
        self.at_password()
        os.kill(self.pid, signal.SIGTSTP)
        wait_until(self.has_echo, 5)
        self.assertTrue(self.has_echo())
        self.shown = b""
        os.kill(self.pid, signal.SIGCONT)
        self.read_until(b"Password: ")
        self.assertFalse(self.has_echo())
        os.write(self.terminal, b"\x03")
        self.assertIn(self.wait(), (-signal.SIGINT, 130))

    def test_a_login_works(self):
        target = self.make_registry(users={"me": "kit pass"})
        self.open_login("--tls-verify=false", target.host)
        self.read_until(b"Username: ")
        os.write(self.terminal, b"me\n")
        self.read_until(b"Password: ")
        wait_until(lambda: not self.has_echo(), 5)
        os.write(self.terminal, b"kit pass\n")
        self.read_until(b"Login succeeded")
        self.assertEqual(self.wait(5), 0)
        self.assertNotIn(b"kit pass", self.shown)
        self.assertTrue(self.has_echo())


if __name__ == "__main__":
    unittest.main()
