# SPDX-License-Identifier: Apache-2.0
"""What tests of lock files are made of."""

import hashlib
import json
import os
import re
import time

from base import Case, run, world

LOCK = "imgfactory.lock"
SUM = re.compile(r'"sum":"sha256:[0-9a-f]{64}"\n}\n\Z')
FAR = time.time() - 40 * 86400  # the Date of the locked generation: long ago, so that a later one is not from the future


def reseal(text):
    """The text with the checksum that its lines have now: what a forger would write."""
    body = SUM.sub("", text)
    return f'{body}"sum":"sha256:{hashlib.sha256(body.encode()).hexdigest()}"\n}}\n'


class LockCase(Case):
    def setUp(self):
        super().setUp()
        self.ready(date=FAR)
        self.lock_path = self.path(LOCK)
        self.factory.options += ["--lock-file", self.lock_path]

    def lock(self, *options, code=run.OK, names=("served",)):
        result = self.run_factory("lock", "--arch", "all", *options, *names)
        self.assertEqual(result.code, code, result)
        self.last = result
        return self.text() if os.path.exists(self.lock_path) else None

    def text(self):
        with open(self.lock_path, encoding="utf-8") as stream:
            return stream.read()

    def document(self):
        return json.loads(self.text())

    def put(self, text):
        self.write(LOCK, text)

    def digests(self, *options, name="served", **settings):
        result = self.build("--locked", "--arch", "all", *options, name, name=name, **settings)
        return self.of(result)

    @staticmethod
    def of(layout):
        return layout.tags["latest"]

    def elsewhere(self, name="elsewhere"):
        """Another account: its own cache, state and output, all empty."""
        self.factory = run.Factory(self.path(name))
        self.factory.options = self.options
        return self.factory

    def newer(self, name="libfoo1", version="1:9.9", remove=True, **settings):
        """The mirror goes on: a package has a newer version, and the old one is gone."""
        for package in self.repository.packages:
            if remove and package.name == name:
                self.repository.remove(self.repository.pool_name(package))
        self.repository.packages = world.packages()
        for package in self.repository.packages:
            if package.name == name:
                package.version = version
        self.repository.publish(self.key, date=settings.pop("date", -3600), **settings)

    def go_on(self, versions, date=-3600, **fields):
        """The mirror has newer versions of some packages, beside the old files; `fields` (libfoo1={"Depends": …}) are theirs, too."""
        self.repository.packages = world.packages()
        for package in self.repository.packages:
            package.version = versions.get(package.name, package.version)
            package.fields.update(fields.get(package.name, {}))
        self.repository.publish(self.key, date=date)

    def versions(self, *names):
        """{(name, version)} of a lock's packages."""
        return {(item["name"], item["version"]) for item in self.document()["packages"] if not names or item["name"] in names}
