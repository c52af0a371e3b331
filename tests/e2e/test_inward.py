# SPDX-License-Identifier: Apache-2.0
"""A server from outside does not lead us inside, and what it is asked for stays out of messages."""

import os
import subprocess
import unittest

from base import Case, run, server

PUBLIC = "203.0.113.7"  # RFC 5737


class Inward(Case):
    """Mirrors of a public name are reached through a proxy on loopback, those of a public address on that address."""

    def setUp(self):
        super().setUp()
        self.make_repository()
        self.write_manifest()

    def through_proxy(self):
        self.use(self.write_source(uris=["http://mirror.example/"]))
        return {"http_proxy": self.server.url, "no_proxy": None}

    def test_redirects_to_addresses_inside_are_not_followed(self):
        env = self.through_proxy()
        for target in ("http://169.254.169.254/latest/meta-data", "http://127.0.0.1/x", "http://10.0.0.1/x",
                       "http://192.168.1.1:8080/x", "http://[::1]/x", "http://[fe80::1]/x", "http://[fd00::1]/x",
                       "http://2130706433/x", "http://0x7f.1/x", "http://[::ffff:10.0.0.1]/x", "http://localhost/x",
                       "http://[64:ff9b::a9fe:a9fe]/x", "http://100.64.0.1/x", "//127.0.0.1/x"):
            with self.subTest(target):
                self.server.heal()
                self.server.requests.clear()
                self.server.fault("*", redirect=target)
                result = self.run_factory("--arch", "x86_64", "served", env=env)
                self.assertEqual(result.code, run.NETWORK, result)
                self.assertIn("inside this network", result.stderr)
                self.assertIn("redirected to http://", result.stderr)
                self.assertTrue(all("mirror.example" in path for path in self.server.requests), self.server.requests)

    def test_a_redirect_to_another_public_host_is_followed_and_named_when_it_has_nothing(self):
        env = self.through_proxy()
        self.server.fault("http://mirror.example/*", redirect="http://cdn.example/gone?token=hidden")
        result = self.run_factory("--arch", "x86_64", "served", env=env)
        self.assertEqual(result.code, run.NETWORK, result)
        self.assertIn("redirected to http://cdn.example/gone", result.stderr)
        self.assertNotIn("hidden", result.stderr)
        self.assertGreater(self.server.asked("http://cdn.example/gone*"), 0)

    def test_the_target_is_named_when_only_the_first_file_was_redirected(self):
        self.use(self.write_source())
        self.server.fault("*/InRelease", redirect=self.server.url + "/not-there")
        self.server.fault("*/Release", status=404)
        self.refuse(run.NETWORK, f"redirected to {self.server.url}/not-there")

    def test_redirects_inside_are_followed_from_inside(self):
        other = server.Server(self.repository.root).start()
        self.addCleanup(other.stop)
        self.use(self.write_source())
        self.server.fault("*/InRelease", redirect=f"{other.url}/dists/stable/InRelease")
        self.build()

    def test_from_a_public_address_without_a_proxy(self):
        if os.geteuid() != 0:
            self.skipTest("a public address of one's own needs root and a network namespace")
        script = self.write("inside.sh", f"""#!/bin/sh
set -e
ip link set lo up
ip addr add {PUBLIC}/32 dev lo
cd '{self.repository.root}'
python3 - <<'END' &
import http.server
class Handler(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        open('{self.path("asked")}', 'a').write(self.headers['Host'] + self.path + chr(10))
        self.send_response(302)
        self.send_header('Location', 'http://127.0.0.1:8000/secret')
        self.end_headers()
http.server.ThreadingHTTPServer(('', 8000), Handler).serve_forever()
END
server=$!
sleep 1
"$@" || code=$?
kill $server
exit ${{code:-0}}
""")
        os.chmod(script, 0o755)
        self.use(self.write_source(uris=[f"http://{PUBLIC}:8000/"]))
        command = ["unshare", "--net", script, *self.factory.command("--arch", "x86_64", "served")]
        done = subprocess.run(command, env=self.factory.environment({"no_proxy": None}), capture_output=True, text=True,
                              check=False)
        self.assertEqual(done.returncode, run.NETWORK, done)
        self.assertIn("inside this network", done.stderr)
        with open(self.path("asked"), encoding="ascii") as stream:
            self.assertNotIn("secret", stream.read())


