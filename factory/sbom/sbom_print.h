/* SPDX-License-Identifier: Apache-2.0 */
/* sbom_print.h - private to sbom/: the documents as JSON text
 *
 * Threads: no state.
 */
#ifndef IMGFACTORY_SBOM_SBOM_PRINT_H
#define IMGFACTORY_SBOM_SBOM_PRINT_H

#include "sbom/sbom.h"

#include <jansson.h>

/* Append a document to an initialised buffer; false when it is full. Long lists are never values as a whole: of an image with
 * 300,000 files they would take gigabytes. */
/* SPDX 2.3 (JSON). */
bool sbom_spdx(struct arena *arena, const struct sbom *sbom, struct buf *text) MUST_CHECK;
/* CycloneDX 1.6, or 1.5 in the form that scanners of 2023 read, too. */
bool sbom_cyclonedx(struct arena *arena, const struct sbom *sbom, bool is_old, struct buf *text) MUST_CHECK;
/* Append a value and free it: as it is / as the next item of a list, behind a comma when the buffer is not empty / an object
 * without its closing brace. */
bool sbom_put(struct buf *text, json_t *value) MUST_CHECK;
bool sbom_put_item(struct buf *list, json_t *value) MUST_CHECK;
bool sbom_put_open(struct buf *text, json_t *object) MUST_CHECK;
/* Appends a string as it stands between its quotes: files are too many to make values of each. */
bool sbom_put_inside(struct buf *text, const char *string) MUST_CHECK;
/* Appends ',"name":[…]' with what a list's buffer holds. */
bool sbom_put_list(struct buf *text, const char *name, const struct buf *list) MUST_CHECK;
/* Returns the repository that a package was taken from; NULL when that is not known. */
const struct bill_repository *sbom_repository_of(const struct sbom *sbom, const struct sbom_package *package);
/* Returns a URL that documents may have as where something is to be had; NULL: it is none. */
const char *sbom_url(const char *url);

#endif
