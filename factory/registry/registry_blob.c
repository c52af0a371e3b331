/* SPDX-License-Identifier: Apache-2.0 */
/* Blobs that are asked for or fetched; uploads are in registry_upload.c. */
#include "registry/registry_parts.h"

#include "base/auto.h"

#include <inttypes.h>

#define RESUMES_MAX 100u
#define PROGRESS_BYTES ((uint64_t)1024 * 1024)

static const char *blob_path(struct arena *arena, const struct digest *digest)
{
    return arena_printf(arena, "blobs/sha256:%s", digest_hex(digest).chars);
}

static enum blob_presence presence_of(struct text said_bytes, uint64_t size_bytes)
{
    uint64_t said;
    bool is_other = said_bytes.len && text_parse_u64(said_bytes, &said) && said != size_bytes;
    return is_other ? BLOB_OF_OTHER_SIZE : BLOB_THERE;
}

/* One HEAD. *ret_is_clear is false when it proves nothing. */
static bool head_blob(struct registry *registry, const char *path, uint64_t size_bytes, bool is_expected,
                      enum blob_presence *ret_presence, bool *ret_is_clear, struct err *err)
{
    struct exchange head AUTO(exchange_done) = {
        .method = "HEAD", .path = path, .access = REGISTRY_PULL, .is_tried_once = true};
    *ret_is_clear = false;
    if (atomic_load(&registry->is_blob_head_refused))
        return true;
    if (!registry_exchange(registry, &head, err)) {
        if (err->kind == ERR_CANCELLED)
            return false;
        err_clear(err);
        return true;
    }
    registry_heed(registry, &head);
    bool is_absent = http_status_is_absent(head.status);
    *ret_is_clear = head.status == 200 || (is_absent && !is_expected);
    *ret_presence =
        head.status == 200 ? presence_of(exchange_header(&head, "Content-Length"), size_bytes) : BLOB_ABSENT;
    if (!*ret_is_clear && !is_absent && !http_status_is_transient(head.status))
        atomic_store(&registry->is_blob_head_refused, true);
    return true;
}

/* The size in "bytes 0-0/SIZE", or that of the whole answer. */
static struct text whole_size(const struct exchange *answer, int status)
{
    struct text range = exchange_header(answer, "Content-Range"), part;
    if (status == 200)
        return exchange_header(answer, "Content-Length");
    return text_next(&range, '/', &part) ? text_trim(range) : (struct text){"", 0};
}

/* GET of the first byte. A registry that sends all of them is cut off: the status tells. */
static bool get_first_byte(struct registry *registry, const char *path, uint64_t size_bytes,
                           enum blob_presence *ret_presence, struct err *err)
{
    struct exchange answer AUTO(exchange_done) = {
        .method = "GET", .path = path, .access = REGISTRY_PULL, .headers = {"Range: bytes=0-0"}, .header_count = 1};
    bool is_answered = registry_exchange(registry, &answer, err);
    if (!is_answered && (err->kind != ERR_MALFORMED || answer.part_status != 200))
        return false;
    err_clear(err);
    int status = is_answered ? answer.status : answer.part_status;
    bool is_there = status == 200 || status == 206 || (status == 416 && size_bytes == 0);
    *ret_presence = is_there ? presence_of(whole_size(&answer, status), size_bytes) : BLOB_ABSENT;
    if (is_there || status == 416 || http_status_is_absent(status))
        return true;
    exchange_refused(registry, &answer, path, err);
    return false;
}

bool registry_look_blob(struct registry *registry, const struct digest *digest, uint64_t size_bytes, bool is_expected,
                        enum blob_presence *ret_presence, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    const char *path = blob_path(&scratch, digest);
    bool is_clear;
    return head_blob(registry, path, size_bytes, is_expected, ret_presence, &is_clear, err) &&
           (is_clear || get_first_byte(registry, path, size_bytes, ret_presence, err));
}

bool registry_has_blob(struct registry *registry, const struct digest *digest, uint64_t size_bytes, bool *ret_found,
                       struct err *err)
{
    enum blob_presence presence = BLOB_ABSENT;
    if (!registry_look_blob(registry, digest, size_bytes, false, &presence, err))
        return false;
    *ret_found = presence == BLOB_THERE;
    return true;
}

bool registry_get_bytes(struct registry *registry, struct arena *arena, const struct digest *digest, size_t cap_bytes,
                        bool *ret_found, struct text *ret_bytes, struct err *err)
{
    struct exchange answer AUTO(exchange_done) = {
        .method = "GET", .path = blob_path(arena, digest), .access = REGISTRY_PULL, .cap_bytes = cap_bytes};
    if (!registry_exchange(registry, &answer, err))
        return false;
    *ret_found = answer.status == 200;
    if (!*ret_found && http_status_is_absent(answer.status))
        return true;
    if (!*ret_found) {
        exchange_refused(registry, &answer, answer.path, err);
        return false;
    }
    const char *bytes = answer.body_in.bytes ? answer.body_in.bytes : "";
    struct digest got = digest_of(bytes, answer.body_in.len);
    if (!digest_eq(&got, digest)) {
        err_set(err, ERR_TRUST, "%s: %s: got sha256:%s", registry->name, answer.path, digest_hex(&got).chars);
        return false;
    }
    *ret_bytes = (struct text){arena_strndup(arena, bytes, answer.body_in.len), answer.body_in.len};
    return true;
}

bool registry_get_document(struct registry *registry, struct arena *arena, const struct digest *digest, bool *ret_found,
                           struct text *ret_bytes, struct err *err)
{
    return registry_get_bytes(registry, arena, digest, REGISTRY_DOCUMENT_MAX_BYTES, ret_found, ret_bytes, err);
}

