/* SPDX-License-Identifier: Apache-2.0 */
#include "source/solve.h"

#include "base/auto.h"
#include "base/url.h"
#include "deb/deb_arch.h"
#include "deb/deb_greedy.h"
#include "deb/deb_wanted.h"

#include <stdlib.h>

#define PROBLEM_LINES_MAX 20

/* One call of the solver. */
struct solving {
    struct solve_pool solve;
    const struct solve_request *request;
    Id *requested; /* relation of each requested name */
    Queue job, picked;
    Solver *solver;
    Map installed, needed, likely;
};

static void solving_done(struct solving *solving)
{
    if (solving->solver)
        solver_free(solving->solver);
    queue_free(&solving->job);
    queue_free(&solving->picked);
    map_free(&solving->installed);
    map_free(&solving->needed);
    map_free(&solving->likely);
    solve_pool_done(&solving->solve);
}

/* The names first, then apt's choices as weak wishes, which never cause a problem. */
static void make_job(struct solving *solving)
{
    struct solve_pool *solve = &solving->solve;
    size_t count = solve->wanted.names.count;
    solving->requested = arena_new_array(&solve->arena, Id, count);
    for (size_t i = 0; i < count; i++) {
        solving->requested[i] = solve_requested_id(solve, solve->wanted.names.items[i]);
        queue_push2(&solving->job, SOLVER_INSTALL | SOLVER_SOLVABLE_NAME, solving->requested[i]);
    }
    solve_greedy(solve, solving->requested, count, &solving->picked);
    for (int i = 0; i < solving->picked.count; i++)
        queue_push2(&solving->job, SOLVER_INSTALL | SOLVER_WEAK | SOLVER_SOLVABLE, solving->picked.elements[i]);
}

static void add_line(struct arena *arena, struct strings *lines, const char *line)
{
    char *flat = arena_strdup(arena, line ? line : "");
    text_flatten(flat);
    if (*flat && lines->count < PROBLEM_LINES_MAX && !strings_has(lines, flat))
        list_add(arena, lines, flat);
}

/* Explains one problem: libsolv's summary, then every rule that takes part. */
static void explain_problem(struct solving *solving, struct arena *arena, Id problem, struct strings *lines)
{
    Queue rules;
    queue_init(&rules);
    add_line(arena, lines, solver_problem2str(solving->solver, problem));
    solver_findallproblemrules(solving->solver, problem, &rules);
    for (int i = 0; i < rules.count; i++) {
        Id source, target, dep;
        SolverRuleinfo type = solver_ruleinfo(solving->solver, rules.elements[i], &source, &target, &dep);
        if (type != SOLVER_RULE_JOB)
            add_line(arena, lines, solver_problemruleinfo2str(solving->solver, type, source, target, dep));
    }
    queue_free(&rules);
}

/* Says of which packages an error tells that does not. */
static bool fail_wrapped(const struct solving *solving, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    err_wrap(err, "%s for %s", strings_join(&scratch, &solving->request->names, ", "),
             deb_arch(solving->solve.catalog->base.arch));
    return false;
}

static void explain(struct solving *solving, int problem_count, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct strings lines = {0};
    struct strings names = solving->request->names, left_out = solving->solve.left_out;
    for (Id problem = 1; problem <= problem_count; problem++)
        explain_problem(solving, &scratch, problem, &lines);
    for (size_t i = 0; i < left_out.count; i++)
        add_line(&scratch, &lines, arena_printf(&scratch, "left out: %s", left_out.items[i]));
    err_set(err, ERR_RESOLVE, "%s for %s cannot be installed:\n  %s", strings_join(&scratch, &names, ", "),
            deb_arch(solving->solve.catalog->base.arch), strings_join(&scratch, &lines, "\n  "));
}

static void read_solution(struct solving *solving)
{
    Queue decisions;
    queue_init(&decisions);
    solver_get_decisionqueue(solving->solver, &decisions);
    for (int i = 0; i < decisions.count; i++) {
        if (decisions.elements[i] > SYSTEMSOLVABLE && solving->solve.by_id[decisions.elements[i]])
            solv_map_set(&solving->installed, decisions.elements[i]);
    }
    queue_free(&decisions);
}

/* Returns whether all that the base has stays, itself or as a newer version; libsolv is not told that anything else would
 * do. */
