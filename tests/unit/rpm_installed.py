# SPDX-License-Identifier: Apache-2.0
"""Packages and rpm's own databases of them, for test_rpm_installed.c: `make FOLDER` writes NAME.rpm, rpm/rpmdb.sqlite (made
by `rpm --install --justdb --excludedocs`) and NAME.installed (states of files as numbers, transaction, time, colour);
`same ONE OTHER` compares two databases table by table and prints what differs."""

import os
import sqlite3
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from kit import gpg, rpm  # noqa: E402


class Spec(rpm.Package):
    """With lines before and behind what the kit writes."""

    head, tail = "", ""

    def spec(self, root):
        return super().spec(root).replace("License: MIT", "License: MIT" + self.head, 1) + self.tail


def packages():
    app = Spec("app", [rpm.File("/etc/app.conf", "x\n", flags="%config(noreplace)"), rpm.directory("/usr/share/app"),
                       rpm.File("/usr/share/doc/app/README", "doc\n", flags="%doc"), rpm.link("/usr/share/app/l", "data"),
                       rpm.File("/var/lib/app/ghost", kind="ghost"), rpm.File("/usr/share/app/data", "d\n")],
               epoch=2, scripts={"post": "echo $1", "preun": "echo $1"}, recommends=["zz", "(y or (x and w >= 1:2))"],
               requires=["newlib >= 1", "(a if b)", "((a if (b or c)) and d)", "(a if b else f)", "lib(x)(y) = 2"],
               obsoletes="oldapp < 2", conflicts=["enemy = 3", "(e1 unless e2)"], supplements=["(app and newlib)", "s"],
               suggests="g", enhances="h", provides=["virtual = 7", "app(x86)"])
    app.head = "\nRequires(pre): onlypre\nRequires(pre,preun): both\nRequires(pretrans): never\nRequires(meta): nothing"
    app.tail = ("%triggerin -- base >= 2, other\necho in\n%triggerun -- base\necho un\n"
                "%filetriggerin -- /usr/lib/a /usr/lib/b\necho f\n%transfiletriggerin -- /usr/share\necho t\n"
                "%transfiletriggerpostun -- /etc /opt\necho p\n")
    movable = Spec("movable", [rpm.File("/opt/movable/x", "x\n")], arch="x86_64")
    movable.head = "\nPrefix: /opt\nGroup: Games/Movable"
    return [app, rpm.Package("newlib", [rpm.File("/usr/lib/newlib/n", "n\n")], version="1.5", arch="aarch64"),
            rpm.Package("empty"), movable]


def install(folder, paths):
    command = ["rpm", "--dbpath", folder, "--install", "--justdb", "--excludedocs", "--nodeps", "--noscripts", "--notriggers",
               "--ignorearch", "--nosignature", "--noorder"]
    env = {**os.environ, "HOME": folder, "LC_ALL": "C"}
    if subprocess.run([*command, "--force-debian", *paths], env=env, stderr=subprocess.DEVNULL, check=False).returncode:
        subprocess.run([*command, *paths], env=env, check=True)


def make(folder):
    ring = gpg.Ring()
    made = packages()
    paths = [os.path.join(folder, package.name + ".rpm") for package in made]
    try:
        for package, path in zip(made, paths):
            with open(path, "wb") as stream:
                stream.write(package.build(ring.get("main") if package.name == "app" else None))
    finally:
        ring.close()
    database = os.path.join(folder, "rpm")
    install(database, paths)
    for package in made:
        form = "%{INSTALLTID} %{INSTALLTIME} %{INSTALLCOLOR}[ %{FILESTATES}]\\n"
        said = subprocess.run(["rpm", "--dbpath", database, "-q", "--qf", form, package.name], stdout=subprocess.PIPE,
                              env={**os.environ, "HOME": folder}, check=True).stdout
        with open(os.path.join(folder, package.name + ".installed"), "wb") as stream:
            stream.write(said)


def dump(path):
    """{table: sorted rows}, and the schema; SQLite's own tables are left out."""
    found = {}
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    query = "SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite%'"
    found["schema"] = sorted(connection.execute(query).fetchall())
    for kind, name, _ in found["schema"]:
        if kind == "table":
            found[name] = sorted(connection.execute(f"SELECT *, typeof(1) FROM '{name}'").fetchall())
    found["sequence"] = connection.execute("SELECT * FROM sqlite_sequence").fetchall()
    return found


def same(one, other):
    left, right = dump(one), dump(other)
    for name in sorted({*left, *right}):
        if left.get(name) != right.get(name):
            print(f"{name}:\n  {left.get(name)}\n  {right.get(name)}")
    return left == right


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(sys.argv[2])
    elif not same(*sys.argv[2:]):
        sys.exit(1)
