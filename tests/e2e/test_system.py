#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""System containers: lint, install, update, rollback, uninstall, list; kill points, full disks, hostile images, and runc
and crun that start what was installed."""

import copy
import json
import os
import random
import re
import resource
import shutil
import subprocess
import unittest

from base import Case, need, run
from kit import base_image, elf, registry, system_image
from kit.schema import REPORT as SCHEMA
from kit.system_image import ATOMIC, Host, Image

KILLS = int(os.environ.get("IMGFACTORY_KILLS", "8"))  # 1000: every call


class SystemCase(Case):
    def setUp(self):
        super().setUp()
        self.host = Host(self.path("host"))
        self.count = 0

    def image(self, image=None, name=None):
        self.count += 1
        name = name or f"image{self.count}"
        made = (image or Image()).make(self.path(name))
        self.last = made
        return self.path(name)

    def system(self, *words, code=run.OK, **options):
        if words[0] != "lint" and "--host-root" not in words:
            words += ("--host-root", self.host.root)
        result = self.factory.run("system", *words, **options)
        self.assertEqual(result.code, code, result)
        return result

    def listed(self, name="greeter"):
        document = json.loads(self.system("list", "--json").stdout)
        self.assertEqual([], SCHEMA.faults(document, "system_list"))
        items = document["containers"]
        return {item["name"]: item for item in items}.get(name)

    def install(self, image=None, *words, **options):
        return self.system("install", self.image(image), "--name", "greeter", *words, **options)


def altered(**files):
    image = Image()
    image.files.update(files)
    return image


def config_with(place, value):
    """A configuration with one member altered; value None removes it."""
    config = copy.deepcopy(system_image.config())
    at = config
    for step in place[:-1]:
        at = at[step]
    if value is None:
        del at[place[-1]]
    else:
        at[place[-1]] = value
    return altered(**{"config.json.template": config})


def without(name):
    image = Image()
    del image.files[name]
    return image


def labelled(name, value):
    image = Image()
    image.labels[name] = value
    return image


def part(**changes):
    image = Image()
    image.part.update(changes)
    return image


def tmpfiles(line):
    return altered(**{"tmpfiles.template": system_image.TMPFILES + line + "\n"})


def service(before, after):
    assert before in system_image.SERVICE
    return altered(**{"service.template": system_image.SERVICE.replace(before, after)})


def manifest(**changes):
    return altered(**{"manifest.json": {**system_image.MANIFEST, **changes}})


def host_template(text, renames=None, **changes):
    """An image with one file for the host, which is a template."""
    image = manifest(installedFilesTemplate=["/etc/x.conf"], renameFiles=renames or {}, **changes)
    image.hostfs = [base_image.file("exports/hostfs/etc/x.conf", text)]
    return image


CONFIG, SERVICE, MANIFEST, TMPFILES = ("/exports/" + name for name in (
    "config.json.template", "service.template", "manifest.json", "tmpfiles.template"))
IMAGE = "image configuration"
# An image that breaks one rule, the file that is named, the place in it, and words of the reason.
RULES = [
    (without("config.json.template"), CONFIG, None, "missing"),
    (without("service.template"), SERVICE, None, "missing"),
    (without("manifest.json"), MANIFEST, None, "missing"),
    (without("tmpfiles.template"), TMPFILES, None, "missing"),
    (altered(**{"config.json.template": "{"}), CONFIG, "line 1", "no JSON"),
    (altered(**{"config.json.template": '{"a": 1, "a": 2}'}), CONFIG, "line", "no JSON"),
    (altered(**{"manifest.json": "[]"}), MANIFEST, "/", "object"),
    (altered(**{"manifest.json": '{"version": "1.0",\n}'}), MANIFEST, "line 2", "no JSON"),
    (manifest(version="2"), MANIFEST, "/version", "1.0"),
    (manifest(defaultValues=[]), MANIFEST, "/defaultValues", "object"),
    (manifest(defaultValues={"RECEIVER": {}}), MANIFEST, "/defaultValues/RECEIVER", "string"),
    (manifest(defaultValues={"RECEIVER": "", "A-B": ""}), MANIFEST, "/defaultValues/A-B", "no name"),
    (manifest(defaultValues={"RECEIVER": "", "DESTDIR": "/x"}), MANIFEST, "/defaultValues/DESTDIR", "forces"),
    (manifest(defaultValues={}), CONFIG, "line", "RECEIVER"),
    (manifest(renameFiles={"/etc/none": "/etc/other"}), MANIFEST, "/renameFiles", "/etc/none"),
    (manifest(renameFiles={"/a": "/../b"}), MANIFEST, "/renameFiles/~1a", ".."),
    (manifest(installedFilesTemplate=["/none"]), MANIFEST, "/installedFilesTemplate", "/none"),
    (manifest(installedFilesTemplate="x"), MANIFEST, "/installedFilesTemplate", "list"),
    (host_template("a\n$MORE\n"), "/exports/hostfs/etc/x.conf", "line 2", "MORE"),
    (host_template("price $5\n"), "/exports/hostfs/etc/x.conf", None, "$$"),
    (host_template("", {"/etc/x.conf": "/etc/${MORE}.conf"}), MANIFEST, "/renameFiles", "MORE"),
    (host_template("", {"/etc/x.conf": "$RECEIVER"}), MANIFEST, "/renameFiles", "no absolute path"),
    (manifest(useLinks="yes"), MANIFEST, "/useLinks", "true or false"),
    (manifest(noContainerService=1), MANIFEST, "/noContainerService", "true or false"),
    (config_with(["root", "path"], "/"), CONFIG, "/root/path", "rootfs"),
    (config_with(["root", "readonly"], False), CONFIG, "/root/readonly", "true"),
    (config_with(["root", "readonly"], None), CONFIG, "/root/readonly", "true"),
    (config_with(["process", "terminal"], True), CONFIG, "/process/terminal", "false"),
    (config_with(["process", "args"], []), CONFIG, "/process/args", "command"),
    (config_with(["process", "args"], ["/usr/bin/other"]), CONFIG, "/process/args/0", "no /usr/bin/other"),
    (config_with(["process", "args"], ["/etc/passwd"]), CONFIG, "/process/args/0", "executed"),
    (config_with(["process", "cwd"], "srv"), CONFIG, "/process/cwd", "absolute"),
    (config_with(["process", "user"], {"username": "x"}), CONFIG, "/process/user", "uid"),
    (config_with(["process", "env"], ["PATH=/", "RECEIVER=$RECEIVER"]), CONFIG, "/process/env", "NAME=$NAME"),
    (config_with(["process", "env"], ["NAME=$NAME", "X"]), CONFIG, "/process/env/1", "NAME=VALUE"),
    (config_with(["process", "env"], ["NAME=name"]), CONFIG, "/process/env", "NAME=$NAME"),
    (config_with(["process", "capabilities"], ["CAP_KILL"]), CONFIG, "/process/capabilities", "five sets"),
    (config_with(["process", "capabilities", "ambient"], None), CONFIG, "/process/capabilities/ambient", "missing"),
    (config_with(["process", "capabilities", "bounding"], ["CAP_FLY"]), CONFIG, "/process/capabilities/bounding/0", "no"),
    (config_with(["process", "rlimits"], [{"type": "NOFILE"}]), CONFIG, "/process/rlimits/0", "RLIMIT"),
    (config_with(["ociVersion"], "0.3.0"), CONFIG, "/ociVersion", "version"),
    (config_with(["platform"], {"os": "linux", "arch": "s390x"}), CONFIG, "/platform/arch", "s390x"),
    (config_with(["linux", "selinuxProcessLabel"], "x"), CONFIG, "/linux/selinuxProcessLabel", "selinuxLabel"),
    (config_with(["linux", "capabilities"], []), CONFIG, "/linux/capabilities", "process/capabilities"),
    (config_with(["mounts", 1, "type"], "rbind"), CONFIG, "/mounts/1/type", "bind"),
    (config_with(["mounts", 0, "destination"], "proc"), CONFIG, "/mounts/0/destination", "absolute"),
    (config_with(["mounts", 1, "source"], "here"), CONFIG, "/mounts/1/source", "absolute"),
    (config_with(["mounts", 1, "source"], "${STATE_DIRECTORY}/other"), CONFIG, "/mounts/1/source", "/var/lib/other"),
    (service("ExecStart=$EXEC_START\n", ""), SERVICE, None, "ExecStart"),
    (service("ExecStart=$EXEC_START", "ExecStart=/bin/true"), SERVICE, "line 5", "$EXEC_START"),
    (service("ExecStop=$EXEC_STOP\n", ""), SERVICE, None, "ExecStop"),
    (service("WorkingDirectory=$DESTDIR\n", ""), SERVICE, None, "WorkingDirectory"),
    (service("WorkingDirectory=$DESTDIR", "WorkingDirectory=/"), SERVICE, "line 7", "$DESTDIR"),
    (service("[Unit]\n", ""), SERVICE, "line 1", "before the first section"),
    (service("[Install]", "[Instal]"), SERVICE, "line 10", "[Instal]"),
    (service("Restart=on-failure", "Restart"), SERVICE, "line 8", "no assignment"),
    (service("Restart=on-failure", "Restart=sometimes"), SERVICE, "line 8", "sometimes"),
    (service("Restart=on-failure", "Restart     =\n" + " " * 20), SERVICE, "line 8", "Restart="),
    (service("Restart=on-failure", "Type=quick"), SERVICE, "line 8", "quick"),
    (service("Restart=on-failure", "PIDFile=$PIDFILE"), SERVICE, "line 8", "$EXEC_STOPPOST"),
    (service("Restart=on-failure", "PIDFile=$PIDFILE\nExecStopPost=$EXEC_STOPPOST"), SERVICE, "line 8", "forking"),
    (service("Restart=on-failure", "Type=forking"), SERVICE, "line 8", "starts detached"),
    (service("Restart=on-failure", "Restart=$1"), SERVICE, None, "$$"),
    (service("Restart=on-failure", "User=$SOMEBODY"), SERVICE, "line 8", "SOMEBODY"),
    (labelled("name", None), IMAGE, "label name", "missing"),
    (labelled("version", None), IMAGE, "label version", "missing"),
    (labelled("release", None), IMAGE, "label release", "missing"),
    (labelled("architecture", ""), IMAGE, "label architecture", "missing"),
    (labelled("architecture", "sparc"), IMAGE, "label architecture", "sparc"),
    (labelled("summary", None), IMAGE, "label summary", "missing"),
    (labelled("maintainer", None), IMAGE, "label maintainer", "missing"),
    (labelled("atomic.type", None), IMAGE, "label atomic.type", "system"),
    (labelled("atomic.run", "twice"), IMAGE, "label atomic.run", "once"),
    (labelled("install", "x"), IMAGE, "label uninstall", "missing"),
    (part(Entrypoint=[], Cmd=[]), IMAGE, "Entrypoint", "missing"),
    (part(Entrypoint=["/usr/bin/gone"]), IMAGE, "Entrypoint", "/usr/bin/gone"),
    (part(User="nobody-here"), IMAGE, "User", "nobody-here"),
    (part(User="0:nogroup"), IMAGE, "User", "nogroup"),
    (part(Volumes={"/data": {}}), IMAGE, "Volumes", "/data"),
    (part(Volumes={"data": {}}), IMAGE, "Volumes", "absolute"),
    (part(StopSignal="SIGNONE"), IMAGE, "StopSignal", "SIGNONE"),
]
# A line of tmpfiles.d(5) that is wrong, and words of the reason.
LINES = [
    ("y /run/x", "no type"), ("d", "no path"), ("d x 0755", "not absolute"), ("d /run/../x", ".."), ("d /run/%y", "%y"),
    ("d+ /run/x", "'+'"), ("dd /run/x", "modifier"), ("d!! /run/x", "twice"), ("d /run/x 0999", "octal"),
    ("d /run/x 17777", "octal"), ("d /run/x 0755 a:b", "user"), ("d /run/x 0755 root -x", "group"),
    ("d /run/x 0755 - - soon", "time span"), ("d /run/x 0755 - - - text", "argument"), ('d "/run/x', "quote"),
    ("e /run/x - - - 10parsecs", "time span"), ("v /run/x 0755 - - - text", "argument"), ("q /run/x z", "octal"),
    ("Q /run/x - - - x", "time span"), ("D /run/x - - - - text", "argument"), ("f /run/x 0644 - - 10d", "age"),
    ("F /run/x 9", "octal"), ("w /run/x", "wants an argument"), ("w /run/x 0644 - - - y", "mode"),
    ("p /run/x - - - 1d", "age"), ("L /run/x 0777 - - - /y", "mode"), ("c /run/x - - - - null", "MAJOR:MINOR"),
    ("b /run/x - - - - 1:", "MAJOR:MINOR"), ("C /run/x - - - - here", "not absolute"), ("x /run/x 0644", "mode"),
    ("X /run/x - root", "user"), ("r /run/x - - - 1d", "age"), ("R /run/x - - - - text", "argument"),
    ("z /run/x - - - 1d", "age"), ("Z /run/x - - - - text", "argument"), ("t /run/x - - - - label", "NAME=VALUE"),
    ("T /run/x", "wants an argument"), ("h /run/x - - - - +@", "chattr"), ("H /run/x", "chattr"), ("a /run/x - - - - user:root:q", "setfacl"), ("A+ /run/x - - - - u:root:rx,zz", "setfacl"), ("a /run/x - - - - u:rx", "setfacl"),
    ("a /run/x", "wants an argument"), ("A /run/x - - 0 - u:x:r", "group"), ("f /run/x - - - - %q", "%q"),
]
GOOD_LINES = """# all types, as they are meant
f /run/x/f 0644 root root - text %m
f+ /run/x/f2 0644 - - - text
w /run/x/f - - - - text
d /run/x 0755 root root 10d -
D! /run/x/d ~0755 root :root am:1h30min -
e /run/x/e* 0755 0 0 1w
v /run/x/v 0755
q /run/x/q
Q /run/x/Q - - -
p+ /run/x/p 0600
L+ /run/x/l - - - - ../y
c /run/x/c 0600 - - - 1:3
b /run/x/b 0600 - - - 7:0
C /run/x/C - - - - /usr/share/x
x /run/x/*
X /run/x/y
r! /run/x/r
R /run/x/R
z /run/x 0755 root root
Z /run/x ~0755 root root
t /run/x/t - - - - user.a=b
T /run/x/t - - - - user.a=b
h /run/x/h - - - - +C
H /run/x/h - - - - +C
a /run/x/a - - - - u:root:rwx
a /run/x/a - - - - m:rwx,d:other:r
A+ /run/x/a - - - - u:root:rwx
d "/run/x/with blank" 1777
d %t/${NAME} 0755
d %S/made 0755
"""


class Lint(SystemCase):
    def test_a_good_image_is_good(self):
        image = Image(architectures=("amd64", "arm64"))
        image.labels["architecture"] = None
        result = self.system("lint", self.image(), "--json")
        document = json.loads(result.stdout)
        self.assertEqual([], SCHEMA.faults(document, "system_lint"))
        self.assertEqual([], document["platforms"][0]["violations"])
        self.assertEqual(("ok", 0), (document["outcome"], document["exit"]))

    def test_each_rule_broken_once_is_the_only_one_that_is_found(self):
        for image, file, place, words in RULES:
            with self.subTest(file=file, place=place, words=words):
                result = self.system("lint", self.image(image), "--json", code=run.RESOLVE)
                document = json.loads(result.stdout)
                self.assertEqual([], SCHEMA.faults(document, "system_lint"))
                found = document["platforms"][0]["violations"]
                hits = [item for item in found if item["file"] == file and words in item["text"] and
                        (place or "") in item.get("place", "")]
                self.assertTrue(hits, found)
                self.assertLessEqual(len(found), 2, found)
                self.assertNotIn("Traceback", result.stderr)

    def test_each_kind_of_line_of_tmpfiles_is_judged(self):
        for line, words in LINES:
            with self.subTest(line=line):
                result = self.system("lint", self.image(tmpfiles(line)), code=run.RESOLVE)
                self.assertIn(words, result.stdout)
                self.assertIn("/exports/tmpfiles.template: line 2", result.stdout)
        image = tmpfiles(GOOD_LINES)
        image.files["config.json.template"] = config_with(["mounts", 1, "source"], "/var/lib/made").files["config.json.template"]
        self.system("lint", self.image(image))

    def test_a_mount_of_what_a_renamed_file_for_the_host_makes_is_good(self):
        image = config_with(["mounts", 1, "source"], "${CONF_DIRECTORY}/${NAME}/x")
        image.hostfs = [base_image.file("exports/hostfs/etc/greet/x", "")]
        image.files["manifest.json"] = {**system_image.MANIFEST, "renameFiles": {"/etc/greet": "$CONF_DIRECTORY/$NAME"}}
        self.system("lint", self.image(image))

    @unittest.skipUnless(shutil.which("systemd-tmpfiles"), "systemd-tmpfiles is the judge")
    def test_systemd_takes_the_lines_that_lint_takes(self):
        root = self.path("root")
        os.makedirs(root)
        text = "".join(line + "\n" for line in GOOD_LINES.replace("${NAME}", "name").splitlines()
                       if line[0] not in "cbaAtThH")  # those need more than a folder
        result = subprocess.run(["systemd-tmpfiles", "--create", "--root", root, self.write("good.conf", text)],
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        self.assertNotRegex(result.stdout, r"good\.conf:\d+: (Unknown|Invalid|Failed to parse|Bad)")

    def test_a_folder_of_templates_is_judged_but_for_what_only_an_image_has(self):
        folder = self.path("templates")
        os.makedirs(folder)
        for name, data in Image().files.items():
            self.write("templates/" + name, data if isinstance(data, str) else json.dumps(data))
        self.assertIn("note", self.system("lint", folder).stdout)
        os.remove(os.path.join(folder, "service.template"))
        self.assertIn("service.template: is missing", self.system("lint", folder, code=run.RESOLVE).stdout)

    def test_all_platforms_of_an_index_are_judged(self):
        image = Image(architectures=("amd64", "arm64"))
        image.labels["architecture"] = "x86_64"
        result = self.system("lint", self.image(image), code=run.RESOLVE)
        self.assertIn("linux/arm64: not good", result.stdout.replace("/v8", ""))
        self.assertIn("linux/amd64: good", result.stdout)
        self.system("lint", self.path("image1"), "--arch", "x86_64")

    def test_bombs_end_in_bounded_time(self):
        bombs = [altered(**{"config.json.template": "[" * 500000}),
                 altered(**{"service.template": "$A" * 400000}),
                 altered(**{"service.template": "".join(f"$A{i}\n" for i in range(90000))}),
                 altered(**{"tmpfiles.template": "d /x/y\n" * 140000}),
                 manifest(defaultValues={f"A{i}": "" for i in range(60000)}),
                 config_with(["mounts"], [{"destination": "/x", "type": "bind", "source": "/y"}] * 9000)]
        for image in bombs:
            begun = resource.getrusage(resource.RUSAGE_CHILDREN)
            self.system("lint", self.image(image), code=run.RESOLVE)
            now = resource.getrusage(resource.RUSAGE_CHILDREN)  # the processor's time: whatever else this machine does
            self.assertLess(now.ru_utime + now.ru_stime - begun.ru_utime - begun.ru_stime, 10)
        big = altered(**{"service.template": b" " * ((1 << 20) + 1)})
        self.assertIn("MiB", self.system("lint", self.image(big), code=run.MALFORMED).stderr)


class Install(SystemCase):
    def test_install_writes_all_and_list_tells_it(self):
        result = self.install(None, "--set", 'RECEIVER=a "b" \\c')
        self.assertEqual("greeter.0", self.host.version("greeter"))
        self.assertEqual('a "b" \\c', self.host.env("greeter")["RECEIVER"])
        self.assertEqual("greeter", self.host.env("greeter")["NAME"])
        self.assertEqual("/var/lib/greeter", self.host.config("greeter")["mounts"][1]["source"])
        self.assertIn("WorkingDirectory=/var/lib/containers/atomic/greeter.0\n", self.host.unit("greeter"))
        self.assertRegex(self.host.unit("greeter"), r"ExecStart=/usr/bin/runc( --systemd-cgroup)? run 'greeter'\n")
        self.assertEqual(f"d /var/lib/greeter 0700 {os.geteuid()} {os.getegid()} - -\n",
                         self.host.read("etc/tmpfiles.d/greeter.conf"))
        self.assertEqual(elf.hello(system_image.host_architecture(), "hello\n"), self.host.whole("greeter.0"))
        info = self.host.info("greeter")
        self.assertEqual(self.last.children[0], info["revision"])
        self.assertEqual(info["revision"], info["values"]["IMAGE_ID"])
        self.assertRegex(info["values"]["UUID"], r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
        listed = self.listed()
        self.assertEqual((info["revision"], False, {"RECEIVER": 'a "b" \\c'}),
                         (listed["digest"], listed["rollback"], listed["set"]))
        self.assertIn("greeter", self.system("list").stdout)
        self.assertIn("installed", result.stdout)

    def test_owners_modes_and_times_are_those_of_the_image(self):
        if os.geteuid() != 0:
            self.skipTest("owners need root")
        image = Image()
        image.more = [base_image.file("usr/bin/setuid", "x", 0o4755, 3, 4), base_image.link("usr/bin/link", "/etc/passwd"),
                      base_image.hard("usr/bin/hard", "usr/bin/run.sh")]
        self.install(image)
        root = self.host.path(f"{ATOMIC}/greeter/rootfs")
        status = os.stat(root + "/usr/bin/setuid")
        self.assertEqual((0o104755, 3, 4, 1600000000), (status.st_mode, status.st_uid, status.st_gid, status.st_mtime))
        self.assertEqual((0o40700, 5, 6), (os.stat(root + "/srv").st_mode, os.stat(root + "/srv").st_uid,
                                          os.stat(root + "/srv").st_gid))
        self.assertEqual("/etc/passwd", os.readlink(root + "/usr/bin/link"))
        self.assertEqual(os.stat(root + "/usr/bin/run.sh").st_ino, os.stat(root + "/usr/bin/hard").st_ino)
        self.assertEqual(0o40700, os.stat(self.host.path(f"{ATOMIC}/greeter.0")).st_mode)

    def test_update_keeps_values_and_two_versions_and_rollback_goes_back(self):
        self.install(None, "--set", "RECEIVER=me")
        uuid = self.host.info("greeter")["values"]["UUID"]
        old = self.host.whole("greeter.0")
        new = Image("other\n")
        new.files["manifest.json"] = {"version": "1.0", "defaultValues": {"RECEIVER": "You", "MORE": "more"}}
        new.files["service.template"] += "# $MORE\n"
        self.system("update", "greeter", self.image(new))
        self.assertEqual("greeter.1", self.host.version("greeter"))
        self.assertEqual("me", self.host.env("greeter")["RECEIVER"])
        self.assertEqual(uuid, self.host.info("greeter")["values"]["UUID"])
        self.assertIn("# more", self.host.unit("greeter"))
        self.assertNotEqual(old, self.host.whole("greeter.1"))
        self.assertEqual(old, self.host.whole("greeter.0"))
        self.assertTrue(self.listed()["rollback"])
        self.system("rollback", "greeter")
        self.assertEqual("greeter.0", self.host.version("greeter"))
        self.assertNotIn("# more", self.host.unit("greeter"))
        self.assertIn("greeter.0\n", self.host.unit("greeter"))
        self.system("rollback", "greeter")
        self.assertEqual("greeter.1", self.host.version("greeter"))
        self.assertEqual([], self.host.litter())

    def test_update_takes_new_values_and_does_nothing_when_nothing_is_new(self):
        self.install()
        self.assertIn("already", self.system("update", "greeter").stdout)
        self.assertEqual("greeter.0", self.host.version("greeter"))
        self.system("update", "greeter", "--set", "RECEIVER=you")
        self.assertEqual("you", self.host.env("greeter")["RECEIVER"])
        self.assertIn("already", self.system("update", "greeter", "--set", "RECEIVER=you").stdout)
        self.system("update", "greeter", "--set", "RECEIVER=again")
        self.assertEqual("greeter.0", self.host.version("greeter"))

    def test_uninstall_leaves_nothing(self):
        self.install()
        self.system("update", "greeter", self.image(Image("other\n")))
        self.system("uninstall", "greeter")
        files = [path for path in self.host.files() if "greeter" in path]
        self.assertEqual([], files)
        self.assertIsNone(self.listed())
        self.assertIn("not installed", self.system("uninstall", "greeter", code=run.USAGE).stderr)

    def test_list_tells_a_damaged_container_and_lists_the_others(self):
        self.install()
        for name, info in (("cut", '{"image": "x'), ("empty", None)):
            self.system("install", self.image(), "--name", name)
            path = self.host.path(f"{ATOMIC}/{name}.0/info")
            os.unlink(path)
            if info:
                with open(path, "w", encoding="ascii") as stream:
                    stream.write(info)
        for words in ((), ("--json",)):
            result = self.system("list", *words, code=run.MALFORMED)
            self.assertRegex(result.stderr, r"cut: .*/cut\.0/info: is not what an installation writes\n(.*\n)*"
                                            r".*empty: .*/empty: what its link leads to has no file info\n(.*\n)*.*2 of 3 containers cannot")
            if words:
                document = json.loads(result.stdout)
                self.assertEqual([], SCHEMA.faults(document, "system_list"))
                self.assertEqual([("cut", "damaged"), ("empty", "damaged"), ("greeter", "unknown")],
                                 [(item["name"], item["state"]) for item in document["containers"]])
            else:
                self.assertRegex(result.stdout, r"(?m)^cut +- +damaged .*\nempty +- +damaged .*\ngreeter +1 +unknown ")
        self.system("update", "greeter", "--set", "RECEIVER=you")
        os.unlink(self.host.path(f"{ATOMIC}/cut.0/info"))
        self.system("list", code=run.LOCAL)

    def test_a_note_of_a_switch_that_cannot_be_read_is_no_switch_that_ended(self):
        self.install()
        os.symlink("elsewhere", self.host.path(f"{ATOMIC}/.greeter.switch"))
        os.mkdir(self.host.path(f"{ATOMIC}/.greeter.old"))
        self.assertIn(".greeter.switch is damaged", self.system("update", "greeter", code=run.LOCAL).stderr)
        self.assertTrue(self.host.has(f"{ATOMIC}/.greeter.old"))

    def test_host_files_are_renamed_filled_kept_when_changed_and_removed(self):
        image = Image()
        image.hostfs = [base_image.file("exports/hostfs/usr/local/bin/greet", "#!/bin/sh\n", 0o755),
                        base_image.file("exports/hostfs/etc/greet.conf", "who=$RECEIVER $$1\n"),
                        base_image.file("exports/hostfs/etc/plain.conf", "$RECEIVER\n"),
                        base_image.link("exports/hostfs/usr/local/bin/alias", "greet")]
        image.files["manifest.json"] = {**system_image.MANIFEST, "useLinks": True,
                                        "renameFiles": {"/etc/greet.conf": "$CONF_DIRECTORY/$NAME/greet.conf"},
                                        "installedFilesTemplate": ["/etc/greet.conf"]}
        self.install(image, "--set", "RECEIVER=me")
        self.assertEqual("who=me $1\n", self.host.read("etc/greeter/greet.conf"))
        self.assertEqual("$RECEIVER\n", self.host.read("etc/plain.conf"))
        self.assertEqual("greet", os.readlink(self.host.path("usr/local/bin/alias")))
        self.assertEqual(0o100755, os.stat(self.host.path("usr/local/bin/greet")).st_mode)
        with open(self.host.path("etc/plain.conf"), "w", encoding="utf-8") as stream:
            stream.write("mine\n")
        result = self.system("update", "greeter", "--set", "RECEIVER=you")
        self.assertIn("was changed", result.stderr)
        self.assertEqual("who=you $1\n", self.host.read("etc/greeter/greet.conf"))
        self.assertEqual("mine\n", self.host.read("etc/plain.conf"))
        self.system("rollback", "greeter")
        self.assertEqual("who=me $1\n", self.host.read("etc/greeter/greet.conf"))
        self.system("uninstall", "greeter")
        self.assertFalse(self.host.has("etc/greeter"))
        self.assertFalse(self.host.has("usr/local/bin/greet"))
        self.assertEqual("mine\n", self.host.read("etc/plain.conf"))

    def test_a_file_of_somebody_elses_stays(self):
        os.makedirs(self.host.path("etc"))
        self.write("host/etc/plain.conf", "theirs\n")
        image = Image()
        image.hostfs = [base_image.file("exports/hostfs/etc/plain.conf", "ours\n")]
        self.assertIn("/etc/plain.conf", self.install(image).stderr)
        self.system("uninstall", "greeter")
        self.assertEqual("theirs\n", self.host.read("etc/plain.conf"))

    def test_a_unit_of_that_name_that_is_not_ours_is_refused(self):
        unit = "host/etc/systemd/system/greeter.service"
        self.write(unit, "[Service]\n")
        self.assertIn("greeter.service", self.install(code=run.USAGE).stderr)
        self.assertFalse(self.host.has(f"{ATOMIC}/greeter"))
        self.assertEqual("[Service]\n", self.host.unit("greeter"))
        os.remove(self.path(unit))
        self.install()
        self.write(unit, self.host.unit("greeter") + "# mine\n")
        for words in (["update", "greeter", self.image(Image("o\n"))], ["rollback", "greeter"], ["uninstall", "greeter"]):
            self.assertIn("drop-in", self.system(*words, code=run.USAGE).stderr)

    def test_a_service_of_the_host_keeps_its_name(self):
        for path in ("usr/lib/systemd/system/greeter.service", "run/systemd/system/greeter.service", "etc/init.d/greeter",
                     "usr/local/lib/systemd/system/greeter.service", "etc/containers/systemd/greeter.container",
                     "usr/lib/tmpfiles.d/greeter.conf", "run/systemd/generator/greeter.service"):
            os.makedirs(os.path.dirname(self.host.path(path)), exist_ok=True)
            self.write("host/" + path, "")
            with self.subTest(path=path):
                self.assertIn(path, self.install(code=run.USAGE).stderr)
                self.assertFalse(self.host.has(f"{ATOMIC}/greeter"))
            os.remove(self.host.path(path))
        self.install()
        self.write("host/usr/lib/systemd/system/greeter.service", "")  # a package that came later stops no update
        self.system("update", "greeter", "--set", "RECEIVER=me")

    def test_a_runtime_that_went_is_replaced_by_an_update(self):
        os.makedirs(self.host.path("usr/bin"))
        self.write("host/usr/bin/runc", "")
        self.assertEqual("", self.install().stderr)
        self.assertIn("already", self.system("update", "greeter").stdout)
        os.rename(self.host.path("usr/bin/runc"), self.host.path("usr/bin/crun"))
        self.system("update", "greeter")
        self.assertRegex(self.host.unit("greeter"), r"ExecStart=/usr/bin/crun ")
        self.system("update", "greeter", "--runtime", "/usr/bin/other", "--set", "RECEIVER=x")
        self.assertRegex(self.host.unit("greeter"), r"ExecStart=/usr/bin/other ")

    def test_names_and_values_that_cannot_be(self):
        image = self.image()
        for name in ("", "a/b", "..", ".x", "-x", "x.0", "a b", "x" * 101, "dbus.socket", "x.service"):
            self.system("install", image, "--name", name, code=run.USAGE)
        for value, words in (("NAME=x", "gives"), ("RECEIVE=x", "RECEIVER"), ("RECEIVER", "NAME=VALUE"),
                             ("RECEIVER=a\nb", "one line"), ("1=2", "NAME=VALUE")):
            result = self.system("install", image, "--name", "greeter", "--set", value, code=run.USAGE)
            self.assertIn(words, result.stderr)
        self.install()
        self.assertIn("update", self.install(code=run.USAGE).stderr)
        self.assertEqual(run.USAGE, self.factory.run("system", "instal", image).code)
        self.assertFalse(self.host.litter())

    def test_a_variable_without_a_value_is_asked_for(self):
        image = Image()
        image.files["service.template"] += "# $TOKEN\n"
        self.assertIn("--set TOKEN=", self.install(image, code=run.USAGE).stderr)
        self.install(image, "--set", "TOKEN=t")
        self.assertIn("# t", self.host.unit("greeter"))

    def test_variables_of_names_and_files_for_the_host_are_variables(self):
        image = host_template("$WORD\n", {"/etc/x.conf": "/etc/${PLACE}.conf"})
        document = json.loads(self.factory.run("inspect", "--json", self.image(image)).stdout)
        self.assertEqual({"PLACE": None, "WORD": None, "RECEIVER": "World"},
                         {item["name"]: item["default"] for item in document["platforms"][0]["exports"]["variables"]
                          if not item["given"]})
        self.assertIn("--set PLACE=", self.install(image, code=run.USAGE).stderr)
        self.install(image, "--set", "PLACE=here", "--set", "WORD=w")
        self.assertEqual("w\n", self.host.read("etc/here.conf"))

    def test_an_image_without_exports_gets_a_configuration_of_its_own(self):
        image = Image()
        image.files = {}
        image.part.update({"Env": ["A=b"], "User": "greet", "WorkingDir": "/srv"})
        self.install(image)
        config = self.host.config("greeter")
        self.assertEqual((["/usr/bin/run.sh"], {"uid": 7, "gid": 8}, "/srv", False),
                         tuple(config["process"][key] for key in ("args", "user", "cwd", "terminal")))
        self.assertIn("A=b", config["process"]["env"])
        self.assertTrue(config["root"]["readonly"])
        self.assertIn("WorkingDirectory=", self.host.unit("greeter"))

    def test_a_tree_that_is_there_is_run_where_it_is(self):
        tree = self.path("tree")
        os.makedirs(tree + "/usr/bin")
        for name, data in Image().files.items():
            self.write("tree/exports/" + name, data if isinstance(data, str) else json.dumps(data))
        self.system("install", "--rootfs", tree, "--name", "greeter", "--set", "RECEIVER=me")
        self.assertEqual(tree, self.host.config("greeter")["root"]["path"])
        self.assertEqual(tree, os.readlink(self.host.path(f"{ATOMIC}/greeter.0/rootfs")))
        self.system("update", "greeter", "--set", "RECEIVER=you")
        self.assertEqual(("you", tree), (self.host.env("greeter")["RECEIVER"], self.host.config("greeter")["root"]["path"]))
        self.system("uninstall", "greeter")
        self.assertTrue(os.path.isdir(tree + "/usr/bin"))

    def test_only_files_for_the_host(self):
        image = manifest(noContainerService=True)
        image.hostfs = [base_image.file("exports/hostfs/usr/bin/tool", "tool")]
        self.install(image)
        self.assertFalse(self.host.has("etc/systemd/system/greeter.service"))
        self.assertFalse(self.host.has(f"{ATOMIC}/greeter/rootfs"))
        self.assertEqual(("tool", "no service"), (self.host.read("usr/bin/tool"), self.listed()["state"]))
        self.system("uninstall", "greeter")
        self.assertFalse(self.host.has("usr/bin/tool"))

    def test_the_architecture_is_this_machines_or_the_one_asked_for(self):
        other = "arm64" if system_image.host_architecture() == "amd64" else "amd64"
        layout = self.image(Image(architectures=(other,)))
        result = self.system("install", layout, "--name", "greeter", code=run.RESOLVE)
        self.assertIn(other, result.stderr)
        self.assertFalse(self.host.has(f"{ATOMIC}/greeter"))
        self.system("install", layout, "--name", "greeter", "--arch", other)
        self.assertEqual(elf.hello(other, "hello\n"), self.host.whole("greeter.0"))

    def test_archives_are_images_too(self):
        layout = self.image()
        archive = self.path("image.tar")
        subprocess.run(["tar", "-C", layout, "-cf", archive, "."], check=True)
        self.system("install", "oci-archive:" + archive, "--name", "greeter")
        self.assertEqual("greeter.0", self.host.version("greeter"))
        self.assertIn("already", self.system("update", "greeter").stdout)

    @unittest.skipUnless(shutil.which("skopeo"), "skopeo makes the archive")
    def test_a_docker_archive_is_an_image_too(self):
        layout, archive = self.image(), self.path("image.tar")
        subprocess.run(["skopeo", "copy", "-q", f"oci:{layout}:latest", f"docker-archive:{archive}:greeter:1"], check=True)
        self.assertEqual("", self.system("lint", "docker-archive:" + archive, "--quiet").stdout)
        self.system("install", "docker-archive:" + archive, "--name", "greeter")
        self.assertEqual(elf.hello(system_image.host_architecture(), "hello\n"), self.host.whole("greeter.0"))
        self.assertIn("already", self.system("update", "greeter").stdout)
        os.remove(archive)
        layout = self.image(Image("other\n"))
        subprocess.run(["skopeo", "copy", "-q", f"oci:{layout}:latest", f"docker-archive:{archive}:greeter:2"], check=True)
        self.system("update", "greeter")
        self.assertEqual(elf.hello(system_image.host_architecture(), "other\n"), self.host.whole("greeter.1"))

    @unittest.skipUnless(shutil.which("docker-registry"), "the registry is Debian's")
    def test_an_image_of_a_registry_is_updated_to_what_its_tag_has_by_then(self):
        server = registry.Registry(self.top)
        server.start()
        self.addCleanup(server.stop)
        image = f"{server.host}/greeter:latest"
        plain = ("--tls-verify=false",)
        for number, text in enumerate(("hello\n", "other\n")):
            self.assertEqual(run.OK, self.factory.run("push", *plain, self.image(Image(text)), image).code)
            if number == 0:
                self.system("lint", image, *plain)
                self.system("install", image, "--name", "greeter", *plain)
                self.assertIn("already", self.system("update", "greeter", *plain).stdout)
            else:
                self.system("update", "greeter", *plain)
            self.assertEqual(elf.hello(system_image.host_architecture(), text), self.host.whole(f"greeter.{number}"))
            self.assertEqual(self.last.children[0], self.listed()["digest"])
        self.assertEqual(image, self.listed()["image"])
        exports = json.loads(self.factory.run("inspect", "--json", *plain, image).stdout)["platforms"][0]["exports"]
        self.assertIn("/exports/service.template", exports["files"])
        server.stop()
        before = self.host.files()
        self.system("update", "greeter", *plain, code=run.NETWORK)
        self.assertEqual(before, self.host.files())

    @unittest.skipUnless(shutil.which("docker-registry"), "the registry is Debian's")
    def test_an_image_of_a_registry_is_signed_as_the_machines_policy_wants(self):
        server = registry.Registry(self.top)
        server.start()
        self.addCleanup(server.stop)
        image, plain = f"{server.host}/greeter:1", ("--tls-verify=false",)
        env = {"HOME": self.path("home"), "IMGFACTORY_KEY_PASSPHRASE": "kit"}
        key = self.path("ours.key")
        subprocess.run([run.program(), "key", "generate", key], check=True, stderr=subprocess.DEVNULL, env=run.Factory.environment(env))
        rule = {"type": "sigstoreSigned", "keyPath": key.replace(".key", ".pub")}
        policy = {"default": [{"type": "insecureAcceptAnything"}], "transports": {"docker": {server.host: [rule]}}}
        self.write("home/.config/containers/policy.json", json.dumps(policy))
        folder = self.image()
        self.assertEqual(run.OK, self.factory.run("push", *plain, folder, image).code)
        for words in (("lint", image), ("install", image, "--name", "greeter")):
            refused = self.system(*words, *plain, code=run.TRUST, env=env)
            for part in ("it is not signed", "policy.json", "--no-policy"):
                self.assertIn(part, refused.stderr)
        self.assertIsNone(self.listed())
        self.system("install", image, "--name", "greeter", "--no-policy", *plain, env=env)
        self.assertEqual(run.OK, self.factory.run("push", *plain, "--sign", key, folder, image, env=env).code)
        self.system("lint", image, *plain, env=env)
        self.system("update", "greeter", *plain, env=env)
        newer = self.image(Image("other\n"))
        self.assertEqual(run.OK, self.factory.run("push", *plain, newer, image).code)
        before = self.host.files()
        self.assertIn("it is not signed", self.system("update", "greeter", *plain, code=run.TRUST, env=env).stderr)
        self.assertIn("it is not signed", self.system("update", "greeter", "--key", key.replace(".key", ".pub"), *plain, code=run.TRUST).stderr)
        self.assertEqual(before, self.host.files())
        self.system("list", "--no-policy", code=run.USAGE)
        for words in (("install", folder, "--name", "other"), ("lint", folder), ("install", "--rootfs", "/srv", "--name", "other")):
            refused = self.system(*words, "--key", key.replace(".key", ".pub"), code=run.USAGE)
            self.assertIn("verify nothing of it", refused.stderr)

    def test_two_installations_at_once_wait_for_each_other(self):
        image = self.image()
        runs = [subprocess.Popen(self.factory.command("system", "install", image, "--name", f"n{i}", "--host-root",
                                                      self.host.root), stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL) for i in (0, 1, 2, 0)]
        codes = sorted(child.wait() for child in runs)
        self.assertEqual([0, 0, 0, run.USAGE], codes)
        self.assertEqual({"n0", "n1", "n2"}, {item["name"] for item in
                                             json.loads(self.system("list", "--json").stdout)["containers"]})

    def test_inspect_tells_of_exports(self):
        result = self.factory.run("inspect", self.image())
        self.assertRegex(result.stdout, r"variable +RECEIVER=World")
        self.assertRegex(result.stdout, r"variable +NAME \(forced")
        document = json.loads(self.factory.run("inspect", "--json", self.path("image1")).stdout)
        self.assertEqual([], SCHEMA.faults(document, "inspect"))
        exports = document["platforms"][0]["exports"]
        self.assertIn("/exports/manifest.json", exports["files"])
        self.assertEqual([("World", True)], [(item["default"], item["set"]) for item in exports["variables"]
                                             if item["name"] == "RECEIVER"])


