/* SPDX-License-Identifier: Apache-2.0 */
#include "rpmmd/rpm_pool_installed.h"

#include "base/auto.h"
#include "rpmmd/rpm_folders.h"
#include "rpmmd/rpm_rich.h"

#define COLUMNS_MAX 4u
#define RELATIONS_MAX 1000000u /* of all packages of a base */
#define FLAGS_ALL (REL_GT | REL_EQ | REL_LT)

struct adding {
    struct arena *arena;
    Pool *pool;
    Repo *repo;
    Repodata *data;
    Id package, folder; /* that the next line is about; 0: none yet */
    size_t relation_count;
    struct rpm_folders folders;
    const char *columns[COLUMNS_MAX];
    size_t count;
};

static bool begin_package(struct adding *adding)
{
    Pool *pool = adding->pool;
    if (adding->count != 4)
        return false;
    adding->package = repo_add_solvable(adding->repo);
    adding->folder = 0;
    Solvable *item = pool_id2solvable(pool, adding->package);
    item->name = pool_str2id(pool, adding->columns[1], 1);
    item->evr = pool_str2id(pool, adding->columns[2], 1);
    item->arch = pool_str2id(pool, adding->columns[3], 1);
    solvable_add_deparray(item, SOLVABLE_PROVIDES, pool_rel2id(pool, item->name, item->evr, REL_EQ, 1), 0);
    return true;
}

static bool add_relation(struct adding *adding, Id key)
{
    Pool *pool = adding->pool;
    uint64_t flags;
    if (!adding->package || (adding->count != 2 && adding->count != 4) || ++adding->relation_count > RELATIONS_MAX)
        return false;
    const char *name = adding->columns[1];
    bool is_rich = name[0] == '(' && adding->count == 2;
    Id id = is_rich ? rpm_rich_parse(pool, name) : pool_str2id(pool, name, 1);
    if (!id || (is_rich && rpm_rich_clause_count(pool, id) > RPM_RICH_CLAUSES_MAX))
        return false;
    if (adding->count == 4) {
        if (!text_parse_u64(text_of(adding->columns[2]), &flags) || !flags || flags > FLAGS_ALL)
            return false;
        id = pool_rel2id(pool, id, pool_str2id(pool, adding->columns[3], 1), (int)flags, 1);
    }
    solvable_add_deparray(pool_id2solvable(pool, adding->package), key, id, 0);
    return true;
}

static bool set_folder(struct adding *adding)
{
    if (!adding->package || adding->count != 2)
        return false;
    char *folder = arena_strdup(adding->arena, adding->columns[1]);
    size_t len = strlen(folder);
    if (len > 1 && folder[len - 1] == '/')
        folder[len - 1] = '\0';
    adding->folder = rpm_folders_add(&adding->folders, folder);
    return adding->folder != 0;
}

static bool add_file(struct adding *adding)
{
    if (!adding->folder || adding->count != 2)
        return false;
    repodata_add_dirstr(adding->data, adding->package, SOLVABLE_FILELIST, adding->folder, adding->columns[1]);
    return true;
}

static bool add_line(struct adding *adding, struct text line)
{
    struct text column;
    adding->count = 0;
    while (line.len && text_next(&line, '\t', &column)) {
        if (adding->count == COLUMNS_MAX || !column.len)
            return false;
        adding->columns[adding->count++] = text_dup(adding->arena, column);
    }
    if (!adding->count)
        return false;
    switch (adding->columns[0][0]) {
    case 'p':
        return begin_package(adding);
    case 'P':
        return add_relation(adding, SOLVABLE_PROVIDES);
    case 'R':
        return add_relation(adding, SOLVABLE_REQUIRES);
    case 'C':
        return add_relation(adding, SOLVABLE_CONFLICTS);
    case 'O':
        return add_relation(adding, SOLVABLE_OBSOLETES);
    case 'd':
        return set_folder(adding);
    case 'f':
        return add_file(adding);
    default:
        return false;
    }
}

/* Excludes are of repositories: what is installed is there. */
static void consider_all(Pool *pool)
{
    Map *considered = pool->considered;
    int first = considered ? considered->size * 8 : 0;
    if (!considered)
        return;
    map_grow(considered, pool->nsolvables);
    for (Id id = pool->installed->start; id < pool->installed->end; id++) {
        if (id >= first || !MAPTST(considered, id))
            solv_map_set(considered, id);
    }
}

bool rpm_pool_add_installed(struct rpm_catalog *catalog, struct text text, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    Pool *pool = catalog->pool;
    struct text line;
    if (!text.len)
        return true;
    struct adding adding = {.arena = &scratch, .pool = pool, .repo = repo_create(pool, "@System")};
    pool_set_installed(pool, adding.repo);
    adding.data = repo_add_repodata(adding.repo, 0);
    adding.folders = (struct rpm_folders){.arena = &scratch, .data = adding.data};
    while (text.len && text_next(&text, '\n', &line)) {
        if (!line.len || add_line(&adding, line))
            continue;
        bool is_endless = adding.folders.steps > RPM_FOLDERS_MAX_STEPS;
        err_set(err, ERR_MALFORMED, "the base's list of packages has %s: %s",
                is_endless ? "too many folders beside each other" : "a relation that cannot be read",
                text_printable(&scratch, line));
        return false;
    }
    repodata_internalize(adding.data);
    consider_all(pool);
    rpm_pool_settle(catalog);
    return true;
}

void rpm_pool_drop_installed(struct rpm_catalog *catalog)
{
    Pool *pool = catalog->pool;
    Repo *repo = pool->installed;
    if (!repo)
        return;
    pool_set_installed(pool, NULL);
    repo_free(repo, 1);
    rpm_pool_settle_again(catalog);
}

bool rpm_pool_is_installed(const Pool *pool, Id id)
{
    return pool->installed && pool_id2solvable(pool, id)->repo == pool->installed;
}
