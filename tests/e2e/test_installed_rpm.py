# SPDX-License-Identifier: Apache-2.0
"""`packages: install` on a base of .rpm packages: dnf makes the base, installs the same packages on a copy of it, and rpm and
dnf judge what was written."""

import contextlib
import os
import shutil
import sqlite3
import struct
import tempfile
import unittest

from base import rpm, run
from kit import rpm_world
from kit.base_image import Base, OnBase
from kit.rpm_case import BuildCase, Shared
from kit.rpm_root import DATABASE, Root

ARCHES = {"x86_64": "amd64", "aarch64": "arm64"}
SHARED = Shared()
MANIFEST = "base: ../base:1\npackages:\n  install: [app]\n"
STRANGE = "frobnicate --all || :"
KIT_LINUX = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../kit/manifests/bases/kit-linux.yaml")
_roots = {}


def tearDownModule():
    SHARED.close()
    for top, _ in _roots.values():
        shutil.rmtree(top, ignore_errors=True)


def tool(version):
    """A package of the base that waits for others."""
    return rpm.Package("tool", [rpm.File("/etc/tool.conf", f"{version}\n", flags="%config(noreplace)"),
                                rpm.File("/usr/share/tool/words", f"{version}\n")], version=version)


class Trigger(rpm.Package):
    """With triggers, which the kit does not write."""

    triggers = ""

    def spec(self, root):
        return super().spec(root) + self.triggers


def waiting():
    package = Trigger("waiting", [rpm.File("/usr/share/waiting/x", "x\n")], provides=["/usr/bin/frob"])
    package.triggers = (f"%triggerin -- triggering > 1\n{STRANGE}\n%triggerin -- newlib < 1\n{STRANGE}\n"
                        f"%triggerin -p /usr/bin/frob -- spoken\n# a comment to the shell\n"
                        f"%transfiletriggerin -- /usr/share/watched\n{STRANGE}\n%filetriggerin -- /usr/lib64\n/sbin/ldconfig\n")
    return package


def old_world():
    return rpm_world.packages() + [tool("1"), waiting(), library("1", ["a", "gone", "parts/b", "parts/c"])]


def library(version, names):
    """In the second version other modes of what has the same bytes, a later time, and a file that went to a new package."""
    first = version == "1"
    files = [rpm.File(f"/usr/lib/libold/{name}", version + "\n") for name in names]
    files += [rpm.directory(path) for path in ("/usr/lib/libold", "/usr/lib/libold/parts") if first]
    files += [rpm.directory("/usr/lib/libold/tight", 0o755 if first else 0o700), rpm.File("/usr/lib/libold/same", "same\n"),
              rpm.File("/usr/lib/libold/tight/x", "x\n", 0o644 if first else 0o600)]
    return rpm.Package("libold", files + [rpm.File("/usr/share/libold/words", "1\n")] * first, version=version,
                       provides=[f"old = {version}"], time=rpm.EPOCH + 86400 * (not first),
                       requires=[] if first else ["libold-data"])


