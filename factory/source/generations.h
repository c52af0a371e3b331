/* SPDX-License-Identifier: Apache-2.0 */
/* generations.h - which generations of repositories proved incomplete in this run: what they list is not there (any more)
 *
 * A mirror in the middle of an update has a Release or repomd.xml of one generation and files of another. Whoever finds that notes the
 * generation; who asks for a repository's metadata anew passes it over, so that another mirror, or the next look, gives one that is whole.
 * Threads: any.
 * Owns: what it remembers, until generations_free().
 */
#ifndef IMGFACTORY_SOURCE_GENERATIONS_H
#define IMGFACTORY_SOURCE_GENERATIONS_H

#include <stddef.h>

#include "base/digest.h"
#include "base/err.h"

/* `detail` of an ERR_NETWORK: all generations that the mirrors have were passed over. */
#define GENERATIONS_ALL_LOST 2

struct generations;

/* Makes an empty memory. */
struct generations *generations_new(void);
/* Returns whether an error is one that a mirror in the middle of an update gives: a file is not there, or is another one. */
bool generations_is_race(const struct err *err);
/* Notes the generation whose file gave such an error; nothing otherwise. `generations` may be NULL. */
void generations_note(struct generations *generations, const struct digest *generation, const struct err *err);
/* Returns whether the generation was noted. `generations` may be NULL. */
bool generations_is_lost(struct generations *generations, const struct digest *generation);
/* Makes an error in getting the metadata themselves none of a mirror in the middle of an update: a repository without any Release or
 * repomd.xml gets none by waiting. Not so when generations were passed over. */
void generations_no_race(struct err *err);
/* Sets the error of a repository whose metadata are all of generations that were noted. */
void generations_fail(const char *name, struct err *err);
/* Forgets all: the mirrors may have gone on. */
void generations_forget(struct generations *generations);
/* Takes the generations that were noted for good from now on, when nothing better came: who needs what is not there fails, and who
 * does not need it does not. Returns whether there was any. */
bool generations_settle(struct generations *generations);
/* Frees it. NULL is fine. */
void generations_free(struct generations *generations);

#endif
