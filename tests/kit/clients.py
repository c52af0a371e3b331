# SPDX-License-Identifier: Apache-2.0
"""Small clients of the protocols that the catalogue's services speak: one exchange each, over sockets, with a timeout.
An answer that makes no sense is a ValueError."""

import http.client
import os
import random
import socket
import struct

TIMEOUT = 3
SO_NO_CHECK = 11  # linux/asm-generic/socket.h; Python's module does not have it


def need(condition, words):
    if not condition:
        raise ValueError(words)


class Line:
    """A TCP connection that is read in lines and in counts."""

    def __init__(self, host, port):
        self.socket = socket.create_connection((host, port), TIMEOUT)
        self.file = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def line(self):
        line = self.file.readline()
        if not line.endswith(b"\n"):
            raise EOFError("the connection ended")
        return line.rstrip(b"\r\n")

    def exactly(self, count):
        data = self.file.read(count)
        if len(data) != count:
            raise EOFError("the connection ended")
        return data


def datagram(host, port, question, size=4096):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(TIMEOUT)
        sock.connect((host, port))
        sock.send(question)
        return sock.recv(size)


# ---- DHCP, RFC 2131

DISCOVER, OFFER, REQUEST, ACK = 1, 2, 3, 5
COOKIE = b"\x63\x82\x53\x63"


def _dhcp_message(kind, transaction, hardware, options):
    head = struct.pack("!BBBBIHH16x16s192x", 1, 1, 6, 0, transaction, 0, 0x8000, hardware)
    body = b"".join(bytes([code, len(value)]) + value for code, value in {53: bytes([kind]), **options}.items())
    return head + COOKIE + body + b"\xff"


def _dhcp_read(data, transaction):
    need(len(data) > 240 and data[0] == 2 and data[236:240] == COOKIE, "no DHCP reply")
    need(struct.unpack_from("!I", data, 4)[0] == transaction, "another transaction")
    options, at = {}, 240
    while at < len(data) and data[at] != 255:
        if data[at] == 0:
            at += 1
            continue
        options[data[at]] = data[at + 2:at + 2 + data[at + 1]]
        at += 2 + data[at + 1]
    return socket.inet_ntoa(data[16:20]), options


def dhcp(interface, hardware=b"\x02\x00\x00\x00\x00\x2a"):
    """Discovers and requests a lease: (address, options of the ACK)."""
    transaction = random.getrandbits(32)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
        # no checksum: a veth pair leaves it unfinished, and a raw socket that qemu translates is not told so
        sock.setsockopt(socket.SOL_SOCKET, SO_NO_CHECK, 1)
        sock.settimeout(TIMEOUT)
        sock.bind(("0.0.0.0", 68))

        def ask(kind, options):
            sock.sendto(_dhcp_message(kind, transaction, hardware, options), ("255.255.255.255", 67))
            return _dhcp_read(sock.recv(2048), transaction)
        address, options = ask(DISCOVER, {})
        need(options.get(53) == bytes([OFFER]), "no offer")
        again, options = ask(REQUEST, {50: socket.inet_aton(address), 54: options[54]})
        need(options.get(53) == bytes([ACK]) and again == address, "no acknowledgement")
        return address, options


# ---- DHCPv6, RFC 8415

ADVERTISE = 2


def dhcp6(interface):
    """Solicits an address: that which a server advertises."""
    transaction, client = os.urandom(3), b"\x00\x03\x00\x01\x02\x00\x00\x00\x00\x2a"
    options = struct.pack("!HH", 1, len(client)) + client + struct.pack("!HHIII", 3, 12, 1, 0, 0)
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
        index = socket.if_nametoindex(interface)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
        sock.settimeout(TIMEOUT)
        sock.bind(("::", 546))
        sock.sendto(b"\x01" + transaction + options, ("ff02::1:2", 547, 0, index))
        data = sock.recv(2048)
    need(data[0] == ADVERTISE and data[1:4] == transaction, "no advertisement")
    at = 4
    while at + 4 <= len(data):
        kind, size = struct.unpack_from("!HH", data, at)
        if kind == 3 and size >= 12 + 28:  # IA_NA with an IAADDR
            return socket.inet_ntop(socket.AF_INET6, data[at + 4 + 12 + 4:at + 4 + 12 + 20])
        at += 4 + size
    raise ValueError("no address in the advertisement")


