# SPDX-License-Identifier: Apache-2.0
"""The loader's rules against the target's own loader, natively or under qemu: `ld.so --list` of real programs and
libraries of Debian 12 and 13 in whole roots, and /etc/ld.so.cache against the target's own ldconfig, byte for byte.

Quick by default; IMGFACTORY_LOADER_SWEEP=1 goes over both releases, more packages and every ELF file.
IMGFACTORY_LOADER_ROOTS names a folder where the roots are kept between runs.
"""

import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from kit import apt, emulators  # noqa: E402  pylint: disable=wrong-import-position
from kit.paths import inside  # noqa: E402  pylint: disable=wrong-import-position
from kit.case import need  # noqa: E402  pylint: disable=wrong-import-position

HERE = os.path.dirname(os.path.abspath(__file__))
ARCHES = os.path.join(HERE, "..", "..", "arches")
LOADS = os.environ.get("IMGFACTORY_LOADS", "live_loads")
LOADS = os.path.abspath(LOADS) if "/" in LOADS else LOADS
SWEEP = os.environ.get("IMGFACTORY_LOADER_SWEEP") == "1"
DEB = {"x86_64": "amd64", "aarch64": "arm64", "armv7": "armhf", "ppc64le": "ppc64el", "s390x": "s390x",
       "riscv64": "riscv64"}
QEMU = {"armv7": "arm"}
LOADERS = {"x86_64": "/lib64/ld-linux-x86-64.so.2", "aarch64": "/lib/ld-linux-aarch64.so.1",
           "armv7": "/lib/ld-linux-armhf.so.3", "ppc64le": "/lib64/ld64.so.2", "s390x": "/lib/ld64.so.1",
           "riscv64": "/lib/ld-linux-riscv64-lp64d.so.1"}
# systemd, pulseaudio and samba have RUNPATHs, fakeroot a configured directory
PACKAGES = ["libc-bin", "systemd", "pulseaudio", "fakeroot"]
SWEEP_PACKAGES = ["samba", "bind9", "cups-daemon", "binutils"]
BIG_PACKAGES = ["libreoffice-core-nogui"]  # where no qemu is in the way
ROOTS = [("bookworm", arch) for arch in DEB if arch != "riscv64"]  # Debian 12 has no riscv64
ROOTS += [("trixie", arch) for arch in (DEB if SWEEP else ("riscv64", "x86_64"))]
EACH_ARCH = [("trixie" if arch == "riscv64" else "bookworm", arch) for arch in DEB]
QUICK_COUNT = 60  # files per root
NEWER = {"x86_64": "x86-64-v2", "ppc64le": "power9", "s390x": "z13"}  # what qemu's machines have; others know none


class World:
    """What the tests share: made once by setUpModule()."""
    top = None
    roots = {}  # (release, arch) → folder
    pool = None


def setUpModule():
    need("apt-get", "dpkg-deb", LOADS)
    emulators.need(*(QEMU.get(arch, arch) for arch in DEB))
    if os.geteuid() != 0:
        raise unittest.SkipTest("chroot needs root")
    World.top = os.environ.get("IMGFACTORY_LOADER_ROOTS")
    if not World.top:
        World.top = tempfile.mkdtemp(prefix="imgfactory-loader-")
        unittest.addModuleCleanup(shutil.rmtree, World.top, ignore_errors=True)
    World.pool = concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2)
    unittest.addModuleCleanup(World.pool.shutdown)
    for where, root in zip(ROOTS, World.pool.map(lambda where: make_root(*where), ROOTS)):
        World.roots[where] = root


