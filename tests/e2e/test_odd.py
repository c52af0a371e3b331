# SPDX-License-Identifier: Apache-2.0
"""Signed indices and packages of odd or hostile shape: what is refused names its place, what distributions do is taken."""

import shutil
import subprocess
import tarfile
import unittest

from base import Case, deb, repo, run, world

M = world.MACHINES["amd64"]
EXECUTABLE = world.executable(M, ["libc.so.6"])
HONEST = [("./usr/sbin/served", {"mode": 0o755, "data": EXECUTABLE})]
END = bytes(1024)
MEMORY_MAX_BYTES = 300 << 20


def file_block(path, data, mode=0o755, kind=b"0", linkname=b""):
    """A header and its data, padded."""
    return deb.raw_tar_header(path, len(data), kind=kind, mode=mode, linkname=linkname) + data + bytes(-len(data) % 512)


def pax(record, kind=b"x"):
    size = len(record) + 3
    while len(str(size)) + 1 + len(record) + 1 != size:
        size = len(str(size)) + 1 + len(record) + 1
    return file_block("./PaxHeaders/x", b"%d %s\n" % (size, record), kind=kind)


def link(path, target, kind=tarfile.SYMTYPE):
    return (path, {"type": kind, "linkname": target})


def script(path, line):
    return (path, {"mode": 0o755, "data": line})


