# SPDX-License-Identifier: Apache-2.0
"""Roots of other releases, for judges that the host has not got (another apt, another dnf).

$IMGFACTORY_ROOTS names a folder with a root directory per release ("trixie", "sid"; also "trixie-dev"). Entering one needs
root. Without one the tests that want it are left out, and say so.
"""

import contextlib
import os
import shutil
import subprocess
import tempfile


def find(release, holds):
    """The root of a release that has the file `holds` ("usr/bin/apt-get"), or None."""
    top = os.environ.get("IMGFACTORY_ROOTS")
    for name in (release, f"{release}-dev") if top and os.geteuid() == 0 else ():
        if os.path.exists(os.path.join(top, name, holds)):
            return os.path.join(top, name)
    return None


@contextlib.contextmanager
def folder(root):
    """A temporary folder of a root ("" or None: of the host): yields (its path outside, its path inside)."""
    outside = tempfile.mkdtemp(prefix="imgfactory-", dir=os.path.join(root, "tmp") if root else None)
    try:
        yield outside, os.path.join("/tmp", os.path.basename(outside)) if root else outside
    finally:
        shutil.rmtree(outside, ignore_errors=True)


def run(root, command, **options):
    """subprocess.run() inside a root."""
    return subprocess.run([*(["chroot", root] if root else []), *command], **options)
