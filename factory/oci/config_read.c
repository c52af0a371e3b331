/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/config_read.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <strings.h>

/* What Go's type of a value takes. */
enum value_kind { VALUE_STRING, VALUE_STRINGS, VALUE_SET, VALUE_PAIRS, VALUE_BOOL, VALUE_TIME, VALUE_OBJECT };

static const char *const kind_names[] = {[VALUE_STRING] = "a string",
                                         [VALUE_STRINGS] = "a list of strings",
                                         [VALUE_SET] = "an object of empty objects",
                                         [VALUE_PAIRS] = "an object of strings",
                                         [VALUE_BOOL] = "true or false",
                                         [VALUE_TIME] = "a time such as 2024-01-31T12:00:00Z",
                                         [VALUE_OBJECT] = "an object"};

/* A key; `offset` is that of the struct strings in struct config_facts that its strings go to, or NOWHERE. */
struct key {
    const char *name;
    enum value_kind kind;
    size_t offset;
};

#define NOWHERE SIZE_MAX

static const struct key process_keys[] = {
    {"Entrypoint", VALUE_STRINGS, offsetof(struct config_facts, launch.entrypoint.words)},
    {"Cmd", VALUE_STRINGS, offsetof(struct config_facts, launch.cmd.words)},
    {"Env", VALUE_STRINGS, offsetof(struct config_facts, launch.env.words)},
    {"User", VALUE_STRING, offsetof(struct config_facts, launch.user.words)},
    {"WorkingDir", VALUE_STRING, offsetof(struct config_facts, launch.working_dir.words)},
    {"Volumes", VALUE_SET, offsetof(struct config_facts, launch.volumes.words)},
    {"ExposedPorts", VALUE_SET, offsetof(struct config_facts, ports)},
    {"Labels", VALUE_PAIRS, NOWHERE},
    {"StopSignal", VALUE_STRING, offsetof(struct config_facts, stop_signal)},
    {"ArgsEscaped", VALUE_BOOL, NOWHERE},
};

static const struct key image_keys[] = {{"created", VALUE_TIME, NOWHERE},        {"author", VALUE_STRING, NOWHERE},
                                        {"architecture", VALUE_STRING, NOWHERE}, {"os", VALUE_STRING, NOWHERE},
                                        {"variant", VALUE_STRING, NOWHERE},      {"config", VALUE_OBJECT, NOWHERE},
                                        {"rootfs", VALUE_OBJECT, NOWHERE}};

/* Finds a member as Go does: the name as it is, else without case. */
static const json_t *find(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    const char *key;
    json_t *other;
    if (value)
        return value;
    json_object_foreach((json_t *)object, key, other)
    {
        if (strcasecmp(key, name) == 0)
            return other;
    }
    return NULL;
}

static bool are_all(const json_t *value, bool (*is_it)(const json_t *value))
{
    const char *key;
    json_t *item;
    size_t i;
    json_array_foreach(value, i, item)
    {
        if (!is_it(item))
            return false;
    }
    json_object_foreach((json_t *)value, key, item)
    {
        if (!is_it(item))
            return false;
    }
    return true;
}

static bool is_string(const json_t *value)
{
    return json_is_string(value) || json_is_null(value);
}

static bool is_object(const json_t *value)
{
    return json_is_object(value) || json_is_null(value);
}

/* RFC 3339: digits where the pattern has a 0, then a fraction and a zone. */
static bool is_time(const char *time)
{
    static const char pattern[] = "0000-00-00T00:00:00";
    size_t i = 0;
    for (; pattern[i]; i++) {
        bool is_digit = time[i] >= '0' && time[i] <= '9';
        if (pattern[i] == '0' ? !is_digit : time[i] != pattern[i])
            return false;
    }
    if (time[i] == '.')
        i += 1 + strspn(time + i + 1, "0123456789");
    return strcmp(time + i, "Z") == 0 || ((time[i] == '+' || time[i] == '-') && strlen(time + i) == 6);
}

static bool is_of_kind(const json_t *value, enum value_kind kind)
{
    switch (kind) {
    case VALUE_STRING:
        return json_is_string(value);
    case VALUE_STRINGS:
        return json_is_array(value) && are_all(value, is_string);
    case VALUE_SET:
        return json_is_object(value) && are_all(value, is_object);
    case VALUE_PAIRS:
        return json_is_object(value) && are_all(value, is_string);
    case VALUE_BOOL:
        return json_is_boolean(value);
    case VALUE_TIME:
        return json_is_string(value) && is_time(json_string_value(value));
    case VALUE_OBJECT:
        return json_is_object(value);
    }
    return false;
}

/* Copies the strings of a list, the keys of a set, or the one string unless it is empty. */
static void take_words(struct arena *arena, const json_t *value, struct strings *words)
{
    const char *key;
    json_t *item;
    size_t i;
    if (json_string_length(value))
        list_add(arena, words, arena_strdup(arena, json_string_value(value)));
    json_array_foreach(value, i, item)
        list_add(arena, words, arena_strdup(arena, json_is_string(item) ? json_string_value(item) : ""));
    json_object_foreach((json_t *)value, key, item) list_add(arena, words, arena_strdup(arena, key));
}

static void read_keys(struct arena *arena, const json_t *object, const struct key *keys, size_t count,
                      struct config_facts *facts)
{
    for (size_t i = 0; i < count; i++) {
        const json_t *value = find(object, keys[i].name);
        if (!value || json_is_null(value))
            continue;
        if (!is_of_kind(value, keys[i].kind))
            list_add(arena, &facts->faults,
                     arena_printf(arena, "the configuration's %s is not %s: engines cannot read it", keys[i].name,
                                  kind_names[keys[i].kind]));
        else if (keys[i].offset != NOWHERE)
            take_words(arena, value, (struct strings *)((char *)facts + keys[i].offset));
    }
}

static void read_rootfs(struct arena *arena, const json_t *rootfs, struct config_facts *facts)
{
    const json_t *diff_ids = find(rootfs, "diff_ids");
    if (diff_ids && !json_is_null(diff_ids) && !is_of_kind(diff_ids, VALUE_STRINGS))
        list_add(arena, &facts->faults, "the configuration's rootfs.diff_ids is not a list of digests");
    else if (diff_ids)
        take_words(arena, diff_ids, &facts->diff_ids);
}

void config_read(struct arena *arena, struct text bytes, struct config_facts *ret_facts)
{
    *ret_facts = (struct config_facts){0};
    json_auto_t *image = json_loadb(bytes.len ? bytes.ptr : "", bytes.len, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(image)) {
        list_add(arena, &ret_facts->faults, "the configuration is not a JSON object");
        return;
    }
    read_keys(arena, image, image_keys, ARRAY_COUNT(image_keys), ret_facts);
    read_keys(arena, find(image, "config"), process_keys, ARRAY_COUNT(process_keys), ret_facts);
    read_rootfs(arena, find(image, "rootfs"), ret_facts);
    ret_facts->os = arena_strdup(arena, json_string_value(find(image, "os")));
}
