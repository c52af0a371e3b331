/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/cargo_bring.h"

#include "base/auto.h"
#include "base/each.h"
#include "oci/oci.h"
#include "registry/registry_parts.h"

#include <jansson.h>

#define REQUESTS_MAX ((size_t)16)
#define ATTEMPTS_MAX 5
#define LAYERS_MAX ((size_t)1000) /* of signatures that readers take */

/* A piece on its way. */
struct bringing_one {
    const struct cargo_piece *piece;
    struct arena arena;
    bool is_there;
    struct registry_manifest before; /* of a tag */
    struct text bytes;               /* what the tag is to be at */
};

/* A manifest with what is about it. */
struct bringing_subject {
    struct digest digest;
    struct arena arena;
    struct registry_referrer_list referrers;
};

struct bringing {
    struct registry *registry;
    struct arena *arena;
    const struct cargo_load *load;
    LIST(struct bringing_one) ones;
    LIST(struct bringing_subject) subjects; /* of artifacts, each once */
    LIST(struct layout_blob) blobs;         /* of what is missing, each once */
    unsigned depth;                         /* that is put now */
};

static bool run(struct bringing *bringing, each_step *step, void *items, size_t count, size_t each_bytes,
                struct err *err)
{
    struct each_items all = {items, count, each_bytes, REQUESTS_MAX, .is_stopping = true};
    return each_run(all, step, bringing, err);
}

#define RUN(bringing, step, list, err) run((bringing), (step), (list).items, (list).count, sizeof *(list).items, (err))

/* --- tags of signatures --- */

/* A layer is one signature: the same payload with the same annotations. */
static bool has_layer(const json_t *layers, const json_t *layer)
{
    const json_t *item;
    size_t i;
    json_array_foreach((json_t *)layers, i, item)
    {
        if (json_equal(json_object_get(item, "digest"), json_object_get(layer, "digest")) &&
            json_equal(json_object_get(item, "annotations"), json_object_get(layer, "annotations")))
            return true;
    }
    return false;
}

/* Makes what the tag is to be at: the manifest itself, or what is there with the layers that it lacks. */
static bool merge(struct bringing *bringing, struct bringing_one *one, struct err *err)
{
    const struct cargo_piece *piece = one->piece;
    one->bytes = piece->bytes;
    one->is_there = one->before.is_found && digest_eq(&one->before.digest, &piece->blob.digest);
    if (!one->before.is_found || one->is_there)
        return true;
    json_auto_t *there = json_loadb(one->before.bytes, (size_t)one->before.size_bytes, 0, NULL);
    json_auto_t *ours = json_loadb(piece->bytes.ptr, piece->bytes.len, 0, NULL);
    json_t *layers = json_object_get(there, "layers"), *layer;
    size_t i, added = 0;
    if (!json_is_array(layers) || json_array_size(layers) > LAYERS_MAX) {
        err_set(err, ERR_PUBLISH, "%s:%s is no manifest of signatures; it is left as it is", bringing->registry->name,
                piece->tag);
        return false;
    }
    json_array_foreach(json_object_get(ours, "layers"), i, layer)
    {
        if (!has_layer(layers, layer))
            added += !json_array_append(layers, layer);
    }
    one->is_there = !added;
    AUTO(auto_free) char *text = json_dumps(there, JSON_COMPACT);
    if (!text)
        memory_abort(0);
    one->bytes = text_of(arena_strdup(&one->arena, text));
    return true;
}

static bool look_at_tag(struct bringing *bringing, struct bringing_one *one, struct err *err)
{
    return registry_get_manifest(bringing->registry, &one->arena, one->piece->tag, &one->before, err) &&
           merge(bringing, one, err);
}

/* Sets it, and looks at it until it has all; another writer may come between. */
static bool set_tag(void *context, void *item, struct err *err)
{
    struct bringing *bringing = context;
    struct bringing_one *one = item;
    for (int i = 0; one->piece->tag && !one->is_there; i++) {
        bool is_missing;
        const char *condition = one->before.is_found ? arena_printf(&one->arena, "If-Match: \"%s\"",
                                                                    registry_digest_name(&one->before.digest).chars)
                                                     : "If-None-Match: *";
        if (i == ATTEMPTS_MAX) {
            err_set(err, ERR_PUBLISH, "%s:%s: others change it again and again", bringing->registry->name,
                    one->piece->tag);
            return false;
        }
        if (!registry_put_if(bringing->registry, one->piece->tag, one->piece->blob.media_type, one->bytes, condition,
                             &is_missing, err)) {
            if (err->detail != 412 && err->kind != ERR_TRUST) /* ERR_TRUST: read back, it was another's */
                return false;
            err_clear(err);
        }
        if (!look_at_tag(bringing, one, err))
            return false;
    }
    return true;
}

/* --- looking --- */

static bool look_at_one(void *context, void *item, struct err *err)
{
    struct bringing *bringing = context;
    struct bringing_one *one = item;
    const struct cargo_piece *piece = one->piece;
    bool is_found;
    one->bytes = piece->bytes;
    return piece->tag ? look_at_tag(bringing, one, err)
                      : registry_manifest_is(bringing->registry, registry_digest_name(&piece->blob.digest).chars,
                                             &piece->blob.digest, false, &is_found, &one->is_there, err);
}

static bool look_at_subject(void *context, void *item, struct err *err)
{
    struct bringing *bringing = context;
    struct bringing_subject *subject = item;
    return registry_read_referrers(bringing->registry, &subject->arena, &subject->digest, &subject->referrers, err);
}

