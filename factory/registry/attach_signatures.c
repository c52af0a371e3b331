/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures under the tag of their subject, sha256-HEX.sig, in the form that cosign 1 and 2 and containers/image read (cosign,
 * specs/SIGNATURE_SPEC.md): each a layer with its payload, the signature an annotation of it. The config is one as it is of
 * any image, for tools that add signatures by adding a layer. Others' layers stay as they are; the tag is replaced only as it was
 * read where the registry looks at conditions, and read again after it was written. */
#include "base/auto.h"
#include "oci/oci.h"
#include "registry/attach_parts.h"
#include "registry/registry_parts.h"

#include <jansson.h>

#define ATTEMPTS_MAX 5
#define LAYERS_MAX ((size_t)1000) /* that readers take */

static struct attach_signed *signed_of(struct attach_work *work, const struct digest *subject)
{
    for (size_t i = 0; i < work->signeds.count; i++) {
        if (digest_eq(&work->signeds.items[i].subject, subject))
            return &work->signeds.items[i];
    }
    list_add(work->arena, &work->signeds, (struct attach_signed){.subject = *subject});
    return &work->signeds.items[work->signeds.count - 1];
}

void attach_list_signatures(struct attach_work *work, const struct attach_list *list)
{
    for (size_t i = 0; i < list->signatures.count; i++)
        signed_of(work, &list->signatures.items[i].subject)->count++;
    for (size_t i = 0; i < work->signeds.count; i++) {
        struct attach_signed *signed_one = &work->signeds.items[i];
        signed_one->marks = arena_new_array(work->arena, struct attach_mark, signed_one->count);
        size_t count = 0;
        for (size_t j = 0; j < list->signatures.count; j++) {
            if (digest_eq(&list->signatures.items[j].subject, &signed_one->subject))
                signed_one->marks[count++].signature = &list->signatures.items[j];
        }
    }
}

const char *attach_signature_tag(struct arena *arena, const struct digest *subject)
{
    return arena_printf(arena, "sha256-%s.sig", digest_hex(subject).chars);
}

static bool is_layer_of(const json_t *layer, const struct attach_signature *signature)
{
    struct digest payload = digest_of(signature->payload.ptr, signature->payload.len);
    const char *name = json_string_value(json_object_get(layer, "digest"));
    const char *value = json_string_value(json_object_get(json_object_get(layer, "annotations"), signature->key));
    return name && value && strcmp(name, registry_digest_name(&payload).chars) == 0 &&
           signature->is_same(signature->context, value);
}

/* Gets what the tag is at, and looks for each signature in it. */
static bool look(struct registry *registry, struct attach_signed *tag, struct err *err)
{
    if (!registry_get_manifest(registry, &tag->arena, attach_signature_tag(&tag->arena, &tag->subject), &tag->manifest,
                               err))
        return false;
    json_auto_t *manifest =
        tag->manifest.is_found ? json_loadb(tag->manifest.bytes, (size_t)tag->manifest.size_bytes, 0, NULL) : NULL;
    const json_t *layers = json_object_get(manifest, "layers"), *layer;
    if (tag->manifest.is_found && !json_is_array(layers)) {
        err_set(err, ERR_PUBLISH, "%s:%s is no manifest of signatures; it is left as it is", registry->name,
                attach_signature_tag(&tag->arena, &tag->subject));
        return false;
    }
    for (size_t i = 0; i < tag->count; i++) {
        size_t at;
        tag->marks[i].is_there = false;
        json_array_foreach((json_t *)layers, at, layer)
        {
            tag->marks[i].is_there = tag->marks[i].is_there || is_layer_of(layer, tag->marks[i].signature);
        }
    }
    return true;
}

bool attach_look_at_signed(void *context, void *item, struct err *err)
{
    struct attach_work *work = context;
    return look(work->registry, item, err);
}

/* --- making --- */

/* Adds the layers that are missing to those that are there. */
static json_t *layers_of(const struct attach_signed *tag)
{
    json_auto_t *before =
        tag->manifest.is_found ? json_loadb(tag->manifest.bytes, (size_t)tag->manifest.size_bytes, 0, NULL) : NULL;
    json_t *layers = before ? json_deep_copy(json_object_get(before, "layers")) : json_array();
    for (size_t i = 0; i < tag->count; i++) {
        const struct attach_signature *signature = tag->marks[i].signature;
        struct digest payload = digest_of(signature->payload.ptr, signature->payload.len);
        if (!tag->marks[i].is_there)
            (void)json_array_append_new(layers, json_pack("{s:s, s:I, s:s, s:{s:s}}", "mediaType", signature->type,
                                                          "size", (json_int_t)signature->payload.len, "digest",
                                                          registry_digest_name(&payload).chars, "annotations",
                                                          signature->key, tag->marks[i].value));
    }
    return layers;
}

static struct text dump(struct arena *arena, const json_t *json)
{
    AUTO(auto_free) char *bytes = json_dumps(json, JSON_COMPACT);
    if (!bytes)
        memory_abort(0);
    return text_of(arena_strdup(arena, bytes));
}

