/* Files that repomd.xml lists, from any mirror, each byte checked by checksum and size, packed and unpacked. */
#include "base/auto.h"
#include "io/decompress.h"
#include "rpmmd/rpm_href.h"
#include "rpmmd/rpm_metadata.h"

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

/* The name under which the store knows the file; *ret_found false when that is not known yet. */
static bool find_name(const struct source_env *env, const struct checksum *checksum, struct digest *ret_digest,
                      bool *ret_found, struct err *err)
{
    if (checksum->kind == CHECKSUM_SHA512)
        return store_find_sha512(env->store, checksum, ret_digest, ret_found, err);
    *ret_digest = checksum_digest(checksum);
    *ret_found = true;
    return true;
}

static bool map_kept(const struct source_env *env, const struct rpm_metadata_file *file, struct view *ret_view,
                     bool *ret_found, struct err *err)
{
    struct digest digest;
    return find_name(env, &file->checksum, &digest, ret_found, err) &&
           (!*ret_found || store_map_blob(env->store, &digest, ret_view, ret_found, err));
}

/* Lists where the file may be, the mirror that gave repomd.xml first. */
static struct strings all_urls(struct arena *arena, const struct origin *origin, const char *href)
{
    struct strings urls = {0};
    const char *name = rpm_href_url(arena, href);
    list_add(arena, &urls, arena_printf(arena, "%s%s", origin->uri, name));
    for (size_t i = 0; i < origin->uris.count; i++) {
        if (strcmp(origin->uris.items[i], origin->uri) != 0)
            list_add(arena, &urls, arena_printf(arena, "%s%s", origin->uris.items[i], name));
    }
    return urls;
}

static bool download(const struct source_env *env, const struct rpm_metadata *metadata,
                     const struct rpm_metadata_file *file, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    if (env->is_cache_only) {
        err_set(err, ERR_NETWORK, "it is not in the cache; the network is needed once");
        return false;
    }
    struct strings urls = all_urls(&scratch, &metadata->origin, file->href);
    bool is_sha512 = file->checksum.kind == CHECKSUM_SHA512;
    struct http_request request = {
        .urls = urls.items,
        .url_count = urls.count,
        .cap_bytes = PACKED_MAX_BYTES,
        .is_size_known = file->size_bytes > 0,
        .size_bytes = file->size_bytes,
        .is_digest_known = !is_sha512,
        .sha512 = is_sha512 ? &file->checksum : NULL,
        .store = env->store,
    };
    if (!is_sha512)
        request.digest = checksum_digest(&file->checksum);
    http_send(env->http, &request);
    bool is_good = http_wait(env->http, &request);
    buf_done(&request.body);
    if (is_good)
        return true;
    *err = request.err;
    if (err->kind == ERR_TRUST || err->kind == ERR_MALFORMED)
        err_wrap(err, "the mirror may be in the middle of an update, so try again in a few minutes");
    return false;
}

/* Maps the file from the store, where it is put first when it is not there. */
static bool map(const struct source_env *env, const struct rpm_metadata *metadata, const struct rpm_metadata_file *file,
                struct view *ret_view, struct err *err)
{
    bool is_found;
    if (!map_kept(env, file, ret_view, &is_found, err))
        return false;
    if (is_found)
        return true;
    if (!download(env, metadata, file, err) || !map_kept(env, file, ret_view, &is_found, err))
        return false;
    if (!is_found)
        err_set(err, ERR_LOCAL, "it vanished from the cache right after it was fetched");
    return is_found;
}

static bool check_size(uint64_t said_bytes, uint64_t cap_bytes, const char *what, struct err *err)
{
    if (said_bytes <= cap_bytes)
        return true;
    err_set(err, ERR_MALFORMED, "it is said to have %llu bytes%s; at most %llu are read",
            (unsigned long long)said_bytes, what, (unsigned long long)cap_bytes);
    return false;
}

static bool unpack(const struct rpm_metadata_file *file, struct text packed, struct buf *ret_plain, struct err *err)
{
    uint64_t plain_bytes = file->open_size_bytes ? file->open_size_bytes : PLAIN_MAX_BYTES;
    if (!check_size(file->open_size_bytes, PLAIN_MAX_BYTES, " when unpacked", err) ||
        !decompress(compression_of_name(file->href), packed, file->open_size_bytes > 0, (size_t)plain_bytes, file->href,
                    ret_plain, err))
        return false;
    if (!file->has_open_checksum)
        return true;
    struct checksum got = checksum_of(file->open_checksum.kind, ret_plain->bytes, ret_plain->len);
    if (checksum_eq(&got, &file->open_checksum))
        return true;
    err_set(err, ERR_TRUST, "unpacked, expected %s, got %s", checksum_text(&file->open_checksum).chars,
            checksum_text(&got).chars);
    buf_done(ret_plain);
    return false;
}

static bool is_zchunk(const struct rpm_metadata_file *file)
{
    return text_has_suffix(text_of(file->type), ZCHUNK_ENDING) || text_has_suffix(text_of(file->href), ".zck");
}

static bool fetch(const struct source_env *env, const struct rpm_metadata *metadata,
                  const struct rpm_metadata_file *file, struct buf *ret_plain, struct err *err)
{
    AUTO(view_done) struct view view = {0};
    if (is_zchunk(file)) {
        err_set(err, ERR_MALFORMED,
                "the repository has it as zchunk only, which is not supported (createrepo_c makes gz, xz or zst beside "
                "it)");
        return false;
    }
    if (!check_size(file->size_bytes, PACKED_MAX_BYTES, "", err) || !map(env, metadata, file, &view, err))
        return false;
    if (file->size_bytes && view.len != file->size_bytes) {
        err_set(err, ERR_TRUST, "expected %llu bytes, got %zu", (unsigned long long)file->size_bytes, view.len);
        return false;
    }
    return unpack(file, (struct text){view.ptr, view.len}, ret_plain, err);
}

bool rpm_metadata_fetch(const struct source_env *env, const struct rpm_metadata *metadata,
                        const struct rpm_metadata_file *file, struct buf *ret_plain, struct err *err)
{
    if (fetch(env, metadata, file, ret_plain, err))
        return true;
    err_wrap(err, "%s (%s) of %s", file->href, file->type, metadata->origin.name);
    return false;
}
