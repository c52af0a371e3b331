/* SPDX-License-Identifier: Apache-2.0 */
#include "rpm/rpm_header.h"

#include <endian.h>
#include <stdlib.h>

#define INTRO_BYTES 16u
#define INDEX_BYTES 16u
#define REGION_BYTES 16u
#define MAGIC_BYTES 8u
#define TAG_REGION_IMAGE 61u /* of keys, which rpm keeps as packages */
#define TAG_REGION_SIGNATURE 62u
#define TAG_REGION_MAIN 63u
#define TAG_FIRST 100u /* tags below it name regions only */

/* Types of data, by number. */
enum {
    TYPE_CHAR = 1,
    TYPE_INT8,
    TYPE_INT16,
    TYPE_INT32,
    TYPE_INT64,
    TYPE_STRING,
    TYPE_BINARY,
    TYPE_STRINGS,
    TYPE_I18N
};

/* An index entry as it is in the file. */
struct raw {
    uint32_t tag, type, offset, count;
};

/* The parts of a header, after their lengths were checked. `index_count` and `data` are those of the region. */
struct layout {
    const char *what, *index;
    uint32_t index_count, first; /* first: number of the first entry that is data */
    struct text data;
};

static uint32_t read_u32(const char *bytes)
{
    uint32_t value;
    memcpy(&value, bytes, sizeof value);
    return be32toh(value);
}

static struct raw read_raw(const char *bytes)
{
    return (struct raw){read_u32(bytes), read_u32(bytes + 4), read_u32(bytes + 8), read_u32(bytes + 12)};
}

static const char *kind_name(enum rpm_header_kind kind)
{
    static const char *const names[] = {[RPM_HEADER_SIGNATURE] = "signature header",
                                        [RPM_HEADER_MAIN] = "header",
                                        [RPM_HEADER_INSTALLED] = "header of an installed package"};
    return names[kind];
}

static bool fault(const char *what, const char *why, struct err *err)
{
    err_set(err, ERR_MALFORMED, "not a valid RPM package: %s: %s", what, why);
    return false;
}

static bool tag_fault(const char *what, const struct raw *raw, const char *why, struct err *err)
{
    err_set(err, ERR_MALFORMED, "not a valid RPM package: %s: tag %u (type %u, offset %u, count %u): %s", what,
            raw->tag, raw->type, raw->offset, raw->count, why);
    return false;
}

static uint32_t intro_bytes(enum rpm_header_kind kind)
{
    return kind == RPM_HEADER_INSTALLED ? INTRO_BYTES - MAGIC_BYTES : INTRO_BYTES;
}

bool rpm_header_measure(struct text bytes, enum rpm_header_kind kind, size_t *ret_len, struct err *err)
{
    static const char magic[MAGIC_BYTES] = {(char)0x8e, (char)0xad, (char)0xe8, 1, 0, 0, 0, 0};
    const char *what = kind_name(kind);
    uint32_t intro = intro_bytes(kind);
    if (bytes.len < intro)
        return fault(what, "the file ends inside it", err);
    if (kind != RPM_HEADER_INSTALLED && memcmp(bytes.ptr, magic, sizeof magic) != 0)
        return fault(what, "its magic number is wrong", err);
    uint32_t index_count = read_u32(bytes.ptr + intro - 8), data_bytes = read_u32(bytes.ptr + intro - 4);
    if (index_count == 0 || index_count > RPM_HEADER_MAX_TAGS || data_bytes > RPM_HEADER_MAX_BYTES) {
        err_set(err, ERR_MALFORMED, "not a valid RPM package: %s: says %u tags and %u bytes; the limits are %u and %u",
                what, index_count, data_bytes, RPM_HEADER_MAX_TAGS, RPM_HEADER_MAX_BYTES);
        return false;
    }
    uint64_t len = intro + (uint64_t)index_count * INDEX_BYTES + data_bytes;
    if (len > bytes.len)
        return fault(what, "it says more tags or bytes than the file has", err);
    *ret_len = (size_t)len;
    return true;
}

