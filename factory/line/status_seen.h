/* SPDX-License-Identifier: Apache-2.0 */
/* status_seen.h - what the site's status record says of the image that a tag is about to leave
 *
 * Nothing in a registry tells which of two images is of newer repositories. The record does: a machine whose mirror is behind
 * must not set back what another one made of newer metadata. It is read once, and only when a tag would leave an image of which
 * this state directory knows nothing: what it pushed itself (receipt.h, of any age) was of metadata that are not newer than what
 * it accepts now.
 * A record that cannot be read tells nothing: the image is published, and the night tells of it when it writes.
 * Threads: any.
 * Owns: what was read, until status_seen_free().
 */
#ifndef IMGFACTORY_LINE_STATUS_SEEN_H
#define IMGFACTORY_LINE_STATUS_SEEN_H

#include "line/batch.h"
#include "line/status_record.h"

struct status_seen;

/* Prepares to read the record at `reference`, whose text the caller keeps. */
struct status_seen *status_seen_new(const char *reference);
/* Lists the repositories that an image was made from. */
void status_repositories(struct arena *arena, const struct batch_image *image, struct status_image *told);
/* Returns what the record tells of an image at `there` in the image's destination, when that is of the same repositories, none of
 * them older and one newer than this image's; else NULL. It lives as long as `seen`. *ret_newer: such a repository. */
const struct status_image *status_seen_newer(struct status_seen *seen, const struct plant *plant,
                                             const struct batch_image *image, const struct digest *there,
                                             struct status_newer *ret_newer);
/* Frees it; NULL is nothing. */
void status_seen_free(struct status_seen *seen);

#endif
