/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/layout_parts.h"

#include "base/auto.h"
#include "oci/oci.h"

#include <errno.h>

#define REF_NAME "org.opencontainers.image.ref.name"
#define IMAGE_NAME "io.containerd.image.name"
#define INDEX_NAME "index.json"
#define VERSION_NAME "oci-layout"

/* Reads and parses a JSON file of the layout; *ret_json is NULL when it is absent. */
static bool read_json(const struct layout *layout, const char *name, json_t **ret_json, struct err *err)
{
    AUTO(buf_done) struct buf bytes = {0};
    *ret_json = NULL;
    if (!file_read_unlinked_at(layout->fd, name, LAYOUT_DOCUMENT_MAX_BYTES, &bytes, err)) {
        if (err->kind == ERR_LOCAL && err->detail == ENOENT) {
            err_clear(err);
            return true;
        }
        err_wrap(err, "%s", layout->path);
        return false;
    }
    AUTO(arena_done) struct arena arena = {0};
    return layout_json_parse((struct text){bytes.bytes, bytes.len}, JSON_ALLOW_NUL,
                             arena_printf(&arena, "%s/%s", layout->path, name), ret_json, err);
}

/* Returns what is wrong with an index, or NULL. */
static const char *find_fault(const json_t *index)
{
    if (!json_is_object(index))
        return "is not a JSON object";
    if (json_integer_value(json_object_get(index, "schemaVersion")) != 2)
        return "has no schemaVersion 2";
    const json_t *type = json_object_get(index, "mediaType");
    if (type && (!json_is_string(type) || strcmp(json_string_value(type), OCI_MEDIA_INDEX) != 0))
        return "has another mediaType than " OCI_MEDIA_INDEX;
    const json_t *manifests = json_object_get(index, "manifests"), *item;
    if (!json_is_array(manifests))
        return "has no array \"manifests\"";
    size_t i;
    json_array_foreach((json_t *)manifests, i, item)
    {
        if (!json_is_object(item))
            return "has a manifest that is not a JSON object";
    }
    return NULL;
}

static json_t *new_index(void)
{
    return json_pack("{s:i,s:s,s:[]}", "schemaVersion", 2, "mediaType", OCI_MEDIA_INDEX, "manifests");
}

bool layout_index_read(const struct layout *layout, json_t **ret_index, struct err *err)
{
    json_auto_t *index = NULL;
    if (!read_json(layout, INDEX_NAME, &index, err))
        return false;
    if (!index) {
        *ret_index = new_index();
        return true;
    }
    const char *fault = find_fault(index);
    if (fault) {
        err_set(err, ERR_MALFORMED, "%s/" INDEX_NAME " %s; it is left as it is", layout->path, fault);
        return false;
    }
    *ret_index = TAKE_PTR(index);
    return true;
}

bool layout_version_read(const struct layout *layout, bool *ret_is_there, struct err *err)
{
    json_auto_t *json = NULL;
    if (!read_json(layout, VERSION_NAME, &json, err))
        return false;
    const char *version = json_string_value(json_object_get(json, "imageLayoutVersion"));
    *ret_is_there = json != NULL;
    if (!json || (version && strcmp(version, "1.0.0") == 0))
        return true;
    err_set(err, ERR_MALFORMED,
            "%s/" VERSION_NAME " does not say imageLayoutVersion 1.0.0; the layout is left as it is", layout->path);
    return false;
}

const char *layout_index_tag(const json_t *descriptor)
{
    return json_string_value(json_object_get(json_object_get(descriptor, "annotations"), REF_NAME));
}

static bool has_tag(const json_t *descriptor, const char *tag)
{
    const char *name = layout_index_tag(descriptor);
    return name && strcmp(name, tag) == 0;
}

/* Returns whether two descriptors are of the same blob and kind. */
static bool is_same(const json_t *a, const json_t *b)
{
    static const char *const keys[] = {"mediaType", "digest", "size"};
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++) {
        if (!json_equal(json_object_get(a, keys[i]), json_object_get(b, keys[i])))
            return false;
    }
    return true;
}

/* Makes one tag point at the descriptor, which it takes over. */
static bool set_tag(json_t *manifests, const char *tag, json_t *descriptor, json_t *replaced)
{
    bool is_placed = false, is_changed = false;
    for (size_t i = 0; i < json_array_size(manifests);) {
        json_t *item = json_array_get(manifests, i);
        if (!has_tag(item, tag) || (!is_placed && is_same(item, descriptor))) {
            is_placed = is_placed || has_tag(item, tag);
            i++;
            continue;
        }
        (void)json_array_append(replaced, item);
        if (is_placed)
            (void)json_array_remove(manifests, i);
        else
            (void)json_array_set(manifests, i++, descriptor);
        is_placed = is_changed = true;
    }
    if (!is_placed)
        (void)json_array_append(manifests, descriptor);
    json_decref(descriptor);
    return is_changed || !is_placed;
}

