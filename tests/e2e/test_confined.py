# SPDX-License-Identifier: Apache-2.0
"""What reads hostile bytes is kept from what is secret: a program with a planted bug in the libraries that read packages, ELF
files, documents and layers (tests/planted/planted.c) reaches no credential file, no socket, no other file, program or process,
finds no password in its own memory, while the run itself does all that it should, credentials and network included (in the
broker, where what registries say is read no less confined). Each test also runs it unconfined, where the
same bug reaches everything: so none passes because the bug does nothing."""

import ctypes
import os
import re
import subprocess
import unittest

from base import PASSWORD, USER, FaultProxy, PushCase, registry, run

SOCKETS = {"tcp", "udp", "unix", "netlink"}
FILES = {"credential", "file", "program", "thread"}
OTHERS = {"environment", "trace"}  # the system may refuse them anyway
SYS_LANDLOCK_CREATE_RULESET = 444
SANITIZED = bool(run.sanitizer())  # memory is not looked through then
NOT_OURS = {"thread"} if "thread" in run.sanitizer() else set()  # that sanitizer has one of its own, without confines


def landlock_abi():
    return ctypes.CDLL(None).syscall(SYS_LANDLOCK_CREATE_RULESET, None, 0, 1)


def planted():
    beside = os.path.join(os.path.dirname(run.program()), "tests", "imgfactory-planted")
    return os.environ.get("IMGFACTORY_PLANTED", beside)


