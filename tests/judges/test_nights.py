# SPDX-License-Identifier: Apache-2.0
"""What runs a site's nights and what it tells of them, as other programs read it: systemd's, the models of Kubernetes, the
parsers of Prometheus.

    PATH         with promtool
    PYTHONPATH   with python3-kubernetes, python3-yaml, python3-prometheus-client

A judge that is not there leaves its tests out, which they say.
"""

import os
import shutil
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from base import Case, Report, run  # noqa: E402  pylint: disable=wrong-import-position
from kit.kube_models import Models  # noqa: E402  pylint: disable=wrong-import-position

MODELS = {"CronJob": "V1CronJob", "PersistentVolumeClaim": "V1PersistentVolumeClaim"}


class Nights(Case):
    def setUp(self):
        super().setUp()
        self.ready()
        self.write("own.yaml", "name: own\nbinaries: [/usr/sbin/served]\n")

    def site(self, more="", name="imgfactory.yaml"):
        return self.write(name, f"arch: all\nsource: source.yaml\nimages: [served, ./own.yaml, gone]\n{more}")

    def units(self, config, form, *options):
        folder = self.path(f"units-{form}")
        done = subprocess.run([run.program(), "unit", "--config", config, "--format", form, "--units", folder, "--quiet",
                               *options], stdin=subprocess.DEVNULL, check=False)
        self.assertEqual(done.returncode, 0)
        return folder

    def judge(self, *command):
        if not shutil.which(command[0]):
            self.skipTest(f"left out: {command[0]} is not here")
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        return done.returncode, done.stdout.decode()

    def test_systemd_verifies_service_and_timer_without_a_word(self):
        for name, more in (("imgfactory.yaml", ""), ("a b%c.yaml", "authfile: auth.json\noutput: /srv/images\n")):
            folder = self.units(self.site(more, name), "timer", "--timeout", "2h")
            files = [os.path.join(folder, name) for name in sorted(os.listdir(folder)) if not name.endswith(".conf")]
            self.assertEqual(self.judge("systemd-analyze", "verify", "--man=no", *files), (0, ""))

    def test_systemd_finds_the_service_little_exposed(self):
        folder = self.units(self.site("authfile: auth.json\noutput: /srv/images\n"), "timer")
        code, told = self.judge("systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=20",
                                os.path.join(folder, "imgfactory.service"))
        self.assertEqual(code, 0, told)

    def test_systemd_makes_the_account_and_the_folder(self):
        folder, root = self.units(self.site("output: /srv/images\n"), "timer"), self.path("root")
        os.makedirs(os.path.join(root, "etc"))
        self.assertEqual(self.judge("systemd-sysusers", f"--root={root}", os.path.join(folder, "imgfactory.conf"))[0], 0)
        with open(os.path.join(root, "etc/passwd"), encoding="ascii") as stream:
            self.assertIn("imgfactory:x:", stream.read())
        self.assertEqual(self.judge("systemd-tmpfiles", "--create", f"--root={root}",
                                    os.path.join(folder, "imgfactory-output.conf"))[0], 0)
        self.assertTrue(os.path.isdir(os.path.join(root, "srv/images")))

    def test_the_models_of_kubernetes_have_a_place_for_every_word(self):
        try:
            models = Models(MODELS)
        except ImportError as error:
            self.skipTest(f"left out: {error}")
        folder = self.units(self.site("authfile: auth.json\n"), "cronjob", "--image", "quay.io/me/imgfactory")
        pairs = list(models.pairs(os.path.join(folder, "imgfactory.yaml")))
        self.assertEqual([document["kind"] for document, _ in pairs], ["PersistentVolumeClaim", "CronJob"])
        for document, modelled in pairs:
            self.assertEqual(modelled, document)

    def test_the_jobs_of_several_machines_are_objects_of_kubernetes(self):
        """All but the members that came with Kubernetes 1.26 to 1.29, which Debian 12's client does not know."""
        newer = {"podFailurePolicy", "backoffLimitPerIndex", "maxFailedIndexes"}
        try:
            models = Models(MODELS)
        except ImportError as error:
            self.skipTest(f"left out: {error}")
        folder = self.units(self.site("authfile: auth.json\nsign: own.key\n"), "kube-job", "--image", "quay.io/me/imgfactory", "--shard", "8%4")
        with open(os.path.join(folder, "imgfactory.yaml"), encoding="utf-8") as stream:
            head = stream.read()
        for name in ("auth.json", "own.key"):
            self.assertIn(f"(first move {self.path(name)} elsewhere", head)
        jobs = {}
        for document, modelled in models.pairs(os.path.join(folder, "imgfactory.yaml")):
            for seen in (document, modelled):
                job = seen["spec"].get("jobTemplate", {}).get("spec", {})
                jobs[document["metadata"]["name"]] = {**jobs.get(document["metadata"]["name"], {}), **job}
                for name in newer & set(job):
                    jobs[document["metadata"]["name"]][name] = job.pop(name)
            self.assertEqual(modelled, document)
        shards = jobs["imgfactory-shards"]
        self.assertEqual((shards["completionMode"], shards["completions"], shards["parallelism"]), ("Indexed", 8, 4))
        for name, action in (("shards", "FailIndex"), ("assemble", "FailJob"), ("lock", "FailJob")):
            rules = jobs[f"imgfactory-{name}"]["podFailurePolicy"]["rules"]
            self.assertEqual({rule["action"]: rule.get("onExitCodes", {}).get("values") for rule in rules},
                             {"Ignore": None, action: [2, 3, 4, 5, 70]})
            mounted = {volume["name"] for volume in jobs[f"imgfactory-{name}"]["template"]["spec"]["volumes"]}
            self.assertEqual("key" in mounted, name == "assemble")

    def metrics(self):
        self.site()
        self.factory.options = ["--manifests", self.path("manifests"), "--retries", "1"]
        result = self.run_factory("--json", "--metrics", "night.prom", cwd=self.top)
        self.assertEqual(result.code, run.PARTLY, result)
        self.report = Report(result.stdout)
        with open(self.path("night.prom"), encoding="utf-8") as stream:
            return stream.read()

    def test_prometheus_own_client_reads_the_metrics(self):
        try:
            from prometheus_client.parser import text_string_to_metric_families as parse  # pylint: disable=C0415
        except ImportError as error:
            self.skipTest(f"left out: {error}")
        families = {family.name: family for family in parse(self.metrics())}
        self.assertEqual({family.type for family in families.values()}, {"gauge"})
        self.assertEqual({sample.labels["image"]: sample.value
                          for sample in families["imgfactory_image_success"].samples},
                         {"served": 1, "own": 1, "gone": 0})
        for sample in families["imgfactory_image_layer_bytes"].samples:
            order = self.report.order(sample.labels["image"], sample.labels["arch"])
            self.assertEqual(sample.value, order["compressed_bytes"])

    def test_promtool_finds_nothing_to_mend(self):
        text = self.metrics()
        if not shutil.which("promtool"):
            self.skipTest("left out: promtool is not here")
        done = subprocess.run(["promtool", "check", "metrics"], input=text.encode(), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
        self.assertEqual((done.returncode, done.stdout.decode()), (0, ""))


if __name__ == "__main__":
    unittest.main()
