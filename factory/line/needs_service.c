/* SPDX-License-Identifier: Apache-2.0 */
/* The sources of needs that look into the packages of a service. */
#include "line/opening.h"

#include "service/holder.h"

/* What was chosen for the first binary; NULL when nothing was. */
static const struct chosen *first_chosen(const struct closed *closed)
{
    const struct chosen_list *list = &closed->asked.chosen;
    for (size_t i = 0; i < list->count; i++) {
        if (strings_has(&closed->manifest->binaries, list->items[i].path))
            return &list->items[i];
    }
    return NULL;
}

/* Asks for the packages that have commands which the service's programs name, of those that it depends on. */
static void add_helpers(const struct order *order, const struct strings *depends, const struct automatic *found,
                        struct need *need)
{
    struct strings shippers = {0};
    for (size_t i = 0; i < found->helpers.count; i++)
        catalog_shippers(order->catalog, order->arena, found->helpers.items[i], &shippers);
    for (size_t i = 0; i < shippers.count; i++) {
        if (strings_has(depends, shippers.items[i]) &&
            !strings_has(&order->manifest->packages_never, shippers.items[i]) &&
            !strings_has(&need->names, shippers.items[i]))
            list_add(order->arena, &need->names, shippers.items[i]);
    }
}

bool needs_of_service(const struct order *order, const struct closed *closed, struct need *need, struct err *err)
{
    if (keep_lacks(&closed->keep) || !order_is_automatic(order))
        return true;
    struct automatic *found = arena_new(order->arena, struct automatic);
    struct siblings siblings = {0};
    const struct chosen *first = first_chosen(closed);
    if (first && order->manifest->automatic[AUTOMATIC_PACKAGES] &&
        !catalog_siblings(order->catalog, order->arena, first->choice.package, &siblings, err))
        return false;
    struct catalog_package described = {0};
    bool is_described = false;
    if (first && !catalog_describe(order->catalog, order->arena, first->choice.package, &described, &is_described, err))
        return false;
    struct automatic_request request = {.manifest = closed->manifest,
                                        .arch = order->arch,
                                        .wishes = &closed->asked.wishes,
                                        .selection = &closed->opened.selection,
                                        .packages = closed->opened.packages,
                                        .set = &closed->set,
                                        .keep = &closed->keep,
                                        .foregrounds = order->plant->options->foregrounds,
                                        .interpreters = order->plant->options->interpreters,
                                        .siblings = &siblings,
                                        .depends = &described.depends,
                                        .features = order->plant->options->features,
                                        .references = closed->asked.references};
    if (!automatic_find(order->arena, &request, found, err))
        return false;
    opening_ask(order, closed, &need->told);
    if (need->told.count)
        return true; /* it is looked at again when these are open */
    for (size_t i = 0; i < found->names.count; i++) {
        const char *name = found->names.items[i];
        if (catalog_has(order->catalog, name, false) && !strings_has(&order->manifest->packages_never, name))
            list_add(order->arena, &need->names, name);
    }
    if (closed->opened.is_lean)
        add_helpers(order, &described.depends, found, need);
    if (!automatic_same(found, &closed->asked.automatic))
        need->automatic = found;
    return true;
}

/* Packages that are not to be added to what is asked for. */
static struct strings unwelcome(const struct order *order, const struct closed *closed)
{
    struct strings names = {0};
    for (size_t i = 0; i < order->manifest->packages_never.count; i++)
        list_add(order->arena, &names, order->manifest->packages_never.items[i]);
    for (size_t i = 0; i < closed->asked.refused.count; i++)
        list_add(order->arena, &names, closed->asked.refused.items[i]);
    return names;
}

/* Lists the siblings of the package that was chosen for a program of the service; none for what else was chosen. */
static bool list_siblings(const struct order *order, const struct chosen *chosen, struct siblings *ret_siblings,
                          struct err *err)
{
    const struct manifest *manifest = order->manifest;
    *ret_siblings = (struct siblings){0};
    return !manifest->automatic[AUTOMATIC_PACKAGES] || !strings_has(&manifest->binaries, chosen->path) ||
           catalog_siblings(order->catalog, order->arena, chosen->choice.package, ret_siblings, err);
}

bool needs_of_holder(const struct order *order, const struct closed *closed, struct need *need, struct err *err)
{
    struct strings never = unwelcome(order, closed);
    const struct chosen_list *chosen = &closed->asked.chosen;
    for (size_t i = 0; i < chosen->count; i++) {
        struct siblings siblings;
        if (!list_siblings(order, &chosen->items[i], &siblings, err))
            return false;
        struct holder_request request = {.binary = chosen->items[i].path,
                                         .siblings = &siblings,
                                         .selection = &closed->opened.selection,
                                         .never = &never};
        const char *holder = siblings.count ? holder_find(&request) : NULL;
        if (holder)
            list_add(order->arena, &need->names, holder);
    }
    return true;
}

bool needs_of_recommended(const struct order *order, const struct closed *closed, struct need *need, struct err *err)
{
    struct strings never = unwelcome(order, closed);
    const struct chosen_list *chosen = &closed->asked.chosen;
    for (size_t i = 0; i < chosen->count; i++) {
        struct siblings siblings;
        if (!list_siblings(order, &chosen->items[i], &siblings, err))
            return false;
        for (size_t j = 0; j < siblings.count; j++) {
            const struct sibling *sibling = &siblings.items[j];
            if (sibling->is_recommended && sibling->is_dependent && !sibling->is_for_all &&
                !strings_has(&never, sibling->name))
                list_add(order->arena, &need->names, sibling->name);
        }
    }
    return true;
}
