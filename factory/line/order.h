/* SPDX-License-Identifier: Apache-2.0 */
/* order.h - what one order (one image for one architecture) is made from: the same for all its stages
 *
 * Threads: belongs to the order's thread; a stage hands it to the one task that it waits for.
 * Owns: nothing. What stages make for each other lives in the scratch arena.
 * Fails with: ERR_RESOLVE (a shell that the source does not have).
 */
#ifndef IMGFACTORY_LINE_ORDER_H
#define IMGFACTORY_LINE_ORDER_H

#include "ground/ground_package.h"
#include "ground/installed.h"
#include "line/standing.h"

struct order {
    struct plant *plant;
    const struct manifest *manifest; /* as it was loaded; with what its `shell` wants, once that is known */
    const struct arch *arch;
    struct catalog *catalog;
    const struct standing *standing; /* the base that the image is put on; NULL: from scratch */
    const struct ground *ground;     /* its files, once something is made; NULL without a base */
    const struct package *given;     /* the same, to stand beside packages */
    const struct installed
        *installed;             /* the packages that are there, when others are installed (manifest_fills()); else
                                        * NULL */
    struct solve_limits limits; /* of its packages, so that other architectures have the same */
    bool is_selected_only;      /* the run wants to know the packages, and nothing of their files */
    struct progress_line *progress;
    struct arena *arena;      /* scratch */
    struct supply_hold *hold; /* the packages that are open for it */
};

/* Begins a stage: for the display and the log. */
void order_enter(const struct order *order, enum stage stage);
/* Writes a line about the order to the log, "IMAGE ARCH: " before it. */
void order_log(const struct order *order, enum log_level level, const char *format, ...) PRINTF_LIKE(3, 4);
/* Runs a stage's computing on a worker and returns what it returned. Fails with ERR_CANCELLED, too. */
bool order_compute(const struct order *order, workers_function *function, void *argument, struct err *err) MUST_CHECK;
/* Returns whether manifest or command line allow versions that are not the newest. */
bool order_takes_older(const struct order *order);
/* Adds the wish for the manifest's static shell, from the first package that exists. Needs the catalog; fails with
 * ERR_RESOLVE when there is none. */
bool order_take_shell(struct order *order, struct err *err) MUST_CHECK;
/* Returns whether the base has a file under a path / a library of that name where the loader looks by itself. */
bool order_has(const struct order *order, const char *path);
bool order_has_library(const struct order *order, const char *soname);
/* Returns whether any part of the manifest is automatic. */
bool order_is_automatic(const struct order *order);

#endif
