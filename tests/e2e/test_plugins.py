# SPDX-License-Identifier: Apache-2.0
"""Plug-ins of a service that nobody wrote a manifest for: what the packages say of them decides which come, and with what."""

import json
import unittest

from base import Case, deb, run, world

CONFIGURATION = "LoadPlugin disk\n# LoadPlugin net\nrun /usr/share/plug/helper\n# run /usr/share/plug/idle\n" \
    "log = \"|rotate -l\"\ninclude /etc/far/away\n"


def packages(name):
    """A service whose configuration loads one plug-in of two; the library of each is only recommended. And packages that build
    on it: one that it recommends, one that it does not, one that is data."""
    machine = world.MACHINES[name]
    shared = lambda soname, needed=(): world.library(machine, soname, ["libc.so.6", *needed])
    plugin = lambda stem, needed=(): deb.File(f"/usr/lib/plug/{stem}.so", shared(f"{stem}.so", needed))
    make = lambda package, files, **fields: deb.Package(package, files, arch=name, **{"Depends": "libc6", **fields})
    main = world.executable(machine, ["libc.so.6"], payload=b"\0/usr/lib/plug\0")
    return [
        make("plugd", [deb.program("/usr/sbin/plugd", main), deb.File("/etc/plugd.conf", CONFIGURATION),
                       plugin("disk", ["libfar.so.1"]), plugin("net", ["libnear.so.1"])], Source="plug", Depends="libc6, plug-tools, rotate",
             Recommends="plug-back (>= 1), libfar1, plug-words"),
        make("plug-tools", [deb.program("/usr/share/plug/helper", "#!/usr/bin/rare -w\n"),
                            deb.program("/usr/share/plug/idle", "#!/usr/bin/seldom\n")], Source="plug"),
        make("rare", [deb.program("/usr/bin/rare", world.executable(machine, ["libc.so.6"]))]),
        make("rotate", [deb.program("/usr/bin/rotate", world.executable(machine, ["libc.so.6"]))]),
        make("seldom", [deb.program("/usr/bin/seldom", world.executable(machine, ["libc.so.6"]))]),
        make("plug-back", [plugin("back"), deb.File("/etc/plug-back.conf", "x\n")], Source="plug", Depends="plugd, libc6"),
        make("plug-other", [plugin("other")], Source="plug", Depends="plugd, libc6"),
        make("a-far", [deb.File(machine.lib("libfar.so.1"), shared("libfar.so.1"))]),
        make("libfar1", [deb.File(machine.lib("libfar.so.1"), shared("libfar.so.1"))]),
        make("libnear1", [deb.File(machine.lib("libnear.so.1"), shared("libnear.so.1"))]),
        make("loned", [deb.program("/usr/sbin/loned", world.executable(machine, ["libc.so.6"], payload=b"\0/usr/lib/lone\0")),
                       deb.File("/etc/loned.conf", CONFIGURATION),
                       deb.File("/usr/lib/lone/disk.so", shared("disk.so", ["libnear.so.1"]))]),
    ]


UNIT = """[Service]
Environment=TEXT="see http://%H/" FIXED=fixed
EnvironmentFile=-/etc/default/helped
ExecStart=/usr/sbin/helped --text=${TEXT} --is=${FIXED} $OPTS --key ${KEY} --gone=${GONE}
"""


def helped(name):
    """A service that names commands of what it depends on, directly and not, and what its scripts and links say of it."""
    machine = world.MACHINES[name]
    program = lambda payload=b"": world.executable(machine, ["libc.so.6"], payload=payload)
    make = lambda package, files, **fields: deb.Package(package, files, arch=name, **{"Depends": "libc6", **fields})
    main = make("helped", [deb.program("/usr/sbin/helped", program(b"\0/usr/bin/mfour\0/usr/bin/deep\0/usr/bin/perl\0/bin/sh\0exec on %s: %s\0")),
                           deb.File("/lib/systemd/system/helped.service", UNIT), deb.File("/etc/helped.conf", "words = /usr/share/helped/words\n"),
                           deb.File("/etc/helped/words/english", "hello\n"), deb.link("/usr/share/helped/words", "/etc/helped/words"),
                           deb.File("/usr/share/helped/default", "OPTS=\"--inet 5\"\nKEY=\n")],
                Depends="libc6, mfour, perl")
    main.scripts["postinst"] = "#!/bin/sh\nset -e\nucf usr/share/helped/default /etc/default/helped\n"
    return [main, make("mfour", [deb.program("/usr/bin/mfour", program())], Depends="libc6, deep"),
            make("deep", [deb.program("/usr/bin/deep", program())]), make("perl", [deb.program("/usr/bin/perl", program())])]


def words():
    return deb.Package("plug-words", [deb.File("/usr/lib/plug/words", "x\n")], Source="plug", Depends="plugd")


