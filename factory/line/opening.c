/* SPDX-License-Identifier: Apache-2.0 */
#include "line/opening.h"

#include "closure/roots.h"
#include "package/path.h"

/* One opening of packages. */
struct opening {
    const struct order *order;
    struct closed *closed;
    struct strings sources; /* of the packages that are asked for */
};

/* The sources of what is asked for. */
static struct strings list_sources(const struct order *order, const struct closed *closed)
{
    struct strings sources = {0};
    const struct strings *names = &closed->asked.names;
    const struct selection *selection = &closed->opened.selection;
    for (size_t i = 0; i < selection->count; i++) {
        const struct selected *selected = &selection->items[i];
        bool is_asked = strings_has(names, selected->name);
        for (size_t k = 0; k < selected->stands_for.count && !is_asked; k++)
            is_asked = strings_has(names, selected->stands_for.items[k]);
        if (is_asked && selected->source_package && !strings_has(&sources, selected->source_package))
            list_add(order->arena, &sources, selected->source_package);
    }
    return sources;
}

static bool is_identity(const struct opened *opened, const char *name)
{
    return opened->has_identity && strcmp(opened->identity.name, name) == 0;
}

/* Whether somebody names the package, or what it has decides where all else is. */
static bool is_named(const struct opening *opening, const struct selected *selected)
{
    const struct closed *closed = opening->closed;
    return is_identity(&closed->opened, selected->name) || roots_name_package(&closed->asked.wishes, selected->name) ||
           roots_lay_out(opening->order->catalog->family, selected->name);
}

/* Whether a likely package may stay closed until the indices name it. */
static bool may_wait(const struct opening *opening, const struct selected *selected)
{
    return !is_named(opening, selected) && !strings_has(&opening->sources, selected->source_package) &&
           catalog_tells(opening->order->catalog, selected);
}

static bool is_wanted(const struct opening *opening, enum reach reach, const struct selected *selected)
{
    bool is_told = (selected->is_likely || opening->closed->opened.is_wide) &&
                   strings_has(&opening->closed->asked.told, selected->name);
    if (reach == REACH_ALL || is_named(opening, selected) || is_told)
        return true;
    return selected->is_likely && (reach == REACH_LIKELY || !may_wait(opening, selected));
}

bool opening_begin(const struct order *order, struct closed *closed, enum reach *ret_reach, struct err *err)
{
    struct opened *opened = &closed->opened;
    uint64_t waiting_bytes = 0;
    bool are_ready = false;
    struct opening opening = {order, closed, list_sources(order, closed)};
    opened->is_lean = false;
    *ret_reach = roots_are_lazy(&closed->asked.wishes) ? REACH_LIKELY : REACH_ALL;
    for (size_t i = 0; i < opened->selection.count; i++) {
        const struct selected *selected = &opened->selection.items[i];
        if (selected->is_likely && !is_named(&opening, selected) &&
            !strings_has(&opening.sources, selected->source_package))
            waiting_bytes += selected->size_bytes;
    }
    if (*ret_reach != REACH_LIKELY || !waiting_bytes)
        return true;
    if (!catalog_paths_ready(order->catalog, waiting_bytes, &are_ready, err))
        return false;
    opened->is_lean = are_ready;
    if (are_ready)
        *ret_reach = REACH_LEAN;
    return true;
}

/* Fetches and unpacks these packages of the selection; the place behind its end is that of the identity. */
static bool get(const struct opening *opening, const size_t *places, size_t count, struct err *err)
{
    const struct order *order = opening->order;
    struct opened *opened = &opening->closed->opened;
    const struct selected **wanted = arena_new_array(order->arena, const struct selected *, count);
    const struct package **found = arena_new_array(order->arena, const struct package *, count);
    uint64_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        wanted[i] = places[i] == opened->selection.count ? &opened->identity : &opened->selection.items[places[i]];
        bytes += wanted[i]->size_bytes;
    }
    order_enter(order, STAGE_FETCH);
    atomic_fetch_add(&order->progress->bytes_total, bytes);
    if (!supply_get(order->plant->supply, wanted, count, &order->progress->bytes_done, order->hold, found, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        opened->packages[places[i]] = found[i];
        if (is_identity(opened, wanted[i]->name))
            opened->identity_package = found[i];
    }
    return !plant_is_cancelled(order->plant, err);
}

/* Adds the closed packages of the selection that the indices name for one thing; each thing is asked for once. */
static void ask(const struct order *order, const struct opened *opened, const char *sought, struct strings *names)
{
    struct strings shippers = {0};
    if (!map_add(opened->looked, text_of(sought), opened->looked))
        return;
    if (sought[0] == '=')
        list_add(order->arena, &shippers, sought + 1);
    else
        catalog_shippers(order->catalog, order->arena, sought, &shippers);
    for (size_t i = 0; i < shippers.count; i++) {
        const struct selected *selected = selection_find(&opened->selection, shippers.items[i]);
        if (selected && (selected->is_likely || opened->is_wide) &&
            !opened->packages[selected - opened->selection.items] && !strings_has(names, selected->name))
            list_add(order->arena, names, selected->name);
    }
}

