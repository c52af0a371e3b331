/* SPDX-License-Identifier: Apache-2.0 */
/* log.h - whole lines to standard error, one writer at a time
 *
 * Threads: any thread may log; a line is one write, so lines never mix. While a live display is up, `hook` is called
 * under the lock before and after each line so that the display can step aside.
 */
#ifndef IMGFACTORY_BASE_LOG_H
#define IMGFACTORY_BASE_LOG_H

#include "base/err.h"

/* LOG_SILENT is for log_open() alone: nothing is written, errors neither. */
enum log_level { LOG_SILENT, LOG_QUIET, LOG_NORMAL, LOG_VERBOSE };

struct log;

/* Called with is_before = true before a line is written and false after it. */
typedef void log_hook(void *display, bool is_before);

/* Called with each line in place of writing it, from any thread. */
typedef void log_relay(void *owner, enum log_level level, const char *line);

/* Creates a log that writes lines up to `level`. Free it with log_close(). */
struct log *log_open(enum log_level level);
/* Has the words "error:" and "warning:" at the beginning of lines in colour, or not (the default). */
void log_set_color(struct log *log, bool is_colored);
/* Writes "imgfactory: " and the line when `level` is at or below the log's. LOG_QUIET lines (errors, warnings) always
 * show, unless the log is silent. Control bytes are replaced, and so are newlines, unless two blanks follow: what is told in further lines is indented,
 * so that no name can look like a line of its own. */
void log_line(struct log *log, enum log_level level, const char *format, ...) PRINTF_LIKE(3, 4);
/* Sets or (NULL) removes the display's hook. */
void log_set_hook(struct log *log, log_hook *hook, void *display);
/* Has lines of its level handed to `relay`, without the program's name, and not written: for another process that writes them. Before
 * other threads log. */
void log_set_relay(struct log *log, log_relay *relay, void *owner);
/* Calls the hook with is_before = false under the log's lock, so that the display draws between lines. */
void log_redraw(struct log *log);
/* Frees it. NULL is fine. */
void log_close(struct log *log);

#endif
