/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/oci.h"

#include "base/auto.h"
#include "oci/oci_text.h"

#include <jansson.h>

#define DEFAULT_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define ANNOTATION(key) "org.opencontainers.image." key
/* On the descriptors of an index: without it skopeo 1.18 and newer write the index anew to add it, and its digest is
 * another (containers/image, internal/manifest/oci_index.go: OCI1InstanceAnnotationCompressionZSTD). */
#define ZSTD_ANNOTATION "io.github.containers.compression.zstd"
/* What registries and clients take at most for a manifest or config (distribution-spec, "Pushing Manifests"). */
#define DOCUMENT_MAX_BYTES ((size_t)4 << 20)

/* A document under construction. jansson refuses only what is not UTF-8 (and NULL): the first refusal is kept in err,
 * and later calls do nothing. */
struct builder {
    struct arena *arena;
    const struct manifest *manifest;
    const struct manifest_config *process; /* of an image; NULL for an index, which starts nothing */
    const struct oci_facts *facts;
    const struct oci_base *base; /* of an image; NULL: from scratch */
    const char *created;
    struct err *err;
};

static bool is_good(const struct builder *builder)
{
    return builder->err->kind == ERR_NONE;
}

static void check(const struct builder *builder, int result, const char *what)
{
    if (result && is_good(builder))
        err_set(builder->err, ERR_USAGE, "image %s: \"%s\" is not UTF-8 text, so JSON cannot hold it",
                builder->manifest->name, text_printable(builder->arena, text_of(what)));
}

/* Adds or replaces a member, taking the value over. */
static void set(const struct builder *builder, json_t *object, const char *key, json_t *value)
{
    check(builder, json_object_set_new(object, key, value), key);
}

/* Adds a string member unless the value is NULL or empty. */
static void set_string(const struct builder *builder, json_t *object, const char *key, const char *value)
{
    if (value && *value)
        set(builder, object, key, json_string(value));
}

static void append_string(const struct builder *builder, json_t *array, const char *value)
{
    check(builder, json_array_append_new(array, json_string(value)), value);
}

/* Adds an array or object member unless it is empty. Takes it over in any case. */
static void set_filled(const struct builder *builder, json_t *object, const char *key, json_t *value)
{
    if (json_array_size(value) || json_object_size(value))
        set(builder, object, key, value);
    else
        json_decref(value);
}

static json_t *make_array(const struct builder *builder, const struct strings *strings)
{
    json_t *array = json_array();
    for (size_t i = 0; i < strings->count; i++)
        append_string(builder, array, strings->items[i]);
    return array;
}

/* Makes the {"x":{}} form of a set of strings (config.md: ExposedPorts, Volumes). */
static json_t *make_set(const struct builder *builder, const struct strings *strings)
{
    json_t *object = json_object();
    for (size_t i = 0; i < strings->count; i++)
        set(builder, object, strings->items[i], json_object());
    return object;
}

static const char *digest_name(const struct builder *builder, const struct digest *digest)
{
    return arena_printf(builder->arena, "sha256:%s", digest_hex(digest).chars);
}

static const char *expand(const struct builder *builder, const char *template)
{
    const char *text = "";
    if (is_good(builder) && !oci_expand(builder->arena, template, builder->facts, &text, builder->err))
        err_wrap(builder->err, "image %s", builder->manifest->name);
    return text;
}

static bool has_key(const struct yaml_pairs *pairs, const char *key)
{
    for (size_t i = 0; i < pairs->count; i++) {
        if (strcmp(pairs->items[i].key, key) == 0)
            return true;
    }
    return false;
}

static json_t *make_env(const struct builder *builder)
{
    const struct yaml_pairs *env = &builder->process->env;
    json_t *array = json_array();
    if (!has_key(env, "PATH"))
        append_string(builder, array, DEFAULT_PATH);
    for (size_t i = 0; i < env->count; i++)
        append_string(builder, array, arena_printf(builder->arena, "%s=%s", env->items[i].key, env->items[i].value));
    return array;
}

