/* SPDX-License-Identifier: Apache-2.0 */
/* tree_data.h - paths of a finished tree that live in volumes: moved to templates, with links in their places (plan/volumes.h)
 *
 * Of a volume /data: what stands at or below its paths is at the same path below /data-template, and the path is a link below
 * /data. The template holds build-id, as /etc/build-id does ("ID SECONDS": a digest of the tree, and its time), and .pristine-ID:
 * its configuration and links once more, by which the next build tells what was changed. START_DIR/data.NUMBER lists it for the
 * start program (plan/start/start.sh); START_DIR/run lists the directories below /run, which START_DIR/run-template has, and
 * START_DIR/scripts what scripts of its packages would have done. Relative links that led out of a path lead to the same place; a hard link to what is now in
 * another volume is a copy. What is configuration, and which rule it has, says the format of the package (format.h).
 * On a base (tree_stand.h) what the base has at or below a path moves, too: its bytes are in the template, and the link of the
 * layer hides what was there.
 * Threads: pure functions of their inputs.
 * Owns: nothing; the new tree lives in the arena given and points into the former one.
 * Fails with: ERR_USAGE (a path below a link, or of a name that the list cannot hold; something in the place of a volume).
 */
#ifndef IMGFACTORY_TREE_TREE_DATA_H
#define IMGFACTORY_TREE_TREE_DATA_H

#include "plan/volumes.h"
#include "tree/tree.h"

struct format;

struct data_request {
    const struct volumes *volumes;
    const char *path;            /* the manifest's, for messages */
    const struct format *format; /* of the base's packages: which of its files are configuration; or NULL */
    bool has_base;
};

/* Moves what the volumes have, in the file system of the image. *layer, which is the same tree when there is no base, becomes what
 * of it is in the layer. */
bool tree_move_data(struct arena *arena, const struct data_request *request, struct tree *root, struct tree *layer,
                    struct err *err) MUST_CHECK;

#endif
