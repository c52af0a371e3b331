#include "image/layout.h"

#include "base/auto.h"
#include "image/layout_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#define LOCK_NAME ".lock"
#define LOCK_TRIES 32
#define VERSION_TEXT "{\"imageLayoutVersion\":\"1.0.0\"}"

static void layout_close(struct layout *layout)
{
    auto_close_fd(&layout->blobs_fd);
    auto_close_fd(&layout->fd);
    auto_close_fd(&layout->lock_fd);
    layout->fd = layout->lock_fd = layout->blobs_fd = -1;
}

static bool wait_for_lock(const struct layout *layout, struct err *err)
{
    while (flock(layout->lock_fd, LOCK_EX)) {
        if (errno == EINTR)
            continue;
        err_set_errno(err, errno, "cannot lock %s/" LOCK_NAME, layout->path);
        return false;
    }
    return true;
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
    layout->lock_fd = openat(layout->fd, LOCK_NAME, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (layout->lock_fd >= 0)
        return wait_for_lock(layout, err);
    err_set_errno(err, errno, "cannot open %s/" LOCK_NAME, layout->path);
    return false;
}

/* Makes the directory if needed, and waits for its lock. */
static bool open_locked(struct layout *layout, struct err *err)
{
    for (unsigned tries = 0; tries < LOCK_TRIES; tries++) {
        if (!open_once(layout, err))
            return false;
        if (is_current(layout)) {
            layout->blobs_fd = openat(layout->fd, "blobs/sha256", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
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
    if (layout->blobs_fd >= 0)
        return true;
    const char *path = arena_printf(&arena, "%s/blobs/sha256", layout->path);
    if (!file_make_dirs(path, 0755, err) || !file_open_dir(path, &layout->blobs_fd, err))
        return false;
    AUTO(auto_close_fd) int blobs = openat(layout->fd, "blobs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    AUTO(auto_close_fd) int parent = openat(layout->fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    /* The parent may be closed to us for reading: then its owner made our name there, and made it last. */
    return (blobs < 0 || layout_sync(layout, blobs, err)) && (parent < 0 || layout_sync(layout, parent, err));
}

struct needed {
    struct layout_blob *items;
    size_t count, capacity;
};

static void add_document(struct arena *arena, struct needed *needed, const struct document *document)
{
    list_add(arena, needed,
             (struct layout_blob){.digest = document->digest, .size_bytes = document->len, .bytes = document->bytes});
}

/* Lists the image's blobs, each once, and looks which are there. */
static void find_needed(struct arena *arena, const struct layout *layout, const struct layout_request *request,
                        struct needed *needed)
{
    struct needed all = {0};
    for (size_t i = 0; i < request->image_count; i++) {
        const struct image *image = request->images[i];
        list_add(arena, &all,
                 (struct layout_blob){.digest = image->layer.digest, .size_bytes = image->layer.size_bytes});
        add_document(arena, &all, &image->config);
        add_document(arena, &all, &image->manifest);
    }
    add_document(arena, &all, request->index);
    for (size_t i = 0; i < all.count; i++) {
        struct layout_blob blob = all.items[i];
        bool is_known = false;
        for (size_t j = 0; j < needed->count && !is_known; j++)
            is_known = digest_eq(&needed->items[j].digest, &blob.digest);
        if (is_known)
            continue;
        blob.is_there = layout_has_blob(layout, &blob.digest, blob.size_bytes);
        list_add(arena, needed, blob);
    }
}

static bool put_missing(const struct layout *layout, struct store *store, const struct needed *needed, struct err *err)
{
    for (size_t i = 0; i < needed->count; i++) {
        if (!needed->items[i].is_there && !layout_put_blob(layout, store, &needed->items[i], err))
            return false;
    }
    return layout_sync(layout, layout->blobs_fd, err);
}

static bool has_all(const struct needed *needed)
{
    for (size_t i = 0; i < needed->count; i++) {
        if (!needed->items[i].is_there)
            return false;
    }
    return true;
}

/* Brings the locked layout to the request: blobs, then oci-layout, then index.json, then away with what only replaced
 * tags needed. */
static bool update(struct layout *layout, const struct layout_request *request, bool *ret_is_unchanged, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    json_auto_t *index = NULL, *replaced = json_array();
    bool has_version;
    if (!layout_version_read(layout, &has_version, err) || !layout_index_read(layout, &index, err))
        return false;
    layout_clean(layout);
    struct needed needed = {0};
    find_needed(&arena, layout, request, &needed);
    bool is_changed = layout_index_set(index, &request->index->digest, request->index->len, request->tags, replaced);
    if (!is_changed && has_version && has_all(&needed)) {
        *ret_is_unchanged = true;
        return true;
    }
    if (!make_blob_dirs(layout, err) || !put_missing(layout, request->store, &needed, err) ||
        (!has_version && !layout_put(layout, layout->fd, "oci-layout", TEXT(VERSION_TEXT), err)) ||
        !layout_sync(layout, layout->fd, err) || (is_changed && !layout_index_write(layout, index, err)))
        return false;
    layout_sweep(layout, index, replaced);
    *ret_is_unchanged = false;
    return true;
}

bool layout_write(const struct layout_request *request, bool *ret_is_unchanged, struct err *err)
{
    AUTO(layout_close) struct layout layout = {.path = request->dir, .fd = -1, .lock_fd = -1, .blobs_fd = -1};
    if (!request->tags->count) {
        err_set(err, ERR_USAGE, "%s: an image without a tag cannot be found in a layout", request->dir);
        return false;
    }
    return open_locked(&layout, err) && update(&layout, request, ret_is_unchanged, err);
}
