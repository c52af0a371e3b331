# SPDX-License-Identifier: Apache-2.0
"""Publishing to real registries: what arrives is what was built, and other programs agree."""

import json
import os
import platform
import shutil
import stat
import subprocess
import tempfile
import threading
import unittest

from base import PASSWORD, USER, FaultProxy, PushCase, Report, deb, elf, image, layout, quay, registry, run, world

OTHER = "127.0.0.2"  # still loopback, but another host


class Plain(PushCase):
    def test_what_arrives_is_what_was_made(self):
        target, made = self.make_registry(), self.make_layout(layers=3)
        result = self.pushed(made, f"{target.host}/ns/image:v1")
        self.assertEqual(result.push.status, "pushed")
        self.assertEqual(result.push.tags, {"v1": (None, made.digest)})
        manifests = {*made.children, made.digest}
        self.assertEqual(result.push.sent, sum(size for digest, size in made.blobs.items() if digest not in manifests))
        self.assert_tag(target, "ns/image", "v1", made.digest)
        self.assertEqual(self.skopeo_raw(f"{target.host}/ns/image:v1", "--tls-verify=false"), made.index)
        back = self.path("back")
        self.tool("skopeo", "copy", "-q", "--all", "--src-tls-verify=false", f"docker://{target.host}/ns/image:v1",
                  f"oci:{back}:v1")
        names = [digest.split(":")[1] for digest in made.blobs]
        self.assertEqual(sorted(os.listdir(os.path.join(back, "blobs/sha256"))), sorted(names))
        for name in names:
            with open(made.path("sha256:" + name), "rb") as ours, open(f"{back}/blobs/sha256/{name}", "rb") as theirs:
                self.assertEqual(ours.read(), theirs.read())

    def test_podman_pulls_it_and_runs_it(self):
        target, made = self.make_registry(), self.make_layout()
        self.pushed(made, f"{target.host}/ns/image:v1")
        self.podman("pull", "-q", "--tls-verify=false", f"{target.host}/ns/image:v1")
        if platform.machine() != "x86_64":
            self.skipTest("containers are run on x86_64 only")
        ran = self.podman("run", "--rm", "--network=none", f"{target.host}/ns/image:v1")
        self.assertEqual(ran.stdout.decode(), layout.HELLO)

    def test_again_it_is_unchanged_and_costs_three_requests_at_most(self):
        target, proxy = self.make_proxied()
        made = self.make_layout()
        self.pushed(made, f"{proxy.host}/ns/image:v1")
        proxy.forget()
        result = self.pushed(made, f"{proxy.host}/ns/image:v1")
        self.assertEqual(result.push.status, "unchanged", result)
        self.assertEqual(result.push.tags, {"v1": (made.digest, made.digest)})
        self.assertFalse(result.push.sent, result)
        self.assertLessEqual(len(proxy.requests), 3, proxy.requests)
        self.assertEqual(proxy.asked("PUT POST PATCH DELETE"), [])
        self.assert_tag(target, "ns/image", "v1", made.digest)

    def test_a_blob_that_is_there_is_not_sent(self):
        target, proxy = self.make_proxied()
        made, more = self.make_layout(), self.make_layout("more", architectures=("amd64",))
        self.pushed(more, f"{proxy.host}/ns/image:v0")
        proxy.forget()
        self.pushed(made, f"{proxy.host}/ns/image:v1")
        self.assertEqual(len(proxy.asked("PUT", "/blobs/uploads/")), 2, proxy.requests)
        self.assert_tag(target, "ns/image", "v1", made.digest)

    def test_tags_move_last_and_the_floating_ones_after_the_others(self):
        target, proxy = self.make_proxied()
        made = self.make_layout()
        result = self.pushed(made, f"{proxy.host}/ns/image", "--tag", "latest", "--tag", "4.4.1-2", "--tag", "4.4.1")
        puts = [request.path.rsplit("/", 1)[1] for request in proxy.asked("PUT", "/manifests/")]
        tags = [name for name in puts if not name.startswith("sha256:")]
        self.assertEqual(sorted(tags), ["4.4.1", "4.4.1-2", "latest"])
        self.assertEqual((tags[0], result.push.order[0]), ("4.4.1-2", "4.4.1-2"))
        self.assertEqual(puts[-3:], tags, "a tag moved before all was there")
        self.assertEqual(set(puts[:-3]) | {made.digest}, {*made.children, made.digest})
        last_blob = max(i for i, r in enumerate(proxy.requests) if r.verb == "PUT" and "/blobs/" in r.path)
        first_manifest = min(i for i, r in enumerate(proxy.requests) if r.verb == "PUT" and "/manifests/" in r.path)
        self.assertLess(last_blob, first_manifest)
        for tag in tags:
            self.assert_tag(target, "ns/image", tag, made.digest)

    def test_rolling_back_is_one_command(self):
        target = self.make_registry()
        old, new = self.make_layout("old", seed=1), self.make_layout("new", seed=2)
        self.pushed(old, f"{target.host}/ns/image:latest")
        result = self.pushed(new, f"{target.host}/ns/image:latest")
        self.assertEqual(result.push.tags, {"latest": (old.digest, new.digest)})
        before = result.push.tags["latest"][0]
        result = self.call("tag", "--tls-verify=false", f"{target.host}/ns/image@{before}", "latest")
        self.assertEqual(result.code, run.OK, result)
        self.assert_tag(target, "ns/image", "latest", old.digest)

    def test_a_tag_cannot_point_at_what_is_not_there(self):
        target, made = self.make_registry(), self.make_layout()
        self.pushed(made, f"{target.host}/ns/image:v1")
        missing = "sha256:" + "1" * 64
        result = self.call("tag", "--tls-verify=false", f"{target.host}/ns/image@{missing}", "v1")
        self.refused(run.PUBLISH, result, "1111")
        self.assert_tag(target, "ns/image", "v1", made.digest)

    def test_one_platform_only(self):
        target, made = self.make_registry(), self.make_layout(architectures=("arm64",))
        self.pushed(made, f"{target.host}/ns/image:v1")
        got = self.tool("skopeo", "inspect", "--override-arch", "arm64", "--override-variant", "v8",
                        "--tls-verify=false", f"docker://{target.host}/ns/image:v1")
        self.assertEqual(json.loads(got.stdout)["Architecture"], "arm64")

    def test_relative_locations(self):
        target, made = self.make_registry(is_relative=True), self.make_layout()
        self.pushed(made, f"{target.host}/ns/image:v1")
        self.assert_tag(target, "ns/image", "v1", made.digest)

    def test_a_large_layer(self):
        target, made = self.make_registry(), self.make_layout(size=24 << 20)
        self.pushed(made, f"{target.host}/ns/image:v1")
        self.assert_tag(target, "ns/image", "v1", made.digest)

    def test_two_at_once_to_one_tag(self):
        target = self.make_registry()
        both = [self.make_layout(f"layout{n}", seed=n) for n in (1, 2)]
        results = []
        threads = [threading.Thread(target=lambda made=made: results.append(
            (made, self.push(made, f"{target.host}/ns/image:v1")))) for made in both]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        digest = target.tags("ns/image")["v1"]
        self.assertIn(digest, [made.digest for made in both])
        self.assert_tag(target, "ns/image", "v1", digest)
        for made, result in results:
            if made.digest == digest:
                self.assertEqual(result.code, run.OK, result)

    def test_plain_http_only_where_it_is_allowed(self):
        target, made = self.make_registry(), self.make_layout()
        self.refused((run.NETWORK, run.PUBLISH, run.USAGE),
                     self.push(made, f"{target.host}/ns/image:v1", insecure=False, retries=1), "tls")
        self.assertEqual(target.tags("ns/image"), {})


