/* SPDX-License-Identifier: Apache-2.0 */
/* What to make of a transfer that ended. For a plain GET order matters: a refusal of our own callbacks first (libcurl
 * only reports "write error" then), then the HTTP status, then libcurl's result, then the bytes. */
#include "io/http_try.h"

#include <inttypes.h>

#include "io/file.h"
#include "io/http_status.h"

#define DESCRIPTORS_OF_A_TRY 4 /* what libcurl may open at once for one: two addresses, a look-up, a file */

struct http_shown http_show(const char *url)
{
    struct http_shown shown;
    const char *scheme_end = strstr(url, "://");
    size_t scheme_len = scheme_end ? (size_t)(scheme_end - url) + 3 : 0;
    const char *authority = url + scheme_len;
    const char *host = authority;
    size_t authority_len = strcspn(authority, "/?#");
    for (size_t i = 0; scheme_end && i < authority_len; i++) {
        if (authority[i] == '@')
            host = authority + i + 1;
    }
    int host_len = (int)strnlen(host, 4096);
    host_len = (int)strcspn(host, "?#") < host_len ? (int)strcspn(host, "?#") : host_len;
    (void)snprintf(shown.chars, sizeof shown.chars, "%.*s%.*s%s", (int)scheme_len, url, host_len, host,
                   host[host_len] == '?' ? "?…" : "");
    text_flatten(shown.chars);
    return shown;
}

static bool is_transient_code(CURLcode code)
{
    static const CURLcode codes[] = {CURLE_COULDNT_RESOLVE_PROXY,
                                     CURLE_COULDNT_RESOLVE_HOST,
                                     CURLE_COULDNT_CONNECT,
                                     CURLE_WEIRD_SERVER_REPLY,
                                     CURLE_PARTIAL_FILE,
                                     CURLE_OPERATION_TIMEDOUT,
                                     CURLE_SSL_CONNECT_ERROR,
                                     CURLE_GOT_NOTHING,
                                     CURLE_SEND_ERROR,
                                     CURLE_RECV_ERROR};
    for (size_t i = 0; i < ARRAY_COUNT(codes); i++) {
        if (codes[i] == code)
            return true;
    }
    return false;
}

static bool is_certificate_code(CURLcode code)
{
    return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_ISSUER_ERROR ||
           code == CURLE_SSL_INVALIDCERTSTATUS || code == CURLE_SSL_PINNEDPUBKEYNOTMATCH;
}

/* Says where a redirect ended, when there was one. */
static struct http_shown redirected_of(const struct http_try *try)
{
    struct http_shown where = {""};
    long count = 0;
    char *url = NULL;
    (void)curl_easy_getinfo(try->easy, CURLINFO_REDIRECT_COUNT, &count);
    (void)curl_easy_getinfo(try->easy, CURLINFO_EFFECTIVE_URL, &url);
    if (count > 0 && url)
        (void)snprintf(where.chars, sizeof where.chars, " (redirected to %.480s)", http_show(url).chars);
    return where;
}

static const char *const proxy_hint =
    ": the proxy wants a name and password, or others (http_proxy=http://NAME:PASSWORD@…)";

static enum http_verdict judge_status(struct http_try *try, long status)
{
    bool is_transient = http_status_is_transient(status);
    curl_off_t wait_s = 0;
    if (is_transient)
        (void)curl_easy_getinfo(try->easy, CURLINFO_RETRY_AFTER, &wait_s);
    try->retry_after_s = wait_s <= 0 ? 0 : wait_s > INT32_MAX ? INT32_MAX : (unsigned)wait_s;
    err_set(&try->err, ERR_NETWORK, "HTTP status %ld%s%s", status, status == 407 ? proxy_hint : "",
            redirected_of(try).chars);
    try->err.detail = (int)status;
    return is_transient ? HTTP_VERDICT_TRANSIENT : HTTP_VERDICT_FINAL;
}

/* libcurl has one code for a connection that nobody takes and for one that this machine has no descriptor for. Where it
 * opens files itself (file:, certificates, name look-ups), only a look at what there is room for now can tell. */
static int find_shortage(const struct http_try *try)
{
    struct err err = {0};
    struct err socket_err = {.kind = ERR_LOCAL, .detail = try->socket_errno};
    if (err_is_shortage(&socket_err))
        return try->socket_errno;
    return file_check_room(DESCRIPTORS_OF_A_TRY, &err) ? 0 : err.detail;
}

