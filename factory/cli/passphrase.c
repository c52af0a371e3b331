/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/passphrase.h"

#include "base/auto.h"
#include "cli/asking.h"
#include "io/file.h"
#include "registry/credentials_secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#define CREDENTIAL "imgfactory.key-passphrase"
#define CREDENTIAL_MAX_BYTES ((size_t)64 * 1024)
#define INSTEAD "--passphrase-fd, IMGFACTORY_KEY_PASSPHRASE, or the systemd credential " CREDENTIAL

/* The next line of the descriptor; at its end the one before it. */
static bool of_descriptor(struct passphrases *passphrases, char **ret_passphrase, struct err *err)
{
    const struct options *options = &passphrases->command->options;
    /* A descriptor that is closed or empty must not make a key without a passphrase. */
    struct asking asking = {.what = "passphrase on the descriptor of --passphrase-fd",
                            .is_empty_fine = passphrases->last != NULL};
    char *line;
    if (!asking_read(passphrases->command, (int)options->passphrase_fd, &asking, &line, err))
        return false;
    if (!*line && passphrases->last) {
        secret_done(&line);
        line = secret_dup(passphrases->last);
    }
    secret_done(&passphrases->last);
    passphrases->last = secret_dup(line);
    *ret_passphrase = line;
    return true;
}

/* *ret_passphrase stays NULL when the environment has none. */
static bool of_surroundings(char **ret_passphrase, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    AUTO(secret_buf_done) struct buf bytes = {0};
    const char *ours = getenv("IMGFACTORY_KEY_PASSPHRASE"), *cosign = getenv("COSIGN_PASSWORD");
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    struct err absent = {0};
    if (ours || cosign) {
        *ret_passphrase = secret_dup(ours ? ours : cosign);
        return true;
    }
    if (!folder)
        return true;
    const char *path = arena_printf(&scratch, "%s/" CREDENTIAL, folder);
    if (!file_read_at(AT_FDCWD, path, CREDENTIAL_MAX_BYTES, &bytes, &absent)) {
        if (absent.detail != ENOENT)
            *err = absent;
        return absent.detail == ENOENT;
    }
    size_t len = bytes.len;
    while (len && (bytes.bytes[len - 1] == '\n' || bytes.bytes[len - 1] == '\r'))
        len--;
    *ret_passphrase = secret_alloc(len + 1);
    if (len)
        memcpy(*ret_passphrase, bytes.bytes, len);
    return true;
}

/* Whether what unasked() gave is of a file that may be empty by mistake. */
static bool is_of_credential(const struct passphrases *passphrases)
{
    return !passphrases->command->options.has_passphrase_fd && !getenv("IMGFACTORY_KEY_PASSPHRASE") &&
           !getenv("COSIGN_PASSWORD");
}

/* Takes it from where nobody has to be asked; *ret_passphrase NULL: it is not there. */
static bool unasked(struct passphrases *passphrases, char **ret_passphrase, struct err *err)
{
    *ret_passphrase = NULL;
    return passphrases->command->options.has_passphrase_fd ? of_descriptor(passphrases, ret_passphrase, err)
                                                           : of_surroundings(ret_passphrase, err);
}

static bool get(void *context, const char *name, char **ret_passphrase, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct passphrases *passphrases = context;
    if (!unasked(passphrases, ret_passphrase, err))
        return false;
    if (*ret_passphrase)
        return true;
    struct asking asking = {.prompt = arena_printf(&scratch, "Passphrase of %s", text_shown(&scratch, name)),
                            .what = arena_printf(&scratch, "passphrase of %s", name),
                            .instead = INSTEAD,
                            .is_secret = true,
                            .is_empty_fine = true};
    return asking_terminal(passphrases->command, &asking, ret_passphrase, err);
}

struct sign_passphrase passphrase_of_keys(struct passphrases *passphrases)
{
    return (struct sign_passphrase){get, passphrases};
}

bool passphrase_new(struct passphrases *passphrases, const char *name, char **ret_passphrase, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    AUTO(secret_done) char *again = NULL;
    if (!unasked(passphrases, ret_passphrase, err))
        return false;
    if (*ret_passphrase && !**ret_passphrase && is_of_credential(passphrases)) {
        secret_done(ret_passphrase);
        err_set(err, ERR_USAGE,
                "the systemd credential " CREDENTIAL " is empty: it makes no key without a passphrase; for that set "
                "IMGFACTORY_KEY_PASSPHRASE to nothing");
        return false;
    }
    if (*ret_passphrase)
        return true;
    struct asking asking = {
        .prompt = arena_printf(&scratch, "New passphrase of %s (empty: none)", text_shown(&scratch, name)),
        .what = "new passphrase",
        .instead = INSTEAD,
        .is_secret = true,
        .is_empty_fine = true};
    if (!asking_terminal(passphrases->command, &asking, ret_passphrase, err))
        return false;
    asking.prompt = "Again";
    bool is_same = asking_terminal(passphrases->command, &asking, &again, err);
    if (is_same && strcmp(again, *ret_passphrase) != 0) {
        err_set(err, ERR_USAGE, "the two passphrases are not the same; nothing was written");
        is_same = false;
    }
    if (!is_same)
        secret_done(ret_passphrase);
    return is_same;
}

void passphrases_done(struct passphrases *passphrases)
{
    secret_done(&passphrases->last);
}

void passphrases_wipe(void)
{
    static const char *const names[] = {"IMGFACTORY_KEY_PASSPHRASE", "COSIGN_PASSWORD"};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        char *value = getenv(names[i]); // NOLINT(concurrency-mt-unsafe): main alone is there
        if (value)
            explicit_bzero(value, strlen(value));
    }
}
