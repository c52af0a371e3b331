/* SPDX-License-Identifier: Apache-2.0 */
/* signing.h - the keys that a call signs with (--sign, or the site file's `sign`)
 *
 * Threads: main only, before anything is confined.
 * Fails with: as sign/signer.h.
 */
#ifndef IMGFACTORY_CLI_SIGNING_H
#define IMGFACTORY_CLI_SIGNING_H

#include "cli/command.h"

/* Opens them once for the process, and asks for their passphrases; *ret_signers NULL: nothing is signed. They live in the command. */
bool signing_open(struct command *command, const struct signers **ret_signers, struct err *err) MUST_CHECK;
/* The same of a manifest (`sign`), whose file the paths are relative to. *ret_signers NULL: those of signing_open(), as when --sign was
 * given. */
bool signing_open_own(struct command *command, const char *file, const struct strings *paths,
                      const struct signers **ret_signers, struct err *err) MUST_CHECK;

#endif
