/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of line/needs: each source of names alone, and the rounds over them, in a world of a few lines. */
#include "arch_rename.h"
#include "check.h"

#include "deb/deb_format.h"
#include "line/needs.h"

#define LIB "/usr/lib/x86_64-linux-gnu/"
#define OFFERS_MAX 24

/* A package: what it ships (paths with blanks between), the path that it needs, the library that it opens when it can,
 * and the package beside which it cannot be installed. */
struct offer {
    const char *name, *ships, *needs, *opens, *against;
};

/* The catalog of the packages, and the order that wants some of them. */
struct world {
    struct catalog catalog;
    struct arena arena;
    struct offer offers[OFFERS_MAX];
    struct package packages[OFFERS_MAX];
    size_t count;
    enum err_kind index_fault; /* of every look into the file indices */
    struct plant plant;
    struct run_options options;
    struct manifest manifest;
    struct arch arch;
    struct recipes recipes;
    struct order order;
    struct closed closed;
    struct err err;
    size_t resolved, closings; /* how often */
};

static const struct world *world_of(const struct catalog *catalog)
{
    return (const struct world *)catalog; /* the catalog comes first */
}

static bool has_word(const char *words, const char *wanted)
{
    struct text rest = text_of(words ? words : ""), word;
    while (text_next_word(&rest, &word)) {
        if (text_is(word, wanted))
            return true;
    }
    return false;
}

static bool owners(struct catalog *catalog, struct arena *arena, const char *path, struct strings *ret_names,
                   const char **ret_hint, struct err *err)
{
    const struct world *world = world_of(catalog);
    (void)ret_hint;
    if (world->index_fault) {
        err_set(err, world->index_fault, "no index");
        return false;
    }
    for (size_t i = 0; i < world->count; i++) {
        if (has_word(world->offers[i].ships, path))
            list_add(arena, ret_names, world->offers[i].name);
    }
    return true;
}

static bool has(const struct catalog *catalog, const char *name, bool is_virtual_fine)
{
    (void)is_virtual_fine;
    for (size_t i = 0; i < world_of(catalog)->count; i++) {
        if (strcmp(world_of(catalog)->offers[i].name, name) == 0)
            return true;
    }
    return false;
}

static const struct catalog_kind kind = {.owners = owners, .has = has};

static size_t find_offer(const struct world *world, const char *name)
{
    for (size_t i = 0; i < world->count; i++) {
        if (strcmp(world->offers[i].name, name) == 0)
            return i;
    }
    fail_msg("%s was asked for", name);
    return 0;
}

/* Selects what is asked for, unless two of it cannot be installed together. */
static bool resolve(const struct order *order, const struct asked *asked, struct opened *ret_opened, struct err *err)
{
    struct world *world = (struct world *)order->catalog;
    struct selection *selection = &ret_opened->selection;
    *ret_opened = (struct opened){0};
    world->resolved++;
    selection->items = arena_new_array(order->arena, struct selected, asked->names.count);
    ret_opened->packages = arena_new_array(order->arena, const struct package *, asked->names.count + 1);
    for (size_t i = 0; i < asked->names.count; i++) {
        size_t at = find_offer(world, asked->names.items[i]);
        if (world->offers[at].against && strings_has(&asked->names, world->offers[at].against)) {
            err_set(err, ERR_RESOLVE, "%s conflicts with %s", world->offers[at].name, world->offers[at].against);
            return false;
        }
        ret_opened->packages[selection->count] = &world->packages[at];
        selection->items[selection->count++].name = world->offers[at].name;
    }
    return true;
}

static bool is_shipped(const struct world *world, const struct opened *opened, const char *path)
{
    for (size_t i = 0; i < opened->selection.count; i++) {
        if (has_word(world->offers[find_offer(world, opened->selection.items[i].name)].ships, path))
            return true;
    }
    return false;
}

static void miss(struct world *world, struct missing missing)
{
    struct keep *keep = &world->closed.keep;
    struct missing *items = arena_new_array(&world->arena, struct missing, keep->missing_count + 1);
    for (size_t i = 0; i < keep->missing_count; i++)
        items[i] = keep->missing[i];
    items[keep->missing_count++] = missing;
    keep->missing = items;
}

