/* SPDX-License-Identifier: Apache-2.0 */
/* verify.h - `imgfactory verify REF|LAYOUT`: whether index and children of an image are signed as a key or a policy wants it, and whether
 * what is said of it is so
 *
 * Manifests and configs are got and checked by their digests. Provenance, SBOMs and a lock are held against them, SBOMs file by file
 * against the layers, which are fetched for that. What was not verified is told. verify_image(), of pull, looks at signatures alone.
 * Threads: main, and up to 12 of its own that ask the registry.
 * Fails with: ERR_TRUST (a rule does not hold, or what is said of the image is not so), as sign/rule.h, registry.h and pull.h.
 */
#ifndef IMGFACTORY_CLI_VERIFY_H
#define IMGFACTORY_CLI_VERIFY_H

#include "bill/lock.h"
#include "cli/image_word.h"
#include "sign/rule.h"

/* What a call verifies by; zeroed. */
struct verify {
    bool is_local; /* the word means something on this machine; else: */
    struct reference reference;
    struct reference named; /* what signatures have to name: the same, or what --signed-as says */
    struct rules rules;
    struct rules rebuilders;            /* keys alone: whose results count; none: those of the rules */
    LIST(const struct sign_key *) keys; /* of both, in this order */
    size_t quorum;                      /* how many results by distinct keys are wanted */
    const char *lock_path;              /* of the lock that the image is held against; NULL: none */
    bool is_standard;                   /* the rules are those of the policy that podman goes by: nobody named it */
    struct lock lock;
    struct text lock_text;     /* its document */
    struct rebuild_plan *plan; /* of the command `verify`: filled in (rebuild_parts.h) */
};

/* Reads keys and policy for what a word names: those of the call, else the machine's policy (of the command `verify` none) unless --no-policy is given. */
bool verify_begin_word(struct command *command, const char *word, struct verify *verify, struct err *err) MUST_CHECK;
/* The same, and true, for a word that cannot be a reference: what is wrong with it is told when it is opened. */
bool verify_begin_maybe(struct command *command, const char *word, struct verify *verify, struct err *err) MUST_CHECK;
/* Reads words, keys, policy and lock; before anything is confined. */
bool verify_begin(struct remote *remote, struct verify *verify, struct err *err) MUST_CHECK;
/* Verifies and tells; remote->verify is set. */
bool verify_run(struct remote *remote, struct err *err) MUST_CHECK;
/* Verifies an image that was got, by what remote->verify says; true when that is nothing. */
bool verify_image(struct remote *remote, const struct remote_image *image, struct err *err) MUST_CHECK;
/* Frees the keys. For AUTO(). */
void verify_end(struct verify *verify);

#endif
