# SPDX-License-Identifier: Apache-2.0
"""The base of the tests of RPM sources: repositories in folders, a source file for them, and dnf's opinion."""

import collections
import hashlib
import os
import shutil
import sys
import tempfile

from . import case, dnf, gpg, report, rpm, rpmmd, run


class RpmCase(case.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        case.need("dnf", "rpmbuild", "rpmsign", "createrepo_c")

    def setUp(self):
        super().setUp()
        self.repos = []  # dicts of id, path and dnf.conf's options
        self.modules = []
        self.versions = collections.Counter()  # of each name that was described
        self.obsoleted = set()

    def describe(self, stanzas, name="release", modules=None, texts=None, **options):
        """Adds a repository of packages that are only described."""
        path = self.path(f"repos/{name}")
        rpmmd.write(path, stanzas, modules, texts)
        self.repos.append({"id": name, "path": path, **options})
        self.versions.update(stanza.name for stanza in stanzas)
        self.obsoleted.update(word.split()[0] for stanza in stanzas for word in stanza.relations.get("obsoletes", ()))
        return path

    def write_rpm_source(self, name="source.yaml"):
        """A source file of all repositories that were added; packages need no signature."""
        lines = ["kind: rpm"]
        if self.modules:
            lines.append(f"modules: [{', '.join(self.modules)}]")
        lines.append("repositories:")
        for repo in self.repos:
            lines += [f"  - name: {repo['id']}", f"    baseurl: file://{repo['path']}/", "    trusted: true"]
            lines += [f"    {key}: {self._yaml(value)}" for key, value in repo.items() if key not in ("id", "path")]
        return self.write(name, "\n".join(lines) + "\n")

    @staticmethod
    def _yaml(value):
        if isinstance(value, bool):
            return "true" if value else "false"
        return "[" + ", ".join(f'"{item}"' for item in value) + "]" if isinstance(value, list) else str(value)

    def select(self, requests, arch, more=""):
        """What the program selects for each list of package names: sorted "NAME-VERSION" or None. One run."""
        self.use(self.write_rpm_source())
        names = []
        for number, request in enumerate(requests):
            names.append(f"image-{number}")
            self.write_manifest(names[-1], f"packages:\n  install: [{', '.join(request)}]\n{more}")
        result = self.run_factory("--dry-run", "--json", "--arch", arch, *names)
        self.last = result
        self.assertIn(result.code, (run.OK, run.RESOLVE, run.PARTLY), result)
        out = report.Report(result.stdout)
        answers = []
        for name in names:
            order = out.order(name, arch)
            selection = order.get("selection")
            answers.append(None if order.get("error") else
                           sorted(f"{package['name']}-{package['version']}" for package in selection))
        return answers

    def assert_as_dnf(self, requests, arches=("x86_64", "aarch64"), weak=False, more="", best=True):
        """The program and dnf select the same for all requests. Returns dnf's answers for the first architecture. What an
        old dnf answers otherwise is asked of a newer one in a root, or left out (None), said."""
        first, root = None, dnf.modern_root()
        known = [dnf.is_modern(root) or not self.is_obsoleted(request) for request in requests]
        if not all(known):
            sys.stderr.write(f"[dnf {dnf.version()} is older than 4.18 and no root has a newer one: left out: "
                             f"{[request for request, is_known in zip(requests, known) if not is_known]}] ")
        for arch in arches:
            wanted = dnf.solve(self.repos, requests, arch, weak, self.modules, best, root)
            stripped = [answer and sorted(nevra.rsplit(".", 1)[0] for nevra in answer) for answer in wanted]
            for request, mine, other, is_known in zip(requests, self.select(requests, arch, more), stripped, known):
                if is_known:
                    self.assertEqual(mine, other, f"{request} for {arch}: the program, dnf")
            first = first or wanted
        return first

    def is_obsoleted(self, request):
        """Whether a package of the request has several versions and something obsoletes some of them."""
        return any(self.versions[name] > 1 and name in self.obsoleted for name in request)


class Shared:
    """Signed repositories that all tests of a module use; each is made when it is first asked for. Nobody changes them:
    a test that has to takes a copy()."""

    def __init__(self):
        self.top = None
        self.ring = gpg.Ring()
        self._made = {}

    def get(self, name, make, key="main"):
        """The folder of a repository of the packages that make() returns: in it one of each architecture."""
        if name not in self._made:
            self.top = self.top or tempfile.mkdtemp(prefix="imgfactory-rpm-")
            self._made[name] = os.path.join(self.top, name)
            publish(self._made[name], make(), self.ring.get(key))
        return self._made[name]

    def close(self):
        self.ring.close()
        if self.top:
            shutil.rmtree(self.top, ignore_errors=True)


def publish(folder, packages, key, **settings):
    """One repository for each architecture, with the packages for all of them in each."""
    for arch in sorted({package.arch for package in packages} - {"noarch", "i686"}):
        fitting = [package for package in packages if package.arch in (arch, "noarch")
                   or (arch == "x86_64" and package.arch == "i686")]
        rpm.Repository(os.path.join(folder, arch), fitting).publish(key, **settings)


class BuildCase(case.Case):
    """Builds from repositories of `shared`, which the module sets."""

    shared = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        case.need("rpmbuild", "rpmsign", "createrepo_c", "rpm", "rpm2cpio", "cpio", "dnf")

    def source(self, folder, name="source.yaml", keys=("main",), where=None, variable="$basearch",
               **settings):
        """Writes a source file for it; settings are its further keys."""
        lines = ["kind: rpm", "name: kit", f"baseurl: {where or 'file://' + folder}/{variable}"]
        if keys:
            lines.append(f"gpgkey: [{', '.join(self.shared.ring.get(key).armoured for key in keys)}]")
        lines += [f"{key}: {value}" for key, value in settings.items()]
        return self.write(name, "\n".join(lines) + "\n")

    def use_folder(self, folder, **settings):
        self.use(self.source(folder, **settings))

    def copy(self, folder, name="copy"):
        """A copy of a repository's folder, for a test to spoil."""
        return shutil.copytree(folder, self.path(name))

    @staticmethod
    def rpm_path(folder, arch, name):
        """The .rpm of a package in a repository's folder."""
        packages = os.path.join(folder, arch, "Packages")
        return next(os.path.join(packages, file) for file in sorted(os.listdir(packages))
                    if file.rsplit("-", 2)[0] == name and not file.endswith(".i686.rpm"))

    def built(self, *arguments, name="served"):
        """Builds, and returns ({"x86_64": Image, …}, Report)."""
        layout = self.build("--arch", "all", "--json", *arguments, *([] if name in arguments else [name]), name=name)
        images = layout.images["latest"]
        named = {"amd64": "x86_64", "arm64/v8": "aarch64"}
        return {named[platform]: image for platform, image in images.items()}, report.Report(self.last.stdout)

    def accounts(self, image):
        """({user: uid}, {group: gid}) of an image."""
        tables = []
        for path in ("/etc/passwd", "/etc/group"):
            lines = image[path].data.decode().splitlines() if path in image else []
            tables.append({"root": 0, **{line.split(":")[0]: int(line.split(":")[2]) for line in lines}})
        return tables

    def assert_as_rpm(self, image, given, folder, arch, aliases=()):
        """Every file that a package gave is as rpm says: kind, mode, owner, link target, digest, capability, time; its
        bytes are those of rpm2cpio. `given` is {path: package or None}; aliases are (path's beginning in packages, its real
        one), besides the root links. Returns how many were compared."""
        users, groups = self.accounts(image)
        packages, compared = {}, 0
        for path, package in given.items():
            if not package:
                continue
            if package not in packages:
                file = self.rpm_path(folder, arch, package)
                packages[package] = (self._real(rpm.facts(file), aliases), self._real(rpm.contents(file), aliases))
            facts, contents = packages[package]
            entry, fact = image[path], facts[path]
            self.assertNotEqual(fact.is_ghost, True, path)
            real = image["/" + entry.target] if entry.kind == "hardlink" else entry
            self.assertEqual((real.kind, real.target if real.kind == "link" else None),
                             (fact.kind, fact.target or None), path)
            if fact.kind != "link":
                self.assertEqual((real.mode, real.uid, real.gid),
                                 (fact.mode, users[fact.owner], groups[fact.group]), path)
            if fact.kind == "file":
                self.assertEqual(hashlib.sha256(real.data).hexdigest(), fact.digest, path)
                self.assertEqual(real.data, contents[path], path)
            self.assertEqual(real.capability, rpm.capability_bytes(fact.caps) if fact.caps else None, path)
            self.assertEqual(real.mtime, fact.mtime, path)
            compared += 1
        return compared

    @staticmethod
    def _real(table, aliases):
        def real(path):
            links = tuple((f"/{name}", f"/usr/{name}") for name in ("bin", "sbin", "lib", "lib64"))
            for listed, place in (*aliases, *links):
                if path.startswith(listed + "/"):
                    return place + path[len(listed):]
            return path
        return {real(path): value for path, value in table.items()}

    def assert_selected_as_dnf(self, order, folder, arch, names):
        """The packages of an order are those that dnf selects for these names on an empty root."""
        wanted = dnf.solve([{"id": "kit", "path": os.path.join(folder, arch)}], [names], arch)[0]
        self.assertIsNotNone(wanted)
        mine = sorted(f"{package['name']}-{package['version']}.{package['architecture']}"
                      for package in order["selection"])
        self.assertEqual(mine, wanted)

    def spoil(self, folder, arch, name, change, is_listed=True, **lies):
        """Puts change(bytes) in the place of a package's; with is_listed the index has its true checksum and size, as
        if the distribution had published it so. lies: size= replaces the size that the index has."""
        path = self.rpm_path(folder, arch, name)
        with open(path, "rb") as stream:
            old = stream.read()
        new = change(old)
        with open(path, "wb") as stream:
            stream.write(new)
        if not is_listed:
            return

        def alter(plain):
            for before, after in ((hashlib.sha256(old).hexdigest().encode(), hashlib.sha256(new).hexdigest().encode()),
                                  (b'package="%d"' % len(old), b'package="%d"' % lies.get("size", len(new)))):
                if before not in plain:
                    raise ValueError(f"{before} is not in primary.xml")
                plain = plain.replace(before, after)
            return plain

        rpm.Repository(os.path.join(folder, arch)).alter("primary", alter)