class Layouts(PushCase):
    """What is wrong before anything is sent."""

    def refuse(self, code, made, reference, *parts, proxy=None):
        self.refused(code, self.push(made, reference), *parts)
        if proxy:
            self.assertEqual(proxy.asked("PUT", "/manifests/"), [])

    def test_a_damaged_layer_is_not_published(self):
        target, proxy = self.make_proxied()
        made = self.make_layout()
        layer = max(made.blobs, key=made.blobs.get)
        with open(made.path(layer), "r+b") as stream:
            stream.seek(100)
            stream.write(b"\xff\xfe\xfd")
        self.refuse((run.TRUST, run.PUBLISH), made, f"{proxy.host}/ns/image:v1", layer[7:19], proxy=proxy)
        self.assertEqual(target.tags("ns/image"), {})

    def test_a_damaged_manifest_is_not_published(self):
        _, proxy = self.make_proxied()
        made = self.make_layout()
        with open(made.path(made.children[0]), "r+b") as stream:
            stream.write(b" ")
        self.refuse((run.TRUST, run.MALFORMED), made, f"{proxy.host}/ns/image:v1", made.children[0][7:19], proxy=proxy)

    def test_a_missing_blob_is_named(self):
        _, proxy = self.make_proxied()
        made = self.make_layout()
        layer = max(made.blobs, key=made.blobs.get)
        os.unlink(made.path(layer))
        self.refuse((run.USAGE, run.MALFORMED, run.LOCAL), made, f"{proxy.host}/ns/image:v1", layer[7:19], proxy=proxy)

    def test_bad_references(self):
        made = self.make_layout()
        for reference in ("127.0.0.1:1/NS/image:v1", "127.0.0.1:1/ns/image:" + "x" * 129, "ns/image", "127.0.0.1:1/",
                          "127.0.0.1:1/a//b:v1", "http://127.0.0.1:1/a/b:v1", "127.0.0.1:99999/a/b:v1"):
            with self.subTest(reference):
                self.refuse(run.USAGE, made, reference)

    def test_no_such_layout_or_tag(self):
        made = self.make_layout()
        self.refuse(run.USAGE, self.path("none"), "127.0.0.1:1/ns/image:v1", "none")
        self.refuse(run.USAGE, f"{made.folder}:other", "127.0.0.1:1/ns/image:v1", "other", "latest")


