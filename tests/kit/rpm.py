# SPDX-License-Identifier: Apache-2.0
"""Makes .rpm files with rpmbuild (also for foreign architectures), signs them with rpmsign, and makes RPM-MD repositories
of them with createrepo_c.
"""

import bz2
import concurrent.futures
import gzip
import hashlib
import lzma
import os
import re
import shutil
import struct
import subprocess
import tempfile

EPOCH = 1700000000  # every time in a package that the kit makes
PAYLOADS = {"gzip": "w6.gzdio", "xz": "w1.xzdio", "zstd": "w3.zstdio", "bzip2": "w9.bzdio", "none": "w.ufdio"}
RELATIONS = ("requires", "provides", "conflicts", "obsoletes", "recommends", "suggests", "supplements", "enhances")
SCRIPTS = ("pre", "post", "preun", "postun", "pretrans", "posttrans")


class File:
    """One entry of a package. kind: file, dir, link (symbolic), hard (another name of `target`'s file), ghost.

    owner and group are names as the header has them; caps is libcap's text ("cap_net_bind_service=ep"); flags are
    further words of %files ("%config(noreplace)", "%doc").
    """

    def __init__(self, path, data=b"", mode=None, kind="file", target=None, owner="root", group="root", caps=None,
                 flags=""):
        self.path = path
        self.data = data.encode() if isinstance(data, str) else data
        self.kind, self.target = kind, target
        self.owner, self.group, self.caps, self.flags = owner, group, caps, flags
        self.mode = mode if mode is not None else (0o755 if kind == "dir" else 0o644)

    def line(self):
        """Its line of %files."""
        words = [f"%attr({self.mode:04o}, {self.owner}, {self.group})" if self.kind != "link"
                 else f"%attr(-, {self.owner}, {self.group})"]
        words += [{"dir": "%dir", "ghost": "%ghost"}.get(self.kind, ""), f"%caps({self.caps})" if self.caps else "",
                  self.flags, self.path]
        return " ".join(word for word in words if word)

    def place(self, root):
        path = root + self.path
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if self.kind == "link":
            os.symlink(self.target, path)
        elif self.kind == "dir":
            os.makedirs(path, exist_ok=True)
        elif self.kind == "hard":
            os.link(root + self.target, path)
        else:
            with open(path, "wb") as stream:
                stream.write(self.data)
            # The dependency generator looks only at files of mode x; an ordinary user's rpmbuild has to read it.
            os.chmod(path, self.mode | 0o600)


def formats():
    """The package formats that this machine's rpmbuild makes, its default last: 6 came with rpm 6."""
    version = _run(["rpm", "--eval", "%{?_rpmformat}"], "/nonexistent").strip()
    return [4, 6] if version == "6" else [4]


def program(path, data, **settings):
    return File(path, data, 0o755, **settings)


def link(path, target):
    return File(path, kind="link", target=target)


def directory(path, mode=0o755, **settings):
    return File(path, kind="dir", mode=mode, **settings)


