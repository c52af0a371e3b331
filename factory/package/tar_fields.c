/* SPDX-License-Identifier: Apache-2.0 */
#include "package/tar_fields.h"

#include <stdio.h>

/* Where the fields of a header are, and how long. */
enum {
    MODE_AT = 100,
    UID_AT = 108,
    GID_AT = 116,
    SIZE_AT = 124,
    MTIME_AT = 136,
    SUM_AT = 148,
    TYPE_AT = 156,
    LINK_AT = 157,
    MAGIC_AT = 257,
    MAJOR_AT = 329,
    MINOR_AT = 337,
    PREFIX_AT = 345,
    SHORT_LEN = 8,
    LONG_LEN = 12,
    PREFIX_LEN = 155,
    HEADER_LEN = 512
};

bool tar_is_zero(const char *bytes, size_t len)
{
    return len == 0 || (bytes[0] == '\0' && memcmp(bytes, bytes + 1, len - 1) == 0);
}

/* Base 256, as GNU tar writes what octal digits cannot hold: two's complement, its highest bit always set. */
static bool parse_binary(const unsigned char *field, size_t len, int64_t *ret_value)
{
    bool is_negative = field[0] & 0x40;
    uint64_t value = is_negative ? UINT64_MAX : 0;
    for (size_t i = 0; i < len; i++) {
        unsigned byte = i == 0 ? (field[0] & 0x7FU) | (is_negative ? 0x80U : 0) : field[i];
        if (value >> 55 != (is_negative ? UINT64_MAX >> 55 : 0))
            return false;
        value = value << 8 | byte;
    }
    *ret_value = (int64_t)value;
    return true;
}

/* Octal digits between blanks and NULs; an empty field is 0. */
static bool parse_number(const char *field, size_t len, int64_t *ret_value)
{
    uint64_t value = 0;
    size_t i = 0;
    if ((unsigned char)field[0] & 0x80)
        return parse_binary((const unsigned char *)field, len, ret_value);
    while (i < len && field[i] == ' ')
        i++;
    for (; i < len && field[i] >= '0' && field[i] <= '7'; i++)
        value = value << 3 | (uint64_t)(field[i] - '0');
    for (; i < len; i++) {
        if (field[i] != ' ' && field[i] != '\0')
            return false;
    }
    *ret_value = (int64_t)value; /* twelve digits are 36 bits */
    return true;
}

bool tar_is_header(const char header[512])
{
    int64_t said, bytes = 0, signed_bytes = 0;
    for (size_t i = 0; i < HEADER_LEN; i++) {
        bool is_sum = i >= SUM_AT && i < SUM_AT + SHORT_LEN;
        bytes += is_sum ? ' ' : (unsigned char)header[i];
        signed_bytes += is_sum ? ' ' : (signed char)header[i];
    }
    return parse_number(header + SUM_AT, SHORT_LEN, &said) && (said == bytes || said == signed_bytes);
}

bool tar_parse_fields(const char header[512], struct tar_fields *ret_fields, const char **ret_why)
{
    int64_t mode = 0, size = 0;
    struct tar_fields fields = {.type = header[TYPE_AT]};
    const struct {
        size_t at, len;
        int64_t *value;
        const char *why;
    } numbers[] = {{SIZE_AT, LONG_LEN, &size, "its size is not a number"},
                   {MODE_AT, SHORT_LEN, &mode, "its mode is not a number"},
                   {UID_AT, SHORT_LEN, &fields.uid, "its owner is not a number"},
                   {GID_AT, SHORT_LEN, &fields.gid, "its group is not a number"},
                   {MTIME_AT, LONG_LEN, &fields.mtime, "its time is not a number"}};
    for (size_t i = 0; i < ARRAY_COUNT(numbers); i++) {
        if (!parse_number(header + numbers[i].at, numbers[i].len, numbers[i].value)) {
            *ret_why = numbers[i].why;
            return false;
        }
    }
    if (size < 0) {
        *ret_why = "its size is negative";
        return false;
    }
    fields.mode = (uint32_t)mode & 07777U;
    fields.whole_mode = mode;
    fields.size_bytes = (uint64_t)size;
    *ret_fields = fields;
    return true;
}

bool tar_header_name(const char header[512], char ret_name[512], const char **ret_why)
{
    bool is_posix = memcmp(header + MAGIC_AT, "ustar", 6) == 0; /* GNU's has a blank there */
    if (!is_posix || header[PREFIX_AT] == '\0') {
        (void)snprintf(ret_name, HEADER_LEN, "%.*s", TAR_NAME_BYTES, header);
        return true;
    }
    /* Readers that look at the version take what is not "00" for v7, which has no prefix. */
    if (memcmp(header + MAGIC_AT + 6, "00", 2) != 0) {
        *ret_why = "a name with a prefix, in a header of an unknown version";
        return false;
    }
    (void)snprintf(ret_name, HEADER_LEN, "%.*s/%.*s", PREFIX_LEN, header + PREFIX_AT, TAR_NAME_BYTES, header);
    return true;
}

