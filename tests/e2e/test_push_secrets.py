# SPDX-License-Identifier: Apache-2.0
"""A credential goes to the registry it is for, and nowhere else: not to another origin, not into any output or file."""

import base64
import json
import os
import socket
import unittest
import urllib.parse

from base import FaultProxy, PushCase, capture, registry, run, service

USER = "ns+robot"
CANARY = "canary-7f3a9c5e1b-secret"


class Origins(PushCase):
    """Two origins: the registry's, and another one (127.0.0.2) that keeps what it is sent."""

    def setUp(self):
        super().setUp()
        self.made = self.make_layout(layers=2)
        self.target = self.make_registry(users={USER: CANARY})
        self.proxy = self.serve(FaultProxy(self.target.url))
        self.authfile = self.write_authfile(user=USER, password=CANARY, hosts=[self.proxy.host])

    def push_to(self, proxy, **settings):
        return self.push(self.made, f"{proxy.host}/a/b:v1", "--authfile", self.authfile, **settings)

    def other_origin(self, **settings):
        """The other origin does the work on the registry with its own right."""
        return self.serve(capture.Origin(self.target.url, {"Authorization": capture.basic(USER, CANARY)}, **settings))

    def assert_nothing_captured(self, *origins):
        for origin in origins:
            self.assertEqual(origin.authorizations(), [])
            for request in origin.requests:
                self.assertNotIn(CANARY, urllib.parse.unquote(request.target) + str(request.headers))
                self.assertNotIn(CANARY.encode(), request.body)

    def test_a_token_realm_elsewhere(self):
        thief = self.serve(capture.Origin())
        for realm in (thief.url + "/token", thief.url.replace("//", f"//{self.proxy.host}@") + "/token",
                      thief.url.replace("//", "//user:pass@") + "/token", f"//{thief.host}/token"):
            with self.subTest(realm):
                liar = self.serve(capture.RealmElsewhere(realm))
                self.authfile = self.write_authfile(user=USER, password=CANARY, hosts=[liar.host])
                self.refused((run.PUBLISH, run.TRUST, run.NETWORK), self.push_to(liar), "realm|token")
                self.assert_nothing_captured(thief)

    def test_realms_that_are_no_web_address(self):
        for realm in ("file:///etc/passwd", "ftp://127.0.0.1/token", "", "http://", "http://127.0.0.1:1/\\r\\nX: y"):
            with self.subTest(realm):
                liar = self.serve(capture.RealmElsewhere(realm))
                self.authfile = self.write_authfile(user=USER, password=CANARY, hosts=[liar.host])
                self.refused((run.PUBLISH, run.TRUST, run.NETWORK), self.push_to(liar, retries=0))

    def test_a_token_service_that_redirects(self):
        thief = self.serve(capture.Origin())
        authority = self.authority()
        tokens = self.serve(registry.TokenService(authority, {USER: CANARY}))
        tokens.fault("*", "", times=None, status=307, headers={"Location": thief.url + "/token"})
        target = self.make_registry("second", tokens=registry.Tokens(authority, tokens.url + "/token"))
        self.authfile = self.write_authfile(user=USER, password=CANARY, hosts=[target.host])
        self.refused((run.PUBLISH, run.TRUST, run.NETWORK), self.push_to(target, retries=0))
        self.assert_nothing_captured(thief)

    def test_upload_locations_elsewhere(self):
        for address in ("127.0.0.2", "127.0.0.1"):  # another host; the same host with another port
            with self.subTest(address):
                origin = self.other_origin(address=address)
                self.proxy.heal()
                self.proxy.fault("POST", "/blobs/uploads/", times=None, change=capture.location_to(origin))
                reference = f"{self.proxy.host}/at-{address[-1]}/b:v1"
                self.pushed(self.made, reference, "--authfile", self.authfile)
                self.assert_tag(self.target, f"at-{address[-1]}/b", "v1", self.made.digest)
                self.assertTrue(origin.asked("PUT PATCH"), "the Location was not followed")
                self.assert_nothing_captured(origin)

    def test_uploads_redirected_elsewhere(self):
        origin = self.other_origin()
        honest, change = self.proxy.answer, capture.redirect_to(origin)

        def answer(request):
            if request.verb != "PUT" or "/blobs/uploads/" not in request.path:
                return honest(request)
            out = service.Answer(307)
            change(request, out)
            return out
        self.proxy.answer = answer
        self.pushed(self.made, f"{self.proxy.host}/a/b:v1", "--authfile", self.authfile)
        self.assert_tag(self.target, "a/b", "v1", self.made.digest)
        self.assertTrue(origin.asked("PUT"), "the redirect was not followed")
        self.assert_nothing_captured(origin)

    def test_downloads_redirected_elsewhere(self):
        self.assertEqual(self.push_to(self.proxy).code, run.OK)
        for status in (302, 307):
            origin = self.other_origin()
            self.proxy.heal()
            self.proxy.fault("GET", "/blobs/", times=None, change=capture.redirect_to(origin, status))
            folders = run.Factory(self.path(f"folders{status}"))
            result = self.call("pull", "--tls-verify=false", "--authfile", self.authfile, "--output",
                               self.path(f"pulled{status}"), f"{self.proxy.host}/a/b:v1", folders=folders)
            self.assertEqual(result.code, run.OK, result)
            self.assertTrue(origin.asked("GET", "/blobs/"), "the redirect was not followed")
            self.assert_nothing_captured(origin)

    def test_everything_redirected_elsewhere(self):
        """Whatever it makes of that, the credential stays."""
        thief = self.serve(capture.Origin())
        for verbs, pattern in (("GET", "^/v2/$"), ("HEAD", "/blobs/"), ("POST", "/blobs/uploads/"),
                               ("PUT", "/manifests/"), ("GET HEAD", "/manifests/")):
            with self.subTest(verbs + " " + pattern):
                self.proxy.heal()
                self.proxy.fault(verbs, pattern, times=None, change=capture.redirect_to(thief))
                self.push_to(self.proxy, retries=0)
                self.assert_nothing_captured(thief)

    def test_a_redirect_loop_ends(self):
        def loop(request, answer):
            answer.status, answer.headers = 307, {"Location": request.target}
        self.proxy.fault("HEAD POST", "/blobs/", times=None, change=loop)
        self.refused((run.PUBLISH, run.NETWORK), self.push_to(self.proxy, retries=0), "redirect")
        self.assertLess(len(self.proxy.requests), 100)

    def test_no_credential_over_plain_http_to_another_machine(self):
        """This machine's own address in its network stands for another machine; only this machine can be reached so."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect(("192.0.2.1", 9))  # sends nothing; finds the address
                address = probe.getsockname()[0]
            except OSError:
                self.skipTest("this machine has no address but loopback")
        wanted = {"Www-Authenticate": 'Basic realm="kit"'}
        lab = self.serve(FaultProxy(self.target.url, address))
        lab.fault("*", "^/v2/", times=None, status=401, headers=wanted)
        self.authfile = self.write_authfile(user=USER, password=CANARY, hosts=[lab.host])
        self.refused((run.PUBLISH, run.USAGE, run.TRUST, run.NETWORK), self.push_to(lab, retries=0), "http")
        self.assertTrue(lab.requests)
        self.assert_nothing_captured(lab)


def own_address():
    """This machine's own address in its network, which stands for another machine; None when it has only loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing; finds the address
            return probe.getsockname()[0]
        except OSError:
            return None


