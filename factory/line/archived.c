/* SPDX-License-Identifier: Apache-2.0 */
#include "line/archived.h"

#include "base/auto.h"

/* The documents that were made. */
struct made {
    const struct image *const *images;
    size_t count;
};

static const struct document *find(const struct made *made, const struct digest *digest)
{
    for (size_t i = 0; i < made->count; i++) {
        const struct image *image = made->images[i];
        if (digest_eq(&image->manifest.digest, digest))
            return &image->manifest;
        if (digest_eq(&image->config.digest, digest))
            return &image->config;
    }
    return NULL;
}

static bool get(void *context, const struct layout_blob *blob, struct text *ret_bytes, bool *ret_is_absent,
                struct err *err)
{
    const struct document *document = find(context, &blob->digest);
    *ret_is_absent = !document;
    if (document)
        *ret_bytes = (struct text){document->bytes, document->len};
    else
        err_set(err, ERR_INTERNAL, "an image lists sha256:%s, which was not made", digest_hex(&blob->digest).chars);
    return document != NULL;
}

bool archived_write(struct batch_image *image, const struct plant *plant, const struct image *const *made, size_t count,
                    struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct made documents = {made, count};
    const struct layout_source source = {.get = get, .context = &documents};
    const struct layout_blob root = {image->index.digest, image->index.len, OCI_MEDIA_INDEX};
    struct layout_image read = {.blobs_fd = -1};
    const struct archive_request request = {.target = plant->options->archive,
                                            .store = plant->store,
                                            .image = &read,
                                            .name = arena_printf(&scratch, "localhost/%s", image->manifest->name),
                                            .tags = &image->tags};
    if (image->is_implied)
        return true;
    bool is_written =
        layout_image_parse(&scratch, &root, (struct text){image->index.bytes, image->index.len}, &source, &read, err) &&
        archive_write(&request, err);
    image->archive = is_written ? request.target : NULL;
    return is_written;
}
