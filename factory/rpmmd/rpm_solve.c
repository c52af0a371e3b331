/* SPDX-License-Identifier: Apache-2.0 */
/* Solving as dnf does it, on an empty root or on what a base has: libdnf's flags, and its way of turning a name into a
 * job, with `best` as Fedora's dnf5 and RHEL's dnf.conf have it: of what is asked for only the best candidate; what that
 * depends on may be older than the newest when the newest cannot be installed. */
#include "rpmmd/rpm_catalog_parts.h"

#include "base/auto.h"
#include "rpmmd/rpm_arch.h"
#include "rpmmd/rpm_pool_installed.h"
#include "rpmmd/rpm_wanted.h"

#define PROBLEM_LINES_MAX 20

/* Packages of which several versions may be installed (dnf.conf's installonlypkgs). */
static const char *const install_only[] = {"kernel",
                                           "kernel-PAE",
                                           "installonlypkg(kernel)",
                                           "installonlypkg(kernel-module)",
                                           "installonlypkg(vm)",
                                           "multiversion(kernel)"};

/* A package of the base, and the one that takes its place. */
struct replaced {
    Id former, successor;
};

/* A request whose paths were looked up. */
struct asked_words {
    const struct solve_request *request;
    const struct strings *owners; /* parallel to its names; NULL: none is a path */
};

/* One call of the solver, with the lock. */
struct solving {
    const struct rpm_catalog *catalog;
    Pool *pool;
    const struct solve_request *request;
    const struct strings *owners; /* of each word that is a path: who ships it; NULL: none is one */
    Queue job, requested;         /* requested: all packages that the names may stand for */
    Solver *solver;
    Queue words; /* number of a word, and a package that it may stand for */
    struct solve_watch watch;
    Map is_requested, chosen, likely; /* chosen: of the repositories */
    Map is_too_new;                   /* by the request's limits */
    LIST(struct replaced) replaced;
};

static void solving_done(struct solving *solving)
{
    if (solving->solver)
        solver_free(solving->solver);
    queue_free(&solving->job);
    queue_free(&solving->requested);
    queue_free(&solving->words);
    map_free(&solving->is_requested);
    map_free(&solving->chosen);
    map_free(&solving->likely);
    map_free(&solving->is_too_new);
}

static void solving_init(struct solving *solving, const struct rpm_catalog *catalog, const struct asked_words *asked)
{
    *solving =
        (struct solving){.catalog = catalog, .pool = catalog->pool, .request = asked->request, .owners = asked->owners};
    solve_watch_begin(&solving->watch, catalog->env ? catalog->env->cancel : NULL);
    queue_init(&solving->job);
    queue_init(&solving->requested);
    queue_init(&solving->words);
    map_init(&solving->is_requested, catalog->pool->nsolvables);
    map_init(&solving->chosen, catalog->pool->nsolvables);
    map_init(&solving->likely, catalog->pool->nsolvables);
    map_init(&solving->is_too_new, catalog->pool->nsolvables);
}

/* A name and version that nothing has is left to libsolv, which then says so. */
static void push_unknown(struct solving *solving, const char *requested)
{
    Pool *pool = solving->pool;
    const char *equals = strchr(requested, '=');
    Id name =
        equals ? pool_strn2id(pool, requested, (unsigned int)(equals - requested), 1) : pool_str2id(pool, requested, 1);
    if (equals)
        name = pool_rel2id(pool, name, pool_str2id(pool, equals + 1, 1), REL_EQ, 1);
    queue_push2(&solving->job, SOLVER_INSTALL | SOLVER_SOLVABLE_NAME, name);
}

