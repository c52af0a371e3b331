/* SPDX-License-Identifier: Apache-2.0 */
#include "base/sha1.h"

#include "base/arena.h"

#include <openssl/evp.h>

struct sha1 sha1_of(const void *bytes, size_t len)
{
    struct sha1 sha1;
    if (!EVP_Digest(bytes, len, sha1.bytes, NULL, EVP_sha1(), NULL))
        memory_abort(0);
    return sha1;
}

struct sha1_hex sha1_hex(const struct sha1 *sha1)
{
    struct sha1_hex hex;
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < sizeof sha1->bytes; i++) {
        hex.chars[2 * i] = digits[sha1->bytes[i] >> 4];
        hex.chars[2 * i + 1] = digits[sha1->bytes[i] & 15];
    }
    hex.chars[2 * sizeof sha1->bytes] = '\0';
    return hex;
}
