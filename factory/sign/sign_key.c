/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/sign_key.h"

#include "base/auto.h"
#include "registry/credentials_secret.h"
#include "sign/key_box.h"

#include <malloc.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <sys/random.h>

#define RSA_LEAST_BITS 2048
#define SCRYPT_COST ((uint64_t)16384) /* as openssl pkcs8 -scrypt: what its readers open without being told to */
#define SCRYPT_BLOCK 8
#define SCRYPT_SALT_BYTES 16
#define PEM_MAX_BYTES ((size_t)64 * 1024)

struct sign_key {
    EVP_PKEY *pkey;
    enum sign_key_kind kind;
    struct digest id;
};

/* --- kinds --- */

static bool fail(struct err *err, const char *what)
{
    ERR_clear_error();
    err_set(err, ERR_LOCAL, "libcrypto: %s failed", what);
    return false;
}

static enum sign_key_kind kind_of(const EVP_PKEY *pkey)
{
    char group[32];
    size_t len;
    if (EVP_PKEY_is_a(pkey, "ED25519"))
        return SIGN_KEY_ED25519;
    bool is_p256 = EVP_PKEY_is_a(pkey, "EC") &&
                   EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group, &len) &&
                   strcmp(group, "prime256v1") == 0;
    return is_p256 ? SIGN_KEY_P256 : SIGN_KEY_OTHER;
}

/* Whether a key of no kind that signs is fit to check with. */
static bool is_fit_to_check(const EVP_PKEY *pkey)
{
    return (EVP_PKEY_is_a(pkey, "RSA") && EVP_PKEY_get_bits(pkey) >= RSA_LEAST_BITS) ||
           (EVP_PKEY_is_a(pkey, "EC") && EVP_PKEY_get_bits(pkey) >= 256);
}

static bool id_of(EVP_PKEY *pkey, struct digest *ret_id)
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(pkey, &der);
    if (len <= 0)
        return false;
    *ret_id = digest_of(der, (size_t)len);
    OPENSSL_free(der);
    return true;
}

/* Takes the libcrypto key. */
static bool wrap(EVP_PKEY *pkey, struct sign_key **ret_key, struct err *err)
{
    struct digest id;
    if (!id_of(pkey, &id)) {
        EVP_PKEY_free(pkey);
        return fail(err, "printing a public key");
    }
    struct sign_key *key = calloc(1, sizeof *key);
    if (!key)
        memory_abort(sizeof *key);
    *key = (struct sign_key){pkey, kind_of(pkey), id};
    *ret_key = key;
    return true;
}

void sign_key_close(struct sign_key *key)
{
    if (key)
        EVP_PKEY_free(key->pkey); /* which wipes what is private */
    free(key);
}

void auto_close_sign_key(struct sign_key **key)
{
    sign_key_close(*key);
}

enum sign_key_kind sign_key_kind(const struct sign_key *key)
{
    return key->kind;
}

struct digest sign_key_id(const struct sign_key *key)
{
    return key->id;
}

static void wipe_and_free(void *bytes, const char *file, int line)
{
    (void)file, (void)line;
    if (bytes)
        explicit_bzero(bytes, malloc_usable_size(bytes));
    free(bytes);
}

static void *allocate(size_t len, const char *file, int line)
{
    (void)file, (void)line;
    return malloc(len);
}

static void *reallocate(void *bytes, size_t len, const char *file, int line)
{
    size_t before = bytes ? malloc_usable_size(bytes) : 0;
    if (before >= len && len)
        return bytes;
    void *grown = len ? malloc(len) : NULL;
    if (!grown && len)
        return NULL;
    if (grown && before)
        memcpy(grown, bytes, before < len ? before : len);
    wipe_and_free(bytes, file, line);
    return grown;
}

void sign_key_wipe_freed(void)
{
    (void)CRYPTO_set_mem_functions(allocate, reallocate, wipe_and_free);
}

bool sign_key_generate(enum sign_key_kind kind, struct sign_key **ret_key, struct err *err)
{
    EVP_PKEY *pkey = kind == SIGN_KEY_P256 ? EVP_EC_gen("P-256") : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    return pkey ? wrap(pkey, ret_key, err) : fail(err, "making a key");
}

/* --- reading --- */

/* What libcrypto asks for a passphrase. */
struct asking {
    const char *name;
    const struct sign_passphrase *passphrase;
    struct err *err;
    bool is_asked;
};