def new_world():
    app = rpm.Package("app", [
        rpm.File("/etc/app.conf", "app\n", flags="%config(noreplace)"), rpm.directory("/usr/share/app"),
        rpm.File("/usr/share/app/data", "d\n", 0o640, group="mail"), rpm.link("/usr/share/app/link", "data"),
        rpm.File("/usr/share/doc/app/README", "doc\n", flags="%doc"), rpm.directory("/usr/share/licenses/app"),
        rpm.File("/usr/share/licenses/app/LICENSE", "free\n", flags="%license"), rpm.File("/var/lib/app/ghost", kind="ghost"),
        rpm.File("/bin/app", "#!/bin/sh\n", 0o755), rpm.File("/usr/bin/app-too", kind="hard", target="/bin/app", mode=0o755)],
        version="2", epoch=3, requires=["old >= 1", "newlib", "/usr/share/tool/words", "(libbar if tool)", "bash"],
        recommends="served-doc", scripts={"post": "/sbin/ldconfig", "preun": STRANGE})
    return [package for package in old_world() if package.name not in ("libold", "tool")] + [
        app, rpm.Package("newlib", [rpm.File("/usr/lib/newlib/n", "n\n")]), tool("2"), library("2", ["a", "new"]),
        rpm.Package("libold-data", [rpm.File("/usr/share/libold/words", "2\n")], conflicts=["libold < 2"]),
        rpm.Package("through", [rpm.directory("/usr/share/led"), rpm.File("/usr/share/led/through", "t\n")]),
        rpm.Package("link-over", [rpm.link("/usr/share/tool", "led")]),
        rpm.Package("upgrading", [rpm.File("/usr/share/upgrading/x", "x\n")], requires=["old >= 2"]),
        rpm.Package("retooling", [rpm.File("/usr/share/retooling/x", "x\n")], requires=["tool >= 2"]),
        rpm.Package("strange", [rpm.File("/usr/share/strange/x", "x\n")], scripts={"post": STRANGE}),
        rpm.Package("making", [rpm.File("/usr/share/making/x", "x\n")],
                    scripts={"post": "mkdir -p /var/lib/making\necho made > /etc/making.conf"}),
        rpm.Package("linked", [rpm.File("/usr/lib64/liblinked.so.1", "no library\n")], requires=["library-helper"], provides=["/sbin/ldconfig"],
                    scripts={"post -p /sbin/ldconfig": "", "postun -p /sbin/ldconfig": ""}),
        rpm.Package("library-helper", [rpm.File("/usr/share/helper", "h\n")], scripts={
            "post": "if [ $1 -eq 1 ] && [ -x \"/usr/lib/systemd/systemd-update-helper\" ]; then\n    # Initial installation\n"
                    "    /usr/lib/systemd/systemd-update-helper install-system-units helper.service || :\nfi\n",
            "preun": STRANGE, "pre -p <lua>": "-- nothing\nlocal x = 1\n"}),
        rpm.Package("rude", [rpm.File("/usr/share/tool/words", "other\n")]),
        rpm.Package("enemy", [rpm.File("/usr/share/enemy/x", "x\n")], conflicts=["tool"]),
        rpm.Package("heir", [rpm.File("/usr/share/heir/x", "x\n")], obsoletes=["tool"]),
        rpm.Package("triggering", [rpm.File("/usr/share/triggering/x", "x\n")], version="2"),
        rpm.Package("spoken", [rpm.File("/usr/share/spoken/x", "x\n")]),
        rpm.Package("watched", [rpm.File("/usr/share/watched/x", "x\n")])]


BASE = ["filesystem", "setup", "fedora-release", "glibc", "bash", "tool", "waiting", "libold"]


def base_root(arch):
    """The base, made by dnf once per architecture."""
    if arch not in _roots:
        top = tempfile.mkdtemp(prefix="imgfactory-root-")
        root = Root(os.path.join(top, "root"), arch)
        root.dnf(SHARED.get("old", old_world), "install", *BASE)
        _roots[arch] = (top, root)
    return _roots[arch][1]


