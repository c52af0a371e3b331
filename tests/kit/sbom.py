# SPDX-License-Identifier: Apache-2.0
"""Reads SBOMs, and an image's files to hold them against, with no help from the program."""

import hashlib
import json


def hashes(data):
    return hashlib.sha1(data).hexdigest(), hashlib.sha256(data).hexdigest()


def files_of(entries):
    """{path: (SHA-1, SHA-256)} of all regular files and hard links of an image's entries."""
    data = {path: entry.data for path, entry in entries.items() if entry.kind == "file"}
    for path, entry in entries.items():
        if entry.kind == "hardlink":
            data[path] = entries["/" + entry.target.lstrip("/")].data
    return {path: hashes(value) for path, value in data.items()}


class Spdx:
    """An SPDX 2.3 document: packages by name, the files of each, and all relationships."""

    def __init__(self, text):
        self.document = json.loads(text)
        ids = [element["SPDXID"] for part in ("packages", "files") for element in self.document[part]]
        assert len(ids) == len(set(ids)), "an identifier twice"
        self.by_id = {element["SPDXID"]: element for part in ("packages", "files") for element in self.document[part]}
        self.relations = [(each["spdxElementId"], each["relationshipType"], each["relatedSpdxElement"])
                          for each in self.document["relationships"]]
        for source, _, target in self.relations:
            assert source in self.by_id or source == "SPDXRef-DOCUMENT", source
            assert target in self.by_id, target
        self.by_source = {}
        for source, kind, target in self.relations:
            self.by_source.setdefault((source, kind), []).append(target)
        self.packages = {each["name"]: each for each in self.document["packages"] if self.purl(each, "PACKAGE-MANAGER")}

    @staticmethod
    def purl(package, category):
        found = [each["referenceLocator"] for each in package.get("externalRefs", ())
                 if each["referenceCategory"] == category]
        return found[0] if found else None

    def related(self, element, kind):
        return self.by_source.get((element["SPDXID"], kind), [])

    def files(self, element):
        """{path: (SHA-1, SHA-256)} of what an element contains."""
        found = {}
        for target in self.related(element, "CONTAINS"):
            if target.startswith("SPDXRef-File"):
                file = self.by_id[target]
                sums = {each["algorithm"]: each["checksumValue"] for each in file["checksums"]}
                assert file["fileName"].startswith("./") and file["fileName"] not in found, file
                found[file["fileName"][1:]] = (sums["SHA1"], sums["SHA256"])
        return found

    def all_files(self):
        """The same of all elements; no file is in two."""
        found = {}
        for element in self.document["packages"]:
            for path, sums in self.files(element).items():
                assert path not in found, f"{path} twice"
                found[path] = sums
        return found
