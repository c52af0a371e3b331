/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/signing.h"

#include "base/auto.h"
#include "cli/passphrase.h"

bool signing_open(struct command *command, const struct signers **ret_signers, struct err *err)
{
    AUTO(passphrases_done) struct passphrases asked = {.command = command};
    const struct strings *own = &command->options.sign, *keys = own->count ? own : &command->site.sign;
    struct sign_passphrase passphrase = passphrase_of_keys(&asked);
    struct signers *signers = &command->signers;
    *ret_signers = NULL;
    for (size_t i = 0; i < keys->count && signers->count < keys->count; i++) {
        if (!signers_add(signers, &command->arena, keys->items[i], &passphrase, err))
            return false;
        signers->items[i].keeper = command->keeper;
    }
    *ret_signers = keys->count ? signers : NULL;
    return true;
}
