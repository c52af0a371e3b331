#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures nights on which little or nothing happened, against a local mirror (bench_mirror.py) that signs its indices anew: CPU and
wall time, bytes and requests.

N x 2, security index changed  the indices of the suite for security updates have a package more, which no image takes
N x 2, all indices changed     those of all suites have
N x 2, unchanged               nothing changed; the mirror is asked
dhcpd, unchanged, offline      one image, --cache-only
check, FILES files             `check` of a directory: the packages of the catalogue unpacked by dpkg-deb -x, several times over,
                               for about --files files; libtree (where it is installed) gets its ELF files: closure alone
"""

import os
import platform
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from bench_closure import elf_files, libtree_of  # noqa: E402  pylint: disable=wrong-import-position
from bench_mirror import Mirror  # noqa: E402  pylint: disable=wrong-import-position
from bench_sides import ARCHES, CATALOGUE, Table, builds_options, medians, parser_of, run, sides_of, turns  # noqa: E402  pylint: disable=wrong-import-position

KEYS = ("cpu_s", "wall_s", "peak_mib", "fetched_mb", "requests")
SMALL = 13  # images of the smaller rows
DEBIAN = {"x86_64": "amd64", "aarch64": "arm64"}


def nights(sides, arguments, mirror, base, table):
    def measure(images, changed=None):
        rounds = []

        def measured(side, number):
            if changed is not None and number not in rounds:
                rounds.append(number)
                mirror.night(changed)
            mirror.counted()
            sample = run(side.command(*base, *images))
            counted = mirror.counted()
            return {**sample, "fetched_mb": counted["bytes"] / 1e6, "requests": counted["requests"]}
        return measured

    for side in sides:  # twice: what is remembered of a run is there from the second on
        run(side.command(*base, *CATALOGUE))
        run(side.command(*base, *CATALOGUE))
    for count in (SMALL, len(CATALOGUE)):
        images = CATALOGUE[:count]
        table.add(f"{count} x 2, security index changed", turns(sides, arguments.runs, measure(images, "security")))
        table.add(f"{count} x 2, all indices changed", turns(sides, arguments.runs, measure(images, "")))
        table.add(f"{count} x 2, unchanged", turns(sides, arguments.runs, measure(images)))
    table.add("dhcpd, unchanged, offline", turns(sides, 4 * arguments.runs, measure(["--cache-only", "dhcpd"])))


def count_of(folder):
    return sum(len(folders) + len(names) for _, folders, names in os.walk(folder))


def make_tree(packages, folder, count):
    """A directory of about `count` files: the packages, and the same again below /srv, as often as it takes, by hard links."""
    os.makedirs(folder)
    for path in sorted(packages):
        subprocess.run(["dpkg-deb", "-x", path, folder], check=True)
    packed = sorted(os.listdir(folder))
    copies = round(count / count_of(folder)) - 1
    for number in range(copies):
        place = os.path.join(folder, "srv", f"copy{number}")
        os.makedirs(place)
        subprocess.run(["cp", "-al", *(os.path.join(folder, name) for name in packed if name != "srv"), place], check=True)


def check(sides, arguments, mirror, top, table):
    architectures = (DEBIAN[platform.machine()], "all")
    packages = [path for name, path in mirror.packages().items() if name.rpartition("_")[2].partition(".")[0] in architectures]
    tree = os.path.join(top, "tree")
    make_tree(packages, tree, arguments.files)
    total = count_of(tree)

    def measured(side, _):  # what the packages lack for want of others is told, and no matter
        return run([side.program, "check", "--quiet", tree], statuses=range(10))

    table.add(f"check, {total} files", turns(sides, arguments.runs, measured))
    if shutil.which("libtree"):
        files = elf_files(tree)
        calls = libtree_of(tree, files, os.path.join(top, "libtree.conf"))
        table.add(f"libtree, the {len(files)} ELF files of them", {"own": medians([run(calls, range(256)) for _ in range(arguments.runs)])})


def main():
    parser = parser_of("night", __doc__, 5)
    parser.add_argument("--files", type=int, default=138655, help="about so many files has the directory that is checked (default 138655)")
    parser.add_argument("--only", choices=("builds", "check"), help="leave the other rows out")
    builds_options(parser)
    arguments = parser.parse_args()
    table = Table(arguments, KEYS, "two architectures in one call, a local mirror")
    with tempfile.TemporaryDirectory(prefix="imgfactory-bench-", dir=os.environ.get("TMPDIR", "/var/tmp")) as top:
        with Mirror(arguments.mirror or os.path.join(top, "mirror")) as mirror:
            sides = sides_of(arguments, top)
            base = ["--source", mirror.source, "--arch", ARCHES, "--compression", arguments.compression]
            if arguments.only != "check":
                nights(sides, arguments, mirror, base, table)
            else:
                run(sides[0].command(*base, *CATALOGUE))  # the mirror fetches the packages
            if arguments.only != "builds" and shutil.which("dpkg-deb") and platform.machine() in DEBIAN:
                check(sides, arguments, mirror, top, table)
    table.end()


if __name__ == "__main__":
    main()
