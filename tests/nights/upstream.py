# SPDX-License-Identifier: Apache-2.0
"""What the mirrors of a simulated site have, generation by generation: a Debian suite, its security suite and an RPM-MD repository,
for two architectures. A generation is a folder that never changes again; a mirror is a server that is pointed at one."""

import os

from kit import deb, elf, repo, rpm, rpm_world, world

ARCHES = {"amd64": "x86_64", "arm64": "aarch64"}  # Debian's name, RPM's
DAY = 86400
SUITES = ("stable", "stable-security")
LIBRARIES = {"libone1": "libone.so.1", "libtwo2": "libtwo.so.2"}
PROGRAMS = {"alpha": ("libone.so.1", "libc.so.6"), "beta": ("libone.so.1", "libtwo.so.2", "libc.so.6"), "gamma": (), "delta": ()}
DEPENDS = {"alpha": "libone1, libc6, alpha-data, hints", "beta": "libone1, libtwo2, libc6", "libone1": "libc6", "libtwo2": "libc6"}
FOR_ALL = ("alpha-data", "hints", "idle")  # hints and idle give no file to any image
DEB = tuple(PROGRAMS) + tuple(LIBRARIES) + FOR_ALL
RPM = ("rho", "sigma", "rpm-idle")
KEPT = {"sigma": 3}  # how many versions of a package an index of RPM lists, if not one


def about(name, number, arch):
    return f"{name} {number} {arch}\n"


def deb_package(name, number, arch):
    """One version of a package. Everything in it says which version and architecture it is of."""
    text, files = about(name, number, arch), []
    if name in FOR_ALL:
        arch = "all"
        text = about(name, number, arch)
    files.append(deb.File(f"/usr/share/{name}/about", text))
    if name in LIBRARIES:
        machine = world.MACHINES[arch]
        files.append(deb.File(machine.lib(LIBRARIES[name]), elf.write(
            soname=LIBRARIES[name], needed=["libc.so.6"], payload=text.encode() * 200, **machine.elf)))
    elif name in PROGRAMS and PROGRAMS[name]:
        files.append(deb.program(f"/usr/sbin/{name}", world.executable(world.MACHINES[arch], PROGRAMS[name],
                                                                       payload=text.encode() * 300)))
    elif name in PROGRAMS:
        files.append(deb.program(f"/usr/sbin/{name}", elf.hello(arch, text)))
    fields = {"Depends": DEPENDS[name]} if name in DEPENDS else {}
    return deb.Package(name, files, version=f"{number}.0-1", arch=arch, compression="gzip", **fields)


def rpm_package(name, number, arch):
    """The same of RPM; arch is RPM's name."""
    files = [rpm.File(f"/usr/share/{name}/about", about(name, number, arch))]
    if name != "rpm-idle":
        debian = next(key for key, value in ARCHES.items() if value == arch)
        files.append(rpm.program(f"/usr/bin/{name}", elf.hello(debian, about(name, number, arch))))
    return rpm.Package(name, files, version=f"{number}.0", release="1", arch=arch, payload="gzip", autoreq=False,
                       time=rpm.EPOCH + number)


class Generation:
    """One state of all repositories. `versions` and `fixes` are {(architecture, package): number}, of the suites; `parts` says for
    each kind of repository the number of the generation that wrote it."""

    def __init__(self, number, folder, parts, date):
        self.number, self.folder, self.parts, self.date = number, folder, parts, date


