/* SPDX-License-Identifier: Apache-2.0 */
/* tmpfiles.h - the directories and links that packages want to be there at boot: tmpfiles.d(5)
 *
 * An image has no boot, so what would be made then is made in its tree: types d, D, v, q, Q (directory), e (directory
 * that is there), f, f+, F (file), L, L+, L? (link), C, C+ (copy), z, Z (modes and owners); lines for boot only ("!")
 * too. All others (removal, devices, attributes, ACLs, w) have nothing to do in an image and are left out. A line that
 * is malformed, or uses a specifier that has no meaning in an image, is passed over; malformed ones with a note.
 * Threads: pure function of its inputs.
 */
#ifndef IMGFACTORY_EFFECT_TMPFILES_H
#define IMGFACTORY_EFFECT_TMPFILES_H

#include "effect/dropin.h"

enum tmpfiles_kind { TMPFILES_DIRECTORY, TMPFILES_ADJUST, TMPFILES_FILE, TMPFILES_LINK, TMPFILES_COPY, TMPFILES_MODE };

struct tmpfiles_item {
    enum tmpfiles_kind kind;
    bool is_replacing;        /* f+, F, L+: replaces what is there */
    bool is_deep;             /* Z */
    bool is_where_target;     /* L?: only when the target is there */
    const char *path;         /* canonical, /var/run/X as /run/X; TMPFILES_ADJUST, TMPFILES_MODE: a glob */
    bool has_mode, is_masked; /* is_masked ("~"): only the bits that the present mode allows */
    bool is_mode_of_new;      /* ":" only for what is made, not for what is there */
    uint32_t mode;
    const char *user, *group; /* names or numbers; NULL: root for what is made, else as it is */
    bool is_user_of_new, is_group_of_new;
    const char *argument; /* unescaped; NULL: none */
    const char *place;
};

struct tmpfiles {
    struct tmpfiles_item *items;
    size_t count, capacity;
};

/* Reads the lines, in their order; of several that make one path the first holds. */
void tmpfiles_parse(struct arena *arena, const struct dropin_lines *lines, struct tmpfiles *ret_items,
                    struct strings *notes);

#endif
