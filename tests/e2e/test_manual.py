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


# What is given for the words in capitals that stand for an option's value (else "x"); some options have values of their own.
VALUES = {"N": "3", "BOOL": "true", "DURATION": "2h", "SIZE": "1G", "REF": "q.io/x", "WHEN": "never", "LIST": "x86_64",
          "URL": "https://q.io", "ARCH": "x86_64", "PATH": "/x"}
OWN_VALUES = {"--compression": "gzip", "--format": None, "--parity": "off", "--on-missing": "hold", "--if-running": "end", "--keep": "10", "--pin": "sha256:" + "0" * 64}
# Pages of which commands are shown to people, besides the manual pages.
PAGES = ["README.md", "factory/cli/README.md", "factory/registry/README.md", "factory/bill/report.md", "factory/proof/README.md", "factory/trust/README.md",
         "manifests/README.md", "manifests/image.md", "manifests/sources/README.md", "arches/README.md", "scripts/README.md"]


def options(command):
    """The options that a command's help lists: name, what stands for the value, all that it says."""
    told = output(command, "--help").split("\nOptions:\n")[1].split("\n\n")[0]
    for row in re.split(r"\n(?=  -\w, --|      --)", "\n" + told)[1:]:
        name, value, text = re.match(r"(?s) +(?:-\w, )?(--[a-z-]+)(\[=\S+\]| [A-Z]\S*)?\s+(.*)", row).groups()
        yield name, value, " ".join(text.split())


def shown_commands(text):
    """What begins with imgfactory in blocks and in code, without what the shell does with its output."""
    for block, code in re.findall(r"(?ms)^```(?:sh|console)\n(.*?)^```|`(imgfactory [^`]*)`", text):
        for line in block.splitlines() if block else [code]:
            for part in re.split(r"&&|\||;|(?<= )[<>]", line.removeprefix("$ ").replace(r" \| ", " | ").replace(r"\|", "OR").split("  #")[0].split(" # ")[0]):
                if part.strip().startswith("imgfactory "):
                    yield part.strip()


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

    def test_every_option_that_help_lists_is_taken_with_a_value_of_its_kind(self):
        taken = 0
        for command in commands():
            page = self.page_of(command)
            for name, place, text in options(command):
                if name in ("--help", "--version"): # they print another page
                    continue
                with self.subTest(command=command, option=name):
                    choices = [re.findall(r"\w+", text)[0]] if OWN_VALUES.get(name, 1) is None else [OWN_VALUES.get(name)]
                    value = choices[0] or (VALUES.get(re.sub(r"\W", "", place), "x") if place else None)
                    written = [name] if place is None else [f"{name}={value}"] if "[" in place else [name, value]
                    self.assertEqual(self.page_of(command, *written), page)
                    taken += 1
        self.assertGreater(taken, 200)
        refused = subprocess.run([run.program(), "push", "--compression", "gzip", "--help"], stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual(refused.returncode, run.USAGE)

    def page_of(self, *words):
        """What is printed when --help stands behind words that are all understood."""
        done = subprocess.run([run.program(), *words, "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""), words)
        return done.stdout

    def test_every_command_that_pages_and_manuals_show_is_understood(self):
        seen = set()
        for name in PAGES:
            with open(os.path.join(TOP, name), encoding="utf-8") as file:
                seen |= {(name, line) for line in shown_commands(file.read())}
        for name, page in {**self.pages, **self.files}.items():
            for line in re.findall(r"(?m)^\\fB(imgfactory .*?)\\fR", page):
                seen.add((name, plain(line)))
        lines = {line: name for name, line in sorted(seen, key=str)}
        self.assertGreater(len(lines), 80)
        for line, name in lines.items():
            words = [word.strip("'\"") for word in re.sub(r"\[(\w+)\]", "", line).split()[1:] if not re.match(r"ARGS|\[|…|\.\.\.|\d?>|<", word)]
            if not words or words[:1] == ["COMMAND"] or words[:2] == ["help", "COMMAND"]:
                continue
            words = ["x" if word.isupper() and not word.startswith("-") else word for word in words]
            words = words[:words.index("--")] if "--" in words else words
            with self.subTest(page=name, line=line):
                self.assertTrue(self.page_of(*words))

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
