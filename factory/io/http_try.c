/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes are counted and hashed as they come: libcurl's own limits do not cover a chunked reply, and nothing that passes
 * the expected size may even reach the disk. */
#include "io/http_try.h"

#include "base/auto.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>

#define REDIRECTS_MAX 5L
#define CONNECT_TIMEOUT_S 20L
#define STALL_BYTES_PER_S 1024L
#define STALL_S 30L
#define RECEIVE_BUFFER_BYTES (64L * 1024)

static bool is_error_answer(struct http_try *try)
{
    long status = 0;
    (void)curl_easy_getinfo(try->easy, CURLINFO_RESPONSE_CODE, &status);
    return status >= 300;
}

static void refuse_surplus(struct http_try *try, uint64_t received_bytes)
{
    const struct http_request *request = try->request;
    if (request->is_size_known)
        err_set(&try->err, ERR_TRUST, "expected %" PRIu64 " bytes, got %" PRIu64 " or more", request->size_bytes,
                received_bytes);
    else
        err_set(&try->err, ERR_MALFORMED, "larger than the %" PRIu64 " bytes that are allowed", request->cap_bytes);
}

static void remember_opening(struct http_try *try, const char *bytes, size_t len)
{
    size_t room = sizeof try->opening - try->opening_len;
    size_t taken = len < room ? len : room;
    memcpy(try->opening + try->opening_len, bytes, taken);
    try->opening_len += taken;
}

static bool keep(struct http_try *try, const char *bytes, size_t len)
{
    struct http_request *request = try->request;
    if (request->sha512)
        checksum_feed(&try->sha512, bytes, len);
    if (request->call ? http_call_is_stored(try) : request->store != NULL)
        return (try->blob.is_begun || blob_begin(request->store, &try->blob, &try->err)) &&
               blob_write(&try->blob, bytes, len, &try->err);
    /* The first piece makes room for all, if the size is known: below the cap, so no one can ask for too much. */
    if (request->is_size_known && !try->body.bytes && !buf_reserve(&try->body, (size_t)request->size_bytes))
        return false;
    digest_feed(&try->hash, bytes, len);
    return buf_add(&try->body, bytes, len);
}

/* An error's answer is read (so that the connection stays usable); it is kept only if it is the answer to a call. */
static size_t take_page(struct http_try *try, const char *bytes, size_t len)
{
    uint64_t kept_bytes = try->received_bytes - len;
    uint64_t room = kept_bytes < HTTP_PAGE_BYTES_MAX ? HTTP_PAGE_BYTES_MAX - kept_bytes : 0;
    size_t taken = len < room ? len : (size_t)room;
    if (try->request->call && taken > 0 && !keep(try, bytes, taken))
        return 0;
    return taken == len ? len : 0;
}

/* A server may answer with the whole file all the same: then what was there is dropped. */
static bool settle_range(struct http_try *try)
{
    long status = 0;
    (void)curl_easy_getinfo(try->easy, CURLINFO_RESPONSE_CODE, &status);
    try->is_range_settled = true;
    if (!try->resumed_bytes || (status == 206 && try->has_range && try->range_start == try->resumed_bytes))
        return true;
    struct http_part part = {try->blob, try->sha512, try->counted_bytes};
    try->blob = (struct blob){0};
    http_part_drop(try->request, &part);
    try->received_bytes = try->counted_bytes = try->resumed_bytes = 0;
    try->is_suspect = status == 206;
    if (try->request->sha512)
        checksum_begin(&try->sha512, CHECKSUM_SHA512);
    if (!try->is_suspect)
        return true;
    err_set(&try->err, ERR_NETWORK, "the server sent another part of the file than the one that was asked for");
    return false;
}

static size_t on_bytes(char *bytes, size_t one, size_t len, void *argument)
{
    struct http_try *try = argument;
    const struct http_request *request = try->request;
    (void)one; /* always 1 (CURLOPT_WRITEFUNCTION) */
    if (try->err.kind != ERR_NONE || try->is_encoded)
        return len ? 0 : 1;
    uint64_t limit = request->is_size_known ? request->size_bytes : request->cap_bytes;
    if (!is_error_answer(try) && !try->is_range_settled && !settle_range(try))
        return 0;
    try->received_bytes += len;
    if (is_error_answer(try))
        return take_page(try, bytes, len);
    remember_opening(try, bytes, len);
    if (try->received_bytes > limit) {
        refuse_surplus(try, try->received_bytes);
        return 0;
    }
    if (!keep(try, bytes, len))
        return 0;
    if (request->counter) {
        atomic_fetch_add(request->counter, len);
        try->counted_bytes += len;
    }
    return len;
}

