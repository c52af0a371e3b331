# SPDX-License-Identifier: Apache-2.0
"""Lock files of RPM repositories, whose packages are signed themselves."""

import copy
import json
import os
import re
import shutil
import time
import unittest

from base import rpm, run, server
from kit import rpm_world
from kit.rpm_case import BuildCase, Shared, publish
from lock_case import FAR, LOCK, reseal

ARCHES = ("x86_64", "aarch64")
SHARED = Shared()
MANIFESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../manifests")


def tearDownModule():
    SHARED.close()


class Rpm(BuildCase):
    """The same of RPM repositories, whose packages are signed themselves."""

    def setUp(self):
        super().setUp()
        self.folder = self.copy(SHARED.get("fedora", rpm_world.packages), "repo")
        self.server = server.Server(self.folder).start()
        self.addCleanup(self.server.stop)
        self.lock_path = self.path(LOCK)
        self.use(self.source(self.folder, where=self.server.url.rstrip("/")))

    shared = SHARED

    def use(self, source, retries=1):
        self.factory.options = ["--source", source, "--manifests", MANIFESTS, "--retries", str(retries), "--lock-file",
                                self.path(LOCK)]

    def elsewhere(self, name):
        options = self.factory.options
        self.factory = run.Factory(self.path(name))
        self.factory.options = options

    def locked(self, *options):
        return self.build("--locked", "--arch", ",".join(ARCHES), *options, "dhcpd", name="dhcpd").tags["latest"]

    def lock(self, *options):
        result = self.run_factory("lock", "--arch", ",".join(ARCHES), *options, "dhcpd")
        self.assertEqual(result.code, run.OK, result)
        with open(self.lock_path, encoding="utf-8") as stream:
            return stream.read()

    def test_a_lock_of_rpm_packages_is_built_from_anywhere(self):
        before = self.build("--arch", ",".join(ARCHES), "dhcpd", name="dhcpd").tags["latest"]
        self.lock("--vendor", self.path("vendor"))
        self.elsewhere("by-mirror")
        self.assertEqual(self.locked(), before)
        moment = time.strftime("%Y%m%d", time.gmtime(json.loads(self.lock())["sources"][0]["date"]))
        self.assertTrue(moment)
        shutil.copytree(self.folder, self.path(f"former/{moment}"))
        publish(self.folder, [package for package in rpm_world.packages() if package.name != "dhcp-server"],
                self.shared.ring.get("main"), options=("--revision", str(rpm.EPOCH + 86400)))
        self.elsewhere("gone")
        self.refuse(run.NETWORK, "dhcp-server", LOCK, arguments=("--locked", "--arch", "x86_64", "dhcpd"))
        self.elsewhere("by-folder")
        self.assertEqual(self.locked("--vendor", self.path("vendor")), before)
        self.use(self.source(self.folder, where=self.server.url.rstrip("/"),
                             snapshot=f"'file://{self.path('former')}/{{date}}/$basearch'"))
        self.elsewhere("by-snapshot")
        self.assertEqual(self.locked(), before)

    def verify(self, *options, code=run.OK, where=None):
        """Of the image in the layout, by another account."""
        self.elsewhere(f"verifying-{len(os.listdir(self.top))}")
        os.makedirs(self.path("tmp"), exist_ok=True)
        result = self.factory.run_plain("verify", "--json", "--retries", "0", *options, where or self.path("out/dhcpd"), env={"TMPDIR": self.path("tmp")})
        self.assertEqual(result.code, code, result)
        self.assertEqual(os.listdir(self.path("tmp")), [])
        return json.loads(result.stdout) if result.stdout else result

    def test_an_image_of_rpm_packages_is_held_against_its_metadata_and_made_again(self):
        folders = [os.path.join(self.folder, arch, "repodata") for arch in ARCHES]
        for folder in folders:
            with open(os.path.join(folder, "repomd.xml"), "rb") as stream:
                self.write(os.path.join(folder, "repomd.xml.asc"), self.shared.ring.get("main").detach(stream.read()))
        source = self.source(self.folder, where=self.server.url.rstrip("/"), repo_gpgcheck="true")
        self.use(source)
        self.build("--arch", ",".join(ARCHES), "dhcpd", name="dhcpd")
        told = self.verify("--source", source)
        lock = told["lock"]
        self.assertEqual((lock["good"], lock["from"], lock["why"]), (True, "its bills", None), told["not_verified"])
        self.assertEqual(len(lock["repositories"]), 2)  # one for each architecture
        told = self.verify("--rebuild", "--source", source, "--manifests", MANIFESTS)["rebuild"]
        self.assertEqual((told["verdict"], told["architectures"]), ("identical", list(ARCHES)))
        for folder in folders:
            shutil.rmtree(folder)
        gone = self.verify("--source", source)
        self.assertFalse(gone["lock"]["good"])
        self.assertIn("its bills against the signed indices that it names: ", gone["not_verified"])
        again = ("--rebuild", "--source", source, "--manifests", MANIFESTS)
        self.assertEqual(self.verify(*again)["rebuild"]["verdict"], "identical")  # by the packages' own signatures
        os.unlink(self.rpm_path(self.folder, "x86_64", "dhcp-server"))
        self.assertEqual(self.verify(*again, code=run.NETWORK)["rebuild"]["verdict"], "failed")

    def test_an_update_of_one_rpm_package_moves_no_other(self):
        self.lock("--vendor", self.path("vendor"))
        former = {(item["name"], item["version"]) for item in self.document()["packages"]}
        newer = [copy.copy(package) for package in rpm_world.packages()]  # those of others stay as they are
        for package in newer:
            if package.name in ("dhcp-server", "glibc", "libgcc"):
                package.release, package._built = "9.kit", {}
        publish(self.folder, newer, self.shared.ring.get("main"), options=("--revision", str(rpm.EPOCH + 86400)))
        text = self.lock("--update=libgcc", "--vendor", self.path("vendor"))
        now = {(item["name"], item["version"]) for item in json.loads(text)["packages"]}
        self.assertEqual({name for name, _ in now - former}, {"libgcc"})
        self.assertEqual(len(now), len(former))
        before = self.locked("--rebuild")
        self.server.stop()
        self.elsewhere("by-folder")
        self.assertEqual(self.locked("--vendor", self.path("vendor")), before)

    def read_lock(self):
        with open(self.lock_path, encoding="utf-8") as stream:
            return stream.read()

    def document(self):
        with open(self.lock_path, encoding="utf-8") as stream:
            return json.load(stream)

    def gone(self, **settings):
        """Builds and locks, and the repository has other metadata from then on, of the same packages."""
        before = self.build("--arch", ",".join(ARCHES), "dhcpd", name="dhcpd").tags["latest"]
        self.lock()
        publish(self.folder, rpm_world.packages(), self.shared.ring.get("main"), options=("--revision", str(rpm.EPOCH + 86400)))
        if settings:
            self.use(self.source(self.folder, where=self.server.url.rstrip("/"), **settings))
        self.elsewhere("gone")
        return before

    def test_where_metadata_are_gone_the_packages_own_signatures_vouch(self):
        before = self.gone()
        self.assertEqual(self.locked(), before)
        self.assertIn("each by its own signature", self.last.stderr)
        self.elsewhere("again")
        self.assertEqual(self.locked("--jobs", "1"), before)

    def test_where_a_deb_index_is_gone_packages_of_an_rpm_source_in_the_lock_do_not_matter(self):
        deb = self.make_repository(date=FAR, sign="none")
        self.write_manifest()
        rpm_source = self.factory.options[1]
        site = ("arch: [x86_64, aarch64]\nimages:\n"
                f"  - {{image: dhcpd, source: {rpm_source}}}\n"
                f"  - {{image: {self.path('manifests')}/served.yaml, source: {self.write_source('deb.yaml', trusted=True)}}}\n")
        self.write("imgfactory.yaml", site)
        self.factory.options = ["--manifests", MANIFESTS, "--retries", "1"]
        result = self.run_factory("lock", cwd=self.top)
        self.assertEqual(result.code, run.OK, result)
        self.assertEqual({item["suite"] for item in self.document()["packages"]}, {"stable", "repomd.xml"})
        self.assertEqual(self.run_factory("--locked", cwd=self.top).code, run.OK)
        before = self.run_factory("inspect", "served").stdout
        lines = [line.rstrip(",") for line in self.read_lock().split('"packages":[\n')[1].split("\n],")[0].split("\n")]
        self.write(LOCK, reseal(self.read_lock().replace(",\n".join(lines), ",\n".join(reversed(lines)))))  # RPM's first, or last
        deb.publish(None, sign="none", date=-3600)
        self.elsewhere("gone")
        result = self.run_factory("--locked", cwd=self.top)
        self.assertEqual(result.code, run.OK, result)
        self.assertIn("(trusted: true)", result.stderr)
        self.assertEqual(self.run_factory("inspect", "served").stdout, before)

    def test_where_metadata_are_gone_a_package_that_another_signed_is_refused(self):
        self.gone(keys=("other",))
        self.refuse(run.TRUST, "package bash", "unknown key", arguments=("--locked", "--arch", "x86_64", "dhcpd"))

    def test_where_metadata_are_gone_unsigned_packages_need_trust(self):
        self.use(self.source(self.folder, keys=(), where=self.server.url.rstrip("/"), trusted="true"))
        before = self.gone(keys=(), trusted="true")
        self.assertEqual(self.locked(), before)
        self.assertIn("(trusted: true)", self.last.stderr)

    def test_where_metadata_are_gone_a_lock_that_was_changed_is_refused(self):
        self.gone()
        with open(self.lock_path, encoding="utf-8") as stream:
            good = stream.read()
        packages = {item["name"]: item for item in self.document()["packages"] if item["arch"] == "x86_64"}
        bytes_of = lambda name: f'"digest":"{packages[name]["digest"]}","url":"{packages[name]["url"]}"'  # noqa: E731
        for number, (what, old, new) in enumerate((
                ("another signed package", bytes_of("libgcc"), bytes_of("bash")),
                ("the version", f'"version":"{packages["libgcc"]["version"]}"', '"version":"99-1"'),
                ("no signed bytes", packages["libgcc"]["url"], packages["libgcc"]["url"].rsplit("/", 2)[0] + "/repodata/repomd.xml"),
                ("the why and the path", '"path":"/usr/sbin/dhcpd"', '"path":"/usr/sbin/dhcpc"'))):
            with self.subTest(what=what):
                self.assertIn(old, good)
                self.write(LOCK, reseal(good.replace(old, new)))
                self.elsewhere(f"account-{number}")
                result = self.run_factory("--locked", "--arch", "x86_64", "dhcpd")
                self.assertEqual(result.code, run.TRUST, result)
                self.assert_nothing_left(result)

    def test_a_changed_lock_of_rpm_packages_is_refused(self):
        good = self.lock()
        self.elsewhere("other")
        for old, new in ((r'"digest":"sha256:([0-9a-f]{60})', r'"digest":"sha256:\g<1>'), (r'"version":"', '"version":"9'),
                         (r'\.rpm"', '.rpx"'), (r'"checksum":"sha256:[0-9a-f]{4}', '"checksum":"sha256:0000')):
            text = re.sub(old, new, good)
            if old.startswith('"digest'):
                text = re.sub(r'("digest":"sha256:[0-9a-f]{60})[0-9a-f]{4}', r"\g<1>0000", good)
            self.write(LOCK, reseal(text))
            self.refuse(run.TRUST, LOCK, arguments=("--locked", "--arch", ",".join(ARCHES), "dhcpd"))

    def test_a_place_of_a_lock_is_never_asked(self):
        good = self.lock()
        asked = server.Server(self.folder).start()
        self.addCleanup(asked.stop)
        self.write(LOCK, reseal(good.replace(self.server.url, asked.url)))
        self.elsewhere("other")
        self.refuse(run.TRUST, LOCK, arguments=("--locked", "--arch", "x86_64", "dhcpd"))
        self.write(LOCK, reseal(re.sub(r'"from":"[^"]*', f'"from":"{asked.url}/x86_64/', good)))
        self.refuse(run.TRUST, "which is no place of it", arguments=("--locked", "--arch", "x86_64", "dhcpd"))
        self.assertEqual(asked.asked(), 0)

    def test_mirrors_of_a_list_may_be_others_than_then(self):
        listed = self.write("mirrors", f"{self.server.url}/x86_64/\n")
        keys = self.shared.ring.get("main").armoured
        self.use(self.write("source.yaml", f"kind: rpm\nname: kit\nmirrorlist: file://{listed}\ngpgkey: [{keys}]\n"))
        build = lambda *options: self.build(*options, "--arch", "x86_64", "dhcpd", name="dhcpd").tags["latest"]  # noqa: E731
        before = build()
        self.run_factory("lock", "--arch", "x86_64", "dhcpd")
        other = server.Server(self.folder).start()
        self.addCleanup(other.stop)
        self.server.stop()
        self.write("mirrors", f"{other.url}/x86_64/\n")
        self.elsewhere("other")
        self.assertEqual(build("--locked"), before)
        os.unlink(listed)
        self.assertEqual(build("--locked", "--rebuild"), before)  # out of the cache

    def test_a_repository_that_was_left_out_is_left_out_again(self):
        key = self.shared.ring.get("main").armoured
        self.use(self.write("source.yaml", "kind: rpm\nrepositories:\n"
                            f"  - {{name: kit, baseurl: '{self.server.url}/$basearch', gpgkey: [{key}]}}\n"
                            f"  - {{name: more, baseurl: 'file://{self.path('more')}/$basearch', trusted: true, "
                            "skip_if_unavailable: true}\n"))
        before = self.build("--arch", ",".join(ARCHES), "dhcpd", name="dhcpd").tags["latest"]
        self.lock()
        shutil.copytree(self.folder, self.path("more"))
        self.elsewhere("other")
        self.assertEqual(self.locked(), before)

    def test_packages_are_still_checked_by_their_own_signature(self):
        self.lock()
        other = self.shared.ring.get("other")
        self.use(self.source(self.folder, keys=("other",), where=self.server.url.rstrip("/")))
        self.assertTrue(other)
        self.elsewhere("other")
        self.refuse(run.TRUST, "dhcp-server", arguments=("--locked", "--arch", "x86_64", "dhcpd"))

if __name__ == "__main__":
    unittest.main()
