/* SPDX-License-Identifier: Apache-2.0 */
#include "line/base_rules.h"

#include "sign/policy.h"

bool base_rules_add(struct base_rules *rules, struct arena *arena, const char *base, struct err *err)
{
    const char *policy = policy_standard(arena);
    struct base_rule rule = {.base = arena_strdup(arena, base)};
    for (size_t i = 0; i < rules->items.count; i++) {
        if (strcmp(rules->items.items[i].base, base) == 0)
            return true;
    }
    if (!policy)
        return true;
    bool is_read = reference_parse(arena, base, true, &rule.reference, err) &&
                   policy_read(&rule.rules, arena, policy, &rule.reference, err);
    if (is_read && rules_ask(&rule.rules))
        list_add(arena, &rules->items, rule);
    else
        rules_close(&rule.rules);
    if (!is_read)
        err_wrap(err, "base %s (--no-policy goes without)", base);
    return is_read;
}

const struct base_rule *base_rules_find(const struct base_rules *rules, const char *base)
{
    for (size_t i = 0; rules && i < rules->items.count; i++) {
        if (strcmp(rules->items.items[i].base, base) == 0)
            return &rules->items.items[i];
    }
    return NULL;
}

void base_rules_close(struct base_rules *rules)
{
    for (size_t i = 0; i < rules->items.count; i++)
        rules_close(&rules->items.items[i].rules);
}
