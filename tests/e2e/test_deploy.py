# SPDX-License-Identifier: Apache-2.0
"""How an image is run: the contract of a manifest, the line that is printed after a build, units that are made from it."""

import json
import os
import shlex
import unittest

from base import Case, PushCase, run, world
from kit.layout import HELLO
from test_report_schema import Held

CONTRACT = """\
run:
  network: host
  capabilities: [NET_RAW]
  tmpfs: [/run/served]
  limits: {nofile: "100"}
  health: {command: [/usr/sbin/served, -q]}
  host:
    - {path: /var/lib/served, owner: served, group: served, mode: "0750"}
  needs: [ports 67 and 68 free]
"""
LINE = ("podman run --network=host --cap-drop=all --cap-add=NET_RAW --security-opt=no-new-privileges --read-only "
        "--volume=/var/lib/served:/var/lib/served:rw,Z --ulimit=nofile=100 --health-cmd='CMD /usr/sbin/served -q' "
        "--health-interval=30s --health-timeout=5s --health-start-period=10s --health-retries=3 ")


class Contract(Held, Case):
    def setUp(self):
        super().setUp()
        self.ready(manifest=world.MANIFEST + CONTRACT)

    def layout(self):
        return os.path.join(self.factory.output, "served")

    def test_the_line_after_a_build_comes_from_it_also_of_an_image_that_was_there(self):
        for _ in range(2):
            self.build()
            self.assertIn(f"  run     {LINE}oci:{self.layout()}:latest\n", self.last.stdout)
            self.assertIn("  needs   ports 67 and 68 free\n", self.last.stdout)

    def test_it_stands_in_the_bill_and_in_the_report_and_in_no_byte_of_the_image(self):
        report = self.hold(self.run_factory("--json", "--arch", "all", "served"))
        orders = report["images"][0]["architectures"]
        with_it = {order["arch"]: order["digest"] for order in orders}
        self.assertEqual([order["run"]["capabilities"] for order in orders], [["NET_RAW"], ["NET_RAW"]])
        self.assertEqual(orders[0]["run"]["host"][0]["uid"], 101)
        with open(os.path.join(self.layout(), "imgfactory", orders[0]["digest"].replace(":", "-") + ".json"),
                  encoding="utf-8") as stream:
            self.assertEqual(json.load(stream)["run"], orders[0]["run"])
        self.write_manifest(text=world.MANIFEST)
        report = self.hold(self.run_factory("--json", "--arch", "all", "served"))
        orders = report["images"][0]["architectures"]
        self.assertEqual({order["arch"]: order["digest"] for order in orders}, with_it)
        self.assertEqual([order["run"] for order in orders], [None, None])

    def test_a_probe_that_is_not_in_the_image_is_refused_at_the_build(self):
        self.write_manifest(text=world.MANIFEST + CONTRACT.replace("/usr/sbin/served, -q", "/usr/sbin/ask"))
        self.refuse(run.RESOLVE, "run.health.command: /usr/sbin/ask: it is not there")

    def test_a_contract_that_changed_is_told_though_no_byte_did(self):
        self.build()
        self.write_manifest(text=world.MANIFEST + CONTRACT.replace("NET_RAW", "NET_ADMIN"))
        self.build()
        self.assertIn("--cap-add=NET_ADMIN", self.last.stdout)


def parsed(text):
    """A unit's sections as {section: [(key, value)]}, comments apart."""
    found, section = {"#": [line[2:] for line in text.splitlines() if line.startswith("#")]}, None
    for line in text.replace("\\\n", "").splitlines():
        if line.startswith("["):
            section = found.setdefault(line.strip("[]"), [])
        elif line and not line.startswith("#"):
            section.append(tuple(line.split("=", 1)))
    return found