/* Adds what the manifest gives. What speaks of {arch} is left out of an index, which is for all. */
static void set_given(const struct builder *builder, json_t *object, const char *key, const char *template)
{
    if (builder->facts->arch || !oci_names_arch(template))
        set(builder, object, key, json_string(expand(builder, template)));
}

/* Adds the image-spec's own keys that only the other of labels and annotations has. */
static void set_others(const struct builder *builder, json_t *object, const struct yaml_pairs *given,
                       const struct yaml_pairs *others)
{
    for (size_t i = 0; i < others->count; i++) {
        const struct yaml_pair *pair = &others->items[i];
        if (strncmp(pair->key, ANNOTATION(""), strlen(ANNOTATION(""))) == 0 && !has_key(given, pair->key))
            set_given(builder, object, pair->key, pair->value);
    }
}

/* Makes the labels or the annotations: our own facts unless the manifest gives them, and what it gives. The keys of the
 * image-spec are the same in both, for docker, skopeo and every conversion show labels only; one that the manifest has
 * in both is as it says in each. */
static json_t *make_facts(const struct builder *builder, const struct yaml_pairs *given,
                          const struct yaml_pairs *others)
{
    const struct {
        const char *key, *value;
    } facts[] = {{ANNOTATION("created"), builder->created},
                 {ANNOTATION("version"), builder->facts->full_version},
                 {ANNOTATION("title"), builder->manifest->name},
                 {ANNOTATION("description"), builder->manifest->description}};
    json_t *object = json_object();
    for (size_t i = 0; i < ARRAY_COUNT(facts); i++) {
        if (!has_key(given, facts[i].key) && !has_key(others, facts[i].key))
            set_string(builder, object, facts[i].key, facts[i].value);
    }
    set_others(builder, object, given, others);
    for (size_t i = 0; i < given->count; i++)
        set_given(builder, object, given->items[i].key, given->items[i].value);
    return object;
}

/* `inherited` are the base's, or NULL. */
static json_t *make_labels(const struct builder *builder, const json_t *inherited)
{
    json_auto_t *ours = make_facts(builder, &builder->manifest->config.labels, &builder->manifest->config.annotations);
    json_t *labels = json_is_object(inherited) ? json_deep_copy(inherited) : json_object();
    (void)json_object_update(labels, ours);
    return labels;
}

/* image-spec, annotations.md: what an image is based on. */
static void set_base(const struct builder *builder, json_t *annotations)
{
    static const struct digest none;
    const struct oci_base *base = builder->base;
    if (!base || json_object_get(annotations, ANNOTATION("base.digest")))
        return;
    bool is_of_index = !builder->facts->arch && !digest_eq(&base->index, &none);
    set_string(builder, annotations, ANNOTATION("base.name"), base->name);
    set_string(builder, annotations, ANNOTATION("base.digest"),
               digest_name(builder, is_of_index ? &base->index : &base->digest));
}

static json_t *make_annotations(const struct builder *builder)
{
    json_t *annotations =
        make_facts(builder, &builder->manifest->config.annotations, &builder->manifest->config.labels);
    set_base(builder, annotations);
    return annotations;
}

static json_t *make_process(const struct builder *builder)
{
    const struct manifest_config *config = builder->process;
    json_t *object = builder->base ? oci_base_process(builder->base) : json_object();
    set_string(builder, object, "User", config->user);
    set_filled(builder, object, "ExposedPorts", make_set(builder, &config->ports));
    set_filled(builder, object, "Env", make_env(builder));
    set_filled(builder, object, "Entrypoint", make_array(builder, &config->entrypoint));
    set_filled(builder, object, "Cmd", make_array(builder, &config->cmd));
    set_filled(builder, object, "Volumes", make_set(builder, &config->volumes));
    set_string(builder, object, "WorkingDir", config->working_dir);
    set_filled(builder, object, "Labels", make_labels(builder, json_object_get(object, "Labels")));
    set_string(builder, object, "StopSignal", config->stop_signal);
    return object;
}

