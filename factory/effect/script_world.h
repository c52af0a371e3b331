/* SPDX-License-Identifier: Apache-2.0 */
/* script_world.h - what a maintainer script finds at a first installation, and how its questions end
 *
 * Private to script_*.c.
 * Threads: one.
 */
#ifndef IMGFACTORY_EFFECT_SCRIPT_WORLD_H
#define IMGFACTORY_EFFECT_SCRIPT_WORLD_H

#include "effect/script_calls.h"

struct script_world {
    struct arena *arena;
    const struct fileset *set; /* or NULL: only `packages` */
    const struct package *const *packages;
    size_t package_count;
    bool is_before;           /* the packages' files are not there yet */
    bool has_configuration;   /* whoever starts a service has made the files below /etc that its packages lack */
    struct map made;          /* path → enum shell_truth * : what scripts made (maybe), or took away */
    struct map users, groups; /* those that scripts made */
    struct map answers;       /* of debconf: name → what db_get gives, of the package whose script it is */
    bool has_open_answers;    /* a script may set any of them */
    const char *architecture; /* of the package whose script it is, in its format's words; or NULL */
    const char *answer;       /* of the last db_get; NULL: unknown */
    size_t glob_count;
};

/* Decide as `struct shell_world` asks; `self` is the world. */
enum shell_truth script_world_test(void *self, char what, const char *path);
void script_world_glob(void *self, const char *pattern, struct strings *ret_paths);
const char *script_world_source(void *self, const char *path);
const char *script_world_variable(void *self, const char *name);
/* Takes over the answers that a package's templates have; its config script, which is asked before, may set others. */
void script_world_begin(struct script_world *world, const struct package *package);
/* Answers a command that only asks something; false when it is none. */
bool script_world_ask(struct script_world *world, const struct shell_call *call, enum shell_truth *ret_truth,
                      const char **ret_printed);
/* Takes note of what a command makes; returns how it ends. */
enum shell_truth script_world_make(struct script_world *world, const struct shell_call *call);

#endif
