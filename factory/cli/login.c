/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/login.h"

#include "base/auto.h"
#include "registry/registries_conf.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>

#define SECRET_MAX_BYTES 65536
#define LOOK_MS 50

/* Waits until there is something to read, or a signal came. */
static bool wait_for_input(const struct command *command, int fd, struct err *err)
{
    struct pollfd polled = {.fd = fd, .events = POLLIN};
    while (!atomic_load(command->cancel)) {
        int ready = poll(&polled, 1, LOOK_MS);
        if (ready > 0)
            return true;
        if (ready < 0 && errno != EINTR) {
            err_set_errno(err, errno, "cannot wait for an answer");
            return false;
        }
    }
    err_set(err, ERR_CANCELLED, "interrupted");
    return false;
}

/* Reads byte by byte, so that nothing behind the line is taken; ends at a line feed, at the end, or when full. */
static bool read_bytes(const struct command *command, int fd, char *line, size_t *ret_len, struct err *err)
{
    for (*ret_len = 0; *ret_len < SECRET_MAX_BYTES + 1;) {
        if (!wait_for_input(command, fd, err))
            return false;
        ssize_t got = read(fd, line + *ret_len, 1);
        if (got < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (got <= 0 || line[*ret_len] == '\n') { /* a terminal that was closed is an end, too */
            line[*ret_len] = '\0';
            return true;
        }
        ++*ret_len;
    }
    return true;
}

/* Reads one line without its end into malloc'd memory. A signal ends it. */
static bool read_line(const struct command *command, int fd, const char *what, char **ret_line, struct err *err)
{
    char *line = calloc(1, SECRET_MAX_BYTES + 2);
    size_t len;
    if (!line)
        memory_abort(SECRET_MAX_BYTES + 2);
    bool is_read = read_bytes(command, fd, line, &len, err);
    while (is_read && len > 0 && line[len - 1] == '\r')
        line[--len] = '\0';
    if (is_read && len > 0 && len <= SECRET_MAX_BYTES && strlen(line) == len) {
        *ret_line = line;
        return true;
    }
    explicit_bzero(line, SECRET_MAX_BYTES + 2);
    free(line);
    if (err->kind == ERR_NONE)
        err_set(err, ERR_USAGE, len > SECRET_MAX_BYTES ? "the %s is too long" : "no %s was given", what);
    return false;
}

/* Asks on the terminal, without echo for a secret. */
static bool ask(const struct command *command, const char *what, bool is_secret, char **ret_line, struct err *err)
{
    AUTO(auto_close_fd) int terminal = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    char prompt[40], name[40];
    (void)snprintf(prompt, sizeof prompt, "%s: ", what);
    (void)snprintf(name, sizeof name, "%c%s", what[0] + ('a' - 'A'), what + 1);
    if (terminal < 0 || !signals_ask(command->signals, terminal, prompt, is_secret)) {
        err_set(err, ERR_USAGE, "there is no terminal to ask for the %s; use --username and --password-stdin", name);
        return false;
    }
    bool is_good = read_line(command, terminal, name, ret_line, err);
    signals_answered(command->signals);
    ssize_t written = is_secret || !is_good ? write(terminal, "\n", 1) : 0;
    (void)written; /* a terminal that is gone */
    return is_good;
}

static bool get_credential(const struct command *command, struct credential *credential, struct err *err)
{
    const struct options *options = &command->options;
    if (options->username) {
        credential->user = strdup(options->username);
        if (!credential->user)
            memory_abort(strlen(options->username));
    } else if (options->is_password_stdin) {
        err_set(err, ERR_USAGE, "--password-stdin needs --username");
        return false;
    } else if (!ask(command, "Username", false, &credential->user, err)) {
        return false;
    }
    return options->is_password_stdin
               ? read_line(command, STDIN_FILENO, "password on standard input", &credential->secret, err)
               : ask(command, "Password", true, &credential->secret, err);
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
