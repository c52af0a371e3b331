"""Images from signed RPM repositories, from the metadata to the layer, compared with rpm, rpm2cpio and dnf."""

import hashlib
import os
import shutil
import stat
import struct
import subprocess
import unittest

from base import Report, elf, image, need, rpm, run, server, world
from kit import box, rpm_world
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

    def use_folder(self, folder, **settings):
        self.use(self.source(folder, **settings))

    def assert_proven(self, name):
        """`imgfactory check` finds nothing missing in the layout."""
        done = subprocess.run([run.program(), "check", os.path.join(self.factory.output, name)], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
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
            self.assertEqual((order["package"], order["version"], order["release"]), ("dhcp-server", "4.4.3", "14.P1.fc41"))
            self.assertEqual(built.resolve("/usr/sbin/dhcpd"), path)
            self.assertEqual(given[path], "dhcp-server")
            loader = rpm_world.LOADERS[arch]
            self.assertEqual(built.resolve(loader), "/usr" + loader)
            self.assertEqual(built.resolve("/lib64/libc.so.6"), "/usr/lib64/libc.so.6")
            self.assertEqual(built["/var/lib/dhcpd/dhcpd.leases"].data, b"")
            self.assertEqual(built["/usr/lib/os-release"].data.decode(), rpm_world.OS_RELEASE)
            self.assertNotIn("/etc/ld.so.cache", built)
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
                             {"served", "served-common", "served-doc", "libfoo", "libbar", "glibc", "fedora-release"})
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
                            f"--repofrompath=kit,{self.fedora()}/{arch}", "install", "served", "served-common", "served-doc"],
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
            self.assertEqual((built["/etc/served/served.conf"].mode, built["/etc/served/served.conf"].gid), (0o640, 177))
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
            form = "%{NAME}\t%{VERSION}-%{RELEASE}\t%{BUILDTIME}\t%{VENDOR}\t%{EPOCH}\t%{SIZE}\t%{ARCH}\t%{EPOCHNUM}\t%{SOURCERPM}"
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


class SeveralRepositories(Build):
    """Release and updates, each with keys of its own."""

    def setUp(self):
        super().setUp()
        publish(self.path("release"), small(), SHARED.ring.get("main"))
        self.write_manifest("small", "binaries: [/usr/bin/small]\npackages: {install: [other]}\n")

    def source_of_both(self):
        lines = ["kind: rpm", "repositories:"]
        for name, key in (("release", "main"), ("updates", "other")):
            lines += [f"  - name: {name}", f"    baseurl: ./{name}/$basearch",
                      f"    gpgkey: {SHARED.ring.get(key).armoured}"]
        self.use(self.write("both.yaml", "\n".join(lines) + "\n"))

    def update(self, key):
        newer = small()[0]
        newer.version = "1.1"
        publish(self.path("updates"), [newer], SHARED.ring.get(key))
        self.source_of_both()

    def test_the_newest_of_all_counts(self):
        self.update("other")
        self.build("--arch", "x86_64", "--json", "small", name="small")
        report = Report(self.last.stdout)
        self.assertEqual(report.selection("small", "x86_64"), {"small": "1.1-1", "other": "1.0-1"})
        digests = report.digests("small", "x86_64")
        for name, folder in (("small", "updates"), ("other", "release")):
            with open(self.rpm_path(self.path(folder), "x86_64", name), "rb") as stream:
                self.assertEqual(hashlib.sha256(stream.read()).hexdigest(), digests[name])

    def test_the_key_of_one_does_not_vouch_for_packages_of_another(self):
        self.update("main")
        self.refuse(run.TRUST, "package small 1.1-1 x86_64: ", arguments=("--arch", "x86_64", "small"))


