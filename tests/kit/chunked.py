# SPDX-License-Identifier: Apache-2.0
"""Checks a zstd:chunked layer with no help from the program: frames, footer, table of contents and tar-split against the tar,
member by member, as containers/storage's pkg/chunked reads them.

    python3 tests/kit/chunked.py LAYOUT…     # all such layers of layouts
"""

import base64
import calendar
import ctypes
import ctypes.util
import hashlib
import io
import json
import os
import struct
import sys
import tarfile
import time

PREFIX = "io.github.containers.zstd-chunked."
CHECKSUM, POSITION, SPLIT = PREFIX + "manifest-checksum", PREFIX + "manifest-position", PREFIX + "tarsplit-position"
SKIPPABLE = b"\x50\x2a\x4d\x18"
TYPES = {tarfile.REGTYPE: "reg", tarfile.DIRTYPE: "dir", tarfile.SYMTYPE: "symlink", tarfile.LNKTYPE: "hardlink",
         tarfile.CHRTYPE: "char", tarfile.BLKTYPE: "block", tarfile.FIFOTYPE: "fifo"}
XATTR = "SCHILY.xattr."


class Wrong(Exception):
    pass


def want(is_so, words):
    if not is_so:
        raise Wrong(words)


def sha256(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Zstd:
    """libzstd by ctypes."""

    def __init__(self):
        self.library = ctypes.CDLL(ctypes.util.find_library("zstd") or "libzstd.so.1")
        for name, result, arguments in (
                ("ZSTD_findFrameCompressedSize", ctypes.c_size_t, (ctypes.c_char_p, ctypes.c_size_t)),
                ("ZSTD_getFrameContentSize", ctypes.c_ulonglong, (ctypes.c_char_p, ctypes.c_size_t)),
                ("ZSTD_isError", ctypes.c_uint, (ctypes.c_size_t,)),
                ("ZSTD_decompress", ctypes.c_size_t, (ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t))):
            function = getattr(self.library, name)
            function.restype, function.argtypes = result, arguments

    def frames(self, blob):
        """[(begin, end)] of a blob's frames."""
        out, at = [], 0
        while at < len(blob):
            piece = blob[at:]
            size = self.library.ZSTD_findFrameCompressedSize(piece, len(piece))
            want(not self.library.ZSTD_isError(size), f"at {at} there is no zstd frame")
            out.append((at, at + size))
            at += size
        return out

    def unpack(self, frame):
        """The bytes of one frame that says its size."""
        size = self.library.ZSTD_getFrameContentSize(frame, len(frame))
        want(size < 1 << 40, "a frame does not say its size")
        out = ctypes.create_string_buffer(size or 1)
        got = self.library.ZSTD_decompress(out, size, frame, len(frame))
        want(got == size, "a frame cannot be decompressed")
        return out.raw[:size]


def crc_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0xD800000000000000 if byte & 1 else 0)
        table.append(byte)
    return table


CRCS = crc_table()


def crc64(data):
    """Go's hash/crc64 with the table ISO, in tar-split's bytes."""
    crc = (1 << 64) - 1
    for byte in data:
        crc = CRCS[(crc ^ byte) & 255] ^ crc >> 8
    return struct.pack(">Q", crc ^ (1 << 64) - 1)


def seconds(date):
    return calendar.timegm(time.strptime(date, "%Y-%m-%dT%H:%M:%SZ"))


class Layer:
    """A layer's bytes and the annotations of its descriptor."""

    def __init__(self, blob, annotations, zstd=None):
        self.blob, self.annotations, self.zstd = blob, annotations, zstd or Zstd()
        self.frames = self.zstd.frames(blob)
        self.begins, self.ends = {begin: end for begin, end in self.frames}, {end for _, end in self.frames}

    def numbers(self, key):
        return [int(number) for number in self.annotations[key].split(":")]

    def part(self, offset, size):
        want(self.blob[offset - 8:offset] == SKIPPABLE + struct.pack("<I", size), f"at {offset} no skippable frame of {size}")
        return self.blob[offset:offset + size]

    def check_end(self):
        """Footer, digests and sizes; returns table of contents and tar-split."""
        position, split = self.numbers(POSITION), self.numbers(SPLIT)
        want(position[3] == 1, "another type than 1")
        footer = struct.pack("<QQQQQQQ", *position, *split) + b"GNUlInUx"
        want(self.blob[-72:] == SKIPPABLE + struct.pack("<I", 64) + footer, "the footer differs from the annotations")
        packed, packed_split = self.part(*position[:2]), self.part(*split[:2])
        want(sha256(packed) == self.annotations[CHECKSUM], "the table of contents has another digest")
        toc, lines = self.zstd.unpack(packed), self.zstd.unpack(packed_split)
        want((len(toc), len(lines)) == (position[2], split[2]), "plain sizes differ from the annotations")
        table = json.loads(toc)
        want(table["version"] == 1 and table["tarSplitDigest"] == sha256(packed_split), "version, or digest of tar-split")
        return table["entries"], [json.loads(line) for line in lines.splitlines()]

    def tar(self):
        """The tar, and that nothing but three skippable frames is behind it."""
        plain = [frame for frame in self.frames if self.blob[frame[0]:frame[0] + 4] != SKIPPABLE]
        want(self.frames[:len(plain)] == plain and len(self.frames) == len(plain) + 3, "skippable frames elsewhere than at the end")
        return b"".join(self.zstd.unpack(self.blob[begin:end]) for begin, end in plain)

    def content(self, chunks):
        """The bytes of a file by its chunks, each a frame of its own."""
        out = b""
        for number, chunk in enumerate(chunks):
            begin = chunk["offset"]
            want(begin in self.begins, f"{chunk['name']}: no frame begins at {begin}")
            data = self.zstd.unpack(self.blob[begin:self.begins[begin]])
            if len(chunks) > 1:
                want(chunk["chunkSize"] == len(data) and chunk.get("chunkOffset", 0) == len(out)
                     and chunk["chunkDigest"] == sha256(data), f"{chunk['name']}: chunk {number}")
            out += data
            if number + 1 == len(chunks):
                want(chunk["endOffset"] == chunks[0]["endOffset"] == self.begins[begin], f"{chunk['name']}: endOffset")
        return out