static bool is_named(struct text line, const char *wanted, struct text *ret_value)
{
    struct text name;
    bool is_found = text_next(&line, ':', &name) && text_is_nocase(text_trim(name), wanted);
    *ret_value = text_trim(line);
    return is_found;
}

static bool names_encoding(struct text line)
{
    struct text value;
    return is_named(line, "content-encoding", &value) && value.len > 0 && !text_is_nocase(value, "identity");
}

static bool is_redirect(struct http_try *try)
{
    long status = 0;
    (void)curl_easy_getinfo(try->easy, CURLINFO_RESPONSE_CODE, &status);
    return status >= 300 && status < 400;
}

/* "Content-Range: bytes 100-199/200" (RFC 9110, section 14.4). */
static void note_range(struct http_try *try, struct text line)
{
    struct text value, unit, start;
    if (!is_named(line, "content-range", &value))
        return;
    try->has_range = text_next_word(&value, &unit) && text_is_nocase(unit, "bytes") && text_next(&value, '-', &start) &&
                     text_parse_u64(text_trim(start), &try->range_start);
}

/* What can be sent back as it is; what cannot counts as not said. */
static void note_version(struct http_try *try, struct text line)
{
    struct text value;
    struct http_version *version = &try->version;
    char *etag = is_named(line, "etag", &value) ? version->etag : NULL;
    char *at = etag ? etag : is_named(line, "last-modified", &value) ? version->modified : NULL;
    size_t room = etag ? sizeof version->etag : sizeof version->modified;
    bool is_plain = value.len < room;
    for (size_t i = 0; is_plain && i < value.len; i++)
        is_plain = value.ptr[i] >= ' ' && value.ptr[i] <= '~';
    if (!at)
        return;
    memcpy(at, value.ptr, is_plain ? value.len : 0);
    at[is_plain ? value.len : 0] = '\0';
}

static size_t on_header(char *bytes, size_t one, size_t len, void *argument)
{
    struct http_try *try = argument;
    struct text line = {bytes, len}, value;
    (void)one;
    try->header_bytes += len;
    if (try->header_bytes > HTTP_HEADER_BYTES_MAX || (try->request->call && !http_call_take_header(try, line))) {
        if (try->err.kind == ERR_NONE)
            err_set(&try->err, ERR_MALFORMED, "more than %" PRIu64 " bytes of headers", HTTP_HEADER_BYTES_MAX);
        return 0;
    }
    if (try->request->version)
        note_version(try, line);
    if (text_has_prefix(line, "HTTP/")) { /* another answer of the same transfer, after a redirect */
        try->is_encoded = try->has_range = false;
        try->version = (struct http_version){0};
    } else if (names_encoding(line)) {
        try->is_encoded = true;
    } else {
        note_range(try, line);
    }
    if (!try->request->call && is_named(line, "location", &value) && is_redirect(try) &&
        !http_redirect_check(try, value))
        return 0;
    return len;
}

static bool has_scheme(const char *url, const char *scheme)
{
    return strncasecmp(url, scheme, strlen(scheme)) == 0;
}

static bool set_limits(CURL *easy)
{
    return curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT_S) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, STALL_BYTES_PER_S) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, STALL_S) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, RECEIVE_BUFFER_BYTES) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_USERAGENT, "imgfactory") == CURLE_OK;
}

/* What was opened is read by the kernel's name of it, which is none for -1. */
static bool set_url(const struct http_try *try)
{
    char opened[64];
    (void)snprintf(opened, sizeof opened, "file:///proc/self/fd/%d", try->local_fd);
    bool is_opened = try->request->local && has_scheme(try->url, "file:");
    return curl_easy_setopt(try->easy, CURLOPT_URL, is_opened ? opened : try->url) == CURLE_OK;
}

static bool open_local(struct http_try *try, struct err *err)
{
    const struct http_local *local = try->request->local;
    return !local || !has_scheme(try->url, "file:") || local->open(local->owner, try->url, &try->local_fd, err);
}

/* file: only where the caller names it, never behind a redirect; TLS is never left once it was asked for. */
static bool set_protocols(const struct http_try *try)
{
    const char *redirected = has_scheme(try->url, "https:") ? "https" : "http,https";
    CURL *easy = try->easy;
    return set_url(try) && curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https,file") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, redirected) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_MAXREDIRS, REDIRECTS_MAX) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) == CURLE_OK;
}

/* Makes the socket as libcurl would; it does not tell why it could not. */
static curl_socket_t open_socket(void *argument, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct http_try *try = argument;
    (void)purpose;
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    try->socket_errno = fd < 0 ? errno : 0;
    return fd < 0 ? CURL_SOCKET_BAD : fd;
}