# ---- dynamic DNS, RFC 2136; Kea's own messages to its updater

def dns_update(host, port, name, address, listen):
    """Tells Kea's updater of a lease, and returns the zone of the update that it sends to the name server at `listen`."""
    text = ('{"change-type": 0, "forward-change": true, "reverse-change": false, "fqdn": "%s.", "ip-address": "%s", '
            '"dhcid": "010203", "lease-expires-on": "20990101000000", "lease-length": 600, '
            '"use-conflict-resolution": false}' % (name, address)).encode()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server, \
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        server.bind(listen)
        server.settimeout(TIMEOUT)
        sock.sendto(struct.pack("!H", len(text)) + text, (host, port))
        data = server.recv(4096)
    need(data[2] >> 3 & 15 == 5, "no DNS update")
    end = _skip_name(data, 12)
    return data[12:end]


# ---- DNS, RFC 1035

def _name(text):
    return b"".join(bytes([len(part)]) + part.encode() for part in text.split(".")) + b"\0"


def _skip_name(data, at):
    while data[at] and data[at] < 0xc0:
        at += 1 + data[at]
    return at + (2 if data[at] else 1)


def dns(host, name, port=53):
    """The IPv4 addresses of a name; ValueError for an error code."""
    number = random.getrandbits(16)
    head = struct.pack("!HHHHHH", number, 0x0100, 1, 0, 0, 0)
    data = datagram(host, port, head + _name(name) + struct.pack("!HH", 1, 1))
    got, flags, questions, answers = struct.unpack_from("!HHHH", data)
    need(got == number and flags & 0x8000 and questions == 1, "no DNS answer")
    need(flags & 15 == 0, f"DNS code {flags & 15}")
    at, found = _skip_name(data, 12) + 4, []
    for _ in range(answers):
        at = _skip_name(data, at)
        kind, _, _, size = struct.unpack_from("!HHIH", data, at)
        if kind == 1:
            found.append(socket.inet_ntoa(data[at + 10:at + 14]))
        at += 10 + size
    return found


# ---- NTP, RFC 5905

def ntp(host):
    """(stratum, seconds since 1970 of the server's clock)"""
    cookie = os.urandom(8)
    data = datagram(host, 123, b"\x23" + bytes(39) + cookie)
    need(len(data) >= 48 and data[0] & 7 == 4 and data[24:32] == cookie, "no NTP answer")
    need(data[0] >> 6 != 3, "the server's clock is not set")
    seconds, fraction = struct.unpack_from("!II", data, 40)
    return data[1], seconds - 2208988800 + fraction / 2**32


# ---- SNMP, RFC 3416 (v2c)

def _ber(tag, *parts):
    body = b"".join(parts)
    need(len(body) < 128, "too long for this client")
    return bytes([tag, len(body)]) + body


def _ber_read(data, at=0):
    """(tag, content, offset behind it)"""
    tag, size, at = data[at], data[at + 1], at + 2
    if size & 0x80:
        count = size & 0x7f
        size, at = int.from_bytes(data[at:at + count], "big"), at + count
    return tag, data[at:at + size], at + size


def _ber_items(data):
    at, items = 0, []
    while at < len(data):
        tag, content, at = _ber_read(data, at)
        items.append((tag, content))
    return items


def _oid(text):
    numbers = [int(part) for part in text.split(".")]
    out = [numbers[0] * 40 + numbers[1]]
    for number in numbers[2:]:
        groups = [number & 0x7f]
        while number := number >> 7:
            groups.append(number & 0x7f | 0x80)
        out += reversed(groups)
    return bytes(out)