class Units(Held, PushCase):
    def setUp(self):
        super().setUp()
        self.ready(manifest=world.MANIFEST + CONTRACT)

    def unit(self, *words, code=run.OK):
        options = ["--manifests", self.path("manifests"), "--output", self.factory.output, "--tls-verify=false"]
        result = self.call("unit", *options, *words)
        self.assertEqual(result.code, code, result)
        return result

    def files(self, *words):
        told = self.hold(self.unit("--json", *words), "unit")
        return told, {file["name"]: file["text"] for file in told["files"]}

    def test_a_layout_s_unit_has_what_its_bill_says_and_nothing_else(self):
        self.build()
        self.write_manifest(text=world.MANIFEST)  # the catalogue says nothing any more
        told, files = self.files("--image", "quay.io/me/served", "served")
        self.assertEqual(told["images"], [{"image": "served", "reference": "quay.io/me/served:latest", "pinned": False,
                                           "contract": "the bill beside the layout"}])
        self.assertEqual(sorted(files), ["served-container.conf", "served.container"])
        unit = parsed(files["served.container"])
        self.assertEqual(unit["Container"], [
            ("ContainerName", "served"), ("Image", "quay.io/me/served:latest"), ("Pull", "newer"), ("Network", "host"),
            ("DropCapability", "all"), ("AddCapability", "NET_RAW"), ("NoNewPrivileges", "true"), ("ReadOnly", "true"),
            ("Volume", "/var/lib/served:/var/lib/served:rw,Z"), ("Ulimit", "nofile=100"),
            ("HealthCmd", "CMD /usr/sbin/served -q"), ("HealthInterval", "30s"), ("HealthTimeout", "5s"),
            ("HealthStartPeriod", "10s"), ("HealthRetries", "3"), ("HealthOnFailure", "kill")])
        self.assertEqual(unit["Install"], [("WantedBy", "multi-user.target default.target")])
        self.assertIn("Needs ports 67 and 68 free.", unit["#"])
        self.assertIn("d /var/lib/served 0750 101 102 -\n", files["served-container.conf"])
        self.assertNotIn("privileged", files["served.container"].lower())

    def test_an_image_that_was_not_built_has_its_manifest_s_contract(self):
        told, files = self.files("--image", "quay.io/me/served:v1", "served")
        self.assertEqual(told["images"][0]["contract"], "the manifest served")
        self.assertIn(("Image", "quay.io/me/served:v1"), parsed(files["served.container"])["Container"])
        self.refused(run.USAGE, self.unit("served", code=run.USAGE), "was not built here, and no registry is known")
        self.refused(run.USAGE, self.unit("--pin", "--image", "q.io/s", "served", code=run.USAGE), "no digest of it")
        self.refused(run.USAGE, self.unit("nothing", code=run.USAGE), "there is no OCI layout nothing")

    def test_a_reference_has_the_contract_of_its_title_s_manifest_or_none_which_is_said(self):
        target = self.make_registry()
        self.build()
        reference = f"{target.host}/ns/served"
        self.pushed(os.path.join(self.factory.output, "served"), reference)
        told, files = self.files(reference)
        self.assertEqual(told["images"][0]["contract"], "the manifest served of its title")
        self.assertIn(("AddCapability", "NET_RAW"), parsed(files["served.container"])["Container"])
        os.unlink(self.path("manifests/served.yaml"))
        told, files = self.files("--pin", f"{reference}:latest")
        self.assertEqual([(image["pinned"], image["contract"]) for image in told["images"]], [(True, None)])
        self.assertRegex(told["images"][0]["reference"], r"/ns/served@sha256:[0-9a-f]{64}$")
        unit = parsed(files["served.container"])
        self.assertEqual(unit["Container"][2:], [("Pull", "missing"), ("PublishPort", "67:67/udp"),
                                                 ("Volume", "served.volume:/var/lib/served")])
        self.assertRegex("\n".join(unit["#"]), "from the image's configuration alone. Not known: what it writes to")
        self.assertEqual(parsed(files["served.volume"])["Volume"], [("VolumeName", "served")])

    def test_a_digest_that_is_pinned_is_asked_for_and_the_unit_is_made_of_that_image(self):
        target = self.make_registry()
        reference, layout = f"{target.host}/ns/served", os.path.join(self.factory.output, "served")
        self.build()
        old = self.pushed(layout, reference).push.digest
        os.unlink(self.path("manifests/served.yaml"))
        self.write_manifest(text=world.MANIFEST.replace("ports: [67/udp]", "ports: [68/udp]"))
        self.build()
        new = self.pushed(layout, reference).push.digest
        os.unlink(self.path("manifests/served.yaml"))
        for digest, port in ((old, "67:67/udp"), (new, "68:68/udp")):
            told, files = self.files(f"--pin={digest}", f"{reference}:latest")
            self.assertEqual(told["images"][0]["reference"], f"{reference}@{digest}")
            self.assertIn(("PublishPort", port), parsed(files["served.container"])["Container"])
        nothing = "sha256:" + 64 * "0"
        self.refused(run.PUBLISH, self.unit(f"--pin={nothing}", reference, code=run.PUBLISH),
                     f"served@{nothing}: the registry does not have it")
        given = ("--image", "quay.io/me/served", "served")
        self.assertEqual(self.files(f"--pin={new}", *given)[0]["images"][0]["reference"], f"quay.io/me/served@{new}")
        self.refused(run.RESOLVE, self.unit(f"--pin={nothing}", *given, code=run.RESOLVE),
                     f"out/served has no image {nothing}; it has: ")

    def test_several_images_are_joined_by_a_network_but_for_those_of_the_host_s(self):
        for name in ("web", "store"):
            self.write_manifest(name, f"name: {name}\nbinaries: [/usr/sbin/{name}]\nrun: {{}}\n")
        self.write("imgfactory.yaml", "registry: q.io\nnamespace: me\n")
        told, files = self.files("web", "store", "served")
        self.assertEqual([image["reference"] for image in told["images"]],
                         ["q.io/me/web:latest", "q.io/me/store:latest", "q.io/me/served:latest"])
        self.assertEqual(parsed(files["web.network"])["Network"], [("NetworkName", "web")])
        for name, network in (("web", "web.network"), ("store", "web.network"), ("served", "host")):
            self.assertIn(("Network", network), parsed(files[f"{name}.container"])["Container"])
        services = self.files("--format", "systemd", "web", "store", "served")[1]
        self.assertIn("--network=web", services["store.service"])
        self.assertIn("--network=host", services["served.service"])
        self.assertIn("# Joins the network web, where the others find it by its name", services["store.service"])
        files = self.files("served", "store", "web")[1]
        self.assertIn(("Network", "store.network"), parsed(files["web.container"])["Container"])
        self.assertEqual([name for name in files if name.endswith(".network")], ["store.network"])
        for form in ("quadlet", "systemd", "run"):  # one alone has nobody to join
            files = self.files("--format", form, "served", "web")[1]
            self.assertFalse([name for name in files if name.endswith(".network")])
            self.assertNotIn("etwork create", "".join(files.values()))
            self.assertNotIn("etwork=web", "".join(files.values()))
        self.refused(run.USAGE, self.unit("--image", "q.io/x", "web", "store", code=run.USAGE), "--image is for one")

    def test_files_are_written_with_units_and_the_other_formats_say_the_same(self):
        self.build()
        given = ("--image", "q.io/served", "served")
        self.unit("--units", self.path("units"), *given)
        self.assertEqual(sorted(os.listdir(self.path("units"))), ["served-container.conf", "served.container"])
        service = self.files("--format", "systemd", *given)[1]["served.service"]
        command = next(value for key, value in parsed(service)["Service"] if key == "ExecStart")
        for word in LINE.split("=", 1)[1].split(" --")[1:]:
            self.assertIn(word.strip().replace("'", "").split("=")[0], command)
        self.assertIn("--pull=newer", command)
        self.assertIn(LINE + "q.io/served:latest\n", self.files("--format", "run", *given)[1]["served.sh"])
        kube = self.files("--format", "kube", *given)[1]["served.yaml"]
        for words in ("kind: DaemonSet\n", "hostNetwork: true\n", "drop: [ALL]\n", "add: [NET_RAW]\n",
                      "readOnlyRootFilesystem: true\n", 'hostPath: {path: "/var/lib/served", type: DirectoryOrCreate}',
                      '- "/usr/sbin/served"\n', "periodSeconds: 30\n"):
            self.assertIn(words, kube)
        self.refused(run.USAGE, self.unit("--format", "helm", *given, code=run.USAGE), "quadlet, systemd, kube, run, timer, watch, cronjob, slurm or kube-job")

    def test_a_layout_that_goes_nowhere_is_run_from_where_it_lies(self):
        self.build()
        folder = os.path.realpath(os.path.join(self.factory.output, "served"))
        told, files = self.files("served")
        unit = parsed(files["served.container"])
        self.assertIn(("Image", f"oci:{folder}:latest"), unit["Container"])
        self.assertIn(("Pull", "missing"), unit["Container"])
        self.assertFalse(told["images"][0]["pinned"])
        self.refused(run.USAGE, self.unit("--format", "kube", "served", code=run.USAGE), "no registry is known for it")