static enum http_verdict judge_transport(struct http_try *try, CURLcode code)
{
    const char *reason = try->reason[0] ? try->reason : curl_easy_strerror(code);
    bool is_missing = code == CURLE_FILE_COULDNT_READ_FILE || code == CURLE_REMOTE_FILE_NOT_FOUND;
    int shortage = code == CURLE_OK ? 0 : find_shortage(try);
    if (shortage) {
        err_set_errno(&try->err, shortage, "cannot open a connection or file");
        return HTTP_VERDICT_TRANSIENT; /* others may give some back */
    }
    if (is_missing) {
        err_set(&try->err, ERR_NETWORK, "no such file, or it cannot be read");
        try->request->status = try->err.detail = 404;
        return HTTP_VERDICT_FINAL;
    }
    long tunnel = 0; /* what a proxy answered that was to lead to a host by TLS */
    (void)curl_easy_getinfo(try->easy, CURLINFO_HTTP_CONNECTCODE, &tunnel);
    if (tunnel == 407) {
        err_set(&try->err, ERR_NETWORK, "HTTP status 407%s", proxy_hint);
        try->request->status = try->err.detail = 407;
        return HTTP_VERDICT_FINAL;
    }
    bool is_about_time = strstr(reason, "expired") || strstr(reason, "not yet valid");
    bool is_of_proxy = try->is_proxied && (code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_PROXY);
    const char *hint = is_certificate_code(code) && is_about_time ? " (is this machine's clock right?)"
                       : is_of_proxy
                           ? " (the proxy that http_proxy, https_proxy or all_proxy names, or the repository's own)"
                           : "";
    err_set(&try->err, is_certificate_code(code) ? ERR_TRUST : ERR_NETWORK, "%s%s%s", reason, hint,
            redirected_of(try).chars);
    return is_transient_code(code) ? HTTP_VERDICT_TRANSIENT : HTTP_VERDICT_FINAL;
}

static bool looks_like_html(const struct http_try *try)
{
    static const char *const starts[] = {"<!doctype", "<html"};
    struct text opening = text_trim((struct text){try->opening, try->opening_len});
    for (size_t i = 0; i < ARRAY_COUNT(starts); i++) {
        struct text start = {opening.ptr, strlen(starts[i])};
        if (opening.len >= start.len && text_is_nocase(start, starts[i]))
            return true;
    }
    return false;
}

/* Hands the body over; an empty one is "" too, not NULL. */
static bool take_body(struct http_try *try, const struct digest *got)
{
    if (!buf_add(&try->body, "", 0))
        return false;
    try->request->blob_digest = *got;
    try->request->body = try->body;
    try->body = (struct buf){0};
    return true;
}

/* Compares with the SHA-512 that is known, before anything of it gets a name. */
static bool check_sha512(struct http_try *try)
{
    const struct checksum *expect = try->request->sha512;
    if (!expect)
        return true;
    struct checksum got = checksum_end(&try->sha512);
    if (checksum_eq(expect, &got))
        return true;
    err_set(&try->err, ERR_TRUST, "expected %s, got %s", checksum_text(expect).chars, checksum_text(&got).chars);
    return false;
}

static bool commit_blob(struct http_try *try, const struct digest *expect)
{
    struct http_request *request = try->request;
    return (try->blob.is_begun || blob_begin(request->store, &try->blob, &try->err)) &&
           blob_commit(&try->blob, expect, &request->blob_digest, &try->err) &&
           (!request->sha512 || store_note_sha512(request->store, request->sha512, &request->blob_digest, &try->err));
}

/* Ends the blob or body. On success the digest of what came is in the request. */
static bool take_bytes(struct http_try *try)
{
    struct http_request *request = try->request;
    const struct digest *expect = request->is_digest_known ? &request->digest : NULL;
    if (request->is_size_known && try->received_bytes != request->size_bytes) {
        err_set(&try->err, ERR_TRUST, "expected %" PRIu64 " bytes, got %" PRIu64, request->size_bytes,
                try->received_bytes);
        return false;
    }
    if (!check_sha512(try))
        return false;
    if (request->call ? http_call_is_stored(try) : request->store != NULL)
        return commit_blob(try, expect);
    struct digest got = digest_end(&try->hash);
    if (expect && !digest_eq(expect, &got)) {
        err_set(&try->err, ERR_TRUST, "expected sha256:%s, got sha256:%s", digest_hex(expect).chars,
                digest_hex(&got).chars);
        return false;
    }
    return take_body(try, &got);
}

