/* SPDX-License-Identifier: Apache-2.0 */
/* openpgp.h - packets of OpenPGP keys and signatures, read without any trust in their lengths
 *
 * RFC 9580, section 4 (packets) and 5.2.3.7 (subpackets). What lies in the packets is for the callers, whether a
 * signature is good for gpgv.
 * Threads: no shared state.
 * Owns: nothing; what comes out points into what went in.
 * Fails with: false, and the caller knows what it was reading.
 */
#ifndef IMGFACTORY_TRUST_OPENPGP_H
#define IMGFACTORY_TRUST_OPENPGP_H

#include "base/text.h"

enum openpgp_tag {
    OPENPGP_SIGNATURE = 2,
    OPENPGP_SECRET_KEY = 5,
    OPENPGP_PUBLIC_KEY = 6,
    OPENPGP_SECRET_SUBKEY = 7,
    OPENPGP_PUBLIC_SUBKEY = 14,
};

/* Takes a big-endian number of `width` bytes, at most 4, off the front. */
bool openpgp_take_number(struct text *rest, unsigned width, size_t *ret_number) MUST_CHECK;
/* Takes one packet off the front; false when its header or length does not fit, or has a partial or indeterminate
 * length, which keys and signatures never have. */
bool openpgp_take_packet(struct text *rest, unsigned *ret_tag, struct text *ret_body) MUST_CHECK;
/* Takes one subpacket off the front: *ret_kind without the critical bit. */
bool openpgp_take_subpacket(struct text *rest, unsigned *ret_kind, struct text *ret_body) MUST_CHECK;

#endif
