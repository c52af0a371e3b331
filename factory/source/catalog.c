/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of catalog.h and solve.h, by the kind of the source. */
#include "source/catalog.h"

#include "base/auto.h"
#include "source/solve.h"

#define HINTS_MAX 5

bool catalog_prepare(struct catalog *catalog, struct err *err)
{
    return catalog->kind->prepare(catalog, err);
}

bool catalog_owners(struct catalog *catalog, struct arena *arena, const char *path, struct strings *ret_names,
                    const char **ret_hint, struct err *err)
{
    return catalog->kind->owners(catalog, arena, path, ret_names, ret_hint, err);
}

bool catalog_has(const struct catalog *catalog, const char *name, bool is_virtual_fine)
{
    return catalog->kind->has(catalog, name, is_virtual_fine);
}

bool catalog_siblings(struct catalog *catalog, struct arena *arena, const char *package, struct siblings *ret_siblings,
                      struct err *err)
{
    return catalog->kind->siblings(catalog, arena, package, ret_siblings, err);
}

bool catalog_locate(struct catalog *catalog, struct arena *arena, const char *base, enum located_kind kind,
                    struct locations *ret_locations, struct err *err)
{
    return catalog->kind->locate(catalog, arena, base, kind, ret_locations, err);
}

bool catalog_scan(struct catalog *catalog, const struct catalog_scan *scan, struct err *err)
{
    return catalog->kind->scan(catalog, scan, err);
}

bool catalog_paths_ready(struct catalog *catalog, uint64_t worth_bytes, bool *ret_are_ready, struct err *err)
{
    *ret_are_ready = false;
    return !catalog->kind->paths_ready || catalog->kind->paths_ready(catalog, worth_bytes, ret_are_ready, err);
}

bool catalog_tells(const struct catalog *catalog, const struct selected *selected)
{
    return catalog->kind->tells(catalog, selected);
}

void catalog_shippers(const struct catalog *catalog, struct arena *arena, const char *sought, struct strings *names)
{
    catalog->kind->shippers(catalog, arena, sought, names);
}

void catalog_names(const struct catalog *catalog, catalog_take_name *take, void *taker)
{
    if (catalog->kind->names)
        catalog->kind->names(catalog, take, taker);
}

bool catalog_lists(const struct catalog *catalog, const struct pin_package *package)
{
    return catalog->kind->lists && catalog->kind->lists(catalog, package);
}

/* Names that can be near: of tens of thousands the distance of some hundred is enough. */
struct nearing {
    struct arena arena;
    struct text wanted;
    struct strings names;
};

static void take_near(void *taker, struct text name)
{
    struct nearing *nearing = taker;
    size_t longer = name.len > nearing->wanted.len ? name.len : nearing->wanted.len;
    size_t shorter = name.len + nearing->wanted.len - longer;
    if (shorter && (longer - shorter) * 3 <= longer && name.ptr[0] == nearing->wanted.ptr[0])
        list_add(&nearing->arena, &nearing->names, text_dup(&nearing->arena, name));
}

static void auto_end_nearing(struct nearing *nearing)
{
    arena_done(&nearing->arena);
}

const char *catalog_nearest(const struct catalog *catalog, struct arena *arena, const char *name)
{
    AUTO(auto_end_nearing) struct nearing nearing = {.wanted = text_of(name)};
    catalog_names(catalog, take_near, &nearing);
    const char *nearest = text_nearest(name, nearing.names.items, nearing.names.count);
    return nearest ? arena_strdup(arena, nearest) : NULL;
}

bool catalog_accept(struct catalog *catalog, struct err *err)
{
    return !catalog->kind->accept || catalog->kind->accept(catalog, err);
}

bool catalog_mark_security(struct catalog *catalog, struct catalog_update *updates, size_t count, struct err *err)
{
    return !catalog->kind->mark_security || catalog->kind->mark_security(catalog, updates, count, err);
}

bool catalog_describe(const struct catalog *catalog, struct arena *arena, const char *package,
                      struct catalog_package *ret_package, bool *ret_found, struct err *err)
{
    return catalog->kind->describe(catalog, arena, package, ret_package, ret_found, err);
}

/* Adds to an error which other versions there would be a solution with. */
static void add_hint(const struct catalog *catalog, const struct solve_request *request, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct solve_request other = *request;
    struct selection selection;
    struct strings hints = {0};
    struct err ignored = {0}, first = *err;
    other.is_older_fine = true;
    if (!catalog->kind->solve(&scratch, catalog, &other, &selection, &ignored))
        return;
    for (size_t i = 0; i < selection.count && hints.count < HINTS_MAX; i++) {
        const struct selected *selected = &selection.items[i];
        if (selected->candidate_version)
            list_add(&scratch, &hints,
                     arena_printf(&scratch, "%s %s instead of %s", selected->name, selected->version,
                                  selected->candidate_version));
    }
    if (!hints.count)
        return;
    err_clear(err);
    err_set(err, first.kind,
            "%s\n  the candidate, the version to install, is held back; with --allow-older (packages: older: true) it "
            "would be %s",
            first.text, strings_join(&scratch, &hints, ", "));
}

const struct selected *selection_find(const struct selection *selection, const char *name)
{
    for (size_t i = 0; i < selection->count; i++) {
        if (strcmp(selection->items[i].name, name) == 0)
            return &selection->items[i];
    }
    return NULL;
}

bool selected_is_for(const struct selected *selected, const char *word)
{
    return strcmp(selected->name, word) == 0 || strings_has(&selected->stands_for, word);
}

bool solve_packages(struct arena *arena, const struct catalog *catalog, const struct solve_request *request,
                    struct selection *ret_selection, struct err *err)
{
    if (catalog->kind->solve(arena, catalog, request, ret_selection, err))
        return true;
    if (err->kind == ERR_RESOLVE && !request->is_older_fine)
        add_hint(catalog, request, err);
    return false;
}

bool solve_identity(struct arena *arena, const struct catalog *catalog, const struct selection *selection,
                    struct selected *ret_selected, bool *ret_found, struct err *err)
{
    *ret_found = false;
    return !catalog->family || catalog->kind->identity(arena, catalog, selection, ret_selected, ret_found, err);
}

void catalog_rest(const struct catalog *catalog)
{
    if (catalog->kind->rest)
        catalog->kind->rest(catalog);
}

void catalog_close(struct catalog *catalog)
{
    if (catalog)
        catalog->kind->close(catalog);
}
