/* SPDX-License-Identifier: Apache-2.0 */
/* What an architecture of a test is called in the formats. */
#ifndef ARCH_RENAME_H
#define ARCH_RENAME_H

#include "formats/formats.h"

/* Calls the architecture `name` under all keys of a format. */
static inline void arch_rename(struct arena *arena, struct arch *arch, const struct format *format, const char *name)
{
    struct arch_names others = {0};
    for (size_t i = 0; i < arch->names.count; i++) {
        bool is_its = false;
        for (const struct arch_key *key = format->arch_keys; key->key; key++)
            is_its = is_its || key == arch->names.items[i].key;
        if (!is_its)
            list_add(arena, &others, arch->names.items[i]);
    }
    for (const struct arch_key *key = format->arch_keys; key->key; key++)
        list_add(arena, &others, ((struct arch_named){key, name}));
    arch->names = others;
}

#endif
