/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/site_values.h"

#include "plan/rules.h"
#include "plan/together.h"

bool site_values_fail(struct arena *arena, const struct yaml_node *node, const char *value, const char *why,
                      struct err *err)
{
    return yaml_fail(node, err, "'%s' %s", text_printable(arena, text_of(value)), why);
}

/* Tells why a tag's template cannot be used, or NULL. */
static const char *why_not_tag(struct arena *arena, const char *tag)
{
    size_t count;
    struct text found;
    const char *const *known = rule_placeholders(&count), *why = rule_tag(tag);
    for (enum rule_part part; !why && (part = rule_next_part(&tag, &found)) != RULE_END;) {
        size_t i = 0;
        while (part == RULE_PLACEHOLDER && i < count && !text_is(found, known[i]))
            i++;
        if (part == RULE_BROKEN)
            why = "has a brace that begins no {placeholder}";
        else if (i == count)
            why = arena_printf(arena, "has an unknown placeholder {%s}", text_printable(arena, found));
    }
    return why;
}

bool site_values_check_tags(struct arena *arena, const struct yaml_node *node, const struct strings *tags,
                            struct err *err)
{
    if (node && !tags->count)
        return yaml_fail(node, err, "'tags' must have at least one");
    for (size_t i = 0; i < tags->count; i++) {
        const char *tag = tags->items[i], *why = why_not_tag(arena, tag);
        struct strings former = {tags->items, i, i};
        if (!why && strings_has(&former, tag))
            why = "comes twice";
        if (why)
            return site_values_fail(arena, yaml_item(node, i), tag, why, err);
    }
    return true;
}

bool site_values_check_filled(const struct yaml_node *mapping, const char *key, struct err *err)
{
    const struct yaml_node *node = yaml_get(mapping, key);
    bool is_empty = node && node->kind == YAML_SEQUENCE && !node->count;
    for (size_t i = 0; node && !is_empty && (i == 0 || i < node->count); i++)
        is_empty = !yaml_item(node, i)->scalar[0];
    return !is_empty || yaml_fail(node, err, "'%s' must not be empty", key);
}

const char *site_values_beside(struct arena *arena, const char *file, const char *path)
{
    const char *slash = strrchr(file, '/');
    return path[0] == '/' || !slash ? path : arena_printf(arena, "%.*s%s", (int)(slash + 1 - file), file, path);
}

bool site_values_check_together(struct arena *arena, const struct yaml_node *mapping, const char *parity,
                                const char *on_missing, struct err *err)
{
    const char *why = parity ? together_why_not_parity(parity) : NULL;
    if (why)
        return site_values_fail(arena, yaml_get(mapping, "parity"), parity, why, err);
    why = on_missing ? together_why_not_missing(on_missing) : NULL;
    return !why || site_values_fail(arena, yaml_get(mapping, "on-missing"), on_missing, why, err);
}
