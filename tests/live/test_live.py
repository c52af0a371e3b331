# SPDX-License-Identifier: Apache-2.0
"""Against the host's own repositories: the solver against apt, the closure against the real loader, the files against
dpkg-deb, and a dhcpd that runs.

The cache is $IMGFACTORY_LIVE_CACHE (kept) or a temporary folder; everything is built once, in one batch.
"""

import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from kit import apt, emulators, image, midway, run  # noqa: E402  pylint: disable=wrong-import-position
from kit.paths import inside  # noqa: E402  pylint: disable=wrong-import-position
from kit.case import need  # noqa: E402  pylint: disable=wrong-import-position
from kit.report import IDENTITY, Report  # noqa: E402  pylint: disable=wrong-import-position

ARCHES = {"x86_64": "amd64", "aarch64": "arm64"}
LOADERS = {"x86_64": "/lib64/ld-linux-x86-64.so.2", "aarch64": "/lib/ld-linux-aarch64.so.1"}
# image → (package, binary); the same names on Debian 12 and 13 except PostgreSQL's
SERVICES = {
    "isc-dhcp": ("isc-dhcp-server", "/usr/sbin/dhcpd"),
    "isc-dhcp-ldap": ("isc-dhcp-server-ldap", "/usr/sbin/dhcpd"),
    "kea": ("kea-dhcp4-server", "/usr/sbin/kea-dhcp4"),
    "bind": ("bind9", "/usr/sbin/named"),
    "chrony": ("chrony", "/usr/sbin/chronyd"),
    "apache": ("apache2-bin", "/usr/sbin/apache2"),
    "nginx-bin": ("nginx", "/usr/sbin/nginx"),
    "redis-bin": ("redis-server", "/usr/bin/redis-server"),
    "openssh": ("openssh-server", "/usr/sbin/sshd"),
    "dnsmasq": ("dnsmasq-base", "/usr/sbin/dnsmasq"),
    "haproxy": ("haproxy", "/usr/sbin/haproxy"),
    "squid": ("squid", "/usr/sbin/squid"),
    "mosquitto": ("mosquitto", "/usr/sbin/mosquitto"),
    "memcached": ("memcached", "/usr/bin/memcached"),
    "postfix": ("postfix", "/usr/sbin/postfix"),
    "unbound": ("unbound", "/usr/sbin/unbound"),
    "lighttpd": ("lighttpd", "/usr/sbin/lighttpd"),
    "stunnel": ("stunnel4", "/usr/bin/stunnel4"),
}
DHCPD_CONF = """\
default-lease-time 600;
max-lease-time 7200;
option domain-name "example.org";
subnet 192.0.2.0 netmask 255.255.255.0 {
  range 192.0.2.10 192.0.2.99;
  option routers 192.0.2.1;
  host printer { hardware ethernet 02:00:00:00:00:01; fixed-address 192.0.2.5; }
}
"""


class World:
    """What all tests of this program share; made once by setUpModule()."""
    top = factory = report = None
    services = {}  # of SERVICES, what was built
    failed = {}    # image → what the program said


def setUpModule():
    need("apt-get", "dpkg-deb", "skopeo", "readelf")
    emulators.need("aarch64")
    World.top = tempfile.mkdtemp(prefix="imgfactory-live-")
    unittest.addModuleCleanup(shutil.rmtree, World.top, ignore_errors=True)
    cache = os.environ.get("IMGFACTORY_LIVE_CACHE")
    World.factory = run.Factory(World.top, **({"cache": cache} if cache else {}))
    manifests = os.path.join(World.top, "manifests")
    os.mkdir(manifests)
    for name, (package, binary) in SERVICES.items():
        with open(os.path.join(manifests, name + ".yaml"), "w", encoding="utf-8") as stream:
            stream.write(f"name: {name}\nbinaries: [{binary}]\nrecipes: false\npackages:\n  first: [{package}]\n")
    paths = [os.path.join(manifests, name + ".yaml") for name in SERVICES]
    result = World.factory.run("--arch", "x86_64,aarch64", "--tree", os.path.join(World.top, "tree"), "--json", *paths,
                               env=proxies(), timeout=1200)
    if result.code not in (run.OK, run.PARTLY):
        raise RuntimeError(str(result))
    World.report = Report(result.stdout)
    left_out, World.failed = midway.look(World.report.json)
    World.services = {name: of for name, of in SERVICES.items() if name not in {**left_out, **World.failed}}


