#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Installing system containers beside `tar -x` of their layer: an image of many small files, and one of a few large ones.
cold: with an empty cache; warm: the layer is in it. CPU time is what a busy machine leaves alone; the wall time of an
installation has the disk in it, since a version is on the disk before the switch, and tar waits for none.
"""

import glob
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

from bench import measure, new_parser, print_json  # noqa: E402  pylint: disable=wrong-import-position
from kit import base_image, system_image  # noqa: E402  pylint: disable=wrong-import-position

IMAGES = {"5,000 files of 40 KiB": (5000, 40), "20 files of 10 MiB": (20, 10240)}
MODES = ("tar -xzf", "cold", "warm")


def make(folder, count, kib):
    """A layout whose layer has these files, half of whose bytes are random; returns the layer's path."""
    generator = random.Random(3)
    image = system_image.Image()
    image.more = [base_image.folder("opt")]
    for number in range(count):
        if number % 100 == 0:
            image.more.append(base_image.folder(f"opt/{number // 100}"))
        data = generator.randbytes(kib * 512) + bytes(kib * 512)
        image.more.append(base_image.file(f"opt/{number // 100}/{number}", data))
    image.make(folder)
    return max(glob.glob(os.path.join(folder, "blobs", "sha256", "*")), key=os.path.getsize)


def command(program, mode, top, layer):
    """What is measured, from a state that is made here."""
    host, cache = os.path.join(top, "host"), os.path.join(top, "cache")
    shutil.rmtree(host, ignore_errors=True)
    os.makedirs(host)
    if mode == "cold":
        shutil.rmtree(cache, ignore_errors=True)
    if mode == "tar -xzf":
        return ["tar", "-C", host, "-xzf", layer]
    return [program, "--quiet", "--cache", cache, "--state", os.path.join(top, "state"), "system", "install",
            os.path.join(top, "image"), "--name", "bench", "--host-root", host]


def bench(program, runs):
    """Yields one row per image and mode; the modes take turns."""
    for label, (count, kib) in IMAGES.items():
        with tempfile.TemporaryDirectory(prefix="imgfactory-bench-") as top:
            layer = make(os.path.join(top, "image"), count, kib)
            samples = {mode: [] for mode in MODES}
            for _ in range(runs):
                for mode in MODES:
                    samples[mode].append(measure(command(program, mode, top, layer)))
            tar_cpu = statistics.median(sample[1] for sample in samples["tar -xzf"])
            for mode in MODES:
                wall, cpu = (statistics.median(sample[i] for sample in samples[mode]) for i in (0, 1))
                yield {"image": label, "mode": mode, "wall_s": round(wall, 3), "cpu_s": round(cpu, 3),
                       "cpu_ratio": round(cpu / tar_cpu, 2)}


def main():
    arguments = new_parser("scripts/bench system", __doc__).parse_args()
    rows = []
    if not arguments.json:
        print(f"{platform.machine()}, {os.cpu_count()} CPUs; median of {arguments.runs} runs\n")
        print(f"| {'image':<22} | {'mode':<8} | {'wall s':>7} | {'CPU s':>7} | {'of tar':>6} |")
        print(f"|{'-' * 24}|{'-' * 10}|{'-' * 8}:|{'-' * 8}:|{'-' * 7}:|")
    for row in bench(arguments.program, arguments.runs):
        rows.append(row)
        if not arguments.json:
            print(f"| {row['image']:<22} | {row['mode']:<8} | {row['wall_s']:>7.3f} | {row['cpu_s']:>7.3f} | "
                  f"{row['cpu_ratio']:>6.2f} |", flush=True)
    if arguments.json:
        print_json(arguments.runs, rows)


if __name__ == "__main__":
    main()
