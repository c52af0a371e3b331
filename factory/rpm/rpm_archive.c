/* SPDX-License-Identifier: Apache-2.0 */
#include "rpm/rpm_archive.h"

#include "rpm/rpm_digest.h"

#define LEAD_BYTES 96u
#define SIGNATURE_ALIGN 8u
#define SIGNATURE_TYPE_HEADER 5u

/* Tags of the signature header. */
#define SIGTAG_SHA1 269u
#define SIGTAG_LONGSIZE 270u
#define SIGTAG_SHA256 273u
#define SIGTAG_SHA3_256 279u
#define SIGTAG_SIZE 1000u

/* Tags of the main header. */
#define TAG_PAYLOADSHA256 5092u
#define TAG_PAYLOADDIGESTALGO 5093u
#define TAG_PAYLOADSIZE 5112u
#define TAG_PAYLOADSHA512 5121u
#define TAG_PAYLOADSHA3_256 5123u

static bool fault(const char *why, struct err *err)
{
    err_set(err, ERR_MALFORMED, "not a valid RPM package: %s", why);
    return false;
}

static bool check_lead(struct text rpm, struct err *err)
{
    const unsigned char *lead = (const unsigned char *)rpm.ptr;
    if (rpm.len < LEAD_BYTES || memcmp(lead, "\xed\xab\xee\xdb", 4) != 0)
        return fault("it does not begin with the magic number", err);
    if (lead[4] != 3 && lead[4] != 4) {
        err_set(err, ERR_MALFORMED, "an RPM package of format %u, which is not supported (3, 4 and 6 are)", lead[4]);
        return false;
    }
    if (lead[6] != 0 || lead[7] != 0)
        return fault("a source package, where a binary one should be", err);
    if (lead[78] != 0 || lead[79] != SIGNATURE_TYPE_HEADER)
        return fault("its signature is not a header (rpm 2 packages are not supported)", err);
    return true;
}

/* Takes `len` bytes off the front. */
static struct text take(struct text *rest, size_t len)
{
    struct text taken = {rest->ptr, len};
    rest->ptr += len;
    rest->len -= len;
    return taken;
}

static bool take_padding(struct text *rest, size_t header_bytes, struct err *err)
{
    size_t len = -header_bytes % SIGNATURE_ALIGN;
    if (rest->len < len)
        return fault("the file ends behind the signature header", err);
    struct text padding = take(rest, len);
    for (size_t i = 0; i < len; i++) {
        if (padding.ptr[i] != '\0')
            return fault("there are bytes in the padding behind the signature header", err);
    }
    return true;
}

static bool check_sizes(const struct rpm_archive *archive, struct err *err)
{
    uint64_t size, long_size;
    if (!rpm_header_number(&archive->signature, SIGTAG_SIZE, archive->signed_whole.len, &size, err) ||
        !rpm_header_number(&archive->signature, SIGTAG_LONGSIZE, archive->signed_whole.len, &long_size, err))
        return false;
    if (size == archive->signed_whole.len && long_size == archive->signed_whole.len)
        return true;
    err_set(err, ERR_MALFORMED,
            "not a valid RPM package: header and payload have %zu bytes, its signature header says %llu",
            archive->signed_whole.len, (unsigned long long)(size == archive->signed_whole.len ? long_size : size));
    return false;
}

static bool check_header_digests(const struct rpm_archive *archive, struct err *err)
{
    static const struct {
        uint32_t tag;
        unsigned algorithm;
        const char *name;
    } known[] = {{SIGTAG_SHA3_256, RPM_SHA3_256, "SHA3-256"},
                 {SIGTAG_SHA256, RPM_SHA256, "SHA-256"},
                 {SIGTAG_SHA1, RPM_SHA1, "SHA-1"}};
    for (size_t i = 0; i < ARRAY_COUNT(known); i++) {
        const char *expected;
        if (!rpm_header_string(&archive->signature, known[i].tag, &expected, err))
            return false;
        if (expected && !rpm_digest_matches(known[i].algorithm, archive->header, expected)) {
            err_set(err, ERR_TRUST, "damaged package: the %s digest of its header differs", known[i].name);
            return false;
        }
    }
    return true;
}

bool rpm_archive_read(struct arena *arena, struct text rpm, struct rpm_archive *ret_archive, struct err *err)
{
    struct rpm_archive archive = {0};
    struct text rest = rpm;
    size_t len;
    if (!check_lead(rpm, err))
        return false;
    (void)take(&rest, LEAD_BYTES);
    if (!rpm_header_measure(rest, RPM_HEADER_SIGNATURE, &len, err) ||
        !rpm_header_read(arena, take(&rest, len), RPM_HEADER_SIGNATURE, &archive.signature, err) ||
        !take_padding(&rest, len, err))
        return false;
    archive.signed_whole = rest;
    if (!rpm_header_measure(rest, RPM_HEADER_MAIN, &len, err))
        return false;
    archive.header = take(&rest, len);
    archive.payload = rest;
    if (!check_sizes(&archive, err) || !check_header_digests(&archive, err))
        return false;
    *ret_archive = archive;
    return true;
}

/* Packages of format 6 have the payload's size in the main header: one that was cut off is no forgery. */
static bool check_payload_size(const struct rpm_archive *archive, const struct rpm_header *header, struct err *err)
{
    uint64_t size;
    if (!rpm_header_number(header, TAG_PAYLOADSIZE, archive->payload.len, &size, err))
        return false;
    if (size == archive->payload.len)
        return true;
    err_set(err, ERR_MALFORMED, "not a valid RPM package: its payload has %zu bytes, its header says %llu",
            archive->payload.len, (unsigned long long)size);
    return false;
}

bool rpm_archive_check_payload(const struct rpm_archive *archive, const struct rpm_header *header, bool *ret_has_digest,
                               struct err *err)
{
    static const struct {
        uint32_t tag;
        unsigned algorithm;
    } known[] = {{TAG_PAYLOADSHA256, RPM_SHA256}, {TAG_PAYLOADSHA512, RPM_SHA512}, {TAG_PAYLOADSHA3_256, RPM_SHA3_256}};
    *ret_has_digest = false;
    if (!check_payload_size(archive, header, err))
        return false;
    for (size_t i = 0; i < ARRAY_COUNT(known); i++) {
        const char *expected;
        uint64_t algorithm = known[i].algorithm;
        if (!rpm_header_string(header, known[i].tag, &expected, err) ||
            (known[i].tag == TAG_PAYLOADSHA256 &&
             !rpm_header_number(header, TAG_PAYLOADDIGESTALGO, algorithm, &algorithm, err)))
            return false;
        if (!expected || !rpm_digest_is_strong(algorithm))
            continue;
        if (!rpm_digest_matches(algorithm, archive->payload, expected)) {
            err_set(err, ERR_TRUST, "damaged package: the digest of its payload differs from the one in its header");
            return false;
        }
        *ret_has_digest = true;
        return true;
    }
    return true;
}
