/* SPDX-License-Identifier: Apache-2.0 */
/* rpm_signature.h - who signed an .rpm
 *
 * Signatures are OpenPGP packets (RFC 9580, section 5.2) in the signature header: over the main header alone (RSA 268;
 * DSA 267, which has EdDSA and ECDSA too; OPENPGP 278, base64), or in old packages over header and payload (PGP 1002,
 * GPG 1005). Each is one packet, binary, version 3 or 4, RSA, ECDSA or EdDSA, with SHA-256 or better; DSA, SHA-1 and
 * MD5 do not count. gpgv checks them, one child process each until one counts: mostly one per package.
 * Threads: any.
 * Fails with: ERR_TRUST (not signed, by no key of the source, bad), ERR_MALFORMED, ERR_LOCAL (gpgv missing).
 */
#ifndef IMGFACTORY_RPM_RPM_SIGNATURE_H
#define IMGFACTORY_RPM_RPM_SIGNATURE_H

#include "rpm/rpm_archive.h"
#include "trust/gpgv.h"

/* What one signature packet says of itself, before anyone checked it. */
struct rpm_signature_packet {
    unsigned version, type, key_algorithm, hash_algorithm;
    char issuer[17]; /* key id as upper-case hex, or "" */
};

/* Reads the packet that fills the bytes; false when they are none or more than that. */
bool rpm_signature_parse(struct text bytes, struct rpm_signature_packet *ret_packet) MUST_CHECK;

/* Checks that one of the keys signed the package's header. *ret_covers_payload tells that a signature over header and
 * payload was what counted; such a one is asked for when `needs_payload`, else it is the second choice. */
bool rpm_signature_check(struct arena *arena, const struct rpm_archive *archive, const struct keyrings *keys,
                         bool needs_payload, bool *ret_covers_payload, struct err *err) MUST_CHECK;

#endif
