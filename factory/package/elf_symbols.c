/* SPDX-License-Identifier: Apache-2.0 */
/* Reading is a walk over PT_DYNAMIC into a table of addresses (struct places), then one function for each table. A
 * string table that ends with NUL makes every offset below its size a proper string. */
#include "package/elf_symbols.h"

#include <elf.h>

#define MAX_DYNAMIC_ENTRIES 65536
#define MAX_PROGRAM_HEADERS 65534
#define MAX_SYMBOLS ((uint64_t)1 << 22)
#define MAX_VERSIONS 16384
#define VERSION_MASK 0x7fff
#define VERSION_HIDDEN 0x8000

/* What PT_DYNAMIC says: where tables are (addresses) and how large. */
struct places {
    uint64_t strtab, strsz, symtab, syment, hash, gnu_hash, versym, verneed, verneed_count, verdef, verdef_count;
    uint64_t rel, rel_bytes, rel_count, rela, rela_bytes, rela_count, jmprel, jmprel_bytes, jmprel_kind;
    uint64_t flags, flags_1;
};

/* One file while it is read. */
struct reading {
    struct arena *arena;
    struct text bytes, headers; /* headers: the program headers */
    size_t header_bytes;        /* of one */
    uint16_t machine;
    struct elf_symbols *symbols;
    struct places places;
};

static inline uint16_t get16(const struct elf_symbols *symbols, const char *at)
{
    uint16_t value;
    memcpy(&value, at, sizeof value);
    return symbols->is_swapped ? __builtin_bswap16(value) : value;
}

static inline uint32_t get32(const struct elf_symbols *symbols, const char *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return symbols->is_swapped ? __builtin_bswap32(value) : value;
}

static inline uint64_t get64(const struct elf_symbols *symbols, const char *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return symbols->is_swapped ? __builtin_bswap64(value) : value;
}

/* Reads a number of 4 or 8 bytes. */
static inline uint64_t get_word(const struct elf_symbols *symbols, const char *at, size_t bytes)
{
    return bytes == 8 ? get64(symbols, at) : get32(symbols, at);
}

static bool take(struct text bytes, uint64_t offset, uint64_t len, struct text *ret_part)
{
    if (offset > bytes.len || len > bytes.len - offset)
        return false;
    *ret_part = (struct text){bytes.ptr + offset, (size_t)len};
    return true;
}

static const char *read_header(struct reading *reading)
{
    struct elf_symbols *symbols = reading->symbols;
    const char *header = reading->bytes.ptr;
    if (reading->bytes.len < sizeof(Elf32_Ehdr))
        return "shorter than an ELF header";
    bool is_64 = header[EI_CLASS] == ELFCLASS64;
    if (is_64 && reading->bytes.len < sizeof(Elf64_Ehdr))
        return "shorter than an ELF header";
    symbols->word_bytes = is_64 ? 8 : 4;
    symbols->is_swapped = (header[EI_DATA] == ELFDATA2MSB) != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
    reading->machine = get16(symbols, header + 18);
    /* 64-bit s390 has words of 8 bytes in DT_HASH (its ABI supplement, "Hash Table") */
    symbols->hash_word_bytes = is_64 && reading->machine == EM_S390 ? 8 : 4;
    reading->header_bytes = is_64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
    uint64_t offset = get_word(symbols, header + (is_64 ? 32 : 28), symbols->word_bytes);
    uint16_t count = get16(symbols, header + (is_64 ? 56 : 44));
    if (count > MAX_PROGRAM_HEADERS || !take(reading->bytes, offset, count * reading->header_bytes, &reading->headers))
        return "its program headers lie outside the file";
    return NULL;
}

/* A program header's fields. */
struct segment {
    uint32_t type;
    uint64_t offset, address, file_bytes;
};