static json_t *make_rootfs(const struct builder *builder, const struct layers *layers)
{
    json_t *object = json_object(), *ids = json_array();
    for (size_t i = 0; builder->base && i < builder->base->layers.count; i++)
        append_string(builder, ids, digest_name(builder, &builder->base->layers.items[i].diff_id));
    for (size_t i = 0; i < layers->count; i++)
        append_string(builder, ids, digest_name(builder, &layers->items[i].diff_id));
    set(builder, object, "type", json_string("layers"));
    set(builder, object, "diff_ids", ids);
    return object;
}

static json_t *make_history_entry(const struct builder *builder)
{
    json_t *entry = json_object();
    const struct oci_facts *facts = builder->facts;
    set_string(builder, entry, "created", builder->created);
    set_string(builder, entry, "created_by", "imgfactory");
    if (facts->package && facts->full_version)
        set_string(builder, entry, "comment",
                   arena_printf(builder->arena, "%s %s", facts->package, facts->full_version));
    return entry;
}

/* One entry for each layer, as config.md wants it. */
static json_t *make_history(const struct builder *builder, const struct layers *layers)
{
    json_t *array = builder->base ? oci_base_history(builder->base) : json_array();
    for (size_t i = 0; i < layers->count; i++)
        check(builder, json_array_append_new(array, make_history_entry(builder)), "history");
    return array;
}

static void set_platform(const struct builder *builder, json_t *object, const struct arch *arch)
{
    set_string(builder, object, "architecture", arch->oci_architecture);
    set_string(builder, object, "os", arch->oci_os);
    set_string(builder, object, "variant", arch->oci_variant);
}

static json_t *make_config(const struct builder *builder, const struct image *image)
{
    json_t *object = json_object();
    set_string(builder, object, "created", builder->created);
    set_string(builder, object, "author", builder->manifest->config.author);
    set_platform(builder, object, image->arch);
    set(builder, object, "config", make_process(builder));
    set(builder, object, "rootfs", make_rootfs(builder, &image->layers));
    set(builder, object, "history", make_history(builder, &image->layers));
    return object;
}

static json_t *make_descriptor(const struct builder *builder, const char *media_type, const struct digest *digest,
                               uint64_t size_bytes)
{
    json_t *object = json_object();
    set_string(builder, object, "mediaType", media_type);
    set_string(builder, object, "digest", digest_name(builder, digest));
    set(builder, object, "size", json_integer((json_int_t)size_bytes));
    return object;
}

/* Says of a layer where its table of contents is: clients trust nothing else (layer/chunked.h). */
static void set_toc(const struct builder *builder, json_t *descriptor, const struct layer_toc *toc)
{
    static const struct digest none;
    if (digest_eq(&toc->digest, &none))
        return;
    json_t *annotations = json_object();
    set_string(builder, annotations, OCI_CHUNKED_ANNOTATION("manifest-checksum"), digest_name(builder, &toc->digest));
    set_string(builder, annotations, OCI_CHUNKED_ANNOTATION("manifest-position"),
               arena_printf(builder->arena, "%ju:%ju:%ju:1", (uintmax_t)toc->offset, (uintmax_t)toc->packed_bytes,
                            (uintmax_t)toc->plain_bytes));
    set_string(builder, annotations, OCI_CHUNKED_ANNOTATION("tarsplit-position"),
               arena_printf(builder->arena, "%ju:%ju:%ju", (uintmax_t)toc->split_offset,
                            (uintmax_t)toc->split_packed_bytes, (uintmax_t)toc->split_plain_bytes));
    set(builder, descriptor, "annotations", annotations);
}

static json_t *make_manifest(const struct builder *builder, const struct image *image)
{
    json_t *object = json_object(), *layers = json_array();
    set(builder, object, "schemaVersion", json_integer(2));
    set(builder, object, "mediaType", json_string(OCI_MEDIA_MANIFEST));
    set(builder, object, "config",
        make_descriptor(builder, OCI_MEDIA_CONFIG, &image->config.digest, image->config.len));
    for (size_t i = 0; image->base && i < image->base->layers.count; i++) {
        const struct layout_blob *blob = &image->base->layers.items[i].blob;
        json_t *item = make_descriptor(builder, blob->media_type, &blob->digest, blob->size_bytes);
        if (image->base->layers.items[i].toc)
            set_toc(builder, item, image->base->layers.items[i].toc);
        check(builder, json_array_append_new(layers, item), "layers");
    }
    for (size_t i = 0; i < image->layers.count; i++) {
        const struct layer *layer = &image->layers.items[i];
        json_t *item =
            make_descriptor(builder, layer_media_type(layer->compression), &layer->digest, layer->size_bytes);
        set_toc(builder, item, &layer->toc);
        check(builder, json_array_append_new(layers, item), "layers");
    }
    set(builder, object, "layers", layers);
    set_filled(builder, object, "annotations", make_annotations(builder));
    return object;
}