@unittest.skipUnless(os.geteuid() == 0, "dnf installs as root")
class Installed(BuildCase):
    shared = SHARED

    def setUp(self):
        super().setUp()
        self.new = SHARED.get("new", new_world)

    def ready(self, manifest=MANIFEST, arches=("x86_64",), change=None, name="served"):
        """The base as an image, maybe changed, and the manifest."""
        roots = {arch: base_root(arch) for arch in arches}
        if change:
            roots = {arch: root.copy(self.path("changed-" + arch)) for arch, root in roots.items()}
            for root in roots.values():
                change(root)
        Base(self.path("base"), {ARCHES[arch]: [root.tar()] for arch, root in roots.items()}, config={})
        self.use_folder(self.new)
        self.write_manifest(name, manifest)
        self.roots = roots

    def made(self, arch="x86_64", install=("app",), arches=None):
        """Builds; returns (the base with our layer, the base where dnf installed the same)."""
        result = self.run_factory("--arch", ",".join(arches or [arch]), "served")
        self.assertEqual(result.code, run.OK, result)
        self.said = result.stderr
        return self.placed(arch), self.by_dnf(arch, install)

    def placed(self, arch="x86_64"):
        self.image = OnBase(os.path.join(self.factory.output, "served"), ARCHES[arch])
        ours = self.roots[arch].copy(self.path("ours-" + arch))
        ours.put(self.image.plain(self.image.layers[-1]))
        return ours

    def by_dnf(self, arch, install):
        theirs = self.roots[arch].copy(self.path("theirs-" + arch))
        if install:
            theirs.dnf(self.new, "install", *install)
        return theirs

    def assert_same(self, ours, theirs, is_for_dnf=True):
        left, right = ours.tree(), theirs.tree()
        self.assertEqual(sorted(left), sorted(right))
        for path, found in left.items():
            self.assertEqual(found, right[path], path)
        self.assertEqual(ours.facts(), theirs.facts())
        self.assert_agree(ours, is_for_dnf)
        self.assertEqual(ours.rpm("-q", "--whatprovides", "newlib", "old", may_fail=True),
                         theirs.rpm("-q", "--whatprovides", "newlib", "old", may_fail=True))

    def assert_verified(self, root, *changed):
        """rpm misses nothing, and finds nothing changed but that."""
        lines = root.rpm("-Va", "--nodeps", may_fail=True).splitlines()
        self.assertEqual(sorted(line.split()[-1] for line in lines), sorted(changed), lines)

    def assert_agree(self, root, is_for_dnf=True):
        self.assert_verified(root)
        if not is_for_dnf:
            return  # takes a second
        self.assertEqual(root.dnf(self.new, "check"), "")
        self.assertEqual(sorted(root.dnf(self.new, "repoquery", "--installed", "--qf", "%{name}").split()),
                         sorted(set(root.rpm("-qa", "--qf", "%{NAME}\\n").split()) - {"gpg-pubkey"}))

    def refuse_on(self, manifest, *parts, code=run.RESOLVE, **settings):
        self.ready(manifest, **settings)
        return self.refuse(code, *parts, arguments=("--arch", "x86_64", "served"))


