# SPDX-License-Identifier: Apache-2.0
"""Several images pushed by one call: what they ask of a registry they ask together, and no one is in another's way."""

import os
import re
import unittest

from base import PASSWORD, USER, FaultProxy, PushCase, Report, deb, elf, image, layout, quay, registry, run, world

NAMES = ("one", "two", "three", "four")


class OneCall(PushCase):
    """Four images, of which all but the last have the same bytes in their layers."""

    def setUp(self):
        super().setUp()
        programs = [deb.Package(f"hello{number}", arch=name, version="1:2.10-3", files=[
            deb.program(f"/usr/bin/hello{number}", elf.hello(name, layout.HELLO))])
                    for name in ("amd64", "arm64") for number in (1, 2)]
        self.ready(manifest=world.MANIFEST, packages=world.packages() + programs)
        for name in NAMES:
            program = f"/usr/bin/hello{2 if name == NAMES[-1] else 1}"
            self.write_manifest(name, f'name: {name}\nbinaries: [{program}]\ntags: [latest, "{{version}}"]\n'
                                      f'config:\n  entrypoint: [{program}]\n')

    def serve_at(self, host):
        self.write("imgfactory.yaml", f"registry: {host}\nnamespace: ns\ntls-verify: false\n"
                                      f"authfile: {self.write_authfile(hosts=[host])}\n")

    def with_tokens(self, **settings):
        """A registry with a token service, both behind one proxy."""
        authority = self.authority()
        self.proxy = self.serve(FaultProxy())
        self.tokens = self.serve(registry.TokenService(authority, {USER: PASSWORD}, **settings))
        target = self.make_registry(tokens=registry.Tokens(authority, self.proxy.url + "/token"))
        self.proxy.upstream, self.proxy.routes = target.url, [("/token", self.tokens.url)]
        self.serve_at(self.proxy.host)
        return target

    def build(self, *names, code=run.OK):
        result = self.run_factory("--arch", "all", "--json", *(names or NAMES), env=self.env, cwd=self.top)
        self.assertEqual(result.code, code, result)
        return Report(result.stdout)

    def assert_there(self, target, names=NAMES):
        for name in names:
            self.assert_tag(target, f"ns/{name}", "latest", image.Layout(os.path.join(self.factory.output, name)).digest())

    def token_scopes(self):
        return [self.tokens.scopes(request) for request in self.tokens.requests]

    def test_unchanged_images_are_asked_for_with_one_token(self):
        target = self.with_tokens()
        self.build()
        self.assert_there(target)
        self.tokens.forget()
        report = self.build()
        self.assertEqual({report.push(name).status for name in NAMES}, {"unchanged"})
        scopes = self.token_scopes()
        self.assertEqual([sorted(asked) for asked in scopes], [sorted(f"repository:ns/{name}:pull" for name in NAMES)])

    def test_a_token_service_that_gives_one_at_a_time(self):
        target = self.with_tokens()
        self.proxy.fault("GET", "/token.*scope=.*scope=", times=None, status=400, body=b'{"errors":[{"code":"DENIED","message":"one"}]}')
        self.build()
        self.assert_there(target)

    def test_a_shared_token_that_lacks_a_repository_is_followed_by_one_of_its_own(self):
        target = self.with_tokens()
        answer = self.tokens.answer

        def first_scope_only(request):  # as some services do, without a word
            request.query["scope"] = request.query["scope"][:1]
            return answer(request)
        self.tokens.answer = first_scope_only
        self.build()
        self.assert_there(target)

    def test_who_may_not_write_one_repository_still_writes_the_others(self):
        target = self.with_tokens(rights={USER: lambda name: ("pull",) if name == "ns/two" else ("pull", "push")})
        report = self.build(code=run.PARTLY)
        self.assertEqual(report.push("two").status, "failed")
        self.assert_there(target, [name for name in NAMES if name != "two"])
        self.assertEqual(target.tags("ns/two"), {})

    def test_a_wrong_password_is_not_tried_for_each_image_more_than_twice(self):
        self.with_tokens()
        self.write_authfile(password="wrong", hosts=[self.proxy.host])
        self.build(code=run.PUBLISH)
        self.assertLessEqual(len(self.tokens.requests), 2 * len(NAMES))

    def test_no_repository_is_made_for_an_image_that_is_not_built(self):
        made = self.serve(quay.Quay({USER: PASSWORD}))
        self.serve_at(made.host)
        self.write_manifest("two", "name: two\nbinaries: [/usr/bin/nothing]\n")
        self.build(code=run.PARTLY)
        self.assertEqual(made.created, {f"ns/{name}" for name in NAMES if name != "two"})

    def test_no_repository_is_made_by_an_unchanged_call(self):
        made = self.serve(quay.Quay({USER: PASSWORD}))
        self.serve_at(made.host)
        self.build()
        made.created.clear()
        self.build()
        self.assertEqual(made.created, set())

    def test_a_blob_of_several_images_is_sent_once_and_mounted_elsewhere(self):
        target = self.make_registry()
        proxy = self.serve(FaultProxy(target.url))
        self.serve_at(proxy.host)
        self.build()
        self.assert_there(target)
        sent = [re.search("sha256(%3A|:)([0-9a-f]{64})", request.target)[2] for request in proxy.asked("PUT", "/blobs/uploads/")]
        self.assertEqual(sorted(sent), sorted(set(sent)), "a blob was sent twice")

    def test_a_registry_that_mounts_nothing_gets_it_once_for_each_repository(self):
        target = self.make_registry()
        proxy = self.serve(FaultProxy(target.url))
        proxy.fault("POST", "mount=", times=None, status=405)
        self.serve_at(proxy.host)
        self.build()
        self.assert_there(target)

    def test_a_blob_that_one_image_could_not_send_is_sent_by_the_next(self):
        target = self.make_registry()
        proxy = self.serve(FaultProxy(target.url))
        for name in NAMES[:2]:
            proxy.fault("POST PUT PATCH", f"/ns/{name}/", times=None, status=403, body=b'{"errors":[{"code":"DENIED","message":"no"}]}')
        self.serve_at(proxy.host)
        self.build(code=run.PARTLY)
        self.assert_there(target, NAMES[2:])

    def test_a_wait_that_one_image_is_asked_for_holds_all(self):
        target = self.make_registry()
        proxy = self.serve(FaultProxy(target.url))
        self.serve_at(proxy.host)
        self.build("one")
        proxy.fault("GET", "/ns/two/", times=1, status=429, headers={"Retry-After": "1"})
        self.build()
        self.assert_there(target)


if __name__ == "__main__":
    unittest.main()
