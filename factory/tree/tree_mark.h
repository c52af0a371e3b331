/* SPDX-License-Identifier: Apache-2.0 */
/* tree_mark.h - what an exported tree consists of, so that the next export removes nothing that is not ours
 *
 * The tree itself stays exactly what the image holds; the mark lies beside it: DIR/IMAGE/.ARCH.imgfactory, records that end
 * with NUL: "imgfactory tree 1", then "KIND SIZE MTIME PATH" (KIND d, f or l) for each entry. While one tree takes the place
 * of another there is a second one, .ARCH.imgfactory.new: a killed process leaves one that fits.
 * Threads: none of its own; private to tree_export.c.
 * Fails with: ERR_LOCAL.
 */
#ifndef IMGFACTORY_TREE_TREE_MARK_H
#define IMGFACTORY_TREE_TREE_MARK_H

#include "tree/tree.h"

/* Checks that home/sub may be removed: it is not there, is empty, or holds only what a mark lists, unchanged. `shown` is
 * its path for messages. */
bool tree_mark_check(int home, const char *sub, const char *shown, struct err *err) MUST_CHECK;
/* Writes the mark of a tree that is about to become home/sub. */
bool tree_mark_announce(int home, const char *sub, const struct tree *tree, struct err *err) MUST_CHECK;
/* Makes the announced mark the only one. */
bool tree_mark_commit(int home, const char *sub, const char *shown, struct err *err) MUST_CHECK;

#endif