@unittest.skipUnless(os.geteuid() == 0, "podman runs containers as root here, or not at all")
class Restart(PushCase):
    """What systemd does at a restart is to run the unit's command again."""

    def restart(self, unit):
        """Runs it as systemd would, but for what only systemd can give; the image that ran."""
        lines = unit.replace("\\\n", " ").splitlines()
        command = next(line for line in lines if line.startswith("ExecStart=")).partition("=")[2]
        dropped = ("--cidfile=", "--sdnotify=", "--cgroups=", "--detach", "--rm", "--replace")
        words = [word for word in shlex.split(command)[2:] if not word.startswith(dropped)]
        ran = self.podman("run", "--network=none", "--tls-verify=false", *words)
        self.assertEqual(ran.stdout.decode(), HELLO)
        image = self.podman("inspect", "--format", "{{.Image}}", "image").stdout.decode().strip()
        self.podman("rm", "image")
        return image

    def image_of(self, made):
        """What an engine calls the image of this machine in a layout: its configuration's digest."""
        with open(made.path(made.children[0]), encoding="utf-8") as stream:
            return json.load(stream)["config"]["digest"].partition(":")[2]

    def unit(self, *words):
        result = self.call("unit", "--format", "systemd", "--tls-verify=false", *words)
        self.assertEqual(result.code, run.OK, result)
        return result.stdout

    def test_a_restart_runs_what_was_pushed_and_the_way_back_is_a_tag_or_a_digest(self):
        target = self.make_registry()
        reference = f"{target.host}/ns/image"
        old, new = self.make_layout("old", seed=1), self.make_layout("new", seed=2)
        self.pushed(old, f"{reference}:latest")
        unit, pinned = self.unit(reference), self.unit("--pin", reference)
        self.assertEqual(self.restart(unit), self.image_of(old))
        self.pushed(new, f"{reference}:latest")
        self.assertEqual(self.restart(unit), self.image_of(new))
        self.assertEqual(self.restart(pinned), self.image_of(old))
        self.assertEqual(self.call("tag", "--tls-verify=false", f"{reference}@{old.digest}", "latest").code, run.OK)
        self.assertEqual(self.restart(unit), self.image_of(old))
        self.assertEqual(self.restart(self.unit(f"--pin={new.digest}", reference)), self.image_of(new))


