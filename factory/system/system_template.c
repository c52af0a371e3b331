/* SPDX-License-Identifier: Apache-2.0 */
#include "system/system_template.h"

#include "base/auto.h"

static bool is_letter(char c)
{
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static size_t name_length(struct text text)
{
    size_t len = 0;
    while (len < text.len && (is_letter(text.ptr[len]) || (len && text.ptr[len] >= '0' && text.ptr[len] <= '9')))
        len++;
    return len;
}

bool system_template_is_name(const char *name)
{
    return *name && name_length(text_of(name)) == strlen(name);
}

const char *system_values_get(const struct system_values *values, const char *name)
{
    for (size_t i = 0; i < values->count; i++) {
        if (strcmp(values->items[i].name, name) == 0)
            return values->items[i].value;
    }
    return NULL;
}

void system_values_set(struct arena *arena, struct system_values *values, const char *name, const char *value)
{
    for (size_t i = 0; i < values->count; i++) {
        if (strcmp(values->items[i].name, name) == 0) {
            values->items[i].value = value;
            return;
        }
    }
    list_add(arena, values, (struct system_value){name, value});
}

/* A template that is walked through, from dollar to dollar. */
struct walk {
    const struct system_template *source;
    struct text rest;
    size_t line;
};

/* What comes next: text without a dollar, then a name (or none at the end). "$$" is text. */
struct piece {
    struct text text;
    struct text name; /* len 0: there is none */
};

static void count_lines(struct walk *walk, size_t len)
{
    for (size_t i = 0; i < len; i++)
        walk->line += walk->rest.ptr[i] == '\n';
}

static void skip(struct walk *walk, size_t len)
{
    walk->rest.ptr += len;
    walk->rest.len -= len;
}

/* Takes the name behind a dollar off the front. */
static bool take_name(struct walk *walk, struct text *ret_name, struct err *err)
{
    bool has_brace = walk->rest.len > 1 && walk->rest.ptr[1] == '{';
    size_t at = has_brace ? 2 : 1;
    struct text behind = {walk->rest.ptr + at, walk->rest.len < at ? 0 : walk->rest.len - at};
    size_t len = name_length(behind);
    if (!len || (has_brace && (len == behind.len || behind.ptr[len] != '}'))) {
        err_set(err, ERR_MALFORMED, "%s:%zu: a '$' that begins no variable; a dollar is written as $$",
                walk->source->name, walk->line);
        return false;
    }
    *ret_name = (struct text){behind.ptr, len};
    skip(walk, at + len + has_brace);
    return true;
}

/* Takes the next piece; false at the end, or with an error. */
static bool next_piece(struct walk *walk, struct piece *ret_piece, struct err *err)
{
    const char *dollar = walk->rest.len ? memchr(walk->rest.ptr, '$', walk->rest.len) : NULL;
    size_t len = dollar ? (size_t)(dollar - walk->rest.ptr) : walk->rest.len;
    if (!walk->rest.len)
        return false;
    *ret_piece = (struct piece){.text = {walk->rest.ptr, len}};
    count_lines(walk, len);
    skip(walk, len);
    if (!dollar)
        return true;
    if (walk->rest.len > 1 && walk->rest.ptr[1] == '$') {
        ret_piece->text.len++; /* the first of both stays */
        skip(walk, 2);
        return true;
    }
    return take_name(walk, &ret_piece->name, err);
}

bool system_template_uses(struct arena *arena, const struct system_template *source,
                          struct system_template_uses *ret_uses, struct err *err)
{
    struct walk walk = {source, source->text, 1};
    struct piece piece;
    *ret_uses = (struct system_template_uses){0};
    while (next_piece(&walk, &piece, err)) {
        bool is_known = !piece.name.len;
        for (size_t i = 0; !is_known && i < ret_uses->count; i++)
            is_known = text_is(piece.name, ret_uses->items[i].name);
        if (!is_known && ret_uses->count == SYSTEM_VARIABLES_MAX) {
            err_set(err, ERR_MALFORMED, "%s: more than %d variables", source->name, SYSTEM_VARIABLES_MAX);
            return false;
        }
        if (!is_known)
            list_add(arena, ret_uses, (struct system_template_use){text_dup(arena, piece.name), walk.line});
    }
    return err->kind == ERR_NONE;
}

/* Whether what follows these bytes is within a string of JSON. */
static bool is_within(struct text text, bool is_string)
{
    for (size_t i = 0; i < text.len; i++) {
        if (is_string && text.ptr[i] == '\\')
            i++;
        else if (text.ptr[i] == '"')
            is_string = !is_string;
    }
    return is_string;
}

/* RFC 8259, section 7. */
static bool add_escaped(struct buf *buf, const char *value)
{
    bool is_good = true;
    for (; *value && is_good; value++) {
        unsigned char c = (unsigned char)*value;
        if (c == '"' || c == '\\')
            is_good = buf_printf(buf, "\\%c", c);
        else
            is_good = c < 0x20 ? buf_printf(buf, "\\u%04x", c) : buf_add(buf, value, 1);
    }
    return is_good;
}

static bool is_line(const char *value)
{
    for (; *value; value++) {
        if ((unsigned char)*value < 0x20 || *value == 0x7f)
            return false;
    }
    return true;
}

static bool fail_value(const struct walk *walk, struct arena *arena, struct text name, const char *why, struct err *err)
{
    err_set(err, ERR_MALFORMED, "%s:%zu: the variable %s %s", walk->source->name, walk->line,
            text_printable(arena, name), why);
    return false;
}

bool system_template_fill(struct arena *arena, const struct system_template *source, const struct system_values *values,
                          struct text *ret_text, struct err *err)
{
    struct walk walk = {source, source->text, 1};
    AUTO(buf_done) struct buf filled = {0};
    struct piece piece;
    bool is_string = false, is_good = true;
    buf_init(&filled, SYSTEM_FILLED_MAX_BYTES);
    while (is_good && next_piece(&walk, &piece, err)) {
        is_good = buf_add(&filled, piece.text.ptr, piece.text.len);
        is_string = is_within(piece.text, is_string);
        if (!is_good || !piece.name.len)
            continue;
        const char *value = system_values_get(values, text_dup(arena, piece.name));
        if (!value)
            return fail_value(&walk, arena, piece.name,
                              "has no value; give one with --set, or a default in manifest.json", err);
        if (source->kind == SYSTEM_TEMPLATE_LINES && !is_line(value))
            return fail_value(&walk, arena, piece.name, "has a control character in its value, which must be one line",
                              err);
        if (source->kind == SYSTEM_TEMPLATE_JSON && is_string) {
            is_good = add_escaped(&filled, value);
        } else {
            is_good = buf_add(&filled, value, strlen(value));
            is_string = is_within(text_of(value), is_string);
        }
    }
    if (err->kind)
        return false;
    if (!is_good) {
        err_set(err, ERR_MALFORMED, "%s: larger than %zu MiB with its values", source->name,
                SYSTEM_FILLED_MAX_BYTES >> 20);
        return false;
    }
    *ret_text = (struct text){arena_strndup(arena, buf_text(&filled).ptr, filled.len), filled.len};
    return true;
}
