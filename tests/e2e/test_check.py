# SPDX-License-Identifier: Apache-2.0
"""imgfactory check over roots that the tests make: ELF files from a few lines of C, linked with gcc, run by nobody."""

import bz2
import ctypes
import errno
import gzip
import hashlib
import io
import json
import lzma
import os
import random
import resource
import shutil
import struct
import subprocess
import tarfile
import unittest

from base import Case, deb, run
from kit.case import need

MACHINE = os.uname().machine
LOADERS = {"x86_64": "/lib64/ld-linux-x86-64.so.2", "aarch64": "/lib/ld-linux-aarch64.so.1"}
LIBRARY = {"x86_64": "/usr/lib/x86_64-linux-gnu", "aarch64": "/usr/lib/aarch64-linux-gnu"}
OTHER = {"x86_64": "aarch64", "aarch64": "x86_64"}


@unittest.skipUnless(MACHINE in LOADERS, "the made root is for x86_64 or aarch64")
class Check(Case):
    def setUp(self):
        super().setUp()
        need("gcc")
        self.root = self.path("root")
        self.libraries = LIBRARY[MACHINE]
        self.compile(LOADERS[MACHINE], "int _r_debug;", soname=os.path.basename(LOADERS[MACHINE]))
        self.compile(self.libraries + "/libone.so.1", "int one(void) { return 1; } int old(void) { return 0; }",
                     soname="libone.so.1", versions="ONE_1 { global: old; }; ONE_2 { global: one; local: *; } ONE_1;")
        self.compile("/usr/bin/served", "int one(void); void _start(void) { one(); }", program=True,
                     needs=["libone.so.1"])

    def compile(self, path, source, program=False, soname=None, versions=None, needs=(), options=()):
        """Makes one ELF file of the root; `needs` are libraries of the root, which must be there to link."""
        target = self.root + path
        os.makedirs(os.path.dirname(target), exist_ok=True)
        command = ["gcc", "-x", "c", "-", "-o", target, "-nostdlib", "-fPIC", "-Wl,--hash-style=gnu", *options]
        if program:
            command += ["-pie", "-Wl,--dynamic-linker=" + LOADERS[MACHINE]]
        else:
            command += ["-shared", "-Wl,-soname," + soname if soname else "-shared"]
        if versions:
            command.append("-Wl,--version-script=" + self.write("versions", versions))
        command += ["-Wl,--allow-shlib-undefined", "-Wl,--unresolved-symbols=ignore-all"]
        command += ["-x", "none", *(self.root + self.libraries + "/" + name for name in needs)]
        done = subprocess.run(command, input=source.encode(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              check=False)
        self.assertEqual(done.returncode, 0, done.stdout.decode())
        return target

    def script(self, path, text):
        self.write("root" + path, text)
        os.chmod(self.root + path, 0o755)

    def check(self, *arguments, subject=None, memory=None, before=None):
        """`memory`: bytes of address space that the program may have (none under sanitizers, which take terabytes)."""
        command = [run.program(), "check", "--json", *arguments, subject or self.root]
        limit = (lambda: resource.setrlimit(resource.RLIMIT_AS, (memory, memory))) \
            if memory and not run.sanitizer() else before
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=run.Factory.environment({"HOME": self.top}), timeout=60, check=False,
                              preexec_fn=limit)
        return run.Result(command, done.returncode, done.stdout.decode(), done.stderr.decode())

    def good(self, *arguments, subject=None):
        result = self.check(*arguments, subject=subject)
        self.assertEqual(result.code, run.OK, result)
        return json.loads(result.stdout)["architectures"][0]

    def bad(self, *parts, arguments=(), subject=None):
        result = self.check(*arguments, subject=subject)
        self.assertEqual(result.code, run.RESOLVE, result)
        texts = [v["text"] for a in json.loads(result.stdout)["architectures"] for v in a["violations"]]
        self.assertTrue(any(all(part in text for part in parts) for text in texts), f"{parts} in none of {texts}")

    def test_an_intact_root_is_good(self):
        report = self.good("--program", "/usr/bin/served")
        self.assertEqual((report["arch"], report["files"], report["programs"]), (MACHINE, 3, 1))
        self.assertEqual((report["symbols"], report["notes"]), (1, []))

    def test_several_roots_are_checked_at_once_and_reported_in_their_order(self):
        other = self.path("other")
        shutil.copytree(self.root, other, symlinks=True)
        os.unlink(other + self.libraries + "/libone.so.1")
        for jobs in ("1", "3"):
            result = self.check("--jobs", jobs, self.root, other, subject=self.root)
            self.assertEqual(result.code, run.RESOLVE, result)
            report = json.loads(result.stdout)["architectures"]
            self.assertEqual([tree["name"] for tree in report], [self.root, other, self.root])
            self.assertEqual([tree["good"] for tree in report], [True, False, True])
        result = self.check(self.root, subject=self.path("absent"))
        self.assertEqual(result.code, run.USAGE, result)
        self.assertIn("absent is no root directory", result.stderr)

    def test_the_program_s_own_cache_is_no_part_of_a_root(self):
        self.compile("/root/.cache/imgfactory/v1/x", "int one(void); void _start(void) { one(); }", program=True,
                     needs=["libone.so.1"])
        os.unlink(self.root + self.libraries + "/libone.so.1")
        cache = ("--cache", self.root + "/root/.cache/imgfactory")
        self.bad("/usr/bin/served", "libone.so.1", arguments=cache)
        self.assertNotIn(".cache", self.check(*cache).stdout)
        self.assertIn(".cache", self.check().stdout)
        os.symlink("cache-is-elsewhere", self.root + "/var-cache")
        self.assertIn(".cache", self.check("--cache", self.root + "/var-cache").stdout)

    def test_what_was_printed_stands_before_the_error_where_both_go_to_one_file(self):
        os.unlink(self.root + self.libraries + "/libone.so.1")
        done = subprocess.run([run.program(), "check", self.root], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=60, check=False)
        self.assertRegex(done.stdout.decode(), r"(?s)\A\S+root .*\n  violation: .*\nimgfactory: error: [^\n]*\n\Z")

    def test_findings_and_their_order_do_not_depend_on_the_number_of_threads(self):
        names = ["a-b/gone", "a.b", "a/b/gone", "a/gone", "a0", "ab/gone"]
        for number in range(40):
            for name in names:
                path = f"{self.root}/opt/{number}/{name}"
                os.makedirs(os.path.dirname(path), exist_ok=True)
                os.symlink("nowhere", path)
        reports = [self.good("--jobs", jobs) for jobs in ("1", "2", "7")]
        for report in reports:
            self.assertGreater(report.pop("seconds"), 0)
        self.assertEqual(reports[0], reports[1])
        self.assertEqual(reports[0], reports[2])
        paths = [note["path"] for note in reports[0]["notes"]]
        self.assertEqual(paths, sorted(paths))
        self.assertEqual([path for path in paths if path.startswith("/opt/7/")], ["/opt/7/" + name for name in names])

    def test_a_file_with_the_name_of_data_is_opened_when_something_loads_or_starts_it(self):
        self.write("root/usr/lib/python3/module.py", "no program\n" * 10)
        library = self.libraries + "/libone.so.1"
        os.rename(self.root + library, self.root + "/opt.py")
        os.symlink("/opt.py", self.root + library)
        os.chmod(self.root + "/opt.py", 0o644)
        self.assertEqual(self.good()["files"], 3)
        self.compile(self.libraries + "/deep.txt", "int deep(void) { return 1; }", soname="deep.txt")
        self.compile(self.libraries + "/needed.txt", "int deep(void); int two(void) { return deep(); }", soname="needed.txt",
                     needs=["deep.txt"])
        self.compile("/usr/bin/served", "int two(void); void _start(void) { two(); }", program=True, needs=["needed.txt"])
        for name in ("deep.txt", "needed.txt"):
            os.chmod(f"{self.root}{self.libraries}/{name}", 0o644)
        self.assertEqual((self.good()["files"], self.good()["symbols"]), (5, 2))
        self.script("/usr/bin/run.py", "#!/usr/bin/absent\n")
        self.assertEqual([note["path"] for note in self.good()["notes"]], ["/usr/bin/run.py"])

    def test_shared_data_of_a_root_within_the_root_is_not_opened_but_its_libraries_and_programs_are(self):
        def plain(path, **words):
            os.chmod(self.compile(path, "int absent(void); int it(void) { return absent(); }", **words), 0o644)
        plain("/srv/inner/usr/share/doc/plug-in")
        self.assertEqual(self.good()["files"], 3)
        self.script("/srv/inner/usr/share/tool/run", "#!/usr/bin/absent\n")
        self.assertEqual([note["path"] for note in self.good()["notes"]], ["/srv/inner/usr/share/tool/run"])
        plain("/srv/inner/usr/share/app/libplug.so.1", soname="libplug.so.1")
        self.bad("libplug.so.1", "absent")

    def test_names_of_one_file_are_judged_each_in_its_own_place(self):
        def library(place, source):
            os.makedirs(f"{self.root}/opt/{place}/lib", exist_ok=True)
            os.rename(self.compile(self.libraries + "/libnear.so.1", source, soname="libnear.so.1"), f"{self.root}/opt/{place}/lib/libnear.so.1")
        near = "int near(void) { return 1; }"
        self.compile(self.libraries + "/libnear.so.1", near, soname="libnear.so.1")
        self.compile("/opt/b/bin/tool", "int near(void); void _start(void) { near(); }", program=True, needs=["libnear.so.1"],
                     options=["-Wl,-rpath,$ORIGIN/../lib"])
        for place in ("a", "b", "c"):
            library(place, near)
            os.makedirs(f"{self.root}/opt/{place}/bin", exist_ok=True)
            if place != "b":
                os.link(f"{self.root}/opt/b/bin/tool", f"{self.root}/opt/{place}/bin/tool")
        reports = [self.good("--jobs", jobs) for jobs in ("1", "4")]
        self.assertEqual([(report["files"], report["programs"], report["symbols"]) for report in reports], [(9, 4, 4)] * 2)
        for place in ("a", "b", "c"):  # the first name, and others
            library(place, "int far(void) { return 1; }")
            result = self.check()
            self.assertEqual([found["path"] for found in json.loads(result.stdout)["architectures"][0]["violations"]],
                             [f"/opt/{place}/bin/tool"], result)
            library(place, near)

    def test_each_name_of_a_plug_in_is_told_and_a_cache_of_the_loader_is_read_whatever_other_name_it_has(self):
        for name in ("one", "other"):
            os.makedirs(f"{self.root}/usr/lib/{name}")
        self.compile("/usr/lib/one/plugin.so", "int nobody(void); int plug(void) { return nobody(); }")
        os.link(self.root + "/usr/lib/one/plugin.so", self.root + "/usr/lib/other/plugin.so")
        self.write("root/etc/ld.so.cache", "glibc-ld.so.cache1.1" + "\x7f" * 4 + "\0" * 24)  # 2 thousand million entries
        os.link(self.root + "/etc/ld.so.cache", self.root + "/copy")
        report = json.loads(self.check().stdout)["architectures"][0]
        self.assertEqual([found["path"] for found in report["violations"]], ["/usr/lib/one/plugin.so", "/usr/lib/other/plugin.so"])
        self.assertEqual([note["path"] for note in report["notes"]], ["/etc/ld.so.cache"])

    def test_a_plug_in_gets_all_its_symbols_from_one_program_and_each_plug_in_its_own(self):
        host = {"program": True, "options": ("-Wl,--export-dynamic",)}
        self.compile("/usr/bin/first", "int a(void) { return 1; } void _start(void) { }", **host)
        self.compile("/usr/bin/second", "int a(void) { return 1; } int b(void) { return 1; } void _start(void) { }", **host)
        self.compile("/usr/lib/x/ab.so", "int a(void); int b(void); int x(void) { return a() + b(); }")
        self.assertEqual(self.good()["notes"], [])
        self.compile("/usr/lib/y/c.so", "int c(void); int y(void) { return c(); }")
        self.bad("/usr/lib/y/c.so", "symbol c", "no file of the image")

    @unittest.skipUnless(MACHINE == "x86_64", "the filter's numbers are x86_64's")
    def test_a_kernel_without_openat2_makes_no_difference(self):
        self.script("/usr/bin/script", "#!/no/such\n")
        os.symlink("/nowhere", self.root + "/opt")

        def forbid():
            # prctl(2), seccomp(2): system call 437 fails with ENOSYS
            code = struct.pack("=HBBIHBBIHBBIHBBI", 0x20, 0, 0, 0, 0x15, 0, 1, 437, 0x06, 0, 0, 0x00050000 | errno.ENOSYS,
                               0x06, 0, 0, 0x7fff0000)
            memory = ctypes.create_string_buffer(code)
            program = struct.pack("@HP", 4, ctypes.addressof(memory))
            libc = ctypes.CDLL(None, use_errno=True)
            if libc.prctl(38, 1, 0, 0, 0) != 0 or libc.prctl(22, 2, program) != 0:
                raise OSError(ctypes.get_errno(), "seccomp")

        reports = [self.check(before=before) for before in (None, forbid)]
        found = [json.loads(result.stdout)["architectures"][0] for result in reports]
        for report in found:
            del report["seconds"]
        self.assertEqual(found[0], found[1])
        self.assertEqual([note["path"] for note in found[0]["notes"]], ["/usr/bin/script", "/opt"])

    def test_a_file_whose_name_is_no_utf_8_is_named_by_its_bytes(self):
        self.script(os.fsdecode(b"/usr/bin/caf\xe9"), "#!/usr/bin/absent\n")
        self.assertEqual([note.get("path") for note in self.good()["notes"]], [r"/usr/bin/caf\xE9"])

    def test_a_word_that_ends_with_a_slash_is_a_folder_and_no_reference(self):
        result = self.check(subject="absent/")
        self.assertEqual(result.code, run.USAGE, result)
        self.assertIn("there is no root directory or OCI layout absent/", result.stderr)

    def test_a_library_that_is_gone_is_named(self):
        os.unlink(self.root + self.libraries + "/libone.so.1")
        self.bad("/usr/bin/served", "libone.so.1", "not found")

    def test_a_loader_that_is_gone_is_named(self):
        os.unlink(self.root + LOADERS[MACHINE])
        self.bad("/usr/bin/served", LOADERS[MACHINE])

    def test_a_version_that_is_gone_is_named(self):
        self.compile(self.libraries + "/libone.so.1", "int one(void) { return 1; }", soname="libone.so.1",
                     versions="ONE_1 { global: one; };")
        self.bad("/usr/bin/served", "ONE_2", "libone.so.1")

    def test_a_symbol_that_is_gone_is_named(self):
        self.compile(self.libraries + "/libone.so.1", "int other(void) { return 1; }", soname="libone.so.1",
                     versions="ONE_1 { }; ONE_2 { global: other; } ONE_1;")
        self.bad("/usr/bin/served", "one@ONE_2", "libone.so.1")

    def test_a_library_without_versions_is_taken_as_the_loader_takes_it(self):
        self.compile(self.libraries + "/libone.so.1", "int one(void) { return 1; }", soname="libone.so.1")
        self.good()

    def test_a_weak_symbol_may_be_unbound_and_a_strong_one_may_not(self):
        self.compile("/usr/bin/weak", "__attribute__((weak)) int gone(void); void _start(void) { if (gone) gone(); }",
                     program=True)
        self.good()
        self.compile(self.libraries + "/libgone.so.1", "int gone(void) { return 1; }", soname="libgone.so.1")
        self.compile("/usr/bin/strong", "int gone(void); void _start(void) { gone(); }", program=True,
                     needs=["libgone.so.1"])
        self.good()
        self.compile(self.libraries + "/libgone.so.1", "int left(void) { return 1; }", soname="libgone.so.1")
        self.bad("/usr/bin/strong", "symbol gone ")

    def test_old_hash_tables_are_read(self):
        self.compile(self.libraries + "/libold.so.1", "int old_one(void) { return 1; }", soname="libold.so.1",
                     options=["-Wl,--hash-style=sysv"])
        self.compile("/usr/bin/older", "int old_one(void); void _start(void) { old_one(); }", program=True,
                     needs=["libold.so.1"], options=["-Wl,--hash-style=sysv"])
        self.good()
        self.compile(self.libraries + "/libold.so.1", "int new_one(void) { return 1; }", soname="libold.so.1",
                     options=["-Wl,--hash-style=sysv"])
        self.bad("/usr/bin/older", "old_one")

    def test_a_plugin_may_take_symbols_from_the_program_and_from_nowhere_it_may_not(self):
        self.compile("/usr/bin/host", "int offered(void) { return 1; } void _start(void) { offered(); }", program=True,
                     options=["-rdynamic"])
        self.compile("/usr/lib/host/plugin.so", "int offered(void); int plug(void) { return offered(); }")
        self.assertEqual(self.good()["notes"], [])
        self.compile("/usr/lib/host/plugin.so", "int nobody(void); int plug(void) { return nobody(); }")
        self.bad("/usr/lib/host/plugin.so", "nobody", "no file of the image")

    def test_plugins_that_are_stacked_are_a_note(self):
        self.compile("/usr/lib/host/lower.so", "int lower(void) { return 1; }")
        self.compile("/usr/lib/host/upper.so", "int lower(void); int upper(void) { return lower(); }")
        notes = [note["text"] for note in self.good()["notes"]]
        self.assertTrue(any("upper.so" in note and "lower" in note for note in notes), notes)

    def test_a_library_of_another_machine_is_passed_over(self):
        shutil.copy(self.root + self.libraries + "/libone.so.1", self.path("copy"))
        with open(self.root + self.libraries + "/libone.so.1", "r+b") as stream:
            stream.seek(18)
            stream.write((183 if MACHINE == "x86_64" else 62).to_bytes(2, "little"))
        self.bad("/usr/bin/served", "libone.so.1", "passed over")

    def test_scripts_need_their_interpreters_when_they_are_started(self):
        self.script("/usr/bin/script", "#!/usr/bin/env -S served -x\n")
        self.bad("/usr/bin/script", "/usr/bin/env", arguments=("--program", "/usr/bin/script"))
        notes = [note["text"] for note in self.good()["notes"]]
        self.assertTrue(any("/usr/bin/env" in note for note in notes), notes)
        shutil.copy(self.root + "/usr/bin/served", self.root + "/usr/bin/env")
        self.assertEqual(self.good("--program", "/usr/bin/script")["notes"], [])
        os.unlink(self.root + "/usr/bin/served")
        self.bad("env does not find served", arguments=("--program", "/usr/bin/script"))

    def test_a_symlink_to_nowhere_is_a_note_and_on_the_way_to_a_library_a_violation(self):
        os.symlink("/nowhere", self.root + "/usr/bin/dangling")
        os.symlink("/proc/mounts", self.root + "/usr/bin/mtab")
        self.assertEqual([note["path"] for note in self.good()["notes"]], ["/usr/bin/dangling"])
        os.rename(self.root + self.libraries + "/libone.so.1", self.root + "/usr/libone")
        os.symlink("../../libone", self.root + self.libraries + "/libone.so.1")
        self.good()
        os.rename(self.root + "/usr/libone", self.root + "/usr/libtwo")
        self.bad("libone.so.1", "not found")

    def test_symlinks_never_lead_out_of_the_root(self):
        os.rename(self.root + self.libraries + "/libone.so.1", self.path("libone.so.1"))
        os.symlink(self.path("libone.so.1"), self.root + self.libraries + "/libone.so.1")
        self.bad("libone.so.1", "not found")

    def test_odd_files_are_no_trouble_and_no_name_forges_a_line(self):
        self.script("/usr/bin/served\n  violation: forged\x1b[31m", "#!/no/such\n")
        os.symlink("self", self.root + "/self")
        os.symlink("..", self.root + "/usr/up")
        os.mkfifo(self.root + "/usr/bin/fifo")
        with open(self.root + "/usr/bin/sparse", "wb") as sparse:
            sparse.write(b"\x7fELF\2\1\1")
            sparse.truncate(1 << (36 if "thread" in run.sanitizer() else 40))  # the thread sanitizer leaves less room
        with open(os.fsencode(self.root) + b"/usr/bin/\xff\xfe", "wb") as file:
            file.write(b"x")
        deep = self.root + "/deep"
        for _ in range(200):
            os.mkdir(deep)
            deep += "/d"
        for arguments in [], ["--json"]:
            done = subprocess.run([run.program(), "check", *arguments, self.root], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, timeout=60,
                                  env=run.Factory.environment({"HOME": self.top}))
            self.assertEqual(done.returncode, run.OK, done)
            self.assertNotIn(b"\n  violation", done.stdout)
            self.assertNotIn(b"\x1b", done.stdout + done.stderr)
        os.mkdir(deep)
        for _ in range(60):
            deep += "/d"
            os.mkdir(deep)
        done = subprocess.run([run.program(), "check", self.root], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, check=False, timeout=60,
                              env=run.Factory.environment({"HOME": self.top}))
        self.assertIn(b"deeper than 256 directories", done.stderr)

    def test_elf_files_whose_tables_lie_are_refused_or_read_within_bounds(self):
        path = self.root + self.libraries + "/libone.so.1"
        with open(path, "rb") as stream:
            intact = stream.read()
        chance = random.Random(5)
        for number in range(150):
            broken = bytearray(intact if number % 3 else intact[:chance.randrange(64, len(intact))])
            for _ in range(chance.randrange(1, 12)):
                broken[chance.randrange(20, len(broken))] = chance.choice((0, 1, 0x7F, 0x80, 0xFF))
            with open(path, "wb") as stream:
                stream.write(broken)
            result = self.check()
            self.assertIn(result.code, (run.OK, run.RESOLVE), result)

    def layout(self, *layers, entrypoint="/usr/bin/served"):
        """An OCI layout of these tar files (bytes), made without the program under test."""
        top = self.path("layout")
        shutil.rmtree(top, ignore_errors=True)
        os.makedirs(top + "/blobs/sha256")

        def blob(data, media_type):
            digest = hashlib.sha256(data).hexdigest()
            with open(f"{top}/blobs/sha256/{digest}", "wb") as stream:
                stream.write(data)
            return {"mediaType": media_type, "digest": "sha256:" + digest, "size": len(data)}

        kind = "application/vnd.oci.image."
        digests = ["sha256:" + hashlib.sha256(layer).hexdigest() for layer in layers]
        platform = {"os": "linux", "architecture": {"x86_64": "amd64", "aarch64": "arm64"}[MACHINE]}
        config = blob(json.dumps({**platform, "rootfs": {"type": "layers", "diff_ids": digests},
                                  "config": {"Entrypoint": [entrypoint]}}).encode(), kind + "config.v1+json")
        manifest = blob(json.dumps({"schemaVersion": 2, "mediaType": kind + "manifest.v1+json", "config": config,
                                    "layers": [blob(layer, kind + "layer.v1.tar") for layer in layers]}).encode(),
                        kind + "manifest.v1+json")
        self.write("layout/oci-layout", '{"imageLayoutVersion": "1.0.0"}')
        self.write("layout/index.json", json.dumps({"schemaVersion": 2, "manifests": [{**manifest,
                                                                                       "platform": platform}]}))
        return top

    def tar(self, change=None):
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
            if change:
                change(archive)
            else:
                archive.add(self.root, arcname=".")
        return stream.getvalue()

    @staticmethod
    def name(archive, name, kind=tarfile.REGTYPE, target=""):
        member = tarfile.TarInfo(name)
        member.type, member.linkname = kind, target
        archive.addfile(member)

    def test_layers_are_put_over_one_another_with_their_whiteouts(self):
        self.good(subject=self.layout(self.tar()))
        gone = f"{self.libraries[1:]}/.wh.libone.so.1"
        without = self.tar(lambda archive: self.name(archive, gone))
        self.bad("libone.so.1", "not found", subject=self.layout(self.tar(), without))
        self.good(subject=self.layout(self.tar(), without, self.tar()))
        emptied = self.tar(lambda archive: self.name(archive, f"{self.libraries[1:]}/.wh..wh..opq"))
        self.bad("libone.so.1", "not found", subject=self.layout(self.tar(), emptied))

    def test_an_entry_point_that_is_not_there_is_named(self):
        self.bad("/usr/bin/absent", "not there", subject=self.layout(self.tar(), entrypoint="/usr/bin/absent"))
        self.bad("absent", "PATH", subject=self.layout(self.tar(), entrypoint="absent"))
        self.good(subject=self.layout(self.tar(), entrypoint="served"))

    def test_hostile_layers_are_refused(self):
        changes = {
            "..": lambda archive: self.name(archive, "usr/../../etc/x"),
            "hard link": lambda archive: self.name(archive, "usr/x", tarfile.LNKTYPE, "/etc/shadow"),
            "not a directory": lambda archive: (self.name(archive, "file"), self.name(archive, "file/below")),
        }
        for part, change in changes.items():
            with self.subTest(part):
                result = self.check(subject=self.layout(self.tar(), self.tar(change)))
                self.assertEqual(result.code, run.MALFORMED, result)
                self.assertIn(part, result.stderr)
        result = self.check(subject=self.layout(b"\x1f\x8b" + bytes(600)))
        self.assertEqual(result.code, run.MALFORMED, result)

    def test_a_layer_is_unpacked_once_and_what_is_compressed_inside_is_no_tar(self):
        for layer in (deb.nested_gzip_header(1 << 30), gzip.compress(gzip.compress(self.tar(), mtime=0), mtime=0),
                      bz2.compress(self.tar()), lzma.compress(self.tar())):
            result = self.check(subject=self.layout(layer), memory=1 << 30)
            self.assertEqual(result.code, run.MALFORMED, result)


if __name__ == "__main__":
    unittest.main()
