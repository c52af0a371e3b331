# SPDX-License-Identifier: Apache-2.0
"""Runs the program under test ($IMGFACTORY) with folders of its own."""

import os
import subprocess

STARTED_IN = os.getcwd()
OK, USAGE, TRUST, MALFORMED, RESOLVE, NETWORK, PUBLISH, LOCAL, PARTLY = 0, 2, 3, 4, 5, 6, 7, 8, 9


def program():
    path = os.environ.get("IMGFACTORY")
    if not path:
        top = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        path = os.path.join(top, "build", "release", "imgfactory")
    path = os.path.join(STARTED_IN, path)  # tests change the directory
    if not os.access(path, os.X_OK):
        raise RuntimeError(f"{path}: no such program; set IMGFACTORY or run scripts/test")
    return path


def sanitizer():
    """The -fsanitize= list of the program under test, or ""."""
    return os.environ.get("IMGFACTORY_SANITIZE", "")


class Result:
    def __init__(self, command, code, stdout, stderr):
        self.command, self.code, self.stdout, self.stderr = command, code, stdout, stderr

    def __str__(self):
        return f"$ {' '.join(self.command)}\n[exit {self.code}]\n--- stdout\n{self.stdout}\n--- stderr\n{self.stderr}"


class Factory:
    """A set of folders (cache, state, output) and the options to use them."""

    def __init__(self, top, **folders):
        self.top = top
        self.cache = folders.get("cache", os.path.join(top, "cache"))
        self.state = folders.get("state", os.path.join(top, "state"))
        self.output = folders.get("output", os.path.join(top, "out"))
        self.options = []  # given to every run

    def command(self, *arguments):
        places = ["--cache", self.cache, "--state", self.state]
        if self.output is None:
            return [program(), str(arguments[0]), *places, *map(str, arguments[1:])]
        return [program(), *places, "--output", self.output, *self.options, *map(str, arguments)]

    @staticmethod
    def environment(extra=None):
        """The caller's environment without what changes results; a value of None removes a variable."""
        env = {name: value for name, value in os.environ.items()
               if not name.lower().endswith("_proxy") and name != "SOURCE_DATE_EPOCH"}
        env["no_proxy"] = "127.0.0.1"
        env.update(extra or {})
        return {name: value for name, value in env.items() if value is not None}

    def run(self, *arguments, env=None, cwd=None, umask=-1, timeout=300):
        command = self.command(*arguments)
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=self.environment(env), cwd=cwd, umask=umask, timeout=timeout, check=False)
        return Result(command, done.returncode, done.stdout.decode(errors="replace"),
                      done.stderr.decode(errors="replace"))

    def run_plain(self, command, *arguments, **settings):
        """Runs a command that builds nothing: with cache and state, without the options of a build."""
        kept, output, self.options, self.output = self.options, self.output, [], None
        try:
            return self.run(command, *arguments, **settings)
        finally:
            self.options, self.output = kept, output

    def start(self, *arguments, env=None):
        """Starts it without waiting; stdout and stderr are pipes."""
        return subprocess.Popen(self.command(*arguments), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, env=self.environment(env))
