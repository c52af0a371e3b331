# SPDX-License-Identifier: Apache-2.0
"""A small distribution in the shape of Fedora's, with real ELF files, so that rpm's own generators make its Requires and
Provides.

`served` ships /usr/sbin/served, which needs libfoo.so.1 (versioned: FOO_1.2; of libfoo, which needs libbar.so.2 of
libbar, found by a RUNPATH in /usr/lib64/bar) and libc.so.6. `served-big` ships /usr/sbin/served too, with more
dependencies. `dhcp-server` ships /usr/sbin/dhcpd, as Fedora's does. None of these can run: their C library is a few lines.
living_packages() are programs that do, with the C library of the compiler.
"""

import os
import subprocess
import tempfile

from . import rpm

LOADERS = {"x86_64": "/lib64/ld-linux-x86-64.so.2", "aarch64": "/lib/ld-linux-aarch64.so.1"}
COMPILERS = {"x86_64": ("x86_64-linux-gnu-gcc", "gcc"), "aarch64": ("aarch64-linux-gnu-gcc",)}
BASE_VERSION = {"x86_64": "GLIBC_2.2.5", "aarch64": "GLIBC_2.17"}
OS_RELEASE = """\
NAME="Kit Linux"
VERSION="41 (Kit)"
ID=fedora
VERSION_ID=41
PRETTY_NAME="Kit Linux 41"
PLATFORM_ID="platform:f41"
CPE_NAME="cpe:/o:kit:kit:41"
"""
SERVED = "/usr/sbin/served"
DHCPD = "/usr/sbin/dhcpd"

LIBC = "int write(int f, const char *t, long n) { return f + !t + (int)n; } void _exit(int n) { for (;;) (void)n; }\n"
LIBC_MAP = "%s { global: write; local: *; };\nGLIBC_2.34 { global: _exit; };\n"
LOADER = "int _dl_kit; void _start(void) {}\n"
BAR = "int write(int, const char *, long); int bar(void) { return write(1, \"bar\\n\", 4); }\n"
FOO = "int bar(void); int foo_old(void) { return 1; } int foo(void) { return bar(); }\n"
FOO_MAP = "FOO_1.0 { global: foo_old; local: *; };\nFOO_1.2 { global: foo; } FOO_1.0;\n"
PROGRAM = "int foo(void); void _exit(int); void _start(void) { _exit(foo()); }\n"
DAEMON = "int write(int, const char *, long); void _exit(int); void _start(void) { _exit(write(1, \"dhcpd\\n\", 6)); }\n"


def compiler(arch):
    """The first compiler for an architecture that is there."""
    for name in COMPILERS[arch]:
        if any(os.access(os.path.join(folder, name), os.X_OK) for folder in os.environ["PATH"].split(os.pathsep)):
            return name
    raise RuntimeError(f"{COMPILERS[arch][0]} is missing: scripts/test installs what the tests need")


class Binaries:
    """ELF files of one architecture, made by a compiler: name → bytes."""

    def __init__(self, arch):
        self.arch = arch
        self.files = {}
        with tempfile.TemporaryDirectory(prefix="elf") as top:
            self._top = top
            loader = os.path.basename(LOADERS[arch])
            self._link(loader, LOADER, "-shared", f"-Wl,-soname,{loader}", version="GLIBC_2.35 { global: _dl_kit; };\n")
            self._link("libc.so.6", LIBC, "-shared", "-Wl,-soname,libc.so.6", version=LIBC_MAP % BASE_VERSION[arch])
            self._link("libgcc_s.so.1", "int _Unwind_kit;\n", "-shared", "-Wl,-soname,libgcc_s.so.1", "libc.so.6")
            self._link("libbar.so.2", BAR, "-shared", "-Wl,-soname,libbar.so.2", "libc.so.6")
            self._link("libfoo.so.1", FOO, "-shared", "-Wl,-soname,libfoo.so.1", "-Wl,-rpath,/usr/lib64/bar",
                       "libbar.so.2", "libc.so.6", version=FOO_MAP)
            self._link("libbaz.so.3", BAR, "-shared", "-Wl,-soname,libbaz.so.3", "libc.so.6")
            self._program("served", PROGRAM, "libfoo.so.1", "libc.so.6")
            self._program("served-big", PROGRAM, "libfoo.so.1", "libbaz.so.3", "libc.so.6")
            self._program("dhcpd", DAEMON, "libc.so.6")
            self._program("bash", DAEMON, "libc.so.6")

    def _program(self, name, source, *libraries):
        self._link(name, source, "-pie", f"-Wl,-dynamic-linker,{LOADERS[self.arch]}", *libraries)

    def _link(self, name, source, *options, version=None):
        with open(os.path.join(self._top, "source.c"), "w", encoding="utf-8") as stream:
            stream.write(source)
        command = [compiler(self.arch), "-O1", "-fPIC", "-ffreestanding", "-nostdlib", "-Wl,--build-id=none",
                   "-Wl,--no-as-needed", "-Wl,-rpath-link,.", "-Wl,--enable-new-dtags", "-o", name, "source.c"]
        if version:
            with open(os.path.join(self._top, "version.map"), "w", encoding="utf-8") as stream:
                stream.write(version)
            command.append("-Wl,--version-script,version.map")
        done = subprocess.run(command + list(options), cwd=self._top, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              check=False)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.stdout.decode(errors='replace')}")
        with open(os.path.join(self._top, name), "rb") as stream:
            self.files[name] = stream.read()


