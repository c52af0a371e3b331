/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/small_file.h"

#include "base/auto.h"
#include "io/http_status.h"

#define VERSION_KIND "version" /* what a server said of a file's version, by its URL */
#define VERSION_FORMAT "version 1"

/* A file that was got before. */
struct before {
    struct digest key; /* of the URL */
    struct buf bytes;
    struct http_version version; /* empty: there is none that one could ask with */
};

static bool read_version(struct text text, struct digest *ret_digest, struct http_version *ret_version)
{
    struct text digest, etag, modified;
    if (!text_next(&text, '\n', &digest) || !text_next(&text, '\n', &etag) || !text_next(&text, '\n', &modified) ||
        !digest_parse(digest, ret_digest) || etag.len >= sizeof ret_version->etag ||
        modified.len >= sizeof ret_version->modified)
        return false;
    memcpy(ret_version->etag, etag.ptr, etag.len);
    memcpy(ret_version->modified, modified.ptr, modified.len);
    return true;
}

/* Finds what was got from the URL last; without its bytes there is nothing to ask about. */
static void find_before(const struct source_env *env, const char *url, uint64_t cap_bytes, struct before *before)
{
    AUTO(view_done) struct view view = {0};
    struct http_version version = {0};
    struct digest digest;
    struct err ignored = {0};
    bool is_found;
    struct digest_stream stream;
    digest_begin(&stream);
    digest_feed(&stream, VERSION_FORMAT, sizeof VERSION_FORMAT);
    digest_feed(&stream, url, strlen(url));
    before->key = digest_end(&stream);
    if (env->store && store_map_derived(env->store, VERSION_KIND, &before->key, &view, &is_found, &ignored) &&
        is_found && read_version((struct text){view.ptr, view.len}, &digest, &version) &&
        small_file_recall(env, "", &digest, (size_t)cap_bytes, &before->bytes, &ignored))
        before->version = version;
}

/* Keeps bytes and version for the next night, which otherwise gets the bytes again. */
static void keep_version(const struct source_env *env, const struct before *before, const struct http_version *version,
                         const struct buf *bytes)
{
    AUTO(blob_abandon) struct blob blob = {0};
    AUTO(buf_done) struct buf text;
    struct digest digest;
    struct err ignored = {0};
    buf_init(&text, 1000);
    if ((*version->etag || *version->modified) && env->store && small_file_keep(env, bytes, &digest, &ignored) &&
        buf_printf(&text, "%s\n%s\n%s\n", digest_hex(&digest).chars, version->etag, version->modified) &&
        blob_begin(env->store, &blob, &ignored) && blob_write(&blob, text.bytes, text.len, &ignored))
        (void)!blob_commit_derived(&blob, VERSION_KIND, &before->key, &ignored);
}

bool small_file_get(const struct source_env *env, const char *url, uint64_t cap_bytes, struct small_file_haste haste,
                    struct buf *ret_body, bool *ret_absent, struct err *err)
{
    struct http_request request = {.urls = &url, .url_count = 1, .cap_bytes = cap_bytes, .access = env->access};
    struct before before = {0};
    find_before(env, url, cap_bytes, &before);
    struct http_version version = before.version;
    request.version = &version;
    request.is_tried_once = haste.is_tried_once;
    request.is_impatient = haste.is_other_there;
    http_send(env->http, &request);
    bool is_good = http_wait(env->http, &request);
    *ret_absent = false;
    if (is_good && request.status == 304) {
        *ret_body = before.bytes;
        return true;
    }
    buf_done(&before.bytes);
    if (is_good) {
        keep_version(env, &before, &version, &request.body);
        *ret_body = request.body;
        return true;
    }
    buf_done(&request.body);
    int status = request.status;
    /* Object stores answer 403 for what they do not have. */
    *ret_absent = request.err.kind == ERR_NETWORK && (http_status_is_absent(status) || status == 403);
    *err = request.err;
    return false;
}

bool small_file_keep(const struct source_env *env, const struct buf *bytes, struct digest *ret_digest, struct err *err)
{
    AUTO(blob_abandon) struct blob blob = {0};
    *ret_digest = digest_of(bytes->bytes, bytes->len);
    if (store_has_blob(env->store, ret_digest, bytes->len))
        return true;
    return blob_begin(env->store, &blob, err) && blob_write(&blob, bytes->bytes, bytes->len, err) &&
           blob_commit(&blob, ret_digest, ret_digest, err);
}

bool small_file_recall(const struct source_env *env, const char *name, const struct digest *digest, size_t cap_bytes,
                       struct buf *ret_bytes, struct err *err)
{
    AUTO(view_done) struct view view = {0};
    bool is_found;
    if (!store_map_blob(env->store, digest, &view, &is_found, err))
        return false;
    if (!is_found) {
        err_set(err, ERR_NETWORK, "%s is not in the cache; the network is needed once", name);
        return false;
    }
    buf_init(ret_bytes, cap_bytes);
    if (!buf_add(ret_bytes, view.ptr, view.len)) {
        err_set(err, ERR_MALFORMED, "%s is above %zu bytes", name, cap_bytes);
        return false;
    }
    return true;
}
