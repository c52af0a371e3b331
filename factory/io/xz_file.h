/* xz_file.h - an .xz file in memory, read piece by piece
 *
 * Format: https://tukaani.org/xz/xz-file-format.txt, version 1.2.0; blocks of LZMA2 alone, which is what packages and
 * indices are made of. All that the format has is checked: sizes, sums of headers, blocks and indices, that the index
 * lists the blocks that are there, paddings; nothing may stand behind the last stream.
 * Threads: a file belongs to one thread.
 * Owns: its decoder, until xz_file_close(). The bytes are borrowed.
 * Fails with: what is wrong, as a text.
 */
#ifndef IMGFACTORY_IO_XZ_FILE_H
#define IMGFACTORY_IO_XZ_FILE_H

#include "io/xz.h"

struct xz_file;

/* Opens bytes that xz_check_dictionaries() looked through, with what it found, which has to be is_lzma2_only. */
struct xz_file *xz_file_open(struct text bytes, const struct xz_needs *needs);
/* Gives the next piece, good until the next call; an empty one is the end. Returns what is wrong, or NULL. */
const char *xz_file_next(struct xz_file *file, struct text *ret_piece);
/* Closes. NULL is fine. */
void xz_file_close(struct xz_file *file);

#endif
