/* SPDX-License-Identifier: Apache-2.0 */
/* sysusers.h - the users and groups that packages declare: sysusers.d(5)
 *
 * Types u, u! (the lock is for /etc/shadow, which images have not), g, m, r. A line that is malformed, or uses a
 * specifier that has no meaning in an image, is passed over with a note, as systemd-sysusers does with a message.
 * Threads: pure function of its inputs.
 */
#ifndef IMGFACTORY_EFFECT_SYSUSERS_H
#define IMGFACTORY_EFFECT_SYSUSERS_H

#include "effect/dropin.h"

enum sysusers_kind { SYSUSERS_USER, SYSUSERS_GROUP, SYSUSERS_MEMBER, SYSUSERS_RANGE };

struct sysusers_item {
    enum sysusers_kind kind;
    const char *name;    /* user or group; SYSUSERS_MEMBER: the user */
    const char *group;   /* SYSUSERS_MEMBER: the group; SYSUSERS_USER: name of the primary group, or NULL */
    const char *id_path; /* the id is that of this file's owner; or NULL */
    bool has_uid, has_gid;
    uint32_t uid, gid;                  /* SYSUSERS_RANGE: first and last */
    const char *comment, *home, *shell; /* NULL: not said */
    const char *place;
};

struct sysusers {
    struct sysusers_item *items;
    size_t count, capacity;
};

/* Reads the lines, in their order. */
void sysusers_parse(struct arena *arena, const struct dropin_lines *lines, struct sysusers *ret_items,
                    struct strings *notes);
/* Returns whether a value can stand in one field there: no colon, no control character. */
bool account_is_field(const char *value);

#endif
