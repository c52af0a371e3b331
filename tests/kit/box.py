# SPDX-License-Identifier: Apache-2.0
"""Runs an image from its unpacked layout as a container engine would: own namespaces, the devices, files and
capabilities that podman gives, and user, environment, directory and command of the image's configuration.

The thread that makes a box gets a network namespace of its own, joined to the box's: it and the programs it starts see
the service at SERVER, from CLIENT.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time

from . import namespaces, paths

SERVER, CLIENT, PREFIX = "10.88.0.2", "10.88.0.1", "/24"
INSIDE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "inside.py")
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
TAIL = 4000


def unpack(built, folder):
    """The layer as tar unpacks it, with its owners and the capabilities of its programs."""
    os.makedirs(folder)
    subprocess.run(["tar", "--extract", "--preserve-permissions", "--numeric-owner", "--xattrs",
                    "--xattrs-include=security.capability", "--directory", folder,
                    "--file", "-"], input=built.tar_bytes, check=True)
    return folder


def database(root, name):
    """The fields of each line of etc/passwd or etc/group."""
    try:
        with open(os.path.join(root, "etc", name), encoding="utf-8") as stream:
            return [line.rstrip("\n").split(":") for line in stream]
    except FileNotFoundError:
        return []


def identity(root, user):
    """(uid, gid, further gids) of an image's `user` or `user:group`, as engines read it."""
    name, _, group = user.partition(":")
    entry = next((fields for fields in database(root, "passwd") if name in (fields[0], fields[2])), None)
    if not entry and name and not name.isdigit():
        raise AssertionError(f"no matching entries in passwd file: {name}")
    uid = int(entry[2]) if entry else int(name or 0)
    gid = int(entry[3]) if entry else 0
    if group:
        gid = next((int(fields[2]) for fields in database(root, "group") if group in (fields[0], fields[2])), None)
        return uid, int(group) if gid is None else gid, []
    more = [int(fields[2]) for fields in database(root, "group") if entry and entry[0] in fields[3].split(",")]
    return uid, gid, more


class Box:
    """`config` is the image's configuration (its "config" member). `command` replaces the image's cmd; `files` are
    {path: content} as mounts would bring them; `emulator` starts the program where the kernel cannot. `has_syslog`: what the
    service says to /dev/log is in the log, too."""

    def __init__(self, root, config, name, emulator=None):
        self.root, self.config, self.name, self.emulator = root, config, name, emulator
        self.files, self.capabilities, self.env = {}, [], {}
        self.process, self.has_syslog = None, False
        self._log, self._lock = [], threading.Lock()
        self._reader = None

    @property
    def log(self):
        with self._lock:
            return b"".join(self._log).decode(errors="replace")

    def _put_files(self):
        for path, content in self.files.items():
            target = self.root + paths.inside(self.root, path)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, "wb") as stream:
                stream.write(content.encode() if isinstance(content, str) else content)

    def _description(self, command):
        uid, gid, groups = identity(self.root, self.config.get("User", ""))
        home = next((fields[5] for fields in database(self.root, "passwd") if fields[2] == str(uid)), "/")
        env = {"PATH": DEFAULT_PATH, "HOME": home, "HOSTNAME": self.name, "container": "podman"}
        env.update(item.split("=", 1) for item in self.config.get("Env") or [])
        env.update(self.env)
        words = [*(self.config.get("Entrypoint") or []),
                 *(self.config.get("Cmd") or [] if command is None else command)]
        if self.emulator:
            shutil.copy(self.emulator, os.path.join(self.root, "emulator"))
            words = ["/emulator", *words]
        return {"root": self.root, "name": self.name, "address": SERVER, "uid": uid, "gid": gid, "groups": groups,
                "env": env, "command": words, "directory": self.config.get("WorkingDir") or "/",
                "capabilities": self.capabilities, "syslog": self.has_syslog}

    def start(self, command=None):
        """Once for each thread: the network is the thread's."""
        self._put_files()
        namespaces.client_network()
        text = json.dumps(self._description(command))
        self.process = subprocess.Popen(
            ["unshare", "--net", "--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child", sys.executable, "-B",
             INSIDE, text],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        namespaces.join(self._network_of(), SERVER + PREFIX, CLIENT + PREFIX)
        self.process.stdin.write(b"x")
        self.process.stdin.close()
        return self

    def _network_of(self):
        """unshare's own process number, once it has left this network."""
        here = os.stat(f"/proc/self/task/{threading.get_native_id()}/ns/net").st_ino
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and self.process.poll() is None:
            if os.stat(f"/proc/{self.process.pid}/ns/net").st_ino != here:
                return self.process.pid
            time.sleep(0.01)
        raise RuntimeError(f"{self.name}: no network namespace")

    def _read(self):
        while chunk := os.read(self.process.stdout.fileno(), 65536):
            with self._lock:
                self._log.append(chunk)

    def finish_log(self):
        """Waits for the last of what a program that ended has printed."""
        self._reader.join(5)

    def first(self):
        """The process number of the service, as seen here."""
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children", encoding="ascii") as stream:
            children = stream.read().split()
        return int(children[0]) if children else None

    def running(self):
        return self.process.poll() is None

    def exec(self, *command, timeout=60):
        """Another program inside the box, as root: (exit status, output)."""
        prefix = ["/emulator"] if self.emulator else []
        done = subprocess.run(["nsenter", f"--target={self.first()}", "--mount", "--net", "--pid", "--ipc", "--uts",
                               "--root", "--wd", *prefix, *command], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout, check=False,
                              env={"PATH": DEFAULT_PATH})
        return done.returncode, done.stdout.decode(errors="replace")

    def wait_for(self, attempt, seconds=60):
        """Calls attempt() until it returns something true, and returns that. Errors of the network count as not yet."""
        deadline, last = time.monotonic() + seconds, None
        while time.monotonic() < deadline:
            if not self.running():
                raise AssertionError(f"{self.name} ended with status {self.process.returncode}")
            try:
                if result := attempt():
                    return result
            except (OSError, EOFError, ValueError) as error:
                last = error
            time.sleep(0.1)
        raise AssertionError(f"{self.name} did not answer within {seconds} s (last: {last!r})")

    def stop(self, seconds=20):
        """Sends the image's stop signal to its first process. The exit status, or None when that goes on."""
        first, name = self.first(), self.config.get("StopSignal", "SIGTERM")
        if not self.running() or first is None:
            return self.process.wait()
        os.kill(first, getattr(signal, name))
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def close(self):
        if not self.process:
            return
        if self.running():
            first = self.first()  # --kill-child does not reach a process that changed its user
            if first:
                os.kill(first, signal.SIGKILL)
            self.process.kill()
        self.process.wait()
        self._reader.join(5)
        if not self._reader.is_alive():
            self.process.stdout.close()

    def tail(self):
        return self.log[-TAIL:]