static bool check_kept(const struct solving *solving, struct err *err)
{
    const struct solve_pool *solve = &solving->solve;
    AUTO(arena_done) struct arena scratch = {0};
    struct map named = {.arena = &scratch};
    for (size_t i = 0; i < solve->items.count; i++) {
        if (MAPTST(&solving->installed, solve->items.items[i].id))
            map_set(&named, solve->items.items[i].stanza.name, (void *)&solve->items.items[i]);
    }
    for (size_t i = 0; i < solve->installed.count; i++) {
        const struct solve_item *item = &solve->installed.items[i], *next = map_get(&named, item->stanza.name);
        if (solver_get_decisionlevel(solving->solver, item->id) <= 0 && !next) {
            err_set(err, ERR_RESOLVE, "the base's package %s would have to be removed",
                    text_dup(&scratch, item->stanza.name));
            return false;
        }
    }
    return true;
}

/* The chosen versions that take the place of the base's. */
static void find_replacing(const struct solving *solving, Queue *ret_ids)
{
    const struct solve_pool *solve = &solving->solve;
    for (size_t i = 0; i < solve->items.count; i++) {
        const struct solve_item *item = &solve->items.items[i];
        if (MAPTST(&solving->installed, item->id) && solve_installed(solve, item->stanza.name))
            queue_pushunique(ret_ids, item->id);
    }
}

static bool is_library(const struct deb_stanza *stanza)
{
    return text_has_prefix(stanza->name, "lib") || text_is(stanza->section, "libs") ||
           text_has_suffix(stanza->section, "/libs");
}

/* The installed packages of the requested names. */
static void find_requested(const struct solving *solving, Queue *ret_ids)
{
    Pool *pool = solving->solve.pool;
    for (size_t i = 0; i < solving->solve.wanted.names.count; i++) {
        Id name = solving->requested[i], id, at;
        while (ISRELDEP(name))
            name = GETRELDEP(pool, name)->name;
        FOR_PROVIDES(id, at, solving->requested[i])
        {
            if (MAPTST(&solving->installed, id) && pool_id2solvable(pool, id)->name == name)
                queue_pushunique(ret_ids, id);
        }
    }
}

/* Returns whether `item` is of the requested packages' own sources, or a library. */
static bool is_near(const struct solving *solving, const Queue *requested, const struct solve_item *item)
{
    if (is_library(&item->stanza))
        return true;
    for (int i = 0; i < requested->count; i++) {
        const struct solve_item *asked = solving->solve.by_id[requested->elements[i]];
        if (asked == item || text_eq(asked->source, item->source))
            return true;
    }
    return false;
}

/* Walks from the requested packages along dependencies inside the solution; with is_near_only, through near packages
 * only. */
static void walk(struct solving *solving, const Queue *requested, bool is_near_only, Map *ret_reached)
{
    Pool *pool = solving->solve.pool;
    Queue queue;
    queue_init_clone(&queue, requested);
    for (int i = 0; i < queue.count; i++)
        solv_map_set(ret_reached, queue.elements[i]);
    for (int done = 0; done < queue.count; done++) {
        const struct solve_item *item = solving->solve.by_id[queue.elements[done]];
        for (size_t i = 0; i < item->clause_count; i++) {
            Id id, at;
            FOR_PROVIDES(id, at, item->clauses[i])
            {
                if (!MAPTST(&solving->installed, id) || MAPTST(ret_reached, id) ||
                    (is_near_only && !is_near(solving, requested, solving->solve.by_id[id])))
                    continue;
                solv_map_set(ret_reached, id);
                queue_push(&queue, id);
            }
        }
    }
    queue_free(&queue);
}

static struct selected make_selected(struct arena *arena, const struct deb_catalog *catalog,
                                     const struct solve_item *item, bool is_likely)
{
    const struct deb_stanza *stanza = &item->stanza;
    struct checksum *sha512 = item->has_sha512 ? arena_new(arena, struct checksum) : NULL;
    if (sha512)
        *sha512 = item->sha512;
    return (struct selected){.name = text_dup(arena, stanza->name),
                             .version = text_dup(arena, stanza->version),
                             .architecture = text_dup(arena, stanza->architecture),
                             .source_package = text_dup(arena, item->source),
                             .source_version = text_dup(arena, item->source_version),
                             .section = stanza->section.len ? text_dup(arena, stanza->section) : NULL,
                             .url_path = url_escape(arena, text_dup(arena, stanza->filename), URL_SPECIAL),
                             .origin = deb_catalog_origin(catalog, item->index->release),
                             .candidate_version =
                                 item->candidate_version.len ? text_dup(arena, item->candidate_version) : NULL,
                             .size_bytes = item->size_bytes,
                             .digest = item->digest,
                             .sha512 = sha512,
                             .is_likely = is_likely};
}