class Watcher(service.Service):
    """A proxy that keeps what it is asked, and does nothing."""

    def answer(self, request):
        return service.Answer(502)


class Proxies(PushCase):
    """Proxies of the environment see no request to this machine, and no credential in clear."""

    def setUp(self):
        super().setUp()
        self.made = self.make_layout()
        self.watcher = self.serve(Watcher("127.0.0.2"))

    def environment(self, names=("http_proxy",), scheme="http", no_proxy=None):
        return {**{name: f"{scheme}://{self.watcher.host}" for name in names}, "no_proxy": no_proxy, "NO_PROXY": None}

    def test_a_registry_on_this_machine_is_reached_without_a_proxy(self):
        target = self.make_registry(users={USER: CANARY})
        port = target.host.rpartition(":")[2]
        for number, (names, host, no_proxy) in enumerate((
                (("http_proxy",), "127.0.0.1", None), (("HTTP_PROXY", "HTTPS_PROXY"), "localhost", ""),
                (("all_proxy",), "127.0.0.1", f"127.0.0.1:{port}"), (("ALL_PROXY",), "localhost", f"localhost:{port}"))):
            for scheme in ("http", "socks5h"):
                with self.subTest(f"{names} {host} {no_proxy} {scheme}"):
                    authfile = self.write_authfile(user=USER, password=CANARY, hosts=[f"{host}:{port}"])
                    env = self.environment(names, scheme, no_proxy)
                    reference = f"{host}:{port}/a/b{number}{scheme}"
                    self.pushed(self.made, reference + ":v1", "--authfile", authfile, env=env)
                    for name, words in (("inspect", [reference + ":v1"]), ("pull", [reference + ":v1"]),
                                        ("tag", [f"{reference}@{self.made.digest}", "v2"])):
                        result = self.call(name, "--tls-verify=false", "--authfile", authfile, *words, env=env)
                        self.assertEqual(result.code, run.OK, result)
                    self.assertEqual(self.watcher.requests, [])

    def test_no_proxy_knows_ports(self):
        address = own_address()
        if not address:
            self.skipTest("this machine has no address but loopback")
        target = self.make_registry()
        lab = self.serve(FaultProxy(target.url, address))
        port = lab.host.rpartition(":")[2]
        network = address.rpartition(".")[0] + ".0/24"
        for number, no_proxy in enumerate((lab.host, address, network, "x, *", f"a.example,{address}:{port}")):
            self.pushed(self.made, f"{lab.host}/a/b{number}:v1", env=self.environment(no_proxy=no_proxy))
            self.assertEqual(self.watcher.requests, [], no_proxy)
        for no_proxy in (None, f"{address}:1", "a.example"):
            self.watcher.forget()
            result = self.push(self.made, f"{lab.host}/a/b:v1", env=self.environment(no_proxy=no_proxy), retries=0)
            self.assertNotEqual(result.code, run.OK)
            self.assertTrue(self.watcher.asked("*", "^http://"), no_proxy)

    def build(self, url, env):
        self.factory.options = ["--source", self.write_source(uris=[url], trusted=True), "--manifests",
                                self.path("manifests"), "--retries", "0"]
        return self.run_factory("--dry-run", "served", env=env)

    def test_packages_of_a_mirror_with_a_password(self):
        """In clear to a proxy elsewhere: refused, nothing is sent. Through one of this machine it goes."""
        address = own_address()
        self.make_repository()
        self.write_manifest()
        url = f"http://{USER.replace('+', '%2B')}:{CANARY}@mirror.invalid/debian"
        far = self.serve(Watcher(address)) if address else None
        for scheme in ("http", "socks5h") if far else ():
            result = self.build(url, {"http_proxy": f"{scheme}://{far.host}", "no_proxy": None})
            self.assertEqual(result.code, run.USAGE, result)
            self.assertIn("in clear to the proxy", result.stderr)
            self.assertNotIn(CANARY, result.stderr)
            self.assertEqual(far.requests, [])
        result = self.build(url, self.environment())
        self.assertNotEqual(result.code, run.USAGE, result)
        self.assertTrue(self.watcher.authorizations())

    def test_packages_of_a_mirror_on_this_machine(self):
        self.make_repository()
        self.write_manifest()
        for env in (self.environment(), self.environment(("ALL_PROXY",))):
            result = self.build(self.server.url, env)
            self.assertEqual(result.code, run.OK, result)
        self.assertEqual(self.watcher.requests, [])