/* One of each group is to be installed. */
static void push_groups(struct solving *solving, size_t word, const Queue *groups)
{
    const struct source_env *env = solving->catalog->env;
    bool is_update = env && env->pins && env->pins->has_newest; /* what is asked for may have to move */
    bool is_older_fine = is_update || solving->request->is_older_fine ||
                         rpm_source_of(solving->catalog->base.origins.source)->is_older_fine;
    Id best = is_older_fine ? 0 : SOLVER_FORCEBEST;
    Queue ids;
    queue_init(&ids);
    for (int i = 0; i < groups->count; i++) {
        if (groups->elements[i] && MAPTST(&solving->is_too_new, groups->elements[i]))
            continue;
        if (groups->elements[i]) {
            queue_push(&ids, groups->elements[i]);
            if (!MAPTST(&solving->is_requested, groups->elements[i]))
                queue_push(&solving->requested, groups->elements[i]);
            solv_map_set(&solving->is_requested, groups->elements[i]);
            queue_push2(&solving->words, (Id)word, groups->elements[i]);
            continue;
        }
        queue_push2(&solving->job, SOLVER_INSTALL | SOLVER_SOLVABLE_ONE_OF | SOLVER_SETARCH | SOLVER_SETEVR | best,
                    pool_queuetowhatprovides(solving->pool, &ids));
        queue_empty(&ids);
    }
    queue_free(&ids);
}

/* Leaves out what is newer than it may be. */
static void push_limits(struct solving *solving)
{
    Pool *pool = solving->pool;
    for (size_t i = 0; i < solving->request->limits.count; i++) {
        const struct solve_limit *limit = &solving->request->limits.items[i];
        Id name = pool_str2id(pool, limit->name, 1), id, at;
        FOR_PROVIDES(id, at, name)
        {
            const Solvable *item = pool_id2solvable(pool, id);
            if (item->name != name || rpm_pool_is_installed(pool, id) ||
                pool_evrcmp_str(pool, pool_id2str(pool, item->evr), limit->version, EVRCMP_COMPARE) <= 0)
                continue;
            solv_map_set(&solving->is_too_new, id);
            queue_push2(&solving->job, SOLVER_ERASE | SOLVER_SOLVABLE, id);
        }
    }
}

/* Puts one word into the job; `groups` is scratch. */
static bool add_word(struct solving *solving, struct rpm_wanting *wanting, size_t word, Queue *groups, struct err *err)
{
    const char *text = solving->request->names.items[word];
    if (!solve_watch_look(&solving->watch, err))
        return false;
    queue_empty(groups);
    rpm_wanted_find(wanting, text, solving->owners ? &solving->owners[word] : NULL, groups);
    push_groups(solving, word, groups);
    if (groups->count)
        return true;
    push_unknown(solving, text);
    return rpm_wanted_check(solving->catalog, text, err);
}

static bool make_job(struct solving *solving, struct err *err)
{
    Pool *pool = solving->pool;
    const struct solve_request *request = solving->request;
    AUTO(arena_done) struct arena scratch = {0};
    struct rpm_wanting wanting = {.pool = pool, .arena = &scratch};
    bool is_good = true;
    Queue groups;
    queue_init(&groups);
    push_limits(solving);
    for (size_t i = 0; is_good && i < request->names.count; i++)
        is_good = add_word(solving, &wanting, i, &groups, err);
    queue_free(&groups);
    for (size_t i = 0; i < request->never.count; i++)
        queue_push2(&solving->job, SOLVER_ERASE | SOLVER_SOLVABLE_NAME, pool_str2id(pool, request->never.items[i], 1));
    for (size_t i = 0; i < ARRAY_COUNT(install_only); i++)
        queue_push2(&solving->job, SOLVER_MULTIVERSION | SOLVER_SOLVABLE_PROVIDES,
                    pool_str2id(pool, install_only[i], 1));
    return is_good;
}

static void set_flags(struct solving *solving)
{
    solver_set_flag(solving->solver, SOLVER_FLAG_KEEP_ORPHANS, 1);
    solver_set_flag(solving->solver, SOLVER_FLAG_BEST_OBEY_POLICY, 1);
    solver_set_flag(solving->solver, SOLVER_FLAG_YUM_OBSOLETES, 1);
    solver_set_flag(solving->solver, SOLVER_FLAG_ALLOW_VENDORCHANGE, 1);
    solver_set_flag(solving->solver, SOLVER_FLAG_IGNORE_RECOMMENDED, !solving->request->is_weak);
}

static void add_line(struct arena *arena, struct strings *lines, const char *line)
{
    char *flat = arena_strdup(arena, line ? line : "");
    text_flatten(flat);
    if (*flat && lines->count < PROBLEM_LINES_MAX && !strings_has(lines, flat))
        list_add(arena, lines, flat);
}

