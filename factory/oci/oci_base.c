/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/oci_base.h"

#include "oci/config_read.h"

#include <strings.h>

struct digest base_layers_key(const struct base_layers *layers, const char *purpose)
{
    struct digest_stream stream;
    digest_begin(&stream);
    digest_feed(&stream, purpose, strlen(purpose) + 1);
    for (size_t i = 0; i < layers->count; i++) {
        digest_feed(&stream, layers->items[i].blob.digest.bytes, DIGEST_BYTES);
        digest_feed(&stream, layers->items[i].diff_id.bytes, DIGEST_BYTES);
    }
    return digest_end(&stream);
}

static struct strings without_doubles(struct arena *arena, const struct strings *first, const struct strings *then)
{
    const struct strings *lists[] = {first, then};
    struct strings all = {0};
    for (size_t k = 0; k < ARRAY_COUNT(lists); k++) {
        for (size_t i = 0; i < lists[k]->count; i++) {
            if (!strings_has(&all, lists[k]->items[i]))
                list_add(arena, &all, lists[k]->items[i]);
        }
    }
    return all;
}

static void put_variable(struct arena *arena, struct yaml_pairs *env, const char *name, const char *value)
{
    struct yaml_pair pair = {.key = name, .value = value};
    for (size_t i = 0; i < env->count; i++) {
        if (strcmp(env->items[i].key, name) == 0) {
            env->items[i].value = value;
            return;
        }
    }
    list_add(arena, env, pair);
}

/* The base's variables in its order, ours in their place or behind them. */
static struct yaml_pairs merge_env(struct arena *arena, const struct strings *inherited, const struct yaml_pairs *given)
{
    struct yaml_pairs env = {0};
    for (size_t i = 0; i < inherited->count; i++) {
        const char *line = inherited->items[i], *sign = strchr(line, '=');
        if (sign)
            put_variable(arena, &env, arena_strndup(arena, line, (size_t)(sign - line)), sign + 1);
    }
    for (size_t i = 0; i < given->count; i++)
        put_variable(arena, &env, given->items[i].key, given->items[i].value);
    return env;
}

static const char *first_of(const struct strings *words)
{
    return words->count ? words->items[0] : NULL;
}

struct manifest_config oci_base_inherit(struct arena *arena, const struct oci_base *base,
                                        const struct manifest_config *given)
{
    struct manifest_config config = *given;
    struct config_facts facts;
    config_read(arena, base->config, &facts);
    const struct launch *launch = &facts.launch;
    if (!given->entrypoint.count) {
        config.entrypoint = launch->entrypoint.words;
        if (!given->cmd.count)
            config.cmd = launch->cmd.words;
    }
    config.user = given->user ? given->user : first_of(&launch->user.words);
    config.working_dir = given->working_dir ? given->working_dir : first_of(&launch->working_dir.words);
    config.stop_signal = given->stop_signal ? given->stop_signal : first_of(&facts.stop_signal);
    config.volumes = without_doubles(arena, &launch->volumes.words, &given->volumes);
    config.ports = without_doubles(arena, &facts.ports, &given->ports);
    config.env = merge_env(arena, &launch->env.words, &given->env);
    return config;
}

static json_t *parse(const struct oci_base *base)
{
    return json_loadb(base->config.len ? base->config.ptr : "", base->config.len, JSON_REJECT_DUPLICATES, NULL);
}

json_t *oci_base_process(const struct oci_base *base)
{
    /* What oci_base_inherit() gives, however the base spells it, and what is for builders. */
    static const char *const ours[] = {"User",    "ExposedPorts", "Env",        "Entrypoint", "Cmd",
                                       "Volumes", "WorkingDir",   "StopSignal", "OnBuild"};
    json_auto_t *config = parse(base);
    json_t *copy = json_object(), *value;
    const char *key;
    json_object_foreach(json_object_get(config, "config"), key, value)
    {
        bool is_ours = false;
        for (size_t i = 0; i < ARRAY_COUNT(ours); i++)
            is_ours = is_ours || strcasecmp(key, ours[i]) == 0;
        if (!is_ours)
            (void)json_object_set_new(copy, strcasecmp(key, "Labels") == 0 ? "Labels" : key, json_deep_copy(value));
    }
    return copy;
}

/* Returns how many layers a history tells of; SIZE_MAX when it is none that all registries take (null is refused by quay). */
static size_t count_layers(const json_t *history)
{
    size_t count = 0, i;
    const json_t *entry;
    json_array_foreach((json_t *)history, i, entry)
    {
        if (!json_is_object(entry))
            return SIZE_MAX;
        count += !json_is_true(json_object_get(entry, "empty_layer"));
    }
    return json_is_array(history) ? count : SIZE_MAX;
}

json_t *oci_base_history(const struct oci_base *base)
{
    json_auto_t *config = parse(base);
    const json_t *history = json_object_get(config, "history");
    if (count_layers(history) == base->layers.count)
        return json_deep_copy(history);
    json_t *made = json_array();
    for (size_t i = 0; i < base->layers.count; i++)
        (void)json_array_append_new(made, json_pack("{s:s}", "created_by", base->name ? base->name : "the base"));
    return made;
}

const char *oci_base_name_of(struct arena *arena, struct text document)
{
    json_auto_t *json = json_loadb(document.len ? document.ptr : "", document.len, JSON_REJECT_DUPLICATES, NULL);
    return arena_strdup(arena, json_string_value(json_object_get(json_object_get(json, "annotations"),
                                                                 "org.opencontainers.image.base.name")));
}