def snmp_get(host, community, oid):
    """(type tag, value) of one object."""
    number = random.getrandbits(30).to_bytes(4, "big")
    binding = _ber(0x30, _ber(0x30, _ber(6, _oid(oid)), _ber(5)))
    zero = _ber(2, b"\0")
    data = datagram(host, 161, _ber(0x30, _ber(2, b"\1"), _ber(4, community.encode()),
                                    _ber(0xa0, _ber(2, number), zero, zero, binding)))
    response = _ber_items(_ber_read(data)[1])[2]
    need(response[0] == 0xa2, "no SNMP response")
    (_, got), (_, status), _, (_, bindings) = _ber_items(response[1])
    need(got == number and status == b"\0", f"SNMP error status {status!r}")
    (_, _), value = _ber_items(_ber_items(bindings)[0][1])
    return value


# ---- Redis, memcached

def redis(host, *words, port=6379):
    """One command; the answer's line, or its bulk string."""
    with Line(host, port) as line:
        parts = [word.encode() for word in words]
        line.send(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts))
        answer = line.line()
        need(not answer.startswith(b"-"), answer.decode())
        return line.exactly(int(answer[1:])).decode() if answer.startswith(b"$") else answer[1:].decode()


def memcached_set(host, key, value):
    with Line(host, 11211) as line:
        line.send(b"set %s 0 60 %d\r\n%s\r\n" % (key.encode(), len(value), value.encode()))
        return line.line().decode()


def memcached_get(host, key):
    with Line(host, 11211) as line:
        line.send(b"get %s\r\n" % key.encode())
        words = line.line().split()
        need(words[0] == b"VALUE", f"memcached: {words}")
        return line.exactly(int(words[3])).decode()


# ---- MQTT 3.1.1

def _mqtt_packet(kind, *parts):
    body = b"".join(parts)
    need(len(body) < 128, "too long for this client")
    return bytes([kind, len(body)]) + body


def _mqtt_text(text):
    return struct.pack("!H", len(text)) + text.encode()


class Mqtt(Line):
    def __init__(self, host, name, port=1883):
        super().__init__(host, port)
        self.send(_mqtt_packet(0x10, _mqtt_text("MQTT"), b"\x04\x02\x00\x3c", _mqtt_text(name)))
        kind, body = self.packet()
        need(kind == 0x20 and body == b"\0\0", f"no CONNACK: {kind:#x} {body!r}")

    def packet(self):
        kind, size = self.exactly(2)
        need(size < 128, "too long for this client")
        return kind, self.exactly(size)

    def subscribe(self, topic):
        self.send(_mqtt_packet(0x82, b"\0\1", _mqtt_text(topic), b"\0"))
        kind, body = self.packet()
        need(kind == 0x90 and body == b"\0\1\0", f"no SUBACK: {kind:#x} {body!r}")

    def publish(self, topic, text):
        self.send(_mqtt_packet(0x30, _mqtt_text(topic), text.encode()))

    def message(self):
        """(topic, text)"""
        kind, body = self.packet()
        need(kind == 0x30, f"no PUBLISH: {kind:#x}")
        size = struct.unpack_from("!H", body)[0]
        return body[2:2 + size].decode(), body[2 + size:].decode()


# ---- HTTP

def http_get(host, port, target="/"):
    """(status, body); with a whole URL as the target, of a proxy."""
    connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT * 2)
    try:
        connection.request("GET", target, headers={"Connection": "close"})
        response = connection.getresponse()
        return response.status, response.read().decode(errors="replace")
    except http.client.HTTPException as error:
        raise ValueError(f"no HTTP answer: {error!r}") from error
    finally:
        connection.close()


# ---- syslog, SSH

def syslog_udp(host, port, text):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.sendto(f"<13>Jan  2 03:04:05 client test: {text}".encode(), (host, port))


def syslog_tcp(host, port, text):
    with socket.create_connection((host, port), TIMEOUT) as sock:
        sock.sendall(f"<13>Jan  2 03:04:05 client test: {text}\n".encode())


def ssh_banner(host, port=22):
    with Line(host, port) as line:
        return line.line().decode()
