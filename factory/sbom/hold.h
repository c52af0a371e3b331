/* SPDX-License-Identifier: Apache-2.0 */
/* hold.h - documents held against an image: what they say of it that is not so
 *
 * Faults are sentences for people, each naming the file with its package, or the digest: all that differs is counted, the first
 * HOLD_FAULTS_MAX are told.
 * Threads: no state.
 * Owns: sentences live in the arena given.
 */
#ifndef IMGFACTORY_SBOM_HOLD_H
#define IMGFACTORY_SBOM_HOLD_H

#include "bill/lock.h"
#include "sbom/sbom.h"
#include "sbom/told.h"

#define HOLD_FAULTS_MAX ((size_t)8)

struct hold_faults {
    struct strings lines;
    size_t count;
};

/* Notes one. */
void hold_add(struct arena *arena, struct hold_faults *faults, const char *line);
/* Joins them into one sentence. */
const char *hold_print(struct arena *arena, const struct hold_faults *faults);

/* Holds an SBOM against a platform whose layers were read: the manifest that it names, every file both ways, each by its SHA-256.
 * Of an SBOM that does not claim to have all files those that it has are held; *ret_missing counts the others. */
void hold_sbom(struct arena *arena, const struct told_sbom *told, const struct sbom *image, size_t *ret_missing,
               struct hold_faults *faults);
/* Digests that a statement is about. */
struct hold_digests {
    const struct digest *items;
    size_t count;
};

/* Holds the subjects of a statement against the digests that an image has: each has to be among them, and with `is_whole` no other. */
void hold_subjects(struct arena *arena, struct hold_digests subjects, const struct layout_blob *blobs, size_t count,
                   bool is_whole, struct hold_faults *faults);
/* Holds the packages that an SBOM names by the digests of their files against what the provenance says was taken. */
void hold_packages(struct arena *arena, const struct told_provenance *told, const struct told_sbom *sbom,
                   struct hold_faults *faults);
/* Holds a lock against a provenance: packages and signed indices of the image, both ways. */
void hold_lock(struct arena *arena, const struct told_provenance *told, const struct lock *lock,
               struct hold_faults *faults);

#endif
