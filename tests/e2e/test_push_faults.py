# SPDX-License-Identifier: Apache-2.0
"""Publishing when the registry or the network fails: one transient fault on any kind of request is absorbed, a
permanent one fails fast with one message; the tag is the old index or the new one, complete, and the report agrees."""

import concurrent.futures
import json
import os
import random
import shutil
import signal
import time
import unittest

from base import PASSWORD, USER, FaultProxy, PushCase, registry, run, service

# Every kind of request of a push: verbs and target.
FIRST = ("*", r"^/v2/")
TOKEN = ("GET", r"^/token")
HAS_BLOB = ("HEAD", r"/blobs/sha256:")
OPEN = ("POST", r"/blobs/uploads/")
SEND = ("PUT PATCH", r"/blobs/uploads/")
PUT_CHILD = ("PUT", r"/manifests/sha256:")
READ_CHILD = ("GET HEAD", r"/manifests/sha256:")
PUT_TAG = ("PUT", r"/manifests/v1$")
READ_TAG = ("GET HEAD", r"/manifests/v1$")
KINDS = {"first": FIRST, "token": TOKEN, "has blob": HAS_BLOB, "open upload": OPEN, "send blob": SEND,
         "put manifest": PUT_CHILD, "read manifest": READ_CHILD, "put tag": PUT_TAG, "read tag": READ_TAG}


def errors(code, message="the registry's own words"):
    return json.dumps({"errors": [{"code": code, "message": message, "detail": None}]}).encode()


# What passes by itself, on any request.
TRANSIENT = {
    "500": {"status": 500}, "502 with a page": {"status": 502, "body": b"<html>bad gateway</html>"},
    "503 with Retry-After": {"status": 503, "headers": {"Retry-After": "1"}},
    "429": {"status": 429, "body": errors("TOOMANYREQUESTS")}, "408": {"status": 408},
    "reset": {"reset": True}, "lost reply": {"lost": True}, "truncated": {"truncated": True}, "late": {"delay": 1}}

# What passes by itself, on some.
PARTICULAR = [
    ("cut in the body", SEND, {"cut": True}), ("cut in the manifest", PUT_CHILD, {"cut": True}),
    ("cut in the tag", PUT_TAG, {"cut": True}),
    ("session unknown", SEND, {"status": 404, "body": errors("BLOB_UPLOAD_UNKNOWN")}),
    ("session invalid", SEND, {"status": 400, "body": errors("BLOB_UPLOAD_INVALID")}),
    ("digest invalid once", SEND, {"status": 400, "body": errors("DIGEST_INVALID")}),
    ("blob unknown", PUT_CHILD, {"status": 400, "body": errors("MANIFEST_BLOB_UNKNOWN")}),
    ("blob unknown in the tag", PUT_TAG, {"status": 400, "body": errors("MANIFEST_BLOB_UNKNOWN")}),
    ("forbidden to ask", HAS_BLOB, {"status": 403, "times": None}),
    ("not there yet", READ_CHILD, {"status": 404, "body": errors("MANIFEST_UNKNOWN")}),
    ("the tag is not there yet", READ_TAG, {"status": 404, "body": errors("MANIFEST_UNKNOWN"), "nth": 3}),
    ("read tag again, reset", READ_TAG, {"reset": True, "nth": 3}),
    ("read tag again, 503", READ_TAG, {"status": 503, "nth": 3}),
] + [(f"{digest} digest, {name}", KINDS[name], {"digest": digest}) for digest in ("wrong", "missing")
     for name in ("send blob", "put manifest", "put tag")] + [
    ("missing digest, read tag", READ_TAG, {"digest": "missing", "times": None})]
OPTIONAL = {READ_CHILD, HAS_BLOB}  # kinds of requests that a push may do without

