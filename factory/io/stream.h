/* SPDX-License-Identifier: Apache-2.0 */
/* stream.h - compressed bytes as a stream of plain ones, pulled piece by piece
 *
 * One compression, which the caller names: what comes out of it is data, whatever it looks like. libarchive is never
 * left to guess, since it asks again behind every filter that it found whether there is another one, and looks for the
 * end of a gzip header's file name in one buffer (nested three times, 284 bytes are gigabytes). So gzip (RFC 1952,
 * several members) is zlib's, zstd (RFC 8878, several frames, skippable ones too) libzstd's, xz (xz-file-format.txt,
 * several streams) liblzma's, and bzip2 is libarchive's raw reader with a filter that is appended by its code.
 * Refused: other bytes than the compression's, streams that are cut off or followed by others, wrong sums and sizes
 * where the format has them, zstd windows above 128 MiB, xz dictionaries above the limit of xz.h.
 * Memory: a quarter of a MiB and the window.
 * Threads: a stream belongs to one thread.
 * Fails with: ERR_MALFORMED; ERR_INTERNAL when this libarchive lacks a filter.
 */
#ifndef IMGFACTORY_IO_STREAM_H
#define IMGFACTORY_IO_STREAM_H

#include "io/decompress.h"

struct stream;

/* Tells the compression that bytes begin with; COMPRESSION_NONE for all else, and for fewer bytes than a magic number
 * has. */
enum compression compression_of_bytes(struct text bytes);
/* Opens a stream over `input`, which must outlive it. `name` is for messages and must outlive it, too. */
bool stream_open(enum compression compression, struct text input, const char *name, struct stream **ret_stream,
                 struct err *err) MUST_CHECK;
/* Gives the next piece, good until the next call; an empty one is the end, after all checks of the end. Not to be called
 * again after the end or an error. */
bool stream_next(struct stream *stream, struct text *ret_piece, struct err *err) MUST_CHECK;
/* Closes. NULL is fine. */
void stream_close(struct stream *stream);
/* The same for AUTO(). */
void stream_auto_close(struct stream **stream);

#endif
