# SPDX-License-Identifier: Apache-2.0
"""Hand-made RPM-MD metadata: repositories of packages that are only described (for solving), and hostile ones.

Format: as createrepo_c writes it. Relations are rpm's words ("foo >= 1:2.0-1", "(a if b)").
"""

import gzip
import hashlib
import os
import re
import shutil
from xml.sax.saxutils import escape, quoteattr

EPOCH = 1700000000
FLAGS = {"=": "EQ", "<": "LT", ">": "GT", "<=": "LE", ">=": "GE"}
RELATIONS = ("provides", "requires", "conflicts", "obsoletes", "recommends", "suggests", "supplements", "enhances")
COMMON = 'xmlns="http://linux.duke.edu/metadata/common" xmlns:rpm="http://linux.duke.edu/metadata/rpm"'


def is_primary(path):
    """Whether createrepo_c puts a file into primary.xml."""
    return path.startswith("/etc/") or "bin/" in path or path == "/usr/lib/sendmail"


def split_evr(evr):
    epoch, _, rest = evr.rpartition(":")
    version, _, release = rest.partition("-")
    return epoch or "0", version, release


def _version(evr):
    epoch, version, release = split_evr(evr)
    return f'epoch="{epoch}" ver={quoteattr(version)}' + (f" rel={quoteattr(release)}" if release else "")


def _entry(word):
    match = None if word.startswith("(") else re.fullmatch(r"(\S+) (<=|>=|<|=|>) (\S+)", word)
    if not match:
        return f"<rpm:entry name={quoteattr(word)}/>"
    return f'<rpm:entry name={quoteattr(match[1])} flags="{FLAGS[match[2]]}" {_version(match[3])}/>'


class Stanza:
    """A package that is only described. evr is "[epoch:]version-release"; files whose path ends in '/' are directories,
    those that begin with '%' are %ghost."""

    def __init__(self, name, evr="1-1", arch="noarch", files=(), source=None, href=None, checksum=None, size=1000,
                 checksum_type="sha256", **relations):
        unknown = set(relations) - set(RELATIONS)
        if unknown:
            raise TypeError(f"unknown relations {unknown}")
        self.name, self.evr, self.arch, self.files, self.size = name, evr, arch, list(files), size
        self.source = source or f"{name}-{evr.split(':')[-1]}.src.rpm"
        self.href = href or f"Packages/{name}-{evr.split(':')[-1]}.{arch}.rpm"
        self.checksum_type = checksum_type
        self.checksum = checksum or hashlib.new(checksum_type, f"{name} {evr} {arch}".encode()).hexdigest()
        self.relations = {key: [value] if isinstance(value, str) else list(value) for key, value in relations.items()}

    @property
    def nevra(self):
        return f"{self.name}-{self.evr}.{self.arch}"

    def _files(self, wanted):
        out = []
        for path in self.files:
            kind = "dir" if path.endswith("/") else "ghost" if path.startswith("%") else None
            path = path.strip("%")
            path = path[:-1] if kind == "dir" else path
            if wanted(path):
                out.append(f'<file type="{kind}">{escape(path)}</file>' if kind else f"<file>{escape(path)}</file>")
        return "".join(out)

    def primary(self):
        relations = dict(self.relations)
        relations["provides"] = [f"{self.name} = {self.evr}"] + relations.get("provides", [])
        lists = "".join(f"<rpm:{key}>{''.join(map(_entry, relations[key]))}</rpm:{key}>"
                        for key in RELATIONS if relations.get(key))
        return (f'<package type="rpm"><name>{escape(self.name)}</name><arch>{self.arch}</arch>'
                f'<version {_version(self.evr)}/><checksum type="{self.checksum_type}" pkgid="YES">{self.checksum}'
                f'</checksum><summary>{escape(self.name)}</summary><description/><packager/><url/>'
                f'<time file="{EPOCH}" build="{EPOCH}"/><size package="{self.size}" installed="{self.size}" '
                f'archive="{self.size}"/><location href={quoteattr(self.href)}/><format><rpm:license>MIT</rpm:license>'
                f"<rpm:vendor/><rpm:group>Unspecified</rpm:group><rpm:buildhost>kit</rpm:buildhost><rpm:sourcerpm>"
                f"{escape(self.source)}</rpm:sourcerpm><rpm:header-range start=\"1\" end=\"2\"/>{lists}"
                f"{self._files(is_primary)}</format></package>\n")

    def filelist(self):
        return (f'<package pkgid="{self.checksum}" name={quoteattr(self.name)} arch="{self.arch}">'
                f"<version {_version(self.evr)}/>{self._files(lambda path: True)}</package>\n")


def primary(stanzas):
    return (f'<?xml version="1.0" encoding="UTF-8"?>\n<metadata {COMMON} packages="{len(stanzas)}">\n'
            + "".join(stanza.primary() for stanza in stanzas) + "</metadata>\n")


def filelists(stanzas):
    return ('<?xml version="1.0" encoding="UTF-8"?>\n<filelists xmlns="http://linux.duke.edu/metadata/filelists" '
            f'packages="{len(stanzas)}">\n' + "".join(stanza.filelist() for stanza in stanzas) + "</filelists>\n")


def other(stanzas):
    return ('<?xml version="1.0" encoding="UTF-8"?>\n<otherdata xmlns="http://linux.duke.edu/metadata/other" '
            f'packages="{len(stanzas)}">\n' + "".join(
                f'<package pkgid="{s.checksum}" name={quoteattr(s.name)} arch="{s.arch}"><version {_version(s.evr)}/>'
                "</package>\n" for s in stanzas) + "</otherdata>\n")


def write(root, stanzas=(), modules=None, texts=None, timestamp=EPOCH, repo_key=None):
    """Writes root/repodata. `texts` replaces files by any text or bytes (None leaves one out): {"primary": "<…"}."""
    shutil.rmtree(root, ignore_errors=True)
    os.makedirs(os.path.join(root, "repodata"))
    files = {"primary": primary(stanzas), "filelists": filelists(stanzas), "other": other(stanzas)}
    if modules is not None:
        files["modules"] = modules
    files.update(texts or {})
    data = []
    for kind, text in files.items():
        if text is None:
            continue
        plain = text.encode() if isinstance(text, str) else text
        packed = gzip.compress(plain, 1, mtime=0)
        digest, name = hashlib.sha256(packed).hexdigest(), kind + (".yaml" if kind == "modules" else ".xml") + ".gz"
        with open(os.path.join(root, "repodata", name), "wb") as stream:
            stream.write(packed)
        data.append(f'<data type="{kind}"><checksum type="sha256">{digest}</checksum><open-checksum type="sha256">'
                    f'{hashlib.sha256(plain).hexdigest()}</open-checksum><location href="repodata/{name}"/><timestamp>'
                    f"{timestamp}</timestamp><size>{len(packed)}</size><open-size>{len(plain)}</open-size></data>\n")
    repomd = ('<?xml version="1.0" encoding="UTF-8"?>\n<repomd xmlns="http://linux.duke.edu/metadata/repo">'
              f"<revision>{timestamp}</revision>\n{''.join(data)}</repomd>\n").encode()
    with open(os.path.join(root, "repodata/repomd.xml"), "wb") as stream:
        stream.write(repomd)
    if repo_key:
        with open(os.path.join(root, "repodata/repomd.xml.asc"), "wb") as stream:
            stream.write(repo_key.detach(repomd))
