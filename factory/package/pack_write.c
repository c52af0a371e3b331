/* SPDX-License-Identifier: Apache-2.0 */
#include "base/auto.h"
#include "base/map.h"
#include "package/pack.h"
#include "source/format.h"

#include <endian.h>

_Static_assert(sizeof(struct pack_head) == 88, "no padding");
_Static_assert(sizeof(struct pack_entry) == 112, "no padding");
_Static_assert(sizeof(struct pack_elf) == 44, "no padding");
_Static_assert(sizeof(struct pack_named) == 8, "no padding");
_Static_assert(sizeof(struct pack_trailer) == 64, "no padding");

/* The tables while they grow. Strings that repeat (sonames, owners) are kept once. */
struct tables {
    struct buf entries, elfs, needed, scripts, facts, strings;
    struct map seen;
    struct arena arena;
    uint32_t elf_count, needed_count;
    bool is_full; /* a string did not fit any more */
};

static void tables_done(struct tables *tables)
{
    buf_done(&tables->entries);
    buf_done(&tables->elfs);
    buf_done(&tables->needed);
    buf_done(&tables->scripts);
    buf_done(&tables->facts);
    buf_done(&tables->strings);
    arena_done(&tables->arena);
}

static void tables_init(struct tables *tables)
{
    *tables = (struct tables){0};
    buf_init(&tables->entries, UINT32_MAX);
    buf_init(&tables->elfs, UINT32_MAX);
    buf_init(&tables->needed, UINT32_MAX);
    buf_init(&tables->scripts, UINT32_MAX);
    buf_init(&tables->facts, UINT32_MAX);
    buf_init(&tables->strings, UINT32_MAX);
    tables->seen.arena = &tables->arena;
    tables->is_full = !buf_add(&tables->strings, "", 1);
}

static void add_bytes(struct tables *tables, struct buf *buf, const void *bytes, size_t len)
{
    if (!buf_add(buf, bytes, len))
        tables->is_full = true;
}

/* Adds a string without looking for an equal one; returns its offset, already little endian. */
static uint32_t add_string(struct tables *tables, const char *string)
{
    if (!string)
        return 0;
    uint32_t at = (uint32_t)tables->strings.len;
    add_bytes(tables, &tables->strings, string, strlen(string) + 1);
    return htole32(at);
}

/* Adds a string that is likely to come again. */
static uint32_t add_common_string(struct tables *tables, const char *string)
{
    if (!string)
        return 0;
    void *known = map_get(&tables->seen, text_of(string));
    if (known)
        return (uint32_t)(uintptr_t)known;
    uint32_t at = add_string(tables, string);
    map_set(&tables->seen, text_of(string), (void *)(uintptr_t)at);
    return at;
}

/* Adds bytes that may have zeros among them. */
static uint32_t add_binary(struct tables *tables, struct text bytes)
{
    if (!bytes.len)
        return 0;
    uint32_t at = (uint32_t)tables->strings.len;
    add_bytes(tables, &tables->strings, bytes.ptr, bytes.len);
    add_bytes(tables, &tables->strings, "", 1);
    return htole32(at);
}

/* Adds the ELF facts; returns their number, already little endian. */
static uint32_t add_elf(struct tables *tables, const struct elf_facts *facts)
{
    if (!facts)
        return htole32(PACK_NO_ELF);
    struct pack_elf record = {
        .machine = htole16(facts->machine),
        .type = htole16(facts->type),
        .elf_class = facts->elf_class,
        .is_big_endian = facts->is_big_endian,
        .has_dynamic = facts->has_dynamic,
        .has_nodeflib = facts->has_nodeflib,
        .is_pie = facts->is_pie,
        .os_abi = facts->os_abi,
        .flags = htole32(facts->flags),
        .interp = add_common_string(tables, facts->interp),
        .soname = add_common_string(tables, facts->soname),
        .rpath = add_common_string(tables, facts->rpath),
        .runpath = add_common_string(tables, facts->runpath),
        .broken = add_common_string(tables, facts->broken),
        .needed_first = htole32(tables->needed_count),
        .needed_count = htole32((uint32_t)facts->needed.count),
    };
    for (size_t i = 0; i < facts->needed.count; i++) {
        uint32_t at = add_common_string(tables, facts->needed.items[i]);
        add_bytes(tables, &tables->needed, &at, sizeof at);
    }
    tables->needed_count += (uint32_t)facts->needed.count;
    add_bytes(tables, &tables->elfs, &record, sizeof record);
    return htole32(tables->elf_count++);
}

