/* SPDX-License-Identifier: Apache-2.0 */
/* installed.h - the packages that a base has by its own package database, and that database continued for what comes on top
 *
 * A format reads and continues it (source/format.h): dpkg's status with info/, or status.d, which has no more than stanzas. What
 * it writes is what the distribution's own tools would have written, but for paths that are not in the image: these are in
 * no list.
 * Threads: pure functions of their inputs.
 * Owns: nothing; all lives in the arena given, and points into the ground.
 * Fails with: ERR_MALFORMED (the base's database), ERR_RESOLVE (what cannot be continued), ERR_TRUST (bytes of the base).
 */
#ifndef IMGFACTORY_GROUND_INSTALLED_H
#define IMGFACTORY_GROUND_INSTALLED_H

#include "ground/ground.h"
#include "package/record.h"

/* A package that is installed, as its database names it. */
struct installed_package {
    const char *name, *version, *architecture;   /* version as the format writes it, with its epoch */
    const char *source_package, *source_version; /* NULL: as the package, or not told */
    const char *license; /* where the database itself tells; else NULL (format.h, installed_license) */
};

struct installed {
    const struct format *format;             /* set by who asked it */
    struct text solver;                      /* for solve_request.installed; never empty when the database was found */
    LIST(struct installed_package) packages; /* whose files are there, in the order of the database */
    const void *database;                    /* the format's own */
};

/* A package that comes, or takes the place of one. */
struct continuing_package {
    const struct package *package;
    const struct record *record;
};

/* A script that dpkg or rpm would run, of a package that comes or of the base. */
struct continuing_script {
    const struct package *package; /* NULL: the base's */
    const char *owner, *name;      /* the package's name; "postinst" */
    const char *text;
    struct strings arguments;
    bool is_first; /* what a package runs that was not there before */
};

/* An owner and mode of a path that the package manager is to keep at upgrades. */
struct continuing_override {
    const char *path, *owner, *group; /* names, or "#NUMBER" */
    uint32_t mode;
};

struct continuing {
    const struct installed *installed;
    const struct ground *ground;               /* NULL: there is nothing yet */
    const struct continuing_package *packages; /* in the order of their names */
    size_t count;
    const struct continuing_override *overrides; /* one for each path */
    size_t override_count;
    const struct arch *arch;
    bool has_documentation; /* it comes, too */
    int64_t installed_time; /* seconds: when the image was created */
    /* Returns whether something is at a package's path, as written there, in the finished image. */
    bool (*has_path)(void *self, struct text path);
    /* Returns whether all that a script would do is done, or nobody needs it. */
    bool (*is_done)(void *self, const struct continuing_script *script);
    void *self; /* for both */
};

struct continued_file {
    const char *path;  /* exact */
    struct text bytes; /* in the arena */
    uint32_t mode;
};

struct continued {
    struct {
        struct continued_file *items; /* in place of the base's, or new */
        size_t count, capacity;
    } files;
    struct strings removed;      /* exact paths of the base that its tools would remove */
    struct strings unconfigured; /* names of packages with a script of which is_done() said no */
};

#endif
