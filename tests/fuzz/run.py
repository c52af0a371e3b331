#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs one fuzz target for a while: over seeds that the tests' kit makes, with the words of its format.

    tests/fuzz/run.py BUILT/fuzz_layers --seconds 10                 seeds alone and always the same numbers, in a temporary folder
    tests/fuzz/run.py BUILT/fuzz_layers --seconds 3600 --corpus DIR  numbers drawn anew; what is found stays in DIR, for the next run

The input that ends it in an error stays in the folder of the corpus, or beside the program, and is told.
"""

import argparse
import base64
import contextlib
import gzip
import io
import json
import os
import sqlite3
import struct
import subprocess
import sys
import tarfile
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from kit import base_image, chunked, deb, debmd, elf, rpmmd, system_image, world  # noqa: E402  pylint: disable=wrong-import-position

OCI = "application/vnd.oci.image."
MACHINE = world.MACHINES["amd64"]


def layer(*entries):
    return base_image.tar(entries)


def document():
    config = json.dumps({"os": "linux", "architecture": "amd64", "config": {"Cmd": ["/x"], "Env": ["A=b"]},
                         "rootfs": {"type": "layers", "diff_ids": ["sha256:" + "0" * 64]}, "history": [{"empty_layer": True}]})
    manifest = ('{"schemaVersion":2,"mediaType":"%smanifest.v1+json","config":{"mediaType":"%sconfig.v1+json",\x020},'
                '"layers":[{"mediaType":"%slayer.v1.tar+gzip",\x020}],"annotations":{"a":"b"}}' % (OCI, OCI, OCI))
    index = ('{"schemaVersion":2,"mediaType":"%sindex.v1+json","manifests":[{"mediaType":"%smanifest.v1+json",\x021,'
             '"platform":{"os":"linux","architecture":"arm64","variant":"v8"}}]}' % (OCI, OCI))
    nested = '{"schemaVersion":2,"manifests":[{"mediaType":"%sindex.v1+json",\x022}]}' % OCI
    parts = [config, manifest, index, nested]
    return ["\1".join(parts[:count]).encode() for count in (2, 3, 4)]


def layers():
    lower = layer(base_image.folder("usr"), base_image.folder("usr/bin"), base_image.link("bin", "usr/bin"),
                  base_image.file("usr/bin/x", elf.hello("amd64", "x"), 0o755), base_image.file("etc/passwd", "root:x:0:0::/:/x\n"))
    upper = layer(base_image.gone("usr/bin/x"), base_image.file("bin/y", "#!/bin/x\n", 0o755), base_image.file("usr/.wh..wh..opq", ""))
    hard = io.BytesIO()
    with tarfile.open(fileobj=hard, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, kind, target in (("a", tarfile.REGTYPE, ""), ("b", tarfile.LNKTYPE, "a"), ("é" * 60, tarfile.SYMTYPE, "../" * 40)):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, target
            archive.addfile(info)
    return [lower + upper, gzip.compress(lower, mtime=0), upper, hard.getvalue()]


def rpm_metadata():
    with tempfile.TemporaryDirectory() as top:
        rpmmd.write(top, [], modules="---\ndocument: modulemd\nversion: 2\ndata:\n  name: a\n  stream: '1'\n  artifacts:\n"
                                     "    rpms: [a-0:1-1.x86_64]\n  dependencies:\n  - requires: {platform: [f1]}\n...\n")
        texts = {}
        for folder, _, names in os.walk(top):
            for name in names:
                with open(os.path.join(folder, name), "rb") as stream:
                    data = stream.read()
                texts[name] = gzip.decompress(data) if name.endswith(".gz") else data
    primary = rpmmd.primary([rpmmd.Stanza("a", "1:2-3", files=["/usr/bin/a", "/etc/", "%/run/a"], requires=["b >= 1", "(c or d)"])])
    metalink = ('<?xml version="1.0"?><metalink version="3.0" xmlns="http://www.metalinker.org/"><files><file name="repomd.xml"><size>1'
                '</size><verification><hash type="sha256">%s</hash></verification><resources><url protocol="https" preference="100">'
                'https://mirror.example/repodata/repomd.xml</url></resources></file></files></metalink>' % ("0" * 64))
    found = [b"\0" + data for name, data in texts.items() if name == "repomd.xml"]
    found += [b"\2" + data for name, data in texts.items() if "modules" in name]
    return found + [b"\1" + primary.encode(), b"\3" + metalink.encode(), b"\3http://mirror.example/x\n",
                    b"\4(foo >= 1.0 if (bar and baz) else qux)", b"\4(a with b unless c)"]


def rpmdb():
    def header(*tags):
        store, index = b"", b""
        for tag, kind, data, count in tags:
            index += b"".join(number.to_bytes(4, "big") for number in (tag, kind, len(store), count))
            store += data
        return len(tags).to_bytes(4, "big") + len(store).to_bytes(4, "big") + index + store

    one = header((1000, 6, b"name\0", 1), (1001, 6, b"1\0", 1), (1002, 6, b"2\0", 1), (1047, 8, b"name\0", 1), (1117, 8, b"f\0", 1))
    with tempfile.TemporaryDirectory() as top:
        path = os.path.join(top, "rpmdb.sqlite")
        with contextlib.closing(sqlite3.connect(path)) as database:
            database.execute("CREATE TABLE 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT,blob BLOB NOT NULL)")
            database.execute("INSERT INTO Packages VALUES (3, ?)", (one,))
            database.commit()
        with open(path, "rb") as stream:
            whole = stream.read()
    return [whole, b"\1" + one]


def symbols():
    return [world.library(MACHINE, "libx.so.1", ["libc.so.6"]), elf.hello("amd64", "x"), elf.hello("arm64", "x"),
            elf.write(soname="libd.so.1", dlopen='[{"soname":["liba.so.1"],"feature":"a","priority":"recommended"}]')]


def ld_cache():
    strings = b"libc.so.6\0/lib/libc.so.6\0"
    at = 48 + 24
    entry = (0x303).to_bytes(4, "little") + at.to_bytes(4, "little") + (at + 10).to_bytes(4, "little") + bytes(12)
    return [b"glibc-ld.so.cache1.1" + (1).to_bytes(4, "little") + len(strings).to_bytes(4, "little") + b"\2" + bytes(19) + entry + strings]


def status():
    stanza = ("Package: a\nStatus: install ok installed\nPriority: optional\nSection: x\nMaintainer: M <m@example>\nArchitecture: amd64\n"
              "Multi-Arch: same\nVersion: 1:2-3\nDepends: b (>= 1), c | d\nConffiles:\n /etc/a 0123456789abcdef0123456789abcdef\n"
              "Description: short\n long\n .\n end\n\n")
    return [stanza.encode(), (stanza + stanza.replace("Package: a", "Package: b")).encode(), b"Package: a\nVersion: 1\n"]


def text():
    kinds = ["Types: deb\nURIs: http://a.example/\nSuites: x\nComponents: main\nSigned-By:\n -----BEGIN\n .\n", "[a]\nname=b\nbaseurl=http://a/\n  b\n",
             "auth [success=1 default=ignore] pam_unix.so nullok\n@include common-auth\n$auth_type_orig\nName: x\nDefault: yes\nAuth:\n\tx\n",
             "update-alternatives --install /usr/bin/a a /usr/bin/b 10 --slave /usr/share/a a.1 /usr/share/b\n",
             "posix.mkdir(\"/x\", \"755\") local a = 'b' .. \"c\" rpm.execute('useradd', a)",
             "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQENBAAAAAABCADAAAAA\n=AAAA\n-----END PGP PUBLIC KEY BLOCK-----\n"]
    return [bytes([number]) + kind.encode() for number, kind in enumerate(kinds)] + [b"\6" + deb.compress("xz", b"x" * 100)]


def package():
    made = deb.Package("a", files=[deb.File("/etc/a", "x\n"), deb.link("/b", "a")])
    return [made.build()]


def lock():
    """Locks without their checksum, of both formats: the later one with two generations of a repository."""
    digest, other, lines = "sha256:" + "a" * 64, "sha256:" + "b" * 64, []

    def document(number, **more):
        newer = number > 1
        package = {"name": "libfoo1", "version": "1-1", "architecture": "amd64", "arch": "x86_64", "size": 3, "digest": digest,
                   "url": "http://a/p.deb", "images": ["a"], **({"generation": other, "suite": "s"} if newer else {})}
        source = {"uri": "http://a/", "suite": "s", "from": "http://a/", "date": 7, "digest": digest, "file": digest, "signature": None,
                  "bare": False, **({"extra": False, "distribution": "D", "version": "1", "codename": None} if newer else {})}
        lists = {"data": [{"name": "recipes", "digest": digest}],
                 "images": [{"image": "a", "arch": "x86_64", "manifest": digest, "base": None, "base_digest": None, "named": None}],
                 "indices": [{"uri": "http://a/", "suite": "s", "arch": "x86_64", "path": "main/Packages.xz", "checksum": digest, "size": 9,
                              **({"generation": None} if newer else {})}],
                 "packages": [package], "paths": [{"path": "/x", "arch": "x86_64", "package": "libfoo1", "why": "w", "images": ["a"]}],
                 "sources": [source] + ([{**source, "digest": other, "extra": True}] if newer else [])}
        parts = [f'"{key}":[\n' + ",\n".join(json.dumps(item, separators=(",", ":")) for item in items) + "\n],\n"
                 for key, items in lists.items()]
        lines.append('{\n"imgfactory_lock":%d,\n"program":"1.0",\n%s' % (number, "".join(parts)))
    document(1)
    document(2)
    return [text.encode() for text in lines]


def status_record():
    image = {"image": "a", "asked": "a", "destination": "r/a", "writer": "w", "outcome": "published", "error": None, "night": 5, "good": 5,
             "failing_since": 0, "digest": "sha256:" + "a" * 64, "tags": ["latest"], "architectures": ["x86_64"], "proven": True,
             "repositories": [{"name": "s of http://a/", "date": 3}]}
    failed = {**image, "outcome": "failed", "error": {"kind": "network", "exit": 6, "text": "x"}, "digest": None}
    moves = [{"image": "a", "destination": None, "tags": ["latest"], "released": 1, "moved": 2, "seconds": 3}]
    return [json.dumps({"format": 1, "program": "1.0", "night": 5, "images": images, "moves": moves}).encode()
            for images in ([image], [failed, image], [])]


def system_exports():
    """The files of /exports in the order of the target, one for the host, and its bytes."""
    def joined(service=system_image.SERVICE, tmpfiles=system_image.TMPFILES, manifest=system_image.MANIFEST, plain=""):
        files = (json.dumps(system_image.config()), service, json.dumps(manifest), tmpfiles, plain, "/etc/greet.conf", "who=$RECEIVER $$1\n")
        return "\0".join(files).encode()
    renamed = {**system_image.MANIFEST, "renameFiles": {"/etc": "$CONF_DIRECTORY/$NAME"}, "installedFilesTemplate": ["/etc/greet.conf"]}
    lines = "f+ /run/x 0644 root :root am:1h30min text %m\nc /run/c - - - - 1:3\nt \"/run/a b\" - - - - user.a=b\nh %t/x - - - ~2d +C\n"
    detached = system_image.SERVICE + "Type=forking\nPIDFile=$PIDFILE\nExecStopPost=$EXEC_STOPPOST\n"
    return [joined(), joined(tmpfiles=lines, manifest=renamed), joined(service=detached, plain=json.dumps(system_image.config()))]


def changelog():
    entry = ("a (1.0-%d) unstable; urgency=medium\n\n  * Fix CVE-2024-1234, closes: #12, #13. (LP: #5) RHSA-2024:1234 rhbz#7\n\n"
             " -- A B <a@b>  Mon, 01 Jan 2024 00:00:00 +0000\n\n")
    return ["".join(entry % number for number in (3, 2, 1)).encode(), b"A B <a@b> - 1:1.0-3"]


def chunk_table():
    """A table of contents, tar-split (without the digest that ties it to the table) and the tar, in the pieces that frames hold."""
    tar = layer(base_image.folder("usr"), base_image.file("usr/x", "abc" * 300), base_image.link("bin", "usr/bin"), base_image.file("e", ""))
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        members = [(item.name + ("/" if item.isdir() else ""), item) for item in archive]
    entries, lines, pieces, at, told, offset = [], [], [], 0, 0, 0
    for name, item in members:
        data = tar[item.offset_data:item.offset_data + item.size]
        entry = {"type": chunked.TYPES[item.type], "name": name, "mode": item.mode, "modtime": "2020-09-13T12:26:40Z", "linkName": item.linkname,
                 "size": item.size}
        lines += [{"type": 2, "payload": base64.b64encode(tar[told:item.offset_data]).decode()},
                  {"type": 1, "name": name, "size": item.size, "payload": base64.b64encode(chunked.crc64(data) if data else b"").decode()}]
        told = item.offset_data + item.size
        if data:
            pieces += [tar[at:item.offset_data], data]
            offset, at = offset + len(chunked.Zstd().pack(pieces[-2])), told
            entry.update(digest=chunked.sha256(data), offset=offset, endOffset=offset + len(chunked.Zstd().pack(data)))
            offset = entry["endOffset"]
        entries.append(entry)
    lines.append({"type": 2, "payload": base64.b64encode(tar[told:]).decode()})
    split = "".join(json.dumps({**line, "position": number}) + "\n" for number, line in enumerate(lines)).encode()
    toc = json.dumps({"version": 1, "entries": entries}).encode()
    return [b"\n--\n".join([toc, lines_of, *pieces, tar[at:]]) for lines_of in (split, b"")]


def wire():
    """Messages between the program's two processes: a request, a repository, an exchange, their answers, bytes to be signed."""
    def numbers(*values):
        return struct.pack(f"={len(values)}Q", *values)

    def string(value):
        return numbers(len(value)) + value
    none, digest = numbers(2**64 - 1), bytes(32)
    request = numbers(0, 1) + string(b"https://a.example/b") + numbers(100, 0) + digest + none
    opened = numbers(0) + string(b"a.example/ns/b") + numbers(1, 0, 4, 500, 0, 1) + string(b"ns/c")
    exchange = (numbers(1, 0, 0, 0, 0) + string(b"PUT") + string(b"manifests/v1") + none + numbers(1) + string(b"Accept: a/b")
                + string(b"{}") + numbers(0, 0, 100))
    fine = numbers(0, 0) + none
    answer = numbers(3) + fine + digest + numbers(4, 1, 200, 4, 0) + string(b"body")
    exchanged = numbers(1) + fine + numbers(1, 0, 4, 0, 200, 0, 0, 4) + digest + none + string(b"A: b\n") + numbers(1) + string(b"body")
    return [bytes([kind]) + data for kind, data in enumerate((request, opened, exchange, answer, exchanged,
                                                              numbers(5) + string(b"bytes")))]


