/* SPDX-License-Identifier: Apache-2.0 */
/* key_box.h - cosign's encrypted private keys ("ENCRYPTED SIGSTORE PRIVATE KEY"): scrypt (RFC 7914) and secretbox.h over PKCS#8
 *
 * The PEM body is JSON: {"kdf":{"name":"scrypt","params":{"N","r","p"},"salt"},"cipher":{"name":"nacl/secretbox","nonce"},
 * "ciphertext"}, bytes in base64 (go-securesystemslib, encrypted). Written with N=65536, r=8, p=1 as cosign does; read
 * with N of 32768, 65536 or 131072, so that a file cannot ask for more than 128 MiB.
 * Threads: no state.
 * Owns: what is opened is the caller's, who wipes it.
 * Fails with: ERR_USAGE (no such file, wrong passphrase), ERR_LOCAL.
 */
#ifndef IMGFACTORY_SIGN_KEY_BOX_H
#define IMGFACTORY_SIGN_KEY_BOX_H

#include "base/text.h"

/* Opens the JSON of a file called `name` with a passphrase, which may be empty. `ret_plain` (initialised here; wipe it with
 * secret_buf_done()) gets PKCS#8 in DER. */
bool key_box_open(const char *name, struct text json, const char *passphrase, struct buf *ret_plain,
                  struct err *err) MUST_CHECK;
/* Makes the JSON. */
bool key_box_seal(struct arena *arena, struct text plain, const char *passphrase, struct text *ret_json,
                  struct err *err) MUST_CHECK;

#endif
