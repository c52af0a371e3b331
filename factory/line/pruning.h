/* SPDX-License-Identifier: Apache-2.0 */
/* pruning.h - the repositories of a call or of a night, pruned side by side, and what is printed of it
 *
 * Threads: pruning_run() blocks; repositories are pruned on threads of its own.
 * Fails with: as registry/expiry.h.
 */
#ifndef IMGFACTORY_LINE_PRUNING_H
#define IMGFACTORY_LINE_PRUNING_H

#include "registry/expiry.h"

#include <stdio.h>

/* One repository. */
struct pruning {
    const char *destination; /* HOST/REPOSITORY */
    struct expiry_rules rules;
    /* results */
    bool is_tried, is_good;
    struct arena arena;
    struct expiry_result result;
    struct err err; /* when it is not good */
};

/* How it is done, alike for all. */
struct pruning_call {
    const struct registry_options *options;
    struct http *http;
    int64_t now;
    const char *memory_dir;
    bool is_dry_run;
};

/* Prunes all of them, whatever becomes of any; returns whether all were good: err is the gravest otherwise. */
bool pruning_run(const struct pruning_call *call, struct pruning *items, size_t count, struct err *err) MUST_CHECK;
/* Prints what goes, or went, for people. */
void pruning_print(FILE *out, const struct pruning *pruning, const struct pruning_call *call);
/* Prints all of them as JSON (report.schema.json, "prune"). */
void pruning_print_json(FILE *out, const struct pruning *items, size_t count, const struct pruning_call *call);
/* Frees the results. */
void pruning_done(struct pruning *pruning);

#endif
