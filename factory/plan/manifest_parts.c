/* SPDX-License-Identifier: Apache-2.0 */
/* What several steps of loading a manifest ask of it. */
#include "plan/manifest_parts.h"

#include "plan/rules.h"

bool manifest_knows_user(const struct manifest *manifest, const char *name)
{
    uint32_t id;
    for (size_t i = 0; i < manifest->wishes.users.count; i++) {
        if (strcmp(manifest->wishes.users.items[i].name, name) == 0)
            return true;
    }
    return strcmp(name, "root") == 0 || rule_parse_id(name, &id) || (manifest->has_recipes && rule_is_user_name(name));
}

bool manifest_knows_group(const struct manifest *manifest, const char *name)
{
    uint32_t id;
    for (size_t i = 0; i < manifest->wishes.groups.count; i++) {
        if (strcmp(manifest->wishes.groups.items[i].name, name) == 0)
            return true;
    }
    return strcmp(name, "root") == 0 || rule_parse_id(name, &id) || (manifest->has_recipes && rule_is_user_name(name));
}

bool manifest_read_covers(struct arena *arena, const struct yaml_node *root, const struct strings *covers,
                          bool *ret_covers, struct err *err)
{
    for (size_t i = 0; i < covers->count; i++) {
        enum effect effect;
        if (effect_parse(covers->items[i], &effect)) {
            ret_covers[effect] = true;
            continue;
        }
        struct strings known = {0};
        for (size_t j = 0; j < EFFECT_COUNT; j++)
            list_add(arena, &known, effect_name((enum effect)j));
        return yaml_fail(yaml_item(yaml_get(root, "covers"), i), err, "'%s' is none of %s",
                         text_printable(arena, text_of(covers->items[i])), strings_join(arena, &known, ", "));
    }
    return true;
}

bool manifest_is_glob(const char *binary)
{
    return strpbrk(binary, "*?") != NULL;
}
