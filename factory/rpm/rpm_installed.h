/* SPDX-License-Identifier: Apache-2.0 */
/* rpm_installed.h - rpm's database in a base
 *
 * It is rpmdb.sqlite in /usr/lib/sysimage/rpm or /var/lib/rpm; older kinds (Berkeley DB, ndb) are refused by name.
 * Threads, failures: as ground/installed.h.
 */
#ifndef IMGFACTORY_RPM_RPM_INSTALLED_H
#define IMGFACTORY_RPM_RPM_INSTALLED_H

#include "base/map.h"
#include "ground/installed.h"
#include "rpm/rpm_header.h"
#include "rpm/rpm_sqlite.h"

/* One package of the base. */
struct rpm_installed_package {
    uint32_t number;
    struct rpm_header header;
    const char *name, *evr, *architecture; /* architecture "": of a key, which is no package to anybody but rpm */
};

/* Of several packages that have a path. */
struct rpm_owner {
    const char *name;
    const struct rpm_owner *next;
};

struct rpm_installed {
    const char *path; /* exact, of the database; NULL: there is none yet */
    struct {
        struct rpm_installed_package *items; /* by number */
        size_t count, capacity;
    } packages;
    struct map owners; /* exact path of what is no directory → struct rpm_owner *, the first package's */
};

/* The functions of struct format. */
bool rpm_installed_read(struct arena *arena, const struct ground *ground, struct installed *ret_installed,
                        bool *ret_found, struct err *err) MUST_CHECK;
/* The packages of the list that images without rpm have (rpm_database.c says whose form it is); a line that is not of it is passed over. */
bool rpm_manifest_read(struct arena *arena, const struct ground *ground, struct installed *ret_installed,
                       bool *ret_found, struct err *err) MUST_CHECK;
const char *rpm_installed_owner(const struct installed *installed, const char *path, const struct strings *replaced);
bool rpm_installed_continue(struct arena *arena, const struct continuing *continuing, struct continued *ret_continued,
                            struct err *err) MUST_CHECK;

/* Notes the source package that "NAME-VERSION-RELEASE.src.rpm" names; another text names none. */
void rpm_installed_source(struct arena *arena, const char *source, struct installed_package *package);

/* Prints what the solver needs of installed packages: rpm_solver_text.c tells the lines. */
bool rpm_solver_text(struct arena *arena, const struct rpm_installed *installed, struct text *ret_text,
                     struct err *err) MUST_CHECK;

#endif
