# SPDX-License-Identifier: Apache-2.0
"""quay.io's own peculiarities, by an imitation of exactly those answers (kit/quay.py)."""

import unittest

from base import PASSWORD, USER, PushCase, quay, run, service

BUSY = b"<html><head><title>429 Too Many Requests</title></head></html>"


class Quay(PushCase):
    def setUp(self):
        super().setUp()
        self.quay = self.serve(quay.Quay({USER: PASSWORD}))
        self.made = self.make_layout(layers=6)
        self.authfile = self.write_authfile(hosts=[self.quay.host])

    def push_here(self, made=None, tag="v1", **settings):
        return self.push(made or self.made, f"{self.quay.host}/ns/image:{tag}", "--authfile", self.authfile, **settings)

    def complete(self, result):
        self.assertEqual(result.code, run.OK, f"{result}\n{self.quay.requests}")
        self.assert_tag(self.quay, "ns/image", "v1", self.made.digest)

    def test_a_push(self):
        self.complete(self.push_here())
        self.assertEqual(self.quay.created, {"ns/image"})

    def test_a_token_without_a_lifetime_is_used_as_long_as_it_says_itself(self):
        self.complete(self.push_here())
        self.assertLessEqual(len(self.quay.asked("*", "^/v2/auth")), 3, self.quay.requests)

    def test_the_plus_of_a_robot_is_escaped(self):
        self.complete(self.push_here())
        for request in self.quay.asked("*", "^/v2/auth"):
            self.assertNotIn("ns+robot", request.target)
            for scope in request.query.get("scope", []):
                self.assertRegex(scope, r"^repository:ns/image:(pull|pull,push|push,pull)$")

    def test_a_token_that_runs_out_is_renewed(self):
        self.quay.lifetime = 2
        self.quay.fault("PUT", "/blobs/uploads/", delay=3)
        self.complete(self.push_here())

    def test_looking_creates_no_repository(self):
        self.call("inspect", "--tls-verify=false", "--authfile", self.authfile, f"{self.quay.host}/ns/none:v1")
        self.call("pull", "--tls-verify=false", "--authfile", self.authfile, "--output", self.path("pulled"),
                  f"{self.quay.host}/ns/none:v1")
        self.assertEqual(self.quay.created, set())

    def test_an_unchanged_push_creates_nothing_and_asks_little(self):
        self.complete(self.push_here())
        self.quay.forget()
        self.quay.created.clear()
        result = self.push_here()
        self.assertEqual(result.push.status, "unchanged", result)
        self.assertLessEqual(len(self.quay.asked("*", "^/v2/(?!auth)")), 3, self.quay.requests)

    def test_too_many_requests_without_retry_after(self):
        for pattern in ("^/v2/auth", "/blobs/uploads/", "/blobs/sha256", "/manifests/"):
            self.quay.fault("*", pattern, times=2, status=429, body=BUSY, headers={"Content-Type": "text/html"})
        self.complete(self.push_here())

    def test_a_blob_that_vanished_is_sent_again(self):
        """400 MANIFEST_INVALID: by digest it does not even say which."""
        gone, honest = [], self.quay.answer

        def answer(request):
            if request.verb == "PUT" and "/manifests/sha256:" in request.path and not gone:
                gone.append(max(self.quay.blobs, key=lambda key: len(self.quay.blobs[key])))
                del self.quay.blobs[gone[0]]
            return honest(request)
        self.quay.answer = answer
        self.complete(self.push_here())
        self.assertIn(gone[0], self.quay.blobs)

    def test_children_that_were_collected_are_sent_again(self):
        collected, honest = [], self.quay.answer

        def answer(request):
            if request.verb == "PUT" and request.path.endswith((self.made.digest, "/v1")) and not collected:
                collected.append(self.quay.manifests.pop(("ns/image", self.made.children[0])))
            return honest(request)
        self.quay.answer = answer
        self.complete(self.push_here())

    def test_collection_of_untagged_manifests_while_it_pushes(self):
        self.quay.collect_after = 12
        self.complete(self.push_here())

    def test_read_only(self):
        self.complete(self.push_here())
        self.quay.is_read_only = True
        self.quay.forget()
        other = self.make_layout("other", seed=9)
        result = self.push_here(other)
        self.refused(run.PUBLISH, result, "read-only")
        self.assert_tag(self.quay, "ns/image", "v1", self.made.digest)
        self.assertLess(len(self.quay.requests), 40)

    def test_a_robot_without_the_right(self):
        """The token is given, with no actions; then everything is 401."""
        self.quay.fault("POST", "/blobs/uploads/", times=None, status=401,
                        body=b'{"errors":[{"code":"UNAUTHORIZED","message":"access to the requested resource is not '
                             b'authorized","detail":{}}]}')
        self.refused(run.PUBLISH, self.push_here(), "ns/image")

    def test_no_quota(self):
        self.quay.fault("POST", "/blobs/uploads/", times=None, status=403,
                        body=b'{"errors":[{"code":"DENIED","message":"Quota has been exceeded","detail":{}}]}')
        self.refused(run.PUBLISH, self.push_here(), "Quota has been exceeded")

    def test_bad_gateway_on_opening_and_sending(self):
        for verb in ("POST", "PUT"):
            self.quay.fault(verb, "/blobs/uploads/", times=2, status=502, body=b"<html>502</html>")
        self.complete(self.push_here())

    def test_a_proxy_before_it_that_takes_small_bodies_only(self):
        """413 on PUT: chunks, whose status is off by one."""
        self.made = self.make_layout("large", size=9 << 20, layers=1, architectures=("amd64",))
        honest = self.quay.answer

        def answer(request):
            if "/blobs/uploads/" in request.path and len(request.body) > 5 << 20:
                return service.Answer(413, b"<html>413</html>")
            return honest(request)
        self.quay.answer = answer
        self.quay.fault("PATCH", "/blobs/uploads/", nth=2, reset=True)
        self.complete(self.push_here())
        self.assertTrue(self.quay.asked("PATCH"))

    def test_pulling_from_it(self):
        self.complete(self.push_here())
        result = self.call("pull", "--tls-verify=false", "--authfile", self.authfile, "--output", self.path("pulled"),
                           f"{self.quay.host}/ns/image:v1")
        self.assertEqual(result.code, run.OK, result)


if __name__ == "__main__":
    unittest.main()
