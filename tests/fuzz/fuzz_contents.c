/* SPDX-License-Identifier: Apache-2.0 */
/* A Contents file of any bytes gives a table that can be asked, or a refusal; so does a table of any bytes. */
#include "fuzz.h"

#include "source/contents.h"

#include <stdlib.h>

static void take(void *taker, const struct contents_place *place)
{
    *(size_t *)taker += strlen(place->dir) + strlen(place->owners);
}

static void ask(struct arena *arena, struct text bytes)
{
    struct contents contents;
    struct strings names = {0}, paths = {0}, hints = {0};
    size_t length = 0;
    if (!contents_open(bytes, &contents))
        return;
    contents_find(&contents, arena, "usr/sbin/a", &names);
    contents_each(&contents, "a", take, &length);
    contents_services(&contents, arena, "a", &paths);
    contents_find_in_folder(&contents, arena, "etc/ld.so.conf.d", &names);
    contents_find_alike(&contents, arena, "usr/bin/a", 3, &hints);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    AUTO(arena_done) struct arena arena = {0};
    AUTO(contents_builder_done) struct contents_builder builder;
    AUTO(buf_done) struct buf built = {0};
    AUTO(auto_free) char *copy = malloc(len ? len : 1);
    struct err err = {0};
    contents_builder_begin(&builder, "Contents");
    builder.keeps_all = len && bytes[0] & 1;
    bool is_fed = contents_feed(&builder.reader, (struct text){(const char *)bytes, len}, &err);
    if (is_fed)
        contents_feed_end(&builder.reader);
    if (is_fed && contents_builder_end(&builder, &built, &err)) {
        struct contents contents;
        if (!contents_open((struct text){built.bytes, built.len}, &contents))
            abort();
        ask(&arena, (struct text){built.bytes, built.len});
    }
    if (copy && len) {
        memcpy(copy, bytes, len);
        ask(&arena, (struct text){copy, len});
    }
    return 0;
}
