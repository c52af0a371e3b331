# SPDX-License-Identifier: Apache-2.0
"""dnf with an empty root, to compare the solver with. Debian's own Python has dnf's library; it runs as a child, on the
host or in a root of Debian 13 (kit/roots.py).

dnf before 4.18 lets a package that obsoletes any version of what is asked for stand for it, newer ones (and dnf5) only one
that obsoletes the newest version. The newer rule holds: when the host's dnf is older and there is no root, requests
that can tell the two apart are left out.
"""

import functools
import json
import os
import shutil
import subprocess

from . import roots

PYTHON = "/usr/bin/python3"

SCRIPT = r"""
import json, sys
import dnf, dnf.exceptions, hawkey

task = json.load(sys.stdin)
base = dnf.Base()
conf = base.conf
conf.installroot, conf.cachedir, conf.persistdir = task["root"], task["root"] + "/cache", task["root"] + "/persist"
conf.logdir, conf.install_weak_deps, conf.gpgcheck = task["root"], task["weak"], False
conf.best = task["best"]
conf.plugins, conf.optional_metadata_types = False, ["filelists"]
conf.ignorearch = True
conf.substitutions["arch"] = task["arch"]
conf.substitutions["basearch"], conf.substitutions["releasever"] = task["arch"], "41"
conf.module_platform_id = "platform:kit"
for repo in task["repos"]:
    options = {key: ", ".join(value) if isinstance(value, list) else value
               for key, value in repo.items() if key not in ("id", "path")}
    base.repos.add_new_repo(repo["id"], conf, baseurl=["file://" + repo["path"]], **options)
base.fill_sack(load_system_repo=False)
if task["modules"]:
    import dnf.module.module_base
    dnf.module.module_base.ModuleBase(base).enable(task["modules"])
answers = []
for names in task["requests"]:
    base.reset(goal=True)
    try:
        for name in names:
            base.install(name)
        base.resolve()
        answers.append(sorted(str(item) for item in base.transaction.install_set))
    except dnf.exceptions.Error as error:
        answers.append(None)
json.dump(answers, sys.stdout)
"""


PACKAGE = "usr/lib/python3/dist-packages/dnf/__init__.py"


@functools.lru_cache(maxsize=None)
def version(root=None):
    done = roots.run(root, [PYTHON, "-I", "-c", "import dnf; print(dnf.VERSION)"], stdout=subprocess.PIPE, check=True)
    return tuple(int(part) for part in done.stdout.decode().strip().split(".")[:2])


def is_modern(root=None):
    """Whether only obsoleters of the newest version count."""
    return version(root) >= (4, 18)


def modern_root():
    """The root of a newer dnf for a host whose own is older, or None."""
    return None if is_modern() else roots.find("trixie", PACKAGE) or roots.find("sid", PACKAGE)


def solve(repos, requests, arch, weak=False, modules=(), best=True, root=None):
    """Solves each list of names; returns for each the sorted list of NAME-[EPOCH:]VERSION-RELEASE.ARCH, or None when there
    is no solution. `repos` are dicts of id, path and further options of dnf.conf (priority, excludepkgs, …); best is
    that of dnf.conf, which Fedora's dnf5 and RHEL set. root: of the dnf that is asked."""
    with roots.folder(root) as (outside, inside):
        os.makedirs(os.path.join(outside, "etc/dnf/modules.d"))
        if root:
            for repo in repos:
                shutil.copytree(repo["path"], os.path.join(outside, "repos", repo["id"]))
            repos = [{**repo, "path": f"{inside}/repos/{repo['id']}"} for repo in repos]
        # dnf.Base() opens rpm's database, where an ordinary user may not make it; rpm reads these macros after its own
        with open(os.path.join(outside, ".rpmmacros"), "w", encoding="utf-8") as stream:
            stream.write(f"%_dbpath {inside}/rpmdb\n")
        task = {"root": inside, "repos": repos, "requests": requests, "arch": arch, "weak": weak, "best": best,
                "modules": list(modules)}
        done = roots.run(root, [PYTHON, "-I", "-c", SCRIPT], input=json.dumps(task).encode(), stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, check=False, env={**os.environ, "HOME": inside})
        if done.returncode:
            raise RuntimeError(f"dnf: {done.stderr.decode(errors='replace')}")
        return json.loads(done.stdout)
