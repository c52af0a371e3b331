/* SPDX-License-Identifier: Apache-2.0 */
/* layer_reader.h - one layer of an image, anybody's, as a stream of tar entries
 *
 * OCI image-spec layer.md: a tar (tar_reader.h), plain or compressed with gzip or zstd; which of them its bytes tell, since
 * media types lie and engines do the same. Refused: other compressions, or more than one; more bytes than the caller's budget.
 * Threads: a reader belongs to one thread.
 * Owns: a reader owns what it reads with, until layer_reader_done().
 * Fails with: ERR_MALFORMED; texts begin with the layer's name.
 */
#ifndef IMGFACTORY_PACKAGE_LAYER_READER_H
#define IMGFACTORY_PACKAGE_LAYER_READER_H

#include "base/digest.h"
#include "package/tar_reader.h"

struct stream;

extern const struct tar_rules layer_tar_rules; /* what a layer may not have, for tar_reader_init() */

/* Is given the plain tar piece by piece, each before the entries in it are. */
typedef bool layer_tap(void *user, struct text piece, struct err *err);

/* Zero-initialise before opening. */
struct layer_reader {
    const char *name;        /* for messages */
    uint64_t *unpacked_left; /* the caller's budget, of all its layers */
    struct stream *stream;
    struct digest_stream digest; /* of the plain tar */
    struct tar_reader tar;
    bool is_begun, is_ended; /* the stream */
    layer_tap *tap;          /* to be set after opening; may be NULL */
    void *tap_user;
};

/* Opens a layer; bytes, name and budget must outlive the reader, which must not be moved. */
bool layer_reader_open(struct layer_reader *reader, struct text bytes, const char *name, uint64_t *unpacked_left,
                       struct err *err) MUST_CHECK;
/* Reads the next entry's headers; at the end of the tar *ret_is_end is true (tar_reader_next()). */
bool layer_reader_next(struct layer_reader *reader, struct tar_entry *ret_entry, bool *ret_is_end,
                       struct err *err) MUST_CHECK;
/* Reads the next run of the entry's bytes (tar_reader_read()). */
bool layer_reader_read(struct layer_reader *reader, struct text *ret_bytes, struct err *err) MUST_CHECK;
/* Reads what is behind the end mark, which belongs to the digest, too, and ends the stream with its checks; *ret_diff_id is
 * the digest of the plain tar. */
bool layer_reader_end(struct layer_reader *reader, struct digest *ret_diff_id, struct err *err) MUST_CHECK;
/* Frees what the reader owns. Accepts a zeroed one. For AUTO(). */
void layer_reader_done(struct layer_reader *reader);

#endif
