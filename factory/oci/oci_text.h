/* SPDX-License-Identifier: Apache-2.0 */
/* oci_text.h - the small texts inside an image's documents, for oci.c alone (the rest of oci_text.c is declared in
 * oci.h)
 *
 * Threads: any; no state.
 * Fails with: ERR_USAGE for a time that RFC 3339 cannot write.
 */
#ifndef IMGFACTORY_OCI_OCI_TEXT_H
#define IMGFACTORY_OCI_OCI_TEXT_H

#include "oci/oci.h"

/* Writes "2023-11-14T22:13:20Z" (RFC 3339, UTC). */
bool oci_timestamp(struct arena *arena, int64_t seconds, const char **ret_text, struct err *err) MUST_CHECK;
/* Returns whether the template has the placeholder {arch}. */
bool oci_names_arch(const char *template);

#endif
