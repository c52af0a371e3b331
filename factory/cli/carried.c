/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/carried.h"

#include "base/auto.h"
#include "base/text.h"
#include "io/file.h"
#include "package/path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <sys/stat.h>
#include <unistd.h>

#define FORMAT 1
#define DEPTH_MAX 3

static const char *const folders[] = {"keys", "locks", "vendor"};
/* What else may lie in the folder: the layout, whose images are checked by their digests, and locks. */
static const char *const others[] = {"oci-layout", "index.json", "blobs", CARRIED_NAME, ".lock", ".copy.lock"};

/* --- the list --- */

static const char *digest_text(struct arena *arena, const struct digest *digest)
{
    return arena_printf(arena, "sha256:%s", digest_hex(digest).chars);
}

static bool read_digest(const json_t *json, const char *key, struct digest *ret_digest)
{
    const char *text = json_string_value(json_object_get(json, key));
    return text && text_has_prefix(text_of(text), "sha256:") &&
           digest_parse(text_of(text + strlen("sha256:")), ret_digest);
}

static bool read_image(struct arena *arena, const json_t *json, struct carried *carried)
{
    struct carried_image image = {.name = arena_strdup(arena, json_string_value(json_object_get(json, "name")))};
    if (!image.name || !read_digest(json, "digest", &image.digest) || !read_digest(json, "whole", &image.whole))
        return false;
    list_add(arena, &carried->images, image);
    return true;
}

/* Whether a path stays in one of our folders. */
static bool is_fine_path(const char *path)
{
    bool is_ours = false;
    for (size_t i = 0; i < ARRAY_COUNT(folders); i++) {
        size_t len = strlen(folders[i]);
        is_ours = is_ours || (strncmp(path, folders[i], len) == 0 && path[len] == '/' && path[len + 1]);
    }
    return is_ours && !strstr(path, "/../") && !strstr(path, "/./") && !strstr(path, "//") &&
           !text_has_suffix(text_of(path), "/..") && !text_has_suffix(text_of(path), "/");
}

static bool read_file(struct arena *arena, const json_t *json, struct carried *carried)
{
    const json_t *size = json_object_get(json, "size");
    struct carried_file *file = arena_new(arena, struct carried_file);
    file->path = arena_strdup(arena, json_string_value(json_object_get(json, "path")));
    if (!file->path || !is_fine_path(file->path) || !json_is_integer(size) || json_integer_value(size) < 0 ||
        !read_digest(json, "digest", &file->digest) || carried->files.count >= CARRIED_FILES_MAX)
        return false;
    file->size_bytes = (uint64_t)json_integer_value(size);
    if (!map_add(&carried->by_path, text_of(file->path), file))
        return false;
    list_add(arena, &carried->files, file);
    return true;
}

static bool parse(struct arena *arena, struct text bytes, struct carried *carried)
{
    json_auto_t *json = bytes.len ? json_loadb(bytes.ptr, bytes.len, JSON_REJECT_DUPLICATES, NULL) : NULL;
    const json_t *images = json_object_get(json, "images"), *files = json_object_get(json, "files"), *item;
    size_t i;
    if (json_integer_value(json_object_get(json, "format")) != FORMAT || !json_array_size(images) ||
        !json_is_array(files))
        return false;
    json_array_foreach((json_t *)images, i, item)
    {
        if (!read_image(arena, item, carried))
            return false;
    }
    json_array_foreach((json_t *)files, i, item)
    {
        if (!read_file(arena, item, carried))
            return false;
    }
    return true;
}

bool carried_read(struct arena *arena, const char *dir, bool is_wanted, struct carried *ret_carried, struct err *err)
{
    AUTO(auto_close_fd) int fd = -1;
    AUTO(buf_done) struct buf bytes = {0};
    *ret_carried = (struct carried){.by_path.arena = arena};
    if (!file_open_dir(dir, &fd, err)) {
        if (err->detail != ENOENT)
            return false;
        if (is_wanted)
            err->kind = ERR_USAGE;
        else
            err_clear(err);
        return !is_wanted;
    }
    if (!file_read_unlinked_at(fd, CARRIED_NAME, CARRIED_MAX_BYTES, &bytes, err)) {
        if (err->detail != ENOENT)
            return false;
        err_clear(err);
        if (is_wanted)
            err_set(err, ERR_USAGE,
                    "%s has no " CARRIED_NAME ": it was not made by copy --to-dir, or that was cut short: run it again",
                    dir);
        return !is_wanted;
    }
    if (parse(arena, buf_text(&bytes), ret_carried))
        return true;
    err_set(err, ERR_MALFORMED, "%s/" CARRIED_NAME " is no list of what was carried, or of another format", dir);
    return false;
}

void carried_set_image(struct arena *arena, struct carried *carried, const struct carried_image *image)
{
    for (size_t i = 0; i < carried->images.count; i++) {
        if (strcmp(carried->images.items[i].name, image->name) != 0)
            continue;
        carried->images.items[i] = *image;
        return;
    }
    list_add(arena, &carried->images, *image);
}

