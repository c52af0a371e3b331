/* SPDX-License-Identifier: Apache-2.0 */
/* Documents and signatures in rounds, each of which is a request or two for everything side by side: what is there; blobs;
 * manifests; what makes them findable, and reading back. */
#include "registry/attach.h"

#include "base/auto.h"
#include "base/each.h"
#include "oci/oci.h"
#include "registry/attach_parts.h"
#include "registry/registry_parts.h"

#include <jansson.h>

#define REQUESTS_MAX ((size_t)16) /* at a time */
#define IDENTITY_WORDS "imgfactory attached 1\n"

struct digest attach_identity(const struct digest *root, const struct attach_list *list)
{
    struct digest_stream stream;
    if (!list->documents.count && !list->signatures.count)
        return *root;
    digest_begin(&stream);
    digest_feed(&stream, IDENTITY_WORDS, strlen(IDENTITY_WORDS));
    digest_feed(&stream, root->bytes, sizeof root->bytes);
    for (size_t i = 0; i < list->documents.count; i++) {
        digest_feed(&stream, "d", 1);
        digest_feed(&stream, list->documents.items[i].subject.digest.bytes, DIGEST_BYTES);
        digest_feed(&stream, list->documents.items[i].identity.bytes, DIGEST_BYTES);
    }
    for (size_t i = 0; i < list->signatures.count; i++) {
        if (list->signatures.items[i].is_passing)
            continue;
        digest_feed(&stream, "s", 1);
        digest_feed(&stream, list->signatures.items[i].subject.bytes, DIGEST_BYTES);
        digest_feed(&stream, list->signatures.items[i].identity.bytes, DIGEST_BYTES);
    }
    return digest_end(&stream);
}

/* --- reading --- */

static bool descriptor_of(const json_t *descriptor, struct digest *ret_digest)
{
    const char *name = json_string_value(json_object_get(descriptor, "digest"));
    return name && text_has_prefix(text_of(name), "sha256:") &&
           digest_parse(text_of(name + strlen("sha256:")), ret_digest);
}

/* The only layer of an artifact of this type about the subject. */
static bool layer_of(const json_t *manifest, const struct attach_sought *sought, struct digest *ret_layer)
{
    const char *said = json_string_value(json_object_get(manifest, "artifactType"));
    const json_t *layers = json_object_get(manifest, "layers");
    struct digest about;
    return said && strcmp(said, sought->type) == 0 && json_array_size(layers) == 1 &&
           descriptor_of(json_object_get(manifest, "subject"), &about) && digest_eq(&about, &sought->subject) &&
           descriptor_of(json_array_get(layers, 0), ret_layer);
}

bool attach_read(struct registry *registry, struct arena *arena, const struct attach_sought *sought, bool *ret_is_read,
                 struct text *ret_document, struct err *err)
{
    struct registry_manifest got;
    struct digest layer;
    *ret_is_read = false;
    bool is_answered = registry_get_manifest(registry, arena, registry_digest_name(&sought->name).chars, &got, err);
    if (is_answered && got.is_found) {
        json_auto_t *manifest = json_loadb(got.bytes, (size_t)got.size_bytes, JSON_REJECT_DUPLICATES, NULL);
        if (layer_of(manifest, sought, &layer))
            is_answered =
                registry_get_bytes(registry, arena, &layer, ATTACH_DOCUMENT_MAX_BYTES, ret_is_read, ret_document, err);
    }
    if (is_answered || (err->kind != ERR_TRUST && err->kind != ERR_MALFORMED))
        return is_answered;
    err_clear(err); /* other bytes, or too many: it is not read */
    *ret_is_read = false;
    return true;
}

/* --- what is there --- */

/* Whether an index may tell of the document: the type, or the config's in its place (as go-containerregistry's API has it) or none,
 * and no note that says otherwise. */
