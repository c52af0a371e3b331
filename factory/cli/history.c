#include "cli/history.h"

#include "base/auto.h"
#include "base/map.h"
#include "bill/record.h"

#include <stdlib.h>

#define PREFIX "org.opencontainers.image."

static const char *annotation_of(struct arena *arena, const json_t *document, const char *name)
{
    const json_t *annotations = json_object_get(document, "annotations");
    const char *value = json_string_value(json_object_get(annotations, arena_printf(arena, PREFIX "%s", name)));
    return value && *value ? text_printable(arena, text_of(value)) : NULL;
}

static json_t *parse(const struct registry_manifest *manifest)
{
    return json_loadb(manifest->bytes, (size_t)manifest->size_bytes, JSON_REJECT_DUPLICATES, NULL);
}

/* An index may leave it to its first image to say what it is. */
static bool read_first(struct registry *registry, struct arena *arena, const json_t *index, struct history_image *image,
                       struct err *err)
{
    const json_t *first = json_array_get(json_object_get(index, "manifests"), 0);
    const char *digest = json_string_value(json_object_get(first, "digest"));
    struct registry_manifest manifest;
    if (!digest || strncmp(digest, "sha256:", strlen("sha256:")) != 0 || image->created)
        return true;
    if (!registry_get_manifest(registry, arena, digest, &manifest, err))
        return false;
    json_auto_t *document = manifest.is_found ? parse(&manifest) : NULL;
    image->created = annotation_of(arena, document, "created");
    image->version = image->version ? image->version : annotation_of(arena, document, "version");
    return true;
}

static bool read_tag(struct registry *registry, struct arena *arena, const char *tag, struct map *seen,
                     struct history *history, struct err *err)
{
    struct registry_manifest manifest;
    if (!registry_get_manifest(registry, arena, tag, &manifest, err))
        return false;
    if (!manifest.is_found) /* it went meanwhile */
        return true;
    const char *hex = arena_strdup(arena, digest_hex(&manifest.digest).chars);
    struct history_image *known = map_get(seen, text_of(hex));
    if (known) {
        list_add(arena, &known->tags, tag);
        return true;
    }
    struct history_image *image = arena_new(arena, struct history_image);
    json_auto_t *document = parse(&manifest);
    *image = (struct history_image){.digest = manifest.digest,
                                    .created = annotation_of(arena, document, "created"),
                                    .version = annotation_of(arena, document, "version")};
    list_add(arena, &image->tags, tag);
    map_set(seen, text_of(hex), image);
    if (!read_first(registry, arena, document, image, err))
        return false;
    list_add(arena, history, *image);
    return true;
}

/* The newest first, what says nothing of its age last. */
static int compare(const void *left, const void *right)
{
    const struct history_image *a = left, *b = right;
    int order = strcmp(b->created ? b->created : "", a->created ? a->created : "");
    return order ? order : strcmp(digest_hex(&a->digest).chars, digest_hex(&b->digest).chars);
}

bool history_read(struct registry *registry, struct arena *arena, struct history *ret_history, struct err *err)
{
    struct strings tags;
    struct map seen = {.arena = arena};
    struct history history = {0};
    if (!registry_list_tags(registry, arena, &tags, err))
        return false;
    for (size_t i = 0; i < tags.count; i++) {
        if (!read_tag(registry, arena, tags.items[i], &seen, &history, err))
            return false;
    }
    for (size_t i = 0; i < history.count; i++) { /* tags that came later are in the map's copy */
        const struct history_image *whole = map_get(&seen, text_of(digest_hex(&history.items[i].digest).chars));
        history.items[i].tags = whole->tags;
    }
    if (history.count)
        qsort(history.items, history.count, sizeof *history.items, compare);
    *ret_history = history;
    return true;
}

static void print_json(FILE *out, const struct history *history, const char *name)
{
    json_t *images = json_array();
    for (size_t i = 0; i < history->count; i++) {
        const struct history_image *image = &history->items[i];
        json_array_append_new(images, json_pack("{s:o, s:o, s:o, s:o}", "digest",
                                                json_sprintf("sha256:%s", digest_hex(&image->digest).chars), "tags",
                                                record_strings(&image->tags), "version", record_text(image->version),
                                                "created", record_text(image->created)));
    }
    json_auto_t *json = json_pack("{s:o, s:o}", "repository", record_text(name), "images", images);
    (void)json_dumpf(json, out, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    (void)fputc('\n', out);
}

void history_print(FILE *out, const struct history *history, const char *name, bool is_json)
{
    AUTO(arena_done) struct arena scratch = {0};
    if (is_json) {
        print_json(out, history, name);
        return;
    }
    (void)fprintf(out, "%-20s  %-16s  %-71s  %s\n", "CREATED", "VERSION", "DIGEST", "TAGS");
    for (size_t i = 0; i < history->count; i++) {
        const struct history_image *image = &history->items[i];
        (void)fprintf(out, "%-20.20s  %-16s  sha256:%s  %s\n", image->created ? image->created : "-",
                      image->version ? image->version : "-", digest_hex(&image->digest).chars,
                      strings_join(&scratch, &image->tags, " "));
    }
}
