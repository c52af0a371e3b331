/* SPDX-License-Identifier: Apache-2.0 */
/* http_try.h - one attempt at one URL: an easy handle, its callbacks, and the verdict on what came (private to http.c)
 *
 * Threads: the network thread only.
 * Owns: the easy handle, the unfinished blob or body, until http_try_free().
 */
#ifndef IMGFACTORY_IO_HTTP_TRY_H
#define IMGFACTORY_IO_HTTP_TRY_H

#include "io/http_call.h"
#include "io/http_pace.h"
#include "io/proxy.h"

#define HTTP_OPENING_BYTES 64

/* What came of a file before a transfer broke off: another try, also at another mirror, asks for the rest only. The
 * digest of the whole decides in the end, so no mirror is trusted with another's part. */
struct http_part {
    struct blob blob;
    struct checksum_stream sha512;
    uint64_t counted_bytes; /* what the request's counter has of it */
};

struct http_try {
    struct http_request *request;
    struct http_calling calling;   /* when the request is a call */
    struct curl_slist *conditions; /* headers that ask whether there is another version */
    struct http_version version;   /* as the last header block said it */
    const char *url;
    int local_fd; /* of what a file: URL names, where libcurl does not open it itself (http_local); or -1 */
    CURL *easy;
    struct blob blob;              /* begun with the first byte when the request names a store */
    struct digest_stream hash;     /* of `body`, when it does not */
    struct checksum_stream sha512; /* of all bytes, when the request has one to compare with */
    struct buf body;
    uint64_t received_bytes, header_bytes;
    uint64_t counted_bytes;           /* what was added to the request's counter */
    char opening[HTTP_OPENING_BYTES]; /* the first bytes, to recognise a page of HTML */
    size_t opening_len;
    bool is_proxied;        /* it was sent through a proxy at first */
    bool has_proxy;         /* perhaps: then the address at the other end says nothing of the host */
    bool is_from_public;    /* the last redirect came from a public host */
    bool is_encoded;        /* the last header block had a Content-Encoding */
    uint64_t resumed_bytes; /* what was there before this try and still counts; 0: it began at the start */
    bool is_suspect;        /* with a part of before: if the whole is wrong, that may be the former mirror's fault */
    uint64_t range_start;   /* as the last header block said it (Content-Range) */
    bool has_range;
    bool is_range_settled; /* whether the answer goes on where we are was looked at */
    struct http_pace pace;
    bool is_too_slow; /* it was ended for that */
    char reason[CURL_ERROR_SIZE];
    int socket_errno;       /* why the last socket could not be made; 0: it could */
    struct err err;         /* set by a callback that refuses, else by the verdict */
    unsigned retry_after_s; /* what the server asked for; 0 for nothing */
};

enum http_verdict {
    HTTP_VERDICT_GOOD,      /* the results are in the request */
    HTTP_VERDICT_TRANSIENT, /* err says why; worth another try */
    HTTP_VERDICT_FINAL,     /* err says why; worth another mirror only */
    HTTP_VERDICT_HOPELESS,  /* err says why; a fault of this machine */
};

/* Prepares an attempt. The easy handle's private pointer is `owner`. ERR_USAGE when a credential would go in clear
 * through a proxy of another machine. */
bool http_try_new(struct http_request *request, const char *url, const struct proxies *proxies, void *owner,
                  struct http_try **ret_try, struct err *err) MUST_CHECK;
/* Lets a try that was not started yet go on where a former one broke off; takes the part over. */
bool http_try_resume(struct http_try *try, struct http_part *part, struct err *err) MUST_CHECK;
/* Takes out of a failed try what is worth going on with; false when there is nothing. */
bool http_try_take_part(struct http_try *try, struct http_part *ret_part);
/* Drops a part. Accepts a zeroed one. */
void http_part_drop(struct http_request *request, struct http_part *part);
/* Judges a transfer that ended with `code`: checks size and digest and, when all is good, commits the blob and fills
 * the request's results (all but is_good). */
enum http_verdict http_try_judge(struct http_try *try, CURLcode code);
/* Frees it, and with it what was received but not handed over. NULL is fine. */
void http_try_free(struct http_try *try);

/* Looks at where a redirect leads before it is followed (http_redirect.c); false when it is not, with try->err set. */
bool http_redirect_check(struct http_try *try, struct text location) MUST_CHECK;
/* CURLOPT_PREREQFUNCTION: called when connected, before anything is sent; a name, too, may stand for an address inside. */
int http_redirect_on_connected(void *argument, char *peer, char *own, int peer_port, int own_port);

/* A URL as people and logs may see it: without user information, query and fragment, control bytes replaced. */
struct http_shown {
    char chars[512];
};
struct http_shown http_show(const char *url);

#endif
