/* SPDX-License-Identifier: Apache-2.0 */
/* yum_variables.h - the variables of a Fedora-like host: /etc/yum/vars, /etc/dnf/vars, and $releasever of os-release
 *
 * A file is a variable, its first line the value (dnf.conf(5), "Repo variables"). $releasever is VERSION_ID, on
 * Enterprise Linux its major part, as the package that provides system-release there tells dnf. Files of the vars
 * directories win.
 * Threads: no state.
 * Fails with: ERR_LOCAL, ERR_USAGE.
 */
#ifndef IMGFACTORY_RPMMD_YUM_VARIABLES_H
#define IMGFACTORY_RPMMD_YUM_VARIABLES_H

#include "base/map.h"

/* Adds the variables that are set below `root` to the map. */
bool yum_variables_load(const char *root, struct map *variables, struct err *err) MUST_CHECK;

#endif