static void keep_one(struct world *world, struct keep *keep, const struct package *package)
{
    static const struct entry entry = {.path = "/usr/share/some", .kind = ENTRY_FILE};
    struct sourced *file = arena_new(&world->arena, struct sourced);
    *file = (struct sourced){.package = package, .entry = &entry};
    keep->items[keep->count++] = (struct kept){.file = file};
}

/* Keeps a file of each package; what no package ships is missing. */
static bool close_over(const struct order *order, struct closed *closed, struct err *err)
{
    struct world *world = (struct world *)order->catalog;
    const struct opened *opened = &closed->opened;
    (void)err;
    world->closings++;
    closed->keep = (struct keep){.items = arena_new_array(order->arena, struct kept, opened->selection.count)};
    for (size_t i = 0; i < order->manifest->binaries.count; i++) {
        if (!is_shipped(world, opened, order->manifest->binaries.items[i]))
            miss(world, (struct missing){.wanted = order->manifest->binaries.items[i], .needed_by = "the manifest"});
    }
    for (size_t i = 0; i < opened->selection.count; i++) {
        const struct offer *offer = &world->offers[find_offer(world, opened->selection.items[i].name)];
        keep_one(world, &closed->keep, opened->packages[i]);
        if (offer->needs && !is_shipped(world, opened, offer->needs))
            miss(world, (struct missing){.wanted = offer->needs, .needed_by = offer->name});
        if (offer->opens && !is_shipped(world, opened, arena_printf(order->arena, LIB "%s", offer->opens)))
            miss(world, (struct missing){
                            .wanted = offer->opens, .needed_by = offer->name, .is_opened = true, .is_optional = true});
    }
    return true;
}

static void offer(struct world *world, struct offer offer)
{
    assert_true(world->count < OFFERS_MAX);
    world->packages[world->count] = (struct package){.format = &format_deb, .name = offer.name};
    world->offers[world->count++] = offer;
}

static void recipe(struct world *world, const char *package, const char *installs)
{
    struct recipe recipe = {.name = package};
    list_add(&world->arena, &recipe.packages, package);
    if (installs)
        list_add(&world->arena, &recipe.wishes.packages, (struct wish_package){.name = installs});
    list_add(&world->arena, &world->recipes, recipe);
}

static void want(struct world *world, const char *binary)
{
    list_add(&world->arena, &world->manifest.binaries, binary);
}

static bool settle(struct world *world)
{
    static const struct needs_stages stages = {resolve, close_over};
    return needs_settle(&world->order, &stages, &world->closed, &world->err);
}

static void check_words(struct world *world, const struct strings *strings, const char *wanted)
{
    assert_string_equal(strings_join(&world->arena, strings, " "), wanted);
}

/* Asks one source, after a round in which `selected` (may be NULL) was selected. */
static struct need ask(struct world *world, needs_source *source, const char *selected)
{
    struct need need = {0};
    struct asked asked = {0};
    world->closed.asked.wishes = world->manifest.wishes;
    if (selected) {
        list_add(&world->arena, &asked.names, selected);
        CHECK_OK(resolve(&world->order, &asked, &world->closed.opened, &world->err), &world->err);
    }
    CHECK_OK(source(&world->order, &world->closed, &need, &world->err), &world->err);
    return need;
}

static int world_start(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    assert_non_null(world);
    world->catalog = (struct catalog){.kind = &kind, .arch = &world->arch};
    world->catalog.origins.source = arena_new(&world->arena, struct source);
    *(struct source *)world->catalog.origins.source = (struct source){.format = &format_deb, .name = "world"};
    world->arch.name = "x86_64";
    arch_rename(&world->arena, &world->arch, &format_deb, "amd64");
    list_add(&world->arena, &world->arch.library_dirs, "/usr/lib/x86_64-linux-gnu");
    list_add(&world->arena, &world->arch.library_dirs, "/usr/lib");
    world->manifest = (struct manifest){.name = "image", .has_recipes = true};
    world->options.recipes = &world->recipes;
    world->plant = (struct plant){.options = &world->options, .log = log_open(LOG_QUIET)};
    world->order = (struct order){.plant = &world->plant,
                                  .manifest = &world->manifest,
                                  .arch = &world->arch,
                                  .catalog = &world->catalog,
                                  .arena = &world->arena};
    *state = world;
    return 0;
}

static int world_stop(void **state)
{
    struct world *world = *state;
    log_close(world->plant.log);
    arena_done(&world->arena);
    free(world);
    return 0;
}

