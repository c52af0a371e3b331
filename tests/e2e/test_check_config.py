# SPDX-License-Identifier: Apache-2.0
"""imgfactory check over small layouts as other tools make them: what container engines refuse is not called good, and
what they start is. podman judges where it can start a container here."""

import functools
import gzip
import hashlib
import io
import json
import os
import resource
import shutil
import signal
import subprocess
import tarfile
import unittest
import zlib

from base import Case, elf, run

OCI = "application/vnd.oci.image."
PLATFORM = {"architecture": "amd64", "os": "linux"}
PASSWD = "root:x:0:0:root:/root:/bin/sh\nnginx:x:101:102:nginx:/:/bin/false\n"
GROUP = "root:x:0:\nnginx:x:102:\nadm:x:4:nginx\n"
# podman's defaults that a container without a cgroup or with few privileges cannot have
PODMAN_RUN = ["run", "--rm", "--network=host", "--ulimit=nofile=256:256", "--ulimit=nproc=100:100"]


def entry(data=b"", mode=0o755, kind=tarfile.REGTYPE, target="", owner=(0, 0)):
    return data, mode, kind, target, owner


def directory(mode=0o755, owner=(0, 0)):
    return entry(mode=mode, kind=tarfile.DIRTYPE, owner=owner)


def link(target):
    return entry(kind=tarfile.SYMTYPE, target=target)


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def tar(entries):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, (data, mode, kind, target, owner) in entries.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode, info.type, info.linkname = len(data), mode, kind, target
            info.uid, info.gid = owner
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


HELLO = elf.hello("amd64", "hello\n")
FILES = {"etc/passwd": entry(PASSWD.encode(), 0o644), "etc/group": entry(GROUP.encode(), 0o644), "hello": entry(HELLO),
         "usr/bin/served": entry(HELLO), "data": entry(b"no program", 0o644), "some": directory(),
         "app": directory(), "app/run": entry(HELLO), "to-hello": link("app/../hello"), "to-nothing": link("gone"),
         "script": entry(b"#!/usr/bin/served -x\n"), "orphan": entry(b"#!/usr/bin/gone\n"),
         "mine": entry(HELLO, 0o750, owner=(0, 102)), "root-only": entry(HELLO, 0o700),
         "closed": directory(0o700), "closed/run": entry(HELLO), "text": entry(b"echo hello\n")}


