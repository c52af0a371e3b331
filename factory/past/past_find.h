/* SPDX-License-Identifier: Apache-2.0 */
/* past_find.h - which published images have a soname, a package or a file
 *
 * Of an image that stands on a base the base's bill is asked, too, where it is kept (an image of ours); packages of its names and
 * files at its paths that the image has itself hide the base's.
 * Threads: no state.
 * Owns: nothing; what is found lives in the arena given.
 * Fails with: ERR_USAGE (an expression that means nothing).
 */
#ifndef IMGFACTORY_PAST_PAST_FIND_H
#define IMGFACTORY_PAST_PAST_FIND_H

#include "past/past.h"

enum past_relation { PAST_ANY, PAST_EQ, PAST_LT, PAST_LE, PAST_GT, PAST_GE };

/* A package of a version: "openssl", "openssl < 3.0.17". Its name may be a glob, and be that of a source package. */
struct past_version {
    const char *name;
    enum past_relation relation;
    const char *version; /* NULL with PAST_ANY */
};

/* What is looked for: all that is set, in one platform. */
struct past_wanted {
    const char *soname; /* may be a glob; or NULL */
    const struct past_version *package;
    const char *file; /* canonical path or glob; or NULL */
};

/* A platform that has it. */
struct past_hit {
    const struct past_platform *platform;
    struct strings what; /* each thing that matched, once: "openssl 3.0.15-1", "/usr/lib/x.so.3" */
};

/* A record of which at least one platform has it. */
struct past_found {
    const struct past_record *record;
    bool is_newest; /* of its image: the one that is published now */
    LIST(struct past_hit) hits;
};

struct past_answer {
    LIST(struct past_found) found; /* in the order of the images, the newest first */
    size_t asked;                  /* records */
    struct strings unknown; /* platforms whose bill is not kept, and bases: as sentences begin, "IMAGE for ARCH" */
};

#define PAST_HIT_MAX ((size_t)1000) /* things of one platform */

/* Reads an expression: NAME, or NAME and one of = < <= > >= and a version, with or without blanks. */
bool past_version_read(struct arena *arena, const char *text, struct past_version *ret_wanted,
                       struct err *err) MUST_CHECK;
/* Returns whether a package is one that is wanted, by its name or its source's, as its format compares versions. */
bool past_version_has(const struct past_version *wanted, const struct past_package *package);
/* Asks all records of the images. */
void past_find(struct arena *arena, const char *state_dir, const struct past_images *images,
               const struct past_wanted *wanted, struct past_answer *ret_answer);

#endif
