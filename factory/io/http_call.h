/* SPDX-License-Identifier: Apache-2.0 */
/* http_call.h - what a call needs beyond a plain GET: method, headers, body, TLS, clocks (private to http*.c)
 *
 * Threads: the network thread only.
 * Owns: what is in struct http_calling, until http_call_free().
 */
#ifndef IMGFACTORY_IO_HTTP_CALL_H
#define IMGFACTORY_IO_HTTP_CALL_H

#include "io/http.h"

#include <curl/curl.h>

#define HTTP_HEADER_BYTES_MAX ((uint64_t)64 * 1024)
#define HTTP_PAGE_BYTES_MAX ((uint64_t)64 * 1024)

struct http_try;

/* Each has a clock of its own; connecting has libcurl's. */
enum http_stage { HTTP_CONNECTING, HTTP_SENDING, HTTP_WAITING, HTTP_RECEIVING };

/* The part of a try that only calls have. */
struct http_calling {
    struct curl_slist *headers;
    struct buf authorities; /* libcurl reads them until the handle is gone */
    struct buf answer_headers;
    bool is_answered;       /* the headers of a final answer came whole */
    uint64_t offset;        /* of the next byte of the body that libcurl will read */
    uint64_t counted_bytes; /* what was added to the sent_counter */
    enum http_stage stage;
    uint64_t mark_ms, mark_bytes; /* since when, and from how many bytes on, the stage's clock runs */
};

/* Whether the body is so big that it has a connection of its own, of which a host gets few. NULL: no. */
bool http_call_is_big(const struct http_call *call);
/* Sets all options of the try's handle in which a call differs from a GET. */
bool http_call_set_up(struct http_try *try, struct err *err) MUST_CHECK;
/* Adds the system's CAs, those of `tls`, client certificate and so on; the CAs live in `authorities`. */
bool http_tls_set_up(CURL *easy, const struct http_tls *tls, struct buf *authorities, struct err *err) MUST_CHECK;
/* Takes a line of the answer's headers, as libcurl hands it over; false when they are too long. */
bool http_call_take_header(struct http_try *try, struct text line) MUST_CHECK;
/* Whether the answer's body is for the store. */
bool http_call_is_stored(const struct http_try *try);
/* Brings sent_counter and was_sent up to date. */
void http_call_note_sent(struct http_try *try);
/* Looks at the stage's clock; true when it ran out, try->reason says of what. Call it every 100 ms or so. */
bool http_call_is_stuck(struct http_try *try, uint64_t now_ms);
/* Frees it and takes back what was counted and not kept. The easy handle must be gone. */
void http_call_free(struct http_try *try);

#endif
