#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a start with `data:` costs, as `scripts/bench start` shows it: images whose template has 100 MB (built from packages that
are made here) are started on an empty volume, beside `cp -a` of the same template into an empty folder and the same with `sync -f`;
and a start with nothing to do is compared with the bare command. In each folder of --places, which should be on a disk and in
memory; in turns; medians. What a start writes is on the disk when it ends, which `cp -a` alone does not promise."""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests"))

from kit import deb, gpg, image, repo, run, server, world  # noqa: E402  pylint: disable=wrong-import-position

TOTAL = 100 << 20
FILES = (20, 1000, 5000)
MANIFEST = """
packages: {install: [svc]}
config: {entrypoint: [/usr/sbin/svc]}
data: [{volume: /data, paths: [/etc/svc/, /var/lib/svc/]}]
"""


def build(top, count):
    """The folder of an image with so many files in its template: a fifth of them are configuration of a package."""
    size = TOTAL // count
    files = [deb.File(f"/var/lib/svc/{number % 40}/{number}", os.urandom(size)) for number in range(count)]
    files += [deb.File(f"/etc/svc/{number}.conf", f"setting = {number}\n") for number in range(count // 5)]
    packages = [package for package in world.packages(("amd64",)) if package.name not in ("served", "served-big")]
    files.append(deb.program("/usr/sbin/svc", world.executable(world.MACHINES["amd64"], ["libc.so.6"])))
    packages += [deb.Package("svc", arch="amd64", version="1", Depends="libc6", compression="none", files=files), world.start_tools()]
    ring = gpg.Ring()
    key = ring.get("main")
    folder = os.path.join(top, "repo")
    repo.Repository(folder, packages, architectures=("amd64",)).publish(key)
    served = server.Server(folder).start()
    factory = run.Factory(top)
    os.makedirs(os.path.join(top, "manifests"))
    for name, text in (("source.yaml", f"kind: deb\nuris: [{served.url}]\nsuites: [stable]\ncomponents: [main]\nkeys: [{key.keyring}]\n"),
                       ("manifests/svc.yaml", MANIFEST)):
        with open(os.path.join(top, name), "w", encoding="ascii") as stream:
            stream.write(text)
    result = factory.run("--source", os.path.join(top, "source.yaml"), "--manifests", os.path.join(top, "manifests"), "--arch", "x86_64",
                         "svc")
    served.stop()
    ring.close()
    if result.code != run.OK:
        sys.exit(result.stderr)
    built = image.Layout(os.path.join(factory.output, "svc")).images["latest"]["amd64"]
    root = os.path.join(top, "root")
    os.makedirs(root)
    subprocess.run(["tar", "-xp", "--numeric-owner", "-C", root, "-f", "-"], input=built.tar_bytes, check=True)
    return root


def timed(*command):
    begun = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return 1000 * (time.monotonic() - begun)


def measure(place, count, runs):
    top = tempfile.mkdtemp(prefix="imgfactory-start-", dir=place)
    try:
        root = build(top, count)
        volume, template, start = root + "/data", root + "/data-template", root + "/usr/lib/imgfactory/start"
        ways = {"start": (start, "true"), "cp": ("cp", "-a", template + "/.", volume),
                "cp, sync": ("sh", "-c", 'cp -a "$0/." "$1" && sync -f "$1"', template, volume)}
        times = {name: [] for name in [*ways, "again", "bare"]}
        for _ in range(runs):
            for name, words in ways.items():
                shutil.rmtree(volume, ignore_errors=True)
                os.mkdir(volume)
                subprocess.run(["sync", "-f", volume], check=True)
                times[name].append(timed(*words))
                if name == "start":
                    times["again"] += [timed(start, "true") for _ in range(5)]
                    times["bare"] += [timed("true") for _ in range(5)]
        middle = {name: statistics.median(values) for name, values in times.items()}
        return {"place": place, "files": count, **{name: round(value, 1) for name, value in middle.items()},
                "ratio": round(statistics.median(a / b for a, b in zip(times["start"], times["cp"])), 2),
                "ratio, sync": round(statistics.median(a / b for a, b in zip(times["start"], times["cp, sync"])), 2),
                "nothing to do": round(middle["again"] - middle["bare"], 1)}
    finally:
        shutil.rmtree(top, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--places", default=f"{tempfile.gettempdir()},/dev/shm")
    options = parser.parse_args()
    os.environ["IMGFACTORY"] = options.program
    rows = [measure(place, count, options.runs) for place in options.places.split(",") for count in FILES]
    if options.json:
        print(json.dumps(rows, indent=1))
        return
    print(f"100 MB, {os.cpu_count()} CPUs, median of {options.runs} runs, milliseconds\n")
    print("| in | files | first start | cp -a | cp -a and sync | to cp | to both | nothing to do adds |\n|---|--:|--:|--:|--:|--:|--:|--:|")
    for row in rows:
        print("| " + " | ".join(str(row[name]) for name in ("place", "files", "start", "cp", "cp, sync", "ratio", "ratio, sync",
                                                              "nothing to do")) + " |")


if __name__ == "__main__":
    main()
