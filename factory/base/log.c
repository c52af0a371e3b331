/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "base/text.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define COLOR_BYTES 16 /* what colours take at most */

struct log {
    enum log_level level;
    bool is_colored;
    pthread_mutex_t lock; /* guards hook, display, and the order of lines */
    log_hook *hook;
    void *display;
    log_relay *relay; /* set before other threads log; NULL: lines are written */
    void *relay_owner;
};

struct log *log_open(enum log_level level)
{
    struct log *log = calloc(1, sizeof *log);
    if (!log)
        memory_abort(sizeof *log);
    log->level = level;
    pthread_mutex_init(&log->lock, NULL);
    return log;
}

void log_set_color(struct log *log, bool is_colored)
{
    log->is_colored = is_colored;
}

/* Puts colours around the word that a line of `len` bytes has behind its prefix, if it is one of those that have some. `line` has room
 * for COLOR_BYTES more. Returns its new length. */
static size_t add_color(char *line, size_t len, size_t prefix)
{
    static const struct {
        const char *word, *colored;
    } colors[] = {{"error:", "\033[1;31merror:\033[0m"}, {"warning:", "\033[1;33mwarning:\033[0m"}};
    for (size_t i = 0; i < ARRAY_COUNT(colors); i++) {
        size_t word = strlen(colors[i].word), colored = strlen(colors[i].colored);
        if (strncmp(line + prefix, colors[i].word, word) != 0)
            continue;
        memmove(line + prefix + colored, line + prefix + word, len - prefix - word);
        memcpy(line + prefix, colors[i].colored, colored);
        return len + colored - word;
    }
    return len;
}

void log_line(struct log *log, enum log_level level, const char *format, ...)
{
    if (level > log->level)
        return;
    char line[5000 + COLOR_BYTES] = "imgfactory: ";
    size_t prefix = strlen(line);
    va_list args;
    va_start(args, format);
    int len = vsnprintf(line + prefix, sizeof line - prefix - COLOR_BYTES - 1, format, args);
    va_end(args);
    if (len < 0)
        return;
    if (log->relay) {
        log->relay(log->relay_owner, level, line + prefix);
        return;
    }
    text_hide_queries(line);
    text_sanitize(line);
    size_t total = strlen(line);
    line[total++] = '\n';
    if (log->is_colored)
        total = add_color(line, total, prefix);
    pthread_mutex_lock(&log->lock);
    if (log->hook)
        log->hook(log->display, true);
    ssize_t written = write(STDERR_FILENO, line, total);
    (void)written; /* a closed standard error must not change what is built */
    if (log->hook)
        log->hook(log->display, false);
    pthread_mutex_unlock(&log->lock);
}

void log_set_hook(struct log *log, log_hook *hook, void *display)
{
    pthread_mutex_lock(&log->lock);
    log->hook = hook;
    log->display = display;
    pthread_mutex_unlock(&log->lock);
}

void log_set_relay(struct log *log, log_relay *relay, void *owner)
{
    log->relay = relay;
    log->relay_owner = owner;
}

void log_redraw(struct log *log)
{
    pthread_mutex_lock(&log->lock);
    if (log->hook)
        log->hook(log->display, false);
    pthread_mutex_unlock(&log->lock);
}

void log_close(struct log *log)
{
    if (!log)
        return;
    pthread_mutex_destroy(&log->lock);
    free(log);
}
