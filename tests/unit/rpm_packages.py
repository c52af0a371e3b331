# SPDX-License-Identifier: Apache-2.0
"""Makes the packages of test_rpm.c in a folder: NAME.rpm by rpmbuild, NAME.list with what rpm itself says of its files,
rsa.gpg, eddsa.gpg and other.gpg with public keys."""

import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from kit import gpg, rpm  # noqa: E402

QUERY = ("[%{FILENAMES}|%{FILEMODES:octal}|%{FILEUSERNAME}|%{FILEGROUPNAME}|%{LONGFILESIZES}|%{FILEMTIMES}|"
         "%{FILEDIGESTS}|%{FILELINKTOS}|%{FILEFLAGS}|%{FILECAPS}\n]")


def files():
    return [rpm.directory("/usr/lib/made", 0o2750, group="mail"),
            rpm.program("/usr/bin/made", "#!/usr/bin/python3 -s\n" + "x" * 70000),
            rpm.program("/usr/bin/ping", "ping\n", caps="cap_net_bind_service,cap_net_raw=ep"),
            rpm.File("/usr/bin/su", "su\n", 0o4755),
            rpm.File("/usr/bin/first", "linked\n", 0o755), rpm.File("/usr/bin/second", kind="hard", target="/usr/bin/first",
                                                                  mode=0o755),
            rpm.File("/usr/bin/third", kind="hard", target="/usr/bin/first", mode=0o755),
            rpm.File("/usr/lib/made/empty"), rpm.link("/usr/lib/made/far", "../../../../../../etc/pki"),
            rpm.File("/var/lib/made", "data\n", owner="daemon", group="daemon"),
            rpm.File("/usr/share/doc/made/README", "read me\n", flags="%doc"),
            rpm.File("/etc/made.conf", "a=b\n", 0o640, flags="%config(noreplace)"),
            rpm.File("/run/made.pid", kind="ghost")]


def write(folder, name, package, key=None):
    path = os.path.join(folder, name + ".rpm")
    with open(path, "wb") as stream:
        stream.write(package.build(key))
    listed = subprocess.run(["rpm", "-qp", "--nosignature", "--qf", QUERY, path], stdout=subprocess.PIPE, check=True)
    with open(os.path.join(folder, name + ".list"), "wb") as stream:
        stream.write(listed.stdout)


def main():
    folder = sys.argv[1]
    ring = gpg.Ring()
    try:
        keys = {"rsa": ring.get("rsa", algorithm="rsa2048"), "eddsa": ring.get("eddsa", algorithm="ed25519"),
                "other": ring.get("other", algorithm="ed25519")}
        for name, key in keys.items():
            shutil.copy(key.keyring, os.path.join(folder, name + ".gpg"))
        scripts = {"pre": "useradd made", "post": "ldconfig\nmkdir /var/cache/made"}
        for payload in rpm.PAYLOADS:
            write(folder, payload, rpm.Package("made", files(), epoch=2, arch="aarch64", payload=payload, scripts=scripts))
        write(folder, "sha512", rpm.Package("made", files(), epoch=2, arch="aarch64", digest="sha512", scripts=scripts))
        write(folder, "md5", rpm.Package("made", files(), epoch=2, arch="aarch64", digest="md5", scripts=scripts))
        for number in rpm.formats():
            write(folder, f"format{number}", rpm.Package("made", files(), epoch=2, arch="aarch64", format=number))
        write(folder, "empty", rpm.Package("empty"), keys["rsa"])
        small = [rpm.File("/usr/bin/small", "small\n", 0o755), rpm.link("/usr/bin/link", "small")]
        for name in ("rsa", "eddsa"):
            write(folder, "small-" + name, rpm.Package("small", small, payload="gzip"), keys[name])
        write(folder, "small", rpm.Package("small", small, payload="gzip"))
    finally:
        ring.close()


main()
