#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A system container on a host that systemd runs: systemd is process 1 of namespaces, over this machine's own root, whose
writes go to memory. The example manifest is installed there, started, updated, rolled back, and removed, by runc and crun;
an update that is killed is carried out by the next call. Nothing of this machine is started, stopped or written to."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from kit import run  # noqa: E402  pylint: disable=wrong-import-position

SYSTEMD = "/lib/systemd/systemd"
CGROUPS = "/sys/fs/cgroup"
ASK = "import urllib.request; print(urllib.request.urlopen('http://127.0.0.1:8081', timeout=5).read().decode(), end='')"
# $1: a folder in memory, $2: hierarchies of cgroups of version 1, or none; the others: folders that are seen inside, too.
BOOT = r"""set -eu
memory=$1 hierarchies=$2; shift 2
mount --make-rprivate /
mount -t tmpfs tmpfs "$memory"
mkdir "$memory/upper" "$memory/work" "$memory/root"
root=$memory/root
mount -t overlay -o "lowerdir=/,upperdir=$memory/upper,workdir=$memory/work" overlay "$root"
mount -t proc proc "$root/proc"
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,ro,bind "$root/proc/sys"
mount -t sysfs -o ro sysfs "$root/sys"
if [ -z "$hierarchies" ]; then
    mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
else
    mount -t tmpfs tmpfs "$root/sys/fs/cgroup"
    for name in $hierarchies; do
        mkdir "$root/sys/fs/cgroup/$name"
        case $name in systemd) option=none,name=systemd ;; *) option=$name ;; esac
        mount -t cgroup -o "$option" cgroup "$root/sys/fs/cgroup/$name"
    done
fi
for folder in run tmp etc/systemd/system etc/tmpfiles.d dev var/lib/containers; do
    mkdir -p "$root/$folder"
    mount -t tmpfs -o mode=755 tmpfs "$root/$folder"
done
for device in null zero full random urandom tty; do
    : >"$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
mount -t tmpfs tmpfs "$root/dev/shm"
for folder; do
    mkdir -p "$root$folder"
    mount --bind "$folder" "$root$folder"
done
ip link set lo up
cd "$root"
mkdir -p run/former
pivot_root . run/former
umount -l /run/former
exec env -i container=kit PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --log-target=null --show-status=0 \
    systemd.unit=multi-user.target
"""


