/* SPDX-License-Identifier: Apache-2.0 */
/* http_remote.h - requests that the broker sends in place of this process (private to http.c)
 *
 * Threads: any thread sends; answers come on the broker's thread for answers.
 */
#ifndef IMGFACTORY_IO_HTTP_REMOTE_H
#define IMGFACTORY_IO_HTTP_REMOTE_H

#include "io/broker.h"
#include "io/http_wire.h"

/* A request that is with the broker. Fill the second part, zero the rest; it stays the caller's until `ended` is called. */
struct http_remote {
    struct broker_question question; /* stands first */
    struct http_counted counted;

    struct http_request *request;
    void (*ended)(void *owner); /* the request's results are there; on the broker's thread */
    void *owner;
};

/* Sends the request as one of the struct http with that number. False: it is not on its way, err says why. */
bool http_remote_send(struct broker *broker, unsigned number, struct http_remote *remote, struct err *err) MUST_CHECK;
/* Ends all requests of that number, which are told of it, and waits for that. */
void http_remote_end(struct broker *broker, unsigned number);

#endif
