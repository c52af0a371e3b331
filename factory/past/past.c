/* SPDX-License-Identifier: Apache-2.0 */
#include "past/past.h"

#include "base/auto.h"
#include "base/map.h"
#include "io/file.h"
#include "io/lock.h"
#include "io/owner.h"

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_WAIT_MS 10000 /* who notes 500 images needs a second */
#define DAY_SECONDS ((int64_t)24 * 60 * 60)
#define ENDING ".jsonl"

/* The folder, open. */
struct past_folder {
    int images_fd, bills_fd, lock_fd;
};

static void folder_close(struct past_folder *folder)
{
    auto_close_fd(&folder->images_fd);
    auto_close_fd(&folder->bills_fd);
    auto_close_fd(&folder->lock_fd);
}

static const char *folder_of(struct arena *arena, const char *state_dir)
{
    return arena_printf(arena, "%s/v1/past", state_dir);
}

static bool folder_open(const char *dir, struct past_folder *ret_folder, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    AUTO(auto_close_fd) int fd = -1;
    const struct lock_wait wait = {.limit_ms = LOCK_WAIT_MS};
    const char *images = arena_printf(&scratch, "%s/images", dir), *bills = arena_printf(&scratch, "%s/bills", dir);
    if (!owner_check(dir, err) || !file_make_dirs(images, 0700, err) || !file_make_dirs(bills, 0700, err) ||
        !file_open_dir(dir, &fd, err) || !file_open_dir(images, &ret_folder->images_fd, err) ||
        !file_open_dir(bills, &ret_folder->bills_fd, err))
        return false;
    ret_folder->lock_fd = lock_open_at(fd, "lock");
    if (ret_folder->lock_fd < 0)
        err_set(err, ERR_LOCAL, "cannot open %s/lock", dir);
    return ret_folder->lock_fd >= 0 && lock_take(ret_folder->lock_fd, false, "the lock of past nights", &wait, err);
}

/* --- records of one image --- */

static const char *file_of(struct arena *arena, const struct past_record *record)
{
    const char *key = arena_printf(arena, "%s\n%s", record->name, record->destination ? record->destination : "");
    struct digest digest = digest_of(key, strlen(key));
    return arena_printf(arena, "%.32s" ENDING, digest_hex(&digest).chars);
}

/* Reads a file's lines, or the first that can be read; what cannot be is left out. */
static void read_records(struct arena *arena, int fd, const char *name, bool is_newest_only,
                         struct past_records *ret_records)
{
    AUTO(buf_done) struct buf bytes = {0};
    struct err ignored = {0};
    struct text rest, line;
    *ret_records = (struct past_records){0};
    if (!file_read_unlinked_at(fd, name, PAST_FILE_MAX_BYTES, &bytes, &ignored))
        return;
    rest = buf_text(&bytes);
    while (text_next(&rest, '\n', &line) && ret_records->count < PAST_NIGHTS_MAX) {
        struct past_record record;
        if (!past_record_read(arena, line, &record))
            continue;
        list_add(arena, ret_records, record);
        if (is_newest_only)
            return;
    }
}

static bool write_records(int fd, const char *name, const struct past_records *records, struct err *err)
{
    AUTO(buf_done) struct buf text;
    buf_init(&text, PAST_FILE_MAX_BYTES);
    for (size_t i = 0; i < records->count && i < PAST_NIGHTS_MAX; i++) {
        if (!past_record_write(&records->items[i], &text))
            continue; /* what has no room goes: the oldest, or one that is too big */
    }
    return file_write_atomic_at(fd, name, text.len ? text.bytes : "", text.len, 0600, false, err);
}

/* Finds a record of the same image that was published at the same time. */
static bool is_known(const struct past_records *records, const struct past_record *record)
{
    for (size_t i = 0; i < records->count; i++) {
        if (digest_eq(&records->items[i].digest, &record->digest) && records->items[i].first <= record->first &&
            records->items[i].last >= record->first)
            return true;
    }
    return false;
}

