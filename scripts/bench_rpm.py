#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures RPM sources: a made-up repository of --packages packages below a file:// address, --dry-run of one image, wall
and CPU time and peak memory, the median of several runs.

rpmmd2solv       gzip -dc of the same primary.xml.gz into libsolv's own converter, written to a file
cold             new cache and state folders: the metadata are fetched, checked, parsed, stored and loaded
warm             the index is in the cache
warm, filelists  the same for a path that only filelists.xml has, its table being in the cache
cold, filelists  with all of it
"start" is a run that does nothing (--version), to be taken off.
"""

import argparse
import json
import multiprocessing
import os
import platform
import random
import shutil
import statistics
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests"))

from bench import measure  # noqa: E402  pylint: disable=wrong-import-position
from kit import rpmmd  # noqa: E402  pylint: disable=wrong-import-position


def describe(count):
    """Packages in the proportions of Fedora's: 12 requires, 4 provides and 6 files of primary.xml each, 60 in all."""
    dice = random.Random(1)
    out = []
    for number in range(count):
        name = f"package-{number}"
        requires = ["libc.so.6()(64bit)", "libc.so.6(GLIBC_2.34)(64bit)", "rtld(GNU_HASH)", "/usr/bin/package-0"]
        requires += [f"lib{dice.randrange(number or 1)}.so.1()(64bit)" for _ in range(6 if number > 50 else 0)]
        requires += [f"package-{dice.randrange(number)} >= 0.5" for _ in range(2 if number > 50 else 0)]
        provides = [f"lib{number}.so.1()(64bit)", f"lib{number}.so.1(V_1.0)(64bit)", f"{name}(x86-64) = 1.0-1.fc41"]
        if number == 0:
            provides += ["libc.so.6()(64bit)", "libc.so.6(GLIBC_2.34)(64bit)", "rtld(GNU_HASH)"]
        files = [f"/usr/bin/{name}", f"/usr/sbin/{name}d", f"/etc/{name}.conf", f"/etc/{name}/", f"/etc/{name}/more.conf",
                 f"/usr/lib64/lib{number}.so.1"]
        files += [f"/usr/share/{name}/data-{item}" for item in range(54)]
        out.append(rpmmd.Stanza(name, "1.0-1.fc41", "x86_64", files, provides=provides, requires=requires))
    return out


def prepare(top, count):
    repo = os.path.join(top, "repo")
    rpmmd.write(repo, describe(count))
    os.makedirs(os.path.join(top, "manifests"))
    texts = {"source.yaml": f"kind: rpm\nname: bench\nbaseurl: file://{repo}/\ntrusted: true\n",
             "manifests/one.yaml": f"binaries: [/usr/bin/package-{count // 2}]\n",
             "manifests/deep.yaml": f"binaries: [/usr/lib64/lib{count // 2}.so.1]\n"}
    for name, text in texts.items():
        with open(os.path.join(top, name), "w", encoding="utf-8") as stream:
            stream.write(text)


def bench(program, top, count, runs):
    """Yields one row per measurement."""
    child = multiprocessing.Process(target=prepare, args=(top, count))  # so that this process, and what it starts, stay small
    child.start()
    child.join()
    primary = os.path.join(top, "repo/repodata/primary.xml.gz")
    folders = [os.path.join(top, name) for name in ("cache", "state", "out")]
    base = [program, "--source", os.path.join(top, "source.yaml"), "--manifests", os.path.join(top, "manifests"),
            "--cache", folders[0], "--state", folders[1], "--output", folders[2], "--dry-run", "--quiet", "--arch",
            "x86_64"]
    convert = ["sh", "-c", f"gzip -dc {primary} | rpmmd2solv >{top}/converted.solv"]
    rows = [("start", [program, "--version"], False)]
    if shutil.which("rpmmd2solv"):
        rows.append(("rpmmd2solv", convert, False))
    rows += [("cold", base + ["one"], True), ("warm", base + ["one"], False),
             ("cold, filelists", base + ["deep"], True), ("warm, filelists", base + ["deep"], False)]
    for name, command, is_cold in rows:
        samples = []
        for _ in range(runs):
            if is_cold:
                for folder in folders:
                    shutil.rmtree(folder, ignore_errors=True)
            samples.append(measure(command))
        wall, cpu, peak = (statistics.median(column) for column in zip(*samples))
        yield {"mode": name, "wall_s": round(wall, 4), "cpu_s": round(cpu, 4), "peak_mib": round(peak / 1024, 1)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True, type=os.path.abspath)
    parser.add_argument("--packages", type=int, default=20000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="imgfactory-bench-") as top:
        rows = list(bench(arguments.program, top, arguments.packages, arguments.runs))
    if arguments.json:
        print(json.dumps({"machine": platform.platform(), "cpus": os.cpu_count(), "packages": arguments.packages,
                          "runs": arguments.runs, "rows": rows}, indent=1))
        return
    print(f"{arguments.packages} packages, median of {arguments.runs} runs, {os.cpu_count()} CPUs\n")
    print(f"| {'':<22} | {'wall s':>8} | {'CPU s':>8} | {'peak MiB':>8} |\n|{'-' * 24}|{'-' * 9}:|{'-' * 9}:|{'-' * 9}:|")
    for row in rows:
        print(f"| {row['mode']:<22} | {row['wall_s']:>8.3f} | {row['cpu_s']:>8.3f} | {row['peak_mib']:>8.1f} |")


if __name__ == "__main__":
    main()
