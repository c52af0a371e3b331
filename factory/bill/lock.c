/* SPDX-License-Identifier: Apache-2.0 */
#include "bill/lock.h"

#include "base/auto.h"
#include "base/checksum.h"
#include "bill/record.h"

#include <inttypes.h>
#include <stdlib.h>

#define SUM_KEY "\"sum\":\"sha256:"
#define LINES_MAX ((size_t)50000) /* of a list: some hundred images for all architectures have 5,000 packages */
#define IMAGES_MAX ((size_t)4096) /* images and architectures: packages are looked through for each */
#define DATA_MAX ((size_t)1024)
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
};
static const struct record_field index_fields[] = {
    RECORD_FIELD(lock_index, RECORD_TEXT, "uri", uri),
    RECORD_FIELD(lock_index, RECORD_TEXT, "suite", suite),
    RECORD_FIELD(lock_index, RECORD_TEXT, "arch", arch),
    RECORD_FIELD(lock_index, RECORD_TEXT, "path", path),
    RECORD_FIELD(lock_index, RECORD_TEXT, "checksum", checksum),
    RECORD_FIELD(lock_index, RECORD_U64, "size", size_bytes),
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
};
static const struct record_field path_fields[] = {
    RECORD_FIELD(lock_path, RECORD_TEXT, "path", path),       RECORD_FIELD(lock_path, RECORD_TEXT, "arch", arch),
    RECORD_FIELD(lock_path, RECORD_TEXT, "package", package), RECORD_FIELD(lock_path, RECORD_TEXT, "why", why),
    RECORD_FIELD(lock_path, RECORD_TEXTS, "images", images),
};
static const struct record_table source_table = RECORD_TABLE(lock_source, source_fields);
static const struct record_table index_table = RECORD_TABLE(lock_index, index_fields);
static const struct record_table data_table = RECORD_TABLE(lock_data, data_fields);
static const struct record_table image_table = RECORD_TABLE(lock_image, image_fields);
static const struct record_table package_table = RECORD_TABLE(lock_package, package_fields);
static const struct record_table path_table = RECORD_TABLE(lock_path, path_fields);

/* The document; the writer has its own order of lines, which is this one. */
static const struct record_field lock_fields[] = {
    RECORD_FIELD(lock, RECORD_U32, "imgfactory_lock", format),
    RECORD_FIELD(lock, RECORD_TEXT, "program", program),
    RECORD_OF(lock, RECORD_LIST, "data", data, data_table),
    RECORD_OF(lock, RECORD_LIST, "images", images, image_table),
    RECORD_OF(lock, RECORD_LIST, "indices", indices, index_table),
    RECORD_OF(lock, RECORD_LIST, "packages", packages, package_table),
    RECORD_OF(lock, RECORD_LIST, "paths", paths, path_table),
    RECORD_OF(lock, RECORD_LIST, "sources", sources, source_table),
    RECORD_FIELD(lock, RECORD_SHA256, "sum", sum),
};
static const struct record_table lock_table = RECORD_TABLE(lock, lock_fields);

/* ---- adding ---- */

void lock_add_source(struct arena *arena, struct lock *lock, const struct lock_source *source)
{
    for (size_t i = 0; i < lock->sources.count; i++) {
        const struct lock_source *other = &lock->sources.items[i];
        if (strcmp(other->uri, source->uri) == 0 && strcmp(other->suite, source->suite) == 0)
            return;
    }
    list_add(arena, &lock->sources, *source);
}

