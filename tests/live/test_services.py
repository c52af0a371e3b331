# SPDX-License-Identifier: Apache-2.0
"""The catalogue really serves: every image of manifests/ is built from the host's repositories for both architectures,
unpacked, started as a container engine would start it, and spoken to over a network in its own protocol. Foreign
programs run under qemu-user.

    IMGFACTORY_SERVICES=dhcpd,squid     only these
    IMGFACTORY_LIVE_SUITE=trixie        another release than the host's
    IMGFACTORY_LIVE_CACHE=DIR           the program's cache, kept
"""

import base64
import concurrent.futures
import contextlib
import http.client
import http.server
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from kit import clients, emulators, image, midway, namespaces, run  # noqa: E402  pylint: disable=wrong-import-position
from kit.box import CLIENT, SERVER, Box, unpack  # noqa: E402  pylint: disable=wrong-import-position
from kit.case import need  # noqa: E402  pylint: disable=wrong-import-position

ARCHES = {"x86_64": "amd64", "aarch64": "arm64/v8"}
PATIENCE = {"x86_64": 60, "aarch64": 240}  # seconds until the first answer, on a busy machine
TOGETHER = 3
POSTGRESQL = {"bookworm": "postgresql-15", "trixie": "postgresql-17"}
MANIFESTS = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "manifests"))
ADDRESS = "192.0.2.7"
PAGE = "a page of the test's own server\n"


class World:
    """What all tests of this program share; made once by setUpModule()."""
    top = factory = None
    emulators = {}  # arch → the emulator, where the kernel does not start programs of that machine itself
    results = {}    # (service, arch) → Future
    left_out = {}   # manifest → why the mirror could not give it
    failed = {}     # manifest → what the program said
    lock = threading.Lock()


class Check:
    """How a service is started and what is asked of it. `forks`: it starts programs itself, which only a kernel that
    knows the machine can do. `emulated`: words behind the command under an emulator."""

    def __init__(self, ask, manifest, **settings):
        self.ask, self.manifest = ask, manifest
        self.files, self.capabilities = settings.get("files", {}), settings.get("capabilities", [])
        self.env, self.command = settings.get("env", {}), settings.get("command")
        self.forks, self.emulated = settings.get("forks", False), settings.get("emulated", [])

    def words(self, config, is_emulated):
        """What is given for the image's Cmd, or None: that itself."""
        if not is_emulated or not self.emulated:
            return self.command
        return [*(config.get("Cmd") or [] if self.command is None else self.command), *self.emulated]


CHECKS = {}


def check(name, manifest=None, **settings):
    def register(ask):
        CHECKS[name] = Check(ask, manifest or name, **settings)
        return ask
    return register


def suite():
    """The codename of the release that the packages are of."""
    if os.environ.get("IMGFACTORY_LIVE_SUITE"):
        return os.environ["IMGFACTORY_LIVE_SUITE"]
    with open("/etc/os-release", encoding="utf-8") as stream:
        words = dict(line.rstrip("\n").split("=", 1) for line in stream if "=" in line)
    return words.get("VERSION_CODENAME", "").strip('"')


def same(got, wanted):
    if got != wanted:
        raise AssertionError(f"wanted {wanted!r}, got {got!r}")


def within(text, words):
    if words not in text:
        raise AssertionError(f"wanted {words!r} in:\n{text}")


# ---- DHCP

DHCPD_CONF = """\
authoritative;
subnet 10.88.0.0 netmask 255.255.255.0 {
  range 10.88.0.100 10.88.0.100;
  option routers 10.88.0.2;
  default-lease-time 600;
}
"""
KEA_CONF = """\
{"Dhcp4": {
  "interfaces-config": {"interfaces": ["eth0"]},
  "lease-database": {"type": "memfile", "persist": true, "name": "/var/lib/kea/kea-leases4.csv"},
  "valid-lifetime": 600,
  "subnet4": [{"id": 1, "subnet": "10.88.0.0/24", "pools": [{"pool": "10.88.0.100 - 10.88.0.100"}],
    "option-data": [{"name": "routers", "data": "10.88.0.2"}]}],
  "loggers": [{"name": "kea-dhcp4", "output_options": [{"output": "stdout"}], "severity": "INFO"}]
}}
"""