class OnABase(Installed):
    def test_the_layer_and_the_database_are_what_dnf_adds(self):
        self.ready(arches=tuple(ARCHES))
        for arch in ARCHES:
            ours, theirs = self.made(arch, arches=tuple(ARCHES))
            self.assertIn("app-2-1.noarch", ours.rpm("-qa"))
            self.assertNotIn("/usr/share/doc/app/README", ours.tree())
            self.assert_same(ours, theirs)
        self.assertEqual(len(self.image.layers), 2)

    def test_only_what_is_missing_comes(self):
        """A newer libold is there, and nobody needs it."""
        self.ready()
        ours, theirs = self.made()
        self.assertIn("libold-1-1.noarch", ours.rpm("-qa"))
        self.assert_same(ours, theirs, is_for_dnf=False)

    def test_weak_dependencies_come_when_they_are_asked_for(self):
        self.ready(MANIFEST + "  weak: true\n")
        ours, theirs = self.made(install=["--setopt=install_weak_deps=1", "app"])
        self.assertIn("served-doc", ours.rpm("-qa"))
        self.assertEqual(ours.facts(), theirs.facts())

    def test_an_upgrade_is_told_and_takes_the_former_files_away(self):
        self.ready(MANIFEST.replace("app", "upgrading"))
        ours, theirs = self.made(install=["upgrading"])
        self.assertIn("package libold of the base is upgraded, from 1-1 to 2-1", self.said)
        self.assertEqual([path for path in self.image.files() if ".wh." in path and DATABASE not in path],
                         ["/usr/lib/libold/.wh.gone", "/usr/lib/libold/.wh.parts"])
        self.assert_same(ours, theirs)

    def test_what_stands_under_install_is_upgraded_itself(self):
        self.ready(MANIFEST.replace("app", "libold"))
        ours, theirs = self.made(install=["libold"])
        self.assertIn("libold-2-1.noarch", ours.rpm("-qa"))
        self.assert_same(ours, theirs, is_for_dnf=False)

    def test_a_folder_of_a_package_can_be_a_link_in_the_base(self):
        self.ready(MANIFEST.replace("app", "through"), change=lambda root: os.symlink("tool", root.folder + "/usr/share/led"))
        ours, theirs = self.made(install=["through"])
        self.assertIn("/usr/share/tool/through", self.image.top)
        self.assert_same(ours, theirs, is_for_dnf=False)

    def test_a_link_does_not_take_the_place_of_a_folder(self):
        self.refuse_on(MANIFEST.replace("app", "link-over"), "/usr/share/tool is a directory in the base", "link")

    def test_files_that_are_there_already_get_the_packages_rights(self):
        def change(root):
            os.makedirs(root.folder + "/usr/lib/newlib", 0o700)
            with open(root.folder + "/usr/lib/newlib/n", "w", encoding="ascii") as stream:
                stream.write("n\n")
            os.chmod(root.folder + "/usr/lib/newlib/n", 0o600)
        self.ready(MANIFEST.replace("app", "newlib"), change=change)
        ours, theirs = self.made(install=["newlib"])
        self.assert_same(ours, theirs, is_for_dnf=False)

    def test_configuration_that_the_base_changed_is_nobodys_to_replace(self):
        def change(root):
            with open(root.folder + "/etc/tool.conf", "a", encoding="ascii") as stream:
                stream.write("more\n")
        self.refuse_on(MANIFEST.replace("app", "retooling"), "package tool of the base has to be upgraded",
                       "another /etc/tool.conf than it brought", change=change)

    def test_a_file_of_a_base_package_is_not_another_packages_to_change(self):
        self.refuse_on(MANIFEST.replace("app", "rude"),
                       "/usr/share/tool/words of package rude: the base has another file of its package tool there")

    def test_what_dnf_would_remove_is_refused(self):
        self.refuse_on(MANIFEST.replace("app", "enemy"), "tool")
        self.refuse_on(MANIFEST.replace("app", "heir"), "its package tool-1-1 would be removed")

    def test_the_same_base_is_found_again_and_its_bytes_are_the_same(self):
        self.ready()
        self.made(install=())
        first = self.image.root
        again = self.run_factory("--arch", "x86_64", "served")
        self.assertIn("nothing changed", again.stderr)
        again = self.run_factory("--arch", "x86_64", "--rebuild", "served")
        self.assertEqual(again.code, run.OK, again)
        self.assertEqual(OnBase(os.path.join(self.factory.output, "served"), "amd64").root, first)