class Package:
    """A package. Relations are lists of rpm's words ("libfoo >= 1:1.0", "(a if b)", "/usr/bin/x"); scripts are texts of
    %pre, %post … (`scripts={"post": "…"}`, `{"pre -p <lua>": "…"}`); autoreq=False hides what its ELF files need; format is
    one of formats(), by default what this rpm makes of itself; time is its files', and when it was built; source names the source package that it is of, when it is not
    called as the package."""

    def __init__(self, name, files=(), version="1.0", release="1", epoch=None, arch="noarch", payload="zstd",
                 scripts=None, autoreq=True, digest="sha256", format=None, source=None, time=EPOCH, changelog=None,
                 license="MIT", **relations):
        unknown = set(relations) - set(RELATIONS)
        if unknown:
            raise TypeError(f"unknown relations {unknown}")
        self.name, self.version, self.release, self.epoch, self.arch = name, version, release, epoch, arch
        self.files, self.payload, self.digest = list(files), payload, digest
        self.format, self.source, self.time = format, source, time
        self.changelog = changelog  # text of %changelog
        self.license = license
        self.scripts, self.autoreq, self.relations = dict(scripts or {}), autoreq, relations
        self._built = {}  # signing key → bytes

    @property
    def file_name(self):
        return f"{self.name}-{self.version}-{self.release}.{self.arch}.rpm"

    @property
    def nevra(self):
        epoch = f"{self.epoch}:" if self.epoch else ""
        return f"{self.name}-{epoch}{self.version}-{self.release}.{self.arch}"

    def spec(self, root):
        source = self.source or self.name
        own = f" -n {self.name}" if source != self.name else ""
        lines = [f"Name: {source}", f"Version: {self.version}", f"Release: {self.release}",
                 f"Summary: {source} of the test kit", f"License: {self.license}"]
        if self.epoch is not None:
            lines.append(f"Epoch: {self.epoch}")
        if self.arch == "noarch":
            lines.append("BuildArch: noarch")
        if not self.autoreq:
            lines.append("AutoReqProv: no")
        if own:
            lines += ["%description", f"{source} of the test kit.", f"%package{own}", f"Summary: {self.name} of the test kit"]
        for relation, words in self.relations.items():
            lines += [f"{relation.title()}: {word}" for word in ([words] if isinstance(words, str) else words)]
        lines += [f"%description{own}", f"{self.name} of the test kit.", "%install", "rm -rf %{buildroot}",
                  f"cp -a {root} %{{buildroot}}"]
        for name, text in self.scripts.items():
            if name.split()[0] not in SCRIPTS:
                raise TypeError(f"unknown script {name}")
            lines += [f"%{name}{own}", text.rstrip("\n")]
        lines += [f"%files{own}"] + [entry.line() for entry in self.files]
        if self.changelog:
            lines += ["%changelog", self.changelog.rstrip("\n")]
        return "\n".join(lines) + "\n"

    def build(self, key=None):
        """Returns the bytes of the .rpm, signed when a key (of gpg.py) is given; made once, so change a package before
        its first build."""
        name = key.home if key else None
        if name not in self._built:
            with tempfile.TemporaryDirectory(prefix="rpm") as top:
                path = self._build(top)
                if key:
                    sign(path, key)
                with open(path, "rb") as stream:
                    self._built[name] = stream.read()
        return self._built[name]

    def _build(self, top):
        root = os.path.join(top, "root")
        os.makedirs(root)
        for entry in sorted(self.files, key=lambda entry: entry.kind == "hard"):
            entry.place(root)
        spec = os.path.join(top, "kit.spec")
        with open(spec, "w", encoding="utf-8") as stream:
            stream.write(self.spec(root))
        macros = {"_topdir": top, "_rpmdir": top, "_build_name_fmt": "out.rpm", "_buildhost": "kit",
                  "_dbpath": os.path.join(top, "db"), "debug_package": "%{nil}", "__os_install_post": "%{nil}",
                  "_build_id_links": "none",
                  "use_source_date_epoch_as_buildtime": "1", "clamp_mtime_to_source_date_epoch": "1",
                  "_binaries_in_noarch_packages_terminate_build": "0", "vendor": "Kit",
                  "_binary_payload": PAYLOADS[self.payload],
                  "_binary_filedigest_algorithm": {"sha256": "8", "sha512": "10", "md5": "1"}[self.digest]}
        if self.format:
            macros["_rpmformat"] = str(self.format)
        command = ["rpmbuild", "-bb", "--quiet"]
        if self.arch != "noarch":
            command += ["--target", f"{self.arch}-linux"]
        for name, value in macros.items():
            command += ["--define", f"{name} {value}"]
        _run(command + [spec], top, self.time)
        return os.path.join(top, "out.rpm")


def _run(command, home, time=EPOCH):
    env = {**os.environ, "SOURCE_DATE_EPOCH": str(time), "LC_ALL": "C", "HOME": home}
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env,
                          check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stdout.decode(errors='replace')}")
    return done.stdout.decode(errors="replace")


def sign(path, key):
    """Signs a package's header (and payload) with a key of gpg.py; also one that gpg made at another time."""
    command = ["rpmsign", "--addsign", "--define", f"_gpg_path {key.home}", "--define", "_gpg_name kit@example.org",
               "--define", f"__gpg {shutil.which('gpg')}"]
    if key.now:
        command += ["--define", f"_gpg_sign_cmd_extra_args --faked-system-time {key.now}!"]
    _run(command + [path], key.home)


def nevra_of(path):
    """NAME-EPOCH:VERSION-RELEASE.ARCH of a file, by rpm (epoch 0 is left out)."""
    form = "%{NAME}-%|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE}.%{ARCH}"
    return _run(["rpm", "-qp", "--nosignature", "--qf", form, path], "/nonexistent")


FACTS = ("%{FILENAMES}\\t%{FILEMODES:octal}\\t%{FILEUSERNAME}\\t%{FILEGROUPNAME}\\t%{FILEDIGESTS}\\t%{FILELINKTOS}\\t"
         "%{FILECAPS}\\t%{FILEFLAGS}\\t%{FILEMTIMES}")
KINDS = {0o04: "dir", 0o10: "file", 0o12: "link"}


