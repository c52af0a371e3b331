/* SPDX-License-Identifier: Apache-2.0 */
#include "bill/lock_parts.h"

#include "base/auto.h"
#include "base/checksum.h"
#include "bill/record.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define SUM_KEY "\"sum\":\"sha256:"
#define LINES_MAX ((size_t)50000) /* of a list: some hundred images for all architectures have 5,000 packages */
#define IMAGES_MAX ((size_t)4096) /* images and architectures: packages are looked through for each */
#define DATA_MAX ((size_t)1024)
#define EXTRAS_MAX ((size_t)256)     /* later generations: each is read for each architecture */
#define VALUES_MAX ((size_t)4 << 20) /* commas and brackets: bounds the memory of the parser */

static const struct record_field source_fields[] = {
    RECORD_FIELD(lock_source, RECORD_TEXT, "uri", uri),
    RECORD_FIELD(lock_source, RECORD_TEXT, "suite", suite),
    RECORD_FIELD(lock_source, RECORD_TEXT, "from", from),
    RECORD_FIELD(lock_source, RECORD_I64, "date", date),
    RECORD_FIELD(lock_source, RECORD_MAYBE_SHA256, "digest", digest),
    RECORD_FIELD(lock_source, RECORD_MAYBE_SHA256, "file", file),
    RECORD_FIELD(lock_source, RECORD_MAYBE_SHA256, "signature", signature),
    RECORD_FIELD(lock_source, RECORD_FLAG, "bare", is_bare),
    RECORD_FIELD(lock_source, RECORD_FLAG, "extra", is_extra),
    RECORD_FIELD(lock_source, RECORD_MAYBE_TEXT, "distribution", distribution),
    RECORD_FIELD(lock_source, RECORD_MAYBE_TEXT, "version", version),
    RECORD_FIELD(lock_source, RECORD_MAYBE_TEXT, "codename", codename),
};
static const struct record_field index_fields[] = {
    RECORD_FIELD(lock_index, RECORD_TEXT, "uri", uri),
    RECORD_FIELD(lock_index, RECORD_TEXT, "suite", suite),
    RECORD_FIELD(lock_index, RECORD_TEXT, "arch", arch),
    RECORD_FIELD(lock_index, RECORD_TEXT, "path", path),
    RECORD_FIELD(lock_index, RECORD_TEXT, "checksum", checksum),
    RECORD_FIELD(lock_index, RECORD_U64, "size", size_bytes),
    RECORD_FIELD(lock_index, RECORD_MAYBE_SHA256, "generation", generation),
};
static const struct record_field data_fields[] = {
    RECORD_FIELD(lock_data, RECORD_TEXT, "name", name),
    RECORD_FIELD(lock_data, RECORD_MAYBE_SHA256, "digest", digest),
};
static const struct record_field image_fields[] = {
    RECORD_FIELD(lock_image, RECORD_TEXT, "image", image),
    RECORD_FIELD(lock_image, RECORD_TEXT, "arch", arch),
    RECORD_FIELD(lock_image, RECORD_SHA256, "manifest", manifest),
    RECORD_FIELD(lock_image, RECORD_MAYBE_TEXT, "base", base),
    RECORD_FIELD(lock_image, RECORD_MAYBE_SHA256, "base_digest", base_digest),
    RECORD_FIELD(lock_image, RECORD_MAYBE_TEXT, "named", named),
};
static const struct record_field package_fields[] = {
    RECORD_FIELD(lock_package, RECORD_TEXT, "name", name),
    RECORD_FIELD(lock_package, RECORD_TEXT, "version", version),
    RECORD_FIELD(lock_package, RECORD_TEXT, "architecture", architecture),
    RECORD_FIELD(lock_package, RECORD_TEXT, "arch", arch),
    RECORD_FIELD(lock_package, RECORD_U64, "size", size_bytes),
    RECORD_FIELD(lock_package, RECORD_MAYBE_SHA256, "digest", digest),
    RECORD_FIELD(lock_package, RECORD_TEXT, "url", url),
    RECORD_FIELD(lock_package, RECORD_TEXTS, "images", images),
    RECORD_FIELD(lock_package, RECORD_MAYBE_SHA256, "generation", generation),
    RECORD_FIELD(lock_package, RECORD_MAYBE_TEXT, "suite", suite),
};
static const struct record_field path_fields[] = {
    RECORD_FIELD(lock_path, RECORD_TEXT, "path", path),       RECORD_FIELD(lock_path, RECORD_TEXT, "arch", arch),
    RECORD_FIELD(lock_path, RECORD_TEXT, "package", package), RECORD_FIELD(lock_path, RECORD_TEXT, "why", why),
    RECORD_FIELD(lock_path, RECORD_TEXTS, "images", images),
};
/* Fields that came with format 2 stand last: what the first format had is the beginning. */
#define OLD_TABLE(struct_name, fields, newer)                                                                          \
    {                                                                                                                  \
        fields, ARRAY_COUNT(fields) - (newer), sizeof(struct struct_name)                                              \
    }
