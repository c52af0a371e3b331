/* A breadth-first walk over the mapped indices from the requested names: of each name the candidate, all providers, all
 * alternatives. As apt does it, no other version counts, whatever relations say: one that needs an older version than
 * the candidate cannot be met, unless that version is asked for by itself. When other versions are fine, the best few
 * are taken, and of those behind them what a relation with a version can need: libsolv's work grows with the square of
 * the versions of one name. */
#include "source/deb_pool.h"

#include "base/auto.h"
#include "source/deb_relation.h"

#include <stdlib.h>

#define LEFT_OUT_MAX 8
#define VERSIONS_MAX 16 /* of a name, when others than the candidate are fine; more only where a relation needs them */
#define PROVIDERS_MAX 10000 /* names that provide one; libsolv's work grows with their square */

typedef LIST(struct solve_item) item_list;

/* A name of which some versions were not taken. */
struct crowd {
    item_list behind; /* best first; `index` is NULL once it was taken */
};

/* The walk. */
struct reaching {
    struct solve_pool *solve;
    const struct solve_request *request;
    struct arena scratch;
    LIST(struct text) queue; /* names still to look at, from `done` on */
    size_t done;
    struct map seen;   /* names that were queued */
    struct map crowds; /* name → struct crowd */
    size_t looked_at;  /* items whose relations were held against the crowds */
    struct err *err;
};

static void queue_name(struct reaching *reaching, struct text name)
{
    if (name.len && map_add(&reaching->seen, name, NULL))
        list_add(&reaching->scratch, &reaching->queue, name);
}

static void queue_field(struct reaching *reaching, struct text field)
{
    for (struct text clause; text_next(&field, ',', &clause);) {
        for (struct text relation; text_next(&clause, '|', &relation);)
            queue_name(reaching, deb_relation_name(relation));
    }
}

static void leave_out(struct solve_pool *solve, const struct solve_item *item, const char *why)
{
    if (solve->left_out.count < LEFT_OUT_MAX)
        list_add(&solve->arena, &solve->left_out,
                 arena_printf(&solve->arena, "%.*s %.*s of %s: %s", (int)item->stanza.name.len, item->stanza.name.ptr,
                              (int)item->stanza.version.len, item->stanza.version.ptr,
                              item->index->release->repository->name, why));
}

/* Takes a version into the Pool; one that nobody can fetch is left out, but no other is taken for it. */
static void take(struct reaching *reaching, const struct solve_item *item)
{
    if (item->why_unusable) {
        leave_out(reaching->solve, item, item->why_unusable);
        return;
    }
    list_add(&reaching->solve->arena, &reaching->solve->items, *item);
    queue_field(reaching, item->stanza.pre_depends);
    queue_field(reaching, item->stanza.depends);
}

static bool is_own_arch(const struct solve_pool *solve, const struct solve_item *item)
{
    return text_is(item->stanza.architecture, "all") ||
           text_is(item->stanza.architecture, solve->catalog->base.arch->deb_name);
}

/* Adds a version to the list unless it is none for this request. */
static bool collect_version(struct reaching *reaching, uint32_t index_rank, uint32_t number, item_list *versions)
{
    struct solve_pool *solve = reaching->solve;
    const struct deb_catalog_index *index = &solve->catalog->indices.items[index_rank];
    struct solve_item item;
    const char *why;
    if (!solve_item_read(solve->catalog, index, number, &item, &why, reaching->err))
        return false;
    item.index_rank = index_rank;
    item.why_unusable = why;
    bool is_never = false;
    for (size_t i = 0; i < reaching->request->never.count && !is_never; i++)
        is_never = text_is(item.stanza.name, reaching->request->never.items[i]);
    if (is_never)
        leave_out(solve, &item, "packages: never");
    else if (item.stanza.architecture.len && !is_own_arch(solve, &item))
        leave_out(solve, &item, "of another architecture");
    else
        list_add(&reaching->scratch, versions, item);
    return true;
}

/* The packages that provide a name. */
struct providers {
    struct text of;
    struct map names;
    size_t count;
};

