# SPDX-License-Identifier: Apache-2.0
"""Images from signed RPM repositories, from the metadata to the layer, compared with rpm, rpm2cpio and dnf."""

import os
import shutil
import stat
import struct
import subprocess
import unittest

from base import image, need, rpm, run, server, world
from kit import box, emulators, rpm_world
from kit.rpm_case import BuildCase, Shared, publish

ARCHES = ("x86_64", "aarch64")
SHARED = Shared()
MANIFESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../manifests")
CAPABILITY = "security.capability"
SBIN = (("/usr/sbin", "/usr/bin"),)


def tearDownModule():
    SHARED.close()


class Build(BuildCase):
    shared = SHARED

    def fedora(self):
        return SHARED.get("fedora", rpm_world.packages)

    def merged(self):
        return SHARED.get("merged", rpm_world.merged_sbin)

    def assert_proven(self, name):
        """`imgfactory check` finds nothing missing in the layout."""
        done = subprocess.run([run.program(), "check", os.path.join(self.factory.output, name)],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env=self.factory.environment({"HOME": self.top}), check=False)
        self.assertEqual(done.returncode, run.OK, done.stdout.decode())

    def use_own_manifests(self, folder, **settings):
        self.factory.options = ["--source", self.source(folder, **settings), "--manifests", MANIFESTS, "--retries", "1"]


class Dhcpd(Build):
    """manifests/dhcpd.yaml, which knows nothing of RPM."""

    def check(self, folder, path, aliases=()):
        images, report = self.built("dhcpd", name="dhcpd")
        self.assertEqual(sorted(images), sorted(ARCHES))
        for arch, built in images.items():
            order, given = report.order("dhcpd", arch), report.files("dhcpd", arch)
            self.assertEqual((order["package"], order["version"], order["release"]),
                             ("dhcp-server", "4.4.3", "14.P1.fc41"))
            self.assertEqual(built.resolve("/usr/sbin/dhcpd"), path)
            self.assertEqual(given[path], "dhcp-server")
            loader = rpm_world.LOADERS[arch]
            self.assertEqual(built.resolve(loader), "/usr" + loader)
            self.assertEqual(built.resolve("/lib64/libc.so.6"), "/usr/lib64/libc.so.6")
            self.assertEqual(built["/var/lib/dhcpd/dhcpd.leases"].data, b"")
            self.assertEqual(built["/usr/lib/os-release"].data.decode(), rpm_world.OS_RELEASE)
            self.assertNotIn("/etc/ld.so.cache", built)
            self.assertEqual((built["/var/run"].target, built["/var/lock"].target), ("../run", "../run/lock"))
            self.assertEqual((built["/tmp"].mode, built["/run/lock"].mode), (0o1777, 0o1777))
            self.assertIn(b"\nnobody:x:65534:\n", built["/etc/group"].data)
            self.assertGreaterEqual(self.assert_as_rpm(built, given, folder, arch, aliases), 5)
            self.assert_selected_as_dnf(order, folder, arch, ["dhcp-server"])
        self.assert_proven("dhcpd")
        return images

    def test_from_a_repository_like_fedora_41(self):
        self.use_own_manifests(self.fedora())
        images = self.check(self.fedora(), "/usr/sbin/dhcpd")
        self.assertNotIn("/usr/bin/dhcpd", images["x86_64"])

    def test_from_a_repository_like_fedora_42(self):
        self.use_own_manifests(self.merged())
        images = self.check(self.merged(), "/usr/bin/dhcpd", SBIN)
        self.assertEqual(images["x86_64"]["/usr/sbin"].target, "bin")


SERVED = """\
name: served
description: A service of the test kit
binaries: [/usr/sbin/served]
files: [/etc/served/served.conf]
packages:
  install: [served-common, served-doc]
config:
  entrypoint: [/usr/sbin/served]
tags: [latest, "{version}"]
"""


