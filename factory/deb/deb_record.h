/* SPDX-License-Identifier: Apache-2.0 */
/* deb_record.h - private to deb/: the record of a .deb (record.h): its control files, and what dpkg makes of its data
 *
 * Items are called like the control files ("control", "postinst", "shlibs", …). Two more are not in control.tar:
 * DEB_RECORD_LIST has the paths of data.tar in its order, a line each, as dpkg writes them to info/NAME.list (the root is
 * "/."); DEB_RECORD_CONFFILES has a line for each conffile, in the order of `conffiles`, as status has it: "PATH MD5" when it is
 * shipped, "PATH newconffile remove-on-upgrade" when it is only to be removed.
 * Threads: no state.
 * Fails with: ERR_MALFORMED.
 */
#ifndef IMGFACTORY_DEB_DEB_RECORD_H
#define IMGFACTORY_DEB_DEB_RECORD_H

#include "package/package_unpack.h"
#include "package/record.h"

#define DEB_RECORD_LIST "/list"
#define DEB_RECORD_CONFFILES "/conffiles"

/* Reads it; everything lives in the arena. */
bool deb_record(struct arena *arena, struct text deb, const struct unpack_limits *limits, struct record *ret_record,
                struct err *err) MUST_CHECK;

#endif