/* Narrows the layout to the region that the first entry names; of an installed package all counts. */
static bool take_region(struct layout *layout, const struct raw *region, enum rpm_header_kind kind, struct err *err)
{
    if (region->type != TYPE_BINARY || region->count != REGION_BYTES)
        return tag_fault(layout->what, region, "not a region", err);
    if (region->offset > layout->data.len || layout->data.len - region->offset < REGION_BYTES)
        return tag_fault(layout->what, region, "the region ends outside the data", err);
    struct raw trailer = read_raw(layout->data.ptr + region->offset);
    if (trailer.tag != region->tag || trailer.type != TYPE_BINARY || trailer.count != REGION_BYTES)
        return tag_fault(layout->what, region, "the region's end mark is wrong", err);
    /* The end mark's offset is negative: minus the bytes of the region's index entries. */
    int64_t span = -(int64_t)(int32_t)trailer.offset;
    if (span < INDEX_BYTES || span % INDEX_BYTES || span / INDEX_BYTES > layout->index_count)
        return tag_fault(layout->what, region, "the region covers more entries than there are, or none", err);
    uint32_t count = (uint32_t)(span / INDEX_BYTES);
    layout->first = 1;
    if (kind == RPM_HEADER_INSTALLED)
        return true;
    bool is_whole = count == layout->index_count && region->offset + REGION_BYTES == layout->data.len;
    if (region->tag == TAG_REGION_MAIN && !is_whole)
        return tag_fault(layout->what, region, "there are entries or bytes outside the signed region", err);
    layout->index_count = count;
    layout->data.len = region->offset;
    return true;
}

static bool lay_out(struct text bytes, enum rpm_header_kind kind, struct layout *ret_layout, struct err *err)
{
    uint32_t intro = intro_bytes(kind);
    size_t len;
    if (!rpm_header_measure(bytes, kind, &len, err))
        return false;
    if (len != bytes.len)
        return fault(kind_name(kind), "of another length than its counts say", err);
    struct layout layout = {
        .what = kind_name(kind), .index = bytes.ptr + intro, .index_count = read_u32(bytes.ptr + intro - 8)};
    size_t index_bytes = (size_t)layout.index_count * INDEX_BYTES;
    layout.data = (struct text){layout.index + index_bytes, len - intro - index_bytes};
    struct raw first = read_raw(layout.index);
    bool is_image = kind == RPM_HEADER_INSTALLED && first.tag == TAG_REGION_IMAGE;
    uint32_t region = kind == RPM_HEADER_SIGNATURE ? TAG_REGION_SIGNATURE : TAG_REGION_MAIN;
    if ((first.tag == region || is_image) && !take_region(&layout, &first, kind, err))
        return false;
    *ret_layout = layout;
    return true;
}

/* Bytes of one item of a type of fixed width, which is also its alignment; 0 for strings and unknown types. */
static uint32_t width_of(uint32_t type)
{
    static const uint32_t widths[] = {
        [TYPE_CHAR] = 1, [TYPE_INT8] = 1, [TYPE_INT16] = 2, [TYPE_INT32] = 4, [TYPE_INT64] = 8, [TYPE_BINARY] = 1};
    return type < ARRAY_COUNT(widths) ? widths[type] : 0;
}

static bool is_string(uint32_t type)
{
    return type == TYPE_STRING || type == TYPE_STRINGS || type == TYPE_I18N;
}

/* Measures `count` strings at the front of `room`; false when one does not end. */
static bool measure_strings(struct text room, uint32_t count, size_t *ret_len)
{
    size_t len = 0;
    for (uint32_t i = 0; i < count; i++) {
        const char *end = len < room.len ? memchr(room.ptr + len, '\0', room.len - len) : NULL;
        if (!end)
            return false;
        len = (size_t)(end - room.ptr) + 1;
    }
    *ret_len = len;
    return true;
}

/* Checks one entry; *end is where the data of the one before it ended. */
static bool take_tag(const struct layout *layout, const struct raw *raw, size_t *end, struct rpm_tag *ret_tag,
                     struct err *err)
{
    uint32_t width = width_of(raw->type);
    size_t len = 0;
    if (raw->tag < TAG_FIRST)
        return tag_fault(layout->what, raw, "a region where data should be", err);
    if (width == 0 && !is_string(raw->type))
        return tag_fault(layout->what, raw, "of unknown type", err);
    if (raw->count == 0 || (raw->type == TYPE_STRING && raw->count != 1))
        return tag_fault(layout->what, raw, "its count is wrong", err);
    if (raw->offset > layout->data.len)
        return tag_fault(layout->what, raw, "outside the data", err);
    if (raw->offset < *end)
        return tag_fault(layout->what, raw, "overlaps the entry before it", err);
    struct text room = {layout->data.ptr + raw->offset, layout->data.len - raw->offset};
    if (width) {
        uint64_t bytes = (uint64_t)raw->count * width;
        if (raw->offset % width)
            return tag_fault(layout->what, raw, "not aligned", err);
        if (bytes > room.len)
            return tag_fault(layout->what, raw, "longer than the data", err);
        len = (size_t)bytes;
    } else if (!measure_strings(room, raw->count, &len)) {
        return tag_fault(layout->what, raw, "a string without end", err);
    }
    *end = raw->offset + len;
    *ret_tag = (struct rpm_tag){.tag = raw->tag, .type = raw->type, .count = raw->count, .bytes = {room.ptr, len}};
    return true;
}

static int compare_tags(const void *a, const void *b)
{
    uint32_t left = ((const struct rpm_tag *)a)->tag, right = ((const struct rpm_tag *)b)->tag;
    return left < right ? -1 : left > right;
}

