/* SPDX-License-Identifier: Apache-2.0 */
#include "package/elf.h"

#include "base/auto.h"

#include <gelf.h>
#include <libelf.h>

#define MAX_NEEDED 4096
#define MAX_STRING_BYTES 4096
#define MAX_DYNAMIC_ENTRIES 65536

/* One file while it is read. */
struct reading {
    struct arena *arena;
    struct text bytes;
    Elf *elf;
    size_t header_count; /* of program headers */
    struct elf_facts *facts;
};

void elf_init(void)
{
    (void)elf_version(EV_CURRENT);
}

bool elf_is(struct text bytes)
{
    return bytes.len >= SELFMAG && memcmp(bytes.ptr, ELFMAG, SELFMAG) == 0;
}

static void auto_elf_end(Elf **elf)
{
    (void)elf_end(*elf);
}

/* Reads a two-byte field of the file header by hand. */
static uint16_t field16(const struct elf_facts *facts, const unsigned char *at)
{
    unsigned high = facts->is_big_endian ? at[0] : at[1], low = facts->is_big_endian ? at[1] : at[0];
    return (uint16_t)(high << 8 | low);
}

/* Checks what libelf takes on trust: class, byte order, and a section count that it would allocate for. Returns why the
 * file cannot be read, or NULL. */
static const char *check_header(struct text bytes, struct elf_facts *facts)
{
    const unsigned char *header = (const unsigned char *)bytes.ptr;
    if (bytes.len < EI_NIDENT)
        return "shorter than an ELF header";
    if (header[EI_CLASS] != ELFCLASS32 && header[EI_CLASS] != ELFCLASS64)
        return "neither 32 nor 64 bits";
    if (header[EI_DATA] != ELFDATA2LSB && header[EI_DATA] != ELFDATA2MSB)
        return "unknown byte order";
    bool is_64 = header[EI_CLASS] == ELFCLASS64;
    facts->elf_class = is_64 ? 64 : 32;
    facts->is_big_endian = header[EI_DATA] == ELFDATA2MSB;
    if (bytes.len < (is_64 ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr)))
        return "shorter than an ELF header";
    static const unsigned char zeros[8];
    const unsigned char *section_offset = header + (is_64 ? 40 : 32);
    bool has_sections = memcmp(section_offset, zeros, is_64 ? 8 : 4) != 0;
    if (has_sections && field16(facts, header + (is_64 ? 60 : 48)) == 0)
        return "its section count is outside the header";
    return NULL;
}

static bool range_is_inside(const struct reading *reading, uint64_t offset, uint64_t len)
{
    return offset <= reading->bytes.len && len <= reading->bytes.len - offset;
}

/* Copies the string at `offset` that ends inside `bytes`; returns why it cannot, or NULL. */
static const char *take_string(struct arena *arena, struct text bytes, uint64_t offset, const char **ret_string)
{
    if (offset >= bytes.len)
        return "a string lies outside its table";
    const char *start = bytes.ptr + offset;
    size_t room = bytes.len - (size_t)offset;
    const char *end = memchr(start, '\0', room < MAX_STRING_BYTES ? room : MAX_STRING_BYTES);
    if (!end)
        return "a string has no end";
    *ret_string = arena_strndup(arena, start, (size_t)(end - start));
    return NULL;
}

static const char *read_interp(struct reading *reading, const GElf_Phdr *header)
{
    if (reading->facts->interp)
        return "two PT_INTERP";
    if (!range_is_inside(reading, header->p_offset, header->p_filesz))
        return "PT_INTERP lies outside the file";
    struct text bytes = {reading->bytes.ptr + header->p_offset, (size_t)header->p_filesz};
    return take_string(reading->arena, bytes, 0, &reading->facts->interp);
}

/* Finds the bytes of the file that are loaded at `address`, up to `len` of them. */
static const char *find_loaded(const struct reading *reading, uint64_t address, uint64_t len, struct text *ret_bytes)
{
    for (size_t i = 0; i < reading->header_count; i++) {
        GElf_Phdr header;
        if (!gelf_getphdr(reading->elf, (int)i, &header))
            return "its program headers cannot be read";
        if (header.p_type != PT_LOAD || address < header.p_vaddr || address - header.p_vaddr >= header.p_filesz)
            continue;
        if (!range_is_inside(reading, header.p_offset, header.p_filesz))
            return "a PT_LOAD lies outside the file";
        uint64_t skip = address - header.p_vaddr, room = header.p_filesz - skip;
        if (len > room)
            return "its string table is larger than what is loaded";
        *ret_bytes = (struct text){reading->bytes.ptr + header.p_offset + skip, (size_t)len};
        return NULL;
    }
    return "its string table is in no PT_LOAD";
}

/* Finds the part of the file that DT_STRTAB and DT_STRSZ name; empty when they are absent. */
static const char *find_strings(const struct reading *reading, Elf_Data *dynamic, size_t count, struct text *ret_table)
{
    uint64_t address = 0, len = 0;
    bool has_address = false, has_len = false;
    for (size_t i = 0; i < count; i++) {
        GElf_Dyn entry;
        if (!gelf_getdyn(dynamic, (int)i, &entry))
            return "PT_DYNAMIC cannot be read";
        if (entry.d_tag == DT_STRTAB) {
            address = entry.d_un.d_ptr;
            has_address = true;
        } else if (entry.d_tag == DT_STRSZ) {
            len = entry.d_un.d_val;
            has_len = true;
        }
    }
    *ret_table = (struct text){0};
    if (!has_address || !has_len)
        return NULL; /* fine as long as no entry needs a string */
    return find_loaded(reading, address, len, ret_table);
}

