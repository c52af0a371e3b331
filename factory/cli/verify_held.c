/* SPDX-License-Identifier: Apache-2.0 */
/* What hangs on an image, held against it: each document once, whatever it hangs on. */
#include "cli/verify_parts.h"

#include "base/auto.h"
#include "cli/layer_open.h"
#include "cli/rebuild_parts.h"
#include "sbom/hold.h"
#include "sbom/provenance.h"
#include "sbom/vex.h"
#include "sign/envelope.h"
#include "sign/sign_image.h"

#define DOCUMENTS_MAX ((size_t)256) /* that are held */

/* One platform, read for what is held against it. */
struct platform_read {
    const struct verify_verdict *of;
    struct sbom sbom;
    bool is_good;
};

struct holding {
    struct verifying *verifying;
    struct image_opener *opener;
    struct arena *arena;
    LIST(struct platform_read *) read;
};

static void note(struct holding *holding, const char *sentence)
{
    if (!strings_has(&holding->verifying->unverified, sentence))
        list_add(holding->arena, &holding->verifying->unverified, sentence);
}

static bool is_kind(const struct verify_held *held, const char *kind)
{
    return strcmp(held->kind, kind) == 0;
}

/* --- which documents there are --- */

static const char *kind_of(struct arena *arena, const struct found_document *document)
{
    static const struct {
        const char *word, *kind;
    } kinds[] = {
        {PROVENANCE_PREDICATE, "provenance"},     {TOLD_SPDX_PREDICATE, "SBOM"}, {TOLD_SPDX_TYPE, "SBOM"},
        {TOLD_CYCLONEDX_PREDICATE, "SBOM"},       {TOLD_CYCLONEDX_TYPE, "SBOM"}, {VEX_PREDICATE, "VEX document"},
        {TOLD_RESULT_PREDICATE, "rebuild result"}};
    const char *word = document->predicate ? document->predicate : document->type;
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        size_t len = strlen(kinds[i].word);
        if (strncmp(word, kinds[i].word, len) == 0 && strchr("/", word[len]))
            return kinds[i].kind;
    }
    return arena_printf(arena, "statement %s", text_printable(arena, text_of(word)));
}

/* Two are one document when they say the same, and the same key says it. */
static bool is_same(const struct found_document *a, const struct found_document *b)
{
    return a->is_signed == b->is_signed && (!a->is_signed || a->key == b->key) && strcmp(a->type, b->type) == 0 &&
           text_eq(a->text, b->text);
}

/* Whether a key is one of those that --rebuilder names; the same may be among those of the image. */
static bool is_rebuilder(const struct verify *verify, size_t key)
{
    struct digest id = sign_key_id(verify->keys.items[key]);
    for (size_t i = 0; i < verify->rebuilders.keys.count; i++) {
        struct digest other = sign_key_id(verify->rebuilders.keys.items[i]);
        if (digest_eq(&id, &other))
            return true;
    }
    return false;
}

/* Whether a document's author is one of those that were named for its kind, or nobody was. */
static bool does_count(const struct verify *verify, const struct verify_held *held)
{
    const struct found_document *document = held->document;
    size_t own = verify->rules.keys.count;
    if (is_kind(held, "rebuild result") && verify->rebuilders.keys.count)
        return document->is_signed && is_rebuilder(verify, document->key);
    return verify->rules.items.count ? document->is_signed && document->key < own : true;
}

/* Of an index with both compressions each platform comes twice. */
static void add_platform(struct holding *holding, const char *platform, struct strings *platforms)
{
    if (!strings_has(platforms, platform))
        list_add(holding->arena, platforms, platform);
}

