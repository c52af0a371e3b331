/* SPDX-License-Identifier: Apache-2.0 */
/* url.h - %XX in URLs (RFC 3986, section 2.1)
 *
 * Threads: no state.
 * Owns: results lie in the arena.
 */
#ifndef IMGFACTORY_BASE_URL_H
#define IMGFACTORY_BASE_URL_H

#include "base/text.h"

/* What means something else in a path, or that no URL may have. */
#define URL_SPECIAL "%?#\\\"<>^`{|}[]"

/* Writes all but RFC 3986's unreserved bytes as %XX: a value of a query. */
const char *url_encode(struct arena *arena, const char *value);
/* Writes blanks, control bytes, bytes of other scripts and those in `special` as %XX: a path. */
const char *url_escape(struct arena *arena, const char *path, const char *special);
/* The same for a path that may be escaped already: every %XX stays. */
const char *url_escape_rest(struct arena *arena, const char *path, const char *special);
/* Returns the path of a file: URL, without %XX, query and fragment; NULL when it is none of this machine's. */
const char *url_local_path(struct arena *arena, const char *url);
/* Returns whether %XX stands at the front, and what it means. */
bool url_read_escape(struct text text, char *ret_byte);

#endif
