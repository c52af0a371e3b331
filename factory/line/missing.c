/* SPDX-License-Identifier: Apache-2.0 */
#include "line/missing.h"

#include "base/auto.h"
#include "line/assembly.h"
#include "line/parts.h"
#include "registry/pull.h"
#include "registry/push.h"
#include "registry/registries_conf.h"

/* The gravest of the orders that failed; NULL: none did. */
static const struct job *find_worst(const struct batch_image *image)
{
    const struct job *worst = NULL;
    for (size_t i = 0; i < image->arch_count; i++) {
        const struct job *job = &image->jobs[i];
        if (!job->is_good && (!worst || err_kind_is_graver(job->err.kind, worst->err.kind)))
            worst = job;
    }
    return worst;
}

const struct job *missing_first_good(const struct batch_image *image)
{
    for (size_t i = 0; i < image->arch_count; i++) {
        if (image->jobs[i].is_good)
            return &image->jobs[i];
    }
    return NULL;
}

/* Whether the others go out. A signal ends all of it, and who only asks wants to know what is wrong. */
static bool may_go_on(const struct batch_image *image, const struct plant *plant, const struct job *worst)
{
    bool is_wanted = (image->together.on_missing != MISSING_HOLD || parts_are_made(plant)) && missing_first_good(image);
    for (size_t i = 0; i < image->arch_count; i++)
        is_wanted = is_wanted && image->jobs[i].err.kind != ERR_CANCELLED;
    return is_wanted && worst->err.kind != ERR_INTERNAL && !plant->options->explained && !plant->options->is_dry_run;
}

bool missing_settle(struct batch_image *image, const struct plant *plant)
{
    const struct job *worst = find_worst(image);
    image->made = arena_new_array(&image->arena, const struct image *, image->arch_count);
    for (size_t i = 0; i < image->arch_count; i++)
        image->made[i] = image->jobs[i].is_good ? &image->jobs[i].image : NULL;
    if (!worst)
        return true;
    image->is_partial = may_go_on(image, plant, worst);
    *(image->is_partial ? &image->missing : &image->err) = worst->err;
    return image->is_partial;
}

size_t missing_list_made(const struct batch_image *image, const struct image **items)
{
    size_t count = 0;
    for (size_t i = 0; i < image->arch_count; i++) {
        if (image->made[i])
            items[count++] = image->made[i];
    }
    size_t first_count = count;
    for (size_t i = 0; i < first_count; i++) {
        if (items[i]->second)
            items[count++] = items[i]->second;
    }
    return count;
}

/* --- what the registry has --- */

/* Looking for it. */
struct keeping {
    struct batch_image *image;
    struct plant *plant;
    struct registry *registry;
    struct reference reference;
};

static enum layer_compression compression_of(const char *media_type)
{
    return text_has_suffix(text_of(media_type), "zstd") ? LAYER_ZSTD : LAYER_GZIP;
}

struct image *missing_adopt(struct arena *arena, const struct arch *arch, const struct layout_manifest *manifest)
{
    struct image *image = arena_new(arena, struct image);
    image->arch = arch;
    image->config = (struct document){manifest->config_bytes.ptr, manifest->config_bytes.len, manifest->config.digest};
    image->manifest = (struct document){manifest->bytes.ptr, manifest->bytes.len, manifest->blob.digest};
    for (size_t i = 0; i < manifest->layers.count; i++) {
        const struct layout_blob *blob = &manifest->layers.items[i];
        struct layer layer = {
            .compression = compression_of(blob->media_type), .digest = blob->digest, .size_bytes = blob->size_bytes};
        list_add(arena, &image->layers, layer);
    }
    return image;
}

/* Finds what a tag has for an architecture, with its layers; *ret_image is NULL when there is no such tag, or it has
 * nothing for it. */
