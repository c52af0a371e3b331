# SPDX-License-Identifier: Apache-2.0
"""Nights of a site that prunes, on a real registry with deletion: after each, what was current in the days of its keep is there, whole,
with all that is about it; what was superseded longer ago is gone; what others tagged is where it was."""

import json
import os
import random
import subprocess
import sys

from kit import published, run

from . import upstream
from .machine import Machine
from .place import Place, Wrong, want

IMAGES = {"alpha": "alpha", "gamma": "gamma"}  # → the package that a change of its own bumps
SITE = """\
registry: {host}
namespace: site
tls-verify: false
arch: all
source: ./deb.yaml
sync-wait: 0
retries: 1
status: {host}/site/status
prune: true
tags: [latest, {{tag: "{{version}}", immutable: true}}, {{tag: "{{full-version}}-{{date}}", keep: {keep}d}}]
images:
  - ./alpha.yaml
  - {{image: ./gamma.yaml, keep: {keep}d, tags: [latest]}}
"""
# alpha's version tags keep what they are at as long as nobody says how long: the checker knows.


class Pruned(Place):
    """`nights` of them, with so many changes; digests are kept for `keep` days. close() ends it."""

    def __init__(self, top, seed, nights=90, changes=30, keep=30, out=sys.stderr):
        super().__init__(top, nights)
        self.keep, self.out = keep, out
        self.random = random.Random(seed)
        self.changes = set(self.random.sample(range(1, nights), changes))
        self.there = {image: published.Repository(self.registry.host, f"site/{image}") for image in IMAGES}
        self.current = {image: {} for image in IMAGES}   # digest → the last night in which it was current
        self.about = {image: {} for image in IMAGES}     # digest → what is about it
        self.foreign = {}                                # (image, tag) → digest
        self.whole = set()
        self._write_site()
        self.machine = Machine(os.path.join(top, "machine"), self.config, os.path.join(top, "home"))
        self._stack.callback(self.machine.close)
        self.biggest = 0

    def _write_site(self):
        for name in IMAGES:
            self.write(f"{name}.yaml", f"name: {name}\nbinaries: [/usr/sbin/{name}]\nfiles: [/usr/share/{name}/about]\n"
                                       f"config:\n  entrypoint: [/usr/sbin/{name}]\n")
        self.config = self.write("imgfactory.yaml", SITE.format(host=self.proxy.host, keep=self.keep))

    def publish(self, days_back):
        folder = os.path.join(self.top, self.make(days_back, ("deb",) if self.upstream.generations else ("deb", "rpm")).folder)
        link = os.path.join(self.top, "deb")
        if os.path.islink(link):
            os.unlink(link)
        os.symlink(os.path.join(folder, "deb"), link)

    def play(self):
        for night in range(self.nights):
            try:
                self.night(night)
            except Exception as error:
                raise Wrong(f"night {night}: {error}") from error

    def night(self, night):
        days_back = self.nights - night
        if night == 0 or night in self.changes:
            for _ in range(self.random.choice((1, 1, 1, 2)) if night else 0):
                self.upstream.bump(self.random.choice(("alpha", "gamma", "alpha", "gamma", "libone1")))
            self.publish(days_back)
        if self.random.random() < 0.05:
            self.machine.lose(self.random.choice(("state", "cache")))
        outcome = self.machine.run(days_back)
        want(outcome.code == run.OK, f"the exit status is {outcome.code}: {outcome}")
        for image in IMAGES:
            digest = self.registry.tags(f"site/{image}")["latest"]
            is_new = digest not in self.current[image]
            self.current[image][digest] = night
            if is_new:
                self.add_others(image, digest)
        self.look(night)
        if self.out:
            print(f"night {night}: {[len(known) for known in self.current.values()]} digests, "
                  f"{json.loads(outcome.result.stdout).get('pruned')}", file=self.out, flush=True)

    def add_others(self, image, digest):
        """What others do with a new digest: bills and signatures, now and then a tag of their own."""
        there = self.there[image]
        child = there.read(digest)["manifests"][0]["digest"]
        self.about[image][digest] = [there.attach(digest, f"bill of {digest}"), there.attach(child, f"bill of {child}", "x")]
        if self.random.random() < 0.1:
            tag = f"pinned-{len(self.foreign)}"
            subprocess.run(["skopeo", "copy", "--quiet", "--all", "--preserve-digests", "--src-tls-verify=false", "--dest-tls-verify=false",
                            f"docker://{there.reference}@{digest}", f"docker://{there.reference}:{tag}"], check=True)
            self.foreign[image, tag] = digest

    def look(self, night):
        for image, known in self.current.items():
            there, tags = self.there[image], self.registry.tags(f"site/{image}")
            for (of, tag), digest in self.foreign.items():
                want(of != image or tags.get(tag) == digest, f"{image}:{tag} was touched")
            stay = {digest for digest, last in known.items() if night - last <= self.keep}
            stay |= {digest for tag, digest in tags.items() if not tag.startswith("sha256-") and "Z-" not in tag}
            for digest in known:
                if digest in stay:
                    self.look_whole(image, digest)
                    own = [tag for tag in tags if tag.endswith("-" + digest[7:19])]
                    want(own or digest not in stay, f"{image}@{digest} has no tag of its own: {tags}")
                elif night - known[digest] > self.keep + 1:
                    want(not there.has(digest), f"{image}@{digest}, last current {night - known[digest]} nights ago, is there")
                    for about in self.about[image][digest]:
                        want(not there.has(about), f"{about}, about {image}@{digest}, is there")
            bad = there.incomplete()
            want(not bad, f"{image}: {bad}")

    def look_whole(self, image, digest):
        self.registry.check(f"site/{image}", digest)
        for about in self.about[image][digest]:
            want(self.there[image].has(about), f"{about}, about {image}@{digest}, is gone")

    def pull(self):
        """skopeo gets all that is to be there, for both architectures."""
        for image, known in self.current.items():
            for digest, last in known.items():
                if self.nights - 1 - last > self.keep:
                    continue
                for arch in upstream.ARCHES:
                    subprocess.run(["skopeo", "copy", "--quiet", "--override-arch", arch, "--src-tls-verify=false",
                                    f"docker://{self.there[image].reference}@{digest}",
                                    f"dir:{self.top}/pulled-{image}-{digest[7:19]}-{arch}"], check=True)

    def collect(self):
        """The registry's own collection; returns how many bytes are left."""
        subprocess.run([self.registry.program, "garbage-collect", os.path.join(self.registry.folder, "registry.yml")], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        blobs = os.path.join(self.registry.root, "docker/registry/v2/blobs")
        return sum(os.path.getsize(os.path.join(top, name)) for top, _, names in os.walk(blobs) for name in names)