class Confined(PushCase):
    def setUp(self):
        super().setUp()
        self.runs = 0
        self.authfile = self.write_authfile("secret/auth.json", hosts=["registry.invalid"])
        self.secret = PASSWORD.split()[0].encode()

    def told(self, reader, *arguments, options=(), code=run.OK):
        """Runs the planted program and returns what its bug in that reader reached, and what it was refused."""
        self.runs += 1
        written = self.path(f"outside/{self.runs}")
        os.makedirs(os.path.dirname(written), exist_ok=True)
        command = [planted(), arguments[0], "--cache", self.path(f"cache{self.runs}"), *options, *arguments[1:]]
        if arguments[0] in ("build", "push"):
            command[2:2] = ["--state", self.path(f"state{self.runs}")]
        env = {**self.env, "PLANTED": f"{self.authfile}:{written}:/bin/true", "PLANTED_SECRET": self.secret[::-1].hex()}
        done = subprocess.run(command, cwd=self.top, env=run.Factory.environment(env), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300, check=False)
        result = run.Result(command, done.returncode, done.stdout.decode(errors="replace"),
                            done.stderr.decode(errors="replace"))
        self.assertEqual(result.code, code, result)
        found = re.findall(f"^planted {reader} (\\w+) (\\w+)$", result.stderr, re.M)
        reached = {what for what, how in found if how == "reached"}
        self.assertEqual(os.path.exists(written), "file" in reached, result)
        if landlock_abi() >= 2 and "--no-confine" not in options and "--config" not in arguments:
            self.assertNotRegex(result.stderr, r"(?m)^planted \w+ secret reached$")
            self.assertNotRegex(result.stderr, r"(?m)^planted broker \w+ reached$")
        self.has_broker = "planted broker credential refused" in result.stderr
        self.has_secret = "secret" in re.findall(r"^planted \w+ (\w+) reached$", result.stderr, re.M)
        return reached, {what for what, how in found if how == "refused"}

    def assert_confined(self, reader, *arguments):
        """The bug gets nowhere, and would get everywhere if it could."""
        reached, refused = self.told(reader, *arguments)
        if landlock_abi() >= 2:
            self.assertEqual(reached - NOT_OURS, set())
            self.assertEqual(refused | NOT_OURS, SOCKETS | FILES | OTHERS)
        else:
            self.assertLessEqual(SOCKETS, refused)
        reached, refused = self.told(reader, *arguments, options=["--no-confine"])
        self.assertLessEqual(SOCKETS | FILES, reached)

    def prepare(self):
        self.make_repository(architectures=("amd64",))
        self.write_manifest()
        return ["--source", self.write_source(), "--manifests", self.path("manifests"), "--arch", "amd64"]

    def test_a_package_in_a_build(self):
        options = self.prepare()
        for reader in ("package", "elf"):
            self.assert_confined(reader, "build", *options, "--no-push", "--output", self.path("out"), "served")

    def test_a_build_that_pushes_with_a_credential_all_the_same(self):
        options = self.prepare()
        target = self.make_registry(users={USER: PASSWORD})
        self.authfile = self.write_authfile("secret/auth.json", hosts=[target.host])
        for name in ("package", "document"):
            self.assert_confined(name, "build", *options, f"--push={target.host}/ns/{name}:v1", "--tls-verify=false",
                                 "--authfile", self.authfile, "--output", self.path(f"out-{name}"), "served")
            self.assertTrue(target.tags(f"ns/{name}").get("v1"))

    def test_a_password_and_the_token_that_it_brings(self):
        """What the token service answers is read in the broker, by a thread that can open nothing."""
        made, authority, proxy = self.make_layout(), self.authority(), self.serve(FaultProxy())
        tokens = self.serve(registry.TokenService(authority, {USER: PASSWORD}))
        target = self.make_registry(tokens=registry.Tokens(authority, proxy.url + "/token"))
        proxy.upstream, proxy.routes = target.url, [("/token", tokens.url)]
        self.authfile = self.write_authfile("secret/auth.json", hosts=[proxy.host])
        arguments = ["push", "--tls-verify=false", "--authfile", self.authfile, made.folder, f"{proxy.host}/ns/image:v1"]
        self.told("document", *arguments)
        self.assertFalse(self.has_secret)
        self.assertTrue(self.has_broker)
        self.assertTrue(target.tags("ns/image").get("v1"))
        self.told("document", *arguments, options=["--no-confine"])
        self.assertTrue(self.has_secret or SANITIZED, "without the broker the password is in the memory of who reads")

    def test_a_key_and_its_passphrase(self):
        """Who reads has the public key, and what was signed; the other process signs."""
        passphrase = b"a secret that opens the key"
        made, target = self.make_layout(), self.make_registry()
        self.env["IMGFACTORY_KEY_PASSPHRASE"] = passphrase.decode()
        key = self.path("own.key")
        for command in ([run.program(), "key", "generate", "--type", "ed25519", key],):
            subprocess.run(command, env=run.Factory.environment(self.env), stdout=subprocess.DEVNULL, check=True)
        private = subprocess.run(["openssl", "pkey", "-in", key, "-passin", b"pass:" + passphrase, "-outform", "DER"],
                                 stdout=subprocess.PIPE, check=True).stdout[-32:]
        for number, self.secret in enumerate((private, passphrase)):
            for option in ((), ("--no-confine",)):
                reference = f"{target.host}/ns/image{number}{len(option)}:v1"
                self.told("document", "push", "--tls-verify=false", "--sign", key, made.folder, reference, options=option)
                self.assertEqual(self.has_secret, bool(option) and not SANITIZED, (number, option))
                verified = self.call("verify", "--tls-verify=false", "--key", self.path("own.pub"), reference)
                self.assertEqual(verified.code, run.OK, verified)

    def test_documents_and_layers_of_a_layout(self):
        made = self.make_layout()
        self.assert_confined("document", "inspect", made.folder)
        self.assert_confined("layer", "check", made.folder)

    def test_what_a_registry_sends(self):
        made, target = self.make_layout(), self.make_registry()
        self.pushed(made, f"{target.host}/ns/image:v1")
        # The first JSON that a pull reads would be the administrator's policy.json, which is read before, and is not hostile.
        for command, reader in (("inspect", "document"), ("check", "layer"), ("pull --no-policy", "document")):
            self.assert_confined(reader, *command.split(), "--tls-verify=false", f"{target.host}/ns/image:v1")

    def test_a_site_may_go_without(self):
        made = self.make_layout()
        site = self.write("site.yaml", "confine: false\n")
        reached, _ = self.told("document", "inspect", "--config", site, made.folder)
        self.assertLessEqual(SOCKETS | FILES, reached)


if __name__ == "__main__":
    unittest.main()
