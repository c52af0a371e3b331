/* SPDX-License-Identifier: Apache-2.0 */
/* lag_report.h - what differs between architectures, for people and for machines
 *
 * Threads: no state.
 * Owns: what is returned lives in the arena given, or is the caller's (JSON).
 */
#ifndef IMGFACTORY_LINE_LAG_REPORT_H
#define IMGFACTORY_LINE_LAG_REPORT_H

#include "line/batch.h"

#include <jansson.h>
#include <stdio.h>

/* Says one difference in a line: "openssl 3.0.2-1 for x86_64 but 3.0.1-1 for aarch64, a security update, for 3 nights". */
const char *lag_report_line(struct arena *arena, const struct lag *lag);
/* Prints all of a batch, security updates that are held back for too long first: package, versions, repositories and their
 * dates. Nothing when nothing differs. */
void lag_report_print(FILE *out, const struct batch *batch);
/* Returns what the report says of an image: an object, or NULL when nothing was compared. */
json_t *lag_report_json(const struct batch_image *image);
/* Returns the differences of all images that are overdue, each with `image`; NULL when there is none. */
json_t *lag_report_overdue(const struct batch *batch);

#endif
