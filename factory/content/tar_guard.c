#include "content/tar_guard.h"

#include <stdio.h>

/* Fields of a header (tar(5)). */
enum { SIZE_AT = 124, SIZE_LEN = 12, TYPE_AT = 156, NAME_LEN = 100 };

static bool guard_fault(const struct tar_guard *guard, const char *what, struct err *err)
{
    char name[NAME_LEN + 1];
    (void)snprintf(name, sizeof name, "%.*s", NAME_LEN, guard->header);
    text_sanitize(name);
    err_set(err, ERR_MALFORMED, "tar header of %s: %s", name, what);
    return false;
}

/* Parses a size: octal digits ended by blanks or NULs, or a large number in base 256 (its first byte is then 0x80). */
static bool parse_size(const char *field, uint64_t *ret_size)
{
    uint64_t size = 0;
    size_t i = 0;
    if ((unsigned char)field[0] == 0x80) {
        for (i = 1; i < SIZE_LEN; i++) {
            if (size >> 55)
                return false;
            size = size << 8 | (unsigned char)field[i];
        }
        *ret_size = size;
        return true;
    }
    while (i < SIZE_LEN && field[i] == ' ')
        i++;
    for (; i < SIZE_LEN && field[i] >= '0' && field[i] <= '7'; i++)
        size = size << 3 | (uint64_t)(field[i] - '0');
    for (; i < SIZE_LEN; i++) {
        if (field[i] != ' ' && field[i] != '\0')
            return false;
    }
    *ret_size = size;
    return true;
}

/* Looks at one complete header. */
static bool check_header(struct tar_guard *guard, struct err *err)
{
    uint64_t size;
    if (!parse_size(guard->header + SIZE_AT, &size))
        return guard_fault(guard, "its size is not a number", err);
    switch (guard->header[TYPE_AT]) {
    case '\0':
    case '0':
    case '7':
    case 'L':
    case 'K':
        guard->skip_bytes = (size + TAR_BLOCK_BYTES - 1) / TAR_BLOCK_BYTES * TAR_BLOCK_BYTES;
        return true;
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
        return size == 0 || guard_fault(guard, "it has bytes but is not a file", err);
    case 'x':
    case 'g':
        return guard_fault(guard, "a pax header, which a Debian package may not have (deb(5))", err);
    case 'S':
        return guard_fault(guard, "a sparse file, which a Debian package may not have (deb(5))", err);
    default:
        return guard_fault(guard, "its type is unknown", err);
    }
}

static bool is_zero(const char *bytes, size_t len)
{
    return len == 0 || (bytes[0] == '\0' && memcmp(bytes, bytes + 1, len - 1) == 0);
}

/* Collects the next header; returns how many bytes were used. */
static size_t fill_header(struct tar_guard *guard, struct text bytes)
{
    size_t room = TAR_BLOCK_BYTES - guard->header_len;
    size_t take = bytes.len < room ? bytes.len : room;
    memcpy(guard->header + guard->header_len, bytes.ptr, take);
    guard->header_len += take;
    return take;
}

bool tar_guard_feed(struct tar_guard *guard, struct text bytes, struct err *err)
{
    while (bytes.len) {
        size_t used;
        if (guard->end_bytes) {
            if (!is_zero(bytes.ptr, bytes.len)) {
                err_set(err, ERR_MALFORMED, "there are bytes after the end of the tar archive");
                return false;
            }
            guard->end_bytes += bytes.len;
            return true;
        }
        if (guard->skip_bytes) {
            used = bytes.len < guard->skip_bytes ? bytes.len : (size_t)guard->skip_bytes;
            guard->skip_bytes -= used;
        } else {
            used = fill_header(guard, bytes);
        }
        bytes = (struct text){bytes.ptr + used, bytes.len - used};
        if (guard->header_len < TAR_BLOCK_BYTES)
            continue;
        guard->header_len = 0;
        if (is_zero(guard->header, TAR_BLOCK_BYTES))
            guard->end_bytes = TAR_BLOCK_BYTES;
        else if (!check_header(guard, err))
            return false;
    }
    return true;
}

bool tar_guard_end(const struct tar_guard *guard, struct err *err)
{
    if (guard->end_bytes >= (uint64_t)2 * TAR_BLOCK_BYTES)
        return true;
    err_set(err, ERR_MALFORMED, "the tar archive is cut off: its end mark is missing");
    return false;
}
