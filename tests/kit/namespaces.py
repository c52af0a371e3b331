# SPDX-License-Identifier: Apache-2.0
"""Linux namespaces for the tests: one user namespace for the whole test program, in which foreign programs run by
binfmt_misc (Linux 6.7 and newer has one for each user namespace, so that the host's is left alone), and network
namespaces joined by veth pairs."""

import ctypes
import os
import subprocess
import time

from . import emulators

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWNET = 0x00020000, 0x10000000, 0x40000000
BINFMT = "/proc/sys/fs/binfmt_misc"
EVERY_ID = "0 0 4294967295\n"
HOST_USERS = "user:[4026531837]"  # PROC_USER_INIT_INO of the kernel: the host's own user namespace
PREFIX6 = "fd00:88::"
# e_machine of 64-bit little-endian programs; the mask lets ET_EXEC and ET_DYN pass, and any OS/ABI padding
MACHINES = {"aarch64": 0xb7}


def unshare(flags):
    """For the calling thread only, as far as the kind of namespace allows that."""
    if LIBC.unshare(flags):
        number = ctypes.get_errno()
        raise OSError(number, f"unshare: {os.strerror(number)}")


def foreign(arch):
    return os.uname().machine != arch


def _rule(arch, qemu):
    def escaped(data):
        return b"".join(b"\\x%02x" % byte for byte in data)
    magic = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00" + bytes([MACHINES[arch], 0])
    mask = b"\xff" * 7 + b"\x00" + b"\xff" * 8 + b"\xfe\xff\xff\xff"
    return b":qemu-%s:M::%s:%s:%s:FOC" % (arch.encode(), escaped(magic), escaped(mask), qemu.encode())


def register(arch):
    """Lets the kernel start programs of that machine with qemu, also inside a chroot (F: the emulator is opened now).
    Whether that worked: an older kernel or a missing privilege says no."""
    qemu = emulators.find(arch)
    if not qemu or not os.path.isdir(BINFMT) or os.readlink("/proc/self/ns/user") == HOST_USERS:
        return False
    mounted = subprocess.run(["mount", "-t", "binfmt_misc", "none", BINFMT], stderr=subprocess.DEVNULL, check=False)
    if mounted.returncode != 0:
        return os.path.exists(f"{BINFMT}/qemu-{arch}")
    try:
        with open(f"{BINFMT}/register", "wb", buffering=0) as stream:
            stream.write(_rule(arch, qemu))
    except OSError:
        return False
    return True


def enter_user_namespace():
    """Moves this process, which must have one thread, into a user and mount namespace of its own where every user is
    the one it is outside. A parent that stays outside has to write the map. Where that is not allowed (in a chroot, by
    policy) the process gets a mount namespace alone."""
    ready, go = os.pipe(), os.pipe()
    target = os.getpid()
    helper = os.fork()
    if helper == 0:
        os.close(ready[1])
        status = 1
        try:
            if os.read(ready[0], 1):
                for name in ("uid_map", "gid_map"):
                    with open(f"/proc/{target}/{name}", "w", encoding="ascii") as stream:
                        stream.write(EVERY_ID)
                status = 0
                os.write(go[1], b"0")
        finally:
            os._exit(status)
    os.close(ready[0])
    os.close(go[1])
    try:
        unshare(CLONE_NEWUSER | CLONE_NEWNS)
    except OSError:
        os.close(ready[1])
        os.close(go[0])
        os.waitpid(helper, 0)
        unshare(CLONE_NEWNS)
    else:
        os.write(ready[1], b"x")
        os.close(ready[1])
        answer = os.read(go[0], 1)
        os.close(go[0])
        os.waitpid(helper, 0)
        if answer != b"0":
            raise OSError("the map of the new user namespace cannot be written")
        os.setgid(0)
        os.setuid(0)
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)


def enter_network(descriptor):
    """Moves the calling thread into the network namespace that a descriptor is open on."""
    if LIBC.setns(descriptor, CLONE_NEWNET):
        number = ctypes.get_errno()
        raise OSError(number, f"setns: {os.strerror(number)}")


def ip(*arguments):
    subprocess.run(["ip", *arguments], check=True, stdout=subprocess.DEVNULL)


def output(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout.decode()


def client_network():
    """Moves the calling thread into a network namespace of its own; programs that it starts are there too."""
    unshare(CLONE_NEWNET)
    ip("link", "set", "lo", "up")


def join(pid, server, client):
    """A veth pair between the calling thread's network (interface `client0`) and that of a process (`eth0`), up and with
    addresses, which have a prefix length; and of IPv6, where the kernel has it."""
    ip("link", "add", "client0", "type", "veth", "peer", "name", "eth0", "netns", str(pid))
    ip("address", "add", client, "dev", "client0")
    ip("link", "set", "client0", "up")
    inside = ["nsenter", f"--net=/proc/{pid}/ns/net", "ip"]
    for arguments in (("link", "set", "lo", "up"), ("address", "add", server, "dev", "eth0"),
                      ("link", "set", "eth0", "up")):
        subprocess.run([*inside, *arguments], check=True, stdout=subprocess.DEVNULL)
    for prefix, interface, number in (([], "client0", 1), (inside[:-1], "eth0", 2)):
        for address in (f"fe80::88:{number}/64", f"{PREFIX6}{number}/64"):  # nodad: at once, nobody else is there
            subprocess.run([*prefix, "ip", "-6", "address", "add", address, "dev", interface, "nodad"], check=False,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 10
    while "state UP" not in output(*inside, "link", "show", "eth0"):
        if time.monotonic() > deadline:
            raise RuntimeError("eth0 did not come up")
        time.sleep(0.02)
