/* SPDX-License-Identifier: Apache-2.0 */
/* An ld.so.cache of any bytes is read or refused, in both byte orders; what was read is written and read as the same. */
#include "fuzz.h"

#include "closure/ld_cache.h"

#include <stdlib.h>

static void check(struct arena *arena, const struct ld_cache *cache, const struct arch *arch)
{
    struct ld_cache again = {0};
    struct text written;
    struct err err = {0};
    if (!ld_cache_write(arena, cache, arch, "ldconfig", &written, &err))
        return;
    if (!ld_cache_read(arena, written, arch, &again, &err) || again.count != cache->count)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    AUTO(auto_free) char *copy = malloc(len ? len : 1);
    if (!copy)
        return 0;
    memcpy(copy, bytes, len);
    for (int i = 0; i < 2; i++) {
        AUTO(arena_done) struct arena arena = {0};
        struct arch arch = {.name = "x", .is_big_endian = i};
        struct strings hwcaps = {0};
        struct ld_cache cache = {0};
        struct err err = {0};
        list_add(&arena, &hwcaps, "x86-64-v3");
        if (!ld_cache_read(&arena, (struct text){copy, len}, &arch, &cache, &err))
            continue;
        (void)ld_cache_find(&cache, &arch, "libc.so.6", &hwcaps);
        check(&arena, &cache, &arch);
    }
    return 0;
}
