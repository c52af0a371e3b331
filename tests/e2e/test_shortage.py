# SPDX-License-Identifier: Apache-2.0
"""Too few descriptors, wherever it strikes: the work is done, or it is class 8 with the limit's name and what to do; nothing
half-written is left, and a run with enough of them mends all."""

import itertools
import os
import re
import resource
import subprocess
import unittest

from base import Case, PushCase, image, need, run
from kit.push_case import PASSWORD, USER
from kit.rpm_case import BuildCase, Shared
from test_rpm_bad import small

SHARED = Shared()
# The loader of the libraries itself needs one more than the standard streams. Below ENOUGH nothing is promised but a
# clear end; around it every call is near its limit, so each number counts.
FIRST, ENOUGH, LAST = 4, 32, 64
COUNTS = [*range(FIRST, 24, 4), *range(24, ENOUGH + 8), *range(ENOUGH + 8, LAST + 1, 6)]
TOLD = ("Too many open files", "the limit of open files is {}", "ulimit -n")
LOADER = "error while loading shared libraries"


def tearDownModule():
    SHARED.close()


class Shortage:
    """A sweep over how many descriptors a command may have."""

    def limited(self, command, count, env=None):
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=run.Factory.environment(env), timeout=120, check=False,
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (count, count)))
        return run.Result(command, done.returncode, done.stdout.decode(errors="replace"),
                          done.stderr.decode(errors="replace"))

    def sweep(self, make_command, after=lambda count, result: None, env=None, counts=tuple(COUNTS)):
        """Runs make_command(count) with so many; after(count, result) looks at what it left."""
        for count in counts:
            with self.subTest(count):
                result = self.limited(make_command(count), count, env)
                if result.code == 127 and LOADER in result.stderr:
                    continue
                self.assertIn(result.code, (run.OK, run.LOCAL), result)
                if result.code == run.LOCAL:
                    for part in TOLD:
                        self.assertIn(part.format(count), result.stderr, result)
                self.assertTrue(count < ENOUGH or result.code == run.OK, result)
                after(count, result)


class Build(Shortage, Case):
    def setUp(self):
        super().setUp()
        self.ready(by_hash=True)
        self.wanted = self.build().digest()

    def fresh(self, count):
        self.factory = run.Factory(self.path(f"few{count}"))
        self.use(self.path("source.yaml"))

    def look(self, _count, result):
        if result.code == run.OK:
            self.assertEqual(image.Layout(os.path.join(self.factory.output, "served")).digest(), self.wanted)
        else:
            self.assert_nothing_left(result)
            self.assertEqual(self.files_below(os.path.join(self.factory.cache, "v1/tmp")), [], result)

    def test_a_build(self):
        def command(count):
            self.fresh(count)
            return self.factory.command("--arch", "all", "served")
        self.sweep(command, self.look)

    def test_another_build_into_a_layout_keeps_what_is_there(self):
        """The layout is swept after a build: a document that could not be opened must not count as needing nothing."""
        before = self.build()

        def look(_count, result):
            after = image.Layout(os.path.join(self.factory.output, "served"))
            self.assertEqual(after.digest(), before.digest(), result)
        self.sweep(lambda _: self.factory.command("--arch", "all", "--rebuild", "served"), look)

    def test_why_and_check_and_inspect(self):
        layout = os.path.join(self.factory.output, "served")
        tree = self.path("tree")
        self.build("--arch", "all", "--rebuild", "--tree", tree, "served")
        roots = [os.path.join(folder) for folder, names, _ in os.walk(tree) if "usr" in names]
        self.assertTrue(roots)
        folders = ["--cache", self.factory.cache, "--state", self.factory.state]
        for words in (["why", *folders, *self.factory.options, "served", "/usr/sbin/served"],
                      ["inspect", *folders, layout], ["check", *folders, layout], ["check", *folders, *roots]):
            self.sweep(lambda _, words=words: [run.program(), *words])

    def test_descriptors_that_the_caller_left_open_count(self):
        self.fresh("inherited")
        files = [os.open("/dev/null", os.O_RDONLY) for _ in range(40)]
        for file in files:
            os.set_inheritable(file, True)
        try:
            done = subprocess.run(self.factory.command("--arch", "all", "served"), stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, close_fds=False, check=False,
                                  env=run.Factory.environment(),
                                  preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (48, 48)))
        finally:
            for file in files:
                os.close(file)
        self.assertEqual(done.returncode, run.LOCAL, done.stderr)
        self.assertIn(b"the limit of open files is 48", done.stderr)


class RpmBuild(Shortage, BuildCase):
    shared = SHARED

    def test_a_build(self):
        folder = SHARED.get("small", small)
        self.write_manifest("small", "binaries: [/usr/bin/small]\n")
        self.use_folder(folder)
        wanted = self.build("--arch", "x86_64", "small", name="small").digest()

        def command(count):
            self.factory = run.Factory(self.path(f"few{count}"))
            self.use_folder(folder)
            return self.factory.command("--arch", "x86_64", "small")

        def look(_count, result):
            if result.code == run.OK:
                self.assertEqual(image.Layout(os.path.join(self.factory.output, "small")).digest(), wanted)
            else:
                self.assert_nothing_left(result)
        self.sweep(command, look)