DHCPD6_CONF = "subnet6 fd00:88::/64 {\n  range6 fd00:88::100 fd00:88::100;\n}\n"
KEA6_CONF = """\
{"Dhcp6": {
  "interfaces-config": {"interfaces": ["eth0"]},
  "lease-database": {"type": "memfile", "persist": true, "name": "/var/lib/kea/kea-leases6.csv"},
  "subnet6": [{"id": 1, "subnet": "fd00:88::/64", "interface": "eth0", "pools": [{"pool": "fd00:88::100 - fd00:88::100"}]}],
  "loggers": [{"name": "kea-dhcp6", "output_options": [{"output": "stdout"}], "severity": "INFO"}]
}}
"""
DDNS_CONF = f"""\
{{"DhcpDdns": {{
  "ip-address": "{SERVER}", "port": 53001, "dns-server-timeout": 500,
  "forward-ddns": {{"ddns-domains": [{{"name": "kit.example.",
                                     "dns-servers": [{{"ip-address": "{CLIENT}", "port": 5353}}]}}]}},
  "loggers": [{{"name": "kea-dhcp-ddns", "output_options": [{{"output": "stdout"}}], "severity": "INFO"}}]
}}}}
"""
AGENT_CONF = """\
{"Control-agent": {
  "http-host": "0.0.0.0", "http-port": 8000,
  "loggers": [{"name": "kea-ctrl-agent", "output_options": [{"output": "stdout"}], "severity": "INFO"}]
}}
"""


def gives_a_lease(box, patience):
    address, options = box.wait_for(lambda: clients.dhcp("client0"), patience)
    same(address, "10.88.0.100")
    same(options[3], bytes([10, 88, 0, 2]))


@check("dhcpd", files={"/etc/dhcp/dhcpd.conf": DHCPD_CONF}, command=["eth0"], capabilities=["NET_RAW"])
def dhcpd(box, patience):
    gives_a_lease(box, patience)


@check("dhcpd-ldap", files={"/etc/dhcp/dhcpd.conf": DHCPD_CONF}, command=["eth0"], capabilities=["NET_RAW"])
def dhcpd_ldap(box, patience):
    gives_a_lease(box, patience)


@check("kea-dhcp4", files={"/etc/kea/kea-dhcp4.conf": KEA_CONF}, capabilities=["NET_RAW"])
def kea_dhcp4(box, patience):
    gives_a_lease(box, patience)
    box.wait_for(lambda: "10.88.0.100" in read(box, "/var/lib/kea/kea-leases4.csv"), 10)


@check("dhcpd6", files={"/etc/dhcp/dhcpd6.conf": DHCPD6_CONF}, command=["eth0"])
def dhcpd6(box, patience):
    same(box.wait_for(lambda: clients.dhcp6("client0"), patience), "fd00:88::100")


@check("kea-dhcp6", files={"/etc/kea/kea-dhcp6.conf": KEA6_CONF})
def kea_dhcp6(box, patience):
    same(box.wait_for(lambda: clients.dhcp6("client0"), patience), "fd00:88::100")


@check("kea-dhcp-ddns", files={"/etc/kea/kea-dhcp-ddns.conf": DDNS_CONF})
def kea_dhcp_ddns(box, patience):
    zone = box.wait_for(lambda: clients.dns_update(SERVER, 53001, "a.kit.example", "10.88.0.100", (CLIENT, 5353)),
                        patience)
    same(zone, b"\x03kit\x07example\x00")


@check("kea-ctrl-agent", files={"/etc/kea/kea-ctrl-agent.conf": AGENT_CONF})
def kea_ctrl_agent(box, patience):
    def ask():
        with contextlib.closing(http.client.HTTPConnection(SERVER, 8000, timeout=3)) as connection:
            connection.request("POST", "/", '{"command": "list-commands"}', {"Content-Type": "application/json"})
            return json.loads(connection.getresponse().read())
    within(box.wait_for(ask, patience)[0]["arguments"], "list-commands")


def read(box, path):
    with open(box.root + path, encoding="utf-8", errors="replace") as stream:
        return stream.read()


# ---- DNS

ZONE = f"""\
$TTL 60
@ IN SOA ns.kit.example. hostmaster.kit.example. 1 60 60 60 60
  IN NS ns
ns IN A {ADDRESS}
www IN A {ADDRESS}
"""


def answers(box, patience):
    same(box.wait_for(lambda: clients.dns(SERVER, "www.kit.example"), patience), [ADDRESS])


NAMED_CONF = 'zone "kit.example" { type primary; file "/etc/bind/kit.zone"; };\n'


@check("bind9", files={"/etc/bind/named.conf.local": NAMED_CONF, "/etc/bind/kit.zone": ZONE})
def bind9(box, patience):
    answers(box, patience)


