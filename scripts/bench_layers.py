#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Nights of real updates, and what they cost with one layer and with several: bytes that a push sends, that a registry stores, and
that clients with last night's images fetch.

Each night one source package of the images goes from the version that the suite has to that of its updates or security updates, in
the order of the dates in their changelogs. With --next SUITE, source packages come from the next release after that, what others
need before these; nights in which that changes nothing are left out. The mirror (bench_mirror.py) has the suite's own indices, with
what came in the nights so far behind them; the packages are Debian's. Each night makes all images, in gzip and, of 1 and auto, in
zstd:chunked too, with each number of layers; the plan is made before the first night, and `imgfactory lock` is called again every
night, as a site does.

up       bytes of gzip's blobs that the registry did not have: a blob that another image brought is mounted
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
CHUNKED = ("1", "auto")  # numbers of layers of which zstd:chunked is made, too


def stanzas(text):
    """[(package, source, version, stanza)] of an index."""
    for stanza in text.split("\n\n"):
        fields = dict(re.findall(r"(?m)^(Package|Source|Version): (.*)$", stanza))
        if "Package" in fields:
            yield fields["Package"], fields.get("Source", fields["Package"]).split(" ")[0], fields["Version"], stanza


def is_newer(a, b):
    return subprocess.run(["dpkg", "--compare-versions", a, "gt", b], check=False).returncode == 0


class Unmade(Exception):
    """An image could not be made."""


