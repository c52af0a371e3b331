/* SPDX-License-Identifier: Apache-2.0 */
/* checksum.h - struct checksum of digest.h: SHA-256 or SHA-512 (FIPS 180-4), where a format may use either
 *
 * Threads: a struct checksum_stream belongs to one thread; the rest has no state.
 * Owns: a stream owns a libcrypto context until checksum_end() or checksum_abandon().
 */
#ifndef IMGFACTORY_BASE_CHECKSUM_H
#define IMGFACTORY_BASE_CHECKSUM_H

#include "base/digest.h"

/* "sha512:<hex>", as a value: printf("%s", checksum_text(&c).chars). */
struct checksum_text {
    char chars[8 + 128 + 1];
};

struct checksum_stream {
    enum checksum_kind kind;
    void *context;
};

/* Begins, feeds, ends a running hash. checksum_end() frees the stream. */
void checksum_begin(struct checksum_stream *stream, enum checksum_kind kind);
void checksum_feed(struct checksum_stream *stream, const void *bytes, size_t len);
struct checksum checksum_end(struct checksum_stream *stream);
/* Frees a stream without a result; accepts a zeroed or ended one. For AUTO(). */
void checksum_abandon(struct checksum_stream *stream);
/* Hashes a whole buffer. */
struct checksum checksum_of(enum checksum_kind kind, const void *bytes, size_t len);
/* Returns how many of `bytes` count: 32 or 64. */
size_t checksum_len(enum checksum_kind kind);
/* Finds a kind by the name that RPM-MD and metalinks give it ("sha256", "sha512"); false for others, weak ones too. */
bool checksum_find_kind(struct text name, enum checksum_kind *ret_kind) MUST_CHECK;
/* Parses exactly the hex digits of that kind, either case. */
bool checksum_parse(enum checksum_kind kind, struct text hex, struct checksum *ret_checksum) MUST_CHECK;
/* Compares kind and bytes. */
bool checksum_eq(const struct checksum *a, const struct checksum *b);
/* Prints the kind, a colon and lower-case hex digits. */
struct checksum_text checksum_text(const struct checksum *checksum);
/* Returns a digest as the checksum that it is. */
struct checksum checksum_of_digest(const struct digest *digest);
/* Returns a SHA-256 as a digest. The kind must be CHECKSUM_SHA256. */
struct digest checksum_digest(const struct checksum *checksum);

#endif
