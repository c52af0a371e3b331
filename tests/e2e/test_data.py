#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Data in volumes: what the image has of them, and what its start program makes of empty, old, changed, full and foreign
volumes, with the shell of this host and, where it is here, busybox's; it is killed at each of its steps."""

import os
import random
import shutil
import stat
import subprocess
import unittest

from base import Case, deb, need, run, world
from data_case import Volumes, shells
from kit import base_image
from kit.base_image import Base, OnBase, file, folder, link

AMD64 = world.MACHINES["amd64"]
KILLS = int(os.environ.get("IMGFACTORY_KILLS", "6"))  # 1000: every step
MANIFEST = """
packages: {install: [svc]}
config: {entrypoint: [/usr/sbin/svc, -f]}
data:
  - volume: /data
    paths: [/etc/svc/, /var/lib/svc, /srv/new/, /etc/later.conf]
  - {volume: /logs, paths: [/var/log/svc/]}
  - {volume: /scratch, paths: [/var/cache/svc/], keep: false}
users: [{name: svc, uid: 77}]
directories: [{path: /var/lib/svc, mode: "0750", owner: svc, group: svc}, /var/log/svc]
"""
CONF = {"/etc/svc/same.conf": "same\n", "/etc/svc/a.conf": "a {}\n", "/etc/svc/b.conf": "b {}\n", "/etc/svc/c.conf": "c {}\n",
        "/etc/svc/sub/d.conf": "d {}\n"}


def program(path):
    return deb.program(path, world.executable(AMD64, ["libc.so.6"]))


def packages(version, files=(), size=0):
    conf = [deb.File(path, text.format(version)) for path, text in CONF.items()]
    more = [deb.File(f"/var/lib/svc/blob{number}", os.urandom(1 << 20)) for number in range(size)]
    service = deb.Package("svc", arch="amd64", version=version, Section="net", Depends="libc6",
                          files=[
        program("/usr/sbin/svc"), deb.File("/var/lib/svc/seed", f"seed {version}\n"), *conf, *more, *files])
    service.scripts["postinst"] = f"#!/bin/sh\n. /usr/share/debconf/confmodule\ndb_get svc/answer{version}\n"
    others = [package for package in world.packages(("amd64",)) if package.name not in ("served", "served-big")]
    return [*others, service, world.start_tools()]


@unittest.skipUnless(os.geteuid() == 0, "owners need root")
class Data(Volumes, Case):
    def build_version(self, version, files=(), manifest=MANIFEST, size=0, epoch=None):
        """Builds the service, and returns the folder that the image was unpacked to."""
        name = f"v{version}"
        self.make_repository(packages=packages(version, files, size), name="repo-" + name, architectures=("amd64",))
        self.use(self.write_source(name + "-source.yaml"))
        self.write_manifest(text=manifest)
        layout = self.build("--arch", "x86_64", "served", env={"SOURCE_DATE_EPOCH": str(epoch or 1700000000 + int(version))})
        self.image = layout.images["latest"]["amd64"]
        return self.unpack(self.image, name)