static struct segment get_segment(const struct reading *reading, size_t at)
{
    const struct elf_symbols *symbols = reading->symbols;
    const char *header = reading->headers.ptr + at * reading->header_bytes;
    if (symbols->word_bytes == 8)
        return (struct segment){get32(symbols, header), get64(symbols, header + 8), get64(symbols, header + 16),
                                get64(symbols, header + 32)};
    return (struct segment){get32(symbols, header), get32(symbols, header + 4), get32(symbols, header + 8),
                            get32(symbols, header + 16)};
}

/* Finds the bytes from an address to the end of what is loaded there; false when nothing is. */
static bool find_loaded(const struct reading *reading, uint64_t address, struct text *ret_bytes)
{
    for (size_t i = 0; (i + 1) * reading->header_bytes <= reading->headers.len; i++) {
        struct segment segment = get_segment(reading, i);
        if (segment.type == PT_LOAD && address >= segment.address && address - segment.address < segment.file_bytes) {
            uint64_t skip = address - segment.address;
            struct text all;
            return take(reading->bytes, segment.offset, segment.file_bytes, &all) &&
                   take(all, skip, segment.file_bytes - skip, ret_bytes);
        }
    }
    return false;
}

/* The field of an entry of PT_DYNAMIC, or NULL for what does not matter here. */
static uint64_t *find_place(struct places *places, uint64_t tag)
{
    switch (tag) {
    case DT_STRTAB:
        return &places->strtab;
    case DT_STRSZ:
        return &places->strsz;
    case DT_SYMTAB:
        return &places->symtab;
    case DT_SYMENT:
        return &places->syment;
    case DT_HASH:
        return &places->hash;
    case DT_GNU_HASH:
        return &places->gnu_hash;
    case DT_VERSYM:
        return &places->versym;
    case DT_VERNEED:
        return &places->verneed;
    case DT_VERNEEDNUM:
        return &places->verneed_count;
    case DT_VERDEF:
        return &places->verdef;
    case DT_VERDEFNUM:
        return &places->verdef_count;
    case DT_REL:
        return &places->rel;
    case DT_RELSZ:
        return &places->rel_bytes;
    case DT_RELCOUNT:
        return &places->rel_count;
    case DT_RELA:
        return &places->rela;
    case DT_RELASZ:
        return &places->rela_bytes;
    case DT_RELACOUNT:
        return &places->rela_count;
    case DT_JMPREL:
        return &places->jmprel;
    case DT_PLTRELSZ:
        return &places->jmprel_bytes;
    case DT_PLTREL:
        return &places->jmprel_kind;
    case DT_FLAGS:
        return &places->flags;
    case DT_FLAGS_1:
        return &places->flags_1;
    case DT_BIND_NOW:
        places->flags |= DF_BIND_NOW;
        return NULL;
    default:
        return NULL;
    }
}

static const char *read_dynamic(struct reading *reading, bool *ret_found)
{
    const struct elf_symbols *symbols = reading->symbols;
    size_t word = symbols->word_bytes;
    for (size_t i = 0; (i + 1) * reading->header_bytes <= reading->headers.len; i++) {
        struct segment segment = get_segment(reading, i);
        struct text table;
        if (segment.type != PT_DYNAMIC)
            continue;
        if (!take(reading->bytes, segment.offset, segment.file_bytes, &table))
            return "PT_DYNAMIC lies outside the file";
        size_t count = table.len / (2 * word);
        for (size_t j = 0; j < count && j < MAX_DYNAMIC_ENTRIES; j++) {
            const char *entry = table.ptr + j * 2 * word;
            uint64_t tag = get_word(symbols, entry, word);
            if (tag == DT_NULL)
                break;
            uint64_t *place = find_place(&reading->places, tag);
            if (place)
                *place = get_word(symbols, entry + word, word) | (tag == DT_FLAGS ? *place : 0);
        }
        *ret_found = true;
        return NULL;
    }
    return NULL;
}

