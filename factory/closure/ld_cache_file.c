/* SPDX-License-Identifier: Apache-2.0 */
/* The file /etc/ld.so.cache: struct cache_file_new of glibc's sysdeps/generic/dl-cache.h. */
#include "base/auto.h"
#include "closure/ld_cache.h"

#include <stdlib.h>

#define MAGIC "glibc-ld.so.cache1.1"
#define OLD_MAGIC "ld.so-1.7.0"
#define HEADER_BYTES 48
#define ENTRY_BYTES 24
#define OLD_HEADER_BYTES 16
#define OLD_ENTRY_BYTES 12
#define ENDIAN_LITTLE 2
#define ENDIAN_BIG 3
#define ENDIAN_MASK 3
#define EXTENSION_MAGIC 0xeaa42174u /* (uint32_t)-358342284 */
#define TAG_GENERATOR 0
#define TAG_HWCAPS 1
#define SECTION_BYTES 16
#define SECTIONS_MAX 100
#define HWCAP_EXTENSION (UINT64_C(1) << 62)
#define HWCAP_ISA_MASK UINT64_C(0x3ff) /* in the upper 32 bits */
#define CACHE_MAX_BYTES ((size_t)64 << 20)
#define STRING_MAX_BYTES 4096

/* A string of the table. */
struct cached_string {
    struct text text;
    uint32_t offset;
};

struct writing {
    struct arena *arena;
    bool is_big_endian;
    struct map strings;    /* text → struct cached_string */
    struct strings hwcaps; /* names in use, sorted */
    struct buf out;
};

static struct cached_string *find_string(const struct writing *writing, const char *string)
{
    return map_get(&writing->strings, text_of(string));
}

static void intern(struct writing *writing, const char *string)
{
    if (find_string(writing, string))
        return;
    struct cached_string *added = arena_new(writing->arena, struct cached_string);
    added->text = text_of(string);
    (void)map_add(&writing->strings, added->text, added);
}

/* Order of elf/stringtable.c: falling by the reversed strings, longer ones first, so that a string which is the end of
 * another follows it. */
static int compare_ends(const void *a, const void *b)
{
    struct text left = (*(const struct cached_string *const *)a)->text;
    struct text right = (*(const struct cached_string *const *)b)->text;
    size_t common = left.len < right.len ? left.len : right.len;
    for (size_t i = 1; i <= common; i++) {
        unsigned char x = (unsigned char)left.ptr[left.len - i], y = (unsigned char)right.ptr[right.len - i];
        if (x != y)
            return y - x;
    }
    return left.len < right.len ? 1 : -(left.len > right.len);
}

/* Places the strings, which share their ends, in the table; returns its size. */
static uint32_t place_strings(struct writing *writing, struct buf *table)
{
    size_t count = writing->strings.slots.count;
    struct cached_string **sorted = arena_new_array(writing->arena, struct cached_string *, count);
    for (size_t i = 0; i < count; i++)
        sorted[i] = writing->strings.slots.items[i].value;
    if (count)
        qsort(sorted, count, sizeof(struct cached_string *), compare_ends);
    for (size_t i = 0; i < count; i++) {
        const struct cached_string *before = i ? sorted[i - 1] : NULL;
        struct text text = sorted[i]->text;
        if (before && before->text.len >= text.len &&
            memcmp(before->text.ptr + before->text.len - text.len, text.ptr, text.len) == 0) {
            sorted[i]->offset = before->offset + (uint32_t)(before->text.len - text.len);
            continue;
        }
        sorted[i]->offset = (uint32_t)table->len;
        if (!buf_add(table, text.ptr, text.len + 1)) /* with its NUL */
            memory_abort(table->len + text.len);
    }
    return (uint32_t)table->len;
}

static void add_bytes(struct writing *writing, const void *bytes, size_t len)
{
    if (!buf_add(&writing->out, bytes, len))
        memory_abort(writing->out.len + len);
}

static void add_number(struct writing *writing, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        unsigned shift = 8 * (writing->is_big_endian ? bytes - 1 - i : i);
        unsigned char byte = (unsigned char)(value >> shift);
        add_bytes(writing, &byte, 1);
    }
}

