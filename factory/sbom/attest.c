/* SPDX-License-Identifier: Apache-2.0 */
#include "sbom/attest.h"

#include "base/auto.h"
#include "sbom/purl.h"
#include "sbom/told.h"
#include "sign/envelope.h"
#include "sign/sign_image.h"

#include <stdatomic.h>

#define SPDX_TYPE TOLD_SPDX_TYPE
#define SPDX_PREDICATE TOLD_SPDX_PREDICATE

const char *const attest_words[] = {"sbom", "provenance", "vex", "cyclonedx", NULL};

bool attest_read(struct arena *arena, const char *what, const struct strings *words, unsigned *ret_kinds,
                 struct err *err)
{
    *ret_kinds = 0;
    for (size_t i = 0; i < words->count; i++) {
        size_t at = 0;
        while (attest_words[at] && strcmp(attest_words[at], words->items[i]) != 0)
            at++;
        if (!attest_words[at]) {
            err_set(err, ERR_USAGE, "%s: '%s' is none of sbom, cyclonedx, provenance and vex", what,
                    text_printable(arena, text_of(words->items[i])));
            return false;
        }
        *ret_kinds |= 1U << at;
    }
    return true;
}

/* A push of one image. */
struct attest_push {
    const struct attest *attest;
    struct arena *arena;
    const struct layout_image *image;
    struct sbom_name name;
    LIST(const struct layout_manifest *) manifests; /* its platforms */
};

/* A document about some manifests, by one signer or by nobody. */
struct attest_item {
    struct attest_push *push;
    enum attest_kind kind;
    size_t platform; /* of an SBOM */
    const char *predicate;
    struct layout_blob *subjects;
    size_t subject_count;
    const struct signer *signer; /* NULL: it is not signed */
    struct strings marks;        /* what stands in it, and in no other */
    struct text made;            /* once it was */
    const char *id;              /* of a VEX document */
    _Atomic(uint64_t) *formers;  /* the highest number of its editions that are there */
    bool is_empty;               /* it was, and says nothing: a VEX document without a claim */
};

/* --- making --- */

/* Platforms while something is made of them. */
struct gathered {
    struct sbom *items;
    size_t count;
};

static void gathered_done(struct gathered *gathered)
{
    for (size_t i = 0; i < gathered->count; i++)
        sbom_done(&gathered->items[i]);
}

static bool is_sbom(enum attest_kind kind)
{
    return kind == ATTEST_SBOM || kind == ATTEST_CYCLONEDX;
}

/* Gathers some platforms, with their layers open only when something needs them. */
static bool gather(const struct attest_item *item, struct arena *arena, struct gathered *gathered, struct err *err)
{
    const struct attest_push *push = item->push;
    size_t first = is_sbom(item->kind) ? item->platform : 0;
    size_t count = is_sbom(item->kind) ? 1 : push->manifests.count;
    if (item->kind == ATTEST_RESULT)
        return true;
    gathered->items = arena_new_array(arena, struct sbom, count);
    for (size_t i = 0; i < count; i++) {
        const struct sbom_request request = {.store = push->attest->store,
                                             .name = &push->name,
                                             .image = {push->name.name, push->image, push->manifests.items[first + i]},
                                             .is_layered = item->kind == ATTEST_VEX};
        gathered->items[gathered->count++] = (struct sbom){0};
        if (!sbom_gather(arena, &request, &gathered->items[i], err))
            return false;
    }
    return true;
}

static bool print_provenance(const struct attest_push *push, struct arena *arena, const struct gathered *gathered,
                             struct buf *text, struct err *err)
{
    const struct provenance_request request = {.name = &push->name,
                                               .image = push->image,
                                               .platforms = gathered->items,
                                               .count = gathered->count,
                                               .builder = push->attest->builder,
                                               .program = push->attest->program};
    const struct sbom *lacking = provenance_lacks(&request);
    bool is_known = !lacking && gathered->count > 0;
    if (!is_known)
        err_set(err, ERR_RESOLVE, "no provenance can be attached: there is no bill for %s",
                lacking && lacking->side.platform ? lacking->side.platform : "any platform of it");
    return is_known && provenance_print(arena, &request, text);
}

