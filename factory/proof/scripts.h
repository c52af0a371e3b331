/* SPDX-License-Identifier: Apache-2.0 */
/* scripts.h - what scripts of packages would have done and neither manifest, recipe nor factory does
 *
 * The finished tree is the judge: a user that is in /etc/passwd, a path that is there, an owner of a path that is not
 * there need nobody. Only packages that gave files are looked at.
 * Threads: pure functions of their inputs.
 */
#ifndef IMGFACTORY_PROOF_SCRIPTS_H
#define IMGFACTORY_PROOF_SCRIPTS_H

#include "effect/applied.h"
#include "tree/tree.h"

/* What is looked at: a finished tree, and who takes care of what. */
struct scripts_request {
    const struct manifest *manifest;
    const struct tree *tree;
    const struct fileset *set;
    const struct wishes *wishes; /* of all */
    const struct applied *applied;
};

/* Lists one sentence for each package with such a script, by name; what an administrator is asked comes last. */
void scripts_left_over(struct arena *arena, const struct scripts_request *request, struct strings *ret_notes);
/* Returns the sentence of one package, and marks in ret_left what is left over; NULL when nothing is. */
const char *scripts_left_of(struct arena *arena, const struct scripts_request *request, const struct package *package,
                            bool ret_left[EFFECT_COUNT]);
/* Returns whether manifest or recipes say of an effect of the package's scripts that it is taken care of. */
bool scripts_cover(const struct scripts_request *request, const struct package *package, enum effect effect);
/* Checks that the user and group of the image's configuration exist, now that recipes have been merged: ERR_USAGE when not.
 * `place`: the manifest's path, for messages. */
bool scripts_check_user(const char *place, const struct manifest_config *config, const struct tree *tree,
                        struct err *err) MUST_CHECK;

#endif
