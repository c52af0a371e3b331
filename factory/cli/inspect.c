/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON object is made first; what people read is printed from it. Documents come from anywhere: a value of another
 * type than the specification says is left out. */
#include "cli/inspect.h"

#include "base/auto.h"
#include "bill/bill.h"
#include "oci/document_json.h"

#include <jansson.h>

static json_t *blob_json(const struct layout_blob *blob)
{
    return json_pack("{s:o, s:s, s:I}", "digest", json_sprintf("sha256:%s", digest_hex(&blob->digest).chars),
                     "media_type", blob->media_type, "size", (json_int_t)blob->size_bytes);
}

static json_t *config_json(const struct layout_manifest *manifest)
{
    json_t *json = blob_json(&manifest->config);
    if (layout_is_config(manifest->config.media_type))
        document_config(json, manifest->config_bytes);
    return json;
}

static void set_platform(json_t *json, const struct layout_manifest *manifest)
{
    const char *os = manifest->os, *architecture = manifest->architecture, *variant = manifest->variant;
    if (os || architecture)
        document_set(json, "platform",
                     json_sprintf("%s/%s%s%s", os ? os : "unknown", architecture ? architecture : "unknown",
                                  variant ? "/" : "", variant ? variant : ""));
    document_set(json, "os", os ? json_string(os) : NULL);
    document_set(json, "architecture", architecture ? json_string(architecture) : NULL);
    document_set(json, "variant", variant ? json_string(variant) : NULL);
}

static json_t *manifest_json(const struct layout_manifest *manifest, const json_t *descriptor)
{
    json_t *json = blob_json(&manifest->blob), *layers = json_array();
    json_auto_t *document = manifest->unread ? NULL : document_object(manifest->bytes);
    uint64_t total_bytes = 0;
    for (size_t i = 0; i < manifest->layers.count; i++) {
        (void)json_array_append_new(layers, blob_json(&manifest->layers.items[i]));
        total_bytes += manifest->layers.items[i].size_bytes;
    }
    set_platform(json, manifest);
    if (manifest->unread) {
        json_decref(layers);
        document_set(json, "missing", manifest->unread == LAYOUT_MISSING ? json_true() : NULL);
        document_set(json, "index_annotations", document_strings(json_object_get(descriptor, "annotations")));
        return json;
    }
    document_set(json, "attestation", json_boolean(manifest->is_attestation));
    document_set(json, "artifact_type", document_string(json_object_get(document, "artifactType")));
    document_set(json, "layers", layers);
    document_set(json, "total_size", json_integer((json_int_t)total_bytes));
    document_set(json, "config", config_json(manifest));
    document_set(json, "annotations", document_strings(json_object_get(document, "annotations")));
    document_set(json, "index_annotations", document_strings(json_object_get(descriptor, "annotations")));
    return json;
}

/* Tells where the bill of a platform's image lies, when the layout has it. */
static void add_bill(const struct layout_image *image, const struct digest *manifest, json_t *platform)
{
    AUTO(arena_done) struct arena scratch = {0};
    if (image->dir && bill_is_beside(image->dir, manifest))
        document_set(platform, "bill", record_text(layout_beside_path(&scratch, image->dir, manifest)));
}

/* Parses the image's index and those nested in it. */
static json_t *parse_indexes(const struct layout_image *image)
{
    json_t *indexes = json_array();
    if (image->is_index)
        (void)json_array_append_new(indexes, document_object(image->root_bytes));
    for (size_t i = 0; i < image->manifests.count; i++) {
        const struct layout_manifest *manifest = &image->manifests.items[i];
        if (manifest->bytes.ptr && layout_is_index(manifest->blob.media_type))
            (void)json_array_append_new(indexes, document_object(manifest->bytes));
    }
    return indexes;
}

/* Finds what an index says of a child; NULL for the only manifest of an image without one. */
static const json_t *find_descriptor(const json_t *indexes, const struct digest *digest)
{
    struct digest_hex hex = digest_hex(digest);
    json_t *index, *item;
    size_t i, j;
    json_array_foreach((json_t *)indexes, i, index)
    {
        json_array_foreach(json_object_get(index, "manifests"), j, item)
        {
            const char *name = json_string_value(json_object_get(item, "digest"));
            if (name && strncmp(name, "sha256:", 7) == 0 && strcmp(name + 7, hex.chars) == 0)
                return item;
        }
    }
    return NULL;
}

