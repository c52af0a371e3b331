# SPDX-License-Identifier: Apache-2.0
"""Writes minimal ELF files of any class, byte order and machine: program headers, PT_INTERP, PT_DYNAMIC, no sections.

They are what a dynamic loader's search reads (gABI, "Program Loading and Dynamic Linking"), not programs that run.
"""

import struct

EM = {"386": 3, "arm": 40, "ppc64": 21, "s390": 22, "x86_64": 62, "aarch64": 183, "riscv": 243}
# e_flags of real ones: EABI 5 with hard float; ELFv2; compressed instructions with double float
FLAGS = {"arm": 0x05000400, "ppc64": 2, "riscv": 5}
PT_LOAD, PT_DYNAMIC, PT_INTERP, PT_NOTE = 1, 2, 3, 4
DT_NULL, DT_NEEDED, DT_STRTAB, DT_STRSZ, DT_SONAME, DT_RPATH, DT_RUNPATH = 0, 1, 5, 10, 14, 15, 29
BASE = 0x10000


def write(machine=EM["x86_64"], bits=64, big_endian=False, interp=None, needed=(), soname=None, rpath=None,
          runpath=None, shared=True, payload=b"", lies=None, dlopen=None, flags=None):
    """Returns the bytes of one file. `payload` is appended as the file's body; `flags` are e_flags, by default those of
    the machine's usual ABI.

    `dlopen` is the JSON text of a dlopen note (uapi-group.org, ELF dlopen metadata). `lies` replaces fields by hostile
    values: phoff, phnum, dynamic_offset, dynamic_size, strtab, strsz, needed_at,
    interp_size.
    """
    lies = lies or {}
    if flags is None:
        flags = next((usual for name, usual in FLAGS.items() if EM[name] == machine), 0)
    order = ">" if big_endian else "<"
    word = "Q" if bits == 64 else "I"
    word_size = 8 if bits == 64 else 4
    header_size, entry_size = (64, 56) if bits == 64 else (52, 32)

    names = bytearray(b"\0")

    def name(string):
        at = len(names)
        names.extend(string.encode() + b"\0")
        return at

    tags = [(DT_NEEDED, name(library)) for library in needed]
    tags += [(tag, name(value)) for tag, value in ((DT_SONAME, soname), (DT_RPATH, rpath), (DT_RUNPATH, runpath))
             if value is not None]
    if "needed_at" in lies:
        tags.append((DT_NEEDED, lies["needed_at"]))

    segment_count = 2 + (interp is not None) + (dlopen is not None)
    interp_at = header_size + segment_count * entry_size
    interp_bytes = interp.encode() + b"\0" if interp is not None else b""
    names_at = interp_at + len(interp_bytes)
    dynamic_at = -(-(names_at + len(names)) // word_size) * word_size
    tags += [(DT_STRTAB, lies.get("strtab", BASE + names_at)), (DT_STRSZ, lies.get("strsz", len(names))), (DT_NULL, 0)]
    dynamic = b"".join(struct.pack(order + word * 2, tag, value) for tag, value in tags)
    dynamic_size = len(dynamic)
    note_at = -(-(dynamic_at + len(dynamic)) // 4) * 4
    note = b""
    if dlopen is not None:
        text = dlopen.encode() + b"\0"
        note = struct.pack(order + "III", 4, len(text), 0x407C0C0A) + b"FDO\0" + text + b"\0" * (-len(text) % 4)
        dynamic += b"\0" * (note_at - dynamic_at - len(dynamic)) + note
    body_at = dynamic_at + len(dynamic)
    total = body_at + len(payload)

    def segment(kind, offset, size, align):
        if bits == 64:
            return struct.pack(order + "IIQQQQQQ", kind, 5, offset, BASE + offset, BASE + offset, size, size, align)
        return struct.pack(order + "IIIIIIII", kind, offset, BASE + offset, BASE + offset, size, size, 5, align)

    segments = b""
    if interp is not None:
        segments += segment(PT_INTERP, interp_at, lies.get("interp_size", len(interp_bytes)), 1)
    if dlopen is not None:
        segments += segment(PT_NOTE, note_at, len(note), 4)
    segments += segment(PT_LOAD, 0, total, 0x1000)
    segments += segment(PT_DYNAMIC, lies.get("dynamic_offset", dynamic_at), lies.get("dynamic_size", dynamic_size),
                        word_size)

    ident = b"\x7fELF" + bytes([2 if bits == 64 else 1, 2 if big_endian else 1, 1]) + bytes(9)
    header = ident + struct.pack(order + "HHI" + word * 3 + "IHHHHHH", 3 if shared else 2, machine, 1, BASE,
                                 lies.get("phoff", header_size), 0, flags, header_size, entry_size,
                                 lies.get("phnum", segment_count), 0, 0, 0)
    out = header + segments + interp_bytes + bytes(names)
    return out + bytes(dynamic_at - len(out)) + dynamic + payload


def hello(architecture, text):
    """A static program for "amd64" or "arm64" that prints `text` and ends: write(2) and exit(2), nothing else."""
    data = text.encode()
    if architecture == "amd64":
        code = (b"\xb8\x01\0\0\0\xbf\x01\0\0\0\x48\x8d\x35\x10\0\0\0\xba" + struct.pack("<I", len(data)) + b"\x0f\x05"
                b"\xb8\x3c\0\0\0\x31\xff\x0f\x05")
    else:  # mov x8,#64; mov x0,#1; adr x1,+24; mov x2,#len; svc 0; mov x8,#93; mov x0,#0; svc 0
        code = struct.pack("<8I", 0xD2800808, 0xD2800020, 0x100000C1, 0xD2800002 | len(data) << 5, 0xD4000001,
                           0xD2800BA8, 0xD2800000, 0xD4000001)
    at = 64 + 56
    total = at + len(code) + len(data)
    machine = EM["x86_64" if architecture == "amd64" else "aarch64"]
    header = b"\x7fELF\x02\x01\x01" + bytes(9)
    header += struct.pack("<HHIQQQIHHHHHH", 2, machine, 1, 0x400000 + at, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    return header + struct.pack("<IIQQQQQQ", PT_LOAD, 5, 0, 0x400000, 0x400000, total, total, 0x1000) + code + data
