/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/descriptor.h"
#include "oci/layout_parts.h"

#include "base/auto.h"
#include "oci/oci.h"

#define MEDIA_TYPE_MAX_BYTES 255
#define PLATFORM_MAX_BYTES 128
#define NESTED_MAX_COUNT 16

/* One reading of an image. */
struct parsing {
    struct arena *arena;
    const struct layout_source *source;
    uint64_t document_bytes; /* of all documents so far */
    bool is_absent;          /* the last document that was asked for is not there */
    unsigned nested_count;   /* indexes within indexes */
};

bool layout_json_parse(struct text bytes, size_t flags, const char *name, json_t **ret_json, struct err *err)
{
    json_error_t problem;
    *ret_json = json_loadb(bytes.len ? bytes.ptr : "", bytes.len, JSON_REJECT_DUPLICATES | flags, &problem);
    if (*ret_json)
        return true;
    text_flatten(problem.text);
    err_set(err, ERR_MALFORMED, "%s:%d:%d: %s", name, problem.line, problem.column, problem.text);
    return false;
}

/* Returns whether a string is safe wherever it goes: a header, a terminal, a message. */
static bool is_plain(const char *string, size_t max_bytes)
{
    size_t len = 0;
    for (; string[len]; len++) {
        if (len == max_bytes || string[len] <= ' ' || string[len] > '~' || strchr("\"\\<>,", string[len]))
            return false;
    }
    return len > 0;
}

static bool read_digest(struct arena *arena, const json_t *json, struct digest *ret_digest, struct err *err)
{
    struct text whole = {json_string_value(json), json_string_length(json)};
    if (!whole.ptr) {
        err_set(err, ERR_MALFORMED, "the descriptor has no \"digest\"");
        return false;
    }
    if (!text_has_prefix(whole, "sha256:")) {
        err_set(err, ERR_MALFORMED, "the digest \"%s\" is not of the algorithm sha256, the only one supported",
                text_printable(arena, whole));
        return false;
    }
    struct text hex = {whole.ptr + 7, whole.len - 7};
    /* digest_parse() takes upper case, too; here it would be a second name of the same blob. */
    bool is_good = digest_parse(hex, ret_digest);
    for (size_t i = 0; i < hex.len && is_good; i++)
        is_good = hex.ptr[i] < 'A' || hex.ptr[i] > 'F';
    if (!is_good)
        err_set(err, ERR_MALFORMED, "the digest \"%s\" does not have 64 lower-case hex digits",
                text_printable(arena, whole));
    return is_good;
}

bool layout_descriptor_read(struct arena *arena, const json_t *json, uint64_t cap_bytes, struct layout_blob *ret_blob,
                            struct err *err)
{
    const char *media_type = json_string_value(json_object_get(json, "mediaType"));
    const json_t *size = json_object_get(json, "size");
    if (!json_is_object(json)) {
        err_set(err, ERR_MALFORMED, "the descriptor is not a JSON object");
        return false;
    }
    if (!media_type || !is_plain(media_type, MEDIA_TYPE_MAX_BYTES)) {
        err_set(err, ERR_MALFORMED, "the descriptor has no \"mediaType\", or one that cannot be");
        return false;
    }
    if (!read_digest(arena, json_object_get(json, "digest"), &ret_blob->digest, err))
        return false;
    if (!json_is_integer(size) || json_integer_value(size) < 0) {
        err_set(err, ERR_MALFORMED, "the \"size\" of sha256:%s is not a whole number from 0 on",
                digest_hex(&ret_blob->digest).chars);
        return false;
    }
    ret_blob->size_bytes = (uint64_t)json_integer_value(size);
    ret_blob->media_type = arena_strdup(arena, media_type);
    if (ret_blob->size_bytes <= cap_bytes)
        return true;
    err_set(err, ERR_MALFORMED, "sha256:%s would have %ju bytes, more than the limit of %ju",
            digest_hex(&ret_blob->digest).chars, (uintmax_t)ret_blob->size_bytes, (uintmax_t)cap_bytes);
    return false;
}

