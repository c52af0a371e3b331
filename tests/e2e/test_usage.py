# SPDX-License-Identifier: Apache-2.0
"""What the operator gets wrong: exit class 2, a message with the place, and nothing done."""

import http.server
import json
import os
import pty
import re
import shutil
import subprocess
import threading
import unittest

from base import Case, run, world
from kit import terminal


class Usage(Case):
    def setUp(self):
        super().setUp()
        self.ready()

    def refuse_manifest(self, text, *parts):
        self.write_manifest(text=text)
        return self.refuse(run.USAGE, *parts)

    def test_unknown_image_lists_the_known_and_the_nearest(self):
        self.refuse(run.USAGE, "serve", "served", arguments=("serve",))

    def test_misspelt_command_suggests_the_command(self):
        self.refuse(run.USAGE, "unknown image 'inspekt'", "did you mean the command 'inspect'?", arguments=("inspekt", "x"))
        self.refuse(run.USAGE, "did you mean the command 'clean'?", arguments=("--json", "claen"))
        self.refuse(run.USAGE, "unknown image 'insepct'", "did you mean the command 'inspect'?", arguments=("build", "insepct", "x"))
        self.refuse(run.USAGE, "unknown image 'list'; did you mean imgfactory --list?", arguments=("list",))
        self.refuse(run.USAGE, "'inspct' is no command; did you mean the command 'inspect'?", arguments=("inspct", "--help"))

    def test_a_command_of_another_program_is_answered_with_what_does_it_here(self):
        for words, said in ((("search", "served"), "unknown image 'search'; did you mean the command 'find'?"),
                            (("run", "served"), "'podman run' line that a build prints"),
                            (("install", "served"), "the command 'build', or 'system install'"),
                            (("build", "upgrade", "served"), "'lock --update'"), (("lock", "update"), "did you mean imgfactory lock --update?"),
                            (("lock", "vendor", "served"), "did you mean imgfactory lock --vendor?"),
                            (("ls", "served"), "the option --list"), (("--platform", "x", "served"), "unknown option --platform; did you mean --arch?"),
                            (("--frozen", "served"), "did you mean --locked?")):
            with self.subTest(words):
                self.refuse(run.USAGE, said, arguments=words)
        self.write_manifest(name="search")  # an image that is called so is one
        self.assertEqual(self.run_factory("search", "--dry-run").code, run.OK)

    def test_what_is_no_lock_is_told_beside_one(self):
        self.write("a.lock", "x")
        self.write("b.txt", "x")
        for other, said in (("c.lock", "error: there is no file c.lock\n"), ("b.txt", "another one only, not with b.txt\n"),
                            ("quay.io/x/y", "not with quay.io/x/y\n")):
            result = self.factory.run_plain("diff", "a.lock", other, cwd=self.top)
            self.assertEqual(result.code, run.USAGE, result)
            self.assertIn(said, result.stderr)

    def test_command_word_behind_options(self):
        self.factory.options, self.factory.output = [], None
        result = self.run_factory("--quiet", "clean", "--json")
        self.assertEqual(result.code, run.OK, result)
        self.assertIn('"freed_files": 0', result.stdout)

    def test_the_usage_line_of_a_command_without_words_has_no_room_for_any(self):
        self.factory.options, self.factory.output = [], None
        result = self.run_factory("clean", "x")
        self.assertEqual(result.code, run.USAGE, result)
        self.assertIn("usage: imgfactory clean [OPTIONS]\n", result.stderr)

    def test_a_name_that_no_layout_has_is_answered_with_the_nearest(self):
        self.build()
        folder = os.path.relpath(self.factory.output, self.top)
        for words, said in ((("unit", "servd"), "nor out/servd; did you mean served?"),
                            (("inspect", "servd:latest"), "nor out/servd:latest; did you mean served?"),
                            (("push", "servd", "q.io/x"), "did you mean served?"),
                            (("check", "servd"), "did you mean served?"),
                            (("inspect", "chrony"), "build it first: imgfactory chrony"),
                            (("inspect", f"{folder}/none"), "begins with its host, as in docker.io/out/none"),
                            (("unit", f"{folder}/none"), "there is no OCI layout out/none"),
                            (("check", "./none"), "no root directory or OCI layout ./none; is it misspelt, or not built yet?"),
                            (("push", "ps.tar", "q.io/x"), "error: there is no file ps.tar\n"),
                            (("tag", "q.io/x", "latest"), "one that `imgfactory history REF` lists")):
            with self.subTest(words):
                result = self.factory.run_plain(*words, cwd=self.top)
                self.assertEqual(result.code, run.USAGE, result)
                self.assertIn(said, result.stderr)

    def test_a_path_that_is_no_manifest_and_places_that_are_files(self):
        self.write("file", "x")
        os.makedirs(self.path("folder"))
        for words, said in ((("quay.io/me/served",), "quay.io/me/served: no such file; what is built is a manifest's name"),
                            ((self.path("folder"),), "folder: is a folder; what is built is"),
                            (("--output", self.path("file"), "served"), "--output: "),
                            (("--tree", self.path("file"), "served"), "file is not a directory"),
                            (("SERVED",), "did you mean 'served'?")):
            with self.subTest(words):
                self.refuse(run.USAGE, said, arguments=words)
        result = self.factory.run_plain("inspect", self.path("folder"))
        self.assertIn("folder is a folder, and no OCI layout: it has no index.json\n", result.stderr)
        self.factory.output = self.path("out")
        self.build()
        result = self.factory.run_plain("push", self.path("out"), "q.io/x")
        self.assertIn("it has no index.json; it holds layouts: served\n", result.stderr)

    def test_bases_that_are_misspelt(self):
        self.write("manifests/bases/debian.yaml", "binaries: [/x]\n")
        self.refuse_manifest("base: manifest:debain\nbinaries: [/x]\n", "no manifest has that name; did you mean manifest:debian?")
        self.refuse_manifest("base: debian\nbinaries: [/x]\n", "for example docker.io/library/debian")

    def test_the_version_is_not_before_what_the_commands_say_of_themselves(self):
        version = self.factory.run_plain("--version").stdout.split()[1]
        since = re.search(r"since version (\S+)\.\n", self.factory.run_plain("unit", "--help").stdout).group(1)
        self.assertGreaterEqual(version.split("-")[0].split("."), since.split("."))

    def test_unknown_architecture_lists_the_known(self):
        self.refuse(run.USAGE, "vax", "x86_64", "aarch64", "s390x", arguments=("--arch", "vax", "served"))

    def test_architecture_that_the_manifest_does_not_allow(self):
        self.write_manifest(text=world.MANIFEST + "architectures: [x86_64]\n")
        self.refuse(run.USAGE, "aarch64", "served", arguments=("--arch", "aarch64", "served"))

    def test_this_machine_that_the_manifest_does_not_allow(self):
        self.write_manifest(text=world.MANIFEST + "architectures: [s390x]\n")
        self.refuse(run.USAGE, "served.yaml", "allows only", "s390x", "--arch", arguments=("served",))

    def test_unknown_hwcaps_name_lists_the_known_and_the_nearest(self):
        self.write_manifest(text=world.MANIFEST + "hwcaps: [power9, x86_64-v3]\n")
        self.refuse(run.USAGE, "served.yaml: hwcaps: unknown glibc-hwcaps directory 'x86_64-v3'; did you mean 'x86-64-v3'?",
                    "x86-64-v4", "power10", "z16")

    def test_unknown_option(self):
        self.refuse(run.USAGE, "--no-such", arguments=("--no-such", "served"))

    def test_no_image_at_all(self):
        self.refuse(run.USAGE, arguments=())

    def test_bad_values_of_options(self):
        for arguments in (("--jobs", "0"), ("--jobs", "-1"), ("--jobs", "many"), ("--retries", "x"),
                          ("--compression", "rar"), ("--jobs", "99999999999999999999")):
            with self.subTest(arguments):
                self.refuse(run.USAGE, arguments[1], arguments=(*arguments, "served"))

    def test_a_feature_beside_the_manifests_is_one_with_the_shipped_ones(self):
        self.write("manifests/features/mine.yaml", "description: x\nfiles: [/usr/share/mine/*]\n")
        self.refuse_manifest(world.MANIFEST + "features: [mien]\n", "served.yaml:", "kea-hooks", "mine", "sasl")

    def test_a_mistake_in_a_family_beside_the_manifests_has_its_place(self):
        self.write("manifests/families/debian.yaml", "kind: deb\nlayuot: x\n")
        self.refuse(run.USAGE, "families/debian.yaml:2:1", "'layuot'", "'layout'")

    def test_source_file_that_is_not_there(self):
        self.factory.options = ["--manifests", self.path("manifests"), "--source", self.path("none.yaml")]
        self.refuse(run.USAGE, "none.yaml")

    def test_source_file_with_an_unknown_key(self):
        self.use(self.write("bad.yaml", "kind: deb\nurls: [http://127.0.0.1/]\nsuites: [stable]\n"))
        self.refuse(run.USAGE, "bad.yaml:2:1", "urls", "uris")

    def test_broken_yaml(self):
        self.refuse_manifest("name: [served\nbinaries: x\n", "served.yaml:")

    def test_unknown_key_suggests_the_nearest(self):
        self.refuse_manifest("name: served\nbinarys: [/usr/sbin/served]\n", "served.yaml:2:1", "binarys", "binaries")

    def test_duplicate_key(self):
        self.refuse_manifest("name: served\nbinaries: [/usr/sbin/served]\nname: served\n", "served.yaml:3:1", "name")

    def test_wrong_type(self):
        self.refuse_manifest("name: served\nbinaries:\n  path: /usr/sbin/served\n", "served.yaml:3:3")

    def test_unquoted_mode(self):
        self.refuse_manifest(world.MANIFEST.replace('"0750"', "0750"), "served.yaml:", "mode")

    def test_path_that_is_not_absolute_or_climbs(self):
        for path in ("usr/sbin/served", "/usr/../../etc/served", "/"):
            with self.subTest(path):
                self.refuse_manifest(f"name: served\nbinaries: ['{path}']\n", "served.yaml:2")

    def test_owner_that_nobody_declared(self):
        self.refuse_manifest(world.MANIFEST.replace("owner: served", "owner: nobody-else"), "nobody-else")

    def test_anchors_and_aliases(self):
        self.refuse_manifest("name: &a served\nbinaries: [*a]\n", "served.yaml:")

    def test_very_deep_nesting(self):
        self.refuse_manifest("name: served\nbinaries: " + "[" * 100000 + "\n", "served.yaml:")

    def test_empty_manifest(self):
        self.refuse_manifest("", "served.yaml")

    def test_binary_bytes_in_a_manifest(self):
        self.write("manifests/served.yaml", b"name: \xff\xfe\x00\n")
        self.refuse(run.USAGE, "served.yaml")

    def test_key_file_that_is_not_there(self):
        self.use(self.write_source("nokey.yaml", keys=["/nonexistent/key.gpg"]))
        result = self.run_factory("--arch", "all", "served")
        self.assertIn(result.code, (run.USAGE, run.TRUST), result)
        self.assertIn("/nonexistent/key.gpg", result.stderr)
        self.assert_nothing_left(result)

    def test_output_that_cannot_be_written_is_told_unless_its_reader_left(self):
        command = self.factory.command("--help")
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False)
        self.assertEqual(done.returncode, run.LOCAL)
        self.assertIn("written to standard output: No space left on device\n", done.stderr.decode())
        reader, writer = os.pipe()
        os.close(reader)
        with open(writer, "wb") as pipe:
            done = subprocess.run(command, stdout=pipe, stderr=subprocess.PIPE, check=False)
        self.assertEqual((done.returncode, done.stderr), (run.LOCAL, b""))

    def test_a_terminal_that_cannot_move_its_cursor_is_not_told_to(self):
        for kind in ("", "dumb"):
            with self.subTest(kind):
                main, screen = pty.openpty()
                done = subprocess.run(self.factory.command("served"), stderr=screen, stdout=subprocess.PIPE, check=False,
                                      env=self.factory.environment({"TERM": kind}))
                os.close(screen)
                self.assertNotIn(b"\x1b", os.read(main, 65536))
                os.close(main)
                self.assertEqual(done.returncode, run.OK)

    def on_terminal(self, *arguments, columns=80, **environment):
        """Runs the program with standard output and error on a terminal; returns what came there and the exit status."""
        return terminal.run_there(self.factory.command(*arguments), columns,
                                  self.factory.environment({"TERM": "xterm", **environment}))

    def test_errors_are_coloured_on_a_terminal_and_where_it_is_wanted(self):
        red = "imgfactory: \x1b[1;31merror:\x1b[0m unknown image"
        for arguments, environment, is_red in (((), {}, True), ((), {"NO_COLOR": "1"}, False), ((), {"NO_COLOR": ""}, True),
                                               ((), {"TERM": "dumb"}, False), (("--color=always",), {"NO_COLOR": "1"}, True),
                                               (("--color", "never"), {}, False), (("--color=auto",), {}, True)):
            with self.subTest(arguments=arguments, environment=environment):
                shown, code = self.on_terminal("serve", *arguments, **environment)
                self.assertEqual((red in shown, "\x1b[1;31m" in shown, code), (is_red, is_red, run.USAGE), shown)
        self.assertIn("\x1b[1;31merror", self.run_factory("serve", "--color=always").stderr)
        self.assertNotIn("\x1b", self.run_factory("serve").stderr)
        self.refuse(run.USAGE, "--color=red is none of auto, always and never", arguments=("served", "--color=red"))

    def test_forty_columns_are_enough_to_read_what_was_built(self):
        shown, code = self.on_terminal("--arch", "x86_64,aarch64", "served", columns=40)
        self.assertEqual(code, run.OK, shown)
        table = shown.split("served x86_64\r\n")[-1].split("\r\n\r\n")[0].split("\r\n")
        self.assertRegex(table[0], r"^  \d+ files of \d+ packages$")
        self.assertRegex(table[1], r"^  \d.*B, layer \d.*B, \d+\.\d\d s$")
        self.assertRegex(table[2], r"^  sha256:[0-9a-f]{12}$")
        self.assertEqual(table[3], "served aarch64")
        self.assertLessEqual(max(map(len, table)), 40)
        for line in re.findall(r"(?m)^(?:\x1b\[J)?(served (?:x86_64|aarch64): [a-z].*?)\r?$", shown):
            self.assertLess(len(line), 40)

    def test_a_fetch_that_takes_long_tells_its_bytes_and_when_it_will_be_done(self):
        self.server.fault("*.deb", rate=900)
        shown, code = self.on_terminal("served")
        self.assertEqual(code, run.OK, shown)
        self.assertRegex(shown, r"  served +x86_64 +fetch and unpack  \d+/\d+ kB, \d+ s left\r\n")
        self.assertNotRegex(shown, r"indices, \d")
        shutil.rmtree(self.path("cache"))
        shown, _ = self.on_terminal("served", columns=40)
        self.assertRegex(shown, r"\x1b\[Jserved x86_64: \d+/\d+ kB, \d+ s left\r\n")

    def test_the_verbs_of_a_command_stand_below_each_other(self):
        told = self.factory.run_plain("help", "system").stdout
        page = self.factory.run_plain("manual", "system").stdout
        for verb in ("lint IMAGE|DIR ", "install IMAGE --name NAME ", "update NAME [IMAGE] ", "rollback NAME ", "uninstall NAME ", "list "):
            self.assertIn(f"\n  {verb} ", told)
            self.assertIn(f"\n.TP\n\\fB{verb.split()[0]}\\fR", page)
        self.assertIn("did you mean install?", self.factory.run_plain("system", "instal").stderr)
        self.assertIn("wants one of lint, install, update, rollback, uninstall, list; imgfactory help system", self.factory.run_plain("system").stderr)

    def test_help_and_version_are_fine(self):
        for option in ("--help", "--version"):
            result = self.run_factory(option)
            self.assertEqual(result.code, run.OK, result)
            self.assertIn("imgfactory", result.stdout)

    def test_every_help_fits_and_tells_names_and_meanings_apart(self):
        for command in ("build", "push", "pull", "inspect", "check", "tag", "why", "clean", "login", "logout"):
            result = self.factory.run_plain(command, "--help")
            self.assertEqual(result.code, run.OK, result)
            for line in result.stdout.splitlines():
                self.assertLessEqual(len(line), 80, line)
                self.assertEqual(line, line.rstrip())
                if line.startswith(("      --", "  -")):
                    is_alone = re.fullmatch(r" +(-\w, )?--\S+( [A-Z]+)?", line)
                    self.assertTrue(is_alone or line[25] == " ", f"a name runs into its meaning: {line}")

    def test_help_of_a_command_is_that_of_its_option(self):
        for words, same in ((("help",), ("--help",)), (("help", "push"), ("push", "--help")), (("help", "build"), ("--help",))):
            with self.subTest(words):
                result = self.factory.run_plain(*words)
                self.assertEqual(result.code, run.OK, result)
                self.assertEqual(result.stdout, self.factory.run_plain(*same).stdout)
        self.assertIn("there is no command 'psuh'; did you mean push?", self.factory.run_plain("help", "psuh").stderr)
        self.assertLess(len(self.factory.run_plain("-h").stdout.splitlines()), 24)

    def test_a_program_without_its_data_says_so(self):
        os.makedirs(self.path("bin"))  # its ../share is nobody else's
        program = shutil.copy(os.path.realpath(run.program()), self.path("bin/imgfactory"))
        site = os.path.join(self.top, "lab.yaml")
        with open(site, "w", encoding="utf-8") as file:
            file.write("images: [x]\n")
        for words in (["unit", "--format", "timer"], ["build"], ["inspect", "q.io/x"]):
            done = subprocess.run([program, *words, "--config", site], capture_output=True, text=True, check=False)
            with self.subTest(words):
                self.assertEqual(done.returncode, run.USAGE, done)
                self.assertRegex(done.stderr, r"error: the folder (manifests|arches) of imgfactory is in none of: .*; name it with --")

    def test_a_broken_site_file_does_not_keep_help_and_explain_away(self):
        self.write("broken/imgfactory.yaml", "registri: x\n")
        for words in (("help",), ("explain", "3"), ("--help",)):
            with self.subTest(words):
                self.assertEqual(self.factory.run_plain(*words, cwd=self.path("broken")).code, run.OK)

    def test_an_exit_status_is_explained_by_number_and_by_name(self):
        result = self.factory.run_plain("explain", "3")
        self.assertEqual(result.code, run.OK, result)
        self.assertTrue(result.stdout.startswith("3 (trust): verification refused\n\nWhat it means\n"), result)
        self.assertEqual(self.factory.run_plain("explain", "trust").stdout, result.stdout)
        self.assertEqual(self.factory.run_plain("explain", "11").code, run.USAGE)
        listed = re.findall(r"(?m)^ *(\d+)  ", self.factory.run_plain("explain").stdout)
        told = re.findall(r"(?m)^(\d+) \(", self.factory.run_plain("explain", *listed).stdout)
        self.assertEqual(listed, told)

    def test_a_manifest_beside_is_told_of_a_word_without_its_ending(self):
        self.write("here/mine.yaml", world.MANIFEST.replace("name: served", "name: mine"))
        self.write("here/my/other.yaml", world.MANIFEST)
        self.write("here/served.yaml", world.MANIFEST)
        result = self.factory.run_plain("my/other", cwd=self.path("here"))
        self.assertEqual(result.code, run.USAGE, result)
        self.assertIn("my/other: no such file; there is my/other.yaml: say my/other.yaml\n", result.stderr)
        result = self.factory.run("mine", cwd=self.path("here"))
        self.assertIn("there is ./mine.yaml: say ./mine.yaml to mean that", result.stderr)
        result = self.factory.run("served", cwd=self.path("here"))
        self.assertEqual(result.code, run.OK, result)
        self.assertIn("served is the catalogue's; there is ./served.yaml, too: say ./served.yaml to mean that\n", result.stderr)
        self.assertNotIn("there is", self.factory.run("served", cwd=self.path("manifests")).stderr)

    def test_a_misspelt_package_or_program_of_a_manifest_is_answered_with_the_nearest(self):
        for text, said in (("packages: {install: [servd-common]}\n", "; did you mean served-common?"),
                           ("packages: {install: [served-common, nothing-like-it]}\n", ""),
                           ("binaries: [/usr/sbin/servedd]\n", "; there is a package served: imgfactory find served")):
            with self.subTest(text):
                self.write_manifest(text=text)
                result = self.refuse(run.RESOLVE, said)
                self.assertEqual("did you mean" in result.stderr, said.startswith("; did"), result)

    def test_a_proxy_that_is_not_there_is_called_one(self):
        command = [run.program(), "inspect", "registry.invalid/x:1", "--retries", "0"]
        for proxies, is_told in (({"https_proxy": "http://me:word@127.0.0.1:9"}, True), ({"http_proxy": "http://127.0.0.1:9"}, False)):
            done = subprocess.run(command, env=self.factory.environment(proxies), capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, run.NETWORK, done)
            self.assertEqual("(the proxy that http_proxy, https_proxy or all_proxy names, or the repository's own)" in done.stderr, is_told)
            self.assertNotIn("word", done.stderr)

    def test_json_is_refused_where_there_is_none(self):
        for word in ("--list", "--version"):
            self.refuse(run.USAGE, f"{word} prints text alone; there is no --json of it", arguments=(word, "--json"))

    def test_407_is_said_to_be_the_proxy_s(self):
        self.server.fault("*", status=407)
        result = self.run_factory("served")
        self.assertEqual(result.code, run.NETWORK, result)
        self.assertIn("HTTP status 407: the proxy wants a name and password, or others", result.stderr)

    def test_407_of_a_tunnel_is_said_to_be_the_proxy_s_and_is_not_tried_again(self):
        class Proxy(http.server.BaseHTTPRequestHandler):
            asked = 0

            def do_CONNECT(self): # pylint: disable=invalid-name
                Proxy.asked += 1
                self.send_response(407)
                self.end_headers()

            def log_message(self, *_): # pylint: disable=arguments-differ
                pass
        proxy = http.server.HTTPServer(("127.0.0.1", 0), Proxy)
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        self.addCleanup(proxy.server_close)
        self.addCleanup(proxy.shutdown)
        result = self.factory.run_plain("inspect", "registry.invalid/a", env={"https_proxy": f"http://127.0.0.1:{proxy.server_port}"})
        self.assertEqual((result.code, Proxy.asked), (run.NETWORK, 1), result)
        self.assertIn("HTTP status 407 (the proxy wants a name and password, or others: https_proxy=http://NAME:PASSWORD@", result.stderr)

    def test_what_a_package_was_meant_to_be_stands_behind_all_lines(self):
        self.write_manifest(text=world.MANIFEST + "packages: {install: [servedd]}\n")
        self.refuse(run.RESOLVE, "cannot be installed:\n  package servedd does not exist; did you mean served?\n", arguments=("served",))

    def test_why_takes_the_name_of_a_file_without_its_folder(self):
        result = self.factory.run_plain("why", *self.factory.options, "served", "served.conf")
        self.assertEqual(result.code, run.OK, result)
        self.assertIn("/etc/served.conf\n", result.stdout)

    def show_config(self, *arguments, **settings):
        result = self.factory.run_plain("show-config", "--json", *arguments, cwd=self.path("here"), **settings)
        self.assertEqual(result.code, run.OK, result)
        shown = json.loads(result.stdout)
        return {item["name"]: (item["value"], item["from"]) for item in shown["settings"]}, shown["site_file"]

    def test_show_config_tells_where_each_option_comes_from(self):
        site = self.write("here/imgfactory.yaml", "registry: quay.io\nnamespace: me\narch: [x86_64, s390x]\noutput: o\nstrict: true\nretries: 2\n")
        shown, path = self.show_config("--output", "p", "--tag", "a", "--tag", "b", "-n", "--pin", env={"https_proxy": "http://me:pw@p:1"})
        self.assertEqual(path, "imgfactory.yaml")
        for name, value, source in (("output", "p", "command line"), ("tag", "a, b", "command line"), ("dry-run", "true", "command line"),
                                    ("arch", "x86_64,s390x", path), ("strict", "true", path), ("retries", "2", path), ("registry", "quay.io", path),
                                    ("compression", "gzip", "default"), ("allow-older", "false", "default"), ("cache", self.factory.cache, "command line"),
                                    ("https_proxy", "http://…@p:1", "environment")):
            with self.subTest(name):
                self.assertEqual(shown[name], (value, source))
        self.assertNotIn("images", shown)
        shown, path = self.show_config("--config", site)
        self.assertEqual((path, shown["output"]), (site, (self.path("here/o"), site)))
        self.write("here/imgfactory.yaml", "report: pages\n")
        self.assertEqual(self.show_config("--config", site)[0]["report"], (self.path("here/pages"), site))
        self.write("here/imgfactory.yaml", "source: fedora-41\n")
        self.assertEqual(self.show_config()[0]["source"], ("fedora-41", "imgfactory.yaml"))
        self.assertEqual(self.show_config("--suite", "sid")[0]["source"][1], "default")
        self.assertEqual(shown["sync-wait"], ("10 min", "default"))
        self.write("here/imgfactory.yaml", "images: [a, 'https://me:pw@a.b']\n")
        shown, path = self.show_config("--push=http://me:pw@q.io/x@sha256:0")
        self.assertEqual(shown["images"], ("[a, https://…@a.b]", path))
        self.assertEqual(shown["push"][0], "http://…@q.io/x@sha256:0")

    def test_show_config_has_every_option_and_does_nothing_else(self):
        os.makedirs(self.path("here"))
        shown, path = self.show_config("--metrics", self.path("here/metrics"))
        self.assertIsNone(path)
        self.assertEqual(os.listdir(self.path("here")), [])
        commands = re.findall(r"(?m)^  ([a-z-]+) ", self.factory.run_plain("--help").stdout.split("\nCommands")[1].split("\n\n")[0])
        for command in commands:
            for name in re.findall(r"(?m)^ +(?:-\w, )?--([a-z-]+)", self.factory.run_plain(command, "--help").stdout):
                if name not in ("help", "version", "list"):
                    self.assertIn(name, shown)
        lines = self.factory.run_plain("show-config", "--retries", "7").stdout.splitlines()
        self.assertIn("retries                 7                                   command line", lines)
        self.assertEqual({line.rindex(" default") for line in lines if line.endswith(" default")}, {59})

    def test_nobody_s_home_is_none(self):
        os.makedirs(self.path("here"))
        environment = {"HOME": "/nonexistent", "XDG_CACHE_HOME": None, "XDG_STATE_HOME": None}
        result = subprocess.run([run.program(), "show-config", "--json"], env=self.factory.environment(environment), cwd=self.path("here"),
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        self.assertNotIn(b"/nonexistent/", result.stdout)
        self.assertIn(b"/var/cache/imgfactory" if os.geteuid() == 0 else b"XDG_CACHE_HOME is not set, and HOME is /nonexistent, the home of accounts that have none", result.stdout + result.stderr)

    def test_verbose_names_the_site_file(self):
        self.write("here/imgfactory.yaml", "jobs: 1\n")
        told = self.factory.run_plain("clean", "-v", cwd=self.path("here")).stderr
        self.assertIn("imgfactory: site file: imgfactory.yaml\n", told)
        self.assertNotIn("site file", self.factory.run_plain("clean", cwd=self.path("here")).stderr)

    def test_version_with_v_names_the_libraries(self):
        plain, verbose = (self.factory.run_plain("--version", *more).stdout for more in ((), ("-v",)))
        lines = verbose.splitlines()
        self.assertEqual(lines[0] + "\n", plain)
        for name in ("libcurl", "OpenSSL", "zlib", "zstd", "liblzma", "libyaml", "jansson", "expat", "libsolv", "sqlite"):
            self.assertTrue(any(re.match(rf"  {name} +\S*\d+\.\d|  {name} +OpenSSL \d", line) for line in lines), (name, verbose))

    def test_placeholder_that_does_not_exist(self):
        self.refuse_manifest(world.MANIFEST.replace("{version}", "{verzion}"), "verzion")


if __name__ == "__main__":
    unittest.main()
