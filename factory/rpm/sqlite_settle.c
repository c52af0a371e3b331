/* SPDX-License-Identifier: Apache-2.0 */
#include "rpm/sqlite_settle.h"

#include "base/auto.h"

#define PAGE SQLITE_SETTLE_PAGE_BYTES
#define DEPTH_MAX 20u /* SQLite's own */
#define FIRST_BYTES 100u
#define CELL_MIN_BYTES 4u

enum page_kind { INDEX_INTERIOR = 2, TABLE_INTERIOR = 5, INDEX_LEAF = 10, TABLE_LEAF = 13 };
enum { AT_CHANGES = 24, AT_VALID_FOR = 92, AT_SQLITE = 96 };

struct settling {
    unsigned char *bytes;
    size_t page_count, pages_left; /* each page once */
    struct err *err;
};

static bool strange(const struct settling *settling)
{
    err_set(settling->err, ERR_LOCAL, "rpmdb.sqlite cannot be made: libsqlite3 lays it out in a way that is not known");
    return false;
}

static uint32_t read_u16(const unsigned char *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

static uint32_t read_u32(const unsigned char *at)
{
    return read_u16(at) << 16 | read_u16(at + 2);
}

/* Reads a number of up to nine bytes; returns its length, 0 when it does not end in the page. */
static size_t read_varint(const unsigned char *page, size_t at, uint64_t *ret_value)
{
    uint64_t value = 0;
    for (size_t i = 0; i < 9 && at + i < PAGE; i++) {
        unsigned char byte = page[at + i];
        value = i == 8 ? value << 8 | byte : value << 7 | (byte & 0x7F);
        if (i == 8 || !(byte & 0x80)) {
            *ret_value = value;
            return i + 1;
        }
    }
    return 0;
}

/* Bytes of a payload that are on the page, with the number of the page that the rest is on. */
static size_t local_bytes(enum page_kind kind, uint64_t payload)
{
    uint64_t most = kind == TABLE_LEAF ? PAGE - 35 : (PAGE - 12) * 64 / 255 - 23, least = (PAGE - 12) * 32 / 255 - 23;
    if (payload <= most)
        return (size_t)payload;
    uint64_t local = least + (payload - least) % (PAGE - 4);
    return (size_t)(local <= most ? local : least) + 4;
}

/* Returns the length of a cell; 0 when it is not in the page. */
static size_t measure_cell(enum page_kind kind, const unsigned char *page, size_t at)
{
    uint64_t payload = 0, row;
    size_t len = kind == INDEX_INTERIOR || kind == TABLE_INTERIOR ? 4 : 0, step;
    if (kind != TABLE_INTERIOR) {
        if (!(step = read_varint(page, at + len, &payload)))
            return 0;
        len += step;
    }
    if (kind == TABLE_INTERIOR || kind == TABLE_LEAF) {
        if (!(step = read_varint(page, at + len, &row)))
            return 0;
        len += step;
    }
    len += kind == TABLE_INTERIOR ? 0 : local_bytes(kind, payload);
    if (len < CELL_MIN_BYTES)
        len = CELL_MIN_BYTES;
    return len <= PAGE - at ? len : 0;
}

/* Marks the cells, and what of free blocks is read: where the next one is, and how long this one. */
static bool mark_page(enum page_kind kind, const unsigned char *page, size_t head, bool used[PAGE])
{
    size_t cells = read_u16(page + head + 3),
           first = head + (kind == INDEX_INTERIOR || kind == TABLE_INTERIOR ? 12 : 8);
    if (first + 2 * cells > PAGE)
        return false;
    memset(used, 1, first + 2 * cells);
    for (size_t i = 0; i < cells; i++) {
        size_t at = read_u16(page + first + 2 * i);
        size_t len = at >= first && at < PAGE ? measure_cell(kind, page, at) : 0;
        if (!len)
            return false;
        memset(used + at, 1, len);
    }
    for (size_t at = read_u16(page + head + 1), next; at; at = next) {
        next = at + 4 <= PAGE ? read_u16(page + at) : at;
        if (at < first || at + 4 > PAGE || (next && next <= at))
            return false;
        memset(used + at, 1, 4);
    }
    return true;
}

static bool settle_page(struct settling *settling, uint32_t number, unsigned depth);

static bool settle_below(struct settling *settling, const unsigned char *page, size_t head, unsigned depth)
{
    size_t cells = read_u16(page + head + 3);
    if (!settle_page(settling, read_u32(page + head + 8), depth + 1))
        return false;
    for (size_t i = 0; i < cells; i++) {
        if (!settle_page(settling, read_u32(page + read_u16(page + head + 12 + 2 * i)), depth + 1))
            return false;
    }
    return true;
}

static bool settle_page(struct settling *settling, uint32_t number,
                        unsigned depth) /* NOLINT(misc-no-recursion): DEPTH_MAX */
{
    bool used[PAGE] = {0};
    if (!number || number > settling->page_count || depth > DEPTH_MAX || !settling->pages_left--)
        return strange(settling);
    unsigned char *page = settling->bytes + (size_t)(number - 1) * PAGE;
    size_t head = number == 1 ? FIRST_BYTES : 0;
    enum page_kind kind = page[head];
    bool is_interior = kind == INDEX_INTERIOR || kind == TABLE_INTERIOR;
    if ((!is_interior && kind != INDEX_LEAF && kind != TABLE_LEAF) || !mark_page(kind, page, head, used))
        return strange(settling);
    for (size_t i = 0; i < PAGE; i++) {
        if (!used[i])
            page[i] = 0;
    }
    return !is_interior || settle_below(settling, page, head, depth);
}

bool sqlite_settle(char *bytes, size_t len, const struct sqlite_roots *roots, struct err *err)
{
    struct settling settling = {
        .bytes = (unsigned char *)bytes, .page_count = len / PAGE, .pages_left = len / PAGE, .err = err};
    if (!len || len % PAGE)
        return strange(&settling);
    if (!settle_page(&settling, 1, 0))
        return false;
    for (size_t i = 0; i < roots->count; i++) {
        if (!settle_page(&settling, roots->items[i], 0))
            return false;
    }
    memset(bytes + AT_CHANGES, 0, 4);
    memset(bytes + AT_VALID_FOR, 0, 4);
    memset(bytes + AT_SQLITE, 0, 4);
    return true;
}
