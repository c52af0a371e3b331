/* SPDX-License-Identifier: Apache-2.0 */
#include "rpmmd/rpm_wanted.h"

#include "base/auto.h"
#include "rpmmd/rpm_arch.h"
#include "rpmmd/rpm_pattern.h"
#include "rpmmd/rpm_pool_installed.h"
#include "source/wish_word.h"

#include <fnmatch.h>
#include <stdlib.h>

#define LISTED_MAX 10 /* versions in a message */

/* Whether an asked-for version is the package's: "VERSION", "VERSION-RELEASE", either with an epoch. */
static bool is_version(const char *evr, const char *wanted)
{
    const char *colon = strchr(evr, ':'), *without = colon ? colon + 1 : evr;
    if (strcmp(evr, wanted) == 0 || strcmp(without, wanted) == 0)
        return true;
    const char *start = strchr(wanted, ':') ? evr : without, *dash = strrchr(start, '-');
    return dash && strlen(wanted) == (size_t)(dash - start) && strncmp(start, wanted, strlen(wanted)) == 0;
}

void rpm_wanted_named(Pool *pool, struct text name, const char *version, Queue *ids)
{
    Id dependency = pool_strn2id(pool, name.ptr, (unsigned int)name.len, 0), id, at;
    if (!dependency)
        return;
    FOR_PROVIDES(id, at, dependency)
    {
        const Solvable *item = pool_id2solvable(pool, id);
        if (item->name == dependency && (!version || is_version(pool_id2str(pool, item->evr), version)))
            queue_pushunique(ids, id);
    }
}

/* Keeps, of each architecture, the newest packages of the highest priority. */
static void keep_latest(Pool *pool, const Queue *ids, Queue *ret_latest)
{
    for (int i = 0; i < ids->count; i++) {
        const Solvable *item = pool_id2solvable(pool, ids->elements[i]);
        bool is_latest = !rpm_pool_is_installed(pool, ids->elements[i]);
        for (int k = 0; is_latest && k < ids->count; k++) {
            const Solvable *other = pool_id2solvable(pool, ids->elements[k]);
            is_latest = other->arch != item->arch || rpm_pool_is_installed(pool, ids->elements[k]) ||
                        rpm_pool_compare(pool, item, other) >= 0;
        }
        if (is_latest)
            queue_push(ret_latest, ids->elements[i]);
    }
}

/* By name, then by package. */
static int compare_obsoletings(const void *a, const void *b)
{
    const struct rpm_obsoleting *left = a, *right = b;
    return left->name != right->name ? (left->name < right->name ? -1 : 1) : left->package - right->package;
}

/* Lists what the offered packages obsolete, once for all words. */
static void list_obsoletings(struct rpm_wanting *wanting)
{
    Pool *pool = wanting->pool;
    Queue obsoletes;
    Id id;
    queue_init(&obsoletes);
    FOR_POOL_SOLVABLES(id)
    {
        Solvable *item = pool_id2solvable(pool, id);
        if (!item->obsoletes || !rpm_pool_is_offered(pool, id) || rpm_pool_is_installed(pool, id))
            continue;
        queue_empty(&obsoletes);
        solvable_lookup_deparray(item, SOLVABLE_OBSOLETES, &obsoletes, 0);
        for (int i = 0; i < obsoletes.count; i++) {
            Id name = obsoletes.elements[i];
            while (ISRELDEP(name))
                name = GETRELDEP(pool, name)->name;
            list_add(wanting->arena, &wanting->obsoletings, ((struct rpm_obsoleting){name, obsoletes.elements[i], id}));
        }
    }
    queue_free(&obsoletes);
    if (wanting->obsoletings.count)
        qsort(wanting->obsoletings.items, wanting->obsoletings.count, sizeof *wanting->obsoletings.items,
              compare_obsoletings);
    wanting->has_obsoletings = true;
}

