/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests and indices: asked for, fetched, put. A PUT is judged by what the registry has afterwards whenever its
 * answer leaves a doubt. */
#include "registry/registry_parts.h"

#include "base/auto.h"
#include "oci/oci.h"

#include <inttypes.h>
#include <jansson.h>

#define ACCEPT                                                                                                         \
    "Accept: " OCI_MEDIA_INDEX ", " OCI_MEDIA_MANIFEST ", application/vnd.docker.distribution.manifest.list.v2+json, " \
    "application/vnd.docker.distribution.manifest.v2+json"

static const char *manifest_path(struct arena *arena, const char *name)
{
    return arena_printf(arena, "manifests/%s", name);
}

/* Parses "sha256:<hex>"; false for tags and other algorithms. */
static bool parse_name(struct text name, struct digest *ret_digest)
{
    return text_has_prefix(name, "sha256:") && digest_parse((struct text){name.ptr + 7, name.len - 7}, ret_digest);
}

static const char *media_type_of(struct arena *arena, const struct exchange *answer)
{
    struct text rest = exchange_header(answer, "Content-Type"), type;
    return text_next(&rest, ';', &type) ? text_dup(arena, text_trim(type)) : "";
}

static bool is_vague(const char *media_type)
{
    static const char *const vague[] = {"", "application/json", "application/octet-stream", "text/plain"};
    for (size_t i = 0; i < ARRAY_COUNT(vague); i++) {
        if (strcmp(media_type, vague[i]) == 0)
            return true;
    }
    return false;
}

static struct exchange asking(const char *method, const char *path)
{
    return (struct exchange){.method = method,
                             .path = path,
                             .access = REGISTRY_PULL,
                             .headers = {ACCEPT},
                             .header_count = 1,
                             .cap_bytes = REGISTRY_DOCUMENT_MAX_BYTES};
}

/* GET. */
static bool get(struct registry *registry, struct exchange *exchange, const char *path, bool *ret_found,
                struct err *err)
{
    *exchange = asking("GET", path);
    if (!registry_exchange(registry, exchange, err))
        return false;
    *ret_found = exchange->status == 200;
    if (*ret_found || http_status_is_absent(exchange->status))
        return true;
    exchange_refused(registry, exchange, path, err);
    return false;
}

/* Returns whether one HEAD says that the name is this manifest now. Anything else proves nothing: registries and
 * proxies before them refuse HEAD with all kinds of statuses, or say no digest, where GET works. False with
 * ERR_CANCELLED is final. */
static bool head_says(struct registry *registry, const char *name, const struct digest *digest, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct exchange head AUTO(exchange_done) = asking("HEAD", manifest_path(&scratch, name));
    struct digest said;
    if (atomic_load(&registry->is_head_refused))
        return false;
    head.is_tried_once = true;
    if (!registry_exchange(registry, &head, err)) {
        if (err->kind != ERR_CANCELLED)
            err_clear(err);
        return false;
    }
    registry_heed(registry, &head);
    if (head.status != 200 && !http_status_is_absent(head.status) && !http_status_is_transient(head.status))
        atomic_store(&registry->is_head_refused, true);
    return head.status == 200 && parse_name(exchange_header(&head, "Docker-Content-Digest"), &said) &&
           digest_eq(&said, digest);
}

/* What a document says of itself, where the registry's Content-Type says nothing. */
static const char *own_media_type(struct arena *arena, const struct exchange *answer)
{
    json_auto_t *json = json_loadb(answer->body_in.bytes ? answer->body_in.bytes : "", answer->body_in.len, 0, NULL);
    const char *type = json_string_value(json_object_get(json, "mediaType"));
    return type ? arena_strdup(arena, type) : "";
}

bool registry_get_manifest(struct registry *registry, struct arena *arena, const char *name,
                           struct registry_manifest *ret_manifest, struct err *err)
{
    struct exchange answer AUTO(exchange_done) = {0};
    struct registry_manifest manifest = {0};
    struct digest wanted;
    const char *path = manifest_path(arena, name);
    if (!get(registry, &answer, path, &manifest.is_found, err))
        return false;
    if (!manifest.is_found) {
        *ret_manifest = manifest;
        return true;
    }
    manifest.bytes = arena_strndup(arena, answer.body_in.bytes ? answer.body_in.bytes : "", answer.body_in.len);
    manifest.size_bytes = answer.body_in.len;
    manifest.digest = digest_of(manifest.bytes, answer.body_in.len);
    manifest.has_said = parse_name(exchange_header(&answer, "Docker-Content-Digest"), &manifest.said_digest);
    manifest.media_type = media_type_of(arena, &answer);
    if (is_vague(manifest.media_type))
        manifest.media_type = own_media_type(arena, &answer);
    if (parse_name(text_of(name), &wanted) && !digest_eq(&wanted, &manifest.digest)) {
        err_set(err, ERR_TRUST, "%s: %s: expected %s, got %s", registry->name, path, name,
                registry_digest_name(&manifest.digest).chars);
        return false;
    }
    *ret_manifest = manifest;
    return true;
}