def filesystem(arch, sbin_is_bin=False):
    """The directories and root links; with sbin_is_bin as on Fedora 42 and newer, where /usr/sbin is a link to bin."""
    directories = ["/etc", "/run", "/usr", "/usr/bin", "/usr/lib", "/usr/lib64", "/usr/share", "/var", "/var/lib"]
    if not sbin_is_bin:
        directories.append("/usr/sbin")
    files = [rpm.directory(path) for path in directories]
    files += [rpm.directory("/tmp", 0o1777), rpm.directory("/root", 0o550)]
    files += [rpm.link(f"/{name}", f"usr/{name}") for name in ("bin", "sbin", "lib", "lib64")]
    if sbin_is_bin:
        files.append(rpm.link("/usr/sbin", "bin"))
    provides = ["filesystem(merged-bin)", "filesystem(merged-sbin)"] if sbin_is_bin else []
    return rpm.Package("filesystem", files, version="3.18", release="23.fc41", arch=arch, provides=provides,
                       requires=["setup"])


def setup():
    return rpm.Package("setup", [rpm.File("/etc/passwd", "root:x:0:0:Super User:/root:/bin/bash\n"
                                          "nobody:x:65534:65534:Kernel Overflow User:/:/usr/sbin/nologin\n"),
                                 rpm.File("/etc/group", "root:x:0:\nmail:x:12:\nnobody:x:65534:\n"),
                                 rpm.File("/etc/shadow", "root:*::0:99999:7:::\n", 0o000)],
                       version="2.15.0", release="5.fc41", requires=["system-release"])


def release():
    return rpm.Package("fedora-release", [rpm.File("/usr/lib/os-release", OS_RELEASE),
                                          rpm.link("/etc/os-release", "../usr/lib/os-release"),
                                          rpm.File("/etc/fedora-release", "Kit Linux release 41\n")],
                       version="41", release="29", provides=["system-release = 41-29", "system-release(41)",
                                                             "fedora-release = 41-29"])


def glibc(arch, binaries, top=""):
    """top "": files are listed below the root links (/lib64/libc.so.6), as up to Fedora 41 and in RHEL; "/usr": as
    since."""
    loader = LOADERS[arch]
    return rpm.Package("glibc", [rpm.program(top + loader, binaries.files[os.path.basename(loader)]),
                                 rpm.program(top + "/lib64/libc.so.6", binaries.files["libc.so.6"]),
                                 rpm.directory("/etc/ld.so.conf.d"),
                                 rpm.File("/etc/ld.so.conf", "include ld.so.conf.d/*.conf\n"),
                                 rpm.File("/etc/ld.so.cache", kind="ghost")],
                       version="2.40", release="3.fc41", arch=arch, payload="zstd", requires=["filesystem", "libgcc"],
                       provides=["rtld(GNU_HASH)"],
                       scripts={"posttrans": "/usr/sbin/ldconfig"})


def libgcc(arch, binaries):
    return rpm.Package("libgcc", [rpm.program("/lib64/libgcc_s-14.so.1", binaries.files["libgcc_s.so.1"]),
                                  rpm.link("/lib64/libgcc_s.so.1", "libgcc_s-14.so.1")],
                       version="14.2.1", release="3.fc41", arch=arch)


