/* SPDX-License-Identifier: Apache-2.0 */
/* What deb_reach.c reached goes into one Pool, in the order of repository and file, so that the same indices always give
 * the same Pool; and what that will cost libsolv is counted first. */
#include "deb/deb_pool.h"

#include "base/auto.h"
#include "deb/deb_arch.h"
#include "deb/deb_relation.h"
#include "deb/deb_wanted.h"
#include "deb/dpkg_status.h"
#include "source/solve_cost.h"

#define ALTERNATIVES_MAX 1000  /* libsolv recurses on them; the most in Debian are about 30 */
#define RELATIONS_MAX 4000000u /* in one Pool; all of Debian's main has 800,000 */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static Id text_id(Pool *pool, struct text text)
{
    return pool_strn2id(pool, text.ptr, (unsigned int)text.len, 1);
}

static bool is_all_zeros(struct text text)
{
    size_t at = 0;
    while (at < text.len && text.ptr[at] == '0')
        at++;
    return text.len && at == text.len;
}

/* libsolv takes "2." for less than "2.0", and no revision for less than any; to dpkg these are a 0. So versions are given to it
 * in a form in which it is right: a number behind everything else, and no revision that is 0; or where some revision is less than
 * that or a little more ("0~1"), one in all. */
static Id version_id(struct solve_pool *solve, struct text version)
{
    const char *dash = version.len ? memrchr(version.ptr, '-', version.len) : NULL;
    struct text upstream = {version.ptr, dash ? (size_t)(dash - version.ptr) : version.len};
    struct text revision = {dash ? dash + 1 : "", version.len - upstream.len - (dash != NULL)};
    bool is_open = !upstream.len || !is_digit(upstream.ptr[upstream.len - 1]);
    bool is_revision_open = revision.len && !is_digit(revision.ptr[revision.len - 1]);
    bool is_lost = is_all_zeros(revision) && !solve->has_near_zeros, is_added = !revision.len && solve->has_near_zeros;
    if (!is_open && !is_revision_open && !is_lost && !is_added)
        return text_id(solve->pool, version);
    const char *tail = is_lost ? "" : is_added ? "-0" : revision.len ? text_dup(&solve->arena, revision) : "";
    return pool_str2id(solve->pool,
                       arena_printf(&solve->arena, "%.*s%s%s%s%s", (int)upstream.len, upstream.ptr, is_open ? "0" : "",
                                    revision.len && !is_lost ? "-" : "", tail, is_revision_open ? "0" : ""),
                       1);
}

/* Returns whether a text has a revision that begins with a 0 and goes on with no digit. */
static bool has_near_zero(struct text text)
{
    if (!text.len)
        return false;
    const char *at = text.ptr, *end = text.ptr + text.len;
    while ((at = memmem(at, (size_t)(end - at), "-0", 2)) != NULL) {
        for (at += 2; at < end && *at == '0'; at++)
            continue;
        if (at < end && !is_digit(*at) && !strchr(" ,)|\n", *at))
            return true;
    }
    return false;
}

static bool has_near_zeros(const struct solve_item *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct deb_stanza *stanza = &items[i].stanza;
        const struct text texts[] = {stanza->version,  stanza->depends,   stanza->pre_depends,
                                     stanza->provides, stanza->conflicts, stanza->breaks};
        for (size_t k = 0; k < ARRAY_COUNT(texts); k++) {
            if (has_near_zero(texts[k]))
                return true;
        }
    }
    return false;
}

static int relation_flags(enum deb_operator op)
{
    static const int flags[] = {[DEB_LESS] = REL_LT,
                                [DEB_LESS_EQUAL] = REL_LT | REL_EQ,
                                [DEB_EQUAL] = REL_EQ,
                                [DEB_GREATER_EQUAL] = REL_GT | REL_EQ,
                                [DEB_GREATER] = REL_GT};
    return flags[op];
}

static bool fail_field(const struct solve_item *item, const char *field, struct text value, struct err *err)
{
    struct arena scratch = {0};
    err_set(err, ERR_MALFORMED, "%s:%u: package %.*s: not a relation in %s: \"%s\"", item->index->name,
            item->stanza.line, (int)item->stanza.name.len, item->stanza.name.ptr, field,
            text_printable(&scratch, value));
    arena_done(&scratch);
    return false;
}

/* "NAME:any": what packages provide of which other architectures may be depended on, too (Multi-Arch: allowed). */
static Id any_id(struct solve_pool *solve, struct text name)
{
    return pool_str2id(solve->pool, arena_printf(&solve->arena, "%.*s:any", (int)name.len, name.ptr), 1);
}