static bool find_there(struct keeping *keeping, const char *tag, const struct arch *arch, struct image **ret_image,
                       struct err *err)
{
    struct arena *arena = &keeping->image->arena;
    struct platforms platforms = {0};
    struct layout_wanted wanted = {.platforms = &platforms};
    struct pull_request request = {.reference = &keeping->reference, .wanted = &wanted};
    struct layout_image found = {.blobs_fd = -1};
    *ret_image = NULL;
    platforms_add(arena, &platforms, arch->oci_os, arch->oci_architecture, arch->oci_variant);
    keeping->reference.tag = tag;
    if (!pull_documents(keeping->registry, keeping->plant->store, arena, &request, &found, err))
        return false;
    for (size_t i = 0; i < found.manifests.count; i++) {
        struct layout_manifest *manifest = &found.manifests.items[i];
        if (manifest->unread || manifest->is_attestation ||
            strcmp(manifest->blob.media_type, OCI_MEDIA_MANIFEST) != 0 ||
            !platforms_want(&platforms, manifest->os, manifest->architecture, manifest->variant))
            continue;
        struct layout_image one = {.blobs_fd = -1, .manifests = {manifest, 1, 1}};
        if (!assembly_is_bare(keeping->plant) &&
            !pull_layers(keeping->registry, keeping->plant->store, &one, NULL, err))
            return false;
        struct image *adopted = missing_adopt(arena, arch, manifest);
        if (!*ret_image) {
            *ret_image = adopted;
        } else if (digest_eq(&adopted->config.digest, &(*ret_image)->config.digest)) { /* otherwise compressed */
            (*ret_image)->second = adopted;
            return true;
        }
    }
    return true;
}

/* Asks the tags in turn. One that is not there is no error. */
static bool keep_one(struct keeping *keeping, const struct arch *arch, const struct strings *tags,
                     const struct image **ret_image, struct err *err)
{
    struct image *image = NULL;
    for (size_t i = 0; i < tags->count && !image; i++) {
        if (find_there(keeping, tags->items[i], arch, &image, err))
            continue;
        if (err->kind != ERR_PUBLISH || err->detail)
            return false;
        err_clear(err);
    }
    if (!image)
        err_set(err, ERR_PUBLISH, "%s has nothing for %s under its tags", keeping->image->destination, arch->name);
    *ret_image = image;
    return image != NULL;
}

/* Those that say nothing of a version were moved by the last night; a version's tag may be older. */
static struct strings order_tags(struct arena *arena, const struct strings *tags)
{
    struct strings ordered = {0};
    for (int floats = 1; floats >= 0; floats--) {
        for (size_t i = 0; i < tags->count; i++) {
            if (push_tag_floats(tags, tags->items[i]) == floats)
                list_add(arena, &ordered, tags->items[i]);
        }
    }
    return ordered;
}

static bool keep_all(struct keeping *keeping, struct err *err)
{
    struct batch_image *image = keeping->image;
    const struct registry_options *options;
    struct strings tags = order_tags(&image->arena, &image->tags);
    if (!reference_parse(&image->arena, image->destination, false, &keeping->reference, err) ||
        !registries_conf_options(&image->arena, keeping->plant->options->registry, &keeping->reference, &options,
                                 err) ||
        !registry_open(options, keeping->plant->http, &keeping->reference, REGISTRY_PULL, &keeping->registry, err))
        return false;
    for (size_t i = 0; i < image->arch_count; i++) {
        if (!image->made[i] && !keep_one(keeping, image->arches[i], &tags, &image->made[i], err))
            return false;
    }
    return true;
}

bool missing_keep(struct batch_image *image, struct plant *plant, struct err *err)
{
    struct keeping keeping = {.image = image, .plant = plant};
    struct err cause = {0};
    bool is_kept = image->destination && keep_all(&keeping, &cause);
    registry_close(keeping.registry);
    if (is_kept)
        return true;
    if (cause.kind == ERR_CANCELLED) {
        *err = cause;
        return false;
    }
    err_set(err, image->missing.kind, "%s; nothing is kept in its place: %s", image->missing.text,
            image->destination ? cause.text : "the image has no place in a registry");
    image->is_partial = false;
    return false;
}

void missing_log(const struct batch_image *image, struct log *log)
{
    for (size_t i = 0; image->is_partial && i < image->arch_count; i++) {
        const char *name = image->manifest->name, *arch = image->arches[i]->name;
        if (image->jobs[i].is_good)
            continue;
        if (image->made[i])
            log_line(log, LOG_QUIET, "warning: %s goes out with what %s had for %s, sha256:%s", name,
                     image->destination, arch, digest_hex(&image->made[i]->manifest.digest).chars);
        else
            log_line(log, LOG_QUIET, "warning: %s goes out without %s", name, arch);
    }
}