class Machine:
    """systemd as process 1, in namespaces and cgroups of its own."""

    def __init__(self, folders):
        self.memory = tempfile.mkdtemp(prefix="imf-machine-")
        self.hierarchies = []
        with open("/proc/self/mountinfo", encoding="utf-8") as stream:
            mounts = [line.split() for line in stream]
        kinds = {words[4]: words[words.index("-") + 1] for words in mounts}
        if kinds.get(CGROUPS) != "cgroup2":
            self.hierarchies = [path[len(CGROUPS) + 1:] for path, kind in kinds.items()
                                if kind == "cgroup" and path.startswith(CGROUPS + "/")]
        others = [path[len(CGROUPS) + 1:] for path, kind in kinds.items()  # systemd mounts it itself
                  if kind == "cgroup2" and path.startswith(CGROUPS + "/")]
        self.groups = [os.path.join(CGROUPS, name, f"imf-{os.getpid()}") for name in self.hierarchies + others or [""]]
        self.is_mixed = False  # controllers in hierarchies of both versions
        self.child, self.pid = None, None
        try:
            self._start(folders)
        except OSError as error:
            self.stop()
            raise unittest.SkipTest(f"no namespaces and cgroups of one's own here: {error}") from error
        except BaseException:
            self.stop()
            raise

    def _start(self, folders):
        for group in self.groups:
            os.mkdir(group)
            for name in ("cpuset.cpus", "cpuset.mems"):
                above = os.path.join(os.path.dirname(group), name)
                if self.hierarchies and os.path.exists(above):
                    with open(above, encoding="ascii") as source, open(os.path.join(group, name), "w", encoding="ascii") as to:
                        to.write(source.read())

        for group in self.groups:
            controllers = os.path.join(group, "cgroup.controllers")
            if self.hierarchies and os.path.exists(controllers):
                with open(controllers, encoding="ascii") as stream:
                    self.is_mixed = self.is_mixed or bool(stream.read().strip())

        def join():
            for group in self.groups:
                with open(os.path.join(group, "cgroup.procs"), "w", encoding="ascii") as stream:
                    stream.write("0")

        self.child = subprocess.Popen(
            ["unshare", "-m", "-p", "-u", "-i", "-n", "-C", "--fork", "--kill-child", "sh", "-c", BOOT, "boot", self.memory,
             " ".join(self.hierarchies), *folders], preexec_fn=join, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        for _ in range(1200):
            if self.child.poll() is not None:
                raise unittest.SkipTest(f"no systemd here: {self.child.stderr.read().decode(errors='replace')}")
            with open(f"/proc/{self.child.pid}/task/{self.child.pid}/children", encoding="ascii") as stream:
                self.pid = next(iter(stream.read().split()), None)
            if self.pid and self.run("systemctl", "is-system-running").stdout.strip() in ("running", "degraded"):
                return
            time.sleep(0.25)
        raise unittest.SkipTest("systemd does not come up in namespaces of this machine")

    def run(self, *words):
        return subprocess.run(["nsenter", "-t", self.pid, "-a", "env", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", *words],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=600, check=False)

    def stop(self):
        if self.pid:
            os.kill(int(self.pid), signal.SIGKILL)
        if self.child:
            self.child.kill()
            self.child.communicate()
        for _ in range(200):  # until all processes of the groups have ended
            for group in self.groups:
                for folder, _, _ in os.walk(group, topdown=False):
                    try:
                        os.rmdir(folder)
                    except OSError:
                        pass
            if not any(os.path.isdir(group) for group in self.groups):
                break
            time.sleep(0.1)
        os.rmdir(self.memory)


@unittest.skipUnless(os.geteuid() == 0 and os.path.exists(SYSTEMD) and shutil.which("runc"), "root, systemd and runc are wanted")
class OnASystemdHost(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.top = tempfile.mkdtemp(prefix="imf-")
        cls.addClassCleanup(shutil.rmtree, cls.top, ignore_errors=True)
        live = os.environ.get("IMGFACTORY_LIVE_CACHE")
        cls.factory = run.Factory(cls.top, **({"cache": live} if live else {}))
        proxies = {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
        result = cls.factory.run("--quiet", "ncat-system", env=proxies, timeout=1200)
        if result.code != run.OK:
            raise AssertionError(result)
        program = os.path.realpath(run.program())
        sources = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
        folders = dict.fromkeys([os.path.realpath(cls.top), sources, os.path.dirname(program)])
        if live:
            folders[os.path.realpath(live)] = None
        cls.machine = Machine([folder for folder in folders if os.path.isdir(folder)])
        cls.addClassCleanup(cls.machine.stop)

    def system(self, *words, code=run.OK, before=()):
        result = self.machine.run(*before, *self.factory.command("system", *words))
        if code is not None:
            self.assertEqual(code, result.returncode, result)
        return result.stdout

    def greeting(self):
        for _ in range(1200):
            result = self.machine.run(sys.executable, "-c", ASK)
            if result.returncode == 0:
                return result.stdout.strip()
            time.sleep(0.25)
        return result.stderr

    def state(self):
        return self.machine.run("systemctl", "is-active", "greet").stdout.strip()

    def test_a_container_lives_its_whole_life(self):
        image = f"oci:{self.factory.output}/ncat-system:latest"
        for runtime in ("/usr/sbin/runc", "/usr/bin/crun"):
            if not os.path.exists(runtime) or (runtime.endswith("crun") and (
                    self.machine.is_mixed or not self.machine.hierarchies and not can_lock())):  # crun takes none of both versions
                continue
            with self.subTest(runtime=runtime):
                self.assertIn("systemctl start greet", self.system("install", image, "--name", "greet", "--runtime", runtime))
                self.assertEqual("enabled", self.machine.run("systemctl", "is-enabled", "greet").stdout.strip())
                self.assertEqual("inactive", self.state())
                self.machine.run("systemctl", "start", "greet")
                self.assertEqual(("Hi World, this is greet", "active"), (self.greeting(), self.state()))
                self.assertIn("it runs", self.system("update", "greet", "--set", "RECEIVER=you"))
                self.assertEqual(("Hi you, this is greet", "active"), (self.greeting(), self.state()))
                self.assertIn("running", self.system("list"))
                self.system("rollback", "greet")
                self.assertEqual(("Hi World, this is greet", "active"), (self.greeting(), self.state()))
                if shutil.which("strace"):  # in the middle of the switch, when the container is stopped
                    strace = ("strace", "-f", "-qq", "-o", self.top + "/calls", "-e", "trace=renameat")
                    self.system("update", "greet", "--set", "RECEIVER=them", "--no-confine", before=strace)
                    with open(self.top + "/calls", encoding="utf-8", errors="replace") as stream:
                        callers = [line.split()[0] for line in stream if "renameat(" in line]
                    count = callers.count(callers[-1])  # of the thread that switches: the last one gives the unit its name
                    self.system("update", "greet", "--set", "RECEIVER=us", "--no-confine", code=None, before=(
                        *strace, "-e", f"inject=renameat:signal=SIGKILL:when={count - 1}"))
                    self.assertNotEqual("active", self.state())
                    self.assertIn("already", self.system("update", "greet"))
                    self.assertEqual(("Hi us, this is greet", "active"), (self.greeting(), self.state()))
                self.machine.run("systemctl", "stop", "greet")
                self.system("update", "greet", "--set", "RECEIVER=all")
                self.assertEqual("inactive", self.state())
                self.machine.run("systemctl", "start", "greet")
                self.assertEqual("Hi all, this is greet", self.greeting())
                self.system("uninstall", "greet")
                self.assertIn("could not be found", self.machine.run("systemctl", "status", "greet").stderr)
                self.assertEqual("", self.machine.run("find", "/etc/systemd/system", "/etc/tmpfiles.d", "-name", "greet*").stdout)
                self.assertNotIn("greet", self.machine.run(runtime, "list").stdout)

    def test_a_unit_that_failed_is_forgotten_with_its_container(self):
        image = f"oci:{self.factory.output}/ncat-system:latest"
        self.system("install", image, "--name", "lost", "--runtime", "/usr/bin/false")
        self.machine.run("systemctl", "start", "lost")
        for _ in range(1200):
            if self.machine.run("systemctl", "is-failed", "lost").returncode == 0:
                break
            time.sleep(0.25)
        self.assertIn("failed", self.system("list"))
        self.system("uninstall", "lost")
        self.assertNotIn("lost", self.machine.run("systemctl", "list-units", "--all", "--plain", "--no-legend").stdout)

    def test_a_service_of_the_machine_keeps_its_name(self):
        image = f"oci:{self.factory.output}/ncat-system:latest"
        self.system("install", image, "--name", "systemd-journald", code=run.USAGE)
        self.assertEqual("active", self.machine.run("systemctl", "is-active", "systemd-journald").stdout.strip())


def can_lock():
    """Whether memory can be locked without a limit, as crun wants it for programs of cgroups of version 2."""
    return subprocess.run(["sh", "-c", "ulimit -l unlimited"], stderr=subprocess.DEVNULL, check=False).returncode == 0


if __name__ == "__main__":
    unittest.main()
