#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures publishing: imgfactory, skopeo and (if installed) crane push the same layouts to Debian's docker-registry on
loopback; wall time, the median of several runs, the tools taking turns.

first    a new, empty registry
re-push  everything is there already
The rows with latency go through a proxy (a process of its own) that holds every byte back for that long, each way, and
lets a new connection wait for one round trip more; it limits no bandwidth. The rows without go to the registry itself.
An image has two architectures, each with one layer (--size) of bytes that do not compress; ten images are ten commands,
one after the other, for every tool. After each first push the registry's tags are compared with the layouts' digests.
The rows of one call are the catalogue's images: imgfactory gets all of them in one call, which finds them built (the time that
this takes without a push is a row of its own), the other tools their layouts, a command each.
"""

import asyncio
import collections
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests"))

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from bench_mirror import Mirror  # noqa: E402  pylint: disable=wrong-import-position
from bench_sides import ARCHES, CATALOGUE, builds_options, parser_of, run, sides_of  # noqa: E402  pylint: disable=wrong-import-position
from kit import layout, registry  # noqa: E402  pylint: disable=wrong-import-position


class Pipe(asyncio.Protocol):
    """One end of a connection through the proxy: what arrives here is written to the other end after the delay."""

    def __init__(self, delay, target=None):
        self.delay, self.target = delay, target
        self.peer = self.transport = None
        self.queue, self.is_waiting, self.not_before = collections.deque(), False, 0  # (when, bytes or None: the end)

    def connection_made(self, transport):
        self.transport = transport
        transport.set_write_buffer_limits(high=1 << 30)
        if self.target:  # the client's end: connect onwards
            self.not_before = asyncio.get_running_loop().time() + 2 * self.delay
            self.task = asyncio.get_running_loop().create_task(self.connect())

    async def connect(self):
        loop = asyncio.get_running_loop()
        _, other = await loop.create_connection(lambda: Pipe(self.delay), "127.0.0.1", self.target)
        other.peer, self.peer = self.transport, other.transport
        self.flush()

    def later(self, data):
        when = max(asyncio.get_running_loop().time(), self.not_before) + self.delay
        self.queue.append((when, data))
        if not self.is_waiting and self.peer:
            self.wait()

    def wait(self):
        self.is_waiting = True
        asyncio.get_running_loop().call_at(self.queue[0][0], self.flush)

    def flush(self):
        self.is_waiting = False
        due = asyncio.get_running_loop().time() + 0.0001
        while self.queue and self.queue[0][0] <= due:
            data = self.queue.popleft()[1]
            if data is None:
                self.peer.close()
            elif not self.peer.is_closing():
                self.peer.write(data)
        if self.queue:
            self.wait()

    def data_received(self, data):
        self.later(data)

    def connection_lost(self, exc):
        self.later(None)


async def proxy(target, milliseconds):
    """Serves for ever; prints its port."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Pipe(milliseconds / 1000, target), "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


class Delay:
    """The proxy as a process; without latency, nothing."""

    def __init__(self, port, milliseconds):
        self.port, self.child = port, None
        if milliseconds:
            self.child = subprocess.Popen([sys.executable, __file__, "--proxy", str(port), str(milliseconds)],
                                          stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
            self.port = int(self.child.stdout.readline())

    def __enter__(self):
        return self.port

    def __exit__(self, *_):
        if self.child:
            self.child.kill()
            self.child.communicate()


def pusher(program, top):
    return lambda folder, reference: [program, "push", "--quiet", "--tls-verify=false", "--cache", f"{top}/cache", "--state",
                                      f"{top}/state", folder, reference]


def tools(arguments, top):
    """{name: command(layout folder, reference)}"""
    found = {"imgfactory": pusher(arguments.program, top)}
    if arguments.against:
        found["against"] = pusher(os.path.abspath(arguments.against.partition(":")[0]), top)
    if shutil.which("skopeo"):
        found["skopeo"] = lambda folder, reference: ["skopeo", "copy", "--quiet", "--all", "--dest-tls-verify=false",
                                                     f"oci:{folder}", f"docker://{reference}"]
    if shutil.which("crane"):
        found["crane"] = lambda folder, reference: ["crane", "push", "--insecure", folder, reference]
    return found


def push_all(command, layouts, port):
    """Pushes all, one after the other: seconds."""
    env = {**os.environ, "HOME": layouts[0].folder, "no_proxy": "127.0.0.1"}
    begun = time.monotonic()
    for number, made in enumerate(layouts):
        words = command(made.folder, f"127.0.0.1:{port}/bench/image{number}:v1")
        done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                              env=env, check=False)
        if done.returncode != 0:
            sys.exit(f"{' '.join(words)}: exit {done.returncode}\n{done.stderr.decode(errors='replace')}")
    return time.monotonic() - begun


