/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/pull.h"

#include "base/auto.h"
#include "base/each.h"
#include "base/map.h"
#include "registry/registries_conf.h"

#define THREAD_COUNT 4

/* Where documents come from: the store, else the registry. */
struct place {
    struct registry *registry;
    struct store *store;
    struct arena *arena;
};

/* Copies a document out of the store; *ret_found is false when it is not there, or damaged. */
static bool find_document(const struct place *place, const struct layout_blob *blob, struct text *ret_bytes,
                          bool *ret_found, struct err *err)
{
    AUTO(view_done) struct view view = {0};
    *ret_found = false;
    /* The size first: nothing big is read for a small document's name. */
    if (!store_has_blob(place->store, &blob->digest, blob->size_bytes))
        return true;
    if (!store_map_blob(place->store, &blob->digest, &view, ret_found, err))
        return false;
    if (*ret_found)
        *ret_bytes = (struct text){arena_strndup(place->arena, view.ptr, view.len), view.len};
    return true;
}

static bool keep_document(const struct place *place, struct text bytes, const struct digest *digest, struct err *err)
{
    AUTO(blob_abandon) struct blob blob = {0};
    return blob_begin(place->store, &blob, err) && blob_write(&blob, bytes.ptr, bytes.len, err) &&
           blob_commit(&blob, digest, NULL, err);
}

/* Gets a manifest that an index names. */
static bool get_manifest(const struct place *place, const struct layout_blob *blob, struct text *ret_bytes,
                         bool *ret_is_absent, struct err *err)
{
    struct registry_manifest manifest = {0};
    const char *name = arena_printf(place->arena, "sha256:%s", digest_hex(&blob->digest).chars);
    if (!registry_get_manifest(place->registry, place->arena, name, &manifest, err))
        return false;
    if (!manifest.is_found) {
        err_set(err, ERR_PUBLISH, "the registry does not have the manifest %s that the index names", name);
        *ret_is_absent = true;
        return false;
    }
    *ret_bytes = (struct text){manifest.bytes, (size_t)manifest.size_bytes};
    return keep_document(place, *ret_bytes, &blob->digest, err);
}

static bool get_config(const struct place *place, const struct layout_blob *blob, struct text *ret_bytes,
                       bool *ret_is_absent, struct err *err)
{
    bool is_found;
    if (!registry_get_blob(place->registry, place->store, &blob->digest, blob->size_bytes, NULL, err)) {
        *ret_is_absent = err->kind == ERR_PUBLISH && err->detail == 404;
        return false;
    }
    if (!find_document(place, blob, ret_bytes, &is_found, err))
        return false;
    if (!is_found)
        err_set(err, ERR_LOCAL, "sha256:%s went out of the cache while it was used; run again",
                digest_hex(&blob->digest).chars);
    return is_found;
}

static bool get_document(void *context, const struct layout_blob *blob, struct text *ret_bytes, bool *ret_is_absent,
                         struct err *err)
{
    const struct place *place = context;
    bool is_found;
    if (!find_document(place, blob, ret_bytes, &is_found, err))
        return false;
    if (is_found)
        return true;
    if (!place->registry) {
        err_set(err, ERR_LOCAL, "the cache does not have sha256:%s of it", digest_hex(&blob->digest).chars);
        *ret_is_absent = true;
        return false;
    }
    return layout_is_manifest(blob->media_type) || layout_is_index(blob->media_type)
               ? get_manifest(place, blob, ret_bytes, ret_is_absent, err)
               : get_config(place, blob, ret_bytes, ret_is_absent, err);
}

/* Gets the root document by digest or tag. */
static bool get_root(const struct place *place, const struct reference *reference, struct registry_manifest *ret_root,
                     struct err *err)
{
    const char *name = reference->tag ? reference->tag : "latest";
    if (reference->has_digest)
        name = arena_printf(place->arena, "sha256:%s", digest_hex(&reference->digest).chars);
    if (!registry_get_manifest(place->registry, place->arena, name, ret_root, err))
        return false;
    if (!ret_root->is_found)
        err_set(err, ERR_PUBLISH, "the registry does not have it");
    return ret_root->is_found;
}

bool pull_documents(struct registry *registry, struct store *store, struct arena *arena,
                    const struct pull_request *request, struct layout_image *ret_image, struct err *err)
{
    struct place place = {registry, store, arena};
    struct layout_source source = {get_document, &place, request->wanted};
    const struct reference *reference = request->reference;
    struct registry_manifest root = {0};
    struct layout_image image = {0};
    bool is_good = get_root(&place, reference, &root, err);
    if (is_good) {
        struct layout_blob blob = {
            .digest = reference->has_digest ? reference->digest : root.digest,
            .size_bytes = root.size_bytes,
            .media_type = root.media_type,
        };
        struct text bytes = {root.bytes, (size_t)root.size_bytes};
        is_good = layout_image_parse(arena, &blob, bytes, &source, &image, err) &&
                  keep_document(&place, bytes, &blob.digest, err);
    }
    if (!is_good) {
        err_wrap(err, "%s", reference_print(arena, reference));
        return false;
    }
    image.tag = arena_strdup(arena, reference->tag);
    *ret_image = image;
    return true;
}

bool pull_kept(struct store *store, struct arena *arena, const struct layout_blob *root, struct layout_image *ret_image,
               struct err *err)
{
    static const struct layout_wanted wanted = {.is_sparse_fine = true};
    struct place place = {NULL, store, arena};
    struct layout_source source = {get_document, &place, &wanted};
    struct text bytes;
    bool is_absent;
    return get_document(&place, root, &bytes, &is_absent, err) &&
           layout_image_parse(arena, root, bytes, &source, ret_image, err);
}

