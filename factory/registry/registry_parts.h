/* SPDX-License-Identifier: Apache-2.0 */
/* registry_parts.h - what the registry_*.c files and push share: the open repository, one exchange, waiting, tokens
 * (private to registry/)
 *
 * Threads: any thread may use a registry; what changes after registry_open() is atomic or guarded by `lock`.
 */
#ifndef IMGFACTORY_REGISTRY_REGISTRY_PARTS_H
#define IMGFACTORY_REGISTRY_REGISTRY_PARTS_H

#include "io/http_status.h"
#include "registry/challenge.h"
#include "registry/credentials_secret.h"
#include "registry/registry.h"
#include "registry/registry_url.h"

#include <pthread.h>

#define REGISTRY_DOCUMENT_MAX_BYTES ((size_t)4 * 1024 * 1024)
#define REGISTRY_ERROR_MAX_BYTES ((size_t)64 * 1024)
#define REGISTRY_BIG_BODY_BYTES ((uint64_t)1024 * 1024)
#define REGISTRY_DIGEST_NAME_SIZE (sizeof "sha256:" + 64)

/* A bearer token for one access. Guarded by registry.lock. */
struct registry_token {
    char *value;         /* malloc'd; wiped before it is freed */
    unsigned generation; /* 0: none; else which of all renewals of this registry made it */
    uint64_t lifetime_ms, expires_ms;
    bool is_shared;     /* it is one for several repositories of the call */
    bool is_renewed;    /* it was fetched because a request was refused */
    const char *scopes; /* what was asked for */
    struct err failure; /* why there is none: final for failed_scopes, as all tries were made */
    const char *failed_scopes;
};

/* How bodies are sent to this registry: learned from its refusals. */
enum upload_mode { UPLOAD_PUT, UPLOAD_PATCH, UPLOAD_CHUNKS };

struct shared_host;

struct registry {
    /* set by registry_open(), then const */
    const struct registry_options *options;
    struct http *http;
    struct reference reference;
    enum registry_access access;
    struct http_tls tls, foreign_tls;    /* for the registry itself; for other origins: no client certificate */
    const char *name;                    /* "host/repository": for messages */
    struct arena arena;                  /* the registry's own copies; after registry_open() guarded by lock */
    unsigned retry_base_ms, patience_ms; /* of the options, or the standard */
    uint64_t deadline_ms;
    struct shared_host *host;        /* of the call; may be NULL */
    uint64_t remote;                 /* with a broker: what it is there (registry_remote.h); 0: not open there */
    _Atomic uint64_t *not_before_ms; /* the registry asked all of us to wait (429, 503): the host's, or our own */
    _Atomic uint64_t own_not_before_ms;

    _Atomic int scheme;           /* enum registry_scheme */
    _Atomic int upload_mode;      /* enum upload_mode */
    _Atomic uint64_t chunk_bytes; /* with UPLOAD_CHUNKS */
    atomic_bool is_mount_refused;
    atomic_bool is_ending_late; /* tags are being moved: what was begun may end after a signal (http_call) */
    atomic_bool is_head_refused, is_blob_head_refused; /* HEAD of manifests, of blobs: asked by GET at once */
    atomic_bool has_credential;                        /* there is one for it */
    atomic_bool has_answered;                          /* over the transport as it is set up */
    _Atomic unsigned accepted[3]; /* by enum registry_access: the newest generation that was not answered 401 */
    _Atomic int referrers;        /* enum registry_referrers */
    pthread_mutex_t attach_lock;  /* one fallback tag is changed at a time; taken before `lock` */

    pthread_mutex_t lock; /* guards the rest and `arena`; held while a token is fetched: single flight */
    bool is_challenge_known, is_credential_loaded;
    struct challenge challenge;
    struct registry_origin realm;
    struct credential credential;
    char *basic;                     /* "Authorization: Basic …"; wiped before it is freed */
    struct registry_token tokens[3]; /* by enum registry_access */
    bool is_token_alone;             /* a shared one was refused: from now on its own */
    bool is_delete_unasked;          /* the service knows no such action (quay): writing is all that is asked for */
    unsigned generation;
};

enum registry_scheme { SCHEME_UNKNOWN, SCHEME_HTTPS, SCHEME_HTTP };
enum registry_referrers { REFERRERS_UNKNOWN, REFERRERS_API, REFERRERS_TAG };

