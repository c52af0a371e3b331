/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/secretbox.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#define BLOCK_BYTES 64
#define MAC_KEY_BYTES 32 /* the first bytes of the stream */

static uint32_t load(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static void store(uint8_t *bytes, uint32_t word)
{
    for (unsigned i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(word >> 8 * i);
}

static uint32_t turn(uint32_t word, unsigned bits)
{
    return word << bits | word >> (32 - bits);
}

/* "The quarterround function". */
static void quarter(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
    *b ^= turn(*a + *d, 7);
    *c ^= turn(*b + *a, 9);
    *d ^= turn(*c + *b, 13);
    *a ^= turn(*d + *c, 18);
}

/* Ten double rounds. */
static void rounds(uint32_t x[16])
{
    for (int i = 0; i < 10; i++) {
        quarter(&x[0], &x[4], &x[8], &x[12]);
        quarter(&x[5], &x[9], &x[13], &x[1]);
        quarter(&x[10], &x[14], &x[2], &x[6]);
        quarter(&x[15], &x[3], &x[7], &x[11]);
        quarter(&x[0], &x[1], &x[2], &x[3]);
        quarter(&x[5], &x[6], &x[7], &x[4]);
        quarter(&x[10], &x[11], &x[8], &x[9]);
        quarter(&x[15], &x[12], &x[13], &x[14]);
    }
}

/* The input of both functions: constants, key, and 16 bytes of nonce or of nonce and counter. */
static void fill(uint32_t x[16], const uint8_t *key, const uint8_t *input)
{
    static const uint8_t sigma[] = "expand 32-byte k";
    for (int i = 0; i < 4; i++) {
        x[5 * i] = load(sigma + 4 * i);
        x[1 + i] = load(key + 4 * i);
        x[11 + i] = load(key + 16 + 4 * i);
        x[6 + i] = load(input + 4 * i);
    }
}

/* HSalsa20: another key of a key and 16 bytes. */
static void derive(const uint8_t *key, const uint8_t *input, uint8_t ret_key[SECRETBOX_KEY_BYTES])
{
    uint32_t x[16];
    fill(x, key, input);
    rounds(x);
    for (int i = 0; i < 4; i++) {
        store(ret_key + 4 * i, x[5 * i]);
        store(ret_key + 16 + 4 * i, x[6 + i]);
    }
    explicit_bzero(x, sizeof x);
}

/* Salsa20/20: one block of the stream. */
static void make_block(const uint8_t *key, const uint8_t *nonce, uint64_t counter, uint8_t ret_block[BLOCK_BYTES])
{
    uint8_t input[16];
    uint32_t before[16], x[16];
    memcpy(input, nonce, 8);
    store(input + 8, (uint32_t)counter);
    store(input + 12, (uint32_t)(counter >> 32));
    fill(before, key, input);
    memcpy(x, before, sizeof x);
    rounds(x);
    for (int i = 0; i < 16; i++)
        store(ret_block + 4 * i, x[i] + before[i]);
    explicit_bzero(x, sizeof x);
    explicit_bzero(before, sizeof before);
}

/* XORs with the stream, whose first MAC_KEY_BYTES are left out. */
static void crypt(const uint8_t *key, const uint8_t *nonce, const uint8_t *from, uint8_t *to, size_t len)
{
    uint8_t block[BLOCK_BYTES];
    for (size_t i = 0; i < len; i++) {
        size_t at = i + MAC_KEY_BYTES;
        if (i == 0 || at % BLOCK_BYTES == 0)
            make_block(key, nonce, at / BLOCK_BYTES, block);
        to[i] = (uint8_t)(from[i] ^ block[at % BLOCK_BYTES]);
    }
    explicit_bzero(block, sizeof block);
}

/* Poly1305 of the encrypted bytes. */
static void authenticate(const uint8_t *key, const uint8_t *nonce, const uint8_t *bytes, size_t len,
                         uint8_t ret_tag[SECRETBOX_TAG_BYTES])
{
    uint8_t block[BLOCK_BYTES];
    size_t written;
    make_block(key, nonce, 0, block);
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "POLY1305", NULL);
    EVP_MAC_CTX *context = mac ? EVP_MAC_CTX_new(mac) : NULL;
    bool is_made = context && EVP_MAC_init(context, block, MAC_KEY_BYTES, NULL) &&
                   EVP_MAC_update(context, bytes, len) &&
                   EVP_MAC_final(context, ret_tag, &written, SECRETBOX_TAG_BYTES);
    EVP_MAC_CTX_free(context);
    EVP_MAC_free(mac);
    explicit_bzero(block, sizeof block);
    if (!is_made)
        memory_abort(0); /* the default provider has it */
}

void secretbox_seal(const uint8_t key[SECRETBOX_KEY_BYTES], const uint8_t nonce[SECRETBOX_NONCE_BYTES],
                    struct text plain, uint8_t *ret_box)
{
    uint8_t derived[SECRETBOX_KEY_BYTES];
    derive(key, nonce, derived);
    crypt(derived, nonce + 16, (const uint8_t *)plain.ptr, ret_box + SECRETBOX_TAG_BYTES, plain.len);
    authenticate(derived, nonce + 16, ret_box + SECRETBOX_TAG_BYTES, plain.len, ret_box);
    explicit_bzero(derived, sizeof derived);
}

bool secretbox_open(const uint8_t key[SECRETBOX_KEY_BYTES], const uint8_t nonce[SECRETBOX_NONCE_BYTES], struct text box,
                    uint8_t *ret_plain)
{
    uint8_t derived[SECRETBOX_KEY_BYTES], tag[SECRETBOX_TAG_BYTES];
    const uint8_t *bytes = (const uint8_t *)box.ptr;
    if (box.len < SECRETBOX_TAG_BYTES)
        return false;
    size_t len = box.len - SECRETBOX_TAG_BYTES;
    derive(key, nonce, derived);
    authenticate(derived, nonce + 16, bytes + SECRETBOX_TAG_BYTES, len, tag);
    bool is_whole = CRYPTO_memcmp(tag, bytes, sizeof tag) == 0;
    if (is_whole)
        crypt(derived, nonce + 16, bytes + SECRETBOX_TAG_BYTES, ret_plain, len);
    explicit_bzero(derived, sizeof derived);
    return is_whole;
}
