/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - argv in, exit status out */
#include "cli/call.h"

#include <fcntl.h>
#include <unistd.h>

/* Closed standard streams stay useless but taken, or a file of ours would get their numbers and what is printed. */
static void take_closed_streams(void)
{
    int fd;
    do
        fd = open("/", O_PATH | O_CLOEXEC);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        (void)close(fd);
}

int main(int argc, char **argv)
{
    take_closed_streams();
    return call_run(argc, argv);
}
