#!/usr/bin/env python3
"""Measures closure and proof of the catalogue's binaries beside libtree and lddtree on the same trees.

For each image and architecture: `imgfactory check` of its tree (the closure of every ELF file, and the proof: versions,
symbols, scripts, links), `libtree -v` and `lddtree --root` of its ELF files (the closure alone; libtree cannot be told
a root, so that it looks for libraries in this machine's own directories, and only for its architecture). Milliseconds per
ELF file, the median of several runs, the start of the programs included.
"""

import argparse
import glob
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time


def is_elf(path):
    if os.path.islink(path) or not os.path.isfile(path):
        return False
    with open(path, "rb") as stream:
        return stream.read(4) == b"\x7fELF"


def elf_files(root):
    return sorted(os.path.join(folder, name) for folder, _, names in os.walk(root) for name in names
                  if is_elf(os.path.join(folder, name)))


def measure(command, runs):
    """Median wall milliseconds, or None when the program fails."""
    samples = []
    for _ in range(runs + 1):
        begun = time.monotonic()
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                              check=False)
        samples.append((time.monotonic() - begun) * 1000)
        if done.returncode not in (0, 1):  # libtree: 1 when a library is not on this machine
            print(f"{' '.join(command[:3])}: exit {done.returncode}: {done.stderr.decode(errors='replace')[:200]}",
                  file=sys.stderr)
            return None
    return statistics.median(samples[1:])


def rows_of(program, tree, runs):
    for image in sorted(os.listdir(tree)):
        for arch in sorted(os.listdir(os.path.join(tree, image))):
            root = os.path.join(tree, image, arch)
            files = elf_files(root)
            times = {"imgfactory": measure([program, "check", "--quiet", root], runs),
                     "lddtree": measure(["lddtree", "--root", root,
                                         *("/" + os.path.relpath(path, root) for path in files)], runs),
                     "libtree": measure(["libtree", "-v", *files], runs) if arch == platform.machine() else None}
            yield {"image": image, "arch": arch, "files": len(files),
                   **{name: None if value is None else round(value / len(files), 3) for name, value in times.items()}}


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench closure", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--runs", type=int, default=5, help="runs per row (default 5)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    arguments = parser.parse_args()
    for name in ("libtree", "lddtree"):
        if not shutil.which(name):
            parser.error(f"{name} is missing")
    manifests = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "manifests")
    images = sorted(os.path.basename(path)[:-5] for path in glob.glob(manifests + "/*.yaml"))
    rows = []
    with tempfile.TemporaryDirectory(prefix="imgfactory-bench-") as top:
        tree = os.path.join(top, "tree")
        subprocess.run([arguments.program, "--arch", "x86_64,aarch64", "--quiet", "--no-push", "--output", top + "/out",
                        "--tree", tree, *images], stdin=subprocess.DEVNULL, check=True)
        if not arguments.json:
            print(f"{platform.machine()}, {os.cpu_count()} CPUs; milliseconds per ELF file, median of "
                  f"{arguments.runs} runs\n")
            print(f"| {'image':<14} | {'arch':<8} | {'files':>5} | {'imgfactory':>10} | {'libtree':>8} | {'lddtree':>8} |")
            print(f"|{'-' * 16}|{'-' * 10}|{'-' * 6}:|{'-' * 11}:|{'-' * 9}:|{'-' * 9}:|")
        for row in rows_of(arguments.program, tree, arguments.runs):
            rows.append(row)
            if not arguments.json:
                shown = {name: "-" if row[name] is None else f"{row[name]:.2f}" for name in
                         ("imgfactory", "libtree", "lddtree")}
                print(f"| {row['image']:<14} | {row['arch']:<8} | {row['files']:>5} | {shown['imgfactory']:>10} | "
                      f"{shown['libtree']:>8} | {shown['lddtree']:>8} |", flush=True)
    if arguments.json:
        json.dump({"machine": platform.machine(), "cpus": os.cpu_count(), "runs": arguments.runs, "rows": rows},
                  sys.stdout, indent=2)
        print()


if __name__ == "__main__":
    main()