class Plugins(Case):
    def setUp(self):
        super().setUp()
        self.ready(packages=world.packages() + [words()] + [package for name in ("amd64", "arm64") for package in packages(name) + helped(name)])

    def built(self, name, more=""):
        """{path: package} of what is in the image, which is the same for both architectures but for the places of libraries."""
        self.write_manifest(name, f"automatic: true\nbinaries: [/usr/sbin/{name}]\n{more}")
        result = self.run_factory("--json", "--arch", "all", name)
        self.assertEqual(result.code, run.OK, result)
        self.last = result
        files = []
        for order in json.loads(result.stdout)["images"][0]["architectures"]:
            files.append({file["path"].replace("/x86_64-", "/*-").replace("/aarch64-", "/*-"): file["package"]
                          for file in order["files"] if file.get("package") and "ld-linux" not in file["path"]})
            self.notes = "\n".join(order["notes"])
        self.assertEqual(files[0], files[1])
        return files[0]

    def test_a_plug_in_that_the_configuration_loads_has_its_library_which_the_service_may_recommend(self):
        files = self.built("plugd")
        self.assertEqual(files["/usr/lib/*-linux-gnu/libfar.so.1"], "libfar1")
        self.assertIn("/usr/lib/plug/disk.so", files)
        self.assertNotIn("/usr/lib/plug/net.so", files)
        self.assertNotIn("/usr/lib/*-linux-gnu/libnear.so.1", files)
        self.assertEqual(self.built("loned")["/usr/lib/*-linux-gnu/libnear.so.1"], "libnear1")

    def test_what_builds_on_the_service_and_is_recommended_by_it_comes_others_are_told(self):
        files = self.built("plugd")
        self.assertEqual(files["/usr/lib/plug/back.so"], "plug-back")
        self.assertIn("/etc/plug-back.conf", files)
        self.assertNotIn("/usr/lib/plug/other.so", files)
        self.assertNotIn("/usr/lib/plug/words", files)
        self.assertIn("not in the image: plug-other, plug-words; what", self.notes)

    def test_a_script_that_the_configuration_names_has_its_interpreter_though_nothing_depends_on_that(self):
        files = self.built("plugd")
        self.assertEqual(files["/usr/bin/rare"], "rare")
        self.assertIn("/usr/share/plug/helper", files)
        self.assertNotIn("/usr/bin/seldom", files)

    def test_a_program_that_the_configuration_pipes_to_comes_of_what_is_selected_and_what_is_not_there_is_told(self):
        self.assertEqual(self.built("plugd")["/usr/bin/rotate"], "rotate")
        self.assertIn("named, and not in the image unless you bring it: /etc/far/away (/etc/plugd.conf)", self.notes)
        self.assertNotIn("/usr/bin/rotate", self.built("loned"))
        self.assertIn("the program rotate (/etc/loned.conf), /etc/far/away (/etc/loned.conf)", self.notes)

    def test_a_command_that_the_program_names_comes_of_what_its_package_depends_on(self):
        files = self.built("helped")
        self.assertEqual(files["/usr/bin/mfour"], "mfour")
        self.assertNotIn("/usr/bin/deep", files)
        self.assertNotIn("/usr/bin/perl", files)
        self.assertNotIn("calls on", self.notes)

    def test_variables_of_a_unit_that_are_empty_or_not_to_be_known_are_told(self):
        self.built("helped")
        process = json.loads(self.last.stdout)["images"][0]["architectures"][0]["process"]
        self.assertEqual(process["entrypoint"] + process["cmd"],
                         ["/usr/sbin/helped", "--is=fixed", "--inet", "5", "--key", "", "--gone="])
        self.assertIn("helped.service: its command has ${KEY}, which is empty", self.notes)
        self.assertIn("helped.service: its command has ${GONE}, which is empty", self.notes)
        self.assertIn("its command's --text=${TEXT} is left out: only a running machine knows its value", self.notes)

    def test_a_link_on_the_way_to_a_directory_that_the_configuration_names_comes(self):
        self.assertLessEqual({"/usr/share/helped/words", "/etc/helped/words/english"}, set(self.built("helped")))

    def test_what_may_never_come_stays_out(self):
        never = "packages: {never: [plug-back, %s]}\n"
        files = self.built("plugd", never % "libfar1")
        self.assertNotIn("/usr/lib/plug/back.so", files)
        self.assertEqual(files["/usr/lib/*-linux-gnu/libfar.so.1"], "a-far")
        files = self.built("plugd", never % "libfar1, a-far")
        self.assertNotIn("/usr/lib/*-linux-gnu/libfar.so.1", files)
        self.assertIn("/usr/lib/plug/disk.so", self.notes)

    def test_without_the_part_nothing_is_added(self):
        self.write_manifest("plugd", "automatic: {packages: false}\nbinaries: [/usr/sbin/plugd]\n")
        self.build("plugd", "--arch", "x86_64", name="plugd")
        self.assertNotIn("plug-back", self.last.stdout + self.last.stderr)


if __name__ == "__main__":
    unittest.main()
