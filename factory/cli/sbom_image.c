/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/sbom_image.h"

bool sbom_image_init(struct remote *remote, struct sbom_image *ret_image, struct err *err)
{
    *ret_image = (struct sbom_image){.opened.local.blobs_fd = -1};
    return image_opener_init(remote, &ret_image->opener, err) && image_opener_open_store(&ret_image->opener, err);
}

const char *sbom_image_word(const struct sbom_image *image)
{
    return image->opener.remote->command->options.words.items[image->word_at];
}

/* The last component of a path, or of a reference's repository. */
static const char *last_part(struct arena *arena, const char *path)
{
    size_t len = strlen(path);
    while (len > 1 && path[len - 1] == '/')
        len--;
    const char *trimmed = arena_strndup(arena, path, len), *slash = strrchr(trimmed, '/');
    return slash && slash[1] ? slash + 1 : trimmed;
}

/* An archive is unpacked somewhere: its name is the word. */
static bool name_image(struct sbom_image *image, struct err *err)
{
    struct remote *remote = image->opener.remote;
    struct arena *arena = remote->arena;
    const char *word = sbom_image_word(image), *dir = image->opened.image->dir;
    struct reference reference;
    if (!image->opened.remote.registry) {
        image->name.name = last_part(
            arena, dir && !(image->word_at < REMOTE_ARCHIVES && remote->archives[image->word_at].layout) ? dir : word);
        return true;
    }
    if (!reference_parse(arena, word, false, &reference, err))
        return false;
    image->name = (struct sbom_name){.name = last_part(arena, reference.repository),
                                     .repository = arena_printf(arena, "%s/%s", reference.host, reference.repository),
                                     .tag = reference.tag};
    return true;
}

static bool list_platforms(struct sbom_image *image, struct err *err)
{
    const struct layout_image *opened = image->opened.image;
    image->platforms.count = 0;
    for (size_t i = 0; i < opened->manifests.count; i++) {
        if (side_is_platform(&opened->manifests.items[i]) && !layout_is_repeated(opened, &opened->manifests.items[i]))
            list_add(image->opener.arena, &image->platforms, &opened->manifests.items[i]);
    }
    if (!image->platforms.count)
        err_set(err, ERR_RESOLVE, "%s has no image of a platform", sbom_image_word(image));
    return image->platforms.count > 0;
}

bool sbom_image_open(struct sbom_image *image, size_t word_at, struct err *err)
{
    image->word_at = word_at;
    return image_open_word(&image->opener, word_at, &image->opened, err) && name_image(image, err) &&
           list_platforms(image, err);
}

bool sbom_image_gather(struct sbom_image *image, struct arena *arena, const struct layout_manifest *manifest,
                       bool is_layered, struct sbom *ret_sbom, struct err *err)
{
    const struct sbom_request request = {.store = image->opener.store,
                                         .name = &image->name,
                                         .image = {sbom_image_word(image), image->opened.image, manifest},
                                         .is_layered = is_layered};
    if (!image_word_fetch(&image->opener, image->opened.remote.registry, manifest, err) ||
        !sbom_gather(arena, &request, ret_sbom, err))
        return false;
    if (ret_sbom->note)
        log_line(image->opener.remote->command->log, LOG_QUIET, "warning: %s: %s", request.image.name, ret_sbom->note);
    return true;
}

bool sbom_image_gather_all(struct sbom_image *image, bool is_layered, struct sbom_gathered *ret_gathered,
                           struct err *err)
{
    struct arena *arena = image->opener.arena;
    *ret_gathered = (struct sbom_gathered){.items = arena_new_array(arena, struct sbom, image->platforms.count)};
    for (size_t i = 0; i < image->platforms.count; i++) {
        struct sbom *sbom = &ret_gathered->items[ret_gathered->count++];
        *sbom = (struct sbom){0};
        if (!sbom_image_gather(image, arena, image->platforms.items[i], is_layered, sbom, err))
            return false;
    }
    return true;
}

void sbom_gathered_done(struct sbom_gathered *gathered)
{
    for (size_t i = 0; i < gathered->count; i++)
        sbom_done(&gathered->items[i]);
    gathered->count = 0;
}

void sbom_image_close(struct sbom_image *image)
{
    image_opened_close(&image->opened);
    image->opened = (struct image_opened){.local.blobs_fd = -1};
}

void sbom_image_done(struct sbom_image *image)
{
    sbom_image_close(image);
    store_close(image->opener.store);
    image->opener.store = NULL;
}
