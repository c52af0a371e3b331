# SPDX-License-Identifier: Apache-2.0
"""Nothing from a package is executed: a build of twenty packages whose scripts, programs, units and configuration would each leave a
mark, watched by strace, starts no program but its own helpers, and maps no code but the host's."""

import os
import re
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from kit import deb, rpm, rpm_case, rpm_services, rpm_world, run, world  # noqa: E402  pylint: disable=wrong-import-position
from kit.case import Case, need  # noqa: E402  pylint: disable=wrong-import-position

COUNT = 20
HELPERS = {"gpgv"}  # what the program may start (trust/)
SHARED = rpm_case.Shared()
SCRIPT = """\
#!/bin/sh
set -e
adduser --system {name} || useradd -r {name}
mkdir -p /var/lib/{name}; chown {name} /var/lib/{name}
touch {mark}.script
NOW=$(touch {mark}.word) THEN=`touch {mark}.back`
/usr/sbin/{name}
eval 'touch {mark}.eval'
. /usr/share/{name}/words.sh
"""
UNIT = """\
[Service]
EnvironmentFile=/etc/{name}.environment
ExecStartPre=/usr/share/{name}/words.sh
ExecStart=/usr/sbin/{name} $WORDS
User={name}
RuntimeDirectory={name}
"""


def tearDownModule():
    SHARED.close()


def busy_files(kind, name, program, mark):
    """The files of a service, by deb.py or rpm.py."""
    return [kind.program(f"/usr/sbin/{name}", program),
            kind.program(f"/usr/share/{name}/words.sh", f"#!/bin/sh\ntouch {mark}.words\n"),
            kind.File(f"/etc/{name}.environment", f'WORDS="$(touch {mark}.environment)"\n'),
            kind.File(f"/etc/{name}.conf", f'include_shell "/usr/share/{name}/words.sh"\n'),
            kind.File(f"/usr/lib/systemd/system/{name}.service", UNIT.format(name=name))]


def names():
    return [f"busy-{number}" for number in range(COUNT)]


class Watched:
    """Runs the program below strace."""

    def watch(self):
        """Builds an image of all busy services. ({paths of programs that were started}, {files that were mapped as code})"""
        need("strace")
        self.write_manifest("served", "automatic: true\nbinaries: [%s]\n" % ", ".join(f"/usr/sbin/{name}" for name in names()))
        log = self.path("calls.log")
        done = subprocess.run(["strace", "-f", "-qq", "-y", "-s", "4096", "-o", log, "-e", "trace=execve,execveat,mmap",
                               *self.factory.command("--arch", "x86_64", "served")],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env=self.factory.environment(), check=False, timeout=300)
        self.assertEqual(done.returncode, run.OK, done.stdout.decode(errors="replace"))
        with open(log, encoding="utf-8", errors="replace") as stream:
            calls = stream.read()
        started = set(re.findall(r'execve(?:at)?\([^"\n]*"([^"\n]*)"[^\n]*(?:= 0|<unfinished \.\.\.>)$', calls, re.M))
        mapped = set(re.findall(r"mmap\([^\n]*PROT_EXEC[^\n]*?, \d+<([^>\n]+)>", calls))
        return started, mapped

    def assert_own_only(self, started, mapped):
        """The program itself and its helpers, of which none lies in the test's folders; children were seen."""
        ours = {path for path in started if os.path.realpath(path) == os.path.realpath(run.program())}
        self.assertEqual({os.path.basename(path) for path in started - ours}, HELPERS)
        self.assertTrue(ours and mapped)
        self.assertEqual([path for path in started | mapped if path.startswith(self.top)], [])
        self.assertEqual([name for name in os.listdir(self.top) if name.startswith("mark")], [])


@unittest.skipIf(run.sanitizer(), "strace and sanitizers do not go together")
class OfDebian(Watched, Case):
    def test_twenty_packages_with_scripts(self):
        machine, mark = world.MACHINES["amd64"], self.path("mark")
        packages = world.packages(("amd64",))
        for name in names():
            program = world.executable(machine, ["libc.so.6"])
            package = deb.Package(name, busy_files(deb, name, program, mark), arch="amd64", Depends="libc6")
            package.scripts = {script: SCRIPT.format(name=name, mark=mark) for script in ("preinst", "postinst", "prerm", "config")}
            packages.append(package)
        self.make_repository(packages=packages, architectures=("amd64",))
        self.use(self.write_source())
        self.assert_own_only(*self.watch())


@unittest.skipIf(run.sanitizer(), "strace and sanitizers do not go together")
class OfFedora(Watched, rpm_case.BuildCase):
    shared = SHARED

    def test_twenty_packages_with_scripts(self):
        mark = self.path("mark")
        program = rpm_world.compile_program("x86_64", rpm_world.PLAIN)
        packages = rpm_services.packages(("x86_64",))
        for name in names():
            script = SCRIPT.format(name=name, mark=mark)
            packages.append(rpm.Package(name, busy_files(rpm, name, program, mark), arch="x86_64", scripts={
                "pre": script, "post": script, "posttrans": script,
                "pretrans -p <lua>": f'os.execute("touch {mark}.lua")\nposix.mkdir("{mark}.folder")\n'}))
        self.use_folder(SHARED.get("busy", lambda: packages))
        self.assert_own_only(*self.watch())


if __name__ == "__main__":
    unittest.main()
