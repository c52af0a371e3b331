/* SPDX-License-Identifier: Apache-2.0 */
/* deflate_settle.h - the same DEFLATE bytes from every version of libdeflate
 *
 * At the levels 1 to 9 the versions 1.14 to 1.25 split their input into the same blocks and find the same matches. They
 * differ where a block has no match at all: since 1.19 its code for offsets, which nobody uses, is not empty. That makes
 * the block some bits longer, and for that reason or for another alignment a block may become a stored one, or no longer.
 * So here a block (RFC 1951) without a match gets a header of one fixed shape, and a block that saves less than 64 bits
 * beside a stored one is stored: whatever the version, what is left is the same.
 * Threads: no state.
 */
#ifndef IMGFACTORY_LAYER_DEFLATE_SETTLE_H
#define IMGFACTORY_LAYER_DEFLATE_SETTLE_H

#include "base/err.h"
#include "base/text.h"

/* Settles a raw DEFLATE stream of which the plain bytes are given: *settled, begun and empty, stays empty when the stream is
 * settled as it is, else gets the one to take in its place. Eight readable bytes must follow the stream. ERR_INTERNAL when it is
 * none of these bytes. */
bool deflate_settle(struct text packed, struct text plain, struct buf *settled, struct err *err) MUST_CHECK;

#endif