static size_t symbol_bytes(const struct elf_symbols *symbols)
{
    return symbols->word_bytes == 8 ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym);
}

static const char *find_strings(struct reading *reading)
{
    struct elf_symbols *symbols = reading->symbols;
    struct text loaded;
    if (!reading->places.strtab || !reading->places.symtab)
        return NULL; /* no symbols */
    if (!find_loaded(reading, reading->places.strtab, &loaded) ||
        !take(loaded, 0, reading->places.strsz, &symbols->strings))
        return "its string table is not loaded";
    if (!symbols->strings.len || symbols->strings.ptr[symbols->strings.len - 1])
        return "its string table has no end";
    if (!find_loaded(reading, reading->places.symtab, &symbols->symbols))
        return "its symbol table is not loaded";
    if (reading->places.syment && reading->places.syment != symbol_bytes(symbols))
        return "its symbols have another size";
    if (reading->places.versym && !find_loaded(reading, reading->places.versym, &symbols->versym))
        return "DT_VERSYM is not loaded";
    return NULL;
}

/* DT_GNU_HASH: counts, a Bloom filter, buckets of symbol numbers, and for each symbol from the first its hash, of which
 * bit 0 ends a chain. The last symbol is the end of the chain that begins last. */
static const char *read_gnu_hash(struct reading *reading)
{
    struct elf_symbols *symbols = reading->symbols;
    struct text table, rest;
    if (!find_loaded(reading, reading->places.gnu_hash, &table) || table.len < 16)
        return "DT_GNU_HASH is not loaded";
    uint64_t buckets = get32(symbols, table.ptr), bloom = get32(symbols, table.ptr + 8);
    symbols->gnu_first = get32(symbols, table.ptr + 4);
    symbols->gnu_shift = get32(symbols, table.ptr + 12) & 31;
    if (!buckets || !bloom || (bloom & (bloom - 1)))
        return "DT_GNU_HASH has impossible counts";
    uint64_t bloom_bytes = bloom * symbols->word_bytes;
    if (!take(table, 16, bloom_bytes, &symbols->gnu_bloom) ||
        !take(table, 16 + bloom_bytes, buckets * 4, &symbols->gnu_buckets) ||
        !take(table, 16 + bloom_bytes + buckets * 4, 0, &rest))
        return "DT_GNU_HASH is cut off";
    symbols->gnu_chain = (struct text){rest.ptr, (size_t)(table.ptr + table.len - rest.ptr)};
    uint64_t last = 0;
    for (size_t i = 0; i < buckets; i++) {
        uint32_t at = get32(symbols, symbols->gnu_buckets.ptr + i * 4);
        if (at && at < symbols->gnu_first)
            return "DT_GNU_HASH has a bucket below its first symbol";
        last = at > last ? at : last;
    }
    if (!last)
        return NULL; /* it defines nothing */
    for (uint64_t i = last - symbols->gnu_first;; i++) {
        if ((i + 1) * 4 > symbols->gnu_chain.len)
            return "a chain of DT_GNU_HASH has no end";
        if (get32(symbols, symbols->gnu_chain.ptr + i * 4) & 1) {
            symbols->count = (size_t)(i + symbols->gnu_first + 1);
            return NULL;
        }
    }
}

static const char *read_sysv_hash(struct reading *reading)
{
    struct elf_symbols *symbols = reading->symbols;
    size_t word = symbols->hash_word_bytes;
    if (!find_loaded(reading, reading->places.hash, &symbols->hash) || symbols->hash.len < 2 * word)
        return "DT_HASH is not loaded";
    uint64_t buckets = get_word(symbols, symbols->hash.ptr, word);
    uint64_t count = get_word(symbols, symbols->hash.ptr + word, word);
    if (buckets > UINT32_MAX || count > MAX_SYMBOLS || (2 + buckets + count) * word > symbols->hash.len)
        return "DT_HASH is cut off";
    symbols->hash_buckets = (uint32_t)buckets;
    symbols->hash_count = (uint32_t)count;
    symbols->count = (size_t)count > symbols->count ? (size_t)count : symbols->count;
    return NULL;
}

