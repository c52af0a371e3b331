/* SPDX-License-Identifier: Apache-2.0 */
#include "rpm/rpm_stamp.h"

#include "base/auto.h"
#include "rpm/rpm_tags.h"

#include <endian.h>
#include <stdlib.h>

#define MAGIC_BYTES 8u
#define INDEX_BYTES 16u
#define BYTES_MAX ((size_t)256 << 20)

enum { TYPE_CHAR = 1, TYPE_INT32 = 4, TYPE_INT64 = 5, TYPE_STRING = 6, TYPE_BINARY = 7, TYPE_STRINGS = 8 };

/* Tags of the signature header, and what they are in the database. */
static const struct moved {
    uint32_t from, to, type, count; /* count 0: any */
} moved[] = {{1000, 257, TYPE_INT32, 1},  {1002, 259, TYPE_BINARY, 0}, {1004, 261, TYPE_BINARY, 16},
             {1005, 262, TYPE_BINARY, 0}, {1007, 1046, TYPE_INT32, 1}, {274, 5090, TYPE_STRINGS, 0},
             {275, 5091, TYPE_INT32, 1},  {276, 276, TYPE_STRINGS, 0}, {277, 277, TYPE_INT32, 1},
             {269, 269, TYPE_STRING, 1},  {273, 273, TYPE_STRING, 1},  {267, 267, TYPE_BINARY, 0},
             {268, 268, TYPE_BINARY, 0},  {270, 270, TYPE_INT64, 1},   {271, 271, TYPE_INT64, 1},
             {278, 278, TYPE_STRINGS, 0}, {279, 279, TYPE_STRING, 1}};

struct tags {
    struct rpm_tag *items;
    size_t count, capacity;
};

static const struct rpm_tag *find(const struct rpm_header *header, uint32_t tag)
{
    for (size_t i = 0; i < header->count; i++) {
        if (header->tags[i].tag == tag)
            return &header->tags[i];
    }
    return NULL;
}

static bool add_moved(struct arena *arena, const struct rpm_header *signature, const struct rpm_header *header,
                      struct tags *tags, struct err *err)
{
    for (size_t i = 0; i < ARRAY_COUNT(moved); i++) {
        const struct rpm_tag *found = find(signature, moved[i].from);
        if (!found || rpm_header_has(header, moved[i].to))
            continue;
        if (found->type != moved[i].type || (moved[i].count && found->count != moved[i].count)) {
            err_set(err, ERR_MALFORMED,
                    "not a valid RPM package: signature header: tag %u is of type %u with %u values", found->tag,
                    found->type, found->count);
            return false;
        }
        struct rpm_tag tag = *found;
        tag.tag = moved[i].to;
        list_add(arena, tags, tag);
    }
    return true;
}

static void add_number(struct arena *arena, struct tags *tags, uint32_t tag, uint32_t value)
{
    uint32_t big = htobe32(value);
    struct text bytes = {arena_strndup(arena, (const char *)&big, sizeof big), sizeof big};
    list_add(arena, tags, ((struct rpm_tag){tag, TYPE_INT32, 1, bytes}));
}

static void add_installed(struct arena *arena, const struct rpm_stamp *stamp, const struct rpm_header *header,
                          struct tags *tags)
{
    const struct rpm_tag *prefixes = find(header, RPM_TAG_PREFIXES);
    if (stamp->states.len)
        list_add(arena, tags,
                 ((struct rpm_tag){RPM_TAG_FILESTATES, TYPE_CHAR, (uint32_t)stamp->states.len, stamp->states}));
    if (prefixes && !rpm_header_has(header, RPM_TAG_INSTPREFIXES)) {
        struct rpm_tag same = *prefixes;
        same.tag = RPM_TAG_INSTPREFIXES;
        list_add(arena, tags, same);
    }
    add_number(arena, tags, RPM_TAG_INSTALLTID, stamp->transaction);
    add_number(arena, tags, RPM_TAG_INSTALLTIME, stamp->time);
    add_number(arena, tags, RPM_TAG_INSTALLCOLOR, stamp->color);
}

static int compare_tags(const void *a, const void *b)
{
    uint32_t left = ((const struct rpm_tag *)a)->tag, right = ((const struct rpm_tag *)b)->tag;
    return left < right ? -1 : left > right;
}

static uint32_t alignment_of(uint32_t type)
{
    return type == TYPE_INT32 ? 4 : type == TYPE_INT64 ? 8 : 1;
}

static bool put(struct buf *buf, const void *bytes, size_t len)
{
    return buf_add(buf, bytes, len);
}

static bool put_u32(struct buf *buf, uint32_t value)
{
    uint32_t big = htobe32(value);
    return put(buf, &big, sizeof big);
}

/* The main header as it is, and the further tags behind its region. */
static bool print(const struct rpm_stamp *stamp, const struct tags *tags, struct buf *index, struct buf *data)
{
    struct text main = {stamp->header.ptr + MAGIC_BYTES, stamp->header.len - MAGIC_BYTES};
    uint32_t count;
    memcpy(&count, main.ptr, sizeof count);
    count = be32toh(count);
    size_t index_len = (size_t)count * INDEX_BYTES;
    static const char zeros[8];
    bool is_good = put(data, main.ptr + 8 + index_len, main.len - 8 - index_len);
    struct text old = {main.ptr + 8, index_len};
    uint32_t all = count + (uint32_t)tags->count;
    struct buf more AUTO(buf_done);
    buf_init(&more, BYTES_MAX);
    for (size_t i = 0; is_good && i < tags->count; i++) {
        const struct rpm_tag *tag = &tags->items[i];
        size_t over = data->len % alignment_of(tag->type);
        is_good = (!over || put(data, zeros, alignment_of(tag->type) - over)) && put_u32(&more, tag->tag) &&
                  put_u32(&more, tag->type) && put_u32(&more, (uint32_t)data->len) && put_u32(&more, tag->count) &&
                  put(data, tag->bytes.ptr, tag->bytes.len);
    }
    return is_good && put_u32(index, all) && put_u32(index, (uint32_t)data->len) && put(index, old.ptr, old.len) &&
           put(index, more.bytes, more.len);
}

bool rpm_stamp_make(struct arena *arena, const struct rpm_stamp *stamp, struct text *ret_header, struct err *err)
{
    struct rpm_header signature, header;
    struct tags tags = {0};
    struct buf index AUTO(buf_done), data AUTO(buf_done);
    buf_init(&index, BYTES_MAX);
    buf_init(&data, BYTES_MAX);
    if (!rpm_header_read(arena, stamp->signature, RPM_HEADER_SIGNATURE, &signature, err) ||
        !rpm_header_read(arena, stamp->header, RPM_HEADER_MAIN, &header, err) ||
        !add_moved(arena, &signature, &header, &tags, err))
        return false;
    add_installed(arena, stamp, &header, &tags);
    qsort(tags.items, tags.count, sizeof *tags.items, compare_tags);
    if (!print(stamp, &tags, &index, &data) || !buf_add(&index, data.bytes, data.len)) {
        err_set(err, ERR_MALFORMED, "its header gets longer than %zu bytes when it is installed", BYTES_MAX);
        return false;
    }
    *ret_header = (struct text){arena_strndup(arena, index.bytes, index.len), index.len};
    return true;
}
