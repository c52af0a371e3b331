/* SPDX-License-Identifier: Apache-2.0 */
/* elf_symbols.h - the dynamic symbols of one ELF file and their versions, looked up as glibc does
 *
 * gABI "Dynamic Section", "Symbol Table", "Hash Table"; LSB 5.0 Core Generic, 10.7 "Symbol Versioning"; DT_GNU_HASH and
 * the rules of matching as in glibc's elf/dl-lookup.c (do_lookup_x, check_match) and elf/dl-version.c. Only program
 * headers and PT_DYNAMIC are read, never sections; both classes and byte orders. Every offset, count and chain is
 * checked against the file. Nothing is copied: names point into the bytes, which must outlive the result.
 * Threads: any; a result is const once read.
 * Fails with: nothing; a file whose tables lie has a reason in `broken` and no symbols.
 */
#ifndef IMGFACTORY_PACKAGE_ELF_SYMBOLS_H
#define IMGFACTORY_PACKAGE_ELF_SYMBOLS_H

#include "base/list.h"
#include "base/text.h"

/* A version that is needed of a library (DT_VERNEED) or defined (DT_VERDEF). */
struct elf_version {
    const char *file; /* needed: of which library, as DT_NEEDED spells it; defined: NULL */
    const char *name; /* "GLIBC_2.34" */
    uint32_t hash;    /* of the name, as the file gives it */
    uint16_t index;   /* in DT_VERSYM, without the hidden bit */
    bool is_weak;     /* needed: its absence is tolerated (VER_FLG_WEAK) */
    bool is_hidden;   /* needed: no other version will do (index with bit 15) */
    bool is_base;     /* defined: stands for the file itself (VER_FLG_BASE) */
};

struct elf_versions {
    struct elf_version *items;
    size_t count, capacity;
};

/* When the loader looks a symbol up, as the relocations tell. */
enum elf_use {
    ELF_USE_NONE, /* never: no relocation names it */
    ELF_USE_LAZY, /* when the function is called first (DT_JMPREL, neither DF_BIND_NOW nor DF_1_NOW) */
    ELF_USE_NOW,  /* when the object is loaded */
};

/* One symbol. */
struct elf_symbol {
    const char *name;
    uint64_t value;
    uint16_t section;                  /* SHN_UNDEF, … */
    uint8_t binding, type, visibility; /* STB_…, STT_…, STV_… */
    const struct elf_version *version; /* NULL: none (or that of the file itself) */
    bool has_hidden_version;           /* bit 15 of its DT_VERSYM: only for who asks for that version */
};

struct elf_symbols {
    const char *broken; /* why the tables cannot be read, or NULL */
    struct elf_versions needed, defined;
    size_t count;       /* symbols that the hash table or a relocation reaches, number 0 included */
    unsigned char *use; /* enum elf_use of each */
    /* private: tables in the file */
    struct text strings, symbols, versym;
    struct text hash, gnu_bloom, gnu_buckets, gnu_chain;
    uint32_t hash_buckets, hash_count, gnu_first, gnu_shift;
    const struct elf_version **by_index;
    size_t index_count;
    uint8_t word_bytes, hash_word_bytes; /* 4 or 8 */
    bool is_swapped;
};

/* A name with its hashes, to be looked up in many files. */
struct elf_name {
    const char *name;
    uint32_t gnu_hash, sysv_hash;
};

/* Reads the tables of a file that elf_read() found good; a file without PT_DYNAMIC has no symbols. */
void elf_symbols_read(struct arena *arena, struct text bytes, struct elf_symbols *ret_symbols);
/* Gives symbol number `at` (below count). */
struct elf_symbol elf_symbols_get(const struct elf_symbols *symbols, size_t at);
/* Hashes a name. */
struct elf_name elf_name(const char *name);
/* Returns whether the file defines the symbol for a reference with that version (NULL: without one), by the rules of
 * ld.so. The steps taken are added to *steps (hash chains can be made long on purpose). */
bool elf_symbols_define(const struct elf_symbols *symbols, const struct elf_name *name,
                        const struct elf_version *version, uint64_t *steps);
/* Returns whether the file defines a version. */
bool elf_symbols_have_version(const struct elf_symbols *symbols, const struct elf_version *version);

#endif
