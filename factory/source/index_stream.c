#include "source/index_stream.h"

#include "base/auto.h"
#include "io/decompress.h"

#include <archive.h>
#include <archive_entry.h>

/* Lists the places of a file: the mirror that answered first, by-hash before the name. */
static void add_urls(struct arena *arena, const struct release *release, const char *dir, const char *listed_name,
                     const struct release_file *listed, struct strings *urls)
{
    if (release->has_by_hash && !release->repository->is_by_hash_off) {
        const char *slash = strrchr(listed_name, '/');
        size_t len = slash ? (size_t)(slash + 1 - listed_name) : 0;
        list_add(arena, urls,
                 arena_printf(arena, "%s%.*sby-hash/SHA256/%s", dir, (int)len, listed_name,
                              digest_hex(&listed->digest).chars));
    }
    list_add(arena, urls, arena_printf(arena, "%s%s", dir, listed_name));
}

static void list_urls(struct arena *arena, const struct release *release, const char *listed_name,
                      const struct release_file *listed, struct strings *urls)
{
    add_urls(arena, release, release->dir, listed_name, listed, urls);
    size_t uri_len = strlen(release->uri);
    const struct strings *uris = &release->repository->uris;
    for (size_t i = 0; i < uris->count && strncmp(release->dir, release->uri, uri_len) == 0; i++) {
        if (strcmp(uris->items[i], release->uri) != 0)
            add_urls(arena, release, arena_printf(arena, "%s%s", uris->items[i], release->dir + uri_len), listed_name,
                     listed, urls);
    }
}

bool index_stream_fetch(const struct source_env *env, const struct release *release, const char *listed_name,
                        const struct release_file *listed, struct view *ret_view, struct err *err)
{
    bool is_found = false;
    if (!store_map_blob(env->store, &listed->digest, ret_view, &is_found, err))
        return false;
    if (is_found)
        return true;
    if (env->is_cache_only) {
        err_set(err, ERR_NETWORK, "%s of %s is not in the cache; the network is needed once", listed_name,
                release->repository->name);
        return false;
    }
    AUTO(arena_done) struct arena scratch = {0};
    struct strings urls = {0};
    list_urls(&scratch, release, listed_name, listed, &urls);
    struct http_request request = {.urls = urls.items,
                                   .url_count = urls.count,
                                   .cap_bytes = listed->size_bytes,
                                   .is_size_known = true,
                                   .size_bytes = listed->size_bytes,
                                   .is_digest_known = true,
                                   .digest = listed->digest,
                                   .store = env->store};
    http_send(env->http, &request);
    bool is_good = http_wait(env->http, &request);
    buf_done(&request.body);
    if (!is_good) {
        *err = request.err;
        return false;
    }
    if (!store_map_blob(env->store, &listed->digest, ret_view, &is_found, err))
        return false;
    if (!is_found)
        err_set(err, ERR_LOCAL, "%s: vanished from the cache after it was fetched", listed_name);
    return is_found;
}

static void close_archive(struct archive **archive)
{
    (void)archive_read_free(*archive);
}

static void support(struct archive *archive, enum compression compression)
{
    switch (compression) {
    case COMPRESSION_NONE:
        break;
    case COMPRESSION_GZIP:
        (void)archive_read_support_filter_gzip(archive);
        break;
    case COMPRESSION_XZ:
        (void)archive_read_support_filter_xz(archive);
        break;
    case COMPRESSION_ZSTD:
        (void)archive_read_support_filter_zstd(archive);
        break;
    case COMPRESSION_BZIP2:
        (void)archive_read_support_filter_bzip2(archive);
        break;
    }
    (void)archive_read_support_format_raw(archive);
    (void)archive_read_support_format_empty(archive);
}

static bool fail(const char *name, struct archive *archive, struct err *err)
{
    const char *why = archive_error_string(archive);
    err_set(err, ERR_MALFORMED, "%s: %s", name, why ? why : "cannot be decompressed");
    return false;
}

bool index_stream_read(const char *name, const struct view *view, uint64_t cap_bytes, index_stream_take *take,
                       void *taker, struct err *err)
{
    AUTO(close_archive) struct archive *archive = archive_read_new();
    if (!archive)
        memory_abort(0);
    support(archive, compression_of_name(name));
    struct archive_entry *entry;
    if (archive_read_open_memory(archive, view->ptr, view->len) != ARCHIVE_OK)
        return fail(name, archive, err);
    int status = archive_read_next_header(archive, &entry);
    if (status == ARCHIVE_EOF)
        return true;
    if (status != ARCHIVE_OK)
        return fail(name, archive, err);
    const void *block;
    size_t len;
    la_int64_t offset;
    for (uint64_t total = 0; (status = archive_read_data_block(archive, &block, &len, &offset)) == ARCHIVE_OK;) {
        if (__builtin_add_overflow(total, len, &total) || total > cap_bytes) {
            err_set(err, ERR_MALFORMED, "%s: decompresses to more than %llu bytes", name,
                    (unsigned long long)cap_bytes);
            return false;
        }
        if (!take(taker, (struct text){block, len}, err))
            return false;
    }
    return status == ARCHIVE_EOF || fail(name, archive, err);
}
