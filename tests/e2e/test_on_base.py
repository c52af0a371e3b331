# SPDX-License-Identifier: Apache-2.0
"""Images on a base: what of it stays, where our files go, and that a hostile base is refused or does no harm. Judges: skopeo
copies what was written, umoci unpacks it."""

import hashlib
import json
import os
import shutil
import subprocess
import unittest

from base import Case, FaultProxy, PushCase, Report, elf, run, world
from kit import base_image
from kit.base_image import Base, OnBase, file, folder, gone, link

MANIFEST = "base: ../base:1\n" + world.MANIFEST
LIB = "/usr/lib/x86_64-linux-gnu"
ANNOTATION = "org.opencontainers.image.base."


def layers(*upper, names=("amd64", "arm64"), **settings):
    """The small distribution, with these layers above."""
    return {name: [base_image.small(name, **settings), *upper] for name in names}


class OnBaseCase(Case):
    def make_base(self, *upper, names=("amd64", "arm64"), **settings):
        return Base(self.path("base"), layers(*upper, names=names), **settings)

    def build_on(self, *arguments, name="served", env=None):
        result = self.run_factory("--arch", "all", "--json", *(arguments or (name,)), env=env)
        self.assertEqual(result.code, run.OK, result)
        self.report = Report(result.stdout)
        self.last = result
        return OnBase(os.path.join(self.factory.output, name), "amd64")