class OddCase(Case):
    def serve(self, make=None, **settings):
        """A repository of one architecture; `make`(package) gives the bytes of `served`. Nothing is left
        of what an earlier one gave, so that one failure is one."""
        shutil.rmtree(self.factory.output, ignore_errors=True)
        packages = [package for package in world.packages(("amd64",)) if package.name != "served-big"]
        if make:
            package = next(package for package in packages if package.name == "served")
            package.raw = make(package)
        if self.server:
            self.repository.packages = packages
            self.repository.publish(self.key, **settings)
        else:
            self.make_repository(packages, architectures=("amd64",), **settings)
        self.use(self.write_source())
        self.write_manifest(text="name: served\nbinaries: [/usr/sbin/served]\n")

    def refused(self, code, *parts):
        self.refuse(code, *parts, arguments=("--arch", "x86_64", "served"))

    def built(self):
        return self.build("--arch", "x86_64", "--rebuild", "served").images["latest"]["amd64"]

    def run_measured(self, *arguments, seconds=60):
        """Like run_factory, with the peak of its memory in bytes as second result."""
        code = ("import resource, subprocess, sys\n"
                "code = subprocess.run(sys.argv[1:]).returncode\n"
                "print('peak', resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)\n"
                "sys.exit(code)\n")
        command = self.factory.command("--quiet", *arguments)
        done = subprocess.run(["python3", "-c", code, *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, env=self.factory.environment(), timeout=seconds, check=False)
        out = done.stdout.decode()
        return (run.Result(command, done.returncode, out, done.stderr.decode(errors="replace")),
                int(out.rsplit("peak ", 1)[1]))


class Stanzas(OddCase):
    def edited(self, name, change):
        self.serve(edit_stanza=lambda package, stanza: change(stanza) if package.name == name else stanza)

    @staticmethod
    def field(name, value):
        """Replaces one field of a stanza."""
        return lambda stanza: "".join(f"{name}: {value}\n" if line.startswith(name + ":") else line
                                      for line in stanza.splitlines(True))

    def test_that_are_refused(self):
        cases = [
            (run.MALFORMED, "Filename", self.field("Filename", "../../../../etc/passwd")),
            (run.MALFORMED, "Filename", self.field("Filename", "file:///etc/passwd")),
            (run.MALFORMED, "Filename", self.field("Filename", "http://127.0.0.1:1/x")),
            (run.MALFORMED, "Filename", self.field("Filename", "pool/\x01x")),
            (run.MALFORMED, "Size", self.field("Size", "-1")),
            (run.MALFORMED, "Size", self.field("Size", "9" * 30)),
            (run.MALFORMED, "more than the limit", self.field("Size", str(5 << 30))),
            (run.TRUST, "expected 7 bytes", self.field("Size", "7")),
            (run.MALFORMED, "SHA256", self.field("SHA256", "abcd")),
            (run.MALFORMED, "not a version", self.field("Version", "a b;c")),
            (run.MALFORMED, "Depends", self.field("Depends", "((((, |||, foo (>>>> 1)")),
            (run.MALFORMED, "more than 10000 names", self.field("Depends", ", ".join(["libc6"] * 10001))),
            (run.RESOLVE, "served", self.field("Architecture", "s390x")),
            (run.MALFORMED, "without Package", lambda stanza: stanza.replace("Package:", "Pakcage:")),
            (run.MALFORMED, "has already", lambda stanza: stanza + "Size: 1\n"),
            (run.MALFORMED, "not a field", lambda stanza: stanza + "garbage\n"),
            (run.MALFORMED, "NUL", lambda stanza: stanza + "X: a\0b\n"),
        ]
        for code, word, change in cases:
            with self.subTest(word):
                self.edited("served", change)
                self.refused(code, "Packages" if code == run.MALFORMED and "limit" not in word else "served", word)

    def test_an_odd_filename_is_one_below_the_repository_as_it_is_written(self):
        for written, asked in (("/etc/passwd", "//etc/passwd: "), ("pool/%2e%2e/x?y#z", "/pool/%252e%252e/x%3Fy%23z: ")):
            self.edited("served", self.field("Filename", written))
            self.refused(run.NETWORK, "package served ", asked + "HTTP status 404")

    def test_that_are_taken(self):
        loop = ", ".join(f"nothing{number} | libfoo1" for number in range(4500))
        for change in (self.field("Depends", f"libc6, {loop}"), self.field("Depends", "served, libfoo1"),
                       lambda stanza: stanza + "SHA512: " + "0" * 128 + "\n",
                       lambda stanza: stanza + "Multi-Arch: yes-please\nEssential: yes\n",
                       lambda stanza: stanza + "Provides: " + ", ".join(f"v{n} (= {n})" for n in range(9000)) + "\n"):
            self.edited("served", change)
            self.assertIn(world.SERVED, self.built())
        self.edited("libfoo1", lambda stanza: stanza + "Pre-Depends: served\n")
        self.assertIn(world.SERVED, self.built())


class Bombs(OddCase):
    def list_instead(self, ending, data, plain_size=None):
        """Replaces the Packages of amd64 in a repository that is signed anew."""
        self.serve(endings=(".gz",))
        name = "main/binary-amd64/Packages"
        text = self.repository.read(self.repository.dists("InRelease")).decode()
        body = text.split("\n\n", 1)[1].split("-----BEGIN PGP SIGNATURE")[0]
        lines = [line for line in body.splitlines(True) if "binary-amd64/Packages" not in line]
        lines.append(f" {repo.sha256(data)} {len(data)} {name}{ending}\n")
        if plain_size is not None:
            lines.append(f" {'0' * 64} {plain_size} {name}\n")
        self.repository.write(self.repository.dists(name + ending), data)
        self.repository.write(self.repository.dists("InRelease"), self.key.clearsign("".join(lines).encode()))

    def refused_small(self, word):
        result, peak_bytes = self.run_measured("--arch", "x86_64", "served")
        self.assertEqual(result.code, run.MALFORMED, result)
        self.assertIn(word, result.stderr)
        self.assert_nothing_left(result)
        if not run.sanitizer():
            self.assertLess(peak_bytes, MEMORY_MAX_BYTES, result)

    def test_in_an_index(self):
        gz = deb.zeros_gz(2000)
        for ending, data, plain in ((".gz", gz, None), (".gz", gz, 1 << 30), (".gz", gz, 100 << 20),
                                    (".xz", deb.zeros_xz(1008), None)):
            self.list_instead(ending, data, plain)
            self.refused_small("Packages")

    def test_in_a_control_member(self):
        bomb = deb.zeros_gz(2000)
        self.serve(lambda package: deb.hand_made(
            package, b"", members=lambda m: [m[0], ("control.tar.gz", bomb), m[2]]))
        self.refused_small("control.tar")
        self.serve(lambda package: deb.hand_made(
            package, deb.tar(HONEST), control=package.control() + "X: " + "y" * (100 << 20) + "\n"))
        self.refused_small("control.tar")

    def test_with_a_zstd_window_of_2_gib(self):
        packed = subprocess.run(["zstd", "--ultra", "-22", "--long=31", "-c"], input=deb.tar(HONEST) + bytes(10 << 20),
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout
        self.serve(lambda package: deb.hand_made(package, b"", members=lambda m: m[:2] + [("data.tar.zst", packed)]))
        self.refused_small("memory")

    def test_packed_twice_or_under_a_wrong_name(self):
        twice = deb.compress("gz", deb.compress("gz", deb.tar(HONEST)))
        for data, why in ((twice, "compressed more than once"),
                          (deb.compress("xz", deb.tar(HONEST)), "not compressed as its name says")):
            self.serve(lambda package: deb.hand_made(package, b"", members=lambda m: m[:2] + [("data.tar.gz", data)]))
            self.refused_small(why)

    def test_packed_three_times_around_a_gzip_header_whose_file_name_never_ends(self):
        bomb = deb.nested_gzip_header(1 << 30)
        for name in ("data.tar.gz", "control.tar.gz"):
            self.serve(lambda package: deb.hand_made(package, deb.tar(HONEST), members=lambda m: [
                (name, bomb) if member[0].startswith(name[:-3]) else member for member in m]))
            self.refused_small("compressed more than once")


class Tar(OddCase):
    def test_headers_that_are_refused(self):
        served = file_block("./usr/sbin/served", EXECUTABLE)
        name = file_block("././@LongLink", b"./usr/abc\0", kind=b"L")
        cases = {
            "pax path": pax(b"path=../../etc/evil") + served, "pax size": pax(b"size=5") + served,
            "pax global": pax(b"path=/x", b"g") + served, "pax xattr": pax(b"SCHILY.xattr.user.x=1") + served,
            "pax, then long name": pax(b"mtime=1") + name + served, "long name, then pax": name + pax(b"path=x") + served,
            "long name of 2 MiB": file_block("././@LongLink", b"a" * (2 << 20), kind=b"L") + served,
            "empty long name": file_block("././@LongLink", b"", kind=b"L") + served, "long name at the end": served + name,
            "sparse": file_block("./x", b"", kind=b"S") + served, "label": file_block("label", b"", kind=b"V") + served,
            "continued": file_block("./m", b"", kind=b"M") + served, "unknown": file_block("./m", b"", kind=b"A") + served,
            "a lone zero block": served + bytes(512) + file_block("./usr/hidden", b"x"),
            "a file with a slash": file_block("./usr/foo/", b"data") + served, "no name": file_block("", b"x") + served,
            "the root as file": file_block(".", b"x") + served,
            "the root as link": file_block("./", b"", kind=b"2", linkname=b"usr") + served,
        }
        for what, data in cases.items():
            with self.subTest(what):
                self.serve(lambda package: deb.hand_made(package, data + END))
                self.refused(run.MALFORMED, "served", "data.tar" if "root" not in what else "root")
        for data in (served, served + END + b"junk" * 128):
            self.serve(lambda package: deb.hand_made(package, data))
            self.refused(run.MALFORMED, "served", "data.tar")

    def test_entries_that_are_refused(self):
        hard = tarfile.LNKTYPE
        folder = ("./usr/d", {"type": tarfile.DIRTYPE, "mode": 0o755})
        cases = [
            [*HONEST, link("./usr/a", "./usr/a", hard)], [folder, *HONEST, link("./usr/a", "./usr/d", hard)],
            [*HONEST, link("./usr/s", "sbin/served"), link("./usr/a", "./usr/s", hard)],
            [link("./usr/a", "./usr/sbin/served", hard), *HONEST],
            [*HONEST, ("./usr/.wh..wh..opq", {})], [*HONEST, ("./.wh.x", {})],
            [*HONEST, ("./usr/.wh.d", {"type": tarfile.DIRTYPE})],
            [*HONEST, ("./usr/" + "n" * 256, {})], [*HONEST, ("./usr/" + "/".join(["d" * 250] * 17), {})],
            [*HONEST, ("./usr/" + "d/" * 255 + "f", {})],
            [folder, ("./usr/d", {"data": b"1"}), *HONEST], [("./usr/d", {"data": b"1"}), folder, *HONEST],
            [("./usr/x", {"data": b"1"}), ("./usr/x/y", {"data": b"1"}), *HONEST], [link("./bin", "etc"), *HONEST],
        ]
        for entries in cases:
            with self.subTest(entries=[path for path, _ in entries]):
                self.serve(lambda package: deb.hand_made(package, deb.tar(entries)))
                self.refused(run.MALFORMED, "package served", "entry ")

    def test_entries_that_are_taken(self):
        hard = tarfile.LNKTYPE
        cases = [
            [*HONEST, link("./usr/sbin/again", "./usr/sbin/served", hard)], [*HONEST, *HONEST],
            [("./usr/lib/real", HONEST[0][1]), link("./usr/sbin/served", "./usr/lib/real", hard)],
            [*HONEST, ("./usr/.WH.x", {})], [*HONEST, ("./usr/" + "n" * 255, {})], [link("./bin", "usr/bin"), *HONEST],
            [*HONEST, ("./usr/share/x", {"data": b"1"}), ("./usr/share/X", {"data": b"2"})],
            [*HONEST, ("./usr/" + "d/" * 254 + "f", {})],
            [*HONEST, ("./usr/" + "/".join(["d" * 250] * 16)[:4085], {})],
            [link("./usr/sbin/served", "/../../../usr/lib/real"), ("./usr/lib/real", HONEST[0][1])],
        ]
        for entries in cases:
            with self.subTest(entries=[path for path, _ in entries]):
                self.serve(lambda package: deb.hand_made(package, deb.tar(entries)))
                self.assertIn(world.SERVED, self.built())


class Programs(OddCase):
    def start(self, *entries):
        self.serve(lambda package: deb.hand_made(package, deb.tar(entries)))

    def test_a_binary_that_could_not_be_started(self):
        for word, settings in (("not a regular file", {"type": tarfile.DIRTYPE, "mode": 0o755}),
                               ("not executable", {"mode": 0o644, "data": EXECUTABLE}),
                               ("neither an ELF file nor a script", {"mode": 0o755, "data": b""}),
                               ("neither an ELF file nor a script", {"mode": 0o755, "data": b"hello\n"}),
                               ("neither an ELF file nor a script", {"mode": 0o755, "data": b"#!\n"})):
            with self.subTest(settings):
                self.start(("./usr/sbin/served", settings))
                self.refused(run.RESOLVE, world.SERVED, "package served", word)

    def test_scripts_that_interpret_each_other(self):
        chain = [script(f"./usr/sbin/s{n}", b"#!/usr/sbin/s%d\n" % (n + 1)) for n in range(1, 7)]
        for entries in ([script("./usr/sbin/served", b"#!/usr/sbin/served\n")],
                        [script("./usr/sbin/served", b"#!/usr/sbin/b\n"), script("./usr/sbin/b", b"#!/usr/sbin/served\n")],
                        [script("./usr/sbin/served", b"#!/usr/sbin/s1\n"), *chain, script("./usr/sbin/s7", EXECUTABLE)]):
            self.start(*entries)
            self.refused(run.MALFORMED, "package served", "scripts interpret each other")

    def test_interpreters_that_are_not_there(self):
        for line, word in ((b"#!/usr/bin/perl -w\n", "/usr/bin/perl"), (b"#!bin/sh\n", "bin/sh"),
                           (b"#!/" + b"x" * 300 + b"\n", "/xxx"), (b"#!/usr/bin/env nothing\n", "/usr/bin/env")):
            with self.subTest(line):
                self.start(script("./usr/sbin/served", line))
                self.refused(run.RESOLVE, world.SERVED, word)

    def test_a_carriage_return_behind_the_interpreter(self):
        self.start(script("./usr/sbin/served", b"#!/usr/sbin/real\r\n"), script("./usr/sbin/real", EXECUTABLE))
        self.refused(run.MALFORMED, world.SERVED, "carriage return")

    def test_libraries_that_are_none(self):
        library = "." + M.lib("libodd.so.1")
        program = script("./usr/sbin/served", world.executable(M, ["libodd.so.1"]))
        for code, data in ((run.MALFORMED, b"INPUT(libx)"), (run.MALFORMED, world.library(M, "libodd.so.1")[:70]),
                           (run.RESOLVE, b"\x7fELF\x02\x01\x01" + b"\xff" * 500),
                           (run.MALFORMED, world.library(M, "libodd.so.1", ["x"], lies={"needed_at": 1 << 40}))):
            self.start(program, (library, {"data": data}))
            self.refused(code, "libodd.so.1", world.SERVED)

    def test_odd_search_paths_and_cycles(self):
        self.start(script("./usr/sbin/served", world.executable(
            M, ["liba.so"], runpath="::$ORIGIN/../../../..:${LIB}:rel:$FOO:$ORIGIN$ORIGIN")),
                   ("." + M.lib("liba.so"), {"data": world.library(M, "liba.so", ["libb.so"])}),
                   ("." + M.lib("libb.so"), {"data": world.library(M, "libb.so", ["liba.so", "libc.so.6"])}))
        built = self.built()
        for name in ("liba.so", "libb.so"):
            self.assertIn(M.lib(name), built)


class Memory(OddCase):
    def test_of_a_package_with_very_many_entries(self):
        entries = HONEST + [(f"./usr/share/{number}", {}) for number in range(100000)]
        self.serve(lambda package: deb.hand_made(package, deb.tar(entries)))
        result, peak_bytes = self.run_measured("--arch", "x86_64", "served")
        self.assertEqual(result.code, run.OK, result)
        if not run.sanitizer():
            self.assertLess(peak_bytes, MEMORY_MAX_BYTES // 2)


if __name__ == "__main__":
    unittest.main()
