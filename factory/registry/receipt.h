/* SPDX-License-Identifier: Apache-2.0 */
/* receipt.h - when everything that an image in a registry needs was last seen there
 *
 * DIR/<sha256 of repository and digest> holds the lines "version 1", "repository HOST/NAME", "digest <hex>", "time
 * SECONDS". A receipt only saves requests: one that is damaged, old, from the future or for another image, or that
 * cannot be read or written, means that the registry is asked, and is never an error. Those of more than a month ago are removed.
 * Threads: any; processes too.
 */
#ifndef IMGFACTORY_REGISTRY_RECEIPT_H
#define IMGFACTORY_REGISTRY_RECEIPT_H

#include "base/digest.h"
#include "base/log.h"

#define RECEIPT_YOUNG_SECONDS ((int64_t)7 * 24 * 60 * 60)
#define RECEIPT_KEPT_SECONDS ((int64_t)30 * 24 * 60 * 60)
#define RECEIPTS_MAX_COUNT 4096

/* Returns whether the image was seen whole in that repository ("HOST/NAME") less than a week before `now` (seconds
 * since 1970). dir may be NULL: no. */
bool receipt_is_young(const char *dir, const char *repository, const struct digest *digest, int64_t now);
/* Returns whether it was seen whole there at any time that is remembered. dir may be NULL: no. */
bool receipt_is_there(const char *dir, const char *repository, const struct digest *digest);
/* Notes that it was seen whole. dir may be NULL; log may be NULL. */
void receipt_write(const char *dir, const char *repository, const struct digest *digest, int64_t now, struct log *log);
/* Forgets all images of that repository. dir may be NULL. */
void receipt_forget(const char *dir, const char *repository);
/* Forgets it. */
void receipt_remove(const char *dir, const char *repository, const struct digest *digest);

#endif