static void list_document(struct holding *holding, const struct verify_verdict *verdict,
                          const struct found_document *document)
{
    struct verifying *verifying = holding->verifying;
    for (size_t i = 0; i < verifying->held.count; i++) {
        struct verify_held *held = &verifying->held.items[i];
        if (is_same(held->document, document)) {
            add_platform(holding, verdict->platform, &held->about);
            return;
        }
    }
    if (verifying->held.count == DOCUMENTS_MAX) {
        note(holding, "more documents than are looked at hang on it");
        return;
    }
    struct verify_held held = {.kind = kind_of(holding->arena, document), .document = document};
    held.is_counted = does_count(verifying->verify, &held);
    list_add(holding->arena, &held.about, verdict->platform);
    list_add(holding->arena, &verifying->held, held);
}

static void list_documents(struct holding *holding)
{
    const struct verifying *verifying = holding->verifying;
    for (size_t i = 0; i < verifying->count; i++) {
        const struct verify_verdict *verdict = &verifying->items[i];
        for (size_t j = 0; j < verdict->found.documents.count; j++)
            list_document(holding, verdict, &verdict->found.documents.items[j]);
        for (size_t j = 0; j < verdict->found.broken.count; j++)
            note(holding,
                 arena_printf(holding->arena,
                              "sha256:%s, which hangs on %s: it is not there, or its bytes are not those of its "
                              "digest",
                              digest_hex(&verdict->found.broken.items[j]).chars, verdict->platform));
        if (verdict->found.left_out_count)
            note(holding, arena_printf(holding->arena, "%zu documents about %s, which are too big",
                                       verdict->found.left_out_count, verdict->platform));
    }
}

/* --- layers --- */

/* Reads the layers of a platform, once: all their bytes, by digest and diff_id. NULL: they are not what the manifest says, or it is not
 * for running. */
static struct platform_read *read_platform(struct holding *holding, const struct verify_verdict *verdict,
                                           struct err *err)
{
    struct verifying *verifying = holding->verifying;
    for (size_t i = 0; i < holding->read.count; i++) {
        if (holding->read.items[i]->of == verdict)
            return holding->read.items[i]->is_good ? holding->read.items[i] : NULL;
    }
    struct platform_read *read = arena_new(holding->arena, struct platform_read);
    const struct sbom_name name = {.name = verdict->platform};
    const struct sbom_request request = {.store = holding->opener->store,
                                         .name = &name,
                                         .image = {verdict->platform, verifying->image, verdict->manifest},
                                         .is_layered = true};
    *read = (struct platform_read){.of = verdict};
    list_add(holding->arena, &holding->read, read);
    read->is_good = image_word_fetch(holding->opener, verifying->registry, verdict->manifest, err) &&
                    sbom_gather(holding->arena, &request, &read->sbom, err) &&
                    layers_hold_tables(verifying->image, verifying->registry ? holding->opener->store : NULL,
                                       verdict->manifest, err);
    struct verify_layers layers = {.of = verdict};
    layers.file_count = read->sbom.others.count;
    for (size_t i = 0; i < read->sbom.packages.count; i++)
        layers.file_count += read->sbom.packages.items[i].files.count;
    if (!read->is_good && (err->kind == ERR_TRUST || err->kind == ERR_MALFORMED || err->kind == ERR_PUBLISH)) {
        layers.why = arena_strdup(holding->arena, err->text);
        layers.kind = err->kind == ERR_MALFORMED ? ERR_MALFORMED : ERR_TRUST;
        err_clear(err);
    }
    list_add(holding->arena, &verifying->layers, layers);
    return read->is_good ? read : NULL;
}

static void read_done(struct holding *holding)
{
    for (size_t i = 0; i < holding->read.count; i++)
        sbom_done(&holding->read.items[i]->sbom);
}

/* --- SBOMs and bills --- */

/* The platform that an SBOM is about: the one that it names, else the only one that it hangs on. */
static const struct verify_verdict *platform_told(const struct verifying *verifying, const struct verify_held *held)
{
    for (size_t i = 0; i < verifying->count; i++) {
        const struct verify_verdict *verdict = &verifying->items[i];
        bool is_it = held->sbom.has_manifest
                         ? digest_eq(verdict->digest, &held->sbom.manifest)
                         : held->about.count == 1 && strcmp(held->about.items[0], verdict->platform) == 0;
        if (is_it && verdict->manifest && side_is_platform(verdict->manifest))
            return verdict;
    }
    return NULL;
}

