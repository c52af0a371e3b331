/* SPDX-License-Identifier: Apache-2.0 */
/* Files that a Release lists, as source/listed_file.h fetches and checks them. */
#include "base/auto.h"
#include "base/url.h"
#include "deb/release.h"
#include "io/decompress.h"
#include "source/listed_file.h"

#define INDEX_MAX_BYTES (UINT64_C(1) << 30)
/* Of an index that is in memory as a whole. The largest Packages files known have 80 MiB. */
#define WHOLE_MAX_BYTES (UINT64_C(192) << 20)

const struct release_file *release_find(const struct release *release, struct arena *arena, const char *name,
                                        const char **ret_name)
{
    static const enum compression order[] = {COMPRESSION_GZIP, COMPRESSION_XZ,  COMPRESSION_ZSTD, COMPRESSION_BZIP2,
                                             COMPRESSION_LZMA, COMPRESSION_LZ4, COMPRESSION_NONE};
    for (size_t i = 0; i < ARRAY_COUNT(order); i++) {
        const char *full_name = arena_printf(arena, "%s%s", name, compression_ending(order[i]));
        const struct release_file *file = map_get(&release->files, text_of(full_name));
        if (file) {
            *ret_name = full_name;
            return file;
        }
    }
    return NULL;
}

/* Lists where a file may be below a mirror: by-hash, which cannot change under us, then by its name. */
static struct strings paths_of(struct arena *arena, const struct release *release, const char *name,
                               const struct checksum *checksum)
{
    struct strings paths = {0};
    const char *slash = strrchr(name, '/'), *below = release->dir + strlen(release->uri);
    int folder_len = slash ? (int)(slash - name) + 1 : 0;
    if (release->has_by_hash && !release->repository->is_by_hash_off)
        list_add(arena, &paths,
                 arena_printf(arena, "%s%sby-hash/%s/%s", below,
                              url_escape(arena, arena_printf(arena, "%.*s", folder_len, name), URL_SPECIAL),
                              checksum->kind == CHECKSUM_SHA256 ? "SHA256" : "SHA512",
                              strchr(checksum_text(checksum).chars, ':') + 1));
    list_add(arena, &paths, arena_printf(arena, "%s%s", below, url_escape(arena, name, URL_SPECIAL)));
    return paths;
}

static struct checksum checksum_of_file(const struct release_file *file)
{
    return file->has_sha512 ? file->sha512 : checksum_of_digest(&file->digest);
}

const struct strings *release_uris(const struct release *release)
{
    return release->uris.count ? &release->uris : &release->repository->uris;
}

struct listed_file release_listed(struct arena *arena, const struct release *release, const char *name,
                                  const struct release_file *file)
{
    struct checksum checksum = checksum_of_file(file);
    struct strings paths = paths_of(arena, release, name, &checksum);
    return (struct listed_file){
        .name = arena_printf(arena, "%s of %s", name, release->repository->name),
        .path = name,
        .generation = &release->digest,
        .urls = listed_file_urls(arena, release->uri, release_uris(release), &paths),
        .checksum = checksum,
        .is_size_known = true,
        .size_bytes = file->size_bytes,
        .max_bytes = INDEX_MAX_BYTES,
        .plain_max_bytes = WHOLE_MAX_BYTES,
    };
}

bool release_map(const struct source_env *env, const struct release *release, const char *name,
                 const struct release_file *file, struct view *ret_view, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct listed_file whole = release_listed(&scratch, release, name, file);
    return listed_file_map(env, &whole, ret_view, err);
}

/* What the Release says of the file that comes out when this one is decompressed; NULL when it says nothing. */
static const struct release_file *find_plain(const struct release *release, const char *name)
{
    enum compression compression = compression_of_name(name);
    struct text plain_name = text_of(name);
    plain_name.len -= strlen(compression_ending(compression));
    return compression == COMPRESSION_NONE ? NULL : map_get(&release->files, plain_name);
}

bool release_fetch(const struct source_env *env, const struct release *release, const char *name, struct buf *ret_plain,
                   struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    const struct release_file *file = map_get(&release->files, text_of(name)), *plain = find_plain(release, name);
    if (!file) {
        err_set(err, ERR_MALFORMED, "%s does not list %s", release->repository->name, name);
        return false;
    }
    struct listed_file whole = release_listed(&scratch, release, name, file);
    struct checksum plain_checksum;
    whole.max_bytes = WHOLE_MAX_BYTES;
    if (plain) {
        plain_checksum = checksum_of_file(plain);
        whole.plain_checksum = &plain_checksum;
        whole.is_plain_size_known = true;
        whole.plain_bytes = plain->size_bytes;
    }
    return listed_file_read(env, &whole, ret_plain, err);
}
