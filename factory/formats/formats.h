/* SPDX-License-Identifier: Apache-2.0 */
/* formats.h - every package format, in one table
 *
 * A further format is its room and one line in formats.c. Whoever has a source or a package has its format already;
 * only what reads names (`kind:`, `when:`), arches/ and the host's configuration asks here.
 * Threads: const.
 */
#ifndef IMGFACTORY_FORMATS_FORMATS_H
#define IMGFACTORY_FORMATS_FORMATS_H

#include "plan/arch.h"
#include "source/format.h"

/* Returns the format by its number from 0, in the order in which the host is asked; NULL behind the last. */
const struct format *formats_at(size_t index);
/* Returns the format of that name, or NULL. */
const struct format *formats_find(const char *name);
/* Returns the names of all, in the same order. */
struct strings formats_names(struct arena *arena);
/* Returns the keys of all in arches/, for arches_load(). */
struct arch_keys formats_arch_keys(struct arena *arena);

#endif