static size_t file_count_of(const struct verifying *verifying, const struct verify_verdict *verdict)
{
    for (size_t i = 0; i < verifying->layers.count; i++) {
        if (verifying->layers.items[i].of == verdict)
            return verifying->layers.items[i].file_count;
    }
    return 0;
}

static bool hold_told(struct holding *holding, struct verify_held *held, struct err *err)
{
    struct arena *arena = holding->arena;
    const struct verify_verdict *verdict = platform_told(holding->verifying, held);
    struct hold_faults faults = {0};
    size_t missing;
    if (!verdict) {
        held->why = held->sbom.has_manifest ? arena_printf(arena, "it is about sha256:%s, which the image has not",
                                                           digest_hex(&held->sbom.manifest).chars)
                                            : NULL;
        held->is_held = held->why != NULL;
        return true;
    }
    held->about = (struct strings){0};
    list_add(arena, &held->about, verdict->platform);
    struct platform_read *read = read_platform(holding, verdict, err);
    if (!read)
        return err->kind == ERR_NONE;
    hold_sbom(arena, &held->sbom, &read->sbom, &missing, &faults);
    held->is_held = true;
    held->why = faults.count ? hold_print(arena, &faults) : NULL;
    held->says =
        arena_printf(arena, "%zu packages, and %s of the layers' %zu files by SHA-256, both ways%s",
                     held->sbom.packages.count, missing ? "some" : "all", file_count_of(holding->verifying, verdict),
                     missing ? arena_printf(arena, " (it does not tell of %zu)", missing) : "");
    return true;
}

static bool hold_sbom_document(struct holding *holding, struct verify_held *held, struct err *err)
{
    const struct found_document *document = held->document;
    const char *why;
    bool is_read = document->predicate ? told_read_sbom_statement(holding->arena, document->text, &held->sbom, &why)
                                       : told_read_sbom(holding->arena, document->text, &held->sbom, &why);
    held->is_held = true;
    held->why = is_read ? NULL : why;
    return !is_read || hold_told(holding, held, err);
}

/* A layout has the bills of its images beside them. */
static bool hold_bills(struct holding *holding, struct err *err)
{
    struct verifying *verifying = holding->verifying;
    for (size_t i = 0; i < verifying->count && verifying->image->dir; i++) {
        const struct verify_verdict *verdict = &verifying->items[i];
        struct verify_held held = {.kind = "bill", .is_counted = true};
        struct bill *bill = arena_new(holding->arena, struct bill);
        if (!verdict->manifest || !side_is_platform(verdict->manifest) ||
            !bill_read_beside(holding->arena, verifying->image->dir, verdict->digest, bill))
            continue;
        told_of_bill(holding->arena, bill, &held.sbom);
        list_add(holding->arena, &held.about, verdict->platform);
        if (!hold_told(holding, &held, err))
            return false;
        list_add(holding->arena, &verifying->held, held);
    }
    return true;
}

/* --- provenance and locks --- */

/* Holds a lock. */
static void hold_one_lock(struct holding *holding, const struct verify_held *held, const struct lock *lock,
                          const char *name, struct hold_faults *faults)
{
    struct hold_faults own = {0};
    hold_lock(holding->arena, &held->provenance, lock, &own);
    if (own.count)
        hold_add(holding->arena, faults,
                 arena_printf(holding->arena, "%s: %s", name, hold_print(holding->arena, &own)));
}

static void hold_locks(struct holding *holding, const struct verify_held *held, struct hold_faults *faults)
{
    const struct verify *verify = holding->verifying->verify;
    struct lock lock;
    struct err err = {0};
    if (verify->lock_path)
        hold_one_lock(holding, held, &verify->lock, verify->lock_path, faults);
    if (!held->provenance.lock.len)
        return;
    if (lock_read(holding->arena, "the lock in it", held->provenance.lock, &lock, &err))
        hold_one_lock(holding, held, &lock, "the lock in it", faults);
    else
        hold_add(holding->arena, faults, err.text);
}

