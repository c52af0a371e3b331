/* SPDX-License-Identifier: Apache-2.0 */
/* A breadth-first walk over the mapped indices from the requested names: of each name the candidate, all providers, all
 * alternatives. As apt does it, no other version counts, whatever relations say: one that needs an older version than
 * the candidate cannot be met, unless that version is asked for by itself. When other versions are fine, the best few
 * are taken, and of those behind them what a relation with a version can need: libsolv's work grows with the square of
 * the versions of one name. */
#include "deb/deb_pool.h"

#include "base/auto.h"
#include "deb/deb_relation.h"
#include "deb/deb_version.h"

#include <stdlib.h>

#define LEFT_OUT_MAX 8
#define VERSIONS_MAX 16 /* of a name, when others than the candidate are fine; more only where a relation needs them */
#define PROVIDERS_MAX 10000 /* names that provide one; libsolv's work grows with their square */

#define REACHED_MAX 150000u /* packages; all of Debian's main are 70,000 */

/* One version of a name: what is needed to compare it, since there may be very many. */
struct version {
    uint32_t index_rank, number;
    int priority;
    struct text text;
    bool is_usable, is_taken;
};

typedef LIST(struct version) version_list;

/* A name of which some versions were not taken. */
struct crowd {
    struct text candidate;
    version_list behind; /* best first */
};

