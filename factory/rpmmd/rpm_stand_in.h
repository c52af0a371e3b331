/* SPDX-License-Identifier: Apache-2.0 */
/* rpm_stand_in.h - primary.xml and filelists.xml of what the packages of a lock say of themselves (source/stand_in.h)
 *
 * Each package's header is read once its own signature was found good, or the repository is trusted without any.
 * Threads, Fails with: as stand_in.h.
 */
#ifndef IMGFACTORY_RPMMD_RPM_STAND_IN_H
#define IMGFACTORY_RPMMD_RPM_STAND_IN_H

#include "rpmmd/rpm_metadata.h"
#include "source/stand_in.h"

struct rpm_stand_in {
    struct stand_in base;
    const struct keyrings *keys; /* one of these must have signed each package; NULL: nothing has to be signed, … */
    bool is_trusted;             /* … when this says so */
};

/* Makes both and puts them into the store; the two files, as a repomd.xml would list them, live in the arena. */
bool rpm_stand_in_make(const struct rpm_stand_in *stand_in, struct arena *arena, struct rpm_metadata_file ret_files[2],
                       struct err *err) MUST_CHECK;

#endif