class Hostile(SystemCase):
    def refuse(self, image, words, code=run.MALFORMED):
        result = self.install(image, code=code)
        self.assertIn(words, result.stderr)
        self.assertEqual([], [path for path in self.host.files() if "greeter" in path])
        self.assertEqual([], os.listdir(self.outside))

    def setUp(self):
        super().setUp()
        self.outside = self.path("outside")
        os.makedirs(self.outside)

    def test_entries_that_lead_out_are_refused(self):
        for entry in (base_image.file("../outside/x", "x"), base_image.file("usr/../../x", "x"),
                      ("dev/null", "char", None, 0o666, 0, 0), ("srv/pipe", "fifo", None, 0o644, 0, 0)):
            image = Image()
            image.more = [entry]
            with self.subTest(entry=entry[0]):
                self.refuse(image, entry[0].split("/")[-1])

    def test_links_of_the_image_lead_nowhere_on_the_host(self):
        image = Image()
        image.more = [base_image.link("etc/out", self.outside), base_image.link("up", "../../../../../..")]
        self.install(image)
        self.assertEqual([], os.listdir(self.outside))
        image = Image()
        image.more = [base_image.link("a", self.outside), base_image.file("a/x", "x")]
        image.files["manifest.json"] = system_image.MANIFEST
        self.system("install", self.image(image), "--name", "other")  # where it leads within the image
        self.assertEqual([], os.listdir(self.outside))
        self.assertEqual("x", self.host.read(f"{ATOMIC}/other/rootfs{self.outside}/x"))

    def test_links_of_the_host_stay_below_its_root(self):
        os.makedirs(self.host.path("etc"))
        os.symlink("../" * 20 + self.outside.lstrip("/"), self.host.path("etc/away"))
        os.symlink(self.outside, self.host.path("etc/tmpfiles.d"))
        image = Image()
        image.hostfs = [base_image.file("exports/hostfs/etc/away/file", "x")]
        result = self.factory.run("system", "install", self.image(image), "--name", "greeter", "--host-root", self.host.root)
        self.assertEqual([], os.listdir(self.outside), result)
        if result.code == 0:  # the same paths, below the root
            self.assertEqual("x", self.host.read(self.outside + "/file"))

    def test_files_for_the_host_that_no_host_wants_are_refused(self):
        for entry, words in ((base_image.file("exports/hostfs/usr/bin/su", "x", 0o4755), "setuid"),
                             (("exports/hostfs/dev0", "char", None, 0o666, 0, 0), "device"),
                             (base_image.file("exports/hostfs/proc/sys/x", "x"), "/proc/sys/x"),
                             (base_image.file("exports/hostfs/var/lib/containers/atomic/other/info", "x"), "none is put")):
            image = Image()
            image.hostfs = [entry]
            with self.subTest(entry=entry[0]):
                self.refuse(image, words)

    def test_names_that_lead_out_are_refused(self):
        for place in ("/../../x", "$RECEIVER", "relative"):
            image = manifest(renameFiles={"/etc/x": place}, defaultValues={"RECEIVER": "/../../../outside/x"})
            image.hostfs = [base_image.file("exports/hostfs/etc/x", "x")]
            with self.subTest(place=place):
                self.refuse(image, "..")

    def test_templates_that_cannot_be_filled_are_refused(self):
        self.refuse(altered(**{"service.template": system_image.SERVICE + "$"}), "$$")
        self.refuse(altered(**{"config.json.template": "{}"}), "/root/path")
        self.refuse(altered(**{"config.json.template": "[" * 100000}), "no JSON")
        self.refuse(config_with(["root", "path"], "/"), "/root/path")
        self.refuse(config_with(["root", "readonly"], False), "/root/readonly")
        self.refuse(altered(**{"tmpfiles.template": "$RECEIVER", "manifest.json": {
            "version": "1.0", "defaultValues": {"RECEIVER": "a\nd /etc 0777"}}}), "one line")
        self.refuse(altered(**{"service.template": "# $RECEIVER" * 50000, "manifest.json": {
            "version": "1.0", "defaultValues": {"RECEIVER": "x" * 1000}}}), "MiB")
        self.refuse(altered(**{"service.template": "x" * (2 << 20)}), "MiB")


    def peak(self, *words):
        """Exit status and peak of memory, in MiB, of a call."""
        code = ("import resource, subprocess, sys\nresult = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, "
                "stderr=subprocess.DEVNULL, check=False)\n"
                "print(result.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)\n")
        command = self.factory.command("system", *words, "--host-root", self.host.root, "--jobs", "1")
        out = subprocess.run(["python3", "-c", code, *command], stdout=subprocess.PIPE, text=True, timeout=900, check=True).stdout
        return tuple(int(word) for word in out.split())

    def test_bombs_are_installed_or_refused_in_bounded_memory(self):
        deep = "[" * 1500 + "1," * 200000 + "1" + "]" * 1500
        config = json.dumps(system_image.config(annotations="@")).replace('"@"', deep)
        many = manifest(renameFiles={"/a": "/b"})
        many.hostfs = [base_image.file("exports/hostfs/" + "/".join([f"{i}"] + ["abcdefghijklmn"] * 240) + "/x", "x") for i in range(40)]
        for image in (altered(**{"config.json.template": config}), many):
            code, mebibytes = self.peak("install", self.image(image), "--name", "greeter")
            self.assertIn(code, (run.OK, run.MALFORMED))
            self.assertLess(mebibytes, 400 if not run.sanitizer() else 4000)
            if code == run.OK:
                self.system("uninstall", "greeter")

    def test_an_update_that_fails_leaves_the_folders_of_the_version_that_holds(self):
        image = Image()
        image.hostfs = [base_image.folder("exports/hostfs/etc/empty")]
        self.install(image)
        image.hostfs = [base_image.folder("exports/hostfs/etc/empty"), base_image.folder("exports/hostfs/etc/more"),
                        base_image.file("exports/hostfs/etc/tmpfiles.d/x/y", "")]
        shutil.rmtree(self.host.path("etc/tmpfiles.d"))
        self.write("host/etc/tmpfiles.d", "a file where a folder should be")
        self.system("update", "greeter", self.image(image), code=run.LOCAL)
        self.assertEqual((True, False), (self.host.has("etc/empty"), self.host.has("etc/more")))

    def test_a_file_in_the_place_of_a_folder_stops_no_switch(self):
        image = Image()
        image.hostfs = [base_image.folder("exports/hostfs/etc/thing"), base_image.file("exports/hostfs/etc/other", "old")]
        self.install(image)
        image = Image("new\n")
        image.hostfs = [base_image.file("exports/hostfs/etc/thing", "x"), base_image.file("exports/hostfs/etc/other", "new")]
        result = self.system("update", "greeter", self.image(image))
        self.assertIn("/etc/thing", result.stderr)
        self.assertEqual(("greeter.1", "new"), (self.host.version("greeter"), self.host.read("etc/other")))
        self.system("rollback", "greeter")
        self.system("uninstall", "greeter")
        self.assertEqual([], self.host.litter())

    def test_more_files_than_can_be_remembered_are_refused(self):
        image = Image()
        folder = "exports/hostfs/" + "/".join(["n" * 240] * 14)
        image.hostfs = [base_image.file(f"{folder}/{i}", "x") for i in range(2500)]
        self.refuse(image, "files for the host")

    def test_names_that_are_no_text_are_refused(self):
        odd = os.fsdecode(b"caf\xe9")
        for entry in (base_image.file(f"exports/hostfs/etc/{odd}", "x"), base_image.link("exports/hostfs/etc/link", odd)):
            image = Image()
            image.hostfs = [entry, base_image.file("exports/hostfs/etc/later", "later")]
            with self.subTest(entry=entry[1]):
                self.refuse(image, "UTF-8")
        layout = self.image(name=odd)
        for words in ((layout,), (self.image(), "--set", f"RECEIVER={odd}")):
            result = self.system("install", *words, "--name", "greeter", code=run.USAGE)
            self.assertIn("UTF-8", result.stderr)
        self.assertEqual([], json.loads(self.system("list", "--json").stdout)["containers"])

    def test_the_units_own_places_are_no_place_for_files(self):
        for changes, path in (({}, "etc/systemd/system/greeter.service"), ({"noContainerService": True}, "etc/systemd/system/greeter.service"),
                              ({}, "etc/tmpfiles.d/greeter.conf")):
            image = manifest(**changes)
            image.hostfs = [base_image.file("exports/hostfs/" + path, "[Service]\n")]
            with self.subTest(path=path, **changes):
                self.refuse(image, "--name")

    def test_what_lies_in_a_versions_place_and_is_none_stays(self):
        folder = self.host.path(f"{ATOMIC}/greeter.0")
        os.makedirs(folder)
        self.write(f"host/{ATOMIC}/greeter.0/mine", "mine")
        self.assertIn("greeter.0", self.install(code=run.USAGE).stderr)
        self.assertEqual("mine", self.host.read(f"{ATOMIC}/greeter.0/mine"))
        shutil.rmtree(folder)
        self.install()
        for name in (".greeter.new", ".greeter.old"):  # a killed run's, had they been folders
            os.symlink(self.outside, self.host.path(f"{ATOMIC}/{name}"))
            self.system("update", "greeter", "--set", f"RECEIVER={name}")
            self.assertEqual(([], []), (os.listdir(self.outside), self.host.litter()))
        other = self.host.path(f"{ATOMIC}/greeter.{1 - int(self.host.version('greeter')[-1])}")
        shutil.rmtree(other)
        os.symlink(self.outside, other)
        self.assertIn(other, self.system("update", "greeter", "--set", "RECEIVER=x", code=run.LOCAL).stderr)

    def test_a_version_that_leads_out_of_the_host_is_not_gone_back_to(self):
        for number in (0, 1):
            image = Image(f"version {number}\n")
            image.hostfs = [base_image.file("exports/hostfs/etc/greet", f"text {number}")]
            self.system(*(("update", "greeter", self.image(image)) if number else ("install", self.image(image), "--name", "greeter")))
        hostfs = self.host.path(f"{ATOMIC}/greeter.0/hostfs")
        shutil.move(hostfs, self.path("elsewhere"))
        os.symlink(self.path("elsewhere"), hostfs)
        self.system("rollback", "greeter", code=run.LOCAL)
        self.assertEqual(("text 1", "greeter.1"), (self.host.read("etc/greet"), self.host.version("greeter")))

    def test_a_tree_of_a_host_is_read_below_its_root(self):
        os.makedirs(self.host.path("srv"))
        for name, data in Image().files.items():
            os.makedirs(self.path("outside/exports"), exist_ok=True)
            self.write("outside/exports/" + name, data if isinstance(data, str) else json.dumps(data))
        os.symlink(self.outside, self.host.path("srv/tree"))
        self.system("install", "--rootfs", "/srv/tree", "--name", "greeter", "--set", "RECEIVER=x", code=run.LOCAL)


