/* SPDX-License-Identifier: Apache-2.0 */
/* oci_part.h - one platform of an image on its way to the machine that puts the image together
 *
 * An index of children (OCI image-spec image-index.md): the platform's own manifest, the same one otherwise compressed where there
 * are both, and behind them an artifact (manifest.md, "Guidelines for Artifact Usage") whose only layer is its bill. The artifact's
 * platform is unknown/unknown, so that no client runs it. An annotation names the plan: no two plans have the same part, so that deleting one never deletes what another needs.
 * Its bytes are a function of what it is made of, which is how a reader checks one.
 * Threads: no state.
 * Owns: nothing; documents live in the arena given.
 */
#ifndef IMGFACTORY_OCI_OCI_PART_H
#define IMGFACTORY_OCI_OCI_PART_H

#include "oci/layout_read.h"
#include "oci/oci.h"

#define OCI_PART_BILL_TYPE "application/vnd.imgfactory.bill.v1+json"

/* What it is made of. */
struct oci_part {
    const char *plan;
    const struct arch *arch;
    struct digest manifest; /* of the platform's manifest … */
    uint64_t manifest_bytes;
    struct digest second; /* … and of the same in zstd:chunked; 0 bytes: there is none */
    uint64_t second_bytes;
    struct digest bill;
    uint64_t bill_bytes;
};

/* Its own documents. */
struct oci_part_documents {
    struct document empty, artifact, index; /* the artifact's config, its manifest, the root */
};

/* Makes them. */
void oci_part_make(struct arena *arena, const struct oci_part *part, struct oci_part_documents *ret_documents);
/* Finds out what a part is made of, and checks that it is one of this plan and architecture and nothing else: the platform's manifests
 * are the first ones in `image`, in the order above. ERR_MALFORMED. */
bool oci_part_read(struct arena *arena, const struct layout_image *image, const char *plan, const struct arch *arch,
                   struct oci_part *ret_part, struct err *err) MUST_CHECK;
/* Returns whether a manifest, as the registry has it, says that it is a part of the plan: by its annotation alone. */
bool oci_part_is_of(struct text manifest, const char *plan);

#endif
