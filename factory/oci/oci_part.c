/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/oci_part.h"

#include "base/auto.h"

#include <jansson.h>
#include <stdlib.h>

#define PLAN_ANNOTATION "vnd.imgfactory.plan"
#define EMPTY_TYPE "application/vnd.oci.empty.v1+json"
#define EMPTY_TEXT "{}"

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

void oci_part_make(struct arena *arena, const struct oci_part *part, struct oci_part_documents *ret_documents)
{
    const struct arch *arch = part->arch;
    struct document empty = {EMPTY_TEXT, strlen(EMPTY_TEXT), digest_of(EMPTY_TEXT, strlen(EMPTY_TEXT))};
    struct document artifact = print(arena, json_pack("{s:i, s:s, s:s, s:o, s:[o]}", "schemaVersion", 2, "mediaType",
                                                      OCI_MEDIA_MANIFEST, "artifactType", OCI_PART_BILL_TYPE, "config",
                                                      describe(EMPTY_TYPE, &empty.digest, empty.len), "layers",
                                                      describe(OCI_PART_BILL_TYPE, &part->bill, part->bill_bytes)));
    json_t *platform =
        child(&part->manifest, part->manifest_bytes, arch->oci_os, arch->oci_architecture, arch->oci_variant);
    json_t *bill = child(&artifact.digest, artifact.len, "unknown", "unknown", NULL);
    struct document index =
        print(arena, json_pack("{s:i, s:s, s:[o,o], s:{s:s}}", "schemaVersion", 2, "mediaType", OCI_MEDIA_INDEX,
                               "manifests", platform, bill, "annotations", PLAN_ANNOTATION, part->plan));
    *ret_documents = (struct oci_part_documents){empty, artifact, index};
}

bool oci_part_read(struct arena *arena, const struct layout_image *image, const char *plan, const struct arch *arch,
                   struct oci_part *ret_part, const struct layout_manifest **ret_platform, struct err *err)
{
    const struct layout_manifest *platform = image->manifests.items, *bill = platform + 1;
    bool is_part = image->is_index && image->manifests.count == 2 && !platform->unread && !platform->is_attestation &&
                   !bill->unread && bill->layers.count == 1 && layout_is_config(platform->config.media_type);
    if (is_part) {
        struct oci_part_documents documents;
        *ret_part = (struct oci_part){.plan = plan,
                                      .arch = arch,
                                      .manifest = platform->blob.digest,
                                      .manifest_bytes = platform->blob.size_bytes,
                                      .bill = bill->layers.items[0].digest,
                                      .bill_bytes = bill->layers.items[0].size_bytes};
        oci_part_make(arena, ret_part, &documents);
        is_part = text_eq(image->root_bytes, (struct text){documents.index.bytes, documents.index.len});
    }
    *ret_platform = platform;
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