class Layouts(Case):
    """Layouts of one image; `podman` starts the last one."""

    def put(self, data, media_type):
        with open(self.path("layout/blobs/sha256/" + digest(data)[7:]), "wb") as stream:
            stream.write(data)
        return {"mediaType": media_type, "digest": digest(data), "size": len(data)}

    def make(self, process=None, tars=(tar(FILES),), pack=lambda data: gzip.compress(data, 1, mtime=0), diff_ids=None,
             config=None, platform=PLATFORM, more=(), media_type="tar+gzip"):
        shutil.rmtree(self.path("layout"), ignore_errors=True)
        os.makedirs(self.path("layout/blobs/sha256"))
        packed = [pack(data) for data in tars]
        ids = [digest(data) for data in tars] if diff_ids is None else diff_ids(tars, packed)
        document = {**PLATFORM, "os": platform["os"], "config": process if process is not None else {"Cmd": ["/hello"]},
                    "rootfs": {"type": "layers", "diff_ids": ids}, **(config or {})}
        manifest = {"schemaVersion": 2, "mediaType": OCI + "manifest.v1+json",
                    "config": self.put(json.dumps(document).encode(), OCI + "config.v1+json"),
                    "layers": [self.put(data, OCI + "layer.v1." + media_type) for data in packed] or None}
        child = {**self.put(json.dumps(manifest).encode(), OCI + "manifest.v1+json"), "platform": platform}
        index = {"schemaVersion": 2, "mediaType": OCI + "index.v1+json", "manifests": [child, *more]}
        root = self.put(json.dumps(index).encode(), index["mediaType"])
        self.write("layout/oci-layout", '{"imageLayoutVersion": "1.0.0"}')
        self.write("layout/index.json", json.dumps({"schemaVersion": 2, "manifests": [
            {**root, "annotations": {"org.opencontainers.image.ref.name": "latest"}}]}))

    def check(self, *arguments, memory=None):
        """`memory`: bytes of address space that the program may have (none under sanitizers, which take terabytes)."""
        command = [run.program(), "check", "--json", *arguments, self.path("layout")]
        limit = (lambda: resource.setrlimit(resource.RLIMIT_AS, (memory, memory))) \
            if memory and not run.sanitizer() else None
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=run.Factory.environment({"HOME": self.top}), timeout=300, check=False,
                              preexec_fn=limit)
        return run.Result(command, done.returncode, done.stdout.decode(), done.stderr.decode())

    def texts(self, result, kind):
        return [finding["text"] for arch in json.loads(result.stdout)["architectures"] for finding in arch[kind]]

    def good(self, *notes):
        result = self.check()
        self.assertEqual(result.code, run.OK, result)
        for note in notes:
            self.assertTrue(any(note in text for text in self.texts(result, "notes")), (note, result))

    def bad(self, *parts):
        result = self.check()
        self.assertEqual(result.code, run.RESOLVE, result)
        texts = self.texts(result, "violations")
        self.assertTrue(any(all(part in text for part in parts) for text in texts), f"{parts} in none of {texts}")

    def podman(self, *arguments):
        return subprocess.run(["podman", "--root", self.path("p/root"), "--runroot", self.path("p/run"),
                               "--storage-driver=vfs", "--cgroup-manager=cgroupfs", *arguments], timeout=120,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)

    def judge_starts(self):
        """Whether podman starts the layout; None when it starts nothing here."""
        done = self.podman(*PODMAN_RUN, "oci:" + self.path("layout") + ":latest")
        self.podman("rmi", "--all", "--force")
        return done.returncode == 0, done.stdout.decode()[-300:]


