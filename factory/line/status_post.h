/* SPDX-License-Identifier: Apache-2.0 */
/* status_post.h - a night's results into the status record of its site
 *
 * Read, upload (two requests), manifest, read back: five requests, whatever the number of images. Whoever finds that the
 * record is another's by then reads it again and puts its images over it. Where another machine writes to it, too, it is
 * read back a second later, so that what two wrote at one time is found and mended by one of them.
 * Threads: main, after batch_run().
 * Fails with: as registry.h; ERR_PUBLISH when the tag is at something that is no record, or at one of a newer program.
 */
#ifndef IMGFACTORY_LINE_STATUS_POST_H
#define IMGFACTORY_LINE_STATUS_POST_H

#include "line/batch.h"
#include "line/status_record.h"

/* A night that ended. */
struct status_night {
    const char *reference;          /* where the record is: HOST/REPOSITORY:TAG */
    const char *writer, *site_path; /* the site file */
    int64_t begun;                  /* seconds since 1970 */
    bool is_proven;
    bool is_guarded; /* as struct status_record has it */
};

/* Makes what a night tells of its images. */
void status_of_batch(struct arena *arena, const struct batch *batch, const struct status_night *night,
                     struct status_record *ret_record);
/* Writes the night into the record, settles what another machine published at the same time (status_settle.h), and puts what became of that into
 * the batch's report. */
void status_post(struct arena *arena, const struct plant *plant, const struct status_night *night, struct batch *batch);

#endif
