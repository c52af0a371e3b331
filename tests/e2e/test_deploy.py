"""How an image is run: the contract of a manifest, the line that is printed after a build, units that are made from it."""

import json
import os
import unittest

from base import Case, world
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

    def test_a_contract_that_changed_is_told_though_no_byte_did(self):
        self.build()
        self.write_manifest(text=world.MANIFEST + CONTRACT.replace("NET_RAW", "NET_ADMIN"))
        self.build()
        self.assertIn("--cap-add=NET_ADMIN", self.last.stdout)


if __name__ == "__main__":
    unittest.main()