class Filling(OnBaseCase):
    def test_what_the_base_lacks_is_one_layer_on_its_own(self):
        self.ready(manifest=MANIFEST)
        base = self.make_base(config={"Env": ["PATH=/usr/bin", "FROM=base"], "Cmd": ["/bin/sh"], "Labels": {"kit": "1"}})
        got = self.build_on()
        self.assertEqual(got.layers[:-1], base.layers["amd64"])
        self.assertEqual(len(got.layers), 2)
        self.assertIn("/usr/sbin/served", got.top)
        self.assertIn(LIB + "/libfoo.so.1.2", got.top)
        for path in (LIB + "/libc.so.6", LIB + "/libbar.so.2", "/usr/lib/os-release", "/var/lib/dpkg/status", "/bin", "/tmp"):
            self.assertNotIn(path, got.top)
        self.assertEqual(got.text("/etc/passwd").splitlines()[:2],
                         ["root:x:0:0:root:/root:/bin/sh", "nobody:x:65534:65534::/:/bin/false"])
        self.assertIn("served:x:101:102:", got.text("/etc/passwd"))
        self.assertIn("served:!:", got.text("/etc/shadow"))
        self.assertEqual((got.top["/etc/shadow"].mode, got.top["/etc/shadow"].gid), (0o640, 42))
        process = got.config["config"]
        self.assertEqual(process["Env"], ["PATH=/usr/bin", "FROM=base"])
        self.assertEqual((process["Entrypoint"], process["Cmd"], process["User"]), (["/usr/sbin/served"], ["-d"], "served"))
        self.assertEqual(process["Labels"]["kit"], "1")
        self.assertEqual(got.manifest["annotations"][ANNOTATION + "digest"], base.digest)
        self.assertEqual(got.manifest["annotations"][ANNOTATION + "name"], "base:1")
        self.assertEqual(got.index["annotations"][ANNOTATION + "digest"], base.digest)
        told = self.report.order("served", "x86_64")["base"]
        self.assertEqual((told["digest"], told["unsigned"], told["layers"]), (base.digest, True, 1))

    def test_a_layout_with_a_name_as_podman_writes_it(self):
        self.ready(manifest=MANIFEST.replace("../base:1", "../base:docker.io/kit/base:1.0"))
        base = self.make_base(tag="docker.io/kit/base:1.0")
        got = self.build_on()
        self.assertEqual(got.layers[:-1], base.layers["amd64"])
        self.assertEqual(got.manifest["annotations"][ANNOTATION + "name"], "base:docker.io/kit/base:1.0")

    def test_other_readers_see_the_base_and_ours_over_it(self):
        self.ready(manifest=MANIFEST)
        self.make_base([gone("etc/issue"), file("etc/motd", "new\n")])
        self.build_on()
        single = self.path("single")
        for command in (["skopeo", "copy", "-q", "--override-arch", "amd64", f"oci:{self.factory.output}/served:latest",
                         f"oci:{single}:x"],
                        ["umoci", "unpack", "--rootless", "--image", f"{single}:x", self.path("bundle")]):
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
            self.assertEqual(done.returncode, 0, done.stdout.decode())
        root = self.path("bundle/rootfs")
        self.assertTrue(os.path.exists(root + "/usr/sbin/served") and os.path.exists(root + "/etc/motd"))
        self.assertFalse(os.path.exists(root + "/etc/issue"))
        self.assertEqual(os.readlink(root + "/lib"), "usr/lib")

    def test_nothing_changed_is_found_by_the_digest_of_the_base(self):
        self.ready(manifest=MANIFEST)
        self.make_base()
        first = self.build_on()
        again = self.build_on()
        self.assertEqual(first.root, again.root)
        self.assertEqual(self.report.order("served", "x86_64")["status"], "reused")
        other = Base(self.path("base"), layers([file("etc/motd", "new\n")]))
        changed = self.build_on()
        self.assertEqual(self.report.order("served", "x86_64")["status"], "built")
        self.assertEqual(changed.layers[:-1], other.layers["amd64"])

    def test_dockers_types_become_ocis_and_all_packings_are_read(self):
        self.ready(manifest=MANIFEST)
        tops = set()
        for types, pack in ((base_image.DOCKER, "gzip"), (base_image.OCI, "zstd"), (base_image.OCI, "")):
            base = Base(self.path("base"), layers(), types=types, pack=pack)
            got = self.build_on()
            self.assertEqual([layer["digest"] for layer in got.layers[:-1]],
                             [layer["digest"] for layer in base.layers["amd64"]])
            self.assertEqual(got.layers[0]["mediaType"],
                             base_image.OCI["layer"] + {"gzip": "+gzip", "zstd": "+zstd", "": ""}[pack])
            tops.add(got.layers[-1]["digest"])
        self.assertEqual(len(tops), 1)

    def test_the_bases_links_decide_where_files_go(self):
        self.ready(manifest=MANIFEST.replace("/var/lib/served/leases", "/opt/leases"))
        self.make_base([link("etc/served", "../var/opt/etc"), folder("var/opt/etc")])
        got = self.build_on()
        self.assertIn("/var/opt/leases", got.top)
        self.assertIn("/var/opt/etc/served.conf", got.top)
        self.assertNotIn("/etc/served", got.top)
        self.assertEqual(oct(got.top["/var/opt/etc"].mode), "0o755")

    def test_links_that_lead_out_stay_inside(self):
        outside = self.path("outside")
        self.ready(manifest=MANIFEST.replace("/var/lib/served/leases", "/out/leases"))
        self.make_base([link("out", "../" * 40 + outside.lstrip("/")), link("abs", outside)])
        got = self.build_on()
        self.assertIn(outside + "/leases", got.top)
        self.assertFalse(os.path.exists(outside))
        self.assertFalse([name for name in got.tar.getnames() if ".." in name.split("/") or name.startswith("/")])

    def test_a_user_of_the_base_is_known_by_its_name(self):
        self.ready(manifest=MANIFEST.replace("user: served", "user: nobody"))
        self.make_base()
        self.assertEqual(self.build_on().config["config"]["User"], "nobody")

    def test_an_account_number_of_the_base_is_taken(self):
        self.ready(manifest=MANIFEST.replace("uid: 101", "uid: 65534"))
        self.make_base()
        self.refuse(run.USAGE, "its number 65534 is nobody's in the base")

    def test_an_old_library_of_the_base_is_found_by_the_proof(self):
        self.ready(manifest=MANIFEST)
        self.make_base([file(LIB.lstrip("/") + "/libfoo.so.1", elf.write(soname="libfoo.so.1", needed=["libgone.so.9"]))],
                       names=("amd64",))
        self.refuse(run.RESOLVE, "libgone.so.9", arguments=("--arch", "x86_64", "served"))

    def check(self, code, *parts):
        """`imgfactory check` of what was built."""
        result = self.factory.run_plain("check", os.path.join(self.factory.output, "served"))
        self.assertEqual(result.code, code, result)
        for part in parts:
            self.assertIn(part, result.stdout)

    def test_a_check_of_the_layout_judges_what_the_build_has_judged(self):
        """The base's own faults are not ours, as long as the bill says which layers are the base's."""
        self.ready(manifest=MANIFEST)
        self.make_base([file(LIB.lstrip("/") + "/libodd.so.1", elf.write(soname="libodd.so.1", needed=["libgone.so.9"]))],
                       names=("amd64",))
        self.build_on("--arch", "x86_64", "served")
        self.check(run.OK, "x86_64: good; 2 files")
        shutil.rmtree(os.path.join(self.factory.output, "served", "imgfactory"))
        self.check(run.RESOLVE, "needs libgone.so.9")

    def test_why_tells_of_the_bases_files(self):
        self.ready(manifest=MANIFEST)
        self.make_base()
        for _ in range(2):  # made now, and out of the cache
            told = self.factory.run_plain("why", "--source", self.path("source.yaml"), "--manifests", self.path("manifests"),
                                          "--arch", "x86_64", "served", "/bin/sh", "/lib64/ld-linux-x86-64.so.2", "/nope",
                                          "/usr/lib/*/lib*.so.[12]").stdout
            self.assertIn("x86_64: /usr/bin/sh\n  in the base base:1\n", told)
            self.assertIn("  in the base base:1, as " + LIB + "/ld-linux-x86-64.so.2\n", told)
            self.assertIn("/nope\n  not in the image, and no package of the source ships it", told)
            self.assertIn("x86_64: " + LIB + "/libbar.so.2\n  in the base base:1\n", told)
            self.assertIn("x86_64: " + LIB + "/libfoo.so.1\n  /usr/sbin/served\n    binary of the manifest\n", told)
            self.build_on()

    def test_only_a_file_more(self):
        self.ready(manifest="base: ../base:1\ncreate:\n  - path: /etc/hello\n    content: hello\n")
        self.make_base()
        got = self.build_on()
        self.assertEqual(got.files(), ["/etc/hello"])
        self.assertEqual(got.config["config"]["Cmd"], ["/bin/sh"])


