/* keyring_fault() of keyring.h: whether bytes are public keys at all. What a key is worth is for those to say who check
 * signatures with it. */
#include "source/keyring.h"

enum tag { TAG_SIGNATURE = 2, TAG_SECRET_KEY = 5, TAG_PUBLIC_KEY = 6, TAG_SECRET_SUBKEY = 7, TAG_PUBLIC_SUBKEY = 14 };
#define SUBKEY_BINDING 0x18
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

static const char unbound[] = "a subkey of it is not bound to its key by a signature";

/* A walk over keys. */
struct walk {
    bool has_key;
    unsigned char algorithm; /* of the key at hand */
    bool is_unbound;         /* a subkey was not yet followed by a signature that binds it to the key */
};

/* Begins a key: version, time, algorithm, … (section 5.5.2). */
static const char *begin_key(struct walk *walk, struct text body)
{
    if (walk->is_unbound)
        return unbound;
    if (body.len < 6 || (body.ptr[0] != 4 && body.ptr[0] != 5 && body.ptr[0] != 6))
        return "its key is older than version 4";
    walk->has_key = true;
    walk->algorithm = (unsigned char)body.ptr[5];
    return NULL;
}

static bool is_binding(const struct walk *walk, struct text body)
{
    return body.len > 3 && body.ptr[0] >= 4 && body.ptr[1] == SUBKEY_BINDING &&
           (unsigned char)body.ptr[2] == walk->algorithm;
}

/* Takes note of one packet; returns what is wrong with it. That a binding signature is a good one is for gpgv to see,
 * but gpgv must not meet subkeys without any (CVE-2021-3521), or bound by what the key cannot have made. */
static const char *visit(struct walk *walk, unsigned tag, struct text body)
{
    if (tag == TAG_SECRET_KEY || tag == TAG_SECRET_SUBKEY)
        return "it holds a secret key";
    if (tag == TAG_PUBLIC_KEY)
        return begin_key(walk, body);
    if (!walk->has_key)
        return tag == TAG_SIGNATURE ? "it holds a signature, not a key" : "it does not begin with a public key";
    if (tag == TAG_PUBLIC_SUBKEY) {
        bool is_unbound = walk->is_unbound;
        walk->is_unbound = true;
        return is_unbound ? unbound : NULL;
    }
    if (tag == TAG_SIGNATURE && is_binding(walk, body))
        walk->is_unbound = false;
    return NULL;
}

const char *keyring_fault(struct text binary)
{
    struct walk walk = {0};
    const char *why = NULL;
    for (size_t count = 0; binary.len > 0 && !why; count++) {
        unsigned tag;
        struct text body;
        if (count == PACKETS_MAX || !take_packet(&binary, &tag, &body))
            return "its packets are broken or cut";
        why = visit(&walk, tag, body);
    }
    if (why)
        return why;
    return !walk.has_key ? "it is empty" : walk.is_unbound ? unbound : NULL;
}