class Built(PushCase):
    """From the manifest to the registry in one command."""

    def setUp(self):
        super().setUp()
        self.target = self.make_registry()
        hello = [deb.Package("hello", arch=name, version="1:2.10-3", files=[
            deb.program("/usr/bin/hello", elf.hello(name, layout.HELLO))]) for name in ("amd64", "arm64")]
        self.ready(manifest=world.MANIFEST, packages=world.packages() + hello)
        self.write_manifest("hello", 'name: hello\nbinaries: [/usr/bin/hello]\ntags: [latest, "{version}"]\n'
                                     'config:\n  entrypoint: [/usr/bin/hello]\n')

    def factory_run(self, *arguments):
        return self.run_factory("--arch", "all", "--json", *arguments, env=self.env, cwd=self.top)

    def site(self, text):
        return self.write("imgfactory.yaml", text)

    def digest(self, name):
        return image.Layout(os.path.join(self.factory.output, name)).digest()

    def test_a_named_destination(self):
        result = self.factory_run("--tls-verify=false", f"--push={self.target.host}/ns/hello", "hello")
        self.assertEqual(result.code, run.OK, result)
        push = Report(result.stdout).push("hello")
        self.assertEqual(push.status, "pushed")
        self.assertEqual(sorted(self.target.tags("ns/hello")), sorted(push.tags))
        self.assertIn("latest", push.tags)
        self.assertEqual(push.order[-1], "latest")
        for tag in push.tags:
            self.assert_tag(self.target, "ns/hello", tag, self.digest("hello"))
        if platform.machine() == "x86_64":
            ran = self.podman("run", "--rm", "--network=none", "--tls-verify=false", f"{self.target.host}/ns/hello")
            self.assertEqual(ran.stdout.decode(), layout.HELLO)

    def test_skopeo_copies_it_under_the_same_digest(self):
        for compression in ("gzip", "zstd"):
            result = self.factory_run("--compression", compression, "hello")
            self.assertEqual(result.code, run.OK, result)
            for number, options in enumerate(([], ["--preserve-digests"])):
                repository = f"copied/{compression}-{number}"
                self.tool("skopeo", "copy", "-q", "--all", *options, "--dest-tls-verify=false",
                          f"oci:{self.factory.output}/hello:latest", f"docker://{self.target.host}/{repository}:v1")
                self.assert_tag(self.target, repository, "v1", self.digest("hello"), f"{compression} {options}")

    def test_the_site_file_makes_it_the_default(self):
        self.site(f"registry: {self.target.host}\nnamespace: ns/deep\ntls-verify: false\n"
                  "tags: [latest, '{version}-{release}', '{date}']\n")
        self.write_manifest(text="\n".join(world.MANIFEST.splitlines()[:-1]) + "\n")
        result = self.factory_run("served", "hello")
        self.assertEqual(result.code, run.OK, result)
        report = Report(result.stdout)
        for name in ("served", "hello"):
            self.assertEqual(report.push(name).status, "pushed", result)
            self.assert_tag(self.target, f"ns/deep/{name}", "latest", self.digest(name))
        self.assertTrue(any(tag.startswith("4.4.1") and "deb12u1" in tag for tag in self.target.tags("ns/deep/served")),
                        self.target.tags("ns/deep/served"))
        again = self.factory_run("served", "hello")
        self.assertEqual({Report(again.stdout).push(name).status for name in ("served", "hello")}, {"unchanged"}, again)

    def test_no_push_only_writes_the_layout(self):
        self.site(f"registry: {self.target.host}\nnamespace: ns\ntls-verify: false\n")
        result = self.factory_run("--no-push", "hello")
        self.assertEqual(result.code, run.OK, result)
        self.assertTrue(self.digest("hello"))
        self.assertEqual(self.target.tags("ns/hello"), {})

    def test_without_a_destination_it_only_writes_the_layout(self):
        result = self.factory_run("hello")
        self.assertEqual(result.code, run.OK, result)
        self.assertTrue(self.digest("hello"))

    def test_push_without_a_destination_is_a_mistake(self):
        self.refused(run.USAGE, self.factory_run("--push", "hello"), "push")

    def test_the_config_option_names_a_site_file(self):
        path = self.write("site/kit.yaml", f"registry: {self.target.host}\nnamespace: ns\n"
                                           "tls-verify: false\npush: false\n")
        self.assertEqual(self.factory_run("--config", path, "hello").code, run.OK)
        self.assertEqual(self.target.tags("ns/hello"), {})
        self.assertEqual(self.factory_run("--config", path, "--push", "hello").code, run.OK)
        self.assert_tag(self.target, "ns/hello", "latest", self.digest("hello"))
        self.refused(run.USAGE, self.factory_run("--config", self.path("none.yaml"), "hello"), "none.yaml")

    def test_a_tag_of_one_platform(self):
        self.site(f"registry: {self.target.host}\nnamespace: ns\ntls-verify: false\n"
                  "tags: [latest, 'latest-{arch}']\n")
        self.write_manifest("hello", "name: hello\nbinaries: [/usr/bin/hello]\n")
        result = self.factory_run("hello")
        self.assertEqual(result.code, run.OK, result)
        tags = self.target.tags("ns/hello")
        self.assertEqual(len(tags), 3, tags)
        children = {child["digest"] for child in json.loads(self.target.blob(tags["latest"]))["manifests"]}
        self.assertEqual({digest for tag, digest in tags.items() if tag != "latest"}, children)

    def test_one_registry_that_refuses_fails_that_image_only(self):
        proxy = self.serve(FaultProxy(self.target.url))
        proxy.fault("POST PUT PATCH", "/ns/hello/", times=None, status=403,
                    body=b'{"errors":[{"code":"DENIED","message":"quota"}]}')
        self.site(f"registry: {proxy.host}\nnamespace: ns\ntls-verify: false\n")
        result = self.factory_run("served", "hello")
        self.assertEqual(result.code, run.PARTLY, result)
        report = Report(result.stdout)
        self.assertEqual((report.push("served").status, report.push("hello").status), ("pushed", "failed"), result)
        self.assertIn("quota", report.push("hello").error)
        self.assert_tag(self.target, "ns/served", "latest", self.digest("served"))
        self.assertTrue(self.digest("hello"), "the layout is good all the same")
        result = self.run_factory("--arch", "all", "hello", env=self.env, cwd=self.top)
        self.assertIn(f"  push    to {proxy.host}/ns/hello failed (publish); the same call tries again", result.stdout)

    def test_what_was_built_before_is_pushed_by_name(self):
        self.assertEqual(self.factory_run("hello").code, run.OK)
        result = self.call("push", "--tls-verify=false", "--output", self.factory.output, "hello",
                           f"{self.target.host}/ns/other:v1")
        self.assertEqual(result.code, run.OK, result)
        self.assert_tag(self.target, "ns/other", "v1", self.digest("hello"))