static void set_file(struct arena *arena, struct carried *carried, const struct carried_file *file)
{
    struct carried_file *there = map_get(&carried->by_path, text_of(file->path));
    if (there) {
        *there = *file;
        return;
    }
    there = arena_new(arena, struct carried_file);
    *there = *file;
    (void)map_add(&carried->by_path, text_of(there->path), there);
    list_add(arena, &carried->files, there);
}

static int compare_images(const void *left, const void *right)
{
    return strcmp(((const struct carried_image *)left)->name, ((const struct carried_image *)right)->name);
}

static int compare_files(const void *left, const void *right)
{
    const struct carried_file *const *a = left, *const *b = right;
    return strcmp((*a)->path, (*b)->path);
}

bool carried_write(const char *dir, struct carried *carried, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    AUTO(auto_close_fd) int fd = -1;
    json_t *images = json_array(), *files = json_array();
    if (carried->images.count)
        qsort(carried->images.items, carried->images.count, sizeof *carried->images.items, compare_images);
    if (carried->files.count)
        qsort(carried->files.items, carried->files.count, sizeof *carried->files.items, compare_files);
    for (size_t i = 0; i < carried->images.count; i++) {
        const struct carried_image *image = &carried->images.items[i];
        (void)json_array_append_new(images, json_pack("{s:s, s:s, s:s}", "name", image->name, "digest",
                                                      digest_text(&arena, &image->digest), "whole",
                                                      digest_text(&arena, &image->whole)));
    }
    for (size_t i = 0; i < carried->files.count; i++) {
        const struct carried_file *file = carried->files.items[i];
        (void)json_array_append_new(files, json_pack("{s:s, s:I, s:s}", "path", file->path, "size",
                                                     (json_int_t)file->size_bytes, "digest",
                                                     digest_text(&arena, &file->digest)));
    }
    json_auto_t *json = json_pack("{s:i, s:o, s:o}", "format", FORMAT, "images", images, "files", files);
    AUTO(auto_free) char *text = json_dumps(json, JSON_INDENT(1));
    if (!text)
        memory_abort(0);
    return file_open_dir(dir, &fd, err) && file_write_atomic_at(fd, CARRIED_NAME, text, strlen(text), 0644, true, err);
}

/* --- files --- */

static bool has_same(int dirfd, const char *name, const struct view *view)
{
    AUTO(view_done) struct view there = {0};
    AUTO(auto_close_fd) int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct err none = {0};
    return fd >= 0 && file_map_fd(fd, name, &there, &none) && there.len == view->len &&
           memcmp(there.ptr, view->ptr, view->len) == 0;
}

/* Opens, and makes, the folder of DIR/PATH. Below DIR no link is followed: somebody else may have filled it. */
static bool open_parent(struct arena *arena, const char *dir, const char *path, int *ret_fd, struct err *err)
{
    AUTO(auto_close_fd) int fd = -1;
    if (!file_open_dir(dir, &fd, err))
        return false;
    for (const char *slash = strchr(path, '/'); slash; slash = strchr(path, '/')) {
        const char *name = arena_strndup(arena, path, (size_t)(slash - path));
        bool is_made = mkdirat(fd, name, 0755) == 0 || errno == EEXIST;
        int below = is_made ? openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
        if (below < 0) {
            err_set_errno(err, errno, "%s: cannot make the folder %s (links are not followed there)", dir, name);
            return false;
        }
        (void)close(fd);
        fd = below;
        path = slash + 1;
    }
    *ret_fd = take_fd(&fd);
    return true;
}

/* Puts the bytes to DIR/PATH, durably, and lists them. */
static bool put(struct arena *arena, struct carried *carried, const char *dir, const char *path,
                const struct view *view, struct err *err)
{
    AUTO(auto_close_fd) int fd = -1;
    const char *name = path_basename(path);
    struct carried_file file = {path, view->len, digest_of(view->ptr, view->len)};
    if (!open_parent(arena, dir, path, &fd, err))
        return false;
    if (!has_same(fd, name, view) && !file_write_atomic_at(fd, name, view->ptr, view->len, 0644, true, err)) {
        err_wrap(err, "%s", dir);
        return false;
    }
    set_file(arena, carried, &file);
    return true;
}

bool carried_add_file(struct arena *arena, struct carried *carried, const char *dir, const char *folder,
                      const char *path, struct err *err)
{
    AUTO(view_done) struct view view = {0};
    const char *slash = strrchr(path, '/');
    if (!file_map_at(AT_FDCWD, path, &view, err)) {
        err->kind = err->detail == ENOENT ? ERR_USAGE : err->kind;
        return false;
    }
    return put(arena, carried, dir, arena_printf(arena, "%s/%s", folder, slash ? slash + 1 : path), &view, err);
}

static void close_dir(DIR **stream)
{
    if (*stream)
        (void)closedir(*stream);
}