def proxies():
    """Unlike the loopback tests, these go where the host goes."""
    return {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}


def root_only(test):
    return unittest.skipUnless(os.geteuid() == 0, "chroot and owners need root")(test)


def in_root(root, arch, *command, env=None, timeout=120):
    """Runs a program of a tree there: natively where the machine is the host's, else under qemu."""
    prefix = ["chroot", root]
    copied = None
    if os.uname().machine != arch:
        copied = os.path.join(root, "qemu-static")
        shutil.copy(emulators.find(arch), copied)
        prefix.append("/qemu-static")
    try:
        done = subprocess.run([*prefix, *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=timeout, check=False,
                              env={"PATH": "/usr/sbin:/usr/bin", **(env or {})})
    finally:
        if copied:
            os.unlink(copied)
    return done.returncode, done.stdout.decode(errors="replace")


def is_elf(path):
    if os.path.islink(path) or not os.path.isfile(path):
        return False
    with open(path, "rb") as stream:
        return stream.read(4) == b"\x7fELF"


def elf_files(root):
    """Paths of all ELF files of a tree."""
    return {"/" + os.path.relpath(os.path.join(folder, name), root) for folder, _, names in os.walk(root)
            for name in names if is_elf(os.path.join(folder, name))}


def tree(name, arch):
    return os.path.join(World.top, "tree", name, arch)


def cached_debs():
    """{SHA-256: path} of the packages in the program's cache."""
    found = {}
    for folder, _, names in os.walk(World.factory.cache):
        for name in names:
            path = os.path.join(folder, name)
            if re.fullmatch("[0-9a-f]{64}", name):
                with open(path, "rb") as stream:
                    if stream.read(8) == b"!<arch>\n":
                        found[name] = path
    return found


def unpacked(digest, deb):
    """A folder with one package as dpkg-deb and tar unpack it on a merged-/usr system."""
    folder = os.path.join(World.top, "unpacked", digest)
    if not os.path.isdir(folder):
        for link in ("bin", "sbin", "lib", "lib64"):
            os.makedirs(os.path.join(folder, "usr", link))
            os.symlink("usr/" + link, os.path.join(folder, link))
        with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE) as unpack:
            subprocess.run(["tar", "-x", "--keep-directory-symlink", "-C", folder, "-f", "-"], stdin=unpack.stdout,
                           check=True)
        make_alternatives(folder, deb)
    return folder


def noted(root, paths):
    """The libraries that files say they open themselves and recommend or require (systemd's ELF notes, by readelf)."""
    found = set()
    for path in paths:
        if not os.path.exists(root + path):
            continue
        dump = subprocess.run(["readelf", "-W", "--string-dump=.note.dlopen", root + path], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, check=True).stdout.decode(errors="replace")
        for note in re.findall(r"\] +(\[\{.*\}\])$", dump, re.M):
            for feature in json.loads(note):
                if feature.get("priority", "recommended") != "suggested":
                    found |= set(feature["soname"][:1])
    return found


def sonames_in(root, names):
    """Paths of a tree's ELF files with one of these names as DT_SONAME, by readelf."""
    found = set()
    for path in elf_files(root):
        dynamic = subprocess.run(["readelf", "-dW", root + path], stdout=subprocess.PIPE, check=True).stdout.decode()
        soname = re.search(r"soname: \[(.*)\]", dynamic)
        if soname and soname[1] in names:
            found.add(path)
    return found


