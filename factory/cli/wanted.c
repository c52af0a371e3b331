/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/wanted.h"

#include "cli/places.h"
#include "formats/formats.h"

bool wanted_read(struct command *command, struct wanted *ret_wanted, struct err *err)
{
    struct arena *arena = &command->arena;
    const char *dir = command->options.arches, *list = command->options.arch;
    struct arch_keys keys = formats_arch_keys(arena);
    struct text rest = text_of(list ? list : "all"), name;
    *ret_wanted = (struct wanted){0};
    if ((!dir && !places_data_dir(arena, "arches", &dir, err)) ||
        !arches_load(arena, dir, &keys, &ret_wanted->arches, err))
        return false;
    if (text_is(rest, "all"))
        return true;
    ret_wanted->items = arena_new_array(arena, const struct arch *, rest.len + 1);
    while (text_next(&rest, ',', &name)) {
        const struct arch *arch;
        if (!arches_find(&ret_wanted->arches, text_dup(arena, text_trim(name)), &arch, err))
            return false;
        ret_wanted->items[ret_wanted->count++] = arch;
        platforms_add(arena, &ret_wanted->platforms, arch->oci_os, arch->oci_architecture, arch->oci_variant);
    }
    return true;
}

struct layout_wanted wanted_of_index(const struct wanted *wanted, bool is_sparse_fine)
{
    return (struct layout_wanted){.platforms = wanted->count ? &wanted->platforms : NULL,
                                  .is_sparse_fine = is_sparse_fine};
}

bool wanted_has(const struct wanted *wanted, const struct arch *arch)
{
    bool is_found = !wanted->count;
    for (size_t i = 0; i < wanted->count; i++)
        is_found = is_found || wanted->items[i] == arch;
    return is_found;
}
