#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Builds the same images with two programs and compares every digest: for changes that must change no byte. The reports are
compared, too: what OLD tells NEW tells with the same names and values; NEW may tell more.

What is built, for x86_64 and aarch64, each with the manifests and arches of the program's own tree:
gzip  every manifest of the catalogue, of the host's repositories (one that has no such packages here must fail with the same words)
zstd  the same, compressed with zstd
rpm   of RPM repositories of the tests' kit, in the shape of Fedora 41 and 42: dhcpd of the catalogue and a service with libraries
Cache and state are the run's own. What OLD downloaded NEW takes from there, and nothing else: indices, unpacked packages and
layers each program makes itself. When something differs OLD is asked again, as the repositories may have moved on meanwhile.
It takes some minutes on two cores, 3 GB below $TMPDIR, and the downloads of a cold run unless --cache names a cache that has them.
Exit status: 0 all the same, 1 something differs or cannot be built by one of them.
"""

import argparse
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
sys.path.insert(0, os.path.join(TOP, "tests"))

from kit import gpg, rpm_case, rpm_world  # noqa: E402  pylint: disable=wrong-import-position

ARCHES = "x86_64,aarch64"
OF_THE_RUN = {"seconds", "status", "layout", "manifest", "inputs", "key"}  # fields of a report that are not about the image
TOLD = "report of "
DIFFERENCES_SHOWN = 50
OK, PARTLY = 0, 9
SERVED = """\
binaries: [/usr/sbin/served]
files: [/etc/served/served.conf]
packages:
  install: [served-common, served-doc]
config:
  entrypoint: [/usr/sbin/served]
"""


def told(value, place):
    """{place: value} of everything that a report says, with how long each list is."""
    found = {}
    if isinstance(value, dict):
        for key in value.keys() - OF_THE_RUN:
            found.update(told(value[key], f"{place}.{key}"))
        return found
    if not isinstance(value, list):
        return {place: value}
    for index, item in enumerate(value):
        found.update(told(item, f"{place}[{index}]"))
    return {**found, place: f"{len(value)} items"}


class Side:
    """One of the two programs, with folders of its own."""

    def __init__(self, name, program, top):
        self.name, self.program, self.top = name, os.path.abspath(program), os.path.join(top, name)
        os.makedirs(self.top)
        with open(self.path("site.yaml"), "w", encoding="utf-8") as stream:
            stream.write("compression: gzip\n")

    def path(self, *names):
        return os.path.join(self.top, *names)

    def take_downloads(self, cache):
        """Begins with what is in another cache's blobs (named by SHA-256, checked when used), and with nothing that was made of them."""
        for version in os.listdir(cache):
            blobs = os.path.join(cache, version, "blob")
            if os.path.isdir(blobs):
                shutil.copytree(blobs, self.path("cache", version, "blob"), copy_function=os.link)
                for folder in (self.path("cache"), self.path("cache", version)):
                    os.chmod(folder, 0o700)

    def run(self, part, arguments):
        """{"IMAGE/ARCH" or "IMAGE": digest or words}: of what was built, and of what could not be."""
        output = self.path("out", part)
        command = [self.program, "--cache", self.path("cache"), "--state", self.path("state"), "--cache-limit", "none", "--output", output,
                   "--no-push", "--config", self.path("site.yaml"), "--arch", ARCHES, "--json", "--quiet", *arguments]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        errors = done.stderr.decode(errors="replace")
        try:
            images = json.loads(done.stdout)["images"]
        except (ValueError, KeyError):
            sys.exit(f"{' '.join(command)}: exit status {done.returncode}\n{errors}")
        found = {}
        for image in images:
            name = image["image"] if "image" in image else image["name"]
            found.update(told(image, TOLD + name))
            layout = os.path.join(output, name)
            index = os.path.join(layout, "index.json")
            if not os.path.exists(index):
                found[name] = "not built"
                continue
            with open(index, "rb") as stream:
                text = stream.read()
            found[name] = "sha256:" + hashlib.sha256(text).hexdigest()
            found.update(self._parts(name, layout, json.loads(text)))
        for line in errors.splitlines():
            if ": error: " in line:
                found["error: " + line.split(": error: ", 1)[1]] = "said"
        return found

    @staticmethod
    def _parts(name, layout, document):
        """The documents and layers below an index, so that a difference can be named."""
        found, left = {}, [(name, entry) for entry in document["manifests"]]
        while left:
            where, entry = left.pop()
            with open(os.path.join(layout, "blobs", *entry["digest"].split(":")), "rb") as stream:
                text = stream.read()
            if hashlib.sha256(text).hexdigest() != entry["digest"].split(":")[1]:
                found[where + " (damaged)"] = entry["digest"]
            document = json.loads(text)
            left += [(f"{name}/{below['platform']['architecture']}" if "platform" in below else where, below)
                     for below in document.get("manifests", ())]
            for kind in ("config", "layers"):
                parts = document.get(kind, [])
                for number, part in enumerate(parts if isinstance(parts, list) else [parts]):
                    found[f"{where}: {kind} {number}"] = part["digest"]
        return found


