/* SPDX-License-Identifier: Apache-2.0 */
/* rpm_archive.h - the parts of an .rpm: lead, signature header, main header, payload; and their digests
 *
 * Format: https://rpm-software-management.github.io/rpm/manual/format_v3.html, format_v4.html and format_v6.html. Of
 * the lead (96 bytes) only magic, major version, type and signature type count. The signature header is padded to 8
 * bytes; it is signed by nothing, and only read for signatures, digests and sizes of what follows it.
 * Threads: no state.
 * Owns: nothing; parts are views of the file.
 * Fails with: ERR_MALFORMED; ERR_TRUST when a digest differs.
 */
#ifndef IMGFACTORY_RPM_RPM_ARCHIVE_H
#define IMGFACTORY_RPM_RPM_ARCHIVE_H

#include "rpm/rpm_header.h"

struct rpm_archive {
    struct rpm_header signature;
    struct text header;       /* the main header's bytes, not looked at but for their number */
    struct text payload;      /* compressed */
    struct text signed_whole; /* header and payload: what the signatures of old packages sign */
};

/* Finds the parts. The header's digest (SHA3-256, SHA-256, SHA-1) and the size of header and payload are checked where
 * the signature header tells them: they find damage, and prove nothing. */
bool rpm_archive_read(struct arena *arena, struct text rpm, struct rpm_archive *ret_archive,
                      struct err *err) MUST_CHECK;
/* Checks the payload against the main header: its size (format 6: ERR_MALFORMED), and its digest (SHA-256, SHA-512 or
 * SHA3-256 over its compressed bytes).
 * *ret_has_digest is false when the header has none of them (rpm before 4.14). */
bool rpm_archive_check_payload(const struct rpm_archive *archive, const struct rpm_header *header, bool *ret_has_digest,
                               struct err *err) MUST_CHECK;

#endif
