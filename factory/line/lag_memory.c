/* SPDX-License-Identifier: Apache-2.0 */
#include "line/lag_memory.h"

#include "base/auto.h"
#include "base/map.h"
#include "bill/record.h"
#include "io/file.h"
#include "io/lock.h"

#include <stdlib.h>

#define MEMORY_FORMAT 1
#define MEMORY_NAME "lags.json"
#define MEMORY_MAX_BYTES ((size_t)8 << 20)
#define LOCK_WAIT_MS 2000 /* nobody holds it for long */
#define DAY_SECONDS ((int64_t)24 * 60 * 60)

/* A difference that was seen. */
struct remembered {
    const char *image, *package;
    int64_t since, seen;    /* first, last */
    int64_t security_since; /* of a security update that is held back; 0: none is */
};

struct memory {
    uint32_t format;
    LIST(struct remembered) lags;
};

static const struct record_field lag_fields[] = {
    RECORD_FIELD(remembered, RECORD_TEXT, "image", image),
    RECORD_FIELD(remembered, RECORD_TEXT, "package", package),
    RECORD_FIELD(remembered, RECORD_I64, "since", since),
    RECORD_FIELD(remembered, RECORD_I64, "seen", seen),
    RECORD_FIELD(remembered, RECORD_I64, "security_since", security_since),
};
static const struct record_table lag_table = RECORD_TABLE(remembered, lag_fields);
static const struct record_field memory_fields[] = {
    RECORD_FIELD(memory, RECORD_U32, "format", format),
    RECORD_OF(memory, RECORD_LIST, "lags", lags, lag_table),
};
static const struct record_table memory_table = RECORD_TABLE(memory, memory_fields);

unsigned lag_nights(int64_t since, int64_t now)
{
    return since <= 0 || now <= since ? 1 : 1 + (unsigned)((now - since + DAY_SECONDS / 2) / DAY_SECONDS);
}

/* What cannot be read was never written. */
static void read_memory(struct arena *arena, int dir_fd, struct memory *ret_memory)
{
    AUTO(buf_done) struct buf bytes = {0};
    struct err ignored = {0};
    *ret_memory = (struct memory){0};
    if (!file_read_unlinked_at(dir_fd, MEMORY_NAME, MEMORY_MAX_BYTES, &bytes, &ignored))
        return;
    json_auto_t *json = json_loadb(bytes.len ? bytes.bytes : "", bytes.len, JSON_REJECT_DUPLICATES, NULL);
    if (!json || !record_read(arena, &memory_table, json, ret_memory) || ret_memory->format != MEMORY_FORMAT)
        *ret_memory = (struct memory){0};
}

/* What is remembered, or was settled, by image and package. */
static struct text key_of(struct arena *arena, const char *image, const char *package)
{
    return text_of(arena_printf(arena, "%s\n%s", image, package));
}

/* What is from the future was noted by another clock. */
static int64_t earlier(int64_t before, int64_t now)
{
    return before > 0 && before <= now ? before : now;
}

/* Fills in one difference, of which `before` is known or NULL; the result is what is to be remembered of it. */
static struct remembered settle(const struct remembered *before, const struct lag_note *note, struct lag *lag,
                                int64_t now)
{
    bool is_urgent = lag->is_security && note->is_held_back;
    struct remembered after = {.image = note->image, .package = lag->package, .seen = now};
    after.since = earlier(before ? before->since : 0, now);
    after.security_since = is_urgent ? earlier(before ? before->security_since : 0, now) : 0;
    lag->since = after.since;
    lag->nights = lag_nights(after.since, now);
    lag->is_overdue = is_urgent && lag_nights(after.security_since, now) > LAG_NIGHTS_MAX;
    return after;
}

/* Whether the notes tell all that there is to know of an image. */
static bool is_noted(const struct lag_note *notes, size_t count, const char *image)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(notes[i].image, image) == 0)
            return !notes[i].is_partial;
    }
    return false;
}

static bool write_memory(int dir_fd, const struct memory *memory, struct err *err)
{
    AUTO(buf_done) struct buf text;
    buf_init(&text, MEMORY_MAX_BYTES);
    if (record_write(&memory_table, memory, &text))
        return file_write_atomic_at(dir_fd, MEMORY_NAME, text.bytes, text.len, 0600, false, err);
    err_set(err, ERR_LOCAL, MEMORY_NAME " would be bigger than it may be");
    return false;
}

/* Settles all notes with what was remembered, and lists what is to be remembered now. */
static struct memory settle_all(struct arena *arena, const struct memory *before, const struct lag_note *notes,
                                size_t count, int64_t now)
{
    struct memory after = {.format = MEMORY_FORMAT};
    struct map known = {.arena = arena}, told = {.arena = arena};
    for (size_t i = 0; i < before->lags.count; i++) {
        struct remembered *lag = &before->lags.items[i];
        (void)map_add(&known, key_of(arena, lag->image, lag->package), lag);
    }
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < notes[i].lags->count; j++) {
            struct text key = key_of(arena, notes[i].image, notes[i].lags->items[j].package);
            struct remembered lag = settle(map_get(&known, key), &notes[i], &notes[i].lags->items[j], now);
            (void)map_add(&told, key, &told);
            if (after.lags.count < LAGS_MAX_COUNT)
                list_add(arena, &after.lags, lag);
        }
    }
    for (size_t i = 0; i < before->lags.count && after.lags.count < LAGS_MAX_COUNT; i++) {
        const struct remembered *lag = &before->lags.items[i];
        bool is_old = lag->seen < now - LAGS_FORGET_DAYS * DAY_SECONDS;
        if (!is_old && !is_noted(notes, count, lag->image) && !map_get(&told, key_of(arena, lag->image, lag->package)))
            list_add(arena, &after.lags, *lag);
    }
    return after;
}

static bool note_all(const char *dir, const struct lag_note *notes, size_t count, int64_t now, struct err *err)
{
    const struct lock_wait wait = {.limit_ms = LOCK_WAIT_MS};
    AUTO(arena_done) struct arena arena = {0};
    AUTO(auto_close_fd) int dir_fd = -1;
    AUTO(auto_close_fd) int lock_fd = -1;
    struct memory before = {0};
    bool is_locked = file_open_dir(dir, &dir_fd, err) && (lock_fd = lock_open_at(dir_fd, "lags.lock")) >= 0 &&
                     lock_take(lock_fd, false, "the lock of " MEMORY_NAME, &wait, err);
    if (dir_fd >= 0)
        read_memory(&arena, dir_fd, &before);
    struct memory after = settle_all(&arena, &before, notes, count, now);
    if (!is_locked && !err->kind)
        err_set(err, ERR_LOCAL, "cannot lock " MEMORY_NAME);
    return is_locked && ((!before.lags.count && !after.lags.count) || write_memory(dir_fd, &after, err));
}

void lag_memory_note(const char *state_dir, const struct lag_note *notes, size_t count, int64_t now, struct log *log)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct err err = {0};
    if (!count)
        return;
    if (!note_all(arena_printf(&scratch, "%s/v1", state_dir), notes, count, now, &err) && log)
        log_line(log, LOG_QUIET, "warning: %s; for how many nights architectures differ is not remembered", err.text);
}
