/* SPDX-License-Identifier: Apache-2.0 */
/* said.h - the words of a service's configuration, and whether they name a plug-in
 *
 * Configuration seldom says where a plug-in lies: "LoadModule mod_deflate.c", "mschap {" for rlm_mschap.so, "gmp { load = yes }".
 * Words are read from texts below /etc, of own packages or made: the first one of lines that open a block, all of lines that
 * speak of loading, plug-ins, modules or extensions, and what can be the end of a path ("type mgmt/glusterd"); comment lines say nothing, nor do READMEs. What lies in a directory that is
 * called …-available is only said when a link leads there.
 * Threads: pure functions of their inputs.
 * Owns: nothing; results live in the arena.
 */
#ifndef IMGFACTORY_SERVICE_SAID_H
#define IMGFACTORY_SERVICE_SAID_H

#include "service/own.h"

/* Collects the words of what own packages have in the image, and of what is wished for to be made. */
void said_collect(struct arena *arena, const struct automatic_request *request, const struct own *own,
                  const struct wishes *wishes, struct map *ret_words);
/* Returns whether a word is the name of a plug-in: of its file without "lib" and ".so", also without what stands before the
 * first '_' or '-' (rlm_mschap, libstrongswan-gmp) and without "_plugin" or "_module"; or the file with its directory. */
bool said_has(struct arena *arena, const struct map *words, const char *path);
/* Collects the paths that links of the image lead to, and those that are wished for to be made. */
void said_collect_linked(struct arena *arena, const struct automatic_request *request, const struct wishes *wishes,
                         struct map *ret_linked);
/* Returns whether a file only tells what could be: it is of a directory of configurations to choose from ("sites-available")
 * and no link leads to it, or it is for people to read ("README"). */
bool said_is_idle(const struct map *linked, const char *path);

#endif
