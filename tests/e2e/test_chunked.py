# SPDX-License-Identifier: Apache-2.0
"""zstd:chunked layers: table of contents and tar-split tell what the tar has (kit/chunked.py), any zstd decoder reads them, and
the same tree gives the same bytes whatever the jobs, cache and order of images."""

import collections
import json
import os
import random
import re
import shutil
import subprocess
import time
import unittest

from base import PushCase, deb, need, run, world
from kit import chunked, image

MARK = {"io.github.containers.compression.zstd": "true"}
ZSTD = "application/vnd.oci.image.layer.v1.tar+zstd"


def packages():
    """The small distribution, with a file of several chunks, an empty one, odd names and links."""
    made = [package for package in world.packages() if package.name != "served"]
    noise = random.Random(5).randbytes(1 << 20)
    for name in "amd64", "arm64":
        served = world.served(world.MACHINES[name])
        served.files += [deb.File("/usr/share/served/noise", noise), deb.File("/usr/share/served/zeros", bytes(700000)),
                         deb.File("/usr/share/served/empty", b""), deb.File("/usr/share/served/größe \\ \"x\"", b"odd\n"),
                         deb.File("/usr/share/served/" + "long/" * 30 + "name", b"long\n")]
        made.append(served)
    return made


MANIFEST = world.MANIFEST.replace("files:\n", "files:\n  - /usr/share/served/**\n")


class Base(PushCase):
    def setUp(self):
        super().setUp()
        self.ready(packages=packages(), manifest=MANIFEST)

    def made(self, *arguments, compression="zstd:chunked", name="served"):
        result = self.run_factory("--compression", compression, *(arguments or ("--arch", "all", name)))
        self.assertEqual(result.code, run.OK, result)
        return os.path.join(self.factory.output, name)

    @staticmethod
    def digest(folder):
        with open(os.path.join(folder, "index.json"), encoding="utf-8") as stream:
            return json.load(stream)["manifests"][0]["digest"]

    @staticmethod
    def one(folder):
        """Descriptor, bytes and diff ID of the first chunked layer."""
        return next(found[1:] for found in chunked.layers(folder))


