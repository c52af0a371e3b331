/* SPDX-License-Identifier: Apache-2.0 */
/* Uploading one blob: POST opens a session, one PUT sends the bytes. What a registry refuses is learned for the whole
 * registry object: first one PATCH and an empty PUT, then chunks. No registry resumes inside a chunk reliably, so a
 * broken upload starts anew in a new session, and a chunked one goes on only at a border that was acknowledged. After
 * any failure the blob is looked for before the verdict: an answer may have been lost after the registry acted. */
#include "registry/registry_chunks.h"

#include "base/auto.h"
#include "base/url.h"
#include "io/file.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/mman.h>

#define CHUNK_FIRST_BYTES ((uint64_t)64 * 1024 * 1024)
#define CHUNK_LEAST_BYTES ((uint64_t)512 * 1024) /* nginx lets bodies of 1 MiB through unless it is told otherwise */
#define CHUNK_MIN_ASKED_MAX_BYTES ((uint64_t)1024 * 1024 * 1024)
#define CHUNK_AFTER_BREAKS_BYTES ((uint64_t)256 * 1024 * 1024)
#define HASH_BUFFER_BYTES ((size_t)64 * 1024)

enum outcome { OUTCOME_DONE, OUTCOME_AGAIN, OUTCOME_FAILED };

static bool is_suffix_of_host(const struct registry *registry, const char *suffix)
{
    return text_has_suffix(text_of(registry->reference.host), suffix);
}

/* Registries that are known to lose or refuse chunks. */
static bool is_never_chunked(const struct registry *registry)
{
    return is_suffix_of_host(registry, ".pkg.dev") || is_suffix_of_host(registry, "gcr.io") ||
           is_suffix_of_host(registry, "ghcr.io") || strstr(registry->reference.host, ".dkr.ecr.") != NULL;
}

static void note_session(struct upload_job *job, struct exchange *answer)
{
    uint64_t least = 0;
    struct text asked = exchange_header(answer, "OCI-Chunk-Min-Length");
    job->url = exchange_location(job->registry, job->arena, answer);
    bool is_asked = asked.len && text_parse_u64(asked, &least) && least <= CHUNK_MIN_ASKED_MAX_BYTES;
    job->chunk_least_bytes = is_asked ? least : 0;
}

/* One POST that asks for a mount. Any other answer than 201 or 202 means: without. */
static bool try_mount(struct upload_job *job)
{
    struct registry *registry = job->registry;
    struct err ignored = {0};
    const char *path =
        arena_printf(job->arena, "blobs/uploads/?mount=sha256%%3A%s&from=%s", digest_hex(job->upload->digest).chars,
                     url_encode(job->arena, job->upload->mount_from));
    struct exchange post AUTO(exchange_done) = {
        .method = "POST", .path = path, .access = REGISTRY_PUSH, .is_tried_once = true};
    bool is_answered = registry_exchange(registry, &post, &ignored);
    if (is_answered && post.status == 201) {
        job->is_mounted = true;
        return true;
    }
    if (is_answered && post.status == 202) {
        note_session(job, &post);
        return job->url != NULL;
    }
    if (is_answered ? !http_status_is_transient(post.status) : post.is_hopeless)
        atomic_store(&registry->is_mount_refused, true);
    if (is_answered)
        registry_heed(registry, &post);
    return false;
}

static bool open_session(struct upload_job *job, struct err *err)
{
    struct registry *registry = job->registry;
    bool is_mountable = job->upload->mount_from && !job->is_mount_tried && !atomic_load(&registry->is_mount_refused);
    job->url = NULL;
    job->is_mount_tried = true;
    if (is_mountable && try_mount(job))
        return true;
    struct exchange post AUTO(exchange_done) = {.method = "POST", .path = "blobs/uploads/", .access = REGISTRY_PUSH};
    if (!registry_exchange(registry, &post, err))
        return false;
    if (post.status != 202) {
        exchange_refused(registry, &post, job->what, err);
        return false;
    }
    note_session(job, &post);
    if (!job->url)
        err_set(err, ERR_PUBLISH, "%s: %s: the upload's Location is missing or leads where it may not", registry->name,
                job->what);
    return job->url != NULL;
}

static const char *commit_url(struct arena *arena, const char *url, const struct digest *digest)
{
    return arena_printf(arena, "%s%sdigest=sha256%%3A%s", url, strchr(url, '?') ? "&" : "?", digest_hex(digest).chars);
}

/* The last request of a session, with the whole body or none. */
static bool commit(struct upload_job *job, bool has_body, struct exchange *exchange, struct err *err)
{
    *exchange = (struct exchange){.method = "PUT",
                                  .url = commit_url(job->arena, job->url, job->upload->digest),
                                  .access = REGISTRY_PUSH,
                                  .headers = {UPLOAD_OCTETS, UPLOAD_NO_WAIT},
                                  .header_count = 2,
                                  .has_fd = has_body && job->upload->size_bytes > 0,
                                  .fd = job->upload->fd,
                                  .bytes = has_body ? job->upload->size_bytes : 0,
                                  .sent_counter = has_body ? job->upload->counter : NULL,
                                  .is_tried_once = true};
    return registry_exchange(job->registry, exchange, err);
}

