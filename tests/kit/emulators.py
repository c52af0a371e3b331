# SPDX-License-Identifier: Apache-2.0
"""qemu's user-mode emulators, by either name: qemu-ARCH-static (Debian up to 13), or qemu-ARCH, which newer qemu-user
packages link statically themselves."""

import shutil
import struct

PT_INTERP = 3


def is_static(path):
    """Whether a program needs no loader, so that it also starts inside of another root."""
    with open(path, "rb") as stream:
        head = stream.read(4096)
    if head[:4] != b"\x7fELF":
        return False
    wide = head[4] == 2
    start, = struct.unpack_from("<Q" if wide else "<I", head, 32 if wide else 28)
    size, count = struct.unpack_from("<HH", head, 54 if wide else 42)
    return all(struct.unpack_from("<I", head, start + number * size)[0] != PT_INTERP for number in range(count))


def find(arch):
    """The path of a static emulator of that machine, or None."""
    named = shutil.which(f"qemu-{arch}-static")
    plain = shutil.which(f"qemu-{arch}")
    return named or (plain if plain and is_static(plain) else None)


def need(*arches):
    """Names the first machine without emulator; a test without its tools fails, it is not passed over."""
    for arch in arches:
        if not find(arch):
            raise RuntimeError(f"a static qemu-{arch} is missing: scripts/test installs what the tests need")
