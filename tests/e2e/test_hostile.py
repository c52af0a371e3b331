# SPDX-License-Identifier: Apache-2.0
"""Signed but hostile or broken packages: exit class 4, the package named, nothing left."""

import lzma
import os
import tarfile
import time
import unittest

from base import Case, deb, elf, run, world

M = world.MACHINES["amd64"]
HONEST = [("./usr/sbin/served", {"mode": 0o755, "data": world.executable(M, ["libc.so.6"])})]


def directories(*paths):
    return [(path, {"type": tarfile.DIRTYPE, "mode": 0o755}) for path in paths]


class HostileCase(Case):
    def serve(self, make):
        """A repository whose `served` for amd64 is make(package) → bytes of the .deb."""
        packages = [package for package in world.packages(("amd64",)) if not package.name.startswith("served-big")]
        package = next(p for p in packages if p.name == "served")
        package.raw = make(package)
        if self.server:
            self.repository.packages = packages
            self.repository.publish(self.key)
        else:
            self.make_repository(packages, architectures=("amd64",))
        self.use(self.write_source())
        self.write_manifest(text="name: served\nbinaries: [/usr/sbin/served]\n")

    def refuse_deb(self, make, *parts, codes=(run.MALFORMED,)):
        self.serve(make)
        begun = time.monotonic()
        result = self.run_factory("--arch", "x86_64", "served", timeout=120)
        self.assertIn(result.code, codes, result)
        for part in ("served",) + parts:
            self.assertIn(part, result.stderr, result)
        self.assert_nothing_left(result)
        self.assertLess(time.monotonic() - begun, 60)
        return result

    def refuse_entries(self, entries, *parts, **settings):
        return self.refuse_deb(lambda package: deb.hand_made(package, deb.tar(entries)), *parts, **settings)


class HostilePackage(HostileCase):
    def test_an_honest_hand_made_package_is_fine(self):
        """Without this the refusals below would prove nothing."""
        for compression in ("", "gz", "xz"):
            self.serve(lambda package: deb.hand_made(package, deb.tar(HONEST), compression=compression))
            self.assertIn(world.SERVED, self.build("--arch", "x86_64", "served").images["latest"]["amd64"])

    def test_not_an_archive_at_all(self):
        self.refuse_deb(lambda package: b"hello")
        self.refuse_deb(lambda package: b"")
        self.refuse_deb(lambda package: b"!<arch>\n")

    def test_members_missing_twice_or_out_of_order(self):
        for change in (lambda m: m[1:], lambda m: m[:1] + m[2:], lambda m: m[:2], lambda m: [m[0], m[2], m[1]],
                       lambda m: m + [m[2]], lambda m: m[:2] + [m[1]] + m[2:]):
            self.refuse_deb(lambda package: deb.hand_made(package, deb.tar(HONEST), members=change))

    def test_a_format_version_from_the_future(self):
        self.refuse_deb(lambda package: deb.hand_made(
            package, deb.tar(HONEST), members=lambda m: [("debian-binary", b"3.0\n")] + m[1:]))

    def test_member_sizes_that_lie(self):
        for size in ("9999999999", "-1", "12x", "", "1"):
            self.refuse_deb(lambda package: deb.hand_made(
                package, deb.tar(HONEST), members=lambda m: m[:2] + [deb.ar_member(*m[2], size=size)]))

    def test_a_compressed_member_that_is_cut(self):
        for compression in ("gz", "xz"):
            self.refuse_deb(lambda package: deb.hand_made(
                package, deb.tar(HONEST), compression=compression,
                members=lambda m: m[:2] + [(m[2][0], m[2][1][:-20])]))

    def test_a_tar_that_is_cut(self):
        self.refuse_deb(lambda package: deb.hand_made(package, deb.tar(HONEST)[:700]))

    def test_tar_sizes_that_lie(self):
        for size in (b"77777777777\0", b"\x80" + bytes(3) + b"\x7f" + b"\xff" * 7, b"\xff" * 12, b"not octal!!\0"):
            self.refuse_deb(lambda package: deb.hand_made(
                package, deb.raw_tar_header("./usr/sbin/served", size, mode=0o755) + b"x" * 512 + bytes(1024)))

    def test_a_tar_header_with_a_wrong_checksum(self):
        def make(package):
            data = bytearray(deb.tar(HONEST))
            data[0:2] = b"/x"
            return deb.hand_made(package, bytes(data))
        self.refuse_deb(make)

    def test_paths_that_climb(self):
        for path in ("../evil", "./usr/../../evil", "usr/.."):
            self.refuse_entries(HONEST + [(path, {"data": b"x"})], "..")

    def test_an_absolute_path_is_a_path_below_the_root(self):
        self.serve(lambda package: deb.hand_made(package, deb.tar(
            [("/usr/sbin/served", HONEST[0][1]), ("/tmp/imgfactory-kit-evil", {"data": b"x"})])))
        self.build("--arch", "x86_64", "served")
        self.assertFalse(os.path.lexists("/tmp/imgfactory-kit-evil"))

    def test_hard_links_to_the_outside_or_to_nothing(self):
        for target in ("../../etc/passwd", "/etc/passwd", "./usr/none", "./usr/sbin/again"):
            self.refuse_entries(HONEST + [("./usr/sbin/again", {"type": tarfile.LNKTYPE, "linkname": target})])

    def test_a_file_written_through_a_symlink_stays_inside(self):
        evil = self.path("evil")
        entries = directories("./usr", "./usr/lib") + HONEST + [
            ("./usr/lib/out", {"type": tarfile.SYMTYPE, "linkname": self.top}),
            ("./usr/lib/out/evil", {"data": b"x"})]
        self.serve(lambda package: deb.hand_made(package, deb.tar(entries)))
        result = self.run_factory("--arch", "x86_64", "--tree", self.path("tree"), "served")
        self.assertIn(result.code, (run.OK, run.MALFORMED, run.RESOLVE), result)
        self.assertFalse(os.path.lexists(evil))

    def test_a_symlink_with_any_target_is_data(self):
        entries = HONEST + [("./etc/far", {"type": tarfile.SYMTYPE, "linkname": "../../../../../etc/passwd"})]
        self.serve(lambda package: deb.hand_made(package, deb.tar(entries)))
        self.build("--arch", "x86_64", "served")

    def test_a_symlink_in_a_circle(self):
        entries = [("./usr/sbin/served", {"type": tarfile.SYMTYPE, "linkname": "other"}),
                   ("./usr/sbin/other", {"type": tarfile.SYMTYPE, "linkname": "served"})]
        self.refuse_entries(entries, codes=(run.MALFORMED, run.RESOLVE))

    def test_device_nodes_and_fifos(self):
        for kind in (tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE):
            self.refuse_entries(HONEST + [("./dev/null", {"type": kind, "devmajor": 1, "devminor": 3})], "/dev/null")

    def test_whiteouts(self):
        self.refuse_entries(HONEST + [("./usr/.wh.lib", {"data": b""})], ".wh.lib")

    def test_the_same_file_twice(self):
        self.refuse_entries(HONEST + [("./usr/sbin/served", {"data": b"other"})])

    def test_the_same_file_twice_by_merged_usr(self):
        self.refuse_entries(HONEST + [("./sbin/served", {"data": b"other"})])

    def test_a_name_that_is_too_long(self):
        self.refuse_entries(HONEST + [("./" + "x" * 300, {"data": b""})])
        self.refuse_entries(HONEST + [("./" + "d/" * 300 + "x", {"data": b""})])

    def test_odd_names_do_no_harm(self):
        entries = HONEST + [("./usr/share/" + name, {"data": b"x"}) for name in ("a b", "new\nline", "\x1b[31mred", "ä€")]
        self.serve(lambda package: deb.hand_made(package, deb.tar(entries)))
        self.build("--arch", "x86_64", "served")
        self.assertNotIn("\x1b[31mred", self.last.stdout + self.last.stderr)

    def test_a_decompression_bomb(self):
        """4 GiB of zeros in some KiB: refused, and the disk and the memory stay small."""
        def make(package):
            size = 4 << 30
            parts = [lzma.compress(deb.raw_tar_header("./usr/sbin/served", size, mode=0o755)), deb.zeros_xz(size >> 20),
                     lzma.compress(bytes(1024))]
            return deb.hand_made(package, b"", members=lambda m: m[:2] + [("data.tar.xz", b"".join(parts))])
        self.refuse_deb(make)
        used = sum(os.lstat(os.path.join(folder, name)).st_blocks * 512
                   for folder, _, names in os.walk(self.factory.cache) for name in names)
        self.assertLess(used, 64 << 20)

    def test_two_control_files_or_none(self):
        def twice(package):
            text = package.control().encode()
            control = deb.compress("gz", deb.tar([("./control", {"data": text}), ("./control", {"data": text})]))
            return deb.hand_made(package, deb.tar(HONEST), members=lambda m: [m[0], (m[1][0], control), m[2]])

        def none(package):
            control = deb.compress("gz", deb.tar([("./md5sums", {"data": b""})]))
            return deb.hand_made(package, deb.tar(HONEST), members=lambda m: [m[0], (m[1][0], control), m[2]])
        self.refuse_deb(twice)
        self.refuse_deb(none)

    def test_a_control_file_of_another_package(self):
        self.refuse_deb(lambda package: deb.hand_made(
            package, deb.tar(HONEST), control=package.control().replace("Package: served", "Package: evil")),
            "evil", codes=(run.TRUST,))


