/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/artifact.h"

#include "base/auto.h"
#include "oci/oci.h"
#include "registry/registry_parts.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <stdlib.h>

#define SHA256 "sha256:"

/* --- reading --- */

/* The bytes of `data`, when they are what the descriptor says. */
static bool take_inside(struct arena *arena, const json_t *descriptor, const struct digest *digest,
                        struct text *ret_document)
{
    const json_t *data = json_object_get(descriptor, "data");
    const char *base64 = json_string_value(data);
    size_t len = json_string_length(data), padding = 0;
    if (!base64 || !len || len % 4 || len > ARTIFACT_MAX_BYTES * 2)
        return false;
    while (padding < 2 && base64[len - 1 - padding] == '=')
        padding++;
    char *bytes = arena_alloc(arena, len / 4 * 3 + 1);
    int decoded = EVP_DecodeBlock((unsigned char *)bytes, (const unsigned char *)base64, (int)len);
    if (decoded < 0 || (size_t)decoded < padding)
        return false;
    struct text document = {bytes, (size_t)decoded - padding};
    struct digest got = digest_of(document.ptr, document.len);
    bytes[document.len] = '\0';
    *ret_document = document;
    return digest_eq(&got, digest);
}

/* The only layer's document: out of the manifest, else the blob. */
static bool read_document(struct registry *registry, struct arena *arena, const json_t *manifest,
                          struct artifact *artifact, struct err *err)
{
    const json_t *layer = json_array_get(json_object_get(manifest, "layers"), 0);
    const char *name = json_string_value(json_object_get(layer, "digest"));
    struct digest digest;
    bool is_found =
        name && strncmp(name, SHA256, strlen(SHA256)) == 0 && digest_parse(text_of(name + strlen(SHA256)), &digest);
    if (is_found && take_inside(arena, layer, &digest, &artifact->document)) {
        artifact->found = ARTIFACT_READ;
        return true;
    }
    if (is_found && !registry_get_document(registry, arena, &digest, &is_found, &artifact->document, err)) {
        if (err->kind != ERR_TRUST && err->kind != ERR_MALFORMED)
            return false;
        err_clear(err); /* other bytes, or more than a document has */
        is_found = false;
    }
    artifact->found = is_found ? ARTIFACT_READ : ARTIFACT_BROKEN;
    return true;
}

bool artifact_read(struct registry *registry, struct arena *arena, const char *name, const char *type,
                   struct artifact *ret_artifact, struct err *err)
{
    struct registry_manifest got;
    *ret_artifact = (struct artifact){.found = ARTIFACT_ABSENT};
    if (!registry_get_manifest(registry, arena, name, &got, err))
        return false;
    if (!got.is_found)
        return true;
    ret_artifact->digest = got.digest;
    ret_artifact->manifest = (struct text){got.bytes, (size_t)got.size_bytes};
    ret_artifact->found = ARTIFACT_OTHER;
    json_auto_t *manifest = json_loadb(got.bytes, (size_t)got.size_bytes, JSON_REJECT_DUPLICATES, NULL);
    const char *said = json_string_value(json_object_get(manifest, "artifactType"));
    return !said || strcmp(said, type) != 0 || read_document(registry, arena, manifest, ret_artifact, err);
}

/* --- writing --- */

static json_t *describe(const char *type, struct text document, const struct digest *digest)
{
    return json_pack("{s:s, s:s, s:I}", "mediaType", type, "digest", registry_digest_name(digest).chars, "size",
                     (json_int_t)document.len);
}

/* Makes the manifest's bytes (malloc'd); `subject` may be NULL. */
static char *make_manifest(const char *type, struct text document, const struct digest *digest,
                           const struct layout_blob *subject)
{
    AUTO(arena_done) struct arena scratch = {0};
    json_t *layer = describe(type, document, digest);
    if (document.len <= ARTIFACT_INSIDE_MAX_BYTES) {
        char *base64 = arena_alloc(&scratch, (document.len + 2) / 3 * 4 + 1);
        (void)EVP_EncodeBlock((unsigned char *)base64, (const unsigned char *)document.ptr, (int)document.len);
        json_object_set_new(layer, "data", json_string(base64));
    }
    json_auto_t *manifest =
        json_pack("{s:i, s:s, s:s, s:o, s:[o]}", "schemaVersion", 2, "mediaType", OCI_MEDIA_MANIFEST, "artifactType",
                  type, "config", describe(type, document, digest), "layers", layer);
    if (subject)
        json_object_set_new(manifest, "subject",
                            json_pack("{s:s, s:s, s:I}", "mediaType", subject->media_type, "digest",
                                      registry_digest_name(&subject->digest).chars, "size",
                                      (json_int_t)subject->size_bytes));
    char *bytes = json_dumps(manifest, JSON_COMPACT);
    if (!bytes)
        memory_abort(0);
    return bytes;
}

bool artifact_write(struct registry *registry, const struct artifact_put *put, struct digest *ret_digest,
                    bool *ret_lost, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct digest digest = digest_of(put->document.ptr, put->document.len);
    AUTO(auto_free) char *bytes = make_manifest(put->type, put->document, &digest, NULL);
    const char *condition =
        put->before->found == ARTIFACT_ABSENT
            ? "If-None-Match: *"
            : arena_printf(&scratch, "If-Match: \"%s\"", registry_digest_name(&put->before->digest).chars);
    bool is_missing;
    *ret_lost = false;
    *ret_digest = digest_of(bytes, strlen(bytes));
    if (!registry_upload_document(registry, put->document, &digest, err))
        return false;
    if (registry_put_if(registry, put->tag, OCI_MEDIA_MANIFEST, text_of(bytes), condition, &is_missing, err))
        return true;
    if (err->detail != 412 && err->kind != ERR_TRUST) /* ERR_TRUST: another writer was between PUT and reading back */
        return false;
    err_clear(err);
    *ret_lost = true;
    return true;
}

bool artifact_attach(struct registry *registry, const struct layout_blob *subject, const char *type,
                     struct text document, struct err *err)
{
    struct digest digest = digest_of(document.ptr, document.len);
    AUTO(auto_free) char *bytes = make_manifest(type, document, &digest, subject);
    struct digest manifest = digest_of(bytes, strlen(bytes));
    bool is_missing;
    return registry_upload_document(registry, document, &digest, err) &&
           registry_put_manifest(registry, registry_digest_name(&manifest).chars, OCI_MEDIA_MANIFEST, text_of(bytes),
                                 &is_missing, err) &&
           registry_attach(registry, OCI_MEDIA_MANIFEST, text_of(bytes), err);
}

bool artifact_read_attached(struct registry *registry, struct arena *arena, const struct digest *subject,
                            const char *type, struct artifact *ret_artifact, struct err *err)
{
    const char *name;
    *ret_artifact = (struct artifact){.found = ARTIFACT_ABSENT};
    if (!registry_find_referrer(registry, arena, subject, type, &name, err))
        return false;
    return !name || artifact_read(registry, arena, name, type, ret_artifact, err);
}

bool artifact_is_at(struct registry *registry, const char *tag, const struct digest *digest, bool *ret_is_it,
                    struct err *err)
{
    bool is_found;
    return registry_manifest_is(registry, tag, digest, true, &is_found, ret_is_it, err);
}
