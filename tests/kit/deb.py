# SPDX-License-Identifier: Apache-2.0
"""Makes .deb files: honest ones by dpkg-deb, and any bytes at all by hand (ar and tar written here) for the hostile ones."""

import functools
import gzip
import hashlib
import io
import lzma
import os
import subprocess
import tarfile
import tempfile
import zlib

EPOCH = 1700000000  # every time in a package that the kit makes

# What dpkg-deb made in this process, by a digest over all that it was made of: most tests of a program make the same small
# distribution anew. Big packages are one test's, and are not kept.
KEPT_MAX = 1 << 20
_made = {}


class File:
    """One entry of a package. kind: file, dir, link (symbolic). Owners need `raw` packages."""

    def __init__(self, path, data=b"", mode=None, kind="file", target=None):
        self.path = path
        self.data = data.encode() if isinstance(data, str) else data
        self.kind = kind
        self.target = target
        self.mode = mode if mode is not None else (0o755 if kind == "dir" else 0o644)


def program(path, data):
    return File(path, data, 0o755)


def link(path, target):
    return File(path, kind="link", target=target)


def directory(path, mode=0o755):
    return File(path, kind="dir", mode=mode)


class Package:
    """A package: `files` and control fields; `raw` replaces the whole .deb's bytes (the control fields still go into the
    index)."""

    def __init__(self, name, files=(), version="1.0-1", arch="all", compression="xz", raw=None, **fields):
        self.name, self.version, self.arch = name, version, arch
        self.files = list(files)
        self.compression = compression
        self.raw = raw
        self.scripts = {}  # maintainer scripts: name → text
        self._built = None
        self.fields = {"Maintainer": "Test Kit <kit@example.org>", "Section": "misc", "Priority": "optional",
                       "Description": f"{name} of the test kit"}
        self.fields.update({key.replace("_", "-"): value for key, value in fields.items()})

    @property
    def file_name(self):
        return f"{self.name}_{self.version.split(':')[-1]}_{self.arch}.deb"

    def control(self):
        lines = [f"Package: {self.name}", f"Version: {self.version}", f"Architecture: {self.arch}"]
        return "".join(line + "\n" for line in lines + [f"{key}: {value}" for key, value in self.fields.items()])

    def build(self):
        """Returns the bytes of the .deb; made once, so change a package before its first build."""
        if self.raw is None and self._built is None:
            inputs = self._inputs()
            self._built = _made.get(inputs) or self._build()
            if len(self._built) <= KEPT_MAX:
                _made[inputs] = self._built
        return self._built if self.raw is None else self.raw

    def _inputs(self):
        digest = hashlib.sha256(repr((self.control(), self.compression, sorted(self.scripts.items()))).encode())
        for entry in self.files:
            digest.update(repr((entry.path, entry.kind, entry.target, entry.mode, len(entry.data))).encode() + entry.data)
        return digest.digest()

    def _build(self):
        with tempfile.TemporaryDirectory(prefix="deb") as top:
            root = os.path.join(top, "root")
            os.makedirs(os.path.join(root, "DEBIAN"), 0o755)
            with open(os.path.join(root, "DEBIAN/control"), "w", encoding="utf-8") as stream:
                stream.write(self.control())
            for name, text in self.scripts.items():
                self._place(root, File(f"/DEBIAN/{name}", text, 0o755))
            for entry in self.files:
                self._place(root, entry)
            for folder, names, _ in os.walk(root):
                for name in names:
                    path = os.path.join(folder, name)
                    if not os.path.islink(path) and not self._is_given(root, path):
                        os.chmod(path, 0o755)
            os.chmod(root, 0o755)
            out = os.path.join(top, "out.deb")
            subprocess.run(["dpkg-deb", "--root-owner-group", f"-Z{self.compression}", "-z1", "--build", root, out],
                           check=True, stdout=subprocess.DEVNULL,
                           env={**os.environ, "SOURCE_DATE_EPOCH": str(EPOCH), "LC_ALL": "C"})
            with open(out, "rb") as stream:
                return stream.read()

    def _is_given(self, root, path):
        return "/" + os.path.relpath(path, root) in {entry.path for entry in self.files}

    @staticmethod
    def _place(root, entry):
        path = root + entry.path
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if entry.kind == "link":
            os.symlink(entry.target, path)
            return
        if entry.kind == "dir":
            os.makedirs(path, exist_ok=True)
        else:
            with open(path, "wb") as stream:
                stream.write(entry.data)
        os.chmod(path, entry.mode)


