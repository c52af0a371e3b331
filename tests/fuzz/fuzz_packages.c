/* SPDX-License-Identifier: Apache-2.0 */
/* A Packages file of any bytes gives an index that can be walked, or a refusal; so does the index itself of any
 * bytes. */
#include "fuzz.h"

#include "deb/deb_index.h"

static void walk(struct text bytes)
{
    struct deb_index index;
    struct deb_stanza stanza;
    if (!deb_index_open(bytes, &index))
        return;
    for (uint32_t i = 0; i < index.stanza_count && i < 1000; i++) {
        if (!deb_index_read(&index, i, &stanza))
            continue;
        struct deb_hits hits = deb_index_find(&index, stanza.name);
        uint32_t number;
        bool is_virtual;
        while (deb_index_next(&hits, &number, &is_virtual))
            (void)deb_index_read(&index, number, &stanza);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct text text = {(const char *)bytes, len};
    AUTO(buf_done) struct buf built = {0};
    struct err err = {0};
    if (deb_index_build(text, "Packages", NULL, &built, &err))
        walk((struct text){built.bytes, built.len});
    char *copy = malloc(len ? len : 1); /* an index is mapped: page-aligned, as malloc's alignment is enough to show */
    if (copy && len) {
        memcpy(copy, bytes, len);
        walk((struct text){copy, len});
    }
    free(copy);
    return 0;
}
