/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/history.h"

#include "base/auto.h"
#include "base/map.h"
#include "bill/record.h"
#include "cli/history_kept.h"
#include "oci/oci_text.h"

#include <stdlib.h>
#include <time.h>

#define PREFIX "org.opencontainers.image."
#define SHA256 "sha256:"
#define CONFIG_MAX_BYTES ((uint64_t)4 << 20)
#define VERSION_SHOWN_MAX 40

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

/* What history_read() works with. */
struct reading {
    struct registry *registry;
    struct store *store;
    struct arena *arena;
    struct map seen; /* digests in hexadecimal: their images */
};

static void take_annotations(struct arena *arena, const json_t *document, struct history_image *image)
{
    image->created = image->created ? image->created : annotation_of(arena, document, "created");
    image->version = image->version ? image->version : annotation_of(arena, document, "version");
}

/* What other makers of images leave to the configuration: its time, and the version as a label. */
static bool read_config(const struct reading *reading, const json_t *manifest, struct history_image *image,
                        struct err *err)
{
    const json_t *config = json_object_get(manifest, "config"), *size = json_object_get(config, "size");
    const char *digest = json_string_value(json_object_get(config, "digest"));
    AUTO(view_done) struct view view = {0};
    struct digest wanted;
    bool is_found = false;
    if (image->created || !reading->store || !digest || strncmp(digest, SHA256, strlen(SHA256)) != 0 ||
        !digest_parse(text_of(digest + strlen(SHA256)), &wanted) || json_integer_value(size) <= 0 ||
        (uint64_t)json_integer_value(size) > CONFIG_MAX_BYTES)
        return true;
    if (!registry_get_blob(reading->registry, reading->store, &wanted, (uint64_t)json_integer_value(size), NULL, err) ||
        !store_map_blob(reading->store, &wanted, &view, &is_found, err))
        return false;
    json_auto_t *document = is_found ? json_loadb(view.ptr, view.len, JSON_REJECT_DUPLICATES, NULL) : NULL;
    const json_t *labels = json_object_get(json_object_get(document, "config"), "Labels");
    const char *created = json_string_value(json_object_get(document, "created"));
    const char *version = json_string_value(json_object_get(labels, PREFIX "version"));
    image->created = created && *created ? text_printable(reading->arena, text_of(created)) : NULL;
    if (!image->version && version && *version)
        image->version = text_printable(reading->arena, text_of(version));
    return true;
}

/* An index may leave it to its first image to say what it is. */
static bool read_first(const struct reading *reading, const json_t *index, struct history_image *image, struct err *err)
{
    const json_t *first = json_array_get(json_object_get(index, "manifests"), 0);
    const char *digest = json_string_value(json_object_get(first, "digest"));
    struct registry_manifest manifest;
    if (!digest || strncmp(digest, SHA256, strlen(SHA256)) != 0 || image->created)
        return true;
    if (!registry_get_manifest(reading->registry, reading->arena, digest, &manifest, err))
        return false;
    json_auto_t *document = manifest.is_found ? parse(&manifest) : NULL;
    take_annotations(reading->arena, document, image);
    return read_config(reading, document, image, err);
}

/* Lists what an index is made of. */
static void list_manifests(struct arena *arena, const json_t *document, struct history_image *image)
{
    size_t i;
    const json_t *item, *manifests = json_object_get(document, "manifests");
    json_array_foreach((json_t *)manifests, i, item)
    {
        const char *name = json_string_value(json_object_get(item, "digest"));
        struct digest digest;
        if (name && strncmp(name, SHA256, strlen(SHA256)) == 0 && digest_parse(text_of(name + strlen(SHA256)), &digest))
            list_add(arena, &image->manifests, digest);
    }
    if (!manifests)
        list_add(arena, &image->manifests, image->digest);
}

static bool read_tag(struct reading *reading, const char *tag, struct err *err)
{
    struct registry_manifest manifest;
    struct arena *arena = reading->arena;
    if (!registry_get_manifest(reading->registry, arena, tag, &manifest, err))
        return false;
    if (!manifest.is_found) /* it went meanwhile */
        return true;
    const char *hex = arena_strdup(arena, digest_hex(&manifest.digest).chars);
    struct history_image *known = map_get(&reading->seen, text_of(hex));
    if (known) {
        list_add(arena, &known->tags, tag);
        return true;
    }
    struct history_image *image = arena_new(arena, struct history_image);
    json_auto_t *document = parse(&manifest);
    *image = (struct history_image){.digest = manifest.digest};
    take_annotations(arena, document, image);
    list_manifests(arena, document, image);
    list_add(arena, &image->tags, tag);
    map_set(&reading->seen, text_of(hex), image);
    return read_first(reading, document, image, err) && read_config(reading, document, image, err);
}

/* Reads a time as RFC 3339 has it into seconds since 1970 and the rest of a second; false when it is none. */
static bool read_time(const char *text, int64_t *ret_seconds, uint64_t *ret_nanoseconds)
{
    struct tm time = {0};
    const char *rest = text ? strptime(text, "%Y-%m-%dT%H:%M:%S", &time) : NULL;
    *ret_nanoseconds = 0;
    if (rest && *rest == '.') {
        uint64_t unit = 100000000;
        for (rest++; *rest >= '0' && *rest <= '9'; rest++, unit /= 10)
            *ret_nanoseconds += unit * (uint64_t)(*rest - '0');
    }
    unsigned hours = 0, minutes = 0;
    char sign = 'Z', end = '\0';
    int read = rest ? sscanf(rest, "%c%2u:%2u%c", &sign, &hours, &minutes, &end) : 0;
    bool has_zone = (sign == '+' || sign == '-') && read == 3 && hours < 24 && minutes < 60;
    if (!rest || !(has_zone || strcmp(rest, "Z") == 0))
        return false;
    int64_t ahead = (int64_t)hours * 3600 + minutes * 60;
    *ret_seconds = (int64_t)timegm(&time) - (sign == '-' ? -ahead : ahead);
    return true;
}

