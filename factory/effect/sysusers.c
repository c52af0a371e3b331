/* SPDX-License-Identifier: Apache-2.0 */
#include "effect/sysusers.h"

#include "plan/rules.h"

#define WORDS_MAX 6 /* type, name, id, comment, home, shell */

bool account_is_field(const char *value)
{
    for (; *value; value++) {
        if (*value == ':' || (unsigned char)*value < 0x20 || *value == 0x7F)
            return false;
    }
    return true;
}

/* A number that chown(2) takes; 65535 is "none" on systems with 16 bits. */
static bool parse_id(struct text text, uint32_t *ret_id)
{
    uint64_t value;
    if (!text_parse_u64(text, &value) || value >= UINT32_MAX || value == UINT16_MAX)
        return false;
    *ret_id = (uint32_t)value;
    return true;
}

/* The id of a user: N, N:GID, N:GROUP, -:GID, -:GROUP or a path. */
static const char *parse_user_id(struct arena *arena, const char *id, struct sysusers_item *item)
{
    struct text uid = text_of(id);
    const char *colon = strchr(id, ':');
    if (*id == '/') {
        item->id_path = id;
        return NULL;
    }
    if (colon) {
        uid.len = (size_t)(colon - id);
        item->has_gid = parse_id(text_of(colon + 1), &item->gid);
        item->group = item->has_gid ? NULL : arena_strdup(arena, colon + 1);
        if (!item->has_gid && !rule_is_user_name(colon + 1))
            return "its group is neither a number nor a name";
    }
    if (text_is(uid, "-"))
        return NULL;
    item->has_uid = parse_id(uid, &item->uid);
    return item->has_uid ? NULL : "its id is no number and no path";
}

static const char *parse_user(struct arena *arena, const char *const *words, struct sysusers_item *item)
{
    const char *const paths[] = {words[4], words[5]};
    for (size_t i = 0; i < ARRAY_COUNT(paths); i++) {
        if (paths[i] && (paths[i][0] != '/' || !account_is_field(paths[i])))
            return "its home or shell is no path";
    }
    if (words[3] && !account_is_field(words[3]))
        return "its description has a colon or a control character";
    item->comment = words[3];
    item->home = words[4];
    item->shell = words[5];
    return words[2] ? parse_user_id(arena, words[2], item) : NULL;
}

static const char *parse_group(const char *id, struct sysusers_item *item)
{
    if (!id)
        return NULL;
    if (*id == '/') {
        item->id_path = id;
        return NULL;
    }
    item->has_gid = parse_id(text_of(id), &item->gid);
    return item->has_gid ? NULL : "its id is no number and no path";
}

static const char *parse_range(const char *range, struct sysusers_item *item)
{
    const char *dash = range ? strchr(range, '-') : NULL;
    struct text first = text_of(range ? range : "");
    if (dash)
        first.len = (size_t)(dash - range);
    bool is_good =
        parse_id(first, &item->uid) && parse_id(dash ? text_of(dash + 1) : first, &item->gid) && item->uid <= item->gid;
    return is_good ? NULL : "it is no range of numbers";
}

/* Splits a line into words with their specifiers expanded; "-" and empty words become NULL. */
static const char *split(struct arena *arena, struct text line, const char *words[WORDS_MAX])
{
    for (size_t i = 0; i < WORDS_MAX; i++) {
        const char *why = dropin_word(arena, &line, false, &words[i]);
        if (why)
            return why;
        if (!words[i] || (i > 0 && (!*words[i] || strcmp(words[i], "-") == 0))) {
            words[i] = NULL;
            continue;
        }
        words[i] = dropin_expand(arena, words[i]);
        if (!words[i])
            return "a specifier has no value in an image";
    }
    return text_trim(line).len ? "something stands behind the last field" : NULL;
}

static const char *parse_line(struct arena *arena, struct text line, struct sysusers_item *item)
{
    const char *words[WORDS_MAX] = {NULL};
    const char *why = split(arena, line, words);
    if (why)
        return why;
    bool is_user = strcmp(words[0], "u") == 0 || strcmp(words[0], "u!") == 0;
    bool is_plain = strlen(words[0]) == 1;
    if (is_plain && words[0][0] == 'r') {
        item->kind = SYSUSERS_RANGE;
        return words[1] ? "a range has no name" : parse_range(words[2], item);
    }
    item->name = words[1];
    if (!words[1] || !rule_is_user_name(words[1]))
        return "it has no valid name";
    if (is_user) {
        item->kind = SYSUSERS_USER;
        return parse_user(arena, words, item);
    }
    if (words[3] || words[4] || words[5])
        return "only users have a description, home and shell";
    if (is_plain && words[0][0] == 'g') {
        item->kind = SYSUSERS_GROUP;
        return parse_group(words[2], item);
    }
    if (!is_plain || words[0][0] != 'm')
        return "its type is none of u, g, m and r";
    item->kind = SYSUSERS_MEMBER;
    item->group = words[2];
    return words[2] && rule_is_user_name(words[2]) ? NULL : "its group has no valid name";
}

void sysusers_parse(struct arena *arena, const struct dropin_lines *lines, struct sysusers *ret_items,
                    struct strings *notes)
{
    *ret_items = (struct sysusers){0};
    for (size_t i = 0; i < lines->count; i++) {
        struct sysusers_item item = {.place = lines->items[i].place};
        const char *why = parse_line(arena, lines->items[i].text, &item);
        if (why)
            list_add(arena, notes, arena_printf(arena, "%s: %s; the line is passed over", item.place, why));
        else
            list_add(arena, ret_items, item);
    }
}
