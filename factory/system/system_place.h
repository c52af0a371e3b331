/* SPDX-License-Identifier: Apache-2.0 */
/* system_place.h - the system containers of one host
 *
 *   /var/lib/containers/atomic/NAME        a link to the version that holds
 *   /var/lib/containers/atomic/NAME.0, .1  two versions: rootfs, config.json, info, NAME.service, tmpfiles-NAME.conf, and
 *                                          hostfs/N, the files for the host in the order of info
 *   /var/lib/containers/atomic/.NAME.new   a version that is being written
 *   /var/lib/containers/atomic/.NAME.old   one that another took the place of
 *   /var/lib/containers/atomic/.NAME.switch   what a switch under way is to come to: it is carried out to its end, by
 *                                          whoever comes next when it was killed
 *   /etc/systemd/system/NAME.service, /etc/tmpfiles.d/NAME.conf
 *
 * One process at a time works on a host, behind a lock on the folder's file .lock.
 * Threads: one.
 * Owns: descriptors, until system_place_close().
 * Fails with: ERR_USAGE (names), ERR_LOCAL, ERR_CANCELLED.
 */
#ifndef IMGFACTORY_SYSTEM_SYSTEM_PLACE_H
#define IMGFACTORY_SYSTEM_SYSTEM_PLACE_H

#include "io/lock.h"
#include "system/system_info.h"

#define SYSTEM_NAME_MAX 100

struct system_place {
    struct system_host host;
    int base, lock; /* the folder and its lock, or -1 */
    bool is_live;   /* the root is this machine's, and systemd runs it */
    struct log *log;
    struct strings said; /* what there is to tell: a sentence each */
};

/* The two versions of a container and which holds. */
struct system_versions {
    bool is_there;   /* the link is */
    unsigned number; /* 0 or 1: where it leads */
    bool has_other;
    struct system_info info, other;
    const char *runtime; /* for a version to come: what the one that holds has, else what the host has */
};

/* Checks a container's name: it is one of units, files and runtimes. */
bool system_name_check(const char *name, struct err *err) MUST_CHECK;
/* Checks that no service of the host, which is not ours, has the name of a container that is to be installed: our unit and
 * tmpfiles.d file, in /etc, would take the place of its. ERR_USAGE. */
bool system_place_is_free(const struct system_place *place, struct arena *arena, const char *name,
                          struct err *err) MUST_CHECK;
/* Opens a host's folder. With `is_written` it is made when it is not there, and locked (system_switch_recover() comes
 * next); else it may not be there (base -1), and nothing is written. */
bool system_place_open(struct arena *arena, const char *root, bool is_written, const struct lock_wait *wait,
                       struct system_place *ret_place, struct err *err) MUST_CHECK;
/* Closes it. For AUTO(). */
void system_place_close(struct system_place *place);
/* Reads what is there of a container. */
bool system_place_versions(const struct system_place *place, struct arena *arena, const char *name,
                           struct system_versions *ret_versions, struct err *err) MUST_CHECK;
/* Lists the names of all containers, sorted. */
struct strings system_place_names(const struct system_place *place, struct arena *arena);
/* Reads a file of a version ("NAME.0/info"); text.ptr NULL: it is not there. */
bool system_place_read(const struct system_place *place, struct arena *arena, const char *path, struct text *ret_text,
                       struct err *err) MUST_CHECK;
/* Asks systemctl of a live host about the container's unit (`name` NULL: about none); returns whether it said yes.
 * Anything else than a live host: false. */
bool system_place_systemctl(const struct system_place *place, const char *verb, const char *name);
/* Has systemd-tmpfiles carry out (`verb` "--create") or take back ("--remove") a container's lines, on a live host. */
void system_place_tmpfiles(const struct system_place *place, struct arena *arena, const char *verb, const char *name);
/* Finds the runtime that the host has: "/usr/bin/runc", or another; the usual one when it has none. */
const char *system_place_runtime(const struct system_place *place);

#endif
