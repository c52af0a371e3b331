# SPDX-License-Identifier: Apache-2.0
"""A machine that makes a site's nights: its folders, its clock, the program on it, and what the program says of a night."""

import json
import os
import re
import resource
import shutil
import signal
import subprocess
import tempfile
import time

from kit import run
from kit.report import Report

FAKETIME = ("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1", "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
            "/usr/lib64/faketime/libfaketimeMT.so.1")
ROOM = 256 << 20  # bytes of a machine's disk


def faketime():
    """The library that gives a program another clock."""
    found = next((path for path in FAKETIME if os.path.exists(path)), None)
    if not found:
        raise RuntimeError("libfaketimeMT.so.1 is missing: scripts/test installs what the tests need (package faketime)")
    return found


class Outcome:
    """What a night ended with. `report` is None when it printed none."""

    def __init__(self, result, metrics, seconds):
        self.result, self.code, self.seconds = result, result.code, seconds
        self.reports = list(reports(result.stdout))
        self.report = self.reports[-1] if self.reports else None
        self.metrics = metrics  # {name with labels: value}
        self.summary = [line for line in result.stderr.splitlines() if re.match(r"(ok|held|FAILED|PARTLY) +", line)]

    def __str__(self):
        return re.sub(r"(?s)--- stdout.*?--- stderr", "--- stderr", str(self.result))


def reports(text):
    """All that a program printed, one after the other; what is not whole is none."""
    at = 0
    while True:
        at += len(text[at:]) - len(text[at:].lstrip())
        try:
            _, end = json.JSONDecoder().raw_decode(text, at)
        except ValueError:
            return
        yield Report(text[at:end])
        at = end


class Machine:
    """`top` becomes its disk: a file system of its own where that can be made (`is_mounted`)."""

    def __init__(self, top, site_file, home):
        self.top, self.site_file, self.home = top, site_file, home
        os.makedirs(top, 0o755)
        self.is_mounted = os.geteuid() == 0 and subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={ROOM},mode=0755", "tmpfs", top], stderr=subprocess.DEVNULL, check=False).returncode == 0
        self.metrics_file = os.path.join(top, "night.prom")
        self.accepted = None      # the generation that its last whole night saw, while it still has state and cache
        self.asked = {}           # image → the night in which the registry was last asked for all of it
        self.seen, self.appeared = {}, {}  # (image, package) → the night in which a lag was seen, was there
        self.seconds = 0.5        # that a night with a change takes
        self.library = faketime()

    def close(self):
        if self.is_mounted:
            subprocess.run(["umount", "-l", self.top], check=True)

    def path(self, name):
        return os.path.join(self.top, name)

    def lose(self, *names):
        for name in names:
            shutil.rmtree(self.path(name), ignore_errors=True)
        if "state" in names:
            self.asked.clear()
            self.seen.clear()
        self.accepted = None

    def command(self, *options):
        return [run.program(), "--config", self.site_file, "--cache", self.path("cache"), "--state", self.path("state"), "--output",
                self.path("out"), "--json", "--summary", "--quiet", "--metrics", self.metrics_file, *options]

    def environment(self, days):
        """With a clock that is so many days back. Files keep the kernel's times, which then lie in the future: whatever has no date
        inside is new to the program. (With a clock that is ahead all that it writes would be old at once.)"""
        preload = self.library
        if any(kind in run.sanitizer() for kind in ("address", "thread")):  # its library wants to be the first
            preload = f"{sanitizer_library()} {preload}"
        return run.Factory.environment({
            "LD_PRELOAD": preload, "FAKETIME": f"{-days:+d}d", "FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_DISABLE_SHM": "1",
            "NO_FAKE_STAT": "1", "HOME": self.home, "XDG_RUNTIME_DIR": self.home, "XDG_CONFIG_HOME": None, "REGISTRY_AUTH_FILE": None,
            "DOCKER_CONFIG": None})

    def start(self, days, *options, command=None, file_max=None):
        limit = (lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (file_max, file_max))) if file_max is not None else None
        streams = [tempfile.TemporaryFile() for _ in range(2)]  # no pipes: nobody reads while it runs
        child = subprocess.Popen(command or self.command(*options), stdin=subprocess.DEVNULL, stdout=streams[0], stderr=streams[1],
                                 env=self.environment(days), preexec_fn=limit)
        child.streams = streams
        return child

    def end(self, child, begun, timeout=120):
        try:
            child.wait(timeout)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        texts = []
        for stream in child.streams:
            stream.seek(0)
            texts.append(stream.read().decode(errors="replace"))
            stream.close()
        result = run.Result(child.args, child.returncode, *texts)
        return Outcome(result, read_metrics(self.metrics_file), time.time() - begun)

    def run(self, days, *options, **settings):
        begun = time.time()
        return self.end(self.start(days, *options, **settings), begun)

    def kill(self, child, begun):
        child.send_signal(signal.SIGKILL)
        return self.end(child, begun)

    @staticmethod
    def said(child):
        """What it wrote to stderr so far. (A seek would move its place, too.)"""
        number = child.streams[1].fileno()
        return os.pread(number, os.fstat(number).st_size, 0).decode(errors="replace")

    def used_bytes(self):
        status = os.statvfs(self.top)
        return (status.f_blocks - status.f_bfree) * status.f_frsize

    def resize(self, size):
        subprocess.run(["mount", "-o", f"remount,size={size}", self.top], check=True)


def sanitizer_library():
    name = "libasan.so" if "address" in run.sanitizer() else "libtsan.so"
    found = subprocess.run(["ldd", run.program()], stdout=subprocess.PIPE, check=True).stdout.decode()
    return next(line.split("=>")[1].split()[0] for line in found.splitlines() if name in line)


def read_metrics(path):
    """{name with labels: value}; a file that is there is whole."""
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as stream:
        text = stream.read()
    if not text.endswith("\n"):
        raise AssertionError(f"{path} is half-written: …{text[-80:]!r}")
    lines = [line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#")]
    return {name.removeprefix("imgfactory_"): float(value) for name, value in lines}


