# SPDX-License-Identifier: Apache-2.0
"""A site of six images for two architectures, its mirror, its registry with a proxy before it, and what must hold of them after
each night, whatever happened in it."""

import json
import os
import re
import threading
import time

from kit import run

from . import outside, upstream
from .machine import Machine
from .place import Place, Wrong, want

NAMESPACE = "site"
MANIFESTS = {"alpha": '{{version}}', "beta": None, "gamma": "{{full-version}}", "rho": None, "sigma": "{{version}}"}
SITE = """\
registry: {host}
namespace: {namespace}
tls-verify: false
arch: all
source: ./deb.yaml
sync-wait: 0
retries: 2
tags: [latest]
status: {host}/{namespace}/status
images:
  - ./alpha.yaml
  - ./beta.yaml
  - {{image: ./gamma.yaml, tags: [latest, "{{full-version}}"]}}
  - command:delta
  - {{images: [./rho.yaml, ./sigma.yaml], source: ./rpm.yaml}}
"""


class Watch:
    """Looks at the tags all the time: at any instant each names a whole image."""

    def __init__(self, site):
        self.site, self.fault = site, None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._main, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()
        want(self.fault is None, f"a tag was seen in a night: {self.fault}")

    def _main(self):
        while not self._stop.wait(0.02) and not self.fault:
            for image in outside.IMAGES:
                for tag, digest in self.site.outside.tags(image).items():
                    if not digest:
                        continue  # the registry is just writing it
                    try:
                        self.site.outside.check_whole(image, digest)
                    except (AssertionError, OSError, ValueError) as error:
                        self.fault = f"{image}:{tag}: {error}"


