/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/chunk_split.h"

#include "base/auto.h"
#include "layer/chunk_table.h"
#include "sign/base64.h"

#include <endian.h>
#include <jansson.h>

enum { LINE_FILE = 1, LINE_RAW = 2 };

static void json_done(json_t **json)
{
    json_decref(*json);
}

void chunk_split_begin(struct chunk_split *split, struct text lines)
{
    *split = (struct chunk_split){.left = lines};
    crc64_init(&split->crcs);
}

/* Reads a string of base64 that may be null or not written. */
static bool read_bytes(struct arena *arena, const json_t *json, const char *key, struct text *ret_bytes)
{
    const json_t *value = json_object_get(json, key);
    *ret_bytes = TEXT("");
    if (!value || json_is_null(value))
        return true;
    const char *string = json_string_value(value);
    return string && base64_decode(arena, text_of(string), ret_bytes);
}

/* A member's line is behind its header: so there are never more of them than headers. */
static bool take_file(struct chunk_split *split, const json_t *json)
{
    const json_t *size = json_object_get(json, "size");
    const char *name = json_string_value(json_object_get(json, "name"));
    struct chunk_place place = {.offset = split->at};
    struct text sum;
    size_t count = split->places.count;
    if (split->at == (count ? split->places.items[count - 1].offset + split->places.items[count - 1].bytes : 0) ||
        (size && !json_is_integer(size)) || json_integer_value(size) < 0 ||
        !read_bytes(&split->line, json, "payload", &sum) ||
        !read_bytes(&split->places_arena, json, "name_raw", &place.name))
        return false;
    place.bytes = (uint64_t)json_integer_value(size);
    if (!place.name.len)
        place.name = text_of(name ? arena_strdup(&split->places_arena, name) : "");
    if (sum.len != (place.bytes ? sizeof split->told_sum : 0))
        return false;
    if (sum.len)
        memcpy(&split->told_sum, sum.ptr, sizeof split->told_sum);
    split->told_sum = be64toh(split->told_sum);
    split->sum = 0;
    split->file_bytes = place.bytes;
    list_add(&split->places_arena, &split->places, place);
    return true;
}

/* Returns whether Go reads what we read. */
static bool are_keys_plain(json_t *line)
{
    static const char *const known[] = {"type", "name", "name_raw", "size", "payload", "position"};
    const char *key;
    json_t *value;
    json_object_foreach(line, key, value)
    {
        for (size_t i = 0; i < ARRAY_COUNT(known); i++) {
            if (chunk_key_is_disguised(key, known[i]))
                return false;
        }
    }
    return true;
}

static bool read_line(struct chunk_split *split, struct text line)
{
    AUTO(json_done) json_t *json = chunk_json_parse(line, 0);
    const json_t *position = json_object_get(json, "position");
    arena_done(&split->line);
    split->line = (struct arena){0};
    if (!are_keys_plain(json) || !json_is_integer(position) ||
        (uint64_t)json_integer_value(position) != split->line_count++)
        return false;
    switch (json_integer_value(json_object_get(json, "type"))) {
    case LINE_FILE:
        return take_file(split, json);
    case LINE_RAW:
        return read_bytes(&split->line, json, "payload", &split->raw);
    default:
        return false;
    }
}

/* Reads lines up to one that wants bytes. */
static bool read_lines(struct chunk_split *split, const char **ret_why)
{
    struct text line;
    *ret_why = "a line of it is malformed";
    while (!split->raw.len && !split->file_bytes && text_next(&split->left, '\n', &line)) {
        if (!read_line(split, line))
            return false;
    }
    return true;
}

/* Uses bytes of the piece; how many, by what holds now. */
static bool use(struct chunk_split *split, struct text *piece, const char **ret_why)
{
    uint64_t wanted = split->raw.len ? split->raw.len : split->file_bytes;
    size_t len = wanted < piece->len ? (size_t)wanted : piece->len;
    *ret_why = len ? "it has other bytes than the tar" : "the tar has more bytes than it tells of";
    if (!len || (split->raw.len && memcmp(split->raw.ptr, piece->ptr, len) != 0))
        return false;
    if (split->raw.len) {
        split->raw = (struct text){split->raw.ptr + len, split->raw.len - len};
    } else {
        split->sum = crc64_add(&split->crcs, split->sum, piece->ptr, len);
        split->file_bytes -= len;
        *ret_why = "a sum of a file's bytes in it is another one";
        if (!split->file_bytes && split->sum != split->told_sum)
            return false;
    }
    split->at += len;
    *piece = (struct text){piece->ptr + len, piece->len - len};
    return true;
}

bool chunk_split_take(struct chunk_split *split, struct text piece, const char **ret_why)
{
    if (!read_lines(split, ret_why))
        return false;
    while (piece.len) {
        if (!use(split, &piece, ret_why) || !read_lines(split, ret_why))
            return false;
    }
    return true;
}

bool chunk_split_end(struct chunk_split *split, const char **ret_why)
{
    if (!read_lines(split, ret_why))
        return false;
    *ret_why = "it tells of more bytes than the tar has";
    return !split->raw.len && !split->file_bytes;
}

void chunk_split_done(struct chunk_split *split)
{
    arena_done(&split->line);
    arena_done(&split->places_arena);
}