def parts_of(top, images, ring):
    """{part: arguments}; makes the RPM repositories."""
    parts = {"gzip": images, "zstd": ["--compression", "zstd", *images]}
    manifest = os.path.join(top, "served.yaml")
    with open(manifest, "w", encoding="utf-8") as stream:
        stream.write(SERVED)
    for shape, packages in (("rpm-41", rpm_world.packages), ("rpm-42", rpm_world.merged_sbin)):
        folder = os.path.join(top, shape)
        rpm_case.publish(folder, packages(), ring.get("main"))
        with open(folder + ".yaml", "w", encoding="utf-8") as stream:
            stream.write(f"kind: rpm\nname: kit\nbaseurl: file://{folder}/$basearch\ngpgkey: [{ring.get('main').armoured}]\n")
        parts[shape] = ["--source", folder + ".yaml", "dhcpd", manifest]
    return parts


def differences(old, new):
    """The keys of what differs; that NEW tells more in its report is no difference."""
    return sorted(key for key in old.keys() | new.keys()
                  if old.get(key) != new.get(key) and not (key.startswith(TOLD) and key not in old))


def compare(part, old, new):
    """Prints what differs, or how it begins; returns whether anything does."""
    differ = differences(old, new)
    for key in differ[:DIFFERENCES_SHOWN]:
        print(f"{part}: {key}: {old.get(key, 'nothing')} by OLD, {new.get(key, 'nothing')} by NEW")
    return bool(differ)


def catalogue():
    folder = os.path.join(TOP, "manifests")
    return sorted(name[:-len(".yaml")] for name in os.listdir(folder) if name.endswith(".yaml"))


def run(options, top, ring):
    parts = parts_of(top, options.images.split() if options.images else catalogue(), ring)
    old, new = Side("old", options.old, top), Side("new", options.new, top)
    count, differ = 0, []
    if options.cache:
        old.take_downloads(options.cache)
    for part, arguments in parts.items():
        begun = time.monotonic()
        expected = old.run(part, arguments)
        if part == next(iter(parts)):
            new.take_downloads(old.path("cache"))
        given = new.run(part, arguments)
        if differences(expected, given):
            expected = old.run(part, arguments)
        count += sum(": layers " in key for key in expected)
        is_other = compare(part, expected, given)
        differ += [part] if is_other else []
        print(f"same-images: {part}: {'DIFFERENT' if is_other else 'the same'}, {sum(': layers ' in key for key in expected)} images of one "
              f"architecture, in {time.monotonic() - begun:.0f} s", flush=True)
    if not count:
        sys.exit("same-images: nothing was built")
    return bool(differ)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", metavar="OLD")
    parser.add_argument("new", metavar="NEW")
    parser.add_argument("--images", metavar="NAMES", help="these images in place of the catalogue, in one word")
    parser.add_argument("--cache", metavar="DIR", help="take downloads out of this cache, of the same file system; it stays as it is")
    parser.add_argument("--keep", metavar="DIR", help="a new folder that keeps caches and layouts of both")
    options = parser.parse_args()
    for program in (options.old, options.new):
        if not (os.path.isfile(program) and os.access(program, os.X_OK)):
            parser.error(f"{program} is no program")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that nothing is left behind
    ring = gpg.Ring()
    top = options.keep or tempfile.mkdtemp(prefix="same-images-")
    os.makedirs(top, mode=0o700, exist_ok=True)
    try:
        is_other = run(options, os.path.abspath(top), ring)
    finally:
        ring.close()
        if not options.keep:
            shutil.rmtree(top, ignore_errors=True)
    sys.exit(is_other)


if __name__ == "__main__":
    main()
