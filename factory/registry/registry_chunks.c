/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/registry_chunks.h"

#include "base/auto.h"

#include <inttypes.h>

/* Parses "[bytes=]0-N" of a session into the number of bytes that the registry has. "0-0" and "0--1" mean nothing
 * yet. */
static bool parse_range(struct text range, uint64_t *ret_bytes)
{
    uint64_t last;
    if (text_has_prefix(range, "bytes="))
        range = (struct text){range.ptr + 6, range.len - 6};
    if (text_is(range, "0-0") || text_is(range, "0--1")) {
        *ret_bytes = 0;
        return true;
    }
    if (!text_has_prefix(range, "0-") || !text_parse_u64((struct text){range.ptr + 2, range.len - 2}, &last) ||
        last == UINT64_MAX)
        return false;
    *ret_bytes = last + 1;
    return true;
}

static void use_location(struct upload_job *job, const struct exchange *answer)
{
    const char *next =
        exchange_header(answer, "Location").len ? exchange_location(job->registry, job->arena, answer) : NULL;
    job->url = next ? next : job->url;
}

static bool send_chunk(struct upload_job *job, uint64_t offset, uint64_t len, struct exchange *exchange,
                       struct err *err)
{
    *exchange = (struct exchange){
        .method = "PATCH",
        .url = job->url,
        .access = REGISTRY_PUSH,
        .headers = {UPLOAD_OCTETS, UPLOAD_NO_WAIT,
                    arena_printf(job->arena, "Content-Range: %" PRIu64 "-%" PRIu64, offset, offset + len - 1)},
        .header_count = 3,
        .has_fd = true,
        .fd = job->upload->fd,
        .offset = offset,
        .bytes = len,
        .sent_counter = job->upload->counter,
        .is_tried_once = true};
    return registry_exchange(job->registry, exchange, err);
}

/* Asks the session how much it has. quay counts one too many here, so only the borders that we know are believed. */
static bool ask_status(struct upload_job *job, uint64_t acked, uint64_t len, uint64_t *ret_next)
{
    struct err ignored = {0};
    uint64_t has;
    struct exchange get AUTO(exchange_done) = {
        .method = "GET", .url = job->url, .access = REGISTRY_PUSH, .is_tried_once = true};
    if (!registry_exchange(job->registry, &get, &ignored) || get.status != 204 ||
        !parse_range(exchange_header(&get, "Range"), &has))
        return false;
    if (has == acked || has == acked + 1)
        *ret_next = acked;
    else if (has == acked + len || has == acked + len + 1)
        *ret_next = acked + len;
    else
        return false;
    use_location(job, &get);
    return true;
}

/* Ends a session that cannot be used; whatever comes back is fine. */
static void abandon_session(struct upload_job *job)
{
    struct err ignored = {0};
    struct exchange end AUTO(exchange_done) = {.method = "DELETE", .url = job->url, .access = REGISTRY_PUSH};
    (void)!registry_send_once(job->registry, &end, &ignored);
}

/* After an accepted chunk: how far are we? Some take less than was sent, and say so. */
static bool advance(struct upload_job *job, const struct exchange *answer, uint64_t len, uint64_t *acked)
{
    uint64_t has = *acked + len;
    struct text range = exchange_header(answer, "Range");
    if (range.len && !parse_range(range, &has))
        return false;
    if (has <= *acked || has > *acked + len)
        return false;
    *acked = has;
    use_location(job, answer);
    return true;
}

/* Returns whether a chunk's fate is open, so that the session is asked. */
static bool is_unclear(const struct exchange *exchange, bool is_answered, const struct err *err)
{
    if (!is_answered)
        return !exchange->is_hopeless && err->kind == ERR_NETWORK;
    return exchange->status < 300 || exchange->status == 416 || http_status_is_transient(exchange->status);
}

/* Waits, then finds the border to go on from. */
static bool recover(struct upload_job *job, struct retry *retry, struct exchange *exchange, uint64_t len,
                    uint64_t *acked, struct err *err)
{
    if (!registry_back_off(job->registry, retry, exchange->retry_after_s, err)) {
        exchange->is_hopeless = true;
        return false;
    }
    if (ask_status(job, *acked, len, acked))
        return true;
    abandon_session(job);
    exchange->status = 0;
    err_set(err, ERR_NETWORK, "%s: %s: the upload session was lost", job->registry->name, job->what);
    return false;
}

bool upload_chunks(struct upload_job *job, struct exchange *exchange, bool *ret_is_refused, struct err *err)
{
    uint64_t acked = 0, size_bytes = job->upload->size_bytes;
    struct retry retry = {0};
    while (acked < size_bytes) {
        uint64_t len = size_bytes - acked < job->chunk_bytes ? size_bytes - acked : job->chunk_bytes;
        exchange_done(exchange);
        bool is_answered = send_chunk(job, acked, len, exchange, err);
        if (is_answered && exchange->status < 300 && advance(job, exchange, len, &acked)) {
            retry = (struct retry){0};
            continue;
        }
        if (!is_unclear(exchange, is_answered, err)) {
            *ret_is_refused = is_answered;
            return is_answered;
        }
        if (is_answered)
            exchange_refused(job->registry, exchange, job->what, err);
        if (!recover(job, &retry, exchange, len, &acked, err))
            return false;
    }
    exchange_done(exchange);
    return true;
}