class OfThisRun(OnBaseCase):
    LOWER = "binaries: [/usr/lib/x86_64-linux-gnu/libbar.so.2]\n"

    def ready_chain(self, **more):
        self.ready(manifest=MANIFEST.replace("../base:1", "manifest:middle"))
        self.write_manifest("middle", "base: ../base:1\nfiles: [/usr/share/served/words.txt]\npackages:\n"
                                      "  first: [served-common]\nconfig:\n  env:\n    MIDDLE: '1'\n", **more)

    def test_another_image_of_ours_is_made_first(self):
        self.ready_chain()
        base = self.make_base()
        got = self.build_on()
        middle = OnBase(os.path.join(self.factory.output, "middle"), "amd64")
        self.assertEqual(got.layers[:-1], middle.layers)
        self.assertEqual(middle.layers[:-1], base.layers["amd64"])
        self.assertIn("MIDDLE=1", got.config["config"]["Env"])
        self.assertEqual(got.manifest["annotations"][ANNOTATION + "name"], "middle")
        self.assertEqual(got.manifest["annotations"][ANNOTATION + "digest"], middle.child["digest"])
        self.assertEqual(got.index["annotations"][ANNOTATION + "digest"],
                         "sha256:" + hashlib.sha256(middle.root).hexdigest())
        again = self.build_on("served", "middle")
        self.assertEqual(got.root, again.root)
        self.assertEqual(self.report.order("served", "x86_64")["status"], "reused")

    def test_one_architecture_alone_is_the_same_image_and_takes_no_platform_from_the_base(self):
        self.ready_chain()
        self.make_base()
        both, middle = self.build_on(), os.path.join(self.factory.output, "middle")
        before = OnBase(middle, "amd64").root
        shutil.rmtree(os.path.join(self.factory.output, "served"))
        result = self.run_factory("--arch", "x86_64", "--json", "served")
        self.assertEqual(result.code, run.OK, result)
        self.assertIn("middle is left as it is: ", result.stderr)
        alone = OnBase(os.path.join(self.factory.output, "served"), "amd64")
        self.assertEqual(alone.child["digest"], both.child["digest"])
        self.assertEqual(Report(result.stdout).order("served", "x86_64")["status"], "reused")
        self.assertEqual(OnBase(middle, "amd64").root, before)
        self.assertNotIn("layout", next(made for made in json.loads(result.stdout)["images"] if made["image"] == "middle"))
        asked = self.run_factory("--arch", "x86_64", "middle")
        self.assertEqual(asked.code, run.USAGE, asked)
        self.assertIn("--allow-fewer-platforms middle", asked.stderr)

    def test_a_base_that_fails_fails_its_children_with_its_class(self):
        self.ready_chain()
        Base(self.path("base"), layers(), lie={"diff_ids": ["sha256:" + 64 * "0"]})
        result = self.refuse(run.TRUST, "its base failed: ", "it unpacks to sha256:")
        self.assertEqual(result.stderr.count("image served: its base failed: "), 1, result)

    def test_a_base_that_is_not_there_is_told_once_for_all_architectures(self):
        self.ready_chain()
        result = self.refuse(run.USAGE, "image middle: base ../base:1: ", "image served: its base failed: image middle: ")
        self.assertEqual(result.stderr.count("error: "), 2, result)

    def test_one_image_that_was_asked_for_and_fails_has_its_own_class_though_its_base_is_good(self):
        self.ready_chain()
        self.make_base()
        self.write_manifest(text="base: manifest:middle\nbinaries: [/usr/sbin/none]\n")
        self.assertEqual(self.run_factory("--arch", "all", "served").code, run.RESOLVE)
        result = self.run_factory("--arch", "all", "served", "middle")  # now that one was asked for, too
        self.assertEqual(result.code, run.PARTLY, result)

    def test_circles_are_the_manifests_mistake(self):
        self.ready(manifest=MANIFEST.replace("../base:1", "manifest:other"))
        self.write_manifest("other", MANIFEST.replace("name: served", "name: other").replace("../base:1", "manifest:served"))
        self.refuse(run.USAGE, "it stands on this image itself")
        self.write_manifest(text=MANIFEST.replace("../base:1", "manifest:served"))
        self.refuse(run.USAGE, "it stands on this image itself")

    def test_a_base_that_is_no_manifest_or_not_for_the_architecture(self):
        self.ready(manifest=MANIFEST.replace("../base:1", "manifest:nothing"))
        self.refuse(run.USAGE, "base manifest:nothing: no manifest has that name")
        self.write_manifest("nothing", "base: ../base:1\narchitectures: [x86_64]\ncreate: [/x]\n")
        self.make_base()
        self.refuse(run.USAGE, "base manifest:nothing is not made for aarch64")


