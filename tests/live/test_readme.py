# SPDX-License-Identifier: Apache-2.0
"""The commands of README, and the examples of imgfactory(1), are run in their order, with a registry on loopback in place of quay.io; what is shown there comes."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from kit import run  # noqa: E402
from kit.registry import Registry  # noqa: E402

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# What a reader puts for the words in capitals.
PLACES = {"NAME|REF": "dhcpd", "SITE|REF": "", "PACKAGE|PATH": "isc-dhcp-server", "REF@DIGEST": "REGISTRY/me/dhcpd@DIGEST", "TAG": "again",
          "IMAGE": "dhcpd", "PATH": "/usr/sbin/dhcpd", "NAME": "dhcpd", "REF": "REGISTRY/me/dhcpd:latest", "DIR": "tree/dhcpd/x86_64", "A": "dhcpd",
          "B": "REGISTRY/me/dhcpd:latest", "REGISTRY": "REGISTRY", "COMMAND": "push", "SHELL": "bash", "FILE": "own.key"}
LEFT_OUT = {"status": "there is no record yet", "lock": "its file is test_lock's",
            "assemble": "its parts are test_shard's"}


def without_numbers(text):
    text = re.sub(r"sha256:[0-9a-f]+…?", "sha256:H", text)
    return [re.sub(r"\d[\d.]*( [kM]?B)?(-P\d+)?", "N", " ".join(line.split())) for line in text.splitlines() if line.strip()]


class Readme(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with open(f"{TOP}/README.md", encoding="utf-8") as file:
            cls.text = file.read()

    def setUp(self):
        self.top = tempfile.mkdtemp(prefix="readme-")
        self.addCleanup(shutil.rmtree, self.top, ignore_errors=True)
        os.mkdir(f"{self.top}/registry")
        self.registry = Registry(f"{self.top}/registry")
        self.registry.start()
        self.addCleanup(self.registry.stop)
        os.mkdir(f"{self.top}/bin")
        os.mkdir(f"{self.top}/host")
        os.symlink(run.program(), f"{self.top}/bin/imgfactory")
        self.environment = {**os.environ, "HOME": self.top, "IMGFACTORY_KEY_PASSPHRASE": "word", "PATH": f"{self.top}/bin:{os.environ['PATH']}"}
        for name in ("XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "REGISTRY_AUTH_FILE"):
            self.environment.pop(name, None)
        self.digest = ""

    def shell(self, line, text=""):
        return subprocess.run(["bash", "-c", line], cwd=self.top, env=self.environment, input=text, capture_output=True, text=True, check=False)

    def commands(self):
        """All that begins with imgfactory in blocks and in code, in the order of the page, once each; then the manual page's examples."""
        seen = {}
        for block, code in re.findall(r"(?ms)^```(?:sh|console)\n(.*?)^```|`(imgfactory [^`]*)`", self.text):
            for line in block.splitlines() if block else [code]:
                line = line.removeprefix("$ ").split("  #")[0].strip()
                if line.startswith("imgfactory "):
                    seen.setdefault(line.replace(r"\|", "|"))
        examples = self.shell("imgfactory manual").stdout.split(".SH EXAMPLES")[1].split("\n.SH ")[0]
        for line in re.findall(r"(?m)^\\fB(imgfactory .*)\\fR$", examples):
            seen.setdefault(line.replace("\\-", "-"))
        return list(seen)

    def fill(self, line):
        line = re.sub(r" \[(build|IMAGE\.\.\.)\]", "", line)
        words = [PLACES.get(word.strip("[]"), word) for word in line.split()]
        line = " ".join(words).replace("quay.io", "REGISTRY").replace("sha256:0ca5843168e5…", "DIGEST")
        line = line.replace("/etc/containers/systemd", "units").replace("/etc/systemd/system", "units").replace("/etc/imgfactory/", "")
        line = line.replace("REGISTRY", self.registry.host).replace("DIGEST", self.digest)
        if line.startswith("imgfactory prune"): # README's site keeps all for ever
            line += f" --keep=10 {self.registry.host}/me/dhcpd"
        if line.startswith("imgfactory system"):
            line += " --host-root=host"
        if line.startswith("imgfactory login"):
            line += " --username=me --password-stdin"
        takes = self.shell(f"imgfactory {line.split()[1] if not line.split()[1].startswith('-') else 'build'} --help").stdout
        return re.sub(r"^imgfactory", "imgfactory --tls-verify=false", line) if "--tls-verify" in takes and "login" not in line else line

    def test_commands_do_what_they_are_shown_to_do(self):
        shown = re.search(r"(?ms)^```console\n\$ (.*?)\n(.*?)^```", self.text)
        done = self.shell(shown.group(1))
        self.assertEqual(done.returncode, 0, done)
        came = without_numbers(done.stderr + done.stdout)
        for line in without_numbers(shown.group(2)):
            self.assertIn(line, came)
        self.digest = re.search(r"dhcpd built: (sha256:[0-9a-f]{64})", done.stdout).group(1)
        self.assertEqual(self.shell("imgfactory --tree tree --output elsewhere dhcpd").returncode, 0)
        self.write_files()
        commands = self.commands()
        self.assertGreater(len(commands), 25)
        for line in commands:
            word = line.split()[1]
            if word in LEFT_OUT or line in ("imgfactory [build] [IMAGE...]", "imgfactory COMMAND -h"):
                continue
            with self.subTest(line):
                done = self.shell(self.fill(line), "word")
                self.assertEqual(done.returncode, 0, (self.fill(line), done.stderr))

    def write_files(self):
        """The files that README shows: a manifest and a site file."""
        manifest, site = re.findall(r"(?ms)^```yaml\n(.*?)^```", self.text)
        for name, text in (("my-time.yaml", manifest), ("own.yaml", manifest),
                           ("imgfactory.yaml", site.replace("quay.io", self.registry.host) + "tls-verify: false\n")):
            with open(f"{self.top}/{name}", "w", encoding="utf-8") as file:
                file.write(text)


if __name__ == "__main__":
    unittest.main()
