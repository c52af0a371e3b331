/* tar_guard.h - a strict look at every tar header before libarchive sees it
 *
 * libarchive takes unknown types for files, goes on without an end mark, and mixes extensions. deb(5) allows less: v7,
 * ustar and GNU headers with long names and large numbers. The guard follows the headers through the stream and
 * refuses all else: pax, sparse and unknown types, numbers that are not numbers, links and directories with bytes,
 * streams without the two zero blocks at their end or with more than zeros after them.
 * Threads: a guard belongs to one thread.
 * Fails with: ERR_MALFORMED.
 */
#ifndef IMGFACTORY_CONTENT_TAR_GUARD_H
#define IMGFACTORY_CONTENT_TAR_GUARD_H

#include "base/err.h"
#include "base/text.h"

#define TAR_BLOCK_BYTES 512

/* Zero-initialise to use. */
struct tar_guard {
    char header[TAR_BLOCK_BYTES];
    size_t header_len;   /* bytes of a header that have come */
    uint64_t skip_bytes; /* of the current entry that are still to come, with padding */
    uint64_t end_bytes;  /* zero bytes since the end mark began; 0: it has not */
};

/* Looks at the next bytes of the stream. */
bool tar_guard_feed(struct tar_guard *guard, struct text bytes, struct err *err) MUST_CHECK;
/* Tells whether the stream may end here. */
bool tar_guard_end(const struct tar_guard *guard, struct err *err) MUST_CHECK;

#endif
