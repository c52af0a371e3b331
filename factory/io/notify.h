/* SPDX-License-Identifier: Apache-2.0 */
/* notify.h - telling systemd how a service is: ready, reloading, stopping, alive (sd_notify(3), without its library)
 *
 * A datagram of lines "KEY=VALUE" to the socket that NOTIFY_SOCKET names: a path, or with '@' in front an abstract name. What
 * cannot be sent is lost: nobody waits for it.
 * Threads: one at a time. Not one that confine_readers() holds.
 * Owns: the socket, until notify_close().
 */
#ifndef IMGFACTORY_IO_NOTIFY_H
#define IMGFACTORY_IO_NOTIFY_H

#include <stdint.h>

struct notify {
    int fd; /* -1: nobody wants to know */
    uint64_t
        watchdog_ms; /* how often the service has to say that it is alive; 0: it need not (sd_watchdog_enabled(3)) */
};

/* Looks who wants to know: NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID of the environment. */
void notify_open(struct notify *ret_notify);
/* Sends these lines. */
void notify_send(const struct notify *notify, const char *lines);
/* Closes the socket. */
void notify_close(struct notify *notify);

#endif
