/* SPDX-License-Identifier: Apache-2.0 */
/* symbol_maker.h - ELF files with dynamic symbols and versions, made in memory for the tests of symbols and proof
 *
 * gABI, LSB 5.0 "Symbol Versioning"; either class and byte order. Everything is in one PT_LOAD, one bucket holds all
 * that is defined, and each undefined symbol has a relocation.
 */
#ifndef IMGFACTORY_TESTS_SYMBOL_MAKER_H
#define IMGFACTORY_TESTS_SYMBOL_MAKER_H

#include "check.h"

#include "base/arena.h"
#include "base/text.h"

#include <elf.h>

#define MADE_BASE 0x10000
#define MADE_BYTES 8192
#define MADE_VERSIONS 16

struct made_symbol {
    const char *name, *version; /* version NULL: none */
    const char *file;           /* undefined: of which library the version is; NULL with a version: defined */
    bool is_undefined, is_weak, is_hidden;
    bool is_weak_version; /* VER_FLG_WEAK of a needed version */
    unsigned char type, visibility;
};

struct made_elf {
    uint16_t machine; /* 0: x86_64 */
    bool is_32, is_big_endian, is_sysv_hash, has_no_versions, is_lazy;
    const char *interp, *soname, *needed, *rpath; /* needed: names with blanks between */
    struct made_symbol symbols[12];               /* undefined ones first; ends with a name of NULL */
};

struct made_version {
    const char *file, *name;
    bool is_weak;
};

struct making {
    const struct made_elf *elf;
    unsigned char *bytes;
    size_t at, strings_at, strings_len;
    size_t dynamic[32][2], dynamic_count;
    struct made_version versions[MADE_VERSIONS]; /* from index 2 on */
    size_t version_count;
};

static inline void made_put(struct making *making, size_t at, size_t width, uint64_t value)
{
    assert_true(at + width <= MADE_BYTES);
    for (size_t i = 0; i < width; i++)
        making->bytes[at + i] = (unsigned char)(value >> 8 * (making->elf->is_big_endian ? width - 1 - i : i));
}

static inline size_t made_word(const struct making *making)
{
    return making->elf->is_32 ? 4 : 8;
}

static inline void made_add(struct making *making, size_t width, uint64_t value)
{
    made_put(making, making->at, width, value);
    making->at += width;
}

/* Begins a table whose place a tag of PT_DYNAMIC tells. */
static inline size_t made_begin(struct making *making, uint64_t tag)
{
    making->at = (making->at + 7) / 8 * 8;
    making->dynamic[making->dynamic_count][0] = tag;
    making->dynamic[making->dynamic_count++][1] = MADE_BASE + making->at;
    return making->at;
}

static inline void made_tag(struct making *making, uint64_t tag, uint64_t value)
{
    making->dynamic[making->dynamic_count][0] = tag;
    making->dynamic[making->dynamic_count++][1] = value;
}

/* Adds a string to the table, which has 2048 bytes. */
static inline uint32_t made_string(struct making *making, const char *string)
{
    size_t at = making->strings_len;
    assert_true(at + strlen(string) + 1 < 2048);
    memcpy(making->bytes + making->strings_at + at, string, strlen(string) + 1);
    making->strings_len += strlen(string) + 1;
    return (uint32_t)at;
}

static inline uint32_t made_sysv_hash(const char *name)
{
    uint32_t hash = 0;
    for (; *name; name++) {
        hash = (hash << 4) + (unsigned char)*name;
        uint32_t high = hash & 0xf0000000;
        hash ^= high >> 24;
        hash &= ~high;
    }
    return hash;
}

static inline uint32_t made_gnu_hash(const char *name)
{
    uint32_t hash = 5381;
    for (; *name; name++)
        hash = hash * 33 + (unsigned char)*name;
    return hash;
}

/* The number in DT_VERSYM of a version, which is added when it is new. */
static inline uint16_t made_version(struct making *making, const struct made_symbol *symbol)
{
    const char *file = symbol->is_undefined ? symbol->file : NULL;
    if (!symbol->version)
        return 1;
    for (size_t i = 0; i < making->version_count; i++) {
        const struct made_version *known = &making->versions[i];
        bool is_same_file = file && known->file ? strcmp(file, known->file) == 0 : file == known->file;
        if (is_same_file && strcmp(known->name, symbol->version) == 0)
            return (uint16_t)(i + 2);
    }
    assert_true(making->version_count < MADE_VERSIONS);
    making->versions[making->version_count] = (struct made_version){file, symbol->version, symbol->is_weak_version};
    return (uint16_t)(making->version_count++ + 2);
}