@check("unbound", files={"/etc/unbound/unbound.conf.d/kit.conf":
                         f'server:\n  local-zone: "kit.example" static\n  local-data: "www.kit.example A {ADDRESS}"\n'})
def unbound(box, patience):
    answers(box, patience)


@check("dnsmasq", files={"/etc/dnsmasq.d/kit.conf": f"address=/kit.example/{ADDRESS}\n"})
def dnsmasq(box, patience):
    answers(box, patience)


# ---- HTTP

def gives_a_page(box, patience, port, words):
    status, page = box.wait_for(lambda: clients.http_get(SERVER, port), patience)
    same(status, 200)
    within(page, words)


@check("apache2")
def apache2(box, patience):
    gives_a_page(box, patience, 80, "It works")
    same(clients.http_get(SERVER, 80, "/nothing")[0], 404)
    box.wait_for(lambda: '"GET /nothing HTTP/1.1" 404' in box.log, 10)


@check("nginx")
def nginx(box, patience):
    gives_a_page(box, patience, 80, "nginx")
    box.wait_for(lambda: '"GET / HTTP/1.1" 200' in box.log, 10)


@check("haproxy", forks=True)
def haproxy(box, patience):
    gives_a_page(box, patience, 8080, "HAProxy runs")
    time.sleep(patience / 30)  # its master process loses a SIGUSR1 that comes while it executes itself anew


@check("ncat-system", env={"NAME": "kit", "RECEIVER": "Debian"}, forks=True)
def ncat_system(box, patience):
    gives_a_page(box, patience, 8081, "Hi Debian, this is kit")


class Origin(http.server.BaseHTTPRequestHandler):
    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        pass

    def do_GET(self):  # pylint: disable=invalid-name
        self.send_response(200)
        self.send_header("Content-Length", str(len(PAGE)))
        self.end_headers()
        self.wfile.write(PAGE.encode())


@check("squid")
def squid(box, patience):
    origin = http.server.ThreadingHTTPServer((CLIENT, 8000), Origin)
    threading.Thread(target=origin.serve_forever, daemon=True).start()
    try:
        same(box.wait_for(lambda: clients.http_get(SERVER, 3128, f"http://{CLIENT}:8000/"), patience), (200, PAGE))
        status, page = clients.http_get(SERVER, 3128, f"http://{CLIENT}:25/")
        same(status, 403)
        within(page, "ERR_ACCESS_DENIED")
    finally:
        origin.shutdown()
        origin.server_close()
    box.wait_for(lambda: f"GET http://{CLIENT}:8000/" in box.log, 10)


# ---- stores and messages

# redis looks in /proc/self/smaps for a fault of arm64 kernels; under an emulator the file is the emulator's (qemu 10's
# makes redis end), not the kernel's.
@check("redis", emulated=["--ignore-warnings", "ARM64-COW-BUG"])
def redis(box, patience):
    same(box.wait_for(lambda: clients.redis(SERVER, "SET", "key", "value"), patience), "OK")
    same(clients.redis(SERVER, "GET", "key"), "value")
    same(clients.redis(SERVER, "SAVE"), "OK")


def etcd_call(path, **what):
    """An answer of etcd's JSON gateway (grpc-gateway: bytes are base64)."""
    connection = http.client.HTTPConnection(SERVER, 2379, timeout=20)
    with contextlib.closing(connection):
        coded = {name: base64.b64encode(value.encode()).decode() for name, value in what.items()}
        connection.request("POST", path, json.dumps(coded))
        return json.loads(connection.getresponse().read())


@check("etcd-system", env={"ETCD_LISTEN_CLIENT_URLS": "http://0.0.0.0:2379",
                           "ETCD_ADVERTISE_CLIENT_URLS": f"http://{SERVER}:2379"})
def etcd_system(box, patience):
    box.wait_for(lambda: etcd_call("/v3/kv/put", key="kit", value="a value")["header"], patience)
    same(base64.b64decode(etcd_call("/v3/kv/range", key="kit")["kvs"][0]["value"]), b"a value")


@check("memcached")
def memcached(box, patience):
    same(box.wait_for(lambda: clients.memcached_set(SERVER, "key", "value"), patience), "STORED")
    same(clients.memcached_get(SERVER, "key"), "value")


@check("mosquitto")
def mosquitto(box, patience):
    with box.wait_for(lambda: clients.Mqtt(SERVER, "reader"), patience) as reader:
        reader.subscribe("kit/topic")
        with clients.Mqtt(SERVER, "writer") as writer:
            writer.publish("kit/topic", "a message")
            same(reader.message(), ("kit/topic", "a message"))


