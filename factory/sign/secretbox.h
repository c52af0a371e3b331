/* SPDX-License-Identifier: Apache-2.0 */
/* secretbox.h - authenticated encryption as cosign's key files have it: XSalsa20 and Poly1305 (NaCl's crypto_secretbox)
 *
 * libcrypto has Poly1305, but no Salsa20: "Salsa20 specification" and "Extending the Salsa20 nonce" (D. J. Bernstein) are the
 * source of these few lines, and the test's vectors are NaCl's. libsodium would be a library for one file format.
 * Threads: no state.
 */
#ifndef IMGFACTORY_SIGN_SECRETBOX_H
#define IMGFACTORY_SIGN_SECRETBOX_H

#include "base/text.h"

#define SECRETBOX_KEY_BYTES 32
#define SECRETBOX_NONCE_BYTES 24
#define SECRETBOX_TAG_BYTES 16

/* Encrypts `plain` into `ret_box`, which has room for SECRETBOX_TAG_BYTES more. */
void secretbox_seal(const uint8_t key[SECRETBOX_KEY_BYTES], const uint8_t nonce[SECRETBOX_NONCE_BYTES],
                    struct text plain, uint8_t *ret_box);
/* Decrypts into `ret_plain`, which has room for box.len less SECRETBOX_TAG_BYTES; false when it was made with another key, or
 * altered: nothing is written then. */
bool secretbox_open(const uint8_t key[SECRETBOX_KEY_BYTES], const uint8_t nonce[SECRETBOX_NONCE_BYTES], struct text box,
                    uint8_t *ret_plain) MUST_CHECK;

#endif