def bash(arch, binaries):
    return rpm.Package("bash", [rpm.program("/usr/bin/bash", binaries.files["bash"]), rpm.link("/usr/bin/sh", "bash")],
                       version="5.2.32", release="1.fc41", arch=arch, provides=["/bin/sh"])


def libbar(arch, binaries):
    return rpm.Package("libbar", [rpm.directory("/usr/lib64/bar"),
                                  rpm.program("/usr/lib64/bar/libbar.so.2", binaries.files["libbar.so.2"])],
                       version="2.0^git1", release="1.fc41", arch=arch, payload="xz",
                       scripts={"post": "/sbin/ldconfig"})


def libfoo(arch, binaries):
    return rpm.Package("libfoo", [rpm.program("/usr/lib64/libfoo.so.1.2", binaries.files["libfoo.so.1"]),
                                  rpm.link("/usr/lib64/libfoo.so.1", "libfoo.so.1.2"),
                                  rpm.File("/usr/share/licenses/libfoo/COPYING", "free\n", flags="%license")],
                       version="1.2", release="3.fc41", epoch=1, arch=arch, payload="gzip")


def libbaz(arch, binaries):
    return rpm.Package("libbaz", [rpm.program("/usr/lib64/libbaz.so.3", binaries.files["libbaz.so.3"])],
                       version="3", release="1.fc41", arch=arch, payload="bzip2")


def served(arch, binaries, **settings):
    settings = {"version": "4.4.1", "release": "2.fc41", "epoch": 12, "requires": ["served-common = 12:4.4.1-2.fc41"],
                "recommends": ["served-doc"], **settings}
    return rpm.Package("served", [
        rpm.program(SERVED, binaries.files["served"], caps="cap_net_bind_service=ep"),
        rpm.File("/etc/served/served.conf", "listen 67\n", 0o640, group="served", flags="%config(noreplace)"),
        rpm.directory("/etc/served", 0o750, group="served"),
        rpm.File("/usr/lib/sysusers.d/served.conf", 'u served 177 "Served" /var/lib/served\n'),
        rpm.directory("/var/lib/served", 0o750, owner="served", group="served")],
        arch=arch, provides=["user(served)", "group(served)"],
        scripts={"pre": "getent passwd served || useradd -r served\nexit 0"}, **settings)


def served_big(arch, binaries):
    return rpm.Package("served-big", [rpm.program(SERVED, binaries.files["served-big"])], version="4.4.1",
                       release="2.fc41", arch=arch, conflicts=["served"], requires=["served-common"])


def common():
    return rpm.Package("served-common", [rpm.File("/usr/share/served/words.txt", "one\ntwo\n"),
                                         rpm.File("/usr/share/served/same.txt", kind="hard",
                                                  target="/usr/share/served/words.txt"),
                                         rpm.File("/usr/share/served/more.txt", "three\n")],
                       version="4.4.1", release="2.fc41", epoch=12)


def doc():
    return rpm.Package("served-doc", [rpm.File("/usr/share/doc/served/README", "read me\n", flags="%doc")],
                       version="4.4.1", release="2.fc41", epoch=12)


def dhcp_server(arch, binaries, path=DHCPD):
    return rpm.Package("dhcp-server", [
        rpm.program(path, binaries.files["dhcpd"]),
        rpm.File("/etc/dhcp/dhcpd.conf", "# none\n", flags="%config(noreplace)"),
        rpm.File("/usr/lib/sysusers.d/dhcp.conf", 'u dhcpd 177 "DHCP server" /\n'),
        rpm.directory("/var/lib/dhcpd", owner="dhcpd", group="dhcpd"),
        rpm.File("/var/lib/dhcpd/dhcpd.leases", "", owner="dhcpd", group="dhcpd", flags="%config(noreplace)")],
        version="4.4.3", release="14.P1.fc41", epoch=12, arch=arch, provides=["user(dhcpd)", "group(dhcpd)"])


_packages = {}
_binaries = {}


def binaries_of(arch):
    """Made once for all who ask."""
    if arch not in _binaries:
        _binaries[arch] = Binaries(arch)
    return _binaries[arch]


