/* RESOLVE to CLOSURE. What is asked for can grow: needs.h. */
#include "line/stages.h"

#include "effect/alternatives.h"
#include "effect/pam_roots.h"
#include "line/metapackages.h"
#include "package/path.h"

struct solving {
    const struct order *order;
    const struct asked *asked;
    struct opened *opened;
};

static bool solve(void *argument, struct err *err)
{
    const struct solving *solving = argument;
    const struct order *order = solving->order;
    struct opened *opened = solving->opened;
    struct solve_request request = {.names = solving->asked->names,
                                    .never = order->manifest->packages_never,
                                    .is_weak = order->manifest->is_weak,
                                    .is_older_fine = order_takes_older(order)};
    return solve_packages(order->arena, order->catalog, &request, &opened->selection, err) &&
           solve_identity(order->arena, order->catalog, &opened->selection, &opened->identity, &opened->has_identity,
                          err);
}

/* RESOLVE: names to a selection. */
static bool resolve(const struct order *order, const struct asked *asked, struct opened *ret_opened, struct err *err)
{
    struct solving solving = {order, asked, ret_opened};
    *ret_opened = (struct opened){0};
    order_enter(order, STAGE_RESOLVE);
    if (!order_compute(order, solve, &solving, err))
        return false;
    ret_opened->packages = arena_new_array(order->arena, const struct package *, ret_opened->selection.count + 1);
    order_log(order, LOG_VERBOSE, "%zu packages selected", ret_opened->selection.count);
    return true;
}

static bool is_identity(const struct opened *opened, const char *name)
{
    return opened->has_identity && strcmp(opened->identity.name, name) == 0;
}

/* Whether a package of the selection can matter, as far as is known before any is opened. */
static bool is_opened_first(const struct order *order, const struct closed *closed, const struct selected *selected)
{
    return selected->is_likely || is_identity(&closed->opened, selected->name) ||
           roots_name_package(&closed->asked.wishes, selected->name) ||
           roots_lay_out(order->catalog->family, selected->name);
}

