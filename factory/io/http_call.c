/* SPDX-License-Identifier: Apache-2.0 */
/* A call sends its body with CURLOPT_UPLOAD whatever its method: there is one way for memory and files, an empty body
 * has "Content-Length: 0", and libcurl can rewind. Its clocks are our own: libcurl's low-speed limit would also run
 * while a registry takes minutes to answer, and its callbacks do not come when nothing happens. */
#include "io/http_call.h"
#include "io/http_try.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <strings.h>
#include <unistd.h>

#define BIG_BODY_BYTES ((uint64_t)1024 * 1024)
#define SEND_BUFFER_BYTES (256L * 1024)
#define ANSWER_WAIT_MS (15u * 60 * 1000)
#define STALL_MS (60u * 1000)
#define ANSWER_BYTES_PER_S 1024u

/* How many bytes the call sends. */
static uint64_t body_bytes_of(const struct http_call *call)
{
    return call->has_body_fd ? call->body_bytes : call->body.len;
}

bool http_call_is_big(const struct http_call *call)
{
    return call && body_bytes_of(call) > BIG_BODY_BYTES;
}

/* The caller's own header, or NULL. */
static const char *header_of(const struct http_call *call, const char *name)
{
    size_t len = strlen(name);
    for (size_t i = 0; i < call->header_count; i++) {
        if (strncasecmp(call->headers[i], name, len) == 0 && call->headers[i][len] == ':')
            return call->headers[i];
    }
    return NULL;
}

static void append_header(struct http_try *try, const char *line)
{
    struct curl_slist *grown = curl_slist_append(try->calling.headers, line);
    if (!grown)
        memory_abort(strlen(line));
    try->calling.headers = grown;
}

/* A line break would let a value from outside add headers, or a request. The value is a secret, maybe. */
static bool add_header(struct http_try *try, const char *line, struct err *err)
{
    size_t name_len = strcspn(line, ":");
    for (const char *byte = line; *byte; byte++) {
        if (((unsigned char)*byte < 0x20 && *byte != '\t') || *byte == 0x7f) {
            err_set(err, ERR_MALFORMED, "the value of header %.*s has a control byte",
                    byte < line + name_len ? 0 : (int)name_len, line);
            return false;
        }
    }
    assert(name_len > 0 && line[name_len] == ':');
    append_header(try, line);
    return true;
}

static bool set_headers(struct http_try *try, struct err *err)
{
    const struct http_call *call = try->request->call;
    for (size_t i = 0; i < call->header_count; i++) {
        if (!add_header(try, call->headers[i], err))
            return false;
    }
    bool is_refusal_likely = http_call_is_big(call) && !header_of(call, "Authorization");
    if (body_bytes_of(call) > 0 && !header_of(call, "Expect") && !is_refusal_likely)
        append_header(try, "Expect:"); /* libcurl adds none then */
    return curl_easy_setopt(try->easy, CURLOPT_HTTPHEADER, try->calling.headers) == CURLE_OK;
}

/* Reads from the file until it has `len` bytes; 0 on failure. */
static size_t read_file(struct http_try *try, char *bytes, size_t len)
{
    const struct http_call *call = try->request->call;
    size_t done = 0;
    while (done < len) {
        ssize_t got =
            pread(call->body_fd, bytes + done, len - done, (off_t)(call->body_offset + try->calling.offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got > 0) {
            done += (size_t)got;
            continue;
        }
        if (got < 0)
            err_set_errno(&try->err, errno, "cannot read what is to be sent");
        else
            err_set(&try->err, ERR_LOCAL, "what is to be sent ended before its %" PRIu64 " bytes", call->body_bytes);
        return 0;
    }
    return done;
}

static size_t on_send(char *bytes, size_t one, size_t room, void *argument)
{
    struct http_try *try = argument;
    const struct http_call *call = try->request->call;
    uint64_t left = body_bytes_of(call) - try->calling.offset;
    size_t len = room * one; /* libcurl's own buffer: no overflow */
    len = left < len ? (size_t)left : len;
    if (len == 0)
        return 0;
    if (call->has_body_fd)
        len = read_file(try, bytes, len);
    else
        memcpy(bytes, call->body.ptr + try->calling.offset, len);
    try->calling.offset += len;
    return len ? len : CURL_READFUNC_ABORT;
}

static int on_rewind(void *argument, curl_off_t offset, int origin)
{
    struct http_try *try = argument;
    if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > body_bytes_of(try->request->call))
        return CURL_SEEKFUNC_FAIL;
    try->calling.offset = (uint64_t)offset;
    return CURL_SEEKFUNC_OK;
}

