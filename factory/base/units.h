/* SPDX-License-Identifier: Apache-2.0 */
/* units.h - durations and sizes as people write them in options and files
 *
 * Threads: no shared state.
 */
#ifndef IMGFACTORY_BASE_UNITS_H
#define IMGFACTORY_BASE_UNITS_H

#include "base/text.h"

/* What stands for no limit at all. */
#define UNITS_NONE UINT64_MAX

/* Parses "90s", "10m", "1h30m", "2d", "500ms", "1.5h" to milliseconds. False on anything else: a number without unit,
 * an unknown unit, nothing, more than 10,000 days. */
bool units_parse_duration(struct text text, uint64_t *ret_ms) MUST_CHECK;
/* Parses "500M", "8GiB", "1.5G", "2TB", "4096B" to bytes: K, M, G, T with or without "iB" are powers of 1024, with "B"
 * powers of 1000, letters of any case; "0"; "none" to UNITS_NONE. False on anything else: another number without unit,
 * an unknown unit, more than 2^60. */
bool units_parse_size(struct text text, uint64_t *ret_bytes) MUST_CHECK;
/* Prints a duration as people read it: "500 ms", "90 s", "15 min", "2.5 h". */
struct units_duration {
    char chars[32];
};
struct units_duration units_duration(uint64_t ms);

#endif
