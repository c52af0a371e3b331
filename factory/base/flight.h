/* SPDX-License-Identifier: Apache-2.0 */
/* flight.h - one making per key: the first caller makes the thing, the others wait and share the result
 *
 * Threads: any thread but the network thread may call flight_get(); it blocks while another thread makes the same key.
 * Owns: the keys and copies of errors; the results stay the maker's (they live in memory that outlives the flight).
 */
#ifndef IMGFACTORY_BASE_FLIGHT_H
#define IMGFACTORY_BASE_FLIGHT_H

#include "base/err.h"

struct flight;

/* Makes the thing for `argument`; sets *ret_result or fills err. Called without a lock held, once per key. */
typedef bool flight_make(void *argument, void **ret_result, struct err *err);

/* Creates an empty table. */
struct flight *flight_new(void);
/* Returns the result for `key`, making it with make(argument) if this is the first call with that key. A failure is
 * shared too: every caller gets a copy of the error. */
bool flight_get(struct flight *flight, const char *key, flight_make *make, void *argument, void **ret_result,
                struct err *err) MUST_CHECK;
/* Frees the table. No call may be under way. NULL is fine. */
void flight_free(struct flight *flight);

#endif