static bool set_body(struct http_try *try, uint64_t body_bytes)
{
    CURL *easy = try->easy;
    return curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)body_bytes) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_send) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_READDATA, try) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_rewind) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SEEKDATA, try) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, SEND_BUFFER_BYTES) == CURLE_OK;
}

static bool set_method(struct http_try *try)
{
    const struct http_call *call = try->request->call;
    uint64_t body_bytes = body_bytes_of(call), end;
    bool is_head = strcmp(call->method, "HEAD") == 0;
    if (is_head || strcmp(call->method, "GET") == 0) {
        assert(body_bytes == 0);
        return !is_head || curl_easy_setopt(try->easy, CURLOPT_NOBODY, 1L) == CURLE_OK;
    }
    if (__builtin_add_overflow(call->body_offset, body_bytes, &end) || end > INT64_MAX)
        return false;
    if ((body_bytes > 0 || strcmp(call->method, "DELETE") != 0) && !set_body(try, body_bytes))
        return false;
    return curl_easy_setopt(try->easy, CURLOPT_CUSTOMREQUEST, call->method) == CURLE_OK;
}

/* HTTP/2 uploads are slow in older libcurl, and a connection of its own is never found dead. On plain http there is
 * nothing to wait for: HTTP/2 is not offered there. */
static bool set_connection(struct http_try *try)
{
    const struct http_call *call = try->request->call;
    CURL *easy = try->easy;
    if (http_call_is_big(call) || strcmp(call->method, "PATCH") == 0)
        return curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L) == CURLE_OK;
    if (strncasecmp(try->url, "https:", strlen("https:")) != 0)
        return true;
    return curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L) == CURLE_OK;
}

/* A Location may name anything, and must not take us out of HTTP or choose the credentials. */
static bool set_bounds(CURL *easy)
{
    return curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, 0L) == CURLE_OK;
}

bool http_call_set_up(struct http_try *try, struct err *err)
{
    const struct http_call *call = try->request->call;
    buf_init(&try->calling.answer_headers, HTTP_HEADER_BYTES_MAX);
    if (set_bounds(try->easy) && set_method(try) && set_connection(try) && set_headers(try, err) &&
        (!call->tls || http_tls_set_up(try->easy, call->tls, &try->calling.authorities, err)))
        return true;
    if (err->kind == ERR_NONE)
        err_set(err, ERR_INTERNAL, "libcurl refuses an option that a %s needs", call->method);
    return false;
}

/* Begins anew with each status line (after 1xx answers), ignores trailers. A folded line goes on with the former. */
bool http_call_take_header(struct http_try *try, struct text line)
{
    struct http_calling *calling = &try->calling;
    struct buf *kept = &calling->answer_headers;
    struct text trimmed = text_trim(line);
    if (text_has_prefix(line, "HTTP/")) {
        calling->is_answered = false;
        kept->len = 0;
        return buf_add(kept, "", 0);
    }
    if (calling->is_answered)
        return true;
    if (trimmed.len == 0) {
        long status = 0;
        (void)curl_easy_getinfo(try->easy, CURLINFO_RESPONSE_CODE, &status);
        calling->is_answered = status >= 200;
        return true;
    }
    if ((line.ptr[0] == ' ' || line.ptr[0] == '\t') && kept->len > 0) {
        kept->bytes[kept->len - 1] = ' ';
    } else {
        struct text name;
        if (!text_next(&trimmed, ':', &name) || !buf_add(kept, name.ptr, name.len) || !buf_add(kept, ": ", 2))
            return false;
        trimmed = text_trim(trimmed);
    }
    return buf_add(kept, trimmed.ptr, trimmed.len) && buf_add(kept, "\n", 1);
}

bool http_call_is_stored(const struct http_try *try)
{
    long status = 0;
    (void)curl_easy_getinfo(try->easy, CURLINFO_RESPONSE_CODE, &status);
    return try->request->store && (status == 200 || status == 206);
}

