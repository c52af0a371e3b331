#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long a plan takes on several machines, by a model of measured costs (scripts/shards.md tells where they come from): prints
that page's table."""

import argparse

MACHINES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
COST = {
    "cores": 2,                # of a machine
    "index_cpu": 1.2,          # s: to load and solve once for a source and an architecture
    "order_cpu": 0.33,         # s: unpack, closure, proof, layer of an image for an architecture, nothing of it kept
    "lock_cpu": 0.05,          # s: an order of `imgfactory lock`, besides the index
    "gather_cpu": 0.02,        # s: to check a part and write index and tags
    "index_bytes": 20e6,       # a source's Packages and Contents
    "package_bytes": 12e6,     # of an order, without what others of its machine have fetched
    "layer_bytes": 8e6,        # of an order
    "gather_bytes": 0.15e6,    # bill, manifest and configuration of an order
    "shared": 0.5,             # of package bytes that orders of one machine have in common
    "mirror": 12e6,            # bytes a second, of one machine
    "registry": 12e6,
    "part_requests": 16,       # at the registry, for an order
    "gather_requests": 20,
}
QUAY = {"requests": 50, "lists": 5}  # a second for an address over HTTP/1.1, and lists of tags (quay's public nginx templates)


def simulate(images, arches, machines, is_spread=False, cost=None, limits=None):
    """Seconds by part, and what machines and registry are asked for. Each machine makes one shard; with is_spread it also puts its
    share of the images together, else one machine does that."""
    cost, limits = {**COST, **(cost or {})}, {**QUAY, **(limits or {})}
    orders = images * arches
    busy = min(machines, orders)
    share = -(-orders // busy)  # of the fullest shard
    loads = max(1, -(-arches // busy)) + (1 if busy > arches and arches % busy else 0)  # indices that it loads
    fresh = cost["package_bytes"] * (1 + (share - 1) * (1 - cost["shared"]))
    lock = (arches * cost["index_cpu"] + orders * cost["lock_cpu"]) / cost["cores"] + arches * cost["index_bytes"] / cost["mirror"]
    shard = max((loads * cost["index_cpu"] + share * cost["order_cpu"]) / cost["cores"],
                (loads * cost["index_bytes"] + fresh) / cost["mirror"], share * cost["layer_bytes"] / cost["registry"],
                share * cost["part_requests"] / limits["requests"])
    asked = {"cpu": orders * cost["gather_cpu"] / cost["cores"], "bytes": orders * cost["gather_bytes"] / cost["registry"],
             "requests": orders * cost["gather_requests"] / limits["requests"], "lists": 2 * images / limits["lists"]}
    assemble = max(asked.values()) / (min(machines, images) if is_spread else 1)
    parts = {"lock": lock, "shards": shard, f"assemble ({max(asked, key=asked.get)})": assemble}
    return {"seconds": lock + shard + assemble, "bound": max(parts, key=parts.get),
            "mirror": busy * (loads * cost["index_bytes"] + fresh) + arches * cost["index_bytes"],
            "requests": orders * (cost["part_requests"] + cost["gather_requests"])}


def knee(images, arches, is_spread):
    """The number of machines behind which twice as many save less than a tenth."""
    for one, two in zip(MACHINES, MACHINES[1:]):
        if simulate(images, arches, two, is_spread)["seconds"] > 0.9 * simulate(images, arches, one, is_spread)["seconds"]:
            return one
    return MACHINES[-1]


def print_table(arches, is_spread):
    print(f"| images x {arches} | " + " | ".join(str(machines) for machines in MACHINES) + " | knee | requests | GB of the mirror, 1 and 256 | "
          "bound at the knee |")
    print("|---|" + "---:|" * (len(MACHINES) + 3) + "---|")
    for images in (10, 100, 1000, 10000):
        runs = {machines: simulate(images, arches, machines, is_spread) for machines in MACHINES}
        best = knee(images, arches, is_spread)
        times = " | ".join(f"{run['seconds'] / 60:.1f}" for run in runs.values())
        print(f"| {images} | {times} | {best} | {runs[1]['requests']} | {runs[1]['mirror'] / 1e9:.1f}, "
              f"{runs[256]['mirror'] / 1e9:.1f} | {runs[best]['bound']} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--arches", type=int, default=6)
    arches = parser.parse_args().arches
    print("One machine puts all images together, minutes:\n")
    print_table(arches, False)
    print("\nEach machine puts a share of them together, minutes:\n")
    print_table(arches, True)


if __name__ == "__main__":
    main()
