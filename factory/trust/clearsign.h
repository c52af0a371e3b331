/* SPDX-License-Identifier: Apache-2.0 */
/* clearsign.h - the shape of a cleartext-signed file (RFC 9580, section 7): one block, nothing outside
 *
 * gpgv accepts text before and after the signed block, so the shape is checked before gpgv sees the file.
 * Threads: no shared state.
 * Fails with: ERR_TRUST.
 */
#ifndef IMGFACTORY_TRUST_CLEARSIGN_H
#define IMGFACTORY_TRUST_CLEARSIGN_H

#include "base/text.h"

/* Checks that the bytes are exactly one signed block: first line BEGIN PGP SIGNED MESSAGE, then only Hash headers, the
 * text, one signature, its END line, and nothing more than line ends behind. ret_text is the text with its
 * dash-escapes undone, in the arena. `name` is for messages. */
bool clearsign_open(struct arena *arena, const char *name, struct text bytes, struct text *ret_text,
                    struct err *err) MUST_CHECK;

#endif
