/* SPDX-License-Identifier: Apache-2.0 */
/* tree_stand.h - a tree put on a base: what of it becomes the layer, and the file system that both make
 *
 * Each node goes where the base's links lead, inside of the base; nothing is written through a link to outside of it. What
 * the base has already, with the same bytes, is left out, and so are its directories; of an upgraded package not with another
 * mode or owner. Where it has something else:
 * a package's file is an error (ERR_RESOLVE), but a link in place of a directory is none, as dpkg has it; what is weak
 * (enum node_claim) gives way; the manifest's own replaces it, unless a package of the base owns that (ERR_RESOLVE); a
 * database replaces it. In the layer stand also the directories above, as the base has them: engines would make them anew.
 * Paths that are to be removed are whiteouts (image-spec layer.md). A hard link to a file that is left out, or to another
 * name of its own place, is a file.
 * Threads: pure function of its inputs.
 * Owns: nothing; results live in the arena and point into ground and tree.
 * Fails with: ERR_RESOLVE, ERR_USAGE (the manifest's own entries).
 */
#ifndef IMGFACTORY_TREE_TREE_STAND_H
#define IMGFACTORY_TREE_TREE_STAND_H

#include "tree/tree.h"

/* Names the package of the base that owns an exact path; NULL: none that is known. */
typedef const char *stand_owner(const void *self, const char *path);

struct stand_request {
    const struct ground *ground;
    const struct tree *tree;
    const char *manifest_path; /* for messages */
    stand_owner *owner;        /* NULL: nobody knows */
    const void *owner_self;
    const struct strings
        *replaced; /* names of packages of the base whose files may change: they were upgraded; or NULL */
    const struct strings *removed; /* exact paths that the image is not to have; or NULL */
    bool
        sets_rights; /* packages are installed, and their format has it so (format.h): also what is the same but for mode,
                       * owner or time comes, and a link does not give way to a directory */
};

/* Puts the tree on the base: ret_layer is the tree of the layer, ret_root what the image then has, the base's nodes marked
 * is_given. */
bool tree_stand(struct arena *arena, const struct stand_request *request, struct tree *ret_layer, struct tree *ret_root,
                struct err *err) MUST_CHECK;

#endif