static const char *provenance_says(struct arena *arena, const struct verify_held *held)
{
    const struct told_provenance *told = &held->provenance;
    if (!told->is_ours)
        return arena_printf(arena, "its subjects; how %s builds is not known here",
                            text_printable(arena, text_of(told->builder)));
    return arena_printf(arena, "index and platforms; %zu packages and %zu signed indices%s, built by %s",
                        told->packages.count, told->repositories.count,
                        told->lock.len ? ", as the lock in it has them" : "",
                        text_printable(arena, text_of(told->builder)));
}

static void hold_provenance(struct holding *holding, struct verify_held *held)
{
    struct verifying *verifying = holding->verifying;
    struct arena *arena = holding->arena;
    struct hold_faults faults = {0};
    struct layout_blob *blobs = arena_new_array(arena, struct layout_blob, verifying->image->manifests.count + 1);
    size_t count = 0;
    const char *why;
    held->is_held = true;
    if (!told_read_provenance(arena, held->document->text, &held->provenance, &why)) {
        held->why = why;
        return;
    }
    if (verifying->image->is_index)
        blobs[count++] = verifying->image->root;
    for (size_t i = 0; i < verifying->image->manifests.count; i++) {
        const struct layout_manifest *manifest = &verifying->image->manifests.items[i];
        if (manifest->unread != LAYOUT_OTHER && !manifest->is_attestation)
            blobs[count++] = manifest->blob;
    }
    hold_subjects(arena, (struct hold_digests){held->provenance.subjects.items, held->provenance.subjects.count}, blobs,
                  count, verifying->image->is_index, &faults);
    if (held->provenance.is_ours)
        hold_locks(holding, held, &faults);
    for (size_t i = 0; held->provenance.is_ours && i < verifying->held.count; i++) {
        const struct verify_held *other = &verifying->held.items[i];
        if (is_kind(other, "SBOM") && other->is_counted == held->is_counted)
            hold_packages(arena, &held->provenance, &other->sbom, &faults);
    }
    held->why = faults.count ? hold_print(arena, &faults) : NULL;
    held->says = provenance_says(arena, held);
}

/* --- results --- */

static void hold_result(struct holding *holding, struct verify_held *held)
{
    const struct verifying *verifying = holding->verifying;
    struct arena *arena = holding->arena;
    struct hold_faults faults = {0};
    struct told_result told;
    const char *why;
    held->is_held = true;
    if (!told_read_result(arena, held->document->text, &told, &why)) {
        held->why = why;
        return;
    }
    for (size_t i = 0; i < verifying->count; i++) {
        const struct layout_blob blob = {.digest = *verifying->items[i].digest};
        hold_subjects(arena, (struct hold_digests){told.subjects.items, told.subjects.count}, &blob, 1, false, &faults);
    }
    held->is_identical = !faults.count && told.is_identical;
    held->says = arena_printf(arena, "%s made it again: %s", text_printable(arena, text_of(told.verifier)),
                              faults.count           ? "some of it"
                              : told.is_identical    ? "the very same"
                              : told.is_same_content ? "the same content, in another compression"
                                                     : "it does not say how it came out");
}

/* Counts the keys by which it came out the very same, each once, however often it was given. */
static size_t count_results(struct holding *holding)
{
    const struct verifying *verifying = holding->verifying;
    struct strings ids = {0};
    for (size_t i = 0; i < verifying->held.count; i++) {
        const struct verify_held *held = &verifying->held.items[i];
        if (!held->is_identical || !held->is_counted || !held->document->is_signed)
            continue;
        struct digest id = sign_key_id(verifying->verify->keys.items[held->document->key]);
        if (!strings_has(&ids, digest_hex(&id).chars))
            list_add(holding->arena, &ids, arena_strdup(holding->arena, digest_hex(&id).chars));
    }
    return ids.count;
}

/* --- what was not verified --- */

