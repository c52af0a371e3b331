/* SPDX-License-Identifier: Apache-2.0 */
/* Level by level: what is about the image's manifests, then what is about that. The manifests of a level are asked for side by side. */
#include "oci/cargo.h"

#include "base/auto.h"
#include "base/each.h"
#include "base/map.h"
#include "oci/layout_parts.h"

#define REQUESTS_MAX ((size_t)12)
#define IDENTITY_WORDS "imgfactory cargo 1\n"

static const char *const suffixes[] = {".sig", ".att", ".sbom"};

/* A manifest of which is asked what hangs on it. */
struct look {
    struct digest subject;
    unsigned depth;
    struct arena arena;
    LIST(struct cargo_piece) found;
};

struct gathering {
    const struct cargo_source *source;
    struct cargo *cargo;
    struct map seen;     /* digests of the image's manifests and of all artifacts that were found */
    struct arena *arena; /* for the gathering alone */
    LIST(struct look) level;
    uint64_t bytes;
};

static void leave_out(const struct cargo_source *source, const struct digest *digest, const char *why)
{
    if (source->log)
        log_line(source->log, LOG_QUIET, "warning: %s: sha256:%s hangs on it as a list says, but %s; it is left out",
                 source->name, digest_hex(digest).chars, why);
}

/* --- one piece --- */

static bool is_about(struct arena *arena, const json_t *manifest, const struct digest *subject)
{
    struct layout_blob said;
    struct err none = {0};
    return layout_descriptor_read(arena, json_object_get(manifest, "subject"), UINT64_MAX, &said, &none) &&
           digest_eq(&said.digest, subject);
}

/* Lists config and layers (of an artifact manifest as ORAS made them: blobs). */
static bool list_blobs(struct arena *arena, const json_t *manifest, struct cargo_piece *piece, struct err *err)
{
    const json_t *config = json_object_get(manifest, "config"), *layers = json_object_get(manifest, "layers"), *item;
    size_t i;
    LIST(struct layout_blob) blobs = {0};
    struct layout_blob blob;
    if (!layers)
        layers = json_object_get(manifest, "blobs");
    if (json_array_size(layers) > LAYOUT_LAYERS_MAX_COUNT * 2) {
        err_set(err, ERR_MALFORMED, "it has more than %d layers", LAYOUT_LAYERS_MAX_COUNT * 2);
        return false;
    }
    if (config) {
        if (!layout_descriptor_read(arena, config, LAYOUT_DOCUMENT_MAX_BYTES, &blob, err))
            return false;
        list_add(arena, &blobs, blob);
    }
    json_array_foreach((json_t *)layers, i, item)
    {
        if (!layout_descriptor_read(arena, item, LAYOUT_LAYER_MAX_BYTES, &blob, err))
            return false;
        list_add(arena, &blobs, blob);
    }
    piece->blobs = blobs.items;
    piece->blob_count = blobs.count;
    return true;
}

/* Adds a manifest that was got to what the look found. */
static bool add(const struct cargo_source *source, struct look *look, const struct cargo_document *document,
                const char *tag, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    json_auto_t *json = NULL;
    const char *name = arena_printf(&scratch, "sha256:%s", digest_hex(&document->blob.digest).chars);
    struct cargo_piece piece = {
        .blob = document->blob, .bytes = document->bytes, .subject = look->subject, .tag = tag, .depth = look->depth};
    if (layout_is_index(document->blob.media_type)) {
        leave_out(source, &document->blob.digest, "is an index");
        return true;
    }
    if (!layout_json_parse(document->bytes, 0, name, &json, err))
        return false;
    if (!tag && !is_about(&scratch, json, &look->subject)) {
        leave_out(source, &document->blob.digest, "is about something else");
        return true;
    }
    if (!list_blobs(&look->arena, json, &piece, err)) {
        err_wrap(err, "%s", name);
        return false;
    }
    list_add(&look->arena, &look->found, piece);
    return true;
}

