/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes behind an ELF magic are read within their bounds. */
#include "fuzz.h"

#include "package/elf.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    AUTO(arena_done) struct arena arena = {0};
    struct text text = {(const char *)bytes, len};
    struct elf_facts facts;
    elf_init();
    if (elf_is(text))
        elf_read(&arena, text, &facts);
    return 0;
}