/* Queues the name of a package that provides one: whether its candidate does is seen when that was found. */
static bool queue_provider(struct reaching *reaching, const struct deb_catalog_index *index, uint32_t number,
                           struct providers *providers)
{
    struct deb_stanza stanza;
    if (!deb_index_read(&index->index, number, &stanza))
        return deb_catalog_fail_damaged(reaching->solve->catalog, index, reaching->err);
    queue_name(reaching, stanza.name);
    if (!map_add(&providers->names, stanza.name, NULL) || ++providers->count <= PROVIDERS_MAX)
        return true;
    err_set(reaching->err, ERR_MALFORMED, "%s:%u: package %.*s is one of more than %d that provide %.*s", index->name,
            stanza.line, (int)stanza.name.len, stanza.name.ptr, PROVIDERS_MAX, (int)providers->of.len,
            providers->of.ptr);
    return false;
}

/* Finds all versions of a name, and queues those who provide it. */
static bool collect(struct reaching *reaching, struct text name, item_list *versions)
{
    const struct deb_catalog *catalog = reaching->solve->catalog;
    AUTO(arena_done) struct arena scratch = {0};
    struct providers providers = {.of = name, .names.arena = &scratch};
    for (uint32_t i = 0; i < catalog->indices.count; i++) {
        struct deb_hits hits = deb_index_find(&catalog->indices.items[i].index, name);
        uint32_t number;
        bool is_virtual;
        while (deb_index_next(&hits, &number, &is_virtual)) {
            if (is_virtual ? !queue_provider(reaching, &catalog->indices.items[i], number, &providers)
                           : !collect_version(reaching, i, number, versions))
                return false;
            if (!solve_watch_look(&reaching->solve->watch, reaching->err))
                return false;
        }
    }
    return true;
}

/* Whether NAME=VERSION of the request means this version. */
static bool is_pinned(const struct reaching *reaching, const struct solve_item *item, bool *ret_has_pin)
{
    AUTO(arena_done) struct arena scratch = {0};
    *ret_has_pin = false;
    for (size_t i = 0; i < reaching->request->names.count; i++) {
        struct text rest = text_of(reaching->request->names.items[i]), name;
        if (!memchr(rest.ptr, '=', rest.len) || !text_next(&rest, '=', &name) || !text_eq(name, item->stanza.name))
            continue;
        *ret_has_pin = true;
        if (pool_evrcmp_str(reaching->solve->pool, text_dup(&scratch, item->stanza.version), text_dup(&scratch, rest),
                            EVRCMP_COMPARE) == 0)
            return true;
    }
    return false;
}

/* Takes what is asked for with a version instead of the candidate. Returns whether there is such a wish. */
static bool take_pinned(struct reaching *reaching, const item_list *versions)
{
    bool has_pin = false;
    for (size_t i = 0; i < versions->count; i++) {
        if (is_pinned(reaching, &versions->items[i], &has_pin))
            take(reaching, &versions->items[i]);
        if (!has_pin)
            return false;
    }
    return has_pin;
}

static size_t find_candidate(const struct reaching *reaching, const item_list *versions)
{
    size_t best = 0;
    for (size_t i = 1; i < versions->count; i++) {
        if (solve_compare(reaching->solve->pool, &versions->items[i], &versions->items[best]) > 0)
            best = i;
    }
    return best;
}

static int compare_candidates(const void *a, const void *b, void *pool)
{
    const struct solve_item *left = a, *right = b;
    int order = solve_compare(pool, right, left);
    return order ? order : solve_item_compare_places(a, b);
}

/* Takes the best versions; those behind them wait for a relation that needs one. */
static void take_several(struct reaching *reaching, item_list *versions)
{
    qsort_r(versions->items, versions->count, sizeof *versions->items, compare_candidates, reaching->solve->pool);
    size_t count = 0;
    struct crowd *crowd = NULL;
    for (size_t i = 0; i < versions->count; i++) {
        struct solve_item *item = &versions->items[i];
        if (!text_eq(item->stanza.version, versions->items[0].stanza.version))
            item->candidate_version = versions->items[0].stanza.version;
        if (item->why_unusable || count < VERSIONS_MAX) {
            count += item->why_unusable == NULL;
            take(reaching, item);
            continue;
        }
        if (!crowd) {
            crowd = arena_new(&reaching->scratch, struct crowd);
            map_set(&reaching->crowds, item->stanza.name, crowd);
        }
        list_add(&reaching->scratch, &crowd->behind, *item);
    }
}