/* Checks the bytes of a document against its descriptor. */
static bool check_bytes(const struct layout_blob *blob, struct text bytes, struct err *err)
{
    struct digest got = digest_of(bytes.ptr, bytes.len);
    if (bytes.len != blob->size_bytes) {
        err_set(err, ERR_TRUST, "sha256:%s: expected %ju bytes, got %zu", digest_hex(&blob->digest).chars,
                (uintmax_t)blob->size_bytes, bytes.len);
        return false;
    }
    if (digest_eq(&got, &blob->digest))
        return true;
    err_set(err, ERR_TRUST, "expected sha256:%s, got sha256:%s", digest_hex(&blob->digest).chars,
            digest_hex(&got).chars);
    return false;
}

/* Adds a document to the total of the image. */
static bool count_bytes(struct parsing *parsing, const struct layout_blob *blob, struct err *err)
{
    if (blob->size_bytes > LAYOUT_DOCUMENT_MAX_BYTES) {
        err_set(err, ERR_MALFORMED, "sha256:%s has %ju bytes, more than the limit of %zu",
                digest_hex(&blob->digest).chars, (uintmax_t)blob->size_bytes, LAYOUT_DOCUMENT_MAX_BYTES);
        return false;
    }
    parsing->document_bytes += blob->size_bytes;
    if (parsing->document_bytes <= LAYOUT_DOCUMENTS_MAX_BYTES)
        return true;
    err_set(err, ERR_MALFORMED, "the documents of the image have more than %ju bytes together",
            (uintmax_t)LAYOUT_DOCUMENTS_MAX_BYTES);
    return false;
}

static bool get_bytes(struct parsing *parsing, const struct layout_blob *blob, struct text *ret_bytes, struct err *err)
{
    const struct layout_source *source = parsing->source;
    parsing->is_absent = false;
    return count_bytes(parsing, blob, err) && source->get(source->context, blob, ret_bytes, &parsing->is_absent, err) &&
           check_bytes(blob, *ret_bytes, err);
}

static bool parse_object(const struct layout_blob *blob, struct text bytes, json_t **ret_json, struct err *err)
{
    char name[sizeof "sha256:" + DIGEST_HEX_SIZE];
    (void)snprintf(name, sizeof name, "sha256:%s", digest_hex(&blob->digest).chars);
    if (!layout_json_parse(bytes, 0, name, ret_json, err))
        return false;
    if (json_is_object(*ret_json))
        return true;
    err_set(err, ERR_MALFORMED, "%s is not a JSON object", name);
    return false;
}

/* Tools in Go write null for an empty list. */
static bool is_list(const json_t *json)
{
    return json_is_array(json) || json_is_null(json);
}

/* Returns what is wrong with an index or manifest as a whole, or NULL. What could be read as both is refused: two
 * readers would see two images (CVE-2021-41190). */
static const char *find_fault(const json_t *document, const char *media_type)
{
    static const char *const not_in_index[] = {"layers", "config", "blobs", "fsLayers"};
    const json_t *type = json_object_get(document, "mediaType");
    if (json_object_get(document, "fsLayers") || json_integer_value(json_object_get(document, "schemaVersion")) == 1)
        return "is of Docker's schema 1, which is not supported";
    if (json_integer_value(json_object_get(document, "schemaVersion")) != 2)
        return "has no schemaVersion 2";
    if (type && (!json_is_string(type) || strcmp(json_string_value(type), media_type) != 0))
        return "has a mediaType that differs from the one it is announced with";
    if (layout_is_manifest(media_type)) {
        if (json_object_get(document, "manifests"))
            return "has \"manifests\" although it is a manifest: two readers would see two images";
        return is_list(json_object_get(document, "layers")) ? NULL : "has no array \"layers\"";
    }
    for (size_t i = 0; i < ARRAY_COUNT(not_in_index); i++) {
        if (json_object_get(document, not_in_index[i]))
            return "has \"config\", \"layers\" or \"blobs\" although it is an index: two readers would see two images";
    }
    return is_list(json_object_get(document, "manifests")) ? NULL : "has no array \"manifests\"";
}

static bool parse_document(const struct layout_blob *blob, struct text bytes, json_t **ret_json, struct err *err)
{
    if (!parse_object(blob, bytes, ret_json, err))
        return false;
    const char *fault = find_fault(*ret_json, blob->media_type);
    if (fault)
        err_set(err, ERR_MALFORMED, "sha256:%s (%s) %s", digest_hex(&blob->digest).chars, blob->media_type, fault);
    return !fault;
}

