# SPDX-License-Identifier: Apache-2.0
"""Cache and state are believed only when nobody else can have written there, and a verdict only when this state made it."""

import hashlib
import hmac
import os
import shutil
import struct
import subprocess
import time
import unittest

from base import Case, run, world

EVIL = b"listen 66 EVIL\n"


def sha256(data):
    return hashlib.sha256(data).digest()


class CacheTrust(Case):
    def setUp(self):
        super().setUp()
        self.ready()

    def need_root(self):
        if os.geteuid() != 0:
            self.skipTest("giving files to another user needs root")

    def publish_evil(self):
        packages = world.packages()
        for package in packages:
            if package.name == "served":
                package.files[1].data = EVIL
        self.repository.packages = packages
        self.repository.publish(self.ring.get("evil"))

    def plant(self, magic, mac=b""):
        """A kept verdict of gpgv that says that the key of the repository signed what the server has now."""
        release = self.repository.read(self.repository.dists("InRelease"))
        text = release.split(b"\n\n", 1)[1].split(b"-----BEGIN PGP SIGNATURE")[0]
        with open(self.key.keyring, "rb") as stream:
            keys = sha256(sha256(stream.read()))
        key = sha256(b"verdict of gpgv, version 1\0" + sha256(release) + sha256(b"") + keys)
        body = str(int(time.time()) - 5).encode() + b"\nAAAA\n" + text
        with open(f"{self.factory.state}/v1/secret", "rb") as stream:
            place = hmac.new(stream.read(), key, hashlib.sha256).hexdigest()  # nobody else could know where to plant it
        folder = f"{self.factory.cache}/v1/derived/release/{place[:2]}"
        os.makedirs(folder, 0o700, exist_ok=True)
        with open(f"{folder}/{place}", "wb") as stream:
            stream.write(body + magic + struct.pack("<Q", len(body)) + key + sha256(body) + mac)

    def test_a_planted_verdict_makes_no_unknown_key_good(self):
        self.build()
        self.publish_evil()
        for magic, mac in ((b"imgfactory-drv1\n", b""), (b"imgfactory-drv2\n", bytes(32)), (b"imgfactory-drv2\n", b"x" * 32)):
            with self.subTest(magic=magic):
                shutil.rmtree(self.factory.output, ignore_errors=True)
                self.plant(magic, mac)
                self.refuse(run.TRUST, "unknown key")

    def test_a_cache_of_another_user_is_refused_with_what_to_do(self):
        self.need_root()
        self.build()
        shutil.rmtree(self.factory.output)
        subprocess.run(["chown", "-R", "1000:1000", self.factory.cache], check=True)
        self.refuse(run.LOCAL, self.factory.cache, "belongs to", "uid 1000", "--cache")

    def test_a_cache_below_another_users_directory_is_refused(self):
        self.need_root()
        home = self.path("home")
        os.mkdir(home)
        os.chown(home, 1000, 1000)
        self.factory.cache = os.path.join(home, "cache")
        self.refuse(run.LOCAL, f"{home} belongs to", "--cache")
        self.assertEqual(os.listdir(home), [])

    def test_a_state_that_others_can_write_is_refused_with_what_to_do(self):
        self.build()
        shutil.rmtree(self.factory.output)
        os.chmod(self.factory.state, 0o777)
        self.refuse(run.LOCAL, f"chmod go-w {self.factory.state}", "--state")
        os.chmod(self.factory.state, 0o700)
        self.build()

    def test_a_state_of_another_user_is_refused(self):
        self.need_root()
        self.build()
        shutil.rmtree(self.factory.output)
        subprocess.run(["chown", "-R", "1000:1000", self.factory.state], check=True)
        self.refuse(run.LOCAL, self.factory.state, "belongs to", "--state")

    def test_inspect_and_check_look_at_the_cache_too(self):
        self.build()
        os.chmod(self.factory.cache, 0o777)
        for command in ("pull", "inspect"):
            result = self.factory.run_plain(command, "127.0.0.1:1/x:latest")
            self.assertEqual(result.code, run.LOCAL, result)
            self.assertIn("writable by others", result.stderr)

    def test_a_cache_below_a_sticky_directory_and_behind_a_link_is_fine(self):
        os.mkdir(self.path("tmp"))
        os.chmod(self.path("tmp"), 0o1777)
        os.symlink(self.path("tmp"), self.path("link"))
        self.factory.cache = self.path("link/cache")
        self.build()

    @staticmethod
    def index(layout):
        with open(os.path.join(layout.path, "index.json"), "rb") as stream:
            return stream.read()

    def count_gpgv(self):
        """Puts a gpgv that counts its calls in front of the real one; returns the environment and the file of the log."""
        log = self.path("gpgv.log")
        wrapper = self.write("bin/gpgv", f"#!/bin/sh\necho call >> {log}\nexec {shutil.which('gpgv')} \"$@\"\n")
        os.chmod(wrapper, 0o755)
        self.factory.options.append("--no-confine")  # it writes where gpgv may not
        return {"PATH": self.path("bin") + ":" + os.environ["PATH"]}, log

    def calls(self, log):
        if not os.path.exists(log):
            return 0
        with open(log, encoding="ascii") as stream:
            return len(stream.readlines())

    def test_a_cache_restored_without_its_state_is_verified_again_and_nothing_is_fetched_again(self):
        """What a CI job does that keeps the cache alone."""
        env, log = self.count_gpgv()
        first = self.build(env=env)
        self.assertEqual(self.calls(log), 1)
        self.build(env=env)
        self.assertEqual(self.calls(log), 1)
        shutil.copytree(self.factory.cache, self.path("restored"))
        self.factory.cache, self.factory.state, self.factory.output = map(self.path, ("restored", "state2", "out2"))
        self.server.requests.clear()
        second = self.build("--arch", "all", "--json", "served", env=env)
        self.assertEqual(self.calls(log), 2)
        self.assertEqual(self.server.asked("*.deb"), 0, self.server.requests)
        self.assertEqual(self.server.asked("*Packages*"), 0, self.server.requests)
        self.assertIn('"status": "built"', self.last.stdout.replace('":"', '": "'))
        self.assertEqual(self.index(first), self.index(second))

    def test_a_cache_restored_with_other_bytes_gives_the_right_image(self):
        """Every file of the restored cache has some bytes changed: nothing of it gets into an image."""
        first = self.build()
        for folder, _, names in os.walk(self.factory.cache):
            for name in names:
                path = os.path.join(folder, name)
                os.chmod(path, 0o600)
                with open(path, "r+b") as stream:
                    data = stream.read()
                    stream.seek(len(data) // 2)
                    stream.write(bytes(byte ^ 1 for byte in data[len(data) // 2:len(data) // 2 + 8]))
        self.factory.output = self.path("out2")
        second = self.build("--arch", "all", "served")
        self.assertEqual(self.index(first), self.index(second))


if __name__ == "__main__":
    unittest.main()