DENIED = {"status": 403, "body": errors("DENIED"), "times": None}
# What does not pass: (name, kind, fault, classes, what the message says, at most so many requests of that kind)
WORDS = "the registry's own words"
PERMANENT = [
    ("first: server errors", FIRST, {"status": 500}, (run.NETWORK, run.PUBLISH), "500", 3),
    ("first: resets", FIRST, {"reset": True}, (run.NETWORK,), "127.0.0.1", 6),
    ("first: not a registry", FIRST, {"status": 404, "body": b"<html>no</html>"}, (run.PUBLISH, run.NETWORK), "", 30),
    ("token: denied", TOKEN, {"status": 403, "body": errors("DENIED")}, (run.PUBLISH,), "token", 3),
    ("token: unauthorized", TOKEN, {"status": 401}, (run.PUBLISH,), "", 3),
    ("token: a page", TOKEN, {"status": 200, "body": b"<html>log in</html>"}, (run.PUBLISH, run.NETWORK), "token", 6),
    ("token: nothing in it", TOKEN, {"status": 200, "body": b"{}"}, (run.PUBLISH, run.NETWORK), "token", 6),
    ("token: server errors", TOKEN, {"status": 503}, (run.NETWORK, run.PUBLISH), "503", 6),
    ("open: denied", OPEN, {"status": 403, "body": errors("DENIED")}, (run.PUBLISH,), WORDS, 8),
    ("open: no repository", OPEN, {"status": 404, "body": errors("NAME_UNKNOWN")}, (run.PUBLISH,), "create|exist", 8),
    ("open: read-only", OPEN, {"status": 405, "body": errors("UNSUPPORTED")}, (run.PUBLISH,), WORDS, 8),
    ("open: server errors", OPEN, {"status": 500}, (run.NETWORK, run.PUBLISH), "500", 16),
    ("open: resets", OPEN, {"reset": True}, (run.NETWORK,), "127.0.0.1", 24),
    ("open: no Location", OPEN, {"status": 202}, (run.PUBLISH, run.NETWORK, run.MALFORMED), "location", 16),
    ("send: denied", SEND, {"status": 403, "body": errors("DENIED")}, (run.PUBLISH,), WORDS, 8),
    ("send: too large", SEND, {"status": 413, "body": b"<html>too large</html>"}, (run.PUBLISH,), "large|413", 60),
    ("send: digest invalid", SEND, {"status": 400, "body": errors("DIGEST_INVALID")}, (run.PUBLISH, run.TRUST), "", 30),
    ("send: server errors", SEND, {"status": 500}, (run.NETWORK, run.PUBLISH), "500", 40),
    ("send: resets", SEND, {"cut": True}, (run.NETWORK,), "127.0.0.1", 60),
    ("manifest: invalid", PUT_CHILD, {"status": 400, "body": errors("MANIFEST_INVALID")}, (run.PUBLISH,), WORDS, 8),
    ("manifest: blob unknown", PUT_CHILD, {"status": 400, "body": errors("MANIFEST_BLOB_UNKNOWN")}, (run.PUBLISH,),
     WORDS, 16),
    ("manifest: type unknown", PUT_CHILD, {"status": 415, "body": errors("UNSUPPORTED")}, (run.PUBLISH,), WORDS, 4),
    ("manifest: server errors", PUT_CHILD, {"status": 502}, (run.NETWORK, run.PUBLISH), "502", 12),
    ("manifest: never there", READ_CHILD, {"status": 404}, (run.PUBLISH, run.NETWORK), "sha256", 60),
    ("tag: denied", PUT_TAG, {"status": 403, "body": errors("DENIED")}, (run.PUBLISH,), WORDS, 2),
    ("tag: immutable", PUT_TAG, {"status": 409, "body": errors("TAG_IMMUTABLE")}, (run.PUBLISH,), "v1", 2),
    ("tag: read-only", PUT_TAG, {"status": 405, "body": errors("UNSUPPORTED")}, (run.PUBLISH,), "v1", 2),
    ("tag: server errors", PUT_TAG, {"status": 503}, (run.NETWORK, run.PUBLISH), "503", 6),
    ("tag: all replies lost", ("PUT GET HEAD", r"/manifests/v1$"), {"lost": True}, (run.NETWORK,), "v1", 30),
    ("unauthorized for ever", ("POST PUT PATCH", "/v2/"), {"status": 401, "headers": {
        "WWW-Authenticate": 'Bearer realm="REALM",service="kit registry",scope="repository:ns/image:pull,push"'}},
     (run.PUBLISH,), "", 20),
]


