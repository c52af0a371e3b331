/* SPDX-License-Identifier: Apache-2.0 */
/* Kill safety: a file is there or not, each is checked when it is used and made again when it is gone, and v1/sizes
 * errs to the large side, which only makes the next walk come sooner. */
#include "io/store_parts.h"

#include "base/auto.h"
#include "base/list.h"

#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#define BLOCK_BYTES ((uint64_t)4096)
#define DAY_S ((int64_t)24 * 60 * 60)
#define UNUSED_S (2 * DAY_S) /* then not even a running process needs it */
#define DEPTH_MAX 4
#define SIZES_MAX_BYTES ((size_t)64 * 1024)
#define ROOM_BYTES ((uint64_t)256 << 20)
#define LOCKED_AT_ONCE 64

struct found {
    const char *path; /* below v1 */
    uint64_t size_bytes;
    struct timespec used; /* its mark, which may be a day old … */
    bool is_ours;         /* … when it was used by this very run, too */
};

struct walk {
    struct store *store;
    struct arena *arena;
    int v1_fd;
    LIST(struct found) files;
    uint64_t total_bytes, held_bytes;
    size_t held_count;
    struct map held; /* names of blobs that stay */
};

static uint64_t in_blocks(uint64_t bytes)
{
    return (bytes + BLOCK_BYTES - 1) / BLOCK_BYTES * BLOCK_BYTES;
}

static int64_t now_s(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME_COARSE, &now);
    return now.tv_sec;
}

