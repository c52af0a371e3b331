"""dnf with an empty root, to compare the solver with. Debian's own Python has dnf's library; it runs as a child."""

import json
import os
import subprocess
import tempfile

PYTHON = "/usr/bin/python3"

SCRIPT = r"""
import json, sys
import dnf, dnf.exceptions, hawkey

task = json.load(sys.stdin)
base = dnf.Base()
conf = base.conf
conf.installroot, conf.cachedir, conf.persistdir = task["root"], task["root"] + "/cache", task["root"] + "/persist"
conf.logdir, conf.install_weak_deps, conf.gpgcheck = task["root"], task["weak"], False
conf.plugins, conf.optional_metadata_types = False, ["filelists"]
conf.ignorearch = True
conf.arch = task["arch"]
conf.substitutions["arch"] = task["arch"]
conf.substitutions["basearch"] = task["basearch"]
conf.module_platform_id = "platform:kit"
for repo in task["repos"]:
    options = {key: value for key, value in repo.items() if key not in ("id", "path")}
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


def solve(repos, requests, arch, weak=False, modules=()):
    """Solves each list of names; returns for each the sorted list of NAME-[EPOCH:]VERSION-RELEASE.ARCH, or None when there
    is no solution. `repos` are dicts of id, path and further options of dnf.conf (priority, excludepkgs, …)."""
    with tempfile.TemporaryDirectory(prefix="dnf") as root:
        os.makedirs(os.path.join(root, "etc/dnf/modules.d"))
        task = {"root": root, "repos": repos, "requests": requests, "arch": arch, "basearch": arch, "weak": weak,
                "modules": list(modules)}
        done = subprocess.run([PYTHON, "-I", "-c", SCRIPT], input=json.dumps(task).encode(), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, check=False)
        if done.returncode:
            raise RuntimeError(f"dnf: {done.stderr.decode(errors='replace')}")
        return json.loads(done.stdout)
