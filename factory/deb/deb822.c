/* SPDX-License-Identifier: Apache-2.0 */
/* One pass over lines. A field's value is one borrowed run from after its colon to the end of its last continuation
 * line; only when a comment stands inside that run is it copied, without the comment. */
#include "deb/deb822.h"

#include "base/auto.h"

#include <strings.h>

#define FIELDS_MAX 4096

void deb822_begin(struct deb822 *ret_reader, const char *name, struct text bytes, enum err_kind fault_kind)
{
    *ret_reader = (struct deb822){.name = name, .rest = bytes, .line = 1, .fault_kind = fault_kind};
    if (!ret_reader->rest.ptr)
        ret_reader->rest.ptr = "";
}

/* Looks at the next line without taking it; false at the end. */
static bool peek_line(const struct deb822 *reader, struct text *ret_line)
{
    if (!reader->rest.len)
        return false;
    const char *end = memchr(reader->rest.ptr, '\n', reader->rest.len);
    *ret_line = (struct text){reader->rest.ptr, end ? (size_t)(end - reader->rest.ptr) : reader->rest.len};
    return true;
}

static void take_line(struct deb822 *reader, struct text line)
{
    size_t taken = line.len < reader->rest.len ? line.len + 1 : line.len;
    reader->rest.ptr += taken;
    reader->rest.len -= taken;
    reader->line++;
}

static bool is_blank_line(struct text line)
{
    return text_trim(line).len == 0;
}

static bool is_comment(struct text line)
{
    return line.len && line.ptr[0] == '#';
}

static bool is_continuation(struct text line)
{
    return line.len && (line.ptr[0] == ' ' || line.ptr[0] == '\t');
}

/* Copies the lines of `run` that are no comments. */
static struct text without_comments(struct arena *arena, struct text run)
{
    char *copy = arena_alloc(arena, run.len + 1), *at = copy;
    struct text line;
    while (text_next(&run, '\n', &line)) {
        if (is_comment(line))
            continue;
        memcpy(at, line.ptr, line.len);
        at += line.len;
        *at++ = '\n';
    }
    return (struct text){copy, (size_t)(at - copy)};
}

/* Takes the continuation lines (and comments among them) below a field and returns its whole value. */
static struct text take_value(struct deb822 *reader, struct arena *arena, struct text first)
{
    const char *end = first.ptr + first.len;
    bool has_comment = false, is_comment_pending = false;
    struct text line;
    struct deb822 ahead = *reader;
    while (peek_line(&ahead, &line) && !is_blank_line(line) && (is_comment(line) || is_continuation(line))) {
        take_line(&ahead, line);
        if (is_comment(line)) {
            is_comment_pending = true;
            continue;
        }
        has_comment |= is_comment_pending;
        end = line.ptr + line.len;
    }
    *reader = ahead;
    struct text run = {first.ptr, (size_t)(end - first.ptr)};
    return text_trim(has_comment ? without_comments(arena, run) : run);
}

static bool is_field_name(struct text name)
{
    if (!name.len || name.len > 128 || name.ptr[0] == '-')
        return false;
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.ptr[i];
        if (c <= 0x20 || c >= 0x7F)
            return false;
    }
    return true;
}

static bool fail_at(const struct deb822 *reader, size_t line, struct err *err, const char *what, struct text text)
{
    AUTO(arena_done) struct arena scratch = {0};
    err_set(err, reader->fault_kind, "%s:%zu: %s: \"%s\"", reader->name, line, what, text_printable(&scratch, text));
    return false;
}

static const struct deb822_field *find(const struct deb822_stanza *stanza, struct text name)
{
    for (size_t i = 0; i < stanza->count; i++) {
        struct text known = stanza->items[i].name;
        if (known.len == name.len && strncasecmp(known.ptr, name.ptr, name.len) == 0)
            return &stanza->items[i];
    }
    return NULL;
}

/* Reads the field that begins on `line` (still untaken). */
static bool read_field(struct deb822 *reader, struct arena *arena, struct text line, struct deb822_stanza *stanza,
                       struct err *err)
{
    size_t number = reader->line;
    if (is_continuation(line))
        return fail_at(reader, number, err, "a continuation line with no field above it", line);
    const char *colon = memchr(line.ptr, ':', line.len);
    struct text name = {line.ptr, colon ? (size_t)(colon - line.ptr) : 0};
    if (!is_field_name(name))
        return fail_at(reader, number, err, "not a \"Name: value\" line", line);
    if (!reader->are_twins_fine && find(stanza, name))
        return fail_at(reader, number, err, "the field is given twice in one stanza", name);
    if (stanza->count == FIELDS_MAX)
        return fail_at(reader, number, err, "more than 4096 fields in one stanza, at", name);
    take_line(reader, line);
    struct text first = {colon + 1, line.len - name.len - 1};
    struct deb822_field field = {.name = name, .value = take_value(reader, arena, first), .line = number};
    if (field.value.len && memchr(field.value.ptr, '\0', field.value.len))
        return fail_at(reader, number, err, "the field's value has a NUL byte", name);
    list_add(arena, stanza, field);
    return true;
}

bool deb822_next(struct deb822 *reader, struct arena *arena, struct deb822_stanza *ret_stanza, bool *ret_found,
                 struct err *err)
{
    struct deb822_stanza stanza = {0};
    struct text line;
    while (peek_line(reader, &line)) {
        if (is_comment(line)) {
            take_line(reader, line);
        } else if (is_blank_line(line)) {
            take_line(reader, line);
            if (stanza.count)
                break;
        } else if (!read_field(reader, arena, line, &stanza, err)) {
            return false;
        }
    }
    *ret_found = stanza.count > 0;
    *ret_stanza = stanza;
    return true;
}

const struct deb822_field *deb822_find(const struct deb822_stanza *stanza, const char *name)
{
    return find(stanza, text_of(name));
}

struct text deb822_value(const struct deb822_stanza *stanza, const char *name)
{
    const struct deb822_field *field = find(stanza, text_of(name));
    return field ? field->value : (struct text){0};
}