# process of the configuration → words of the violation; None: good
NO_VALUE = "'A' has no '='"
PROCESSES = [
    ({"Entrypoint": ["/hello"]}, None),
    ({"Entrypoint": ["served"]}, None),
    ({"Entrypoint": ["hello"]}, ["hello", "no directory of PATH", "did you mean /hello?"]),
    ({"Entrypoint": ["run"], "Env": ["PATH=/app"]}, None),
    ({"Entrypoint": ["served"], "Env": ["PATH=/app"]}, ["served", "PATH", "did you mean /usr/bin/served?"]),
    ({"Cmd": ["/hello", "x"]}, None),
    ({"Entrypoint": ["/hello"], "Cmd": ["/gone"]}, None),
    ({"Entrypoint": None, "Cmd": ["/gone"]}, ["Cmd: /gone", "not there"]),
    ({"Entrypoint": [], "Cmd": ["/hello"]}, None),
    ({"Entrypoint": [""], "Cmd": ["/hello"]}, None),
    ({"Entrypoint": [""]}, ["Entrypoint", "no command"]),
    ({"Entrypoint": ["", "/hello"]}, ["Entrypoint", "empty"]),
    ({"Cmd": [""]}, ["Cmd", "empty"]),
    ({"Entrypoint": "/hello"}, ["Entrypoint", "not a list"]),
    ({"Cmd": "/hello"}, ["Cmd", "not a list"]),
    ({"Cmd": ["/hello"], "Env": {"A": "b"}}, ["Env", "not a list"]),
    ({"Cmd": ["/hello"], "User": 101}, ["User", "not a string"]),
    ({"Cmd": ["/hello"], "Labels": {"a": 1}}, ["Labels"]),
    ({"Cmd": ["/hello"], "Volumes": ["/data"]}, ["Volumes"]),
    ({"Cmd": ["/hello"], "Env": ["=x"]}, ["'=x' has no name"]),
    ({"Cmd": ["/hello"], "Env": ["="]}, ["'=' has no name"]),
    ({"Cmd": ["/hello"], "Env": ["A B=x", "B=", "C==", "PATH=/"]}, None),
    ({"Cmd": ["/hello"], "Env": ["A"]}, [NO_VALUE]),
    ({"Cmd": ["/data"]}, ["/data", "not executable"]),
    ({"Cmd": ["/some"]}, ["/some", "directory"]),
    ({"Cmd": ["/text"]}, ["/text", "neither an ELF file nor a script"]),
    ({"Cmd": ["/to-hello"]}, None),
    ({"Cmd": ["/to-nothing"]}, ["/to-nothing", "symlink to /gone"]),
    ({"Cmd": ["/script"]}, None),
    ({"Cmd": ["/orphan"]}, ["/orphan", "/usr/bin/gone", "not there"]),
    ({"Cmd": ["./run"], "WorkingDir": "/app"}, None),
    ({"Cmd": ["app/run"]}, None),
    ({"Cmd": ["./hello"], "WorkingDir": "/nope"}, ["./hello", "not there"]),
    ({"Cmd": ["/hello"], "WorkingDir": "/made/by/the/engine"}, None),
    ({"Cmd": ["/hello"], "WorkingDir": "/data"}, ["WorkingDir", "no directory"]),
    ({"Cmd": ["/hello"], "User": "nginx"}, None),
    ({"Cmd": ["/hello"], "User": "nginx:adm"}, None),
    ({"Cmd": ["/hello"], "User": ":adm"}, None),
    ({"Cmd": ["/hello"], "User": "4711"}, None),
    ({"Cmd": ["/hello"], "User": "4711:4712"}, None),
    ({"Cmd": ["/hello"], "User": "ngnix"}, ["ngnix", "/etc/passwd", "did you mean nginx?"]),
    ({"Cmd": ["/hello"], "User": "nginx:nobody"}, ["nobody", "/etc/group"]),
    ({"Cmd": ["/hello"], "User": "0:wheel"}, ["wheel", "/etc/group"]),
    ({"Cmd": ["/hello"], "User": "99999999999"}, ["99999999999", "higher"]),
    ({"Cmd": ["/mine"], "User": "nginx"}, None),
    ({"Cmd": ["/mine"], "User": "4711"}, ["/mine", "4711 may not execute"]),
    ({"Cmd": ["/root-only"], "User": "nginx"}, ["/root-only", "nginx may not execute"]),
    ({"Cmd": ["/root-only"]}, None),
    ({"Cmd": ["/closed/run"], "User": "nginx"}, ["/closed", "may not enter"]),
    ({"cmd": ["/hello"], "env": ["A=b"]}, None),
]


class Process(Layouts):
    def test_what_the_configuration_starts_is_there_and_can_be_started(self):
        for process, words in PROCESSES:
            with self.subTest(process=process):
                self.make(process)
                self.good() if words is None else self.bad(*words)

    @unittest.skipUnless(shutil.which("podman") and os.geteuid() == 0 and os.uname().machine == "x86_64",
                         "podman as root is the judge")
    def test_podman_gives_the_same_verdict(self):
        self.make({"Cmd": ["/hello"]})
        starts, words = self.judge_starts()
        if not starts:
            self.skipTest("podman starts no container here: " + words)
        for process, wanted in PROCESSES:
            if wanted == [NO_VALUE]:
                continue  # podman 5.8 refuses it, 5.4 and older ones do not
            with self.subTest(process=process):
                self.make(process)
                starts, words = self.judge_starts()
                self.assertEqual(starts, wanted is None, words)

    def test_nothing_to_start_and_directories_that_engines_make_are_notes(self):
        self.make({})
        self.good("neither it nor Cmd is given")
        self.make({"Cmd": ["/hello"], "User": "4711", "WorkingDir": "/does/not/exist", "Volumes": {"/stored": {}, "/app": {}}})
        self.good("WorkingDir: /does/not/exist is not there", "Volumes: /stored is not there",
                  "Volumes: /app: user 4711 may not write")

    def test_a_user_needs_the_file_of_its_name_also_behind_a_link(self):
        files = {name: item for name, item in FILES.items() if not name.startswith("etc/")}
        self.make({"Cmd": ["/hello"], "User": "nginx"}, [tar(files)])
        self.bad("there is no /etc/passwd")
        self.make({"Cmd": ["/hello"], "User": "101"}, [tar(files)])
        self.good()
        self.make({"Cmd": ["/hello"], "User": "nginx"},
                  [tar({**files, "etc/passwd": link("../usr/lib/passwd"), "usr/lib/passwd": entry(PASSWD.encode())})])
        self.good()
        self.make({"Cmd": ["/hello"], "User": "nginx"},
                  [tar({**files, "etc/passwd": link("/store/accounts"), "store/accounts": entry(PASSWD.encode())})])
        self.good("not known")

    def test_a_configuration_that_no_engine_parses_is_told_key_by_key(self):
        for config, words in (({"created": "yesterday"}, "created"), ({"config": []}, "config is not an object"),
                              ({"architecture": "amd64", "author": ["me"]}, "author"),
                              ({"rootfs": "layers"}, "rootfs is not an object")):
            with self.subTest(config=config):
                self.make(config=config)
                self.bad(words)
        self.make(config={"created": "2024-02-29T12:00:00.123+01:00", "author": None, "history": [], "x": 1})
        self.good()


