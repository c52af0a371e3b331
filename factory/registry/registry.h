/* SPDX-License-Identifier: Apache-2.0 */
/* registry.h - one repository of a registry: the OCI distribution API with authentication, retries and clear verdicts
 *
 * OCI distribution-spec 1.1; docker token authentication. One retry layer (transient statuses and transport faults,
 * jittered back-off, Retry-After, a deadline per request and per registry object); redirects and Locations are
 * followed by hand, without credentials when the origin (scheme, host, port) changes. A token realm must be on the
 * registry's host, a known pair (docker.io → auth.docker.io) or an allowed token origin.
 * Threads: any thread may call; calls block. The network thread does the transfers.
 * Fails with: ERR_PUBLISH (refused; the registry's own words, sanitised), ERR_NETWORK, ERR_TRUST (wrong digest),
 * ERR_USAGE, ERR_LOCAL.
 */
#ifndef IMGFACTORY_REGISTRY_REGISTRY_H
#define IMGFACTORY_REGISTRY_REGISTRY_H

#include "base/log.h"
#include "base/workers.h"
#include "registry/credentials.h"
#include "registry/trust_files.h"

struct registry;
struct registry_shared;

/* How registries are reached: one for the whole run. */
struct registry_options {
    struct log *log;                 /* may be NULL */
    const char *authfile, *cert_dir; /* may be NULL */
    bool is_verify_off; /* --tls-verify=false: also allows plain http, but no credential goes over plain http to a
                        * host that is not loopback */
    const struct strings *token_origins; /* further allowed "https://host[:port]" of token services; may be NULL */
    unsigned retries;                    /* tries after the first */
    unsigned retry_base_ms;              /* 0: 500 */
    unsigned deadline_ms;                /* for everything on this registry object; 0: 30 min */
    bool is_other_there;                 /* another place has the same: 20 kB/s are wanted of this one */
    const atomic_bool *cancel;           /* may be NULL */
    struct workers *keeper; /* reads credentials and certificates where the callers are confined; or NULL */
    struct broker *broker; /* the process that has credentials and network (io/broker.h): all is asked of it; or NULL */
    struct registry_shared *shared; /* what the repositories of the call have in common (registry_shared.h), or NULL */
};

/* A manifest or index by tag or digest. */
struct registry_manifest {
    bool is_found;
    const char *media_type;    /* without parameters */
    struct digest digest;      /* of the bytes */
    struct digest said_digest; /* what the header says, when has_said */
    bool has_said;
    uint64_t size_bytes;
    const char *bytes; /* in the arena */
};

enum registry_access { REGISTRY_PULL, REGISTRY_PUSH, REGISTRY_DELETE }; /* each with what is before it */

/* Opens a repository; sends nothing: the first request learns scheme and challenge. Nothing is created on the registry
 * (a push token is asked for only by the first writing call). The reference is copied; options, with all that they
 * point to, and http stay the caller's and must live until registry_close(). */
bool registry_open(const struct registry_options *options, struct http *http, const struct reference *reference,
                   enum registry_access access, struct registry **ret_registry, struct err *err) MUST_CHECK;
/* Asks for a blob: HEAD, and where that is refused a GET of its first byte. *ret_found false when it is not there; a size that
 * differs counts as absent. */
bool registry_has_blob(struct registry *registry, const struct digest *digest, uint64_t size_bytes, bool *ret_found,
                       struct err *err) MUST_CHECK;
/* Gets a manifest by tag or "sha256:…", all four media types accepted. The digest is verified when asked by digest
 * (ERR_TRUST). Absent: is_found false. */
bool registry_get_manifest(struct registry *registry, struct arena *arena, const char *name,
                           struct registry_manifest *ret_manifest, struct err *err) MUST_CHECK;
/* Lists the tags of the repository, at most 100,000; ERR_MALFORMED when there are more, or the answer is no list. */
bool registry_list_tags(struct registry *registry, struct arena *arena, struct strings *ret_tags,
                        struct err *err) MUST_CHECK;
/* The list with what it is worth. */
struct registry_tag_list {
    struct strings tags;
    bool is_whole;  /* false: the registry says that there are more, and gives none of them */
    bool has_clock; /* the answer has a Date: */
    int64_t clock;  /* the time of the registry, seconds since 1970 */
};
/* Lists them likewise. */
bool registry_read_tags(struct registry *registry, struct arena *arena, struct registry_tag_list *ret_list,
                        struct err *err) MUST_CHECK;
