# SPDX-License-Identifier: Apache-2.0
"""Throw-away OpenPGP keys, each in a GNUPGHOME of its own."""

import os
import shutil
import subprocess
import tempfile


class Key:
    """A fresh signing key. `created` and `expires` are gpg's words ("20200101T000000", "1d"); `now` is the clock at which
    this key signs."""

    def __init__(self, algorithm="ed25519", created=None, expires="never", now=None):
        self.home = tempfile.mkdtemp(prefix="k", dir="/tmp")  # short: a socket lives in it
        os.chmod(self.home, 0o700)
        self.now = now
        self._gpg("--passphrase", "", "--quick-generate-key", "Kit <kit@example.org>", algorithm, "sign", expires,
                  now=created)
        self.keyring = os.path.join(self.home, "public.gpg")
        self.armoured = os.path.join(self.home, "public.asc")
        for path, extra in ((self.keyring, []), (self.armoured, ["--armor"])):
            self._gpg("--output", path, *extra, "--export")

    def _gpg(self, *arguments, data=None, now=None):
        command = ["gpg", "--homedir", self.home, "--batch", "--quiet", "--no-tty", "--pinentry-mode", "loopback"]
        if now:
            command += ["--faked-system-time", now + "!"]
        done = subprocess.run(command + list(arguments), input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              check=False)
        if done.returncode:
            raise RuntimeError(f"{command + list(arguments)}: {done.stderr.decode(errors='replace')}")
        return done.stdout

    def clearsign(self, text, *options):
        return self._gpg("--passphrase", "", *(options or ("--digest-algo", "SHA256")), "--clearsign", data=text,
                         now=self.now)

    def detach(self, text):
        return self._gpg("--passphrase", "", "--digest-algo", "SHA256", "--armor", "--detach-sign", data=text,
                         now=self.now)

    def close(self):
        subprocess.run(["gpgconf", "--homedir", self.home, "--kill", "gpg-agent"], check=False,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        shutil.rmtree(self.home, ignore_errors=True)


class Ring:
    """Keys by name, made when first asked for, removed together."""

    def __init__(self):
        self._keys = {}

    def get(self, name="main", **settings):
        if name not in self._keys:
            self._keys[name] = Key(**settings)
        return self._keys[name]

    def close(self):
        for key in self._keys.values():
            key.close()
        self._keys.clear()
