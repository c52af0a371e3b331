/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/login.h"

#include "base/auto.h"
#include "cli/asking.h"
#include "registry/registries_conf.h"

#include <stdlib.h>

#define INSTEAD "--username and --password-stdin"

static bool get_credential(const struct command *command, struct credential *credential, struct err *err)
{
    const struct options *options = &command->options;
    const struct asking user = {.prompt = "Username", .what = "username", .instead = INSTEAD};
    const struct asking secret = {.prompt = "Password", .what = "password", .instead = INSTEAD, .is_secret = true};
    const struct asking piped = {.what = "password on standard input"};
    if (options->username) {
        credential->user = strdup(options->username);
        if (!credential->user)
            memory_abort(strlen(options->username));
    } else if (options->is_password_stdin) {
        err_set(err, ERR_USAGE, "--password-stdin needs --username");
        return false;
    } else if (!asking_terminal(command, &user, &credential->user, err)) {
        return false;
    }
    return options->is_password_stdin ? asking_read(command, STDIN_FILENO, &piped, &credential->secret, err)
                                      : asking_terminal(command, &secret, &credential->secret, err);
}

/* Reads HOST[:PORT][/NAMESPACE…], also as a URL. *ret_key is what a credential is kept under; the reference is of some
 * repository there. */
static bool read_place(struct arena *arena, const char *word, struct reference *ret_reference, const char **ret_key,
                       struct err *err)
{
    static const char *const schemes[] = {"https://", "http://"};
    const char *name = word;
    for (size_t i = 0; i < ARRAY_COUNT(schemes); i++) {
        if (strncasecmp(name, schemes[i], strlen(schemes[i])) == 0)
            name += strlen(schemes[i]);
    }
    size_t len = strlen(name);
    while (len > 1 && name[len - 1] == '/')
        len--;
    name = arena_strndup(arena, name, len);
    if (!reference_parse(arena, arena_printf(arena, "%s/x", name), false, ret_reference, err)) {
        err_clear(err);
        err_set(err, ERR_USAGE, "%s: log in to a registry, or to a namespace of it: HOST[:PORT][/NAMESPACE]",
                text_printable(arena, text_of(word)));
        return false;
    }
    const char *slash = strchr(name, '/');
    *ret_key = slash ? arena_printf(arena, "%s%s", ret_reference->host, slash) : ret_reference->host;
    return true;
}

bool login_run(struct command *command, const struct registry_options *options, struct http *http, struct err *err)
{
    AUTO(credential_done) struct credential credential = {0};
    struct arena *arena = &command->arena;
    const char *key, *path;
    struct reference reference;
    bool is_asked;
    if (!read_place(arena, command->options.words.items[0], &reference, &key, err) ||
        !registries_conf_options(arena, options, &reference, &options, err) ||
        !get_credential(command, &credential, err) ||
        !registry_try_login(options, http, &reference, &credential, &is_asked, err) ||
        !credential_store(arena, options->authfile, &command->lock_wait, key, &credential, &path, err))
        return false;
    if (!command->options.is_quiet) {
        (void)printf(is_asked ? "Login succeeded; the credential of %s is kept in %s\n"
                              : "The credential of %s is kept in %s, and nothing checked it: the registry did not ask "
                                "for one\n",
                     key, path);
        if (credential_is_fleeting(path))
            (void)printf("It does not outlive a session or a restart; for nights keep it elsewhere: --authfile FILE\n");
    }
    return true;
}

bool logout_run(struct command *command, const struct registry_options *options, struct err *err)
{
    struct reference reference;
    const char *key;
    bool is_found;
    if (!read_place(&command->arena, command->options.words.items[0], &reference, &key, err) ||
        !credential_remove(&command->arena, options->authfile, &command->lock_wait, key, &is_found, err))
        return false;
    if (!is_found) {
        err_set(err, ERR_USAGE, "there is no credential of %s", key);
        return false;
    }
    if (!command->options.is_quiet)
        (void)printf("The credential of %s was removed\n", key);
    return true;
}
