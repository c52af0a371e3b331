/* SPDX-License-Identifier: Apache-2.0 */
/* RESOLVE to CLOSURE. What is asked for can grow: needs.h. */
#include "line/stages.h"

#include "base/auto.h"
#include "closure/ld_cache.h"
#include "effect/alternatives.h"
#include "effect/diversions.h"
#include "effect/pam_roots.h"
#include "effect/script_wishes.h"
#include "effect/shell_links.h"
#include "line/metapackages.h"
#include "line/opening.h"
#include "line/stands.h"
#include "package/path.h"
#include "plan/rules.h"
#include "source/format.h"

struct solving {
    const struct order *order;
    const struct asked *asked;
    struct opened *opened;
};

/* Names what a package of the manifest was perhaps meant to be that no package is called. */
static void tell_nearest(const struct order *order, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    const struct wishes *wishes = &order->manifest->wishes;
    for (size_t i = 0; err->kind == ERR_RESOLVE && i < wishes->packages.count; i++) {
        const char *name = wishes->packages.items[i].name;
        if (!rule_is_package_name(name) || catalog_has(order->catalog, name, true))
            continue;
        const char *nearest = catalog_nearest(order->catalog, &scratch, name);
        if (nearest)
            err_add(err, "; did you mean %s?", nearest);
    }
}

static bool solve(void *argument, struct err *err)
{
    const struct solving *solving = argument;
    const struct order *order = solving->order;
    struct opened *opened = solving->opened;
    struct solve_request request = {.names = solving->asked->names,
                                    .never = order->manifest->packages_never,
                                    .is_weak = order->manifest->is_weak,
                                    .limits = order->limits,
                                    .is_older_fine = order_takes_older(order)};
    if (order->installed)
        request.installed = order->installed->solver;
    if (!solve_packages(order->arena, order->catalog, &request, &opened->selection, err)) {
        tell_nearest(order, err);
        return false;
    }
    return (order->installed || stands_check(&order->manifest->wishes, &opened->selection, err)) &&
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
    ret_opened->looked = arena_new(order->arena, struct map);
    ret_opened->looked->arena = order->arena;
    order_log(order, LOG_VERBOSE, "%zu packages selected", ret_opened->selection.count);
    return true;
}

bool select_open_all(const struct order *order, struct closed *closed, struct err *err)
{
    return opening_open(order, REACH_ALL, closed, err);
}

/* A path that was chosen from one package is that package's, also when another selected one ships it:
 * isc-dhcp-server-ldap diverts the binary of isc-dhcp-server, on which it depends. */
static void settle_choices(const struct order *order, struct closed *closed)
{
    const struct chosen_list *list = &closed->asked.chosen;
    for (size_t i = 0; i < list->count; i++) {
        const char *why;
        const char *path = path_canonical(order->arena, text_of(list->items[i].path), &why);
        if (path && !order_has(order, path))
            fileset_settle(&closed->set, path, list->items[i].choice.package);
    }
}

/* Where a package that is installed and the base have the same path, the package's counts: whether the two may differ is for
 * the tree to judge. */
static void settle_given(const struct order *order, struct fileset *set)
{
    for (size_t i = 0; order->installed && order->given && i < set->packaged_count; i++) {
        const struct sourced *file = set->by_path.slots.items[i].value;
        const struct sourced *other = file->shadowed;
        if (file->package != order->given || !other || file->entry->kind == ENTRY_DIRECTORY)
            continue;
        if (other->entry->kind != ENTRY_DIRECTORY || !fileset_leads_on(set, file->entry->path))
            fileset_settle(set, file->entry->path, file->shadowed->package->name);
    }
}

/* Whatever is selected comes whole, where packages are installed. */
static struct wishes wish_all(const struct order *order, const struct closed *closed)
{
    static const struct wishes none;
    struct wishes wishes = wishes_join(order->arena, &closed->asked.wishes, &none);
    const struct selection *selection = &closed->opened.selection;
    for (size_t i = 0; order->installed && i < selection->count; i++) {
        struct wish_package wish = {.name = selection->items[i].name, .giver = "packages: install"};
        if (!wishes_package(&wishes, wish.name))
            list_add(order->arena, &wishes.packages, wish);
    }
    return wishes;
}

