# SPDX-License-Identifier: Apache-2.0
"""`imgfactory sbom`: every file of an image in one package, as its layers have it; purls as scanners match them."""

import hashlib
import json
import os
import shutil
import unittest

from base import Case, PushCase, deb, rpm, run, world
from kit import base_image, layout, rpm_root, rpm_world
from kit.rpm_case import BuildCase, Shared
from kit.sbom import Spdx, files_of

SHARED = Shared()
FORMAT = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\n"
COPYRIGHT = FORMAT + "Files: *\nCopyright: x\nLicense: GPL-2+ or Expat\n\nFiles: x\nLicense: odd-name\n text\n"


def tearDownModule():
    SHARED.close()


class SbomCase(Case):
    def sbom(self, what, *options, code=run.OK):
        where = what if what.startswith("/") else os.path.join(self.factory.output, what)
        result = self.factory.run_plain("sbom", where, *options)
        self.assertEqual(result.code, code, result)
        return result

    def spdx(self, what, *options):
        return Spdx(self.sbom(what, *options).stdout)


class Ours(SbomCase):
    """Images of the factory, whose bills tell all."""

    @staticmethod
    def packages():
        made = []
        for package in world.packages():
            if package.name == "libfoo1":  # a binary-only upload of another source
                package.fields["Source"] = "foo (1:1.2-2)"
            if package.name == "libbar2":
                package.files.append(deb.File("/usr/share/doc/libbar2/copyright", COPYRIGHT))
            made.append(package)
        return made

    def setUp(self):
        super().setUp()
        self.ready(packages=self.packages())
        images = self.build().images["latest"]
        self.images = {name.split("/")[0]: images[name] for name in images}

    def test_every_file_is_in_one_package_with_the_checksums_that_its_bytes_have(self):
        for arch, name in (("x86_64", "amd64"), ("aarch64", "arm64")):
            spdx = self.spdx("served", "--arch", arch)
            self.assertEqual(spdx.all_files(), files_of(self.images[name].entries))
            self.assertEqual(set(spdx.files(spdx.packages["libbar2"])), {world.MACHINES[name].lib("libbar.so.2")})
            others = spdx.files(spdx.by_id["SPDXRef-Package-of-no-package"])
            self.assertIn("/var/lib/served/leases", others)
            self.assertIn("/etc/passwd", others)

    def test_the_verification_code_is_that_of_the_files(self):
        spdx = self.spdx("served", "--arch", "x86_64")
        for element in spdx.document["packages"]:
            sums = sorted(sha1 for sha1, _ in spdx.files(element).values())
            self.assertEqual(element["filesAnalyzed"], bool(sums), element["name"])
            if sums:
                self.assertEqual(element["packageVerificationCode"]["packageVerificationCodeValue"],
                                 hashlib.sha1("".join(sums).encode()).hexdigest())

    def test_purls_name_architecture_distribution_and_another_source(self):
        spdx = self.spdx("served", "--arch", "aarch64")
        wanted = {"base-files": "pkg:deb/debian/base-files@12.4?arch=arm64&distro=debian-1",
                  "libbar2": "pkg:deb/debian/libbar2@2.0%2Bdfsg-1?arch=arm64&distro=debian-1",
                  "libc6": "pkg:deb/debian/libc6@2.36-9?arch=arm64&distro=debian-1",
                  "libfoo1": "pkg:deb/debian/libfoo1@1:1.2-3?arch=arm64&distro=debian-1&upstream=foo%401:1.2-2",
                  "served": "pkg:deb/debian/served@4.4.1-2%2Bdeb12u1?arch=arm64&distro=debian-1"}
        told = {name: spdx.purl(package, "PACKAGE-MANAGER") for name, package in spdx.packages.items()}
        self.assertEqual({name: told[name] for name in wanted}, wanted)
        self.assertEqual(told["served"], spdx.purl(spdx.packages["served"], "PACKAGE-MANAGER"))
        digest = self.images["arm64"].digest
        image_of = spdx.by_id["SPDXRef-ContainerImage"]
        self.assertEqual(spdx.purl(image_of, "PACKAGE-MANAGER"), f"pkg:oci/served@{digest}?arch=arm64")
        self.assertEqual(image_of["checksums"], [{"algorithm": "SHA256", "checksumValue": digest[7:]}])

    def test_packages_that_gave_no_file_are_not_in_it(self):
        names = set(self.spdx("served", "--arch", "x86_64").packages)
        gave = {each["name"] for each in self.bill("amd64")["selection"] if each["gave_files"]}
        self.assertEqual(names - {"served"}, (gave | {"base-files"}) - {"served"})
        self.assertNotIn("served-common", names)

    def bill(self, name):
        digest = self.images[name].digest.replace(":", "-")
        with open(os.path.join(self.factory.output, "served", "imgfactory", digest + ".json"), encoding="utf-8") as stream:
            return json.load(stream)

    def test_a_source_package_is_none_that_a_scanner_counts(self):
        spdx = self.spdx("served", "--arch", "x86_64")
        foo = spdx.packages["libfoo1"]
        self.assertEqual(foo["sourceInfo"], "built package from: foo 1:1.2-2")
        source = spdx.by_id[spdx.related(foo, "GENERATED_FROM")[0]]
        self.assertEqual((source["name"], source["versionInfo"], source["primaryPackagePurpose"]),
                         ("foo", "1:1.2-2", "SOURCE"))
        self.assertIsNone(spdx.purl(source, "PACKAGE-MANAGER"))
        self.assertEqual(spdx.purl(source, "OTHER"), "pkg:deb/debian/foo@1:1.2-2?arch=source")

    def test_each_package_leads_to_its_signed_repository(self):
        spdx = self.spdx("served", "--arch", "x86_64")
        told = self.bill("amd64")["source"]["repositories"][0]
        repository = spdx.by_id[spdx.related(spdx.packages["libc6"], "OTHER")[0]]
        self.assertEqual(repository["checksums"][0]["checksumValue"], told["digest"][7:])
        self.assertIn(told["signed_by"], repository["comment"])
        self.assertEqual(spdx.packages["libc6"]["checksums"][0]["checksumValue"],
                         next(each["digest"][7:] for each in self.bill("amd64")["selection"] if each["name"] == "libc6"))

    def test_licences_are_told_where_a_machine_can_read_them(self):
        spdx = self.spdx("served", "--arch", "x86_64")
        self.assertEqual(spdx.packages["libbar2"]["licenseDeclared"],
                         "(GPL-2.0-or-later OR MIT) AND LicenseRef-debian-odd-name")
        self.assertEqual([each["licenseId"] for each in spdx.document["hasExtractedLicensingInfos"]],
                         ["LicenseRef-debian-odd-name"])
        self.assertEqual(spdx.packages["libc6"]["licenseDeclared"], "NOASSERTION")

    def test_who_needs_whom_is_what_the_closure_found(self):
        spdx = self.spdx("served", "--arch", "x86_64")
        ids = {package["SPDXID"]: name for name, package in spdx.packages.items()}
        self.assertEqual([ids[each] for each in spdx.related(spdx.packages["libfoo1"], "DEPENDS_ON")], ["libbar2"])

    def test_two_builds_of_one_image_have_one_document(self):
        first = [self.sbom("served", "--arch", "x86_64", "--format", form).stdout for form in ("spdx", "cyclonedx")]
        shutil.rmtree(self.factory.cache)
        shutil.rmtree(self.factory.output)
        self.factory.output = self.path("elsewhere")
        self.build("--arch", "all", "--jobs", "1", "served", umask=0o077)
        again = [self.sbom("served", "--arch", "x86_64", "--format", form).stdout for form in ("spdx", "cyclonedx")]
        self.assertEqual(first, again)

    def test_cyclonedx_says_the_same(self):
        spdx = self.spdx("served", "--arch", "x86_64")
        for form, version in (("cyclonedx", "1.6"), ("cyclonedx-1.5", "1.5")):
            document = json.loads(self.sbom("served", "--arch", "x86_64", "--format", form).stdout)
            self.assertEqual(document["specVersion"], version)
            self.assertIsInstance(document["metadata"]["tools"], list if version == "1.5" else dict)
            libraries = {each["name"]: each for each in document["components"] if each["type"] == "library"}
            self.assertEqual({name: each["purl"] for name, each in libraries.items()},
                             {name: spdx.purl(each, "PACKAGE-MANAGER") for name, each in spdx.packages.items()
                              if each["SPDXID"] != "SPDXRef-ContainerImage"})
            found = {}
            for each in [*document["components"], *(file for lib in libraries.values() for file in lib.get("components", ()))]:
                if each["type"] == "file":
                    self.assertNotIn(each["name"], found)
                    sums = {one["alg"]: one["content"] for one in each["hashes"]}
                    found[each["name"]] = (sums["SHA-1"], sums["SHA-256"])
            self.assertEqual(found, files_of(self.images["amd64"].entries))
            properties = {each["name"]: each["value"] for each in libraries["libfoo1"]["properties"]}
            self.assertEqual((properties["aquasecurity:trivy:SrcName"], properties["aquasecurity:trivy:SrcVersion"]),
                             ("foo", "1:1.2-2"))
            refs = {each["bom-ref"] for each in document["components"] if "bom-ref" in each}
            self.assertEqual(len(document["dependencies"]), len(refs) + 1)

    def test_one_is_printed_and_all_are_written(self):
        result = self.sbom("served", "--sboms", self.path("sboms"))
        names = [f"served-{arch}.spdx.json" for arch in ("amd64", "arm64")]
        self.assertEqual(sorted(os.listdir(self.path("sboms"))), names)
        self.assertEqual(result.stdout.splitlines(), [os.path.join(self.path("sboms"), name) for name in names])
        host = self.spdx("served").by_id["SPDXRef-ContainerImage"]
        machine = {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine]
        self.assertIn(f"arch={machine}", Spdx.purl(host, "PACKAGE-MANAGER"))
        both = self.sbom("served", "--arch", "x86_64,aarch64", code=run.USAGE)
        self.assertIn("--sboms DIR", both.stderr)
        self.assertIn("cyclonedx-1.5", self.sbom("served", "--format", "xml", code=run.USAGE).stderr)
        self.assertEqual(self.sbom("nothing", code=run.USAGE).stdout, "")

    def test_what_packing_remembered_gives_the_document_that_the_layers_give(self):
        remembered = os.path.join(self.factory.cache, "v1/derived/sums")
        quick = {kind: self.sbom("served", "--arch", "x86_64", "--format", kind).stdout for kind in ("spdx", "cyclonedx")}
        self.assertEqual(sum(len(names) for _, _, names in os.walk(remembered)), 2)
        for kind, document in quick.items():
            shutil.rmtree(remembered)
            self.assertEqual(self.sbom("served", "--arch", "x86_64", "--format", kind).stdout, document)
            self.assertEqual(sum(len(names) for _, _, names in os.walk(remembered)), 1)

    def test_what_somebody_planted_for_a_layer_is_not_believed(self):
        before = self.sbom("served", "--arch", "x86_64").stdout
        for folder, _, names in os.walk(os.path.join(self.factory.cache, "v1/derived/sums")):
            for name in names:
                path = os.path.join(folder, name)
                with open(path, "rb") as stream:
                    held = stream.read()
                digest = hashlib.sha1(b"another").digest()
                at = held.index(b"f") + 33
                with open(path, "wb") as stream:
                    stream.write(held[:at] + digest + held[at + 20:])
        self.assertEqual(self.sbom("served", "--arch", "x86_64").stdout, before)

    def test_documents_of_several_images_are_written(self):
        other = self.path("other")
        shutil.copytree(os.path.join(self.factory.output, "served"), other)
        folder = self.path("sboms")
        refused = self.factory.run_plain("sbom", other, os.path.join(self.factory.output, "served"))
        self.assertEqual(refused.code, run.USAGE, refused)
        self.assertIn("--sboms DIR", refused.stderr)
        written = self.factory.run_plain("sbom", other, os.path.join(self.factory.output, "served"), "--sboms", folder)
        self.assertEqual(written.code, run.OK, written)
        self.assertEqual(sorted(os.listdir(folder)), [f"{name}-{arch}.spdx.json" for name in ("other", "served")
                                                      for arch in ("amd64", "arm64")])

    def test_layers_that_are_not_the_promised_ones_are_refused(self):
        layers = self.images["amd64"].manifest["layers"]
        path = os.path.join(self.factory.output, "served", "blobs", *layers[0]["digest"].split(":"))
        with open(path, "r+b") as stream:
            stream.seek(100)
            stream.write(b"\0\0\0\0")
        shutil.rmtree(self.factory.cache)  # or else the cache has the right ones
        result = self.sbom("served", "--arch", "x86_64", code=run.TRUST)
        self.assertEqual(result.stdout, "")

    def test_a_bill_of_another_image_gives_no_file_a_package(self):
        digest = self.images["amd64"].digest.replace(":", "-")
        path = os.path.join(self.factory.output, "served", "imgfactory", digest + ".json")
        with open(path, encoding="utf-8") as stream:
            bill = json.load(stream)
        lie = next(file for file in bill["files"] if file["path"].endswith("libbar.so.2"))
        lie["digest"] = "sha256:" + "0" * 64
        with open(path, "w", encoding="utf-8") as stream:
            json.dump(bill, stream, separators=(",", ":"))
        spdx = self.spdx("served", "--arch", "x86_64")
        self.assertEqual(spdx.all_files(), files_of(self.images["amd64"].entries))
        self.assertIn(lie["path"], spdx.files(spdx.by_id["SPDXRef-Package-of-no-package"]))


