# SPDX-License-Identifier: Apache-2.0
"""A small signed repository becomes a verified multi-arch image, always with the same bytes."""

import json
import os
import re
import shutil
import stat
import subprocess
import unittest

from base import Case, Report, image, need, run, world

AMD64, ARM64 = world.MACHINES["amd64"], world.MACHINES["arm64"]


def on_disk(root):
    """{path: (kind, mode, uid, gid, target, content)} of a folder."""
    found = {}
    for folder, names, files in os.walk(root):
        for name in names + files:
            path = os.path.join(folder, name)
            status = os.lstat(path)
            kind = {stat.S_IFDIR: "dir", stat.S_IFLNK: "link", stat.S_IFREG: "file"}[stat.S_IFMT(status.st_mode)]
            content = None
            if kind == "file":
                with open(path, "rb") as stream:
                    content = stream.read()
            found["/" + os.path.relpath(path, root)] = (
                kind, None if kind == "link" else stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid,
                os.readlink(path) if kind == "link" else None, content)
    return found


def as_disk(entries):
    """The same for a layer's entries; a hard link counts as the file it names."""
    found = {}
    for path, entry in entries.items():
        real = entries["/" + entry.target] if entry.kind == "hardlink" else entry
        found[path] = (real.kind, None if real.kind == "link" else real.mode, real.uid, real.gid,
                       real.target if real.kind == "link" else None, real.data)
    return found


