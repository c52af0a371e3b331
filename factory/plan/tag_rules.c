/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/tag_rules.h"

#include "base/units.h"
#include "plan/site_values.h"

#define KEEP_MAX_COUNT 100000
#define KEEP_LEAST_SECONDS 3600 /* less is a mistake: a push may take minutes */

/* An entry while it is read. */
struct entry_form {
    struct tag_rule rule;
    const char *keep;
};

static const struct yaml_field fields[] = {
    YAML_FIELD(YAML_STRING, entry_form, "tag", rule.template, true, ALTERS_NOTHING),
    YAML_FIELD(YAML_STRING, entry_form, "keep", keep, false, ALTERS_NOTHING),
    YAML_FIELD(YAML_BOOL, entry_form, "immutable", rule.is_immutable, false, ALTERS_NOTHING),
};

const struct yaml_field *tag_rules_keys(size_t *ret_count)
{
    *ret_count = ARRAY_COUNT(fields);
    return fields;
}

bool tag_keep_parse(const char *word, struct tag_keep *ret_keep)
{
    uint64_t number;
    *ret_keep = (struct tag_keep){.kind = KEEP_ALWAYS};
    if (strcmp(word, "always") == 0)
        return true;
    if (text_parse_u64(text_of(word), &number)) {
        *ret_keep = (struct tag_keep){.kind = KEEP_NEWEST, .count = (size_t)number};
        return number >= 1 && number <= KEEP_MAX_COUNT;
    }
    if (!units_parse_duration(text_of(word), &number))
        return false;
    *ret_keep = (struct tag_keep){.kind = KEEP_FOR, .seconds = (int64_t)(number / 1000)};
    return ret_keep->seconds >= KEEP_LEAST_SECONDS;
}

const char *tag_keep_print(struct arena *arena, const struct tag_keep *keep)
{
    static const int64_t day = 24 * 60 * 60;
    switch (keep->kind) {
    case KEEP_ALWAYS:
        return "always";
    case KEEP_NEWEST:
        return arena_printf(arena, "%zu", keep->count);
    case KEEP_FOR:
        return keep->seconds % day == 0 ? arena_printf(arena, "%jdd", (intmax_t)(keep->seconds / day))
                                        : arena_printf(arena, "%jds", (intmax_t)keep->seconds);
    case KEEP_UNSAID:
        break;
    }
    return "";
}

bool tag_keep_read(struct arena *arena, const struct yaml_node *node, struct tag_keep *ret_keep, struct err *err)
{
    *ret_keep = (struct tag_keep){0};
    if (!node)
        return true;
    if (node->kind != YAML_SCALAR)
        return yaml_fail(node, err, "'keep' wants a single value, not %s", yaml_kind_name(node->kind));
    return tag_keep_parse(node->scalar, ret_keep) ||
           site_values_fail(arena, node, node->scalar,
                            "is not how long a digest is kept: always, a duration from 1h on (30d), or how many (10)",
                            err);
}

static bool read_entry(struct arena *arena, const struct yaml_node *node, struct tag_rule *ret_rule, struct err *err)
{
    struct entry_form form = {0};
    if (node->kind == YAML_MAPPING) {
        if (!yaml_read(arena, node, fields, ARRAY_COUNT(fields), &form, err) ||
            !tag_keep_read(arena, yaml_get(node, "keep"), &form.rule.keep, err))
            return false;
        if (form.rule.keep.kind != KEEP_UNSAID && strstr(form.rule.template, "{arch}"))
            return yaml_fail(yaml_get(node, "keep"), err,
                             "'keep' is for tags of whole images; one of a single platform ({arch}) has none");
        *ret_rule = form.rule;
        return true;
    }
    /* A template alone is read as any text is, with its messages. */
    static const struct yaml_field plain[] = {
        YAML_FIELD(YAML_STRING, entry_form, "tags", rule.template, true, ALTERS_NOTHING)};
    struct yaml_node key = {.kind = YAML_SCALAR, .file = node->file, .scalar = "tags"}, item = *node;
    struct yaml_node *keys[] = {&key}, *items[] = {&item};
    struct yaml_node mapping = {.kind = YAML_MAPPING, .file = node->file, .count = 1, .keys = keys, .items = items};
    if (!yaml_read(arena, &mapping, plain, ARRAY_COUNT(plain), &form, err))
        return false;
    *ret_rule = form.rule;
    return true;
}

bool tag_rules_read(struct arena *arena, const struct yaml_node *node, struct strings *ret_tags,
                    struct tag_rules *ret_rules, struct err *err)
{
    *ret_tags = (struct strings){0};
    *ret_rules = (struct tag_rules){0};
    if (node->kind == YAML_MAPPING)
        return yaml_fail(node, err, "'tags' wants a list, not a mapping");
    size_t count = node->kind == YAML_SEQUENCE ? node->count : 1;
    for (size_t i = 0; i < count; i++) {
        struct tag_rule rule = {0};
        if (!read_entry(arena, yaml_item(node, i), &rule, err))
            return false;
        list_add(arena, ret_tags, rule.template);
        list_add(arena, ret_rules, rule);
    }
    return true;
}

const struct tag_rule *tag_rules_find(const struct tag_rules *rules, const char *template)
{
    for (size_t i = 0; i < rules->count; i++) {
        if (strcmp(rules->items[i].template, template) == 0)
            return &rules->items[i];
    }
    return NULL;
}

bool tag_rule_is_dated(const struct tag_rule *rule)
{
    return rule->keep.kind != KEEP_UNSAID && strstr(rule->template, "{date}");
}