/* Takes what hangs on a manifest, if that was asked for. */
static void add_attached(json_t *json, const struct digest *digest, const json_t *attached)
{
    AUTO(arena_done) struct arena scratch = {0};
    const char *key = arena_printf(&scratch, "sha256:%s", digest_hex(digest).chars);
    json_t *list = json_object_get(attached, key);
    if (list)
        (void)json_object_set(json, "attached", list);
}

static json_t *image_json(const struct layout_image *image, const char *name, json_t *const *exports,
                          const json_t *attached)
{
    json_t *json = json_object(), *root = blob_json(&image->root), *platforms = json_array();
    json_auto_t *indexes = parse_indexes(image);
    const json_t *document = image->is_index ? json_array_get(indexes, 0) : NULL;
    document_set(json, "name", record_text(name));
    document_set(json, "tag", image->tag ? json_string(image->tag) : NULL);
    (void)json_object_update(json, root);
    json_decref(root);
    for (size_t i = 0; i < image->manifests.count; i++) {
        const struct layout_manifest *manifest = &image->manifests.items[i];
        if (manifest->unread == LAYOUT_UNWANTED)
            continue;
        json_t *platform = manifest_json(manifest, find_descriptor(indexes, &manifest->blob.digest));
        add_bill(image, &manifest->blob.digest, platform);
        if (exports && exports[i])
            (void)json_object_set(platform, "exports", exports[i]);
        if (image->is_index)
            add_attached(platform, &manifest->blob.digest, attached);
        (void)json_array_append_new(platforms, platform);
    }
    document_set(json, "annotations", document_strings(json_object_get(document, "annotations")));
    add_attached(json, &image->root.digest, attached);
    document_set(json, "platforms", platforms);
    return json;
}

/* Prints a string that came from outside on one line. */
static void print_clean(FILE *out, const char *string)
{
    AUTO(arena_done) struct arena scratch = {0};
    (void)fputs(text_shown(&scratch, string), out);
}

/* Prints "  label       value". */
static void print_line(FILE *out, const char *label, const char *value)
{
    (void)fprintf(out, "  %-12s", label);
    print_clean(out, value);
    (void)fputc('\n', out);
}

static void print_string(FILE *out, const char *label, const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    if (value)
        print_line(out, label, value);
}

/* Prints a list in one line, as JSON: so it is clear where an argument ends. */
static void print_command(FILE *out, const json_t *config, const char *key)
{
    const json_t *list = json_object_get(config, key);
    AUTO(auto_free) char *text = list ? json_dumps(list, JSON_COMPACT) : NULL;
    if (text)
        print_line(out, key, text);
}

static void print_each(FILE *out, const char *label, const json_t *list)
{
    json_t *value;
    size_t i;
    json_array_foreach((json_t *)list, i, value) print_line(out, label, json_string_value(value));
}

static void print_pairs(FILE *out, const char *label, const json_t *object)
{
    json_t *value;
    const char *key;
    json_object_foreach((json_t *)object, key, value)
    {
        (void)fprintf(out, "  %-12s", label);
        print_clean(out, key);
        (void)fputc('=', out);
        print_clean(out, json_string_value(value));
        (void)fputc('\n', out);
    }
}

static void print_layers(FILE *out, const json_t *platform)
{
    const json_t *layers = json_object_get(platform, "layers");
    size_t count = json_array_size(layers), i;
    json_t *layer;
    (void)fprintf(out, "  %-12s", "size");
    (void)fputs(text_size((uint64_t)json_integer_value(json_object_get(platform, "total_size"))).chars, out);
    (void)fprintf(out, " in %zu layer%s\n", count, count == 1 ? "" : "s");
    json_array_foreach((json_t *)layers, i, layer)
    {
        (void)fprintf(out, "  %-12s%s  ", "layer", json_string_value(json_object_get(layer, "digest")));
        (void)fputs(text_size((uint64_t)json_integer_value(json_object_get(layer, "size"))).chars, out);
        (void)fprintf(out, "  %s\n", json_string_value(json_object_get(layer, "media_type")));
    }
}

