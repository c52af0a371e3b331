/* SPDX-License-Identifier: Apache-2.0 */
/* http.h - every transfer of the program, on one network thread around one curl_multi
 *
 * http, https and file URLs. Proxies from the environment (proxy.h), never for loopback hosts, or the one of a request's
 * http_access; what has a user name is not fetched over plain http through a proxy of another machine (ERR_USAGE).
 * One retry layer: transient faults (connect, reset, timeout, truncation, 408/425/429/5xx) are tried again, 5 tries in
 * all, with jittered exponential back-off from 0.5 s (http_options.retry_base_ms), Retry-After obeyed up to 120 s (a
 * server that wants more is given up); other 4xx are final, as are wrong bytes and certificates: then the next mirror
 * has its turn. What came before a transfer broke off is kept: the next try, also at another mirror, asks for the rest,
 * and the digest of the whole decides. Redirects: at most 5, never from https to http, never to another scheme, never
 * from a public host to a private or link-local address or localhost (address.h). No netrc, no cookies, no content
 * encoding. Bytes are counted in the write callback and stop at the cap. Stalls: connect 20 s, under 1 KiB/s for 30 s;
 * too slow in the long run: see http_pace.h; a host that proved slow is then asked last. All that is about plain GETs;
 * for other requests see struct http_call.
 * With a broker all that happens in another process, and what is handed over is copied: requests, answers, descriptors.
 * Threads: requests may be sent from any thread; the network thread owns every curl handle and calls `done`. With a broker the
 * one here that calls `done` only takes its answers.
 * Owns: the thread and the handles until http_stop(); a request stays the caller's and must live until it is done.
 */
#ifndef IMGFACTORY_IO_HTTP_H
#define IMGFACTORY_IO_HTTP_H

#include "base/checksum.h"
#include "base/log.h"
#include "base/workers.h"
#include "io/confine.h"
#include "io/store.h"

#include <stdatomic.h>

struct http;
struct broker;

/* `detail` of an ERR_NETWORK: other bytes than wanted came from a place that does not name its bytes (http_request.naming). */
#define HTTP_DETAIL_MOVED 1
#define HTTP_DETAIL_PLACE 4 /* of an ERR_TRUST: the place is not believed; nothing is said of its bytes */

struct http_options {
    size_t connections_per_host; /* 0: 12, and 48 calls (struct http_call); with a rate 4 of both */
    uint64_t rate_per_host;      /* bytes a second that are received of one host, all in all; 0: no bound */
    const char *cache_from;      /* a cache that is looked into first (shared_cache.h); NULL: none */
    unsigned retry_count;        /* tries after the first; 0: HTTP_DEFAULT_RETRIES; HTTP_NO_RETRY for none */
    unsigned retry_base_ms;      /* 0: 500 */
    unsigned slow_after_ms;      /* the window in which an average counts; 0: 60 s (HTTP_SLOW_AFTER_MS) */
    const atomic_bool *cancel;   /* when it turns true, requests end with ERR_CANCELLED; may be NULL */
    struct log *log;             /* is told of further tries and other mirrors; may be NULL */
    struct workers *keeper; /* starts the network thread where whoever sends the first request is confined; or NULL */
    const struct confine_places *confined; /* what the network thread is confined to; or NULL. Read when it starts */
    struct broker
        *broker; /* the process that sends in place of this one (broker.h), which `confined` is told to then; or NULL */
};
#define HTTP_DEFAULT_RETRIES 4u
#define HTTP_NO_RETRY (~0u)
#define HTTP_LATE_MS ((uint64_t)300)

/* TLS beyond the system's CAs; strings are the caller's and must live until the request is done. */
struct http_tls {
    const char *ca_file, *ca_dir;     /* in place of the system's; NULL: those */
    const char *ca_pem;               /* further CA certificates (PEM text), or NULL */
    const char *cert_path, *key_path; /* client certificate, or NULL */
    bool is_verify_off;
};

/* What a repository wants of plain GETs, beyond what the environment says; strings as in struct http_tls. User and password
 * are sent to the hosts of the request's URLs, never on to one that a redirect leads to; none of it is ever printed. */
struct http_access {
    struct http_tls tls;                     /* without ca_pem */
    const char *user, *password;             /* HTTP's basic authentication; NULL: none (a URL's own come first) */
    const char *proxy;                       /* for every host but those of no_proxy; NULL: that of the environment */
    const char *proxy_user, *proxy_password; /* of that proxy; NULL: none */
};

/* A request that is more than a GET: every HTTP answer is a result (is_good with its status), no redirects, no further
 * tries; is_good is false only when no complete answer came (err: ERR_NETWORK, or ERR_TRUST for certificates), when the
 * answer is too large (ERR_MALFORMED) or this machine fails. An answer of 300 or more counts as soon as its headers
 * came, even while the request's body is still being sent. The answer's body is kept in request->body up to cap_bytes,
 * or goes to the store when status is 200 or 206 and a store is given; of one of 300 or more the first 64 KiB are kept,
 * whatever the cap, and neither size nor digest are checked. Only http and https, no user info in the URL.
 * Bodies above 1 MiB go over HTTP/1.1 on a connection of their own, at most 6 at a time to one host, the rest over
 * HTTP/2 where offered. Big bodies without an Authorization wait for "100 Continue" first (up to 1 s), with one a
 * refusal is unlikely; a header "Expect" of the caller's overrides that. libcurl itself sends a request again when a
 * connection kept from an earlier one proves dead before any byte of an answer; never a big body or a PATCH, which have
 * a connection of their own. */