/* What the scripts of packages that are installed would make is made, unless somebody says otherwise. */
static void add_script_wishes(const struct order *order, struct closed *closed)
{
    const struct opened *opened = &closed->opened;
    const struct package **packages =
        arena_new_array(order->arena, const struct package *, opened->selection.count + 1);
    struct script_wishes_request request = {.packages = packages, .set = &closed->set, .is_installed = true};
    struct wishes made;
    struct strings notes;
    if (!order->installed)
        return;
    for (size_t i = 0; i < opened->selection.count; i++) {
        if (opened->packages[i])
            packages[request.own_count++] = opened->packages[i];
    }
    script_wishes_find(order->arena, &request, &made, &notes);
    closed->wishes = wishes_merge(order->arena, &closed->wishes, &made);
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
    struct manifest *manifest = arena_new(arena, struct manifest);
    struct strings packages = {0};
    for (size_t i = 0; i < chosen->count; i++)
        list_add(arena, &packages, chosen->items[i].choice.package);
    *manifest = *order->manifest;
    stands_settle(arena, &closed->opened.selection, &manifest->wishes);
    for (size_t i = 0; i < manifest->wishes.packages.count; i++)
        list_add(arena, &packages, manifest->wishes.packages.items[i].name);
    closed->manifest = manifest;
    if (!roots_programs(arena, &closed->set, &order->manifest->binaries, &packages, &manifest->binaries, err))
        return false;
    settle_command(arena, &manifest->binaries, &closed->asked.config.entrypoint);
    settle_command(arena, &manifest->binaries, &closed->asked.config.cmd);
    return true;
}

/* The links of the manifest's static shell. */
static void add_shell(struct arena *arena, struct closed *closed, struct wishes *wishes)
{
    struct wishes of_shell;
    shell_links_add(arena, &closed->set, closed->manifest, &of_shell);
    *wishes = wishes_join(arena, wishes, &of_shell);
}

/* What the base has is in the image already. */
static void leave_given(const struct order *order, struct keep *keep)
{
    size_t count = 0;
    for (size_t i = 0; i < keep->count; i++) {
        if (!order->given || keep->items[i].file->package != order->given)
            keep->items[count++] = keep->items[i];
    }
    keep->count = count;
}

/* Where packages are installed, documentation is what their package manager leaves out when it is asked to. */
static enum roots_documentation documentation_of(const struct order *order)
{
    if (order->manifest->has_documentation)
        return DOCUMENTATION_ALL;
    return order->installed && order->installed->format->marks_documentation ? DOCUMENTATION_UNMARKED
                                                                             : DOCUMENTATION_NONE;
}

/* Makes the set of the packages' files: with the names that diversions give them, and the links that installing makes. */
static void build_set(const struct order *order, struct closed *closed)
{
    const struct opened *opened = &closed->opened;
    struct arena *arena = order->arena;
    const struct package **open = arena_new_array(arena, const struct package *, opened->selection.count + 2);
    size_t count = 0;
    if (order->given)
        open[count++] = order->given;
    else
        diversions_apply(order->hold->arena, opened->packages, opened->selection.count + 1); /* as long as those */
    for (size_t i = 0; i <= opened->selection.count; i++) {
        if (opened->packages[i])
            open[count++] = opened->packages[i];
    }
    fileset_build(arena, order->catalog->family, open, count, &closed->set);
    closed->sought = (struct map){.arena = arena};
    closed->set.sought = &closed->sought;
    settle_choices(order, closed);
    settle_given(order, &closed->set);
    alternatives_add(&closed->set);
    ld_cache_add_links(&closed->set, order->arch);
}

