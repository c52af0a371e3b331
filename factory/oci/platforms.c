/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/platforms.h"

#include <jansson.h>

#define PLATFORMS_MAX_COUNT LAYOUT_MANIFESTS_MAX_COUNT

static bool is_same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool is_known(const char *part)
{
    return part && *part && strcmp(part, "unknown") != 0;
}

void platforms_add(struct arena *arena, struct platforms *platforms, const char *os, const char *architecture,
                   const char *variant)
{
    variant = variant && *variant ? variant : NULL;
    bool is_there = !is_known(os) || !is_known(architecture) || platforms->count >= PLATFORMS_MAX_COUNT;
    for (size_t i = 0; i < platforms->count && !is_there; i++) {
        const struct platform *platform = &platforms->items[i];
        is_there = is_same(platform->os, os) && is_same(platform->architecture, architecture) &&
                   is_same(platform->variant, variant);
    }
    if (!is_there)
        list_add(arena, platforms, (struct platform){os, architecture, variant});
}

/* A part of a platform from a foreign document, as it may be printed. */
static const char *part_of(struct arena *arena, const json_t *object, const char *key)
{
    const json_t *part = json_object_get(object, key);
    const char *string = json_string_value(part);
    return string ? text_printable(arena, (struct text){string, json_string_length(part)}) : NULL;
}

static void add_object(struct arena *arena, struct platforms *platforms, const json_t *object)
{
    platforms_add(arena, platforms, part_of(arena, object, "os"), part_of(arena, object, "architecture"),
                  part_of(arena, object, "variant"));
}

static json_t *parse(struct text document)
{
    return document.len ? json_loadb(document.ptr, document.len, JSON_ALLOW_NUL, NULL) : NULL;
}

static bool is_attestation(const json_t *descriptor)
{
    const json_t *annotations = json_object_get(descriptor, "annotations");
    return json_string_value(json_object_get(annotations, "vnd.docker.reference.type")) != NULL;
}

enum platforms_found platforms_read(struct arena *arena, struct text document, struct platforms *platforms,
                                    struct digest *ret_config)
{
    json_auto_t *json = parse(document);
    json_t *manifests = json_object_get(json, "manifests"), *item;
    size_t i;
    json_array_foreach(manifests, i, item)
    {
        if (!is_attestation(item))
            add_object(arena, platforms, json_object_get(item, "platform"));
    }
    if (json_is_array(manifests))
        return PLATFORMS_LISTED;
    const json_t *config = json_object_get(json, "config");
    const char *type = json_string_value(json_object_get(config, "mediaType"));
    const char *digest = json_string_value(json_object_get(config, "digest"));
    bool is_image = type && layout_is_config(type) && digest && strncmp(digest, "sha256:", 7) == 0;
    return is_image && digest_parse(text_of(digest + 7), ret_config) ? PLATFORMS_IN_CONFIG : PLATFORMS_NONE;
}

void platforms_add_config(struct arena *arena, struct text config, struct platforms *platforms)
{
    json_auto_t *json = parse(config);
    add_object(arena, platforms, json);
}

void platforms_of_image(struct arena *arena, const struct layout_image *image, struct platforms *platforms)
{
    for (size_t i = 0; i < image->manifests.count; i++) {
        const struct layout_manifest *manifest = &image->manifests.items[i];
        if (!manifest->is_attestation && manifest->unread != LAYOUT_OTHER)
            platforms_add(arena, platforms, manifest->os, manifest->architecture, manifest->variant);
    }
}

/* What a platform without variant stands for (containerd's platforms/database.go). */
static const char *usual_variant(const struct platform *platform)
{
    static const char *const usual[][2] = {{"amd64", "v1"}, {"arm64", "v8"}, {"arm", "v7"}};
    for (size_t i = 0; i < ARRAY_COUNT(usual) && !platform->variant; i++) {
        if (strcmp(platform->architecture, usual[i][0]) == 0)
            return usual[i][1];
    }
    return platform->variant;
}

/* Parses "v7". */
static bool parse_version(const char *variant, uint64_t *ret_version)
{
    return variant && variant[0] == 'v' && text_parse_u64(text_of(variant + 1), ret_version);
}

static bool serves(const struct platform *offered, const struct platform *wanted)
{
    const char *has = usual_variant(offered), *wants = usual_variant(wanted);
    uint64_t has_version, wants_version;
    if (!is_same(offered->os, wanted->os) || !is_same(offered->architecture, wanted->architecture))
        return false;
    if (parse_version(has, &has_version) && parse_version(wants, &wants_version))
        return has_version <= wants_version;
    return !has || is_same(has, wants);
}

static bool is_served(const struct platforms *offered, const struct platform *wanted)
{
    for (size_t i = 0; i < offered->count; i++) {
        if (serves(&offered->items[i], wanted))
            return true;
    }
    return false;
}

bool platforms_want(const struct platforms *wanted, const char *os, const char *architecture, const char *variant)
{
    const struct platforms offered = {
        .items = &(struct platform){.os = os ? os : "linux", .architecture = architecture, .variant = variant},
        .count = 1,
    };
    for (size_t i = 0; i < wanted->count; i++) {
        struct platform platform = wanted->items[i];
        if (!platform.variant)
            platform.variant = variant; /* any will do */
        if (is_served(&offered, &platform))
            return true;
    }
    return false;
}

static void add_all(struct arena *arena, struct platforms *platforms, const struct platforms *others)
{
    for (size_t i = 0; i < others->count; i++) {
        const struct platform *other = &others->items[i];
        platforms_add(arena, platforms, other->os, other->architecture, other->variant);
    }
}

bool platforms_lose(struct arena *arena, const struct platforms *before, const struct platforms *after,
                    struct platforms_loss *loss)
{
    struct platforms lost = {0};
    for (size_t i = 0; i < before->count; i++) {
        const struct platform *wanted = &before->items[i];
        if (!is_served(after, wanted))
            platforms_add(arena, &lost, wanted->os, wanted->architecture, wanted->variant);
    }
    if (!lost.count)
        return false;
    add_all(arena, &loss->lost, &lost);
    add_all(arena, &loss->all, before);
    add_all(arena, &loss->all, after);
    return true;
}

const char *platforms_print(struct arena *arena, const struct platforms *platforms)
{
    struct strings names = {0};
    for (size_t i = 0; i < platforms->count; i++) {
        const struct platform *platform = &platforms->items[i];
        list_add(arena, &names,
                 arena_printf(arena, "%s/%s%s%s", platform->os, platform->architecture, platform->variant ? "/" : "",
                              platform->variant ? platform->variant : ""));
    }
    return strings_join(arena, &names, ", ");
}
