#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tells of any service whether imgfactory makes an image of it that serves, with no manifest: builds it from the host's
repositories, starts it as a container engine would, with what only an administrator can know, and asks it.

    tests/live/any_service.py services.json                       every entry, by the path of its binary, on both architectures
    tests/live/any_service.py services.json --only nsd --by name  one, by the base name of its binary
    tests/live/any_service.py services.json --by plain            the shortest manifest, with nothing automatic
    tests/live/any_service.py services.json --want 37 --json FILE

The file is a list of objects: `service` (a name for people), `binaries` (paths; the first is what it is called by), `command` (what
starts it in the foreground), `ask` (kit/asks.py), and where needed `files` ({path: content}, put into the unpacked image), `caps`
(beyond podman's own), `pre` (a command that is run first), `env`, `user` (whom to run it as, instead of the image's own). Needs root.
"""

import argparse
import concurrent.futures
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from kit import asks, emulators, image, namespaces, run  # noqa: E402  pylint: disable=wrong-import-position
from kit.box import Box, unpack  # noqa: E402  pylint: disable=wrong-import-position

PLATFORMS = {"x86_64": "amd64", "aarch64": "arm64/v8"}
PATIENCE = {"x86_64": 40, "aarch64": 160}  # seconds until the first answer, on a busy machine
TOGETHER = 3
SOURCES = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
INTERPRETERS = re.compile(r"/(python[0-9.]*|perl[0-9.]*|ruby[0-9.]*|node|lua[0-9.]*|beam\.smp|libjvm\.so|php[0-9.]+)$")
COMPLAINT = re.compile(r"no such|not found|cannot|can't|could ?n.t|unable|fail|error|denied|unknown|missing|invalid|not exist",
                       re.I)
HARMLESS = re.compile(r"/etc/localtime|oom_score|setrlimit|syslog|warning|can.t help you", re.I)


class Verdict:
    """What became of one service on one architecture."""

    def __init__(self, service, arch):
        self.service, self.arch = service, arch
        self.serves, self.reason = False, ""
        self.size = self.plain_size = None
        self.notes, self.log, self.config = [], "", {}
        self.is_interpreted = False
        self.same_by_new = None  # whether the manifest of `imgfactory new` gives the same image
        self.remark = ""

    def as_json(self):
        return dict(vars(self))


class Judge:
    def __init__(self, options):
        self.options = options
        self.top = tempfile.mkdtemp(prefix="imgfactory-judge-", dir=options.tmp)
        self.emulators = {}  # arch → its emulator, where the kernel does not start programs of that machine itself
        self.lock = threading.Lock()

    # ---- building

    def manifest(self, entry, automatic, packages=()):
        """The shortest manifest that names the entry's binaries, of these packages first."""
        path = os.path.join(self.top, "manifests", "automatic" if automatic else "plain", entry["service"] + ".yaml")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(f"description: {entry['service']}\n{'automatic: true' if automatic else ''}\n"
                         f"binaries: {json.dumps(entry['binaries'])}\n"
                         + (f"packages: {{first: {json.dumps(packages)}}}\n" if packages else ""))
        return path

    def called(self, entry, by):
        """What the program is given for an entry. A name stands for one program; who wants more of them has to write it down."""
        if by in ("path", "name") and len(entry["binaries"]) > 1:
            return self.manifest(entry, True)
        if by == "path":
            return entry["binaries"][0]
        if by == "name":
            return os.path.basename(entry["binaries"][0])
        if "{}" in by:
            link = os.path.join(self.top, "manifests", "given", entry["service"] + ".yaml")  # an image is called by its file
            os.makedirs(os.path.dirname(link), exist_ok=True)
            os.symlink(os.path.abspath(by.replace("{}", entry["service"])), link)
            return link
        return self.manifest(entry, by == "manifest")

    def call(self, *words):
        """Runs the program with folders and options of the judge."""
        options = self.options
        tree = ["--arches", os.path.join(options.tree, "arches"), "--manifests", os.path.join(options.tree, "manifests")]
        return subprocess.run([options.imgfactory, *words, "--cache", options.cache, "--state", options.state, *tree, "--arch",
                               ",".join(options.arch), *options.options], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, check=False, timeout=1200)

    def same_by_new(self, name, made):
        """Whether the manifest that `new` prints of a name builds the image of that name."""
        printed = self.call("new", name)
        path = os.path.join(self.top, "manifests", "new", made["image"] + ".yaml")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as stream:
            stream.write(printed.stdout)
        again, _ = self.build(path, os.path.join(self.top, "out", "new"))
        shutil.rmtree(os.path.join(self.top, "out", "new"), ignore_errors=True)
        return again is not None and again.get("digest") == made["digest"]

    def build(self, name, output):
        """(the report's image or None, what the program printed)"""
        done = self.call("--output", output, "--cache-limit", "6G", "--quiet", "--json", name)
        try:
            built = json.loads(done.stdout)["images"][0]
        except (ValueError, KeyError, IndexError):
            built = None
        return built, done.stderr.decode(errors="replace").strip()

    def build_entry(self, entry):
        """[verdict, with what the build told; layout or None] for each architecture."""
        by = self.options.by
        output = os.path.join(self.top, "out", entry["service"])
        made, said = self.build(self.called(entry, by), output)
        plain, same = None, None
        if self.options.new and by in ("path", "name") and made and made.get("status") in ("built", "unchanged"):
            same = self.same_by_new(self.called(entry, by), made)
        if by != "plain" and self.options.sizes:
            plain, _ = self.build(self.manifest(entry, False, shippers(made)), output + ".plain")
            shutil.rmtree(output + ".plain", ignore_errors=True)
        for arch in self.options.arch:
            verdict = Verdict(entry["service"], arch)
            verdict.same_by_new = same
            order = order_of(made, arch)
            if order is None or order.get("status") not in ("built", "reused"):
                error = (order or {}).get("error") or (made or {}).get("error") or {}
                verdict.reason = "not built: " + (error.get("text") or said or "no reason given").splitlines()[-1]
            else:
                verdict.size, verdict.notes = order["unpacked_bytes"], order["notes"]
            verdict.plain_size = verdict.size if by == "plain" else (order_of(plain, arch) or {}).get("unpacked_bytes")
            yield verdict, made.get("layout") if verdict.size is not None else None

    # ---- running

    def judge(self, entry, verdict, layout):
        """Starts what was built and asks it; fills the verdict."""
        root = os.path.join(self.top, "roots", entry["service"], verdict.arch)
        try:
            built = image.Layout(layout).images["latest"][PLATFORMS[verdict.arch]]
            verdict.config = built.config["config"]
            verdict.is_interpreted = any(INTERPRETERS.search(path) for path in built.paths("file"))
            serves, verdict.reason, verdict.log = self.attempt(entry, verdict, built, root, dict(verdict.config))
            if not serves and verdict.config.get("User") and not entry.get("user"):
                as_root = self.attempt(entry, verdict, built, root, {**verdict.config, "User": "0"})
                if as_root[0]:
                    serves, verdict.remark = True, f"as root only; as {verdict.config['User']}: {verdict.reason}"
            verdict.serves = serves
            if not serves and not verdict.log:
                _, verdict.reason, verdict.log = self.attempt(entry, verdict, built, root, dict(verdict.config), True)
        except Exception as error:  # pylint: disable=broad-exception-caught
            verdict.reason = f"the judge failed: {error!r}"
        finally:
            shutil.rmtree(root, ignore_errors=True)

    def attempt(self, entry, verdict, built, root, config, has_syslog=False):
        """(serves, reason, log) of one start in a fresh tree. has_syslog: to learn what it says to nobody."""
        shutil.rmtree(root, ignore_errors=True)
        unpack(built, root)
        if entry.get("user"):
            config["User"] = entry["user"]
        if not self.options.own_command:
            config.update(Entrypoint=entry["command"], Cmd=[])
        box = self.box(entry, root, config, verdict.arch)
        box.has_syslog = has_syslog or entry["ask"][0] == "log"  # what is looked for may go there
        if entry.get("pre"):
            reason = self.before(entry, box, root, config, verdict.arch)
            if reason:
                return False, reason[0], reason[1]
        try:
            box.start()
            asks.enter(box)
            self.wait(box, entry["ask"], PATIENCE[verdict.arch] * self.options.patience)
            return True, "", box.tail()
        except (AssertionError, OSError, RuntimeError) as error:
            box.close()
            return False, first_reason(str(error), box.log), box.tail()
        finally:
            box.close()

    def box(self, entry, root, config, arch):
        box = Box(root, config, entry["service"], self.emulators.get(arch))
        box.files, box.capabilities, box.env = entry.get("files", {}), entry.get("caps", []), entry.get("env", {})
        return box

    def before(self, entry, box, root, config, arch):
        """Runs `pre` to its end: None, or why it failed and its log. It has a box, and a thread for that, of its own."""
        first = self.box(entry, root, {**config, "Entrypoint": entry["pre"], "Cmd": [], "User": "0"}, arch)
        first.files = box.files

        def run_it():
            try:
                first.start()
                return first.process.wait(PATIENCE[arch])
            finally:
                first.close()
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            status = pool.submit(run_it).result()
        return None if status == 0 else (first_reason(f"{entry['pre'][0]} ended with status {status}", first.log), first.tail())

    @staticmethod
    def wait(box, words, seconds):
        """Until the ask is answered. A program whose output is asked for may have ended."""
        try:
            box.wait_for(lambda: asks.ask(box, words), seconds)
        except AssertionError as error:
            if words[0] not in ("out", "log"):
                raise
            try:
                box.process.wait(10)
            except subprocess.TimeoutExpired:
                raise error from None
            box.finish_log()
            if words[0] == "log" or not asks.ask(box, words):
                raise

    # ---- all of them

    def run(self, entries):
        """The verdicts, in the order of the entries. Builds need the network that runners leave, so these have their own threads."""
        verdicts, waiting = [], []
        with concurrent.futures.ThreadPoolExecutor(TOGETHER) as pool:
            for entry in entries:
                pending = []
                for verdict, layout in self.build_entry(entry):
                    verdicts.append(verdict)
                    if layout:
                        pending.append(pool.submit(self.judge, entry, verdict, layout))
                waiting.append((entry, pending))
                self.tidy(waiting)
            for _, pending in waiting:
                concurrent.futures.wait(pending)
            self.tidy(waiting)
        return verdicts

    def tidy(self, waiting):
        """Takes the images away that were judged."""
        for entry, pending in list(waiting):
            if all(future.done() for future in pending):
                waiting.remove((entry, pending))
                if not self.options.keep:
                    shutil.rmtree(os.path.join(self.top, "out", entry["service"]), ignore_errors=True)

    def close(self):
        if not self.options.keep:
            shutil.rmtree(self.top, ignore_errors=True)