/* What came of an answer that broke off is worth having: the caller can ask for the rest. */
static void keep_part(struct http_try *try)
{
    struct http_request *request = try->request;
    struct err ignored = {0}; /* there is an error already */
    if (!request->call->is_part_kept || !http_call_is_stored(try) || !try->blob.is_begun)
        return;
    request->call->has_part = blob_commit(&try->blob, NULL, &request->blob_digest, &ignored);
    if (request->call->has_part)
        try->counted_bytes = 0;
}

static void judge_call_transport(struct http_try *try, CURLcode code)
{
    (void)judge_transport(try, code);
    if (try->err.kind != ERR_LOCAL && (code == CURLE_SSL_CACERT_BADFILE || code == CURLE_SSL_CERTPROBLEM))
        try->err.kind = ERR_TRUST;
    keep_part(try);
}

/* libcurl reports an error when it stops sending because the answer is there already: a status of 300 or more counts
 * all the same, with as much of its body as came. */
static bool take_answer(struct http_try *try, CURLcode code)
{
    struct http_request *request = try->request;
    if (request->status >= 300) {
        struct digest got = digest_end(&try->hash);
        return take_body(try, &got);
    }
    if (code == CURLE_WRITE_ERROR && try->is_encoded) {
        err_set(&try->err, ERR_MALFORMED, "the server encodes the content though it was not asked to");
        return false;
    }
    if (code == CURLE_OK && request->status > 0)
        return take_bytes(try);
    judge_call_transport(try, code);
    return false;
}

static enum http_verdict judge_call(struct http_try *try, CURLcode code)
{
    struct http_request *request = try->request;
    long status = 0;
    if (try->calling.is_answered)
        (void)curl_easy_getinfo(try->easy, CURLINFO_RESPONSE_CODE, &status);
    request->status = (int)status;
    if (try->err.kind != ERR_NONE || !take_answer(try, code))
        return HTTP_VERDICT_FINAL;
    request->call->answer_headers = try->calling.answer_headers;
    try->calling.answer_headers = (struct buf){0};
    if (status < 300)
        try->calling.counted_bytes = 0;
    return HTTP_VERDICT_GOOD;
}

static enum http_verdict judge(struct http_try *try, CURLcode code)
{
    long status = 0;
    (void)curl_easy_getinfo(try->easy, CURLINFO_RESPONSE_CODE, &status);
    try->request->status = (int)status;
    if (try->err.kind != ERR_NONE)
        return try->err.kind == ERR_LOCAL ? HTTP_VERDICT_HOPELESS : HTTP_VERDICT_FINAL;
    if (status >= 400)
        return judge_status(try, status);
    if (try->is_encoded && status >= 200 && status < 300) {
        err_set(&try->err, ERR_MALFORMED, "the server encodes the content though it was not asked to");
        return HTTP_VERDICT_FINAL;
    }
    if (code != CURLE_OK)
        return judge_transport(try, code);
    if (status == 304 && try->conditions)
        return HTTP_VERDICT_GOOD; /* what the caller has is what there is */
    bool is_part = status == 206 && !(try->resumed_bytes && try->is_range_settled);
    if (status != 0 && (status < 200 || status >= 300 || is_part))
        return judge_status(try, status);
    if (take_bytes(try))
        return HTTP_VERDICT_GOOD;
    return try->err.kind == ERR_LOCAL ? HTTP_VERDICT_HOPELESS : HTTP_VERDICT_FINAL;
}

enum http_verdict http_try_judge(struct http_try *try, CURLcode code)
{
    enum http_verdict verdict = try->request->call ? judge_call(try, code) : judge(try, code);
    try->request->received_bytes = try->received_bytes;
    if (verdict == HTTP_VERDICT_GOOD) {
        try->request->url = try->url;
        if (try->request->version && try->request->status != 304)
            *try->request->version = try->version;
        try->counted_bytes = 0;
        return verdict;
    }
    bool has_hint = try->err.kind == ERR_TRUST && looks_like_html(try);
    bool is_moving = try->request->naming && !strstr(try->url, try->request->naming);
    if (is_moving && try->err.kind == ERR_TRUST && !has_hint && !is_certificate_code(code)) {
        try->err.kind = ERR_NETWORK;
        try->err.detail = HTTP_DETAIL_MOVED;
    }
    if (!try->request->call && try->err.kind == ERR_TRUST && (has_hint || is_certificate_code(code)))
        try->err.detail = HTTP_DETAIL_PLACE;
    struct http_shown shown = http_show(try->url);
    if (has_hint)
        err_wrap(&try->err, "%s: an HTML page came instead (of a proxy or portal?)", shown.chars);
    else
        err_wrap(&try->err, "%s", shown.chars);
    return verdict;
}
