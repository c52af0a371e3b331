/* SPDX-License-Identifier: Apache-2.0 */
#include "line/publish.h"

#include "base/auto.h"
#include "oci/oci_base.h"
#include "registry/registries_conf.h"

struct strings publish_tags(struct arena *arena, const struct layout_image *image)
{
    struct strings tags = {0};
    for (size_t i = 0; i < image->tags.count; i++) {
        const char *name = image->tags.items[i], *colon = strrchr(name, ':');
        list_add(arena, &tags, !reference_is_tag(name) && colon && reference_is_tag(colon + 1) ? colon + 1 : name);
    }
    return tags;
}

/* The repository of the image's base, when it is in the registry that is pushed to. */
static const char *repository_of_base(struct arena *arena, const struct layout_image *image,
                                      const struct reference *target)
{
    struct reference reference;
    struct err none = {0}; /* of a layout it is no reference */
    const char *name = oci_base_name_of(arena, image->root_bytes);
    bool is_near = name && strchr(name, '/') && reference_parse(arena, name, true, &reference, &none) &&
                   strcmp(reference.host, target->host) == 0 && strcmp(reference.repository, target->repository) != 0;
    return is_near ? reference.repository : NULL;
}

static bool push_layout(struct arena *arena, const struct registry_options *options, struct http *http,
                        struct publication *publication, struct err *err)
{
    AUTO(layout_image_close) struct layout_image image = {.blobs_fd = -1};
    AUTO(auto_close_registry) struct registry *registry = NULL;
    struct reference reference;
    struct layout_choice choice = {.dir = publication->layout,
                                   .tag = publication->layout_tag,
                                   .wait = publication->wait,
                                   .shown = publication->shown};
    if (!reference_parse(arena, publication->destination, false, &reference, err) ||
        !registries_conf_options(arena, options, &reference, &options, err) ||
        !layout_image_open(arena, &choice, &image, err))
        return false;
    if (!publication->tags.count)
        publication->tags = publish_tags(arena, &image);
    struct push_request request = {.image = &image,
                                   .tags = &publication->tags,
                                   .platform_tags = publication->platform_tags.items,
                                   .platform_tag_count = publication->platform_tags.count,
                                   .policy = publication->policy,
                                   .attachment = publication->attachment,
                                   .givers = publication->givers,
                                   .guard = publication->guard,
                                   .are_blobs_there = publication->are_blobs_there,
                                   .mount_from = repository_of_base(arena, &image, &reference),
                                   .counter = publication->progress ? &publication->progress->bytes_done : NULL,
                                   .total = publication->progress ? &publication->progress->bytes_total : NULL};
    publication->result.digest = image.root.digest;
    return registry_open(options, http, &reference, REGISTRY_PUSH, &registry, err) &&
           push_image(registry, arena, &request, &publication->result, err);
}

bool publish_layout(struct arena *arena, const struct registry_options *options, struct http *http,
                    struct publication *publication, struct err *err)
{
    publication->is_tried = true;
    if (publication->progress)
        progress_stage(publication->progress, STAGE_PUSH);
    publication->is_good = push_layout(arena, options, http, publication, err);
    if (publication->progress)
        progress_stage(publication->progress, publication->is_good ? STAGE_DONE : STAGE_FAILED);
    if (!publication->is_good)
        publication->err = *err;
    return publication->is_good;
}
