/* signals.h - SIGINT, SIGTERM and SIGHUP as one flag; a second one ends the process at once
 *
 * Threads: signals_start() on main before any other thread, so that all inherit the blocked mask; one thread waits for
 * signals.
 */
#ifndef IMGFACTORY_CLI_SIGNALS_H
#define IMGFACTORY_CLI_SIGNALS_H

#include "base/err.h"

#include <stdatomic.h>

struct signals;

/* Blocks the signals, ignores SIGPIPE and SIGXFSZ (writes fail with an error instead), starts the waiting thread. */
bool signals_start(struct signals **ret_signals, struct err *err) MUST_CHECK;
/* The flag that a signal sets; lives until signals_stop(). */
const atomic_bool *signals_cancel(const struct signals *signals);
/* Stops waiting and returns the signal that came, or 0. NULL is fine. */
int signals_stop(struct signals *signals);
/* Ends the process by this signal, so that the parent sees it. */
_Noreturn void signals_die(int signal_number);

#endif