class Case(PushCase):
    """One registry with tokens; every case has a repository and a proxy of its own. The cases run side by side."""

    def setUp(self):
        super().setUp()
        self.old, self.new = self.make_layout("old", seed=1), self.make_layout("new", seed=2, layers=2)
        authority = self.authority()
        self.tokens = self.serve(registry.TokenService(authority, {USER: PASSWORD}))
        self.gate = self.serve(FaultProxy(routes=[("/token", self.tokens.url)]))
        self.target = self.make_registry(tokens=registry.Tokens(authority, self.gate.url + "/token"))
        self.gate.upstream = self.target.url
        authfile = self.write_authfile(hosts=[self.gate.host])
        self.pushed(self.old, f"{self.gate.host}/seed:v1", "--authfile", authfile)

    def make_case(self, number):
        """(repository with the old image under v1, proxy, authfile)"""
        repository = f"case{number}/image"
        top = os.path.join(self.target.root, "docker/registry/v2/repositories")
        shutil.copytree(os.path.join(top, "seed"), os.path.join(top, repository))
        proxy = self.serve(FaultProxy(self.target.url, routes=[("/token", self.tokens.url)]))

        def realm(_, answer):  # the token service is at the proxy's own origin
            if "Www-Authenticate" in answer.headers:
                challenge = answer.headers["Www-Authenticate"]
                answer.headers["Www-Authenticate"] = challenge.replace(self.gate.url, proxy.url)
        proxy.every = realm
        return repository, proxy, self.write_authfile(f"auth{number}.json", hosts=[proxy.host])

    def run_cases(self, names, body, workers=16):
        """Runs body(name) for all names side by side; tells of every one that failed."""
        with concurrent.futures.ThreadPoolExecutor(workers) as pool:
            futures = [(name, pool.submit(body, number, name)) for number, name in enumerate(names)]
        for name, future in futures:
            with self.subTest(name):
                future.result()

    def assert_agreement(self, repository, result, knows_old=True):
        """The registry has the old image or the new one, complete, and the report knows which."""
        digest = self.target.tags(repository)["v1"]
        self.assertIn(digest, (self.old.digest, self.new.digest), result)
        self.target.check(repository, digest)
        if result.code == run.OK:
            self.assertEqual(digest, self.new.digest, result)
        self.assertIsNotNone(result.push, f"no report:\n{result}")
        self.assertEqual(result.push.status in ("pushed", "unchanged"), result.code == run.OK, result)
        old, new = result.push.tags.get("v1", (None, None))
        if result.code == run.OK:
            self.assertEqual((old if knows_old else self.old.digest, new), (self.old.digest, self.new.digest), result)
        else:
            self.assertTrue(result.push.error, result)
            if new not in (None, old):
                self.assertEqual(new, digest, result)

    def one(self, number, kind, settings, retries=4, knows_old=True):
        repository, proxy, authfile = self.make_case(number)
        settings = dict(settings)
        for name in settings.get("headers") or {}:
            settings["headers"] = {**settings["headers"], name: settings["headers"][name].replace(
                "REALM", proxy.url + "/token").replace("ns/image", repository)}
        fault = proxy.fault(*kind, **settings)
        begun = time.monotonic()
        result = self.push(self.new, f"{proxy.host}/{repository}:v1", "--authfile", authfile, retries=retries)
        seconds = time.monotonic() - begun
        proxy.stop()
        self.assert_agreement(repository, result, knows_old)
        return result, fault, proxy, seconds


