# SPDX-License-Identifier: Apache-2.0
"""The host's configuration of dnf (as --config-root reads it): what its files say is taken as dnf takes it. Expected
values were compared with dnf 4.14, 4.23 (with its versionlock plugin) and dnf5 5.4 on random configurations."""

import base64
import glob
import os
import unittest

import base  # noqa: F401  (finds the kit)

from kit import report, rpm, rpmmd, run
from kit.loopback import Handler, Loopback
from kit.registry import Authority
from kit.rpm_case import RpmCase
from kit.rpmmd import Stanza

SECRET = "hunter2-of-the-mirror"


class HostCase(RpmCase):
    def setUp(self):
        super().setUp()
        self.factory.options = ["--config-root", self.path("host"), "--manifests", self.path("manifests"), "--retries", "1"]

    def host(self, name, text):
        return self.write(f"host/etc/{name}", text)

    def repo(self, name, stanzas, more="", url=None):
        """A repository of the host; more: further lines of its section."""
        path = self.path(f"repos/{name}")
        rpmmd.write(path, stanzas)
        self.host(f"yum.repos.d/{name}.repo", f"[{name}]\nname={name}\nbaseurl={url or 'file://' + path}/\ngpgcheck=0\n{more}\n")

    def chosen(self, *words):
        """What is selected for the words: sorted NAME-VERSION, or None."""
        self.write_manifest("pick", f"packages:\n  install: [{', '.join(words)}]\n")
        self.last = self.run_factory("--dry-run", "--json", "--arch", "x86_64", "pick")
        self.assertIn(self.last.code, (run.OK, run.RESOLVE), self.last)
        order = report.Report(self.last.stdout).order("pick", "x86_64")
        return None if order.get("error") else sorted(f"{each['name']}-{each['version']}" for each in order["selection"])


