# SPDX-License-Identifier: Apache-2.0
"""`imgfactory vex`: what is claimed of CVEs, out of which data; as trivy and grype match it; what is not claimed."""

import gzip
import json
import os
import shutil
import unittest
from urllib.parse import unquote

from base import Case, deb, rpm, run, world
from kit import rpm_world
from kit.rpm_case import BuildCase, Shared

SHARED = Shared()
OS_RELEASE = 'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n'
CODE = "vulnerable_code_not_present"
GONE = "component_not_present"


def tearDownModule():
    SHARED.close()


def purl_parts(text):
    """(type, namespace, name, version, qualifiers) of a package URL, decoded (purl-spec, "How to parse")."""
    rest, _, qualifiers = text.removeprefix("pkg:").partition("?")
    path, _, version = rest.partition("@") if "@" in rest else (rest, "", "")
    kind, *middle, name = path.split("/")
    pairs = dict(pair.split("=", 1) for pair in qualifiers.split("&")) if qualifiers else {}
    return (kind, unquote("/".join(middle)), unquote(name), unquote(version), {key: unquote(value) for key, value in pairs.items()})


def same_component(told, identifier):
    """go-vex, pkg/vex/product.go and identifiers.go: equal, or a purl that says no more than the other."""
    if told == identifier:
        return True
    if not (told.startswith("pkg:") and identifier.startswith("pkg:")):
        return False
    one, other = purl_parts(told), purl_parts(identifier)
    return (one[:3] == other[:3] and one[3] in ("", other[3])
            and all(other[4].get(key) == value for key, value in one[4].items()))


def component_is(component, identifier):
    names = [component.get("@id"), *component.get("identifiers", {}).values(), *component.get("hashes", {}).values()]
    return any(name and same_component(name, identifier) for name in names)


def matches(statement, cve, product, package):
    """go-vex, pkg/vex/statement.go: Matches()."""
    if statement["vulnerability"]["name"] != cve:
        return False
    for one in statement["products"]:
        if component_is(one, product) and any(component_is(inner, package) for inner in one.get("subcomponents", [])):
            return True
    return False


def scanners(name, digest, package, version, epoch=None):
    """What trivy and grype (before 2026-08 and after) ask with: identifiers of the image, and of the package."""
    where = f"reg.example%2Fme%2F{name}"
    trivy = f"pkg:deb/debian/{package}@{version}?arch=amd64&distro=debian-12.4" + (f"&epoch={epoch}" if epoch else "")
    grype = f"pkg:deb/debian/{package}@{epoch + '%3A' if epoch else ''}{version}?arch=amd64&distro=debian-12&upstream=x"
    yield f"pkg:oci/{name}@{digest.replace(':', '%3A')}?arch=amd64&repository_url={where}", trivy
    yield f"pkg:oci/{name}@{digest}?repository_url=reg.example%2Fme", grype
    yield f"pkg:oci/{name}@{digest}?repository_url={where}", grype


def statuses(document):
    return {statement["vulnerability"]["name"]: statement.get("justification", statement["status"]) for statement in document["statements"]}


def entry(status, fixed=None, release="bookworm", **more):
    return {"releases": {release: {"status": status, "repositories": {}, "urgency": "low", **({"fixed_version": fixed} if fixed else {}), **more}}}


class VexCase(Case):
    def tracker(self, value, name="tracker.json"):
        path = self.path(name)
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        with (gzip.open if name.endswith(".gz") else open)(path, "wb") as stream:
            stream.write(data)
        return path

    def records(self, text):
        """Maintained claims: these alone, in place of the shipped ones."""
        os.makedirs(os.path.join(self.path("records"), "vex"), exist_ok=True)
        shipped = os.listdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "manifests", "vex"))
        for name in (*shipped, "own.yaml"):
            with open(os.path.join(self.path("records"), "vex", name), "w", encoding="utf-8") as stream:
                stream.write(text if name == "own.yaml" else "description: none\nclaims: []\n")

    def run_vex(self, *trackers, what="served", code=run.OK):
        if not os.path.exists(self.path("records")):
            self.records("description: none\nclaims: []\n")
        words = [word for path in trackers for word in ("--tracker", path)]
        result = self.factory.run_plain("vex", *words, "--manifests", self.path("records"), os.path.join(self.factory.output, what))
        self.assertEqual(result.code, code, result)
        return result

    def vex(self, *words, **settings):
        document = json.loads(self.run_vex(*words, **settings).stdout)
        self.check(document)
        return document

    def check(self, document):
        """openvex/spec, OPENVEX-SPEC.md 0.2.0; and that of one CVE, product and package one statement speaks."""
        self.assertEqual(list(document), ["@context", "@id", "author", "timestamp", "version", "tooling", "statements"])
        self.assertEqual(document["@context"], "https://openvex.dev/ns/v0.2.0")
        self.assertEqual(document["version"], 1)
        seen = set()
        for statement in document["statements"]:
            self.assertIn(statement["status"], ("not_affected", "affected", "fixed"))
            self.assertEqual("justification" in statement, statement["status"] == "not_affected")
            self.assertEqual("action_statement" in statement, statement["status"] == "affected")
            for product in statement["products"]:
                self.assertNotIn("?", product["@id"])
                self.assertTrue(product["subcomponents"])  # or it would speak of all packages
                for part in product["subcomponents"]:
                    self.assertFalse({"?", "@"} & set(part["@id"]), part)
                    key = (statement["vulnerability"]["name"], product["@id"], part["@id"])
                    self.assertNotIn(key, seen)
                    seen.add(key)


