/* SPDX-License-Identifier: Apache-2.0 */
/* What a document in the registry needs, found there: nobody has its bytes here. Other shapes than images (an index in
 * an index, artifacts, children of unknown types) are followed as far as descriptors go: a tag may point at any. */
#include "registry/push_parts.h"

#include "base/auto.h"
#include "base/map.h"

#include <jansson.h>

#define DEPTH_MAX 4
#define DOCUMENTS_MAX_COUNT (4 * LAYOUT_MANIFESTS_MAX_COUNT)

struct search {
    struct registry *registry;
    struct arena *arena;
    struct push_reach *reach;
    struct map seen; /* digests of documents and blobs */
    size_t document_count;
};

static bool fail_missing(const struct search *search, const char *what, const struct digest *digest, struct err *err)
{
    err_set(err, ERR_PUBLISH, "%s: the %s %s, which it needs, is not there; push the image again",
            search->registry->name, what, registry_digest_name(digest).chars);
    return false;
}

/* Reads a descriptor that was not met before; false for what is none. */
static bool take(struct search *search, const json_t *json, struct layout_blob *ret_blob)
{
    const char *name = json_string_value(json_object_get(json, "digest"));
    const char *type = json_string_value(json_object_get(json, "mediaType"));
    if (!name || strncmp(name, "sha256:", 7) != 0 || !digest_parse(text_of(name + 7), &ret_blob->digest))
        return false;
    ret_blob->media_type = arena_strdup(search->arena, type ? type : "");
    ret_blob->size_bytes = (uint64_t)json_integer_value(json_object_get(json, "size"));
    struct digest *key = arena_new(search->arena, struct digest);
    *key = ret_blob->digest;
    return map_add(&search->seen, (struct text){(const char *)key->bytes, sizeof key->bytes}, key);
}

static void add_blob(struct search *search, const json_t *descriptor)
{
    struct layout_blob blob;
    if (take(search, descriptor, &blob) && !push_is_foreign(&blob))
        list_add(search->arena, &search->reach->blobs, (struct push_blob){.blob = blob});
}

static void add_blobs(struct search *search, const json_t *descriptors)
{
    const json_t *item;
    size_t i;
    json_array_foreach((json_t *)descriptors, i, item) add_blob(search, item);
}

/* The config of an image is fetched: its labels count. */
static bool add_config(struct search *search, const json_t *descriptor, struct text *ret_bytes, struct err *err)
{
    struct layout_blob blob;
    bool is_found;
    const char *type = json_string_value(json_object_get(descriptor, "mediaType"));
    if (!type || !layout_is_config(type)) {
        add_blob(search, descriptor);
        return true;
    }
    if (!take(search, descriptor, &blob))
        return true;
    if (!registry_get_document(search->registry, search->arena, &blob.digest, &is_found, ret_bytes, err))
        return false;
    return is_found || fail_missing(search, "blob", &blob.digest, err);
}

static bool add_child(struct search *search, const json_t *descriptor, int depth, struct err *err);

static bool follow(struct search *search, struct text bytes, int depth, struct err *err)
{
    json_auto_t *json = bytes.len ? json_loadb(bytes.ptr, bytes.len, JSON_ALLOW_NUL, NULL) : NULL;
    json_t *manifests = json_object_get(json, "manifests"), *item;
    struct push_labelled labelled = {.manifest = bytes};
    size_t i;
    json_array_foreach(manifests, i, item)
    {
        if (!add_child(search, item, depth + 1, err))
            return false;
    }
    if (json_is_array(manifests))
        return true;
    add_blobs(search, json_object_get(json, "layers"));
    add_blobs(search, json_object_get(json, "blobs"));
    if (!add_config(search, json_object_get(json, "config"), &labelled.config, err))
        return false;
    list_add(search->arena, &search->reach->labelled, labelled);
    return true;
}

/* A child of an index. What is no manifest may be a blob (image-index.md leaves it open). */
static bool add_child(struct search *search, const json_t *descriptor, int depth, struct err *err)
{
    struct layout_blob blob;
    struct registry_manifest manifest;
    if (!take(search, descriptor, &blob))
        return true;
    if (depth > DEPTH_MAX || ++search->document_count > DOCUMENTS_MAX_COUNT) {
        err_set(err, ERR_MALFORMED, "%s: the index names more manifests, or deeper ones, than are looked at",
                search->registry->name);
        return false;
    }
    if (!registry_get_manifest(search->registry, search->arena, registry_digest_name(&blob.digest).chars, &manifest,
                               err))
        return false;
    if (manifest.is_found)
        return follow(search, (struct text){manifest.bytes, (size_t)manifest.size_bytes}, depth, err);
    if (layout_is_manifest(blob.media_type) || layout_is_index(blob.media_type))
        return fail_missing(search, "manifest", &blob.digest, err);
    list_add(search->arena, &search->reach->blobs, (struct push_blob){.blob = blob});
    return true;
}

bool push_find_reach(struct registry *registry, struct arena *arena, struct text root, struct push_reach *ret_reach,
                     struct err *err)
{
    struct search search = {.registry = registry, .arena = arena, .reach = ret_reach, .seen.arena = arena};
    *ret_reach = (struct push_reach){0};
    return follow(&search, root, 0, err);
}
