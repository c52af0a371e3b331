# SPDX-License-Identifier: Apache-2.0
"""Images written to one file (oci-archive, docker-archive): what podman, skopeo and tar make of it, the same bytes, and
nothing half-written."""

import hashlib
import json
import os
import signal
import subprocess
import tarfile
import time
import unittest

from base import PushCase, run, world


def members(path):
    """The members of a tar, {name: bytes}."""
    with tarfile.open(path) as archive:
        return {item.name: archive.extractfile(item).read() for item in archive if item.isreg()}


def sha256(data):
    return hashlib.sha256(data).hexdigest()


class Writes(PushCase):
    """Nothing but the files that are meant appears in the folder `files`."""

    def setUp(self):
        super().setUp()
        os.mkdir(self.path("files"))

    def file(self, name):
        return self.path("files/" + name)

    @staticmethod
    def bytes_of(path):
        with open(path, "rb") as stream:
            return stream.read()

    def names(self):
        return sorted(os.listdir(self.path("files")))

    def loaded(self, path):
        """What podman calls what it loads of a file."""
        self.podman("load", "-q", "-i", path)
        names = self.podman("images", "--format", "{{.Repository}}:{{.Tag}}").stdout.decode().split()
        self.podman("rmi", "-a", "-f")
        return sorted(names)

    def check_docker(self, path):
        """manifest.json, a configuration, and tars with the digests that it wants; returns manifest.json's entry."""
        found = members(path)
        entry, = json.loads(found.pop("manifest.json"))
        config = found.pop(entry["Config"])
        self.assertEqual(entry["Config"], sha256(config) + ".json")
        self.assertEqual(["sha256:" + sha256(found.pop(name)) for name in entry["Layers"]],
                         json.loads(config)["rootfs"]["diff_ids"])
        self.assertEqual(found, {})
        return entry


class Pulled(Writes):
    def setUp(self):
        super().setUp()
        self.target = self.make_registry()
        self.made = self.make_layout(size=4000, layers=2)
        self.pushed(self.made, f"{self.target.host}/ns/image:v1")
        self.reference = f"{self.target.host}/ns/image:v1"

    def pull(self, output, *options, reference=None, **settings):
        return self.call("pull", "--tls-verify=false", "--output", output, *options, reference or self.reference, **settings)

    def written(self, output, *options):
        result = self.pull(output, *options)
        self.assertEqual(result.code, run.OK, result)

    def test_an_oci_archive_has_all_platforms_and_the_digest(self):
        path = self.file("image.tar")
        self.written(f"oci-archive:{path}")
        self.assertEqual(json.loads(self.call("inspect", "--json", path).stdout)["digest"], self.made.digest)
        self.tool("skopeo", "copy", "-q", "--all", "--preserve-digests", f"oci-archive:{path}:v1", "oci:" + self.path("copied:v1"))
        with open(self.path("copied/index.json"), encoding="utf-8") as stream:
            self.assertEqual(json.load(stream)["manifests"][0]["digest"], self.made.digest)
        self.assertEqual(self.loaded(path), [self.reference])
        self.pushed(path, f"{self.target.host}/ns/again")
        self.assert_tag(self.target, "ns/again", "v1", self.made.digest)

    def test_a_docker_archive_has_the_one_that_was_chosen(self):
        path = self.file("image.tar")
        self.refused(run.USAGE, self.pull(f"docker-archive:{path}"), "one architecture.*amd64, arm64.*--arch")
        self.assertEqual(self.names(), [])
        self.written(f"docker-archive:{path}", "--arch=x86_64")
        self.assertEqual(self.check_docker(path)["RepoTags"], [self.reference])
        self.assertEqual(self.loaded(path), [self.reference])
        self.tool("skopeo", "copy", "-q", f"docker-archive:{path}", "oci:" + self.path("copied:v1"))
        self.assertEqual(self.call("check", f"docker-archive:{path}").code, run.OK)
        self.assertEqual(self.tool("tar", "-tf", path).stdout.split()[0], b"manifest.json")

    def test_names_that_are_given(self):
        path = self.file("image.tar")
        for kind in "oci-archive", "docker-archive":
            with self.subTest(kind):
                self.written(f"{kind}:{path}:example.org/kit/x:2.0", "--arch=x86_64")
                self.assertEqual(self.loaded(path), ["example.org/kit/x:2.0"])
        self.written(f"docker-archive:{path}:kit", "--arch=x86_64")
        self.assertEqual(self.check_docker(path)["RepoTags"], ["kit:latest"])
        for output, words in ((f"oci-archive:{path}:a b", "no name of an image"), (f"docker-archive:{path}:x:", "no name"),
                              ("oci-archive:", "names no file"), (f"oci-archive:{self.path('files')}/", "names a folder")):
            with self.subTest(output):
                self.refused(run.USAGE, self.pull(output, "--arch=x86_64"), words)

    def test_a_colon_in_the_path_of_the_file_is_told_and_nothing_written(self):
        os.mkdir(self.file("a:b"))
        for kind in "oci-archive", "docker-archive":
            for path in "a:b/image.tar", "a:b/image", "x:y.tar":
                with self.subTest(kind + path):
                    self.refused(run.USAGE, self.pull(f"{kind}:{self.file(path)}", "--arch=x86_64"), "a colon ends the name of the file")
        self.assertEqual((self.names(), os.listdir(self.file("a:b"))), (["a:b"], []))

    def test_the_same_bytes_from_another_cache_at_another_time(self):
        for kind in "oci-archive", "docker-archive":
            with self.subTest(kind):
                found = []
                for turn in "one", "two":
                    os.utime(self.path("files"))
                    result = self.pull(f"{kind}:{self.file(turn)}", "--arch=x86_64", "--cache", self.path("cache-" + turn))
                    self.assertEqual(result.code, run.OK, result)
                    found.append(self.bytes_of(self.file(turn)))
                self.assertEqual(*found)
        self.assertEqual(self.names(), ["one", "two"])

    def test_what_is_no_file_is_not_replaced(self):
        os.symlink("elsewhere", self.file("link"))
        os.mkfifo(self.file("fifo"))
        os.mkdir(self.file("folder"))
        for name in "link", "fifo", "folder":
            with self.subTest(name):
                self.refused(run.USAGE, self.pull(f"oci-archive:{self.file(name)}"), "no regular file")
        self.assertEqual(self.names(), ["fifo", "folder", "link"])

    def test_a_layer_that_is_not_what_the_configuration_says(self):
        made = self.make_layout("lying", size=4000, seed=2, architectures=("amd64",))
        first = self.make_layout("other", size=4000, seed=3, architectures=("amd64",))
        manifest, other = (json.loads(self.bytes_of(image.path(image.children[0]))) for image in (made, first))
        manifest["config"] = other["config"]
        made._add(self.bytes_of(first.path(other["config"]["digest"])), "")  # pylint: disable=protected-access
        data = json.dumps(manifest).encode()
        child = made._add(data, "application/vnd.oci.image.manifest.v1+json")  # pylint: disable=protected-access
        made._end(child)  # pylint: disable=protected-access
        self.pushed(made, f"{self.target.host}/ns/lying:v1")
        path = self.file("image.tar")
        result = self.pull(f"docker-archive:{path}", reference=f"{self.target.host}/ns/lying:v1")
        self.refused(run.TRUST, result, "unpacks to sha256:")
        self.assertEqual(self.names(), [])

    def test_a_full_disk(self):
        if os.geteuid() != 0:
            self.skipTest("mounting a small tmpfs needs root")
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", self.path("files")], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", self.path("files")], check=False)
        with open(self.file("image.tar"), "wb") as stream:
            stream.write(b"as it was")
        for kind in "oci-archive", "docker-archive":
            self.refused(run.LOCAL, self.pull(f"{kind}:{self.file('image.tar')}", "--arch=x86_64"), "No space left")
            self.assertEqual(self.bytes_of(self.file("image.tar")), b"as it was")
            self.assertEqual(self.names(), ["image.tar"])

    def test_a_kill_at_any_instant_leaves_the_old_file_or_the_new_one(self):
        path = self.file("image.tar")
        self.written(f"oci-archive:{path}")
        whole = self.bytes_of(path)
        for turn in range(12):
            with open(path, "wb") as stream:
                stream.write(b"as it was")
            process = self.start("pull", "--tls-verify=false", "--output", f"oci-archive:{path}", self.reference)
            time.sleep(turn * 0.01)
            process.send_signal(signal.SIGKILL)
            process.communicate()
            self.assertIn(self.bytes_of(path), (b"as it was", whole))
            self.assertEqual(self.names(), ["image.tar"])


