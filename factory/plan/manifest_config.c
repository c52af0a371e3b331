/* SPDX-License-Identifier: Apache-2.0 */
#include "base/map.h"
#include "plan/manifest_parts.h"
#include "plan/rules.h"

/* Checks of `config` and `tags`. */

static bool fail_value(struct arena *arena, const struct yaml_node *node, const char *value, const char *why,
                       struct err *err)
{
    return yaml_fail(node, err, "'%s' %s", text_printable(arena, text_of(value)), why);
}

/* A command in one string looks as if a shell would split it; nothing does. */
static bool check_command(const struct yaml_node *config, const char *key, struct err *err)
{
    const struct yaml_node *node = yaml_get(config, key);
    if (!node)
        return true;
    if (node->kind == YAML_SCALAR && strpbrk(node->scalar, " \t\n"))
        return yaml_fail(node, err, "'%s' is one word for each item: write [\"/path\", \"argument\"]", key);
    bool is_empty = node->kind == YAML_SEQUENCE && !node->count;
    if (!is_empty && !yaml_item(node, 0)->scalar[0] && strcmp(key, "entrypoint") == 0)
        return yaml_fail(yaml_item(node, 0), err, "'entrypoint' must begin with a program");
    return true;
}

static bool check_ports(struct arena *arena, struct manifest_form *form, struct err *err)
{
    struct strings *ports = &form->manifest.config.ports;
    struct map seen = {.arena = arena};
    for (size_t i = 0; i < ports->count; i++) {
        const struct yaml_node *node = yaml_item(yaml_get(form->config, "ports"), i);
        const char *why = rule_port(arena, ports->items[i], &ports->items[i]);
        if (why)
            return fail_value(arena, node, ports->items[i], why, err);
        if (!map_add(&seen, text_of(ports->items[i]), ports))
            return fail_value(arena, node, ports->items[i], "comes twice", err);
    }
    return true;
}

static bool check_volumes(struct arena *arena, const struct manifest_form *form, struct err *err)
{
    const struct strings *volumes = &form->manifest.config.volumes;
    struct map seen = {.arena = arena};
    for (size_t i = 0; i < volumes->count; i++) {
        const struct yaml_node *node = yaml_item(yaml_get(form->config, "volumes"), i);
        const char *why = rule_path(volumes->items[i]);
        if (why)
            return fail_value(arena, node, volumes->items[i], why, err);
        if (!map_add(&seen, text_of(volumes->items[i]), (void *)node))
            return fail_value(arena, node, volumes->items[i], "comes twice", err);
    }
    return true;
}

bool manifest_check_env(struct arena *arena, const struct yaml_pairs *env, struct err *err)
{
    for (size_t i = 0; i < env->count; i++) {
        const struct yaml_pair *pair = &env->items[i];
        if (!pair->key[0] || strchr(pair->key, '=') || !rule_is_one_line(pair->key, false))
            return fail_value(arena, pair->node, pair->key, "cannot be a variable's name", err);
    }
    return true;
}

static bool fail_placeholder(struct arena *arena, const struct yaml_node *node, struct text found,
                             const char *const *known, size_t count, struct err *err)
{
    const char *name = text_printable(arena, found), *nearest = text_nearest(name, known, count);
    if (nearest)
        return yaml_fail(node, err, "unknown placeholder {%s}; did you mean {%s}?", name, nearest);
    struct strings all = {0};
    for (size_t i = 0; i < count; i++)
        list_add(arena, &all, known[i]);
    return yaml_fail(node, err, "unknown placeholder {%s}; known: %s", name, strings_join(arena, &all, ", "));
}

/* Refuses placeholders that do not exist and braces that stand alone. */
static bool check_template(struct arena *arena, const struct yaml_node *node, const char *value, struct err *err)
{
    size_t count;
    const char *const *known = rule_placeholders(&count);
    for (;;) {
        struct text found;
        enum rule_part part = rule_next_part(&value, &found);
        if (part == RULE_END)
            return true;
        if (part == RULE_BROKEN)
            return yaml_fail(node, err, "a brace that begins no {placeholder} is written twice: {{ or }}");
        size_t i = 0;
        while (part == RULE_PLACEHOLDER && i < count && !text_is(found, known[i]))
            i++;
        if (i == count)
            return fail_placeholder(arena, node, found, known, count, err);
    }
}