def text_of(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout.decode()


def patch(library, symbol):
    """Changes the first byte of a function."""
    found = re.search(rf"\s([0-9a-f]+)\s+\d+ FUNC .* {symbol}(@|\s|$)", text_of("readelf", "-W", "--dyn-syms", library), re.M)
    address = int(found.group(1), 16)
    for offset, start, size in re.findall(r"LOAD\s+0x(\w+) 0x(\w+) 0x\w+ 0x(\w+)", text_of("readelf", "-lW", library)):
        if 0 <= address - int(start, 16) < int(size, 16):
            with open(library, "r+b") as stream:
                stream.seek(address - int(start, 16) + int(offset, 16))
                stream.write(b"\x90\x90")


class TheImage(Case):
    def setUp(self):
        super().setUp()
        self.ready()

    def test_holds_the_service_and_its_libraries_and_nothing_else(self):
        layout = self.build()
        self.assertEqual(sorted(layout.images["latest"]), ["amd64", "arm64/v8"])
        for machine, name in ((AMD64, "amd64"), (ARM64, "arm64/v8")):
            built = layout.images["latest"][name]
            for path in (world.SERVED, machine.loader, machine.lib("libc.so.6"), machine.lib("libfoo.so.1.2"),
                         machine.lib("libbar.so.2"), machine.lib("libgcc_s.so.1"), "/etc/served/served.conf",
                         "/etc/passwd", "/etc/group", "/usr/lib/os-release", "/var/lib/served/leases"):
                self.assertIn(path, built)
                self.assertEqual(built[path].kind, "file", path)
            self.assertEqual(built.resolve(machine.interp), machine.loader)
            self.assertEqual(built.resolve(machine.lib("libfoo.so.1")), machine.lib("libfoo.so.1.2"))
            self.assertEqual(built.resolve("/etc/served.conf"), "/etc/served/served.conf")
            self.assertEqual(built.resolve("/etc/os-release"), "/usr/lib/os-release")
            self.assertEqual(built["/lib"].target, "usr/lib")
            for path in built.paths():
                self.assertFalse(path.startswith(("/usr/share/doc", "/usr/share/served")), path)
                self.assertNotIn("libbaz", path)

    def test_has_owners_modes_and_accounts_as_the_manifest_says(self):
        for built in self.build().images["latest"].values():
            self.assertEqual((built["/run/served"].mode, built["/run/served"].uid, built["/run/served"].gid),
                             (0o750, 101, 102))
            self.assertEqual(built["/var/lib/served"].mode, 0o750)
            self.assertEqual((built[world.SERVED].mode, built[world.SERVED].uid), (0o755, 0))
            self.assertIn(b"\nserved:x:101:102:", b"\n" + built["/etc/passwd"].data)
            self.assertIn(b"\nserved:x:102:", b"\n" + built["/etc/group"].data)
            self.assertEqual(built["/var/lib/served/leases"].data, b"")

    def test_is_configured_as_the_manifest_says(self):
        layout = self.build()
        for built in layout.images["latest"].values():
            config = built.config["config"]
            self.assertEqual(config["Entrypoint"], [world.SERVED])
            self.assertEqual(config["Cmd"], ["-d"])
            self.assertEqual(config["ExposedPorts"], {"67/udp": {}})
            self.assertEqual(config["Volumes"], {"/var/lib/served": {}})
            self.assertEqual(config["User"], "served")
        self.assertEqual(sorted(layout.tags), ["4.4.1", "latest"])
        self.assertEqual(layout.digest("latest"), layout.digest("4.4.1"))
        self.assertEqual(layout.stray_blobs(), [])

    def test_tells_scanners_exactly_the_packages_that_gave_files(self):
        for built in self.build().images["latest"].values():
            folder = "/var/lib/dpkg/status.d/"
            names = {path[len(folder):] for path in built.paths("file") if path.startswith(folder)}
            self.assertEqual({name for name in names if not name.endswith(".md5sums")},
                             {"served", "libc6", "libgcc-s1", "libfoo1", "libbar2", "base-files"})
            text = built[folder + "served"].data.decode()
            for line in ("Package: served\n", "Status: install ok installed\n", "Version: 4.4.1-2+deb12u1\n"):
                self.assertIn(line, text)

    def test_is_written_as_a_tree_too(self):
        layout = self.build("--arch", "all", "--tree", self.path("tree"), "served")
        for machine, name in ((AMD64, "amd64"), (ARM64, "arm64/v8")):
            found = on_disk(self.path(f"tree/served/{machine.name}"))
            wanted = as_disk(layout.images["latest"][name].entries)
            if os.geteuid() != 0:
                found, wanted = ({path: facts[:2] + facts[4:] for path, facts in side.items()}
                                 for side in (found, wanted))
            self.assertEqual(found, wanted)

    def test_is_accepted_by_skopeo(self):
        need("skopeo")
        for compression in ("gzip", "zstd"):
            layout = self.build("--arch", "all", "--compression", compression, "served")
            inspected = json.loads(subprocess.run(["skopeo", "inspect", f"oci:{layout.path}:latest"], check=True,
                                                  stdout=subprocess.PIPE).stdout)
            self.assertEqual(inspected["Os"], "linux")
            self.assertEqual(inspected["Labels"]["org.opencontainers.image.title"], "served")
            for number, options in enumerate(([], ["--preserve-digests"])):
                copy = self.path(f"copy-{compression}-{number}")
                subprocess.run(["skopeo", "copy", "--quiet", "--all", *options, f"oci:{layout.path}:latest",
                                f"oci:{copy}:latest"], check=True, stdout=subprocess.DEVNULL)
                self.assertEqual(image.Layout(copy).digest(), layout.digest(), f"{compression} {options}")

    def test_is_compressed_with_gzip_and_says_by_whom(self):
        for options, media, encoder in (([], "tar+gzip", "libdeflate [0-9.]+ level 6"),
                                        (["--compression", "zstd"], "tar+zstd", "libzstd [0-9.]+ level 6")):
            layout = self.build("--json", "--arch", "all", *options, "served")
            for built in layout.images["latest"].values():
                self.assertTrue(built.manifest["layers"][0]["mediaType"].endswith(media))
                annotations = built.descriptor.get("annotations")
                self.assertEqual(annotations, None if "gzip" in media else
                                 {"io.github.containers.compression.zstd": "true"})
            order = Report(self.last.stdout).order("served", "x86_64")
            self.assertRegex(order["encoder"], f"^{encoder}$")
            self.assertRegex(order["encoder_code"], "^sha256:[0-9a-f]{64}$")

    def test_is_made_again_under_another_library_and_used_again_under_the_same(self):
        first, same = self.order_under(None), self.order_under(None)
        other = self.order_under("libdeflate", "libdeflate_adler32")
        if not other:
            self.skipTest("the program has libdeflate inside")
        self.assertEqual([order["status"] for order in (first, same, other)], ["built", "reused", "built"])
        self.assertEqual(first["encoder_code"], same["encoder_code"])
        self.assertNotEqual(first["encoder_code"], other["encoder_code"])
        self.assertEqual({order["digest"] for order in (same, other)}, {first["digest"]})

    def test_is_made_again_under_another_solver_and_other_libraries_of_its_own(self):
        first = self.order_under(None)
        solver = self.order_under("libsolv.so", "pool_trivial_installable")
        own = self.order_under("libimgfactory-registry", "push_image")  # of a debug build
        for other in (solver, own):
            if other:
                self.assertEqual((other["status"], other["digest"]), ("built", first["digest"]))
                self.assertNotEqual(other["inputs"]["program"], first["inputs"]["program"])
        self.assertEqual(self.order_under(None)["status"], "reused")
        self.assertTrue(solver, "the program has libsolv inside")

    def order_under(self, name, function=None):
        """The order, made with a library in which a function differs that the order does not call; None without it."""
        need("ldd", "readelf")
        env = {}
        if name:
            linked = re.search(rf"{name}\S+ => (\S+)", text_of("ldd", run.program()))
            if not linked:
                return None
            library = self.path(f"lib-{name}/" + os.path.basename(linked.group(1)))
            os.makedirs(os.path.dirname(library))
            shutil.copyfile(linked.group(1), library)
            patch(library, function)
            env["LD_LIBRARY_PATH"] = os.path.dirname(library)
        self.build("--arch", "x86_64", "--json", "served", env=env)
        return Report(self.last.stdout).order("served", "x86_64")

    def test_has_the_skeleton_of_every_system(self):
        for built in self.build().images["latest"].values():
            for path, mode in (("/tmp", 0o1777), ("/var/tmp", 0o1777), ("/run", 0o755), ("/run/lock", 0o1777),
                               ("/var/lib", 0o755), ("/var/log", 0o755), ("/var/cache", 0o755), ("/var/spool", 0o755)):
                self.assertEqual((built[path].kind, built[path].mode, built[path].uid), ("dir", mode, 0), path)
            self.assertEqual((built["/var/run"].target, built["/var/lock"].target), ("/run", "/run/lock"))
            self.assertIn(b"\nnobody:x:65534:65534:", built["/etc/passwd"].data)
            self.assertIn(b"\nnogroup:x:65534:\n", built["/etc/group"].data)

    def test_says_the_same_in_labels_as_in_annotations(self):
        layout = self.build()
        for built in layout.images["latest"].values():
            labels, annotations = built.config["config"]["Labels"], built.manifest["annotations"]
            own = {key: value for key, value in labels.items() if key.startswith("org.opencontainers.image.")}
            self.assertEqual(own, {key: value for key, value in annotations.items() if key in own})
            self.assertLessEqual({"org.opencontainers.image." + key for key in ("created", "version", "title")}, set(own))

    def test_unpacks_by_umoci_to_the_very_tree(self):
        need("skopeo", "umoci")
        if os.geteuid() != 0:
            self.skipTest("owners need root")
        for machine, name in ((AMD64, "amd64"), (ARM64, "arm64/v8")):
            layout = self.build("--arch", "all", "--compression", "gzip", "served")
            single = self.path("single-" + machine.name)
            subprocess.run(["skopeo", "--override-arch", machine.oci, "copy", "--quiet", f"oci:{layout.path}:latest",
                            f"oci:{single}:latest"], check=True, stdout=subprocess.DEVNULL)
            bundle = self.path("bundle-" + machine.name)
            subprocess.run(["umoci", "unpack", "--image", f"{single}:latest", bundle], check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            self.assertEqual(on_disk(bundle + "/rootfs"), as_disk(layout.images["latest"][name].entries))

    def test_is_the_hosts_own_architecture_without_arch(self):
        layout = self.build("served")
        own = {"x86_64": "amd64", "aarch64": "arm64/v8"}.get(os.uname().machine)
        self.assertEqual(list(layout.images["latest"]), [own])

    def test_takes_debian_names_of_architectures(self):
        self.assertEqual(list(self.build("--arch", "arm64", "served").images["latest"]), ["arm64/v8"])


class EveryArchitecture(Case):
    def test_in_one_index_from_files_alone(self):
        names = tuple(world.MACHINES)
        machines = [world.MACHINES[name] for name in names]
        allowed = "architectures: [" + ", ".join(machine.name for machine in machines) + "]\n"
        self.ready(architectures=names, manifest=world.MANIFEST + allowed)
        images = self.build().images["latest"]
        self.assertEqual(len(images), len(machines))
        for machine in machines:
            built = next(item for name, item in images.items() if name.split("/")[0] == machine.oci)
            self.assertEqual(built.resolve(machine.interp), machine.loader, machine.name)
            for library in ("libc.so.6", "libbar.so.2", "libfoo.so.1.2", "libgcc_s.so.1"):
                self.assertIn(machine.lib(library), built, machine.name)


class LibrariesWithoutAProgram(Case):
    def test_bring_the_loader_that_their_c_library_can_be_started_with(self):
        packages = [package for package in world.packages() if package.name != "libc6"]
        packages += [world.libc(machine, interp=machine.interp) for machine in (AMD64, ARM64)]
        self.ready(packages=packages, manifest="packages:\n  install: [libfoo1]\n")
        images = self.build().images["latest"]
        for machine, name in ((AMD64, "amd64"), (ARM64, "arm64/v8")):
            self.assertIn(machine.lib("libfoo.so.1.2"), images[name])
            self.assertEqual(images[name].resolve(machine.interp), machine.loader)


class OneOutput(Case):
    def setUp(self):
        super().setUp()
        self.ready()

    def test_keeps_other_tags(self):
        first = self.build()
        self.write_manifest(text=world.MANIFEST.replace('tags: [latest, "{version}"]', "tags: [next]")
                            .replace("cmd: [-d]", "cmd: [-f]"))
        second = self.build()
        self.assertEqual(sorted(second.tags), ["4.4.1", "latest", "next"])
        self.assertEqual(second.digest("latest"), first.digest("latest"))
        self.assertNotEqual(second.digest("next"), first.digest("latest"))
        self.assertEqual(second.stray_blobs(), [])

    def test_is_left_alone_when_nothing_changed(self):
        layout = self.build()
        before = {name: os.stat(os.path.join(layout.path, name)).st_mtime_ns for name in self.files_below(layout.path)}
        self.build()
        after = {name: os.stat(os.path.join(layout.path, name)).st_mtime_ns for name in self.files_below(layout.path)}
        self.assertEqual(before, after)

    def test_follows_a_new_package_version(self):
        first = self.build()
        packages = [package for package in world.packages() if package.name != "served"]
        packages += [world.served(machine, version="4.4.2-1") for machine in (AMD64, ARM64)]
        self.repository.packages = packages
        self.repository.publish(self.key)
        second = self.build()
        self.assertNotEqual(first.digest(), second.digest())
        self.assertEqual(sorted(second.tags), ["4.4.1", "4.4.2", "latest"])
        self.assertEqual(second.digest("4.4.1"), first.digest("4.4.1"))

    def test_is_mended_when_a_blob_is_damaged(self):
        first = self.build()
        blobs = os.path.join(first.path, "blobs/sha256")
        largest = max((os.path.join(blobs, name) for name in os.listdir(blobs)), key=os.path.getsize)
        with open(largest, "r+b") as stream:
            stream.seek(100)
            stream.write(b"damage")
        self.assertEqual(self.build().digest(), first.digest())

    def test_stays_empty_on_a_dry_run(self):
        result = self.run_factory("--arch", "all", "--dry-run", "served")
        self.assertEqual(result.code, run.OK, result)
        self.assertIn("libfoo1", result.stdout + result.stderr)
        self.assert_nothing_left(result)

    def test_is_told_in_json(self):
        layout = self.build("--arch", "all", "--json", "served")
        json.loads(self.last.stdout)
        self.assertIn(layout.digest(), self.last.stdout)
        result = self.run_factory("--arch", "all", "--dry-run", "--json", "served")
        self.assertEqual(result.code, run.OK, result)
        chosen = Report(result.stdout).selection("served", "aarch64")
        for name, version in (("served", "4.4.1-2+deb12u1"), ("libfoo1", "1:1.2-3"), ("served-common", "4.4.1-2+deb12u1")):
            self.assertEqual(chosen[name], version)
        self.assertNotIn("served-big", chosen)


class TheSameBytes(Case):
    def setUp(self):
        super().setUp()
        self.ready(by_hash=True)
        self.wanted = self.build("--arch", "all", "--jobs", "2", "served").digest()

    def fresh(self, name):
        """New folders for everything."""
        self.factory = run.Factory(self.path(name))
        self.use(self.path("source.yaml"))

    def assert_same(self, *arguments, **settings):
        self.assertEqual(self.build("--arch", "all", *arguments, "served", **settings).digest(), self.wanted)

    def test_for_any_number_of_jobs(self):
        for jobs in ("1", "2", "8"):
            self.fresh("jobs" + jobs)
            self.assert_same("--jobs", jobs)

    def test_from_a_cold_a_warm_and_a_hot_cache(self):
        self.assert_same()
        self.assert_same("--rebuild")
        shutil.rmtree(self.factory.output)
        self.assert_same("--cache-only")
        shutil.rmtree(self.factory.output)
        self.assert_same("--cache-only", "--rebuild")
        shutil.rmtree(self.factory.cache)
        self.assert_same()

    def test_under_another_umask_locale_time_zone_and_directory(self):
        for number, settings in enumerate((
                {"umask": 0o077}, {"umask": 0}, {"env": {"LC_ALL": "C.UTF-8"}}, {"env": {"LC_ALL": "tr_TR.UTF-8"}},
                {"env": {"TZ": "Pacific/Kiritimati"}}, {"cwd": "/"}, {"env": {"HOME": None, "TMPDIR": "/nonexistent"}})):
            self.fresh(f"other{number}")
            with self.subTest(settings):
                self.assert_same(**settings)

    def test_whether_fetched_by_http_or_from_a_file_uri(self):
        self.fresh("file")
        self.use(self.write_source("file.yaml", uris=["file://" + self.repository.root]))
        layout = self.build()
        for name, built in layout.images["latest"].items():
            self.assertIn(name, ("amd64", "arm64/v8"))
            self.assertIn(world.SERVED, built)

    def test_but_not_another_time_than_source_date_epoch_says(self):
        self.fresh("epoch")
        layout = self.build(env={"SOURCE_DATE_EPOCH": "1600000000"})
        for built in layout.images["latest"].values():
            self.assertEqual(built.config["created"], "2020-09-13T12:26:40Z")
            self.assertLessEqual(max(entry.mtime for entry in built.entries.values()), 1600000000)


if __name__ == "__main__":
    unittest.main()