static bool set_callbacks(struct http_try *try, void *owner)
{
    CURL *easy = try->easy;
    return curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_bytes) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEDATA, try) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERDATA, try) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, try) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, http_redirect_on_connected) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PREREQDATA, try) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, try->reason) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PRIVATE, owner) == CURLE_OK;
}

static size_t body_cap(const struct http_request *request)
{
    uint64_t cap_bytes = request->is_size_known ? request->size_bytes : request->cap_bytes;
    if (request->call && cap_bytes < HTTP_PAGE_BYTES_MAX)
        cap_bytes = HTTP_PAGE_BYTES_MAX; /* on_bytes() minds the cap, where it counts */
    return cap_bytes < PTRDIFF_MAX ? (size_t)cap_bytes : (size_t)PTRDIFF_MAX;
}

/* The proxy is ours to choose: libcurl knows no ports in no_proxy, and asks a proxy for loopback hosts. What is fetched
 * plainly may be led elsewhere by a redirect, so there libcurl chooses for each host, by a list with the first. */
static bool set_proxy(CURL *easy, const struct http_request *request, const char *url, const struct proxies *proxies)
{
    AUTO(arena_done) struct arena scratch = {0};
    const char *proxy = proxy_for(proxies, url), *listed = proxies->listed;
    if (request->call)
        return curl_easy_setopt(easy, CURLOPT_NOPROXY, "") == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_PROXY, proxy ? proxy : "") == CURLE_OK;
    struct text host = proxy_host(url);
    if (host.len >= 2 && host.ptr[0] == '[')
        host = (struct text){host.ptr + 1, host.len - 2};
    if (!proxy && host.len && strcmp(listed, "*") != 0)
        listed = arena_printf(&scratch, "%s,%.*s", listed, (int)host.len, host.ptr);
    bool is_mapped = proxies->is_plain_mapped && has_scheme(url, "http:");
    return curl_easy_setopt(easy, CURLOPT_NOPROXY, listed) == CURLE_OK &&
           (!is_mapped || curl_easy_setopt(easy, CURLOPT_PROXY, proxies->plain) == CURLE_OK);
}

/* What a repository wants: its own proxy is for loopback hosts, too; who it is, and whom it trusts. */
static bool set_access(struct http_try *try, const struct http_access *access, const char *url,
                       const struct proxies *proxies, struct err *err)
{
    CURL *easy = try->easy;
    if (access->proxy) {
        bool is_none = proxy_excepts(proxies, url);
        if (curl_easy_setopt(easy, CURLOPT_NOPROXY, proxies->listed_alone) != CURLE_OK ||
            curl_easy_setopt(easy, CURLOPT_PROXY, is_none ? "" : access->proxy) != CURLE_OK ||
            (access->proxy_user && curl_easy_setopt(easy, CURLOPT_PROXYUSERNAME, access->proxy_user) != CURLE_OK) ||
            (access->proxy_password &&
             curl_easy_setopt(easy, CURLOPT_PROXYPASSWORD, access->proxy_password) != CURLE_OK))
            return false;
    }
    if (access->user && curl_easy_setopt(easy, CURLOPT_USERNAME, access->user) != CURLE_OK)
        return false;
    if (access->password && curl_easy_setopt(easy, CURLOPT_PASSWORD, access->password) != CURLE_OK)
        return false;
    return http_tls_set_up(easy, &access->tls, &try->calling.authorities, err);
}

/* The proxy that a request goes through; NULL: none. */
static const char *proxy_of(const struct http_request *request, const char *url, const struct proxies *proxies)
{
    if (request->call || !request->access || !request->access->proxy)
        return proxy_for(proxies, url);
    return proxy_excepts(proxies, url) ? NULL : request->access->proxy;
}

/* A registry's credential never comes here over plain http: it is for loopback hosts only, which are not proxied. */
static bool check_credential(const struct http_request *request, const char *url, const struct proxies *proxies,
                             struct err *err)
{
    const char *proxy = proxy_of(request, url, proxies);
    bool has_user = proxy_has_user(url) || (!request->call && request->access && request->access->user);
    if (!proxy || !has_scheme(url, "http:") || !has_user || !proxy_is_elsewhere(proxy))
        return true;
    struct text host = proxy_host(url), through = proxy_host(proxy);
    err_set(err, ERR_USAGE,
            "%s: its user name and password would go in clear to the proxy %.*s; use https, or add %.*s to no_proxy",
            http_show(url).chars, (int)through.len, through.ptr, (int)host.len, host.ptr);
    return false;
}

static void add_condition(struct http_try *try, const char *name, const char *value)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct curl_slist *longer =
        *value ? curl_slist_append(try->conditions, arena_printf(&scratch, "%s: %s", name, value)) : NULL;
    if (*value && !longer)
        memory_abort(sizeof *longer);
    if (longer)
        try->conditions = longer;
}

