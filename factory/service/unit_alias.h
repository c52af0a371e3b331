/* SPDX-License-Identifier: Apache-2.0 */
/* unit_alias.h - further names of units that are enabled: Alias= of their [Install] sections (systemd.unit(5))
 *
 * Other units ask for them by these names: rsyslog's requires syslog.socket, which starts syslog.service.
 * Threads: pure functions of their inputs.
 * Owns: nothing; all lives in the arena given.
 */
#ifndef IMGFACTORY_SERVICE_UNIT_ALIAS_H
#define IMGFACTORY_SERVICE_UNIT_ALIAS_H

#include "closure/fileset.h"
#include "plan/wishes.h"

/* Returns links for the aliases of all packaged units that links of the wishes enable (TARGET.wants/UNIT), as systemctl enable
 * makes them; none where the wishes make something. Names that are no file names are left out. */
struct wishes unit_alias_links(struct arena *arena, const struct fileset *set, const struct wishes *wishes);

#endif