class Rpm(BuildCase):
    shared = SHARED

    def test_an_rpm_has_its_epoch_and_its_source_where_scanners_look(self):
        data = rpm.Package("data", [rpm.File("/usr/share/data", "1\n")], version="1.2", release="3", epoch=2, arch="x86_64",
                           source="data-src", license="GPLv2+ and MIT")
        plain = rpm.Package("plain", [rpm.File("/usr/share/plain", "1\n")], version="1", release="1", license="MIT")
        self.use_folder(SHARED.get("sbom", lambda: [data, plain, rpm_world.release()]))
        self.write_manifest("data", "packages:\n  install: [data, plain, fedora-release]\n")
        self.build("--arch", "x86_64", "data", name="data")
        result = self.factory.run_plain("sbom", os.path.join(self.factory.output, "data"))
        self.assertEqual(result.code, run.OK, result)
        spdx = Spdx(result.stdout)
        told = {name: spdx.purl(spdx.packages[name], "PACKAGE-MANAGER").split("?", 1) for name in ("data", "plain")}
        self.assertRegex(told["data"][0], r"^pkg:rpm/[a-z]+/data@1\.2-3$")
        self.assertRegex(told["data"][1], r"^arch=x86_64&distro=[^&]+&epoch=2&upstream=data-src-1\.2-3\.src\.rpm$")
        self.assertNotIn("epoch", told["plain"][1])
        self.assertEqual(spdx.packages["data"]["sourceInfo"], "built package from: data-src 2:1.2-3")
        self.assertEqual([spdx.packages[name]["licenseDeclared"] for name in ("data", "plain")],
                         ["LicenseRef-rpm-GPLv2--and-MIT", "MIT"])
        self.assertEqual(set(spdx.files(spdx.packages["data"])), {"/usr/share/data"})


    def test_it_is_read_of_the_image_alone_when_there_is_no_bill(self):
        self.use_folder(SHARED.get("alone", lambda: [
            rpm.Package("data", [rpm.File("/usr/share/data", "1\n")], version="1.2", release="3", epoch=2, arch="x86_64", source="data-src"),
            rpm_world.release()]))
        self.write_manifest("data", "packages:\n  install: [data, fedora-release]\n")
        self.build("--arch", "x86_64", "data", name="data")
        told = []
        for _ in range(2):
            result = self.factory.run_plain("sbom", os.path.join(self.factory.output, "data"))
            spdx = Spdx(result.stdout)
            told.append({name: (spdx.purl(each, "PACKAGE-MANAGER"), each["sourceInfo"]) for name, each in spdx.packages.items()
                         if each["SPDXID"] != "SPDXRef-ContainerImage"})
            shutil.rmtree(os.path.join(self.factory.output, "data", "imgfactory"), ignore_errors=True)
            shutil.rmtree(self.factory.cache)
        self.assertEqual(set(told[0]), {"data", "fedora-release"})
        self.assertEqual(told[0], told[1])

    def test_a_root_that_dnf_made_has_its_licences(self):
        if os.geteuid():
            self.skipTest("left out: dnf makes a root as root alone")
        folder = SHARED.get("root", lambda: [
            rpm.Package("data", [rpm.File("/usr/share/data", "1\n")], arch="x86_64", license="GPLv2+ and MIT"), rpm_world.setup(),
            rpm_world.filesystem("x86_64"), rpm_world.release()])
        root = rpm_root.Root(self.path("root"), "x86_64")
        root.dnf(folder, "install", "data", "fedora-release")
        base = base_image.Base(self.path("base"), {"amd64": [root.tar()]})
        result = self.factory.run_plain("sbom", base.folder)
        self.assertEqual(result.code, run.OK, result)
        spdx = Spdx(result.stdout)
        self.assertEqual([spdx.packages[name]["licenseDeclared"] for name in ("data", "fedora-release")], ["LicenseRef-rpm-GPLv2--and-MIT", "MIT"])
        self.assertIn("/usr/share/data", spdx.files(spdx.packages["data"]))


