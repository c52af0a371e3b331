/* SPDX-License-Identifier: Apache-2.0 */
/* license.h - names of licences, as SPDX writes them (SPDX specification 2.3, annexes A and D)
 *
 * Known are the identifiers of licences that distributions' packages have; a name that is not known is never guessed: it
 * stands as a LicenseRef, of which the package's own words are the text.
 * Threads: pure functions.
 * Owns: nothing; results live in the arena given, or are constant.
 */
#ifndef IMGFACTORY_PACKAGE_LICENSE_H
#define IMGFACTORY_PACKAGE_LICENSE_H

#include "base/text.h"

#define LICENSE_REF "LicenseRef-"

/* Returns a licence's identifier in SPDX's own letters, found without case; NULL when it is not known. */
const char *license_find(struct text name);
/* Makes an identifier for a licence that is not known: LicenseRef-SCHEME-NAME, where all that an identifier cannot have is '-'. */
const char *license_ref(struct arena *arena, const char *scheme, struct text name);
/* Reads an expression (annex D) of known licences and exceptions, and of LicenseRefs: it, in SPDX's own letters; NULL when it is none. */
const char *license_read(struct arena *arena, struct text text);
/* Makes an expression of what a package says of itself: that, if it is one; else a LicenseRef of the whole. */
const char *license_expression(struct arena *arena, const char *scheme, const char *said);
/* Lists the LicenseRefs of an expression that are not in the list yet. */
void license_list_refs(struct arena *arena, const char *expression, struct strings *refs);

#endif
