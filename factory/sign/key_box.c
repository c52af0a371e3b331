/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/key_box.h"

#include "base/auto.h"
#include "sign/base64.h"
#include "sign/secretbox.h"

#include <errno.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <sys/random.h>

#define COST ((uint64_t)65536)
#define BLOCK_SIZE 8
#define PARALLEL 1
#define SALT_BYTES 32
#define PLAIN_MAX_BYTES ((size_t)8192)
#define SPARE_BYTES ((uint64_t)1 << 20) /* that scrypt takes besides 128 * N * r */

static bool derive(struct text passphrase, struct text salt, uint64_t cost, uint8_t ret_key[SECRETBOX_KEY_BYTES],
                   struct err *err)
{
    if (EVP_PBE_scrypt(passphrase.ptr, passphrase.len, (const unsigned char *)salt.ptr, salt.len, cost, BLOCK_SIZE,
                       PARALLEL, 128 * BLOCK_SIZE * cost + SPARE_BYTES, ret_key, SECRETBOX_KEY_BYTES) == 1)
        return true;
    err_set(err, ERR_LOCAL, "a passphrase cannot be stretched by scrypt: no memory, or libcrypto has it not");
    return false;
}

static bool is_word(const json_t *object, const char *key, const char *wanted)
{
    const char *word = json_string_value(json_object_get(object, key));
    return word && strcmp(word, wanted) == 0;
}

static bool bytes_of(struct arena *arena, const json_t *object, const char *key, struct text *ret_bytes)
{
    const char *encoded = json_string_value(json_object_get(object, key));
    return encoded && base64_decode(arena, text_of(encoded), ret_bytes);
}

/* What the file says. */
struct boxed {
    uint64_t cost;
    struct text salt, nonce, bytes;
};

static bool read_json(struct arena *arena, const json_t *json, struct boxed *ret_boxed)
{
    const json_t *kdf = json_object_get(json, "kdf"), *params = json_object_get(kdf, "params"),
                 *cipher = json_object_get(json, "cipher");
    json_int_t cost = json_integer_value(json_object_get(params, "N"));
    ret_boxed->cost = (uint64_t)cost;
    return is_word(kdf, "name", "scrypt") && is_word(cipher, "name", "nacl/secretbox") &&
           (cost == 32768 || cost == 65536 || cost == 131072) &&
           json_integer_value(json_object_get(params, "r")) == BLOCK_SIZE &&
           json_integer_value(json_object_get(params, "p")) == PARALLEL &&
           bytes_of(arena, kdf, "salt", &ret_boxed->salt) && bytes_of(arena, cipher, "nonce", &ret_boxed->nonce) &&
           ret_boxed->nonce.len == SECRETBOX_NONCE_BYTES && bytes_of(arena, json, "ciphertext", &ret_boxed->bytes) &&
           ret_boxed->bytes.len > SECRETBOX_TAG_BYTES && ret_boxed->bytes.len <= PLAIN_MAX_BYTES;
}

bool key_box_open(const char *name, struct text json_text, const char *passphrase, struct buf *ret_plain,
                  struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    uint8_t key[SECRETBOX_KEY_BYTES];
    struct boxed boxed;
    json_auto_t *json = json_loadb(json_text.ptr, json_text.len, JSON_REJECT_DUPLICATES, NULL);
    buf_init(ret_plain, PLAIN_MAX_BYTES);
    if (!json || !read_json(&scratch, json, &boxed)) {
        err_set(err, ERR_USAGE, "%s: is not a key as cosign encrypts one (scrypt, nacl/secretbox)", name);
        return false;
    }
    if (!derive(text_of(passphrase), boxed.salt, boxed.cost, key, err))
        return false;
    bool has_room = buf_reserve(ret_plain, boxed.bytes.len);
    bool is_opened =
        has_room && secretbox_open(key, (const uint8_t *)boxed.nonce.ptr, boxed.bytes, (uint8_t *)ret_plain->bytes);
    explicit_bzero(key, sizeof key);
    if (is_opened)
        ret_plain->len = boxed.bytes.len - SECRETBOX_TAG_BYTES;
    else
        err_set(err, ERR_USAGE, "%s: the passphrase is not that of the key, or the file was altered", name);
    return is_opened;
}

bool key_box_seal(struct arena *arena, struct text plain, const char *passphrase, struct text *ret_json,
                  struct err *err)
{
    uint8_t key[SECRETBOX_KEY_BYTES], salt[SALT_BYTES], nonce[SECRETBOX_NONCE_BYTES];
    char *box = arena_alloc(arena, plain.len + SECRETBOX_TAG_BYTES);
    if (getrandom(salt, sizeof salt, 0) != sizeof salt || getrandom(nonce, sizeof nonce, 0) != sizeof nonce) {
        err_set_errno(err, errno, "getrandom");
        return false;
    }
    if (!derive(text_of(passphrase), (struct text){(char *)salt, sizeof salt}, COST, key, err))
        return false;
    secretbox_seal(key, nonce, plain, (uint8_t *)box);
    explicit_bzero(key, sizeof key);
    *ret_json = text_of(arena_printf(
        arena,
        "{\"kdf\":{\"name\":\"scrypt\",\"params\":{\"N\":%llu,\"r\":%d,\"p\":%d},\"salt\":\"%s\"},"
        "\"cipher\":{\"name\":\"nacl/secretbox\",\"nonce\":\"%s\"},\"ciphertext\":\"%s\"}",
        (unsigned long long)COST, BLOCK_SIZE, PARALLEL, base64_encode(arena, (struct text){(char *)salt, sizeof salt}),
        base64_encode(arena, (struct text){(char *)nonce, sizeof nonce}),
        base64_encode(arena, (struct text){box, plain.len + SECRETBOX_TAG_BYTES})));
    return true;
}
