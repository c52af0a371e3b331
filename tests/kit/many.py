# SPDX-License-Identifier: Apache-2.0
"""Many small images by chance: a repository of libraries, programs and data, a manifest for each image; and what images have,
read out of the bytes of their layers by nothing of the program."""

import random
import re
import struct
import subprocess

from . import deb, world
from .elf import DT_SONAME, DT_STRTAB, PT_DYNAMIC, PT_LOAD

VERSIONS = ("1.0-1", "1.0-1+b1", "1.0~rc1-2", "1:0.9-3", "2.10-1", "2.9-4", "3.0.15-1~deb12u1", "3.0.17-1")


class World:
    """`count` images that are made of `packages` libraries and as many packages of data."""

    def __init__(self, seed, count, packages=24, architectures=("amd64", "arm64")):
        self.chance = random.Random(seed)
        self.names = [f"image{number:03}" for number in range(count)]
        self.architectures = architectures
        self.libraries = {f"lib{number:02}": self.chance.choice(VERSIONS) for number in range(packages)}
        self.data = {f"data{number:02}": self.chance.choice(VERSIONS) for number in range(packages)}
        self.programs = {f"prog{number:02}": self.chance.sample(sorted(self.libraries), self.chance.randint(0, 4))
                         for number in range(packages)}

    def source(self, name, version):
        """A third of the packages is made from a source of another name or version."""
        number = int(name[-2:]) % 3
        return "" if number else f"source-{name} ({version.split('+')[0]}.s)"

    def packages(self):
        out = []
        for arch in self.architectures:
            machine = world.MACHINES[arch]
            out += [world.libc(machine), world.libgcc(machine), world.base_files(machine)]
            for name, version in self.libraries.items():
                out.append(self.package(name, version, arch, [
                    deb.File(machine.lib(f"{name}.so.1"), world.library(machine, f"{name}.so.1", ["libc.so.6"])),
                    deb.link(machine.lib(f"{name}.so"), f"{name}.so.1")], Depends="libc6"))
            for name, needs in self.programs.items():
                out.append(self.package(name, "1.0-1", arch, [deb.program(
                    f"/usr/bin/{name}", world.executable(machine, [f"{need}.so.1" for need in needs] + ["libc.so.6"]))],
                    Depends=", ".join(["libc6", *needs])))
        for name, version in self.data.items():
            out.append(self.package(name, version, "all", [deb.File(f"/usr/share/{name}/{part}.txt", part * 9)
                                                          for part in ("one", "two")]))
        return out

    def package(self, name, version, arch, files, **fields):
        source = self.source(name, version)
        return deb.Package(name, arch=arch, version=version, compression="gzip", files=files, Section="misc",
                           **({"Source": source} if source else {}), **fields)

    def manifest(self, name):
        program = self.chance.choice(sorted(self.programs))
        files = [f"/usr/share/{data}/{self.chance.choice(('one', 'two'))}.txt"
                 for data in self.chance.sample(sorted(self.data), self.chance.randint(0, 3))]
        return (f"name: {name}\nbinaries: [/usr/bin/{program}]\ntags: [latest]\n" +
                (f"files: [{', '.join(files)}]\n" if files else "") +
                f"config:\n  entrypoint: [/usr/bin/{program}]\n")


def soname(data):
    """DT_SONAME of a 64-bit little-endian file, or None."""
    if data[:6] != b"\x7fELF\x02\x01":
        return None
    at, = struct.unpack_from("<Q", data, 32)
    count, = struct.unpack_from("<H", data, 56)
    headers = [struct.unpack_from("<IIQQQQQQ", data, at + 56 * i) for i in range(count)]
    place = lambda address: next(h[2] + address - h[3] for h in headers if h[0] == PT_LOAD and h[3] <= address < h[3] + h[5])
    for header in headers:
        if header[0] != PT_DYNAMIC:
            continue
        entries = dict(reversed(list(struct.iter_unpack("<QQ", data[header[2]:header[2] + header[5] // 16 * 16]))))
        if DT_SONAME in entries:
            start = place(entries[DT_STRTAB]) + entries[DT_SONAME]
            return data[start:data.index(b"\0", start)].decode()
    return None


class Contents:
    """What one platform of an image has, by its layers: paths, sonames and packages of its database."""

    def __init__(self, entries):
        self.paths = set(entries)
        self.sonames = {name for entry in entries.values() if entry.kind == "file" and (name := soname(entry.data))}
        self.packages = []  # name, version, source, version of that
        for path, entry in entries.items():
            if re.fullmatch(r"/var/lib/dpkg/(status|status\.d/[^/]+)", path) and entry.kind == "file" and \
                    not path.endswith(".md5sums"):
                for stanza in entry.data.decode().split("\n\n"):
                    self.packages += self.read_stanza(stanza)

    @staticmethod
    def read_stanza(stanza):
        fields = dict(re.findall(r"^([A-Za-z-]+): (.*)$", stanza, re.M))
        if "Package" not in fields:
            return []
        source = re.fullmatch(r"(\S+)(?: \((.*)\))?", fields.get("Source", fields["Package"]))
        return [(fields["Package"], fields["Version"], source[1], source[2] or fields["Version"])]

    def has_package(self, name, relation=None, version=None):
        return any((own == name and holds(has, relation, version)) or (source == name and holds(of, relation, version))
                   for own, has, source, of in self.packages)


WORDS = {"<": "lt", "<=": "le", "=": "eq", ">=": "ge", ">": "gt"}
_known = {}


def holds(has, relation, version):
    """As dpkg itself compares them."""
    if relation is None:
        return True
    key = (has, relation, version)
    if key not in _known:
        _known[key] = subprocess.run(["dpkg", "--compare-versions", has, WORDS[relation], version],
                                     check=False).returncode == 0
    return _known[key]
