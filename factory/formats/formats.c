/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/formats.h"

#include "deb/deb_format.h"
#include "rpmmd/rpm_format.h"

static const struct format *const formats[] = {
    &format_deb,
    &format_rpm,
};

const struct format *formats_at(size_t index)
{
    return index < ARRAY_COUNT(formats) ? formats[index] : NULL;
}

const struct format *formats_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_COUNT(formats); i++) {
        if (strcmp(formats[i]->name, name) == 0)
            return formats[i];
    }
    return NULL;
}

struct strings formats_names(struct arena *arena)
{
    struct strings names = {0};
    for (size_t i = 0; i < ARRAY_COUNT(formats); i++)
        list_add(arena, &names, formats[i]->name);
    return names;
}

struct arch_keys formats_arch_keys(struct arena *arena)
{
    struct arch_keys keys = {0};
    for (size_t i = 0; i < ARRAY_COUNT(formats); i++) {
        for (const struct arch_key *key = formats[i]->arch_keys; key->key; key++)
            list_add(arena, &keys, key);
    }
    return keys;
}