static bool meets(const struct reaching *reaching, const struct solve_item *item, const struct deb_relation *relation)
{
    AUTO(arena_done) struct arena scratch = {0};
    int order = pool_evrcmp_str(reaching->solve->pool, text_dup(&scratch, item->stanza.version),
                                text_dup(&scratch, relation->version), EVRCMP_COMPARE);
    switch (relation->op) {
    case DEB_LESS:
        return order < 0;
    case DEB_LESS_EQUAL:
        return order <= 0;
    case DEB_EQUAL:
        return order == 0;
    case DEB_GREATER_EQUAL:
        return order >= 0;
    case DEB_GREATER:
        return order > 0;
    case DEB_ANY:
        return false;
    }
    return false;
}

/* Takes the best version of a crowd that meets a relation. */
static bool take_from(struct reaching *reaching, struct crowd *crowd, const struct deb_relation *relation)
{
    for (size_t i = 0; i < crowd->behind.count; i++) {
        struct solve_item *item = &crowd->behind.items[i];
        if (!solve_watch_look(&reaching->solve->watch, reaching->err))
            return false;
        if (!meets(reaching, item, relation))
            continue;
        if (item->index)
            take(reaching, item);
        item->index = NULL;
        return true;
    }
    return true;
}

/* Takes what the relations of a field need of crowds. */
static bool take_needed(struct reaching *reaching, struct text field)
{
    for (struct text clause; text_next(&field, ',', &clause);) {
        for (struct text text; text_next(&clause, '|', &text);) {
            struct deb_relation relation;
            struct crowd *crowd = map_get(&reaching->crowds, deb_relation_name(text));
            if (crowd && deb_relation_parse(text, &relation) && !take_from(reaching, crowd, &relation))
                return false;
        }
    }
    return true;
}

static bool reach_name(struct reaching *reaching, struct text name)
{
    item_list versions = {0};
    if (!collect(reaching, name, &versions))
        return false;
    if (!versions.count || take_pinned(reaching, &versions))
        return true;
    if (reaching->request->is_older_fine)
        take_several(reaching, &versions);
    else
        take(reaching, &versions.items[find_candidate(reaching, &versions)]);
    return true;
}

/* Walks until nothing new is reached, also not by what relations of the reached need of crowds. */
static bool reach(struct reaching *reaching)
{
    for (;;) {
        while (reaching->done < reaching->queue.count) {
            if (!reach_name(reaching, reaching->queue.items[reaching->done++]))
                return false;
        }
        if (!reaching->crowds.slots.count || reaching->looked_at == reaching->solve->items.count)
            return true;
        struct deb_stanza stanza = reaching->solve->items.items[reaching->looked_at++].stanza;
        if (!take_needed(reaching, stanza.pre_depends) || !take_needed(reaching, stanza.depends))
            return false;
    }
}

int solve_item_compare_places(const void *a, const void *b)
{
    const struct solve_item *left = a, *right = b;
    if (left->index_rank != right->index_rank)
        return left->index_rank < right->index_rank ? -1 : 1;
    return left->number < right->number ? -1 : left->number > right->number;
}

bool solve_pool_reach(struct solve_pool *solve, const struct solve_request *request, struct err *err)
{
    struct reaching reaching = {.solve = solve, .request = request, .err = err};
    reaching.seen.arena = reaching.crowds.arena = &reaching.scratch;
    for (size_t i = 0; i < request->names.count; i++)
        queue_name(&reaching, (struct text){request->names.items[i], strcspn(request->names.items[i], "=")});
    bool is_good = reach(&reaching);
    arena_done(&reaching.scratch);
    if (is_good && solve->items.count)
        qsort(solve->items.items, solve->items.count, sizeof *solve->items.items, solve_item_compare_places);
    return is_good;
}
