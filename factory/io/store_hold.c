/* SPDX-License-Identifier: Apache-2.0 */
/* What is held in the store for files elsewhere (store_prune.h). */
#include "io/store_parts.h"

#include "base/auto.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define HELD_DIR "held"
#define LIST_MAX_BYTES ((size_t)32 << 20)

/* Opens v1/held, which is made if need be. -1 where that cannot be. */
static int open_held(const struct store *store)
{
    AUTO(auto_close_fd) int v1_fd = openat(store->tmp_fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (v1_fd < 0 || (mkdirat(v1_fd, HELD_DIR, 0700) != 0 && errno != EEXIST))
        return -1;
    return openat(v1_fd, HELD_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

bool store_hold(struct store *store, const char *path, const struct strings *names, struct err *err)
{
    AUTO(auto_close_fd) int fd = open_held(store);
    AUTO(buf_done) struct buf text, former = {0};
    struct digest place = digest_of(path, strlen(path));
    struct err ignored = {0};
    buf_init(&text, LIST_MAX_BYTES);
    if (fd < 0 || strchr(path, '\n') || !buf_printf(&text, "%s\n", path))
        return true;
    for (size_t i = 0; i < names->count; i++) {
        if (!buf_printf(&text, "%s\n", names->items[i])) {
            err_set(err, ERR_LOCAL, "%s names more than the cache can keep a list of", path);
            return false;
        }
    }
    if (file_read_at(fd, digest_hex(&place).chars, LIST_MAX_BYTES, &former, &ignored) &&
        text_eq(buf_text(&former), buf_text(&text)))
        return true;
    if (file_write_atomic_at(fd, digest_hex(&place).chars, text.bytes, text.len, 0600, false, err))
        return true;
    if (err->detail == EROFS || err->detail == EACCES) {
        err_clear(err);
        return true;
    }
    err_wrap(err, "cache");
    return false;
}

/* Adds the names of one list. False when its file is gone. */
static bool add_list(struct text text, struct map *names)
{
    struct text path, name;
    if (!text_next(&text, '\n', &path) || !path.len || path.ptr[0] != '/')
        return false;
    if (access(text_dup(names->arena, path), F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR))
        return false;
    while (text_next(&text, '\n', &name)) {
        struct digest digest;
        if (digest_parse(name, &digest))
            (void)map_add(names, text_of(arena_strdup(names->arena, digest_hex(&digest).chars)), names);
    }
    return true;
}

/* Names of lists, gathered before any is read: removing while a folder is read is not for all file systems. */
struct lists {
    int fd;
    bool is_dry_run;
    struct map *names;
};

static void look_at(const struct lists *lists, const char *name)
{
    AUTO(buf_done) struct buf text = {0};
    struct err ignored = {0};
    struct digest place;
    if (!digest_parse(text_of(name), &place) ||
        !file_read_unlinked_at(lists->fd, name, LIST_MAX_BYTES, &text, &ignored))
        return;
    if (!add_list(buf_text(&text), lists->names) && !lists->is_dry_run)
        (void)unlinkat(lists->fd, name, 0);
}

void store_list_held(int v1_fd, bool is_dry_run, struct map *names)
{
    AUTO(auto_close_fd) int fd = openat(v1_fd, HELD_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(dup(fd)) : NULL;
    struct lists lists = {fd, is_dry_run, names};
    struct strings found = {0};
    const struct dirent *entry;
    while (dir && (entry = readdir(dir)))
        list_add(names->arena, &found, arena_strdup(names->arena, entry->d_name));
    if (dir)
        (void)closedir(dir);
    for (size_t i = 0; i < found.count; i++)
        look_at(&lists, found.items[i]);
}
