#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures what a build by name costs beside the same build from a manifest, against the host's repositories: wall time, CPU time
and peak memory, the median of several runs that take turns.

plain     a manifest that names the binary alone: nothing is automatic
manifest  the manifest that `imgfactory new NAME` prints
name      NAME
cold: new cache and state folders. warm: --rebuild, with indices and packages cached.
"""

import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from bench import measure, new_parser, print_json  # noqa: E402  pylint: disable=wrong-import-position

NAMES = {"nsd": "/usr/sbin/nsd", "vsftpd": "/usr/sbin/vsftpd", "tor": "/usr/bin/tor"}


def prepare(program, top, folders, name):
    """{way: what the program is given}"""
    plain, written = (os.path.join(top, way, name + ".yaml") for way in ("plain", "manifest"))
    for path in (plain, written):
        os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(plain, "w", encoding="utf-8") as stream:
        stream.write(f"description: {name}\nbinaries: [{NAMES[name]}]\n")
    with open(written, "w", encoding="utf-8") as stream:
        subprocess.run([program, "new", *folders, name], stdout=stream, check=True)
    return {"plain": plain, "manifest": written, "name": name}


def bench(program, name, runs, top):
    """Yields one row for each mode and way."""
    places = {folder: os.path.join(top, folder) for folder in ("cache", "state")}
    folders = [word for folder, path in places.items() for word in ("--" + folder, path)]
    ways = prepare(program, top, folders, name)
    for mode, options in (("cold", []), ("warm", ["--rebuild"])):
        samples = {way: [] for way in ways}
        for _ in range(runs):
            for way, image in ways.items():
                if mode == "cold":
                    for path in places.values():
                        shutil.rmtree(path, ignore_errors=True)
                samples[way].append(measure([program, "--arch", "all", "--quiet", "--output", os.path.join(top, "out"), *folders,
                                             *options, image]))
        for way, measured in samples.items():
            wall, cpu, peak = (statistics.median(column) for column in zip(*measured))
            yield {"image": name, "mode": mode, "way": way, "wall_s": round(wall, 4), "cpu_s": round(cpu, 4),
                   "peak_mib": round(peak / 1024, 1)}


def main():
    parser = new_parser("scripts/bench name", __doc__)
    arguments = parser.parse_args()
    if arguments.runs < 1:
        parser.error("--runs must be at least 1")
    rows = []
    if not arguments.json:
        print(f"{platform.machine()}, {os.cpu_count()} CPUs; both architectures in one process; median of {arguments.runs} runs\n")
        print("| image | mode | by | wall s | CPU s | peak MiB |")
        print("|---|---|---|---:|---:|---:|")
    for name in NAMES:
        with tempfile.TemporaryDirectory(prefix="imgfactory-bench-") as top:
            for row in bench(arguments.program, name, arguments.runs, top):
                rows.append(row)
                if not arguments.json:
                    print(f"| {name} | {row['mode']} | {row['way']} | {row['wall_s']:.3f} | {row['cpu_s']:.3f} | "
                          f"{row['peak_mib']:.1f} |", flush=True)
    if arguments.json:
        print_json(arguments.runs, rows)


if __name__ == "__main__":
    main()