class Hostile(OnBaseCase):
    def setUp(self):
        super().setUp()
        self.ready(manifest=MANIFEST)

    def refuse_base(self, code, *parts, upper=(), **settings):
        Base(self.path("base"), layers(*upper, names=("amd64",)), **settings)
        self.refuse(code, *parts, arguments=("--arch", "x86_64", "served"))

    def test_a_missing_platform(self):
        self.make_base(names=("arm64",))
        self.refuse(run.RESOLVE, "base ../base:1: it has nothing for linux/amd64; it is for linux/arm64/v8",
                    arguments=("--arch", "x86_64", "served"))

    def test_layers_that_lie(self):
        self.refuse_base(run.TRUST, "it unpacks to sha256:", lie={"diff_ids": ["sha256:" + 64 * "1"]})
        self.refuse_base(run.MALFORMED, "has 2 diff_ids for 1 layers",
                         lie={"diff_ids": ["sha256:" + 64 * "1", "sha256:" + 64 * "2"]})
        self.refuse_base(run.MALFORMED, "is a foreign one", "foreign.diff.tar.gzip",
                         lie={"layer type": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"})
        base = self.make_base([file("etc/motd", "new\n")], names=("amd64",))
        path = base.path(base.layers["amd64"][1]["digest"])
        with open(path, "r+b") as stream:
            stream.seek(30)
            stream.write(b"!")
        self.refuse(run.TRUST, "expected sha256:", arguments=("--arch", "x86_64", "served"))

    def test_layers_that_engines_put_in_two_places(self):
        self.refuse_base(run.MALFORMED, "below a link of a lower layer", upper=[[file("lib/x", "1")]])
        self.refuse_base(run.MALFORMED, "below a link of a lower layer", upper=[[gone("lib/x")]])
        self.refuse_base(run.MALFORMED, "\"..\"", upper=[[file("../x", "1")]])
        self.refuse_base(run.MALFORMED, "a whiteout that removes no file's name", upper=[[file("usr/.wh...", "")]])

    def test_what_the_base_says_it_starts_is_not_believed_blindly(self):
        self.write_manifest(text="base: ../base:1\ncreate: [/etc/x]\n")
        self.refuse_base(run.MALFORMED, "the configuration's Env is not a list of strings", config={"Env": "PATH=/"})

    def test_layouts_without_the_tag(self):
        self.make_base(tag="2")
        self.refuse(run.USAGE, "base ../base:1: ", 'no tag "1"; it has: 2')


class OfARegistry(PushCase, OnBaseCase):
    def setUp(self):
        super().setUp()
        self.target = self.make_registry()
        self.proxy = self.serve(FaultProxy(self.target.url))
        self.reference = f"{self.proxy.host}/ns/base"
        self.ready(manifest=MANIFEST.replace("../base:1", self.reference + ":1"))
        self.factory.options += ["--tls-verify=false"]

    def put_base(self, *upper):
        made = Base(self.path("base"), layers(*upper))
        self.pushed(made, self.reference, "--tag", "1")
        return made

    def test_pulled_once_mounted_in_a_push_and_asked_for_by_one_request(self):
        base = self.put_base()
        self.proxy.forget()
        got = self.build_on(f"--push={self.proxy.host}/ns/served:1", "served")
        self.assertEqual(got.layers[:-1], base.layers["amd64"])
        digests = [layer["digest"].split(":")[1] for name in base.layers for layer in base.layers[name]]
        for digest in digests:
            self.assertEqual(len([request for request in self.proxy.asked("GET", "/blobs/") if digest in request.target]), 1)
            self.assertEqual([request for request in self.proxy.asked("PUT", "/blobs/uploads/") if digest in request.target], [])
            self.assertEqual(len([request for request in self.proxy.asked("POST", "mount=") if digest in request.target]), 1)
        self.assertEqual(got.manifest["annotations"][ANNOTATION + "name"], self.reference + ":1")
        self.target.check("ns/served", self.target.tags("ns/served")["1"])
        self.proxy.forget()
        self.build_on()
        self.assertEqual(self.report.order("served", "x86_64")["status"], "reused")
        self.assertEqual([request.target for request in self.proxy.requests], ["/v2/ns/base/manifests/1"])

    def test_a_layout_is_pushed_with_mounts_from_the_base_that_it_names(self):
        base = self.put_base()
        self.build_on()
        self.proxy.forget()
        self.pushed(os.path.join(self.factory.output, "served"), f"{self.proxy.host}/ns/later", "--tag", "1")
        for layer in base.layers["amd64"]:
            self.assertEqual([request for request in self.proxy.asked("PUT", "/blobs/uploads/")
                              if layer["digest"].split(":")[1] in request.target], [])

    def test_a_mirror_of_registries_conf_is_asked_first(self):
        self.put_base()
        conf = self.write("registries.conf", f"""[[registry]]
prefix = "base.example"
location = "{self.proxy.host}"
insecure = true
""")
        self.write_manifest(text=MANIFEST.replace("../base:1", "base.example/ns/base:1"))
        self.env["CONTAINERS_REGISTRIES_CONF"] = conf
        got = self.build_on(env=self.env)
        self.assertEqual(got.manifest["annotations"][ANNOTATION + "name"], "base.example/ns/base:1")

    def test_a_moved_tag_is_told_and_a_digest_stays(self):
        first = self.put_base()
        self.build_on()
        self.assertIsNone(self.report.order("served", "x86_64")["base"]["moved_from"])
        second = self.put_base([file("etc/motd", "new\n")])
        self.build_on()
        told = self.report.order("served", "x86_64")["base"]
        self.assertEqual((told["moved_from"], told["digest"]), (first.digest, second.digest))
        self.assertIn("has moved from " + first.digest, self.last.stderr)
        self.write_manifest(text=MANIFEST.replace("../base:1", f"{self.reference}@{first.digest}"))
        self.assertEqual(len(self.build_on().layers), 2)

    def test_a_locked_build_takes_the_base_that_the_tag_was_at(self):
        lock = ["--lock-file", self.path("imgfactory.lock")]
        self.put_base()
        before = self.build_on()
        result = self.run_factory("lock", *lock, "--arch", "x86_64,aarch64", "served", env=self.env)
        self.assertEqual(result.code, run.OK, result)
        self.put_base([file("etc/motd", "new\n")])
        self.assertEqual(self.build_on("--locked", *lock, "served").root, before.root)
        self.factory.cache = self.path("another")
        self.assertEqual(self.build_on("--locked", *lock, "served").root, before.root)
        self.assertNotEqual(self.build_on().root, before.root)

    def test_with_the_cache_alone_it_is_what_it_was_last(self):
        self.put_base()
        first = self.build_on()
        self.target.stop()
        again = self.build_on("--cache-only", "served")
        self.assertEqual(first.root, again.root)

    def test_the_policy_that_podman_goes_by_holds_for_bases(self):
        base = self.put_base()
        self.env["IMGFACTORY_KEY_PASSPHRASE"] = "kit"
        key = self.path("ours.key")
        subprocess.run([run.program(), "key", "generate", key], check=True, stderr=subprocess.DEVNULL, env=run.Factory.environment(self.env))
        policy = os.path.join(self.home, ".config/containers/policy.json")
        os.makedirs(os.path.dirname(policy))

        def want(**requirement):
            with open(policy, "w", encoding="utf-8") as stream:
                json.dump({"default": [{"type": "insecureAcceptAnything"}], "transports": {"docker": {self.proxy.host: [requirement]}}}, stream)
        want(type="sigstoreSigned", keyPath=key.replace(".key", ".pub"))
        for options in ((), ("--cache-only",)):
            result = self.run_factory("--arch", "all", *options, "served", env=self.env)
            self.assertIn(result.code, (run.TRUST, run.LOCAL) if options else (run.TRUST,), result)
            self.assertIn("policy.json", result.stderr)
            self.assertIn("--no-policy", result.stderr)
        self.build_on("--no-policy", "served", env=self.env)
        self.pushed(base, self.reference, "--tag", "1", "--sign", key)
        self.proxy.forget()
        self.build_on("served", env=self.env)
        asked = [request.target for request in self.proxy.requests if "/blobs/" not in request.target]
        self.assertEqual(len(asked), len(set(asked)), asked)
        want(type="signedBy", keyType="GPGKeys", keyPath="/x")
        result = self.run_factory("--arch", "all", "served", env=self.env)
        self.assertEqual(result.code, run.TRUST, result)
        self.assertIn("signedBy, which imgfactory cannot verify", result.stderr)

    def test_a_base_that_is_not_there(self):
        self.refuse(run.PUBLISH, "base " + self.reference + ":1: ", "the registry does not have it")


if __name__ == "__main__":
    unittest.main()
