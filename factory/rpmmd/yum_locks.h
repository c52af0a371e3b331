/* SPDX-License-Identifier: Apache-2.0 */
/* yum_locks.h - what dnf's versionlock plugin has been told: dnf 4's list and dnf5's versionlock.toml
 *
 * dnf 4 (versionlock.conf and the list that its `locklist` names, or without that the list's usual place): a line is a
 * package in any form of dnf's with globs, "!…" excludes it; "#…" is a comment. dnf5: /etc/dnf/versionlock.toml
 * (dnf5-versionlock(8)), which counts with `version = "1.0"` alone.
 * Threads: no state.
 * Fails with: ERR_USAGE "FILE:LINE: …"; ERR_LOCAL.
 */
#ifndef IMGFACTORY_RPMMD_YUM_LOCKS_H
#define IMGFACTORY_RPMMD_YUM_LOCKS_H

#include "rpmmd/rpm_source.h"

/* Adds the locks of the system below `root`; plugin_dir: where dnf 4's plugins are configured, NULL: it loads none. */
bool yum_locks_load(struct arena *arena, const char *root, const char *plugin_dir, struct rpm_source *source,
                    struct err *err) MUST_CHECK;

#endif