class Upstream:
    """Makes generations. Change `versions`, `fixes` and `rpms`, then publish()."""

    def __init__(self, top, key):
        self.top, self.key = top, key
        self.versions = {(arch, name): 1 for arch in ARCHES for name in DEB}
        self.fixes = {}    # security updates
        self.rpms = {(arch, name): 1 for arch in ARCHES.values() for name in RPM}
        self.rpms_before = {}  # the numbers that a package had, for an index that lists more than one
        self.generations = []
        self._made = {}

    def bump(self, name, arches=None):
        """A new version of a package for these architectures (Debian's names; None: all), in its ordinary repository."""
        table, arches = (self.rpms, [ARCHES[arch] for arch in arches or ARCHES]) if name in RPM else (self.versions, arches or ARCHES)
        number = 1 + max(self._number(table, arch, name) for arch in (ARCHES.values() if name in RPM else ARCHES))
        for arch in arches:
            table[arch, name] = number
        return number

    def fix(self, name, arches):
        """A security update of a Debian package for these architectures."""
        number = 1 + max(self._number(self.versions, arch, name) for arch in ARCHES)
        for arch in arches:
            self.fixes[arch, name] = number

    def _number(self, table, arch, name):
        return max(table.get((arch, name), 0), self.fixes.get((arch, name), 0))

    def _package(self, make, name, number, arch):
        key = (make, name, number, "all" if name in FOR_ALL else arch)
        if key not in self._made:
            self._made[key] = make(name, number, arch)
        return self._made[key]

    def publish(self, date, kinds=("deb", "rpm")):
        """Writes a generation of that date (seconds since 1970); kinds that are not named stay what they were."""
        number = len(self.generations)
        folder = os.path.join(self.top, f"generation-{number}")
        before = self.generations[-1] if self.generations else None
        parts = {kind: number if kind in kinds else before.parts[kind] for kind in ("deb", "rpm")}
        for kind in ("deb", "rpm"):
            if kind in kinds:
                getattr(self, f"_publish_{kind}")(os.path.join(folder, kind), date)
            else:
                os.makedirs(folder, exist_ok=True)
                os.symlink(f"../generation-{parts[kind]}/{kind}", os.path.join(folder, kind))
        self.generations.append(Generation(number, folder, parts, date))
        return self.generations[-1]

    def _publish_deb(self, folder, date):
        fixed = [world.base_files(world.MACHINES[arch]) for arch in ARCHES]
        fixed += [make(world.MACHINES[arch]) for arch in ARCHES for make in (world.libc, world.libgcc)]
        for suite, table, more in zip(SUITES, (self.versions, self.fixes), (fixed, [])):
            packages = {self._package(deb_package, name, number, arch) for (arch, name), number in table.items()}
            repo.Repository(folder, more + sorted(packages, key=lambda package: (package.name, package.arch)), suite=suite,
                            architectures=tuple(ARCHES)).publish(
                                self.key, date=date, endings=(repo.GZ,),
                                edit_release=lambda text, suite=suite: text.replace("Label: Kit", "Label: Kit-Security")
                                if suite == SUITES[1] else text)

    def _publish_rpm(self, folder, date):
        for arch in ARCHES.values():
            packages = [rpm_world.filesystem(arch), self._once("setup", rpm_world.setup), self._once("release", rpm_world.release)]
            packages[0] = self._once(("filesystem", arch), lambda package=packages[0]: package)
            for (of, name), number in sorted(self.rpms.items()):
                if of != arch:
                    continue
                numbers = self.rpms_before.setdefault((of, name), [])
                numbers += [number] if number not in numbers else []
                packages += [self._package(rpm_package, name, each, arch) for each in numbers[-KEPT.get(name, 1):]]
            rpm.Repository(os.path.join(folder, arch), packages).publish(self.key, options=(f"--revision={int(date)}",))

    def _once(self, key, make):
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]


def mixed(folder, new, old, kind, what):
    """A folder that a mirror has in the middle of the update from one generation to another. what: "index" (the signed one is new,
    what it lists is old), "one" (that of one architecture is old), "pool" (all indices are new, packages are old)."""
    os.makedirs(folder)
    other = "rpm" if kind == "deb" else "deb"
    os.symlink(os.path.join(new.folder, other), os.path.join(folder, other))
    fresh, stale = os.path.join(new.folder, kind), os.path.join(old.folder, kind)
    is_new = {"index": lambda path: os.path.basename(path) in ("InRelease", "repomd.xml"),
              "one": lambda path: "arm64" not in path and "aarch64/repodata/" not in path or path.endswith("repomd.xml"),
              "pool": lambda path: not path.endswith((".deb", ".rpm"))}[what]
    for top, wanted in ((stale, lambda path: not is_new(path)), (fresh, is_new)):
        for place, _, names in os.walk(top):
            for name in names:
                path = os.path.relpath(os.path.join(place, name), top)
                if wanted(path):
                    target = os.path.join(folder, kind, path)
                    os.makedirs(os.path.dirname(target), exist_ok=True)
                    os.symlink(os.path.join(os.path.realpath(top), path), target)
    return folder
