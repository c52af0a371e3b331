#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Nights of real updates, and what they cost with one layer and with several: bytes that a push sends, that a registry stores, and
that clients with last night's images fetch.

Each night one source package of the images goes from the version that the suite has to that of its security updates, in the order
of the dates in their changelogs. The mirror (bench_mirror.py) has the suite's own indices, with the updates of the nights so far
behind them; the packages are Debian's. Each night makes all images for two architectures, both in gzip and in zstd:chunked, with
each number of layers; the plan is made before the first night, and `imgfactory lock` is called again every night, as a site does.

up       bytes of blobs that the registry did not have: a blob that another image brought is mounted
changed  what of it had to be: the compressed bytes of files whose contents are new, as zstd:chunked tables tell them
stored   bytes of all blobs so far
pull     bytes that a client of each image fetches, for x86_64, in sum: layers whose digest last night's image has not (podman,
         containerd); in brackets as Docker does, for which a layer is the same only over the same layers
parts    the same from a registry with ranges, by the table of contents: chunks that no layer of last night's image had (podman 5)
"""

import argparse
import email.utils
import gzip
import io
import json
import lzma
import os
import re
import subprocess
import sys
import tarfile
import tempfile

sys.dont_write_bytecode = True
SCRIPTS = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [SCRIPTS, os.path.join(SCRIPTS, "..", "tests")]

from bench_mirror import ARCHITECTURES, Server, upstreams  # noqa: E402  pylint: disable=wrong-import-position
from kit import chunked  # noqa: E402  pylint: disable=wrong-import-position

IMAGES = "bind9 nginx chrony openssh-server unbound haproxy".split()
ARCHES = "x86_64,aarch64"


def stanzas(text):
    """[(package, source, version, stanza)] of an index."""
    for stanza in text.split("\n\n"):
        fields = dict(re.findall(r"(?m)^(Package|Source|Version): (.*)$", stanza))
        if "Package" in fields:
            yield fields["Package"], fields.get("Source", fields["Package"]).split(" ")[0], fields["Version"], stanza


def is_newer(a, b):
    return subprocess.run(["dpkg", "--compare-versions", a, "gt", b], check=False).returncode == 0


class Nights(Server):
    """The suite, to which updates come one after another."""

    def __init__(self, folder):
        pairs = upstreams()
        self.main = next(pair for pair in pairs if "-" not in pair[1] and "/" not in pair[1])
        self.security = next(pair for pair in pairs if pair[1].endswith("security"))
        super().__init__(folder, [self.main, self.security])
        self.come = []  # source packages

    def number(self, pair):
        return self.uris.index(pair[0])

    def find(self, number, path):
        if path.startswith("pool/updates/"):
            number = self.number(self.security)
        return super().find(number, path)

    def index(self, pair, architecture):
        data, _ = self.find(self.number(pair), f"dists/{pair[1]}/main/binary-{architecture}/Packages.xz.upstream")
        return lzma.decompress(data).decode()

    def read(self):
        """What the updates have, and the suite's versions."""
        self.updates = {name: list(stanzas(self.index(self.security, name))) for name in ARCHITECTURES}
        self.versions = {package: version for package, _, version, _ in stanzas(self.index(self.main, "amd64"))}

    def newer(self, source):
        """[(package, version, stanza)] of a source package's updates that are newer than the suite."""
        return [(package, version, stanza) for package, of, version, stanza in self.updates["amd64"]
                if of == source and package in self.versions and is_newer(version, self.versions[package])]

    def date(self, source):
        """Of the newest entry in the changelog of the update; None when it cannot be read."""
        for package, _, stanza in self.newer(source):
            data, _ = self.find(self.number(self.security), re.search(r"(?m)^Filename: (.*)$", stanza)[1])
            with tempfile.NamedTemporaryFile(suffix=".deb") as file:
                file.write(data)
                file.flush()
                tar = subprocess.run(["dpkg-deb", "--fsys-tarfile", file.name], stdout=subprocess.PIPE, check=True).stdout
            with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
                for member in archive:
                    if member.isreg() and re.fullmatch(rf"\./usr/share/doc/{re.escape(package)}/changelog(\.Debian)?\.gz", member.name):
                        text = gzip.decompress(archive.extractfile(member).read()).decode(errors="replace")
                        found = re.search(r"(?m)^ -- .*?>  (.*)$", text)
                        if found:
                            return email.utils.parsedate_to_datetime(found[1])
        return None

    def goes_on(self, source):
        """A night: the update of a source package is there."""
        number, suite = self.number(self.main), self.main[1]
        self.come.append(source)
        self.nights += 1
        text = self.releases[number, suite]
        for architecture in ARCHITECTURES:
            added = "".join(f"\n{stanza}\n" for _, of, _, stanza in self.updates[architecture] if of in self.come)
            text = self.change(number, suite, f"main/binary-{architecture}/Packages", text, added.encode() + b"\n")
        self.sign_later(number, suite, text)

    def write_source(self):
        path = os.path.join(self.folder, "source.yaml")
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(f"kind: deb\nuris: [http://127.0.0.1:{self.port}/{self.number(self.main)}/]\nsuites: [{self.main[1]}]\n"
                         "components: [main]\nkeys: [key.gpg]\n")
        return path


