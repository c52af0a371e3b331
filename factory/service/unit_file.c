/* SPDX-License-Identifier: Apache-2.0 */
#include "service/unit_file.h"

#include "base/auto.h"
#include "package/path.h"

#include <stdlib.h>

/* One file on its way into the unit. */
struct reading {
    struct arena *arena;
    struct unit_file *unit;
    const struct packaged_file *file;
    const char *section; /* NULL before the first */
    struct err *err;
};

static bool fail(struct reading *reading, size_t line, const char *why)
{
    err_set(reading->err, ERR_MALFORMED, "package %s: %s:%zu: %s", reading->file->package->name,
            reading->file->entry->path, line, why);
    return false;
}

/* Returns whether a line ends with a backslash that nothing escapes. */
static bool is_continued(struct text line)
{
    bool is_escaped = false;
    for (size_t i = 0; i < line.len; i++)
        is_escaped = !is_escaped && line.ptr[i] == '\\';
    return is_escaped;
}

static bool add_line(struct reading *reading, struct text line, size_t number)
{
    struct text key, value = line;
    if (!line.len)
        return true;
    if (line.ptr[0] == '[') {
        if (line.ptr[line.len - 1] != ']')
            return fail(reading, number, "a section that is not closed");
        reading->section = arena_strndup(reading->arena, line.ptr + 1, line.len - 2);
        return true;
    }
    /* systemd passes over what stands before the first section, and over lines without '='. */
    if (!reading->section || !memchr(line.ptr, '=', line.len) || !text_next(&value, '=', &key))
        return true;
    if (reading->unit->directives.count == UNIT_DIRECTIVES_MAX)
        return fail(reading, number, "more directives than are allowed in a unit");
    list_add(reading->arena, &reading->unit->directives,
             (struct unit_directive){.section = reading->section,
                                     .key = text_dup(reading->arena, text_trim(key)),
                                     .value = text_dup(reading->arena, text_trim(value)),
                                     .path = reading->file->entry->path,
                                     .line = number});
    return true;
}

/* systemd's config_parse(): a comment within a line that is continued is passed over. */
static bool read_lines(struct reading *reading, struct text rest)
{
    AUTO(buf_done) struct buf whole;
    struct text line;
    size_t number = 0, begun = 0;
    buf_init(&whole, UNIT_LINE_MAX);
    while (rest.len && text_next(&rest, '\n', &line)) {
        struct text start = text_trim(line);
        number++;
        if (memchr(line.ptr, '\0', line.len))
            return fail(reading, number, "a NUL in a unit");
        if (start.len && (start.ptr[0] == '#' || start.ptr[0] == ';'))
            continue;
        if (line.len && line.ptr[line.len - 1] == '\r')
            line.len--;
        bool is_open = is_continued(line);
        begun = whole.len ? begun : number;
        if (!buf_add(&whole, line.ptr, line.len - is_open) || (is_open && !buf_add(&whole, " ", 1)))
            return fail(reading, number, "a line that is longer than is allowed");
        if (is_open)
            continue;
        if (!add_line(reading, text_trim(buf_text(&whole)), begun))
            return false;
        whole.len = 0;
    }
    return add_line(reading, text_trim(buf_text(&whole)), begun);
}

static bool read_file(struct arena *arena, const struct packaged *packaged, const struct packaged_file *file,
                      struct unit_file *unit, struct err *err)
{
    struct reading reading = {.arena = arena, .unit = unit, .file = file, .err = err};
    struct text text;
    return packaged_text(arena, packaged, file, &text, err) && read_lines(&reading, text);
}

static int compare_names(const void *a, const void *b)
{
    const struct packaged_file *left = a, *right = b;
    return strcmp(path_basename(left->entry->path), path_basename(right->entry->path));
}

/* Adds the drop-ins of a name in the vendor's and the administrator's directory. */
static void add_dropins(struct arena *arena, const struct packaged *packaged, const char *name,
                        struct packaged_files *dropins)
{
    static const char *const dirs[] = {UNIT_DIR, "/etc/systemd/system"};
    for (size_t i = 0; i < ARRAY_COUNT(dirs); i++) {
        struct packaged_files files;
        packaged_list(arena, packaged, arena_printf(arena, "%s/%s.d", dirs[i], name), ".conf", &files);
        for (size_t j = 0; j < files.count; j++)
            list_add(arena, dropins, files.items[j]);
    }
}

bool unit_file_read(struct arena *arena, const struct packaged *packaged, const struct packaged_file *file,
                    const char *name, struct unit_file *ret_unit, struct err *err)
{
    struct unit_file unit = {.name = name, .path = file->entry->path, .package = file->package};
    struct packaged_files dropins = {0};
    const char *file_name = path_basename(file->entry->path);
    if (strcmp(file_name, name) != 0)
        add_dropins(arena, packaged, file_name, &dropins);
    add_dropins(arena, packaged, name, &dropins);
    if (dropins.count > UNIT_DROPINS_MAX) {
        err_set(err, ERR_MALFORMED, "package %s: %s has more than %d drop-ins", file->package->name, file->entry->path,
                UNIT_DROPINS_MAX);
        return false;
    }
    if (dropins.count)
        qsort(dropins.items, dropins.count, sizeof dropins.items[0], compare_names);
    if (!read_file(arena, packaged, file, &unit, err))
        return false;
    for (size_t i = 0; i < dropins.count; i++) {
        if (!read_file(arena, packaged, &dropins.items[i], &unit, err))
            return false;
    }
    *ret_unit = unit;
    return true;
}

static bool is_of(const struct unit_directive *directive, const char *section, const char *key)
{
    return strcmp(directive->key, key) == 0 && strcmp(directive->section, section) == 0;
}

void unit_file_list(struct arena *arena, const struct unit_file *unit, const char *section, const char *key,
                    struct unit_directives *ret_directives)
{
    *ret_directives = (struct unit_directives){0};
    for (size_t i = 0; i < unit->directives.count; i++) {
        const struct unit_directive *directive = &unit->directives.items[i];
        if (!is_of(directive, section, key))
            continue;
        if (directive->value[0])
            list_add(arena, ret_directives, directive);
        else
            ret_directives->count = 0;
    }
}

const struct unit_directive *unit_file_find(const struct unit_file *unit, const char *section, const char *key)
{
    for (size_t i = unit->directives.count; i--;) {
        if (is_of(&unit->directives.items[i], section, key))
            return unit->directives.items[i].value[0] ? &unit->directives.items[i] : NULL;
    }
    return NULL;
}

const char *unit_file_value(const struct unit_file *unit, const char *section, const char *key, const char *otherwise)
{
    const struct unit_directive *directive = unit_file_find(unit, section, key);
    return directive ? directive->value : otherwise;
}

bool unit_file_is_true(const struct unit_file *unit, const char *section, const char *key)
{
    static const char *const words[] = {"1", "yes", "y", "true", "t", "on"};
    struct text value = text_of(unit_file_value(unit, section, key, ""));
    for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
        if (text_is_nocase(value, words[i]))
            return true;
    }
    return false;
}
