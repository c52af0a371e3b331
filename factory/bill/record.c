/* SPDX-License-Identifier: Apache-2.0 */
#include "bill/record.h"

#include "base/auto.h"
#include "plan/yaml.h"

#include <stddef.h>

/* Any LIST(): they differ in the type of their items only. */
struct any_list {
    void *items;
    size_t count, capacity;
};

static bool write_record(const struct record_table *table, const char *record, struct buf *text);

/* Returns how many bytes at the front stand in JSON as they are. */
static size_t plain_len(struct text rest)
{
    size_t len = 0;
    while (len < rest.len) {
        unsigned char byte = (unsigned char)rest.ptr[len];
        size_t more = byte < 0x80 ? 1 : text_utf8_len((struct text){rest.ptr + len, rest.len - len});
        if (byte < 0x20 || byte == '"' || byte == '\\' || !more)
            break;
        len += more;
    }
    return len;
}

static bool write_text(const char *string, struct buf *text)
{
    struct text rest = text_of(string);
    bool is_written = buf_add(text, "\"", 1);
    while (is_written && rest.len) {
        size_t len = plain_len(rest);
        is_written = buf_add(text, rest.ptr, len);
        rest = (struct text){rest.ptr + len, rest.len - len};
        if (!is_written || !rest.len)
            break;
        unsigned char byte = (unsigned char)*rest.ptr;
        is_written = byte == '"' || byte == '\\' ? buf_printf(text, "\\%c", byte)
                     : byte < 0x20               ? buf_printf(text, "\\u%04x", byte)
                                                 : buf_printf(text, "\\\\x%02X", byte);
        rest = (struct text){rest.ptr + 1, rest.len - 1};
    }
    return is_written && buf_add(text, "\"", 1);
}

static bool write_null(struct buf *text)
{
    return buf_add(text, "null", 4);
}

static bool write_digest(const struct digest *digest, struct buf *text)
{
    return buf_printf(text, "\"sha256:%s\"", digest_hex(digest).chars);
}

static bool is_zero(const struct digest *digest)
{
    static const struct digest zero;
    return digest_eq(digest, &zero);
}

static bool write_texts(const struct strings *strings, struct buf *text)
{
    bool is_written = buf_add(text, "[", 1);
    for (size_t i = 0; is_written && i < strings->count; i++)
        is_written = buf_add(text, ",", i > 0) && write_text(strings->items[i], text);
    return is_written && buf_add(text, "]", 1);
}

static bool write_pairs(const struct yaml_pairs *pairs, struct buf *text)
{
    bool is_written = buf_add(text, "{", 1);
    for (size_t i = 0; is_written && i < pairs->count; i++)
        is_written = buf_add(text, ",", i > 0) && write_text(pairs->items[i].key, text) && buf_add(text, ":", 1) &&
                     write_text(pairs->items[i].value, text);
    return is_written && buf_add(text, "}", 1);
}

static bool write_list(const struct record_table *table, const struct any_list *list, struct buf *text)
{
    bool is_written = buf_add(text, "[", 1);
    for (size_t i = 0; is_written && i < list->count; i++)
        is_written =
            buf_add(text, ",", i > 0) && write_record(table, (const char *)list->items + i * table->struct_bytes, text);
    return is_written && buf_add(text, "]", 1);
}

/* Copies a member of the struct, so that no pointer is read through another type. */
#define MEMBER(type) (*(type *)memcpy(&(type){0}, at, sizeof(type)))

static bool write_number(enum record_kind kind, const char *at, struct buf *text)
{
    if (kind == RECORD_I64)
        return buf_printf(text, "%jd", (intmax_t)MEMBER(int64_t));
    if (kind == RECORD_MODE)
        return buf_printf(text, "\"%04o\"", MEMBER(uint32_t));
    return buf_printf(text, "%ju",
                      kind == RECORD_SIZE  ? (uintmax_t)MEMBER(size_t)
                      : kind == RECORD_U64 ? (uintmax_t)MEMBER(uint64_t)
                                           : (uintmax_t)MEMBER(uint32_t));
}