def host_sources(release, path):
    """Writes the host's own sources in either of apt's formats, for another release; updates alone are no other loader.
    Returns the file: apt tells the format by its name."""
    with open("/etc/os-release", encoding="utf-8") as stream:
        codename = re.search(r"^VERSION_CODENAME=(\S+)", stream.read(), re.M)[1]
    deb822 = "/etc/apt/sources.list.d/debian.sources"
    is_deb822 = os.path.exists(deb822)
    with open(deb822 if is_deb822 else "/etc/apt/sources.list", encoding="utf-8") as stream:
        text = re.sub(r"^#.*\n", "", stream.read(), flags=re.M)
    if is_deb822:
        stanzas = [part for part in text.split("\n\n") if "-security" not in part]
        text = re.sub(r"^Suites:.*", "Suites: " + codename, "\n\n".join(stanzas), flags=re.M)
    else:
        text = "".join(re.findall(rf"^deb .* {codename} .*\n", text, re.M))
    path += ".sources" if is_deb822 else ".list"
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(text.replace(codename, release))
    return path


def make_root(release, arch):
    """A folder with the packages and all they depend on, as dpkg-deb and tar unpack them on a merged-/usr system; without
    the armhf libraries in directories of before glibc-hwcaps, which are not looked into."""
    top = os.path.join(World.top, f"{release}-{arch}")
    root = os.path.join(top, "root")
    if os.path.exists(os.path.join(top, "done")):
        return root
    oracle = apt.Apt(top, DEB[arch])
    sources = host_sources(release, os.path.join(top, "host"))
    oracle.options += ["-o", f"Dir::Etc::sourcelist={sources}", "-o", "Dir::Etc::sourceparts=/dev/null"]
    oracle.update()
    swept = SWEEP_PACKAGES + (BIG_PACKAGES if os.uname().machine == arch else [])
    oracle.run("install", "-d", "-y", "--no-install-recommends", *PACKAGES, *(swept if SWEEP else ()))
    for link in ("bin", "sbin", "lib", "lib64"):
        os.makedirs(os.path.join(root, "usr", link))
        os.symlink("usr/" + link, os.path.join(root, link))
    archives = os.path.join(top, "cache", "archives")
    for name in sorted(os.listdir(archives)):
        if name.endswith(".deb"):
            with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", os.path.join(archives, name)],
                                  stdout=subprocess.PIPE) as unpack:
                subprocess.run(["tar", "-x", "--keep-directory-symlink", "-C", root, "--exclude=./usr/share/*",
                                "--exclude=./usr/lib/*/vfp", "-f", "-"], stdin=unpack.stdout, check=True)
    os.makedirs(os.path.join(root, "tmp"), exist_ok=True)
    if os.uname().machine != arch:
        shutil.copy(emulators.find(QEMU.get(arch, arch)), os.path.join(root, "qemu-static"))
    with open(os.path.join(top, "done"), "w", encoding="utf-8"):
        pass
    return root