/* What came so far, as blobs of the store: the transfer broke off after each of them. */
struct parts {
    LIST(struct digest) digests;
    uint64_t bytes;
};

/* Returns whether the answer goes on where we are: 206 with that offset. A 200 starts over. */
static bool is_continued(const struct exchange *exchange, uint64_t offset)
{
    struct text range = exchange_header(exchange, "Content-Range"), unit, start;
    uint64_t at;
    return exchange->part_status == 206 && text_next_word(&range, &unit) && text_is_nocase(unit, "bytes") &&
           text_next(&range, '-', &start) && text_parse_u64(text_trim(start), &at) && at == offset;
}

static bool append_part(struct store *store, struct blob *blob, const struct digest *part, struct err *err)
{
    AUTO(view_done) struct view view = {0};
    bool is_found;
    if (!store_map_blob(store, part, &view, &is_found, err))
        return false;
    if (!is_found) {
        err_set(err, ERR_LOCAL, "a part of a download is gone from the cache");
        return false;
    }
    return blob_write(blob, view.ptr, view.len, err);
}

static bool join_parts(struct store *store, const struct parts *parts, const struct digest *digest, struct err *err)
{
    AUTO(blob_abandon) struct blob blob = {0};
    if (!blob_begin(store, &blob, err))
        return false;
    for (size_t i = 0; i < parts->digests.count; i++) {
        if (!append_part(store, &blob, &parts->digests.items[i], err))
            return false;
    }
    return blob_commit(&blob, digest, NULL, err);
}

/* One blob being fetched. */
struct fetch {
    struct registry *registry;
    struct arena *arena;
    struct store *store;
    const struct digest *digest;
    uint64_t size_bytes;
    _Atomic uint64_t *counter;
    const char *path;
    struct parts parts;
};

/* Gets the rest. *ret_is_done: all is here. False with exchange->is_hopeless or a refusal: no use to go on. */
static bool fetch_rest(struct fetch *fetch, struct exchange *exchange, bool *ret_is_done, struct err *err)
{
    uint64_t offset = fetch->parts.bytes;
    uint64_t left = fetch->size_bytes - offset;
    exchange->method = "GET";
    exchange->path = fetch->path;
    exchange->cap_bytes = fetch->size_bytes > REGISTRY_ERROR_MAX_BYTES ? fetch->size_bytes : REGISTRY_ERROR_MAX_BYTES;
    exchange->store = fetch->store;
    exchange->received_counter = fetch->counter;
    exchange->is_tried_once = true;
    if (offset) {
        exchange->headers[exchange->header_count++] = arena_printf(fetch->arena, "Range: bytes=%" PRIu64 "-", offset);
    }
    *ret_is_done = false;
    bool is_answered = registry_exchange(fetch->registry, exchange, err);
    if (is_answered && exchange->status != 200 && exchange->status != 206) {
        exchange_refused(fetch->registry, exchange, fetch->path, err);
        return false;
    }
    bool is_next = !offset || is_continued(exchange, offset);
    if (!is_answered && (!exchange->has_part || exchange->received_bytes == 0 || !is_next))
        return false;
    if (!is_next)
        fetch->parts = (struct parts){0}; /* a 200: from the start */
    list_add(fetch->arena, &fetch->parts.digests, exchange->digest);
    fetch->parts.bytes += exchange->received_bytes;
    *ret_is_done = is_answered || exchange->received_bytes >= left;
    return is_answered;
}

static bool finish_fetch(struct fetch *fetch, struct err *err)
{
    const struct parts *parts = &fetch->parts;
    if (parts->bytes != fetch->size_bytes) {
        err_set(err, ERR_TRUST, "%s: %s: expected %" PRIu64 " bytes, got %" PRIu64, fetch->registry->name, fetch->path,
                fetch->size_bytes, parts->bytes);
        return false;
    }
    if (parts->digests.count == 1 && digest_eq(&parts->digests.items[0], fetch->digest))
        return true;
    if (parts->digests.count > 1 && join_parts(fetch->store, parts, fetch->digest, err))
        return true;
    if (err->kind == ERR_NONE)
        err_set(err, ERR_TRUST, "expected sha256:%s, got sha256:%s", digest_hex(fetch->digest).chars,
                digest_hex(&parts->digests.items[0]).chars);
    err_wrap(err, "%s: %s", fetch->registry->name, fetch->path);
    return false;
}

bool registry_get_blob(struct registry *registry, struct store *store, const struct digest *digest, uint64_t size_bytes,
                       _Atomic uint64_t *counter, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct fetch fetch = {.registry = registry,
                          .arena = &scratch,
                          .store = store,
                          .digest = digest,
                          .size_bytes = size_bytes,
                          .counter = counter,
                          .path = blob_path(&scratch, digest)};
    struct retry retry = {0};
    uint64_t progress = 0;
    if (http_take_shared(registry->http, store, digest, size_bytes))
        return true;
    for (unsigned resumes = 0;; resumes++) {
        struct exchange exchange AUTO(exchange_done) = {0};
        bool is_done;
        if (fetch_rest(&fetch, &exchange, &is_done, err) || is_done) {
            err_clear(err);
            return finish_fetch(&fetch, err);
        }
        bool is_final = exchange.status && !http_status_is_transient(exchange.status);
        if (is_final || exchange.is_hopeless || resumes >= RESUMES_MAX)
            return false;
        if (fetch.parts.bytes >= progress + PROGRESS_BYTES)
            retry = (struct retry){0}; /* it moves: tries count anew */
        progress = fetch.parts.bytes;
        if (!registry_back_off(registry, &retry, exchange.retry_after_s, err))
            return false;
    }
}