/* Reads one part of a platform unless it is known; absent, null and "" are fine. */
static bool read_platform_part(struct arena *arena, const json_t *object, const char *key, const char **part,
                               struct err *err)
{
    const json_t *json = json_object_get(object, key);
    bool is_absent = !json || json_is_null(json) || (json_is_string(json) && !json_string_length(json));
    if (*part || is_absent)
        return true;
    if (json_is_string(json) && is_plain(json_string_value(json), PLATFORM_MAX_BYTES)) {
        *part = arena_strdup(arena, json_string_value(json));
        return true;
    }
    err_set(err, ERR_MALFORMED, "\"%s\" of the platform is not a plain string", key);
    return false;
}

static bool read_platform(struct arena *arena, const json_t *object, struct layout_manifest *manifest, struct err *err)
{
    return read_platform_part(arena, object, "os", &manifest->os, err) &&
           read_platform_part(arena, object, "architecture", &manifest->architecture, err) &&
           read_platform_part(arena, object, "variant", &manifest->variant, err);
}

/* Gets the config. That of an image is looked into; another artifact's may be anything. */
static bool read_config(struct parsing *parsing, struct layout_manifest *manifest, struct err *err)
{
    json_auto_t *config = NULL;
    if (!get_bytes(parsing, &manifest->config, &manifest->config_bytes, err))
        return false;
    if (!layout_is_config(manifest->config.media_type))
        return true;
    if (!parse_object(&manifest->config, manifest->config_bytes, &config, err))
        return false;
    const json_t *diff_ids = json_object_get(json_object_get(config, "rootfs"), "diff_ids");
    if (diff_ids && json_array_size(diff_ids) != manifest->layers.count) {
        err_set(err, ERR_MALFORMED, "sha256:%s has %zu diff_ids for %zu layers",
                digest_hex(&manifest->config.digest).chars, json_array_size(diff_ids), manifest->layers.count);
        return false;
    }
    /* The index is asked first and as a whole: a variant of the config does not belong to its platform. */
    return manifest->os || manifest->architecture || read_platform(parsing->arena, config, manifest, err);
}

/* Reads numbers with colons between them, exactly as many. */
static bool read_numbers(const json_t *written, uint64_t *numbers, size_t count)
{
    const char *string = json_string_value(written);
    struct text left = text_of(string ? string : ""), part;
    size_t read = 0;
    while (read < count && text_next(&left, ':', &part)) {
        if (!text_parse_u64(part, &numbers[read++]))
            return false;
    }
    return read == count && left.len == 0;
}

/* Reads where a layer has its table of contents; NULL: it says of none. Writers of before 2023 called the two notes
 * otherwise, and made no tar-split. Who writes both kinds has one table for old clients and another for new ones. */
static const struct layer_toc *read_toc(struct arena *arena, const json_t *descriptor)
{
    const json_t *notes = json_object_get(descriptor, "annotations");
    const json_t *checksum = json_object_get(notes, OCI_CHUNKED_ANNOTATION("manifest-checksum"));
    const json_t *old_checksum = json_object_get(notes, OCI_OLD_CHUNKED_ANNOTATION("manifest-checksum"));
    bool has_both = checksum && old_checksum;
    const json_t *place = json_object_get(notes, OCI_CHUNKED_ANNOTATION("manifest-position"));
    const json_t *position = json_object_get(notes, OCI_CHUNKED_ANNOTATION("tarsplit-position"));
    uint64_t at[4], split[3] = {0};
    if (!checksum) {
        checksum = old_checksum;
        place = json_object_get(notes, OCI_OLD_CHUNKED_ANNOTATION("manifest-position"));
        position = NULL;
    }
    const char *name = json_string_value(checksum);
    if (!checksum)
        return NULL;
    struct layer_toc *toc = arena_new(arena, struct layer_toc);
    toc->is_malformed = has_both || !name || !text_has_prefix(text_of(name), "sha256:") ||
                        !digest_parse(text_of(name + strlen("sha256:")), &toc->digest) || !read_numbers(place, at, 4) ||
                        at[3] != 1 || (position && !read_numbers(position, split, 3));
    if (!toc->is_malformed)
        *toc = (struct layer_toc){toc->digest, at[0], at[1], at[2], split[0], split[1], split[2], false};
    return toc;
}

