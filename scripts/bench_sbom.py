#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures SBOMs of the catalogue's images for two architectures, which are built before: CPU and wall time, peak memory.

in one call      imgfactory sbom --sboms DIR IMAGE...
a call for each  the same, image by image
of foreign ones  in one call, with what was remembered of the layers forgotten, and their bills: all bytes are read
"""

import os
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from bench_mirror import Mirror  # noqa: E402  pylint: disable=wrong-import-position
from bench_sides import ARCHES, CATALOGUE, Table, builds_options, parser_of, run, sides_of, turns  # noqa: E402  pylint: disable=wrong-import-position

KEYS = ("cpu_s", "wall_s", "peak_mib")


def command(side, sboms, *images):
    return [side.program, "sbom", "--quiet", "--cache", side.path("cache"), "--state", side.path("state"), "--output", side.path("out"),
            "--sboms", sboms, *images]


def bench(arguments, mirror, top, table):
    sides, sboms = sides_of(arguments, top), os.path.join(top, "sboms")

    def together(side, _number):
        return run(command(side, sboms, *CATALOGUE))

    def apart(side, _number):
        samples = [run(command(side, sboms, name)) for name in CATALOGUE]
        return {key: (max if key == "peak_mib" else sum)(sample[key] for sample in samples) for key in KEYS}

    def foreign(side, number):
        side.forget("cache/v1/derived/sums", "cache/v1/derived/ground", "cache/v1/derived/bill",
                    *(f"out/{name}/imgfactory" for name in CATALOGUE))
        return together(side, number)

    for side in sides:
        run(side.command("--source", mirror.source, "--arch", ARCHES, "--compression", arguments.compression, *CATALOGUE))
    for what, measure in (("in one call", together), ("a call for each", apart), ("of foreign ones", foreign)):
        table.add(what, turns(sides, arguments.runs, measure))


def main():
    parser = parser_of("sbom", __doc__, 5)
    builds_options(parser)
    arguments = parser.parse_args()
    table = Table(arguments, KEYS, f"SBOMs (SPDX) of {len(CATALOGUE)} images for two architectures")
    with tempfile.TemporaryDirectory(prefix="imgfactory-bench-") as top:
        with Mirror(arguments.mirror or os.path.join(top, "mirror")) as mirror:
            bench(arguments, mirror, top, table)
    table.end()


if __name__ == "__main__":
    main()
