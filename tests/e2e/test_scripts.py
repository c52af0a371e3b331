# SPDX-License-Identifier: Apache-2.0
"""The scripts that build: scripts/lib.sh and scripts/factory on a small tree of their own, scripts/elsewhere up to its root."""

import os
import shutil
import subprocess
import tempfile
import unittest

SCRIPTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "scripts")
PRESETS = """{"version": 6, "configurePresets": [{"name": "release", "generator": "Ninja",
    "binaryDir": "${sourceDir}/build/release", "cacheVariables": {"CMAKE_COMPILE_WARNING_AS_ERROR": "%s"}}]}"""
CMAKE = """cmake_minimum_required(VERSION 3.25)
project(small LANGUAGES C)
add_executable(imgfactory main.c %s)
target_compile_options(imgfactory PRIVATE -Wall)
"""
MAIN = '#include <stdio.h>\nint main(void)\n{\n    puts("it runs");\n    return 0;\n}\n'
NAMESPACES = ["unshare", "--mount", "true"]


class SmallTree(unittest.TestCase):
    """scripts/factory in a tree whose program is one file."""

    def setUp(self):
        self.top = tempfile.mkdtemp(prefix="imgfactory-test-")
        self.addCleanup(shutil.rmtree, self.top, ignore_errors=True)
        self.tree = os.path.join(self.top, "tree")
        os.makedirs(os.path.join(self.tree, "scripts"))
        for name in ("lib.sh", "factory"):
            shutil.copy(os.path.join(SCRIPTS, name), os.path.join(self.tree, "scripts"))
        self.write("CMakePresets.json", PRESETS % "OFF")
        self.write("CMakeLists.txt", CMAKE % "")
        self.write("main.c", MAIN)
        self.bin = os.path.join(self.top, "bin")
        os.mkdir(self.bin)

    def write(self, name, text):
        with open(os.path.join(self.tree, name), "w", encoding="utf-8") as stream:
            stream.write(text)

    def stand_in(self, name, text):
        path = os.path.join(self.bin, name)
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(f"#!/bin/bash\n{text}\n")
        os.chmod(path, 0o755)

    def run_in(self, command, **environment):
        """Runs it with HOME in the temporary folder; nothing is installed, whatever is missing."""
        home = os.path.join(self.top, "home")
        kept = {name: os.environ[name] for name in ("PATH", "CMAKE_C_COMPILER_LAUNCHER") if name in os.environ}
        environment = {**kept, "HOME": home, "LC_ALL": "C", **environment}
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300,
                              stdin=subprocess.DEVNULL)

    def factory(self, *before, **environment):
        script = '. "$0"/scripts/lib.sh; ' \
                 'build release imgfactory; exec "$build_dir/imgfactory"'
        return self.run_in([*before, "bash", "-euo", "pipefail", "-c", script, self.tree], **environment)

    def test_a_failed_build_prints_the_error_once_and_not_the_steps_that_went_well(self):
        names = [f"part{i}.c" for i in range(40)]
        for name in names:
            self.write(name, f"int {name[:-2]}(void);\nint {name[:-2]}(void) {{ return 0; }}\n")
        self.write("CMakeLists.txt", CMAKE % " ".join(names))
        self.write("part7.c", "int part7(void) { return missing_name; }\n")
        result = self.factory()
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stderr.count("error: "), 1, result.stderr)
        self.assertIn("missing_name", result.stderr)
        self.assertIn("build.log", result.stderr)
        self.assertLess(len(result.stderr.splitlines()), 12, result.stderr)
        self.assertNotIn("Building C object", result.stderr)

    def test_an_error_of_cmake_is_printed_without_what_it_checked_before(self):
        self.write("CMakeLists.txt", CMAKE % "" + "find_package(PkgConfig REQUIRED)\npkg_check_modules(X REQUIRED no-such-lib)\n")
        result = self.factory()
        self.assertEqual(result.returncode, 1)
        self.assertIn("no-such-lib", result.stderr)
        self.assertNotIn("The C compiler identification", result.stderr)

    def test_an_error_of_cmake_in_a_tree_that_was_built_is_printed_as_well(self):
        self.assertEqual(self.factory().stdout, "it runs\n")
        self.write("CMakeLists.txt", CMAKE % "" + "message(FATAL_ERROR \"what is wrong\")\n")
        result = self.factory()
        self.assertEqual(result.returncode, 1)
        self.assertIn("what is wrong", result.stderr)

    def test_a_warning_does_not_stop_a_folder_that_older_presets_made(self):
        self.write("CMakePresets.json", PRESETS % "ON")
        self.assertEqual(self.factory().stdout, "it runs\n")
        self.write("CMakePresets.json", PRESETS % "OFF")
        self.write("main.c", MAIN.replace("puts", "int unused; puts"))
        result = self.factory()
        self.assertEqual((result.returncode, result.stdout), (0, "it runs\n"), result.stderr)

    def test_a_tree_that_was_moved_is_built_anew(self):
        self.assertEqual(self.factory().stdout, "it runs\n")
        moved = self.tree + "-moved"
        os.rename(self.tree, moved)
        self.tree = moved
        result = self.factory()
        self.assertEqual((result.returncode, result.stdout), (0, "it runs\n"), result.stderr)

    def read_only(self):
        """A command that runs another with the tree read-only."""
        if os.geteuid() != 0:
            for folder, _, files in os.walk(self.tree, topdown=False):
                for name in [*files, "."]:
                    os.chmod(os.path.join(folder, name), 0o555)
                    self.addCleanup(os.chmod, os.path.join(folder, name), 0o755)
            return []
        if subprocess.run(NAMESPACES, capture_output=True, check=False).returncode != 0:
            self.skipTest("a read-only mount needs a mount namespace")
        mounts = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'
        return ["unshare", "--mount", "sh", "-c", mounts, self.tree]

    def test_a_read_only_tree_is_built_in_the_users_cache(self):
        result = self.factory(*self.read_only())
        self.assertEqual((result.returncode, result.stdout), (0, "it runs\n"), result.stderr)
        self.assertIn(os.path.join(self.top, "home", ".cache", "imgfactory-build"), result.stderr)
        self.assertFalse(os.path.exists(os.path.join(self.tree, "build")))

    def test_the_build_folder_can_be_named(self):
        result = self.factory(*self.read_only(), IMGFACTORY_BUILD_DIR=os.path.join(self.top, "here and there"))
        self.assertEqual((result.returncode, result.stdout), (0, "it runs\n"), result.stderr)
        self.assertTrue(os.path.exists(os.path.join(self.top, "here and there", "release", "imgfactory")))

    def test_with_no_place_to_build_in_it_says_how_to_name_one(self):
        result = self.factory(*self.read_only(), XDG_CACHE_HOME="/proc/nowhere")
        self.assertEqual(result.returncode, 1)
        self.assertIn("IMGFACTORY_BUILD_DIR=", result.stderr)

    def test_a_package_that_another_provides_is_not_missing(self):
        self.stand_in("dpkg-query", r"printf '%s\n' 'installed real, ' 'installed other, virtual (= 1), more:any' 'config-files gone, lost'")
        script = '. "$0"/scripts/lib.sh; missing_debian "$1"'
        wanted = "\n".join(f"{name} x" for name in ("real", "virtual", "more", "gone", "lost", "virtua", "other"))
        result = self.run_in(["bash", "-c", script, self.tree, wanted], PATH=f"{self.bin}:{os.environ['PATH']}")
        self.assertEqual(result.stdout.split(), ["gone", "lost", "virtua"], result.stderr)


