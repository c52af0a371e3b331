/* SPDX-License-Identifier: Apache-2.0 */
/* The file is a table of marks, sorted by device and inode, that is mapped and searched as it lies; a run that had nothing
 * to hash writes nothing. */
#include "io/hashed.h"

#include "base/auto.h"
#include "base/clock.h"
#include "base/map.h"
#include "io/file.h"
#include "io/lock.h"
#include "io/owner.h"

#include <assert.h>
#include <fcntl.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#define DIR_NAME "hashed"
#define NAME "table"
#define LOCK_NAME "lock"
#define DAY_S ((int64_t)24 * 60 * 60)
#define MARKS_MAX ((size_t)200000) /* 22 MB; 98 images for two architectures need some 2,000 */
#define LOCK_WAIT_MS 2000
#define BOOT_ID "/proc/sys/kernel/random/boot_id"
/* A file could be changed once more in the tick of the clock in which it got its times: who is younger when the run ends
 * is hashed again by the next one. Where times have no fractions, a tick has two seconds. */
#define TICK_NS ((int64_t)20 * 1000 * 1000)
#define SECOND_NS ((int64_t)1000 * 1000 * 1000)

struct file_id {
    uint64_t device, inode;
};

/* What is known of one file. Integers as this machine has them: its inodes mean nothing to another. */
struct mark {
    struct file_id id;
    uint64_t size_bytes;
    int64_t modified_s, modified_ns, changed_s, changed_ns;
    uint64_t len; /* of the bytes that were hashed; a derived file has a trailer behind them */
    struct digest digest;
    int64_t hashed_s; /* when */
    uint64_t boot;    /* in which run of the machine they were written, as far as is known; 0: they are on the disk */
};
_Static_assert(sizeof(struct mark) == 112, "no padding");

struct head {
    char magic[16];
    uint64_t mark_bytes, count;
    struct digest digest; /* of the marks */
};
static const char head_magic[16] = "imgfactory-hsh1";

struct table {
    struct view view;
    const struct mark *marks;
    size_t count;
};

struct hashed {
    const char *state_dir; /* NULL: nothing is kept */
    int dir_fd;            /* of the state; -1: there is none yet */
    bool is_all_new;
    int64_t now_s;
    uint64_t boot;
    struct table old;
    pthread_mutex_t lock; /* guards the next three */
    struct arena arena;
    struct map noted; /* struct mark by its id */
    bool is_changed;
};

static struct mark mark_of(const struct stat *status)
{
    return (struct mark){.id = {status->st_dev, status->st_ino},
                         .size_bytes = (uint64_t)status->st_size,
                         .modified_s = status->st_mtim.tv_sec,
                         .modified_ns = status->st_mtim.tv_nsec,
                         .changed_s = status->st_ctim.tv_sec,
                         .changed_ns = status->st_ctim.tv_nsec};
}

static bool is_same_file(const struct mark *a, const struct mark *b)
{
    return memcmp(a, b, offsetof(struct mark, len)) == 0;
}

static int compare_ids(const void *a, const void *b)
{
    const struct file_id *left = a, *right = b;
    if (left->device != right->device)
        return left->device < right->device ? -1 : 1;
    return (left->inode > right->inode) - (left->inode < right->inode);
}

static struct text key_of(const struct mark *mark)
{
    return (struct text){(const char *)&mark->id, sizeof mark->id};
}

/* Names this run of the machine; never 0. */
static uint64_t find_boot(void)
{
    AUTO(buf_done) struct buf text = {0};
    struct err ignored = {0};
    uint64_t boot = 0;
    if (file_read_at(AT_FDCWD, BOOT_ID, 100, &text, &ignored) && text.len) {
        struct digest digest = digest_of(text.bytes, text.len);
        memcpy(&boot, digest.bytes, sizeof boot);
    } else if (getrandom(&boot, sizeof boot, 0) != (ssize_t)sizeof boot) {
        boot = 0;
    }
    return boot ? boot : 1;
}