class Registry(Shortage, PushCase):
    """Over TLS, with a login, so that certificates and credentials are read, too."""

    def setUp(self):
        super().setUp()
        self.ca = self.authority()
        self.target = self.make_registry(tls=self.ca.issue("server"), users={USER: PASSWORD})
        self.certificates = self.path("certs")
        os.makedirs(self.certificates)
        os.symlink(self.ca.crt, os.path.join(self.certificates, "ca.crt"))
        self.options = ["--cert-dir", self.certificates, "--authfile",
                        self.write_authfile(hosts=[self.target.host])]

    def test_a_push(self):
        layout = self.make_layout(layers=3)

        def look(count, result):
            there = self.target.tags(f"ns/few{count}").get("v1")
            self.assertEqual(there, layout.digest if result.code == run.OK else None, result)
        self.sweep(lambda count: self.command("push", *self.options, layout.folder,
                                              f"{self.target.host}/ns/few{count}:v1"), look, self.env)

    def test_a_pull_and_what_looks_at_images_of_a_registry(self):
        layout = self.make_layout(layers=3)
        reference = f"{self.target.host}/ns/image:v1"
        self.pushed(layout, reference, *self.options, insecure=False)

        def pull(count):
            self.factory.cache = self.path(f"cache{count}")
            return self.command("pull", *self.options, "--output", self.path(f"out{count}"), reference)

        def look(count, result):
            if result.code == run.OK:
                self.tool("skopeo", "inspect", "--raw", f"oci:{self.path(f'out{count}')}/image:v1")
            else:
                written = self.files_below(self.path(f"out{count}"))
                self.assertEqual([name for name in written if name.endswith("index.json")], [], result)
        self.sweep(pull, look, self.env)
        for verb in ("inspect", "check"):
            self.sweep(lambda _, verb=verb: self.command(verb, *self.options, reference), env=self.env)


@unittest.skipIf(run.sanitizer(), "strace and sanitizers do not go together")
class AtAnyCall(Shortage, Case):
    """The table of descriptors is full from some call on, or for one call only."""

    CALLS = "openat,socket,pipe2,memfd_create,pidfd_open,eventfd2,epoll_create1,socketpair,fcntl"
    POINTS = 24

    def trace(self, *options):
        command = ["strace", "-f", "-qq", *options, *self.factory.command("--arch", "all", "served")]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=self.factory.environment(), check=False, timeout=120)
        return run.Result(command, done.returncode, done.stdout.decode(), done.stderr.decode(errors="replace"))

    def test_no_call_that_fails_is_taken_for_something_else(self):
        need("strace")
        self.ready(by_hash=True)
        wanted = self.build().digest()
        self.factory = run.Factory(self.path("counted"))
        self.use(self.path("source.yaml"))
        log = self.path("count.log")
        self.assertEqual(self.trace("-o", log, "-e", "trace=openat,socket,pipe2,memfd_create").code, 0)
        with open(log, encoding="utf-8", errors="replace") as stream:
            lines = [line.split(None, 1)[1] for line in stream if re.match(r"\d+ +\w+\(", line)]
        calls = [line.split("(")[0] for line in lines]
        loads = itertools.takewhile(re.compile(r'openat\(AT_FDCWD, "[^"]*(\.so[^"/]*|/ld\.so\.cache)"').match, lines)
        begun = max(40, 1 + len(list(loads)))  # behind the loader's own: a program that was not loaded tells nothing
        for call in ("openat", "socket", "pipe2", "memfd_create"):
            total = calls.count(call)
            first = begun if call == "openat" else 1
            for number in sorted({first + (total - first) * part // self.POINTS for part in range(self.POINTS + 1)}):
                with self.subTest(call=call, number=number):
                    self.factory = run.Factory(self.path("failed"))
                    self.use(self.path("source.yaml"))
                    subprocess.run(["rm", "-rf", self.factory.top], check=True)
                    result = self.trace("-o", "/dev/null", "-e", f"trace={call}", "-e",
                                        f"inject={call}:error=EMFILE:when={number}")
                    self.assertIn(result.code, (run.OK, run.LOCAL), result)
                    if result.code == run.OK:
                        layout = os.path.join(self.factory.output, "served")
                        self.assertEqual(image.Layout(layout).digest(), wanted)
                    else:  # blobs and bills of images that no index names yet are nothing that is seen
                        left = self.files_below(self.factory.output)
                        self.assertEqual([name for name in left if "/blobs/sha256/" not in name and
                                          "/imgfactory/sha256-" not in name and not name.endswith("/oci-layout")],
                                         [], result)


if __name__ == "__main__":
    unittest.main()
