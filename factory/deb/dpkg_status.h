/* SPDX-License-Identifier: Apache-2.0 */
/* dpkg_status.h - dpkg's list of packages, /var/lib/dpkg/status: read, and a package's stanza as dpkg writes it
 *
 * Formats: dpkg's lib/dpkg (parse.c, dump.c), deb-control(5). Stanzas are in the order of names (dpkg since 1.20), then of
 * architectures; dpkg writes fields in an order of its own, relations in one spelling, and Conffiles with their MD5.
 * Threads: pure functions of their inputs.
 * Owns: nothing; all lives in the arena, and borrows the bytes.
 * Fails with: ERR_MALFORMED ("NAME:LINE: …").
 */
#ifndef IMGFACTORY_DEB_DPKG_STATUS_H
#define IMGFACTORY_DEB_DPKG_STATUS_H

#include "deb/deb822.h"

/* The third word of Status, in dpkg's order: from DPKG_UNPACKED on the package's files are there. */
enum dpkg_state {
    DPKG_NOT_INSTALLED,
    DPKG_CONFIG_FILES,
    DPKG_HALF_INSTALLED,
    DPKG_UNPACKED,
    DPKG_HALF_CONFIGURED,
    DPKG_TRIGGERS_AWAITED,
    DPKG_TRIGGERS_PENDING,
    DPKG_INSTALLED,
};

struct dpkg_stanza {
    const char *name, *version, *architecture; /* version and architecture are "" when it says none */
    enum dpkg_state state;
    bool is_same; /* Multi-Arch: same: files of the database are called NAME:ARCHITECTURE */
    struct deb822_stanza fields;
    struct text text; /* as it stands, up to its last newline */
};

struct dpkg_status {
    struct dpkg_stanza *items;
    size_t count, capacity;
};

/* Appends the stanzas of a file. One without Status has `missing` (of status.d, where files are all that there is). */
bool dpkg_status_parse(struct arena *arena, const char *name, struct text bytes, enum dpkg_state missing,
                       struct dpkg_status *status, struct err *err) MUST_CHECK;
/* Returns the words of a state: "half-configured". */
const char *dpkg_state_name(enum dpkg_state state);
/* Returns how the files of a package in dpkg's info/ begin: its name, with Multi-Arch: same also the architecture. */
const char *dpkg_info_stem(struct arena *arena, const struct dpkg_stanza *stanza);
/* Makes the stanza that dpkg writes for a control file. `conffiles`: lines "PATH MD5", or empty. */
bool dpkg_stanza_make(struct arena *arena, struct text control, enum dpkg_state state, struct text conffiles,
                      struct dpkg_stanza *ret_stanza, struct err *err) MUST_CHECK;
/* Prints the whole list as dpkg writes it: sorted, an empty line between stanzas. */
struct text dpkg_status_print(struct arena *arena, const struct dpkg_status *status);

#endif
