/* SPDX-License-Identifier: Apache-2.0 */
/* status_print.h - what `imgfactory status` prints: for people, and as JSON (factory/bill/report.schema.json)
 *
 * Threads: main only. What is printed for people has no control characters, whatever the record holds.
 */
#ifndef IMGFACTORY_CLI_STATUS_PRINT_H
#define IMGFACTORY_CLI_STATUS_PRINT_H

#include "line/status_record.h"

#include <stdio.h>

/* An image of the record, or one that a site file names and the record does not tell of. */
struct status_row {
    const char *name;
    const struct status_image *image; /* NULL: it is missing */
    enum status_state state;
    struct digest asked; /* replaced: what was asked for */
    bool is_judged;      /* false: the site file does not name it */
};

struct status_view {
    const char *reference;
    struct digest digest; /* of the record's manifest */
    const struct status_record *record;
    int64_t now, max_age_seconds;
    struct status_delays delays;
    LIST(struct status_row) rows;
};

/* Prints a line for each image, and one more for what is wrong with it. */
void status_print(FILE *out, const struct status_view *view);
/* Prints all that the record says of these images, and its moves. */
void status_print_json(FILE *out, const struct status_view *view);

#endif