class Canary(PushCase):
    """The password, its Basic form and the tokens made from it appear in no output and in no file but the auth file."""

    def setUp(self):
        super().setUp()
        self.made = self.make_layout()
        authority = self.authority()
        self.proxy = self.serve(FaultProxy())
        self.tokens = self.serve(registry.TokenService(authority, {USER: CANARY}))
        self.target = self.make_registry(tokens=registry.Tokens(authority, self.proxy.url + "/token"))
        self.proxy.upstream, self.proxy.routes = self.target.url, [("/token", self.tokens.url)]
        self.given = []  # every token that was handed out
        sign = self.tokens.sign

        def signing(claims):
            self.given.append(sign(claims))
            return self.given[-1]
        self.tokens.sign = signing
        self.texts = []

    def look(self, result):
        self.texts.append((result.command, result.stdout, result.stderr))
        return result

    def assert_unseen(self, *except_files):
        self.assertTrue(self.given, "no token was ever asked for")
        secrets = [CANARY, base64.b64encode(f"{USER}:{CANARY}".encode()).decode(), CANARY.encode().hex(),
                   urllib.parse.quote(CANARY, safe=""), *self.given, *(token.rsplit(".", 1)[1] for token in self.given)]
        for command, stdout, stderr in self.texts:
            for secret in secrets:
                self.assertNotIn(secret, " ".join(command))
                self.assertNotIn(secret, stdout)
                self.assertNotIn(secret, stderr)
            self.assertNotIn("_state=", stdout + stderr, "an upload's own secret")
        mine = {os.path.join(self.top, name) for name in except_files}
        for folder, folders, names in os.walk(self.top):
            folders[:] = [name for name in folders if os.path.join(folder, name) not in
                          (self.path("registry"), self.path("authority"))]
            for path in (os.path.join(folder, name) for name in names):
                if path in mine or not os.path.isfile(path):
                    continue
                with open(path, "rb") as stream:
                    data = stream.read()
                for secret in secrets:
                    self.assertNotIn(secret.encode(), data, path)

    def test_of_a_login_push_and_pull(self):
        self.look(self.call("login", "--tls-verify=false", "--username", USER, "--password-stdin", self.proxy.host,
                            data=CANARY.encode()))
        for tag, options in (("v0", ()), ("v1", ("--verbose",)), ("v2", ("--quiet",))):
            result = self.look(self.push(self.made, f"{self.proxy.host}/a/b:{tag}", *options))
            self.assertEqual(result.code, run.OK, result)
        self.assertEqual(self.look(self.call("pull", "--tls-verify=false", "--output", self.path("pulled"),
                                             f"{self.proxy.host}/a/b:v0")).code, run.OK)
        self.look(self.call("inspect", "--tls-verify=false", "--json", f"{self.proxy.host}/a/b:v0"))
        self.assert_unseen("runtime/containers/auth.json")

    def test_of_what_fails(self):
        authfile = self.write_authfile(user=USER, password=CANARY, hosts=[self.proxy.host])
        for verbs, pattern, settings in (
                ("GET", "^/token", {"status": 403, "body": json.dumps({"details": "no"}).encode()}),
                ("GET", "^/token", {"reset": True}), ("POST", "/uploads/", {"status": 403}),
                ("PUT", "/uploads/", {"reset": True}), ("PUT", "/uploads/", {"status": 500}),
                ("PUT", "/manifests/", {"status": 400}),
                ("POST", "/uploads/", {"status": 401})):
            self.proxy.heal()
            self.proxy.fault(verbs, pattern, times=None, **settings)
            self.assertNotEqual(self.look(self.push(self.made, f"{self.proxy.host}/a/b:v1", "--verbose", "--authfile",
                                                    authfile, retries=1)).code, run.OK)
        broken = self.write("broken.json", '{"auths": {"' + self.proxy.host + '": {"auth": "' + base64.b64encode(
            f"{USER}:{CANARY}".encode()).decode() + '", }}}')
        self.look(self.refused(run.USAGE, self.push(self.made, f"{self.proxy.host}/a/b:v1", "--authfile", broken),
                               "broken.json"))
        self.assert_unseen("auth.json", "broken.json")

    def test_in_its_memory_dump(self):
        """The process can leave no core file behind, and its command line and environment hold no secret."""
        authfile = self.write_authfile(user=USER, password=CANARY, hosts=[self.proxy.host])
        fault = self.proxy.fault("PUT", "/blobs/uploads/", hold="before", times=None)
        child = self.start("push", "--tls-verify=false", "--authfile", authfile, self.made.folder,
                           f"{self.proxy.host}/a/b:v1")
        self.assertTrue(fault.reached.wait(20))
        with open(f"/proc/{child.pid}/limits", encoding="utf-8") as stream:
            core = next(line for line in stream if line.startswith("Max core file size")).split()
        for name in ("cmdline", "environ"):
            try:
                with open(f"/proc/{child.pid}/{name}", "rb") as stream:
                    self.assertNotIn(CANARY.encode(), stream.read())
            except PermissionError:
                self.assertTrue(name == "environ" and os.geteuid() != 0)
        owner = os.stat(f"/proc/{child.pid}/fd").st_uid  # root's when the process is not dumpable
        child.kill()
        child.communicate()
        self.assertEqual(core[4], "0", "a core dump would hold the password")
        self.assertEqual(owner, 0, "others of the same user could read the password in its memory")


if __name__ == "__main__":
    unittest.main()