void lock_add_index(struct arena *arena, struct lock *lock, const struct lock_index *index)
{
    for (size_t i = 0; i < lock->indices.count; i++) {
        const struct lock_index *other = &lock->indices.items[i];
        if (strcmp(other->uri, index->uri) == 0 && strcmp(other->suite, index->suite) == 0 &&
            strcmp(other->arch, index->arch) == 0 && strcmp(other->path, index->path) == 0)
            return;
    }
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

static void add_image(struct arena *arena, struct strings *images, const char *image)
{
    if (!strings_has(images, image))
        list_add(arena, images, image);
}

static bool is_same_package(const struct lock_package *a, const struct lock_package *b)
{
    return strcmp(a->name, b->name) == 0 && strcmp(a->arch, b->arch) == 0 && strcmp(a->version, b->version) == 0 &&
           strcmp(a->architecture, b->architecture) == 0 && strcmp(a->url, b->url) == 0 &&
           a->size_bytes == b->size_bytes && digest_eq(&a->digest, &b->digest);
}

void lock_add_package(struct arena *arena, struct lock *lock, const struct lock_package *package, const char *image)
{
    for (size_t i = 0; i < lock->packages.count; i++) {
        if (!is_same_package(&lock->packages.items[i], package))
            continue;
        add_image(arena, &lock->packages.items[i].images, image);
        return;
    }
    struct lock_package own = *package;
    own.images = (struct strings){0};
    list_add(arena, &own.images, image);
    list_add(arena, &lock->packages, own);
}

static bool is_same_path(const struct lock_path *a, const struct lock_path *b)
{
    return strcmp(a->path, b->path) == 0 && strcmp(a->arch, b->arch) == 0 && strcmp(a->package, b->package) == 0 &&
           strcmp(a->why, b->why) == 0;
}

void lock_add_path(struct arena *arena, struct lock *lock, const struct lock_path *path, const char *image)
{
    for (size_t i = 0; i < lock->paths.count; i++) {
        if (!is_same_path(&lock->paths.items[i], path))
            continue;
        add_image(arena, &lock->paths.items[i].images, image);
        return;
    }
    struct lock_path own = *path;
    own.images = (struct strings){0};
    list_add(arena, &own.images, image);
    list_add(arena, &lock->paths, own);
}

static const struct lock_image *find_image(const struct lock *lock, const char *image, const char *arch)
{
    for (size_t i = 0; i < lock->images.count; i++) {
        if (strcmp(lock->images.items[i].image, image) == 0 && strcmp(lock->images.items[i].arch, arch) == 0)
            return &lock->images.items[i];
    }
    return NULL;
}

/* Adds what is of one image. */
static void add_other(struct arena *arena, struct lock *lock, const struct lock *other, const struct lock_image *image)
{
    for (size_t i = 0; i < other->packages.count; i++) {
        const struct lock_package *package = &other->packages.items[i];
        if (strcmp(package->arch, image->arch) == 0 && strings_has(&package->images, image->image))
            lock_add_package(arena, lock, package, image->image);
    }
    for (size_t i = 0; i < other->paths.count; i++) {
        const struct lock_path *path = &other->paths.items[i];
        if (strcmp(path->arch, image->arch) == 0 && strings_has(&path->images, image->image))
            lock_add_path(arena, lock, path, image->image);
    }
}

void lock_add_others(struct arena *arena, struct lock *lock, const struct lock *other)
{
    size_t count = lock->images.count;
    for (size_t i = 0; i < other->images.count; i++) {
        const struct lock_image *image = &other->images.items[i];
        if (find_image(lock, image->image, image->arch))
            continue;
        list_add(arena, &lock->images, *image);
        add_other(arena, lock, other, image);
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

static void sort_names(struct strings *names)
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
    return lock->images.count <= IMAGES_MAX && lock->data.count <= DATA_MAX;
}

bool lock_write(struct lock *lock, struct buf *text)
{
    for (size_t i = 0; i < lock->packages.count; i++)
        sort_names(&lock->packages.items[i].images);
    for (size_t i = 0; i < lock->paths.count; i++)
        sort_names(&lock->paths.items[i].images);
    size_t begin = text->len;
    if (!is_small(lock) ||
        !buf_printf(text, "{\n\"imgfactory_lock\":%u,\n\"program\":\"%s\",\n", lock->format, lock->program) ||
        !write_list("data", &data_table, lock->data.items, lock->data.count, text) ||
        !write_list("images", &image_table, lock->images.items, lock->images.count, text) ||
        !write_list("indices", &index_table, lock->indices.items, lock->indices.count, text) ||
        !write_list("packages", &package_table, lock->packages.items, lock->packages.count, text) ||
        !write_list("paths", &path_table, lock->paths.items, lock->paths.count, text) ||
        !write_list("sources", &source_table, lock->sources.items, lock->sources.count, text))
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
    if (!is_whole(text)) {
        err_set(err, ERR_TRUST,
                "%s: it was changed since `imgfactory lock` wrote it (its last line is the checksum of all before); "
                "take it "
                "back from where it came from, or write it anew with `imgfactory lock --update`",
                name);
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
    if (json && record_read(arena, &lock_table, json, ret_lock) && ret_lock->format == LOCK_FORMAT &&
        is_small(ret_lock))
        return true;
    err_set(err, ERR_MALFORMED, "%s: it is no lock file", name);
    return false;
}

/* ---- comparing ---- */

/* One comparison; all lines go into `lines`. */
struct comparing {
    struct arena *arena;
    const struct lock *locked, *now;
    struct lock_part part;
    struct strings *lines;
};

static bool is_asked(const struct comparing *comparing, const char *arch)
{
    return !comparing->part.arch || strcmp(comparing->part.arch, arch) == 0;
}

static void compare_data(const struct comparing *comparing)
{
    static const char of_arch[] = "arch ";
    for (size_t i = 0; i < comparing->now->data.count; i++) {
        const struct lock_data *now = &comparing->now->data.items[i], *locked = NULL;
        bool is_of_arch = text_has_prefix(text_of(now->name), of_arch);
        if (is_of_arch && !is_asked(comparing, now->name + strlen(of_arch)))
            continue;
        for (size_t j = 0; j < comparing->locked->data.count && !locked; j++) {
            const struct lock_data *other = &comparing->locked->data.items[j];
            locked = strcmp(other->name, now->name) == 0 ? other : NULL;
        }
        if (!locked || !digest_eq(&locked->digest, &now->digest))
            list_add(comparing->arena, comparing->lines,
                     arena_printf(comparing->arena, "%s: sha256:%s is sha256:%s", now->name,
                                  locked ? digest_hex(&locked->digest).chars : "(none)",
                                  digest_hex(&now->digest).chars));
    }
}

/* Tells of one value that differs; `what` begins with the image. */
static void tell(const struct comparing *comparing, const struct lock_image *image, const char *what,
                 const char *locked, const char *now)
{
    if (text_same(locked, now))
        return;
    list_add(comparing->arena, comparing->lines,
             arena_printf(comparing->arena, "%s for %s: %s %s is %s", image->image, image->arch, what,
                          locked ? locked : "(none)", now ? now : "(none)"));
}

static void tell_digests(const struct comparing *comparing, const struct lock_image *image, const char *what,
                         const struct digest *locked, const struct digest *now)
{
    tell(comparing, image, what, arena_printf(comparing->arena, "sha256:%s", digest_hex(locked).chars),
         arena_printf(comparing->arena, "sha256:%s", digest_hex(now).chars));
}

static const struct lock_package *find_package(const struct lock *lock, const struct lock_image *image,
                                               const struct lock_package *wanted)
{
    for (size_t i = 0; i < lock->packages.count; i++) {
        const struct lock_package *package = &lock->packages.items[i];
        if (strcmp(package->name, wanted->name) == 0 && strcmp(package->architecture, wanted->architecture) == 0 &&
            strcmp(package->arch, image->arch) == 0 && strings_has(&package->images, image->image))
            return package;
    }
    return NULL;
}

static void compare_package(const struct comparing *comparing, const struct lock_image *image,
                            const struct lock_package *locked, const struct lock_package *now)
{
    const struct lock_package *either = locked ? locked : now;
    struct arena *arena = comparing->arena;
    const char *name = arena_printf(arena, "package %s", either->name);
    tell(comparing, image, name, locked ? locked->version : NULL, now ? now->version : NULL);
    if (!locked || !now || strcmp(locked->version, now->version) != 0)
        return;
    name = arena_printf(arena, "package %s %s:", either->name, either->version);
    tell(comparing, image, name, locked->url, now->url);
    tell_digests(comparing, image, name, &locked->digest, &now->digest);
    tell(comparing, image, name, arena_printf(arena, "%" PRIu64 " bytes", locked->size_bytes),
         arena_printf(arena, "%" PRIu64 " bytes", now->size_bytes));
}

static bool is_of(const struct lock_image *image, const char *arch, const struct strings *images)
{
    return strcmp(arch, image->arch) == 0 && strings_has(images, image->image);
}

static void compare_packages(const struct comparing *comparing, const struct lock_image *image)
{
    const struct lock *locked = comparing->locked, *now = comparing->now;
    for (size_t i = 0; i < locked->packages.count; i++) {
        const struct lock_package *package = &locked->packages.items[i];
        if (is_of(image, package->arch, &package->images))
            compare_package(comparing, image, package, find_package(now, image, package));
    }
    for (size_t i = 0; i < now->packages.count; i++) {
        const struct lock_package *package = &now->packages.items[i];
        if (is_of(image, package->arch, &package->images) && !find_package(locked, image, package))
            compare_package(comparing, image, NULL, package);
    }
}

static const struct lock_path *find_path(const struct lock *lock, const struct lock_image *image, const char *path)
{
    for (size_t i = 0; i < lock->paths.count; i++) {
        const struct lock_path *other = &lock->paths.items[i];
        if (strcmp(other->path, path) == 0 && is_of(image, other->arch, &other->images))
            return other;
    }
    return NULL;
}

/* `is_back` looks for those that only `b` has. */
static void compare_paths(const struct comparing *comparing, const struct lock_image *image, bool is_back)
{
    const struct lock *from = is_back ? comparing->now : comparing->locked,
                      *to = is_back ? comparing->locked : comparing->now;
    for (size_t i = 0; i < from->paths.count; i++) {
        const struct lock_path *path = &from->paths.items[i], *other;
        if (!is_of(image, path->arch, &path->images))
            continue;
        other = find_path(to, image, path->path);
        const char *mine = arena_printf(comparing->arena, "of %s (%s)", path->package, path->why);
        const char *theirs = other ? arena_printf(comparing->arena, "of %s (%s)", other->package, other->why) : NULL;
        if (!is_back || !other)
            tell(comparing, image, path->path, is_back ? theirs : mine, is_back ? mine : theirs);
    }
}

static void compare_image(const struct comparing *comparing, const struct lock_image *locked,
                          const struct lock_image *now)
{
    tell_digests(comparing, now, "manifest", &locked->manifest, &now->manifest);
    tell(comparing, now, "base", locked->base, now->base);
    tell_digests(comparing, now, "base", &locked->base_digest, &now->base_digest);
    tell(comparing, now, "name", locked->named, now->named);
    compare_paths(comparing, now, false);
    compare_paths(comparing, now, true);
    compare_packages(comparing, now);
}

void lock_differences(struct arena *arena, const struct lock *locked, const struct lock *now, struct lock_part part,
                      struct strings *ret_lines)
{
    struct comparing comparing = {arena, locked, now, part, ret_lines};
    *ret_lines = (struct strings){0};
    compare_data(&comparing);
    for (size_t i = 0; i < now->images.count; i++) {
        const struct lock_image *image = &now->images.items[i];
        const struct lock_image *other = find_image(locked, image->image, image->arch);
        if (!is_asked(&comparing, image->arch) || (part.image && strcmp(part.image, image->image) != 0))
            continue;
        if (other)
            compare_image(&comparing, other, image);
        else
            list_add(arena, ret_lines, arena_printf(arena, "%s for %s: it is not in it", image->image, image->arch));
    }
    for (size_t i = 0; i < locked->images.count && !part.image && !part.is_some; i++) {
        const struct lock_image *image = &locked->images.items[i];
        if (!find_image(now, image->image, image->arch))
            list_add(arena, ret_lines,
                     arena_printf(arena, "%s for %s: it is not made any more", image->image, image->arch));
    }
}

static const struct lock_source *find_source(const struct lock *lock, const char *uri, const char *suite)
{
    for (size_t i = 0; i < lock->sources.count; i++) {
        const struct lock_source *source = &lock->sources.items[i];
        if (strcmp(source->uri, uri) == 0 && strcmp(source->suite, suite) == 0)
            return source;
    }
    return NULL;
}

static bool is_same_source(const struct lock_source *a, const struct lock_source *b)
{
    return strcmp(a->from, b->from) == 0 && a->date == b->date && digest_eq(&a->digest, &b->digest) &&
           digest_eq(&a->file, &b->file) && digest_eq(&a->signature, &b->signature) && a->is_bare == b->is_bare;
}

static const struct lock_index *find_index(const struct lock *lock, const struct lock_index *wanted)
{
    for (size_t i = 0; i < lock->indices.count; i++) {
        const struct lock_index *index = &lock->indices.items[i];
        if (strcmp(index->uri, wanted->uri) == 0 && strcmp(index->suite, wanted->suite) == 0 &&
            strcmp(index->arch, wanted->arch) == 0 && strcmp(index->path, wanted->path) == 0)
            return index;
    }
    return NULL;
}

/* The architectures that a lock has anything of. */
static bool has_arch(const struct lock *lock, const char *arch)
{
    for (size_t i = 0; i < lock->indices.count; i++) {
        if (strcmp(lock->indices.items[i].arch, arch) == 0)
            return true;
    }
    return false;
}

static void compare_indices(const struct comparing *comparing)
{
    const struct lock *locked = comparing->locked, *now = comparing->now;
    struct arena *arena = comparing->arena;
    for (size_t i = 0; i < now->indices.count; i++) {
        const struct lock_index *index = &now->indices.items[i], *other = find_index(locked, index);
        if (!other || strcmp(other->checksum, index->checksum) != 0 || other->size_bytes != index->size_bytes)
            list_add(arena, comparing->lines,
                     arena_printf(arena, "%s of %s of %s: %s (%" PRIu64 " bytes) is %s (%" PRIu64 " bytes)",
                                  index->path, index->suite, index->uri, other ? other->checksum : "(none)",
                                  other ? other->size_bytes : 0, index->checksum, index->size_bytes));
    }
    for (size_t i = 0; i < locked->indices.count; i++) {
        const struct lock_index *index = &locked->indices.items[i];
        if (find_source(now, index->uri, index->suite) && has_arch(now, index->arch) && !find_index(now, index))
            list_add(arena, comparing->lines,
                     arena_printf(arena, "%s of %s of %s: %s is (none)", index->path, index->suite, index->uri,
                                  index->checksum));
    }
}

void lock_source_differences(struct arena *arena, const struct lock *locked, const struct lock *now,
                             struct strings *ret_lines)
{
    struct comparing comparing = {.arena = arena, .locked = locked, .now = now, .lines = ret_lines};
    *ret_lines = (struct strings){0};
    for (size_t i = 0; i < now->sources.count; i++) {
        const struct lock_source *source = &now->sources.items[i];
        const struct lock_source *other = find_source(locked, source->uri, source->suite);
        if (!other || !is_same_source(other, source))
            list_add(
                arena, ret_lines,
                arena_printf(arena, "%s of %s: what it says of its signed file is not so", source->suite, source->uri));
    }
    compare_indices(&comparing);
}

static bool has_same(const struct lock *lock, const struct lock_package *wanted)
{
    for (size_t i = 0; i < lock->packages.count; i++) {
        if (is_same_package(&lock->packages.items[i], wanted))
            return true;
    }
    return false;
}

/* Adds the names of what `from` has and `to` has otherwise. */
static void add_moved(struct arena *arena, const struct lock *from, const struct lock *to, struct strings *names)
{
    for (size_t i = 0; i < from->packages.count; i++) {
        const struct lock_package *package = &from->packages.items[i];
        if (!has_same(to, package) && !strings_has(names, package->name))
            list_add(arena, names, package->name);
    }
}

void lock_moved(struct arena *arena, const struct lock *locked, const struct lock *now, struct strings *ret_names)
{
    *ret_names = (struct strings){0};
    add_moved(arena, locked, now, ret_names);
    add_moved(arena, now, locked, ret_names);
    sort_names(ret_names);
}

void lock_other_images(struct arena *arena, const struct lock *locked, const struct lock *now,
                       struct strings *ret_names)
{
    *ret_names = (struct strings){0};
    for (size_t i = 0; i < locked->images.count; i++) {
        const struct lock_image *image = &locked->images.items[i];
        if (!find_image(now, image->image, image->arch) && !strings_has(ret_names, image->image))
            list_add(arena, ret_names, image->image);
    }
}

bool lock_has_package(const struct lock *lock, const char *name)
{
    for (size_t i = 0; i < lock->packages.count; i++) {
        if (strcmp(lock->packages.items[i].name, name) == 0)
            return true;
    }
    return false;
}

/* ---- using ---- */

static bool is_zero(const struct digest *digest)
{
    static const struct digest zero;
    return digest_eq(digest, &zero);
}

struct pins lock_pins(struct arena *arena, const struct lock *lock, const char *place, bool is_exact)
{
    struct pins pins = {.place = place, .is_exact = is_exact};
    for (size_t i = 0; i < lock->sources.count; i++) {
        const struct lock_source *source = &lock->sources.items[i];
        struct pin pin = {.uri = source->uri,
                          .suite = source->suite,
                          .from = source->from,
                          .date = source->date,
                          .digest = source->digest,
                          .file = source->file,
                          .signature = source->signature,
                          .has_signature = !is_zero(&source->signature),
                          .is_bare = source->is_bare,
                          .is_left_out = is_zero(&source->file)};
        list_add(arena, &pins.items, pin);
    }
    for (size_t i = 0; i < lock->images.count; i++) {
        struct pin_base base = {lock->images.items[i].base, lock->images.items[i].base_digest};
        if (base.name)
            list_add(arena, &pins.bases, base);
    }
    return pins;
}

static void add_digest(struct arena *arena, const struct digest *digest, struct strings *checksums)
{
    if (!is_zero(digest))
        list_add(arena, checksums, arena_printf(arena, "sha256:%s", digest_hex(digest).chars));
}

void lock_blobs(struct arena *arena, const struct lock *lock, struct strings *ret_checksums)
{
    *ret_checksums = (struct strings){0};
    for (size_t i = 0; i < lock->sources.count; i++) {
        add_digest(arena, &lock->sources.items[i].file, ret_checksums);
        add_digest(arena, &lock->sources.items[i].signature, ret_checksums);
    }
    for (size_t i = 0; i < lock->indices.count; i++)
        list_add(arena, ret_checksums, lock->indices.items[i].checksum);
    for (size_t i = 0; i < lock->packages.count; i++)
        add_digest(arena, &lock->packages.items[i].digest, ret_checksums);
}

bool lock_checksum(const char *text, struct checksum *ret_checksum)
{
    const char *colon = strchr(text, ':');
    enum checksum_kind kind;
    return colon && checksum_find_kind((struct text){text, (size_t)(colon - text)}, &kind) &&
           checksum_parse(kind, text_of(colon + 1), ret_checksum);
}
