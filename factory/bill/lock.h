/* SPDX-License-Identifier: Apache-2.0 */
/* lock.h - lock files: what a run took, so that another takes exactly that
 *
 * One JSON document for all images, architectures and formats, one thing a line, all sorted, so that two of them compare line by
 * line. Its last line is the checksum of all others: a change by hand is noticed. It proves nothing else; who builds from it
 * verifies all that it names (source/pins.h, line/locked.h).
 * Threads: no shared state.
 * Owns: nothing; strings live in the arena given.
 * Fails with: ERR_TRUST (changed, or no lock), ERR_MALFORMED (of a newer format).
 */
#ifndef IMGFACTORY_BILL_LOCK_H
#define IMGFACTORY_BILL_LOCK_H

#include "base/digest.h"
#include "base/err.h"
#include "base/map.h"
#include "source/pins.h"

#define LOCK_FORMAT 2 /* format 1 is read, too: it had one generation of each repository */
#define LOCK_MAX_BYTES ((size_t)32 << 20)

/* A signed generation of a repository. Zeros and "": it was left out. */
struct lock_source {
    const char *uri, *suite, *from;
    int64_t date;
    struct digest digest, file, signature; /* as struct pin has them; no signature: zeros */
    bool is_bare;
    bool is_extra; /* a later generation, from which single packages are taken: those that name it */
    const char *distribution, *version, *codename; /* what it calls itself, each may be NULL */
    bool is_stand_in;                              /* not written: its packages stand in for it (source/stand_in.h) */
};

/* A file that it lists. */
struct lock_index {
    const char *uri, *suite; /* of the generation */
    const char *arch;        /* of orders ("aarch64") */
    const char *path;
    const char *checksum;     /* "sha256:…" or "sha512:…" */
    uint64_t size_bytes;      /* 0 where the list does not say */
    struct digest generation; /* of a later one its digest; zeros: the first */
};

/* What else the images are made of: the folders beside the manifests, and each architecture's file. */
struct lock_data {
    const char *name; /* "families", "arch aarch64" */
    struct digest digest;
};

struct lock_image {
    const char *image, *arch;
    struct digest manifest;
    const char *base; /* of a registry or layout, as it is named; NULL: none, or another image of the run */
    struct digest base_digest;
    const char *named; /* how a name was taken that is no manifest's, or NULL */
};

struct lock_package {
    const char *arch, *name, *version, *architecture, *url;
    uint64_t size_bytes;
    struct digest digest;
    struct strings images;
    struct digest generation; /* the digest of the later one that it is taken from; zeros: the first */
    const char *suite;        /* of the repository; NULL: not known */
};

/* Which package was taken for a path that a manifest names. */
struct lock_path {
    const char *arch, *path, *package, *why;
    struct strings images;
};

struct lock {
    uint32_t format;
    const char *program; /* its version */
    LIST(struct lock_source) sources;
    LIST(struct lock_index) indices;
    LIST(struct lock_data) data;
    LIST(struct lock_image) images;
    LIST(struct lock_package) packages;
    LIST(struct lock_path) paths;
    struct digest sum;  /* of the text before it; of a document that was read */
    struct map added;   /* private: what was added, by all that makes it one thing */
    struct map members; /* private: struct lock_members by image and architecture (lock_sort_out()) */
};

/* What is of one image for one architecture. */
struct lock_members {
    LIST(const struct lock_package *) packages;
    LIST(const struct lock_path *) paths;
};

/* Which part of a lock is compared; NULL: all. */
struct lock_part {
    const char *image, *arch;
    bool is_some; /* what only the first has is no difference: other images may be its */
    bool
        is_exact; /* by which generation of its repository a package is taken counts, too; why a path is a package's does not, where
                      one of both alone is a guess */
    bool is_blind; /* why a path or name is a package's is not known: other packages are not there */
};

/* Adds what is not there yet; a package or path that is there gets the image. */
void lock_add_source(struct arena *arena, struct lock *lock, const struct lock_source *source);
void lock_add_index(struct arena *arena, struct lock *lock, const struct lock_index *index);
void lock_add_data(struct arena *arena, struct lock *lock, const char *name, const struct digest *digest);
void lock_add_package(struct arena *arena, struct lock *lock, const struct lock_package *package, const char *image);
void lock_add_path(struct arena *arena, struct lock *lock, const struct lock_path *path, const char *image);
/* Adds what another lock has of images that this one does not have: where only some images of a lock are locked anew. Generations
 * and what they list are those of both; where both have one, this lock's stays. */
void lock_add_others(struct arena *arena, struct lock *lock, const struct lock *other);
/* Sorts out what is of which image, for lock_members(); what was read is. */
void lock_sort_out(struct arena *arena, struct lock *lock);
/* Returns what is of an image for an architecture, of a lock that is sorted out. */
const struct lock_members *lock_members(const struct lock *lock, const char *image, const char *arch);
/* Finds an image for an architecture (NULL: any); NULL when there is none. */
const struct lock_image *lock_find_image(const struct lock *lock, const char *image, const char *arch);
/* Lets packages that are those of a former lock come from where they came. */
void lock_settle(struct lock *lock, const struct lock *former);
/* Drops later generations that nothing is taken from. Nothing is added after that. */
void lock_drop_unused(struct lock *lock);
/* Sorts everything, and appends the document to an initialised buffer. False when it is larger than may be read again. */
bool lock_write(struct lock *lock, struct buf *text) MUST_CHECK;
/* Reads a document; `name` is for messages. */
bool lock_read(struct arena *arena, const char *name, struct text text, struct lock *ret_lock,
               struct err *err) MUST_CHECK;
/* Lists how `now` differs from `locked` in what makes an image ("dhcpd for aarch64: package libc6 2.36-9 is 2.36-10"): data,
 * manifests, bases, names, paths, packages. */
void lock_differences(struct arena *arena, const struct lock *locked, const struct lock *now, struct lock_part part,
                      struct strings *ret_lines);
/* The same of generations and what they list, of the repositories and architectures that `now` has. */
void lock_source_differences(struct arena *arena, const struct lock *locked, const struct lock *now,
                             struct strings *ret_lines);
/* Lists the names of the packages that differ between two locks, sorted. */
void lock_moved(struct arena *arena, const struct lock *locked, const struct lock *now, struct strings *ret_names);
/* Lists the images that `locked` has and `now` has not, for any architecture, each once. */
void lock_other_images(struct arena *arena, const struct lock *locked, const struct lock *now,
                       struct strings *ret_names);
/* Returns whether the package was taken by its name alone, since no index of paths could be asked; `path` may be NULL. */
bool lock_is_guess(const struct lock_path *path);
/* Returns whether it has a package of that name. */
bool lock_has_package(const struct lock *lock, const char *name);
/* Returns what a run takes by it; `place` is the lock's path. `moving` are names of packages that shall be the newest, where the
 * others stay if they can; NULL: nothing moves. */
struct pins lock_pins(struct arena *arena, const struct lock *lock, const char *place, const struct strings *moving,
                      bool is_exact);
/* Lists the names of all blobs that builds from it need (with the kind of each checksum). Those of bases are not among them. */
void lock_blobs(struct arena *arena, const struct lock *lock, struct strings *ret_checksums);
/* Parses a checksum as a lock has it, "sha256:…" or "sha512:…". */
bool lock_checksum(const char *text, struct checksum *ret_checksum) MUST_CHECK;

#endif
