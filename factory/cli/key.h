/* SPDX-License-Identifier: Apache-2.0 */
/* key.h - `imgfactory key`: keys to sign with are made, taken over, shown
 *
 * A private key goes into a file of mode 0600, its public key beside it; a file that is there is never written over.
 * Threads: main only.
 * Fails with: as sign/sign_key.h; ERR_USAGE (the file is there), ERR_LOCAL.
 */
#ifndef IMGFACTORY_CLI_KEY_H
#define IMGFACTORY_CLI_KEY_H

#include "cli/command.h"

enum key_verb { KEY_GENERATE, KEY_IMPORT, KEY_SHOW };

extern const struct command_verb key_verbs[];
/* What --type and the --format of keys can be; the last is NULL. */
extern const char *const key_type_names[], *const key_format_names[];

/* Runs the command. */
bool key_run(struct command *command, struct err *err) MUST_CHECK;

#endif
