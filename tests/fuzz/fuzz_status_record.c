/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes are a status record or refused; a night is put over what is read, and what is written is read as the same. */
#include "fuzz.h"

#include "line/status_record.h"

#include <stdlib.h>

#define RECORD_MAX_BYTES ((size_t)16 << 20)

static struct text print(struct arena *arena, const struct status_record *record)
{
    AUTO(buf_done) struct buf text;
    buf_init(&text, RECORD_MAX_BYTES);
    if (!status_record_write(record, &text))
        return (struct text){0};
    return (struct text){arena_strndup(arena, text.bytes, text.len), text.len};
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    AUTO(arena_done) struct arena arena = {0};
    struct status_record record, again, merged;
    struct status_record ours = {.program = "1.0", .night = 1000, .writer = "w"};
    if (status_record_read(&arena, (struct text){(const char *)bytes, len}, &record) != STATUS_IS_READ)
        return 0;
    ours.format = record.format;
    status_record_merge(&arena, &record, &ours, 2000, &merged);
    (void)status_record_has(&record, &merged, 2000);
    struct text first = print(&arena, &record);
    if (!first.len)
        return 0;
    if (status_record_read(&arena, first, &again) != STATUS_IS_READ || !text_eq(print(&arena, &again), first))
        abort();
    (void)status_record_shed(&arena, &again, "w");
    return 0;
}