static void explain(struct solving *solving, int problem_count, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct strings lines = {0}, names = solving->request->names;
    Queue rules;
    queue_init(&rules);
    for (Id problem = 1; problem <= problem_count; problem++) {
        add_line(&scratch, &lines, solver_problem2str(solving->solver, problem));
        queue_empty(&rules);
        solver_findallproblemrules(solving->solver, problem, &rules);
        for (int i = 0; i < rules.count; i++) {
            Id source, target, dependency;
            SolverRuleinfo type = solver_ruleinfo(solving->solver, rules.elements[i], &source, &target, &dependency);
            if (type != SOLVER_RULE_JOB)
                add_line(&scratch, &lines,
                         solver_problemruleinfo2str(solving->solver, type, source, target, dependency));
        }
    }
    queue_free(&rules);
    err_set(err, ERR_RESOLVE, "%s for %s cannot be installed:\n  %s", strings_join(&scratch, &names, ", "),
            rpm_arch(solving->catalog->base.arch), strings_join(&scratch, &lines, "\n  "));
}

/* Solves, unless that would take too much. */
static bool solve(struct solving *solving, int *ret_problem_count, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    const struct solve_request *request = solving->request;
    if (!rpm_cost_check(solving->pool, &solving->watch, &solving->requested, request->is_weak, err))
        return false;
    solving->solver = solver_create(solving->pool);
    set_flags(solving);
    if (solve_watch_run(&solving->watch, solving->solver, &solving->job, ret_problem_count, err))
        return true;
    err_wrap(err, "%s for %s", strings_join(&scratch, &request->names, ", "), rpm_arch(solving->catalog->base.arch));
    return false;
}

/* The package of the repositories that has an installed one's name; 0 when none was chosen. */
static Id find_successor(const struct solving *solving, const Solvable *former)
{
    Pool *pool = solving->pool;
    Id id, at, found = 0;
    FOR_PROVIDES(id, at, former->name)
    {
        if (MAPTST(&solving->chosen, id) && pool_id2solvable(pool, id)->name == former->name)
            found = id;
    }
    return found;
}

/* What a base has is upgraded, and nothing else: dnf would remove what is obsoleted. */
static bool check_installed(struct arena *arena, struct solving *solving, const Queue *decisions, struct err *err)
{
    Pool *pool = solving->pool;
    AUTO(map_free) Map kept;
    map_init(&kept, pool->nsolvables);
    for (int i = 0; i < decisions->count; i++) {
        if (decisions->elements[i] > SYSTEMSOLVABLE)
            solv_map_set(&kept, decisions->elements[i]);
    }
    for (Id id = pool->installed ? pool->installed->start : 0; pool->installed && id < pool->installed->end; id++) {
        const Solvable *former = pool_id2solvable(pool, id);
        if (former->repo != pool->installed || MAPTST(&kept, id))
            continue;
        Id successor = find_successor(solving, former);
        if (successor && pool_evrcmp(pool, pool_id2solvable(pool, successor)->evr, former->evr, EVRCMP_COMPARE) >= 0) {
            list_add(arena, &solving->replaced, ((struct replaced){id, successor}));
            continue;
        }
        err_set(err, ERR_RESOLVE, "%s cannot be installed on this base: its package %s-%s would be %s",
                strings_join(arena, &solving->request->names, ", "), pool_id2str(pool, former->name),
                pool_id2str(pool, former->evr), successor ? "replaced by an older one" : "removed");
        return false;
    }
    return true;
}

static bool run(struct arena *arena, struct solving *solving, struct err *err)
{
    int problem_count;
    if (!make_job(solving, err) || !solve(solving, &problem_count, err))
        return false;
    if (problem_count) {
        explain(solving, problem_count, err);
        return false;
    }
    Queue decisions;
    queue_init(&decisions);
    solver_get_decisionqueue(solving->solver, &decisions);
    for (int i = 0; i < decisions.count; i++) {
        if (decisions.elements[i] > SYSTEMSOLVABLE && !rpm_pool_is_installed(solving->pool, decisions.elements[i]))
            solv_map_set(&solving->chosen, decisions.elements[i]);
    }
    bool is_good = check_installed(arena, solving, &decisions, err);
    queue_free(&decisions);
    return is_good;
}

