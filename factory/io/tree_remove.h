/* SPDX-License-Identifier: Apache-2.0 */
/* tree_remove.h - removes a directory and all below it, by descriptors, following no symlink
 *
 * Threads: no state.
 */
#ifndef IMGFACTORY_IO_TREE_REMOVE_H
#define IMGFACTORY_IO_TREE_REMOVE_H

#include "base/err.h"

/* Removes dirfd/name; deeper than 512 directories is refused. */
bool tree_remove(int dirfd, const char *name, struct err *err) MUST_CHECK;

#endif