/* The highest tag, of those with a number in them if there are any: "latest" tells no order. */
static const char *tag_of(const struct history_image *image)
{
    const char *best = "";
    for (size_t i = 0; i < image->tags.count; i++) {
        const char *tag = image->tags.items[i];
        bool has_number = strpbrk(tag, "0123456789"), had_number = strpbrk(best, "0123456789");
        if (has_number == had_number ? strverscmp(tag, best) > 0 : has_number)
            best = tag;
    }
    return best;
}

/* The newest first, what says nothing of its age last; of one age the higher version, then the higher tag. */
static int compare(const void *left, const void *right)
{
    const struct history_image *a = left, *b = right;
    int64_t a_seconds = INT64_MIN, b_seconds = INT64_MIN;
    uint64_t a_rest, b_rest;
    bool has_a = read_time(a->created, &a_seconds, &a_rest), has_b = read_time(b->created, &b_seconds, &b_rest);
    if (a_seconds != b_seconds)
        return a_seconds < b_seconds ? 1 : -1;
    if (has_a && has_b && a_rest != b_rest)
        return a_rest < b_rest ? 1 : -1;
    int order = strverscmp(b->version ? b->version : "", a->version ? a->version : "");
    order = order ? order : strverscmp(tag_of(b), tag_of(a));
    return order ? order : strcmp(digest_hex(&a->digest).chars, digest_hex(&b->digest).chars);
}

/* Returns whether a tag is one that lists what is attached to an image (distribution-spec, "Referrers Tag Schema"). */
static bool is_of_referrers(const char *tag)
{
    struct digest digest;
    return strncmp(tag, "sha256-", strlen("sha256-")) == 0 && digest_parse(text_of(tag + strlen("sha256-")), &digest);
}

bool history_read(struct registry *registry, struct store *store, struct arena *arena, struct history *ret_history,
                  struct err *err)
{
    struct strings tags;
    struct reading reading = {registry, store, arena, {.arena = arena}};
    struct history history = {0};
    if (!registry_list_tags(registry, arena, &tags, err))
        return false;
    for (size_t i = 0; i < tags.count; i++) {
        if (!is_of_referrers(tags.items[i]) && !read_tag(&reading, tags.items[i], err))
            return false;
    }
    for (size_t i = 0; i < reading.seen.slots.count; i++)
        list_add(arena, &history, *(const struct history_image *)reading.seen.slots.items[i].value);
    if (history.count)
        qsort(history.items, history.count, sizeof *history.items, compare);
    *ret_history = history;
    return true;
}

static void print_json(FILE *out, const struct history *history, const struct past_images *kept, const char *name)
{
    json_t *images = json_array();
    for (size_t i = 0; i < history->count; i++) {
        const struct history_image *image = &history->items[i];
        const struct past_record *record = history_kept_find(kept, name, &image->digest);
        json_t *json =
            json_pack("{s:o, s:o, s:o, s:o}", "digest", json_sprintf("sha256:%s", digest_hex(&image->digest).chars),
                      "tags", record_strings(&image->tags), "version", record_text(image->version), "created",
                      record_text(image->created));
        if (record)
            history_kept_json(record, json);
        json_array_append_new(images, json);
    }
    json_auto_t *json = json_pack("{s:o, s:o}", "repository", record_text(name), "images", images);
    (void)json_dumpf(json, out, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    (void)fputc('\n', out);
}

/* The time as people compare it: UTC, whole seconds. */
static const char *shown_time(struct arena *arena, const char *created)
{
    int64_t seconds;
    uint64_t rest;
    const char *text;
    struct err ignored = {0};
    return read_time(created, &seconds, &rest) && oci_timestamp(arena, seconds, &text, &ignored) ? text : "-";
}

void history_print(FILE *out, const struct history *history, const struct past_images *kept, const char *name,
                   bool is_json)
{
    AUTO(arena_done) struct arena scratch = {0};
    if (is_json) {
        print_json(out, history, kept, name);
        return;
    }
    int width = (int)strlen("VERSION");
    for (size_t i = 0; i < history->count; i++) {
        size_t len = history->items[i].version ? strlen(history->items[i].version) : 0;
        width = len < VERSION_SHOWN_MAX && (int)len > width ? (int)len : width;
    }
    (void)fprintf(out, "%-20s  %-*s  %-71s  %s\n", "CREATED", width, "VERSION", "DIGEST", "TAGS");
    for (size_t i = 0; i < history->count; i++) {
        const struct history_image *image = &history->items[i];
        (void)fprintf(out, "%-20s  %-*s  sha256:%s  %s\n", shown_time(&scratch, image->created), width,
                      image->version ? image->version : "-", digest_hex(&image->digest).chars,
                      strings_join(&scratch, &image->tags, " "));
        const struct past_record *record = history_kept_find(kept, name, &image->digest);
        if (record)
            history_kept_changes(out, record);
    }
}
