/* SPDX-License-Identifier: Apache-2.0 */
#include "change/change_values.h"

#include "base/auto.h"
#include "oci/document_json.h"

#include <jansson.h>
#include <stdlib.h>

#define DEPTH_FLAGS (JSON_COMPACT | JSON_ENSURE_ASCII | JSON_ENCODE_ANY | JSON_SORT_KEYS)

/* What is compared as a whole, and what by its items. */
static const char *const wholes[] = {"entrypoint", "cmd", "user", "workdir", "stop_signal", "author"};
static const char *const sets[] = {"env", "ports", "volumes", "labels"};

/* A value under work. */
struct comparing {
    struct arena *arena;
    struct change *change;
};

static const char *dump(struct arena *arena, const json_t *value)
{
    AUTO(auto_free) char *text = value ? json_dumps(value, DEPTH_FLAGS) : NULL;
    return text ? arena_strdup(arena, text) : NULL;
}

static void add(const struct comparing *comparing, const char *key, const char *name, const json_t *before,
                const json_t *after)
{
    if (json_is_null(before))
        before = NULL;
    if (json_is_null(after))
        after = NULL;
    if ((!before && !after) || (before && after && json_equal(before, after)))
        return;
    struct arena *arena = comparing->arena;
    struct value_change value = {.key = arena_strdup(arena, key),
                                 .name = name ? arena_strdup(arena, name) : NULL,
                                 .before = dump(arena, before),
                                 .after = dump(arena, after)};
    list_add(arena, &comparing->change->values, value);
}

/* Makes of a list of "NAME=VALUE", of a list of names, or of an object one object by name. */
static json_t *by_name(const json_t *from)
{
    json_t *object = json_object(), *value;
    const char *key;
    size_t i;
    json_object_foreach((json_t *)from, key, value)(void) json_object_set(object, key, value);
    json_array_foreach((json_t *)from, i, value)
    {
        const char *item = json_string_value(value), *equals = strchr(item, '=');
        AUTO(auto_free) char *name = equals ? strndup(item, (size_t)(equals - item)) : strdup(item);
        if (!name)
            memory_abort(strlen(item));
        (void)json_object_set_new(object, name, equals ? json_string(equals + 1) : json_true());
    }
    return object;
}

static int compare_names(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static void compare_set(const struct comparing *comparing, const char *key, const json_t *before, const json_t *after)
{
    AUTO(arena_done) struct arena scratch = {0};
    json_auto_t *old = by_name(before), *new = by_name(after);
    struct strings names = {0};
    const char *name;
    json_t *value;
    json_object_foreach(old, name, value) list_add(&scratch, &names, name);
    json_object_foreach(new, name, value)
    {
        if (!json_object_get(old, name))
            list_add(&scratch, &names, name);
    }
    if (names.count)
        qsort(names.items, names.count, sizeof *names.items, compare_names);
    for (size_t i = 0; i < names.count; i++)
        add(comparing, key, names.items[i], json_object_get(old, names.items[i]), json_object_get(new, names.items[i]));
}

static void compare_config(const struct comparing *comparing, struct text before, struct text after)
{
    json_auto_t *old = json_object(), *new = json_object();
    document_config(old, before);
    document_config(new, after);
    for (size_t i = 0; i < ARRAY_COUNT(wholes); i++)
        add(comparing, wholes[i], NULL, json_object_get(old, wholes[i]), json_object_get(new, wholes[i]));
    for (size_t i = 0; i < ARRAY_COUNT(sets); i++)
        compare_set(comparing, sets[i], json_object_get(old, sets[i]), json_object_get(new, sets[i]));
}

/* What a bill says beside the lists: a JSON object, of which the caller takes what he compares. */
static json_t *head_of(const struct bill *bill)
{
    AUTO(buf_done) struct buf text;
    buf_init(&text, BILL_MAX_BYTES);
    return bill_write_head(bill, &text) ? document_object(buf_text(&text)) : json_object();
}

/* How it is run, key by key; a contract that only one has is one value. */
static void compare_run(const struct comparing *comparing, const json_t *before, const json_t *after)
{
    const char *key;
    json_t *value;
    if (!json_is_object(before) || !json_is_object(after)) {
        add(comparing, "run", NULL, before, after);
        return;
    }
    json_object_foreach((json_t *)before, key, value) add(comparing, "run", key, value, json_object_get(after, key));
}

static void compare_bills(const struct comparing *comparing, const struct bill *before, const struct bill *after)
{
    json_auto_t *old = head_of(before), *new = head_of(after);
    compare_run(comparing, json_object_get(old, "run"), json_object_get(new, "run"));
    const json_t *base = json_object_get(old, "base"), *new_base = json_object_get(new, "base");
    add(comparing, "base", NULL, json_object_get(base, "name"), json_object_get(new_base, "name"));
    add(comparing, "base", "digest", json_object_get(base, "digest"), json_object_get(new_base, "digest"));
}

void change_values(struct arena *arena, const struct change_side *before, const struct change_side *after,
                   struct change *change)
{
    struct comparing comparing = {arena, change};
    if (before->config.len && after->config.len)
        compare_config(&comparing, before->config, after->config);
    if (before->bill && after->bill && !before->is_read && !after->is_read)
        compare_bills(&comparing, before->bill, after->bill);
}
