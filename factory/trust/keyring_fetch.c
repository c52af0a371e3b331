/* SPDX-License-Identifier: Apache-2.0 */
/* keyrings_load_keys() of keyring.h. A fetched key is kept for a day: one that is withdrawn does not stay trusted for
 * ever, and most runs need no request for it. */
#include "trust/keyring.h"

#include <errno.h>
#include <fcntl.h>

#include "base/auto.h"
#include "source/source.h"
#include "trust/small_file.h"

#define KEY_FILE_MAX_BYTES (4u << 20)
#define KEYS_MAX_BYTES (16u << 20)
#define KEPT_KIND "key"
#define KEPT_MAX_AGE_SECONDS 86400

static struct digest kept_key(const char *url)
{
    return digest_of(url, strlen(url));
}

/* Takes a key that was fetched before; *ret_found is false when there is none, or one that is too old. */
static bool find_kept(const struct source_env *env, const char *url, struct buf *ret_bytes, bool *ret_found,
                      struct err *err)
{
    AUTO(view_done) struct view view = {0};
    struct digest key = kept_key(url);
    struct text rest, made;
    uint64_t seconds;
    if (!store_map_derived(env->store, KEPT_KIND, &key, &view, ret_found, err))
        return false;
    rest = (struct text){view.ptr, view.len};
    *ret_found = *ret_found && text_next(&rest, '\n', &made) && text_parse_u64(made, &seconds) &&
                 seconds <= INT64_MAX && rest.len;
    if (!*ret_found)
        return true;
    int64_t age = env->now - (int64_t)seconds;
    *ret_found = env->is_cache_only || (age >= 0 && age <= KEPT_MAX_AGE_SECONDS);
    buf_init(ret_bytes, KEY_FILE_MAX_BYTES);
    *ret_found = *ret_found && buf_add(ret_bytes, rest.ptr, rest.len);
    return true;
}

static bool keep(const struct source_env *env, struct arena *arena, const char *url, const struct buf *bytes,
                 struct err *err)
{
    AUTO(blob_abandon) struct blob blob = {0};
    struct digest key = kept_key(url);
    const char *head = arena_printf(arena, "%lld\n", (long long)(env->now > 0 ? env->now : 0));
    return blob_begin(env->store, &blob, err) && blob_write(&blob, head, strlen(head), err) &&
           blob_write(&blob, bytes->bytes, bytes->len, err) && blob_commit_derived(&blob, KEPT_KIND, &key, err);
}

/* Plain http is as good as a file when it stays on this machine. */
static bool is_safe_url(const char *url)
{
    static const char *const safe[] = {"https://",          "http://127.0.0.1:", "http://127.0.0.1/",
                                       "http://localhost:", "http://localhost/", "http://[::1]:",
                                       "http://[::1]/"};
    for (size_t i = 0; i < ARRAY_COUNT(safe); i++) {
        struct text start = {url, strlen(safe[i])};
        if (strlen(url) > start.len && text_is_nocase(start, safe[i]))
            return true;
    }
    return false;
}

/* Takes the key of a URL out of a folder of `lock --vendor`, which stands for the URL. */
static bool find_vendored(const struct source_env *env, struct arena *arena, const char *url, struct buf *ret_bytes)
{
    struct err ignored = {0};
    struct digest key = kept_key(url);
    return env->pins && env->pins->vendor &&
           file_read_at(AT_FDCWD, arena_printf(arena, "%s/keys/%s", env->pins->vendor, digest_hex(&key).chars),
                        KEY_FILE_MAX_BYTES, ret_bytes, &ignored);
}

