/* SPDX-License-Identifier: Apache-2.0 */
/* Files that repomd.xml lists, as source/listed_file.h fetches and checks them. */
#include "base/auto.h"
#include "rpmmd/rpm_href.h"
#include "rpmmd/rpm_metadata.h"
#include "source/listed_file.h"

#define PACKED_MAX_BYTES (UINT64_C(512) << 20)
/* Unpacked it is in memory as a whole. The largest filelists known have 700 MiB. */
#define PLAIN_MAX_BYTES (UINT64_C(1) << 30)
#define ZCHUNK_ENDING "_zck"

const struct rpm_metadata_file *rpm_metadata_find(const struct rpm_metadata *metadata, const char *type)
{
    const struct rpm_metadata_file *zchunk = NULL;
    size_t len = strlen(type);
    for (size_t i = 0; i < metadata->files.count; i++) {
        const struct rpm_metadata_file *file = &metadata->files.items[i];
        if (strcmp(file->type, type) == 0)
            return file;
        if (strncmp(file->type, type, len) == 0 && strcmp(file->type + len, ZCHUNK_ENDING) == 0)
            zchunk = file;
    }
    return zchunk;
}

static bool is_zchunk(const struct rpm_metadata_file *file)
{
    return text_has_suffix(text_of(file->type), ZCHUNK_ENDING) || text_has_suffix(text_of(file->href), ".zck");
}

struct listed_file rpm_metadata_listed(struct arena *arena, const struct rpm_metadata *metadata,
                                       const struct rpm_metadata_file *file)
{
    struct strings paths = {0};
    list_add(arena, &paths, rpm_href_url(arena, file->href));
    return (struct listed_file){
        .name = arena_printf(arena, "%s (%s) of %s", file->href, file->type, metadata->origin.name),
        .path = file->href,
        .generation = &metadata->origin.digest,
        .urls = listed_file_urls(arena, metadata->origin.uri, &metadata->origin.uris, &paths),
        .checksum = file->checksum,
        .is_size_known = file->size_bytes > 0,
        .size_bytes = file->size_bytes,
        .max_bytes = PACKED_MAX_BYTES,
        .is_plain_size_known = file->open_size_bytes > 0,
        .plain_bytes = file->open_size_bytes,
        .plain_max_bytes = PLAIN_MAX_BYTES,
        .plain_checksum = file->has_open_checksum ? &file->open_checksum : NULL,
    };
}

bool rpm_metadata_fetch(const struct source_env *env, const struct rpm_metadata *metadata,
                        const struct rpm_metadata_file *file, struct buf *ret_plain, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct listed_file whole = rpm_metadata_listed(&scratch, metadata, file);
    struct source_env own = *env;
    own.access = metadata->repository->access;
    if (!is_zchunk(file))
        return listed_file_read(&own, &whole, ret_plain, err);
    err_set(err, ERR_MALFORMED,
            "%s: the repository has it as zchunk only, which is not supported (createrepo_c makes gz, xz or zst beside "
            "it)",
            whole.name);
    return false;
}
