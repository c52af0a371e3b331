/* SPDX-License-Identifier: Apache-2.0 */
#include "effect/dropin.h"

#include "base/auto.h"

#include <stdlib.h>

/* Specifiers whose value is the same in every image: system directories (sd-path) and the root user's facts. */
static const struct {
    char letter;
    const char *value;
} specifiers[] = {{'%', "%"},        {'T', "/tmp"},       {'V', "/var/tmp"}, {'t', "/run"},
                  {'S', "/var/lib"}, {'C', "/var/cache"}, {'L', "/var/log"}, {'h', "/root"},
                  {'u', "root"},     {'U', "0"},          {'g', "root"},     {'G', "0"}};

static int compare_dropins(const void *a, const void *b)
{
    const struct dropin *left = a, *right = b;
    int order = strcmp(left->entry->path, right->entry->path);
    return order ? order : strcmp(left->package->name, right->package->name);
}

static bool is_dropin(const struct entry *entry, const char *dir)
{
    size_t len = strlen(dir);
    return entry->kind == ENTRY_FILE && strncmp(entry->path, dir, len) == 0 && entry->path[len] == '/' &&
           !strchr(entry->path + len + 1, '/') && text_has_suffix(text_of(entry->path), ".conf");
}

void dropin_list(struct arena *arena, const struct package *const *packages, size_t count, const char *dir,
                 struct dropins *ret_files)
{
    *ret_files = (struct dropins){0};
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < packages[i]->count; j++) {
            if (is_dropin(&packages[i]->entries[j], dir))
                list_add(arena, ret_files, (struct dropin){packages[i], &packages[i]->entries[j]});
        }
    }
    if (ret_files->count)
        qsort(ret_files->items, ret_files->count, sizeof(ret_files->items[0]), compare_dropins);
}

static void read_lines(struct arena *arena, const struct dropin *file, struct dropin_lines *lines,
                       struct strings *notes)
{
    struct text rest = {file->entry->data, (size_t)file->entry->size_bytes}, line;
    for (size_t number = 1; rest.len && text_next(&rest, '\n', &line); number++) {
        line = text_trim(line);
        if (!line.len || line.ptr[0] == '#')
            continue;
        const char *place = arena_printf(arena, "package %s: %s:%zu", file->package->name, file->entry->path, number);
        if (lines->count == DROPIN_LINES_MAX) {
            list_add(arena, notes,
                     arena_printf(arena, "%s: more than %d lines; it is passed over", place, DROPIN_LINES_MAX));
            return;
        }
        if (line.len > DROPIN_LINE_MAX || memchr(line.ptr, '\0', line.len))
            list_add(arena, notes,
                     arena_printf(arena, "%s: no line of text of at most %d bytes; it is passed over", place,
                                  DROPIN_LINE_MAX));
        else
            list_add(arena, lines, (struct dropin_line){line, place});
    }
}

bool dropin_read(struct arena *arena, const struct dropins *files, struct dropin_lines *ret_lines,
                 struct strings *notes, struct err *err)
{
    *ret_lines = (struct dropin_lines){0};
    for (size_t i = 0; i < files->count; i++) {
        const struct dropin *file = &files->items[i];
        if (file->entry->size_bytes > DROPIN_FILE_MAX) {
            list_add(arena, notes,
                     arena_printf(arena, "package %s: %s is bigger than 1 MiB; it is passed over", file->package->name,
                                  file->entry->path));
            continue;
        }
        struct digest digest = digest_of(file->entry->data, (size_t)file->entry->size_bytes);
        if (!digest_eq(&digest, &file->entry->digest)) {
            err_set(err, ERR_TRUST, "%s (package %s): its bytes are not those that were unpacked; remove the cache",
                    file->entry->path, file->package->name);
            return false;
        }
        read_lines(arena, file, ret_lines, notes);
    }
    return true;
}

/* Reads `digits` digits of the base; -1 when they are not there. */
static int read_digits(struct text text, size_t digits, int base)
{
    int value = 0;
    if (text.len < digits)
        return -1;
    for (size_t i = 0; i < digits; i++) {
        int digit = text_hex_value(text.ptr[i]);
        if (digit < 0 || digit >= base)
            return -1;
        value = value * base + digit;
    }
    return value;
}