/* Lists the names in a folder, sorted; no link is followed to it. */
static bool names_in(struct arena *arena, const char *path, struct strings *ret_names, struct err *err)
{
    AUTO(auto_close_fd) int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    AUTO(close_dir) DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;
    *ret_names = (struct strings){0};
    if (!stream) {
        err_set_errno(err, errno, "cannot read the folder %s", path);
        return false;
    }
    (void)take_fd(&fd);
    while ((entry = readdir(stream)) != NULL) { // NOLINT(concurrency-mt-unsafe): the stream is ours alone
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            list_add(arena, ret_names, arena_strdup(arena, entry->d_name));
        if (ret_names->count > CARRIED_FILES_MAX) {
            err_set(err, ERR_MALFORMED, "%s holds more than %zu files", path, CARRIED_FILES_MAX);
            return false;
        }
    }
    return true;
}

static bool add_below(struct arena *arena, struct carried *carried, const char *dir, const char *folder,
                      const char *path, int depth, struct err *err)
{
    struct strings names;
    if (!names_in(arena, path, &names, err))
        return false;
    for (size_t i = 0; i < names.count; i++) {
        const char *below = arena_printf(arena, "%s/%s", path, names.items[i]);
        struct stat status;
        if (fstatat(AT_FDCWD, below, &status, AT_SYMLINK_NOFOLLOW) != 0) {
            err_set_errno(err, errno, "%s", below);
            return false;
        }
        if (S_ISDIR(status.st_mode) && depth < DEPTH_MAX
                ? !add_below(arena, carried, dir, arena_printf(arena, "%s/%s", folder, names.items[i]), below,
                             depth + 1, err)
                : S_ISREG(status.st_mode) && names.items[i][0] != '.' &&
                      !carried_add_file(arena, carried, dir, folder, below, err))
            return false;
    }
    return true;
}

bool carried_add_folder(struct arena *arena, struct carried *carried, const char *dir, const char *folder,
                        const char *path, struct err *err)
{
    return add_below(arena, carried, dir, folder, path, 1, err);
}

/* --- checking --- */

static bool fail(struct err *err, const char *dir, const char *path, const char *what)
{
    err_set(err, ERR_TRUST, "%s/%s %s", dir, path, what);
    return false;
}

/* What lies there is listed, and so is all below it; no link. */
static bool check_listed(struct arena *arena, const char *dir, const char *path, int depth,
                         const struct carried *carried, struct err *err)
{
    struct strings names;
    struct stat status;
    const char *whole = arena_printf(arena, "%s/%s", dir, path);
    if (fstatat(AT_FDCWD, whole, &status, AT_SYMLINK_NOFOLLOW) != 0) {
        err_set_errno(err, errno, "%s", whole);
        return false;
    }
    if (!S_ISDIR(status.st_mode) || depth > DEPTH_MAX)
        return (S_ISREG(status.st_mode) && map_get(&carried->by_path, text_of(path))) ||
               fail(err, dir, path,
                    "is not in " CARRIED_NAME ": somebody put it there, or copy --to-dir was cut short");
    if (!names_in(arena, whole, &names, err))
        return false;
    for (size_t i = 0; i < names.count; i++) {
        const char *below = arena_printf(arena, "%s/%s", path, names.items[i]);
        if (!check_listed(arena, dir, below, depth + 1, carried, err))
            return false;
    }
    return true;
}

static bool check_file(struct arena *arena, const char *dir, const struct carried_file *file, struct err *err)
{
    AUTO(view_done) struct view view = {0};
    AUTO(auto_close_fd)
    int fd = open(arena_printf(arena, "%s/%s", dir, file->path), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return fail(err, dir, file->path, "is listed in " CARRIED_NAME ", and is not there");
    if (!file_map_fd(fd, file->path, &view, err))
        return false;
    struct digest got = view.len == file->size_bytes ? digest_of(view.ptr, view.len) : (struct digest){0};
    return (view.len == file->size_bytes && digest_eq(&got, &file->digest)) ||
           fail(err, dir, file->path, "has other bytes than " CARRIED_NAME " says");
}

static bool is_one_of(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(name, names[i]) == 0)
            return true;
    }
    return false;
}

bool carried_check(struct arena *arena, const char *dir, const struct carried *carried, struct err *err)
{
    struct strings names;
    if (!names_in(arena, dir, &names, err))
        return false;
    for (size_t i = 0; i < names.count; i++) {
        const char *name = names.items[i];
        if (is_one_of(name, others, ARRAY_COUNT(others)))
            continue;
        if (!is_one_of(name, folders, ARRAY_COUNT(folders)))
            return fail(err, dir, name, "is nothing that copy --to-dir wrote");
        if (!check_listed(arena, dir, name, 0, carried, err))
            return false;
    }
    for (size_t i = 0; i < carried->files.count; i++) {
        if (!check_file(arena, dir, carried->files.items[i], err))
            return false;
    }
    return true;
}
