# SPDX-License-Identifier: Apache-2.0
"""Services packaged as Fedora packages them, each in another way, with programs that run: they read a configuration, give up root
for a user of their own, write below their own directories and answer on a port. Each says what is missing and ends when it is.

| package | its user | its directories | its configuration and unit |
|---|---|---|---|
| parlour | sysusers.d | RuntimeDirectory=, StateDirectory= | its own; /etc/sysconfig, User= |
| counter | %pre as older macros expand | its own of that owner, tmpfiles.d | its own; the program changes its user |
| window | %post | %post at the first installation | its own |
| attic | %pre in Lua | %pre in Lua | its own |
| porch-server | porch-common's sysusers.d | porch-common's tmpfiles.d | porch-common's, of the same source, which depends on it |
"""

from . import rpm, rpm_world

PORTS = {"parlour": 4001, "counter": 4002, "window": 4003, "porch": 4004, "attic": 4005}
BINARIES = {"parlour": "/usr/sbin/parlour", "counter": "/usr/sbin/counter", "window": "/usr/bin/window",
            "porch": "/usr/sbin/porchd", "attic": "/usr/sbin/attic"}

SERVER = r"""
#include <arpa/inet.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void end(const char *what) { perror(what); exit(1); }

static void leave(const char *folder)
{
    char path[256];
    snprintf(path, sizeof path, "%s/left", folder);
    FILE *file = fopen(path, "w");
    if (!file)
        end(path);
    fclose(file);
}

int main(int count, char **words)
{
    const char *config = "", *user = NULL, *folders[8] = {0};
    int folder_count = 0, option, port = 0;
    while ((option = getopt(count, words, "c:u:d:")) != -1) {
        if (option == 'c')
            config = optarg;
        else if (option == 'u')
            user = optarg;
        else if (option == 'd' && folder_count < 8)
            folders[folder_count++] = optarg;
        else
            return 2;
    }
    FILE *file = fopen(config, "r");
    if (!file || fscanf(file, "port %d", &port) != 1)
        end(config);
    if (user) {
        struct passwd *entry = getpwnam(user);
        if (!entry || setgid(entry->pw_gid) || setuid(entry->pw_uid))
            end(user);
    }
    for (int i = 0; i < folder_count; i++)
        leave(folders[i]);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 5))
        end("listen");
    for (;;) {
        int client = accept(listener, NULL, NULL);
        struct passwd *entry = getpwuid(getuid());
        dprintf(client, "serves as %s\n", entry ? entry->pw_name : "nobody that is known");
        close(client);
    }
}
"""

PRE = """\
getent group 'counter' >/dev/null || groupadd -f -r 'counter'
if ! getent passwd 'counter' >/dev/null; then
    useradd -r -g 'counter' -d '/var/lib/counter' -s '/sbin/nologin' -c 'Counter' 'counter' || :
fi
exit 0
"""
PRE_LUA = """\
-- accounts are made before files that belong to them
local name = "attic"
local home = "/var/lib/" .. name
if not posix.getgroup(name, "gid") then
  rpm.execute("groupadd", "-r", name)
end
if posix.getpasswd(name, "uid") == nil then
  rpm.spawn({"useradd", "-r", "-g", name, "-d", home, "-s", "/sbin/nologin", name})
end
for _, log in ipairs({"one", "two"}) do
  posix.mkdir("/var/log/" .. log)
end
posix.mkdir(home)
posix.chown(home, name, name)
posix.chmod(home, "0750")
os.execute("getent group " .. "pipe >/dev/null || groupadd -r pipe; usermod -a -G pipe attic")
"""
POST = """\
if [ $1 -eq 1 ]; then
    getent passwd window >/dev/null || useradd --system --no-create-home --home-dir /var/lib/window --shell /sbin/nologin window
    mkdir -p /var/lib/window
    chown window:window /var/lib/window
    chmod 0750 /var/lib/window
fi
"""