class Layers(Layouts):
    second = tar({"more": entry(b"more", 0o644)})

    def test_diff_ids_are_those_of_the_plain_layers_in_their_order(self):
        for media_type, pack in (("tar+gzip", lambda data: gzip.compress(data, mtime=0)), ("tar", bytes),
                                 ("tar+zstd", lambda data: subprocess.run(
                                     ["zstd", "-c"], input=data, stdout=subprocess.PIPE, check=True).stdout)):
            with self.subTest(media_type):
                self.make(tars=[tar(FILES), self.second], pack=pack, media_type=media_type)
                self.good()
                self.make(tars=[tar(FILES), self.second], pack=pack, media_type=media_type,
                          diff_ids=lambda tars, packed: [digest(tars[1]), digest(tars[0])])
                self.bad("layer 1", "another order")
                self.make(pack=pack, media_type=media_type, diff_ids=lambda tars, packed: ["sha256:" + "ab" * 32])
                self.bad("layer 1", digest(tar(FILES)), "sha256:" + "ab" * 32)
        self.make(diff_ids=lambda tars, packed: [digest(data) for data in packed])
        self.bad("layer 1", "digest of the compressed layer")
        self.make(config={"rootfs": {"type": "layers"}})
        self.bad("layer 1", "say nothing")

    def test_bytes_behind_the_end_mark_of_the_tar_belong_to_its_digest(self):
        self.make(tars=[tar(FILES) + bytes(70000)])
        self.good()
        self.make(tars=[tar(FILES) + bytes(70000)], diff_ids=lambda tars, packed: [digest(tar(FILES))])
        self.bad("layer 1")

    def test_damaged_compression_is_refused(self):
        zstd = subprocess.run(["zstd", "-c"], input=tar(FILES), stdout=subprocess.PIPE, check=True).stdout
        packed = gzip.compress(tar(FILES), mtime=0)
        flipped = bytearray(zstd)
        flipped[-1] ^= 1  # the checksum of the content
        for name, data in {"checksum": packed[:-8] + bytes(4) + packed[-4:], "length": packed[:-4] + bytes(4),
                           "cut": packed[:-3], "garbage": packed + b"garbage", "zeros": packed + bytes(512),
                           "cut header": packed + b"\x1f\x8b\x08", "zstd garbage": zstd + b"garbage",
                           "zstd zeros": zstd + bytes(512), "zstd cut": zstd[:-2], "zstd sum": bytes(flipped)}.items():
            with self.subTest(name):
                self.make(pack=lambda _, data=data: data)
                result = self.check()
                self.assertEqual(result.code, run.MALFORMED, result)

    def test_several_members_and_skippable_frames_are_fine(self):
        data = tar(FILES)
        self.make(pack=lambda plain: gzip.compress(plain[:700], mtime=0) + gzip.compress(plain[700:], mtime=0))
        self.good()
        half = [subprocess.run(["zstd", "-c"], input=part, stdout=subprocess.PIPE, check=True).stdout
                for part in (data[:700], data[700:])]
        skipped = b"\x50\x2a\x4d\x18\x04\0\0\0beef"
        self.make(pack=lambda _: skipped + half[0] + skipped + half[1] + skipped, media_type="tar+zstd")
        self.good()

    def test_platforms_that_are_not_of_linux_are_left_out_and_said(self):
        windows = {"os": "windows", "architecture": "amd64"}
        self.make(platform=windows)
        result = self.check()
        self.assertEqual(result.code, run.RESOLVE, result)
        self.assertIn("windows/amd64 is not checked, it is not of Linux", result.stderr)
        self.make()
        other = self.put(b"{}", "application/vnd.example.thing+json")
        inner = self.put(json.dumps({"schemaVersion": 2, "manifests": []}).encode(), OCI + "index.v1+json")
        self.make(more=[other, inner, {**other, "digest": "sha256:" + "ab" * 32}])
        self.good()
        result = self.check()
        self.assertIn("vnd.example.thing+json is not checked", result.stderr)
        self.assertIn("index.v1+json is not checked", result.stderr)


