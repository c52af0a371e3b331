/* keyring_fault() of keyring.h: whether bytes are public keys at all. What a key is worth is for those to say who check
 * signatures with it. */
#include "source/keyring.h"

enum tag { TAG_SIGNATURE = 2, TAG_SECRET_KEY = 5, TAG_PUBLIC_KEY = 6, TAG_SECRET_SUBKEY = 7 };
#define PACKETS_MAX 100000

/* Takes `count` bytes off the front as a big-endian number. */
static bool take_number(struct text *rest, size_t count, size_t *ret_value)
{
    size_t value = 0;
    if (rest->len < count)
        return false;
    for (size_t i = 0; i < count; i++)
        value = value << 8 | (unsigned char)rest->ptr[i];
    rest->ptr += count;
    rest->len -= count;
    *ret_value = value;
    return true;
}

/* Section 4.2.1.1 to 4.2.1.3; partial lengths (4.2.1.4) are not for keys. */
static bool take_new_length(struct text *rest, size_t *ret_len)
{
    size_t first, second;
    if (!take_number(rest, 1, &first))
        return false;
    if (first < 192) {
        *ret_len = first;
        return true;
    }
    if (first == 255)
        return take_number(rest, 4, ret_len);
    if (first >= 224 || !take_number(rest, 1, &second))
        return false;
    *ret_len = ((first - 192) << 8) + second + 192;
    return true;
}

/* Takes one packet off the front; false when its header or length does not fit. */
static bool take_packet(struct text *rest, unsigned *ret_tag, struct text *ret_body)
{
    size_t header, len;
    if (!take_number(rest, 1, &header) || !(header & 0x80))
        return false;
    bool is_new = header & 0x40;
    *ret_tag = is_new ? header & 0x3F : (header >> 2) & 0x0F;
    if (!is_new && (header & 3) == 3) /* indeterminate */
        return false;
    if (is_new ? !take_new_length(rest, &len) : !take_number(rest, (size_t)1 << (header & 3), &len))
        return false;
    if (len > rest->len)
        return false;
    *ret_body = (struct text){rest->ptr, len};
    rest->ptr += len;
    rest->len -= len;
    return true;
}

const char *keyring_fault(struct text binary)
{
    bool has_key = false;
    for (size_t count = 0; binary.len > 0; count++) {
        unsigned tag;
        struct text body;
        if (count == PACKETS_MAX || !take_packet(&binary, &tag, &body))
            return "its packets are broken or cut";
        if (tag == TAG_SECRET_KEY || tag == TAG_SECRET_SUBKEY)
            return "it holds a secret key";
        if (!has_key && tag != TAG_PUBLIC_KEY)
            return tag == TAG_SIGNATURE ? "it holds a signature, not a key" : "it does not begin with a public key";
        has_key = true;
        if (tag == TAG_PUBLIC_KEY && (body.len < 6 || (body.ptr[0] != 4 && body.ptr[0] != 5 && body.ptr[0] != 6)))
            return "its key is older than version 4";
    }
    return has_key ? NULL : "it is empty";
}
