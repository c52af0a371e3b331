/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.h - what a run did as Prometheus reads it: for the textfile collector of node_exporter
 *
 * Text exposition format 0.0.4. All are gauges of the last run; names have their units, as Prometheus wants them.
 * factory/cli/README.md lists them.
 * Threads: main, after batch_run().
 */
#ifndef IMGFACTORY_LINE_METRICS_H
#define IMGFACTORY_LINE_METRICS_H

#include "line/batch.h"

#include <stdio.h>

/* What is told of a run whatever became of it. */
struct metrics_run {
    const char *version;
    int64_t ended; /* seconds since the epoch */
    double seconds;
    enum err_kind outcome;
};

/* Prints what is told of the run as a whole. */
void metrics_print_run(FILE *out, const struct metrics_run *run);
/* Prints what is told of its images, their architectures and the repositories that they are made from. */
void metrics_print_batch(FILE *out, const struct batch *batch);

#endif