/* Puts a record into its place: a night's in front of the others, one of a registry, which says when it was, by that. */
static void insert_record(struct arena *arena, const struct past_record *record, bool is_new,
                          struct past_records *records)
{
    struct past_records all = {0};
    size_t at = 0;
    assert(records->items || !records->count);
    while (!is_new && at < records->count && records->items[at].first > record->first)
        list_add(arena, &all, records->items[at++]);
    struct past_record added = *record;
    added.format = PAST_FORMAT;
    if (at < records->count && digest_eq(&record->before, &(struct digest){0}))
        added.before = records->items[at].digest;
    list_add(arena, &all, added);
    while (at < records->count)
        list_add(arena, &all, records->items[at++]);
    *records = all;
}

/* Takes a record up, unless the newest tells of the same image. Returns whether anything is new. */
static bool put_record(struct arena *arena, const struct past_record *record, bool is_new, struct past_records *records)
{
    struct past_record *newest = records->count ? &records->items[0] : NULL;
    int64_t now = record->last;
    if (is_new && newest && digest_eq(&newest->digest, &record->digest)) {
        bool is_same = newest->last / DAY_SECONDS == now / DAY_SECONDS && strings_same(&newest->tags, &record->tags);
        newest->tags = record->tags;
        newest->last = now > newest->last ? now : newest->last;
        return !is_same;
    }
    if (!is_new && is_known(records, record))
        return false;
    insert_record(arena, record, is_new, records);
    return true;
}

/* --- bills --- */

static bool has_bill(const struct past_folder *folder, const struct digest *manifest)
{
    struct stat status;
    return fstatat(folder->bills_fd, digest_hex(manifest).chars, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISREG(status.st_mode) && status.st_size > 0;
}

static bool keep_bill(const struct past_folder *folder, const struct digest *manifest, const struct bill *bill,
                      struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    AUTO(buf_done) struct buf packed = {0};
    struct bill whole = *bill;
    if (has_bill(folder, manifest) || !bill_complete(&scratch, &whole) || !past_bill_pack(&whole, &packed))
        return true; /* one that is too big is not kept */
    return file_write_atomic_at(folder->bills_fd, digest_hex(manifest).chars, packed.bytes, packed.len, 0600, false,
                                err);
}

/* --- what is beyond the bounds --- */

/* Lists the names in a folder that end so. */
static struct strings list_names(struct arena *arena, int fd, const char *ending)
{
    struct strings names = {0};
    int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = again >= 0 ? fdopendir(again) : NULL;
    const struct dirent *entry;
    if (!dir) {
        auto_close_fd(&again);
        return names;
    }
    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] != '.' && text_has_suffix(text_of(entry->d_name), ending))
            list_add(arena, &names, arena_strdup(arena, entry->d_name));
    }
    (void)closedir(dir);
    return names;
}

/* A bill and when a record last had it. */
struct held {
    const char *name;
    int64_t last;
    uint64_t bytes;
};

static int compare_held(const void *left, const void *right)
{
    const struct held *a = left, *b = right;
    return a->last != b->last ? (a->last < b->last ? 1 : -1) : strcmp(a->name, b->name);
}

/* Notes of each manifest when a record last had it; and forgets images beyond their number, those that nobody found for longest. */
static void find_held(struct arena *arena, const struct past_folder *folder, struct map *last_of)
{
    struct strings files = list_names(arena, folder->images_fd, ENDING);
    LIST(struct held) images = {0};
    for (size_t i = 0; i < files.count; i++) {
        struct past_records records;
        read_records(arena, folder->images_fd, files.items[i], false, &records);
        list_add(arena, &images,
                 (struct held){.name = files.items[i], .last = records.count ? records.items[0].last : 0});
        for (size_t k = 0; k < records.count; k++) {
            for (size_t p = 0; p < records.items[k].platforms.count; p++) {
                const char *hex = arena_strdup(arena, digest_hex(&records.items[k].platforms.items[p].manifest).chars);
                int64_t *last = map_get(last_of, text_of(hex));
                if (!last) {
                    last = arena_new(arena, int64_t);
                    map_set(last_of, text_of(hex), last);
                }
                *last = records.items[k].last > *last ? records.items[k].last : *last;
            }
        }
    }
    if (images.count > PAST_IMAGES_MAX) {
        qsort(images.items, images.count, sizeof *images.items, compare_held);
        for (size_t i = PAST_IMAGES_MAX; i < images.count; i++)
            (void)unlinkat(folder->images_fd, images.items[i].name, 0);
    }
}

