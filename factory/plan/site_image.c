/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/site_image.h"

#include "base/auto.h"
#include "base/date.h"
#include "base/map.h"
#include "plan/manifest.h"
#include "plan/rules.h"
#include "plan/site_values.h"

#include <stdlib.h>

/* An item while it is read. */
struct item_form {
    struct site_image common;
    const char *image;
    struct strings images, arches;
    const char *keep, *end_of_life;
    const struct yaml_node *push, *tags;
};

#define FIELD(type, key, member, alters) YAML_FIELD(type, item_form, key, member, false, alters)

static const struct yaml_field fields[] = {
    FIELD(YAML_STRING, "image", image, ALTERS_ORDER),
    FIELD(YAML_STRINGS, "images", images, ALTERS_ORDER),
    FIELD(YAML_STRING, "source", common.source, ALTERS_ORDER),
    FIELD(YAML_STRING, "base", common.base, ALTERS_ORDER),
    FIELD(YAML_NODE, "tags", tags, ALTERS_NOTHING),
    FIELD(YAML_STRING, "keep", keep, ALTERS_NOTHING),
    FIELD(YAML_STRING, "end-of-life", end_of_life, ALTERS_ORDER),
    FIELD(YAML_NODE, "push", push, ALTERS_NOTHING),
    FIELD(YAML_STRINGS, "architectures", arches, ALTERS_ORDER),
    FIELD(YAML_STRING, "parity", common.parity, ALTERS_NOTHING),
    FIELD(YAML_STRING, "on-missing", common.on_missing, ALTERS_NOTHING),
};

const struct yaml_field *site_image_keys(size_t *ret_count)
{
    *ret_count = ARRAY_COUNT(fields);
    return fields;
}

/* What has been read of the list. */
struct listing {
    struct arena *arena;
    struct map words;
    struct site_images images;
};

/* Makes a manifest's path, which is relative to the site file, one that can be opened from here. Not the path of a program
 * behind "command:". */
static const char *word_of(struct arena *arena, const struct yaml_node *node, const char *word)
{
    bool is_path = yaml_is_path(word) && !memchr(word, ':', strcspn(word, "/"));
    return is_path ? site_values_beside(arena, node->file->path, word) : word;
}

static bool add_word(struct listing *listing, const struct yaml_node *node, const struct site_image *common,
                     const char *written, struct err *err)
{
    struct site_image image = *common;
    if (!*written || !rule_is_one_line(written, false))
        return yaml_fail(node, err, "an image is named by a manifest's name or path, a program, a package or a unit");
    image.word = word_of(listing->arena, node, written);
    if (!map_add(&listing->words, text_of(image.word), &listing->words))
        return site_values_fail(listing->arena, node, written, "comes twice in 'images'", err);
    list_add(listing->arena, &listing->images, image);
    return true;
}

/* A layout's path is made absolute, since manifests elsewhere have it. */
static bool read_base(struct arena *arena, const struct yaml_node *item, const char **base, struct err *err)
{
    const struct manifest wanted = {.base = *base};
    const struct yaml_node *node = yaml_get(item, "base");
    const char *image = manifest_base_image(&wanted);
    if ((image && !rule_is_image_name(image)) || !**base || !rule_is_one_line(*base, false))
        return yaml_fail(node, err, "'base' must be a reference, the path of a layout, or manifest:NAME");
    if (!manifest_base_is_layout(*base))
        return true;
    bool has_scheme = text_has_prefix(text_of(*base), "oci:");
    const char *path = has_scheme ? *base + 4 : *base, *slash = strrchr(item->file->path, '/');
    if (path[0] == '/')
        return true;
    const char *dir = slash ? arena_strndup(arena, item->file->path, (size_t)(slash - item->file->path)) : ".";
    AUTO(auto_free) char *whole = realpath(slash == item->file->path ? "/" : dir, NULL);
    if (!whole)
        return yaml_fail(node, err, "cannot tell where the site file is");
    *base = arena_printf(arena, "%s%s/%s", has_scheme ? "oci:" : "", whole, path);
    return true;
}

/* push: true, false, or where to. Several images cannot go to one repository. */
static bool read_push(const struct yaml_node *node, size_t count, struct site_image *image, struct err *err)
{
    bool is_scalar = node->kind == YAML_SCALAR && *node->scalar;
    bool is_false = is_scalar && !node->is_quoted && strcmp(node->scalar, "false") == 0;
    image->has_push = true;
    image->is_push = !is_false;
    if (!is_scalar || !rule_is_one_line(node->scalar, false))
        return yaml_fail(node, err, "'push' must be true, false, or where to: REGISTRY/NAMESPACE/NAME");
    if (is_false || (!node->is_quoted && strcmp(node->scalar, "true") == 0))
        return true;
    image->push = node->scalar;
    if (count > 1 && !text_has_suffix(text_of(node->scalar), "/"))
        return yaml_fail(node, err,
                         "'push' is one repository for several images; with '/' at its end each has its own");
    return true;
}

/* end-of-life: 2026-12-31, the first day on which it is not built any more. */
static bool read_end(struct arena *arena, const struct yaml_node *item, const struct item_form *form,
                     struct site_image *image, struct err *err)
{
    image->has_end = form->end_of_life != NULL;
    return !image->has_end || date_parse_day(form->end_of_life, &image->end_of_life) ||
           site_values_fail(arena, yaml_get(item, "end-of-life"), form->end_of_life,
                            "is not a day: YEAR-MONTH-DAY, such as 2026-12-31", err);
}