class Choices(HostCase):
    VERSIONS = [Stanza("tool", version) for version in ("1-1", "2-1", "2-2", "1:1-1")] + [Stanza("tool-2", "7-1"), Stanza("heir", obsoletes="tool < 5:0")]

    def test_locks_of_dnf_4(self):
        """A pattern locks a name to what it matches in its first form that matches anything; '!' excludes; what obsoletes
        a locked package is left out."""
        self.repo("first", self.VERSIONS)
        self.host("dnf/plugins/versionlock.conf", "[main]\nenabled = 1\nlocklist = /etc/dnf/plugins/versionlock.list\n")
        for lines, wanted in {"": "heir-1-1", "# tool-2-1.*\n": "heir-1-1", "tool-2-1.*": "tool-2-1", "tool-0:2-2.*": "tool-2-2",
                              "tool-1:1": "tool-1:1-1", "!heir": "tool-1:1-1", "!heir\n!tool-1:*": "tool-2-2", "tool-9-1.*": None,
                              "tool-2-1.*\ntool-0:1-1.*": "tool-2-1", "t*l-2-1": "tool-2-1"}.items():
            with self.subTest(lines=lines):
                self.host("dnf/plugins/versionlock.list", lines + "\n")
                self.assertEqual(self.chosen("tool"), wanted and [wanted])
        self.host("dnf/plugins/versionlock.list", "!heir\ntool-9-1.*\n")
        self.assertIsNone(self.chosen("tool"))
        self.host("dnf/plugins/versionlock.list", "tool-2-1.*\n")
        self.host("dnf/plugins/versionlock.conf", "[main]\nenabled = 0\nlocklist = /etc/dnf/plugins/versionlock.list\n")
        self.assertEqual(self.chosen("tool"), ["heir-1-1"])
        self.host("dnf/plugins/versionlock.conf", "[main]\nenabled = 1\nlocklist = /etc/locks\n")
        self.host("locks", "tool-2-2.*\n")
        self.assertEqual(self.chosen("tool"), ["tool-2-2"])
        self.host("dnf/dnf.conf", "[main]\nplugins=0\n")
        self.assertEqual(self.chosen("tool"), ["heir-1-1"])

    def test_locks_of_dnf5(self):
        """All conditions of an entry have to be met, of several entries of a name any will do."""
        self.repo("first", self.VERSIONS)

        def lock(*entries, version="1.0"):
            lines = [f'version = "{version}"']
            for name, *conditions in entries:
                lines += ["[[packages]]", f'name = "{name}"', 'comment = "of a test"']
                for key, comparator, value in conditions:
                    lines += ["[[packages.conditions]]", f'key = "{key}"', f'comparator = "{comparator}"', f'value = "{value}"']
            self.host("dnf/versionlock.toml", "\n".join(lines) + "\n")
            return self.chosen("tool")

        self.assertEqual(lock(("tool", ("evr", "=", "2-1"))), ["tool-2-1"])
        self.assertEqual(lock(("tool", ("evr", "<", "2-1"))), ["tool-1-1"])
        self.assertEqual(lock(("tool", ("epoch", "=", "0"))), ["tool-2-2"])
        self.assertEqual(lock(("t??l", ("epoch", "<", "1"), ("evr", "!=", "2-2"))), ["tool-2-1"])
        self.assertEqual(lock(("tool", ("evr", "=", "2-1")), ("tool", ("evr", "==", "1-1"))), ["tool-2-1"])
        self.assertEqual(lock(("tool",)), ["heir-1-1"])
        self.assertEqual(lock(("tool", ("arch", "=", "noarch"))), ["tool-1:1-1"])
        self.assertEqual(lock(("tool", ("evr", "=", "2-1")), version="2.0"), ["heir-1-1"])

    def test_a_list_of_locks_that_cannot_be_read_is_refused_with_its_place(self):
        self.repo("first", self.VERSIONS)
        for condition, words in {'key = "release"': "versionlock.toml:4: the key of a condition is epoch, evr or arch",
                                 'key = "arch"\ncomparator = "<"\nvalue = "x"': "versionlock.toml:4: not a comparator",
                                 'key = "epoch"\ncomparator = "<"\nvalue = "x"': "versionlock.toml:4: not a value",
                                 "key": "versionlock.toml:5: "}.items():
            self.host("dnf/versionlock.toml", f'version = "1.0"\n[[packages]]\nname = "tool"\n[[packages.conditions]]\n{condition}\n')
            self.write_manifest("pick", "packages:\n  install: [tool]\n")
            result = self.run_factory("--dry-run", "--arch", "x86_64", "pick")
            self.assertEqual(result.code, run.USAGE, result)
            self.assertIn(words, result.stderr)

    def test_excludes_of_main_hold_everywhere(self):
        """A repository's empty list takes back its own alone; disable_excludes takes them back."""
        self.repo("a", [Stanza("x", "1-1"), Stanza("y", "1-1")])
        self.repo("b", [Stanza("x", "2-1"), Stanza("y", "2-1")], "excludepkgs=y\nexcludepkgs=\n")
        self.host("dnf/dnf.conf", "[main]\nexcludepkgs=x-2*\n")
        self.assertEqual(self.chosen("x", "y"), ["x-1-1", "y-2-1"])
        self.host("dnf/dnf.conf", "[main]\nexcludepkgs=x-2*\ndisable_excludes=main\n")
        self.assertEqual(self.chosen("x"), ["x-2-1"])
        self.host("dnf/dnf.conf", "[main]\nincludepkgs=x\n")
        self.assertEqual(self.chosen("x"), ["x-2-1"])
        self.assertIsNone(self.chosen("y"))
        self.repo("b", [Stanza("x", "2-1"), Stanza("y", "2-1")], "includepkgs=y")
        self.assertEqual(self.chosen("x", "y"), ["x-2-1", "y-2-1"])
        self.host("dnf/dnf.conf", "[main]\nincludepkgs=x\nexcludepkgs=y\ndisable_excludes=b\n")
        self.assertIsNone(self.chosen("y"))

    def test_best_and_cost(self):
        self.repo("a", [Stanza("x", "1-1"), Stanza("x", "2-1", requires="nothing")])
        self.assertIsNone(self.chosen("x"))
        self.host("dnf/dnf.conf", "[main]\nbest=False\n")
        self.assertEqual(self.chosen("x"), ["x-1-1"])
        self.host("dnf/dnf.conf", "[main]\nbest=1\n")
        self.assertIsNone(self.chosen("x"))

    def test_variables_in_truths_and_numbers(self):
        """Also with a word for what is not set; [main] is read before them."""
        self.host("dnf/vars/on", "1\n")
        self.host("dnf/vars/empty", "\n")
        stanzas = [Stanza("x", "1-1")]
        for text, is_on in {"$on": True, "${on}": True, "${none:-0}": False, "${empty:-1}": True, "${on:+no}": False, "${none:-$on}": True}.items():
            with self.subTest(text=text):
                self.repo("b", [Stanza("x", "2-1")], f"enabled={text}\ncost=${{none:-10}}")
                self.repo("a", stanzas)
                self.assertEqual(self.chosen("x"), ["x-2-1" if is_on else "x-1-1"])
        self.host("dnf/dnf.conf", "[main]\nbest=$on\n")
        self.write_manifest("pick", "packages:\n  install: [x]\n")
        result = self.run_factory("--dry-run", "--arch", "x86_64", "pick")
        self.assertEqual(result.code, run.USAGE, result)
        self.assertIn("dnf.conf:2: best", result.stderr)

    def test_a_choice_that_changes_changes_the_image(self):
        """What was finished under another choice is not taken for this one."""
        self.repo("a", [Stanza("x", "1-1"), Stanza("x", "2-1")])
        self.assertEqual(self.chosen("x"), ["x-2-1"])
        self.host("dnf/versionlock.toml", 'version = "1.0"\n[[packages]]\nname = "x"\n[[packages.conditions]]\nkey = "evr"\ncomparator = "<"\nvalue = "2"\n')
        self.assertEqual(self.chosen("x"), ["x-1-1"])
        os.unlink(self.path("host/etc/dnf/versionlock.toml"))
        self.assertEqual(self.chosen("x"), ["x-2-1"])


