/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/layout_parts.h"

#include "base/auto.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

/* A file's name of a document beside the image. */
struct name {
    char chars[sizeof "sha256-.json" + DIGEST_HEX_SIZE];
};

static struct name name_of(const struct digest *about)
{
    struct name name;
    (void)snprintf(name.chars, sizeof name.chars, "sha256-%s.json", digest_hex(about).chars);
    return name;
}

static bool has_same(int dirfd, const char *name, struct text bytes)
{
    AUTO(buf_done) struct buf there = {0};
    struct err ignored = {0};
    return file_read_unlinked_at(dirfd, name, bytes.len, &there, &ignored) &&
           text_eq((struct text){there.bytes, there.len}, bytes);
}

bool layout_put_beside(const struct layout *layout, const struct layout_beside *documents, size_t count,
                       struct err *err)
{
    bool is_changed = false;
    if (!count)
        return true;
    bool is_made = mkdirat(layout->fd, LAYOUT_BESIDE_DIR, 0755) == 0;
    AUTO(auto_close_fd) int dirfd = is_made || errno == EEXIST ? layout_open_beside(layout->fd) : -1;
    if (dirfd < 0) {
        err_set_errno(err, errno, "cannot open %s/" LAYOUT_BESIDE_DIR " (links are not followed there)", layout->path);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        struct name name = name_of(&documents[i].about);
        if (has_same(dirfd, name.chars, documents[i].bytes))
            continue;
        is_changed = true;
        if (!layout_put(layout, dirfd, name.chars, documents[i].bytes, err))
            return false;
    }
    return (!is_changed || layout_sync(layout, dirfd, err)) && (!is_made || layout_sync(layout, layout->fd, err));
}

void layout_drop_beside(int dirfd, const struct digest *about)
{
    (void)unlinkat(dirfd, name_of(about).chars, 0);
}

const char *layout_beside_path(struct arena *arena, const char *dir, const struct digest *about)
{
    return arena_printf(arena, "%s/" LAYOUT_BESIDE_DIR "/%s", dir, name_of(about).chars);
}

bool layout_read_beside(const char *dir, const struct digest *about, size_t cap_bytes, struct buf *ret_bytes)
{
    AUTO(auto_close_fd) int top = -1;
    struct err ignored = {0};
    if (!file_open_dir(dir, &top, &ignored))
        return false;
    AUTO(auto_close_fd) int dirfd = layout_open_beside(top);
    return dirfd >= 0 && file_read_unlinked_at(dirfd, name_of(about).chars, cap_bytes, ret_bytes, &ignored);
}