static const struct record_table source_tables[] = {OLD_TABLE(lock_source, source_fields, 4),
                                                    RECORD_TABLE(lock_source, source_fields)};
static const struct record_table index_tables[] = {OLD_TABLE(lock_index, index_fields, 1),
                                                   RECORD_TABLE(lock_index, index_fields)};
static const struct record_table package_tables[] = {OLD_TABLE(lock_package, package_fields, 2),
                                                     RECORD_TABLE(lock_package, package_fields)};
static const struct record_table data_table = RECORD_TABLE(lock_data, data_fields);
static const struct record_table image_table = RECORD_TABLE(lock_image, image_fields);
static const struct record_table path_table = RECORD_TABLE(lock_path, path_fields);

/* The document of each format; the writer has its own order of lines, which is this one. */
#define DOCUMENT(number)                                                                                               \
    {                                                                                                                  \
        RECORD_FIELD(lock, RECORD_U32, "imgfactory_lock", format),                                                     \
            RECORD_FIELD(lock, RECORD_TEXT, "program", program),                                                       \
            RECORD_OF(lock, RECORD_LIST, "data", data, data_table),                                                    \
            RECORD_OF(lock, RECORD_LIST, "images", images, image_table),                                               \
            RECORD_OF(lock, RECORD_LIST, "indices", indices, index_tables[number]),                                    \
            RECORD_OF(lock, RECORD_LIST, "packages", packages, package_tables[number]),                                \
            RECORD_OF(lock, RECORD_LIST, "paths", paths, path_table),                                                  \
            RECORD_OF(lock, RECORD_LIST, "sources", sources, source_tables[number]),                                   \
            RECORD_FIELD(lock, RECORD_SHA256, "sum", sum),                                                             \
    }
static const struct record_field old_fields[] = DOCUMENT(0), lock_fields[] = DOCUMENT(1);
static const struct record_table lock_tables[LOCK_FORMAT] = {RECORD_TABLE(lock, old_fields),
                                                             RECORD_TABLE(lock, lock_fields)};

/* ---- adding ---- */

/* A key of several texts: each ends in a byte that no name has. */
static struct text key_of(struct buf *room, const char *const *parts, size_t count)
{
    room->len = 0;
    for (size_t i = 0; i < count; i++) {
        if (!buf_add(room, parts[i], strlen(parts[i]) + 1))
            memory_abort(room->len);
    }
    return buf_text(room);
}

struct text lock_key(struct buf *room, const char *a, const char *b)
{
    const char *const parts[] = {a, b};
    return key_of(room, parts, ARRAY_COUNT(parts));
}

/* Returns the number under which something was added, from 0; or notes that it is added as `count`, and returns that. */
static size_t number_of(struct arena *arena, struct lock *lock, const char *const *parts, size_t part_count,
                        size_t count)
{
    AUTO(buf_done) struct buf room = {0};
    buf_init(&room, SIZE_MAX / 2);
    struct text key = key_of(&room, parts, part_count);
    lock->added.arena = lock->added.arena ? lock->added.arena : arena;
    void *found = map_get(&lock->added, key);
    if (found)
        return (size_t)((uintptr_t)found - 1);
    (void)map_add(&lock->added, (struct text){text_dup(lock->added.arena, key), key.len},
                  (void *)(uintptr_t)(count + 1));
    return count;
}