/* One table of relocations. */
struct relocations {
    struct text table;
    size_t each;
    enum elf_use use;
};

/* Finds a table; the first `skip` of it are relative ones, which name no symbol and which the loader takes as such
 * unseen. */
static bool find_relocations(const struct reading *reading, uint64_t address, uint64_t len, uint64_t skip, bool is_rela,
                             enum elf_use use, struct relocations *ret)
{
    struct text loaded;
    *ret = (struct relocations){.each = (size_t)reading->symbols->word_bytes * (is_rela ? 3 : 2), .use = use};
    if (!address || !len)
        return true;
    if (!find_loaded(reading, address, &loaded) || !take(loaded, 0, len, &loaded))
        return false;
    if (skip <= len / ret->each)
        (void)take(loaded, skip * ret->each, len - skip * ret->each, &ret->table);
    return true;
}

static inline uint64_t relocated(const struct elf_symbols *symbols, const struct relocations *relocations, size_t at)
{
    const char *info = relocations->table.ptr + at * relocations->each + symbols->word_bytes;
    return symbols->word_bytes == 8 ? get64(symbols, info) >> 32 : get32(symbols, info) >> 8;
}

/* Marks the symbols that relocations name. A file that defines nothing has no count of its symbols, so the highest
 * number that is named counts, too. */
static const char *read_relocations(struct reading *reading)
{
    struct elf_symbols *symbols = reading->symbols;
    const struct places *places = &reading->places;
    struct relocations all[3];
    bool is_now = (places->flags & DF_BIND_NOW) || (places->flags_1 & DF_1_NOW);
    if (!find_relocations(reading, places->rela, places->rela_bytes, places->rela_count, true, ELF_USE_NOW, &all[0]) ||
        !find_relocations(reading, places->rel, places->rel_bytes, places->rel_count, false, ELF_USE_NOW, &all[1]) ||
        !find_relocations(reading, places->jmprel, places->jmprel_bytes, 0, places->jmprel_kind != DT_REL,
                          is_now ? ELF_USE_NOW : ELF_USE_LAZY, &all[2]))
        return "a table of relocations is not loaded";
    uint64_t count = symbols->count;
    for (size_t i = 0; i < ARRAY_COUNT(all); i++) {
        for (size_t j = 0; (j + 1) * all[i].each <= all[i].table.len; j++) {
            uint64_t number = relocated(symbols, &all[i], j);
            count = number < count ? count : number + 1;
        }
    }
    if (count > MAX_SYMBOLS || count * symbol_bytes(symbols) > symbols->symbols.len ||
        (symbols->versym.ptr && count * 2 > symbols->versym.len))
        return "it has more symbols than its tables have room for";
    symbols->count = (size_t)count;
    symbols->use = arena_new_array(reading->arena, unsigned char, count + 1);
    for (size_t i = 0; i < ARRAY_COUNT(all); i++) {
        for (size_t j = 0; (j + 1) * all[i].each <= all[i].table.len; j++) {
            unsigned char *use = &symbols->use[relocated(symbols, &all[i], j)];
            *use = *use > all[i].use ? *use : (unsigned char)all[i].use;
        }
    }
    return NULL;
}

static const char *string_at(const struct elf_symbols *symbols, uint32_t offset)
{
    return offset < symbols->strings.len ? symbols->strings.ptr + offset : NULL;
}

static const char *add_version(struct reading *reading, struct elf_versions *list, struct elf_version version)
{
    struct elf_symbols *symbols = reading->symbols;
    if (!version.name)
        return "the name of a version lies outside the string table";
    if (symbols->needed.count + symbols->defined.count >= MAX_VERSIONS)
        return "more than 16384 versions";
    list_add(reading->arena, list, version);
    if (version.index >= symbols->index_count)
        symbols->index_count = (size_t)version.index + 1;
    return NULL;
}

