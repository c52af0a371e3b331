/* SPDX-License-Identifier: Apache-2.0 */
#include "rpmmd/rpm_updateinfo.h"

#include "base/auto.h"
#include "base/map.h"
#include "rpmmd/rpm_catalog_parts.h"
#include "rpmmd/rpm_metadata.h"
#include "rpmmd/updateinfo.h"

/* Marks what an advisory for security names. */
static bool mark(void *user, const struct advisory *advisory, struct err *err)
{
    const struct map *updates = user;
    (void)err;
    for (size_t i = 0; text_same(advisory->kind, "security") && i < advisory->packages.count; i++) {
        struct catalog_update *update = map_get(updates, text_of(advisory->packages.items[i]));
        update->is_security = true;
    }
    return true;
}

bool rpm_updateinfo_mark(const char *name, struct text plain, struct catalog_update *updates, size_t count,
                         struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct map by_name = {.arena = &scratch}, wanted = {.arena = &scratch};
    struct advisory_package *packages = arena_new_array(&scratch, struct advisory_package, count);
    for (size_t i = 0; i < count; i++) {
        packages[i] = (struct advisory_package){updates[i].package, updates[i].before, updates[i].after};
        if (map_add(&by_name, text_of(updates[i].package), &updates[i]))
            (void)map_add(&wanted, text_of(updates[i].package), &packages[i]);
    }
    struct updateinfo info = {.name = name, .wanted = &wanted, .take = mark, .user = &by_name};
    return updateinfo_read(&info, COMPRESSION_NONE, plain, err);
}

bool rpm_catalog_mark_security(struct catalog *any, struct catalog_update *updates, size_t count, struct err *err)
{
    const struct rpm_catalog *catalog = rpm_catalog_of(any);
    AUTO(arena_done) struct arena scratch = {0};
    for (size_t i = 0; i < catalog->repos.count; i++) {
        const struct rpm_catalog_repo *repo = &catalog->repos.items[i];
        AUTO(buf_done) struct buf plain = {0};
        const struct rpm_metadata_file *file = repo->metadata ? rpm_metadata_find(repo->metadata, "updateinfo") : NULL;
        const char *name = arena_printf(&scratch, "updateinfo.xml of %s", repo->repository->id);
        if (file && (!rpm_metadata_fetch(catalog->env, repo->metadata, file, &plain, err) ||
                     !rpm_updateinfo_mark(name, buf_text(&plain), updates, count, err)))
            return false;
    }
    return true;
}
