/* SPDX-License-Identifier: Apache-2.0 */
/* base64.h - base64 as bundles and key files have it (RFC 4648, section 4: with padding, no line ends)
 *
 * Threads: no state.
 * Owns: what is made lives in the arena given.
 */
#ifndef IMGFACTORY_SIGN_BASE64_H
#define IMGFACTORY_SIGN_BASE64_H

#include "base/text.h"

/* Encodes. */
char *base64_encode(struct arena *arena, struct text bytes) __attribute__((returns_nonnull));
/* Decodes; false when it is none, or says one thing in another way than base64_encode() does. */
bool base64_decode(struct arena *arena, struct text encoded, struct text *ret_bytes) MUST_CHECK;

#endif