/* One request to the repository and its answer. Fill the first part, zero the rest, end it with exchange_done(). */
struct exchange {
    const char *method;
    const char *path; /* below /v2/ ("manifests/v1" below /v2/REPOSITORY/); or … */
    const char *url;  /* … absolute: a Location */
    bool is_root;     /* path is below /v2/ itself */
    enum registry_access access;
    const char *headers[4];
    size_t header_count;
    struct text body;
    bool has_fd;
    int fd;
    uint64_t offset, bytes;
    _Atomic uint64_t *sent_counter, *received_counter;
    size_t cap_bytes; /* of the answer's body; 0: REGISTRY_ERROR_MAX_BYTES */
    struct store *store;
    bool is_tried_once; /* transient answers and faults are the caller's to judge */

    /* the answer */
    int status;
    struct buf headers_in, body_in;
    struct digest digest; /* of the body, or of the blob in the store */
    uint64_t received_bytes;
    bool has_part;   /* the exchange failed, but this much is in the store … */
    int part_status; /* … and this was the answer's status (status is 0) */
    char *final_url; /* malloc'd: after redirects */
    unsigned retry_after_s;
    bool is_too_slow; /* the exchange failed because of that: the same server would be no faster */
    bool is_hopeless; /* the exchange failed and further tries are of no use: they were made already, or auth */
};

/* Sends, with authentication, redirects by hand and (unless is_tried_once) retries. True: there is an answer that is
 * not transient (with is_tried_once: any answer). False: err says why. */
bool registry_exchange(struct registry *registry, struct exchange *exchange, struct err *err) MUST_CHECK;
/* Frees the answer. For AUTO(). */
void exchange_done(struct exchange *exchange);
/* Sends one request as it is to any URL: no retry, no redirect. `authorization` may be NULL. */
bool registry_send(struct registry *registry, struct exchange *exchange, const char *url, const char *authorization,
                   struct err *err) MUST_CHECK;

/* Sends one request, its `url`, with what authorizes it if that is the registry's own: no second try, no renewal, no redirect. */
bool registry_send_once(struct registry *registry, struct exchange *exchange, struct err *err) MUST_CHECK;

/* Finds a header of the answer, without case; empty when absent. */
struct text exchange_header(const struct exchange *exchange, const char *name);
/* Collects all values of a header. */
void exchange_header_all(struct arena *arena, const struct exchange *exchange, const char *name, struct strings *ret);
/* Returns the query for the page behind the answer, when its `Link: <…?QUERY>; rel="next"` (RFC 8288) has a mark that the registry alone
 * understands (quay: next_page). "" when pages go by `last` (distribution-spec), which is what was read last, whatever the
 * registry says; NULL when there is no such header. Nothing else of the address is followed. */
const char *exchange_next_query(struct arena *arena, const struct exchange *exchange);
/* Resolves the answer's Location; NULL when there is none that we follow. https never becomes http: on the registry's
 * own host it is turned back (proxies that forget X-Forwarded-Proto). */
const char *exchange_location(struct registry *registry, struct arena *arena, const struct exchange *exchange);
/* Returns whether one of the JSON body's errors has this code ("MANIFEST_UNKNOWN"), whether one has a detail, and
 * whether the body has these words anywhere. */
bool exchange_has_code(const struct exchange *exchange, const char *code);
bool exchange_has_detail(const struct exchange *exchange);
bool exchange_has_words(const struct exchange *exchange, const char *words);
/* Sets err to what the registry said: kind ERR_NETWORK for transient statuses, else ERR_PUBLISH; detail is the status.
 * `what` is the thing ("manifest v1"). */
void exchange_refused(const struct registry *registry, const struct exchange *exchange, const char *what,
                      struct err *err);

/* Tries so far of one thing that is tried again. */
struct retry {
    unsigned count;
};

/* Waits before the next try and forgets err, or returns false with err saying that it is over: too many tries,
 * cancelled, the deadline. */
bool registry_back_off(struct registry *registry, struct retry *retry, unsigned retry_after_s,
                       struct err *err) MUST_CHECK;
/* After an answer that is not tried again as it is: when it asked to wait (429, 503), all next requests do. */
void registry_heed(struct registry *registry, const struct exchange *answer);
/* Sleeps that long unless it is cancelled or the deadline comes first (false, err set). */
bool registry_sleep(struct registry *registry, uint64_t ms, struct err *err) MUST_CHECK;
/* The registry's own origin, with the scheme as it is known by now. */
struct registry_origin registry_home(const struct registry *registry);
/* "http://host" or "https://host". */
const char *registry_base(struct arena *arena, const struct registry *registry);

