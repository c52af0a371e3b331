/* Files that a Release lists, from any mirror of the repository, each byte checked against the Release. */
#include "base/auto.h"
#include "base/url.h"
#include "deb/release.h"
#include "io/decompress.h"

#define INDEX_MAX_BYTES (UINT64_C(1) << 30)
/* Of an index that is in memory as a whole. The largest Packages files known have 80 MiB. */
#define WHOLE_MAX_BYTES (UINT64_C(192) << 20)

const struct release_file *release_find(const struct release *release, struct arena *arena, const char *name,
                                        const char **ret_name)
{
    static const enum compression order[] = {COMPRESSION_GZIP, COMPRESSION_XZ, COMPRESSION_ZSTD, COMPRESSION_BZIP2,
                                             COMPRESSION_NONE};
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

/* Adds the URLs of one mirror: by-hash, which cannot change under us, then the plain name. */
static void add_urls(struct arena *arena, const struct release *release, const char *dir, const char *name,
                     const struct digest *digest, struct strings *urls)
{
    const char *slash = strrchr(name, '/');
    int folder_len = slash ? (int)(slash - name) + 1 : 0;
    if (release->has_by_hash && !release->repository->is_by_hash_off)
        list_add(arena, urls,
                 arena_printf(arena, "%s%sby-hash/SHA256/%s", dir,
                              url_escape(arena, arena_printf(arena, "%.*s", folder_len, name), URL_SPECIAL),
                              digest_hex(digest).chars));
    list_add(arena, urls, arena_printf(arena, "%s%s", dir, url_escape(arena, name, URL_SPECIAL)));
}

/* Lists where a file may be, the mirror that gave the Release first. */
static struct strings all_urls(struct arena *arena, const struct release *release, const char *name,
                               const struct digest *digest)
{
    struct strings urls = {0};
    const struct strings *uris = &release->repository->uris;
    const char *below = release->dir + strlen(release->uri);
    add_urls(arena, release, release->dir, name, digest, &urls);
    for (size_t i = 0; i < uris->count; i++) {
        if (strcmp(uris->items[i], release->uri) != 0)
            add_urls(arena, release, arena_printf(arena, "%s%s", uris->items[i], below), name, digest, &urls);
    }
    return urls;
}

/* Brings the file into the store by the network. */
static bool download(const struct source_env *env, const struct release *release, const char *name,
                     const struct release_file *file, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    if (env->is_cache_only) {
        err_set(err, ERR_NETWORK, "%s of %s is not in the cache; the network is needed once", name,
                release->repository->name);
        return false;
    }
    struct strings urls = all_urls(&scratch, release, name, &file->digest);
    struct http_request request = {
        .urls = urls.items,
        .url_count = urls.count,
        .cap_bytes = INDEX_MAX_BYTES,
        .is_size_known = true,
        .size_bytes = file->size_bytes,
        .is_digest_known = true,
        .digest = file->digest,
        .store = env->store,
    };
    http_send(env->http, &request);
    bool is_good = http_wait(env->http, &request);
    buf_done(&request.body);
    if (is_good)
        return true;
    *err = request.err;
    if (err->kind == ERR_TRUST || err->kind == ERR_MALFORMED)
        err_wrap(err, "%s of %s (the mirror may be in the middle of an update: try again in a few minutes)", name,
                 release->repository->name);
    else
        err_wrap(err, "%s of %s", name, release->repository->name);
    return false;
}

/* Maps the file from the store, where it is put first when it is not there. */
bool release_map(const struct source_env *env, const struct release *release, const char *name,
                 const struct release_file *file, struct view *ret_view, struct err *err)
{
    bool is_found;
    if (!store_map_blob(env->store, &file->digest, ret_view, &is_found, err))
        return false;
    if (is_found)
        return true;
    if (!download(env, release, name, file, err) ||
        !store_map_blob(env->store, &file->digest, ret_view, &is_found, err))
        return false;
    if (!is_found)
        err_set(err, ERR_LOCAL, "%s of %s vanished from the cache right after it was fetched", name,
                release->repository->name);
    return is_found;
}

/* Compares with what the Release says of the plain file, when it says it. */
static bool check_plain(const struct release *release, const char *name, const struct release_file *plain,
                        const struct buf *bytes, struct err *err)
{
    struct digest got = digest_of(bytes->bytes, bytes->len);
    if (digest_eq(&got, &plain->digest))
        return true;
    err_set(err, ERR_TRUST, "%s of %s: decompressed, expected sha256:%s, got sha256:%s", name,
            release->repository->name, digest_hex(&plain->digest).chars, digest_hex(&got).chars);
    return false;
}

static bool unpack(const struct release *release, const char *name, struct text bytes, struct buf *ret_plain,
                   struct err *err)
{
    enum compression compression = compression_of_name(name);
    if (compression == COMPRESSION_NONE) {
        buf_init(ret_plain, WHOLE_MAX_BYTES);
        return buf_add(ret_plain, bytes.ptr, bytes.len);
    }
    struct text plain_name = text_of(name);
    plain_name.len -= strlen(compression_ending(compression));
    const struct release_file *plain = map_get(&release->files, plain_name);
    if (plain && plain->size_bytes > WHOLE_MAX_BYTES) {
        err_set(err, ERR_MALFORMED, "%s of %s is %llu bytes when decompressed; at most %llu are read", name,
                release->repository->name, (unsigned long long)plain->size_bytes, (unsigned long long)WHOLE_MAX_BYTES);
        return false;
    }
    size_t size_bytes = plain ? (size_t)plain->size_bytes : (size_t)WHOLE_MAX_BYTES;
    if (!decompress(compression, bytes, plain != NULL, size_bytes, name, ret_plain, err)) {
        err_wrap(err, "%s", release->repository->name);
        return false;
    }
    return !plain || check_plain(release, name, plain, ret_plain, err);
}

bool release_fetch(const struct source_env *env, const struct release *release, const char *name, struct buf *ret_plain,
                   struct err *err)
{
    AUTO(view_done) struct view view = {0};
    AUTO(buf_done) struct buf plain = {0};
    const struct release_file *file = map_get(&release->files, text_of(name));
    if (!file) {
        err_set(err, ERR_MALFORMED, "%s does not list %s", release->repository->name, name);
        return false;
    }
    if (file->size_bytes > WHOLE_MAX_BYTES) {
        err_set(err, ERR_MALFORMED, "%s of %s is %llu bytes; at most %llu are read", name, release->repository->name,
                (unsigned long long)file->size_bytes, (unsigned long long)WHOLE_MAX_BYTES);
        return false;
    }
    /* Repositories list empty plain indices that they do not carry. */
    if (file->size_bytes > 0 && !release_map(env, release, name, file, &view, err))
        return false;
    struct text bytes = {view.ptr ? view.ptr : "", view.len};
    if (!unpack(release, name, bytes, &plain, err))
        return false;
    *ret_plain = plain;
    plain = (struct buf){0};
    return true;
}
