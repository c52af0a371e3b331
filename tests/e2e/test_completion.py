# SPDX-License-Identifier: Apache-2.0
"""Completion: what the program offers for a line, and that bash, zsh and fish take it."""

import os
import pty
import re
import select
import shutil
import subprocess
import time
import unittest

from base import Case, run

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SCRIPTS = os.path.join(TOP, "factory", "cli", "completion")
BASH_COMPLETION = "/usr/share/bash-completion/bash_completion"


class Completion(Case):
    def setUp(self):
        super().setUp()
        os.makedirs(self.path("bin"))
        os.symlink(run.program(), self.path("bin/imgfactory"))
        os.makedirs(self.path("here"))
        self.write("manifests/served.yaml", "binaries: [/usr/sbin/served]\n")
        self.write("here/mine.yaml", "binaries: [/x]\n")

    def environment(self, **more):
        return run.Factory.environment({"PATH": f"{self.path('bin')}:{os.environ['PATH']}", "HOME": self.top, "XDG_CONFIG_HOME": None,
                                        "XDG_CACHE_HOME": None, "XDG_STATE_HOME": None, **more})

    def run_here(self, command, **more):
        return subprocess.run(command, cwd=self.path("here"), env=self.environment(**more), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=True, timeout=60)

    def offered(self, *words):
        """The candidates for the last word, and whether files are wanted, too."""
        done = self.run_here([run.program(), "completion", "words", "--", *words])
        lines = done.stdout.splitlines()
        return [line.split("\t")[0] for line in lines[1:]], lines[0] if lines else None

    def test_commands_options_and_values_come_from_the_tables(self):
        arches = ["aarch64", "all", "armv7", "ppc64le", "riscv64", "s390x", "x86_64"]
        for words, expected in (
                (("expl",), ["explain"]), (("-q", "expl"), ["explain"]), (("explain", "13"), ["130"]), (("help", "his"), ["history"]),
                (("push", "--keep"), ["--keep-existing-tags"]), (("build", "--username"), []), (("login", "--usern"), ["--username"]),
                (("--arch", ""), arches), (("-a", ""), arches), (("-qa", ""), arches), (("--arch=aar",), ["--arch=aarch64"]),
                (("--arch", "aarch64,s"), ["aarch64,s390x"]), (("--arch=aarch64,s3",), ["--arch=aarch64,s390x"]),
                (("--compression", ""), ["both", "gzip", "zstd", "zstd:chunked"]), (("inspect", "--tls-verify="), ["--tls-verify=false", "--tls-verify=true"]),
                (("completion", ""), ["bash", "fish", "zsh"]), (("--suite", ""), []), (("clean", ""), []), (("--nosuch", ""), []),
                (("unit", "--format", "q"), ["quadlet"]), (("sbom", "--format", ""), ["cyclonedx", "cyclonedx-1.5", "spdx"]),
                (("diff", "--format", ""), ["markdown", "text"]), (("--parity", ""), ["exact", "off", "source"]),
                (("--on-missing=",), ["--on-missing=hold", "--on-missing=keep-previous", "--on-missing=publish"]),
                (("--if-running", ""), ["end", "wait"]), (("system", "u"), ["uninstall", "update"]), (("system", "list", ""), []), (("--source", "fedora-4"), ["fedora-41", "fedora-44"])):
            with self.subTest(words):
                self.assertEqual(self.offered(*words)[0], expected)

    def test_every_option_of_a_command_is_offered(self):
        for command in ("build", "unit", "find"):
            listed = self.run_here([run.program(), command, "--help"]).stdout.split("\nOptions:\n")[1].split("\n\n")[0]
            names = sorted(re.findall(r"(?m)^ +(?:-\w, )?(--[a-z-]+)", listed))
            self.assertEqual(self.offered(command, "--")[0], names)

    def test_files_and_folders_are_asked_for_where_they_fit(self):
        for words, kind in ((("dh",), "files"), (("--output", ""), "folders"), (("--config", ""), "files"), (("inspect", ""), "folders"),
                            (("prune", ""), "files"), (("status", ""), "files"), (("diff", "a", ""), "files"), (("system", "install", ""), "files"),
                            (("system", "rollback", ""), "words"), (("system", ""), "words"), (("tag", ""), "words"), (("--arch", ""), "words")):
            with self.subTest(words):
                self.assertEqual(self.offered(*words)[1], kind)

    def test_images_are_those_of_the_folder_of_the_line(self):
        self.assertEqual(self.offered("--manifests", self.path("manifests"), "")[0].count("served"), 1)
        self.assertIn("dhcpd", self.offered("dhc")[0])

    def test_packages_come_from_the_indices_in_the_cache_without_a_request(self):
        self.ready()
        places = ["--source", self.path("source.yaml"), "--manifests", self.path("manifests"), "--cache", self.path("cache"),
                  "--state", self.path("state"), "--arch", "x86_64"]
        self.assertEqual(self.offered(*places, "find", "libf")[0], [])
        self.assertFalse(os.path.exists(self.path("cache")), "completion made the cache")
        self.assertEqual(self.server.asked(), 0)
        self.build()
        asked = self.server.asked()
        self.server.stop()
        self.assertEqual(self.offered(*places, "find", "libf")[0], ["libfoo1"])
        self.assertEqual(self.offered(*places, "serve")[0], ["served", "served-big", "served-common"])
        self.assertEqual(self.offered(*places, "new", "libb")[0], ["libbar2", "libbaz3"])
        self.assertEqual(self.offered(*places, "find", "")[0], [])
        self.assertEqual(self.server.asked(), asked)

    def test_layouts_and_their_tags(self):
        self.ready()
        self.build()
        shutil.move(self.factory.output, self.path("here/out"))
        for words, expected in ((("push", ""), ["served"]), (("push", "served:l"), ["served:latest"]), (("inspect", "serv"), ["served"]),
                                (("push", "served", "x", "--tag", "la"), ["latest"]), (("push", "none:"), []),
                                (("check", "--output", self.path("manifests"), ""), [])):
            with self.subTest(words):
                self.assertEqual(self.offered(*words)[0], expected)

    def test_a_broken_site_file_and_a_line_that_is_wrong_say_nothing(self):
        self.write("here/imgfactory.yaml", "registri: x\n")
        for words in (("--nosuch", ""), ("dhc",), ("--jobs", "x", "")):
            with self.subTest(words):
                done = self.run_here([run.program(), "completion", "words", "--", *words])
                self.assertEqual(done.stderr, "")

    def test_the_scripts_are_those_of_the_tree_and_other_shells_are_refused(self):
        for shell in ("bash", "zsh", "fish"):
            with open(os.path.join(SCRIPTS, f"imgfactory.{shell}"), encoding="utf-8") as file:
                self.assertEqual(self.run_here([run.program(), "completion", shell]).stdout, file.read())
        result = self.factory.run_plain("completion", "tcsh")
        self.assertEqual(result.code, run.USAGE, result)
        self.assertIn("bash, zsh or fish, not \"tcsh\"\n", result.stderr)

    def bash(self, line, *words):
        """What bash would offer for a line that it has taken apart into words."""
        script = (f'source {SCRIPTS}/imgfactory.bash; COMP_LINE=$1; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); '
                  'COMP_POINT=${#COMP_LINE}; _imgfactory 2>/dev/null; printf "%s\\n" "${COMPREPLY[@]}"')
        return self.run_here(["bash", "--norc", "-c", script, "bash", line, *words]).stdout.split("\n")[:-1]

    def test_bash_takes_it_also_where_it_takes_words_apart(self):
        os.makedirs(self.path("here/folder"))
        for line, words, expected in (
                ("imgfactory expl", ("imgfactory", "expl"), ["explain"]),
                ("imgfactory --arch=aar", ("imgfactory", "--arch", "=", "aar"), ["aarch64"]),
                ("imgfactory --arch=aarch64,s", ("imgfactory", "--arch", "=", "aarch64,s"), ["aarch64,s390x"]),
                ("imgfactory --tls-verify=", ("imgfactory", "--tls-verify", "="), ["false", "true"]),
                ("imgfactory  --arch  s", ("imgfactory", "--arch", "s"), ["s390x"]),
                ("imgfactory ./m", ("imgfactory", "./m"), ["./mine.yaml"]),
                ("imgfactory --output ", ("imgfactory", "--output", ""), ["folder"])):
            with self.subTest(line):
                self.assertEqual(self.bash(line, *words), expected)

    def test_shells_find_it_where_it_is_installed(self):
        build = os.path.dirname(os.path.realpath(run.program()))
        if not os.path.exists(os.path.join(build, "cmake_install.cmake")) or not os.access(build, os.W_OK):
            self.skipTest("the program is not in a folder of cmake's that can be written to")
        command = ["cmake", "--install", build, "--prefix", self.path("usr"), "--component", "Unspecified"]
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        share = self.path("usr/share")
        self.assertTrue(os.path.exists(f"{share}/zsh/site-functions/_imgfactory"))
        self.assertTrue(os.path.exists(f"{share}/fish/vendor_completions.d/imgfactory.fish"))
        self.assertTrue(os.path.exists(f"{share}/bash-completion/completions/imgfactory"))
        if os.path.exists(BASH_COMPLETION):
            script = f"source {BASH_COMPLETION}; _completion_loader imgfactory; complete -p imgfactory"
            told = self.run_here(["bash", "--norc", "-c", script + " || true"], XDG_DATA_DIRS=share).stdout
            self.assertIn("-F _imgfactory imgfactory", told)
        if shutil.which("fish"):
            told = self.run_here(["fish", "-c", "complete -C 'imgfactory expl'"], XDG_DATA_DIRS=share).stdout
            self.assertIn("explain\t", told)

    @unittest.skipUnless(shutil.which("fish"), "fish is not here")
    def test_fish_takes_it(self):
        for line, expected in (("imgfactory expl", ["explain"]), ("imgfactory --arch=aar", ["--arch=aarch64"]),
                               ("imgfactory ./m", ["./mine.yaml"]), ("imgfactory -a s", ["s390x"])):
            with self.subTest(line):
                script = f"source {SCRIPTS}/imgfactory.fish; complete -C '{line}'"
                told = self.run_here(["fish", "--no-config", "-c", script]).stdout
                self.assertEqual([row.split("\t")[0] for row in told.splitlines()], expected)

    @unittest.skipUnless(shutil.which("zsh"), "zsh is not here")
    def test_zsh_takes_it(self):
        main, terminal = pty.openpty()
        zsh = subprocess.Popen(["zsh", "-f", "-i"], stdin=terminal, stdout=terminal, stderr=terminal, close_fds=True,
                               cwd=self.path("here"), env=self.environment(TERM="dumb", PS1="% "), start_new_session=True)
        os.close(terminal)
        seen = b""

        def until(words):
            nonlocal seen
            end = time.monotonic() + 60
            while words not in seen and time.monotonic() < end:
                if select.select([main], [], [], 1)[0]:
                    seen += os.read(main, 65536)
            self.assertIn(words, seen)
            seen = seen.split(words, 1)[1]

        try:
            os.write(main, f"unsetopt beep; autoload -U compinit; compinit -u -D; source {SCRIPTS}/imgfactory.zsh; echo rea''dy\n".encode())
            until(b"ready")
            for line, whole in ((b"imgfactory expl", b"explain"), (b"imgfactory --arch=aar", b"--arch=aarch64"),
                                (b"imgfactory ./m", b"./mine.yaml")):
                os.write(main, line + b"\t")
                until(whole)
                os.write(main, b"\x15")
        finally:
            zsh.kill()
            zsh.wait()
            os.close(main)


if __name__ == "__main__":
    unittest.main()
