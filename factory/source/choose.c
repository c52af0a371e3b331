/* SPDX-License-Identifier: Apache-2.0 */
#include "source/choose.h"

#include "base/auto.h"
#include "plan/arch.h"
#include "source/format.h"

/* One of several packages that ship the path, with the size of its solution. */
struct candidate {
    const struct catalog *catalog;
    const char *name;
    struct strings never;
    bool is_older_fine;
    size_t count; /* packages of its solution; SIZE_MAX when it has none */
    struct err err;
};

static void count_task(void *item)
{
    struct candidate *candidate = item;
    AUTO(arena_done) struct arena scratch = {0};
    struct solve_request request = {.never = candidate->never, .is_older_fine = candidate->is_older_fine};
    struct selection selection;
    list_add(&scratch, &request.names, candidate->name);
    candidate->count = solve_packages(&scratch, candidate->catalog, &request, &selection, &candidate->err)
                           ? selection.count
                           : SIZE_MAX;
}

static bool is_before(const struct candidate *a, const struct candidate *b)
{
    size_t a_len = strlen(a->name), b_len = strlen(b->name);
    if (a->count != b->count)
        return a->count < b->count;
    return a_len != b_len ? a_len < b_len : strcmp(a->name, b->name) < 0;
}

static const char *describe(struct arena *arena, const struct candidate *candidates, size_t count,
                            const struct candidate *best)
{
    struct strings others = {0};
    for (size_t i = 0; i < count; i++) {
        const struct candidate *candidate = &candidates[i];
        if (candidate != best)
            list_add(arena, &others,
                     candidate->count == SIZE_MAX ? arena_printf(arena, "%s cannot be installed", candidate->name)
                                                  : arena_printf(arena, "%s %zu", candidate->name, candidate->count));
    }
    return arena_printf(arena, "fewest packages (%zu; %s)", best->count, strings_join(arena, &others, ", "));
}

/* Solves for each candidate and takes the one with the smallest solution. */
static bool choose_smallest(struct arena *arena, struct workers *workers, const struct catalog *catalog,
                            const struct choose_request *request, const struct strings *names, struct choice *choice,
                            struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct candidate *candidates = arena_new_array(&scratch, struct candidate, names->count);
    void **items = arena_new_array(&scratch, void *, names->count);
    for (size_t i = 0; i < names->count; i++) {
        candidates[i] = (struct candidate){.catalog = catalog,
                                           .name = names->items[i],
                                           .never = request->never ? *request->never : (struct strings){0},
                                           .is_older_fine = request->is_older_fine};
        items[i] = &candidates[i];
    }
    workers_run_all(workers, count_task, items, names->count);
    const struct candidate *best = &candidates[0];
    for (size_t i = 1; i < names->count; i++) {
        if (is_before(&candidates[i], best))
            best = &candidates[i];
    }
    if (best->count == SIZE_MAX) {
        *err = best->err;
        return false;
    }
    choice->package = best->name;
    choice->why = describe(arena, candidates, names->count, best);
    return true;
}

static bool is_never(const struct choose_request *request, const char *name)
{
    return request->never && strings_has(request->never, name);
}

/* Takes the first of `packages: first` that `catalog` (or, with `owners`, that list) has. */
static const char *find_first(const struct choose_request *request, const struct catalog *catalog,
                              const struct strings *owners)
{
    for (size_t i = 0; request->first && i < request->first->count; i++) {
        const char *name = request->first->items[i];
        if (!is_never(request, name) && (owners ? strings_has(owners, name) : catalog_has(catalog, name, false)))
            return name;
    }
    return NULL;
}

static const char *find_named(const struct strings *owners, const char *name)
{
    return name && strings_has(owners, name) ? name : NULL;
}

static bool fail_none(struct arena *arena, const struct catalog *catalog, const struct choose_request *request,
                      const struct strings *refused, const char *hint, struct err *err)
{
    const char *slash = strrchr(request->path, '/');
    const char *near =
        refused->count || hint ? NULL : catalog_nearest(catalog, arena, slash ? slash + 1 : request->path);
    const char *more = refused->count
                           ? arena_printf(arena, "; packages: never leaves out %s", strings_join(arena, refused, ", "))
                       : hint ? arena_printf(arena, "; %s", hint)
                       : near ? arena_printf(arena, "; there is a package %s: imgfactory find %s", near, near)
                              : "";
    err_set(err, ERR_RESOLVE, "no package of %s for %s ships %s%s", catalog->origins.source->name,
            arch_name(catalog->arch, catalog->origins.source->format->arch_keys->key), request->path, more);
    return false;
}