static bool may_be(const struct registry_referrer *referrer, const struct attach_document *document)
{
    if (strcmp(referrer->type, document->type) != 0 && *referrer->type &&
        strcmp(referrer->type, ATTACH_EMPTY_TYPE) != 0)
        return false;
    for (size_t i = 0; i < referrer->notes.count; i++) {
        const struct registry_note *said = &referrer->notes.items[i];
        for (size_t j = 0; j < document->note_count; j++) {
            if (strcmp(said->key, document->notes[j].key) == 0 && strcmp(said->value, document->notes[j].value) != 0)
                return false;
        }
    }
    return true;
}

static bool look_for_document(struct attach_work *work, struct attach_one *one, struct attach_subject *subject,
                              struct err *err)
{
    struct registry_referrer_list *referrers = &subject->referrers;
    const struct attach_document *document = one->document;
    size_t read = 0, gone = referrers->gone.count;
    uint64_t highest = 0, same = 0;
    for (size_t i = 0;
         i < referrers->items.count && (!one->is_there || document->edition) && read < ATTACH_CANDIDATES_MAX; i++) {
        AUTO(arena_done) struct arena scratch = {0};
        const struct registry_referrer *referrer = &referrers->items.items[i];
        struct text there;
        bool is_read;
        if (!may_be(referrer, document))
            continue;
        read++;
        struct attach_sought sought = {referrer->digest, document->subject.digest, document->type};
        if (!attach_read(work->registry, &scratch, &sought, &is_read, &there, err))
            return false;
        bool is_it = is_read && document->is_same(document->context, there);
        uint64_t edition = is_read && document->edition ? document->edition(document->context, there) : 0;
        one->is_there = one->is_there || is_it;
        same = is_it && edition > same ? edition : same;
        highest = edition > highest ? edition : highest;
        if (edition)
            list_add(&subject->arena, &referrers->gone, referrer->digest);
    }
    if (same < highest)
        one->is_there = false; /* another edition has the last word */
    if (one->is_there)
        referrers->gone.count = gone; /* nothing comes in their place */
    return true;
}

/* All documents of one subject. */
static bool look_at_subject(void *context, void *item, struct err *err)
{
    struct attach_work *work = context;
    struct attach_subject *subject = item;
    if (!registry_read_referrers(work->registry, &subject->arena, &subject->digest, &subject->referrers, err))
        return false;
    for (size_t i = 0; i < work->ones.count; i++) {
        struct attach_one *one = &work->ones.items[i];
        if (digest_eq(&one->document->subject.digest, &subject->digest) && one->document->is_same &&
            !look_for_document(work, one, subject, err))
            return false;
    }
    return true;
}

static struct attach_subject *subject_of(struct attach_work *work, const struct digest *digest)
{
    for (size_t i = 0; i < work->subjects.count; i++) {
        if (digest_eq(&work->subjects.items[i].digest, digest))
            return &work->subjects.items[i];
    }
    list_add(work->arena, &work->subjects, (struct attach_subject){.digest = *digest});
    return &work->subjects.items[work->subjects.count - 1];
}

/* --- making --- */

static json_t *describe(const char *type, const struct digest *digest, uint64_t size_bytes)
{
    return json_pack("{s:s, s:s, s:I}", "mediaType", type, "digest", registry_digest_name(digest).chars, "size",
                     (json_int_t)size_bytes);
}

static struct text dump(struct arena *arena, const json_t *json)
{
    AUTO(auto_free) char *bytes = json_dumps(json, JSON_COMPACT);
    if (!bytes)
        memory_abort(0);
    return text_of(arena_strdup(arena, bytes));
}

