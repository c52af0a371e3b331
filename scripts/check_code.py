#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The laws of factory/ that no compiler knows; scripts/check calls it. Prints one line per breach, exit status 1 if there is any.

comments          every prototype in a header has a comment above it, or stands directly below one that has
includes          a file includes headers of its own folder and of folders above it only (the ranks are the order of
                  imgfactory_layer() in CMakeLists.txt), and no headers include each other in a circle
calls BUILD       no circle of .c files that use each other's symbols
symbols BUILD     no variable at file scope can change, nothing is called that changes the whole process or is not safe
                  with threads, and no two files give symbols of one name
BUILD is the folder of a build of the dev preset: what a compiled file gives and wants is exact, whatever macros hide.
"""

import collections
import os
import re
import subprocess
import sys

BANNED = set("""chdir fchdir umask setenv unsetenv putenv clearenv setlocale uselocale signal strtok strerror localtime gmtime
    ctime asctime rand srand random srandom drand48 getpwnam getpwuid getgrnam getgrgid gethostbyname tmpnam mktemp system popen
    strcpy strcat sprintf vsprintf gets archive_write_disk_new archive_read_disk_new""".split())
# A constant that holds addresses is writable until the loader has filled it in, then read-only.
WRITABLE = re.compile(r"\.(data|bss|tdata|tbss)(?!\.rel\.ro)(\.|$)|\*COM\*")


def files_of(top, ending):
    """Paths below the tree, sorted: factory/base/err.c."""
    found = []
    for folder, _, names in os.walk(os.path.join(top, "factory")):
        found += [os.path.relpath(os.path.join(folder, name), top) for name in names if name.endswith(ending)]
    return sorted(found)


def read(top, path):
    with open(os.path.join(top, path), encoding="utf-8") as stream:
        return stream.read()


def circles(edges):
    """The strongly connected sets of more than one node, by Tarjan's algorithm. edges: {node: iterable of nodes}."""
    index, low, stack, found = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(edges.get(node, ())):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            start = stack.index(node)
            if len(stack) - start > 1:
                found.append(sorted(stack[start:]))
            del stack[start:]

    for node in sorted(edges):
        if node not in index:
            visit(node)
    return sorted(found)


MARK = "\1"  # stands for each line of a comment


def declarations(text):
    """Yields (line number, what stands above, text) of what a header declares; above: "comment", "" or "declaration"."""
    text = re.sub(r"/\*.*?\*/", lambda found: MARK + ("\n" + MARK) * found.group().count("\n"), text, flags=re.S)
    text = re.sub(r"\\\n", lambda _: " " + MARK + "\\", text)  # a macro is one line
    number, above, start, depth, collected = 0, "", 0, 0, ""
    for line in text.split("\n"):
        number += 1 + line.count(MARK + "\\")
        bare = line.replace(MARK, "").strip()
        if not collected and (not bare or bare.startswith("#")):
            above = "comment" if MARK in line and not bare else ""
            continue
        start = start if collected else number
        collected += bare + " "
        depth += bare.count("{") - bare.count("}")
        if depth == 0 and bare[-1:] in (";", "}"):
            yield start, above, collected.strip()
            above, collected = "declaration", ""


def check_comments(top):
    count, faults = 0, []
    for path in files_of(top, ".h"):
        is_commented = False
        for number, above, text in declarations(read(top, path)):
            is_commented = above == "comment" or (above == "declaration" and is_commented)
            if "(" not in text or re.match(r"(typedef|_Static_assert)\b|(struct|enum|union) \w+ \{", text):
                continue
            count += 1
            if not is_commented:
                faults.append(f"{path}:{number}: no comment says what this is for: {text[:80]}")
    return faults, f"{count} prototypes"


def ranks_of(top):
    """{folder: rank}, in the order of CMakeLists.txt."""
    names = re.findall(r"^imgfactory_layer\((\w+)", read(top, "CMakeLists.txt"), re.M)
    return {name: rank for rank, name in enumerate(names)}


