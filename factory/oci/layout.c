/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/layout.h"

#include "base/auto.h"
#include "base/map.h"
#include "oci/layout_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define LOCK_NAME ".lock"
#define LOCK_TRIES 32
#define VERSION_TEXT "{\"imageLayoutVersion\":\"1.0.0\"}"

void layout_close(struct layout *layout)
{
    auto_close_fd(&layout->blobs_fd);
    auto_close_fd(&layout->fd);
    auto_close_fd(&layout->lock_fd);
    layout->fd = layout->lock_fd = layout->blobs_fd = -1;
}

static bool wait_for_lock(const struct layout *layout, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    return lock_take(layout->lock_fd, false, arena_printf(&arena, "%s/" LOCK_NAME, layout->path), layout->wait, err);
}

/* Returns whether the lock is still the file that others find, after a wait in which someone may have removed or
 * replaced the directory. */
static bool is_current(const struct layout *layout)
{
    AUTO(arena_done) struct arena arena = {0};
    struct stat ours, theirs;
    return !fstat(layout->lock_fd, &ours) && !stat(arena_printf(&arena, "%s/" LOCK_NAME, layout->path), &theirs) &&
           ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

static bool open_once(struct layout *layout, struct err *err)
{
    if (!file_make_dirs(layout->path, 0755, err) || !file_open_dir(layout->path, &layout->fd, err))
        return false;
    layout->lock_fd = lock_open_at(layout->fd, LOCK_NAME);
    if (layout->lock_fd >= 0)
        return wait_for_lock(layout, err);
    err_set_errno(err, errno, "cannot open %s/" LOCK_NAME, layout->path);
    return false;
}

int layout_open_blobs(const struct layout *layout)
{
    AUTO(auto_close_fd) int blobs = openat(layout->fd, "blobs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return blobs < 0 ? -1 : openat(blobs, "sha256", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Makes the directory if needed, and waits for its lock. */
static bool open_locked(struct layout *layout, struct err *err)
{
    for (unsigned tries = 0; tries < LOCK_TRIES; tries++) {
        if (!open_once(layout, err))
            return false;
        if (is_current(layout)) {
            layout->blobs_fd = layout_open_blobs(layout);
            return true;
        }
        layout_close(layout);
    }
    err_set(err, ERR_LOCAL, "cannot lock %s: it is being replaced again and again", layout->path);
    return false;
}

/* Makes blobs/sha256, and sees to it that the directories' own names last. */
static bool make_blob_dirs(struct layout *layout, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    struct stat status;
    if (layout->blobs_fd >= 0)
        return true;
    const char *path = arena_printf(&arena, "%s/blobs/sha256", layout->path);
    bool is_link = fstatat(layout->fd, "blobs", &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(status.st_mode);
    if (!is_link && !file_make_dirs(path, 0755, err))
        return false;
    layout->blobs_fd = is_link ? -1 : layout_open_blobs(layout);
    if (layout->blobs_fd < 0) {
        err_set_errno(err, is_link ? ELOOP : errno, "cannot open %s (links are not followed there)", path);
        return false;
    }
    AUTO(auto_close_fd) int blobs = openat(layout->fd, "blobs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    AUTO(auto_close_fd) int parent = openat(layout->fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    /* The parent may be closed to us for reading: then its owner made our name there, and made it last. */
    return (blobs < 0 || layout_sync(layout, blobs, err)) && (parent < 0 || layout_sync(layout, parent, err));
}

/* What a layout is to hold: blobs, and the document that the tags point at. */
struct wanted {
    struct arena *arena;
    struct store *store;
    const struct strings *tags;
    const struct lock_wait *wait;
    struct layout_target target;
    struct map known; /* digest and size of the pieces */
    LIST(struct layout_piece) pieces;
    const struct layout_request *request; /* NULL: tags may lose platforms */
    const struct cargo *cargo;            /* NULL: none */
    const char *prefix;                   /* of its tags */
};

/* Adds a blob unless it is there already. The same digest with two sizes stays two: one of them must fail. */
static void add_piece(struct wanted *wanted, const struct digest *digest, uint64_t size_bytes, const char *bytes)
{
    const char *key = arena_printf(wanted->arena, "%s %ju", digest_hex(digest).chars, (uintmax_t)size_bytes);
    if (map_add(&wanted->known, text_of(key), NULL))
        list_add(wanted->arena, &wanted->pieces,
                 (struct layout_piece){.digest = *digest, .size_bytes = size_bytes, .bytes = bytes});
}

static void add_layer(struct wanted *wanted, const struct digest *digest, uint64_t size_bytes)
{
    if (!wanted->request->may_lack_layers || store_has_blob(wanted->store, digest, size_bytes))
        add_piece(wanted, digest, size_bytes, NULL);
}

static void add_document(struct wanted *wanted, const struct document *document)
{
    add_piece(wanted, &document->digest, document->len, document->bytes);
}

static void find_there(const struct layout *layout, struct wanted *wanted)
{
    for (size_t i = 0; i < wanted->pieces.count; i++) {
        struct layout_piece *piece = &wanted->pieces.items[i];
        piece->is_there = layout_has_blob(layout, store_hashed(wanted->store), &piece->digest, piece->size_bytes);
    }
}

static bool put_missing(const struct layout *layout, const struct wanted *wanted, struct err *err)
{
    for (size_t i = 0; i < wanted->pieces.count; i++) {
        const struct layout_piece *piece = &wanted->pieces.items[i];
        if (!piece->is_there && !layout_put_blob(layout, wanted->store, piece, err))
            return false;
    }
    return layout_sync(layout, layout->blobs_fd, err);
}

static bool has_all(const struct wanted *wanted)
{
    for (size_t i = 0; i < wanted->pieces.count; i++) {
        if (!wanted->pieces.items[i].is_there)
            return false;
    }
    return true;
}

static bool keeps_platforms(const struct layout *layout, const json_t *index, const struct wanted *wanted,
                            struct err *err)
{
    const struct layout_request *request = wanted->request;
    struct platforms after = {0};
    struct digest config;
    if (!request || !request->ret_loss)
        return true;
    (void)platforms_read(request->arena, (struct text){request->index->bytes, request->index->len}, &after, &config);
    return layout_check_platforms(layout, index, &wanted->target.root, request, &after, err);
}

static bool put_beside(const struct layout *layout, const struct wanted *wanted, struct err *err)
{
    const struct layout_request *request = wanted->request;
    return !request || layout_put_beside(layout, request->beside, request->beside_count, err);
}

/* Brings the locked layout to what is wanted: blobs, oci-layout, what lies beside, then index.json, so that nothing is seen
 * before all is there; then away with what only replaced tags needed. */
static bool update(struct layout *layout, struct wanted *wanted, bool *ret_is_unchanged, struct err *err)
{
    json_auto_t *index = NULL, *replaced = json_array();
    bool has_version;
    if (!layout_version_read(layout, &has_version, err) || !layout_index_read(layout, &index, err) ||
        !keeps_platforms(layout, index, wanted, err))
        return false;
    layout_clean(layout);
    find_there(layout, wanted);
    bool is_changed = layout_index_set(index, &wanted->target, wanted->tags, replaced);
    is_changed =
        (wanted->cargo && layout_index_add_cargo(index, wanted->cargo, wanted->prefix, replaced)) || is_changed;
    if (!is_changed && has_version && has_all(wanted)) {
        *ret_is_unchanged = true;
        return put_beside(layout, wanted, err);
    }
    if (!make_blob_dirs(layout, err) || !put_missing(layout, wanted, err) ||
        (!has_version && !layout_put(layout, layout->fd, "oci-layout", TEXT(VERSION_TEXT), err)) ||
        !put_beside(layout, wanted, err) || !layout_sync(layout, layout->fd, err) ||
        (is_changed && !layout_index_write(layout, index, err)))
        return false;
    layout_sweep(layout, index, replaced);
    *ret_is_unchanged = false;
    return true;
}

static bool write_wanted(const char *dir, struct wanted *wanted, bool *ret_is_unchanged, struct err *err)
{
    AUTO(layout_close)
    struct layout layout = {.path = dir, .wait = wanted->wait, .fd = -1, .lock_fd = -1, .blobs_fd = -1};
    if (!wanted->tags->count && wanted->request) {
        err_set(err, ERR_USAGE, "%s: an image without a tag cannot be found in a layout", dir);
        return false;
    }
    return open_locked(&layout, err) && update(&layout, wanted, ret_is_unchanged, err);
}

bool layout_write(const struct layout_request *request, bool *ret_is_unchanged, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    struct wanted wanted = {.arena = &arena,
                            .store = request->store,
                            .tags = request->tags,
                            .wait = request->wait,
                            .known.arena = &arena,
                            .request = request};
    for (size_t i = 0; i < request->image_count; i++) {
        const struct image *image = request->images[i];
        for (size_t j = 0; image->base && j < image->base->layers.count; j++)
            add_layer(&wanted, &image->base->layers.items[j].blob.digest, image->base->layers.items[j].blob.size_bytes);
        for (size_t j = 0; j < image->layers.count; j++)
            add_layer(&wanted, &image->layers.items[j].digest, image->layers.items[j].size_bytes);
        add_document(&wanted, &image->config);
        add_document(&wanted, &image->manifest);
    }
    add_document(&wanted, request->index);
    wanted.target.root = (struct layout_blob){request->index->digest, request->index->len, OCI_MEDIA_INDEX};
    wanted.target.name = request->name;
    return write_wanted(request->dir, &wanted, ret_is_unchanged, err);
}

static void add_cargo(struct wanted *wanted, const struct cargo *cargo)
{
    for (size_t i = 0; i < cargo->pieces.count; i++) {
        const struct cargo_piece *piece = &cargo->pieces.items[i];
        add_piece(wanted, &piece->blob.digest, piece->blob.size_bytes, piece->bytes.ptr);
        for (size_t j = 0; j < piece->blob_count; j++)
            add_piece(wanted, &piece->blobs[j].digest, piece->blobs[j].size_bytes, NULL);
    }
}

bool layout_import(const struct layout_import_request *request, bool *ret_is_unchanged, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    const struct layout_image *image = request->image;
    struct wanted wanted = {
        .arena = &arena, .store = request->store, .tags = request->tags, .wait = request->wait, .known.arena = &arena};
    for (size_t i = 0; i < image->manifests.count; i++) {
        const struct layout_manifest *manifest = &image->manifests.items[i];
        if (manifest->bytes.ptr) /* else it was not read: readers have to live with blobs that are not there */
            add_piece(&wanted, &manifest->blob.digest, manifest->blob.size_bytes, manifest->bytes.ptr);
        if (manifest->unread)
            continue;
        /* Documents first: a layer may be the same blob as one (artifacts use the empty "{}" for both). */
        add_piece(&wanted, &manifest->config.digest, manifest->config.size_bytes, manifest->config_bytes.ptr);
        for (size_t j = 0; j < manifest->layers.count; j++)
            add_piece(&wanted, &manifest->layers.items[j].digest, manifest->layers.items[j].size_bytes, NULL);
    }
    add_piece(&wanted, &image->root.digest, image->root.size_bytes, image->root_bytes.ptr);
    wanted.target = (struct layout_target){image->root, request->name};
    wanted.cargo = request->cargo;
    wanted.prefix = request->prefix ? request->prefix : "";
    if (request->cargo)
        add_cargo(&wanted, request->cargo);
    return write_wanted(request->dir, &wanted, ret_is_unchanged, err);
}
