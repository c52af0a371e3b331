/* SPDX-License-Identifier: Apache-2.0 */
/* sha1.h - SHA-1 (FIPS 180-4) by libcrypto, where a format demands it beside a better one; nothing is trusted by it
 *
 * Threads: no state.
 */
#ifndef IMGFACTORY_BASE_SHA1_H
#define IMGFACTORY_BASE_SHA1_H

#include <stddef.h>
#include <stdint.h>

struct sha1 {
    uint8_t bytes[20];
};

/* Lower-case hex with a NUL, as a value. */
struct sha1_hex {
    char chars[41];
};

/* Hashes a whole buffer. */
struct sha1 sha1_of(const void *bytes, size_t len);
/* Prints 40 lower-case hex digits. */
struct sha1_hex sha1_hex(const struct sha1 *sha1);

#endif