static struct text make_manifest(struct arena *arena, const struct attach_document *document, struct text bytes)
{
    const struct layout_blob *subject = &document->subject;
    struct digest digest = digest_of(bytes.ptr, bytes.len), empty = digest_of("{}", 2);
    json_auto_t *manifest =
        json_pack("{s:i, s:s, s:s, s:o, s:[o], s:o}", "schemaVersion", 2, "mediaType", OCI_MEDIA_MANIFEST,
                  "artifactType", document->type, "config", describe(ATTACH_EMPTY_TYPE, &empty, 2), "layers",
                  describe(document->type, &digest, bytes.len), "subject",
                  describe(subject->media_type, &subject->digest, subject->size_bytes));
    json_t *notes = json_object();
    for (size_t i = 0; i < document->note_count; i++)
        json_object_set_new(notes, document->notes[i].key, json_string(document->notes[i].value));
    json_object_set_new(manifest, "annotations", notes);
    return dump(arena, manifest);
}

static bool is_listed(const struct registry_referrer_list *referrers, const struct digest *digest)
{
    for (size_t i = 0; i < referrers->items.count; i++) {
        if (digest_eq(&referrers->items.items[i].digest, digest))
            return true;
    }
    return false;
}

/* Makes it and its artifact, once. */
static bool make_document(struct attach_work *work, struct attach_one *one, struct err *err)
{
    struct text bytes;
    if (one->manifest.len)
        return true;
    if (!one->document->make(one->document->context, work->arena, &bytes, err))
        return false;
    one->is_there = !bytes.len; /* as far as anything is wanted */
    if (!bytes.len)
        return true;
    if (bytes.len > ATTACH_DOCUMENT_MAX_BYTES) {
        err_set(err, ERR_PUBLISH, "a document of type %s is bigger than the 16 MiB that are attached",
                one->document->type);
        return false;
    }
    one->manifest = make_manifest(work->arena, one->document, bytes);
    one->digest = digest_of(one->manifest.ptr, one->manifest.len);
    one->bytes = bytes;
    return true;
}

/* Makes what is missing, or may be, and lists the blobs of what is not there. */
static bool make_documents(struct attach_work *work, struct err *err)
{
    for (size_t i = 0; i < work->ones.count; i++) {
        struct attach_one *one = &work->ones.items[i];
        if (one->is_there)
            continue;
        if (!make_document(work, one, err))
            return false;
        if (one->is_there)
            continue;
        one->is_there = !one->document->is_same &&
                        is_listed(&subject_of(work, &one->document->subject.digest)->referrers, &one->digest);
        if (one->is_there)
            continue;
        attach_add_blob(work, TEXT("{}"));
        attach_add_blob(work, one->bytes);
    }
    return true;
}

/* --- bringing --- */

static bool upload_blob(void *context, void *item, struct err *err)
{
    struct attach_work *work = context;
    const struct attach_blob *blob = item;
    return registry_upload_document(work->registry, blob->bytes, &blob->digest, err);
}

static bool put_one(void *context, void *item, struct err *err)
{
    struct attach_work *work = context;
    const struct attach_one *one = item;
    bool is_missing;
    return one->is_there || registry_put_manifest(work->registry, registry_digest_name(&one->digest).chars,
                                                  OCI_MEDIA_MANIFEST, one->manifest, &is_missing, err);
}

/* Makes what was put findable. */
static bool settle_subject(void *context, void *item, struct err *err)
{
    struct attach_work *work = context;
    struct attach_subject *subject = item;
    struct text *manifests = arena_new_array(&subject->arena, struct text, work->ones.count + 1);
    size_t count = 0;
    for (size_t i = 0; i < work->ones.count; i++) {
        const struct attach_one *one = &work->ones.items[i];
        if (!one->is_there && digest_eq(&one->document->subject.digest, &subject->digest))
            manifests[count++] = one->manifest;
    }
    return (!count && !subject->referrers.gone.count) ||
           registry_attach_all(work->registry, &subject->digest, manifests, count, &subject->referrers, err);
}

