/* SPDX-License-Identifier: Apache-2.0 */
#include "service/environment.h"

#include "base/auto.h"
#include "effect/dropin.h"

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"

const char environment_too_much[] = "more or longer words or variables than are allowed";

/* The value of a variable, or a specifier in it. */
static const char unknown[] = "a value that only a running machine has";

static bool is_name(struct text name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (!name.ptr[i] || !strchr(i ? LETTERS "0123456789" : LETTERS, name.ptr[i]))
            return false;
    }
    return name.len && name.len <= 255;
}

static struct environment_variable *find(const struct environment *environment, struct text name)
{
    for (size_t i = 0; i < environment->count; i++) {
        if (text_is(name, environment->items[i].name))
            return &environment->items[i];
    }
    return NULL;
}

const char *environment_set(struct arena *arena, struct environment *environment, struct text name, const char *value)
{
    struct environment_variable *former = find(environment, name);
    if (former)
        former->value = value;
    else if (environment->count == ENVIRONMENT_VARIABLES_MAX)
        return environment_too_much;
    else
        list_add(arena, environment, (struct environment_variable){text_dup(arena, name), value, false});
    return NULL;
}

const char *environment_get(const struct environment *environment, struct text name)
{
    const struct environment_variable *variable = find(environment, name);
    return variable ? variable->value : NULL;
}

/* Takes a value off the front, up to the end of its line (parse_env_file_internal() of systemd): parts in single quotes
 * as they are, in double quotes with backslashes before '"', '\\', '`' and '$', else a backslash takes the next character
 * as it is, and a line's end away. Blanks at the end of what is not quoted do not count. */
static const char *take_value(struct arena *arena, struct text *rest, struct buf *value)
{
    char quote = '\0';
    size_t at = 0, kept = 0;
    bool is_fine = true;
    value->len = 0;
    while (at < rest->len && (rest->ptr[at] == ' ' || rest->ptr[at] == '\t'))
        at++;
    for (; is_fine && at < rest->len && (quote || rest->ptr[at] != '\n'); at++) {
        char c = rest->ptr[at];
        bool is_escaped = c == '\\' && quote != '\'' && at + 1 < rest->len;
        if (!is_escaped && (quote ? c == quote : ((c == '"' || c == '\'') && kept == value->len))) {
            quote = quote ? '\0' : c;
            kept = value->len;
            continue;
        }
        if (is_escaped && rest->ptr[++at] == '\n')
            continue;
        if (is_escaped && quote && !strchr("\"\\`$", rest->ptr[at]))
            is_fine = buf_add(value, "\\", 1);
        is_fine = is_fine && buf_add(value, &rest->ptr[at], 1);
        if (quote || is_escaped || !strchr(" \t\r", c))
            kept = value->len;
    }
    *rest = (struct text){rest->ptr + at, rest->len - at};
    return is_fine ? arena_strndup(arena, buf_text(value).ptr, kept) : NULL;
}

static void skip_line(struct text *rest)
{
    struct text line;
    (void)text_next(rest, '\n', &line);
}

const char *environment_read(struct arena *arena, struct environment *environment, struct text file)
{
    AUTO(buf_done) struct buf value;
    buf_init(&value, ENVIRONMENT_WORD_BYTES_MAX);
    if (file.len && memchr(file.ptr, '\0', file.len))
        return "a NUL in a file of variables";
    while (file.len) {
        size_t equals = 0;
        while (equals < file.len && file.ptr[equals] != '=' && file.ptr[equals] != '\n')
            equals++;
        struct text name = text_trim((struct text){file.ptr, equals});
        if (equals == file.len || file.ptr[equals] == '\n' || !is_name(name)) {
            skip_line(&file);
            continue;
        }
        file = (struct text){file.ptr + equals + 1, file.len - equals - 1};
        const char *read = take_value(arena, &file, &value);
        const char *why = read ? environment_set(arena, environment, name, read) : environment_too_much;
        if (why)
            return why;
    }
    return NULL;
}

/* Adds the value of "${NAME}". Returns NULL, or why it cannot be had. */
static const char *add_value(struct arena *arena, struct environment *environment, struct text name, struct buf *buf)
{
    struct environment_variable *variable = find(environment, name);
    if (!variable || (variable->value && !*variable->value)) {
        const char *unset = text_dup(arena, name);
        if (environment->unset.count < ENVIRONMENT_VARIABLES_MAX && !strings_has(&environment->unset, unset))
            list_add(arena, &environment->unset, unset);
    }
    if (!variable)
        return NULL;
    variable->is_used = true;
    if (!variable->value)
        return unknown;
    return buf_add(buf, variable->value, strlen(variable->value)) ? NULL : environment_too_much;
}

/* Replaces each "${NAME}" and "$$" of a word. */
static const char *expand_word(struct arena *arena, struct environment *environment, const char *word, struct buf *buf)
{
    const char *why = NULL;
    for (const char *at = word; *at && !why; at++) {
        const char *brace = at[0] == '$' && at[1] == '{' ? strchr(at, '}') : NULL;
        struct text name = {at + 2, brace ? (size_t)(brace - at - 2) : 0};
        if (brace && is_name(name)) {
            why = add_value(arena, environment, name, buf);
            at = brace;
        } else {
            why = buf_add(buf, at, 1) ? NULL : environment_too_much;
            at += at[0] == '$' && at[1] == '$';
        }
    }
    return why;
}

static const char *add_word(struct arena *arena, const char *word, struct strings *words)
{
    if (words->count == ENVIRONMENT_WORDS_MAX)
        return environment_too_much;
    list_add(arena, words, word);
    return NULL;
}

const char *environment_expand(struct arena *arena, struct environment *environment, const char *word,
                               struct strings *words)
{
    const char *why = NULL;
    if (word[0] == '$' && is_name(text_of(word + 1))) {
        struct environment_variable *variable = find(environment, text_of(word + 1));
        struct text rest = text_of(variable && variable->value ? variable->value : "");
        if (variable)
            variable->is_used = true;
        for (;;) {
            const char *part;
            why = why ? why : dropin_word(arena, &rest, false, &part);
            if (why || !part)
                return why;
            why = add_word(arena, part, words);
        }
    }
    AUTO(buf_done) struct buf buf;
    buf_init(&buf, ENVIRONMENT_WORD_BYTES_MAX);
    why = expand_word(arena, environment, word, &buf);
    if (why == unknown) {
        if (environment->left_out.count < ENVIRONMENT_WORDS_MAX)
            list_add(arena, &environment->left_out, word);
        return NULL;
    }
    return why ? why : add_word(arena, arena_strndup(arena, buf_text(&buf).ptr, buf.len), words);
}