/* The first of a name; the number of all when there is none. */
static size_t find_obsoleting(const struct rpm_wanting *wanting, Id name)
{
    size_t low = 0, high = wanting->obsoletings.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (wanting->obsoletings.items[middle].name < name)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Adds packages that obsolete the newest of the queue's, as `dnf install NAME` does since 4.18 (and dnf5): one that
 * obsoletes only older versions is no successor of what would be installed. */
static void add_obsoleters(struct rpm_wanting *wanting, Queue *ids)
{
    Pool *pool = wanting->pool;
    Queue latest;
    if (!wanting->has_obsoletings)
        list_obsoletings(wanting);
    queue_init(&latest);
    keep_latest(pool, ids, &latest);
    for (int k = 0; k < latest.count; k++) {
        Solvable *item = pool_id2solvable(pool, latest.elements[k]);
        for (size_t i = find_obsoleting(wanting, item->name);
             i < wanting->obsoletings.count && wanting->obsoletings.items[i].name == item->name; i++) {
            if (pool_match_nevr(pool, item, wanting->obsoletings.items[i].relation))
                queue_pushunique(ids, wanting->obsoletings.items[i].package);
        }
    }
    queue_free(&latest);
}

/* Ends a group, unless it is empty. */
static void end_group(Queue *groups, int begin)
{
    if (groups->count > begin)
        queue_push(groups, 0);
}

static void add_group(const Queue *ids, Queue *groups)
{
    for (int i = 0; i < ids->count; i++)
        queue_push(groups, ids->elements[i]);
    end_group(groups, groups->count - ids->count);
}

static int compare_names(const void *a, const void *b, void *any)
{
    Pool *pool = any;
    const Solvable *one = pool_id2solvable(pool, *(const Id *)a), *other = pool_id2solvable(pool, *(const Id *)b);
    return one->name != other->name ? (one->name < other->name ? -1 : 1) : *(const Id *)a - *(const Id *)b;
}

/* A group for each name; with what obsoletes it. */
static void add_by_name(struct rpm_wanting *wanting, Queue *ids, bool with_obsoleters, Queue *groups)
{
    Pool *pool = wanting->pool;
    Queue group;
    queue_init(&group);
    if (ids->count)
        qsort_r(ids->elements, (size_t)ids->count, sizeof *ids->elements, compare_names, pool);
    for (int i = 0; i < ids->count; i++) {
        Id name = pool_id2solvable(pool, ids->elements[i])->name;
        queue_push(&group, ids->elements[i]);
        if (i + 1 < ids->count && pool_id2solvable(pool, ids->elements[i + 1])->name == name)
            continue;
        if (with_obsoleters)
            add_obsoleters(wanting, &group);
        add_group(&group, groups);
        queue_empty(&group);
    }
    queue_free(&group);
}

/* Adds the offered packages of a pattern: a plain name is looked up, since there are very many packages. */
static void add_matching(Pool *pool, const struct rpm_pattern *pattern, bool is_glob, Queue *ids)
{
    Queue named;
    Id id;
    if (is_glob) {
        FOR_POOL_SOLVABLES(id)
        {
            if (rpm_pool_is_offered(pool, id) && rpm_pattern_matches(pool, pool_id2solvable(pool, id), pattern))
                queue_push(ids, id);
        }
        return;
    }
    queue_init(&named);
    rpm_wanted_named(pool, text_of(pattern->name), NULL, &named);
    for (int i = 0; i < named.count; i++) {
        if (rpm_pattern_matches(pool, pool_id2solvable(pool, named.elements[i]), pattern))
            queue_push(ids, named.elements[i]);
    }
    queue_free(&named);
}

/* The first form in which the word means something. */
static void find_by_form(struct rpm_wanting *wanting, const char *word, Queue *groups)
{
    AUTO(arena_done) struct arena scratch = {0};
    bool is_glob = wish_word_is_glob(word);
    Queue ids;
    queue_init(&ids);
    for (int form = 0; !ids.count && form < RPM_PATTERN_FORMS; form++) {
        struct rpm_pattern pattern;
        if (!rpm_pattern_read(&scratch, word, form, &pattern))
            continue;
        add_matching(wanting->pool, &pattern, is_glob, &ids);
        if (ids.count && form == RPM_PATTERN_NAME && !is_glob)
            add_obsoleters(wanting, &ids);
        if (is_glob)
            add_by_name(wanting, &ids, form == RPM_PATTERN_NAME, groups);
        else
            add_group(&ids, groups);
    }
    queue_free(&ids);
}

/* A glob over NAME-[EPOCH:]VERSION-RELEASE.ARCH as a whole. */
static void find_by_whole(struct rpm_wanting *wanting, const char *word, Queue *groups)
{
    Pool *pool = wanting->pool;
    Queue ids;
    Id id;
    queue_init(&ids);
    FOR_POOL_SOLVABLES(id)
    {
        if (rpm_pool_is_offered(pool, id) && fnmatch(word, pool_solvid2str(pool, id), 0) == 0)
            queue_push(&ids, id);
    }
    add_by_name(wanting, &ids, false, groups);
    queue_free(&ids);
}

/* "NAME=VERSION". */
static void find_pinned(Pool *pool, const char *word, Queue *groups)
{
    struct wish_word cut = wish_word_cut(word);
    Queue ids;
    if (!cut.is_equals)
        return;
    queue_init(&ids);
    rpm_wanted_named(pool, cut.name, cut.version.ptr, &ids);
    add_group(&ids, groups);
    queue_free(&ids);
}

/* Adds all that provides what a glob matches, a group for each name. */
static void find_by_provided_glob(struct rpm_wanting *wanting, const char *word, Queue *groups)
{
    Pool *pool = wanting->pool;
    Queue ids, provides;
    Id id;
    queue_init(&ids);
    queue_init(&provides);
    FOR_POOL_SOLVABLES(id)
    {
        bool is_match = false;
        if (!rpm_pool_is_offered(pool, id))
            continue;
        queue_empty(&provides);
        solvable_lookup_deparray(pool_id2solvable(pool, id), SOLVABLE_PROVIDES, &provides, 0);
        for (int i = 0; i < provides.count && !is_match; i++) {
            Id name = provides.elements[i];
            while (ISRELDEP(name))
                name = GETRELDEP(pool, name)->name;
            is_match = fnmatch(word, pool_id2str(pool, name), 0) == 0;
        }
        if (is_match)
            queue_push(&ids, id);
    }
    add_by_name(wanting, &ids, false, groups);
    queue_free(&provides);
    queue_free(&ids);
}

/* What provides the word, which may be a relation. */
static void find_by_provided(Pool *pool, const char *word, Queue *groups)
{
    static const int flags[] = {[WISH_LESS] = REL_LT,
                                [WISH_LESS_EQUAL] = REL_LT | REL_EQ,
                                [WISH_EQUAL] = REL_EQ,
                                [WISH_GREATER_EQUAL] = REL_GT | REL_EQ,
                                [WISH_GREATER] = REL_GT};
    struct wish_word cut = wish_word_cut(word);
    Id wanted = pool_str2id(pool, word, 0), id, at;
    Queue ids;
    if (!wanted && cut.op != WISH_ANY) {
        wanted = pool_strn2id(pool, cut.name.ptr, (unsigned int)cut.name.len, 0);
        if (wanted)
            wanted = pool_rel2id(pool, wanted, pool_strn2id(pool, cut.version.ptr, (unsigned int)cut.version.len, 1),
                                 flags[cut.op], 1);
    }
    if (!wanted)
        return;
    queue_init(&ids);
    FOR_PROVIDES(id, at, wanted)
    queue_pushunique(&ids, id);
    add_group(&ids, groups);
    queue_free(&ids);
}

static void find_by_owners(Pool *pool, const struct strings *owners, Queue *groups)
{
    Queue ids;
    queue_init(&ids);
    for (size_t i = 0; i < owners->count; i++)
        rpm_wanted_named(pool, text_of(owners->items[i]), NULL, &ids);
    add_group(&ids, groups);
    queue_free(&ids);
}

void rpm_wanted_find(struct rpm_wanting *wanting, const char *word, const struct strings *owners, Queue *groups)
{
    Pool *pool = wanting->pool;
    bool is_glob = wish_word_is_glob(word);
    find_by_form(wanting, word, groups);
    if (!groups->count && is_glob)
        find_by_whole(wanting, word, groups);
    if (!groups->count)
        find_pinned(pool, word, groups);
    if (!groups->count)
        find_by_provided(pool, word, groups);
    if (!groups->count && is_glob)
        find_by_provided_glob(wanting, word, groups);
    if (!groups->count && owners)
        find_by_owners(pool, owners, groups);
}

/* Finds a package that the word names and that is not offered. */
static Id find_left_out(Pool *pool, const char *word)
{
    AUTO(arena_done) struct arena scratch = {0};
    for (int form = 0; form < RPM_PATTERN_FORMS; form++) {
        struct rpm_pattern pattern;
        Id id;
        if (!rpm_pattern_read(&scratch, word, form, &pattern))
            continue;
        FOR_POOL_SOLVABLES(id)
        {
            if (rpm_pattern_matches(pool, pool_id2solvable(pool, id), &pattern))
                return id;
        }
    }
    return 0;
}

/* Lists the versions of the name that a word may begin with. */
static void list_versions(Pool *pool, const char *word, struct arena *arena, const char **ret_name,
                          struct strings *ret_versions)
{
    struct wish_word cut = wish_word_cut(word);
    Queue ids;
    queue_init(&ids);
    for (size_t len = cut.name.len; len && !ids.count; len--) {
        bool is_end = len == cut.name.len || cut.name.ptr[len] == '-' || cut.name.ptr[len] == '.';
        if (!is_end)
            continue;
        rpm_wanted_named(pool, (struct text){cut.name.ptr, len}, NULL, &ids);
        *ret_name = arena_strndup(arena, cut.name.ptr, len);
    }
    for (int i = 0; i < ids.count && ret_versions->count < LISTED_MAX; i++) {
        const Solvable *item = pool_id2solvable(pool, ids.elements[i]);
        const char *version = arena_printf(arena, "%s.%s", pool_id2str(pool, item->evr), pool_id2str(pool, item->arch));
        if (!strings_has(ret_versions, version))
            list_add(arena, ret_versions, version);
    }
    queue_free(&ids);
}

bool rpm_wanted_check(const struct rpm_catalog *catalog, const char *word, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    Pool *pool = catalog->pool;
    struct strings versions = {0};
    const char *name = NULL, *own = rpm_arch(catalog->base.arch);
    Id id = find_left_out(pool, word);
    if (id && !wish_word_is_glob(word)) {
        const char *arch = pool_id2str(pool, pool_id2solvable(pool, id)->arch);
        if (strcmp(arch, own) != 0 && strcmp(arch, "noarch") != 0)
            err_set(err, ERR_RESOLVE,
                    "%s: an image for %s holds no packages of other architectures (multilib is not supported)", word,
                    own);
        else
            err_set(err, ERR_RESOLVE,
                    "%s: the configuration of the repositories leaves %s out (excludes, includes or module streams)",
                    word, pool_solvid2str(pool, id));
        return false;
    }
    list_versions(pool, word, &scratch, &name, &versions);
    if (!versions.count)
        return true;
    err_set(err, ERR_RESOLVE, "%s: there is no such version of %s; there is %s", word, name,
            strings_join(&scratch, &versions, ", "));
    return false;
}