/* *ret_fresh tells that the key came from the network, and is not kept yet. */
static bool fetch(const struct source_env *env, struct arena *arena, const char *url, struct buf *ret_bytes,
                  bool *ret_fresh, struct err *err)
{
    bool is_found, is_absent;
    const char *shown = source_public_uri(arena, url);
    if (!is_safe_url(url)) {
        err_set(err, ERR_TRUST,
                "the key %s would come in the clear, so anyone on the way could replace it; use https "
                "or a file",
                shown);
        err->detail = KEYRING_LACKS;
        return false;
    }
    if (find_vendored(env, arena, url, ret_bytes))
        return true;
    if (!find_kept(env, url, ret_bytes, &is_found, err))
        return false;
    if (is_found)
        return true;
    if (env->is_cache_only) {
        err_set(err, ERR_NETWORK, "the key %s is not in the cache; the network is needed once", shown);
        return false;
    }
    if (!small_file_get(env, url, KEY_FILE_MAX_BYTES, (struct small_file_haste){0}, ret_bytes, &is_absent, err)) {
        err_wrap(err, "the key %s", shown);
        return false;
    }
    *ret_fresh = true;
    return true;
}

static bool read_path(const char *path, struct buf *ret_bytes, struct err *err)
{
    struct err why = {0};
    if (file_read_at(AT_FDCWD, path, KEY_FILE_MAX_BYTES, ret_bytes, &why))
        return true;
    err_set(err, ERR_TRUST, "the key file %s: %s", path,
            why.detail ? strerrordesc_np(why.detail) : "not a file of keys");
    err->detail = KEYRING_LACKS;
    return false;
}

/* Gives the bytes of one location. */
static bool read_location(const struct source_env *env, struct arena *arena, const char *location,
                          struct buf *ret_bytes, bool *ret_fresh, struct err *err)
{
    struct text whole = text_of(location);
    if (text_has_prefix(whole, "file://"))
        return read_path(location + strlen("file://"), ret_bytes, err);
    if (strstr(location, "://"))
        return fetch(env, arena, location, ret_bytes, ret_fresh, err);
    return read_path(location, ret_bytes, err);
}

bool keyring_read(const struct source_env *env, struct arena *arena, const char *location, struct buf *ret_bytes,
                  bool *ret_is_url, struct err *err)
{
    bool is_fresh = false;
    *ret_is_url = strstr(location, "://") && !text_has_prefix(text_of(location), "file://");
    return read_location(env, arena, location, ret_bytes, &is_fresh, err);
}

/* Adds the keys of one location to the rest. */
static bool add_keys(const struct source_env *env, struct arena *arena, const char *location, struct buf *joined,
                     struct keyrings *keyrings, struct err *err)
{
    AUTO(buf_done) struct buf bytes = {0};
    const char *shown = source_public_uri(arena, location), *why = NULL;
    bool is_fresh = false;
    if (!read_location(env, arena, location, &bytes, &is_fresh, err))
        return false;
    struct text binary = {bytes.len ? bytes.bytes : "", bytes.len};
    bool is_packet = bytes.len && (unsigned char)bytes.bytes[0] & 0x80;
    if (!is_packet && !keyring_dearmour(arena, binary, &binary))
        why = bytes.len ? "it is neither a binary nor an armoured public key" : "it is empty";
    if (!why)
        why = keyring_fault(binary);
    if (!why && !buf_add(joined, binary.ptr, binary.len))
        why = "there are more keys than are read";
    if (why) {
        err_set(err, ERR_TRUST, "%s is not a file of public keys: %s", shown, why);
        err->detail = KEYRING_LACKS;
        return false;
    }
    list_add(arena, &keyrings->places, shown);
    return !is_fresh || keep(env, arena, location, &bytes, err);
}

bool keyrings_load_keys(const struct source_env *env, struct arena *arena, const struct strings *locations,
                        struct keyrings *ret_keyrings, struct err *err)
{
    struct keyrings keyrings = {0};
    AUTO(buf_done) struct buf joined;
    buf_init(&joined, KEYS_MAX_BYTES);
    if (!locations->count) {
        err_set(err, ERR_TRUST, "there is no public key to check its signatures with; name one as gpgkey");
        err->detail = KEYRING_LACKS;
        return false;
    }
    for (size_t i = 0; i < locations->count; i++) {
        if (!add_keys(env, arena, locations->items[i], &joined, &keyrings, err))
            return false;
    }
    struct text part = {arena_strndup(arena, joined.bytes, joined.len), joined.len};
    list_add(arena, &keyrings.parts, part);
    keyrings.digest = digest_of(part.ptr, part.len);
    *ret_keyrings = keyrings;
    return true;
}
