/* SPDX-License-Identifier: Apache-2.0 */
#include "past/past_record.h"

#include "bill/record.h"

static const struct record_field platform_fields[] = {
    RECORD_FIELD(past_platform, RECORD_TEXT, "arch", arch),
    RECORD_FIELD(past_platform, RECORD_MAYBE_TEXT, "version", version),
    RECORD_FIELD(past_platform, RECORD_SHA256, "digest", manifest),
    RECORD_FIELD(past_platform, RECORD_U64, "layer_bytes", layer_bytes),
    RECORD_FIELD(past_platform, RECORD_U64, "unpacked_bytes", unpacked_bytes),
    RECORD_FIELD(past_platform, RECORD_SIZE, "packages", package_count),
    RECORD_FIELD(past_platform, RECORD_SIZE, "files", file_count),
};
static const struct record_table platform_table = RECORD_TABLE(past_platform, platform_fields);

static const struct record_field change_fields[] = {
    RECORD_FIELD(past_change, RECORD_TEXT, "package", package),
    RECORD_FIELD(past_change, RECORD_MAYBE_TEXT, "before", before),
    RECORD_FIELD(past_change, RECORD_MAYBE_TEXT, "after", after),
};
static const struct record_table change_table = RECORD_TABLE(past_change, change_fields);

static const struct record_field record_fields[] = {
    RECORD_FIELD(past_record, RECORD_U32, "format", format),
    RECORD_FIELD(past_record, RECORD_TEXT, "image", name),
    RECORD_FIELD(past_record, RECORD_MAYBE_TEXT, "destination", destination),
    RECORD_FIELD(past_record, RECORD_SHA256, "digest", digest),
    RECORD_FIELD(past_record, RECORD_MAYBE_SHA256, "before", before),
    RECORD_FIELD(past_record, RECORD_TEXTS, "tags", tags),
    RECORD_FIELD(past_record, RECORD_I64, "created", created),
    RECORD_FIELD(past_record, RECORD_I64, "first", first),
    RECORD_FIELD(past_record, RECORD_I64, "last", last),
    RECORD_OF(past_record, RECORD_LIST, "platforms", platforms, platform_table),
    RECORD_OF(past_record, RECORD_LIST, "changes", changes, change_table),
    RECORD_FIELD(past_record, RECORD_TEXTS, "cves", cves),
};
static const struct record_table record_table = RECORD_TABLE(past_record, record_fields);

bool past_record_write(const struct past_record *record, struct buf *text)
{
    size_t before = text->len;
    if (record_write(&record_table, record, text) && text->len - before <= PAST_RECORD_MAX_BYTES &&
        buf_add(text, "\n", 1))
        return true;
    text->len = before;
    return false;
}

bool past_record_read(struct arena *arena, struct text line, struct past_record *ret_record)
{
    json_auto_t *json = line.len && line.len <= PAST_RECORD_MAX_BYTES
                            ? json_loadb(line.ptr, line.len, JSON_REJECT_DUPLICATES, NULL)
                            : NULL;
    struct past_record *record = ret_record;
    *record = (struct past_record){0};
    return json && record_read(arena, &record_table, json, record) && record->format == PAST_FORMAT &&
           record->platforms.count <= PAST_PLATFORMS_MAX && record->changes.count <= PAST_CHANGES_MAX &&
           record->cves.count <= PAST_CHANGES_MAX && record->first <= record->last;
}

uint64_t past_record_layer_bytes(const struct past_record *record)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < record->platforms.count; i++)
        bytes += record->platforms.items[i].layer_bytes;
    return bytes;
}

uint64_t past_record_unpacked_bytes(const struct past_record *record)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < record->platforms.count; i++)
        bytes += record->platforms.items[i].unpacked_bytes;
    return bytes;
}

const char *past_record_version(const struct past_record *record)
{
    for (size_t i = 0; i < record->platforms.count; i++) {
        if (record->platforms.items[i].version)
            return record->platforms.items[i].version;
    }
    return NULL;
}