class Others(SbomCase):
    """Images without a bill: their package database tells."""

    def test_a_debian_image_is_read_by_its_package_database(self):
        base = base_image.Base(self.path("base"), {"amd64": [base_image.small("amd64")]})
        spdx = self.spdx(base.folder)
        machine = world.MACHINES["amd64"]
        self.assertEqual({name: spdx.purl(each, "PACKAGE-MANAGER") for name, each in spdx.packages.items()
                          if name in ("libc6", "dash")},
                         {name: f"pkg:deb/debian/{name}@1?arch=amd64&distro=debian-1" for name in ("libc6", "dash")})
        self.assertIn(machine.lib("libbar.so.2"), spdx.files(spdx.packages["libbar2"]))
        self.assertIn("/etc/passwd", spdx.files(spdx.by_id["SPDXRef-Package-of-no-package"]))

    def test_later_layers_hide_what_they_remove(self):
        lib = world.MACHINES["amd64"].lib("libbar.so.2")
        base = base_image.Base(self.path("base"), {"amd64": [
            base_image.small("amd64"), [base_image.gone(lib), base_image.file("etc/issue", "another\n")]]}, pack="zstd")
        files = self.spdx(base.folder).all_files()
        self.assertNotIn(lib, files)
        self.assertEqual(files["/etc/issue"][1], hashlib.sha256(b"another\n").hexdigest())

    def test_licences_of_a_debian_image_are_those_of_its_copyright_files(self):
        doc = [base_image.folder("usr/share/doc"), base_image.folder("usr/share/doc/libbar2"), base_image.link("usr/share/doc/dash", "libbar2"),
               base_image.file("usr/share/doc/libbar2/copyright", COPYRIGHT), base_image.folder("usr/share/doc/libc6"),
               base_image.file("usr/share/doc/libc6/copyright", "GPL, see the text.\n")]
        spdx = self.spdx(base_image.Base(self.path("base"), {"amd64": [base_image.small("amd64"), doc]}).folder)
        said = "(GPL-2.0-or-later OR MIT) AND LicenseRef-debian-odd-name"
        self.assertEqual([spdx.packages[name]["licenseDeclared"] for name in ("libbar2", "dash", "libc6")], [said, said, "NOASSERTION"])

    def test_an_rpm_image_without_rpm_is_read_by_its_list_of_packages(self):
        told = ["data\t1.2-3\t1\t1\tKit\t2\t1\tx86_64\t2\tdata-src-1.2-3.src.rpm", "plain\t1~rc1-1\t1\t1\t(none)\t(none)\t1\tnoarch\t0\t(none)"]
        odd = ["", "data", "\t" * 9, told[0] + "\tmore", told[0].replace("\tKit", ""), "gpg-pubkey\t1-1\t1\t1\t(none)\t(none)\t0\t(none)\t0\t(none)",
               "a/../b\t1-1\t1\t1\t(none)\t(none)\t0\tnoarch\t99999999999999999999x\t-"]
        entries = [base_image.folder(path) for path in ("etc", "var", "var/lib", "var/lib/rpmmanifest")]
        entries += [base_image.file("etc/os-release", "ID=azurelinux\nVERSION_ID=3.0\n"),
                    base_image.file("var/lib/rpmmanifest/container-manifest-2", "\n".join(odd[:4] + told + odd[4:]))]
        base = base_image.Base(self.path("base"), {"amd64": [entries]})
        result = self.sbom(base.folder)
        self.assertIn("does not tell which files are theirs", result.stderr)
        spdx = Spdx(result.stdout)
        self.assertEqual(sorted(spdx.purl(each, "PACKAGE-MANAGER") for each in spdx.packages.values() if each["SPDXID"] != "SPDXRef-ContainerImage"), [
            "pkg:rpm/azurelinux/a%2F..%2Fb@1-1?arch=noarch&distro=azurelinux-3.0",
            "pkg:rpm/azurelinux/data@1.2-3?arch=x86_64&distro=azurelinux-3.0&epoch=2&upstream=data-src-1.2-3.src.rpm",
            "pkg:rpm/azurelinux/plain@1~rc1-1?arch=noarch&distro=azurelinux-3.0"])
        many = entries[:-1] + [base_image.file(entries[-1][0], "".join(f"p{number}\t1-1" + "\t" * 5 + "\tx\t0\t-\n" for number in range(100001)))]
        self.assertIn("more than 100000 packages", self.sbom(base_image.Base(self.path("many"), {"amd64": [many]}).folder).stderr)
        cyclonedx = json.loads(self.sbom(base.folder, "--format", "cyclonedx").stdout)
        self.assertEqual(cyclonedx["compositions"][0]["aggregate"], "incomplete")

    def test_an_image_without_a_database_says_so(self):
        base = base_image.Base(self.path("base"), {"amd64": [[base_image.file("x", "1"), base_image.hard("y", "x")]]})
        result = self.sbom(base.folder)
        self.assertIn("no package database", result.stderr)
        self.assertEqual(set(Spdx(result.stdout).all_files()), {"/x", "/y"})

    def test_platforms_of_one_architecture_have_documents_of_their_own(self):
        kept = dict(layout.PLATFORMS)
        self.addCleanup(layout.PLATFORMS.update, kept)
        layout.PLATFORMS.update({"amd64": {"os": "linux", "architecture": "arm", "variant": "v6"},
                                 "arm64": {"os": "linux", "architecture": "arm", "variant": "v7"}})
        layers = [[base_image.file("x", "1")]]
        base = base_image.Base(self.path("base"), {"amd64": layers, "arm64": [[base_image.file("y", "1")]]})
        self.sbom(base.folder, "--sboms", self.path("sboms"))
        self.assertEqual(sorted(os.listdir(self.path("sboms"))), [f"base-linux-arm-v{number}.spdx.json" for number in (6, 7)])

    def test_a_platform_that_is_no_name_writes_no_file(self):
        kept = dict(layout.PLATFORMS)
        self.addCleanup(layout.PLATFORMS.update, kept)
        for architecture in ("../../x", "a\nb", "."):
            layout.PLATFORMS.update({"amd64": {"os": "linux", "architecture": architecture}})
            base = base_image.Base(self.path(f"base{len(architecture)}"), {"amd64": [[base_image.file("x", "1")]]})
            self.sbom(base.folder, "--sboms", self.path("sboms"), code=run.MALFORMED)
            self.assertEqual(self.files_below(self.path("sboms")), [])

    def test_many_packages_and_files_of_one_name_are_told_in_time_and_memory(self):
        stanza = "Package: a\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\nSource: s{}\n\n"
        small = [base_image.folder(path) for path in ("var", "var/lib", "var/lib/dpkg", "var/lib/dpkg/info", "d")]
        small += [base_image.file("var/lib/dpkg/status", "".join(map(stanza.format, range(20000)))),
                  base_image.file("var/lib/dpkg/info/a.list", "/x\n")]
        base = base_image.Base(self.path("base"), {"amd64": [small + [
            base_image.file(f"d/{number}", "") for number in range(100000)]]})
        result = self.factory.run_plain("sbom", base.folder, timeout=60)
        self.assertEqual(result.code, run.OK, result.stderr)
        self.assertGreater(len(Spdx(result.stdout).all_files()), 100000)

    def test_a_hostile_layer_is_refused(self):
        out = base_image.Base(self.path("base"), {"amd64": [[base_image.file("../x", "1")]]})
        self.assertEqual(self.sbom(out.folder, code=run.MALFORMED).stdout, "")

    def test_odd_names_stay_within_the_document(self):
        names = ['etc/a"b', "etc/c\\d", "etc/é", "etc/e\nf"]
        base = base_image.Base(self.path("base"), {"amd64": [[base_image.folder("etc"),
                                                             *(base_image.file(name, "1") for name in names)]]})
        self.assertEqual(set(self.spdx(base.folder).all_files()), {"/" + name for name in names})


class Registries(PushCase):
    def test_an_image_of_a_registry_has_its_repository_in_the_purl(self):
        target = self.make_registry()
        base = base_image.Base(self.path("base"), {"amd64": [base_image.small("amd64")]})
        self.pushed(base, f"{target.host}/some/where:1")
        result = self.call("sbom", "--tls-verify=false", f"{target.host}/some/where:1")
        self.assertEqual(result.code, run.OK, result)
        spdx = Spdx(result.stdout)
        purl = Spdx.purl(spdx.by_id["SPDXRef-ContainerImage"], "PACKAGE-MANAGER")
        where = f"{target.host}/some/where".replace("/", "%2F")
        self.assertEqual(purl, f"pkg:oci/where@{base.children[0]}?arch=amd64&repository_url={where}&tag=1")
        self.assertIn("libc6", spdx.packages)


if __name__ == "__main__":
    unittest.main()
