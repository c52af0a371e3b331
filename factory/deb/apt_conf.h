/* SPDX-License-Identifier: Apache-2.0 */
/* apt_conf.h - one value of apt's configuration: apt.conf.d, then apt.conf (apt.conf(5))
 *
 * What apt itself would refuse is passed over as well as it can be: of the many settings only the asked one matters here.
 * Threads: no state.
 * Fails with: ERR_LOCAL.
 */
#ifndef IMGFACTORY_DEB_APT_CONF_H
#define IMGFACTORY_DEB_APT_CONF_H

#include "base/err.h"
#include "base/text.h"

/* Finds what the files below `apt_dir` set last for a key ("APT::Default-Release", letters without case); NULL for nothing, or an
 * empty value. Files that this user may not read are passed over: they hold passwords of proxies. */
bool apt_conf_find(struct arena *arena, const char *apt_dir, const char *key, const char **ret_value,
                   struct err *err) MUST_CHECK;
/* Lists the files of a folder of apt's that count, sorted: "NAME.ending" and names without any ending. */
bool apt_conf_list(struct arena *arena, const char *dir, const char *ending, struct strings *ret_paths,
                   struct err *err) MUST_CHECK;

#endif
