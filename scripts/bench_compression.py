#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compresses the layers of the catalogue's images with libdeflate-gzip and zstd at several levels: the sum of their
sizes, and the CPU time of the compressor on one thread. factory/layer/README.md has what levels cost
since files are compressed once for each content.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests"))

from bench_sizes import ARCHES, PACKAGES, build  # noqa: E402
from kit import image  # noqa: E402  pylint: disable=wrong-import-position

COMPRESSORS = {"gzip": ["libdeflate-gzip", "-c"], "zstd": ["zstd", "-qc", "--single-thread"]}


def unpack(output, names, top):
    """Writes each layer's tar to a file of its own: their paths."""
    tars = []
    for name in names:
        for platform, built in image.Layout(os.path.join(output, name)).images["latest"].items():
            tars.append(os.path.join(top, f"{name}-{platform.replace('/', '-')}.tar"))
            with open(tars[-1], "wb") as file:
                file.write(built.tar_bytes)
    return tars


def measure(command, path):
    """(bytes of output, CPU seconds)"""
    with open(path, "rb") as source, tempfile.TemporaryFile() as packed:
        child = subprocess.Popen(command, stdin=source, stdout=packed)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            sys.exit(f"{' '.join(command)}: exit {child.returncode}")
        return packed.seek(0, os.SEEK_END), usage.ru_utime + usage.ru_stime


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench compression", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    parser.add_argument("--levels", default="gzip-1,gzip-3,gzip-4,gzip-5,gzip-6,gzip-7,gzip-9,zstd-3",
                        help="default: %(default)s")
    parser.add_argument("images", nargs="*", default=sorted(PACKAGES), help="of the catalogue; default all")
    arguments = parser.parse_args()
    manifests = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "manifests")

    rows = []
    with tempfile.TemporaryDirectory(prefix="imgfactory-compression-") as top:
        tars = unpack(*build(arguments.program, manifests, arguments.images, top), top)
        if not arguments.json:
            print(f"{len(tars)} layers of {', '.join(ARCHES)}, {sum(map(os.path.getsize, tars)) / 1e6:.1f} MB of tar\n")
            print("| compressor | MB | CPU s |\n|---|---|---|")
        for name in arguments.levels.split(","):
            kind, _, level = name.partition("-")
            results = [measure([*COMPRESSORS[kind], f"-{level}"], path) for path in tars]
            size, seconds = (sum(column) for column in zip(*results))
            rows.append({"compressor": name, "bytes": size, "cpu_s": round(seconds, 2)})
            if not arguments.json:
                print(f"| {name} | {size / 1e6:.1f} | {seconds:.1f} |", flush=True)
    if arguments.json:
        json.dump(rows, sys.stdout, indent=2)
        print()


if __name__ == "__main__":
    main()
