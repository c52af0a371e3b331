# SPDX-License-Identifier: Apache-2.0
"""Checks a zstd:chunked layer with no help from the program: frames, footer, table of contents and tar-split against the tar,
member by member, as containers/storage's pkg/chunked reads them.

    python3 tests/kit/chunked.py LAYOUT…     # all such layers of layouts
"""

import base64
import calendar
import copy
import ctypes
import ctypes.util
import decimal
import functools
import hashlib
import io
import json
import os
import re
import struct
import sys
import tarfile
import time

PREFIX = "io.github.containers.zstd-chunked."
OLD_PREFIX = "io.containers.zstd-chunked."  # of skopeo 1.9
CHECKSUM, POSITION, SPLIT = PREFIX + "manifest-checksum", PREFIX + "manifest-position", PREFIX + "tarsplit-position"
SKIPPABLE = b"\x50\x2a\x4d\x18"
TYPES = {tarfile.REGTYPE: "reg", tarfile.DIRTYPE: "dir", tarfile.SYMTYPE: "symlink", tarfile.LNKTYPE: "hardlink",
         tarfile.CHRTYPE: "char", tarfile.BLKTYPE: "block", tarfile.FIFOTYPE: "fifo"}
XATTR = "SCHILY.xattr."
NOTHING = "sha256:" + hashlib.sha256(b"").hexdigest()
UNKNOWN = (1 << 64) - 1  # ZSTD_CONTENTSIZE_UNKNOWN


class Wrong(Exception):
    pass


def want(is_so, words):
    if not is_so:
        raise Wrong(words)


