#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures closure and proof of the catalogue's binaries beside libtree and lddtree on the same trees.

For each image and architecture, in milliseconds per ELF file, the fastest of several runs:
- proof: closure and proof of the tree's every ELF file, as a build does them: in a process that runs and has the tree
  (`imgfactory check --json` of all trees tells each one's time).
- check: the whole process `imgfactory check TREE`: its start, the tree read from disk, closure and proof.
- libtree: the whole process `libtree -v`, once for all ELF files of the tree. It cannot be told a root, so that it gets
  the tree's library directories by `--ldconf` and finds all there. Closure alone.
- lddtree: the whole process `lddtree --root`, once for all ELF files of the tree. Closure alone.
The last row is for all trees together: `check` is one process on one thread, `libtree` a process for each tree, the
fastest of as many rounds over all; `proof` and `lddtree` are sums.
"""

import glob
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from bench import new_parser, print_json  # noqa: E402  pylint: disable=wrong-import-position


def is_elf(path):
    if os.path.islink(path) or not os.path.isfile(path):
        return False
    with open(path, "rb") as stream:
        return stream.read(4) == b"\x7fELF"


def elf_files(root):
    return sorted(os.path.join(folder, name) for folder, _, names in os.walk(root) for name in names
                  if is_elf(os.path.join(folder, name)))


def measure(commands, runs, codes=(0,)):
    """Wall milliseconds of processes one after the other, the least disturbed of several rounds."""
    samples = []
    for _ in range(runs + 1):
        samples.append(0.0)
        for command in commands:
            begun = time.monotonic()
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                  check=False)
            samples[-1] += (time.monotonic() - begun) * 1000
            if done.returncode not in codes:
                sys.exit(f"{' '.join(command[:3])}: exit {done.returncode}: "
                         f"{done.stderr.decode(errors='replace')[:200]}")
    return min(samples[1:])


def proof_times(program, roots, runs):
    """Milliseconds of closure and proof of each tree, inside one process."""
    samples = {root: [] for root in roots}
    for _ in range(runs + 1):
        done = subprocess.run([program, "check", "--json", "--jobs", "1", *roots], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, check=True)
        for tree in json.loads(done.stdout)["architectures"]:
            samples[tree["name"]].append(tree["seconds"] * 1000)
    return {root: min(values[1:]) for root, values in samples.items()}


def libtree_of(root, files, path):
    """The call of libtree for a tree, with a configuration that leads it to the tree's own libraries."""
    with open(path, "w", encoding="utf-8") as stream:
        for folder in (*sorted(glob.glob(root + "/usr/lib/*-linux-gnu*")), root + "/usr/lib64", root + "/usr/lib"):
            stream.write(folder + "\n")
    return ["libtree", "-v", "--ldconf", path, *files]


def rows_of(program, roots, runs, top):
    proofs = proof_times(program, list(roots), runs)
    total = {"files": 0, "proof": sum(proofs.values()), "lddtree": 0.0}
    calls = []
    for root, (image, arch) in roots.items():
        files = elf_files(root)
        calls.append(libtree_of(root, files, f"{top}/{image}-{arch}.conf"))
        times = {"files": len(files), "proof": proofs[root],
                 "check": measure([[program, "check", "--quiet", root]], runs),
                 "libtree": measure(calls[-1:], runs),
                 "lddtree": measure([["lddtree", "--root", root,
                                      *("/" + os.path.relpath(path, root) for path in files)]], runs, codes=(0, 1))}
        total["files"] += len(files)
        total["lddtree"] += times["lddtree"]
        yield row_of(image, arch, times)
    total["check"] = measure([[program, "check", "--quiet", "--jobs", "1", *roots]], runs)
    total["libtree"] = measure(calls, runs)
    yield row_of("all", "", total)


def row_of(image, arch, times):
    count = times["files"]
    return {"image": image, "arch": arch, "files": count,
            **{name: round(times[name] / count, 3) for name in ("proof", "check", "libtree", "lddtree")}}


def build_trees(program, top):
    """Builds the catalogue, without images whose packages this distribution's release does not have."""
    manifests = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "manifests")
    images = sorted(os.path.basename(path)[:-5] for path in glob.glob(manifests + "/*.yaml"))
    tree = os.path.join(top, "tree")
    done = subprocess.run([program, "--arch", "x86_64,aarch64", "--quiet", "--no-push", "--output", top + "/out",
                           "--tree", tree, *images], stdin=subprocess.DEVNULL, check=False)
    if done.returncode not in (0, 9):
        sys.exit(f"the catalogue was not built: exit {done.returncode}")
    return {os.path.join(tree, image, arch): (image, arch) for image in sorted(os.listdir(tree))
            for arch in sorted(os.listdir(os.path.join(tree, image)))}


def main():
    parser = new_parser("scripts/bench closure", __doc__)
    arguments = parser.parse_args()
    for name in ("libtree", "lddtree"):
        if not shutil.which(name):
            parser.error(f"{name} is missing")
    rows = []
    with tempfile.TemporaryDirectory(prefix="imgfactory-bench-") as top:
        roots = build_trees(arguments.program, top)
        if not arguments.json:
            print(f"{platform.machine()}, {os.cpu_count()} CPUs; milliseconds per ELF file, fastest of "
                  f"{arguments.runs} runs\n")
            print(f"| {'image':<14} | {'arch':<8} | {'files':>5} | {'proof':>6} | {'check':>6} | {'libtree':>7} | "
                  f"{'lddtree':>7} |")
            print(f"|{'-' * 16}|{'-' * 10}|{'-' * 6}:|{'-' * 7}:|{'-' * 7}:|{'-' * 8}:|{'-' * 8}:|")
        for row in rows_of(arguments.program, roots, arguments.runs, top):
            rows.append(row)
            if not arguments.json:
                print(f"| {row['image']:<14} | {row['arch']:<8} | {row['files']:>5} | {row['proof']:>6.3f} | "
                      f"{row['check']:>6.3f} | {row['libtree']:>7.3f} | {row['lddtree']:>7.3f} |", flush=True)
    if arguments.json:
        print_json(arguments.runs, rows)


if __name__ == "__main__":
    main()
