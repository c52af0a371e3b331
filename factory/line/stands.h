/* SPDX-License-Identifier: Apache-2.0 */
/* stands.h - the packages that were selected for the words of `packages: install`, which may be no package's name
 *
 * A word can be a name that others provide or obsolete, have a version or an architecture, or be a glob; the solver tells in each
 * selected package for which words it is there.
 * Threads: pure functions of their inputs.
 * Owns: nothing; results live in the arena given.
 * Fails with: ERR_RESOLVE, with the word.
 */
#ifndef IMGFACTORY_LINE_STANDS_H
#define IMGFACTORY_LINE_STANDS_H

#include "plan/wishes.h"
#include "source/solve.h"

/* Checks that for each word of the manifest's own wishes something was selected. */
bool stands_check(const struct wishes *wishes, const struct selection *selection, struct err *err) MUST_CHECK;
/* Puts into the place of each word what was selected for it. A word for which nothing was (a base has it) stays. */
void stands_settle(struct arena *arena, const struct selection *selection, struct wishes *wishes);
/* Returns the word as somebody wrote it. */
const char *stands_word(const struct wish_package *wish);
/* Returns whether it is worth a note that the package stands for a word: the word does not begin with its name, and is no glob. */
bool stands_is_news(const struct selected *selected, const char *word);

#endif