class Arguments(unittest.TestCase):
    def run_it(self, *command):
        """Nothing is installed or built: what would do it fails."""
        with tempfile.TemporaryDirectory(prefix="imgfactory-test-") as folder:
            for name in ("apt-get", "dnf", "sudo", "cmake", "ctest"):
                with open(os.path.join(folder, name), "w", encoding="utf-8") as stream:
                    stream.write("#!/bin/sh\necho $0 was called >&2\nexit 1\n")
                os.chmod(stream.name, 0o755)
            return subprocess.run(command, env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}, capture_output=True, text=True,
                                  check=False, timeout=120, stdin=subprocess.DEVNULL)

    def test_help_prints_what_the_script_begins_with_and_does_nothing(self):
        for name, words in (("test", "--preset NAME"), ("check", "--base REV"), ("compilers", "--no-fuzz"), ("elsewhere", "--stale")):
            with self.subTest(name):
                result = self.run_it(os.path.join(SCRIPTS, name), "--help")
                self.assertEqual((result.returncode, result.stderr), (0, ""))
                self.assertRegex(result.stdout, rf"\Ascripts/{name} ")
                self.assertIn(words, result.stdout)
                self.assertNotIn("#!", result.stdout)
                self.assertNotIn("set -euo", result.stdout)

    def test_an_option_is_not_taken_for_a_compiler(self):
        result = self.run_it(os.path.join(SCRIPTS, "compilers"), "--nothing")
        self.assertEqual((result.returncode, result.stderr), (1, "compilers: unknown option '--nothing' (--help tells the options)\n"))

    def test_a_program_to_compare_that_is_not_there_is_named(self):
        result = self.run_it("python3", os.path.join(SCRIPTS, "same_images.py"), "/bin/sh", "/nowhere/imgfactory")
        self.assertEqual(result.returncode, 2)
        self.assertIn("error: /nowhere/imgfactory is no program", result.stderr)