/* Reads one entry of PT_DYNAMIC; returns why it cannot, or NULL. */
static const char *read_dynamic_entry(struct reading *reading, struct text table, const GElf_Dyn *entry)
{
    struct elf_facts *facts = reading->facts;
    const char *needed = NULL, *why = NULL;
    switch (entry->d_tag) {
    case DT_NEEDED:
        if (facts->needed.count == MAX_NEEDED)
            return "more than 4096 DT_NEEDED";
        why = take_string(reading->arena, table, entry->d_un.d_val, &needed);
        if (!why)
            list_add(reading->arena, &facts->needed, needed);
        return why;
    case DT_SONAME:
        return take_string(reading->arena, table, entry->d_un.d_val, &facts->soname);
    case DT_RPATH:
        return take_string(reading->arena, table, entry->d_un.d_val, &facts->rpath);
    case DT_RUNPATH:
        return take_string(reading->arena, table, entry->d_un.d_val, &facts->runpath);
    case DT_FLAGS_1:
        facts->has_nodeflib = (entry->d_un.d_val & DF_1_NODEFLIB) != 0;
        facts->is_pie = (entry->d_un.d_val & DF_1_PIE) != 0;
        return NULL;
    default:
        return NULL;
    }
}

/* Counts the entries before DT_NULL. */
static const char *count_dynamic(Elf_Data *dynamic, size_t room, size_t *ret_count)
{
    for (size_t i = 0; i < room; i++) {
        GElf_Dyn entry;
        if (!gelf_getdyn(dynamic, (int)i, &entry))
            return "PT_DYNAMIC cannot be read";
        if (entry.d_tag == DT_NULL) {
            *ret_count = i;
            return NULL;
        }
    }
    return "PT_DYNAMIC has no end";
}

static const char *read_dynamic(struct reading *reading, const GElf_Phdr *header)
{
    uint64_t each = reading->facts->elf_class == 64 ? sizeof(Elf64_Dyn) : sizeof(Elf32_Dyn);
    uint64_t room = header->p_filesz / each;
    if (reading->facts->has_dynamic)
        return "two PT_DYNAMIC";
    if (!range_is_inside(reading, header->p_offset, header->p_filesz))
        return "PT_DYNAMIC lies outside the file";
    if (room > MAX_DYNAMIC_ENTRIES)
        room = MAX_DYNAMIC_ENTRIES;
    Elf_Data *dynamic = elf_getdata_rawchunk(reading->elf, (int64_t)header->p_offset, (size_t)(room * each), ELF_T_DYN);
    if (!dynamic)
        return "PT_DYNAMIC cannot be read";
    size_t count = 0;
    struct text table;
    const char *why = count_dynamic(dynamic, (size_t)room, &count);
    if (!why)
        why = find_strings(reading, dynamic, count, &table);
    for (size_t i = 0; !why && i < count; i++) {
        GElf_Dyn entry;
        why = gelf_getdyn(dynamic, (int)i, &entry) ? read_dynamic_entry(reading, table, &entry)
                                                   : "PT_DYNAMIC cannot be read";
    }
    reading->facts->has_dynamic = !why;
    return why;
}

static const char *read_program_headers(struct reading *reading)
{
    GElf_Ehdr header;
    if (!gelf_getehdr(reading->elf, &header))
        return "its header cannot be read";
    reading->facts->machine = header.e_machine;
    reading->facts->type = header.e_type;
    reading->facts->flags = header.e_flags;
    reading->facts->os_abi = header.e_ident[EI_OSABI];
    uint64_t each = reading->facts->elf_class == 64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
    if (header.e_phnum == 0)
        return NULL; /* an object file */
    if (header.e_phnum == PN_XNUM)
        return "more than 65534 program headers";
    if (header.e_phentsize != each)
        return "its program headers have another size";
    if (!range_is_inside(reading, header.e_phoff, each * header.e_phnum))
        return "its program headers lie outside the file";
    reading->header_count = header.e_phnum;
    const char *why = NULL;
    for (size_t i = 0; !why && i < reading->header_count; i++) {
        GElf_Phdr program;
        if (!gelf_getphdr(reading->elf, (int)i, &program))
            why = "its program headers cannot be read";
        else if (program.p_filesz == 0 && (program.p_type == PT_INTERP || program.p_type == PT_DYNAMIC))
            continue; /* a separate debug file (objcopy --only-keep-debug): data, which nobody loads */
        else if (program.p_type == PT_INTERP)
            why = read_interp(reading, &program);
        else if (program.p_type == PT_DYNAMIC)
            why = read_dynamic(reading, &program);
    }
    return why;
}

void elf_read(struct arena *arena, struct text bytes, struct elf_facts *ret_facts)
{
    *ret_facts = (struct elf_facts){0};
    ret_facts->broken = check_header(bytes, ret_facts);
    if (ret_facts->broken)
        return;
    /* libelf wants a writable pointer but only reads: nothing here asks it for a change. */
    AUTO(auto_elf_end) Elf *elf = elf_memory((char *)(uintptr_t)bytes.ptr, bytes.len);
    if (!elf || elf_kind(elf) != ELF_K_ELF) {
        ret_facts->broken = "libelf does not know it";
        return;
    }
    struct reading reading = {.arena = arena, .bytes = bytes, .elf = elf, .facts = ret_facts};
    ret_facts->broken = read_program_headers(&reading);
}
