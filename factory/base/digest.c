/* SPDX-License-Identifier: Apache-2.0 */
#include "base/digest.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>

void digest_begin(struct digest_stream *stream)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (!context || EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1)
        memory_abort(0);
    stream->context = context;
}

void digest_feed(struct digest_stream *stream, const void *bytes, size_t len)
{
    if (len && EVP_DigestUpdate(stream->context, bytes, len) != 1)
        memory_abort(len);
}

struct digest digest_end(struct digest_stream *stream)
{
    struct digest digest;
    if (EVP_DigestFinal_ex(stream->context, digest.bytes, NULL) != 1)
        memory_abort(0);
    digest_abandon(stream);
    return digest;
}

void digest_abandon(struct digest_stream *stream)
{
    EVP_MD_CTX_free(stream->context);
    stream->context = NULL;
}

struct digest digest_of(const void *bytes, size_t len)
{
    struct digest_stream stream;
    digest_begin(&stream);
    digest_feed(&stream, bytes, len);
    return digest_end(&stream);
}

struct digest digest_keyed(const struct digest *secret, const void *bytes, size_t len)
{
    struct digest digest;
    unsigned made = 0;
    if (!HMAC(EVP_sha256(), secret->bytes, DIGEST_BYTES, bytes, len, digest.bytes, &made) || made != DIGEST_BYTES)
        memory_abort(len);
    return digest;
}

struct digest_hex digest_hex(const struct digest *digest)
{
    static const char digits[] = "0123456789abcdef";
    struct digest_hex hex;
    for (size_t i = 0; i < DIGEST_BYTES; i++) {
        hex.chars[2 * i] = digits[digest->bytes[i] >> 4];
        hex.chars[2 * i + 1] = digits[digest->bytes[i] & 15];
    }
    hex.chars[DIGEST_HEX_SIZE - 1] = '\0';
    return hex;
}

bool digest_parse(struct text hex, struct digest *ret_digest)
{
    struct digest digest;
    if (hex.len != DIGEST_BYTES * 2)
        return false;
    for (size_t i = 0; i < DIGEST_BYTES; i++) {
        int high = text_hex_value(hex.ptr[2 * i]), low = text_hex_value(hex.ptr[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        digest.bytes[i] = (uint8_t)(high << 4 | low);
    }
    *ret_digest = digest;
    return true;
}

bool digest_eq(const struct digest *a, const struct digest *b)
{
    return memcmp(a->bytes, b->bytes, DIGEST_BYTES) == 0;
}
