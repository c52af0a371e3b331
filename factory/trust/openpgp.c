/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/openpgp.h"

#include <assert.h>

bool openpgp_take_number(struct text *rest, unsigned width, size_t *ret_number)
{
    size_t number = 0;
    assert(width <= 4);
    if (rest->len < width)
        return false;
    for (unsigned i = 0; i < width; i++)
        number = number << 8 | (unsigned char)rest->ptr[i];
    rest->ptr += width;
    rest->len -= width;
    *ret_number = number;
    return true;
}

/* Takes the length of a packet (section 4.2.1) or a subpacket: the same, but that the latter are never partial and so
 * have more lengths of two bytes. */
static bool take_length(struct text *rest, bool is_subpacket, size_t *ret_len)
{
    size_t first, second;
    if (!openpgp_take_number(rest, 1, &first))
        return false;
    *ret_len = first;
    if (first < 192)
        return true;
    if (first == 255)
        return openpgp_take_number(rest, 4, ret_len);
    if ((first >= 224 && !is_subpacket) || !openpgp_take_number(rest, 1, &second))
        return false;
    *ret_len = ((first - 192) << 8) + second + 192;
    return true;
}

static bool take_body(struct text *rest, size_t len, struct text *ret_body)
{
    if (len > rest->len)
        return false;
    *ret_body = (struct text){rest->ptr, len};
    rest->ptr += len;
    rest->len -= len;
    return true;
}

bool openpgp_take_packet(struct text *rest, unsigned *ret_tag, struct text *ret_body)
{
    size_t header, len;
    if (!openpgp_take_number(rest, 1, &header) || !(header & 0x80))
        return false;
    bool is_new = header & 0x40;
    *ret_tag = is_new ? header & 0x3F : (header >> 2) & 0x0F;
    if (!is_new && (header & 3) == 3) /* indeterminate */
        return false;
    if (is_new ? !take_length(rest, false, &len) : !openpgp_take_number(rest, 1u << (header & 3), &len))
        return false;
    return take_body(rest, len, ret_body);
}

bool openpgp_take_subpacket(struct text *rest, unsigned *ret_kind, struct text *ret_body)
{
    size_t len, kind;
    if (!take_length(rest, true, &len) || len == 0 || !take_body(rest, len, ret_body) ||
        !openpgp_take_number(ret_body, 1, &kind))
        return false;
    *ret_kind = kind & 0x7F;
    return true;
}