class Fact:
    """What rpm says of one file of a package. caps is libcap's text."""

    def __init__(self, line):
        self.path, mode, self.owner, self.group, self.digest, self.target, self.caps, flags, mtime = line.split("\t")
        self.caps = "" if self.caps == "(none)" else self.caps
        self.kind, self.mode = KINDS[int(mode, 8) >> 12], int(mode, 8) & 0o7777
        self.is_doc, self.is_ghost = bool(int(flags) & 2), bool(int(flags) & 64)
        self.mtime = int(mtime)


CAPABILITIES = {"cap_net_bind_service": 10, "cap_net_raw": 13, "cap_setuid": 7}


def capability_bytes(text):
    """The attribute security.capability for "NAME,NAME=ep" or "NAME=p" (linux/capability.h: vfs_cap_data 2)."""
    names, _, sets = text.partition("=")
    permitted = sum(1 << CAPABILITIES[name] for name in names.split(","))
    if "p" not in sets or set(sets) - set("ep"):
        raise ValueError(text)
    return struct.pack("<5I", 0x02000000 | ("e" in sets), permitted & 0xffffffff, 0, permitted >> 32, 0)


def facts(path):
    """{path: Fact} of all files of an .rpm, by rpm."""
    text = _run(["rpm", "-qp", "--nosignature", "--qf", f"[{FACTS}\\n]", path], "/nonexistent")
    return {fact.path: fact for fact in map(Fact, text.splitlines())}


def contents(path):
    """{path: bytes} of the regular files of an .rpm, by rpm2cpio and cpio."""
    found = {}
    with tempfile.TemporaryDirectory(prefix="cpio") as top:
        plain = subprocess.run(["rpm2cpio", path], stdout=subprocess.PIPE, check=True).stdout
        subprocess.run(["cpio", "-idm", "--quiet", "--no-absolute-filenames"], cwd=top, input=plain, check=True)
        for folder, _, names in os.walk(top):
            for name in names:
                full = os.path.join(folder, name)
                if not os.path.islink(full):
                    os.chmod(full, 0o600)
                    with open(full, "rb") as stream:
                        found["/" + os.path.relpath(full, top)] = stream.read()
    return found


