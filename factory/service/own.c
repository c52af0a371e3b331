/* SPDX-License-Identifier: Apache-2.0 */
#include "service/own.h"

/* The package that ships a path; NULL when none of the set does. */
static const struct package *package_of(struct arena *arena, const struct fileset *set, const char *path)
{
    const struct sourced *file = fileset_walk(set, arena, path, NULL, NULL);
    return file ? file->package : NULL;
}

static void add_source(struct arena *arena, struct strings *sources, const char *source)
{
    if (source && !strings_has(sources, source))
        list_add(arena, sources, source);
}

const char *own_source(const struct automatic_request *request, const char *package)
{
    const struct selected *selected = selection_find(request->selection, package);
    return selected ? selected->source_package : NULL;
}

void own_find(struct arena *arena, const struct automatic_request *request, struct own *ret_own)
{
    const struct manifest *manifest = request->manifest;
    const struct selection *selection = request->selection;
    struct strings sources = {0};
    *ret_own = (struct own){0};
    for (size_t i = 0; i < manifest->binaries.count; i++) {
        const struct package *package = package_of(arena, request->set, manifest->binaries.items[i]);
        if (i == 0)
            ret_own->main = package;
        if (package)
            add_source(arena, &sources, own_source(request, package->name));
    }
    for (size_t i = 0; i < manifest->wishes.packages.count; i++)
        add_source(arena, &sources, own_source(request, manifest->wishes.packages.items[i].name));
    for (size_t i = 0; i < selection->count; i++) {
        const char *source = selection->items[i].source_package;
        if (!request->packages[i] || !source || !strings_has(&sources, source))
            continue;
        list_add(arena, &ret_own->packages, request->packages[i]);
        list_add(arena, &ret_own->names, request->packages[i]->name);
    }
}

bool own_has(const struct own *own, const struct package *package)
{
    return package && strings_has(&own->names, package->name);
}
