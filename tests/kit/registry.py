# SPDX-License-Identifier: Apache-2.0
"""Real registries on loopback: the docker-registry program with plain HTTP, TLS, htpasswd, bearer tokens with scopes
and client certificates; a token service; a certificate authority. They use docker-registry, htpasswd and openssl."""

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import threading
import time
import urllib.parse

from .service import Answer, Service


def _openssl(*arguments, data=None):
    return subprocess.run(["openssl", *arguments], input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          check=True).stdout


class Authority:
    """A throw-away certificate authority in a folder; `crt` is its certificate."""

    def __init__(self, folder):
        os.makedirs(folder, exist_ok=True)
        self.folder = folder
        self.crt, self._key = os.path.join(folder, "ca.crt"), os.path.join(folder, "ca.key")
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                 "-subj", "/CN=Test kit", "-keyout", self._key, "-out", self.crt)

    def issue(self, name, alt="IP:127.0.0.1,IP:127.0.0.2,DNS:localhost", dates=None):
        """Makes a key and a certificate for servers and clients: (certificate file, key file); `dates` are the first and
        the last on which it is good."""
        base = os.path.join(self.folder, name)
        _openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                 f"/CN={name}", "-keyout", base + ".key", "-out", base + ".csr")
        with open(base + ".ext", "w", encoding="utf-8") as stream:
            stream.write(f"subjectAltName={alt}\nextendedKeyUsage=serverAuth,clientAuth\n")
        if dates:
            with open(base + ".conf", "w", encoding="utf-8") as stream:
                stream.write(f"[ca]\ndefault_ca=kit\n[kit]\ndatabase={base}.index\nnew_certs_dir={self.folder}\n"
                             "default_md=sha256\npolicy=any\nrand_serial=yes\n[any]\ncommonName=supplied\n")
            with open(base + ".index", "w", encoding="utf-8"):
                pass
            _openssl("ca", "-config", base + ".conf", "-batch", "-notext", "-in", base + ".csr", "-cert", self.crt,
                     "-keyfile", self._key, "-startdate", dates[0], "-enddate", dates[1], "-extfile", base + ".ext",
                     "-out", base + ".crt")
            return base + ".crt", base + ".key"
        _openssl("x509", "-req", "-in", base + ".csr", "-CA", self.crt, "-CAkey", self._key, "-days", "2",
                 "-set_serial", f"0x{os.urandom(8).hex()}", "-extfile", base + ".ext", "-out", base + ".crt")
        return base + ".crt", base + ".key"


def _b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _raw_signature(der):
    """r and s of an ECDSA signature in DER (RFC 3279, 2.2.3), as JWS wants them: 32 bytes each."""
    out, at = b"", 2
    for _ in range(2):
        size = der[at + 1]
        out += der[at + 2:at + 2 + size].lstrip(b"\0").rjust(32, b"\0")
        at += 2 + size
    return out


class TokenService(Service):
    """The docker token service: GET with Basic (or no) credentials, POST with an identity token. Rights are
    `rights`[user or None] = function of a repository name that returns the allowed actions ("pull", "push")."""

    issuer, audience = "kit tokens", "kit registry"

    def __init__(self, authority, users, rights=None, lifetime=300, tls=None, address="127.0.0.1", tells_lifetime=True):
        super().__init__(address, tls)
        self.users, self.lifetime, self.tells_lifetime = users, lifetime, tells_lifetime
        self.rights = rights or {user: lambda repository: ("pull", "push", "delete") for user in users}
        self.identity = {"identity-of-" + user: user for user in users}  # refresh token → user
        self._certificate, self._key = authority.issue(f"tokens-{id(self)}")
        with open(self._certificate, encoding="utf-8") as stream:
            self._x5c = re.sub(r"-----[A-Z ]+-----|\s", "", stream.read())

    def sign(self, claims):
        header = {"typ": "JWT", "alg": "ES256", "x5c": [self._x5c]}
        text = ".".join(_b64url(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims))
        return text + "." + _b64url(_raw_signature(_openssl("dgst", "-sha256", "-sign", self._key, data=text.encode())))

    def _user(self, request):
        """(user or None, whether the credential is right)"""
        if request.verb == "POST":
            user = self.identity.get(urllib.parse.parse_qs(request.body.decode()).get("refresh_token", [""])[0])
            return user, user is not None
        value = request.headers.get("Authorization")
        if not value:
            return None, True
        user, _, password = base64.b64decode(value.split()[1]).decode().partition(":")
        return user, value.startswith("Basic ") and self.users.get(user) == password

    @staticmethod
    def scopes(request):
        form = urllib.parse.parse_qs(request.body.decode()) if request.verb == "POST" else request.query
        return [scope for value in form.get("scope", []) for scope in value.split()]

    def answer(self, request):
        user, is_right = self._user(request)
        if not is_right:
            return Answer(401, b'{"errors":[{"code":"UNAUTHORIZED","message":"wrong credential"}]}',
                          {"Content-Type": "application/json"})
        access = []
        for scope in self.scopes(request):
            kind, name, actions = re.fullmatch(r"([a-z]+):(.+):([a-z,*]*)", scope).groups()
            allowed = self.rights.get(user, lambda repository: ())(name)
            access.append({"type": kind, "name": name, "actions": [a for a in actions.split(",") if a in allowed]})
        now = int(time.time())
        token = self.sign({"iss": self.issuer, "sub": user or "", "aud": self.audience, "exp": now + self.lifetime,
                           "nbf": now - 60, "iat": now, "jti": os.urandom(8).hex(), "access": access})
        body = {"token": token}
        if self.tells_lifetime:
            body["expires_in"] = self.lifetime
        return Answer(200, json.dumps(body).encode(), {"Content-Type": "application/json"})


