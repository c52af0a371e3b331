"""The base of the tests of RPM sources: repositories in folders, a source file for them, and dnf's opinion."""

import os

from . import case, dnf, report, rpmmd, run


class RpmCase(case.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        case.need("dnf", "rpmbuild", "rpmsign", "createrepo_c")

    def setUp(self):
        super().setUp()
        self.repos = []  # dicts of id, path and dnf.conf's options
        self.modules = []

    def describe(self, stanzas, name="release", modules=None, texts=None, **options):
        """Adds a repository of packages that are only described."""
        path = self.path(f"repos/{name}")
        rpmmd.write(path, stanzas, modules, texts)
        self.repos.append({"id": name, "path": path, **options})
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

    def assert_as_dnf(self, requests, arches=("x86_64", "aarch64"), weak=False, more=""):
        """The program and dnf select the same for all requests. Returns dnf's answers for the first architecture."""
        first = None
        for arch in arches:
            wanted = dnf.solve(self.repos, requests, arch, weak, self.modules)
            stripped = [answer and sorted(nevra.rsplit(".", 1)[0] for nevra in answer) for answer in wanted]
            for request, mine, other in zip(requests, self.select(requests, arch, more), stripped):
                self.assertEqual(mine, other, f"{request} for {arch}: the program, dnf")
            first = first or wanted
        return first
