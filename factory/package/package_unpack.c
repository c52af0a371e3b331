/* SPDX-License-Identifier: Apache-2.0 */
#include "package/package_unpack.h"

#include "source/format.h"

#define MAX_ENTRIES ((size_t)2000000)
#define MAX_NAME_BYTES ((size_t)512 << 20)
#define MAX_RATIO ((uint64_t)4096)
#define RATIO_SLACK_BYTES ((uint64_t)64 << 20)

struct unpack_limits unpack_limits_for(size_t package_bytes)
{
    uint64_t bytes;
    if (__builtin_mul_overflow((uint64_t)package_bytes, MAX_RATIO, &bytes) ||
        __builtin_add_overflow(bytes, RATIO_SLACK_BYTES, &bytes) || bytes > PACKAGE_MAX_BYTES)
        bytes = PACKAGE_MAX_BYTES;
    return (struct unpack_limits){.unpacked_bytes = bytes, .entries = MAX_ENTRIES, .name_bytes = MAX_NAME_BYTES};
}

bool package_unpack_within(struct store *store, struct text bytes, const struct package_expect *expect,
                           const struct unpack_limits *limits, struct err *err)
{
    if (expect->format->unpack(store, bytes, expect, limits, err))
        return true;
    err_wrap(err, "package %s %s %s", expect->name ? expect->name : digest_hex(&expect->digest).chars,
             expect->version ? expect->version : "", expect->architecture ? expect->architecture : "");
    return false;
}

bool package_unpack(struct store *store, struct text bytes, const struct package_expect *expect, struct err *err)
{
    struct unpack_limits limits = unpack_limits_for(bytes.len);
    return package_unpack_within(store, bytes, expect, &limits, err);
}
