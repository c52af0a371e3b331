# SPDX-License-Identifier: Apache-2.0
"""Paths of a root directory as a process sees them that has it as its root."""

import os


def inside(root, path):
    """Where a path leads to: symlinks followed, also absolute ones, never out of the root."""
    done, todo, hops = [], path.strip("/").split("/"), 0
    while todo:
        part = todo.pop(0)
        if part in ("", "."):
            continue
        if part == "..":
            done = done[:-1]
            continue
        here = os.path.join(root, *done, part)
        if os.path.islink(here):
            hops += 1
            if hops > 40:
                raise OSError(f"{path}: symlinks in a circle")
            target = os.readlink(here)
            done = [] if target.startswith("/") else done
            todo = target.split("/") + todo
        else:
            done.append(part)
    return "/" + "/".join(done)