static int compare_strings(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void intern_all(struct writing *writing, const struct ld_cache *cache)
{
    for (size_t i = 0; i < cache->count; i++) {
        const struct ld_cache_entry *entry = &cache->items[i];
        intern(writing, entry->name);
        intern(writing, entry->path);
        if (entry->hwcap && !strings_has(&writing->hwcaps, entry->hwcap)) {
            intern(writing, entry->hwcap);
            list_add(writing->arena, &writing->hwcaps, entry->hwcap);
        }
    }
    if (writing->hwcaps.count)
        qsort(writing->hwcaps.items, writing->hwcaps.count, sizeof(writing->hwcaps.items[0]), compare_strings);
}

static uint64_t hwcap_of(const struct writing *writing, const char *hwcap)
{
    uint64_t number = 0;
    if (!hwcap)
        return 0;
    while (strcmp(writing->hwcaps.items[number], hwcap) != 0)
        number++;
    return HWCAP_EXTENSION | number;
}

static void add_section(struct writing *writing, uint32_t tag, size_t offset, size_t len)
{
    add_number(writing, tag, 4);
    add_number(writing, 0, 4);
    add_number(writing, offset, 4);
    add_number(writing, len, 4);
}

/* The extension directory behind the strings: write_extensions(). */
static void add_extensions(struct writing *writing, uint32_t strings_at, const char *generator)
{
    size_t hwcap_count = writing->hwcaps.count, section_count = hwcap_count ? 2 : 1;
    size_t hwcaps_at = writing->out.len + 8 + SECTION_BYTES * section_count;
    add_number(writing, EXTENSION_MAGIC, 4);
    add_number(writing, section_count, 4);
    add_section(writing, TAG_GENERATOR, hwcaps_at + 4 * hwcap_count, strlen(generator));
    if (hwcap_count)
        add_section(writing, TAG_HWCAPS, hwcaps_at, 4 * hwcap_count);
    for (size_t i = 0; i < hwcap_count; i++)
        add_number(writing, strings_at + find_string(writing, writing->hwcaps.items[i])->offset, 4);
    add_bytes(writing, generator, strlen(generator));
}

/* Adds up what the file takes at most. */
static bool check_size(const struct ld_cache *cache, const char *generator, struct err *err)
{
    uint64_t bytes = HEADER_BYTES + strlen(generator) + 64;
    for (size_t i = 0; i < cache->count; i++) {
        const struct ld_cache_entry *entry = &cache->items[i];
        size_t hwcap_len = entry->hwcap ? strlen(entry->hwcap) + 5 : 0;
        bytes += ENTRY_BYTES + strlen(entry->name) + 1 + strlen(entry->path) + 1 + hwcap_len;
    }
    if (bytes <= CACHE_MAX_BYTES)
        return true;
    err_set(err, ERR_MALFORMED, "%s: %zu libraries make it larger than %u MiB", LD_CACHE_PATH, cache->count,
            (unsigned)(CACHE_MAX_BYTES >> 20));
    return false;
}

static void write_file(struct writing *writing, const struct ld_cache *cache, const char *generator)
{
    static const char zeros[16];
    struct buf table AUTO(buf_done);
    buf_init(&table, CACHE_MAX_BYTES);
    intern_all(writing, cache);
    uint32_t table_bytes = place_strings(writing, &table);
    uint32_t strings_at = (uint32_t)(HEADER_BYTES + ENTRY_BYTES * cache->count);
    uint32_t extension_at = (strings_at + table_bytes + 3) / 4 * 4;
    add_bytes(writing, MAGIC, strlen(MAGIC));
    add_number(writing, cache->count, 4);
    add_number(writing, table_bytes, 4);
    add_number(writing, writing->is_big_endian ? ENDIAN_BIG : ENDIAN_LITTLE, 1);
    add_bytes(writing, zeros, 3);
    add_number(writing, extension_at, 4);
    add_bytes(writing, zeros, 12);
    for (size_t i = 0; i < cache->count; i++) {
        const struct ld_cache_entry *entry = &cache->items[i];
        add_number(writing, entry->flags, 4);
        add_number(writing, strings_at + find_string(writing, entry->name)->offset, 4);
        add_number(writing, strings_at + find_string(writing, entry->path)->offset, 4);
        add_number(writing, 0, 4); /* required OS version: unused */
        add_number(writing, hwcap_of(writing, entry->hwcap), 8);
    }
    if (table_bytes)
        add_bytes(writing, table.bytes, table_bytes);
    add_bytes(writing, zeros, extension_at - writing->out.len);
    add_extensions(writing, strings_at, generator);
}

bool ld_cache_write(struct arena *arena, const struct ld_cache *cache, const struct arch *arch, const char *generator,
                    struct text *ret_bytes, struct err *err)
{
    struct writing writing = {.arena = arena, .is_big_endian = arch->is_big_endian, .strings = {.arena = arena}};
    if (!check_size(cache, generator, err))
        return false;
    buf_init(&writing.out, CACHE_MAX_BYTES);
    write_file(&writing, cache, generator);
    *ret_bytes = (struct text){arena_strndup(arena, writing.out.bytes, writing.out.len), writing.out.len};
    buf_done(&writing.out);
    return true;
}

struct reading {
    struct text bytes; /* from the magic on: what offsets count from */
    bool is_big_endian;
    struct text hwcaps; /* the section, or empty */
};

/* Reads a number at an offset that was checked. */
static uint64_t number_at(const struct reading *reading, size_t offset, unsigned bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes; i++) {
        unsigned at = reading->is_big_endian ? i : bytes - 1 - i;
        value = value << 8 | (unsigned char)reading->bytes.ptr[offset + at];
    }
    return value;
}

