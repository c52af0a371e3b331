# SPDX-License-Identifier: Apache-2.0
"""Manual pages: they say what the program's tables say, are installed, and readers of man pages find nothing in them."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest

from base import run

FILES = ["manifest", "source", "site", "report"]
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def output(*words):
    return subprocess.run([run.program(), *words], stdout=subprocess.PIPE, text=True, check=True).stdout


def commands():
    return re.findall(r"(?m)^  ([a-z-]+) ", output("--help").split("\nCommands")[1].split("\n\n")[0])


def plain(page):
    """A page without its escapes, as one line."""
    page = re.sub(r"\\f[BIR]|\\&", "", page)
    for escape, letter in ((r"\-", "-"), (r"\(ti", "~"), (r"\(aq", "'"), (r"\(ha", "^"), (r"\e", "\\")):
        page = page.replace(escape, letter)
    return " ".join(page.split())


class Manual(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.pages = {None: output("manual"), **{command: output("manual", command) for command in commands()}}
        cls.files = {name: output("manual", name) for name in FILES}

    def test_a_page_has_every_option_of_its_command_with_all_that_help_says(self):
        for command, page in self.pages.items():
            told = output(*([command] if command else []), "--help").split("\nOptions:\n")[1].split("\n\n")[0]
            rows = re.split(r"\n(?=  -\w, --|      --)", "\n" + told)[1:]
            self.assertGreater(len(rows), 1)
            for row in rows:
                name, text = re.match(r"(?s) +(?:-\w, )?(--[a-z-]+)(?:\[?=?[^ \n]*\]?)?(?: [A-Z]+)?\s+(.*)", row).groups()
                with self.subTest(command=command, option=name):
                    self.assertRegex(page, rf"(?m)^(\\fB\\-\w\\fR, )?\\fB{re.escape(name.replace('-', chr(92) + '-'))}\\fR")
                    self.assertIn(" ".join(text.split()), plain(page))

    def test_the_program_s_page_has_all_commands_and_exit_statuses(self):
        page = plain(self.pages[None])
        for command in commands():
            self.assertIn(f".BR imgfactory-{command} (1)", page)
        for status in re.findall(r"(?m)^ *(\d+)  ", output("explain")):
            told = output("explain", status).split("What it means\n")[1].replace("What to look at", "").replace("`", "")
            self.assertIn(" ".join(told.split()), page)

    def test_every_variable_that_the_code_reads_is_in_the_program_s_page(self):
        read = set()
        for folder, _, files in os.walk(os.path.join(TOP, "factory")):
            for name in (name for name in files if name.endswith(".c")):
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    read |= set(re.findall(r'\b(?:getenv|variable|read_duration)\("(\w+)"', file.read()))
        self.assertGreater(len(read), 10)
        page = plain(self.pages[None]).split(".SH ENVIRONMENT")[1].split(".SH FILES")[0]
        for name in sorted(read | {"http_proxy", "https_proxy", "all_proxy", "no_proxy", "XDG_CACHE_HOME", "XDG_STATE_HOME"}):
            self.assertIn(name, page)

    def test_pages_are_installed_as_the_program_prints_them(self):
        build = os.path.dirname(os.path.realpath(run.program()))
        if not os.path.exists(os.path.join(build, "cmake_install.cmake")) or not os.access(build, os.W_OK):
            self.skipTest("the program is not in a folder of cmake's that can be written to")
        with tempfile.TemporaryDirectory(prefix="imgfactory-test-") as top:
            command = ["cmake", "--install", build, "--prefix", top, "--component", "Unspecified"]
            subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
            folder = os.path.join(top, "share", "man", "man1")
            self.assertEqual(sorted(os.listdir(folder)),
                             sorted(f"imgfactory-{command}.1" if command else "imgfactory.1" for command in self.pages))
            self.assertEqual(sorted(os.listdir(folder[:-1] + "5")), sorted(f"imgfactory-{name}.5" for name in FILES))
            for name, page in self.files.items():
                with open(os.path.join(folder[:-1] + "5", f"imgfactory-{name}.5"), encoding="utf-8") as file:
                    self.assertEqual(file.read(), page)
            for command, page in self.pages.items():
                with open(os.path.join(folder, f"imgfactory-{command}.1" if command else "imgfactory.1"), encoding="utf-8") as file:
                    self.assertEqual(file.read(), page)

    def test_readers_of_pages_find_nothing_wrong(self):
        for command, page in {**self.pages, **self.files}.items():
            self.assertTrue(page.isascii())
            # Examples keep their lines, and what a table tells of is a line, too.
            for line in re.sub(r"(?m)^\.nf\n(?s:.*?)^\.fi\n|(?<=^\.TP\n).*\n", "", page).splitlines():
                self.assertTrue(len(line) <= 80 or line.startswith("\\fB"), line)
                self.assertNotRegex(line, r"^'|^\.[^A-Zb]")
            for reader in (["mandoc", "-Tlint"], ["groff", "-man", "-ww", "-z", "-Tutf8"]):
                if not shutil.which(reader[0]):
                    continue
                done = subprocess.run(reader, input=page, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
                self.assertEqual((done.returncode, done.stdout), (0, ""), (command, reader))

    def test_every_key_that_a_file_may_have_is_told_of_in_its_page(self):
        for name in FILES[:-1]:
            prose, keys = self.files[name].split(".SH ALL KEYS\n")
            keys = re.findall(r"(?m)^\.TP\n\\fB(.*)\\fR$", keys)
            self.assertGreater(len(keys), 20)
            told = plain(prose)
            for key in keys:
                with self.subTest(page=name, key=plain(key)):
                    self.assertTrue(f"\\fB{key}\\fR" in prose or re.search(rf"(?<![\w-]){plain(key)}:", told))

    def test_the_keys_of_a_page_are_those_of_the_tables_that_read_the_file(self):
        with tempfile.TemporaryDirectory(prefix="imgfactory-test-") as top:
            for name, place, options in (("manifest", "Keys at the top", []), ("site", "Keys at the top", ["--config"]),
                                         ("source", "Keys with kind: deb", ["--source"])):
                path = os.path.join(top, f"{name}.yaml")
                with open(path, "w", encoding="utf-8") as file:
                    file.write("kind: deb\nzzzzzzzz: 1\n" if name == "source" else "zzzzzzzz: 1\n")
                done = subprocess.run([run.program(), "--dry-run", *(options + [path, "dhcpd"] if options else [path])],
                                      stderr=subprocess.PIPE, text=True, check=False)
                self.assertEqual(done.returncode, run.USAGE)
                known = re.search(r"unknown key 'zzzzzzzz'; known here: (.*)", done.stderr).group(1).split(", ")
                section = self.files[name].split(f".SS {place}\n")[1].split("\n.S")[0]
                self.assertEqual([plain(key) for key in re.findall(r"(?m)^\.TP\n\\fB(.*)\\fR$", section)], known)

    def test_examples_of_a_page_are_those_that_the_unit_tests_read(self):
        with open(os.path.join(TOP, "manifests", "README.md"), encoding="utf-8") as file:
            text = file.read()
        shown = [plain(example) for example in re.findall(r"(?s)\.nf\n(.*?)\.fi", self.files["manifest"] + self.files["source"])]
        examples = re.findall(r"(?ms)^```yaml[ a-z]*\n(.*?)^```", text)
        self.assertGreater(len(examples), 10)
        for example in examples:
            self.assertIn(" ".join(example.replace("`", "").split()), shown)

    def test_a_page_of_what_is_no_command_is_refused_with_the_nearest(self):
        done = subprocess.run([run.program(), "manual", "psuh"], stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (run.USAGE, "imgfactory: error: there is no command 'psuh'; did you mean push?\n"))


if __name__ == "__main__":
    unittest.main()