static bool write_value(const struct record_field *field, const char *at, struct buf *text)
{
    switch (field->kind) {
    case RECORD_TEXT:
    case RECORD_MAYBE_TEXT:
        return MEMBER(const char *) ? write_text(MEMBER(const char *), text) : write_null(text);
    case RECORD_TEXTS:
        return write_texts(&MEMBER(struct strings), text);
    case RECORD_PAIRS:
        return write_pairs(&MEMBER(struct yaml_pairs), text);
    case RECORD_SIZE:
    case RECORD_U64:
    case RECORD_U32:
    case RECORD_I64:
    case RECORD_MODE:
        return write_number(field->kind, at, text);
    case RECORD_FLAG:
        return MEMBER(bool) ? buf_add(text, "true", 4) : buf_add(text, "false", 5);
    case RECORD_MAYBE_SHA256:
    case RECORD_SHA256:
        return field->kind == RECORD_MAYBE_SHA256 && is_zero(&MEMBER(struct digest))
                   ? write_null(text)
                   : write_digest(&MEMBER(struct digest), text);
    case RECORD_WORD:
        return write_text(field->words[MEMBER(int)], text);
    case RECORD_STRUCT:
        return write_record(field->table, at, text);
    case RECORD_MAYBE:
        return MEMBER(const char *) ? write_record(field->table, MEMBER(const char *), text) : write_null(text);
    case RECORD_LIST:
        return write_list(field->table, &MEMBER(struct any_list), text);
    }
    return false;
}

static bool write_record(const struct record_table *table, const char *record, struct buf *text)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct record_field *field = &table->fields[i];
        if (!buf_printf(text, "%c\"%s\":", i ? ',' : '{', field->key) ||
            !write_value(field, record + field->offset, text))
            return false;
    }
    return buf_add(text, "}", 1);
}

bool record_write(const struct record_table *table, const void *record, struct buf *text)
{
    return write_record(table, record, text);
}

/* Stores a member. */
#define STORE(type, value) (memcpy(at, &(type){value}, sizeof(type)), true)

static bool read_number(const json_t *json, uint64_t most, uint64_t *ret_value)
{
    if (!json_is_integer(json) || json_integer_value(json) < 0 || (uint64_t)json_integer_value(json) > most)
        return false;
    *ret_value = (uint64_t)json_integer_value(json);
    return true;
}

static bool read_mode(const json_t *json, char *at)
{
    const char *string = json_string_value(json);
    uint32_t mode = 0;
    if (!string || strlen(string) < 4 || strlen(string) > 5 || string[strspn(string, "01234567")])
        return false;
    for (; *string; string++)
        mode = mode << 3 | (uint32_t)(*string - '0');
    return mode <= 07777 && STORE(uint32_t, mode);
}

static bool read_digest(const json_t *json, char *at)
{
    const char *string = json_string_value(json);
    struct digest digest;
    bool is_read = string && strncmp(string, "sha256:", 7) == 0 && digest_parse(text_of(string + 7), &digest);
    if (is_read)
        memcpy(at, &digest, sizeof digest);
    return is_read;
}

static bool read_texts(struct arena *arena, const json_t *json, char *at)
{
    struct strings strings = {0};
    for (size_t i = 0; i < json_array_size(json); i++) {
        const char *string = json_string_value(json_array_get(json, i));
        if (!string)
            return false;
        list_add(arena, &strings, arena_strdup(arena, string));
    }
    memcpy(at, &strings, sizeof strings);
    return json_is_array(json);
}

/* Jansson keeps the order of an object's members. */
static bool read_pairs(struct arena *arena, const json_t *json, char *at)
{
    struct yaml_pairs pairs = {0};
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)json, key, value)
    {
        if (!json_is_string(value))
            return false;
        list_add(arena, &pairs,
                 (struct yaml_pair){.key = arena_strdup(arena, key),
                                    .value = arena_strdup(arena, json_string_value(value))});
    }
    memcpy(at, &pairs, sizeof pairs);
    return json_is_object(json);
}

static bool read_list(struct arena *arena, const struct record_table *table, const json_t *json, char *at)
{
    struct any_list list = {.count = json_array_size(json), .capacity = json_array_size(json)};
    if (!json_is_array(json))
        return false;
    list.items = list.count ? arena_alloc_array(arena, list.count, table->struct_bytes) : NULL;
    for (size_t i = 0; i < list.count; i++) {
        if (!record_read(arena, table, json_array_get(json, i), (char *)list.items + i * table->struct_bytes))
            return false;
    }
    memcpy(at, &list, sizeof list);
    return true;
}

static bool read_word(const struct record_field *field, const json_t *json, char *at)
{
    const char *string = json_string_value(json);
    for (int i = 0; string && field->words[i]; i++) {
        if (strcmp(string, field->words[i]) == 0)
            return STORE(int, i);
    }
    return false;
}

static bool read_pointer(struct arena *arena, const struct record_table *table, const json_t *json, char *at)
{
    void *record = arena_alloc(arena, table->struct_bytes);
    memcpy(at, &record, sizeof record);
    return record_read(arena, table, json, record);
}

