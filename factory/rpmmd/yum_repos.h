/* SPDX-License-Identifier: Apache-2.0 */
/* yum_repos.h - the repositories of a Fedora-like host: the .repo files of /etc/yum.repos.d, as dnf reads them
 *
 * dnf.conf(5). Also read: [main] of dnf.conf (gpgcheck, repo_gpgcheck, skip_if_unavailable, excludepkgs, includepkgs),
 * variables of /etc/yum/vars and /etc/dnf/vars, $releasever from os-release. $basearch and $arch stay, so that one
 * configuration serves every architecture. Options that do not matter here are passed over; gpgcheck is on unless it is
 * turned off.
 * Threads: made by main before other threads start, then const for all.
 * Fails with: ERR_USAGE ("FILE:LINE: …"), ERR_LOCAL.
 */
#ifndef IMGFACTORY_RPMMD_YUM_REPOS_H
#define IMGFACTORY_RPMMD_YUM_REPOS_H

#include "rpmmd/rpm_source.h"

/* Tells whether there is a .repo file below `root` ("" for the host itself). */
bool yum_repos_exist(const char *root, bool *ret_exist, struct err *err) MUST_CHECK;
/* Reads the enabled repositories; keys given as file: are looked for below `root`. Of two with one id the first counts,
 * as in dnf. Repositories whose keys are not those that most share are optional, besides those with
 * skip_if_unavailable. No enabled one at all: ERR_USAGE that tells about --source. */
bool yum_repos_load(struct arena *arena, const char *root, struct rpm_source *ret_source, struct err *err) MUST_CHECK;

#endif