class Repository:
    """A repository in a folder. publish() may be called again, with other packages or settings."""

    def __init__(self, root, packages=(), name="kit"):
        self.root, self.name = root, name
        self.packages = list(packages)

    def path(self, name):
        """The path of a file of the repository on this machine."""
        return os.path.join(self.root, name)

    def read(self, name):
        with open(self.path(name), "rb") as stream:
            return stream.read()

    def write(self, name, data):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "wb") as stream:
            stream.write(data)

    def package(self, name, arch=None):
        return next(p for p in self.packages if p.name == name and arch in (None, p.arch))

    def package_path(self, package):
        return self.path("Packages/" + package.file_name)

    def metadata_name(self, kind):
        """The file name ("repodata/…-primary.xml.gz") of a kind of metadata, as repomd.xml lists it."""
        text = self.read("repodata/repomd.xml").decode()
        part = text.split(f'<data type="{kind}">', 1)[1]
        return part.split('<location href="', 1)[1].split('"', 1)[0]

    def publish(self, key=None, *, repo_key=None, compression="gz", checksum="sha256", modules=None, edit_rpm=None,
                options=()):
        """Writes everything anew. key signs the packages, repo_key repomd.xml (repomd.xml.asc).

        compression: gz, xz, bz2 or zstd, of the metadata; modules is the text of a modules.yaml; edit_rpm(package,
        bytes) gets and returns a package's bytes after it was signed.
        """
        shutil.rmtree(self.root, ignore_errors=True)
        os.makedirs(self.path("Packages"))
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for package, data in zip(self.packages, pool.map(lambda package: package.build(key), self.packages)):
                self.write("Packages/" + package.file_name, edit_rpm(package, data) if edit_rpm else data)
        self.index(repo_key, compression, checksum, modules, options)

    def index(self, repo_key=None, compression="gz", checksum="sha256", modules=None, options=()):
        """Makes repodata of what is in the folder."""
        native = "gz" if compression == "zstd" else compression  # createrepo_c 0.17 cannot write zstd
        _run(["createrepo_c", "--quiet", f"--general-compress-type={native}", f"--checksum={checksum}",
              "--no-database", "--set-timestamp-to-revision", f"--revision={EPOCH}", *options, self.root],
             "/nonexistent")
        if modules is not None:
            with tempfile.TemporaryDirectory(prefix="mod") as top:
                path = os.path.join(top, "modules.yaml")
                with open(path, "w", encoding="utf-8") as stream:
                    stream.write(modules)
                _run(["modifyrepo_c", "--mdtype=modules", "--compress-type=gz", f"--checksum={checksum}", path,
                      self.path("repodata")], "/nonexistent")
        if compression == "zstd":
            for kind in self.kinds():
                self.alter(kind, lambda plain: plain, "zst", checksum)
        if repo_key:
            self.write("repodata/repomd.xml.asc", repo_key.detach(self.read("repodata/repomd.xml")))

    def kinds(self):
        """The types of metadata that repomd.xml lists."""
        return re.findall(r'<data type="([^"]+)">', self.read("repodata/repomd.xml").decode())

    def alter(self, kind, change, ending="gz", checksum="sha256"):
        """Puts change(plain bytes) in the place of a kind of metadata, with true checksums and sizes in repomd.xml."""
        old = self.metadata_name(kind)
        plain = change(_decompressed(old, self.read(old)))
        packed = {"gz": lambda: gzip.compress(plain, 6, mtime=0), "": lambda: plain, "xz": lambda: lzma.compress(plain),
                  "bz2": lambda: bz2.compress(plain),
                  "zst": lambda: subprocess.run(["zstd", "-q"], input=plain, stdout=subprocess.PIPE, check=True).stdout
                  }[ending]()
        digest, open_digest = (hashlib.new(checksum, data).hexdigest() for data in (packed, plain))
        base = kind + (".yaml" if kind == "modules" else ".xml")
        name = f"repodata/{digest}-{base}" + (f".{ending}" if ending else "")
        os.unlink(self.path(old))
        self.write(name, packed)
        self.edit_repomd(lambda text: re.sub(
            rf'<data type="{kind}">.*?</data>',
            f'<data type="{kind}"><checksum type="{checksum}">{digest}</checksum>'
            f'<open-checksum type="{checksum}">{open_digest}</open-checksum><location href="{name}"/>'
            f"<timestamp>{EPOCH}</timestamp><size>{len(packed)}</size><open-size>{len(plain)}</open-size></data>",
            text, flags=re.DOTALL))

    def edit_repomd(self, change, repo_key=None):
        """Puts change(text) in the place of repomd.xml, signed anew when a key is given."""
        text = change(self.read("repodata/repomd.xml").decode()).encode()
        self.write("repodata/repomd.xml", text)
        if repo_key:
            self.write("repodata/repomd.xml.asc", repo_key.detach(text))


def _decompressed(name, data):
    ending = name.rsplit(".", 1)[-1]
    if ending == "zst":
        return subprocess.run(["zstd", "-dq"], input=data, stdout=subprocess.PIPE, check=True).stdout
    return {"gz": gzip.decompress, "xz": lzma.decompress, "bz2": bz2.decompress}.get(ending, bytes)(data)


class Parts:
    """Where the parts of an .rpm begin and end: signature header, main header (rpm's docs/manual/format*.md)."""

    def __init__(self, data):
        self.signature = self._header(data, 96)
        self.header = self._header(data, -(-self.signature[1] // 8) * 8)
        self.payload = (self.header[1], len(data))

    @staticmethod
    def _header(data, start):
        if data[start:start + 4] != b"\x8e\xad\xe8\x01":
            raise ValueError(f"no header at {start}")
        count, size = struct.unpack(">II", data[start + 8:start + 16])
        return start, start + 16 + 16 * count + size

    def entry(self, data, tag):
        """Where the main header's entry of a tag is: 16 bytes of tag, type, offset, count."""
        start = self.header[0]
        count = struct.unpack(">I", data[start + 8:start + 12])[0]
        for at in range(start + 16, start + 16 + 16 * count, 16):
            if struct.unpack(">I", data[at:at + 4])[0] == tag:
                return at
        raise ValueError(f"no tag {tag}")


def put(data, at, new):
    """The bytes with others at a place."""
    return data[:at] + new + data[at + len(new):]


def reseal(old, new):
    """`new`, whose main header is changed, with the header digests of its signature header made true. Its OpenPGP
    signatures are not."""
    parts = Parts(old)
    start, end = parts.signature
    seal = new[start:end]
    found = 0
    for name in ("sha1", "sha256", "sha3_256"):  # format 4 has the first two, format 6 the last two
        digests = [hashlib.new(name, data[parts.header[0]:parts.header[1]]).hexdigest().encode() for data in (old, new)]
        found += digests[0] in seal
        seal = seal.replace(*digests)
    if found < 2:
        raise ValueError(f"{found} digests of the header")
    return put(new, start, seal)
