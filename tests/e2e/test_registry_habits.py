# SPDX-License-Identifier: Apache-2.0
"""Registries as people have them: named in registries.conf, behind a proxy with limits, with a token service elsewhere, with a
CA that the environment names, with credentials of a namespace."""

import json
import unittest

from base import PASSWORD, USER, FaultProxy, PushCase, registry, run, service

OTHER = "127.0.0.2"


class RegistriesConf(PushCase):
    """insecure and blocked hold for all that goes to a registry."""

    def conf(self, target, line, name="home/.config/containers/registries.conf"):
        return self.write(name, f'[[registry]]\nlocation = "{target.host}"\n{line}\n')

    def commands(self, target, digest):
        return (("push", self.made.folder, f"{target.host}/ns/image:v1"),
                ("tag", f"{target.host}/ns/image@{digest}", "v2"), ("pull", f"{target.host}/ns/image:v1"),
                ("login", "--username", "u", "--password-stdin", target.host))

    def setUp(self):
        super().setUp()
        self.made = self.make_layout(size=2000)

    def test_an_insecure_registry_needs_no_option(self):
        target = self.make_registry()
        self.refused(run.NETWORK, self.call("push", "--retries=0", self.made.folder, f"{target.host}/ns/image:v1"), "plain http")
        self.conf(target, "insecure = true")
        for command in self.commands(target, self.made.digest):
            result = self.call(*command, data=b"secret")
            self.assertEqual(result.code, run.OK, result)
        self.assertEqual(target.tags("ns/image"), {"v1": self.made.digest, "v2": self.made.digest})

    def test_a_blocked_registry_gets_nothing(self):
        target, proxy = self.make_proxied()
        self.conf(proxy, "insecure = true\nblocked = true")
        for command in self.commands(proxy, self.made.digest):
            self.refused(run.USAGE, self.call(*command, data=b"secret"), "is blocked by .*registries.conf:1")
        self.assertEqual((proxy.requests, target.tags("ns/image")), ([], {}))

    def test_the_file_that_the_environment_names_comes_first(self):
        target = self.make_registry()
        self.conf(target, "blocked = true")
        env = {"CONTAINERS_REGISTRIES_CONF": self.conf(target, "insecure = true", "other.conf")}
        result = self.call("push", self.made.folder, f"{target.host}/ns/image:v1", env=env)
        self.assertEqual(result.code, run.OK, result)
        env = {"CONTAINERS_REGISTRIES_CONF": self.path("nowhere.conf")}
        self.refused(run.USAGE, self.call("pull", f"{target.host}/ns/image:v1", env=env), "no such file; CONTAINERS_REG")


class Trust(PushCase):
    def test_a_ca_that_the_environment_names(self):
        authority, made = self.authority(), self.make_layout(size=2000)
        target = self.make_registry(tls=authority.issue("server"))
        reference = f"{target.host}/ns/image:v1"
        self.refused(run.TRUST, self.push(made, reference, insecure=False), "certificate")
        self.tool("openssl", "rehash", authority.folder)
        for variable, value in ("SSL_CERT_FILE", authority.crt), ("SSL_CERT_DIR", authority.folder):
            self.pushed(made, reference, insecure=False, env={variable: value})
        self.assert_tag(target, "ns/image", "v1", made.digest)


class Limited(FaultProxy):
    """nginx as it comes: no body above 1 MiB."""

    def answer(self, request):
        if len(request.body or b"") > 1 << 20:
            return service.Answer(413, b"<html>413 Request Entity Too Large</html>", {"Content-Type": "text/html"})
        return super().answer(request)


class Proxy(PushCase):
    def test_bodies_of_a_mebibyte_at_most_go_in_chunks(self):
        target = self.make_registry()
        proxy = self.serve(Limited(target.url))
        made = self.make_layout(size=3 << 20)
        self.pushed(made, f"{proxy.host}/ns/image:v1")
        self.assert_tag(target, "ns/image", "v1", made.digest)

    def test_where_no_chunk_is_small_enough_the_proxy_is_named(self):
        target, proxy = self.make_proxied()
        proxy.fault("PUT PATCH", "/blobs/uploads/", times=None, status=413, body=b"<html>413</html>")
        result = self.push(self.make_layout(size=2000), f"{proxy.host}/ns/image:v1", retries=1)
        self.refused(run.PUBLISH, result, "a proxy before the registry limits")
        self.assertEqual(target.tags("ns/image"), {})