class Image(Data):
    def test_what_lives_in_a_volume_is_in_its_template_with_a_link_in_its_place(self):
        self.build_version("1", files=[deb.link("/etc/svc/out.conf", "../../usr/share/doc/x"),
                                       deb.link("/etc/svc/in.conf", "sub/d.conf")])
        image = self.image
        for path, target in (("/etc/svc", "/data/etc/svc"), ("/var/lib/svc", "/data/var/lib/svc"), ("/srv/new", "/data/srv/new"),
                             ("/etc/later.conf", "/data/etc/later.conf"), ("/var/log/svc", "/logs/var/log/svc")):
            self.assertEqual((image[path].kind, image[path].target), ("link", target))
        self.assertEqual(image["/data-template/etc/svc/a.conf"].data, b"a 1\n")
        self.assertEqual((image["/data-template/var/lib/svc"].mode, image["/data-template/var/lib/svc"].uid), (0o750, 77))
        self.assertEqual(image["/data-template/etc/svc/out.conf"].target, "/usr/share/doc/x")
        self.assertEqual(image["/data-template/etc/svc/in.conf"].target, "sub/d.conf")
        self.assertIn("/data-template/srv/new", image)
        self.assertNotIn("/data-template/etc/later.conf", image)
        self.assertEqual(image["/etc/build-id"].data, image["/data-template/build-id"].data)
        self.assertRegex(image["/etc/build-id"].data.decode(), r"^[0-9a-f]{32} 1700000001\n$")
        config = image.config["config"]
        self.assertEqual(config["Entrypoint"], ["/usr/lib/imgfactory/start", "/usr/sbin/svc", "-f"])
        self.assertEqual(set(config["Volumes"]), {"/data", "/logs"})

    def test_a_path_whose_package_is_not_installed_is_told(self):
        self.make_repository(packages=packages("1", files=[deb.File("/srv/new/README", "for people\n")]), architectures=("amd64",))
        self.use(self.write_source())
        self.write_manifest(text=MANIFEST.replace("packages: {install: [svc]}", "binaries: [/usr/sbin/svc]"))
        told = "data: nothing is at /etc/svc, of which svc ships files: 'packages: install' brings them"
        result = self.run_factory("--arch", "x86_64", "served")
        self.assertEqual((result.code, result.stderr.count(told), result.stderr.count("data: nothing")), (run.OK, 1, 2), result)
        self.write_manifest(text=MANIFEST)
        self.assertNotIn("data: nothing", self.run_factory("--arch", "x86_64", "served").stderr)

    def test_the_build_id_is_of_the_content_alone(self):
        self.build_version("1", epoch=1700000000)
        first = self.image.digest
        self.use(self.write_source("v1-source.yaml"))
        again = self.build("--arch", "x86_64", "--rebuild", "served", env={"SOURCE_DATE_EPOCH": "1700000000"})
        self.assertEqual(again.images["latest"]["amd64"].digest, first)

    def test_what_cannot_be_is_refused_with_its_place(self):
        self.ready(packages=packages("1"), architectures=("amd64",), manifest=MANIFEST.replace("/srv/new/", "/var/run/x"))
        self.refuse(run.USAGE, "/var/run is a link", arguments=("--arch", "x86_64", "served"))


