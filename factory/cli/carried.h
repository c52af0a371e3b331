/* SPDX-License-Identifier: Apache-2.0 */
/* carried.h - what a folder of `copy --to-dir` holds beside its layout, and the list of all of it: DIR/carried.json
 *
 * The list has each image by its full name with its digest and one digest of all that hangs on it (cargo_identity()), and each file of
 * DIR/keys, DIR/locks and DIR/vendor with its SHA-256. It is written last: a folder without it, or with another one, was cut
 * short or altered. Sorted, without clock: the same folder has the same bytes.
 * Bounds: CARRIED_MAX_BYTES of the list, CARRIED_FILES_MAX files in folders three deep.
 * Threads: main.
 * Fails with: ERR_USAGE (no such folder or file), ERR_TRUST (a file that is not listed, or not as it is), ERR_LOCAL, ERR_MALFORMED.
 */
#ifndef IMGFACTORY_CLI_CARRIED_H
#define IMGFACTORY_CLI_CARRIED_H

#include "base/arena.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/list.h"
#include "base/map.h"

#define CARRIED_NAME "carried.json"
#define CARRIED_MAX_BYTES ((size_t)16 << 20)
#define CARRIED_FILES_MAX ((size_t)100000)

struct carried_image {
    const char *name;     /* "quay.io/me/dhcpd:1": as index.json has it */
    struct digest digest; /* of its root */
    struct digest whole;  /* cargo_identity() */
    bool is_new;          /* it was carried by this run: not in the list */
};

struct carried_file {
    const char *path; /* below the folder: "keys/site.pub" */
    uint64_t size_bytes;
    struct digest digest;
};

struct carried {
    LIST(struct carried_image) images;
    LIST(struct carried_file *) files;
    struct map by_path; /* the same */
};

/* Reads the list; an empty one where there is none and it need not be there. */
bool carried_read(struct arena *arena, const char *dir, bool is_wanted, struct carried *ret_carried,
                  struct err *err) MUST_CHECK;
/* Puts an image in, in place of one of its name. */
void carried_set_image(struct arena *arena, struct carried *carried, const struct carried_image *image);
/* Copies a file (or a folder with all of its files) to DIR/FOLDER, those that are there with the same bytes not again, and lists it. */
bool carried_add_file(struct arena *arena, struct carried *carried, const char *dir, const char *folder,
                      const char *path, struct err *err) MUST_CHECK;
bool carried_add_folder(struct arena *arena, struct carried *carried, const char *dir, const char *folder,
                        const char *path, struct err *err) MUST_CHECK;
/* Writes the list, durably. */
bool carried_write(const char *dir, struct carried *carried, struct err *err) MUST_CHECK;
/* Checks that the folder's files are those that are listed, and nothing else lies in it. */
bool carried_check(struct arena *arena, const char *dir, const struct carried *carried, struct err *err) MUST_CHECK;

#endif
