/* SPDX-License-Identifier: Apache-2.0 */
/* past.h - what was published in past nights, kept in the state: records of images, and their bills in brief
 *
 * STATE/v1/past/images/<32 hex>.jsonl: one image at one destination, a record (past_record.h) a line, the newest first.
 * STATE/v1/past/bills/<64 hex of a manifest>: its bill (past_bill.h), once, whatever records have it.
 * Kept are PAST_NIGHTS_MAX records of an image and bills of PAST_BILLS_MAX_BYTES together; what is beyond goes, the oldest
 * first, and bills that no record names. Files are replaced as a whole and not synced: one that is lost, damaged, foreign or older
 * counts as absent, and is made again.
 * Threads: main, or one that has the images for itself; processes that write wait for each other, readers for nobody.
 * Owns: nothing; what is read lives in the arena given.
 * Fails with: ERR_LOCAL.
 */
#ifndef IMGFACTORY_PAST_PAST_H
#define IMGFACTORY_PAST_PAST_H

#include "past/past_bill.h"
#include "past/past_record.h"

#define PAST_NIGHTS_MAX ((size_t)90)
#define PAST_IMAGES_MAX ((size_t)10000)
#define PAST_BILLS_MAX_BYTES ((uint64_t)512 << 20)
#define PAST_FILE_MAX_BYTES ((size_t)8 << 20) /* of an image's records */

/* An image at one destination. */
struct past_image {
    struct past_records nights; /* the newest first; at least one */
    bool is_replaced;           /* one of another name has its place and a tag of it since; known when all are read */
};

struct past_images {
    struct past_image *items;
    size_t count, capacity;
};

/* What one run published. */
struct past_note {
    struct past_record record; /* `first` 0: of this very run; else of a past one, and `last` says until when */
    /* Parallel to the record's platforms: read whole or by its head; NULL: its bill was kept before, or is not known. */
    const struct bill **bills;
};

/* Takes down what was published; `now` is when. With *ret_is_more there are records that were not there before, and past_prune() is
 * due. */
bool past_keep(const char *state_dir, const struct past_note *notes, size_t count, int64_t now, bool *ret_is_more,
               struct err *err) MUST_CHECK;
/* Removes what is beyond the bounds, and what killed processes left. */
void past_prune(const char *state_dir);

/* What an image is by now, by a tag that was set by hand or on another machine. */
struct past_return {
    const char *destination;
    const char *name, *tag; /* of the image, and one that its newest record has; NULL: any */
    struct digest digest;   /* of the index that is published now */
};

/* Takes down that an image went back to what it was on a past night, when its newest record tells of another one. *ret_is_lost with
 * true when no record tells of the digest: what is published now is not known then. An image of which nothing is kept is none. */
bool past_keep_return(const char *state_dir, const struct past_return *given, int64_t now, bool *ret_is_lost,
                      struct err *err) MUST_CHECK;
/* Reads what is kept, by name and destination; with is_newest_only of each image the newest record. `name` NULL: all images. */
void past_read(struct arena *arena, const char *state_dir, const char *name, bool is_newest_only,
               struct past_images *ret_images);
/* Opens the bill of a manifest; false when there is none. The caller calls past_bill_close(). */
bool past_open_bill(const char *state_dir, const struct digest *manifest, struct past_bill *ret_bill);

#endif