class Debian(VexCase):
    @staticmethod
    def packages():
        made = []
        for package in world.packages():
            if package.name == "libfoo1":
                package.fields["Source"] = "foo (1:1.2-2)"
            if package.name == "base-files":
                package = deb.Package("base-files", arch=package.arch, version="12.4", Essential="yes", Section="admin", files=[
                    deb.File("/usr/lib/os-release", OS_RELEASE), deb.link("/etc/os-release", "../usr/lib/os-release")])
            if package.name == "served-common":
                package.fields["Source"] = "words"
            made.append(package)
        return made

    def setUp(self):
        super().setUp()
        self.ready(packages=self.packages())
        images = self.build().images["latest"]
        self.images = {name.split("/")[0]: images[name] for name in images}
        with open(os.path.join(self.factory.output, "served", "index.json"), encoding="utf-8") as stream:
            self.index = json.load(stream)["manifests"][0]["digest"]

    def test_a_tracker_tells_what_is_mended_and_what_is_not(self):
        told = self.vex(self.tracker({"foo": {
            "CVE-2099-0001": entry("resolved", "1:1.2-2"), "CVE-2099-0002": entry("resolved", "1:1.2-2+deb12u1"),
            "CVE-2099-0003": entry("open", nodsa_reason="ignored"), "CVE-2099-0004": entry("undetermined"),
            "CVE-2099-0005": entry("resolved", "0"), "CVE-2099-0006": entry("open", release="trixie"),
            "TEMP-0000000-AAAAAA": entry("open")}, "libfoo1": {"CVE-2099-0007": entry("open")}}))
        self.assertEqual(statuses(told), {"CVE-2099-0001": "fixed", "CVE-2099-0002": "affected", "CVE-2099-0003": "affected"})
        actions = {one["vulnerability"]["name"]: one.get("action_statement") for one in told["statements"]}
        self.assertIn("Update foo to 1:1.2-2+deb12u1", actions["CVE-2099-0002"])
        self.assertIn("ignored", actions["CVE-2099-0003"])

    def test_trivy_and_grype_match_it_by_the_index_and_by_each_platform(self):
        told = self.vex(self.tracker({"foo": {"CVE-2099-0001": entry("resolved", "1:1.2-2")}}))["statements"][0]
        for digest in (self.index, self.images["amd64"].digest, self.images["arm64"].digest):
            for product, package in scanners("served", digest, "libfoo1", "1.2-3", "1"):
                self.assertTrue(matches(told, "CVE-2099-0001", product, package), product)
            for product, package in scanners("served", digest, "libc6", "2.36-9"):
                self.assertFalse(matches(told, "CVE-2099-0001", product, package))
            self.assertFalse(any(matches(told, "CVE-2099-0002", *asked) for asked in scanners("served", digest, "libfoo1", "1.2-3", "1")))
        for product, package in scanners("served", "sha256:" + "0" * 64, "libfoo1", "1.2-3", "1"):
            self.assertFalse(matches(told, "CVE-2099-0001", product, package))
        for product, package in scanners("other", self.index, "libfoo1", "1.2-3", "1"):
            self.assertFalse(matches(told, "CVE-2099-0001", product, package))

    def test_a_package_of_which_nothing_is_shipped_is_not_there(self):
        told = self.vex(self.tracker({"words": {"CVE-2099-0001": entry("open"), "CVE-2099-0002": entry("resolved", "1")}}))
        self.assertEqual(statuses(told), {"CVE-2099-0001": GONE})
        self.assertEqual(told["statements"][0]["products"][0]["subcomponents"], [{"@id": "pkg:deb/debian/served-common"}])

    def test_without_data_and_claims_nothing_is_said(self):
        self.assertIn("--tracker FILE", self.run_vex(code=run.RESOLVE).stderr)
        self.assertIn("nothing can be said", self.run_vex(self.tracker({"zlib": {"CVE-2099-0001": entry("open")}}), code=run.RESOLVE).stderr)

    def test_a_maintained_claim_holds_where_none_of_its_paths_is(self):
        claim = "description: x\nclaims:\n  - {{cve: [CVE-2099-0001], package: libfoo1, paths: ['{}'], from: 'https://example.org/a'}}\n"
        self.records(claim.format("/usr/sbin/food"))
        told = self.vex()
        self.assertEqual(statuses(told), {"CVE-2099-0001": CODE})
        self.assertIn("https://example.org/a", told["statements"][0]["impact_statement"])
        for shipped in ("/usr/lib/**/libfoo.so*", "/lib/**/libfoo.so*", "/usr/sbin/s?rved", "/etc/served.conf", "/etc/served/**"):
            self.records(claim.format(shipped))
            self.run_vex(code=run.RESOLVE)

    def test_a_maintained_claim_holds_where_none_of_its_symbols_is_defined(self):
        claim = "description: x\nclaims:\n  - {{cve: CVE-2099-0001, package: libc6, symbols: {}, from: y}}\n"
        self.records(claim.format("[no_such_function]"))
        told = self.vex()
        self.assertEqual(statuses(told), {"CVE-2099-0001": CODE})

    def test_a_maintained_claim_takes_the_place_of_a_trackers(self):
        tracker = self.tracker({"foo": {"CVE-2099-0001": entry("open"), "CVE-2099-0002": entry("open")}})
        self.records("description: x\nclaims:\n  - {cve: CVE-2099-0001, package: libfoo1, paths: /usr/sbin/food, from: y}\n")
        self.assertEqual(statuses(self.vex(tracker)), {"CVE-2099-0001": CODE, "CVE-2099-0002": "affected"})

    def test_the_shipped_claims_can_be_read(self):
        result = self.factory.run_plain("vex", os.path.join(self.factory.output, "served"))
        self.assertEqual(result.code, run.OK, result)
        self.assertEqual(statuses(json.loads(result.stdout))["CVE-2024-2961"], CODE)  # the kit's libc6 has no gconv

    def test_a_claim_of_another_distribution_or_package_is_none(self):
        for words in ("package: libfoo1, distribution: [fedora]", "package: nobody"):
            self.records(f"description: x\nclaims:\n  - {{cve: CVE-2099-0001, {words}, paths: /x, from: y}}\n")
            self.run_vex(code=run.RESOLVE)

    def test_osv_entries_are_told_by_source_and_release(self):
        def osv(cve, *events, ecosystem="Debian:12", name="foo", **more):
            return {"id": cve, "affected": [{"package": {"ecosystem": ecosystem, "name": name},
                                             "ranges": [{"type": "ECOSYSTEM", "events": list(events)}]}], **more}
        start = {"introduced": "0"}
        told = self.vex(self.tracker([
            osv("CVE-2099-0001", start, {"fixed": "1:1.2-2"}), osv("CVE-2099-0002", start, {"fixed": "1:1.3-1"}),
            osv("CVE-2099-0003", start), osv("CVE-2099-0004", {"introduced": "1:2-1"}),
            osv("CVE-2099-0005", start, ecosystem="Debian:11"), osv("CVE-2099-0006", start, withdrawn="2099-01-01T00:00:00Z"),
            osv("CVE-2099-0007", start, {"last_affected": "1:1.0-1"}), osv("DSA-1-1", start, {"fixed": "1:1.1-1"}, aliases=["CVE-2099-0008"]),
            osv("CVE-2099-0009", start, name="libfoo1"), osv("CVE-2099-0010", start, ecosystem="Debian:120")], "osv.json.gz"))
        self.assertEqual(statuses(told), {"CVE-2099-0001": "fixed", "CVE-2099-0002": "affected", "CVE-2099-0003": "affected",
                                          "CVE-2099-0008": "fixed"})

    def test_of_two_feeds_the_worse_news_count(self):
        one = self.tracker({"foo": {"CVE-2099-0001": entry("resolved", "1:1.2-2")}}, "one.json")
        other = self.tracker({"foo": {"CVE-2099-0001": entry("open")}}, "other.json")
        for order in ((one, other), (other, one)):
            self.assertEqual(statuses(self.vex(*order)), {"CVE-2099-0001": "affected"})

    def test_the_same_data_have_the_same_document_and_others_another_name(self):
        tracker = self.tracker({"foo": {"CVE-2099-0001": entry("open")}})
        first = self.vex(tracker)
        shutil.rmtree(self.factory.cache)
        self.assertEqual(self.vex(tracker), first)
        other = self.vex(self.tracker({"foo": {"CVE-2099-0001": entry("resolved", "1:1.2-2")}}))
        self.assertEqual([other[key] == first[key] for key in ("@id", "version", "tooling")], [True, True, False])

    def test_broken_feeds_and_claims_are_refused_by_name(self):
        whole = json.dumps({"foo": {"CVE-2099-0001": entry("open")}}).encode()
        for data in (b"", b"\0", whole[:-1], whole[:30], b'{"foo": ' + b"[" * 100000 + b"]" * 100000 + b"}", b"{} {}", b"x", b'"',
                     b'{"a\\', b'{"foo": {"CVE-2099-0001": }}', b"[" + b"{}," * 3000000 + b"{}]",
                     b'[{"id": "CVE-2099-0001"', b'{"foo" 1}', b'{"vulns": [}'):
            self.assertIn("tracker.json", self.run_vex(self.tracker(data), code=run.MALFORMED).stderr)
        for text in ("claims: []\n", "description: x\nclaims: {}\n", "description: x\nclaims: [{cve: CVE-1, package: a, paths: /x, from: y}]\n",
                     "description: x\nclaims: [{cve: CVE-2099-0001, package: a, from: y}]\n",
                     "description: x\nclaims: [{cve: CVE-2099-0001, package: a, paths: x, from: y}]\n",
                     "description: x\nclaims: [{cve: CVE-2099-0001, package: a, paths: /x, symbols: y, from: y}]\n"):
            self.records(text)
            self.assertIn("own.yaml:", self.run_vex(code=run.USAGE).stderr)
        self.records("description: none\nclaims: []\n")
        self.assertIn("nothing.json", self.run_vex("/nothing.json", code=run.USAGE).stderr)


