/* SPDX-License-Identifier: Apache-2.0 */
/* parity.h - in which packages the architectures of one image differ
 *
 * Compared are packages that gave files to the image for any architecture. Of a package that several architectures have
 * its version must be one (PARITY_EXACT), or name and version of its source package (PARITY_SOURCE: a rebuild for one
 * architecture, as Debian's 1.2-3+b1, is no difference). A package that only some have is no difference by itself
 * (libquadmath0); it is one when the others have packages of its source of another version only, as it is where the name
 * has a number that grew with it (libfoo1, libfoo2). Packages for all architectures do not count there: they come before
 * those of an architecture that lags. Versions compare as the format's package manager does it, epochs included.
 * Threads: no state.
 * Owns: nothing; what is found lives in the arena given, texts stay the bills'.
 */
#ifndef IMGFACTORY_LINE_PARITY_H
#define IMGFACTORY_LINE_PARITY_H

#include "bill/bill.h"
#include "plan/arch.h"
#include "plan/together.h"

/* One architecture of an image. */
struct parity_side {
    const struct arch *arch;
    const struct bill *bill;       /* complete */
    const struct origins *origins; /* of its catalog: what the repositories are today */
};

/* What one architecture has. */
struct parity_version {
    const struct arch *arch;
    const struct bill_package *package;
    int64_t date;     /* of the package's repository: seconds since the epoch; 0: not known */
    bool is_security; /* the repository is for security updates */
    bool is_behind;   /* another architecture has a newer one */
};

/* A package in which architectures differ. */
struct lag {
    const char *package;                  /* its name where it is newest */
    const char *source;                   /* its source package's */
    LIST(struct parity_version) versions; /* in the order of the architectures; only those that have it */
    bool is_security;                     /* the newest one comes from a repository for security updates, or advisories
                                           * say that it is one */
    /* What is remembered of it (lag_memory.h). */
    int64_t since;   /* when it was seen first; 0: not known */
    unsigned nights; /* for how many; the first is 1 */
    bool is_overdue; /* a security update that is held back for longer than it may */
};

struct lags {
    struct lag *items;
    size_t count, capacity;
};

/* Finds the differences, sorted by package. `are_all` counts packages that gave no files, too: where nobody knows which do
 * (a dry run). */
struct lags parity_compare(struct arena *arena, const struct parity_side *sides, size_t count, enum parity parity,
                           bool are_all);

#endif
