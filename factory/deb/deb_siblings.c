/* SPDX-License-Identifier: Apache-2.0 */
/* Packages of one source package: found in the indices of packages alone, what they ship in the tables of Contents. */
#include "deb/deb_pool.h"

#include "base/auto.h"
#include "deb/deb_relation.h"

#include <stdlib.h>

#define SIBLINGS_MAX 5000 /* of one source; a distribution's largest has some 500 */

/* One question. */
struct asking {
    struct deb_catalog *catalog;
    struct arena *arena; /* of the answer */
    struct arena scratch;
    const char *package;
    struct solve_item given;
    struct siblings found;
    LIST(struct solve_item) items; /* parallel to `found` */
};

static void asking_done(struct asking *asking)
{
    arena_done(&asking->scratch);
}

static bool names(struct text field, struct text name)
{
    for (struct text clause; text_next(&field, ',', &clause);) {
        for (struct text relation; text_next(&clause, '|', &relation);) {
            if (text_eq(deb_relation_name(relation), name))
                return true;
        }
    }
    return false;
}

static bool depends(const struct solve_item *item, const struct solve_item *on)
{
    return names(item->stanza.depends, on->stanza.name) || names(item->stanza.pre_depends, on->stanza.name);
}

/* Adds a name of which some version is built of the source, if the candidate is. */
static bool add_sibling(struct asking *asking, struct text name, struct err *err)
{
    struct solve_item item;
    bool is_found;
    if (!solve_find_candidate(asking->catalog, name, &item, &is_found, err))
        return false;
    if (!is_found || !text_eq(item.source, asking->given.source))
        return true;
    bool is_given = text_eq(name, asking->given.stanza.name);
    list_add(asking->arena, &asking->found,
             (struct sibling){.name = text_dup(asking->arena, name),
                              .is_given = is_given,
                              .is_dependent = !is_given && depends(&item, &asking->given),
                              .is_needed = !is_given && depends(&asking->given, &item),
                              .is_recommended = names(asking->given.stanza.recommends, item.stanza.name),
                              .is_for_all = text_is(item.stanza.architecture, "all")});
    list_add(&asking->scratch, &asking->items, item);
    return true;
}

static int compare_texts(const void *a, const void *b)
{
    const struct text *left = a, *right = b;
    size_t len = left->len < right->len ? left->len : right->len;
    int order = memcmp(left->ptr, right->ptr, len);
    return order ? order : (left->len > right->len) - (left->len < right->len);
}

/* Lists the names of packages of which any version is built of the source, sorted, each once. */
static bool list_names(struct asking *asking, struct map *seen, struct err *err)
{
    for (size_t i = 0; i < asking->catalog->indices.count; i++) {
        const struct deb_index *index = &asking->catalog->indices.items[i].index;
        struct deb_hits hits = deb_index_find_source(index, asking->given.source);
        uint32_t number;
        bool is_virtual;
        while (deb_index_next(&hits, &number, &is_virtual)) {
            if (map_add(seen, deb_index_name(index, number), asking) && seen->slots.count > SIBLINGS_MAX) {
                err_set(err, ERR_MALFORMED, "%s: more than %d packages are built of one source package with it",
                        asking->package, SIBLINGS_MAX);
                return false;
            }
        }
    }
    return true;
}

static bool find_siblings(struct asking *asking, struct err *err)
{
    struct map seen = {.arena = &asking->scratch};
    bool is_found;
    if (!solve_find_candidate(asking->catalog, text_of(asking->package), &asking->given, &is_found, err))
        return false;
    if (!is_found) {
        err_set(err, ERR_RESOLVE, "%s has no package %s", asking->catalog->releases->source->name,
                text_printable(&asking->scratch, text_of(asking->package)));
        return false;
    }
    if (!list_names(asking, &seen, err))
        return false;
    struct text *sorted = arena_new_array(&asking->scratch, struct text, seen.slots.count);
    for (size_t i = 0; i < seen.slots.count; i++)
        sorted[i] = seen.slots.items[i].key;
    if (seen.slots.count)
        qsort(sorted, seen.slots.count, sizeof *sorted, compare_texts);
    for (size_t i = 0; i < seen.slots.count; i++) {
        if (!add_sibling(asking, sorted[i], err))
            return false;
    }
    return true;
}

