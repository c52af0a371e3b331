# SPDX-License-Identifier: Apache-2.0
"""The pages: links lead somewhere, README and help agree, and README stays a page that one reads."""

import os
import re
import statistics
import subprocess
import tempfile
import unittest

from base import run

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SKIPPED = {"build", ".git"}


def pages():
    """The paths of all pages below the top, relative to it."""
    for folder, folders, files in os.walk(TOP):
        folders[:] = [name for name in folders if name not in SKIPPED]
        for name in files:
            if name.endswith(".md"):
                yield os.path.relpath(os.path.join(folder, name), TOP)


def read(path):
    with open(os.path.join(TOP, path), encoding="utf-8") as file:
        return file.read()


def without_code(text):
    return re.sub(r"(?ms)^```.*?^```\n", "", text)


def anchors(text):
    """The names that headings can be linked by, as GitHub and GitLab make them."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
            for heading in re.findall(r"(?m)^#+ (.*)$", without_code(text))}


def help_text(*words):
    return subprocess.run([run.program(), *words, "--help"], stdout=subprocess.PIPE, text=True, check=True).stdout


def commands():
    """The words that --help lists as commands."""
    listed = help_text().split("\nCommands")[1].split("\n\n")[0]
    return re.findall(r"(?m)^  ([a-z-]+) ", listed)


def rows(text, heading):
    """The first cells of the table under a heading, without its head."""
    section = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"(?m)^\| (.*?) \|(?= )", section)[1:]


def links(text):
    """The relative links of a page."""
    return [link for link in re.findall(r"\]\(([^)\s]+)\)", without_code(text)) if not re.match(r"[a-z]+:", link)]


class Pages(unittest.TestCase):
    def test_every_relative_link_of_the_installed_pages_leads_to_an_installed_file(self):
        build = os.path.dirname(os.path.realpath(run.program()))
        if not os.path.exists(os.path.join(build, "cmake_install.cmake")):
            self.skipTest("the program is not in a folder of cmake's")
        with tempfile.TemporaryDirectory(prefix="imgfactory-test-") as top:
            # That is all; with the component named the list of what was installed last, perhaps by root, stays as it is.
            command = ["cmake", "--install", build, "--prefix", top, "--component", "Unspecified"]
            subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
            checked = 0
            for folder, _, files in os.walk(os.path.join(top, "share", "doc")):
                for name in (name for name in files if name.endswith(".md")):
                    for link in links(read(os.path.join(folder, name))):
                        path = link.partition("#")[0]
                        with self.subTest(page=os.path.relpath(os.path.join(folder, name), top), link=link):
                            self.assertTrue(os.path.exists(os.path.join(folder, path)))
                        checked += 1
            self.assertGreater(checked, 30)

    def test_every_relative_link_leads_to_a_file_and_a_heading(self):
        checked = 0
        for page in pages():
            for link in links(read(page)):
                path, _, anchor = link.partition("#")
                target = os.path.normpath(os.path.join(os.path.dirname(page), path)) if path else page
                with self.subTest(page=page, link=link):
                    self.assertTrue(os.path.exists(os.path.join(TOP, target)))
                    if anchor:
                        self.assertIn(anchor, anchors(read(target)))
                checked += 1
        self.assertGreater(checked, 30)

    def test_rows_of_tables_stand_below_the_head_of_theirs(self):
        for path in pages():
            for rows_of_one in re.findall(r"(?m)(?:^\|.*\n)+", without_code(read(path))):
                self.assertRegex(rows_of_one, r"\A\|.*\n\|[-:| ]+\|\n", f"{path}: rows without a head are printed as they stand")

    def test_every_page_can_be_reached_from_the_readme(self):
        reached, new = set(), {"README.md"}
        while new:
            page = new.pop()
            reached.add(page)
            for link in re.findall(r"\]\(([^)\s#]+)", without_code(read(page))):
                target = os.path.normpath(os.path.join(os.path.dirname(page), link))
                target = os.path.join(target, "README.md") if os.path.isdir(os.path.join(TOP, target)) else target
                if target.endswith(".md") and target not in reached and os.path.exists(os.path.join(TOP, target)):
                    new.add(target)
        self.assertEqual(set(pages()) - reached, set())

    def test_files_of_code_that_the_page_of_the_inside_names_exist(self):
        named = re.findall(r"`((?:\w+/)+\w+\.[ch])`", read("factory/README.md"))
        self.assertGreater(len(named), 30)
        for path in named:
            with self.subTest(path):
                self.assertTrue(any(os.path.exists(os.path.join(TOP, folder, path)) for folder in ("", "factory")))

    def test_commands_of_help_are_those_of_the_readme_and_their_page(self):
        self.assertEqual(commands(), [name for row in rows(read("README.md"), "Commands") for name in re.findall(r"`imgfactory \[?([\w-]+)", row)])
        self.assertEqual(commands(), [re.match(r"`([\w-]+)", row).group(1)
                                      for row in rows(read("factory/cli/README.md"), "Commands")])

    def test_the_version_that_brought_a_command_is_the_same_on_its_page(self):
        page = read("factory/cli/README.md")
        for command in commands()[1:]:
            since = re.search(r"since version (\S+)\.\n", help_text(command)).group(1)
            self.assertRegex(page, rf"(?m)^\| `{command}\b.*\| {re.escape(since)} \|")

    def test_exit_statuses_of_the_page_are_those_that_are_explained(self):
        listed = subprocess.run([run.program(), "explain"], stdout=subprocess.PIPE, text=True, check=True).stdout
        page = [status for row in rows(read("factory/cli/README.md"), "Exit status") for status in re.findall(r"\d+", row.split("|")[0])]
        self.assertEqual(re.findall(r"(?m)^ *(\d+)  ", listed), page)

    def test_options_that_pages_name_exist(self):
        known = set()
        for command in commands():
            known |= set(re.findall(r"--[a-z][a-z-]*", help_text(command)))
        for page in ("README.md", "factory/cli/README.md", "factory/registry/README.md", "manifests/sources/README.md"):
            for line in re.findall(r"(?m)^.*imgfactory .*$", read(page)):
                for option in re.findall(r"imgfactory [^`|#]*", line):
                    for name in re.findall(r"(?<!\w)--[a-z][a-z-]*", option):
                        self.assertIn(name, known, f"{page}: {line}")

    def test_the_readme_is_one_page_of_short_sentences(self):
        text = read("README.md")
        self.assertLess(len(text.splitlines()), 140)
        prose = "\n\n".join(re.findall(r"(?m)^(?!#)[^|\n].*(?:\n[^|\n].*)*", without_code(text)))
        sentences = [part.split() for part in re.split(r"(?<=[.!?:])\s+", prose) if part.split()]
        self.assertGreater(len(sentences), 30)
        self.assertLess(statistics.median(map(len, sentences)), 15)

    def test_the_readme_s_two_commands_are_there(self):
        block = read("README.md").split("```sh\n")[1].split("```")[0]
        words = [line.split("#")[0].split() for line in block.splitlines()]
        self.assertEqual(words, [["scripts/factory", "--arch", "all", "dhcpd"], ["scripts/test"]])
        for line in words:
            self.assertTrue(os.access(os.path.join(TOP, line[0]), os.X_OK))


if __name__ == "__main__":
    unittest.main()
