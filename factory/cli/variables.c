/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/variables.h"

#include <string.h>

static const struct variable_row rows[] = {
    {"HOME",
     "Where cache (.cache), state (.local/state), site file (.config) and credentials are looked for. Without it root "
     "has /var/cache/imgfactory and /var/lib/imgfactory; others have to say --cache and --state."},
    {"XDG_CACHE_HOME, XDG_STATE_HOME, XDG_CONFIG_HOME",
     "Take the place of ~/.cache, ~/.local/state and ~/.config when they are "
     "absolute paths."},
    {"XDG_RUNTIME_DIR", "Where podman keeps credentials (containers/auth.json)."},
    {"REGISTRY_AUTH_FILE", "The file of credentials, unless --authfile or the site file name one."},
    {"DOCKER_CONFIG", "The folder of docker's credentials (config.json) in place of ~/.docker."},
    {"CONTAINERS_REGISTRIES_CONF", "podman's registries.conf: mirrors, locations, insecure and blocked registries."},
    {"CONTAINERS_POLICY_JSON",
     "podman's policy.json, which pull, copy and bases go by, in place of those of the user and of the machine."},
    {"IMGFACTORY_KEY_PASSPHRASE, COSIGN_PASSWORD",
     "The passphrase of the keys that are signed with, unless --passphrase-fd gives it. Programs that are started do "
     "not "
     "see it."},
    {"CREDENTIALS_DIRECTORY",
     "Where systemd puts a unit's credentials: imgfactory.key-passphrase is the passphrase of the keys."},
    {"http_proxy, https_proxy, all_proxy, no_proxy", "Proxies, as for curl, also in capitals; "
                                                     "HTTP_PROXY not where REQUEST_METHOD is set, which web servers "
                                                     "do; a name and password in the URL are given to the proxy."},
    {"SSL_CERT_FILE, SSL_CERT_DIR", "Take the place of the system's CA certificates."},
    {"SOURCE_DATE_EPOCH",
     "Seconds since 1970: the time that is written into images, in place of the newest time of what is in "
     "them."},
    {"TERM", "Of a terminal that cannot move its cursor (dumb, or not set) no progress is drawn."},
    {"NO_COLOR", "Set to anything but nothing: no colours, unless --color=always."},
    {"PATH", "Where gpgv and helpers of credentials are."},
    {"LD_LIBRARY_PATH", "Libraries are read from there, too, by what may open no other file (see --no-confine)."},
    {"TMPDIR", "Where files without a name are made for a while."},
    {"NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID",
     "Where --watch tells systemd that it is ready, alive and stopping, and how often it has to."},
    {"IMGFACTORY_SLOW_AFTER",
     "How long a mirror may be slower than 20 kB/s before the next one is taken (default: 60s)."},
    {"IMGFACTORY_LOCK_WAIT", "How long a lock that others hold is waited for (default: 5m)."},
    {"IMGFACTORY_PRIVATE_DIRS",
     "Folders, with colons between, that nobody else reaches although all may write there, as volumes of a "
     "container: cache and state may lie below them."},
};

struct variables variables_all(void)
{
    return (struct variables){rows, sizeof rows / sizeof rows[0]};
}

bool variable_is_secret(const char *name)
{
    return strcmp(name, "IMGFACTORY_KEY_PASSPHRASE") == 0 || strcmp(name, "COSIGN_PASSWORD") == 0;
}