/* Where the call stands, and how many bytes moved so far in either direction. */
static enum http_stage stage_of(struct http_try *try, uint64_t *ret_sent_bytes)
{
    curl_off_t sent_bytes = 0;
    long request_bytes = 0; /* of line and headers */
    (void)curl_easy_getinfo(try->easy, CURLINFO_SIZE_UPLOAD_T, &sent_bytes);
    (void)curl_easy_getinfo(try->easy, CURLINFO_REQUEST_SIZE, &request_bytes);
    *ret_sent_bytes = sent_bytes > 0 ? (uint64_t)sent_bytes : 0;
    if (request_bytes <= 0)
        return HTTP_CONNECTING;
    if (try->calling.is_answered)
        return HTTP_RECEIVING;
    return *ret_sent_bytes < body_bytes_of(try->request->call) ? HTTP_SENDING : HTTP_WAITING;
}

/* The counter may go back, when libcurl sends again. */
static void count_sent(struct http_try *try, uint64_t sent_bytes)
{
    if (!try->request->call->sent_counter)
        return;
    atomic_fetch_add(try->request->call->sent_counter, sent_bytes - try->calling.counted_bytes);
    try->calling.counted_bytes = sent_bytes;
}

void http_call_note_sent(struct http_try *try)
{
    uint64_t sent_bytes;
    enum http_stage stage = stage_of(try, &sent_bytes);
    count_sent(try, sent_bytes);
    try->request->call->was_sent = stage != HTTP_CONNECTING && sent_bytes >= body_bytes_of(try->request->call);
}

static uint64_t or_default(unsigned value, unsigned fallback)
{
    return value ? value : fallback;
}

/* How long a stage may last before it has moved *ret_bytes, and then again; 0: not our clock. */
static uint64_t limit_of(const struct http_call *call, enum http_stage stage, uint64_t *ret_bytes)
{
    uint64_t stall_ms = or_default(call->stall_ms, STALL_MS);
    switch (stage) {
    case HTTP_CONNECTING:
        break;
    case HTTP_SENDING:
        *ret_bytes = 1;
        return stall_ms;
    case HTTP_WAITING:
        *ret_bytes = UINT64_MAX; /* 1xx answers do not help */
        return or_default(call->answer_wait_ms, ANSWER_WAIT_MS);
    case HTTP_RECEIVING:
        *ret_bytes = stall_ms * ANSWER_BYTES_PER_S / 1000 + 1;
        return stall_ms;
    }
    return 0;
}

static const char *complaint_of(enum http_stage stage)
{
    switch (stage) {
    case HTTP_CONNECTING:
        break;
    case HTTP_SENDING:
        return "no byte could be sent";
    case HTTP_WAITING:
        return "no answer came";
    case HTTP_RECEIVING:
        return "the answer came too slowly, or stopped";
    }
    return "";
}

bool http_call_is_stuck(struct http_try *try, uint64_t now_ms)
{
    const struct http_call *call = try->request->call;
    struct http_calling *calling = &try->calling;
    uint64_t sent_bytes;
    enum http_stage stage = stage_of(try, &sent_bytes);
    uint64_t moved_bytes = sent_bytes + try->header_bytes + try->received_bytes;
    uint64_t wanted_bytes = 0, limit_ms = limit_of(call, stage, &wanted_bytes);
    count_sent(try, sent_bytes);
    if (stage != calling->stage || moved_bytes - calling->mark_bytes >= wanted_bytes) {
        calling->stage = stage;
        calling->mark_ms = now_ms;
        calling->mark_bytes = moved_bytes;
        return false;
    }
    if (limit_ms == 0 || now_ms - calling->mark_ms < limit_ms)
        return false;
    (void)snprintf(try->reason, sizeof try->reason, "%s for %" PRIu64 " ms", complaint_of(stage), limit_ms);
    return true;
}

void http_call_free(struct http_try *try)
{
    if (!try->request->call)
        return;
    if (try->calling.counted_bytes)
        atomic_fetch_sub(try->request->call->sent_counter, try->calling.counted_bytes);
    curl_slist_free_all(try->calling.headers);
    buf_done(&try->calling.authorities);
    buf_done(&try->calling.answer_headers);
}