static void a_manifest_asks_for_whole_packages_and_those_of_its_binaries_each_once(void **state)
{
    struct world *world = *state;
    offer(world, (struct offer){.name = "tool", .ships = "/usr/bin/tool /usr/bin/toolctl"});
    list_add(&world->arena, &world->manifest.wishes.packages, (struct wish_package){.name = "data"});
    want(world, "/usr/bin/tool");
    want(world, "/usr/bin/toolctl");
    struct need need = ask(world, needs_of_manifest, NULL);
    check_words(world, &need.names, "data tool");
    assert_int_equal(need.chosen.count, 2);
    assert_string_equal(need.chosen.items[1].path, "/usr/bin/toolctl");
    assert_string_equal(need.chosen.items[1].choice.why, "the only one");
}

static void a_manifest_without_packages_and_binaries_asks_for_those_of_its_files(void **state)
{
    struct world *world = *state;
    offer(world, (struct offer){.name = "zones", .ships = "/usr/share/zones"});
    list_add(&world->arena, &world->manifest.wishes.files,
             (struct wish_file){.path = "/usr/share/maybe", .is_optional = true});
    list_add(&world->arena, &world->manifest.wishes.files, (struct wish_file){.path = "/usr/share/zo*"});
    list_add(&world->arena, &world->manifest.wishes.files, (struct wish_file){.path = "/usr/share/zones"});
    struct need need = ask(world, needs_of_manifest, NULL);
    check_words(world, &need.names, "zones");
}

static void a_binary_of_no_package_is_an_error_that_names_it(void **state)
{
    struct world *world = *state;
    struct need need = {0};
    want(world, "/usr/bin/none");
    world->closed.asked.wishes = world->manifest.wishes;
    assert_false(needs_of_manifest(&world->order, &world->closed, &need, &world->err));
    CHECK_ERR(&world->err, ERR_RESOLVE, "no package of world for amd64 ships /usr/bin/none");
}

static void a_file_asks_for_the_first_of_its_packages_that_exists(void **state)
{
    struct world *world = *state;
    struct wish_file file = {.path = "/usr/lib/plugin.so"};
    offer(world, (struct offer){.name = "second"});
    offer(world, (struct offer){.name = "third"});
    list_add(&world->arena, &file.packages, "first");
    list_add(&world->arena, &file.packages, "second");
    list_add(&world->arena, &file.packages, "third");
    list_add(&world->arena, &world->manifest.wishes.files, file);
    struct need need = ask(world, needs_of_files, NULL);
    check_words(world, &need.names, "second");
    need = ask(world, needs_of_files, "third");
    check_words(world, &need.names, ""); /* one of them is there */
}

static void an_optional_file_asks_for_no_package(void **state)
{
    struct world *world = *state;
    struct wish_file file = {.path = "/usr/lib/plugin.so", .is_optional = true};
    offer(world, (struct offer){.name = "plugins"});
    list_add(&world->arena, &file.packages, "plugins");
    list_add(&world->arena, &world->manifest.wishes.files, file);
    struct need need = ask(world, needs_of_files, NULL);
    check_words(world, &need.names, "");
}

static void a_dlopen_note_asks_for_the_package_of_the_first_directory_that_has_the_library(void **state)
{
    struct world *world = *state;
    offer(world, (struct offer){.name = "liba2", .ships = "/usr/lib/liba.so"});
    offer(world, (struct offer){.name = "liba", .ships = LIB "liba.so"});
    miss(world, (struct missing){.wanted = "liba.so", .needed_by = "/usr/bin/tool", .is_opened = true});
    miss(world, (struct missing){.wanted = "libneeded.so", .needed_by = "/usr/bin/tool"});
    struct need need = ask(world, needs_of_dlopen, NULL);
    check_words(world, &need.names, "liba");
}

static void a_dlopen_note_does_not_ask_for_what_is_refused_or_never_wanted(void **state)
{
    struct world *world = *state;
    offer(world, (struct offer){.name = "liba", .ships = LIB "liba.so"});
    offer(world, (struct offer){.name = "libb", .ships = LIB "libb.so"});
    miss(world, (struct missing){.wanted = "liba.so", .needed_by = "/usr/bin/tool", .is_opened = true});
    miss(world, (struct missing){.wanted = "libb.so", .needed_by = "/usr/bin/tool", .is_opened = true});
    list_add(&world->arena, &world->manifest.packages_never, "liba");
    list_add(&world->arena, &world->closed.asked.refused, "libb");
    struct need need = ask(world, needs_of_dlopen, NULL);
    check_words(world, &need.names, "");
}

