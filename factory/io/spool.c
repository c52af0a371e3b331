/* SPDX-License-Identifier: Apache-2.0 */
#include "io/spool.h"

#include "base/auto.h"
#include "io/errand.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>

#define PAGE_BYTES ((uint64_t)4096)
#define ALIGNMENT ((uint64_t)64)
#define GAP_MAX_BYTES ((uint64_t)256 << 10) /* of dropped bytes that are mapped along with what is around them */

static uint64_t round_up(uint64_t offset, uint64_t unit)
{
    return (offset + unit - 1) / unit * unit;
}

bool spool_open(int *ret_fd, struct err *err)
{
    const char *places[] = {getenv("TMPDIR"), "/var/tmp", "/tmp"};
    for (size_t i = 0; i < ARRAY_COUNT(places); i++) {
        int fd = places[i] && *places[i] ? open(places[i], O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600) : -1;
        if (fd >= 0) {
            *ret_fd = fd;
            return true;
        }
    }
    *ret_fd = memfd_create("imgfactory", MFD_CLOEXEC);
    if (*ret_fd < 0)
        err_set_errno(err, errno, "cannot create a temporary file");
    return *ret_fd >= 0;
}

bool spool_begin(struct spool *spool, struct spooled *ret_run, struct err *err)
{
    if (!spool->is_open) {
        if (!(spool->broker ? errand_temporary(spool->broker, &spool->fd, err) : spool_open(&spool->fd, err)))
            return false;
        spool->is_open = true;
    }
    spool->end = round_up(spool->end, ALIGNMENT);
    spool->last_begin = spool->end;
    *ret_run = (struct spooled){.offset = spool->end};
    return true;
}

bool spool_add(struct spool *spool, struct spooled *run, struct text bytes, struct err *err)
{
    while (bytes.len) {
        ssize_t put = pwrite(spool->fd, bytes.ptr, bytes.len, (off_t)spool->end);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0) {
            err_set_errno(err, put ? errno : ENOSPC,
                          "cannot write a temporary file (TMPDIR names another place for it)");
            return false;
        }
        spool->end += (uint64_t)put;
        run->len += (uint64_t)put;
        bytes = (struct text){bytes.ptr + put, bytes.len - (size_t)put};
    }
    return true;
}

/* Holes are whole pages. What cannot have any (an old file system) only keeps the room. */
void spool_drop(struct spool *spool, struct spooled *run)
{
    uint64_t begin = round_up(run->offset, PAGE_BYTES), end = (run->offset + run->len) / PAGE_BYTES * PAGE_BYTES;
    if (begin < end)
        (void)fallocate(spool->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)begin, (off_t)(end - begin));
    if (run->offset == spool->last_begin)
        spool->end = run->offset;
    *run = (struct spooled){0};
}

static bool map_range(struct spool *spool, uint64_t begin, uint64_t end, struct view *ret_view, struct err *err)
{
    size_t len = (size_t)(end - begin);
    void *mapping = mmap(NULL, len, PROT_READ, MAP_SHARED, spool->fd, (off_t)begin);
    if (mapping == MAP_FAILED) {
        err_set_errno(err, errno, "cannot map %zu MiB of ELF files", len >> 20);
        return false;
    }
    *ret_view = (struct view){.ptr = mapping, .len = len, .mapping = mapping, .mapping_len = len};
    list_add(spool->arena, &spool->views, *ret_view);
    return true;
}

bool spool_map(struct spool *spool, struct spooled *const *runs, size_t count, struct err *err)
{
    for (size_t first = 0, next; first < count; first = next) {
        uint64_t begin = runs[first]->offset / PAGE_BYTES * PAGE_BYTES;
        uint64_t end = runs[first]->offset + runs[first]->len;
        for (next = first + 1; next < count && runs[next]->offset <= end + GAP_MAX_BYTES; next++)
            end = runs[next]->offset + runs[next]->len;
        struct view view = {.ptr = ""};
        if (end > begin && !map_range(spool, begin, end, &view, err))
            return false;
        for (size_t i = first; i < next; i++)
            runs[i]->bytes = view.ptr + (runs[i]->offset - begin);
    }
    return true;
}

void spool_done(struct spool *spool)
{
    for (size_t i = 0; i < spool->views.count; i++)
        view_done(&spool->views.items[i]);
    if (spool->is_open)
        (void)close(spool->fd);
    *spool = (struct spool){0};
}
