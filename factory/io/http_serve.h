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
#include "io/http_wire.h"

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

/* Returns whether it was said what the call may do; on the main thread. */
bool http_serve_is_sealed(const struct http_serve *serve);

/* Something that others do with the network here, and whose progress is told meanwhile. */
struct http_watched {
    TAILQ_ENTRY(http_watched) link;
    uint64_t id; /* of the question */
    struct http_counted told;
    _Atomic uint64_t received, sent;
};
/* Lends the struct http with a number, which is opened if needed, until http_serve_return(); with a frame of a question, on the main
 * thread. ERR_INTERNAL before it was said what the call may do. */
bool http_serve_lend(struct http_serve *serve, unsigned number, struct http_watched *watched, struct http **ret_http,
                     struct err *err) MUST_CHECK;
/* Gives it back, from any thread. */
void http_serve_return(struct http_serve *serve, unsigned number, struct http_watched *watched);
/* Returns the thread that reads what is secret and starts the network's, where who asks for it is confined; NULL when it cannot be started.
 * On the main thread. */
struct workers *http_serve_keeper(struct http_serve *serve, struct err *err);
/* Finds a store of the call by its name, open as long as a struct http is lent; on the main thread. */
bool http_serve_store(struct http_serve *serve, const struct store_name *name, struct store **ret_store,
                      struct err *err) MUST_CHECK;

#endif