static bool check_labels(struct arena *arena, const char *kind, const struct yaml_pairs *pairs, struct err *err)
{
    for (size_t i = 0; i < pairs->count; i++) {
        const struct yaml_pair *pair = &pairs->items[i];
        if (!pair->key[0] || !rule_is_one_line(pair->key, false))
            return yaml_fail(pair->node, err, "'%s' has an empty or unprintable key", kind);
        if (!rule_is_annotation(pair->key))
            return fail_value(arena, pair->node, pair->key,
                              "is not in the image-spec, which reserves the prefix org.opencontainers.", err);
        if (!check_template(arena, pair->node, pair->value, err))
            return false;
    }
    return true;
}

static bool check_tags(struct arena *arena, const struct manifest_form *form, struct err *err)
{
    const struct strings *tags = &form->manifest.tags;
    const struct yaml_node *list = yaml_get(form->root, "tags");
    struct map seen = {.arena = arena};
    if (!tags->count)
        return yaml_fail(list, err, "'tags' must have at least one");
    for (size_t i = 0; list && i < tags->count; i++) {
        const struct yaml_node *node = yaml_item(list, i);
        const char *why = rule_tag(tags->items[i]);
        if (why)
            return fail_value(arena, node, tags->items[i], why, err);
        if (!check_template(arena, node, tags->items[i], err))
            return false;
        if (!map_add(&seen, text_of(tags->items[i]), (void *)node))
            return fail_value(arena, node, tags->items[i], "comes twice", err);
    }
    return true;
}

/* "user", "user:group", each a known name or a number. */
static bool check_run_user(struct arena *arena, const struct manifest_form *form, struct err *err)
{
    const char *run_user = form->manifest.config.user;
    if (!run_user)
        return true;
    const struct yaml_node *node = yaml_get(form->config, "user");
    const char *colon = strchr(run_user, ':');
    const char *user = arena_strndup(arena, run_user, colon ? (size_t)(colon - run_user) : strlen(run_user));
    if (!manifest_knows_user(&form->manifest, user))
        return fail_value(arena, node, user, "is not root, one of 'users', or a number", err);
    if (colon && !manifest_knows_group(&form->manifest, colon + 1))
        return fail_value(arena, node, colon + 1, "is not root, one of 'groups', or a number", err);
    return true;
}

static bool check_words(struct arena *arena, const struct manifest_form *form, struct err *err)
{
    const struct manifest_config *config = &form->manifest.config;
    const char *why = config->working_dir ? rule_path_or_root(config->working_dir) : NULL;
    if (why)
        return fail_value(arena, yaml_get(form->config, "working-dir"), config->working_dir, why, err);
    if (config->stop_signal && !rule_is_signal(config->stop_signal))
        return fail_value(arena, yaml_get(form->config, "stop-signal"), config->stop_signal,
                          "is not a signal, such as SIGTERM or 15", err);
    if (config->author && (!config->author[0] || !rule_is_one_line(config->author, false)))
        return yaml_fail(yaml_get(form->config, "author"), err, "'author' must be one line of text");
    return check_run_user(arena, form, err);
}

bool manifest_check_config(struct arena *arena, struct manifest_form *form, struct err *err)
{
    const struct manifest_config *config = &form->manifest.config;
    if (!check_tags(arena, form, err))
        return false;
    if (!form->config)
        return true;
    return check_command(form->config, "entrypoint", err) && check_command(form->config, "cmd", err) &&
           check_ports(arena, form, err) && check_volumes(arena, form, err) &&
           manifest_check_env(arena, &config->env, err) && check_labels(arena, "labels", &config->labels, err) &&
           check_labels(arena, "annotations", &config->annotations, err) && check_words(arena, form, err);
}