class Subjects(PushCase):
    """What is about another image is found from that image: by the referrers API, or by a tag."""

    def setUp(self):
        super().setUp()
        self.image = self.make_layout()
        self.tag = self.image.digest.replace(":", "-")

    def artifact(self, name, **settings):
        return layout.Artifact(self.path(name), self.image, f"about it: {name}", **settings)

    def referrers(self, target):
        """The descriptors in the index that stands in for the API, as another client reads it."""
        index = json.loads(self.skopeo_raw(f"{target.host}/ns/image:{self.tag}", "--tls-verify=false"))
        self.assertEqual(index.keys(), {"schemaVersion", "mediaType", "manifests"})
        self.assertEqual(index["mediaType"], image.INDEX)
        return index["manifests"]

    def test_without_the_api_the_tag_of_the_subject_lists_all(self):
        target = self.make_registry()
        first = self.artifact("sbom", kind="application/spdx+json", annotations={"org.example.made": "today"})
        second, third = self.artifact("note"), self.artifact("child", kind="text/x-child", in_index=True)
        self.pushed(self.image, f"{target.host}/ns/image:v1")
        self.assertEqual(target.tags("ns/image").keys(), {"v1"})
        for number, made in enumerate((first, second, third, first), 1):
            self.pushed(made, f"{target.host}/ns/image:about-{number}")
        self.assertEqual(self.referrers(target), [made.descriptor for made in (first, second, third)])
        self.assert_tag(target, "ns/image", self.tag, target.tags("ns/image")[self.tag])

    def test_a_subject_that_is_not_there_yet_does_not_matter(self):
        target = self.make_registry()
        made = self.artifact("sbom")
        self.pushed(made, f"{target.host}/ns/image:about")
        self.assertEqual(self.referrers(target), [made.descriptor])

    def test_a_lost_entry_is_brought_again(self):
        target = self.make_registry()
        made, other = self.artifact("sbom"), self.artifact("other")
        self.pushed(made, f"{target.host}/ns/image:about")
        target.forget_tag("ns/image", self.tag)
        self.pushed(other, f"{target.host}/ns/image:other")
        self.assertEqual(self.referrers(target), [other.descriptor])
        self.pushed(made, f"{target.host}/ns/image:about", "--verify-remote")
        self.assertEqual(self.referrers(target), [other.descriptor, made.descriptor])

    def test_a_tag_that_is_something_else_is_left_as_it_is(self):
        target = self.make_registry()
        self.pushed(self.artifact("squatter"), f"{target.host}/ns/image:{self.tag}")
        before = target.tags("ns/image")
        self.refused(run.PUBLISH, self.push(self.artifact("sbom"), f"{target.host}/ns/image:about"),
                     "findable from its subject", "is not an index of referrers")
        self.assertEqual(target.tags("ns/image"), before)

    def test_with_the_api_there_is_no_such_tag(self):
        target = self.serve(quay.Quay({USER: PASSWORD}))
        authfile = self.write_authfile(hosts=[target.host])
        for made, tag in ((self.image, "v1"), (self.artifact("sbom", kind="application/spdx+json"), "about")):
            self.pushed(made, f"{target.host}/ns/image:{tag}", "--authfile", authfile)
        self.assertEqual(target.tags("ns/image").keys(), {"v1", "about"})
        self.assertEqual(len(target.asked("GET", f"/referrers/{self.image.digest}")), 1)


class Secure(PushCase):
    def certificates(self, authority, client=False, folder="certs"):
        os.makedirs(self.path(folder))
        shutil.copy(authority.crt, self.path(folder + "/kit.crt"))
        if client:
            for source, ending in zip(authority.issue("client"), ("cert", "key")):
                shutil.copy(source, self.path(f"{folder}/client.{ending}"))
        return self.path(folder)

    def test_an_authority_of_its_own(self):
        authority, made = self.authority(), self.make_layout()
        target = self.make_registry(tls=authority.issue("server"))
        reference = f"{target.host}/ns/image:v1"
        self.refused(run.TRUST, self.push(made, reference, insecure=False), "certificate")
        self.assertEqual(target.tags("ns/image"), {})
        folder = self.certificates(authority)
        self.pushed(made, reference, "--cert-dir", folder, insecure=False)
        self.assert_tag(target, "ns/image", "v1", made.digest)
        self.assertEqual(self.skopeo_raw(reference, "--cert-dir", folder), made.index)
        self.pushed(made, f"{target.host}/ns/image:v2")  # --tls-verify=false

    def test_the_certificates_directory_of_the_host(self):
        authority, made = self.authority(), self.make_layout()
        target = self.make_registry(tls=authority.issue("server"))
        self.certificates(authority, folder=f"home/.config/containers/certs.d/{target.host}")
        self.pushed(made, f"{target.host}/ns/image:v1", insecure=False)
        self.assert_tag(target, "ns/image", "v1", made.digest)

    def test_a_certificate_of_another_time_asks_for_the_clock(self):
        authority, made = self.authority(), self.make_layout()
        folder = self.certificates(authority)
        for name, dates in (("early", ("20480101000000Z", "20490101000000Z")),
                            ("late", ("20200101000000Z", "20210101000000Z"))):
            target = self.make_registry(name, tls=authority.issue(name, dates=dates))
            result = self.push(made, f"{target.host}/ns/image:v1", "--cert-dir", folder, insecure=False)
            self.refused(run.TRUST, result, "certificate", r"is this machine's clock right\?")

    def test_a_certificate_for_another_host(self):
        authority, made = self.authority(), self.make_layout()
        target = self.make_registry(tls=authority.issue("server", alt="DNS:elsewhere.example"))
        folder = self.certificates(authority)
        result = self.push(made, f"{target.host}/ns/image:v1", "--cert-dir", folder, insecure=False)
        self.refused(run.TRUST, result, "certificate|alternative|does not match")

    def test_client_certificates(self):
        authority, made = self.authority(), self.make_layout()
        target = self.make_registry(tls=authority.issue("server"), client_ca=authority.crt)
        reference = f"{target.host}/ns/image:v1"
        self.pushed(made, reference, "--cert-dir", self.certificates(authority, client=True), insecure=False)
        self.assert_tag(target, "ns/image", "v1", made.digest)
        bare = self.certificates(authority, folder="bare")
        result = self.push(made, reference, "--cert-dir", bare, insecure=False, retries=1)
        self.refused((run.NETWORK, run.PUBLISH), result, "certificate")

    def test_tls_with_tokens(self):
        authority, made = self.authority(), self.make_layout()
        tokens = self.serve(registry.TokenService(authority, {USER: PASSWORD}, tls=authority.issue("tokens")))
        target = self.make_registry(tls=authority.issue("server"),
                                    tokens=registry.Tokens(authority, tokens.url + "/token"))
        self.pushed(made, f"{target.host}/ns/image:v1", "--cert-dir", self.certificates(authority), "--authfile",
                    self.write_authfile(hosts=[target.host]), insecure=False)
        self.assert_tag(target, "ns/image", "v1", made.digest)


