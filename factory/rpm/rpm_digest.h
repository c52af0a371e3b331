/* SPDX-License-Identifier: Apache-2.0 */
/* rpm_digest.h - running digests by the algorithm numbers that RPM headers use
 *
 * The numbers are OpenPGP's (RFC 9580, section 9.5): 1 MD5, 2 SHA-1, 8 SHA-256, 9 SHA-384, 10 SHA-512, 11 SHA-224,
 * 12 SHA3-256, 14 SHA3-512. Digests are compared as hexadecimal text, as headers have them.
 * Threads: a struct rpm_digest belongs to one thread.
 * Owns: a libcrypto context, until rpm_digest_end() or rpm_digest_abandon().
 */
#ifndef IMGFACTORY_RPM_RPM_DIGEST_H
#define IMGFACTORY_RPM_RPM_DIGEST_H

#include "base/text.h"

enum { RPM_MD5 = 1, RPM_SHA1 = 2, RPM_SHA256 = 8, RPM_SHA384 = 9, RPM_SHA512 = 10, RPM_SHA3_256 = 12 };

#define RPM_DIGEST_HEX_SIZE 129

/* Zero-initialise to use. */
struct rpm_digest {
    void *context;
};

/* Returns whether the number is one that is read at all. */
bool rpm_digest_is_known(uint64_t algorithm);
/* Returns whether the algorithm is SHA-256 or better: one that can be trusted. */
bool rpm_digest_is_strong(uint64_t algorithm);
/* Begins; false when the host's libcrypto does not offer it (MD5 on a FIPS host). */
bool rpm_digest_begin(struct rpm_digest *digest, uint64_t algorithm) MUST_CHECK;
/* Feeds; a digest that was not begun is left alone. */
void rpm_digest_feed(struct rpm_digest *digest, struct text bytes);
/* Ends and compares with hexadecimal text. */
bool rpm_digest_end(struct rpm_digest *digest, const char *expected) MUST_CHECK;
/* Frees; accepts a zeroed or ended one. For AUTO(). */
void rpm_digest_abandon(struct rpm_digest *digest);
/* Compares the digest of a whole buffer; true when the host's libcrypto does not offer the algorithm and it is a weak
 * one. */
bool rpm_digest_matches(uint64_t algorithm, struct text bytes, const char *expected) MUST_CHECK;

#endif
