#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures many images for two architectures in one call, against a local mirror (bench_mirror.py): CPU and wall time, peak memory
and the size of the cache. `scripts/bench batch 98` are the catalogue's 19 and 79 services that a manifest names by their binary
alone; a smaller number takes the first ones.

cold       new cache and state folders
warm       --rebuild: indices and packages cached
unchanged  nothing changed; the mirror is asked
peak MiB is the process's own, with the files that it has mapped. cgroup peak MiB, where a memory cgroup can be made, is what the
kernel charged to the run without a limit: also all pages of files that it read or wrote first (before each run those of its cache
are dropped), of which it needs few at a time.
"""

import os
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from bench_mirror import Mirror  # noqa: E402  pylint: disable=wrong-import-position
from bench_sides import (ARCHES, CATALOGUE, Table, builds_options, drop_from_memory, parser_of, run, sides_of,  # noqa: E402  pylint: disable=wrong-import-position
                         size_mb, turns)

KEYS = ("cpu_s", "wall_s", "peak_mib", "memory_mib", "cgroup_mib", "cache_mb")
SERVICES = """
sbin/auditd sbin/rpcbind usr/sbin/acpid usr/sbin/ahcpd usr/sbin/atftpd usr/sbin/babeld usr/sbin/bidentd usr/sbin/binkd
usr/sbin/bootpd usr/sbin/clamd usr/sbin/conmand usr/sbin/danted usr/sbin/dictd usr/sbin/diod usr/sbin/fwknopd usr/sbin/gdnsd
usr/sbin/gearmand usr/sbin/gld usr/sbin/gmetad usr/sbin/gmond usr/sbin/gpsd usr/sbin/haveged usr/sbin/hostapd usr/sbin/i2pd
usr/sbin/iceccd usr/sbin/innd usr/sbin/inspircd usr/sbin/iodined usr/sbin/ircd-hybrid usr/sbin/isnsd usr/sbin/kadmind
usr/sbin/keepalived usr/sbin/knockd usr/sbin/knotd usr/sbin/lighttpd usr/sbin/lldpad usr/sbin/lldpd usr/sbin/llmnrd
usr/sbin/mariadbd usr/sbin/mini_httpd usr/sbin/minidlnad usr/sbin/munged usr/sbin/murmurd usr/sbin/ndppd usr/sbin/ngircd
usr/sbin/nmbd usr/sbin/ns-slapd usr/sbin/nsd usr/sbin/nslcd usr/sbin/oidentd usr/sbin/pcscd usr/sbin/pmacctd usr/sbin/popa3d
usr/sbin/postsrsd usr/sbin/pppd usr/sbin/pptpd usr/sbin/proftpd usr/sbin/ptpd usr/sbin/pure-ftpd usr/sbin/radvd
usr/sbin/rbldnsd usr/sbin/rinetd usr/sbin/saslauthd usr/sbin/shibd usr/sbin/slapd usr/sbin/smbd usr/sbin/snmptrapd
usr/sbin/softflowd usr/sbin/tgtd usr/sbin/tincd usr/sbin/tinysshd usr/sbin/ulogd usr/sbin/varnishd usr/sbin/vnstatd
usr/sbin/vsftpd usr/sbin/winbindd usr/sbin/xinetd usr/sbin/xl2tpd usr/sbin/yadifad
""".split()


def images_of(count, top):
    """The words for the command line."""
    os.makedirs(top)
    images = CATALOGUE[:count]
    for binary in SERVICES[:count - len(images)]:
        path = os.path.join(top, os.path.basename(binary) + ".yaml")
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(f"description: {os.path.basename(binary)}\nbinaries: [/{binary}]\n")
        images.append(path)
    return images


def bench(arguments, mirror, top, table):
    sides = sides_of(arguments, top)
    base = ["--source", mirror.source, "--arch", ARCHES, "--compression", arguments.compression]
    images = images_of(arguments.count, os.path.join(top, "manifests"))

    def measure(words, is_cold=False):
        def measured(side, _):
            if is_cold:
                side.forget()
            drop_from_memory(side.path("cache"))
            sample = run(side.command(*base, *words, *images), is_grouped=True)
            return {**sample, "cache_mb": size_mb(side.path("cache"))}
        return measured

    run(sides[0].command(*base, *images))  # the mirror fetches what it has not
    for side in sides[1:]:
        run(side.command(*base, *images))
    table.add("cold", turns(sides, arguments.runs, measure([], True)))
    table.add("warm", turns(sides, arguments.runs, measure(["--rebuild"])))
    table.add("unchanged", turns(sides, arguments.runs, measure([])))


def main():
    parser = parser_of("batch", __doc__, 3)
    most = len(CATALOGUE) + len(SERVICES)
    parser.add_argument("count", nargs="?", type=int, default=most, choices=range(1, most + 1), metavar="IMAGES",
                        help=f"how many images (default {most})")
    builds_options(parser)
    arguments = parser.parse_args()
    table = Table(arguments, KEYS, f"{arguments.count} images for two architectures in one call, a local mirror")
    with tempfile.TemporaryDirectory(prefix="imgfactory-bench-", dir=os.environ.get("TMPDIR", "/var/tmp")) as top:
        with Mirror(arguments.mirror or os.path.join(top, "mirror")) as mirror:
            bench(arguments, mirror, top, table)
    table.end()


if __name__ == "__main__":
    main()
