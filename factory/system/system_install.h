/* SPDX-License-Identifier: Apache-2.0 */
/* system_install.h - a system container is put on a host, updated, rolled back, removed
 *
 * Nothing of an image is run. Nothing is written outside of the host's root folder, through no link that leads out of it.
 * Killed at any moment, or out of room, the container is what it was or what it was to become: system_switch.h.
 * Threads: one, with the place's lock; files are written by several.
 * Fails with: ERR_USAGE (what is there, or is not; variables), ERR_MALFORMED (the image), ERR_TRUST, ERR_LOCAL,
 * ERR_CANCELLED.
 */
#ifndef IMGFACTORY_SYSTEM_SYSTEM_INSTALL_H
#define IMGFACTORY_SYSTEM_SYSTEM_INSTALL_H

#include "base/workers.h"
#include "system/system_place.h"
#include "system/system_unpack.h"

struct install_request {
    struct system_place *place;
    const char *name;
    bool is_update;
    const struct system_values *set;        /* by this call */
    const char *image, *revision, *version; /* revision: "sha256:…" */
    const struct ground *ground;            /* the image; NULL: `rootfs` is run */
    const struct system_exports *exports;
    struct text image_config, passwd, group; /* ptr NULL: there is none */
    const char *rootfs;                      /* a folder of the host, as config.json says it; or NULL */
    size_t thread_count;
    const atomic_bool *cancel;
    struct workers *keeper; /* writes to the host, where the calling thread may not; or NULL */
};

/* Finds out what is there of a container and whether it can be installed or updated; the first thing to ask. */
bool system_begin(struct system_place *place, struct arena *arena, const char *name, bool is_update,
                  struct system_versions *ret_versions, struct err *err) MUST_CHECK;
/* Installs or updates. *ret_unchanged: it has this image and these values already, and nothing was done. */
bool system_install(struct arena *arena, const struct install_request *request, const struct system_versions *versions,
                    struct system_info *ret_info, bool *ret_unchanged, struct err *err) MUST_CHECK;
/* Makes the other version the one that holds. */
bool system_rollback(struct system_place *place, struct arena *arena, const char *name, struct system_info *ret_info,
                     struct err *err) MUST_CHECK;
/* Removes a container. */
bool system_uninstall(struct system_place *place, struct arena *arena, const char *name, struct err *err) MUST_CHECK;

#endif