static bool wants_filelists(const struct solving *solving)
{
    Queue from;
    queue_init_clone(&from, &solving->requested);
    for (Id id = 2; id < solving->pool->nsolvables; id++) { /* what came by supplements, too */
        if (MAPTST(&solving->chosen, id))
            queue_push(&from, id);
    }
    bool is_wanted = rpm_filelists_matter(solving->catalog, &from, solving->request->is_weak);
    queue_free(&from);
    return is_wanted;
}

static int compare_selected(const void *a, const void *b)
{
    const struct selected *one = a, *other = b;
    int order = strcmp(one->name, other->name);
    return order ? order : strcmp(one->architecture, other->architecture);
}

static const char *replaced_version(struct arena *arena, const struct solving *solving, Id successor)
{
    for (size_t i = 0; i < solving->replaced.count; i++) {
        const struct replaced *replaced = &solving->replaced.items[i];
        if (replaced->successor == successor)
            return arena_strdup(arena,
                                pool_id2str(solving->pool, pool_id2solvable(solving->pool, replaced->former)->evr));
    }
    return NULL;
}

/* Lists the words that a package stands for and that are not its name. */
static struct strings list_words(struct arena *arena, const struct solving *solving, Id id)
{
    struct strings words = {0};
    const char *name = pool_id2str(solving->pool, pool_id2solvable(solving->pool, id)->name);
    for (int i = 0; i + 1 < solving->words.count; i += 2) {
        const char *word = solving->request->names.items[solving->words.elements[i]];
        if (solving->words.elements[i + 1] == id && strcmp(word, name) != 0 && !strings_has(&words, word))
            list_add(arena, &words, arena_strdup(arena, word));
    }
    return words;
}

static void make_selection(struct arena *arena, struct solving *solving, struct selection *ret_selection)
{
    LIST(struct selected) list = {0};
    rpm_likely_mark(solving->pool, &solving->requested, &solving->chosen, &solving->likely);
    for (Id id = 2; id < solving->pool->nsolvables; id++) {
        if (!MAPTST(&solving->chosen, id))
            continue;
        struct selected selected = rpm_pool_selected(arena, solving->catalog, id, MAPTST(&solving->likely, id) != 0);
        selected.replaces_version = replaced_version(arena, solving, id);
        selected.stands_for = list_words(arena, solving, id);
        list_add(arena, &list, selected);
    }
    if (list.count)
        qsort(list.items, list.count, sizeof *list.items, compare_selected);
    *ret_selection = (struct selection){list.items, list.count};
}

/* One try, with what is loaded. *ret_again: filelists could change the result, and are not there yet. */
static bool try(struct arena *arena, struct rpm_catalog *catalog, const struct asked_words *asked,
                struct selection *ret_selection, bool *ret_again, struct err *err)
{
    AUTO(solving_done) struct solving solving;
    pthread_mutex_lock(catalog->lock);
    bool is_good = rpm_pool_add_installed(catalog, asked->request->installed, err);
    solving_init(&solving, catalog, asked);
    is_good = is_good && run(arena, &solving, err);
    bool is_unsolved = !is_good && err->kind == ERR_RESOLVE;
    *ret_again = catalog->missing.count && (is_unsolved || (is_good && wants_filelists(&solving)));
    if (is_good && !*ret_again)
        make_selection(arena, &solving, ret_selection);
    rpm_pool_drop_installed(catalog);
    pthread_mutex_unlock(catalog->lock);
    return is_good;
}

/* Finds who ships the words that are paths. */
static bool find_owners(struct rpm_catalog *catalog, struct arena *scratch, struct asked_words *asked, struct err *err)
{
    const struct strings *names = &asked->request->names;
    struct strings *owners = NULL;
    for (size_t i = 0; i < names->count; i++) {
        if (names->items[i][0] != '/')
            continue;
        if (!owners)
            asked->owners = owners = arena_new_array(scratch, struct strings, names->count);
        if (rpm_owners_find(catalog, scratch, names->items[i], true, &owners[i], err))
            continue;
        if (err->kind != ERR_RESOLVE)
            return false;
        err_clear(err); /* no index of paths: then nobody does */
    }
    return true;
}

