# SPDX-License-Identifier: Apache-2.0
"""scripts/bench KIND --write: passes a measurement's output on, and puts it between the marks of its kind on its page.

The marks are <!-- scripts/bench KIND --> and <!-- end -->; what the output begins with before the table (machine, runs) goes in, too.
A kind without marks on its page gets a section at its end.
"""

import os
import re
import sys

SCRIPTS = os.path.dirname(os.path.abspath(__file__))


def marks_of(kind, output):
    return f"<!-- scripts/bench {kind} -->\n" + re.sub(" +", " ", output).strip() + "\n<!-- end -->\n"


def main():
    kind = sys.argv[1]
    page = os.path.join(SCRIPTS, "..", "manifests", "image.md") if kind == "sizes" else os.path.join(SCRIPTS, "speed.md")
    output = ""
    for line in sys.stdin:
        sys.stdout.write(line)
        sys.stdout.flush()
        output += line
    if "\n|" not in "\n" + output:
        sys.exit(f"scripts/bench {kind}: no table, so {page} stays as it is")
    with open(page, encoding="utf-8") as file:
        text = file.read()
    marks = re.compile(rf"(<!-- scripts/bench {kind} -->\n).*?(<!-- end -->)", re.DOTALL)
    text, count = marks.subn(lambda _: marks_of(kind, output).rstrip("\n"), text)
    if count == 0:  # the first table of its kind
        text, count = f"{text.rstrip()}\n\n## {kind.capitalize()}\n{marks_of(kind, output)}", 1
    if count != 1:
        sys.exit(f"{page}: {count} places with the marks of scripts/bench {kind}, not one")
    with open(page, "w", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    main()
