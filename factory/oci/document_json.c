/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/document_json.h"

#include "base/auto.h"

/* A member of an image's config (image-spec config.md) and its name here. */
struct member {
    const char *name, *from;
};

static const struct member whole_members[] = {{"created", "created"}, {"author", "author"}};
static const struct member string_members[] = {
    {"user", "User"}, {"workdir", "WorkingDir"}, {"stop_signal", "StopSignal"}};
static const struct member list_members[] = {{"entrypoint", "Entrypoint"}, {"cmd", "Cmd"}, {"env", "Env"}};
static const struct member set_members[] = {{"ports", "ExposedPorts"}, {"volumes", "Volumes"}};

json_t *document_object(struct text bytes)
{
    json_t *json = bytes.len ? json_loadb(bytes.ptr, bytes.len, JSON_REJECT_DUPLICATES, NULL) : NULL;
    if (json_is_object(json))
        return json;
    json_decref(json);
    return json_object();
}

json_t *document_strings(const json_t *from)
{
    json_t *copy = json_is_array(from) ? json_array() : json_object(), *value;
    const char *key;
    size_t i;
    json_array_foreach((json_t *)from, i, value)
    {
        if (json_is_string(value))
            (void)json_array_append(copy, value);
    }
    json_object_foreach((json_t *)from, key, value)
    {
        if (json_is_string(value))
            (void)json_object_set(copy, key, value);
    }
    if (json_array_size(copy) + json_object_size(copy))
        return copy;
    json_decref(copy);
    return NULL;
}

/* Lists the keys of an object that stands for a set; NULL when there are none. */
static json_t *copy_set(const json_t *from)
{
    json_t *keys = json_object_size(from) ? json_array() : NULL, *value;
    const char *key;
    json_object_foreach((json_t *)from, key, value)(void) json_array_append_new(keys, json_string(key));
    return keys;
}

void document_set(json_t *object, const char *name, json_t *value)
{
    if (value)
        (void)json_object_set_new(object, name, value);
}

json_t *document_string(const json_t *from)
{
    return json_string_length(from) ? json_string(json_string_value(from)) : NULL;
}

void document_config(json_t *object, struct text bytes)
{
    json_auto_t *whole = document_object(bytes);
    const json_t *config = json_object_get(whole, "config");
    for (size_t i = 0; i < ARRAY_COUNT(whole_members); i++)
        document_set(object, whole_members[i].name, document_string(json_object_get(whole, whole_members[i].from)));
    for (size_t i = 0; i < ARRAY_COUNT(list_members); i++)
        document_set(object, list_members[i].name, document_strings(json_object_get(config, list_members[i].from)));
    for (size_t i = 0; i < ARRAY_COUNT(string_members); i++)
        document_set(object, string_members[i].name, document_string(json_object_get(config, string_members[i].from)));
    for (size_t i = 0; i < ARRAY_COUNT(set_members); i++)
        document_set(object, set_members[i].name, copy_set(json_object_get(config, set_members[i].from)));
    document_set(object, "labels", document_strings(json_object_get(config, "Labels")));
}
