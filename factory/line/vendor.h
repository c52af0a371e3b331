/* SPDX-License-Identifier: Apache-2.0 */
/* vendor.h - folders that hold all that a lock names (`lock --vendor`): builds from it need no network
 *
 * DIR/sha256/<hex> and DIR/sha512/<hex> are packages, indices and their signed files, named by their bytes; several locks may share a
 * folder. DIR/keys has the public keys: of files a copy under their name, for who wants to take them to another machine; of URLs
 * under the SHA-256 of the URL, which a locked build with the folder takes in place of the URL. What comes from a folder is verified
 * as what comes from a mirror.
 * Threads: main, while no order runs; both block.
 * Fails with: ERR_LOCAL, ERR_NETWORK, ERR_TRUST (a file of the folder that is not what its name says).
 */
#ifndef IMGFACTORY_LINE_VENDOR_H
#define IMGFACTORY_LINE_VENDOR_H

#include "line/batch.h"

/* Writes what a batch took, which a lock names, into the folder; it is made if it is not there. */
bool vendor_fill(struct plant *plant, const struct batch *batch, const char *dir, struct err *err) MUST_CHECK;
/* Brings what a lock names and the store lacks into the store, as far as the folder has it. */
bool vendor_take(struct plant *plant, const struct lock *lock, const char *dir, struct err *err) MUST_CHECK;

#endif
