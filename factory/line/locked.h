/* SPDX-License-Identifier: Apache-2.0 */
/* locked.h - lock files and orders: what an order took, and that one took what a lock says (--locked)
 *
 * A locked run solves again, over the indices that the lock pins, and what comes out must be what the lock says: so a lock can
 * make nothing be taken that signed indices do not list.
 * Threads: the checks on an order's thread; locked_of_batch() on main, once all orders ended.
 * Owns: strings live in the arena given, or are borrowed from jobs.
 * Fails with: ERR_TRUST; ERR_NETWORK where what cannot be had makes the difference.
 */
#ifndef IMGFACTORY_LINE_LOCKED_H
#define IMGFACTORY_LINE_LOCKED_H

#include "bill/lock.h"
#include "line/batch.h"

/* Writes down what all orders of a batch took, of which none failed. */
void locked_of_batch(struct arena *arena, const struct batch *batch, struct lock *ret_lock);
/* Checks what a job's catalog is made of against the run's lock, before anything of it is taken. True without a lock. */
bool locked_check_origins(const struct job *job, struct err *err) MUST_CHECK;
/* Checks what an order that has its bill took. True without a lock. */
bool locked_check(const struct job *job, struct err *err) MUST_CHECK;
/* Checks that a bill which another run wrote is of the packages, manifest and base that the run's lock names for the job's order. True
 * without a lock. */
bool locked_check_bill(const struct job *job, struct err *err) MUST_CHECK;
/* Lets the store keep what a lock names as long as its file is there (store_hold()). */
bool locked_hold(struct plant *plant, const struct lock *lock, const char *path, struct err *err) MUST_CHECK;
/* After an error of a run with a lock: says which packages are lost with a generation that is gone, or what keeps packages; what
 * cannot be installed as the lock has it is an ERR_TRUST. */
void locked_explain(const struct job *job, struct err *err);

#endif
