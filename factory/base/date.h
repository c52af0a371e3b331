/* SPDX-License-Identifier: Apache-2.0 */
/* date.h - dates of mails and of Release files, and dates and spans as people read them
 *
 * Threads: no state.
 */
#ifndef IMGFACTORY_BASE_DATE_H
#define IMGFACTORY_BASE_DATE_H

#include "base/text.h"

/* A date as people read it. */
struct date_chars {
    char chars[64];
};

/* Parses "Sat, 11 Jul 2026 10:16:37 UTC" (RFC 5322, section 3.3, any zone of it) into seconds since the
 * epoch, whatever the locale. */
bool date_parse(struct text date, int64_t *ret_seconds) MUST_CHECK;
/* Parses "2026-12-31T23:59:59.5+01:00" (RFC 3339, date-time) into seconds since the epoch and nanoseconds; further digits of
 * a fraction are dropped. */
bool date_parse_time(struct text time, int64_t *ret_seconds, uint32_t *ret_nanoseconds) MUST_CHECK;
/* Parses "2026-12-31" (RFC 3339, full-date) into the first second of that day in UTC. */
bool date_parse_day(const char *day, int64_t *ret_seconds) MUST_CHECK;
/* Prints seconds since the epoch as "20260711T101637Z" (ISO 8601, basic format), and parses that. */
struct date_chars date_print_basic(int64_t seconds);
bool date_parse_basic(struct text date, int64_t *ret_seconds) MUST_CHECK;
/* Prints seconds since the epoch as "2026-07-11 10:16:37 UTC". */
struct date_chars date_print(int64_t seconds);
/* Prints a time span of seconds (the sign is dropped) as "3 days", "5 hours", "40 seconds". */
struct date_chars date_print_span(int64_t seconds);

#endif
