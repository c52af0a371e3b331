#include "source/ini.h"

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
};

static bool refuse(const struct reading *reading, const char *why, struct text what, struct err *err)
{
    err_set(err, ERR_USAGE, "%s:%zu: %s: \"%s\"", reading->ini.path, reading->line, why,
            text_printable(reading->arena, what));
    return false;
}

static bool begin_section(struct reading *reading, struct text line, struct err *err)
{
    if (line.len < 3 || line.ptr[line.len - 1] != ']')
        return refuse(reading, "not a section of the form [name]", line, err);
    if (reading->ini.sections.count == SECTIONS_MAX)
        return refuse(reading, "more sections than are read", line, err);
    struct text name = {line.ptr + 1, line.len - 2};
    struct ini_section section = {.name = text_dup(reading->arena, text_trim(name)), .line = reading->line};
    list_add(reading->arena, &reading->ini.sections, section);
    return true;
}

static struct ini_section *last_section(struct reading *reading)
{
    size_t count = reading->ini.sections.count;
    return count ? &reading->ini.sections.items[count - 1] : NULL;
}

static bool add_value(struct reading *reading, struct text line, struct err *err)
{
    struct ini_section *section = last_section(reading);
    struct text rest = line, key;
    if (!section)
        return refuse(reading, "a line before the first [section]", line, err);
    if (!memchr(line.ptr, '=', line.len) || !text_next(&rest, '=', &key) || !text_trim(key).len)
        return refuse(reading, "not a line of the form key=value", line, err);
    if (++reading->value_count > VALUES_MAX)
        return refuse(reading, "more lines than are read", line, err);
    struct ini_value value = {.key = text_dup(reading->arena, text_trim(key)),
                              .value = text_dup(reading->arena, text_trim(rest)),
                              .line = reading->line};
    list_add(reading->arena, &section->values, value);
    return true;
}

static bool continue_value(struct reading *reading, struct text line, struct err *err)
{
    struct ini_section *section = last_section(reading);
    if (!section || !section->values.count)
        return refuse(reading, "a continuation line without a line that it continues", line, err);
    struct ini_value *value = &section->values.items[section->values.count - 1];
    if (++reading->value_count > VALUES_MAX || strlen(value->value) + line.len > INI_MAX_BYTES / 64)
        return refuse(reading, "a value is longer than is read", line, err);
    value->value = arena_printf(reading->arena, "%s\n%.*s", value->value, (int)line.len, line.ptr);
    return true;
}

static bool read_line(struct reading *reading, struct text line, struct err *err)
{
    struct text whole = text_trim(line);
    if (!whole.len || line.ptr[0] == '#' || line.ptr[0] == ';')
        return true;
    if (line.ptr[0] == ' ' || line.ptr[0] == '\t')
        return whole.ptr[0] == '#' || whole.ptr[0] == ';' || continue_value(reading, whole, err);
    return line.ptr[0] == '[' ? begin_section(reading, whole, err) : add_value(reading, whole, err);
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