static void ask_for_needs(const struct order *order, const struct opened *opened, const struct elf_facts *elf,
                          struct strings *names)
{
    for (size_t i = 0; i < elf->needed.count; i++) {
        if (!order_has_library(order, elf->needed.items[i]))
            ask(order, opened, elf->needed.items[i], names);
    }
}

/* Asks for what the libraries need that packages were opened for: most often the closure will keep them. */
static void follow(const struct opening *opening, const size_t *places, size_t count, struct strings *names)
{
    const struct opened *opened = &opening->closed->opened;
    for (size_t i = 0; i < count; i++) {
        const struct package *package = opened->packages[places[i]];
        for (size_t j = 0; j < package->count; j++) {
            const struct elf_facts *elf = package->entries[j].elf;
            if (elf && elf->soname && map_get(opened->looked, text_of(elf->soname)))
                ask_for_needs(opening->order, opened, elf, names);
        }
    }
}

void opening_widen(const struct order *order, struct opened *opened)
{
    opened->is_wide = true;
    opened->looked = arena_new(order->arena, struct map);
    opened->looked->arena = order->arena;
}

bool opening_tell(const struct order *order, struct asked *asked, const struct strings *names)
{
    for (size_t i = 0; i < names->count; i++) {
        if (!strings_has(&asked->told, names->items[i]))
            list_add(order->arena, &asked->told, names->items[i]);
    }
    return names->count > 0;
}

bool opening_open(const struct order *order, enum reach reach, struct closed *closed, struct err *err)
{
    struct opened *opened = &closed->opened;
    struct opening opening = {order, closed, list_sources(order, closed)};
    size_t *places = arena_new_array(order->arena, size_t, opened->selection.count + 1);
    bool is_more = true;
    while (is_more) {
        size_t count = 0;
        struct strings names = {0};
        for (size_t i = 0; i < opened->selection.count; i++) {
            if (!opened->packages[i] && is_wanted(&opening, reach, &opened->selection.items[i]))
                places[count++] = i;
        }
        if (opened->has_identity && !opened->identity_package &&
            !selection_find(&opened->selection, opened->identity.name))
            places[count++] = opened->selection.count;
        if (!get(&opening, places, count, err))
            return false;
        if (reach == REACH_LEAN)
            follow(&opening, places, count, &names);
        is_more = opening_tell(order, &closed->asked, &names);
    }
    return true;
}

void opening_ask(const struct order *order, const struct closed *closed, struct strings *ret_names)
{
    const struct opened *opened = &closed->opened;
    *ret_names = (struct strings){0};
    for (size_t i = 0; opened->is_lean && i < closed->sought.slots.count; i++)
        ask(order, opened, closed->sought.slots.items[i].key.ptr, ret_names);
    for (size_t i = 0; opened->is_lean && i < closed->keep.count; i++) {
        const struct entry *content = sourced_content(closed->keep.items[i].file);
        if (content && content->elf)
            ask_for_needs(order, opened, content->elf, ret_names);
    }
}

void opening_guess(const struct order *order, const struct closed *closed, struct strings *ret_names)
{
    const struct opened *opened = &closed->opened;
    *ret_names = (struct strings){0};
    for (size_t i = 0; i < closed->keep.missing_count; i++) {
        struct text rest = text_of(closed->keep.missing[i].wanted), part;
        while (closed->keep.missing[i].wanted[0] == '/' && text_next(&rest, '/', &part)) {
            const struct selected *selected = selection_find(&opened->selection, text_dup(order->arena, part));
            if (selected && !opened->packages[selected - opened->selection.items])
                list_add(order->arena, ret_names, selected->name);
        }
    }
}

/* Whether packages have the path, and none of them is selected. */
static bool is_elsewhere(const struct order *order, const struct opened *opened, const char *path)
{
    struct strings shippers = {0};
    const char *why, *canonical = path_canonical(order->arena, text_of(path), &why);
    if (path[0] != '/' || !canonical)
        return false;
    catalog_shippers(order->catalog, order->arena, canonical, &shippers);
    for (size_t i = 0; i < shippers.count; i++) {
        if (selection_find(&opened->selection, shippers.items[i]))
            return false;
    }
    return shippers.count > 0;
}

bool opening_lacks(const struct order *order, const struct closed *closed)
{
    for (size_t i = 0; i < closed->keep.missing_count; i++) {
        const struct missing *missing = &closed->keep.missing[i];
        if (missing->is_doubtful || !is_elsewhere(order, &closed->opened, missing->wanted))
            return false;
    }
    return keep_lacks(&closed->keep);
}

bool opening_is_registered(const struct closed *closed)
{
    for (size_t i = 0; i < closed->keep.count; i++) {
        if (path_is_within(closed->keep.items[i].file->entry->path, "/etc/alternatives"))
            return true;
    }
    return false;
}
