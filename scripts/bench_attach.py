#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Counts what attached documents and signatures cost at a registry: requests, round trips one after the other, and requests made twice.

A small image for two architectures, made from a repository of the tests' kit, is pushed to Debian's docker-registry through a proxy that
holds each answer back for --delay ms, plainly and with everything attached (--attest sbom,provenance,vex --sign KEY): first, again (an unchanged
night), and again with --verify-remote. A round trip is a step of the longest chain of requests of which each began after the one before it had
ended. "twice" counts requests with the same method and target as one before them, without those that read back what was put between.
"""

import argparse
import json
import os
import platform
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "tests"), os.path.join(HERE, "..", "tests", "e2e")]

from kit.faultproxy import FaultProxy  # noqa: E402  pylint: disable=wrong-import-position
from test_attest import KINDS, AttestCase  # noqa: E402  pylint: disable=wrong-import-position


class Slow(FaultProxy):
    """Holds answers back, and notes when each request began and ended."""

    def __init__(self, upstream, delay):
        super().__init__(upstream)
        self.delay, self.times = delay, []

    def answer(self, request):
        begun = time.monotonic()
        time.sleep(self.delay)
        answer = super().answer(request)
        with self.lock:
            self.times.append((begun, time.monotonic(), request.verb, request.target))
        return answer


def rounds_of(times):
    """The longest chain of requests one after the other."""
    depths = []  # (end, depth)
    for begun, ended, _, _ in sorted(times):
        depths.append((ended, 1 + max((depth for end, depth in depths if end <= begun), default=0)))
    return max((depth for _, depth in depths), default=0)


def twice_of(times):
    """Those that were made before, and nothing was put in between."""
    seen, count = set(), 0
    for _, _, verb, target in sorted(times, key=lambda one: one[1]):
        if verb in ("PUT", "PATCH", "DELETE"):
            path = target.split("?")[0]
            seen = {(method, asked) for method, asked in seen if asked.split("?")[0] != path}
        elif verb == "POST":
            continue  # each opens an upload of its own
        if verb in ("GET", "HEAD") and (verb, target) in seen:
            count += 1
        seen.add((verb, target))
    return count


def measure(case, delay):
    """Yields a row per push."""
    registry = case.make_registry("measured")
    key = case.new_key("bench")
    proxy = case.serve(Slow(registry.url, delay))
    for name, options in (("plain", ()), ("attached", (*KINDS, "--sign", key))):
        for push, more in (("first", ()), ("unchanged", ()), ("unchanged, looked at", ("--verify-remote",))):
            with proxy.lock:
                proxy.times.clear()
            begun = time.monotonic()
            result = case.push(case.layout, f"{proxy.host}/bench/{name}:1", *options, *more)
            if result.code:
                sys.exit(str(result))
            yield {"push": push, "image": name, "requests": len(proxy.times), "round_trips": rounds_of(proxy.times),
                   "twice": twice_of(proxy.times), "wall_s": round(time.monotonic() - begun, 3)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--delay", type=int, default=300, metavar="MS", help="default: 300, so that a busy machine adds no steps")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    os.environ["IMGFACTORY"] = os.path.abspath(options.program)
    AttestCase.setUpClass()
    case = AttestCase("attest")
    try:
        case.setUp()
        rows = list(measure(case, options.delay / 1000))
    finally:
        case.doCleanups()
        AttestCase.doClassCleanups()
    if options.json:
        print(json.dumps({"delay_ms": options.delay, "machine": platform.machine(), "rows": rows}, indent=2))
        return
    print(f"{platform.machine()}, {os.cpu_count()} CPUs; an image for two architectures, each answer after {options.delay} ms\n")
    print("| push | | requests | round trips | made twice |\n|---|---|---:|---:|---:|")
    for row in rows:
        print(f"| {row['push']} | {row['image']} | {row['requests']} | {row['round_trips']} | {row['twice']} |")


if __name__ == "__main__":
    main()
