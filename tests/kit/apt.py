# SPDX-License-Identifier: Apache-2.0
"""apt itself, with folders of its own and an empty status: what the solver is compared with. On the host or in a root of
another release (kit/roots.py), with that one's sources or other ones."""

import os
import re
import subprocess

from . import roots


class Apt:
    """apt for one architecture; lists and caches are below `top`, which is `inside` a root. sources: lines of sources.list
    instead of those of the machine."""

    def __init__(self, top, deb_arch, root=None, inside=None, sources=None, status=""):
        self.root, inside = root, inside or top
        for name in ("state/lists/partial", "cache/archives/partial"):
            os.makedirs(os.path.join(top, name), exist_ok=True)
        with open(os.path.join(top, "status"), "w", encoding="utf-8") as stream:
            stream.write(status)
        settings = {"Dir::State": f"{inside}/state", "Dir::State::status": f"{inside}/status",
                    "Dir::Cache": f"{inside}/cache", "APT::Solver": "internal",
                    "Dir::Cache::pkgcache": "pkgcache.bin", "Dir::Cache::srcpkgcache": "srcpkgcache.bin",
                    "Dir::Etc::preferences": "/dev/null", "Dir::Etc::preferencesparts": "/dev/null",
                    "APT::Architecture": deb_arch, "APT::Architectures": deb_arch, "APT::Sandbox::User": "root",
                    "Acquire::Languages": "none", "Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled": "false"}
        if sources is not None:
            with open(os.path.join(top, "sources.list"), "w", encoding="utf-8") as stream:
                stream.write(sources)
            settings |= {"Dir::Etc::sourcelist": f"{inside}/sources.list", "Dir::Etc::sourceparts": "/dev/null"}
        self.options = [part for name, value in settings.items() for part in ("-o", f"{name}={value}")]

    def run(self, *arguments):
        done = roots.run(self.root, ["apt-get", "-q", *self.options, *arguments], stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "LC_ALL": "C"}, check=False)
        if done.returncode:
            raise RuntimeError(f"apt-get {' '.join(arguments)}: {done.stderr.decode(errors='replace')}")
        return done.stdout.decode()

    def update(self):
        self.run("update")

    def solution(self, *packages):
        """{package: version} that apt would install on the machine (an empty one unless `status` says otherwise), without
        Recommends; what would remove something counts as a refusal."""
        out = self.run("install", "-s", "--no-install-recommends", *packages)
        if re.search(r"^Remv ", out, re.M):
            raise RuntimeError(out)
        return {match[1].split(":")[0]: match[2] for match in re.finditer(r"^Inst (\S+) (?:\[\S+\] )?\((\S+)", out, re.M)}
