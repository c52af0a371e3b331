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
