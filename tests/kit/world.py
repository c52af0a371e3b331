# SPDX-License-Identifier: Apache-2.0
"""A small distribution: a service with its libraries, in the shape of Debian's, for any architecture.

`served` ships /usr/sbin/served, which needs libfoo.so.1 (libfoo1, which needs libbar.so.2 of libbar2) and libc.so.6;
`served-big` ships /usr/sbin/served too, with more dependencies, as isc-dhcp-server-ldap does for dhcpd.
"""

from . import deb, elf


class Machine:
    """What the kit needs to know of an architecture: its Debian name, ELF identity and the loader's place."""

    def __init__(self, name, deb_name, oci, machine, triplet, interp, loader, bits=64, big_endian=False):
        self.name, self.deb_name, self.oci, self.triplet = name, deb_name, oci, triplet
        self.interp = interp   # PT_INTERP
        self.loader = loader   # the file that it is, canonical
        self.elf = {"machine": elf.EM[machine], "bits": bits, "big_endian": big_endian}

    def lib(self, name):
        return f"/usr/lib/{self.triplet}/{name}"


MACHINES = {m.deb_name: m for m in (
    Machine("x86_64", "amd64", "amd64", "x86_64", "x86_64-linux-gnu", "/lib64/ld-linux-x86-64.so.2",
            "/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"),
    Machine("aarch64", "arm64", "arm64", "aarch64", "aarch64-linux-gnu", "/lib/ld-linux-aarch64.so.1",
            "/usr/lib/aarch64-linux-gnu/ld-linux-aarch64.so.1"),
    Machine("armv7", "armhf", "arm", "arm", "arm-linux-gnueabihf", "/lib/ld-linux-armhf.so.3",
            "/usr/lib/arm-linux-gnueabihf/ld-linux-armhf.so.3", bits=32),
    Machine("ppc64le", "ppc64el", "ppc64le", "ppc64", "powerpc64le-linux-gnu", "/lib64/ld64.so.2",
            "/usr/lib/powerpc64le-linux-gnu/ld64.so.2"),
    Machine("s390x", "s390x", "s390x", "s390", "s390x-linux-gnu", "/lib/ld64.so.1",
            "/usr/lib/s390x-linux-gnu/ld64.so.1", big_endian=True),
    Machine("riscv64", "riscv64", "riscv64", "riscv", "riscv64-linux-gnu", "/lib/ld-linux-riscv64-lp64d.so.1",
            "/usr/lib/riscv64-linux-gnu/ld-linux-riscv64-lp64d.so.1"),
)}

OS_RELEASE = 'PRETTY_NAME="Kit Linux 1"\nNAME="Kit Linux"\nVERSION_ID="1"\nID=debian\n'
SERVED = "/usr/sbin/served"
# The programs that the start program of images with data calls.
START_TOOLS = ["chmod", "chown", "cmp", "cp", "flock", "mkdir", "mv", "readlink", "rm", "rmdir", "sync"]


def executable(machine, needed, **settings):
    settings = {"interp": machine.interp, "payload": b"served\n" * 500, **machine.elf, **settings}
    return elf.write(needed=needed, **settings)


def library(machine, soname, needed=(), **settings):
    return elf.write(soname=soname, needed=needed, **{**machine.elf, **settings}, payload=soname.encode() * 300)


def libc(machine, **settings):
    in_root_lib = lambda path: path.replace("/usr/lib/", "/lib/", 1)  # Debian 12's libc6 still ships below /lib
    return deb.Package("libc6", arch=machine.deb_name, version="2.36-9", Section="libs", Depends="libgcc-s1",
                       Multi_Arch="same", files=[
                           deb.program(in_root_lib(machine.loader), library(machine, machine.interp.split("/")[-1])),
                           deb.link(machine.interp, in_root_lib(machine.loader)),
                           deb.program(in_root_lib(machine.lib("libc.so.6")),
                                       library(machine, "libc.so.6", [machine.interp.split("/")[-1]], **settings)),
                           deb.File("/usr/share/doc/libc6/copyright", "free\n")])


