/* SPDX-License-Identifier: Apache-2.0 */
/* tree_data.h - paths of a finished tree that live in volumes: moved to templates, with links in their places (plan/volumes.h)
 *
 * Of a volume /data: what stands at or below its paths is at the same path below /data-template, and the path is a link below
 * /data. The template holds build-id, as /etc/build-id does ("ID SECONDS": a digest of the tree, and its time), and .pristine-ID:
 * its configuration and links once more, by which the next build tells what was changed. START_DIR/data.NUMBER lists it for the
 * start program (plan/start/start.sh); START_DIR/run lists the directories below /run, which START_DIR/run-template has, and
 * START_DIR/scripts what scripts of its packages would have done. Relative links that led out of a path lead to the same place; a hard link to what is now in
 * another volume is a copy. What is configuration, and which rule it has, says the format of the package (format.h).
 * Threads: pure functions of their inputs.
 * Owns: nothing; the new tree lives in the arena given and points into the former one.
 * Fails with: ERR_USAGE (a path below a link, or of a name that the list cannot hold).
 */
#ifndef IMGFACTORY_TREE_TREE_DATA_H
#define IMGFACTORY_TREE_TREE_DATA_H

#include "plan/volumes.h"
#include "tree/tree.h"

/* Moves what the volumes have. `path` is the manifest's, for messages. */
bool tree_move_data(struct arena *arena, const struct volumes *volumes, const char *path, struct tree *tree,
                    struct err *err) MUST_CHECK;

#endif
