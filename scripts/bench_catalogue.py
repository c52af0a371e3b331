#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures the whole catalogue for two architectures in one call, against a local mirror (bench_mirror.py): CPU and wall time, the
process's peak memory, bytes and requests at the mirror.

cold       new cache and state folders
warm       --rebuild: indices and packages cached
unchanged  nothing changed; the mirror is asked
dhcpd, unchanged, offline  one image, --cache-only
the article's method  for this machine's architecture only: a shell script that unpacks the same packages by dpkg-deb -x, asks ldd
  for the libraries of the image's ELF files that are programs, and packs those files by tar and gzip; its files are at hand, so
  compare it with "warm, one architecture", which makes gzip's layers, too
"""

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from bench_mirror import Mirror  # noqa: E402  pylint: disable=wrong-import-position
from bench_sides import ARCHES, CATALOGUE, Table, builds_options, parser_of, run, sides_of, turns  # noqa: E402  pylint: disable=wrong-import-position

KEYS = ("cpu_s", "wall_s", "peak_mib", "fetched_mb", "requests")
ARTICLE = r"""
set -eu
root=$1 out=$2; shift 2
mkdir -p "$root" "$out"
while [ "$1" != -- ]; do dpkg-deb -x "$1" "$root"; shift; done
shift
search=$(find "$root"/lib "$root"/usr/lib -name '*.so*' -printf '%h\n' | sort -u | tr '\n' ':')
for binary; do
    printf '%s\n' "$root$binary"
    LD_LIBRARY_PATH=$search ldd "$root$binary" | sed -n 's/.*=> \(\/[^ ]*\) .*/\1/p; s/^\t\(\/[^ ]*\) .*/\1/p' || true
done | sort -u | while read -r file; do cp -L --parents "$file" "$out"; done
tar -C "$out" -cf - . | gzip -6 >"$out.tar.gz"
"""


def article(report, mirror, top):
    """One run of the script for each image: a sample of all together."""
    files, total = mirror.packages(), {}
    for image in report["images"]:
        built = image["architectures"][0]
        debs = [files[name] for name in (os.path.basename(package["url"]) for package in built["selection"]) if name in files]
        binaries = [file["path"] for file in built["files"] if file["why"] == "binary of the manifest"]
        folder = os.path.join(top, "article")
        sample = run(["sh", "-c", ARTICLE, "sh", folder + "/root", folder + "/out", *debs, "--", *binaries], statuses=range(256))
        for key, value in sample.items():
            total[key] = max(total.get(key, 0), value) if key == "peak_mib" else total.get(key, 0) + value
        shutil.rmtree(folder)
    return total


def bench(arguments, mirror, top, table):
    sides = sides_of(arguments, top)
    base = ["--source", mirror.source, "--arch", ARCHES, "--compression", arguments.compression]
    one = ["--source", mirror.source, "--arch", platform.machine(), "--compression", "gzip"]

    def measure(words, is_cold=False):
        def measured(side, _):
            if is_cold:
                side.forget()
            mirror.counted()
            sample = run(side.command(*words))
            counted = mirror.counted()
            return {**sample, "fetched_mb": counted["bytes"] / 1e6, "requests": counted["requests"]}
        return measured

    for side in sides:  # the mirror fetches what it has not
        run(side.command(*base, *CATALOGUE))
    table.add("cold", turns(sides, arguments.runs, measure([*base, *CATALOGUE], True)))
    table.add("warm", turns(sides, arguments.runs, measure([*base, "--rebuild", *CATALOGUE])))
    table.add("unchanged", turns(sides, arguments.runs, measure([*base, *CATALOGUE])))
    table.add("dhcpd, unchanged, offline", turns(sides, 4 * arguments.runs, measure([*base, "--cache-only", "dhcpd"])))
    if shutil.which("dpkg-deb") and platform.machine() in ARCHES.split(","):
        for side in sides:
            side.forget("out")  # which would lose an architecture
        table.add("warm, one architecture", turns(sides, arguments.runs, measure([*one, "--rebuild", *CATALOGUE])))
        report = subprocess.run(sides[0].command(*one, "--json", *CATALOGUE), stdout=subprocess.PIPE, check=True).stdout
        table.add("the article's method", {"own": article(json.loads(report), mirror, top)})


def main():
    parser = parser_of("catalogue", __doc__, 5)
    builds_options(parser)
    arguments = parser.parse_args()
    table = Table(arguments, KEYS, f"{len(CATALOGUE)} images for two architectures in one call, a local mirror")
    with tempfile.TemporaryDirectory(prefix="imgfactory-bench-") as top:
        with Mirror(arguments.mirror or os.path.join(top, "mirror")) as mirror:
            bench(arguments, mirror, top, table)
    table.end()


if __name__ == "__main__":
    main()