static void add_subject(struct bringing *bringing, const struct digest *digest)
{
    for (size_t i = 0; i < bringing->subjects.count; i++) {
        if (digest_eq(&bringing->subjects.items[i].digest, digest))
            return;
    }
    list_add(bringing->arena, &bringing->subjects, (struct bringing_subject){.digest = *digest});
}

/* --- blobs --- */

static void add_blobs(struct bringing *bringing, const struct cargo_piece *piece)
{
    for (size_t i = 0; i < piece->blob_count; i++) {
        size_t j = 0;
        while (j < bringing->blobs.count && !digest_eq(&bringing->blobs.items[j].digest, &piece->blobs[i].digest))
            j++;
        if (j == bringing->blobs.count)
            list_add(bringing->arena, &bringing->blobs, piece->blobs[i]);
    }
}

/* Who opens one blob. */
struct opening {
    const struct cargo_blobs *blobs;
    const struct layout_blob *blob;
};

static bool open_blob(void *context, int *ret_fd, struct err *err)
{
    const struct opening *opening = context;
    return opening->blobs->open(opening->blobs->context, opening->blob, ret_fd, err);
}

static bool bring_blob(void *context, void *item, struct err *err)
{
    struct bringing *bringing = context;
    const struct layout_blob *blob = item;
    struct opening opening = {bringing->load->blobs, blob};
    struct upload upload = {.digest = &blob->digest,
                            .size_bytes = blob->size_bytes,
                            .fd = -1,
                            .open = open_blob,
                            .context = &opening,
                            .mount_from = bringing->load->mount_from};
    bool is_there, is_mounted;
    return registry_has_blob(bringing->registry, &blob->digest, blob->size_bytes, &is_there, err) &&
           (is_there || registry_upload(bringing->registry, &upload, &is_mounted, err));
}

/* --- artifacts --- */

static bool put_one(void *context, void *item, struct err *err)
{
    struct bringing *bringing = context;
    const struct bringing_one *one = item;
    const struct cargo_piece *piece = one->piece;
    bool is_missing;
    return one->is_there || piece->tag || piece->depth != bringing->depth ||
           registry_put_manifest(bringing->registry, registry_digest_name(&piece->blob.digest).chars,
                                 piece->blob.media_type, piece->bytes, &is_missing, err);
}

/* Makes all that is about a manifest findable from it; nothing is asked where it is. */
static bool settle_subject(void *context, void *item, struct err *err)
{
    struct bringing *bringing = context;
    struct bringing_subject *subject = item;
    struct text *manifests = arena_new_array(&subject->arena, struct text, bringing->ones.count);
    size_t count = 0;
    for (size_t i = 0; i < bringing->ones.count; i++) {
        const struct cargo_piece *piece = bringing->ones.items[i].piece;
        if (!piece->tag && digest_eq(&piece->subject, &subject->digest))
            manifests[count++] = piece->bytes;
    }
    return registry_attach_all(bringing->registry, &subject->digest, manifests, count, &subject->referrers, err);
}

static bool read_back(void *context, void *item, struct err *err)
{
    struct bringing *bringing = context;
    const struct bringing_one *one = item;
    struct digest_name name = registry_digest_name(&one->piece->blob.digest);
    bool is_found, is_it;
    if (one->is_there || one->piece->tag)
        return true;
    if (!registry_manifest_is(bringing->registry, name.chars, &one->piece->blob.digest, true, &is_found, &is_it, err))
        return false;
    if (!is_it)
        err_set(err, ERR_PUBLISH, "%s: %s was accepted, but it is not there", bringing->registry->name, name.chars);
    return is_it;
}

/* --- all --- */

static void begin(struct bringing *bringing)
{
    const struct cargo *cargo = bringing->load->cargo;
    for (size_t i = 0; i < cargo->pieces.count; i++) {
        list_add(bringing->arena, &bringing->ones, (struct bringing_one){.piece = &cargo->pieces.items[i]});
        if (!cargo->pieces.items[i].tag)
            add_subject(bringing, &cargo->pieces.items[i].subject);
    }
}

static bool put_levels(struct bringing *bringing, struct err *err)
{
    for (bringing->depth = 0; bringing->depth <= CARGO_DEPTH_MAX; bringing->depth++) {
        if (!RUN(bringing, put_one, bringing->ones, err))
            return false;
    }
    return true;
}

static bool bring(struct bringing *bringing, size_t *ret_count, struct err *err)
{
    if (!RUN(bringing, look_at_one, bringing->ones, err) || !RUN(bringing, look_at_subject, bringing->subjects, err))
        return false;
    for (size_t i = 0; i < bringing->ones.count; i++) {
        if (bringing->ones.items[i].is_there)
            continue;
        (*ret_count)++;
        add_blobs(bringing, bringing->ones.items[i].piece);
    }
    return RUN(bringing, bring_blob, bringing->blobs, err) && put_levels(bringing, err) &&
           RUN(bringing, settle_subject, bringing->subjects, err) && RUN(bringing, set_tag, bringing->ones, err) &&
           RUN(bringing, read_back, bringing->ones, err);
}

bool cargo_bring(struct registry *registry, struct arena *arena, const struct cargo_load *load, size_t *ret_count,
                 struct err *err)
{
    struct bringing bringing = {.registry = registry, .arena = arena, .load = load};
    *ret_count = 0;
    begin(&bringing);
    bool is_done = bring(&bringing, ret_count, err);
    for (size_t i = 0; i < bringing.ones.count; i++)
        arena_done(&bringing.ones.items[i].arena);
    for (size_t i = 0; i < bringing.subjects.count; i++)
        arena_done(&bringing.subjects.items[i].arena);
    return is_done;
}
