/* SPDX-License-Identifier: Apache-2.0 */
/* past_zstd.h - bytes as one zstd frame with size and checksum (RFC 8878); private to past/
 *
 * Threads: no state.
 */
#ifndef IMGFACTORY_PAST_PAST_ZSTD_H
#define IMGFACTORY_PAST_PAST_ZSTD_H

#include "base/text.h"

/* Compresses; the caller calls buf_done(). */
void past_zstd_pack(struct text plain, struct buf *ret_packed);
/* Decompresses a whole frame of at most `most` bytes; false when it is none. The caller frees *ret_bytes, which *ret_plain views. */
bool past_zstd_unpack(struct text packed, size_t most, char **ret_bytes, struct text *ret_plain) MUST_CHECK;

#endif