def output(*command, typed=b"", timeout=60):
    """(exit status, what a client of Debian's says)"""
    done = subprocess.run(command, input=typed, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout,
                          check=False)
    return done.returncode, done.stdout.decode(errors="replace")


def psql(*arguments):
    code, text = output("psql", "-XqAt", "-v", "ON_ERROR_STOP=1", *arguments,
                        f"host={SERVER} user=postgres password=secret dbname=postgres connect_timeout=5")
    clients.need(code == 0, text)
    return text.strip()


@check("postgresql", manifest=POSTGRESQL.get(suite(), "postgresql"), env={"POSTGRES_PASSWORD": "secret"}, forks=True)
def postgresql(box, patience):
    same(box.wait_for(lambda: psql("-c", "SELECT 6 * 7"), patience), "42")
    same(psql("-c", "CREATE TABLE kit (name text)", "-c", "INSERT INTO kit VALUES ('Äpfel')",
              "-c", "DO $$ BEGIN UPDATE kit SET name = upper(name); END $$", "-c", "SELECT name FROM kit"), "ÄPFEL")
    same(psql("-c", "SELECT to_tsvector('english', 'services')"), "'servic':1")
    same(psql("-c", "SELECT '2024-07-01 12:00+02'::timestamptz AT TIME ZONE 'Europe/London'"), "2024-07-01 11:00:00")


# ---- time, logs, shells

@check("chrony")
def chrony(box, patience):
    stratum, seconds = box.wait_for(lambda: clients.ntp(SERVER), patience)
    same(stratum, 10)
    if abs(seconds - time.time()) > 5:
        raise AssertionError(f"the server says {seconds}, here it is {time.time()}")


@check("rsyslog")
def rsyslog(box, patience):
    def both():
        clients.syslog_tcp(SERVER, 1514, "a line by TCP")
        clients.syslog_udp(SERVER, 1514, "a line by UDP")
        return "test: a line by TCP" in box.log and "test: a line by UDP" in box.log
    box.wait_for(both, patience)


@check("snmpd")
def snmpd(box, patience):
    tag, value = box.wait_for(lambda: clients.snmp_get(SERVER, "public", "1.3.6.1.2.1.1.1.0"), patience)
    same(tag, 4)
    within(value.decode(), "Linux")


def key_pair():
    path = os.path.join(World.top, "key")
    with World.lock:
        if not os.path.exists(path):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    return path


@check("openssh-server", forks=True)
def openssh_server(box, patience):
    key = key_pair()
    listed = os.path.join(box.root, "etc/ssh/authorized_keys/user")
    if not os.path.exists(listed):  # else it is mounted there
        shutil.copy(key + ".pub", listed)
    within(box.wait_for(lambda: clients.ssh_banner(SERVER), patience), "SSH-2.0-OpenSSH_")
    options = ["-F", "none", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o", "LogLevel=ERROR",
               "-o", "UserKnownHostsFile=/dev/null", "-o", "ConnectTimeout=60", "-i", key]
    user = f"user@{SERVER}"
    within(output("ssh", *options, user, "echo in as $USER: $((6 * 7))", timeout=patience)[1], "in as user: 42\n")
    within(output("sftp", "-q", "-b", "-", *options, user, typed=b"@pwd\n", timeout=patience)[1],
           "Remote working directory: /home/user\n")
    within(output("ssh", *options, f"root@{SERVER}", "echo in", timeout=patience)[1], "Permission denied")


# A loop keeps the shell there until it was looked at: sleep would be started through /proc/self/exe, which under an
# emulator is the emulator.
@check("busybox", command=["/bin/sh", "-c", "seq 5 | sort -r | head -n 1 && id -u && while :; do :; done"])
def busybox(box, patience):
    box.wait_for(lambda: box.log == "5\n0\n", patience)


# ---- running them

def proxies():
    return {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}


def chosen():
    names = os.environ.get("IMGFACTORY_SERVICES")
    return names.split(",") if names else list(CHECKS)


def try_service(name, arch):
    """Starts a service, asks it, stops it by its signal. Its log is part of what a failure says."""
    wanted = CHECKS[name]
    layout = image.Layout(os.path.join(World.factory.output, wanted.manifest))
    built = layout.images["latest"][ARCHES[arch]]
    root = unpack(built, os.path.join(World.top, "roots", name, arch))
    box = Box(root, built.config["config"], name, World.emulators.get(arch))
    box.files, box.capabilities, box.env = wanted.files, wanted.capabilities, wanted.env
    begun = time.monotonic()
    try:
        box.start(wanted.words(box.config, namespaces.foreign(arch)))
        wanted.ask(box, PATIENCE[arch])
        asked = time.monotonic()
        if name != "busybox" and box.stop() is None:
            raise AssertionError(f"{name} did not end by {box.config.get('StopSignal', 'SIGTERM')}")
        return f"{asked - begun:.1f} s, stopped in {time.monotonic() - asked:.1f} s"
    except BaseException as error:
        raise AssertionError(f"{name} on {arch}:\n{traceback.format_exc()}--- its log:\n{box.tail()}") from error
    finally:
        box.close()
        shutil.rmtree(root, ignore_errors=True)


