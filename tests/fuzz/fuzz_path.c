/* SPDX-License-Identifier: Apache-2.0 */
/* A canonical path never leaves the root and is canonical; matching any glob against it ends. */
#include "fuzz.h"

#include "package/path.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    AUTO(arena_done) struct arena arena = {0};
    const char *why = NULL;
    const char *path = path_canonical(&arena, (struct text){(const char *)bytes, len}, &why);
    if (!path) {
        assert(why);
        return 0;
    }
    assert(path[0] == '/' && !strstr(path, "/../") && !strstr(path, "//"));
    const char *again = path_canonical(&arena, text_of(path), &why);
    assert(again && strcmp(again, path) == 0);
    (void)path_matches(path, path);
    const char *joined = path_join_target(&arena, "/usr/lib/x", path + 1);
    assert(!joined || joined[0] == '/');
    return 0;
}
