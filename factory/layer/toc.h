/* SPDX-License-Identifier: Apache-2.0 */
/* toc.h - what is behind the frames of a zstd:chunked layer: its table of contents, and how its tar is put together
 *
 * containers/storage, pkg/chunked/internal/minimal (FileMetadata) and vbatts/tar-split, tar/storage (Entry): JSON. The
 * table has an entry for each member of the tar, and one more for each further chunk of a file's bytes; times in RFC 3339.
 * tar-split has a line for each run of the tar's own bytes (type 2), and behind each member's header one (type 1) with the
 * CRC-64 of its bytes. Readers refuse a layer of which the two do not tell the same.
 * Neither can hold a name that is no UTF-8.
 * Both, and behind them a footer that says where they are, stand in skippable frames (RFC 8878 section 3.1.2).
 * Threads: one writer, one thread.
 * Owns: the texts, until toc_done().
 */
#ifndef IMGFACTORY_LAYER_TOC_H
#define IMGFACTORY_LAYER_TOC_H

#include "base/digest.h"
#include "layer/tar_header.h"
#include "oci/descriptor.h"

#define TOC_SKIPPABLE_BYTES 8
#define TOC_FOOTER_BYTES 64
#define TOC_FOOTER_MAGIC_AT 56 /* its last bytes are of this form alone */

struct toc {
    struct buf entries; /* {"version":1,"entries":[ … */
    struct buf split;
    size_t entry_count, line_count;
    bool is_impossible; /* a name is no UTF-8 */
};

/* One chunk of a file's bytes. */
struct toc_chunk {
    struct digest digest;        /* of its plain bytes */
    uint64_t begin, end;         /* of its frame in the layer */
    uint64_t file_offset, bytes; /* of the plain bytes, in the file */
};

/* A regular file's bytes. */
struct toc_content {
    struct digest digest;
    uint64_t crc64;
    const struct toc_chunk *chunks; /* at least one */
    size_t chunk_count;
};

/* Begins both. */
void toc_begin(struct toc *toc);
/* Adds bytes of the tar itself: those since the last ones, up to the end of a member's header, or of the tar. */
void toc_add_raw(struct toc *toc, struct text bytes);
/* Adds a member, whose header was added; `content` is NULL for one without bytes. */
void toc_add_member(struct toc *toc, const struct tar_member *member, const struct toc_content *content);
/* Ends the table, which names the digest of the compressed tar-split. */
void toc_end(struct toc *toc, const struct digest *split_digest);
/* Frees both. Accepts a zeroed one. For AUTO(). */
void toc_done(struct toc *toc);
/* Writes what stands in front of so many bytes that decoders pass over. */
void toc_skippable(uint32_t len, unsigned char ret_header[TOC_SKIPPABLE_BYTES]);
/* Writes the footer of a layer whose two documents are there. */
void toc_footer(const struct layer_toc *toc, unsigned char ret_footer[TOC_FOOTER_BYTES]);

#endif