def build():
    World.factory = run.Factory(World.top, **({"cache": os.environ["IMGFACTORY_LIVE_CACHE"]}
                                              if os.environ.get("IMGFACTORY_LIVE_CACHE") else {}))
    options = ["--manifests", MANIFESTS, "--arch", ",".join(ARCHES), "--quiet", "--json"]
    if os.environ.get("IMGFACTORY_LIVE_SUITE"):
        options += ["--suite", os.environ["IMGFACTORY_LIVE_SUITE"]]
    manifests = sorted({CHECKS[name].manifest for name in chosen()})
    result = World.factory.run(*options, *manifests, env=proxies(), timeout=1200)
    if result.code not in (run.OK, run.PARTLY):
        raise RuntimeError(str(result))
    World.left_out, World.failed = midway.look(json.loads(result.stdout))


def can_run(name, arch):
    return not CHECKS[name].forks or arch not in World.emulators


def setUpModule():
    if os.geteuid() != 0:
        raise unittest.SkipTest("services are started in namespaces and chroots, which needs root")
    emulators.need("aarch64")
    need("unshare", "nsenter", "ip", "psql", "ssh", "zstd")
    for arch in ARCHES:
        if namespaces.foreign(arch) and not namespaces.register(arch):
            World.emulators[arch] = emulators.find(arch)
    World.top = tempfile.mkdtemp(prefix="imgfactory-services-")
    unittest.addModuleCleanup(shutil.rmtree, World.top, ignore_errors=True)
    build()
    pool = concurrent.futures.ThreadPoolExecutor(TOGETHER)
    unittest.addModuleCleanup(pool.shutdown, cancel_futures=True)
    for arch in sorted(ARCHES, key=namespaces.foreign, reverse=True):
        for name in chosen():
            if can_run(name, arch) and CHECKS[name].manifest not in World.left_out | World.failed:
                World.results[name, arch] = pool.submit(try_service, name, arch)


class Serves(unittest.TestCase):
    """One test for each service and architecture; they run in the pool while earlier ones are waited for."""


def add_test(name, arch):
    def test(self):
        if not can_run(name, arch):
            self.skipTest("it starts programs itself: that needs binfmt_misc in a user namespace (Linux 6.7)")
        if CHECKS[name].manifest in World.left_out:
            self.skipTest("the mirror is in the middle of an update: " + World.left_out[CHECKS[name].manifest])
        if CHECKS[name].manifest in World.failed:
            self.fail(World.failed[CHECKS[name].manifest])
        took = World.results[name, arch].result(900)
        print(f"({took})", end=" ", file=sys.stderr)
    test.__doc__ = f"{name} serves on {arch}"
    setattr(Serves, f"test_{name.replace('-', '_')}_on_{arch}", test)


for service in chosen():
    for machine in ARCHES:
        add_test(service, machine)


def read_text(path):
    with open(path, encoding="utf-8") as stream:
        return stream.read()


class Catalogue(unittest.TestCase):
    def test_every_shipped_manifest_is_tried(self):
        shipped = {name[:-5] for name in os.listdir(MANIFESTS) if name.endswith(".yaml")
                   and "\nbase:" not in read_text(os.path.join(MANIFESTS, name))}  # the same services on a base
        tried = {wanted.manifest for wanted in CHECKS.values()}
        elsewhere = {"identity", "freeipa"}  # test_identity.py; Fedora's, which is only read
        self.assertEqual(shipped - tried - elsewhere, set(POSTGRESQL.values()) - tried)

    def test_every_image_that_the_mirror_can_give_was_built(self):
        self.assertEqual(World.failed, {}, "\n".join(World.failed.values()))
        missing = [name for name in chosen() if CHECKS[name].manifest not in World.left_out
                   and not os.path.isdir(os.path.join(World.factory.output, CHECKS[name].manifest))]
        self.assertEqual(missing, [])


if __name__ == "__main__":
    if os.geteuid() == 0:
        namespaces.enter_user_namespace()
    unittest.main()
