#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A mirror of this Debian host's repositories on loopback, for the kinds of scripts/bench that measure builds: it fetches a file
from the real mirror when it is first asked for and keeps it, so that what is measured is the program and not the network; it
counts requests and bytes; and it changes its indices when it is told to, as a night with a security advisory does, which is why
it signs them by a key of its own.

Mirror(folder) starts it as a process, with its own CPU time; `source` is the file for --source. Of conditional requests it
answers If-None-Match and If-Modified-Since with 304, as Debian's mirrors do.
"""

import email.utils
import hashlib
import http.client
import json
import lzma
import os
import re
import subprocess
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request

sys.dont_write_bytecode = True
SCRIPTS = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(SCRIPTS, "..", "tests"))

from kit import gpg, loopback  # noqa: E402  pylint: disable=wrong-import-position

ARCHITECTURES = ("amd64", "arm64")
STANZA = ("\nPackage: bench-night\nArchitecture: all\nVersion: {0}\nMaintainer: Bench <bench@example.org>\nPriority: optional\n"
          "Section: misc\nFilename: pool/main/b/bench-night/bench-night_{0}_all.deb\nSize: 1\nSHA256: {1}\n"
          "Description: changes every night\n\n")


def _entries():
    """The apt entries of this host: [{key: words}]."""
    places = ["/etc/apt/sources.list"]
    folder = "/etc/apt/sources.list.d"
    places += [os.path.join(folder, name) for name in sorted(os.listdir(folder))] if os.path.isdir(folder) else []
    for place in places:
        if not os.path.isfile(place):
            continue
        with open(place, encoding="utf-8") as stream:
            text = stream.read()
        if place.endswith(".sources"):
            for stanza in re.split(r"\n\s*\n", text):
                yield {key.lower(): value.split() for key, value in re.findall(r"(?m)^([A-Za-z-]+):[ \t]*(.*)$", stanza)}
        else:
            for uri, suite, components in re.findall(r"(?m)^\s*deb\s+(?:\[[^]]*\]\s*)?(\S+)\s+(\S+)(.*)$", text):
                yield {"types": ["deb"], "uris": [uri], "suites": [suite], "components": components.split()}


def upstreams():
    """[(URI, suite)] of the release that this host is, without those of third parties."""
    with open("/etc/os-release", encoding="utf-8") as stream:
        release = re.search(r"(?m)^VERSION_CODENAME=(\S+)", stream.read())
    found = []
    for entry in _entries():
        suites = [suite for suite in entry.get("suites", ()) if release and re.fullmatch(release[1] + r"([-/](updates|security))?", suite)]
        if "main" in entry.get("components", ()) and "deb" in entry.get("types", ()) and entry.get("enabled") != ["no"]:
            found += [(uri.rstrip("/"), suite) for uri in entry["uris"] for suite in suites]
    if not found:
        sys.exit("this takes Debian's repositories from apt's configuration of this host, which names none")
    return found


def _sha256(data):
    return hashlib.sha256(data).hexdigest()


class _Handler(loopback.Handler):
    """One client of the mirror. The folder of a URI is its number; below "-" the mirror itself is told things."""

    def serve(self):
        mirror = self.server.owner
        number, _, path = urllib.parse.unquote(self.path).lstrip("/").partition("/")
        if number == "-":
            return self.answer(200, json.dumps(mirror.told(path)).encode())
        found = mirror.find(int(number), path)
        if found is None:
            mirror.count(0)
            return self.answer(404, b"not there\n")
        data, modified = found
        tag = f'"{_sha256(data)[:32]}"'
        headers = {"ETag": tag, "Last-Modified": email.utils.formatdate(modified, usegmt=True)}
        since = self.headers.get("If-Modified-Since")
        wanted = self.headers.get("If-None-Match")
        is_same = wanted == tag if wanted else since and email.utils.parsedate_to_datetime(since).timestamp() >= modified
        mirror.count(0 if is_same else len(data))
        return self.answer(304, b"", **headers) if is_same else self.answer(200, data, **headers)


class Server(loopback.Loopback):
    """The mirror in its own process."""

    def __init__(self, folder, pairs):
        super().__init__(_Handler)
        self.folder, self.pairs = folder, pairs
        self.uris = sorted({uri for uri, _ in pairs})
        self.lock = threading.Lock()  # guards the counters and what is being fetched
        self.requests = self.bytes = 0
        self.nights = 0
        self.changed = {}  # (number, path): bytes
        self.fetching = {}
        self.tags = {}

    def __enter__(self):
        os.makedirs(self.folder, exist_ok=True)
        self.key = gpg.Key()
        os.replace(self.key.keyring, os.path.join(self.folder, "key.gpg"))
        self.releases = {}
        for uri, suite in self.pairs:
            number = self.uris.index(uri)
            data, _ = self.find(number, f"dists/{suite}/InRelease.upstream")
            text = re.sub(r"(?m)^- ", "", data.decode().split("-----BEGIN PGP SIGNATURE", 1)[0].split("\n\n", 1)[1])
            self.releases[number, suite] = text
            self.sign(number, suite, text)
        return super().__enter__()

    def __exit__(self, *exception):
        super().__exit__(*exception)
        self.key.close()

    def sign(self, number, suite, text):
        self.changed[number, f"dists/{suite}/InRelease"] = self.key.clearsign(text.encode())

    def count(self, length):
        with self.lock:
            self.requests += 1
            self.bytes += length

    def find(self, number, path):
        """(bytes, time) of a file; None when the real mirror has none, either. Fetched once."""
        if (number, path) in self.changed:
            return self.changed[number, path], 1_700_000_000 + 60 * self.nights
        place = os.path.join(self.folder, str(number), path)
        with self.lock:
            lock = self.fetching.setdefault(place, threading.Lock())
        with lock:
            if not os.path.exists(place) and not self.fetch(self.uris[number] + "/" + path.removesuffix(".upstream"), place):
                return None
            with open(place, "rb") as stream:
                return stream.read(), int(os.stat(place).st_mtime)

    @staticmethod
    def fetch(url, place):
        os.makedirs(os.path.dirname(place), exist_ok=True)
        for attempt in range(3):
            try:
                with urllib.request.urlopen(urllib.parse.quote(url, ":/"), timeout=60) as answer, open(place + ".part", "wb") as stream:
                    stream.write(answer.read())
                os.replace(place + ".part", place)
                return True
            except urllib.error.HTTPError as error:
                if error.code == 404:
                    return False
                if attempt == 2:
                    raise
            except (OSError, http.client.HTTPException):
                if attempt == 2:
                    raise
        return False

    def told(self, word):
        if word.startswith("night"):
            self.night(word.partition("/")[2])
        with self.lock:
            counted = {"requests": self.requests, "bytes": self.bytes, "nights": self.nights}
            self.requests = self.bytes = 0
        return counted

    def night(self, which):
        """One package more (of a new version every night) in the indices of each suite whose name has `which` in it."""
        self.nights += 1
        for (number, suite), text in self.releases.items():
            if which not in suite:
                continue
            for architecture in ARCHITECTURES:
                text = self.change(number, suite, f"main/binary-{architecture}/Packages", text, STANZA.format(self.nights, "0" * 64).encode())
            self.sign_later(number, suite, text)

    def sign_later(self, number, suite, text):
        """Signs what is a minute newer each night."""
        now = email.utils.parsedate_to_datetime(re.search(r"(?m)^Date: (.*)$", text)[1]).timestamp() + 60 * self.nights
        self.sign(number, suite, re.sub(r"(?m)^Date: .*$", "Date: " + email.utils.formatdate(now, usegmt=True), text))

    def change(self, number, suite, name, text, added):
        """Puts stanzas behind an index; returns the Release that lists it."""
        listed = re.search(rf"(?m)^ ([0-9a-f]{{64}}) +\d+ {re.escape(name)}\.xz$", text)
        packed, _ = self.find(number, f"dists/{suite}/{os.path.dirname(name)}/by-hash/SHA256/{listed[1]}")
        plain = lzma.decompress(packed) + added
        packed += lzma.compress(added, preset=0)  # files of several streams are one file (xz's format, section 2)
        text = re.sub(rf"(?m)^ [0-9a-f]+ +\d+ {re.escape(name)}\.(gz|bz2)\n", "", text)
        for data, ending in ((plain, ""), (packed, ".xz")):
            text = re.sub(rf"(?m)^ [0-9a-f]{{64}} +\d+ {re.escape(name + ending)}$", f" {_sha256(data)} {len(data):>8} {name}{ending}", text)
        text = re.sub(rf"(?m)^ [0-9a-f]{{32,40}} +\d+ {re.escape(name)}(\.xz)?\n", "", text)
        self.changed[number, f"dists/{suite}/{name}.xz"] = packed
        self.changed[number, f"dists/{suite}/{os.path.dirname(name)}/by-hash/SHA256/{_sha256(packed)}"] = packed
        return text


class Mirror:
    """The mirror as a process, started and ended by `with`. Its files stay in the folder, for the next one."""

    def __init__(self, folder):
        self.folder = os.path.abspath(folder)

    def __enter__(self):
        pairs = upstreams()
        self.child = subprocess.Popen([sys.executable, __file__, self.folder, json.dumps(pairs)], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, text=True)
        line = self.child.stdout.readline()
        if not line:
            sys.exit("the mirror could not be started")
        self.port = int(line)
        uris = sorted({uri for uri, _ in pairs})
        self.source = os.path.join(self.folder, "source.yaml")
        with open(self.source, "w", encoding="utf-8") as stream:
            stream.write("kind: deb\nrepositories:\n")
            for uri, suite in pairs:
                stream.write(f"  - {{uris: [http://127.0.0.1:{self.port}/{uris.index(uri)}/], suites: [{suite}], components: [main], "
                             "keys: [key.gpg]}\n")
        return self

    def __exit__(self, *_):
        self.child.stdin.close()
        self.child.wait()

    def _tell(self, word):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/{word}", timeout=600) as answer:
            return json.load(answer)

    def counted(self):
        """{"requests", "bytes"} since it was last asked."""
        return self._tell("counted")

    def night(self, which):
        """Changes the indices of the suites whose names have `which` in them ("": all)."""
        self._tell("night/" + which)

    def packages(self):
        """{"NAME_VERSION_ARCH.deb": path} of what was fetched so far."""
        return {urllib.parse.unquote(name): os.path.join(folder, name) for folder, _, names in os.walk(self.folder) for name in names
                if name.endswith(".deb")}


def main():
    with Server(sys.argv[1], [tuple(pair) for pair in json.loads(sys.argv[2])]) as server:
        sys.stdout.write(f"{server.port}\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main()
