/* SPDX-License-Identifier: Apache-2.0 */
/* metalink.h - which repomd.xml is right, and which mirrors have it: Metalink 3.0 as Fedora's mirror manager writes it
 *
 * http://www.metalinker.org/ (version 3.0), with mm0:timestamp and mm0:alternates (older versions of the file that are
 * still fine) of http://fedorahosted.org/mirrormanager. Also the plain list of URLs that `mirrorlist` gives.
 * Threads: no shared state.
 * Fails with: ERR_MALFORMED; ERR_TRUST when there is no strong hash.
 */
#ifndef IMGFACTORY_RPMMD_METALINK_H
#define IMGFACTORY_RPMMD_METALINK_H

#include "base/checksum.h"

#define METALINK_MAX_BYTES (4u << 20)
/* Mirrors beyond these are not asked. */
#define METALINK_MIRRORS_MAX 16

/* One version of repomd.xml that is fine. */
struct metalink_version {
    struct checksum checksum; /* the strongest that is given */
    bool has_checksum;
    uint64_t size_bytes;
    bool has_size;
};

struct metalink {
    struct {
        struct metalink_version *items; /* the newest first */
        size_t count, capacity;
    } versions;
    struct strings base_urls; /* each ending in '/': https before http, then by preference, at most
                                 METALINK_MIRRORS_MAX */
};

/* Parses a metalink of "repomd.xml" that came from `url` (for messages and, when it is a file:, to allow file: mirrors
 * in it). Mirrors of other schemes are passed over. None left: ERR_MALFORMED. */
bool metalink_parse(struct arena *arena, const char *url, struct text bytes, struct metalink *ret_metalink,
                    struct err *err) MUST_CHECK;
/* Parses a mirror list: a base URL on each line, blank lines and '#' comments between them. */
bool mirrorlist_parse(struct arena *arena, const char *url, struct text bytes, struct strings *ret_base_urls,
                      struct err *err) MUST_CHECK;
/* Returns whether the bytes look like a metalink and not like a mirror list. */
bool metalink_is(struct text bytes);
/* Returns whether these bytes are one of the versions. */
bool metalink_has(const struct metalink *metalink, struct text bytes);

#endif
