/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/oci_part.h"

#include "base/auto.h"

#include <jansson.h>
#include <stdlib.h>

#define PLAN_ANNOTATION "vnd.imgfactory.plan"
#define EMPTY_TYPE "application/vnd.oci.empty.v1+json"
#define EMPTY_TEXT "{}"
#define PLATFORMS_MAX ((size_t)2)

static json_t *describe(const char *type, const struct digest *digest, uint64_t size_bytes)
{
    return json_pack("{s:s, s:o, s:I}", "mediaType", type, "digest",
                     json_sprintf("sha256:%s", digest_hex(digest).chars), "size", (json_int_t)size_bytes);
}

/* Takes the JSON over. */
static struct document print(struct arena *arena, json_t *json)
{
    AUTO(auto_free) char *bytes = json_dumps(json, JSON_COMPACT);
    if (!bytes)
        memory_abort(0);
    json_decref(json);
    size_t len = strlen(bytes);
    return (struct document){arena_strndup(arena, bytes, len), len, digest_of(bytes, len)};
}

/* A child of the index. */
static json_t *child(const struct digest *digest, uint64_t size_bytes, const char *os, const char *architecture,
                     const char *variant)
{
    json_t *json = describe(OCI_MEDIA_MANIFEST, digest, size_bytes);
    json_t *platform = json_pack("{s:s, s:s}", "architecture", architecture, "os", os);
    if (variant)
        json_object_set_new(platform, "variant", json_string(variant));
    json_object_set_new(json, "platform", platform);
    return json;
}

static void add_platform(json_t *children, const struct digest *digest, uint64_t size_bytes, const struct arch *arch)
{
    json_array_append_new(children, child(digest, size_bytes, arch->oci_os, arch->oci_architecture, arch->oci_variant));
}

void oci_part_make(struct arena *arena, const struct oci_part *part, struct oci_part_documents *ret_documents)
{
    const struct arch *arch = part->arch;
    struct document empty = {EMPTY_TEXT, strlen(EMPTY_TEXT), digest_of(EMPTY_TEXT, strlen(EMPTY_TEXT))};
    struct document artifact = print(arena, json_pack("{s:i, s:s, s:s, s:o, s:[o]}", "schemaVersion", 2, "mediaType",
                                                      OCI_MEDIA_MANIFEST, "artifactType", OCI_PART_BILL_TYPE, "config",
                                                      describe(EMPTY_TYPE, &empty.digest, empty.len), "layers",
                                                      describe(OCI_PART_BILL_TYPE, &part->bill, part->bill_bytes)));
    json_t *children = json_array();
    add_platform(children, &part->manifest, part->manifest_bytes, arch);
    if (part->second_bytes)
        add_platform(children, &part->second, part->second_bytes, arch);
    json_array_append_new(children, child(&artifact.digest, artifact.len, "unknown", "unknown", NULL));
    struct document index =
        print(arena, json_pack("{s:i, s:s, s:o, s:{s:s}}", "schemaVersion", 2, "mediaType", OCI_MEDIA_INDEX,
                               "manifests", children, "annotations", PLAN_ANNOTATION, part->plan));
    *ret_documents = (struct oci_part_documents){empty, artifact, index};
}

/* Whether the children are what a part has, by their kinds: one or two images, and a bill. */
static bool has_children(const struct layout_image *image)
{
    size_t count = image->manifests.count;
    if (!image->is_index || count < 2 || count > PLATFORMS_MAX + 1)
        return false;
    for (size_t i = 0; i + 1 < count; i++) {
        const struct layout_manifest *platform = &image->manifests.items[i];
        if (platform->unread || platform->is_attestation || !layout_is_config(platform->config.media_type))
            return false;
    }
    const struct layout_manifest *bill = &image->manifests.items[count - 1];
    return !bill->unread && bill->layers.count == 1;
}

bool oci_part_read(struct arena *arena, const struct layout_image *image, const char *plan, const struct arch *arch,
                   struct oci_part *ret_part, struct err *err)
{
    bool is_part = has_children(image);
    if (is_part) {
        struct oci_part_documents documents;
        const struct layout_manifest *platforms = image->manifests.items;
        size_t count = image->manifests.count - 1;
        const struct layout_blob *bill = &platforms[count].layers.items[0];
        *ret_part = (struct oci_part){.plan = plan,
                                      .arch = arch,
                                      .manifest = platforms[0].blob.digest,
                                      .manifest_bytes = platforms[0].blob.size_bytes,
                                      .bill = bill->digest,
                                      .bill_bytes = bill->size_bytes};
        if (count > 1) {
            ret_part->second = platforms[1].blob.digest;
            ret_part->second_bytes = platforms[1].blob.size_bytes;
        }
        oci_part_make(arena, ret_part, &documents);
        is_part = text_eq(image->root_bytes, (struct text){documents.index.bytes, documents.index.len});
    }
    if (!is_part)
        err_set(err, ERR_MALFORMED, "sha256:%s is no platform for %s of the plan %s",
                digest_hex(&image->root.digest).chars, arch->name, plan);
    return is_part;
}

bool oci_part_is_of(struct text manifest, const char *plan)
{
    json_auto_t *json = json_loadb(manifest.ptr, manifest.len, JSON_REJECT_DUPLICATES, NULL);
    const json_t *annotations = json_object_get(json, "annotations");
    const char *there = json_string_value(json_object_get(annotations, PLAN_ANNOTATION));
    return there && strcmp(there, plan) == 0;
}