def config(name):
    return rpm.File(f"/etc/{name}/{name}.conf", f"port {PORTS[name]}\n", 0o644, flags="%config(noreplace)")


def unit(name, *lines):
    text = "\n".join(("[Unit]", f"Description={name} of the test kit", "After=network.target", "", "[Service]", *lines, "",
                      "[Install]", "WantedBy=multi-user.target", ""))
    return rpm.File(f"/usr/lib/systemd/system/{name}.service", text)


def services(arch):
    server = rpm_world.compile_program(arch, SERVER)
    return [
        rpm.Package("parlour", [
            rpm.program("/usr/sbin/parlour", server), rpm.directory("/etc/parlour"), config("parlour"),
            rpm.File("/etc/sysconfig/parlour", "# Further options\nOPTIONS=\"-d /var/lib/parlour\"\n",
                     flags="%config(noreplace)"),
            rpm.File("/usr/lib/sysusers.d/parlour.conf", 'u parlour - "Parlour" /var/lib/parlour\n'),
            unit("parlour", "Type=simple", "EnvironmentFile=-/etc/sysconfig/parlour",
                 "ExecStart=/usr/sbin/parlour -c /etc/parlour/parlour.conf -d ${RUNTIME_DIRECTORY} $OPTIONS $MORE",
                 "User=parlour", "RuntimeDirectory=parlour", "StateDirectory=parlour", "KillSignal=SIGINT")],
                    arch=arch, requires=["filesystem"]),
        rpm.Package("counter", [
            rpm.program("/usr/sbin/counter", server), rpm.directory("/etc/counter"), config("counter"),
            rpm.directory("/var/lib/counter", 0o750, owner="counter", group="counter"),
            rpm.File("/usr/lib/tmpfiles.d/counter.conf", "d /run/counter 0755 counter counter -\n"),
            unit("counter", "Type=exec", "ExecStart=/usr/sbin/counter -u counter -c /etc/counter/counter.conf "
                 "-d /var/lib/counter -d /run/counter")],
                    # From rpm 4.19 on files ask for their owners; accounts that only a script makes are declared by hand.
                    arch=arch, requires=["filesystem"], provides=["user(counter)", "group(counter)"], scripts={"pre": PRE}),
        rpm.Package("window", [
            rpm.program("/usr/bin/window", server), rpm.directory("/etc/window"), config("window"),
            unit("window", "User=window", "ExecStart=/usr/bin/window -c /etc/window/window.conf -d /var/lib/window")],
                    arch=arch, requires=["filesystem"], scripts={"post": POST}),
        rpm.Package("attic", [
            rpm.program("/usr/sbin/attic", server), rpm.directory("/etc/attic"), config("attic"),
            unit("attic", "User=attic", "ExecStart=/usr/sbin/attic -c /etc/attic/attic.conf -d /var/lib/attic")],
                    arch=arch, requires=["filesystem"], scripts={"pre -p <lua>": PRE_LUA}),
        rpm.Package("porch-server", [rpm.program("/usr/sbin/porchd", server)], arch=arch, source="porch",
                    requires=["filesystem"]),
        rpm.Package("porch-common", [
            rpm.directory("/etc/porch"), config("porch"),
            rpm.File("/usr/lib/sysusers.d/porch.conf", 'u porch - "Porch" /\n'),
            rpm.File("/usr/lib/tmpfiles.d/porch.conf", "d /run/porch 0750 porch porch -\n"),
            unit("porch", "ExecStart=/usr/sbin/porchd -u porch -c /etc/porch/porch.conf -d /run/porch")],
                    arch=arch, source="porch", requires=["porch-server"])]


def packages(architectures):
    """All of them, with the living packages below them (rpm_world.py)."""
    shell = rpm.Package("bash", [rpm.program("/usr/bin/bash", "not run\n"), rpm.link("/usr/bin/sh", "bash")], provides=["/bin/sh"])
    return [shell, *(package for arch in architectures for package in rpm_world.living_packages(arch) + services(arch))]
