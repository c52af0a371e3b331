/* SPDX-License-Identifier: Apache-2.0 */
/* shell_links.h - a static shell in place of sh and its tools: the links that it would make of itself
 *
 * `shell: busybox` in a manifest. The program is many commands in one, by the name it is started with; `busybox --install` makes a
 * link for each. The names stand in its bytes, one after the other ("[", "[[", …), and are read there: nothing is started. Where
 * the family knows a tool of that name (plan/family.h), or it is the shell, the link takes the place of what a package ships, so
 * that the closure finds it instead; other names only get links where no package of the set has anything.
 * Threads: the thread that builds the set.
 * Fails with: ERR_RESOLVE (a manifest wants a shell that the packages' distributions do not have).
 */
#ifndef IMGFACTORY_EFFECT_SHELL_LINKS_H
#define IMGFACTORY_EFFECT_SHELL_LINKS_H

#include "closure/fileset.h"
#include "plan/manifest.h"

#define SHELL_LINKS_MAX 1000 /* names of one program */

/* Adds the wish for the program of the manifest's static shell. `package` is the one to take it from. */
void shell_links_wish(struct arena *arena, const struct family *family, const char *package, struct wishes *wishes);
/* Adds links to the set for the program that is in it, and wishes for those of tools. Paths that the manifest names stay as
 * packages have them. */
void shell_links_add(struct arena *arena, struct fileset *set, const struct manifest *manifest,
                     struct wishes *ret_wishes);
/* Lists the names that a program has inside itself, in their order; none when it is no such program. */
void shell_links_names(struct arena *arena, struct text bytes, struct strings *ret_names);

#endif