class Passwords(PushCase):
    def setUp(self):
        super().setUp()
        self.target = self.make_registry(users={USER: PASSWORD})
        self.made = self.make_layout()
        self.reference = f"{self.target.host}/ns/image:v1"

    def test_the_right_one(self):
        self.pushed(self.made, self.reference, "--authfile", self.write_authfile(hosts=[self.target.host]))
        self.assert_tag(self.target, "ns/image", "v1", self.made.digest)

    def test_none(self):
        self.refused(run.PUBLISH, self.push(self.made, self.reference), f"imgfactory login {self.target.host}")
        for command in ("inspect", "history"):
            self.refused(run.PUBLISH, self.call(command, "--tls-verify=false", self.reference),
                         f"imgfactory login {self.target.host}")

    def test_a_login_with_a_wrong_one(self):
        result = self.call("login", "--tls-verify=false", "--username", USER, "--password-stdin", self.target.host,
                           data=b"wrong-pass")
        self.refused(run.PUBLISH, result, f"error: {self.target.host}: login: ", "is the user name wrong, or the password?")

    def test_a_wrong_one(self):
        authfile = self.write_authfile(password="wrong-pass", hosts=[self.target.host])
        result = self.push(self.made, self.reference, "--authfile", authfile)
        self.refused(run.PUBLISH, result)
        self.assertNotIn("wrong-pass", result.stderr + result.stdout)

    def test_the_places_where_podman_looks(self):
        authfile = self.write_authfile(hosts=[self.target.host])
        for number, (place, env) in enumerate((
                ("runtime/containers/auth.json", {}), ("home/.config/containers/auth.json", {}),
                ("home/.docker/config.json", {}),
                ("elsewhere.json", {"REGISTRY_AUTH_FILE": self.path("elsewhere.json")}))):
            with self.subTest(place):
                os.makedirs(os.path.dirname(self.path(place)), exist_ok=True)
                shutil.copy(authfile, self.path(place))
                self.pushed(self.made, f"{self.target.host}/ns/image:p{number}", env=env)
                os.unlink(self.path(place))

    def test_the_most_specific_entry_wins(self):
        with open(self.write_authfile(hosts=[f"{self.target.host}/ns"]), encoding="utf-8") as stream:
            auths = json.load(stream)["auths"]
        auths[self.target.host] = {"auth": "d3Jvbmc6d3Jvbmc="}
        authfile = self.write("both.json", json.dumps({"auths": auths}))
        self.pushed(self.made, self.reference, "--authfile", authfile)
        self.refused(run.PUBLISH, self.push(self.made, f"{self.target.host}/other/image:v1", "--authfile", authfile))

    def test_a_credential_helper(self):
        answer = json.dumps({"ServerURL": self.target.host, "Username": USER, "Secret": PASSWORD}, ensure_ascii=False)
        helper = self.write("bin/docker-credential-kit", "#!/bin/sh\nread -r host\n[ \"$1\" = get ] || exit 2\n"
                            f"if [ \"$host\" = {self.target.host} ]; then printf '%s' '{answer}'; exit 0; fi\n"
                            "echo credentials not found in native keychain; exit 1\n")
        os.chmod(helper, 0o755)
        authfile = self.write("helper.json", json.dumps({"credHelpers": {self.target.host: "kit"}}))
        self.pushed(self.made, self.reference, "--authfile", authfile,
                    env={"PATH": self.path("bin") + ":" + os.environ["PATH"]})