def check_includes(top):
    ranks, edges, faults = ranks_of(top), {}, []
    for path in files_of(top, ".h") + files_of(top, ".c"):
        folder = path.split("/")[1]
        if folder.endswith(".c"):  # main.c
            continue
        if folder not in ranks:
            faults.append(f"{path}:1: the folder is not named in CMakeLists.txt")
            continue
        included = re.findall(r'^#include "([^"]+)"', read(top, path), re.M)
        edges[path] = {"factory/" + name for name in included}
        faults += [f"{path}:1: includes {name}, which is of a folder below" for name in included
                   if ranks.get(name.split("/")[0], -1) > ranks[folder]]
    faults += [f"{circle[0]}:1: headers include each other: {' '.join(circle)}" for circle in circles(edges)]
    return faults, f"{sum(map(len, edges.values()))} includes between {len(edges)} files"


def output_of(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    if done.returncode:
        sys.exit(f"check_code: {command[0]} failed")
    return done.stdout.decode()


def objects_of(top, build):
    """{source file: object file}; every source file must have been compiled."""
    found = {}
    for folder, _, names in os.walk(build):
        for name in names:
            path = re.search(r"factory/(\w+/)?\w+\.c(?=\.o$)", os.path.join(folder, name))
            if path:
                found[path.group()] = os.path.join(folder, name)
    sources = files_of(top, ".c")
    missing = [path for path in sources if path not in found]
    if missing:
        sys.exit(f"check_code: {build} does not hold {missing[0]}: build the dev preset there")
    return {path: found[path] for path in sources}


def symbols_of(objects):
    """Yields (source file, letter of nm, name)."""
    sources = {path: source for source, path in objects.items()}
    for line in output_of("nm", "-A", *objects.values()).splitlines():
        path, rest = line.split(":", 1)
        letter, name = rest.split()[-2:]
        yield sources[path], letter, name


def check_calls(top, build):
    giver, wants, uses = {}, collections.defaultdict(set), collections.defaultdict(set)
    for source, letter, name in symbols_of(objects_of(top, build)):
        if letter == "U":
            wants[source].add(name)
        elif letter.isupper():
            giver[name] = source
    between = collections.defaultdict(set)
    for source, names in wants.items():
        for name in names & giver.keys():
            uses[source].add(giver[name])
            between[source, giver[name]].add(name)
    faults = []
    for circle in circles(uses):
        faults.append(f"{circle[0]}:1: files use each other: {' '.join(map(os.path.basename, circle))}")
        faults += [f"    {os.path.basename(one)} uses {', '.join(sorted(between[one, other]))} of {os.path.basename(other)}"
                   for one in circle for other in circle if between[one, other]]
    return faults, f"{len(between)} edges between {len(uses)} files"


def check_symbols(top, build):
    objects, faults, count, givers = objects_of(top, build), [], 0, {}
    for source, letter, name in symbols_of(objects):
        count += 1
        if letter.isupper() and letter != "U" and givers.setdefault(name, source) != source:
            faults.append(f"{source}:1: {name} is in {givers[name]}, too: which of them a program gets is the linker's affair")
        if letter == "U" and name in BANNED:
            faults.append(f"{source}:1: calls {name}(), which is of the whole process, not safe with threads, or unbounded")
    for source, path in objects.items():
        for line in output_of("objdump", "-t", path).splitlines():
            found = re.match(r"[0-9a-f]+ (.{7}) (\S+)\t([0-9a-f]+) +(?:0x\w+ |\.hidden )?(\S+)", line)
            if found and "O" in found.group(1) and WRITABLE.match(found.group(2)):
                faults.append(f"{source}:1: {found.group(4)} is a variable at file scope that can change")
    return faults, f"{count} symbols of {len(objects)} files"


CHECKS = {"comments": check_comments, "includes": check_includes, "calls": check_calls, "symbols": check_symbols}


def main():
    if len(sys.argv) < 3 or sys.argv[1] not in CHECKS:
        sys.exit("usage: check_code.py comments|includes TREE, or calls|symbols TREE BUILD")
    sys.setrecursionlimit(10000)
    faults, looked_at = CHECKS[sys.argv[1]](*sys.argv[2:])
    for fault in faults:
        print(fault)
    print(f"{sys.argv[1]}: {looked_at}, {len(faults) or 'no'} lines to mend", file=sys.stderr)
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