static json_t *new_descriptor(const struct layout_blob *root)
{
    char name[sizeof "sha256:" + DIGEST_HEX_SIZE];
    (void)snprintf(name, sizeof name, "sha256:%s", digest_hex(&root->digest).chars);
    return json_pack("{s:s,s:s,s:I}", "mediaType", root->media_type, "digest", name, "size",
                     (json_int_t)root->size_bytes);
}

/* Lists a document without a tag, unless it is listed; takes the descriptor over. */
static bool add_untagged(json_t *manifests, json_t *given)
{
    json_auto_t *descriptor = given;
    const json_t *item;
    size_t i;
    json_array_foreach(manifests, i, item)
    {
        if (is_same(item, descriptor))
            return false;
    }
    (void)json_array_append(manifests, descriptor);
    return true;
}

/* Describes the document under a tag, and with a name that engines give to it (NULL: none). */
static json_t *named_descriptor(const struct layout_blob *root, const char *tag, const char *name)
{
    json_t *descriptor = new_descriptor(root), *annotations = json_pack("{s:s}", REF_NAME, tag);
    if (name)
        (void)json_object_set_new(annotations, IMAGE_NAME, json_string(name));
    (void)json_object_set_new(descriptor, "annotations", annotations);
    return descriptor;
}

struct text layout_index_of(struct arena *arena, const struct layout_blob *root, const char *tag, const char *name)
{
    json_auto_t *index = new_index();
    (void)json_array_append_new(json_object_get(index, "manifests"),
                                tag ? named_descriptor(root, tag, name) : new_descriptor(root));
    AUTO(auto_free) char *bytes = json_dumps(index, JSON_COMPACT);
    if (!bytes)
        memory_abort(0);
    return text_of(arena_strdup(arena, bytes));
}

/* As an index of referrers tells of it: oras and others look for what hangs on an image by that. */
static json_t *describe_artifact(const struct cargo_piece *piece)
{
    json_auto_t *manifest = json_loadb(piece->bytes.ptr, piece->bytes.len, JSON_ALLOW_NUL, NULL);
    json_t *descriptor = new_descriptor(&piece->blob), *type = json_object_get(manifest, "artifactType");
    if (!json_string_length(type))
        type = json_object_get(json_object_get(manifest, "config"), "mediaType");
    if (json_string_length(type))
        (void)json_object_set(descriptor, "artifactType", type);
    json_auto_t *notes = json_deep_copy(json_object_get(manifest, "annotations"));
    (void)json_object_del(notes, REF_NAME); /* else it would be a tag of the layout */
    if (json_object_size(notes))
        (void)json_object_set(descriptor, "annotations", notes);
    return descriptor;
}

bool layout_index_add_cargo(json_t *index, const struct cargo *cargo, const char *prefix, json_t *replaced)
{
    json_t *manifests = json_object_get(index, "manifests");
    bool is_changed = false;
    for (size_t i = 0; i < cargo->pieces.count; i++) {
        const struct cargo_piece *piece = &cargo->pieces.items[i];
        if (!piece->tag) {
            is_changed = add_untagged(manifests, describe_artifact(piece)) || is_changed;
            continue;
        }
        AUTO(arena_done) struct arena scratch = {0};
        const char *name = arena_printf(&scratch, "%s%s", prefix, piece->tag);
        is_changed = set_tag(manifests, name, named_descriptor(&piece->blob, name, NULL), replaced) || is_changed;
    }
    return is_changed;
}

bool layout_index_set(json_t *index, const struct layout_target *target, const struct strings *tags, json_t *replaced)
{
    AUTO(arena_done) struct arena arena = {0};
    json_t *manifests = json_object_get(index, "manifests");
    bool is_changed = !tags->count && add_untagged(manifests, new_descriptor(&target->root));
    for (size_t i = 0; i < tags->count; i++) {
        const char *tag = tags->items[i], *name = NULL;
        if (target->name)
            name = arena_printf(&arena, "%s:%s", target->name, tag);
        if (set_tag(manifests, tag, named_descriptor(&target->root, tag, name), replaced))
            is_changed = true;
    }
    return is_changed;
}

bool layout_index_write(const struct layout *layout, const json_t *index, struct err *err)
{
    AUTO(auto_free) char *bytes = json_dumps(index, JSON_COMPACT);
    if (!bytes)
        memory_abort(0);
    struct text text = text_of(bytes);
    if (text.len > LAYOUT_DOCUMENT_MAX_BYTES) {
        err_set(err, ERR_LOCAL, "%s/" INDEX_NAME " would have %zu bytes, more than %zu: it holds too many tags",
                layout->path, text.len, LAYOUT_DOCUMENT_MAX_BYTES);
        return false;
    }
    return layout_put(layout, layout->fd, INDEX_NAME, text, err) && layout_sync(layout, layout->fd, err);
}
