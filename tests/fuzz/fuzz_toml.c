/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes are read as TOML or refused with a place. */
#include "fuzz.h"

#include "plan/toml.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct arena arena = {0};
    struct err err = {0};
    struct toml_node *root;
    if (toml_parse(&arena, "t", (struct text){(const char *)bytes, len}, &root, &err)) {
        (void)toml_get(root, "registry");
    } else if (err.kind != ERR_USAGE || strncmp(err.text, "t:", 2) != 0) {
        abort();
    }
    arena_done(&arena);
    return 0;
}