static void print_config(FILE *out, const json_t *config)
{
    print_string(out, "config", config, "digest");
    print_string(out, "created", config, "created");
    print_string(out, "author", config, "author");
    print_command(out, config, "entrypoint");
    print_command(out, config, "cmd");
    print_each(out, "env", json_object_get(config, "env"));
    print_string(out, "user", config, "user");
    print_string(out, "workdir", config, "workdir");
    print_each(out, "port", json_object_get(config, "ports"));
    print_each(out, "volume", json_object_get(config, "volumes"));
    print_string(out, "stop signal", config, "stop_signal");
    print_pairs(out, "label", json_object_get(config, "labels"));
}

/* Of a system container: the files that make it one, and what --set can change. */
static void print_exports(FILE *out, const json_t *exports)
{
    json_t *variable;
    size_t i;
    print_each(out, "exports", json_object_get(exports, "files"));
    print_each(out, "host file", json_object_get(exports, "hostfs"));
    json_array_foreach(json_object_get(exports, "variables"), i, variable)
    {
        AUTO(arena_done) struct arena scratch = {0};
        const char *name = json_string_value(json_object_get(variable, "name")),
                   *value = json_string_value(json_object_get(variable, "default"));
        bool can_be_set = json_is_true(json_object_get(variable, "set")),
             is_given = json_is_true(json_object_get(variable, "given"));
        print_line(out, "variable",
                   arena_printf(&scratch, "%s%s%s%s", name, value ? "=" : "", value ? value : "",
                                !can_be_set ? " (forced by the installer)"
                                : is_given  ? " (given by the installer; --set changes it)"
                                : value     ? ""
                                            : " (has no default: --set must give it)"));
    }
}

static void print_attached(FILE *out, const json_t *attached)
{
    const json_t *one;
    size_t i;
    json_array_foreach(attached, i, one)
    {
        const char *predicate = json_string_value(json_object_get(one, "predicate"));
        print_line(out, "attached", predicate ? predicate : json_string_value(json_object_get(one, "type")));
        print_line(out, "", json_string_value(json_object_get(one, "digest")));
    }
}

static void print_platform(FILE *out, const json_t *platform)
{
    const char *name = json_string_value(json_object_get(platform, "platform"));
    (void)fprintf(out, "\n%s%s%s\n", name ? name : "no platform",
                  json_is_true(json_object_get(platform, "attestation")) ? " (attestation, not for running)" : "",
                  json_is_true(json_object_get(platform, "missing")) ? " (it is not there)" : "");
    print_string(out, "digest", platform, "digest");
    print_string(out, "type", platform, "media_type");
    print_string(out, "artifact", platform, "artifact_type");
    print_string(out, "bill", platform, "bill");
    if (json_object_get(platform, "layers"))
        print_layers(out, platform);
    print_config(out, json_object_get(platform, "config"));
    print_exports(out, json_object_get(platform, "exports"));
    print_pairs(out, "annotation", json_object_get(platform, "annotations"));
    print_pairs(out, "in index", json_object_get(platform, "index_annotations"));
    print_attached(out, json_object_get(platform, "attached"));
}

static void print_image(FILE *out, const char *name, const json_t *image)
{
    json_t *platform;
    size_t i;
    print_clean(out, name);
    (void)fputc('\n', out);
    print_string(out, "tag", image, "tag");
    print_string(out, "digest", image, "digest");
    print_string(out, "type", image, "media_type");
    print_pairs(out, "annotation", json_object_get(image, "annotations"));
    print_attached(out, json_object_get(image, "attached"));
    json_array_foreach(json_object_get(image, "platforms"), i, platform) print_platform(out, platform);
}

void inspect_print(FILE *out, const struct layout_image *image, const char *name, bool is_json, json_t *const *exports,
                   const json_t *attached)
{
    json_auto_t *json = image_json(image, name, exports, attached);
    if (is_json) {
        (void)json_dumpf(json, out, JSON_INDENT(2) | JSON_ENSURE_ASCII);
        (void)fputc('\n', out);
    } else {
        print_image(out, name, json);
    }
}