class Site(Place):
    """close() ends it. `night` is the night that it is, the last of `nights` is today."""

    def __init__(self, top, nights):
        super().__init__(top, nights)
        self.night = 0
        self.mirror.versions = "ETag"
        self.outside = outside.Registry(self.registry, self.registry.host, NAMESPACE)
        self.mirrors = []              # outside.Mirror of each generation
        self.moved = {}                # (image, tag) → all digests that it had, in order
        self.floor = {}                # (image, architecture) → the oldest generation that it may be of
        self.digests = {}              # (image, what it has to be made of) → digest
        self.may_differ = False        # architectures, since one was not to be had
        self.machines = []
        self._write_site()
        for name in ("first", "second"):
            machine = Machine(os.path.join(top, name), self.config, os.path.join(top, "home"))
            self._stack.callback(machine.close)
            self.machines.append(machine)

    @property
    def days_back(self):
        return self.nights - self.night

    # What is written.

    def _write_site(self):
        key = self.ring.get("main")
        for name, more in MANIFESTS.items():
            kind, _, paths = outside.IMAGES[name]
            program = next(path for path in paths if "bin/" in path)
            files = ", ".join(path for path in paths if path != program)
            tags = f'tags: [latest, "{more.format()}"]\n' if more and name != "gamma" else ""
            self.write(f"{name}.yaml", f"name: {name}\nbinaries: [{program}]\nfiles: [{files}]\nconfig:\n  entrypoint: [{program}]\n{tags}")
        self.write("rpm.yaml", f"kind: rpm\nname: kit\nbaseurl: {self.mirror.url}/rpm/$basearch\ngpgkey: [{key.armoured}]\n")
        self.config = self.write("imgfactory.yaml", SITE.format(host=self.proxy.host, namespace=NAMESPACE))

    # The repositories.

    def publish(self, kinds=("deb", "rpm"), is_served=True):
        """A new generation, of one hour before the night (each some seconds after the one before)."""
        made = self.make(self.days_back, kinds)
        self.mirrors.append(outside.Mirror(made.folder))
        if is_served:
            self.serve(made.folder)
        return made

    def serve(self, folder):
        self.mirror.root = os.path.realpath(folder)

    @property
    def generation(self):
        return self.upstream.generations[-1]

    def forget_requests(self):
        self.mirror.requests.clear()
        self.mirror.not_modified.clear()
        self.proxy.forget()

    def heal(self):
        self.mirror.heal()
        self.proxy.heal()
        self.serve(self.generation.folder)

    # What must hold.

    def tags_now(self, image, generation=-1):
        """The tags that an image has to have, as of the newest generation or of another."""
        if image not in MANIFESTS or not MANIFESTS[image]:
            return {"latest"}
        kind, _, _ = outside.IMAGES[image]
        version = self.mirrors[generation].newest(kind, "amd64")[image].version
        return {"latest", version if image == "gamma" else version.split("-")[0]}

    def look(self, is_current_wanted, may_move=lambda image: True):
        """Looks at all tags after a night. Returns {image: how many moved}."""
        return {image: self._look_at(image, is_current_wanted(image) and not self.lagging(image), may_move(image))
                for image in outside.IMAGES}

    def lagging(self, image):
        return self.mirrors[-1].lagging(image)

    def _look_at(self, image, is_current_wanted, may_move):
        tags, moved = self.outside.tags(image), 0
        for tag, digest in sorted(tags.items()):
            want(digest, f"{image}:{tag} names nothing")
            self.outside.check_whole(image, digest)
            before = self.moved.setdefault((image, tag), [])
            if before and before[-1] == digest:
                continue
            want(may_move, f"{image}:{tag} moved to {digest}")
            is_mended = before and len(self.outside.platforms(before[-1])) < len(upstream.ARCHES)  # on-missing: publish
            want(digest not in before or is_mended, f"{image}:{tag} went back to {digest}")
            want(self.may_differ or not self._differ(image, digest), f"{image}:{tag} moved while architectures differ in {self._differ(image, digest)}")
            want(tag in self.tags_now(image) | self.tags_now(image, max(-2, -len(self.mirrors))),
                 f"{image}:{tag} moved, and is no tag of the present version, nor of the last one")
            before.append(digest)
            moved += 1
            self.outside.copy(image, tag, digest)
            self._raise_floor(image, tag, digest)
        for (of, tag), digests in self.moved.items():
            want(of != image or tags.get(tag) == digests[-1], f"{image}:{tag} is gone")
        if is_current_wanted:
            self._want_current(image, tags)
        return moved

    def _differ(self, image, digest):
        """The packages in which the architectures of an image differ: what tells of itself says its version."""
        told = [dict(re.findall(r"([a-z0-9-]+) (\d+) (?:amd64|arm64|x86_64|aarch64|all)\n", "".join(
            data[-80:].decode(errors="replace") for data in files.values()))) for files in self.outside.files(digest).values()]
        return [name for name in outside.IMAGES[image][1] if told[0].get(name) != told[-1].get(name)]

    def _raise_floor(self, image, tag, digest):
        """The contents are those of one generation, and no older one than what was there."""
        for arch in self.outside.platforms(digest):
            floor = self.floor.get((image, arch, tag), 0)
            faults = []
            for number in range(floor, len(self.mirrors)):
                fault = self.outside.unlike(image, digest, self.mirrors[number], arch)
                if not fault:
                    self.floor[image, arch, tag] = number
                    break
                faults.append(f"{number}: {fault}")
            else:
                raise Wrong(f"{image}:{tag} is of no generation since {floor}: " + "; ".join(faults[-3:]))

    def _want_current(self, image, tags):
        names = self.tags_now(image)
        want(names <= set(tags), f"{image} has the tags {sorted(tags)}, not all of {sorted(names)}")
        digests = {tags[name] for name in names}
        want(len(digests) == 1, f"{image}: {names} name several digests")
        (digest,) = digests
        for arch in upstream.ARCHES:
            fault = self.outside.unlike(image, digest, self.mirrors[-1], arch)
            want(not fault, f"after a good night {fault}")
        known = self.digests.setdefault((image, self.mirrors[-1].signature(image)), digest)
        want(known == digest, f"{image}: a needless digest, {digest}: the same packages gave {known} before")

    def check_report(self, outcome, moved):
        """What the program says of a night is what the registry shows."""
        report, told = outcome.report, outcome.metrics
        want(report is not None, f"no report: {outcome}")
        want(report.json["exit"] == outcome.code == told["last_run_exit_status"], f"the exit status is {outcome.code}, the report says "
             f"{report.json['exit']}, the metrics {told['last_run_exit_status']}")
        failed = 0
        for name, image in report.images().items():
            word = name.split(":")[-1].removeprefix("./").removesuffix(".yaml")
            push = report.push(name) if image.get("push") else None
            is_held = image["status"] == "held"
            want(is_held == bool((image.get("together") or {}).get("held")), f"{name}: {image['status']}, {image.get('together')}")
            want(not is_held or push is None, f"{name} is held and was pushed")
            is_good = is_held or image["status"] != "failed" and push is not None and push.status in ("pushed", "unchanged")
            failed += not is_good
            want(told[f'image_success{{image="{name}"}}'] == is_good, f"{name}: the metrics and the report do not agree")
            if is_good and not is_held:
                tags = self.outside.tags(word)
                newer = image.get("newer")
                said = {tag: new if newer else push.digest for tag, (_, new) in push.tags.items() if new or not newer}
                want({tag: tags.get(tag) for tag in said} == said, f"{name}: the report says {push.tags}, the registry has {tags}")
                want(not newer or tags["latest"] == newer["digest"], f"{name}: {newer} is not at latest")
            if moved is not None and is_good:
                want(told[f'image_moved_tags{{image="{name}"}}'] == moved[word], f"{name}: {moved[word]} tags moved, the metrics say "
                     f"{told[f'image_moved_tags{{image={chr(34)}{name}{chr(34)}}}']}")
        is_recorded = report.json["status_record"]["status"] == "written"
        lines = [line.split()[0] for line in outcome.summary]
        want(lines[:-1].count("FAILED") == failed + (not is_recorded) and len(lines) == 1 + (not is_recorded) + len(report.images()),
             f"the summary is {outcome.summary}")
        want((lines[-1] == "FAILED") == (outcome.code != 0), f"the summary ends {outcome.summary[-1]}, the exit status is {outcome.code}")
        is_overdue = bool(report.json.get("overdue"))
        is_partly = any((image.get("together") or {}).get("missing") for image in report.json["images"])
        want((outcome.code == run.OK) == (failed == 0 and not is_overdue and not is_partly and is_recorded), f"exit status {outcome.code}, and {failed} images failed")

    def check_record(self, machine, failed=()):
        """The status record tells of the night, and `imgfactory status` reads it without any state: 9 when images failed."""
        tags = self.outside.tags("status")
        want(set(tags) == {"latest"}, f"the record has the tags {sorted(tags)}")
        manifest = json.loads(self.registry.blob(tags["latest"]))
        told = {image["image"]: image for image in json.loads(self.registry.blob(manifest["layers"][0]["digest"]))["images"]}
        want(set(told) == set(outside.IMAGES), f"the record tells of {sorted(told)}")
        for name, image in told.items():
            want(abs(image["night"] - time.time() + self.days_back * upstream.DAY) < 300, f"the record's night of {name} is another")
            want((image["outcome"] == "failed") == (name in failed), f"the record says of {name} {image['outcome']}, {failed} failed")
            if name not in failed and not self.lagging(name):
                want(image["digest"] == self.outside.tags(name)["latest"], f"the record has another digest of {name} than the registry")
        is_held = any(map(self.lagging, outside.IMAGES))  # for how long decides
        for days, wanted in ((0, (9,) if failed else (0, 9) if is_held else (0,)), (2, (9,))):
            command = [*machine.command()[:1], "status", "--json", "--tls-verify=false", f"{self.proxy.host}/{NAMESPACE}/status"]
            begun = time.time()
            outcome = machine.end(machine.start(self.days_back - days, command=command), begun)
            want(outcome.code in wanted, f"status ends with {outcome.code} {days} days later: {outcome}")
            for name in failed:
                want(name in outcome.result.stderr, f"status does not name {name}: {outcome}")

    def check_requests(self, machine):
        """After a night in which nothing changed: one conditional request of each index, one of each tag, five for the record."""
        indices = len(upstream.SUITES) + len(upstream.ARCHES)
        asked = self.mirror.requests
        want(len(asked) <= indices and len(self.mirror.not_modified) == len(asked), f"the mirror was asked {asked}")
        tags = sum(len(self.tags_now(image)) for image in outside.IMAGES)
        due = sum(self.night - machine.asked.get(image, -9) >= 7 for image in outside.IMAGES)
        record = self.proxy.asked(pattern=f"/{NAMESPACE}/status/")
        want(len(record) <= (5 if self.machines[1].accepted is None else 8), f"the record was asked for {record}")
        if not due:
            others = [request for request in self.proxy.requests if request not in record]
            heads = [request for request in others if "/manifests/" in request.target]
            want(len(heads) <= tags and len(others) <= tags + 2,
                 f"the registry was asked {len(heads)} times for {tags} tags, and besides for "
                 f"{[request.target for request in others if request not in heads][:4]}")
        return due