def libgcc(machine):
    return deb.Package("libgcc-s1", arch=machine.deb_name, version="12.2.0-14", Section="libs", Multi_Arch="same",
                       Depends="libc6 (>= 2.35)",
                       files=[deb.File(machine.lib("libgcc_s.so.1").replace("/usr", "", 1),
                                       library(machine, "libgcc_s.so.1", ["libc.so.6"]))])


def libfoo(machine):
    return deb.Package("libfoo1", arch=machine.deb_name, version="1:1.2-3", Section="libs", compression="gzip",
                       Depends="libbar2 (>= 2.0), libc6 (>= 2.34)", files=[
                           deb.File(machine.lib("libfoo.so.1.2"),
                                    library(machine, "libfoo.so.1", ["libbar.so.2", "libc.so.6"])),
                           deb.link(machine.lib("libfoo.so.1"), "libfoo.so.1.2")])


def libbar(machine):
    return deb.Package("libbar2", arch=machine.deb_name, version="2.0+dfsg-1", Section="libs", compression="zstd",
                       Depends="libc6",
                       files=[deb.File(machine.lib("libbar.so.2"), library(machine, "libbar.so.2", ["libc.so.6"]))])


def served(machine, **settings):
    settings = {"version": "4.4.1-2+deb12u1", "Section": "net", "Depends": "libfoo1 (>= 1:1.0), libc6, served-common",
                **settings}
    return deb.Package("served", arch=machine.deb_name, files=[
        deb.program(SERVED, executable(machine, ["libfoo.so.1", "libc.so.6"])),
        deb.File("/etc/served/served.conf", "listen 67\n"),
        deb.File("/usr/share/doc/served/copyright", "free\n"),
        deb.directory("/var/lib/served", 0o750)], **settings)


def served_big(machine):
    return deb.Package("served-big", arch=machine.deb_name, version="4.4.1-2+deb12u1", Section="net",
                       Depends="libfoo1, libbaz3, libc6, served-common", Conflicts="served",
                       files=[deb.program(SERVED, executable(machine, ["libfoo.so.1", "libbaz.so.3", "libc.so.6"]))])


def libbaz(machine):
    return deb.Package("libbaz3", arch=machine.deb_name, version="3-1", Section="libs", Depends="libc6",
                       files=[deb.File(machine.lib("libbaz.so.3"), library(machine, "libbaz.so.3", ["libc.so.6"]))])


def common():
    return deb.Package("served-common", version="4.4.1-2+deb12u1", Section="net",
                       files=[deb.File("/usr/share/served/words.txt", "one\ntwo\n"),
                              deb.File("/usr/share/served/more.txt", "three\n")])


def base_files(machine):
    return deb.Package("base-files", arch=machine.deb_name, version="12.4", Essential="yes", Section="admin", files=[
        deb.File("/usr/lib/os-release", OS_RELEASE), deb.link("/etc/os-release", "../usr/lib/os-release")])


def packages(architectures=("amd64", "arm64")):
    """All packages of the small distribution."""
    out = [common()]
    for name in architectures:
        machine = MACHINES[name]
        out += [make(machine) for make in (libc, libgcc, libfoo, libbar, libbaz, served, served_big, base_files)]
    return out


MANIFEST = """\
name: served
description: A service of the test kit
binaries: [/usr/sbin/served]
files:
  - /etc/served/served.conf
directories:
  - path: /run/served
    mode: "0750"
    owner: served
    group: served
create:
  - path: /var/lib/served/leases
    content: ""
symlinks:
  - path: /etc/served.conf
    target: served/served.conf
users:
  - name: served
    uid: 101
    group: served
groups:
  - name: served
    gid: 102
config:
  entrypoint: [/usr/sbin/served]
  cmd: [-d]
  ports: [67/udp]
  volumes: [/var/lib/served]
  user: served
tags: [latest, "{version}"]
"""


def start_tools(arch="amd64", with_shell=True):
    """A package of the tools of the start program, and a shell, which do not run."""
    program = executable(MACHINES[arch], ["libc.so.6"])
    return deb.Package("tools", arch=arch, version="1", Section="admin", Essential="yes", Depends="libc6",
                       files=[deb.program(f"/usr/bin/{name}", program) for name in [*START_TOOLS, *["sh"] * with_shell]])