/* Returns the string, in place; NULL when it has no end inside the file. */
static const char *string_at(const struct reading *reading, uint64_t offset)
{
    if (offset >= reading->bytes.len)
        return NULL;
    size_t room = reading->bytes.len - (size_t)offset;
    const char *at = reading->bytes.ptr + offset;
    return memchr(at, '\0', room < STRING_MAX_BYTES ? room : STRING_MAX_BYTES) ? at : NULL;
}

/* Finds the section of hwcaps names; what is not there or wrong leaves it empty: such entries are then not usable. */
static void find_hwcaps(struct reading *reading)
{
    size_t len = reading->bytes.len, at = (size_t)number_at(reading, 32, 4);
    if (!at || at % 4 || at > len || len - at < 8 || number_at(reading, at, 4) != EXTENSION_MAGIC)
        return;
    uint64_t count = number_at(reading, at + 4, 4);
    for (uint64_t i = 0; i < count && i < SECTIONS_MAX; i++) {
        size_t section = at + 8 + SECTION_BYTES * (size_t)i;
        if (section > len || len - section < SECTION_BYTES)
            return;
        uint64_t offset = number_at(reading, section + 8, 4), size = number_at(reading, section + 12, 4);
        if (number_at(reading, section, 4) == TAG_HWCAPS && offset <= len && size <= len - offset)
            reading->hwcaps = (struct text){reading->bytes.ptr + offset, (size_t)size};
    }
}

/* Reads one entry; *ret_is_usable false when the loader passes it over. Returns false when it lies. */
static bool read_entry(const struct reading *reading, size_t at, struct ld_cache_entry *ret_entry, bool *ret_is_usable)
{
    uint64_t hwcap = number_at(reading, at + 16, 8), number = hwcap & UINT32_MAX;
    *ret_entry = (struct ld_cache_entry){.flags = (uint32_t)number_at(reading, at, 4),
                                         .name = string_at(reading, number_at(reading, at + 4, 4)),
                                         .path = string_at(reading, number_at(reading, at + 8, 4))};
    *ret_is_usable = true;
    if (!ret_entry->name || !ret_entry->path)
        return false;
    if (!hwcap)
        return true;
    *ret_is_usable = ((hwcap >> 32) & ~HWCAP_ISA_MASK) == HWCAP_EXTENSION >> 32 && number < reading->hwcaps.len / 4;
    if (!*ret_is_usable)
        return true; /* from before glibc-hwcaps, or without its name */
    size_t name_at = (size_t)(reading->hwcaps.ptr - reading->bytes.ptr) + 4 * (size_t)number;
    ret_entry->hwcap = string_at(reading, number_at(reading, name_at, 4));
    return ret_entry->hwcap != NULL;
}

/* Finds the format of today, which may hide behind the one of before glibc 2.2. */
static struct text find_format(struct text bytes, bool is_big_endian)
{
    if (bytes.len < OLD_HEADER_BYTES || !text_has_prefix(bytes, OLD_MAGIC))
        return bytes;
    struct reading reading = {.bytes = bytes, .is_big_endian = is_big_endian};
    uint64_t skip = OLD_HEADER_BYTES + OLD_ENTRY_BYTES * number_at(&reading, 12, 4);
    skip = (skip + 7) / 8 * 8;
    return skip <= bytes.len ? (struct text){bytes.ptr + skip, bytes.len - (size_t)skip} : (struct text){0};
}

bool ld_cache_read(struct arena *arena, struct text bytes, const struct arch *arch, struct ld_cache *ret_cache,
                   struct err *err)
{
    struct reading reading = {.bytes = find_format(bytes, arch->is_big_endian), .is_big_endian = arch->is_big_endian};
    *ret_cache = (struct ld_cache){0};
    if (reading.bytes.len < HEADER_BYTES || !text_has_prefix(reading.bytes, MAGIC))
        return true;
    unsigned flags = (unsigned)number_at(&reading, 28, 1);
    if (flags && (flags & ENDIAN_MASK) != (arch->is_big_endian ? ENDIAN_BIG : ENDIAN_LITTLE))
        return true;
    uint64_t count = number_at(&reading, 20, 4);
    if (count > (reading.bytes.len - HEADER_BYTES) / ENTRY_BYTES) {
        err_set(err, ERR_MALFORMED, "its %llu entries do not fit into its %zu bytes", (unsigned long long)count,
                reading.bytes.len);
        return false;
    }
    find_hwcaps(&reading);
    for (uint64_t i = 0; i < count; i++) {
        struct ld_cache_entry entry;
        bool is_usable;
        if (!read_entry(&reading, HEADER_BYTES + ENTRY_BYTES * (size_t)i, &entry, &is_usable)) {
            err_set(err, ERR_MALFORMED, "entry %llu names a string outside the file", (unsigned long long)i);
            return false;
        }
        if (is_usable)
            list_add(arena, ret_cache, entry);
    }
    return true;
}
