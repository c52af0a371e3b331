/* SPDX-License-Identifier: Apache-2.0 */
/* release_parse.h - the signed text of a Release file into a struct release
 *
 * Threads: no shared state.
 * Fails with: ERR_MALFORMED; ERR_TRUST when it lists nothing by SHA-256 or SHA-512.
 */
#ifndef IMGFACTORY_DEB_RELEASE_PARSE_H
#define IMGFACTORY_DEB_RELEASE_PARSE_H

#include "deb/release.h"

/* Parses the text. Fields that say where it came from (repository, uri, dir, signed_by) are left alone. A missing
 * Valid-Until gives 0. */
bool release_parse(struct arena *arena, const char *name, struct text text, struct release *ret_release,
                   int64_t *ret_valid_until, struct err *err) MUST_CHECK;

#endif
