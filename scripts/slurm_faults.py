#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Nights of a site on a real Slurm of two nodes (slurm-lab), each with a fault, and what the registry has then.

As root: IMGFACTORY=build/dev/imgfactory scripts/slurm_faults.py DIR [FAULT...]
DIR is the lab's folder, made when it is not there; faults are the names behind "test_" (none: all).
After each fault every tag is at the image that one machine makes, with all of its parts, or is not there; the next night brings all.
"""

import os
import signal
import subprocess
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../tests/e2e"), os.path.join(HERE, "../tests")]

from base import run  # noqa: E402
from kit.case import wait_for  # noqa: E402
from test_shard import ShardCase  # noqa: E402

NAMES = ("one", "two", "three")
LAB = None


class Slurm:
    """The lab in a folder."""

    def __init__(self, folder):
        self.folder = folder
        subprocess.run([f"{HERE}/slurm-lab", "start", folder], check=True)
        with open(f"{folder}/env", encoding="utf-8") as stream:
            text = subprocess.run(["bash", "-c", stream.read() + "\nenv -0"], stdout=subprocess.PIPE, check=True).stdout
        self.env = dict(line.split("=", 1) for line in text.decode().split("\0") if line)

    def call(self, *words, **settings):
        return subprocess.run(words, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True,
                              **settings).stdout.decode().strip()

    def states(self, job):
        """{"7_0": "COMPLETED"}; a task that waits is "7_[0-1]"."""
        lines = self.call("squeue", "--noheader", "--all", "--states=all", f"--job={job}", "--format=%i %T", "--array")
        return dict(line.split() for line in lines.splitlines())

    def ended(self, job):
        return all(state in ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY")
                   for state in self.states(job).values())

    def node_of(self, job):
        return self.call("squeue", "--noheader", f"--job={job}", "--format=%N", "--array")

    def up(self):
        return self.call("sinfo", "--noheader", "--Node", "--format=%N %T")

    def processes(self, node):
        """Of a node: its slurmd, and all that it started."""
        with open(f"{self.folder}/slurmd.{node}.pid", encoding="ascii") as stream:
            daemon = int(stream.read())
        found = [daemon]
        for pid in (int(name) for name in os.listdir("/proc") if name.isdigit()):
            try:
                with open(f"/proc/{pid}/environ", "rb") as stream:
                    environ = stream.read().split(b"\0")
                if f"SLURMD_NODENAME={node}".encode() in environ and f"SLURM_CONF={self.folder}/slurm.conf".encode() in environ:
                    found.append(pid)
            except OSError:
                continue
        return found

    def stop(self):
        subprocess.run([f"{HERE}/slurm-lab", "stop", self.folder], check=False)


class Nights(ShardCase):
    def setUp(self):
        super().setUp()
        self.right = self.one_machine(1)
        self.begin("me")

    def one_machine(self, number):
        """What one machine pushes of the lock, by a site file of its own."""
        site = self.write(f"alone{number}.yaml", self.head.replace("namespace: me", f"namespace: alone{number}") +
                          "images:\n  - one\n  - two\n  - three\n")
        self.on(f"alone{number}", "--config", site, "--locked", "--lock-file", "imgfactory.lock")
        return {name: self.tags(name, f"alone{number}") for name in NAMES}

    def begin(self, namespace):
        """A site of its own, and its scripts, each node with cache, state and temporary files of its own."""
        self.namespace = namespace
        self.site("  - one\n  - two\n  - three\n", self.head.replace("namespace: me", f"namespace: {namespace}"))
        result = self.call("unit", "--manifests", self.path("manifests"), "--format", "slurm", "--shard", "4%2", "--units",
                           self.path(f"units-{namespace}"), "--retries", "1")
        self.assertEqual(result.code, run.OK, result)
        for name in ("shards", "assemble"):
            path = self.path(f"units-{namespace}/imgfactory-{name}.sbatch")
            with open(path, encoding="utf-8") as stream:
                text = stream.read()
            own = self.path("nodes") + "/$SLURMD_NODENAME"
            text = text.replace("work=$(mktemp -d)", f"export XDG_CACHE_HOME={own}/cache XDG_STATE_HOME={own}/state TMPDIR={own}/tmp\n"
                                f"mkdir -p $TMPDIR\nwork=$(mktemp -d)").replace("sleep 60", "sleep 20")
            self.write(f"units-{namespace}/imgfactory-{name}.sbatch", text)

    def submit(self, name="shards", *words):
        """Starts a script; the number of its job."""
        done = subprocess.run(["sbatch", "--parsable", "--time=10", "--mem=500M", f"--output={self.path('log')}", *words,
                               self.path(f"units-{self.namespace}/imgfactory-{name}.sbatch")], check=True, cwd=self.top,
                              env={**LAB.env, **{key: value for key, value in self.env.items() if value}}, stdout=subprocess.PIPE)
        return done.stdout.decode().strip().split(";")[0]

    def night(self):
        """Shards, and the job behind them."""
        shards = self.submit()
        return shards, self.submit("assemble", f"--dependency=afterany:{shards}")

    def hold(self, nth):
        """Holds a worker in a request of its own."""
        return self.proxy.fault("PUT POST PATCH", f"/v2/{self.namespace}/", nth=nth, hold="before")

    def check(self, are_all):
        for name in NAMES:
            seen = {tag: at for tag, at in self.tags(name, self.namespace).items() if not tag.startswith("imgfactory-")}
            right = self.right[name]
            self.assertEqual(seen if are_all else {**right, **seen}, right)
            for digest in set(seen.values()):
                self.target.check(f"{self.namespace}/{name}", digest)

    def heal(self):
        """The next night."""
        for fault in self.proxy.faults:
            fault.left = 0
        wait_for("two nodes", lambda: LAB.up().count("idle") == 2)
        _, assemble = self.night()
        wait_for("the next night", lambda: LAB.ended(assemble))
        self.check(True)

    def end(self, *jobs):
        for job in jobs:
            wait_for(f"job {job}", lambda job=job: LAB.ended(job), 600)
        self.check(False)

    def test_none(self):
        _, assemble = self.night()
        self.end(assemble)
        self.check(True)

    def test_node_killed(self):
        fault = self.hold(2)
        shards, assemble = self.night()
        wait_for("a request", fault.reached.is_set)
        running = [job for job, state in LAB.states(shards).items() if state == "RUNNING"]
        node = LAB.node_of(running[0])
        for pid in LAB.processes(node):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        fault.left = 0
        self.check(False)
        wait_for("the node's loss", lambda: any(node in line and "down" in line for line in LAB.up().splitlines()))
        self.check(False)
        subprocess.run([f"{HERE}/slurm-lab", "node", LAB.folder, node[1:]], check=True)
        wait_for("the node", lambda: not any(node in line and "down" in line for line in LAB.up().splitlines()))
        self.end(shards, assemble)
        self.heal()

    def test_requeue(self):
        fault = self.hold(1)
        shards, assemble = self.night()
        wait_for("a request", fault.reached.is_set)
        running = [job for job, state in LAB.states(shards).items() if state == "RUNNING"]
        LAB.call("scontrol", "requeue", running[0])
        fault.left = 0
        self.end(shards, assemble)
        self.heal()

    def test_task_twice(self):
        jobs = [self.submit("shards", "--array=1"), self.submit("shards", "--array=1")]
        self.end(*jobs)
        self.heal()

    def test_cancelled(self):
        fault = self.hold(3)
        shards, assemble = self.night()
        wait_for("a request", fault.reached.is_set)
        LAB.call("scancel", shards)
        self.end(shards, assemble)
        self.heal()

    def test_assemble_killed(self):
        shards = self.submit()
        self.end(shards)
        fault = self.proxy.fault("PUT", f"/v2/{self.namespace}/.*/manifests/latest", hold="after")
        assemble = self.submit("assemble")
        wait_for("a tag", fault.reached.is_set)
        LAB.call("scancel", "--signal=KILL", "--full", assemble)
        self.end(assemble)
        self.heal()

    def test_full_disk(self):
        node = self.path("nodes/n2")
        os.makedirs(node)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", node], check=True)
        try:
            shards, assemble = self.night()
            self.end(shards, assemble)
        finally:
            subprocess.run(["umount", "-l", node], check=True)
        self.heal()

    def test_registry_away(self):
        fault = self.proxy.fault("*", "/v2/", nth=20, times=None, reset=True)
        shards, assemble = self.night()
        time.sleep(60)
        fault.left = 0
        self.end(shards, assemble)
        self.heal()

    def test_two_nights(self):
        """The second begins, with newer sources, while the first is held; the first comes last."""
        fault = self.hold(2)
        first, behind = self.night()
        wait_for("a request", fault.reached.is_set)
        self.newer()
        os.rename(self.path("imgfactory.lock"), self.path("old.lock"))
        self.lock()
        self.right = self.one_machine(2)
        fault.left = 0
        second, assemble = self.night()
        for job in (first, behind, second, assemble):
            wait_for("both nights", lambda job=job: LAB.ended(job), 600)
        late = self.machine("late").run("assemble", "--lock-file", "old.lock", cwd=self.top, env=self.env)
        self.assertIn(late.code, (run.OK, run.PARTLY, run.PUBLISH), late)
        self.check(False)
        self.heal()


def main():
    global LAB
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__.strip())
    LAB = Slurm(os.path.abspath(sys.argv[1]))
    try:
        unittest.main(argv=sys.argv[:1] + [f"Nights.test_{name}" for name in sys.argv[2:]] or ["Nights"], verbosity=2)
    finally:
        LAB.stop()


if __name__ == "__main__":
    main()
