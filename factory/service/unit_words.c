/* SPDX-License-Identifier: Apache-2.0 */
#include "service/unit_words.h"

#include "base/auto.h"
#include "effect/dropin.h"

#define EXPANDED_MAX ((size_t)65536)

/* Returns the part of a name between its '@' and its type: "" of what is no instance. */
static struct text instance_of(const char *unit)
{
    const char *at = strchr(unit, '@'), *dot = strrchr(unit, '.');
    return at && dot && dot > at ? (struct text){at + 1, (size_t)(dot - at - 1)} : TEXT("");
}

static struct text prefix_of(const char *unit)
{
    const char *dot = strrchr(unit, '.');
    size_t len = strcspn(unit, "@");
    return (struct text){unit, dot && (size_t)(dot - unit) < len ? (size_t)(dot - unit) : len};
}

static struct text stem_of(const char *unit)
{
    const char *dot = strrchr(unit, '.');
    return (struct text){unit, dot ? (size_t)(dot - unit) : strlen(unit)};
}

/* Undoes the escaping of names of units (systemd.unit(5), "String Escaping for Inclusion in Unit Names"). */
static struct text unescape(struct arena *arena, struct text name)
{
    char *plain = text_dup(arena, name);
    for (char *at = plain; *at; at++)
        *at = *at == '-' ? '/' : *at;
    const char *unescaped = dropin_unescape(arena, text_of(plain));
    return text_of(unescaped ? unescaped : plain);
}

static struct text last_part(struct text prefix)
{
    size_t at = prefix.len;
    while (at && prefix.ptr[at - 1] != '-')
        at--;
    return (struct text){prefix.ptr + at, prefix.len - at};
}

/* Returns what a specifier of the unit's name stands for; its pointer is NULL when it is not one of these. */
static struct text name_value(struct arena *arena, const char *unit, char letter)
{
    switch (letter) {
    case 'n':
        return text_of(unit);
    case 'N':
        return stem_of(unit);
    case 'p':
        return prefix_of(unit);
    case 'P':
        return unescape(arena, prefix_of(unit));
    case 'i':
        return instance_of(unit);
    case 'I':
        return unescape(arena, instance_of(unit));
    case 'j':
        return last_part(prefix_of(unit));
    case 'E':
        return TEXT("/etc");
    case 's':
        return TEXT("/bin/sh");
    default:
        return (struct text){NULL, 0};
    }
}

const char *unit_words_expand(struct arena *arena, const char *unit, const char *string)
{
    if (!strchr(string, '%'))
        return string;
    AUTO(buf_done) struct buf text;
    buf_init(&text, EXPANDED_MAX);
    for (const char *at = string; *at; at++) {
        struct text value = {at, 1};
        if (*at == '%' && at[1]) {
            value = name_value(arena, unit, *++at);
            const char *other = value.ptr ? NULL : dropin_expand(arena, (const char[]){'%', *at, '\0'});
            if (!value.ptr && !other)
                return NULL;
            value = value.ptr ? value : text_of(other);
        }
        if (!buf_add(&text, value.ptr, value.len))
            return NULL;
    }
    return arena_strndup(arena, buf_text(&text).ptr, text.len);
}

/* Takes the next word off the front with its specifiers put in; *ret_plain is the word without them, set when there is one. A backslash that begins nothing known stands for itself
 * in systemd, which only warns. */
static const char *next_word(struct arena *arena, const char *unit, struct text *rest, const char **ret_plain,
                             const char **ret_word)
{
    struct text former = *rest;
    const char *why = dropin_word(arena, rest, true, ret_word);
    if (why) {
        *rest = former;
        why = dropin_word(arena, rest, false, ret_word);
    }
    if (why || !*ret_word)
        return why;
    *ret_plain = *ret_word;
    *ret_word = unit_words_expand(arena, unit, *ret_word);
    return *ret_word ? NULL : "a specifier that only a running machine has";
}

const char *unit_words_list(struct arena *arena, const char *unit, const char *value, struct strings *unknown,
                            struct strings *ret_words)
{
    struct text rest = text_of(value);
    *ret_words = (struct strings){0};
    for (;;) {
        const char *plain = NULL, *word, *why = next_word(arena, unit, &rest, &plain, &word);
        if (plain && !word && unknown && unknown->count < ENVIRONMENT_WORDS_MAX) {
            list_add(arena, unknown, plain);
            continue;
        }
        if (why || !word)
            return why;
        if (ret_words->count == ENVIRONMENT_WORDS_MAX)
            return environment_too_much;
        list_add(arena, ret_words, word);
    }
}

/* Takes the prefixes off a program's path. */
static const char *take_prefixes(const char *word, struct unit_command *command, bool *ret_is_renamed,
                                 bool *ret_is_plain)
{
    for (; *word && strchr("@-:+!|", *word); word++) {
        *ret_is_renamed = *ret_is_renamed || *word == '@';
        *ret_is_plain = *ret_is_plain || *word == ':';
        command->is_failure_fine = command->is_failure_fine || *word == '-';
        command->is_privileged = command->is_privileged || *word == '+' || (*word == '!' && word[1] != '!');
        /* "!!" is '!' for kernels without ambient capabilities only. */
        word += *word == '!' && word[1] == '!';
    }
    return word;
}

/* Returns whether a word that ends the command is at the front; takes it off. */
static bool take_separator(struct text *rest)
{
    struct text trimmed = *rest;
    while (trimmed.len && strchr(" \t", trimmed.ptr[0]))
        trimmed = (struct text){trimmed.ptr + 1, trimmed.len - 1};
    if (!trimmed.len || trimmed.ptr[0] != ';' || (trimmed.len > 1 && !strchr(" \t", trimmed.ptr[1])))
        return false;
    *rest = (struct text){trimmed.ptr + 1, trimmed.len - 1};
    return true;
}

/* Reads one command off the front; it has no words when there is none. */
static const char *read_command(struct arena *arena, const char *unit, struct text *rest,
                                struct environment *environment, struct unit_command *command)
{
    const char *plain, *word = NULL;
    bool is_renamed = false, is_plain = false;
    for (size_t i = 0; !take_separator(rest); i++) {
        const char *why = next_word(arena, unit, rest, &plain, &word);
        if (!why && word && !i)
            word = take_prefixes(word, command, &is_renamed, &is_plain);
        if (why || !word)
            return why;
        if (i == 1 && is_renamed)
            command->argv0 = word;
        else if (i && !is_plain)
            why = environment_expand(arena, environment, word, &command->words);
        else
            list_add(arena, &command->words, word);
        if (why || command->words.count > ENVIRONMENT_WORDS_MAX)
            return why ? why : environment_too_much;
    }
    return NULL;
}

const char *unit_words_commands(struct arena *arena, const char *unit, const char *value,
                                struct environment *environment, struct unit_commands *commands)
{
    struct text rest = text_of(value);
    while (rest.len) {
        struct unit_command command = {0};
        const char *why = read_command(arena, unit, &rest, environment, &command);
        if (why)
            return why;
        if (command.words.count && command.words.items[0][0])
            list_add(arena, commands, command);
    }
    return NULL;
}