class Chunked(Base):
    def test_table_and_tar_split_tell_what_the_tar_has(self):
        folder = self.made()
        found = list(chunked.layers(folder))
        self.assertEqual([descriptor["mediaType"] for _, descriptor, _, _ in found], [ZSTD] * 2)
        for _, descriptor, blob, diff_id in found:
            entries = chunked.check(blob, descriptor["annotations"], diff_id)
            kinds = {entry["type"] for entry in entries}
            self.assertEqual(kinds, {"reg", "dir", "symlink", "chunk"})
            noise = [entry for entry in entries if entry["name"] == "usr/share/served/noise"]
            self.assertGreaterEqual(len(noise), 2)
            self.assertTrue(any("größe" in entry["name"] for entry in entries))
        image.Layout(folder)

    def test_an_image_on_a_base_names_the_tables_of_its_layers(self):
        base = self.one(self.made("--arch", "amd64", "served"))[0]
        for name, below in ("on-layout", "../out/served:latest"), ("on-ours", "manifest:served"):
            self.write_manifest(name, f"base: {below}\ncreate:\n  - path: /etc/more\n    content: more\n")
            folder = self.made("--arch", "amd64", name, name=name)
            found = [(descriptor, chunked.check(blob, descriptor["annotations"], diff_id))
                     for _, descriptor, blob, diff_id in chunked.layers(folder)]
            self.assertEqual(len(found), 2)
            self.assertEqual(found[0][0], base)
            self.assertEqual(found[1][1][-1]["name"], "etc/more")

    def test_any_decoder_reads_the_layer_whole(self):
        folder = self.made("--arch", "amd64", "served")
        descriptor, blob, diff_id = self.one(folder)
        tar = self.tool("zstd", "-dc", data=blob).stdout
        self.assertEqual(chunked.sha256(tar), diff_id)
        self.assertIn(b"usr/share/served/noise", self.tool("tar", "-tf", "-", data=tar).stdout)
        for place in "dir:" + self.path("d"), "oci:" + self.path("o:x"), "oci-archive:" + self.path("o.tar"):
            self.tool("skopeo", "copy", "-q", "-f", "oci", f"oci:{folder}:latest", place)
        self.assertEqual(self.call("check", folder).code, run.OK)
        target = self.make_registry()
        self.pushed(folder, f"{target.host}/ns/served:v1")
        self.podman("pull", "-q", "--tls-verify=false", f"{target.host}/ns/served:v1")
        self.assertEqual(descriptor["size"], len(blob))

    def test_the_same_bytes_whatever_the_jobs_and_the_cache_and_from_a_kept_product(self):
        first = self.digest(self.made())
        self.assertEqual(self.digest(self.made()), first)
        self.assertIn("nothing changed", self.run_factory("--compression=zstd:chunked", "--arch", "all", "served").stderr)
        for jobs, cache in ("1", "cold"), ("7", "cold-too"):
            self.factory.cache, self.factory.output = self.path(cache), self.path("out-" + cache)
            self.assertEqual(self.digest(self.made("--jobs", jobs, "--arch", "all", "served")), first)
        self.assertNotEqual(self.digest(self.made(compression="zstd")), first)

    def frames(self):
        """{path: (inode, time, bytes)} of the cache's frames of files."""
        found = {}
        for folder, _, names in os.walk(os.path.join(self.factory.cache, "v1", "derived", "frames")):
            for name in names:
                path = os.path.join(folder, name)
                status = os.lstat(path)
                with open(path, "rb") as stream:
                    found[path] = status.st_ino, status.st_mtime_ns, stream.read()
        return found

    def test_a_file_is_compressed_once_for_all_layers_that_hold_it(self):
        first = self.digest(self.made())
        before = self.frames()
        self.assertEqual(len(before), 2, before.keys())  # noise and zeros; programs are small
        self.assertEqual(self.digest(self.made("--rebuild", "--arch", "all", "served")), first)
        self.write_manifest("other", MANIFEST.replace("name: served", "name: other", 1))
        self.made("--arch", "all", "other")
        self.assertEqual(self.frames(), before)
        self.factory.state = self.path("another-state")  # whose secret is another one: nothing of the first is believed
        self.assertEqual(self.digest(self.made()), first)
        self.assertEqual(len(self.frames()), 2 * len(before))

    def test_frames_that_were_damaged_or_planted_are_made_again(self):
        first = self.digest(self.made())
        before = self.frames()
        others = dict(zip(before, [*before][1:] + [*before][:1]))

        def write(path, data):
            os.unlink(path)
            with open(path, "wb") as stream:
                stream.write(data)
            os.chmod(path, 0o444)

        for name, spoil in (
                ("a byte", lambda path, data: write(path, data[:50] + bytes([data[50] ^ 1]) + data[51:])),
                ("a power cut", lambda path, data: write(path, bytes(len(data)))),
                ("half of a power cut", lambda path, data: write(path, data[:len(data) // 2] + bytes(len(data) - len(data) // 2))),
                ("cut", lambda path, data: write(path, data[:-1])), ("empty", lambda path, _: write(path, b"")),
                ("of another file", lambda path, _: write(path, before[others[path]][2])),
                ("a link", lambda path, _: (os.unlink(path), os.symlink(others[path], path))),
                ("gone", lambda path, _: os.unlink(path))):
            with self.subTest(name):
                for path, (_, _, data) in before.items():
                    spoil(path, data)
                self.assertEqual(self.digest(self.made("--rebuild", "--arch", "all", "served")), first)
                self.assertEqual({path: found[2] for path, found in self.frames().items()},
                                 {path: found[2] for path, found in before.items()})

    def test_two_processes_and_a_killed_one_leave_frames_that_are_right(self):
        first = self.digest(self.made())
        before = sorted(found[2] for found in self.frames().values())
        folder = os.path.join(self.factory.cache, "v1", "derived", "frames")
        words = "--rebuild", "--compression", "zstd:chunked", "--arch", "all", "served"
        for pause in 0.0, 0.05, 0.1, 0.2:
            shutil.rmtree(folder, ignore_errors=True)
            killed = self.factory.start(*words)
            time.sleep(pause)
            killed.kill()
            killed.communicate()
        shutil.rmtree(folder, ignore_errors=True)
        both = []
        for number in range(2):
            self.factory.output = self.path(f"out-{number}")
            both.append(self.factory.start(*words))
        self.assertEqual([(process.communicate(), process.returncode)[1] for process in both], [run.OK] * 2)
        self.assertEqual([self.digest(self.path(f"out-{number}/served")) for number in range(2)], [first] * 2)
        self.assertEqual(sorted(found[2] for found in self.frames().values()), before)
        self.assertEqual(self.digest(self.made()), first)

    @unittest.skipIf(run.sanitizer(), "strace and sanitizers do not go together")
    def test_killed_at_a_call_that_writes_it_leaves_frames_that_are_right(self):
        """At some calls of each kind, by chance (`IMGFACTORY_KILLS` of them)."""
        need("strace")
        first = self.digest(self.made())
        before = sorted(found[2] for found in self.frames().values())
        folder = os.path.join(self.factory.cache, "v1", "derived", "frames")
        words = self.factory.command("--rebuild", "--compression", "zstd:chunked", "--arch", "all", "served")

        def trace(*options):
            shutil.rmtree(folder, ignore_errors=True)
            return subprocess.run(["strace", "-f", "-qq", *options, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                  env=run.Factory.environment({}), cwd=self.top, timeout=300, check=False).returncode

        trace("-o", self.path("calls"), "-e", "trace=write,linkat,renameat")
        with open(self.path("calls"), encoding="utf-8", errors="replace") as stream:
            calls = collections.Counter(re.findall(r"^(\d+) +(write|linkat|renameat)\(", stream.read(), re.M))
        points = sorted({(call, number) for (_, call), most in calls.items() for number in range(1, most + 1)})  # strace counts by thread
        first_call = "linkat" if any(call == "linkat" for _, call in calls) else "renameat"  # where files without a name cannot be
        died = 0
        for call, number in [(first_call, 1), *random.Random(1).sample(points, min(len(points), int(os.environ.get("IMGFACTORY_KILLS", "4"))))]:
            died += trace("-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:signal=SIGKILL:when={number}") != 0
            self.assertEqual(self.digest(self.made("--rebuild", "--arch", "all", "served")), first, (call, number))
            self.assertEqual(sorted(found[2] for found in self.frames().values()), before, (call, number))
        self.assertGreater(died, 0)

    def test_names_of_compressions(self):
        self.write("site.yaml", "compression: zstd:chunked\n")
        result = self.run_factory("--config", self.path("site.yaml"), "--arch", "amd64", "served")
        self.assertEqual(result.code, run.OK, result)
        self.assertTrue(list(chunked.layers(os.path.join(self.factory.output, "served"))))
        self.write_manifest("other", MANIFEST.replace("name: served", "name: other\ncompression: zstd", 1))
        for arguments, chunks in (([], 0), (["--compression", "zstd:chunked"], 1)):
            result = self.run_factory("--config", self.path("site.yaml"), *arguments, "--arch", "amd64", "other")
            self.assertEqual(result.code, run.OK, result)
            self.assertEqual(len(list(chunked.layers(os.path.join(self.factory.output, "other")))), chunks)
        self.write_manifest("other", MANIFEST + "compression: xz\n")
        self.refused(run.USAGE, self.run_factory("--arch", "amd64", "other"), "other.yaml:.*'compression' must be gzip, zstd,")
        self.write("site.yaml", "compression: xz\n")
        result = self.run_factory("--config", self.path("site.yaml"), "--arch", "amd64", "served")
        self.refused(run.USAGE, result, "site.yaml:1.*is not a compression: gzip, zstd, zstd:chunked or both")
        self.refused(run.USAGE, self.run_factory("--compression", "xz", "served"), "--compression is gzip, zstd")

    def test_an_altered_table_frame_or_tar_split_is_refused_by_all_who_read_layers(self):
        folder = self.made("--arch", "amd64", "served")
        descriptor, blob, _ = self.one(folder)
        target = self.make_registry()
        reference = f"{target.host}/ns/served:v1"
        self.pushed(folder, reference)
        name = descriptor["digest"][7:]
        places = (os.path.join(folder, "blobs", "sha256", name),
                  os.path.join(target.root, "docker", "registry", "v2", "blobs", "sha256", name[:2], name, "data"))
        self.write_manifest("above", "base: ../out/served:latest\ncreate:\n  - path: /etc/more\n    content: more\n")
        for what, at in (("a frame", len(blob) // 3), ("the footer", len(blob) - 20),
                         *((key, int(descriptor["annotations"][key].split(":")[0]) + 20) for key in (chunked.POSITION, chunked.SPLIT))):
            for path in places:
                os.chmod(path, 0o644)
                with open(path, "r+b") as stream:
                    stream.seek(at)
                    stream.write(bytes([blob[at] ^ 0x10]))
            self.factory.cache = self.path("cache" + str(at))  # where the layer is not yet
            self.factory.output, output = self.path("above"), self.factory.output
            results = [self.run_factory("--arch", "amd64", "above"), self.push(folder, f"{target.host}/ns/fresh:v1"),
                       self.call("check", folder), self.call("copy", "--tls-verify=false", folder, f"{target.host}/ns/other:v1"),
                       self.call("pull", "--tls-verify=false", "--output", self.path("pulled"), reference)]
            self.factory.output = output
            self.assertEqual([result.code for result in results], [run.TRUST] * len(results), (what, *results))
            for result in results:
                self.assertIn(name[:12], result.stderr, (what, result))
            for path in places:
                with open(path, "r+b") as stream:
                    stream.write(blob)

    def test_the_checker_sees_what_is_wrong(self):
        descriptor, blob, diff_id = self.one(self.made("--arch", "amd64", "served"))
        annotations = descriptor["annotations"]
        position = [int(number) for number in annotations[chunked.POSITION].split(":")]
        split = [int(number) for number in annotations[chunked.SPLIT].split(":")]

        def flipped(at):
            return blob[:at] + bytes([blob[at] ^ 0x10]) + blob[at + 1:]

        for name, bad, notes, diff in (
                ("the table", flipped(position[0] + 20), annotations, diff_id),
                ("tar-split", flipped(split[0] + 20), annotations, diff_id),
                ("a frame", flipped(len(blob) // 2), annotations, diff_id),
                ("the footer", flipped(len(blob) - 60), annotations, diff_id),
                ("a position", blob, {**annotations, chunked.POSITION: ":".join(map(str, [position[0] + 1, *position[1:]]))}, diff_id),
                ("the digest", blob, {**annotations, chunked.CHECKSUM: diff_id}, diff_id),
                ("the diff ID", blob, annotations, annotations[chunked.CHECKSUM])):
            with self.subTest(name), self.assertRaises(chunked.Wrong):
                chunked.check(bad, notes, diff)


class Tables(Base):
    """Tables and tar-splits that say another thing than the tar, with outer digests that are right: refused, as the checker does."""

    def refuses(self, folder, *more):
        """What `check` says of a layout's table, or None when it holds."""
        result = self.call("check", folder, *more)
        self.assertIn(result.code, (run.OK, run.TRUST, run.MALFORMED, run.RESOLVE), result)
        return result.stderr if result.code in (run.TRUST, run.MALFORMED) else None

    def changed(self, folder, blob, annotations):
        place = self.path("changed")
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(folder, place)
        chunked.put_layer(place, blob, annotations)
        return place

    def sweep(self, folder, seeds):
        descriptor, blob, diff_id = self.one(folder)
        entries, lines = chunked.Layer(blob, descriptor["annotations"]).check_end()
        refused = 0
        for seed in seeds:
            *parts, words = chunked.mutated(entries, lines, random.Random(seed))
            forged = chunked.forged(blob, descriptor["annotations"], *parts)
            wrong, told = chunked.verdict(*forged, diff_id), self.refuses(self.changed(folder, *forged))
            self.assertEqual(told is None, wrong is None, (seed, words, wrong, told))
            refused += told is not None
        return refused

    def test_what_was_changed_by_chance_is_refused_as_the_checker_refuses_it(self):
        folder = self.made("--arch", "amd64", "served")
        self.assertIsNone(self.refuses(folder))
        count = int(os.environ.get("IMGFACTORY_TABLES", "25"))
        self.assertGreater(self.sweep(folder, range(count)), count // 2)

    def theirs(self, folder, **names):
        """The layer as skopeo of the host writes it."""
        place = self.path("theirs")
        self.tool("skopeo", "copy", "-q", "--dest-compress-format", "zstd:chunked", f"oci:{folder}:{names.get('tag', 'latest')}", f"oci:{place}:latest")
        return place

    def test_tables_of_other_writers_hold_and_are_refused_when_they_were_changed(self):
        folder = self.theirs(self.made("--arch", "amd64", "served", compression="gzip"))
        descriptor, blob, diff_id = self.one(folder)
        self.assertIsNone(chunked.verdict(blob, descriptor["annotations"], diff_id))
        self.assertIsNone(self.refuses(folder))
        entries, _ = chunked.Layer(blob, descriptor["annotations"]).check_end()
        entry = next(entry for entry in entries if entry["type"] == "reg" and "digest" in entry)
        entry["mode"] = entry.get("mode", 0) ^ 0o4000
        forged = chunked.forged(blob, descriptor["annotations"], entries, None)
        self.assertIn("its mode", self.refuses(self.changed(folder, *forged)))

    def test_keys_that_go_would_take_for_known_ones_and_odd_tables_are_refused(self):
        folder = self.made("--arch", "amd64", "served")
        descriptor, blob, _ = self.one(folder)
        notes = descriptor["annotations"]
        layer = chunked.Layer(blob, notes)
        entries, lines = layer.check_end()
        position = layer.numbers(chunked.POSITION)
        for more in {"Mode": 0o4755}, {"digesT": chunked.NOTHING}, {"\u017fize": 1}, {"size": 1.5}, {"size": -1}, {"xattrs": []}, {"name": None}, {"uid": 1 << 32}:
            self.assertIsNotNone(self.refuses(self.changed(folder, *chunked.forged(blob, notes, [{**entries[0], **more}, *entries[1:]], lines))), more)

        self.assertIsNotNone(self.refuses(self.changed(folder, *chunked.forged(blob, notes, entries, [{**lines[0], "Payload": ""}, *lines[1:]]))))

        def said(**other):
            return self.refuses(self.changed(folder, blob, {**notes, **{getattr(chunked, key): value for key, value in other.items()}}))
        for words, other in (("malformed", {"POSITION": "1:2"}), ("malformed", {"CHECKSUM": "sha256:1"}), ("malformed", {"SPLIT": "x"}),
                             ("not within the layer", {"POSITION": f"{len(blob)}:9:9:1"}), ("not within", {"POSITION": f"9:{1 << 27}:9:1"}),
                             ("150 MiB", {"POSITION": f"9:{1 << 62}:9:1"}), ("150 MiB", {"POSITION": f"{position[0]}:{position[1]}:{1 << 40}:1"}),
                             ("another size", {"POSITION": f"{position[0]}:{position[1]}:{position[2] + 1}:1"}),
                             ("another digest", {"CHECKSUM": chunked.NOTHING}), ("malformed", {"POSITION": ":".join(map(str, position[:3])) + ":2"})):
            self.assertIn(words, said(**other) or "", other)

    def test_verify_and_check_of_a_registry_refuse_it_too(self):
        folder = self.made("--arch", "amd64", "served")
        descriptor, blob, _ = self.one(folder)
        entries, lines = chunked.Layer(blob, descriptor["annotations"]).check_end()
        noise = next(entry for entry in entries if entry["name"] == "usr/share/served/noise")
        noise["digest"] = chunked.NOTHING
        bills = {name: os.path.join(folder, "imgfactory", name) for name in os.listdir(os.path.join(folder, "imgfactory"))}
        place = self.changed(folder, *chunked.forged(blob, descriptor["annotations"], entries, lines))
        with open(os.path.join(place, "index.json"), encoding="utf-8") as stream:
            own = json.load(stream)["manifests"][0]["digest"][7:]
        target = self.make_registry()
        self.tool("skopeo", "copy", "-q", "--all", "--preserve-digests", "--dest-tls-verify=false", f"oci:{place}:latest",
                  f"docker://{target.host}/ns/served:v1")
        reference = f"{target.host}/ns/served:v1"
        for name, path in bills.items():  # a bill names its image by its digest
            with open(path, encoding="utf-8") as stream, open(os.path.join(place, "imgfactory", f"sha256-{own}.json"), "w",
                                                                    encoding="utf-8") as out:
                out.write(stream.read().replace(name[7:-5], own))
        for words in (("check", "--tls-verify=false", reference), ("verify", place)):
            result = self.call(*words)
            self.assertEqual(result.code, run.TRUST, result)
            self.assertRegex(result.stdout + result.stderr, "of usr/share/served/noise its table of contents says another thing than its tar: its digest")


class Both(Base):
    """gzip and zstd:chunked in one index: whoever counts platforms counts two, not four."""

    def setUp(self):
        super().setUp()
        self.folder = self.made(compression="both")
        with open(os.path.join(self.folder, "blobs", *self.digest(self.folder).split(":")), encoding="utf-8") as stream:
            self.index = json.load(stream)["manifests"]

    def document(self, digest):
        with open(os.path.join(self.folder, "blobs", *digest.split(":")), encoding="utf-8") as stream:
            return json.load(stream)

    def test_the_index_has_gzip_first_and_one_configuration(self):
        self.assertEqual([(item["platform"]["architecture"], item.get("annotations")) for item in self.index],
                         [("amd64", None), ("arm64", None), ("amd64", MARK), ("arm64", MARK)])
        documents = [self.document(item["digest"]) for item in self.index]
        self.assertEqual([item["config"]["digest"] for item in documents[:2]], [item["config"]["digest"] for item in documents[2:]])
        self.assertEqual([item["layers"][0]["mediaType"].rpartition("+")[2] for item in documents], ["gzip", "gzip", "zstd", "zstd"])
        for _, descriptor, blob, diff_id in chunked.layers(self.folder):
            chunked.check(blob, descriptor["annotations"], diff_id)
        before = self.digest(self.folder)
        self.assertEqual(self.digest(self.made(compression="both")), before)
        self.factory.cache, self.factory.output = self.path("cold"), self.path("out-cold")
        self.assertEqual(self.digest(self.made("--jobs", "1", "--arch", "all", "served", compression="both")), before)

    def test_each_manifest_has_its_bill_and_the_gzip_ones_are_those_of_gzip_alone(self):
        bills = sorted(name[7:-5] for name in os.listdir(os.path.join(self.folder, "imgfactory")))
        self.assertEqual(bills, sorted(item["digest"][7:] for item in self.index))
        self.factory.output = self.path("out-gzip")
        alone = self.made(compression="gzip")
        self.assertTrue(os.path.exists(os.path.join(alone, "blobs", *self.index[0]["digest"].split(":"))))
        told = self.call("diff", self.folder, alone)
        self.assertEqual(told.code, run.OK, told)
        self.assertEqual([told.stdout.count(name) for name in ("linux/amd64", "linux/arm64")], [1, 1], told)
        for word in self.folder, alone:
            self.assertEqual(self.call("check", word).code, run.OK)

    def test_one_platform_is_that_of_gzip(self):
        target = self.make_registry()
        self.pushed(self.folder, f"{target.host}/ns/served:v1")
        reference = f"{target.host}/ns/served:v1"
        told = self.call("pull", "--tls-verify=false", "--json", "--arch", "x86_64", "--output",
                         f"docker-archive:{self.path('x.tar')}", reference)
        self.assertEqual(told.code, run.OK, told)
        self.assertEqual(json.loads(told.stdout)["digest"], self.index[0]["digest"])
        self.factory.output = f"docker-archive:{self.path('y.tar')}"
        self.assertEqual(self.run_factory("--compression", "both", "--arch", "amd64", "served").code, run.OK)
        self.tool("skopeo", "copy", "-q", "--all", "--preserve-digests", "--src-tls-verify=false", f"docker://{reference}",
                  "oci:" + self.path("all:x"))
        self.podman("pull", "-q", "--tls-verify=false", reference)

    def test_a_tag_loses_no_platform_when_it_loses_a_compression(self):
        target = self.make_registry()
        self.pushed(self.folder, f"{target.host}/ns/served:v1")
        self.factory.output = self.path("out-gzip")
        self.pushed(self.made(compression="gzip"), f"{target.host}/ns/served:v1")
        one = self.made("--arch", "amd64", "served", "--allow-fewer-platforms", compression="both")
        result = self.push(one, f"{target.host}/ns/served:v1")
        self.refused(run.PUBLISH if result.code == run.PUBLISH else run.USAGE, result, "linux/arm64")

    def test_signatures_are_on_all_four(self):
        target = self.make_registry()
        reference = f"{target.host}/ns/served:v1"
        self.tool("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", self.path("k.pem"))
        self.tool("openssl", "ec", "-in", self.path("k.pem"), "-pubout", "-out", self.path("k.pub"))
        os.chmod(self.path("k.pem"), 0o600)
        self.pushed(self.folder, reference, "--sign", self.path("k.pem"))
        told = self.call("verify", "--tls-verify=false", "--key", self.path("k.pub"), reference)
        self.assertEqual(told.code, run.OK, told)
        for item in self.index:
            self.assertIn(item["digest"][:19] + "  signed by", told.stdout)


if __name__ == "__main__":
    unittest.main()