static void a_dlopen_note_fails_when_an_index_cannot_be_had_but_not_when_there_is_none(void **state)
{
    struct world *world = *state;
    struct need need = {0};
    miss(world, (struct missing){.wanted = "liba.so", .needed_by = "/usr/bin/tool", .is_opened = true});
    world->index_fault = ERR_RESOLVE;
    assert_true(needs_of_dlopen(&world->order, &world->closed, &need, &world->err));
    world->index_fault = ERR_NETWORK;
    assert_false(needs_of_dlopen(&world->order, &world->closed, &need, &world->err));
    CHECK_ERR(&world->err, ERR_NETWORK, "liba.so, which /usr/bin/tool opens: no index");
}

static void a_recipe_applies_once_nothing_is_missing_and_only_once(void **state)
{
    struct world *world = *state;
    offer(world, (struct offer){.name = "tool"});
    recipe(world, "tool", "data");
    struct kept kept[1];
    world->closed.keep.items = kept;
    keep_one(world, &world->closed.keep, &world->packages[0]);
    struct need need = ask(world, needs_of_recipes, NULL);
    assert_int_equal(need.applied.count, 1);
    check_words(world, &need.names, "data");
    world->closed.asked.applied = need.applied;
    need = ask(world, needs_of_recipes, NULL);
    assert_int_equal(need.applied.count, 0);
    world->closed.asked.applied = (struct applied){0};
    miss(world, (struct missing){.wanted = "libx.so", .needed_by = "/usr/bin/tool"});
    need = ask(world, needs_of_recipes, NULL);
    assert_int_equal(need.applied.count, 0);
}

static void a_missing_path_asks_for_its_package_unless_it_may_be_missing(void **state)
{
    struct world *world = *state;
    offer(world, (struct offer){.name = "dash", .ships = "/usr/bin/sh"});
    offer(world, (struct offer){.name = "extra", .ships = "/usr/lib/extra.so"});
    miss(world, (struct missing){.wanted = "/usr/lib/extra.so", .needed_by = "/usr/bin/tool", .is_optional = true});
    miss(world, (struct missing){.wanted = "libx.so", .needed_by = "/usr/bin/tool"});
    miss(world, (struct missing){.wanted = "/usr/bin/sh", .needed_by = "/usr/bin/script"});
    struct need need = ask(world, needs_of_paths, NULL);
    check_words(world, &need.names, "dash");
}

static void a_missing_path_of_no_package_is_an_error_that_tells_who_needs_it(void **state)
{
    struct world *world = *state;
    struct need need = {0};
    miss(world, (struct missing){.wanted = "/usr/bin/none", .needed_by = "/usr/bin/script"});
    assert_false(needs_of_paths(&world->order, &world->closed, &need, &world->err));
    CHECK_ERR(&world->err, ERR_RESOLVE, "needed by /usr/bin/script: no package of world");
}

static void a_binary_that_the_first_package_does_not_ship_makes_it_start_over_without_that_rule(void **state)
{
    struct world *world = *state;
    offer(world, (struct offer){.name = "promised"});
    offer(world, (struct offer){.name = "tool", .ships = "/usr/bin/tool"});
    list_add(&world->arena, &world->manifest.packages_first, "promised");
    want(world, "/usr/bin/tool");
    CHECK_OK(settle(world), &world->err);
    check_words(world, &world->closed.asked.names, "tool");
    assert_int_equal(world->closed.asked.chosen.count, 1);
    assert_string_equal(world->closed.asked.chosen.items[0].choice.why, "the only one");
    assert_int_equal(world->closings, 2);
}

static void what_one_round_brings_is_looked_into_in_the_next(void **state)
{
    struct world *world = *state;
    offer(world, (struct offer){.name = "tool", .ships = "/usr/bin/tool", .needs = "/usr/bin/sh"});
    offer(world, (struct offer){.name = "dash", .ships = "/usr/bin/sh", .opens = "libline.so"});
    offer(world, (struct offer){.name = "libline", .ships = LIB "libline.so"});
    offer(world, (struct offer){.name = "data"});
    recipe(world, "libline", "data");
    want(world, "/usr/bin/tool");
    CHECK_OK(settle(world), &world->err);
    check_words(world, &world->closed.asked.names, "tool dash libline data");
    assert_int_equal(world->closed.asked.applied.count, 1);
    assert_int_equal(world->closings, 4);
}