static bool send_patched(struct upload_job *job, struct exchange *exchange, struct err *err)
{
    *exchange = (struct exchange){.method = "PATCH",
                                  .url = job->url,
                                  .access = REGISTRY_PUSH,
                                  .headers = {UPLOAD_OCTETS, UPLOAD_NO_WAIT},
                                  .header_count = 2,
                                  .has_fd = job->upload->size_bytes > 0,
                                  .fd = job->upload->fd,
                                  .bytes = job->upload->size_bytes,
                                  .sent_counter = job->upload->counter,
                                  .is_tried_once = true};
    if (!registry_exchange(job->registry, exchange, err))
        return false;
    if (exchange->status != 202 && exchange->status != 201)
        return true;
    const char *next = exchange_location(job->registry, job->arena, exchange);
    job->url = next ? next : job->url;
    exchange_done(exchange);
    return commit(job, false, exchange, err);
}

static bool send_by_mode(struct upload_job *job, struct exchange *exchange, struct err *err)
{
    job->mode = (enum upload_mode)atomic_load(&job->registry->upload_mode);
    job->chunk_bytes = atomic_load(&job->registry->chunk_bytes);
    if (job->mode == UPLOAD_CHUNKS) {
        bool is_refused = false;
        if (!upload_chunks(job, exchange, &is_refused, err))
            return false;
        return is_refused || commit(job, false, exchange, err);
    }
    return job->mode == UPLOAD_PATCH ? send_patched(job, exchange, err) : commit(job, true, exchange, err);
}

/* Changes how bodies are sent from now on, unless another thread did. */
static void change_mode(struct upload_job *job, enum upload_mode mode, uint64_t chunk_bytes)
{
    int used = (int)job->mode;
    if (mode == UPLOAD_CHUNKS) {
        uint64_t before = job->chunk_bytes;
        if (!atomic_compare_exchange_strong(&job->registry->chunk_bytes, &before, chunk_bytes))
            return;
    }
    if (!atomic_compare_exchange_strong(&job->registry->upload_mode, &used, (int)mode))
        return;
    if (job->registry->options->log)
        log_line(job->registry->options->log, LOG_VERBOSE, "%s: bodies go by %s from now on", job->registry->name,
                 mode == UPLOAD_PATCH ? "PATCH" : "chunks");
}

/* 413, or a link that does not hold a long body: smaller pieces, down to 512 KiB. */
static bool make_smaller(struct upload_job *job)
{
    uint64_t next = job->mode == UPLOAD_CHUNKS ? job->chunk_bytes / 4 : CHUNK_FIRST_BYTES;
    while (next >= job->upload->size_bytes && next > CHUNK_LEAST_BYTES)
        next /= 4;
    if (next < CHUNK_LEAST_BYTES && (job->mode != UPLOAD_CHUNKS || job->chunk_bytes > CHUNK_LEAST_BYTES))
        next = CHUNK_LEAST_BYTES;
    if (next < CHUNK_LEAST_BYTES || next < job->chunk_least_bytes || is_never_chunked(job->registry))
        return false;
    change_mode(job, UPLOAD_CHUNKS, next);
    return true;
}

/* The registry says that the bytes are not what their digest says: are they? */
static bool is_local_right(const struct upload *upload, bool *ret_is_right, struct err *err)
{
    AUTO(digest_abandon) struct digest_stream stream = {0};
    AUTO(auto_free) char *buffer = malloc(HASH_BUFFER_BYTES);
    uint64_t at = 0;
    if (!buffer)
        memory_abort(HASH_BUFFER_BYTES);
    digest_begin(&stream);
    for (;;) {
        ssize_t got = pread(upload->fd, buffer, HASH_BUFFER_BYTES, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            err_clear(err);
            err_set_errno(err, errno, "sha256:%s", digest_hex(upload->digest).chars);
            return false;
        }
        if (got == 0)
            break;
        digest_feed(&stream, buffer, (size_t)got);
        at += (uint64_t)got;
    }
    struct digest digest = digest_end(&stream);
    *ret_is_right = at == upload->size_bytes && digest_eq(&digest, upload->digest);
    return true;
}

static enum outcome again_later(struct upload_job *job, const struct exchange *answer, struct err *err)
{
    return registry_back_off(job->registry, &job->retry, answer->retry_after_s, err) ? OUTCOME_AGAIN : OUTCOME_FAILED;
}

static enum outcome judge_bytes(struct upload_job *job, const struct exchange *answer, struct err *err)
{
    bool is_right;
    if (!is_local_right(job->upload, &is_right, err))
        return OUTCOME_FAILED;
    if (!is_right) {
        err_clear(err);
        err_set(err, ERR_TRUST, "sha256:%s: the local file has other bytes than its name says; build it again",
                digest_hex(job->upload->digest).chars);
        return OUTCOME_FAILED;
    }
    if (job->is_rehashed)
        return OUTCOME_FAILED;
    job->is_rehashed = true;
    return again_later(job, answer, err);
}

