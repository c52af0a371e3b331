/* SPDX-License-Identifier: Apache-2.0 */
/* A manifest of any bytes is read or refused with a place, and never crashes. */
#include "fuzz.h"

#include "plan/yaml.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    AUTO(arena_done) struct arena arena = {0};
    struct yaml_file *file;
    struct err err = {0};
    if (!yaml_parse(&arena, "fuzz.yaml", (struct text){(const char *)bytes, len}, &file, &err))
        assert(err.kind == ERR_USAGE && strncmp(err.text, "fuzz.yaml", 9) == 0);
    return 0;
}