class Nights(Server):
    """The suite, to which updates come one after another."""

    def __init__(self, folder, arches, following=None):
        pairs = upstreams()
        self.architectures = [name for name, arch in zip(ARCHITECTURES, ARCHES.split(",")) if arch in arches.split(",")]
        self.main = next(pair for pair in pairs if "-" not in pair[1] and "/" not in pair[1])
        self.later = [pair for pair in pairs if pair != self.main]
        self.following = (self.main[0], following) if following else None
        super().__init__(folder, [self.main, *self.later] + ([self.following] if following else []))
        self.come, self.came_next = [], []  # source packages

    def find(self, number, path):
        """The packages of all are found below the suite's own URI."""
        found = super().find(number, path)
        for uri, _ in self.later if path.startswith("pool/") and not found else ():
            found = found or super().find(self.uris.index(uri), path)
        return found

    def index(self, pair, architecture):
        data, _ = super().find(self.uris.index(pair[0]), f"dists/{pair[1]}/main/binary-{architecture}/Packages.xz.upstream")
        return lzma.decompress(data).decode()

    def read(self):
        """What the updates have, and the suite's versions."""
        self.updates = {name: [one for pair in self.later for one in stanzas(self.index(pair, name))] for name in {*self.architectures, "amd64"}}
        self.versions = {package: version for package, _, version, _ in stanzas(self.index(self.main, "amd64"))}
        self.follow = {name: list(stanzas(self.index(self.following, name))) for name in {*self.architectures, "amd64"}} if self.following else {}

    def newer(self, source):
        """[(package, version, stanza)] of a source package's updates that are newer than the suite."""
        return [(package, version, stanza) for package, of, version, stanza in self.updates["amd64"]
                if of == source and package in self.versions and is_newer(version, self.versions[package])]

    def date(self, source):
        """Of the newest entry in the changelog of the update; None when it cannot be read."""
        for package, _, stanza in self.newer(source):
            data, _ = self.find(self.uris.index(self.main[0]), re.search(r"(?m)^Filename: (.*)$", stanza)[1])
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

    def steps(self, packages):
        """[[source package]] of the next release in the order in which they come: what packages of these names need there, first what
        others need; such as need each other come together."""
        needs, source_of, provided = {}, {}, {}
        for package, source, _, stanza in self.follow["amd64"]:
            source_of[package] = source
            for field, rest in re.findall(r"(?m)^(Provides|Pre-Depends|Depends): (.*)$", stanza):
                words = [re.match(r"[a-z0-9.+-]+", word.strip())[0] for word in rest.split(",")]
                if field == "Provides":
                    provided.update((word, package) for word in words)
                else:
                    needs.setdefault(package, []).extend(words)
        order, low, stack, found = {}, {}, [], []

        def members(source):
            return [package for package, of in source_of.items() if of == source and package in wanted]

        def visit(source):  # Tarjan's components come in the order wanted
            order[source] = low[source] = len(order)
            stack.append(source)
            for package in members(source):
                for need in needs.get(package, ()):
                    other = source_of.get(need if need in source_of else provided.get(need))
                    if other and other not in order:
                        visit(other)
                    if other in stack:
                        low[source] = min(low[source], low[other])
            if low[source] == order[source]:
                found.append(sorted(stack[stack.index(source):]))
                del stack[stack.index(source):]

        wanted, rest = set(), [name for name in packages if name in source_of]
        while rest:
            name = rest.pop()
            if name not in wanted and name in source_of:
                wanted.add(name)
                rest += [need if need in source_of else provided.get(need, "") for need in needs.get(name, ())]
        for source in sorted({source_of[name] for name in wanted}):
            if source not in order:
                visit(source)
        return found

    def publish(self):
        """The suite's indices with what came so far."""
        number, suite = self.uris.index(self.main[0]), self.main[1]
        self.nights += 1
        text = self.releases[number, suite]
        for architecture in self.architectures:
            added = [stanza for _, of, _, stanza in self.updates[architecture] if of in self.come]
            added += [stanza for _, of, _, stanza in self.follow.get(architecture, ()) if of in self.came_next]
            text = self.change(number, suite, f"main/binary-{architecture}/Packages", text, "".join(f"\n{one}\n" for one in added).encode() + b"\n")
        self.sign_later(number, suite, text)

    def write_source(self):
        path = os.path.join(self.folder, "source.yaml")
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(f"kind: deb\nuris: [http://127.0.0.1:{self.port}/{self.uris.index(self.main[0])}/]\nsuites: [{self.main[1]}]\n"
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

    def __init__(self, program, top, source, layers, images, arches):  # pylint: disable=too-many-arguments,too-many-positional-arguments
        self.top, self.images, self.layers = os.path.join(top, f"layers-{layers}"), images, layers
        os.makedirs(self.top)
        self.lock = os.path.join(self.top, "imgfactory.lock")
        site = os.path.join(self.top, "site.yaml")
        with open(site, "w", encoding="utf-8") as stream:
            stream.write(f"images: [{', '.join(images)}]\n")
        self.command = [program, "--manifests", os.path.join(SCRIPTS, "..", "manifests"), "--arches", os.path.join(SCRIPTS, "..", "arches"), "--quiet",
                        "--cache", os.path.join(top, "cache"), "--state", os.path.join(self.top, "state"), "--source", source, "--arch", arches,
                        "--lock-file", self.lock, "--layers", layers, "--config", site]
        self.known, self.chunks, self.before = {}, set(), {}

    def run(self, arguments, word=()):
        done = subprocess.run([self.command[0], *word, *self.command[1:], *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
        if done.returncode:
            raise Unmade(f"{' '.join(done.args)}: {done.returncode}\n{done.stderr.decode(errors='replace')[-2000:]}")

    def night(self):
        """Makes all; {"up", "changed", "stored", "pull", "docker", "parts", "images": {image: (pull, docker, parts)}}."""
        out = os.path.join(self.top, "out")
        if self.layers not in ("1", "2"):
            self.run(["--update"] if os.path.exists(self.lock) else [], ["lock"])
        self.run([*(["--compression", "both"] if self.layers in CHUNKED else []), "--output", out])
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
    """The packages that gave files to the images, and their source packages."""
    packages, sources = set(), set()
    for name in images:
        beside = os.path.join(folder, name, "imgfactory")
        for file in os.listdir(beside):
            with open(os.path.join(beside, file), encoding="utf-8") as stream:
                bill = json.load(stream)
            given = {item["package"] for item in bill["files"]}
            packages |= {item["name"] for item in bill["selection"] if item["name"] in given}
            sources |= {item["source_package"] for item in bill["selection"] if item["name"] in given}
    return packages, sources


def megabytes(number):
    return f"{number / 1e6:.2f}"


def print_table(kind, rows):
    """Markdown: a row each night, sums; columns for each number of layers."""
    numbers = list(rows[0][1])
    made = [number for number in numbers if number in CHUNKED]
    heads = {"layers": [("up", numbers), ("stored", numbers)], "pull": [("pull", numbers), ("parts", made)]}[kind]
    print("| night | changed, MB |" + "".join(f" {head}, {number} |" for head, some in heads for number in some))
    print("|---|---|" + "---|" * sum(len(some) for _, some in heads))
    sums = [(f"all {len(rows) - 1} nights", summed(rows[1:]))] if len(rows) > 2 else []
    for night, sites in rows + sums:
        cells = []
        for head, some in heads:
            cells += [megabytes(sites[number][head]) + (f" ({megabytes(sites[number]['docker'])})" if head == "pull" else "") for number in some]
        changed = megabytes(sites[made[0]]["changed"]) if made else ""
        print(f"| {night} | {changed} | " + " | ".join(cells) + " |")


def summed(rows):
    """All nights but the first."""
    total = {}
    for number in rows[0][1]:
        total[number] = {key: sum(sites[number][key] for _, sites in rows) for key in ("up", "changed", "pull", "docker", "parts")}
        total[number]["stored"] = rows[-1][1][number]["stored"]
    return total


class Run:
    """All nights, with all numbers of layers."""

    def __init__(self, arguments, server, top):
        self.server, self.log, self.rows, self.top = server, arguments.log, [], top
        self.images, self.only = arguments.images, arguments.nights.split(",") if arguments.nights else None
        source = server.write_source()
        self.sites = {number: Site(arguments.program, top, source, number, arguments.images, arguments.arch) for number in arguments.layers.split(",")}

    def night(self, title):
        """Makes all, and tells of it when anything changed."""
        sites = {}
        for number, site in self.sites.items():
            sites[number] = site.night()
            if not sites[number]["up"]:
                return
        self.rows.append((title, sites))
        print(f"{title}: up " + ", ".join(f"{number} layers {megabytes(one['up'])} MB" for number, one in sites.items()), file=sys.stderr)
        if self.log:
            with open(self.log, "a", encoding="utf-8") as stream:
                print(json.dumps(self.rows[-1]), file=stream)

    def updates(self, sources):
        dated = sorted((self.server.date(name), name) for name in sources if self.server.newer(name))
        for date, name in dated:
            self.server.come.append(name)
            self.server.publish()
            self.night(f"{date:%Y-%m-%d} {name} {self.server.newer(name)[0][1]}")

    def next_release(self, packages):
        for sources in self.server.steps(packages):
            self.server.came_next += sources
            self.server.publish()
            try:
                self.night(f"{self.server.following[1]} " + ", ".join(sources))
            except Unmade as error:
                print(f"left out: {', '.join(sources)}: {error}", file=sys.stderr)
                self.server.came_next = [name for name in self.server.came_next if name not in sources]

    def all(self):
        self.night("first")
        packages, sources = relevant(os.path.join(next(iter(self.sites.values())).top, "out"), self.images)
        self.updates(self.only or sources)
        if self.server.following:
            self.next_release(packages)
        return self.rows


def measure(arguments):
    with tempfile.TemporaryDirectory(prefix="imgfactory-bench-", dir=os.environ.get("TMPDIR", "/var/tmp")) as top:
        with Nights(os.path.abspath(arguments.mirror or os.path.join(top, "mirror")), arguments.arch, arguments.next) as server:
            server.read()
            try:
                return Run(arguments, server, top).all()
            except Unmade as error:
                sys.exit(str(error))


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench layers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--kind", choices=("layers", "pull"), default="layers", help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    parser.add_argument("--layers", default="1,2,6,auto,40", help="numbers of layers, separated by commas (default: %(default)s)")
    parser.add_argument("--arch", default=ARCHES, help="architectures (default: %(default)s)")
    parser.add_argument("--nights", help="only these source packages, such as openssl (default: all that have updates)")
    parser.add_argument("--next", metavar="SUITE", help="then source packages of the next release, such as trixie")
    parser.add_argument("--mirror", metavar="DIR", help="keep what is fetched there, for the next time")
    parser.add_argument("--log", metavar="FILE", help="append each night to it, as a line of JSON")
    parser.add_argument("--from-log", metavar="FILE", help="measure nothing: the table of a log")
    parser.add_argument("images", nargs="*", default=IMAGES, help="of the catalogue (default: six)")
    arguments = parser.parse_args()
    if arguments.from_log:
        with open(arguments.from_log, encoding="utf-8") as stream:
            rows = [json.loads(line) for line in stream]
    else:
        rows = measure(arguments)
    if arguments.json:
        print(json.dumps(rows))
    else:
        print_table(arguments.kind, rows)


if __name__ == "__main__":
    main()