struct http_call {
    const char *method;         /* "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE" */
    const char *const *headers; /* "Name: value"; may hold secrets: never printed */
    size_t header_count;
    struct text body; /* sent from memory, or … */
    int body_fd;      /* … from a descriptor by pread when has_body_fd */
    bool has_body_fd;
    uint64_t body_offset, body_bytes; /* with has_body_fd */
    _Atomic uint64_t *sent_counter; /* bytes sent are added here as they go; taken back unless the answer is below 300;
                                       may be NULL */
    const struct http_tls *tls;     /* may be NULL */
    unsigned answer_wait_ms;        /* for the answer after the last byte was sent; 0: 15 min */
    unsigned stall_ms;              /* for a byte to move while sending, and for 1 KiB/s while receiving; 0: 60 s */
    bool is_ended_late; /* when a signal came it may still end, for HTTP_LATE_MS: what has begun to change things */
    bool is_part_kept;  /* when an answer for the store breaks off, what came becomes a blob (see has_part) */

    /* results */
    struct buf answer_headers; /* lines "Name: value\n" of the last answer; the caller calls buf_done() */
    bool was_sent;             /* the whole request was sent: the server may have acted although no answer came */
    bool is_too_slow;          /* it was given up for that */
    bool has_part;             /* is_good is false, but the received_bytes that came are the blob blob_digest */
};

/* What a server said of a file's version, to be asked whether it has another one (RFC 9110, section 13.1): empty texts for
 * nothing. Zero-terminated. */
struct http_version {
    char etag[200];
    char modified[64]; /* Last-Modified */
};

/* Who opens files of this machine in place of libcurl: what was looked at is what is read then, whatever its path leads to a
 * moment later. */
struct http_local {
    /* Opens what a file: URL names: -1 when there is no such file, false when it must not be read. On the network thread. */
    bool (*open)(void *owner, const char *url, int *ret_fd, struct err *err);
    void *owner;
};

/* One transfer. Fill the first part, zero the rest. */
struct http_request {
    const char *const *urls; /* the same file on one or more mirrors, tried in order: the next one when the former
                                failed for good (404, transient after all tries, wrong bytes) */
    size_t url_count;
    uint64_t cap_bytes; /* more than this is refused: ERR_MALFORMED; needed always */
    bool is_size_known; /* then fewer or more than size_bytes bytes are refused: ERR_TRUST naming both sizes */
    uint64_t size_bytes;
    bool is_digest_known; /* then other bytes are refused: ERR_TRUST "expected sha256:…, got sha256:…" */
    struct digest digest;
    const struct checksum *sha512; /* likewise, where only a SHA-512 is known; the caller's; NULL: none. The store then
                                      finds the blob by it later (store_find_sha512()) */
    const char
        *naming; /* a URL that has this text (a digest) in it names its bytes; other bytes at another URL are those of a
                           file that changed: ERR_NETWORK (HTTP_DETAIL_MOVED) instead of ERR_TRUST. NULL: all name theirs */
    bool is_impatient;            /* the caller knows another place: 20 kB/s are wanted of this one */
    bool is_tried_once;           /* no further tries after a transient fault: for what may be left out */
    struct http_version *version; /* of what the caller has, and, once it is good, of what the server has: with status
                                      304 it is the same, and nothing came. NULL: not asked; a plain GET */
    const struct http_access *access; /* of a plain GET; NULL: nothing beyond the environment */
    const struct http_local *local;   /* NULL: libcurl opens what file: URLs name */
    struct http_call *call;           /* set: see struct http_call (then there is one URL); NULL: a plain GET */
    struct store *store;              /* set: the bytes become a blob of the store; else they are kept in `body` */
    _Atomic uint64_t *counter; /* bytes received are added here as they come (taken back on a retry); may be NULL */
    /* Called on the network thread, must be short; may be NULL. The request is not touched afterwards, so its owner may
     * free it. */
    void (*done)(struct http_request *request);
    void *owner; /* for `done` */

    /* results, valid once done or http_wait() returned */
    bool is_good;
    struct err err; /* ERR_NETWORK has detail = HTTP status or 0 (404 only if every mirror said so); ERR_TRUST for wrong
                       bytes and certificates; ERR_MALFORMED past the cap; texts name the URL without
                       user info and query. Of several mirrors the gravest kind, and all texts. */
    struct buf body;           /* the caller calls buf_done() */
    struct digest blob_digest; /* of the bytes received, blob or body */
    uint64_t received_bytes;
    const char *url; /* the one of urls that answered */
    int status; /* HTTP status of the last answer; 0 for none (for a call: none whose headers came whole) or file:, but
                   404 for a file: that cannot be opened */

    struct http_transfer *transfer; /* private */
};

/* Makes what transfers need; the network thread, and libcurl, are started with the first request. Call it once. */
bool http_start(const struct http_options *options, struct http **ret_http, struct err *err) MUST_CHECK;
/* Takes a file of that size out of the cache that is shared (http_options.cache_from) into a store; false: it is not there. */
bool http_take_shared(struct http *http, struct store *store, const struct digest *digest,
                      uint64_t size_bytes) MUST_CHECK;
/* Queues a request (where no network thread can be started it is ended here, with an error). Requests of one host are started in the order sent, so send the biggest first. */
void http_send(struct http *http, struct http_request *request);
/* Waits until the request is done (and its `done` has returned) and returns request->is_good. Never call it on the
 * network thread. */
bool http_wait(struct http *http, struct http_request *request);
/* Returns the number that the broker knows it by, for what is asked there besides; it is ended by http_stop() all the same. */
unsigned http_number(struct http *http);
/* Returns whether the URL `to` leads inside (address.h) while `from`, who names it, is a public host. */
bool http_is_inward(const char *from, const char *to);
/* Ends the thread; requests under way end with ERR_CANCELLED, and threads in http_wait() leave it. Nothing may be sent
 * or waited for afterwards. NULL is fine. */
void http_stop(struct http *http);

#endif