static bool read_plain(struct arena *arena, enum record_kind kind, const json_t *json, char *at)
{
    uint64_t number;
    if (kind == RECORD_FLAG)
        return json_is_boolean(json) && STORE(bool, json_is_true(json));
    if (kind == RECORD_I64)
        return json_is_integer(json) && STORE(int64_t, json_integer_value(json));
    if (kind == RECORD_U32)
        return read_number(json, UINT32_MAX, &number) && STORE(uint32_t, (uint32_t)number);
    if (kind == RECORD_U64)
        return read_number(json, INT64_MAX, &number) && STORE(uint64_t, number);
    if (kind == RECORD_SIZE)
        return read_number(json, SIZE_MAX, &number) && STORE(size_t, (size_t)number);
    const char *string = arena_strdup(arena, json_string_value(json));
    return string && STORE(const char *, string);
}

static bool may_be_null(enum record_kind kind)
{
    return kind == RECORD_MAYBE_TEXT || kind == RECORD_MAYBE_SHA256 || kind == RECORD_MAYBE;
}

static bool read_value(struct arena *arena, const struct record_field *field, const json_t *json, char *at)
{
    if (json_is_null(json) && may_be_null(field->kind))
        return true;
    switch (field->kind) {
    case RECORD_TEXTS:
        return read_texts(arena, json, at);
    case RECORD_PAIRS:
        return read_pairs(arena, json, at);
    case RECORD_MODE:
        return read_mode(json, at);
    case RECORD_SHA256:
    case RECORD_MAYBE_SHA256:
        return read_digest(json, at);
    case RECORD_WORD:
        return read_word(field, json, at);
    case RECORD_STRUCT:
        return record_read(arena, field->table, json, at);
    case RECORD_MAYBE:
        return read_pointer(arena, field->table, json, at);
    case RECORD_LIST:
        return read_list(arena, field->table, json, at);
    case RECORD_TEXT:
    case RECORD_MAYBE_TEXT:
    case RECORD_SIZE:
    case RECORD_U64:
    case RECORD_U32:
    case RECORD_I64:
    case RECORD_FLAG:
        break;
    }
    return read_plain(arena, field->kind, json, at);
}

bool record_read(struct arena *arena, const struct record_table *table, const json_t *json, void *record)
{
    memset(record, 0, table->struct_bytes);
    if (!json_is_object(json) || json_object_size(json) != table->count)
        return false;
    for (size_t i = 0; i < table->count; i++) {
        const struct record_field *field = &table->fields[i];
        if (!read_value(arena, field, json_object_get(json, field->key), (char *)record + field->offset))
            return false;
    }
    return true;
}

static const char *const kind_names[] = {[RECORD_TEXT] = "text",
                                         [RECORD_MAYBE_TEXT] = "text or null",
                                         [RECORD_TEXTS] = "texts",
                                         [RECORD_PAIRS] = "pairs",
                                         [RECORD_SIZE] = "number",
                                         [RECORD_U64] = "number",
                                         [RECORD_U32] = "number",
                                         [RECORD_I64] = "number",
                                         [RECORD_MODE] = "mode",
                                         [RECORD_FLAG] = "flag",
                                         [RECORD_SHA256] = "digest",
                                         [RECORD_MAYBE_SHA256] = "digest or null",
                                         [RECORD_WORD] = "one of",
                                         [RECORD_STRUCT] = "object",
                                         [RECORD_MAYBE] = "object or null",
                                         [RECORD_LIST] = "objects"};

static bool write_shape(const struct record_table *table, const char *prefix, struct buf *text)
{
    AUTO(arena_done) struct arena arena = {0};
    for (size_t i = 0; i < table->count; i++) {
        const struct record_field *field = &table->fields[i];
        bool is_written = buf_printf(text, "%s%s %s", prefix, field->key, kind_names[field->kind]);
        for (size_t j = 0; is_written && field->words && field->words[j]; j++)
            is_written = buf_printf(text, " %s", field->words[j]);
        if (!is_written || !buf_add(text, "\n", 1))
            return false;
        if (field->table && !write_shape(field->table, arena_printf(&arena, "%s%s.", prefix, field->key), text))
            return false;
    }
    return true;
}

bool record_shape(const struct record_table *table, struct buf *text)
{
    return write_shape(table, "", text);
}

json_t *record_text(const char *string)
{
    AUTO(buf_done) struct buf text = {0};
    json_t *json = string ? json_string(string) : json_null();
    if (json)
        return json;
    buf_init(&text, SIZE_MAX);
    if (!write_text(string, &text) || !(json = json_loadb(text.bytes, text.len, JSON_DECODE_ANY, NULL)))
        memory_abort(text.len);
    return json;
}

json_t *record_strings(const struct strings *strings)
{
    json_t *array = json_array();
    for (size_t i = 0; i < strings->count; i++)
        json_array_append_new(array, record_text(strings->items[i]));
    return array;
}
