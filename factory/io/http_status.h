/* SPDX-License-Identifier: Apache-2.0 */
/* http_status.h - what an HTTP status means for us: the one list
 *
 * Threads: no state.
 */
#ifndef IMGFACTORY_IO_HTTP_STATUS_H
#define IMGFACTORY_IO_HTTP_STATUS_H

#include <stdbool.h>

/* The same request may succeed later: time-outs, too many requests, a server or a proxy before it in trouble. */
bool http_status_is_transient(long status);
/* There is no such thing here, or no longer. */
bool http_status_is_absent(long status);
/* Who we are, or say we are, may not have it. */
bool http_status_is_denied(long status);
/* The thing is elsewhere. */
bool http_status_is_redirect(long status);

#endif
