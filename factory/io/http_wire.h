/* SPDX-License-Identifier: Apache-2.0 */
/* http_wire.h - requests and what became of them, as one process tells them the other (private to http*.c and the broker)
 *
 * Plain GETs alone: calls (struct http_call) are made for registries, whose exchanges are handed over whole
 * (registry/registry_wire.h).
 * Threads: no shared state.
 */
#ifndef IMGFACTORY_IO_HTTP_WIRE_H
#define IMGFACTORY_IO_HTTP_WIRE_H

#include "io/http.h"
#include "io/wire.h"

/* Bodies of exchanges above that go as a descriptor. */
#define HTTP_WIRE_BODY_MAX_BYTES ((size_t)1 << 20)

/* A request as it came; its counters are for the reader to set. Zero it; all memory is in `arena`. */
struct http_wired {
    struct arena arena;
    struct http_request request;
    struct http_access access;
    struct http_version version;
    struct checksum sha512;
    bool has_store;
    const char *store_path; /* with has_store: which */
    struct digest store_secret;
};

/* Writes a request, but its counter and its `done`. */
void http_wire_put_request(struct wire_writer *writer, const struct http_request *request);
/* Reads one. False: it is none; what was read is dropped with the arena. */
bool http_wire_get_request(struct wire_reader *reader, struct http_wired *wired) MUST_CHECK;
/* Writes what became of it. */
void http_wire_put_answer(struct wire_writer *writer, const struct http_wired *wired);
/* Reads that into the request that was asked, and brings its counters up to date, which had `counted` so far. False: it is no answer. */
struct http_counted {
    uint64_t received, sent;
};
bool http_wire_get_answer(struct wire_reader *reader, struct http_request *request,
                          struct http_counted *counted) MUST_CHECK;
/* Makes a buffer of bytes. */
void http_wire_take_buf(struct buf *ret_buf, struct text bytes);
/* Returns whether a request with these could have been made by us: a method that there is, headers with names, no body where none
 * belongs. */
bool http_wire_is_sound(const char *method, const char *const *headers, size_t header_count,
                        uint64_t body_bytes) MUST_CHECK;
/* Writes how far it is. */
void http_wire_put_progress(struct wire_writer *writer, struct http_counted now);
/* Reads that, and adds to the request's counters what they do not have. */
void http_wire_get_progress(struct wire_reader *reader, const struct http_request *request,
                            struct http_counted *counted);

#endif
