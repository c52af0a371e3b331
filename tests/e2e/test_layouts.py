# SPDX-License-Identifier: Apache-2.0
"""Images and layouts as other tools make them, of one platform or of several, whole or in part: inspect, pull, check, push."""

import json
import os
import unittest

from base import PushCase, image, layout, run


class Sparse(PushCase):
    """A registry that has lost one platform of two, or never had it."""

    def setUp(self):
        super().setUp()
        self.target, self.proxy = self.make_proxied()
        self.made = self.make_layout(size=2000)
        self.pushed(self.made, f"{self.target.host}/ns/image:v1")
        self.reference = f"{self.proxy.host}/ns/image:v1"

    def lose(self, child):
        self.proxy.fault("GET", f"/manifests/{child}", times=None, status=404, body=b"{}")

    def ask(self, command, *options):
        return self.call(command, "--tls-verify=false", "--json", *options, self.reference)

    def test_a_platform_that_was_not_asked_for_need_not_be_there(self):
        self.lose(self.made.children[1])
        for command in ("check", "inspect", "pull"):
            result = self.ask(command, "--arch=x86_64")
            self.assertEqual(result.code, run.OK, result)
        self.refused(run.PUBLISH, self.ask("pull"), "does not have the manifest")
        self.refused(run.RESOLVE, self.ask("pull", "--arch=x86_64,riscv64"), "nothing for linux/riscv64; it has: linux/amd64")
        platforms = json.loads(self.ask("inspect").stdout)["platforms"]
        self.assertEqual([platform.get("missing", False) for platform in platforms], [False, True])

    def test_pulling_one_platform_gives_its_manifest_and_nothing_of_the_others(self):
        folder = self.path("pulled")
        result = self.ask("pull", "--arch=aarch64", "--output", folder)
        self.assertEqual(json.loads(result.stdout)["digest"], self.made.children[1], result)
        pulled = image.Layout(folder + "/image")
        self.assertEqual(list(pulled.tags.values()), [self.made.children[1]])
        self.assertEqual(self.proxy.asked("GET", self.made.children[0]), [])
        self.pushed(folder + "/image", f"{self.target.host}/ns/other:v1")
        self.tool("skopeo", "copy", f"oci:{folder}/image:v1", "dir:" + self.path("copied"))

    def test_what_podman_loads_of_a_pulled_layouts_archive_has_its_name(self):
        self.assertEqual(self.ask("pull", "--output", self.path("pulled")).code, run.OK)
        self.tool("tar", "-C", self.path("pulled/image"), "-cf", self.path("image.tar"), "oci-layout", "index.json", "blobs")
        self.podman("load", "-q", "-i", self.path("image.tar"))
        names = self.podman("images", "--format", "{{.Repository}}:{{.Tag}}").stdout.decode().split()
        self.assertEqual(names, [self.reference])

    def test_an_attestation_that_is_gone_stops_no_pull(self):
        made = layout.Attested(self.path("attested"))
        self.pushed(made, f"{self.target.host}/ns/image:v1", "--allow-fewer-platforms")
        self.lose(made.children[-1])
        self.assertEqual(self.ask("pull").code, run.OK)


class OtherShapes(PushCase):
    """Layouts from elsewhere."""

    def test_an_index_of_indexes_and_unknown_things_is_shown_checked_and_pushed_whole(self):
        made = layout.Nested(self.path("nested"))
        told = json.loads(self.call("inspect", "--json", made.folder).stdout)
        self.assertEqual([item.get("platform") for item in told["platforms"]], ["linux/amd64", "linux/arm64/v8", None, None])
        checked = self.call("check", made.folder)
        self.assertEqual(checked.code, run.OK, checked)
        self.assertRegex(checked.stdout, "x86_64: good.*\n(.*\n)*.*aarch64: good")
        self.assertRegex(checked.stderr, "example.thing.* is not checked, it is no image manifest")
        target = self.make_registry()
        self.pushed(made, f"{target.host}/ns/image:v1")
        self.assertEqual(target.tags("ns/image"), {"v1": made.digest})
        for child in made.inner, *json.loads(made.inner_index)["manifests"]:
            self.skopeo_raw(f"{target.host}/ns/image@{child['digest']}", "--tls-verify=false")
        result = self.call("pull", "--tls-verify=false", "--output", self.path("pulled"), f"{target.host}/ns/image:v1")
        self.assertEqual(result.code, run.OK, result)
        self.assertEqual(self.call("check", self.path("pulled/image")).code, run.OK)

    def test_a_layout_whose_index_json_is_the_index_is_one_image(self):
        made = self.make_layout(size=2000)
        os.replace(made.path(made.digest), made.folder + "/index.json")
        told = json.loads(self.call("inspect", "--json", made.folder).stdout)
        self.assertEqual((told["digest"], len(told["platforms"])), (made.digest, 2))
        self.assertEqual(self.call("check", made.folder).code, run.OK)
        target = self.make_registry()
        self.refused(run.USAGE, self.push(made, f"{target.host}/ns/image"), "no tag")
        self.pushed(made, f"{target.host}/ns/image:v1")

    def test_names_of_podmans_have_colons_and_slashes(self):
        name = "docker.io/library/x:1.0"
        made = self.make_layout(size=2000, tag=name)
        told = json.loads(self.call("inspect", "--json", f"{made.folder}:{name}").stdout)
        self.assertEqual((told["digest"], told["tag"]), (made.digest, name))
        target = self.make_registry()
        self.pushed(made, f"{target.host}/ns/image")
        self.assertEqual(target.tags("ns/image"), {"1.0": made.digest})


if __name__ == "__main__":
    unittest.main()