/* Maps the table; what is not whole and ours is none. */
static struct table read_table(int dir_fd)
{
    struct table table = {0};
    AUTO(view_done) struct view view = {0};
    struct head head;
    struct stat status;
    struct err ignored = {0};
    AUTO(auto_close_fd) int fd = openat(dir_fd, DIR_NAME "/" NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || !owner_is_ours(&status) ||
        (uint64_t)status.st_size < sizeof head ||
        (uint64_t)status.st_size > sizeof head + MARKS_MAX * sizeof(struct mark) ||
        !file_map_fd(fd, NAME, &view, &ignored))
        return table;
    memcpy(&head, view.ptr, sizeof head);
    size_t len = view.len - sizeof head;
    if (memcmp(head.magic, head_magic, sizeof head.magic) != 0 || head.mark_bytes != sizeof(struct mark) ||
        head.count != len / sizeof(struct mark) || len % sizeof(struct mark))
        return table;
    struct digest digest = digest_of(view.ptr + sizeof head, len);
    if (!digest_eq(&digest, &head.digest))
        return table;
    table = (struct table){view, (const struct mark *)(const void *)(view.ptr + sizeof head), head.count};
    view = (struct view){0};
    return table;
}

static const struct mark *table_find(const struct table *table, const struct file_id *id)
{
    return table->count ? bsearch(id, table->marks, table->count, sizeof *table->marks, compare_ids) : NULL;
}