class TokenServices(PushCase):
    def setUp(self):
        super().setUp()
        self.made = self.make_layout(layers=4)

    def make(self, **settings):
        """A registry behind a proxy that has the token service at its own origin, as quay.io has."""
        authority = self.authority()
        self.proxy = self.serve(FaultProxy())
        self.tokens = self.serve(registry.TokenService(authority, {USER: PASSWORD, "reader": "r"}, **settings))
        target = self.make_registry(tokens=registry.Tokens(authority, self.proxy.url + "/token"))
        self.proxy.upstream, self.proxy.routes = target.url, [("/token", self.tokens.url)]
        self.authfile = self.write_authfile(hosts=[self.proxy.host])
        return target

    def reference(self, repository="ns/image", tag="v1"):
        return f"{self.proxy.host}/{repository}:{tag}"

    def test_a_push_asks_for_few_tokens(self):
        target = self.make()
        self.pushed(self.made, self.reference(), "--authfile", self.authfile)
        self.assert_tag(target, "ns/image", "v1", self.made.digest)
        self.assertLessEqual(len(self.tokens.requests), 3, self.tokens.requests)
        for request in self.tokens.requests:
            for value in request.query.get("scope", []):
                self.assertRegex(value, r"^repository:ns/image:(pull|pull,push|push,pull)$")
        self.proxy.forget()
        self.assertEqual(self.pushed(self.made, self.reference(), "--authfile", self.authfile).push.status, "unchanged")
        self.assertLessEqual(len(self.proxy.asked("*", "^/v2/")), 3, self.proxy.requests)

    def test_a_token_that_runs_out_on_the_way_is_renewed(self):
        target = self.make(lifetime=2)
        self.proxy.fault("PUT", "/blobs/uploads/", times=1, delay=4)
        self.pushed(self.made, self.reference(), "--authfile", self.authfile)
        self.assert_tag(target, "ns/image", "v1", self.made.digest)

    def test_a_scope_that_is_not_given(self):
        target = self.make(rights={USER: lambda name: ("pull", "push") if name.startswith("ns/") else ("pull",)})
        self.pushed(self.made, self.reference(), "--authfile", self.authfile)
        self.proxy.forget()
        self.refused(run.PUBLISH, self.push(self.made, self.reference("other/image"), "--authfile", self.authfile),
                     "other/image")
        self.assertEqual(target.tags("other/image"), {})
        self.assertLess(len(self.proxy.requests), 60, "it went on after the refusal")

    def test_a_wrong_password(self):
        self.make()
        authfile = self.write_authfile("wrong.json", password="nope", hosts=[self.proxy.host])
        self.refused(run.PUBLISH, self.push(self.made, self.reference(), "--authfile", authfile))
        self.assertLessEqual(len(self.tokens.requests), 2, "a wrong password was tried again")

    def test_an_identity_token(self):
        target = self.make()
        authfile = self.write("identity.json", json.dumps({"auths": {self.proxy.host: {
            "auth": "PHRva2VuPjo=", "identitytoken": "identity-of-" + USER}}}))
        self.pushed(self.made, self.reference(), "--authfile", authfile)
        self.assert_tag(target, "ns/image", "v1", self.made.digest)
        self.assertTrue(self.tokens.asked("POST"))

    def test_a_token_service_at_an_origin_of_its_own(self):
        authority = self.authority()
        tokens = self.serve(registry.TokenService(authority, {USER: PASSWORD}, address=OTHER))
        target = self.make_registry(tokens=registry.Tokens(authority, tokens.url + "/token"))
        authfile = self.write_authfile(hosts=[target.host])
        reference = f"{target.host}/ns/image:v1"
        self.refused((run.PUBLISH, run.TRUST), self.push(self.made, reference, "--authfile", authfile), OTHER)
        self.assertEqual(tokens.authorizations(), [])
        self.write("imgfactory.yaml", f"token-origins: ['{tokens.url}']\n")
        self.pushed(self.made, reference, "--authfile", authfile)
        self.assert_tag(target, "ns/image", "v1", self.made.digest)

    def test_readers_pull_without_a_push_scope(self):
        self.make(rights={USER: lambda _: ("pull", "push"), "reader": lambda _: ("pull",)})
        self.pushed(self.made, self.reference(), "--authfile", self.authfile)
        self.tokens.forget()
        authfile = self.write_authfile("reader.json", user="reader", password="r", hosts=[self.proxy.host])
        result = self.call("pull", "--tls-verify=false", "--authfile", authfile, "--output", self.path("pulled"),
                           self.reference())
        self.assertEqual(result.code, run.OK, result)
        for request in self.tokens.requests:
            self.assertNotIn("push", str(request.query.get("scope")))