void lock_add_source(struct arena *arena, struct lock *lock, const struct lock_source *source)
{
    struct digest_hex hex = digest_hex(&source->digest);
    const char *const parts[] = {"source", source->uri, source->suite, source->is_extra ? hex.chars : ""};
    if (number_of(arena, lock, parts, ARRAY_COUNT(parts), lock->sources.count) == lock->sources.count)
        list_add(arena, &lock->sources, *source);
}

void lock_add_index(struct arena *arena, struct lock *lock, const struct lock_index *index)
{
    struct digest_hex hex = digest_hex(&index->generation);
    const char *const parts[] = {"index", index->uri, index->suite, index->arch, index->path, hex.chars};
    if (number_of(arena, lock, parts, ARRAY_COUNT(parts), lock->indices.count) == lock->indices.count)
        list_add(arena, &lock->indices, *index);
}

void lock_add_data(struct arena *arena, struct lock *lock, const char *name, const struct digest *digest)
{
    for (size_t i = 0; i < lock->data.count; i++) {
        if (strcmp(lock->data.items[i].name, name) == 0)
            return;
    }
    struct lock_data data = {name, *digest};
    list_add(arena, &lock->data, data);
}

/* What is of one image comes in one go, so that an image that is there stands last. */
static void add_image(struct arena *arena, struct strings *images, const char *image)
{
    if (!images->count || strcmp(images->items[images->count - 1], image) != 0)
        list_add(arena, images, image);
}

void lock_add_package(struct arena *arena, struct lock *lock, const struct lock_package *package, const char *image)
{
    struct digest_hex digest = digest_hex(&package->digest), generation = digest_hex(&package->generation);
    char size[24];
    (void)snprintf(size, sizeof size, "%" PRIu64, package->size_bytes);
    const char *const parts[] = {
        "package",    package->name, package->arch, package->version, package->architecture,
        package->url, size,          digest.chars,  generation.chars, package->suite ? package->suite : ""};
    size_t number = number_of(arena, lock, parts, ARRAY_COUNT(parts), lock->packages.count);
    if (number == lock->packages.count) {
        struct lock_package own = *package;
        own.images = (struct strings){0};
        list_add(arena, &lock->packages, own);
    }
    add_image(arena, &lock->packages.items[number].images, image);
}

void lock_add_path(struct arena *arena, struct lock *lock, const struct lock_path *path, const char *image)
{
    const char *const parts[] = {"path", path->path, path->arch, path->package, path->why};
    size_t number = number_of(arena, lock, parts, ARRAY_COUNT(parts), lock->paths.count);
    if (number == lock->paths.count) {
        struct lock_path own = *path;
        own.images = (struct strings){0};
        list_add(arena, &lock->paths, own);
    }
    add_image(arena, &lock->paths.items[number].images, image);
}

const struct lock_image *lock_find_image(const struct lock *lock, const char *image, const char *arch)
{
    for (size_t i = 0; i < lock->images.count; i++) {
        const struct lock_image *each = &lock->images.items[i];
        if (strcmp(each->image, image) == 0 && (!arch || strcmp(each->arch, arch) == 0))
            return each;
    }
    return NULL;
}

/* ---- what is of one image ---- */

const struct lock_members *lock_members(const struct lock *lock, const char *image, const char *arch)
{
    static const struct lock_members none;
    AUTO(buf_done) struct buf room = {0};
    buf_init(&room, SIZE_MAX / 2);
    const struct lock_members *members = map_get(&lock->members, lock_key(&room, image, arch));
    return members ? members : &none;
}

