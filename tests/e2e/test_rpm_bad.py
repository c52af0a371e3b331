# SPDX-License-Identifier: Apache-2.0
"""Bad .rpm packages, each refused with its name and its class, and nothing is published; keys and repositories."""

import hashlib
import os
import shutil
import struct
import subprocess
import unittest

from base import Report, elf, rpm, run, server
from kit import rpm_world
from kit.rpm_case import BuildCase, Shared, publish

SHARED = Shared()


def tearDownModule():
    SHARED.close()


class Build(BuildCase):
    shared = SHARED


def small(number=None):
    """Packages that need nothing: `small`, and `other`, which is as big; of a package format or of rpm's own."""
    return [rpm.Package(name, [rpm.program(f"/usr/bin/{name}", elf.hello("amd64", f"{name}\n")),
                               rpm.File(f"/usr/share/{name}/text", name * 999)], arch="x86_64", payload="gzip", format=number)
            for name in ("small", "other")]


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


class Spoilt(Build):
    """Bad packages: refused with their names, and nothing is published."""

    format = None

    def setUp(self):
        super().setUp()
        self.folder = self.copy(self.good_folder())
        self.use_folder(self.folder)
        self.write_manifest("small", "binaries: [/usr/bin/small]\n")

    def good_folder(self):
        return SHARED.get(f"small-{self.format}", lambda: small(self.format))

    def reject(self, code, *parts):
        """Refused with the package's name, also when it is asked for again."""
        for _ in range(2):
            self.refuse(code, "x86_64: package small 1.0-1 x86_64: ", *parts, arguments=("--arch", "x86_64", "small"))

    def trust_blindly(self):
        self.use_folder(self.folder, keys=(), trusted="true")

    def test_no_signature(self):
        publish(self.path("unsigned"), small(self.format), None)
        self.use_folder(self.path("unsigned"))
        self.reject(run.TRUST, "it is not signed", "gpgcheck: false")

    def test_no_signature_is_fine_for_a_trusted_source_and_in_the_report(self):
        publish(self.path("unsigned"), small(self.format), None)
        self.use_folder(self.path("unsigned"), keys=(), trusted="true")
        self.build("--arch", "x86_64", "--json", "small", name="small")
        source = Report(self.last.stdout).order("small", "x86_64")["source"]
        self.assertEqual(len(source["trusted"]), 1)
        self.assertIn("kit", source["trusted"][0])
        self.use_folder(self.folder)
        self.build("--arch", "x86_64", "--json", "--rebuild", "small", name="small")
        self.assertEqual(Report(self.last.stdout).order("small", "x86_64")["source"]["trusted"], [])

    def test_what_was_unpacked_without_keys_is_not_taken_for_signed(self):
        publish(self.path("unsigned"), small(self.format), None)
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
        self.lie(lambda data, parts: rpm.put(data, parts.entry(data, 1118) + 12, struct.pack(">I", 0x7fffffff)),
                 "tag 1118", "count 2147483647")

    def test_a_tag_outside_of_the_header(self):
        self.lie(lambda data, parts: rpm.put(data, parts.entry(data, 1117) + 8, struct.pack(">I", 0x00ffffff)),
                 "tag 1117", "offset 16777215")

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
        self.reject(run.MALFORMED, "header says")

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
            self.folder = self.copy(self.good_folder(), f"copy{size}")
            self.use_folder(self.folder)

    def test_a_package_that_is_not_there(self):
        os.unlink(self.rpm_path(self.folder, "x86_64", "small"))
        served = server.Server(self.folder).start()
        self.addCleanup(served.stop)
        self.use(self.source(self.folder, where=served.url))
        self.reject(run.NETWORK, "404", "small-1.0-1.x86_64.rpm")

    def test_a_package_that_lists_less_than_it_needs(self):
        """AutoReqProv: no. The metadata cannot tell, but the program does."""
        program = rpm_world.binaries_of("x86_64").files["served"]
        hiding = [rpm.Package("hiding", [rpm.program("/usr/bin/hiding", program)],
                              arch="x86_64", autoreq=False, requires=["glibc"])]
        base = [package for package in rpm_world.packages() if package.arch in ("x86_64", "noarch")]
        publish(self.path("hidden"), base + hiding, SHARED.ring.get("main"))
        self.use_folder(self.path("hidden"))
        self.write_manifest("hiding", "binaries: [/usr/bin/hiding]\n")
        self.refuse(run.RESOLVE, "libfoo.so.1, needed by /usr/bin/hiding",
                    arguments=("--arch", "x86_64", "hiding"))
        self.write_manifest("hiding", "binaries: [/usr/bin/hiding]\npackages: {install: [libfoo]}\n")
        built = self.build("--arch", "x86_64", "hiding", name="hiding").images["latest"]["amd64"]
        self.assertIn("/usr/lib64/bar/libbar.so.2", built)


@unittest.skipIf(len(rpm.formats()) == 1, "this rpm makes packages of format 4 only, which the tests above are about")
class SpoiltOfFormat4(Spoilt):
    """The same with the format that rpm 6 makes only when it is told to."""

    format = 4


class SeveralSignatures(Build):
    def test_one_that_counts_is_enough(self):
        """rpm 6 adds signatures, rpm 4 replaces them."""
        publish(self.path("twice"), small(), SHARED.ring.get("other"), edit_rpm=self.sign_again)
        for keys in (("main",), ("other",), ("other", "main")):
            self.use_folder(self.path("twice"), keys=keys)
            self.write_manifest("small", "binaries: [/usr/bin/small]\n")
            if keys == ("other",) and len(rpm.formats()) == 1:
                continue
            self.build("--arch", "x86_64", "--rebuild", "small", name="small")

    def sign_again(self, _package, data):
        path = self.write("again.rpm", data)
        rpm.sign(path, SHARED.ring.get("main"))
        with open(path, "rb") as stream:
            return stream.read()


if __name__ == "__main__":
    unittest.main()
