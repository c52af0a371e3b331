# SPDX-License-Identifier: Apache-2.0
"""Roots that dnf and rpm themselves make, for an image on a base of .rpm packages to be compared with. Needs root."""

import os
import shutil
import stat
import subprocess

DATABASE = "/usr/lib/sysimage/rpm"
NOISE = (DATABASE, "/var/cache/dnf", "/var/lib/dnf", "/var/log", "/dev", "/proc", "/sys")
# everything of a package that a query can tell, but when it was installed
FACTS = ("%{NAME} %|EPOCH?{%{EPOCH}}| %{VERSION} %{RELEASE} %{ARCH} %{INSTALLCOLOR} %{SHA256HEADER} %{SIGMD5}\\n"
         "[  %{FILENAMES} %{FILESTATES} %{FILEMODES} %{FILEDIGESTS} %{FILEFLAGS}\\n]"
         "[  P %{PROVIDENAME} %{PROVIDEVERSION}\\n][  R %{REQUIRENAME} %{REQUIREVERSION}\\n]")


class Root:
    """A root in a folder; `home` holds the macros that make rpm look for the database where Fedora has it."""

    def __init__(self, folder, arch):
        self.folder, self.arch = folder, arch
        self.home = folder + ".home"
        os.makedirs(self.home, exist_ok=True)
        with open(os.path.join(self.home, ".rpmmacros"), "w", encoding="ascii") as stream:
            stream.write(f"%_dbpath {DATABASE}\n")
        with open(os.path.join(self.home, "dnf.conf"), "w", encoding="ascii") as stream:
            stream.write("[main]\noptional_metadata_types=filelists\n")  # newer dnf asks for them only then; older takes no such option

    def run(self, *command, may_fail=False):
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=False,
                              env={"PATH": os.environ["PATH"], "HOME": self.home, "LC_ALL": "C.UTF-8"})
        text = done.stdout.decode()
        if done.returncode and not may_fail:
            raise RuntimeError(f"{' '.join(command)}: {text}")
        return text

    def rpm(self, *arguments, may_fail=False):
        return self.run("rpm", "--root", self.folder, *arguments, may_fail=may_fail)

    def dnf(self, repository, *arguments, may_fail=False):
        """dnf as an image's author runs it: without documentation and weak dependencies. No script is run: the kit's shell
        cannot."""
        return self.run("dnf", "-y", "-q", f"--installroot={self.folder}", f"--forcearch={self.arch}", "--releasever=41",
                        "--setopt=reposdir=/nonexistent", f"--repofrompath=kit,file://{repository}/{self.arch}",
                        "--nogpgcheck", "--setopt=install_weak_deps=0", "--setopt=tsflags=nodocs,noscripts,notriggers",
                        "--setopt=best=1", "--setopt=plugins=0", "--setopt=module_platform_id=platform:f41",
                        "--setopt=cachedir=/var/cache/dnf", f"--config={self.home}/dnf.conf", *arguments,
                        may_fail=may_fail)

    def copy(self, folder):
        subprocess.run(["cp", "-a", self.folder, folder], check=True)
        return Root(folder, self.arch)

    def tar(self):
        """The root as a layer."""
        return subprocess.run(["tar", "-C", self.folder, "--sort=name", "--numeric-owner", "--xattrs", "--xattrs-include=security.*",
                               "-c", "."], stdout=subprocess.PIPE,
                              check=True).stdout

    def put(self, layer):
        """Puts a layer (a tar's bytes) over it, whiteouts too."""
        subprocess.run(["tar", "-C", self.folder, "--numeric-owner", "--xattrs", "--xattrs-include=*", "-xpf", "-"], input=layer, check=True)
        for top, _, names in os.walk(self.folder):
            for name in names:
                if name.startswith(".wh."):
                    os.remove(os.path.join(top, name))
                    gone = os.path.join(top, name[len(".wh."):])
                    if os.path.isdir(gone) and not os.path.islink(gone):
                        shutil.rmtree(gone)
                    elif os.path.lexists(gone):
                        os.remove(gone)

    def tree(self):
        """{path: what is there}, without databases, caches and logs."""
        found = {}
        for top, folders, names in os.walk(self.folder):
            for name in folders + names:
                path = os.path.join(top, name)
                short, info = path[len(self.folder):], os.lstat(path)
                if short.startswith(NOISE):
                    continue
                kind = ("link", os.readlink(path)) if os.path.islink(path) else ("dir",)
                if stat.S_ISREG(info.st_mode):
                    with open(path, "rb") as stream:
                        kind = ("file", stream.read())
                mode = 0 if kind[0] == "link" else stat.S_IMODE(info.st_mode)
                found[short] = (*kind, mode, info.st_uid, info.st_gid)
        return found

    def facts(self):
        """What rpm says of all packages."""
        return sorted(self.rpm("-qa", "--qf", FACTS + "@@").split("@@"))
