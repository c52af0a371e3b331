/* SPDX-License-Identifier: Apache-2.0 */
#include "past/past_document.h"

#include "base/auto.h"
#include "past/past_zstd.h"

bool past_document_make(const struct past_note *note, struct buf *ret_document)
{
    AUTO(buf_done) struct buf plain;
    buf_init(&plain, PAST_DOCUMENT_MAX_PLAIN);
    bool is_good = past_record_write(&note->record, &plain);
    for (size_t i = 0; is_good && i < note->record.platforms.count; i++) {
        AUTO(arena_done) struct arena scratch = {0};
        struct bill whole;
        if (!note->bills[i])
            continue;
        whole = *note->bills[i];
        is_good = bill_complete(&scratch, &whole) && bill_write(&whole, &plain) && buf_add(&plain, "\n", 1);
    }
    if (!is_good)
        return false;
    past_zstd_pack(buf_text(&plain), ret_document);
    if (ret_document->len <= PAST_DOCUMENT_MAX_BYTES)
        return true;
    buf_done(ret_document);
    return false;
}

bool past_document_read(struct arena *arena, struct text document, struct past_note *ret_note)
{
    AUTO(auto_free) char *plain = NULL;
    struct text rest, line;
    if (!past_zstd_unpack(document, PAST_DOCUMENT_MAX_PLAIN, &plain, &rest) || !text_next(&rest, '\n', &line) ||
        !past_record_read(arena, line, &ret_note->record) || ret_note->record.first <= 0)
        return false;
    const struct past_record *record = &ret_note->record;
    ret_note->bills = arena_new_array(arena, const struct bill *, record->platforms.count + 1);
    for (size_t i = 0; i < record->platforms.count; i++)
        ret_note->bills[i] = NULL;
    for (size_t lines = 0; lines < record->platforms.count && text_next(&rest, '\n', &line); lines++) {
        struct bill *bill = arena_new(arena, struct bill);
        if (!line.len || !bill_read(arena, line, bill))
            continue; /* of another format */
        for (size_t i = 0; i < record->platforms.count; i++) {
            if (digest_eq(&bill->manifest, &record->platforms.items[i].manifest))
                ret_note->bills[i] = bill;
        }
    }
    return true;
}