/* Whether what went wrong with an index of paths leaves the answer without it: there is none, or it cannot be had now. */
static bool is_unknown(struct err *err)
{
    bool is_fine = err->kind == ERR_RESOLVE || err->kind == ERR_NETWORK || err->kind == ERR_TRUST;
    if (is_fine)
        err_clear(err);
    return is_fine;
}

/* Whether the repository of a package has a Contents file of the kind. */
static bool has_table(const struct deb_contents_list *list, const struct release *release)
{
    for (size_t i = 0; i < list->items.count; i++) {
        if (list->items.items[i].release == release)
            return true;
    }
    return false;
}

/* Looks into the tables of one kind. Packages for all architectures have tables of their own, or are in the others. */
static bool look_into(struct asking *asking, bool is_all, bool *ret_any, struct err *err)
{
    struct deb_contents_list *list;
    *ret_any = false;
    if (!deb_catalog_get_contents(asking->catalog, is_all, &list, err))
        return is_unknown(err);
    for (size_t i = 0; i < asking->found.count; i++) {
        struct sibling *sibling = &asking->found.items[i];
        const struct solve_item *item = &asking->items.items[i];
        struct strings paths = {0};
        for (size_t k = 0; k < list->items.count; k++)
            contents_services(&list->items.items[k].contents, &asking->scratch, sibling->name, &paths);
        for (size_t k = 0; k < paths.count; k++)
            list_add(asking->arena, &sibling->services, arena_printf(asking->arena, "/%s", paths.items[k]));
        if (sibling->services.count)
            sibling->holds = SIBLING_HAS_SERVICE;
        else if (has_table(list, item->index->release) && text_is(item->stanza.architecture, "all") == is_all)
            sibling->holds = SIBLING_HAS_NONE;
        *ret_any = *ret_any || sibling->services.count;
    }
    return true;
}

static bool has_any_for_all(const struct asking *asking)
{
    for (size_t i = 0; i < asking->items.count; i++) {
        if (text_is(asking->items.items[i].stanza.architecture, "all"))
            return true;
    }
    return false;
}

bool deb_catalog_siblings(struct catalog *any, struct arena *arena, const char *package, struct siblings *ret_siblings,
                          struct err *err)
{
    AUTO(asking_done)
    struct asking asking = {.catalog = deb_catalog_of(any), .arena = arena, .package = package};
    bool has_service;
    if (!find_siblings(&asking, err) || !look_into(&asking, false, &has_service, err) ||
        (!has_service && has_any_for_all(&asking) && !look_into(&asking, true, &has_service, err)))
        return false;
    *ret_siblings = asking.found;
    return true;
}

/* Adds the names of a field's relations of which there is a real package. */
static void add_related(const struct catalog *catalog, struct arena *arena, struct text field, struct strings *names)
{
    for (struct text clause; text_next(&field, ',', &clause);) {
        for (struct text relation; text_next(&clause, '|', &relation);) {
            const char *name = text_dup(arena, deb_relation_name(relation));
            if (!strings_has(names, name) && deb_catalog_has(catalog, name, false))
                list_add(arena, names, name);
        }
    }
}

bool deb_catalog_describe(const struct catalog *any, struct arena *arena, const char *package,
                          struct catalog_package *ret_package, bool *ret_found, struct err *err)
{
    struct solve_item item;
    if (!solve_find_candidate(deb_catalog_of_const(any), text_of(package), &item, ret_found, err))
        return false;
    if (!*ret_found)
        return true;
    const struct deb_stanza *stanza = &item.stanza;
    *ret_package = (struct catalog_package){.version = text_dup(arena, stanza->version),
                                            .architecture = text_dup(arena, stanza->architecture),
                                            .source = text_dup(arena, item.source)};
    if (stanza->description.len)
        ret_package->description = text_dup(arena, stanza->description);
    add_related(any, arena, stanza->pre_depends, &ret_package->depends);
    add_related(any, arena, stanza->depends, &ret_package->depends);
    add_related(any, arena, stanza->recommends, &ret_package->recommends);
    return true;
}
