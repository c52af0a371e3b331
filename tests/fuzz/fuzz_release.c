/* SPDX-License-Identifier: Apache-2.0 */
/* A signed Release of any bytes is opened and parsed, or refused. */
#include "fuzz.h"

#include "deb/release_parse.h"
#include "trust/clearsign.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    AUTO(arena_done) struct arena arena = {0};
    struct text text = {(const char *)bytes, len};
    struct release release = {0};
    int64_t valid_until;
    struct err err = {0};
    if (clearsign_open(&arena, "InRelease", text, &text, &err) || (err_clear(&err), true))
        (void)!release_parse(&arena, "InRelease", text, &release, &valid_until, &err);
    return 0;
}