/* 404: the session is gone (then a new one), or this registry wants PATCH. */
static enum outcome judge_missing(struct upload_job *job, const struct exchange *answer, struct err *err)
{
    bool is_lost = exchange_has_code(answer, "BLOB_UPLOAD_UNKNOWN") || exchange_has_code(answer, "BLOB_UPLOAD_INVALID");
    if (job->mode == UPLOAD_PUT && (!is_lost || job->lost_count++ > 0))
        change_mode(job, UPLOAD_PATCH, 0);
    return again_later(job, answer, err);
}

static enum outcome judge_refusal(struct upload_job *job, const struct exchange *answer, struct err *err)
{
    int status = answer->status;
    if (status == 400 && (exchange_has_code(answer, "DIGEST_INVALID") || exchange_has_code(answer, "SIZE_INVALID")))
        return judge_bytes(job, answer, err);
    if (status == 400 && exchange_has_code(answer, "BLOB_UPLOAD_INVALID"))
        return again_later(job, answer, err);
    if (status == 404)
        return judge_missing(job, answer, err);
    if (job->mode == UPLOAD_PUT && (status == 405 || status == 411 || status == 501)) {
        change_mode(job, UPLOAD_PATCH, 0);
        err_clear(err);
        return OUTCOME_AGAIN;
    }
    if (status == 413 && make_smaller(job)) {
        err_clear(err);
        return OUTCOME_AGAIN;
    }
    if (status == 416 && job->mode == UPLOAD_CHUNKS)
        return again_later(job, answer, err);
    return OUTCOME_FAILED;
}

/* No answer, or a transient one. A long body that breaks twice goes in chunks. */
static enum outcome judge_transient(struct upload_job *job, const struct exchange *answer, struct err *err)
{
    bool is_long = job->upload->size_bytes > CHUNK_AFTER_BREAKS_BYTES && job->mode != UPLOAD_CHUNKS;
    if (answer->status == 0 && is_long && ++job->break_count >= 2)
        (void)make_smaller(job);
    return again_later(job, answer, err);
}

static enum outcome judge(struct upload_job *job, const struct exchange *answer, bool is_answered, struct err *err)
{
    struct text said = exchange_header(answer, "Docker-Content-Digest");
    struct err unseen = {0};
    bool is_good = is_answered && (answer->status == 201 || answer->status == 204 || answer->status == 200);
    bool is_there = false;
    if (is_good && (!said.len || text_is(said, registry_digest_name(job->upload->digest).chars)))
        return OUTCOME_DONE;
    if (!is_answered && (answer->is_hopeless || err->kind != ERR_NETWORK))
        return OUTCOME_FAILED;
    if (registry_has_blob(job->registry, job->upload->digest, job->upload->size_bytes, &is_there, &unseen) &&
        is_there) {
        err_clear(err);
        return OUTCOME_DONE;
    }
    if (unseen.kind == ERR_CANCELLED) {
        *err = unseen;
        return OUTCOME_FAILED;
    }
    if (is_answered)
        exchange_refused(job->registry, answer, job->what, err);
    if (is_good || !is_answered || http_status_is_transient(answer->status))
        return judge_transient(job, answer, err);
    return judge_refusal(job, answer, err);
}

static enum outcome upload_once(struct upload_job *job, struct err *err)
{
    struct exchange exchange AUTO(exchange_done) = {0};
    if (!open_session(job, err))
        return OUTCOME_FAILED;
    if (job->is_mounted)
        return OUTCOME_DONE;
    if (job->upload->fd < 0 && job->upload->open && !job->upload->open(job->upload->context, &job->upload->fd, err))
        return OUTCOME_FAILED;
    bool is_answered = send_by_mode(job, &exchange, err);
    return judge(job, &exchange, is_answered, err);
}

bool registry_upload(struct registry *registry, const struct upload *upload, bool *ret_is_mounted, struct err *err)
{
    struct upload own = *upload;
    struct upload_job job = {.registry = registry, .upload = &own};
    enum outcome outcome = OUTCOME_AGAIN;
    while (outcome == OUTCOME_AGAIN) {
        AUTO(arena_done) struct arena scratch = {0};
        job.arena = &scratch;
        job.what = arena_printf(&scratch, "blob sha256:%s", digest_hex(upload->digest).chars);
        outcome = upload_once(&job, err);
        *ret_is_mounted = job.is_mounted;
    }
    if (own.fd >= 0 && own.fd != upload->fd)
        (void)close(own.fd);
    return outcome == OUTCOME_DONE;
}

bool registry_upload_document(struct registry *registry, struct text document, const struct digest *digest,
                              struct err *err)
{
    AUTO(auto_close_fd) int fd = memfd_create("document", MFD_CLOEXEC);
    bool is_mounted;
    if (fd < 0) {
        err_set_errno(err, errno, "cannot make a file in memory");
        return false;
    }
    if (!file_write_all(fd, document.ptr, document.len, "a document", err))
        return false;
    struct upload request = {.digest = digest, .size_bytes = document.len, .fd = fd};
    return registry_upload(registry, &request, &is_mounted, err);
}