static bool read_one_back(void *context, void *item, struct err *err)
{
    struct attach_work *work = context;
    const struct attach_one *one = item;
    bool is_found, is_it;
    if (one->is_there)
        return true;
    if (!registry_manifest_is(work->registry, registry_digest_name(&one->digest).chars, &one->digest, true, &is_found,
                              &is_it, err))
        return false;
    if (!is_it)
        err_set(err, ERR_PUBLISH, "%s: %s, which is about the image, was accepted, but it is not there",
                work->registry->name, registry_digest_name(&one->digest).chars);
    return is_it;
}

/* --- rounds --- */

static bool run_task(void *context, void *item, struct err *err)
{
    const struct attach_task *task = item;
    return task->step(context, task->item, err);
}

/* Adds a step for each item to the round. */
static void add_tasks(struct attach_work *work, each_step *step, void *items, size_t count, size_t each_bytes)
{
    for (size_t i = 0; i < count; i++)
        list_add(work->arena, &work->tasks, (struct attach_task){step, (char *)items + i * each_bytes});
}

#define ADD_TASKS(work, step, list) add_tasks((work), (step), (list).items, (list).count, sizeof *(list).items)

/* Runs the round, side by side. */
static bool run_round(struct attach_work *work, struct err *err)
{
    struct each_items all = {work->tasks.items, work->tasks.count, sizeof *work->tasks.items, REQUESTS_MAX,
                             .is_stopping = true};
    work->tasks.count = 0;
    return each_run(all, run_task, work, err);
}

static bool make(struct attach_work *work, struct err *err)
{
    return make_documents(work, err) && attach_make_signatures(work, err);
}

/* What is there; where nothing is most probably, all is made and uploaded meanwhile. */
static bool look(struct attach_work *work, bool is_new, struct err *err)
{
    if (is_new && !make(work, err))
        return false;
    ADD_TASKS(work, upload_blob, work->blobs);
    ADD_TASKS(work, look_at_subject, work->subjects);
    ADD_TASKS(work, attach_look_at_signed, work->signeds);
    size_t uploaded = work->blobs.count;
    if (!run_round(work, err) || !make(work, err))
        return false;
    add_tasks(work, upload_blob, work->blobs.items + uploaded, work->blobs.count - uploaded, sizeof *work->blobs.items);
    return !work->tasks.count || run_round(work, err);
}

static bool bring(struct attach_work *work, bool is_new, struct err *err)
{
    if (!look(work, is_new, err))
        return false;
    ADD_TASKS(work, put_one, work->ones);
    ADD_TASKS(work, attach_put_signed, work->signeds);
    if (!run_round(work, err))
        return false;
    ADD_TASKS(work, settle_subject, work->subjects);
    ADD_TASKS(work, attach_settle_signed, work->signeds);
    ADD_TASKS(work, read_one_back, work->ones);
    return run_round(work, err);
}

/* How much was missing. */
static size_t count_missing(const struct attach_work *work)
{
    size_t count = 0;
    for (size_t i = 0; i < work->ones.count; i++)
        count += !work->ones.items[i].is_there;
    for (size_t i = 0; i < work->signeds.count; i++)
        count += work->signeds.items[i].missing_count;
    return count;
}

bool attach_bring(struct registry *registry, struct arena *arena, const struct attach_list *list, bool is_new,
                  size_t *ret_count, struct err *err)
{
    struct attach_work work = {.registry = registry, .arena = arena};
    for (size_t i = 0; i < list->documents.count; i++) {
        list_add(arena, &work.ones, (struct attach_one){.document = &list->documents.items[i]});
        (void)subject_of(&work, &list->documents.items[i].subject.digest);
    }
    attach_list_signatures(&work, list);
    bool is_done = bring(&work, is_new, err);
    for (size_t i = 0; i < work.subjects.count; i++)
        arena_done(&work.subjects.items[i].arena);
    for (size_t i = 0; i < work.signeds.count; i++)
        arena_done(&work.signeds.items[i].arena);
    *ret_count = count_missing(&work);
    return is_done;
}