def turn(command, layouts, milliseconds, top):
    """One first push and one re-push at a registry of its own: their seconds."""
    shutil.rmtree(top, ignore_errors=True)
    os.makedirs(top)
    target = registry.Registry(os.path.join(top, "registry")).start()
    try:
        with Delay(target.port, milliseconds) as port:
            seconds = push_all(command, layouts, port), push_all(command, layouts, port)
        for number, made in enumerate(layouts):
            if target.tags(f"bench/image{number}") != {"v1": made.digest}:
                sys.exit(f"{command('LAYOUT', 'REF')}: the registry has another digest than the layout")
            target.check(f"bench/image{number}", made.digest)
    finally:
        target.stop()
    return seconds


def bench(arguments, top):
    """Yields one row per images x latency x mode."""
    layouts = [layout.Layout(os.path.join(top, f"layout{number}"), seed=number, size=int(arguments.size * (1 << 20)))
               for number in range(10)]
    commands = tools(arguments, os.path.join(top, "turn"))
    for milliseconds in arguments.latency:
        for count in (1, 10):
            samples = {name: [] for name in commands}
            for _ in range(arguments.runs):
                for name, command in commands.items():
                    samples[name].append(turn(command, layouts[:count], milliseconds, os.path.join(top, "turn")))
            for mode, column in (("first", 0), ("re-push", 1)):
                yield {"images": f"{count} x 2", "latency_ms": milliseconds, "mode": mode, "wall_s": {
                    name: round(statistics.median(sample[column] for sample in taken), 4)
                    for name, taken in samples.items()}}


class OneCall:
    """The catalogue, built by each side and pushed in one call."""

    def __init__(self, arguments, mirror, top):
        self.top, self.images = top, CATALOGUE[:arguments.images]
        self.sides = {"imgfactory" if side.name == "own" else side.name: side for side in sides_of(arguments, top)}
        self.words = ["--source", mirror.source, "--arch", ARCHES, "--compression", arguments.compression]
        for side in self.sides.values():
            run(side.command(*self.words, "--no-push", *self.images))
            run(side.command(*self.words, "--no-push", "--cache-only", *self.images))
        self.others = {name: command for name, command in tools(arguments, top).items() if name not in self.sides}

    def call(self, name, port):
        """One push of all: its seconds."""
        if name in self.others:
            begun = time.monotonic()
            for image in self.images:
                folder = self.sides["imgfactory"].path("out", image)
                where = folder + ":latest" if name == "skopeo" else folder
                run(self.others[name](where, f"127.0.0.1:{port}/bench/{image}:latest"), env={**os.environ, "no_proxy": "127.0.0.1"})
            return time.monotonic() - begun
        site = os.path.join(self.top, "site.yaml")
        with open(site, "w", encoding="utf-8") as stream:
            stream.write(f"registry: 127.0.0.1:{port}\nnamespace: bench\ntls-verify: false\n")
        words = ["--no-push"] if not port else ["--config", site]
        return run(self.sides[name].command(*self.words, *words, "--cache-only", *self.images))["wall_s"]

    def turn(self, name, milliseconds):
        """Without a push, to a new registry, and once more."""
        target = registry.Registry(os.path.join(self.top, "registry")).start()
        try:
            with Delay(target.port, milliseconds) as port:
                idle = self.call(name, 0) if name in self.sides else 0
                seconds = idle, self.call(name, port), self.call(name, port)
            for image in self.images if name in self.sides else ():
                if "latest" not in target.tags(f"bench/{image}"):
                    sys.exit(f"{name}: {image} has no tag in the registry")
        finally:
            target.stop()
            shutil.rmtree(os.path.join(self.top, "registry"))
        return seconds


