/* SPDX-License-Identifier: Apache-2.0 */
/* system_unpack.h - the merged layers of an image as a folder on a host
 *
 * By descriptors, below one folder, following no link. As root every owner, mode and capability is kept; as anybody else
 * everything is that user's, setuid bits and capabilities are lost, and both are counted. Devices, fifos and sockets are
 * refused: a runtime makes /dev by itself.
 * Threads: the calling one and as many as asked for; the ground is const.
 * Fails with: ERR_MALFORMED (a device), ERR_TRUST (bytes of the cache that changed), ERR_LOCAL, ERR_CANCELLED.
 */
#ifndef IMGFACTORY_SYSTEM_SYSTEM_UNPACK_H
#define IMGFACTORY_SYSTEM_SYSTEM_UNPACK_H

#include "ground/ground.h"

#include <stdatomic.h>

struct unpack_request {
    const struct ground *ground;
    size_t thread_count;       /* that write files at once, at least 1 */
    const atomic_bool *cancel; /* or NULL */
};

/* What could not be kept, for whoever is not root. */
struct unpack_losses {
    size_t owner_count, setuid_count, capability_count;
};

/* Checks that an image can be unpacked, without writing anything. */
bool system_unpack_check(const struct unpack_request *request, struct err *err) MUST_CHECK;
/* Writes into the empty folder `root`, a descriptor; its own mode becomes 0755. */
bool system_unpack(const struct unpack_request *request, int root, struct unpack_losses *ret_losses,
                   struct err *err) MUST_CHECK;

#endif
