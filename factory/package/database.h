/* SPDX-License-Identifier: Apache-2.0 */
/* database.h - the package database that an image gets, for scanners: small files, made by the packages' format
 *
 * deb_database.c and rpm_database.c make it; they know nothing of trees, but ask whether a path is in the image.
 * Threads: pure functions of their inputs.
 * Fails with: ERR_MALFORMED (a package's name that no file can have, lists that get too big).
 */
#ifndef IMGFACTORY_PACKAGE_DATABASE_H
#define IMGFACTORY_PACKAGE_DATABASE_H

#include "package/package.h"

/* The packages that gave files, all of the format that is asked, sorted by name. */
struct database_request {
    const struct package *const *packages;
    size_t count;
    int64_t installed_time; /* seconds: when the image was created */
    /* Returns whether the regular file that the package lists under a canonical path is in the image. */
    bool (*has_file)(const void *image, const struct package *package, const char *path);
    const void *image; /* for has_file */
};

struct database_file {
    const char *path, *text; /* canonical; in the arena that was given */
    bool is_list;            /* each line tells by itself: one of a base goes on */
};

struct database_files {
    struct database_file *items;
    size_t count, capacity;
};

#endif
