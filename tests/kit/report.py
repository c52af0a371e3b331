# SPDX-License-Identifier: Apache-2.0
"""The keys of the program's --json report, in this one place."""

import json

IDENTITY = "base-files"  # taken for os-release; the solver was not asked for it


class Report:
    def __init__(self, text):
        self.json = json.loads(text)

    def images(self):
        """{image name: what the report says of it}"""
        return {image["image"]: image for image in self.json["images"]}

    def order(self, name, arch):
        """What the report says of one image for one architecture ("x86_64")."""
        return next(order for order in self.images()[name]["architectures"] if order["arch"] == arch)

    def selection(self, name, arch):
        """The packages: {name: version}, with what identifies the distribution."""
        return {package["name"]: package["version"] for package in self.order(name, arch)["selection"]}

    def digests(self, name, arch):
        """{package name: SHA-256 of its .deb, in hex}"""
        return {package["name"]: package["digest"].split(":")[-1]
                for package in self.order(name, arch)["selection"]}

    def files(self, name, arch):
        """{path: package that gave it, or None}"""
        return {file["path"]: file["package"] for file in self.order(name, arch)["files"]}

    def push(self, name=None):
        """What the report says of the push of one image (of the only one unless named): Push."""
        images = self.json["images"]
        return Push(next(image for image in images if name in (None, image["image"]))["push"])


class Push:
    """reference, digest, status ("pushed", "unchanged", "failed"), sent, error, and tags {name: (old, new)}, each a
    digest or None"""

    def __init__(self, push):
        self.reference, self.digest, self.status = push["reference"], push["digest"], push["status"]
        self.sent, self.error = push.get("sent_bytes"), (push.get("error") or {}).get("text")
        self.tags = {tag["name"]: (tag.get("old"), tag.get("new")) for tag in push.get("tags") or []}
        self.attached = push.get("attached")
        self.order = [tag["name"] for tag in push.get("tags") or []]
