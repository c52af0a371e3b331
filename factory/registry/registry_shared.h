/* SPDX-License-Identifier: Apache-2.0 */
/* registry_shared.h - what the repositories of one call have in common, by the host of their registry
 *
 * Several images are pushed at once, each through a struct registry of its own. Of a host they learn its scheme once, keep
 * its waits (429, 503) together, take one token for all repositories of the call, where the credential is the same and the
 * token service gives one (registry_token.c), and have one queue of big bodies, the biggest first. A blob that was brought
 * into a repository, or seen there, is mounted from there for others; two images of one repository send it once. Where one
 * repository has no referrers API, what is attached in the others is listed by tag without asking, too.
 * Threads: any; registry_shared_claim() and registry_shared_enter() block.
 * Owns: all it holds, until registry_shared_free(); registries that were opened with it end before.
 * Fails with: ERR_CANCELLED, ERR_NETWORK (the registry's deadline).
 */
#ifndef IMGFACTORY_REGISTRY_REGISTRY_SHARED_H
#define IMGFACTORY_REGISTRY_REGISTRY_SHARED_H

#include "base/map.h"
#include "registry/registry_parts.h"

struct registry_shared;

/* A token for several repositories. Guarded by the host's token_lock. */
struct shared_token {
    enum registry_access access;
    struct digest credential; /* whose it is */
    char *value;              /* malloc'd; wiped before it is freed */
    uint64_t lifetime_ms, expires_ms;
    struct strings repositories;
};

/* One registry, as all repositories of the call see it. */
struct shared_host {
    const char *name;
    struct registry_shared *shared;
    _Atomic int scheme;             /* enum registry_scheme */
    atomic_bool is_warned;          /* that others can read the credential */
    atomic_bool has_no_referrers;   /* a repository of it has no referrers API */
    _Atomic uint64_t not_before_ms; /* it asked all of us to wait */
    pthread_mutex_t token_lock;     /* guards `tokens`; held while one is fetched; taken after registry.lock */
    struct arena arena;             /* of tokens' lists; guarded by token_lock */
    LIST(struct shared_token) tokens;
    struct strings repositories, pushing; /* of the call; those that write: guarded by the lock of `shared` */
    struct map blobs;                     /* struct shared_blob by digest; guarded by the lock of `shared` */
};

/* Creates an empty one. */
struct registry_shared *registry_shared_new(void);
/* Notes a repository that the call may push to; before the first registry is opened. */
void registry_shared_add(struct registry_shared *shared, const struct reference *reference);
/* Wipes tokens and frees. NULL is fine. */
void registry_shared_free(struct registry_shared *shared);

/* Finds or adds a host; NULL without `shared`. */
struct shared_host *registry_shared_host(struct registry_shared *shared, const char *name);
/* Notes that the registry's repository is going to be written to: only then may a token ask for that. */
void registry_shared_will_push(struct registry *registry);
/* Lists the repositories that a token may be asked for besides: for reading all, for writing those that will be. */
struct strings registry_shared_repositories(struct arena *arena, const struct registry *registry,
                                            enum registry_access access);

/* Asks where a blob is. *ret_repository: a repository of the host that has it; NULL: the caller brings it, and calls
 * registry_shared_settle(). Waits while another image brings it. */
bool registry_shared_claim(struct registry *registry, const struct digest *digest, const char **ret_repository,
                           struct err *err) MUST_CHECK;
/* Tells that the registry's repository has a blob, or that it could not be brought. */
void registry_shared_settle(struct registry *registry, const struct digest *digest, bool is_there);

/* Waits for a place in the queue of bodies, where the biggest comes first. */
bool registry_shared_enter(struct registry *registry, uint64_t bytes, struct err *err) MUST_CHECK;
/* Gives the place back. */
void registry_shared_leave(struct registry *registry);

#endif