class Faults(Case):
    def test_a_transient_fault_on_any_request_is_absorbed(self):
        cases = {f"{kind}: {fault}": (KINDS[kind], settings) for kind in KINDS for fault, settings in TRANSIENT.items()}
        cases.update({name: (kind, settings) for name, kind, settings in PARTICULAR})

        def body(number, name):
            result, fault, proxy, seconds = self.one(number, *cases[name])
            self.assertEqual(result.code, run.OK, f"{result}\n{proxy.requests}")
            self.assertTrue(fault.hits or cases[name][0] in OPTIONAL, f"the fault was never met: {proxy.requests}")
            self.assertLess(seconds, 25)
        self.run_cases(cases, body)

    def test_a_permanent_fault_fails_fast_with_one_message(self):
        cases = {case[0]: case[1:] for case in PERMANENT}

        def body(number, name):
            kind, settings, codes, words, most = cases[name]
            result, fault, proxy, seconds = self.one(number, kind, {"times": None, **settings}, retries=1)
            if kind == READ_CHILD and not fault.hits:
                return
            self.refused(codes, result, words)
            self.assertLessEqual(fault.hits, most, proxy.requests)
            self.assertLess(seconds, 40)
        self.run_cases(cases, body)

    def test_every_fifth_request_fails(self):
        def body(number, name):
            repository, proxy, authfile = self.make_case(number)
            for nth in range(3, 200, 5):
                proxy.fault("*", r"^/v2/.", nth=nth, **(TRANSIENT[name]))
            result = self.push(self.new, f"{proxy.host}/{repository}:v1", "--authfile", authfile, retries=8)
            self.assert_agreement(repository, result)
            self.assertEqual(result.code, run.OK, result)
        self.run_cases([name for name in TRANSIENT if name != "late"], body)

    def test_wrong_digests_for_ever(self):
        """It may believe its own eyes or refuse, but not be fooled."""
        def body(number, name):
            result, _, _, _ = self.one(number, KINDS[name], {"digest": "wrong", "times": None}, 1, name != "read tag")
            self.assertIn(result.code, (run.OK, run.TRUST, run.PUBLISH), result)
        self.run_cases(["put manifest", "read manifest", "put tag", "read tag"], body)

    def test_what_a_tag_was_and_cannot_be_settled_moves_nothing(self):
        """Bytes and header say different digests, and the registry does not tell which one it knows."""
        repository, proxy, authfile = self.make_case(0)
        proxy.fault("GET HEAD", "/manifests/v1$", times=None, digest="wrong")
        asked = proxy.fault("GET HEAD", "/manifests/" + self.old.digest, times=None, status=500)
        result = self.push(self.new, f"{proxy.host}/{repository}:v1", "--authfile", authfile, retries=1)
        self.assertTrue(asked.hits)
        self.refused((run.NETWORK, run.PUBLISH), result, "500")
        self.assert_tag(self.target, repository, "v1", self.old.digest)

    def test_a_manifest_read_back_with_other_bytes(self):
        """The answers name no digest, so that the bytes must tell."""
        def spoil(_, answer):
            answer.headers.pop("Docker-Content-Digest", None)
            answer.body = answer.body.replace(b"linux", b"linuy")
        repository, proxy, authfile = self.make_case(0)
        fault = proxy.fault("GET HEAD", "/manifests/sha256:", times=None, change=spoil)
        result = self.push(self.new, f"{proxy.host}/{repository}:v1", "--authfile", authfile, retries=1)
        self.assert_agreement(repository, result)
        self.assertTrue(fault.hits)
        self.refused((run.TRUST, run.PUBLISH), result, "sha256")
        self.assert_tag(self.target, repository, "v1", self.old.digest)

    def test_the_registrys_words_are_made_harmless(self):
        repository, proxy, authfile = self.make_case(0)
        words = "\x1b[31mred\x07\r\nerror: forged\x00" + "x" * (1 << 20)
        proxy.fault(*OPEN, **{**DENIED, "body": errors("DENIED", words)})
        result = self.push(self.new, f"{proxy.host}/{repository}:v1", "--authfile", authfile)
        self.assertEqual(result.code, run.PUBLISH, result)
        self.assertNotRegex(result.stderr, "[\x00-\x08\x0b-\x1f\x7f]")
        self.assertNotIn("\nerror: forged", result.stderr)
        self.assertLess(len(result.stderr), 8192)

    def test_an_endless_error_body_ends(self):
        repository, proxy, authfile = self.make_case(0)
        proxy.fault(*PUT_CHILD, times=None, status=400, body=b"{" * (16 << 20))
        result = self.push(self.new, f"{proxy.host}/{repository}:v1", "--authfile", authfile, retries=1)
        self.assertEqual(result.code, run.PUBLISH, result.stderr[:4000])
        self.assertLess(len(result.stderr), 8192)

    def test_second_tag_refused(self):
        """The first tag has moved, the report says so; the next run completes."""
        repository, proxy, authfile = self.make_case(0)
        proxy.fault("PUT", "/manifests/latest$", **DENIED)
        arguments = (self.new, f"{proxy.host}/{repository}", "--tag", "v1", "--tag", "latest", "--authfile", authfile)
        result = self.push(*arguments)
        self.refused(run.PUBLISH, result, "latest")
        self.assertEqual(self.target.tags(repository), {"v1": self.new.digest})
        self.assertEqual(result.push.tags["v1"], (self.old.digest, self.new.digest))
        self.assertIsNone(result.push.tags.get("latest", (None, None))[1])
        proxy.heal()
        self.assertEqual(self.pushed(*arguments).push.tags["latest"], (None, self.new.digest))
        self.assertEqual(self.target.tags(repository), {"v1": self.new.digest, "latest": self.new.digest})

    def test_put_refused_then_patch(self):
        """Registries that know no PUT with a body get PATCH and PUT."""
        repository, proxy, authfile = self.make_case(0)
        honest = proxy.answer

        def no_body_in_put(request):
            if request.verb == "PUT" and "/blobs/" in request.path and request.body:
                return service.Answer(404, errors("BLOB_UNKNOWN"))
            return honest(request)
        proxy.answer = no_body_in_put
        result = self.push(self.new, f"{proxy.host}/{repository}:v1", "--authfile", authfile)
        self.assertEqual(result.code, run.OK, result)
        self.assertTrue(proxy.asked("PATCH"))
        self.assert_agreement(repository, result)

    def test_no_retries_means_none(self):
        repository, proxy, authfile = self.make_case(0)
        fault = proxy.fault(*OPEN, times=None, status=503)
        result = self.push(self.new, f"{proxy.host}/{repository}:v1", "--authfile", authfile, retries=0)
        self.refused((run.NETWORK, run.PUBLISH), result, "503")
        self.assertLessEqual(fault.hits, len(self.new.blobs))


