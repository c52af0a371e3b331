/* SPDX-License-Identifier: Apache-2.0 */
/* deb_installed.h - private to deb/: dpkg's database in a base
 *
 * Threads, failures: as ground/installed.h.
 */
#ifndef IMGFACTORY_DEB_DEB_INSTALLED_H
#define IMGFACTORY_DEB_DEB_INSTALLED_H

#include "base/map.h"
#include "deb/dpkg_status.h"
#include "ground/installed.h"

#define DPKG_DIR "/var/lib/dpkg"

/* A line triple of /var/lib/dpkg/diversions: other packages' files at `from` are at `to`. */
struct deb_diversion {
    struct text from, to, package; /* package ":": the administrator */
};

struct deb_installed {
    struct dpkg_status status;
    bool is_plain;         /* status.d: nothing but stanzas and md5sums */
    struct map owners;     /* exact path of what is no directory → name of a package */
    struct map diversions; /* `from` → struct deb_diversion */
};

/* The functions of struct format. */
bool deb_installed_read(struct arena *arena, const struct ground *ground, struct installed *ret_installed,
                        bool *ret_found, struct err *err) MUST_CHECK;
const char *deb_installed_owner(const struct installed *installed, const char *path, const struct strings *replaced);
bool deb_installed_continue(struct arena *arena, const struct continuing *continuing, struct continued *ret_continued,
                            struct err *err) MUST_CHECK;
/* Returns the path that a line of info/NAME.list names; empty for the root. */
struct text deb_listed(struct text line);
/* Returns where the path of a package's file is: through a diversion, and through the base's links. NULL: nowhere. */
const char *deb_place(const struct deb_installed *installed, struct arena *arena, const struct ground *ground,
                      const char *package, struct text path);

#endif
