/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/envelope.h"

#include "base/auto.h"
#include "sign/base64.h"

#include <jansson.h>

#define STATEMENT_V1 "https://in-toto.io/Statement/v1"
#define STATEMENT_V01 "https://in-toto.io/Statement/v0.1"
#define SIMPLE_WHAT "cosign container image signature"
#define SUBJECTS_MAX ((size_t)4096)

static struct text dump(struct arena *arena, json_t *json)
{
    AUTO(auto_free) char *bytes = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    if (!bytes)
        memory_abort(0);
    return text_of(arena_strdup(arena, bytes));
}

static json_t *parse(struct text bytes)
{
    return json_loadb(bytes.ptr, bytes.len, JSON_REJECT_DUPLICATES, NULL);
}

static bool is_string(const json_t *object, const char *key, const char *wanted)
{
    const char *string = json_string_value(json_object_get(object, key));
    return string && strcmp(string, wanted) == 0;
}

static const char *digest_name(struct arena *arena, const struct digest *digest)
{
    return arena_printf(arena, "sha256:%s", digest_hex(digest).chars);
}

/* --- envelopes and bundles --- */

struct text envelope_signed_bytes(struct arena *arena, const char *payload_type, struct text payload)
{
    char *head = arena_printf(arena, "DSSEv1 %zu %s %zu ", strlen(payload_type), payload_type, payload.len);
    size_t len = strlen(head);
    char *bytes = arena_alloc(arena, len + payload.len + 1);
    memcpy(bytes, head, len);
    memcpy(bytes + len, payload.ptr, payload.len);
    return (struct text){bytes, len + payload.len};
}

struct text envelope_bundle(struct arena *arena, const struct envelope *envelope, const struct digest *key_id)
{
    struct text id = {(const char *)key_id->bytes, sizeof key_id->bytes};
    return dump(arena,
                json_pack("{s:s, s:{s:{s:s}}, s:{s:s, s:s, s:[{s:s}]}}", "mediaType", ENVELOPE_BUNDLE_TYPE,
                          "verificationMaterial", "publicKey", "hint", base64_encode(arena, id), "dsseEnvelope",
                          "payload", base64_encode(arena, envelope->payload), "payloadType", envelope->payload_type,
                          "signatures", "sig", base64_encode(arena, envelope->signature)));
}

static bool bytes_of(struct arena *arena, const json_t *object, const char *key, struct text *ret_bytes)
{
    const json_t *value = json_object_get(object, key);
    return json_is_string(value) &&
           base64_decode(arena, (struct text){json_string_value(value), json_string_length(value)}, ret_bytes);
}

bool envelope_read(struct arena *arena, struct text bundle, struct envelope *ret_envelope)
{
    json_auto_t *json = parse(bundle);
    const json_t *dsse = json_object_get(json, "dsseEnvelope"), *signatures = json_object_get(dsse, "signatures");
    const char *type = json_string_value(json_object_get(dsse, "payloadType"));
    bool is_bundle = is_string(json, "mediaType", ENVELOPE_BUNDLE_TYPE) ||
                     is_string(json, "mediaType", "application/vnd.dev.sigstore.bundle+json;version=0.3");
    if (!is_bundle || !type || json_array_size(signatures) != 1 ||
        !bytes_of(arena, dsse, "payload", &ret_envelope->payload) ||
        !bytes_of(arena, json_array_get(signatures, 0), "sig", &ret_envelope->signature))
        return false;
    ret_envelope->payload_type = arena_strdup(arena, type);
    return true;
}

bool envelope_is_by(const struct envelope *envelope, const struct sign_key *key)
{
    AUTO(arena_done) struct arena scratch = {0};
    return sign_key_verify(key, envelope_signed_bytes(&scratch, envelope->payload_type, envelope->payload),
                           envelope->signature);
}

/* --- statements --- */

struct text envelope_signature_statement(struct arena *arena, const struct digest *subjects, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        (void)json_array_append_new(list, json_pack("{s:{s:s}}", "digest", "sha256", digest_hex(&subjects[i]).chars));
    return dump(arena, json_pack("{s:s, s:o, s:s, s:{}}", "_type", STATEMENT_V1, "subject", list, "predicateType",
                                 ENVELOPE_SIGNATURE_PREDICATE, "predicate"));
}

bool envelope_read_statement(struct arena *arena, struct text payload, struct envelope_statement *ret_statement)
{
    json_auto_t *json = parse(payload);
    const json_t *subjects = json_object_get(json, "subject"), *subject;
    const char *type = json_string_value(json_object_get(json, "predicateType"));
    size_t i;
    if ((!is_string(json, "_type", STATEMENT_V1) && !is_string(json, "_type", STATEMENT_V01)) || !type ||
        json_array_size(subjects) > SUBJECTS_MAX)
        return false;
    *ret_statement = (struct envelope_statement){.predicate_type = arena_strdup(arena, type)};
    json_array_foreach((json_t *)subjects, i, subject)
    {
        const char *hex = json_string_value(json_object_get(json_object_get(subject, "digest"), "sha256"));
        struct digest digest;
        if (hex && digest_parse(text_of(hex), &digest))
            list_add(arena, &ret_statement->subjects, digest);
    }
    return ret_statement->subjects.count > 0;
}

/* --- the older payload --- */

struct text envelope_simple(struct arena *arena, const char *reference, const struct digest *digest)
{
    return dump(arena, json_pack("{s:{s:{s:s}, s:{s:s}, s:s}, s:n}", "critical", "identity", "docker-reference",
                                 reference, "image", "docker-manifest-digest", digest_name(arena, digest), "type",
                                 SIMPLE_WHAT, "optional"));
}

bool envelope_read_simple(struct arena *arena, struct text payload, const char **ret_reference,
                          struct digest *ret_digest)
{
    json_auto_t *json = parse(payload);
    const json_t *critical = json_object_get(json, "critical"), *identity = json_object_get(critical, "identity"),
                 *image = json_object_get(critical, "image"), *optional = json_object_get(json, "optional");
    const char *reference = json_string_value(json_object_get(identity, "docker-reference"));
    const char *digest = json_string_value(json_object_get(image, "docker-manifest-digest"));
    bool is_strict = json_object_size(json) == 2 && json_object_size(critical) == 3 &&
                     json_object_size(identity) == 1 && json_object_size(image) == 1 &&
                     (json_is_null(optional) || json_is_object(optional));
    if (!is_strict || !is_string(critical, "type", SIMPLE_WHAT) || !reference || !digest ||
        !text_has_prefix(text_of(digest), "sha256:") || !digest_parse(text_of(digest + strlen("sha256:")), ret_digest))
        return false;
    *ret_reference = arena_strdup(arena, reference);
    return true;
}