static bool add_artifacts(const struct gathering *gathering, struct look *look, struct err *err)
{
    const struct cargo_source *source = gathering->source;
    struct digest *digests;
    size_t count;
    if (!source->list(source->context, &look->arena, &look->subject, &digests, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct cargo_document document = {0};
        struct text key = {(const char *)digests[i].bytes, sizeof digests[i].bytes};
        if (map_get(&gathering->seen, key)) /* a list that goes in circles */
            continue;
        if (!source->get(source->context, &look->arena, &digests[i], NULL, &document, err))
            return false;
        if (!document.is_found)
            leave_out(source, &digests[i], "is not there");
        else if (!add(source, look, &document, NULL, err))
            return false;
    }
    return true;
}

/* On artifacts there may be signatures; nobody hangs more on them by tags. */
static bool add_tags(const struct gathering *gathering, struct look *look, struct err *err)
{
    const struct cargo_source *source = gathering->source;
    for (size_t i = 0; i < (look->depth ? 1 : ARRAY_COUNT(suffixes)); i++) {
        struct cargo_document document = {0};
        const char *tag = arena_printf(&look->arena, "sha256-%s%s", digest_hex(&look->subject).chars, suffixes[i]);
        if (!source->get(source->context, &look->arena, NULL, tag, &document, err) ||
            (document.is_found && !add(source, look, &document, tag, err)))
            return false;
    }
    return true;
}

static bool look_at(void *context, void *item, struct err *err)
{
    const struct gathering *gathering = context;
    return add_artifacts(gathering, item, err) && add_tags(gathering, item, err);
}

/* --- levels --- */

/* Adds a manifest to those that are asked about next, unless it was. */
static bool is_new(struct gathering *gathering, const struct digest *digest)
{
    struct digest *key = arena_new(gathering->arena, struct digest);
    *key = *digest;
    return map_add(&gathering->seen, (struct text){(const char *)key->bytes, sizeof key->bytes}, key);
}

static bool take(struct gathering *gathering, const struct cargo_piece *piece, struct err *err)
{
    struct cargo *cargo = gathering->cargo;
    gathering->bytes += piece->bytes.len;
    if (cargo->pieces.count >= CARGO_MAX_COUNT || gathering->bytes > CARGO_BYTES_MAX) {
        err_set(err, ERR_MALFORMED, "more hangs on the image than %zu manifests, or %ju bytes of them", CARGO_MAX_COUNT,
                (uintmax_t)CARGO_BYTES_MAX);
        return false;
    }
    list_add(&cargo->own, &cargo->pieces, *piece);
    return true;
}

/* Takes what a level found, and makes the next one of it. */
static bool settle(struct gathering *gathering, struct err *err)
{
    LIST(struct look) next = {0};
    for (size_t i = 0; i < gathering->level.count; i++) {
        const struct look *look = &gathering->level.items[i];
        for (size_t j = 0; j < look->found.count; j++) {
            const struct cargo_piece *piece = &look->found.items[j];
            if (!piece->tag && !is_new(gathering, &piece->blob.digest))
                continue;
            if (!take(gathering, piece, err))
                return false;
            if (!piece->tag && look->depth + 1 < CARGO_DEPTH_MAX)
                list_add(gathering->arena, &next,
                         (struct look){.subject = piece->blob.digest, .depth = look->depth + 1});
            else if (!piece->tag)
                log_line(gathering->source->log, LOG_VERBOSE, "%s: what hangs on sha256:%s is not looked for",
                         gathering->source->name, digest_hex(&piece->blob.digest).chars);
        }
    }
    gathering->level.count = 0;
    for (size_t i = 0; i < next.count; i++)
        list_add(gathering->arena, &gathering->level, next.items[i]);
    return true;
}

static void begin(struct gathering *gathering, const struct layout_image *image)
{
    if (is_new(gathering, &image->root.digest))
        list_add(gathering->arena, &gathering->level, (struct look){.subject = image->root.digest});
    for (size_t i = 0; i < image->manifests.count; i++) {
        const struct layout_manifest *manifest = &image->manifests.items[i];
        if (manifest->bytes.ptr && is_new(gathering, &manifest->blob.digest))
            list_add(gathering->arena, &gathering->level, (struct look){.subject = manifest->blob.digest});
    }
}

/* The order of a level; those of tags last. */
static int compare(const void *left, const void *right)
{
    const struct cargo_piece *a = left, *b = right;
    if (a->depth != b->depth)
        return a->depth < b->depth ? -1 : 1;
    int by_subject = memcmp(a->subject.bytes, b->subject.bytes, DIGEST_BYTES);
    if (by_subject)
        return by_subject;
    if (!a->tag != !b->tag)
        return a->tag ? 1 : -1;
    return a->tag ? strcmp(a->tag, b->tag) : memcmp(a->blob.digest.bytes, b->blob.digest.bytes, DIGEST_BYTES);
}

static bool gather(struct gathering *gathering, struct err *err)
{
    while (gathering->level.count) {
        struct each_items all = {gathering->level.items, gathering->level.count, sizeof *gathering->level.items,
                                 REQUESTS_MAX, .is_stopping = true};
        bool is_done = each_run(all, look_at, gathering, err);
        for (size_t i = 0; i < gathering->level.count; i++)
            list_add(&gathering->cargo->own, &gathering->cargo->arenas, gathering->level.items[i].arena);
        if (!is_done || !settle(gathering, err))
            return false;
    }
    return true;
}

bool cargo_gather(const struct cargo_source *source, const struct layout_image *image, struct cargo *ret_cargo,
                  struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct gathering gathering = {.source = source, .cargo = ret_cargo, .seen.arena = &scratch, .arena = &scratch};
    *ret_cargo = (struct cargo){0};
    begin(&gathering, image);
    if (!gather(&gathering, err)) {
        err_wrap(err, "%s: what hangs on it", source->name);
        cargo_done(ret_cargo);
        return false;
    }
    if (ret_cargo->pieces.count)
        qsort(ret_cargo->pieces.items, ret_cargo->pieces.count, sizeof *ret_cargo->pieces.items, compare);
    return true;
}

struct digest cargo_identity(const struct digest *image, const struct cargo *cargo)
{
    struct digest_stream stream;
    if (!cargo || !cargo->pieces.count)
        return *image;
    digest_begin(&stream);
    digest_feed(&stream, IDENTITY_WORDS, strlen(IDENTITY_WORDS));
    digest_feed(&stream, image->bytes, sizeof image->bytes);
    for (size_t i = 0; i < cargo->pieces.count; i++) {
        const struct cargo_piece *piece = &cargo->pieces.items[i];
        digest_feed(&stream, piece->subject.bytes, DIGEST_BYTES);
        digest_feed(&stream, piece->blob.digest.bytes, DIGEST_BYTES);
        digest_feed(&stream, piece->tag ? "t" : "a", 1);
    }
    return digest_end(&stream);
}

void cargo_done(struct cargo *cargo)
{
    for (size_t i = 0; i < cargo->arenas.count; i++)
        arena_done(&cargo->arenas.items[i]);
    struct arena own = cargo->own;
    *cargo = (struct cargo){0};
    arena_done(&own);
}