class Login(PushCase):
    def setUp(self):
        super().setUp()
        self.target = self.make_registry(users={USER: PASSWORD})

    def login(self, *arguments, password=PASSWORD, **settings):
        return self.call("login", "--tls-verify=false", "--username", USER, "--password-stdin", *arguments,
                         self.target.host, data=password.encode(), **settings)

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as stream:
            return json.load(stream)

    def podman_login(self, name):
        self.tool("podman", "login", "--tls-verify=false", "--username", USER, "--password-stdin", "--authfile",
                  self.path(name), self.target.host, data=PASSWORD.encode())

    def test_it_writes_what_podman_writes(self):
        self.podman_login("theirs.json")
        result = self.login("--authfile", self.path("ours.json"))
        self.assertEqual(result.code, run.OK, result)
        self.assertEqual(self.read("ours.json"), self.read("theirs.json"))
        self.assertEqual(stat.S_IMODE(os.stat(self.path("ours.json")).st_mode), 0o600)
        self.assertNotIn(PASSWORD, result.stdout + result.stderr)

    def test_a_file_that_others_can_read_is_used_with_a_warning(self):
        made, authfile = self.make_layout(), self.write_authfile(hosts=[self.target.host])
        words = "others than its owner can read the credential"
        result = self.pushed(made, f"{self.target.host}/ns/image:v1", "--authfile", authfile)
        self.assertNotIn(words, result.stderr)
        os.chmod(authfile, 0o644)
        result = self.pushed(made, f"{self.target.host}/ns/image:v2", "--authfile", authfile)
        self.assertEqual(result.stderr.count(words), 1, result)

    def test_a_newline_after_the_password_does_not_count(self):
        self.assertEqual(self.login("--authfile", self.path("ours.json"), password=PASSWORD + "\n").code, run.OK)

    def test_in_podmans_own_place_and_podman_uses_it(self):
        self.assertEqual(self.login().code, run.OK)
        self.assertIn(self.target.host, self.read("runtime/containers/auth.json")["auths"])
        made = self.make_layout()
        self.pushed(made, f"{self.target.host}/ns/image:v1")
        self.assertEqual(self.skopeo_raw(f"{self.target.host}/ns/image:v1", "--tls-verify=false"), made.index)
        self.assertEqual(self.call("logout", self.target.host).code, run.OK)
        self.assertNotIn(self.target.host, self.read("runtime/containers/auth.json").get("auths", {}))

    @unittest.skipUnless(os.geteuid() == 0, "becomes another user")
    def test_without_a_session_an_ordinary_user_s_lies_at_home(self):
        with tempfile.TemporaryDirectory(dir="/tmp") as home:  # $TMPDIR may be root's alone
            os.chmod(home, 0o777)
            done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", run.program(), "login", "--tls-verify=false",
                                   "--username", USER, "--password-stdin", self.target.host], input=PASSWORD, env={"HOME": home},
                                  cwd=home, capture_output=True, text=True, check=False)
            self.assertEqual((done.returncode, done.stderr), (run.OK, ""))
            path = f"{home}/.config/containers/auth.json"
            self.assertIn(f"is kept in {path}\n", done.stdout)
            self.assertTrue(os.path.exists(path))

    @unittest.skipUnless(subprocess.run(["unshare", "--map-root-user", "--mount", "true"], capture_output=True, check=False).returncode == 0,
                         "no user namespaces")
    def test_without_a_session_a_secret_mounted_read_only_is_read(self):
        authfile = self.write_authfile(hosts=[self.target.host])
        self.pushed(self.make_layout(), f"{self.target.host}/ns/image:v1", "--authfile", authfile)
        mount = "mount -t tmpfs none /run && mkdir -p /run/containers/0 && cp $1 /run/containers/0/auth.json && mount -o remount,ro /run"
        done = subprocess.run(["unshare", "--map-root-user", "--mount", "sh", "-ec", f'{mount}; shift; exec "$@"', "sh", authfile,
                               *self.command("inspect", "--tls-verify=false", f"{self.target.host}/ns/image:v1")],
                              env=run.Factory.environment({**self.env, "XDG_RUNTIME_DIR": None}), capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, run.OK, done.stderr)

    def test_a_place_that_does_not_last_is_told(self):
        self.assertIn("does not outlive a session or a restart; for nights keep it elsewhere: --authfile FILE", self.login().stdout)
        self.assertNotIn("outlive", self.login("--authfile", self.path("ours.json")).stdout)

    def test_what_else_the_file_holds_stays(self):
        before = {"auths": {"example.org": {"auth": "YTpi"}}, "credHelpers": {"example.net": "kit"}, "unknown": [1, 2]}
        path = self.write("ours.json", json.dumps(before))
        self.assertEqual(self.login("--authfile", path).code, run.OK)
        after = self.read("ours.json")
        del after["auths"][self.target.host]
        self.assertEqual(after, before)
        self.assertEqual(self.call("logout", "--authfile", path, self.target.host).code, run.OK)
        self.assertEqual(self.read("ours.json"), before)

    def test_a_wrong_password_writes_nothing(self):
        result = self.login("--authfile", self.path("ours.json"), password="wrong-pass")
        self.refused(run.PUBLISH, result)
        self.assertNotIn("wrong-pass", result.stderr)
        self.assertFalse(os.path.exists(self.path("ours.json")))

    def test_with_a_token_service(self):
        authority = self.authority()
        tokens = self.serve(registry.TokenService(authority, {USER: PASSWORD}))
        self.target = self.make_registry("second", tokens=registry.Tokens(authority, tokens.url + "/token"))
        self.podman_login("theirs.json")
        result = self.login("--authfile", self.path("ours.json"))
        self.assertEqual(result.code, run.OK, result)
        self.assertEqual(self.read("ours.json"), self.read("theirs.json"))
        self.refused(run.PUBLISH, self.login("--authfile", self.path("bad.json"), password="wrong"))

    def test_no_password_on_the_command_line(self):
        self.refused(run.USAGE, self.call("login", "--password", "x", "--username", USER, self.target.host))


