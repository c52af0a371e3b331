/* SPDX-License-Identifier: Apache-2.0 */
/* lock_bill.h - locks made of bills: what a build took, written down after it, too
 *
 * A bill has all that a lock has of its image.
 * Threads: no shared state.
 * Owns: strings live in the arena given, or are the bill's.
 */
#ifndef IMGFACTORY_BILL_LOCK_BILL_H
#define IMGFACTORY_BILL_LOCK_BILL_H

#include "bill/bill.h"
#include "bill/lock.h"

/* Adds the generations of repositories, and what they list for an architecture of orders. */
void lock_add_bill_source(struct arena *arena, struct lock *lock, const struct bill_source *source, const char *arch);
/* Adds an image for one architecture: packages, paths, data. `manifest` is the digest of its manifest. */
void lock_add_bill(struct arena *arena, struct lock *lock, const struct bill *bill, const struct bill_source *source,
                   const struct digest *manifest);

/* Appends the lock of one image's bills, as `imgfactory lock` would write it; false when one of them does not say where its packages
 * are from, or it is too large. */
bool lock_of_bills(struct arena *arena, const struct bill *const *bills, size_t count, struct buf *text) MUST_CHECK;

#endif