bool rpm_catalog_solve(struct arena *arena, const struct catalog *any, const struct solve_request *request,
                       struct selection *ret_selection, struct err *err)
{
    struct rpm_catalog *catalog = (struct rpm_catalog *)rpm_catalog_of_const(any); /* what changes is behind its lock */
    AUTO(arena_done) struct arena scratch = {0};
    struct asked_words asked = {.request = request};
    bool is_again;
    if (!find_owners(catalog, &scratch, &asked, err))
        return false;
    if (try(arena, catalog, &asked, ret_selection, &is_again, err) && !is_again)
        return true;
    if (!is_again)
        return false;
    err_clear(err);
    return rpm_filelists_load(catalog, true, err) && try(arena, catalog, &asked, ret_selection, &is_again, err);
}

/* Whether a package says that it is an edition of the distribution: it provides a name with the family's ending. */
static bool is_edition(Pool *pool, const struct family *family, Id id)
{
    Queue provides;
    bool is_one = false;
    if (!family->identity_edition)
        return false;
    queue_init(&provides);
    solvable_lookup_deparray(pool_id2solvable(pool, id), SOLVABLE_PROVIDES, &provides, 0);
    for (int i = 0; !is_one && i < provides.count; i++) {
        Id name = provides.elements[i];
        while (ISRELDEP(name))
            name = GETRELDEP(pool, name)->name;
        is_one = text_has_suffix(text_of(pool_id2str(pool, name)), family->identity_edition);
    }
    queue_free(&provides);
    return is_one;
}

/* How likely a package has os-release: Fedora's editions have it in a package "…-release-identity…", others in the one
 * that is system-release. */
static int identity_rank(Pool *pool, const struct family *family, Id id)
{
    Id plain = pool_str2id(pool, family->identity_package, 0), provider, at;
    if (is_edition(pool, family, id))
        return 2;
    if (!plain)
        return 0;
    FOR_PROVIDES(provider, at, plain)
    {
        if (provider == id)
            return 1;
    }
    return 0;
}

static Id find_id(Pool *pool, const struct selected *selected)
{
    Queue ids;
    Id found = 0;
    queue_init(&ids);
    rpm_wanted_named(pool, text_of(selected->name), selected->version, &ids);
    for (int i = 0; !found && i < ids.count; i++)
        found = ids.elements[i];
    queue_free(&ids);
    return found;
}

static const struct selected *best_identity(const struct rpm_catalog *catalog, const struct selection *selection)
{
    const struct selected *best = NULL;
    int best_rank = 0;
    for (size_t i = 0; i < selection->count; i++) {
        Id id = find_id(catalog->pool, &selection->items[i]);
        int rank = id ? identity_rank(catalog->pool, catalog->base.family, id) : 0;
        if (rank > best_rank) {
            best_rank = rank;
            best = &selection->items[i];
        }
    }
    return best;
}

/* With the lock. */
static const struct selected *locked_best(const struct rpm_catalog *catalog, const struct selection *selection)
{
    pthread_mutex_lock(catalog->lock);
    const struct selected *best = best_identity(catalog, selection);
    pthread_mutex_unlock(catalog->lock);
    return best;
}

bool rpm_catalog_identity(struct arena *arena, const struct catalog *any, const struct selection *selection,
                          struct selected *ret_selected, bool *ret_found, struct err *err)
{
    const struct rpm_catalog *catalog = rpm_catalog_of_const(any);
    const struct selected *best = selection ? locked_best(catalog, selection) : NULL;
    if (!best && rpm_catalog_has(any, any->family->identity_package, true)) {
        struct solve_request request = {0};
        struct selection alone = {0};
        list_add(arena, &request.names, any->family->identity_package);
        if (!rpm_catalog_solve(arena, any, &request, &alone, err)) {
            if (err->kind != ERR_RESOLVE)
                return false;
            err_clear(err); /* then the image is without */
        } else {
            best = locked_best(catalog, &alone);
        }
    }
    *ret_found = best != NULL;
    if (best)
        *ret_selected = *best;
    return true;
}
