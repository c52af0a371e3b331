/* SPDX-License-Identifier: Apache-2.0 */
/* lock_parts.h - private to lock.c, lock_compare.c and lock_use.c: what they share
 *
 * Threads: no shared state.
 */
#ifndef IMGFACTORY_BILL_LOCK_PARTS_H
#define IMGFACTORY_BILL_LOCK_PARTS_H

#include "bill/lock.h"

/* Makes a key of two texts, in an initialised buffer, until it is used again. */
struct text lock_key(struct buf *room, const char *a, const char *b);
/* Sorts names as bytes. */
void lock_sort_names(struct strings *names);
/* Returns whether a digest is none. */
static inline bool lock_is_zero(const struct digest *digest)
{
    static const struct digest zero;
    return digest_eq(digest, &zero);
}

#endif
