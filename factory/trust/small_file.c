#include "trust/small_file.h"

#include "base/auto.h"
#include "io/http_status.h"

bool small_file_get(const struct source_env *env, const char *url, uint64_t cap_bytes, struct small_file_haste haste,
                    struct buf *ret_body, bool *ret_absent, struct err *err)
{
    struct http_request request = {.urls = &url, .url_count = 1, .cap_bytes = cap_bytes};
    request.is_tried_once = haste.is_tried_once;
    request.is_impatient = haste.is_other_there;
    http_send(env->http, &request);
    bool is_good = http_wait(env->http, &request);
    *ret_absent = false;
    if (is_good) {
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
