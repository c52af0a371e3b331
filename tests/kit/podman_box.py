# SPDX-License-Identifier: Apache-2.0
"""Runs a command line of podman's as its author would, in namespaces of the test's own, and answers as box.Box does: the
same questions are asked of it. Nothing of the host's network, /etc, /var/lib or containers is touched.

The container is at SERVER, the program that asks at CLIENT: over podman's own bridge, or, where the container has the
network of its host, over a veth pair to a network namespace that plays the host.
"""

import json
import os
import shlex
import shutil
import subprocess
import tempfile
import time

from . import namespaces
from .box import CLIENT, PREFIX, SERVER

# Podman sets limits that a test in a container of its own may not raise.
CONF = '[containers]\ndefault_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]\n[engine]\nevents_logger = "file"\n'
HIDDEN = ("/etc", "/var/lib", "/srv")  # of the host: what is made there stays in memory


def enter(top):
    """Moves this process, of one thread, into mount and network namespaces in which the host's folders can be written to."""
    namespaces.unshare(namespaces.CLONE_NEWNS | namespaces.CLONE_NEWNET)
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    memory = os.path.join(top, "memory")
    os.makedirs(memory)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", memory], check=True)
    for path in HIDDEN:
        upper, work = memory + path.replace("/", "-") + ".upper", memory + path.replace("/", "-") + ".work"
        upper, work = os.path.join(memory, path.strip("/").replace("/", "-")), os.path.join(memory, "work" + path.replace("/", "-"))
        os.makedirs(upper)
        os.makedirs(work)
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o", f"lowerdir={path},upperdir={upper},workdir={work}", path],
                       check=True)
    namespaces.ip("link", "set", "lo", "up")


class Engine:
    """podman with storage of its own below `top`, which has to be a short path."""

    def __init__(self, top):
        self.top = top
        conf = os.path.join(top, "containers.conf")
        with open(conf, "w", encoding="ascii") as stream:
            stream.write(CONF)
        self.env = {**os.environ, "CONTAINERS_CONF": conf, "HOME": top}
        self.words = ["podman", "--root", os.path.join(top, "root"), "--runroot", os.path.join(top, "run"), "--tmpdir",
                      os.path.join(top, "tmp"), "--cgroup-manager", "cgroupfs"]

    def run(self, *arguments, code=0, typed=b"", prefix=(), timeout=120):
        done = subprocess.run([*prefix, *self.words, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              input=typed, env=self.env, timeout=timeout, check=False)
        if code is not None and done.returncode != code:
            raise AssertionError(f"podman {shlex.join(arguments)}: {done.returncode}\n{done.stderr.decode()}")
        return done

    def close(self):
        self.run("rm", "-f", "-a", "-t", "0", code=None)
        self.run("volume", "prune", "-f", code=None)
        subprocess.run(["umount", "-R", os.path.join(self.top, "root/overlay")], stderr=subprocess.DEVNULL, check=False)


class PodmanBox:
    """`line` is "podman run … IMAGE"; `mounts` are {path: content}, `env` variables that are given besides."""

    def __init__(self, engine, line, name, mounts=(), env=()):
        words = shlex.split(line)
        assert words[:2] == ["podman", "run"], line
        self.engine, self.name, self.words = engine, name, words[2:]
        self.mounts, self.env, self.host = dict(mounts), dict(env), None
        self.folder = tempfile.mkdtemp(prefix="given-", dir=engine.top)

    def _given(self):
        """Options of the test's own, before those of the line."""
        for index, (path, content) in enumerate(self.mounts.items()):
            source = os.path.join(self.folder, str(index))
            with open(source, "wb") as stream:
                stream.write(content.encode() if isinstance(content, str) else content)
            yield f"--volume={source}:{path}:ro"
        for name, value in self.env.items():
            yield f"--env={name}={value}"

    def has_host_network(self):
        return "--network=host" in self.words

    def start(self, command=()):
        prefix, options = [], ["--detach", "--name", self.name, *self._given()]
        if self.has_host_network():
            self.host = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
            time.sleep(0.2)
            namespaces.join(self.host.pid, SERVER + PREFIX, CLIENT + PREFIX)
            prefix = ["nsenter", f"--net=/proc/{self.host.pid}/ns/net"]
        else:
            options.append(f"--ip={SERVER}")
        self.engine.run("run", *options, *self.words, *command, prefix=prefix)
        return self

    def state(self):
        return json.loads(self.engine.run("inspect", "--type", "container", self.name).stdout)[0]["State"]

    @property
    def root(self):
        return f"/proc/{self.state()['Pid']}/root"

    @property
    def log(self):
        done = self.engine.run("logs", self.name, code=None)
        return (done.stdout + done.stderr).decode(errors="replace")

    def running(self):
        return self.state()["Running"]

    def exec(self, *command, timeout=60):
        done = self.engine.run("exec", self.name, *command, code=None, timeout=timeout)
        return done.returncode, (done.stdout + done.stderr).decode(errors="replace")

    def wait_for(self, attempt, seconds=60):
        deadline, last = time.monotonic() + seconds, None
        while time.monotonic() < deadline:
            if not self.running():
                raise AssertionError(f"{self.name} ended:\n{self.log[-2000:]}")
            try:
                if result := attempt():
                    return result
            except (OSError, EOFError, ValueError) as error:
                last = error
            time.sleep(0.1)
        raise AssertionError(f"{self.name} did not answer within {seconds} s (last: {last!r})\n{self.log[-2000:]}")

    def changed(self):
        """Paths of the container's own layer that were made or written to, without directories that only hold others."""
        lines = self.engine.run("diff", "--format", "json", self.name).stdout
        found = json.loads(lines or b"{}") or {}
        paths = {*found.get("changed", []), *found.get("added", []), *found.get("deleted", [])}
        return sorted(path for path in paths if not any(other.startswith(path + "/") for other in paths))

    def stop(self, seconds=20):
        """By the image's signal; the exit status, or None when it had to be killed."""
        begun = time.monotonic()
        self.engine.run("stop", "-t", str(seconds), self.name, timeout=seconds + 60)
        return None if time.monotonic() - begun >= seconds else self.state()["ExitCode"]

    def close(self):
        self.engine.run("rm", "-f", "-v", "-t", "0", self.name, code=None)
        if self.host:
            self.host.kill()
            self.host.wait()
            subprocess.run(["ip", "link", "del", "client0"], stderr=subprocess.DEVNULL, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)