/* Makes the Id of one relation. A qualifier that means this architecture is dropped: an "all" package counts as one of
 * it. */
static bool relation_id(struct solve_pool *solve, struct text text, Id *ret_id)
{
    struct deb_relation relation;
    if (!deb_relation_parse(text, &relation))
        return false;
    Pool *pool = solve->pool;
    bool is_any = text_is(relation.qualifier, "any");
    Id id = is_any ? any_id(solve, relation.name) : text_id(pool, relation.name);
    bool is_own = !relation.qualifier.len || is_any || text_is(relation.qualifier, "native") ||
                  text_is(relation.qualifier, deb_arch(solve->catalog->base.arch));
    if (!is_own)
        id = pool_rel2id(pool, id, text_id(pool, relation.qualifier), REL_ARCH, 1);
    if (relation.op != DEB_ANY)
        id = pool_rel2id(pool, id, version_id(solve, relation.version), relation_flags(relation.op), 1);
    *ret_id = id;
    return true;
}

/* A clause with its alternatives: a | (b | c). */
static bool clause_id(struct solve_pool *solve, struct text clause, Id *ret_id)
{
    const char *bar = clause.len ? memrchr(clause.ptr, '|', clause.len) : NULL;
    struct text last = clause;
    Id id, other;
    size_t alternatives = 1;
    if (bar)
        last = (struct text){bar + 1, (size_t)(clause.ptr + clause.len - bar - 1)};
    if (!relation_id(solve, last, &id))
        return false;
    while (bar) {
        if (++alternatives > ALTERNATIVES_MAX)
            return false;
        clause.len = (size_t)(bar - clause.ptr);
        bar = clause.len ? memrchr(clause.ptr, '|', clause.len) : NULL;
        size_t begin = bar ? (size_t)(bar + 1 - clause.ptr) : 0;
        if (!relation_id(solve, (struct text){clause.ptr + begin, clause.len - begin}, &other))
            return false;
        id = pool_rel2id(solve->pool, other, id, REL_OR, 1);
    }
    *ret_id = id;
    return true;
}

/* Appends the clauses of a field. */
static bool read_clauses(struct solve_pool *solve, const struct solve_item *item, const char *name, struct text field,
                         Queue *ids, struct err *err)
{
    for (struct text clause; text_next(&field, ',', &clause);) {
        Id id;
        if (!text_trim(clause).len)
            continue;
        if (!clause_id(solve, clause, &id))
            return fail_field(item, name, clause, err);
        queue_push(ids, id);
        if (++solve->relation_count > RELATIONS_MAX) {
            err_set(err, ERR_MALFORMED, "%s:%u: package %.*s: with it more than %u relations are reached",
                    item->index->name, item->stanza.line, (int)item->stanza.name.len, item->stanza.name.ptr,
                    RELATIONS_MAX);
            return false;
        }
    }
    return true;
}

/* Adds what a package provides. Another version than an exact one counts for nothing, as with apt and dpkg. */
static bool read_provides(struct solve_pool *solve, const struct solve_item *item, Queue *ids, struct err *err)
{
    bool is_allowed = text_is_nocase(item->stanza.multi_arch, "allowed");
    struct text field = item->stanza.provides;
    for (struct text clause; text_next(&field, ',', &clause);) {
        struct deb_relation relation;
        Id id;
        if (deb_relation_parse(clause, &relation) && relation.op != DEB_ANY && relation.op != DEB_EQUAL)
            continue;
        if (!read_clauses(solve, item, "Provides", clause, ids, err))
            return false;
        if (!is_allowed || !relation.name.len || relation.qualifier.len)
            continue;
        id = any_id(solve, relation.name);
        queue_push(ids, relation.op == DEB_ANY
                            ? id
                            : pool_rel2id(solve->pool, id, version_id(solve, relation.version), REL_EQ, 1));
    }
    if (is_allowed)
        queue_push(ids, pool_rel2id(solve->pool, any_id(solve, item->stanza.name),
                                    version_id(solve, item->stanza.version), REL_EQ, 1));
    return true;
}

/* Gives the solvable its name, version, architecture and what it provides (itself too). */
static bool load_names(struct solve_pool *solve, struct solve_item *item, Solvable *solvable, Queue *ids,
                       struct err *err)
{
    Pool *pool = solve->pool;
    const struct deb_stanza *stanza = &item->stanza;
    solvable->name = text_id(pool, stanza->name);
    solvable->evr = version_id(solve, stanza->version);
    solvable->arch = text_id(pool, stanza->architecture);
    queue_empty(ids);
    if (!read_provides(solve, item, ids, err))
        return false;
    queue_push(ids, pool_rel2id(pool, solvable->name, solvable->evr, REL_EQ, 1));
    for (int i = 0; i < ids->count; i++)
        solvable->provides = repo_addid_dep(solvable->repo, solvable->provides, ids->elements[i], 0);
    return true;
}

