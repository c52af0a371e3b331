/* SPDX-License-Identifier: Apache-2.0 */
/* display.h - a live line per order on a terminal
 *
 * Threads: started and stopped by main; draws on a thread of its own, stepping aside for log lines by the log's hook.
 */
#ifndef IMGFACTORY_CLI_DISPLAY_H
#define IMGFACTORY_CLI_DISPLAY_H

#include "base/log.h"
#include "line/progress.h"

struct display;

/* Starts drawing on standard error; NULL when that is not a terminal (nothing is drawn then). */
struct display *display_start(const struct progress *progress, struct log *log);
/* Stops and wipes the lines. NULL is fine. */
void display_stop(struct display *display);

#endif
