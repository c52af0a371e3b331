/* SPDX-License-Identifier: Apache-2.0 */
/* rpm_payload.h - private to rpm/: the payload of an .rpm into entries, checked against the header's list
 *
 * Every file of the list that is no %ghost must come exactly once, of the kind and size that the list says, with bytes
 * of the digest it says (MD5 and SHA-1 of old packages too, but it is the payload's own digest, the signature or the
 * index that vouches for those); nothing else may come. Of the names of a hard-linked file one has the bytes, the
 * others come without. Modes, owners, times, capabilities and link targets are the header's.
 * Threads: any worker.
 * Fails with: ERR_MALFORMED, ERR_TRUST (a file's digest differs), ERR_LOCAL.
 */
#ifndef IMGFACTORY_RPM_RPM_PAYLOAD_H
#define IMGFACTORY_RPM_RPM_PAYLOAD_H

#include "package/unpacking.h"
#include "rpm/rpm_header.h"

/* Unpacks; unpacking->blob is begun. */
bool rpm_payload_read(struct unpacking *unpacking, const struct rpm_header *header, struct text payload,
                      struct err *err) MUST_CHECK;

#endif