class Served(Build):
    """A service with libraries, one of them found by a RUNPATH, and whole packages."""

    def setUp(self):
        super().setUp()
        self.use_folder(self.fedora())
        self.write_manifest(text=SERVED)

    def test_is_made_of_the_very_files_of_its_packages(self):
        images, report = self.built()
        for arch, built in images.items():
            order, given = report.order("served", arch), report.files("served", arch)
            self.assertEqual({package["name"] for package in order["selection"] if package["gave_files"]},
                             {"served", "served-common", "served-doc", "libfoo", "libbar", "glibc", "libgcc",
                              "fedora-release"})
            for path in ("/usr/lib64/bar/libbar.so.2", "/usr/lib64/libfoo.so.1.2", "/usr/lib64/libfoo.so.1",
                         "/usr/share/served/more.txt", "/etc/served/served.conf", "/usr/lib/os-release"):
                self.assertIn(path, built)
            self.assertGreaterEqual(self.assert_as_rpm(built, given, self.fedora(), arch), 12)
            self.assert_selected_as_dnf(order, self.fedora(), arch, ["served", "served-common", "served-doc"])

    @unittest.skipUnless(os.geteuid() == 0, "an installation needs root")
    def test_is_what_dnf_installs(self):
        """dnf and librpm themselves, into an empty root, with the same key."""
        images, report = self.built()
        for arch, built in images.items():
            root = self.path("root-" + arch)
            subprocess.run(["dnf", "-y", "-q", "--installroot", root, "--forcearch", arch, "--releasever", "41",
                            "--setopt=tsflags=noscripts", "--setopt=install_weak_deps=False", "--setopt=reposdir=/none",
                            "--setopt=cachedir=" + self.path("dnf"), "--setopt=kit.gpgcheck=1",
                            "--setopt=kit.gpgkey=file://" + SHARED.ring.get("main").armoured,
                            f"--repofrompath=kit,{self.fedora()}/{arch}", "install", "served", "served-common",
                            "served-doc"],
                           check=True, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
            paths = [path for path, package in report.files("served", arch).items() if package]
            self.assertGreaterEqual(len(paths), 12)
            for path in paths:
                entry, place = built[path], root + path
                entry = built["/" + entry.target] if entry.kind == "hardlink" else entry
                self.assertEqual(os.path.islink(place), entry.kind == "link", path)
                if entry.kind == "link":
                    self.assertEqual(os.readlink(place), entry.target)
                    continue
                self.assertEqual(stat.S_IMODE(os.lstat(place).st_mode), entry.mode, path)
                with open(place, "rb") as stream:
                    self.assertEqual(stream.read(), entry.data, path)
                capability = os.getxattr(place, CAPABILITY) if CAPABILITY in os.listxattr(place) else None
                self.assertEqual(capability, entry.capability, path)

    def test_keeps_hard_links_together(self):
        for built in self.built()[0].values():
            pair = sorted(built[f"/usr/share/served/{name}.txt"].kind for name in ("words", "same"))
            self.assertEqual(pair, ["file", "hardlink"])

    def test_has_the_programs_capabilities(self):
        for built in self.built()[0].values():
            self.assertEqual(built[rpm_world.SERVED].capability, struct.pack("<5I", 0x02000001, 1 << 10, 0, 0, 0))

    def test_has_the_users_of_sysusers_and_owners_by_name(self):
        for built in self.built()[0].values():
            users, groups = self.accounts(built)
            self.assertEqual((users["served"], groups["served"]), (177, 177))
            conf = built["/etc/served/served.conf"]
            self.assertEqual((conf.mode, conf.uid, conf.gid), (0o640, 0, 177))
            self.assertIn(b"\nserved:x:177:177:Served:/var/lib/served:", b"\n" + built["/etc/passwd"].data)

    def test_leaves_documentation_out(self):
        for built in self.built()[0].values():
            self.assertEqual([path for path in built.paths("file") if "/doc/" in path or "/licenses/" in path], [])

    def test_tells_scanners_exactly_the_packages_that_gave_files(self):
        images, report = self.built()
        for arch, built in images.items():
            gave = {package["name"] for package in report.order("served", arch)["selection"] if package["gave_files"]}
            first = built["/var/lib/rpmmanifest/container-manifest-1"].data.decode().splitlines()
            second = built["/var/lib/rpmmanifest/container-manifest-2"].data.decode().splitlines()
            self.assertEqual({line.rsplit("-", 2)[0] for line in first}, gave)
            form = ("%{NAME}\t%{VERSION}-%{RELEASE}\t%{BUILDTIME}\t%{VENDOR}\t%{EPOCH}\t%{LONGSIZE}\t%{ARCH}\t"
                    "%{EPOCHNUM}\t%{SOURCERPM}")
            for line, name_line in zip(second, first):
                fields = line.split("\t")
                path = self.rpm_path(self.fedora(), arch, fields[0])
                wanted = subprocess.run(["rpm", "-qp", "--nosignature", "--qf", form, path], stdout=subprocess.PIPE,
                                        check=True).stdout.decode()
                self.assertEqual("\t".join(fields[:2] + fields[3:]), wanted)
                self.assertEqual(name_line + ".rpm", os.path.basename(path))

    def test_is_the_same_for_any_number_of_jobs_and_from_any_cache(self):
        first = self.build().digest()
        for arguments in (("--rebuild",), ("--cache-only", "--rebuild"), ("--jobs", "1", "--rebuild")):
            self.assertEqual(self.build("--arch", "all", *arguments, "served").digest(), first)
        self.factory.cache = self.path("fresh")
        self.assertEqual(self.build("--arch", "all", "--jobs", "8", "served").digest(), first)


class Economy(Build):
    def test_only_packages_that_can_matter_are_fetched(self):
        served = server.Server(self.fedora()).start()
        self.addCleanup(served.stop)
        self.use(self.source(self.fedora(), where=served.url))
        self.write_manifest("dhcpd", "binaries: [/usr/sbin/dhcpd]\npackages: {install: [served-common]}\n")
        images, report = self.built(name="dhcpd")
        self.assertEqual(sorted(images), sorted(ARCHES))
        selected = {package["name"] for arch in ARCHES for package in report.order("dhcpd", arch)["selection"]}
        asked = {name for name in selected if served.asked(f"/*/Packages/{name}-[0-9]*")}
        self.assertTrue({"glibc", "libgcc", "dhcp-server", "served-common", "fedora-release"} <= asked, asked)
        self.assertIn("bash", selected)  # for a script of glibc
        self.assertNotIn("bash", asked)


class OtherArchitectures(Build):
    """Fedora's layout elsewhere, big-endian and 32-bit too: ELF files written byte by byte."""

    MACHINES = (("s390x", "s390x", "/usr/lib/ld64.so.1", "lib64", True),
                ("ppc64le", "ppc64el", "/usr/lib64/ld64.so.2", "lib64", True),
                ("armv7", "armhf", "/usr/lib/ld-linux-armhf.so.3", "lib", False))

    def packages(self, deb_name, loader, libraries, is_64):
        machine = world.MACHINES[deb_name]
        arch = {"armhf": "armv7hl", "ppc64el": "ppc64le"}.get(deb_name, deb_name)
        mark = "()(64bit)" if is_64 else ""
        base = rpm_world.filesystem(arch)
        libc = rpm.Package("glibc", [
            rpm.program(loader, world.library(machine, os.path.basename(loader))),
            rpm.program(f"/usr/{libraries}/libc.so.6",
                        world.library(machine, "libc.so.6", [os.path.basename(loader)]))],
            arch=arch, autoreq=False, provides=["libc.so.6" + mark], requires=["filesystem"])
        foo = rpm.Package("libfoo", [rpm.program(f"/usr/{libraries}/libfoo.so.1",
                                                 world.library(machine, "libfoo.so.1", ["libc.so.6"]))],
                          arch=arch, autoreq=False, provides=["libfoo.so.1" + mark], requires=["libc.so.6" + mark])
        served = rpm.Package("served", [rpm.program(rpm_world.SERVED,
                                                    world.executable(machine, ["libfoo.so.1", "libc.so.6"]))],
                             arch=arch, autoreq=False, requires=["libfoo.so.1" + mark])
        return [base, rpm_world.setup(), rpm_world.release(), libc, foo, served]

    def test_in_one_index(self):
        made = [package for _, *machine in self.MACHINES for package in self.packages(*machine)]
        publish(self.path("others"), made, SHARED.ring.get("main"))
        self.use(self.source(self.path("others"), where="file://" + self.path("others"), variable="$arch"))
        names = [name for name, *_ in self.MACHINES]
        self.write_manifest(text=f"binaries: [/usr/sbin/served]\narchitectures: [{', '.join(names)}]\n")
        images = self.build().images["latest"]
        self.assertEqual(sorted(images), ["arm/v7", "ppc64le", "s390x"])
        for name, deb_name, loader, libraries, _ in self.MACHINES:
            built = images[{"armv7": "arm/v7"}.get(name, name)]
            self.assertEqual(built.resolve(world.MACHINES[deb_name].interp), loader)
            for library in ("libc.so.6", "libfoo.so.1"):
                self.assertIn(f"/usr/{libraries}/{library}", built)
            self.assertNotIn("/etc/ld.so.cache", built)


class BothWorlds(Build):
    def test_one_call_builds_from_a_deb_and_an_rpm_source(self):
        self.make_repository()
        self.write_source("deb.yaml")
        self.source(self.fedora(), "rpm.yaml")
        self.write_manifest("ours", "source: ../deb.yaml\n" + world.MANIFEST.replace("name: served", "name: ours", 1))
        self.write_manifest("theirs", "source: ../rpm.yaml\n" + SERVED.replace("name: served", "name: theirs"))
        self.factory.options = ["--manifests", self.path("manifests"), "--retries", "1"]
        result = self.run_factory("--arch", "all", "ours", "theirs")
        self.assertEqual(result.code, run.OK, result)
        lists = ["/var/lib/dpkg/status.d/served", "/var/lib/rpmmanifest/container-manifest-1"]
        for name, (there, not_there) in (("ours", lists), ("theirs", lists[::-1])):
            images = image.Layout(os.path.join(self.factory.output, name)).images["latest"]
            self.assertEqual(sorted(images), ["amd64", "arm64/v8"])
            for built in images.values():
                self.assertIn(there, built)
                self.assertNotIn(not_there, built)
                self.assertIn("/usr/sbin/served", built)


@unittest.skipUnless(os.geteuid() == 0, "chroot needs root")
class Loading(Build):
    """Programs with a real C library: they run."""

    def setUp(self):
        super().setUp()
        self.folder = SHARED.get("living", lambda: [package for arch in ARCHES
                                                    for package in rpm_world.living_packages(arch)])
        self.use_folder(self.folder)

    def run_inside(self, root, arch, program):
        """Its exit status and what it said, with the folder as its root."""
        emulator = []
        if os.uname().machine != arch:
            shutil.copy(emulators.find(arch), root + "/emulator")
            emulator = ["/emulator"]
        done = subprocess.run([shutil.which("chroot"), root, *emulator, program], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, env={}, check=False)
        return done.returncode, done.stdout.decode()

    def test_a_library_of_a_configured_directory_needs_a_cache_and_gets_one(self):
        need("ldconfig")
        emulators.need("aarch64")
        self.write_manifest("speaker", "binaries: [/usr/bin/speaker]\n")
        images, _ = self.built(name="speaker")
        for arch, built in images.items():
            self.assertIn("/etc/ld.so.cache", built)
            root = box.unpack(built, self.path("root-" + arch))
            self.assertEqual(self.run_inside(root, arch, "/usr/bin/speaker"),
                             (0, "hello from a configured directory\n"))
            listed = subprocess.run(["ldconfig", "-p", "-C", root + "/etc/ld.so.cache"], stdout=subprocess.PIPE,
                                    check=True).stdout.decode()
            self.assertRegex(listed, r"libgreet\.so\.1 \(.*\) => /usr/lib64/greet/libgreet\.so\.1\n")
            os.unlink(root + "/etc/ld.so.cache")
            code, text = self.run_inside(root, arch, "/usr/bin/speaker")
            self.assertIn("libgreet.so.1", text)  # so the cache was what made it run
            self.assertEqual(code, 127)
        self.assert_proven("speaker")

    def test_no_cache_where_no_library_needs_one(self):
        self.write_manifest("plain", "binaries: [/usr/bin/plain]\n")
        for arch, built in self.built(name="plain")[0].items():
            self.assertNotIn("/etc/ld.so.cache", built)
            root = box.unpack(built, self.path("root-" + arch))
            self.assertEqual(self.run_inside(root, arch, "/usr/bin/plain"), (0, "plain\n"))


if __name__ == "__main__":
    unittest.main()
