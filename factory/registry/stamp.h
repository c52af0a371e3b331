/* SPDX-License-Identifier: Apache-2.0 */
/* stamp.h - the tag that tells when a digest was published: "20261129T021311Z-84514acef0ab"
 *
 * The time of the push (UTC, ISO 8601 basic format) and the first characters of the digest: no other digest gets it, and it says by
 * its name alone what it is at and since when. Reproducible images have no clock, and registries tell none, so this is how
 * long something has been published is known from a list of tags, on any machine.
 * Threads: no state.
 */
#ifndef IMGFACTORY_REGISTRY_STAMP_H
#define IMGFACTORY_REGISTRY_STAMP_H

#include "base/digest.h"
#include "base/text.h"

#define STAMP_DIGEST_CHARS ((size_t)12)

/* The first characters of a digest, in hexadecimal. */
struct stamp_digest {
    char chars[STAMP_DIGEST_CHARS + 1];
};

/* Returns them. */
struct stamp_digest stamp_digest_of(const struct digest *digest);
/* Makes the stamp of a digest that is published at a time (seconds since 1970). */
const char *stamp_print(struct arena *arena, int64_t seconds, const struct digest *digest);
/* Reads one; false for any other tag. */
bool stamp_parse(const char *tag, int64_t *ret_seconds, struct stamp_digest *ret_digest) MUST_CHECK;
/* Appends "-84514acef0ab" to a tag, which is cut where it would be longer than tags may be. */
const char *stamp_tag(struct arena *arena, const char *tag, const struct digest *digest);
/* Splits a tag that ends so; false for any other. */
bool stamp_split(const char *tag, struct text *ret_before, struct stamp_digest *ret_digest) MUST_CHECK;

#endif
