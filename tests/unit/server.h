/* SPDX-License-Identifier: Apache-2.0 */
/* server.h - a server of tests/kit as a child process
 *
 * The server ends when its input is closed.
 */
#ifndef IMGFACTORY_TESTS_SERVER_H
#define IMGFACTORY_TESTS_SERVER_H

#include "check.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

struct server {
    pid_t pid;
    int input, ports[3]; /* 0: it has no such port */
};

/* Starts tests/kit/NAME with an argument (may be NULL) and reads its ports. */
static inline bool server_start(struct server *server, const char *name, const char *argument)
{
    int in[2], out[2];
    char line[64] = {0}, path[300];
    (void)snprintf(path, sizeof path, "%s/tests/kit/%s", SOURCE_DIR, name);
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
        return false;
    server->pid = fork();
    if (server->pid == 0) {
        (void)dup2(in[0], STDIN_FILENO);
        (void)dup2(out[1], STDOUT_FILENO);
        execlp("python3", "python3", path, argument, (char *)NULL);
        _exit(127);
    }
    (void)close(in[0]);
    (void)close(out[1]);
    server->input = in[1];
    FILE *output = fdopen(out[0], "r");
    bool is_up = output && fgets(line, sizeof line, output) &&
                 sscanf(line, "%d %d %d", &server->ports[0], &server->ports[1], &server->ports[2]) >= 2;
    if (output)
        (void)fclose(output);
    return is_up;
}

static inline void server_stop(const struct server *server)
{
    int status;
    (void)close(server->input);
    (void)waitpid(server->pid, &status, 0);
}

#endif
