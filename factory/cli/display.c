/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/display.h"
#include "base/clock.h"
#include "base/units.h"
#include "cli/terminal.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define REDRAW_MS 100
#define LONG_MS 3000      /* what takes longer is told how long it takes */
#define NARROW_COLUMNS 60 /* with fewer nothing is put into columns */

/* What a line was seen at, since when. */
struct phase {
    int stage;
    uint64_t since_ms;
};

struct display {
    const struct progress *progress;
    struct log *log;
    pthread_t thread;
    struct phase *phases; /* of the lines of `progress`; guarded by the log's lock */
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

/* How long the line's stage lasts. */
static uint64_t elapsed_ms(struct phase *phase, int stage)
{
    uint64_t now = clock_ms();
    if (phase->stage != stage)
        *phase = (struct phase){stage, now};
    return now - phase->since_ms;
}

/* Adds how many bytes moved; of what takes long also when it will be done, by its rate so far, or for how long it goes
 * on. */
static bool add_numbers(struct buf *text, const struct progress_line *line, uint64_t ms)
{
    double done = (double)atomic_load(&line->bytes_done), total = (double)atomic_load(&line->bytes_total);
    int stage = atomic_load_explicit(&line->stage, memory_order_relaxed);
    bool has_bytes = (stage == STAGE_FETCH || stage == STAGE_PUSH || stage == STAGE_PULL) && total > 0;
    bool is_small = total < 1e6;
    bool fits = !has_bytes || buf_printf(text, "  %.*f/%.*f %s", is_small ? 0 : 1, done / (is_small ? 1e3 : 1e6),
                                         is_small ? 0 : 1, total / (is_small ? 1e3 : 1e6), is_small ? "kB" : "MB");
    bool is_known = has_bytes && done > 0 && done < total;
    uint64_t left_ms = is_known ? (uint64_t)((total - done) * (double)ms / done) + 999 : 0;
    if (ms < LONG_MS || stage == STAGE_WAIT || (has_bytes && done >= total))
        return fits;
    return fits && (is_known ? buf_printf(text, ", %s left", units_duration(left_ms / 1000 * 1000).chars)
                             : buf_printf(text, ", %s", units_duration(ms / 1000 * 1000).chars));
}

/* "image arch: stage" in few columns: of a reference its last part, the name cut so that the rest finds room, and no
 * stage where bytes tell of it. */
static bool add_narrow(struct buf *text, const struct progress_line *line, const char *stage, struct text numbers,
                       size_t columns)
{
    const char *slash = strrchr(line->image, '/'), *image = slash ? slash + 1 : line->image;
    size_t rest = strlen(line->arch) + strlen(stage) + numbers.len + 4, room = columns > rest ? columns - rest : 0;
    return buf_printf(text, "%.*s%s%s: %s%.*s", (int)room, image, *line->arch ? " " : "", line->arch, stage,
                      (int)numbers.len, numbers.ptr);
}

static bool add_line(struct buf *text, const struct progress_line *line, struct phase *phase, size_t columns)
{
    int stage = atomic_load_explicit(&line->stage, memory_order_relaxed);
    const char *name = progress_stage_name((enum stage)stage);
    size_t from = text->len;
    struct buf numbers;
    buf_init(&numbers, 256);
    bool fits = add_numbers(&numbers, line, elapsed_ms(phase, stage));
    struct text told = {numbers.bytes, numbers.len};
    if (columns < NARROW_COLUMNS && stage == STAGE_FETCH && told.len > 2)
        fits = fits && add_narrow(text, line, "", (struct text){told.ptr + 2, told.len - 2}, columns);
    else if (columns < NARROW_COLUMNS)
        fits = fits && add_narrow(text, line, name, told, columns);
    else
        fits = fits && buf_printf(text, "  %-16s %-8s %s%.*s", line->image, line->arch, name, (int)told.len, told.ptr);
    buf_done(&numbers);
    if (text->len > from + columns - 1)
        text->len = from + columns - 1;
    return fits && buf_printf(text, "\n");
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
        fits = add_line(&text, line, &display->phases[i], has_size ? size.ws_col : 80);
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
    if (!terminal_is_drawn_on())
        return NULL;
    struct display *display = calloc(1, sizeof *display);
    struct phase *phases = calloc(progress->count + 1, sizeof *phases);
    if (!display || !phases)
        memory_abort(sizeof *display);
    display->phases = phases;
    display->progress = progress;
    display->log = log;
    pthread_mutex_init(&display->lock, NULL);
    clock_cond_init(&display->stopped);
    if (pthread_create(&display->thread, NULL, display_main, display) != 0) {
        free(phases);
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
    free(display->phases);
    free(display);
}
