/* SPDX-License-Identifier: Apache-2.0 */
/* rpm_header.h - the tagged header structure of an .rpm (the signature header and the main header), read strictly
 *
 * Format: https://rpm-software-management.github.io/rpm/manual/format_header.html. Magic, two counts, an index of (tag,
 * type, offset, count), a data store; numbers big endian. The first index entry names a region: the part that is signed.
 * Only what lies in the region is read. The main header must be one region as a whole (as rpm itself asks for since
 * 4.16); headers of rpm 3 have none, and are read whole. Refused: counts above the caps below, an entry whose type,
 * alignment, count or bytes do not fit, entries that overlap or are out of order, strings without end, a tag twice.
 * Everything is checked before anything is allocated by its number.
 * Threads: no state.
 * Owns: nothing; strings are views of the file, which must outlive them.
 * Fails with: ERR_MALFORMED.
 */
#ifndef IMGFACTORY_RPM_RPM_HEADER_H
#define IMGFACTORY_RPM_RPM_HEADER_H

#include "base/err.h"
#include "base/text.h"

#define RPM_HEADER_MAX_TAGS 65535u
#define RPM_HEADER_MAX_BYTES ((uint32_t)64 << 20)

/* RPM_HEADER_INSTALLED: as rpm's database has them: a main header without its magic number, behind whose region stand the
 * tags that installing added. */
enum rpm_header_kind { RPM_HEADER_SIGNATURE, RPM_HEADER_MAIN, RPM_HEADER_INSTALLED };

/* One index entry that was found good. */
struct rpm_tag {
    uint32_t tag, type, count;
    struct text bytes; /* its part of the data store */
};

struct rpm_header {
    const char *what;     /* "signature header" or "header": for messages */
    struct text bytes;    /* all of it, magic included: what a header signature signs */
    struct rpm_tag *tags; /* sorted by tag, each once */
    size_t count;
};

struct rpm_numbers {
    const uint64_t *items;
    size_t count;
};

/* Tells how many bytes at the front of `bytes` are the header, from its two counts alone. */
bool rpm_header_measure(struct text bytes, enum rpm_header_kind kind, size_t *ret_len, struct err *err) MUST_CHECK;
/* Reads a header that fills `bytes`. */
bool rpm_header_read(struct arena *arena, struct text bytes, enum rpm_header_kind kind, struct rpm_header *ret_header,
                     struct err *err) MUST_CHECK;

/* Returns whether the header has the tag. */
bool rpm_header_has(const struct rpm_header *header, uint32_t tag);
/* Finds a string (of an array the first); *ret_string is NULL when the tag is absent. */
bool rpm_header_string(const struct rpm_header *header, uint32_t tag, const char **ret_string,
                       struct err *err) MUST_CHECK;
/* Finds all strings of an array; none when the tag is absent. */
bool rpm_header_strings(struct arena *arena, const struct rpm_header *header, uint32_t tag, struct strings *ret_strings,
                        struct err *err) MUST_CHECK;
/* Finds integers of any width; none when the tag is absent. */
bool rpm_header_numbers(struct arena *arena, const struct rpm_header *header, uint32_t tag,
                        struct rpm_numbers *ret_numbers, struct err *err) MUST_CHECK;
/* Finds the first integer, or `fallback` when the tag is absent. */
bool rpm_header_number(const struct rpm_header *header, uint32_t tag, uint64_t fallback, uint64_t *ret_number,
                       struct err *err) MUST_CHECK;
/* Finds bytes; ret_bytes->ptr is NULL when the tag is absent. */
bool rpm_header_binary(const struct rpm_header *header, uint32_t tag, struct text *ret_bytes,
                       struct err *err) MUST_CHECK;

#endif
