/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/found.h"

#include "base/auto.h"
#include "registry/attach.h"
#include "registry/registry_parts.h"
#include "sign/base64.h"
#include "sign/envelope.h"

#include <jansson.h>
#include <stdatomic.h>

#define PAYLOAD_MAX_BYTES ((size_t)64 * 1024)
#define PREDICATES_MAX ((size_t)64)

struct finding {
    struct registry *registry;
    struct arena *arena;
    const struct digest *subject;
    const struct found_wish *wish;
    struct found *found;
};

/* How a document may hang on an image. */
static const struct document_form {
    const char *type;
    bool is_bundle, is_statement;
} forms[] = {{ENVELOPE_BUNDLE_TYPE, true, true},
             {ENVELOPE_STATEMENT_TYPE, false, true},
             {"application/spdx+json", false, false},
             {"application/vnd.cyclonedx+json", false, false}};

static bool names_subject(const struct envelope_statement *statement, const struct digest *subject)
{
    for (size_t i = 0; i < statement->subjects.count; i++) {
        if (digest_eq(&statement->subjects.items[i], subject))
            return true;
    }
    return false;
}

/* Finds which key made a bundle; false when none did. */
static bool find_key(const struct finding *finding, const struct envelope *envelope, size_t *ret_key)
{
    const struct found_keys *keys = &finding->wish->keys;
    for (*ret_key = 0; *ret_key < keys->count; ++*ret_key) {
        if (envelope_is_by(envelope, keys->items[*ret_key]))
            return true;
    }
    return false;
}

/* Takes room for a document; false when there is none. */
static bool take_room(struct finding *finding, size_t bytes)
{
    _Atomic uint64_t *room = finding->wish->room;
    uint64_t left = atomic_load(room);
    while (left >= bytes) {
        if (atomic_compare_exchange_weak(room, &left, left - bytes))
            return true;
    }
    finding->found->left_out_count++;
    return false;
}

/* Keeps a document, of which all but the arena is given. */
static void keep(struct finding *finding, const struct found_document *document)
{
    struct found_document kept = *document;
    if (!finding->wish->room || !take_room(finding, document->text.len))
        return;
    kept.text = (struct text){text_dup(finding->arena, document->text), document->text.len};
    kept.predicate = document->predicate ? arena_strdup(finding->arena, document->predicate) : NULL;
    list_add(finding->arena, &finding->found->documents, kept);
}

/* Takes one statement about the manifest for what it is. */
static void judge_statement(struct finding *finding, const struct found_document *document)
{
    struct found *found = finding->found;
    if (strcmp(document->predicate, ENVELOPE_SIGNATURE_PREDICATE) == 0) {
        if (document->is_signed)
            list_add(finding->arena, &found->ours, (struct found_signature){.is_bundle = true, .key = document->key});
    } else {
        keep(finding, document);
    }
}

/* Takes one bundle for what it is. */
static void judge_bundle(struct finding *finding, struct text bundle)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct found *found = finding->found;
    struct envelope envelope;
    struct envelope_statement statement;
    struct found_document document = {.type = ENVELOPE_BUNDLE_TYPE};
    found->foreign_count++;
    if (!envelope_read(&scratch, bundle, &envelope) || strcmp(envelope.payload_type, ENVELOPE_STATEMENT_TYPE) != 0 ||
        !envelope_read_statement(&scratch, envelope.payload, &statement))
        return;
    if (!strings_has(&found->predicates, statement.predicate_type) && found->predicates.count < PREDICATES_MAX)
        list_add(finding->arena, &found->predicates, arena_strdup(finding->arena, statement.predicate_type));
    if (!names_subject(&statement, finding->subject))
        return;
    document.predicate = statement.predicate_type;
    document.text = envelope.payload;
    document.is_signed = find_key(finding, &envelope, &document.key);
    found->foreign_count -= document.is_signed;
    judge_statement(finding, &document);
}

/* Takes a document that is in no bundle for what it is. */
static void judge_plain(struct finding *finding, const struct document_form *form, struct text text)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct found_document document = {.type = form->type, .text = text};
    struct envelope_statement statement;
    if (!form->is_statement) {
        keep(finding, &document);
        return;
    }
    if (!envelope_read_statement(&scratch, text, &statement) || !names_subject(&statement, finding->subject))
        return;
    document.predicate = statement.predicate_type;
    judge_statement(finding, &document);
}

/* Whether an index may tell of a document of this form; some registries tell the config's type in its place (attach.c). */
static bool may_be(const struct finding *finding, const struct document_form *form, const char *type)
{
    return (form->is_bundle || finding->wish->room) &&
           (!*type || strcmp(type, form->type) == 0 || strcmp(type, ATTACH_EMPTY_TYPE) == 0);
}

/* Reads a referrer as one form. */
static bool read_as(struct finding *finding, const struct registry_referrer *referrer, const struct document_form *form,
                    bool *ret_is_read, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct attach_sought sought = {referrer->digest, *finding->subject, form->type};
    struct text bytes;
    if (!attach_read(finding->registry, &scratch, &sought, ret_is_read, &bytes, err))
        return false;
    if (form->is_bundle && (*ret_is_read || strcmp(referrer->type, form->type) == 0)) {
        finding->found->bundle_count++;
        finding->found->foreign_count += !*ret_is_read;
    }
    if (*ret_is_read && form->is_bundle)
        judge_bundle(finding, bytes);
    else if (*ret_is_read)
        judge_plain(finding, form, bytes);
    return true;
}

static bool read_referrers(struct finding *finding, struct err *err)
{
    AUTO(arena_done) struct arena listed = {0};
    struct registry_referrer_list list;
    size_t read = 0;
    if (!registry_read_referrers(finding->registry, &listed, finding->subject, &list, err))
        return false;
    for (size_t i = 0; i < list.items.count && read < FOUND_MAX_COUNT; i++) {
        const struct registry_referrer *referrer = &list.items.items[i];
        bool is_read = false, is_tried = false, is_named = false;
        for (size_t j = 0; j < ARRAY_COUNT(forms) && !is_read; j++) {
            if (!may_be(finding, &forms[j], referrer->type))
                continue;
            is_tried = true;
            is_named = is_named || strcmp(referrer->type, forms[j].type) == 0;
            if (!read_as(finding, referrer, &forms[j], &is_read, err))
                return false;
        }
        read += is_tried;
        if (is_named && !is_read)
            list_add(finding->arena, &finding->found->broken, referrer->digest);
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
    for (size_t i = 0; i < finding->wish->keys.count; i++) {
        if (!sign_key_verify(finding->wish->keys.items[i], payload, signature))
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
                const struct found_wish *wish, struct found *ret_found, struct err *err)
{
    struct finding finding = {registry, arena, subject, wish, ret_found};
    *ret_found = (struct found){0};
    return read_referrers(&finding, err) && read_simples(&finding, err);
}
