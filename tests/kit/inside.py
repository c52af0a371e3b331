# SPDX-License-Identifier: Apache-2.0
"""The first program of a box (see box.py): makes what a container engine makes, then becomes the image's command. It is
PID 1 of new PID, mount, IPC, UTS and network namespaces. Its only argument is a JSON object; a byte on standard input
tells that the network is there.

Python's standard library only, and nothing from the kit: it is a program of its own.
"""

import ctypes
import json
import os
import socket
import subprocess
import sys

LIBC = ctypes.CDLL(None, use_errno=True)
PR_CAPBSET_DROP = 24
LAST_CAPABILITY = 40
# what podman leaves a container without options
CAPABILITIES = {"CHOWN": 0, "DAC_OVERRIDE": 1, "FOWNER": 3, "FSETID": 4, "KILL": 5, "SETGID": 6, "SETUID": 7,
                "SETPCAP": 8, "NET_BIND_SERVICE": 10, "SYS_CHROOT": 18, "SETFCAP": 31}
# what may be added (--cap-add)
MORE = {"DAC_READ_SEARCH": 2, "LINUX_IMMUTABLE": 9, "NET_BROADCAST": 11, "NET_ADMIN": 12, "NET_RAW": 13, "IPC_LOCK": 14,
        "IPC_OWNER": 15, "SYS_RAWIO": 17, "SYS_PTRACE": 19, "SYS_ADMIN": 21, "SYS_NICE": 23, "SYS_RESOURCE": 24,
        "SYS_TIME": 25, "MKNOD": 27, "AUDIT_WRITE": 29, "SYSLOG": 34, "BPF": 39}
PR_SET_KEEPCAPS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 8, 47, 2
CAPABILITY_VERSION = 0x20080522
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
LINKS = {"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2",
         "ptmx": "pts/ptmx"}


def mount(*arguments):
    subprocess.run(["mount", *arguments], check=True)


def prctl(*arguments):
    if LIBC.prctl(*arguments, *([0] * (5 - len(arguments)))):
        number = ctypes.get_errno()
        raise OSError(number, f"prctl{arguments}: {os.strerror(number)}")


def make_dev(root):
    dev = os.path.join(root, "dev")
    os.makedirs(dev, exist_ok=True)
    mount("-t", "tmpfs", "-o", "mode=755,size=64k", "tmpfs", dev)
    for name in DEVICES:
        with open(os.path.join(dev, name), "wb"):
            pass
        mount("--bind", "/dev/" + name, os.path.join(dev, name))
    for name, target in LINKS.items():
        os.symlink(target, os.path.join(dev, name))
    for name, kind, options in (("pts", "devpts", "newinstance,ptmxmode=0666,mode=620"),
                                ("shm", "tmpfs", "mode=1777,size=64m")):
        os.mkdir(os.path.join(dev, name))
        mount("-t", kind, "-o", options, kind, os.path.join(dev, name))


def print_syslog(root):
    """A /dev/log of which a process of its own prints all messages. Engines give none: it is for finding out why."""
    log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    log.bind(os.path.join(root, "dev/log"))
    os.chmod(os.path.join(root, "dev/log"), 0o666)
    if os.fork() == 0:
        while True:
            os.write(1, log.recv(8192).rstrip(b"\0\n") + b"\n")


def make_etc(root, name, address):
    """hosts, hostname and resolv.conf are the engine's, whatever the image has."""
    os.makedirs(os.path.join(root, "etc"), exist_ok=True)
    for path, text in (("hosts", f"127.0.0.1 localhost\n::1 localhost\n{address} {name}\n"), ("hostname", name + "\n"),
                       ("resolv.conf", "nameserver 127.0.0.1\n")):
        with open(os.path.join(root, "etc", path), "w", encoding="ascii") as stream:
            stream.write(text)


def give(numbers):
    """Capabilities that were asked for reach a program also when its user is not root, as podman's --cap-add gives them."""
    mask = sum(1 << number for number in numbers)
    words = [word & 0xffffffff for shift in (0, 32) for word in [mask >> shift] * 3]
    header, sets = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0), (ctypes.c_uint32 * 6)(*words)
    if LIBC.capset(header, sets):
        number = ctypes.get_errno()
        raise OSError(number, f"capset: {os.strerror(number)}")
    for number in numbers:
        prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number)


def drop(box):
    """Capabilities and identity of the container's first process."""
    more = {{**CAPABILITIES, **MORE}[name] for name in box["capabilities"]}
    wanted = {*CAPABILITIES.values(), *more}
    for number in range(LAST_CAPABILITY + 1):
        if number not in wanted:
            prctl(PR_CAPBSET_DROP, number)
    os.setgroups(box["groups"])
    os.setresgid(box["gid"], box["gid"], box["gid"])
    if more and box["uid"] != 0:
        prctl(PR_SET_KEEPCAPS, 1)
    os.setresuid(box["uid"], box["uid"], box["uid"])
    if more and box["uid"] != 0:
        give(more)


def main():
    box = json.loads(sys.argv[1])
    root = box["root"]
    mount("--make-rprivate", "/")
    mount("--bind", root, root)
    make_dev(root)
    for name in ("proc", "sys"):
        os.makedirs(os.path.join(root, name), exist_ok=True)
    mount("-t", "proc", "proc", os.path.join(root, "proc"))
    make_etc(root, box["name"], box["address"])
    socket.sethostname(box["name"])
    os.umask(0o022)
    os.read(0, 1)
    null = os.open("/dev/null", os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    for number in (1, 2):
        os.fchown(number, box["uid"], box["gid"])
    if box["syslog"]:
        print_syslog(root)
    os.chroot(root)
    os.chdir(box["directory"])
    drop(box)
    os.execve(box["command"][0], box["command"], box["env"])


if __name__ == "__main__":
    main()
