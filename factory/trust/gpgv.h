/* SPDX-License-Identifier: Apache-2.0 */
/* gpgv.h - who signed a Release, by gpgv as a child process
 *
 * gpgv's exit status is wrong in both directions (0 for an expired key or SHA-1, 2 beside a good signature), so only
 * the lines of --status-fd count (GnuPG's doc/DETAILS).
 * Threads: any.
 * Fails with: ERR_LOCAL (gpgv missing, time-out), ERR_MALFORMED.
 */
#ifndef IMGFACTORY_TRUST_GPGV_H
#define IMGFACTORY_TRUST_GPGV_H

#include "trust/keyring.h"

/* What the status lines say. Key ids and fingerprints are hex. */
struct gpgv_verdict {
    const char *signed_by; /* fingerprint of the first key whose signature counts, or NULL */
    bool has_bad;          /* a signature does not fit the text: then nothing counts */
    struct strings bad, unknown, expired_keys, expired_signatures, revoked, weak, not_allowed, unchecked;
    struct text
        text; /* that was signed, when a signature counts; in the arena, or of a detached one the message itself */
};

/* Judges status lines; leaves `text` empty. A signature counts when GOODSIG is directly followed by VALIDSIG (notations
 * between them aside) with SHA-256 or better, and its key or primary key is among `fingerprints` unless that is
 * empty. */
void gpgv_judge(struct arena *arena, struct text status, const struct strings *fingerprints,
                struct gpgv_verdict *ret_verdict);
/* Says in words why no signature counts. */
const char *gpgv_reasons(struct arena *arena, const struct gpgv_verdict *verdict);
/* Runs gpgv over a clear-signed message (signature.ptr NULL) or over text with a detached signature. */
bool gpgv_run(struct arena *arena, const struct keyrings *keyrings, struct text message, struct text signature,
              const struct strings *fingerprints, struct gpgv_verdict *ret_verdict, struct err *err) MUST_CHECK;

#endif
