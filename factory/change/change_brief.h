/* SPDX-License-Identifier: Apache-2.0 */
/* change_brief.h - what changed in an image, in a few lines for a table or a log
 *
 *   openssl 3.0.15-1 → 3.0.16-1  CVE-2026-0001 CVE-2026-0002
 *   + libfoo1 1.2-1
 *   configuration, 2 files
 *
 * A line for each source of packages that gave files, each once, however many platforms have it; which ones is said when not all
 * have. Only when no package changed files and configuration are counted. `imgfactory diff`, --json and --changes tell all.
 * Threads: no state.
 */
#ifndef IMGFACTORY_CHANGE_CHANGE_BRIEF_H
#define IMGFACTORY_CHANGE_CHANGE_BRIEF_H

#include "change/change.h"

#define BRIEF_LINES_MAX ((size_t)12)

/* Makes the lines of an image's changes, one for each platform, cleaned for a terminal; at most BRIEF_LINES_MAX and one that says how
 * many more there are. None when nothing changed. */
struct strings change_brief(struct arena *arena, const struct change *changes, size_t count);

#endif
