/* SPDX-License-Identifier: Apache-2.0 */
#include "ground/ground_layers.h"

#include "oci/config_read.h"
#include "oci/descriptor.h"

#define OCI_LAYER "application/vnd.oci.image.layer.v1.tar"
#define DOCKER_LAYER "application/vnd.docker.image.rootfs.diff.tar"

/* Media types of layers and what they are called in a manifest of OCI. */
static const char *const types[][2] = {
    {OCI_LAYER, OCI_LAYER},    {OCI_LAYER "+gzip", OCI_LAYER "+gzip"},    {OCI_LAYER "+zstd", OCI_LAYER "+zstd"},
    {DOCKER_LAYER, OCI_LAYER}, {DOCKER_LAYER ".gzip", OCI_LAYER "+gzip"}, {DOCKER_LAYER ".zstd", OCI_LAYER "+zstd"},
};

static bool refuse(const char *name, const struct layout_blob *layer, const char *what, struct err *err)
{
    err_set(err, ERR_MALFORMED, "%s: layer sha256:%s %s (%s)", name, digest_hex(&layer->digest).chars, what,
            layer->media_type);
    return false;
}

static bool take_type(const char *name, struct layout_blob *layer, struct err *err)
{
    for (size_t i = 0; i < ARRAY_COUNT(types); i++) {
        if (strcmp(layer->media_type, types[i][0]) == 0) {
            layer->media_type = types[i][1];
            return true;
        }
    }
    if (strstr(layer->media_type, ".foreign.") || strstr(layer->media_type, ".nondistributable."))
        return refuse(name, layer, "is a foreign one, whose bytes its registry need not have", err);
    if (strstr(layer->media_type, "+encrypted"))
        return refuse(name, layer, "is encrypted", err);
    return refuse(name, layer, "is of a type that is not known", err);
}

static bool take_diff_id(struct arena *arena, const char *name, const char *written, struct digest *ret_diff_id,
                         struct err *err)
{
    static const char algorithm[] = "sha256:";
    struct text text = text_of(written);
    if (text_has_prefix(text, algorithm) &&
        digest_parse((struct text){text.ptr + strlen(algorithm), text.len - strlen(algorithm)}, ret_diff_id))
        return true;
    err_set(err, ERR_MALFORMED, "%s: its configuration has a diff_id that is no SHA-256: %s", name,
            text_printable(arena, text));
    return false;
}

bool ground_layers_of(struct arena *arena, const char *name, const struct layout_manifest *manifest,
                      struct base_layers *ret_layers, struct err *err)
{
    struct config_facts config;
    if (!layout_is_config(manifest->config.media_type)) {
        err_set(err, ERR_MALFORMED, "%s: its configuration is of type %s, so it is no image", name,
                manifest->config.media_type);
        return false;
    }
    config_read(arena, manifest->config_bytes, &config);
    if (config.faults.count) {
        err_set(err, ERR_MALFORMED, "%s: %s", name, config.faults.items[0]);
        return false;
    }
    if (config.diff_ids.count != manifest->layers.count) {
        err_set(err, ERR_MALFORMED, "%s: it has %zu layers, and %zu diff_ids in its configuration", name,
                manifest->layers.count, config.diff_ids.count);
        return false;
    }
    *ret_layers = (struct base_layers){0};
    for (size_t i = 0; i < manifest->layers.count; i++) {
        struct base_layer layer = {.blob = manifest->layers.items[i]};
        const struct layer_toc *toc = i < manifest->tocs.count ? manifest->tocs.items[i] : NULL;
        if (toc && !toc->is_malformed &&
            toc->split_offset) /* what is not told whole: clients take such a layer whole */
            layer.toc = toc;
        if (!take_type(name, &layer.blob, err) ||
            !take_diff_id(arena, name, config.diff_ids.items[i], &layer.diff_id, err))
            return false;
        list_add(arena, ret_layers, layer);
    }
    return true;
}
