/* SPDX-License-Identifier: Apache-2.0 */
/* rpm_stamp.h - private to rpm/: the header of an installed package, as rpm's database has it
 *
 * That is the package's main header with what rpm adds when it installs (lib/package.c, lib/psm.c): the signature header's
 * tags under other numbers, the states of the files, and when and as what it was installed.
 * Threads: pure functions of their inputs.
 * Fails with: ERR_MALFORMED (a tag of the signature header is of the wrong type: rpm refuses such a package).
 */
#ifndef IMGFACTORY_RPM_RPM_STAMP_H
#define IMGFACTORY_RPM_RPM_STAMP_H

#include "rpm/rpm_header.h"

/* Values of FILESTATES. */
enum { RPM_STATE_NORMAL = 0, RPM_STATE_NOT_INSTALLED = 2 };

struct rpm_stamp {
    struct text signature, header; /* bytes of both headers, as the package has them */
    struct text states;            /* one byte for each file */
    uint32_t time, transaction, color;
};

/* Makes it, with an index that rpm_header_read() takes as RPM_HEADER_INSTALLED. */
bool rpm_stamp_make(struct arena *arena, const struct rpm_stamp *stamp, struct text *ret_header,
                    struct err *err) MUST_CHECK;

#endif