class Cost(Layouts):
    """Layers of few bytes that unpack to many, within 1 GiB, and what malloc keeps free of address space for threads."""

    @staticmethod
    @functools.lru_cache
    def big(name, mebibytes, more=b""):
        """A layer with one ELF file of so many MiB, nearly all zeros: its bytes as gzip, and its diff_id."""
        packer, plain = zlib.compressobj(1, zlib.DEFLATED, 31), hashlib.sha256()
        header = tarfile.TarInfo(name)
        header.size, header.mode = mebibytes << 20, 0o755
        packed = []
        for piece in (more, header.tobuf(), b"\x7fELF\2\1\1".ljust(1 << 20, b"\0"), *[bytes(1 << 20)] * (mebibytes - 1),
                      bytes(1024)):
            plain.update(piece)
            packed.append(packer.compress(piece))
        return b"".join(packed) + packer.flush(), "sha256:" + plain.hexdigest()

    def within(self, layers, code, words=""):
        self.make({}, [packed for packed, _ in layers], pack=bytes, diff_ids=lambda *_: [diff_id for _, diff_id in layers])
        result = self.check(memory=(1 << 30) + (256 << 20))
        self.assertEqual(result.code, code, result)
        self.assertIn(words, result.stderr)

    def test_elf_files_that_later_layers_replace_or_remove_cost_nothing(self):
        self.within([self.big("e", 300)] * 4, run.OK)
        self.within([self.big("e0", 300), *[self.big(f"e{i}", 300, tarfile.TarInfo(f".wh.e{i - 1}").tobuf())
                                            for i in range(1, 5)]], run.OK)

    def test_elf_files_are_limited_each_and_together(self):
        self.within([self.big("e", 513)], run.MALFORMED, "an ELF file of more than 512 MiB")
        self.within([self.big(f"e{i}", 300) for i in range(3)], run.OK)
        self.within([self.big(f"e{i}", 300) for i in range(4)], run.MALFORMED, "larger than 1 GiB")

    def test_a_layer_that_is_listed_400_times_is_refused(self):
        self.within([self.big("e", 300)] * 400, run.MALFORMED, "unpack to far more bytes than they have")

    def test_a_temporary_file_that_finds_no_room_is_a_local_fault(self):
        self.make({"Cmd": ["/hello"]})
        command = [run.program(), "check", self.path("layout")]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=run.Factory.environment({"HOME": self.top}), timeout=60, check=False,
                              preexec_fn=lambda: (signal.signal(signal.SIGXFSZ, signal.SIG_IGN),
                                                  resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))))
        self.assertEqual(done.returncode, run.LOCAL, done)
        self.assertIn(b"TMPDIR", done.stderr)


if __name__ == "__main__":
    unittest.main()
