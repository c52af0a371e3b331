/* SPDX-License-Identifier: Apache-2.0 */
/* Directories and links are made first, in the order of their paths, by one thread. Files go to several threads, each of
 * which takes runs of neighbours, so that it mostly writes into the directory that it has open. Then hard links, and last
 * of all owners, modes and times of directories, innermost first: a directory may be one that nobody can write to. */
#include "system/system_unpack.h"

#include "base/auto.h"
#include "base/workers.h"
#include "io/file.h"
#include "package/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#define RUN_COUNT 64 /* files that a thread takes at a time */

struct unpacking {
    const struct unpack_request *request;
    const struct entry *entries;
    size_t count;
    int root;
    bool is_superuser;
    atomic_size_t next;
    atomic_bool is_failed;
};

/* One thread's part. */
struct part {
    struct unpacking *unpacking;
    int dir; /* of the last file, or -1 */
    char dir_path[PATH_MAX_BYTES + 1];
    struct err err;
};

static bool fail(const char *path, struct err *err)
{
    err_set_errno(err, errno, "unpacking %s", path);
    return false;
}

static void part_done(struct part *part)
{
    auto_close_fd(&part->dir);
}

/* Opens the directory of a path, component by component: all of them were made here. */
static bool open_parent(struct part *part, const char *path, const char **ret_name, struct err *err)
{
    const char *name = path_basename(path);
    size_t len = (size_t)(name - path);
    *ret_name = name;
    if (part->dir >= 0 && strlen(part->dir_path) == len && strncmp(part->dir_path, path, len) == 0)
        return true;
    AUTO(auto_close_fd) int fd = fcntl(part->unpacking->root, F_DUPFD_CLOEXEC, 0);
    for (const char *at = path + 1, *slash; fd >= 0 && at < name; at = slash + 1) {
        char component[PATH_MAX_COMPONENT + 1];
        slash = strchr(at, '/');
        (void)snprintf(component, sizeof component, "%.*s", (int)(slash - at), at);
        int below = openat(fd, component, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        auto_close_fd(&fd);
        fd = below;
    }
    if (fd < 0)
        return fail(path, err);
    auto_close_fd(&part->dir);
    part->dir = take_fd(&fd);
    (void)snprintf(part->dir_path, sizeof part->dir_path, "%.*s", (int)len, path);
    return true;
}

static mode_t mode_of(const struct unpacking *unpacking, const struct entry *entry)
{
    return entry->mode & (unpacking->is_superuser ? 07777 : 01777);
}

/* Sets owner, capability, mode and time of an open file, in the order that keeps setuid bits and capabilities. */
static bool set_facts(const struct unpacking *unpacking, const struct entry *entry, int fd, struct err *err)
{
    const struct timespec times[2] = {{.tv_sec = entry->mtime}, {.tv_sec = entry->mtime}};
    bool is_owned = !unpacking->is_superuser || fchown(fd, entry->uid, entry->gid) == 0;
    if (!is_owned || fchmod(fd, mode_of(unpacking, entry)) != 0)
        return fail(entry->path, err);
    if (unpacking->is_superuser && entry->capability.len &&
        fsetxattr(fd, "security.capability", entry->capability.ptr, entry->capability.len, 0) != 0)
        return fail(entry->path, err);
    return futimens(fd, times) == 0 || fail(entry->path, err);
}

static bool write_file(struct part *part, const struct entry *entry, struct err *err)
{
    const char *name;
    struct digest digest = digest_of(entry->data, (size_t)entry->size_bytes);
    if (!digest_eq(&digest, &entry->digest)) {
        err_set(err, ERR_TRUST, "%s: its bytes in the cache are not those that were put there", entry->path);
        return false;
    }
    if (!open_parent(part, entry->path, &name, err))
        return false;
    AUTO(auto_close_fd) int fd = openat(part->dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail(entry->path, err);
    return file_write_all(fd, entry->data, (size_t)entry->size_bytes, entry->path, err) &&
           set_facts(part->unpacking, entry, fd, err);
}

static bool is_cancelled(const struct unpacking *unpacking, struct err *err)
{
    if (!unpacking->request->cancel || !atomic_load(unpacking->request->cancel))
        return false;
    err_set(err, ERR_CANCELLED, "interrupted");
    return true;
}

static void write_files(void *item)
{
    struct part *part = item;
    struct unpacking *unpacking = part->unpacking;
    for (size_t first; (first = atomic_fetch_add(&unpacking->next, RUN_COUNT)) < unpacking->count;) {
        for (size_t i = first; i < first + RUN_COUNT && i < unpacking->count; i++) {
            const struct entry *entry = &unpacking->entries[i];
            if (atomic_load(&unpacking->is_failed))
                return;
            if (entry->kind == ENTRY_FILE &&
                (is_cancelled(unpacking, &part->err) || !write_file(part, entry, &part->err))) {
                atomic_store(&unpacking->is_failed, true);
                return;
            }
        }
    }
}

static bool write_all_files(struct unpacking *unpacking, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    size_t count = unpacking->request->thread_count;
    struct part *parts = arena_new_array(&arena, struct part, count);
    void **items = arena_new_array(&arena, void *, count);
    struct workers *workers = NULL;
    for (size_t i = 0; i < count; i++) {
        parts[i].unpacking = unpacking;
        parts[i].dir = -1;
        items[i] = &parts[i];
    }
    if (count > 1 && !workers_start(count, &workers, err))
        return false;
    if (workers)
        workers_run_all(workers, write_files, items, count);
    else
        write_files(&parts[0]);
    workers_stop(workers);
    for (size_t i = 0; i < count; i++) {
        if (parts[i].err.kind && !err->kind)
            *err = parts[i].err;
        part_done(&parts[i]);
    }
    return err->kind == ERR_NONE;
}

static bool write_symlink(struct part *part, const struct entry *entry, struct err *err)
{
    const struct timespec times[2] = {{.tv_sec = entry->mtime}, {.tv_sec = entry->mtime}};
    const char *name;
    if (!open_parent(part, entry->path, &name, err))
        return false;
    bool is_good = symlinkat(entry->target, part->dir, name) == 0 &&
                   (!part->unpacking->is_superuser ||
                    fchownat(part->dir, name, entry->uid, entry->gid, AT_SYMLINK_NOFOLLOW) == 0) &&
                   utimensat(part->dir, name, times, AT_SYMLINK_NOFOLLOW) == 0;
    return is_good || fail(entry->path, err);
}

static bool write_dir(struct part *part, const struct entry *entry, struct err *err)
{
    const char *name;
    if (!open_parent(part, entry->path, &name, err))
        return false;
    /* mkdir(2) obeys the umask, which may take away our own rights */
    return (mkdirat(part->dir, name, 0700) == 0 && fchmodat(part->dir, name, 0700, 0) == 0) || fail(entry->path, err);
}

static bool write_hardlink(struct part *part, const struct entry *entry, struct err *err)
{
    struct part from = {.unpacking = part->unpacking, .dir = -1};
    const char *name, *from_name;
    bool is_good = open_parent(&from, entry->target, &from_name, err) && open_parent(part, entry->path, &name, err);
    if (is_good && linkat(from.dir, from_name, part->dir, name, 0) != 0)
        is_good = fail(entry->path, err);
    part_done(&from);
    return is_good;
}

/* Runs over all entries of one kind. */
static bool each(struct part *part, enum entry_kind kind, bool write(struct part *, const struct entry *, struct err *),
                 struct err *err)
{
    const struct unpacking *unpacking = part->unpacking;
    for (size_t i = 0; i < unpacking->count; i++) {
        if (unpacking->entries[i].kind == kind && !write(part, &unpacking->entries[i], err))
            return false;
    }
    return !is_cancelled(unpacking, err);
}

static bool set_dirs(struct part *part, struct err *err)
{
    const struct unpacking *unpacking = part->unpacking;
    for (size_t i = unpacking->count; i-- > 0;) {
        const struct entry *entry = &unpacking->entries[i];
        const char *name;
        if (entry->kind != ENTRY_DIRECTORY)
            continue;
        if (!open_parent(part, entry->path, &name, err))
            return false;
        AUTO(auto_close_fd) int fd = openat(part->dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
            return fail(entry->path, err);
        if (!set_facts(unpacking, entry, fd, err))
            return false;
    }
    return fchmod(unpacking->root, 0755) == 0 || fail("/", err);
}

static struct unpacking unpacking_of(const struct unpack_request *request, int root)
{
    return (struct unpacking){.request = request,
                              .root = root,
                              .is_superuser = geteuid() == 0,
                              .entries = request->ground->package->entries,
                              .count = request->ground->package->count};
}

static void count_losses(const struct unpacking *unpacking, struct unpack_losses *losses)
{
    *losses = (struct unpack_losses){0};
    for (size_t i = 0; !unpacking->is_superuser && i < unpacking->count; i++) {
        const struct entry *entry = &unpacking->entries[i];
        losses->owner_count += entry->uid != 0 || entry->gid != 0;
        losses->setuid_count += entry->kind != ENTRY_SYMLINK && (entry->mode & 06000);
        losses->capability_count += entry->capability.len > 0;
    }
}

bool system_unpack_check(const struct unpack_request *request, struct err *err)
{
    struct unpacking unpacking = unpacking_of(request, -1);
    for (size_t i = 0; i < unpacking.count; i++) {
        if (!ground_is_special(&unpacking.entries[i]))
            continue;
        err_set(err, ERR_MALFORMED, "%s: is a device or fifo of the image, which is not unpacked on a host",
                unpacking.entries[i].path);
        return false;
    }
    return true;
}

bool system_unpack(const struct unpack_request *request, int root, struct unpack_losses *ret_losses, struct err *err)
{
    struct unpacking unpacking = unpacking_of(request, root);
    struct part part = {.unpacking = &unpacking, .dir = -1};
    count_losses(&unpacking, ret_losses);
    bool is_good = system_unpack_check(request, err) && each(&part, ENTRY_DIRECTORY, write_dir, err) &&
                   each(&part, ENTRY_SYMLINK, write_symlink, err) && write_all_files(&unpacking, err) &&
                   each(&part, ENTRY_HARDLINK, write_hardlink, err) && set_dirs(&part, err);
    part_done(&part);
    return is_good;
}