static void files_that_name_packages_are_looked_at_before_any_package_is_opened(void **state)
{
    struct world *world = *state;
    struct wish_file file = {.path = "/usr/lib/plugin.so"};
    list_add(&world->arena, &file.packages, "plugins");
    list_add(&world->arena, &world->manifest.wishes.files, file);
    offer(world, (struct offer){.name = "tool", .ships = "/usr/bin/tool"});
    offer(world, (struct offer){.name = "plugins"});
    want(world, "/usr/bin/tool");
    CHECK_OK(settle(world), &world->err);
    check_words(world, &world->closed.asked.names, "tool plugins");
    assert_int_equal(world->resolved, 2);
    assert_int_equal(world->closings, 1);
}

static void a_dry_run_ends_with_the_selection(void **state)
{
    static const struct needs_stages dry = {resolve, NULL};
    struct world *world = *state;
    offer(world, (struct offer){.name = "tool", .ships = "/usr/bin/tool", .needs = "/usr/bin/none"});
    want(world, "/usr/bin/tool");
    CHECK_OK(needs_settle(&world->order, &dry, &world->closed, &world->err), &world->err);
    assert_int_equal(world->closed.opened.selection.count, 1);
    assert_int_equal(world->closings, 0);
}

static void a_round_without_anything_new_is_the_last(void **state)
{
    struct world *world = *state;
    offer(world, (struct offer){.name = "tool", .ships = "/usr/bin/tool", .needs = "libnone.so"});
    want(world, "/usr/bin/tool");
    assert_false(settle(world));
    CHECK_ERR(&world->err, ERR_RESOLVE,
              "libnone.so, needed by tool, is in none of the selected packages; searched: tool");
    assert_int_equal(world->closings, 1);
}

/* A chain of packages, each with a recipe that installs the next. */
static void chain(struct world *world, size_t count)
{
    want(world, "/usr/bin/tool");
    for (size_t i = 0; i < count; i++) {
        const char *name = arena_printf(&world->arena, "p%zu", i);
        offer(world, (struct offer){.name = name, .ships = i ? NULL : "/usr/bin/tool"});
        if (i + 1 < count)
            recipe(world, name, arena_printf(&world->arena, "p%zu", i + 1));
    }
}

static void sixteen_rounds_are_done(void **state)
{
    struct world *world = *state;
    chain(world, NEEDS_MAX_ROUNDS);
    CHECK_OK(settle(world), &world->err);
    assert_int_equal(world->closed.asked.names.count, NEEDS_MAX_ROUNDS);
    assert_int_equal(world->closings, NEEDS_MAX_ROUNDS);
}

static void a_seventeenth_round_is_an_error(void **state)
{
    struct world *world = *state;
    chain(world, NEEDS_MAX_ROUNDS + 1);
    assert_false(settle(world));
    CHECK_ERR(&world->err, ERR_RESOLVE,
              "recipes keep asking for packages, and these bring further ones: more than 16 rounds, now for p16");
    assert_int_equal(world->closings, NEEDS_MAX_ROUNDS);
}

/* A chain of libraries, each of which opens the next; the first is the tool. */
static void open_chain(struct world *world, size_t count)
{
    struct arena *arena = &world->arena;
    want(world, "/usr/bin/tool");
    for (size_t i = 0; i < count; i++) {
        offer(world, (struct offer){.name = arena_printf(arena, "lib%zu", i),
                                    .ships = i ? arena_printf(arena, LIB "lib%zu.so", i) : "/usr/bin/tool",
                                    .opens = i + 1 < count ? arena_printf(arena, "lib%zu.so", i + 1) : NULL});
    }
}

static void the_end_of_a_long_chain_of_recommended_libraries_is_left_out_with_a_note(void **state)
{
    struct world *world = *state;
    open_chain(world, NEEDS_MAX_ROUNDS + 4);
    CHECK_OK(settle(world), &world->err);
    assert_int_equal(world->closed.asked.names.count, NEEDS_MAX_ROUNDS);
    check_words(
        world, &world->closed.keep.notes,
        "left out after 16 rounds in which dlopen notes asked for packages, and these brought further ones: lib16");
}