/* Elf_Vernaux (16 bytes): hash, flags, other, name, next. Elf_Verneed: version, count, file, aux, next. */
static const char *read_needed_of(struct reading *reading, struct text table, uint64_t at, const char *file,
                                  uint16_t count)
{
    struct elf_symbols *symbols = reading->symbols;
    struct text aux;
    for (size_t i = 0; i < count; i++) {
        if (!take(table, at, 16, &aux))
            return "DT_VERNEED is cut off";
        uint16_t other = get16(symbols, aux.ptr + 6);
        struct elf_version version = {.file = file,
                                      .name = string_at(symbols, get32(symbols, aux.ptr + 8)),
                                      .hash = get32(symbols, aux.ptr),
                                      .index = other & VERSION_MASK,
                                      .is_weak = (get16(symbols, aux.ptr + 4) & VER_FLG_WEAK) != 0,
                                      .is_hidden = (other & VERSION_HIDDEN) != 0};
        const char *why = add_version(reading, &symbols->needed, version);
        uint32_t next = get32(symbols, aux.ptr + 12);
        if (why || !next)
            return why;
        at += next;
    }
    return NULL;
}

static const char *read_verneed(struct reading *reading)
{
    struct elf_symbols *symbols = reading->symbols;
    struct text table, need;
    uint64_t at = 0;
    if (!find_loaded(reading, reading->places.verneed, &table))
        return "DT_VERNEED is not loaded";
    for (uint64_t i = 0; i < reading->places.verneed_count; i++) {
        if (!take(table, at, 16, &need))
            return "DT_VERNEED is cut off";
        const char *file = string_at(symbols, get32(symbols, need.ptr + 4));
        if (!file)
            return "a file of DT_VERNEED lies outside the string table";
        const char *why =
            read_needed_of(reading, table, at + get32(symbols, need.ptr + 8), file, get16(symbols, need.ptr + 2));
        uint32_t next = get32(symbols, need.ptr + 12);
        if (why || !next)
            return why;
        at += next;
    }
    return NULL;
}

/* Elf_Verdef (20 bytes): version, flags, index, count, hash, aux, next; its first Elf_Verdaux has the name. */
static const char *read_verdef(struct reading *reading)
{
    struct elf_symbols *symbols = reading->symbols;
    struct text table, definition, aux;
    uint64_t at = 0;
    if (!find_loaded(reading, reading->places.verdef, &table))
        return "DT_VERDEF is not loaded";
    for (uint64_t i = 0; i < reading->places.verdef_count; i++) {
        if (!take(table, at, 20, &definition) || !take(table, at + get32(symbols, definition.ptr + 12), 8, &aux))
            return "DT_VERDEF is cut off";
        struct elf_version version = {.name = string_at(symbols, get32(symbols, aux.ptr)),
                                      .hash = get32(symbols, definition.ptr + 8),
                                      .index = get16(symbols, definition.ptr + 4) & VERSION_MASK,
                                      .is_base = (get16(symbols, definition.ptr + 2) & VER_FLG_BASE) != 0};
        const char *why = add_version(reading, &symbols->defined, version);
        uint32_t next = get32(symbols, definition.ptr + 16);
        if (why || !next)
            return why;
        at += next;
    }
    return NULL;
}

/* As glibc's l_versions: needed and defined ones by index, without the base version. */
static void index_versions(struct reading *reading)
{
    struct elf_symbols *symbols = reading->symbols;
    symbols->by_index = arena_new_array(reading->arena, const struct elf_version *, symbols->index_count + 1);
    for (size_t i = 0; i < symbols->needed.count; i++)
        symbols->by_index[symbols->needed.items[i].index] = &symbols->needed.items[i];
    for (size_t i = 0; i < symbols->defined.count; i++) {
        if (!symbols->defined.items[i].is_base)
            symbols->by_index[symbols->defined.items[i].index] = &symbols->defined.items[i];
    }
}