/* Gives it its dependencies. Breaks and Conflicts are one to a solver that starts from nothing. */
static bool load_relations(struct solve_pool *solve, struct solve_item *item, Solvable *solvable, Queue *ids,
                           struct err *err)
{
    const struct deb_stanza *stanza = &item->stanza;
    queue_empty(ids);
    if (!read_clauses(solve, item, "Pre-Depends", stanza->pre_depends, ids, err))
        return false;
    int pre_count = ids->count;
    if (!read_clauses(solve, item, "Depends", stanza->depends, ids, err))
        return false;
    item->clause_count = (size_t)ids->count;
    item->clauses = arena_new_array(&solve->arena, Id, item->clause_count);
    for (int i = 0; i < ids->count; i++) {
        item->clauses[i] = ids->elements[i];
        solvable->requires = repo_addid_dep(solvable->repo, solvable->requires, ids->elements[i],
                                            i < pre_count ? SOLVABLE_PREREQMARKER : -SOLVABLE_PREREQMARKER);
    }
    queue_empty(ids);
    if (!read_clauses(solve, item, "Conflicts", stanza->conflicts, ids, err) ||
        !read_clauses(solve, item, "Breaks", stanza->breaks, ids, err))
        return false;
    for (int i = 0; i < ids->count; i++)
        solvable->conflicts = repo_addid_dep(solvable->repo, solvable->conflicts, ids->elements[i], 0);
    return true;
}

/* One Repo for each priority of a Release's versions. */
static Repo *repo_of(struct solve_pool *solve, const struct release *release, int priority)
{
    Pool *pool = solve->pool;
    Id number;
    Repo *repo;
    FOR_REPOS(number, repo)
    {
        if (repo->appdata == release && repo->priority == priority)
            return repo;
    }
    repo = repo_create(solve->pool, release->repository->name);
    repo->appdata = (void *)release;
    repo->priority = priority;
    return repo;
}

static bool load_items(struct solve_pool *solve, Queue *ids, struct err *err)
{
    for (size_t i = 0; i < solve->items.count; i++) {
        struct solve_item *item = &solve->items.items[i];
        Repo *repo = repo_of(solve, item->index->release, item->priority);
        item->id = repo_add_solvable(repo);
        Solvable *solvable = pool_id2solvable(solve->pool, item->id);
        if (!load_names(solve, item, solvable, ids, err) || !load_relations(solve, item, solvable, ids, err))
            return false;
    }
    return true;
}

/* Takes over what a package says in the base's database. One of another architecture counts as little as with apt, to which
 * it is another package. */
static void take_installed(struct solve_pool *solve, const struct dpkg_stanza *stanza)
{
    const struct deb822_stanza *fields = &stanza->fields;
    bool is_own = strcmp(stanza->architecture, "all") == 0 ||
                  strcmp(stanza->architecture, deb_arch(solve->catalog->base.arch)) == 0;
    if (!is_own || stanza->state < DPKG_UNPACKED)
        return;
    struct solve_item item = {.index = &solve->base,
                              .stanza = {.name = text_of(stanza->name),
                                         .version = text_of(stanza->version),
                                         .architecture = text_of(stanza->architecture),
                                         .depends = deb822_value(fields, "Depends"),
                                         .pre_depends = deb822_value(fields, "Pre-Depends"),
                                         .provides = deb822_value(fields, "Provides"),
                                         .conflicts = deb822_value(fields, "Conflicts"),
                                         .breaks = deb822_value(fields, "Breaks"),
                                         .replaces = deb822_value(fields, "Replaces"),
                                         .source = deb822_value(fields, "Source"),
                                         .multi_arch = deb822_value(fields, "Multi-Arch"),
                                         .line = (uint32_t)fields->items[0].line}};
    if (map_add(&solve->installed_by_name, item.stanza.name, (void *)stanza))
        list_add(&solve->arena, &solve->installed, item);
}

static bool read_installed(struct solve_pool *solve, struct text installed, struct err *err)
{
    struct dpkg_status status = {0};
    solve->base.name = "the base's list of packages";
    if (!dpkg_status_parse(&solve->arena, solve->base.name, installed, DPKG_INSTALLED, &status, err))
        return false;
    solve->installed_by_name.arena = &solve->arena;
    for (size_t i = 0; i < status.count; i++)
        take_installed(solve, &status.items[i]);
    for (size_t i = 0; i < solve->installed.count; i++)
        map_set(&solve->installed_by_name, solve->installed.items[i].stanza.name, &solve->installed.items[i]);
    return true;
}

