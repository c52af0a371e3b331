/* SPDX-License-Identifier: Apache-2.0 */
#include "rpm/rpm_cpio.h"

#define MAGIC_BYTES 6u
#define NUMBER_BYTES 8u
#define NEWC_NUMBERS 13u
#define ALIGN 4u
#define MAX_END_ZEROS 511u

/* Numbers of the fields of a newc header. */
enum { FIELD_MODE = 1, FIELD_SIZE = 6, FIELD_NAME_SIZE = 11, FIELD_CHECKSUM = 12 };

static bool fault(const struct rpm_cpio *cpio, const char *why, struct err *err)
{
    err_set(err, ERR_MALFORMED, "cpio archive at byte %llu: %s", (unsigned long long)cpio->offset, why);
    return false;
}

static struct text take(struct rpm_cpio *cpio, struct text *piece, size_t len)
{
    struct text taken = {piece->ptr, len < piece->len ? len : piece->len};
    piece->ptr += taken.len;
    piece->len -= taken.len;
    cpio->offset += taken.len;
    return taken;
}

/* Collects `wanted` bytes; true once they are all held. */
static bool gather(struct rpm_cpio *cpio, struct text *piece, size_t wanted)
{
    struct text part = take(cpio, piece, wanted - cpio->held_len);
    if (part.len)
        memcpy(cpio->held + cpio->held_len, part.ptr, part.len);
    cpio->held_len += part.len;
    return cpio->held_len == wanted;
}

static bool parse_number(const char *digits, uint32_t *ret_number)
{
    uint32_t number = 0;
    for (size_t i = 0; i < NUMBER_BYTES; i++) {
        char digit = digits[i];
        int value = digit >= '0' && digit <= '9'   ? digit - '0'
                    : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10
                    : digit >= 'A' && digit <= 'F' ? digit - 'A' + 10
                                                   : -1;
        if (value < 0)
            return false;
        number = number << 4 | (uint32_t)value;
    }
    *ret_number = number;
    return true;
}

/* Goes on with `next` behind the padding to the next multiple of four. */
static void pad_then(struct rpm_cpio *cpio, enum rpm_cpio_state next)
{
    cpio->held_len = 0;
    cpio->padding_left = (size_t)(-cpio->offset % ALIGN);
    cpio->after_padding = next;
    cpio->state = cpio->padding_left ? RPM_CPIO_PADDING : next;
}

static bool end_entry(struct rpm_cpio *cpio, struct err *err)
{
    if (cpio->entry.has_checksum && cpio->sum != cpio->entry.checksum)
        return fault(cpio, "the checksum of the entry before it differs", err);
    if (!cpio->calls.end(cpio->calls.user, err))
        return false;
    pad_then(cpio, RPM_CPIO_MAGIC);
    return true;
}

/* The header is complete: hands it over, and goes on with its bytes. */
static bool begin_entry(struct rpm_cpio *cpio, struct err *err)
{
    if (cpio->has_entries && cpio->is_stripped != !cpio->entry.name)
        return fault(cpio, "entries of two formats in one archive", err);
    cpio->is_stripped = !cpio->entry.name;
    cpio->has_entries = true;
    if (!cpio->calls.begin(cpio->calls.user, &cpio->entry, err))
        return false;
    cpio->bytes_left = cpio->entry.size_bytes;
    cpio->sum = 0;
    pad_then(cpio, RPM_CPIO_BYTES);
    /* An entry without bytes ends here; its padding is that of its header. */
    if (cpio->bytes_left)
        return true;
    if (cpio->entry.has_checksum && cpio->entry.checksum != 0)
        return fault(cpio, "a checksum over no bytes", err);
    if (!cpio->calls.end(cpio->calls.user, err))
        return false;
    pad_then(cpio, RPM_CPIO_MAGIC);
    return true;
}

static bool read_magic(struct rpm_cpio *cpio, struct err *err)
{
    struct text magic = {cpio->held, MAGIC_BYTES};
    bool is_stripped = text_is(magic, "07070X");
    cpio->entry = (struct rpm_cpio_entry){.has_checksum = text_is(magic, "070702")};
    if (!is_stripped && !cpio->entry.has_checksum && !text_is(magic, "070701"))
        return fault(cpio, "no entry of format 070701, 070702 or 07070X begins here", err);
    cpio->name_len = is_stripped ? 0 : 1;
    cpio->held_len = 0;
    cpio->state = RPM_CPIO_NUMBERS;
    return true;
}