class Static(VexCase):
    """A package whose files have another's code within them."""

    def test_a_source_that_is_statically_within_another_package_is_not_called_absent(self):
        for field in ("Built-Using", "Static-Built-Using"):
            packages = Debian.packages()
            for package in packages:
                if package.name == "libbar2":
                    package.fields[field] = "other (= 1), words (= 4.4.1-2)"
            self.ready(packages=packages)
            self.build()
            self.run_vex(self.tracker({"words": {"CVE-2099-0001": entry("open")}}), code=run.RESOLVE)

    def test_a_source_of_which_another_package_is_there_is_not_called_absent(self):
        packages = Debian.packages()
        for package in packages:
            if package.name == "served-common":
                package.fields["Source"] = "served"
        self.ready(packages=packages)
        self.build()
        told = self.vex(self.tracker({"served": {"CVE-2099-0001": entry("open")}}))
        self.assertEqual([part["@id"] for part in told["statements"][0]["products"][0]["subcomponents"]], ["pkg:deb/debian/served"])


class Rpm(BuildCase, VexCase):
    shared = SHARED
    UPDATE = ('<update type="{kind}"><id>{id}</id><title>{title}</title><references>{references}</references><pkglist><collection>'
              '<package name="data" epoch="2" version="{version}" release="3" arch="x86_64"/></collection></pkglist></update>')

    def update(self, name, version, kind="security", title="", cves=()):
        return self.UPDATE.format(kind=kind, id=name, title=title, version=version,
                                  references="".join(f'<reference type="cve" id="{cve}" href="x"/>' for cve in cves))

    def test_updateinfo_tells_what_is_mended_and_what_is_not(self):
        data = rpm.Package("data", [rpm.File("/usr/share/data", "1\n")], version="1.2", release="3", epoch=2, arch="x86_64",
                           source="data-src")
        self.use_folder(SHARED.get("vex", lambda: [data, rpm_world.release()]))
        self.write_manifest("data", "packages:\n  install: [data, fedora-release]\n")
        self.build("--arch", "x86_64", "data", name="data")
        text = "<updates>" + "".join((
            self.update("U-1", "1.1", cves=("CVE-2099-0001",)), self.update("U-2", "1.2", title="data: CVE-2099-0002 (and CVE-2099-0003)"),
            self.update("U-3", "1.3", cves=("CVE-2099-0004", "bug 1")), self.update("U-4", "1.1", kind="bugfix", cves=("CVE-2099-0005",)),
            self.update("U-5", "1.1", cves=("CVE-2099-0006",)), self.update("U-6", "9", cves=("CVE-2099-0006",)))) + "</updates>"
        told = self.vex(self.tracker(text.encode(), "updateinfo.xml.gz"), what="data")
        self.assertEqual(statuses(told), {"CVE-2099-0001": "fixed", "CVE-2099-0002": "fixed", "CVE-2099-0003": "fixed",
                                          "CVE-2099-0004": "affected", "CVE-2099-0006": "affected"})
        parts = [part["@id"] for part in told["statements"][0]["products"][0]["subcomponents"]]
        self.assertEqual(parts, ["pkg:rpm/fedora/data", "pkg:rpm/data"])


if __name__ == "__main__":
    unittest.main()