class Kills(SystemCase):
    CALLS = ("openat", "mkdirat", "renameat", "unlinkat", "symlinkat", "fsync", "write", "openat2", "fchmod")
    FAILING = ("mkdirat", "renameat", "symlinkat", "fsync", "write", "fchmod")

    def trace(self, words, *options):
        command = self.factory.command("system", *words, "--host-root", self.host.root, "--no-confine", "--jobs", "1")
        return subprocess.run(["strace", "-f", "-qq", *options, *command], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=900, check=False).returncode

    def counts(self, words):
        log = self.path("calls")
        self.trace(words, "-o", log, "-e", "trace=" + ",".join(self.CALLS))
        with open(log, encoding="utf-8", errors="replace") as stream:
            found = re.findall(r"^\d+ +(\w+)\(", stream.read(), re.M)
        return {call: found.count(call) for call in self.CALLS}

    def prepare(self, action):
        """A host before the action, made once for each and copied."""
        master = self.path("before-" + action)
        shutil.rmtree(self.host.root, ignore_errors=True)
        if os.path.isdir(master):
            subprocess.run(["cp", "-a", master, self.host.root], check=True)
            return
        self.host = Host(self.host.root)
        if action != "install":
            self.system("install", self.images[0], "--name", "greeter")
        if action in ("rollback", "uninstall"):
            self.system("update", "greeter", self.images[1])
        subprocess.run(["cp", "-a", self.host.root, master], check=True)

    def check(self, action, where):
        """Old or new: what the unit starts is whole, and so is what the link leads to."""
        olds, news = {"install": ({None}, {0}), "update": ({0}, {1}), "rollback": ({1}, {0}), "uninstall": ({1}, {None})}[action]
        host = self.host
        if host.has("etc/systemd/system/greeter.service"):
            version = re.search(r"WorkingDirectory=.*/(greeter\.[01])\n", host.unit("greeter")).group(1)
            if action != "uninstall":
                self.assertEqual(self.programs[int(version[-1])], host.whole(version), where)
        if host.has(f"{ATOMIC}/greeter") and action != "uninstall":
            version = host.version("greeter")
            self.assertEqual(self.programs[int(version[-1])], host.whole(version), where)
            self.assertIn(int(version[-1]), olds | news, where)
        # any further call ends what was begun
        self.system("uninstall", "second", code=run.USAGE)
        self.assertEqual([], host.litter(), where)
        now = int(host.version("greeter")[-1]) if host.has(f"{ATOMIC}/greeter") else None
        self.assertIn(now, olds | news, where)
        self.assertEqual(now is not None, host.has("etc/systemd/system/greeter.service"), where)
        if now is None:  # no folder that was made for it either
            self.assertEqual([], [path for path in host.files() if not f"{ATOMIC}/.lock/".startswith(path + "/")], where)
            return
        self.assertIn(f"greeter.{now}\n", host.unit("greeter"), where)
        self.assertEqual(self.programs[now], host.whole(f"greeter.{now}"), where)
        self.assertEqual(f"tool{now}", host.read("usr/bin/tool"), where)

    def begin(self):
        self.programs, self.images = [], []
        for number in (0, 1):
            image = Image(f"version {number}\n")
            image.hostfs = [base_image.file("exports/hostfs/usr/bin/tool", f"tool{number}", 0o755)]
            self.images.append(self.image(image))
            self.programs.append(elf.hello(system_image.host_architecture(), f"version {number}\n"))
        self.words = {"install": ["install", self.images[0], "--name", "greeter"],
                      "update": ["update", "greeter", self.images[1]], "rollback": ["rollback", "greeter"],
                      "uninstall": ["uninstall", "greeter"]}

    def points(self, option, calls, many):
        """Does each action with one call of it disturbed: some calls of the switch, and some of all."""
        need("strace")
        self.begin()
        generator = random.Random(7)
        for action, words in self.words.items():
            self.prepare(action)
            counts = self.counts(words)
            points = [(call, number) for call in calls for number in range(1, counts[call] + 1)]
            late = [(call, number) for call, number in points if number > counts[call] - 8 and
                    call in ("renameat", "unlinkat", "symlinkat", "fsync")]
            chosen = points if many >= 1000 else generator.sample(late, min(len(late), many // 2)) + \
                generator.sample(points, min(len(points), many // 2))
            for call, number in chosen:
                self.prepare(action)
                code = self.trace(words, "-o", "/dev/null", "-e", f"trace={call}",
                                  "-e", f"inject={call}:{option}:when={number}")
                yield action, code, (action, call, number, code)

    @unittest.skipIf(run.sanitizer(), "strace and sanitizers do not go together")
    def test_killed_at_any_call_it_is_old_or_new(self):
        for action, _, where in self.points("signal=SIGKILL", self.CALLS, KILLS):
            self.check(action, where)

    @unittest.skipIf(run.sanitizer(), "strace and sanitizers do not go together")
    def test_a_full_disk_at_any_call_is_old_or_new(self):
        for action, code, where in self.points("error=ENOSPC", self.FAILING, KILLS):
            self.assertIn(code, (run.OK, run.LOCAL), where)
            self.check(action, where)


@unittest.skipUnless(os.geteuid() == 0, "runtimes need root here")
class Runs(SystemCase):
    def start(self, runtime, name):
        """Starts the container as the unit does, and returns what it printed; the cgroups of this machine count."""
        folder = os.path.realpath(self.host.path(f"{ATOMIC}/{name}"))
        umount = "umount -l /sys/fs/cgroup/unified 2>/dev/null; " if runtime == "crun" else ""
        result = subprocess.run(["unshare", "-m", "sh", "-c", f"{umount}cd -P {folder} && exec {runtime} run test-{name}-{os.getpid()}"],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
        return result.stdout, result.stderr

    def test_runtimes_start_it_after_each_step(self):
        runtimes = [name for name in ("runc", "crun") if shutil.which(name)]
        if not runtimes:
            self.skipTest("neither runc nor crun is here")
        image = Image("first\n")
        image.files["config.json.template"]["mounts"][1:] = []
        image.part["Volumes"] = {}
        other = Image("second\n")
        other.files, other.part = image.files, image.part
        steps = ((["install", self.image(image), "--name", "greeter"], "first\n"),
                 (["update", "greeter", self.image(other)], "second\n"), (["rollback", "greeter"], "first\n"))
        for words, text in steps:
            self.system(*words)
            for runtime in runtimes:
                with self.subTest(step=words[0], runtime=runtime):
                    out, err = self.start(runtime, "greeter")
                    if "cgroup" in err and not out:
                        self.skipTest(f"{runtime} cannot use the cgroups of this machine: {err}")
                    self.assertEqual(text, out, err)


if __name__ == "__main__":
    unittest.main()
