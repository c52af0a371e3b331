#include "line/publish.h"

#include "base/auto.h"

bool publish_open(struct arena *arena, const struct publish_options *options, struct http *http, struct log *log,
                  const struct reference *reference, enum registry_access access, struct registry **ret_registry,
                  struct err *err)
{
    struct registry_options registry_options = {.http = http,
                                                .log = log,
                                                .authfile = options->authfile,
                                                .cert_dir = options->cert_dir,
                                                .is_verify_off = options->is_verify_off,
                                                .token_origins = &options->token_origins,
                                                .retries = options->retries ? options->retries : REGISTRY_NO_RETRY,
                                                .is_other_there = options->is_other_there,
                                                .cancel = options->cancel};
    return registry_open(arena, &registry_options, reference, access, NULL, ret_registry, err);
}

static void close_registry(struct registry **registry)
{
    registry_close(*registry);
}

static bool push_layout(struct arena *arena, const struct publish_options *options, struct http *http, struct log *log,
                        const char *layout, const char *tag, struct publication *publication, struct err *err)
{
    AUTO(layout_image_close) struct layout_image image = {.blobs_fd = -1};
    AUTO(close_registry) struct registry *registry = NULL;
    struct reference reference;
    if (!reference_parse(arena, publication->destination, false, &reference, err) ||
        !layout_image_open_waiting(arena, layout, tag, options->wait, &image, err))
        return false;
    if (!publication->tags.count)
        publication->tags = image.tags;
    struct push_request request = {.image = &image,
                                   .tags = &publication->tags,
                                   .platform_tags = publication->platform_tags.items,
                                   .platform_tag_count = publication->platform_tags.count,
                                   .policy = options->policy};
    publication->result.digest = image.root.digest;
    return publish_open(arena, options, http, log, &reference, REGISTRY_PUSH, &registry, err) &&
           push_image(registry, arena, &request, &publication->result, err);
}

bool publish_layout(struct arena *arena, const struct publish_options *options, struct http *http, struct log *log,
                    const char *layout, const char *tag, struct publication *publication, struct err *err)
{
    publication->is_tried = true;
    publication->is_good = push_layout(arena, options, http, log, layout, tag, publication, err);
    if (!publication->is_good)
        publication->err = *err;
    return publication->is_good;
}