/* Applies the rules that need no solver. */
static bool choose_by_name(const struct choose_request *request, const struct strings *owners, struct choice *choice)
{
    const char *slash = strrchr(request->path, '/');
    if ((choice->package = find_first(request, NULL, owners)))
        choice->why = "first in the manifest";
    else if (owners->count == 1 && (choice->package = owners->items[0]))
        choice->why = "the only one";
    else if ((choice->package = find_named(owners, request->image_name)))
        choice->why = "named like the image";
    else if ((choice->package = find_named(owners, slash ? slash + 1 : request->path)))
        choice->why = "named like the binary";
    return choice->package != NULL;
}

/* Whether the package can still be the one. */
static bool is_left(const struct choose_request *request, const struct catalog *catalog, const char *name)
{
    bool is_looked_into = request->looked && strings_has(request->looked, name);
    return !is_looked_into && !is_never(request, name) && catalog_has(catalog, name, false);
}

/* Nothing ships it, but scripts may make it (update-alternatives): the next of `packages: first` that was not looked into. */
static const char *find_next(const struct choose_request *request, const struct catalog *catalog)
{
    for (size_t i = 0; request->first && i < request->first->count; i++) {
        const char *name = request->first->items[i];
        if (name && is_left(request, catalog, name))
            return name;
    }
    return NULL;
}

/* The package of a program that every system has (sh, env), as the family tells. */
static const char *find_tool(const struct choose_request *request, const struct catalog *catalog, const char *base)
{
    const struct family *family = catalog->family;
    for (size_t i = 0; family && i < family->tools.count; i++) {
        const struct family_tools *tools = &family->tools.items[i];
        for (size_t j = 0; j < tools->programs.count; j++) {
            const char *program = tools->programs.items[j], *slash = strrchr(program, '/');
            if (strcmp(slash ? slash + 1 : program, base) == 0 && is_left(request, catalog, tools->package))
                return tools->package;
        }
    }
    return NULL;
}

/* A part of the package that is named like the program, on which that one depends: perl has its program in perl-base. */
static const char *find_part(struct arena *arena, const struct choose_request *request, const struct catalog *catalog,
                             const char *base)
{
    struct catalog_package described = {0};
    struct err ignored = {0};
    const char *prefix = arena_printf(arena, "%s-", base);
    bool is_found = false;
    if (!catalog_has(catalog, base, false) ||
        !catalog_describe(catalog, arena, base, &described, &is_found, &ignored) || !is_found)
        return NULL;
    for (size_t i = 0; i < described.depends.count; i++) {
        const char *name = described.depends.items[i];
        if (text_has_prefix(text_of(name), prefix) && is_left(request, catalog, name))
            return name;
    }
    return NULL;
}

/* Guesses the package of a program, the likeliest first; NULL when there is none that was not looked into. */
static const char *guess_program(struct arena *arena, const struct catalog *catalog,
                                 const struct choose_request *request, const char *base, const char **ret_why)
{
    const char *name = find_tool(request, catalog, base);
    *ret_why = "which has it on every system, and " CHOICE_BLIND;
    if (!name && is_left(request, catalog, base)) {
        name = base;
        *ret_why = "named like the binary, and " CHOICE_BLIND;
    }
    if (!name && (name = find_part(arena, request, catalog, base)))
        *ret_why = "named like the binary, and " CHOICE_BLIND;
    if (!name && request->image_name && is_left(request, catalog, request->image_name)) {
        name = request->image_name;
        *ret_why = "named like the image, and " CHOICE_BLIND;
    }
    return name;
}

