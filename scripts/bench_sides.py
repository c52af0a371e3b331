# SPDX-License-Identifier: Apache-2.0
"""What the kinds of scripts/bench have in common that compare two programs: the sides, which take turns, what is measured of a
run, and the table with ratios. --against BINARY[:TREE] is the other program; TREE, the tree it was built from, gives it its own
arches/ and manifests/ (else it takes what is installed for it)."""

import argparse
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
CATALOGUE = ("dhcpd dhcpd-ldap kea-dhcp4 bind9 unbound dnsmasq chrony apache2 nginx haproxy squid redis memcached mosquitto "
             "postgresql-15 openssh-server rsyslog snmpd busybox").split()
ARCHES = "x86_64,aarch64"
HEADS = {"cpu_s": ("CPU s", "{:.2f}"), "wall_s": ("wall s", "{:.2f}"), "peak_mib": ("peak MiB", "{:.0f}"),
         "memory_mib": ("of these, no file's", "{:.0f}"),
         "cgroup_mib": ("cgroup peak MiB", "{:.0f}"), "fetched_mb": ("MB fetched", "{:.1f}"), "requests": ("requests", "{:.0f}"),
         "cache_mb": ("cache MB", "{:.0f}")}
TOLD_BYTES = 2000
CGROUPS = (("/sys/fs/cgroup/memory", "memory.max_usage_in_bytes"), ("/sys/fs/cgroup", "memory.peak"))


class Group:
    """A cgroup for one run, whose peak counts memory and the mapped files that it reads first; None where none can be made."""

    def __init__(self):
        self.folder = self.peak_file = None
        for root, name in CGROUPS:
            folder = os.path.join(root, f"imgfactory-bench-{os.getpid()}")
            try:
                os.mkdir(folder)
            except OSError:
                continue
            if os.path.exists(os.path.join(folder, name)):
                self.folder, self.peak_file = folder, os.path.join(folder, name)
                return
            os.rmdir(folder)

    def enter(self):
        """In the child: goes into the group."""
        if self.folder:
            with open(os.path.join(self.folder, "cgroup.procs"), "w", encoding="ascii") as stream:
                stream.write(str(os.getpid()))

    def leave(self):
        """Ends the group: its peak in MiB, or None."""
        if not self.folder:
            return None
        with open(self.peak_file, encoding="ascii") as stream:
            peak = int(stream.read()) / (1 << 20)
        for _ in range(50):  # the last process may not be gone yet
            try:
                os.rmdir(self.folder)
                break
            except OSError:
                time.sleep(0.02)
        return peak


