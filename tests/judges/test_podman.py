# SPDX-License-Identifier: Apache-2.0
"""podman 5, of a root of trixie or sid ($IMGFACTORY_ROOTS, kit/roots.py: mmdebstrap --variant=apt --include=podman trixie ROOTS/trixie, a
minute), pulls zstd:chunked layers in parts from a real registry: what it misses and what it asks for beside our table; and it refuses
tables, tar-splits and frames that were altered, as `check` does. Needs root."""

import os
import random
import re
import shlex
import shutil
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from base import PushCase, deb, run, world  # noqa: E402  pylint: disable=wrong-import-position
from kit import chunked, faultproxy, roots  # noqa: E402  pylint: disable=wrong-import-position

ENTER = ("mount --bind {root} {root} && mount -t proc proc {root}/proc && mount --rbind /sys {root}/sys && mount --rbind /dev {root}/dev && "
         "exec chroot {root} env HOME={top} PODMAN_IGNORE_CGROUPSV1_WARNING=1 CONTAINERS_STORAGE_CONF={top}/storage.conf "
         "podman --log-level=debug pull --tls-verify=false {reference}")
STORAGE = """[storage]
driver = "overlay"
graphroot = "{top}/root"
runroot = "{top}/run"
[storage.options.pull_options]
enable_partial_images = "true"
"""
ACCEPTED = ", ".join(f"application/vnd.{kind}+json" for kind in ("oci.image.index.v1", "oci.image.manifest.v1"))  # the proxy passes on one header of a name
NOISE = random.Random(5).randbytes(2 << 20)
OTHER = NOISE[:1 << 20] + b"changed" + NOISE[1 << 20:]


def packages():
    made = [package for package in world.packages() if package.name != "served"]
    for name in "amd64", "arm64":
        served = world.served(world.MACHINES[name])
        served.files += [deb.File("/usr/share/served/noise", NOISE), deb.File("/usr/share/served/other", OTHER),
                         deb.File("/usr/share/served/same", bytes(range(256)) * 200)]
        made.append(served)
    return made


class Counting(faultproxy.FaultProxy):
    """Counts the bytes of blobs that are asked for in ranges, and of those that are asked for whole."""
    ranged = whole = 0

    def answer(self, request):
        answer = super().answer(request)
        if request.verb == "GET" and "/blobs/" in request.path:
            if answer.status == 206:
                self.ranged += len(answer.body)
            else:
                self.whole += len(answer.body)
        return answer


