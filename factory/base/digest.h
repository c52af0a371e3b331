/* SPDX-License-Identifier: Apache-2.0 */
/* digest.h - SHA-256 (FIPS 180-4) by libcrypto, and its "sha256:<hex>" form (OCI image-spec, descriptor.md, Digests)
 *
 * Threads: a struct digest_stream belongs to one thread; the rest has no state.
 * Owns: a stream owns a libcrypto context until digest_end() or digest_abandon().
 */
#ifndef IMGFACTORY_BASE_DIGEST_H
#define IMGFACTORY_BASE_DIGEST_H

#include "base/text.h"

#define DIGEST_BYTES 32
#define DIGEST_HEX_SIZE 65

struct digest {
    uint8_t bytes[DIGEST_BYTES];
};

/* Lower-case hex with a NUL, as a value: printf("%s", digest_hex(&d).chars). */
struct digest_hex {
    char chars[DIGEST_HEX_SIZE];
};

/* SHA-256 or SHA-512, where a format may use either (RPM-MD, metalink). */
enum checksum_kind { CHECKSUM_SHA256, CHECKSUM_SHA512 };
struct checksum {
    enum checksum_kind kind;
    uint8_t bytes[64]; /* CHECKSUM_SHA256: the first 32 */
};

struct digest_stream {
    void *context;
};

/* Hashes a whole buffer. */
struct digest digest_of(const void *bytes, size_t len);
/* Begins, feeds, ends a running hash. digest_end() frees the stream. */
void digest_begin(struct digest_stream *stream);
void digest_feed(struct digest_stream *stream, const void *bytes, size_t len);
struct digest digest_end(struct digest_stream *stream);
/* Frees a stream without a result; accepts a zeroed or ended one. For AUTO(). */
void digest_abandon(struct digest_stream *stream);
/* Hashes with a secret (HMAC-SHA-256, RFC 2104): only who knows the secret can make it. */
struct digest digest_keyed(const struct digest *secret, const void *bytes, size_t len);
/* Prints 64 lower-case hex digits. */
struct digest_hex digest_hex(const struct digest *digest);
/* Parses exactly 64 hex digits (either case, as in Debian's Release files). */
bool digest_parse(struct text hex, struct digest *ret_digest) MUST_CHECK;
/* Compares. */
bool digest_eq(const struct digest *a, const struct digest *b);

#endif
