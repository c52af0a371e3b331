# SPDX-License-Identifier: Apache-2.0
"""Makes images of system containers, good and broken ones, and reads what an installation of one left on a host."""

import json
import os
import platform

from . import base_image, elf

ATOMIC = "var/lib/containers/atomic"
LABELS = {"name": "greeter", "version": "1", "release": "1", "summary": "says hello", "maintainer": "kit",
          "atomic.type": "system"}
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
SERVICE = """[Unit]
Description=$NAME

[Service]
ExecStart=$EXEC_START
ExecStop=$EXEC_STOP
WorkingDirectory=$DESTDIR
Restart=on-failure

[Install]
WantedBy=multi-user.target
"""
TMPFILES = "d ${STATE_DIRECTORY}/${NAME} 0700 ${HOST_UID} ${HOST_GID} - -\n"
MANIFEST = {"version": "1.0", "defaultValues": {"RECEIVER": "World"}}
SETS = ("bounding", "effective", "inheritable", "permitted", "ambient")


def config(**changes):
    """config.json.template as an object; the test alters it."""
    document = {
        "ociVersion": "1.0.2",
        "process": {"terminal": False, "user": {"uid": 0, "gid": 0}, "args": ["/usr/bin/run.sh"],
                    "env": ["PATH=/usr/bin", "NAME=$NAME", "RECEIVER=$RECEIVER"], "cwd": "/",
                    "capabilities": {name: ["CAP_KILL"] for name in SETS},
                    "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 1024, "hard": 1024}]},
        "root": {"path": "rootfs", "readonly": True},
        "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"},
                   {"destination": "/srv", "type": "bind", "source": "${STATE_DIRECTORY}/${NAME}",
                    "options": ["rbind", "rw"]}],
        "linux": {"namespaces": [{"type": "pid"}, {"type": "mount"}]}}
    document.update(changes)
    return document


def host_architecture():
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), "amd64")


class Image:
    """What a test may alter before make(): `files` of /exports, `hostfs` entries, `more` entries, the process `part`."""

    def __init__(self, text="hello\n", architectures=None):
        self.files = {"config.json.template": config(), "service.template": SERVICE, "manifest.json": dict(MANIFEST),
                      "tmpfiles.template": TMPFILES}
        self.hostfs, self.more, self.text = [], [], text
        self.labels = dict(LABELS)
        self.part = {"Entrypoint": ["/usr/bin/run.sh"], "StopSignal": "SIGTERM", "Volumes": {"/srv": {}}}
        self.architectures = architectures or (host_architecture(),)

    def _entries(self, name):
        entries = [base_image.folder("usr"), base_image.folder("usr/bin"),
                   base_image.file("usr/bin/run.sh", elf.hello(name, self.text), 0o755),
                   base_image.folder("etc"), base_image.file("etc/passwd", "root:x:0:0::/root:/bin/sh\ngreet:x:7:8::/:/\n"),
                   base_image.file("etc/group", "root:x:0:\n"), base_image.folder("srv", 0o700, 5, 6),
                   base_image.folder("proc"), base_image.folder("exports")]
        for path, data in self.files.items():
            data = data if isinstance(data, (str, bytes)) else json.dumps(data, indent=1)
            entries.append(base_image.file("exports/" + path, data))
        return entries + self.hostfs + self.more

    def make(self, folder, tag="latest"):
        layers = {name: [self._entries(name)] for name in self.architectures}
        part = dict(self.part)
        if len(self.architectures) == 1:
            self.labels.setdefault("architecture", MACHINES[self.architectures[0]])
        part["Labels"] = {key: value for key, value in self.labels.items() if value is not None}
        return base_image.Base(folder, layers, tag=tag, config=part)


class Host:
    """A host's root folder."""

    def __init__(self, root):
        self.root = root
        os.makedirs(root, exist_ok=True)

    def path(self, path):
        return os.path.join(self.root, path.lstrip("/"))

    def read(self, path):
        with open(self.path(path), encoding="utf-8") as stream:
            return stream.read()

    def has(self, path):
        return os.path.lexists(self.path(path))

    def unit(self, name):
        return self.read(f"etc/systemd/system/{name}.service")

    def version(self, name):
        """The folder that the link leads to: "NAME.0"."""
        return os.readlink(self.path(f"{ATOMIC}/{name}"))

    def info(self, name):
        return json.loads(self.read(f"{ATOMIC}/{name}/info"))

    def config(self, name):
        return json.loads(self.read(f"{ATOMIC}/{name}/config.json"))

    def env(self, name):
        return dict(item.split("=", 1) for item in self.config(name)["process"]["env"])

    def files(self):
        """Every path below the root."""
        found = []
        for folder, folders, names in os.walk(self.root):
            found += [os.path.relpath(os.path.join(folder, name), self.root) for name in folders + names]
        return sorted(found)

    def litter(self):
        return [path for path in self.files() if ".imgfactory" in path or
                os.path.basename(path).endswith((".new", ".old", ".switch", ".link"))]

    def whole(self, version):
        """The program of a version's tree, which must be whole: info, config.json and unit, too."""
        folder = f"{ATOMIC}/{version}"
        json.loads(self.read(folder + "/info"))
        json.loads(self.read(folder + "/config.json"))
        with open(self.path(folder + "/rootfs/usr/bin/run.sh"), "rb") as stream:
            return stream.read()
