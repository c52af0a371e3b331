/* SPDX-License-Identifier: Apache-2.0 */
/* decompress.h - one compressed buffer into one plain buffer, with a hard cap
 *
 * gzip (RFC 1952, several members allowed) by libdeflate; the rest, and what goes piece by piece, by
 * stream.h. Trailing garbage, a truncated stream and nested compression are refused.
 * Threads: no shared state.
 * Fails with: ERR_MALFORMED; ERR_INTERNAL when this libarchive lacks a filter.
 */
#ifndef IMGFACTORY_IO_DECOMPRESS_H
#define IMGFACTORY_IO_DECOMPRESS_H

#include "base/text.h"

enum compression {
    COMPRESSION_NONE,
    COMPRESSION_GZIP,
    COMPRESSION_XZ,
    COMPRESSION_ZSTD,
    COMPRESSION_BZIP2,
    COMPRESSION_LZMA,
    COMPRESSION_LZ4
};

/* Tells the compression that a file name's ending stands for (".gz", ".xz", ".zst", ".bz2", ".lzma", ".lz4", else none). */
enum compression compression_of_name(const char *name);
/* Returns the ending of a compression with its dot; "" for none. */
const char *compression_ending(enum compression compression);
/* Decompresses all of `input` into `ret` (initialised here; the caller calls buf_done()). When is_size_known, exactly
 * size_bytes must come out; else at most size_bytes. `name` is for messages. */
bool decompress(enum compression compression, struct text input, bool is_size_known, size_t size_bytes,
                const char *name, struct buf *ret, struct err *err) MUST_CHECK;

/* Takes the next piece; false (err is set) ends the reading. */
typedef bool decompress_take(void *taker, struct text piece, struct err *err);
/* The same piece by piece, for what shall never be in memory as a whole; at most cap_bytes come out. */
bool decompress_pieces(enum compression compression, struct text input, uint64_t cap_bytes, const char *name,
                       decompress_take *take, void *taker, struct err *err) MUST_CHECK;

#endif