/* Takes a package by its name, since no index of paths can be asked; `err` says why not. */
static bool choose_blindly(struct arena *arena, const struct catalog *catalog, const struct choose_request *request,
                           struct choice *ret_choice, struct err *err)
{
    const char *slash = strrchr(request->path, '/'), *base = slash ? slash + 1 : request->path;
    bool is_program = slash && text_has_suffix((struct text){request->path, (size_t)(slash - request->path)}, "bin");
    struct choice choice = {.is_from_first = true, .why = "first in the manifest"};
    if (err->kind != ERR_RESOLVE && err->kind != ERR_NETWORK && err->kind != ERR_TRUST)
        return false;
    choice.package = find_next(request, catalog);
    if (is_program && !choice.package)
        choice.package = guess_program(arena, catalog, request, base, &choice.why);
    if (choice.package) {
        choice.without_paths = err->kind == ERR_RESOLVE ? NULL : arena_strdup(arena, err->text);
        err_clear(err);
        choice.package = arena_strdup(arena, choice.package);
        *ret_choice = choice;
        return true;
    }
    struct err cause = *err;
    if (cause.kind == ERR_RESOLVE) /* it says so itself */
        return false;
    err_clear(err);
    err_set(err, cause.kind, "%s; what ships %s can be named in the manifest under packages: first", cause.text,
            request->path);
    err->detail = cause.detail;
    return false;
}

/* The first that a package depends on which is called as the daemon is: that one is what people mean by the name. */
static bool choose_by_namesake(struct arena *arena, const struct catalog *catalog, const struct choose_request *request,
                               const struct strings *owners, struct choice *choice, struct err *err)
{
    const char *slash = strrchr(request->path, '/');
    struct text base = text_of(slash ? slash + 1 : request->path);
    for (int i = 0; request->is_service && i < 2 && base.len && !choice->package; i++, base.len--) {
        const char *name = text_dup(arena, base);
        struct catalog_package described = {0};
        bool is_found;
        if (i && base.ptr[base.len] != 'd')
            break;
        if (!catalog_describe(catalog, arena, name, &described, &is_found, err))
            return false;
        for (size_t j = 0; j < described.depends.count && !choice->package; j++)
            choice->package = find_named(owners, described.depends.items[j]);
        if (choice->package)
            choice->why = arena_printf(arena, "the package %s depends on it", name);
    }
    return true;
}

/* Applies the rules to several packages that ship it. */
static bool choose_owner(struct arena *arena, struct workers *workers, const struct catalog *catalog,
                         const struct choose_request *request, const struct strings *owners, struct choice *choice,
                         struct err *err)
{
    if (choose_by_name(request, owners, choice))
        return true;
    if (!choose_by_namesake(arena, catalog, request, owners, choice, err))
        return false;
    return choice->package || choose_smallest(arena, workers, catalog, request, owners, choice, err);
}

bool choose_package(struct arena *arena, struct workers *workers, struct catalog *catalog,
                    const struct choose_request *request, struct choice *ret_choice, struct err *err)
{
    struct choice choice = {0};
    const char *first = request->is_first_ignored ? NULL : find_first(request, catalog, NULL);
    if (first) {
        *ret_choice = (struct choice){
            .package = arena_strdup(arena, first), .why = "first in the manifest", .is_from_first = true};
        return true;
    }
    struct strings shippers = {0}, owners = {0}, refused = {0};
    const char *hint = NULL;
    if (!catalog_owners(catalog, arena, request->path, &shippers, &hint, err))
        return choose_blindly(arena, catalog, request, ret_choice, err);
    for (size_t i = 0; i < shippers.count; i++) {
        if (is_never(request, shippers.items[i]))
            list_add(arena, &refused, shippers.items[i]);
        else
            list_add(arena, &owners, shippers.items[i]);
    }
    if (!shippers.count && (first = find_next(request, catalog))) {
        *ret_choice = (struct choice){
            .package = arena_strdup(arena, first), .why = "the next in the manifest", .is_from_first = true};
        return true;
    }
    if (!owners.count)
        return fail_none(arena, catalog, request, &refused, hint, err);
    if (!choose_owner(arena, workers, catalog, request, &owners, &choice, err)) {
        err_wrap(err, "%s is shipped by %s", request->path, strings_join(arena, &owners, ", "));
        return false;
    }
    for (size_t i = 0; i < owners.count; i++) {
        if (strcmp(owners.items[i], choice.package) != 0)
            list_add(arena, &choice.others, owners.items[i]);
    }
    *ret_choice = choice;
    return true;
}