def ar_member(name, data, size=None):
    """One member of an ar archive; `size` may lie (any string of at most 10 characters)."""
    size = str(len(data)) if size is None else size
    header = f"{name:<16}{EPOCH:<12}{0:<6}{0:<6}{'100644':<8}{size:<10}`\n"
    return header.encode() + data + (b"\n" if len(data) % 2 else b"")


def ar(*members):
    return b"!<arch>\n" + b"".join(members)


def tar(entries, **options):
    """A tar archive of (path, settings) pairs: settings are TarInfo fields and `data`."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=options.get("format", tarfile.GNU_FORMAT)) as archive:
        for path, settings in entries:
            settings = dict(settings)
            data = settings.pop("data", b"")
            info = tarfile.TarInfo(path)
            info.mtime, info.mode, info.size = EPOCH, 0o644, len(data)
            for key, value in settings.items():
                setattr(info, key, value)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def raw_tar_header(path, size, kind=b"0", mode=0o644, linkname=b""):
    """One 512-byte ustar header with any size, right checksum."""
    def octal(value, width):
        return (b"%0*o" % (width - 1, value)) + b"\0"
    head = path.encode().ljust(100, b"\0") + octal(mode, 8) + octal(0, 8) + octal(0, 8)
    head += size if isinstance(size, bytes) else octal(size, 12)
    head += octal(EPOCH, 12) + b" " * 8 + kind + linkname.ljust(100, b"\0") + b"ustar\x0000"
    head = head.ljust(512, b"\0")
    return head[:148] + b"%06o\0 " % sum(head) + head[156:]


def compress(name, data):
    return {"xz": lambda: lzma.compress(data, preset=1), "gz": lambda: gzip.compress(data, 6, mtime=0),
            "": lambda: data}[name]()


@functools.lru_cache
def zeros_xz(mebibytes):
    """So many MiB of zeros (a multiple of 16) as xz: one stream many times, since packing them all takes a minute."""
    return lzma.compress(bytes(16 << 20), preset=0) * (mebibytes // 16)


@functools.lru_cache
def zeros_gz(mebibytes):
    """So many MiB of zeros as one member of gzip (RFC 1952): a block that refers to nothing before it, many times."""
    zeros, packer, crc = bytes(1 << 20), zlib.compressobj(9, zlib.DEFLATED, -15), 0
    block = packer.compress(zeros) + packer.flush(zlib.Z_FULL_FLUSH)
    for _ in range(mebibytes):
        crc = zlib.crc32(zeros, crc)
    return (b"\x1f\x8b\x08" + bytes(5) + b"\2\xff" + block * mebibytes + b"\3\0" +
            crc.to_bytes(4, "little") + (mebibytes << 20 & 0xffffffff).to_bytes(4, "little"))


def nested_gzip_header(name_bytes):
    """gzip in gzip in gzip; the innermost is a header whose file name (FNAME, RFC 1952) does not end: a kilobyte."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    packed = packer.compress(b"\x1f\x8b\x08\x08" + bytes(5) + b"\x03")
    packed += b"".join(packer.compress(b"a" * (1 << 20)) for _ in range(name_bytes >> 20)) + packer.flush()
    return gzip.compress(gzip.compress(packed, mtime=0), mtime=0)


def hand_made(package, data_tar, members=None, compression="gz", control=None):
    """The bytes of a .deb with the package's true control file and the given data.tar. `members` turns the list of
    (name, bytes) members into another list."""
    control_tar = tar([("./control", {"data": (control if control is not None else package.control()).encode()})])
    ending = f".{compression}" if compression else ""
    parts = [("debian-binary", b"2.0\n"), ("control.tar.gz", compress("gz", control_tar)),
             ("data.tar" + ending, compress(compression, data_tar))]
    parts = members(parts) if members else parts
    return ar(*[part if isinstance(part, bytes) else ar_member(*part) for part in parts])