def in_root(root, *command):
    """Runs a program of a root there: (exit status, text)."""
    qemu = ["/qemu-static"] if os.path.exists(os.path.join(root, "qemu-static")) else []
    done = subprocess.run(["chroot", root, *qemu, *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=120, check=False, env={"PATH": "/usr/sbin:/usr/bin"})
    return done.returncode, done.stdout.decode(errors="replace")


def elf_kind(path):
    """"dynamic" for an ELF file that the loader can list, and "runpath" for one with search paths; else None."""
    with open(path, "rb") as stream:
        if stream.read(4) != b"\x7fELF":
            return None
    out = subprocess.run(["readelf", "-dW", path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                         check=False).stdout.decode(errors="replace")
    if "(NEEDED)" not in out:
        return None
    return "runpath" if "(RUNPATH)" in out or "(RPATH)" in out else "dynamic"


def choose_files(root):
    """Real paths of the ELF files to compare: all in a sweep; else those with search paths first, then a spread."""
    found = {"dynamic": [], "runpath": []}
    for folder, folders, names in os.walk(root):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(folder, name)
            kind = None if os.path.islink(path) or not os.path.isfile(path) else elf_kind(path)
            if kind:
                found[kind].append("/" + os.path.relpath(path, root))
    if SWEEP:
        return found["runpath"] + found["dynamic"]
    chosen = found["runpath"][:QUICK_COUNT // 2]
    step = max(1, len(found["dynamic"]) // (QUICK_COUNT - len(chosen)))
    return chosen + found["dynamic"][::step][:QUICK_COUNT - len(chosen)]


def ours(root, arch, paths, how="list"):
    """{path: (real paths in order, names not found, fatal notes)} as the library under test says."""
    out = subprocess.run([LOADS, ARCHES, arch, root, how, *paths], check=True, stdout=subprocess.PIPE).stdout.decode()
    found = {}
    for block in out.split("\n\n"):
        lines = block.strip("\n").split("\n")
        if lines[0]:
            found[lines[0]] = ([line for line in lines[1:] if line[0] == "/"],
                               sorted({line[1:] for line in lines[1:] if line[0] == "-"}),
                               [line[1:] for line in lines[1:] if line[0] == "!"])
    return found


def theirs(root, arch, path, *options):
    """The same from the real loader; None when it does not start at all."""
    code, out = in_root(root, LOADERS[arch], *options, "--list", path)
    absent = sorted(set(re.findall(r"^\s+(\S+) => not found", out, re.M)))
    if code != 0 and not absent:
        return None, out
    listed = re.findall(r"(/\S+) \(0x", out)
    return ([inside(root, name) for name in [path, *listed]], absent), out


def files_of(root):
    """Base names of the files below usr/lib."""
    return sorted(name for _, _, names in os.walk(os.path.join(root, "usr", "lib")) for name in names)


def find_library(root, name):
    """The path of the first library with that name."""
    return next(os.path.join(folder, name) for folder, _, names in os.walk(os.path.join(root, "usr", "lib"))
                if name in names)


def copy_for_newer(file, folder, arch, name):
    """Copies a library into the directory of a newer machine."""
    newer = os.path.join(folder, "glibc-hwcaps", NEWER.get(arch, "none-such"))
    os.makedirs(newer)
    shutil.copy(file, os.path.join(newer, name))


def without_loader(paths, root, arch):
    """The loader's own place in the list says nothing when nobody needs it by name."""
    loader = inside(root, LOADERS[arch])
    return [path for path in paths if path != loader]


class Judged(unittest.TestCase):
    """What both tests do with a root."""

    def compare(self, where, paths, how="list", options=()):
        """Compares every file; returns how many loaded something, and how many the loader refuses."""
        root, arch = World.roots[where], where[1]
        found = ours(root, arch, paths, how)
        results = World.pool.map(lambda path: theirs(root, arch, path, *options), paths)
        for path, (wanted, out) in zip(paths, results):
            with self.subTest(root="-".join(where), path=path):
                loads, absent, fatal = found[path]
                if wanted is None:
                    self.assertTrue(fatal or any(name in out for name in absent), f"{path}: the loader refuses it: {out}")
                    continue
                self.assertEqual((without_loader(loads, root, arch), absent),
                                 (without_loader(wanted[0], root, arch), wanted[1]), out)
        return len(paths)

    def check_machines(self, where, program, *variants):
        """Compares a program on the oldest machine and on a newer one, which loads these variants, if there is one."""
        root, arch = World.roots[where], where[1]
        self.compare(where, [program], options=("--glibc-hwcaps-mask", "none"))
        if arch not in NEWER:
            self.compare(where, [program])
            return
        how = "list=" + NEWER[arch]
        self.compare(where, [program], how, ("--glibc-hwcaps-mask", NEWER[arch]))
        for variant in variants:
            self.assertIn(variant.format("glibc-hwcaps/" + NEWER[arch]), ours(root, arch, [program], how)[program][0])


class Loads(Judged):
    def test_are_those_of_the_real_loader_in_its_order(self):
        count = 0
        for where, root in World.roots.items():
            cache = os.path.join(root, "etc", "ld.so.cache")
            if os.path.exists(cache):
                os.unlink(cache)
            count += self.compare(where, choose_files(root))
        print(f"{count} files compared", file=sys.stderr)
        self.assertGreaterEqual(count, 300)


class Cache(Judged):
    def check(self, where):
        root, arch = World.roots[where], where[1]
        made = subprocess.run([LOADS, ARCHES, arch, root, "cache"], check=True, stdout=subprocess.PIPE).stdout
        for name in ("ours", "theirs"):
            if os.path.exists(os.path.join(root, "tmp", name)):
                os.unlink(os.path.join(root, "tmp", name))
        with open(os.path.join(root, "tmp", "ours"), "wb") as stream:
            stream.write(made)
        code, out = in_root(root, "/sbin/ldconfig", "-X", "-C", "/tmp/theirs")
        self.assertEqual(code, 0, out)
        code, shown = in_root(root, "/sbin/ldconfig", "-p", "-C", "/tmp/ours")
        self.assertEqual(code, 0, shown)
        code, wanted = in_root(root, "/sbin/ldconfig", "-p", "-C", "/tmp/theirs")
        self.assertEqual(shown.split("\n")[1:], wanted.split("\n")[1:])
        with open(os.path.join(root, "tmp", "theirs"), "rb") as stream:
            self.assertEqual(made, stream.read())
        return made

    def test_has_the_bytes_that_the_targets_own_ldconfig_writes(self):
        for where in World.roots:
            with self.subTest(root="-".join(where)):
                self.check(where)

    def configure(self, where):
        """Moves a library that systemd's programs need into a configured directory, for one test; a copy of it is
        there for newer machines."""
        root, keep = World.roots[where], tempfile.mkdtemp(dir=World.top)
        link = find_library(root, "libcap.so.2")
        file = os.path.join(os.path.dirname(link), os.readlink(link))
        folder = os.path.join(root, "opt", "conf")
        self.addCleanup(shutil.rmtree, folder)
        copy_for_newer(file, folder, where[1], "libcap.so.2")
        shutil.copy(file, folder)
        os.symlink(os.path.basename(file), os.path.join(folder, "libcap.so.2"))
        for path in (link, file):
            self.addCleanup(shutil.move, shutil.move(path, keep), path)
        config = os.path.join(root, "etc", "ld.so.conf.d", "0.conf")
        with open(config, "w", encoding="utf-8") as stream:
            stream.write("# for a test\n/opt/conf/  # all of it\n")
        self.addCleanup(os.unlink, config)

    def test_makes_programs_start_that_need_a_configured_directory(self):
        for where in EACH_ARCH:
            with self.subTest(root="-".join(where)):
                root, cache = World.roots[where], os.path.join(World.roots[where], "etc", "ld.so.cache")
                self.configure(where)
                code, out = in_root(root, "/usr/bin/systemctl", "--version")
                self.assertNotEqual(code, 0, out)
                with open(cache, "wb") as stream:
                    stream.write(self.check(where))
                self.addCleanup(os.unlink, cache)
                for program in ("/usr/bin/systemctl", "/usr/bin/systemd-analyze"):
                    code, out = in_root(root, program, "--version")
                    self.assertEqual(code, 0, out)
                    self.check_machines(where, program, "/opt/conf/{}/libcap.so.2")


class Newer(Judged):
    def test_machines_find_their_variants_in_built_in_and_runpath_directories(self):
        for where in EACH_ARCH:
            with self.subTest(root="-".join(where)):
                root, places = World.roots[where], []
                shared = re.search(r"libsystemd-shared-\S+?\.so", " ".join(files_of(root)))[0]
                for name in ("libcap.so.2", shared):
                    file = find_library(root, name)
                    folder = os.path.dirname(file)
                    self.addCleanup(shutil.rmtree, os.path.join(folder, "glibc-hwcaps"))
                    copy_for_newer(file, folder, where[1], name)
                    places.append("/" + os.path.relpath(folder, root) + "/{}/" + name)
                self.check_machines(where, "/usr/bin/systemd-analyze", *places)


if __name__ == "__main__":
    unittest.main()