static void rounds_of_recommended_libraries_are_not_counted_for_recipes(void **state)
{
    struct world *world = *state;
    open_chain(world, NEEDS_MAX_ROUNDS + 1);
    offer(world, (struct offer){.name = "data"});
    recipe(world, "lib15", "data");
    CHECK_OK(settle(world), &world->err);
    assert_true(strings_has(&world->closed.asked.names, "data"));
    assert_int_equal(world->closed.keep.notes.count, 1);
}

static void a_required_library_at_the_end_of_a_long_chain_is_missing_for_the_true_reason(void **state)
{
    struct world *world = *state;
    open_chain(world, NEEDS_MAX_ROUNDS + 1);
    world->offers[NEEDS_MAX_ROUNDS - 1].needs = "libother.so";
    assert_false(settle(world));
    CHECK_ERR(&world->err, ERR_RESOLVE,
              "in which dlopen notes asked for packages, and these brought further ones: lib16: "
              "libother.so, needed by lib15, is in none of the selected packages");
}

static void a_recommended_library_that_cannot_be_installed_is_left_out_and_not_asked_for_again(void **state)
{
    struct world *world = *state;
    offer(world, (struct offer){.name = "tool", .ships = "/usr/bin/tool", .opens = "libodd.so"});
    offer(world, (struct offer){.name = "libodd", .ships = LIB "libodd.so", .against = "tool"});
    want(world, "/usr/bin/tool");
    CHECK_OK(settle(world), &world->err);
    check_words(world, &world->closed.asked.names, "tool");
    check_words(world, &world->closed.asked.refused, "libodd");
    assert_int_equal(world->resolved, 3);
    assert_int_equal(world->err.kind, ERR_NONE);
}

static void only_what_was_recommended_last_is_left_out_when_it_cannot_be_installed(void **state)
{
    struct world *world = *state;
    offer(world, (struct offer){.name = "tool", .ships = "/usr/bin/tool", .opens = "libgood.so"});
    offer(world, (struct offer){.name = "libgood", .ships = LIB "libgood.so", .opens = "libodd.so"});
    offer(world, (struct offer){.name = "libodd", .ships = LIB "libodd.so", .against = "tool"});
    want(world, "/usr/bin/tool");
    CHECK_OK(settle(world), &world->err);
    check_words(world, &world->closed.asked.names, "tool libgood");
    check_words(world, &world->closed.asked.refused, "libodd");
}

static void what_is_required_and_cannot_be_installed_is_an_error_at_once(void **state)
{
    struct world *world = *state;
    offer(world, (struct offer){.name = "tool", .ships = "/usr/bin/tool", .needs = "/usr/bin/sh"});
    offer(world, (struct offer){.name = "dash", .ships = "/usr/bin/sh", .against = "tool"});
    want(world, "/usr/bin/tool");
    assert_false(settle(world));
    CHECK_ERR(&world->err, ERR_RESOLVE, "dash conflicts with tool");
    assert_int_equal(world->resolved, 2);
}

static void what_was_recommended_before_does_not_make_a_later_conflict_harmless(void **state)
{
    struct world *world = *state;
    offer(world, (struct offer){.name = "tool", .ships = "/usr/bin/tool", .opens = "libgood.so"});
    offer(world, (struct offer){.name = "libgood", .ships = LIB "libgood.so", .needs = "/usr/bin/sh"});
    offer(world, (struct offer){.name = "dash", .ships = "/usr/bin/sh", .against = "tool"});
    want(world, "/usr/bin/tool");
    assert_false(settle(world));
    CHECK_ERR(&world->err, ERR_RESOLVE, "dash conflicts with tool");
}

static void a_path_that_a_selected_first_package_has_not_is_looked_for_in_the_others(void **state)
{
    struct world *world = *state;
    offer(world, (struct offer){.name = "tool", .ships = "/usr/bin/tool", .needs = "/usr/bin/sh"});
    offer(world, (struct offer){.name = "dash", .ships = "/usr/bin/sh"});
    list_add(&world->arena, &world->manifest.packages_first, "tool");
    want(world, "/usr/bin/tool");
    CHECK_OK(settle(world), &world->err);
    check_words(world, &world->closed.asked.names, "tool dash");
}

