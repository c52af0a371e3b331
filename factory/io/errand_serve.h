/* SPDX-License-Identifier: Apache-2.0 */
/* errand_serve.h - the broker's side of errand.h
 *
 * What is asked comes from a process that may be an attacker's: it gets files without a name, and names of processes.
 * Threads: the broker's main thread.
 */
#ifndef IMGFACTORY_IO_ERRAND_SERVE_H
#define IMGFACTORY_IO_ERRAND_SERVE_H

#include "io/http_serve.h"

/* Takes a frame if it is of its kinds; false: it is another's. */
bool errand_serve_take(struct channel *channel, struct http_serve *network, const struct frame *frame) MUST_CHECK;

#endif
