/* release_parse.h - the signed text of a Release file into a struct release, and its dates
 *
 * Threads: no shared state.
 * Fails with: ERR_MALFORMED; ERR_TRUST when it lists nothing by SHA-256.
 */
#ifndef IMGFACTORY_SOURCE_RELEASE_PARSE_H
#define IMGFACTORY_SOURCE_RELEASE_PARSE_H

#include "source/release.h"

/* A date as people read it. */
struct release_date {
    char chars[64];
};

/* Parses "Sat, 11 Jul 2026 10:16:37 UTC" (RFC 5322, section 3.3, zone UTC, GMT, Z or +0000) into seconds since the
 * epoch, whatever the locale. */
bool release_parse_date(struct text date, int64_t *ret_seconds) MUST_CHECK;
/* Prints seconds since the epoch as "2026-07-11 10:16:37 UTC". */
struct release_date release_print_date(int64_t seconds);
/* Prints a time span of seconds (the sign is dropped) as "3 days", "5 hours", "40 seconds". */
struct release_date release_print_span(int64_t seconds);
/* Parses the text. Fields that say where it came from (repository, uri, dir, signed_by) are left alone. A missing
 * Valid-Until gives 0. */
bool release_parse(struct arena *arena, const char *name, struct text text, struct release *ret_release,
                   int64_t *ret_valid_until, struct err *err) MUST_CHECK;

#endif