SEEDS = {
    "auth": lambda: [json.dumps({"auths": {"registry.example": {"auth": "dTpz"}, "registry.example/a": {"identitytoken": "x"}},
                                 "credHelpers": {"b.example": "c"}, "credsStore": "d"}).encode()],
    "changelog": changelog,
    "chunk_table": chunk_table,
    "contents": lambda: [b"usr/sbin/a admin/a,b/c\nbin/a x/d\netc/ld.so.conf.d/e.conf f/g\nlib/systemd/system/a.service a/a\n"],
    "deb": package,
    "document": document,
    "elf": symbols,
    "layers": layers,
    "ld_cache": ld_cache,
    "lock": lock,
    "packages": lambda: [debmd.stanza("a", Depends="b (>= 1), c | d:any", Provides="e (= 1)", Source="f (2)").encode()],
    "rpm_metadata": rpm_metadata,
    "rpmdb": rpmdb,
    "solve": lambda: [bytes(range(0, 96)), bytes(x % 251 for x in range(0, 4000, 7))],
    "status": status,
    "status_record": status_record,
    "symbols": symbols,
    "system_exports": system_exports,
    "tar": layers,
    "text": text,
    "wire": wire,
}

WORDS = {
    "auth": ["auths", "auth", "credHelpers", "credsStore", "identitytoken", "registrytoken", "username", "password", "registry.example"],
    "changelog": ["urgency=", " -- ", "CVE-", "closes:", "LP: #", "rhbz#", "RHSA-", "\\x0a  * ", "; ", "unstable"],
    "chunk_table": ["\\x0a--\\x0a", "entries", "version", "tarSplitDigest", "sha256:", "type", "name", "linkName", "modtime", "accesstime", "changetime",
                    "offset", "endOffset", "chunkSize", "chunkOffset", "chunkDigest", "chunkType", "zeros", "reg", "dir", "chunk", "hardlink",
                    "symlink", "xattrs", "name_raw", "payload", "position", "null", "ustar", "SCHILY.xattr.", "1970-01-01T00:00:00Z"],
    "contents": ["usr/", "bin/", "sbin/", "lib/systemd/system/", "etc/ld.so.conf.d/", ".service", "\\x0a", ","],
    "document": ["schemaVersion", "mediaType", "manifests", "layers", "config", "platform", "architecture", "variant", "annotations",
                 OCI + "index.v1+json", OCI + "manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json", "artifactType",
                 "subject", "vnd.docker.reference.type", "attestation-manifest", "Entrypoint", "ExposedPorts", "\\x01", "\\x021"],
    "layers": ["ustar", ".wh.", ".wh..wh..opq", "../", "path=", "linkpath=", "size=", "SCHILY.xattr.", "GNU.sparse.name="],
    "lock": ["imgfactory_lock", "packages", "sources", "indices", "paths", "images", "data", "generation", "extra", "sha256:", "null", "true"],
    "rpm_metadata": ["<package", "<rpm:entry", "name=", "flags=", "pre=", "<file", "type=", "ghost", "<data", "<location", "href=", "<open-checksum",
                     "artifacts:", "stream:", "document:", " if ", " else ", " and ", " with ", " unless ", "<![CDATA[", "<!DOCTYPE", "&#x0;"],
    "rpmdb": ["SQLite format 3", "Packages", "CREATE TABLE", "CREATE VIEW", "CREATE TRIGGER", "WITHOUT ROWID", "hnum", "blob", "GENERATED ALWAYS AS"],
    "status": ["Package:", "Status:", "install ok installed", "half-configured", "Version:", "Conffiles:", "Depends:", "\\x0a ", "obsolete"],
    "status_record": ["images", "moves", "outcome", "failed", "published", "unchanged", "repositories", "night", "sha256:", "null"],
    "system_exports": ["$NAME", "${NAME}", "$$", "${", "ExecStart=", "[Service]", "\\x0a", "\\x00", "version", "1.0", "defaultValues", "renameFiles",
                       "installedFilesTemplate", "noContainerService", "mounts", "source", "bind", "capabilities", "rootfs", "readonly", "0755", "10d"],
    "text": ["[", "]", "=", "@include", "auth", "--slave", "--install", "posix.", "..", "-----BEGIN", "Default:", "success=1", "\\xfd7zXZ"],
}
WORDS["tar"] = WORDS["layers"]


