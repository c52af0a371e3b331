#include "cli/display.h"
#include "base/clock.h"
#include "base/text.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define REDRAW_MS 100

struct display {
    const struct progress *progress;
    struct log *log;
    pthread_t thread;
    size_t drawn;         /* lines on the screen now; guarded by the log's lock (drawing happens in its hook) */
    pthread_mutex_t lock; /* guards is_stopping */
    bool is_stopping;
    pthread_cond_t stopped;
};

static void write_out(const struct buf *text)
{
    ssize_t written = write(STDERR_FILENO, text->bytes, text->len);
    (void)written; /* a lost terminal must not stop the run */
}

/* Moves up over what was drawn and clears it. */
static bool add_wipe(struct display *display, struct buf *text)
{
    bool fits = display->drawn == 0 || buf_printf(text, "\r\033[%zuA\033[J", display->drawn);
    display->drawn = 0;
    return fits;
}

static bool add_line(struct buf *text, const struct progress_line *line, int columns)
{
    char content[160];
    enum stage stage = (enum stage)atomic_load_explicit(&line->stage, memory_order_relaxed);
    uint64_t done = atomic_load(&line->bytes_done), total = atomic_load(&line->bytes_total);
    int len = snprintf(content, sizeof content, "  %-16s %-8s %s", line->image, line->arch, progress_stage_name(stage));
    if (stage == STAGE_FETCH && len > 0 && (size_t)len < sizeof content)
        (void)snprintf(content + len, sizeof content - (size_t)len, "  %.1f/%.1f MB", (double)done / 1e6,
                       (double)total / 1e6);
    return buf_printf(text, "%.*s\n", columns - 1, content);
}

static void draw(struct display *display)
{
    struct buf text;
    struct winsize size;
    buf_init(&text, 65536);
    bool has_size = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col;
    size_t rows = has_size && size.ws_row > 2 ? size.ws_row - 2u : 10;
    bool fits = add_wipe(display, &text);
    for (size_t i = 0; fits && i < display->progress->count && display->drawn < rows; i++) {
        const struct progress_line *line = &display->progress->lines[i];
        int stage = atomic_load_explicit(&line->stage, memory_order_relaxed);
        if (stage == STAGE_DONE || stage == STAGE_FAILED)
            continue;
        fits = add_line(&text, line, has_size ? size.ws_col : 80);
        display->drawn += fits;
    }
    if (text.len)
        write_out(&text);
    buf_done(&text);
}

static void hook(void *argument, bool is_before)
{
    struct display *display = argument;
    if (!is_before) {
        draw(display);
        return;
    }
    struct buf text;
    buf_init(&text, 64);
    if (add_wipe(display, &text) && text.len)
        write_out(&text);
    buf_done(&text);
}

static void *display_main(void *argument)
{
    struct display *display = argument;
    pthread_mutex_lock(&display->lock);
    while (!display->is_stopping) {
        clock_wait_ms(&display->stopped, &display->lock, REDRAW_MS);
        if (!display->is_stopping)
            log_redraw(display->log);
    }
    pthread_mutex_unlock(&display->lock);
    return NULL;
}

struct display *display_start(const struct progress *progress, struct log *log)
{
    const char *terminal = getenv("TERM");
    if (!isatty(STDERR_FILENO) || !terminal || !*terminal || strcmp(terminal, "dumb") == 0)
        return NULL; /* no cursor to move */
    struct display *display = calloc(1, sizeof *display);
    if (!display)
        memory_abort(sizeof *display);
    display->progress = progress;
    display->log = log;
    pthread_mutex_init(&display->lock, NULL);
    clock_cond_init(&display->stopped);
    if (pthread_create(&display->thread, NULL, display_main, display) != 0) {
        free(display);
        return NULL;
    }
    log_set_hook(log, hook, display);
    return display;
}

void display_stop(struct display *display)
{
    if (!display)
        return;
    pthread_mutex_lock(&display->lock);
    display->is_stopping = true;
    pthread_cond_broadcast(&display->stopped);
    pthread_mutex_unlock(&display->lock);
    pthread_join(display->thread, NULL);
    log_set_hook(display->log, NULL, NULL);
    hook(display, true);
    pthread_mutex_destroy(&display->lock);
    pthread_cond_destroy(&display->stopped);
    free(display);
}