static bool find_closure(void *argument, struct err *err)
{
    const struct closing *closing = argument;
    struct closed *closed = closing->closed;
    const struct opened *opened = &closed->opened;
    struct arena *arena = closing->order->arena;
    build_set(closing->order, closed);
    if (!find_programs(closing->order, closed, err))
        return false;
    const struct manifest *manifest = closed->manifest;
    struct metapackages metapackages;
    struct wishes wished = wish_all(closing->order, closed);
    metapackages_find(arena, closing->order->catalog, opened, &wished, &metapackages);
    if (manifest->shell)
        add_shell(arena, closed, &metapackages.wishes);
    struct roots_request wanted = {&manifest->binaries,
                                   &metapackages.wishes,
                                   &closed->set,
                                   opened->identity_package,
                                   documentation_of(closing->order),
                                   !closing->order->installed};
    struct roots roots;
    struct wishes of_pam;
    struct strings pam_notes = {0};
    /* Nobody asked for it where it is automatic, and an installed service starts without such a module, too. */
    bool is_pam_asked = strings_has(&manifest->features, "pam") || opened_is_partial(opened);
    if (!roots_list(arena, &wanted, &roots, err) ||
        !pam_roots_add(arena, &wanted, &roots, &of_pam, is_pam_asked ? NULL : &pam_notes, err))
        return false;
    closed->wishes = wishes_join(arena, &metapackages.wishes, &of_pam);
    add_script_wishes(closing->order, closed);
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
    leave_given(closing->order, &closed->keep);
    for (size_t i = 0; i < metapackages.notes.count; i++)
        list_add(arena, &closed->keep.notes, metapackages.notes.items[i]);
    for (size_t i = 0; i < pam_notes.count; i++)
        list_add(arena, &closed->keep.notes, pam_notes.items[i]);
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

/* Whether nothing is missing, or found only through the loader's configuration, to which any package may add. */
static bool is_enough(const struct closed *closed)
{
    return closed->keep.missing_count == 0 && !closed->keep.needs_cache;
}

/* Whether the closure is what it would be with all packages open. Packages that are closed may add to the configuration of the
 * loader, and register alternatives; both is rare. */
static bool is_settled(const struct closed *closed, enum reach reach)
{
    if (reach == REACH_ALL || !opened_is_partial(&closed->opened))
        return true;
    return is_enough(closed) && !(reach == REACH_LEAN && opening_is_registered(closed));
}

/* Opens what has what the last closure looked for. When nothing has, and that was not enough: of the packages that are not likely
 * as well, and what is called like something missing. */
static bool open_told(const struct order *order, struct closed *closed, bool is_complete, bool *ret_more,
                      struct err *err)
{
    struct strings names;
    opening_ask(order, closed, &names);
    if (!names.count && !is_complete && !closed->opened.is_wide) {
        opening_widen(order, &closed->opened);
        opening_ask(order, closed, &names);
    }
    if (!names.count && !is_complete)
        opening_guess(order, closed, &names);
    *ret_more = opening_tell(order, &closed->asked, &names);
    return !*ret_more || opening_open(order, REACH_LEAN, closed, err);
}

/* Opens packages and finds the closure: first with as few as will do, with more only when that does not help. */
static bool close_over(const struct order *order, struct closed *closed, struct err *err)
{
    enum reach reach;
    if (!opening_begin(order, closed, &reach, err))
        return false;
    for (;;) {
        bool is_more = false;
        if (!opening_open(order, reach, closed, err))
            return false;
        order_enter(order, STAGE_CLOSURE);
        bool is_closed = select_close_again(order, closed, err);
        if (!is_closed && err->kind != ERR_RESOLVE)
            return false;
        if (reach == REACH_LEAN && !open_told(order, closed, is_closed && is_enough(closed), &is_more, err))
            return false;
        if (is_more) {
            err_clear(err);
            continue;
        }
        closed->is_waiting =
            is_closed && reach == REACH_LEAN && !closed->asked.is_impatient && opening_lacks(order, closed);
        if (is_closed && (closed->is_waiting || is_settled(closed, reach)))
            return true;
        if (reach == REACH_ALL || !opened_is_partial(&closed->opened))
            return is_closed;
        err_clear(err);
        reach++;
    }
}

bool select_files(const struct order *order, struct closed *ret_closed, struct err *err)
{
    static const struct needs_stages whole = {resolve, close_over}, dry = {resolve, NULL};
    return needs_settle(order, order->is_selected_only ? &dry : &whole, ret_closed, err);
}