/* FETCH, UNPACK: opens the likely packages, or all of them. */
static bool open_packages(const struct order *order, bool is_all, struct closed *closed, struct err *err)
{
    struct opened *opened = &closed->opened;
    size_t room = opened->selection.count + 1, count = 0;
    const struct selected **wanted = arena_new_array(order->arena, const struct selected *, room);
    size_t *places = arena_new_array(order->arena, size_t, room);
    uint64_t bytes = 0;
    for (size_t i = 0; i < opened->selection.count; i++) {
        const struct selected *selected = &opened->selection.items[i];
        if (opened->packages[i] || !(is_all || is_opened_first(order, closed, selected)))
            continue;
        places[count] = i;
        wanted[count++] = selected;
        bytes += selected->size_bytes;
    }
    if (opened->has_identity && !opened->identity_package && !opened_selects(opened, opened->identity.name)) {
        places[count] = opened->selection.count;
        wanted[count++] = &opened->identity;
        bytes += opened->identity.size_bytes;
    }
    order_enter(order, STAGE_FETCH);
    atomic_fetch_add(&order->progress->bytes_total, bytes);
    const struct package **found = arena_new_array(order->arena, const struct package *, room);
    if (!supply_get(order->plant->supply, wanted, count, &order->progress->bytes_done, found, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        opened->packages[places[i]] = found[i];
        if (is_identity(opened, wanted[i]->name))
            opened->identity_package = found[i];
    }
    return !plant_is_cancelled(order->plant, err);
}

bool select_open_all(const struct order *order, struct closed *closed, struct err *err)
{
    return open_packages(order, true, closed, err);
}

/* A path that was chosen from one package is that package's, also when another selected one ships it:
 * isc-dhcp-server-ldap diverts the binary of isc-dhcp-server, on which it depends. */
static void settle_choices(struct arena *arena, struct closed *closed)
{
    const struct chosen_list *list = &closed->asked.chosen;
    for (size_t i = 0; i < list->count; i++) {
        const char *why;
        const char *path = path_canonical(arena, text_of(list->items[i].path), &why);
        if (path)
            fileset_settle(&closed->set, path, list->items[i].choice.package);
    }
}

struct closing {
    const struct order *order;
    struct closed *closed;
};

/* Replaces a glob that stands for the program of a command by the program that it means. */
static void settle_command(struct arena *arena, const struct strings *programs, struct strings *command)
{
    for (size_t i = 0; command->count && i < programs->count; i++) {
        if (!manifest_is_glob(command->items[0]) || !path_matches(command->items[0], programs->items[i]))
            continue;
        struct strings words = {0};
        list_add(arena, &words, programs->items[i]);
        for (size_t j = 1; j < command->count; j++)
            list_add(arena, &words, command->items[j]);
        *command = words;
        return;
    }
}

/* Finds the programs that globs of the manifest's binaries mean, in the packages that were chosen for them. */
static bool find_programs(const struct order *order, struct closed *closed, struct err *err)
{
    struct arena *arena = order->arena;
    const struct chosen_list *chosen = &closed->asked.chosen;
    const struct wishes *wishes = &order->manifest->wishes;
    struct manifest *manifest = arena_new(arena, struct manifest);
    struct strings packages = {0};
    for (size_t i = 0; i < chosen->count; i++)
        list_add(arena, &packages, chosen->items[i].choice.package);
    for (size_t i = 0; i < wishes->packages.count; i++)
        list_add(arena, &packages, wishes->packages.items[i].name);
    *manifest = *order->manifest;
    closed->manifest = manifest;
    if (!roots_programs(arena, &closed->set, &order->manifest->binaries, &packages, &manifest->binaries, err))
        return false;
    settle_command(arena, &manifest->binaries, &closed->asked.config.entrypoint);
    settle_command(arena, &manifest->binaries, &closed->asked.config.cmd);
    return true;
}

static bool find_closure(void *argument, struct err *err)
{
    const struct closing *closing = argument;
    struct closed *closed = closing->closed;
    const struct opened *opened = &closed->opened;
    struct arena *arena = closing->order->arena;
    const struct package **open = arena_new_array(arena, const struct package *, opened->selection.count + 1);
    size_t count = 0;
    for (size_t i = 0; i <= opened->selection.count; i++) {
        if (opened->packages[i])
            open[count++] = opened->packages[i];
    }
    fileset_build(arena, closing->order->catalog->family, open, count, &closed->set);
    settle_choices(arena, closed);
    alternatives_add(&closed->set);
    if (!find_programs(closing->order, closed, err))
        return false;
    const struct manifest *manifest = closed->manifest;
    struct metapackages metapackages;
    metapackages_find(arena, closing->order->catalog, opened, &closed->asked.wishes, &metapackages);
    struct roots_request wanted = {&manifest->binaries, &metapackages.wishes, &closed->set, opened->identity_package};
    struct roots roots;
    struct wishes of_pam;
    if (!roots_list(arena, &wanted, &roots, err) || !pam_roots_add(arena, &wanted, &roots, &of_pam, err))
        return false;
    closed->wishes = wishes_join(arena, &metapackages.wishes, &of_pam);
    struct strings dropped = {0};
    for (size_t i = 0; i < closed->unloadable.count; i++) {
        if (closed->unloadable.items[i].is_dropped)
            list_add(arena, &dropped, closed->unloadable.items[i].path);
    }
    struct closure_request request = {.arch = closing->order->arch,
                                      .roots = roots.items,
                                      .root_count = roots.count,
                                      .is_partial = opened_is_partial(opened),
                                      .hwcaps = &manifest->hwcaps,
                                      .dlopen = manifest->dlopen,
                                      .dropped = &dropped};
    if (!closure_find(arena, &closed->set, &request, &closed->keep, err))
        return false;
    for (size_t i = 0; i < metapackages.notes.count; i++)
        list_add(arena, &closed->keep.notes, metapackages.notes.items[i]);
    if (!metapackages.is_partial || !opened_is_partial(opened))
        return true;
    err_set(err, ERR_RESOLVE, "what a metapackage brings whole is not open");
    return false;
}

bool select_close_again(const struct order *order, struct closed *closed, struct err *err)
{
    struct closing closing = {order, closed};
    return order_compute(order, find_closure, &closing, err);
}

/* Opens packages and finds the closure; all packages of the selection are opened only when the likely ones do not do,
 * or when something is found through the loader's configuration, to which any package may add. */
static bool close_over(const struct order *order, struct closed *closed, struct err *err)
{
    bool is_all = !roots_are_lazy(&closed->asked.wishes);
    for (;;) {
        if (!open_packages(order, is_all, closed, err))
            return false;
        order_enter(order, STAGE_CLOSURE);
        bool is_closed = select_close_again(order, closed, err);
        bool is_complete = is_all || !opened_is_partial(&closed->opened);
        if (is_closed && (is_complete || (closed->keep.missing_count == 0 && !closed->keep.needs_cache)))
            return true;
        if (is_complete || (!is_closed && err->kind != ERR_RESOLVE))
            return false;
        err_clear(err);
        is_all = true;
    }
}

bool select_files(const struct order *order, struct closed *ret_closed, struct err *err)
{
    static const struct needs_stages whole = {resolve, close_over}, dry = {resolve, NULL};
    return needs_settle(order, order->plant->options->is_dry_run ? &dry : &whole, ret_closed, err);
}