class Killed(Case):
    """SIGKILL in every kind of request, before the registry did it and after; then a plain run completes."""

    def test_in_any_request(self):
        def body(number, name):
            kind, moment = name.split(", ")
            repository, proxy, authfile = self.make_case(number)
            fault = proxy.fault(*KINDS[kind], hold=moment, times=None)
            folders = run.Factory(self.path(f"folders{number}"))
            reference = f"{proxy.host}/{repository}:v1"
            child = self.start("push", "--tls-verify=false", "--authfile", authfile, self.new.folder, reference,
                               folders=folders)
            reached = fault.reached.wait(20)
            child.kill()
            child.communicate()
            self.assertTrue(reached or KINDS[kind] in OPTIONAL, f"{name} was never met: {proxy.requests}")
            digest = self.target.tags(repository)["v1"]
            self.assertIn(digest, (self.old.digest, self.new.digest))
            self.target.check(repository, digest)
            proxy.heal()
            self.pushed(self.new, reference, "--authfile", authfile, folders=folders)
            self.assert_tag(self.target, repository, "v1", self.new.digest)
        self.run_cases([f"{kind}, {moment}" for kind in KINDS for moment in ("before", "after")], body)

    def test_at_random_moments(self):
        repository, proxy, authfile = self.make_case(0)
        reference = f"{proxy.host}/{repository}:v1"
        moments = random.Random(4)
        for _ in range(8):
            child = self.start("push", "--tls-verify=false", "--authfile", authfile, self.new.folder, reference)
            time.sleep(moments.uniform(0.01, 0.25))
            child.kill()
            child.communicate()
            digest = self.target.tags(repository)["v1"]
            self.assertIn(digest, (self.old.digest, self.new.digest))
            self.target.check(repository, digest)
        self.pushed(self.new, reference, "--authfile", authfile)
        self.assert_tag(self.target, repository, "v1", self.new.digest)

    def test_by_a_polite_signal_it_ends_at_once(self):
        for number, (sign, code) in enumerate(((signal.SIGINT, 130), (signal.SIGTERM, 143))):
            repository, proxy, authfile = self.make_case(number)
            fault = proxy.fault(*SEND, hold="before", times=None)
            child = self.start("push", "--tls-verify=false", "--authfile", authfile, self.new.folder,
                               f"{proxy.host}/{repository}:v1")
            self.assertTrue(fault.reached.wait(20))
            begun = time.monotonic()
            child.send_signal(sign)
            _, stderr = child.communicate(timeout=30)
            self.assertIn(child.returncode, (code, -sign), stderr)
            self.assertLess(time.monotonic() - begun, 15)
            self.assert_tag(self.target, repository, "v1", self.old.digest)


if __name__ == "__main__":
    unittest.main()