static bool print_vex(const struct attest_item *item, struct arena *arena, const struct gathered *gathered,
                      struct buf *text, size_t *ret_count, struct err *err)
{
    const struct attest_push *push = item->push;
    const struct vex_request request = {.name = &push->name,
                                        .image = push->image,
                                        .platforms = gathered->items,
                                        .count = gathered->count,
                                        .data = push->attest->data,
                                        .formers = atomic_load(item->formers)};
    return vex_print(arena, &request, text, ret_count, err);
}

static bool print_result(const struct attest_result *result, struct buf *text)
{
    return buf_printf(text,
                      "{\"verifier\":{\"id\":\"%s\",\"policies\":[]},\"timeCreated\":\"%s\",\"properties\":[\"%s\"]}",
                      result->verifier, result->time, result->property);
}

/* Begins a statement; what it says follows, and "}". */
static bool begin_statement(const struct attest_item *item, struct buf *text)
{
    bool is_good = buf_printf(text, "{\"_type\":\"" STATEMENT_TYPE "\",\"subject\":[");
    for (size_t i = 0; is_good && i < item->subject_count; i++)
        is_good = buf_printf(text, "%s{\"digest\":{\"sha256\":\"%s\"}}", i ? "," : "",
                             digest_hex(&item->subjects[i].digest).chars);
    return is_good && buf_printf(text, "],\"predicateType\":\"%s\",\"predicate\":", item->predicate);
}

static bool print_kind(struct attest_item *item, struct arena *arena, const struct gathered *gathered, struct buf *text,
                       struct err *err)
{
    size_t count = 1;
    bool is_good;
    switch (item->kind) {
    case ATTEST_SBOM:
        return sbom_print(arena, &gathered->items[0], SBOM_SPDX, text);
    case ATTEST_CYCLONEDX:
        return sbom_print(arena, &gathered->items[0], SBOM_CYCLONEDX_1_6, text);
    case ATTEST_PROVENANCE:
        return print_provenance(item->push, arena, gathered, text, err);
    case ATTEST_VEX:
        is_good = print_vex(item, arena, gathered, text, &count, err);
        item->is_empty = is_good && !count;
        return is_good;
    case ATTEST_RESULT:
        return print_result(item->push->attest->result, text);
    }
    return false;
}

/* Prints what is attached, or signed. */
static bool print(struct attest_item *item, struct buf *text, struct err *err)
{
    static const char *const names[] = {[ATTEST_SBOM] = "SBOM",
                                        [ATTEST_CYCLONEDX] = "SBOM",
                                        [ATTEST_PROVENANCE] = "provenance",
                                        [ATTEST_VEX] = "VEX document",
                                        [ATTEST_RESULT] = "result"};
    AUTO(arena_done) struct arena arena = {0};
    AUTO(gathered_done) struct gathered gathered = {0};
    bool is_bare = item->kind == ATTEST_PROVENANCE || (is_sbom(item->kind) && !item->signer);
    if (!gather(item, &arena, &gathered, err))
        return false;
    bool is_good = (is_bare || begin_statement(item, text)) && print_kind(item, &arena, &gathered, text, err) &&
                   (is_bare || buf_add(text, "}", 1));
    if (!is_good && !err->kind)
        err_set(err, ERR_MALFORMED, "its %s is bigger than %zu MB, and cannot be attached", names[item->kind],
                ATTACH_DOCUMENT_MAX_BYTES >> 20);
    return is_good;
}

static bool make(void *context, struct arena *arena, struct text *ret_document, struct err *err)
{
    struct attest_item *item = context;
    (void)arena; /* once for all its subjects */
    AUTO(buf_done) struct buf text;
    buf_init(&text, item->signer ? ATTACH_DOCUMENT_MAX_BYTES / 4 * 3 : ATTACH_DOCUMENT_MAX_BYTES);
    if (!item->made.len && !item->is_empty) {
        if (!print(item, &text, err))
            return false;
        if (item->is_empty) {
            *ret_document = TEXT("");
            return true;
        }
        struct text made = {text_dup(item->push->arena, buf_text(&text)), text.len};
        if (item->signer && !signer_bundle(item->signer, item->push->arena, ENVELOPE_STATEMENT_TYPE, made, &made, err))
            return false;
        item->made = made;
    }
    *ret_document = item->made;
    return true;
}