/* What became of a deletion. */
enum registry_deletion {
    REGISTRY_DELETED,
    REGISTRY_WAS_GONE,    /* nothing was there */
    REGISTRY_NO_DELETION, /* 405 or the like: this registry, or its setting, deletes nothing of the kind */
};
/* Deletes a manifest by digest ("sha256:…"; registries differ in what becomes of the tags that are at it) or a tag alone, which not
 * all can. The registry has to be opened with REGISTRY_DELETE. err tells of REGISTRY_NO_DELETION what the registry said, although
 * true is returned. */
bool registry_delete_manifest(struct registry *registry, const char *name, enum registry_deletion *ret_deletion,
                              struct err *err) MUST_CHECK;
/* What is about a manifest (its `subject`), by the referrers API. */
struct referrers {
    bool has_api; /* false: the registry has none; the index under the tag "sha256-…" names them (registry_attach()) */
    LIST(struct digest) digests;
};
/* Asks for it: one request, none where the registry is known to have no API. Further pages are followed by their `last`. */
bool registry_list_referrers(struct registry *registry, struct arena *arena, const struct digest *subject,
                             struct referrers *ret_referrers, struct err *err) MUST_CHECK;
/* An annotation. */
struct registry_note {
    const char *key, *value;
};
/* One of the manifests that are about another one, as an index of referrers tells of it: nothing of it is proved. */
struct registry_referrer {
    struct digest digest;
    const char *type; /* artifactType; "" where it has none */
    LIST(struct registry_note) notes;
};
struct registry_referrer_list {
    LIST(struct registry_referrer) items; /* each digest once; at most REGISTRY_REFERRERS_MAX_COUNT */
    bool is_of_tag;
    struct registry_manifest tag; /* with is_of_tag: what the tag is at; bytes in the arena */
    LIST(struct digest) gone;     /* filled in by who attaches: entries of the tag that go when others come */
};
#define REGISTRY_REFERRERS_MAX_COUNT ((size_t)1000)
/* Lists what is about a manifest: by the referrers API, or where there is none by the index under its tag. ERR_MALFORMED when there
 * are too many. */
bool registry_read_referrers(struct registry *registry, struct arena *arena, const struct digest *subject,
                             struct registry_referrer_list *ret_referrers, struct err *err) MUST_CHECK;
/* registry_attach() for several manifests (of the mediaType that they say, else OCI_MEDIA_MANIFEST) about one subject with one change of the tag. `before`: what was
 * read of it, which is not read again. Not for two threads at a time with one subject. */
bool registry_attach_all(struct registry *registry, const struct digest *subject, const struct text *manifests,
                         size_t count, const struct registry_referrer_list *before, struct err *err) MUST_CHECK;
/* PUTs a manifest under a tag or its digest. An unclear answer (lost reply, wrong or missing Docker-Content-Digest)
 * is looked at with a read back before the verdict. *ret_missing tells that the registry said a blob or child is
 * unknown (err is then set, ERR_PUBLISH). */
bool registry_put_manifest(struct registry *registry, const char *name, const char *media_type, struct text bytes,
                           bool *ret_missing, struct err *err) MUST_CHECK;
/* Streams a blob into the store, verified, resumed with Range where possible. */
bool registry_get_blob(struct registry *registry, struct store *store, const struct digest *digest, uint64_t size_bytes,
                       _Atomic uint64_t *counter, struct err *err) MUST_CHECK;
/* After a manifest was put: when it has a `subject`, makes it findable from that. Nothing is to be done when the registry
 * has the referrers API; else its descriptor, with artifactType and annotations, is added to the index under the tag of
 * the subject (distribution-spec, "Referrers Tag Schema"), whose other entries stay. Idempotent. */
bool registry_attach(struct registry *registry, const char *media_type, struct text bytes, struct err *err) MUST_CHECK;
/* Asks /v2/ with this credential (the repository in `reference` does not matter): whether it is accepted. A registry
 * that asks for none accepts all: *ret_is_asked tells. */
bool registry_try_login(const struct registry_options *options, struct http *http, const struct reference *reference,
                        const struct credential *credential, bool *ret_is_asked, struct err *err) MUST_CHECK;
/* Wipes tokens and frees. NULL is fine. */
void registry_close(struct registry *registry);
/* registry_close(), for AUTO(). */
void auto_close_registry(struct registry **registry);

#endif
