/* SPDX-License-Identifier: Apache-2.0 */
/* chunk_check.h - does a zstd:chunked layer, anybody's, say of itself what is in it?
 *
 * Clients that fetch such a layer in parts make files by its table of contents and never see its tar; all others unpack
 * the tar, which diff_ids has the digest of. A layer whose two halves differ is two layers. Held are, as
 * containers/storage's pkg/chunked (2025-08) reads them: position and digest of the table as the descriptor says; each
 * entry of it, in their order, against the tar's (chunk_attributes.h, and the digest); each chunk's place, digest and
 * bytes, by itself decompressed; tar-split by the digest in the table, and that the tar is put together by it. Tables of
 * older writers may lack tar-split, or the digest of it; what is there is held. A footer is held where it is of the form
 * that is written today; no reader looks at it.
 * Refused besides: a table or a tar-split of more than 150 MiB, packed or not, as containers/storage does; names that
 * come twice; chunks that are not in the order of the layer's bytes.
 * Memory: the plain table and tar-split, the names in both, and two zstd windows.
 * Threads: no state.
 * Fails with: ERR_TRUST for what says another thing than the tar, or has another digest; ERR_MALFORMED for what cannot be
 * read. Texts begin with the layer's name.
 */
#ifndef IMGFACTORY_LAYER_CHUNK_CHECK_H
#define IMGFACTORY_LAYER_CHUNK_CHECK_H

#include "oci/descriptor.h"

/* A layer and what its descriptor says of its table. */
struct chunk_check {
    const struct layer_toc *toc;
    struct text bytes;
    const char *name;        /* for messages */
    uint64_t *unpacked_left; /* the caller's budget, of all its layers */
};

/* Holds a layer's table against its tar. */
bool chunk_check(const struct chunk_check *check, struct err *err) MUST_CHECK;

#endif
