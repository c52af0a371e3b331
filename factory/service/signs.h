/* SPDX-License-Identifier: Apache-2.0 */
/* signs.h - which features a service wants, by the signs that these have (plan/features.h)
 *
 * Threads: one.
 * Owns: nothing; results live in the arena.
 */
#ifndef IMGFACTORY_SERVICE_SIGNS_H
#define IMGFACTORY_SERVICE_SIGNS_H

#include "service/references.h"

/* Adds the wishes of each feature of which a sign is there, unless the manifest names it anyhow. Of its globs that need not
 * match only what is modest comes along. references_find() was asked before. */
void signs_find(struct modest *modest, struct automatic *found);

#endif
