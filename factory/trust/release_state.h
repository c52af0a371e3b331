/* SPDX-License-Identifier: Apache-2.0 */
/* release_state.h - what was accepted last of each repository (Release, repomd.xml), and whether what comes is fresh
 *
 * STATE/v1/seen/<sha256 of uri and suite> holds lines: version, uri, suite, date, digest, file, signature, from; since
 * version 2 also origin, label, named (Suite), codename and arches (RPM), each empty when there is none. It is outside
 * the cache, so that emptying the cache does not allow a rollback.
 * Threads: any; processes and threads take turns by a lock on the directory.
 * Fails with: ERR_TRUST, ERR_LOCAL (the state is damaged or cannot be written).
 */
#ifndef IMGFACTORY_TRUST_RELEASE_STATE_H
#define IMGFACTORY_TRUST_RELEASE_STATE_H

#include "base/digest.h"
#include "source/env.h"
#include "source/repository.h"

/* What a repository calls itself (remembered_names.h); NULL where it says nothing. */
#define RELEASE_NAMES_COUNT 4
struct release_names {
    const char *values[RELEASE_NAMES_COUNT];
};

struct release_mark {
    int64_t date;            /* the high-water mark: seconds since the epoch */
    struct digest digest;    /* of the signed text */
    struct digest file;      /* blob of the InRelease or Release as fetched */
    struct digest signature; /* blob of the Release.gpg */
    bool has_signature;
    bool is_bare;     /* a Release taken without a signature (trusted: true) */
    const char *from; /* the URI that answered, without user info */
    bool has_names;   /* false: recorded by a version that did not */
    struct release_names names;
    const char *arches; /* RPM: of the packages, joined by ','; NULL: not known */
};

/* Returns what a lock says of accepted metadata / what a pin's file would be remembered by. Strings are borrowed. */
struct pin release_mark_pin(const struct release_mark *mark, const char *uri, const char *suite);
struct release_mark release_mark_of_pin(const struct pin *pin);
/* Loads the mark of a repository; *ret_found is false when it was never accepted. */
bool release_mark_load(const struct source_env *env, struct arena *arena, const struct repository *repository,
                       struct release_mark *ret_mark, bool *ret_found, struct err *err) MUST_CHECK;
/* What is dated: "Release" or "repomd.xml", the mirror that it came from, and what its names are called
 * (RELEASE_NAMES_COUNT). */
struct dated {
    const char *what, *uri;
    const char *const *titles;
    int64_t date;
};

/* `detail` of the ERR_TRUST of what is older than the last accepted: a mirror that lags behind has that, too. */
#define RELEASE_DETAIL_OLDER 1
/* Checks one date: there (unless the repository is trusted), not from the future, not before the mark (NULL: none), not
 * older than the repository's max-age. */
bool release_check_date(const struct source_env *env, struct arena *arena, const struct repository *repository,
                        const struct dated *dated, const struct release_mark *mark, struct err *err) MUST_CHECK;
/* Checks the dates: not past Valid-Until (0: none), and as release_check_date() does. */
bool release_check_fresh(const struct source_env *env, struct arena *arena, const struct repository *repository,
                         const struct dated *dated, int64_t valid_until, const struct release_mark *mark,
                         struct err *err) MUST_CHECK;
/* Logs "first use of …", one line for all these repositories; none for none. */
void release_tell_first_use(struct arena *arena, const struct source_env *env, const struct strings *names);
/* Adds to an error of the network that --cache-only would use what was accepted last, if it is in the cache. `mark` may be NULL;
 * `what` is as in struct dated. */
void release_mark_hint(const struct source_env *env, const struct release_mark *mark, const char *what,
                       struct err *err);
/* Records an accepted Release, durably, unless a newer one was recorded meanwhile. The mark never passes now. */
bool release_mark_raise(const struct source_env *env, struct arena *arena, const struct repository *repository,
                        const struct release_mark *mark, struct err *err) MUST_CHECK;

#endif