def bench_one_call(arguments, top):
    with Mirror(arguments.mirror or os.path.join(top, "mirror")) as mirror:
        calls = OneCall(arguments, mirror, top)
        names = [*calls.sides, *calls.others]
        for milliseconds in arguments.latency:
            samples = {name: [] for name in names}
            for _ in range(arguments.runs):
                for name in names:
                    samples[name].append(calls.turn(name, milliseconds))
            for mode, column in (("no push", 0), ("first", 1), ("re-push", 2)):
                yield {"images": f"{len(calls.images)} x 2, one call", "latency_ms": milliseconds, "mode": mode, "wall_s": {
                    name: round(statistics.median(sample[column] for sample in taken), 4) for name, taken in samples.items()}}


def print_row(row):
    wall = row["wall_s"]
    others = [seconds for name, seconds in wall.items() if name not in ("imgfactory", "against") and seconds]
    factor = f"{min(others) / wall['imgfactory']:.1f}x" if others else ""
    ratio = f"{wall['imgfactory'] / wall['against']:.2f}" if "against" in wall else ""
    print(f"| {row['images']:<16} | {row['latency_ms']:>4} ms | {row['mode']:<7} | "
          + " | ".join(f"{seconds:>10.3f}" if seconds else " " * 10 for seconds in wall.values()) + f" | {factor:>6} | {ratio:>6} |",
          flush=True)


def main():
    if sys.argv[1:2] == ["--proxy"]:
        asyncio.run(proxy(int(sys.argv[2]), float(sys.argv[3])))
        return
    parser = parser_of("push", __doc__, 3)
    parser.add_argument("--size", type=float, default=6, help="MiB of one layer (default 6)")
    parser.add_argument("--latency", type=int, nargs="+", default=[0, 40], help="ms each way (default 0 40)")
    parser.add_argument("--images", type=int, default=len(CATALOGUE), help=f"images of the one call (default {len(CATALOGUE)})")
    parser.add_argument("--only", choices=("commands", "one-call"), help="leave the other rows out")
    builds_options(parser)
    arguments = parser.parse_args()
    if arguments.runs < 1:
        parser.error("--runs must be at least 1")

    rows, names = [], list(tools(arguments, ""))
    if not arguments.json:
        print(f"{platform.machine()}, {os.cpu_count()} CPUs; layers of {arguments.size:g} MiB, those of one call are the catalogue's; wall "
              f"seconds, median of {arguments.runs} runs; latency each way; then the fastest other tool's time / imgfactory's"
              + (", and imgfactory's / that of the other program" if arguments.against else "") + "\n")
        print("| images           | latency | mode    | " + " | ".join(f"{name:>10}" for name in names) + " |        |        |")
        print("|------------------|--------:|---------|" + "|".join("-" * 11 + ":" for _ in names) + "|-------:|-------:|")
    kinds = {"commands": bench, "one-call": bench_one_call}
    with tempfile.TemporaryDirectory(prefix="imgfactory-bench-") as top:
        for kind in [arguments.only] if arguments.only else kinds:
            for row in kinds[kind](arguments, top):
                rows.append(row)
                if not arguments.json:
                    print_row(row)
    if arguments.json:
        json.dump({"machine": platform.machine(), "cpus": os.cpu_count(), "runs": arguments.runs,
                   "layer_mib": arguments.size, "rows": rows}, sys.stdout, indent=2)
        print()


if __name__ == "__main__":
    main()