class Reading(PushCase):
    """Pull and inspect."""

    def setUp(self):
        super().setUp()
        self.target, self.proxy = self.make_proxied()
        self.made = self.make_layout(layers=1, size=1 << 20)
        self.pushed(self.made, f"{self.target.host}/ns/image:v1")

    def pull(self, reference, **settings):
        self.into = self.path("pulled")
        return self.call("pull", "--tls-verify=false", "--output", self.into, reference, **settings)

    def pulled(self):
        """The pulled layout: in the folder itself or one below."""
        folders = [folder for folder, _, names in os.walk(self.into) if "oci-layout" in names]
        self.assertEqual(len(folders), 1, folders)
        return image.Layout(folders[0])

    def assert_no_layer_was_asked_for(self):
        for digest, size in self.made.blobs.items():
            if size > 100000:
                self.assertEqual(self.proxy.asked("*", digest), [])

    def test_a_pull_gives_the_same_layout(self):
        for reference in (f"{self.target.host}/ns/image:v1", f"{self.target.host}/ns/image@{self.made.digest}"):
            result = self.pull(reference)
            self.assertEqual(result.code, run.OK, result)
        self.assertIn(self.made.digest, self.pulled().tags.values())

    def test_a_quiet_pull_still_prints_the_json_that_is_asked_for(self):
        reference = f"{self.target.host}/ns/image:v1"
        self.assertEqual(self.call("pull", "--tls-verify=false", "--quiet", reference).stdout, "")
        told = self.call("pull", "--tls-verify=false", "--quiet", "--json", reference).stdout
        self.assertEqual(json.loads(told)["digest"], self.made.digest)

    def test_what_is_pulled_by_its_digest_has_no_tag(self):
        self.assertEqual(self.pull(f"{self.target.host}/ns/image@{self.made.digest}").code, run.OK)
        folder = self.path("pulled/image")
        with open(folder + "/index.json", encoding="utf-8") as stream:
            self.assertEqual([sorted(item) for item in json.load(stream)["manifests"]], [["digest", "mediaType", "size"]])
        self.refused(run.USAGE, self.push(folder, f"{self.target.host}/ns/other"), "--tag")
        self.assertEqual(self.target.tags("ns/other"), {})
        self.pushed(folder, f"{self.target.host}/ns/other:v1")
        self.assert_tag(self.target, "ns/other", "v1", self.made.digest)
        self.tool("skopeo", "copy", "-q", "--all", f"oci:{folder}", f"oci:{self.path('copied')}:v1")

    def test_a_second_pull_gets_no_layer(self):
        self.assertEqual(self.pull(f"{self.proxy.host}/ns/image:v1").code, run.OK)
        self.proxy.forget()
        self.assertEqual(self.pull(f"{self.proxy.host}/ns/image:v1").code, run.OK)
        self.assert_no_layer_was_asked_for()

    def test_wrong_bytes_are_not_kept(self):
        def spoil(_, answer):
            answer.body = answer.body[:-1] + bytes([answer.body[-1] ^ 1])
        for pattern in ("/blobs/", "/manifests/sha256"):
            self.proxy.heal()
            self.proxy.fault("GET", pattern, times=None, change=spoil)
            with self.subTest(pattern):
                self.refused(run.TRUST, self.pull(f"{self.proxy.host}/ns/image:v1", retries=1), "sha256|digest")
        self.proxy.heal()
        self.assertEqual(self.pull(f"{self.proxy.host}/ns/image:v1").code, run.OK)
        self.pulled()

    def test_a_broken_download_is_absorbed(self):
        self.proxy.fault("GET", "/blobs/", times=3, truncated=True)
        self.proxy.fault("GET", "/manifests/", times=1, truncated=True)
        self.assertEqual(self.pull(f"{self.proxy.host}/ns/image:v1").code, run.OK)
        self.pulled()

    def test_more_bytes_than_the_descriptor_says(self):
        def grow(_, answer):
            answer.body += bytes(1 << 20)
        self.proxy.fault("GET", "/blobs/", times=None, change=grow)
        self.refused((run.TRUST, run.MALFORMED), self.pull(f"{self.proxy.host}/ns/image:v1", retries=1))

    def test_what_is_not_there(self):
        self.refused((run.PUBLISH, run.USAGE), self.pull(f"{self.target.host}/ns/image:none"), "none")
        self.refused((run.PUBLISH, run.USAGE), self.pull(f"{self.target.host}/ns/none:v1"), "ns/none")

    def test_registries_conf_sends_pulls_to_a_mirror_and_blocks(self):
        self.write("home/.config/containers/registries.conf",
                   f'[[registry]]\nprefix = "mirrored.example"\nlocation = "127.0.0.1:1"\n'
                   f'[[registry.mirror]]\nlocation = "{self.target.host}"\ninsecure = true\n'
                   f'[[registry]]\nprefix = "blocked.example"\nlocation = "{self.target.host}"\nblocked = true\n')
        result = self.call("pull", "--output", self.path("pulled"), "mirrored.example/ns/image:v1")
        self.assertEqual(result.code, run.OK, result)
        result = self.call("pull", "--output", self.path("pulled"), "blocked.example/ns/image:v1")
        self.refused(run.USAGE, result, "blocked")

    def test_inspect_tells_the_same_of_registry_and_layout(self):
        texts = {}
        for what in (f"{self.target.host}/ns/image:v1", f"{self.made.folder}:latest", self.made.folder):
            result = self.call("inspect", "--json", "--tls-verify=false", what)
            self.assertEqual(result.code, run.OK, result)
            texts[what] = json.dumps(json.loads(result.stdout))
            for digest in self.made.blobs:
                self.assertIn(digest, texts[what], result)
            for word in ("amd64", "arm64", "v8", "/hello"):
                self.assertIn(word, texts[what], result)
        result = self.call("inspect", "--tls-verify=false", f"{self.target.host}/ns/image:v1")
        self.assertEqual(result.code, run.OK, result)
        self.assertIn("arm64", result.stdout)
        self.assertIn(self.made.digest, result.stdout)

    def test_inspect_of_an_image_gets_no_layer(self):
        self.assertEqual(self.call("inspect", "--tls-verify=false", f"{self.proxy.host}/ns/image:v1").code, run.OK)
        self.assert_no_layer_was_asked_for()


if __name__ == "__main__":
    unittest.main()