/* The walk. */
struct reaching {
    struct solve_pool *solve;
    const struct solve_request *request;
    struct arena scratch;
    LIST(struct text) queue; /* names still to look at, from `done` on */
    size_t done;
    struct map seen;         /* names that were queued */
    struct map crowds;       /* name → struct crowd */
    unsigned char **checked; /* per index: a byte per stanza that was found undamaged */
    size_t looked_at;        /* items whose relations were held against the crowds */
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

/* Reads a version's stanza again; it was read before. */
static bool read_version(struct reaching *reaching, const struct version *version, struct solve_item *ret_item,
                         const char **ret_why)
{
    const struct deb_catalog *catalog = reaching->solve->catalog;
    const struct deb_catalog_index *index = &catalog->indices.items[version->index_rank];
    if (!solve_item_read(catalog, index, version->number, ret_item, ret_why, reaching->err))
        return false;
    ret_item->index_rank = version->index_rank;
    return true;
}

/* Takes a version into the Pool; one that nobody can fetch is left out, but no other is taken for it. `candidate` is the
 * version that apt would take. */
static bool take(struct reaching *reaching, struct version *version, struct text candidate)
{
    struct solve_pool *solve = reaching->solve;
    struct solve_item item;
    const char *why;
    version->is_taken = true;
    if (!read_version(reaching, version, &item, &why))
        return false;
    if (why) {
        leave_out(solve, &item, why);
        return true;
    }
    if (solve->items.count >= REACHED_MAX) {
        err_set(reaching->err, ERR_MALFORMED, "%s:%u: package %.*s: with it more than %u packages are reached",
                item.index->name, item.stanza.line, (int)item.stanza.name.len, item.stanza.name.ptr, REACHED_MAX);
        return false;
    }
    if (!text_eq(candidate, item.stanza.version))
        item.candidate_version = candidate;
    list_add(&solve->arena, &solve->items, item);
    queue_field(reaching, item.stanza.pre_depends);
    queue_field(reaching, item.stanza.depends);
    return true;
}

/* Adds a version to the list unless it is none for this request. */
static bool collect_version(struct reaching *reaching, uint32_t index_rank, uint32_t number, version_list *versions)
{
    struct solve_pool *solve = reaching->solve;
    struct version version = {.index_rank = index_rank, .number = number};
    struct solve_item item;
    const char *why;
    if (!read_version(reaching, &version, &item, &why))
        return false;
    bool is_never = false;
    for (size_t i = 0; i < reaching->request->never.count && !is_never; i++)
        is_never = text_is(item.stanza.name, reaching->request->never.items[i]);
    if (is_never || (item.stanza.architecture.len && !solve_is_own_arch(solve->catalog, &item))) {
        leave_out(solve, &item, is_never ? "packages: never" : "of another architecture");
        return true;
    }
    version.priority = item.priority;
    version.text = item.stanza.version;
    version.is_usable = why == NULL;
    list_add(&reaching->scratch, versions, version);
    return true;
}

/* The packages that provide a name. */
struct providers {
    struct text of;
    struct map names;
    size_t count;
};

/* Queues the name of a package that provides one: whether its candidate does is seen when that was found. */
static bool queue_provider(struct reaching *reaching, uint32_t index_rank, uint32_t number, struct providers *providers)
{
    const struct deb_catalog_index *index = &reaching->solve->catalog->indices.items[index_rank];
    struct deb_stanza stanza;
    if (number >= index->index.stanza_count ||
        (!reaching->checked[index_rank][number] && !deb_index_read(&index->index, number, &stanza)))
        return deb_catalog_fail_damaged(reaching->solve->catalog, index, reaching->err);
    reaching->checked[index_rank][number] = 1;
    struct text name = deb_index_name(&index->index, number);
    queue_name(reaching, name);
    if (!map_add(&providers->names, name, NULL) || ++providers->count <= PROVIDERS_MAX)
        return true;
    err_set(reaching->err, ERR_MALFORMED, "%s: package %.*s is one of more than %d that provide %.*s", index->name,
            (int)name.len, name.ptr, PROVIDERS_MAX, (int)providers->of.len, providers->of.ptr);
    return false;
}

/* Finds all versions of a name, and queues those who provide it. */
static bool collect(struct reaching *reaching, struct text name, version_list *versions)
{
    const struct deb_catalog *catalog = reaching->solve->catalog;
    AUTO(arena_done) struct arena scratch = {0};
    struct providers providers = {.of = name, .names.arena = &scratch};
    for (uint32_t i = 0; i < catalog->indices.count; i++) {
        struct deb_hits hits = deb_index_find(&catalog->indices.items[i].index, name);
        hits.is_loose = true;
        uint32_t number;
        bool is_virtual;
        while (deb_index_next(&hits, &number, &is_virtual)) {
            if (is_virtual ? !queue_provider(reaching, i, number, &providers)
                           : !collect_version(reaching, i, number, versions))
                return false;
            if (solve_watch_look(&reaching->solve->watch, reaching->err))
                continue;
            err_wrap(reaching->err, "looking for %.*s", (int)name.len, name.ptr);
            return false;
        }
    }
    return true;
}

/* Whether NAME=VERSION that is asked for means this version. */
static bool is_pinned(const struct reaching *reaching, struct text name, const struct version *version,
                      bool *ret_has_pin)
{
    *ret_has_pin = false;
    const struct strings *names = &reaching->solve->wanted.names;
    for (size_t i = 0; i < names->count; i++) {
        struct text rest = text_of(names->items[i]), asked;
        if (!memchr(rest.ptr, '=', rest.len) || !text_next(&rest, '=', &asked) || !text_eq(asked, name))
            continue;
        *ret_has_pin = true;
        if (deb_version_compare(version->text, rest) == 0)
            return true;
    }
    return false;
}

/* Takes what is asked for with a version instead of the candidate. *ret_has_pin: there is such a wish. */
static bool take_pinned(struct reaching *reaching, struct text name, version_list *versions, bool *ret_has_pin)
{
    *ret_has_pin = true;
    for (size_t i = 0; i < versions->count && *ret_has_pin; i++) {
        struct version *version = &versions->items[i];
        if (is_pinned(reaching, name, version, ret_has_pin) && !take(reaching, version, version->text))
            return false;
    }
    return true;
}

/* As solve_compare(), the other way round, and then by place. */
static int compare_candidates(const void *a, const void *b)
{
    const struct version *left = a, *right = b;
    int order = left->priority != right->priority ? right->priority - left->priority
                                                  : deb_version_compare(right->text, left->text);
    if (order)
        return order;
    if (left->index_rank != right->index_rank)
        return left->index_rank < right->index_rank ? -1 : 1;
    return left->number < right->number ? -1 : left->number > right->number;
}

static struct version *find_candidate(const version_list *versions)
{
    struct version *best = &versions->items[0];
    for (size_t i = 1; i < versions->count; i++) {
        if (compare_candidates(&versions->items[i], best) < 0)
            best = &versions->items[i];
    }
    return best;
}

/* Takes the best versions; those behind them wait for a relation that needs one. */
static bool take_several(struct reaching *reaching, struct text name, version_list *versions)
{
    qsort(versions->items, versions->count, sizeof *versions->items, compare_candidates);
    size_t count = 0, i = 0;
    for (; i < versions->count && count < VERSIONS_MAX; i++) {
        count += versions->items[i].is_usable;
        if (!take(reaching, &versions->items[i], versions->items[0].text))
            return false;
    }
    if (i == versions->count)
        return true;
    struct crowd *crowd = arena_new(&reaching->scratch, struct crowd);
    *crowd = (struct crowd){.candidate = versions->items[0].text,
                            .behind = {.items = &versions->items[i], .count = versions->count - i}};
    map_set(&reaching->crowds, name, crowd);
    return true;
}

static bool meets(const struct version *version, const struct deb_relation *relation)
{
    int order = deb_version_compare(version->text, relation->version);
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
        struct version *version = &crowd->behind.items[i];
        if (!solve_watch_look(&reaching->solve->watch, reaching->err))
            return false;
        if (version->is_usable && meets(version, relation))
            return version->is_taken || take(reaching, version, crowd->candidate);
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

/* Drops the versions that the host's pins bar: whoever wants one names it with its version. */
static bool drop_barred(struct reaching *reaching, version_list *versions)
{
    size_t kept = 0;
    for (size_t i = 0; i < versions->count; i++) {
        struct solve_item item;
        const char *why;
        if (versions->items[i].priority > 0) {
            versions->items[kept++] = versions->items[i];
            continue;
        }
        if (!read_version(reaching, &versions->items[i], &item, &why))
            return false;
        leave_out(reaching->solve, &item, "a priority below 1 in apt's preferences");
    }
    versions->count = kept;
    return true;
}

/* Of a name that is locked and may move if something needs that, takes the newest, too. The locked ones come first. */
static bool take_newest(struct reaching *reaching, version_list *versions, const struct version *locked)
{
    version_list newer = {0};
    for (size_t i = 0; i < versions->count; i++) {
        if (!reaching->solve->catalog->indices.items[versions->items[i].index_rank].bonus)
            list_add(&reaching->scratch, &newer, versions->items[i]);
    }
    bool is_locked = reaching->solve->catalog->indices.items[locked->index_rank].bonus > 0;
    if (!is_locked || !newer.count)
        return true;
    struct version *newest = find_candidate(&newer);
    return text_eq(newest->text, locked->text) || take(reaching, newest, locked->text);
}

static bool reach_name(struct reaching *reaching, struct text name)
{
    version_list versions = {0};
    bool has_pin;
    if (!collect(reaching, name, &versions))
        return false;
    if (!versions.count)
        return true;
    if (!take_pinned(reaching, name, &versions, &has_pin))
        return false;
    if (has_pin)
        return true;
    if (!drop_barred(reaching, &versions))
        return false;
    if (!versions.count)
        return true;
    if (reaching->request->is_older_fine)
        return take_several(reaching, name, &versions);
    struct version *candidate = find_candidate(&versions);
    const struct solve_item *installed = solve_installed(reaching->solve, name);
    if (installed && (deb_version_compare(candidate->text, installed->stanza.version) <= 0 ||
                      candidate->priority < solve_installed_priority(reaching->solve->catalog, installed)))
        return true;
    return take(reaching, candidate, candidate->text) && take_newest(reaching, &versions, candidate);
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

static int compare_places(const void *a, const void *b)
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
    size_t index_count = solve->catalog->indices.count;
    reaching.checked = arena_new_array(&reaching.scratch, unsigned char *, index_count);
    for (size_t i = 0; i < index_count; i++)
        reaching.checked[i] = arena_alloc(&reaching.scratch, solve->catalog->indices.items[i].index.stanza_count);
    const struct strings *names = &solve->wanted.names;
    for (size_t i = 0; i < names->count; i++)
        queue_name(&reaching, (struct text){names->items[i], strcspn(names->items[i], "=")});
    for (size_t i = 0; i < solve->installed.count; i++) /* whatever breaks one may need a newer one */
        queue_name(&reaching, solve->installed.items[i].stanza.name);
    bool is_good = reach(&reaching);
    arena_done(&reaching.scratch);
    if (is_good && solve->items.count)
        qsort(solve->items.items, solve->items.count, sizeof *solve->items.items, compare_places);
    return is_good;
}
