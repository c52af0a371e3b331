/* SPDX-License-Identifier: Apache-2.0 */
/* sbom_print.h - private to sbom/: the documents as JSON values
 *
 * Threads: no state. Owns: the caller owns what is returned.
 */
#ifndef IMGFACTORY_SBOM_SBOM_PRINT_H
#define IMGFACTORY_SBOM_SBOM_PRINT_H

#include "sbom/sbom.h"

#include <jansson.h>

/* SPDX 2.3 (JSON). */
json_t *sbom_spdx(struct arena *arena, const struct sbom *sbom);
/* CycloneDX 1.6, or 1.5 in the form that scanners of 2023 read, too. */
json_t *sbom_cyclonedx(struct arena *arena, const struct sbom *sbom, bool is_old);
/* Returns the repository that a package was taken from; NULL when that is not known. */
const struct bill_repository *sbom_repository_of(const struct sbom *sbom, const struct sbom_package *package);
/* Returns a URL that documents may have as where something is to be had; NULL: it is none. */
const char *sbom_url(const char *url);

#endif
