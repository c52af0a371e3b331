/* SPDX-License-Identifier: Apache-2.0 */
#include "source/listed_file.h"

#include <inttypes.h>

#include "base/auto.h"
#include "io/decompress.h"

struct strings listed_file_urls(struct arena *arena, const char *first, const struct strings *mirrors,
                                const struct strings *paths)
{
    struct strings urls = {0};
    for (size_t i = 0; i < paths->count; i++)
        list_add(arena, &urls, arena_printf(arena, "%s%s", first, paths->items[i]));
    for (size_t i = 0; i < mirrors->count; i++) {
        for (size_t k = 0; k < paths->count && strcmp(mirrors->items[i], first) != 0; k++)
            list_add(arena, &urls, arena_printf(arena, "%s%s", mirrors->items[i], paths->items[k]));
    }
    return urls;
}

/* Maps what the store has; *ret_found is false when it has nothing, or does not know by what SHA-256. */
static bool map_kept(const struct source_env *env, const struct listed_file *file, struct view *ret_view,
                     bool *ret_found, struct err *err)
{
    struct digest digest;
    *ret_found = true;
    if (file->checksum.kind == CHECKSUM_SHA256)
        digest = checksum_digest(&file->checksum);
    else if (!store_find_sha512(env->store, &file->checksum, &digest, ret_found, err))
        return false;
    return !*ret_found || store_map_blob(env->store, &digest, ret_view, ret_found, err);
}

/* Brings the file into the store by the network. */
static bool download(const struct source_env *env, const struct listed_file *file, struct err *err)
{
    if (env->is_cache_only) {
        err_set(err, ERR_NETWORK, "%s: it is not in the cache; the network is needed once", file->name);
        return false;
    }
    bool is_sha512 = file->checksum.kind == CHECKSUM_SHA512;
    struct http_request request = {
        .urls = file->urls.items,
        .url_count = file->urls.count,
        .cap_bytes = file->max_bytes,
        .is_size_known = file->is_size_known,
        .size_bytes = file->size_bytes,
        .is_digest_known = !is_sha512,
        .sha512 = is_sha512 ? &file->checksum : NULL,
        .store = env->store,
        .access = env->access,
    };
    if (!is_sha512)
        request.digest = checksum_digest(&file->checksum);
    struct checksum_text chars = checksum_text(&file->checksum);
    const char *colon = strchr(chars.chars, ':');
    request.naming = colon ? colon + 1 : chars.chars;
    http_send(env->http, &request);
    bool is_good = http_wait(env->http, &request);
    buf_done(&request.body);
    if (is_good)
        return true;
    *err = request.err;
    err_wrap(err, "%s%s", file->name,
             generations_is_race(err) && !env->pins
                 ? " (the mirror may be in the middle of an update: --sync-wait 10m waits for its end)"
                 : "");
    if (file->generation)
        generations_note(env->generations, file->generation, err);
    return false;
}

bool listed_file_map(const struct source_env *env, const struct listed_file *file, struct view *ret_view,
                     struct err *err)
{
    bool is_found;
    if (!map_kept(env, file, ret_view, &is_found, err))
        return false;
    if (is_found)
        return true;
    if (!download(env, file, err) || !map_kept(env, file, ret_view, &is_found, err))
        return false;
    if (!is_found)
        err_set(err, ERR_LOCAL, "%s vanished from the cache right after it was fetched", file->name);
    return is_found;
}

static bool check_said(const struct listed_file *file, uint64_t said_bytes, uint64_t max_bytes, const char *when,
                       struct err *err)
{
    if (said_bytes <= max_bytes)
        return true;
    err_set(err, ERR_MALFORMED, "%s is said to have %" PRIu64 " bytes%s; at most %" PRIu64 " are read", file->name,
            said_bytes, when, max_bytes);
    return false;
}

static bool unpack(const struct listed_file *file, struct text bytes, struct buf *ret_plain, struct err *err)
{
    bool is_known = file->is_plain_size_known;
    uint64_t size_bytes = is_known ? file->plain_bytes : file->plain_max_bytes;
    if (!decompress(compression_of_name(file->path), bytes, is_known, (size_t)size_bytes, file->name, ret_plain, err))
        return false;
    if (!file->plain_checksum)
        return true;
    struct checksum got = checksum_of(file->plain_checksum->kind, ret_plain->bytes, ret_plain->len);
    if (checksum_eq(&got, file->plain_checksum))
        return true;
    err_set(err, ERR_TRUST, "%s: when unpacked, expected %s, got %s", file->name,
            checksum_text(file->plain_checksum).chars, checksum_text(&got).chars);
    buf_done(ret_plain);
    return false;
}

bool listed_file_read(const struct source_env *env, const struct listed_file *file, struct buf *ret_plain,
                      struct err *err)
{
    AUTO(view_done) struct view view = {0};
    bool is_empty = file->is_size_known && file->size_bytes == 0;
    if (!check_said(file, file->size_bytes, file->max_bytes, "", err) ||
        !check_said(file, file->plain_bytes, file->plain_max_bytes, " when unpacked", err) ||
        (!is_empty && !listed_file_map(env, file, &view, err)))
        return false;
    if (file->is_size_known && view.len != file->size_bytes) {
        err_set(err, ERR_TRUST, "%s: expected %" PRIu64 " bytes, got %zu", file->name, file->size_bytes, view.len);
        return false;
    }
    return unpack(file, (struct text){view.ptr ? view.ptr : "", view.len}, ret_plain, err);
}