static int open_v1(const struct store *store)
{
    return openat(store->tmp_fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* ---- the size on record ---- */

/* Reads the sum of v1/sizes; false when it is missing, damaged (also: no sum) or too long to be read each time. */
static bool read_size(const struct store *store, int64_t *ret_bytes)
{
    int64_t records[SIZES_MAX_BYTES / sizeof(int64_t)];
    ssize_t len = store->sizes_fd >= 0 ? pread(store->sizes_fd, records, sizeof records, 0) : 0;
    if (len <= 0 || (size_t)len % sizeof *records || (size_t)len == sizeof records)
        return false;
    *ret_bytes = 0;
    for (size_t i = 0; i < (size_t)len / sizeof *records; i++) {
        if (__builtin_add_overflow(*ret_bytes, (int64_t)le64toh((uint64_t)records[i]), ret_bytes))
            return false;
    }
    return true;
}

/* One small O_APPEND write: whole or not at all, whoever else writes. */
static void append_size(const struct store *store, int64_t bytes)
{
    uint64_t record = htole64((uint64_t)bytes);
    ssize_t written = write(store->sizes_fd, &record, sizeof record);
    (void)written; /* on a full disk the record stays small, until the next walk */
}

/* Records what a walk found. A kill in between leaves an empty record, and the next run walks again. */
static void record_size(const struct store *store, uint64_t total_bytes)
{
    int64_t known, change;
    if (store->sizes_fd < 0)
        return;
    if (read_size(store, &known) && !__builtin_sub_overflow((int64_t)total_bytes, known, &change))
        append_size(store, change);
    else if (ftruncate(store->sizes_fd, 0) == 0)
        append_size(store, (int64_t)total_bytes);
}

/* Remembers what this run used: it goes last. */
static void note_used(struct store *store, int dirfd, const char *name)
{
    pthread_mutex_lock(&store->used_lock);
    const char *path =
        arena_printf(&store->used_arena, "%s/%s", dirfd == store->blobs_fd ? "blob/sha256" : "derived", name);
    (void)map_add(&store->used, text_of(path), store);
    pthread_mutex_unlock(&store->used_lock);
}

void store_note_added(struct store *store, int dirfd, const char *name, uint64_t size_bytes)
{
    note_used(store, dirfd, name);
    atomic_store(&store->is_added, true);
    if (store->is_sized)
        append_size(store, (int64_t)in_blocks(size_bytes));
}

/* ---- use ---- */

bool store_begin_use(struct store *store, const struct lock_wait *wait, struct err *err)
{
    AUTO(auto_close_fd) int v1_fd = open_v1(store);
    int64_t ignored;
    pthread_mutex_init(&store->room_lock, NULL);
    pthread_mutex_init(&store->used_lock, NULL);
    store->used.arena = &store->used_arena;
    store->limit_bytes = UINT64_MAX;
    store->users_fd = lock_open_at(v1_fd, "users");
    if (store->users_fd < 0) /* a cache that we only read */
        store->users_fd = openat(v1_fd, "users", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    store->sizes_fd = openat(v1_fd, "sizes", O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    store->is_sized = read_size(store, &ignored);
    if (store->users_fd < 0 || lock_take(store->users_fd, true, "the cache, which another run prunes", wait, err))
        return true;
    if (err->kind == ERR_CANCELLED || err->detail == EWOULDBLOCK)
        return false;
    err_clear(err); /* a file system without locks: nobody is ever alone there */
    return true;
}

/* Holds off whoever removes old files while a mark is renewed. -1 where that cannot be, or is not needed. */
static int hold_marks(const struct store *store, bool is_shared)
{
    AUTO(auto_close_fd) int v1_fd = open_v1(store);
    AUTO(auto_close_fd) int fd = lock_open_at(v1_fd, "marks");
    struct err ignored = {0};
    if (fd < 0 || !lock_take(fd, is_shared, "the cache's marks", store->wait, &ignored))
        return -1;
    return take_fd(&fd);
}

bool store_mark_used(struct store *store, int dirfd, const char *name)
{
    struct stat status, after;
    if (fstatat(dirfd, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
        return false;
    note_used(store, dirfd, name);
    int64_t age_s = now_s() - status.st_mtim.tv_sec;
    if (age_s >= -1 && age_s < DAY_S)
        return false;
    AUTO(auto_close_fd) int held = hold_marks(store, true);
    (void)held; /* until the mark is set */
    if (utimensat(dirfd, name, NULL, AT_SYMLINK_NOFOLLOW) != 0)
        return false; /* a read-only cache is not pruned either */
    if (fstatat(dirfd, name, &after, AT_SYMLINK_NOFOLLOW) == 0)
        hashed_move(store->hashed, &status, &after);
    return true;
}

/* ---- the walk ---- */

static void note_file(struct walk *walk, int dirfd, const char *path, const char *name)
{
    struct stat status;
    if (fstatat(dirfd, name, &status, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(status.st_mode))
        return;
    struct found found = {path, in_blocks((uint64_t)status.st_size), status.st_mtim, false};
    if (strncmp(path, "blob/", 5) == 0 && map_get(&walk->held, text_of(name))) {
        walk->held_count++;
        walk->held_bytes += found.size_bytes;
        walk->total_bytes += found.size_bytes;
        return;
    }
    pthread_mutex_lock(&walk->store->used_lock);
    found.is_ours = map_get(&walk->store->used, text_of(path)) != NULL;
    pthread_mutex_unlock(&walk->store->used_lock);
    list_add(walk->arena, &walk->files, found);
    walk->total_bytes += found.size_bytes;
}

/* Lists the files below v1/path. The depth is ours, whatever somebody put there. */
static void walk_dir(struct walk *walk, const char *path, int depth)
{
    int fd = openat(walk->v1_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *entry;
    if (!dir) {
        auto_close_fd(&fd);
        return;
    }
    while ((entry = readdir(dir))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        const char *below = arena_printf(walk->arena, "%s/%s", path, entry->d_name);
        if (entry->d_type == DT_REG || entry->d_type == DT_UNKNOWN)
            note_file(walk, dirfd(dir), below, entry->d_name);
        if (entry->d_type != DT_REG && depth < DEPTH_MAX)
            walk_dir(walk, below, depth + 1);
    }
    (void)closedir(dir);
}

static int longer_unused_first(const void *a, const void *b)
{
    const struct found *left = a, *right = b;
    if (left->is_ours != right->is_ours)
        return left->is_ours ? 1 : -1;
    if (left->used.tv_sec != right->used.tv_sec)
        return left->used.tv_sec < right->used.tv_sec ? -1 : 1;
    if (left->used.tv_nsec != right->used.tv_nsec)
        return left->used.tv_nsec < right->used.tv_nsec ? -1 : 1;
    return strcmp(left->path, right->path);
}

static void walk_all(struct walk *walk)
{
    walk_dir(walk, "blob", 1);
    walk_dir(walk, "derived", 1);
    if (walk->files.count)
        qsort(walk->files.items, walk->files.count, sizeof *walk->files.items, longer_unused_first);
}

/* ---- removing ---- */

/* Removes the directory of two hex digits that a file was in, when it was the last. Only for who is alone: another's
 * file could be on its way there. */
static void remove_parent(const struct walk *walk, const char *path)
{
    char parent[256];
    const char *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) : 0;
    if (len < 4 || len >= sizeof parent || path[len - 3] != '/')
        return;
    (void)snprintf(parent, sizeof parent, "%.*s", (int)len, path);
    (void)unlinkat(walk->v1_fd, parent, AT_REMOVEDIR);
}

/* Removes a file if it was not marked since the walk; the caller holds the marks, or is alone. */
static bool remove_found(const struct walk *walk, const struct found *found)
{
    struct stat status;
    return fstatat(walk->v1_fd, found->path, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
           status.st_mtim.tv_sec == found->used.tv_sec && status.st_mtim.tv_nsec == found->used.tv_nsec &&
           unlinkat(walk->v1_fd, found->path, 0) == 0;
}

struct removal {
    struct store *store;
    const struct walk *walk;
    const struct prune_request *request;
    bool is_alone;
};

static bool is_wanted(const struct removal *removal, const struct found *found, uint64_t left_bytes)
{
    const atomic_bool *cancel = removal->request->cancel;
    return left_bytes > removal->request->keep_bytes && !(cancel && atomic_load(cancel)) &&
           (removal->is_alone || found->used.tv_sec < now_s() - UNUSED_S);
}

/* Removes in the order of the walk until few enough bytes are left. The marks are let go now and then, so that nobody
 * waits for long. */
static void remove_some(const struct removal *removal, struct prune_result *result)
{
    const struct walk *walk = removal->walk;
    bool is_held = !removal->is_alone && !removal->request->is_dry_run;
    uint64_t left_bytes = walk->total_bytes;
    for (size_t i = 0; i < walk->files.count;) {
        AUTO(auto_close_fd) int held = is_held ? hold_marks(removal->store, false) : -1;
        if (is_held && held < 0)
            break;
        for (size_t end = i + LOCKED_AT_ONCE; i < walk->files.count && i < end; i++) {
            const struct found *found = &walk->files.items[i];
            if (!is_wanted(removal, found, left_bytes)) {
                i = walk->files.count; /* those that follow are younger, or ours */
                break;
            }
            if (!removal->request->is_dry_run && !remove_found(walk, found))
                continue;
            if (!removal->request->is_dry_run && removal->is_alone)
                remove_parent(walk, found->path);
            left_bytes -= found->size_bytes;
            result->freed_bytes += found->size_bytes;
            result->freed_count++;
        }
    }
}

/* Walks and removes; the locks are the caller's business. */
static bool prune(struct store *store, const struct prune_request *request, bool is_alone,
                  struct prune_result *ret_result, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    AUTO(auto_close_fd) int v1_fd = open_v1(store);
    struct walk walk = {.store = store, .arena = &arena, .v1_fd = v1_fd};
    struct removal removal = {store, &walk, request, is_alone};
    *ret_result = (struct prune_result){.is_shared = !is_alone};
    if (v1_fd < 0) {
        err_set_errno(err, errno, "cannot read the cache %s/v1", store->path);
        return false;
    }
    walk.held.arena = &arena;
    store_list_held(v1_fd, request->is_dry_run, &walk.held);
    walk_all(&walk);
    ret_result->held_bytes = walk.held_bytes;
    if (walk.total_bytes > request->limit_bytes)
        remove_some(&removal, ret_result);
    ret_result->kept_bytes = walk.total_bytes - ret_result->freed_bytes;
    ret_result->kept_count = walk.held_count + walk.files.count - ret_result->freed_count;
    if (!request->is_dry_run)
        record_size(store, ret_result->kept_bytes);
    return true;
}

/* Trying for the lock alone loses the shared one: it is taken again. */
bool store_prune(struct store *store, const struct prune_request *request, struct prune_result *ret_result,
                 struct err *err)
{
    bool is_alone = store->users_fd >= 0 && lock_try(store->users_fd, false);
    bool is_good = prune(store, request, is_alone, ret_result, err);
    struct err lost = {0};
    if (store->users_fd >= 0 &&
        !lock_take(store->users_fd, true, "the cache, which another run prunes", store->wait, &lost) && is_good) {
        *err = lost;
        return false;
    }
    return is_good;
}

static bool is_cancelled(const struct store *store)
{
    return store->wait && store->wait->cancel && atomic_load(store->wait->cancel);
}

/* Prunes when the record says that it is due, or when there is none. */
static void prune_if_due(struct store *store)
{
    int64_t known = 0;
    struct err err = {0};
    struct prune_result result;
    if (store->limit_bytes == UINT64_MAX || is_cancelled(store) || store->sizes_fd < 0)
        return;
    if (store->is_sized && read_size(store, &known) && (known < 0 || (uint64_t)known <= store->limit_bytes))
        return;
    struct prune_request request = {.limit_bytes = store->limit_bytes,
                                    .keep_bytes = store->limit_bytes - store->limit_bytes / 10,
                                    .cancel = store->wait ? store->wait->cancel : NULL};
    struct log *log = store->wait ? store->wait->log : NULL;
    bool is_good = store_prune(store, &request, &result, &err);
    if (log && !is_good && err.kind != ERR_CANCELLED)
        log_line(log, LOG_QUIET, "warning: the cache was not pruned: %s", err.text);
    else if (log && result.freed_count)
        log_line(log, LOG_NORMAL,
                 "cache: %zu files, %s, not used for longest were removed (--cache-limit); %s are left",
                 result.freed_count, text_size(result.freed_bytes).chars, text_size(result.kept_bytes).chars);
}

void store_keep_below(struct store *store, uint64_t limit_bytes, const struct lock_wait *wait)
{
    store->limit_bytes = limit_bytes;
    store->wait = wait;
    if (store->is_sized)
        prune_if_due(store);
}

void store_end_use(struct store *store)
{
    if (atomic_load(&store->is_added))
        prune_if_due(store);
    auto_close_fd(&store->users_fd);
    auto_close_fd(&store->sizes_fd);
    pthread_mutex_destroy(&store->room_lock);
    pthread_mutex_destroy(&store->used_lock);
    arena_done(&store->used_arena);
}

bool store_make_room(struct store *store, unsigned rooms_seen)
{
    struct err ignored = {0};
    int64_t known = 0;
    pthread_mutex_lock(&store->room_lock);
    bool is_made = atomic_load(&store->rooms_made) != rooms_seen;
    if (!is_made && !store->is_room_hopeless) {
        struct prune_result result = {0};
        (void)read_size(store, &known);
        uint64_t total = known > 0 ? (uint64_t)known : 0;
        struct prune_request request = {.keep_bytes = total > ROOM_BYTES ? total - ROOM_BYTES : 0};
        (void)prune(store, &request, false, &result, &ignored); /* we are a user: never alone */
        is_made = result.freed_count > 0;
        store->is_room_hopeless = !is_made;
        if (is_made)
            atomic_fetch_add(&store->rooms_made, 1);
    }
    pthread_mutex_unlock(&store->room_lock);
    return is_made;
}