static inline size_t made_symbol_count(const struct made_elf *elf, size_t *ret_undefined)
{
    size_t count = 0;
    *ret_undefined = 0;
    while (elf->symbols[count].name)
        *ret_undefined += elf->symbols[count++].is_undefined;
    return count;
}

static inline void made_symbols(struct making *making, size_t count)
{
    size_t start = made_begin(making, DT_SYMTAB), each = making->elf->is_32 ? 16 : 24;
    for (size_t i = 0; i < count; i++) {
        const struct made_symbol *symbol = &making->elf->symbols[i];
        size_t at = start + (i + 1) * each;
        unsigned info = (unsigned)(symbol->is_weak ? STB_WEAK : STB_GLOBAL) << 4 | (symbol->type ? symbol->type : 2);
        uint64_t value = symbol->is_undefined ? 0 : 0x1000 + i;
        made_put(making, at, 4, made_string(making, symbol->name));
        made_put(making, at + (making->elf->is_32 ? 4 : 8), made_word(making), value);
        made_put(making, at + (making->elf->is_32 ? 12 : 4), 1, info);
        made_put(making, at + (making->elf->is_32 ? 13 : 5), 1, symbol->visibility);
        made_put(making, at + (making->elf->is_32 ? 14 : 6), 2, symbol->is_undefined ? SHN_UNDEF : 5);
    }
    making->at = start + (count + 1) * each;
    if (making->elf->has_no_versions)
        return;
    (void)made_begin(making, DT_VERSYM);
    made_add(making, 2, 0);
    for (size_t i = 0; i < count; i++)
        made_add(making, 2, made_version(making, &making->elf->symbols[i]) | making->elf->symbols[i].is_hidden << 15);
}

static inline void made_hash(struct making *making, size_t count, size_t undefined)
{
    size_t word = made_word(making), bits = word * 8;
    const struct made_symbol *symbols = making->elf->symbols;
    if (making->elf->is_sysv_hash) {
        /* s390x has words of 8 bytes here */
        size_t width = making->elf->machine == EM_S390 && !making->elf->is_32 ? 8 : 4;
        (void)made_begin(making, DT_HASH);
        made_add(making, width, 1);
        made_add(making, width, count + 1);
        made_add(making, width, count);
        for (size_t i = 0; i <= count; i++)
            made_add(making, width, i ? i - 1 : 0);
        return;
    }
    uint64_t bloom = 0;
    for (size_t i = undefined; i < count; i++) {
        uint32_t hash = made_gnu_hash(symbols[i].name);
        bloom |= (uint64_t)1 << hash % bits | (uint64_t)1 << (hash >> 6) % bits;
    }
    (void)made_begin(making, DT_GNU_HASH);
    made_add(making, 4, 1);
    made_add(making, 4, undefined + 1);
    made_add(making, 4, 1);
    made_add(making, 4, 6);
    made_add(making, word, bloom);
    made_add(making, 4, undefined < count ? undefined + 1 : 0);
    for (size_t i = undefined; i < count; i++)
        made_add(making, 4, (made_gnu_hash(symbols[i].name) & ~1U) | (i + 1 == count));
}

/* Each needed version has an Elf_Verneed of its own. */
static inline void made_versions(struct making *making)
{
    size_t needed = 0, defined = 0, left;
    for (size_t i = 0; i < making->version_count; i++) {
        needed += making->versions[i].file != NULL;
        defined += making->versions[i].file == NULL;
    }
    if (needed) {
        (void)made_begin(making, DT_VERNEED);
        made_tag(making, DT_VERNEEDNUM, needed);
    }
    left = needed;
    for (size_t i = 0; i < making->version_count; i++) {
        const struct made_version *version = &making->versions[i];
        if (!version->file)
            continue;
        made_add(making, 2, 1);
        made_add(making, 2, 1);
        made_add(making, 4, made_string(making, version->file));
        made_add(making, 4, 16);
        made_add(making, 4, --left ? 32 : 0);
        made_add(making, 4, made_sysv_hash(version->name));
        made_add(making, 2, version->is_weak ? VER_FLG_WEAK : 0);
        made_add(making, 2, i + 2);
        made_add(making, 4, made_string(making, version->name));
        made_add(making, 4, 0);
    }
    if (!defined)
        return;
    (void)made_begin(making, DT_VERDEF);
    made_tag(making, DT_VERDEFNUM, defined + 1);
    left = defined;
    for (size_t i = 0; i <= making->version_count; i++) {
        bool is_base = i == 0;
        const char *name = is_base ? "base" : making->versions[i - 1].name;
        if (!is_base && making->versions[i - 1].file)
            continue;
        made_add(making, 2, 1);
        made_add(making, 2, is_base ? VER_FLG_BASE : 0);
        made_add(making, 2, i + 1);
        made_add(making, 2, 1);
        made_add(making, 4, made_sysv_hash(name));
        made_add(making, 4, 20);
        made_add(making, 4, left-- ? 28 : 0);
        made_add(making, 4, made_string(making, name));
        made_add(making, 4, 0);
    }
}