class Tokens:
    """How a registry finds its token service: its realm URL and what the tokens are signed with."""

    def __init__(self, authority, realm):
        self.authority, self.realm = authority, realm


class Registry:
    """docker-registry in a folder. tls: (certificate, key); client_ca: file; users: {name: password} for htpasswd;
    tokens: Tokens. start() and stop()."""

    def __init__(self, folder, tls=None, client_ca=None, users=None, tokens=None, is_relative=False,
                 can_delete=True):
        self.program = shutil.which("docker-registry") or shutil.which("registry")
        if not self.program:
            raise RuntimeError("docker-registry is missing: scripts/test installs what the tests need")
        self.folder, self.root = folder, os.path.join(folder, "data")
        self.scheme = "https" if tls else "http"
        self._tls, self._client_ca, self._users, self._tokens = tls, client_ca, users, tokens
        self._is_relative, self._can_delete = is_relative, can_delete
        self._child = self._drain = self.port = None

    @property
    def host(self):
        return f"127.0.0.1:{self.port}"

    @property
    def url(self):
        return f"{self.scheme}://{self.host}"

    def _config(self):
        http = {"addr": f"127.0.0.1:{self.port or 0}", "secret": "kit", "relativeurls": self._is_relative}
        if self._tls:
            http["tls"] = {"certificate": self._tls[0], "key": self._tls[1]}
            if self._client_ca:
                http["tls"]["clientcas"] = [self._client_ca]
        config = {"version": 0.1, "log": {"level": "info", "accesslog": {"disabled": True}}, "http": http,
                  "storage": {"filesystem": {"rootdirectory": self.root}, "delete": {"enabled": self._can_delete},
                              "cache": {"blobdescriptor": "inmemory"},
                              "maintenance": {"uploadpurging": {"enabled": False}}}}
        if self._users:
            config["auth"] = {"htpasswd": {"realm": "kit", "path": self._htpasswd()}}
        if self._tokens:
            config["auth"] = {"token": {"realm": self._tokens.realm, "service": TokenService.audience,
                                        "issuer": TokenService.issuer, "rootcertbundle": self._tokens.authority.crt}}
        return config

    def _htpasswd(self):
        path = os.path.join(self.folder, "htpasswd")
        with open(path, "wb") as stream:
            for user, password in self._users.items():
                stream.write(subprocess.run(["htpasswd", "-niB", "-C", "4", user], input=password.encode(),
                                            stdout=subprocess.PIPE, check=True).stdout.strip() + b"\n")
        return path

    def start(self):
        os.makedirs(self.root, exist_ok=True)
        path = os.path.join(self.folder, "registry.yml")
        with open(path, "w", encoding="utf-8") as stream:
            json.dump(self._config(), stream)  # JSON is YAML
        self._child = subprocess.Popen([self.program, "serve", path], stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        heard = []
        for line in self._child.stderr:
            heard.append(line.decode(errors="replace"))
            found = re.search(r"listening on 127\.0\.0\.1:(\d+)", heard[-1])
            if found:
                self.port = int(found.group(1))
                self._drain = threading.Thread(target=self._child.stderr.read, daemon=True)
                self._drain.start()
                return self
        raise RuntimeError(f"docker-registry does not start:\n{''.join(heard)}")

    def stop(self):
        if self._child:
            self._child.kill()
            self._child.wait()
            self._drain.join()
            self._child.stderr.close()
            self._child = None

    # What it holds, read from its folder: no client, no credential.

    def _path(self, *parts):
        return os.path.join(self.root, "docker", "registry", "v2", *parts)

    def tags(self, repository):
        """{tag: digest}"""
        folder = self._path("repositories", repository, "_manifests", "tags")
        tags = {}
        for tag in os.listdir(folder) if os.path.isdir(folder) else ():
            link = os.path.join(folder, tag, "current", "link")
            if os.path.exists(link):
                with open(link, encoding="utf-8") as stream:
                    tags[tag] = stream.read()
        return tags

    def set_tag(self, repository, tag, digest):
        """Points a tag that is there at another manifest, as another client would."""
        with open(self._path("repositories", repository, "_manifests", "tags", tag, "current", "link"), "w", encoding="utf-8") as stream:
            stream.write(digest)

    def forget_tag(self, repository, tag):
        shutil.rmtree(self._path("repositories", repository, "_manifests", "tags", tag))

    def blob(self, digest):
        """The bytes of a blob or manifest, checked."""
        algorithm, _, value = digest.partition(":")
        with open(self._path("blobs", algorithm, value[:2], value, "data"), "rb") as stream:
            data = stream.read()
        if hashlib.sha256(data).hexdigest() != value:
            raise AssertionError(f"the registry's {digest} has other bytes than its name says")
        return data

    def _is_linked(self, repository, digest, kind):
        folder = ["_manifests", "revisions"] if kind == "manifest" else ["_layers"]
        return os.path.exists(self._path("repositories", repository, *folder, *digest.split(":"), "link"))

    def check(self, repository, digest):
        """Raises unless the index or manifest is in the repository with everything that it refers to; returns how many
        manifests that were."""
        if not self._is_linked(repository, digest, "manifest"):
            raise AssertionError(f"{repository}: manifest {digest} is not there")
        document = json.loads(self.blob(digest))
        if "manifests" in document:
            return 1 + sum(self.check(repository, child["digest"]) for child in document["manifests"])
        for part in [document["config"], *document["layers"]]:
            if not self._is_linked(repository, part["digest"], "blob"):
                raise AssertionError(f"{repository}: blob {part['digest']} of {digest} is not there")
            if len(self.blob(part["digest"])) != part["size"]:
                raise AssertionError(f"{repository}: blob {part['digest']} has another size")
        return 1
