/* SPDX-License-Identifier: Apache-2.0 */
#include "system/system_variables.h"

#include "base/map.h"

struct listing {
    struct arena *arena;
    struct map known;
    struct system_variables variables;
};

/* Adds those of one text; the first error is the one to tell. */
static void add(struct listing *listing, const char *file, struct text text, bool has_lines, struct err *err)
{
    const struct system_template source = {file, text, SYSTEM_TEMPLATE_PLAIN};
    struct system_template_uses uses = {0};
    struct err wrong = {0};
    if (!text.ptr)
        return;
    if (!system_template_uses(listing->arena, &source, &uses, &wrong) && !err->kind)
        *err = wrong;
    for (size_t i = 0; i < uses.count; i++) {
        const struct system_template_use *use = &uses.items[i];
        if (map_get(&listing->known, text_of(use->name)))
            continue;
        if (listing->variables.count == SYSTEM_USES_MAX) {
            if (!err->kind)
                err_set(err, ERR_MALFORMED, "%s: more than %d variables", file, SYSTEM_USES_MAX);
            return;
        }
        map_set(&listing->known, text_of(use->name), listing);
        list_add(listing->arena, &listing->variables,
                 ((struct system_variable){use->name, file, has_lines ? use->line : 0}));
    }
}

bool system_is_template(const struct system_manifest *manifest, const char *path, const char *renamed)
{
    return strings_has(&manifest->templates, path) || (renamed && strings_has(&manifest->templates, renamed));
}

bool system_variables_list(struct arena *arena, const struct system_exports *exports,
                           const struct system_manifest *manifest, struct system_variables *ret_variables,
                           struct err *err)
{
    static const enum system_file templates[] = {SYSTEM_CONFIG, SYSTEM_SERVICE, SYSTEM_TMPFILES};
    struct listing listing = {.arena = arena, .known = {.arena = arena}};
    for (size_t i = 0; i < ARRAY_COUNT(templates); i++)
        add(&listing, system_file_names[templates[i]], exports->files[templates[i]], true, err);
    for (size_t i = 0; i < manifest->renames.count; i++)
        add(&listing, system_file_names[SYSTEM_MANIFEST], text_of(manifest->renames.items[i].value), false, err);
    for (size_t i = 0; manifest->templates.count && i < exports->hostfs_count; i++) {
        const struct entry *entry = exports->hostfs[i];
        bool is_small = entry->kind == ENTRY_FILE && entry->size_bytes <= SYSTEM_EXPORT_MAX_BYTES;
        if (is_small && system_is_template(manifest, entry->path, system_values_get(&manifest->renames, entry->path)))
            add(&listing, arena_printf(arena, "%s%s", SYSTEM_HOSTFS, entry->path),
                (struct text){entry->data, (size_t)entry->size_bytes}, true, err);
    }
    *ret_variables = listing.variables;
    return err->kind == ERR_NONE;
}