def packages(architectures=("x86_64", "aarch64")):
    """All packages of the small distribution. Shared by all who ask: copies of the list, the same built packages."""
    key = tuple(architectures)
    if key not in _packages:
        out = [setup(), release(), common(), doc()]
        for arch in architectures:
            binaries = binaries_of(arch)
            out += [filesystem(arch)]
            out += [make(arch, binaries) for make in (glibc, libgcc, bash, libbar, libfoo, libbaz, served, served_big,
                                                     dhcp_server)]
        _packages[key] = out
    return list(_packages[key])


def merged_sbin(architectures=("x86_64", "aarch64")):
    """The small distribution as of Fedora 42: /usr/sbin is a link to bin, and dhcp-server lists /usr/bin/dhcpd."""
    out = [package for package in packages(architectures) if package.name not in ("filesystem", "glibc", "dhcp-server")]
    for arch in architectures:
        out += [filesystem(arch, True), glibc(arch, binaries_of(arch), "/usr"),
                dhcp_server(arch, binaries_of(arch), "/usr/bin/dhcpd")]
    return out


GREET = 'const char *greet(void) { return "hello from a configured directory"; }\n'
SPEAK = '#include <stdio.h>\nconst char *greet(void);\nint main(void) { return puts(greet()) < 0; }\n'
PLAIN = '#include <stdio.h>\nint main(void) { return puts("plain") < 0; }\n'


def compile_program(arch, source, *options):
    """The bytes of a program, with the C library of the compiler."""
    with tempfile.TemporaryDirectory(prefix="elf") as top:
        path = os.path.join(top, "program")
        subprocess.run([compiler(arch), "-O1", "-o", path, "-x", "c", "-", "-x", "none",
                        f"-Wl,-dynamic-linker,{LOADERS[arch]}", *options], input=source.encode(), check=True)
        with open(path, "rb") as stream:
            return stream.read()


def _living_files(arch):
    """{name: bytes}: speaker (needs libgreet.so.1 and libc), plain (needs libc), and the compiler's C library."""
    files, gcc = {}, compiler(arch)
    with tempfile.TemporaryDirectory(prefix="elf") as top:
        def make(name, source, *options):
            subprocess.run([gcc, "-O1", "-o", name, "-x", "c", "-", "-x", "none", *options], input=source.encode(),
                           cwd=top, check=True)
            with open(os.path.join(top, name), "rb") as stream:
                files[name] = stream.read()
        interp = f"-Wl,-dynamic-linker,{LOADERS[arch]}"
        make("libgreet.so.1", GREET, "-shared", "-fPIC", "-nostdlib", "-Wl,-soname,libgreet.so.1")
        make("speaker", SPEAK, interp, "./libgreet.so.1", "-Wl,-rpath-link,.")
        make("plain", PLAIN, interp)
    for name in (os.path.basename(LOADERS[arch]), "libc.so.6"):
        found = subprocess.run([gcc, "-print-file-name=" + name], stdout=subprocess.PIPE, check=True).stdout
        with open(found.decode().strip(), "rb") as stream:
            files[name] = stream.read()
    return files


def living_packages(arch):
    """`speaker` finds libgreet.so.1 only in a directory that libgreet configures in /etc/ld.so.conf.d; `plain` needs no
    more than libc.so.6, which lies where its loader looks by itself."""
    files = _living_files(arch)
    loader = LOADERS[arch]
    libc = "/usr/lib/libc.so.6"  # the one directory that the loaders of Debian and Fedora both have built in
    return [
        filesystem(arch), setup(), release(),
        rpm.Package("glibc", [rpm.program("/usr" + loader, files[os.path.basename(loader)]),
                              rpm.program(libc, files["libc.so.6"]), rpm.directory("/etc/ld.so.conf.d"),
                              rpm.File("/etc/ld.so.conf", "include ld.so.conf.d/*.conf\n")],
                    version="2.36", release="9.fc41", arch=arch, requires=["filesystem"], provides=["rtld(GNU_HASH)"]),
        rpm.Package("libgreet", [rpm.program("/usr/lib64/greet/libgreet.so.1", files["libgreet.so.1"]),
                                 rpm.File("/etc/ld.so.conf.d/greet.conf", "/usr/lib64/greet\n")], arch=arch),
        rpm.Package("speaker", [rpm.program("/usr/bin/speaker", files["speaker"])], arch=arch),
        rpm.Package("plain", [rpm.program("/usr/bin/plain", files["plain"])], arch=arch)]