/* --- what is there --- */

/* What is said there, by the item's signer if it has one. */
static bool open_there(const struct attest_item *item, struct arena *arena, struct text there, struct text *ret_said)
{
    struct envelope envelope;
    *ret_said = there;
    if (!item->signer)
        return true;
    if (!envelope_read(arena, there, &envelope) || strcmp(envelope.payload_type, ENVELOPE_STATEMENT_TYPE) != 0 ||
        !envelope_is_by(&envelope, item->signer->key))
        return false;
    *ret_said = envelope.payload;
    return true;
}

static uint64_t edition_of(void *context, struct text there)
{
    const struct attest_item *item = context;
    AUTO(arena_done) struct arena scratch = {0};
    if (!open_there(item, &scratch, there, &there))
        return 0;
    uint64_t edition = told_vex_edition(there, item->id), known = atomic_load(item->formers);
    while (edition > known && !atomic_compare_exchange_weak(item->formers, &known, edition))
        continue;
    return edition;
}

static bool is_same(const void *context, struct text there)
{
    const struct attest_item *item = context;
    AUTO(arena_done) struct arena scratch = {0};
    if (!open_there(item, &scratch, there, &there))
        return false;
    for (size_t i = 0; i < item->marks.count; i++) {
        if (!memmem(there.ptr, there.len, item->marks.items[i], strlen(item->marks.items[i])))
            return false;
    }
    return true;
}

static struct digest identity_of(const struct attest_item *item)
{
    struct digest_stream stream;
    digest_begin(&stream);
    digest_feed(&stream, item->predicate, strlen(item->predicate) + 1);
    for (size_t i = 0; i < item->marks.count; i++)
        digest_feed(&stream, item->marks.items[i], strlen(item->marks.items[i]) + 1);
    if (item->signer) {
        struct digest key = sign_key_id(item->signer->key);
        digest_feed(&stream, key.bytes, sizeof key.bytes);
    }
    return digest_end(&stream);
}

/* --- giving --- */

static const struct registry_note *notes_of(struct arena *arena, const struct attest_item *item, size_t *ret_count)
{
    struct registry_note *notes = arena_new_array(arena, struct registry_note, 3);
    size_t count = 0;
    if (item->signer) {
        notes[count++] = (struct registry_note){"dev.sigstore.bundle.content", "dsse-envelope"};
        notes[count++] = (struct registry_note){"dev.sigstore.bundle.predicateType", item->predicate};
    }
    if (item->signer || !is_sbom(item->kind))
        notes[count++] = (struct registry_note){"in-toto.io/predicate-type", item->predicate};
    *ret_count = count;
    return notes;
}

/* Adds a document for each of its subjects. */
static void add_by(const struct attest_item *from, const struct signer *signer, struct attach_list *list)
{
    struct arena *arena = from->push->arena;
    struct attest_item *item = arena_new(arena, struct attest_item);
    *item = *from;
    item->signer = signer;
    item->formers = arena_new(arena, _Atomic(uint64_t));
    atomic_init(item->formers, 0);
    size_t note_count;
    const struct registry_note *notes = notes_of(arena, item, &note_count);
    const char *plain = item->kind == ATTEST_SBOM        ? SPDX_TYPE
                        : item->kind == ATTEST_CYCLONEDX ? TOLD_CYCLONEDX_TYPE
                                                         : ENVELOPE_STATEMENT_TYPE;
    for (size_t i = 0; i < item->subject_count; i++)
        list_add(arena, &list->documents,
                 (struct attach_document){.subject = item->subjects[i],
                                          .type = signer ? ENVELOPE_BUNDLE_TYPE : plain,
                                          .notes = notes,
                                          .note_count = note_count,
                                          .identity = identity_of(item),
                                          .is_same = is_same,
                                          .edition = item->id ? edition_of : NULL,
                                          .make = make,
                                          .context = item});
}

static void add(const struct attest_item *item, struct attach_list *list)
{
    const struct signers *signers = item->push->attest->signers;
    for (size_t i = 0; signers && i < signers->count; i++)
        add_by(item, &signers->items[i], list);
    if (!signers || !signers->count)
        add_by(item, NULL, list);
}