static const char *read_tables(struct reading *reading)
{
    const struct places *places = &reading->places;
    bool has_dynamic = false;
    const char *why = read_header(reading);
    if (!why)
        why = read_dynamic(reading, &has_dynamic);
    if (!why && has_dynamic)
        why = find_strings(reading);
    if (why || !reading->symbols->strings.len)
        return why;
    if (places->gnu_hash)
        why = read_gnu_hash(reading);
    if (!why && places->hash)
        why = read_sysv_hash(reading);
    if (!why)
        why = read_relocations(reading);
    if (!why && places->verneed)
        why = read_verneed(reading);
    if (!why && places->verdef)
        why = read_verdef(reading);
    if (!why)
        index_versions(reading);
    return why;
}

void elf_symbols_read(struct arena *arena, struct text bytes, struct elf_symbols *ret_symbols)
{
    *ret_symbols = (struct elf_symbols){0};
    struct reading reading = {.arena = arena, .bytes = bytes, .symbols = ret_symbols};
    const char *why = read_tables(&reading);
    if (why)
        *ret_symbols = (struct elf_symbols){.broken = why};
}

struct elf_symbol elf_symbols_get(const struct elf_symbols *symbols, size_t at)
{
    const char *entry = symbols->symbols.ptr + at * symbol_bytes(symbols);
    bool is_64 = symbols->word_bytes == 8;
    unsigned char info = (unsigned char)entry[is_64 ? 4 : 12], other = (unsigned char)entry[is_64 ? 5 : 13];
    struct elf_symbol symbol = {.name = string_at(symbols, get32(symbols, entry)),
                                .value = is_64 ? get64(symbols, entry + 8) : get32(symbols, entry + 4),
                                .section = get16(symbols, entry + (is_64 ? 6 : 14)),
                                .binding = ELF64_ST_BIND(info),
                                .type = ELF64_ST_TYPE(info),
                                .visibility = ELF64_ST_VISIBILITY(other)};
    if (!symbol.name)
        symbol.name = "";
    if (symbols->versym.ptr) {
        uint16_t version = get16(symbols, symbols->versym.ptr + at * 2);
        size_t index = version & VERSION_MASK;
        symbol.has_hidden_version = (version & VERSION_HIDDEN) != 0;
        symbol.version = index < symbols->index_count ? symbols->by_index[index] : NULL;
    }
    return symbol;
}

struct elf_name elf_name(const char *name)
{
    uint32_t gnu = 5381, sysv = 0;
    for (const unsigned char *at = (const unsigned char *)name; *at; at++) {
        gnu = gnu * 33 + *at;
        sysv = (sysv << 4) + *at;
        sysv = (sysv ^ ((sysv >> 24) & 0xf0)) & 0x0fffffff;
    }
    return (struct elf_name){name, gnu, sysv};
}

/* Returns whether the symbol can bind anything: check_match() before names and versions, and what do_lookup_x() does
 * with binding and visibility. */
static bool is_definition(const struct elf_symbol *symbol)
{
    const unsigned types =
        1U << STT_NOTYPE | 1U << STT_OBJECT | 1U << STT_FUNC | 1U << STT_COMMON | 1U << STT_TLS | 1U << STT_GNU_IFUNC;
    bool is_bound = symbol->binding == STB_GLOBAL || symbol->binding == STB_WEAK || symbol->binding == STB_GNU_UNIQUE;
    bool is_seen = symbol->visibility == STV_DEFAULT || symbol->visibility == STV_PROTECTED;
    bool has_value = symbol->value || symbol->section == SHN_ABS || symbol->type == STT_TLS;
    return symbol->section != SHN_UNDEF && has_value && is_bound && is_seen && (1U << symbol->type & types);
}