static int give_passphrase(char *buffer, int size, int is_writing, void *context)
{
    struct asking *asking = context;
    AUTO(secret_done) char *secret = NULL;
    (void)is_writing;
    if (asking->err->kind != ERR_NONE)
        return -1;
    asking->is_asked = true;
    if (!asking->passphrase->get(asking->passphrase->context, asking->name, &secret, asking->err))
        return -1;
    size_t len = strlen(secret);
    if (len > (size_t)size)
        return -1;
    memcpy(buffer, secret, len);
    return (int)len;
}

static EVP_PKEY *read_plain_der(struct text der)
{
    const unsigned char *at = (const unsigned char *)der.ptr;
    PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, (long)der.len);
    EVP_PKEY *pkey = info ? EVP_PKCS82PKEY(info) : NULL;
    PKCS8_PRIV_KEY_INFO_free(info);
    return pkey;
}

/* cosign's form; NULL with err set. */
static EVP_PKEY *read_box(struct asking *asking, struct text json)
{
    AUTO(secret_done) char *secret = NULL;
    AUTO(secret_buf_done) struct buf plain = {0};
    if (!asking->passphrase->get(asking->passphrase->context, asking->name, &secret, asking->err) ||
        !key_box_open(asking->name, json, secret, &plain, asking->err))
        return NULL;
    return read_plain_der(buf_text(&plain));
}

/* The first PEM block: its name and bytes. */
static EVP_PKEY *read_private(struct asking *asking, struct text bytes)
{
    char *label = NULL, *header = NULL;
    unsigned char *data = NULL;
    long len = 0;
    EVP_PKEY *pkey = NULL;
    BIO *bio = BIO_new_mem_buf(bytes.ptr, (int)bytes.len);
    if (bio && PEM_read_bio(bio, &label, &header, &data, &len)) {
        bool is_box =
            strcmp(label, "ENCRYPTED SIGSTORE PRIVATE KEY") == 0 || strcmp(label, "ENCRYPTED COSIGN PRIVATE KEY") == 0;
        if (is_box) {
            pkey = read_box(asking, (struct text){(const char *)data, (size_t)len});
        } else if (strcmp(label, "PUBLIC KEY") == 0) {
            err_set(asking->err, ERR_USAGE, "%s: is a public key; signing wants the private one", asking->name);
        } else {
            (void)BIO_reset(bio);
            pkey = PEM_read_bio_PrivateKey(bio, NULL, give_passphrase, asking);
        }
    }
    OPENSSL_free(label);
    OPENSSL_free(header);
    OPENSSL_clear_free(data, (size_t)len);
    BIO_free(bio);
    return pkey;
}

bool sign_key_read(const char *name, struct text bytes, const struct sign_passphrase *passphrase,
                   struct sign_key **ret_key, struct err *err)
{
    struct asking asking = {name, passphrase, err, false};
    EVP_PKEY *pkey = read_private(&asking, bytes);
    ERR_clear_error();
    if (!pkey) {
        if (err->kind == ERR_NONE && asking.is_asked)
            err_set(err, ERR_USAGE, "%s: the passphrase is not that of the key", name);
        else if (err->kind == ERR_NONE)
            err_set(err, ERR_USAGE, "%s: is no private key (PEM of PKCS#8, or as cosign writes it)", name);
        return false;
    }
    if (kind_of(pkey) == SIGN_KEY_OTHER) {
        EVP_PKEY_free(pkey);
        err_set(err, ERR_USAGE, "%s: signing is done with Ed25519 and ECDSA P-256 keys, and this is another", name);
        return false;
    }
    return wrap(pkey, ret_key, err);
}

bool sign_key_read_public(const char *name, struct text bytes, struct sign_key **ret_key, struct err *err)
{
    BIO *bio = BIO_new_mem_buf(bytes.ptr, (int)bytes.len);
    EVP_PKEY *pkey = bio ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;
    BIO_free(bio);
    ERR_clear_error();
    if (!pkey) {
        err_set(err, ERR_USAGE, "%s: is no public key (PEM, \"PUBLIC KEY\")", name);
        return false;
    }
    if (kind_of(pkey) == SIGN_KEY_OTHER && !is_fit_to_check(pkey)) {
        EVP_PKEY_free(pkey);
        err_set(err, ERR_USAGE, "%s: keys are Ed25519, ECDSA (P-256 and more) or RSA (2048 bits and more)", name);
        return false;
    }
    return wrap(pkey, ret_key, err);
}

/* --- printing --- */

/* Moves what was printed into a buffer. */
static bool take(BIO *bio, struct buf *ret, struct err *err)
{
    char *bytes;
    long len = BIO_get_mem_data(bio, &bytes);
    return (len > 0 && buf_add(ret, bytes, (size_t)len)) || fail(err, "printing a key");
}

