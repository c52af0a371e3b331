# SPDX-License-Identifier: Apache-2.0
"""The base class of the tests of publishing: layouts, registries, and a home of its own for the program and others."""

import base64
import json
import os
import re
import shutil
import subprocess

from . import layout, registry, run
from .case import Case, need
from .faultproxy import FaultProxy
from .report import Report

USER, PASSWORD = "ns+robot", "kit:pass wörd"
CONTAINERS_CONF = """\
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
"""


class PushCase(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        need("registry" if shutil.which("registry") else "docker-registry", "htpasswd", "openssl", "skopeo", "podman",
             "runc")

    def setUp(self):
        super().setUp()
        self.home, self.runtime = self.path("home"), self.path("runtime")
        os.makedirs(self.home)
        os.makedirs(self.runtime, 0o700)
        self.env = {"HOME": self.home, "XDG_RUNTIME_DIR": self.runtime, "XDG_CONFIG_HOME": None, "DOCKER_CONFIG": None,
                    "REGISTRY_AUTH_FILE": None, "CONTAINERS_CONF": self.write("containers.conf", CONTAINERS_CONF)}

    # Things to push, and places to push to.

    def make_layout(self, name="layout", **settings):
        return layout.Layout(self.path(name), **settings)

    def authority(self):
        return registry.Authority(self.path("authority"))

    def serve(self, service):
        """Starts a server that stops when the test ends."""
        service.start()
        self.addCleanup(service.stop)
        return service

    def make_registry(self, name="registry", **settings):
        return self.serve(registry.Registry(self.path(name), **settings))

    def make_proxied(self, name="registry", **settings):
        """A registry and a fault proxy before it: clients talk to the proxy."""
        target = self.make_registry(name, **settings)
        return target, self.serve(FaultProxy(target.url))

    def write_authfile(self, name="auth.json", user=USER, password=PASSWORD, hosts=()):
        """Written by hand: containers-auth.json(5)."""
        auth = base64.b64encode(f"{user}:{password}".encode()).decode()
        path = self.write(name, json.dumps({"auths": {host: {"auth": auth} for host in hosts}}))
        os.chmod(path, 0o600)
        return path

    # The program.

    def command(self, name, *arguments, retries=4, folders=None):
        folders = folders or self.factory
        return [run.program(), name, "--cache", folders.cache, "--state", folders.state, "--retries", str(retries),
                *map(str, arguments)]

    def call(self, name, *arguments, env=None, data=b"", timeout=120, **settings):
        """Runs `imgfactory NAME …` and returns its Result; `data` is its standard input."""
        command = self.command(name, *arguments, **settings)
        done = subprocess.run(command, input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=self.top,
                              env=run.Factory.environment({**self.env, **(env or {})}), timeout=timeout, check=False)
        return run.Result(command, done.returncode, done.stdout.decode(errors="replace"),
                          done.stderr.decode(errors="replace"))

    def start(self, name, *arguments, **settings):
        return subprocess.Popen(self.command(name, *arguments, **settings), stdin=subprocess.DEVNULL, cwd=self.top,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=run.Factory.environment(self.env))

    def push(self, what, reference, *options, insecure=True, **settings):
        """Pushes with a JSON report and returns the Result; its `push` is the report's part, None without a report."""
        if insecure:
            options = ("--tls-verify=false", *options)
        result = self.call("push", "--json", *options, getattr(what, "folder", what), reference, **settings)
        try:
            result.push = Report(result.stdout).push()
        except (ValueError, LookupError):
            result.push = None
        return result

    def pushed(self, what, reference, *options, **settings):
        """Pushes, wants success and a report that says so; returns the Result."""
        result = self.push(what, reference, *options, **settings)
        self.assertEqual(result.code, run.OK, result)
        self.assertIsNotNone(result.push, result)
        self.assertIn(result.push.status, ("pushed", "unchanged"), result)
        if hasattr(what, "digest"):
            self.assertEqual(result.push.digest, what.digest, result)
        return result

    def refused(self, code, result, *parts):
        """Wants that exit class, every one of `parts` in the messages, and no more than a few lines of them."""
        self.assertIn(result.code, code if isinstance(code, tuple) else (code,), result)
        for part in parts:
            self.assertRegex(result.stderr, re.compile(part, re.IGNORECASE), result)
        errors = [line for line in result.stderr.splitlines() if "error" in line.lower()]
        self.assertLessEqual(len(errors), 2, f"more than one message:\n{result}")
        self.assertNotIn("internal error", result.stderr.lower(), result)
        return result

    def assert_tag(self, target, repository, tag, digest, message=None):
        """The registry has this digest under the tag, with all that belongs to it."""
        self.assertEqual(target.tags(repository).get(tag), digest, message)
        if digest is not None:
            target.check(repository, digest)

    # Other programs.

    def tool(self, *command, code=0, timeout=120, data=None):
        done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout,
                              env=run.Factory.environment(self.env), cwd=self.top, input=data or b"", check=False)
        if code is not None:
            self.assertEqual(done.returncode, code, f"{' '.join(map(str, command))}\n{done.stderr.decode()}")
        return done

    def skopeo_raw(self, reference, *options):
        return self.tool("skopeo", "inspect", "--raw", *options, f"docker://{reference}").stdout

    def podman(self, *arguments, **settings):  # it takes no runroot of more than 50 characters
        return self.tool("podman", "--root", self.path("p/root"), "--runroot", self.path("p/run"), "--tmpdir",
                         self.path("p/tmp"), "--storage-driver", "vfs", *arguments, **settings)