def make_alternatives(root, deb):
    """Debian's own update-alternatives makes the links that a package's postinst asks for (squid of Debian 13)."""
    script = subprocess.run(["dpkg-deb", "--info", deb, "postinst"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                            check=False).stdout.decode(errors="replace")
    for words in re.findall(r"^\s*update-alternatives --install (/\S+) (\S+) (/\S+) (\d+)$", script, re.M):
        for folder in ("etc/alternatives", "var/lib/dpkg/alternatives"):
            os.makedirs(os.path.join(root, folder), exist_ok=True)
        subprocess.run(["update-alternatives", "--quiet", "--root", root, "--install", *words], check=True)


def package_root(name, arch):
    """A root of all packages that were fetched for a selection, whole: an oracle for the loader that owes nothing to the
    program's choice of files."""
    root = os.path.join(World.top, "root", name, arch)
    os.makedirs(root)
    debs = cached_debs()
    for digest in World.report.digests(name, arch).values():
        if digest in debs:
            subprocess.run(["cp", "-alf", unpacked(digest, debs[digest]) + "/.", root], check=True)
    return root


def loader_list(root, arch, binary):
    """What the real loader loads for a binary inside a root: real paths, the loader and the binary among them."""
    code, out = in_root(root, arch, LOADERS[arch], "--list", binary)
    if code != 0 or "not found" in out:
        raise AssertionError(f"{root}: {binary}: {out}")
    paths = {match[1] for match in re.finditer(r"(/\S+) \(0x", out)}
    return {inside(root, path) for path in paths | {binary, LOADERS[arch]}}


class Built(unittest.TestCase):
    def test_every_image_that_the_mirror_can_give(self):
        """The other tests are of those that were built."""
        self.assertEqual(World.failed, {}, "\n".join(World.failed.values()))


class Solver(unittest.TestCase):
    def test_selects_what_apt_selects(self):
        for arch, deb_arch in ARCHES.items():
            oracle = apt.Apt(os.path.join(World.top, "apt-" + arch), deb_arch)
            oracle.update()
            for name, (package, _) in World.services.items():
                with self.subTest(arch=arch, package=package):
                    wanted = oracle.solution(package)
                    found = World.report.selection(name, arch)
                    if IDENTITY not in wanted:
                        found.pop(IDENTITY, None)
                    self.assertEqual(found, wanted)


class Closure(unittest.TestCase):
    @root_only
    def test_is_what_the_real_loader_loads(self):
        """Both ways: nothing that it loads is missing, nothing else is there but libgcc_s and what those files note that they
        open (libsystemd of Debian 13: libzstd)."""
        for arch in ARCHES:
            for name, (_, binary) in World.services.items():
                with self.subTest(arch=arch, binary=binary, image=name):
                    wanted = loader_list(package_root(name, arch), arch, binary)
                    wanted |= sonames_in(tree(name, arch), noted(tree(name, arch), wanted) | {"libgcc_s.so.1"})
                    self.assertEqual(elf_files(tree(name, arch)), wanted)

    @root_only
    def test_is_enough_in_the_image_alone(self):
        for arch in ARCHES:
            for name, (_, binary) in World.services.items():
                with self.subTest(arch=arch, binary=binary, image=name):
                    loader_list(tree(name, arch), arch, binary)

    def test_always_has_libgcc(self):
        for arch in ARCHES:
            for name in World.services:
                self.assertTrue(any(path.endswith("/libgcc_s.so.1") for path in elf_files(tree(name, arch))), name)


class Files(unittest.TestCase):
    def test_have_mode_owner_target_and_bytes_as_dpkg_deb_gives_them(self):
        debs, archives, compared = cached_debs(), {}, 0
        for name in World.services:
            layout = image.Layout(os.path.join(World.factory.output, name))
            for arch, deb_arch in ARCHES.items():
                built = next(item for oci, item in layout.images["latest"].items() if oci.split("/")[0] == deb_arch)
                digests, given = World.report.digests(name, arch), World.report.files(name, arch)
                for path, package in given.items():
                    if package is None:
                        continue
                    digest = digests[package]
                    if digest not in archives:
                        archives[digest] = {**alternative_entries(unpacked(digest, debs[digest])),
                                            **dpkg_entries(debs[digest])}
                    self.assertEqual(facts_of(built[path], built), archives[digest][path],
                                     f"{name} {arch}: {path} of {package}")
                    compared += 1
        self.assertGreater(compared, 500)


def canonical(path):
    path = "/" + path.lstrip("./").rstrip("/")
    for link in ("bin", "sbin", "lib", "lib64"):
        if path.startswith(f"/{link}/"):
            return "/usr" + path
    return path


def alternative_entries(root):
    """The links of update-alternatives, both of each pair, as dpkg_entries() has them."""
    places = os.path.join(root, "etc", "alternatives")
    names = os.listdir(places) if os.path.isdir(places) else []
    targets = {f"/etc/alternatives/{name}": os.readlink(os.path.join(places, name)) for name in names}
    for folder, _, files in os.walk(os.path.join(root, "usr")):
        for path in (os.path.join(folder, name) for name in files):
            if os.path.islink(path) and os.readlink(path) in targets:
                targets["/" + os.path.relpath(path, root)] = os.readlink(path)
    return {path: ("link", None, 0, 0, target, None) for path, target in targets.items()}


def dpkg_entries(deb):
    """{canonical path: (kind, mode, uid, gid, target, content)} as dpkg-deb unpacks it."""
    data = subprocess.run(["dpkg-deb", "--fsys-tarfile", deb], check=True, stdout=subprocess.PIPE).stdout
    found = {}
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
        for info in archive:
            if info.isdir():
                continue
            if info.issym():
                found[canonical(info.name)] = ("link", None, info.uid, info.gid, info.linkname, None)
            else:  # a hard link has the bytes of the file it names
                found[canonical(info.name)] = ("file", info.mode, info.uid, info.gid, None,
                                               archive.extractfile(info).read())
    return found


def facts_of(entry, built):
    real = built["/" + entry.target] if entry.kind == "hardlink" else entry
    return (real.kind, None if real.kind == "link" else real.mode, real.uid, real.gid,
            real.target if real.kind == "link" else None, real.data)


class Dhcpd(unittest.TestCase):
    """The manifests that the project ships."""

    @classmethod
    def setUpClass(cls):
        result = World.factory.run("--arch", "all", "--tree", os.path.join(World.top, "shipped"), "dhcpd", env=proxies())
        if result.code != run.OK:
            raise RuntimeError(str(result))

    def root(self, arch):
        return os.path.join(World.top, "shipped", "dhcpd", arch)

    @root_only
    def test_tells_its_version(self):
        for arch in ARCHES:
            code, out = in_root(self.root(arch), arch, "/usr/sbin/dhcpd", "--version")
            self.assertEqual(code, 0, out)
            self.assertIn("isc-dhcpd-4", out)

    @root_only
    def test_checks_a_real_configuration_and_refuses_a_wrong_one(self):
        for arch in ARCHES:
            root = self.root(arch)
            config = os.path.join(root, "etc/dhcp/dhcpd.conf")
            for text, wanted in ((DHCPD_CONF, 0), (DHCPD_CONF + "nonsense here;\n", 1)):
                with open(config, "w", encoding="utf-8") as stream:
                    stream.write(text)
                code, out = in_root(root, arch, "/usr/sbin/dhcpd", "-t", "-cf", "/etc/dhcp/dhcpd.conf")
                self.assertEqual(code, wanted, out)
            os.unlink(config)

    def test_is_one_index_of_both_architectures(self):
        layout = image.Layout(os.path.join(World.factory.output, "dhcpd"))
        self.assertEqual(sorted(layout.images["latest"]), ["amd64", "arm64/v8"])
        self.assertEqual(layout.stray_blobs(), [])
        for built in layout.images["latest"].values():
            config = built.config["config"]
            self.assertEqual(config["Entrypoint"][0], "/usr/sbin/dhcpd")
            self.assertEqual(sorted(config["ExposedPorts"]), ["67/udp", "68/udp"])
            self.assertEqual(built["/var/lib/dhcpd/dhcpd.leases"].data, b"")
            self.assertIn("/var/lib/dpkg/status.d/isc-dhcp-server", built)
            for path in built.paths():
                self.assertFalse(path.startswith(("/usr/share/doc", "/usr/share/man")), path)
            self.assertNotIn("/usr/bin/dash", built)

    def test_is_accepted_by_skopeo(self):
        layout = os.path.join(World.factory.output, "dhcpd")
        subprocess.run(["skopeo", "inspect", f"oci:{layout}:latest"], check=True, stdout=subprocess.DEVNULL)
        copy = os.path.join(World.top, "copy")
        subprocess.run(["skopeo", "copy", "--quiet", "--all", f"oci:{layout}:latest", f"oci:{copy}:latest"], check=True)
        self.assertEqual(image.Layout(copy).digest(), image.Layout(layout).digest())

    def test_is_the_same_from_the_cache_alone(self):
        layout = os.path.join(World.factory.output, "dhcpd")
        wanted = image.Layout(layout).digest()
        shutil.rmtree(layout)
        result = World.factory.run("--arch", "all", "--cache-only", "--rebuild", "--jobs", "1", "dhcpd")
        self.assertEqual(result.code, run.OK, result)
        self.assertEqual(image.Layout(layout).digest(), wanted)


if __name__ == "__main__":
    unittest.main()
