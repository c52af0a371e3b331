#include "cli/login.h"

#include "base/auto.h"

#include <fcntl.h>
#include <stdlib.h>
#include <termios.h>

#define SECRET_MAX_BYTES 65536

/* Reads one line without its end from a stream into malloc'd memory. */
static bool read_line(FILE *in, const char *what, char **ret_line, struct err *err)
{
    size_t capacity = 0;
    char *line = NULL;
    ssize_t len = getline(&line, &capacity, in);
    while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
        line[--len] = '\0';
    if (len > 0 && len <= SECRET_MAX_BYTES) {
        *ret_line = line;
        return true;
    }
    free(line);
    err_set(err, ERR_USAGE, "no %s was given", what);
    return false;
}

/* Asks on the terminal, without echo for a secret. */
static bool ask(const char *what, bool is_secret, char **ret_line, struct err *err)
{
    AUTO(auto_close_file) FILE *terminal = fopen("/dev/tty", "r+e");
    struct termios old, quiet;
    if (!terminal || tcgetattr(fileno(terminal), &old) != 0) {
        err_set(err, ERR_USAGE, "there is no terminal to ask for the %s; use --username and --password-stdin", what);
        return false;
    }
    (void)fprintf(terminal, "%s: ", what);
    (void)fflush(terminal);
    quiet = old;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    if (is_secret)
        (void)tcsetattr(fileno(terminal), TCSAFLUSH, &quiet);
    bool is_good = read_line(terminal, what, ret_line, err);
    if (is_secret) {
        (void)tcsetattr(fileno(terminal), TCSAFLUSH, &old);
        (void)fputc('\n', terminal);
    }
    return is_good;
}

static bool get_credential(const struct options *options, struct credential *credential, struct err *err)
{
    if (options->username) {
        credential->user = strdup(options->username);
        if (!credential->user)
            memory_abort(strlen(options->username));
    } else if (options->is_password_stdin) {
        err_set(err, ERR_USAGE, "--password-stdin needs --username");
        return false;
    } else if (!ask("Username", false, &credential->user, err)) {
        return false;
    }
    return options->is_password_stdin ? read_line(stdin, "password on standard input", &credential->secret, err)
                                      : ask("Password", true, &credential->secret, err);
}

bool login_run(struct command *command, const struct publish_options *options, struct http *http, struct err *err)
{
    AUTO(credential_done) struct credential credential = {0};
    const char *host = command->options.words.items[0], *path;
    struct registry_options registry = {.http = http,
                                        .log = command->log,
                                        .authfile = options->authfile,
                                        .cert_dir = options->cert_dir,
                                        .is_verify_off = options->is_verify_off,
                                        .token_origins = &options->token_origins,
                                        .retries = options->retries ? options->retries : REGISTRY_NO_RETRY,
                                        .cancel = options->cancel};
    if (strchr(host, '/')) {
        err_set(err, ERR_USAGE, "%s: log in to a registry (HOST or HOST:PORT), not to a repository", host);
        return false;
    }
    struct reference reference; /* of any repository: only its host counts */
    if (!reference_parse(&command->arena, arena_printf(&command->arena, "%s/x", host), false, &reference, err) ||
        !get_credential(&command->options, &credential, err) ||
        !registry_try_login(&registry, &reference, &credential, err) ||
        !credential_store(&command->arena, options->authfile, options->wait, reference.host, &credential, &path, err))
        return false;
    if (!command->options.is_quiet)
        (void)printf("Login succeeded; the credential of %s is kept in %s\n", host, path);
    return true;
}

bool logout_run(struct command *command, const struct publish_options *options, struct err *err)
{
    const char *host = command->options.words.items[0];
    bool is_found;
    if (!credential_remove(&command->arena, options->authfile, options->wait, host, &is_found, err))
        return false;
    if (!is_found) {
        err_set(err, ERR_USAGE, "there is no credential of %s", host);
        return false;
    }
    if (!command->options.is_quiet)
        (void)printf("The credential of %s was removed\n", host);
    return true;
}