/* Puts what the base has into a Repo of its own, which libsolv takes for installed. */
static bool load_installed(struct solve_pool *solve, Queue *ids, struct err *err)
{
    if (!solve->installed.count)
        return true;
    Repo *repo = repo_create(solve->pool, "base");
    pool_set_installed(solve->pool, repo);
    for (size_t i = 0; i < solve->installed.count; i++) {
        struct solve_item *item = &solve->installed.items[i];
        item->id = repo_add_solvable(repo);
        Solvable *solvable = pool_id2solvable(solve->pool, item->id);
        if (!load_names(solve, item, solvable, ids, err) || !load_relations(solve, item, solvable, ids, err))
            return false;
    }
    return true;
}

/* Counts the providers of a clause as often as libsolv will list them: of a | (b | (c | d)) each tail is a list. */
static uint64_t clause_cost(Pool *pool, Id clause)
{
    uint64_t cost = SOLVE_COST_OF_CLAUSE;
    for (uint64_t depth = 1;; depth++) {
        bool is_more = ISRELDEP(clause) && GETRELDEP(pool, clause)->flags == REL_OR;
        cost += depth * solve_cost_of_providers(pool, is_more ? GETRELDEP(pool, clause)->name : clause);
        if (!is_more)
            return cost;
        clause = GETRELDEP(pool, clause)->evr;
    }
}

/* Refuses what would take libsolv too much memory, before it is asked. */
static bool check_cost(struct solve_pool *solve, Queue *ids, struct err *err)
{
    struct solve_cost cost = {0};
    for (size_t i = 0; i < solve->items.count && !solve_cost_is_over(&cost); i++) {
        const struct solve_item *item = &solve->items.items[i];
        uint64_t sum = 0;
        for (size_t k = 0; k < item->clause_count; k++)
            sum += clause_cost(solve->pool, item->clauses[k]);
        queue_empty(ids);
        solvable_lookup_deparray(pool_id2solvable(solve->pool, item->id), SOLVABLE_CONFLICTS, ids, 0);
        for (int k = 0; k < ids->count; k++)
            sum += SOLVE_COST_OF_CONFLICT * solve_cost_of_providers(solve->pool, ids->elements[k]);
        solve_cost_add(&cost, item->id, sum);
        if (!solve_watch_look(&solve->watch, err))
            return false;
    }
    return !solve_cost_is_over(&cost) || solve_cost_fail(&cost, solve->pool, err);
}

bool solve_pool_init(struct solve_pool *solve, const struct deb_catalog *catalog, const struct solve_request *request,
                     struct err *err)
{
    *solve = (struct solve_pool){.catalog = catalog, .pool = pool_create()};
    solve_watch_begin(&solve->watch, catalog->env ? catalog->env->cancel : NULL);
    if (pool_setdisttype(solve->pool, DISTTYPE_DEB) < 0) {
        err_set(err, ERR_INTERNAL, "this libsolv was built without Debian's version rules");
        return false;
    }
    pool_setarchpolicy(solve->pool, deb_arch(catalog->base.arch));
    if (!read_installed(solve, request->installed, err) || !deb_wanted_read(solve, request, err) ||
        !solve_pool_reach(solve, request, err))
        return false;
    solve->has_near_zeros = has_near_zeros(solve->items.items, solve->items.count) ||
                            has_near_zeros(solve->installed.items, solve->installed.count);
    Queue ids;
    queue_init(&ids);
    bool is_good = load_items(solve, &ids, err) && load_installed(solve, &ids, err);
    if (is_good) {
        pool_createwhatprovides(solve->pool);
        is_good = check_cost(solve, &ids, err);
    }
    queue_free(&ids);
    if (!is_good)
        return false;
    solve->by_id = arena_new_array(&solve->arena, struct solve_item *, (size_t)solve->pool->nsolvables);
    for (size_t i = 0; i < solve->items.count; i++)
        solve->by_id[solve->items.items[i].id] = &solve->items.items[i];
    return true;
}

void solve_pool_done(struct solve_pool *solve)
{
    if (solve->pool)
        pool_free(solve->pool);
    solve->pool = NULL;
    arena_done(&solve->arena);
}

Id solve_requested_id(struct solve_pool *solve, const char *name)
{
    Pool *pool = solve->pool;
    const char *equals = strchr(name, '=');
    if (!equals)
        return pool_str2id(pool, name, 1);
    Id id = pool_strn2id(pool, name, (unsigned int)(equals - name), 1);
    return pool_rel2id(pool, id, version_id(solve, text_of(equals + 1)), REL_EQ, 1);
}