static bool read_layers(struct parsing *parsing, const json_t *layers, struct layout_manifest *manifest,
                        struct err *err)
{
    size_t count = json_array_size(layers);
    if (count > LAYOUT_LAYERS_MAX_COUNT) {
        err_set(err, ERR_MALFORMED, "%zu layers are more than the limit of %d", count, LAYOUT_LAYERS_MAX_COUNT);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        struct layout_blob layer = {0};
        if (!layout_descriptor_read(parsing->arena, json_array_get(layers, i), LAYOUT_LAYER_MAX_BYTES, &layer, err)) {
            err_wrap(err, "layers[%zu]", i);
            return false;
        }
        list_add(parsing->arena, &manifest->layers, layer);
        list_add(parsing->arena, &manifest->tocs, read_toc(parsing->arena, json_array_get(layers, i)));
    }
    return true;
}

/* Parses manifest->bytes. */
static bool read_manifest(struct parsing *parsing, struct layout_manifest *manifest, struct err *err)
{
    json_auto_t *json = NULL;
    if (!parse_document(&manifest->blob, manifest->bytes, &json, err))
        return false;
    bool is_read = layout_descriptor_read(parsing->arena, json_object_get(json, "config"), LAYOUT_DOCUMENT_MAX_BYTES,
                                          &manifest->config, err);
    if (!is_read)
        err_wrap(err, "config");
    is_read = is_read && read_layers(parsing, json_object_get(json, "layers"), manifest, err);
    if (is_read && !read_config(parsing, manifest, err)) {
        err_wrap(err, "config");
        is_read = false;
    }
    if (!is_read)
        err_wrap(err, "manifest sha256:%s", digest_hex(&manifest->blob.digest).chars);
    manifest->is_attestation =
        manifest->is_attestation || (manifest->os && strcmp(manifest->os, "unknown") == 0 && manifest->architecture &&
                                     strcmp(manifest->architecture, "unknown") == 0);
    return is_read;
}

/* Returns why a child is not even asked for. One without a platform may be for any. */
static enum layout_unread why_unread(const struct layout_wanted *wanted, const struct layout_manifest *manifest)
{
    if (!layout_is_manifest(manifest->blob.media_type))
        return LAYOUT_OTHER;
    bool is_chosen = !wanted || !wanted->platforms || !manifest->architecture || manifest->is_attestation ||
                     platforms_want(wanted->platforms, manifest->os, manifest->architecture, manifest->variant);
    return is_chosen ? LAYOUT_READ : LAYOUT_UNWANTED;
}

/* Forgives that a child is not there when that may be. What is no manifest is left out then, as an unknown type is. */
static bool pass_missing(const struct parsing *parsing, struct layout_manifest *manifest, struct err *err)
{
    const struct layout_wanted *wanted = parsing->source->wanted;
    bool is_other = manifest->unread == LAYOUT_OTHER;
    if (!wanted || !parsing->is_absent || (!wanted->is_sparse_fine && !manifest->is_attestation && !is_other))
        return false;
    err_clear(err);
    *manifest = (struct layout_manifest){.blob = manifest->blob,
                                         .os = manifest->os,
                                         .architecture = manifest->architecture,
                                         .variant = manifest->variant,
                                         .unread = is_other ? LAYOUT_OTHER : LAYOUT_MISSING,
                                         .is_attestation = manifest->is_attestation};
    return true;
}

/* Reads one item of an index and the manifest that it names. */
static bool read_child(struct parsing *parsing, const json_t *json, struct layout_manifest *manifest, struct err *err)
{
    const char *type =
        json_string_value(json_object_get(json_object_get(json, "annotations"), "vnd.docker.reference.type"));
    manifest->is_attestation = type && strcmp(type, "attestation-manifest") == 0;
    if (!layout_descriptor_read(parsing->arena, json, LAYOUT_DOCUMENT_MAX_BYTES, &manifest->blob, err) ||
        !read_platform(parsing->arena, json_object_get(json, "platform"), manifest, err))
        return false;
    manifest->unread = why_unread(parsing->source->wanted, manifest);
    if (manifest->unread ||
        (get_bytes(parsing, &manifest->blob, &manifest->bytes, err) && read_manifest(parsing, manifest, err)))
        return true;
    return pass_missing(parsing, manifest, err);
}

static bool read_index(struct parsing *parsing, const struct layout_blob *blob, struct text bytes,
                       struct layout_image *image, struct err *err);

/* Reads a child that is no manifest: a nested index with its own children, which are listed before it; what is of an
 * unknown type where all of an image is wanted. */
