/* SPDX-License-Identifier: Apache-2.0 */
/* expiry_memory.h - what the images of a repository consist of, and which of them are being deleted (private to expiry)
 *
 * DIR/<sha256 of the repository's name>: the lines "version 1", "repository HOST/NAME", then one for each image: its digest, a '!' when
 * it is being deleted, and the digests of all manifests below it, in hexadecimal. What a digest consists of never changes, so this is
 * never out of date; it only saves requests, but for the '!', by which a run that was killed is gone on with. A file that is
 * damaged, or a folder that cannot be written, is no error.
 * Threads: no state.
 */
#ifndef IMGFACTORY_REGISTRY_EXPIRY_MEMORY_H
#define IMGFACTORY_REGISTRY_EXPIRY_MEMORY_H

#include "registry/expiry.h"

struct expiry_memory_image {
    struct digest digest;
    bool is_doomed;
    struct expiry_digests manifests;
};

struct expiry_memory {
    struct expiry_memory_image *items;
    size_t count, capacity;
};

/* Reads what is remembered of a repository; dir may be NULL. */
void expiry_memory_read(struct arena *arena, const char *dir, const char *repository, struct expiry_memory *ret_memory);
/* Remembers it, durably; dir may be NULL. */
void expiry_memory_write(const char *dir, const char *repository, const struct expiry_memory *memory, struct log *log);

#endif