static int open_state(const char *state_dir)
{
    AUTO(arena_done) struct arena scratch = {0};
    return open(arena_printf(&scratch, "%s/v1", state_dir), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

struct hashed *hashed_open(const char *state_dir, bool is_all_new)
{
    struct hashed *hashed = calloc(1, sizeof *hashed);
    if (!hashed)
        memory_abort(sizeof *hashed);
    hashed->dir_fd = state_dir ? open_state(state_dir) : -1;
    hashed->is_all_new = is_all_new;
    hashed->now_s = clock_date();
    hashed->noted.arena = &hashed->arena;
    pthread_mutex_init(&hashed->lock, NULL);
    if (!state_dir)
        return hashed;
    hashed->state_dir = arena_strdup(&hashed->arena, state_dir);
    hashed->boot = find_boot();
    if (hashed->dir_fd >= 0)
        hashed->old = read_table(hashed->dir_fd);
    return hashed;
}

static bool is_age_below(const struct hashed *hashed, const struct mark *mark, int64_t days)
{
    int64_t age_s = hashed->now_s - mark->hashed_s;
    return age_s >= -DAY_S && age_s < days * DAY_S;
}

/* What earlier runs noted counts while it is not too old, and the bytes cannot have been lost since. */
static bool is_valid(const struct hashed *hashed, const struct mark *mark)
{
    return !hashed->is_all_new && is_age_below(hashed, mark, HASHED_DAYS) &&
           (!mark->boot || mark->boot == hashed->boot);
}

/* Finds what is known of this very file. Called with the lock held. */
static const struct mark *find(const struct hashed *hashed, const struct mark *mark)
{
    const struct mark *known = map_get(&hashed->noted, key_of(mark));
    if (known)
        return is_same_file(known, mark) ? known : NULL;
    known = table_find(&hashed->old, &mark->id);
    return known && is_same_file(known, mark) && is_valid(hashed, known) ? known : NULL;
}

bool hashed_find(struct hashed *hashed, const struct stat *status, uint64_t len, struct digest *ret_digest)
{
    struct mark mark = mark_of(status);
    pthread_mutex_lock(&hashed->lock);
    const struct mark *known = find(hashed, &mark);
    bool is_known = known && known->len == len;
    if (is_known)
        *ret_digest = known->digest;
    pthread_mutex_unlock(&hashed->lock);
    return is_known;
}

bool hashed_has(struct hashed *hashed, const struct stat *status, uint64_t len, const struct digest *digest)
{
    struct digest known;
    return hashed_find(hashed, status, len, &known) && digest_eq(&known, digest);
}

/* Called with the lock held. */
static void put(struct hashed *hashed, const struct mark *mark)
{
    struct mark *kept = arena_new(&hashed->arena, struct mark);
    *kept = *mark;
    map_set(&hashed->noted, key_of(kept), kept);
    hashed->is_changed = true;
}

void hashed_note(struct hashed *hashed, const struct stat *status, uint64_t len, const struct digest *digest)
{
    struct mark mark = mark_of(status);
    mark.len = len;
    mark.digest = *digest;
    mark.hashed_s = hashed->now_s;
    mark.boot = hashed->boot;
    const struct mark *before = table_find(&hashed->old, &mark.id);
    if (before && is_same_file(before, &mark) && before->boot != hashed->boot)
        mark.boot = 0; /* it was there before the machine started: what was hashed now came from the disk */
    pthread_mutex_lock(&hashed->lock);
    put(hashed, &mark);
    pthread_mutex_unlock(&hashed->lock);
}

void hashed_move(struct hashed *hashed, const struct stat *before, const struct stat *after)
{
    struct mark mark = mark_of(before), moved = mark_of(after);
    if (compare_ids(&mark.id, &moved.id) != 0 || mark.size_bytes != moved.size_bytes)
        return;
    pthread_mutex_lock(&hashed->lock);
    const struct mark *known = find(hashed, &mark);
    if (known) {
        moved.len = known->len;
        moved.digest = known->digest;
        moved.hashed_s = known->hashed_s;
        moved.boot = known->boot;
        put(hashed, &moved);
    }
    pthread_mutex_unlock(&hashed->lock);
}

/* What a digest names stands in the table like a file of a device that no system has. */
static struct stat status_of_name(const struct digest *name)
{
    struct stat status = {.st_dev = (dev_t)-1};
    memcpy(&status.st_ino, name->bytes, sizeof status.st_ino);
    return status;
}

bool hashed_knows(struct hashed *hashed, const struct digest *name)
{
    struct stat status = status_of_name(name);
    return hashed_has(hashed, &status, 0, name);
}

void hashed_learn(struct hashed *hashed, const struct digest *name)
{
    struct stat status = status_of_name(name);
    hashed_note(hashed, &status, 0, name);
}

/* Whether it could still be changed without a trace. */
static bool is_young(const struct mark *mark)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    int64_t age_s = now.tv_sec - mark->changed_s;
    if (age_s < 0 || age_s > 3)
        return age_s < 0;
    int64_t age_ns = age_s * SECOND_NS + now.tv_nsec - mark->changed_ns;
    return age_ns < (mark->changed_ns ? TICK_NS : 2 * SECOND_NS + TICK_NS);
}

/* Puts the table together of what lies there by now and what was noted. */
static void merge(const struct hashed *hashed, const struct table *table, struct arena *arena, struct buf *bytes)
{
    LIST(struct mark) marks = {0};
    for (size_t i = 0; i < hashed->noted.slots.count; i++) {
        const struct mark *mark = hashed->noted.slots.items[i].value;
        if (!is_young(mark) && marks.count < MARKS_MAX)
            list_add(arena, &marks, *mark);
    }
    for (size_t i = 0; i < table->count; i++) {
        const struct mark *mark = &table->marks[i];
        bool is_of_use =
            is_age_below(hashed, mark, 2 * HASHED_DAYS); /* a little longer: it tells of an earlier start */
        if (is_of_use && marks.count < MARKS_MAX && !map_get(&hashed->noted, key_of(mark)))
            list_add(arena, &marks, *mark);
    }
    if (marks.count)
        qsort(marks.items, marks.count, sizeof *marks.items, compare_ids);
    size_t len = marks.count * sizeof *marks.items;
    const void *first = marks.count ? (const void *)marks.items : "";
    struct head head = {.mark_bytes = sizeof *marks.items, .count = marks.count, .digest = digest_of(first, len)};
    memcpy(head.magic, head_magic, sizeof head.magic);
    buf_init(bytes, sizeof head + len);
    bool fits = buf_add(bytes, &head, sizeof head) && buf_add(bytes, first, len);
    assert(fits);
}

/* Failing costs the next run its time. */
static void keep(struct hashed *hashed)
{
    AUTO(arena_done) struct arena scratch = {0};
    AUTO(buf_done) struct buf bytes = {0};
    static const struct lock_wait wait = {.limit_ms = LOCK_WAIT_MS};
    struct err ignored = {0};
    if (hashed->dir_fd < 0)
        hashed->dir_fd = open_state(hashed->state_dir);
    (void)mkdirat(hashed->dir_fd, DIR_NAME, 0700);
    AUTO(auto_close_fd) int dir_fd = openat(hashed->dir_fd, DIR_NAME, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    AUTO(auto_close_fd) int lock_fd = dir_fd < 0 ? -1 : lock_open_at(dir_fd, LOCK_NAME);
    if (lock_fd < 0 || !lock_take(lock_fd, false, "what is known of hashed files", &wait, &ignored))
        return;
    struct table table = read_table(hashed->dir_fd);
    merge(hashed, &table, &scratch, &bytes);
    view_done(&table.view);
    file_remove_left_overs(dir_fd);
    (void)!file_write_atomic_at(dir_fd, NAME, bytes.bytes, bytes.len, 0600, false, &ignored);
}

void hashed_close(struct hashed *hashed)
{
    if (!hashed)
        return;
    if (hashed->state_dir && hashed->is_changed)
        keep(hashed);
    view_done(&hashed->old.view);
    auto_close_fd(&hashed->dir_fd);
    pthread_mutex_destroy(&hashed->lock);
    arena_done(&hashed->arena);
    free(hashed);
}
