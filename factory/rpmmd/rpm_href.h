/* SPDX-License-Identifier: Apache-2.0 */
/* rpm_href.h - where RPM metadata say that a file is (location href), and the URL that this makes
 *
 * An href is a path below the repository, as createrepo_c writes it: mostly a file's name as it is, sometimes with %XX.
 * Threads: no state.
 */
#ifndef IMGFACTORY_RPMMD_RPM_HREF_H
#define IMGFACTORY_RPMMD_RPM_HREF_H

#include "base/text.h"

/* Returns what is wrong with an href ("it has \"..\""), or NULL: it must be relative, without scheme, "..", empty parts
 * (also when %XX is decoded), control bytes and backslashes, and not too long. */
const char *rpm_href_fault(struct text href);
/* Writes the bytes that mean something else in a URL ('?', '#', blanks, …) as %XX; what is %XX stays. */
const char *rpm_href_url(struct arena *arena, const char *href);

#endif
