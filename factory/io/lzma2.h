/* lzma2.h - LZMA2 (the xz format, 5.3.1) from memory into a window, out of which the caller reads: nothing is copied
 *
 * A decoder that can assume that all input is there: it looks for the end of its input once per symbol instead of once
 * per byte, decides bits that nobody can foresee without branches, and gives its window away as the output, where a
 * decoder of streams copies out of it.
 * Memory: the window, which is no larger than what comes out.
 * Threads: a decoder belongs to one thread.
 * Owns: the window, until lzma2_close().
 */
#ifndef IMGFACTORY_IO_LZMA2_H
#define IMGFACTORY_IO_LZMA2_H

#include "base/text.h"

struct lzma2;

/* Makes a decoder for blocks that want dictionaries of at most so many bytes and give at most plain_bytes_max. */
struct lzma2 *lzma2_open(uint64_t dictionary_bytes, uint64_t plain_bytes_max);
/* Begins a block, whose chunks are at the front of `input`; that may be followed by other bytes. */
void lzma2_begin(struct lzma2 *lzma2, struct text input);
/* Gives the next piece, good until the next call; an empty one is the end. Returns what is wrong, or NULL. */
const char *lzma2_next(struct lzma2 *lzma2, struct text *ret_piece);
/* Returns how much of the input it has read. */
size_t lzma2_used(const struct lzma2 *lzma2);
/* Frees it. NULL is fine. */
void lzma2_close(struct lzma2 *lzma2);

#endif
