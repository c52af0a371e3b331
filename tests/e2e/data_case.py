# SPDX-License-Identifier: Apache-2.0
"""Images with data in volumes, unpacked beside volumes in folders, and started by their start program."""

import os
import shutil
import stat
import subprocess


def shells():
    found = [["sh"]]
    busybox = shutil.which("busybox")
    return found + ([[busybox, "sh"]] if busybox else [])


class Volumes:
    """For a Case: volumes of all images that it unpacks are in its folder `volumes`."""

    def unpack(self, image, name):
        """Unpacks the image, with links in the places of its volumes, and returns its folder."""
        root = self.path("root-" + name)
        os.makedirs(root)
        subprocess.run(["tar", "-xp", "--numeric-owner", "-C", root, "-f", "-"], input=image.tar_bytes, check=True)
        self.mount_volumes(root)
        return root

    def mount_volumes(self, root):
        for volume in ("data", "logs", "scratch"):
            if os.path.isdir(os.path.join(root, volume)):
                os.rmdir(os.path.join(root, volume))
                os.makedirs(self.path("volumes/" + volume), exist_ok=True)
                os.symlink(self.path("volumes/" + volume), os.path.join(root, volume))

    def start(self, root, shell=("sh",), code=0, command=("echo", "started"), env=None):
        result = subprocess.run([*shell, root + "/usr/lib/imgfactory/start", *command], stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, env={"PATH": os.environ["PATH"], **(env or {})},
                                timeout=60, check=False)
        self.assertEqual(result.returncode, code, result.stdout)
        self.assertEqual("started\n" in result.stdout, code == 0)
        return result.stdout

    def volume(self, name, volume="data"):
        return self.path(f"volumes/{volume}{name}")

    def text(self, name):
        with open(self.volume(name), encoding="utf-8") as stream:
            return stream.read()

    def change(self, name, text="admin\n"):
        with open(self.volume(name), "w", encoding="utf-8") as stream:
            stream.write(text)

    def forget(self):
        for name in os.listdir(self.path("volumes")):
            shutil.rmtree(self.path("volumes/" + name))
            os.mkdir(self.path("volumes/" + name))

    def facts(self, volume="data"):
        """All of a volume but its log: kind, mode, owner, bytes or target of each path."""
        facts, top = {}, self.path("volumes/" + volume)
        for folder, names, files in os.walk(top):
            for name in names + files:
                path = os.path.join(folder, name)
                what = os.lstat(path)
                content = os.readlink(path) if stat.S_ISLNK(what.st_mode) else None
                if stat.S_ISREG(what.st_mode):
                    with open(path, "rb") as stream:
                        content = stream.read()
                facts[os.path.relpath(path, top)] = (what.st_mode, what.st_uid, what.st_gid, content)
        for name in ("upgrade.log", ".lock"):
            facts.pop(name, None)
        return facts