static void prune(const struct past_folder *folder, uint64_t limit_bytes)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct map last_of = {.arena = &scratch};
    struct strings names = list_names(&scratch, folder->bills_fd, "");
    LIST(struct held) bills = {0};
    uint64_t bytes = 0;
    find_held(&scratch, folder, &last_of);
    for (size_t i = 0; i < names.count; i++) {
        struct stat status;
        const int64_t *last = map_get(&last_of, text_of(names.items[i]));
        if (!last)
            (void)unlinkat(folder->bills_fd, names.items[i], 0);
        else if (fstatat(folder->bills_fd, names.items[i], &status, AT_SYMLINK_NOFOLLOW) == 0)
            list_add(&scratch, &bills, (struct held){names.items[i], *last, (uint64_t)status.st_size});
    }
    if (bills.count)
        qsort(bills.items, bills.count, sizeof *bills.items, compare_held);
    for (size_t i = 0; i < bills.count; i++) {
        bytes += bills.items[i].bytes;
        if (bytes > limit_bytes)
            (void)unlinkat(folder->bills_fd, bills.items[i].name, 0);
    }
}

/* --- for others --- */

static bool keep_one(const struct past_folder *folder, const struct past_note *note, int64_t now, bool *is_more,
                     struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    const char *name = file_of(&scratch, &note->record);
    struct past_records records;
    struct past_record record = note->record;
    record.first = record.first ? record.first : now;
    record.last = record.last ? record.last : now;
    for (size_t i = 0; i < record.platforms.count; i++) {
        const struct bill *bill = note->bills ? note->bills[i] : NULL;
        if (bill && !keep_bill(folder, &record.platforms.items[i].manifest, bill, err))
            return false;
    }
    read_records(&scratch, folder->images_fd, name, false, &records);
    size_t before = records.count;
    if (!put_record(&scratch, &record, !note->record.first, &records))
        return true;
    *is_more = *is_more || records.count > before;
    return write_records(folder->images_fd, name, &records, err);
}

bool past_keep(const char *state_dir, const struct past_note *notes, size_t count, int64_t now, bool *ret_is_more,
               struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    AUTO(folder_close) struct past_folder folder = {-1, -1, -1};
    *ret_is_more = false;
    bool is_good = !count || folder_open(folder_of(&scratch, state_dir), &folder, err);
    for (size_t i = 0; is_good && i < count; i++)
        is_good = keep_one(&folder, &notes[i], now, ret_is_more, err);
    return is_good;
}

void past_prune(const char *state_dir)
{
    AUTO(arena_done) struct arena scratch = {0};
    AUTO(folder_close) struct past_folder folder = {-1, -1, -1};
    struct err ignored = {0};
    if (!folder_open(folder_of(&scratch, state_dir), &folder, &ignored))
        return;
    file_remove_left_overs(folder.images_fd);
    file_remove_left_overs(folder.bills_fd);
    prune(&folder, PAST_BILLS_MAX_BYTES);
}

/* Returns whether an image is one of which the tag is told. */
static bool is_meant(const struct past_record *newest, const struct past_return *given)
{
    return text_same(newest->destination, given->destination) &&
           (!given->name || strcmp(newest->name, given->name) == 0) &&
           (!given->tag || strings_has(&newest->tags, given->tag));
}

