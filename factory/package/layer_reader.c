/* SPDX-License-Identifier: Apache-2.0 */
#include "package/layer_reader.h"

#include "io/stream.h"

const struct tar_rules layer_tar_rules = {0}; /* a layer may have all that one reading can be given to */

/* Names the layer in a fault of the tar; those of the decompression name it themselves. */
static bool wrap(const struct layer_reader *reader, struct err *err)
{
    if (strncmp(err->text, reader->name, strlen(reader->name)) != 0)
        err_wrap(err, "%s", reader->name);
    return false;
}

/* The tar's feed: the next piece out of the decompression. Not to be asked again after the end, which a stream does not
 * allow. */
static bool feed(void *user, struct text *ret_bytes, struct err *err)
{
    struct layer_reader *reader = user;
    *ret_bytes = TEXT("");
    if (reader->is_ended)
        return true;
    if (!stream_next(reader->stream, ret_bytes, err))
        return false;
    reader->is_ended = ret_bytes->len == 0;
    digest_feed(&reader->digest, ret_bytes->ptr, ret_bytes->len);
    if (ret_bytes->len > *reader->unpacked_left) {
        err_set(err, ERR_MALFORMED, "%s: the layers unpack to far more bytes than they have", reader->name);
        return false;
    }
    *reader->unpacked_left -= ret_bytes->len;
    if (!reader->is_begun && compression_of_bytes(*ret_bytes) != COMPRESSION_NONE) {
        err_set(err, ERR_MALFORMED, "%s: compressed more than once", reader->name);
        return false;
    }
    reader->is_begun = true;
    return !reader->tap || reader->tap(reader->tap_user, *ret_bytes, err);
}

bool layer_reader_open(struct layer_reader *reader, struct text bytes, const char *name, uint64_t *unpacked_left,
                       struct err *err)
{
    enum compression compression = compression_of_bytes(bytes);
    *reader = (struct layer_reader){.name = name, .unpacked_left = unpacked_left};
    tar_reader_init(&reader->tar, &layer_tar_rules, feed, reader);
    digest_begin(&reader->digest);
    if (compression == COMPRESSION_XZ || compression == COMPRESSION_BZIP2 || compression == COMPRESSION_LZ4) {
        err_set(err, ERR_MALFORMED, "%s: compressed as %s, while layers are gzip, zstd or plain tar", name,
                compression_ending(compression));
        return false;
    }
    return stream_open(compression, bytes, name, &reader->stream, err);
}

bool layer_reader_next(struct layer_reader *reader, struct tar_entry *ret_entry, bool *ret_is_end, struct err *err)
{
    return tar_reader_next(&reader->tar, ret_entry, ret_is_end, err) || wrap(reader, err);
}

bool layer_reader_read(struct layer_reader *reader, struct text *ret_bytes, struct err *err)
{
    return tar_reader_read(&reader->tar, ret_bytes, err) || wrap(reader, err);
}

bool layer_reader_end(struct layer_reader *reader, struct digest *ret_diff_id, struct err *err)
{
    struct text piece;
    while (!reader->is_ended) {
        if (!feed(reader, &piece, err))
            return wrap(reader, err);
    }
    *ret_diff_id = digest_end(&reader->digest);
    return true;
}

void layer_reader_done(struct layer_reader *reader)
{
    digest_abandon(&reader->digest);
    tar_reader_done(&reader->tar);
    stream_close(reader->stream);
}