void tar_header_link(const char header[512], char ret_link[512])
{
    (void)snprintf(ret_link, HEADER_LEN, "%.*s", TAR_NAME_BYTES, header + LINK_AT);
}

void tar_header_device(const char header[512], int64_t *ret_major, int64_t *ret_minor)
{
    if (!parse_number(header + MAJOR_AT, SHORT_LEN, ret_major))
        *ret_major = 0;
    if (!parse_number(header + MINOR_AT, SHORT_LEN, ret_minor))
        *ret_minor = 0;
}

/* A decimal number, for a time with a fraction that is dropped. */
static bool parse_decimal(struct text value, bool may_be_time, int64_t *ret_value)
{
    struct text rest = value, whole, fraction;
    uint64_t number, ignored;
    bool is_negative = may_be_time && text_has_prefix(value, "-");
    if (is_negative)
        rest = (struct text){rest.ptr + 1, rest.len - 1};
    if (may_be_time && memchr(rest.ptr, '.', rest.len)) {
        (void)text_next(&rest, '.', &whole);
        fraction = rest;
        while (fraction.len > 1 && fraction.ptr[0] >= '0' && fraction.ptr[0] <= '9')
            fraction = (struct text){fraction.ptr + 1, fraction.len - 1};
        if (fraction.len && !text_parse_u64(fraction, &ignored))
            return false;
        rest = whole;
    }
    if (!text_parse_u64(rest, &number) || number > INT64_MAX)
        return false;
    *ret_value = is_negative ? -(int64_t)number : (int64_t)number;
    return true;
}

static bool is_name(struct text value)
{
    return value.len && !memchr(value.ptr, '\0', value.len);
}

/* Takes one record; false when its value cannot be. */
static bool take_record(struct text key, struct text value, struct tar_records *records)
{
    const struct {
        const char *key;
        bool *has;
        int64_t *value;
    } numbers[] = {{"uid", &records->has_uid, &records->uid},
                   {"gid", &records->has_gid, &records->gid},
                   {"mtime", &records->has_mtime, &records->mtime}};
    int64_t size = 0;
    if (text_is(key, "path") || text_is(key, "linkpath")) {
        *(text_is(key, "path") ? &records->path : &records->link) = value;
        return is_name(value);
    }
    if (text_is(key, "size")) {
        records->has_size = parse_decimal(value, false, &size);
        records->size_bytes = (uint64_t)size;
        return records->has_size;
    }
    records->is_sparse |= text_has_prefix(key, "GNU.sparse.") || text_is(key, "SUN.holesdata");
    for (size_t i = 0; i < ARRAY_COUNT(numbers); i++) {
        if (text_is(key, numbers[i].key))
            return *numbers[i].has = parse_decimal(value, text_is(key, "mtime"), numbers[i].value);
    }
    return true;
}

bool tar_next_record(struct text *rest, struct text *ret_key, struct text *ret_value)
{
    struct text from = *rest, digits;
    uint64_t len;
    if (!memchr(rest->ptr, ' ', rest->len < 20 ? rest->len : 20) || !text_next(&from, ' ', &digits) ||
        !text_parse_u64(digits, &len) || len > rest->len || len < digits.len + 2)
        return false;
    struct text body = {from.ptr, (size_t)len - digits.len - 1};
    const char *equals = body.len ? memchr(body.ptr, '=', body.len) : NULL;
    if (body.ptr[body.len - 1] != '\n' || !equals || equals == body.ptr)
        return false;
    *ret_key = (struct text){body.ptr, (size_t)(equals - body.ptr)};
    *ret_value = (struct text){equals + 1, body.len - ret_key->len - 2};
    *rest = (struct text){rest->ptr + len, rest->len - (size_t)len};
    return true;
}

bool tar_parse_records(struct text bytes, struct tar_records *ret_records, const char **ret_why)
{
    struct tar_records records = {0};
    while (bytes.len) {
        struct text key, value;
        if (!tar_next_record(&bytes, &key, &value)) {
            *ret_why = "a pax header that is malformed";
            return false;
        }
        if (!take_record(key, value, &records)) {
            *ret_why = "a pax header with a value that cannot be";
            return false;
        }
    }
    *ret_records = records;
    return true;
}