class Based(Data):
    """The same on a base that has things in the places of data."""

    def build_on(self, *entries, manifest="base: ../base:1\ncovers: [debconf]\n" + MANIFEST, code=run.OK):
        """Builds on a base with the entries, and gives a folder with all layers, one over the other."""
        upper = [*entries, folder("etc/svc", 0o750, 5, 6), file("etc/svc/of-base.conf", "base\n", uid=5), folder("var/log/svc"),
                 file("var/log/svc/old", "old\n")]
        Base(self.path("base"), {"amd64": [base_image.small("amd64"), upper]}, config={"User": "nobody", "Cmd": ["/bin/sh"]})
        own = [package for package in packages("1") if package.name != "tools"]
        self.make_repository(packages=[*own, world.start_tools(with_shell=False)], architectures=("amd64",))
        self.use(self.write_source())
        self.write_manifest(text=manifest)
        result = self.run_factory("--arch", "x86_64", "served")
        self.assertEqual(result.code, code, result)
        if code != run.OK:
            return result.stderr
        image = OnBase(os.path.join(self.factory.output, "served"), "amd64")
        self.config = image.config["config"]
        root = self.path("root-based")
        subprocess.run(["umoci", "raw", "unpack", "--image", os.path.join(self.factory.output, "served") + ":latest", root],
                       check=True, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.mount_volumes(root)
        return root

    def test_what_the_base_has_of_the_paths_moves_too(self):
        root = self.build_on(link("etc/svc/led", "../issue"))
        self.assertEqual(self.config["User"], "0")
        self.assertEqual(os.readlink(root + "/etc/svc"), "/data/etc/svc")
        self.start(root)
        self.assertEqual(self.text("/etc/svc/of-base.conf") + self.text("/etc/svc/a.conf"), "base\na 1\n")
        what = os.stat(self.volume("/etc/svc/of-base.conf"))
        self.assertEqual((what.st_uid, os.stat(self.volume("/etc/svc")).st_uid), (5, 5))
        self.assertEqual(os.readlink(self.volume("/etc/svc/led")), "/etc/issue")
        with open(self.volume("/var/log/svc/old", "logs"), encoding="ascii") as stream:
            self.assertEqual(stream.read(), "old\n")
        with open(root + "/usr/lib/imgfactory/data.1", encoding="ascii") as stream:
            self.assertIn("conffile\t644\t5\t0\tetc/svc/of-base.conf\n", stream.read())

    def test_a_base_with_something_in_the_place_of_a_volume_is_refused(self):
        for entries, path in (([folder("data"), file("data/x")], "/data/x"), ([file("etc/build-id")], "/etc/build-id"),
                              ([folder("logs-template")], "/logs-template"), ([link("scratch", "tmp")], "/scratch")):
            with self.subTest(path=path):
                self.assertIn(path, self.build_on(*entries, code=run.USAGE))


class Starts(Data):
    def test_an_empty_volume_is_filled_once(self):
        root = self.build_version("1")
        for shell in shells():
            with self.subTest(shell=shell):
                self.forget()
                self.start(root, shell)
                self.assertEqual(self.text("/etc/svc/a.conf"), "a 1\n")
                what = os.stat(self.volume("/var/lib/svc"))
                self.assertEqual((stat.S_IMODE(what.st_mode), what.st_uid), (0o750, 77))
                self.assertTrue(os.path.isdir(self.volume("/var/log/svc", "logs")))
                self.change("/etc/svc/a.conf")
                before = self.facts()
                self.assertEqual(self.start(root, shell), "started\n")
                self.assertEqual(self.facts(), before)

    def test_it_passes_on_the_command_and_its_status(self):
        root = self.build_version("1")
        self.start(root)
        result = subprocess.run(["sh", root + "/usr/lib/imgfactory/start", "sh", "-c", 'echo "$1"; exit 5', "x", "a  b"],
                                stdout=subprocess.PIPE, text=True, check=False)
        self.assertEqual((result.returncode, result.stdout), (5, "a  b\n"))

    def test_a_foreign_volume_is_refused_and_left_alone(self):
        root = self.build_version("1")
        os.makedirs(self.volume("/photos"))
        self.assertIn("no volume of this image", self.start(root, code=1))
        self.assertEqual(list(self.facts()), ["photos"])

    def test_a_volume_of_a_newer_build_is_refused(self):
        older, newer = self.build_version("1"), self.build_version("2")
        self.start(newer)
        before = self.facts()
        self.assertIn("a newer build", self.start(older, code=1))
        self.assertEqual(self.facts(), before)
        self.start(newer)

    def test_a_damaged_build_id_is_told(self):
        root = self.build_version("1")
        self.start(root)
        for text in ("", "x\n", "1 -2\n", "1 $(reboot)\n"):
            self.change("/build-id", text)
            self.assertIn("build-id: damaged", self.start(root, code=1))

    def test_a_volume_is_one_containers_at_a_time(self):
        root = self.build_version("1")
        with subprocess.Popen(["sh", root + "/usr/lib/imgfactory/start", "sh", "-c", "echo started; exec cat"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True) as first:
            self.assertEqual(first.stdout.readline(), "started\n")
            for shell in shells():
                self.assertIn("/data: is in use by another container", self.start(root, shell, code=1))
            os.rename(self.path("volumes/data"), self.path("volumes/kept"))
            os.mkdir(self.path("volumes/data"))
            self.assertIn("/logs: is in use by another container", self.start(root, code=1))
            self.assertEqual(set(os.listdir(self.path("volumes/data"))), {".lock"})
            os.remove(self.path("volumes/data/.lock"))
            os.rmdir(self.path("volumes/data"))
            os.rename(self.path("volumes/kept"), self.path("volumes/data"))
            first.stdin.close()
        self.assertEqual(self.start(root), "started\n")

    def test_a_power_cut_after_the_first_start_loses_nothing_of_what_it_filled(self):
        root = self.build_version("1", size=4)
        data, disk = self.path("volumes/data"), self.path("disk")
        with open(disk, "wb") as stream:
            stream.truncate(24 << 20)
        need("mkfs.ext4")
        subprocess.run(["mkfs.ext4", "-q", "-F", disk], check=True)
        mounted = subprocess.run(["mount", "-o", "loop,commit=600", disk, data], check=False, capture_output=True, text=True)
        if mounted.returncode:
            self.skipTest(f"no disk can be made of a file here: {mounted.stderr.strip()}")
        self.addCleanup(subprocess.run, ["umount", data], check=False)
        self.start(root)
        wanted = self.facts()
        shutil.copy(disk, self.path("after-power-cut"))  # what the file system has given to its disk until now
        subprocess.run(["umount", data], check=True)
        subprocess.run(["mount", "-o", "loop", self.path("after-power-cut"), data], check=True)
        found = {name: what for name, what in self.facts().items() if not name.startswith(".populating-")}
        self.assertEqual(found, wanted)
        self.start(root)
        self.assertEqual(self.facts(), wanted)

    def test_directories_below_run_are_made_as_the_image_has_them(self):
        root = self.build_version("1", manifest=MANIFEST.replace(
            "/var/log/svc]\n", '/var/log/svc, {path: /run/svc, mode: "0750", owner: svc, group: svc}, /run/svc/deep]\n'))
        shutil.rmtree(root + "/run")
        os.mkdir(root + "/run", 0o711)
        self.start(root)
        what = os.stat(root + "/run/svc")
        self.assertEqual((stat.S_IMODE(what.st_mode), what.st_uid, os.listdir(root + "/run/svc")), (0o750, 77, ["deep"]))
        os.rmdir(root + "/run/svc/deep")
        self.start(root)
        self.assertEqual(os.listdir(root + "/run/svc"), ["deep"])

    def test_a_full_volume_is_told_and_filled_when_there_is_room(self):
        root = self.build_version("1", size=3)
        data = self.path("volumes/data")
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", data], check=True)
        self.addCleanup(subprocess.run, ["umount", data], check=False)
        for _ in range(2):
            self.assertIn("is it full?", self.start(root, code=1))
        subprocess.run(["mount", "-o", "remount,size=20m", data], check=True)
        self.start(root)
        self.assertEqual(self.text("/var/lib/svc/seed"), "seed 1\n")
        self.assertFalse([name for name in self.facts() if name.startswith(".populating")])


class Upgrades(Data):
    def test_configuration_follows_the_rules_of_dpkg(self):
        first = self.build_version("1", files=[deb.link("/etc/svc/led", "sub"), deb.link("/etc/svc/mine", "a.conf"),
                                                deb.File("/etc/svc/gone.conf", "gone\n")])
        second = self.build_version("2", files=[deb.link("/etc/svc/led", "b.conf"), deb.link("/etc/svc/mine", "b.conf"),
                                                deb.File("/etc/svc/fresh.conf", "fresh\n")])
        for shell in shells():
            with self.subTest(shell=shell):
                self.forget()
                self.start(first, shell)
                self.change("/etc/svc/b.conf")
                self.change("/etc/svc/same.conf")
                self.change("/var/lib/svc/seed", "grown\n")
                self.change("/var/lib/svc/data", "data\n")
                os.unlink(self.volume("/etc/svc/c.conf"))
                os.unlink(self.volume("/etc/svc/mine"))
                os.symlink("same.conf", self.volume("/etc/svc/mine"))
                told = self.start(second, shell)
                for name, text in (("a.conf", "a 2\n"), ("b.conf", "admin\n"), ("b.conf.dpkg-dist", "b 2\n"), ("sub/d.conf", "d 2\n"),
                                   ("same.conf", "admin\n"), ("fresh.conf", "fresh\n"), ("gone.conf", "gone\n")):
                    self.assertEqual(self.text("/etc/svc/" + name), text)
                self.assertFalse(os.path.lexists(self.volume("/etc/svc/c.conf")))
                self.assertEqual(self.text("/etc/svc/c.conf.dpkg-dist"), "c 2\n")
                self.assertFalse(os.path.lexists(self.volume("/etc/svc/same.conf.dpkg-dist")))
                self.assertEqual(os.readlink(self.volume("/etc/svc/led")), "b.conf")
                self.assertEqual(os.listdir(self.volume("/etc/svc/sub")), ["d.conf"])
                self.assertEqual(os.readlink(self.volume("/etc/svc/mine")), "same.conf")
                self.assertEqual(self.text("/var/lib/svc/seed") + self.text("/var/lib/svc/data"), "grown\ndata\n")
                for line in ("db_get svc/answer2", "etc/svc/a.conf: replaced", "b.conf.dpkg-dist", "c.conf: stays away", "fresh.conf: new", "mine: kept",
                             "gone.conf: stays, though the package has it no more"):
                    self.assertIn(line, told)
                    self.assertIn(line, self.text("/upgrade.log"))
                self.assertEqual(self.start(second, shell), "started\n")
                pristine = [name for name in os.listdir(self.volume("")) if name.startswith(".pristine-")]
                self.assertEqual(pristine, [".pristine-" + self.text("/build-id").split()[0]])

    def test_what_is_put_beside_goes_into_no_directory(self):
        first, second = self.build_version("1"), self.build_version("2")
        self.start(first)
        outside = self.path("outside")
        os.mkdir(outside)
        for name in ("a", "b"):
            self.change(f"/etc/svc/{name}.conf")
        os.symlink(outside, self.volume("/etc/svc/a.conf.dpkg-dist"))
        os.mkdir(self.volume("/etc/svc/b.conf.dpkg-dist"))
        self.start(second)
        self.assertEqual(os.listdir(outside), [])
        self.assertEqual(self.text("/etc/svc/a.conf.dpkg-dist") + self.text("/etc/svc/b.conf.dpkg-dist"), "a 2\nb 2\n")
        self.assertEqual(os.readlink(self.volume("/etc/svc/a.conf.dpkg-dist.before.1")), outside)

    def test_a_path_that_became_something_else_is_put_aside_and_never_followed(self):
        first = self.build_version("1", files=[deb.link("/etc/svc/turn", "/outside"), deb.File("/etc/svc/back/x.conf", "x\n"),
                                                deb.File("/etc/svc/old/gone.conf", "gone\n")])
        second = self.build_version("2", files=[deb.File("/etc/svc/turn/y.conf", "y\n"), deb.link("/etc/svc/back", "sub")])
        self.start(first)
        self.change("/etc/svc/back/mine.conf")
        outside = self.path("outside")
        os.mkdir(outside)
        os.unlink(self.volume("/etc/svc/turn"))
        os.symlink(outside, self.volume("/etc/svc/turn"))
        shutil.rmtree(self.volume("/etc/svc/sub"))
        os.symlink(outside, self.volume("/etc/svc/sub"))
        told = self.start(second)
        self.assertEqual(os.listdir(outside), [])
        self.assertEqual(self.text("/etc/svc/turn/y.conf"), "y\n")
        self.assertEqual(os.readlink(self.volume("/etc/svc/turn.before.1")), outside)
        self.assertEqual(os.readlink(self.volume("/etc/svc/back")), "sub")
        self.assertEqual(self.text("/etc/svc/back.before.1/mine.conf"), "admin\n")
        self.assertFalse(os.path.islink(self.volume("/etc/svc/sub")))
        self.assertIn("etc/svc/turn: is something else now", told)


class SetUp(Data):
    MANIFEST = MANIFEST + """
configure: {command: [/usr/bin/setup-svc, "$HOME"], variables: [ADDRESS]}
upgrade: {command: [/usr/sbin/svc, upgrade]}
create: [{path: /usr/bin/setup-svc, mode: "0755", content: "#!/bin/sh\\n"}]
"""

    def program(self, root, name, text):
        path = f"{root}/usr/lib/imgfactory/{name}"
        with open(path, "w", encoding="ascii") as stream:
            stream.write("#!/bin/sh\n" + text)
        os.chmod(path, 0o755)

    def test_set_up_runs_once_and_upgrade_once_for_each_build(self):
        first, second = (self.build_version(version, manifest=self.MANIFEST) for version in "12")
        with open(first + "/usr/lib/imgfactory/configure", encoding="ascii") as stream:
            self.assertEqual(stream.read(), "#!/bin/sh\nexec /usr/bin/setup-svc '$HOME'\n")
        for root in (first, second):
            self.program(root, "configure", f"echo for $ADDRESS; echo configured >> {self.path('ran')}; exit ${{CODE-0}}\n")
            self.program(root, "upgrade", f"echo upgraded >> {self.path('ran')}; exit ${{CODE-0}}\n")
        self.assertIn("the variable ADDRESS has to be given", self.start(first, code=1))
        self.assertFalse(os.path.exists(self.path("ran")))
        given = {"ADDRESS": "192.0.2.1"}
        self.assertIn("configure failed with status 3", self.start(first, code=1, env={**given, "CODE": "3"}))
        self.start(first, env=given)
        self.assertEqual(self.text("/configure.log"), "for 192.0.2.1\nfor 192.0.2.1\n")
        self.assertEqual(stat.S_IMODE(os.stat(self.volume("/configure.log")).st_mode), 0o600)
        self.start(first)
        self.assertIn("upgrade failed with status 4", self.start(second, code=1, env={"CODE": "4"}))
        self.start(second)
        self.start(second)
        with open(self.path("ran"), encoding="ascii") as stream:
            self.assertEqual(stream.read().split(), ["configured"] * 2 + ["upgraded"] * 2)


class Killed(Data):
    STEPS = [name for name in world.START_TOOLS if name not in ("cmp", "flock", "readlink")]

    def shims(self):
        """Programs that kill the start program before or after the step whose number is in a file."""
        folder = self.path("shims")
        os.makedirs(folder)
        for name in self.STEPS:
            path = os.path.join(folder, name)
            with open(path, "w", encoding="ascii") as stream:
                stream.write(f"""#!/bin/sh
read -r left when < {self.path('left')}
echo $((left - 1)) $when > {self.path('left')}
[ $left != 1 ] || [ $when != before ] || {{ kill -9 $PPID; exit 1; }}
{'[ $left != 1 ] || [ $when != within ] || { timeout -s KILL 0.004 ' + shutil.which(name) + ' "$@"; kill -9 $PPID; exit 1; }' if name == 'cp' else ''}
{shutil.which(name)} "$@"
status=$?
[ $left != 1 ] || {{ kill -9 $PPID; exit 1; }}
exit $status
""")
            os.chmod(path, 0o755)
        return folder

    def run_until(self, root, step, when, shims):
        with open(self.path("left"), "w", encoding="ascii") as stream:
            stream.write(f"{step} {when}\n")
        result = subprocess.run(["sh", root + "/usr/lib/imgfactory/start", "echo", "started"], stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, env={"PATH": shims + ":" + os.environ["PATH"]},
                                timeout=60, check=False)
        with open(self.path("left"), encoding="ascii") as stream:
            return result, step - int(stream.read().split()[0])

    def sweep(self, root, prepare):
        """Kills it at steps; the next start makes what an undisturbed one makes."""
        shims = self.shims()
        prepare()
        result, steps = self.run_until(root, 100000, "before", shims)
        self.assertIn("started", result.stdout)
        wanted = {name: self.facts(name) for name in ("data", "logs", "scratch")}
        points = [(step, when) for step in range(1, steps + 1) for when in ("before", "within", "after")]
        self.assertGreater(len(points), 8)
        chosen = points if KILLS >= len(points) else random.Random(7).sample(points, KILLS)
        for step, when in chosen:
            with self.subTest(step=step, when=when):
                prepare()
                result, _ = self.run_until(root, step, when, shims)
                self.assertNotIn("started", result.stdout)
                self.start(root)
                self.assertEqual({name: self.facts(name) for name in wanted}, wanted)

    def test_a_start_with_nothing_to_do_runs_no_program_that_copies_or_moves(self):
        root, shims = self.build_version("1", size=4), self.shims()
        self.forget()
        steps = [self.run_until(root, 100000, "before", shims)[1] for _ in range(3)]
        self.assertEqual([steps[0] > 3, steps[1:]], [True, [0, 0]])

    def test_population_is_whole_after_a_kill_at_any_step(self):
        self.sweep(self.build_version("1", size=4), self.forget)

    def test_what_another_build_began_to_fill_is_filled_anew(self):
        first = self.build_version("1", files=[deb.link("/etc/svc/turn", "a.conf"), deb.File("/etc/svc/back/x.conf", "x\n"),
                                                deb.File("/etc/svc/old/gone.conf", "gone\n")])
        second = self.build_version("2", files=[deb.File("/etc/svc/turn/y.conf", "y\n"), deb.link("/etc/svc/back", "sub")])
        shims = self.shims()
        self.forget()
        self.start(second)
        wanted = self.facts()
        self.forget()
        for step in (2, 1, 2):  # behind the copy; before the mark is renamed; behind that
            result, _ = self.run_until(first if step == 2 and not self.facts() else second, step, "after", shims)
            self.assertNotIn("started", result.stdout)
        self.start(second)
        self.assertEqual(self.facts(), wanted)

    def test_an_upgrade_is_whole_after_a_kill_at_any_step(self):
        first = self.build_version("1", files=[deb.link("/etc/svc/turn", "a.conf"), deb.File("/etc/svc/back/x.conf", "x\n"),
                                                deb.File("/etc/svc/old/gone.conf", "gone\n")])
        second = self.build_version("2", files=[deb.File("/etc/svc/turn/y.conf", "y\n"), deb.link("/etc/svc/back", "sub"),
                                                deb.File("/etc/svc/fresh.conf", "fresh\n")])

        def prepare():
            self.forget()
            self.start(first)
            self.change("/etc/svc/b.conf")
            os.unlink(self.volume("/etc/svc/c.conf"))
        self.sweep(second, prepare)


if __name__ == "__main__":
    unittest.main()