/* The config of a manifest with these layers, none of which is compressed. */
static struct text config_of(struct arena *arena, const json_t *layers)
{
    json_t *diff_ids = json_array(), *history = json_array();
    const json_t *layer;
    size_t i;
    json_array_foreach((json_t *)layers, i, layer)
    {
        (void)json_array_append(diff_ids, json_object_get(layer, "digest"));
        (void)json_array_append_new(history, json_pack("{s:s}", "created", "0001-01-01T00:00:00Z"));
    }
    json_auto_t *config = json_pack("{s:s, s:s, s:s, s:o, s:{s:s, s:o}, s:{}}", "architecture", "", "os", "", "created",
                                    "0001-01-01T00:00:00Z", "history", history, "rootfs", "type", "layers", "diff_ids",
                                    diff_ids, "config");
    return dump(arena, config);
}

static bool is_any_missing(const struct attach_signed *tag)
{
    for (size_t i = 0; i < tag->count; i++) {
        if (!tag->marks[i].is_there)
            return true;
    }
    return false;
}

/* Makes what is missing of one tag, and notes what its manifest needs. */
static bool make_missing(struct attach_work *work, struct attach_signed *tag, struct err *err)
{
    for (size_t i = 0; i < tag->count; i++) {
        struct attach_mark *mark = &tag->marks[i];
        const struct attach_signature *signature = mark->signature;
        if (mark->is_there || mark->value)
            continue;
        if (!signature->make(signature->context, work->arena, &mark->value, err))
            return false;
        attach_add_blob(work, signature->payload);
    }
    if (is_any_missing(tag)) {
        json_auto_t *layers = layers_of(tag);
        attach_add_blob(work, config_of(work->arena, layers));
    }
    return true;
}

bool attach_make_signatures(struct attach_work *work, struct err *err)
{
    for (size_t i = 0; i < work->signeds.count; i++) {
        if (!make_missing(work, &work->signeds.items[i], err))
            return false;
    }
    return true;
}

/* --- bringing --- */

static bool put(struct registry *registry, struct attach_signed *tag, bool is_first, struct err *err)
{
    json_auto_t *layers = layers_of(tag);
    struct text config = config_of(&tag->arena, layers);
    struct digest digest = digest_of(config.ptr, config.len);
    bool is_missing;
    if (json_array_size(layers) > LAYERS_MAX) {
        err_set(err, ERR_PUBLISH, "%s:%s has %zu signatures; readers take %zu", registry->name,
                attach_signature_tag(&tag->arena, &tag->subject), json_array_size(layers), LAYERS_MAX);
        return false;
    }
    json_auto_t *manifest =
        json_pack("{s:i, s:s, s:{s:s, s:I, s:s}, s:O}", "schemaVersion", 2, "mediaType", OCI_MEDIA_MANIFEST, "config",
                  "mediaType", OCI_MEDIA_CONFIG, "size", (json_int_t)config.len, "digest",
                  registry_digest_name(&digest).chars, "layers", layers);
    const char *condition = tag->manifest.is_found ? arena_printf(&tag->arena, "If-Match: \"%s\"",
                                                                  registry_digest_name(&tag->manifest.digest).chars)
                                                   : "If-None-Match: *";
    return (is_first || registry_upload_document(registry, config, &digest, err)) &&
           registry_put_if(registry, attach_signature_tag(&tag->arena, &tag->subject), OCI_MEDIA_MANIFEST,
                           dump(&tag->arena, manifest), condition, &is_missing, err);
}

/* The signatures that another writer's write took away are made anew only where they were made by us. */
static bool has_values(const struct attach_signed *tag)
{
    for (size_t i = 0; i < tag->count; i++) {
        if (!tag->marks[i].is_there && !tag->marks[i].value)
            return false;
    }
    return true;
}

/* Puts, unless another writer came between. */
static bool try_put(struct registry *registry, struct attach_signed *tag, bool is_first, struct err *err)
{
    if (put(registry, tag, is_first, err))
        return true;
    if (err->detail != 412 && err->kind != ERR_TRUST) /* ERR_TRUST: read back, it was another's */
        return false;
    err_clear(err);
    return true;
}

bool attach_put_signed(void *context, void *item, struct err *err)
{
    struct attach_work *work = context;
    struct attach_signed *tag = item;
    for (size_t i = 0; i < tag->count; i++)
        tag->missing_count += !tag->marks[i].is_there;
    tag->is_put = tag->missing_count > 0;
    return !tag->is_put || try_put(work->registry, tag, true, err);
}

bool attach_settle_signed(void *context, void *item, struct err *err)
{
    struct attach_work *work = context;
    struct attach_signed *tag = item;
    if (tag->is_put && !look(work->registry, tag, err))
        return false;
    for (int i = 0; i < ATTEMPTS_MAX && is_any_missing(tag) && has_values(tag); i++) {
        if (!try_put(work->registry, tag, false, err) || !look(work->registry, tag, err))
            return false;
    }
    if (is_any_missing(tag))
        err_set(err, ERR_PUBLISH, "%s:%s: others change it again and again", work->registry->name,
                attach_signature_tag(&tag->arena, &tag->subject));
    return !is_any_missing(tag);
}