class Mirror(Handler):
    """Serves a folder to who knows the password. As a proxy it takes whole URLs and wants its own one."""

    def serve(self):
        owner = self.server.owner
        owner.asked.append((self.path, self.headers.get("Authorization"), self.headers.get("Proxy-Authorization")))
        name = "Proxy-Authorization" if owner.is_proxy else "Authorization"
        if owner.wanted and self.headers.get(name) != "Basic " + base64.b64encode(owner.wanted.encode()).decode():
            self.answer(407 if owner.is_proxy else 401, b"no\n", **{("Proxy" if owner.is_proxy else "WWW") + "_Authenticate": 'Basic realm="kit"'})
            return
        try:
            with open(owner.folder + (self.path.split("mirror.test", 1)[1] if owner.is_proxy else self.path), "rb") as stream:
                self.answer(200, stream.read())
        except (OSError, IndexError):
            self.answer(404)


class Access(HostCase):
    def setUp(self):
        super().setUp()
        package = rpm.Package("tool", [rpm.File("/usr/share/tool/data", b"1")])
        rpm.Repository(self.path("served"), [package]).publish(None)
        self.write_manifest("tool", "packages:\n  install: [tool]\n")

    def serve(self, wanted=None, is_proxy=False, **settings):
        server = Loopback(Mirror, **settings)
        server.folder, server.wanted, server.is_proxy, server.asked = self.path("served"), wanted, is_proxy, []
        server.start()
        self.addCleanup(server.stop)
        return server

    def attempt(self, more, url, main="", env=None):
        self.host("dnf/dnf.conf", f"[main]\ngpgcheck=0\n{main}\n")
        self.host("yum.repos.d/kit.repo", f"[kit]\nname=kit\nbaseurl={url}/\n{more}\n")
        for each in glob.glob(self.path("*")):
            if os.path.basename(each) in ("cache", "state"):
                os.rename(each, each + f"-{len(os.listdir(self.top))}")
        return self.run_factory("--arch", "x86_64", "--json", "tool", env=env)

    def assert_no_secret(self, result):
        """Neither what was printed nor any file of ours but the host's own has it."""
        self.assertNotIn(SECRET, result.stdout + result.stderr)
        for name in self.files_below(self.top):
            if not name.startswith("host/"):
                with open(os.path.join(self.top, name), "rb") as stream:
                    self.assertNotIn(SECRET.encode(), stream.read(), name)

    def test_user_and_password(self):
        server = self.serve(wanted=f"me:{SECRET}")
        result = self.attempt("", server.url)
        self.assertEqual(result.code, run.NETWORK, result)
        result = self.attempt(f"username=me\npassword={SECRET}", server.url)
        self.assertEqual(result.code, run.OK, result)
        self.assertTrue(any(path.endswith(".rpm") for path, *_ in server.asked))
        self.assert_no_secret(result)
        self.assertEqual(self.attempt("", server.url, f"username=me\npassword={SECRET}").code, run.OK)
        result = self.attempt(f"username=other\npassword={SECRET}", server.url)
        self.assertEqual(result.code, run.NETWORK, result)
        self.assert_no_secret(result)

    def test_a_line_that_cannot_be_read_does_not_show_a_password(self):
        server = self.serve()
        for line in (f"password {SECRET}", f"password: {SECRET}", f"=\n  {SECRET}"):
            with self.subTest(line=line):
                result = self.attempt(line, server.url)
                self.assertEqual(result.code, run.USAGE, result)
                self.assertIn("kit.repo:4", result.stderr)
                self.assert_no_secret(result)

    def test_certificates(self):
        authority = Authority(self.path("host/pki"))
        server = self.serve(tls=authority.issue("server"), client_ca=authority.crt)
        authority.issue("client")
        mine = "sslclientcert=/pki/client.crt\nsslclientkey=/pki/client.key\n"
        self.assertEqual(self.attempt(mine, server.url).code, run.TRUST)
        result = self.attempt(mine + "sslcacert=/pki/ca.crt", server.url)
        self.assertEqual(result.code, run.OK, result)
        self.assertEqual(self.attempt(mine + "sslverify=0", server.url).code, run.OK)
        self.assertEqual(self.attempt("", server.url, mine + "sslcacert=/pki/ca.crt").code, run.OK)
        self.assertEqual(self.attempt("sslcacert=/pki/ca.crt", server.url).code, run.NETWORK)

    def test_proxies(self):
        """Of a repository or of all; "_none_" undoes that of [main]; no_proxy holds, and the environment's comes last."""
        proxy = self.serve(wanted=f"me:{SECRET}", is_proxy=True)
        direct = self.serve()
        as_me = f"proxy={proxy.url}\nproxy_username=me\nproxy_password={SECRET}"
        result = self.attempt(as_me, "http://mirror.test")
        self.assertEqual(result.code, run.OK, result)
        self.assertTrue(any(path.endswith(".rpm") for path, *_ in proxy.asked))
        self.assert_no_secret(result)
        self.assertEqual(self.attempt("", "http://mirror.test", as_me).code, run.OK)
        result = self.attempt(as_me.replace("=me", "=you"), "http://mirror.test")
        self.assertEqual(result.code, run.NETWORK, result)
        self.assert_no_secret(result)
        for none in ("_none_", "_None_", ""):
            self.assertEqual(self.attempt(f"proxy={none}", direct.url, as_me).code, run.OK)
        self.assertEqual(self.attempt("", direct.url, as_me, env={"no_proxy": "127.0.0.1"}).code, run.OK)
        asked = len(proxy.asked)
        self.assertEqual(self.attempt("", direct.url, as_me, env={"no_proxy": ""}).code, run.NETWORK)
        self.assertGreater(len(proxy.asked), asked)
        result = self.attempt(f"proxy=me:{SECRET}@host", direct.url)
        self.assertEqual(result.code, run.USAGE, result)
        self.assert_no_secret(result)


if __name__ == "__main__":
    unittest.main()
