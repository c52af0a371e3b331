/* SPDX-License-Identifier: Apache-2.0 */
/* pins.h - generations of repositories that a run takes whatever newer ones there are: those of a lock file (bill/lock.h)
 *
 * A pin says which signed file (InRelease, Release, repomd.xml) is taken. It proves nothing: signature and checksums are
 * verified as ever, only ages are not judged. The file comes from the cache, else from the mirrors that have it still, else from
 * the source's `snapshot:` places.
 * Threads: const for all.
 * Owns: nothing; it lives with the run.
 * Fails with: as each function says.
 */
#ifndef IMGFACTORY_SOURCE_PINS_H
#define IMGFACTORY_SOURCE_PINS_H

#include "base/digest.h"
#include "base/err.h"
#include "base/text.h"

/* `detail` of an ERR_NETWORK: no place that answered has a pinned generation (any more). */
#define PINS_GONE 3

/* A package's name, for one architecture of orders ("aarch64"). */
struct pin_name {
    const char *arch, *name;
};

/* A package that is taken: what a lock says of it. */
struct pin_package {
    const char *arch, *name, *version,
        *architecture; /* the first one of orders, the last one of packages ("arm64", "all") */
    const char *suite; /* of its repository; NULL: a lock of the first format */
    const char *url;   /* begins with `from` of its generation */
    uint64_t size_bytes;
    struct digest digest;
    struct digest generation; /* of a later one its digest; zeros: the first */
};

/* One generation. Repositories are known by their first configured URI, as people may see it, and their suite ("repomd.xml" where
 * there are none). */
struct pin {
    const char *uri, *suite;
    const char *from;        /* the mirror that gave it, as people may see it: what its packages' URLs begin with */
    int64_t date;            /* of the metadata: seconds since the epoch */
    struct digest digest;    /* names the generation: of the signed text */
    struct digest file;      /* of the InRelease, Release or repomd.xml as it came */
    struct digest signature; /* of the file with the detached signature */
    bool has_signature, is_bare;
    bool is_left_out; /* an optional repository that could not be reached then: it is left out again */
    bool is_extra; /* a later one of the repository, of which only `names` are taken; of the other one all but these */
    LIST(struct pin_name) names;                   /* sorted */
    const char *distribution, *version, *codename; /* what it called itself; each may be NULL */
};

/* Which generation of a repository is wanted, where there are several. All zeros: the one that is pinned, if any, else the newest. */
struct pin_wish {
    const struct pin *pin; /* a later one that is pinned besides */
    bool is_newest;        /* the newest, whatever is pinned; then `pin` is NULL */
};

/* What is seen of a repository for one architecture. */
struct pin_view {
    const struct pin *pin; /* NULL: all */
    const char *arch;
};

/* What the name of a base in a registry meant. */
struct pin_base {
    const char *name;
    struct digest digest;
};

struct pins {
    const char *place;  /* the lock's path: for messages */
    const char *vendor; /* the folder of `lock --vendor`, or NULL */
    bool is_exact;      /* nothing is taken that is not pinned */
    bool is_vouching;   /* what stands in for metadata that are gone is taken by its digest alone */
    bool is_audit;   /* metadata alone are looked at: nothing stands in for them, and what is not pinned is left out */
    bool has_newest; /* the newest generation of each repository is there, too: what is pinned comes first */
    LIST(struct pin) items;
    LIST(struct pin_base) bases;
    LIST(struct pin_package) packages; /* of an exact run: what stands in for metadata that are gone (stand_in.h) */
};

/* Finds the pin of a repository; NULL when there is none. `pins` may be NULL. */
const struct pin *pins_find(const struct pins *pins, const char *uri, const char *suite);
/* Finds the next later generation of the repository that is pinned besides; NULL when there is none. `after` is the one before it,
 * NULL for the first. */
const struct pin *pins_next_extra(const struct pins *pins, const char *uri, const char *suite, const struct pin *after);
/* Sorts the names of a pin, as the next functions want them. */
void pin_sort_names(struct pin *pin);
/* Returns whether packages of a name are seen. */
bool pin_view_shows(const struct pin_view *view, struct text name);
/* Feeds what of the repository is seen; nothing when that is all of it. */
void pin_view_feed(const struct pin_view *view, struct digest_stream *stream);
/* Returns the name of a repository's generation that is not the only one: "NAME of DATE". */
const char *pin_extra_name(struct arena *arena, const char *name, int64_t date);
/* Finds what a base's name meant; NULL when it is not pinned. `pins` may be NULL. */
const struct digest *pins_base(const struct pins *pins, const char *name);
/* Lists what a repository's `snapshot:` pattern (NULL: none) may stand for at a pin's date, each ending in '/': {time} is the date
 * as 20261129T101637Z, {date} as 20261129. A snapshot is made a while after its metadata: later dates follow. */
struct strings pins_snapshots(struct arena *arena, const char *pattern, int64_t date);
/* Says what is wrong with a `snapshot:` pattern ("it has neither {time} nor {date}"), or NULL. */
const char *pins_snapshot_fault(const char *pattern);
/* Sets the ERR_TRUST of a repository that is not pinned in an exact run. */
void pins_fail_unknown(const struct pins *pins, const char *name, struct err *err);
/* Sets the error of a pin that no place has: ERR_NETWORK (PINS_GONE), or ERR_TRUST where a mirror has another one of the very
 * same date (`seen_date`; 0: nothing was seen): then the lock names what never was. `what` is "Release" or "repomd.xml". */
void pins_fail_gone(const struct pins *pins, const struct pin *pin, const char *what, int64_t seen_date,
                    struct err *err);
/* Sets the error of one that is not in the cache, when nothing else is asked (--cache-only). */
void pins_fail_uncached(const struct pins *pins, const struct pin *pin, const char *what, struct err *err);
/* Checks what was read of a pinned generation against the pin; ERR_TRUST. */
bool pins_check(const struct pins *pins, const struct pin *pin, const struct digest *digest, int64_t date,
                struct err *err) MUST_CHECK;

#endif
