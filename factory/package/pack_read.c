/* SPDX-License-Identifier: Apache-2.0 */
#include "package/pack.h"
#include "source/format.h"

#include <endian.h>

#define HASH_STEP_BYTES ((size_t)4 << 20)
/* What is smaller is not worth a system call. */
#define REST_LEAST_BYTES ((size_t)128 << 10)

/* The tables as they lie in the mapping; records may be misaligned there, so they are copied out one by one. */
struct tables {
    struct arena *arena;
    struct pack_head head;
    const char *entries, *elfs, *needed, *scripts, *facts, *strings;
    uint32_t entry_count, elf_count, needed_count, script_count, fact_count, strings_bytes;
    uint64_t data_bytes; /* all contents lie before this offset */
    struct elf_facts *elf_facts;
    bool is_wrong; /* a string offset lay outside */
};

/* Returns a string of the mapping, or NULL for "none". Every string ends, because the last byte of the strings is NUL.
 */
static const char *string_at(struct tables *tables, uint32_t stored)
{
    uint32_t at = le32toh(stored);
    if (at == 0)
        return NULL;
    if (at >= tables->strings_bytes) {
        tables->is_wrong = true;
        return NULL;
    }
    return tables->strings + at;
}

/* Splits the tables' bytes into the tables; returns why it cannot, or NULL. */
static const char *split(struct tables *tables, struct text bytes)
{
    if (bytes.len < sizeof tables->head)
        return "tables too short";
    memcpy(&tables->head, bytes.ptr, sizeof tables->head);
    tables->entry_count = le32toh(tables->head.entry_count);
    tables->elf_count = le32toh(tables->head.elf_count);
    tables->needed_count = le32toh(tables->head.needed_count);
    tables->script_count = le32toh(tables->head.script_count);
    tables->fact_count = le32toh(tables->head.fact_count);
    tables->strings_bytes = le32toh(tables->head.strings_bytes);
    uint64_t entries_bytes = (uint64_t)tables->entry_count * sizeof(struct pack_entry);
    uint64_t elfs_bytes = (uint64_t)tables->elf_count * sizeof(struct pack_elf);
    uint64_t needed_bytes = (uint64_t)tables->needed_count * sizeof(uint32_t);
    uint64_t scripts_bytes = (uint64_t)tables->script_count * sizeof(struct pack_named);
    uint64_t facts_bytes = (uint64_t)tables->fact_count * sizeof(struct pack_named);
    if (sizeof tables->head + entries_bytes + elfs_bytes + needed_bytes + scripts_bytes + facts_bytes +
            tables->strings_bytes !=
        bytes.len)
        return "tables of another length";
    tables->entries = bytes.ptr + sizeof tables->head;
    tables->elfs = tables->entries + entries_bytes;
    tables->needed = tables->elfs + elfs_bytes;
    tables->scripts = tables->needed + needed_bytes;
    tables->facts = tables->scripts + scripts_bytes;
    tables->strings = tables->facts + facts_bytes;
    if (tables->strings_bytes == 0 || bytes.ptr[bytes.len - 1] != '\0')
        return "strings without end";
    return NULL;
}

/* Finds and checks the tables in the mapping. */
static const char *find_tables(struct tables *tables, struct text file)
{
    struct pack_trailer trailer;
    if (file.len < sizeof trailer)
        return "too short";
    memcpy(&trailer, file.ptr + file.len - sizeof trailer, sizeof trailer);
    if (memcmp(trailer.magic, PACK_MAGIC, PACK_MAGIC_BYTES) != 0)
        return "another format";
    uint64_t offset = le64toh(trailer.tables_offset), len = le64toh(trailer.tables_bytes);
    uint64_t room = file.len - sizeof trailer;
    if (offset > room || len != room - offset)
        return "tables elsewhere";
    struct digest digest = digest_of(file.ptr + offset, (size_t)len);
    if (!digest_eq(&digest, &trailer.tables_digest))
        return "tables with another digest";
    tables->data_bytes = offset;
    return split(tables, (struct text){file.ptr + offset, (size_t)len});
}

static const char *read_needed(struct tables *tables, const struct pack_elf *record, struct elf_facts *facts)
{
    uint32_t first = le32toh(record->needed_first), count = le32toh(record->needed_count);
    if (first > tables->needed_count || count > tables->needed_count - first)
        return "needed libraries outside their table";
    facts->needed.items = arena_new_array(tables->arena, const char *, count);
    facts->needed.count = facts->needed.capacity = count;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at;
        memcpy(&at, tables->needed + sizeof at * (first + i), sizeof at);
        facts->needed.items[i] = string_at(tables, at);
        if (!facts->needed.items[i])
            return "a needed library without name";
    }
    return NULL;
}

