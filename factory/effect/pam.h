/* SPDX-License-Identifier: Apache-2.0 */
/* pam.h - which modules and further files one PAM service file names
 *
 * Format: pam.d(5) (pam.conf(5)): "TYPE CONTROL MODULE ARGUMENTS", a '-' before the type when the module may be absent,
 * the controls "include" and "substack", and Debian's "@include FILE".
 * Threads: pure functions of their inputs.
 * Owns: results live in the arena.
 */
#ifndef IMGFACTORY_EFFECT_PAM_H
#define IMGFACTORY_EFFECT_PAM_H

#include "base/text.h"

struct pam_module {
    const char *name; /* as written: "pam_unix.so", or an absolute path */
    bool is_optional; /* may be absent */
};

struct pam_stack {
    struct {
        struct pam_module *items;
        size_t count, capacity;
    } modules;
    struct strings includes; /* names of files in /etc/pam.d, or absolute paths */
};

/* Reads a service file; lines that are none are passed over, as libpam does with a log line. */
void pam_read(struct arena *arena, struct text file, struct pam_stack *ret_stack);

/* One profile of /usr/share/pam-configs (Debian). */
struct pam_profile {
    const char *name; /* the file's */
    struct text text;
};

/* Writes what pam-auth-update(8) makes of a template (/usr/share/pam/common-auth) with the profiles whose Default is
 * yes: /etc/pam.d/common-auth of a fresh Debian. `type` is "auth", "account", "password", "session" or
 * "session-noninteractive". NULL when the template has not the marks. */
const char *pam_fill_template(struct arena *arena, struct text template, const char *type,
                              const struct pam_profile *profiles, size_t count);

#endif
