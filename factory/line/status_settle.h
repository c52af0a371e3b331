/* SPDX-License-Identifier: Apache-2.0 */
/* status_settle.h - two machines that published at one time: the image of newer repositories gets its tags back
 *
 * A machine writes the record when all of its images are published. So another one that published meanwhile may not have known that
 * its repositories were older (status_seen.h). Who reads the record later sees both, and mends it: the older one sets tags back
 * to what they left tonight, if the record calls that newer; the newer one looks whether its tags are where it set them.
 * Nothing is set to an image that only the record names: who can write the record can keep tags where they are, no more.
 * Threads: main, after batch_run().
 */
#ifndef IMGFACTORY_LINE_STATUS_SETTLE_H
#define IMGFACTORY_LINE_STATUS_SETTLE_H

#include "line/batch.h"
#include "line/status_record.h"

/* Settles the images of a batch with what the record has of other writers; `ours`, of status_of_batch(), becomes what the record is
 * to tell then. A tag that cannot be set is told, and left for the next night. */
void status_settle(struct arena *arena, const struct plant *plant, const struct status_record *there,
                   struct batch *batch, struct status_record *ours);

#endif
