#include "line/publish.h"

#include "base/auto.h"

static bool push_layout(struct arena *arena, const struct registry_options *options, struct http *http,
                        struct publication *publication, struct err *err)
{
    AUTO(layout_image_close) struct layout_image image = {.blobs_fd = -1};
    AUTO(auto_close_registry) struct registry *registry = NULL;
    struct reference reference;
    if (!reference_parse(arena, publication->destination, false, &reference, err) ||
        !layout_image_open(arena, publication->layout, publication->layout_tag, publication->wait, &image, err))
        return false;
    if (!publication->tags.count)
        publication->tags = image.tags;
    struct push_request request = {.image = &image,
                                   .tags = &publication->tags,
                                   .platform_tags = publication->platform_tags.items,
                                   .platform_tag_count = publication->platform_tags.count,
                                   .policy = publication->policy};
    publication->result.digest = image.root.digest;
    return registry_open(options, http, &reference, REGISTRY_PUSH, &registry, err) &&
           push_image(registry, arena, &request, &publication->result, err);
}

bool publish_layout(struct arena *arena, const struct registry_options *options, struct http *http,
                    struct publication *publication, struct err *err)
{
    publication->is_tried = true;
    publication->is_good = push_layout(arena, options, http, publication, err);
    if (!publication->is_good)
        publication->err = *err;
    return publication->is_good;
}
