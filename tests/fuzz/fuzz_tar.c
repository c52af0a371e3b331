/* SPDX-License-Identifier: Apache-2.0 */
/* A tar of any bytes is listed or refused, by the rules of packages and of layers; what packages may have, layers may. */
#include "fuzz.h"

#include "base/auto.h"
#include "deb/deb_tar.h"
#include "package/layer_reader.h"

#include <stdlib.h>

static bool feed(void *user, struct text *ret_bytes, struct err *err)
{
    (void)err;
    struct text *rest = user;
    *ret_bytes = *rest;
    *rest = TEXT("");
    return true;
}

static bool list(struct text bytes, const struct tar_rules *rules)
{
    AUTO(tar_reader_done) struct tar_reader reader;
    struct err err = {0};
    tar_reader_init(&reader, rules, feed, &bytes);
    for (;;) {
        struct tar_entry entry;
        bool is_end;
        if (!tar_reader_next(&reader, &entry, &is_end, &err) || is_end)
            return !err.kind;
        if (!*entry.path || (entry.kind != TAR_FILE && entry.size_bytes))
            abort();
        for (struct text run = {NULL, 1}; run.len;) {
            if (!tar_reader_read(&reader, &run, &err))
                return false;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct text tar = {(const char *)bytes, len};
    if (list(tar, &deb_tar_rules) && !list(tar, &layer_tar_rules))
        abort();
    return 0;
}
