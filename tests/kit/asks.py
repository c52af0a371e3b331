# SPDX-License-Identifier: Apache-2.0
"""Ways to ask a service in a box (box.py) whether it serves, as words of a list: one function each, by name.

    tcp PORT [WORD]              connects; with a word, waits for it
    http PORT [PATH [STATUS]]    any answer, or one with that status
    udp PORT HEX                 sends, waits for any answer
    send PORT HEX [HEX]          sends over TCP, waits for an answer that has the second bytes
    dns PORT                     any answer to a question
    unix PATH                    a socket that takes a connection
    udplisten PORT               somebody listens
    log REGEX                    in what the service printed
    out WORD                     in what the program printed, which may have ended

All but log and out are asked at 127.0.0.1 in the box's own network, where the caller's thread has to be (enter()), so that services
that listen there alone are reached too. Each returns something true when the service serves; errors of the network, EOFError and
ValueError mean not yet (Box.wait_for()).
"""

import errno
import os
import re
import socket

from . import clients, namespaces, paths

HERE = "127.0.0.1"
KINDS = (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET)


def enter(box):
    """Moves the calling thread into the network of a box."""
    network = os.open(f"/proc/{box.process.pid}/ns/net", os.O_RDONLY)
    try:
        namespaces.enter_network(network)
    finally:
        os.close(network)


def _read_until(sock, wanted):
    data = b""
    while wanted not in data:
        chunk = sock.recv(4096)
        if not chunk:
            raise EOFError(f"the connection ended after {data!r}")
        data += chunk
    return True


def tcp(_, port, word=""):
    with socket.create_connection((HERE, int(port)), clients.TIMEOUT) as sock:
        return not word or _read_until(sock, word.encode())


def http(_, port, path="/", status=""):
    got, _ = clients.http_get(HERE, int(port), path)
    clients.need(not status or got == int(status), f"HTTP status {got}")
    return got


def udp(_, port, question):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:  # not connected: TFTP answers from another port
        sock.settimeout(clients.TIMEOUT)
        sock.sendto(bytes.fromhex(question), (HERE, int(port)))
        return sock.recv(4096)


def send(_, port, question, answer=""):
    with socket.create_connection((HERE, int(port)), clients.TIMEOUT) as sock:
        sock.sendall(bytes.fromhex(question))
        return _read_until(sock, bytes.fromhex(answer)) if answer else sock.recv(1)


def dns(_, port):
    # example.org, type SOA: what the server thinks of it does not matter here
    return clients.datagram(HERE, int(port), bytes.fromhex("1d0001000001000000000000076578616d706c65036f72670000060001"))


def unix(box, path):
    folder = os.open(box.root + os.path.dirname(paths.inside(box.root, path)), os.O_PATH | os.O_DIRECTORY)
    try:
        for kind in KINDS:
            with socket.socket(socket.AF_UNIX, kind) as sock:
                sock.settimeout(clients.TIMEOUT)
                try:
                    sock.connect(f"/proc/self/fd/{folder}/{os.path.basename(path)}")  # a name of at most 107 bytes
                    return True
                except OSError as error:
                    if error.errno != errno.EPROTOTYPE:
                        raise
        return False
    finally:
        os.close(folder)


def udplisten(_, port):
    for name in ("udp", "udp6"):
        with open(f"/proc/thread-self/net/{name}", encoding="ascii") as stream:
            if any(line.split()[1].endswith(f":{int(port):04X}") for line in list(stream)[1:]):
                return True
    return False


def log(box, regex):
    return re.search(regex, box.log)


def out(box, word):
    return word in box.log


VERBS = {verb.__name__: verb for verb in (tcp, http, udp, send, dns, unix, udplisten, log, out)}


def ask(box, words):
    """One attempt."""
    return VERBS[words[0]](box, *words[1:])
