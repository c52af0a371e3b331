/* SPDX-License-Identifier: Apache-2.0 */
/* One HTTP call to a registry and its answer: no authentication, no redirects, no second try. */
#include "registry/registry_parts.h"

#include "base/auto.h"

#define HEADERS_MAX 8

void exchange_done(struct exchange *exchange)
{
    buf_done(&exchange->headers_in);
    buf_done(&exchange->body_in);
    free(exchange->final_url);
    exchange->final_url = NULL;
}

static void forget_answer(struct exchange *exchange)
{
    exchange_done(exchange);
    exchange->status = 0;
    exchange->retry_after_s = 0;
    exchange->received_bytes = 0;
    exchange->has_part = exchange->is_too_slow = false;
}

/* Seconds, or an HTTP date from the answer's own Date on: clocks may differ. */
static unsigned retry_after_of(const struct exchange *exchange)
{
    static const char format[] = "%a, %d %b %Y %H:%M:%S GMT";
    AUTO(arena_done) struct arena scratch = {0};
    struct text value = exchange_header(exchange, "Retry-After");
    uint64_t seconds;
    if (!value.len)
        return 0;
    if (text_parse_u64(value, &seconds))
        return seconds < INT32_MAX ? (unsigned)seconds : INT32_MAX;
    struct tm then = {0}, now = {0};
    const char *date = text_dup(&scratch, exchange_header(exchange, "Date"));
    if (!strptime(text_dup(&scratch, value), format, &then) || !strptime(date, format, &now))
        return 0;
    time_t left = timegm(&then) - timegm(&now);
    return left <= 0 ? 0 : left < INT32_MAX ? (unsigned)left : INT32_MAX;
}

static const struct http_tls *tls_for(const struct registry *registry, const char *url)
{
    struct registry_origin origin, home = registry_home(registry);
    bool is_home =
        registry_origin_parse(url, &origin) && strcmp(origin.host, home.host) == 0 && origin.port == home.port;
    return is_home ? &registry->tls : &registry->foreign_tls;
}

/* Takes the answer over. A status of 300 or more is an answer even when the transfer broke off after it. */
static bool take_answer(struct exchange *exchange, struct http_request *request, struct http_call *call, bool is_good,
                        struct err *err)
{
    exchange->headers_in = call->answer_headers;
    exchange->body_in = request->body;
    exchange->digest = request->blob_digest;
    exchange->received_bytes = request->received_bytes;
    exchange->has_part = call->has_part;
    exchange->is_too_slow = call->is_too_slow;
    exchange->part_status = request->status;
    exchange->status = is_good || request->status >= 300 ? request->status : 0;
    exchange->retry_after_s = retry_after_of(exchange);
    if (exchange->status)
        return true;
    err_clear(err);
    *err = request->err;
    return false;
}

bool registry_send(struct registry *registry, struct exchange *exchange, const char *url, const char *authorization,
                   struct err *err)
{
    const char *headers[HEADERS_MAX];
    size_t count = 0;
    if (authorization)
        headers[count++] = authorization;
    for (size_t i = 0; i < exchange->header_count; i++)
        headers[count++] = exchange->headers[i];
    struct http_call call = {.method = exchange->method,
                             .headers = headers,
                             .header_count = count,
                             .body = exchange->body,
                             .body_fd = exchange->fd,
                             .has_body_fd = exchange->has_fd,
                             .body_offset = exchange->offset,
                             .body_bytes = exchange->bytes,
                             .sent_counter = exchange->sent_counter,
                             .tls = tls_for(registry, url),
                             .is_ended_late = atomic_load(&registry->is_ending_late),
                             .is_part_kept = exchange->store != NULL};
    struct http_request request = {.urls = &url,
                                   .url_count = 1,
                                   .cap_bytes = exchange->cap_bytes ? exchange->cap_bytes : REGISTRY_ERROR_MAX_BYTES,
                                   .call = &call,
                                   .is_impatient = registry->options->is_other_there,
                                   .store = exchange->store,
                                   .counter = exchange->received_counter};
    forget_answer(exchange);
    exchange->final_url = strdup(url);
    if (!exchange->final_url)
        memory_abort(strlen(url));
    http_send(registry->http, &request);
    bool is_answered = take_answer(exchange, &request, &call, http_wait(registry->http, &request), err);
    if (is_answered && call.tls == &registry->tls)
        atomic_store(&registry->has_answered, true);
    return is_answered;
}