/* Reads what follows a backslash (systemd: cunescape_one(), without \u and \U); returns its length, 0 when it is
 * malformed. */
static size_t read_escape(struct text text, char *ret_byte)
{
    static const char letters[] = "abfnrtvs\\\"'", values[] = "\a\b\f\n\r\t\v \\\"'";
    if (!text.len)
        return 0;
    const char *letter = text.ptr[0] ? strchr(letters, text.ptr[0]) : NULL;
    if (letter) {
        *ret_byte = values[letter - letters];
        return 1;
    }
    bool is_hex = text.ptr[0] == 'x';
    int value = is_hex ? read_digits((struct text){text.ptr + 1, text.len - 1}, 2, 16) : read_digits(text, 3, 8);
    if (value <= 0 || value > 0xFF)
        return 0;
    *ret_byte = (char)value;
    return 3;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Takes one character behind a backslash; returns how many bytes it was, 0 when it is malformed. */
static size_t take_escaped(struct text text, bool is_unescaping, char *ret_byte)
{
    if (is_unescaping)
        return read_escape(text, ret_byte);
    if (text.len)
        *ret_byte = text.ptr[0];
    return text.len ? 1 : 0;
}

/* Returns where the word at the front ends at the latest: what it is made of has fewer bytes. */
static size_t word_end(struct text text)
{
    char quote = '\0';
    size_t at = 0;
    for (; at < text.len && (quote || !is_blank(text.ptr[at])); at++) {
        char c = text.ptr[at];
        if (c == '\\')
            at++;
        else if (quote ? c == quote : (c == '"' || c == '\''))
            quote = quote ? '\0' : c;
    }
    return at < text.len ? at : text.len;
}

const char *dropin_word(struct arena *arena, struct text *rest, bool is_unescaping, const char **ret_word)
{
    size_t at = 0, len = 0;
    *ret_word = NULL;
    while (at < rest->len && is_blank(rest->ptr[at]))
        at++;
    if (at == rest->len) {
        rest->len = 0;
        return NULL;
    }
    *rest = (struct text){rest->ptr + at, rest->len - at};
    char *word = arena_alloc(arena, word_end(*rest) + 1), quote = '\0';
    for (at = 0; at < rest->len && (quote || !is_blank(rest->ptr[at])); at++) {
        char c = rest->ptr[at];
        if (c == '\\') {
            size_t used = take_escaped((struct text){rest->ptr + at + 1, rest->len - at - 1}, is_unescaping, &c);
            if (!used)
                return "a backslash with nothing known behind it";
            at += used;
            word[len++] = c;
        } else if (quote ? c == quote : (c == '"' || c == '\'')) {
            quote = quote ? '\0' : c;
        } else {
            word[len++] = c;
        }
    }
    if (quote)
        return "a quote that is not closed";
    *rest = (struct text){rest->ptr + at, rest->len - at};
    *ret_word = word;
    return NULL;
}

const char *dropin_unescape(struct arena *arena, struct text text)
{
    char *result = arena_alloc(arena, text.len + 1);
    size_t len = 0;
    for (size_t at = 0; at < text.len; at++) {
        char c = text.ptr[at];
        if (c == '\\') {
            size_t used = read_escape((struct text){text.ptr + at + 1, text.len - at - 1}, &c);
            if (!used)
                return NULL;
            at += used;
        }
        result[len++] = c;
    }
    return result;
}

static const char *specifier_value(char letter)
{
    for (size_t i = 0; i < ARRAY_COUNT(specifiers); i++) {
        if (specifiers[i].letter == letter)
            return specifiers[i].value;
    }
    return NULL;
}

const char *dropin_expand(struct arena *arena, const char *string)
{
    if (!strchr(string, '%'))
        return string;
    AUTO(buf_done) struct buf text;
    buf_init(&text, (size_t)16 * DROPIN_LINE_MAX);
    for (const char *at = string; *at; at++) {
        const char *value = *at == '%' ? specifier_value(at[1]) : NULL;
        if (*at == '%' && !value)
            return NULL;
        if (!(value ? buf_add(&text, value, strlen(value)) : buf_add(&text, at, 1)))
            return NULL;
        at += value != NULL;
    }
    return arena_strndup(arena, text.bytes, text.len);
}
