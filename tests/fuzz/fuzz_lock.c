/* SPDX-License-Identifier: Apache-2.0 */
/* Any lines with the right checksum behind them are a lock or refused; what is read is compared with itself, moved and written, and
 * what was written is read as the same. */
#include "fuzz.h"

#include "bill/lock.h"

#include <stdlib.h>

static const char *seal(struct arena *arena, const uint8_t *bytes, size_t len)
{
    struct digest sum = digest_of(bytes, len);
    return arena_printf(arena, "%.*s\"sum\":\"sha256:%s\"\n}\n", (int)len, (const char *)bytes, digest_hex(&sum).chars);
}

static struct text print(struct arena *arena, struct lock *lock)
{
    AUTO(buf_done) struct buf text;
    buf_init(&text, LOCK_MAX_BYTES);
    if (!lock_write(lock, &text))
        return (struct text){0};
    return (struct text){arena_strndup(arena, text.bytes, text.len), text.len};
}

static void use(struct arena *arena, struct lock *lock)
{
    struct strings lines, moving = {0};
    struct lock_part all = {.is_exact = true};
    struct lock empty = {.format = LOCK_FORMAT};
    lock_differences(arena, lock, lock, all, &lines);
    lock_source_differences(arena, lock, &empty, &lines);
    lock_blobs(arena, lock, &lines);
    list_add(arena, &moving, "libfoo1");
    (void)lock_pins(arena, lock, "x.lock", NULL, true);
    (void)lock_pins(arena, lock, "x.lock", &moving, false);
    lock_add_others(arena, &empty, lock);
    lock_settle(&empty, lock);
    lock_drop_unused(&empty);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    AUTO(arena_done) struct arena arena = {0};
    struct lock lock, again;
    struct err err = {0};
    if (len > LOCK_MAX_BYTES / 2 || memchr(bytes, '\0', len) ||
        !lock_read(&arena, "x.lock", text_of(seal(&arena, bytes, len)), &lock, &err))
        return 0;
    use(&arena, &lock);
    lock.format = LOCK_FORMAT;
    lock.program = "1.0"; /* as only a program's own version is written */
    struct text first = print(&arena, &lock);
    if (!first.len)
        return 0;
    if (!lock_read(&arena, "x.lock", first, &again, &err) || !text_eq(print(&arena, &again), first))
        abort();
    return 0;
}