class TokensElsewhere(PushCase):
    """GitLab's shape: the token service is another host's."""

    def setUp(self):
        super().setUp()
        authority = self.authority()
        self.tokens = self.serve(registry.TokenService(
            authority, {USER: PASSWORD}, address=OTHER,
            rights={USER: lambda _: ("pull", "push"), None: lambda _: ("pull",)}))
        self.target = self.make_registry(tokens=registry.Tokens(authority, self.tokens.url + "/token"))
        self.authfile = self.write_authfile(hosts=[self.target.host])
        self.reference = f"{self.target.host}/ns/image:v1"
        self.made = self.make_layout(size=2000)

    def test_who_has_no_credential_pulls(self):
        option = f"--token-origin={self.tokens.url}"
        self.pushed(self.made, self.reference, "--authfile", self.authfile, option)
        empty = self.write("empty.json", "{}")
        result = self.call("pull", "--tls-verify=false", "--authfile", empty, self.reference)
        self.assertEqual(result.code, run.OK, result)

    def test_a_credential_goes_there_only_where_it_is_named(self):
        result = self.push(self.made, self.reference, "--authfile", self.authfile)
        self.refused(run.PUBLISH, result, f"--token-origin={self.tokens.url}")
        self.assertEqual(self.tokens.requests, [])
        self.refused(run.USAGE, self.push(self.made, self.reference, f"--token-origin={OTHER}"), "is not an origin")
        result = self.call("login", "--tls-verify=false", f"--token-origin={self.tokens.url}", "--username", USER,
                           "--password-stdin", "--authfile", self.path("new.json"), self.target.host, data=PASSWORD.encode())
        self.assertEqual(result.code, run.OK, result)


class KeptTags(PushCase):
    """Version tags that are somebody's, or immutable, while latest moves on."""

    def setUp(self):
        super().setUp()
        self.target, self.proxy = self.make_proxied()
        self.old, self.new = self.make_layout("old", size=2000), self.make_layout("new", size=2000, seed=2)
        self.pushed(self.old, f"{self.target.host}/ns/image:1.0", "--tag=latest")
        self.proxy.fault("PUT", "/manifests/1.0", times=None, status=409, body=b"{}")

    def test_a_version_tag_that_is_elsewhere_stays_and_latest_moves(self):
        reference = f"{self.proxy.host}/ns/image"
        self.refused(run.PUBLISH, self.push(self.new, f"{reference}:1.0", "--tag=latest"), "409")
        self.assertEqual(self.target.tags("ns/image")["latest"], self.old.digest)
        result = self.push(self.new, f"{reference}:1.0", "--tag=latest", "--keep-existing-tags")
        self.assertEqual((result.code, result.push.status), (run.OK, "pushed"), result)
        self.assertEqual(self.target.tags("ns/image"), {"1.0": self.old.digest, "latest": self.new.digest})
        tags = {tag["name"]: tag for tag in json.loads(result.stdout)["images"][0]["push"]["tags"]}
        self.assertEqual((tags["1.0"]["kept"], tags["1.0"]["moved"], tags["1.0"]["new"]), (True, False, self.old.digest))
        again = self.push(self.new, f"{reference}:1.0", "--tag=latest", "--keep-existing-tags")
        self.assertEqual(again.push.status, "unchanged", again)

    def test_a_version_tag_that_is_not_there_is_set_and_where_all_are_kept_nothing_is_sent(self):
        self.proxy.heal()
        reference = f"{self.proxy.host}/ns/image"
        self.pushed(self.new, f"{reference}:1.1", "--keep-existing-tags")
        self.assertEqual(self.target.tags("ns/image")["1.1"], self.new.digest)
        self.proxy.forget()
        third = self.make_layout("third", size=2000, seed=3)
        result = self.push(third, f"{reference}:1.1", "--keep-existing-tags")
        self.assertEqual((result.code, result.push.status), (run.OK, "unchanged"), result)
        self.assertEqual(self.proxy.asked("POST PUT PATCH"), [])
        self.assertEqual(self.target.tags("ns/image")["1.1"], self.new.digest)


class Logins(PushCase):
    def login(self, *arguments, password=PASSWORD, **settings):
        return self.call("login", "--tls-verify=false", "--username", USER, "--password-stdin", "--authfile",
                         self.path("auth.json"), *arguments, data=password.encode(), **settings)

    def keys(self):
        with open(self.path("auth.json"), encoding="utf-8") as stream:
            return list(json.load(stream)["auths"])

    def test_of_a_namespace_and_of_a_url(self):
        target = self.make_registry(users={USER: PASSWORD})
        self.assertEqual(self.login(f"{target.host}/ns").code, run.OK)
        self.assertEqual(self.keys(), [f"{target.host}/ns"])
        made = self.make_layout(size=2000)
        authfile = ("--authfile", self.path("auth.json"))
        self.pushed(made, f"{target.host}/ns/image:v1", *authfile)
        self.refused(run.PUBLISH, self.push(made, f"{target.host}/other/image:v1", *authfile), "needs a user name")
        self.assertEqual(self.login(f"https://{target.host}/").code, run.OK)
        self.assertEqual(self.keys(), [f"{target.host}/ns", target.host])
        self.assertEqual(self.call("logout", *authfile, f"{target.host}/ns").code, run.OK)
        self.assertEqual(self.keys(), [target.host])
        self.refused(run.USAGE, self.login(f"{target.host}/ns:tag"), r"HOST\[:PORT\]\[/NAMESPACE\]")

    def test_that_nothing_checked_say_so(self):
        result = self.login(self.make_registry().host, password="wrong")
        self.assertEqual(result.code, run.OK, result)
        self.assertRegex(result.stdout, "nothing checked it: the registry did not ask")

    def test_of_a_namespace_are_not_for_helpers(self):
        target = self.make_registry(users={USER: PASSWORD})
        self.write("auth.json", json.dumps({"credHelpers": {target.host: "kit"}}))
        self.refused(run.USAGE, self.login(f"{target.host}/ns"), "helpers keep no namespaces")


if __name__ == "__main__":
    unittest.main()