static void add_entry(struct tables *tables, const struct entry *entry, uint64_t data_offset)
{
    struct pack_entry record = {
        .size_bytes = htole64(entry->size_bytes),
        .data_offset = htole64(data_offset),
        .mtime = (int64_t)htole64((uint64_t)entry->mtime),
        .path = add_string(tables, entry->path),
        .target = add_string(tables, entry->target),
        .interpreter = add_common_string(tables, entry->interpreter),
        .owner = add_common_string(tables, entry->owner),
        .group = add_common_string(tables, entry->group),
        .capability = add_binary(tables, entry->capability),
        .capability_bytes = htole32((uint32_t)entry->capability.len),
        .elf = add_elf(tables, entry->elf),
        .kind = htole32((uint32_t)entry->kind),
        .mode = htole32(entry->mode),
        .uid = htole32(entry->uid),
        .gid = htole32(entry->gid),
        .is_documentation = htole32(entry->is_documentation),
        .configuration = htole32((uint32_t)entry->configuration),
        .digest = entry->digest,
    };
    add_bytes(tables, &tables->entries, &record, sizeof record);
}

static void add_named(struct tables *tables, struct buf *records, const char *name, const char *text)
{
    struct pack_named record = {.name = add_common_string(tables, name), .text = add_string(tables, text)};
    add_bytes(tables, records, &record, sizeof record);
}

static void add_scripts_and_facts(struct tables *tables, const struct package *package)
{
    for (size_t i = 0; i < package->scripts.count; i++)
        add_named(tables, &tables->scripts, package->scripts.items[i].name, package->scripts.items[i].text);
    for (size_t i = 0; i < package->facts.count; i++)
        add_named(tables, &tables->facts, package->facts.items[i].name, package->facts.items[i].text);
}

static struct pack_head make_head(struct tables *tables, const struct package *package)
{
    return (struct pack_head){
        .package = package->digest,
        .build_time = (int64_t)htole64((uint64_t)package->build_time),
        .format = add_string(tables, package->format->name),
        .name = add_string(tables, package->name),
        .version = add_string(tables, package->version),
        .architecture = add_string(tables, package->architecture),
        .replaces = add_string(tables, package->provides_files_replaced),
        .entry_count = htole32((uint32_t)package->count),
        .elf_count = htole32(tables->elf_count),
        .needed_count = htole32(tables->needed_count),
        .script_count = htole32((uint32_t)package->scripts.count),
        .fact_count = htole32((uint32_t)package->facts.count),
    };
}

bool pack_align(struct blob *blob, struct err *err)
{
    static const char zeros[PACK_ALIGN];
    size_t over = (size_t)(blob->len % PACK_ALIGN);
    return over == 0 || blob_write(blob, zeros, PACK_ALIGN - over, err);
}

static bool write_all(struct blob *blob, const struct tables *tables, const struct pack_head *head, struct err *err)
{
    const struct text parts[] = {
        {(const char *)head, sizeof *head},           {tables->entries.bytes, tables->entries.len},
        {tables->elfs.bytes, tables->elfs.len},       {tables->needed.bytes, tables->needed.len},
        {tables->scripts.bytes, tables->scripts.len}, {tables->facts.bytes, tables->facts.len},
        {tables->strings.bytes, tables->strings.len},
    };
    AUTO(digest_abandon) struct digest_stream stream = {0};
    struct pack_trailer trailer = {.magic = {0}};
    memcpy(trailer.magic, PACK_MAGIC, PACK_MAGIC_BYTES);
    trailer.tables_offset = htole64(blob->len);
    uint64_t start = blob->len;
    digest_begin(&stream);
    for (size_t i = 0; i < ARRAY_COUNT(parts); i++) {
        digest_feed(&stream, parts[i].ptr, parts[i].len);
        if (parts[i].len && !blob_write(blob, parts[i].ptr, parts[i].len, err))
            return false;
    }
    trailer.tables_bytes = htole64(blob->len - start);
    trailer.tables_digest = digest_end(&stream);
    return blob_write(blob, &trailer, sizeof trailer, err);
}

bool pack_write_tables(struct blob *blob, const struct package *package, const uint64_t *data_offsets, struct err *err)
{
    AUTO(tables_done) struct tables tables;
    tables_init(&tables);
    for (size_t i = 0; i < package->count; i++)
        add_entry(&tables, &package->entries[i], data_offsets[i]);
    add_scripts_and_facts(&tables, package);
    struct pack_head head = make_head(&tables, package);
    head.strings_bytes = htole32((uint32_t)tables.strings.len);
    if (tables.is_full) {
        err_set(err, ERR_MALFORMED, "package %s has more than 4 GiB of names", package->name);
        return false;
    }
    if (!pack_align(blob, err))
        return false;
    blob->is_apart = false;
    return write_all(blob, &tables, &head, err);
}