/* All fetching of one image's layers. */
struct fetching {
    struct registry *registry;
    struct store *store;
    _Atomic uint64_t *counter;
};

static bool has_layer(struct store *store, const struct layout_blob *layer, bool *ret_found, struct err *err)
{
    AUTO(view_done) struct view view = {0};
    *ret_found = false;
    return !store_has_blob(store, &layer->digest, layer->size_bytes) ||
           store_map_blob(store, &layer->digest, &view, ret_found, err);
}

static bool is_foreign(const struct layout_blob *layer)
{
    return strstr(layer->media_type, "nondistributable") || strstr(layer->media_type, ".foreign.");
}

static bool fetch_layer(void *context, void *item, struct err *err)
{
    const struct fetching *fetching = context;
    const struct layout_blob *layer = *(const struct layout_blob *const *)item;
    bool is_found;
    if (!has_layer(fetching->store, layer, &is_found, err))
        return false;
    if (is_found || registry_get_blob(fetching->registry, fetching->store, &layer->digest, layer->size_bytes,
                                      fetching->counter, err))
        return true;
    err_wrap(err,
             is_foreign(layer) ? "layer sha256:%s (foreign: it is taken from the registry only, never from its urls)"
                               : "layer sha256:%s",
             digest_hex(&layer->digest).chars);
    return false;
}

static int compare_sizes(const void *a, const void *b)
{
    const struct layout_blob *const *left = a, *const *right = b;
    return ((*left)->size_bytes < (*right)->size_bytes) - ((*left)->size_bytes > (*right)->size_bytes);
}

struct layers {
    const struct layout_blob **items;
    size_t count, capacity;
};

/* Lists every layer once, the biggest first. The same digest with two sizes stays two: one must fail. */
static void list_layers(struct arena *arena, const struct layout_image *image, struct layers *ret_layers)
{
    struct map known = {.arena = arena};
    for (size_t i = 0; i < image->manifests.count; i++) {
        const struct layout_manifest *manifest = &image->manifests.items[i];
        for (size_t j = 0; j < manifest->layers.count; j++) {
            const struct layout_blob *layer = &manifest->layers.items[j];
            const char *key =
                arena_printf(arena, "%s %ju", digest_hex(&layer->digest).chars, (uintmax_t)layer->size_bytes);
            if (map_add(&known, text_of(key), NULL))
                list_add(arena, ret_layers, layer);
        }
    }
    if (ret_layers->count)
        qsort(ret_layers->items, ret_layers->count, sizeof *ret_layers->items, compare_sizes);
}

bool pull_layers(struct registry *registry, struct store *store, const struct layout_image *image,
                 _Atomic uint64_t *counter, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    struct fetching fetching = {.registry = registry, .store = store, .counter = counter};
    struct layers layers = {0};
    list_layers(&arena, image, &layers);
    struct each_items items = {.items = layers.items,
                               .count = layers.count,
                               .each_bytes = sizeof *layers.items,
                               .threads_max = THREAD_COUNT,
                               .is_stopping = true};
    return each_run(items, fetch_layer, &fetching, err);
}

/* How many bytes of layers the store does not have. */
static bool count_wanted(struct store *store, const struct layout_image *image, uint64_t *ret_bytes, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    struct layers layers = {0};
    *ret_bytes = 0;
    list_layers(&arena, image, &layers);
    for (size_t i = 0; i < layers.count; i++) {
        bool is_found;
        if (!has_layer(store, layers.items[i], &is_found, err))
            return false;
        *ret_bytes += is_found ? 0 : layers.items[i]->size_bytes;
    }
    return true;
}

static bool get_layers(const struct pull_means *means, struct registry *registry, const struct layout_image *image,
                       struct err *err)
{
    uint64_t wanted;
    if (means->wanted && !count_wanted(means->store, image, &wanted, err))
        return false;
    if (means->wanted)
        atomic_store(means->wanted, wanted);
    return pull_layers(registry, means->store, image, means->received, err);
}

/* Pulls from one place. Layers that are in the store already are not asked for again at the next. */
static bool pull_there(const struct pull_means *means, struct arena *arena, const struct pull_request *request,
                       const struct registry_options *options, struct registry **ret_registry,
                       struct layout_image *ret_image, struct err *err)
{
    if (registry_open(options, means->http, request->reference, REGISTRY_PULL, ret_registry, err) &&
        pull_documents(*ret_registry, means->store, arena, request, ret_image, err) &&
        (!request->has_layers || get_layers(means, *ret_registry, ret_image, err)))
        return true;
    registry_close(TAKE_PTR(*ret_registry));
    return false;
}

bool pull_image(const struct pull_means *means, struct arena *arena, const struct pull_request *request,
                struct registry **ret_registry, struct layout_image *ret_image, struct err *err)
{
    struct pull_place *places;
    size_t count;
    *ret_registry = NULL;
    if (!registries_conf_places(arena, NULL, request->reference, &places, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct registry_options *options = arena_new(arena, struct registry_options);
        struct pull_request there = *request;
        *options = *means->options;
        options->is_verify_off = options->is_verify_off || places[i].is_insecure;
        options->is_other_there = i + 1 < count;
        there.reference = &places[i].reference;
        err_clear(err);
        if (pull_there(means, arena, &there, options, ret_registry, ret_image, err))
            return true;
        if (err->kind == ERR_CANCELLED)
            return false;
        if (i + 1 < count)
            log_line(options->log, LOG_QUIET, "warning: %s; trying the next place", err->text);
    }
    return false;
}
