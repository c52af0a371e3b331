/* SPDX-License-Identifier: Apache-2.0 */
/* http_serve.h - the broker's side of requests: what the other process asks for is sent from here
 *
 * All that comes was written by a process that may be an attacker's by then: it is read with bounds (http_wire.h), blobs go
 * into stores below what the call may write and nowhere else, and files of this machine are read where the call may read.
 * Threads: http_serve_take() on the broker's main thread; answers are sent by network threads.
 * Owns: the struct http and stores that it opens, until the process ends.
 */
#ifndef IMGFACTORY_IO_HTTP_SERVE_H
#define IMGFACTORY_IO_HTTP_SERVE_H

#include "io/broker.h"
#include "io/http.h"

struct http_serve;

/* How the network is used: as the call's options say it. */
struct http_serving {
    void (*options)(void *owner, struct http_options *ret_options);
    void *owner;
};

/* Makes one. */
struct http_serve *http_serve_new(struct channel *channel, const struct http_serving *serving);
/* Takes a frame if it is of its kinds; false: it is another's. */
bool http_serve_take(struct http_serve *serve, struct frame *frame) MUST_CHECK;

#endif
