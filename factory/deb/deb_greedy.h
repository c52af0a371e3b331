/* SPDX-License-Identifier: Apache-2.0 */
/* deb_greedy.h - apt's choice among alternatives: for deb_solve.c only
 *
 * Threads: the Pool's.
 */
#ifndef IMGFACTORY_DEB_DEB_GREEDY_H
#define IMGFACTORY_DEB_DEB_GREEDY_H

#include "deb/deb_pool.h"

/* Appends to `picked` what apt would install for the requested relations on an empty system, without looking at
 * conflicts: the solver takes it as a wish. */
void solve_greedy(struct solve_pool *solve, const Id *requested, size_t count, Queue *picked);

#endif