void lock_sort_out(struct arena *arena, struct lock *lock)
{
    AUTO(buf_done) struct buf room = {0};
    buf_init(&room, SIZE_MAX / 2);
    lock->members = (struct map){.arena = arena};
    for (size_t i = 0; i < lock->images.count; i++) {
        struct text key = lock_key(&room, lock->images.items[i].image, lock->images.items[i].arch);
        if (!map_get(&lock->members, key))
            (void)map_add(&lock->members, (struct text){text_dup(arena, key), key.len},
                          arena_new(arena, struct lock_members));
    }
    for (size_t i = 0; i < lock->packages.count; i++) {
        const struct lock_package *package = &lock->packages.items[i];
        for (size_t j = 0; j < package->images.count; j++) {
            struct lock_members *of = map_get(&lock->members, lock_key(&room, package->images.items[j], package->arch));
            if (of && (!of->packages.count || of->packages.items[of->packages.count - 1] != package))
                list_add(arena, &of->packages, package);
        }
    }
    for (size_t i = 0; i < lock->paths.count; i++) {
        const struct lock_path *path = &lock->paths.items[i];
        for (size_t j = 0; j < path->images.count; j++) {
            struct lock_members *of = map_get(&lock->members, lock_key(&room, path->images.items[j], path->arch));
            if (of && (!of->paths.count || of->paths.items[of->paths.count - 1] != path))
                list_add(arena, &of->paths, path);
        }
    }
}

void lock_add_others(struct arena *arena, struct lock *lock, const struct lock *other)
{
    size_t count = lock->images.count;
    for (size_t i = 0; i < other->images.count; i++) {
        const struct lock_image *image = &other->images.items[i];
        if (lock_find_image(lock, image->image, image->arch))
            continue;
        const struct lock_members *members = lock_members(other, image->image, image->arch);
        list_add(arena, &lock->images, *image);
        for (size_t j = 0; j < members->packages.count; j++)
            lock_add_package(arena, lock, members->packages.items[j], image->image);
        for (size_t j = 0; j < members->paths.count; j++)
            lock_add_path(arena, lock, members->paths.items[j], image->image);
    }
    for (size_t i = 0; i < other->sources.count && lock->images.count > count; i++)
        lock_add_source(arena, lock, &other->sources.items[i]);
    for (size_t i = 0; i < other->indices.count && lock->images.count > count; i++)
        lock_add_index(arena, lock, &other->indices.items[i]);
    for (size_t i = 0; i < other->data.count && lock->images.count > count; i++)
        lock_add_data(arena, lock, other->data.items[i].name, &other->data.items[i].digest);
}

/* ---- writing ---- */

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void lock_sort_names(struct strings *names)
{
    if (names->count)
        qsort(names->items, names->count, sizeof *names->items, compare_texts);
}

/* Appends a list, a line for each item; the lines are sorted as text, which begins with what things are called. */
static bool write_list(const char *key, const struct record_table *table, const void *items, size_t count,
                       struct buf *text)
{
    AUTO(arena_done) struct arena scratch = {0};
    const char **lines = arena_new_array(&scratch, const char *, count);
    for (size_t i = 0; i < count; i++) {
        AUTO(buf_done) struct buf line;
        buf_init(&line, LOCK_MAX_BYTES);
        if (!record_write(table, (const char *)items + i * table->struct_bytes, &line))
            return false;
        lines[i] = arena_strndup(&scratch, line.bytes, line.len);
    }
    if (count)
        qsort(lines, count, sizeof *lines, compare_texts);
    bool is_good = buf_printf(text, "\"%s\":[\n", key);
    for (size_t i = 0; i < count && is_good; i++)
        is_good = buf_printf(text, "%s%s\n", lines[i], i + 1 < count ? "," : "");
    return is_good && buf_printf(text, "],\n");
}

static bool is_small(const struct lock *lock)
{
    const size_t counts[] = {lock->sources.count, lock->indices.count,  lock->data.count,
                             lock->images.count,  lock->packages.count, lock->paths.count};
    for (size_t i = 0; i < ARRAY_COUNT(counts); i++) {
        if (counts[i] > LINES_MAX)
            return false;
    }
    size_t extra_count = 0;
    for (size_t i = 0; i < lock->sources.count; i++)
        extra_count += lock->sources.items[i].is_extra;
    return extra_count <= EXTRAS_MAX && lock->images.count <= IMAGES_MAX && lock->data.count <= DATA_MAX;
}