/* Keeps the record of the digest once more, as that of now. */
static bool keep_again(struct arena *arena, const char *state_dir, const struct past_records *nights,
                       const struct past_return *given, int64_t now, bool *ret_is_lost, struct err *err)
{
    bool is_more;
    for (size_t i = 0; i < nights->count; i++) {
        struct past_note note = {.record = nights->items[i]};
        if (!digest_eq(&note.record.digest, &given->digest))
            continue;
        note.record.first = note.record.last = 0;
        note.record.before = nights->items[0].digest;
        note.record.changes.count = note.record.cves.count = 0;
        if (given->tag && !strings_has(&note.record.tags, given->tag))
            list_add(arena, &note.record.tags, given->tag);
        return i == 0 || past_keep(state_dir, &note, 1, now, &is_more, err);
    }
    *ret_is_lost = true;
    return true;
}

bool past_keep_return(const char *state_dir, const struct past_return *given, int64_t now, bool *ret_is_lost,
                      struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct past_images images;
    *ret_is_lost = false;
    past_read(&scratch, state_dir, given->name, false, &images);
    for (size_t i = 0; i < images.count; i++) {
        const struct past_records *nights = &images.items[i].nights;
        if (is_meant(&nights->items[0], given) &&
            !keep_again(&scratch, state_dir, nights, given, now, ret_is_lost, err))
            return false;
    }
    return true;
}

static int compare_images(const void *left, const void *right)
{
    const struct past_record *a = &((const struct past_image *)left)->nights.items[0];
    const struct past_record *b = &((const struct past_image *)right)->nights.items[0];
    int order = strcmp(a->name, b->name);
    return order ? order : strcmp(a->destination ? a->destination : "", b->destination ? b->destination : "");
}

/* Notes which images were renamed, as it were: what was published last at a destination has a tag of theirs. */
static void find_replaced(struct past_images *images)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct map last_at = {.arena = &scratch};
    for (size_t i = 0; i < images->count; i++) {
        const struct past_record *own = &images->items[i].nights.items[0];
        const struct past_record *last = own->destination ? map_get(&last_at, text_of(own->destination)) : NULL;
        if (own->destination && (!last || last->last < own->last))
            map_set(&last_at, text_of(own->destination), (void *)own);
    }
    for (size_t i = 0; i < images->count; i++) {
        const struct past_record *own = &images->items[i].nights.items[0];
        const struct past_record *last = own->destination ? map_get(&last_at, text_of(own->destination)) : own;
        for (size_t k = 0; last->last > own->last && k < own->tags.count; k++)
            images->items[i].is_replaced |= strings_has(&last->tags, own->tags.items[k]);
    }
}

void past_read(struct arena *arena, const char *state_dir, const char *name, bool is_newest_only,
               struct past_images *ret_images)
{
    AUTO(arena_done) struct arena scratch = {0};
    AUTO(auto_close_fd) int fd = -1;
    struct err ignored = {0};
    struct past_images images = {0};
    *ret_images = images;
    if (!file_open_dir(arena_printf(&scratch, "%s/images", folder_of(&scratch, state_dir)), &fd, &ignored))
        return;
    struct strings files = list_names(&scratch, fd, ENDING);
    for (size_t i = 0; i < files.count; i++) {
        struct past_image image = {0};
        read_records(arena, fd, files.items[i], is_newest_only, &image.nights);
        bool is_it = image.nights.count && strcmp(files.items[i], file_of(&scratch, &image.nights.items[0])) == 0;
        if (is_it && (!name || strcmp(image.nights.items[0].name, name) == 0))
            list_add(arena, &images, image);
    }
    if (images.count)
        qsort(images.items, images.count, sizeof *images.items, compare_images);
    if (!name)
        find_replaced(&images);
    *ret_images = images;
}

bool past_open_bill(const char *state_dir, const struct digest *manifest, struct past_bill *ret_bill)
{
    AUTO(arena_done) struct arena scratch = {0};
    AUTO(view_done) struct view view = {0};
    struct err ignored = {0};
    const char *path =
        arena_printf(&scratch, "%s/bills/%s", folder_of(&scratch, state_dir), digest_hex(manifest).chars);
    *ret_bill = (struct past_bill){0};
    return file_map_at(AT_FDCWD, path, &view, &ignored) && past_bill_open((struct text){view.ptr, view.len}, ret_bill);
}
