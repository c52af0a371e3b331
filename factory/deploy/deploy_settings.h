/* SPDX-License-Identifier: Apache-2.0 */
/* deploy_settings.h - what a container is started with, one list for units and command lines; for deploy/ and system/
 *
 * Threads: pure functions of their inputs.
 * Owns: nothing; all lives in the arena given.
 */
#ifndef IMGFACTORY_DEPLOY_DEPLOY_SETTINGS_H
#define IMGFACTORY_DEPLOY_DEPLOY_SETTINGS_H

#include "deploy/deploy.h"

/* One setting in the words of quadlet and of podman's command line. */
struct deploy_setting {
    const char *key, *value;       /* "ReadOnly", "true"; key NULL: quadlet knows none, and is given the option */
    const char *option, *argument; /* "--network", "host"; argument NULL: the option is a switch */
    bool is_word;                  /* quadlet splits the value into words as a unit's command */
};

struct deploy_settings {
    struct deploy_setting *items;
    size_t count, capacity;
};

/* A volume of the image that lives on. */
struct deploy_volume {
    const char *name, *path;
};

struct deploy_volumes {
    struct deploy_volume *items;
    size_t count, capacity;
};

/* Lists the volumes of the configuration which no path of the host and no tmpfs takes the place of. */
struct deploy_volumes deploy_volumes_of(struct arena *arena, const struct deployment *deployment);
/* Lists the ports that are published, as "HOST:CONTAINER/PROTOCOL". */
struct strings deploy_ports_of(struct arena *arena, const struct deployment *deployment);
/* Lists the paths that are a tmpfs of their own when an engine makes /run, /tmp and /var/tmp by itself. */
struct strings deploy_tmpfs_of(struct arena *arena, const struct contract *contract);
/* Lists all settings but name, image and how it is pulled. */
struct deploy_settings deploy_settings_of(struct arena *arena, const struct deployment *deployment);
/* Returns whether a path of the host is mounted by itself: not what only some want, and not what lies in another. */
bool deploy_is_mounted(const struct contract *contract, const struct contract_mount *mount);
/* Returns what a mount is written as, "HOST:PATH:ro,Z". */
const char *deploy_mount(struct arena *arena, const struct contract_mount *mount);

#endif