class Queries(Case):
    def test_no_message_and_no_report_shows_a_query(self):
        self.ready()
        for uri in ("http://127.0.0.1:1/x?token=hidden", "http://user:hidden@127.0.0.1:1/x?token=hidden#hidden",
                    "http://127.0.0.1:1?token=hidden@x/", "ftp://127.0.0.1/?hidden", "http://u:p?hidden@127.0.0.1:1/"):
            with self.subTest(uri):
                self.use(self.write_source(uris=[f'"{uri}"']))
                result = self.run_factory("--arch", "x86_64", "--verbose", "--json", "served")
                self.assertNotEqual(result.code, run.OK)
                self.assertNotIn("hidden", result.stdout + result.stderr)

    def test_the_report_shows_no_user_information(self):
        self.ready()
        self.use(self.write_source(uris=[self.server.url.replace("http://", "http://user:hidden@")]))
        self.build("--arch", "x86_64", "--verbose", "--json", "served")
        self.assertNotIn("hidden", self.last.stdout + self.last.stderr)
        self.assertIn(self.server.url, self.last.stdout)

    def test_of_an_rpm_repository(self):
        self.ready()
        for where in ("baseurl: http://127.0.0.1:1/x?token=hidden", "metalink: http://127.0.0.1:1/m?token=hidden",
                      "mirrorlist: http://127.0.0.1:1/m?token=hidden", "baseurl: gopher://127.0.0.1:1/m?token=hidden",
                      f"baseurl: {self.server.url}/x?token=hidden"):
            with self.subTest(where):
                self.use(self.write("source.yaml", f"kind: rpm\n{where}\ntrusted: true\n"))
                result = self.run_factory("--arch", "x86_64", "--verbose", "--json", "served")
                self.assertNotEqual(result.code, run.OK)
                self.assertNotIn("hidden", result.stdout + result.stderr)
        for key in (f"{self.server.url}/KEY?token=hidden", "http://keys.example.org/KEY?token=hidden"):
            with self.subTest(key):
                self.use(self.write("source.yaml", f"kind: rpm\nbaseurl: {self.server.url}\ngpgkey: {key}\n"))
                result = self.run_factory("--arch", "x86_64", "--verbose", "--json", "served")
                self.assertNotEqual(result.code, run.OK)
                self.assertNotIn("hidden", result.stdout + result.stderr)


class Folders(Case):
    """Folders that somebody else may have filled."""

    def test_tree_refuses_a_directory_that_no_earlier_tree_wrote(self):
        self.ready()
        precious = self.write("tree/served/x86_64/precious/x", "mine")
        result = self.run_factory("--arch", "x86_64", "--tree", self.path("tree"), "served")
        self.assertEqual(result.code, run.LOCAL, result)
        self.assertIn(self.path("tree/served/x86_64"), result.stderr)
        with open(precious, encoding="ascii") as stream:
            self.assertEqual(stream.read(), "mine")
        for _ in range(2):
            self.build("--arch", "x86_64", "--rebuild", "--tree", self.path("other"), "served")
        self.write("other/served/x86_64/etc/served/note", "mine")
        result = self.run_factory("--arch", "x86_64", "--rebuild", "--tree", self.path("other"), "served")
        self.assertEqual(result.code, run.LOCAL, result)
        self.assertIn("/etc/served/note is not of an earlier --tree", result.stderr)

    def test_links_in_a_layout_are_not_followed(self):
        self.ready()
        layout = self.build("--arch", "x86_64", "served").path
        secret = self.write("secret", "precious words\n")
        for name in ("index.json", "oci-layout"):
            with self.subTest(name):
                os.rename(f"{layout}/{name}", f"{layout}/{name}.old")
                os.symlink(secret, f"{layout}/{name}")
                for command in ("inspect", "check"):
                    result = self.factory.run_plain(command, layout)
                    self.assertEqual(result.code, run.MALFORMED, result)
                    self.assertIn(f"{name} is a symbolic link", result.stderr)
                    self.assertNotIn("precious", result.stdout + result.stderr)
                result = self.run_factory("--arch", "x86_64", "served")
                self.assertNotIn("precious", result.stdout + result.stderr)
                os.rename(f"{layout}/{name}.old", f"{layout}/{name}")
        os.rename(f"{layout}/blobs", self.path("blobs"))
        os.symlink(self.path("blobs"), f"{layout}/blobs")
        self.assertEqual(self.factory.run_plain("inspect", layout).code, run.LOCAL)


if __name__ == "__main__":
    unittest.main()
