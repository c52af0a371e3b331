/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/tar_header.h"

#include "base/auto.h"

#include <stdio.h>

#define NAME_BYTES 100
#define PREFIX_BYTES 155
#define MAX_OCTAL_7 ((uint64_t)07777777)
#define MAX_OCTAL_11 ((uint64_t)077777777777)

/* The header block of POSIX ustar; text fields need no NUL when full. */
struct ustar {
    char name[NAME_BYTES];
    char mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8];
    char type;
    char link[NAME_BYTES];
    char magic[6], version[2];
    char user[32], group[32], device_major[8], device_minor[8];
    char prefix[PREFIX_BYTES];
    char padding[12];
};
_Static_assert(sizeof(struct ustar) == TAR_BLOCK_BYTES, "a ustar header is one block");

/* Writes the number into a field of width - 1 octal digits and a NUL. */
static void set_octal(char *field, size_t width, uint64_t value)
{
    field[width - 1] = '\0';
    for (size_t i = width - 1; i-- > 0; value >>= 3)
        field[i] = (char)('0' + (value & 7));
}

static void set_text(char *field, size_t width, const char *bytes, size_t len)
{
    memcpy(field, bytes, len < width ? len : width);
}

static void set_checksum(struct ustar *header)
{
    memset(header->checksum, ' ', sizeof header->checksum);
    const unsigned char *bytes = (const unsigned char *)header;
    unsigned sum = 0;
    for (size_t i = 0; i < sizeof *header; i++)
        sum += bytes[i];
    /* Six digits, NUL, blank: the historical form, which every reader takes. */
    set_octal(header->checksum, 7, sum);
}

/* Finds the '/' that splits the name into prefix and name; 0 when the name fits whole, SIZE_MAX when it cannot be
 * split. */
static size_t split_name(const char *name, size_t len)
{
    if (len <= NAME_BYTES)
        return 0;
    /* The last byte may be a directory's own '/', which must stay in the name. */
    for (size_t at = len - 2 < PREFIX_BYTES ? len - 2 : PREFIX_BYTES; at > 0; at--) {
        if (name[at] == '/')
            return len - at - 1 <= NAME_BYTES ? at : SIZE_MAX;
    }
    return SIZE_MAX;
}

static bool is_ascii(const char *string)
{
    for (; *string; string++) {
        if ((unsigned char)*string >= 0x80)
            return false;
    }
    return true;
}

static size_t decimal_digits(size_t value)
{
    size_t digits = 1;
    for (; value >= 10; value /= 10)
        digits++;
    return digits;
}

/* Appends "LENGTH KEY=VALUE\n"; LENGTH counts itself. The value may be any bytes. */
static bool add_bytes(struct buf *records, const char *key, struct text value)
{
    size_t rest = strlen(key) + value.len + 3, len = rest + 1;
    while (len != rest + decimal_digits(len))
        len = rest + decimal_digits(len);
    return buf_printf(records, "%zu %s=", len, key) && buf_add(records, value.ptr, value.len) &&
           buf_add(records, "\n", 1);
}

static bool add_record(struct buf *records, const char *key, const char *value)
{
    return add_bytes(records, key, text_of(value));
}

static bool add_number(struct buf *records, const char *key, uint64_t value, uint64_t max)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    return value <= max || add_record(records, key, text);
}

static bool is_ustar_time(int64_t mtime)
{
    return mtime >= 0 && (uint64_t)mtime <= MAX_OCTAL_11;
}

/* Collects the records of what the ustar header cannot hold; none at all for most members. */
static bool add_records(const struct tar_member *member, struct buf *records)
{
    bool has_name = split_name(member->name, strlen(member->name)) == SIZE_MAX || !is_ascii(member->name);
    bool has_link = strlen(member->link) > NAME_BYTES || !is_ascii(member->link);
    bool is_binary =
        (has_name && !text_is_utf8(text_of(member->name))) || (has_link && !text_is_utf8(text_of(member->link)));
    char mtime[24];
    (void)snprintf(mtime, sizeof mtime, "%lld", (long long)member->mtime);
    return (!is_binary || add_record(records, "hdrcharset", "BINARY")) &&
           (!has_name || add_record(records, "path", member->name)) &&
           (!has_link || add_record(records, "linkpath", member->link)) &&
           add_number(records, "uid", member->uid, MAX_OCTAL_7) &&
           add_number(records, "gid", member->gid, MAX_OCTAL_7) &&
           add_number(records, "size", member->size_bytes, MAX_OCTAL_11) &&
           (is_ustar_time(member->mtime) || add_record(records, "mtime", mtime)) &&
           (!member->capability.len || add_bytes(records, "SCHILY.xattr.security.capability", member->capability));
}

/* Makes the block; a value that does not fit is 0 or cut, for then a pax record has it. */
static struct ustar make_header(const struct tar_member *member)
{
    struct ustar header = {.type = member->type, .magic = "ustar", .version = {'0', '0'}};
    size_t len = strlen(member->name), split = split_name(member->name, len);
    if (split == 0 || split == SIZE_MAX) {
        set_text(header.name, sizeof header.name, member->name, len);
    } else {
        set_text(header.prefix, sizeof header.prefix, member->name, split);
        set_text(header.name, sizeof header.name, member->name + split + 1, len - split - 1);
    }
    set_text(header.link, sizeof header.link, member->link, strlen(member->link));
    set_octal(header.mode, sizeof header.mode, member->mode & 07777);
    set_octal(header.uid, sizeof header.uid, member->uid <= MAX_OCTAL_7 ? member->uid : 0);
    set_octal(header.gid, sizeof header.gid, member->gid <= MAX_OCTAL_7 ? member->gid : 0);
    set_octal(header.size, sizeof header.size, member->size_bytes <= MAX_OCTAL_11 ? member->size_bytes : 0);
    set_octal(header.mtime, sizeof header.mtime, is_ustar_time(member->mtime) ? (uint64_t)member->mtime : 0);
    set_octal(header.device_major, sizeof header.device_major, 0);
    set_octal(header.device_minor, sizeof header.device_minor, 0);
    set_checksum(&header);
    return header;
}

/* Names the pax header after the member, as pax(1) suggests, but without a process number. */
static void make_pax_name(const char *name, char *ret_name)
{
    size_t end = strlen(name);
    if (end && name[end - 1] == '/')
        end--;
    size_t start = end;
    while (start > 0 && name[start - 1] != '/')
        start--;
    (void)snprintf(ret_name, NAME_BYTES + 1, "PaxHeaders/%.*s", (int)(end - start < 80 ? end - start : 80),
                   name + start);
}

static bool add_pax_header(const struct tar_member *member, const struct buf *records, struct buf *headers)
{
    static const char zeros[TAR_BLOCK_BYTES];
    char name[NAME_BYTES + 1];
    make_pax_name(member->name, name);
    struct tar_member pax = {.type = 'x',
                             .name = name,
                             .link = "",
                             .mode = 0644,
                             .mtime = is_ustar_time(member->mtime) ? member->mtime : 0,
                             .size_bytes = records->len};
    struct ustar header = make_header(&pax);
    return buf_add(headers, &header, sizeof header) && buf_add(headers, records->bytes, records->len) &&
           buf_add(headers, zeros, -records->len % TAR_BLOCK_BYTES);
}

bool tar_header_add(const struct tar_member *member, struct buf *headers)
{
    AUTO(buf_done) struct buf records;
    buf_init(&records, headers->cap_bytes);
    if (!add_records(member, &records) || (records.len && !add_pax_header(member, &records, headers)))
        return false;
    struct ustar header = make_header(member);
    return buf_add(headers, &header, sizeof header);
}
