/* SPDX-License-Identifier: Apache-2.0 */
/* deb_archive.h - the three members of a .deb, by a strict walk over its ar headers
 *
 * Format: deb(5), ar(5). debian-binary "2.x" first, then control.tar*, then data.tar*; members whose names begin with
 * '_' are passed over; anything else is refused. (libarchive's ar reader takes sizes with letters and goes on after
 * members that are cut off, so the walk is our own; what is inside the members is left to deb_tar.h.)
 * Threads: no state.
 * Owns: nothing; members are views of the input.
 * Fails with: ERR_MALFORMED.
 */
#ifndef IMGFACTORY_DEB_DEB_ARCHIVE_H
#define IMGFACTORY_DEB_DEB_ARCHIVE_H

#include "base/err.h"
#include "base/text.h"
#include "io/decompress.h"

/* One tar member: `name` without the ar reader's trailing '/', NUL-terminated. */
struct deb_member {
    char name[17];
    enum compression compression;
    struct text bytes;
};

struct deb_archive {
    struct deb_member control, data;
    int64_t build_time; /* newest time of the members' headers, seconds */
};

/* Finds the members of the .deb. */
bool deb_archive_read(struct text deb, struct deb_archive *ret_archive, struct err *err) MUST_CHECK;

#endif
