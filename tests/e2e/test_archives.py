# SPDX-License-Identifier: Apache-2.0
"""Archives of images, as podman save, docker save and skopeo write them, are read like layouts; hostile ones do no harm."""

import gzip
import hashlib
import io
import json
import os
import tarfile
import unittest

from base import PushCase, run


def tar_of(members):
    """An archive of [(name, bytes or ("link", target))]."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            if isinstance(content, tuple):
                info.type, info.linkname = tarfile.SYMTYPE, content[1]
                archive.addfile(info)
            else:
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def docker_members(layers=(b"one",), names=None, tags=("docker.io/library/x:1.0",)):
    """What docker save writes: manifest.json last."""
    tars = [tar_of([(content.decode(), content)]) for content in layers]
    config = json.dumps({"architecture": "amd64", "os": "linux", "config": {"Cmd": ["/one"]}, "rootfs": {
        "type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(data).hexdigest() for data in tars]}}).encode()
    names = names or [f"{index}/layer.tar" for index in range(len(tars))]
    return [*zip(names, tars), ("config.json", config), ("manifest.json", json.dumps(
        [{"Config": "config.json", "RepoTags": list(tags) or None, "Layers": names}]).encode())]


def bomb():
    """A file of 1.1 GiB in some 20 kB times 70: gzip members behind each other."""
    info = tarfile.TarInfo("zeros")
    info.size = 70 << 24
    return gzip.compress(info.tobuf()) + gzip.compress(bytes(1 << 24), 1) * 70


class Archives(PushCase):
    def setUp(self):
        super().setUp()
        self.env["TMPDIR"] = self.path("tmp")
        os.makedirs(self.env["TMPDIR"])

    def archive(self, members, name="image.tar"):
        path = self.path(name)
        with open(path, "wb") as stream:
            stream.write(tar_of(members) if isinstance(members, list) else members)
        return path

    def tearDown(self):
        self.assertEqual(os.listdir(self.env["TMPDIR"]), [])
        super().tearDown()

    def inspected(self, word):
        result = self.call("inspect", "--json", word)
        self.assertEqual(result.code, run.OK, result)
        return json.loads(result.stdout)

    def test_what_skopeo_wrote_is_shown_checked_and_pushed(self):
        made = self.make_layout(size=2000)
        target = self.make_registry()
        for kind in "oci-archive", "docker-archive":
            path = self.path(kind + ".tar")
            self.tool("skopeo", "copy", "-q", "--override-arch=amd64", f"oci:{made.folder}:latest", f"{kind}:{path}:kit/x:1.0")
            shown = self.inspected(path)
            self.assertEqual([item["platform"] for item in shown["platforms"]], ["linux/amd64"])
            self.assertEqual(self.call("check", f"{kind}:{path}").code, run.OK)
            self.pushed(path, f"{target.host}/ns/{kind}")
            ours = target.tags(f"ns/{kind}")
            self.assertEqual(ours, {"1.0": shown["digest"]})
            self.tool("skopeo", "copy", "-q", "--src-tls-verify=false", f"docker://{target.host}/ns/{kind}:1.0",
                      "dir:" + self.path("copied-" + kind))
        with open(self.path("oci-archive.tar"), "rb") as stream:
            packed = self.archive(gzip.compress(stream.read()), "image.tar.gz")
        self.assertEqual(self.inspected(packed)["platforms"][0]["platform"], "linux/amd64")

    def test_layers_that_are_links_and_names_with_colons(self):
        members = docker_members(layers=(b"one", b"one"))
        members[1] = ("1/layer.tar", ("link", "../0/layer.tar"))
        path = self.archive(members)
        self.assertEqual(len(self.inspected(f"{path}:docker.io/library/x:1.0")["platforms"][0]["layers"]), 2)
        self.refused(run.USAGE, self.call("inspect", f"{path}:other"), 'image.tar has no tag "other"; it has: docker.io/library/x:1.0')

    def test_that_are_none_or_lie(self):
        config = docker_members()[1:]
        for name, members, code, words in (
                ("other files", [("a", b"a")], run.USAGE, "no archive of an image"),
                ("no tar", b"x" * 2000, run.MALFORMED, "tar header"),
                ("cut off", tar_of(docker_members())[:1800], run.MALFORMED, "image.tar"),
                ("without a layer", config, run.MALFORMED, "a layer is not in the archive: 0/layer.tar"),
                ("a loop of links", [("0/layer.tar", ("link", "layer.tar")), *config], run.MALFORMED, "a layer is not in"),
                ("a link that leads out", [("0/layer.tar", ("link", "../../../etc/passwd")), *config], run.MALFORMED,
                 "a layer is not in"),
                ("no list", [("manifest.json", b"{}")], run.MALFORMED, "no list of images"),
                ("a bomb", bomb(), run.MALFORMED, "more than 1024 MiB")):
            with self.subTest(name):
                self.refused(code, self.call("inspect", self.archive(members)), words)

    def test_a_blob_under_the_name_of_another_digest_is_not_taken(self):
        made = self.make_layout(size=2000)
        victim = made.path(made.children[0])
        with open(victim, "rb") as stream:
            before = stream.read()
        with open(victim, "wb") as stream:
            stream.write(before.replace(b"amd64", b"amd65").replace(b'"layers"', b'"Layers"'))
        members = []
        for folder, _, names in os.walk(made.folder):
            for name in names:
                with open(os.path.join(folder, name), "rb") as stream:
                    members.append((os.path.relpath(os.path.join(folder, name), made.folder), stream.read()))
        self.refused(run.MALFORMED, self.call("check", self.archive(members)), "is missing")

    def test_a_name_that_leads_out_writes_nothing_there(self):
        outside = self.path("outside")
        path = self.archive([("../" * 12 + outside.lstrip("/"), b"x"), ("/" + outside.lstrip("/"), b"x"), *docker_members()])
        self.inspected(path)
        self.assertFalse(os.path.exists(outside))


if __name__ == "__main__":
    unittest.main()
