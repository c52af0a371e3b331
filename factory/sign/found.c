/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/found.h"

#include "base/auto.h"
#include "registry/attach.h"
#include "registry/registry_parts.h"
#include "sign/base64.h"
#include "sign/envelope.h"

#include <jansson.h>

#define PAYLOAD_MAX_BYTES ((size_t)64 * 1024)
#define PREDICATES_MAX ((size_t)64)

struct finding {
    struct registry *registry;
    struct arena *arena;
    const struct digest *subject;
    const struct found_keys *keys;
    struct found *found;
};

static bool names_subject(const struct envelope_statement *statement, const struct digest *subject)
{
    for (size_t i = 0; i < statement->subjects.count; i++) {
        if (digest_eq(&statement->subjects.items[i], subject))
            return true;
    }
    return false;
}

/* Takes one bundle for what it is. */
static void judge_bundle(struct finding *finding, struct text bundle)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct found *found = finding->found;
    struct envelope envelope;
    struct envelope_statement statement;
    found->foreign_count++;
    if (!envelope_read(&scratch, bundle, &envelope) || strcmp(envelope.payload_type, ENVELOPE_STATEMENT_TYPE) != 0 ||
        !envelope_read_statement(&scratch, envelope.payload, &statement))
        return;
    if (!strings_has(&found->predicates, statement.predicate_type) && found->predicates.count < PREDICATES_MAX)
        list_add(finding->arena, &found->predicates, arena_strdup(finding->arena, statement.predicate_type));
    if (strcmp(statement.predicate_type, ENVELOPE_SIGNATURE_PREDICATE) != 0 ||
        !names_subject(&statement, finding->subject))
        return;
    for (size_t i = 0; i < finding->keys->count; i++) {
        if (!envelope_is_by(&envelope, finding->keys->items[i]))
            continue;
        found->foreign_count--;
        list_add(finding->arena, &found->ours, (struct found_signature){.is_bundle = true, .key = i});
        return;
    }
}

/* Whether an index may tell of a bundle; some registries tell the config's type in its place (attach.c). */
static bool may_be_bundle(const char *type)
{
    return !*type || strcmp(type, ENVELOPE_BUNDLE_TYPE) == 0 || strcmp(type, ATTACH_EMPTY_TYPE) == 0;
}

static bool read_bundles(struct finding *finding, struct err *err)
{
    AUTO(arena_done) struct arena listed = {0};
    struct registry_referrer_list list;
    if (!registry_read_referrers(finding->registry, &listed, finding->subject, &list, err))
        return false;
    for (size_t i = 0; i < list.items.count && finding->found->bundle_count < FOUND_MAX_COUNT; i++) {
        AUTO(arena_done) struct arena scratch = {0};
        struct attach_sought sought = {list.items.items[i].digest, *finding->subject, ENVELOPE_BUNDLE_TYPE};
        struct text bundle;
        bool is_read;
        if (!may_be_bundle(list.items.items[i].type))
            continue;
        if (!attach_read(finding->registry, &scratch, &sought, &is_read, &bundle, err))
            return false;
        if (!is_read && strcmp(list.items.items[i].type, ENVELOPE_BUNDLE_TYPE) != 0)
            continue;
        finding->found->bundle_count++;
        if (is_read)
            judge_bundle(finding, bundle);
        else
            finding->found->foreign_count++;
    }
    return true;
}

/* Takes one layer of the older form for what it is. */
static void judge_simple(struct finding *finding, struct text payload, const char *encoded)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct found *found = finding->found;
    const char *reference;
    struct digest digest;
    struct text signature;
    found->foreign_count++;
    if (!encoded || !base64_decode(&scratch, text_of(encoded), &signature) ||
        !envelope_read_simple(&scratch, payload, &reference, &digest) || !digest_eq(&digest, finding->subject))
        return;
    for (size_t i = 0; i < finding->keys->count; i++) {
        if (!sign_key_verify(finding->keys->items[i], payload, signature))
            continue;
        found->foreign_count--;
        list_add(finding->arena, &found->ours,
                 (struct found_signature){.key = i, .reference = arena_strdup(finding->arena, reference)});
        return;
    }
}

static bool read_simple(struct finding *finding, const json_t *layer, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    const char *type = json_string_value(json_object_get(layer, "mediaType"));
    const char *name = json_string_value(json_object_get(layer, "digest"));
    const char *encoded =
        json_string_value(json_object_get(json_object_get(layer, "annotations"), ENVELOPE_SIMPLE_KEY));
    struct digest digest;
    struct text payload = {"", 0};
    bool is_there = false;
    finding->found->simple_count++;
    bool is_named = type && strcmp(type, ENVELOPE_SIMPLE_TYPE) == 0 && name &&
                    text_has_prefix(text_of(name), "sha256:") &&
                    digest_parse(text_of(name + strlen("sha256:")), &digest);
    if (is_named &&
        !registry_get_bytes(finding->registry, &scratch, &digest, PAYLOAD_MAX_BYTES, &is_there, &payload, err)) {
        if (err->kind != ERR_TRUST && err->kind != ERR_MALFORMED)
            return false;
        err_clear(err);
        is_there = false;
    }
    judge_simple(finding, payload, is_there ? encoded : NULL);
    return true;
}

static bool read_simples(struct finding *finding, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct registry_manifest manifest;
    size_t i;
    const json_t *layer;
    if (!registry_get_manifest(finding->registry, &scratch, attach_signature_tag(&scratch, finding->subject), &manifest,
                               err))
        return false;
    json_auto_t *json = manifest.is_found ? json_loadb(manifest.bytes, (size_t)manifest.size_bytes, 0, NULL) : NULL;
    json_array_foreach(json_object_get(json, "layers"), i, layer)
    {
        if (finding->found->simple_count == FOUND_MAX_COUNT)
            break;
        if (!read_simple(finding, layer, err))
            return false;
    }
    return true;
}

bool found_read(struct registry *registry, struct arena *arena, const struct digest *subject,
                const struct found_keys *keys, struct found *ret_found, struct err *err)
{
    struct finding finding = {registry, arena, subject, keys, ret_found};
    *ret_found = (struct found){0};
    return read_bundles(&finding, err) && read_simples(&finding, err);
}
