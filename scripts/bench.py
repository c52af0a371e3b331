#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures imgfactory against the host's repositories: wall time, CPU time and peak memory, the median of several runs.

cold  new cache and state folders: everything is fetched
warm  indices and packages cached, --rebuild: finished layers are not reused
hot   nothing changed
"offline" rows are the same with --cache-only: without asking the repositories whether something is new.
CPU and peak memory are those of the process and of the children that it waited for (gpgv), as wait4(2) gives them.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

IMAGES = {
    "main": [("dhcpd", ["dhcpd"]), ("kea-dhcp4", ["kea-dhcp4"]),
             ("five images", ["dhcpd", "dhcpd-ldap", "kea-dhcp4", "nginx", "redis"])],
}
MODES = [("cold", []), ("warm", ["--rebuild"]), ("warm offline", ["--rebuild", "--cache-only"]), ("hot", []),
         ("hot offline", ["--cache-only"])]


def measure(command):
    """Runs it once: (wall seconds, CPU seconds, peak KiB)."""
    begun = time.monotonic()
    with tempfile.TemporaryFile() as errors:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors)
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.monotonic() - begun
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            errors.seek(0)
            sys.exit(f"{' '.join(command)}: exit {child.returncode}\n{errors.read().decode(errors='replace')}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss


def new_parser(name, description):
    """A parser of the options that all measurements have."""
    parser = argparse.ArgumentParser(prog=name, description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True, type=os.path.abspath, help=argparse.SUPPRESS)
    parser.add_argument("--runs", type=int, default=5, help="runs per row (default 5)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    return parser


def print_json(runs, rows):
    json.dump({"machine": platform.machine(), "cpus": os.cpu_count(), "runs": runs, "rows": rows}, sys.stdout, indent=2)
    print()


def bench(program, images, runs, top):
    """Yields one row per mode."""
    folders = {name: os.path.join(top, name) for name in ("cache", "state", "out")}
    base = [program, "--arch", "all", "--quiet", "--cache", folders["cache"], "--state", folders["state"], "--output",
            folders["out"]]
    for mode, options in MODES:
        samples = []
        for _ in range(runs):
            if mode == "cold":
                for folder in folders.values():
                    shutil.rmtree(folder, ignore_errors=True)
            samples.append(measure(base + options + images))
        wall, cpu, peak = (statistics.median(column) for column in zip(*samples))
        yield {"mode": mode, "wall_s": round(wall, 4), "cpu_s": round(cpu, 4), "peak_mib": round(peak / 1024, 1),
               "wall_min_s": round(min(s[0] for s in samples), 4), "wall_max_s": round(max(s[0] for s in samples), 4)}


def main():
    parser = new_parser("scripts/bench", __doc__)
    parser.add_argument("what", nargs="?", default="main", choices=sorted(IMAGES))
    arguments = parser.parse_args()
    if arguments.runs < 1:
        parser.error("--runs must be at least 1")

    rows = []
    if not arguments.json:
        print(f"{platform.machine()}, {os.cpu_count()} CPUs; both architectures in one process; median of "
              f"{arguments.runs} runs\n")
        print(f"| {'images':<12} | {'mode':<12} | {'wall s':>8} | {'CPU s':>8} | {'peak MiB':>8} |")
        print(f"|{'-' * 14}|{'-' * 14}|{'-' * 9}:|{'-' * 9}:|{'-' * 9}:|")
    with tempfile.TemporaryDirectory(prefix="imgfactory-bench-") as top:
        for label, images in IMAGES[arguments.what]:
            for row in bench(arguments.program, images, arguments.runs, os.path.join(top, images[0], str(len(images)))):
                rows.append({"images": label, **row})
                if not arguments.json:
                    print(f"| {label:<12} | {row['mode']:<12} | {row['wall_s']:>8.3f} | {row['cpu_s']:>8.3f} | "
                          f"{row['peak_mib']:>8.1f} |", flush=True)
    if arguments.json:
        print_json(arguments.runs, rows)


if __name__ == "__main__":
    main()
