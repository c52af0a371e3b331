/* SPDX-License-Identifier: Apache-2.0 */
/* Which packages of a selection have what is looked for, without opening them: the tables of Contents-ARCH, when they are at
 * hand. Packages for all architectures are in Contents-all, which is too big for that: of them nothing is told. */
#include "deb/deb_catalog_parts.h"
#include "source/solve.h"

bool deb_catalog_paths_ready(struct catalog *any, uint64_t worth_bytes, bool *ret_are_ready, struct err *err)
{
    struct deb_catalog *catalog = deb_catalog_of(any);
    struct deb_contents_list *list = &catalog->arch_contents;
    uint64_t cost_bytes = 0;
    *ret_are_ready = false;
    for (size_t i = 0; i < list->items.count && !atomic_load(&list->is_asked); i++) {
        const struct deb_contents *item = &list->items.items[i];
        if (!deb_catalog_has_table(catalog, item))
            cost_bytes += item->listed->size_bytes;
    }
    if (!list->items.count || cost_bytes > worth_bytes)
        return true;
    *ret_are_ready = deb_catalog_get_contents(catalog, false, &list, err);
    if (*ret_are_ready || err->kind == ERR_CANCELLED || err->kind == ERR_LOCAL)
        return *ret_are_ready;
    err_clear(err); /* without it more is fetched, and the image is the same */
    return true;
}

/* A Release has a Contents file for each of its components, or one for all of them. */
static bool is_told(const struct deb_contents_list *list, const struct release *release)
{
    size_t count = 0;
    bool is_shared = false;
    for (size_t i = 0; i < list->items.count; i++) {
        const struct deb_contents *item = &list->items.items[i];
        count += item->release == release;
        is_shared = is_shared || (item->release == release && !strchr(item->file, '/'));
    }
    return is_shared || (count && count == release->repository->components.count);
}

bool deb_catalog_tells(const struct catalog *any, const struct selected *selected)
{
    const struct deb_catalog *catalog = deb_catalog_of_const(any);
    size_t number = (size_t)(selected->origin - catalog->base.origins.items);
    return strcmp(selected->architecture, "all") != 0 &&
           is_told(&catalog->arch_contents, catalog->releases->items[number]);
}

/* Looks for one thing in one table. */
struct shipping {
    struct arena *arena;
    struct strings *names;
};

static void take_place(void *taker, const struct contents_place *place)
{
    struct shipping *shipping = taker;
    struct text owners = text_of(place->owners);
    for (struct text owner; text_next(&owners, ',', &owner);) {
        const char *name = text_dup(shipping->arena, owner);
        if (*name && !strings_has(shipping->names, name))
            list_add(shipping->arena, shipping->names, name);
    }
}

void deb_catalog_shippers(const struct catalog *catalog, struct arena *arena, const char *sought, struct strings *names)
{
    const struct deb_contents_list *list = &deb_catalog_of_const(catalog)->arch_contents;
    struct shipping shipping = {arena, names};
    size_t len = strlen(sought);
    bool is_folder = len > 1 && sought[len - 1] == '/', is_path = sought[0] == '/';
    const char *folder = is_folder ? arena_strndup(arena, sought + 1, len - 2) : NULL;
    for (size_t i = 0; i < list->items.count; i++) {
        const struct contents *contents = &list->items.items[i].contents;
        if (is_folder)
            contents_find_in_folder(contents, arena, folder, names);
        else if (is_path)
            contents_find(contents, arena, sought + 1, names);
        else
            contents_each(contents, sought, take_place, &shipping);
    }
}
