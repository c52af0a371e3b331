/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/asking.h"

#include "base/auto.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>

#define LINE_MAX_BYTES 65536
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
    for (*ret_len = 0; *ret_len < LINE_MAX_BYTES + 1;) {
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

bool asking_read(const struct command *command, int fd, const struct asking *asking, char **ret_line, struct err *err)
{
    char *line = calloc(1, LINE_MAX_BYTES + 2);
    size_t len;
    if (!line)
        memory_abort(LINE_MAX_BYTES + 2);
    bool is_read = read_bytes(command, fd, line, &len, err);
    while (is_read && len > 0 && line[len - 1] == '\r')
        line[--len] = '\0';
    bool is_given = len > 0 || asking->is_empty_fine;
    if (is_read && is_given && len <= LINE_MAX_BYTES && strlen(line) == len) {
        *ret_line = line;
        return true;
    }
    explicit_bzero(line, LINE_MAX_BYTES + 2);
    free(line);
    if (err->kind == ERR_NONE)
        err_set(err, ERR_USAGE, len > LINE_MAX_BYTES ? "the %s is too long" : "no %s was given", asking->what);
    return false;
}

bool asking_terminal(const struct command *command, const struct asking *asking, char **ret_line, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    AUTO(auto_close_fd) int terminal = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    const char *prompt = arena_printf(&scratch, "%s: ", asking->prompt);
    if (terminal < 0 || !signals_ask(command->signals, terminal, prompt, asking->is_secret)) {
        err_set(err, ERR_USAGE, "there is no terminal to ask for the %s; use %s", asking->what, asking->instead);
        return false;
    }
    bool is_good = asking_read(command, terminal, asking, ret_line, err);
    signals_answered(command->signals);
    ssize_t written = asking->is_secret || !is_good ? write(terminal, "\n", 1) : 0;
    (void)written; /* a terminal that is gone */
    return is_good;
}
