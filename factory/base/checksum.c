/* SPDX-License-Identifier: Apache-2.0 */
#include "base/checksum.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdio.h>

static const struct {
    const char *name;
    size_t len;
} kinds[] = {[CHECKSUM_SHA256] = {"sha256", 32}, [CHECKSUM_SHA512] = {"sha512", 64}};

void checksum_begin(struct checksum_stream *stream, enum checksum_kind kind)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (!context || EVP_DigestInit_ex(context, kind == CHECKSUM_SHA256 ? EVP_sha256() : EVP_sha512(), NULL) != 1)
        memory_abort(0);
    *stream = (struct checksum_stream){kind, context};
}

void checksum_feed(struct checksum_stream *stream, const void *bytes, size_t len)
{
    if (len && EVP_DigestUpdate(stream->context, bytes, len) != 1)
        memory_abort(len);
}

struct checksum checksum_end(struct checksum_stream *stream)
{
    struct checksum checksum = {.kind = stream->kind};
    if (EVP_DigestFinal_ex(stream->context, checksum.bytes, NULL) != 1)
        memory_abort(0);
    checksum_abandon(stream);
    return checksum;
}

void checksum_abandon(struct checksum_stream *stream)
{
    EVP_MD_CTX_free(stream->context);
    stream->context = NULL;
}

struct checksum checksum_of(enum checksum_kind kind, const void *bytes, size_t len)
{
    struct checksum_stream stream;
    checksum_begin(&stream, kind);
    checksum_feed(&stream, bytes, len);
    return checksum_end(&stream);
}

size_t checksum_len(enum checksum_kind kind)
{
    return kinds[kind].len;
}

bool checksum_find_kind(struct text name, enum checksum_kind *ret_kind)
{
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        if (text_is(name, kinds[i].name)) {
            *ret_kind = (enum checksum_kind)i;
            return true;
        }
    }
    return false;
}

/* A SHA-512 is parsed as two halves of the size of a SHA-256. */
bool checksum_parse(enum checksum_kind kind, struct text hex, struct checksum *ret_checksum)
{
    struct checksum checksum = {.kind = kind};
    size_t half_len = (size_t)2 * DIGEST_BYTES;
    if (hex.len != kinds[kind].len * 2)
        return false;
    for (size_t at = 0; at < hex.len; at += half_len) {
        struct digest part;
        if (!digest_parse((struct text){hex.ptr + at, half_len}, &part))
            return false;
        memcpy(checksum.bytes + at / 2, part.bytes, sizeof part.bytes);
    }
    *ret_checksum = checksum;
    return true;
}

bool checksum_eq(const struct checksum *a, const struct checksum *b)
{
    return a->kind == b->kind && memcmp(a->bytes, b->bytes, kinds[a->kind].len) == 0;
}

struct checksum_text checksum_text(const struct checksum *checksum)
{
    struct checksum_text text = {""};
    size_t at = (size_t)snprintf(text.chars, sizeof text.chars, "%s:", kinds[checksum->kind].name);
    for (size_t half = 0; half < kinds[checksum->kind].len; half += DIGEST_BYTES) {
        struct digest part;
        memcpy(part.bytes, checksum->bytes + half, sizeof part.bytes);
        at += (size_t)snprintf(text.chars + at, sizeof text.chars - at, "%s", digest_hex(&part).chars);
    }
    return text;
}

struct checksum checksum_of_digest(const struct digest *digest)
{
    struct checksum checksum = {.kind = CHECKSUM_SHA256};
    memcpy(checksum.bytes, digest->bytes, DIGEST_BYTES);
    return checksum;
}

struct digest checksum_digest(const struct checksum *checksum)
{
    struct digest digest;
    assert(checksum->kind == CHECKSUM_SHA256);
    memcpy(digest.bytes, checksum->bytes, sizeof digest.bytes);
    return digest;
}
