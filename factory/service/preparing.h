/* preparing.h - commands that only make directories for a service: mkdir, install -d, chown, chmod, as wishes
 *
 * Their words are constant by now. Paths below /var/run are where that link leads.
 * Threads: pure functions of their inputs.
 * Owns: nothing; what is returned lives in the arena given.
 */
#ifndef IMGFACTORY_SERVICE_PREPARING_H
#define IMGFACTORY_SERVICE_PREPARING_H

#include "plan/wishes.h"

/* Adds what a command would have made to the wishes. Returns false when it does something else, of which nothing is
 * added; `giver` is whose it is. */
bool preparing_add(struct arena *arena, const struct strings *words, const char *giver, struct wishes *wishes);
/* Adds a directory unless one is wished for at its path; a path that no image has is passed over. */
void preparing_add_directory(struct arena *arena, const struct wish_made *directory, struct wishes *wishes);

#endif