class History(Held, PushCase):
    def test_the_newest_is_first_with_all_its_tags_and_a_digest_of_it_is_what_one_goes_back_to(self):
        target = self.make_registry()
        reference, digests = f"{target.host}/ns/served", []
        self.ready()
        for seconds in (1_600_000_000, 1_700_000_000):
            built = self.run_factory("--json", "--arch", "all", "served", env={"SOURCE_DATE_EPOCH": str(seconds)})
            digests.append(json.loads(built.stdout)["images"][0]["digest"])
            self.pushed(os.path.join(self.factory.output, "served"), reference, "--tag", "latest", "--tag", str(seconds))
        told = self.history(reference)
        self.assertEqual([image["digest"] for image in told["images"]], digests[::-1])
        self.assertEqual([sorted(image["tags"]) for image in told["images"]],
                         [["1700000000", "latest"], ["1600000000"]])
        self.assertEqual([image["created"] for image in told["images"]],
                         ["2023-11-14T22:13:20Z", "2020-09-13T12:26:40Z"])
        self.assertTrue(all(image["version"] for image in told["images"]))
        result = self.call("tag", "--tls-verify=false", f"{reference}@{digests[0]}", "latest")
        self.assertEqual(result.code, run.OK, result)
        self.assertEqual(sorted(self.history(reference)["images"][1]["tags"]), ["1600000000", "latest"])
        text = self.call("history", "--tls-verify=false", reference).stdout
        self.assertRegex(text, rf"(?m)^2020-09-13T12:26:40Z +\S+ +{digests[0]}  ")

    def history(self, reference):
        result = self.call("history", "--json", "--tls-verify=false", reference)
        self.assertEqual(result.code, run.OK, result)
        return self.hold(result, "history")

    def test_images_of_other_makers_have_their_date_and_of_one_date_the_highest_version_is_first(self):
        target = self.make_registry()
        reference = f"{target.host}/ns/image"
        for number, name in ((2, "v9"), (3, "v10"), (4, "v8")):  # without annotations; all of one date
            self.pushed(self.make_layout(name, seed=number), f"{reference}:{name}")
        told = self.history(reference)["images"]
        self.assertEqual([image["tags"] for image in told], [["v10"], ["v9"], ["v8"]])
        self.assertEqual({image["created"] for image in told}, {"2023-11-14T22:13:20Z"})
        lines = self.call("history", "--tls-verify=false", reference).stdout.splitlines()
        self.assertEqual({line.index("sha256:") for line in lines[1:]}, {lines[0].index("DIGEST")})

    def paged(self, size):
        """A registry of five tags that lists `size` at a time, whatever it is asked for."""
        target, proxy = self.make_proxied()
        made = self.make_layout()
        self.pushed(made, f"{target.host}/ns/image", *(f"--tag=v{number}" for number in range(5)))

        def page(request, answer):
            tags = sorted(json.loads(answer.body)["tags"])
            rest = [tag for tag in tags if tag > request.query.get("last", [""])[0]]
            answer.body = json.dumps({"name": "ns/image", "tags": rest[:size]}).encode()
            if rest[size:] or size == 0:
                answer.headers["Link"] = '</v2/elsewhere/tags/list?last=v9>; rel="next"'
        proxy.fault("GET", "tags/list", times=None, change=page)
        return f"{proxy.host}/ns/image", proxy

    def test_tags_are_read_page_by_page_and_no_address_of_the_registry_s_is_followed(self):
        reference, proxy = self.paged(2)
        self.assertEqual(sorted(self.history(reference)["images"][0]["tags"]), [f"v{number}" for number in range(5)])
        self.assertEqual([request.query.get("last") for request in proxy.asked("GET", "tags/list")],
                         [None, ["v1"], ["v3"]])

    def test_a_list_that_never_ends_ends(self):
        reference, proxy = self.paged(0)
        self.assertEqual(self.history(reference)["images"], [])
        self.assertEqual(len(proxy.asked("GET", "tags/list")), 1)

    def test_what_is_not_there_is_refused_in_the_registry_s_words(self):
        target = self.make_registry()
        self.refused(run.PUBLISH, self.call("history", "--tls-verify=false", f"{target.host}/ns/nothing"), "tags/list")


if __name__ == "__main__":
    unittest.main()
