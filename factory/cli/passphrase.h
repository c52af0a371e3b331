/* SPDX-License-Identifier: Apache-2.0 */
/* passphrase.h - where the passphrases of keys come from; never the command line
 *
 * In this order: a descriptor (--passphrase-fd N: a line for each encrypted key, in order; the last one is for all that follow), the
 * environment (IMGFACTORY_KEY_PASSPHRASE, COSIGN_PASSWORD), a systemd credential (imgfactory.key-passphrase), the terminal.
 * Threads: main only.
 * Owns: what it keeps is wiped by passphrases_done().
 * Fails with: ERR_USAGE, ERR_CANCELLED.
 */
#ifndef IMGFACTORY_CLI_PASSPHRASE_H
#define IMGFACTORY_CLI_PASSPHRASE_H

#include "cli/command.h"
#include "sign/sign_key.h"

struct passphrases {
    struct command *command;
    char *last; /* line of the descriptor */
};

/* Returns somebody who knows passphrases of keys that are there. */
struct sign_passphrase passphrase_of_keys(struct passphrases *passphrases);
/* Gets one for a new key of that name; on a terminal it is asked twice. It may be empty. */
bool passphrase_new(struct passphrases *passphrases, const char *name, char **ret_passphrase,
                    struct err *err) MUST_CHECK;
/* Empties the variables of the environment that have one: all keys are open, and nobody asks again. */
void passphrases_wipe(void);
/* Wipes. For AUTO(). */
void passphrases_done(struct passphrases *passphrases);

#endif