/* Tells what another maker's repository has under the same name. What is broken there was no candidate, and is told by who reads it. */
static void find_other(struct arena *arena, const struct deb_catalog *catalog, const struct solve_item *item,
                       struct selected *selected)
{
    struct solve_item other;
    struct err ignored = {0};
    bool is_found;
    if (catalog->base.origins.count < 2 || !solve_find_anothers(catalog, item, &other, &is_found, &ignored) ||
        !is_found)
        return;
    selected->other_origin = deb_catalog_origin(catalog, other.index->release);
    selected->other_version = text_dup(arena, other.stanza.version);
}

static int compare_selected(const void *a, const void *b)
{
    return strcmp(((const struct selected *)a)->name, ((const struct selected *)b)->name);
}

/* Copies the solution. A wish that nothing in the solution needs (the solver had to choose otherwise) is dropped. */
static void make_selection(struct arena *arena, struct solving *solving, struct selection *ret_selection)
{
    Queue requested;
    queue_init(&requested);
    find_requested(solving, &requested);
    find_replacing(solving, &requested);
    walk(solving, &requested, false, &solving->needed);
    walk(solving, &requested, true, &solving->likely);
    queue_free(&requested);
    struct selection selection = {.items = arena_new_array(arena, struct selected, solving->solve.items.count)};
    for (size_t i = 0; i < solving->solve.items.count; i++) {
        const struct solve_item *item = &solving->solve.items.items[i];
        if (!MAPTST(&solving->needed, item->id))
            continue;
        const struct solve_item *former = solve_installed(&solving->solve, item->stanza.name);
        struct selected selected =
            make_selected(arena, solving->solve.catalog, item, MAPTST(&solving->likely, item->id));
        find_other(arena, solving->solve.catalog, item, &selected);
        selected.replaces_version = former ? text_dup(arena, former->stanza.version) : NULL;
        deb_wanted_stands(&solving->solve, arena, item->stanza.name, &selected.stands_for);
        selection.items[selection.count++] = selected;
    }
    if (selection.count)
        qsort(selection.items, selection.count, sizeof *selection.items, compare_selected);
    *ret_selection = selection;
}

bool deb_catalog_solve(struct arena *arena, const struct catalog *any, const struct solve_request *request,
                       struct selection *ret_selection, struct err *err)
{
    const struct deb_catalog *catalog = deb_catalog_of_const(any);
    AUTO(solving_done) struct solving solving = {.request = request};
    queue_init(&solving.job);
    queue_init(&solving.picked);
    if (!solve_pool_init(&solving.solve, catalog, request, err))
        return false;
    Pool *pool = solving.solve.pool;
    map_init(&solving.installed, pool->nsolvables);
    map_init(&solving.needed, pool->nsolvables);
    map_init(&solving.likely, pool->nsolvables);
    make_job(&solving);
    solving.solver = solver_create(pool);
    solver_set_flag(solving.solver, SOLVER_FLAG_IGNORE_RECOMMENDED, 1);
    int problem_count;
    if (!solve_watch_run(&solving.solve.watch, solving.solver, &solving.job, &problem_count, err))
        return fail_wrapped(&solving, err);
    if (problem_count) {
        explain(&solving, problem_count, err);
        return false;
    }
    read_solution(&solving);
    if (!check_kept(&solving, err))
        return fail_wrapped(&solving, err);
    make_selection(arena, &solving, ret_selection);
    return true;
}

bool deb_catalog_identity(struct arena *arena, const struct catalog *any, const struct selection *selection,
                          struct selected *ret_selected, bool *ret_found, struct err *err)
{
    (void)selection; /* there is but one of that name */
    const struct deb_catalog *catalog = deb_catalog_of_const(any);
    struct solve_item best = {0};
    for (size_t i = 0; i < catalog->indices.count; i++) {
        struct deb_hits hits =
            deb_index_find(&catalog->indices.items[i].index, text_of(catalog->base.family->identity_package));
        uint32_t number;
        bool is_virtual;
        while (deb_index_next(&hits, &number, &is_virtual)) {
            struct solve_item item;
            const char *why;
            if (is_virtual)
                continue;
            if (!solve_item_read(catalog, &catalog->indices.items[i], number, &item, &why, err))
                return false;
            if (!why && solve_is_own_arch(catalog, &item) && (!best.index || solve_compare(&item, &best) > 0))
                best = item;
        }
    }
    *ret_found = best.index != NULL;
    if (best.index)
        *ret_selected = make_selected(arena, catalog, &best, true);
    return true;
}
