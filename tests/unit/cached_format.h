/* SPDX-License-Identifier: Apache-2.0 */
/* Files of the cache that a later program reads name their format by a number that is raised by hand. Each test writes a
 * small file and knows its bytes: when they change, the number has to be raised, and the new bytes' digest put there. */
#ifndef CACHED_FORMAT_H
#define CACHED_FORMAT_H

#include "base/digest.h"
#include "check.h"

#include <endian.h>

static inline void expect_bytes(const char *format, const char *wanted_format, const struct digest *digest,
                                const char *wanted)
{
    if (strcmp(format, wanted_format) != 0)
        fail_msg("the format is %s now: put it and the digest %s here", format, digest_hex(digest).chars);
    if (BYTE_ORDER == LITTLE_ENDIAN && strcmp(digest_hex(digest).chars, wanted) != 0)
        fail_msg("\"%s\" has other bytes (%s) than a file of that number had: raise the number", format,
                 digest_hex(digest).chars);
}

#endif
