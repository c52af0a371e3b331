/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

size_t terminal_columns(int fd)
{
    struct winsize size;
    return isatty(fd) && ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

bool terminal_is_drawn_on(void)
{
    const char *terminal = getenv("TERM");
    return isatty(STDERR_FILENO) && terminal && *terminal && strcmp(terminal, "dumb") != 0;
}

bool terminal_is_colored(const char *word)
{
    const char *no_color = getenv("NO_COLOR");
    if (word && strcmp(word, "auto") != 0)
        return strcmp(word, "always") == 0;
    return terminal_is_drawn_on() && (!no_color || !*no_color);
}

const char *terminal_why_not_color(const char *word)
{
    bool is_one = strcmp(word, "auto") == 0 || strcmp(word, "always") == 0 || strcmp(word, "never") == 0;
    return is_one ? NULL : "is none of auto, always and never";
}
