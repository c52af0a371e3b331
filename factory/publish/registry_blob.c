/* Blobs that are asked for or fetched; uploads are in registry_upload.c. */
#include "publish/registry_parts.h"

#include "base/auto.h"

#include <inttypes.h>

#define RESUMES_MAX 100u
#define PROGRESS_BYTES ((uint64_t)1024 * 1024)

static const char *blob_path(struct arena *arena, const struct digest *digest)
{
    return arena_printf(arena, "blobs/sha256:%s", digest_hex(digest).chars);
}

/* 403 on HEAD only says that the registry will not tell (some do so for virtual repositories): then it is absent. */
bool registry_has_blob(struct registry *registry, const struct digest *digest, uint64_t size_bytes, bool *ret_found,
                       struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct exchange head AUTO(exchange_done) = {
        .method = "HEAD", .path = blob_path(&scratch, digest), .access = REGISTRY_PULL};
    if (!registry_exchange(registry, &head, err))
        return false;
    if (head.status == 401) {
        exchange_refused(registry, &head, head.path, err);
        return false;
    }
    uint64_t length;
    struct text said = exchange_header(&head, "Content-Length");
    bool is_other_size = said.len && text_parse_u64(said, &length) && length != size_bytes;
    *ret_found = head.status == 200 && !is_other_size;
    return true;
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
    for (unsigned resumes = 0;; resumes++) {
        struct exchange exchange AUTO(exchange_done) = {0};
        bool is_done;
        if (fetch_rest(&fetch, &exchange, &is_done, err) || is_done) {
            err_clear(err);
            return finish_fetch(&fetch, err);
        }
        bool is_final = exchange.status && !registry_is_transient(exchange.status);
        if (is_final || exchange.is_hopeless || resumes >= RESUMES_MAX)
            return false;
        if (fetch.parts.bytes >= progress + PROGRESS_BYTES)
            retry = (struct retry){0}; /* it moves: tries count anew */
        progress = fetch.parts.bytes;
        if (!registry_back_off(registry, &retry, exchange.retry_after_s, err))
            return false;
    }
}