def read(folder, digest):
    with open(os.path.join(folder, "blobs", *digest.split(":")), "rb") as stream:
        return stream.read()


def manifests(folder):
    """[(architecture, is zstd, manifest)] of a layout."""
    with open(os.path.join(folder, "index.json"), encoding="utf-8") as stream:
        index = json.loads(read(folder, json.load(stream)["manifests"][0]["digest"]))
    for child in index["manifests"]:
        manifest = json.loads(read(folder, child["digest"]))
        yield child["platform"]["architecture"], "annotations" in child, manifest


class Site:
    """The images with a number of layers, night after night."""

    def __init__(self, program, top, source, layers, images):
        self.top, self.images, self.layers = os.path.join(top, f"layers-{layers}"), images, layers
        os.makedirs(self.top)
        self.lock = os.path.join(self.top, "imgfactory.lock")
        self.command = [program, "--manifests", os.path.join(SCRIPTS, "..", "manifests"), "--arches", os.path.join(SCRIPTS, "..", "arches"), "--quiet",
                        "--cache", os.path.join(top, "cache"), "--state", os.path.join(self.top, "state"), "--source", source, "--arch", ARCHES,
                        "--lock-file", self.lock, "--layers", layers]
        self.known, self.chunks, self.before = {}, set(), {}

    def run(self, arguments, word=()):
        done = subprocess.run([self.command[0], *word, *self.command[1:], *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
        if done.returncode:
            sys.exit(f"{' '.join(done.args)}: {done.returncode}\n{done.stderr.decode(errors='replace')[-2000:]}")

    def night(self):
        """Makes all; {"up", "changed", "stored", "pull", "docker", "parts", "images": {image: (pull, docker, parts)}}."""
        out = os.path.join(self.top, "out")
        if self.layers not in ("1", "2"):
            self.run([*(["--update"] if os.path.exists(self.lock) else []), *self.images], ["lock"])
        self.run(["--compression", "both", "--output", out, *self.images])
        sums = dict.fromkeys(("up", "changed", "stored", "pull", "docker", "parts"), 0)
        sums["images"] = {}
        for name in self.images:
            sums["images"][name] = self.count(os.path.join(out, name), name, sums)
        sums["stored"] = sum(self.known.values())
        return sums

    def count(self, folder, name, sums):
        fetched = [0, 0, 0]
        for architecture, is_zstd, manifest in manifests(folder):
            layers = manifest["layers"]
            before = self.before.get((name, architecture, is_zstd), ([], set()))
            chunks = {}
            if is_zstd:
                for layer in layers:
                    chunks.update(self.table(folder, layer))
                new = {key: size for key, size in chunks.items() if key not in self.chunks}
                sums["changed"] += sum(new.values())
                self.chunks.update(chunks)
            else:
                new = {blob["digest"]: blob["size"] for blob in layers if blob["digest"] not in self.known}
                sums["up"] += sum(new.values())
                self.known.update(new)
            if architecture == "amd64":
                self.fetch(folder, layers, before, chunks if is_zstd else None, fetched)
            self.before[name, architecture, is_zstd] = ([layer["digest"] for layer in layers], set(chunks))
        for key, value in zip(("pull", "docker", "parts"), fetched):
            sums[key] += value
        return fetched

    @staticmethod
    def table(folder, layer):
        """{digest of a chunk's bytes: compressed bytes} of a chunked layer, and under its own digest what its tables have."""
        blob = read(folder, layer["digest"])
        return chunked.chunk_sizes(blob, layer["annotations"])

    def fetch(self, folder, layers, before, chunks, fetched):
        digests, had = before
        if chunks is not None:
            for layer in layers:
                if layer["digest"] not in digests:
                    table = self.table(folder, layer)
                    fetched[2] += sum(size for key, size in table.items() if key not in had)
            return
        same = 0
        while same < len(layers) and same < len(digests) and layers[same]["digest"] == digests[same]:
            same += 1
        fetched[0] += sum(layer["size"] for layer in layers if layer["digest"] not in digests)
        fetched[1] += sum(layer["size"] for layer in layers[same:])


def relevant(folder, images):
    """The source packages that gave files to the images."""
    found = set()
    for name in images:
        beside = os.path.join(folder, name, "imgfactory")
        for file in os.listdir(beside):
            with open(os.path.join(beside, file), encoding="utf-8") as stream:
                bill = json.load(stream)
            given = {item["package"] for item in bill["files"]}
            found |= {item["source_package"] for item in bill["selection"] if item["name"] in given}
    return found


def megabytes(number):
    return f"{number / 1e6:.2f}"


def print_table(kind, rows, numbers):
    """Markdown: a row each night, a sum; columns for each number of layers."""
    heads = {"layers": ["up", "stored"], "pull": ["pull", "parts"]}[kind]
    print("| night | changed, MB |" + "".join(f" {head}, {number} |" for head in heads for number in numbers))
    print("|---|---|" + "---|" * len(heads) * len(numbers))
    for night, sites in rows:
        cells = []
        for head in heads:
            for number in numbers:
                one = sites[number]
                cells.append(megabytes(one[head]) + (f" ({megabytes(one['docker'])})" if head == "pull" else ""))
        print(f"| {night} | {megabytes(sites[numbers[0]]['changed'])} | " + " | ".join(cells) + " |")


def summed(rows, numbers):
    """All nights but the first."""
    total = {}
    for number in numbers:
        total[number] = {key: sum(sites[number][key] for _, sites in rows) for key in ("up", "changed", "pull", "docker", "parts")}
        total[number]["stored"] = rows[-1][1][number]["stored"]
    return total


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench layers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--kind", choices=("layers", "pull"), default="layers", help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    parser.add_argument("--layers", default="1,2,6,auto,24", help="numbers of layers, separated by commas (default: %(default)s)")
    parser.add_argument("--nights", help="only these source packages, such as openssl (default: all that have updates)")
    parser.add_argument("--mirror", metavar="DIR", help="keep what is fetched there, for the next time")
    parser.add_argument("images", nargs="*", default=IMAGES, help="of the catalogue (default: six)")
    arguments = parser.parse_args()
    numbers = arguments.layers.split(",")
    with tempfile.TemporaryDirectory(prefix="imgfactory-bench-", dir=os.environ.get("TMPDIR", "/var/tmp")) as top:
        with Nights(os.path.abspath(arguments.mirror or os.path.join(top, "mirror"))) as server:
            server.read()
            source = server.write_source()
            sites = {number: Site(arguments.program, top, source, number, arguments.images) for number in numbers}
            rows = [("first", {number: site.night() for number, site in sites.items()})]
            wanted = arguments.nights.split(",") if arguments.nights else relevant(os.path.join(sites[numbers[0]].top, "out"), arguments.images)
            dated = sorted((server.date(name), name) for name in wanted if server.newer(name))
            for date, name in dated:
                server.goes_on(name)
                rows.append((f"{date:%Y-%m-%d} {name} {server.newer(name)[0][1]}", {number: site.night() for number, site in sites.items()}))
                print(rows[-1][0] + ": up " + ", ".join(f"{number} layers {megabytes(one['up'])} MB" for number, one in rows[-1][1].items()), file=sys.stderr)
    if len(rows) > 2:
        rows.append((f"all {len(rows) - 1} nights", summed(rows[1:], numbers)))
    if arguments.json:
        print(json.dumps(rows))
    else:
        print_table(arguments.kind, rows, numbers)


if __name__ == "__main__":
    main()