class Elsewhere(unittest.TestCase):
    def setUp(self):
        self.top = tempfile.mkdtemp(prefix="imgfactory-test-")
        self.addCleanup(shutil.rmtree, self.top, ignore_errors=True)

    def run_it(self, *before_and_arguments, **environment):
        return subprocess.run(before_and_arguments, env={**os.environ, "XDG_CACHE_HOME": self.top, **environment},
                              capture_output=True, text=True, check=False, timeout=120, stdin=subprocess.DEVNULL)

    @unittest.skipUnless(os.geteuid() == 0, "giving up privileges needs root")
    def test_without_root_and_namespaces_it_is_left_out_and_never_passed(self):
        result = self.run_it("setpriv", "--bounding-set=-all", "--inh-caps=-all", os.path.join(SCRIPTS, "elsewhere"), "trixie")
        self.assertEqual(result.returncode, 77, result)
        self.assertIn("left out", result.stderr)
        self.assertNotIn("passed", result.stdout + result.stderr)

    def test_the_progress_shows_a_failure_of_any_number_with_what_it_printed(self):
        """ctest writes one blank before the number from 100 on, more before smaller ones."""
        failed = [(f"Test {blanks}#{number}: e2e.test_{number} ....***Failed   1.00 sec", f"because of {number}")
                  for number, blanks in ((9, "  "), (99, " "), (100, ""))]
        lines = [f"    Start 7: e2e.test\n {line}\n{why}" for line, why in failed]
        lines += ["  1/113 Test   #1: unit.good ....   Passed 1 sec", "noise"]
        script = '. "$0"/lib.sh; . "$0"/elsewhere_lib.sh; show_progress /dev/null me'
        done = subprocess.run(["bash", "-c", script, SCRIPTS], input="\n".join(["@begin x", *lines, "@end 0 8 1", ""]),
                              capture_output=True, text=True, check=True)
        for line, why in failed:
            self.assertIn(f"   {line}\n    {why}\n", done.stdout)
        self.assertNotIn("noise", done.stdout)

    def test_an_unknown_release_or_option_is_refused(self):
        for argument in ("buster", "--as", "--nothing"):
            with self.subTest(argument):
                self.assertEqual(self.run_it(os.path.join(SCRIPTS, "elsewhere"), argument).returncode, 2)

    def mirror_of(self, name, text):
        """What it takes from an apt configuration of this one file."""
        for folder in ("lists/partial", "cache", "parts"):
            os.makedirs(os.path.join(self.top, folder), exist_ok=True)
        path = os.path.join(self.top, "parts", name)
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(text)
        self.addCleanup(lambda: os.path.exists(path) and os.unlink(path))
        config = os.path.join(self.top, "apt.conf")
        with open(config, "w", encoding="utf-8") as stream:
            stream.write(f'Dir::Etc::sourcelist "/dev/null";\nDir::Etc::sourceparts "{self.top}/parts";\n'
                         f'Dir::State::lists "{self.top}/lists";\nDir::Cache "{self.top}/cache";\n')
        script = '. "$0"/lib.sh; . "$0"/elsewhere_lib.sh; host_mirror'
        result = self.run_it("bash", "-c", script, SCRIPTS, APT_CONFIG=config)
        os.unlink(path)
        return result.stdout.strip()

    @unittest.skipUnless(shutil.which("apt-get"), "apt's sources are apt's")
    def test_the_mirror_is_that_of_either_format_of_apts_sources(self):
        other = "deb http://127.0.0.1:1/others stable main\n"
        self.assertEqual(self.mirror_of("a.list", other + "deb [arch=amd64] http://127.0.0.1:1/x/debian/ stable main\n"),
                         "http://127.0.0.1:1/x/debian")
        self.assertEqual(self.mirror_of("b.sources", "Types: deb deb-src\nURIs: http://127.0.0.1:1/debian\n"
                                        "Suites: stable stable-updates\nComponents: main\n"), "http://127.0.0.1:1/debian")
        self.assertEqual(self.mirror_of("c.list", other), "")
        listed = os.path.join(self.top, "mirrors")
        with open(listed, "w", encoding="utf-8") as stream:
            stream.write("http://127.0.0.1:1/near/debian/\tpriority:1\n")
        self.assertEqual(self.mirror_of("d.list", f"deb mirror+file:{listed} stable main\n"), "http://127.0.0.1:1/near/debian")


if __name__ == "__main__":
    unittest.main()
