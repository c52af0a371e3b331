#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares the catalogue's images with the same packages on a minimal Debian: files (with links, without directories)
and bytes of file contents, for both architectures. The minimal Debian holds what mmdebstrap --variant=apt
--include=PACKAGE unpacks: the packages marked essential, apt, and the service's with their dependencies, without
recommended ones. apt chooses and fetches them; they are counted as packed, before any script adds to them, so that no
emulator is needed.
"""

import argparse
import json
import os
import subprocess
import sys
import tarfile
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests"))

from kit import apt, image  # noqa: E402  pylint: disable=wrong-import-position

ARCHES = {"x86_64": ("amd64", "amd64"), "aarch64": ("arm64", "arm64/v8")}
BASE = ("?essential", "apt")
PACKAGES = {
    "apache2": "apache2", "bind9": "bind9", "busybox": "busybox-static", "chrony": "chrony", "dhcpd": "isc-dhcp-server",
    "dhcpd-ldap": "isc-dhcp-server-ldap", "dnsmasq": "dnsmasq", "haproxy": "haproxy", "kea-dhcp4": "kea-dhcp4-server",
    "memcached": "memcached", "mosquitto": "mosquitto", "nginx": "nginx", "openssh-server": "openssh-server",
    "postgresql-15": "postgresql-15", "postgresql-17": "postgresql-17", "redis": "redis-server", "rsyslog": "rsyslog",
    "snmpd": "snmpd", "squid": "squid", "unbound": "unbound",
}


class Debian:
    """Minimal Debian systems of one architecture."""

    def __init__(self, top, deb_arch):
        self.deb_arch = deb_arch
        self.apt = apt.Apt(top, deb_arch)
        self.apt.update()
        self.archives = os.path.join(top, "cache", "archives")
        self.known = {}  # deb → {path: bytes}

    def _deb(self, name, version):
        for arch in (self.deb_arch, "all"):
            path = os.path.join(self.archives, f"{name}_{version.replace(':', '%3a')}_{arch}.deb")
            if os.path.exists(path):
                return path
        raise RuntimeError(f"apt did not fetch {name} {version}")

    def _files(self, deb):
        if deb not in self.known:
            with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE) as unpack, \
                    tarfile.open(fileobj=unpack.stdout, mode="r|") as archive:
                self.known[deb] = {info.name: info.size for info in archive if not info.isdir()}
        return self.known[deb]

    def size(self, package):
        """(files, bytes)"""
        self.apt.run("install", "--yes", "--download-only", "--no-install-recommends", *BASE, package)
        files = {}
        for name, version in self.apt.solution(*BASE, package).items():
            files.update(self._files(self._deb(name, version)))
        return len(files), sum(files.values())


def ours(output, name, platform):
    built = image.Layout(os.path.join(output, name)).images["latest"][platform]
    entries = [entry for entry in built.entries.values() if entry.kind != "dir"]
    return len(entries), sum(len(entry.data) for entry in entries if entry.kind == "file")


def build(program, manifests, names, top):
    """The names that this release has, built."""
    output = os.path.join(top, "out")
    done = subprocess.run([program, "--manifests", manifests, "--arch", ",".join(ARCHES), "--quiet", "--json",
                           "--output", output, "--state", os.path.join(top, "state"), *names],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if done.returncode not in (0, 9):
        sys.exit(done.stderr.decode(errors="replace"))
    return output, [each["image"] for each in json.loads(done.stdout)["images"] if each["status"] != "failed"]


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench sizes", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True, type=os.path.abspath, help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    parser.add_argument("images", nargs="*", default=sorted(PACKAGES), help="of the catalogue; default all")
    arguments = parser.parse_args()
    manifests = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "manifests")

    rows = []
    if not arguments.json:
        print("| image | x86_64 | Debian | | aarch64 | Debian | |\n|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="imgfactory-sizes-") as top:
        output, names = build(arguments.program, manifests, arguments.images, top)
        debians = {arch: Debian(os.path.join(top, arch), deb_arch) for arch, (deb_arch, _) in ARCHES.items()}
        for name in sorted(names):
            cells = []
            for arch, (_, platform) in ARCHES.items():
                files, size = ours(output, name, platform)
                all_files, all_size = debians[arch].size(PACKAGES[name])
                rows.append({"image": name, "arch": arch, "files": files, "bytes": size, "debian_files": all_files,
                             "debian_bytes": all_size})
                cells += [f"{files}, {size / 1e6:.1f} MB", f"{all_files}, {all_size / 1e6:.0f} MB",
                          f"{100 * size / all_size:.0f} %"]
            if not arguments.json:
                print(f"| {name} | {' | '.join(cells)} |", flush=True)
    if arguments.json:
        json.dump(rows, sys.stdout, indent=2)
        print()


if __name__ == "__main__":
    main()