static void a_required_library_is_named_although_many_recommended_ones_are_missing_before_it(void **state)
{
    struct world *world = *state;
    want(world, "/usr/bin/tool");
    offer(world, (struct offer){.name = "tool", .ships = "/usr/bin/tool"});
    for (size_t i = 0; i < 12; i++) {
        const char *name = arena_printf(&world->arena, "part%zu", i);
        offer(world, (struct offer){.name = name, .opens = "libmaybe.so"});
        list_add(&world->arena, &world->manifest.wishes.packages, (struct wish_package){.name = name});
    }
    offer(world, (struct offer){.name = "last", .needs = "libneeded.so"});
    list_add(&world->arena, &world->manifest.wishes.packages, (struct wish_package){.name = "last"});
    assert_false(settle(world));
    CHECK_ERR(&world->err, ERR_RESOLVE,
              "libneeded.so, needed by last, is in none of the selected packages; searched: part0 part1");
    assert_int_equal(strncmp(world->err.text, "libneeded.so", strlen("libneeded.so")), 0);
}

static void of_many_missing_libraries_ten_are_named_and_the_others_counted(void **state)
{
    struct world *world = *state;
    want(world, "/usr/bin/tool");
    offer(world, (struct offer){.name = "tool", .ships = "/usr/bin/tool"});
    for (size_t i = 0; i < 12; i++) {
        const char *name = arena_printf(&world->arena, "part%zu", i);
        offer(world, (struct offer){.name = name, .needs = arena_printf(&world->arena, "libnone%zu.so", i)});
        list_add(&world->arena, &world->manifest.wishes.packages, (struct wish_package){.name = name});
    }
    assert_false(settle(world));
    CHECK_ERR(&world->err, ERR_RESOLVE,
              "; libnone9.so, needed by part9, is in none of the selected packages; and 2 more;");
}

#define IN_WORLD(function) cmocka_unit_test_setup_teardown(function, world_start, world_stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(a_manifest_asks_for_whole_packages_and_those_of_its_binaries_each_once),
        IN_WORLD(a_manifest_without_packages_and_binaries_asks_for_those_of_its_files),
        IN_WORLD(a_binary_of_no_package_is_an_error_that_names_it),
        IN_WORLD(a_file_asks_for_the_first_of_its_packages_that_exists),
        IN_WORLD(an_optional_file_asks_for_no_package),
        IN_WORLD(a_dlopen_note_asks_for_the_package_of_the_first_directory_that_has_the_library),
        IN_WORLD(a_dlopen_note_does_not_ask_for_what_is_refused_or_never_wanted),
        IN_WORLD(a_dlopen_note_fails_when_an_index_cannot_be_had_but_not_when_there_is_none),
        IN_WORLD(a_recipe_applies_once_nothing_is_missing_and_only_once),
        IN_WORLD(a_missing_path_asks_for_its_package_unless_it_may_be_missing),
        IN_WORLD(a_missing_path_of_no_package_is_an_error_that_tells_who_needs_it),
        IN_WORLD(a_binary_that_the_first_package_does_not_ship_makes_it_start_over_without_that_rule),
        IN_WORLD(what_one_round_brings_is_looked_into_in_the_next),
        IN_WORLD(files_that_name_packages_are_looked_at_before_any_package_is_opened),
        IN_WORLD(a_dry_run_ends_with_the_selection),
        IN_WORLD(a_round_without_anything_new_is_the_last),
        IN_WORLD(sixteen_rounds_are_done),
        IN_WORLD(a_seventeenth_round_is_an_error),
        IN_WORLD(the_end_of_a_long_chain_of_recommended_libraries_is_left_out_with_a_note),
        IN_WORLD(rounds_of_recommended_libraries_are_not_counted_for_recipes),
        IN_WORLD(a_required_library_at_the_end_of_a_long_chain_is_missing_for_the_true_reason),
        IN_WORLD(a_recommended_library_that_cannot_be_installed_is_left_out_and_not_asked_for_again),
        IN_WORLD(only_what_was_recommended_last_is_left_out_when_it_cannot_be_installed),
        IN_WORLD(what_is_required_and_cannot_be_installed_is_an_error_at_once),
        IN_WORLD(what_was_recommended_before_does_not_make_a_later_conflict_harmless),
        IN_WORLD(a_path_that_a_selected_first_package_has_not_is_looked_for_in_the_others),
        IN_WORLD(a_required_library_is_named_although_many_recommended_ones_are_missing_before_it),
        IN_WORLD(of_many_missing_libraries_ten_are_named_and_the_others_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