static bool read_numbers(struct rpm_cpio *cpio, struct err *err)
{
    bool is_stripped = cpio->name_len == 0;
    uint32_t numbers[NEWC_NUMBERS];
    for (size_t i = 0; i < (is_stripped ? 1 : NEWC_NUMBERS); i++) {
        if (!parse_number(cpio->held + i * NUMBER_BYTES, &numbers[i]))
            return fault(cpio, "a number in the header before it is not hexadecimal", err);
    }
    if (is_stripped) {
        cpio->entry.index = numbers[0];
        return begin_entry(cpio, err);
    }
    cpio->entry.mode = numbers[FIELD_MODE];
    cpio->entry.size_bytes = numbers[FIELD_SIZE];
    cpio->entry.checksum = numbers[FIELD_CHECKSUM];
    cpio->name_len = numbers[FIELD_NAME_SIZE];
    if (cpio->name_len < 2 || cpio->name_len > RPM_CPIO_MAX_NAME)
        return fault(cpio, "the name of the entry before it is empty or longer than 4095 bytes", err);
    cpio->held_len = 0;
    cpio->state = RPM_CPIO_NAME;
    return true;
}

static bool read_name(struct rpm_cpio *cpio, struct err *err)
{
    if (memchr(cpio->held, '\0', cpio->name_len) != cpio->held + cpio->name_len - 1)
        return fault(cpio, "the name before it does not end where its header says", err);
    cpio->entry.name = cpio->held;
    if (strcmp(cpio->held, "TRAILER!!!") != 0)
        return begin_entry(cpio, err);
    if (cpio->entry.size_bytes)
        return fault(cpio, "the trailer has bytes", err);
    pad_then(cpio, RPM_CPIO_END);
    return true;
}

static bool read_bytes(struct rpm_cpio *cpio, struct text *piece, struct err *err)
{
    struct text part = take(cpio, piece, cpio->bytes_left < SIZE_MAX ? (size_t)cpio->bytes_left : SIZE_MAX);
    cpio->bytes_left -= part.len;
    for (size_t i = 0; cpio->entry.has_checksum && i < part.len; i++)
        cpio->sum += (unsigned char)part.ptr[i];
    if (!cpio->calls.bytes(cpio->calls.user, part, err))
        return false;
    return cpio->bytes_left || end_entry(cpio, err);
}

static bool read_zeros(struct rpm_cpio *cpio, struct text zeros, struct err *err)
{
    for (size_t i = 0; i < zeros.len; i++) {
        if (zeros.ptr[i] != '\0')
            return fault(cpio, "bytes where only zeros may be", err);
    }
    return true;
}

static bool step(struct rpm_cpio *cpio, struct text *piece, struct err *err)
{
    switch (cpio->state) {
    case RPM_CPIO_MAGIC:
        return !gather(cpio, piece, MAGIC_BYTES) || read_magic(cpio, err);
    case RPM_CPIO_NUMBERS:
        return !gather(cpio, piece, cpio->name_len ? (size_t)NEWC_NUMBERS * NUMBER_BYTES : NUMBER_BYTES) ||
               read_numbers(cpio, err);
    case RPM_CPIO_NAME:
        return !gather(cpio, piece, cpio->name_len) || read_name(cpio, err);
    case RPM_CPIO_BYTES:
        return read_bytes(cpio, piece, err);
    case RPM_CPIO_PADDING: {
        struct text padding = take(cpio, piece, cpio->padding_left);
        cpio->padding_left -= padding.len;
        if (cpio->padding_left == 0)
            cpio->state = cpio->after_padding;
        return read_zeros(cpio, padding, err);
    }
    case RPM_CPIO_END: {
        struct text rest = take(cpio, piece, piece->len);
        cpio->zeros += rest.len;
        return cpio->zeros <= MAX_END_ZEROS ? read_zeros(cpio, rest, err)
                                            : fault(cpio, "more bytes after the trailer", err);
    }
    }
    return fault(cpio, "in no known state", err);
}

bool rpm_cpio_feed(struct rpm_cpio *cpio, struct text piece, struct err *err)
{
    while (piece.len) {
        if (!step(cpio, &piece, err))
            return false;
    }
    return true;
}

bool rpm_cpio_finish(const struct rpm_cpio *cpio, struct err *err)
{
    return cpio->state == RPM_CPIO_END || fault(cpio, "the archive is cut off", err);
}
