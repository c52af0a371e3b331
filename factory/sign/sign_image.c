/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/sign_image.h"

#include "base/auto.h"
#include "sign/base64.h"
#include "sign/envelope.h"

#define NOTE_CONTENT "dev.sigstore.bundle.content"
#define NOTE_PREDICATE "dev.sigstore.bundle.predicateType"
#define NOTE_IN_TOTO "in-toto.io/predicate-type" /* trivy chooses by it */

void sign_subjects(struct arena *arena, const struct layout_image *image, struct layout_blob **ret_subjects,
                   size_t *ret_count)
{
    struct layout_blob *subjects = arena_new_array(arena, struct layout_blob, image->manifests.count + 1);
    size_t count = 0;
    subjects[count++] = image->root;
    for (size_t i = 0; image->is_index && i < image->manifests.count; i++) {
        const struct layout_manifest *manifest = &image->manifests.items[i];
        if (manifest->bytes.len)
            subjects[count++] = manifest->blob;
    }
    *ret_subjects = subjects;
    *ret_count = count;
}

/* --- bundles --- */

/* One statement by one signer: its bundle is made once, for all of its subjects. */
struct sealed {
    const struct signer *signer;
    struct text payload;
    struct text bundle; /* once it was made */
};

static bool is_same_bundle(const void *context, struct text there)
{
    const struct sealed *sealed = context;
    AUTO(arena_done) struct arena scratch = {0};
    struct envelope envelope;
    return envelope_read(&scratch, there, &envelope) && strcmp(envelope.payload_type, ENVELOPE_STATEMENT_TYPE) == 0 &&
           text_eq(envelope.payload, sealed->payload) && envelope_is_by(&envelope, sealed->signer->key);
}

static bool make_bundle(void *context, struct arena *arena, struct text *ret_document, struct err *err)
{
    struct sealed *sealed = context;
    if (!sealed->bundle.len &&
        !signer_bundle(sealed->signer, arena, ENVELOPE_STATEMENT_TYPE, sealed->payload, &sealed->bundle, err))
        return false;
    *ret_document = sealed->bundle;
    return true;
}

/* Names what a key says: receipts go by it. */
static struct digest identity_of(const struct signer *signer, struct text says)
{
    struct digest_stream stream;
    struct digest id = sign_key_id(signer->key);
    digest_begin(&stream);
    digest_feed(&stream, id.bytes, sizeof id.bytes);
    digest_feed(&stream, says.ptr, says.len);
    return digest_end(&stream);
}

void sign_attach(const struct signers *signers, struct arena *arena, const struct sign_statement *statement,
                 struct attach_list *list)
{
    struct registry_note *notes = arena_new_array(arena, struct registry_note, 3);
    notes[0] = (struct registry_note){NOTE_CONTENT, "dsse-envelope"};
    notes[1] = (struct registry_note){NOTE_PREDICATE, statement->predicate_type};
    notes[2] = (struct registry_note){NOTE_IN_TOTO, statement->predicate_type};
    for (size_t i = 0; i < signers->count; i++) {
        struct sealed *sealed = arena_new(arena, struct sealed);
        *sealed = (struct sealed){.signer = &signers->items[i], .payload = statement->payload};
        for (size_t j = 0; j < statement->subject_count; j++)
            list_add(arena, &list->documents,
                     (struct attach_document){.subject = statement->subjects[j],
                                              .type = ENVELOPE_BUNDLE_TYPE,
                                              .notes = notes,
                                              .note_count = 3,
                                              .identity = identity_of(sealed->signer, statement->payload),
                                              .is_same = is_same_bundle,
                                              .make = make_bundle,
                                              .context = sealed});
    }
}

/* --- the older form --- */

/* One payload by one signer. */
struct tagged {
    const struct signer *signer;
    struct text payload;
};

static bool is_same_signature(const void *context, const char *there)
{
    const struct tagged *tagged = context;
    AUTO(arena_done) struct arena scratch = {0};
    struct text signature;
    return base64_decode(&scratch, text_of(there), &signature) &&
           sign_key_verify(tagged->signer->key, tagged->payload, signature);
}

static bool make_signature(void *context, struct arena *arena, const char **ret_signature, struct err *err)
{
    const struct tagged *tagged = context;
    struct text signature;
    if (!signer_sign(tagged->signer, arena, tagged->payload, &signature, err))
        return false;
    *ret_signature = base64_encode(arena, signature);
    return true;
}

static void add_tagged(const struct signer *signer, struct arena *arena, const struct digest *subject,
                       const struct attach_tag *tag, const char *reference, struct attach_list *list)
{
    struct tagged *tagged = arena_new(arena, struct tagged);
    *tagged = (struct tagged){signer, envelope_simple(arena, reference, subject)};
    list_add(arena, &list->signatures,
             (struct attach_signature){.subject = *subject,
                                       .type = ENVELOPE_SIMPLE_TYPE,
                                       .key = ENVELOPE_SIMPLE_KEY,
                                       .payload = tagged->payload,
                                       .identity = identity_of(signer, tagged->payload),
                                       .is_passing = tag->is_passing,
                                       .is_same = is_same_signature,
                                       .make = make_signature,
                                       .context = tagged});
}

bool sign_image(void *context, struct arena *arena, const struct attach_target *target, struct attach_list *list,
                struct err *err)
{
    const struct signers *signers = context;
    struct layout_blob *subjects;
    size_t count;
    (void)err;
    sign_subjects(arena, target->image, &subjects, &count);
    struct digest *digests = arena_new_array(arena, struct digest, count);
    for (size_t i = 0; i < count; i++)
        digests[i] = subjects[i].digest;
    struct sign_statement statement = {.predicate_type = ENVELOPE_SIGNATURE_PREDICATE,
                                       .payload = envelope_signature_statement(arena, digests, count),
                                       .subjects = subjects,
                                       .subject_count = count};
    sign_attach(signers, arena, &statement, list);
    for (size_t i = 0; i < target->tag_count; i++) {
        const struct attach_tag *tag = &target->tags[i];
        const char *reference = arena_printf(arena, "%s:%s", target->repository, tag->name);
        bool is_of_root = digest_eq(&tag->digest, &digests[0]);
        for (size_t j = 0; j < count; j++) {
            for (size_t k = 0; (is_of_root || digest_eq(&tag->digest, &digests[j])) && k < signers->count; k++)
                add_tagged(&signers->items[k], arena, &digests[j], tag, reference, list);
        }
    }
    return true;
}
