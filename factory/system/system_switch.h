/* SPDX-License-Identifier: Apache-2.0 */
/* system_switch.h - from one version of a system container to another, all or nothing
 *
 * First everything is staged: the version is whole in its folder, and each file for the host lies beside the place that it
 * will have, under a name of ours, so that the switch only renames and needs no room. Then .NAME.switch is written: from
 * this moment the new version holds. What follows (system_switch_apply()) can be done again after a kill in any step:
 * files for the host, tmpfiles.d, the link, the unit.
 * Threads: one, with the place's lock.
 * Fails with: ERR_USAGE (a file in the way that is not ours), ERR_MALFORMED (too many folders), ERR_LOCAL.
 */
#ifndef IMGFACTORY_SYSTEM_SYSTEM_SWITCH_H
#define IMGFACTORY_SYSTEM_SYSTEM_SWITCH_H

#include "system/system_place.h"

/* Adds the folders of the host that the files of a new version need and that are not there to `info`, which is written
 * before they are made: whoever comes after a kill removes those that stayed empty. ERR_MALFORMED: too many. */
bool system_switch_plan(struct system_place *place, struct arena *arena, struct system_info *info,
                        struct err *err) MUST_CHECK;
/* Writes the files of a version beside their places. `folder` is the version's ("NAME.0", ".NAME.new"); which files are
 * installed is set in `info`, and folders of the host are made and added. `now` is the version that holds; NULL: none. */
bool system_switch_stage(struct system_place *place, struct arena *arena, const char *name, const char *folder,
                         struct system_info *info, const struct system_info *now, struct err *err) MUST_CHECK;
/* Takes back what was staged, and the folders of the host in `info` that stayed empty; but those among `kept`, which are
 * another version's. */
void system_switch_unstage(struct system_place *place, struct arena *arena, const char *name,
                           const struct system_info *info, const struct strings *kept);
/* Makes version `number` the one that holds, which is `.NAME.new` where there is one. */
bool system_switch_to(struct system_place *place, struct arena *arena, const char *name, unsigned number,
                      struct err *err) MUST_CHECK;
/* Removes the container: unit, files of the host that nobody changed, versions. */
bool system_switch_remove(struct system_place *place, struct arena *arena, const char *name,
                          struct err *err) MUST_CHECK;
/* Carries out every switch that was killed, and removes what killed ones left before it. */
bool system_switch_recover(struct system_place *place, struct arena *arena, struct err *err) MUST_CHECK;
/* Returns whether unit and tmpfiles.d file of the host are those of a version, or not there. */
bool system_switch_is_ours(struct system_place *place, struct arena *arena, const char *name, const char *folder,
                           struct err *err) MUST_CHECK;

#endif
