/* SPDX-License-Identifier: Apache-2.0 */
/* keyring_fault() of keyring.h: whether bytes are public keys at all. What a key is worth is for those to say who check
 * signatures with it. */
#include "trust/keyring.h"
#include "trust/openpgp.h"

#define SUBKEY_BINDING 0x18
#define PACKETS_MAX 100000

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
    if (tag == OPENPGP_SECRET_KEY || tag == OPENPGP_SECRET_SUBKEY)
        return "it holds a secret key";
    if (tag == OPENPGP_PUBLIC_KEY)
        return begin_key(walk, body);
    if (!walk->has_key)
        return tag == OPENPGP_SIGNATURE ? "it holds a signature, not a key" : "it does not begin with a public key";
    if (tag == OPENPGP_PUBLIC_SUBKEY) {
        bool is_unbound = walk->is_unbound;
        walk->is_unbound = true;
        return is_unbound ? unbound : NULL;
    }
    if (tag == OPENPGP_SIGNATURE && is_binding(walk, body))
        walk->is_unbound = false;
    return NULL;
}

bool keyring_is_whole(struct text binary)
{
    bool has_key = false;
    for (size_t count = 0; binary.len > 0; count++) {
        unsigned tag;
        struct text body;
        if (count == PACKETS_MAX || !openpgp_take_packet(&binary, &tag, &body))
            return false;
        has_key = has_key || tag == OPENPGP_PUBLIC_KEY || tag == OPENPGP_SECRET_KEY;
    }
    return has_key;
}

const char *keyring_fault(struct text binary)
{
    struct walk walk = {0};
    const char *why = NULL;
    for (size_t count = 0; binary.len > 0 && !why; count++) {
        unsigned tag;
        struct text body;
        if (count == PACKETS_MAX || !openpgp_take_packet(&binary, &tag, &body))
            return "its packets are broken or cut";
        why = visit(&walk, tag, body);
    }
    if (why)
        return why;
    return !walk.has_key ? "it is empty" : walk.is_unbound ? unbound : NULL;
}
