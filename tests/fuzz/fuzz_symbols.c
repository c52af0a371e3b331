/* SPDX-License-Identifier: Apache-2.0 */
/* An ELF file of any bytes: its symbols can be looked up, its dlopen notes and strings be listed, without reading past it and
 * without end. */
#include "fuzz.h"

#include "package/elf.h"
#include "package/elf_dlopen.h"
#include "package/elf_symbols.h"

#include <stdlib.h>

#define LOOKED_UP_MAX 500
#define STEPS_MAX 200000

static void look_up(const struct elf_symbols *symbols)
{
    uint64_t steps = 0;
    for (size_t i = 0; i < symbols->count && i < LOOKED_UP_MAX && steps < STEPS_MAX; i++) {
        struct elf_symbol symbol = elf_symbols_get(symbols, i);
        struct elf_name name = elf_name(symbol.name);
        (void)elf_symbols_define(symbols, &name, symbol.version, &steps);
        (void)elf_symbols_define(symbols, &name, NULL, &steps);
    }
    for (size_t i = 0; i < symbols->needed.count && i < LOOKED_UP_MAX; i++)
        (void)elf_symbols_have_version(symbols, &symbols->needed.items[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    AUTO(arena_done) struct arena arena = {0};
    AUTO(auto_free) char *copy = malloc(len ? len : 1); /* so that what is read past the end is seen */
    struct text text = {copy, len};
    struct elf_facts facts;
    struct dlopen_needs needs = {0};
    struct strings strings = {0};
    elf_init();
    if (!copy)
        return 0;
    memcpy(copy, bytes, len);
    if (!elf_is(text))
        return 0;
    elf_read(&arena, text, &facts);
    (void)elf_dlopen_needs(&arena, text, &needs);
    elf_plugin_strings(&arena, text, &strings);
    if (!facts.broken) {
        struct elf_symbols symbols;
        elf_symbols_read(&arena, text, &symbols);
        if (!symbols.broken)
            look_up(&symbols);
    }
    return 0;
}
