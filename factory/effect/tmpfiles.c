/* SPDX-License-Identifier: Apache-2.0 */
#include "effect/tmpfiles.h"

#include "package/path.h"

#define WORDS_MAX 6 /* type, path, mode, user, group, age; the argument is the rest of the line */

/* What the letters of a type mean to an image. */
static const struct {
    char letter;
    enum tmpfiles_kind kind;
    bool is_replacing, is_deep;
} types[] = {
    {'d', TMPFILES_DIRECTORY, false, false}, {'D', TMPFILES_DIRECTORY, false, false},
    {'v', TMPFILES_DIRECTORY, false, false}, {'q', TMPFILES_DIRECTORY, false, false},
    {'Q', TMPFILES_DIRECTORY, false, false}, {'e', TMPFILES_ADJUST, false, false},
    {'f', TMPFILES_FILE, false, false},      {'F', TMPFILES_FILE, true, false},
    {'L', TMPFILES_LINK, false, false},      {'C', TMPFILES_COPY, false, false},
    {'z', TMPFILES_MODE, false, false},      {'Z', TMPFILES_MODE, false, true},
};

/* Reads the type with its modifiers; *ret_wanted false when images have no use for the line. */
static const char *parse_type(const char *word, struct tmpfiles_item *item, bool *ret_wanted)
{
    *ret_wanted = false;
    for (size_t i = 0; i < ARRAY_COUNT(types); i++) {
        if (types[i].letter != word[0])
            continue;
        *ret_wanted = true;
        item->kind = types[i].kind;
        item->is_replacing = types[i].is_replacing;
        item->is_deep = types[i].is_deep;
    }
    for (const char *c = word + 1; *c; c++) {
        if (!strchr("+!-=~^$?", *c))
            return "its type has an unknown modifier";
        item->is_replacing = item->is_replacing || *c == '+';
        item->is_where_target = item->is_where_target || *c == '?';
        if (*c == '~' || *c == '^')
            *ret_wanted = false; /* the argument is Base64, or a credential of the machine */
    }
    if (word[0] == 'p')
        return "it makes a named pipe, which images do not have";
    if (!*ret_wanted && !strchr("wbcrRxXtThHaAmdDvqQefFLCzZ", word[0]))
        return "its type is unknown";
    return NULL;
}

/* Octal digits, with '~' (masked) or ':' (only for new ones) in front. */
static const char *parse_mode(const char *word, struct tmpfiles_item *item)
{
    for (; *word == '~' || *word == ':'; word++) {
        item->is_masked = item->is_masked || *word == '~';
        item->is_mode_of_new = item->is_mode_of_new || *word == ':';
    }
    size_t len = strlen(word);
    if (!len || len > 5 || strspn(word, "01234567") != len)
        return "its mode is no octal number";
    for (; *word; word++)
        item->mode = item->mode * 8 + (uint32_t)(*word - '0');
    item->has_mode = true;
    return item->mode <= 07777 ? NULL : "its mode is too big";
}

static const char *parse_path(struct arena *arena, const char *word, struct tmpfiles_item *item)
{
    static const char alias[] = "/var/run/";
    const char *why = NULL;
    if (*word != '/')
        return "its path is not absolute";
    item->path = path_canonical(arena, text_of(word), &why);
    if (!item->path)
        return "its path is none";
    if (strncmp(item->path, alias, strlen(alias)) == 0)
        item->path = item->path + strlen("/var");
    return NULL;
}

static const char *parse_owner(const char *word, const char **ret_name, bool *ret_is_of_new)
{
    *ret_is_of_new = *word == ':';
    *ret_name = word + (*word == ':');
    return **ret_name ? NULL : "its user or group is empty";
}

/* Cuts the fields behind the path; false in *ret_wanted when a specifier has no value in an image. */
static const char *parse_fields(struct arena *arena, const char *words[WORDS_MAX], struct text rest,
                                struct tmpfiles_item *item, bool *ret_wanted)
{
    for (size_t i = 1; i < 5 && *ret_wanted; i++) {
        if (words[i] && (strcmp(words[i], "-") == 0 || !*words[i]))
            words[i] = NULL;
        if (words[i] && !(words[i] = dropin_expand(arena, words[i])))
            *ret_wanted = false;
    }
    if (!*ret_wanted)
        return NULL;
    if (!words[1])
        return "it has no path";
    const char *why = parse_path(arena, words[1], item);
    if (!why && words[2])
        why = parse_mode(words[2], item);
    if (!why && words[3])
        why = parse_owner(words[3], &item->user, &item->is_user_of_new);
    if (!why && words[4])
        why = parse_owner(words[4], &item->group, &item->is_group_of_new);
    rest = text_trim(rest);
    if (why || !rest.len || text_is(rest, "-"))
        return why;
    item->argument = dropin_unescape(arena, rest);
    if (!item->argument)
        return "a backslash of its argument has nothing known behind it";
    item->argument = dropin_expand(arena, item->argument);
    *ret_wanted = item->argument != NULL;
    return NULL;
}

static const char *parse_line(struct arena *arena, struct text line, struct tmpfiles_item *item, bool *ret_wanted)
{
    const char *words[WORDS_MAX] = {NULL};
    for (size_t i = 0; i < WORDS_MAX; i++) {
        const char *why = dropin_word(arena, &line, true, &words[i]);
        if (why)
            return why;
    }
    if (!words[0] || !words[0][0])
        return "it has no type";
    const char *why = parse_type(words[0], item, ret_wanted);
    if (why || !*ret_wanted)
        return why;
    return parse_fields(arena, words, line, item, ret_wanted);
}

void tmpfiles_parse(struct arena *arena, const struct dropin_lines *lines, struct tmpfiles *ret_items,
                    struct strings *notes)
{
    struct map made = {.arena = arena};
    *ret_items = (struct tmpfiles){0};
    for (size_t i = 0; i < lines->count; i++) {
        struct tmpfiles_item item = {.place = lines->items[i].place};
        bool is_wanted = false;
        const char *why = parse_line(arena, lines->items[i].text, &item, &is_wanted);
        if (why)
            list_add(arena, notes, arena_printf(arena, "%s: %s; the line is passed over", item.place, why));
        if (why || !is_wanted || strcmp(item.path, "/") == 0)
            continue;
        bool is_making = item.kind != TMPFILES_MODE && item.kind != TMPFILES_ADJUST;
        if (!is_making || map_add(&made, text_of(item.path), (void *)item.path))
            list_add(arena, ret_items, item);
    }
}