static bool has_held(const struct verifying *verifying, const char *kind, const char *platform)
{
    for (size_t i = 0; i < verifying->held.count; i++) {
        const struct verify_held *held = &verifying->held.items[i];
        bool is_sbom = is_kind(held, "bill") && strcmp(kind, "SBOM") == 0;
        if ((is_kind(held, kind) || is_sbom) && held->is_counted && held->is_held &&
            (!platform || strings_has(&held->about, platform)))
            return true;
    }
    return false;
}

static void note_lacks(struct holding *holding)
{
    const struct verifying *verifying = holding->verifying;
    struct arena *arena = holding->arena;
    struct strings lacking = {0};
    const char *by = verifying->verify->rules.items.count ? " by the key" : "";
    for (size_t i = 0; i < verifying->count; i++) {
        const struct verify_verdict *verdict = &verifying->items[i];
        if (verdict->manifest && side_is_platform(verdict->manifest) && !has_held(verifying, "SBOM", verdict->platform))
            add_platform(holding, verdict->platform, &lacking);
    }
    if (!verifying->verify->rules.items.count)
        note(holding, "who made it, since neither --key nor --policy was given");
    if (!verifying->layers.count)
        note(holding, "layers, which were not fetched (their digests stand in the manifests; pull verifies them)");
    if (lacking.count)
        note(holding, arena_printf(arena, "which files are in it, for %s: there is no SBOM%s",
                                   strings_join(arena, &lacking, ", "), by));
    if (!has_held(verifying, "provenance", NULL))
        note(holding, arena_printf(arena, "how it was made: there is no provenance%s", by));
    if (verifying->verify->lock_path && !has_held(verifying, "provenance", NULL))
        note(holding, arena_printf(arena, "%s, for which a provenance is needed", verifying->verify->lock_path));
}

static void note_unheld(struct holding *holding)
{
    const struct verifying *verifying = holding->verifying;
    struct arena *arena = holding->arena;
    for (size_t i = 0; i < verifying->held.count; i++) {
        const struct verify_held *held = &verifying->held.items[i];
        const char *on = strings_join(arena, &held->about, ", ");
        if (!held->is_counted)
            note(holding, arena_printf(arena, "%s of %s, which no key that counts has signed%s%s", held->kind, on,
                                       held->why ? "; it is not so: " : "", held->why ? held->why : ""));
        else if (is_kind(held, "VEX document"))
            note(holding,
                 arena_printf(arena, "what the VEX document of %s claims of CVEs: that is its author's word", on));
        else if (!held->is_held)
            note(holding, arena_printf(arena, "%s of %s", held->kind, on));
    }
}

/* --- all of it --- */

static bool hold_all(struct holding *holding, struct err *err)
{
    struct verifying *verifying = holding->verifying;
    list_documents(holding);
    for (size_t i = 0; i < verifying->held.count; i++) {
        struct verify_held *held = &verifying->held.items[i];
        if (is_kind(held, "SBOM") && !hold_sbom_document(holding, held, err))
            return false;
    }
    if (!hold_bills(holding, err))
        return false;
    for (size_t i = 0; i < verifying->held.count; i++) {
        struct verify_held *held = &verifying->held.items[i];
        if (is_kind(held, "provenance"))
            hold_provenance(holding, held);
        if (is_kind(held, "rebuild result"))
            hold_result(holding, held);
    }
    for (size_t i = 0; verifying->verify->plan->is_rebuilt && i < verifying->count; i++) { /* they are compared, too */
        const struct verify_verdict *verdict = &verifying->items[i];
        if (verdict->manifest && side_is_platform(verdict->manifest) && !read_platform(holding, verdict, err) &&
            err->kind)
            return false;
    }
    verifying->result_count = count_results(holding);
    note_lacks(holding);
    note_unheld(holding);
    return true;
}

bool verify_hold(struct verifying *verifying, struct image_opener *opener, struct err *err)
{
    struct holding holding = {.verifying = verifying, .opener = opener, .arena = verifying->remote->arena};
    bool is_good = hold_all(&holding, err);
    read_done(&holding);
    return is_good;
}