class Databases(Installed):
    """What a base may have as rpm's database."""

    def database(self, root, name="rpmdb.sqlite"):
        return f"{root.folder}{DATABASE}/{name}"

    def test_a_base_without_one_is_refused(self):
        self.refuse_on(MANIFEST, "the base has no list of rpm packages", change=lambda root: shutil.rmtree(root.folder + DATABASE))

    def test_older_kinds_are_refused_by_name(self):
        for name, kind in (("Packages", "Berkeley DB (bdb)"), ("Packages.db", "ndb")):
            def change(root, name=name):
                os.rename(self.database(root), self.database(root, name))
            self.refuse_on(MANIFEST, f"{DATABASE}/{name} is a database of the kind {kind}", "rpm --rebuilddb", change=change)
            shutil.rmtree(self.path("changed-x86_64"))

    def test_one_whose_last_changes_are_in_its_journal_is_refused(self):
        def change(root):
            with open(self.database(root, "rpmdb.sqlite-wal"), "wb") as stream:
                stream.write(b"x" * 100)
        self.refuse_on(MANIFEST, "rpmdb.sqlite-wal has changes that are not in the database yet", change=change)

    def lies(self, change):
        """A base whose header of `tool` is change(header)."""
        def lie(root):
            with contextlib.closing(sqlite3.connect(self.database(root))) as database, database:
                (number,), = database.execute("SELECT hnum FROM Name WHERE key = 'tool'")
                (blob,), = database.execute("SELECT blob FROM Packages WHERE hnum = ?", (number,))
                database.execute("UPDATE Packages SET blob = ? WHERE hnum = ?", (change(blob), number))
        return lie

    def test_headers_that_lie_are_refused(self):
        def entry(blob, tag):
            count = struct.unpack(">I", blob[:4])[0]
            return next(at for at in range(8, 8 + 16 * count, 16) if struct.unpack(">I", blob[at:at + 4])[0] == tag)

        def data_of(blob, tag):
            count, (offset,) = struct.unpack(">I", blob[:4])[0], struct.unpack(">I", blob[entry(blob, tag) + 8:entry(blob, tag) + 12])
            return 8 + 16 * count + offset

        lies = [
            (lambda blob: rpm.put(blob, 0, struct.pack(">I", 1 << 30)), "says 1073741824 tags"),
            (lambda blob: blob[:-1], "more tags or bytes than the file has"),
            (lambda blob: b"", "the file ends inside it"),
            (lambda blob: rpm.put(blob, entry(blob, 1000) + 8, struct.pack(">I", 1 << 30)), "outside the data"),
            (lambda blob: rpm.put(blob, data_of(blob, 1000), b"a b\0"), "no name, version or release that could be one"),
            (lambda blob: rpm.put(blob, data_of(blob, 1116), struct.pack(">I", 7)), "have no folders"),
            (lambda blob: rpm.put(blob, data_of(blob, 1047), b"\t"), "a relation of it is no word")]
        for change, words in lies:
            self.refuse_on(MANIFEST, "header" if "relation" not in words else "package tool", words, code=run.MALFORMED,
                           change=self.lies(change))
            shutil.rmtree(self.path("changed-x86_64"))

    def test_keys_that_rpm_keeps_as_packages_stay(self):
        key = SHARED.ring.get("main").armoured
        self.ready(change=lambda root: root.rpm("--import", key))
        ours, theirs = self.made()
        self.assertIn("gpg-pubkey", ours.rpm("-qa"))
        self.assert_same(ours, theirs)

    def test_a_damaged_one_is_refused(self):
        def change(root):
            with open(self.database(root), "r+b") as stream:
                stream.seek(4096)
                stream.write(os.urandom(40000))
        self.refuse_on(MANIFEST, "rpmdb.sqlite", "not a good database of rpm", code=run.MALFORMED, change=change)

    def test_one_at_the_old_place_is_continued_there(self):
        def change(root):
            os.makedirs(root.folder + "/var/lib/rpm")
            os.rename(self.database(root), root.folder + "/var/lib/rpm/rpmdb.sqlite")
            shutil.rmtree(root.folder + DATABASE)
        self.ready(change=change)
        self.made(install=())
        self.assertIn("/var/lib/rpm/rpmdb.sqlite", self.image.top)

    def test_its_journal_goes_and_it_can_be_read_where_nothing_can_be_written(self):
        self.ready()
        self.made(install=())
        self.assertIn(f"{DATABASE}/.wh.rpmdb.sqlite-wal", self.image.top)
        data = self.image.tar.extractfile(self.image.top[DATABASE + "/rpmdb.sqlite"]).read()
        self.assertEqual(data[18:20], b"\x01\x01")
        self.assertEqual((data[24:28], data[92:100]), (bytes(4), bytes(8)))


