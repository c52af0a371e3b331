/* SPDX-License-Identifier: Apache-2.0 */
/* rpm_listed.h - private to rpm/: the files of a header of rpm's database, as it lists them
 *
 * rpm_files.h reads those of a package that is unpacked, and refuses what cannot be; here stands what somebody installed.
 * Threads: pure functions of their inputs.
 * Fails with: ERR_MALFORMED (lists that do not fit together).
 */
#ifndef IMGFACTORY_RPM_RPM_LISTED_H
#define IMGFACTORY_RPM_RPM_LISTED_H

#include "rpm/rpm_header.h"

/* The files, by number: names, and which of the folders each is in; flags may be missing as a whole. */
struct rpm_listed {
    struct strings folders, names;
    struct rpm_numbers indices, flags;
};

/* Reads the lists. */
bool rpm_listed_read(struct arena *arena, const struct rpm_header *header, struct rpm_listed *ret_listed,
                     struct err *err) MUST_CHECK;
/* Returns the path of a file, in the arena. */
const char *rpm_listed_path(struct arena *arena, const struct rpm_listed *listed, size_t index);

#endif