def same(entry, member, name):
    """What an entry of the table says of a member but for its bytes."""
    xattrs = {key[len(XATTR):]: base64.b64encode(value.encode("utf-8", "surrogateescape")).decode()
              for key, value in member.pax_headers.items() if key.startswith(XATTR)}
    told = [entry["type"], entry["name"], entry.get("linkName", ""), entry.get("mode", 0), entry.get("size", 0), entry.get("uid", 0),
            entry.get("gid", 0), seconds(entry["modtime"]), entry.get("xattrs", {})]
    found = [TYPES[member.type], name, member.linkname, member.mode, member.size if member.isreg() else 0, member.uid, member.gid,
             int(member.mtime), xattrs]
    want(told == found, f"the table has {told}, the tar {found}")


def check_split(lines, tar, members):
    """The tar is put together by its lines; one of type 1 for each member, behind its header."""
    at, names = 0, []
    for number, line in enumerate(lines):
        want(line["position"] == number, f"line {number} is numbered {line['position']}")
        payload = base64.b64decode(line["payload"]) if line["payload"] else b""
        if line["type"] == 2:
            want(tar[at:at + len(payload)] == payload, f"line {number} has other bytes than the tar at {at}")
            at += len(payload)
            continue
        name, member = members[len(names)]
        size = line.get("size", 0)
        want((line["name"], size, at) == (name, member.size, member.offset_data), f"line {number} is not of {name}")
        want(payload == (crc64(tar[at:at + size]) if size else b""), f"{name}: CRC-64")
        want(lines[number - 1]["type"] == 2, f"{name}: no header before it")
        names.append(name)
        at += size
    want(at == len(tar) and len(names) == len(members), "tar-split and tar do not end together")


def check(blob, annotations, diff_id):
    """Checks all of a layer; returns the table's entries. Wrong says what is wrong."""
    layer = Layer(blob, annotations)
    entries, lines = layer.check_end()
    tar = layer.tar()
    want(sha256(tar) == diff_id, "the tar has another digest")
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        members = [(item.name + ("/" if item.isdir() else ""), item) for item in archive]
    check_split(lines, tar, members)
    at = 0
    for name, member in members:
        entry = entries[at]
        count = 1
        while at + count < len(entries) and entries[at + count]["type"] == "chunk":
            count += 1
        chunks = entries[at:at + count]
        want(all(chunk["name"] == name for chunk in chunks), f"{name}: a chunk of another file")
        at += count
        same(entry, member, name)
        if not member.isreg() or not member.size:
            want(count == 1 and "digest" not in entry and "offset" not in entry, f"{name}: it has no bytes")
            continue
        data = tar[member.offset_data:member.offset_data + member.size]
        want(entry["digest"] == sha256(data) and layer.content(chunks) == data, f"{name}: its bytes")
    want(at == len(entries), "the table has entries that the tar has not")
    return entries


def chunk_sizes(blob, annotations):
    """{digest of a chunk's plain bytes: bytes of its frame} by the table of contents; of the table itself and tar-split under the
    table's digest."""
    layer = Layer.__new__(Layer)
    layer.blob, layer.annotations = blob, annotations
    position, split = layer.numbers(POSITION), layer.numbers(SPLIT)
    sizes = {annotations[CHECKSUM]: position[1] + split[1]}
    entries = json.loads(Zstd().unpack(layer.part(*position[:2])))["entries"]
    for entry, after in zip(entries, [*entries[1:], {}]):
        if "offset" in entry:
            end = after["offset"] if after.get("type") == "chunk" else entry["endOffset"]
            sizes[entry.get("chunkDigest") or entry["digest"]] = end - entry["offset"]
    return sizes


def layers(folder):
    """(manifest's digest, layer's descriptor, its bytes, diff ID) of all chunked layers of a layout."""
    def read(digest):
        with open(os.path.join(folder, "blobs", *digest.split(":")), "rb") as stream:
            return stream.read()

    with open(os.path.join(folder, "index.json"), "rb") as stream:
        found = [item["digest"] for item in json.load(stream)["manifests"]]
    for digest in found:
        document = json.loads(read(digest))
        found += [item["digest"] for item in document.get("manifests", []) if item["digest"] not in found]
        if "layers" not in document:
            continue
        ids = json.loads(read(document["config"]["digest"]))["rootfs"]["diff_ids"]
        for descriptor, diff_id in zip(document["layers"], ids):
            if CHECKSUM in descriptor.get("annotations", {}):
                yield digest, descriptor, read(descriptor["digest"]), diff_id


if __name__ == "__main__":
    for path in sys.argv[1:]:
        for _, found, data, wanted in layers(path):
            told = check(data, found["annotations"], wanted)
            print(f"{path} {found['digest']}: {len(data)} bytes, {len(told)} entries, well")