/* PKCS#8 by scrypt and AES-256-CBC (RFC 8018, RFC 7914). */
static X509_SIG *encrypt(PKCS8_PRIV_KEY_INFO *info, const char *passphrase)
{
    unsigned char salt[SCRYPT_SALT_BYTES];
    if (getrandom(salt, sizeof salt, 0) != sizeof salt)
        return NULL;
    X509_ALGOR *how = PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), salt, sizeof salt, NULL, SCRYPT_COST, SCRYPT_BLOCK, 1);
    X509_SIG *encrypted = how ? PKCS8_set0_pbe(passphrase, (int)strlen(passphrase), info, how) : NULL;
    if (!encrypted)
        X509_ALGOR_free(how);
    return encrypted;
}

static bool write_pem(BIO *bio, PKCS8_PRIV_KEY_INFO *info, const char *passphrase)
{
    if (!*passphrase)
        return PEM_write_bio_PKCS8_PRIV_KEY_INFO(bio, info);
    X509_SIG *encrypted = encrypt(info, passphrase);
    bool is_written = encrypted && PEM_write_bio_PKCS8(bio, encrypted);
    X509_SIG_free(encrypted);
    return is_written;
}

static bool write_box(BIO *bio, PKCS8_PRIV_KEY_INFO *info, const char *passphrase, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct text json;
    unsigned char *der = NULL;
    int len = i2d_PKCS8_PRIV_KEY_INFO(info, &der);
    bool is_made =
        len > 0 && key_box_seal(&scratch, (struct text){(const char *)der, (size_t)len}, passphrase, &json, err);
    OPENSSL_clear_free(der, len > 0 ? (size_t)len : 0);
    return is_made && PEM_write_bio(bio, "ENCRYPTED SIGSTORE PRIVATE KEY", "", (const unsigned char *)json.ptr,
                                    (long)json.len) > 0;
}

bool sign_key_print(const struct sign_key *key, enum sign_key_form form, const char *passphrase, struct buf *ret,
                    struct err *err)
{
    BIO *bio = BIO_new(BIO_s_secmem());
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key->pkey);
    buf_init(ret, PEM_MAX_BYTES);
    bool is_written =
        bio && info && buf_reserve(ret, PEM_MAX_BYTES / 2) &&
        (form == SIGN_KEY_COSIGN ? write_box(bio, info, passphrase, err) : write_pem(bio, info, passphrase)) &&
        take(bio, ret, err);
    PKCS8_PRIV_KEY_INFO_free(info);
    BIO_free(bio);
    return is_written || err->kind != ERR_NONE ? is_written : fail(err, "printing a private key");
}

bool sign_key_print_public(const struct sign_key *key, struct arena *arena, struct text *ret_pem, struct err *err)
{
    AUTO(buf_done) struct buf pem = {0};
    BIO *bio = BIO_new(BIO_s_mem());
    buf_init(&pem, PEM_MAX_BYTES);
    bool is_written = bio && PEM_write_bio_PUBKEY(bio, key->pkey) && take(bio, &pem, err);
    BIO_free(bio);
    if (!is_written)
        return err->kind != ERR_NONE ? false : fail(err, "printing a public key");
    *ret_pem = (struct text){arena_strndup(arena, pem.bytes, pem.len), pem.len};
    return true;
}

/* --- signatures --- */

static const EVP_MD *hash_of(const struct sign_key *key)
{
    return key->kind == SIGN_KEY_ED25519 ? NULL : EVP_sha256();
}

bool sign_key_sign(const struct sign_key *key, struct arena *arena, struct text bytes, struct text *ret_signature,
                   struct err *err)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    const unsigned char *from = (const unsigned char *)bytes.ptr;
    size_t len = 0;
    unsigned char *signature = NULL;
    bool is_signed = context && EVP_DigestSignInit(context, NULL, hash_of(key), NULL, key->pkey) == 1 &&
                     EVP_DigestSign(context, NULL, &len, from, bytes.len) == 1;
    if (is_signed) {
        signature = arena_alloc(arena, len);
        is_signed = EVP_DigestSign(context, signature, &len, from, bytes.len) == 1;
    }
    EVP_MD_CTX_free(context);
    if (!is_signed)
        return fail(err, "signing");
    *ret_signature = (struct text){(const char *)signature, len};
    return true;
}

bool sign_key_verify(const struct sign_key *key, struct text bytes, struct text signature)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool is_good = context && EVP_DigestVerifyInit(context, NULL, hash_of(key), NULL, key->pkey) == 1 &&
                   EVP_DigestVerify(context, (const unsigned char *)signature.ptr, signature.len,
                                    (const unsigned char *)bytes.ptr, bytes.len) == 1;
    EVP_MD_CTX_free(context);
    ERR_clear_error();
    return is_good;
}