class OtherArchitectures(Build):
    """Fedora's layout elsewhere, big-endian and 32-bit too: ELF files written byte by byte."""

    MACHINES = (("s390x", "s390x", "/usr/lib/ld64.so.1", "lib64", True), ("ppc64le", "ppc64el", "/usr/lib64/ld64.so.2", "lib64", True),
                ("armv7", "armhf", "/usr/lib/ld-linux-armhf.so.3", "lib", False))

    def packages(self, deb_name, loader, libraries, is_64):
        machine = world.MACHINES[deb_name]
        arch = {"armhf": "armv7hl", "ppc64el": "ppc64le"}.get(deb_name, deb_name)
        mark = "()(64bit)" if is_64 else ""
        base = rpm_world.filesystem(arch)
        libc = rpm.Package("glibc", [
            rpm.program(loader, world.library(machine, os.path.basename(loader))),
            rpm.program(f"/usr/{libraries}/libc.so.6", world.library(machine, "libc.so.6", [os.path.basename(loader)]))],
            arch=arch, autoreq=False, provides=["libc.so.6" + mark], requires=["filesystem"])
        foo = rpm.Package("libfoo", [rpm.program(f"/usr/{libraries}/libfoo.so.1", world.library(machine, "libfoo.so.1",
                                                                                             ["libc.so.6"]))],
                          arch=arch, autoreq=False, provides=["libfoo.so.1" + mark], requires=["libc.so.6" + mark])
        served = rpm.Package("served", [rpm.program(rpm_world.SERVED, world.executable(machine, ["libfoo.so.1", "libc.so.6"]))],
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
        for name, there, not_there in (("ours", "/var/lib/dpkg/status.d/served", "/var/lib/rpmmanifest/container-manifest-1"),
                                       ("theirs", "/var/lib/rpmmanifest/container-manifest-1", "/var/lib/dpkg/status.d/served")):
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
        self.folder = SHARED.get("living", lambda: [package for arch in ARCHES for package in rpm_world.living_packages(arch)])
        self.use_folder(self.folder)

    def run_inside(self, root, arch, program):
        """Its exit status and what it said, with the folder as its root."""
        emulator = []
        if os.uname().machine != arch:
            shutil.copy(shutil.which(f"qemu-{arch}-static"), root + "/emulator")
            emulator = ["/emulator"]
        done = subprocess.run([shutil.which("chroot"), root, *emulator, program], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, env={}, check=False)
        return done.returncode, done.stdout.decode()

    def test_a_library_of_a_configured_directory_needs_a_cache_and_gets_one(self):
        need("qemu-aarch64-static", "ldconfig")
        self.write_manifest("speaker", "binaries: [/usr/bin/speaker]\n")
        images, _ = self.built(name="speaker")
        for arch, built in images.items():
            self.assertIn("/etc/ld.so.cache", built)
            root = box.unpack(built, self.path("root-" + arch))
            self.assertEqual(self.run_inside(root, arch, "/usr/bin/speaker"), (0, "hello from a configured directory\n"))
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


def small():
    """Packages that need nothing: `small`, and `other`, which is as big."""
    return [rpm.Package(name, [rpm.program(f"/usr/bin/{name}", elf.hello("amd64", f"{name}\n")),
                               rpm.File(f"/usr/share/{name}/text", name * 999)], arch="x86_64", payload="gzip")
            for name in ("small", "other")]


class Spoilt(Build):
    """Bad packages: refused with their names, and nothing is published."""

    def setUp(self):
        super().setUp()
        self.folder = self.copy(SHARED.get("small", small))
        self.use_folder(self.folder)
        self.write_manifest("small", "binaries: [/usr/bin/small]\n")

    def reject(self, code, *parts):
        """Refused with the package's name, also when it is asked for again."""
        for _ in range(2):
            self.refuse(code, "x86_64: package small 1.0-1 x86_64: ", *parts, arguments=("--arch", "x86_64", "small"))

    def trust_blindly(self):
        self.use_folder(self.folder, keys=(), trusted="true")

    def test_no_signature(self):
        publish(self.path("unsigned"), small(), None)
        self.use_folder(self.path("unsigned"))
        self.reject(run.TRUST, "it is not signed", "gpgcheck: false")

    def test_no_signature_is_fine_for_a_trusted_source_and_in_the_report(self):
        publish(self.path("unsigned"), small(), None)
        self.use_folder(self.path("unsigned"), keys=(), trusted="true")
        self.build("--arch", "x86_64", "--json", "small", name="small")
        source = Report(self.last.stdout).order("small", "x86_64")["source"]
        self.assertEqual(len(source["trusted"]), 1)
        self.assertIn("kit", source["trusted"][0])
        self.use_folder(self.folder)
        self.build("--arch", "x86_64", "--json", "--rebuild", "small", name="small")
        self.assertEqual(Report(self.last.stdout).order("small", "x86_64")["source"]["trusted"], [])

    def test_what_was_unpacked_without_keys_is_not_taken_for_signed(self):
        publish(self.path("unsigned"), small(), None)
        self.use_folder(self.path("unsigned"), keys=(), trusted="true")
        self.build("--arch", "x86_64", "small", name="small")
        shutil.rmtree(self.factory.output)
        self.use_folder(self.path("unsigned"))
        self.reject(run.TRUST, "it is not signed")

    def test_a_key_that_the_source_does_not_have(self):
        SHARED.ring.get("other")
        self.use_folder(self.folder, keys=("other",))
        key = subprocess.run(["gpg", "--homedir", SHARED.ring.get("main").home, "--list-keys", "--with-colons"],
                             stdout=subprocess.PIPE, check=True).stdout.decode().split("\npub:")[1].split(":")[3]
        self.reject(run.TRUST, key, "gpgkey")

    def test_one_of_several_keys_is_enough(self):
        self.use_folder(self.folder, keys=("other", "main"))
        self.build("--arch", "x86_64", "small", name="small")

    def test_another_byte_behind_the_back_of_the_index(self):
        self.spoil(self.folder, "x86_64", "small", lambda data: rpm.put(data, len(data) - 9, b"x"), is_listed=False)
        self.reject(run.TRUST, "expected sha256:")

    def test_another_byte_in_the_payload(self):
        self.spoil(self.folder, "x86_64", "small", lambda data: rpm.put(data, len(data) - 9, b"x"))
        self.reject(run.TRUST, "digest of its payload")
        self.trust_blindly()
        self.reject(run.TRUST, "digest of its payload")

    def test_another_byte_in_the_header(self):
        def change(data):
            at = data.index(b"small of the test kit", rpm.Parts(data).header[0])
            return rpm.put(data, at, b"S")
        self.spoil(self.folder, "x86_64", "small", change)
        self.reject(run.TRUST, "header differs")
        self.trust_blindly()
        self.reject(run.TRUST, "header differs")

    def test_another_byte_in_the_header_with_its_digests_made_true(self):
        def change(data):
            at = data.index(b"small of the test kit", rpm.Parts(data).header[0])
            return rpm.reseal(data, rpm.put(data, at, b"S"))
        self.spoil(self.folder, "x86_64", "small", change)
        self.reject(run.TRUST, "was changed after it was signed")

    def lie(self, make, *parts):
        """A header that lies, with true digests, in a package that nobody's keys are asked about; and the signature
        stands before all of it where they are."""
        self.spoil(self.folder, "x86_64", "small", lambda data: rpm.reseal(data, make(data, rpm.Parts(data))))
        self.reject(run.TRUST, "was changed after it was signed")
        self.trust_blindly()
        self.reject(run.MALFORMED, *parts)

    def test_a_tag_with_more_items_than_there_are_bytes(self):
        self.lie(lambda data, parts: rpm.put(data, parts.entry(data, 1118) + 12, struct.pack(">I", 0x7fffffff)), "tag 1118",
                 "count 2147483647")

    def test_a_tag_outside_of_the_header(self):
        self.lie(lambda data, parts: rpm.put(data, parts.entry(data, 1117) + 8, struct.pack(">I", 0x00ffffff)), "tag 1117",
                 "offset 16777215")

    def test_lists_of_files_of_different_lengths(self):
        self.lie(lambda data, parts: rpm.put(data, parts.entry(data, 1030) + 12, struct.pack(">I", 1)), "tag 1030",
                 "1 items for 2 files")

    def test_an_index_into_the_directories_that_is_too_big(self):
        def make(data, parts):
            offset = struct.unpack(">I", data[parts.entry(data, 1116) + 8:][:4])[0]
            count = struct.unpack(">I", data[parts.header[0] + 8:][:4])[0]
            return rpm.put(data, parts.header[0] + 16 + 16 * count + offset, struct.pack(">I", 99))
        self.lie(make, "file small of the header: its directory is not in the list of directories")

    def test_more_tags_than_bytes(self):
        def make(data, parts):
            return rpm.put(data, parts.header[0] + 8, struct.pack(">I", 0x0fffffff))
        self.spoil(self.folder, "x86_64", "small", lambda data: make(data, rpm.Parts(data)))
        self.reject(run.MALFORMED, "268435455 tags")

    def test_a_file_that_ends_in_the_middle(self):
        self.spoil(self.folder, "x86_64", "small", lambda data: data[:len(data) - 20])
        self.reject(run.MALFORMED, "its signature header says")

    def test_no_rpm_at_all(self):
        self.spoil(self.folder, "x86_64", "small", lambda data: b"<!DOCTYPE html>" + bytes(3000))
        self.reject(run.MALFORMED, "magic number")

    def test_another_package_than_the_index_says(self):
        with open(self.rpm_path(self.folder, "x86_64", "other"), "rb") as stream:
            other = stream.read()
        self.spoil(self.folder, "x86_64", "small", lambda data: other)
        self.reject(run.TRUST, "other")

    def test_a_size_that_is_a_lie(self):
        for size in (100, 999999):
            self.spoil(self.folder, "x86_64", "small", lambda data: data, size=size)
            self.reject(run.TRUST, f"expected {size} bytes")
            self.folder = self.copy(SHARED.get("small", small), f"copy{size}")
            self.use_folder(self.folder)

    def test_a_package_that_is_not_there(self):
        os.unlink(self.rpm_path(self.folder, "x86_64", "small"))
        served = server.Server(self.folder).start()
        self.addCleanup(served.stop)
        self.use(self.source(self.folder, where=served.url))
        self.reject(run.NETWORK, "404", "small-1.0-1.x86_64.rpm")

    def test_a_package_that_lists_less_than_it_needs(self):
        """AutoReqProv: no. The metadata cannot tell, but the program does."""
        hiding = [rpm.Package("hiding", [rpm.program("/usr/bin/hiding", rpm_world.binaries_of("x86_64").files["served"])],
                              arch="x86_64", autoreq=False, requires=["glibc"])]
        base = [package for package in rpm_world.packages() if package.arch in ("x86_64", "noarch")]
        publish(self.path("hidden"), base + hiding, SHARED.ring.get("main"))
        self.use_folder(self.path("hidden"))
        self.write_manifest("hiding", "binaries: [/usr/bin/hiding]\n")
        self.refuse(run.RESOLVE, "libfoo.so.1, needed by /usr/bin/hiding", "hiding", arguments=("--arch", "x86_64", "hiding"))
        self.write_manifest("hiding", "binaries: [/usr/bin/hiding]\npackages: {install: [libfoo]}\n")
        built = self.build("--arch", "x86_64", "hiding", name="hiding").images["latest"]["amd64"]
        self.assertIn("/usr/lib64/bar/libbar.so.2", built)


if __name__ == "__main__":
    unittest.main()
