/* SPDX-License-Identifier: Apache-2.0 */
/* signals.h - what ends a run from outside: signals and the time limit; and the terminal, which must survive that
 *
 * The first signal (SIGINT, SIGTERM, SIGHUP, SIGQUIT) or the end of --timeout sets the cancel flag; the stages see it
 * and end in order. What does not within SIGNALS_GRACE_MS is not waited for: the process ends where it stands, which is
 * safe at any instant (nothing half-written has a final name), its children with it. A second signal ends it at once.
 * SIGHUP and SIGTSTP that the parent had ignored (nohup) stay ignored. SIGTSTP and SIGCONT give the terminal back
 * meanwhile.
 * Threads: signals_start() on main before any other thread, so that all inherit the blocked mask; one thread waits for
 * signals.
 */
#ifndef IMGFACTORY_CLI_SIGNALS_H
#define IMGFACTORY_CLI_SIGNALS_H

#include "base/err.h"

#include <stdatomic.h>
#include <stdint.h>

#define SIGNALS_GRACE_MS 900u

struct signals;

/* Blocks the signals, ignores SIGPIPE and SIGXFSZ (writes fail with an error instead), starts the waiting thread. */
bool signals_start(struct signals **ret_signals, struct err *err) MUST_CHECK;
/* Has the waiting thread replaced by one that the calling thread starts, which is what the kernel confines it by
 * (io/confine.h). No signal is lost. Fails with ERR_LOCAL; then the old one goes on. */
bool signals_renew(struct signals *signals, struct err *err) MUST_CHECK;
/* Ends the waiting thread until signals_resume(): who forks must be alone, as a lock that another thread holds meanwhile (of an
 * allocator) stays held in the new process. Signals wait as long. */
void signals_pause(struct signals *signals);
/* Starts it again; no signal is lost. */
void signals_resume(struct signals *signals);
/* The flag that a signal sets; lives until signals_stop(). */
const atomic_bool *signals_cancel(const struct signals *signals);
/* From now on SIGHUP ends nothing: signals_take_hangup() tells of it. One that the parent had ignored stays ignored. */
void signals_catch_hangups(struct signals *signals);
/* Returns whether SIGHUP came since the last call. */
bool signals_take_hangup(struct signals *signals);
/* Ends the run this long from now, like a signal, but as a failure of class ERR_NETWORK: a run that is not done in time
 * mostly waits for a network. 0: no more. */
void signals_limit_ms(struct signals *signals, uint64_t ms);
/* Returns the signal that came, or 0. NULL is fine. */
int signals_caught(const struct signals *signals);
/* Returns whether the time was up before any signal came. */
bool signals_is_timed_out(const struct signals *signals);
/* Begins a question on the terminal `fd`: whatever ends or stops the process, echo is on again. is_hidden: what is
 * typed is not shown. False when it is no terminal. One at a time; `prompt` must live until signals_answered(). */
bool signals_ask(struct signals *signals, int fd, const char *prompt, bool is_hidden) MUST_CHECK;
/* Ends the question and forgets what was typed and not read. */
void signals_answered(struct signals *signals);
/* Stops waiting. NULL is fine. */
void signals_stop(struct signals *signals);
/* Ends the process where it stands, with its children: by the signal that came, so that the parent sees it, else with
 * this status. Nothing is freed: threads may be at work. */
_Noreturn void signals_end(struct signals *signals, int status);

#endif
