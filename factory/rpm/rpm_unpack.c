/* SPDX-License-Identifier: Apache-2.0 */
/* The order matters: signatures over bytes that nobody has looked into, then the header that they vouch for, then the
 * digest of the payload in it, and only then the payload. */
#include "rpm/rpm_unpack.h"

#include "base/auto.h"
#include "package/pack.h"
#include "package/unpacking.h"
#include "rpm/rpm_facts.h"
#include "rpm/rpm_payload.h"
#include "rpm/rpm_signature.h"

/* Finds header and payload, and makes sure of both as far as the package and the keys (if any) allow. */
static bool open_trusted(struct arena *arena, struct text rpm, const struct keyrings *keys,
                         struct rpm_archive *ret_archive, struct rpm_header *ret_header, struct err *err)
{
    bool covers_payload = true, has_digest;
    if (!rpm_archive_read(arena, rpm, ret_archive, err) ||
        (keys && !rpm_signature_check(arena, ret_archive, keys, false, &covers_payload, err)) ||
        !rpm_header_read(arena, ret_archive->header, RPM_HEADER_MAIN, ret_header, err) ||
        !rpm_archive_check_payload(ret_archive, ret_header, &has_digest, err))
        return false;
    /* Of old packages the header signature says nothing of the payload. */
    return !keys || has_digest || covers_payload ||
           rpm_signature_check(arena, ret_archive, keys, true, &covers_payload, err);
}

bool rpm_unpack(struct store *store, struct text rpm, const struct package_expect *expect,
                const struct unpack_limits *limits, struct err *err)
{
    AUTO(unpacking_done) struct unpacking unpacking;
    struct rpm_archive archive;
    struct rpm_header header;
    unpacking_init(&unpacking, limits);
    unpacking.package.format = expect->format;
    unpacking.package.digest = expect->digest;
    if (!open_trusted(&unpacking.arena, rpm, expect->keys, &archive, &header, err) ||
        !rpm_facts_read(&unpacking.arena, &header, &unpacking.package, err) ||
        !package_check_expect(&unpacking.package, expect, err))
        return false;
    struct digest key = package_key(expect);
    return blob_begin(store, &unpacking.blob, err) && rpm_payload_read(&unpacking, &header, archive.payload, err) &&
           unpacking_finish(&unpacking, err) && blob_commit_derived(&unpacking.blob, PACK_KIND, &key, err);
}