def prepare(name, folder):
    """Writes seeds; returns the dictionary's path, or None."""
    for number, seed in enumerate(SEEDS[name]() if name in SEEDS else []):
        with open(os.path.join(folder, f"seed-{number}"), "wb") as stream:
            stream.write(seed)
    if name not in WORDS:
        return None
    path = os.path.join(folder, os.pardir, name + ".dict")
    with open(path, "w", encoding="ascii") as stream:
        stream.writelines('"%s"\n' % word.replace('"', '\\"') for word in WORDS[name])
    return path


def fuzz(program, seconds, corpus, seed):
    name = os.path.basename(program).removeprefix("fuzz_")
    words = prepare(name, corpus)
    command = [program, f"-max_total_time={seconds}", "-rss_limit_mb=1024", "-timeout=20", "-print_final_stats=1",
               f"-artifact_prefix={program}.", f"-seed={seed}", *([f"-dict={words}"] if words else []), corpus]
    return subprocess.run(command, check=False).returncode


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--corpus", metavar="DIR", help="kept; without it a temporary one")
    options = parser.parse_args()
    program = os.path.abspath(options.program)
    if options.corpus:
        os.makedirs(options.corpus, exist_ok=True)
        return fuzz(program, options.seconds, options.corpus, 0)
    with tempfile.TemporaryDirectory() as top:
        corpus = os.path.join(top, "corpus")
        os.mkdir(corpus)
        return fuzz(program, options.seconds, corpus, 1)


if __name__ == "__main__":
    sys.exit(main())