static bool read_other(struct parsing *parsing, struct layout_manifest *manifest, struct layout_image *image,
                       struct err *err)
{
    bool is_index = layout_is_index(manifest->blob.media_type);
    if (!is_index && parsing->source->wanted)
        return true;
    if (!get_bytes(parsing, &manifest->blob, &manifest->bytes, err))
        return pass_missing(parsing, manifest, err);
    if (!is_index)
        return true;
    if (++parsing->nested_count > NESTED_MAX_COUNT) {
        err_set(err, ERR_MALFORMED, "it has more than %d indexes in each other", NESTED_MAX_COUNT);
        return false;
    }
    return read_index(parsing, &manifest->blob, manifest->bytes, image, err);
}

static bool read_index(struct parsing *parsing, const struct layout_blob *blob, struct text bytes,
                       struct layout_image *image, struct err *err)
{
    json_auto_t *json = NULL;
    if (!parse_document(blob, bytes, &json, err))
        return false;
    const json_t *manifests = json_object_get(json, "manifests");
    size_t count = json_array_size(manifests);
    if (count + image->manifests.count > LAYOUT_MANIFESTS_MAX_COUNT) {
        err_set(err, ERR_MALFORMED, "index sha256:%s: %zu manifests are more than the limit of %d",
                digest_hex(&blob->digest).chars, count + image->manifests.count, LAYOUT_MANIFESTS_MAX_COUNT);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        struct layout_manifest manifest = {0};
        if (!read_child(parsing, json_array_get(manifests, i), &manifest, err) ||
            (manifest.unread == LAYOUT_OTHER && !read_other(parsing, &manifest, image, err))) {
            err_wrap(err, "index sha256:%s: manifests[%zu]", digest_hex(&blob->digest).chars, i);
            return false;
        }
        list_add(parsing->arena, &image->manifests, manifest);
    }
    return true;
}

bool layout_is_repeated(const struct layout_image *image, const struct layout_manifest *manifest)
{
    for (size_t i = 0; i < image->manifests.count && &image->manifests.items[i] != manifest; i++) {
        const struct layout_manifest *before = &image->manifests.items[i];
        if (!before->unread && !manifest->unread && !before->is_attestation && !manifest->is_attestation &&
            digest_eq(&before->config.digest, &manifest->config.digest))
            return true;
    }
    return false;
}

void layout_image_narrow(struct arena *arena, struct layout_image *image)
{
    const struct layout_manifest *only = NULL;
    size_t count = 0;
    for (size_t i = 0; i < image->manifests.count; i++) {
        const struct layout_manifest *manifest = &image->manifests.items[i];
        if (manifest->unread || manifest->is_attestation || layout_is_repeated(image, manifest))
            continue;
        only = manifest;
        count++;
    }
    if (!image->is_index || count != 1)
        return;
    struct layout_manifest manifest = *only;
    image->root = manifest.blob;
    image->root_bytes = manifest.bytes;
    image->is_index = false;
    image->manifests.count = 0;
    list_add(arena, &image->manifests, manifest);
}

bool layout_image_parse(struct arena *arena, const struct layout_blob *root, struct text root_bytes,
                        const struct layout_source *source, struct layout_image *ret_image, struct err *err)
{
    struct parsing parsing = {.arena = arena, .source = source};
    struct layout_image image = {.blobs_fd = -1, .root = *root, .root_bytes = root_bytes};
    const char *type = root->media_type ? root->media_type : "";
    if (!layout_is_index(type) && !layout_is_manifest(type)) {
        err_set(err, ERR_MALFORMED, "sha256:%s is of type \"%s\", neither an image index nor an image manifest",
                digest_hex(&root->digest).chars, text_printable(arena, text_of(type)));
        return false;
    }
    image.root.media_type = arena_strdup(arena, type);
    image.is_index = layout_is_index(type);
    if (!count_bytes(&parsing, root, err) || !check_bytes(root, root_bytes, err))
        return false;
    if (image.is_index) {
        if (!read_index(&parsing, &image.root, root_bytes, &image, err))
            return false;
    } else {
        struct layout_manifest manifest = {.blob = image.root, .bytes = root_bytes};
        if (!read_manifest(&parsing, &manifest, err))
            return false;
        list_add(arena, &image.manifests, manifest);
    }
    *ret_image = image;
    return true;
}
