/* SPDX-License-Identifier: Apache-2.0 */
/* path.h - absolute paths inside an image: one canonical spelling for each place
 *
 * Canonical: begins with '/', no empty, "." or ".." component, no trailing '/', and with merged /usr: /bin, /sbin,
 * /lib, /lib32, /lib64, /libx32, /libo32 are written below /usr. The root itself is "/".
 * Threads: no state.
 */
#ifndef IMGFACTORY_PACKAGE_PATH_H
#define IMGFACTORY_PACKAGE_PATH_H

#include "base/text.h"

#define PATH_MAX_BYTES 4095
#define PATH_MAX_COMPONENT 255
#define PATH_MAX_DEPTH 256

/* Makes a package's or manifest's path canonical ("./lib/x", "/lib/x" and "lib/x" all give "/usr/lib/x"). Refuses "..",
 * NUL, an empty path, a component above 255, a path above 4,095 bytes or 256 components: NULL and *ret_why. */
const char *path_canonical(struct arena *arena, struct text path, const char **ret_why);
/* The same for a root that is not ours, where /lib and /usr/lib can be two places: nothing is written below /usr. */
const char *path_exact(struct arena *arena, struct text path, const char **ret_why);
/* Resolves a symlink's target as seen from the directory of `path`, without following further links: "/a/b" + "../c" =
 * "/c" (canonical). A target that climbs above the root stays at the root, as in a chroot. NULL when it is empty or too
 * long. */
const char *path_join_target(struct arena *arena, const char *path, const char *target);
/* Returns where a canonical path below /var/run or /var/lock is on a system that has these as links into /run, as
 * Debian and Fedora have them; any other path itself. In the arena. */
const char *path_through_run(struct arena *arena, const char *path);
/* Returns the directory part, "/" for a file in the root; lives in the arena. */
const char *path_dirname(struct arena *arena, const char *path);
/* Returns whether a canonical path lies below a directory / is it or lies below it / does so of any of several. */
bool path_is_below(const char *path, const char *directory);
bool path_is_within(const char *path, const char *directory);
bool path_is_within_any(const char *path, const struct strings *directories);
/* Returns the last component: a pointer into `path`. */
const char *path_basename(const char *path);
/* Matches a canonical path against a glob of at most 4,095 bytes: '*' and '?' stay within a component, "**" crosses
 * components and, as a whole component, also stands for none; [sets] with ranges and '!'; a '[' that is not closed
 * stands for itself. The work is at most the product of the lengths. */
bool path_matches(const char *glob, const char *path);
/* Returns whether the string has a glob character. */
bool path_is_glob(const char *path);

#endif