static const char *read_elfs(struct tables *tables)
{
    const char *why = NULL;
    tables->elf_facts = arena_new_array(tables->arena, struct elf_facts, tables->elf_count);
    for (uint32_t i = 0; !why && i < tables->elf_count; i++) {
        struct pack_elf record;
        memcpy(&record, tables->elfs + sizeof record * i, sizeof record);
        tables->elf_facts[i] = (struct elf_facts){
            .machine = le16toh(record.machine),
            .type = le16toh(record.type),
            .elf_class = record.elf_class,
            .is_big_endian = record.is_big_endian != 0,
            .has_dynamic = record.has_dynamic != 0,
            .has_nodeflib = record.has_nodeflib != 0,
            .is_pie = record.is_pie != 0,
            .os_abi = record.os_abi,
            .flags = le32toh(record.flags),
            .interp = string_at(tables, record.interp),
            .soname = string_at(tables, record.soname),
            .rpath = string_at(tables, record.rpath),
            .runpath = string_at(tables, record.runpath),
            .broken = string_at(tables, record.broken),
        };
        why = read_needed(tables, &record, &tables->elf_facts[i]);
    }
    return why;
}

/* Returns bytes of the strings. */
static struct text binary_at(struct tables *tables, uint32_t stored_at, uint32_t stored_len)
{
    uint32_t at = le32toh(stored_at), len = le32toh(stored_len);
    if (at > tables->strings_bytes || len > tables->strings_bytes - at) {
        tables->is_wrong = true;
        return (struct text){0};
    }
    return len ? (struct text){tables->strings + at, len} : (struct text){0};
}

static enum configuration configuration_of(uint32_t number)
{
    return number <= CONFIGURATION_MISSING_REPLACED ? (enum configuration)number : CONFIGURATION_NONE;
}

static const char *read_entry(struct tables *tables, const struct pack_entry *record, const char *file,
                              struct entry *entry)
{
    uint64_t size = le64toh(record->size_bytes), offset = le64toh(record->data_offset);
    uint32_t kind = le32toh(record->kind), elf = le32toh(record->elf);
    if (kind > ENTRY_HARDLINK)
        return "an entry of unknown kind";
    if (offset > tables->data_bytes || size > tables->data_bytes - offset)
        return "an entry's bytes outside the file";
    if (elf != PACK_NO_ELF && elf >= tables->elf_count)
        return "ELF facts outside their table";
    *entry = (struct entry){
        .path = string_at(tables, record->path),
        .kind = (enum entry_kind)kind,
        .mode = le32toh(record->mode),
        .uid = le32toh(record->uid),
        .gid = le32toh(record->gid),
        .mtime = (int64_t)le64toh((uint64_t)record->mtime),
        .size_bytes = size,
        .target = string_at(tables, record->target),
        .data = kind == ENTRY_FILE ? file + offset : NULL,
        .digest = record->digest,
        .elf = elf == PACK_NO_ELF ? NULL : &tables->elf_facts[elf],
        .interpreter = string_at(tables, record->interpreter),
        .owner = string_at(tables, record->owner),
        .group = string_at(tables, record->group),
        .capability = binary_at(tables, record->capability, record->capability_bytes),
        .is_documentation = record->is_documentation != 0,
        .configuration = configuration_of(le32toh(record->configuration)),
    };
    bool is_link = kind == ENTRY_SYMLINK || kind == ENTRY_HARDLINK;
    if (!entry->path || (is_link && !entry->target))
        return "an entry without path or target";
    if (!entry->owner != !entry->group)
        return "an entry with one of owner and group";
    return NULL;
}

static const char *read_entries(struct tables *tables, struct package *package)
{
    const char *why = NULL;
    package->count = tables->entry_count;
    package->entries = arena_new_array(tables->arena, struct entry, package->count);
    for (size_t i = 0; !why && i < package->count; i++) {
        struct pack_entry record;
        memcpy(&record, tables->entries + sizeof record * i, sizeof record);
        why = read_entry(tables, &record, package->view.ptr, &package->entries[i]);
        if (!why && i > 0 && strcmp(package->entries[i - 1].path, package->entries[i].path) >= 0)
            why = "entries out of order";
    }
    return why;
}