/* Asks for the file only if it is another version. */
static bool set_conditions(struct http_try *try)
{
    const struct http_version *version = try->request->version;
    if (!version || try->request->call)
        return true;
    add_condition(try, "If-None-Match", version->etag);
    add_condition(try, "If-Modified-Since", version->modified);
    return !try->conditions || curl_easy_setopt(try->easy, CURLOPT_HTTPHEADER, try->conditions) == CURLE_OK;
}

bool http_try_new(struct http_request *request, const char *url, const struct proxies *proxies, void *owner,
                  struct http_try **ret_try, struct err *err)
{
    const struct http_access *access = request->call ? NULL : request->access;
    if (!check_credential(request, url, proxies, err))
        return false;
    if (request->is_size_known && request->size_bytes > request->cap_bytes) {
        err_set(err, ERR_MALFORMED, "%s: said to have %" PRIu64 " bytes, more than the %" PRIu64 " that are allowed",
                http_show(url).chars, request->size_bytes, request->cap_bytes);
        return false;
    }
    struct http_try *try = calloc(1, sizeof *try);
    if (!try || !(try->easy = curl_easy_init()))
        memory_abort(sizeof *try);
    try->request = request;
    try->url = url;
    try->local_fd = -1;
    try->is_proxied = proxy_of(request, url, proxies) != NULL;
    try->has_proxy = proxies->plain || proxies->secure || (access && access->proxy);
    buf_init(&try->body, body_cap(request));
    if (!request->store || request->call)
        digest_begin(&try->hash);
    if (request->sha512)
        checksum_begin(&try->sha512, CHECKSUM_SHA512);
    bool is_set = open_local(try, err) && set_limits(try->easy) && set_protocols(try) && set_callbacks(try, owner) &&
                  set_conditions(try) && set_proxy(try->easy, request, url, proxies) &&
                  (!access || set_access(try, access, url, proxies, err));
    if (is_set && request->call && !http_call_set_up(try, err)) {
        err_wrap(err, "%s", http_show(url).chars);
        http_try_free(try);
        return false;
    }
    if (!is_set) {
        if (!err->kind)
            err_set(err, ERR_INTERNAL, "%s: libcurl refuses an option that is needed for safety", http_show(url).chars);
        http_try_free(try);
        return false;
    }
    *ret_try = try;
    return true;
}

bool http_try_resume(struct http_try *try, struct http_part *part, struct err *err)
{
    char range[32];
    (void)snprintf(range, sizeof range, "%" PRIu64 "-", part->blob.len);
    if (curl_easy_setopt(try->easy, CURLOPT_RANGE, range) != CURLE_OK) {
        err_set(err, ERR_INTERNAL, "%s: libcurl refuses to ask for a part", http_show(try->url).chars);
        return false;
    }
    if (try->request->sha512)
        checksum_abandon(&try->sha512);
    try->blob = part->blob;
    try->sha512 = part->sha512;
    try->counted_bytes = part->counted_bytes;
    try->received_bytes = try->resumed_bytes = part->blob.len;
    try->is_suspect = true;
    *part = (struct http_part){0};
    return true;
}

bool http_try_take_part(struct http_try *try, struct http_part *ret_part)
{
    const struct http_request *request = try->request;
    bool is_judged_whole = request->is_digest_known || request->sha512;
    bool is_whole = request->is_size_known && try->blob.len >= request->size_bytes;
    if (request->call || !is_judged_whole || !try->blob.is_begun || !try->blob.len || is_whole ||
        try->err.kind != ERR_NETWORK || try->err.detail == HTTP_DETAIL_MOVED)
        return false;
    *ret_part = (struct http_part){try->blob, try->sha512, try->counted_bytes};
    try->blob = (struct blob){0};
    try->sha512 = (struct checksum_stream){0};
    try->counted_bytes = 0;
    return true;
}

void http_part_drop(struct http_request *request, struct http_part *part)
{
    if (part->counted_bytes)
        atomic_fetch_sub(request->counter, part->counted_bytes);
    blob_abandon(&part->blob);
    checksum_abandon(&part->sha512);
    *part = (struct http_part){0};
}

void http_try_free(struct http_try *try)
{
    if (!try)
        return;
    if (try->counted_bytes)
        atomic_fetch_sub(try->request->counter, try->counted_bytes);
    curl_easy_cleanup(try->easy);
    curl_slist_free_all(try->conditions);
    http_call_free(try);
    blob_abandon(&try->blob);
    digest_abandon(&try->hash);
    checksum_abandon(&try->sha512);
    buf_done(&try->body);
    auto_close_fd(&try->local_fd);
    free(try);
}
