/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/deploy_text.h"

#include "base/auto.h"

#include <stdarg.h>
#include <stdio.h>

/* Copies a string with a sign before each of some, which it is doubled by where `doubled` has it. */
static char *escape(struct arena *arena, const char *string, const char *doubled, const char *escaped)
{
    char *copy = arena_alloc(arena, 6 * strlen(string) + 1), *to = copy;
    for (; *string; string++) {
        unsigned char c = (unsigned char)*string;
        if (c < ' ' || c == 0x7f) {
            to = stpcpy(to, arena_printf(arena, "\\u%04x", c));
            continue;
        }
        if (strchr(doubled, *string))
            *to++ = *string;
        else if (strchr(escaped, *string))
            *to++ = '\\';
        *to++ = *string;
    }
    *to = '\0';
    return copy;
}

const char *deploy_unit_word(struct arena *arena, const char *word)
{
    static const char *const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@+=:,./-";
    if (*word && !word[strspn(word, plain)])
        return word;
    return arena_printf(arena, "\"%s\"", escape(arena, word, "%$", "\"\\"));
}

const char *deploy_unit_value(struct arena *arena, const char *value)
{
    char *copy = escape(arena, value, "%", "");
    for (char *at = copy; *at; at++) {
        if (*at == '\\') /* at the end of a line it would go on in the next */
            *at = '/';
    }
    return copy;
}

const char *deploy_yaml_string(struct arena *arena, const char *string)
{
    return arena_printf(arena, "\"%s\"", escape(arena, string, "", "\"\\"));
}

const char *deploy_text_cluster(struct arena *arena, const char *name)
{
    char *copy = arena_strdup(arena, name);
    for (char *at = copy; *at; at++)
        *at = (*at >= 'a' && *at <= 'z') || (*at >= '0' && *at <= '9') ? *at : '-';
    return copy;
}

void deploy_append(struct arena *arena, const char **text, const char *format, ...)
{
    AUTO(auto_free) char *added = NULL;
    va_list arguments;
    va_start(arguments, format);
    int len = vasprintf(&added, format, arguments);
    va_end(arguments);
    if (len < 0)
        memory_abort(0);
    *text = arena_printf(arena, "%s%s", *text, added);
}
