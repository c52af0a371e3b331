/* SPDX-License-Identifier: Apache-2.0 */
/* lag_memory.h - for how many nights architectures have differed in a package
 *
 * STATE/v1/lags.json, one JSON object by a table (bill/record.h). It remembers for each image and package when the
 * difference was seen first, and since when a security update is held back by it. What is equal again is forgotten, and
 * what nobody saw for FORGET_DAYS, and all but LAGS_MAX_COUNT. A file that is lost or damaged, or a folder that cannot be
 * written, is no error: every difference is new then.
 * A night is a day: nights are counted by the clock, so that who looks every ten minutes does not count hundreds, and a
 * night that was left out counts.
 * Threads: main, after the orders' threads; processes wait for each other.
 */
#ifndef IMGFACTORY_LINE_LAG_MEMORY_H
#define IMGFACTORY_LINE_LAG_MEMORY_H

#include "base/log.h"
#include "line/parity.h"

#define LAGS_MAX_COUNT 10000 /* of all images */
#define LAGS_FORGET_DAYS 60
#define LAG_NIGHTS_MAX 2 /* a security update is overdue when it is held back for longer */

/* What was compared of one image. */
struct lag_note {
    const char *image; /* names it, and where it goes */
    struct lags *lags; /* since, nights and is_overdue are filled in */
    bool is_held_back; /* what is newest does not go out */
    bool is_partial;   /* of some architectures nobody knows: what does not differ is not forgotten */
};

/* Returns for how many nights something is so that was seen first at `since` (seconds since the epoch): 1 for the first. */
unsigned lag_nights(int64_t since, int64_t now);
/* Fills in what is known of the differences, and remembers them in the place of what was known of these images. The log,
 * which may be NULL, is told when that is not possible. */
void lag_memory_note(const char *state_dir, const struct lag_note *notes, size_t count, int64_t now, struct log *log);

#endif