class Podman(PushCase):
    def setUp(self):
        super().setUp()
        self.root = roots.find("trixie", "usr/bin/podman") or roots.find("sid", "usr/bin/podman")
        if not self.root:
            self.skipTest("no root of trixie or sid with podman ($IMGFACTORY_ROOTS)")
        self.ready(packages=packages(), manifest=world.MANIFEST.replace("files:\n", "files:\n  - /usr/share/served/noise\n  - /usr/share/served/same\n"))
        self.write_manifest("later", world.MANIFEST.replace("name: served", "name: later", 1).replace(
            "files:\n", "files:\n  - /usr/share/served/other\n  - /usr/share/served/same\n"))
        self.registry = self.make_registry()
        self.proxy = self.serve(Counting(self.registry.url, inject={"Accept": ACCEPTED}))
        outside, self.store = self.enterContext(roots.folder(self.root))
        with open(os.path.join(outside, "storage.conf"), "w", encoding="ascii") as stream:
            stream.write(STORAGE.format(top=self.store))

    def made(self, name):
        result = self.run_factory("--compression", "zstd:chunked", "--arch", "amd64", name)
        self.assertEqual(result.code, run.OK, result)
        return os.path.join(self.factory.output, name)

    def pull(self, reference):
        """podman's exit status and its log."""
        self.proxy.ranged = self.proxy.whole = 0
        enter = ENTER.format(root=shlex.quote(self.root), top=self.store, reference=reference)
        done = subprocess.run(["unshare", "-m", "sh", "-c", enter], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300, check=False)
        return done.returncode, done.stdout.decode(errors="replace")

    def missed(self, log):
        """What podman says that it misses, and of how many bytes."""
        found = re.search(r"Missing (\d+) bytes out of (\d+)", log)
        self.assertTrue(found, log[-3000:])
        return int(found[1]), int(found[2])

    @staticmethod
    def plain(folder):
        """{digest of a chunk: its plain bytes} by the table, and all of them."""
        _, descriptor, blob, _ = next(iter(chunked.layers(folder)))
        entries, _ = chunked.Layer(blob, descriptor["annotations"]).check_end()
        sizes = {}
        for entry in entries:
            if "offset" in entry:
                sizes[entry.get("chunkDigest") or entry["digest"]] = entry.get("chunkSize") or entry["size"]
        return sizes, chunked.chunk_sizes(blob, descriptor["annotations"]), len(blob)

    def test_it_fetches_what_our_table_says_that_it_lacks(self):
        folders = [self.made(name) for name in ("served", "later")]
        tables = [self.plain(folder) for folder in folders]
        for folder, name in zip(folders, ("served", "later")):
            self.pushed(folder, f"{self.proxy.host}/ns/{name}:v1")
        code, log = self.pull(f"{self.proxy.host}/ns/served:v1")
        self.assertEqual(code, 0, log[-3000:])
        self.assertEqual(self.missed(log), (sum(tables[0][0].values()),) * 2)
        code, log = self.pull(f"{self.proxy.host}/ns/later:v1")
        self.assertEqual(code, 0, log[-3000:])
        lacking = {key: size for key, size in tables[1][0].items() if key not in tables[0][0]}
        self.assertEqual(self.missed(log), (sum(lacking.values()), sum(tables[1][0].values())))
        self.assertLess(sum(lacking.values()), len(OTHER) // 2)
        told = sum(size for key, size in tables[1][1].items() if key not in tables[0][1])
        print(f"table: {told} bytes, podman: {self.proxy.ranged} in ranges, of {tables[1][2]}", file=sys.stderr)
        # what a client asks for besides: heads of parts, and bytes between two ranges that are near
        self.assertLessEqual(told, self.proxy.ranged)
        self.assertLess(self.proxy.ranged, told * 1.1 + 8192)

    def altered(self, folder):
        """[(what, a layer's bytes, its annotations)]: digests that are told of parts are right but for those that it is about."""
        _, descriptor, blob, _ = next(iter(chunked.layers(folder)))
        notes = descriptor["annotations"]
        layer = chunked.Layer(blob, notes)
        entries, lines = layer.check_end()
        at = next(number for number, entry in enumerate(entries) if entry["name"] == "usr/share/served/same")

        def entry(**more):
            return chunked.forged(blob, notes, [*entries[:at], {**entries[at], **more}, *entries[at + 1:]], lines)

        def flipped(place):
            return blob[:place] + bytes([blob[place] ^ 1]) + blob[place + 1:], notes
        split = [dict(line) for line in lines]
        place = next(number for number, line in enumerate(split) if line.get("name") == "usr/share/served/same")
        split[place]["name"] = "usr/share/served/sane"
        return [("a mode", *entry(mode=0o4755)), ("a name", *entry(name="usr/share/served/sane")), ("a digest", *entry(digest=chunked.NOTHING)),
                ("an entry", *chunked.forged(blob, notes, [*entries[:at], *entries[at + 1:]], lines)),
                ("tar-split's line", *chunked.forged(blob, notes, entries, split[:place - 1] + split[place + 1:])),
                ("the table's bytes", *flipped(layer.numbers(chunked.POSITION)[0] + 20)),
                ("tar-split's bytes", *flipped(layer.numbers(chunked.SPLIT)[0] + 20)),
                ("a frame", *flipped((entries[at]["offset"] + entries[at]["endOffset"]) // 2))]

    def test_it_refuses_what_was_altered_as_we_do(self):
        folder = self.made("served")
        for number, (what, blob, annotations) in enumerate(self.altered(folder)):
            with self.subTest(what):
                place = self.path(f"altered-{number}")
                shutil.copytree(folder, place)
                chunked.put_layer(place, blob, annotations)
                reference = f"{self.proxy.host}/ns/altered-{number}:v1"
                self.tool("skopeo", "copy", "-q", "--preserve-digests", "--dest-tls-verify=false", f"oci:{place}:latest", f"docker://{reference}")
                ours = self.call("check", "--tls-verify=false", reference)
                self.assertIn(ours.code, (run.TRUST, run.MALFORMED), ours)
                code, log = self.pull(reference)
                self.assertNotEqual(code, 0, log[-2000:])
                self.assertRegex(log, r"zstd:chunked|digest|tar-?split|TOC|checksum|EOF", log[-2000:])


if __name__ == "__main__":
    unittest.main()