/* Reads what a mapping says besides the names. */
static bool read_common(struct arena *arena, const struct yaml_node *item, struct item_form *form, struct err *err)
{
    struct site_image *common = &form->common;
    size_t count = form->image ? 1 : form->images.count;
    if (!site_values_check_filled(item, "source", err) || !site_values_check_filled(item, "architectures", err) ||
        !site_values_check_filled(item, "images", err) ||
        (form->tags && !tag_rules_read(arena, form->tags, &common->tags, &common->tag_rules, err)) ||
        !site_values_check_tags(arena, form->tags, &common->tags, err) ||
        !tag_keep_read(arena, yaml_get(item, "keep"), &common->keep, err) ||
        !read_end(arena, item, form, common, err) ||
        !site_values_check_together(arena, item, common->parity, common->on_missing, err) ||
        (common->base && !read_base(arena, item, &common->base, err)) ||
        (form->push && !read_push(form->push, count, common, err)))
        return false;
    if (common->source && yaml_is_path(common->source))
        common->source = site_values_beside(arena, item->file->path, common->source);
    common->arch = form->arches.count ? strings_join(arena, &form->arches, ",") : NULL;
    return true;
}

/* Tells how an image with settings is written, where its name stands as a key: "nsd: {tags: [x]}", "name: nsd". */
static bool check_named(struct arena *arena, const struct yaml_node *item, struct err *err)
{
    const struct yaml_table mine = {.fields = fields, .count = ARRAY_COUNT(fields)};
    if (!item->count || yaml_get(item, "image") || yaml_get(item, "images") ||
        yaml_has_field(&mine, item->keys[0]->scalar))
        return true;
    const struct yaml_node *key = item->keys[0], *value = item->items[0];
    bool is_scalar = value->kind == YAML_SCALAR && *value->scalar;
    if (is_scalar && strcmp(key->scalar, "name") != 0)
        return true; /* a key that is written wrong */
    return yaml_fail(key, err, "unknown key '%s'; did you mean image: %s?", text_printable(arena, text_of(key->scalar)),
                     text_printable(arena, text_of(is_scalar ? value->scalar : key->scalar)));
}

static bool read_item(struct listing *listing, const struct yaml_node *item, struct err *err)
{
    struct item_form form = {0};
    if (item->kind == YAML_SCALAR)
        return add_word(listing, item, &form.common, item->scalar, err);
    if (item->kind != YAML_MAPPING)
        return yaml_fail(item, err, "an image is a word, or a mapping with 'image' or 'images'");
    if (!check_named(listing->arena, item, err) ||
        !yaml_read(listing->arena, item, fields, ARRAY_COUNT(fields), &form, err))
        return false;
    const struct yaml_node *group = yaml_get(item, "images");
    if (!form.image == !group)
        return yaml_fail(item, err, "an image's mapping has either 'image' or 'images'");
    if (!read_common(listing->arena, item, &form, err))
        return false;
    if (form.image)
        return add_word(listing, yaml_get(item, "image"), &form.common, form.image, err);
    for (size_t i = 0; i < form.images.count; i++) {
        if (!add_word(listing, yaml_item(group, i), &form.common, form.images.items[i], err))
            return false;
    }
    return true;
}

/* The image that is meant by "images: nsd" and "images: {nsd: …}". */
static const char *first_word(struct arena *arena, const struct yaml_node *node)
{
    const char *word = node->kind == YAML_SCALAR                   ? node->scalar
                       : node->kind == YAML_MAPPING && node->count ? node->keys[0]->scalar
                                                                   : "";
    return *word ? text_printable(arena, text_of(word)) : "dhcpd";
}

bool site_image_read(struct arena *arena, const struct yaml_node *node, struct site_images *ret_images, struct err *err)
{
    struct listing listing = {.arena = arena, .words = {.arena = arena}};
    if (node->kind != YAML_SEQUENCE || !node->count)
        return yaml_fail(node, err, "'images' wants a list of images: images: [%s]", first_word(arena, node));
    for (size_t i = 0; i < node->count; i++) {
        if (!read_item(&listing, node->items[i], err))
            return false;
    }
    *ret_images = listing.images;
    return true;
}

bool site_image_has_keep(const struct site_image *image)
{
    bool has_keep = image->keep.kind != KEEP_UNSAID;
    for (size_t i = 0; i < image->tag_rules.count; i++)
        has_keep = has_keep || image->tag_rules.items[i].keep.kind != KEEP_UNSAID;
    return has_keep;
}

const struct site_image *site_image_find(const struct site_images *images, const char *word)
{
    for (size_t i = 0; i < images->count; i++) {
        if (strcmp(images->items[i].word, word) == 0)
            return &images->items[i];
    }
    return NULL;
}

const char *site_image_push(struct arena *arena, const struct site_image *image, const char *name)
{
    bool is_folder = image && image->push && text_has_suffix(text_of(image->push), "/");
    return !image ? NULL : is_folder ? arena_printf(arena, "%s%s", image->push, name) : image->push;
}