static bool has_zstd(const struct layers *layers)
{
    bool has = false;
    for (size_t i = 0; i < layers->count; i++)
        has = has || layers->items[i].compression != LAYER_GZIP;
    return has;
}

static json_t *make_index(const struct builder *builder, const struct image *const *images, size_t count)
{
    json_t *object = json_object(), *manifests = json_array();
    for (size_t i = 0; i < count; i++) {
        const struct document *document = &images[i]->manifest;
        json_t *item = make_descriptor(builder, OCI_MEDIA_MANIFEST, &document->digest, document->len);
        json_t *platform = json_object();
        set_platform(builder, platform, images[i]->arch);
        set(builder, item, "platform", platform);
        if (has_zstd(&images[i]->layers))
            set(builder, item, "annotations", json_pack("{s:s}", ZSTD_ANNOTATION, "true"));
        check(builder, json_array_append_new(manifests, item), "manifests");
    }
    set(builder, object, "schemaVersion", json_integer(2));
    set(builder, object, "mediaType", json_string(OCI_MEDIA_INDEX));
    set(builder, object, "manifests", manifests);
    json_t *annotations = make_annotations(builder);
    if (builder->facts->record)
        set_string(builder, annotations, OCI_RECORD_ANNOTATION, builder->facts->record);
    set_filled(builder, object, "annotations", annotations);
    return object;
}

/* Writes the document's bytes, once and for all, unless something was refused before. */
static bool finish(const struct builder *builder, const json_t *json, const char *what, struct document *ret_document)
{
    if (!is_good(builder))
        return false;
    AUTO(auto_free) char *bytes = json_dumps(json, JSON_COMPACT);
    if (!bytes)
        memory_abort(0);
    struct document document = {.len = strlen(bytes)};
    if (document.len > DOCUMENT_MAX_BYTES) {
        err_set(builder->err, ERR_USAGE, "image %s: its %s has %zu bytes; registries take at most %zu",
                builder->manifest->name, what, document.len, DOCUMENT_MAX_BYTES);
        return false;
    }
    document.bytes = arena_strndup(builder->arena, bytes, document.len);
    document.digest = digest_of(bytes, document.len);
    *ret_document = document;
    return true;
}

bool oci_build_image(struct arena *arena, const struct manifest *manifest, const struct manifest_config *process,
                     const struct oci_facts *facts, struct image *image, struct err *err)
{
    struct builder builder = {.arena = arena, .manifest = manifest, .process = process, .facts = facts, .err = err};
    builder.base = image->base;
    if (!oci_timestamp(arena, facts->created_time, &builder.created, err))
        return false;
    json_auto_t *config = make_config(&builder, image);
    if (!finish(&builder, config, "configuration", &image->config))
        return false;
    json_auto_t *described = make_manifest(&builder, image);
    return finish(&builder, described, "manifest", &image->manifest);
}

bool oci_build_index(struct arena *arena, const struct manifest *manifest, const struct oci_facts *facts,
                     const struct image *const *images, size_t count, struct document *ret_index, struct err *err)
{
    struct builder builder = {.arena = arena, .manifest = manifest, .facts = facts, .err = err};
    if (!oci_timestamp(arena, facts->created_time, &builder.created, err))
        return false;
    for (size_t i = 0; i < count && !builder.base; i++)
        builder.base = images[i]->base;
    json_auto_t *index = make_index(&builder, images, count);
    return finish(&builder, index, "index", ret_index);
}
