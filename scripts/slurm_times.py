#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""24 images of the catalogue for two architectures, by one process and by a Slurm of two nodes (slurm-lab) with one core each: prints
how long each takes, and ends with 1 unless all tags and digests are the same and whole.

As root: IMGFACTORY=build/release/imgfactory scripts/slurm_times.py DIR [IMAGE...]
DIR is the lab's folder, made when it is not there; packages come from the host's repositories. "cold": with empty caches; "shared": so,
beside the read-only cache of the one process (cache-from); "warm": with the packages in the caches, and nothing else (--rebuild).
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../tests")]

from kit.case import wait_for  # noqa: E402
from kit.registry import Registry  # noqa: E402
from slurm_faults import Slurm  # noqa: E402

IMAGES = ("apache2 bind9 busybox chrony dhcpd dhcpd-base dhcpd-ldap dhcpd6 dnsmasq haproxy kea-ctrl-agent kea-dhcp-ddns kea-dhcp4 kea-dhcp6 "
          "memcached mosquitto nginx openssh-server postgresql-15 redis rsyslog snmpd squid unbound").split()
SHARDS = "4%2"
PROGRAM = os.path.abspath(os.environ["IMGFACTORY"])


class Site:
    """The same images under a namespace of their own for each run."""

    def __init__(self, top, images, registry, lab):
        self.top, self.images, self.registry, self.lab = top, images, registry, lab
        self.lock = os.path.join(top, "imgfactory.lock")
        self.call("lock", "--update", *self.words("lock", "lock"))

    def call(self, *words):
        begin = time.monotonic()
        done = subprocess.run([PROGRAM, *words], cwd=self.top, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if done.returncode:
            sys.exit(f"{words}: {done.returncode}\n{done.stdout.decode()}")
        return time.monotonic() - begin

    def words(self, namespace, machine, more=""):
        """What a call for a namespace has on a machine."""
        config = os.path.join(self.top, f"{namespace}.yaml")
        with open(config, "w", encoding="utf-8") as stream:
            stream.write(f"registry: {self.registry.host}\nnamespace: {namespace}\ntls-verify: false\narch: x86_64,aarch64\n{more}images:\n" +
                         "".join(f"  - {name}\n" for name in self.images))
        own = os.path.join(self.top, machine)
        return [f"--config={config}", f"--lock-file={self.lock}", f"--cache={own}/cache", f"--state={own}/state"]

    def alone(self, namespace, *options):
        return self.call("--quiet", "--locked", "--jobs=2", *options, f"--output={self.top}/out-{namespace}", *self.words(namespace, "alone"))

    def script(self, namespace, name, options):
        """A script with each node's own core, cache, state and temporary files."""
        path = os.path.join(self.top, f"units-{namespace}", f"imgfactory-{namespace}-{name}.sbatch")
        with open(path, encoding="utf-8") as stream:
            text = stream.read()
        own = f"{self.top}/$SLURMD_NODENAME"
        text = text.replace("work=$(mktemp -d)", f"taskset -cp $((${{SLURMD_NODENAME#n}} - 1)) $$ >/dev/null\nexport XDG_CACHE_HOME={own}/cache "
                            f"XDG_STATE_HOME={own}/state TMPDIR={own}/tmp\nmkdir -p $TMPDIR\nwork=$(mktemp -d)")
        if name == "shards":
            text = text.replace("--quiet", " ".join(["--quiet", *options]), 1)
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(text)
        return path

    def submit(self, path, *words):
        done = subprocess.run(["sbatch", "--parsable", "--time=60", "--mem=4000M", f"--output={self.top}/%j.log", *words, path], check=True,
                              cwd=self.top, env={**os.environ, **self.lab.env}, stdout=subprocess.PIPE)
        return done.stdout.decode().strip().split(";")[0]

    def nodes(self, namespace, *options, more=""):
        config = self.words(namespace, "alone", more)[0]
        self.call("unit", "--format=slurm", f"--shard={SHARDS}", f"--units={self.top}/units-{namespace}", config)
        scripts = [self.script(namespace, name, options) for name in ("shards", "assemble")]
        begin = time.monotonic()
        shards = self.submit(scripts[0])
        assemble = self.submit(scripts[1], f"--dependency=afterany:{shards}")
        wait_for("the shards", lambda: self.lab.ended(shards), 3600)
        middle = time.monotonic()
        wait_for("the last job", lambda: self.lab.ended(assemble), 3600)
        states = {**self.lab.states(shards), **self.lab.states(assemble)}
        if set(states.values()) != {"COMPLETED"}:
            sys.exit(f"{states}; see {self.top}/*.log")
        return middle - begin, time.monotonic() - begin

    def tags(self, namespace):
        seen = {}
        for name in self.images:
            tags = {tag: at for tag, at in self.registry.tags(f"{namespace}/{name}").items() if not tag.startswith("imgfactory-")}
            for digest in set(tags.values()):
                self.registry.check(f"{namespace}/{name}", digest)
            seen[name] = tags
        return seen


def compare(site, namespaces):
    first = site.tags(namespaces[0])
    count = sum(len(tags) for tags in first.values())
    if not all(first.values()):
        sys.exit(f"no tags of {[name for name, tags in first.items() if not tags]}")
    for namespace in namespaces[1:]:
        if site.tags(namespace) != first:
            sys.exit(f"{namespaces[0]} and {namespace} differ:\n{json.dumps([first, site.tags(namespace)], indent=1)}")
    platforms = {len(json.loads(site.registry.blob(digest))["manifests"]) for tags in first.values() for digest in tags.values()}
    print(f"{len(first)} images, {count} tags, platforms of each: {sorted(platforms)}: the same in {', '.join(namespaces)}, byte for byte")


def main():
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__.strip())
    lab = Slurm(os.path.abspath(sys.argv[1]))
    top = tempfile.mkdtemp(prefix="slurm-times-")
    registry = Registry(os.path.join(top, "registry"))
    try:
        os.makedirs(registry.folder)
        site = Site(top, sys.argv[2:] or IMAGES, registry.start(), lab)
        print("| caches | one process, 2 cores | 2 nodes, a core each: shards | and put together |\n|---|---:|---:|---:|")
        alone = site.alone("alone-cold")
        shards, whole = site.nodes("nodes-cold")
        print(f"| cold | {alone:.1f} s | {shards:.1f} s | {whole:.1f} s |", flush=True)
        shutil.rmtree(os.path.join(top, "n1"))
        shutil.rmtree(os.path.join(top, "n2"))
        shards, whole = site.nodes("nodes-shared", more=f"cache-from: {top}/alone/cache\n")
        print(f"| shared | | {shards:.1f} s | {whole:.1f} s |", flush=True)
        alone = site.alone("alone-warm", "--rebuild")
        shards, whole = site.nodes("nodes-warm", "--rebuild")
        print(f"| warm | {alone:.1f} s | {shards:.1f} s | {whole:.1f} s |", flush=True)
        print(f"load of the machine: {os.getloadavg()[0]:.0f}")
        compare(site, ["alone-cold", "alone-warm", "nodes-cold", "nodes-shared", "nodes-warm"])
    finally:
        registry.stop()
        lab.stop()
    shutil.rmtree(top)


if __name__ == "__main__":
    main()
