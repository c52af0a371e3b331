/* SPDX-License-Identifier: Apache-2.0 */
#include "rpmmd/ini.h"

#include <fcntl.h>

#include "base/auto.h"
#include "io/file.h"

#define INI_MAX_BYTES (1u << 20)
#define SECTIONS_MAX 1000
#define VALUES_MAX 10000

struct reading {
    struct arena *arena;
    struct ini ini;
    size_t line, value_count;
    size_t section_index; /* of the section being read, when there is any */
    bool can_continue;    /* the line before this one was a value */
};

static bool refuse(const struct reading *reading, const char *why, struct text what, struct err *err)
{
    err_set(err, ERR_USAGE, "%s:%zu: %s: \"%s\"", reading->ini.path, reading->line, why,
            text_printable(reading->arena, what));
    return false;
}

/* A line may hold a password: only its first word is shown, and of one that continues another none. */
static bool refuse_line(const struct reading *reading, const char *why, struct text line, struct err *err)
{
    size_t len = 0;
    while (len < line.len && !strchr(" \t=:", line.ptr[len]))
        len++;
    if (len)
        return refuse(reading, why, (struct text){line.ptr, len}, err);
    err_set(err, ERR_USAGE, "%s:%zu: %s", reading->ini.path, reading->line, why);
    return false;
}

static bool begin_section(struct reading *reading, struct text line, struct err *err)
{
    const char *end = memchr(line.ptr, ']', line.len);
    if (!end || end == line.ptr + 1)
        return refuse(reading, "not a section of the form [name]", line, err);
    struct text name = {line.ptr + 1, (size_t)(end - line.ptr) - 1};
    for (reading->section_index = 0; reading->section_index < reading->ini.sections.count; reading->section_index++) {
        if (text_is(name, reading->ini.sections.items[reading->section_index].name))
            return true;
    }
    if (reading->section_index == SECTIONS_MAX)
        return refuse(reading, "more sections than are read", line, err);
    struct ini_section section = {.name = text_dup(reading->arena, name), .line = reading->line};
    list_add(reading->arena, &reading->ini.sections, section);
    return true;
}

static struct ini_section *section_at(struct reading *reading)
{
    return reading->ini.sections.count ? &reading->ini.sections.items[reading->section_index] : NULL;
}

/* Takes off quotes around a whole value. */
static struct text unquote(struct text value)
{
    char quote = value.len >= 2 ? value.ptr[0] : '\0';
    if ((quote == '"' || quote == '\'') && value.ptr[value.len - 1] == quote)
        return (struct text){value.ptr + 1, value.len - 2};
    return value;
}

static bool add_value(struct reading *reading, struct text line, struct err *err)
{
    struct ini_section *section = section_at(reading);
    struct text rest = line, key;
    if (!section)
        return refuse_line(reading, "a line before the first [section]", line, err);
    if (!memchr(line.ptr, '=', line.len) || !text_next(&rest, '=', &key) || !text_trim(key).len)
        return refuse_line(reading, "not a line of the form key=value", line, err);
    if (++reading->value_count > VALUES_MAX)
        return refuse_line(reading, "more lines than are read", line, err);
    struct ini_value value = {.key = text_dup(reading->arena, text_trim(key)),
                              .value = text_dup(reading->arena, unquote(text_trim(rest))),
                              .line = reading->line};
    list_add(reading->arena, &section->values, value);
    return true;
}

static bool continue_value(struct reading *reading, struct text line, struct err *err)
{
    struct ini_section *section = section_at(reading);
    if (!section || !reading->can_continue)
        return refuse_line(reading, "a continuation line without a line that it continues", TEXT(""), err);
    struct ini_value *value = &section->values.items[section->values.count - 1];
    if (++reading->value_count > VALUES_MAX || strlen(value->value) + line.len > INI_MAX_BYTES / 64)
        return refuse_line(reading, "a value is longer than is read", TEXT(""), err);
    value->value = arena_printf(reading->arena, "%s\n%.*s", value->value, (int)line.len, line.ptr);
    return true;
}

static bool read_line(struct reading *reading, struct text line, struct err *err)
{
    struct text whole = text_trim(line);
    bool is_indented = line.len && (line.ptr[0] == ' ' || line.ptr[0] == '\t');
    if (whole.len && is_indented)
        return whole.ptr[0] == '#' || whole.ptr[0] == ';' || continue_value(reading, whole, err);
    reading->can_continue = whole.len && !strchr("#;[", whole.ptr[0]);
    if (reading->can_continue)
        return add_value(reading, whole, err);
    return !whole.len || whole.ptr[0] != '[' || begin_section(reading, whole, err);
}

bool ini_parse(struct arena *arena, const char *path, const char *text, struct ini *ret_ini, struct err *err)
{
    struct reading reading = {.arena = arena, .ini = {.path = path}};
    struct text rest = text_of(text), line;
    while (text_next(&rest, '\n', &line)) {
        reading.line++;
        if (!read_line(&reading, line, err))
            return false;
    }
    *ret_ini = reading.ini;
    return true;
}

bool ini_load(struct arena *arena, const char *path, struct ini *ret_ini, struct err *err)
{
    AUTO(buf_done) struct buf bytes = {0};
    if (!file_read_at(AT_FDCWD, path, INI_MAX_BYTES, &bytes, err))
        return false;
    if (bytes.len && memchr(bytes.bytes, '\0', bytes.len)) {
        err_set(err, ERR_USAGE, "%s: the file has NUL bytes", path);
        return false;
    }
    return ini_parse(arena, path, bytes.len ? bytes.bytes : "", ret_ini, err);
}