class Scripts(Installed):
    def test_a_script_that_nobody_knows_is_refused(self):
        self.refuse_on(MANIFEST.replace("app", "strange"), "strange cannot be installed without running scripts",
                       "its postin (1) is not run", "frobnicate", "allow-unconfigured", "dnf reinstall")

    def test_or_it_is_told_and_the_package_counts_as_installed(self):
        self.ready("allow-unconfigured: true\n" + MANIFEST.replace("app", "strange"))
        ours, theirs = self.made(install=["strange"])
        self.assertIn("not configured, for `dnf reinstall` to do: strange (", self.said)
        self.assert_same(ours, theirs, is_for_dnf=False)

    def test_or_the_manifest_covers_it(self):
        self.ready("covers: [other]\n" + MANIFEST.replace("app", "strange"))
        self.assert_same(*self.made(install=["strange"]), is_for_dnf=False)

    def test_what_most_packages_run_is_known(self):
        self.ready(MANIFEST.replace("app", "linked"))
        self.assert_same(*self.made(install=["linked"]), is_for_dnf=False)

    def test_what_a_script_makes_is_made(self):
        self.ready(MANIFEST.replace("app", "making"))
        ours, _ = self.made(install=())
        self.assertEqual(ours.tree()["/etc/making.conf"][1], b"made\n")
        self.assertEqual(ours.tree()["/var/lib/making"][0], "dir")
        self.assert_agree(ours, is_for_dnf=False)

    def test_triggers_of_the_base_count(self):
        self.refuse_on(MANIFEST.replace("app", "triggering"), "package waiting: its triggerin (1)", "frobnicate")
        self.refuse_on(MANIFEST.replace("app", "spoken"), "package waiting: its triggerin (1)", "more than is understood")
        self.refuse_on(MANIFEST.replace("app", "watched"), "package waiting: its transfiletriggerin (1)", "frobnicate")

    def test_accounts_are_made_as_sysusers_would(self):
        self.ready(MANIFEST.replace("app", "served"))
        ours, _ = self.made(install=())
        self.assertIn(b"served:x:177:", ours.tree()["/etc/passwd"][1])
        users = dict(line.split(":")[:3:2] for line in ours.tree()["/etc/passwd"][1].decode().splitlines())
        self.assertEqual(ours.tree()["/var/lib/served"][1:3], (0o750, int(users["served"])))
        self.assert_verified(ours, "/etc/passwd", "/etc/group", "/etc/shadow")


class FromNothing(Installed):
    def test_a_whole_root_is_what_dnf_makes_and_others_stand_on_it(self):
        """The way to a base: `complete` on nothing."""
        self.use_folder(self.new)
        with open(KIT_LINUX, encoding="utf-8") as stream:
            self.write("manifests/bases/kit-linux.yaml", stream.read())
        self.write_manifest("served", "base: manifest:kit-linux\npackages:\n  install: [app]\n")
        result = self.run_factory("--arch", "all", "served")
        self.assertEqual(result.code, run.OK, result)
        for arch, name in ARCHES.items():
            top = OnBase(os.path.join(self.factory.output, "served"), name)
            ours = Root(self.path("ours-" + arch), arch)
            os.makedirs(ours.folder)
            ours.put(top.plain(top.layers[0]))
            self.assert_agree(ours)
            theirs = Root(self.path("theirs-" + arch), arch)
            theirs.dnf(self.new, "install", *BASE)
            self.assertEqual(ours.facts(), theirs.facts())
            made = {path: found for path, found in ours.tree().items() if path not in theirs.tree()}
            self.assertEqual({found[0] for found in made.values()} - {"dir", "link"}, set(), made)  # the skeleton
            self.assertEqual(len(top.layers), 2)
            ours.put(top.plain(top.layers[-1]))
            theirs.dnf(self.new, "install", "app")
            self.assertEqual(ours.facts(), theirs.facts())
            self.assert_agree(ours)


if __name__ == "__main__":
    unittest.main()
