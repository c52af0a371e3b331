/* SPDX-License-Identifier: Apache-2.0 */
/* sign_key.h - keys that sign and keys that check: files of them, signatures
 *
 * Private keys: PEM of PKCS#8, plain or encrypted (RFC 7468, RFC 5958), of SEC 1 ("EC PRIVATE KEY"), or as cosign encrypts them
 * (key_box.h). Those that sign are Ed25519 (RFC 8032, pure: the same bytes have the same signature) or ECDSA on P-256 with
 * SHA-256, in DER; RSA of 2048 bits and more, P-384 and P-521, with SHA-256, too, are fit to check with.
 * Threads: a key may be used by several threads at a time.
 * Owns: struct sign_key owns a libcrypto key until sign_key_close(), which wipes it.
 * Fails with: ERR_USAGE (no key, wrong passphrase, of another kind), ERR_LOCAL (libcrypto).
 */
#ifndef IMGFACTORY_SIGN_SIGN_KEY_H
#define IMGFACTORY_SIGN_SIGN_KEY_H

#include "base/digest.h"

#define SIGN_KEY_FILE_MAX_BYTES ((size_t)64 * 1024)

enum sign_key_kind { SIGN_KEY_ED25519, SIGN_KEY_P256, SIGN_KEY_OTHER };
/* How a private key is written. */
enum sign_key_form { SIGN_KEY_PEM, SIGN_KEY_COSIGN };

struct sign_key;

/* Somebody who knows passphrases. */
struct sign_passphrase {
    /* Gives that of a file (malloc'd; the caller wipes it with secret_done()); asked only when the file is encrypted. */
    bool (*get)(void *context, const char *name, char **ret_passphrase, struct err *err);
    void *context;
};

/* Has libcrypto wipe all that it frees: in reading an encrypted key it leaves the key behind in memory. Called once, before
 * anything else of it is used; later it does nothing. */
void sign_key_wipe_freed(void);
/* Makes a new key. */
bool sign_key_generate(enum sign_key_kind kind, struct sign_key **ret_key, struct err *err) MUST_CHECK;
/* Reads a private key that signs, from the bytes of a file called `name`. */
bool sign_key_read(const char *name, struct text bytes, const struct sign_passphrase *passphrase,
                   struct sign_key **ret_key, struct err *err) MUST_CHECK;
/* Reads a public key ("PUBLIC KEY"). */
bool sign_key_read_public(const char *name, struct text bytes, struct sign_key **ret_key, struct err *err) MUST_CHECK;
/* Prints a private key; with the empty passphrase SIGN_KEY_PEM is not encrypted. `ret` (initialised here) is wiped by the
 * caller with secret_buf_done(). */
bool sign_key_print(const struct sign_key *key, enum sign_key_form form, const char *passphrase, struct buf *ret,
                    struct err *err) MUST_CHECK;
/* Prints the public key as PEM. */
bool sign_key_print_public(const struct sign_key *key, struct arena *arena, struct text *ret_pem,
                           struct err *err) MUST_CHECK;
enum sign_key_kind sign_key_kind(const struct sign_key *key);
/* Names a key: SHA-256 of its SubjectPublicKeyInfo, as cosign does. */
struct digest sign_key_id(const struct sign_key *key);
/* Signs bytes. */
bool sign_key_sign(const struct sign_key *key, struct arena *arena, struct text bytes, struct text *ret_signature,
                   struct err *err) MUST_CHECK;
/* Returns whether a signature of these bytes was made with the key. */
bool sign_key_verify(const struct sign_key *key, struct text bytes, struct text signature);
/* Wipes and frees. NULL is fine. */
void sign_key_close(struct sign_key *key);
/* sign_key_close(), for AUTO(). */
void auto_close_sign_key(struct sign_key **key);

#endif