class Watch(threading.Thread):
    """Looks every few milliseconds how much memory of a process is no file's."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.peak_kib, self.is_ended = pid, 0, threading.Event()

    def run(self):
        while not self.is_ended.wait(0.01):
            try:
                with open(f"/proc/{self.pid}/status", encoding="ascii", errors="replace") as stream:
                    found = re.search(r"RssAnon:\s+(\d+)", stream.read())
            except OSError:
                return
            self.peak_kib = max(self.peak_kib, int(found[1]) if found else 0)


def run(command, statuses=(0,), is_grouped=False, env=None):
    """Runs it once: {"cpu_s", "wall_s", "peak_mib"} of the process and the children that it waited for; when it is grouped also
    "memory_mib" and "cgroup_mib"."""
    group = Group() if is_grouped else None
    begun = time.monotonic()
    with tempfile.TemporaryFile() as errors:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors, env=env,
                                 preexec_fn=group.enter if group else None)
        watch = Watch(child.pid)
        if is_grouped:
            watch.start()
        _, status, usage = os.wait4(child.pid, 0)
        watch.is_ended.set()
        wall = time.monotonic() - begun
        child.returncode = os.waitstatus_to_exitcode(status)
        peak = group.leave() if group else None
        if child.returncode not in statuses:
            errors.seek(0)
            sys.exit(f"{' '.join(command)}: exit {child.returncode}\n{errors.read(TOLD_BYTES).decode(errors='replace')}")
    sample = {"cpu_s": usage.ru_utime + usage.ru_stime, "wall_s": wall, "peak_mib": usage.ru_maxrss / 1024}
    if is_grouped:
        sample.update(memory_mib=watch.peak_kib / 1024, **({"cgroup_mib": peak} if peak is not None else {}))
    return sample


def drop_from_memory(folder):
    """Lets the kernel forget the pages of all files there, so that whoever reads them next is charged for them."""
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                descriptor = os.open(os.path.join(place, name), os.O_RDONLY | os.O_NOFOLLOW)
            except OSError:
                continue
            os.fdatasync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)


def size_mb(folder):
    """The disk space that a folder takes."""
    seen, total = set(), 0
    for place, _, names in os.walk(folder):
        for name in names:
            status = os.lstat(os.path.join(place, name))
            if status.st_ino not in seen:
                seen.add(status.st_ino)
                total += status.st_blocks * 512
    return total / 1e6


class Side:
    """A program with folders of its own below `top`."""

    def __init__(self, name, program, tree, top):
        self.name, self.program, self.tree = name, program, tree
        self.folder = os.path.join(top, name)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def forget(self, *names):
        for name in names or ("cache", "state", "out"):
            shutil.rmtree(self.path(name), ignore_errors=True)

    def command(self, *words):
        data = [word for name in ("arches", "manifests") for word in ("--" + name, os.path.join(self.tree, name))] if self.tree else []
        return [self.program, "--quiet", *data, "--cache", self.path("cache"), "--state", self.path("state"), "--output",
                self.path("out"), *words]


def parser_of(kind, description, runs):
    parser = argparse.ArgumentParser(prog=f"scripts/bench {kind}", description=description,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True, type=os.path.abspath, help=argparse.SUPPRESS)
    parser.add_argument("--against", metavar="BINARY[:TREE]", help="another program, which takes turns with this one")
    parser.add_argument("--runs", type=int, default=runs, help=f"runs per row (default {runs})")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    return parser


def builds_options(parser):
    """Of the kinds that build images."""
    parser.add_argument("--mirror", metavar="DIR", help="keep what the local mirror fetched there, for the next measurement")
    parser.add_argument("--compression", default="zstd", choices=("zstd", "gzip"), help="of both programs' layers (default zstd)")


def sides_of(arguments, top):
    """The sides: this program, and the other one when there is one."""
    sides = [Side("own", arguments.program, os.path.abspath(TOP), top)]
    if arguments.against:
        program, _, tree = arguments.against.partition(":")
        sides.append(Side("against", os.path.abspath(program), os.path.abspath(tree) if tree else None, top))
    return sides


def medians(samples):
    """One sample of several: of each measurement the median."""
    return {key: statistics.median(sample[key] for sample in samples) for key in samples[0]}


def turns(sides, runs, measure):
    """{side: sample}: measure(side, number of the run) for each side in turn, `runs` times; every second time in the other order."""
    samples = {side.name: [] for side in sides}
    for number in range(runs):
        for side in sides if number % 2 == 0 else sides[::-1]:
            samples[side.name].append(measure(side, number))
    return {name: medians(taken) for name, taken in samples.items()}


class Table:
    """Rows as they come: "own (against; ratio)", or JSON at the end."""

    def __init__(self, arguments, keys, title):
        self.arguments, self.keys, self.rows = arguments, keys, []
        if arguments.json:
            return
        print(f"{platform.machine()}, {os.cpu_count()} CPUs; {title}; median of {arguments.runs} runs"
              + ("; in brackets the other program's, and the ratio" if arguments.against else "") + "\n")
        print("| | " + " | ".join(HEADS[key][0] for key in keys) + " |\n|---|" + "---:|" * len(keys), flush=True)

    @staticmethod
    def cell(key, samples):
        own, other, form = samples["own"].get(key), samples.get("against", {}).get(key), HEADS[key][1]
        if own is None:
            return ""
        text = form.format(own)
        if other is not None:
            text += f" ({form.format(other)}; {own / other:.2f})" if other else f" ({form.format(other)})"
        return text

    def add(self, what, samples):
        """A row of each side's sample."""
        self.rows.append({"row": what, **samples})
        if not self.arguments.json:
            print(f"| {what} | " + " | ".join(self.cell(key, samples) for key in self.keys) + " |", flush=True)

    def end(self):
        if self.arguments.json:
            json.dump({"machine": platform.machine(), "cpus": os.cpu_count(), "runs": self.arguments.runs, "rows": self.rows},
                      sys.stdout, indent=2)
            print()
