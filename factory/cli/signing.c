/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/signing.h"

#include "base/auto.h"
#include "cli/passphrase.h"
#include "io/broker.h"

/* Opens a key that is not open yet, and adds it. */
static bool add(struct command *command, struct passphrases *asked, const char *path, struct signers *signers,
                struct err *err)
{
    struct sign_passphrase passphrase = passphrase_of_keys(asked);
    struct signers *open = &command->signers;
    size_t i = 0;
    while (i < open->count && strcmp(open->items[i].name, path) != 0)
        i++;
    if (i == open->count) {
        if (!signers_add(open, &command->arena, path, &passphrase, err))
            return false;
        open->items[i].keeper = command->keeper;
        if (command->keeper && !broker_is_sealed(command->broker) &&
            !signer_hand_over(&open->items[i], command->broker, (unsigned)i, err))
            return false;
    }
    signers->items[signers->count++] = open->items[i];
    return true;
}

/* Makes the list of some keys; NULL for none. */
static bool list(struct command *command, const struct strings *paths, const struct signers **ret_signers,
                 struct err *err)
{
    AUTO(passphrases_done) struct passphrases asked = {.command = command};
    struct signers *signers = arena_new(&command->arena, struct signers);
    *ret_signers = NULL;
    for (size_t i = 0; i < paths->count; i++) {
        if (signers->count == SIGNERS_MAX) {
            err_set(err, ERR_USAGE, "%s: more than %zu keys to sign with", paths->items[i], SIGNERS_MAX);
            return false;
        }
        if (!add(command, &asked, paths->items[i], signers, err))
            return false;
    }
    *ret_signers = signers->count ? signers : NULL;
    return true;
}

bool signing_open(struct command *command, const struct signers **ret_signers, struct err *err)
{
    const struct strings *own = &command->options.sign;
    return list(command, own->count ? own : &command->site.sign, ret_signers, err);
}

bool signing_open_own(struct command *command, const char *file, const struct strings *paths,
                      const struct signers **ret_signers, struct err *err)
{
    struct arena *arena = &command->arena;
    const char *slash = strrchr(file, '/');
    struct strings found = {0};
    *ret_signers = NULL;
    if (command->options.sign.count || !paths->count)
        return true;
    for (size_t i = 0; i < paths->count; i++) {
        const char *path = paths->items[i];
        list_add(arena, &found,
                 path[0] == '/' || !slash ? path : arena_printf(arena, "%.*s/%s", (int)(slash - file), file, path));
    }
    return list(command, &found, ret_signers, err);
}