bool rpm_header_read(struct arena *arena, struct text bytes, enum rpm_header_kind kind, struct rpm_header *ret_header,
                     struct err *err)
{
    struct layout layout;
    size_t end = 0;
    if (!lay_out(bytes, kind, &layout, err))
        return false;
    struct rpm_header header = {.what = layout.what, .bytes = bytes, .count = layout.index_count - layout.first};
    header.tags = arena_new_array(arena, struct rpm_tag, header.count);
    for (size_t i = 0; i < header.count; i++) {
        struct raw raw = read_raw(layout.index + (layout.first + i) * INDEX_BYTES);
        if (!take_tag(&layout, &raw, &end, &header.tags[i], err))
            return false;
    }
    if (header.count)
        qsort(header.tags, header.count, sizeof *header.tags, compare_tags);
    for (size_t i = 1; i < header.count; i++) {
        if (header.tags[i - 1].tag == header.tags[i].tag) {
            err_set(err, ERR_MALFORMED, "not a valid RPM package: %s: tag %u is there twice", header.what,
                    header.tags[i].tag);
            return false;
        }
    }
    *ret_header = header;
    return true;
}

static const struct rpm_tag *find(const struct rpm_header *header, uint32_t tag)
{
    struct rpm_tag wanted = {.tag = tag};
    return header->count ? bsearch(&wanted, header->tags, header->count, sizeof wanted, compare_tags) : NULL;
}

static bool type_fault(const struct rpm_header *header, const struct rpm_tag *tag, const char *wanted, struct err *err)
{
    err_set(err, ERR_MALFORMED, "not a valid RPM package: %s: tag %u is of type %u, not %s", header->what, tag->tag,
            tag->type, wanted);
    return false;
}

bool rpm_header_has(const struct rpm_header *header, uint32_t tag)
{
    return find(header, tag) != NULL;
}

bool rpm_header_string(const struct rpm_header *header, uint32_t tag, const char **ret_string, struct err *err)
{
    const struct rpm_tag *found = find(header, tag);
    if (found && !is_string(found->type))
        return type_fault(header, found, "a string", err);
    *ret_string = found ? found->bytes.ptr : NULL;
    return true;
}

bool rpm_header_strings(struct arena *arena, const struct rpm_header *header, uint32_t tag, struct strings *ret_strings,
                        struct err *err)
{
    const struct rpm_tag *found = find(header, tag);
    *ret_strings = (struct strings){0};
    if (!found)
        return true;
    if (!is_string(found->type))
        return type_fault(header, found, "strings", err);
    const char **items = arena_new_array(arena, const char *, found->count);
    const char *at = found->bytes.ptr;
    for (uint32_t i = 0; i < found->count; i++) {
        items[i] = at;
        at += strlen(at) + 1;
    }
    *ret_strings = (struct strings){.items = items, .count = found->count, .capacity = found->count};
    return true;
}

static uint64_t number_at(const struct rpm_tag *tag, size_t index)
{
    uint32_t width = width_of(tag->type);
    uint64_t value = 0;
    for (uint32_t i = 0; i < width; i++)
        value = value << 8 | (unsigned char)tag->bytes.ptr[index * width + i];
    return value;
}

static bool is_number(const struct rpm_tag *tag)
{
    return tag->type >= TYPE_CHAR && tag->type <= TYPE_INT64;
}

bool rpm_header_numbers(struct arena *arena, const struct rpm_header *header, uint32_t tag,
                        struct rpm_numbers *ret_numbers, struct err *err)
{
    const struct rpm_tag *found = find(header, tag);
    *ret_numbers = (struct rpm_numbers){0};
    if (!found)
        return true;
    if (!is_number(found))
        return type_fault(header, found, "integers", err);
    uint64_t *items = arena_new_array(arena, uint64_t, found->count);
    for (size_t i = 0; i < found->count; i++)
        items[i] = number_at(found, i);
    *ret_numbers = (struct rpm_numbers){items, found->count};
    return true;
}

bool rpm_header_number(const struct rpm_header *header, uint32_t tag, uint64_t fallback, uint64_t *ret_number,
                       struct err *err)
{
    const struct rpm_tag *found = find(header, tag);
    if (found && !is_number(found))
        return type_fault(header, found, "an integer", err);
    *ret_number = found ? number_at(found, 0) : fallback;
    return true;
}

bool rpm_header_binary(const struct rpm_header *header, uint32_t tag, struct text *ret_bytes, struct err *err)
{
    const struct rpm_tag *found = find(header, tag);
    if (found && found->type != TYPE_BINARY)
        return type_fault(header, found, "bytes", err);
    *ret_bytes = found ? found->bytes : (struct text){0};
    return true;
}