/* What stands in the SBOM of one platform alone. */
static const char *sbom_mark(const struct attest_push *push, enum attest_kind kind,
                             const struct layout_manifest *manifest)
{
    struct digest_hex hex = digest_hex(&manifest->blob.digest);
    if (kind == ATTEST_CYCLONEDX)
        return arena_printf(push->arena, "\"version\":\"sha256:%s\"", hex.chars);
    return arena_printf(push->arena, "\"documentNamespace\":\"https://spdx.org/spdxdocs/%s-%s\"",
                        purl_encode(push->arena, push->name.name), hex.chars);
}

static void add_sboms(struct attest_push *push, enum attest_kind kind, struct attach_list *list)
{
    for (size_t i = 0; i < push->manifests.count; i++) {
        const struct layout_manifest *manifest = push->manifests.items[i];
        struct attest_item item = {.push = push,
                                   .kind = kind,
                                   .platform = i,
                                   .predicate = kind == ATTEST_SBOM ? SPDX_PREDICATE : TOLD_CYCLONEDX_PREDICATE};
        item.subjects = arena_new_array(push->arena, struct layout_blob, 2);
        item.subjects[item.subject_count++] = manifest->blob;
        if (i == 0 && push->image->is_index)
            item.subjects[item.subject_count++] = push->image->root;
        list_add(push->arena, &item.marks, sbom_mark(push, kind, manifest));
        add(&item, list);
    }
}

static void add_statement(struct attest_push *push, enum attest_kind kind, struct attach_list *list)
{
    struct arena *arena = push->arena;
    const char *builder = push->attest->builder ? push->attest->builder : PROVENANCE_BUILDER;
    struct attest_item item = {.push = push,
                               .kind = kind,
                               .predicate = kind == ATTEST_VEX      ? VEX_PREDICATE
                                            : kind == ATTEST_RESULT ? TOLD_RESULT_PREDICATE
                                                                    : PROVENANCE_PREDICATE};
    sign_subjects(arena, push->image, &item.subjects, &item.subject_count);
    list_add(arena, &item.marks, arena_printf(arena, "\"sha256\":\"%s\"", digest_hex(&push->image->root.digest).chars));
    if (kind == ATTEST_VEX) {
        item.id = vex_id(arena, &push->image->root.digest, NULL);
        list_add(arena, &item.marks, arena_printf(arena, "\"@id\":\"%s\"", item.id));
        list_add(arena, &item.marks, arena_printf(arena, "\"tooling\":\"%s\"", vex_tooling(arena, push->attest->data)));
    } else if (kind == ATTEST_RESULT) {
        list_add(arena, &item.marks, arena_printf(arena, "\"id\":\"%s\"", push->attest->result->verifier));
        list_add(arena, &item.marks, push->attest->result->property);
    } else {
        list_add(arena, &item.marks, "\"buildType\":\"" PROVENANCE_BUILD_TYPE "\"");
        list_add(arena, &item.marks, arena_printf(arena, "\"builder\":{\"id\":\"%s\"", builder));
    }
    add(&item, list);
}

bool attest_give(void *context, struct arena *arena, const struct attach_target *target, struct attach_list *list,
                 struct err *err)
{
    const struct attest *attest = context;
    const char *slash = strrchr(target->repository, '/');
    struct attest_push *push = arena_new(arena, struct attest_push);
    (void)err;
    *push = (struct attest_push){.attest = attest,
                                 .arena = arena,
                                 .image = target->image,
                                 .name = {slash ? slash + 1 : target->repository, target->repository, NULL}};
    for (size_t i = 0; i < target->image->manifests.count; i++) {
        if (side_is_platform(&target->image->manifests.items[i]))
            list_add(arena, &push->manifests, &target->image->manifests.items[i]);
    }
    if (attest->kinds & ATTEST_SBOM)
        add_sboms(push, ATTEST_SBOM, list);
    if (attest->kinds & ATTEST_CYCLONEDX)
        add_sboms(push, ATTEST_CYCLONEDX, list);
    if (attest->kinds & ATTEST_PROVENANCE)
        add_statement(push, ATTEST_PROVENANCE, list);
    if (attest->kinds & ATTEST_VEX)
        add_statement(push, ATTEST_VEX, list);
    if (attest->kinds & ATTEST_RESULT)
        add_statement(push, ATTEST_RESULT, list);
    return true;
}
