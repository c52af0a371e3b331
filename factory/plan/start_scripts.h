/* SPDX-License-Identifier: Apache-2.0 */
/* start_scripts.h - start/ within the program: the shell scripts that images with several services or with data begin with
 *
 * POSIX shell; dash and the sh of busybox run them. What differs from image to image they read from files beside them.
 * Threads: const.
 * Owns: nothing; lists grow in the arena given.
 */
#ifndef IMGFACTORY_PLAN_START_SCRIPTS_H
#define IMGFACTORY_PLAN_START_SCRIPTS_H

#include "base/embedded.h"
#include "plan/manifest.h"

extern const struct embedded_file start_scripts[];
extern const size_t start_scripts_count;

/* The folder of the image in which they lie. */
#define START_DIR "/usr/lib/imgfactory"

/* Adds a thing that is made to the manifest, root's, unless the manifest makes something in its place by itself; so it is with
 * programs and files that are wanted. `giver` says for the report who wants it. */
void start_make(struct arena *arena, struct manifest *manifest, struct wish_made made, const char *giver);
void start_want_program(struct arena *arena, struct manifest *manifest, const char *path);
void start_want_file(struct arena *arena, struct manifest *manifest, const char *path, const char *giver);
/* Adds the script of that name as START_DIR/NAME, with a shell and the tools (paths) that it calls; with `shell:` these are there
 * already. Returns its path. */
const char *start_add_script(struct arena *arena, struct manifest *manifest, const char *name, const char *const *tools,
                             size_t tool_count);

#endif
