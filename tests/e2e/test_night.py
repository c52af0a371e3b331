# SPDX-License-Identifier: Apache-2.0
"""Nights: an index that changed without touching an image makes nothing again, and every change that touches it does."""

import hashlib
import os
import shutil
import unittest

from base import Case, Report, deb, run, world

ARCH = "x86_64"
DATA = os.path.join(os.path.dirname(__file__), "..", "..")


class Nights(Case):
    def setUp(self):
        super().setUp()
        for folder in ("features", "families", "foreground", "interpreters", "recipes"):
            shutil.copytree(f"{DATA}/manifests/{folder}", self.path(f"manifests/{folder}"))
        shutil.copytree(f"{DATA}/arches", self.path("arches"))
        self.ready(date=-7200, architectures=("amd64",))
        self.factory.options += ["--arches", self.path("arches")]
        self.night = 0

    def order(self, *options, name="served"):
        self.build("--arch", ARCH, "--json", *options, name, name=name)
        return Report(self.last.stdout).order(name, ARCH)

    def publish(self, *added, without=()):
        """Another night's indices."""
        self.night += 1
        packages = [package for package in self.repository.packages if package.name not in without]
        self.repository.packages = packages + list(added)
        self.repository.publish(self.key, date=-7000 + self.night)

    def unrelated(self):
        return deb.Package(f"unrelated{self.night}", arch="amd64", version="1-1", files=[
            deb.File(f"/usr/bin/unrelated{self.night}", "nothing\n")])

    def expect(self, status, name="served"):
        """What the night makes is what a run makes that knows nothing."""
        order = self.order(name=name)
        self.assertEqual(order["status"], status)
        kept = (self.factory.cache, self.factory.state, self.factory.output)
        self.factory.cache, self.factory.state, self.factory.output = (self.path(f"fresh{self.night}-{name}/{folder}")
                                                                      for folder in ("c", "s", "o"))
        self.assertEqual(self.order(name=name)["digest"], order["digest"])
        self.factory.cache, self.factory.state, self.factory.output = kept
        return order

    def test_an_index_that_changed_elsewhere_makes_nothing_again(self):
        first = self.order()
        for _ in range(3):
            self.publish(self.unrelated())
            self.server.requests.clear()
            order = self.order()
            self.assertEqual((order["status"], order["digest"], order["key"]), ("reused", first["digest"], first["key"]))
            self.assertNotEqual(order["inputs"]["catalog"], first["inputs"]["catalog"])
            self.assertNotEqual(order["source"]["repositories"], first["source"]["repositories"])
            self.assertEqual(self.server.asked("*.deb"), 0, self.server.requests)
        self.assertEqual(order["files"], first["files"])
        self.expect("reused")

    def test_the_bill_beside_is_of_this_night_and_whole(self):
        self.order()
        self.publish(self.unrelated())
        self.build("--arch", ARCH, "served")  # without a report: the long lists are not read
        quiet = self.bill()
        order = self.order()
        self.assertEqual(order["status"], "reused")
        self.assertEqual(quiet, self.bill())
        self.order("--rebuild")
        self.assertEqual(quiet, self.bill())

    def bill(self):
        folder = f"{self.factory.output}/served/imgfactory"
        (name,) = os.listdir(folder)
        with open(f"{folder}/{name}", "rb") as stream:
            return stream.read()

    def test_a_new_version_of_a_dependency_is_taken(self):
        first = self.order()
        libfoo = world.libfoo(world.MACHINES["amd64"])
        libfoo.version = "1:9.9-1"
        self.publish(libfoo, without=["libfoo1"])
        self.assertNotEqual(self.expect("built")["key"], first["key"])

    def test_other_bytes_under_the_same_version_are_taken(self):
        first = self.order()
        machine = world.MACHINES["amd64"]
        served = world.served(machine)
        served.files = [file for file in served.files if "served.conf" not in file.path]
        served.files.append(deb.File("/etc/served/served.conf", "listen 68\n"))
        self.publish(served, without=["served"])
        self.assertNotEqual(self.expect("built")["digest"], first["digest"])

    def test_a_file_that_moved_to_another_package_is_found_there(self):
        """Nothing but Contents says so, of packages that were there before."""
        machine = world.MACHINES["amd64"]
        self.write_manifest("svc", world.MANIFEST.replace("name: served\ndesc", "name: svc\ndesc", 1))
        first = self.order(name="svc")
        self.assertEqual(first["choices"][0]["package"], "served")
        tiny = deb.Package("tiny", arch="amd64", version="1-1", Depends="served-data", files=[
            deb.program(world.SERVED, world.executable(machine, ["libc.so.6"]))])
        data = deb.Package("served-data", arch="amd64", version="1-1", Depends="libc6", files=[
            deb.File("/etc/served/served.conf", "tiny\n")])
        self.publish(tiny, data)
        order = self.expect("built", name="svc")
        self.assertNotEqual(order["choices"][0]["others"], first["choices"][0]["others"])

    def test_a_package_that_newly_provides_a_virtual_name_counts(self):
        machine = world.MACHINES["amd64"]
        served = world.served(machine, version="4.4.1-3", Depends="libfoo1 (>= 1:1.0), libc6, served-common, agent")
        second = deb.Package("zz-agent", arch="amd64", version="1-1", Provides="agent", files=[
            deb.File("/usr/share/served/agent", "zz\n")])
        self.publish(served, second, without=["served"])
        self.write_manifest(text=world.MANIFEST.replace("files:\n", "files:\n  - /usr/share/served/agent\n"))
        first = self.order()
        self.publish(self.unrelated())
        self.assertEqual(self.order()["status"], "reused")
        other = deb.Package("agent", arch="amd64", version="1-1", files=[
            deb.File("/usr/share/served/agent", "real\n")])
        self.publish(other)
        self.assertNotEqual(self.expect("built")["digest"], first["digest"])

    def test_every_file_of_ours_that_changed_with_the_index_counts(self):
        self.order()
        names = {"arches": f"{ARCH}.yaml"}
        for folder in ("manifests/features", "manifests/families", "manifests/foreground", "manifests/interpreters",
                       "manifests/recipes", "arches"):
            name = names.get(folder) or sorted(n for n in os.listdir(self.path(folder)) if n.endswith(".yaml"))[0]
            with open(self.path(f"{folder}/{name}"), "a", encoding="utf-8") as stream:
                stream.write("# another\n")
            self.publish(self.unrelated())
            self.assertEqual(self.order()["status"], "built", folder)
            self.publish(self.unrelated())
            self.assertEqual(self.order()["status"], "reused", folder)
        self.write_manifest(text=world.MANIFEST + "# another\n")
        self.publish(self.unrelated())
        self.assertEqual(self.order()["status"], "built")
        for option in ("--no-check", "--allow-older", "--strict"):
            self.publish(self.unrelated())
            self.assertEqual(self.order(option)["status"], "built", option)

    def test_indices_that_come_and_go_and_two_sources_keep_their_products(self):
        first = self.order()
        before = list(self.repository.packages)
        machine = world.MACHINES["amd64"]
        self.publish(world.served(machine, version="4.4.1-9"), without=["served"])
        self.assertEqual(self.order()["status"], "built")
        self.repository.packages = before
        self.publish(self.unrelated())
        order = self.order()  # another key of questions led there once; what was made is still there
        self.assertEqual((order["status"], order["digest"]), ("reused", first["digest"]))

    def test_files_of_ours_are_parsed_again_when_they_are_others(self):
        first = self.order()
        for folder in ("recipes", "families", "foreground", "interpreters", "features"):
            name = sorted(n for n in os.listdir(self.path(f"manifests/{folder}")) if n.endswith(".yaml"))[0]
            path = self.path(f"manifests/{folder}/{name}")
            with open(path, encoding="utf-8") as stream:
                text = stream.read()
            status = os.stat(path)
            for _ in range(2):
                with open(path, "w", encoding="utf-8") as stream:
                    stream.write("[" + text[1:])
                os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
                self.server.requests.clear()
                result = self.run_factory("--arch", ARCH, "served")
                self.assertEqual((result.code, self.server.requests), (run.USAGE, []), result)
                self.assertIn(f"{folder}/{name}:", result.stderr)
            with open(path, "w", encoding="utf-8") as stream:
                stream.write(text)
            self.assertEqual(self.order()["status"], "reused")
        self.lose("product")
        order = self.order()  # they are known to be good, and needed
        self.assertEqual((order["status"], order["digest"]), ("built", first["digest"]))

    def lose(self, kind):
        """Takes what was derived of a kind out of the cache; at least one file of it was there."""
        folder = f"{self.factory.cache}/v1/derived/{kind}"
        self.assertTrue(os.listdir(folder))
        shutil.rmtree(folder)

    def test_only_what_asks_an_index_opens_it(self):
        first = self.order()
        self.lose("deb-index")
        self.server.requests.clear()
        self.assertEqual(self.order()["status"], "reused")
        self.assertEqual(self.server.asked("*Packages*"), 0, self.server.requests)
        self.lose("product")  # now the answers are known, and what they led to has to be made
        order = self.order()
        self.assertEqual((order["status"], order["digest"]), ("built", first["digest"]))
        self.assertGreater(len(os.listdir(f"{self.factory.cache}/v1/derived/deb-index")), 0)
        self.lose("deb-index")
        self.publish(self.unrelated())  # and now they have to be asked
        self.assertEqual(self.order()["status"], "reused")
        self.assertGreater(len(os.listdir(f"{self.factory.cache}/v1/derived/deb-index")), 0)
        self.lose("deb-index")
        self.factory.run_plain("why", *self.factory.options, "--arch", ARCH, "served", "/usr/share/not-there")
        self.assertGreater(len(os.listdir(f"{self.factory.cache}/v1/derived/deb-index")), 0)

    def test_a_product_whose_layer_went_is_made_again(self):
        first = self.order()
        self.publish(self.unrelated())
        layer = first["layer"].removeprefix("sha256:")
        os.unlink(f"{self.factory.cache}/v1/blob/sha256/{layer[:2]}/{layer}")
        self.assertEqual(self.expect("built")["digest"], first["digest"])

    def test_damaged_questions_are_none(self):
        self.order()
        for kind in ("asked", "product", "settled"):
            self.publish(self.unrelated())
            for folder, _, names in os.walk(f"{self.factory.cache}/v1/derived/{kind}"):
                for name in names:
                    os.truncate(os.path.join(folder, name), 10)
            self.assertIn(self.order()["status"], ("built", "reused"))
            self.assertEqual(self.order()["status"], "reused", kind)