class Built(Writes):
    def setUp(self):
        super().setUp()
        self.ready()

    def made(self, output, *arguments):
        self.factory.output = output
        result = self.run_factory(*arguments)
        self.assertEqual(result.code, run.OK, result)
        return result

    def test_a_build_writes_the_archive_alone_and_the_same_image_as_a_layout(self):
        self.build()
        with open(self.path("out/served/index.json"), encoding="utf-8") as stream:
            digest = json.load(stream)["manifests"][0]["digest"]
        path = self.file("served.tar")
        report = json.loads(self.made(f"oci-archive:{path}", "--json", "--arch", "all", "served").stdout)["images"][0]
        self.assertEqual((report["archive"], report["digest"], "layout" in report), (path, digest, False))
        self.assertEqual(json.loads(self.call("inspect", "--json", path).stdout)["digest"], digest)
        self.assertEqual(self.names(), ["served.tar"])
        for options in ([], ["--no-confine"]):
            new = self.file(f"new{len(options)}/folder/served.tar")
            self.made(f"oci-archive:{new}", *options, "--arch", "all", "served")
            self.assertEqual(json.loads(self.call("inspect", "--json", new).stdout)["digest"], digest)
        result = self.made(f"docker-archive:{path}", "--arch", "amd64", "served")
        self.assertIn(f"docker load -i {path}", result.stdout)
        self.assertEqual(self.check_docker(path)["RepoTags"][0].partition(":")[0], "localhost/served")
        self.assertIn("localhost/served:latest", self.loaded(path))

    def test_zstd_is_unpacked_for_docker(self):
        path = self.file("served.tar")
        self.made(f"docker-archive:{path}:served:1", "--compression", "zstd", "--arch", "amd64", "served")
        self.assertEqual(self.check_docker(path)["RepoTags"], ["served:1"])

    def test_what_a_file_cannot_hold_is_told_before_anything_is_built(self):
        path = self.file("served.tar")
        self.write_manifest("other", world.MANIFEST.replace("name: served", "name: other"))
        self.factory.output = f"docker-archive:{path}"
        for arguments, words in ((("--arch", "all", "served"), "one architecture, and this call has"),
                                 (("--arch", "amd64", "served", "other"), "for one image, and this call has 2"),
                                 (("--arch", "amd64", "--push=registry.test/x", "served"), "imgfactory push")):
            with self.subTest(words):
                self.refused(run.USAGE, self.run_factory(*arguments), words)
                self.assertEqual(self.names(), [])


if __name__ == "__main__":
    unittest.main()