/* Makes the Authorization header for a request (malloc'd; wipe it with secret_done()), or NULL when none is known to be
 * needed. Fetches a token when there is none that lasts. *ret_generation tells which one it is. */
bool registry_authorize(struct registry *registry, enum registry_access access, bool is_big, char **ret_header,
                        unsigned *ret_generation, struct err *err) MUST_CHECK;
/* What to do after a 401. */
enum renewal {
    RENEWAL_TRY,      /* again: another thread got a new token meanwhile */
    RENEWAL_LAST_TRY, /* again: a token was fetched or a credential taken just now, so that another 401 is final */
    RENEWAL_REFUSED,  /* the 401 is final: it was a new token already that was refused */
};

/* After a 401 to a request that carried `generation` (0: none): learns the challenge and gets a new token or the
 * credential. */
bool registry_renew(struct registry *registry, enum registry_access access, unsigned generation,
                    const struct exchange *answer, enum renewal *ret_renewal, struct err *err) MUST_CHECK;
/* Notes that a request with this generation was not answered with 401. */
void registry_note_accepted(struct registry *registry, enum registry_access access, unsigned generation);
/* A blob to upload. */
struct upload {
    const struct digest *digest;
    uint64_t size_bytes;
    int fd; /* read by pread from 0; stays the caller's; -1: `open` is asked once bytes are to be sent */
    bool (*open)(void *context, int *ret_fd, struct err *err);
    void *context;             /* of open() */
    const char *mount_from;    /* another repository of the registry, or NULL */
    _Atomic uint64_t *counter; /* of bytes sent, or NULL */
};

/* Uploads a blob: mount from `mount_from` when given (*ret_is_mounted: that was enough), else POST and one PUT; falls back
 * to PATCH and chunks as the registry needs. Idempotent. */
bool registry_upload(struct registry *registry, const struct upload *upload, bool *ret_is_mounted,
                     struct err *err) MUST_CHECK;
/* The same of bytes in memory: the network's thread reads them from a file in memory. */
bool registry_upload_document(struct registry *registry, struct text document, const struct digest *digest,
                              struct err *err) MUST_CHECK;

/* Looks what a name ("v1", "sha256:…") is now: with is_expected by HEAD, and by GET when that says anything but 200 and
 * this digest; else by GET at once, which costs no request more where it is not there. */
bool registry_manifest_is(struct registry *registry, const char *name, const struct digest *digest, bool is_expected,
                          bool *ret_found, bool *ret_is_it, struct err *err) MUST_CHECK;
/* What a registry has under a blob's digest. */
enum blob_presence { BLOB_ABSENT, BLOB_THERE, BLOB_OF_OTHER_SIZE };
/* registry_has_blob(), telling a damaged one apart. With is_expected a HEAD of 404 is looked at with GET, too. */
bool registry_look_blob(struct registry *registry, const struct digest *digest, uint64_t size_bytes, bool is_expected,
                        enum blob_presence *ret_presence, struct err *err) MUST_CHECK;
/* Gets a blob that is a document into the arena, verified; *ret_found false when it is not there. */
bool registry_get_document(struct registry *registry, struct arena *arena, const struct digest *digest, bool *ret_found,
                           struct text *ret_bytes, struct err *err) MUST_CHECK;
/* The same with another limit than that of documents. */
bool registry_get_bytes(struct registry *registry, struct arena *arena, const struct digest *digest, size_t cap_bytes,
                        bool *ret_found, struct text *ret_bytes, struct err *err) MUST_CHECK;
/* registry_put_manifest() with one more header (If-Match), or NULL. */
bool registry_put_if(struct registry *registry, const char *name, const char *media_type, struct text bytes,
                     const char *condition, bool *ret_missing, struct err *err) MUST_CHECK;

/* Finds the last of the manifests of an artifactType that are attached to one: its "sha256:…", or NULL; by the referrers API, or
 * where there is none by the tag. */
bool registry_find_referrer(struct registry *registry, struct arena *arena, const struct digest *subject,
                            const char *type, const char **ret_name, struct err *err) MUST_CHECK;

/* "sha256:<hex>" as a value. */
struct digest_name {
    char chars[REGISTRY_DIGEST_NAME_SIZE];
};
struct digest_name registry_digest_name(const struct digest *digest);

#endif