class Conditional(Case):
    """Who has a file is told so, and verifies what he has as if it had come."""

    def setUp(self):
        super().setUp()
        self.ready(date=-7200)

    def status(self):
        self.build("--arch", ARCH, "--json", "served")
        return Report(self.last.stdout).order("served", ARCH)["status"]

    def test_what_is_the_same_is_not_sent_again_and_what_changed_is(self):
        for kind in ("ETag", "Last-Modified"):
            self.server.versions = kind
            self.factory.cache, self.factory.state = self.path(f"cache {kind}"), self.path(f"state {kind}")
            self.status()
            self.assertEqual(self.server.not_modified, [])
            self.assertEqual(self.status(), "reused")
            self.assertEqual([os.path.basename(path) for path in self.server.not_modified], ["InRelease"])
            self.repository.packages.append(deb.Package("other" + kind.lower(), version="1-1", files=[]))
            self.repository.publish(self.key, date=-7000 if kind == "ETag" else -6000)
            self.status()
            self.assertEqual(len(self.server.not_modified), 1)
            self.assertEqual(self.status(), "reused")
            self.assertEqual(len(self.server.not_modified), 2)
            self.server.not_modified.clear()

    def test_what_is_had_is_verified_as_ever(self):
        self.server.versions = "ETag"
        self.status()
        self.use(self.write_source("other.yaml", keys=[self.ring.get("other").keyring]))
        result = self.refuse_last()
        self.assertIn("InRelease is refused", result.stderr)

    def refuse_last(self):
        result = self.run_factory("--arch", ARCH, "served")
        self.assertEqual(result.code, run.TRUST, result)
        return result

    def test_bytes_that_were_damaged_in_the_cache_are_got_again(self):
        self.server.versions = "ETag"
        self.status()
        with open(self.path("repo/dists/stable/InRelease"), "rb") as stream:
            name = hashlib.sha256(stream.read()).hexdigest()
        blob = f"{self.factory.cache}/v1/blob/sha256/{name[:2]}/{name}"
        os.truncate(blob, 100)
        self.assertEqual(self.status(), "reused")
        self.assertEqual(self.server.not_modified, [])
        self.assertEqual(self.status(), "reused")
        self.assertEqual(len(self.server.not_modified), 1)

    def test_a_server_that_says_so_unasked_is_no_answer(self):
        self.server.fault("*InRelease", status=304)
        result = self.run_factory("--arch", ARCH, "served")
        self.assertEqual(result.code, run.NETWORK, result)
        self.assertIn("HTTP status 304", result.stderr)


if __name__ == "__main__":
    unittest.main()
