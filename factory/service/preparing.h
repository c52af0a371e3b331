/* SPDX-License-Identifier: Apache-2.0 */
/* preparing.h - directories that a service is given
 *
 * Paths below /var/run are where that link leads.
 * Threads: pure functions of their inputs.
 * Owns: nothing; what is returned lives in the arena given.
 */
#ifndef IMGFACTORY_SERVICE_PREPARING_H
#define IMGFACTORY_SERVICE_PREPARING_H

#include "plan/wishes.h"

/* Adds a directory unless one is wished for at its path; a path that no image has is passed over. */
void preparing_add_directory(struct arena *arena, const struct wish_made *directory, struct wishes *wishes);

#endif