class HostileElf(HostileCase):
    def refuse_elf(self, data, *parts, codes=(run.MALFORMED,)):
        self.refuse_entries([("./usr/sbin/served", {"mode": 0o755, "data": data})], "/usr/sbin/served", *parts,
                            codes=codes)

    def test_bad_offsets(self):
        for lies in ({"phoff": 1 << 62}, {"phoff": 1 << 20}, {"phnum": 0xfffe}, {"dynamic_offset": 1 << 40},
                     {"dynamic_size": 1 << 40}, {"strtab": 1 << 50}, {"strsz": 1 << 40}, {"needed_at": 1 << 30},
                     {"interp_size": 1 << 40}):
            with self.subTest(lies):
                self.refuse_elf(world.executable(M, ["libc.so.6"], lies=lies))

    def test_a_header_that_is_cut(self):
        self.refuse_elf(world.executable(M, ["libc.so.6"])[:50])

    def test_the_code_of_another_machine(self):
        self.refuse_elf(world.executable(world.MACHINES["arm64"], ["libc.so.6"]), "AArch64",
                        codes=(run.MALFORMED,))
        self.refuse_elf(elf.write(elf.EM["386"], bits=32, interp="/lib/ld-linux.so.2", needed=["libc.so.6"]))

    def test_a_library_of_another_machine_is_passed_over_and_so_missing(self):
        foreign = world.library(world.MACHINES["s390x"], "libodd.so.1")
        entries = [("./usr/sbin/served", {"mode": 0o755, "data": world.executable(M, ["libodd.so.1", "libc.so.6"])}),
                   ("." + M.lib("libodd.so.1"), {"data": foreign})]
        self.refuse_entries(entries, "libodd.so.1", codes=(run.RESOLVE,))


if __name__ == "__main__":
    unittest.main()
