# SPDX-License-Identifier: Apache-2.0
"""SBOMs as other programs read them: spdx-tools, cyclonedx-lib and packageurl (Debian's python3-spdx-tools, python3-cyclonedx-lib and
python3-packageurl, of sid; with what they need on PYTHONPATH). One that is not there leaves its test out, which it says."""

import importlib
import json
import os
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from base import Case, run  # noqa: E402  pylint: disable=wrong-import-position
from kit import base_image  # noqa: E402  pylint: disable=wrong-import-position

ODD = ['etc/a"b', "etc/c d", "etc/é", "etc/%41"]


def purls(value):
    """All package URLs of a document."""
    if isinstance(value, str):
        return [value] if value.startswith("pkg:") else []
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [purl for each in inner for purl in purls(each)]


class Judges(Case):
    def judge(self, name):
        try:
            return importlib.import_module(name)
        except ImportError as missing:
            return self.skipTest(f"left out: {missing} (PYTHONPATH)")

    def documents(self, form):
        """Files of images of the factory, of one without a database, and of a Debian one."""
        if not self.server:
            self.ready()
            self.build()
        folder = self.path(f"sboms-{form}")
        small = [base_image.folder("etc"), *(base_image.file(name, "1") for name in ODD)]
        for name, layer in (("small", small), ("debian", base_image.small("amd64"))):
            base_image.Base(os.path.join(self.factory.output, name), {"amd64": [layer]})
        for name in ("served", "small", "debian"):
            result = self.factory.run_plain("sbom", "--format", form, "--sboms", folder, "--quiet",
                                            os.path.join(self.factory.output, name))
            self.assertEqual(result.code, run.OK, result)
        names = sorted(os.listdir(folder))
        self.assertEqual(len(names), 4)
        return [os.path.join(folder, name) for name in names]

    def test_spdx_tools_have_nothing_to_say(self):
        parse = self.judge("spdx_tools.spdx.parser.parse_anything").parse_file
        validate = self.judge("spdx_tools.spdx.validation.document_validator").validate_full_spdx_document
        for path in self.documents("spdx"):
            told = [message.validation_message for message in validate(parse(path))]
            # It takes no address of a host for one, which the test's own repository has.
            self.assertEqual([text for text in told if self.server.url not in text], [], path)

    def test_cyclonedx_lib_reads_and_validates_both_versions(self):
        bom = self.judge("cyclonedx.model.bom").Bom
        for form in ("cyclonedx", "cyclonedx-1.5"):
            for path in self.documents(form):
                with open(path, encoding="utf-8") as stream:
                    read = bom.from_json(json.load(stream))
                self.assertTrue(read.validate(), path)
                self.assertTrue(read.components, path)

    def test_packageurl_reads_every_purl_as_it_is_written(self):
        parse = self.judge("packageurl").PackageURL.from_string
        for path in self.documents("spdx") + self.documents("cyclonedx"):
            with open(path, encoding="utf-8") as stream:
                found = purls(json.load(stream))
            self.assertTrue(found, path)
            for purl in found:
                self.assertEqual(parse(purl).to_string().replace("%3A", ":"), purl.replace("%3A", ":"))


if __name__ == "__main__":
    unittest.main()
