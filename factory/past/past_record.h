/* SPDX-License-Identifier: Apache-2.0 */
/* past_record.h - one image as it was published: digest, tags, sizes, from when to when, and what had changed
 *
 * A line of JSON by bill/record.h. Nights that found the same image are one record; times are seconds since 1970.
 * Threads: no state.
 * Owns: nothing; what is read lives in the arena given.
 */
#ifndef IMGFACTORY_PAST_PAST_RECORD_H
#define IMGFACTORY_PAST_PAST_RECORD_H

#include "base/digest.h"
#include "base/list.h"
#include "base/text.h"

#define PAST_FORMAT 1u
#define PAST_CHANGES_MAX ((size_t)500) /* of one record, and as many CVEs */
#define PAST_PLATFORMS_MAX ((size_t)64)
#define PAST_RECORD_MAX_BYTES ((size_t)1 << 20) /* of a line: the parser needs a hundredfold */

struct past_platform {
    const char *arch;
    const char *version;    /* of the main package; NULL: not known */
    struct digest manifest; /* under which its bill is kept */
    uint64_t layer_bytes, unpacked_bytes;
    size_t package_count, file_count;
};

/* A package that came (before is NULL), went (after is NULL) or changed, on any platform. */
struct past_change {
    const char *package, *before, *after;
};

struct past_record {
    uint32_t format;
    const char *name, *destination; /* destination: HOST/REPOSITORY; NULL: it is in a layout alone */
    struct digest digest;           /* of the index */
    struct digest before;           /* what was published before it; zeros: not known */
    struct strings tags;
    int64_t created, first, last; /* of the image; when it was published, and when a night last found it so */
    LIST(struct past_platform) platforms;
    LIST(struct past_change) changes;
    struct strings cves; /* that changelogs and advisories name */
};

struct past_records {
    struct past_record *items;
    size_t count, capacity;
};

/* Appends a record as a line; false, and nothing, when the buffer is full or the line is too long. */
bool past_record_write(const struct past_record *record, struct buf *text) MUST_CHECK;
/* Reads a line; false when it is none, of another format, or beyond the bounds. */
bool past_record_read(struct arena *arena, struct text line, struct past_record *ret_record) MUST_CHECK;
/* Returns the sum of the layers' bytes of all platforms / of their unpacked bytes. */
uint64_t past_record_layer_bytes(const struct past_record *record);
uint64_t past_record_unpacked_bytes(const struct past_record *record);
/* Returns what one version of the image is called: that of the first platform that has one; NULL when none has. */
const char *past_record_version(const struct past_record *record);

#endif