static inline void made_relocations(struct making *making, size_t undefined)
{
    size_t word = made_word(making);
    if (!undefined)
        return;
    (void)made_begin(making, making->elf->is_lazy ? DT_JMPREL : DT_RELA);
    for (size_t i = 1; i <= undefined; i++) {
        made_add(making, word, MADE_BASE);
        made_add(making, word, making->elf->is_32 ? i << 8 | 1 : (uint64_t)i << 32 | 1);
        made_add(making, word, 0);
    }
    made_tag(making, making->elf->is_lazy ? DT_PLTRELSZ : DT_RELASZ, undefined * 3 * word);
    if (making->elf->is_lazy)
        made_tag(making, DT_PLTREL, DT_RELA);
}

static inline void made_segment(struct making *making, size_t number, uint32_t type, size_t offset, size_t len)
{
    size_t word = made_word(making), at = (making->elf->is_32 ? 52 : 64) + number * (making->elf->is_32 ? 32 : 56);
    size_t first = making->elf->is_32 ? at + 4 : at + 8;
    made_put(making, at, 4, type);
    made_put(making, first, word, offset);
    made_put(making, first + word, word, MADE_BASE + offset);
    made_put(making, first + 3 * word, word, len);
    made_put(making, first + 4 * word, word, len);
}

static inline void made_header(struct making *making, size_t dynamic_at)
{
    const struct made_elf *elf = making->elf;
    bool is_32 = elf->is_32;
    memcpy(making->bytes, ELFMAG, SELFMAG);
    making->bytes[EI_CLASS] = is_32 ? ELFCLASS32 : ELFCLASS64;
    making->bytes[EI_DATA] = elf->is_big_endian ? ELFDATA2MSB : ELFDATA2LSB;
    making->bytes[EI_VERSION] = EV_CURRENT;
    made_put(making, 16, 2, ET_DYN);
    made_put(making, 18, 2, elf->machine ? elf->machine : EM_X86_64);
    made_put(making, 20, 4, EV_CURRENT);
    made_put(making, is_32 ? 28 : 32, made_word(making), is_32 ? 52 : 64);
    made_put(making, is_32 ? 40 : 52, 2, is_32 ? 52 : 64);
    made_put(making, is_32 ? 42 : 54, 2, is_32 ? 32 : 56);
    made_put(making, is_32 ? 44 : 56, 2, elf->interp ? 3 : 2);
    made_segment(making, 0, PT_LOAD, 0, making->at);
    made_segment(making, 1, PT_DYNAMIC, dynamic_at, making->at - dynamic_at);
    if (elf->interp) {
        memcpy(making->bytes + 256, elf->interp, strlen(elf->interp) + 1);
        made_segment(making, 2, PT_INTERP, 256, strlen(elf->interp) + 1);
    }
}

/* Makes the file; its bytes live in the arena. */
static inline struct text elf_make(struct arena *arena, const struct made_elf *elf)
{
    struct making making = {.elf = elf, .bytes = arena_new_array(arena, unsigned char, MADE_BYTES), .at = 320};
    size_t undefined, count = made_symbol_count(elf, &undefined);
    struct text rest = text_of(elf->needed ? elf->needed : ""), name;
    making.strings_at = made_begin(&making, DT_STRTAB);
    making.at += 2048;
    making.strings_len = 1;
    made_tag(&making, DT_STRSZ, 2048);
    while (text_next_word(&rest, &name))
        made_tag(&making, DT_NEEDED, made_string(&making, text_dup(arena, name)));
    if (elf->soname)
        made_tag(&making, DT_SONAME, made_string(&making, elf->soname));
    if (elf->rpath)
        made_tag(&making, DT_RPATH, made_string(&making, elf->rpath));
    made_symbols(&making, count);
    made_hash(&making, count, undefined);
    made_versions(&making);
    made_relocations(&making, undefined);
    size_t dynamic_at = making.at = (making.at + 7) / 8 * 8;
    for (size_t i = 0; i <= making.dynamic_count; i++) {
        made_add(&making, made_word(&making), i < making.dynamic_count ? making.dynamic[i][0] : DT_NULL);
        made_add(&making, made_word(&making), i < making.dynamic_count ? making.dynamic[i][1] : 0);
    }
    made_header(&making, dynamic_at);
    return (struct text){(const char *)making.bytes, making.at};
}

#endif