/* Reads the index-th of a table of pairs; false when it lacks one. */
static bool read_named(struct tables *tables, const char *table, size_t index, const char **ret_name,
                       const char **ret_text)
{
    struct pack_named record;
    memcpy(&record, table + sizeof record * index, sizeof record);
    *ret_name = string_at(tables, record.name);
    *ret_text = string_at(tables, record.text);
    return *ret_name && *ret_text;
}

static const char *read_scripts(struct tables *tables, struct package *package)
{
    package->scripts.items = arena_new_array(tables->arena, struct package_script, tables->script_count);
    package->scripts.count = package->scripts.capacity = tables->script_count;
    for (size_t i = 0; i < package->scripts.count; i++) {
        struct package_script *script = &package->scripts.items[i];
        if (!read_named(tables, tables->scripts, i, &script->name, &script->text))
            return "a script without name or text";
    }
    return NULL;
}

static const char *read_facts(struct tables *tables, struct package *package)
{
    package->facts.items = arena_new_array(tables->arena, struct package_fact, tables->fact_count);
    package->facts.count = package->facts.capacity = tables->fact_count;
    for (size_t i = 0; i < package->facts.count; i++) {
        struct package_fact *fact = &package->facts.items[i];
        if (!read_named(tables, tables->facts, i, &fact->name, &fact->text))
            return "a fact without name or text";
    }
    return NULL;
}

/* Hashes part of the file; what was hashed does not stay in memory. */
static struct digest digest_of_part(const struct view *view, uint64_t offset, uint64_t len)
{
    struct digest_stream stream;
    digest_begin(&stream);
    while (len) {
        size_t step = len < HASH_STEP_BYTES ? (size_t)len : HASH_STEP_BYTES;
        digest_feed(&stream, (const char *)view->ptr + offset, step);
        if (step >= REST_LEAST_BYTES)
            view_give_back_part(view, (size_t)offset, step);
        offset += step;
        len -= step;
    }
    return digest_end(&stream);
}

static bool are_contents_right(const struct tables *tables, const struct view *view)
{
    for (uint32_t i = 0; i < tables->entry_count; i++) {
        struct pack_entry record;
        memcpy(&record, tables->entries + sizeof record * i, sizeof record);
        uint64_t size = le64toh(record.size_bytes), offset = le64toh(record.data_offset);
        if (le32toh(record.kind) != ENTRY_FILE || !size) /* devices of a base are files without bytes */
            continue;
        if (offset > tables->data_bytes || size > tables->data_bytes - offset)
            return false;
        struct digest got = digest_of_part(view, offset, size);
        if (!digest_eq(&got, &record.digest))
            return false;
    }
    return true;
}

bool pack_is_right(const struct view *view, const struct digest *digest)
{
    struct tables tables = {0};
    if (find_tables(&tables, (struct text){view->ptr, view->len}))
        return false;
    struct digest got = digest_of_part(view, tables.data_bytes, view->len - tables.data_bytes);
    if (digest_eq(&got, digest))
        return are_contents_right(&tables, view);
    got = digest_of_part(view, 0, view->len);
    return digest_eq(&got, digest);
}

static void read_head(struct tables *tables, struct package *package)
{
    const struct pack_head *head = &tables->head;
    package->digest = head->package;
    package->build_time = (int64_t)le64toh((uint64_t)head->build_time);
    package->name = string_at(tables, head->name);
    package->version = string_at(tables, head->version);
    package->architecture = string_at(tables, head->architecture);
    package->provides_files_replaced = string_at(tables, head->replaces);
}

/* Returns what a package must have and this one has not, or NULL. */
static const char *check_head(struct tables *tables, const struct package *package)
{
    const char *format = string_at(tables, tables->head.format);
    if (!format || strcmp(format, package->format->name) != 0)
        return "a package of another format";
    if (!package->name || !package->version || !package->architecture)
        return "a package without name, version or architecture";
    return package->format->package_fault(package);
}

const char *pack_read_tables(struct package *package)
{
    struct tables tables = {.arena = &package->arena};
    const char *why = find_tables(&tables, (struct text){package->view.ptr, package->view.len});
    if (!why)
        why = read_elfs(&tables);
    if (!why)
        why = read_entries(&tables, package);
    if (!why)
        why = read_scripts(&tables, package);
    if (!why)
        why = read_facts(&tables, package);
    if (why)
        return why;
    read_head(&tables, package);
    why = check_head(&tables, package);
    return tables.is_wrong ? "a string outside its table" : why;
}