def order_of(made, arch):
    return next((order for order in (made or {}).get("architectures") or [] if order.get("arch") == arch), None)


def shippers(made):
    """The packages that the programs were taken of: of several with one (ntpd) the plain closure has to be of the same."""
    orders = (made or {}).get("architectures") or []
    return sorted({choice["package"] for order in orders for choice in order.get("choices") or []})


def first_reason(what, log):
    """One line: how it ended, and the first and the last complaint of its log, else its last line."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    complaints = [line[:200] for line in lines if COMPLAINT.search(line) and not HARMLESS.search(line)]
    said = dict.fromkeys([complaints[0], complaints[-1]]) if complaints else lines[-1:] or ["it printed nothing"]
    return f"{what.partition(' (last')[0]}: {' … '.join(said)}"


def table(verdicts):
    """Lines for people."""
    yield f"{'service':<16}{'arch':<9}{'serves':<8}{'MB':>7}{'plain':>7}  reason; notes"
    for verdict in verdicts:
        sizes = "".join(f"{size / 1e6:7.1f}" if size is not None else "      -" for size in (verdict.size, verdict.plain_size))
        told = verdict.remark if verdict.serves else verdict.reason
        yield f"{verdict.service:<16}{verdict.arch:<9}{'yes' if verdict.serves else 'NO':<8}{sizes}  {told}"
        if not verdict.serves:
            for note in verdict.notes:
                yield f"{'':<24}note: {note[:220]}"


def summary(verdicts, arches):
    names = {verdict.service for verdict in verdicts}
    for arch in arches:
        here = [verdict for verdict in verdicts if verdict.arch == arch]
        yield f"{arch}: {sum(verdict.serves for verdict in here)} of {len(here)} serve"
    differ = sorted({verdict.service for verdict in verdicts if verdict.same_by_new is False})
    if differ:
        yield f"the manifest that `new` prints gives another image: {' '.join(differ)}"
    everywhere = serving(verdicts)
    yield f"everywhere: {len(everywhere)} of {len(names)} serve; not: {' '.join(sorted(names - everywhere))}"
    for words, is_interpreted in (("compiled", False), ("with an interpreter", True)):
        sized = [verdict for verdict in verdicts if verdict.serves and verdict.size and verdict.plain_size
                 and verdict.is_interpreted == is_interpreted]
        if sized:
            size, plain = sum(verdict.size for verdict in sized), sum(verdict.plain_size for verdict in sized)
            yield (f"{words}: {len(sized)} images that serve have {size / len(sized) / 1e6:.1f} MB on average, their plain "
                   f"closures {plain / len(sized) / 1e6:.1f} MB: {size / plain:.3f}x")


def serving(verdicts):
    """The services that serve on every architecture that was tried."""
    names = {verdict.service for verdict in verdicts}
    return names - {verdict.service for verdict in verdicts if not verdict.serves}


def load(path, only):
    with open(path, encoding="utf-8") as stream:
        entries = json.load(stream)
    unknown = set(only) - {entry["service"] for entry in entries}
    if unknown:
        raise SystemExit(f"{path}: no service {' '.join(sorted(unknown))}")
    return [entry for entry in entries if not only or entry["service"] in only]


def arguments(words=None):
    def names(text):
        return [name for name in text.split(",") if name]
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0], epilog="Exit status: 0 enough serve, 1 fewer.")
    parser.add_argument("services", help="a file of services, as the first lines of this program tell")
    parser.add_argument("--only", type=names, default=[], metavar="NAME,…", help="these services alone")
    parser.add_argument("--arch", type=names, default=list(PLATFORMS), metavar="ARCH,…", help="default: %(default)s")
    parser.add_argument("--by", default="path", help="path or name of the binary; manifest (automatic, with all binaries), "
                        "plain (nothing automatic), or a manifest's path with {} for the service (default: %(default)s)")
    parser.add_argument("--imgfactory", default=os.environ.get("IMGFACTORY"), help="the program (default: $IMGFACTORY)")
    parser.add_argument("--tree", default=SOURCES, metavar="DIR", help="where its arches and manifests are")
    parser.add_argument("--cache", default=os.environ.get("IMGFACTORY_LIVE_CACHE"), metavar="DIR", help="kept (default: none)")
    parser.add_argument("--state", metavar="DIR", help="default: beside the cache")
    parser.add_argument("--option", dest="options", action="append", default=[], metavar="WORD",
                        help="a further option of the program's, as in --option=--suite=trixie")
    parser.add_argument("--own-command", action="store_true", help="start what the image itself would start, not `command`")
    parser.add_argument("--no-sizes", dest="sizes", action="store_false", help="do not build plain closures to compare with")
    parser.add_argument("--new", action="store_true", help="build the manifest that `new` prints as well, and compare digests")
    parser.add_argument("--want", type=int, metavar="N", help="how many have to serve everywhere (default: all)")
    parser.add_argument("--patience", type=float, default=1, metavar="FACTOR", help="of the time until the first answer")
    parser.add_argument("--json", metavar="FILE", help="everything, with logs, configurations and notes")
    parser.add_argument("--keep", action="store_true", help="keep what was built, and tell where")
    parser.add_argument("--tmp", metavar="DIR", help="where to build (default: the system's)")
    return parser.parse_args(words)


def judge_all(options):
    """The verdicts of what the options ask for. The process must have one thread, and be root."""
    namespaces.enter_user_namespace()
    judge = Judge(options)
    options.imgfactory = options.imgfactory or run.program()
    options.cache = options.cache or os.path.join(judge.top, "cache")
    options.state = options.state or options.cache.rstrip("/") + "-state"
    try:
        for arch in options.arch:
            if namespaces.foreign(arch) and not namespaces.register(arch):
                emulators.need(arch)
                judge.emulators[arch] = emulators.find(arch)
        return judge.run(load(options.services, options.only))
    finally:
        if options.keep:
            print(f"kept: {judge.top}")
        judge.close()


def main():
    options = arguments()
    verdicts = judge_all(options)
    for line in [*table(verdicts), *summary(verdicts, options.arch)]:
        print(line)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as stream:
            json.dump([verdict.as_json() for verdict in verdicts], stream, indent=1)
    wanted = len({verdict.service for verdict in verdicts}) if options.want is None else options.want
    return 0 if len(serving(verdicts)) >= wanted else 1


if __name__ == "__main__":
    sys.exit(main())
