/* SPDX-License-Identifier: Apache-2.0 */
/* report.h - what a run did, for people (a table) and for machines (JSON)
 *
 * Threads: main, after batch_run().
 */
#ifndef IMGFACTORY_LINE_REPORT_H
#define IMGFACTORY_LINE_REPORT_H

#include "line/batch.h"

#include <jansson.h>
#include <stdio.h>

/* Prints the table, and for each image where it is and how to use it; in short lines for a terminal of so few columns that a row would
 * be broken (0: no terminal). Errors were logged as they happened. */
void report_table(FILE *out, const struct batch *batch, bool is_dry_run, size_t columns);
/* Prints what a push of one image did, as the lines that the table ends with. */
void report_push(FILE *out, const struct publication *publication);
/* Prints it as a JSON report of one image that was not built. */
void report_push_json(FILE *out, const char *image, const struct publication *publication);
/* Prints one JSON object (factory/bill/report.md). */
void report_json(FILE *out, const struct batch *batch, bool is_dry_run);
/* Prints the answers of `imgfactory why` of all orders that ended well, for people or as JSON. */
void report_why(FILE *out, const struct batch *batch);
void report_why_json(FILE *out, const struct batch *batch);

#endif
