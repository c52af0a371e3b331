/* SPDX-License-Identifier: Apache-2.0 */
/* Labels that quay acts on (quay/quay: data/registry_model/label_handlers.py; which labels an index has: those that all
 * its manifests have with the same value, data/model/oci/manifest.py). On the tag of one version they do what they are
 * for; a tag that floats would expire, or never move again. Any registry may be a quay, so its host does not matter. */
#include "registry/push_parts.h"

#include "base/auto.h"

#include <ctype.h>
#include <jansson.h>

/* A number and one of s, m, h, d, w; what quay cannot read it ignores. */
static bool is_span(const char *value)
{
    struct text text = text_trim(text_of(value));
    uint64_t number;
    if (text.len < 2 || !strchr("smhdw", text.ptr[text.len - 1]))
        return false;
    struct text digits = text_trim((struct text){text.ptr, text.len - 1});
    if (digits.len > 1 && (digits.ptr[0] == '+' || digits.ptr[0] == '-'))
        digits = (struct text){digits.ptr + 1, digits.len - 1};
    return text_parse_u64(digits, &number);
}

static bool is_true(const char *value)
{
    return text_is_nocase(text_trim(text_of(value)), "true");
}

struct trap {
    const char *label, *consequence;
    bool (*is_sprung)(const char *value);
};

static const struct trap traps[] = {
    {"quay.expires-after", "would expire", is_span},
    {"quay.immutable", "would never move again", is_true},
};

static json_t *parse(struct text document)
{
    return document.len ? json_loadb(document.ptr, document.len, JSON_ALLOW_NUL, NULL) : NULL;
}

/* The value of a label as quay reads it: the manifest's annotation, else the label of an image's config; or NULL. */
static const char *label_of(struct arena *arena, const struct push_labelled *item, const char *label)
{
    json_auto_t *manifest = parse(item->manifest), *config = parse(item->config);
    const char *value = json_string_value(json_object_get(json_object_get(manifest, "annotations"), label));
    const json_t *labels = json_object_get(json_object_get(config, "config"), "Labels");
    value = value ? value : json_string_value(json_object_get(labels, label));
    return arena_strdup(arena, value);
}

/* The value that all have; NULL when they differ or one has none. */
static const char *common_label(struct arena *arena, const struct push_labelled *items, size_t count, const char *label)
{
    const char *common = count ? label_of(arena, &items[0], label) : NULL;
    for (size_t i = 1; i < count && common; i++) {
        const char *value = label_of(arena, &items[i], label);
        common = value && strcmp(value, common) == 0 ? common : NULL;
    }
    return common;
}

/* The floating tags of the push, the root's and those of platforms. */
static struct strings floating_tags(struct arena *arena, const struct push_request *request)
{
    struct strings tags = {0};
    for (size_t i = 0; i < request->tags->count; i++) {
        if (push_tag_floats(request->tags, request->tags->items[i]))
            list_add(arena, &tags, request->tags->items[i]);
    }
    for (size_t i = 0; i < request->platform_tag_count; i++) {
        if (request->platform_tags[i].is_floating)
            list_add(arena, &tags, request->platform_tags[i].tag);
    }
    return tags;
}

bool push_check_labels(const struct push_work *push, const struct push_labelled *items, size_t count, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    struct strings tags = floating_tags(&arena, push->request);
    for (size_t i = 0; i < ARRAY_COUNT(traps) && tags.count; i++) {
        const char *value = common_label(&arena, items, count, traps[i].label);
        if (!value || !traps[i].is_sprung(value))
            continue;
        err_set(err, ERR_USAGE,
                "%s: %s %s, since the image has the label (or annotation) %s=%s, which quay applies to the tag; take "
                "the label out of the image, or use tags with a version only",
                push->registry->name, strings_join(&arena, &tags, ", "), traps[i].consequence, traps[i].label,
                text_printable(&arena, text_of(value)));
        return false;
    }
    return true;
}
