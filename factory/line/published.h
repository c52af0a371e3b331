/* SPDX-License-Identifier: Apache-2.0 */
/* published.h - what a run published, taken down for later nights (past/past.h)
 *
 * Published is what is good and lies where it was to go: under its tags in a registry, or where it has no destination in the
 * output. What is held or failed is not, nor what left its tags at a newer image (status_seen.h), and an image that was not pushed although it could have been is not, either.
 * Threads: main, after batch_run().
 * Owns: nothing; what is made lives in the arena given.
 */
#ifndef IMGFACTORY_LINE_PUBLISHED_H
#define IMGFACTORY_LINE_PUBLISHED_H

#include "line/batch.h"
#include "past/past.h"

/* Says of one image what is to be taken down; false when it was not published. */
bool published_record(struct arena *arena, const struct batch_image *image, struct past_record *ret_record);
/* Lists the CVE numbers that changelogs and advisories name for what changed on any platform, each once. */
struct strings published_cves(struct arena *arena, const struct batch_image *image);
/* Makes the document that is attached to the image when it is pushed (past/past_document.h): what is told of it before why packages
 * changed is. One that is too big is left out, and told. */
bool published_attach(struct batch_image *image, const struct plant *plant, struct err *err) MUST_CHECK;
/* Takes all of a run down. */
void published_keep(const struct batch *batch, const struct run_options *options, struct log *log);

#endif