bool lock_write(struct lock *lock, struct buf *text)
{
    for (size_t i = 0; i < lock->packages.count; i++)
        lock_sort_names(&lock->packages.items[i].images);
    for (size_t i = 0; i < lock->paths.count; i++)
        lock_sort_names(&lock->paths.items[i].images);
    size_t begin = text->len;
    if (!is_small(lock) ||
        !buf_printf(text, "{\n\"imgfactory_lock\":%u,\n\"program\":\"%s\",\n", lock->format, lock->program) ||
        !write_list("data", &data_table, lock->data.items, lock->data.count, text) ||
        !write_list("images", &image_table, lock->images.items, lock->images.count, text) ||
        !write_list("indices", &index_tables[LOCK_FORMAT - 1], lock->indices.items, lock->indices.count, text) ||
        !write_list("packages", &package_tables[LOCK_FORMAT - 1], lock->packages.items, lock->packages.count, text) ||
        !write_list("paths", &path_table, lock->paths.items, lock->paths.count, text) ||
        !write_list("sources", &source_tables[LOCK_FORMAT - 1], lock->sources.items, lock->sources.count, text))
        return false;
    lock->sum = digest_of(text->bytes + begin, text->len - begin);
    return buf_printf(text, SUM_KEY "%s\"\n}\n", digest_hex(&lock->sum).chars);
}

/* ---- reading ---- */

/* Whether the last line is the checksum of those before. */
static bool is_whole(struct text text)
{
    static const char end[] = "\"\n}\n";
    const size_t tail = strlen(SUM_KEY) + DIGEST_HEX_SIZE - 1 + strlen(end);
    struct digest sum, got;
    if (text.len < tail)
        return false;
    struct text last = {text.ptr + text.len - tail, tail};
    got = digest_of(text.ptr, text.len - tail);
    return text_has_prefix(last, SUM_KEY) && text_has_suffix(last, end) &&
           digest_parse((struct text){last.ptr + strlen(SUM_KEY), DIGEST_HEX_SIZE - 1}, &sum) && digest_eq(&sum, &got);
}

static bool is_bounded(struct text text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++)
        count += text.ptr[i] == ',' || text.ptr[i] == '[' || text.ptr[i] == '{';
    return text.len <= LOCK_MAX_BYTES && count <= VALUES_MAX;
}

static void free_json(json_t **json)
{
    json_decref(*json);
}

bool lock_read(struct arena *arena, const char *name, struct text text, struct lock *ret_lock, struct err *err)
{
    static const char advice[] =
        "take it back from where it came from, or write it anew with `imgfactory lock --update`";
    if (!is_whole(text)) {
        err_set(err, ERR_TRUST,
                "%s: it was changed since `imgfactory lock` wrote it (its last line is the checksum of all before); %s",
                name, advice);
        return false;
    }
    json_error_t ignored;
    AUTO(free_json)
    json_t *json = is_bounded(text) ? json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, &ignored) : NULL;
    const json_t *format = json_object_get(json, "imgfactory_lock");
    if (json_is_integer(format) && json_integer_value(format) > LOCK_FORMAT) {
        err_set(err, ERR_MALFORMED, "%s: it is of a newer imgfactory (format %lld; this one reads %d)", name,
                (long long)json_integer_value(format), LOCK_FORMAT);
        return false;
    }
    *ret_lock = (struct lock){0};
    int64_t number = json_is_integer(format) ? json_integer_value(format) : 0;
    if (number >= 1 && record_read(arena, &lock_tables[number - 1], json, ret_lock) && is_small(ret_lock)) {
        lock_sort_out(arena, ret_lock);
        return true;
    }
    /* Whoever made the checksum fit has changed it: no `imgfactory lock` writes that. */
    err_set(err, ERR_TRUST, "%s: it is no lock file as `imgfactory lock` writes it, though its checksum fits; %s", name,
            advice);
    return false;
}
