/* SPDX-License-Identifier: Apache-2.0 */
#include "page/template.h"

#include "base/auto.h"

#include <assert.h>

/* A text, markup or a list. */
struct template_value {
    const char *name;
    const char *text;
    struct text markup;
    LIST(struct template_scope *) items;
};

struct template_scope {
    const struct template_scope *outer;
    LIST(struct template_value) values;
};

struct template_scope *template_scope(struct arena *arena, const struct template_scope *outer)
{
    struct template_scope *scope = arena_new(arena, struct template_scope);
    *scope = (struct template_scope){.outer = outer};
    return scope;
}

void template_text(struct arena *arena, struct template_scope *scope, const char *name, const char *text)
{
    if (text && *text)
        list_add(arena, &scope->values, (struct template_value){.name = name, .text = arena_strdup(arena, text)});
}

void template_markup(struct arena *arena, struct template_scope *scope, const char *name, struct text markup)
{
    if (markup.len)
        list_add(arena, &scope->values, (struct template_value){.name = name, .markup = markup});
}

struct template_scope *template_item(struct arena *arena, struct template_scope *scope, const char *name)
{
    struct template_scope *item = template_scope(arena, scope);
    size_t at = 0;
    while (at < scope->values.count && strcmp(scope->values.items[at].name, name) != 0)
        at++;
    if (at == scope->values.count)
        list_add(arena, &scope->values, (struct template_value){.name = name});
    list_add(arena, &scope->values.items[at].items, item);
    return item;
}

/* --- escaping --- */

/* Characters that HTML allows nowhere (Unicode's noncharacters: U+FDD0 to U+FDEF, and the last two of each plane). */
static bool is_noncharacter(const char *at, size_t len)
{
    const unsigned char *byte = (const unsigned char *)at;
    if (len == 3)
        return byte[0] == 0xEF &&
               ((byte[1] == 0xB7 && byte[2] >= 0x90 && byte[2] <= 0xAF) || (byte[1] == 0xBF && byte[2] >= 0xBE));
    return len == 4 && (byte[1] & 0x0F) == 0x0F && byte[2] == 0xBF && byte[3] >= 0xBE;
}

static const char *entity_of(char c)
{
    return c == '&'    ? "&amp;"
           : c == '<'  ? "&lt;"
           : c == '>'  ? "&gt;"
           : c == '"'  ? "&quot;"
           : c == '\'' ? "&#39;"
                       : NULL;
}

static bool add_character(struct text character, struct buf *out)
{
    const char *entity = entity_of(character.ptr[0]);
    if (entity)
        return buf_add(out, entity, strlen(entity));
    if (is_noncharacter(character.ptr, character.len))
        return buf_add(out, "?", 1);
    return buf_add(out, character.ptr, character.len);
}

bool template_escape(const char *text, struct buf *out)
{
    char clean[TEMPLATE_TEXT_MAX + 5];
    size_t len = strnlen(text, TEMPLATE_TEXT_MAX + 1);
    bool is_cut = len > TEMPLATE_TEXT_MAX;
    len = is_cut ? TEMPLATE_TEXT_MAX : len;
    while (is_cut && len && ((unsigned char)text[len] & 0xC0) == 0x80)
        len--; /* not within a character */
    memcpy(clean, text, len);
    clean[len] = '\0';
    text_flatten(clean);
    struct text rest = text_of(clean);
    while (rest.len) {
        size_t step = text_utf8_len(rest);
        step = step ? step : 1;
        if (!add_character((struct text){rest.ptr, step}, out))
            return false;
        rest = (struct text){rest.ptr + step, rest.len - step};
    }
    return !is_cut || buf_add(out, "…", strlen("…"));
}

/* --- filling in --- */

static const struct template_value *find(const struct template_scope *scope, struct text name)
{
    for (; scope; scope = scope->outer) {
        for (size_t i = 0; i < scope->values.count; i++) {
            if (text_is(name, scope->values.items[i].name))
                return &scope->values.items[i];
        }
    }
    return NULL;
}

/* Takes what stands up to a mark off the front; false when there is none, and then all of it. */
static bool take_to(struct text *rest, const char *mark, struct text *ret_part)
{
    const char *at = rest->len ? memmem(rest->ptr, rest->len, mark, strlen(mark)) : NULL;
    size_t len = at ? (size_t)(at - rest->ptr) : rest->len, skip = at ? strlen(mark) : 0;
    *ret_part = (struct text){rest->ptr, len};
    *rest = (struct text){rest->ptr + len + skip, rest->len - len - skip};
    return at != NULL;
}

/* Takes a section off the front, up to its end. Sections of one name do not stand in each other. */
static struct text take_section(struct text *rest, struct text name)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct text body;
    bool has_end = take_to(rest, arena_printf(&scratch, "{{/%.*s}}", (int)name.len, name.ptr), &body);
    assert(has_end);
    return body;
}

static bool fill_section(struct text name, struct text body, bool is_absent, const struct template_scope *scope,
                         struct buf *out)
{
    const struct template_value *value = find(scope, name);
    if (is_absent || !value)
        return is_absent != !value || template_fill(body, scope, out);
    if (!value->items.count)
        return template_fill(body, scope, out);
    for (size_t i = 0; i < value->items.count; i++) {
        if (!template_fill(body, value->items.items[i], out))
            return false;
    }
    return true;
}

/* One place, of which "{{" was taken. */
static bool fill_place(struct text *rest, const struct template_scope *scope, struct buf *out)
{
    bool is_markup = rest->len && rest->ptr[0] == '{';
    struct text name;
    bool has_end = take_to(rest, is_markup ? "}}}" : "}}", &name);
    assert(has_end && name.len);
    char sign = name.ptr[0];
    if (is_markup || sign == '#' || sign == '^')
        name = (struct text){name.ptr + 1, name.len - 1};
    if (!is_markup && (sign == '#' || sign == '^'))
        return fill_section(name, take_section(rest, name), sign == '^', scope, out);
    const struct template_value *value = find(scope, name);
    if (!value)
        return true;
    return is_markup ? buf_add(out, value->markup.ptr ? value->markup.ptr : "", value->markup.len)
                     : !value->text || template_escape(value->text, out);
}

bool template_fill(struct text template, const struct template_scope *scope, struct buf *out)
{
    struct text rest = template, part;
    for (bool is_place = true; is_place;) {
        is_place = take_to(&rest, "{{", &part);
        if (!buf_add(out, part.len ? part.ptr : "", part.len) || (is_place && !fill_place(&rest, scope, out)))
            return false;
    }
    return true;
}
