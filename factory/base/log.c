#include "base/log.h"
#include "base/text.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct log {
    enum log_level level;
    pthread_mutex_t lock; /* guards hook, display, and the order of lines */
    log_hook *hook;
    void *display;
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

void log_line(struct log *log, enum log_level level, const char *format, ...)
{
    if (level > log->level)
        return;
    char line[5000] = "imgfactory: ";
    size_t prefix = strlen(line);
    va_list args;
    va_start(args, format);
    int len = vsnprintf(line + prefix, sizeof line - prefix - 1, format, args);
    va_end(args);
    if (len < 0)
        return;
    text_hide_queries(line);
    text_sanitize(line);
    size_t total = strlen(line);
    line[total++] = '\n';
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
