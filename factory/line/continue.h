/* SPDX-License-Identifier: Apache-2.0 */
/* continue.h - the package database of an image on which packages are installed: the base's, continued
 *
 * A package counts as installed when its scripts would do nothing more than what is in the image: of their commands all are
 * known, and what these would make is there or covered. If not, the order fails, or with `allow-unconfigured` the package is
 * half-configured, so that the distribution's own tool finishes it. So it is with packages of the base whose triggers
 * would have to be processed.
 * Threads: on a worker, over what one order has.
 * Owns: nothing; all lives in the order's scratch arena.
 * Fails with: as ground/installed.h; ERR_RESOLVE (scripts that nobody does).
 */
#ifndef IMGFACTORY_LINE_CONTINUE_H
#define IMGFACTORY_LINE_CONTINUE_H

#include "line/stages.h"
#include "proof/scripts.h"

/* Adds the database's files to `tree`, which is not put on the base yet; `scripts` has what the image would be without them:
 * its tree is the root. Notes are added to the tree's; ret_removed are exact paths of the base that go. */
bool continue_database(const struct order *order, const struct closed *closed, const struct scripts_request *scripts,
                       struct tree *tree, struct strings *ret_removed, struct err *err) MUST_CHECK;

/* Lists the packages of the base that others of the selection take the place of. */
void continue_replaced(struct arena *arena, const struct selection *selection, struct strings *ret_names);

#endif
