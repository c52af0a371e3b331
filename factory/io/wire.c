/* SPDX-License-Identifier: Apache-2.0 */
#include "io/wire.h"

#include "base/auto.h"

#define NO_STRING UINT64_MAX

void wire_begin(struct wire_writer *writer, size_t cap_bytes)
{
    *writer = (struct wire_writer){0};
    buf_init(&writer->bytes, cap_bytes);
}

void wire_put_raw(struct wire_writer *writer, const void *bytes, size_t len)
{
    if (writer->is_full || !buf_add(&writer->bytes, bytes, len))
        writer->is_full = true;
}

void wire_put(struct wire_writer *writer, uint64_t number)
{
    wire_put_raw(writer, &number, sizeof number);
}

void wire_put_text(struct wire_writer *writer, struct text bytes)
{
    wire_put(writer, bytes.len);
    wire_put_raw(writer, bytes.len ? bytes.ptr : "", bytes.len);
}

void wire_put_string(struct wire_writer *writer, const char *string)
{
    if (string)
        wire_put_text(writer, text_of(string));
    else
        wire_put(writer, NO_STRING);
}

void wire_put_strings(struct wire_writer *writer, const char *const *strings, size_t count)
{
    wire_put(writer, count);
    for (size_t i = 0; i < count; i++)
        wire_put_string(writer, strings[i]);
}

void wire_done(struct wire_writer *writer)
{
    if (writer->bytes.bytes)
        explicit_bzero(writer->bytes.bytes, writer->bytes.capacity);
    buf_done(&writer->bytes);
}

/* Nothing that follows what is bad is taken for anything. */
static void spoil(struct wire_reader *reader)
{
    reader->is_bad = true;
    reader->rest = (struct text){"", 0};
}

void wire_get_raw(struct wire_reader *reader, void *ret_bytes, size_t len)
{
    memset(ret_bytes, 0, len);
    if (reader->rest.len < len) {
        spoil(reader);
        return;
    }
    memcpy(ret_bytes, reader->rest.ptr, len);
    reader->rest = (struct text){reader->rest.ptr + len, reader->rest.len - len};
}

uint64_t wire_get(struct wire_reader *reader)
{
    uint64_t number;
    wire_get_raw(reader, &number, sizeof number);
    return number;
}

uint64_t wire_get_below(struct wire_reader *reader, uint64_t most)
{
    uint64_t number = wire_get(reader);
    if (number <= most)
        return number;
    spoil(reader);
    return 0;
}

static struct text take(struct wire_reader *reader, uint64_t len)
{
    if (len > reader->rest.len) {
        spoil(reader);
        return reader->rest;
    }
    struct text taken = {reader->rest.ptr, (size_t)len};
    reader->rest = (struct text){reader->rest.ptr + len, reader->rest.len - (size_t)len};
    return taken;
}

struct text wire_get_text(struct wire_reader *reader)
{
    return take(reader, wire_get(reader));
}

const char *wire_get_string(struct wire_reader *reader, struct arena *arena)
{
    uint64_t len = wire_get(reader);
    if (len == NO_STRING || reader->is_bad)
        return NULL;
    struct text taken = take(reader, len);
    if (taken.len && memchr(taken.ptr, '\0', taken.len))
        spoil(reader);
    return reader->is_bad ? NULL : text_dup(arena, taken);
}

const char *const *wire_get_strings(struct wire_reader *reader, struct arena *arena, size_t most, size_t *ret_count)
{
    size_t count = (size_t)wire_get_below(reader, most);
    const char **strings = arena_new_array(arena, const char *, count + 1);
    for (size_t i = 0; i < count; i++) {
        strings[i] = wire_get_string(reader, arena);
        if (!strings[i])
            spoil(reader);
    }
    *ret_count = reader->is_bad ? 0 : count;
    return strings;
}

bool wire_is_good(const struct wire_reader *reader)
{
    return !reader->is_bad && !reader->rest.len;
}

void wire_put_err(struct wire_writer *writer, const struct err *err)
{
    wire_put(writer, err->kind);
    wire_put(writer, (uint64_t)(uint32_t)err->detail);
    wire_put_string(writer, err->kind ? err->text : NULL);
}

void wire_get_err(struct wire_reader *reader, struct err *ret_err)
{
    AUTO(arena_done) struct arena scratch = {0};
    *ret_err = (struct err){.kind = (enum err_kind)wire_get_below(reader, ERR_CANCELLED)};
    ret_err->detail = (int)(uint32_t)wire_get(reader);
    const char *text = wire_get_string(reader, &scratch);
    (void)snprintf(ret_err->text, sizeof ret_err->text, "%s", text ? text : "");
}
