# SPDX-License-Identifier: Apache-2.0
"""Debian package indices by hand: repositories of packages that are only described (for solving), and hostile ones."""

import gzip
import hashlib
import os


def stanza(name, version="1", arch="all", **fields):
    """A stanza of Packages; fields in the words of Debian ("Depends", "Multi_Arch")."""
    lines = {"Package": name, "Version": version, "Architecture": arch,
             "Filename": f"pool/{name}_{version.split(':')[-1]}.deb", "Size": "1",
             "SHA256": hashlib.sha256(f"{name} {version} {arch}".encode()).hexdigest(),
             **{key.replace("_", "-"): value for key, value in fields.items()}}
    return "".join(f"{key}: {value}\n" for key, value in lines.items() if value is not None)


def write(path, packages, **release):
    """A flat repository without signatures. `packages` is the text of Packages or a list of stanzas; further words go to
    the Release ("NotAutomatic")."""
    os.makedirs(path, exist_ok=True)
    text = (packages if isinstance(packages, str) else "\n".join(packages)).encode()
    packed = gzip.compress(text, 1)
    with open(os.path.join(path, "Packages.gz"), "wb") as stream:
        stream.write(packed)
    lines = {"Origin": "Kit", "Suite": "kit", "Codename": "kit", "Date": "Mon, 02 Nov 2026 08:00:00 UTC",
             "Architectures": "amd64 arm64", "Components": "main", **release}
    sums = [f" {hashlib.sha256(data).hexdigest()} {len(data)} {name}\n"
            for data, name in ((text, "Packages"), (packed, "Packages.gz"))]
    with open(os.path.join(path, "Release"), "w", encoding="utf-8") as stream:
        stream.write("".join(f"{key}: {value}\n" for key, value in lines.items()) + "SHA256:\n" + "".join(sums))
