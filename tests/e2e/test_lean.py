# SPDX-License-Identifier: Apache-2.0
"""Only packages that give files are fetched, and the image is that of all packages."""

import unittest

from base import Case, Report, deb, run, world

AMD64 = world.MACHINES["amd64"]
FOUND = "name: served\nbinaries: [/usr/sbin/served]\n"
NAMED = FOUND + "packages:\n  first: [served]\n"


def library(name, path, depends="libc6", needed=("libc.so.6",), more=(), soname=None):
    """A package with one library, which is bigger than an index of a few lines."""
    data = world.library(AMD64, soname or path.split("/")[-1], list(needed))
    return deb.Package(name, arch="amd64", Section="libs", Depends=depends,
                       files=[deb.File(path, data + name.encode() * 50), *more])


def program(depends, needed, **settings):
    return deb.Package("served", arch="amd64", Section="net", Depends=depends, files=[
        deb.program(world.SERVED, world.executable(AMD64, [*needed, "libc.so.6"], **settings))])


class Lean(Case):
    def have(self, *packages, manifest=FOUND, **settings):
        """Publishes a distribution with these packages, and builds the image."""
        base = [world.base_files(AMD64), world.libc(AMD64), world.libgcc(AMD64)]
        self.ready(manifest=manifest, packages=[*base, *packages], architectures=("amd64",), **settings)
        return self.made()

    def made(self, *options):
        result = self.run_factory("--arch", "amd64", "--json", *options, "served")
        self.assertEqual(result.code, run.OK, result)
        order = Report(result.stdout).order("served", "x86_64")
        self.order = order
        return order["layers"][0]["diff_id"], {file["path"]: file["package"] for file in order["files"]}

    def fetched(self):
        """Names of the packages that were fetched."""
        return {path.split("/")[-1].split("_")[0] for path in self.server.requests if path.endswith(".deb")}

    def again_with_all(self, manifest=NAMED):
        """The same without an index of paths: of the selection all likely packages are opened."""
        self.repository.publish(self.key, contents=False, date=-30)
        self.write_manifest(text=manifest)
        return self.made("--rebuild")

    def assert_same_as_with_all(self, lean):
        self.assertEqual(lean, self.again_with_all())

    def test_a_library_that_nothing_needs_is_not_fetched(self):
        lean = self.have(program("libfoo1, libidle1, libc6", ["libfoo.so.1"]), world.libfoo(AMD64), world.libbar(AMD64),
                         library("libidle1", AMD64.lib("libidle.so.1")))
        self.assertEqual(self.fetched(), {"served", "libc6", "libgcc-s1", "libfoo1", "libbar2", "base-files"})
        self.assertEqual({package["name"]: package["gave_files"] for package in self.order["selection"]},
                         {"served": True, "libc6": True, "libgcc-s1": True, "libfoo1": True, "libbar2": True,
                          "libidle1": False, "base-files": True})
        self.assert_same_as_with_all(lean)
        self.assertIn("libidle1", self.fetched())

    def test_of_two_libraries_of_a_name_that_of_the_earlier_directory_is_taken(self):
        """/usr/lib/x86_64-linux-gnu comes before /usr/lib; its package is needed by nothing else."""
        lean = self.have(program("libtwin1, libtwin-late1, libc6", ["libtwin.so.1"]),
                         library("libtwin1", AMD64.lib("libtwin.so.1")),
                         library("libtwin-late1", "/usr/lib/libtwin.so.1"))
        self.assertEqual(lean[1][AMD64.lib("libtwin.so.1")], "libtwin1")
        self.assert_same_as_with_all(lean)

    def test_a_library_in_a_directory_that_only_a_closed_package_links_is_found(self):
        lean = self.have(program("libdeep1, liblink1, libplain1, libc6", ["libdeep.so.1"], runpath="/usr/lib/by-link"),
                         library("libdeep1", "/usr/lib/deep/libdeep.so.1"),
                         library("libplain1", "/usr/lib/libdeep.so.1"),
                         library("liblink1", AMD64.lib("libnone.so.1"), more=[deb.link("/usr/lib/by-link", "deep")]))
        self.assertEqual(lean[1]["/usr/lib/deep/libdeep.so.1"], "libdeep1")
        self.assertNotIn("/usr/lib/libdeep.so.1", lean[1])
        self.assert_same_as_with_all(lean)

    def test_what_a_closed_package_configures_for_the_loader_counts(self):
        conf = [deb.File("/etc/ld.so.conf.d/far.conf", "/opt/far\n")]
        lean = self.have(program("libfar1, libfarconf1, libnear1, libc6", ["libfar.so.1"]),
                         deb.Package("libsetup1", arch="amd64", Section="libs",
                                     files=[deb.File("/etc/ld.so.conf", "include /etc/ld.so.conf.d/*.conf\n")]),
                         library("libnear1", "/usr/lib/libfar.so.1", depends="libsetup1"),
                         library("libfar1", "/opt/far/libfar.so.1"),
                         library("libfarconf1", AMD64.lib("libnone.so.1"), more=conf))
        self.assert_same_as_with_all(lean)

    def test_an_alternative_that_a_closed_package_registers_better_counts(self):
        def registering(name, priority):
            path = AMD64.lib(f"{name}/libalt.so.1")
            package = library(name, path, soname="libalt.so.1", more=[deb.File(
                AMD64.lib(f"{name}/libown-{name}.so.1"), world.library(AMD64, f"libown-{name}.so.1", ["libc.so.6"]))])
            package.scripts = {"postinst": f"#!/bin/sh\nupdate-alternatives --install {AMD64.lib('libalt.so.1')} "
                                           f"libalt.so.1 {path} {priority}\n"}
            return package
        low, high = registering("liblow1", 1), registering("libhigh1", 9)
        lean = self.have(program("liblow1, libhigh1, libc6", ["libalt.so.1"]), low, high)
        self.assertEqual(lean[1].get(AMD64.lib("libhigh1/libalt.so.1")), "libhigh1")
        self.assert_same_as_with_all(lean)

    def test_an_index_that_lies_costs_packages_and_no_file(self):
        lean = self.have(program("libfoo1, libidle1, libc6", ["libfoo.so.1"]), world.libfoo(AMD64), world.libbar(AMD64),
                         library("libidle1", AMD64.lib("libidle.so.1")))
        honest = self.repository._contents  # pylint: disable=protected-access
        for old, new in ((b"misc/libbar2", b"misc/libidle1"), (b"misc/libbar2", b"misc/none")):
            self.repository._contents = lambda packages, o=old, n=new: honest(packages).replace(o, n)
            self.repository.publish(self.key, date=-20)
            self.assertEqual(lean, self.made("--rebuild"))

    def test_an_index_that_cannot_be_had_is_no_error(self):
        self.make_repository(packages=[
            world.base_files(AMD64), world.libc(AMD64), world.libgcc(AMD64), world.libfoo(AMD64), world.libbar(AMD64),
            program("libfoo1, libidle1, libc6", ["libfoo.so.1"]), library("libidle1", AMD64.lib("libidle.so.1"))],
            architectures=("amd64",))
        self.server.fault("*/Contents-*", status=404)
        self.use(self.write_source())
        self.write_manifest(text=NAMED)
        self.assertIn(AMD64.lib("libbar.so.2"), self.made()[1])
        self.assertIn("libidle1", self.fetched())

    def test_a_package_for_all_architectures_is_opened_since_the_index_does_not_tell_of_it(self):
        data = deb.Package("libdata", Section="libs", files=[deb.File("/usr/share/served/words", "one\n")])
        manifest = FOUND + "files:\n  - {path: /usr/share/served/words, optional: true}\n"
        lean = self.have(program("libdata, libc6", []), data, manifest=manifest)
        self.assertEqual(lean[1].get("/usr/share/served/words"), "libdata")

    def test_an_optional_file_of_a_closed_package_is_in_the_image(self):
        more = [deb.File("/usr/lib/served/plugin.so", "plugin\n")]
        manifest = FOUND + "files:\n  - {path: /usr/lib/served/plugin.so, optional: true}\n"
        lean = self.have(program("libplug1, libc6", []), library("libplug1", AMD64.lib("libplug.so.1"), more=more),
                         manifest=manifest)
        self.assertEqual(lean[1].get("/usr/lib/served/plugin.so"), "libplug1")

    def test_what_is_in_another_package_makes_nothing_else_be_fetched(self):
        """/bin/sh is in no selected package; that one of another has it is told, so the selection's are left alone."""
        shell = deb.Package("shell", arch="amd64", Section="shells",
                            files=[deb.program("/usr/bin/sh", world.executable(AMD64, ["libc.so.6"]))])
        manifest = "name: served\nbinaries: [/usr/sbin/served, /bin/sh]\npackages:\n  first: [served]\n"
        self.have(program("libidle1, idler, libc6", []), shell, library("libidle1", AMD64.lib("libidle.so.1")),
                  deb.Package("idler", arch="amd64", files=[deb.File("/usr/lib/idler", "x" * 9000)]), manifest=manifest)
        self.assertEqual(self.fetched(), {"served", "libc6", "libgcc-s1", "shell", "base-files"})


if __name__ == "__main__":
    unittest.main()
