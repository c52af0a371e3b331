/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/base64.h"

#include <limits.h>
#include <openssl/evp.h>

#define BASE64_MAX_BYTES ((size_t)INT_MAX / 2)

char *base64_encode(struct arena *arena, struct text bytes)
{
    char *encoded = arena_alloc(arena, (bytes.len + 2) / 3 * 4 + 1);
    (void)EVP_EncodeBlock((unsigned char *)encoded, (const unsigned char *)bytes.ptr, (int)bytes.len);
    return encoded;
}

bool base64_decode(struct arena *arena, struct text encoded, struct text *ret_bytes)
{
    size_t padding = 0;
    if (encoded.len % 4 || encoded.len > BASE64_MAX_BYTES)
        return false;
    while (padding < 2 && padding < encoded.len && encoded.ptr[encoded.len - 1 - padding] == '=')
        padding++;
    char *bytes = arena_alloc(arena, encoded.len / 4 * 3 + 1);
    int decoded = EVP_DecodeBlock((unsigned char *)bytes, (const unsigned char *)encoded.ptr, (int)encoded.len);
    if (decoded < 0 || (size_t)decoded < padding)
        return false;
    struct text text = {bytes, (size_t)decoded - padding};
    bytes[text.len] = '\0';
    if (!text_eq(text_of(base64_encode(arena, text)), encoded))
        return false;
    *ret_bytes = text;
    return true;
}