bool registry_manifest_is(struct registry *registry, const char *name, const struct digest *digest, bool is_expected,
                          bool *ret_found, bool *ret_is_it, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct registry_manifest manifest;
    *ret_found = *ret_is_it = is_expected && head_says(registry, name, digest, err);
    if (*ret_is_it)
        return true;
    if (err->kind != ERR_NONE || !registry_get_manifest(registry, &scratch, name, &manifest, err))
        return false;
    *ret_found = manifest.is_found;
    *ret_is_it = manifest.is_found && digest_eq(&manifest.digest, digest);
    return true;
}

/* A manifest being put. */
struct putting {
    struct registry *registry;
    const char *name, *path;
    struct digest digest;
    struct retry retry;
};

/* Returns whether the refusal may mean that a blob or child is missing: quay says MANIFEST_INVALID then, without detail
 * for a PUT by digest. */
static bool is_missing_part(const struct exchange *answer)
{
    if (answer->status != 400 && answer->status != 404)
        return false;
    if (exchange_has_code(answer, "MANIFEST_BLOB_UNKNOWN") || exchange_has_code(answer, "BLOB_UNKNOWN") ||
        exchange_has_code(answer, "MANIFEST_UNKNOWN"))
        return true;
    if (!exchange_has_code(answer, "MANIFEST_INVALID"))
        return false;
    return exchange_has_words(answer, "nknown blob") || exchange_has_words(answer, "Could not find child manifest") ||
           !exchange_has_detail(answer);
}

/* Looks what is under the name now: by GET at once after a refusal, since then it most probably is not there; only the
 * answer may be lost when there was none. An error here is the verdict only if there is no better one. */
static bool is_there(struct putting *putting, bool is_answered, struct err *err)
{
    bool is_found, is_it;
    return registry_manifest_is(putting->registry, putting->name, &putting->digest, !is_answered, &is_found, &is_it,
                                err) &&
           is_it;
}

enum step { STEP_DONE, STEP_AGAIN, STEP_FAILED };

/* After a 2xx: the digest it names, or else what is there, must be ours. What is not there yet is put once more. */
static enum step confirm(struct putting *putting, const struct exchange *answer, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct registry *registry = putting->registry;
    struct text said = exchange_header(answer, "Docker-Content-Digest");
    struct registry_manifest manifest;
    struct digest_name ours = registry_digest_name(&putting->digest);
    if (said.len && text_is(said, ours.chars))
        return STEP_DONE;
    if (!registry_get_manifest(registry, &scratch, putting->name, &manifest, err))
        return STEP_FAILED;
    if (manifest.is_found && digest_eq(&manifest.digest, &putting->digest))
        return STEP_DONE;
    if (!manifest.is_found) {
        err_set(err, ERR_NETWORK, "%s: %s: accepted, but not there", registry->name, putting->path);
        return registry_back_off(registry, &putting->retry, 0, err) ? STEP_AGAIN : STEP_FAILED;
    }
    err_set(err, ERR_TRUST, "%s: %s: sent %s, but the registry has %s", registry->name, putting->path, ours.chars,
            registry_digest_name(&manifest.digest).chars);
    return STEP_FAILED;
}

static enum step judge_put(struct putting *putting, const struct exchange *answer, bool is_answered, bool *ret_missing,
                           struct err *err)
{
    struct err unseen = {0};
    if (!is_answered && (answer->is_hopeless || err->kind != ERR_NETWORK))
        return STEP_FAILED;
    if (is_answered && answer->status >= 200 && answer->status < 300)
        return confirm(putting, answer, err);
    bool is_transient = !is_answered || http_status_is_transient(answer->status);
    if ((is_transient || answer->status == 409) && is_there(putting, is_answered, &unseen)) {
        err_clear(err);
        return STEP_DONE;
    }
    if (is_answered)
        exchange_refused(putting->registry, answer, putting->path, err);
    if (is_transient)
        return registry_back_off(putting->registry, &putting->retry, answer->retry_after_s, err) ? STEP_AGAIN
                                                                                                 : STEP_FAILED;
    *ret_missing = is_missing_part(answer);
    return STEP_FAILED;
}

bool registry_put_if(struct registry *registry, const char *name, const char *media_type, struct text bytes,
                     const char *condition, bool *ret_missing, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct putting putting = {.registry = registry,
                              .name = name,
                              .path = manifest_path(&scratch, name),
                              .digest = digest_of(bytes.ptr, bytes.len)};
    *ret_missing = false;
    if (bytes.len > REGISTRY_DOCUMENT_MAX_BYTES) {
        err_set(err, ERR_PUBLISH, "%s: %s: %zu bytes are more than the 4 MiB that registries take", registry->name,
                putting.path, bytes.len);
        return false;
    }
    for (;;) {
        struct exchange put AUTO(exchange_done) = {
            .method = "PUT",
            .path = putting.path,
            .access = REGISTRY_PUSH,
            .headers = {arena_printf(&scratch, "Content-Type: %s", media_type), condition},
            .header_count = condition ? 2 : 1,
            .body = bytes,
            .is_tried_once = true};
        bool is_answered = registry_exchange(registry, &put, err);
        enum step step = judge_put(&putting, &put, is_answered, ret_missing, err);
        if (step != STEP_AGAIN)
            return step == STEP_DONE;
    }
}

bool registry_put_manifest(struct registry *registry, const char *name, const char *media_type, struct text bytes,
                           bool *ret_missing, struct err *err)
{
    return registry_put_if(registry, name, media_type, bytes, NULL, ret_missing, err);
}
