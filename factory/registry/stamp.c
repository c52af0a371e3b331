/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/stamp.h"

#include "base/date.h"

#include <stdio.h>

#define TAG_MAX_CHARS ((size_t)128) /* distribution-spec, "Pulling manifests" */

struct stamp_digest stamp_digest_of(const struct digest *digest)
{
    struct stamp_digest part = {{0}};
    memcpy(part.chars, digest_hex(digest).chars, STAMP_DIGEST_CHARS);
    return part;
}

const char *stamp_print(struct arena *arena, int64_t seconds, const struct digest *digest)
{
    return stamp_tag(arena, date_print_basic(seconds).chars, digest);
}

const char *stamp_tag(struct arena *arena, const char *tag, const struct digest *digest)
{
    size_t most = TAG_MAX_CHARS - STAMP_DIGEST_CHARS - 1, len = strlen(tag);
    return arena_printf(arena, "%.*s-%s", (int)(len < most ? len : most), tag, stamp_digest_of(digest).chars);
}

bool stamp_split(const char *tag, struct text *ret_before, struct stamp_digest *ret_digest)
{
    size_t len = strlen(tag);
    if (len <= STAMP_DIGEST_CHARS + 1 || tag[len - STAMP_DIGEST_CHARS - 1] != '-')
        return false;
    const char *part = tag + len - STAMP_DIGEST_CHARS;
    if (strspn(part, "0123456789abcdef") != STAMP_DIGEST_CHARS)
        return false;
    *ret_digest = (struct stamp_digest){{0}};
    memcpy(ret_digest->chars, part, STAMP_DIGEST_CHARS);
    *ret_before = (struct text){tag, len - STAMP_DIGEST_CHARS - 1};
    return true;
}

bool stamp_parse(const char *tag, int64_t *ret_seconds, struct stamp_digest *ret_digest)
{
    struct text before;
    return stamp_split(tag, &before, ret_digest) && date_parse_basic(before, ret_seconds);
}