def sha256(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Run(ctypes.Structure):
    """ZSTD_inBuffer and ZSTD_outBuffer"""
    _fields_ = [("bytes", ctypes.c_void_p), ("size", ctypes.c_size_t), ("at", ctypes.c_size_t)]


@functools.lru_cache
def find_zstd():
    return ctypes.util.find_library("zstd") or "libzstd.so.1"


class Zstd:
    """libzstd by ctypes."""

    def __init__(self):
        self.library = ctypes.CDLL(find_zstd())
        for name, result, arguments in (
                ("ZSTD_findFrameCompressedSize", ctypes.c_size_t, (ctypes.c_char_p, ctypes.c_size_t)),
                ("ZSTD_getFrameContentSize", ctypes.c_ulonglong, (ctypes.c_char_p, ctypes.c_size_t)),
                ("ZSTD_compress", ctypes.c_size_t, (ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int)),
                ("ZSTD_createDStream", ctypes.c_void_p, ()), ("ZSTD_freeDStream", ctypes.c_size_t, (ctypes.c_void_p,)),
                ("ZSTD_decompressStream", ctypes.c_size_t, (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)),
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

    def stream(self, frames):
        """The bytes of frames that do not say their size, as others write them."""
        context, out = self.library.ZSTD_createDStream(), b""
        piece, source = ctypes.create_string_buffer(1 << 17), ctypes.create_string_buffer(frames, len(frames))
        given = Run(ctypes.addressof(source), len(frames), 0)
        try:
            while True:
                taken = Run(ctypes.addressof(piece), len(piece), 0)
                left = self.library.ZSTD_decompressStream(context, ctypes.byref(taken), ctypes.byref(given))
                want(not self.library.ZSTD_isError(left), "a frame cannot be decompressed")
                out += piece.raw[:taken.at]
                if given.at == len(frames) and taken.at < len(piece):
                    want(left == 0, "a frame is cut off")
                    return out
        finally:
            self.library.ZSTD_freeDStream(context)

    def pack(self, data):
        """One frame."""
        out = ctypes.create_string_buffer(len(data) + (len(data) >> 8) + 512)
        size = self.library.ZSTD_compress(out, len(out), data, len(data), 3)
        assert not self.library.ZSTD_isError(size)
        return out.raw[:size]

    def unpack(self, frame):
        """The bytes of one frame."""
        size = self.library.ZSTD_getFrameContentSize(frame, len(frame))
        if size == UNKNOWN:
            return self.stream(frame)
        want(size < 1 << 40, "a frame of no size")
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


@functools.lru_cache(maxsize=64)  # a sweep asks of the same bytes again and again
def crc64(data):
    """Go's hash/crc64 with the table ISO, in tar-split's bytes."""
    crc = (1 << 64) - 1
    for byte in data:
        crc = CRCS[(crc ^ byte) & 255] ^ crc >> 8
    return struct.pack(">Q", crc ^ (1 << 64) - 1)


def instant(date):
    """Nanoseconds since the epoch of RFC 3339; None for Go's zero time, or none at all."""
    if not date or date == "0001-01-01T00:00:00Z":
        return None
    found = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(?:Z|([+-])(\d\d):(\d\d))", date)
    want(found, f"{date} is no time")
    moment, fraction, sign, hours, minutes = found.groups()
    east = (int(hours) * 60 + int(minutes)) * (-60 if sign == "-" else 60) if sign else 0
    try:
        return (calendar.timegm(time.strptime(moment, "%Y-%m-%dT%H:%M:%S")) - east) * 10**9 + int((fraction or "0").ljust(9, "0")[:9])
    except ValueError as error:
        raise Wrong(str(error)) from error


def pax_instant(member, key, default=None):
    written = member.pax_headers.get(key)
    return int(decimal.Decimal(written) * 10**9) if written is not None else default


def renamed(annotations):
    """Those of older writers under today's names."""
    return {key.replace(OLD_PREFIX, PREFIX) if key.startswith(OLD_PREFIX) else key: note for key, note in annotations.items()}


class Layer:
    """A layer's bytes and the annotations of its descriptor."""

    def __init__(self, blob, annotations, zstd=None):
        self.blob, self.annotations, self.zstd = blob, renamed(annotations), zstd or Zstd()
        self.frames = self.zstd.frames(blob)
        self.begins, self.ends = {begin: end for begin, end in self.frames}, {end for _, end in self.frames}

    def numbers(self, key):
        return [int(number) for number in self.annotations[key].split(":")]

    def part(self, offset, size):
        want(self.blob[offset - 8:offset] == SKIPPABLE + struct.pack("<I", size), f"at {offset} no skippable frame of {size}")
        return self.blob[offset:offset + size]

    def check_end(self):
        """Footer, digests and sizes; returns table of contents and tar-split (None: an older writer made none)."""
        position = self.numbers(POSITION)
        want(position[3] == 1, "another type than 1")
        if SPLIT not in self.annotations:
            table = self.table(self.part(*position[:2]), position[2])
            want("tarSplitDigest" not in table, "a digest of a tar-split that is not there")
            return table["entries"], None
        split = self.numbers(SPLIT)
        footer = struct.pack("<QQQQQQQ", *position, *split) + b"GNUlInUx"
        want(self.blob[-72:] == SKIPPABLE + struct.pack("<I", 64) + footer, "the footer differs from the annotations")
        packed, packed_split = self.part(*position[:2]), self.part(*split[:2])
        table, lines = self.table(packed, position[2]), self.zstd.unpack(packed_split)
        want(len(lines) == split[2], "the plain size of tar-split differs from the annotation")
        want(table["tarSplitDigest"] == sha256(packed_split), "the digest of tar-split")
        return table["entries"], [json.loads(line) for line in lines.splitlines()]

    def table(self, packed, size):
        """The table of contents."""
        want(sha256(packed) == self.annotations[CHECKSUM], "the table of contents has another digest")
        toc = self.zstd.unpack(packed)
        want(len(toc) == size, "the plain size of the table differs from the annotation")
        table = json.loads(toc)
        want(table["version"] == 1, "another version")
        return table

    def tar(self):
        """The tar, and that nothing but three skippable frames is behind it."""
        plain = [frame for frame in self.frames if self.blob[frame[0]:frame[0] + 4] != SKIPPABLE]
        behind = 3 if SPLIT in self.annotations else len(self.frames) - len(plain)  # older writers
        want(self.frames[:len(plain)] == plain and len(self.frames) == len(plain) + behind, "skippable frames elsewhere than at the end")
        return b"".join(self.zstd.unpack(self.blob[begin:end]) for begin, end in plain)

    def content(self, chunks):
        """The bytes of a file by its chunks, each a frame of its own."""
        out = b""
        for number, chunk in enumerate(chunks):
            begin = chunk.get("offset", 0)
            want(begin in self.begins, f"{chunk['name']}: no frame begins at {begin}")
            data = self.zstd.unpack(self.blob[begin:self.begins[begin]])
            if len(chunks) > 1 or "chunkSize" in chunk:
                want(chunk.get("chunkSize", 0) == len(data) and chunk.get("chunkOffset", 0) == len(out)
                     and chunk.get("chunkDigest") == sha256(data), f"{chunk['name']}: chunk {number}")
            want(chunk.get("chunkType", "") in ("", "zeros") and not (chunk.get("chunkType") and data.strip(b"\0")),
                 f"{chunk['name']}: a chunk of zeros that is none")
            out += data
            if number + 1 == len(chunks):
                want(chunks[0].get("endOffset") == self.begins[begin], f"{chunk['name']}: endOffset")
        return out


def same(entry, member, name):
    """What an entry of the table says of a member but for its bytes."""
    xattrs = {key[len(XATTR):]: base64.b64encode(value.encode("utf-8", "surrogateescape")).decode()
              for key, value in member.pax_headers.items() if key.startswith(XATTR)}
    told = [entry["type"], entry["name"], entry.get("linkName", ""), entry.get("mode", 0), entry.get("size", 0), entry.get("uid", 0),
            entry.get("gid", 0), instant(entry.get("modtime")), entry.get("xattrs", {})]
    found = [TYPES[member.type], name, member.linkname, member.mode, member.size if member.isreg() else 0, member.uid, member.gid,
             pax_instant(member, "mtime", int(member.mtime) * 10**9), xattrs]
    told += [instant(entry.get("accesstime")), instant(entry.get("changetime"))]
    found += [pax_instant(member, "atime"), pax_instant(member, "ctime")]
    device = [entry.get("devMajor", 0), entry.get("devMinor", 0)]
    want(told == found, f"the table has {told}, the tar {found}")
    want(device == [member.devmajor, member.devminor] or not (member.isdev() or any(device)), f"{name}: its device")


def check_split(lines, tar, members):
    """The tar is put together by its lines; one of type 1 for each member, behind its header."""
    at, names = 0, []
    for number, line in enumerate(lines):
        want(line["position"] == number, f"line {number} is numbered {line['position']}")
        payload = base64.b64decode(line.get("payload") or b"")
        want(base64.b64encode(payload).decode() == (line.get("payload") or ""), f"line {number} has odd base64")
        want(line["type"] in (1, 2) and (line["type"] == 2 or len(names) < len(members)), f"line {number} is of nothing")
        if line["type"] == 2:
            want(tar[at:at + len(payload)] == payload, f"line {number} has other bytes than the tar at {at}")
            at += len(payload)
            continue
        name, member = members[len(names)]
        size = line.get("size", 0)
        told = base64.b64decode(line["name_raw"]).decode("utf-8", "surrogateescape") if line.get("name_raw") else line["name"]
        want((told, size, at) == (name, member.size, member.offset_data), f"line {number} is not of {name}")
        want(payload == (crc64(tar[at:at + size]) if size else b""), f"{name}: CRC-64")
        want(number and lines[number - 1]["type"] == 2, f"{name}: no header before it")
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
    if lines is not None:
        check_split(lines, tar, members)
    at = 0
    for name, member in members:
        want(at < len(entries), f"{name}: it is not in the table")
        entry = entries[at]
        count = 1
        while at + count < len(entries) and entries[at + count]["type"] == "chunk":
            count += 1
        chunks = entries[at:at + count]
        want(all(chunk["name"] == name for chunk in chunks), f"{name}: a chunk of another file")
        at += count
        same(entry, member, name)
        if not member.isreg() or not member.size:
            want(count == 1 and entry.get("digest", NOTHING) == NOTHING and entry.get("endOffset", 0) <= entry.get("offset", 0)
                 and not entry.get("chunkSize") and not entry.get("chunkDigest"), f"{name}: it has no bytes")
            continue
        data = tar[member.offset_data:member.offset_data + member.size]
        want(entry.get("digest") == sha256(data) and layer.content(chunks) == data, f"{name}: its bytes")
    want(at == len(entries), "the table has entries that the tar has not")
    return entries


def verdict(blob, annotations, diff_id):
    """What is wrong with a layer, or None."""
    try:
        check(blob, annotations, diff_id)
    except (Wrong, KeyError, TypeError, ValueError, AttributeError) as error:
        return repr(error)
    return None


def forged(blob, annotations, entries, lines):
    """A layer with the same tar, another table and tar-split (None: none), and digests that are right: its bytes and annotations."""
    def part(data, out):
        packed = Zstd().pack(data)
        out += SKIPPABLE + struct.pack("<I", len(packed)) + packed
        return packed, [len(out) - len(packed), len(packed), len(data)]

    out = bytearray(blob[:int(renamed(annotations)[POSITION].split(":")[0]) - 8])
    if lines is None:
        packed_toc, position = part(json.dumps({"version": 1, "entries": entries}).encode(), out)
        return bytes(out), {CHECKSUM: sha256(packed_toc), POSITION: ":".join(map(str, [*position, 1]))}
    split = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    packed = Zstd().pack(split)
    toc = json.dumps({"version": 1, "entries": entries, "tarSplitDigest": sha256(packed)}).encode()
    packed_toc, position = part(toc, out)
    _, place = part(split, out)
    out += SKIPPABLE + struct.pack("<I", 64) + struct.pack("<QQQQQQQ", *position, 1, *place) + b"GNUlInUx"
    return bytes(out), {CHECKSUM: sha256(packed_toc), POSITION: ":".join(map(str, [*position, 1])), SPLIT: ":".join(map(str, place))}


def mutated(entries, lines, chance):
    """Table and tar-split with one thing in them changed by chance, and words for it. The change may be none in effect."""
    entries, lines = copy.deepcopy(entries), copy.deepcopy(lines)
    items = entries if chance.random() < 0.7 else lines
    at = chance.randrange(len(items))
    item, key = items[at], chance.choice([*items[at], "new"])
    kind = chance.randrange(6)
    if kind == 0:
        del items[at]
    elif kind == 1:
        items.insert(chance.randrange(len(items)), dict(item))
    elif kind == 2:
        other = chance.randrange(len(items))
        items[at], items[other] = items[other], item
    elif key == "new":
        item.update(chance.choice([{"uid": 5}, {"xattrs": {"user.x": "eA=="}}, {"linkName": "x"}, {"mode": 0o4755}, {"size": 7}, {"offset": 8},
                                   {"chunkType": "zeros"}, {"devMinor": 3}, {"accesstime": "2001-01-01T00:00:00Z"}, {"chunkSize": 1},
                                   {"digest": NOTHING}, {"payload": "AAAA"}, {"note": "of no meaning"}]))
    elif kind == 3:
        del item[key]
    else:
        item[key] = other_value(item[key], [entry.get(key) for entry in items], chance)
    return entries, lines, f"{'table' if items is entries else 'tar-split'} {at} {('dropped', 'twice', 'swapped', 'lost', 'other', 'other')[kind]} {key}"


def other_value(value, others, chance):
    if chance.random() < 0.3:
        return chance.choice(others)
    if isinstance(value, int):
        return value + chance.choice([1, -1, 8, 1 << 40])
    if isinstance(value, str) and value:
        place = chance.randrange(len(value))
        return value[:place] + chance.choice("0a/Z") + value[place + 1:]
    return chance.choice([None, "", 0, 1, []])


def put_layer(folder, blob, annotations):
    """Puts other bytes in the place of the only layer of a layout of one manifest; all outer digests are right."""
    def put(data):
        name = hashlib.sha256(data).hexdigest()
        with open(os.path.join(folder, "blobs", "sha256", name), "wb") as stream:
            stream.write(data)
        return {"digest": "sha256:" + name, "size": len(data)}

    with open(os.path.join(folder, "index.json"), encoding="utf-8") as stream:
        index = json.load(stream)
    while True:
        with open(os.path.join(folder, "blobs", *index["manifests"][0]["digest"].split(":")), encoding="utf-8") as stream:
            document = json.load(stream)
        if "layers" in document:
            break
        index = {**document, "annotations": {}}
    layer = document["layers"][0]
    layer.update(put(blob), annotations={**{key: note for key, note in layer.get("annotations", {}).items() if not key.startswith((PREFIX, OLD_PREFIX))},
                                         **annotations})
    item = {"mediaType": "application/vnd.oci.image.manifest.v1+json", **put(json.dumps(document).encode()),
            "annotations": {"org.opencontainers.image.ref.name": "latest"}}
    with open(os.path.join(folder, "index.json"), "w", encoding="utf-8") as stream:
        json.dump({"schemaVersion": 2, "manifests": [item]}, stream)


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
            if CHECKSUM in renamed(descriptor.get("annotations", {})):
                yield digest, descriptor, read(descriptor["digest"]), diff_id


if __name__ == "__main__":
    for path in sys.argv[1:]:
        for _, found, data, wanted in layers(path):
            told = check(data, found["annotations"], wanted)
            print(f"{path} {found['digest']}: {len(data)} bytes, {len(told)} entries, well")
