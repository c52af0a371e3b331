# SPDX-License-Identifier: Apache-2.0
"""The base of the tests of Debian sources that are only solved: repositories that are described, and apt's opinion."""

import os
import shutil

from . import apt, base_image, case, debmd, report, roots, run


class DebCase(case.Case):
    def setUp(self):
        super().setUp()
        case.need("apt-get")
        self.repos = []  # folders
        self.status = ""  # dpkg's, of the base that images stand on; empty: they stand on none

    def describe(self, stanzas, name="main", **release):
        self.repos.append(self.path(f"repos/{name}"))
        debmd.write(self.repos[-1], stanzas, **release)

    def write_deb_source(self):
        lines = ["kind: deb", "repositories:"]
        lines += [f"  - {{uris: file://{path}, suites: ./, trusted: true, by-hash: false, check-valid-until: false}}"
                  for path in self.repos]
        return self.write("source.yaml", "\n".join(lines) + "\n")

    def select(self, requests, more="", options=()):
        """What the program selects for each list of names: {name: version}, or None. One run."""
        self.use(self.write_deb_source())
        names = [f"image-{number}" for number in range(len(requests))]
        if self.status:
            base_image.Base(self.path("base"), {"amd64": [[base_image.file("var/lib/dpkg/status", self.status)]]})
            more += "base: ../base:1\n"
        for name, request in zip(names, requests):
            self.write_manifest(name, f"packages:\n  install: [{', '.join(request)}]\n{more}")
        self.last = self.run_factory("--dry-run", "--json", "--arch", "x86_64", *options, *names)
        self.assertIn(self.last.code, (run.OK, run.RESOLVE, run.PARTLY), self.last)
        out = report.Report(self.last.stdout)
        orders = [out.order(name, "x86_64") for name in names]
        self.notes = [order.get("notes") for order in orders]
        self.errors = [(order.get("error") or {}).get("text", "") for order in orders]
        return [None if order.get("error") else {package["name"]: package["version"] for package in order["selection"]}
                for order in orders]

    def ask_apt(self, requests, root=None):
        """What apt-get would install for each, or None when it refuses."""
        with roots.folder(root) as (outside, inside):
            lines = []
            for number, path in enumerate(self.repos):
                shutil.copytree(path, os.path.join(outside, f"repo{number}"))
                lines.append(f"deb [trusted=yes] file://{inside}/repo{number} ./\n")
            judge = apt.Apt(outside, "amd64", root, inside, "".join(lines), self.status)
            judge.update()
            answers = []
            for request in requests:
                try:
                    answers.append(judge.solution(*request))
                except RuntimeError:
                    answers.append(None)
            return answers

    def assert_as_apt(self, requests):
        """The program, the host's apt, and apt of Debian 13 if there is a root of it, agree. Returns the answers."""
        mine = self.select(requests)
        for root in (None, roots.find("trixie", "usr/bin/apt-get")):
            for request, one, other in zip(requests, mine, self.ask_apt(requests, root)):
                self.assertEqual(one, other, f"{request}: the program, apt of {root or 'the host'}")
        return mine