static bool same_version(const struct elf_version *a, const struct elf_version *b)
{
    return a && a->hash == b->hash && strcmp(a->name, b->name) == 0;
}

/* A look-up under way in one file. */
struct lookup {
    const struct elf_symbols *symbols;
    const struct elf_name *name;
    const struct elf_version *version;
    size_t other_versions; /* for a reference without version: definitions that have one and are not hidden */
};

/* check_match(): whether symbol number `at` is what is looked for. */
static bool match(struct lookup *lookup, size_t at)
{
    const struct elf_symbols *symbols = lookup->symbols;
    struct elf_symbol symbol = elf_symbols_get(symbols, at);
    if (!is_definition(&symbol) || strcmp(symbol.name, lookup->name->name) != 0)
        return false;
    if (!symbols->versym.ptr)
        return true; /* a file without versions satisfies any reference */
    if (lookup->version)
        return same_version(symbol.version, lookup->version) ||
               (!lookup->version->is_hidden && !symbol.version && !symbol.has_hidden_version);
    if ((get16(symbols, symbols->versym.ptr + at * 2) & VERSION_MASK) < 3)
        return true; /* local, global, or the first version: what old binaries were linked with */
    lookup->other_versions += !symbol.has_hidden_version;
    return false;
}

static bool look_up_gnu(struct lookup *lookup, uint64_t *steps)
{
    const struct elf_symbols *symbols = lookup->symbols;
    uint32_t hash = lookup->name->gnu_hash, bits = symbols->word_bytes * 8U;
    size_t word = hash / bits & (symbols->gnu_bloom.len / symbols->word_bytes - 1);
    uint64_t bloom = get_word(symbols, symbols->gnu_bloom.ptr + word * symbols->word_bytes, symbols->word_bytes);
    (*steps)++;
    if (!(bloom >> (hash % bits) & bloom >> ((hash >> symbols->gnu_shift) % bits) & 1))
        return false;
    size_t bucket = hash % (symbols->gnu_buckets.len / 4);
    uint32_t at = get32(symbols, symbols->gnu_buckets.ptr + bucket * 4);
    for (; at && at < symbols->count; at++) {
        uint32_t of_symbol = get32(symbols, symbols->gnu_chain.ptr + (size_t)(at - symbols->gnu_first) * 4);
        (*steps)++;
        if (((of_symbol ^ hash) >> 1) == 0 && match(lookup, at))
            return true;
        if (of_symbol & 1)
            break;
    }
    return false;
}

static bool look_up_sysv(struct lookup *lookup, uint64_t *steps)
{
    const struct elf_symbols *symbols = lookup->symbols;
    size_t word = symbols->hash_word_bytes;
    const char *buckets = symbols->hash.ptr + 2 * word, *chain = buckets + symbols->hash_buckets * word;
    uint64_t at = get_word(symbols, buckets + lookup->name->sysv_hash % symbols->hash_buckets * word, word);
    for (uint32_t i = 0; at && at < symbols->hash_count && i < symbols->hash_count; i++) {
        (*steps)++;
        if (match(lookup, (size_t)at))
            return true;
        at = get_word(symbols, chain + at * word, word);
    }
    return false;
}

bool elf_symbols_define(const struct elf_symbols *symbols, const struct elf_name *name,
                        const struct elf_version *version, uint64_t *steps)
{
    struct lookup lookup = {symbols, name, version, 0};
    if (symbols->gnu_bloom.len ? look_up_gnu(&lookup, steps) : symbols->hash_buckets && look_up_sysv(&lookup, steps))
        return true;
    return lookup.other_versions == 1; /* exactly one version: taken even when it is not the default one */
}

bool elf_symbols_have_version(const struct elf_symbols *symbols, const struct elf_version *version)
{
    for (size_t i = 0; i < symbols->defined.count; i++) {
        if (same_version(&symbols->defined.items[i], version))
            return true;
    }
    return false;
}
