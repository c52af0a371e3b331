#include "oci/layout_parts.h"

#include "base/auto.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

static bool has_same(int dirfd, const struct layout_beside *beside)
{
    AUTO(buf_done) struct buf there = {0};
    struct err ignored = {0};
    return file_read_unlinked_at(dirfd, beside->name, beside->bytes.len, &there, &ignored) &&
           text_eq((struct text){there.bytes, there.len}, beside->bytes);
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
        if (has_same(dirfd, &documents[i]))
            continue;
        is_changed = true;
        if (!layout_put(layout, dirfd, documents[i].name, documents[i].bytes, err))
            return false;
    }
    return (!is_changed || layout_sync(layout, dirfd, err)) && (!is_made || layout_sync(layout, layout->fd, err));
}

static void close_dir(DIR **dir)
{
    if (*dir)
        (void)closedir(*dir);
}

bool layout_each_beside(const char *dir, size_t cap_bytes, layout_beside_seen *seen, void *self)
{
    AUTO(auto_close_fd) int top = -1;
    struct err ignored = {0};
    if (!file_open_dir(dir, &top, &ignored))
        return false;
    AUTO(auto_close_fd) int fd = layout_open_beside(top);
    AUTO(close_dir) DIR *entries = fd < 0 ? NULL : fdopendir(fd);
    if (!entries)
        return false;
    int dirfd = take_fd(&fd);
    for (struct dirent *entry; cap_bytes && (entry = readdir(entries));) {
        AUTO(buf_done) struct buf bytes = {0};
        struct err unread = {0};
        if (entry->d_name[0] != '.' && file_read_unlinked_at(dirfd, entry->d_name, cap_bytes, &bytes, &unread)) {
            seen(self, &(struct layout_beside){entry->d_name, {bytes.bytes, bytes.len}});
            cap_bytes -= bytes.len;
        }
    }
    return true;
}
