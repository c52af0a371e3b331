/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/frames.h"

#include "base/auto.h"

#include <endian.h>

#define KIND "frames"
/* Goes up when what a codec makes of a content at a level (where it cuts, its options), or the layout, changes. */
#define FRAMES_FORMAT "imgfactory frames 2\n"

struct record {
    uint64_t packed_bytes, plain_bytes;
    uint8_t digest[DIGEST_BYTES];
};
struct tail {
    uint64_t crc64, count, has_sums;
};
_Static_assert(sizeof(struct record) == 48 && sizeof(struct tail) == 24, "these are an on-disk format");

struct digest frames_key(const struct layer_encoder *encoder, const struct digest *content)
{
    struct digest_stream stream;
    digest_begin(&stream);
    digest_feed(&stream, FRAMES_FORMAT, sizeof FRAMES_FORMAT);
    digest_feed(&stream, encoder->name, strlen(encoder->name) + 1);
    digest_feed(&stream, encoder->code.bytes, sizeof encoder->code.bytes);
    digest_feed(&stream, content->bytes, sizeof content->bytes);
    return digest_end(&stream);
}

struct frame frames_at(const struct frames *frames, size_t index)
{
    struct record record;
    struct frame frame;
    memcpy(&record, (const char *)frames->view.ptr + frames->packed_bytes + index * sizeof record, sizeof record);
    frame.packed_bytes = le64toh(record.packed_bytes);
    frame.plain_bytes = le64toh(record.plain_bytes);
    memcpy(frame.digest.bytes, record.digest, sizeof record.digest);
    return frame;
}

/* Finds frames and records in the view. The store says that we wrote it, so this is about our own mistakes. */
static bool understand(struct frames *frames, uint64_t plain_bytes)
{
    size_t len = frames->view.len;
    struct tail tail;
    if (len < sizeof tail)
        return false;
    len -= sizeof tail;
    memcpy(&tail, (const char *)frames->view.ptr + len, sizeof tail);
    frames->crc64 = le64toh(tail.crc64);
    frames->count = le64toh(tail.count);
    frames->has_sums = tail.has_sums != 0;
    if (frames->count == 0 || frames->count > len / sizeof(struct record))
        return false;
    frames->packed_bytes = len - frames->count * sizeof(struct record);
    uint64_t packed_left = frames->packed_bytes, plain_left = plain_bytes;
    for (size_t i = 0; i < frames->count; i++) {
        struct frame frame = frames_at(frames, i);
        if (!frame.plain_bytes || frame.packed_bytes > packed_left || frame.plain_bytes > plain_left)
            return false;
        packed_left -= frame.packed_bytes;
        plain_left -= frame.plain_bytes;
    }
    return packed_left == 0 && plain_left == 0;
}

bool frames_find(struct store *store, const struct digest *key, uint64_t plain_bytes, struct frames *ret_frames)
{
    struct frames frames = {0};
    struct err ignored = {0};
    bool is_found;
    if (!store_map_derived(store, KIND, key, &frames.view, &is_found, &ignored) || !is_found)
        return false;
    if (understand(&frames, plain_bytes)) {
        *ret_frames = frames;
        return true;
    }
    frames_done(&frames);
    store_drop_derived(store, KIND, key);
    return false;
}

void frames_done(struct frames *frames)
{
    view_done(&frames->view);
}

bool frames_begin(struct store *store, struct frames_draft *draft)
{
    struct err ignored = {0};
    *draft = (struct frames_draft){0};
    buf_init(&draft->records, SIZE_MAX);
    return blob_begin(store, &draft->blob, &ignored);
}

void frames_add(struct frames_draft *draft, const struct frame *frame, const void *packed)
{
    struct err ignored = {0};
    struct record record = {htole64(frame->packed_bytes), htole64(frame->plain_bytes), {0}};
    if (!draft->blob.is_begun || !blob_write(&draft->blob, packed, frame->packed_bytes, &ignored))
        return;
    memcpy(record.digest, frame->digest.bytes, sizeof record.digest);
    if (!buf_add(&draft->records, &record, sizeof record))
        memory_abort(sizeof record);
    draft->count++;
}

bool frames_keep(struct frames_draft *draft, const struct digest *key, bool has_sums, uint64_t crc64)
{
    struct err ignored = {0};
    struct tail tail = {htole64(crc64), htole64(draft->count), htole64(has_sums)};
    if (!buf_add(&draft->records, &tail, sizeof tail))
        memory_abort(sizeof tail);
    return draft->blob.is_begun && blob_write(&draft->blob, draft->records.bytes, draft->records.len, &ignored) &&
           blob_commit_derived(&draft->blob, KIND, key, &ignored);
}

void frames_abandon(struct frames_draft *draft)
{
    blob_abandon(&draft->blob);
    buf_done(&draft->records);
}
